//! Reading an answer. The platform answers 200 for most failures, so the status alone decides nothing.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ErrorKind;
use crate::error::shown;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Option<Vec<GraphQlError>>,
}

#[derive(Deserialize)]
struct GraphQlError {
    #[serde(default)]
    message: Option<Value>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    extensions: Option<Value>,
}

/// Reads the body of an answer.
pub(crate) fn read<T: DeserializeOwned>(
    peer: &str,
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
) -> Result<T, ErrorKind> {
    let parsed = serde_json::from_str::<Body<'_>>(body);
    if let Ok(Body { errors: Some(errors), .. }) = &parsed
        && let Some(first) = errors.first()
        // A validation error has status 400, a login page of a proxy 401 without such a body.
        && (status == 200 || status == 400)
    {
        return Err(classify(first, errors));
    }
    if status != 200 {
        return Err(ErrorKind::Http { peer: peer.to_owned(), status, body: shown(body), retry_after });
    }
    let unexpected = |what: String| ErrorKind::Unexpected { peer: peer.to_owned(), what, excerpt: shown(body) };
    let parsed = parsed.map_err(|error| {
        let html = body.trim_start().starts_with('<');
        unexpected(if html { "it is HTML, not JSON".to_owned() } else { error.to_string() })
    })?;
    let data = parsed.data.ok_or_else(|| unexpected("it has no data".to_owned()))?;
    serde_json::from_str(data.get()).map_err(|error| unexpected(error.to_string()))
}

fn classify(first: &GraphQlError, all: &[GraphQlError]) -> ErrorKind {
    let extension = |pointer: &str| {
        let value = first.extensions.as_ref()?.pointer(pointer)?;
        value.as_str().map(shown)
    };
    // Shown as well, so cleaned as any text of a server.
    let code = extension("/code").or_else(|| first.name.as_deref().map(shown));
    let code = code.unwrap_or_else(|| "UNKNOWN_ERROR".to_owned());
    let mut message = all.iter().take(3).map(text_of).collect::<Vec<_>>();
    message.dedup();
    if all.len() > 3 {
        message.push("…".to_owned());
    }
    let message = shown(&message.join("; "));
    match code.as_str() {
        "AUTH_REQUIRED"
        | "AUTH_FAILURE"
        | "OTP_REQUIRED"
        | "OTP_REQUIRED_ACTIVATION"
        | "PASSWORD_CHANGE_REQUIRED"
        | "LTS_REQUIRED_ACTIVATION"
        | "UNAUTHENTICATED" => ErrorKind::Auth { code, message },
        "FORBIDDEN_ACCESS" | "FORBIDDEN" => ErrorKind::Forbidden { code, message },
        "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => ErrorKind::Schema { code, message },
        "BAD_USER_INPUT" if message.contains("is not defined by type") => ErrorKind::Schema { code, message },
        "RESOURCE_NOT_FOUND" | "ALREADY_DELETED_ERROR" => ErrorKind::NotFound(message),
        "MISSING_REFERENCE_ERROR" | "LOCK_ERROR" | "DATABASE_ERROR" | "INTERNAL_SERVER_ERROR" => {
            ErrorKind::Busy { code, message }
        }
        "WORK_NOT_ALIVE" => ErrorKind::WorkGone(message),
        "DRAFT_LOCKED" => ErrorKind::DraftLocked(message),
        "FUNCTIONAL_ERROR" if message.contains("No connector found") => ErrorKind::UnknownConnector(message),
        _ => ErrorKind::Rejected { code, message, doc_code: extension("/data/doc_code") },
    }
}

fn text_of(error: &GraphQlError) -> String {
    match &error.message {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "(no text)".to_owned(),
    }
}

/// Reads a `Retry-After` header: seconds, or a date, which is compared with the answer's own `Date`.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let seconds = |text: &str| http_date(text.trim());
    Some(Duration::from_secs(seconds(value)?.saturating_sub(seconds(date?)?)))
}

