//! Patterns on observations: does what was observed match, where, and if not, why? (feature `matcher`)
//!
//! # Match
//!
//! ```
//! use serde_json::json;
//! use stix_model::pattern::{Pattern, matcher::{CompiledPattern, MatchOptions, Observation}};
//!
//! let pattern = Pattern::parse("[network-traffic:dst_ref.value ISSUBSET '203.0.113.64/28'] REPEATS 3 TIMES WITHIN 60 SECONDS")?;
//! let compiled = CompiledPattern::new(&pattern, &MatchOptions::standard())?;
//!
//! let bundle = [json!({"type": "bundle", "objects": [
//!     {"type": "observed-data", "first_observed": "2026-01-02T03:04:05Z", "last_observed": "2026-01-02T03:04:50Z",
//!      "number_observed": 3, "object_refs": ["network-traffic--1", "ipv4-addr--1"]},
//!     {"type": "network-traffic", "id": "network-traffic--1", "dst_ref": "ipv4-addr--1"},
//!     {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "203.0.113.77"}
//! ]})];
//! let verdict = compiled.matches(&Observation::read(&bundle)?)?;
//! assert!(verdict.matched);
//! assert_eq!(verdict.bindings[0].to_string(), "network-traffic:dst_ref.value is 203.0.113.77 in network-traffic--1 (network contains)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Readings
//!
//! Two things can be read in two ways; [`MatchOptions::standard`] has the letter of the standard, [`MatchOptions::alerts`]
//! what is meant when all objects of one alert are one observation:
//!
//! - *AND between brackets*: `[file:name = 'a' AND process:pid = 4]` asks for one object that satisfies both sides, which
//!   no object does; or for one event with objects that do ([`AndReading`]).
//! - *Values*: characters that are the same; or values that are the same: digests, domain names, addresses, MAC addresses
//!   and the domains of e-mail addresses without regard to case and notation, texts that differ in Unicode normalisation
//!   only ([`Values`]).
//!
//! # What it costs
//!
//! Compiling is linear in the pattern, except for regular expressions, which have a limit of memory. Testing a bracket
//! against an observation is linear in its tests and objects; `IN` looks values up, regular expressions run in time linear
//! in the text. Joining the brackets of several observations is decided in time linear in the candidates as long as no
//! observation is a candidate of two brackets and nothing but single brackets is repeated. Otherwise it can take time
//! exponential in the number of FOLLOWEDBY and WITHIN, of which [`MatchLimits::steps`] is the limit: the answer is then
//! [`MatchError::TooManyCombinations`].

mod bracket;
mod error;
mod explain;
mod expression;
mod fold;
mod like;
mod network;
mod observation;
mod path;
mod predicate;
mod temporal;

use std::collections::HashMap;
use std::fmt;

pub use error::MatchError;
pub use explain::{Explanation, FoundValue, TestExplanation, TestVerdict};
pub use fold::Normalisation;
pub use observation::{Observation, ObservationError, ObservationErrorKind, Seen};
pub use temporal::Bound;

use super::{ComparisonOperator, Pattern, PropertyTest, Span};
use bracket::Program;
use temporal::Plan;

/// A regular expression of `MATCHES` as the matcher runs it: in the syntax of the crate `regex`, with a dot for any
/// character. Fails with the reason for what cannot be run in linear time.
///
/// For those who run the same expression elsewhere, such as in an index.
///
/// ```
/// use stix_model::pattern::matcher::engine_expression;
///
/// assert_eq!(engine_expression("a{,2}"), Ok("a{0,2}".to_owned()));
/// assert!(engine_expression("(?=a)").is_err());
/// ```
pub fn engine_expression(text: &str) -> Result<String, String> {
    expression::engine_expression(text)
}

/// Trees that were parsed are not as deep.
const MAX_DEPTH: usize = 256;

/// How `AND` between two tests in one pair of brackets is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AndReading {
    /// One object satisfies both: the standard's reading.
    SameObject,
    /// One observation satisfies both, with the same object or two of them.
    Event,
}

impl AndReading {
    /// A name for it: `same-object` or `event`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameObject => "same-object",
            Self::Event => "event",
        }
    }
}

/// When two texts are the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// If they are the same characters: the standard's reading. Values that are no timestamp, no base64 or no reference
    /// where they have to be are errors.
    Strict,
    /// If they mean the same: below `hashes` and in the `value` of domain names, addresses, MAC addresses and e-mail
    /// addresses. Other texts are compared in Unicode normalisation form C. Values that are broken match nothing, and the
    /// names of hash algorithms may be spelled differently.
    Tolerant,
}

