//! The values of a STIX pattern that asks for nothing but values: comparisons with `=`, `IN` and `ISSUBSET`, joined
//! with `OR`.
//!
//! Everything else is answered with what is more than that. A pattern is never taken apart into values that it does
//! not ask for by themselves: `[A AND B]` is not "A or B".

use std::fmt::Write as _;

use stix_model::pattern::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, LiteralValue, ObjectPath, ObservationExpression,
    ObservationOperator, PathStep, Pattern, PropertyTest,
};

use super::kind::{Key, Kind, hash_kind};

/// Why the values of a pattern cannot be listed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The pattern is not written as patterns are.
    #[error("not a STIX pattern: {0}")]
    Syntax(#[from] stix_model::pattern::PatternError),
    /// The pattern asks for more than single values.
    #[error("`{0}` needs more than the comparison of single values")]
    Operator(String),
    /// Alerts have nothing to compare with this property.
    #[error("`{0}` has no field in alerts")]
    Property(String),
    /// The value is none of its kind.
    #[error("`{1}` is no value of `{0}`")]
    Value(String, String),
}

/// The values that a pattern asks for, any one of which is enough.
///
/// ```
/// use alert_enricher::indicator::keys_of_pattern;
///
/// let keys = keys_of_pattern("[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']")?;
/// assert_eq!(keys.len(), 2);
/// assert!(keys_of_pattern("[file:name = 'a.exe' AND file:size > 10]").is_err());
/// # Ok::<(), alert_enricher::indicator::PatternError>(())
/// ```
pub fn keys_of_pattern(pattern: &str) -> Result<Vec<Key>, PatternError> {
    if let Some((path, value)) = simple(pattern) {
        let mut keys = Vec::with_capacity(1);
        let kind = kind_of_path(path).ok_or_else(|| PatternError::Property(path.to_owned()))?;
        keys.push(key(kind, value).ok_or_else(|| PatternError::Value(path.to_owned(), value.to_owned()))?);
        return Ok(keys);
    }
    keys_of_tree(&Pattern::read(pattern)?)
}

/// The values of a pattern that was read.
fn keys_of_tree(pattern: &Pattern) -> Result<Vec<Key>, PatternError> {
    let mut keys = Vec::new();
    observations(&pattern.expression, &mut keys)?;
    Ok(keys)
}

/// Path and value of a pattern that is one comparison with a text without escapes, as by far the most are.
fn simple(pattern: &str) -> Option<(&str, &str)> {
    let inside = pattern.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let (path, rest) = inside.split_once('=')?;
    let path = path.trim_end();
    let value = rest.trim_start().strip_prefix('\'')?.strip_suffix('\'')?;
    let (object, property) = path.split_once(':')?;
    let is_step = |step: &str| {
        step.starts_with(|first: char| first.is_ascii_lowercase())
            && step.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && !matches!(step, "true" | "false" | "t" | "h" | "b")
    };
    // Everything else is left to the parser: keys with quotes or capital letters, keywords.
    let plain = object.starts_with(|first: char| first.is_ascii_lowercase())
        && object.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !object.ends_with('-')
        && !matches!(object, "true" | "false")
        && property.split('.').all(is_step);
    (plain && !value.contains(['\'', '\\'])).then_some((path, value))
}

fn observations(expression: &ObservationExpression, keys: &mut Vec<Key>) -> Result<(), PatternError> {
    match expression {
        ObservationExpression::Observation { comparison, .. } => comparisons(comparison, keys),
        ObservationExpression::Combined { operator: ObservationOperator::Or, operands, .. } => {
            operands.iter().try_for_each(|operand| observations(operand, keys))
        }
        ObservationExpression::Combined { operator, .. } => Err(PatternError::Operator(operator.keyword().to_owned())),
        ObservationExpression::Qualified { qualifier, .. } => Err(PatternError::Operator(qualifier.to_string())),
    }
}

fn comparisons(expression: &ComparisonExpression, keys: &mut Vec<Key>) -> Result<(), PatternError> {
    match expression {
        ComparisonExpression::Test(test) => comparison(test, keys),
        ComparisonExpression::Or(operands, _) => operands.iter().try_for_each(|operand| comparisons(operand, keys)),
        ComparisonExpression::And(..) => Err(PatternError::Operator("AND".to_owned())),
    }
}

