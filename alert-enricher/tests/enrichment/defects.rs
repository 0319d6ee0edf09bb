//! The defects of sections 17.3 to 17.5 of the behaviour reference: events, incidents, notes, cases, sending.

use std::collections::BTreeSet;

use alert_enricher::enrichment::{EnrichmentOptions, Findings, IncidentMode, Known, Outcome, Reason, Subject, answer};
use serde_json::{Value, json};
use stix_model::sro::Relationship;
use stix_model::{Bundle, Identifier, Tlp};

use crate::common::*;

fn found() -> Value {
    json!({"data": {"srcip": "203.0.113.7"}})
}

fn per(mode: IncidentMode) -> EnrichmentOptions {
    EnrichmentOptions { create_incident: mode, ..options() }
}

fn bundle(alerts: impl IntoIterator<Item = Value>, options: &EnrichmentOptions) -> Bundle {
    let enrichment = enrich(&subject(), &Alerts::new(alerts), options).unwrap();
    check_references(&enrichment.bundle, &subject());
    enrichment.bundle
}

fn texts<'v>(objects: &'v [Value], property: &str) -> Vec<&'v str> {
    let mut texts: Vec<&str> = objects.iter().filter_map(|object| object[property].as_str()).collect();
    texts.sort_unstable();
    texts
}

/// B-24: an entity with a number for a value goes through, too.
#[test]
fn b_24_a_process_with_a_number() {
    let process = object(
        &json!({"type": "process", "id": "process--1a5d6d2c-5d5c-4d5e-8d5f-1a5d6d2c5d5c", "pid": 4711, "command_line": "nc -l"}),
    );
    let subject = Subject::with_related(process, [indicator()]);
    let alerts =
        Alerts::new([alert(WEB, "1", 5, "2026-03-14T09:00:00Z", &json!({"data": {"audit": {"pid": "4711"}}}))]);
    let enrichment = enrich(&subject, &alerts, &options()).unwrap();
    assert_eq!(of_type(&enrichment.bundle, "incident")[0]["name"], "Wazuh alert: Process nc -l sighted in web01");
}

/// B-29: only excluded rules, and nothing at all.
#[test]
fn b_29_nothing_left() {
    for mode in IncidentMode::ALL {
        let options = EnrichmentOptions { rule_exclude_list: ["5503".to_owned()].into(), ..per(*mode) };
        let alerts = Alerts::new([alert(WEB, "5503", 5, "2026-03-14T09:00:00Z", &found())]);
        assert_eq!(enrich(&subject(), &alerts, &options), Err(Reason::AllExcluded { alerts: 1 }));
        assert_eq!(enrich(&subject(), &Alerts::default(), &options), Err(Reason::NoHits));
        // Rules that make no incidents are sighted nevertheless.
        let options = EnrichmentOptions { incident_rule_exclude_list: ["5503".to_owned()].into(), ..per(*mode) };
        let enrichment = enrich(&subject(), &alerts, &options).unwrap();
        assert_eq!((enrichment.counters.sightings, enrichment.counters.incidents), (1, 0));
        assert!(enrichment.message.contains("; no incident: "), "{}", enrichment.message);
    }
}

/// B-28: rules that make no incidents, however their identifiers are written, in every mode.
#[test]
fn b_28_excluded_rules_in_every_mode() {
    for mode in [IncidentMode::PerQuery, IncidentMode::PerSighting, IncidentMode::PerAlertRule, IncidentMode::PerAlert]
    {
        let options = EnrichmentOptions { incident_rule_exclude_list: ["5503".to_owned()].into(), ..per(mode) };
        let mut with_number = alert(WEB, "5503", 15, "2026-03-14T09:00:00Z", &found());
        with_number["rule"]["id"] = json!(5503);
        let made = bundle([with_number, alert(WEB, "5710", 5, "2026-03-14T09:01:00Z", &found())], &options);
        let incidents = of_type(&made, "incident");
        assert_eq!(incidents.len(), 1, "{mode}");
        // Neither its level nor its time counts.
        assert_eq!(
            (incidents[0]["severity"].as_str(), incidents[0]["first_seen"].as_str()),
            (Some("low"), Some("2026-03-14T09:01:00.000Z"))
        );
    }
}

