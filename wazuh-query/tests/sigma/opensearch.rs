//! The laws of queries in a real `OpenSearch`: it takes every query, finds what the evaluator finds, and so loses nothing.
//!
//! Needs `OPENSEARCH_URL` (`deploy/dev/opensearch.sh start` prints one); without it the test says so and passes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::sigma::{SigmaMatcher, SigmaRule};

use crate::corpus::alerts;
use crate::{all_rules, server};

const INDEX: &str = "wazuh-alerts-4.x-sigma-laws";

/// Rules that make large automata.
fn heavy() -> Vec<SigmaRule> {
    let list = |count: usize, value: &dyn Fn(usize) -> String| (0..count).map(value).collect::<Vec<_>>();
    let image = |key: &str, values: Vec<String>| {
        let rule = json!({
            "title": key,
            "logsource": {"product": "windows", "category": "process_creation"},
            "detection": {"s": {key: values}, "condition": "s"},
        });
        SigmaRule::read_all(&rule.to_string()).remove(0).unwrap_or_else(|error| panic!("{error}"))
    };
    vec![
        image("Image|contains", list(500, &|number| format!("\\name{number}\\"))),
        image(
            "CommandLine|contains",
            list(300, &|number| format!("-{}", "ab".repeat(number % 40 + 1) + &number.to_string())),
        ),
        image("CommandLine|contains", vec!["a".repeat(4_000)]),
        image("CommandLine|contains", vec!["ab".repeat(2_000), "ba".repeat(2_000), "a".repeat(240)]),
        image("CommandLine|contains", vec![format!("a{}b", "?".repeat(40)), "?".repeat(60)]),
        image("CommandLine", vec!["x*".repeat(200), format!("*{}", "a*b?".repeat(60))]),
        image("CommandLine|windash|contains", vec![" -a -b -c -d -e -f -g -h -i -j".to_owned(), "-x".repeat(100)]),
        image(
            "CommandLine|re",
            vec![
                "(a|b)*a(a|b){12}".to_owned(),
                "[ab]{1,8}c{3}.{5,9}d".to_owned(),
                r"(\w+\s){10}\d{1,3}".to_owned(),
                "((a{1,9}){1,9}){1,9}x".to_owned(),
                r"(?i)(invoke|iex|download)[^\n]{0,200}(http|ftp)s?://[\w.-]+/\S*\.(exe|dll|ps1)".to_owned(),
                "a.*b.*c.*d.*e.*f.*g.*h".to_owned(),
                ".*.*.*.*x".to_owned(),
            ],
        ),
        image("CommandLine|re|i", vec!["abcdefghijklmnopqrstuvwxyz".repeat(5)]),
        image("Hashes|contains", list(200, &|number| format!("SHA256={number:064X}"))),
        image("md5", list(100, &|number| format!("{number:032x}"))),
        image("ProcessId|lt", vec!["123456789".to_owned()]),
        image("ProcessId|gt", vec!["987654321012345".to_owned()]),
        image("Nothing", vec!["true".to_owned()]),
    ]
}

#[test]
fn a_real_opensearch_agrees() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!("skipped: OPENSEARCH_URL is not set (see deploy/dev/opensearch.sh)");
        return;
    };
    let alerts = alerts();
    if alerts.is_empty() {
        return;
    }
    let started = Instant::now();
    let rejected = index(&url, &alerts);
    eprintln!(
        "{} alerts indexed, {} rejected ({:?})",
        alerts.len() - rejected.len(),
        rejected.len(),
        started.elapsed()
    );
    let catalogue = Catalogue::builtin();
    let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
    let mut compared = 0;
    let mut problems = Vec::new();
    for rule in all_rules().into_iter().chain(heavy()) {
        let matcher = SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4);
        let Some(query) = &matcher.translation().query else { continue };
        let asked = Instant::now();
        let found = match search(&url, &query.to_json()) {
            Ok(found) => found,
            Err(error) => {
                problems.push(format!("{}: refused: {error}", rule.title));
                continue;
            }
        };
        if asked.elapsed().as_millis() > 500 {
            eprintln!("{}: {:?}", rule.title, asked.elapsed());
        }
        compared += 1;
        // How words are cut is the analyser's business.
        let has_words = query.to_json().contains("full_log");
        for (place, alert) in alerts.iter().enumerate().filter(|(place, _)| !rejected.contains(place)) {
            let (here, there) = (evaluator.matches(query, alert).unwrap(), found.contains(&place));
            if here != there && !has_words {
                problems.push(format!("{}: evaluator {here}, OpenSearch {there}: {alert}", rule.title));
            }
            if matcher.matches(alert) && !there {
                problems.push(format!("{}: OpenSearch loses {alert}", rule.title));
            }
        }
    }
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    server::request("DELETE", &format!("{url}/_template/sigma-laws"), "");
    eprintln!("{compared} rules compared ({:?})", started.elapsed());
    assert!(problems.is_empty(), "{}", problems.iter().take(10).cloned().collect::<Vec<_>>().join("\n"));
}

/// Fills an index with the real template. Returns the places of alerts that it refuses.
fn index(url: &str, alerts: &[Value]) -> BTreeSet<usize> {
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let mut template: Value = match std::fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => json!({
            "mappings": {
                "dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
                "date_detection": false,
                "properties": {"full_log": {"type": "text"}, "rule": {"properties": {"level": {"type": "long"}}}},
            },
        }),
    };
    template["index_patterns"] = json!(["wazuh-alerts-4.x-sigma-*"]);
    template["order"] = json!(10);
    let (status, answer) = server::request("PUT", &format!("{url}/_template/sigma-laws"), &template.to_string());
    assert_eq!(status, 200, "{answer}");
    let settings = r#"{"settings":{"number_of_shards":1}}"#;
    let (status, answer) = server::request("PUT", &format!("{url}/{INDEX}"), settings);
    assert_eq!(status, 200, "{answer}");
    let mut rejected = BTreeSet::new();
    for (part, chunk) in alerts.chunks(500).enumerate() {
        let mut bulk = String::new();
        for (place, alert) in chunk.iter().enumerate() {
            bulk += &format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{alert}\n", part * 500 + place);
        }
        let (status, answer) = server::request("POST", &format!("{url}/{INDEX}/_bulk"), &bulk);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let items = answer["items"].as_array().unwrap().iter().map(|item| &item["index"]);
        let failed = items.filter(|item| item["error"].is_object());
        rejected.extend(failed.map(|item| item["_id"].as_str().unwrap().parse::<usize>().unwrap()));
    }
    server::request("POST", &format!("{url}/{INDEX}/_refresh"), "");
    rejected
}

/// The places of the alerts that a query finds.
fn search(url: &str, query: &str) -> Result<BTreeSet<usize>, String> {
    let body = format!("{{\"query\":{query},\"size\":10000,\"_source\":false}}");
    let (status, answer) = server::request("POST", &format!("{url}/{INDEX}/_search"), &body);
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    if status != 200 || answer["_shards"]["failed"] != 0 {
        return Err(answer.to_string().chars().take(600).collect());
    }
    let hits = answer["hits"]["hits"].as_array().into_iter().flatten();
    Ok(hits.map(|hit| hit["_id"].as_str().unwrap().parse().unwrap()).collect())
}
