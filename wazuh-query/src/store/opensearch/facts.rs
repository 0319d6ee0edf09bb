//! What a cluster says about itself and its indices.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::client::Content;
use super::{INDEX_OPTIONS, OpenSearchStore, retry};
use crate::store::{StoreError, StoreErrorKind};

impl OpenSearchStore {
    /// The cluster's version, such as `2.19.1`. An account that may search need not be allowed to ask for it.
    pub async fn version(&self) -> Result<String, StoreError> {
        let text = self.client.send(Content::Get, "", &[], String::new()).await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let version = body["version"]["number"].as_str().map(str::to_owned);
        version.ok_or_else(|| {
            let what = "`version.number` is missing".to_owned();
            self.client.scrubbed(StoreErrorKind::Parse { what, excerpt: retry::shown(&text) })
        })
    }

    /// The types with which the indices map their fields, by path. A field with several types is mapped differently in
    /// several indices, and cannot be counted by.
    pub async fn field_types(&self) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
        let path = format!("{}/_field_caps", self.index);
        let mut query = INDEX_OPTIONS.to_vec();
        query.push(("fields", "*"));
        let text = self.client.send(Content::Get, &path, &query, String::new()).await?;
        let mut body: Value = serde_json::from_str(&text).unwrap_or_default();
        let Value::Object(fields) = body["fields"].take() else {
            let what = "`fields` is missing".to_owned();
            return Err(self.client.scrubbed(StoreErrorKind::Parse { what, excerpt: retry::shown(&text) }));
        };
        let types = |types: Value| match types {
            Value::Object(types) => types.into_iter().map(|(name, _)| name).filter(|name| name != "unmapped").collect(),
            _ => BTreeSet::new(),
        };
        Ok(fields.into_iter().map(|(path, found)| (path, types(found))).collect())
    }
}
