//! Which alerts a search covers: the settings that surround every query.
//!
//! A [`SearchProfile`] turns a predicate into a [`SearchRequest`]: it adds the time range, what must and must not
//! match, the rules that do not count, the order and the number of documents. It is plain data and knows no clock.
//!
//! Precedence: a non-empty [`filter`](SearchProfile::filter) replaces the time range and both match lists. The list of
//! excluded rules applies always.

mod lists;
mod since;

use std::collections::BTreeSet;

use serde_json::Value;
use stix_model::Timestamp;

pub use lists::{ListError, Match, parse_filter, parse_matches, parse_rules, parse_sort};
pub use since::{Interval, Since, SinceError};

use crate::catalogue::{Catalogue, Envelope, Holds, IndexType, Schema};
use crate::dsl::{Aggregation, BoolQuery, Clause, Order, Query, SearchRequest, Sort, limits};

/// The paths of an alert's envelope in one schema, as the catalogue says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeFields {
    /// When the alert was raised.
    pub timestamp: String,
    /// Identifier of the agent.
    pub agent_id: String,
    /// Name of the agent.
    pub agent_name: String,
    /// Identifier of the rule.
    pub rule_id: String,
    /// Level of the rule.
    pub rule_level: String,
    /// What the rule says.
    pub rule_description: String,
}

impl EnvelopeFields {
    /// The paths of `schema`.
    pub fn new(catalogue: &Catalogue, schema: Schema) -> Self {
        let path = |part: Envelope| {
            let mut fields = catalogue.select(schema, |field| field.holds == Holds::Envelope(part));
            // The catalogue has them all, see the test below.
            fields.next().map(|field| field.path.clone().into_owned()).unwrap_or_default()
        };
        Self {
            timestamp: path(Envelope::Timestamp),
            agent_id: path(Envelope::AgentId),
            agent_name: path(Envelope::AgentName),
            rule_id: path(Envelope::RuleId),
            rule_level: path(Envelope::RuleLevel),
            rule_description: path(Envelope::RuleDescription),
        }
    }
}

/// Which alerts a search covers, in which order, and how many are returned.
///
/// ```
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::dsl::{Clause, Query};
/// use wazuh_query::profile::{SearchProfile, Since};
///
/// let now = "2026-03-14T09:26:53Z".parse()?;
/// let mut profile = SearchProfile::new(&Catalogue::builtin(), Schema::Wazuh4);
/// profile.since = Since::parse("1 week ago", now)?;
/// let request = profile.request(Query::field("data.srcip", Clause::term("203.0.113.7")), now);
/// assert_eq!(request.size, 50);
/// assert_eq!(
///     request.query.to_json(),
///     concat!(
///         r#"{"bool":{"filter":[{"term":{"data.srcip":{"value":"203.0.113.7"}}},"#,
///         r#"{"range":{"timestamp":{"gte":"2026-03-07T09:26:53.000Z"}}}],"#,
///         r#""must_not":[{"term":{"data.integration":{"value":"opencti"}}}]}}"#,
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchProfile {
    /// The index, pattern or comma list that is searched.
    pub index: String,
    /// Alerts from then on only.
    pub since: Option<Since>,
    /// Alerts up to then only.
    pub until: Option<Timestamp>,
    /// All of these must match.
    pub include_match: Vec<Match>,
    /// None of these may match.
    pub exclude_match: Vec<Match>,
    /// Alerts of these rules do not count.
    pub rule_exclude_list: BTreeSet<String>,
    /// Clauses of the query language that replace the time range and the match lists.
    pub filter: Vec<Value>,
    /// How many documents are returned.
    pub limit: usize,
    /// In which order. `timestamp` and `@timestamp` both mean the field that the schema has.
    pub order_by: Vec<Sort>,
    envelope: EnvelopeFields,
    analysed: BTreeSet<String>,
}

impl SearchProfile {
    /// Buckets that are asked for at once.
    const BUCKETS: usize = 1_000;

