//! Waiting for others: a platform, broker or indexer that does not answer slows the intake and loses nothing.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use opencti_client::{Backoff, Error, ErrorKind, Retry, judge};
use wazuh_query::store::{StoreError, StoreErrorKind};

/// How long it is waited between tries, and whether there is more than one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    backoff: Backoff,
    /// Whether it is tried until it works. Otherwise the first error counts; the clients have tried several times then.
    endless: bool,
}

impl Patience {
    /// Tries until it works, with pauses up to the longest one.
    pub(crate) fn endless(longest: Duration) -> Self {
        let first = Duration::from_millis(500).min(longest);
        Self { backoff: Backoff { retries: u32::MAX, first, longest }, endless: true }
    }

    /// The first error counts.
    pub(crate) fn none() -> Self {
        Self { backoff: Backoff::NONE, endless: false }
    }

    fn pause(&self, tries: u32, wish: Option<Duration>) -> Duration {
        // A hasher of the standard library is seeded at random, which is enough to spread connectors.
        self.backoff.pause(tries, wish, RandomState::new().build_hasher().finish())
    }

    /// How long to wait after an error of the platform or broker; `None` when it would be the same again.
    pub(crate) fn after(&self, error: &Error, tries: u32) -> Option<Duration> {
        if !self.endless {
            return None;
        }
        // A disk that is full has room again once somebody acts; without the copy nothing is sent.
        if matches!(error.kind(), ErrorKind::File { .. }) {
            return Some(self.backoff.longest);
        }
        match judge(error) {
            Retry::Never => None,
            Retry::Soon => Some(self.pause(tries, None)),
            Retry::After(wish) => Some(self.pause(tries, Some(wish))),
            Retry::Later => Some(self.backoff.longest),
        }
    }

    /// How long to wait after an error of the indexer; `None` when the search itself is wrong.
    pub(crate) fn after_search(&self, error: &StoreError, tries: u32) -> Option<Duration> {
        if !self.endless {
            return None;
        }
        match error.kind() {
            StoreErrorKind::Rejected { .. }
            | StoreErrorKind::Evaluate(_)
            | StoreErrorKind::Config(_)
            | StoreErrorKind::File { .. } => None,
            // Somebody has to act: the credentials, the index.
            StoreErrorKind::Auth { .. } | StoreErrorKind::NotFound(_) => Some(self.backoff.longest),
            // An answer that cannot be read is that of a proxy, or of a server in trouble.
            _ => Some(self.pause(tries, error.retry_after())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_waited_for() {
        let patience = Patience::endless(Duration::from_mins(1));
        let down = ErrorKind::Transport { peer: "opencti".into(), what: "refused".into(), unsent: true }.into();
        assert!(patience.after(&down, 1).unwrap() <= Duration::from_millis(500));
        assert!(Patience::none().after(&down, 1).is_none());
        let expired = ErrorKind::Auth { code: "AUTH_REQUIRED".into(), message: String::new() }.into();
        assert_eq!(patience.after(&expired, 1), Some(Duration::from_mins(1)));
        assert_eq!(patience.after(&Error::config("wrong"), 1), None);
        let full = ErrorKind::File { path: "/copies".into(), what: "No space left on device".into() }.into();
        assert_eq!(patience.after(&full, 1), Some(Duration::from_mins(1)));
        let busy = StoreErrorKind::Overloaded { status: 429, body: String::new(), retry_after: None };
        assert!(patience.after_search(&busy.into(), 1).is_some());
        let rejected = StoreErrorKind::Rejected { status: 400, reasons: Vec::new(), hint: None, body: String::new() };
        assert_eq!(patience.after_search(&rejected.into(), 1), None);
    }
}
