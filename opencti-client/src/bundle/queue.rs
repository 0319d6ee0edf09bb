//! Messages to the platform's workers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A message to the platform's workers: a bundle, and in whose name it is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueMessage {
    /// `QUEUE_BUNDLE`.
    pub bundle_type: String,
    /// The user in whose name the bundle is imported. Without one it would be the worker's administrator, past all
    /// markings and limits.
    pub applicant_id: String,
    /// The position of the part, from 1 on.
    pub action_sequence: u64,
    /// The types that are imported; all when empty.
    pub entities_types: Vec<String>,
    /// The bundle as JSON, in base64.
    content: String,
    /// Whether existing elements that are the same one are merged.
    pub update: bool,
    /// The draft to import into.
    pub draft_id: Option<String>,
    /// Whether the worker must not split the bundle.
    #[serde(default)]
    pub no_split: bool,
    /// The work to which the worker reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_id: Option<String>,
}

/// A queue message that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueMessageError {
    /// The message is no JSON, or members are missing.
    #[error("the message cannot be read: {0}")]
    Message(#[from] serde_json::Error),
    /// The content is no base64, or no UTF-8.
    #[error("the content cannot be read: {0}")]
    Content(String),
}

impl QueueMessage {
    /// A message with a bundle.
    pub fn new(bundle: &str, applicant_id: impl Into<String>, action_sequence: u64) -> Self {
        Self {
            bundle_type: "QUEUE_BUNDLE".to_owned(),
            applicant_id: applicant_id.into(),
            action_sequence,
            entities_types: Vec::new(),
            content: STANDARD.encode(bundle),
            update: false,
            draft_id: None,
            no_split: false,
            work_id: None,
        }
    }

    /// The body.
    pub fn to_json(&self) -> String {
        // Texts, numbers and booleans: there is nothing that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, QueueMessageError> {
        Ok(serde_json::from_slice(body)?)
    }

    /// The bundle as JSON.
    pub fn bundle(&self) -> Result<String, QueueMessageError> {
        let bytes = STANDARD.decode(&self.content).map_err(|error| QueueMessageError::Content(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| QueueMessageError::Content(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 9 and 16: the described message, with the draft as null.
    #[test]
    fn the_described_message() {
        let content = r#"{"type":"bundle","id":"bundle--0d5a3c1e-9d0a-4d0b-8d5e-3a4f1e3a1c11","spec_version":"2.1","x_opencti_seq":1,"objects":[{"type":"identity","spec_version":"2.1","id":"identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e","name":"Example Corp","identity_class":"organization","nb_deps":1}]}"#;
        let mut message = QueueMessage::new(content, "0d9c6f6e-2f0e-4a52-8f8e-6f9d5b1f7c21", 1);
        message.work_id = Some("work_7c1d3b52_2026-10-02T08:15:31.260Z".to_owned());
        let json: serde_json::Value = serde_json::from_str(&message.to_json()).unwrap();
        let described = serde_json::json!({
            "bundle_type": "QUEUE_BUNDLE",
            "applicant_id": "0d9c6f6e-2f0e-4a52-8f8e-6f9d5b1f7c21",
            "action_sequence": 1,
            "entities_types": [],
            "content": "eyJ0eXBlIjoiYnVuZGxlIiwiaWQiOiJidW5kbGUtLTBkNWEzYzFlLTlkMGEtNGQwYi04ZDVlLTNhNGYxZTNhMWMxMSIsInNwZWNfdmVyc2lvbiI6IjIuMSIsInhfb3BlbmN0aV9zZXEiOjEsIm9iamVjdHMiOlt7InR5cGUiOiJpZGVudGl0eSIsInNwZWNfdmVyc2lvbiI6IjIuMSIsImlkIjoiaWRlbnRpdHktLTY5ZjFkZjMwLWViMmYtNTg0NS04OGUwLTY0ZTJkMDVhYjcyZSIsIm5hbWUiOiJFeGFtcGxlIENvcnAiLCJpZGVudGl0eV9jbGFzcyI6Im9yZ2FuaXphdGlvbiIsIm5iX2RlcHMiOjF9XX0=",
            "update": false,
            "draft_id": null,
            "no_split": false,
            "work_id": "work_7c1d3b52_2026-10-02T08:15:31.260Z",
        });
        assert_eq!(json, described);
        assert_eq!(QueueMessage::parse(message.to_json().as_bytes()).unwrap().bundle().unwrap(), content);
        message.work_id = None;
        assert!(!message.to_json().contains("work_id"));
    }
}
