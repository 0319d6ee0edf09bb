//! The platform's version, and what it can do.

use std::fmt;

/// A version of the platform: `6.8.10`, or by date from `7.260224.0` on (24 February 2026).
///
/// ```
/// use opencti_client::{Feature, PlatformVersion};
///
/// let version = PlatformVersion::parse("7.260817.0-rc1").unwrap();
/// assert!(version > PlatformVersion::new(6, 9, 29));
/// assert!(version.has(Feature::CallbackKeys));
/// assert!(!PlatformVersion::new(6, 2, 0).has(Feature::Drafts));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// Something that not every supported version can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// `connectorInfo` in the life sign.
    ConnectorInfo,
    /// Drafts: their header, and `draft_id` in messages.
    Drafts,
    /// Delivery of messages to an HTTP listener.
    CallbackUri,
    /// The work of a pushed bundle can be named.
    PushWithWork,
    /// `isWorkAlive`.
    WorkAlive,
    /// `auto_update` and `enrichment_resolution` at registration.
    AutoUpdate,
    /// Keys for the tokens with which messages are delivered to an HTTP listener.
    CallbackKeys,
    /// `no_split` in queue messages.
    NoSplit,
}

impl Feature {
    /// The first version that has it.
    pub const fn since(self) -> PlatformVersion {
        match self {
            Self::ConnectorInfo => PlatformVersion::new(6, 2, 12),
            Self::Drafts => PlatformVersion::new(6, 4, 0),
            Self::CallbackUri | Self::PushWithWork => PlatformVersion::new(6, 5, 7),
            Self::WorkAlive => PlatformVersion::new(6, 8, 7),
            Self::AutoUpdate => PlatformVersion::new(6, 8, 9),
            Self::CallbackKeys => PlatformVersion::new(7, 260_224, 0),
            Self::NoSplit => PlatformVersion::new(7, 260_401, 0),
        }
    }
}

impl PlatformVersion {
    /// The first version that is supported.
    pub const MINIMUM: Self = Self::new(6, 2, 0);

    /// A version of three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads a version. What follows the numbers (a build, a pre-release) does not count.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().trim_start_matches('v').split('.').map(|part| {
            let end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse::<u32>().ok()
        });
        let major = numbers.next().flatten()?;
        let mut further = || numbers.next().flatten().unwrap_or(0);
        Some(Self::new(major, further(), further()))
    }

    /// Whether this client speaks to it.
    pub fn is_supported(self) -> bool {
        self >= Self::MINIMUM
    }

    /// Whether it can do something.
    pub fn has(self, feature: Feature) -> bool {
        self >= feature.since()
    }
}

impl fmt::Display for PlatformVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_leniently() {
        for (text, expect) in [
            ("6.8.10", Some((6, 8, 10))),
            (" 6.2.18-SNAPSHOT ", Some((6, 2, 18))),
            ("v7.260817.0+build.5", Some((7, 260_817, 0))),
            ("7", Some((7, 0, 0))),
            ("7.260817", Some((7, 260_817, 0))),
            ("", None),
            ("latest", None),
            ("99999999999.1.1", None),
        ] {
            let expect = expect.map(|(major, minor, patch)| PlatformVersion::new(major, minor, patch));
            assert_eq!(PlatformVersion::parse(text), expect, "{text}");
        }
        assert!(!PlatformVersion::new(6, 1, 13).is_supported());
        assert!(PlatformVersion::new(7, 260_817, 0) > PlatformVersion::new(6, 99, 0));
    }
}
