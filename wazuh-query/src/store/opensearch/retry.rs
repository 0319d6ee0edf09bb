//! Whether an answer is one, and whether it is worth asking again. Pure functions of what the server said.

use std::time::Duration;

use serde_json::Value;

use crate::store::StoreErrorKind;

/// What to do about an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Read it.
    Accept,
    /// Ask again; when that does not help, this is the error.
    Retry(StoreErrorKind),
    /// Asking again would not help.
    Fail(StoreErrorKind),
}

/// The longest part of an answer that an error shows, in bytes.
const SHOWN: usize = 2_048;

/// Judges an answer by its status and, where that is no success, its body.
///
/// ```
/// use wazuh_query::store::opensearch::{Verdict, judge};
///
/// assert!(matches!(judge(200, None, ""), Verdict::Accept));
/// assert!(matches!(judge(503, None, "no shards"), Verdict::Retry(_)));
/// assert!(matches!(judge(400, None, "{}"), Verdict::Fail(_)));
/// ```
pub fn judge(status: u16, retry_after: Option<Duration>, body: &str) -> Verdict {
    match status {
        200..=299 => Verdict::Accept,
        401 | 403 => Verdict::Fail(StoreErrorKind::Auth { status, body: shown(body) }),
        404 => {
            let reasons = reasons(body);
            Verdict::Fail(StoreErrorKind::NotFound(if reasons.is_empty() { shown(body) } else { reasons.join("; ") }))
        }
        429 | 502 | 503 | 504 => Verdict::Retry(StoreErrorKind::Overloaded { status, body: shown(body), retry_after }),
        400..=499 => {
            let mut reasons = reasons(body);
            // A pattern without any index has no point in time, and the server stumbles over that.
            if reasons.iter().any(|reason| reason.contains("invalid id: [null]")) {
                return Verdict::Fail(StoreErrorKind::NotFound("no index matches the pattern".to_owned()));
            }
            if reasons.is_empty() {
                reasons.push(shown(body));
            }
            let hint = hint(&reasons);
            Verdict::Fail(StoreErrorKind::Rejected { status, reasons, hint, body: shown(body) })
        }
        _ => Verdict::Fail(StoreErrorKind::Server { status, body: shown(body) }),
    }
}

/// The beginning of a text, for a message.
pub(super) fn shown(body: &str) -> String {
    let body = body.trim();
    if body.is_empty() {
        return "(no text)".to_owned();
    }
    if body.len() <= SHOWN {
        return body.to_owned();
    }
    let end = (0..=SHOWN).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &body[..end])
}

/// The reasons in an error answer: the root causes and, below them, what caused those.
fn reasons(body: &str) -> Vec<String> {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    reasons_of(&body["error"])
}

/// The reasons in the `error` of an answer.
pub(super) fn reasons_of(error: &Value) -> Vec<String> {
    if let Some(text) = error.as_str() {
        return vec![shown(text)];
    }
    let mut found: Vec<String> = Vec::new();
    let mut add = |cause: &Value| {
        let Some(reason) = cause["reason"].as_str() else { return };
        let index = cause["index"].as_str().map(|index| format!("{index}: ")).unwrap_or_default();
        let reason = shown(&format!("{index}{reason}"));
        if found.len() < 10 && !found.contains(&reason) {
            found.push(reason);
        }
    };
    error["root_cause"].as_array().into_iter().flatten().for_each(&mut add);
    for failure in error["failed_shards"].as_array().into_iter().flatten() {
        deepest_cause(&failure["reason"]).map(&mut add);
    }
    deepest_cause(error).map(&mut add);
    if found.is_empty() {
        let text = error["reason"].as_str().or_else(|| error["type"].as_str());
        found.extend(text.map(shown));
    }
    found
}

/// What is behind the last `caused_by`, if there is one.
fn deepest_cause(error: &Value) -> Option<&Value> {
    let mut cause = error.get("caused_by")?;
    while let Some(deeper) = cause.get("caused_by").filter(|deeper| deeper.is_object()) {
        cause = deeper;
    }
    Some(cause)
}

/// What a user can do about a refused query.
fn hint(reasons: &[String]) -> Option<&'static str> {
    let says = |needle: &str| reasons.iter().any(|reason| reason.contains(needle));
    if says("allow_expensive_queries") {
        Some(
            "the cluster forbids expensive queries; set `search.allow_expensive_queries` or search without `allow-regexp`",
        )
    } else if says("max_regex_length") || says("length of regex") {
        Some("a regular expression is longer than the index allows; raise `index.max_regex_length`")
    } else if says("too complex to determinize") || says("TooComplexToDeterminize") || says("would require more than") {
        Some("a regular expression is too complex for the cluster")
    } else if says("max_clause_count") || says("maxClauseCount") || says("too_many_clauses") {
        Some("the query has more clauses than `indices.query.bool.max_clause_count` allows")
    } else if says("max_result_window") || says("Result window is too large") {
        Some("more documents were asked for than `index.max_result_window` allows; lower `limit`")
    } else if says("max_terms_count") {
        Some("the query has more terms than `index.max_terms_count` allows")
    } else if says("search.max_buckets") || says("too_many_buckets") {
        Some("the cluster allows fewer buckets; raise `search.max_buckets`")
    } else {
        None
    }
}