fn comparison(test: &ComparisonTest, keys: &mut Vec<Key>) -> Result<(), PatternError> {
    let operator = |name: &str| Err(PatternError::Operator(name.to_owned()));
    if test.negated {
        return operator("NOT");
    }
    let (values, subset) = match &test.test {
        PropertyTest::Compare(ComparisonOperator::Equal, literal) => (std::slice::from_ref(literal), false),
        PropertyTest::Compare(ComparisonOperator::IsSubset, literal) => (std::slice::from_ref(literal), true),
        PropertyTest::In(literals) => (literals.as_slice(), false),
        PropertyTest::Compare(other, _) => return operator(other.keyword()),
        PropertyTest::Exists => return operator("EXISTS"),
    };
    let path = path_text(&test.path);
    let kind = kind_of_path(&path).ok_or_else(|| PatternError::Property(path.clone()))?;
    if subset && kind != Kind::Address {
        return operator("ISSUBSET");
    }
    for value in values {
        let text = literal_text(&value.value);
        keys.push(key(kind, &text).ok_or(PatternError::Value(path.clone(), text))?);
    }
    Ok(())
}

/// `dst_ref.value` may be a name as well as an address.
fn key(kind: Kind, text: &str) -> Option<Key> {
    match kind {
        Kind::Address => Key::new(Kind::Address, text).or_else(|| Key::new(Kind::Domain, text)),
        kind => Key::new(kind, text),
    }
}

