//! What went wrong, and whether trying again can help.

use std::fmt;
use std::time::Duration;

/// An operation failed: why, how often it was tried and for how long.
///
/// `Display` gives one line for an operator. It holds no secret.
#[derive(Debug)]
pub struct Error {
    kind: Box<ErrorKind>,
    tries: u32,
    duration: Duration,
}

/// What went wrong. Texts of a server are shortened and hold no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is missing, wrong or expired, or the account is not usable as it is.
    #[error("OpenCTI refused the token ({code}): {message}")]
    Auth {
        /// The platform's code, usually `AUTH_REQUIRED`.
        code: String,
        /// What the platform said.
        message: String,
    },
    /// The platform's back end is busy, or lacks a reference that may arrive soon.
    #[error("OpenCTI cannot do this now ({code}): {message}")]
    Busy {
        /// The platform's code: `LOCK_ERROR`, `DATABASE_ERROR`, `MISSING_REFERENCE_ERROR`.
        code: String,
        /// What the platform said.
        message: String,
    },
    /// The broker refused or ended something, with AMQP's reply code.
    #[error("the message broker says {code}: {message}")]
    Broker {
        /// The reply code of AMQP 0-9-1, for example 403 (access refused) or 404 (no such queue).
        code: u16,
        /// What the broker said.
        message: String,
    },
    /// The peer's certificate is not trusted, or ours is not accepted.
    #[error("no trusted connection to {peer}: {what}")]
    Certificate {
        /// Who was called.
        peer: String,
        /// What is wrong.
        what: String,
    },
    /// The thing was shut down by its owner.
    #[error("shut down")]
    Closed,
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(String),
    /// The draft was validated already and takes nothing more.
    #[error("the draft is locked: {0}")]
    DraftLocked(String),
    /// A file cannot be read or written.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The account lacks a capability.
    #[error("OpenCTI forbids this to the connector's user ({code}): {message}")]
    Forbidden {
        /// The platform's code, `FORBIDDEN_ACCESS`.
        code: String,
        /// What the platform said.
        message: String,
    },
    /// An answer with another HTTP status than 200.
    #[error("{peer} answers with HTTP status {status}: {body}")]
    Http {
        /// Who was called.
        peer: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        body: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The target of the operation does not exist, or the user may not see it.
    #[error("OpenCTI does not know this: {0}")]
    NotFound(String),
    /// The platform refused the operation: asking again gives the same answer.
    #[error("OpenCTI refused the operation ({code}): {message}")]
    Rejected {
        /// The platform's code, for example `FUNCTIONAL_ERROR`.
        code: String,
        /// What the platform said.
        message: String,
        /// The refinement of the code, for example `INCORRECT_OBSERVABLE_FORMAT`.
        doc_code: Option<String>,
    },
    /// The document does not fit the platform's schema: it is of a version that this client does not know well.
    #[error("OpenCTI does not understand the request, its version may not be supported ({code}): {message}")]
    Schema {
        /// The platform's code, `GRAPHQL_VALIDATION_FAILED` or `BAD_USER_INPUT`.
        code: String,
        /// What the platform said.
        message: String,
    },
    /// A message was delivered again in the meantime, because the connection on which it came is gone.
    #[error("the connection on which the message came is gone; the broker delivers it again")]
    Stale,
    /// No answer in time.
    #[error("no answer from {peer} within {after:?}")]
    Timeout {
        /// Who was called.
        peer: String,
        /// How long it was waited.
        after: Duration,
    },
    /// The answer or message is larger than what is accepted.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What it is.
        what: String,
        /// How much is accepted.
        limit: u64,
    },
    /// No connection: refused, cut, name not resolved.
    #[error("no connection to {peer}: {what}")]
    Transport {
        /// Who was called.
        peer: String,
        /// What is wrong.
        what: String,
        /// Whether the peer cannot have seen the request.
        unsent: bool,
    },
    /// The answer is not what was asked for.
    #[error("{peer} gives an answer that cannot be read: {what}: {excerpt}")]
    Unexpected {
        /// Who was called.
        peer: String,
        /// What is wrong.
        what: String,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The connector is not registered: somebody deleted it.
    #[error("OpenCTI does not know the connector: {0}")]
    UnknownConnector(String),
    /// A message was returned: nothing is bound to the exchange with this routing key.
    #[error("no queue takes messages for `{routing_key}` of the exchange `{exchange}`")]
    Unroutable {
        /// The exchange.
        exchange: String,
        /// The routing key.
        routing_key: String,
    },
    /// The platform is of a version that this client does not speak to.
    #[error("OpenCTI {found} is not supported; {minimum} or later is needed")]
    Unsupported {
        /// The platform's version, as it says.
        found: String,
        /// The first version that is supported.
        minimum: String,
    },
    /// The work was deleted or cancelled.
    #[error("the work was cancelled: {0}")]
    WorkGone(String),
}

