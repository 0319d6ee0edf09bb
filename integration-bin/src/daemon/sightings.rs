//! Sightings back into the platform: how often an indicator was seen on an agent in an hour.
//!
//! They are counted as alerts are dealt with, kept on disk, and sent as one bundle when the hour is over. So the platform
//! gets one sighting per indicator, agent and hour, each once; its identifier follows from what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alert_enricher::enrichment::{EnrichmentOptions, Origin, Sighter};
use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::{BundleSink as _, ConnectorApi as _, ConnectorType, PushSink, Registration, Scope, SendOptions};
use serde::{Deserialize, Serialize};
use stix_model::sro::Sighting;
use stix_model::{Bundle, Identifier, Object, Timestamp, Tlp};

use super::settings::SightingSettings;
use super::{Control, place};
use crate::commands::alert::now;
use crate::journal::Journal;

const FILE: &str = "sightings.json";
/// Sightings in one bundle.
const BUNDLE: usize = 500;
/// So many wait at most; more are counted no further.
const MOST: usize = 100_000;
/// How often to look whether an hour is over.
const LOOK: Duration = Duration::from_secs(1);
/// Between attempts while the platform is away.
const PAUSE: Duration = Duration::from_mins(1);

/// Whose sighting it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Of {
    indicator: Identifier,
    agent_id: String,
    agent_name: String,
    /// The number of the period since 1970, by the time of the alerts.
    period: i64,
}

/// When and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    first: i64,
    last: i64,
    count: u64,
    /// When the last one was counted, on the clock.
    counted: i64,
}

#[derive(Debug, Default)]
struct Counts {
    seen: BTreeMap<Of, Seen>,
    changed: bool,
}

/// What was seen and is not sent yet.
#[derive(Clone, Debug)]
pub(crate) struct Sightings {
    counts: Arc<Mutex<Counts>>,
    /// Held while the file is written: two threads do, and the later one must not be overtaken.
    writing: Arc<Mutex<()>>,
    path: PathBuf,
    /// Milliseconds.
    period: i64,
}

impl Sightings {
    /// Opens what the run before left, if sightings are to be sent.
    pub(super) fn open(settings: &SightingSettings, state: &Path, journal: &Journal) -> Option<Self> {
        settings.connector_id.as_ref()?;
        let path = state.join(FILE);
        let seen = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str::<Vec<(Of, Seen)>>(&text).unwrap_or_else(|error| {
                journal.warning(&format!("{}: {error}; sightings that waited are lost", path.display()));
                Vec::new()
            }),
            Err(_) => Vec::new(),
        };
        let counts = Counts { seen: seen.into_iter().collect(), changed: false };
        let period = i64::try_from(settings.period_seconds.unwrap_or(3_600).max(1)).unwrap_or(3_600) * 1_000;
        Some(Self { counts: Arc::new(Mutex::new(counts)), writing: Arc::default(), path, period })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an indicator in an alert.
    pub(super) fn count(&self, indicator: &Identifier, agent: (&str, &str), time: Option<Timestamp>) {
        let now = now();
        // The clock of a host that is ahead would make a period that is never over.
        let time = time.map_or(now, |time| time.unix_millis()).min(now);
        let of = Of {
            indicator: indicator.clone(),
            agent_id: agent.0.to_owned(),
            agent_name: agent.1.to_owned(),
            period: time.div_euclid(self.period),
        };
        let mut counts = self.counts();
        if counts.seen.len() >= MOST && !counts.seen.contains_key(&of) {
            return;
        }
        counts.changed = true;
        let seen = counts.seen.entry(of).or_insert(Seen { first: time, last: time, count: 0, counted: now });
        *seen = Seen { first: seen.first.min(time), last: seen.last.max(time), count: seen.count + 1, counted: now };
    }

