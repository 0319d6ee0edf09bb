//! A queue of messages in memory.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;

use crate::{Delivery, Error, MessageSource, Settle};

/// A queue of messages. Clones are the same queue; [`LocalQueue::source`] takes from it.
///
/// A message that is given back, or dropped without being settled, comes again and says so.
#[derive(Clone, Debug, Default)]
pub struct LocalQueue(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Vec<u8>, u64)>,
    in_hand: usize,
    accepted: usize,
    closed: bool,
    wakers: Vec<Waker>,
}

impl LocalQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a message in.
    pub fn push(&self, body: impl Into<Vec<u8>>) {
        let mut state = self.state();
        state.waiting.push_back((body.into(), 0));
        state.wake();
    }

    /// Nothing more will be put in: sources end when the queue is empty and every message is settled.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.wake();
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// How many messages were accepted.
    pub fn accepted(&self) -> usize {
        self.state().accepted
    }

    /// Takes messages from the queue. Several sources share them.
    pub fn source(&self) -> LocalSource {
        LocalSource { queue: self.clone(), stopped: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

/// Messages of a [`LocalQueue`].
#[derive(Debug)]
pub struct LocalSource {
    queue: LocalQueue,
    stopped: bool,
}

#[async_trait]
impl MessageSource for LocalSource {
    async fn next(&mut self) -> Result<Option<Delivery>, Error> {
        if self.stopped {
            return Ok(None);
        }
        poll_fn(|context| {
            let mut state = self.queue.state();
            if let Some((body, earlier)) = state.waiting.pop_front() {
                state.in_hand += 1;
                let settle = LocalSettle { queue: self.queue.clone(), body: Some((body.clone(), earlier)) };
                let delivery = Delivery::new(&body, Box::new(settle)).redelivered(earlier > 0, Some(earlier));
                return Poll::Ready(Ok(Some(delivery)));
            }
            if state.closed && state.in_hand == 0 {
                return Poll::Ready(Ok(None));
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    async fn stop(&mut self) {
        self.stopped = true;
    }
}

struct LocalSettle {
    queue: LocalQueue,
    /// The message, until it is settled.
    body: Option<(Vec<u8>, u64)>,
}

impl LocalSettle {
    fn settle(&mut self, accepted: bool) {
        let Some((body, earlier)) = self.body.take() else { return };
        let mut state = self.queue.state();
        state.in_hand -= 1;
        if accepted {
            state.accepted += 1;
        } else {
            state.waiting.push_back((body, earlier + 1));
        }
        state.wake();
    }
}

#[async_trait]
impl Settle for LocalSettle {
    async fn accept(mut self: Box<Self>) -> Result<(), Error> {
        self.settle(true);
        Ok(())
    }

    async fn give_back(mut self: Box<Self>) -> Result<(), Error> {
        self.settle(false);
        Ok(())
    }
}

impl Drop for LocalSettle {
    fn drop(&mut self) {
        self.settle(false);
    }
}
