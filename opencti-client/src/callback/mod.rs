//! Messages that the platform delivers by HTTP.
//!
//! A worker of the platform posts each message to the connector, so that the connector needs no way to the broker. The
//! answer is given once the message is settled: 200 when it was accepted, so that a message whose process dies comes
//! again, and 503 when it was given back. What takes longer than the worker waits is answered with 202 in time and
//! belongs to this process from then on.

mod token;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use token::CallbackKeys;

use crate::serve::{Answer, json, serve, typed};
use crate::tls::TlsIdentity;
use crate::{Delivery, Error, Message, MessageSource, Secret, Settle};

/// How messages are received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallbackConfig {
    /// Where to listen.
    pub address: SocketAddr,
    /// The path of the address that was registered.
    pub path: String,
    /// The certificate, where TLS is spoken.
    pub tls: Option<TlsIdentity>,
    /// The connector's own token, by which platforms before 7.260224 are known.
    pub token: Secret,
    /// After which time 202 is answered. The platform's worker waits for 300 seconds.
    pub limit: Duration,
    /// How many messages wait before the platform is asked to come back later.
    pub waiting: usize,
    /// The largest message, in bytes.
    pub largest: usize,
}

impl CallbackConfig {
    /// Where a connector listens by default.
    pub const DEFAULT_PORT: u16 = 7_070;
    /// The path to which messages are posted by default.
    pub const DEFAULT_PATH: &str = "/api/callback";

    /// Listens on all interfaces, at the default port and path.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            address: SocketAddr::from(([0, 0, 0, 0], Self::DEFAULT_PORT)),
            path: Self::DEFAULT_PATH.to_owned(),
            tls: None,
            token: token.into(),
            limit: Duration::from_mins(4),
            waiting: 64,
            largest: 64 << 20,
        }
    }
}

/// An HTTP listener as a source of messages.
#[derive(Debug)]
pub struct CallbackSource {
    address: SocketAddr,
    keys: Arc<CallbackKeys>,
    shared: Arc<Shared>,
    messages: mpsc::Receiver<Delivery>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    config: CallbackConfig,
    keys: Arc<CallbackKeys>,
    messages: mpsc::Sender<Delivery>,
    known: Mutex<Known>,
    stopped: watch::Sender<bool>,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    GivenBack,
}

/// Messages that are being worked on, and the last ones that were accepted: the platform delivers again what it got no
/// answer for.
#[derive(Debug, Default)]
struct Known {
    running: HashMap<String, watch::Receiver<Option<Outcome>>>,
    accepted: VecDeque<String>,
}

/// How many accepted messages are remembered.
const REMEMBERED: usize = 1_024;

