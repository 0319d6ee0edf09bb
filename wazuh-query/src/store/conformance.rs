//! The contract that every alert store keeps, as assertions.
//!
//! Put [`ALERTS`] into a store, one document each, then run [`alert_store`] on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde_json::Value;

use super::{AlertStore, SearchResponse};
use crate::dsl::{Aggregation, BoolQuery, Clause, Order, Query, SearchRequest, Sort};

/// The documents of the contract, one a line: alerts of Wazuh 4 with an `id` each.
pub const ALERTS: &str = include_str!("conformance.ndjson");

/// Asserts that a store which holds exactly [`ALERTS`] keeps the contract.
///
/// # Panics
///
/// When it does not.
pub async fn alert_store(store: &dyn AlertStore) {
    clauses(store).await;
    combinations(store).await;
    order_and_size(store).await;
    going_on_behind_a_hit(store).await;
    hits_hold_the_document(store).await;
    buckets(store).await;
    pages(store).await;
    batches(store).await;
    refused_queries(store).await;
}

fn sort(field: &str, order: Order) -> Sort {
    Sort { field: field.to_owned(), order }
}

fn request(query: Query, sort: Vec<Sort>, size: usize) -> SearchRequest {
    SearchRequest { query, sort, size, search_after: None, aggregation: None }
}

/// The alerts' own identifiers, in the order of the hits.
fn ids(response: &SearchResponse) -> Vec<String> {
    let id = |source: &str| {
        let source: Value = serde_json::from_str(source).expect("a hit's source is JSON");
        source["id"].as_str().expect("every document of the contract has an id").to_owned()
    };
    response.hits.iter().map(|hit| id(hit.source.get())).collect()
}

async fn search(store: &dyn AlertStore, request: &SearchRequest) -> SearchResponse {
    let response = store.search(request).await.expect("a search that can be run");
    assert!(!response.is_partial(), "{request:?} is answered in part: {response:?}");
    assert_eq!(response.skipped.count, 0, "{:?}", response.skipped);
    response
}

async fn finds(store: &dyn AlertStore, query: Query, wanted: &[&str]) {
    let request = request(query, vec![sort("id", Order::Asc)], 100);
    let response = search(store, &request).await;
    assert_eq!(ids(&response), wanted, "{}", request.query.to_json());
    assert_eq!(response.total, wanted.len() as u64);
    assert_eq!(store.count(&request.query).await.expect("a count"), wanted.len() as u64);
}

async fn clauses(store: &dyn AlertStore) {
    let on = |field: &str, clause| Query::field(field, clause);
    let case_insensitive = true;
    finds(store, on("data.srcip", Clause::term("203.0.113.7")), &["a01", "a02"]).await;
    finds(store, on("data.srcip", Clause::term("203.0.113.70")), &["a03"]).await;
    finds(store, on("data.srcip", Clause::any(["203.0.113.7".into(), "203.0.113.70".into()])), &["a01", "a02", "a03"])
        .await;
    finds(store, on("agent.name", Clause::term("WEB01")), &[]).await;
    finds(store, on("agent.name", Clause::folded("WEB01")), &["a01", "a02", "a03"]).await;
    finds(store, on("data.url", Clause::Exists), &["a05"]).await;
    finds(store, on("syscheck.path", Clause::Prefix { value: "/etc/".into(), case_insensitive: false }), &["a06"])
        .await;
    let wildcard = Clause::Wildcard { value: "*\\\\\\\\evil?.exe".into(), case_insensitive };
    finds(store, on("data.win.eventdata.image", wildcard), &["a07"]).await;
    let regexp = |value: &str| Clause::Regexp { value: value.into(), case_insensitive };
    finds(store, on("data.url", regexp(r"https?://evil\.example/.*")), &["a05"]).await;
    // The whole value must match.
    finds(store, on("data.url", regexp(r"evil\.example")), &[]).await;
    finds(store, on("data.aws.source_ip_address", Clause::term("198.51.100.0/24")), &["a08"]).await;
    finds(store, on("data.aws.source_ip_address", Clause::term("198.51.100.9")), &["a08"]).await;
    let seven_or_more = Clause::Range { gte: Some("7".into()), lte: None };
    finds(store, on("rule.level", seven_or_more), &["a05", "a06", "a07"]).await;
    // Any member of a list counts, and lists of objects are flat.
    finds(store, on("rule.groups", Clause::term("sshd")), &["a01", "a02", "a03"]).await;
    // Times compare as times, whatever their zone.
    let hour = Clause::Range {
        gte: Some("\"2026-03-14T10:00:00.000Z\"".into()),
        lte: Some("\"2026-03-14T10:59:59.999Z\"".into()),
    };
    finds(store, on("timestamp", hour), &["a03", "a04"]).await;
    finds(store, on("no.such.field", Clause::Exists), &[]).await;
}

