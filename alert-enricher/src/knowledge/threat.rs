//! Events as documents with the threat fields of the Elastic Common Schema, for an index of their own: what Wazuh 5 has
//! in place of the manager's queue, since its own indices take no foreign fields.

use serde_json::{Map, Value, json};
use stix_model::Timestamp;
use uuid::Uuid;
use wazuh_query::alert::{Alert, RuleLevel};
use wazuh_query::catalogue::Catalogue;

use super::{Asked, Event, EventOptions};
use crate::event::Limits;
use crate::indicator::{Key, Kind};

/// The version of the Elastic Common Schema that the documents follow.
pub const THREAT_VERSION: &str = "8.11.0";

/// What identifiers of documents are made in: a random UUID.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a1f_0c52_8d1e_4c0e_9a41_52c3_7d0b_f35e);

/// A document for an index.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ThreatDocument {
    /// Its identifier: the same alert and the same indicator make the same one, so that it is not there twice.
    pub id: String,
    /// When the alert was raised; now, if that is not known.
    pub time: Timestamp,
    /// The document.
    pub source: Value,
}

impl Event {
    /// The event as a document for an index.
    ///
    /// `threat.indicator` and `threat.enrichments` tell about the indicator, `event.id` names the alert, and `opencti` holds
    /// what the event for a manager's queue has.
    pub fn threat(
        &self,
        alert: &Alert<'_>,
        catalogue: &Catalogue,
        options: &EventOptions,
        now: Timestamp,
    ) -> ThreatDocument {
        let time = alert.timestamp.unwrap_or(now);
        let known = &self.indicator;
        let about = &known.indicator;
        let document = self.document(alert, catalogue, options);
        let json = document.render(&Limits::default()).json;
        let opencti = serde_json::from_str::<Value>(&json).map(|mut value| value["opencti"].take()).unwrap_or_default();
        let indicator = self.threat_indicator(&opencti);
        let mut source = json!({
            "@timestamp": time,
            "ecs": { "version": THREAT_VERSION },
            "event": {
                "kind": "enrichment", "category": ["threat"], "type": ["indicator"], "module": "opencti",
                "dataset": "opencti.match", "action": self.event_type.name(), "created": now,
            },
            "message": format!("{}: {}", self.event_type.name().replace('_', " "), self.title()),
            "threat": { "indicator": indicator.clone(), "enrichments": [{ "indicator": indicator }] },
            "opencti": opencti,
        });
        put(&mut source, "event.id", alert.shown_id());
        put(&mut source, "event.risk_score", about.score);
        let reference = source["threat"]["indicator"]["reference"].as_str().map(str::to_owned);
        put(&mut source, "event.reference", reference);
        put(&mut source, "rule.id", alert.rule.id.as_deref());
        put(&mut source, "rule.name", alert.rule.description.as_deref());
        put(&mut source, "rule.level", alert.rule.level.map(RuleLevel::word));
        put(&mut source, "agent.id", alert.agent.id.as_deref());
        put(&mut source, "agent.name", alert.agent.name.as_deref());
        put(&mut source, "tags", Some(&about.labels).filter(|labels| !labels.is_empty()));
        let indicator = source["opencti"]["indicator"].clone();
        let related = source["opencti"]["related"]["indicator"].clone();
        let told = if indicator.is_object() { indicator } else { related };
        put(&mut source, "threat.group.name", told.get("threat_actors"));
        put(&mut source, "threat.software.name", told.get("malware"));
        let tactics = known.kill_chain_phases.iter().filter_map(|phase| phase.strip_prefix("mitre-attack:"));
        let tactics: Vec<&str> = tactics.collect();
        put(&mut source, "threat.tactic.name", Some(tactics).filter(|tactics| !tactics.is_empty()));
        if let Some(asked) = &self.asked {
            let matched = &mut source["threat"]["enrichments"][0]["matched"];
            *matched = json!({ "atomic": asked.written, "field": asked.field, "type": "indicator_match_rule" });
            put(matched, "id", alert.shown_id());
            let values = match asked.kind() {
                Kind::Address => "related.ip",
                Kind::Domain => "related.hosts",
                Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 | Kind::Ssdeep => "related.hash",
                _ => "",
            };
            put(&mut source, values, Some([&asked.value]));
        }
        let id = self.threat_id(alert);
        ThreatDocument { id, time, source }
    }

    fn title(&self) -> &str {
        self.indicator.name.as_deref().unwrap_or(&self.indicator.pattern)
    }

    fn threat_id(&self, alert: &Alert<'_>) -> String {
        let time = alert.timestamp.map(|time| time.to_string()).unwrap_or_default();
        let parts = [
            alert.shown_id().unwrap_or_default(),
            &time,
            alert.agent.id.as_deref().unwrap_or_default(),
            self.event_type.name(),
            &self.indicator.indicator.id.to_string(),
            self.asked.as_ref().map(|asked| asked.value.as_str()).unwrap_or_default(),
        ];
        Uuid::new_v5(&NAMESPACE, parts.join("\n").as_bytes()).to_string()
    }

