//! The indexer: as a source of alerts (Wazuh 4) and of findings and events (Wazuh 5), and as the place for documents about
//! what was found in them.

mod matches;

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use alert_enricher::store::MatchError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Runtime;
use url::Url;
use wazuh_query::dsl::{Order, Query, SearchRequest, Sort};
use wazuh_query::store::opensearch::{Auth, OpenSearchConfig, OpenSearchStore};
use wazuh_query::store::{AlertStore as _, Hit, StoreError, StoreErrorKind};

use super::raise::Work;
use super::settings::IndexerSettings;
use super::sieve::{Sieve, damage};
use super::{Control, DaemonArguments, place};
use crate::commands::alert::now;
use crate::journal::Journal;
use crate::settings::Settings;
pub(crate) use matches::{Matches, Stored};

/// Documents in one answer.
const PAGE: usize = 1_000;
/// The time of a document, in Wazuh 4 and 5 alike.
const TIME: &str = "@timestamp";
const FILE: &str = "indexer.position";
/// So many documents with something in them are remembered over a restart.
const KEPT: usize = 10_000;

/// How the indexer is reached.
fn config(settings: &IndexerSettings, index: &str) -> Result<OpenSearchConfig, String> {
    let url = settings.url.as_deref().ok_or("`daemon.indexer.url` is missing")?;
    let url = Url::parse(url).map_err(|error| format!("`daemon.indexer.url`: {error}"))?;
    let mut config = OpenSearchConfig::new(url);
    index.clone_into(&mut config.index);
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    if let Some(username) = &settings.username {
        let path = settings.password_file.as_deref().ok_or("`daemon.indexer.password_file` is missing")?;
        let password = String::from_utf8_lossy(&read(path)?).trim().to_owned();
        config.auth = Auth::Basic { username: username.clone(), password: password.into() };
    }
    config.ca = settings.ca.as_deref().map(read).transpose()?;
    config.verify_tls = settings.ssl_verify.unwrap_or(true);
    // Whoever waits here tries again anyway.
    config.retries = 1;
    Ok(config)
}

/// Up to where documents were dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The newest time, in milliseconds since 1970.
    until: i64,
    /// Documents of the overlap in which something was found: index and identifier.
    found: VecDeque<String>,
}

