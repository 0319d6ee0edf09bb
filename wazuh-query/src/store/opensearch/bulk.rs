//! Writing documents: not alerts, but what a program found in them, into an index of its own.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::OpenSearchStore;
use super::client::Content;
use super::retry::{Verdict, judge, reasons_of, shown};
use crate::store::{StoreError, StoreErrorKind};

/// A document to be written. One with the same index and identifier is replaced, so writing it again does no harm.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The index, which is made if it is not there and the cluster allows that.
    pub index: String,
    /// The identifier in the index.
    pub id: String,
    /// The document.
    pub source: Box<RawValue>,
}

/// A document that the cluster did not take, and will not take when it is asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The identifier.
    pub id: String,
    /// The status of its part of the answer.
    pub status: u16,
    /// Why.
    pub reason: String,
}

impl OpenSearchStore {
    /// Writes documents in one request. Answers which of them cannot be written; the others are.
    ///
    /// Fails when nothing is known to be written, or some were not written but may be later: then all are to be written
    /// again.
    pub async fn write(&self, documents: &[NewDocument]) -> Result<Vec<Refused>, StoreError> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let mut body = String::new();
        for document in documents {
            let action = serde_json::json!({"index": {"_index": document.index, "_id": document.id}});
            body.push_str(&action.to_string());
            body.push('\n');
            // A line break between tokens would end the document.
            body.push_str(&document.source.get().replace(['\n', '\r'], " "));
            body.push('\n');
        }
        let text = self.client.send(Content::Lines, "_bulk", &[], body).await?;
        let answer: Answer = serde_json::from_str(&text).map_err(|error| {
            let (what, excerpt) = (error.to_string(), shown(&text));
            self.client.scrubbed(StoreErrorKind::Parse { what, excerpt })
        })?;
        if answer.items.len() != documents.len() {
            let what = format!("{} answers to {} documents", answer.items.len(), documents.len());
            return Err(self.client.scrubbed(StoreErrorKind::Parse { what, excerpt: shown(&text) }));
        }
        let mut refused = Vec::new();
        for item in answer.items {
            let Item { id, status, error } = item.index;
            if status < 300 {
                continue;
            }
            let body = self.client.scrub(&serde_json::json!({"error": error}).to_string());
            match judge(status, None, &body) {
                Verdict::Retry(kind) => return Err(kind.into()),
                _ => refused.push(Refused { id, status, reason: reasons_of(&error).join("; ") }),
            }
        }
        Ok(refused)
    }
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Action>,
}

#[derive(Deserialize)]
struct Action {
    index: Item,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "_id", default)]
    id: String,
    status: u16,
    #[serde(default)]
    error: Value,
}
