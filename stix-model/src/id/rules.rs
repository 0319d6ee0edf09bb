//! Which properties contribute to the identifier of each type, and in what form.

use std::ops::Range;

use serde_json::Value;

use super::{IdRules, Properties, as_random, canonical, of_members};
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
    let mut members = Members { rules, from: properties, into: Vec::with_capacity(8), text: Vec::with_capacity(256) };
    let written_type = match object_type {
        "threat-actor-group" | "threat-actor-individual" => "threat-actor",
        other => other,
    };
    match object_type {
        "file"
        | "artifact"
        | "x509-certificate"
        | "software"
        | "user-account"
        | "windows-registry-key"
        | "network-traffic"
        | "email-message"
        | "process" => members.observable(object_type)?,
        "marking-definition" => return members.marking(),
        _ => members.one_value(object_type).or_else(|| members.domain_object(object_type))?,
    }
    let id = of_members(written_type, &members.canonical())?;
    if object_type == "process" && rules != IdRules::Platform {
        return Identifier::new(id.object_type(), as_random(id.uuid())).ok();
    }
    Some(id)
}

/// Collects the contributing properties.
struct Members<'a, P: Properties + ?Sized> {
    rules: IdRules,
    from: &'a P,
    /// Those that contribute, and where they stand in `text`.
    into: Vec<(&'static str, Range<usize>)>,
    /// Their values in canonical form, in the order in which they were added.
    text: Vec<u8>,
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

    fn set(&mut self, name: &'static str, value: &Value) {
        let start = self.text.len();
        canonical::write(value, &mut self.text);
        self.added(name, start);
    }

    fn set_text(&mut self, name: &'static str, value: &str) {
        let start = self.text.len();
        canonical::write_string(value, &mut self.text);
        self.added(name, start);
    }

    /// Notes a property whose value was just written; it takes the place of an earlier one of the same name.
    fn added(&mut self, name: &'static str, start: usize) {
        let range = start..self.text.len();
        match self.into.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = range,
            None => self.into.push((name, range)),
        }
    }

    /// All properties as one object in canonical form. Their names are ASCII, so their order is that of their bytes.
    fn canonical(mut self) -> Vec<u8> {
        self.into.sort_unstable_by_key(|(name, _)| *name);
        let mut out = Vec::with_capacity(self.text.len() + self.into.len() * 24 + 2);
        for (place, (name, range)) in self.into.into_iter().enumerate() {
            out.push(if place > 0 { b',' } else { b'{' });
            canonical::write_string(name, &mut out);
            out.push(b':');
            out.extend_from_slice(self.text.get(range).unwrap_or_default());
        }
        out.extend_from_slice(if out.is_empty() { b"{}" } else { b"}" });
        out
    }

    /// A required property, as it is.
    fn given(&mut self, name: &'static str) -> Option<()> {
        if self.rules == IdRules::Platform {
            let value = self.get(name)?;
            self.set(name, &value);
            return Some(());
        }
        let start = self.text.len();
        if !self.from.write_property(name, &mut self.text) {
            return None;
        }
        self.added(name, start);
        Some(())
    }

    /// A required string, transformed.
    fn text(&mut self, name: &'static str, transform: impl Fn(&str) -> String) -> Option<()> {
        let text = self.get_text(name)?;
        self.set_text(name, &transform(&text));
        Some(())
    }

    /// Properties that contribute where they are present, unless they do already.
    fn optional(&mut self, names: &[&'static str]) {
        for name in names {
            if !self.into.iter().any(|(known, _)| known == name) {
                let _ = self.given(name);
            }
        }
    }

    /// Types that one property identifies, as it is. `None` for other types, too.
    fn one_value(&mut self, object_type: &str) -> Option<()> {
        let platform = self.rules == IdRules::Platform;
        match object_type {
            "domain-name" | "email-addr" if platform => self.text("value", str::to_lowercase),
            "ssh-key" if platform => self.given("fingerprint_sha256"),
            "label" if platform => self.text("value", normalise),
            "ipv4-addr"
            | "ipv6-addr"
            | "mac-addr"
            | "domain-name"
            | "email-addr"
            | "url"
            | "hostname"
            | "text"
            | "user-agent"
            | "cryptocurrency-wallet"
            | "cryptographic-key"
            | "phone-number"
            | "tracking-number"
            | "credential"
            | "ssh-key"
            | "ai-prompt"
            | "imei"
            | "iccid"
            | "imsi"
            | "label" => self.given("value"),
            "autonomous-system" => self.given("number"),
            "directory" => self.given("path"),
            "mutex" => self.given("name"),
            "payment-card" => self.given("card_number"),
            "bank-account" => self.given("iban"),
            "media-content" => self.given("url"),
            _ => None,
        }
    }

    /// Domain objects, relationships, and what only OpenCTI identifies.
    fn domain_object(&mut self, object_type: &str) -> Option<()> {
        let platform = self.rules == IdRules::Platform;
        match object_type {
            "persona" => {
                self.given("persona_name")?;
                self.optional(&["persona_type"]);
            }
            "campaign" | "channel" | "data-component" | "data-source" | "event" | "infrastructure"
            | "intrusion-set" | "language" | "malware" | "narrative" | "tool" | "vulnerability" => {
                self.text("name", normalise)?;
            }
            "feedback" => {
                self.text("name", normalise)?;
                if platform {
                    self.given("created")?;
                }
            }
            "attack-pattern" | "course-of-action" => self.mitre(object_type)?,
            "case-incident" | "case-rfi" | "case-rft" | "incident" | "task" => {
                self.text("name", normalise)?;
                self.given("created")?;
            }
            "report" => {
                self.text("name", normalise)?;
                self.given("published")?;
            }
            "grouping" => {
                self.text("name", normalise)?;
                self.text("context", normalise)?;
                self.optional(&["created"]);
            }
            "note" => self.note()?,
            "opinion" => {
                self.text("opinion", |text| strip(text).to_owned())?;
                self.optional(&["created"]);
            }
            "observed-data" => self.observed(),
            "identity" => {
                self.text("name", normalise)?;
                self.text("identity_class", str::to_lowercase)?;
            }
            "indicator" => self.text("pattern", |text| strip(text).to_owned())?,
            "location" => self.location()?,
            "malware-analysis" => {
                self.text("result_name", |name| if platform { strip(name).to_owned() } else { normalise(name) })?;
                let product = self.get("product");
                if !platform || product.is_some() {
                    self.set("product", &product.unwrap_or(Value::Null));
                }
                self.optional(&["submitted"]);
            }
            "external-reference" => {
                if self.given("url").is_none() {
                    self.given("source_name")?;
                    self.given("external_id")?;
                }
            }
            "kill-chain-phase" => {
                self.given("phase_name")?;
                self.given("kill_chain_name")?;
            }
            "vocabulary" => {
                self.text("name", normalise)?;
                self.given("category")?;
            }
            "threat-actor" | "threat-actor-group" | "threat-actor-individual" => self.threat_actor(object_type)?,
            "relationship" => {
                for name in ["relationship_type", "source_ref", "target_ref"] {
                    self.given(name)?;
                }
                self.period("start_time", "stop_time");
            }
            "sighting" => {
                self.set_text("type", "sighting");
                self.given("sighting_of_ref")?;
                self.given("where_sighted_refs")?;
                self.period("first_seen", "last_seen");
            }
            "security-coverage" => self.text("covered_ref", normalise)?,
            "security-coverage-result" => {
                self.text("result_of_ref", |text| strip(text).to_owned())?;
                let _ = self.text("name", normalise);
                let _ = self.text("external_uri", |text| strip(text).to_owned());
            }
            _ => return None,
        }
        Some(())
    }

    /// Observables with several contributing properties. At least one must be present.
    fn observable(&mut self, object_type: &str) -> Option<()> {
        let platform = self.rules == IdRules::Platform;
        match object_type {
            "file" if platform => {
                if self.hash().is_none() {
                    self.given("name")?;
                }
            }
            "file" => {
                let _ = self.hash();
                self.optional(&["name", "parent_directory_ref", "extensions"]);
            }
            "artifact" if platform => {
                if self.hash().is_none() {
                    self.given("url")?;
                }
            }
            "artifact" => {
                let _ = self.hash();
                self.optional(&["payload_bin"]);
            }
            "x509-certificate" if platform => {
                if self.hash().is_none() && self.given("serial_number").is_none() {
                    self.given("subject")?;
                }
            }
            "x509-certificate" => {
                let _ = self.hash();
                self.optional(&["serial_number"]);
            }
            "software" => {
                if platform {
                    self.text("name", str::to_lowercase)?;
                }
                self.optional(&["name", "cpe", "swid", "vendor", "version"]);
            }
            "user-account" => self.optional(&["account_type", "user_id", "account_login"]),
            "windows-registry-key" if platform => {
                let key = self.get("key")?;
                self.set("attribute_key", &key);
            }
            "windows-registry-key" => self.optional(&["key", "values"]),
            "network-traffic" => {
                self.time("start");
                self.time("end");
                self.optional(&["src_ref", "dst_ref", "src_port", "dst_port", "protocols"]);
                if !platform {
                    self.optional(&["extensions"]);
                }
            }
            "email-message" => self.optional(&["from_ref", "subject", "body"]),
            _ => {
                self.given("command_line")?;
                self.optional(&["pid"]);
            }
        }
        (!self.into.is_empty()).then_some(())
    }

    /// The one hash that identifies content.
    fn hash(&mut self) -> Option<()> {
        let from = self.from;
        let hashes = from.hashes()?;
        let known: Hashes;
        let hashes = if hashes.iter().any(|(_, value)| value.is_empty()) {
            known = hashes.iter().filter(|(_, value)| !value.is_empty()).collect();
            &known
        } else {
            &*hashes
        };
        let (algorithm, value) = hashes.preferred()?;
        let start = self.text.len();
        self.text.push(b'{');
        canonical::write_string(algorithm, &mut self.text);
        self.text.push(b':');
        canonical::write_string(value, &mut self.text);
        self.text.push(b'}');
        self.added("hashes", start);
        Some(())
    }

    /// A time of network traffic, without zeros at the end of the fraction.
    fn time(&mut self, name: &'static str) {
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
        self.set_text(name, &text);
    }

    /// A start, and an end that counts only together with it; to the platform each counts by itself.
    fn period(&mut self, start: &'static str, end: &'static str) {
        if self.given(start).is_some() || self.rules == IdRules::Platform {
            let _ = self.given(end);
        }
    }

    fn mitre(&mut self, object_type: &str) -> Option<()> {
        if self.rules != IdRules::OpenCti6_8 {
            let id = self.get_text("x_mitre_id").map(|id| normalise(&id)).filter(|id| !id.is_empty());
            return match id {
                Some(id) => {
                    self.set_text("x_mitre_id", &id);
                    Some(())
                }
                None => self.text("name", normalise),
            };
        }
        match self.get_text("x_mitre_id") {
            // Courses of action were stripped from 6.9 on only.
            Some(id) if object_type == "course-of-action" => self.set_text("x_mitre_id", &id),
            Some(id) => self.set_text("x_mitre_id", strip(&id)),
            None => self.text("name", normalise)?,
        }
        Some(())
    }

    fn note(&mut self) -> Option<()> {
        self.text("content", |text| strip(text).to_owned())?;
        self.optional(&["created"]);
        let summary = self.get_text("abstract").map(|text| strip(&text).to_owned());
        if let Some(summary) = summary.filter(|text| !text.is_empty() && self.rules != IdRules::OpenCti6_8) {
            self.set_text("attribute_abstract", &summary);
        }
        Some(())
    }

    fn observed(&mut self) {
        let objects = self.get("object_refs").or_else(|| self.get("object_ids"));
        let mut objects = objects.unwrap_or_else(|| Value::Array(Vec::new()));
        if let (IdRules::Platform, Value::Array(ids)) = (self.rules, &mut objects) {
            ids.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        self.set("objects", &objects);
    }

    fn location(&mut self) -> Option<()> {
        let location_type = self.get_text("x_opencti_location_type").unwrap_or_else(|| self.location_type().to_owned());
        if location_type == "Position" {
            self.optional(&["latitude", "longitude"]);
            return if self.into.is_empty() { self.text("name", normalise) } else { Some(()) };
        }
        self.text("name", normalise)?;
        if self.rules != IdRules::Platform || location_type != "Administrative-Area" {
            self.set_text("x_opencti_location_type", &location_type);
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
        self.set_text("opencti_type", &kind);
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
        self.set_text("definition_type", &definition_type);
        self.set("definition", &definition);
        if self.rules == IdRules::Platform {
            self.text("definition_type", str::to_uppercase)?;
            let _ = self.text("definition", str::to_uppercase);
        }
        of_members("marking-definition", &self.canonical())
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
