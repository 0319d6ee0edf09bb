//! Alerts, entities, and one way to run the pipeline.

use alert_enricher::enrichment::{
    Decision, Enricher, Enrichment, EnrichmentOptions, Findings, HitReader, Hits, Known, Plan, Reason, SearchFacts,
    Subject, Trigger, inspect,
};
use serde_json::{Value, json};
use stix_model::{Bundle, Identifier, Object, Timestamp, Tlp};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Schema};

pub(crate) use crate::checkers::{split_all, validate_all};

pub(crate) fn now() -> Timestamp {
    "2026-03-14T10:00:00.000Z".parse().unwrap()
}

pub(crate) fn options() -> EnrichmentOptions {
    let mut options = EnrichmentOptions::new(Tlp::AmberStrict, "https://wazuh.example.org");
    "1.2.3".clone_into(&mut options.version);
    options
}

pub(crate) fn object(json: &Value) -> Object {
    json.to_string().parse().unwrap()
}

pub(crate) fn merged(mut json: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        json[name] = value.clone();
    }
    json
}

/// The searched address.
pub(crate) fn address() -> Object {
    object(&json!({"type": "ipv4-addr", "value": "203.0.113.7", "x_opencti_score": 80}))
}

pub(crate) fn indicator() -> Object {
    indicator_with(&json!({}))
}

pub(crate) fn indicator_with(more: &Value) -> Object {
    object(&merged(
        json!({
            "type": "indicator", "id": "indicator--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Botnet host",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
            "pattern": "[ipv4-addr:value = '203.0.113.7']", "pattern_type": "stix",
        }),
        more,
    ))
}

pub(crate) fn vulnerability(more: &Value) -> Object {
    object(&merged(
        json!({
            "type": "vulnerability", "id": "vulnerability--eb9df705-bde1-52ed-99dc-00d5bab90129", "name": "CVE-2024-3094",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
        }),
        more,
    ))
}

/// One alert as the indexer has it.
pub(crate) fn alert(agent: (&str, &str), rule: &str, level: u8, time: &str, more: &Value) -> Value {
    merged(
        json!({
            "timestamp": time,
            "rule": {"id": rule, "level": level, "description": format!("Rule {rule}"), "groups": ["sshd"]},
            "agent": {"id": agent.0, "name": agent.1},
            "id": "1710408413.58912",
            "decoder": {"name": "sshd"},
        }),
        more,
    )
}

pub(crate) const WEB: (&str, &str) = ("001", "web01");
pub(crate) const DB: (&str, &str) = ("002", "db01");
pub(crate) const MANAGER: (&str, &str) = ("000", "wazuh-manager");

/// Documents with their identifiers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts(pub Vec<(String, String)>);

impl Alerts {
    pub(crate) fn new(alerts: impl IntoIterator<Item = Value>) -> Self {
        let named = |(place, alert): (usize, Value)| (format!("doc{place}"), alert.to_string());
        Self(alerts.into_iter().enumerate().map(named).collect())
    }

    pub(crate) fn hits<'a>(&'a self, options: &EnrichmentOptions) -> Hits<'a> {
        let catalogue = Catalogue::builtin();
        let schema = schema(self.0.first().map(|(_, text)| text.as_str()));
        let index = match schema {
            Schema::Wazuh4 => "wazuh-alerts-4.x-2026.03.14",
            Schema::Wazuh5 => ".ds-wazuh-findings-v5-access-management-000001",
        };
        let documents = self.0.iter().map(|(id, text)| (index, id.as_str(), text.as_str()));
        HitReader::new(&catalogue, options, schema).read(self.0.len() as u64, [], documents)
    }
}

/// The schema of an alert; that of Wazuh 4 where there is none.
fn schema(alert: Option<&str>) -> Schema {
    let catalogue = Catalogue::builtin();
    alert.and_then(|text| Alert::read(text, &catalogue).ok()).map_or(Schema::Wazuh4, |alert| alert.schema)
}