/// Bounds of time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchLimits {
    /// Bytes for all regular expressions of a pattern together; a single one gets at most 10 MiB.
    pub expression_memory: usize,
    /// Steps of an object path.
    pub path_steps: usize,
    /// Tests of the pattern times objects of the observations.
    pub comparisons: u64,
    /// Steps in the search for observations that serve all brackets together.
    pub steps: u64,
}

impl Default for MatchLimits {
    fn default() -> Self {
        Self { expression_memory: 64 << 20, path_steps: 64, comparisons: 200_000_000, steps: 20_000_000 }
    }
}

/// How patterns are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchOptions {
    /// How `AND` between brackets is read.
    pub and: AndReading,
    /// When two texts are the same value.
    pub values: Values,
    /// Bounds of time and memory.
    pub limits: MatchLimits,
}

impl MatchOptions {
    /// The letter of the standard.
    pub fn standard() -> Self {
        Self { and: AndReading::SameObject, values: Values::Strict, limits: MatchLimits::default() }
    }

    /// What is meant when the objects of one alert are one observation.
    pub fn alerts() -> Self {
        Self { and: AndReading::Event, values: Values::Tolerant, limits: MatchLimits::default() }
    }
}

/// A pattern that is ready to be matched many times, from many threads.
#[derive(Debug)]
pub struct CompiledPattern {
    plan: Plan,
    brackets: Box<[Bracket]>,
    programs: Box<[Program]>,
    options: MatchOptions,
}

/// One `[ … ]` of a pattern.
#[derive(Debug)]
struct Bracket {
    program: usize,
    span: Span,
    /// The tests, in the order in which they were written.
    tests: Box<[Span]>,
}

/// Whether observations match a pattern, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether they do.
    pub matched: bool,
    /// How `AND` between brackets was read.
    pub reading: AndReading,
    /// Which observations serve which brackets.
    pub bound: Vec<Bound>,
    /// What satisfies the tests in these brackets, by these observations.
    pub bindings: Vec<Binding>,
}

/// A value that satisfies a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The test in the pattern.
    pub span: Span,
    /// The observation, from 0.
    pub observation: usize,
    /// The key of the object at which the path begins: its identifier, or its key in the dictionary of STIX 2.0.
    pub object: String,
    /// Where the value is, with the indexes of lists.
    pub path: String,
    /// The value as text: strings as they are, bytes in hexadecimal digits, anything else as JSON. Absent for
    /// `NOT EXISTS`.
    pub value: Option<String>,
    /// What had to be done to the value and the constant to compare them.
    pub normalisation: Normalisation,
}

impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, object, .. } = self;
        match &self.value {
            Some(value) => write!(formatter, "{path} is {value} in {object}")?,
            None => write!(formatter, "{path} is absent in {object}")?,
        }
        match self.normalisation {
            Normalisation::AsWritten => Ok(()),
            how => write!(formatter, " ({how})"),
        }
    }
}

impl CompiledPattern {
    /// Prepares a pattern. Fails for regular expressions that cannot be run in linear time, constants that an operator
    /// cannot be used with, and `WITHIN` or `REPEATS` zero.
    pub fn new(pattern: &Pattern, options: &MatchOptions) -> Result<Self, MatchError> {
        let plan = Plan::new(&pattern.expression)?;
        let is_expression = |test: &PropertyTest| {
            matches!(test, PropertyTest::Compare(ComparisonOperator::Matches | ComparisonOperator::Like, _))
        };
        let expressions = pattern.tests().filter(|test| is_expression(&test.test)).count();
        let mut options = *options;
        let total = options.limits.expression_memory;
        // What a single one may use.
        options.limits.expression_memory = (total / expressions.max(1)).min(10 << 20);
        let (mut programs, mut brackets) = (Vec::new(), Vec::new());
        let mut known: HashMap<String, usize> = HashMap::new();
        for one in pattern.observations() {
            let place = known.len();
            let program = *known.entry(one.comparison.to_string()).or_insert(place);
            if program == programs.len() {
                programs.push(Program::new(one.comparison, pattern.version, &options)?);
            }
            let tests = one.comparison.tests().map(|test| test.span).collect();
            brackets.push(Bracket { program, span: one.span, tests });
        }
        options.limits.expression_memory = total;
        Ok(Self { plan, brackets: brackets.into(), programs: programs.into(), options })
    }

    /// How it is read.
    pub fn options(&self) -> &MatchOptions {
        &self.options
    }

    /// The brackets of the pattern, in the order in which they were written. Other functions name them by their place
    /// here.
    pub fn brackets(&self) -> impl ExactSizeIterator<Item = Span> {
        self.brackets.iter().map(|bracket| bracket.span)
    }

