//! Points in time (STIX 2.1, section 2.13).

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time in UTC, from the year 0000 to 9999, with nanosecond resolution.
///
/// Written as `YYYY-MM-DDTHH:MM:SS.mmmZ`; digits beyond milliseconds appear only where they are not zero. Any RFC 3339
/// offset is read and converted to UTC. A leap second (`:60`) is read as the last nanosecond before the next minute.
///
/// ```
/// use stix_model::Timestamp;
///
/// let time: Timestamp = "2026-01-02T03:04:05+02:00".parse()?;
/// assert_eq!(time.to_string(), "2026-01-02T01:04:05.000Z");
/// # Ok::<(), stix_model::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

/// 0000-01-01T00:00:00Z in Unix seconds.
const MIN_SECONDS: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z in Unix seconds.
const MAX_SECONDS: i64 = 253_402_300_799;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const UNIX_EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };
    /// The earliest point in time that can be written.
    pub const MIN: Self = Self { seconds: MIN_SECONDS, nanoseconds: 0 };
    /// The latest point in time that can be written.
    pub const MAX: Self = Self { seconds: MAX_SECONDS, nanoseconds: 999_999_999 };

    /// Milliseconds since the Unix epoch. `None` outside the years 0000 to 9999.
    pub const fn from_unix_millis(millis: i64) -> Option<Self> {
        // At most 999 million: fits.
        #[expect(clippy::cast_possible_truncation, reason = "0..=999 times a million")]
        let nanoseconds = millis.rem_euclid(1000) as u32 * 1_000_000;
        Self::from_parts(millis.div_euclid(1000), nanoseconds)
    }

    /// Seconds and nanoseconds (below one billion) since the Unix epoch. `None` outside the years 0000 to 9999.
    pub const fn from_parts(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanoseconds > 999_999_999 {
            return None;
        }
        Some(Self { seconds, nanoseconds })
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn unix_millis(&self) -> i64 {
        self.seconds * 1000 + (self.nanoseconds / 1_000_000) as i64
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub const fn subsec_nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// The same time without anything finer than a millisecond.
    #[must_use]
    pub const fn to_millis(self) -> Self {
        Self { seconds: self.seconds, nanoseconds: self.nanoseconds / 1_000_000 * 1_000_000 }
    }

    /// Later by `duration`, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanoseconds = self.nanoseconds + duration.subsec_nanos();
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let seconds = self.seconds.saturating_add(seconds).saturating_add(i64::from(nanoseconds / 1_000_000_000));
        Self::from_parts(seconds, nanoseconds % 1_000_000_000).unwrap_or(Self::MAX)
    }

    /// Earlier by `duration`, at least [`Timestamp::MIN`].
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let borrow = u32::from(self.nanoseconds < duration.subsec_nanos());
        let nanoseconds = self.nanoseconds + borrow * 1_000_000_000 - duration.subsec_nanos();
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let seconds = self.seconds.saturating_sub(seconds).saturating_sub(i64::from(borrow));
        Self::from_parts(seconds, nanoseconds).unwrap_or(Self::MIN)
    }

    /// The time that passed since `earlier`; zero when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let borrow = u32::from(self.nanoseconds < earlier.nanoseconds);
        let seconds = self.seconds - earlier.seconds - i64::from(borrow);
        let nanoseconds = self.nanoseconds + borrow * 1_000_000_000 - earlier.nanoseconds;
        Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = |kind| TimestampError { input: crate::identifier::shorten(input), kind };
        match parse(input.trim().as_bytes()) {
            Some(Parsed { seconds, nanoseconds }) => {
                Self::from_parts(seconds, nanoseconds).ok_or_else(|| error(TimestampErrorKind::OutOfRange))
            }
            None => Err(error(TimestampErrorKind::NotRfc3339)),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; LONGEST]))
    }
}

/// Length of a time with nanoseconds.
pub(crate) const LONGEST: usize = "0000-00-00T00:00:00.000000000Z".len();

impl Timestamp {
    /// The time as text. Every object has two of them, so digits are written one by one.
    pub(crate) fn write<'b>(&self, buffer: &'b mut [u8; LONGEST]) -> &'b str {
        fn digits(number: i64, places: &mut [u8]) {
            let mut rest = number.unsigned_abs();
            for place in places.iter_mut().rev() {
                *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        }
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        *buffer = *b"0000-00-00T00:00:00.000000000Z";
        digits(year, &mut buffer[..4]);
        digits(month, &mut buffer[5..7]);
        digits(day, &mut buffer[8..10]);
        digits(second / 3600, &mut buffer[11..13]);
        digits(second / 60 % 60, &mut buffer[14..16]);
        digits(second % 60, &mut buffer[17..19]);
        let mut end = 23;
        if self.nanoseconds.is_multiple_of(1_000_000) {
            digits(i64::from(self.nanoseconds / 1_000_000), &mut buffer[20..23]);
        } else {
            digits(i64::from(self.nanoseconds), &mut buffer[20..29]);
            end = 29;
            while buffer[end - 1] == b'0' {
                end -= 1;
            }
        }
        buffer[end] = b'Z';
        std::str::from_utf8(&buffer[..=end]).unwrap_or_default()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; LONGEST]))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 timestamp")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Why a timestamp was rejected, together with the text that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid timestamp `{input}`: {kind}")]