/// B-33, B-34: first and last are those of the times, whatever their order, precision and zone.
#[test]
fn b_33_b_34_first_and_last() {
    let times =
        ["2026-03-14T10:30:00+0200", "2026-03-14T09:00:00.5Z", "2026-03-14T08:59:00.000-0100", "2026-03-14T09:00:00Z"];
    for rotation in 0..times.len() {
        let agents = [WEB, DB, MANAGER, WEB];
        let alerts = (0..times.len()).map(|place| {
            let at = (place + rotation) % times.len();
            alert(agents[at], "5710", 5, times[at], &found())
        });
        let made = bundle(alerts, &per(IncidentMode::PerQuery));
        let incident = &of_type(&made, "incident")[0];
        assert_eq!(incident["first_seen"], "2026-03-14T08:30:00.000Z");
        assert_eq!(incident["last_seen"], "2026-03-14T09:59:00.000Z");
        assert_eq!(incident["created"], incident["first_seen"]);
    }
}

/// B-35: the relationship of an agent to the SIEM has the identifier of what it says.
#[test]
fn b_35_agent_and_siem() {
    let made = bundle([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())], &options());
    let [agent, siem] = ["web01", "Wazuh SIEM"].map(|name| {
        let identities = of_type(&made, "identity");
        let identity = identities.iter().find(|identity| identity["name"] == name).unwrap();
        identity["id"].as_str().unwrap().parse::<Identifier>().unwrap()
    });
    let link = Relationship::new("related-to", agent, siem, now());
    assert!(made.get(link.id()).is_some());
}

/// B-36: without agents as systems there is nothing that refers to one.
#[test]
fn b_36_no_agents() {
    let options = EnrichmentOptions { agents_as_systems: false, ..options() };
    let mut one = alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found());
    one["agent"]["ip"] = json!("10.0.0.5");
    let made = bundle([one], &options);
    assert_eq!(texts(&of_type(&made, "identity"), "name"), ["Wazuh", "Wazuh SIEM"]);
    assert_eq!(of_type(&made, "hostname").len(), 0);
}

/// B-37: no agent, an agent without anything, an address that is none.
#[test]
fn b_37_odd_agents() {
    let mut without = alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found());
    without.as_object_mut().unwrap().remove("agent");
    let mut alerts = vec![without];
    for agent in [
        json!({}),
        json!({"id": "003"}),
        json!({"id": "004", "name": "x y", "ip": "any"}),
        json!({"id": 5, "name": 6, "ip": 7}),
    ] {
        alerts.push(merged(alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found()), &json!({"agent": agent})));
    }
    let made = bundle(alerts, &options());
    assert_eq!(texts(&of_type(&made, "identity"), "name"), ["6", "Wazuh", "Wazuh SIEM", "agent 003", "x y"]);
    assert_eq!(of_type(&made, "ipv4-addr").len(), 0);
    assert_eq!(texts(&of_type(&made, "hostname"), "value"), ["6"]);
}

/// B-38: every address of every agent, with its own time.
#[test]
fn b_38_addresses_have_their_own_times() {
    let at = |agent, time: &str, ip: &str| {
        let mut one = alert(agent, "5710", 5, time, &found());
        one["agent"]["ip"] = json!(ip);
        one
    };
    let made = bundle(
        [
            at(WEB, "2026-03-14T09:00:00Z", "10.0.0.5"),
            at(WEB, "2026-03-14T09:10:00Z", "10.0.0.5"),
            at(WEB, "2026-03-14T09:20:00Z", "10.0.0.6"),
            at(DB, "2026-03-14T08:00:00Z", "2001:db8::9"),
        ],
        &options(),
    );
    let links = of_type(&made, "relationship");
    let told: Vec<&str> = texts(&links, "description").into_iter().filter(|text| text.contains("address")).collect();
    assert_eq!(
        told,
        [
            "`db01` had the address `2001:db8::9` at 2026-03-14T08:00:00.000Z",
            "`web01` had the address `10.0.0.5` between 2026-03-14T09:00:00.000Z and 2026-03-14T09:10:00.000Z",
            "`web01` had the address `10.0.0.6` at 2026-03-14T09:20:00.000Z",
        ]
    );
    // An end would make another relationship of it on the platform.
    assert!(links.iter().all(|link| link["stop_time"].is_null()));
}

