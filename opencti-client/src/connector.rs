//! Registration and life sign of a connector.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Error, Feature, PlatformVersion, Scope, Secret};

/// What kind of connector it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectorType {
    /// Gets entities to enrich.
    #[default]
    InternalEnrichment,
    /// Brings knowledge from outside.
    ExternalImport,
    /// Follows the live stream.
    Stream,
}

impl ConnectorType {
    /// The platform's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalEnrichment => "INTERNAL_ENRICHMENT",
            Self::ExternalImport => "EXTERNAL_IMPORT",
            Self::Stream => "STREAM",
        }
    }
}

/// What a connector says about itself when it registers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the platform's input")]
#[non_exhaustive]
pub struct Registration {
    /// The identifier that the operator chose, a UUID. It must not hold an underscore.
    pub id: String,
    /// The name shown in the platform: at least two characters.
    pub name: String,
    /// What kind of connector it is.
    pub connector_type: ConnectorType,
    /// The entity types that it is for.
    pub scope: Scope,
    /// Whether created entities come without being asked for.
    pub auto: bool,
    /// Whether updated entities come, too. Sent to platforms from 6.8.9 on.
    pub auto_update: bool,
    /// Whether it takes part in playbooks.
    pub playbook_compatible: bool,
    /// Whether imports need an entity as context.
    pub only_contextual: bool,
    /// What a message brings along: `none` or `stix_bundle`. Sent to platforms from 6.8.9 on.
    pub enrichment_resolution: Option<String>,
    /// Where messages are delivered by HTTP instead of the queue. Needs a platform from 6.5.7 on.
    pub listen_callback_uri: Option<String>,
}

impl Registration {
    /// An enrichment connector that takes part in playbooks and is not started by itself.
    pub fn new(id: impl Into<String>, name: impl Into<String>, scope: Scope) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            connector_type: ConnectorType::InternalEnrichment,
            scope,
            auto: false,
            auto_update: false,
            playbook_compatible: true,
            only_contextual: false,
            enrichment_resolution: Some("none".to_owned()),
            listen_callback_uri: None,
        }
    }

    /// Whether a platform of this version can take it.
    pub fn check(&self, version: PlatformVersion) -> Result<(), Error> {
        if self.id.is_empty() || self.id.contains('_') {
            return Err(Error::config("the connector's identifier must be a UUID, without an underscore"));
        }
        if self.name.trim().chars().count() < 2 {
            return Err(Error::config("the connector's name must have at least two characters"));
        }
        if self.listen_callback_uri.is_some() && !version.has(Feature::CallbackUri) {
            return Err(Error::config(format!(
                "OpenCTI {version} cannot deliver messages by HTTP; {} or later can",
                Feature::CallbackUri.since()
            )));
        }
        Ok(())
    }

    /// The smallest input, which every supported platform takes.
    pub fn base_input(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "type": self.connector_type.name(),
            "scope": self.scope.names(),
            "auto": self.auto,
            "only_contextual": self.only_contextual,
            "playbook_compatible": self.playbook_compatible,
        })
    }

    /// The input that suits a version. A member that a platform does not know is an error there, even when it is null.
    pub fn input(&self, version: PlatformVersion) -> Value {
        let mut input = match self.base_input() {
            Value::Object(input) => input,
            _ => Map::new(),
        };
        if let Some(uri) = &self.listen_callback_uri
            && version.has(Feature::CallbackUri)
        {
            input.insert("listen_callback_uri".to_owned(), uri.clone().into());
        }
        if version.has(Feature::AutoUpdate) {
            input.insert("auto_update".to_owned(), self.auto_update.into());
            if let Some(resolution) = &self.enrichment_resolution {
                input.insert("enrichment_resolution".to_owned(), resolution.clone().into());
            }
        }
        Value::Object(input)
    }
}

/// What the platform answers to a registration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// The connector's identifier.
    pub id: String,
    /// The state that the platform kept.
    pub state: ConnectorState,
    /// The user to whom the token belongs.
    pub user_id: Option<String>,
    /// Where messages come from and bundles go.
    pub queues: QueueConfig,
    /// The keys for tokens of delivered messages, a JSON Web Key Set. Since 7.260224.
    pub jwks: Option<String>,
}

/// Queues, exchanges and the broker. The names belong to the platform, may have a prefix and are never declared here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct QueueConfig {
    /// The broker.
    pub connection: BrokerAddress,
    /// The queue from which messages come.
    pub listen: String,
    /// Its routing key.
    pub listen_routing: String,
    /// Its exchange.
    pub listen_exchange: String,
    /// The queue to which bundles go.
    pub push: String,
    /// Its routing key.
    pub push_routing: String,
    /// Its exchange.
    pub push_exchange: String,
}

/// How the broker is reached, as the platform says; often a name that only the platform's own network knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BrokerAddress {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The virtual host.
    #[serde(default = "root")]
    pub vhost: String,
    /// Whether TLS is spoken.
    #[serde(default)]
    pub use_ssl: bool,
    /// The user.
    pub user: String,
    /// The password.
    pub pass: Secret,
}

