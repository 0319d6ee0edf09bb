//! One alert of the integrator.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alert_enricher::knowledge::error_document;
use wazuh_query::alert::Alert;

use crate::arguments::Arguments;
use crate::daemon::forward;
use crate::journal::Journal;
use crate::process::{Lazy, ProcessError, Processor};
use crate::settings::{Settings, other_spools};
use crate::socket::{QueueSocket, SendError};
use crate::spool::{Bounds, Lost, Spool};

/// Alerts are at most 64 KiB long; what is much longer is none.
const LARGEST: u64 = 16 << 20;
/// An error is told to the manager once in this time, not once per alert.
const ERROR_EVERY: Duration = Duration::from_hours(1);
/// More retries than this only fill the time that the run has.
const MOST_RETRIES: u32 = 10;
/// After so many failures while others got through an alert that waits is given up.
pub(crate) const MOST_TRIES: u32 = 10;
/// The file that remembers when it was told.
pub(crate) const TOLD: &str = "error-told";

/// How a run ends, in the numbers of Wazuh's own integrations.
mod code {
    pub(super) const ARGUMENTS: u8 = 2;
    pub(super) const NO_ANSWER: u8 = 4;
    pub(super) const SOCKET: u8 = 5;
    pub(super) const NO_FILE: u8 = 6;
    pub(super) const NO_ALERT: u8 = 7;
}

/// The manager's folder: above the one the program lies in, if that is the one of integrations.
pub(crate) fn home() -> PathBuf {
    let from_program = || {
        let program = std::env::current_exe().ok()?;
        let folder = program.parent()?;
        (folder.file_name()? == "integrations").then(|| folder.parent().map(Path::to_owned))?
    };
    let set = std::env::var_os("WAZUH_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    set.or_else(from_program).unwrap_or_else(|| PathBuf::from("/var/ossec"))
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let started = Instant::now();
    let home = home();
    let Some(arguments) = Arguments::read(arguments) else {
        Journal::new(&home, false).error("three arguments are expected: ALERT_FILE API_KEY HOOK_URL");
        return ExitCode::from(code::ARGUMENTS);
    };
    let journal = Journal::new(&home, arguments.debug).without(arguments.api_key.as_deref());
    match (Run { arguments, home, journal: journal.clone(), started }).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err((line, code)) => {
            journal.error(&line);
            ExitCode::from(code)
        }
    }
}

struct Run {
    arguments: Arguments,
    home: PathBuf,
    journal: Journal,
    started: Instant,
}

type Failed = (String, u8);

/// What becomes of an alert that could not be finished.
enum Open {
    /// It can be tried again.
    Wait(Wait),
    /// It would be the same again.
    Drop(Failed),
}

/// Why an alert has to wait.
struct Wait {
    line: String,
    event: &'static str,
    code: u8,
    /// Whether somebody has to change something first, and the run fails for that.
    is_mistake: bool,
    /// Whether it is the manager's queue that does not take this alert's event, or any.
    is_queue: bool,
}