/// Reads a `Retry-After` header: seconds, or a date, which is compared with the answer's own `Date`.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok();
    let wait = time(value)?.duration_since(time(date?)?);
    Duration::try_from(wait).ok()
}

/// How long to wait before the next try: the server's wish, or twice as long each time with a random part taken off.
///
/// `chance` is a random number; a quarter to a half of the pause depends on it.
pub(super) fn pause(tries: u32, first: Duration, longest: Duration, wish: Option<Duration>, chance: u64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    let longest_now = doubled.min(longest);
    // 512 to 1023 of 1024 parts.
    let parts = 512 + u32::try_from(chance % 512).unwrap_or_default();
    let jittered = longest_now / 1_024 * parts;
    wish.map_or(jittered, |wish| wish.max(jittered)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(status: u16, body: &str) -> String {
        match judge(status, None, body) {
            Verdict::Fail(kind) => kind.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_overload_is_retried() {
        for status in [429, 502, 503, 504] {
            let wish = Some(Duration::from_secs(7));
            let Verdict::Retry(StoreErrorKind::Overloaded { retry_after, .. }) = judge(status, wish, "busy") else {
                panic!("{status} is not retried");
            };
            assert_eq!(retry_after, wish);
        }
        for status in [301, 400, 401, 403, 404, 405, 413, 500, 501] {
            assert!(matches!(judge(status, None, "x"), Verdict::Fail(_)), "{status}");
        }
        assert!(matches!(judge(200, None, "x"), Verdict::Accept));
    }

    #[test]
    fn a_rejected_query_says_why() {
        let reason = "failed to create query: The length of regex [1655] used in the Regexp Query request has exceeded \
            the allowed maximum of [1000]. This maximum can be set by changing the [index.max_regex_length] setting.";
        let cause = serde_json::json!({"type": "x", "index": "wazuh-alerts-4.x-2026.01.01", "reason": reason});
        let body = &serde_json::json!({"error": {"root_cause": [cause], "reason": "all shards failed"}}).to_string();
        let text = fail(400, body);
        assert!(text.contains("wazuh-alerts-4.x-2026.01.01: failed to create query"), "{text}");
        assert!(text.ends_with("raise `index.max_regex_length`)"), "{text}");

        let body = r#"{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"all shards failed",
            "caused_by":{"type":"exception","reason":"[regexp] queries cannot be executed when 'search.allow_expensive_queries' is set to false."}}}"#;
        let text = fail(400, body);
        assert!(text.contains("the cluster forbids expensive queries"), "{text}");
    }

    #[test]
    fn bodies_that_are_no_json_are_shown() {
        assert_eq!(fail(400, "<html>nope</html>"), "the query was rejected (HTTP 400): <html>nope</html>");
        assert_eq!(fail(401, "Unauthorized"), "the credentials were refused (HTTP 401): Unauthorized");
        assert_eq!(
            fail(403, "no permissions for [indices:data/read/search]"),
            "the account lacks a permission (HTTP 403): no permissions for [indices:data/read/search]"
        );
        assert_eq!(fail(404, ""), "not found: (no text)");
        assert_eq!(
            fail(400, r#"{"error":"no handler found","status":400}"#),
            "the query was rejected (HTTP 400): no handler found"
        );
        let long = "ä".repeat(3_000);
        assert!(fail(500, &long).len() < 2_200);
    }

    #[test]
    fn a_pattern_without_indices_is_not_found() {
        let body = r#"{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"invalid id: [null]"}]}}"#;
        assert_eq!(fail(400, body), "not found: no index matches the pattern");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 12 ", None), Some(Duration::from_secs(12)));
        let (date, now) = ("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(retry_after(date, Some(now)), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(now, Some(date)), None);
        assert_eq!(retry_after("soon", Some(now)), None);
    }

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(30));
        for chance in [0, 1, 511, 512, u64::MAX] {
            for tries in 1..40 {
                let whole = first.saturating_mul(1_u32.checked_shl(tries - 1).unwrap_or(u32::MAX)).min(longest);
                let wait = pause(tries, first, longest, None, chance);
                assert!(wait + Duration::from_millis(1) >= whole / 2 && wait <= whole, "{tries}: {wait:?}");
            }
        }
        assert_eq!(pause(1, first, longest, Some(Duration::from_secs(5)), 3), Duration::from_secs(5));
        assert_eq!(pause(1, first, longest, Some(Duration::from_hours(1)), 3), longest);
    }
}
