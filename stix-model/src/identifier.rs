//! `type--uuid` identifiers (STIX 2.1, section 2.9).

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// The identifier of a STIX object: an object type and a UUID.
///
/// Identifiers of the types this crate knows share a static type name, so cloning them does not allocate.
///
/// ```
/// use stix_model::Identifier;
///
/// let id: Identifier = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4".parse()?;
/// assert_eq!(id.object_type(), "ipv4-addr");
/// assert!("ipv4-addr-28bb3599".parse::<Identifier>().is_err());
/// # Ok::<(), stix_model::IdentifierError>(())
/// ```
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct Identifier {
    object_type: Cow<'static, str>,
    uuid: Uuid,
}

/// Identifiers that differ almost always differ in their UUID, which is compared at once; types are texts.
impl PartialEq for Identifier {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid && self.object_type == other.object_type
    }
}

/// The UUID tells nearly all identifiers apart, so the type would only cost time.
impl Hash for Identifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl Identifier {
    /// Joins a type and a UUID. Fails when the type is empty, too long (250 characters), or holds anything but `a-z`,
    /// `0-9` and `-`.
    pub fn new(object_type: &str, uuid: Uuid) -> Result<Self, IdentifierError> {
        match type_name(object_type) {
            Some(object_type) => Ok(Self { object_type, uuid }),
            None => Err(IdentifierError { input: object_type.into(), kind: IdentifierErrorKind::BadObjectType }),
        }
    }

    /// Joins a type name that is known to be well-formed and a UUID.
    pub(crate) const fn from_static(object_type: &'static str, uuid: Uuid) -> Self {
        Self { object_type: Cow::Borrowed(object_type), uuid }
    }

    /// The part before `--`, such as `ipv4-addr`.
    pub fn object_type(&self) -> &str {
        &self.object_type
    }

    /// The part after `--`.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// True for the placeholder that `Default` and not yet identified objects carry (the nil UUID).
    pub fn is_nil(&self) -> bool {
        self.uuid.is_nil()
    }
}

impl Identifier {
    /// Appends it as JSON.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        write_json(&self.object_type, self.uuid, out);
    }
}

fn write(object_type: &str, uuid: Uuid, out: &mut Vec<u8>) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(object_type.as_bytes());
    out.extend_from_slice(b"--");
    out.extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// Appends an identifier as JSON. Types have nothing in them that JSON escapes.
pub(crate) fn write_json(object_type: &str, uuid: Uuid, out: &mut Vec<u8>) {
    out.push(b'"');
    write(object_type, uuid, out);
    out.push(b'"');
}

impl FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = |kind| IdentifierError { input: shorten(input), kind };
        let Some((object_type, uuid)) = input.split_once("--") else {
            return Err(error(IdentifierErrorKind::MissingSeparator));
        };
        let object_type = type_name(object_type).ok_or_else(|| error(IdentifierErrorKind::BadObjectType))?;
        // Only the 36-character form: the `uuid` crate would also take braces and bare digits.
        let uuid = (uuid.len() == 36).then(|| Uuid::try_parse(uuid).ok()).flatten();
        let uuid = uuid.ok_or_else(|| error(IdentifierErrorKind::BadUuid))?;
        Ok(Self { object_type, uuid })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object_type)?;
        f.write_str("--")?;
        let mut buffer = Uuid::encode_buffer();
        f.write_str(self.uuid.hyphenated().encode_lower(&mut buffer))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Identifier;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a STIX identifier")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Identifier, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Why a STIX identifier was rejected, together with the text that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid STIX identifier `{input}`: {kind}")]
pub struct IdentifierError {
    input: Box<str>,
    kind: IdentifierErrorKind,
}

impl IdentifierError {
    /// The text that was rejected (shortened when very long).
    pub fn input(&self) -> &str {
        &self.input
    }

    /// What is wrong with it.
    pub fn kind(&self) -> IdentifierErrorKind {
        self.kind
    }
}

/// What is wrong with a rejected identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierErrorKind {
    /// There is no `--`.
    #[error("expected `<type>--<uuid>`")]
    MissingSeparator,
    /// The type is empty, too long, or has a character outside `a-z0-9-`.
    #[error("object type may hold only a-z, 0-9 and `-`")]
    BadObjectType,
    /// What follows `--` is not a hyphenated UUID.
    #[error("the part after `--` is not a UUID")]
    BadUuid,
}

