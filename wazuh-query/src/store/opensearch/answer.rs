//! Reading the answers of the search API.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use stix_model::Timestamp;

use super::retry::{reasons_of, shown};
use crate::dsl::AGGREGATION;
use crate::store::{Bucket, Hit, SearchResponse, ShardFailure, Shards, Skipped, StoreErrorKind};

/// One answer, with what is needed to go on.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) response: SearchResponse,
    /// Where the next page of buckets starts.
    pub(super) after: Option<Value>,
    /// The point in time to use from now on.
    pub(super) pit: Option<String>,
    /// How many hits stood in the answer, and the place of the last one: odd ones count here.
    pub(super) returned: usize,
    pub(super) last_sort: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    took: u64,
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: BodyShards,
    hits: Hits,
    #[serde(default)]
    aggregations: Option<Value>,
    #[serde(default)]
    pit_id: Option<String>,
}

#[derive(Deserialize)]
struct BodyShards {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    successful: u64,
    #[serde(default)]
    skipped: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    failures: Vec<Value>,
}

#[derive(Deserialize)]
struct Hits {
    total: Value,
    #[serde(default)]
    hits: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct BodyHit {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_source")]
    source: Box<RawValue>,
    #[serde(default)]
    sort: Vec<Value>,
}

/// Reads the answer to one search. `fields` are those of the request's aggregation.
pub(super) fn search(body: &str, fields: Option<&[String]>) -> Result<Answer, StoreErrorKind> {
    let parse = |what: String| StoreErrorKind::Parse { what, excerpt: shown(body) };
    let read: Body = serde_json::from_str(body).map_err(|error| parse(error.to_string()))?;
    let total = match &read.hits.total {
        Value::Object(total) if total.get("relation").is_some_and(|relation| relation != "eq") => {
            return Err(parse("the total is not exact".to_owned()));
        }
        Value::Object(total) => total.get("value").and_then(Value::as_u64),
        // With `rest_total_hits_as_int`, and before version 1.
        total => total.as_u64(),
    };
    let total = total.ok_or_else(|| parse("`hits.total` is missing".to_owned()))?;
    let mut skipped = Skipped::default();
    let mut hits = Vec::with_capacity(read.hits.hits.len());
    let mut last_sort = None;
    for raw in &read.hits.hits {
        last_sort = last_sort_of(raw);
        match serde_json::from_str::<BodyHit>(raw.get()) {
            Ok(BodyHit { index, id, source, sort }) if source.get().starts_with('{') => {
                hits.push(Hit { index, id, source, sort });
            }
            Ok(hit) => skipped.add(|| format!("{}/{}: `_source` is no object", hit.index, hit.id)),
            Err(error) => skipped.add(|| format!("a hit cannot be read: {error}")),
        }
    }
    let (buckets, after) = match fields {
        Some(fields) => buckets(read.aggregations.as_ref(), fields).map_err(parse)?,
        None => (Vec::new(), None),
    };
    let response = SearchResponse {
        total,
        hits,
        buckets,
        shards: shards(&read.shards),
        timed_out: read.timed_out,
        took: Duration::from_millis(read.took),
        skipped,
    };
    Ok(Answer { response, after, pit: read.pit_id, returned: read.hits.hits.len(), last_sort })
}

fn last_sort_of(raw: &RawValue) -> Option<Vec<Value>> {
    #[derive(Deserialize)]
    struct Sorted {
        sort: Vec<Value>,
    }
    serde_json::from_str::<Sorted>(raw.get()).ok().map(|sorted| sorted.sort)
}

fn shards(read: &BodyShards) -> Shards {
    let mut failures: Vec<ShardFailure> = Vec::new();
    for failure in &read.failures {
        let index = failure["index"].as_str().unwrap_or("?").to_owned();
        let reasons = reasons_of(&failure["reason"]);
        let reason = if reasons.is_empty() { shown(&failure.to_string()) } else { reasons.join("; ") };
        let failure = ShardFailure { index, reason };
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
    // A shard without any copy that could answer is no failure to the cluster: it is missing among the successful ones
    // only.
    let silent = read.total.saturating_sub(read.successful).saturating_sub(read.failed);
    if silent > 0 {
        failures
            .push(ShardFailure { index: "?".to_owned(), reason: format!("{silent} shards have no copy that works") });
    }
    Shards {
        total: read.total,
        successful: read.successful,
        skipped: read.skipped,
        failed: read.failed + silent,
        failures,
    }
}

fn buckets(aggregations: Option<&Value>, fields: &[String]) -> Result<(Vec<Bucket>, Option<Value>), String> {
    let Some(found) = aggregations.and_then(|all| all.get(AGGREGATION)) else {
        return Err("the aggregation is not answered".to_owned());
    };
    let list = found["buckets"].as_array().ok_or("the aggregation has no buckets")?;
    let time = |bucket: &Value, name: &str| {
        let millis = bucket[name]["value"].as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of a date, which the cluster counts in 64 bits"
        )]
        Timestamp::from_unix_millis(millis as i64)
    };
    let read = |bucket: &Value| {
        let count = bucket["doc_count"].as_u64().ok_or("a bucket has no count")?;
        let key = bucket["key"].as_object().ok_or("a bucket has no key")?;
        let key = fields.iter().map(|field| key.get(field).filter(|value| !value.is_null()).cloned()).collect();
        Ok::<_, String>(Bucket {
            key,
            count,
            first_seen: time(bucket, "first_seen"),
            last_seen: time(bucket, "last_seen"),
        })
    };
    let buckets = list.iter().map(read).collect::<Result<_, _>>()?;
    Ok((buckets, found.get("after_key").filter(|_| !list.is_empty()).cloned()))
}

