//! What of a pattern is looked up: of each pair of brackets as little as is needed, so that no alert that satisfies the
//! brackets is missed, and as telling as possible.
//!
//! Of `[a AND b]` one side is enough, of `[a OR b]` both are needed. A comparison with `=` or `IN` is looked up by its
//! values, `LIKE` and `MATCHES` by a text that has to stand in the field. What is left are patterns that only need a
//! field to be there; few of those are bearable.

use regex_syntax::hir::{Class, Hir, HirKind};
use stix_model::pattern::matcher::engine_expression;
use stix_model::pattern::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, ObservationExpression,
    ObservationOperator, Pattern, PropertyTest,
};
use wazuh_query::pattern::{Property, in_alert_terms, resolve};
use wazuh_query::value;

use super::classes;
use super::kind::{Key, Kind};
use super::pattern::{PatternError, literal_text, path_text};
use crate::store::{Worthless, WorthlessReason};

/// Texts shorter than this are not looked up.
const SHORTEST: usize = 4;
/// Of so many texts one may be needed.
const MOST_TEXTS: usize = 64;
/// Regular expressions nested deeper than this are not looked into.
const NESTING: u32 = 100;
/// Texts that stand in so many alerts that looking them up saves nothing.
const COMMON: &[&str] = &[
    ".exe",
    ".dll",
    ".com",
    ".net",
    ".org",
    "http",
    "https",
    "www.",
    "windows",
    "system32",
    "syswow64",
    "program",
    "files",
    "users",
    "microsoft",
    "currentversion",
    "software",
    "powershell",
    "powershell.exe",
    "cmd.exe",
    "svchost.exe",
    "appdata",
    "local",
    "temp",
    "true",
    "false",
    "root",
    "admin",
    "administrator",
    "mozilla",
];
/// Hives are written in several ways.
const HIVES: [&str; 5] =
    ["hkey_local_machine", "hkey_current_user", "hkey_classes_root", "hkey_users", "hkey_current_config"];

/// What is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Anchor {
    /// A value.
    Key(Key),
    /// A number: a port, a size, the number of a process.
    Number(u64),
    /// A text that stands in a field of these groups, in lower case.
    Text(u64, Box<str>),
    /// A field of these groups, with whatever value.
    Field(u64),
}

/// It is needed, and says nothing: a value and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SaysNothing(pub(crate) String, pub(crate) WorthlessReason);

/// What to look up for a whole pattern, in the terms of alerts.
pub(crate) fn anchors(pattern: &Pattern, worthless: &Worthless) -> Result<Vec<Anchor>, SaysNothing> {
    let mut anchors = expression(&pattern.expression, worthless)?;
    anchors.sort_unstable();
    anchors.dedup();
    Ok(anchors)
}

type Found = Result<Vec<Anchor>, SaysNothing>;

/// A pattern in the terms of alerts, without the alternatives that alerts say nothing of. Fails if nothing is left.
pub(crate) fn in_known_terms(pattern: &Pattern) -> Result<Pattern, PatternError> {
    let pattern = in_alert_terms(pattern);
    match known_observation(pattern.expression) {
        Ok(expression) => Ok(Pattern { version: pattern.version, expression }),
        Err(path) => Err(PatternError::Property(path)),
    }
}

fn known_observation(expression: ObservationExpression) -> Result<ObservationExpression, String> {
    Ok(match expression {
        ObservationExpression::Observation { comparison, span } => {
            ObservationExpression::Observation { comparison: known_comparison(comparison)?, span }
        }
        ObservationExpression::Qualified { expression, qualifier, span } => {
            let expression = Box::new(known_observation(*expression)?);
            ObservationExpression::Qualified { expression, qualifier, span }
        }
        ObservationExpression::Combined { operator: operator @ ObservationOperator::Or, operands, span } => {
            match alternatives(operands.into_iter().map(known_observation))? {
                Ok(only) => only,
                Err(operands) => ObservationExpression::Combined { operator, operands, span },
            }
        }
        ObservationExpression::Combined { operator, operands, span } => {
            let operands = operands.into_iter().map(known_observation).collect::<Result<_, _>>()?;
            ObservationExpression::Combined { operator, operands, span }
        }
    })
}