fn of_vulnerability(rule: &str, time: &str, more: &Value) -> Value {
    let vulnerability = merged(json!({"cve": "CVE-2024-3094", "package": {"name": "xz"}}), more);
    alert(WEB, rule, 13, time, &json!({"data": {"vulnerability": vulnerability}}))
}

fn vulnerability_options() -> EnrichmentOptions {
    EnrichmentOptions { vulnerability_incident_score_threshold: Some(0.0), ..options() }
}

/// B-39: the newest alert decides whether a vulnerability is still there, and the status counts before the rule.
#[test]
fn b_39_the_newest_alert_decides() {
    let subject = Subject::new(vulnerability(&json!({})));
    let incidents = |alerts: Vec<Value>| {
        enrich(&subject, &Alerts::new(alerts), &vulnerability_options()).unwrap().counters.incidents
    };
    let active = |rule, time| of_vulnerability(rule, time, &json!({}));
    let solved = |time| of_vulnerability("23502", time, &json!({}));
    assert_eq!(incidents(vec![active("23505", "2026-03-14T09:00:00Z")]), 1);
    assert_eq!(incidents(vec![active("23505", "2026-03-14T09:00:00Z"), solved("2026-03-14T09:01:00Z")]), 0);
    // Several rules say that it is there; the newest of them is after the solution.
    let alerts = vec![
        active("23506", "2026-03-14T09:02:00Z"),
        solved("2026-03-14T09:01:00Z"),
        active("23503", "2026-03-14T08:00:00Z"),
    ];
    assert_eq!(incidents(alerts), 1);
    let cleared =
        vec![active("23505", "2026-03-14T09:00:00Z"), of_vulnerability("23507", "2026-03-14T09:01:00Z", &json!({}))];
    assert_eq!(incidents(cleared), 0);
    let by_status = vec![of_vulnerability("23505", "2026-03-14T09:00:00Z", &json!({"status": "Solved"}))];
    assert_eq!(incidents(by_status), 0);
    // What the inventory says is newer than any alert.
    let alerts = Alerts::new([active("23505", "2026-03-14T09:00:00Z")]);
    let plan = plan(&subject, &vulnerability_options());
    let targets = vec![(plan.targets[0].clone(), alerts.hits(&vulnerability_options()))];
    let findings = Findings { targets, states: Some(Vec::new()), ..Findings::default() };
    let enrichment = enrich_findings(&subject, &plan, &findings, &vulnerability_options(), &Known::default()).unwrap();
    assert_eq!(enrichment.counters.incidents, 0);
}

/// B-39, B-84: the score is that of exactly this vulnerability, and decides how severe its incidents are.
#[test]
fn b_39_b_84_scores_of_vulnerabilities() {
    let severity = |entity: Value, alerts: Vec<Value>| {
        let subject = Subject::new(vulnerability(&entity));
        let enrichment = enrich(&subject, &Alerts::new(alerts), &vulnerability_options()).unwrap();
        check_references(&enrichment.bundle, &subject);
        of_type(&enrichment.bundle, "incident")[0]["severity"].as_str().unwrap().to_owned()
    };
    let scored = |score: Value| of_vulnerability("23503", "2026-03-14T09:00:00Z", &json!({"score": {"base": score}}));
    let other = alert(
        WEB,
        "23506",
        3,
        "2026-03-14T09:00:00Z",
        &json!({"data": {"vulnerability": {"cve": "CVE-2024-30945", "score": {"base": 9.9}}}}),
    );
    assert_eq!(severity(json!({}), vec![scored(json!("4.5")), other.clone()]), "medium");
    assert_eq!(severity(json!({}), vec![scored(json!(9.1))]), "critical");
    assert_eq!(severity(json!({"x_opencti_cvss_base_score": 3.0}), vec![scored(json!(9.1))]), "low");
    assert_eq!(severity(json!({"x_opencti_cvss_base_severity": "HIGH"}), vec![scored(json!(9.1))]), "high");
    // The platform's own layout.
    let extension =
        json!({"extensions": {stix_model::opencti::EXTENSION: {"type": "Vulnerability", "cvss_base_score": 7.5}}});
    assert_eq!(severity(extension, vec![other]), "high");
    // Gates.
    let run = |threshold: Option<f64>, entity: Value| {
        let options = EnrichmentOptions { vulnerability_incident_score_threshold: threshold, ..options() };
        let subject = Subject::new(vulnerability(&entity));
        enrich(&subject, &Alerts::new([scored(json!("4.5"))]), &options).unwrap().counters.incidents
    };
    assert_eq!(run(None, json!({})), 0);
    assert_eq!(run(Some(4.5), json!({})), 1);
    assert_eq!(run(Some(4.6), json!({})), 0);
}

