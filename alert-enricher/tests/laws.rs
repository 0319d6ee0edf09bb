//! The laws of the design over real alerts: what was extracted from an alert is found in it again.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they did"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alert_enricher::extract::{ExtractOptions, Extractor};
use serde_json::Value;
use stix_model::Object;
use wazuh_query::alert::Alert;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::options::SearchOptions;

/// Every alert at hand: the project's own samples, and the shared corpus where it is present.
fn alerts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [root.join("examples/data"), root.join("../shared/corpus/alerts")];
    let mut alerts = Vec::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_alerts = name.ends_with(".ndjson") || name == "alerts.json";
            if !is_alerts || name == "observables.ndjson" {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            alerts.extend(text.lines().map(|line| (path.clone(), line.to_owned())));
        }
    }
    alerts
}

#[test]
fn what_was_extracted_is_found_again() {
    let catalogue = Catalogue::builtin();
    let options = ExtractOptions::default();
    let extractor = Extractor::new(&catalogue, &options);
    let search = SearchOptions { ignore_private_addrs: false, ..SearchOptions::default() };
    let builders = [Schema::Wazuh4, Schema::Wazuh5].map(|schema| QueryBuilder::new(&catalogue, schema, search.clone()));
    let evaluators = [Schema::Wazuh4, Schema::Wazuh5].map(|schema| Evaluator::new(&catalogue, schema));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost = Vec::new();
    for (path, text) in alerts() {
        let document: Value = serde_json::from_str(&text).unwrap();
        let alert = Alert::read(&text, &catalogue).unwrap();
        let side = usize::from(alert.schema == Schema::Wazuh5);
        let extraction = extractor.extract(&alert);
        assert_eq!(extraction, extractor.extract(&alert), "the same alert gives the same objects");
        for (place, object) in extraction.objects.iter().enumerate() {
            let object_type = object.object_type().to_owned();
            if matches!(object, Object::Relationship(_) | Object::AttackPattern(_) | Object::Tool(_)) {
                continue;
            }
            let fields = extraction.fields.iter().filter(|(object, _)| *object == place);
            let searchable = fields.clone().all(|(_, field)| catalogue.field(*field).uses.search);
            match builders[side].build(object, extraction.objects.as_slice()) {
                Ok(built) => {
                    assert!(built.query.clause_count() <= 1_024 && built.query.longest_regexp() <= 1_000);
                    if evaluators[side].matches(&built.query, &document).unwrap() {
                        *found.entry(object_type).or_default() += 1;
                    } else if searchable {
                        let fields: Vec<_> =
                            fields.map(|(_, field)| catalogue.field(*field).path.to_string()).collect();
                        let name = path.file_name().unwrap().to_string_lossy().into_owned();
                        lost.push(format!("{name} {fields:?} {}", serde_json::to_string(object).unwrap()));
                    }
                }
                Err(reason) => {
                    let reason = format!("{object_type}: {reason}");
                    *refused.entry(reason.chars().take(60).collect()).or_default() += 1;
                }
            }
        }
    }
    println!("found: {found:#?}\nrefused: {refused:#?}");
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}