fn root() -> String {
    "/".to_owned()
}

impl BrokerAddress {
    /// A broker on the virtual host `/`, without TLS.
    pub fn new(host: impl Into<String>, port: u16, user: impl Into<String>, pass: impl Into<Secret>) -> Self {
        Self { host: host.into(), port, vhost: root(), use_ssl: false, user: user.into(), pass: pass.into() }
    }

    /// Reads an `amqp://` or `amqps://` URL. The error does not repeat it, since it holds a password.
    #[cfg(any(feature = "amqp", feature = "graphql"))]
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let wrong = || Error::config("the broker's URL must look like `amqp://USER:PASSWORD@HOST:PORT/VHOST`");
        let url = url::Url::parse(url).map_err(|_| wrong())?;
        let use_ssl = match url.scheme() {
            "amqp" => false,
            "amqps" => true,
            _ => return Err(wrong()),
        };
        let text = |part: &str| percent_decoded(part).ok_or_else(wrong);
        let vhost = match url.path() {
            "" | "/" => root(),
            path => text(&path[1..])?,
        };
        let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
        Ok(Self {
            host: url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned(),
            port: url.port().unwrap_or(if use_ssl { 5_671 } else { 5_672 }),
            vhost,
            use_ssl,
            user: or(text(url.username())?, "guest"),
            pass: or(text(url.password().unwrap_or_default())?, "guest").into(),
        })
    }

    /// The address with the members that an operator set in place of the platform's (`MQ_HOST`, `MQ_PORT`, …).
    #[must_use]
    pub fn overridden(mut self, by: &BrokerOverrides) -> Self {
        let BrokerOverrides { host, port, vhost, use_ssl, user, pass } = by.clone();
        self.host = host.unwrap_or(self.host);
        self.port = port.unwrap_or(self.port);
        self.vhost = vhost.unwrap_or(self.vhost);
        self.use_ssl = use_ssl.unwrap_or(self.use_ssl);
        self.user = user.unwrap_or(self.user);
        self.pass = pass.unwrap_or(self.pass);
        self
    }
}

/// The text behind percent signs; `None` where that is no UTF-8.
#[cfg(any(feature = "amqp", feature = "graphql"))]
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |place: usize| after.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            bytes.push(u8::try_from(high * 16 + low).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Members of the broker's address that an operator set: each replaces what the platform says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the members that they replace")]
pub struct BrokerOverrides {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub vhost: Option<String>,
    pub use_ssl: Option<bool>,
    pub user: Option<String>,
    pub pass: Option<Secret>,
}

/// The state that a connector keeps in the platform: JSON in a string. "Reset state" in the platform empties it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorState(Option<String>);

impl ConnectorState {
    /// A state, as JSON text.
    pub fn new(json: impl Into<String>) -> Self {
        Self::from_wire(Some(&json.into()))
    }

    /// What the platform returns: null, an empty text and the text `null` all mean that there is none.
    pub fn from_wire(text: Option<&str>) -> Self {
        let text = text.map(str::trim).filter(|text| !text.is_empty() && *text != "null");
        Self(text.map(str::to_owned))
    }

    /// What the platform is sent: JSON in a string, `null` where there is no state.
    pub fn to_wire(&self) -> &str {
        self.0.as_deref().unwrap_or("null")
    }

    /// The JSON text, if there is a state.
    pub fn json(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// A member of the state that is a text.
    pub fn get(&self, name: &str) -> Option<String> {
        let state: Value = serde_json::from_str(self.0.as_deref()?).ok()?;
        state.get(name)?.as_str().map(str::to_owned)
    }
}

/// What the life sign tells about the connector. Sent to platforms from 6.2.12 on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectorInfo {
    /// Whether it ends after one run.
    pub run_and_terminate: bool,
    /// Whether sending is blocked now.
    pub buffering: bool,
    /// From how many megabytes in its own queue on it pauses.
    pub queue_threshold: f64,
    /// How many megabytes there are.
    pub queue_messages_size: f64,
    /// When it runs again, in RFC 3339.
    pub next_run_datetime: Option<String>,
    /// When it ran last, in RFC 3339.
    pub last_run_datetime: Option<String>,
}

impl Default for ConnectorInfo {
    fn default() -> Self {
        Self {
            run_and_terminate: false,
            buffering: false,
            queue_threshold: 500.0,
            queue_messages_size: 0.0,
            next_run_datetime: None,
            last_run_datetime: None,
        }
    }
}

impl ConnectorInfo {
    /// The platform's input.
    pub fn input(&self) -> Value {
        json!({
            "run_and_terminate": self.run_and_terminate,
            "buffering": self.buffering,
            "queue_threshold": self.queue_threshold,
            "queue_messages_size": self.queue_messages_size,
            "next_run_datetime": self.next_run_datetime,
            "last_run_datetime": self.last_run_datetime,
        })
    }
}

/// How full a connector's own queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueueDetails {
    /// How many messages wait.
    pub messages: f64,
    /// Their size in bytes.
    pub bytes: f64,
}

