//! `explain` and `coverage`.

use serde_json::Value;

use crate::run;

const ALERT: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1773480413.1","rule":{"id":"5710","level":5},
"agent":{"id":"001","name":"web01"},"data":{"srcip":"203.0.113.7","url":"http://www.evil.example/x"},
"syscheck":{"path":"/tmp/nc"}}"#;

fn indicator(number: u8, name: &str, pattern: &str) -> Value {
    serde_json::json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--8752eb5f-8b58-519e-8f40-1087{number:08}"),
        "name": name, "pattern": pattern, "pattern_type": "stix",
        "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z", "valid_from": "2026-03-01T00:00:00Z",
    })
}

/// A folder with an alert and indicators, and the names of both.
fn files() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut expired = indicator(4, "expired", "[ipv4-addr:value = '203.0.113.7']");
    expired["valid_until"] = "2026-03-02T00:00:00Z".into();
    let indicators = serde_json::json!([
        indicator(1, "network", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"),
        indicator(2, "domain", "[domain-name:value = 'evil.example']"),
        indicator(3, "sequence", "[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [file:name = 'nc' AND file:size > 10]"),
        expired,
        indicator(5, "body", "[email-message:body LIKE '%invoice%']"),
    ]);
    let alert = write("alert.json", ALERT);
    let indicators = write("indicators.json", &indicators.to_string());
    (folder, alert, indicators)
}

#[test]
fn why_and_why_not() {
    let (_folder, alert, indicators) = files();
    let run = run(&["explain", "--alert", &alert, "--indicators", &indicators]);
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!(run.out);
}

#[test]
fn one_indicator_for_programs() {
    let (_folder, alert, indicators) = files();
    let run =
        run(&["explain", "--alert", &alert, "--indicators", &indicators, "--id", "domain", "--json", "--sub-domains"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let explanation: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(explanation["verdict"], "matches");
    assert_eq!(explanation["comparisons"][0]["field"], "data.url");
    let other = crate::run(&["explain", "--alert", &alert, "--indicators", &indicators, "--id", "nobody"]);
    assert_eq!(other.code, 1);
    assert!(other.err.contains("none of the indicators asked for"), "{}", other.err);
}

#[test]
fn what_could_be_seen() {
    let (_folder, alert, indicators) = files();
    let run = run(&["coverage", "--alerts", &alert, "--indicators", &indicators]);
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!(run.out);
    let json = crate::run(&["coverage", "--alerts", &alert, "--indicators", &indicators, "--json"]);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((report["alerts"].as_u64(), report["indicators"].as_u64()), (Some(1), Some(5)), "{report}");
}

#[test]
fn coverage_of_the_samples() {
    let run = run(&["coverage", "--alerts", "alerts.json", "--indicators", "indicators.json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.lines().any(|line| line.starts_with("address") && line.ends_with("seen")), "{}", run.out);
}
