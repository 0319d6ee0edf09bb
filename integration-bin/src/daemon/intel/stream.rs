//! The live stream: changes as they happen.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use opencti_client::graphql::Platform;
use opencti_client::stream::{PlatformStream, StreamConfig};
use opencti_client::{Change, ChangeKind, Error, LiveStream as _, Position, StreamEvent, StreamId};
use stix_model::{Object, ObjectError};
use tokio::sync::mpsc;

use super::{Changes, Keeper, LONGEST_PAUSE, PAUSE};
use crate::commands::alert::now;
use crate::daemon::raise::Work;
use crate::journal::Journal;

/// Changes that come within this time are brought into the store together.
const TOGETHER: Duration = Duration::from_millis(100);
/// So many changes are brought into the store at once.
const BATCH: usize = 2_000;
/// How long to wait for the first sign of life.
const SIGN: Duration = Duration::from_secs(12);

type Event = Result<(StreamEvent, Position), Error>;

/// Where the stream is now; if it does not say so, a place of this time.
pub(super) async fn place(platform: &Platform, stream: &str, or: i64) -> StreamId {
    let mut stream = PlatformStream::new(platform.clone(), StreamConfig::new(stream), Position::default());
    let told = tokio::time::timeout(SIGN, async {
        loop {
            match stream.next().await {
                Ok(_) => {
                    if let Some(place) = stream.position().start_from {
                        return Some(place);
                    }
                }
                // It is told when the stream is followed.
                Err(_) => return None,
            }
        }
    });
    let of_clock = StreamId { millis: u64::try_from(or).unwrap_or(0), sequence: 0 };
    told.await.ok().flatten().unwrap_or(of_clock)
}

/// Hands events on. An attempt to connect must not be broken off to do something else, so it has a task of its own.
async fn read(mut stream: PlatformStream, events: mpsc::Sender<Event>) {
    loop {
        let event = stream.next().await.map(|event| (event, stream.position()));
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Ends the task with the one who reads from it.
struct Reading(tokio::task::JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Keeper {
    /// Follows the live stream for as long as it is polled.
    pub(super) async fn follow(&mut self, platform: &Platform, stream: &str, work: &SyncSender<Work>) {
        let position = self.state.as_ref().map_or_else(Position::default, super::State::position);
        let stream = PlatformStream::new(platform.clone(), StreamConfig::new(stream), position);
        let (sender, mut events) = mpsc::channel(256);
        let _reading = Reading(tokio::spawn(read(stream, sender)));
        let mut told = String::new();
        let mut changes = Changes::default();
        let mut reached: Option<Position> = None;
        let mut known = false;
        let mut first = Instant::now();
        let mut unreadable = Unreadable::default();
        // When everything is read anew, since a change could not be brought into the store.
        let mut reload: Option<Instant> = None;
        let mut pause = PAUSE;
        loop {
            let wait = if changes.is_empty() && reached.is_none() {
                Duration::from_secs(1)
            } else {
                TOGETHER.saturating_sub(first.elapsed())
            };
            match tokio::time::timeout(wait, events.recv()).await {
                Ok(Some(Ok((event, position)))) => {
                    told.clear();
                    if reached.is_none() {
                        first = Instant::now();
                    }
                    if let StreamEvent::Change(change) = event {
                        known |= put(&mut changes, *change, &mut unreadable);
                    }
                    reached = Some(position);
                    if changes.len() < BATCH && first.elapsed() < TOGETHER {
                        continue;
                    }
                }
                Ok(Some(Err(error))) => {
                    let line = format!("{error}; indicators stay as they are until somebody acts");
                    if line != told {
                        self.journal.error(&line);
                        told = line;
                    }
                }
                Ok(None) => return self.journal.error("the task that reads the live stream ended"),
                Err(_) => {}
            }
            unreadable.tell(&self.journal);
            if !changes.is_empty()
                && let Err(error) = self.apply(&mut changes)
            {
                self.journal.error(&format!("changes of indicators cannot be taken in: {error}; all are read anew"));
                reload = reload.or(Some(Instant::now()));
            }
            if reload.is_some_and(|at| at <= Instant::now()) {
                match self.load().await {
                    Ok(()) => {
                        self.journal.info("indicators were read anew");
                        (reload, pause, known) = (None, PAUSE, true);
                    }
                    Err(error) => {
                        self.journal.error(&format!("indicators cannot be read: {error}; it is tried again"));
                        reload = Some(Instant::now() + pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
            // Until then the place stays before what is missing.
            if let (Some(position), Some(state)) = (reached.take().filter(|_| reload.is_none()), &mut self.state) {
                state.set_position(&position, now());
                self.state_changed = true;
            }
            if std::mem::take(&mut known) {
                self.tell(work, || Work::Known).await;
            }
            self.save_if_due();
        }
    }
}

/// Changes that could not be read.
#[derive(Debug, Default)]
struct Unreadable {
    count: u64,
    told: u64,
    last: String,
}

impl Unreadable {
    fn add(&mut self, error: &ObjectError) {
        self.count += 1;
        self.last = error.to_string();
    }

    /// Tells of the first one, and then each time there are twice as many.
    fn tell(&mut self, journal: &Journal) {
        if self.count > 0 && self.count >= 2 * self.told {
            self.told = self.count;
            journal.warning(&format!("{} changes of the platform cannot be read so far: {}", self.count, self.last));
        }
    }
}

/// Takes a change in. Answers whether something may be known now about what was there before.
fn put(changes: &mut Changes, change: Change, unreadable: &mut Unreadable) -> bool {
    let object = match change.object {
        Ok(object) => object,
        Err(error) => {
            unreadable.add(&error);
            // What is gone is gone, whatever it was.
            if let Some(id) = error.id().filter(|_| change.kind == ChangeKind::Delete).and_then(|id| id.parse().ok()) {
                changes.gone(id);
                return true;
            }
            return false;
        }
    };
    if matches!(object, Object::Relationship(_)) {
        return true;
    }
    let is_kept = matches!(object, Object::Indicator(_)) || object.is_observable();
    match change.kind {
        _ if !is_kept => {}
        ChangeKind::Create | ChangeKind::Update => changes.put(object, Vec::new()),
        ChangeKind::Delete => changes.gone(object.id().clone()),
    }
    is_kept
}