    /// Writes what waits, if it was changed: before the position of the alerts is kept.
    pub(super) fn keep(&self) -> std::io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = {
            let mut counts = self.counts();
            if !std::mem::take(&mut counts.changed) {
                return Ok(());
            }
            serde_json::to_string(&counts.seen.iter().collect::<Vec<_>>())
        };
        let written = text.map_err(std::io::Error::from).and_then(|text| place::replace(&self.path, text.as_bytes()));
        if written.is_err() {
            self.counts().changed = true;
        }
        written
    }

    /// What no more is added to: its period is over, and nothing was counted for a while.
    fn over(&self) -> Vec<(Of, Seen)> {
        let now = now();
        let quiet = (self.period / 30).max(500);
        let counts = self.counts();
        let over = |of: &Of, seen: &Seen| (of.period + 1) * self.period <= now && seen.counted + quiet <= now;
        let over = counts.seen.iter().filter(|(of, seen)| over(of, seen)).take(BUNDLE);
        over.map(|(of, seen)| (of.clone(), *seen)).collect()
    }

    fn sent(&self, sent: &[(Of, Seen)]) {
        let mut counts = self.counts();
        for (of, seen) in sent {
            // What was counted meanwhile is another sighting.
            if counts.seen.get(of) == Some(seen) {
                counts.seen.remove(of);
            } else if let Some(rest) = counts.seen.get_mut(of) {
                rest.count = rest.count.saturating_sub(seen.count);
                rest.first = rest.last;
            }
        }
        counts.changed = true;
    }

    /// Sends what is over until the program is to end.
    pub(super) fn send(&self, config: &PlatformConfig, connector: &str, control: &Control, journal: &Journal) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return journal.error(&format!("no sightings are sent: {error}")),
        };
        let mut sink: Option<PushSink> = None;
        let mut again = Instant::now();
        let mut told = String::new();
        while !control.is_stopping() {
            std::thread::sleep(LOOK / 5);
            if Instant::now() < again {
                continue;
            }
            again = Instant::now() + LOOK;
            let over = self.over();
            if over.is_empty() {
                continue;
            }
            let outcome = runtime.block_on(async {
                let made = match sink.take() {
                    Some(sink) => sink,
                    None => registered(config.clone(), connector).await?,
                };
                let made = sink.insert(made);
                made.send(&bundle(&over), &SendOptions { update: true, ..SendOptions::default() }).await
            });
            match outcome {
                Ok(_) => {
                    self.sent(&over);
                    told.clear();
                    if let Err(error) = self.keep() {
                        journal.error(&format!("{}: {error}", self.path.display()));
                    }
                    journal.debug(&format!("{} sightings were sent", over.len()));
                }
                Err(error) => {
                    sink = None;
                    again = Instant::now() + PAUSE;
                    let line = format!("sightings wait: {error}");
                    if line != told {
                        journal.warning(&line);
                        told = line;
                    }
                }
            }
        }
    }
}

async fn registered(config: PlatformConfig, connector: &str) -> Result<PushSink, opencti_client::Error> {
    let platform = Arc::new(Platform::connect(config).await?);
    let mut registration = Registration::new(connector, "Wazuh (custom-opencti)", Scope::parse("Sighting"));
    registration.connector_type = ConnectorType::Stream;
    registration.playbook_compatible = false;
    registration.enrichment_resolution = None;
    platform.register(&registration).await?;
    Ok(PushSink::new(platform, connector))
}

/// The sightings with the agents and their author.
fn bundle(seen: &[(Of, Seen)]) -> Bundle {
    // Only the names of author and places matter here, which are those of the connector.
    let options = EnrichmentOptions::new(Tlp::Red, "");
    let author = options.author();
    let author_id = author.common.id.clone();
    let mut objects: BTreeMap<String, Object> = BTreeMap::new();
    objects.insert(author_id.to_string(), author.into());
    let time = |millis: i64| Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    for (of, seen) in seen {
        let origin =
            Origin { agent_id: Some(of.agent_id.as_str()), agent_name: Some(of.agent_name.as_str()), account: None };
        let mut place = Sighter::new(origin, &options).identity(&options, &[&of.agent_id]);
        let place_id = place.common.id.clone();
        if place_id != author_id {
            place.common.created_by_ref = Some(author_id.clone());
            objects.insert(place_id.to_string(), place.into());
        }
        let (first, last) = (time(seen.first), time(seen.last));
        let mut sighting = Sighting::between(of.indicator.clone(), vec![place_id], first, last, first);
        // The largest count that STIX allows (section 5.2).
        sighting.count = i64::try_from(seen.count.min(999_999_999)).ok();
        sighting.common.created_by_ref = Some(author_id.clone());
        objects.insert(sighting.common.id.to_string(), sighting.into());
    }
    Bundle::new(objects.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sightings(folder: &Path) -> Sightings {
        let settings = SightingSettings { connector_id: Some("x".to_owned()), period_seconds: Some(1) };
        Sightings::open(&settings, folder, &Journal::new(folder, false)).unwrap()
    }

    fn count(sightings: &Sightings, time: Option<&str>) {
        let indicator = "indicator--8752eb5f-8b58-419e-8f40-108700000001".parse().unwrap();
        sightings.count(&indicator, ("001", "web01"), time.map(|time| time.parse().unwrap()));
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("daemon");
        let sightings = sightings(&state);
        count(&sightings, None);
        assert!(sightings.keep().is_err());
        std::fs::create_dir(&state).unwrap();
        sightings.keep().unwrap();
        let text = std::fs::read_to_string(state.join(FILE)).unwrap();
        assert!(text.contains("indicator--8752eb5f"), "{text}");
    }

    #[test]
    fn an_alert_of_the_future_is_one_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let sightings = sightings(folder.path());
        count(&sightings, Some("2100-01-01T00:00:00Z"));
        count(&sightings, Some("2026-03-14T09:26:53Z"));
        let counts = sightings.counts();
        assert_eq!(counts.seen.len(), 2);
        assert!(counts.seen.iter().all(|(of, seen)| of.period * 1_000 <= now() && seen.last <= now()));
    }

    #[test]
    fn threads_that_write_do_not_overtake_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let sightings = sightings(folder.path());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        count(&sightings, Some("2026-03-14T09:26:53Z"));
                        sightings.keep().unwrap();
                    }
                });
            }
        });
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let kept: Vec<(Of, Seen)> = serde_json::from_str(&text).unwrap();
        assert_eq!(kept.iter().map(|(_, seen)| seen.count).sum::<u64>(), 100);
    }
}
