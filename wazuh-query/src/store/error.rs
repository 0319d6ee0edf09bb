//! Why a store could not answer.

use std::fmt;
use std::time::Duration;

use super::Shards;
use crate::evaluate::EvaluateError;

/// Why a store could not answer, how often it was tried and for how long.
#[derive(Debug)]
pub struct StoreError {
    kind: Box<StoreErrorKind>,
    tries: u32,
    duration: Duration,
}

/// What went wrong. Texts of a server are shortened and hold no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Credentials are wrong, or do not suffice.
    #[error("{} (HTTP {status}): {body}", if *status == 401 { "the credentials were refused" } else { "the account lacks a permission" })]
    Auth {
        /// 401 or 403.
        status: u16,
        /// What the server said.
        body: String,
    },
    /// The configuration of the store cannot be used.
    #[error("{0}")]
    Config(String),
    /// The query cannot be evaluated outside of a cluster.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A file of alerts cannot be read.
    #[error("{}{}: {what}", path, line.map(|line| format!(":{line}")).unwrap_or_default())]
    File {
        /// The file or folder.
        path: String,
        /// The line, where it is known.
        line: Option<u64>,
        /// What is wrong.
        what: String,
    },
    /// There is no such index, or nothing at all behind this URL.
    #[error("not found: {0}")]
    NotFound(String),
    /// The cluster is too busy, or a proxy before it does not reach it.
    #[error("the cluster does not serve requests now (HTTP {status}): {body}")]
    Overloaded {
        /// 429, 502, 503 or 504.
        status: u16,
        /// What the server said.
        body: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was asked for.
    #[error("the answer cannot be read: {what}: {excerpt}")]
    Parse {
        /// What is wrong.
        what: String,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// Parts of the data did not answer, and the rest alone is no answer.
    #[error("{} of {} shards did not answer: {}", shards.failed, shards.total, shards.reasons())]
    Partial {
        /// What each part said.
        shards: Shards,
    },
    /// The cluster refused the query.
    #[error("the query was rejected (HTTP {status}): {}{}", reasons.join("; "), hint.map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Rejected {
        /// The status, usually 400.
        status: u16,
        /// The root causes.
        reasons: Vec<String>,
        /// What a user can do about it.
        hint: Option<&'static str>,
        /// What the server said.
        body: String,
    },
    /// The server failed.
    #[error("the server failed (HTTP {status}): {body}")]
    Server {
        /// The status.
        status: u16,
        /// What the server said.
        body: String,
    },
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// No connection: refused, cut, name not resolved, certificate not trusted.
    #[error("no connection to the cluster: {0}")]
    Transport(String),
}

impl StoreError {
    /// An error of an operation that was tried once.
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind: Box::new(kind), tries: 1, duration: Duration::ZERO }
    }

    /// The same error after several tries.
    #[must_use]
    pub fn after(self, tries: u32, duration: Duration) -> Self {
        Self { tries, duration, ..self }
    }

    /// What went wrong.
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }

    /// How often it was tried.
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// How long it was tried.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            *self.kind,
            StoreErrorKind::Overloaded { .. }
                | StoreErrorKind::Partial { .. }
                | StoreErrorKind::Timeout(_)
                | StoreErrorKind::Transport(_)
        )
    }

    /// Whether credentials or permissions are the reason.
    pub fn is_auth(&self) -> bool {
        matches!(*self.kind, StoreErrorKind::Auth { .. })
    }

    /// When the server wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        match *self.kind {
            StoreErrorKind::Overloaded { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<EvaluateError> for StoreError {
    fn from(error: EvaluateError) -> Self {
        Self::new(error.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind)?;
        if self.tries > 1 {
            write!(formatter, " (tried {} times in {:.1} s)", self.tries, self.duration.as_secs_f64())?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.kind)
    }
}
