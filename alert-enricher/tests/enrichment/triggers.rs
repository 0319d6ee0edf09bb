//! Every kind of entity as the one that is enriched, in every mode of incidents: what is made is valid, and the platform's
//! own splitter takes it.

use std::collections::BTreeSet;

use alert_enricher::enrichment::{Decision, EnrichmentOptions, IncidentMode, Subject, Trigger, inspect};
use serde_json::{Value, json};
use stix_model::{Bundle, Object};

use crate::common::*;

/// An entity of each type that can be searched, as the platform describes them.
fn entities() -> Vec<Object> {
    let sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let observables = [
        json!({"type": "ipv4-addr", "value": "198.51.100.7"}),
        json!({"type": "ipv6-addr", "value": "2001:db8::7"}),
        json!({"type": "domain-name", "value": "evil.example"}),
        json!({"type": "hostname", "value": "web01"}),
        json!({"type": "url", "value": "http://evil.example/a?b=c"}),
        json!({"type": "email-addr", "value": "kim@evil.example"}),
        json!({"type": "mac-addr", "value": "0a:1b:2c:3d:4e:5f"}),
        json!({"type": "user-agent", "value": "evil/1.0 (scanner)"}),
        json!({"type": "text", "value": "evil-pipe"}),
        json!({"type": "mutex", "name": "Global\\evil"}),
        json!({"type": "directory", "path": "/opt/evil"}),
        json!({"type": "autonomous-system", "number": 64_512}),
        json!({"type": "file", "name": "evil.exe", "hashes": {"SHA-256": sha}}),
        json!({"type": "artifact", "hashes": {"SHA-256": sha}, "mime_type": "application/octet-stream"}),
        json!({"type": "process", "command_line": "evil.exe --run", "pid": 4711}),
        json!({"type": "user-account", "account_login": "evil", "user_id": "S-1-5-21-1-2-3-1001"}),
        json!({"type": "software", "name": "evil", "version": "1.0"}),
        json!({"type": "windows-registry-key", "key": "HKEY_LOCAL_MACHINE\\Software\\Evil"}),
        json!({"type": "x509-certificate", "serial_number": "01ab", "subject": "CN=evil.example"}),
        json!({"type": "email-message", "is_multipart": false, "subject": "You have won"}),
        json!({"type": "network-traffic", "protocols": ["tcp"], "dst_port": 4444,
            "src_ref": address().id(), "dst_ref": address().id()}),
    ];
    let mut entities: Vec<Object> = observables.iter().map(object).collect();
    entities.extend([indicator(), vulnerability(&json!({"x_opencti_cvss_base_score": 9.8}))]);
    let times = json!({"created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"});
    let containers = [
        json!({"type": "report", "id": "report--4d3f6a4c-94c7-5d5a-8f36-6a1d1dcb1e11", "name": "Nimbus",
            "published": "2026-01-01T00:00:00Z", "object_refs": [indicator().id()]}),
        json!({"type": "grouping", "id": "grouping--4d3f6a4c-94c7-5d5a-8f36-6a1d1dcb1e12", "name": "Nimbus",
            "context": "suspicious-activity", "object_refs": [indicator().id()]}),
        json!({"type": "case-incident", "id": "case-incident--4d3f6a4c-94c7-5d5a-8f36-6a1d1dcb1e13", "name": "Nimbus",
            "object_refs": [indicator().id()]}),
        json!({"type": "campaign", "id": "campaign--4d3f6a4c-94c7-5d5a-8f36-6a1d1dcb1e14", "name": "Nimbus"}),
    ];
    entities.extend(containers.into_iter().map(|json| object(&merged(json, &times))));
    entities
}

/// Alerts of Wazuh 4 with much in them, two of one agent and one of another.
fn of_wazuh_4() -> Alerts {
    let more = |data: Value| json!({"data": data});
    let time = |minute: u8| format!("2026-03-14T09:{minute:02}:53.589+0000");
    let data = json!({"srcip": "198.51.100.7", "srcport": "4711", "dstip": "10.0.0.5", "dstport": "22", "srcuser": "evil",
        "url": "http://evil.example/a?b=c"});
    Alerts::new([
        alert(("001", "web01"), "5710", 5, &time(1), &more(data.clone())),
        alert(("001", "web01"), "5712", 10, &time(2), &more(data.clone())),
        alert(("002", "db | `x`"), "5710", 5, &time(3), &more(data)),
    ])
}

