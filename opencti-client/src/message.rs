//! Messages of the enrichment queue.
//!
//! They are read leniently: unknown members are kept, missing and null are the same, and every shape from 6.0 to 7.x is
//! understood.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use stix_model::{Identifier, Object, ObjectError};

use crate::bundle::RawBundle;
use crate::{Context, PlaybookStep, entity_type_of};

/// One message of the enrichment queue.
///
/// ```
/// use opencti_client::Message;
///
/// let message = Message::parse(
///     br#"{"internal":{"work_id":"work_1_2026-10-02T08:15:31.260Z","applicant_id":null},
///          "event":{"event_type":"INTERNAL_ENRICHMENT","entity_type":"IPv4-Addr",
///                   "entity_id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"}}"#,
/// )?;
/// assert_eq!(message.entity_type(), "IPv4-Addr");
/// assert!(message.playbook().is_none());
/// # Ok::<_, opencti_client::MessageError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Whose message it is.
    pub internal: Internal,
    /// What happened.
    pub event: Event,
    /// The configuration of an import connector.
    pub configuration: Option<Value>,
    /// Members that this client does not know.
    pub extra: Map<String, Value>,
}

/// Whose message it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct Internal {
    /// The work that the platform opened. None in playbooks.
    pub work_id: Option<String>,
    /// The user on whose behalf to act; without one it is the connector's own.
    pub applicant_id: Option<String>,
    /// The draft to read from and write to.
    pub draft_id: Option<String>,
    /// `create` or `update`. Since 6.8.9.
    pub trigger: Option<String>,
    /// `auto` or `manual`. Since 6.8.9.
    pub mode: Option<String>,
    /// The playbook run that waits for an answer.
    pub playbook: Option<PlaybookStep>,
    /// Members that this client does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// `INTERNAL_ENRICHMENT`; absent in playbooks.
    pub event_type: Option<String>,
    /// The standard identifier of the element.
    pub entity_id: String,
    /// The platform's name of its type. Playbooks give it from 7.x on.
    pub entity_type: Option<String>,
    /// The element in STIX, as text of JSON. Since 6.8.9.
    pub stix_entity: Option<String>,
    /// Further objects, as text of JSON. Since 6.8.9; null for nearly every type.
    pub stix_objects: Option<String>,
    /// The bundle of a playbook run.
    pub bundle: Option<Box<RawValue>>,
    /// Members that this client does not know.
    pub extra: Map<String, Value>,
}

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be read: {what}")]
pub struct MessageError {
    /// What is wrong.
    pub what: String,
    /// The work it belongs to, if that much could be read: it should be reported as failed.
    pub work_id: Option<String>,
}

