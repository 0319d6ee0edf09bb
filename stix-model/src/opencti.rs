//! OpenCTI's extensions and custom properties.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use crate::{ExternalReference, Extra, Identifier, Object, id::Properties};

/// The extension that OpenCTI writes on every object.
pub const EXTENSION: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";
/// The extension that OpenCTI writes on observables.
pub const SCO_EXTENSION: &str = "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82";
/// The extension for properties of MITRE ATT&CK.
pub const MITRE_EXTENSION: &str = "extension-definition--322b8f77-262a-4cb8-a915-1e441e00329b";

/// Observables that only OpenCTI has.
pub(crate) const OBSERVABLES: &[&str] = &[
    "ai-prompt",
    "bank-account",
    "credential",
    "cryptocurrency-wallet",
    "cryptographic-key",
    "hostname",
    "iccid",
    "imei",
    "imsi",
    "media-content",
    "payment-card",
    "persona",
    "phone-number",
    "ssh-key",
    "text",
    "tracking-number",
    "user-agent",
];

/// Domain objects that only OpenCTI has.
const DOMAIN_OBJECTS: &[&str] = &[
    "case-incident",
    "case-rfi",
    "case-rft",
    "channel",
    "data-component",
    "data-source",
    "event",
    "feedback",
    "language",
    "narrative",
    "security-coverage",
    "task",
];

/// A new type must be declared by an extension on each object (STIX 2.1, section 7.3).
pub(crate) fn declare_type(object_type: &str, extensions: &mut Extra) {
    if OBSERVABLES.contains(&object_type) {
        extensions.set(SCO_EXTENSION, serde_json::json!({"extension_type": "new-sco"}));
    } else if DOMAIN_OBJECTS.contains(&object_type) {
        extensions.set(EXTENSION, serde_json::json!({"extension_type": "new-sdo"}));
    }
}

/// The members of a JSON object; none of anything else.
fn parse(raw: Option<&RawValue>) -> BTreeMap<String, &RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// What OpenCTI knows about an object, wherever it wrote it.
///
/// A property `X` is looked up in OpenCTI's extension, in its extension for observables, as `x_opencti_X`, and as `X`.
///
/// ```
/// use stix_model::Object;
///
/// let json = r#"{"type":"ipv4-addr","value":"198.51.100.3","x_opencti_score":"75"}"#;
/// let object: Object = json.parse()?;
/// assert_eq!(object.opencti().score(), Some(75));
/// # Ok::<(), stix_model::ObjectError>(())
/// ```
#[derive(Debug)]
pub struct OpenCti<'a> {
    object: &'a Object,
    extensions: [BTreeMap<String, &'a RawValue>; 3],
}

impl<'a> OpenCti<'a> {
    pub(crate) fn new(object: &'a Object) -> Self {
        let members = |name: &str| match object {
            Object::Unknown(unknown) => {
                let extensions: BTreeMap<String, &'a RawValue> = parse(unknown.raw_property("extensions"));
                parse(extensions.get(name).copied())
            }
            known => parse(known.extensions().and_then(|extensions| extensions.get(name))),
        };
        Self { object, extensions: [members(EXTENSION), members(SCO_EXTENSION), members(MITRE_EXTENSION)] }
    }

    /// A property by its name without prefix. `None` if it is nowhere, or null.
    pub fn get(&self, name: &str) -> Option<Value> {
        let [platform, observable, _] = &self.extensions;
        let alias = if name == "cvss_vector" { Some("cvss_vector_string") } else { None };
        let extended = |name: &str| {
            let raw = platform.get(name).or_else(|| observable.get(name))?;
            serde_json::from_str::<Value>(raw.get()).ok().filter(|value| !value.is_null())
        };
        let top_level = |name: &str| self.object.property(name).filter(|value| !value.is_null());
        let flat = |name: &str| top_level(&format!("x_opencti_{name}"));
        let found = extended(name).or_else(|| flat(name));
        found.or_else(|| alias.and_then(|alias| extended(alias).or_else(|| flat(alias)))).or_else(|| top_level(name))
    }

    /// A property as any type that can be read from JSON.
    pub fn get_as<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.get(name)?).ok()
    }

    /// A property that is a string; an empty one counts as absent.
    pub fn get_str(&self, name: &str) -> Option<String> {
        self.get_as(name).filter(|text: &String| !text.is_empty())
    }

    /// A property of MITRE's extension, such as `platforms`.
    pub fn get_mitre(&self, name: &str) -> Option<Value> {
        let [.., mitre] = &self.extensions;
        let raw = mitre.get(name).map(|raw| raw.get());
        let value = raw.and_then(|raw| serde_json::from_str(raw).ok());
        value.filter(|value: &Value| !value.is_null()).or_else(|| self.object.property(&format!("x_mitre_{name}")))
    }

    /// The internal identifier, a UUID.
    pub fn internal_id(&self) -> Option<String> {
        let [platform, ..] = &self.extensions;
        let raw = platform.get("id").and_then(|raw| serde_json::from_str(raw.get()).ok());
        raw.or_else(|| self.object.property("x_opencti_id")?.as_str().map(str::to_owned))
    }

    /// The platform's name of the type, such as `IPv4-Addr` or `StixFile`, if it says so.
    pub fn entity_type(&self) -> Option<String> {
        let [platform, ..] = &self.extensions;
        let raw = platform.get("type").and_then(|raw| serde_json::from_str(raw.get()).ok());
        raw.or_else(|| self.object.property("x_opencti_type")?.as_str().map(str::to_owned))
    }

    /// The score, 0 to 100. Numbers in text are accepted.
    pub fn score(&self) -> Option<i64> {
        match self.get("score")? {
            Value::String(text) => text.trim().parse().ok(),
            #[expect(clippy::cast_possible_truncation, reason = "a score; casts saturate")]
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|score| score as i64)),
            _ => None,
        }
    }

    /// The description.
    pub fn description(&self) -> Option<String> {
        self.get_str("description")
    }

    /// The labels.
    pub fn labels(&self) -> Vec<String> {
        self.get_as("labels").unwrap_or_default()
    }

    /// The author.
    pub fn created_by_ref(&self) -> Option<Identifier> {
        self.get_as("created_by_ref")
    }

    /// The external references.
    pub fn external_references(&self) -> Vec<ExternalReference> {
        let references = self.get("external_references").map(|value| value.to_string());
        references.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
    }

    /// Further names of a file or artifact.
    pub fn additional_names(&self) -> Vec<String> {
        self.get_as("additional_names").unwrap_or_default()
    }

    /// Other names, whether written as `aliases` or as `x_opencti_aliases`.
    pub fn aliases(&self) -> Vec<String> {
        self.get_as("aliases").unwrap_or_default()
    }

    /// The kind of observable that an indicator is mainly about, such as `StixFile`.
    pub fn main_observable_type(&self) -> Option<String> {
        self.get_str("main_observable_type")
    }

    /// Whether an indicator is meant for detection.
    pub fn detection(&self) -> Option<bool> {
        match self.get("detection")? {
            Value::Bool(detection) => Some(detection),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Other identifiers of the same object.
    pub fn stix_ids(&self) -> Vec<Identifier> {
        self.get_as("stix_ids").unwrap_or_default()
    }

    /// Whether the platform concluded the object from a rule.
    pub fn is_inferred(&self) -> bool {
        self.get_as("is_inferred").unwrap_or(false)
    }

    /// Whether a sighting is a false positive.
    pub fn negative(&self) -> bool {
        self.get_as("negative").unwrap_or(false)
    }
}