    /// `threat.indicator`: what is known about the indicator, and its value.
    fn threat_indicator(&self, opencti: &Value) -> Value {
        let known = &self.indicator;
        let about = &known.indicator;
        let mut out = json!({ "name": self.title(), "id": about.id });
        put(&mut out, "description", known.description.as_deref().filter(|text| !text.is_empty()));
        put(&mut out, "provider", known.author.as_deref());
        put(&mut out, "first_seen", about.valid_from);
        put(&mut out, "last_seen", about.valid_until);
        put(&mut out, "confidence", about.confidence.map(confidence));
        put(&mut out, "marking.tlp", about.tlp.map(|tlp| tlp.to_string().trim_start_matches("TLP:").to_owned()));
        let link = opencti["indicator_link"].as_str().or_else(|| opencti["related"]["indicator_link"].as_str());
        put(&mut out, "reference", link);
        match &self.asked {
            // What is related has another value than the alert.
            Some(asked) if self.related.is_none() => value(&mut out, asked),
            _ => {}
        }
        out
    }
}

/// The words that the schema has for a confidence of 0 to 100.
fn confidence(number: u8) -> &'static str {
    match number {
        0 => "None",
        1..=29 => "Low",
        30..=69 => "Medium",
        _ => "High",
    }
}

/// Type and value of the indicator.
fn value(out: &mut Value, asked: &Asked) {
    let text = asked.value.as_str();
    let (object_type, path) = match (asked.kind(), &asked.key) {
        (Kind::Address, Key::Network(network)) if network.addr().is_ipv4() => ("ipv4-addr", "ip"),
        (Kind::Address, _) => ("ipv6-addr", "ip"),
        (Kind::Domain, _) => ("domain-name", "url.domain"),
        (Kind::Url, _) => ("url", "url.full"),
        (Kind::Email, _) => ("email-addr", "email.address"),
        (Kind::Md5, _) => ("file", "file.hash.md5"),
        (Kind::Sha1, _) => ("file", "file.hash.sha1"),
        (Kind::Sha256, _) => ("file", "file.hash.sha256"),
        (Kind::Sha512, _) => ("file", "file.hash.sha512"),
        (Kind::Ssdeep, _) => ("file", "file.hash.ssdeep"),
        (Kind::File, _) => ("file", "file.path"),
        (Kind::RegistryKey, _) => ("windows-registry-key", "registry.key"),
        (Kind::Mac, _) => ("mac-addr", ""),
        (Kind::Mutex, _) => ("mutex", ""),
        _ => return,
    };
    put(out, "type", Some(object_type));
    put(out, path, Some(text));
}

/// Puts a value at a path, if there is one, and a path.
fn put(out: &mut Value, path: &str, value: Option<impl serde::Serialize>) {
    let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) else { return };
    let mut place = out;
    let Some((last, above)) =
        path.split('.').collect::<Vec<_>>().split_last().map(|(last, above)| (*last, above.to_vec()))
    else {
        return;
    };
    if last.is_empty() || value.is_null() {
        return;
    }
    for name in above {
        let Value::Object(members) = place else { return };
        place = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    if let Value::Object(members) = place {
        members.insert(last.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Indicator;
    use crate::knowledge::{AskOptions, Indicated, JudgeOptions, Knowledge, KnownIndicator, ask, judge};

    #[test]
    fn a_document_with_the_fields_of_the_schema() {
        let catalogue = Catalogue::builtin();
        let text = r#"{"_index":".ds-wazuh-findings-v5-network-activity-000001","_id":"e902afac","_source":{
            "@timestamp":"2026-03-14T02:11:00.021Z","source":{"ip":"198.51.100.77"},
            "wazuh":{"agent":{"id":"0a08","name":"web01"},"rule":{"id":"8014","title":"SSH login failed","level":"low"}}}}"#;
        let alert = Alert::read(text, &catalogue).unwrap();
        let asked = ask(&alert, &catalogue, &AskOptions::default()).unwrap();
        let id = "indicator--8752eb5f-8b58-519e-8f40-108705ece2be".parse().unwrap();
        let mut about = Indicator::new(id);
        (about.score, about.confidence) = (Some(80), Some(60));
        about.labels = vec!["botnet".into()];
        about.tlp = Some(stix_model::Tlp::Green);
        let mut known = KnownIndicator::new(about, "[ipv4-addr:value = '198.51.100.77']");
        known.name = Some("scanner".to_owned());
        known.kill_chain_phases = vec!["mitre-attack:reconnaissance".to_owned()];
        known.indicates = vec![Indicated { entity_type: "Malware".to_owned(), name: "Mirai".to_owned() }];
        let knowledge = Knowledge { indicators: vec![known], ..Knowledge::default() };
        let judged = judge(&alert, &asked, &knowledge, &catalogue, &JudgeOptions::default());
        let now = "2026-03-14T02:12:00Z".parse().unwrap();
        let options = EventOptions { platform: Some("https://opencti.example".to_owned()) };
        let document = judged.events[0].threat(&alert, &catalogue, &options, now);
        assert_eq!(document, judged.events[0].threat(&alert, &catalogue, &options, now));
        insta::assert_snapshot!(serde_json::to_string_pretty(&document.source).unwrap());
    }
}
