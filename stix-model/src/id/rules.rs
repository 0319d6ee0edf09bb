//! Which properties contribute to the identifier of each type, and in what form.

use serde_json::{Map, Value};

use super::{IdRules, Properties, of_members};
use crate::{Hashes, Identifier, Timestamp, marking::Tlp};

/// The identifier that the newest rules give an object of this type; see [`deterministic_with`].
pub fn deterministic(object_type: &str, properties: &(impl Properties + ?Sized)) -> Option<Identifier> {
    deterministic_with(IdRules::Current, object_type, properties)
}

/// The identifier that `rules` give an object of this type.
///
/// `None` if the properties do not identify it: a required one is absent, or the type has no rule. `threat-actor-group`
/// and `threat-actor-individual` are taken as threat actors of that kind; `external-reference`, `kill-chain-phase`,
/// `label` and `vocabulary`, which STIX does not identify, have identifiers in OpenCTI.
pub fn deterministic_with(
    rules: IdRules,
    object_type: &str,
    properties: &(impl Properties + ?Sized),
) -> Option<Identifier> {
    let mut members = Members { rules, from: properties, into: Map::new() };
    let platform = rules == IdRules::Platform;
    let as_type = match object_type {
        "threat-actor-group" | "threat-actor-individual" => "threat-actor",
        other => other,
    };
    match object_type {
        "domain-name" | "email-addr" if platform => members.text("value", str::to_lowercase)?,
        "ssh-key" if platform => members.given("fingerprint_sha256")?,
        "ipv4-addr" | "ipv6-addr" | "mac-addr" | "domain-name" | "email-addr" | "url" | "hostname" | "text"
        | "user-agent" | "cryptocurrency-wallet" | "cryptographic-key" | "phone-number" | "tracking-number"
        | "credential" | "ssh-key" | "ai-prompt" | "imei" | "iccid" | "imsi" => members.given("value")?,
        "label" if platform => members.text("value", normalise)?,
        "label" => members.given("value")?,
        "autonomous-system" => members.given("number")?,
        "directory" => members.given("path")?,
        "mutex" => members.given("name")?,
        "payment-card" => members.given("card_number")?,
        "bank-account" => members.given("iban")?,
        "media-content" => members.given("url")?,
        "persona" => {
            members.given("persona_name")?;
            members.optional(&["persona_type"]);
        }
        "file" | "artifact" | "x509-certificate" | "software" | "user-account" | "windows-registry-key"
        | "network-traffic" | "email-message" | "process" => return observable(object_type, members),
        "campaign" | "channel" | "data-component" | "data-source" | "event" | "infrastructure" | "intrusion-set"
        | "language" | "malware" | "narrative" | "tool" | "vulnerability" => members.text("name", normalise)?,
        "feedback" => {
            members.text("name", normalise)?;
            if platform {
                members.given("created")?;
            }
        }
        "attack-pattern" | "course-of-action" => members.mitre(object_type)?,
        "case-incident" | "case-rfi" | "case-rft" | "incident" | "task" => {
            members.text("name", normalise)?;
            members.given("created")?;
        }
        "report" => {
            members.text("name", normalise)?;
            members.given("published")?;
        }
        "grouping" => {
            members.text("name", normalise)?;
            members.text("context", normalise)?;
            members.optional(&["created"]);
        }
        "note" => members.note()?,
        "opinion" => {
            members.text("opinion", |text| strip(text).to_owned())?;
            members.optional(&["created"]);
        }
        "observed-data" => members.observed(),
        "identity" => {
            members.text("name", normalise)?;
            members.text("identity_class", str::to_lowercase)?;
        }
        "indicator" => members.text("pattern", |text| strip(text).to_owned())?,
        "location" => members.location()?,
        "malware-analysis" => {
            members.text("result_name", |name| if platform { strip(name).to_owned() } else { normalise(name) })?;
            let product = members.get("product");
            if !platform || product.is_some() {
                members.set("product", product.unwrap_or(Value::Null));
            }
            members.optional(&["submitted"]);
        }
        "marking-definition" => return members.marking(),
        "external-reference" => {
            if members.given("url").is_none() {
                members.given("source_name")?;
                members.given("external_id")?;
            }
        }
        "kill-chain-phase" => {
            members.given("phase_name")?;
            members.given("kill_chain_name")?;
        }
        "vocabulary" => {
            members.text("name", normalise)?;
            members.given("category")?;
        }
        "threat-actor" | "threat-actor-group" | "threat-actor-individual" => members.threat_actor(object_type)?,
        "relationship" => {
            for name in ["relationship_type", "source_ref", "target_ref"] {
                members.given(name)?;
            }
            members.period("start_time", "stop_time");
        }
        "sighting" => {
            members.set("type", "sighting".into());
            members.given("sighting_of_ref")?;
            members.given("where_sighted_refs")?;
            members.period("first_seen", "last_seen");
        }
        "security-coverage" => members.text("covered_ref", normalise)?,
        "security-coverage-result" => {
            members.text("result_of_ref", |text| strip(text).to_owned())?;
            let _ = members.text("name", normalise);
            let _ = members.text("external_uri", |text| strip(text).to_owned());
        }
        _ => return None,
    }
    of_members(as_type, members.into)
}

