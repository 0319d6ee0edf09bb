//! The same process with a real indexer. Without `OPENSEARCH_URL` these tests are skipped.

use std::path::Path;

use opencti_client::testing::Enrich;
use serde_json::{Value, json};
use stix_model::sco::Ipv4Addr;

use crate::server::request;
use crate::{Setup, broker};

const ADDRESS: &str = "198.51.100.77";

/// An index of its own with the sample alerts; gone when it is dropped.
pub(crate) struct Index {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Drop for Index {
    fn drop(&mut self) {
        request("DELETE", &format!("{}/{}", self.url, self.name), "");
    }
}

pub(crate) fn index(setup: &Setup) -> Option<Index> {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!("skipped: no OPENSEARCH_URL");
        return None;
    };
    let url = url.trim_end_matches('/').to_owned();
    let index = Index { name: format!("wazuh-alerts-service-{}", setup.id), url };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What of Wazuh's template the counts need.
    let mappings: Value = serde_json::from_str(include_str!("../../../wazuh-query/tests/store/mapping.json")).unwrap();
    let settings = json!({"number_of_shards": 3, "number_of_replicas": 0, "mapping.total_fields.limit": 10_000});
    let body = json!({"settings": settings, "mappings": mappings}).to_string();
    let (status, answer) = request("PUT", &format!("{}/{}", index.url, index.name), &body);
    assert_eq!(status, 200, "{answer}");
    let alerts = std::fs::read_to_string(here.join("../examples/data/alerts.json")).unwrap();
    // Those of one decoder: without the template others disagree about what a field is.
    let lines = alerts.lines().filter(|line| line.contains("sshd") && line.contains("srcip")).enumerate();
    let lines = lines.flat_map(|(number, line)| [json!({"index": {"_id": number}}).to_string(), line.to_owned()]);
    let bulk = lines.collect::<Vec<_>>().join("\n") + "\n";
    let (status, answer) = request("POST", &format!("{}/{}/_bulk?refresh=true", index.url, index.name), &bulk);
    assert!(status == 200 && !answer.contains("\"errors\":true"), "{answer:.2000}");
    Some(index)
}

fn count_of(objects: &[Value]) -> u64 {
    objects.iter().filter(|object| object["type"] == "sighting").filter_map(|object| object["count"].as_u64()).sum()
}

/// Counts are those of all alerts, however few are returned.
#[tokio::test(flavor = "multi_thread")]
async fn counts_of_a_real_indexer() {
    let setup = Setup::new(None).await;
    let Some(index) = index(&setup) else { return };
    let id = setup.stand_in.insert(Ipv4Addr::new(ADDRESS)).to_string();
    let output = setup
        .command(&["dry-run", &id])
        .env("WAZUH_OPENSEARCH_URL", &index.url)
        .env("WAZUH_OPENSEARCH_INDEX", &index.name)
        .env("WAZUH_OPENSEARCH_LIMIT", "2")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bundle: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (status, answer) = request(
        "POST",
        &format!("{}/{}/_count", index.url, index.name),
        &json!({"query": {"term": {"data.srcip": ADDRESS}}}).to_string(),
    );
    let wanted = serde_json::from_str::<Value>(&answer).unwrap()["count"].as_u64().unwrap();
    assert!(status == 200 && wanted > 2, "{answer}");
    assert_eq!(count_of(bundle["objects"].as_array().unwrap()), wanted);
}

/// Broker, indexer and platform together; and what `check` says about them.
#[tokio::test(flavor = "multi_thread")]
async fn everything_real_but_the_platform() {
    let Some(broker) = broker() else { return };
    let mut setup = Setup::new(Some(&broker)).await;
    let Some(index) = index(&setup) else { return };
    setup.real = Some((index.url.clone(), index.name.clone()));
    let output = setup.run(&["check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("ok       alerts") && text.contains("ok       fields"), "{text}");
    let service = setup.started().await;
    let work = setup.ask(ADDRESS, &Enrich::auto()).await.unwrap();
    setup.complete(std::slice::from_ref(&work)).await;
    let work = setup.work(&work);
    assert!(work.errors.is_empty() && work.messages[1].contains("was seen"), "{work:?}");
    assert!(count_of(&setup.stand_in.objects("sighting")) > 2);
    assert_eq!(service.stop().await, Some(0));
    setup.stand_in.assert_nothing_refused();
}
