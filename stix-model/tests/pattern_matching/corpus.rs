//! Collected cases: the fixture of this crate, and the shared corpus where there is one.

use std::path::Path;

use serde_json::Value;
use stix_model::pattern::PatternVersion;
use stix_model::pattern::matcher::MatchOptions;

use crate::matches;

fn check(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if row["disputed"] == true {
            continue;
        }
        let version = if row["stix_version"] == "2.0" { PatternVersion::V2_0 } else { PatternVersion::V2_1 };
        let observations = row["observations"].as_array().unwrap();
        let options = MatchOptions::standard();
        let result = matches(row["pattern"].as_str().unwrap(), version, observations, &options);
        let as_expected = match (&result, &row["expected"]) {
            (Ok(found), Value::Bool(expected)) => found == expected,
            (Err(_), Value::Null) => true,
            _ => false,
        };
        if !as_expected {
            wrong.push(format!("{}: expected {}, got {result:?}: {}", row["id"], row["expected"], row["pattern"]));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn the_fixture() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pattern-matches.ndjson");
    assert!(check(&path) >= 60);
}

#[test]
fn the_shared_corpus() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/stix-patterns/matcher.ndjson");
    if path.exists() {
        assert!(check(&path) >= 250);
    } else {
        eprintln!("skipped: no {}", path.display());
    }
}