async fn combinations(store: &dyn AlertStore) {
    let web = Query::field("agent.name", Clause::term("web01"));
    let source = Query::field("data.srcip", Clause::term("203.0.113.7"));
    finds(store, Query::all([web.clone(), source.clone()]), &["a01", "a02"]).await;
    let without = BoolQuery { filter: vec![web.clone()], must_not: vec![source.clone()], ..BoolQuery::default() };
    finds(store, without.into(), &["a03"]).await;
    let url = Query::field("data.url", Clause::Exists);
    finds(store, Query::any([source, url]), &["a01", "a02", "a05"]).await;
    let raw = serde_json::json!({"bool": {"must": [{"term": {"rule.id": "5710"}}], "must_not": [{"match": {"data.srcip": {"query": "203.0.113.70"}}}]}});
    finds(store, Query::Raw(Box::new(raw)), &["a01", "a02"]).await;
}

async fn order_and_size(store: &dyn AlertStore) {
    let all = |field: &str, order| request(Query::MatchAll, vec![sort(field, order), sort("id", Order::Asc)], 100);
    let latest = search(store, &all("timestamp", Order::Desc)).await;
    assert_eq!(ids(&latest), ["a08", "a07", "a05", "a06", "a04", "a03", "a02", "a01"]);
    let earliest = search(store, &all("timestamp", Order::Asc)).await;
    assert_eq!(ids(&earliest), ["a01", "a02", "a03", "a04", "a05", "a06", "a07", "a08"]);
    let three = search(store, &SearchRequest { size: 3, ..all("timestamp", Order::Desc) }).await;
    assert_eq!(ids(&three), ["a08", "a07", "a05"]);
    assert_eq!(three.total, 8, "the total does not depend on the size");
    let severe = search(store, &all("rule.level", Order::Desc)).await;
    assert_eq!(ids(&severe)[..3], ["a07", "a05", "a06"]);
    // Where the field is missing the document comes last, in either direction.
    for order in [Order::Asc, Order::Desc] {
        let by_user = search(store, &all("data.srcuser", order)).await;
        let wanted = if order == Order::Asc { ["a02", "a01"] } else { ["a01", "a02"] };
        assert_eq!(ids(&by_user)[..2], wanted, "{order:?}");
        assert_eq!(ids(&by_user)[2..], ["a03", "a04", "a05", "a06", "a07", "a08"], "{order:?}");
    }
}

async fn going_on_behind_a_hit(store: &dyn AlertStore) {
    let mut next = request(Query::MatchAll, vec![sort("timestamp", Order::Desc), sort("id", Order::Asc)], 3);
    let mut seen = Vec::new();
    loop {
        let page = search(store, &next).await;
        assert_eq!(page.total, 8);
        let Some(last) = page.hits.last() else { break };
        next.search_after = Some(last.sort.clone());
        seen.extend(ids(&page));
    }
    assert_eq!(seen, ["a08", "a07", "a05", "a06", "a04", "a03", "a02", "a01"]);
}

async fn hits_hold_the_document(store: &dyn AlertStore) {
    let documents: BTreeMap<String, Value> = ALERTS
        .lines()
        .map(|line| {
            let document: Value = serde_json::from_str(line).expect("a document of the contract");
            (document["id"].as_str().unwrap_or_default().to_owned(), document)
        })
        .collect();
    let response = search(store, &request(Query::MatchAll, Vec::new(), 100)).await;
    assert_eq!(response.hits.len(), documents.len());
    for (id, hit) in ids(&response).iter().zip(&response.hits) {
        let source: Value = serde_json::from_str(hit.source.get()).expect("a hit's source is JSON");
        assert_eq!(Some(&source), documents.get(id));
        assert!(!hit.index.is_empty() && !hit.id.is_empty());
    }
    let distinct: BTreeSet<_> = response.hits.iter().map(|hit| &hit.id).collect();
    assert_eq!(distinct.len(), documents.len(), "identifiers tell documents apart");
}

