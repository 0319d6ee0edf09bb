//! What holds for every run.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::enrichment::{EnrichmentOptions, IncidentMode, Known, KnownSighting};
use proptest::prelude::*;
use serde_json::{Value, json};
use stix_model::{Bundle, Object};

use crate::common::*;

fn any_alert() -> impl Strategy<Value = Value> {
    // Some names are those of others in other letters.
    let agents = prop::sample::select(vec![WEB, DB, MANAGER, ("001", "WEB01"), ("004", "Db01 ")]);
    let rules = prop::sample::select(vec![("5710", 5_u8), ("5763", 10), ("100", 15), ("31101", 3)]);
    let times = (0_u8..60, 0_u8..60);
    let others = prop::sample::select(vec!["198.51.100.1", "198.51.100.2"]);
    (agents, rules, times, others).prop_map(|(agent, (rule, level), (minute, second), other)| {
        let time = format!("2026-03-14T08:{minute:02}:{second:02}.000Z");
        alert(agent, rule, level, &time, &json!({"data": {"srcip": "203.0.113.7", "dstip": other}}))
    })
}

fn any_mode() -> impl Strategy<Value = EnrichmentOptions> {
    prop::sample::select(IncidentMode::ALL.to_vec()).prop_map(|create_incident| EnrichmentOptions {
        create_incident,
        bundle_abort_limit: None,
        ..options()
    })
}

fn severities(bundle: &Bundle) -> BTreeMap<String, usize> {
    let rank = |name: &str| ["low", "medium", "high", "critical"].iter().position(|known| *known == name).unwrap();
    let incidents = of_type(bundle, "incident").into_iter();
    incidents.map(|json| (json["id"].as_str().unwrap().to_owned(), rank(json["severity"].as_str().unwrap()))).collect()
}

