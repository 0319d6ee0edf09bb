//! A scripted indexer: it knows a few alerts with one address, and can be in trouble.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Searches for values with this beginning find two alerts, others nothing.
pub(crate) const FOUND: &str = "198.51.100.";

/// What goes wrong with one request for searches.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// Another answer: status, content type, body.
    Status(&'static str, &'static str, &'static str),
    /// The answer comes late.
    Late(Duration),
    /// Half of the answer as if it were the whole.
    Half,
    /// The connection is cut.
    Cut,
    /// The request is fine, and each of its searches is refused with 429.
    EachBusy,
    /// One of three shards has failed.
    Shards,
}

#[derive(Default)]
pub(crate) struct Indexer {
    port: u16,
    /// How many requests are refused with 429.
    pub(crate) busy: AtomicUsize,
    /// How many milliseconds an answer takes.
    pub(crate) delay: AtomicU64,
    /// What goes wrong with the next requests for searches.
    pub(crate) trouble: Mutex<VecDeque<Trouble>>,
    pub(crate) requests: AtomicUsize,
    pub(crate) searches: AtomicUsize,
}

impl Indexer {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let indexer = Arc::new(Self { port, ..Self::default() });
        let served = indexer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        indexer
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut read: Vec<u8> = Vec::new();
        let mut buffer = vec![0; 65_536];
        loop {
            let end = loop {
                if let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                    break end + 4;
                }
                match stream.read(&mut buffer).await {
                    Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
                    _ => return,
                }
            };
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
            });
            let length = length.unwrap_or(0);
            while read.len() < end + length {
                match stream.read(&mut buffer).await {
                    Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
                    _ => return,
                }
            }
            let body = String::from_utf8_lossy(&read[end..end + length]).into_owned();
            read.drain(..end + length);
            tokio::time::sleep(Duration::from_millis(self.delay.load(Ordering::Relaxed))).await;
            let (mut status, mut answer) = self.answer(&head, &body);
            let is_search = head.contains("/_msearch");
            let trouble = if is_search { self.trouble.lock().unwrap().pop_front() } else { None };
            let mut kind = "application/json";
            match trouble {
                Some(Trouble::EachBusy) => {
                    for response in answer["responses"].as_array_mut().unwrap() {
                        *response = json!({"error": {"type": "rejected_execution", "reason": "full"}, "status": 429});
                    }
                }
                Some(Trouble::Shards) => {
                    for response in answer["responses"].as_array_mut().unwrap() {
                        let reason = json!({"type": "circuit_breaking_exception", "reason": "too busy"});
                        let failure = json!({"shard": 1, "index": "wazuh-alerts-4.x-2026.03.14", "reason": reason});
                        response["_shards"] =
                            json!({"total": 3, "successful": 2, "skipped": 0, "failed": 1, "failures": [failure]});
                    }
                }
                Some(Trouble::Late(time)) => tokio::time::sleep(time).await,
                Some(Trouble::Cut) => return,
                _ => {}
            }
            let mut text = answer.to_string();
            match trouble {
                Some(Trouble::Status(other, other_kind, body)) => {
                    (status, kind) = (other, other_kind);
                    body.clone_into(&mut text);
                }
                Some(Trouble::Half) => text.truncate(text.len() / 2),
                _ => {}
            }
            let response =
                format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            if stream.write_all(response.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, head: &str, body: &str) -> (&'static str, Value) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let busy = self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| busy.checked_sub(1));
        if busy.is_ok() {
            return ("429 Too Many Requests", json!({"error": "busy"}));
        }
        if head.starts_with("GET / ") {
            return ("200 OK", json!({"version": {"number": "2.19.1", "distribution": "opensearch"}}));
        }
        if head.contains("/_field_caps") {
            let fields =
                ["timestamp", "agent.id", "agent.name", "rule.id", "rule.level", "rule.description", "data.srcip"];
            let types = fields.map(|path| (path.to_owned(), json!({"keyword": {"type": "keyword"}})));
            return ("200 OK", json!({"indices": ["wazuh-alerts-4.x-2026.03.14"], "fields": Value::from_iter(types)}));
        }
        if head.contains("/point_in_time") {
            return ("200 OK", json!({"pit_id": "46ToAwMDaWR5", "creation_time": 1_773_480_386_000_u64}));
        }
        if head.contains("/_msearch") {
            let queries = body.lines().skip(1).step_by(2);
            let responses: Vec<Value> = queries.map(|query| self.search(query)).collect();
            return ("200 OK", json!({"took": 1, "responses": responses}));
        }
        ("200 OK", self.search(body))
    }

    fn search(&self, query: &str) -> Value {
        self.searches.fetch_add(1, Ordering::Relaxed);
        let alert = |number: u32, agent: u32| {
            json!({"_index": "wazuh-alerts-4.x-2026.03.14", "_id": format!("document-{number}"), "_source": {
                "timestamp": format!("2026-03-14T09:26:{number:02}.000+0000"), "id": format!("1773480386.{number}"),
                "rule": {"id": "5710", "level": 5, "description": "sshd: invalid user"},
                "agent": {"id": format!("{agent:03}"), "name": format!("web{agent:02}")}, "data": {"srcuser": "kim"},
            }})
        };
        let bucket = |number: u32, agent: u32| {
            let millis = 1_773_480_360_000_u64 + u64::from(number) * 1_000;
            json!({"key": {"agent.id": format!("{agent:03}"), "agent.name": format!("web{agent:02}"), "rule.id": "5710",
                           "rule.level": 5, "rule.description": "sshd: invalid user"},
                   "doc_count": 1, "first_seen": {"value": millis}, "last_seen": {"value": millis}})
        };
        let found = query.contains(FOUND) || query.contains("match_all");
        let (hits, buckets) = if found {
            (vec![alert(1, 1), alert(2, 2)], vec![bucket(1, 1), bucket(2, 2)])
        } else {
            (Vec::new(), Vec::new())
        };
        json!({"took": 1, "timed_out": false, "status": 200,
               "_shards": {"total": 3, "successful": 3, "skipped": 0, "failed": 0},
               "hits": {"total": {"value": hits.len(), "relation": "eq"}, "hits": hits},
               "aggregations": {"sightings": {"buckets": buckets}}})
    }
}
