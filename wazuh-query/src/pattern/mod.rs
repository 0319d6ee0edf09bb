//! From STIX patterns to queries, and the plan that decides a pattern from what they find.
//!
//! A pattern becomes one [`ObservationQuery`] for each pair of brackets, and a [`Plan`] that says how their hits decide
//! the whole. **A query never loses an alert that satisfies its bracket**; it may find more, and says so. What is
//! found is then verified against [`Translation::pattern`]. Whatever has no field in the alerts is named with its place
//! ([`Unmappable`]), and [`Decides`] says what can still be known without it.
//!
//! ```
//! use stix_model::pattern::Pattern;
//! use wazuh_query::catalogue::{Catalogue, Schema};
//! use wazuh_query::pattern::{Decides, PatternOptions, PatternTranslator};
//!
//! let translator = PatternTranslator::new(&Catalogue::builtin(), Schema::Wazuh4, PatternOptions::default());
//! let pattern = Pattern::parse("[file:name = 'nc.exe' AND email-message:body LIKE '%x%'] OR [url:value = 'http://a.example/']")?;
//! let translation = translator.translate(&pattern);
//! assert_eq!(translation.observations.len(), 2);
//! assert_eq!(translation.unmappable[0].to_string(), "email-message:body, no field in Wazuh 4.x");
//! assert!(matches!(translation.decides, Decides::PositivesOnly(_)));
//! # Ok::<(), stix_model::pattern::PatternError>(())
//! ```
//!
//! The path table, which says what a path means, is in `property`; which fields hold that, and in which notation, is
//! decided in `places` by what the catalogue says about them.

mod bracket;
mod canonical;
mod compare;
mod digest;
mod equal;
mod explain;
mod hosts;
mod limit;
mod lucene;
mod places;
mod plan;
mod property;
mod reason;
mod text;
mod translation;
mod words;

use stix_model::Timestamp;
use stix_model::pattern::{
    ComparisonExpression, ObservationExpression, ObservationOperator, Pattern, QualifierKind, Span,
};

use crate::catalogue::{Catalogue, Schema};
use crate::options::SearchOptions;

pub use canonical::in_alert_terms;
pub use plan::{Decides, Plan, Scope};
pub use property::{Entity, FULL_PATH, Family, Of, Property, resolve};
pub use reason::{OverApproximation, Unknown, Unmappable, Widening};
pub use translation::{ObservationQuery, TimeRange, Translation};

use bracket::{Bracket, bracket};
use places::Places;

/// How patterns are read on alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatternOptions {
    /// Between which alerts a pattern with several observations is evaluated.
    pub scope: Scope,
    /// One object has to satisfy all that is joined with AND inside of brackets, as the standard has it; else one alert
    /// has to.
    pub same_object: bool,
    /// The address of the agent counts as an address in the alert.
    pub agent_addresses: bool,
    /// The name of the agent, or of the machine that reported the event, counts as a name in the alert.
    pub agent_names: bool,
}

/// The search options that patterns know. All others are about objects without a pattern: a pattern says itself what
/// it looks for.
impl From<&SearchOptions> for PatternOptions {
    fn from(options: &SearchOptions) -> Self {
        Self { agent_addresses: options.lookup_agent_ip, agent_names: options.lookup_agent_name, ..Self::default() }
    }
}

/// Translates patterns for one schema.
#[derive(Debug)]
pub struct PatternTranslator {
    places: Places,
    schema: Schema,
    options: PatternOptions,
}

impl PatternTranslator {
    /// A translator for alerts of `schema`.
    pub fn new(catalogue: &Catalogue, schema: Schema, options: PatternOptions) -> Self {
        Self { places: Places::new(catalogue, schema, options), schema, options }
    }

    /// The schema of the alerts.
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// How patterns are read.
    pub fn options(&self) -> PatternOptions {
        self.options
    }

