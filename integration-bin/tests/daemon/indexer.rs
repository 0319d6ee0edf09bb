//! With a real indexer, named by `OPENSEARCH_URL` (`deploy/dev/opensearch.sh start` prints one). Without it the tests say so
//! and pass.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const KNOWN: &str = "203.0.113.7";

/// One index pattern of a test, removed before and after.
struct Indexer {
    url: String,
    name: &'static str,
}

impl Indexer {
    fn new(name: &'static str) -> Option<Self> {
        let Ok(url) = std::env::var("OPENSEARCH_URL") else {
            eprintln!("skipped: OPENSEARCH_URL is not set");
            return None;
        };
        let indexer = Self { url: url.trim_end_matches('/').to_owned(), name };
        indexer.clear();
        Some(indexer)
    }

    fn clear(&self) {
        for index in [self.name.to_owned(), format!("{}-matches", self.name)] {
            let (_, names) = self.send("GET", &format!("/_cat/indices/{index}-*?format=json"), "");
            for entry in serde_json::from_str::<Value>(&names).unwrap().as_array().unwrap() {
                self.send("DELETE", &format!("/{}", entry["index"].as_str().unwrap()), "");
            }
        }
    }

    /// Status and body.
    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let mut answer = Vec::new();
        let _closed = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn put(&self, index: &str, id: &str, document: &Value) {
        let path = format!("/{}-{index}/_create/{id}?refresh=true", self.name);
        let (status, body) = self.send("PUT", &path, &document.to_string());
        assert_eq!(status, 201, "{body}");
    }

    fn matches(&self) -> Vec<Value> {
        self.send("POST", &format!("/{}-matches-*/_refresh", self.name), "");
        let path = format!("/{}-matches-*/_search?size=100&sort=@timestamp", self.name);
        let (_, body) = self.send("GET", &path, "");
        let body: Value = serde_json::from_str(&body).unwrap();
        body["hits"]["hits"].as_array().cloned().unwrap_or_default()
    }

    fn options(&self, manager: &Manager, intel: &Value) {
        let intel = manager.write("intel.json", &intel.to_string());
        manager.options(&json!({ "intel": [intel], "daemon": {
            "follow": false, "repeat_minutes": 0, "outputs": ["indexer", "queue"],
            "indexer": {
                "url": self.url, "follow": format!("{0}-4-*,{0}-5-*", self.name), "every_seconds": 1,
                "matches": format!("{}-matches", self.name),
            },
        }}));
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.clear();
        }
    }
}

fn finding(number: u32, address: &str) -> Value {
    json!({
        "@timestamp": format!("2026-03-14T02:10:{number:02}.000Z"), "source": { "ip": address },
        "wazuh": {
            "agent": { "id": format!("0a08-{number}"), "name": "web01" },
            "rule": { "id": "8014", "title": "SSH login failed", "level": "low" },
            "protocol": { "location": "/var/log/syslog" },
        },
    })
}

#[test]
fn both_versions_are_followed_and_what_was_found_is_written() {
    let Some(indexer) = Indexer::new("it-daemon-both") else { return };
    let manager = Manager::new();
    indexer.options(&manager, &json!([of_address(1, KNOWN)]));
    let mut old: Value = serde_json::from_str(&alert(1, "001", KNOWN)).unwrap();
    old["@timestamp"] = "2026-03-14T09:26:53.589Z".into();
    indexer.put("4-2026.03.14", "a1", &old);
    indexer.put("5-000001", "f1", &finding(1, KNOWN));
    indexer.put("5-000001", "f2", &finding(2, "198.51.100.1"));
    let resident = manager.resident(&["--from-beginning"]);
    let events = manager.wait_for_events(2);
    assert_eq!(events.iter().map(source).collect::<Vec<_>>(), ["f1", "a1"]);
    let found = indexer.matches();
    assert_eq!(found.len(), 2, "{found:#?}");
    let document = &found[0]["_source"];
    assert_eq!(found[1]["_source"]["event"]["id"], "a1");
    assert_eq!(found[0]["_index"], "it-daemon-both-matches-2026.03.14");
    assert_eq!(document["threat"]["indicator"]["ip"], KNOWN);
    assert_eq!(document["threat"]["enrichments"][0]["matched"]["field"], "source.ip");
    assert_eq!(document["event"]["id"], "f1");
    assert_eq!(document["agent"]["name"], "web01");
    // One that comes later, in an index that was not there.
    let mut next = finding(3, KNOWN);
    next["@timestamp"] = "2026-03-14T09:27:00.000Z".into();
    indexer.put("5-000002", "f3", &next);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "f3");
    assert!(resident.stop().success());
    // A restart looks at the overlap again, and raises nothing twice; what came meanwhile is raised.
    indexer.put("5-000002", "f4", &finding(4, KNOWN));
    let mut late = finding(5, KNOWN);
    late["@timestamp"] = "2026-03-14T09:26:30.000Z".into();
    indexer.put("5-000002", "f5", &late);
    let resident = manager.resident(&[]);
    // The first is older than the overlap: it is too late.
    assert_eq!(source(&manager.wait_for_events(1)[0]), "f5");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(manager.events().is_empty());
    assert!(resident.stop().success());
    assert_eq!(indexer.matches().len(), 4);
}

