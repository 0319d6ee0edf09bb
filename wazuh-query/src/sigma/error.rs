//! Why a rule cannot be used.

use std::fmt;

/// Why a Sigma rule cannot be read, or is of a kind that one alert cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigmaError {
    /// The line of the text, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not YAML, or more of it than a rule needs.
    #[error("not YAML that can be read: {0}")]
    Yaml(String),
    /// A bound was exceeded.
    #[error("{what} may have at most {limit} {unit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// The document is something else.
    #[error("not a Sigma rule: {0}")]
    NotARule(&'static str),
    /// Something that a rule must have is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The condition does not follow the grammar.
    #[error("condition, column {column}: {message}")]
    Condition {
        /// The column, counted from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// A search identifier cannot be used.
    #[error("{place}: {message}")]
    Detection {
        /// The search identifier and the key.
        place: String,
        /// Why.
        message: String,
    },
    /// The rule is of a kind that is not evaluated on single alerts.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
}

impl From<ErrorKind> for SigmaError {
    fn from(kind: ErrorKind) -> Self {
        Self { line: None, kind }
    }
}

impl fmt::Display for SigmaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.kind),
            None => self.kind.fmt(formatter),
        }
    }
}

impl std::error::Error for SigmaError {}