/// B-40a: what was sighted is the entity itself, not a placeholder.
#[test]
fn b_40a_sightings_are_of_the_entity() {
    let made = bundle([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())], &options());
    let sighting = &of_type(&made, "sighting")[0];
    assert_eq!(sighting["sighting_of_ref"], address().id().to_string());
    assert!(!serde_json::to_string(&made).unwrap().contains("167565fe-69da-5e2f-a1c1-0542736f9f9a"));
}

/// B-41: techniques of all alerts, each once, by their names.
#[test]
fn b_41_techniques_of_all_alerts() {
    let with = |rule: &str, mitre: Value| {
        let mut one = alert(WEB, rule, 5, "2026-03-14T09:00:00Z", &found());
        one["rule"]["mitre"] = mitre;
        one
    };
    let made = bundle(
        [
            with("1", json!({"id": ["T1110"], "technique": ["Brute Force"]})),
            with("2", json!({"id": ["T1110", "T1021.004"], "technique": ["Brute Force", "SSH"]})),
            with("3", json!({"id": ["T1078"]})),
            with("4", json!({"id": ["T1078", "T1003"], "technique": ["Only One"]})),
            with("5", json!({"tactic": ["Impact"]})),
            with("6", json!({"id": ["T1078"], "technique": ["Valid Accounts"]})),
        ],
        &options(),
    );
    assert_eq!(texts(&of_type(&made, "attack-pattern"), "name"), ["Brute Force", "SSH", "T1003", "Valid Accounts"]);
    assert_eq!(relations(&made, &subject()).iter().filter(|text| text.starts_with("uses: ")).count(), 4);
}

/// B-63: software and vulnerabilities are related to the incident.
#[test]
fn b_63_software_and_vulnerabilities_are_related() {
    let one = alert(
        WEB,
        "23505",
        10,
        "2026-03-14T09:00:00Z",
        &json!({
            "data": {"srcip": "203.0.113.7", "vulnerability": {"cve": "CVE-2024-3094", "package": {"name": "xz", "version": "5.6"}}},
        }),
    );
    let made = bundle([one], &options());
    let links = relations(&made, &subject());
    let incident = "Wazuh alert: IPv4-Addr 203.0.113.7 sighted in web01";
    for wanted in [
        format!("related-to: {incident} -> xz"),
        format!("targets: {incident} -> CVE-2024-3094"),
        "has: xz -> CVE-2024-3094".to_owned(),
    ] {
        assert!(links.contains(&wanted), "{links:#?}");
    }
}