/// Who the token belongs to, and what that user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The user's identifier.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// The capabilities, for example `CONNECTORAPI`. `BYPASS` holds all others.
    pub capabilities: Vec<String>,
    /// The highest confidence that its objects can have.
    pub max_confidence: Option<i64>,
}

impl Account {
    /// Whether the user may do something. `KNOWLEDGE` is held by every `KNOWLEDGE_…`, as in the platform.
    pub fn may(&self, capability: &str) -> bool {
        let holds = |held: &String| {
            held == "BYPASS"
                || held == capability
                || held.strip_prefix(capability).is_some_and(|rest| rest.starts_with('_'))
        };
        self.capabilities.iter().any(holds)
    }
}

/// Registration and life sign.
#[async_trait]
pub trait ConnectorApi: Send + Sync {
    /// The platform's version.
    fn version(&self) -> PlatformVersion;

    /// Who the token belongs to.
    async fn account(&self) -> Result<Account, Error>;

    /// Registers the connector, or updates its record and keeps its state.
    async fn register(&self, registration: &Registration) -> Result<Registered, Error>;

    /// Gives a life sign and the state; returns the state that counts from now on. Fails with
    /// [`ErrorKind::UnknownConnector`](crate::ErrorKind::UnknownConnector) when the record was deleted.
    async fn ping(&self, id: &str, state: &ConnectorState, info: &ConnectorInfo) -> Result<ConnectorState, Error>;

    /// How full the connector's own queue is.
    async fn queue(&self, id: &str) -> Result<QueueDetails, Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 1: what is sent follows from the version.
    #[test]
    fn input_follows_the_version() {
        let mut registration = Registration::new("7c1d3b52", "Example", Scope::parse("IPv4-Addr,StixFile"));
        registration.listen_callback_uri = Some("http://127.0.0.1:7070/api/callback".to_owned());
        let names = |version: PlatformVersion| {
            let input = registration.input(version);
            input.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        let base = "auto id name only_contextual playbook_compatible scope type";
        assert_eq!(names(PlatformVersion::new(6, 2, 18)), base);
        let callback = "auto id listen_callback_uri name only_contextual playbook_compatible scope type";
        assert_eq!(names(PlatformVersion::new(6, 5, 7)), callback);
        let all = "auto auto_update enrichment_resolution id listen_callback_uri name only_contextual \
                   playbook_compatible scope type";
        assert_eq!(names(PlatformVersion::new(6, 8, 9)), all);
        assert!(registration.check(PlatformVersion::new(6, 5, 6)).is_err());
        registration.id = "a_b".to_owned();
        assert!(registration.check(PlatformVersion::new(6, 9, 0)).is_err());
    }

    /// Acceptance 3: the state is JSON in a string, and three spellings say that there is none.
    #[test]
    fn state_on_the_wire() {
        for none in [None, Some(""), Some("null"), Some(" \n")] {
            assert_eq!(ConnectorState::from_wire(none).to_wire(), "null");
        }
        let state = ConnectorState::new(r#"{"start_from":"5-0"}"#);
        assert_eq!(state.to_wire(), r#"{"start_from":"5-0"}"#);
        assert_eq!(state.get("start_from").as_deref(), Some("5-0"));
    }

    /// Acceptance 2: no password in what is shown.
    #[test]
    fn the_broker_password_is_not_shown() {
        let address = BrokerAddress::new("rabbitmq", 5_672, "opencti", "geheim");
        assert!(!format!("{address:?}").contains("geheim"));
        let overridden = address.overridden(&BrokerOverrides { port: Some(5_673), ..BrokerOverrides::default() });
        assert_eq!((overridden.port, &*overridden.host), (5_673, "rabbitmq"));
    }

    #[test]
    #[cfg(feature = "amqp")]
    fn broker_urls() {
        let address = BrokerAddress::from_url("amqps://me:p%40ss@broker.example/octi%2F1").unwrap();
        assert_eq!((&*address.vhost, address.port, address.pass.expose()), ("octi/1", 5_671, "p@ss"));
        assert_eq!(BrokerAddress::from_url("amqp://localhost").unwrap().vhost, "/");
        let error = BrokerAddress::from_url("http://me:geheim@x/").unwrap_err();
        assert!(!error.to_string().contains("geheim"));
    }

    #[test]
    fn capabilities_hold_their_parents() {
        let account = Account { capabilities: vec!["KNOWLEDGE_KNUPDATE".to_owned()], ..Account::default() };
        assert!(account.may("KNOWLEDGE") && account.may("KNOWLEDGE_KNUPDATE"));
        assert!(!account.may("CONNECTORAPI") && !account.may("KNOWLEDGE_KN"));
    }
}
