//! Which entity types a connector is for, and what they are called.

use serde_json::Value;
use stix_model::opencti;

/// The entity types that a connector is for, by the platform's names (`IPv4-Addr`, `StixFile`, …).
///
/// The platform compares names without regard to case, and an empty scope holds everything. A file is `StixFile`.
///
/// ```
/// use opencti_client::Scope;
///
/// let scope = Scope::parse("IPv4-Addr, stixfile");
/// assert!(scope.contains("ipv4-addr"));
/// assert!(scope.contains("StixFile") && !scope.contains("Url"));
/// assert!(Scope::parse("").contains("Url"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Reads a comma list.
    pub fn parse(text: &str) -> Self {
        text.split(',').collect()
    }

    /// Whether a type is in the scope.
    pub fn contains(&self, entity_type: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name.eq_ignore_ascii_case(entity_type))
    }

    /// The names, as they are registered.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl<S: AsRef<str>> FromIterator<S> for Scope {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let names = names.into_iter().map(|name| name.as_ref().trim().to_owned());
        Self(names.filter(|name| !name.is_empty()).collect())
    }
}

/// The platform's type name for a STIX type where it follows from it. Identities, locations and threat actors have
/// several; for those the STIX type is returned in the platform's spelling.
///
/// ```
/// assert_eq!(opencti_client::entity_type_of("file"), "StixFile");
/// assert_eq!(opencti_client::entity_type_of("ipv4-addr"), "IPv4-Addr");
/// assert_eq!(opencti_client::entity_type_of("case-incident"), "Case-Incident");
/// ```
pub fn entity_type_of(stix_type: &str) -> String {
    let known = match stix_type {
        "file" => "StixFile",
        "ipv4-addr" => "IPv4-Addr",
        "ipv6-addr" => "IPv6-Addr",
        "x509-certificate" => "X509-Certificate",
        "relationship" => "stix-core-relationship",
        "sighting" => "stix-sighting-relationship",
        "ai-prompt" => "AI-Prompt",
        "iccid" => "ICCID",
        "imei" => "IMEI",
        "imsi" => "IMSI",
        "ssh-key" => "SSH-Key",
        "case-rfi" | "x-opencti-case-rfi" => "Case-Rfi",
        "case-rft" | "x-opencti-case-rft" => "Case-Rft",
        "x-opencti-case-incident" => "Case-Incident",
        "x-opencti-task" => "Task",
        "x-mitre-data-source" => "Data-Source",
        "x-mitre-data-component" => "Data-Component",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut name = String::with_capacity(stix_type.len());
    for (place, word) in stix_type.split('-').enumerate() {
        if place > 0 {
            name.push('-');
        }
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

/// The platform's type name of a STIX object: what its extension says, or what follows from its properties.
pub(crate) fn entity_type_of_json(stix: &Value) -> String {
    let given = stix["extensions"][opencti::EXTENSION]["type"].as_str().or_else(|| stix["x_opencti_type"].as_str());
    if let Some(given) = given {
        return given.to_owned();
    }
    let text = |name: &str| stix[name].as_str().unwrap_or_default();
    match text("type") {
        "identity" => match text("identity_class") {
            "individual" => "Individual",
            "class" => "Sector",
            "system" => "System",
            "securityplatform" => "Security-Platform",
            _ => "Organization",
        }
        .to_owned(),
        "location" => {
            let given = stix["x_opencti_location_type"].as_str();
            let derived = ["city", "country", "region"].iter().find(|name| stix.get(**name).is_some());
            match (given, derived) {
                (Some(given), _) => given.to_owned(),
                (None, Some(name)) => entity_type_of(name),
                (None, None) => "Position".to_owned(),
            }
        }
        "threat-actor" => "Threat-Actor-Group".to_owned(),
        other => entity_type_of(other),
    }
}

/// What an object is besides its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nature {
    pub(crate) observable: bool,
    pub(crate) marking: bool,
    /// It has objects in it, as reports have.
    pub(crate) container: bool,
}

impl Nature {
    pub(crate) fn of(stix: &Value, observable: bool) -> Self {
        Self { observable, marking: stix["type"] == "marking-definition", container: stix.get("object_refs").is_some() }
    }
}

/// Whether something is of a type, concrete or abstract.
#[cfg_attr(not(any(feature = "embedded", feature = "testing")), expect(dead_code, reason = "for adapters that filter"))]
pub(crate) fn is_of_type(wanted: &str, entity_type: &str, nature: Nature) -> bool {
    match wanted {
        "Stix-Cyber-Observable" => nature.observable,
        "Stix-Core-Object" | "Stix-Object" => true,
        "Stix-Domain-Object" => !nature.observable && !nature.marking,
        "Container" => nature.container,
        name => entity_type.eq_ignore_ascii_case(name),
    }
}
