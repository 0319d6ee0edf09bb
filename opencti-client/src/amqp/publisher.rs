//! Bundles to the platform's workers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Broker, Link};
use crate::pause::chance;
use crate::{Error, ErrorKind, Notice, Publisher, Retry, judge};

/// How many messages may be unconfirmed at any time, per call.
const WINDOW: usize = 256;

/// Publishes to the platform's workers: persistent, mandatory and confirmed.
///
/// What was not confirmed is sent again, on a new connection if need be, until the patience is at its end. A message whose
/// fate is not known is sent again, too: importing an object twice changes nothing.
#[derive(Debug)]
pub struct AmqpPublisher {
    broker: Arc<Broker>,
    exchange: String,
    routing_key: String,
    /// How long a call goes on trying.
    patience: Duration,
    /// The largest message that is published, in bytes.
    largest: u64,
    link: Mutex<Option<Arc<Link>>>,
}

impl AmqpPublisher {
    /// `RabbitMQ` 4 ends the channel on a larger message by default.
    pub const LARGEST: u64 = 16 << 20;

    /// Publishes to an exchange with a routing key, as the registration says.
    pub fn new(broker: Arc<Broker>, exchange: impl Into<String>, routing_key: impl Into<String>) -> Self {
        Self {
            broker,
            exchange: exchange.into(),
            routing_key: routing_key.into(),
            patience: Duration::from_mins(10),
            largest: Self::LARGEST,
            link: Mutex::new(None),
        }
    }

    /// How long a call goes on trying before it fails. The default is ten minutes.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The largest message that is published, in bytes; the default is [`AmqpPublisher::LARGEST`].
    #[must_use]
    pub fn largest(mut self, largest: u64) -> Self {
        self.largest = largest;
        self
    }

    /// Closes the connection.
    pub async fn close(&self) {
        if let Some(link) = self.link.lock().await.take() {
            link.close().await;
        }
    }

    /// The standing connection, or a new one.
    async fn link(&self) -> Result<Arc<Link>, Error> {
        let mut standing = self.link.lock().await;
        if let Some(link) = standing.as_ref().filter(|link| link.stands()) {
            return Ok(link.clone());
        }
        *standing = None;
        let link = Link::open(&self.broker, "publisher").await?;
        self.broker.within(link.channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let link = Arc::new(link);
        *standing = Some(link.clone());
        self.broker.notices.give(&Notice::Connected { to: "broker (publisher)" });
        Ok(link)
    }

    /// Gives up a connection on which something went wrong, unless somebody else did that already.
    async fn give_up(&self, link: &Arc<Link>) {
        let mut standing = self.link.lock().await;
        if standing.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            *standing = None;
            drop(standing);
            link.close().await;
        }
    }

    /// Publishes in order and takes off what was confirmed. After an error the rest, and nothing else, is unconfirmed.
    async fn publish_once(&self, link: &Link, bodies: &mut VecDeque<Vec<u8>>) -> Result<(), Error> {
        while !bodies.is_empty() {
            let window = bodies.len().min(WINDOW);
            let mut confirms = Vec::with_capacity(window);
            let mut failed = None;
            for body in bodies.iter().take(window) {
                let publish = link.channel.basic_publish(
                    self.exchange.as_str().into(),
                    self.routing_key.as_str().into(),
                    BasicPublishOptions { mandatory: true, immediate: false },
                    body,
                    BasicProperties::default().with_delivery_mode(2).with_content_encoding("utf-8".into()),
                );
                match self.broker.within(publish).await {
                    Ok(confirm) => confirms.push(confirm),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            // One deadline for all: they were sent together.
            let deadline = Instant::now() + self.broker.confirm_timeout;
            let mut results = Vec::with_capacity(window);
            for confirm in confirms {
                let left = deadline.saturating_duration_since(Instant::now());
                results.push(match tokio::time::timeout(left, confirm).await {
                    Ok(Ok(Confirmation::Ack(None))) => Ok(()),
                    Ok(Ok(Confirmation::Ack(Some(_)))) => Err(ErrorKind::Unroutable {
                        exchange: self.exchange.clone(),
                        routing_key: self.routing_key.clone(),
                    }
                    .into()),
                    Ok(Ok(_)) => {
                        Err(ErrorKind::Broker { code: 311, message: "it did not take the message".to_owned() }.into())
                    }
                    Ok(Err(error)) => Err(self.broker.error(&error)),
                    Err(_) => {
                        Err(ErrorKind::Timeout { peer: self.broker.peer(), after: self.broker.confirm_timeout }.into())
                    }
                });
            }
            let mut rest = VecDeque::new();
            for result in results {
                let Some(body) = bodies.pop_front() else { break };
                if let Err(error) = result {
                    failed.get_or_insert(error);
                    rest.push_back(body);
                }
            }
            while let Some(body) = rest.pop_back() {
                bodies.push_front(body);
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Publisher for AmqpPublisher {
    async fn publish(&self, bodies: Vec<Vec<u8>>) -> Result<(), Error> {
        if bodies.iter().any(|body| body.len() as u64 > self.largest) {
            let what = "a message for the broker".to_owned();
            return Err(ErrorKind::TooLarge { what, limit: self.largest }.into());
        }
        let mut bodies = VecDeque::from(bodies);
        let started = Instant::now();
        let mut tries = 0;
        let mut is_told = false;
        loop {
            tries += 1;
            let error = match self.link().await {
                Err(error) => error,
                Ok(link) => match self.publish_once(&link, &mut bodies).await {
                    Ok(()) => {
                        // On the connection that was good all the time, nobody else tells.
                        if is_told {
                            self.broker.notices.give(&Notice::Connected { to: "broker (publisher)" });
                        }
                        return Ok(());
                    }
                    Err(error) => {
                        // A message that was returned or not taken leaves the connection as good as it was.
                        let sound =
                            matches!(error.kind(), ErrorKind::Unroutable { .. } | ErrorKind::Broker { code: 311, .. });
                        if !sound {
                            self.give_up(&link).await;
                        }
                        self.broker.notices.give(&Notice::SendingAgain { messages: bodies.len() });
                        error
                    }
                },
            };
            let error = error.after(tries, started.elapsed());
            let pause = self.broker.backoff.pause(tries, None, chance());
            if started.elapsed() + pause > self.patience || judge(&error) == Retry::Never {
                return Err(error);
            }
            self.broker.notices.give(&Notice::Disconnected {
                from: "broker (publisher)",
                error: &error,
                again_in: pause,
            });
            is_told = true;
            tokio::time::sleep(pause).await;
        }
    }
}