    /// The paths of the fields that hold the property at the end of an object path, sorted. Empty when none does.
    pub fn fields(&self, path: &stix_model::pattern::ObjectPath) -> Vec<String> {
        let Some(property) = property::resolve(path) else { return Vec::new() };
        let sources = self.places.sources(property);
        let mut fields: Vec<String> =
            sources.iter().flat_map(|source| source.fields.iter().map(str::to_owned)).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Translates a pattern. Takes time proportional to its length and to the number of fields.
    pub fn translate(&self, pattern: &Pattern) -> Translation {
        let read = in_alert_terms(pattern);
        let mut observations = Vec::new();
        self.observations(&read.expression, TimeRange::default(), &mut observations);
        let plan = Plan::new(&read.expression, &mut 0);
        let decides = decides(&plan, &observations);
        let mut unmappable: Vec<Unmappable> =
            observations.iter().flat_map(|observation| observation.unmappable.iter().cloned()).collect();
        unmappable.sort_by_key(|one| one.span.start);
        let verifiable = self.verifiable(&read.expression);
        Translation {
            schema: self.schema,
            time_field: self.places.timestamp.iter().next().map(Box::from),
            scope: self.options.scope,
            same_object: self.options.same_object,
            observations,
            plan,
            decides,
            unmappable,
            pattern: verifiable.map(|expression| Pattern { version: read.version, expression }),
        }
    }

    fn observations(&self, expression: &ObservationExpression, time: TimeRange, into: &mut Vec<ObservationQuery>) {
        match expression {
            ObservationExpression::Observation { comparison, span } => {
                let Bracket { queries, decides, widened, unmappable } =
                    bracket(&self.places, self.schema, self.options, comparison);
                let queries = queries.into_iter().map(|query| time.restrict(query, &self.places.timestamp)).collect();
                into.push(ObservationQuery { span: *span, queries, time, decides, widened, unmappable });
            }
            ObservationExpression::Combined { operands, .. } => {
                for operand in operands {
                    self.observations(operand, time, into);
                }
            }
            ObservationExpression::Qualified { expression, qualifier, .. } => {
                let time = match qualifier.kind {
                    QualifierKind::StartStop { start, stop } => time.intersect(start, stop),
                    _ => time,
                };
                self.observations(expression, time, into);
            }
        }
    }

    /// The expression without the parts of which alerts say nothing. `None` when nothing is left that can be true.
    fn verifiable(&self, expression: &ObservationExpression) -> Option<ObservationExpression> {
        Some(match expression {
            ObservationExpression::Observation { comparison, span } => {
                ObservationExpression::Observation { comparison: self.verifiable_comparison(comparison)?, span: *span }
            }
            ObservationExpression::Combined { operator: ObservationOperator::Or, operands, span } => {
                let operands: Vec<_> = operands.iter().filter_map(|operand| self.verifiable(operand)).collect();
                match <[ObservationExpression; 1]>::try_from(operands) {
                    Ok([one]) => one,
                    Err(operands) if operands.is_empty() => return None,
                    Err(operands) => {
                        ObservationExpression::Combined { operator: ObservationOperator::Or, operands, span: *span }
                    }
                }
            }
            ObservationExpression::Combined { operator, operands, span } => ObservationExpression::Combined {
                operator: *operator,
                operands: operands.iter().map(|operand| self.verifiable(operand)).collect::<Option<_>>()?,
                span: *span,
            },
            ObservationExpression::Qualified { expression, qualifier, span } => ObservationExpression::Qualified {
                expression: Box::new(self.verifiable(expression)?),
                qualifier: qualifier.clone(),
                span: *span,
            },
        })
    }

    fn verifiable_comparison(&self, expression: &ComparisonExpression) -> Option<ComparisonExpression> {
        Some(match expression {
            ComparisonExpression::Test(test) => {
                let known = property::resolve(&test.path).is_some_and(|one| !self.places.sources(one).is_empty());
                return known.then(|| expression.clone());
            }
            ComparisonExpression::And(operands, span) => {
                let operands = operands.iter().map(|operand| self.verifiable_comparison(operand));
                ComparisonExpression::And(operands.collect::<Option<_>>()?, *span)
            }
            ComparisonExpression::Or(operands, span) => {
                let operands: Vec<_> =
                    operands.iter().filter_map(|operand| self.verifiable_comparison(operand)).collect();
                match <[ComparisonExpression; 1]>::try_from(operands) {
                    Ok([one]) => one,
                    Err(operands) if operands.is_empty() => return None,
                    Err(operands) => ComparisonExpression::Or(operands, *span),
                }
            }
        })
    }
}

/// What can be said of a plan.
fn decides(plan: &Plan, observations: &[ObservationQuery]) -> Decides {
    let each = |parts: &[Plan]| parts.iter().map(|part| decides(part, observations)).collect::<Vec<_>>();
    match plan {
        Plan::Observation(place) => {
            observations.get(*place).map_or(Decides::AfterVerification, |observation| observation.decides.clone())
        }
        Plan::Any(parts) => Decides::any(each(parts)),
        Plan::All(parts) | Plan::InOrder(parts) => Decides::all(each(parts), false),
        Plan::During { of, .. } => decides(of, observations),
        Plan::Within { of, .. } | Plan::Repeats { of, .. } => {
            Decides::all([decides(of, observations)], of.is_single() && plan.is_single())
        }
    }
}

/// When a span of time begins and ends, by the qualifiers around an observation.
impl TimeRange {
    fn intersect(self, start: Timestamp, stop: Timestamp) -> Self {
        let later = |known: Option<Timestamp>| Some(known.map_or(start, |known| known.max(start)));
        let earlier = |known: Option<Timestamp>| Some(known.map_or(stop, |known| known.min(stop)));
        Self { start: later(self.start), stop: earlier(self.stop) }
    }
}

/// What stands at a span of a pattern, on one line and shortened.
fn shown(text: &str, span: Span) -> String {
    let text = span.text(text);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(120) {
        words.truncate(cut);
        words.push('…');
    }
    words
}