impl CallbackSource {
    /// Listens. The keys are those of the registration; see [`CallbackKeys`].
    pub async fn bind(config: CallbackConfig, keys: Arc<CallbackKeys>) -> Result<Self, Error> {
        if !config.path.starts_with('/') {
            return Err(Error::config("the path for messages must start with `/`"));
        }
        let tls = config.tls.as_ref().map(TlsIdentity::server).transpose()?;
        let taken = |error: std::io::Error| Error::config(format!("no listener at {}: {error}", config.address));
        let listener = TcpListener::bind(config.address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let (sender, messages) = mpsc::channel(config.waiting.max(1));
        let shared = Arc::new(Shared {
            config,
            keys: keys.clone(),
            messages: sender,
            known: Mutex::default(),
            stopped: watch::Sender::new(false),
        });
        let handler = {
            let shared = shared.clone();
            move |request| answer(shared.clone(), request)
        };
        let server = tokio::spawn(serve(listener, tls, 256, handler));
        Ok(Self { address, keys, shared, messages, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The keys by which the platform is known.
    pub fn keys(&self) -> &Arc<CallbackKeys> {
        &self.keys
    }
}

#[async_trait]
impl MessageSource for CallbackSource {
    async fn next(&mut self) -> Result<Option<Delivery>, Error> {
        let mut stopped = self.shared.stopped.subscribe();
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => Ok(None),
            delivery = self.messages.recv() => Ok(delivery),
        }
    }

    async fn stop(&mut self) {
        self.shared.stopped.send_replace(true);
        self.messages.close();
        // What nobody took yet is given back by being dropped.
        while self.messages.try_recv().is_ok() {}
    }
}

impl Drop for CallbackSource {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn said(status: u16, message: &str) -> Response<Answer> {
    json(status, serde_json::json!({ "message": message }).to_string())
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Answer> {
    let path = request.uri().path();
    if request.method() == Method::GET && path == "/health" {
        return json(200, r#"{"status":"ok"}"#.to_owned());
    }
    if path != shared.config.path {
        return typed(404, "text/plain", "not found".to_owned());
    }
    if request.method() != Method::POST {
        return typed(405, "text/plain", "method not allowed".to_owned());
    }
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if let Err(why) = shared.keys.check(bearer, &shared.config.token) {
        return said(401, why);
    }
    if *shared.stopped.borrow() {
        return said(503, "the connector is stopping");
    }
    let body = match Limited::new(request.into_body(), shared.config.largest).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return said(400, "the message is too large, or was cut"),
    };
    // What cannot be read would come again for ever if it was refused: it is left to who reports it as failed.
    let key = Message::parse(&body).ok().and_then(|message| key_of(&message));
    let mut outcome = match deliver(&shared, &body, key) {
        Ok(outcome) => outcome,
        Err(Refusal(status, why)) => return said(status, why),
    };
    let _ = tokio::time::timeout(shared.config.limit, outcome.wait_for(Option::is_some)).await;
    // Under the lock, so that a message is given back either to the platform or to ourselves.
    let _known = shared.known();
    let settled = *outcome.borrow();
    drop(outcome);
    match settled {
        Some(Outcome::Accepted) => said(200, "done"),
        Some(Outcome::GivenBack) => said(503, "the message was given back"),
        None => said(202, "the message is being worked on"),
    }
}

/// A status and why a message is not handed over.
struct Refusal(u16, &'static str);

/// Hands a message over, or joins the one that is being worked on already.
fn deliver(
    shared: &Arc<Shared>,
    body: &[u8],
    key: Option<String>,
) -> Result<watch::Receiver<Option<Outcome>>, Refusal> {
    let mut known = shared.known();
    if let Some(key) = &key {
        if known.accepted.contains(key) {
            return Err(Refusal(200, "done before"));
        }
        if let Some(running) = known.running.get(key) {
            return Ok(running.clone());
        }
    }
    // A place first: a delivery that is refused would be given back by being dropped, under the lock that is held here.
    let place = shared.messages.try_reserve().map_err(|_| Refusal(503, "too many messages wait"))?;
    let (sender, receiver) = watch::channel(None);
    let settle = CallbackSettle {
        outcome: Some(sender),
        key: key.clone(),
        shared: shared.clone(),
        body: body.to_vec().into(),
        earlier: 0,
    };
    // An earlier process may have had it: nobody tells.
    place.send(Delivery::new(body, Box::new(settle)).redelivered(true, None));
    if let Some(key) = key {
        known.running.insert(key, receiver.clone());
    }
    Ok(receiver)
}

/// What a message is known by: its work, or its step of a playbook run.
fn key_of(message: &Message) -> Option<String> {
    if let Some(step) = message.playbook() {
        return Some(format!(
            "{}/{}/{}",
            step.execution_id,
            step.step_id,
            step.event_id.as_deref().unwrap_or_default()
        ));
    }
    message.work_id().map(str::to_owned)
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn settled(&mut self, key: Option<&String>, outcome: Outcome) {
        let Some(key) = key else { return };
        self.running.remove(key);
        if outcome == Outcome::Accepted {
            self.accepted.push_back(key.clone());
            if self.accepted.len() > REMEMBERED {
                self.accepted.pop_front();
            }
        }
    }
}

/// Settles a message by the answer to its request.
struct CallbackSettle {
    /// Until it is settled.
    outcome: Option<watch::Sender<Option<Outcome>>>,
    key: Option<String>,
    shared: Arc<Shared>,
    body: Arc<[u8]>,
    /// How often it was given back to ourselves.
    earlier: u64,
}

impl CallbackSettle {
    fn settle(&mut self, outcome: Outcome) {
        let Some(sender) = self.outcome.take() else { return };
        let mut known = self.shared.known();
        // One receiver belongs to the list of those that are being worked on.
        let awaited = sender.receiver_count() > usize::from(self.key.is_some());
        // Without somebody who takes messages there is nowhere to give it to.
        let runtime = tokio::runtime::Handle::try_current().ok().filter(|_| !self.shared.messages.is_closed());
        let Some(runtime) = runtime.filter(|_| outcome == Outcome::GivenBack && !awaited) else {
            known.settled(self.key.as_ref(), outcome);
            sender.send_replace(Some(outcome));
            return;
        };
        drop(known);
        // The platform was told that the message is ours, so it comes again from here.
        let again = Self {
            outcome: Some(sender),
            key: self.key.clone(),
            shared: self.shared.clone(),
            body: self.body.clone(),
            earlier: self.earlier + 1,
        };
        let delivery = Delivery::new(&self.body, Box::new(again)).redelivered(true, Some(self.earlier + 1));
        let messages = self.shared.messages.clone();
        // There may be no place for it at the moment. A refused one is dropped, and ends above.
        runtime.spawn(async move { messages.send(delivery).await.is_ok() });
    }
}

#[async_trait]
impl Settle for CallbackSettle {
    async fn accept(mut self: Box<Self>) -> Result<(), Error> {
        self.settle(Outcome::Accepted);
        Ok(())
    }

    async fn give_back(mut self: Box<Self>) -> Result<(), Error> {
        self.settle(Outcome::GivenBack);
        Ok(())
    }
}

impl Drop for CallbackSettle {
    fn drop(&mut self) {
        self.settle(Outcome::GivenBack);
    }
}
