//! Pauses between tries.

use std::time::Duration;

/// How often something is tried again, and how long it is waited between the tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How often a request is repeated. The first try does not count.
    pub retries: u32,
    /// The pause before the first repetition. It doubles with each one, and a random part is taken off.
    pub first: Duration,
    /// The longest pause, also when the server asks for a longer one.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Three repetitions, from half a second to half a minute.
    fn default() -> Self {
        Self { retries: 3, first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// No repetition at all.
    pub const NONE: Self = Self { retries: 0, first: Duration::from_millis(500), longest: Duration::from_secs(30) };

    /// The pause after `tries` tries: the server's wish, or twice as long each time with a random part taken off.
    ///
    /// `chance` is a random number; up to half of the pause depends on it.
    ///
    /// ```
    /// use opencti_client::Backoff;
    /// use std::time::Duration;
    ///
    /// let backoff = Backoff::default();
    /// assert_eq!(backoff.pause(3, None, 0), Duration::from_secs(2));
    /// assert!(backoff.pause(60, None, u64::MAX) <= backoff.longest);
    /// assert_eq!(backoff.pause(1, Some(Duration::from_secs(3)), 0), Duration::from_secs(3));
    /// ```
    pub fn pause(&self, tries: u32, wish: Option<Duration>, chance: u64) -> Duration {
        if let Some(wish) = wish {
            return wish.min(self.longest);
        }
        let full = self.first.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(self.longest);
        let half = full / 2;
        // The upper 16 bits are enough to spread clients.
        let part = u32::try_from(chance >> 48).unwrap_or(0);
        full.saturating_sub(half * part / 0xffff)
    }
}

/// A random number: a hasher of the standard library is seeded at random, which is enough to spread clients.
#[cfg(any(feature = "graphql", feature = "amqp"))]
pub(crate) fn chance() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}
