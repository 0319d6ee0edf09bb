//! Stores: built, asked, changed, hunted with.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{run, run_with_input};

fn build(folder: &Path, sources: &[&str]) -> PathBuf {
    let path = folder.join("indicators.store");
    let mut arguments = vec!["store", "build", "--out", path.to_str().unwrap(), "--indicators"];
    arguments.extend(sources);
    let run = run(&arguments);
    assert!(matches!(run.code, 0 | 3), "{}", run.err);
    path
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_hunt_with_a_store_is_the_hunt_with_its_sources() {
    let folder = tempfile::tempdir().unwrap();
    let store = build(folder.path(), &["indicators.json", "indicators.txt", "indicators.csv"]);
    let hunt = |indicators: &[&str]| {
        let mut arguments = vec!["hunt", "--alerts", "alerts.json", "--format", "ndjson", "--indicators"];
        arguments.extend(indicators);
        run(&arguments)
    };
    let (with, without) =
        (hunt(&[store.to_str().unwrap()]), hunt(&["indicators.json", "indicators.txt", "indicators.csv"]));
    assert_eq!(with.code, 0, "{}", with.err);
    assert!(lines(&with.out).len() > 30);
    assert_eq!(of_values(&with.out), of_values(&without.out));
    // A store beside other sources.
    let part = build(folder.path(), &["indicators.txt"]);
    let mixed = hunt(&["indicators.json", part.to_str().unwrap(), "indicators.csv"]);
    // Of several things with one identifier the last counts, and stores come before everything else.
    assert_eq!(of_values(&mixed.out), of_values(&hunt(&["indicators.txt", "indicators.json", "indicators.csv"]).out));
}

/// Sigma rules and compound patterns are read from the sources, a store does not have them.
fn of_values(text: &str) -> Vec<Value> {
    lines(text).into_iter().filter(|row| row["kind"] != "pattern").collect()
}

#[test]
fn what_is_in_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = build(folder.path(), &["indicators.json", "indicators.txt"]);
    let info = run(&["store", "info", store.to_str().unwrap()]);
    assert_eq!(info.code, 0, "{}", info.err);
    let shown: Vec<&str> = info
        .out
        .lines()
        .filter(|line| !line.starts_with("built") && !line.contains("undamaged") && !line.contains("expired"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    let json = run(&["store", "info", "--json", store.to_str().unwrap()]);
    let info: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(info["segments"], 1);
    assert!(info["indicators"].as_u64().unwrap() > 50, "{info}");
}

#[test]
fn values_and_alerts_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "198.51.100.0/24\nevil.example\n").unwrap();
    let store = build(folder.path(), &[list.to_str().unwrap()]);
    let store = store.to_str().unwrap();
    let found =
        run(&["store", "lookup", store, "198[.]51[.]100[.]9", "not.example", "--sub-domains", "a.evil.example"]);
    assert_eq!(found.code, 0, "{}", found.err);
    let found: Vec<_> =
        lines(&found.out).iter().map(|line| format!("{} {}", line["comparison"], line["normalisation"])).collect();
    assert_eq!(found, ["\"198.51.100.0/24\" \"in the network\"", "\"evil.example\" \"below the domain\""]);
    let alert = br#"{"rule":{"id":"1"},"data":{"srcip":"198.51.100.9","url":"http://evil.example/x"}}"#;
    let found = run_with_input(&["store", "lookup", store, "--alert", "-"], alert);
    let found = lines(&found.out);
    assert_eq!((found.len(), &found[0]["field"]), (2, &Value::from("data.srcip")));
    let nothing = run_with_input(
        &["store", "lookup", store, "--alert", "-"],
        br#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.9"}}"#,
    );
    assert_eq!((nothing.code, nothing.out.as_str()), (0, ""));
    assert_eq!(run(&["store", "lookup", store, "no value at all"]).code, 1);
    assert_eq!(run(&["store", "lookup", store]).code, 2);
}

