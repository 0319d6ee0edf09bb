//! What could not be used, and why.

use std::fmt;

use stix_model::Identifier;
use wazuh_query::pattern_type::{NotSearchablePattern, PatternType};

use super::list::ListError;
use super::pattern::PatternError;
use crate::store::WorthlessReason;

/// Something that could not be used, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipped {
    /// What it is: an identifier, or a value.
    pub what: String,
    /// Why.
    pub why: SkipReason,
}

/// Why an indicator or a value was not taken into a store.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its pattern cannot be searched for.
    #[error("{0}")]
    Pattern(#[from] PatternError),
    /// Its pattern is written in another language.
    #[error(transparent)]
    PatternType(#[from] NotSearchablePattern),
    /// It is a rule in a language that has no values to look for.
    #[error("a rule of type `{0}` is no list of values to look for")]
    Rule(PatternType),
    /// Alerts hold nothing of its kind.
    #[error("alerts hold no such value")]
    NoField,
    /// The text is no value.
    #[error("{0}")]
    Value(#[from] ListError),
    /// The value says nothing wherever it is seen.
    #[error("`{value}` is worthless: {reason}")]
    Worthless {
        /// The value.
        value: String,
        /// Why it is.
        reason: WorthlessReason,
    },
    /// A newer version of it is in the same sources.
    #[error("there is a newer version of it")]
    Superseded,
    /// Every alert would have to be looked at for it, and there are too many such patterns already.
    #[error("its pattern has nothing to look up, and there are {limit} such patterns already")]
    NothingToLookUp {
        /// How many are taken.
        limit: usize,
    },
    /// Its pattern cannot be evaluated.
    #[error("its pattern cannot be evaluated: {0}")]
    NotEvaluable(String),
    /// Its value is longer than any field of an index.
    #[error("its value is too long")]
    TooLong,
    /// A part of a source could not be read.
    #[error("{0}")]
    Source(String),
}

impl SkipReason {
    /// A short name, to count by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pattern(PatternError::Syntax(_)) => "not a pattern",
            Self::Pattern(PatternError::Property(_)) => "no such field in alerts",
            Self::Pattern(PatternError::Value(..)) | Self::Value(_) => "not a value",
            Self::Pattern(_) => "pattern cannot be searched",
            Self::PatternType(_) => "other pattern language",
            Self::Rule(_) => "rule that a hunt searches for, by itself",
            Self::NoField => "no such field in alerts",
            Self::Worthless { .. } => "worthless",
            Self::Superseded => "superseded",
            Self::NothingToLookUp { .. } => "nothing to look up",
            Self::NotEvaluable(_) => "pattern cannot be evaluated",
            Self::TooLong => "too long",
            Self::Source(_) => "unreadable",
        }
    }
}

impl Skipped {
    pub(crate) fn object(id: &Identifier, why: impl Into<SkipReason>) -> Self {
        Self { what: id.to_string(), why: why.into() }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.why)
    }
}
