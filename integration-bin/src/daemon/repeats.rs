//! The same indicator on the same agent is raised once within a window of time, and counted.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use alert_enricher::knowledge::EventType;
use stix_model::Identifier;

use super::raise::Found;

/// So many are remembered at most; the oldest half is forgotten when there are more.
const MOST: usize = 100_000;

/// What was raised lately.
#[derive(Debug)]
pub(crate) struct Repeats {
    window: Duration,
    /// By agent and everything of the store that an alert has, as wholly as it does: what was raised for it.
    alike: HashMap<Box<str>, Alike>,
    /// By agent and indicator.
    raised: HashMap<Box<str>, Raised>,
}

#[derive(Debug)]
struct Alike {
    since: Instant,
    events: Vec<Box<str>>,
}

#[derive(Debug)]
struct Raised {
    since: Instant,
    /// How often it was not raised since.
    repeats: u64,
}

impl Repeats {
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, alike: HashMap::new(), raised: HashMap::new() }
    }

    /// Under which name alerts are alike: the same agent, and the same things of the store in them, as wholly.
    pub(crate) fn alike(agent: &str, ids: &[Found]) -> Box<str> {
        let mut name = agent.to_owned();
        for Found { id, whole } in ids {
            name.push_str(if *whole { "\n" } else { "\n~" });
            name.push_str(&id.to_string());
        }
        name.into()
    }

    /// Under which name an event is known.
    pub(crate) fn event(agent: &str, event_type: &str, indicator: &Identifier) -> Box<str> {
        format!("{agent}\n{event_type}\n{indicator}").into()
    }

    /// The indicator of an event that says that it was seen, not that something related to it was.
    pub(crate) fn sighted(event: &str) -> Option<Identifier> {
        let (rest, indicator) = event.rsplit_once('\n')?;
        let (_, event_type) = rest.rsplit_once('\n')?;
        let seen = [EventType::ObservableWithIndicator, EventType::IndicatorPatternMatch];
        seen.iter().any(|known| known.name() == event_type).then(|| indicator.parse().ok())?
    }

    /// What was raised for alerts like this one.
    pub(crate) fn events(&self, alike: &str) -> &[Box<str>] {
        self.alike.get(alike).map_or(&[], |known| &known.events)
    }

    /// Whether an alert like this one was dealt with in the window; what was raised for it is counted.
    pub(crate) fn again(&mut self, alike: &str, now: Instant) -> bool {
        let Some(known) = self.alike.get(alike).filter(|known| now < known.since + self.window) else { return false };
        let window = self.window;
        let is_counted = |event| self.raised.get(event).is_some_and(|raised: &Raised| now < raised.since + window);
        if !known.events.iter().all(is_counted) {
            // One of them is due again. Whoever raises it counts the others.
            return false;
        }
        for event in &known.events {
            if let Some(raised) = self.raised.get_mut(event) {
                raised.repeats += 1;
            }
        }
        true
    }

    /// An alert was dealt with, and these events came of it.
    pub(crate) fn dealt_with(&mut self, alike: Box<str>, events: Vec<Box<str>>, now: Instant) {
        if self.window.is_zero() {
            return;
        }
        let window = self.window;
        if self.alike.len() >= MOST {
            self.alike.retain(|_, known| now < known.since + window / 2);
        }
        if self.alike.len() < MOST {
            self.alike.insert(alike, Alike { since: now, events });
        }
    }

    /// Whether an event is to be raised. If so: how often it was not raised since the last time; else it is counted.
    pub(crate) fn is_due(&mut self, event: &str, now: Instant) -> Option<u64> {
        match self.raised.get_mut(event) {
            Some(raised) if now < raised.since + self.window => {
                raised.repeats += 1;
                None
            }
            Some(raised) => Some(raised.repeats),
            None => Some(0),
        }
    }

    /// An event was raised.
    pub(crate) fn raised(&mut self, event: Box<str>, now: Instant) {
        let window = self.window;
        if self.raised.len() >= MOST {
            self.raised.retain(|_, raised| now < raised.since + window / 2);
        }
        if !window.is_zero() && self.raised.len() < MOST {
            self.raised.insert(event, Raised { since: now, repeats: 0 });
        }
    }

    /// Something may be known now that was not: alerts for which nothing was raised are looked at again.
    pub(crate) fn forget_silence(&mut self) {
        self.alike.retain(|_, known| !known.events.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn once_in_a_window_with_the_number_of_those_between() {
        let mut repeats = Repeats::new(HOUR);
        let start = Instant::now();
        assert_eq!(repeats.is_due("a", start), Some(0));
        repeats.raised("a".into(), start);
        repeats.dealt_with("alike".into(), vec!["a".into()], start);
        assert!(repeats.again("alike", start + HOUR / 2));
        assert_eq!(repeats.is_due("a", start + HOUR / 2), None);
        assert!(!repeats.again("other", start));
        let later = start + HOUR;
        assert!(!repeats.again("alike", later));
        assert_eq!(repeats.is_due("a", later), Some(2));
    }

    #[test]
    fn one_that_is_due_again_has_the_others_counted_once() {
        let mut repeats = Repeats::new(HOUR);
        let start = Instant::now();
        repeats.raised("a".into(), start + HOUR / 2);
        repeats.raised("b".into(), start);
        repeats.dealt_with("alike".into(), vec!["a".into(), "b".into()], start + HOUR / 2);
        let later = start + HOUR;
        assert!(!repeats.again("alike", later));
        assert_eq!((repeats.is_due("a", later), repeats.is_due("b", later)), (None, Some(0)));
        assert_eq!(repeats.is_due("a", start + 2 * HOUR), Some(1));
    }

    #[test]
    fn a_part_is_not_the_whole() {
        let id: Identifier = "indicator--8752eb5f-8b58-419e-8f40-108700000001".parse().unwrap();
        let alike = |whole| Repeats::alike("001", &[Found { id: id.clone(), whole }]);
        assert_eq!(alike(true), alike(true));
        assert_ne!(alike(true), alike(false));
    }

    #[test]
    fn without_a_window_everything_is_raised() {
        let mut repeats = Repeats::new(Duration::ZERO);
        let now = Instant::now();
        for _ in 0..2 {
            assert!(!repeats.again("alike", now));
            assert_eq!(repeats.is_due("a", now), Some(0));
            repeats.raised("a".into(), now);
            repeats.dealt_with("alike".into(), vec!["a".into()], now);
        }
    }

    #[test]
    fn silence_ends_when_something_may_be_known() {
        let mut repeats = Repeats::new(HOUR);
        let now = Instant::now();
        repeats.dealt_with("silent".into(), Vec::new(), now);
        assert!(repeats.again("silent", now));
        repeats.forget_silence();
        assert!(!repeats.again("silent", now));
    }

    #[test]
    fn memory_is_bounded() {
        let mut repeats = Repeats::new(HOUR);
        let now = Instant::now();
        for number in 0..MOST + 10 {
            repeats.raised(number.to_string().into(), now);
            repeats.dealt_with(number.to_string().into(), Vec::new(), now);
        }
        assert!(repeats.raised.len() <= MOST && repeats.alike.len() <= MOST);
        repeats.raised("new".into(), now + HOUR);
        assert_eq!(repeats.raised.len(), 1);
    }
}