impl Run {
    fn run(&self) -> Result<(), Failed> {
        let arguments = &self.arguments;
        let usual = Settings::default();
        let mut settings = Settings::read(arguments.options.as_deref(), &self.home)
            .map_err(|error| self.with_mistake(&error.to_string(), &usual))?;
        settings.retries = arguments.retries.map(|retries| retries.min(MOST_RETRIES));
        let text = self.alert()?;
        let deadline = self.started + settings.deadline(arguments.timeout);
        let state = settings.state(&self.home);
        let (url, token) = (arguments.hook_url.as_deref(), arguments.api_key.as_deref());
        if forward(text.as_bytes(), &settings, (url, token), &state, deadline) {
            self.journal.debug("the resident program took the alert");
            return Ok(());
        }
        let processor =
            Processor::for_alert(&text, &settings).map_err(|error| self.with_mistake(&error.to_string(), &settings))?;
        // Most alerts end here, without a file or a connection.
        let not_asked = match Alert::read(&text, &processor.catalogue) {
            Ok(alert) => processor.asked(&alert).err(),
            Err(error) => return Err((format!("not an alert: {error}"), code::NO_ALERT)),
        };
        if let Some(why) = not_asked {
            self.journal.debug(&why.to_string());
            return Ok(());
        }
        let spool = Spool::open(&state.join("spool"), Bounds::of(&settings));
        let mut socket = QueueSocket::new(settings.queue(&self.home));
        let mut intelligence = Lazy::new(&settings, url, token, &state).telling(&self.journal);
        match self.one(&text, &processor, &mut intelligence, &mut socket, deadline) {
            Ok(()) => {
                // Whoever gets through takes those along that wait, as far as the time goes.
                if let Ok(spool) = &spool {
                    let _told_again = std::fs::remove_file(state.join(TOLD));
                    take_over(spool, &state, &self.home, &self.journal);
                    let lost = self.replay(spool, &settings, &mut intelligence, &mut socket, deadline);
                    if !lost.is_empty() {
                        let trouble = Trouble { event: "alerts-lost", line: &line_of(lost), lost, text: None };
                        tell_error(&trouble, &processor, &mut socket, &state);
                    }
                }
                Ok(())
            }
            Err(Open::Drop(failed)) => Err(failed),
            Err(Open::Wait(Wait { line, event, code, is_mistake, .. })) => {
                let kept = spool.and_then(|spool| spool.append(text.as_bytes(), now()));
                let (lost, outcome) = match kept {
                    Ok(lost) => (lost, format!("{line}; the alert waits")),
                    Err(error) => (Lost::default(), format!("{line}; the alert could not be kept: {error}")),
                };
                let is_kept = outcome.ends_with("waits");
                self.tell_lost(lost);
                tell_error(
                    &Trouble { event, line: &self.journal.plain(&outcome), lost, text: Some(&text) },
                    &processor,
                    &mut socket,
                    &state,
                );
                if is_mistake || !is_kept {
                    return Err((outcome, code));
                }
                self.journal.warning(&outcome);
                Ok(())
            }
        }
    }

    /// The settings cannot be used: the alert waits until they can, where those that could be read say, or what is usual.
    fn with_mistake(&self, line: &str, settings: &Settings) -> Failed {
        let kept = self.alert().and_then(|text| {
            let state = settings.state(&self.home);
            let spool = Spool::open(&state.join("spool"), Bounds::of(settings));
            let kept = spool.and_then(|spool| spool.append(text.as_bytes(), now()));
            kept.map_err(|error| (error.to_string(), code::ARGUMENTS))
        });
        let line = match kept {
            Ok(lost) => {
                self.tell_lost(lost);
                format!("{line}; the alert waits")
            }
            Err((error, _)) => format!("{line}; the alert could not be kept: {error}"),
        };
        (line, code::ARGUMENTS)
    }

