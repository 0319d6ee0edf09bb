//! Removing what was made for a test.

use serde_json::{Value, json};

use super::Platform;
use crate::documents::REMOVE;
use crate::{Context, Error, ErrorKind};

impl Platform {
    /// Removes an object or relation, by any of its identifiers; relations of an object go with it. Whether there was one.
    ///
    /// Fails if the user must not delete.
    pub async fn remove(&self, id: &str) -> Result<bool, Error> {
        match self.call::<Value>(&REMOVE, json!({ "id": id }), &Context::new()).await {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => Ok(false),
            other => other.map(|_| true),
        }
    }
}
