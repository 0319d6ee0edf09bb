//! Waiting for others: a platform, broker or indexer that does not answer slows the intake and loses nothing.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};

use opencti_client::{Backoff, Error, ErrorKind, Retry, judge};
use wazuh_query::store::{StoreError, StoreErrorKind};

/// How long it is waited between tries, and whether there is more than one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    backoff: Backoff,
    /// Whether it is tried until it works. Otherwise the first error counts; the clients have tried several times then.
    endless: bool,
    /// How long it is tried while others are answered: then it is the request that is in the way, not an outage.
    alone: Duration,
}

/// How long one request has failed while others were answered.
#[derive(Debug, Default)]
pub(crate) struct Alone {
    since: Option<Instant>,
    tries: u32,
}

impl Alone {
    /// Notes another failure, and whether the other side answered somebody else meanwhile. True if it is time to give up.
    pub(crate) fn failed(&mut self, others_are_answered: bool, patience: &Patience) -> bool {
        if !others_are_answered {
            return false;
        }
        self.tries += 1;
        self.since.get_or_insert_with(Instant::now).elapsed() >= patience.alone && self.tries >= TRIES
    }
}

/// So often a request fails at least while others are answered, before it is given up.
const TRIES: u32 = 3;

impl Patience {
    /// Tries until it works, with pauses up to the longest one; not longer than `alone` while others are answered.
    pub(crate) fn endless(longest: Duration, alone: Duration) -> Self {
        let first = Duration::from_millis(500).min(longest);
        Self { backoff: Backoff { retries: u32::MAX, first, longest }, endless: true, alone }
    }

    /// The same, whatever is answered to others.
    pub(crate) fn for_ever(self) -> Self {
        Self { alone: Duration::MAX, ..self }
    }

    /// The first error counts.
    pub(crate) fn none() -> Self {
        Self { backoff: Backoff::NONE, endless: false, alone: Duration::ZERO }
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
    fn what_fails_while_others_are_answered_is_given_up() {
        let patience = Patience::endless(Duration::from_mins(1), Duration::ZERO);
        let mut alone = Alone::default();
        // An outage never counts, however long it is.
        assert!((0..100).all(|_| !alone.failed(false, &patience)));
        assert_eq!([(); 3].map(|()| alone.failed(true, &patience)), [false, false, true]);
        let patience = Patience::endless(Duration::from_mins(1), Duration::from_mins(10));
        let mut alone = Alone::default();
        assert!((0..100).all(|_| !alone.failed(true, &patience)), "the time is not over");
    }

    #[test]
    fn what_passes_is_waited_for() {
        let patience = Patience::endless(Duration::from_mins(1), Duration::from_mins(10));
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
