//! Where alerts come from.

use std::borrow::Cow;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use alert_enricher::store::MatchError;

use super::Control;
use super::follow::Follower;
use super::raise::Work;
use super::sieve::{Sieve, damage};
use crate::journal::Journal;

/// How long to wait for more at the end of the file.
const IDLE: Duration = Duration::from_millis(100);
/// How often the position is kept, and how long a stop may wait.
const ROUND: Duration = Duration::from_secs(1);
/// After so many lines the store is looked at for changes, and the clock for the round.
const LINES: usize = 256;

/// Follows a file of alerts until the program is to end, or to the end of the file if `once`.
pub(crate) fn follow(
    mut follower: Follower,
    mut sieve: Sieve,
    work: &SyncSender<Work>,
    control: &Control,
    journal: &Journal,
    once: bool,
) -> Result<(), String> {
    let mut told = Told::default();
    let mut kept = (follower.position(), Instant::now());
    while !control.is_stopping() {
        sieve.refresh();
        let started = Instant::now();
        let (mut seen, mut cut, mut failed) = (0, false, None);
        let read = follower.poll(|line| {
            seen += 1;
            if seen % LINES == 0 {
                sieve.refresh();
                cut = control.is_stopping() || started.elapsed() > ROUND;
            }
            let text = match std::str::from_utf8(line) {
                Ok(text) => Cow::Borrowed(text),
                // Bytes that are no text cost no more than themselves.
                Err(_) => String::from_utf8_lossy(line),
            };
            match sieve.look(&text) {
                Ok(ids) if ids.is_empty() => {}
                Ok(ids) => {
                    // It fails when nobody raises any more: the program ends.
                    cut |= work.send(Work::Alert { text: text.into_owned(), ids, answer: None }).is_err();
                }
                Err(MatchError::Read(_)) => told.no_alert += 1,
                Err(error) => {
                    failed = Some(damage(&error));
                    cut = true;
                }
            }
            !cut
        });
        match read {
            Ok(_) => told.unreadable = false,
            Err(error) if !told.unreadable => {
                told.unreadable = true;
                journal.error(&format!("alerts cannot be read: {error}"));
            }
            Err(_) => {}
        }
        if let Some(line) = failed {
            control.damaged(line.clone());
            return Err(line);
        }
        told.tell(&follower, journal);
        let position = follower.position();
        let is_end = !cut;
        if position != kept.0 && (kept.1.elapsed() > ROUND || is_end) {
            kept = (position, Instant::now());
            if work.send(Work::Position(position)).is_err() {
                break;
            }
        }
        if is_end {
            if once {
                break;
            }
            std::thread::sleep(IDLE);
        }
    }
    let _nobody_left = work.send(Work::Position(follower.position()));
    Ok(())
}

/// What was told in the log.
#[derive(Debug, Default)]
struct Told {
    unreadable: bool,
    no_alert: u64,
    warned: u64,
    gaps: u64,
    too_long: u64,
}

impl Told {
    fn tell(&mut self, follower: &Follower, journal: &Journal) {
        if follower.gaps > self.gaps {
            self.gaps = follower.gaps;
            journal.warning("alerts may be missed: the file became shorter, or one from before is gone or compressed");
        }
        if follower.too_long > self.too_long {
            self.too_long = follower.too_long;
            journal.warning(&format!("{} lines are too long for an alert so far", self.too_long));
        }
        // The first one, and then each time there are twice as many.
        if self.no_alert > 0 && self.no_alert >= 2 * self.warned {
            self.warned = self.no_alert;
            journal.warning(&format!("{} lines are no alerts so far", self.no_alert));
        }
    }
}