/// One member of the answer to a batch: a status of its own, and the text to read.
pub(super) struct Member {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Reads the answer to a batch of `wanted` searches.
pub(super) fn batch(body: &str, wanted: usize) -> Result<Vec<Member>, StoreErrorKind> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        responses: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        status: Option<u16>,
        #[serde(default)]
        error: Option<serde::de::IgnoredAny>,
    }
    let parse = |what: String| StoreErrorKind::Parse { what, excerpt: shown(body) };
    let read: Batch<'_> = serde_json::from_str(body).map_err(|error| parse(error.to_string()))?;
    if read.responses.len() != wanted {
        return Err(parse(format!("{wanted} searches were asked for and {} answered", read.responses.len())));
    }
    let member = |raw: &&RawValue| {
        let said = serde_json::from_str::<Status>(raw.get()).unwrap_or(Status { status: None, error: None });
        // An error without a status is the server's.
        let status = said.status.unwrap_or(if said.error.is_some() { 500 } else { 200 });
        Member { status, body: raw.get().to_owned() }
    };
    Ok(read.responses.iter().map(member).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_hits_cost_themselves() {
        let body = r#"{"took":3,"timed_out":false,"_shards":{"total":2,"successful":1,"skipped":0,"failed":1,
            "failures":[{"shard":0,"index":"a","reason":{"type":"x","reason":"boom"}},
                        {"shard":1,"index":"a","reason":{"type":"x","reason":"boom"}}]},
            "hits":{"total":{"value":4,"relation":"eq"},"hits":[
                {"_index":"a","_id":"1","_source":{"rule":{}},"sort":[5]},
                {"_index":"a","_id":"2","_source":[1],"sort":[6]},
                {"_index":"a","_id":"3","sort":[7]},
                {"_index":"a","_source":{},"sort":[8]}]}}"#;
        let answer = search(body, None).unwrap();
        assert_eq!(answer.response.hits.len(), 1);
        assert_eq!(answer.response.skipped.count, 3);
        assert_eq!(answer.last_sort, Some(vec![8.into()]));
        assert!(answer.response.is_partial());
        assert_eq!(answer.response.shards.reasons(), "a: boom");
    }

    /// The cluster does not count a shard as failed that has no copy to ask.
    #[test]
    fn shards_that_nobody_asked_are_missing() {
        let body = r#"{"took":2,"timed_out":false,"_shards":{"total":5,"successful":4,"skipped":1,"failed":0},
            "hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;
        let response = search(body, None).unwrap().response;
        assert!(response.is_partial());
        assert_eq!(response.shards.reasons(), "?: 1 shards have no copy that works");
        assert!(matches!(response.require_usable().unwrap_err().kind(), StoreErrorKind::Partial { .. }));
    }

    #[test]
    fn answers_that_are_none() {
        for body in ["", "{}", "[]", "<html>", r#"{"_shards":{},"hits":{"hits":[]}}"#, r#"{"took":1,"hits":{"total""#] {
            assert!(matches!(search(body, None), Err(StoreErrorKind::Parse { .. })), "{body}");
        }
        let gte = r#"{"_shards":{},"hits":{"total":{"value":10000,"relation":"gte"},"hits":[]}}"#;
        assert!(search(gte, None).is_err());
    }

    #[test]
    fn buckets_keep_the_order_of_the_fields() {
        let body = r#"{"_shards":{"total":1,"successful":1},"hits":{"total":{"value":3,"relation":"eq"},"hits":[]},
            "aggregations":{"sightings":{"after_key":{"b":1,"a":"x"},"buckets":[{"key":{"b":1,"a":"x"},"doc_count":3,
            "first_seen":{"value":1.773480413589E12},"last_seen":{"value":null}}]}}}"#;
        let answer = search(body, Some(&["a".to_owned(), "b".to_owned(), "c".to_owned()])).unwrap();
        let bucket = &answer.response.buckets[0];
        assert_eq!(bucket.key, [Some("x".into()), Some(1.into()), None]);
        assert_eq!(bucket.first_seen.map(|time| time.unix_millis()), Some(1_773_480_413_589));
        assert_eq!(bucket.last_seen, None);
        assert!(answer.after.is_some());
    }
}
