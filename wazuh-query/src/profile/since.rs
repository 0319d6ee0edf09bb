//! Times and intervals in settings.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Unit};
use stix_model::Timestamp;

/// A length of time as people write it: `7d`, `1 week`, `four months ago`, `P1DT12H`, `20`.
///
/// A bare number counts seconds. Months and years are those of the calendar when the interval counts from a time.
#[derive(Clone, Copy, Debug)]
pub struct Interval(Span);

impl Interval {
    /// The interval in a fixed length: a month has 30 days, a year 365.
    pub fn duration(self) -> Duration {
        let days = i64::from(self.0.get_years()) * 365 + i64::from(self.0.get_months()) * 30;
        let rest = self.0.years(0).months(0);
        let rest = rest.to_duration(SpanRelativeTo::days_are_24_hours()).unwrap_or_default();
        let days = Duration::from_secs(u64::try_from(days).unwrap_or(0) * 86_400);
        Duration::try_from(rest).unwrap_or_default().saturating_add(days)
    }

    /// The time that lies this long before `time`, as far back as times go.
    pub fn before(self, time: Timestamp) -> Timestamp {
        let shifted = jiff::Timestamp::from_millisecond(time.unix_millis())
            .and_then(|time| time.to_zoned(TimeZone::UTC).checked_sub(self.0));
        let shifted = shifted.ok().and_then(|time| Timestamp::from_unix_millis(time.timestamp().as_millisecond()));
        shifted.unwrap_or(Timestamp::MIN)
    }
}

impl PartialEq for Interval {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Interval {}

impl From<Duration> for Interval {
    fn from(duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(Span::new().try_milliseconds(millis).unwrap_or_default())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl FromStr for Interval {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let error = || SinceError { input: text.trim().to_owned(), kind: Kind::NoInterval };
        let words = text.trim().to_ascii_lowercase();
        if let Ok(seconds) = words.parse::<u32>() {
            return Ok(Self(Span::new().seconds(seconds)));
        }
        let (words, _) = words.strip_suffix("ago").map_or((words.as_str(), false), |rest| (rest.trim_end(), true));
        if words.starts_with(['-', '+']) || words.starts_with("in ") {
            return Err(SinceError { input: text.trim().to_owned(), kind: Kind::Future });
        }
        // The ISO form is the same in small letters; numbers may be words.
        let numbered: Vec<&str> = words.split_whitespace().map(|word| number(word).unwrap_or(word)).collect();
        let span: Span = numbered.join(" ").parse().map_err(|_| error())?;
        if span.is_negative() {
            return Err(SinceError { input: text.trim().to_owned(), kind: Kind::Future });
        }
        // Years beyond what dates can hold would otherwise fail when they are used.
        span.total((Unit::Hour, SpanRelativeTo::days_are_24_hours()))
            .or_else(|_| span.total((Unit::Hour, civil::date(2000, 1, 1))))
            .map_err(|_| error())?;
        Ok(Self(span))
    }
}

fn number(word: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 14] = [
        ("a", "1"),
        ("an", "1"),
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("eight", "8"),
        ("nine", "9"),
        ("ten", "10"),
        ("eleven", "11"),
        ("twelve", "12"),
    ];
    WORDS.into_iter().find(|(name, _)| *name == word).map(|(_, number)| number)
}

/// From when on alerts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From a fixed time on.
    At(Timestamp),
    /// From this long before each search on.
    Ago(Interval),
}

impl Since {
    /// Reads a time or an interval. Empty text is no bound.
    ///
    /// Times are RFC 3339 dates with or without a time of day; without a zone they are UTC. A bare number from
    /// 1 000 000 000 on counts seconds since 1970; a smaller one, like everything else, is an [`Interval`].
    ///
    /// Fails when the text is neither, and when the time lies after `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Option<Self>, SinceError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let Some(time) = time(text) else {
            let interval = text.parse::<Interval>().map_err(|error| match error.kind {
                Kind::NoInterval => SinceError { kind: Kind::Neither, ..error },
                Kind::Future | Kind::Neither => error,
            })?;
            return Ok(Some(Self::Ago(interval)));
        };
        if time > now {
            return Err(SinceError { input: text.to_owned(), kind: Kind::Future });
        }
        Ok(Some(Self::At(time)))
    }

    /// The time itself.
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(interval) => interval.before(now),
        }
    }
}

