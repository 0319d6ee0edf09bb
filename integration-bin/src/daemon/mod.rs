//! The resident mode: indicators stay in memory, in step with the platform, and alerts are matched as they come.
//!
//! Sources hand alerts to a sieve, which looks for values and patterns of the store in the text of the alert and parses
//! nothing that has none. What is left, few alerts, goes to one thread that asks for everything that is known, judges and
//! raises exactly as the per-alert mode does. So both give the same answers; the store only saves the question.

mod documents;
mod follow;
mod forward;
mod indexer;
mod intel;
mod place;
mod raise;
mod repeats;
mod settings;
mod sieve;
mod sightings;
mod source;
mod webhook;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::commands::alert::home;
use crate::intelligence::platform_config;
use crate::journal::Journal;
use crate::process::{Lazy, Processor};
use crate::settings::Settings;
use crate::spool::Bounds;
use documents::Documents;
use follow::{Follower, Start};
use forward::Listener;
pub(crate) use forward::forward;
use indexer::{Indexed, Matches};
use intel::Keeper;
use raise::Raiser;
use settings::Output;
pub(crate) use settings::{DaemonArguments, DaemonSettings};
use sieve::Sieve;
use sightings::Sightings;
use webhook::Webhook;

/// So many alerts with something in them wait for the thread that raises; then the sources wait.
const QUEUED: usize = 1_024;

/// Why the resident mode cannot begin, or ended, with the exit code.
type Failed = (String, u8);

pub(crate) fn run(arguments: &DaemonArguments) -> ExitCode {
    let home = arguments.home.clone().unwrap_or_else(home);
    let journal = Journal::new(&home, arguments.debug);
    match resident(arguments, &home, &journal) {
        Ok(()) => ExitCode::SUCCESS,
        Err((line, code)) => {
            journal.error(&line);
            ExitCode::from(code)
        }
    }
}

/// For `map_err`: the error as text, with this exit code.
fn with_code<E: std::fmt::Display>(code: u8) -> impl Fn(E) -> Failed {
    move |error| (error.to_string(), code)
}

fn resident(arguments: &DaemonArguments, home: &Path, journal: &Journal) -> Result<(), Failed> {
    let settings = arguments.settings(home).map_err(with_code(2))?;
    let processor = Processor::new(&settings).map_err(with_code(2))?;
    let judge = settings.judge().map_err(with_code(2))?;
    let waiting = settings.state(home);
    let state = waiting.join("daemon");
    let of_state = |error: std::io::Error| (format!("{}: {error}", state.display()), 1);
    std::fs::create_dir_all(&state).map_err(of_state)?;
    let _lock = only_one(&state)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(with_code(1))?;
    let mut signals = runtime.block_on(async { Signals::new() }).map_err(with_code(1))?;
    let token = std::env::var("OPENCTI_TOKEN").ok().filter(|token| !token.is_empty());
    let mut keeper = Keeper::open(&settings, token.as_deref(), &state, journal).map_err(with_code(2))?;
    // Opened before indicators are read, so that what comes meanwhile is not missed.
    let follower = if settings.daemon.follow.unwrap_or(true) {
        Some(follower(arguments, &settings, home, &state, journal)?)
    } else {
        None
    };
    let indexed = Indexed::new(&settings, arguments, &state, journal).map_err(|line| (line, 2))?;
    let documents = if settings.daemon.goes_to(Output::Indexer) {
        let matches = Matches::new(&settings.daemon.indexer).map_err(|line| (line, 2))?;
        Some(Documents::open(matches, &state, Bounds::of(&settings), journal).map_err(of_state)?)
    } else {
        None
    };
    let webhook = Webhook::bind(&settings.daemon.webhook).map_err(|line| (line, 2))?;
    let sightings = Sightings::open(&settings.daemon.sightings, &state, journal);
    let ready = runtime.block_on(async {
        tokio::select! {
            store = keeper.ready() => Some(store),
            () = signals.any() => None,
        }
    });
    let Some(store) = ready else { return Ok(()) };
    let store = store.map_err(with_code(1))?;
    let (sender, receiver) = mpsc::sync_channel(QUEUED);
    let sources = usize::from(follower.is_some()) + usize::from(indexed.is_some());
    let control = Arc::new(Control { sources: sources.into(), ..Control::default() });
    let sieve = || Sieve::new(&store, &processor.catalogue, judge.clone());
    // Whoever cannot forward looks for themselves.
    let listener = Listener::bind(&waiting, &settings, token.as_deref())
        .inspect_err(|error| journal.warning(&format!("{}: {error}", forward::path(&waiting).display())));
    journal.info(&format!("resident: {} indicators and observables", store.store().snapshot().len()));
    let lazy = Lazy::new(&settings, None, token.as_deref(), &waiting).telling(journal);
    let raiser = Raiser::new(
        &settings,
        &processor,
        lazy,
        home,
        &waiting,
        journal,
        Arc::clone(&control),
        (documents, sightings.clone()),
    );
    std::thread::scope(|scope| {
        let raising = scope.spawn(move || raiser.run(&receiver));
        let following = follower.map(|follower| {
            let (sender, journal, control) = (sender.clone(), journal.clone(), Arc::clone(&control));
            let (sieve, once) = (sieve(), arguments.once);
            scope.spawn(move || {
                let followed = source::follow(follower, sieve, &sender, &control, &journal, once);
                control.source_ended(&followed);
                followed
            })
        });
        let searching = indexed.map(|indexed| {
            let (sender, control, sieve, once) = (sender.clone(), Arc::clone(&control), sieve(), arguments.once);
            scope.spawn(move || {
                let searched = indexed.run(sieve, &sender, &control, once);
                control.source_ended(&searched);
                searched
            })
        });
        let hook = webhook.as_ref().and_then(|webhook| Some((webhook.scheme(), webhook.address().ok()?)));
        if let Some(webhook) = webhook {
            let (sender, journal, control) = (sender.clone(), journal.clone(), Arc::clone(&control));
            let sieve = sieve();
            scope.spawn(move || webhook.run(sieve, &sender, &control, &journal));
        }
        if let Some((scheme, address)) = hook {
            journal.info(&format!("alerts are taken at {scheme}://{address}"));
        }
        if let (Some(sightings), Some(connector)) = (&sightings, &settings.daemon.sightings.connector_id) {
            match platform_config(&settings, None, token.as_deref()) {
                Ok(config) => {
                    let (journal, control) = (journal.clone(), Arc::clone(&control));
                    scope.spawn(move || sightings.send(&config, connector, &control, &journal));
                }
                Err(error) => journal.error(&format!("no sightings are sent: {error}")),
            }
        }
        if let Ok(Some(listener)) = listener {
            let (sender, journal, control) = (sender.clone(), journal.clone(), Arc::clone(&control));
            let sieve = sieve();
            scope.spawn(move || listener.run(sieve, &sender, &control, &journal));
        }
        keep(&runtime, &mut keeper, sender, &mut signals, &control);
        control.end();
        forward::wake(&waiting);
        if let Some((_, address)) = hook {
            webhook::wake(address);
        }
        let ended = |_| Err("the thread that follows alerts ended".to_owned());
        let followed = following.map_or(Ok(()), |following| following.join().unwrap_or_else(ended));
        let ended = |_| Err("the thread that searches the indexer ended".to_owned());
        let searched = searching.map_or(Ok(()), |searching| searching.join().unwrap_or_else(ended));
        // It ends when the last source is gone and everything before was dealt with.
        let raised = raising.join();
        let damaged = control.damaged.lock().unwrap_or_else(PoisonError::into_inner).take();
        if damaged.is_some() {
            keeper.discard();
        } else {
            keeper.save();
        }
        journal.info("resident: stopped");
        raised.map_err(|_| ("the thread that raises events ended".to_owned(), 1))?;
        followed.and(searched).and(damaged.map_or(Ok(()), Err)).map_err(|line| (line, 1))
    })
}

