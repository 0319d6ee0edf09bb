//! Writing single documents, for those who test an installation.

use serde_json::Value;

use super::OpenSearchStore;
use super::client::Content;
use crate::store::{StoreError, StoreErrorKind};

impl OpenSearchStore {
    /// Puts a document into one index, where searches find it at once. One with the same identifier is replaced. Needs an
    /// account that may write, which searching does not.
    pub async fn put_document(&self, index: &str, id: &str, document: &Value) -> Result<(), StoreError> {
        let path = path(index, id)?;
        self.client.send(Content::Json, &path, &[("refresh", "true")], document.to_string()).await.map(drop)
    }

    /// Removes a document. One that is not there is an error of the kind [`StoreErrorKind::NotFound`].
    pub async fn remove_document(&self, index: &str, id: &str) -> Result<(), StoreError> {
        let path = path(index, id)?;
        self.client.send(Content::Delete, &path, &[("refresh", "true")], String::new()).await.map(drop)
    }
}

/// The place of a document. Names that would mean something else in a path are refused.
fn path(index: &str, id: &str) -> Result<String, StoreError> {
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !name.is_empty() && !name.starts_with(['.', '_', '-']) && name.bytes().all(fits)
    };
    match [index, id].into_iter().find(|name| !is_name(name)) {
        None => Ok(format!("{index}/_doc/{id}")),
        Some(name) => {
            Err(StoreErrorKind::Config(format!("documents cannot be written under the name {name:?}")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_place() {
        assert_eq!(
            path("wazuh-alerts-4.x-2026.03.14", "self-test-1f").unwrap(),
            "wazuh-alerts-4.x-2026.03.14/_doc/self-test-1f"
        );
        for (index, id) in
            [("a*", "b"), ("a,b", "c"), ("a/../b", "c"), ("_all", "c"), (".hidden", "c"), ("a", ""), ("a", "b?c")]
        {
            assert!(path(index, id).is_err(), "{index} {id}");
        }
    }
}
