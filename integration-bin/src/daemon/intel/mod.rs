//! Keeps the store in step with threat intelligence: the platform, or files.
//!
//! Everything is read once, page by page. From then on the live stream brings what changes, or, without one, the platform
//! is asked. The store lies in a file, with the place in the stream beside it, so that a restart begins at once and then
//! catches up.

mod state;
mod stream;
mod take;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use alert_enricher::store::{ChangeError, FileError, FileStore, TooLarge};
use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::{Error, Notice, Notices, Select};
use stix_model::{Identifier, Object, Timestamp};

use super::raise::Work;
use crate::commands::alert::now;
use crate::intelligence::{LookupError, platform_config};
use crate::journal::Journal;
use crate::settings::{Settings, SettingsError};
use state::State;
use take::Choice;

/// How often changes of the store are written to its file.
const SAVE: Duration = Duration::from_secs(30);
/// Pauses between attempts to reach the platform.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Milliseconds: a store that was not in step for longer is read again as a whole, since nobody tells what was deleted
/// meanwhile once the stream has forgotten it.
const TOO_OLD: i64 = 24 * 3_600_000;
/// Milliseconds: for so long the stream surely remembers everything.
const FRESH: i64 = 5 * 60_000;
/// Milliseconds by which clocks may differ.
const OVERLAP: i64 = 10 * 60_000;
/// How often files are looked at.
const WATCH: Duration = Duration::from_secs(1);

/// Why indicators cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nobody says where threat intelligence is.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The platform says no, or nothing.
    #[error(transparent)]
    Platform(#[from] Error),
    /// A file cannot be read.
    #[error("{}: {what}", path.display())]
    File { path: PathBuf, what: String },
    /// There are too many values.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The store cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] FileError),
    /// A task ended.
    #[error("the task that builds the store ended")]
    Ended,
}

enum Source {
    Files(Vec<PathBuf>),
    Platform(Box<PlatformConfig>),
}

/// Keeps a store in step.
pub(crate) struct Keeper {
    source: Source,
    choice: Choice,
    /// What is never asked about, which decides what is kept.
    ignored: String,
    stream: Option<String>,
    poll: Duration,
    store_path: PathBuf,
    state_path: PathBuf,
    state: Option<State>,
    store: Option<Arc<FileStore>>,
    /// Whether the store differs from its file, or the state from its.
    changed: bool,
    state_changed: bool,
    saved: Instant,
    journal: Journal,
}

impl Keeper {
    /// Opens what the run before left, if it is of the same source.
    pub(crate) fn open(
        settings: &Settings,
        token: Option<&str>,
        state: &Path,
        journal: &Journal,
    ) -> Result<Self, KeepError> {
        let source = if settings.intel.is_empty() {
            let mut config = platform_config(settings, None, token)?;
            config.largest_answer = 256 << 20;
            let told = journal.clone();
            config.notices = Notices::to(move |notice| tell(&told, notice));
            Source::Platform(Box::new(config))
        } else {
            Source::Files(settings.intel.clone())
        };
        let choice = Choice {
            observables: settings.daemon.with_observables(),
            worthless: settings.ask()?.worthless,
            ignored_labels: settings.judge()?.ignored_labels,
        };
        let mut keeper = Self {
            source,
            choice,
            ignored: format!("{:?} private {}", settings.ignore, settings.private_addresses),
            stream: settings.daemon.stream.clone(),
            poll: settings.daemon.poll(),
            store_path: state.join("indicators.store"),
            state_path: state.join("indicators.json"),
            state: None,
            store: None,
            changed: false,
            state_changed: false,
            saved: Instant::now(),
            journal: journal.clone(),
        };
        keeper.restore();
        Ok(keeper)
    }

    fn restore(&mut self) {
        let again = |what: &dyn std::fmt::Display| format!("{what}; indicators are read anew");
        let state = match State::read(&self.state_path) {
            Ok(Some(state)) => state,
            Ok(None) => return,
            Err(why) => {
                return self.journal.warning(&again(&format_args!("{}: {why}", self.state_path.display())));
            }
        };
        if state.source != self.fingerprint() {
            return self.journal.info(&again(&"the store is of another source"));
        }
        match FileStore::open(&self.store_path) {
            Ok(store) => {
                self.store = Some(Arc::new(store));
                self.state = Some(state);
            }
            Err(error) => self.journal.warning(&again(&error)),
        }
    }