/// A constant as text, as values stand in alerts.
pub(super) fn literal_text(value: &LiteralValue) -> String {
    match value {
        LiteralValue::String(text) => text.to_string(),
        LiteralValue::Hex(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        LiteralValue::Integer(number) => number.to_string(),
        LiteralValue::Float(number) => number.to_string(),
        LiteralValue::Boolean(value) => value.to_string(),
        LiteralValue::Timestamp(time) => time.to_string(),
        LiteralValue::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A path without quotes: `file:hashes.SHA-256`.
pub(super) fn path_text(path: &ObjectPath) -> String {
    let mut text = format!("{}:", path.object_type);
    for (place, step) in path.steps.iter().enumerate() {
        match step {
            PathStep::Property(name) => {
                if place > 0 {
                    text.push('.');
                }
                text.push_str(name);
            }
            PathStep::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
            PathStep::Any => text.push_str("[*]"),
        }
    }
    text
}

fn kind_of_path(path: &str) -> Option<Kind> {
    let (object, property) = path.split_once(':')?;
    if let Some(algorithm) = property.strip_prefix("hashes.") {
        return match object {
            "file" | "artifact" => hash_kind(algorithm),
            "x509-certificate" => Some(Kind::CertificateFingerprint),
            _ => None,
        };
    }
    Some(match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") | ("network-traffic", "src_ref.value" | "dst_ref.value") => Kind::Address,
        ("domain-name" | "hostname" | "x-opencti-hostname", "value") => Kind::Domain,
        ("url", "value") => Kind::Url,
        ("email-addr", "value") | ("email-message", "from_ref.value" | "sender_ref.value") => Kind::Email,
        ("email-message", "subject") => Kind::EmailSubject,
        ("mac-addr", "value") => Kind::Mac,
        ("file", "name") => Kind::File,
        ("directory", "path") | ("file", "parent_directory_ref.path") => Kind::Directory,
        ("windows-registry-key", "key") => Kind::RegistryKey,
        ("mutex", "name") => Kind::Mutex,
        ("user-agent" | "x-opencti-user-agent", "value")
        | ("network-traffic", "extensions.http-request-ext.request_header.User-Agent") => Kind::UserAgent,
        ("user-account", "account_login" | "user_id") => Kind::UserAccount,
        ("autonomous-system", "number") => Kind::Asn,
        ("x509-certificate", "serial_number") => Kind::CertificateSerial,
        ("text" | "x-opencti-text", "value") => Kind::Text,
        ("vulnerability", "name") => Kind::Vulnerability,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, wanted: &[&str]) {
        let keys: Vec<_> = keys_of_pattern(pattern).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(keys, wanted);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("[{}url:value = 'http://evil.example/'", "(".repeat(1_000_000));
        assert!(matches!(keys_of_pattern(&deep), Err(PatternError::Syntax(_))));
    }

    #[test]
    fn values() {
        check("[ipv4-addr:value = '198.51.100.7']", &["198.51.100.7"]);
        check("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", &["198.51.100.0/24"]);
        check(
            "[file:hashes.'SHA-1' = 'AB0E1D3C5F6A7B8C9D0E1F2A3B4C5D6E7F8A9B0C']",
            &["ab0e1d3c5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"],
        );
        check(
            "[file:hashes.MD5 = '0123456789abcdef0123456789abcdef' OR file:name = 'a.exe']",
            &["0123456789abcdef0123456789abcdef", "a.exe"],
        );
        check(
            "[domain-name:value IN ('a.example', 'b.example')] OR [url:value = 'http://c.example/']",
            &["a.example", "b.example", "http://c.example"],
        );
        check(r"[windows-registry-key:key = 'HKLM\\Software\\O\'Neil']", &[r"hkey_local_machine\software\o'neil"]);
        check("([mutex:name='x'])", &["x"]);
    }

    #[test]
    fn what_is_not_a_list_of_values() {
        for pattern in [
            "[a:b = 'x' AND file:name = 'y']",
            "[file:name = 'x'] AND [file:name = 'y']",
            "[file:name = 'x'] FOLLOWEDBY [file:name = 'y']",
            "[file:name LIKE 'x%']",
            "[file:name != 'x']",
            "[file:name NOT = 'x']",
            "[file:size > 10]",
            "[file:name = 'x'] WITHIN 5 SECONDS",
        ] {
            assert!(keys_of_pattern(pattern).is_err(), "{pattern}");
        }
        let error = keys_of_pattern("[process:pid = 5]").unwrap_err();
        assert_eq!(error, PatternError::Property("process:pid".into()));
        let error = keys_of_pattern("[ipv4-addr:value = 'x y']").unwrap_err();
        assert_eq!(error.to_string(), "`x y` is no value of `ipv4-addr:value`");
        assert!(matches!(keys_of_pattern("[file:name = 'x"), Err(PatternError::Syntax(_))));
        assert!(matches!(keys_of_pattern(""), Err(PatternError::Syntax(_))));
    }

    /// The short way for the simplest patterns says what the parser says.
    #[test]
    fn simple_patterns() {
        for pattern in [
            "[ipv4-addr:value = '198.51.100.7']",
            " [ url:value='http://x.example/a=b' ] ",
            "[file:name = '']",
            "[x-y:z.a_ref.b = 'c']",
            "[domain-name:value = 'x' OR a:b = 'c']",
            "[file:hashes.MD5 = '0123456789abcdef0123456789abcdef']",
            "[file:name == 'x']",
            "[file:name != 'x']",
            "[a:b = 'c'] OR [a:b = 'd']",
            "[a:b NOT = 'c']",
        ] {
            let tree = Pattern::read(pattern).map_err(PatternError::from).and_then(|tree| keys_of_tree(&tree));
            assert_eq!(keys_of_pattern(pattern), tree, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn simple_patterns_are_patterns(pattern in "\\[? ?[a-z-]{0,4}:?[a-z_.-]{0,5} ?[=!]{0,2} ?'?[a-zA-Z='. \\\\]{0,5}'? ?\\]?") {
            if let Some((path, value)) = simple(&pattern) {
                let tree = Pattern::read(&pattern).unwrap();
                let test = tree.tests().next().unwrap();
                prop_assert_eq!(path_text(&test.path), path);
                prop_assert!(matches!(
                    &test.test,
                    PropertyTest::Compare(ComparisonOperator::Equal, literal)
                        if literal.value == LiteralValue::String(value.into())
                ));
            }
        }

        #[test]
        fn never_panics(pattern in "\\PC{0,60}") {
            let _ = keys_of_pattern(&pattern);
        }
    }
}
