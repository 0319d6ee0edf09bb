//! A search: which documents, in which order, how many, and what to count.

use serde::Serialize;
use serde_json::{Value, json};

use super::Query;

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// One key of a sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub field: String,
    /// The direction.
    pub order: Order,
}

/// What to count over all matching documents, however many are returned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregation {
    /// One bucket per distinct combination of `fields`, with the number of documents and the first and last
    /// `timestamp`. Written as a `composite` aggregation, which pages and so is exact.
    Buckets {
        /// The fields whose values make a bucket. A document without one is counted under `null`.
        fields: Vec<String>,
        /// The date field of first and last.
        timestamp: String,
        /// Buckets per page.
        size: usize,
        /// Where the next page starts: `after_key` of the page before.
        after: Option<Value>,
    },
}

/// The name under which a request's aggregation is answered.
pub(crate) const AGGREGATION: &str = "sightings";

impl Aggregation {
    /// The value of the request's `aggs`.
    pub fn to_value(&self) -> Value {
        let Self::Buckets { fields, timestamp, size, after } = self;
        let source = |field: &String| {
            let mut source = serde_json::Map::new();
            source.insert(field.clone(), json!({"terms": {"field": field, "missing_bucket": true}}));
            Value::Object(source)
        };
        let mut composite = json!({"size": size, "sources": fields.iter().map(source).collect::<Vec<_>>()});
        if let Some(after) = after {
            composite["after"] = after.clone();
        }
        json!({AGGREGATION: {
            "composite": composite,
            "aggs": {
                "first_seen": {"min": {"field": timestamp}},
                "last_seen": {"max": {"field": timestamp}},
            },
        }})
    }
}

/// The body of a `_search` request.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Which documents.
    pub query: Query,
    /// In which order.
    pub sort: Vec<Sort>,
    /// How many documents to return.
    pub size: usize,
    /// Where the next page starts: the sort values of the last hit of the page before.
    pub search_after: Option<Vec<Value>>,
    /// What to count.
    pub aggregation: Option<Aggregation>,
}

impl SearchRequest {
    /// The body as JSON. Totals are always exact (`track_total_hits`).
    pub fn to_value(&self) -> Value {
        let mut body = serde_json::Map::new();
        body.insert("query".into(), serde_json::from_str(&self.query.to_json()).unwrap_or_default());
        body.insert("size".into(), self.size.into());
        body.insert("track_total_hits".into(), true.into());
        if !self.sort.is_empty() {
            let key = |sort: &Sort| {
                let mut key = serde_json::Map::new();
                key.insert(sort.field.clone(), json!({"order": sort.order, "unmapped_type": "date"}));
                Value::Object(key)
            };
            body.insert("sort".into(), self.sort.iter().map(key).collect());
        }
        if let Some(after) = &self.search_after {
            body.insert("search_after".into(), after.clone().into());
        }
        if let Some(aggregation) = &self.aggregation {
            body.insert("aggs".into(), aggregation.to_value());
        }
        Value::Object(body)
    }
}

impl Serialize for SearchRequest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}