/// B-66: the entity that was searched is never sent, under no identifier of it, whatever the alerts hold.
#[test]
fn b_66_the_entity_is_never_sent() {
    let sha = "a".repeat(64);
    let file = object(
        &json!({"type": "file", "id": "file--692cfcf1-66f5-51d9-96c6-e4dda7409678", "hashes": {"SHA-256": sha}}),
    );
    let subject = Subject::with_related(file.clone(), [indicator()]);
    let one = alert(
        WEB,
        "554",
        5,
        "2026-03-14T09:00:00Z",
        &json!({
            "syscheck": {"path": "/tmp/evil", "sha256_after": sha, "md5_after": "0123456789abcdef0123456789abcdef"},
            "data": {"win": {"eventdata": {"image": "C:\\\\evil.exe", "commandLine": "evil", "hashes": format!("SHA256={}", sha.to_uppercase())}}},
        }),
    );
    let enrichment = enrich(&subject, &Alerts::new([one]), &options()).unwrap();
    check_references(&enrichment.bundle, &subject);
    assert_eq!(of_type(&enrichment.bundle, "file").len(), 0);
    let process = &of_type(&enrichment.bundle, "process")[0];
    assert_eq!(process["image_ref"], file.id().to_string());
    // The same for the agent's own address and name.
    let mut one = alert(WEB, "554", 5, "2026-03-14T09:00:00Z", &json!({}));
    one["agent"]["ip"] = json!("203.0.113.7");
    let made = bundle([one], &options());
    assert_eq!(of_type(&made, "ipv4-addr").len(), 0);
    // Indicators and observables around the entity are not sent either.
    let subject = Subject::with_related(indicator(), [address()]);
    let alerts = Alerts::new([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())]);
    let enrichment = enrich(&subject, &alerts, &options()).unwrap();
    assert_eq!(of_type(&enrichment.bundle, "indicator").len() + of_type(&enrichment.bundle, "ipv4-addr").len(), 0);
}

/// B-66: what the platform has already gets neither labels nor markings nor another author.
#[test]
fn b_66_labels_on_new_objects_only() {
    let alerts = Alerts::new([alert(
        WEB,
        "5710",
        5,
        "2026-03-14T09:00:00Z",
        &json!({"data": {"srcip": "203.0.113.7", "dstip": "198.51.100.9", "url": "http://evil.example/"}}),
    )]);
    let enrichment = enrich(&subject(), &alerts, &options()).unwrap();
    let shared = enrichment.shared();
    assert!(shared.iter().all(|id| id != address().id()));
    let known = shared.iter().find(|id| id.object_type() == "ipv4-addr").unwrap().clone();
    let existing = BTreeSet::from([known.clone()]);
    let later =
        enrich_known(&subject(), &alerts, &options(), &Known { existing: existing.clone(), ..Known::default() })
            .unwrap();
    let unstamped = enrichment.clone().without_stamps_on(&existing);
    for bundle in [&later.bundle, &unstamped.bundle] {
        let object = bundle.get(&known).unwrap();
        assert!(object.object_marking_refs().is_empty() && object.opencti().labels().is_empty());
        assert_eq!(object.opencti().created_by_ref(), None);
        let url = bundle.objects.iter().find(|object| object.object_type() == "url").unwrap();
        assert_eq!(url.opencti().labels(), ["wazuh_ignore"]);
    }
    assert_eq!(enrichment.bundle.objects.len(), unstamped.bundle.objects.len());
}

/// B-69, B-70: incidents per alert are enriched; what hangs on a process or a connection is in the case.
#[test]
fn b_69_b_70_everything_is_enriched_and_in_the_case() {
    let one = alert(
        WEB,
        "92000",
        5,
        "2026-03-14T09:00:00Z",
        &json!({"data": {"win": {
            "system": {"eventID": "1", "providerName": "Microsoft-Windows-Sysmon"},
            "eventdata": {"image": "C:\\\\Tools\\\\nc.exe", "commandLine": "nc 203.0.113.7", "user": "ACME\\\\kim", "parentImage": "C:\\\\sh.exe", "parentCommandLine": "sh"},
        }}}),
    );
    for mode in [IncidentMode::PerAlert, IncidentMode::PerSighting] {
        let made = bundle([one.clone()], &per(mode));
        let case = &of_type(&made, "case-incident")[0];
        let held: BTreeSet<&str> = case["object_refs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for kind in ["process", "file", "directory", "user-account", "incident", "sighting", "relationship"] {
            for object in of_type(&made, kind) {
                assert!(held.contains(object["id"].as_str().unwrap()), "{mode}: {object}");
            }
        }
        assert!(
            held.contains(address().id().to_string().as_str()) && held.contains(indicator().id().to_string().as_str())
        );
        let links = relations(&made, &subject());
        assert!(
            links.iter().any(|text| text.starts_with("related-to: Wazuh alert") && text.ends_with("-> nc 203.0.113.7")),
            "{links:#?}"
        );
    }
}