impl Message {
    /// Reads the body of a message.
    pub fn parse(body: &[u8]) -> Result<Self, MessageError> {
        // Raw parts cannot be read from behind `flatten`, so the outer members are read by hand.
        #[derive(Deserialize)]
        struct Outer<'a> {
            #[serde(borrow, default)]
            internal: Option<&'a RawValue>,
            #[serde(borrow, default)]
            event: Option<&'a RawValue>,
            #[serde(default)]
            configuration: Option<Value>,
        }
        let wrong = |what: String, work_id: Option<String>| MessageError { what, work_id };
        let outer: Outer<'_> = serde_json::from_slice(body).map_err(|error| wrong(error.to_string(), None))?;
        let internal = match outer.internal {
            Some(raw) => or_default(&mut serde_json::Deserializer::from_str(raw.get()))
                .map_err(|error| wrong(format!("`internal`: {error}"), work_of(raw.get())))?,
            None => Internal::default(),
        };
        let event = outer.event.ok_or_else(|| wrong("`event` is missing".to_owned(), internal.work_id.clone()))?;
        let event =
            Event::read(event.get()).map_err(|error| wrong(format!("`event`: {error}"), internal.work_id.clone()))?;
        let mut extra: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        extra.retain(|name, _| !matches!(name.as_str(), "internal" | "event" | "configuration"));
        Ok(Self { internal, event, configuration: outer.configuration, extra })
    }

    /// The playbook run that waits for an answer, if it is one.
    pub fn playbook(&self) -> Option<&PlaybookStep> {
        self.internal.playbook.as_ref()
    }

    /// The work to report to. None in playbooks, whatever the message says.
    pub fn work_id(&self) -> Option<&str> {
        self.internal.work_id.as_deref().filter(|work| !work.is_empty() && self.internal.playbook.is_none())
    }

    /// In whose name and in which draft the work is to be done.
    pub fn context(&self) -> Context {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut context = Context::new();
        context.draft = some(&self.internal.draft_id);
        context.applicant = some(&self.internal.applicant_id);
        context
    }

    /// The platform's name of the element's type. Where the message does not give it, it is taken from the STIX object,
    /// or derived from the identifier.
    pub fn entity_type(&self) -> String {
        if let Some(name) = self.event.entity_type.as_ref().filter(|name| !name.is_empty()) {
            return name.clone();
        }
        if let Some(Ok(object)) = self.stix_entity()
            && let Some(name) = object.opencti().entity_type()
        {
            return name;
        }
        entity_type_of(self.event.entity_id.split("--").next().unwrap_or_default())
    }

    /// The element in STIX, as far as the message brings it: from the playbook's bundle, or `stix_entity`. Otherwise it
    /// must be read from the platform.
    pub fn stix_entity(&self) -> Option<Result<Object, ObjectError>> {
        if self.internal.playbook.is_some() {
            return self
                .playbook_objects()
                .into_iter()
                .flatten()
                .find(|object| object.as_ref().is_ok_and(|object| is(object, &self.event.entity_id)));
        }
        let text = self.event.stix_entity.as_deref().filter(|text| !text.is_empty())?;
        Some(Object::from_json(text))
    }

    /// The bundle of a playbook run, as it was received.
    pub fn playbook_bundle(&self) -> Option<&str> {
        self.internal.playbook.as_ref()?;
        Some(self.event.bundle.as_deref()?.get())
    }

    /// The objects of a playbook's bundle.
    pub fn playbook_objects(&self) -> Option<Vec<Result<Object, ObjectError>>> {
        let bundle = RawBundle::parse(self.playbook_bundle()?).ok()?;
        Some(bundle.objects.iter().map(|object| Object::from_json(object.get())).collect())
    }

    /// Whether the platform waits for an answer to this message by mutation.
    pub fn wants_reply(&self) -> bool {
        self.internal.playbook.is_some()
    }
}

impl Event {
    fn read(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Known<'a> {
            #[serde(default)]
            event_type: Option<String>,
            entity_id: String,
            #[serde(default)]
            entity_type: Option<String>,
            #[serde(default, deserialize_with = "text_or_json")]
            stix_entity: Option<String>,
            #[serde(default, deserialize_with = "text_or_json")]
            stix_objects: Option<String>,
            #[serde(borrow, default)]
            bundle: Option<&'a RawValue>,
        }
        let known: Known<'_> = serde_json::from_str(json)?;
        let mut extra: Map<String, Value> = serde_json::from_str(json)?;
        for name in ["event_type", "entity_id", "entity_type", "stix_entity", "stix_objects", "bundle"] {
            extra.remove(name);
        }
        Ok(Self {
            event_type: known.event_type,
            entity_id: known.entity_id,
            entity_type: known.entity_type,
            stix_entity: known.stix_entity,
            stix_objects: known.stix_objects,
            bundle: known.bundle.filter(|bundle| bundle.get() != "null").map(ToOwned::to_owned),
            extra,
        })
    }
}

/// Whether an object goes by an identifier: its own, a further one, or the platform's internal one.
pub(crate) fn is(object: &Object, id: &str) -> bool {
    let view = object.opencti();
    object.id().to_string() == id
        || view.internal_id().as_deref() == Some(id)
        || id.parse::<Identifier>().is_ok_and(|id| view.stix_ids().contains(&id))
}

fn work_of(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    value["work_id"].as_str().map(str::to_owned)
}