    /// The store, as soon as there is one. Tries until it has one.
    pub(crate) async fn ready(&mut self) -> Result<Arc<FileStore>, KeepError> {
        let mut pause = PAUSE;
        loop {
            if let Some(store) = &self.store {
                return Ok(Arc::clone(store));
            }
            match self.load().await {
                Ok(()) => {}
                Err(KeepError::Platform(error)) => {
                    self.journal.error(&format!("indicators cannot be read: {error}; it is tried again"));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads everything and puts it in the place of what was there.
    async fn load(&mut self) -> Result<(), KeepError> {
        let begun = now();
        let source = self.fingerprint();
        let (built, unreadable, start) = match &self.source {
            Source::Files(paths) => {
                let (built, unreadable) = take::files(paths, &self.choice, begun)?;
                (built, unreadable, None)
            }
            Source::Platform(config) => {
                let platform = Platform::connect((**config).clone()).await?;
                // What changes while everything is read comes again with the stream.
                let start = match &self.stream {
                    Some(stream) => Some(stream::place(&platform, stream, begun - OVERLAP).await),
                    None => None,
                };
                let (built, unreadable) = take::platform(&platform, &self.choice, begun).await?;
                (built, unreadable, start)
            }
        };
        for (reason, count) in &built.about().skipped {
            self.journal.debug(&format!("{count} indicators or values were left out: {reason}"));
        }
        if unreadable > 0 {
            self.journal.warning(&format!("{unreadable} objects of threat intelligence could not be read"));
        }
        FileStore::create(&self.store_path, &built)?;
        drop(built);
        match &self.store {
            Some(store) => {
                store.refresh()?;
            }
            None => self.store = Some(Arc::new(FileStore::open(&self.store_path)?)),
        }
        let mut state = State::new(source, begun);
        state.start_from = start.map(|id| id.to_string());
        self.state = Some(state);
        (self.changed, self.state_changed) = (false, true);
        self.save();
        Ok(())
    }

    /// Keeps the store in step for as long as it is polled.
    pub(crate) async fn run(&mut self, work: SyncSender<Work>) {
        match &self.source {
            Source::Files(_) => self.watch(&work).await,
            Source::Platform(config) => {
                let config = (**config).clone();
                let platform = self.connected(config).await;
                self.catch_up().await;
                match self.stream.clone() {
                    Some(stream) => self.follow(&platform, &stream, &work).await,
                    None => self.ask(&platform, &work).await,
                }
            }
        }
    }

    async fn connected(&self, config: PlatformConfig) -> Platform {
        let mut pause = PAUSE;
        let mut told = String::new();
        loop {
            let error = match Platform::connect(config.clone()).await {
                Ok(platform) => return platform,
                Err(error) => error.to_string(),
            };
            if error != told {
                self.journal.warning(&format!("{error}; indicators stay as they are"));
                told = error;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sees to it that nothing is missed that changed while nobody was resident.
    async fn catch_up(&mut self) {
        let now = now();
        let Some(state) = &mut self.state else { return };
        let age = now - state.in_step;
        if age > TOO_OLD {
            self.journal.info("indicators were not in step for more than a day and are read anew");
            if let Err(error) = self.load().await {
                self.journal.error(&format!("indicators cannot be read: {error}; those from before are used"));
            }
        } else if age > FRESH && state.start_from.is_some() {
            state.recover_until = Timestamp::from_unix_millis(now).map(|time| time.to_string());
        }
    }

    /// Reads files again when they change.
    async fn watch(&mut self, work: &SyncSender<Work>) {
        let mut told = String::new();
        loop {
            tokio::time::sleep(WATCH).await;
            let Some(state) = &self.state else { continue };
            if state.source == self.fingerprint() {
                continue;
            }
            match self.load().await {
                Ok(()) => {
                    let count = self.store.as_ref().map_or(0, |store| store.store().snapshot().len());
                    self.journal.info(&format!("files changed: {count} indicators and observables"));
                    told.clear();
                    self.tell(work, || Work::Intel).await;
                }
                Err(error) => {
                    let line = format!("{error}; indicators stay as they are");
                    if line != told {
                        self.journal.error(&line);
                        told = line;
                    }
                }
            }
        }
    }

    /// Asks the platform for what changed, again and again.
    async fn ask(&mut self, platform: &Platform, work: &SyncSender<Work>) {
        let mut told = String::new();
        loop {
            let begun = now();
            let (since, loaded) = self.state.as_ref().map_or((0, 0), |state| (state.in_step, state.loaded));
            let asked = if begun - loaded > TOO_OLD {
                // Nobody tells what was deleted.
                self.load().await
            } else {
                self.changed_since(platform, since - OVERLAP).await
            };
            match asked {
                Ok(()) => {
                    told.clear();
                    if let Some(state) = &mut self.state {
                        state.in_step = begun;
                        self.state_changed = true;
                    }
                    self.tell(work, || Work::Known).await;
                }
                Err(error) => {
                    let line = format!("{error}; indicators stay as they are");
                    if line != told {
                        self.journal.warning(&line);
                        told = line;
                    }
                }
            }
            self.save_if_due();
            tokio::time::sleep(self.poll).await;
        }
    }

    async fn changed_since(&mut self, platform: &Platform, since: i64) -> Result<(), KeepError> {
        let date = Timestamp::from_unix_millis(since.max(0)).map(|time| time.to_string());
        let types = self.choice.types().into_iter().map(str::to_owned).collect();
        let select = Select::Types { types, changed_since: date };
        let mut changes = Changes::default();
        let mut unreadable = 0;
        take::pages(platform, &select, &mut unreadable, |object, labels| {
            changes.put(object.clone(), labels.to_vec());
        })
        .await?;
        self.apply(&mut changes)
    }

    /// Brings changes into the store. Each is visible when this returns.
    fn apply(&mut self, changes: &mut Changes) -> Result<(), KeepError> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut builder = store.store().builder(alert_enricher::store::Worthless::default());
        let mut gone = Vec::new();
        for (id, now) in changes.objects.drain() {
            let taken = now.is_some_and(|(object, labels)| self.choice.take(&object, &labels, &mut builder));
            if !taken {
                gone.push(id);
            }
        }
        // What goes does not depend on what comes.
        let removed = if gone.is_empty() { Ok(0) } else { store.store().remove(&gone) };
        self.changed |= removed.as_ref().is_ok_and(|count| *count > 0);
        if !builder.is_empty() {
            store.store().add(builder)?;
            self.changed = true;
        }
        removed.map(drop).map_err(KeepError::from)
    }

    /// Gives the thread that raises something to do, without waiting for it.
    async fn tell(&self, work: &SyncSender<Work>, what: fn() -> Work) {
        while work.try_send(what()).is_err_and(|error| matches!(error, std::sync::mpsc::TrySendError::Full(_))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn save_if_due(&mut self) {
        if self.saved.elapsed() > SAVE {
            self.save();
        }
    }

    /// Writes the store if it was changed, then the place up to which it is in step.
    pub(crate) fn save(&mut self) {
        self.saved = Instant::now();
        let written = match &self.store {
            Some(store) if self.changed => store.save().map_err(KeepError::from),
            _ => Ok(()),
        };
        let written = written.and_then(|()| {
            self.changed = false;
            match &self.state {
                Some(state) if self.state_changed => state
                    .write(&self.state_path)
                    .map_err(|error| KeepError::File { path: self.state_path.clone(), what: error.to_string() }),
                _ => Ok(()),
            }
        });
        match written {
            Ok(()) => self.state_changed = false,
            Err(error) => self.journal.error(&format!("indicators cannot be written: {error}")),
        }
    }

    /// Forgets the store, so that the next start reads everything anew.
    pub(crate) fn discard(&self) {
        if let Err(error) = std::fs::remove_file(&self.state_path) {
            self.journal.error(&format!("{}: {error}", self.state_path.display()));
        }
    }

    /// Tells sources apart: another platform, other files, another choice.
    fn fingerprint(&self) -> String {
        let of = match &self.source {
            Source::Platform(config) => format!("{} {}", config.url, self.stream.as_deref().unwrap_or("-")),
            Source::Files(paths) => {
                let one = |path: &PathBuf| {
                    let metadata = std::fs::metadata(path).ok();
                    let length = metadata.as_ref().map_or(0, std::fs::Metadata::len);
                    let modified = metadata.and_then(|metadata| metadata.modified().ok());
                    format!("{} {length} {modified:?}", path.display())
                };
                paths.iter().map(one).collect::<Vec<_>>().join("\n")
            }
        };
        let Choice { observables, ignored_labels, .. } = &self.choice;
        format!("{of}\nobservables {observables} labels {ignored_labels:?} ignored {}", self.ignored)
    }
}

/// What changed, by identifier; of several changes of one object the last.
#[derive(Debug, Default)]
struct Changes {
    /// `None` for what is gone.
    objects: HashMap<Identifier, Option<(Object, Vec<String>)>>,
}

impl Changes {
    fn put(&mut self, object: Object, labels: Vec<String>) {
        self.objects.insert(object.id().clone(), Some((object, labels)));
    }

    fn gone(&mut self, id: Identifier) {
        self.objects.insert(id, None);
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn len(&self) -> usize {
        self.objects.len()
    }
}

fn tell(journal: &Journal, notice: &Notice<'_>) {
    match notice {
        Notice::Disconnected { .. } | Notice::Dropped { .. } => journal.warning(&notice.to_string()),
        _ => journal.debug(&notice.to_string()),
    }
}
