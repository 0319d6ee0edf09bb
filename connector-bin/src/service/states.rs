//! What the inventories of the agents say now: vulnerabilities that are there, packages that are installed.

use alert_enricher::enrichment::{Entity, State};
use serde_json::Value;
use stix_model::{Object, Timestamp};
use wazuh_query::dsl::{Clause, Query, SearchRequest};
use wazuh_query::store::opensearch::{OpenSearchConfig, OpenSearchStore};
use wazuh_query::store::{AlertStore, StoreError, StoreErrorKind};

use crate::config::ServiceConfig;

/// Documents of one inventory that are looked at.
const MOST: usize = 1_000;

/// The indices of the inventories.
pub(crate) struct Inventories {
    vulnerabilities: Option<Box<dyn AlertStore>>,
    packages: Option<Box<dyn AlertStore>>,
}

impl Inventories {
    /// No inventory is asked.
    pub(crate) fn none() -> Self {
        Self { vulnerabilities: None, packages: None }
    }

    pub(crate) fn connect(config: &ServiceConfig) -> Result<Self, StoreError> {
        let store = |index: &Option<String>| -> Result<Option<Box<dyn AlertStore>>, StoreError> {
            let Some(index) = index else { return Ok(None) };
            let mut settings: OpenSearchConfig = config.opensearch.clone();
            settings.index.clone_from(index);
            Ok(Some(Box::new(OpenSearchStore::connect(settings)?)))
        };
        Ok(Self { vulnerabilities: store(&config.vulnerabilities_index)?, packages: store(&config.inventory_index)? })
    }

    /// The states of an entity; `None` if no inventory knows such entities, or there is none.
    pub(crate) async fn ask(&self, entity: &Entity) -> Result<Option<Vec<State>>, StoreError> {
        let (store, query) = match entity.object() {
            Object::Vulnerability(vulnerability) => {
                (&self.vulnerabilities, Query::field("vulnerability.id", Clause::term(vulnerability.name.trim())))
            }
            Object::Software(software) => {
                let name = Query::field("package.name", Clause::term(software.name.trim()));
                let version = software.version.as_deref().map(str::trim).filter(|version| !version.is_empty());
                let version = version.map(|version| Query::field("package.version", Clause::term(version)));
                (&self.packages, Query::all(std::iter::once(name).chain(version)))
            }
            _ => return Ok(None),
        };
        let Some(store) = store else { return Ok(None) };
        let request = SearchRequest { size: MOST, ..SearchRequest::counting(query, None) };
        match store.search(&request).await {
            Ok(response) => Ok(Some(response.hits.iter().filter_map(|hit| state(hit.source.get())).collect())),
            // Older versions of Wazuh have no such index, and some accounts must not read it.
            Err(error) if matches!(error.kind(), StoreErrorKind::NotFound(_) | StoreErrorKind::Auth { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn state(source: &str) -> Option<State> {
    let document: Value = serde_json::from_str(source).ok()?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let time = |pointer: &str| text(pointer).and_then(|text| text.parse::<Timestamp>().ok());
    let agent = ["/agent", "/wazuh/agent"];
    let of_agent = |member: &str| agent.iter().find_map(|place| text(&format!("{place}/{member}")));
    Some(State {
        agent_id: of_agent("id")?,
        agent_name: of_agent("name").unwrap_or_default(),
        package: text("/package/name").map(|name| (name, text("/package/version"))),
        since: time("/vulnerability/detected_at").or_else(|| time("/package/installed")),
        score: document.pointer("/vulnerability/score/base").and_then(Value::as_f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_the_inventory() {
        let found = state(
            r#"{"agent":{"id":"007","name":"web07"},"package":{"name":"xz","version":"5.6.0"},
                "vulnerability":{"id":"CVE-2024-3094","detected_at":"2026-03-14T09:26:53.589Z","score":{"base":10.0}}}"#,
        )
        .unwrap();
        assert_eq!((found.agent_id.as_str(), found.agent_name.as_str(), found.score), ("007", "web07", Some(10.0)));
        assert_eq!(found.package, Some(("xz".to_owned(), Some("5.6.0".to_owned()))));
        assert_eq!(found.since, "2026-03-14T09:26:53.589Z".parse().ok());
        assert_eq!(state(r#"{"package":{"name":"xz"}}"#), None);
        assert_eq!(state("[]"), None);
    }
}