    fn alert(&self) -> Result<String, Failed> {
        let path = self.arguments.alert.as_ref();
        let path = path.ok_or_else(|| ("the integrator gave no file with an alert".to_owned(), code::NO_FILE))?;
        let wrong = |error: std::io::Error| (format!("{}: {error}", path.display()), code::NO_FILE);
        let length = std::fs::metadata(path).map_err(wrong)?.len();
        if length > LARGEST {
            return Err((format!("{}: {length} bytes are too many for an alert", path.display()), code::NO_ALERT));
        }
        let bytes = std::fs::read(path).map_err(wrong)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Looks one alert up and raises what is known.
    fn one(
        &self,
        text: &str,
        processor: &Processor,
        intelligence: &mut Lazy<'_>,
        socket: &mut QueueSocket,
        deadline: Instant,
    ) -> Result<(), Open> {
        let processed = processor.process(text, intelligence, deadline).map_err(|error| match error {
            ProcessError::Alert(_) => Open::Drop((error.to_string(), code::NO_ALERT)),
            ProcessError::Lookup(inner) => Open::Wait(Wait {
                is_mistake: !inner.is_temporary(),
                line: inner.to_string(),
                event: "no-answer",
                code: code::NO_ANSWER,
                is_queue: false,
            }),
        })?;
        self.journal.debug(&format!("{} events", processed.messages.len()));
        for message in &processed.messages {
            socket.send(message.as_bytes(), deadline).map_err(|error| of_socket(&error))?;
        }
        Ok(())
    }

    fn replay(
        &self,
        spool: &Spool,
        settings: &Settings,
        intelligence: &mut Lazy<'_>,
        socket: &mut QueueSocket,
        deadline: Instant,
    ) -> Lost {
        let replayed = (|| {
            if spool.is_empty()? {
                return Ok(Lost::default());
            }
            let Some(mut drain) = spool.drain()? else { return Ok(Lost::default()) };
            let processor = Processor::new(settings).map_err(std::io::Error::other)?;
            let mut got_through = true;
            // The last of the time is left for the alert that is being waited for.
            while deadline.saturating_duration_since(Instant::now()) > Duration::from_millis(500) {
                let Some(record) = drain.next(now())? else { break };
                let text = String::from_utf8_lossy(&record.alert).into_owned();
                match self.one(&text, &processor, intelligence, socket, deadline) {
                    Ok(()) => got_through = true,
                    // It says nothing about the alert: those that had no event got through without the queue.
                    Err(Open::Wait(Wait { is_queue: true, .. })) => break,
                    // One got through just now, so it may be this alert that does not; those behind it must not wait for
                    // it. With the next one that fails in a row it is rather the platform.
                    Err(Open::Wait(Wait { line, .. })) => {
                        if !std::mem::take(&mut got_through) {
                            break;
                        }
                        if drain.failed()? < MOST_TRIES {
                            self.journal.debug(&format!("{line}; the alert goes behind the others"));
                            drain.put_aside()?;
                            continue;
                        }
                        self.journal.error(&format!(
                            "{line}; it was so {MOST_TRIES} times while others got through: the alert is dropped"
                        ));
                        drain.lost.failed += 1;
                    }
                    Err(Open::Drop((line, _))) => self.journal.warning(&format!("{line}; the alert is dropped")),
                }
                drain.done()?;
            }
            let lost = drain.lost;
            self.tell_lost(lost);
            Ok::<Lost, std::io::Error>(lost)
        })();
        replayed.unwrap_or_else(|error| {
            self.journal.warning(&format!("what waits cannot be read: {error}"));
            Lost::default()
        })
    }

    fn tell_lost(&self, lost: Lost) {
        if !lost.is_empty() {
            self.journal.error(&line_of(lost));
        }
    }
}

/// Takes over what runs put elsewhere that could not read the settings.
pub(crate) fn take_over(spool: &Spool, state: &Path, home: &Path, journal: &Journal) {
    for other in other_spools(state, home) {
        match spool.take_over(&other) {
            Ok(lost) if lost.is_empty() => {}
            Ok(lost) => journal.error(&line_of(lost)),
            Err(error) => journal.warning(&format!("{}: what waits cannot be read: {error}", other.display())),
        }
    }
}

fn line_of(lost: Lost) -> String {
    format!("alerts that waited are lost: {lost}")
}

/// What an administrator learns of by an event.
pub(crate) struct Trouble<'a> {
    pub(crate) event: &'a str,
    pub(crate) line: &'a str,
    pub(crate) lost: Lost,
    /// The alert that it happened with.
    pub(crate) text: Option<&'a str>,
}

/// Raises the error as an event, if that was not done lately.
pub(crate) fn tell_error(trouble: &Trouble<'_>, processor: &Processor, socket: &mut QueueSocket, state: &Path) {
    let Trouble { event, line, lost, text } = *trouble;
    let told = state.join(TOLD);
    let age = std::fs::metadata(&told).and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
    if lost.is_empty() && age.is_some_and(|age| age < ERROR_EVERY) {
        return;
    }
    let alert = text.and_then(|text| Alert::read(text, &processor.catalogue).ok());
    let mut document = error_document(event, line, alert.as_ref().map(|alert| (alert, &processor.catalogue)));
    if !lost.is_empty() {
        document.text("lost", lost.count().to_string());
    }
    // The manager itself has the error; the agent of the alert has nothing to do with it.
    let Some(message) = processor.message(&document, None) else { return };
    let soon = Instant::now() + Duration::from_millis(200);
    if socket.send(message.as_bytes(), soon).is_ok() {
        let _unwritable = std::fs::write(&told, line);
    }
}

fn of_socket(error: &SendError) -> Open {
    if error.is_of_message() {
        return Open::Drop((error.to_string(), code::SOCKET));
    }
    Open::Wait(Wait {
        line: error.to_string(),
        event: "no-manager",
        code: code::SOCKET,
        is_mistake: !error.is_temporary(),
        is_queue: true,
    })
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
