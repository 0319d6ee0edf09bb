//! The part of the `OpenSearch` query DSL that this project speaks.
//!
//! The types mirror the JSON: a [`Query`] is a predicate and nothing else, a [`SearchRequest`] adds what to return.
//! Sorting, paging and aggregations live in the request. See the `OpenSearch` documentation, "Query DSL".

mod clause;
mod field_set;
mod query;
mod request;

pub use clause::Clause;
pub use field_set::FieldSet;
pub use query::{BoolQuery, Query};
#[cfg(feature = "opensearch")]
pub(crate) use request::AGGREGATION;
pub use request::{Aggregation, Order, SearchRequest, Sort};

/// The limits of an index with default settings. Builders stay below them and say so when something had to go.
pub mod limits {
    /// `index.max_regex_length`: characters of a regular expression.
    pub const REGEXP_CHARS: usize = 1_000;
    /// `indices.query.bool.max_clause_count`: clauses of a whole query.
    pub const CLAUSES: usize = 1_024;
    /// `index.max_terms_count`: values of one `terms` clause.
    pub const TERMS: usize = 65_536;
    /// Bytes of one indexed term; a longer keyword rejects the document.
    pub const TERM_BYTES: usize = 32_766;
    /// Bytes of a term whose case is ignored. The cluster makes an automaton of it with a state for each character, and
    /// refuses the whole search when there are more than a thousand.
    pub const FOLDED_BYTES: usize = 900;
    /// `index.max_result_window`: `from` plus `size`.
    pub const RESULT_WINDOW: usize = 10_000;
}

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}