/// Observables with several contributing properties. At least one must be present.
fn observable<P: Properties + ?Sized>(object_type: &str, mut members: Members<'_, P>) -> Option<Identifier> {
    let platform = members.rules == IdRules::Platform;
    match object_type {
        "file" if platform => {
            if members.hash().is_none() {
                members.given("name")?;
            }
        }
        "file" => {
            let _ = members.hash();
            members.optional(&["name", "parent_directory_ref", "extensions"]);
        }
        "artifact" if platform => {
            if members.hash().is_none() {
                members.given("url")?;
            }
        }
        "artifact" => {
            let _ = members.hash();
            members.optional(&["payload_bin"]);
        }
        "x509-certificate" if platform => {
            if members.hash().is_none() && members.given("serial_number").is_none() {
                members.given("subject")?;
            }
        }
        "x509-certificate" => {
            let _ = members.hash();
            members.optional(&["serial_number"]);
        }
        "software" => {
            if platform {
                members.text("name", str::to_lowercase)?;
            }
            members.optional(&["name", "cpe", "swid", "vendor", "version"]);
        }
        "user-account" => members.optional(&["account_type", "user_id", "account_login"]),
        "windows-registry-key" if platform => {
            let key = members.get("key")?;
            members.set("attribute_key", key);
        }
        "windows-registry-key" => members.optional(&["key", "values"]),
        "network-traffic" => {
            members.time("start");
            members.time("end");
            members.optional(&["src_ref", "dst_ref", "src_port", "dst_port", "protocols"]);
            if !platform {
                members.optional(&["extensions"]);
            }
        }
        "email-message" => members.optional(&["from_ref", "subject", "body"]),
        _ => {
            members.given("command_line")?;
            members.optional(&["pid"]);
        }
    }
    if members.into.is_empty() { None } else { of_members(object_type, members.into) }
}

/// Collects the contributing properties.
struct Members<'a, P: Properties + ?Sized> {
    rules: IdRules,
    from: &'a P,
    into: Map<String, Value>,
}