#[test]
fn stores_change() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "203.0.113.7\nevil.example\n").unwrap();
    let store = build(folder.path(), &[list.to_str().unwrap()]);
    let store = store.to_str().unwrap();
    std::fs::write(&list, "worse.example\n203.0.113.7\n127.0.0.1\n").unwrap();
    let added = run(&["store", "add", store, "--indicators", list.to_str().unwrap()]);
    assert_eq!(added.code, 3, "{}", added.err);
    assert!(added.err.contains("worthless: an address of the host itself") && added.err.contains("2 before, 3 now"));
    let removed = run(&["store", "remove", store, "evil.example", "not.example"]);
    assert_eq!(removed.code, 3, "{}", removed.err);
    assert!(removed.err.contains("1 indicators removed, 1 were not there"), "{}", removed.err);
    let left = run(&["store", "lookup", store, "evil.example", "worse.example"]);
    assert_eq!(lines(&left.out).len(), 1);
    let id = lines(&left.out)[0]["indicator"].as_str().unwrap().to_owned();
    assert_eq!(run(&["store", "remove", store, &id]).code, 0);
    assert_eq!(run(&["store", "remove", store, "nonsense text"]).code, 1);
}

#[test]
fn filters_and_validity() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.json");
    let indicator = |number: u8, extra: &str| {
        format!(
            r#"{{"type":"indicator","id":"indicator--{number:08}-1111-4111-8111-111111111111","spec_version":"2.1",
             "created":"2026-01-01T00:00:00Z","modified":"2026-02-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",
             "pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.{number}']"{extra}}}"#
        )
    };
    let indicators = [
        indicator(1, r#","x_opencti_score":80,"labels":["apt"]"#),
        indicator(2, r#","x_opencti_score":20"#),
        indicator(3, r#","valid_until":"2026-01-15T00:00:00Z""#),
        indicator(4, r#","revoked":true"#),
        indicator(5, r#","object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]"#),
    ];
    std::fs::write(&bundle, format!("[{}]", indicators.join(","))).unwrap();
    let store = build(folder.path(), &[bundle.to_str().unwrap()]);
    let alerts = folder.path().join("alerts.json");
    let alert = |day: &str, number: u8| {
        format!(r#"{{"timestamp":"{day}T00:00:00Z","rule":{{"id":"1"}},"data":{{"srcip":"203.0.113.{number}"}}}}"#)
    };
    let days = ["2025-12-31", "2026-01-10", "2026-01-20", "2026-02-10"];
    let all: Vec<String> = days.iter().flat_map(|day| (1..=5).map(|number| alert(day, number))).collect();
    std::fs::write(&alerts, all.join("\n")).unwrap();
    let hunt = |extra: &[&str]| {
        let mut arguments = vec!["hunt", "--indicators", store.to_str().unwrap(), "--alerts"];
        arguments.extend([alerts.to_str().unwrap(), "--format", "ndjson"]);
        arguments.extend(extra);
        let run = run(&arguments);
        assert_eq!(run.code, 0, "{}", run.err);
        let mut counts = [0; 5];
        for row in lines(&run.out) {
            let number: usize = row["value"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap();
            counts[number - 1] += row["count"].as_u64().unwrap();
        }
        counts
    };
    assert_eq!(hunt(&[]), [4, 4, 2, 0, 4]);
    assert_eq!(hunt(&["--honour-valid-from"]), [3, 3, 1, 0, 3]);
    assert_eq!(hunt(&["--include-expired"]), [4, 4, 4, 0, 4]);
    assert_eq!(hunt(&["--include-revoked"]), [4, 4, 2, 3, 4]);
    assert_eq!(hunt(&["--min-score", "50"]), [4, 0, 0, 0, 0]);
    assert_eq!(hunt(&["--label", "APT"]), [4, 0, 0, 0, 0]);
    assert_eq!(hunt(&["--not-label", "apt"]), [0, 4, 2, 0, 4]);
    assert_eq!(hunt(&["--max-tlp", "amber"]), [4, 4, 2, 0, 0]);
}

#[test]
fn what_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = build(folder.path(), &["indicators.txt"]);
    let mut bytes = std::fs::read(&store).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&store, &bytes).unwrap();
    let info = run(&["store", "info", store.to_str().unwrap()]);
    assert_eq!(info.code, 1);
    assert!(info.err.contains("the store is damaged"), "{}", info.err);
    let other = run(&["store", "info", "indicators.json"]);
    assert!(other.err.contains("not an indicator store"), "{}", other.err);
    bytes[8] = 99;
    std::fs::write(&store, &bytes).unwrap();
    let hunt = run(&["hunt", "--indicators", store.to_str().unwrap(), "--alerts", "alerts.json"]);
    assert_eq!(hunt.code, 1);
    assert!(hunt.err.contains("format 99"), "{}", hunt.err);
}
