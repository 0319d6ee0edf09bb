//! How entities are called: the type and the value that people know them by.

use stix_model::id::Properties as _;
use stix_model::sco::NetworkTraffic;
use stix_model::{Hashes, Identifier, Object};

use super::markdown::{cut, one_line};
use crate::indicator::keys_of_pattern;

/// Longest value in a label.
const LONGEST: usize = 160;

/// The platform's name of a STIX type: `ipv4-addr` is `IPv4-Addr`, `file` is `StixFile`.
pub fn entity_type(object_type: &str) -> String {
    match object_type {
        "file" => return "StixFile".to_owned(),
        "ipv4-addr" => return "IPv4-Addr".to_owned(),
        "ipv6-addr" => return "IPv6-Addr".to_owned(),
        "x509-certificate" => return "X509-Certificate".to_owned(),
        "imei" | "iccid" | "imsi" => return object_type.to_uppercase(),
        "ai-prompt" => return "AI-Prompt".to_owned(),
        "ssh-key" => return "SSH-Key".to_owned(),
        _ => {}
    }
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    object_type.split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// Type and value in one line; the type alone where nothing tells the value.
pub(crate) fn label(entity_type: &str, object: &Object, references: &[Object]) -> String {
    match value(object, references) {
        // Long values may differ at their ends only, and names of incidents are made of labels.
        Some(value) if value.chars().count() > LONGEST => {
            let id = object.id().uuid().simple().to_string();
            format!("{entity_type} {} {}", cut(&one_line(&value), LONGEST), id.get(..8).unwrap_or_default())
        }
        Some(value) => format!("{entity_type} {}", one_line(&value)),
        None => entity_type.to_owned(),
    }
}

fn text(object: &Object, name: &str) -> Option<String> {
    let text = object.property(name)?.as_str()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn number(object: &Object, name: &str) -> Option<String> {
    let value = object.property(name)?;
    (value.is_number() || value.is_string()).then(|| value.to_string().trim_matches('"').to_owned())
}

fn best_hash(hashes: &Hashes) -> Option<String> {
    // The longest says most, and people search for it.
    let rank = |name: &str| ["SHA-256", "SHA-512", "SHA-1", "MD5"].iter().position(|known| *known == name);
    let best = hashes.iter().min_by_key(|(name, _)| (rank(name).unwrap_or(usize::MAX), name.to_string()));
    best.map(|(_, digest)| digest.to_owned())
}

/// What the entity is known by.
fn value(object: &Object, references: &[Object]) -> Option<String> {
    let first = |names: &[&str]| names.iter().find_map(|name| text(object, name));
    match object {
        Object::File(file) => {
            let additional = || object.opencti().additional_names().into_iter().next();
            file.name.clone().or_else(|| best_hash(&file.hashes)).or_else(additional)
        }
        Object::Artifact(artifact) => {
            let additional = object.opencti().additional_names().into_iter().next();
            additional.or_else(|| best_hash(&artifact.hashes)).or_else(|| artifact.url.clone())
        }
        Object::Process(process) => {
            let pid = || process.pid.map(|pid| format!("pid {pid}"));
            process.command_line.clone().or_else(pid)
        }
        Object::WindowsRegistryKey(key) => {
            key.key.clone().or_else(|| first(&["attribute_key", "x_opencti_attribute_key"]))
        }
        Object::NetworkTraffic(traffic) => Some(connection(traffic, references)),
        Object::UserAccount(_) => first(&["account_login", "user_id", "display_name"]),
        Object::Software(software) => {
            let version = software.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
            (!software.name.is_empty()).then(|| software.name.clone() + &version)
        }
        Object::X509Certificate(certificate) => {
            let subject = certificate.subject.clone().or_else(|| certificate.serial_number.clone());
            subject.or_else(|| best_hash(&certificate.hashes))
        }
        Object::EmailMessage(message) => message.subject.clone(),
        Object::AutonomousSystem(system) => Some(format!("AS{}", system.number)),
        Object::Indicator(indicator) => {
            let name = indicator.name.clone().filter(|name| !name.trim().is_empty());
            Some(name.unwrap_or_else(|| indicator.pattern.clone()))
        }
        _ => first(&["value", "name", "path", "url", "iban", "card_number", "persona_name"]),
    }
    .filter(|value| !value.trim().is_empty())
}

/// A connection as people write it: `tcp 198.51.100.7:4444 → 10.0.0.5:22`, with `?` for what is not known.
fn connection(traffic: &NetworkTraffic, references: &[Object]) -> String {
    let end = |id: &Option<Identifier>, port: Option<i64>| {
        let found = id.as_ref().and_then(|id| references.iter().find(|object| object.id() == id));
        let name = found.and_then(|object| text(object, "value")).unwrap_or_else(|| "?".to_owned());
        let name = if name.contains(':') { format!("[{name}]") } else { name };
        let port = port.map_or_else(|| "?".to_owned(), |port| port.to_string());
        format!("{name}:{port}")
    };
    let from = end(&traffic.src_ref, traffic.src_port);
    let to = end(&traffic.dst_ref, traffic.dst_port);
    let protocols = traffic.protocols.join(":");
    let space = if protocols.is_empty() { "" } else { " " };
    format!("{protocols}{space}{from} → {to}")
}

/// What may stand in an alert in which an entity was found. Texts of one or two characters would be everywhere.
pub(crate) fn values(object: &Object) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let mut add = |value: String| {
        let value = value.trim().to_owned();
        if value.chars().count() > 2 && !values.contains(&value) {
            values.push(value);
        }
    };
    for name in [
        "value",
        "name",
        "path",
        "key",
        "attribute_key",
        "command_line",
        "account_login",
        "user_id",
        "display_name",
        "subject",
        "serial_number",
        "url",
    ] {
        if !(name == "name" && object.object_type() == "indicator") {
            text(object, name).into_iter().for_each(&mut add);
        }
    }
    for name in ["pid", "src_port", "dst_port"] {
        number(object, name).into_iter().for_each(&mut add);
    }
    let hashes = match object {
        Object::File(file) => Some(&file.hashes),
        Object::Artifact(artifact) => Some(&artifact.hashes),
        Object::X509Certificate(certificate) => Some(&certificate.hashes),
        _ => None,
    };
    for (_, digest) in hashes.into_iter().flat_map(Hashes::iter) {
        add(digest.to_owned());
    }
    object.opencti().additional_names().into_iter().for_each(&mut add);
    if let Object::Indicator(indicator) = object
        && let Ok(keys) = keys_of_pattern(&indicator.pattern)
    {
        for key in &keys {
            add(key.to_string());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &serde_json::Value, wanted: &str) {
        let object: Object = json.to_string().parse().unwrap();
        assert_eq!(label(&entity_type(object.object_type()), &object, &[]), wanted);
    }

    /// B-24: the number of a process is text here. B-25: every entity has a value of its own.
    #[test]
    fn b_24_b_25_labels() {
        let sha = "b".repeat(64);
        check(
            &serde_json::json!({"type": "process", "id": "process--1a5d6d2c-5d5c-4d5e-8d5f-1a5d6d2c5d5c", "pid": 4711}),
            "Process pid 4711",
        );
        check(
            &serde_json::json!({"type": "process", "id": "process--1a5d6d2c-5d5c-4d5e-8d5f-1a5d6d2c5d5c", "pid": 1, "command_line": "sh\n-c id"}),
            "Process sh -c id",
        );
        check(
            &serde_json::json!({"type": "file", "hashes": {"MD5": "0123456789abcdef0123456789abcdef", "SHA-256": sha}}),
            &format!("StixFile {sha}"),
        );
        check(&serde_json::json!({"type": "file", "name": "passwd", "hashes": {"SHA-256": sha}}), "StixFile passwd");
        check(&serde_json::json!({"type": "artifact", "hashes": {"SHA-256": sha}}), &format!("Artifact {sha}"));
        check(&serde_json::json!({"type": "windows-registry-key", "key": "HKLM\\X"}), "Windows-Registry-Key HKLM\\X");
        check(
            &serde_json::json!({"type": "network-traffic", "protocols": ["tcp"], "dst_port": 22}),
            "Network-Traffic tcp ?:? → ?:22",
        );
        check(
            &serde_json::json!({"type": "software", "name": "openssl", "version": "1.1.1"}),
            "Software openssl 1.1.1",
        );
        check(&serde_json::json!({"type": "user-account", "user_id": "1000"}), "User-Account 1000");
        check(&serde_json::json!({"type": "mac-addr", "value": "01:02:03:04:ab:cd"}), "Mac-Addr 01:02:03:04:ab:cd");
        check(&serde_json::json!({"type": "directory", "path": "/etc"}), "Directory /etc");
        check(&serde_json::json!({"type": "user-agent", "value": "curl/8"}), "User-Agent curl/8");
    }

    #[test]
    fn the_ends_of_a_connection() {
        let source: Object = r#"{"type":"ipv6-addr","value":"2001:db8::1"}"#.parse().unwrap();
        let json = serde_json::json!({"type": "network-traffic", "protocols": ["tcp", "ssh"], "src_ref": source.id(), "src_port": 9});
        let object: Object = json.to_string().parse().unwrap();
        assert_eq!(label("Network-Traffic", &object, &[source]), "Network-Traffic tcp:ssh [2001:db8::1]:9 → ?:?");
    }

    #[test]
    fn values_to_look_for() {
        let object: Object = serde_json::json!({
            "type": "indicator", "id": "indicator--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Bad host", "pattern_type": "stix",
            "pattern": "[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        }).to_string().parse().unwrap();
        assert_eq!(values(&object), ["198.51.100.7", "evil.example"]);
        let long = serde_json::json!({"type": "url", "value": format!("http://example.org/{}", "x".repeat(500))});
        let object: Object = long.to_string().parse().unwrap();
        let label = label("Url", &object, &[]);
        assert!(label.contains("x[… 359 more] ") && label.chars().count() < 200, "{label}");
    }
}