fn known_comparison(expression: ComparisonExpression) -> Result<ComparisonExpression, String> {
    match expression {
        ComparisonExpression::Test(test) if resolve(&test.path).is_none() => Err(path_text(&test.path)),
        ComparisonExpression::Test(test) => Ok(ComparisonExpression::Test(test)),
        ComparisonExpression::And(operands, span) => {
            let operands = operands.into_iter().map(known_comparison).collect::<Result<_, _>>()?;
            Ok(ComparisonExpression::And(operands, span))
        }
        ComparisonExpression::Or(operands, span) => {
            Ok(match alternatives(operands.into_iter().map(known_comparison))? {
                Ok(only) => only,
                Err(operands) => ComparisonExpression::Or(operands, span),
            })
        }
    }
}

/// The alternatives that are known: the only one, or all of them.
fn alternatives<T>(all: impl Iterator<Item = Result<T, String>>) -> Result<Result<T, Vec<T>>, String> {
    let (mut known, mut unknown) = (Vec::new(), String::new());
    for alternative in all {
        match alternative {
            Ok(alternative) => known.push(alternative),
            Err(path) => unknown = path,
        }
    }
    match known.pop() {
        None => Err(unknown),
        Some(only) if known.is_empty() => Ok(Ok(only)),
        Some(last) => {
            known.push(last);
            Ok(Err(known))
        }
    }
}

fn expression(expression: &ObservationExpression, worthless: &Worthless) -> Found {
    match expression {
        ObservationExpression::Observation { comparison, .. } => self::comparison(comparison, worthless),
        ObservationExpression::Qualified { expression, .. } => self::expression(expression, worthless),
        // Alternatives, or all of them are needed in the end and each has to be seen.
        ObservationExpression::Combined { operands, .. } => {
            let mut all = Vec::new();
            for operand in operands {
                all.extend(self::expression(operand, worthless)?);
            }
            Ok(all)
        }
    }
}

fn comparison(expression: &ComparisonExpression, worthless: &Worthless) -> Found {
    match expression {
        ComparisonExpression::Test(test) => self::test(test, worthless),
        ComparisonExpression::Or(operands, _) => {
            let mut all = Vec::new();
            for operand in operands {
                all.extend(self::comparison(operand, worthless)?);
            }
            Ok(all)
        }
        ComparisonExpression::And(operands, _) => {
            let mut best: Option<Vec<Anchor>> = None;
            let mut refused = None;
            for operand in operands {
                match self::comparison(operand, worthless) {
                    Ok(anchors) => {
                        if best.as_ref().is_none_or(|best| cost(&anchors) < cost(best)) {
                            best = Some(anchors);
                        }
                    }
                    Err(not) => refused = Some(not),
                }
            }
            match (best, refused) {
                // A worthless value beside something that only needs a field does not make that worth evaluating.
                (Some(best), Some(not)) if best.iter().any(|anchor| matches!(anchor, Anchor::Field(_))) => Err(not),
                (Some(best), _) => Ok(best),
                (None, Some(not)) => Err(not),
                (None, None) => Ok(Vec::new()),
            }
        }
    }
}

/// How often what is looked up is met, roughly: the rank of the least telling, then how many there are.
fn cost(anchors: &[Anchor]) -> (u8, usize) {
    (anchors.iter().map(rank).max().unwrap_or(u8::MAX), anchors.len())
}