    /// Whether the observations match, which of them do, and what in them.
    pub fn matches(&self, observations: &[Observation<'_>]) -> Result<Verdict, MatchError> {
        let bound = self.bound(observations)?;
        let matched = bound.is_some();
        let bound = bound.unwrap_or_default();
        let mut bindings = Vec::new();
        for one in &bound {
            let Some(observation) = observations.get(one.observation) else { continue };
            self.collect(one.bracket, one.observation, observation, &mut bindings)?;
        }
        Ok(Verdict { matched, reading: self.options.and, bound, bindings })
    }

    /// Whether the observations match.
    pub fn is_match(&self, observations: &[Observation<'_>]) -> Result<bool, MatchError> {
        Ok(self.bound(observations)?.is_some())
    }

    fn bound(&self, observations: &[Observation<'_>]) -> Result<Option<Vec<Bound>>, MatchError> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let tests = self.programs.iter().fold(0, |sum: u64, program| sum.saturating_add(count(program.tests().len())));
        let objects = observations.iter().fold(0, |sum: u64, one| sum.saturating_add(count(one.len())));
        let limit = self.options.limits.comparisons;
        if tests.saturating_mul(objects) > limit {
            return Err(MatchError::TooManyTests { tests, objects, limit });
        }
        let MatchOptions { and, values, .. } = self.options;
        let mut satisfied = vec![Vec::new(); self.programs.len()];
        for (program, satisfied) in self.programs.iter().zip(&mut satisfied) {
            for (place, observation) in observations.iter().enumerate() {
                if program.matches(observation, and, values)? {
                    satisfied.push(place);
                }
            }
        }
        let of_brackets: Vec<Vec<usize>> =
            self.brackets.iter().map(|bracket| satisfied.get(bracket.program).cloned().unwrap_or_default()).collect();
        let seen: Vec<Seen> = observations.iter().map(Observation::seen).collect();
        self.combine(&seen, &of_brackets)
    }

    /// Joins what is known of each bracket: given for each of them the places in `seen` of the observations that satisfy
    /// it, finds observations that serve all of them as the pattern wants it.
    ///
    /// For callers that tested the brackets one observation at a time ([`CompiledPattern::comparison_holds`]) and kept
    /// only the times.
    pub fn combine(&self, seen: &[Seen], satisfied: &[Vec<usize>]) -> Result<Option<Vec<Bound>>, MatchError> {
        self.plan.decide(seen, satisfied, self.options.limits.steps)
    }

    /// Whether one observation satisfies a bracket. There is no bracket behind the last one that anything satisfies.
    pub fn comparison_holds(&self, bracket: usize, observation: &Observation<'_>) -> Result<bool, MatchError> {
        let MatchOptions { and, values, .. } = self.options;
        match self.program(bracket) {
            Some((program, _)) => program.matches(observation, and, values),
            None => Ok(false),
        }
    }

    /// What satisfies the tests of a bracket in one observation; `None` if the observation does not satisfy the bracket.
    /// The bindings name the observation as number 0.
    pub fn comparison_matches(
        &self,
        bracket: usize,
        observation: &Observation<'_>,
    ) -> Result<Option<Vec<Binding>>, MatchError> {
        let mut bindings = Vec::new();
        self.collect(bracket, 0, observation, &mut bindings)?;
        Ok((!bindings.is_empty()).then_some(bindings))
    }

    /// How one observation fares with a bracket, test by test; `None` if there is no such bracket.
    pub fn explain(&self, bracket: usize, observation: &Observation<'_>) -> Option<Explanation> {
        let (program, bracket) = self.program(bracket)?;
        Some(explain::explain(program, &bracket.tests, observation, &self.options))
    }

    fn program(&self, bracket: usize) -> Option<(&Program, &Bracket)> {
        let bracket = self.brackets.get(bracket)?;
        Some((self.programs.get(bracket.program)?, bracket))
    }

    fn collect(
        &self,
        bracket: usize,
        index: usize,
        observation: &Observation<'_>,
        bindings: &mut Vec<Binding>,
    ) -> Result<(), MatchError> {
        let MatchOptions { and, values, .. } = self.options;
        let Some((program, bracket)) = self.program(bracket) else { return Ok(()) };
        for satisfied in program.satisfied(observation, and, values)? {
            bindings.push(Binding {
                span: bracket.tests.get(satisfied.test).copied().unwrap_or_default(),
                observation: index,
                object: observation.key(satisfied.place).to_owned(),
                path: satisfied.path,
                value: satisfied.value,
                normalisation: satisfied.normalisation,
            });
        }
        Ok(())
    }
}
