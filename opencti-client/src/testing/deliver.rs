//! Messages to the connector.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::StandIn;
use crate::PlatformVersion;

/// A message to the connector, to be delivered or looked at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Enrich {
    /// The user who asked.
    pub applicant: Option<String>,
    /// The draft.
    pub draft: Option<String>,
    /// Whether it is a playbook run: no work, and a bundle to be answered.
    pub playbook: bool,
}

impl Enrich {
    /// An automatic run.
    pub fn auto() -> Self {
        Self { applicant: None, draft: None, playbook: false }
    }

    /// A run in a draft.
    pub fn in_draft(draft: &str) -> Self {
        Self { draft: Some(draft.to_owned()), ..Self::auto() }
    }

    /// A playbook run.
    pub fn playbook() -> Self {
        Self { playbook: true, ..Self::auto() }
    }

    /// A run on behalf of a user.
    #[must_use]
    pub fn by(mut self, applicant: &str) -> Self {
        self.applicant = Some(applicant.to_owned());
        self
    }
}

/// The key with which delivered messages are signed.
static KEY: LazyLock<Option<Arc<Ed25519KeyPair>>> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).ok().map(Arc::new));

/// The key set that a registration returns.
pub(crate) fn key_set() -> String {
    let Some(key) = KEY.as_ref() else { return String::new() };
    let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "stand-in", "alg": "EdDSA", "use": "sig", "x": x }] })
        .to_string()
}

impl StandIn {
    /// A token with which the platform delivers messages, with claims of the test's choice.
    pub fn delivery_token(header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = KEY.as_ref().map(|key| URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())));
        format!("{signed}.{}", signature.unwrap_or_default())
    }

    /// The token with which the platform delivers messages.
    pub fn valid_delivery_token(&self) -> String {
        if self.shared.version < PlatformVersion::new(7, 260_224, 0) {
            return Self::TOKEN.to_owned();
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let claims = json!({ "iss": "opencti", "sub": "connector", "iat": now, "exp": now + 3_600 });
        Self::delivery_token(&json!({ "alg": "EdDSA", "typ": "JWT", "kid": "stand-in" }), &claims)
    }

    /// Makes the message that a connector gets for an object, and opens the work for it. Returns the body and the work.
    ///
    /// # Panics
    ///
    /// When the connector is not registered, or the object does not exist: that is a mistake in the test.
    #[track_caller]
    pub fn message(&self, connector: &str, object: &str, enrich: &Enrich) -> (Vec<u8>, Option<String>) {
        let version = self.shared.version;
        let mut state = self.shared.state();
        assert!(state.connectors.contains_key(connector), "{connector} is not registered");
        let stored = state.store.get(object).expect("an object of the platform").clone();
        let number = state.number();
        let mut internal = json!({ "work_id": null, "applicant_id": enrich.applicant });
        let mut event = json!({ "entity_id": stored.standard_id });
        if version >= PlatformVersion::new(6, 4, 0) {
            internal["draft_id"] = json!(enrich.draft);
        }
        if version >= PlatformVersion::new(6, 8, 9) {
            internal["trigger"] = "create".into();
            internal["mode"] = if enrich.applicant.is_some() { "manual" } else { "auto" }.into();
        }
        let mut work = None;
        if enrich.playbook {
            internal["playbook"] = json!({
                "event_id": format!("{number}-0"), "execution_id": format!("execution-{number}"), "playbook_id": "playbook",
                "data_instance_id": stored.standard_id, "step_id": format!("step-{number}"), "previous_step_id": "before",
            });
            event["bundle"] = json!({
                "id": "bundle--6c6f9a0e-50a4-4f7a-9a37-0f6b1b7e7f11", "spec_version": "2.1", "type": "bundle",
                "objects": [stored.stix],
            });
            if version >= PlatformVersion::new(7, 0, 0) {
                event["entity_type"] = stored.entity_type.clone().into();
            }
        } else {
            event["event_type"] = "INTERNAL_ENRICHMENT".into();
            event["entity_type"] = stored.entity_type.clone().into();
            if version >= PlatformVersion::new(6, 8, 9) {
                event["stix_entity"] = stored.stix.to_string().into();
                event["stix_objects"] = Value::Null;
            }
            let id = state.open_work(connector, "wait");
            internal["work_id"] = id.clone().into();
            work = Some(id);
        }
        (json!({ "internal": internal, "event": event }).to_string().into_bytes(), work)
    }

    /// Has an object enriched by a connector: through the broker if there is one, else by posting the message to the
    /// address that the connector registered. Returns the work.
    ///
    /// # Panics
    ///
    /// As [`StandIn::message`], and when the message cannot be delivered.
    pub async fn enrich(&self, connector: &str, object: &str, enrich: &Enrich) -> Option<String> {
        let (body, work) = self.message(connector, object, enrich);
        #[cfg(feature = "amqp")]
        if let Some(broker) = &self.shared.broker {
            broker.publish(connector, &body).await.expect("the message goes to the broker");
            return work;
        }
        let status = self.post(connector, body).await;
        assert!(matches!(status, 200 | 202), "the connector answers with {status}");
        work
    }

    /// Posts a message to the address that a connector registered. Returns the status of the answer.
    ///
    /// # Panics
    ///
    /// When the connector registered no address, or is not there.
    pub async fn post(&self, connector: &str, body: Vec<u8>) -> u16 {
        let uri = {
            let state = self.shared.state();
            let connector = state.connectors.get(connector).expect("a registered connector");
            connector.input["listen_callback_uri"].as_str().expect("a registered address").to_owned()
        };
        post(&uri, Some(&self.valid_delivery_token()), body).await
    }
}

/// Posts JSON to a plain HTTP address. Returns the status.
///
/// # Panics
///
/// When nobody answers there.
async fn post(uri: &str, token: Option<&str>, body: Vec<u8>) -> u16 {
    let uri: hyper::Uri = uri.parse().expect("an address");
    let authority = uri.authority().expect("a host").clone();
    let stream = TcpStream::connect(authority.as_str()).await.expect("somebody listens there");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("somebody speaks HTTP there");
    let connection = tokio::spawn(connection);
    let mut request =
        Request::post(uri.path()).header("host", authority.as_str()).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Full::new(bytes::Bytes::from(body))).expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    let status = response.status().as_u16();
    let _ = response.into_body().collect().await;
    connection.abort();
    status
}
