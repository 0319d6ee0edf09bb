//! Documents about what was found, in an index per day.

use std::time::Duration;

use alert_enricher::knowledge::ThreatDocument;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::runtime::Runtime;
use wazuh_query::store::StoreError;
use wazuh_query::store::opensearch::{NewDocument, OpenSearchStore};

use super::config;
use crate::daemon::settings::IndexerSettings;
use crate::journal::Journal;

/// What the names of the indices begin with. `deploy/wazuh5` has a template and a policy for them.
const PREFIX: &str = "opencti-matches-v1";

/// A document, also as it waits on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    index: String,
    id: String,
    source: Box<RawValue>,
}

/// Writes documents.
pub(crate) struct Matches {
    store: OpenSearchStore,
    runtime: Runtime,
    prefix: String,
}

impl Matches {
    pub(crate) fn new(settings: &IndexerSettings) -> Result<Self, String> {
        let prefix = settings.matches.clone().unwrap_or_else(|| PREFIX.to_owned());
        let mut config = config(settings, &format!("{prefix}-*"))?;
        config.timeout = Duration::from_secs(10);
        let store = OpenSearchStore::connect(config).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { store, runtime: runtime.map_err(|error| error.to_string())?, prefix })
    }

    /// A document as it is written: into the index of the day on which the alert was raised, so the same one is always in
    /// the same index.
    pub(crate) fn stored(&self, document: &ThreatDocument) -> Option<Stored> {
        let time = document.time.to_string();
        let day = time.get(..10).unwrap_or("1970-01-01").replace('-', ".");
        let source = to_raw_value(&document.source).ok()?;
        Some(Stored { index: format!("{}-{day}", self.prefix), id: document.id.clone(), source })
    }

    /// Writes one.
    pub(crate) fn write(&mut self, stored: &Stored, journal: &Journal) -> Result<(), StoreError> {
        let Stored { index, id, source } = stored.clone();
        for refused in self.runtime.block_on(self.store.write(&[NewDocument { index, id, source }]))? {
            journal.error(&format!("the indexer refused a document (HTTP {}): {}", refused.status, refused.reason));
        }
        Ok(())
    }
}
