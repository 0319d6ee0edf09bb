//! Documents about what was found, in an index per day.

use std::time::Duration;

use alert_enricher::knowledge::ThreatDocument;
use serde_json::value::to_raw_value;
use tokio::runtime::Runtime;
use wazuh_query::store::StoreError;
use wazuh_query::store::opensearch::{NewDocument, OpenSearchStore};

use super::config;
use crate::daemon::settings::IndexerSettings;
use crate::journal::Journal;

/// What the names of the indices begin with. `deploy/wazuh5` has a template and a policy for them.
const PREFIX: &str = "opencti-matches-v1";

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

    /// Writes one, into the index of the day on which the alert was raised: so the same one is always in the same index.
    pub(crate) fn write(&mut self, document: &ThreatDocument, journal: &Journal) -> Result<(), StoreError> {
        let time = document.time.to_string();
        let day = time.get(..10).unwrap_or("1970-01-01").replace('-', ".");
        let Ok(source) = to_raw_value(&document.source) else { return Ok(()) };
        let new = NewDocument { index: format!("{}-{day}", self.prefix), id: document.id.clone(), source };
        for refused in self.runtime.block_on(self.store.write(&[new]))? {
            journal.error(&format!("the indexer refused a document (HTTP {}): {}", refused.status, refused.reason));
        }
        Ok(())
    }
}
