//! The service: entities from the platform's queue are searched in alerts, and what follows goes back.
//!
//! A message is acknowledged once its bundle was confirmed by the broker and its work reported as done. What is
//! interrupted before that comes again and gives the same result, because all identifiers are stable.

mod batch;
mod check;
mod claims;
mod endpoint;
mod health;
mod intake;
mod log;
mod metrics;
mod pause;
mod search;
mod self_test;
mod sink;
mod start;
mod states;
mod subject;
mod tools;
mod wire;
mod worker;

#[cfg(test)]
mod tests;

use anyhow::{Context as _, Result};
use stix_model::Timestamp;

pub(crate) use check::run as check;
pub(crate) use health::health;
pub(crate) use self_test::run as self_test;
pub(crate) use start::{dry_run, once, run};

/// Threads that work. Most of the time is spent waiting.
const THREADS: usize = 2;

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("the service cannot start")
}

/// The time.
fn now() -> Timestamp {
    Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}