pub struct TimestampError {
    input: Box<str>,
    kind: TimestampErrorKind,
}

impl TimestampError {
    /// The text that was rejected (shortened when very long).
    pub fn input(&self) -> &str {
        &self.input
    }

    /// What is wrong with it.
    pub fn kind(&self) -> TimestampErrorKind {
        self.kind
    }
}

/// What is wrong with a rejected timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampErrorKind {
    /// Not a date and time with an offset.
    #[error("expected RFC 3339, such as 2026-01-02T03:04:05.678Z")]
    NotRfc3339,
    /// The offset moves it out of the years 0000 to 9999.
    #[error("outside the years 0000 to 9999")]
    OutOfRange,
}

struct Parsed {
    seconds: i64,
    nanoseconds: u32,
}

fn parse(text: &[u8]) -> Option<Parsed> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let separators = [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")] as [(usize, &[u8]); 5];
    for (at, allowed) in separators {
        allowed.contains(date_time.get(at)?).then_some(())?;
    }
    let number = |from: usize, to: usize| digits(date_time.get(from..to)?);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, mut second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 {
        return None;
    }
    let (mut nanoseconds, offset) = fraction(rest)?;
    if second == 60 {
        (second, nanoseconds) = (59, 999_999_999);
    }
    if second > 59 {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset_seconds(offset)?;
    Some(Parsed { seconds, nanoseconds })
}

/// The optional fraction as nanoseconds (further digits are cut off), and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, rest) = text.split_at_checked(length)?;
    (length > 0).then_some(())?;
    let mut nanoseconds = 0;
    for place in 0..9 {
        nanoseconds = nanoseconds * 10 + u32::from(written.get(place).map_or(0, |byte| byte - b'0'));
    }
    Some((nanoseconds, rest))
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        5 if rest.get(2) == Some(&b':') => (digits(rest.get(..2)?)?, digits(rest.get(3..)?)?),
        // `+0000`, as Wazuh and many logs write it.
        4 => (digits(rest.get(..2)?)?, digits(rest.get(2..)?)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years start in March, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, written: &str) {
        assert_eq!(input.parse::<Timestamp>().map(|time| time.to_string()).as_deref(), Ok(written));
    }

    #[test]
    fn precision_offsets_and_extremes() {
        check("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z");
        check("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z");
        check("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z");
        check("2026-01-02T03:04:05.1234567891234Z", "2026-01-02T03:04:05.123456789Z");
        check("2026-01-02T03:04:05.678+0000", "2026-01-02T03:04:05.678Z");
        check("2026-01-01T00:30:00-01:45", "2026-01-01T02:15:00.000Z");
        check("2024-02-29 23:59:60z", "2024-02-29T23:59:59.999999999Z");
        check("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
        check("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z");
        check("1969-12-31T23:59:59.001Z", "1969-12-31T23:59:59.001Z");
    }

    #[test]
    fn nonsense_is_rejected() {
        for input in ["", "2026-01-02", "2026-01-02T03:04:05", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z"] {
            let error = input.parse::<Timestamp>().expect_err(input);
            assert_eq!(error.kind(), TimestampErrorKind::NotRfc3339, "{input}");
        }
        let error = "9999-12-31T23:59:59-01:00".parse::<Timestamp>().expect_err("year 10000");
        assert_eq!(error.kind(), TimestampErrorKind::OutOfRange);
        for input in ["2026-01-02T24:00:00Z", "2026-01-02T03:04:61Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1"]
        {
            assert!(input.parse::<Timestamp>().is_err(), "{input}");
        }
    }

    #[test]
    fn unix_millis_round_trip_across_the_epoch() {
        for millis in [-62_167_219_200_000, -1, 0, 1, 1_767_323_045_678, 253_402_300_799_999] {
            assert_eq!(Timestamp::from_unix_millis(millis).map(|time| time.unix_millis()), Some(millis));
        }
        assert_eq!(Timestamp::from_unix_millis(i64::MAX), None);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN), None);
    }

    #[test]
    fn arithmetic_saturates() {
        let time = Timestamp::from_unix_millis(1_500).expect("in range");
        assert_eq!(time.saturating_sub(Duration::from_millis(700)).unix_millis(), 800);
        assert_eq!(time.saturating_add(Duration::from_millis(700)).unix_millis(), 2_200);
        assert_eq!(time.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(time.saturating_sub(Duration::MAX), Timestamp::MIN);
        assert_eq!(time.since(Timestamp::UNIX_EPOCH), Duration::from_millis(1_500));
        assert_eq!(Timestamp::UNIX_EPOCH.since(time), Duration::ZERO);
    }

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for days in days_from_civil(1800, 1, 1)..days_from_civil(2200, 1, 1) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
