//! Which indicators count: by what is known about them, and by when they are valid.

use std::fmt;

use serde::Serialize;
use stix_model::Timestamp;
use stix_model::marking::Tlp;

use crate::indicator::Indicator;

/// Which indicators count, by what is known about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The score has to be this at least. One of which no score is known does not count then.
    pub min_score: Option<u8>,
    /// The confidence has to be this at least. One of which none is known does not count then.
    pub min_confidence: Option<u8>,
    /// It has to have one of these labels, if there are any. Letter case does not matter.
    pub labels_any: Vec<String>,
    /// It must have none of these labels.
    pub labels_none: Vec<String>,
    /// It must not be marked more restrictive than this. One without a marking may be told to anybody.
    pub max_tlp: Option<Tlp>,
}

impl Filter {
    /// Whether every indicator counts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What keeps an indicator from counting, if anything does.
    pub fn check(&self, indicator: &Indicator) -> Option<Filtered> {
        let labels = || Ok::<_, std::convert::Infallible>(indicator.labels.iter().map(|label| &**label).collect());
        match self.check_parts(indicator.score, indicator.confidence, indicator.tlp, labels) {
            Ok(filtered) => filtered,
        }
    }

    /// The same, over parts that are looked up only where they matter.
    pub(super) fn check_parts<'a, E>(
        &self,
        score: Option<u8>,
        confidence: Option<u8>,
        tlp: Option<Tlp>,
        labels: impl FnOnce() -> Result<Vec<&'a str>, E>,
    ) -> Result<Option<Filtered>, E> {
        if self.min_score.is_some_and(|min| score.is_none_or(|score| score < min)) {
            return Ok(Some(Filtered::Score));
        }
        if self.min_confidence.is_some_and(|min| confidence.is_none_or(|confidence| confidence < min)) {
            return Ok(Some(Filtered::Confidence));
        }
        if self.max_tlp.is_some_and(|max| tlp.is_some_and(|tlp| tlp > max)) {
            return Ok(Some(Filtered::Marking));
        }
        if self.labels_any.is_empty() && self.labels_none.is_empty() {
            return Ok(None);
        }
        let labels = labels()?;
        let has = |wanted: &[String]| {
            wanted.iter().any(|wanted| labels.iter().any(|label| label.to_lowercase() == wanted.to_lowercase()))
        };
        let out = !self.labels_any.is_empty() && !has(&self.labels_any) || has(&self.labels_none);
        Ok(out.then_some(Filtered::Label))
    }
}

/// What kept an indicator from counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Filtered {
    /// Its score is too low, or not known.
    Score,
    /// Its confidence is too low, or not known.
    Confidence,
    /// Its marking is too restrictive.
    Marking,
    /// Its labels.
    Label,
}

/// When indicators are valid, at the time of an event.
///
/// An event whose time is not known counts as inside of every validity, but a revoked indicator stays revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Events before `valid_from` do not count.
    pub from: bool,
    /// Events at or after `valid_until` do not count.
    pub until: bool,
    /// Revoked indicators count for events before the last change of the indicator, which is when it was revoked at the
    /// latest. STIX does not say when it was, and whether the author took the statement back altogether; so they never
    /// count unless this says so.
    pub revoked: bool,
}

impl Validity {
    /// For alerts as they come: indicators are valid from `valid_from` to `valid_until`.
    pub const RESIDENT: Self = Self { from: true, until: true, revoked: false };
    /// For a hunt through old alerts: `valid_from` is often no more than the time at which somebody wrote the indicator
    /// down, and what was seen before is what one hunts for; so it does not matter.
    pub const HUNT: Self = Self { from: false, until: true, revoked: false };
    /// For questions about an indicator itself: validity does not matter.
    pub const ANY: Self = Self { from: false, until: false, revoked: true };

    /// How an indicator stands to an event at this time.
    pub fn at(self, indicator: &Indicator, event: Option<Timestamp>) -> Standing {
        self.standing(indicator.valid_from, indicator.valid_until, indicator.revoked, event)
    }

