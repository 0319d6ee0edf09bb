//! What a store answers.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use stix_model::Timestamp;

use super::{StoreError, StoreErrorKind};

/// The answer to one search.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SearchResponse {
    /// How many documents match, exactly.
    pub total: u64,
    /// The documents that were asked for, in order.
    pub hits: Vec<Hit>,
    /// All buckets of the request's aggregation, by key.
    pub buckets: Vec<Bucket>,
    /// How many parts of the data answered.
    pub shards: Shards,
    /// Whether the search was stopped before it had seen everything.
    pub timed_out: bool,
    /// How long it took where the data is.
    pub took: Duration,
    /// Documents that matched or might have, and could not be used.
    pub skipped: Skipped,
}

impl SearchResponse {
    /// Whether a part of the data is missing in the answer: counts are lower bounds then.
    pub fn is_partial(&self) -> bool {
        self.timed_out || self.shards.failed > 0
    }

    /// The answer, unless it is partial and empty: then nothing is known.
    pub fn require_usable(self) -> Result<Self, StoreError> {
        if self.total == 0 { self.require_complete() } else { Ok(self) }
    }

    /// The answer, unless it is partial.
    pub fn require_complete(self) -> Result<Self, StoreError> {
        if self.shards.failed > 0 {
            return Err(StoreErrorKind::Partial { shards: self.shards }.into());
        }
        if self.timed_out {
            return Err(StoreErrorKind::Timeout(self.took).into());
        }
        Ok(self)
    }
}

/// One document.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The index, or the file, that it came from.
    pub index: String,
    /// Its identifier there.
    pub id: String,
    /// The document as it was written.
    pub source: Box<RawValue>,
    /// Its place in the order: what to pass as `search_after` to go on behind it.
    pub sort: Vec<Value>,
}

/// The documents that have one combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The values, in the order of the aggregation's fields. A document without a value counts under `None`.
    pub key: Vec<Option<Value>>,
    /// How many documents.
    pub count: u64,
    /// The earliest time in them.
    pub first_seen: Option<Timestamp>,
    /// The latest time in them.
    pub last_seen: Option<Timestamp>,
}

impl Bucket {
    /// A value of the key as text; numbers as JSON writes them.
    pub fn text(&self, place: usize) -> Option<String> {
        match self.key.get(place)?.as_ref()? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// How many parts of the data answered: shards of a cluster, or files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shards {
    /// All parts.
    pub total: u64,
    /// Those that answered, skipped ones included.
    pub successful: u64,
    /// Those that could not hold a match and were not asked.
    pub skipped: u64,
    /// Those that did not answer, or not fully.
    pub failed: u64,
    /// Why; the same reason stands here once.
    pub failures: Vec<ShardFailure>,
}

impl Shards {
    /// The reasons in one line, at most five.
    pub fn reasons(&self) -> String {
        let mut out = String::new();
        for (place, failure) in self.failures.iter().take(5).enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            // Writing to a text cannot fail.
            let _ = write!(out, "{separator}{}: {}", failure.index, failure.reason);
        }
        if self.failures.len() > 5 {
            let _ = write!(out, "; and {} more", self.failures.len() - 5);
        }
        if out.is_empty() {
            out.push_str("no reason was given");
        }
        out
    }

    #[cfg(any(feature = "files", feature = "opensearch"))]
    /// Adds what another request of the same search said: the worse of both counts.
    pub(crate) fn merge(&mut self, other: Self) {
        self.total = self.total.max(other.total);
        self.skipped = self.skipped.max(other.skipped);
        self.failed = self.failed.max(other.failed);
        self.successful = self.total.saturating_sub(self.failed);
        for failure in other.failures {
            if !self.failures.contains(&failure) {
                self.failures.push(failure);
            }
        }
    }
}

/// Why a part of the data did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardFailure {
    /// The index or file.
    pub index: String,
    /// The reason.
    pub reason: String,
}

/// Documents that could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// What was wrong with the first few.
    pub examples: Vec<String>,
}

#[cfg(any(feature = "files", feature = "opensearch"))]
impl Skipped {
    const EXAMPLES: usize = 10;

    pub(crate) fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(what());
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        let room = Self::EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }
}

/// What a run over all pages saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paged {
    /// How many documents match, exactly.
    pub total: u64,
    /// Pages that were handed out.
    pub pages: u64,
    /// Documents that were handed out.
    pub hits: u64,
    /// How many parts of the data answered.
    pub shards: Shards,
    /// Whether a page was stopped before it had seen everything.
    pub timed_out: bool,
    /// Documents that could not be used.
    pub skipped: Skipped,
    /// Documents that match and were not handed out although the last page was reached.
    pub missing: u64,
}

impl Paged {
    /// Whether a part of the data is missing.
    pub fn is_partial(&self) -> bool {
        self.timed_out || self.shards.failed > 0 || self.missing > 0
    }

    #[cfg(any(feature = "files", feature = "opensearch"))]
    /// Adds a page that is handed out.
    pub(crate) fn add(&mut self, page: &SearchResponse) {
        self.pages += 1;
        self.hits += page.hits.len() as u64;
        self.merge(page);
    }

    #[cfg(any(feature = "files", feature = "opensearch"))]
    /// Adds what a page says about the whole.
    pub(crate) fn merge(&mut self, page: &SearchResponse) {
        self.total = self.total.max(page.total);
        self.shards.merge(page.shards.clone());
        self.timed_out |= page.timed_out;
        self.skipped.merge(page.skipped.clone());
    }
}
