//! Predicates over documents.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Clause, FieldSet, write_string};

/// A predicate over one document.
///
/// ```
/// use wazuh_query::dsl::{BoolQuery, Clause, Query};
///
/// let query = Query::from(BoolQuery {
///     filter: vec![Query::field("data.srcip", Clause::term("203.0.113.7"))],
///     ..BoolQuery::default()
/// });
/// assert_eq!(query.to_json(), r#"{"bool":{"filter":[{"term":{"data.srcip":{"value":"203.0.113.7"}}}]}}"#);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// One of several fields satisfies a clause. Written as a `bool` query with one `should` per field.
    AnyField {
        /// The fields.
        fields: FieldSet,
        /// The clause.
        clause: Clause,
    },
    /// One of several fields satisfies all of several clauses. Written as one `bool` query per field.
    AnyFieldAll {
        /// The fields.
        fields: FieldSet,
        /// The clauses.
        clauses: Vec<Clause>,
    },
    /// A combination of queries.
    Bool(Box<BoolQuery>),
    /// One field satisfies a clause.
    Field {
        /// The field's name.
        field: Box<str>,
        /// The clause.
        clause: Clause,
    },
    /// Every document.
    MatchAll,
    /// A query that a user wrote, passed through as it is.
    Raw(Box<serde_json::Value>),
}

/// A combination of queries. `must` is not offered: nothing here asks for relevance scores, and `filter` is the
/// same without them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoolQuery {
    /// All of these must match.
    pub filter: Vec<Query>,
    /// At least one of these must match, if there are any.
    pub should: Vec<Query>,
    /// None of these may match.
    pub must_not: Vec<Query>,
}

impl From<BoolQuery> for Query {
    fn from(query: BoolQuery) -> Self {
        Self::Bool(Box::new(query))
    }
}

impl Query {
    /// `field` satisfies `clause`.
    pub fn field(field: impl Into<Box<str>>, clause: Clause) -> Self {
        Self::Field { field: field.into(), clause }
    }

    /// One of `fields` satisfies `clause`.
    pub fn any_field(fields: &FieldSet, clause: Clause) -> Self {
        Self::AnyField { fields: fields.clone(), clause }
    }

    /// No document.
    pub fn nothing() -> Self {
        let none: [&str; 0] = [];
        Self::AnyField { fields: none.into_iter().collect(), clause: Clause::Exists }
    }

