//! Raising events for the alerts that have something of the store in them: one thread, in the order in which they come.

mod waiting;
mod work;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use alert_enricher::event::Limits;
use alert_enricher::knowledge::EventOptions;
use stix_model::Timestamp;
use wazuh_query::alert::Alert;

use super::documents::Documents;
use super::follow::Position;
use super::indexer::Checkpoint;
use super::repeats::Repeats;
use super::settings::Output;
use super::sightings::Sightings;
use super::{Control, place};
use crate::commands::alert::now;
use crate::intelligence;
use crate::journal::Journal;
use crate::process::{Lazy, Processor};
use crate::settings::Settings;
use crate::socket::QueueSocket;
use crate::spool::{Bounds, Spool};
use waiting::Blame;
pub(crate) use work::{Answer, Away, Found, Work};
use work::{Open, Recent, Why, name_of};

/// How often to look whether others left something in the spool.
const LOOK: Duration = Duration::from_secs(10);
/// How long one alert may wait for answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// So much of what is given is taken in before those that wait are looked at again.
const TURN: usize = 64;

pub(crate) struct Raiser<'s> {
    settings: &'s Settings,
    processor: &'s Processor,
    intelligence: Lazy<'s>,
    events: EventOptions,
    queue: Option<QueueSocket>,
    documents: Option<Documents>,
    sightings: Option<Sightings>,
    ndjson: bool,
    spool: Option<Spool>,
    bounds: Bounds,
    /// Where what waits is, and below it the state of the resident mode.
    state: PathBuf,
    /// The manager's folder.
    home: PathBuf,
    journal: Journal,
    control: Arc<Control>,
    repeats: Repeats,
    recent: Recent,
    away: Option<Away>,
    looked: Instant,
    blame: Blame,
    /// Until when the alert at hand has to be raised or kept, since somebody waits for it.
    end: Option<Instant>,
    /// Whether the last alert that had to wait could not be kept.
    is_full: bool,
    /// Whether an alert was neither raised nor kept: no position behind it is.
    has_open: bool,
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
        (documents, sightings): (Option<Documents>, Option<Sightings>),
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
            documents,
            sightings,
            ndjson: settings.daemon.goes_to(Output::Ndjson),
            spool,
            bounds,
            state: state.to_owned(),
            home: home.to_owned(),
            journal: journal.clone(),
            control,
            repeats: Repeats::new(settings.daemon.window()),
            recent: Recent::default(),
            // What waits from before comes first.
            away: waits.then(Away::at_once),
            looked: Instant::now(),
            blame: Blame::default(),
            end: None,
            is_full: false,
            has_open: false,
        }
    }

    /// Works until nobody gives work any more.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        let mut kept = Instant::now();
        loop {
            let wait = self.away.as_ref().map_or(LOOK, Away::left);
            let wait = wait.min(self.documents.as_ref().and_then(Documents::left).unwrap_or(LOOK));
            match work.recv_timeout(wait) {
                Ok(first) => {
                    self.take(first);
                    for next in work.try_iter().take(TURN) {
                        self.take(next);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // What waits longer than the program runs is for the next one.
            if !self.control.is_stopping() {
                self.replay();
            }
            // Not every source has positions with which they are kept.
            if kept.elapsed() > LOOK {
                kept = Instant::now();
                self.keep_sightings();
            }
        }
        self.replay_at_end();
        self.keep_sightings();
    }

    fn take(&mut self, work: Work) {
        match work {
            Work::Alert { text, ids, answer } => self.alert(&text, &ids, answer),
            Work::Position(position) => self.keep(position),
            Work::Indexed(checkpoint) => self.keep_indexed(&checkpoint),
            Work::Known => self.repeats.forget_silence(),
            Work::Intel => {
                self.intelligence.forget();
                self.repeats.forget_silence();
            }
        }
    }

    fn alert(&mut self, text: &str, ids: &[Found], mut answer: Option<Answer>) {
        if let Some(answer) = &mut answer {
            let Some(end) = answer.begin() else { return };
            self.end = Some(end);
        }
        let is_dealt_with = self.now_or_later(text, ids);
        self.end = None;
        match answer {
            Some(answer) if is_dealt_with => answer.give(),
            // Whoever gets no answer looks for themselves, or sends it again.
            Some(_) => {}
            None if is_dealt_with => {}
            None => self.hold(text, ids),
        }
    }

    /// Deals with an alert, or keeps it. Answers `false` if neither is possible.
    fn now_or_later(&mut self, text: &str, ids: &[Found]) -> bool {
        if self.away.is_some() {
            // In order: behind those that wait.
            return self.wait(text, None);
        }
        match self.one(text, ids) {
            Ok(()) => true,
            Err(Open::Drop(line)) => {
                self.journal.error(&format!("{line}; the alert is dropped"));
                true
            }
            Err(Open::Wait(why)) => {
                if !self.is_full {
                    self.journal.warning(&format!("{}; alerts wait until it is back", why.line));
                }
                if why.is_lookup {
                    self.blame.failed();
                }
                self.away = Some(Away::new());
                self.wait(text, Some(&why))
            }
        }
    }

    /// Looks one alert up and raises what is known. `ids` is empty for one that waited.
    fn one(&mut self, text: &str, ids: &[Found]) -> Result<(), Open> {
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
        let end = self.end;
        let in_time = |deadline: Instant| end.map_or(deadline, |end| deadline.min(end));
        let deadline = in_time(started + self.settings.timeout.map_or(PATIENCE, Duration::from_secs));
        let judged = self.processor.judge(&alert, &asked, self.intelligence.get()?, deadline)?;
        self.blame.answered();
        let mut events = Vec::with_capacity(judged.events.len());
        for event in &judged.events {
            let name = Repeats::event(agent, event.event_type.name(), &event.indicator.indicator.id);
            if let Some(repeats) = self.repeats.is_due(&name, started) {
                let mut document = event.document(&alert, &self.processor.catalogue, &self.events);
                if repeats > 0 {
                    document.text("repeats", repeats.to_string());
                }
                if let Some(documents) = &mut self.documents {
                    let time = Timestamp::from_unix_millis(now()).unwrap_or(Timestamp::UNIX_EPOCH);
                    let document = event.threat(&alert, &self.processor.catalogue, &self.events, time);
                    // Writing it again, should something else fail now, makes no second one.
                    documents.take(&document).map_err(|line| {
                        Open::Wait(Why { event: "no-indexer", line, is_lookup: false, may_be_alert: false })
                    })?;
                }
                if let Some(queue) = &mut self.queue
                    && let Some(message) = self.processor.message(&document, Some(&alert))
                {
                    queue.send(message.as_bytes(), in_time(Instant::now() + PATIENCE))?;
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

    fn keep_indexed(&mut self, checkpoint: &Checkpoint) {
        self.keep_sightings();
        if self.has_open {
            return;
        }
        if let Err(error) = checkpoint.write(&self.state.join("daemon")) {
            self.journal.error(&format!("the position in the indexer cannot be kept: {error}"));
        }
    }

    fn keep(&mut self, position: Position) {
        self.keep_sightings();
        if self.has_open {
            return;
        }
        if let Err(error) = place::keep(&self.state.join("daemon"), position) {
            self.journal.error(&format!("the position in the alerts cannot be kept: {error}"));
        }
    }
}
