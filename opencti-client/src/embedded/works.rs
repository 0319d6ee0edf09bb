//! Works in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Error, ErrorKind, WorkApi, WorkError, WorkState};

/// A ledger of works: what would be shown in the platform.
#[derive(Debug, Default)]
pub struct LocalWorks(Mutex<BTreeMap<String, Ledger>>);

#[derive(Debug, Default)]
struct Ledger {
    state: WorkState,
    ended: bool,
}

impl LocalWorks {
    /// No works yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a work with an identifier of one's own, as the platform does for a message.
    pub fn add(&self, work: impl Into<String>) {
        let state = WorkState { status: "wait".to_owned(), ..WorkState::default() };
        self.works().insert(work.into(), Ledger { state, ended: false });
    }

    /// All works.
    pub fn all(&self) -> BTreeMap<String, WorkState> {
        self.works().iter().map(|(work, ledger)| (work.clone(), ledger.state.clone())).collect()
    }

    fn works(&self) -> MutexGuard<'_, BTreeMap<String, Ledger>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, work: &str, change: impl FnOnce(&mut Ledger)) {
        // As in the platform, nothing is said about a work that does not exist.
        if let Some(ledger) = self.works().get_mut(work) {
            change(ledger);
            let state = &mut ledger.state;
            let complete = state.processed >= state.expected && (ledger.ended || state.expected > 0);
            if complete || state.status == "complete" {
                if complete { "complete" } else { "progress" }.clone_into(&mut state.status);
            }
        }
    }
}

#[async_trait]
impl WorkApi for LocalWorks {
    async fn open(&self, connector: &str, _label: &str) -> Result<String, Error> {
        let mut works = self.works();
        let work = format!("work_{connector}_{}", works.len() + 1);
        let state = WorkState { status: "progress".to_owned(), ..WorkState::default() };
        works.insert(work.clone(), Ledger { state, ended: false });
        Ok(work)
    }

    async fn received(&self, work: &str, message: &str) -> Result<(), Error> {
        self.change(work, |ledger| {
            "progress".clone_into(&mut ledger.state.status);
            ledger.state.messages.push(message.to_owned());
        });
        Ok(())
    }

    async fn expect(&self, work: &str, parts: u64) -> Result<(), Error> {
        self.change(work, |ledger| ledger.state.expected += parts);
        Ok(())
    }

    async fn report(&self, work: &str, error: Option<&WorkError>) -> Result<(), Error> {
        self.change(work, |ledger| {
            ledger.state.processed += 1;
            ledger.state.errors.extend(error.map(|error| error.error.clone()));
        });
        Ok(())
    }

    async fn processed(&self, work: &str, message: &str, in_error: bool) -> Result<(), Error> {
        self.change(work, |ledger| {
            ledger.ended = true;
            ledger.state.messages.push(message.to_owned());
            if in_error {
                ledger.state.errors.push(message.to_owned());
            }
        });
        Ok(())
    }

    async fn keep_alive(&self, work: &str) -> Result<(), Error> {
        if self.is_alive(work).await? { Ok(()) } else { Err(ErrorKind::WorkGone(work.to_owned()).into()) }
    }

    async fn is_alive(&self, work: &str) -> Result<bool, Error> {
        Ok(self.works().contains_key(work))
    }

    async fn state(&self, work: &str) -> Result<Option<WorkState>, Error> {
        Ok(self.works().get(work).map(|ledger| ledger.state.clone()))
    }
}
