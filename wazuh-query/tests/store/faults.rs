//! What a cluster, or a proxy before it, may do instead of answering.

use std::ops::ControlFlow;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use wazuh_query::dsl::{Aggregation, Clause, Query, SearchRequest};
use wazuh_query::store::opensearch::{Auth, OpenSearchConfig, OpenSearchStore};
use wazuh_query::store::{AlertStore, SearchResponse, StoreErrorKind};

use crate::server::{Act, Seen, ok, serve};

const EMPTY: &str = r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},
    "hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;

pub(crate) fn config(url: &str) -> OpenSearchConfig {
    let mut config = OpenSearchConfig::new(url.parse().unwrap());
    config.environment_proxy = false;
    config.first_pause = Duration::from_millis(5);
    config.longest_pause = Duration::from_secs(2);
    config.timeout = Duration::from_secs(5);
    config
}

fn store(script: Vec<Act>) -> (OpenSearchStore, Receiver<Seen>) {
    let (url, seen) = serve(script);
    (OpenSearchStore::connect(config(&url)).unwrap(), seen)
}

fn request() -> SearchRequest {
    SearchRequest {
        query: Query::field("data.srcip", Clause::term("203.0.113.7")),
        sort: Vec::new(),
        size: 10,
        search_after: None,
        aggregation: None,
    }
}

async fn search(script: Vec<Act>) -> (Result<SearchResponse, wazuh_query::store::StoreError>, Vec<Seen>) {
    let (store, seen) = store(script);
    let outcome = store.search(&request()).await;
    (outcome, seen.try_iter().collect())
}

fn answer(status: u16, body: &str) -> Act {
    Act::Answer(status, "", body.to_owned())
}

#[tokio::test]
async fn a_request_is_a_post_to_the_encoded_index_below_the_path_prefix() {
    let (url, seen) = serve(vec![ok(EMPTY)]);
    let mut config = config(&format!("{url}/os"));
    config.index = "wazuh-alerts-*,remote:wazuh-*".into();
    OpenSearchStore::connect(config).unwrap().search(&request()).await.unwrap();
    let seen = seen.recv().unwrap();
    let line =
        "POST /os/wazuh-alerts-*,remote%3Awazuh-*/_search?ignore_unavailable=true&allow_no_indices=true HTTP/1.1";
    assert_eq!(seen.line, line);
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, request().to_value());
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn overload_is_retried_as_long_as_the_cluster_asks() {
    let wait = Act::Answer(429, "retry-after: 1\r\n", "{}".to_owned());
    let started = Instant::now();
    let (outcome, seen) = search(vec![wait, answer(503, "no"), answer(502, "no"), ok(EMPTY)]).await;
    assert_eq!(outcome.unwrap().total, 0);
    assert_eq!(seen.len(), 4);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(seen.iter().all(|one| one.body == seen[0].body));
}

#[tokio::test]
async fn retries_end() {
    let (outcome, seen) = search(vec![answer(503, "busy"); 6]).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.tries(), seen.len()), (4, 4));
    assert!(error.is_retryable());
    assert!(error.to_string().contains("(HTTP 503): busy (tried 4 times in "), "{error}");
}

#[tokio::test]
async fn a_rejected_query_is_not_retried_and_says_why() {
    let body = r#"{"error":{"root_cause":[{"type":"exception","reason":"[regexp] queries cannot be executed when 'search.allow_expensive_queries' is set to false."}]},"status":400}"#;
    let (outcome, seen) = search(vec![answer(400, body), ok(EMPTY)]).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.tries(), seen.len()), (1, 1));
    assert!(matches!(error.kind(), StoreErrorKind::Rejected { hint: Some(_), .. }), "{error:?}");
    assert!(error.to_string().contains("[regexp] queries cannot be executed"), "{error}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let cases = [
        (Auth::Basic { username: "reader".into(), password: "geheim".into() }, "Basic cmVhZGVyOmdlaGVpbQ==", "geheim"),
        (Auth::ApiKey("c2VjcmV0a2V5".into()), "ApiKey c2VjcmV0a2V5", "c2VjcmV0a2V5"),
        (Auth::ApiKey("Bearer tokenvalue".into()), "Bearer tokenvalue", "tokenvalue"),
    ];
    for (auth, header, secret) in cases {
        // The server repeats what it was sent, as some proxies do.
        let (url, seen) = serve(vec![answer(401, &format!("no access for {header} with {secret}"))]);
        let mut config = config(&url);
        config.auth = auth;
        let store = OpenSearchStore::connect(config).unwrap();
        let error = store.search(&request()).await.unwrap_err();
        assert_eq!(seen.recv().unwrap().header("authorization"), Some(header));
        assert!(error.is_auth() && error.tries() == 1);
        for text in [error.to_string(), format!("{error:?}"), format!("{store:?}")] {
            assert!(!text.contains(secret) && !text.contains("cmVhZGVyOmdlaGVpbQ"), "{text}");
        }
    }
}

