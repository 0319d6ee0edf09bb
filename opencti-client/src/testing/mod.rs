//! A strict stand-in of the platform, for tests.
//!
//! [`StandIn`] is an HTTP server on the loopback interface that refuses what the platform would refuse: documents that
//! do not fit the schema of its version, unknown inputs, missing credentials and headers, bundles that were not split,
//! references that do not resolve. What it refused is in [`StandIn::refusals`]; a test that expects none says so:
//!
//! ```no_run
//! # #[cfg(feature = "graphql")]
//! # async fn test() -> Result<(), opencti_client::Error> {
//! use opencti_client::graphql::{Platform, PlatformConfig};
//! use opencti_client::testing::StandIn;
//! use opencti_client::{Context, EntityReader};
//!
//! let stand_in = StandIn::start().await;
//! let id = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3").with("x_opencti_score", 60));
//! let platform = Platform::connect(PlatformConfig::new(&stand_in.url(), stand_in.token())?).await?;
//! let entity = platform.entity(&id.to_string(), &Context::new()).await?;
//! assert_eq!(entity.and_then(|entity| entity.score()), Some(60));
//! stand_in.assert_nothing_refused();
//! # Ok(())
//! # }
//! ```
//!
//! It keeps objects, works, connectors and their states, takes the part of the platform's workers (see
//! [`StandIn::import`]), delivers messages to the connector ([`StandIn::enrich`]) and serves a live stream
//! ([`StandIn::stream_event`]). [`StandIn::faults`] makes it slow, wrong or absent.

#[cfg(feature = "amqp")]
mod broker;
mod deliver;
mod execute;
mod faults;
mod filter;
mod import;
mod resolve;
mod server;
mod state;
mod stream;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use stix_model::{Identifier, Object};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use deliver::Enrich;
#[cfg(test)]
pub(crate) use deliver::key_set;
pub use faults::{Fault, Faults};
pub use state::{PlaybookAnswer, Recorded, StoredWork};
pub use stream::StreamConnection;

use crate::PlatformVersion;
use crate::tls::TlsIdentity;
use execute::Schema;
use state::State;

/// How a stand-in is to be.
#[derive(Debug)]
pub struct StandInBuilder {
    version: String,
    schema: Option<String>,
    tls: Option<TlsIdentity>,
    #[cfg(feature = "amqp")]
    broker: Option<String>,
    heartbeat: Duration,
    require_draft_header: bool,
}

/// A strict stand-in of the platform. It ends when it is dropped.
#[derive(Debug)]
pub struct StandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    server: Mutex<Option<JoinHandle<()>>>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// What the server and its owner share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    pub(crate) faults: Faults,
    pub(crate) schema: Schema,
    pub(crate) version: PlatformVersion,
    pub(crate) version_text: String,
    pub(crate) heartbeat: Duration,
    pub(crate) require_draft_header: bool,
    pub(crate) stream_changed: tokio::sync::Notify,
    #[cfg(feature = "amqp")]
    pub(crate) broker: Option<broker::BrokerSide>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandInBuilder {
    /// The version that it says it has; it decides which schema is used. The default is 7.260817.0.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// A schema in place of the kept excerpt, which holds only what this crate's documents use.
    #[must_use]
    pub fn schema(mut self, text: &str) -> Self {
        self.schema = Some(text.to_owned());
        self
    }

    /// Speaks TLS with this certificate.
    #[must_use]
    pub fn tls(mut self, identity: TlsIdentity) -> Self {
        self.tls = Some(identity);
        self
    }

    /// Uses a broker at an `amqp://` URL: queues are declared there at registration, messages go through them, and a
    /// worker imports what arrives.
    #[cfg(feature = "amqp")]
    #[must_use]
    pub fn broker(mut self, url: &str) -> Self {
        self.broker = Some(url.to_owned());
        self
    }

    /// How often the live stream has a heartbeat.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every;
        self
    }

    /// Takes requests without the draft header, as the platform does (with the draft that the user has open).
    #[must_use]
    pub fn lenient_about_drafts(mut self) -> Self {
        self.require_draft_header = false;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When there is no port, the schema is none, or the certificate cannot be used: a test cannot go on then.
    pub async fn start(self) -> StandIn {
        let version = PlatformVersion::parse(&self.version).expect("a version");
        let text = self.schema.unwrap_or_else(|| execute::excerpt(version).to_owned());
        let schema = Schema::parse(&text).expect("a valid schema");
        #[cfg(feature = "amqp")]
        let broker = self
            .broker
            .as_deref()
            .map(|url| broker::BrokerSide::new(crate::BrokerAddress::from_url(url).expect("a broker's URL")));
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new()),
            faults: Faults::default(),
            schema,
            version,
            version_text: self.version,
            heartbeat: self.heartbeat,
            require_draft_header: self.require_draft_header,
            stream_changed: tokio::sync::Notify::new(),
            #[cfg(feature = "amqp")]
            broker,
        });
        let tls = self.tls.map(|identity| identity.server().expect("a usable certificate"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let stand_in = StandIn {
            scheme: if tls.is_some() { "https" } else { "http" },
            server: Mutex::new(None),
            shared,
            address,
            tls,
        };
        stand_in.serve(listener);
        stand_in
    }
}