/// Keeps the store in step until somebody says stop.
fn keep(
    runtime: &Runtime,
    keeper: &mut Keeper,
    sender: mpsc::SyncSender<raise::Work>,
    signals: &mut Signals,
    control: &Control,
) {
    runtime.block_on(async {
        tokio::select! {
            () = keeper.run(sender) => {}
            () = signals.any() => {}
            () = control.ended.notified() => {}
        }
    });
}

/// What threads tell each other.
#[derive(Debug, Default)]
pub(crate) struct Control {
    stopping: AtomicBool,
    /// How many sources have not ended.
    sources: AtomicUsize,
    ended: Notify,
    /// What is wrong with the store, if anything is.
    damaged: Mutex<Option<String>>,
}

impl Control {
    /// Whether the program is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A source ended: with the last one the program does, and with any that failed.
    fn source_ended(&self, how: &Result<(), String>) {
        if self.sources.fetch_sub(1, Ordering::Relaxed) <= 1 || how.is_err() {
            self.end();
        }
    }

    /// The store of indicators is damaged: the program ends, and the next one makes it anew.
    fn damaged(&self, line: String) {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line);
        self.end();
    }

    /// Ends the program, gracefully.
    pub(crate) fn end(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.ended.notify_one();
    }
}

/// The signals that end the program.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Two would raise everything twice and overwrite each other's state.
fn only_one(state: &Path) -> Result<File, Failed> {
    let path = state.join("lock");
    let failed = |error: std::io::Error| (format!("{}: {error}", path.display()), 1);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err((format!("{}: another one is resident already", state.display()), 1)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The follower of `alerts.json`, from where the run before stopped.
fn follower(
    arguments: &DaemonArguments,
    settings: &Settings,
    home: &Path,
    state: &Path,
    journal: &Journal,
) -> Result<Follower, Failed> {
    let path = settings.daemon.alerts.clone().unwrap_or_else(|| home.join("logs/alerts/alerts.json"));
    let position = match place::read(state) {
        Ok(position) => position,
        Err(line) => {
            journal.warning(&format!("{line}; the alerts that are there are read again"));
            return Follower::new(&path, None, Start::Beginning).map_err(|error| of_file(&path, &error));
        }
    };
    let start = if arguments.from_beginning { Start::Beginning } else { Start::End };
    Follower::new(&path, position, start).map_err(|error| of_file(&path, &error))
}

fn of_file(path: &Path, error: &std::io::Error) -> Failed {
    (format!("{}: {error}", path.display()), 1)
}
