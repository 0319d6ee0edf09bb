//! Places with several names of one identity: nothing that was counted at one of them is lost.

use std::collections::BTreeSet;

use alert_enricher::enrichment::{
    Bucket, Enrichment, EnrichmentOptions, Findings, HitReader, Hits, IncidentMode, Known, State, Subject, Tally,
};
use serde_json::{Value, json};
use stix_model::Timestamp;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::Aggregation;
use wazuh_query::profile::SearchProfile;

use crate::common::*;

/// What a bucket or an alert says about its place, by the names of the fields, and the rule.
type Row = (&'static [(&'static str, &'static str)], &'static str);

/// Rows whose places become one identity: agents, accounts, and agents that are called as others are.
const SAME: [&[Row]; 6] = [
    &[
        (&[("agent.id", "001"), ("agent.name", "web01")], "5710"),
        (&[("agent.id", "001"), ("agent.name", "WEB01")], "5710"),
        (&[("agent.id", "003"), ("agent.name", " Web01 ")], "5712"),
    ],
    &[
        (&[("agent.id", "001"), ("agent.name", "straße")], "5710"),
        (&[("agent.id", "001"), ("agent.name", "STRAẞE")], "5712"),
    ],
    &[
        (&[("agent.id", "000"), ("data.aws.aws_account_id", "123456789012")], "80202"),
        (&[("agent.id", "000"), ("data.aws.recipientAccountId", " 123456789012")], "80203"),
        (&[("agent.id", "007"), ("agent.name", "aws account 123456789012")], "80202"),
    ],
    &[
        (&[("agent.id", "000"), ("data.github.org", "Example")], "91101"),
        (&[("agent.id", "000"), ("data.github.org", "example")], "91101"),
    ],
    &[
        (&[("agent.id", "000"), ("data.office365.OrganizationId", "B3C1B5FC")], "91545"),
        (&[("agent.id", "000"), ("data.office365.OrganizationId", "b3c1b5fc")], "91545"),
    ],
    &[
        (&[("agent.id", "000"), ("agent.name", "wazuh-manager")], "5710"),
        (&[("agent.id", "009"), ("agent.name", "WAZUH siem")], "5710"),
    ],
];

fn cases() -> impl Iterator<Item = (&'static [Row], EnrichmentOptions)> {
    let options = |mode: &IncidentMode| EnrichmentOptions { create_incident: *mode, ..options() };
    SAME.iter().flat_map(move |rows| IncidentMode::ALL.iter().map(move |mode| (*rows, options(mode))))
}

fn document(place: &[(&str, &str)], rule: &str, minute: usize) -> Value {
    let time = format!("2026-03-14T09:{minute:02}:00.000Z");
    let mut document = alert(WEB, rule, 5, &time, &json!({"agent": {}, "data": {"srcip": "203.0.113.7"}}));
    for (path, text) in place {
        *path.split('.').fold(&mut document, |value, name| &mut value[name]) = json!(text);
    }
    document
}

fn time(minute: usize, second: usize) -> Timestamp {
    format!("2026-03-14T09:{minute:02}:{second:02}.000Z").parse().unwrap()
}

/// That there is one sighting with everything in it, and what follows from it.
#[track_caller]
fn check(made: &Enrichment, rows: &[Row], options: &EnrichmentOptions, seen: Tally, links: usize) {
    let name = format!("{rows:?} {}", options.create_incident);
    check_references(&made.bundle, &subject());
    let sightings = of_type(&made.bundle, "sighting");
    assert_eq!(sightings.len(), 1, "{name}: {sightings:#?}");
    let sighting = &sightings[0];
    assert_eq!(sighting["count"].as_u64(), Some(seen.count), "{name}");
    assert_eq!(sighting["first_seen"], seen.first.unwrap().to_string(), "{name}");
    assert_eq!(sighting["last_seen"], seen.last.unwrap().to_string(), "{name}");
    assert_eq!(sighting["external_references"].as_array().map_or(0, Vec::len), links, "{name}");
    // One line for each rule, below the two of the head.
    let rules: BTreeSet<&str> = rows.iter().map(|(_, rule)| *rule).collect();
    let description = sighting["description"].as_str().unwrap();
    assert_eq!(description.lines().filter(|line| line.starts_with('|')).count(), 2 + rules.len(), "{description}");
    assert_eq!(made.counters.hits, seen.count, "{name}");
    assert_eq!((made.counters.sightings, made.counters.systems), (1, 1), "{name}");
    if options.create_incident == IncidentMode::PerSighting {
        let incidents = of_type(&made.bundle, "incident");
        assert_eq!(incidents.len(), 1, "{name}");
        assert_eq!(incidents[0]["last_seen"], seen.last.unwrap().to_string(), "{name}");
    }
}

fn enrich_hits(
    subject: &Subject,
    targets: Vec<Hits<'_>>,
    states: Option<Vec<State>>,
    options: &EnrichmentOptions,
) -> Enrichment {
    let plan = plan(subject, options);
    assert_eq!(plan.targets.len(), targets.len());
    let targets = plan.targets.iter().cloned().zip(targets).collect();
    let findings = Findings { targets, states, search: facts(), ..Findings::default() };
    let enrichment = enrich_findings(subject, &plan, &findings, options, &Known::default()).unwrap();
    check_references(&enrichment.bundle, subject);
    enrichment
}

