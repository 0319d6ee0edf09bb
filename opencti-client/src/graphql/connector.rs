//! Registration and life sign.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Platform;
use crate::documents::{
    ACCOUNT, PING, PING_PLAIN, PLAYBOOK_ANSWER, PUSH, PUSH_PLAIN, QUEUE, REGISTER, REGISTER_WITH_KEYS,
};
use crate::{
    Account, ConnectorApi, ConnectorInfo, ConnectorState, Context, Error, ErrorKind, Feature, Notice, PlatformVersion,
    PlaybookApi, PlaybookReply, PushApi, QueueConfig, QueueDetails, Registered, Registration,
};

#[derive(Deserialize)]
struct Registering {
    #[serde(rename = "registerConnector")]
    connector: Option<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    connector_state: Option<String>,
    #[serde(default)]
    connector_user_id: Option<String>,
    #[serde(default)]
    jwks: Option<String>,
    config: Option<QueueConfig>,
}

impl Record {
    fn registered(self, platform: &Platform) -> Result<Registered, Error> {
        let queues = self.config.ok_or_else(|| platform.nothing("the queues of the connector"))?;
        Ok(Registered {
            id: self.id,
            state: ConnectorState::from_wire(self.connector_state.as_deref()),
            user_id: self.connector_user_id.filter(|user| !user.is_empty()),
            queues,
            jwks: self.jwks.filter(|keys| !keys.is_empty()),
        })
    }
}

impl Platform {
    pub(super) fn nothing(&self, what: &str) -> Error {
        self.inner.http.unexpected(format!("{what} are missing"), "")
    }
}

#[async_trait]
impl ConnectorApi for Platform {
    fn version(&self) -> PlatformVersion {
        self.platform_version()
    }

    async fn account(&self) -> Result<Account, Error> {
        #[derive(Deserialize)]
        struct Data {
            me: Me,
        }
        #[derive(Deserialize)]
        struct Me {
            id: String,
            name: String,
            capabilities: Vec<Named>,
            #[serde(default)]
            effective_confidence_level: Option<Level>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        #[derive(Deserialize)]
        struct Level {
            max_confidence: i64,
        }
        let Data { me } = self.call(&ACCOUNT, json!({}), &Context::new()).await?;
        Ok(Account {
            id: me.id,
            name: me.name,
            capabilities: me.capabilities.into_iter().map(|capability| capability.name).collect(),
            max_confidence: me.effective_confidence_level.map(|level| level.max_confidence),
        })
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, Error> {
        registration.check(self.platform_version())?;
        let request = |version: PlatformVersion| {
            let keys = version.has(Feature::CallbackKeys) && registration.listen_callback_uri.is_some();
            let document = if keys { &REGISTER_WITH_KEYS } else { &REGISTER };
            (document, json!({ "input": registration.input(version) }))
        };
        let answer = match self.call_by_version::<Registering>(request).await {
            Err(error) if falls_back(&error) && registration.listen_callback_uri.is_none() => {
                let notice = Notice::FellBack { operation: REGISTER.name, error: &error };
                self.inner.http.config().notices.give(&notice);
                let input = json!({ "input": registration.base_input() });
                // What the platform said to the full input tells more than what it says to the base one.
                self.call(&REGISTER, input, &Context::new()).await.map_err(|_| error)?
            }
            other => other?,
        };
        answer.connector.ok_or_else(|| self.nothing("the data of the connector"))?.registered(self)
    }

    async fn ping(&self, id: &str, state: &ConnectorState, info: &ConnectorInfo) -> Result<ConnectorState, Error> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "pingConnector")]
            connector: Option<Pinged>,
        }
        #[derive(Deserialize)]
        struct Pinged {
            #[serde(default)]
            connector_state: Option<String>,
        }
        let request = |version: PlatformVersion| {
            let mut variables = json!({ "id": id, "state": state.to_wire() });
            if version.has(Feature::ConnectorInfo) {
                variables["info"] = info.input();
                (&PING, variables)
            } else {
                (&PING_PLAIN, variables)
            }
        };
        let answer: Data = self.call_by_version(request).await?;
        let pinged = answer
            .connector
            .ok_or_else(|| Error::new(ErrorKind::UnknownConnector("it does not answer the life sign".to_owned())))?;
        Ok(ConnectorState::from_wire(pinged.connector_state.as_deref()))
    }

    async fn queue(&self, id: &str) -> Result<QueueDetails, Error> {
        #[derive(Deserialize)]
        struct Data {
            connector: Option<Connector>,
        }
        #[derive(Deserialize)]
        struct Connector {
            connector_queue_details: Details,
        }
        #[derive(Deserialize)]
        struct Details {
            messages_number: f64,
            messages_size: f64,
        }
        let answer: Data = self.call(&QUEUE, json!({ "id": id }), &Context::new()).await?;
        let details = answer
            .connector
            .ok_or_else(|| Error::new(ErrorKind::UnknownConnector("it has no queue".to_owned())))?
            .connector_queue_details;
        Ok(QueueDetails { messages: details.messages_number, bytes: details.messages_size })
    }
}

/// Whether the platform did not understand the input, rather than refusing what it says.
fn falls_back(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Schema { .. } => true,
        ErrorKind::Rejected { code, .. } => code == "BAD_USER_INPUT",
        _ => false,
    }
}

#[async_trait]
impl PlaybookApi for Platform {
    async fn answer(&self, reply: &PlaybookReply) -> Result<(), Error> {
        let step = &reply.step;
        let variables = json!({
            "execution": step.execution_id,
            "event": step.event_id.as_deref().unwrap_or_default(),
            "started": reply.started,
            "instance": step.data_instance_id,
            "playbook": step.playbook_id,
            "previous": step.previous_step_id,
            "step": step.step_id,
            "before": reply.received,
            "after": reply.bundle,
        });
        self.call::<Value>(&PLAYBOOK_ANSWER, variables, &Context::new()).await.map(|_| ())
    }
}

#[async_trait]
impl PushApi for Platform {
    async fn push(&self, connector: &str, bundle: &str, work: Option<&str>) -> Result<(), Error> {
        let request = |version: PlatformVersion| {
            let mut variables = json!({ "connector": connector, "bundle": bundle });
            match work {
                Some(work) if version.has(Feature::PushWithWork) => {
                    variables["work"] = work.into();
                    (&PUSH, variables)
                }
                _ => (&PUSH_PLAIN, variables),
            }
        };
        self.call_by_version::<Value>(request).await.map(|_| ())
    }
}