impl StandIn {
    /// The token that it takes.
    pub const TOKEN: &str = "d434ce02-e58e-4cac-8b4c-42bf16748e84";
    /// The user to whom the token belongs.
    pub const USER: &str = "0d9c6f6e-2f0e-4a52-8f8e-6f9d5b1f7c21";

    /// Starts one of the newest version that is known, without TLS.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// One with other properties.
    pub fn builder() -> StandInBuilder {
        StandInBuilder {
            version: "7.260817.0".to_owned(),
            schema: None,
            tls: None,
            #[cfg(feature = "amqp")]
            broker: None,
            heartbeat: Duration::from_secs(5),
            require_draft_header: true,
        }
    }

    fn serve(&self, listener: TcpListener) {
        let server = tokio::spawn(server::run(listener, self.tls.clone(), self.shared.clone()));
        let before = self.server.lock().unwrap_or_else(PoisonError::into_inner).replace(server);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.address.port())
    }

    /// The token that it takes.
    pub fn token(&self) -> &'static str {
        Self::TOKEN
    }

    /// Refuses connections, and cuts those that stand.
    pub async fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.abort();
            let _ = server.await;
        }
    }

    /// Takes connections again, at the same address.
    ///
    /// # Panics
    ///
    /// When somebody else took the port.
    pub async fn resume(&self) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a socket option");
        socket.bind(self.address).expect("the port from before");
        self.serve(socket.listen(128).expect("a listener"));
        tokio::task::yield_now().await;
    }

    /// Makes it slow, wrong or absent.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    // --- what it knows ------------------------------------------------------------------------------

    /// Puts an object into the platform. Returns its standard identifier.
    pub fn insert(&self, object: impl Into<Object>) -> Identifier {
        let object: Object = object.into();
        let id = object.id().clone();
        let json = serde_json::to_value(&object).unwrap_or_default();
        self.shared.state().store.insert(json, None);
        id
    }

    /// Puts an object into the platform that the model may not know.
    pub fn insert_json(&self, object: Value) {
        self.shared.state().store.insert(object, None);
    }

    /// Puts several objects into the platform.
    pub fn insert_all(&self, objects: impl IntoIterator<Item = Object>) {
        for object in objects {
            self.insert(object);
        }
    }

    /// Takes an object out of the platform.
    pub fn remove(&self, id: &Identifier) {
        self.shared.state().store.remove(&id.to_string());
    }

    /// Declares a draft. Requests in an undeclared one are refused.
    pub fn insert_draft(&self, id: &str) {
        self.shared.state().drafts.insert(id.to_owned());
    }

    /// The internal identifier of an object.
    pub fn internal_id(&self, id: &Identifier) -> Option<String> {
        self.shared.state().store.get(&id.to_string()).map(|stored| stored.internal_id.clone())
    }

    /// The object as it is now in the platform, in STIX.
    pub fn object(&self, id: &str) -> Option<Value> {
        self.shared.state().store.get(id).map(|stored| stored.stix.clone())
    }

    /// All objects of a STIX type.
    pub fn objects(&self, stix_type: &str) -> Vec<Value> {
        let state = self.shared.state();
        let of_type = state.store.iter().filter(|stored| stored.stix["type"] == stix_type);
        of_type.map(|stored| stored.stix.clone()).collect()
    }

    /// How many objects were imported, repetitions included.
    pub fn imported(&self) -> usize {
        self.shared.state().imported
    }

    // --- what was done ------------------------------------------------------------------------------

    /// The works, by identifier.
    pub fn works(&self) -> BTreeMap<String, StoredWork> {
        self.shared.state().works.clone()
    }

    /// A work.
    pub fn work(&self, id: &str) -> Option<StoredWork> {
        self.shared.state().works.get(id).cloned()
    }

    /// How often the end of a work was reported.
    pub fn ended_works(&self) -> usize {
        self.shared.state().ended
    }

    /// Deletes a work, as a user does who cancels it.
    pub fn cancel_work(&self, id: &str) {
        self.shared.state().works.remove(id);
    }

    /// The registered connectors: their input.
    pub fn connectors(&self) -> BTreeMap<String, Value> {
        let state = self.shared.state();
        state.connectors.iter().map(|(id, connector)| (id.clone(), connector.input.clone())).collect()
    }

    /// The state of a connector, as it was sent.
    pub fn connector_state(&self, id: &str) -> Option<String> {
        self.shared.state().connectors.get(id)?.state.clone()
    }

    /// How many life signs a connector gave.
    pub fn pings(&self, id: &str) -> usize {
        self.shared.state().connectors.get(id).map_or(0, |connector| connector.pings)
    }

    /// Resets the state of a connector, as a user does.
    pub fn reset_state(&self, id: &str) {
        if let Some(connector) = self.shared.state().connectors.get_mut(id) {
            connector.state = Some(String::new());
            connector.reset = true;
        }
    }

    /// Forgets a connector, as a user does who deletes it.
    pub fn forget_connector(&self, id: &str) {
        self.shared.state().connectors.remove(id);
    }

    /// The answers to playbook steps.
    pub fn playbook_answers(&self) -> Vec<PlaybookAnswer> {
        self.shared.state().playbook_answers.clone()
    }

    /// The requests that came, refused ones included.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().requests.clone()
    }

    /// How many requests came for an operation, by the name in its document.
    pub fn count(&self, operation: &str) -> usize {
        self.shared.state().requests.iter().filter(|request| request.operation == operation).count()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// What was refused, each with the reason.
    pub fn refusals(&self) -> Vec<String> {
        self.shared.state().refusals.clone()
    }

    /// Forgets what was refused so far, and returns it.
    pub fn take_refusals(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().refusals)
    }

    /// Nothing was refused so far.
    ///
    /// # Panics
    ///
    /// When something was.
    #[track_caller]
    pub fn assert_nothing_refused(&self) {
        let refusals = self.refusals();
        assert!(refusals.is_empty(), "the stand-in refused: {refusals:#?}");
    }

    /// Imports a message as the platform's workers do: strictly, and with a report to its work.
    pub fn import(&self, message: &[u8]) -> Result<(), String> {
        self.shared.state().import_message(message)
    }

    /// Puts a body of the test's choice into the queue of a connector.
    ///
    /// # Panics
    ///
    /// When there is no broker, or it cannot be reached.
    #[cfg(feature = "amqp")]
    pub async fn publish(&self, connector: &str, body: &[u8]) {
        let broker = self.shared.broker.as_ref().expect("a broker");
        broker.publish(connector, body).await.expect("the message goes to the broker");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some(server) = self.server.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            server.abort();
        }
    }
}
