//! A translated pattern.

use serde_json::{Value, json};
use stix_model::Timestamp;
use stix_model::pattern::{Pattern, Span};

use super::plan::{Decides, Plan, Scope};
use super::reason::{OverApproximation, Unmappable};
use super::{compare, shown};
use crate::catalogue::Schema;
use crate::dsl::{Clause, FieldSet, Order, Query, SearchRequest, Sort};

/// A pattern as queries, and what their hits say.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Translation {
    /// The schema of the alerts.
    pub schema: Schema,
    /// The field with the time of an alert.
    pub time_field: Option<Box<str>>,
    /// Between which alerts the pattern is evaluated.
    pub scope: Scope,
    /// Whether one object has to satisfy all that is joined with AND inside of brackets.
    pub same_object: bool,
    /// One for each pair of brackets, in the order in which they were written.
    pub observations: Vec<ObservationQuery>,
    /// How the observations decide the pattern.
    pub plan: Plan,
    /// What can be said at all.
    pub decides: Decides,
    /// Everything of which alerts say nothing, in the order in which it was written.
    pub unmappable: Vec<Unmappable>,
    /// What hits are verified against: the pattern in the notation of alerts, without the parts of which they say
    /// nothing. `None` when nothing of it can be true then.
    pub pattern: Option<Pattern>,
}

/// The translation of one pair of brackets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ObservationQuery {
    /// The brackets and what is between them.
    pub span: Span,
    /// Queries that together find every alert that satisfies the brackets in the time that counts. One as a rule,
    /// several where one would have too many clauses, none where there is nothing to search for.
    pub queries: Vec<Query>,
    /// The time that counts, by `START … STOP …`. The queries ask for it already.
    pub time: TimeRange,
    /// What the hits say.
    pub decides: Decides,
    /// The parts for which the queries find more than was asked for.
    pub widened: Vec<OverApproximation>,
    /// The parts of which alerts say nothing.
    pub unmappable: Vec<Unmappable>,
}

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment that counts.
    pub start: Option<Timestamp>,
    /// The first moment that does not count any more.
    pub stop: Option<Timestamp>,
}

impl TimeRange {
    /// Only what was raised in this time.
    pub(super) fn restrict(self, query: Query, timestamp: &FieldSet) -> Query {
        let Self { start, stop } = self;
        if (start.is_none() && stop.is_none()) || timestamp.is_empty() {
            return query;
        }
        let gte = start.map(compare::millis);
        // Alerts have milliseconds, so the last one that counts is the one before.
        let before = |stop: Timestamp| {
            let whole = Timestamp::from_unix_millis(stop.unix_millis()).unwrap_or(stop);
            if whole < stop { whole } else { Timestamp::from_unix_millis(stop.unix_millis() - 1).unwrap_or(stop) }
        };
        let lte = stop.map(before).map(compare::millis);
        let time = Query::any_field(timestamp, Clause::Range { gte, lte });
        if query == Query::MatchAll { time } else { Query::all([query, time]) }
    }
}

impl ObservationQuery {
    /// Whether the queries find nothing but what satisfies the brackets.
    pub fn is_exact(&self) -> bool {
        self.decides == Decides::Exactly
    }

    /// One query for all of them. It may have more clauses than a cluster allows; see [`queries`](Self::queries).
    pub fn query(&self) -> Query {
        if self.queries.contains(&Query::MatchAll) {
            return Query::MatchAll;
        }
        Query::any(self.queries.iter().cloned())
    }
}

impl Translation {
    /// Whether the pattern can be searched and verified at all.
    pub fn is_decidable(&self) -> bool {
        self.pattern.is_some() && self.decides.is_decidable()
    }

    /// The requests that fetch what the queries of an observation find, oldest first, `size` documents a page.
    pub fn requests(&self, observation: &ObservationQuery, size: usize) -> Vec<SearchRequest> {
        let sort = self.time_field.iter().map(|field| Sort { field: field.to_string(), order: Order::Asc });
        let sort: Vec<Sort> = sort.collect();
        let request = |query: &Query| SearchRequest {
            query: query.clone(),
            sort: sort.clone(),
            size,
            search_after: None,
            aggregation: None,
        };
        observation.queries.iter().map(request).collect()
    }

    /// As JSON. `text` is the pattern as it was written, to show the parts that are spoken of.
    pub fn to_value(&self, text: &str) -> Value {
        let observations: Vec<Value> = self.observations.iter().map(|one| one.to_value(text)).collect();
        json!({
            "pattern": text,
            "schema": self.schema,
            "scope": self.scope.name(),
            "and": if self.same_object { "same-object" } else { "event" },
            "observations": observations,
            "plan": self.plan.to_value(),
            "decides": decided(&self.decides, text),
            "unmappable": self.unmappable.iter().map(unmappable).collect::<Vec<_>>(),
            "verified": self.pattern.as_ref().map(ToString::to_string),
        })
    }
}

impl ObservationQuery {
    /// As JSON, without the queries of the others. `text` is the pattern as it was written.
    pub fn to_value(&self, text: &str) -> Value {
        let queries: Vec<Value> =
            self.queries.iter().map(|query| serde_json::from_str(&query.to_json()).unwrap_or_default()).collect();
        let widened = |one: &OverApproximation| {
            json!({
                "span": span(one.span),
                "text": shown(text, one.span),
                "what": one.widening.name(),
                "why": one.widening.to_string(),
            })
        };
        let mut value = json!({
            "span": span(self.span),
            "text": shown(text, self.span),
            "queries": queries,
            "exact": self.is_exact(),
            "over_approximated": self.widened.iter().map(widened).collect::<Vec<_>>(),
            "unmappable": self.unmappable.iter().map(unmappable).collect::<Vec<_>>(),
            "decides": decided(&self.decides, text),
        });
        for (name, time) in [("start", self.time.start), ("stop", self.time.stop)] {
            if let Some(time) = time {
                value[name] = time.to_string().into();
            }
        }
        value
    }
}

fn span(span: Span) -> Value {
    json!([span.start, span.end])
}

fn unmappable(one: &Unmappable) -> Value {
    json!({"span": span(one.span), "path": one.path, "reason": one.reason.to_string()})
}

fn decided(decides: &Decides, text: &str) -> Value {
    let unknown = decides.unknown().iter().map(|one| json!({"span": span(*one), "text": shown(text, *one)}));
    json!({"how": decides.name(), "unknown": unknown.collect::<Vec<_>>()})
}