/// Null is the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text of JSON, or the JSON itself, should a platform send that.
fn text_or_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTITY: &str = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4";

    fn parse(internal: &str, event: &str) -> Message {
        Message::parse(format!(r#"{{"internal":{internal},"event":{event},"later":1}}"#).as_bytes()).unwrap()
    }

    /// Acceptance 5: all shapes, unknown members ignored (and kept).
    #[test]
    fn shapes_of_all_versions() {
        let first = parse(r#"{"work_id":"w"}"#, &format!(r#"{{"entity_id":"{ENTITY}"}}"#));
        assert_eq!((first.entity_type().as_str(), first.work_id()), ("IPv4-Addr", Some("w")));
        assert_eq!(first.extra["later"], 1);
        assert!(first.stix_entity().is_none());

        let drafts = parse(
            r#"{"work_id":"w","applicant_id":"u","draft_id":"d","soon":{}}"#,
            &format!(
                r#"{{"event_type":"INTERNAL_ENRICHMENT","entity_id":"{ENTITY}","entity_type":"IPv4-Addr","x":[]}}"#
            ),
        );
        assert_eq!(drafts.context(), Context::new().in_draft("d").on_behalf_of("u"));
        assert!(drafts.internal.extra.contains_key("soon") && drafts.event.extra.contains_key("x"));

        let entity =
            serde_json::json!({"type": "ipv4-addr", "id": ENTITY, "spec_version": "2.1", "value": "198.51.100.3"});
        let event = serde_json::json!({
            "event_type": "INTERNAL_ENRICHMENT", "entity_id": ENTITY, "entity_type": "IPv4-Addr",
            "stix_entity": entity.to_string(), "stix_objects": null,
        });
        let latest = parse(r#"{"work_id":"w","trigger":"create","mode":"auto","draft_id":null}"#, &event.to_string());
        assert_eq!(latest.stix_entity().unwrap().unwrap().id().to_string(), ENTITY);
        assert_eq!(latest.context(), Context::new());
    }

    #[test]
    fn playbook_runs() {
        let step = r#"{"event_id":"1767225600000-0","execution_id":"e","playbook_id":"p","step_id":"s",
                       "previous_step_id":"q","data_instance_id":"i","more":1}"#;
        let bundle = format!(
            r#"{{"id":"bundle--6c6f9a0e-50a4-4f7a-9a37-0f6b1b7e7f11","type":"bundle","n":1.10,"objects":[{{"type":"x"}},
               {{"type":"ipv4-addr","id":"{ENTITY}","value":"198.51.100.3"}}]}}"#
        );
        let message = parse(
            &format!(r#"{{"work_id":"odd","applicant_id":"a","playbook":{step}}}"#),
            &format!(r#"{{"entity_id":"{ENTITY}","bundle":{bundle}}}"#),
        );
        assert!(message.wants_reply());
        assert_eq!(message.work_id(), None);
        assert_eq!(message.playbook().unwrap().event_id.as_deref(), Some("1767225600000-0"));
        assert_eq!(message.playbook_bundle(), Some(bundle.as_str()));
        assert_eq!(message.stix_entity().unwrap().unwrap().id().to_string(), ENTITY);
        assert_eq!(message.entity_type(), "IPv4-Addr");
    }

    /// Acceptance 4: what cannot be read tells at least whose work it was.
    #[test]
    fn unreadable_messages_name_their_work() {
        for (body, work) in [
            ("", None),
            ("[]", None),
            ("\u{1f680}", None),
            (r#"{"internal":{"work_id":"w"}}"#, Some("w")),
            (r#"{"internal":{"work_id":"w"},"event":{}}"#, Some("w")),
            (r#"{"internal":{"work_id":"w"},"event":{"entity_id":5}}"#, Some("w")),
            (r#"{"internal":{"work_id":"w","playbook":7},"event":{"entity_id":"x"}}"#, Some("w")),
        ] {
            let error = Message::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.work_id.as_deref(), work, "{body}");
        }
        assert!(Message::parse(&b"[".repeat(1_000_000)).is_err());
        assert!(Message::parse(br#"{"internal":null,"event":{"entity_id":"x"}}"#).is_ok());
    }
}
