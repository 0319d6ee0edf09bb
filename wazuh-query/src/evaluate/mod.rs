//! Evaluating queries on documents, without a cluster.
//!
//! [`matches`] answers as an index with Wazuh's template would: text is an exact keyword, `ip` fields understand CIDR
//! notation, numbers compare as numbers, any member of a list counts, values longer than `ignore_above` are not found.
//! It is the engine of the embedded alert store and the oracle of the tests.

mod document;
mod leaf;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

pub use document::Document;

use crate::catalogue::{Catalogue, IndexType, Schema};
use crate::dsl::{BoolQuery, Clause, Query};
use crate::regexp::{Regexp, RegexpError};

/// Keywords of Wazuh 5 longer than this are stored but not indexed. Wazuh 4 has no such limit.
pub const WAZUH_5_IGNORE_ABOVE: usize = 1_024;

/// Why a query cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A regular expression that Lucene would refuse, or that is not run here.
    #[error("`{expression}`: {error}")]
    Regexp {
        /// The expression.
        expression: String,
        /// What is wrong.
        error: RegexpError,
    },
    /// A part of the DSL that the local evaluator does not know.
    #[error("`{0}` is not evaluated outside of OpenSearch")]
    Unsupported(String),
}

/// Evaluates queries on documents of one schema.
///
/// ```
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::dsl::{Clause, Query};
/// use wazuh_query::evaluate::Evaluator;
///
/// let catalogue = Catalogue::builtin();
/// let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
/// let alert = serde_json::json!({"data": {"srcip": "203.0.113.7"}});
/// assert!(evaluator.matches(&Query::field("data.srcip", Clause::term("203.0.113.7")), &alert)?);
/// assert!(!evaluator.matches(&Query::field("data.srcip", Clause::term("203.0.113.70")), &alert)?);
/// # Ok::<(), wazuh_query::evaluate::EvaluateError>(())
/// ```
#[derive(Debug)]
pub struct Evaluator<'c> {
    catalogue: &'c Catalogue,
    schema: Schema,
    // The same few expressions run on every document.
    regexps: RefCell<BTreeMap<(String, bool), Regexp>>,
}

impl<'c> Evaluator<'c> {
    /// An evaluator for documents of `schema`, mapped as the catalogue says and otherwise as Wazuh's templates do.
    pub fn new(catalogue: &'c Catalogue, schema: Schema) -> Self {
        Self { catalogue, schema, regexps: RefCell::default() }
    }

    /// Whether `query` matches the document.
    pub fn matches(&self, query: &Query, document: &Value) -> Result<bool, EvaluateError> {
        self.query(query, &Document::new(document))
    }

    fn query(&self, query: &Query, document: &Document<'_>) -> Result<bool, EvaluateError> {
        match query {
            Query::MatchAll => Ok(true),
            Query::Field { field, clause } => {
                self.compile(clause)?;
                // Nested objects are documents of their own; a clause without a `nested` query does not see them.
                let id = self.catalogue.find(self.schema, field);
                let is_nested = id.is_some_and(|id| self.catalogue.field(id).nested.is_some());
                Ok(!is_nested && self.clause(field, clause, document))
            }
            Query::AnyField { fields, clause } => {
                self.compile(clause)?;
                Ok(fields.iter().any(|field| self.clause(field, clause, document)))
            }
            Query::AnyFieldAll { fields, clauses } => {
                clauses.iter().try_for_each(|clause| self.compile(clause))?;
                let all = |field: &str, nested: Option<&str>| match nested {
                    None => clauses.iter().all(|clause| self.clause(field, clause, document)),
                    Some(list) => {
                        let mut found = false;
                        document.each_member(list, &mut |member| {
                            let member = member.at(list);
                            found = found || clauses.iter().all(|clause| self.clause(field, clause, &member));
                        });
                        found
                    }
                };
                Ok(fields.with_nested().any(|(field, nested)| all(field, nested)))
            }
            Query::Bool(query) => self.bool_query(query, document),
            Query::Raw(value) => self.query(&read_raw(value)?, document),
        }
    }

    fn bool_query(&self, query: &BoolQuery, document: &Document<'_>) -> Result<bool, EvaluateError> {
        let BoolQuery { filter, should, must_not } = query;
        let matches = |query| self.query(query, document);
        let refuted = any(filter, |query| matches(query).map(|matched| !matched))? || any(must_not, matches)?;
        Ok(!refuted && (should.is_empty() || any(should, matches)?))
    }

    /// Whether a field satisfies a clause that was compiled.
    fn clause(&self, field: &str, clause: &Clause, document: &Document<'_>) -> bool {
        // Most documents lack most fields, so the mapping is looked up when there is a value.
        let mut mapped = None;
        let mut found = false;
        document.each(field, &mut |value| {
            let find = || self.catalogue.find(self.schema, field).map(|id| self.catalogue.field(id).index);
            found = found || self.value(*mapped.get_or_insert_with(find), clause, value);
        });
        found
    }

