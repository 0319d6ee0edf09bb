//! Where messages come from.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, Message, MessageError};

/// A source of messages: the queue, an HTTP listener, or a channel in tests.
#[async_trait]
pub trait MessageSource: Send {
    /// Waits for the next message. `None` when the source was closed and nothing is left.
    ///
    /// Connection problems are dealt with inside; an error is one that needs somebody to act, and the source can be
    /// asked again after it.
    ///
    /// A call that is dropped before it returns loses nothing.
    async fn next(&mut self) -> Result<Option<Delivery>, Error>;

    /// Takes nothing more. What was fetched in advance goes back; deliveries that were returned can still be settled.
    /// Afterwards [`next`](Self::next) returns `None`.
    async fn stop(&mut self);
}

/// A message, to be settled once its work is done.
///
/// A delivery that is dropped without being settled comes again, at the latest when the connection ends.
pub struct Delivery {
    /// The message, or why it cannot be read. An unreadable one should be reported as a failed work, if it names one,
    /// and be accepted: it would be the same the next time.
    pub message: Result<Message, MessageError>,
    /// Whether it was delivered before: an earlier attempt may have done part of its work. Always set where the source
    /// cannot know, as with messages by HTTP.
    pub redelivered: bool,
    /// How often it was delivered before, where the broker counts that.
    pub earlier: Option<u64>,
    settle: Box<dyn Settle>,
}

/// How a delivery is settled.
#[async_trait]
pub trait Settle: Send + Sync {
    /// The work is done: the message is not delivered again.
    async fn accept(self: Box<Self>) -> Result<(), Error>;

    /// The message is to be delivered again.
    async fn give_back(self: Box<Self>) -> Result<(), Error>;
}

impl Delivery {
    /// A delivery with its body and the way to settle it.
    pub fn new(body: &[u8], settle: Box<dyn Settle>) -> Self {
        Self { message: Message::parse(body), redelivered: false, earlier: None, settle }
    }

    /// Marks it as delivered before.
    #[must_use]
    pub fn redelivered(mut self, redelivered: bool, earlier: Option<u64>) -> Self {
        self.redelivered = redelivered || earlier.is_some_and(|count| count > 0);
        self.earlier = earlier;
        self
    }

    /// The work is done: the message is not delivered again.
    ///
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) says that it will be, because its connection is gone.
    pub async fn accept(self) -> Result<(), Error> {
        self.settle.accept().await
    }

    /// The message is to be delivered again, here or elsewhere.
    pub async fn give_back(self) -> Result<(), Error> {
        self.settle.give_back().await
    }

    /// Takes message and settlement apart.
    pub fn into_parts(self) -> (Result<Message, MessageError>, Box<dyn Settle>) {
        (self.message, self.settle)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Delivery")
            .field("message", &self.message)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}
