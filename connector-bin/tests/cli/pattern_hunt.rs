//! `hunt` for indicators that ask for more than single values: compound patterns and Sigma rules, in files and in a real
//! `OpenSearch`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Run, run, samples, server};

const INDEX: &str = "wazuh-alerts-4.x-pattern-hunt";

fn indicator(number: u32, pattern: &str, more: &Value) -> Value {
    let mut indicator = json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": format!("number {number}"),
        "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        indicator[name] = value.clone();
    }
    indicator
}

fn sigma(title: &str, source: &Value, selection: &Value) -> String {
    json!({
        "title": title, "logsource": source,
        "detection": {"selection": selection, "condition": "selection"},
    })
    .to_string()
}

fn indicators() -> Vec<Value> {
    let none = json!({});
    vec![
        indicator(1, "[file:name = 'nimbus.exe' AND file:size = 20480]", &none),
        indicator(
            2,
            "[domain-name:value = 'cdn-update.example.net'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.66']",
            &none,
        ),
        indicator(
            3,
            "([domain-name:value = 'cdn-update.example.net'] FOLLOWEDBY [file:name = 'nimbus.exe']) WITHIN 60 SECONDS",
            &none,
        ),
        indicator(4, "[process:command_line LIKE '%imbus%']", &none),
        indicator(5, "[file:name = 'nimbus.exe' AND file:size > 1]", &json!({"valid_until": "2026-01-02T00:00:00Z"})),
        indicator(6, "[process:name MATCHES '^(?i)reg\\\\.exe$' OR email-message:body LIKE '%x%']", &none),
        indicator(7, "[file:name = 'a' AND email-message:body LIKE '%x%']", &none),
        indicator(
            8,
            "[user-account:account_login NOT IN ('root', 'SYSTEM')] REPEATS 3 TIMES WITHIN 600 SECONDS",
            &none,
        ),
        indicator(9, "[file:name = 'nobody-has-this' AND file:size < 3] AND [file:size > 0]", &none),
        indicator(
            10,
            &sigma("Run key", &json!({"product": "windows"}), &json!({"TargetObject|contains": "NimbusSync"})),
            &json!({"pattern_type": "sigma"}),
        ),
        indicator(11, &sigma("Unknown", &json!({}), &json!({"NoSuchField": "x"})), &json!({"pattern_type": "sigma"})),
        indicator(12, "rule x {}", &json!({"pattern_type": "yara"})),
        indicator(13, "[file:size > 1] AND [file:size < 100000]", &json!({"revoked": true})),
        indicator(14, "[ipv4-addr:value = '203.0.113.66']", &none),
    ]
}

fn write(folder: &Path) -> PathBuf {
    let file = folder.join("indicators.json");
    let bundle =
        json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": indicators()});
    std::fs::write(&file, bundle.to_string()).unwrap();
    file
}

/// The rows of indicators with patterns, without what an index says in another way.
fn rows(run: &Run) -> Vec<Value> {
    let rows = run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["kind"] == "pattern").collect()
}

fn numbers(rows: &[Value]) -> Vec<u64> {
    let number = |row: &Value| row["indicator"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    let mut numbers: Vec<u64> = rows.iter().map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[test]
fn in_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path());
    let arguments = ["hunt", "--indicators", file.to_str().unwrap(), "--alerts", "alerts.json", "--format", "ndjson"];
    let found = run(&arguments);
    assert_eq!(found.code, 3, "{}", found.err);
    let rows = rows(&found);
    assert_eq!(numbers(&rows), [1, 2, 3, 4, 6, 8, 10], "{}", found.err);
    for part in ["email-message:body, no field in Wazuh 4.x", "NoSuchField", "YARA", "had expired", "of revoked"] {
        assert!(found.err.contains(part), "{part}: {}", found.err);
    }
    assert!(found.err.contains("8 of 11 indicators seen"), "{}", found.err);
    let across = run(&[&arguments[..], &["--across-agents"]].concat());
    let count = |rows: &[Value], number: &str| {
        let own = rows.iter().filter(|row| row["indicator"].as_str().unwrap().ends_with(number));
        own.map(|row| row["count"].as_u64().unwrap()).sum::<u64>()
    };
    // More alerts can serve together.
    assert!(count(&self::rows(&across), "0002") >= count(&rows, "0002"));
    assert_eq!(count(&self::rows(&across), "0001"), count(&rows, "0001"));
}

/// The same alerts in an index are searched by the queries and verified: the same is found.
#[test]
fn in_a_real_opensearch() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!("skipped: OPENSEARCH_URL is not set (see deploy/dev/opensearch.sh)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path());
    let text = std::fs::read_to_string(samples().join("alerts.json")).unwrap();
    let alerts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kept = index(&url, &alerts);
    let kept_file = folder.path().join("alerts.json");
    let kept: Vec<String> = kept.iter().map(|place| alerts[*place].to_string()).collect();
    std::fs::write(&kept_file, kept.join("\n")).unwrap();

    let indicators = file.to_str().unwrap();
    let here =
        run(&["hunt", "--indicators", indicators, "--alerts", kept_file.to_str().unwrap(), "--format", "ndjson"]);
    let there =
        run(&["hunt", "--indicators", indicators, "--opensearch", &url, "--index", INDEX, "--format", "ndjson"]);
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    server::request("DELETE", &format!("{url}/_template/pattern-hunt"), "");
    eprintln!("{}\n{}", here.err, there.err);
    let (here, there) = (rows(&here), rows(&there));
    assert!(numbers(&here).len() >= 5);
    assert_eq!(here, there);
}

/// Fills an index with the real template, or one that is like it. Returns the places of the alerts that it takes.
fn index(url: &str, alerts: &[Value]) -> Vec<usize> {
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let mut template: Value = match std::fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => json!({
            "mappings": {
                "dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
                "date_detection": false,
                "properties": {
                    "full_log": {"type": "text"}, "timestamp": {"type": "date"},
                    "rule": {"properties": {"level": {"type": "long"}}},
                    "data": {"properties": {"ms-graph": {"properties": {"evidence": {"type": "nested"}}}}},
                },
            },
        }),
    };
    template["index_patterns"] = json!(["wazuh-alerts-4.x-pattern-*"]);
    template["order"] = json!(10);
    let (status, answer) = server::request("PUT", &format!("{url}/_template/pattern-hunt"), &template.to_string());
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = server::request("PUT", &format!("{url}/{INDEX}"), r#"{"settings":{"number_of_shards":1}}"#);
    assert_eq!(status, 200, "{answer}");
    let mut bulk = String::new();
    for alert in alerts {
        bulk += &format!("{{\"index\":{{\"_id\":{}}}}}\n{alert}\n", alert["id"]);
    }
    let (status, answer) = server::request("POST", &format!("{url}/{INDEX}/_bulk?refresh=true"), &bulk);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let items = answer["items"].as_array().unwrap().iter().enumerate();
    items.filter(|(_, item)| item["index"]["error"].is_null()).map(|(place, _)| place).collect()
}
