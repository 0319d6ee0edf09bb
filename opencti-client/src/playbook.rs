//! Playbook runs: a step that waits for an answer.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stix_model::Object;

use crate::bundle::RawBundle;
use crate::{Error, ErrorKind};

/// The coordinates of a playbook run, as the message brings them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
#[serde(default)]
pub struct PlaybookStep {
    /// The event that started the run.
    pub event_id: Option<String>,
    /// The run.
    pub execution_id: String,
    /// The playbook.
    pub playbook_id: String,
    /// The element that the run is about.
    pub data_instance_id: String,
    /// The step that waits.
    pub step_id: String,
    /// The step before it.
    pub previous_step_id: String,
}

/// The answer to a playbook step. It must be given in every case, or the run stops in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlaybookReply {
    /// The coordinates of the run.
    pub step: PlaybookStep,
    /// When the work on it began, in RFC 3339.
    pub started: String,
    /// The bundle that was received, unchanged.
    pub received: String,
    /// The bundle to go on with: everything that was received, and what was added.
    pub bundle: String,
}

impl PlaybookReply {
    /// The bundle as it was received: out of scope, nothing found, refused, failed.
    pub fn unchanged(step: PlaybookStep, started: impl Into<String>, received: impl Into<String>) -> Self {
        let received = received.into();
        Self { step, started: started.into(), bundle: received.clone(), received }
    }

    /// The bundle with further objects. An object with the identifier of a received one replaces it; every other
    /// received object stays as it was, byte for byte.
    pub fn with(
        step: PlaybookStep,
        started: impl Into<String>,
        received: impl Into<String>,
        objects: &[Object],
    ) -> Result<Self, Error> {
        let received = received.into();
        let bundle = merged(&received, objects)?;
        Ok(Self { step, started: started.into(), received, bundle })
    }
}

fn merged(received: &str, objects: &[Object]) -> Result<String, Error> {
    let wrong = |error: serde_json::Error| ErrorKind::Config(format!("the playbook's bundle cannot be read: {error}"));
    let mut bundle = RawBundle::parse(received).map_err(wrong)?;
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, object) in bundle.objects.iter().enumerate() {
        if let Some(id) = id_of(object) {
            places.insert(id, place);
        }
    }
    for object in objects {
        let id = object.id().to_string();
        let raw = serde_json::value::to_raw_value(object).map_err(wrong)?;
        if let Some(place) = places.get(&id) {
            bundle.objects[*place] = raw;
        } else {
            places.insert(id, bundle.objects.len());
            bundle.objects.push(raw);
        }
    }
    Ok(bundle.to_json())
}

fn id_of(object: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    serde_json::from_str::<Identified>(object.get()).ok().map(|object| object.id)
}

/// Answers to playbook steps.
#[async_trait]
pub trait PlaybookApi: Send + Sync {
    /// Gives the answer.
    async fn answer(&self, reply: &PlaybookReply) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 11: received objects are kept.
    #[test]
    fn received_objects_are_kept() {
        let received = concat!(
            r#"{"id":"bundle--6c6f9a0e-50a4-4f7a-9a37-0f6b1b7e7f11","spec_version":"2.1","type":"bundle","objects":["#,
            r#"{"type":"odd","id":"odd--1","n":1.10,"big":12345678901234567890123},"#,
            r#"{"type":"ipv4-addr","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}]}"#
        );
        let address = stix_model::sco::Ipv4Addr::new("198.51.100.3").with("x_opencti_score", 80);
        let domain = stix_model::sco::DomainName::new("example.com");
        let reply = PlaybookReply::with(
            PlaybookStep::default(),
            "2026-01-01T00:00:00+00:00",
            received,
            &[address.into(), domain.into()],
        )
        .unwrap();
        assert_eq!(reply.received, received);
        let bundle: serde_json::Value = serde_json::from_str(&reply.bundle).unwrap();
        assert_eq!(bundle["objects"].as_array().unwrap().len(), 3);
        assert_eq!(bundle["objects"][1]["x_opencti_score"], 80);
        assert!(reply.bundle.contains(r#""n":1.10,"big":12345678901234567890123"#));
        let unchanged = PlaybookReply::unchanged(PlaybookStep::default(), "", received);
        assert_eq!(unchanged.bundle, received);
    }
}
