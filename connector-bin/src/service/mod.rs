//! The service: entities from the platform's queue are searched in alerts, and what follows goes back.
//!
//! A message is acknowledged once its bundle was confirmed by the broker and its work reported as done. What is
//! interrupted before that comes again and gives the same result, because all identifiers are stable.

mod batch;
mod claims;
mod endpoint;
mod intake;
mod log;
mod metrics;
mod pause;
mod search;
mod sink;
mod start;
mod states;
mod subject;
mod tools;
mod wire;
mod worker;

#[cfg(test)]
mod tests;

use stix_model::Timestamp;

pub(crate) use start::{dry_run, once, run};

/// The time.
fn now() -> Timestamp {
    Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}
