//! One bundle for each mode, and one for each kind of entity. Read the snapshots when they change.

use alert_enricher::enrichment::{
    Bucket, EnrichmentOptions, Findings, HitReader, IncidentMode, Known, State, Subject, Tally,
};
use serde_json::json;
use wazuh_query::catalogue::{Catalogue, Schema};

use crate::common::*;

/// The minimal case: an agent with an address, and the manager.
fn two_alerts() -> Alerts {
    let mut on_agent = alert(
        WEB,
        "5710",
        5,
        "2026-03-14T09:00:00.000+0000",
        &json!({
            "data": {"srcip": "203.0.113.7", "srcport": "51000"},
        }),
    );
    on_agent["agent"]["ip"] = json!("10.0.0.5");
    let mut on_manager = alert(
        MANAGER,
        "5763",
        12,
        "2026-03-14T10:30:00.000+0100",
        &json!({
            "data": {"srcip": "203.0.113.7"},
        }),
    );
    on_manager["rule"]["mitre"] =
        json!({"id": ["T1110"], "technique": ["Brute Force"], "tactic": ["Credential Access"]});
    Alerts::new([on_agent, on_manager])
}

fn pretty(bundle: &stix_model::Bundle) -> String {
    serde_json::to_string_pretty(bundle).unwrap()
}

fn golden(name: &str, subject: &Subject, alerts: &Alerts, options: &EnrichmentOptions) {
    let enrichment = enrich(subject, alerts, options).unwrap();
    check_references(&enrichment.bundle, subject);
    validate(name, &enrichment.bundle);
    insta::assert_snapshot!(format!("{name}-message"), enrichment.message);
    insta::assert_snapshot!(name, pretty(&enrichment.bundle));
}

fn per(mode: IncidentMode) -> EnrichmentOptions {
    EnrichmentOptions { create_incident: mode, ..options() }
}

#[test]
fn per_sighting() {
    golden("per-sighting", &subject(), &two_alerts(), &options());
}

#[test]
fn per_query() {
    golden("per-query", &subject(), &two_alerts(), &per(IncidentMode::PerQuery));
}

#[test]
fn per_alert_rule() {
    golden("per-alert-rule", &subject(), &two_alerts(), &per(IncidentMode::PerAlertRule));
}

#[test]
fn per_alert() {
    golden("per-alert", &subject(), &two_alerts(), &per(IncidentMode::PerAlert));
}

#[test]
fn never() {
    golden("never", &subject(), &two_alerts(), &per(IncidentMode::Never));
}

#[test]
fn indicator_with_two_observables() {
    let domain = object(&json!({"type": "domain-name", "value": "evil.example"}));
    let subject = Subject::with_related(indicator(), [address(), domain]);
    golden("indicator", &subject, &two_alerts(), &options());
}

#[test]
fn report_with_everything() {
    let report = object(&json!({
        "type": "report", "id": "report--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Monthly report",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "object_refs": ["indicator--3ae0b0a2-7289-5fda-8a85-02d057ba0968"],
    }));
    let subject = Subject::with_related(report, [indicator(), address()]);
    golden("report", &subject, &two_alerts(), &options());
}

#[test]
fn vulnerability_in_alerts_and_inventory() {
    let options = EnrichmentOptions { vulnerability_incident_score_threshold: Some(7.0), ..options() };
    let subject = Subject::new(vulnerability(&json!({"x_opencti_cvss_base_score": 10.0})));
    let of_package = |status: &str| {
        json!({"data": {"vulnerability": {
            "cve": "CVE-2024-3094", "status": status, "severity": "Critical", "title": "Backdoor",
            "package": {"name": "xz-utils", "version": "5.6.1"}, "score": {"base": "10.0"},
        }}})
    };
    let alerts = Alerts::new([alert(WEB, "23506", 13, "2026-03-14T09:00:00.000Z", &of_package("Active"))]);
    let plan = plan(&subject, &options);
    let state = |agent: (&str, &str)| State {
        agent_id: agent.0.to_owned(),
        agent_name: agent.1.to_owned(),
        package: Some(("xz-utils".to_owned(), Some("5.6.1".to_owned()))),
        since: Some("2026-03-13T08:00:00Z".parse().unwrap()),
        score: Some(10.0),
    };
    let findings = Findings {
        targets: vec![(plan.targets[0].clone(), alerts.hits(&options))],
        states: Some(vec![state(WEB), state(DB)]),
        search: facts(),
        ..Findings::default()
    };
    let enrichment = enrich_findings(&subject, &plan, &findings, &options, &Known::default()).unwrap();
    check_references(&enrichment.bundle, &subject);
    validate("vulnerability", &enrichment.bundle);
    insta::assert_snapshot!("vulnerability-message", enrichment.message);
    insta::assert_snapshot!("vulnerability", pretty(&enrichment.bundle));
}

/// Counts come from buckets, whatever is returned; accounts are places of their own.
#[test]
fn counted_by_buckets() {
    let options = options();
    let catalogue = Catalogue::builtin();
    let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
    let wazuh_query::dsl::Aggregation::Buckets { fields, .. } =
        reader.aggregation(wazuh_query::profile::SearchProfile::new(&catalogue, Schema::Wazuh4).aggregation())
    else {
        panic!("buckets are expected")
    };
    let bucket = |values: &[(&str, &str)], count: u64, first: &str, last: &str| Bucket {
        key: fields
            .iter()
            .map(|field| values.iter().find(|(name, _)| name == field).map(|(_, value)| (*value).to_owned()))
            .collect(),
        tally: Tally { count, first: Some(first.parse().unwrap()), last: Some(last.parse().unwrap()) },
    };
    let on_agent = [
        ("agent.id", "001"),
        ("agent.name", "web01"),
        ("rule.id", "5710"),
        ("rule.level", "5"),
        ("rule.description", "Rule 5710"),
    ];
    let in_cloud = [
        ("agent.id", "000"),
        ("agent.name", "wazuh-manager"),
        ("rule.id", "80202"),
        ("rule.level", "3"),
        ("rule.description", "AWS Cloudtrail"),
        ("data.aws.recipientAccountId", "123456789012"),
    ];
    let buckets = [
        bucket(&on_agent, 70_000, "2026-01-01T00:00:00Z", "2026-03-14T09:00:00Z"),
        bucket(&in_cloud, 3, "2026-02-01T00:00:00Z", "2026-02-01T00:00:02Z"),
    ];
    let alerts = two_alerts();
    let documents = alerts.0[..1].iter().map(|(id, text)| ("wazuh-alerts-4.x-2026.03.14", id.as_str(), text.as_str()));
    let hits = reader.read(70_003, buckets, documents);
    let subject = subject();
    let options = EnrichmentOptions { hits_abort_limit: None, ..options.clone() };
    let plan = plan(&subject, &options);
    let findings = Findings { targets: vec![(plan.targets[0].clone(), hits)], search: facts(), ..Findings::default() };
    let enrichment = enrich_findings(&subject, &plan, &findings, &options, &Known::default()).unwrap();
    check_references(&enrichment.bundle, &subject);
    validate("buckets", &enrichment.bundle);
    insta::assert_snapshot!("buckets-message", enrichment.message);
    insta::assert_snapshot!("buckets", pretty(&enrichment.bundle));
}