/// Every relationship of an incident to what was found tells the alert and the field.
#[test]
fn relationships_tell_alert_and_field() {
    let one =
        alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &json!({"data": {"srcip": "203.0.113.7", "srcuser": "kim"}}));
    let made = bundle([one.clone(), one], &options());
    let links = of_type(&made, "relationship");
    let told = texts(&links, "description");
    assert!(
        told.contains(&"Found in `data.srcuser` of alert `doc0` (rule `5710`: `Rule 5710`); and in 1 alert more"),
        "{told:#?}"
    );
}

/// B-72: times are UTC, and the time of a run is an argument.
#[test]
fn b_72_times_are_utc() {
    let made = bundle([alert(WEB, "5710", 5, "2026-03-14T11:00:00+0200", &found())], &options());
    let notes = of_type(&made, "note");
    assert!(notes.iter().any(|note| note["content"].as_str().unwrap().contains("| Time | 2026-03-14T10:00:00.000Z |")));
    assert_eq!(of_type(&made, "sighting")[0]["first_seen"], "2026-03-14T09:00:00.000Z");
}

/// B-73: incidents of different rules and alerts at the same time are different incidents, by name and by identifier.
#[test]
fn b_73_incidents_of_the_same_time() {
    let same = |rule| alert(WEB, rule, 5, "2026-03-14T09:00:00Z", &found());
    for (mode, count) in [(IncidentMode::PerAlertRule, 2), (IncidentMode::PerAlert, 3)] {
        let made = bundle([same("1"), same("2"), same("2")], &per(mode));
        let incidents = of_type(&made, "incident");
        let names: BTreeSet<&str> = incidents.iter().filter_map(|incident| incident["name"].as_str()).collect();
        assert_eq!((incidents.len(), names.len()), (count, count), "{names:?}");
    }
}

/// B-74: the level of a rule is the highest of its alerts.
#[test]
fn b_74_the_highest_level_of_a_rule() {
    let at = |level, time| alert(WEB, "1", level, time, &found());
    let made = bundle(
        [at(3, "2026-03-14T08:00:00Z"), at(12, "2026-03-14T09:00:00Z"), at(5, "2026-03-14T10:00:00Z")],
        &per(IncidentMode::PerAlertRule),
    );
    assert_eq!(of_type(&made, "incident")[0]["severity"], "high");
}

/// B-75, B-78: a run with more alerts updates incident, case and summary; none of them is made again.
#[test]
fn b_75_b_78_later_runs_update() {
    let early = vec![alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())];
    let mut late = early.clone();
    late.push(alert(WEB, "5763", 12, "2026-03-14T09:30:00Z", &found()));
    let (one, two) = (bundle(early, &options()), bundle(late, &options()));
    for kind in ["sighting", "incident", "case-incident"] {
        let [before, after] = [&one, &two].map(|bundle| of_type(bundle, kind));
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_eq!(before[0]["id"], after[0]["id"], "{kind}");
        assert_eq!(before[0]["created"], after[0]["created"]);
        assert!(before[0]["modified"].as_str() < after[0]["modified"].as_str());
    }
    let summary = |bundle: &Bundle| {
        let notes = of_type(bundle, "note");
        notes.iter().find(|note| note["abstract"] == "Wazuh enrichment").unwrap()["id"].clone()
    };
    assert_eq!(summary(&one), summary(&two));
    assert_eq!(of_type(&two, "incident")[0]["severity"], "high");
    // Two SIEMs that sight the same have cases of their own.
    let other = EnrichmentOptions { system_name: "Other SIEM".to_owned(), ..options() };
    let three = bundle([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())], &other);
    assert_ne!(of_type(&one, "case-incident")[0]["id"], of_type(&three, "case-incident")[0]["id"]);
}

