//! What waits: alerts go into the spool when something is away, and come out of it in their order when it is back.
//!
//! One alert for which the look-up fails each time must not stop the others. Whether it is the alert or the platform
//! shows when others get through: then it goes behind them, is counted, and given up in the end.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use super::work::{Away, Found, Open, Why};
use super::{LOOK, Raiser};
use crate::commands::alert::{MOST_TRIES, TOLD, Trouble, now, take_over, tell_error};
use crate::spool::{Drain, Lost, Spool};

/// For so long what waits is dealt with, before what came meanwhile is looked at.
const SLICE: Duration = Duration::from_secs(1);
/// For so long at the end of the program.
const LAST: Duration = Duration::from_secs(5);
/// After so many failures in a row another alert is tried; twice as many after the next ones in a row, up to a limit.
const TRIES: u32 = 3;
const LONGEST_TRIES: u32 = 96;

/// Whether it is the platform that fails, or one alert.
#[derive(Debug)]
pub(super) struct Blame {
    /// How many look-ups got an answer, and how many had when one failed last.
    answered: u64,
    at_failure: u64,
    /// Failures in a row, and after how many another alert is tried.
    in_a_row: u32,
    enough: u32,
    /// Alerts that were put aside.
    aside: HashSet<u64>,
}

impl Default for Blame {
    fn default() -> Self {
        Self { answered: 0, at_failure: 0, in_a_row: 0, enough: TRIES, aside: HashSet::new() }
    }
}

impl Blame {
    /// A look-up got an answer.
    pub(super) fn answered(&mut self) {
        self.answered += 1;
        self.in_a_row = 0;
        self.enough = TRIES;
    }

    /// One failed. Answers whether others got through since the last one that did.
    pub(super) fn failed(&mut self) -> bool {
        std::mem::replace(&mut self.at_failure, self.answered) < self.answered
    }

    /// Whether it is time to try another alert, though none got through.
    fn is_enough(&mut self) -> bool {
        self.in_a_row += 1;
        if self.in_a_row < self.enough {
            return false;
        }
        self.in_a_row = 0;
        self.enough = (self.enough * 2).min(LONGEST_TRIES);
        true
    }
}

/// Stands for the text of an alert.
fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// How far the spool was drained.
enum Drained {
    All,
    /// There is more, and the time is over.
    More,
    /// All but those that fail while others get through.
    Aside,
    /// Another process does it.
    Busy,
    /// Something is away, and the alert.
    Away(Why, String),
}

