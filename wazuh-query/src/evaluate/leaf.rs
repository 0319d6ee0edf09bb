//! One clause on one value.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use stix_model::Timestamp;

use crate::alert::timestamp;
use crate::catalogue::IndexType;
use crate::dsl::{Clause, limits};

/// Whether a value, mapped as `index`, satisfies a clause.
pub(super) fn matches(
    index: IndexType,
    ignore_above: Option<usize>,
    clause: &Clause,
    value: &Value,
    regexp: &dyn Fn(&str, bool, &str) -> bool,
) -> bool {
    let text: Cow<'_, str> = match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        Value::Bool(value) => value.to_string().into(),
        _ => return false,
    };
    match index {
        IndexType::Keyword | IndexType::Boolean => {
            let indexed = text.len() <= limits::TERM_BYTES
                && ignore_above.is_none_or(|limit| text.len() <= limit || text.encode_utf16().count() <= limit);
            indexed && keyword(clause, &text, regexp)
        }
        IndexType::Ip => ip(clause, &text),
        IndexType::Long | IndexType::Double => number(clause, &text),
        IndexType::Date => date(clause, &text),
        IndexType::Text => words(clause, &text),
        IndexType::GeoPoint => matches!(clause, Clause::Exists),
        IndexType::Unindexed => false,
    }
}

fn keyword(clause: &Clause, text: &str, regexp: &dyn Fn(&str, bool, &str) -> bool) -> bool {
    let equal = |wanted: &str, folded: bool| if folded { wanted.eq_ignore_ascii_case(text) } else { wanted == text };
    match clause {
        Clause::Exists => true,
        Clause::Term { value, case_insensitive } => equal(value, *case_insensitive),
        Clause::Lenient(value) => value == text,
        Clause::Terms(values) => values.iter().any(|value| value == text),
        Clause::Prefix { value, case_insensitive } => text
            .get(..value.len())
            .is_some_and(|head| if *case_insensitive { head.eq_ignore_ascii_case(value) } else { head == value }),
        Clause::Regexp { value, case_insensitive } => regexp(value, *case_insensitive, text),
        Clause::Wildcard { value, case_insensitive } => wildcard(value, *case_insensitive, text),
        Clause::Range { gte, lte } => {
            let bound = |bound: &Option<String>| bound.as_ref().map(|bound| bound.trim_matches('"').to_owned());
            bound(gte).is_none_or(|low| text >= low.as_str()) && bound(lte).is_none_or(|high| text <= high.as_str())
        }
    }
}

/// Analysed text is a list of words in lower case. How the analyser cuts it is not known here, but it never cuts between
/// letters and digits, so a wildcard for a part of a word is understood; other clauses are not.
fn words(clause: &Clause, text: &str) -> bool {
    let Clause::Wildcard { value, case_insensitive } = clause else { return matches!(clause, Clause::Exists) };
    text.split(|char: char| !(char.is_alphanumeric() || char == '_'))
        .any(|word| wildcard(value, *case_insensitive, &word.to_lowercase()))
}

fn ip(clause: &Clause, text: &str) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    let address = address.to_canonical();
    let within = |wanted: &str| match wanted.parse::<IpNet>() {
        Ok(network) => network.contains(&address),
        Err(_) => wanted.parse::<IpAddr>().is_ok_and(|wanted| wanted.to_canonical() == address),
    };
    match clause {
        Clause::Exists => true,
        Clause::Term { value, .. } | Clause::Lenient(value) => within(value),
        Clause::Terms(values) => values.iter().any(|value| within(value)),
        _ => false,
    }
}

fn number(clause: &Clause, text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    let number_of = |bound: &str| bound.trim_matches('"').parse::<f64>().ok();
    #[expect(clippy::float_cmp, reason = "the index compares the very same numbers")]
    let equal = |wanted: &str| number_of(wanted).is_some_and(|wanted| wanted == number);
    match clause {
        Clause::Exists => true,
        Clause::Term { value, .. } | Clause::Lenient(value) => equal(value),
        Clause::Terms(values) => values.iter().any(|value| equal(value)),
        Clause::Range { gte, lte } => {
            let low = gte.as_deref().and_then(number_of);
            let high = lte.as_deref().and_then(number_of);
            low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high)
        }
        _ => false,
    }
}

fn date(clause: &Clause, text: &str) -> bool {
    let Some(time) = point_in_time(text) else { return false };
    let time_of = |bound: &String| point_in_time(bound.trim_matches('"'));
    match clause {
        Clause::Exists => true,
        Clause::Term { value, .. } | Clause::Lenient(value) => time_of(value) == Some(time),
        Clause::Range { gte, lte } => {
            let low = gte.as_ref().and_then(time_of);
            let high = lte.as_ref().and_then(time_of);
            low.is_none_or(|low| time >= low) && high.is_none_or(|high| time <= high)
        }
        _ => false,
    }
}

/// A time as the index reads it (`strict_date_optional_time||epoch_millis`). Without a zone it is in UTC.
fn point_in_time(text: &str) -> Option<Timestamp> {
    timestamp(text)
        .or_else(|| timestamp(&format!("{text}Z")))
        .or_else(|| text.parse().ok().and_then(Timestamp::from_unix_millis))
}

/// Whether the whole text matches a pattern of `*` and `?`, in time linear in both but for the last `*`.
fn wildcard(pattern: &str, case_insensitive: bool, text: &str) -> bool {
    #[derive(Clone, Copy)]
    enum Part {
        Any,
        One,
        Char(char),
    }
    let mut parts = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        parts.push(match char {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            _ => Part::Char(char),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let equal = |one: char, other: char| one == other || (case_insensitive && one.eq_ignore_ascii_case(&other));
    let (mut part, mut place, mut retry) = (0, 0, None);
    while place < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                retry = Some((part, place));
                part += 1;
                continue;
            }
            Some(Part::One) => {
                (part, place) = (part + 1, place + 1);
                continue;
            }
            Some(Part::Char(char)) if equal(*char, text[place]) => {
                (part, place) = (part + 1, place + 1);
                continue;
            }
            _ => {}
        }
        let Some((star, from)) = retry else { return false };
        retry = Some((star, from + 1));
        (part, place) = (star + 1, from + 1);
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            ("*ab*ab", "xabyab", true),
            ("A*", "abc", true),
        ] {
            assert_eq!(wildcard(pattern, true, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn words_of_text_fields() {
        let clause = |value: &str| Clause::Wildcard { value: value.to_owned(), case_insensitive: true };
        assert!(words(&clause("*AILED*"), "Authentication FAILED: bob"));
        assert!(!words(&clause("*failed bob*"), "Authentication FAILED: bob"));
        assert!(words(&Clause::Exists, ""));
        assert!(!words(&Clause::term("bob"), "bob"));
    }

    #[test]
    fn addresses_of_ip_fields() {
        assert!(ip(&Clause::term("198.51.100.0/24"), "198.51.100.9"));
        assert!(ip(&Clause::term("2001:DB8:0::1"), "2001:db8::1"));
        assert!(!ip(&Clause::term("198.51.100.9"), "198.51.100.90"));
        assert!(!ip(&Clause::folded("x"), "198.51.100.90"));
    }
}
