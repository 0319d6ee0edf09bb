//! Raising events for the alerts that have something of the store in them: one thread, in the order in which they come.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use alert_enricher::event::Limits;
use alert_enricher::knowledge::EventOptions;
use stix_model::{Identifier, Timestamp};
use wazuh_query::alert::Alert;
use wazuh_query::store::StoreError;

use super::follow::Position;
use super::indexer::{Checkpoint, Matches};
use super::repeats::Repeats;
use super::settings::Output;
use super::sightings::Sightings;
use super::{Control, forward, place};
use crate::commands::alert::{TOLD, Trouble, now, tell_error};
use crate::intelligence::{self, LookupError};
use crate::journal::Journal;
use crate::process::{Lazy, Processor};
use crate::settings::Settings;
use crate::socket::{QueueSocket, SendError};
use crate::spool::{Bounds, Lost, Spool};

/// Pauses between attempts while something is away.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often to look whether others left something in the spool.
const LOOK: Duration = Duration::from_secs(10);
/// How long one alert may wait for answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the thread is given.
#[derive(Debug)]
pub(crate) enum Work {
    /// An alert in which these things of the store are.
    Alert { text: String, ids: Vec<Identifier>, answer: Option<Answer> },
    /// All alerts of the file up to here were given.
    Position(Position),
    /// All documents of the indexer up to here were given.
    Indexed(Checkpoint),
    /// What is known about observables changed.
    Known,
    /// The files of threat intelligence changed.
    Intel,
}

/// Somebody waits for an alert to be dealt with, for a while; then they look for themselves, or send it again.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A byte is written.
    Byte { stream: UnixStream, until: Instant },
    /// A word is sent.
    Told { to: Sender<()>, until: Instant },
}

impl Answer {
    fn is_late(&self) -> bool {
        let (Self::Byte { until, .. } | Self::Told { until, .. }) = self;
        Instant::now() > *until
    }

    fn give(self) {
        // Whoever does not wait any more has gone on without it.
        match self {
            Self::Byte { mut stream, .. } => {
                let _gone = stream.write_all(&[forward::TAKEN]);
            }
            Self::Told { to, .. } => {
                let _gone = to.send(());
            }
        }
    }
}

/// Why an alert could not be dealt with.
enum Open {
    Wait { event: &'static str, line: String },
    Drop(String),
}

impl From<LookupError> for Open {
    fn from(error: LookupError) -> Self {
        // A file may be away while it is replaced.
        if error.is_temporary() || matches!(error, LookupError::File { .. }) {
            Self::Wait { event: "no-answer", line: error.to_string() }
        } else {
            Self::Drop(error.to_string())
        }
    }
}

impl From<SendError> for Open {
    fn from(error: SendError) -> Self {
        if error.is_temporary() {
            Self::Wait { event: "no-manager", line: error.to_string() }
        } else {
            Self::Drop(error.to_string())
        }
    }
}

impl From<StoreError> for Open {
    fn from(error: StoreError) -> Self {
        Self::Wait { event: "no-indexer", line: error.to_string() }
    }
}

/// Since when something is away.
#[derive(Debug)]
struct Away {
    again: Instant,
    pause: Duration,
}

pub(crate) struct Raiser<'s> {
    settings: &'s Settings,
    processor: &'s Processor,
    intelligence: Lazy<'s>,
    events: EventOptions,
    queue: Option<QueueSocket>,
    matches: Option<Matches>,
    sightings: Option<Sightings>,
    ndjson: bool,
    spool: Option<Spool>,
    /// Where what waits is, and below it the state of the resident mode.
    state: PathBuf,
    journal: Journal,
    control: Arc<Control>,
    repeats: Repeats,
    recent: Recent,
    away: Option<Away>,
    looked: Instant,
}

impl<'s> Raiser<'s> {
    #[expect(clippy::too_many_arguments, reason = "it is made once")]
    pub(crate) fn new(
        settings: &'s Settings,
        processor: &'s Processor,
        intelligence: Lazy<'s>,
        home: &Path,
        state: &Path,
        journal: &Journal,
        control: Arc<Control>,
        (matches, sightings): (Option<Matches>, Option<Sightings>),
    ) -> Self {
        let bounds = Bounds::of(settings);
        let spool = match Spool::open(&state.join("spool"), bounds) {
            Ok(spool) => Some(spool),
            Err(error) => {
                journal.error(&format!("{}: nothing can wait: {error}", state.display()));
                None
            }
        };
        let socket = QueueSocket::new(settings.queue(home));
        let waits = spool.as_ref().is_some_and(|spool| !spool.is_empty().unwrap_or(true));
        Self {
            settings,
            processor,
            intelligence,
            events: EventOptions { platform: intelligence::address(settings, None) },
            queue: settings.daemon.goes_to(Output::Queue).then_some(socket),
            matches,
            sightings,
            ndjson: settings.daemon.goes_to(Output::Ndjson),
            spool,
            state: state.to_owned(),
            journal: journal.clone(),
            control,
            repeats: Repeats::new(settings.daemon.window()),
            recent: Recent::default(),
            // What waits from before comes first.
            away: waits.then(|| Away { again: Instant::now(), pause: PAUSE }),
            looked: Instant::now(),
        }
    }