pub(crate) fn plan(subject: &Subject, options: &EnrichmentOptions) -> Plan {
    match inspect(subject, options, Trigger::Automatic, now()) {
        Decision::Search(plan) => plan,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn facts() -> SearchFacts {
    SearchFacts {
        took: std::time::Duration::from_millis(7),
        limit: 50,
        exclude: vec!["data.integration: opencti".to_owned()],
        ..SearchFacts::default()
    }
}

/// Runs the pipeline; every target was found in the same alerts.
pub(crate) fn enrich(subject: &Subject, alerts: &Alerts, options: &EnrichmentOptions) -> Result<Enrichment, Reason> {
    enrich_known(subject, alerts, options, &Known::default())
}

pub(crate) fn enrich_known(
    subject: &Subject,
    alerts: &Alerts,
    options: &EnrichmentOptions,
    known: &Known,
) -> Result<Enrichment, Reason> {
    let plan = plan(subject, options);
    let targets = plan.targets.iter().map(|id| (id.clone(), alerts.hits(options))).collect();
    enrich_findings(subject, &plan, &Findings { targets, search: facts(), ..Findings::default() }, options, known)
}

pub(crate) fn enrich_findings(
    subject: &Subject,
    plan: &Plan,
    findings: &Findings<'_>,
    options: &EnrichmentOptions,
    known: &Known,
) -> Result<Enrichment, Reason> {
    let catalogue = Catalogue::builtin();
    let first = findings.targets.iter().find_map(|(_, hits)| hits.documents.first());
    let enricher = Enricher::new(&catalogue, options, schema(first.map(|document| document.source)));
    let once = enricher.enrich(subject, plan, findings, known, now());
    // The same input gives the same bytes.
    let twice = enricher.enrich(subject, plan, findings, known, now());
    if let (Ok(once), Ok(twice)) = (&once, &twice) {
        assert_eq!(serde_json::to_string(&once.bundle).unwrap(), serde_json::to_string(&twice.bundle).unwrap());
    }
    once
}

/// The address, with an indicator that is based on it.
pub(crate) fn subject() -> Subject {
    Subject::with_related(address(), [indicator()])
}

/// Objects of one type, as JSON.
pub(crate) fn of_type(bundle: &Bundle, object_type: &str) -> Vec<Value> {
    let objects = bundle.objects.iter().filter(|object| object.object_type() == object_type);
    objects.map(|object| serde_json::to_value(object).unwrap()).collect()
}

pub(crate) fn ids(bundle: &Bundle) -> std::collections::BTreeSet<Identifier> {
    bundle.objects.iter().map(|object| object.id().clone()).collect()
}

/// Relationships as `type source target`, with names in place of identifiers.
pub(crate) fn relations(bundle: &Bundle, subject: &Subject) -> Vec<String> {
    let name = |id: &Identifier| {
        if let Some(entity) = subject.find(id) {
            return entity.label().to_owned();
        }
        let Some(object) = bundle.get(id) else { return format!("MISSING {id}") };
        let json = serde_json::to_value(object).unwrap();
        let text =
            ["name", "value", "path", "command_line", "account_login"].iter().find_map(|key| json[*key].as_str());
        text.map_or_else(|| object.object_type().to_owned(), str::to_owned)
    };
    let mut out: Vec<String> = bundle
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Relationship(link) => {
                Some(format!("{}: {} -> {}", link.relationship_type, name(&link.source_ref), name(&link.target_ref)))
            }
            _ => None,
        })
        .collect();
    out.sort();
    out
}

/// Whether the reference validator of OASIS takes a bundle, if it is at hand.
#[track_caller]
pub(crate) fn validate(name: &str, bundle: &Bundle) {
    validate_all(&[(name.to_owned(), bundle.clone())]);
}

/// Every reference is to an object of the bundle or to an entity of the platform.
#[track_caller]
pub(crate) fn check_references(bundle: &Bundle, subject: &Subject) {
    let ids = ids(bundle);
    assert_eq!(ids.len(), bundle.objects.len(), "an object stands twice");
    for object in &bundle.objects {
        for id in object.refs() {
            assert!(ids.contains(&id) || subject.find(&id).is_some(), "{} refers to {id}", object.id());
        }
    }
}