#[tokio::test]
async fn shard_failures_are_reported_and_nothing_found_is_then_no_answer() {
    let partial = |total: u64| {
        let failure =
            r#"{"shard":0,"index":"wazuh-alerts-4.x-2026.01.01","reason":{"type":"x","reason":"circuit breaker"}}"#;
        format!(
            r#"{{"took":1,"timed_out":false,"_shards":{{"total":3,"successful":2,"skipped":0,"failed":1,"failures":[{failure}]}},
            "hits":{{"total":{{"value":{total},"relation":"eq"}},"hits":[]}}}}"#
        )
    };
    let response = search(vec![ok(&partial(3))]).await.0.unwrap();
    assert!(response.is_partial());
    assert_eq!(response.shards.reasons(), "wazuh-alerts-4.x-2026.01.01: circuit breaker");
    let error = search(vec![ok(&partial(0))]).await.0.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Partial { .. }));
    assert!(error.to_string().starts_with("1 of 3 shards did not answer"), "{error}");
    // Counts must be whole.
    let (store, _) = store(vec![ok(&partial(3))]);
    assert!(store.count(&Query::MatchAll).await.is_err());
}

#[tokio::test]
async fn a_search_that_was_stopped_says_so() {
    let stopped = |total: u64| {
        EMPTY.replace("\"timed_out\":false", "\"timed_out\":true").replace("\"value\":0", &format!("\"value\":{total}"))
    };
    assert!(search(vec![ok(&stopped(2))]).await.0.unwrap().is_partial());
    let error = search(vec![ok(&stopped(0))]).await.0.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Timeout(_)));
}

#[tokio::test]
async fn no_index_is_no_answer() {
    let none = EMPTY.replace("\"total\":1,\"successful\":1", "\"total\":0,\"successful\":0");
    let error = search(vec![ok(&none)]).await.0.unwrap_err();
    assert_eq!(error.to_string(), "not found: no index matches `wazuh-alerts-*`");
    let error =
        search(vec![answer(404, r#"{"error":{"root_cause":[{"reason":"no such index [x]"}]}}"#)]).await.0.unwrap_err();
    assert_eq!(error.to_string(), "not found: no such index [x]");
}

#[tokio::test]
async fn answers_that_are_none_are_not_retried() {
    for body in ["", "<html>login</html>", "[]", "{}", r#"{"took":1,"hits":{"total":{"value":1,"rel"#] {
        let (outcome, seen) = search(vec![ok(body), ok(EMPTY)]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Parse { .. }), "{error:?}");
        assert_eq!(seen.len(), 1);
    }
}

#[tokio::test]
async fn broken_connections_are_retried() {
    let (outcome, seen) = search(vec![Act::Hang, Act::Cut("{\"took\":".to_owned()), ok(EMPTY)]).await;
    assert_eq!(outcome.unwrap().total, 0);
    assert_eq!(seen.len(), 3);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = OpenSearchStore::connect(config(&url)).unwrap().search(&request()).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Transport(_)), "{error:?}");
    assert_eq!(error.tries(), 4);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_search_that_times_out_is_retried_once() {
    let slow = Act::Sleep(Duration::from_millis(600));
    let (url, seen) = serve(vec![slow.clone(), slow.clone(), slow]);
    let mut config = config(&url);
    config.timeout = Duration::from_millis(200);
    let error = OpenSearchStore::connect(config).unwrap().search(&request()).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Timeout(_)), "{error:?}");
    assert_eq!(error.tries(), 2);
    assert!(error.to_string().starts_with("no answer within 200ms (tried 2 times"), "{error}");
    drop(seen);
}

