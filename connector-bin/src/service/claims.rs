//! Which messages are, or were, worked on by this process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// So many messages are remembered.
const REMEMBERED: usize = 4_096;

/// A message that comes again while it is worked on waits, and is not worked on once more if that went well.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: HashMap<String, Arc<tokio::sync::Mutex<bool>>>,
    order: VecDeque<String>,
}

/// The right to work on a message, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim(Option<OwnedMutexGuard<bool>>);

impl Claims {
    /// Waits for the right to work on a message. One without a key is known to nobody.
    pub(crate) async fn claim(&self, key: &str) -> Claim {
        if key.is_empty() {
            return Claim(None);
        }
        let lock = {
            let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !remembered.known.contains_key(key) {
                remembered.order.push_back(key.to_owned());
            }
            let lock = remembered.known.entry(key.to_owned()).or_default().clone();
            if remembered.order.len() > REMEMBERED
                && let Some(oldest) = remembered.order.pop_front()
            {
                remembered.known.remove(&oldest);
            }
            lock
        };
        Claim(Some(lock.lock_owned().await))
    }
}

impl Claim {
    /// Whether the work was done before.
    pub(crate) fn is_done(&self) -> bool {
        self.0.as_ref().is_some_and(|done| **done)
    }

    /// The work is done.
    pub(crate) fn done(&mut self) {
        if let Some(done) = &mut self.0 {
            **done = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_is_worked_on_once() {
        let claims = Arc::new(Claims::default());
        let mut first = claims.claim("a").await;
        assert!(!first.is_done());
        let second = tokio::spawn({
            let claims = claims.clone();
            async move { claims.claim("a").await.is_done() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        first.done();
        drop(first);
        assert!(second.await.unwrap());
        assert!(!claims.claim("b").await.is_done());
        for number in 0..=REMEMBERED {
            drop(claims.claim(&number.to_string()).await);
        }
        assert!(!claims.claim("a").await.is_done());
        assert!(claims.0.lock().unwrap().known.len() <= REMEMBERED);
    }
}
