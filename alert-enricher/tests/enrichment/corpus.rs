//! Real alerts of every kind: none of them costs a run, and what is made of them is valid.

use std::fs;
use std::path::Path;

use alert_enricher::enrichment::{EnrichmentOptions, IncidentMode};

use crate::common::*;

/// The project's own samples, and the shared corpus where it is present, a file at a time.
fn files() -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = vec![root.join("examples/data/alerts.json")];
    let corpus = fs::read_dir(root.join("../shared/corpus/alerts")).into_iter().flatten().flatten();
    let mut corpus: Vec<_> = corpus.map(|entry| entry.path()).collect();
    corpus.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    corpus.sort();
    if corpus.is_empty() {
        println!("skipped: no corpus; the project's own samples are used");
    }
    paths.extend(corpus);
    let read = |path: std::path::PathBuf| {
        let lines = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), lines)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_alert_goes_through_in_every_mode() {
    let subject = subject();
    let mut bundles = Vec::new();
    for (name, lines) in files() {
        let mut alerts =
            Alerts(lines.into_iter().enumerate().map(|(place, line)| (format!("{name}-{place}"), line)).collect());
        // One bad alert never costs the others.
        let good = alerts.0.len();
        for broken in
            ["{", "[]", "null", r#"{"rule":5}"#, r#"{"timestamp":{},"agent":[],"rule":{"id":{},"level":"x"}}"#]
        {
            alerts.0.push((format!("broken-{}", alerts.0.len()), broken.to_owned()));
        }
        for mode in IncidentMode::ALL {
            let options = EnrichmentOptions {
                create_incident: *mode,
                create_incident_threshold: 0,
                bundle_abort_limit: None,
                hits_abort_limit: None,
                ..options()
            };
            let enrichment = enrich(&subject, &alerts, &options).unwrap();
            check_references(&enrichment.bundle, &subject);
            assert!(enrichment.counters.unreadable >= 3, "{name}");
            if *mode == IncidentMode::PerAlert {
                assert!(enrichment.counters.incidents >= good, "{name}: {}", enrichment.message);
            }
            if *mode == IncidentMode::PerQuery {
                bundles.push((name.clone(), enrichment.bundle));
            }
        }
    }
    split_all(&bundles);
    validate_all(&bundles);
}