#[test]
fn the_template_takes_what_is_written() {
    let Some(indexer) = Indexer::new("it-daemon-template") else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/wazuh5/index-template.json");
    let mut template: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    template["index_patterns"] = json!(["it-daemon-template-matches-*"]);
    let (status, body) = indexer.send("PUT", "/_index_template/it-daemon-template", &template.to_string());
    assert_eq!(status, 200, "{body}");
    let manager = Manager::new();
    let digest = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let mut known = of_address(1, KNOWN);
    known["labels"] = json!(["botnet"]);
    known["x_opencti_score"] = 70.into();
    indexer.options(&manager, &json!([known, indicator(2, &format!("[file:hashes.MD5 = '{digest}']"))]));
    indexer.put("5-000001", "f1", &finding(1, KNOWN));
    let mut file = finding(2, "198.51.100.1");
    file["file"] = json!({ "path": "/tmp/nc", "hash": { "md5": digest } });
    indexer.put("5-000001", "f2", &file);
    manager.program(&["daemon", "--once", "--from-beginning"]);
    let found = indexer.matches();
    assert_eq!(found.len(), 2, "{} {found:#?}", manager.log());
    let search = |query: &Value| {
        let path = "/it-daemon-template-matches-*/_count";
        let (_, body) = indexer.send("POST", path, &json!({ "query": query }).to_string());
        serde_json::from_str::<Value>(&body).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!(search(&json!({ "term": { "threat.indicator.ip": "203.0.113.0/24" } })), 1);
    assert_eq!(search(&json!({ "term": { "threat.indicator.file.hash.md5": digest } })), 1);
    assert_eq!(search(&json!({ "range": { "event.risk_score": { "gte": 70 } } })), 1);
    assert_eq!(search(&json!({ "term": { "opencti.indicator.labels": "botnet" } })), 1);
    assert_eq!(search(&json!({ "range": { "event.created": { "gt": 0, "format": "epoch_millis" } } })), 2);
    indexer.send("DELETE", "/_index_template/it-daemon-template", "");
}

#[test]
fn an_indexer_that_is_away_is_waited_for() {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    let url = {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", nobody.local_addr().unwrap())
    };
    manager.options(&json!({ "intel": [intel], "daemon": {
        "outputs": ["indexer", "queue"], "indexer": { "url": url, "follow": "wazuh-findings-v5-*", "every_seconds": 1 },
    }}));
    let resident = manager.resident(&[]);
    manager.wait_for_log("it is tried again");
    manager.alerts(&[alert(1, "001", KNOWN)]);
    // The manager has its event, and the document waits.
    manager.wait_for_events(1);
    let documents = manager.path("queue/custom-opencti/daemon/documents");
    let ends = |path: &Path| path.extension().is_some_and(|ending| ending == "spool");
    assert!(documents.read_dir().unwrap().any(|file| ends(&file.unwrap().path())));
    assert!(!manager.waits());
    assert!(resident.stop().success());
}

#[test]
fn what_is_delivered_is_json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/wazuh5");
    let mut files = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap();
            files += 1;
        }
    }
    assert!(files >= 4);
}
