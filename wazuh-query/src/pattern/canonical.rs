//! A pattern in the notation of alerts.
//!
//! Alerts are read into observables whose values have one notation: names in lower case, registry keys with the long
//! name of their hive, paths with single separators. A pattern that writes the same value in another way means the
//! same, so its values are brought to that notation before anything is compared.

use std::borrow::Cow;

use stix_model::pattern::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, ObjectPath, ObservationExpression,
    PathStep, Pattern, PropertyTest,
};

use super::hosts;
use super::property::{FULL_PATH, Property, resolve};
use super::text::Wanted;
use crate::value;

/// The same pattern with the values and the paths that alerts have, spans as they were.
///
/// - Values of `=`, `!=` and `IN` are normalised as the same values in alerts are.
/// - A comparison of `file:name` with a path, which no name is, becomes one of the whole path
///   ([`FULL_PATH`](super::FULL_PATH)).
/// - An address that equals a network is one in that network.
/// - Names of properties of STIX 2.0 and of older versions of OpenCTI become those of today.
pub fn in_alert_terms(pattern: &Pattern) -> Pattern {
    Pattern { version: pattern.version, expression: observation(&pattern.expression) }
}

fn observation(expression: &ObservationExpression) -> ObservationExpression {
    match expression {
        ObservationExpression::Observation { comparison: inside, span } => {
            ObservationExpression::Observation { comparison: comparison(inside), span: *span }
        }
        ObservationExpression::Combined { operator, operands, span } => ObservationExpression::Combined {
            operator: *operator,
            operands: operands.iter().map(observation).collect(),
            span: *span,
        },
        ObservationExpression::Qualified { expression, qualifier, span } => ObservationExpression::Qualified {
            expression: Box::new(observation(expression)),
            qualifier: qualifier.clone(),
            span: *span,
        },
    }
}

fn comparison(expression: &ComparisonExpression) -> ComparisonExpression {
    match expression {
        ComparisonExpression::And(operands, span) => {
            ComparisonExpression::And(operands.iter().map(comparison).collect(), *span)
        }
        ComparisonExpression::Or(operands, span) => {
            ComparisonExpression::Or(operands.iter().map(comparison).collect(), *span)
        }
        ComparisonExpression::Test(test) => self::test(test),
    }
}

fn test(test: &ComparisonTest) -> ComparisonExpression {
    let Some(property) = resolve(&test.path) else { return ComparisonExpression::Test(test.clone()) };
    let mut test = ComparisonTest { path: path(&test.path), ..test.clone() };
    if let Property::FileName(_) = property
        && names_directory(&test.test)
        && let Some(PathStep::Property(last)) = test.path.steps.last_mut()
    {
        *last = FULL_PATH.into();
    }
    let property = resolve(&test.path).unwrap_or(property);
    if matches!(property, Property::Address(..) | Property::End(_))
        && !test.negated
        && let Some(networks) = with_networks(&test)
    {
        return networks;
    }
    match &mut test.test {
        PropertyTest::Compare(ComparisonOperator::Equal | ComparisonOperator::NotEqual, literal) => {
            normalise(property, literal);
        }
        PropertyTest::In(list) => {
            for literal in list {
                normalise(property, literal);
            }
        }
        PropertyTest::Compare(ComparisonOperator::Like, Literal { value: LiteralValue::String(text), .. })
            if is_lower(property) =>
        {
            *text = text.to_lowercase().into();
        }
        _ => {}
    }
    ComparisonExpression::Test(test)
}

/// The path with the names of STIX 2.1.
fn path(path: &ObjectPath) -> ObjectPath {
    let object_type = match &*path.object_type {
        "x-opencti-hostname" => "hostname",
        "x-opencti-text" => "text",
        "x-opencti-user-agent" => "user-agent",
        other => other,
    };
    let mut in_hashes = false;
    let step = |step: &PathStep| {
        let PathStep::Property(name) = step else { return step.clone() };
        let name = match &**name {
            name if std::mem::replace(&mut in_hashes, name == "hashes") => {
                super::property::algorithm(name).and_then(hash_key).unwrap_or(name)
            }
            "binary_ref" if object_type == "process" => "image_ref",
            "sender_ref" if object_type == "email-message" => "from_ref",
            "created" if object_type == "file" => "ctime",
            "modified" if object_type == "file" => "mtime",
            name if name.eq_ignore_ascii_case("user-agent") => "User-Agent",
            name => name,
        };
        PathStep::Property(name.into())
    };
    ObjectPath { object_type: object_type.into(), steps: path.steps.iter().map(step).collect(), span: path.span }
}

/// The key of an algorithm in STIX 2.1.
fn hash_key(algorithm: crate::catalogue::HashAlgorithm) -> Option<&'static str> {
    use crate::catalogue::HashAlgorithm as H;
    Some(match algorithm {
        H::Md5 => "MD5",
        H::Sha1 => "SHA-1",
        H::Sha256 => "SHA-256",
        H::Sha512 => "SHA-512",
        H::Ssdeep => "SSDEEP",
        H::Tlsh => "TLSH",
        H::Imphash => return None,
    })
}