    /// The default settings for alerts of `schema`: all times, nothing that came from `OpenCTI`, the latest 50.
    pub fn new(catalogue: &Catalogue, schema: Schema) -> Self {
        let index = match schema {
            Schema::Wazuh4 => "wazuh-alerts-*",
            Schema::Wazuh5 => "wazuh-findings-v5-*",
        };
        let integration =
            catalogue.select(schema, |field| field.holds == Holds::Envelope(Envelope::Integration)).next();
        let integration = integration.map_or("data.integration", |field| &field.path).to_owned();
        let analysed = catalogue.select(schema, |field| field.index == IndexType::Text);
        let envelope = EnvelopeFields::new(catalogue, schema);
        Self {
            index: index.to_owned(),
            since: None,
            until: None,
            include_match: Vec::new(),
            exclude_match: vec![Match { field: integration, query: "opencti".to_owned() }],
            rule_exclude_list: BTreeSet::new(),
            filter: Vec::new(),
            limit: 50,
            order_by: vec![Sort { field: envelope.timestamp.clone(), order: Order::Desc }],
            envelope,
            analysed: analysed.map(|field| field.path.clone().into_owned()).collect(),
        }
    }

    /// The paths of the alert's envelope.
    pub fn envelope(&self) -> &EnvelopeFields {
        &self.envelope
    }

    /// The search for the documents that match `query` and are covered. `now` is what relative times count from.
    ///
    /// At most as many documents are asked for as an index returns at once; page for more.
    pub fn request(&self, query: Query, now: Timestamp) -> SearchRequest {
        SearchRequest {
            query: self.covering(query, now),
            sort: self.sort(),
            size: self.limit.min(limits::RESULT_WINDOW),
            search_after: None,
            aggregation: None,
        }
    }

    /// The same search, which also counts: see [`aggregation`](Self::aggregation).
    pub fn counting_request(&self, query: Query, now: Timestamp) -> SearchRequest {
        SearchRequest { aggregation: Some(self.aggregation()), ..self.request(query, now) }
    }

    /// The predicate together with what surrounds it.
    pub fn covering(&self, query: Query, now: Timestamp) -> Query {
        let mut filter = vec![query];
        let mut must_not = Vec::new();
        if self.filter.is_empty() {
            filter.extend(self.time_range(now));
            filter.extend(self.include_match.iter().map(|wanted| self.matching(wanted)));
            must_not.extend(self.exclude_match.iter().map(|unwanted| self.matching(unwanted)));
        } else {
            filter.extend(self.filter.iter().map(|clause| Query::Raw(Box::new(clause.clone()))));
        }
        if !self.rule_exclude_list.is_empty() {
            let rules = Clause::any(self.rule_exclude_list.iter().cloned());
            must_not.push(Query::field(self.envelope.rule_id.as_str(), rules));
        }
        if filter.len() == 1 && must_not.is_empty() {
            return filter.remove(0);
        }
        BoolQuery { filter, must_not, ..BoolQuery::default() }.into()
    }

    /// Counts per agent and rule, with the first and last time.
    ///
    /// The keys are the agent's identifier and name and the rule's identifier, level and description.
    pub fn aggregation(&self) -> Aggregation {
        let EnvelopeFields { timestamp, agent_id, agent_name, rule_id, rule_level, rule_description } = &self.envelope;
        Aggregation::Buckets {
            fields: [agent_id, agent_name, rule_id, rule_level, rule_description].map(Clone::clone).into(),
            timestamp: timestamp.clone(),
            size: Self::BUCKETS,
            after: None,
        }
    }

    fn time_range(&self, now: Timestamp) -> Option<Query> {
        let bound = |time: Timestamp| Value::from(time.to_millis().to_string()).to_string();
        let gte = self.since.map(|since| bound(since.resolve(now)));
        let lte = self.until.map(bound);
        (gte.is_some() || lte.is_some())
            .then(|| Query::field(self.envelope.timestamp.as_str(), Clause::Range { gte, lte }))
    }

    /// On fields that hold exact values a match is a term; analysed text wants its own query.
    fn matching(&self, wanted: &Match) -> Query {
        let Match { field, query } = wanted;
        if self.analysed.contains(field) {
            return Query::Raw(Box::new(serde_json::json!({"match": {field.as_str(): {"query": query}}})));
        }
        Query::field(field.as_str(), Clause::term(query.as_str()))
    }