impl Checkpoint {
    fn read(state: &Path) -> Result<Option<Self>, String> {
        let path = state.join(FILE);
        let wrong = |what: String| format!("{}: {what}", path.display());
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| wrong(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    pub(crate) fn write(&self, state: &Path) -> io::Result<()> {
        place::replace(&state.join(FILE), serde_json::to_string(self)?.as_bytes())
    }
}

/// Searches the indexer again and again for what is new.
pub(crate) struct Indexed {
    store: OpenSearchStore,
    runtime: Runtime,
    every: Duration,
    /// Milliseconds for which a document may come late.
    overlap: i64,
    checkpoint: Checkpoint,
    /// Documents of the overlap that were looked at, with their times.
    seen: HashMap<u64, i64>,
    hasher: std::hash::RandomState,
    journal: Journal,
    no_alert: u64,
}

impl Indexed {
    /// The source, if the settings name indices.
    pub(crate) fn new(
        settings: &Settings,
        arguments: &DaemonArguments,
        state: &Path,
        journal: &Journal,
    ) -> Result<Option<Self>, String> {
        let settings = &settings.daemon.indexer;
        let Some(index) = &settings.follow else { return Ok(None) };
        let store = OpenSearchStore::connect(config(settings, index)?).map_err(|error| error.to_string())?;
        let overlap = i64::try_from(settings.overlap_seconds.unwrap_or(60)).unwrap_or(i64::MAX).saturating_mul(1_000);
        let from_beginning = Checkpoint::default();
        let checkpoint = match Checkpoint::read(state) {
            Ok(Some(checkpoint)) => checkpoint,
            Ok(None) if arguments.from_beginning => from_beginning,
            Ok(None) => Checkpoint { until: now().saturating_add(overlap), ..from_beginning },
            Err(line) => {
                journal.warning(&format!("{line}; the alerts of the last day are read again"));
                Checkpoint { until: now() - 24 * 3_600_000, ..from_beginning }
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let hasher = std::hash::RandomState::new();
        // What was found in the overlap is not raised again.
        let seen = checkpoint.found.iter().map(|name| (hasher.hash_one(name), i64::MAX)).collect();
        Ok(Some(Self {
            store,
            runtime: runtime.map_err(|error| error.to_string())?,
            every: Duration::from_secs(settings.every_seconds.unwrap_or(5).max(1)),
            overlap,
            checkpoint,
            seen,
            hasher,
            journal: journal.clone(),
            no_alert: 0,
        }))
    }

    /// Searches until the program is to end, or once.
    pub(crate) fn run(
        mut self,
        mut sieve: Sieve,
        work: &SyncSender<Work>,
        control: &Control,
        once: bool,
    ) -> Result<(), String> {
        let mut told = String::new();
        loop {
            let begun = Instant::now();
            let before = self.checkpoint.clone();
            match self.search(&mut sieve, work, control) {
                Ok(Some(damaged)) => {
                    control.damaged(damaged);
                    return Ok(());
                }
                Ok(None) => told.clear(),
                Err(error) => {
                    if once {
                        return Err(error.to_string());
                    }
                    let line = error.to_string();
                    if line != told {
                        self.journal.warning(&format!("the indexer: {line}; it is tried again"));
                        told = line;
                    }
                }
            }
            if self.checkpoint != before && work.send(Work::Indexed(self.checkpoint.clone())).is_err() {
                return Ok(());
            }
            let (until, overlap) = (self.checkpoint.until, self.overlap);
            self.seen.retain(|_, time| *time >= until.saturating_sub(overlap));
            while begun.elapsed() < self.every || once {
                if control.is_stopping() || once {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            if control.is_stopping() {
                return Ok(());
            }
        }
    }

    /// Looks at everything that is new. Answers what is wrong with the store of indicators, if anything is.
    fn search(
        &mut self,
        sieve: &mut Sieve,
        work: &SyncSender<Work>,
        control: &Control,
    ) -> Result<Option<String>, StoreError> {
        let from = self.checkpoint.until.saturating_sub(self.overlap);
        let request = SearchRequest {
            query: Query::Raw(Box::new(json!({ "range": { TIME: { "gte": from, "format": "epoch_millis" } } }))),
            sort: vec![Sort { field: TIME.to_owned(), order: Order::Asc }],
            size: PAGE,
            search_after: None,
            aggregation: None,
        };
        // Clocks of some hosts are wrong: what comes from the future must not hide what comes.
        let now = now();
        let (mut damaged, mut newest) = (None, self.checkpoint.until);
        let Self { store, runtime, seen, hasher, checkpoint, no_alert, .. } = self;
        let paged = runtime.block_on(store.for_each_page(&request, &mut |page| {
            sieve.refresh();
            for hit in &page.hits {
                let time = hit.sort.first().and_then(serde_json::Value::as_i64).unwrap_or(now);
                let name = format!("{}/{}", hit.index, hit.id);
                newest = newest.max(time.min(now));
                if seen.insert(hasher.hash_one(&name), time).is_some() {
                    continue;
                }
                let text = wrapped(hit);
                match sieve.look(&text) {
                    Ok(ids) if ids.is_empty() => {}
                    Ok(ids) => {
                        checkpoint.found.push_back(name);
                        if checkpoint.found.len() > KEPT {
                            checkpoint.found.pop_front();
                        }
                        if work.send(Work::Alert { text, ids, answer: None }).is_err() {
                            return ControlFlow::Break(());
                        }
                    }
                    Err(MatchError::Read(_)) => *no_alert += 1,
                    Err(error) => {
                        damaged = Some(damage(&error));
                        return ControlFlow::Break(());
                    }
                }
            }
            if control.is_stopping() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }));
        match paged {
            Ok(paged) if paged.is_partial() => {
                // What did not answer is asked again.
                self.journal.warning(&format!(
                    "a part of the indexer did not answer: {} of {} shards",
                    paged.shards.failed, paged.shards.total
                ));
            }
            Ok(_) => self.checkpoint.until = newest,
            // Before the first alert there is no index.
            Err(error) if matches!(error.kind(), StoreErrorKind::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(damaged)
    }
}

/// The document with its place around it, as a search answers it: so its identifier is known wherever it goes.
fn wrapped(hit: &Hit) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(r#"{{"_index":{},"_id":{},"_source":{}}}"#, text(&hit.index), text(&hit.id), hit.source.get())
}