impl<P: Properties + ?Sized> Members<'_, P> {
    /// A property that is there; the platform trims strings and ignores what is empty then.
    fn get(&self, name: &str) -> Option<Value> {
        let value = self.from.property(name).filter(|value| !value.is_null())?;
        match value {
            Value::String(text) if self.rules == IdRules::Platform => {
                let text = text.trim();
                if text.is_empty() { None } else { Some(text.into()) }
            }
            value => Some(value),
        }
    }

    fn get_text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, value: Value) {
        self.into.insert(name.to_owned(), value);
    }

    /// A required property, as it is.
    fn given(&mut self, name: &str) -> Option<()> {
        let value = self.get(name)?;
        self.set(name, value);
        Some(())
    }

    /// A required string, transformed.
    fn text(&mut self, name: &str, transform: impl Fn(&str) -> String) -> Option<()> {
        let text = self.get_text(name)?;
        self.set(name, transform(&text).into());
        Some(())
    }

    /// Properties that contribute where they are present, unless they do already.
    fn optional(&mut self, names: &[&str]) {
        for name in names {
            if !self.into.contains_key(*name) {
                let _ = self.given(name);
            }
        }
    }

    /// The one hash that identifies content.
    fn hash(&mut self) -> Option<()> {
        let hashes: Hashes = serde_json::from_value(self.get("hashes")?).ok()?;
        let (algorithm, value) = hashes.preferred()?;
        self.set("hashes", Map::from_iter([(algorithm.to_owned(), value.into())]).into());
        Some(())
    }

    /// A time of network traffic, without zeros at the end of the fraction.
    fn time(&mut self, name: &str) {
        let Some(text) = self.get_text(name) else { return };
        let text = match (text.parse::<Timestamp>(), self.rules) {
            (Ok(time), IdRules::Platform) => time.to_millis().to_string(),
            (Ok(time), _) => {
                let written = time.to_string();
                let whole = written.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
                format!("{whole}Z")
            }
            (Err(_), _) => text,
        };
        self.set(name, text.into());
    }

    /// A start, and an end that counts only together with it; to the platform each counts by itself.
    fn period(&mut self, start: &str, end: &str) {
        if self.given(start).is_some() || self.rules == IdRules::Platform {
            let _ = self.given(end);
        }
    }

    fn mitre(&mut self, object_type: &str) -> Option<()> {
        if self.rules != IdRules::OpenCti6_8 {
            let id = self.get_text("x_mitre_id").map(|id| normalise(&id)).filter(|id| !id.is_empty());
            return match id {
                Some(id) => {
                    self.set("x_mitre_id", id.into());
                    Some(())
                }
                None => self.text("name", normalise),
            };
        }
        match self.get_text("x_mitre_id") {
            // Courses of action were stripped from 6.9 on only.
            Some(id) if object_type == "course-of-action" => self.set("x_mitre_id", id.into()),
            Some(id) => self.set("x_mitre_id", strip(&id).into()),
            None => self.text("name", normalise)?,
        }
        Some(())
    }

    fn note(&mut self) -> Option<()> {
        self.text("content", |text| strip(text).to_owned())?;
        self.optional(&["created"]);
        let summary = self.get_text("abstract").map(|text| strip(&text).to_owned());
        if let Some(summary) = summary.filter(|text| !text.is_empty() && self.rules != IdRules::OpenCti6_8) {
            self.set("attribute_abstract", summary.into());
        }
        Some(())
    }

    fn observed(&mut self) {
        let objects = self.get("object_refs").or_else(|| self.get("object_ids"));
        let mut objects = objects.unwrap_or_else(|| Value::Array(Vec::new()));
        if let (IdRules::Platform, Value::Array(ids)) = (self.rules, &mut objects) {
            ids.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        self.set("objects", objects);
    }

    fn location(&mut self) -> Option<()> {
        let location_type = self.get_text("x_opencti_location_type").unwrap_or_else(|| self.location_type().to_owned());
        if location_type == "Position" {
            self.optional(&["latitude", "longitude"]);
            return if self.into.is_empty() { self.text("name", normalise) } else { Some(()) };
        }
        self.text("name", normalise)?;
        if self.rules != IdRules::Platform || location_type != "Administrative-Area" {
            self.set("x_opencti_location_type", location_type.into());
        }
        Some(())
    }

    /// What the platform takes a location for that does not say what it is.
    fn location_type(&self) -> &'static str {
        let has = |name| self.get_text(name).is_some_and(|text| !text.is_empty());
        match () {
            () if has("city") => "City",
            () if has("country") => "Country",
            () if has("region") => "Region",
            () => "Position",
        }
    }

    fn threat_actor(&mut self, object_type: &str) -> Option<()> {
        self.text("name", normalise)?;
        let individual = "Threat-Actor-Individual";
        let kind = match object_type {
            "threat-actor-group" => "Threat-Actor-Group".to_owned(),
            "threat-actor-individual" => individual.to_owned(),
            _ => {
                let named = self.get_text("opencti_type").or_else(|| self.get_text("x_opencti_type"));
                named.unwrap_or_else(|| "Threat-Actor-Group".to_owned())
            }
        };
        self.set("opencti_type", kind.into());
        Some(())
    }

    fn marking(mut self) -> Option<Identifier> {
        let stated = self.get_text("x_opencti_definition_type").zip(self.get("x_opencti_definition"));
        let (definition_type, definition) = match stated {
            Some(stated) => stated,
            None => (self.get_text("definition_type")?, plain_definition(self.get("definition")?)),
        };
        if (definition_type == "TLP" || self.from.property("type").is_some())
            && let Some(tlp) = definition.as_str().filter(|text| text.starts_with("TLP:"))
            && let Ok(tlp) = tlp.parse::<Tlp>()
        {
            return Some(tlp.identifier());
        }
        self.set("definition_type", definition_type.into());
        self.set("definition", definition);
        if self.rules == IdRules::Platform {
            self.text("definition_type", str::to_uppercase)?;
            let _ = self.text("definition", str::to_uppercase);
        }
        of_members("marking-definition", self.into)
    }
}

/// A definition as one text: `{"tlp": "green"}` is `TLP:GREEN`, a statement is what it states.
fn plain_definition(definition: Value) -> Value {
    match (definition.get("tlp").and_then(Value::as_str), definition.get("statement")) {
        (Some(level), _) => format!("TLP:{}", level.to_uppercase()).into(),
        (None, Some(statement)) => statement.clone(),
        (None, None) => definition,
    }
}

/// Lower case, without white space at both ends.
fn normalise(text: &str) -> String {
    strip(&text.to_lowercase()).to_owned()
}

/// Removes what Python takes for white space, which includes the four separators U+001C to U+001F.
fn strip(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}'))
}