    /// Works until nobody gives work any more.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        loop {
            let wait = match &self.away {
                Some(away) => away.again.saturating_duration_since(Instant::now()),
                None => LOOK,
            };
            match work.recv_timeout(wait) {
                Ok(Work::Alert { text, ids, answer }) => self.alert(&text, &ids, answer),
                Ok(Work::Position(position)) => self.keep(position),
                Ok(Work::Indexed(checkpoint)) => self.keep_indexed(&checkpoint),
                Ok(Work::Known) => self.repeats.forget_silence(),
                Ok(Work::Intel) => {
                    self.intelligence.forget();
                    self.repeats.forget_silence();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.replay();
        }
        // Whoever waits gets one more chance before the end.
        if let Some(away) = &mut self.away {
            away.again = Instant::now();
            self.replay();
        }
        self.keep_sightings();
    }

    fn alert(&mut self, text: &str, ids: &[Identifier], answer: Option<Answer>) {
        if answer.as_ref().is_some_and(Answer::is_late) {
            return;
        }
        self.now_or_later(text, ids);
        if let Some(answer) = answer {
            answer.give();
        }
    }

    fn now_or_later(&mut self, text: &str, ids: &[Identifier]) {
        if self.away.is_some() {
            // In order: behind those that wait.
            return self.wait(text, None);
        }
        match self.one(text, ids) {
            Ok(()) => {}
            Err(Open::Drop(line)) => self.journal.error(&format!("{line}; the alert is dropped")),
            Err(Open::Wait { event, line }) => {
                self.journal.warning(&format!("{line}; alerts wait until it is back"));
                self.away = Some(Away { again: Instant::now() + PAUSE, pause: PAUSE });
                self.wait(text, Some((event, &line)));
            }
        }
    }

    /// Looks one alert up and raises what is known. `ids` is empty for one that waited.
    fn one(&mut self, text: &str, ids: &[Identifier]) -> Result<(), Open> {
        let started = Instant::now();
        let alert = match Alert::read(text, &self.processor.catalogue) {
            Ok(alert) => alert,
            Err(error) => return Err(Open::Drop(format!("not an alert: {error}"))),
        };
        let Ok(asked) = self.processor.asked(&alert) else { return Ok(()) };
        let agent = alert.agent.id.as_deref().unwrap_or_default();
        let name = name_of(&alert);
        if !ids.is_empty() && name.as_ref().is_some_and(|name| self.recent.has(name)) {
            // It came from two sources.
            return Ok(());
        }
        let alike = Repeats::alike(agent, ids);
        if !ids.is_empty() && self.repeats.again(&alike, started) {
            self.recent.add(name);
            self.sight(&alert, self.repeats.events(&alike));
            return Ok(());
        }
        let deadline = started + self.settings.timeout.map_or(PATIENCE, Duration::from_secs);
        let judged = self.processor.judge(&alert, &asked, self.intelligence.get()?, deadline)?;
        let mut events = Vec::with_capacity(judged.events.len());
        for event in &judged.events {
            let name = Repeats::event(agent, event.event_type.name(), &event.indicator.indicator.id);
            if let Some(repeats) = self.repeats.is_due(&name, started) {
                let mut document = event.document(&alert, &self.processor.catalogue, &self.events);
                if repeats > 0 {
                    document.text("repeats", repeats.to_string());
                }
                if let Some(matches) = &mut self.matches {
                    let time = Timestamp::from_unix_millis(now()).unwrap_or(Timestamp::UNIX_EPOCH);
                    let document = event.threat(&alert, &self.processor.catalogue, &self.events, time);
                    // Writing it again, should something else fail now, makes no second one.
                    matches.write(&document, &self.journal)?;
                }
                if let Some(queue) = &mut self.queue
                    && let Some(message) = self.processor.message(&document, Some(&alert))
                {
                    queue.send(message.as_bytes(), Instant::now() + PATIENCE)?;
                }
                if self.ndjson {
                    self.print(&document.render(&Limits::default()).json);
                }
                self.repeats.raised(name.clone(), started);
            }
            events.push(name);
        }
        self.recent.add(name);
        self.sight(&alert, &events);
        if !ids.is_empty() {
            self.repeats.dealt_with(alike, events, started);
        }
        Ok(())
    }

    /// Counts what was seen in an alert, raised or not.
    fn sight(&self, alert: &Alert<'_>, events: &[Box<str>]) {
        let Some(sightings) = &self.sightings else { return };
        let agent = (alert.agent.id.as_deref().unwrap_or_default(), alert.agent.name.as_deref().unwrap_or_default());
        for indicator in events.iter().filter_map(|event| Repeats::sighted(event)) {
            sightings.count(&indicator, agent, alert.timestamp);
        }
    }

    fn keep_sightings(&self) {
        if let Some(sightings) = &self.sightings
            && let Err(error) = sightings.keep()
        {
            self.journal.error(&format!("sightings cannot be kept: {error}"));
        }
    }