/// The date of HTTP, `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970.
fn http_date(text: &str) -> Option<u64> {
    let mut words = text.split([' ', ',', ':']).filter(|word| !word.is_empty());
    let _weekday = words.next()?;
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = 1 + i64::try_from(months.iter().position(|month| *month == name)?).ok()?;
    let year: i64 = words.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut clock = || words.next()?.parse::<i64>().ok();
    let (hour, minute, second) = (clock()?, clock()?, clock()?);
    // Days from the civil calendar, with years that begin in March.
    let (shifted, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5 + day - 1 - 719_468;
    u64::try_from(days * 86_400 + hour * 3_600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Retry, judge};

    fn kind(status: u16, body: &str) -> ErrorKind {
        read::<Value>("OpenCTI", status, None, body).unwrap_err()
    }

    /// Acceptance 2, trap 3: 200 with errors is a failure, with data or without.
    #[test]
    fn errors_with_status_200() {
        let body = r#"{"errors":[{"message":"You must be logged in to do this.","name":"AUTH_REQUIRED",
            "extensions":{"code":"AUTH_REQUIRED","data":{"http_status":401}}}],"data":{"registerConnector":null}}"#;
        let error = Error::new(kind(200, body));
        assert!(error.is_auth());
        assert_eq!(error.to_string(), "OpenCTI refused the token (AUTH_REQUIRED): You must be logged in to do this.");
    }

    #[test]
    fn codes_and_what_to_do_about_them() {
        let retry = |code: &str, message: &str| {
            let body = serde_json::json!({"errors": [{"message": message, "extensions": {"code": code}}]});
            judge(&kind(200, &body.to_string()).into())
        };
        assert_eq!(retry("FORBIDDEN_ACCESS", ""), Retry::Later);
        assert_eq!(retry("FUNCTIONAL_ERROR", ""), Retry::Never);
        assert_eq!(retry("FUNCTIONAL_ERROR", "No connector found with the specified ID"), Retry::Later);
        assert_eq!(retry("LOCK_ERROR", ""), Retry::Soon);
        assert_eq!(retry("GRAPHQL_VALIDATION_FAILED", ""), Retry::Later);
        assert_eq!(
            retry("BAD_USER_INPUT", r#"Field "x" is not defined by type "RegisterConnectorInput"."#),
            Retry::Later
        );
        assert_eq!(retry("BAD_USER_INPUT", "no"), Retry::Never);
        assert_eq!(retry("WORK_NOT_ALIVE", ""), Retry::Never);
        assert_eq!(retry("SOMETHING_NEW", ""), Retry::Never);
    }

    #[test]
    fn answers_that_are_none() {
        for body in ["", "{}", r#"{"data":null}"#, r#"{"data":{"#, "[]", "\u{0}", r#"{"errors":[]}"#] {
            assert!(matches!(kind(200, body), ErrorKind::Unexpected { .. }), "{body}");
        }
        let html = Error::new(kind(200, "\n<!DOCTYPE html><title>Login</title>"));
        assert!(html.to_string().contains("it is HTML, not JSON"), "{html}");
        assert!(matches!(kind(502, "<html>"), ErrorKind::Http { status: 502, .. }));
        assert!(matches!(kind(401, r#"{"errors":[{"message":"proxy"}]}"#), ErrorKind::Http { .. }));
        let odd = r#"{"errors":[{"message":{"a":1},"extensions":7},{},{},{},{}]}"#;
        assert!(matches!(kind(200, odd), ErrorKind::Rejected { .. }));
        let forged = r#"{"errors":[{"extensions":{"code":"A\nERROR forged"}}]}"#;
        assert!(!Error::new(kind(200, forged)).to_string().contains('\n'));
    }

    #[test]
    fn when_to_ask_again() {
        assert_eq!(retry_after(" 7 ", None), Some(Duration::from_secs(7)));
        let wait = retry_after("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:48:37 GMT"));
        assert_eq!(wait, Some(Duration::from_mins(1)));
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        for odd in ["soon", "-5", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 06 Nov"] {
            assert_eq!(retry_after(odd, Some("Sun, 06 Nov 1994 08:48:37 GMT")), None, "{odd}");
        }
    }
}
