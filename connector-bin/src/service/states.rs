//! What the inventories of the agents say now: vulnerabilities that are there, packages that are installed, files that lie
//! on disk.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alert_enricher::enrichment::{Entity, State};
use serde_json::Value;
use stix_model::{Hashes, Object, Timestamp};
use wazuh_query::dsl::{Clause, Query, SearchRequest};
use wazuh_query::store::opensearch::{OpenSearchConfig, OpenSearchStore};
use wazuh_query::store::{AlertStore, StoreError, StoreErrorKind};

use crate::config::ServiceConfig;

/// Documents of one inventory that are looked at.
const MOST: usize = 1_000;

/// So long an inventory that is not there, or must not be read, is not asked again.
const ABSENT: Duration = Duration::from_mins(5);

/// The indices of the inventories.
pub(crate) struct Inventories {
    vulnerabilities: Option<Inventory>,
    hosts: Option<Inventory>,
}

struct Inventory {
    store: Box<dyn AlertStore>,
    absent_until: Mutex<Option<Instant>>,
}

/// What an inventory answered.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) states: Vec<State>,
    /// How many entries there are in all.
    pub(crate) total: u64,
}

impl Inventory {
    fn new(store: Box<dyn AlertStore>) -> Self {
        Self { store, absent_until: Mutex::default() }
    }

    fn absent_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.absent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inventories {
    /// No inventory is asked.
    pub(crate) fn none() -> Self {
        Self { vulnerabilities: None, hosts: None }
    }

    pub(crate) fn connect(config: &ServiceConfig) -> Result<Self, StoreError> {
        let store = |index: &Option<String>| -> Result<Option<Inventory>, StoreError> {
            let Some(index) = index else { return Ok(None) };
            let mut settings: OpenSearchConfig = config.opensearch.clone();
            settings.index.clone_from(index);
            Ok(Some(Inventory::new(Box::new(OpenSearchStore::connect(settings)?))))
        };
        Ok(Self { vulnerabilities: store(&config.vulnerabilities_index)?, hosts: store(&config.inventory_index)? })
    }

    /// The states of an entity; `None` if no inventory knows such entities, or there is none.
    pub(crate) async fn ask(&self, entity: &Entity) -> Result<Option<Asked>, StoreError> {
        let (inventory, query) = match entity.object() {
            Object::Vulnerability(vulnerability) => {
                (&self.vulnerabilities, Query::field("vulnerability.id", either_case(&vulnerability.name)))
            }
            Object::File(file) => (&self.hosts, with_hashes(&file.hashes)),
            Object::Artifact(artifact) => (&self.hosts, with_hashes(&artifact.hashes)),
            Object::Software(software) => {
                let name = Query::field("package.name", Clause::term(software.name.trim()));
                let version = software.version.as_deref().map(str::trim).filter(|version| !version.is_empty());
                let version = version.map(|version| Query::field("package.version", Clause::term(version)));
                (&self.hosts, Query::all(std::iter::once(name).chain(version)))
            }
            _ => return Ok(None),
        };
        let Some(inventory) = inventory.as_ref().filter(|_| !query.is_nothing()) else { return Ok(None) };
        if inventory.absent_until().is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        let request = SearchRequest { size: MOST, ..SearchRequest::counting(query, None) };
        match inventory.store.search(&request).await {
            Ok(response) => Ok(Some(Asked {
                states: response.hits.iter().filter_map(|hit| state(hit.source.get())).collect(),
                total: response.total,
            })),
            // Older versions of Wazuh have no such index, and some accounts must not read it.
            Err(error) if matches!(error.kind(), StoreErrorKind::NotFound(_) | StoreErrorKind::Auth { .. }) => {
                *inventory.absent_until() = Instant::now().checked_add(ABSENT);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Identifiers are written in either case by those who write them.
fn either_case(value: &str) -> Clause {
    let value = value.trim();
    Clause::any([value.to_owned(), value.to_uppercase(), value.to_lowercase()])
}

/// Files with one of these hashes.
fn with_hashes(hashes: &Hashes) -> Query {
    let kinds = [("MD5", "file.hash.md5"), ("SHA-1", "file.hash.sha1"), ("SHA-256", "file.hash.sha256")];
    Query::any(
        kinds.iter().filter_map(|(algorithm, field)| Some(Query::field(*field, either_case(hashes.get(algorithm)?)))),
    )
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
        since: ["/vulnerability/detected_at", "/package/installed", "/file/mtime"].into_iter().find_map(time),
        score: document.pointer("/vulnerability/score/base").and_then(Value::as_f64),
    })
}

#[cfg(test)]
mod tests {
    use wazuh_query::store::{PageVisitor, Paged, SearchResponse};

    use super::*;

    /// Answers nothing, and keeps what it was asked for.
    #[derive(Default)]
    struct Asking(std::sync::Arc<Mutex<Vec<String>>>, bool);

    #[async_trait::async_trait]
    impl AlertStore for Asking {
        async fn search(&self, request: &SearchRequest) -> Result<SearchResponse, StoreError> {
            self.0.lock().unwrap().push(serde_json::to_string(&request.query).unwrap());
            if self.1 {
                Err(StoreErrorKind::NotFound("no such index".to_owned()).into())
            } else {
                Ok(SearchResponse::default())
            }
        }

        async fn multi_search(
            &self,
            _: &[SearchRequest],
        ) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
            unreachable!("one at a time")
        }

        async fn for_each_page(&self, _: &SearchRequest, _: PageVisitor<'_>) -> Result<Paged, StoreError> {
            unreachable!("states are few")
        }
    }

    fn entity(object: &serde_json::Value) -> Entity {
        Entity::new(Object::from_json(&object.to_string()).unwrap())
    }

    #[tokio::test]
    async fn what_is_asked_for() {
        let asked = std::sync::Arc::new(Mutex::new(Vec::new()));
        let inventory = |absent| Some(Inventory::new(Box::new(Asking(asked.clone(), absent))));
        let inventories = Inventories { vulnerabilities: inventory(false), hosts: inventory(true) };
        let time = "2026-01-01T00:00:00.000Z";
        let cve = entity(&serde_json::json!({"type": "vulnerability", "name": "cve-2024-3094", "spec_version": "2.1",
            "id": "vulnerability--00000000-0000-4000-8000-000000000001", "created": time, "modified": time}));
        assert_eq!(inventories.ask(&cve).await.unwrap().unwrap().total, 0);
        let digest = "0F1E2D3C4B5A69788796A5B4C3D2E1F0";
        let file = entity(&serde_json::json!({"type": "file", "hashes": {"MD5": digest}}));
        assert!(inventories.ask(&file).await.unwrap().is_none());
        // An index that is not there is not asked for every file.
        assert!(inventories.ask(&file).await.unwrap().is_none());
        let name = entity(&serde_json::json!({"type": "file", "name": "a.exe"}));
        assert!(inventories.ask(&name).await.unwrap().is_none());
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].contains("CVE-2024-3094") && asked[0].contains("cve-2024-3094"), "{asked:?}");
        assert!(asked[1].contains("file.hash.md5") && asked[1].contains(&digest.to_lowercase()), "{asked:?}");
    }

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
