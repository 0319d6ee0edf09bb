//! Works: what the platform shows of a connector's doings.

use async_trait::async_trait;
use serde::Deserialize;

use crate::Error;

/// An error that is shown with a work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkError {
    /// What went wrong.
    pub error: String,
    /// With what: an object, a part of a bundle.
    pub source: String,
}

/// How a work stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkState {
    /// `wait`, `progress` or `complete`.
    pub status: String,
    /// How many parts were announced.
    pub expected: u64,
    /// How many parts were imported or failed.
    pub processed: u64,
    /// The messages shown.
    pub messages: Vec<String>,
    /// The errors shown.
    pub errors: Vec<String>,
}

impl WorkState {
    /// Whether nothing more is awaited.
    pub fn is_complete(&self) -> bool {
        self.status == "complete"
    }
}

/// A message or error of a work, as the platform returns it.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(feature = "graphql"), expect(dead_code, reason = "read by the adapter"))]
pub(crate) struct WorkLine {
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// Reports of work.
///
/// The order is: [`received`](Self::received), [`expect`](Self::expect) with the number of parts, sending of the parts,
/// [`processed`](Self::processed). A work whose `processed` comes first completes at once. In playbooks there is none.
#[async_trait]
pub trait WorkApi: Send + Sync {
    /// Opens a work of the connector's own; returns its identifier. The works of enrichment messages exist already.
    async fn open(&self, connector: &str, label: &str) -> Result<String, Error>;

    /// The message was received and is worked on.
    async fn received(&self, work: &str, message: &str) -> Result<(), Error>;

    /// Announces a number of parts, in addition to those announced before.
    ///
    /// When [`Error::outcome_unknown`] holds for the error, they may have been counted.
    async fn expect(&self, work: &str, parts: u64) -> Result<(), Error>;

    /// Reports that one part was dealt with, or failed. The platform's workers do that for parts that are sent.
    async fn report(&self, work: &str, error: Option<&WorkError>) -> Result<(), Error>;

    /// The connector's own part is done.
    async fn processed(&self, work: &str, message: &str, in_error: bool) -> Result<(), Error>;

    /// Shows that the work is still going on. To be called every five minutes.
    async fn keep_alive(&self, work: &str) -> Result<(), Error>;

    /// Whether the work still exists and was not cancelled. Before 6.8.7: whether it exists.
    async fn is_alive(&self, work: &str) -> Result<bool, Error>;

    /// How the work stands; `None` when it does not exist.
    async fn state(&self, work: &str) -> Result<Option<WorkState>, Error>;
}
