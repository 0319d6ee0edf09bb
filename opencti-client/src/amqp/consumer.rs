//! Messages from the platform.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream as _;
use lapin::message::Delivery as Message;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, Consumer};

use super::{Broker, Link};
use crate::pause::chance;
use crate::{Delivery, Error, ErrorKind, MessageSource, Notice, Retry, Settle, judge};

/// Messages of the connector's own queue.
///
/// The connection is made again when it breaks, with growing pauses; the broker then delivers again what was not
/// settled. What needs somebody to act (credentials that are refused, a queue that does not exist) is returned as an
/// error after each attempt.
#[derive(Debug)]
pub struct AmqpSource {
    broker: Arc<Broker>,
    queue: String,
    prefetch: u16,
    standing: Option<Standing>,
    attempts: u32,
    stopped: bool,
}

#[derive(Debug)]
struct Standing {
    link: Arc<Link>,
    consumer: Consumer,
}

impl AmqpSource {
    /// The messages of a queue. At most `prefetch` are delivered and not settled at any time: the number of workers, or
    /// somewhat more.
    pub fn new(broker: Arc<Broker>, queue: impl Into<String>, prefetch: u16) -> Self {
        let prefetch = prefetch.max(1);
        Self { broker, queue: queue.into(), prefetch, standing: None, attempts: 0, stopped: false }
    }

    async fn connect(&self) -> Result<Standing, Error> {
        let broker = &self.broker;
        let link = Link::open(broker, "consumer").await?;
        let qos = link.channel.basic_qos(self.prefetch, BasicQosOptions::default());
        broker.within(qos).await?;
        let queue = self.queue.as_str().into();
        let consume =
            link.channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default());
        let consumer = broker.within(consume).await?;
        Ok(Standing { link: Arc::new(link), consumer })
    }

    /// One try to connect, after the pause that is due.
    async fn connect_again(&mut self) -> Result<(), Error> {
        match self.connect().await {
            Ok(standing) => {
                self.standing = Some(standing);
                self.attempts = 0;
                self.broker.notices.give(&Notice::Connected { to: "broker (consumer)" });
                Ok(())
            }
            Err(error) => {
                self.pause(&error).await;
                if judge(&error) == Retry::Soon { Ok(()) } else { Err(error) }
            }
        }
    }

    async fn pause(&mut self, error: &Error) {
        self.attempts = self.attempts.saturating_add(1);
        let again_in = self.broker.backoff.pause(self.attempts, None, chance());
        self.broker.notices.give(&Notice::Disconnected { from: "broker (consumer)", error, again_in });
        tokio::time::sleep(again_in).await;
    }
}

#[async_trait]
impl MessageSource for AmqpSource {
    async fn next(&mut self) -> Result<Option<Delivery>, Error> {
        loop {
            let Some(standing) = &mut self.standing else {
                if self.stopped {
                    return Ok(None);
                }
                self.connect_again().await?;
                continue;
            };
            match poll_fn(|context| Pin::new(&mut standing.consumer).poll_next(context)).await {
                Some(Ok(message)) => return Ok(Some(delivery(&self.broker, &standing.link, message))),
                ended => {
                    let error = match ended {
                        Some(Err(error)) => self.broker.error(&error),
                        // The queue was deleted, or the broker goes down in order.
                        _ => ErrorKind::Broker { code: 320, message: "the consumer was cancelled".to_owned() }.into(),
                    };
                    self.standing = None;
                    if self.stopped {
                        return Ok(None);
                    }
                    self.pause(&error).await;
                }
            }
        }
    }

    async fn stop(&mut self) {
        self.stopped = true;
        let Some(mut standing) = self.standing.take() else { return };
        let tag = standing.consumer.tag();
        let cancel = standing.link.channel.basic_cancel(tag, BasicCancelOptions::default());
        let cancelled = self.broker.within(cancel).await.is_ok();
        // What was fetched in advance goes back at once; what is being worked on can still be settled.
        while cancelled
            && let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut standing.consumer).poll_next(context)).await
        {
            let _ = self.broker.within(message.acker.nack(BasicNackOptions { requeue: true, multiple: false })).await;
        }
    }
}

fn delivery(broker: &Arc<Broker>, link: &Arc<Link>, message: Message) -> Delivery {
    let count =
        message.properties.headers().as_ref().and_then(|headers| match headers.inner().get("x-delivery-count")? {
            AMQPValue::LongLongInt(count) => u64::try_from(*count).ok(),
            AMQPValue::LongInt(count) => u64::try_from(*count).ok(),
            AMQPValue::LongUInt(count) => Some(u64::from(*count)),
            _ => None,
        });
    let settle = AmqpSettle { broker: broker.clone(), link: link.clone(), acker: message.acker };
    Delivery::new(&message.data, Box::new(settle)).redelivered(message.redelivered, count)
}

/// Settles a message on the connection on which it came, and keeps that one alive until then.
struct AmqpSettle {
    broker: Arc<Broker>,
    link: Arc<Link>,
    acker: Acker,
}

impl AmqpSettle {
    async fn settled(&self, answer: impl Future<Output = lapin::Result<bool>>) -> Result<(), Error> {
        if !self.link.stands() {
            return Err(ErrorKind::Stale.into());
        }
        match self.broker.within(answer).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(ErrorKind::Stale.into()),
        }
    }
}

#[async_trait]
impl Settle for AmqpSettle {
    async fn accept(self: Box<Self>) -> Result<(), Error> {
        self.settled(self.acker.ack(BasicAckOptions::default())).await
    }

    async fn give_back(self: Box<Self>) -> Result<(), Error> {
        self.settled(self.acker.nack(BasicNackOptions { requeue: true, multiple: false })).await
    }
}
