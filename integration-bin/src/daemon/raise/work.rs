//! What the thread that raises is given, and what becomes of it.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use stix_model::Identifier;
use wazuh_query::alert::Alert;

use crate::daemon::follow::Position;
use crate::daemon::forward;
use crate::daemon::indexer::Checkpoint;
use crate::intelligence::LookupError;
use crate::socket::SendError;

/// Pauses between attempts while something is away.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Something of the store in an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// The indicator or observable.
    pub(crate) id: Identifier,
    /// Whether the alert by itself satisfies the whole pattern.
    pub(crate) whole: bool,
}

/// What the thread is given.
#[derive(Debug)]
pub(crate) enum Work {
    /// An alert in which these things of the store are.
    Alert { text: String, ids: Vec<Found>, answer: Option<Answer> },
    /// All alerts of the file up to here were given.
    Position(Position),
    /// All documents of the indexer up to here were given.
    Indexed(Checkpoint),
    /// What is known about observables changed.
    Known,
    /// The files of threat intelligence changed.
    Intel,
}

/// Somebody waits for an alert to be dealt with, for a while; then they look for themselves, or send it again. So they do
/// when they see that nobody is going to answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A byte is written when it is begun with, and one at the end. The first has to be there in time, the second, too.
    Byte { stream: UnixStream, until: Instant, end: Instant },
    /// A word is sent.
    Told { to: Sender<()>, until: Instant },
}

impl Answer {
    fn is_late(&self) -> bool {
        let (Self::Byte { until, .. } | Self::Told { until, .. }) = self;
        Instant::now() > *until
    }

    /// Says that it is begun with. Answers until when it has to be dealt with; `None` if it is too late to begin.
    pub(super) fn begin(&mut self) -> Option<Instant> {
        if self.is_late() {
            return None;
        }
        match self {
            Self::Byte { stream, end, .. } => stream.write_all(&[forward::BEGUN]).ok().map(|()| *end),
            Self::Told { until, .. } => Some(*until),
        }
    }

    pub(super) fn give(self) {
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
#[derive(Debug)]
pub(super) enum Open {
    /// It can be later, when somebody is back, or has acted.
    Wait(Why),
    /// It would be the same again, whatever happens.
    Drop(String),
}

/// Why an alert waits.
#[derive(Debug)]
pub(super) struct Why {
    /// The name under which the manager is told.
    pub(super) event: &'static str,
    pub(super) line: String,
    /// Whether the look-up failed, not what comes behind it.
    pub(super) is_lookup: bool,
    /// Whether the alert itself may be the reason.
    pub(super) may_be_alert: bool,
}

impl From<LookupError> for Open {
    fn from(error: LookupError) -> Self {
        let (line, may_be_alert) = (error.to_string(), error.may_be_of_question());
        Self::Wait(Why { event: "no-answer", line, is_lookup: true, may_be_alert })
    }
}

impl From<SendError> for Open {
    fn from(error: SendError) -> Self {
        // A right that is missing can be given; it says nothing about the alert.
        if error.is_of_message() {
            return Self::Drop(error.to_string());
        }
        Self::Wait(Why { event: "no-manager", line: error.to_string(), is_lookup: false, may_be_alert: false })
    }
}

/// Since when something is away.
#[derive(Debug)]
pub(crate) struct Away {
    again: Instant,
    pause: Duration,
}

impl Away {
    /// It was just found out.
    pub(crate) fn new() -> Self {
        Self { again: Instant::now() + PAUSE, pause: PAUSE }
    }

    /// It may be so; it is tried at once.
    pub(crate) fn at_once() -> Self {
        Self { again: Instant::now(), pause: PAUSE }
    }

    pub(crate) fn left(&self) -> Duration {
        self.again.saturating_duration_since(Instant::now())
    }

    pub(crate) fn is_due(&self) -> bool {
        self.left().is_zero()
    }

    /// It was tried, and is still so.
    pub(crate) fn longer(away: Option<Self>) -> Self {
        let pause = away.map_or(PAUSE, |away| (away.pause * 2).min(LONGEST_PAUSE));
        Self { again: Instant::now() + pause, pause }
    }
}

/// What tells an alert from all others, if it has an identifier.
pub(super) fn name_of(alert: &Alert<'_>) -> Option<Box<str>> {
    let id = alert.shown_id()?;
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
    let time = alert.timestamp.map(|time| time.unix_millis());
    let (agent, rule, location) = (text(&alert.agent.id), text(&alert.rule.id), text(&alert.location));
    Some(format!("{id}\n{time:?}\n{agent}\n{rule}\n{location}").into())
}

/// Alerts that were dealt with lately, by name.
#[derive(Debug, Default)]
pub(super) struct Recent {
    names: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

/// So many alerts with something in them may come between two sources.
const RECENT: usize = 10_000;

impl Recent {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(super) fn add(&mut self, name: Option<Box<str>>) {
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_what_can_never_be_is_dropped() {
        let refused = |code| SendError::Refused { path: PathBuf::new(), source: io::Error::from_raw_os_error(code) };
        // No right to write there; no such thing; too long.
        for (code, is_dropped) in [(13, false), (1, false), (90, true)] {
            assert_eq!(matches!(Open::from(refused(code)), Open::Drop(_)), is_dropped, "{code}");
        }
        let config =
            opencti_client::Error::from(opencti_client::ErrorKind::TooLarge { what: "x".to_owned(), limit: 1 });
        for (error, may_be_alert) in [
            (LookupError::Nowhere, false),
            (LookupError::Late(Duration::from_secs(1)), true),
            (LookupError::Platform(config), true),
        ] {
            let Open::Wait(why) = Open::from(error) else { panic!("it is dropped") };
            assert_eq!((why.is_lookup, why.may_be_alert), (true, may_be_alert), "{}", why.line);
        }
    }
}