async fn buckets(store: &dyn AlertStore) {
    let shown = |buckets: &[super::Bucket]| -> Vec<String> {
        let text = |bucket: &super::Bucket| {
            let key: Vec<_> =
                (0..bucket.key.len()).map(|place| bucket.text(place).unwrap_or_else(|| "-".into())).collect();
            let time = |time: Option<stix_model::Timestamp>| time.map_or_else(|| "-".into(), |time| time.to_string());
            format!("{} {} {} {}", key.join(" "), bucket.count, time(bucket.first_seen), time(bucket.last_seen))
        };
        buckets.iter().map(text).collect()
    };
    let by = |fields: &[&str], size| Aggregation::Buckets {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        timestamp: "timestamp".to_owned(),
        size,
        after: None,
    };
    let wanted = [
        "- 651 3 1 2026-03-14T12:30:00.000Z 2026-03-14T12:30:00.000Z",
        "001 5710 5 3 2026-03-14T09:26:53.589Z 2026-03-14T10:26:53.589Z",
        "002 5402 3 1 2026-03-14T10:30:00.000Z 2026-03-14T10:30:00.000Z",
        "002 550 7 1 2026-03-14T11:00:00.000Z 2026-03-14T11:00:00.000Z",
        "002 87105 12 1 2026-03-14T11:00:00.000Z 2026-03-14T11:00:00.000Z",
        "003 92000 15 1 2026-03-14T12:00:00.000Z 2026-03-14T12:00:00.000Z",
    ];
    // All buckets, however few fit on one page.
    for size in [1, 2, 3, 6, 100] {
        let found = store.buckets(&Query::MatchAll, &by(&["agent.id", "rule.id", "rule.level"], size)).await;
        let found = found.expect("buckets");
        assert_eq!(shown(&found), wanted, "{size} at once");
    }
    // They cover all documents that match, however few are returned.
    let mut counted = request(Query::field("rule.id", Clause::term("5710")), Vec::new(), 1);
    counted.aggregation = Some(by(&["agent.name"], 1));
    let response = search(store, &counted).await;
    assert_eq!((response.total, response.hits.len()), (3, 1));
    assert_eq!(shown(&response.buckets), ["web01 3 2026-03-14T09:26:53.589Z 2026-03-14T10:26:53.589Z"]);
    let none = Query::field("rule.id", Clause::term("1"));
    assert!(store.buckets(&none, &by(&["agent.id"], 10)).await.expect("buckets").is_empty());
}

async fn pages(store: &dyn AlertStore) {
    // Sorting by a field that most documents lack leaves ties for the store to break.
    for order in [vec![], vec![sort("timestamp", Order::Desc)], vec![sort("data.srcuser", Order::Asc)]] {
        let whole = search(store, &request(Query::MatchAll, vec![sort("id", Order::Asc)], 100)).await;
        for size in [1, 3, 8, 100] {
            let mut pages: Vec<Vec<String>> = Vec::new();
            let mut take = |page: SearchResponse| {
                pages.push(ids(&page));
                ControlFlow::Continue(())
            };
            let paged = store.for_each_page(&request(Query::MatchAll, order.clone(), size), &mut take).await;
            let paged = paged.expect("pages");
            assert!(!paged.is_partial(), "{paged:?}");
            assert_eq!((paged.total, paged.hits), (8, 8));
            assert!(pages.iter().all(|page| page.len() <= size && !page.is_empty()), "{pages:?}");
            let mut seen: Vec<_> = pages.concat();
            if order.first().is_some_and(|sort| sort.field == "timestamp") {
                assert_eq!(seen[..2], ["a08", "a07"]);
            }
            seen.sort();
            assert_eq!(seen, ids(&whole), "{size} at once");
        }
    }
    let mut count = 0;
    let mut stop = |_: SearchResponse| {
        count += 1;
        ControlFlow::Break(())
    };
    let paged = store.for_each_page(&request(Query::MatchAll, Vec::new(), 2), &mut stop).await.expect("pages");
    assert_eq!((count, paged.pages, paged.hits), (1, 1, 2));
    let none = Query::field("rule.id", Clause::term("1"));
    let mut never = |page: SearchResponse| panic!("a page without documents: {page:?}");
    assert_eq!(store.for_each_page(&request(none, Vec::new(), 2), &mut never).await.expect("no pages").total, 0);
}

async fn batches(store: &dyn AlertStore) {
    let rule = |id: &str| request(Query::field("rule.id", Clause::term(id)), vec![sort("id", Order::Asc)], 10);
    // More than any store sends at once.
    let many: Vec<SearchRequest> = (0..150).map(|number| rule(if number % 2 == 0 { "5710" } else { "550" })).collect();
    let answers = store.multi_search(&many).await.expect("a batch");
    assert_eq!(answers.len(), many.len());
    for (number, answer) in answers.into_iter().enumerate() {
        let wanted: &[&str] = if number % 2 == 0 { &["a01", "a02", "a03"] } else { &["a06"] };
        assert_eq!(ids(&answer.expect("a search that can be run")), wanted);
    }
    assert!(store.multi_search(&[]).await.expect("an empty batch").is_empty());
    // One that is refused does not cost the others.
    let refused = request(broken_expression(), Vec::new(), 10);
    let answers = store.multi_search(&[rule("5710"), refused, rule("550")]).await.expect("a batch");
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let mut counted = rule("5710");
    counted.aggregation = Some(Aggregation::Buckets {
        fields: vec!["id".to_owned()],
        timestamp: "timestamp".to_owned(),
        size: 2,
        after: None,
    });
    let answers = store.multi_search(&[counted]).await.expect("a batch");
    assert_eq!(answers[0].as_ref().expect("a search that can be run").buckets.len(), 3);
}

fn broken_expression() -> Query {
    Query::field("data.url", Clause::Regexp { value: "(".to_owned(), case_insensitive: false })
}

async fn refused_queries(store: &dyn AlertStore) {
    let error = store.search(&request(broken_expression(), Vec::new(), 10)).await.expect_err("a broken expression");
    assert!(!error.is_retryable(), "{error}");
    assert!(!error.is_auth(), "{error}");
}