fn rank(anchor: &Anchor) -> u8 {
    match anchor {
        Anchor::Key(key) => match key.kind() {
            Kind::Md5
            | Kind::Sha1
            | Kind::Sha256
            | Kind::Sha512
            | Kind::Ssdeep
            | Kind::CertificateFingerprint
            | Kind::CertificateSerial => 0,
            Kind::Url => 1,
            Kind::Address => match key {
                Key::Network(network) if network.prefix_len() < network.max_prefix_len() => 8,
                _ => 2,
            },
            Kind::Domain | Kind::Email | Kind::Mac => 3,
            Kind::File => 4,
            Kind::RegistryKey | Kind::Mutex | Kind::Vulnerability => 5,
            Kind::UserAgent | Kind::EmailSubject | Kind::Text => 6,
            Kind::UserAccount | Kind::Directory | Kind::Asn => 9,
        },
        Anchor::Text(_, text) if text.len() >= 8 => 7,
        Anchor::Text(..) => 10,
        Anchor::Number(_) => 11,
        Anchor::Field(_) => 12,
    }
}

fn test(test: &ComparisonTest, worthless: &Worthless) -> Found {
    let Some(property) = resolve(&test.path) else { return Ok(vec![Anchor::Field(classes::ANY)]) };
    let fields = classes::of_property(property);
    let whatever = || Ok(vec![Anchor::Field(fields)]);
    let is_absence = test.negated && test.test == PropertyTest::Exists;
    if is_absence {
        return Ok(vec![Anchor::Field(classes::ANY)]);
    }
    if test.negated {
        return whatever();
    }
    match &test.test {
        PropertyTest::Compare(ComparisonOperator::Equal | ComparisonOperator::IsSubset, literal) => {
            value_anchor(property, literal, worthless).map(|anchor| vec![anchor])
        }
        PropertyTest::In(literals) => {
            let mut all = Vec::with_capacity(literals.len());
            for literal in literals {
                all.push(value_anchor(property, literal, worthless)?);
            }
            Ok(all)
        }
        PropertyTest::Compare(ComparisonOperator::Like, Literal { value: LiteralValue::String(text), .. }) => {
            Ok(vec![text_anchor(property, text.split(['%', '_']))])
        }
        PropertyTest::Compare(ComparisonOperator::Matches, Literal { value: LiteralValue::String(text), .. })
            if classes::is_written(property) =>
        {
            let texts = needed_by_expression(text).unwrap_or_default();
            if texts.is_empty() || !texts.iter().all(|text| is_usable(text)) {
                return whatever();
            }
            Ok(texts.into_iter().map(|text| Anchor::Text(fields, text.into())).collect())
        }
        _ => whatever(),
    }
}

/// What to look up for a property that has to equal a value.
fn value_anchor(property: Property, literal: &Literal, worthless: &Worthless) -> Result<Anchor, SaysNothing> {
    let fields = classes::of_property(property);
    let text = match &literal.value {
        LiteralValue::String(text) => text.to_string(),
        value @ LiteralValue::Hex(_) => literal_text(value),
        LiteralValue::Integer(number) => {
            if matches!(property, Property::Port(_) | Property::ProcessId(_) | Property::FileSize)
                && let Ok(number) = u64::try_from(*number)
            {
                return Ok(Anchor::Number(number));
            }
            number.to_string()
        }
        _ => return Ok(Anchor::Field(fields)),
    };
    let key = key(property, &text);
    if let Some(key) = key {
        return match worthless.check(&key) {
            Some(reason) => Err(SaysNothing(key.to_string(), reason)),
            None => Ok(Anchor::Key(key)),
        };
    }
    if matches!(property, Property::Digest(..)) && value::is_empty_input_digest(text.trim()) {
        return Err(SaysNothing(text, WorthlessReason::EmptyInput));
    }
    Ok(text_anchor(property, std::iter::once(&*text)))
}