    fn value(&self, mapped: Option<IndexType>, clause: &Clause, value: &Value) -> bool {
        // A field without a mapping of its own gets the one that its JSON type asks for.
        let index = mapped.unwrap_or(match value {
            Value::Number(number) if number.is_f64() => IndexType::Double,
            Value::Number(_) => IndexType::Long,
            Value::Bool(_) => IndexType::Boolean,
            _ => IndexType::Keyword,
        });
        let regexp = |expression: &str, case_insensitive: bool, text: &str| {
            let regexps = self.regexps.borrow();
            regexps.get(&(expression.to_owned(), case_insensitive)).is_some_and(|regexp| regexp.matches(text))
        };
        let ignore_above = (self.schema == Schema::Wazuh5).then_some(WAZUH_5_IGNORE_ABOVE);
        leaf::matches(index, ignore_above, clause, value, &regexp)
    }

    /// Fails when a regular expression cannot be run, also where no document has the field.
    fn compile(&self, clause: &Clause) -> Result<(), EvaluateError> {
        let Clause::Regexp { value: expression, case_insensitive } = clause else { return Ok(()) };
        let key = (expression.to_owned(), *case_insensitive);
        if !self.regexps.borrow().contains_key(&key) {
            let error = |error| EvaluateError::Regexp { expression: expression.to_owned(), error };
            let regexp = Regexp::new(expression, *case_insensitive).map_err(error)?;
            self.regexps.borrow_mut().insert(key, regexp);
        }
        Ok(())
    }
}

/// Like `Iterator::any`, for tests that can fail.
fn any<T>(
    items: impl IntoIterator<Item = T>,
    mut test: impl FnMut(T) -> Result<bool, EvaluateError>,
) -> Result<bool, EvaluateError> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a query that a user wrote in the DSL, as far as it uses clauses that the evaluator knows.
fn read_raw(value: &Value) -> Result<Query, EvaluateError> {
    let unsupported = || EvaluateError::Unsupported(value.to_string());
    let (kind, body) = single(value).ok_or_else(unsupported)?;
    match kind {
        "match_all" => return Ok(Query::MatchAll),
        "bool" => return read_raw_bool(body),
        "exists" => {
            let field = body.get("field").and_then(Value::as_str).ok_or_else(unsupported)?;
            return Ok(Query::field(field, Clause::Exists));
        }
        _ => {}
    }
    let (field, body) = single(body).ok_or_else(unsupported)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value_of = |names: &[&str]| match body {
        Value::Object(members) => names.iter().find_map(|name| members.get(*name)).map(&text),
        Value::Array(_) => None,
        short => Some(text(short)),
    };
    let case_insensitive = body.get("case_insensitive").and_then(Value::as_bool).unwrap_or(false);
    let clause = match kind {
        // On fields that are not analysed a match is a term.
        "term" | "match" => {
            Clause::Term { value: value_of(&["value", "query"]).ok_or_else(unsupported)?, case_insensitive }
        }
        "prefix" => Clause::Prefix { value: value_of(&["value"]).ok_or_else(unsupported)?, case_insensitive },
        "regexp" => Clause::Regexp { value: value_of(&["value"]).ok_or_else(unsupported)?, case_insensitive },
        "wildcard" => {
            Clause::Wildcard { value: value_of(&["value", "wildcard"]).ok_or_else(unsupported)?, case_insensitive }
        }
        "terms" => Clause::Terms(body.as_array().ok_or_else(unsupported)?.iter().map(text).collect()),
        "range" => {
            let members = body.as_object().ok_or_else(unsupported)?;
            if members.keys().any(|name| !matches!(name.as_str(), "gte" | "lte" | "boost" | "format")) {
                return Err(unsupported());
            }
            let bound = |name| members.get(name).map(Value::to_string);
            Clause::Range { gte: bound("gte"), lte: bound("lte") }
        }
        _ => return Err(unsupported()),
    };
    Ok(Query::field(field, clause))
}

fn read_raw_bool(body: &Value) -> Result<Query, EvaluateError> {
    let members = body.as_object().ok_or_else(|| EvaluateError::Unsupported(body.to_string()))?;
    let mut query = BoolQuery::default();
    for (name, value) in members {
        let list = match value {
            Value::Array(list) => list.iter().map(read_raw).collect::<Result<Vec<_>, _>>(),
            one => read_raw(one).map(|query| vec![query]),
        };
        match name.as_str() {
            "filter" | "must" => query.filter.extend(list?),
            "should" => query.should = list?,
            "must_not" => query.must_not = list?,
            "boost" => {}
            "minimum_should_match" if value == 1 => {}
            _ => return Err(EvaluateError::Unsupported(name.clone())),
        }
    }
    // Beside `must` or `filter`, `should` only ranks unless a minimum is asked for.
    if !query.filter.is_empty() && !members.contains_key("minimum_should_match") {
        query.should.clear();
    }
    Ok(query.into())
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object()?;
    let mut members = members.iter();
    let (name, value) = members.next()?;
    members.next().is_none().then_some((name.as_str(), value))
}