fn time(text: &str) -> Option<Timestamp> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = text.parse().ok().filter(|seconds| *seconds >= 1_000_000_000)?;
        return Timestamp::from_parts(seconds, 0);
    }
    // An ISO duration is no date, and `20260314` would be a date for the parser.
    if !text.contains('-') || !text.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Timestamp::from_unix_millis(time.as_millisecond());
    }
    let local: civil::DateTime = text.parse().ok()?;
    let time = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Timestamp::from_unix_millis(time.as_millisecond())
}

/// Why a text is no time or interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` {kind}")]
pub struct SinceError {
    input: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Kind {
    #[error("lies in the future")]
    Future,
    #[error("is neither a date (`2026-03-14`, `2026-03-14T09:26:53Z`) nor an interval (`1 week ago`, `7d`, `P1D`)")]
    Neither,
    #[error("is no interval (`20 seconds`, `1 week`, `7d`, `PT20S`, `20`)")]
    NoInterval,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-14T09:26:53.589Z".parse().unwrap()
    }

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        let since = Since::parse(text, now()).unwrap().unwrap();
        assert_eq!(since.resolve(now()), wanted.parse().unwrap(), "{text}");
    }

    #[test]
    fn dates() {
        check("2024-01-02", "2024-01-02T00:00:00Z");
        check("2024-04-05T19:22:03.348450", "2024-04-05T19:22:03.348Z");
        check("2024-04-05 19:22", "2024-04-05T19:22:00Z");
        check("2024-04-05T19:22:03+02:00", "2024-04-05T17:22:03Z");
        check("2024-04-05T19:22:03Z", "2024-04-05T19:22:03Z");
        check("1712345678", "2024-04-05T19:34:38Z");
    }

    #[test]
    fn intervals() {
        check("1 week ago", "2026-03-07T09:26:53.589Z");
        check("7d", "2026-03-07T09:26:53.589Z");
        check("2h", "2026-03-14T07:26:53.589Z");
        check("15 weeks", "2025-11-29T09:26:53.589Z");
        check("four months ago", "2025-11-14T09:26:53.589Z");
        check("Twelve Hours", "2026-03-13T21:26:53.589Z");
        check("an hour ago", "2026-03-14T08:26:53.589Z");
        check("1 day 2 hours", "2026-03-13T07:26:53.589Z");
        check("P1D", "2026-03-13T09:26:53.589Z");
        check("PT20S", "2026-03-14T09:26:33.589Z");
        check("P1M", "2026-02-14T09:26:53.589Z");
        check("0 seconds", "2026-03-14T09:26:53.589Z");
        check("500 ms", "2026-03-14T09:26:53.089Z");
        check("3600", "2026-03-14T08:26:53.589Z");
    }

    #[test]
    fn lengths() {
        for (text, millis) in [
            ("20", 20_000),
            ("20 seconds", 20_000),
            ("20s", 20_000),
            ("1 minute", 60_000),
            ("0.5 seconds", 500),
            ("PT20S", 20_000),
            ("1 week", 604_800_000),
            ("1 month", 2_592_000_000),
            ("1 year 1 day", 31_622_400_000),
        ] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!(interval.duration(), Duration::from_millis(millis), "{text}");
        }
        assert_eq!(Interval::from(Duration::from_secs(5)).duration(), Duration::from_secs(5));
    }

    #[test]
    fn refused() {
        assert_eq!(Since::parse("  ", now()), Ok(None));
        for text in ["in two months", "-5 minutes", "-P1D", "2026-03-15", "2031-01-02T03:04:05Z", "4000000000"] {
            let error = Since::parse(text, now()).unwrap_err();
            assert!(error.to_string().ends_with("lies in the future"), "{error}");
        }
        for text in ["soon", "yesterday", "10:00", "monday", "2024-13-01", "5 parsecs", "99999999999 years"] {
            let error = Since::parse(text, now()).unwrap_err();
            assert!(error.to_string().contains("is neither a date"), "{error}");
        }
        assert!("".parse::<Interval>().is_err());
        assert!("2026-03-14".parse::<Interval>().is_err());
    }
}