/// Whether a test asks for something that has a separator of paths in it, which no name of a file has.
fn names_directory(test: &PropertyTest) -> bool {
    let of_literal = |literal: &Literal| match &literal.value {
        LiteralValue::String(text) => text.contains(['/', '\\']),
        _ => false,
    };
    match test {
        PropertyTest::Compare(ComparisonOperator::Matches, Literal { value: LiteralValue::String(text), .. }) => {
            Wanted::matches(text).is_some_and(|wanted| wanted.names_directory())
        }
        PropertyTest::Compare(_, literal) => of_literal(literal),
        PropertyTest::In(list) => list.iter().all(of_literal),
        PropertyTest::Exists => false,
    }
}

/// `=` and `IN` with networks among the values: the addresses that are equal, or in one of the networks.
fn with_networks(test: &ComparisonTest) -> Option<ComparisonExpression> {
    let values: Vec<Literal> = match &test.test {
        PropertyTest::Compare(ComparisonOperator::Equal, literal) => vec![literal.clone()],
        PropertyTest::In(list) => list.clone(),
        _ => return None,
    };
    let is_network = |literal: &Literal| match &literal.value {
        LiteralValue::String(text) => text.contains('/') && hosts::network(text.trim(), None).is_some(),
        _ => false,
    };
    let (networks, mut values): (Vec<Literal>, Vec<Literal>) = values.into_iter().partition(is_network);
    if networks.is_empty() {
        return None;
    }
    for literal in &mut values {
        normalise(Property::Address(None, super::property::Of::Any), literal);
    }
    let with = |inside| ComparisonExpression::Test(ComparisonTest { test: inside, ..test.clone() });
    let mut any: Vec<ComparisonExpression> = networks
        .into_iter()
        .map(|network| with(PropertyTest::Compare(ComparisonOperator::IsSubset, network)))
        .collect();
    if !values.is_empty() {
        any.push(with(PropertyTest::In(values)));
    }
    Some(match <[ComparisonExpression; 1]>::try_from(any) {
        Ok([one]) => one,
        Err(any) => ComparisonExpression::Or(any, test.span),
    })
}

fn is_lower(property: Property) -> bool {
    matches!(
        property,
        Property::DomainName(_)
            | Property::HostName(_)
            | Property::EmailAddress(_)
            | Property::MacAddress(_)
            | Property::Digest(..)
            | Property::ImportHash
            | Property::CertificateDigest(_)
            | Property::Protocol
    )
}

/// Brings a value to the notation that the same value in an alert is brought to.
fn normalise(property: Property, literal: &mut Literal) {
    let LiteralValue::String(text) = &mut literal.value else { return };
    if let Some(normal) = normal(property, text.trim()) {
        *text = normal.into();
    }
}

fn normal(property: Property, text: &str) -> Option<Cow<'_, str>> {
    use Property as P;
    Some(match property {
        P::Address(..) => text.parse::<std::net::IpAddr>().ok()?.to_canonical().to_string().into(),
        P::End(_) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_canonical().to_string().into(),
            Err(_) => {
                value::mac(text).map(|octets| value::mac_text(octets).into()).or_else(|| value::hostname(text))?
            }
        },
        P::DomainName(_) | P::HostName(_) => value::hostname(text)?,
        P::EmailAddress(_) | P::Protocol => text.to_lowercase().into(),
        P::MacAddress(_) => value::mac_text(value::mac(text)?).into(),
        P::Digest(algorithm, _) => value::normalize_hash(algorithm, text)?,
        P::ImportHash => value::normalize_hash(crate::catalogue::HashAlgorithm::Imphash, text)?,
        P::CertificateDigest(_) | P::CertificateSerial => text.replace(':', "").to_ascii_lowercase().into(),
        P::VulnerabilityName | P::CvssSeverity | P::RegistryValueType => text.to_ascii_uppercase().into(),
        P::RegistryKey => value::canonical_key(text)?,
        P::DirectoryPath => {
            let path = value::normalize_path(text);
            let stem = path.trim_end_matches(['/', '\\']);
            // A root keeps its separator.
            if stem.is_empty() || stem.ends_with(':') { path } else { stem.to_owned().into() }
        }
        P::FileDirectory(_) => {
            let path = value::normalize_path(text);
            let stem = path.trim_end_matches(['/', '\\']);
            if stem.is_empty() || stem.ends_with(':') { path } else { stem.to_owned().into() }
        }
        P::FilePath(_) | P::Login(_) | P::MutexName | P::WorkingDirectory(_) => value::normalize_path(text),
        P::UserId(_) if value::is_sid(text) => text.into(),
        _ => return None,
    })
}
