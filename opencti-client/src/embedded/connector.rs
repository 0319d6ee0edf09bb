//! Registration, life sign and answers to playbooks in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    Account, BrokerAddress, ConnectorApi, ConnectorInfo, ConnectorState, Error, ErrorKind, PlatformVersion,
    PlaybookApi, PlaybookReply, QueueConfig, QueueDetails, Registered, Registration,
};

/// Takes part of the platform's record of connectors: who is registered, with which state. Clones are the same record.
///
/// The queues of a registration have names and no broker: messages come from a [`LocalQueue`](super::LocalQueue).
#[derive(Clone, Debug, Default)]
pub struct LocalConnector(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    states: BTreeMap<String, ConnectorState>,
    /// Whether the next life sign is answered with no state, whatever it says.
    reset: bool,
    answers: Vec<PlaybookReply>,
}

impl LocalConnector {
    /// The version as which it takes registrations.
    pub const VERSION: PlatformVersion = PlatformVersion::new(7, 260_817, 0);

    /// Nobody is registered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties the state of a connector, as "reset state" in the platform does.
    pub fn reset_state(&self, id: &str) {
        let mut record = self.record();
        record.states.entry(id.to_owned()).or_default();
        record.reset = true;
    }

    /// Deletes the record of a connector.
    pub fn forget(&self, id: &str) {
        self.record().states.remove(id);
    }

    /// The answers to playbook steps so far.
    pub fn answers(&self) -> Vec<PlaybookReply> {
        self.record().answers.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ConnectorApi for LocalConnector {
    fn version(&self) -> PlatformVersion {
        Self::VERSION
    }

    async fn account(&self) -> Result<Account, Error> {
        Ok(Account {
            id: "local".to_owned(),
            name: "local".to_owned(),
            capabilities: vec!["BYPASS".to_owned()],
            max_confidence: None,
        })
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, Error> {
        registration.check(Self::VERSION)?;
        let id = &registration.id;
        let state = self.record().states.entry(id.clone()).or_default().clone();
        let queues = QueueConfig {
            connection: BrokerAddress::new("localhost", 5_672, "", ""),
            listen: format!("listen_{id}"),
            listen_routing: format!("listen_routing_{id}"),
            listen_exchange: "amqp.connector.exchange".to_owned(),
            push: format!("push_{id}"),
            push_routing: format!("push_routing_{id}"),
            push_exchange: "amqp.worker.exchange".to_owned(),
        };
        Ok(Registered { id: id.clone(), state, user_id: Some("local".to_owned()), queues, jwks: None })
    }

    async fn ping(&self, id: &str, state: &ConnectorState, _info: &ConnectorInfo) -> Result<ConnectorState, Error> {
        let mut record = self.record();
        let reset = std::mem::take(&mut record.reset);
        let kept = record.states.get_mut(id);
        let kept = kept.ok_or_else(|| Error::new(ErrorKind::UnknownConnector(id.to_owned())))?;
        *kept = if reset { ConnectorState::default() } else { state.clone() };
        Ok(kept.clone())
    }

    async fn queue(&self, id: &str) -> Result<QueueDetails, Error> {
        let known = self.record().states.contains_key(id);
        let unknown = || ErrorKind::UnknownConnector(id.to_owned()).into();
        if known { Ok(QueueDetails::default()) } else { Err(unknown()) }
    }
}

#[async_trait]
impl PlaybookApi for LocalConnector {
    async fn answer(&self, reply: &PlaybookReply) -> Result<(), Error> {
        self.record().answers.push(reply.clone());
        Ok(())
    }
}