    fn sort(&self) -> Vec<Sort> {
        let field = |field: &str| match field {
            "timestamp" | "@timestamp" => self.envelope.timestamp.clone(),
            other => other.to_owned(),
        };
        self.order_by.iter().map(|sort| Sort { field: field(&sort.field), order: sort.order }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-14T09:26:53.589Z".parse().unwrap()
    }

    fn query(profile: &SearchProfile) -> String {
        profile.request(Query::field("a", Clause::term("x")), now()).query.to_json()
    }

    fn profile(schema: Schema) -> SearchProfile {
        SearchProfile::new(&Catalogue::builtin(), schema)
    }

    #[test]
    fn both_schemas_have_an_envelope() {
        for (schema, prefix) in [(Schema::Wazuh4, ""), (Schema::Wazuh5, "wazuh.")] {
            let envelope = profile(schema).envelope;
            assert_eq!(envelope.agent_id, format!("{prefix}agent.id"));
            assert_eq!(envelope.agent_name, format!("{prefix}agent.name"));
            assert_eq!(envelope.rule_id, format!("{prefix}rule.id"));
            assert_eq!(envelope.rule_level, format!("{prefix}rule.level"));
            assert!(!envelope.rule_description.is_empty());
            assert!(!envelope.timestamp.is_empty());
        }
    }

    #[test]
    fn what_surrounds_a_query() {
        let mut profile = profile(Schema::Wazuh5);
        profile.since = Since::parse("PT1H", now()).unwrap();
        profile.until = Some(now());
        profile.include_match = parse_matches("wazuh.agent.name=web01").unwrap();
        profile.rule_exclude_list = ["5710".to_owned(), "5711".to_owned()].into();
        assert_eq!(
            query(&profile),
            concat!(
                r#"{"bool":{"filter":[{"term":{"a":{"value":"x"}}},"#,
                r#"{"range":{"@timestamp":{"gte":"2026-03-14T08:26:53.589Z","lte":"2026-03-14T09:26:53.589Z"}}},"#,
                r#"{"term":{"wazuh.agent.name":{"value":"web01"}}}],"#,
                r#""must_not":[{"term":{"wazuh.integration.name":{"value":"opencti"}}},"#,
                r#"{"terms":{"wazuh.rule.id":["5710","5711"]}}]}}"#,
            )
        );
    }

    #[test]
    fn a_filter_replaces_time_and_matches_but_not_rules() {
        let mut profile = profile(Schema::Wazuh4);
        profile.since = Since::parse("1d", now()).unwrap();
        profile.rule_exclude_list = ["5710".to_owned()].into();
        profile.filter = parse_filter(r#"[{"range": {"rule.level": {"gte": 7}}}]"#).unwrap();
        assert_eq!(
            query(&profile),
            concat!(
                r#"{"bool":{"filter":[{"term":{"a":{"value":"x"}}},{"range":{"rule.level":{"gte":7}}}],"#,
                r#""must_not":[{"term":{"rule.id":{"value":"5710"}}}]}}"#,
            )
        );
    }

    #[test]
    fn nothing_to_add_adds_nothing() {
        let mut profile = profile(Schema::Wazuh4);
        profile.exclude_match.clear();
        assert_eq!(query(&profile), r#"{"term":{"a":{"value":"x"}}}"#);
    }

    #[test]
    fn order_and_limit() {
        let mut profile = profile(Schema::Wazuh5);
        profile.order_by = parse_sort("timestamp:asc,wazuh.rule.id:desc").unwrap();
        profile.limit = 20_000;
        let request = profile.counting_request(Query::MatchAll, now());
        let sort: Vec<_> = request.sort.iter().map(|sort| (sort.field.as_str(), sort.order)).collect();
        assert_eq!(sort, [("@timestamp", Order::Asc), ("wazuh.rule.id", Order::Desc)]);
        assert_eq!(request.size, 10_000);
        assert!(request.aggregation.is_some());
    }
}