/// B-77: the summary tells the real version, and text of alerts does not break it.
#[test]
fn b_77_the_summary() {
    let mut one = alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found());
    one["rule"]["description"] = json!("a|b `c` [d](e) <img src=x>");
    let made = bundle([one], &options());
    let notes = of_type(&made, "note");
    let content =
        notes.iter().find(|note| note["abstract"] == "Wazuh enrichment").unwrap()["content"].as_str().unwrap();
    assert!(content.contains("| Connector v. | 1.2.3 |"));
    assert!(
        content.contains("| `a`&#124;`` b `c` [d](e) <img src=x> `` |\n")
            || content.contains("| `a`&#124;``b `c` [d](e) <img src=x>`` |\n"),
        "{content}"
    );
    assert!(content.lines().filter(|line| line.contains('|')).all(|line| line.starts_with("| ")));
}

/// B-79: each object once, and the limit counts them so.
#[test]
fn b_79_the_limit_counts_objects_once() {
    let alerts = || {
        Alerts::new((0..40).map(|second| alert(WEB, "5710", 5, &format!("2026-03-14T09:00:{second:02}Z"), &found())))
    };
    let made = enrich(&subject(), &alerts(), &options()).unwrap();
    let size = made.bundle.objects.len();
    let limit =
        |limit| enrich(&subject(), &alerts(), &EnrichmentOptions { bundle_abort_limit: Some(limit), ..options() });
    assert!(limit(size).is_ok());
    assert_eq!(limit(size - 1), Err(Reason::BundleTooLarge { found: size, limit: size - 1 }));
    let case = &of_type(&made.bundle, "case-incident")[0];
    let refs: Vec<&str> = case["object_refs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(refs.len(), refs.iter().collect::<BTreeSet<_>>().len());
    let many = EnrichmentOptions { hits_abort_limit: Some(39), ..options() };
    assert_eq!(enrich(&subject(), &alerts(), &many), Err(Reason::TooManyHits { found: 40, limit: 39 }));
}

/// B-82 a, b: a playbook gets back what it sent, byte for byte, with what was found, whatever happened.
#[test]
fn b_82_playbooks_are_always_answered() {
    let incoming = r#"{"type":"bundle","id":"bundle--6c6f9a0e-50a4-4f7a-9a37-0f6b1b7e7f11","spec_version":"2.1","objects":[{"type":"x-unheard-of","n":1.10},{"value":"203.0.113.7","type":"ipv4-addr","id":"ipv4-addr--9ddd739e-87b1-587d-83f2-62ef1130af2f"}]}"#;
    for outcome in
        [Outcome::Done(Reason::NoHits), Outcome::Refused(Reason::NotFound), Outcome::Failed("timeout".to_owned())]
    {
        assert_eq!(answer(&outcome, Some(incoming)).bundle.as_deref(), Some(incoming));
        assert_eq!(answer(&outcome, None).bundle, None);
    }
    let alerts = Alerts::new([alert(
        WEB,
        "5710",
        5,
        "2026-03-14T09:00:00Z",
        &json!({"data": {"srcip": "203.0.113.7", "dstip": "198.51.100.9"}}),
    )]);
    let outcome = Outcome::of(enrich(&subject(), &alerts, &options()));
    let Outcome::Found(enrichment) = &outcome else { panic!() };
    let sent = answer(&outcome, Some(incoming)).bundle.unwrap();
    let start = incoming.strip_suffix("]}").unwrap().split("\"objects\":[").nth(1).unwrap();
    assert!(sent.contains(start), "{sent}");
    let all: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(all["id"], "bundle--6c6f9a0e-50a4-4f7a-9a37-0f6b1b7e7f11");
    assert_eq!(all["objects"].as_array().unwrap().len(), 2 + enrichment.bundle.objects.len());
    // A step further on: what we made is there already, and ours is newer.
    let again: Value = serde_json::from_str(&answer(&outcome, Some(&sent)).bundle.unwrap()).unwrap();
    assert_eq!(again, all);
    // A bundle that cannot be read goes back as it is.
    assert_eq!(answer(&outcome, Some("{")).bundle.as_deref(), Some("{"));
    let queued = answer(&outcome, None);
    assert!(!queued.failed && queued.bundle.unwrap().starts_with(r#"{"type":"bundle""#));
}

/// B-85: the message counts what people count.
#[test]
fn b_85_the_message() {
    let alerts = Alerts::new([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())]);
    let enrichment = enrich(&subject(), &alerts, &options()).unwrap();
    assert_eq!(
        enrichment.message,
        format!(
            "IPv4-Addr 203.0.113.7 was seen once on 1 system: 1 sighting, 1 incident, 1 case, 2 notes, {} objects in all",
            enrichment.bundle.objects.len()
        )
    );
}

/// B-86: incidents have links to their alerts if they are wanted.
#[test]
fn b_86_links_on_incidents() {
    let one = || alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found());
    let links = |options: &EnrichmentOptions| {
        of_type(&bundle([one()], options), "incident")[0]["external_references"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(links(&options()), 0);
    assert_eq!(links(&EnrichmentOptions { create_incident_links: true, ..options() }), 1);
}

/// B-87: the order of alerts in an answer does not matter.
#[test]
fn b_87_the_order_of_alerts_does_not_matter() {
    let named: Vec<(String, String)> = Alerts::new((0..8).map(|place| {
        alert(
            [WEB, DB][place % 2],
            ["1", "2", "3"][place % 3],
            5,
            &format!("2026-03-14T09:00:0{place}Z"),
            &json!({"data": {"srcip": "203.0.113.7", "dstip": format!("198.51.100.{place}")}}),
        )
    }))
    .0;
    for mode in IncidentMode::ALL {
        let run = |named: Vec<(String, String)>| {
            serde_json::to_string(&enrich(&subject(), &Alerts(named), &per(*mode)).unwrap().bundle).unwrap()
        };
        let mut other = named.clone();
        other.reverse();
        other.rotate_left(3);
        assert_eq!(run(named.clone()), run(other), "{mode}");
    }
}

/// Nothing of ours is without the configured markings, and their definitions and the author are in the bundle; what the
/// entity is shared with, everything is shared with.
#[test]
fn markings_author_and_sharing() {
    let organisation = stix_model::sdo::Identity::new("Partner", "organization", now());
    let entity = object(&json!({
        "type": "ipv4-addr", "value": "203.0.113.7",
        "extensions": {stix_model::opencti::EXTENSION: {"type": "IPv4-Addr", "granted_refs": [organisation.id()]}},
    }));
    let subject = Subject::with_related(entity, [indicator()]);
    let options = EnrichmentOptions { tlps: [Tlp::Green.identifier(), Tlp::Red.identifier()].into(), ..options() };
    let alerts = Alerts::new([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())]);
    let enrichment = enrich(&subject, &alerts, &options).unwrap();
    for object in &enrichment.bundle.objects {
        if object.object_type() == "marking-definition" {
            continue;
        }
        let markings: BTreeSet<Identifier> = object.object_marking_refs().into_iter().collect();
        assert_eq!(markings, options.tlps, "{}", object.id());
        let granted: Vec<Identifier> = object.opencti().get_as("granted_refs").unwrap();
        assert_eq!(granted, [organisation.id().clone()]);
        let author = options.author().id().clone();
        assert!(*object.id() == author || object.opencti().created_by_ref() == Some(author), "{}", object.id());
    }
    assert_eq!(of_type(&enrichment.bundle, "marking-definition").len(), 2);
    let none = EnrichmentOptions { tlps: BTreeSet::new(), ..options };
    let enrichment = enrich(&subject, &alerts, &none).unwrap();
    assert!(enrichment.bundle.objects.iter().all(|object| object.object_marking_refs().is_empty()));
}

/// An indicator above the maximum marking is neither named nor linked.
#[test]
fn nothing_above_the_maximum_is_written() {
    let secret = indicator_with(&json!({"object_marking_refs": [Tlp::Red.identifier()], "name": "Top secret"}));
    let subject = Subject::with_related(address(), [secret.clone()]);
    let alerts = Alerts::new([alert(WEB, "5710", 5, "2026-03-14T09:00:00Z", &found())]);
    let options = EnrichmentOptions { require_indicator_for_incidents: false, ..options() };
    let enrichment = enrich(&subject, &alerts, &options).unwrap();
    let json = serde_json::to_string(&enrichment.bundle).unwrap();
    assert!(!json.contains("Top secret") && !json.contains(&secret.id().to_string()));
    assert_eq!(enrichment.counters.incidents, 1);
}