/// Findings of Wazuh 5 of many kinds, most of them of one agent.
fn of_wazuh_5() -> Alerts {
    let finding = |minute: u8, agent: (&str, &str), level: &str, event: Value| {
        let time = format!("2026-03-14T09:{minute:02}:53.589Z");
        let rule = json!({"id": format!("80148c1c-5ddd-40cf-9287-0d7387d89dd{}", minute % 2), "title": "SSH `login` | failed",
            "level": level, "tags": ["attack.t1110"],
            "mitre": {"technique": {"id": ["T1110"], "name": ["Brute Force"]}, "tactic": {"name": ["Credential Access"]}}});
        let host = json!({"hostname": agent.1, "ip": ["10.20.0.11"], "os": {"name": "Debian", "platform": "debian"}});
        let agent = json!({"id": agent.0, "name": agent.1, "version": "5.0.0", "groups": ["default"], "host": host});
        let wazuh = json!({"agent": agent, "rule": rule, "cluster": {"name": "wazuh", "node": "node01"},
            "integration": {"name": "access-management", "category": "access-management"}});
        merged(json!({"@timestamp": time, "wazuh": wazuh, "event": {"kind": "event", "created": time}}), &event)
    };
    let web = ("0a0857d1-190b-4d0e-86f0-48d446d95281", "web01");
    let sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let connection = json!({"source": {"ip": "198.51.100.7", "port": 4711, "mac": "0a:1b:2c:3d:4e:5f"},
        "destination": {"ip": "2001:db8::7", "port": 22}, "network": {"transport": "tcp", "bytes": 12},
        "user": {"name": "evil", "id": "1001"}, "user_agent": {"original": "evil/1.0 (scanner)"},
        "url": {"original": "http://evil.example/a?b=c"}, "dns": {"question": {"name": "evil.example"}}});
    let process = json!({"process": {"pid": 4711, "name": "evil.exe", "executable": "C:\\opt\\evil.exe",
            "command_line": "evil.exe --run `x` | y", "hash": {"sha256": sha},
            "parent": {"pid": 4, "executable": "C:\\Windows\\explorer.exe"}},
        "registry": {"path": "HKLM\\Software\\Evil", "value": "Run"}});
    let file = json!({"file": {"path": "/opt/evil/evil.exe", "name": "evil.exe", "size": 12, "hash": {"sha256": sha}},
        "package": {"name": "evil", "version": "1.0"}});
    let vulnerability = json!({"vulnerability": {"id": "CVE-2024-3094", "severity": "Critical", "score": {"base": 10.0}},
        "package": {"name": "xz-utils", "version": "5.6.1"}});
    Alerts::new([
        finding(1, web, "low", connection),
        finding(2, web, "critical", process),
        finding(3, ("5f0c1a52-1d5b-4a61-9a57-0d6f0c6b9a11", "db | `x`"), "medium", file),
        finding(4, web, "high", vulnerability),
    ])
}

#[test]
fn every_entity_in_every_mode_with_alerts_of_wazuh_4() {
    every_entity_in_every_mode(&of_wazuh_4());
}

#[test]
fn every_entity_in_every_mode_with_alerts_of_wazuh_5() {
    let alerts = of_wazuh_5();
    let bundles = every_entity_in_every_mode(&alerts);
    // What the alerts are about is found in them.
    let found: BTreeSet<&str> =
        bundles.iter().flat_map(|(_, bundle)| &bundle.objects).map(Object::object_type).collect();
    for object_type in [
        "attack-pattern",
        "directory",
        "domain-name",
        "file",
        "hostname",
        "incident",
        "ipv4-addr",
        "ipv6-addr",
        "network-traffic",
        "process",
        "software",
        "url",
        "user-account",
        "user-agent",
        "vulnerability",
        "windows-registry-key",
    ] {
        assert!(found.contains(object_type), "{object_type}: {found:?}");
    }
}

/// Returns the bundles with the names of entity and mode.
fn every_entity_in_every_mode(alerts: &Alerts) -> Vec<(String, Bundle)> {
    let mut bundles = Vec::new();
    let mut refused = Vec::new();
    for entity in entities() {
        let object_type = entity.object_type().to_owned();
        let subject = Subject::with_related(entity, [indicator(), address()]);
        for mode in IncidentMode::ALL {
            let options = EnrichmentOptions {
                create_incident: *mode,
                create_incident_threshold: 0,
                require_indicator_for_incidents: false,
                vulnerability_incident_score_threshold: Some(5.0),
                create_incident_response: true,
                ..options()
            };
            if !matches!(inspect(&subject, &options, Trigger::Automatic, now()), Decision::Search(_)) {
                refused.push(object_type.clone());
                break;
            }
            let enrichment = enrich(&subject, alerts, &options).unwrap();
            check_references(&enrichment.bundle, &subject);
            bundles.push((format!("{object_type}-{}", mode.name()), enrichment.bundle));
        }
    }
    assert_eq!(refused, [""; 0]);
    split_all(&bundles);
    validate_all(&bundles);
    bundles
}