    /// Whether the query matches no document, because it asks for fields that do not exist.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::AnyField { fields, .. } | Self::AnyFieldAll { fields, .. } => fields.is_empty(),
            _ => false,
        }
    }

    /// At least one of `queries` matches. A single query stands for itself; one that matches nothing is left out.
    pub fn any(queries: impl IntoIterator<Item = Self>) -> Self {
        let mut should: Vec<Self> = queries.into_iter().filter(|query| !query.is_nothing()).collect();
        match should.len() {
            0 => Self::nothing(),
            1 => should.remove(0),
            _ => BoolQuery { should, ..BoolQuery::default() }.into(),
        }
    }

    /// All of `queries` match. A single query stands for itself; where one matches nothing, all of them do not.
    pub fn all(queries: impl IntoIterator<Item = Self>) -> Self {
        let mut filter: Vec<Self> = queries.into_iter().collect();
        if filter.iter().any(Self::is_nothing) {
            return Self::nothing();
        }
        match filter.len() {
            1 => filter.remove(0),
            _ => BoolQuery { filter, ..BoolQuery::default() }.into(),
        }
    }

    /// How many leaves the query has, as the cluster counts them against `indices.query.bool.max_clause_count`.
    pub fn clause_count(&self) -> usize {
        match self {
            Self::AnyField { fields, .. } => fields.len(),
            Self::AnyFieldAll { fields, clauses } => fields.len() * clauses.len(),
            Self::Bool(query) => {
                let parts = [&query.filter, &query.should, &query.must_not];
                parts.into_iter().flatten().map(Self::clause_count).sum()
            }
            Self::Field { .. } | Self::MatchAll | Self::Raw(_) => 1,
        }
    }

    /// The longest regular expression in it, in characters.
    pub fn longest_regexp(&self) -> usize {
        let length = |clause: &Clause| match clause {
            Clause::Regexp { value, .. } => value.chars().count(),
            _ => 0,
        };
        match self {
            Self::AnyField { clause, .. } | Self::Field { clause, .. } => length(clause),
            Self::AnyFieldAll { clauses, .. } => clauses.iter().map(length).max().unwrap_or(0),
            Self::Bool(query) => {
                let parts = [&query.filter, &query.should, &query.must_not];
                parts.into_iter().flatten().map(Self::longest_regexp).max().unwrap_or(0)
            }
            Self::MatchAll | Self::Raw(_) => 0,
        }
    }

    /// The query as JSON text. The same query gives the same bytes.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::AnyField { fields, .. } | Self::AnyFieldAll { fields, .. } => {
                if fields.is_empty() {
                    // No field, no match. An empty `should` would match everything.
                    out.push_str("{\"match_none\":{}}");
                    return;
                }
                out.push_str("{\"bool\":{\"should\":[");
                self.write_alternatives(out);
                out.push_str("],\"minimum_should_match\":1}}");
            }
            Self::Bool(query) => query.write(out),
            Self::Field { field, clause } => {
                let (open, close) = clause.json_around_field();
                out.push_str(open);
                write_string(out, field);
                out.push_str(&close);
            }
            Self::MatchAll => out.push_str("{\"match_all\":{}}"),
            Self::Raw(value) => out.push_str(&value.to_string()),
        }
    }

    /// Writes the query as members of a `should` list, without a `bool` of its own where none is needed.
    fn write_alternatives(&self, out: &mut String) {
        match self {
            Self::AnyField { fields, clause } if !fields.is_empty() => {
                let (open, close) = clause.json_around_field();
                out.reserve(fields.len() * (open.len() + close.len() + 40));
                for (place, (name, nested)) in fields.json().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    within_nested(out, nested, |out| write_around(out, open, name, &close));
                }
            }
            Self::AnyFieldAll { fields, clauses } if !fields.is_empty() => {
                let around: Vec<_> = clauses.iter().map(Clause::json_around_field).collect();
                for (place, (name, nested)) in fields.json().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    within_nested(out, nested, |out| {
                        out.push_str("{\"bool\":{\"filter\":[");
                        for (place, (open, close)) in around.iter().enumerate() {
                            if place > 0 {
                                out.push(',');
                            }
                            write_around(out, open, name, close);
                        }
                        out.push_str("]}}");
                    });
                }
            }
            _ => self.write(out),
        }
    }
}

/// Writes a query so that it looks into nested objects. Indices that do not have the list are passed over.
fn within_nested(out: &mut String, nested: Option<&str>, write: impl FnOnce(&mut String)) {
    let Some(path) = nested else { return write(out) };
    out.push_str("{\"nested\":{\"path\":");
    write_string(out, path);
    out.push_str(",\"query\":");
    write(out);
    out.push_str(",\"ignore_unmapped\":true}}");
}

fn write_around(out: &mut String, open: &str, name: &str, close: &str) {
    out.push_str(open);
    out.push_str(name);
    out.push_str(close);
}

impl BoolQuery {
    fn write(&self, out: &mut String) {
        out.push_str("{\"bool\":{");
        let mut first = true;
        let mut open = |out: &mut String, name: &str| {
            if !first {
                out.push(',');
            }
            first = false;
            out.push('"');
            out.push_str(name);
            out.push_str("\":[");
        };
        let list = |out: &mut String, queries: &[Query], inline: bool| {
            for (place, query) in queries.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                if inline { query.write_alternatives(out) } else { query.write(out) }
            }
            out.push(']');
        };
        if !self.filter.is_empty() {
            open(out, "filter");
            list(out, &self.filter, false);
        }
        if !self.should.is_empty() {
            open(out, "should");
            list(out, &self.should, true);
            out.push_str(",\"minimum_should_match\":1");
        }
        if !self.must_not.is_empty() {
            open(out, "must_not");
            list(out, &self.must_not, false);
        }
        out.push_str("}}");
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_json()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}