/// Error messages quote at most this many characters of hostile input.
const QUOTED_CHARACTERS: usize = 120;

/// The start of `input`, short enough for an error message.
pub(crate) fn shorten(input: &str) -> Box<str> {
    match input.char_indices().nth(QUOTED_CHARACTERS) {
        Some((end, _)) => format!("{}…", input.get(..end).unwrap_or_default()).into(),
        None => input.into(),
    }
}

/// Checks a type name; known names come back as their static spelling.
pub(crate) fn type_name(name: &str) -> Option<Cow<'static, str>> {
    if let Ok(index) = KNOWN.binary_search(&name) {
        return KNOWN.get(index).map(|known| Cow::Borrowed(*known));
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = !name.is_empty() && name.len() <= 250 && name.bytes().all(allowed);
    well_formed.then(|| Cow::Owned(name.to_owned()))
}

/// Type names that need no allocation, sorted.
const KNOWN: &[&str] = &[
    "ai-prompt",
    "artifact",
    "attack-pattern",
    "autonomous-system",
    "bank-account",
    "bundle",
    "campaign",
    "case-incident",
    "case-rfi",
    "case-rft",
    "channel",
    "course-of-action",
    "credential",
    "cryptocurrency-wallet",
    "cryptographic-key",
    "data-component",
    "data-source",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "event",
    "extension-definition",
    "external-reference",
    "feedback",
    "file",
    "grouping",
    "hostname",
    "iccid",
    "identity",
    "imei",
    "imsi",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "ipv4-addr",
    "ipv6-addr",
    "kill-chain-phase",
    "label",
    "language",
    "language-content",
    "location",
    "mac-addr",
    "malware",
    "malware-analysis",
    "marking-definition",
    "media-content",
    "mutex",
    "narrative",
    "network-traffic",
    "note",
    "observed-data",
    "opinion",
    "payment-card",
    "persona",
    "phone-number",
    "process",
    "relationship",
    "report",
    "security-coverage",
    "security-coverage-result",
    "sighting",
    "software",
    "ssh-key",
    "task",
    "text",
    "threat-actor",
    "tool",
    "tracking-number",
    "url",
    "user-account",
    "user-agent",
    "vocabulary",
    "vulnerability",
    "windows-registry-key",
    "x509-certificate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_sorted_for_the_binary_search() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b));
    }

    #[track_caller]
    fn rejected(input: &str, kind: IdentifierErrorKind) {
        let error = input.parse::<Identifier>().expect_err("must be rejected");
        assert_eq!(error.kind(), kind);
    }

    #[test]
    fn malformed_identifiers_name_what_is_wrong() {
        rejected("", IdentifierErrorKind::MissingSeparator);
        rejected("ipv4-addr", IdentifierErrorKind::MissingSeparator);
        rejected("--28bb3599-77cd-5a82-a950-b5bc3caf07c4", IdentifierErrorKind::BadObjectType);
        rejected("IPv4-Addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", IdentifierErrorKind::BadObjectType);
        rejected("ipv4-addr--28bb359977cd5a82a950b5bc3caf07c4", IdentifierErrorKind::BadUuid);
        rejected("ipv4-addr--{28bb3599-77cd-5a82-a950-b5bc3caf07c4}", IdentifierErrorKind::BadUuid);
        rejected("a--b--28bb3599-77cd-5a82-a950-b5bc3caf07c4", IdentifierErrorKind::BadUuid);
    }

    #[test]
    fn errors_quote_only_the_start_of_long_input() {
        let error = "é".repeat(10_000).parse::<Identifier>().expect_err("no separator");
        assert_eq!(error.input().chars().count(), QUOTED_CHARACTERS + 1);
    }

    #[test]
    fn unknown_types_are_identifiers_too() {
        let id: Identifier = "x-acme-thing--28BB3599-77cd-5a82-a950-b5bc3caf07c4".parse().expect("well-formed");
        assert_eq!(id.to_string(), "x-acme-thing--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    }
}