#[tokio::test]
async fn only_the_overloaded_members_of_a_batch_are_asked_again() {
    let busy = r#"{"status":429,"error":{"root_cause":[],"type":"rejected","reason":"queue is full"}}"#;
    let bad = r#"{"status":400,"error":{"root_cause":[{"reason":"too long"}]}}"#;
    let (store, seen) = store(vec![
        ok(&format!(r#"{{"took":1,"responses":[{EMPTY},{busy},{bad}]}}"#)),
        ok(&format!(r#"{{"took":1,"responses":[{EMPTY}]}}"#)),
    ]);
    let answers = store.multi_search(&[request(), request(), request()]).await.unwrap();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    let seen: Vec<Seen> = seen.try_iter().collect();
    assert_eq!(seen.iter().map(|one| one.body.lines().count()).collect::<Vec<_>>(), [6, 2]);
    assert_eq!(seen[0].header("content-type"), Some("application/x-ndjson"));
    assert!(seen[0].line.starts_with("POST /wazuh-alerts-*/_msearch"));
}

#[tokio::test]
async fn a_point_in_time_is_deleted_also_after_an_error() {
    let (store, seen) = store(vec![ok(r#"{"pit_id":"abc","_shards":{"total":1}}"#), answer(500, "boom"), ok("{}")]);
    let mut visit = |_: SearchResponse| ControlFlow::Continue(());
    let error = store.for_each_page(&request(), &mut visit).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Server { .. }), "{error:?}");
    let seen: Vec<Seen> = seen.try_iter().collect();
    assert!(seen[0].line.starts_with("POST /wazuh-alerts-*/_search/point_in_time?"), "{}", seen[0].line);
    assert!(seen[1].line.starts_with("POST /_search HTTP"), "{}", seen[1].line);
    assert_eq!(seen[2].line, "DELETE /_search/point_in_time HTTP/1.1");
    assert_eq!(seen[2].body, r#"{"pit_id":["abc"]}"#);
}

#[tokio::test]
async fn pages_of_buckets_that_do_not_end_are_an_error() {
    let page = r#"{"_shards":{"total":1,"successful":1},"hits":{"total":{"value":1,"relation":"eq"},"hits":[]},
        "aggregations":{"sightings":{"after_key":{"agent.id":"001"},"buckets":[{"key":{"agent.id":"001"},"doc_count":1}]}}}"#;
    let (store, _) = store(vec![ok(page), ok(page)]);
    let aggregation =
        Aggregation::Buckets { fields: vec!["agent.id".into()], timestamp: "timestamp".into(), size: 1, after: None };
    let error = store.buckets(&Query::MatchAll, &aggregation).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Parse { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let (url, _seen) = serve(vec![ok(EMPTY)]);
    let mut config = config(&url);
    config.largest_answer = 20;
    let error = OpenSearchStore::connect(config).unwrap().search(&request()).await.unwrap_err();
    assert!(error.to_string().contains("at most 20 are read"), "{error}");
}

#[tokio::test]
async fn what_a_cluster_says_about_itself() {
    let types =
        r#"{"indices":["a","b"],"fields":{"rule.id":{"keyword":{},"long":{}},"data.srcip":{"ip":{},"unmapped":{}}}}"#;
    let (store, seen) = store(vec![
        ok(r#"{"version":{"number":"2.19.1"}}"#),
        ok(types),
        ok("<html>"),
        answer(403, "no permissions for [cluster:monitor/main]"),
    ]);
    assert_eq!(store.version().await.unwrap(), "2.19.1");
    let types = store.field_types().await.unwrap();
    assert_eq!(types["rule.id"].iter().collect::<Vec<_>>(), ["keyword", "long"]);
    assert_eq!(types["data.srcip"].iter().collect::<Vec<_>>(), ["ip"]);
    assert!(matches!(store.field_types().await.unwrap_err().kind(), StoreErrorKind::Parse { .. }));
    assert!(store.version().await.unwrap_err().is_auth());
    let seen: Vec<Seen> = seen.try_iter().collect();
    assert_eq!(seen[0].line, "GET / HTTP/1.1");
    assert!(seen[1].line.starts_with("GET /wazuh-alerts-*/_field_caps?") && seen[1].body.is_empty());
}

#[tokio::test]
async fn documents_are_written_in_one_request_and_refused_one_by_one() {
    use wazuh_query::store::opensearch::{NewDocument, Refused};

    let document = |id: &str| NewDocument {
        index: "matches-2026.03.14".to_owned(),
        id: id.to_owned(),
        source: serde_json::value::RawValue::from_string("{\n\"a\": 1}".to_owned()).unwrap(),
    };
    let item = |id: &str, status: u16, reason: &str| {
        let error = serde_json::json!({ "type": "x", "reason": reason });
        serde_json::json!({ "index": { "_id": id, "status": status, "error": error } })
    };
    let answers =
        |items: Vec<serde_json::Value>| ok(&serde_json::json!({ "errors": true, "items": items }).to_string());
    let (store, seen) = store(vec![
        answers(vec![item("1", 201, ""), item("2", 400, "failed to parse")]),
        answers(vec![item("1", 201, ""), item("2", 429, "rejected execution")]),
        answers(vec![item("1", 201, "")]),
        ok("<html>"),
    ]);
    let documents = [document("1"), document("2")];
    let refused = store.write(&documents).await.unwrap();
    assert_eq!(refused, [Refused { id: "2".to_owned(), status: 400, reason: "failed to parse".to_owned() }]);
    let seen = seen.recv().unwrap();
    assert_eq!(seen.line, "POST /_bulk HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<&str> = seen.body.lines().collect();
    assert_eq!(lines[..2], [r#"{"index":{"_id":"1","_index":"matches-2026.03.14"}}"#, r#"{ "a": 1}"#]);
    assert_eq!(lines.len(), 4);
    // What may be taken later is to be sent again as a whole; an answer to something else is none.
    assert!(matches!(store.write(&documents).await.unwrap_err().kind(), StoreErrorKind::Overloaded { .. }));
    for _ in 0..2 {
        assert!(matches!(store.write(&documents).await.unwrap_err().kind(), StoreErrorKind::Parse { .. }));
    }
    assert!(store.write(&[]).await.unwrap().is_empty());
}