    fn print(&mut self, json: &str) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{json}").and_then(|()| out.flush()) {
            self.ndjson = false;
            self.journal.error(&format!("standard output: {error}"));
            self.control.end();
        }
    }

    /// Keeps an alert for later. `why` is told to the manager if that was not done lately.
    fn wait(&mut self, text: &str, why: Option<(&'static str, &str)>) {
        let kept = match &self.spool {
            Some(spool) => spool.append(text.as_bytes(), now()),
            None => Err(std::io::Error::other("there is no folder for alerts that wait")),
        };
        let lost = kept.unwrap_or_else(|error| {
            self.journal.error(&format!("an alert is lost, since it could not be kept: {error}"));
            Lost { full: 1, ..Lost::default() }
        });
        self.tell_lost(lost);
        let (event, line) = why.unwrap_or(("lost", "alerts that waited are lost"));
        if (why.is_some() || !lost.is_empty())
            && let Some(queue) = &mut self.queue
        {
            tell_error(&Trouble { event, line, lost, text: Some(text) }, self.processor, queue, &self.state);
        }
    }

    /// Takes those along that wait, oldest first, if it is time for that.
    fn replay(&mut self) {
        let now = Instant::now();
        match &self.away {
            Some(away) if now < away.again => return,
            None if now < self.looked + LOOK => return,
            _ => self.looked = now,
        }
        let Some(spool) = self.spool.clone() else {
            self.away = None;
            return;
        };
        match self.drain(&spool) {
            Ok(Drained::All) => {
                if self.away.take().is_some() {
                    self.journal.info("what waited was dealt with");
                    let _told_again = std::fs::remove_file(self.state.join(TOLD));
                }
            }
            Ok(Drained::Busy) => self.again(),
            Ok(Drained::Away(event, line, text)) => {
                if self.away.is_none() {
                    self.journal.warning(&format!("{line}; alerts wait until it is back"));
                }
                if let Some(queue) = &mut self.queue {
                    let trouble = Trouble { event, line: &line, lost: Lost::default(), text: Some(&text) };
                    tell_error(&trouble, self.processor, queue, &self.state);
                }
                self.again();
            }
            Err(error) => {
                self.journal.warning(&format!("what waits cannot be read: {error}"));
                self.again();
            }
        }
    }

    fn again(&mut self) {
        let pause = self.away.as_ref().map_or(PAUSE, |away| (away.pause * 2).min(LONGEST_PAUSE));
        self.away = Some(Away { again: Instant::now() + pause, pause });
    }

    fn drain(&mut self, spool: &Spool) -> std::io::Result<Drained> {
        if spool.is_empty()? {
            return Ok(Drained::All);
        }
        let Some(mut drain) = spool.drain()? else { return Ok(Drained::Busy) };
        let mut outcome = Drained::All;
        while let Some(record) = drain.next(now())? {
            let text = String::from_utf8_lossy(&record.alert).into_owned();
            match self.one(&text, &[]) {
                Ok(()) => {}
                Err(Open::Drop(line)) => self.journal.error(&format!("{line}; the alert is dropped")),
                Err(Open::Wait { event, line }) => {
                    outcome = Drained::Away(event, line, text);
                    break;
                }
            }
            drain.done()?;
        }
        let lost = drain.lost;
        self.tell_lost(lost);
        Ok(outcome)
    }

    fn tell_lost(&self, lost: Lost) {
        if !lost.is_empty() {
            self.journal.error(&format!(
                "alerts that waited are lost: {} because too much waited, {} too old, {} damaged",
                lost.full, lost.old, lost.damaged
            ));
        }
    }

    fn keep_indexed(&mut self, checkpoint: &Checkpoint) {
        self.keep_sightings();
        if let Err(error) = checkpoint.write(&self.state.join("daemon")) {
            self.journal.error(&format!("the position in the indexer cannot be kept: {error}"));
        }
    }

    fn keep(&mut self, position: Position) {
        self.keep_sightings();
        if let Err(error) = place::keep(&self.state.join("daemon"), position) {
            self.journal.error(&format!("the position in the alerts cannot be kept: {error}"));
        }
    }
}

/// How far the spool was drained.
enum Drained {
    All,
    /// Another process does it.
    Busy,
    /// Something is away: the event, the line and the alert.
    Away(&'static str, String, String),
}

/// What tells an alert from all others, if it has an identifier.
fn name_of(alert: &Alert<'_>) -> Option<Box<str>> {
    let id = alert.shown_id()?;
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
    let time = alert.timestamp.map(|time| time.unix_millis());
    let (agent, rule, location) = (text(&alert.agent.id), text(&alert.rule.id), text(&alert.location));
    Some(format!("{id}\n{time:?}\n{agent}\n{rule}\n{location}").into())
}

/// Alerts that were dealt with lately, by name.
#[derive(Debug, Default)]
struct Recent {
    names: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

/// So many alerts with something in them may come between two sources.
const RECENT: usize = 10_000;

impl Recent {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn add(&mut self, name: Option<Box<str>>) {
        let Some(name) = name else { return };
        if self.names.insert(name.clone()) {
            self.order.push_back(name);
        }
        if self.order.len() > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
    }
}