/// What the platform has after a bundle was imported, as far as sightings go.
fn import(known: &mut Known, bundle: &Bundle, author: &stix_model::Identifier) {
    for object in &bundle.objects {
        let Object::Sighting(sighting) = object else { continue };
        let sent = u64::try_from(sighting.count.unwrap()).unwrap();
        let place = known.sightings.iter().position(|known| known.ids.contains(sighting.id()));
        match place.and_then(|place| known.sightings.get_mut(place)) {
            None => known.sightings.push(KnownSighting {
                ids: vec![sighting.id().clone()],
                of: sighting.sighting_of_ref.clone(),
                at: sighting.where_sighted_refs[0].clone(),
                author: Some(author.clone()),
                first_seen: sighting.first_seen,
                last_seen: sighting.last_seen,
                count: sent,
            }),
            Some(known) => {
                let first = known.first_seen.into_iter().chain(sighting.first_seen).min();
                let last = known.last_seen.into_iter().chain(sighting.last_seen).max();
                if (first, last) == (known.first_seen, known.last_seen) {
                    known.count = sent;
                } else {
                    known.count += sent;
                }
                (known.first_seen, known.last_seen) = (first, last);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A later run has more alerts. What was made before keeps its identifier, incidents do not get milder, and the
    /// platform's counts are those of the alerts.
    #[test]
    fn a_later_run_updates(
        first in prop::collection::vec(any_alert(), 1..12),
        more in prop::collection::vec(any_alert(), 1..12),
        options in any_mode(),
    ) {
        let subject = subject();
        let author = options.author().id().clone();
        let mut known = Known::default();
        let early = Alerts::new(first.clone());
        let late = Alerts::new(first.into_iter().chain(more));
        let one = enrich(&subject, &early, &options).unwrap();
        check_references(&one.bundle, &subject);
        import(&mut known, &one.bundle, &author);
        let two = enrich_known(&subject, &late, &options, &known).unwrap();
        check_references(&two.bundle, &subject);
        let kept: BTreeSet<_> = ids(&two.bundle);
        for id in ids(&one.bundle) {
            // The notes of single alerts are those of the latest ones.
            if id.object_type() != "note" {
                prop_assert!(kept.contains(&id), "{id} is gone");
            }
        }
        let (before, after) = (severities(&one.bundle), severities(&two.bundle));
        for (id, severity) in before {
            prop_assert!(after[&id] >= severity);
        }
        import(&mut known, &two.bundle, &author);
        let three = enrich_known(&subject, &late, &options, &known).unwrap();
        import(&mut known, &three.bundle, &author);
        let counted: u64 = known.sightings.iter().map(|known| known.count).sum();
        prop_assert_eq!(counted, late.0.len() as u64);
    }

    /// Rule levels rise, severity and priority do not fall.
    #[test]
    fn severity_is_monotone(low in 1_u8..=16, high in 1_u8..=16) {
        let (low, high) = (low.min(high), low.max(high));
        let run = |level| {
            let alerts = Alerts::new([alert(WEB, "1", level, "2026-03-14T08:00:00Z", &json!({"data": {"srcip": "203.0.113.7"}}))]);
            enrich(&subject(), &alerts, &options()).unwrap().bundle
        };
        let (mild, severe) = (run(low), run(high));
        prop_assert!(severities(&mild).values().max() <= severities(&severe).values().max());
        let priority = |bundle: &Bundle| of_type(bundle, "case-incident")[0]["priority"].as_str().unwrap().to_owned();
        // P1 is the highest.
        prop_assert!(priority(&mild) >= priority(&severe));
    }

    /// Any text in any place of an alert: no panic, no broken reference, and no cell or block that can be left.
    #[test]
    fn hostile_text_stays_text(text in "\\PC{0,40}|[`|*<>\\[\\]()#\\\\\n\r\u{202e}]{0,40}", level in 0_u8..=16) {
        let mut alert = alert(WEB, "5710", level, "2026-03-14T08:00:00Z", &json!({
            "data": {"srcip": "203.0.113.7", "srcuser": text, "url": text, "win": {"eventdata": {"commandLine": text, "image": text}}},
            "full_log": text,
        }));
        alert["rule"]["description"] = json!(text);
        alert["agent"]["name"] = json!(format!("a{text}"));
        let subject = subject();
        let enrichment = enrich(&subject, &Alerts::new([alert]), &options()).unwrap();
        check_references(&enrichment.bundle, &subject);
        for object in &enrichment.bundle.objects {
            let json = serde_json::to_value(object).unwrap();
            for text in [&json["description"], &json["content"]].into_iter().filter_map(Value::as_str) {
                check_markdown(text);
            }
            for reference in json["external_references"].as_array().into_iter().flatten() {
                check_markdown(reference["description"].as_str().unwrap());
            }
        }
    }
}

/// Every table has as many cells in each row as in its head, and nothing outside of code looks like Markdown of others.
fn check_markdown(text: &str) {
    let mut columns = None;
    let mut fence: Option<String> = None;
    for line in text.lines() {
        if let Some(open) = &fence {
            if line == open {
                fence = None;
            }
            continue;
        }
        if line.starts_with("```") {
            fence = Some(line.chars().take_while(|char| *char == '`').collect());
            continue;
        }
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let cells = line.matches('|').count();
        assert_eq!(*columns.get_or_insert(cells), cells, "{text}");
    }
    assert_eq!(fence, None, "{text}");
    // What is left when code is taken away.
    let mut rest = String::new();
    let mut chars = text.chars().peekable();
    let mut open = 0_usize;
    while let Some(char) = chars.next() {
        if char != '`' {
            if open == 0 {
                rest.push(char);
            }
            continue;
        }
        let mut run = 1;
        while chars.next_if_eq(&'`').is_some() {
            run += 1;
        }
        open = if open == 0 {
            run
        } else if open == run {
            0
        } else {
            open
        };
    }
    assert_eq!(open, 0, "a code span stays open: {text}");
    assert!(!rest.contains("![") && !rest.contains('\u{202e}'), "{rest}");
}
