//! One contract, two adapters.

use std::fs;
use std::sync::Arc;

use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::store::AlertStore as _;
use wazuh_query::store::conformance::{ALERTS, alert_store};
use wazuh_query::store::files::AlertFiles;
use wazuh_query::store::opensearch::{OpenSearchConfig, OpenSearchStore};

use crate::server::request;

fn files(path: &std::path::Path) -> AlertFiles {
    AlertFiles::new([path], Arc::new(Catalogue::builtin()), Schema::Wazuh4)
}

#[tokio::test]
async fn alert_files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("alerts.json"), ALERTS).unwrap();
    alert_store(&files(folder.path())).await;
}

#[tokio::test]
async fn hits_and_several_files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = ALERTS.lines().collect();
    let hits: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(id, line)| format!("{{\"_index\":\"i\",\"_id\":\"{id}\",\"_source\":{line}}}"))
        .collect();
    fs::write(folder.path().join("1.ndjson"), hits[..2].join("\n")).unwrap();
    fs::write(folder.path().join("2.json"), format!("[\n{}\n]", hits[2..4].join(",\n"))).unwrap();
    let answer = format!("{{\"took\":1,\"hits\":{{\"total\":2,\"hits\":[{}]}}}}", hits[4..6].join(","));
    fs::write(folder.path().join("3.json"), answer).unwrap();
    let pretty: serde_json::Value = serde_json::from_str(lines[6]).unwrap();
    fs::write(folder.path().join("4.json"), serde_json::to_string_pretty(&pretty).unwrap()).unwrap();
    fs::write(folder.path().join("5.jsonl"), lines[7]).unwrap();
    alert_store(&files(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_real_cluster_keeps_the_contract() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!("skipped: OPENSEARCH_URL is not set, so the contract was not run on a real OpenSearch");
        return;
    };
    let index = "store-contract";
    request("DELETE", &format!("{url}/{index}*"), "");
    let template =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let (mappings, shards) = match fs::read_to_string(template) {
        Ok(text) => {
            let template: serde_json::Value = serde_json::from_str(&text).unwrap();
            (template["mappings"].clone(), 3)
        }
        // Without the template, what of it the contract needs.
        Err(_) => (serde_json::from_str(include_str!("mapping.json")).unwrap(), 3),
    };
    // Two indices, so that the contract also covers patterns.
    for name in [format!("{index}-1"), format!("{index}-2")] {
        let settings = serde_json::json!({"number_of_shards": shards, "number_of_replicas": 0, "mapping.total_fields.limit": 10_000});
        let body = serde_json::json!({"settings": settings, "mappings": mappings});
        let (status, answer) = request("PUT", &format!("{url}/{name}"), &body.to_string());
        assert_eq!(status, 200, "{answer}");
    }
    let mut bulk = String::new();
    for (number, line) in ALERTS.lines().enumerate() {
        let part = 1 + number % 2;
        bulk += &format!("{{\"index\":{{\"_index\":\"{index}-{part}\",\"_id\":\"{number}\"}}}}\n{line}\n");
    }
    let (status, answer) = request("POST", &format!("{url}/_bulk?refresh=true"), &bulk);
    assert!(status == 200 && answer.contains("\"errors\":false"), "{answer}");
    let mut config = OpenSearchConfig::new(url.parse().unwrap());
    config.index = format!("{index}-*");
    config.environment_proxy = false;
    alert_store(&OpenSearchStore::connect(config).unwrap()).await;

    // An index without a copy to ask is missing in the answer, whatever the cluster counts.
    let red = format!("{index}-red");
    let nowhere = r#"{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"}}"#;
    let (status, answer) = request("PUT", &format!("{url}/{red}?wait_for_active_shards=0"), nowhere);
    assert_eq!(status, 200, "{answer}");
    let mut partly = OpenSearchConfig::new(url.parse().unwrap());
    partly.index = format!("{index}-*");
    partly.environment_proxy = false;
    let everything = SearchRequest::counting(Query::MatchAll, None);
    let response = OpenSearchStore::connect(partly).unwrap().search(&everything).await.unwrap();
    assert!(response.is_partial() && response.total == ALERTS.lines().count() as u64, "{response:?}");
    request("DELETE", &format!("{url}/{red}"), "");

    // Points in time are deleted again, also by a caller that stops.
    let (_, open) = request("GET", &format!("{url}/_search/point_in_time/_all"), "");
    let open: serde_json::Value = serde_json::from_str(&open).unwrap();
    assert!(open["pits"].as_array().is_none_or(Vec::is_empty), "{open}");
    request("DELETE", &format!("{url}/{index}*"), "");
}
