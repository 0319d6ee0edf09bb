//! The platform's side of the broker: queues, messages to connectors, and a worker that imports what arrives.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::Stream as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, ExchangeKind};
use tokio::task::JoinHandle;

use super::Shared;
use crate::amqp::{Broker as Reached, Link};
use crate::{BrokerAddress, Error};

const LISTEN: &str = "amqp.connector.exchange";
const PUSH: &str = "amqp.worker.exchange";

/// The platform's side of the broker.
#[derive(Debug)]
pub(crate) struct BrokerSide {
    pub(super) address: BrokerAddress,
    reached: Arc<Reached>,
    workers: Mutex<HashMap<String, JoinHandle<()>>>,
}

impl BrokerSide {
    pub(super) fn new(address: BrokerAddress) -> Self {
        let mut reached = Reached::new(address.clone());
        "stand-in".clone_into(&mut reached.name);
        Self { address, reached: Arc::new(reached), workers: Mutex::default() }
    }

    /// Declares the exchanges and the queues of a connector, and starts a worker for it.
    pub(super) async fn declare(&self, shared: &Arc<Shared>, connector: &str) -> Result<(), Error> {
        let link = Link::open(&self.reached, "declare").await?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        for (exchange, kind) in [(LISTEN, "listen"), (PUSH, "push")] {
            let declared =
                link.channel.exchange_declare(exchange.into(), ExchangeKind::Direct, durable, FieldTable::default());
            self.reached.within(declared).await?;
            let queue = format!("{kind}_{connector}");
            let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            let mut arguments = FieldTable::default();
            // As in the platform, so that who declares it otherwise is refused. It vanishes when nobody uses it.
            arguments.insert("name".into(), AMQPValue::LongString(LongString::from("stand-in")));
            arguments.insert("x-expires".into(), AMQPValue::LongInt(600_000));
            let declared = link.channel.queue_declare(queue.as_str().into(), options, arguments);
            self.reached.within(declared).await?;
            let routing = format!("{kind}_routing_{connector}");
            let bound = link.channel.queue_bind(
                queue.as_str().into(),
                exchange.into(),
                routing.as_str().into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            self.reached.within(bound).await?;
        }
        link.close().await;
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.entry(connector.to_owned()).or_insert_with(|| {
            tokio::spawn(work(self.reached.clone(), Arc::downgrade(shared), format!("push_{connector}")))
        });
        Ok(())
    }

    /// Puts a message into the queue of a connector.
    pub(super) async fn publish(&self, connector: &str, body: &[u8]) -> Result<(), Error> {
        let link = Link::open(&self.reached, "platform").await?;
        self.reached.within(link.channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let routing = format!("listen_routing_{connector}");
        let published = link.channel.basic_publish(
            LISTEN.into(),
            routing.as_str().into(),
            BasicPublishOptions { mandatory: true, immediate: false },
            body,
            BasicProperties::default().with_delivery_mode(2),
        );
        let confirm = self.reached.within(published).await?;
        self.reached.within(confirm).await?;
        link.close().await;
        Ok(())
    }
}

impl Drop for BrokerSide {
    fn drop(&mut self) {
        for worker in self.workers.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            worker.abort();
        }
    }
}

/// Imports what arrives, and goes on when the connection breaks.
async fn work(reached: Arc<Reached>, shared: std::sync::Weak<Shared>, queue: String) {
    loop {
        let _ = work_once(&reached, &shared, &queue).await;
        if shared.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn work_once(reached: &Reached, shared: &std::sync::Weak<Shared>, queue: &str) -> Result<(), Error> {
    let link = Link::open(reached, "worker").await?;
    reached.within(link.channel.basic_qos(100, BasicQosOptions::default())).await?;
    let consume =
        link.channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = reached.within(consume).await?;
    while let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut consumer).poll_next(context)).await {
        let Some(shared) = shared.upgrade() else { return Ok(()) };
        {
            let mut state = shared.state();
            if message.properties.delivery_mode() != &Some(2) {
                state.refuse("a message is not persistent");
            }
            if message.properties.content_encoding().as_ref().map(lapin::types::ShortString::as_str) != Some("utf-8") {
                state.refuse("a message does not say that it is UTF-8");
            }
            let _ = state.import_message(&message.data);
        }
        let _ = message.acker.ack(BasicAckOptions::default()).await;
    }
    Ok(())
}