/// The value that a property has to have as it is looked up.
fn key(property: Property, text: &str) -> Option<Key> {
    use Property as P;
    let kind = match property {
        P::Address(..) => Kind::Address,
        P::End(_) => {
            return [Kind::Address, Kind::Mac, Kind::Domain].into_iter().find_map(|kind| Key::new(kind, text));
        }
        P::AsNumber => Kind::Asn,
        P::CertificateDigest(_) => Kind::CertificateFingerprint,
        P::CertificateSerial => Kind::CertificateSerial,
        P::Digest(algorithm, _) => Kind::of_hash(algorithm)?,
        P::DirectoryPath | P::FileDirectory(_) | P::WorkingDirectory(_) => Kind::Directory,
        P::DomainName(_) | P::HostName(_) => Kind::Domain,
        P::EmailAddress(_) => Kind::Email,
        P::FileName(_) | P::FilePath(_) | P::ProcessName(_) => Kind::File,
        P::Login(_) => Kind::UserAccount,
        P::UserId(_) if value::is_sid(text) => Kind::UserAccount,
        P::MacAddress(_) => Kind::Mac,
        P::MutexName => Kind::Mutex,
        P::RegistryKey => Kind::RegistryKey,
        P::Subject => Kind::EmailSubject,
        P::Text => Kind::Text,
        P::Url => Kind::Url,
        P::UserAgent => Kind::UserAgent,
        P::VulnerabilityName => Kind::Vulnerability,
        _ => return None,
    };
    Key::new(kind, text)
}

/// The most telling text of those that all have to stand in a field.
fn text_anchor<'t>(property: Property, texts: impl Iterator<Item = &'t str>) -> Anchor {
    let fields = classes::of_property(property);
    if !classes::is_written(property) {
        return Anchor::Field(fields);
    }
    let runs = texts.flat_map(|text| text.split(|char: char| !is_plain(char)));
    let best = runs.filter(|run| is_usable(run)).max_by_key(|run| run.len());
    best.map_or(Anchor::Field(fields), |run| Anchor::Text(fields, run.to_ascii_lowercase().into()))
}

/// Characters that stand in fields as they are, whatever separators, quotes and escapes become.
fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | '=' | '$' | '@' | ':')
}

/// Whether looking a text up tells something.
fn is_usable(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.len() >= SHORTEST && !COMMON.contains(&&*lower) && !HIVES.iter().any(|hive| hive.contains(&*lower))
}

/// Texts of which one has to stand where a regular expression matches.
fn needed_by_expression(expression: &str) -> Option<Vec<String>> {
    let expression = engine_expression(expression).ok()?;
    let mut parser = regex_syntax::ParserBuilder::new();
    let tree = parser.nest_limit(NESTING).dot_matches_new_line(true).build().parse(&expression).ok()?;
    needed(&tree)
}