impl Raiser<'_> {
    /// The spool. It is made if it could not be before.
    fn spool(&mut self) -> std::io::Result<Spool> {
        if self.spool.is_none() {
            self.spool = Some(Spool::open(&self.state.join("spool"), self.bounds)?);
        }
        self.spool.clone().ok_or_else(|| std::io::Error::other("there is no folder for alerts that wait"))
    }

    /// Keeps an alert for later, and answers whether that was possible. `why` is told to the manager if that was not done
    /// lately.
    pub(super) fn wait(&mut self, text: &str, why: Option<&Why>) -> bool {
        let (lost, is_kept) = match self.spool().and_then(|spool| spool.append(text.as_bytes(), now())) {
            Ok(lost) => {
                self.is_full = false;
                (lost, true)
            }
            // It never will.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                self.journal.error(&format!("an alert is lost: {error}"));
                (Lost { full: 1, ..Lost::default() }, true)
            }
            Err(error) => {
                if std::mem::replace(&mut self.is_full, true) {
                    return false;
                }
                self.journal.error(&format!("an alert could not be kept: {error}; whoever brings it has to wait"));
                (Lost::default(), false)
            }
        };
        self.tell_lost(lost);
        let (event, line) = why.map_or(("lost", "alerts that waited are lost"), |why| (why.event, &why.line));
        if (why.is_some() || !lost.is_empty())
            && let Some(queue) = &mut self.queue
        {
            tell_error(&Trouble { event, line, lost, text: Some(text) }, self.processor, queue, &self.state);
        }
        is_kept
    }

    /// Holds an alert that can be neither raised nor kept, until it can: its source waits meanwhile.
    pub(super) fn hold(&mut self, text: &str, ids: &[Found]) {
        loop {
            if self.control.is_stopping() {
                // The next run reads it again.
                self.has_open = true;
                return self.journal.error("an alert could not be kept; positions stay before it");
            }
            std::thread::sleep(Duration::from_millis(200));
            self.replay();
            if self.now_or_later(text, ids) {
                return;
            }
        }
    }

    /// Takes those along that wait, oldest first, if it is time for that.
    pub(super) fn replay(&mut self) {
        if let Some(documents) = &mut self.documents {
            documents.retry();
        }
        let is_due = match &self.away {
            Some(away) => away.is_due(),
            None => self.looked.elapsed() >= LOOK,
        };
        if is_due {
            self.replay_for(SLICE);
        }
    }

    /// Whoever waits gets one more chance before the end.
    pub(super) fn replay_at_end(&mut self) {
        if let Some(documents) = &mut self.documents {
            documents.retry_at_end();
        }
        if self.away.is_some() {
            self.replay_for(LAST);
        }
    }

    fn replay_for(&mut self, time: Duration) {
        self.looked = Instant::now();
        let Some(spool) = self.spool.clone() else {
            self.away = None;
            return;
        };
        take_over(&spool, &self.state, &self.home, &self.journal);
        let before = self.blame.answered;
        match self.drain(&spool, Instant::now() + time) {
            Ok(Drained::All) => {
                if self.away.take().is_some() {
                    self.journal.info("what waited was dealt with");
                    let _told_again = std::fs::remove_file(self.state.join(TOLD));
                }
            }
            Ok(Drained::More) => self.away = Some(Away::at_once()),
            // Others need not wait for them.
            Ok(Drained::Aside) => self.away = None,
            Ok(Drained::Busy) => self.away = Some(Away::longer(self.away.take())),
            Ok(Drained::Away(why, text)) => {
                if self.away.is_none() {
                    self.journal.warning(&format!("{}; alerts wait until it is back", why.line));
                }
                if let Some(queue) = &mut self.queue {
                    let trouble =
                        Trouble { event: why.event, line: &why.line, lost: Lost::default(), text: Some(&text) };
                    tell_error(&trouble, self.processor, queue, &self.state);
                }
                let got_through = self.blame.answered > before;
                self.away = Some(Away::longer(self.away.take().filter(|_| !got_through)));
            }
            Err(error) => {
                self.journal.warning(&format!("what waits cannot be read: {error}"));
                self.away = Some(Away::longer(self.away.take()));
            }
        }
    }

    fn drain(&mut self, spool: &Spool, until: Instant) -> std::io::Result<Drained> {
        if spool.is_empty()? {
            return Ok(Drained::All);
        }
        let Some(mut drain) = spool.drain()? else { return Ok(Drained::Busy) };
        let outcome = loop {
            let Some(record) = drain.next(now())? else {
                let is_all = spool.is_empty()?;
                break if is_all { Drained::All } else { Drained::Aside };
            };
            let text = String::from_utf8_lossy(&record.alert).into_owned();
            let key = key(&text);
            match self.one(&text, &[]) {
                Ok(()) => {}
                Err(Open::Drop(line)) => self.journal.error(&format!("{line}; the alert is dropped")),
                Err(Open::Wait(why)) => {
                    if !self.pass_over(&mut drain, key, &why)? {
                        break Drained::Away(why, text);
                    }
                    continue;
                }
            }
            self.blame.aside.remove(&key);
            drain.done()?;
            if Instant::now() >= until {
                break Drained::More;
            }
        };
        let lost = drain.lost;
        self.tell_lost(lost);
        if lost.failed > 0
            && let Some(queue) = &mut self.queue
        {
            let line = "alerts are lost: the look-up failed each time, while that of others did not";
            let trouble = Trouble { event: "alerts-lost", line, lost, text: None };
            tell_error(&trouble, self.processor, queue, &self.state);
        }
        Ok(outcome)
    }

    /// Whether the drain can go on behind an alert that failed: it is put aside, or given up.
    fn pass_over(&mut self, drain: &mut Drain<'_>, key: u64, why: &Why) -> std::io::Result<bool> {
        if !why.is_lookup {
            return Ok(false);
        }
        if self.blame.failed() {
            if drain.failed()? >= MOST_TRIES {
                self.journal.error(&format!(
                    "{}; it was so {MOST_TRIES} times while others got through: the alert is dropped",
                    why.line
                ));
                drain.lost.failed += 1;
                self.blame.aside.remove(&key);
                return drain.done().map(|()| true);
            }
        } else if !(self.blame.aside.contains(&key) || why.may_be_alert && self.blame.is_enough()) {
            return Ok(false);
        }
        self.journal.debug(&format!("{}; the alert goes behind the others", why.line));
        drain.put_aside()?;
        self.blame.aside.insert(key);
        Ok(true)
    }

    pub(super) fn tell_lost(&self, lost: Lost) {
        if !lost.is_empty() {
            self.journal.error(&format!("alerts that waited are lost: {lost}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_blame() {
        let mut blame = Blame::default();
        // Nobody got through so far.
        assert!(!blame.failed());
        blame.answered();
        assert!(blame.failed());
        assert!(!blame.failed(), "nobody got through since");
        // Without anybody who gets through another one is tried more and more seldom.
        let tried: Vec<usize> = (1..=21).filter(|_| blame.is_enough()).collect();
        assert_eq!(tried, [3, 9, 21]);
        blame.answered();
        assert!(!blame.is_enough() && !blame.is_enough() && blame.is_enough());
    }
}