    pub(super) fn standing(
        self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        revoked: bool,
        event: Option<Timestamp>,
    ) -> Standing {
        if revoked && !self.revoked {
            return Standing::Revoked;
        }
        let Some(event) = event else { return Standing::Valid };
        if (self.until || revoked && self.revoked && self != Self::ANY) && until.is_some_and(|until| event >= until) {
            return if revoked { Standing::Revoked } else { Standing::Expired };
        }
        if self.from && from.is_some_and(|from| event < from) {
            return Standing::NotYetValid;
        }
        Standing::Valid
    }
}

impl Default for Validity {
    /// [`Validity::RESIDENT`].
    fn default() -> Self {
        Self::RESIDENT
    }
}

/// How an indicator stands to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case", tag = "standing", content = "reason")]
#[non_exhaustive]
pub enum Standing {
    /// It is valid.
    Valid,
    /// It became valid after the event.
    NotYetValid,
    /// It had expired before the event.
    Expired,
    /// Its author took it back.
    Revoked,
    /// It does not count.
    Filtered(Filtered),
}

impl Standing {
    /// Whether the match counts.
    pub fn counts(self) -> bool {
        self == Self::Valid
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Valid => "valid",
            Self::NotYetValid => "not valid yet at the time of the event",
            Self::Expired => "expired at the time of the event",
            Self::Revoked => "revoked",
            Self::Filtered(Filtered::Score) => "filtered: score too low or unknown",
            Self::Filtered(Filtered::Confidence) => "filtered: confidence too low or unknown",
            Self::Filtered(Filtered::Marking) => "filtered: marking too restrictive",
            Self::Filtered(Filtered::Label) => "filtered: labels",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn validity_at_the_time_of_the_event() {
        let (from, until) = (Some(time("2026-03-01T00:00:00Z")), Some(time("2026-04-01T00:00:00Z")));
        let standing = |validity: Validity, revoked, event| validity.standing(from, until, revoked, Some(time(event)));
        let (before, inside, after) = ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
        for (validity, revoked, wanted) in [
            (Validity::RESIDENT, false, [Standing::NotYetValid, Standing::Valid, Standing::Expired]),
            (Validity::HUNT, false, [Standing::Valid, Standing::Valid, Standing::Expired]),
            (Validity::HUNT, true, [Standing::Revoked; 3]),
            (Validity { revoked: true, ..Validity::HUNT }, true, [Standing::Valid, Standing::Valid, Standing::Revoked]),
            (Validity::ANY, true, [Standing::Valid; 3]),
        ] {
            assert_eq!([before, inside, after].map(|event| standing(validity, revoked, event)), wanted);
        }
        assert_eq!(Validity::RESIDENT.standing(from, until, false, None), Standing::Valid);
    }

    #[test]
    fn filters() {
        let indicator = Indicator {
            score: Some(60),
            labels: vec!["Phishing".into(), "apt".into()],
            tlp: Some(Tlp::Amber),
            ..Indicator::new("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".parse().unwrap())
        };
        let check = |filter: Filter| filter.check(&indicator);
        assert_eq!(check(Filter::default()), None);
        assert_eq!(check(Filter { min_score: Some(60), ..Filter::default() }), None);
        assert_eq!(check(Filter { min_score: Some(61), ..Filter::default() }), Some(Filtered::Score));
        assert_eq!(check(Filter { min_confidence: Some(1), ..Filter::default() }), Some(Filtered::Confidence));
        assert_eq!(check(Filter { max_tlp: Some(Tlp::Amber), ..Filter::default() }), None);
        assert_eq!(check(Filter { max_tlp: Some(Tlp::Green), ..Filter::default() }), Some(Filtered::Marking));
        let labels = |any: &[&str], none: &[&str]| {
            let owned = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
            check(Filter { labels_any: owned(any), labels_none: owned(none), ..Filter::default() })
        };
        assert_eq!(labels(&["phishing", "x"], &[]), None);
        assert_eq!(labels(&["x"], &[]), Some(Filtered::Label));
        assert_eq!(labels(&[], &["APT"]), Some(Filtered::Label));
        assert_eq!(labels(&[], &["x"]), None);
    }
}