/// In alerts that are counted one by one.
#[test]
fn names_of_one_identity_in_alerts() {
    for (rows, options) in cases() {
        let alerts = rows.iter().enumerate().map(|(minute, (place, rule))| document(place, rule, minute));
        let made = enrich(&subject(), &Alerts::new(alerts), &options).unwrap();
        let last = time(rows.len() - 1, 0);
        let seen = Tally { count: rows.len() as u64, first: Some(time(0, 0)), last: Some(last) };
        let links = seen.count.min(options.max_extrefs as u64);
        check(&made, rows, &options, seen, usize::try_from(links).unwrap());
    }
}

/// In buckets, whichever of them the alerts are of that are returned.
#[test]
fn names_of_one_identity_in_buckets() {
    let catalogue = Catalogue::builtin();
    for (rows, options) in cases() {
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let of_profile = SearchProfile::new(&catalogue, Schema::Wazuh4).aggregation();
        let Aggregation::Buckets { fields, .. } = reader.aggregation(of_profile) else {
            panic!("buckets are expected")
        };
        let bucket = |(minute, (place, rule)): (usize, &Row)| {
            let value = |field: &String| match field.as_str() {
                "rule.id" => Some((*rule).to_owned()),
                "rule.level" => Some("5".to_owned()),
                _ => place.iter().find(|(name, _)| name == field).map(|(_, text)| (*text).to_owned()),
            };
            let tally =
                Tally { count: 100 + minute as u64, first: Some(time(minute, 0)), last: Some(time(minute, 59)) };
            Bucket { key: fields.iter().map(value).collect(), tally }
        };
        let buckets: Vec<Bucket> = rows.iter().enumerate().map(bucket).collect();
        let count = buckets.iter().map(|bucket| bucket.tally.count).sum();
        let seen = Tally { count, first: Some(time(0, 0)), last: Some(time(rows.len() - 1, 59)) };
        for (place, rule) in rows {
            let text = document(place, rule, 0).to_string();
            let hits = reader.read(count, buckets.clone(), [("i", "doc0", text.as_str())]);
            check(&enrich_hits(&subject(), vec![hits], None, &options), rows, &options, seen, 1);
        }
    }
}

/// Several targets of which not every alert was returned: counts of one identity are added up, those of targets are not.
#[test]
fn names_of_one_identity_in_several_targets() {
    let (catalogue, options) = (Catalogue::builtin(), options());
    let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
    let bucket = |name: &str, count| Bucket {
        key: ["001", name, "5710", "5", "x"].map(|text| Some(text.to_owned())).to_vec(),
        tally: Tally { count, ..Tally::default() },
    };
    let hits = |one, other| reader.read(one + other, [bucket("web01", one), bucket("WEB01", other)], []);
    let domain = object(&json!({"type": "domain-name", "value": "evil.example"}));
    let subject = Subject::with_related(indicator(), [address(), domain]);
    let targets = plan(&subject, &options).targets.len() as u64;
    assert!(targets > 1);
    let made = enrich_hits(&subject, (0..targets).map(|less| hits(70 - less, 30)).collect(), None, &options);
    assert_eq!((made.counters.hits, made.counters.at_least, made.counters.systems), (100, true, 1));
    let mut counts: Vec<u64> =
        of_type(&made.bundle, "sighting").iter().map(|sighting| sighting["count"].as_u64().unwrap()).collect();
    counts.sort_unstable();
    assert!(counts.into_iter().eq(101 - targets..=100));
}

/// An agent that the inventory spells otherwise than its alerts do is one place, of which the alerts are counted.
#[test]
fn names_of_one_identity_in_the_inventory() {
    let options = EnrichmentOptions {
        create_incident: IncidentMode::PerSighting,
        vulnerability_incident_score_threshold: Some(7.0),
        ..options()
    };
    let subject = Subject::new(vulnerability(&json!({"x_opencti_cvss_base_score": 9.0})));
    let state = |name: &str, second: usize| State {
        agent_id: "001".to_owned(),
        agent_name: name.to_owned(),
        package: Some(("xz-utils".to_owned(), None)),
        since: Some(time(30, second)),
        score: None,
    };
    let alerts = Alerts::new([document(SAME[0][0].0, "23506", 40)]);
    for (alerts, expected) in [
        (alerts, Tally { count: 1, first: Some(time(40, 0)), last: Some(time(40, 0)) }),
        (Alerts::default(), Tally { count: 2, first: Some(time(30, 1)), last: Some(time(30, 2)) }),
    ] {
        let states = vec![state("WEB01", 2), state("Web01", 1)];
        let made = enrich_hits(&subject, vec![alerts.hits(&options)], Some(states), &options);
        let sightings = of_type(&made.bundle, "sighting");
        assert_eq!((sightings.len(), made.counters.systems, made.counters.incidents), (1, 1, 1));
        assert_eq!(sightings[0]["count"].as_u64(), Some(expected.count));
        assert_eq!(sightings[0]["first_seen"], expected.first.unwrap().to_string());
        assert_eq!(sightings[0]["last_seen"], expected.last.unwrap().to_string());
    }
}