fn needed(tree: &Hir) -> Option<Vec<String>> {
    match tree.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => needed_by_all(std::slice::from_ref(tree)),
        HirKind::Concat(parts) => needed_by_all(parts),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Alternation(alternatives) => {
            let mut all = Vec::new();
            for alternative in alternatives {
                all.extend(needed(alternative)?);
                if all.len() > MOST_TEXTS {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// The most telling of what stands one behind the other.
fn needed_by_all(parts: &[Hir]) -> Option<Vec<String>> {
    let mut run = String::new();
    let mut best: Option<Vec<String>> = None;
    let telling = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
    let mut take = |texts: Vec<String>| {
        if texts.iter().all(|text| is_usable(text)) && best.as_ref().is_none_or(|best| telling(&texts) > telling(best))
        {
            best = Some(texts);
        }
    };
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => {
                for char in String::from_utf8_lossy(&literal.0).chars() {
                    if is_plain(char) {
                        run.push(char.to_ascii_lowercase());
                    } else {
                        take(vec![std::mem::take(&mut run)]);
                    }
                }
            }
            HirKind::Class(class) => match one_letter(class) {
                Some(letter) => run.push(letter),
                None => take(vec![std::mem::take(&mut run)]),
            },
            HirKind::Look(_) => {}
            _ => {
                take(vec![std::mem::take(&mut run)]);
                if let Some(texts) = needed(part) {
                    take(texts);
                }
            }
        }
    }
    take(vec![run]);
    best
}

/// The letter of which a class has both cases and nothing else, in lower case.
fn one_letter(class: &Class) -> Option<char> {
    let mut chars = Vec::new();
    let mut take = |start: u32, end: u32| {
        if start == end && chars.len() < 3 { chars.push(start) } else { chars.extend([0; 3]) }
    };
    match class {
        Class::Unicode(class) => class.ranges().iter().for_each(|range| take(range.start().into(), range.end().into())),
        Class::Bytes(class) => class.ranges().iter().for_each(|range| take(range.start().into(), range.end().into())),
    }
    let [upper, lower] = chars[..] else { return None };
    let (upper, lower) = (char::from_u32(upper)?, char::from_u32(lower)?);
    (upper.is_ascii_uppercase() && upper.to_ascii_lowercase() == lower).then_some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> Result<Vec<String>, SaysNothing> {
        let pattern = in_known_terms(&Pattern::parse(pattern).unwrap()).unwrap();
        let anchors = anchors(&pattern, &Worthless::default())?;
        let shown = anchors.iter().map(|anchor| match anchor {
            Anchor::Key(key) => key.to_string(),
            Anchor::Number(number) => format!("#{number}"),
            Anchor::Text(fields, text) if *fields == classes::ANY => format!("*{text}*"),
            Anchor::Text(_, text) => format!("~{text}"),
            Anchor::Field(fields) if *fields == classes::ANY => "any".to_owned(),
            Anchor::Field(fields) => format!("field {fields:x}"),
        });
        Ok(shown.collect())
    }

    #[track_caller]
    fn check(pattern: &str, wanted: &[&str]) {
        assert_eq!(shown(pattern).unwrap(), wanted, "{pattern}");
    }

    #[test]
    fn the_most_telling_side_is_looked_up() {
        let digest = "0123456789abcdef0123456789abcdef";
        check(&format!("[file:name = 'a.exe' AND file:hashes.MD5 = '{digest}']"), &[digest]);
        check("[file:name = 'A.exe' AND file:size > 10]", &["a.exe"]);
        check("[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]", &["203.0.113.7"]);
        check("[network-traffic:dst_ref.value = 'evil.example' AND network-traffic:dst_port = 443]", &["evil.example"]);
        check("[network-traffic:dst_port = 4444 AND process:name = 'nc']", &["nc"]);
        check("[network-traffic:dst_port IN (4444, 31337)]", &["#4444", "#31337"]);
        check("[process:command_line LIKE '%mimikatz%sekurlsa::log%']", &["~sekurlsa::log"]);
        check("[process:command_line MATCHES '(?i)invoke-mimi[k]atz|DumpCreds']", &["~dumpcred", "~e-mimi"]);
        check("[process:command_line MATCHES 'x+ -enc [A-Z]+ rundll32 (foo|barbar)']", &["~rundll32"]);
        check("[file:size > 10]", &["field 80"]);
        check("[NOT EXISTS file:name]", &["any"]);
        check("[file:name NOT = 'x.exe' AND directory:path = '/tmp/x']", &["/tmp/x"]);
    }

    #[test]
    fn alternatives_and_observations_are_all_looked_up() {
        check(
            "[file:name = 'a.bin' AND (url:value = 'http://a.example/' OR domain-name:value = 'b.example')]",
            &["b.example", "http://a.example"],
        );
        check(
            "[file:name = 'a.bin'] FOLLOWEDBY ([domain-name:value = 'b.example'] REPEATS 3 TIMES)",
            &["b.example", "a.bin"],
        );
        // What alerts do not hold is no alternative.
        check("[email-message:body = 'x' OR file:name = 'a.bin']", &["a.bin"]);
    }

    #[test]
    fn what_cannot_be_looked_up() {
        let unknown = Pattern::parse("[email-message:body = 'x' AND file:name = 'a.bin']").unwrap();
        assert_eq!(in_known_terms(&unknown).unwrap_err(), PatternError::Property("email-message:body".into()));
        assert_eq!(
            shown("[ipv4-addr:value = '127.0.0.1' AND file:size > 1]").unwrap_err(),
            SaysNothing("127.0.0.1".into(), WorthlessReason::Loopback)
        );
        check("[ipv4-addr:value = '127.0.0.1' AND file:name = 'a.bin']", &["a.bin"]);
    }
}
