//! A live stream in memory.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use stix_model::{Object, ObjectError};

use crate::{Change, ChangeKind, Error, LiveStream, Position, StreamEvent, StreamId};

/// What changed, in order, from the beginning on. Clones are the same log; [`LocalLog::stream`] follows it.
///
/// Recovery from the database is not needed and left out: the log holds everything.
#[derive(Clone, Debug, Default)]
pub struct LocalLog(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    events: Vec<(ChangeKind, String)>,
    wakers: Vec<Waker>,
}

impl LocalLog {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what happened to an object, given as JSON. Returns its place.
    pub fn push(&self, kind: ChangeKind, object: impl Into<String>) -> StreamId {
        let mut state = self.state();
        state.events.push((kind, object.into()));
        for waker in state.wakers.drain(..) {
            waker.wake();
        }
        place(state.events.len() - 1)
    }

    /// Follows the log from a position on; from now on when it names no place.
    pub fn stream(&self, position: &Position) -> LocalStream {
        let next = match position.start_from {
            // The first event has the place 1, so that everything comes after the start.
            Some(id) => usize::try_from(id.millis).unwrap_or(usize::MAX),
            None => self.state().events.len(),
        };
        LocalStream { log: self.clone(), next, connected: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(index: usize) -> StreamId {
    StreamId { millis: index as u64 + 1, sequence: 0 }
}

/// Follows a [`LocalLog`].
#[derive(Debug)]
pub struct LocalStream {
    log: LocalLog,
    /// The event to return next.
    next: usize,
    connected: bool,
}

#[async_trait]
impl LiveStream for LocalStream {
    async fn next(&mut self) -> Result<StreamEvent, Error> {
        if !std::mem::replace(&mut self.connected, true) {
            return Ok(StreamEvent::Connected);
        }
        let (kind, json) = poll_fn(|context| {
            let mut state = self.log.state();
            if let Some(event) = state.events.get(self.next) {
                return Poll::Ready(event.clone());
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.next += 1;
        let object: Result<Object, ObjectError> = Object::from_json(&json);
        let change = Change { kind, object, message: None, is_dependency: false, is_recovery: false, context: None };
        Ok(StreamEvent::Change(Box::new(change)))
    }

    fn position(&self) -> Position {
        Position { start_from: Some(StreamId { millis: self.next as u64, sequence: 0 }), recover_until: None }
    }
}