impl Error {
    /// An error of an operation that was tried once.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind: Box::new(kind), tries: 1, duration: Duration::ZERO }
    }

    /// A configuration that cannot be used.
    pub fn config(what: impl Into<String>) -> Self {
        ErrorKind::Config(what.into()).into()
    }

    /// The same error after several tries.
    #[must_use]
    pub fn after(self, tries: u32, duration: Duration) -> Self {
        Self { tries, duration, ..self }
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What went wrong, by value.
    pub fn into_kind(self) -> ErrorKind {
        *self.kind
    }

    /// How often it was tried.
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// How long it was tried.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// What to do about it: the same as [`judge`].
    pub fn retry(&self) -> Retry {
        judge(self)
    }

    /// Whether credentials or permissions are the reason.
    pub fn is_auth(&self) -> bool {
        matches!(*self.kind, ErrorKind::Auth { .. } | ErrorKind::Forbidden { .. } | ErrorKind::Broker { code: 403, .. })
    }

    /// Whether the operation may have been carried out all the same: the request left, and no answer came.
    pub fn outcome_unknown(&self) -> bool {
        match &*self.kind {
            ErrorKind::Transport { unsent, .. } => !unsent,
            ErrorKind::Timeout { .. } | ErrorKind::Unexpected { .. } => true,
            ErrorKind::Http { status, .. } => matches!(status, 500 | 502 | 504),
            _ => false,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind)?;
        if self.tries > 1 {
            write!(formatter, " (tried {} times in {:.1} s)", self.tries, self.duration.as_secs_f64())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again: report it.
    Never,
    /// Somebody has to act first (a token, a certificate, an upgrade): ask again at long intervals, and say so.
    Later,
    /// Likely to pass: ask again, with growing pauses.
    Soon,
    /// The server says when to ask again.
    After(Duration),
}

/// Judges an error. Pure: no clock, no log.
///
/// ```
/// use opencti_client::{Error, ErrorKind, Retry, judge};
///
/// let down = ErrorKind::Transport { peer: "opencti".into(), what: "connection refused".into(), unsent: true };
/// assert_eq!(judge(&Error::new(down)), Retry::Soon);
/// let refused = ErrorKind::Auth { code: "AUTH_REQUIRED".into(), message: "You must be logged in".into() };
/// assert_eq!(judge(&Error::new(refused)), Retry::Later);
/// ```
pub fn judge(error: &Error) -> Retry {
    match error.kind() {
        ErrorKind::Auth { .. }
        | ErrorKind::Forbidden { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::Unsupported { .. }
        | ErrorKind::Schema { .. }
        | ErrorKind::Unroutable { .. } => Retry::Later,
        ErrorKind::Busy { .. } | ErrorKind::Timeout { .. } | ErrorKind::Transport { .. } => Retry::Soon,
        ErrorKind::Unexpected { .. } => Retry::Soon,
        ErrorKind::Http { retry_after: Some(wait), status: 429 | 503, .. } => Retry::After(*wait),
        ErrorKind::Http { status: 408 | 425 | 429 | 500 | 502..=504, .. } => Retry::Soon,
        // Too large today is too large tomorrow.
        ErrorKind::Http { status: 413 | 414 | 431, .. } => Retry::Never,
        // A proxy that wants credentials, a path that does not exist, a login page to which it redirects.
        ErrorKind::Http { .. } => Retry::Later,
        // Access refused, no such queue, other arguments: somebody has to act. The rest ends with the connection.
        ErrorKind::Broker { code: 403 | 404 | 405 | 406 | 530, .. } => Retry::Later,
        ErrorKind::Broker { .. } => Retry::Soon,
        ErrorKind::UnknownConnector(_) => Retry::Later,
        ErrorKind::Closed
        | ErrorKind::Config(_)
        | ErrorKind::DraftLocked(_)
        | ErrorKind::File { .. }
        | ErrorKind::NotFound(_)
        | ErrorKind::Rejected { .. }
        | ErrorKind::Stale
        | ErrorKind::TooLarge { .. }
        | ErrorKind::WorkGone(_) => Retry::Never,
    }
}

/// The longest part of an answer that an error shows, in bytes.
pub(crate) const SHOWN: usize = 1_024;

/// The beginning of a text, on one line, for a message.
pub(crate) fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(text.len().min(SHOWN));
    let mut line = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|character| !character.is_control());
    if line.is_empty() {
        return "(no text)".to_owned();
    }
    if end < text.len() {
        line.push('…');
    }
    line
}

/// An error with everything behind it, each part once.
#[cfg(any(feature = "graphql", feature = "amqp", feature = "callback"))]
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let part = cause.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_servers_become_one_short_line() {
        assert_eq!(shown("<html>\n\t<h1>Bad\u{7} gateway</h1>\n"), "<html> <h1>Bad gateway</h1>");
        assert_eq!(shown(" \n"), "(no text)");
        let long = shown(&"ä".repeat(5_000));
        assert!(long.len() <= SHOWN + 3 && long.ends_with('…'));
    }

    #[test]
    fn tries_are_told() {
        let error = Error::new(ErrorKind::Closed).after(4, Duration::from_millis(1_500));
        assert_eq!(error.to_string(), "shut down (tried 4 times in 1.5 s)");
    }

    #[test]
    fn the_server_decides_when() {
        let http = |status, retry_after| {
            judge(&ErrorKind::Http { peer: "p".into(), status, body: String::new(), retry_after }.into())
        };
        assert_eq!(http(429, Some(Duration::from_secs(7))), Retry::After(Duration::from_secs(7)));
        assert_eq!(http(503, None), Retry::Soon);
        assert_eq!(http(404, Some(Duration::from_secs(7))), Retry::Later);
    }
}
