//! Patterns that ask for more than single values, evaluated on one alert.
//!
//! What of a pattern is looked up only says that it may match. The pattern itself decides, on everything that the alert
//! holds; see [`crate::pattern::Observer`].

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Serialize;
use stix_model::Timestamp;
use stix_model::pattern::matcher::{AndReading, Binding, CompiledPattern, MatchError, MatchOptions, Observation, Seen};
use stix_model::pattern::{ObservationExpression, ObservationOperator, Pattern, PatternVersion, QualifierKind};

use super::live::Handle;
use crate::indicator::in_known_terms;

/// So many compiled patterns are kept.
const KEPT: usize = 4_096;

/// What one alert says about a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decided {
    /// The alert by itself satisfies it.
    Whole,
    /// The alert satisfies a part of it; others have to satisfy the rest.
    Part,
    /// It could not be evaluated within the limits of time and memory.
    Undecided,
}

/// How a pattern fares on one alert.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PatternVerdict {
    /// Whether it is satisfied, as a whole or in part.
    pub decided: Decided,
    /// How AND inside of brackets was read.
    pub reading: AndReading,
    /// The brackets that the alert satisfies, from 0, each with what satisfies its tests.
    pub brackets: Vec<(usize, Vec<Binding>)>,
}

impl PatternVerdict {
    /// The first value that satisfies a test, in the terms of STIX.
    pub(crate) fn value(&self) -> Option<&str> {
        self.brackets.iter().flat_map(|(_, bindings)| bindings).find_map(|binding| binding.value.as_deref())
    }
}

/// A pattern ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Evaluable {
    pub(crate) compiled: CompiledPattern,
    /// Whether one alert is enough.
    pub(crate) single: bool,
    /// Whether it matters when an alert was raised.
    pub(crate) timed: bool,
}

impl Evaluable {
    /// Compiles a pattern that is in the terms of alerts.
    pub(crate) fn new(mut pattern: Pattern, and: AndReading) -> Result<Self, MatchError> {
        // OpenCTI has patterns about vulnerabilities, which STIX 2.1 does not count as observed. STIX 2.0 says nothing
        // about it.
        if pattern.tests().any(|test| &*test.path.object_type == "vulnerability") {
            pattern.version = PatternVersion::V2_0;
        }
        let compiled = CompiledPattern::new(&pattern, &MatchOptions { and, ..MatchOptions::alerts() })?;
        let (single, timed) = (is_single(&pattern.expression), is_timed(&pattern.expression));
        Ok(Self { compiled, single, timed })
    }

    /// Compiles the text of a pattern. A text that is no pattern was in no store that was written as one.
    pub(crate) fn read(text: &str, and: AndReading) -> Option<Self> {
        let pattern = Pattern::read(text).ok()?;
        Self::new(in_known_terms(&pattern).ok()?, and).ok()
    }

    /// How it fares on an alert. `None` if the alert satisfies nothing of it.
    fn evaluate(&self, observation: &Observation<'_>, time: Option<Timestamp>) -> Option<PatternVerdict> {
        let reading = self.compiled.options().and;
        let verdict = |decided, brackets| Some(PatternVerdict { decided, reading, brackets });
        let mut brackets = Vec::new();
        let count = self.compiled.brackets().len();
        let mut satisfied = vec![Vec::new(); count];
        for (bracket, satisfied) in satisfied.iter_mut().enumerate() {
            match self.compiled.comparison_matches(bracket, observation) {
                Ok(None) => {}
                Ok(Some(bindings)) => {
                    satisfied.push(0);
                    brackets.push((bracket, bindings));
                }
                Err(_) => return verdict(Decided::Undecided, brackets),
            }
        }
        if brackets.is_empty() {
            return None;
        }
        let moment = time.unwrap_or(Timestamp::UNIX_EPOCH);
        let seen = [Seen { first: moment, last: moment, number_observed: 1 }];
        match self.compiled.combine(&seen, &satisfied) {
            Ok(Some(_)) => verdict(Decided::Whole, brackets),
            Ok(None) if self.single => None,
            Ok(None) => verdict(Decided::Part, brackets),
            Err(_) => verdict(Decided::Undecided, brackets),
        }
    }
}

/// Whether no more than one observation can be needed.
fn is_single(expression: &ObservationExpression) -> bool {
    match expression {
        ObservationExpression::Observation { .. } => true,
        ObservationExpression::Combined { operator, operands, .. } => {
            *operator == ObservationOperator::Or && operands.iter().all(is_single)
        }
        ObservationExpression::Qualified { expression, qualifier, .. } => {
            !matches!(qualifier.kind, QualifierKind::Repeats { times } if times > 1) && is_single(expression)
        }
    }
}

/// Whether times decide.
fn is_timed(expression: &ObservationExpression) -> bool {
    match expression {
        ObservationExpression::Observation { .. } => false,
        ObservationExpression::Combined { operator, operands, .. } => {
            *operator == ObservationOperator::FollowedBy || operands.iter().any(is_timed)
        }
        ObservationExpression::Qualified { expression, qualifier, .. } => {
            !matches!(qualifier.kind, QualifierKind::Repeats { .. }) || is_timed(expression)
        }
    }
}

/// Compiled patterns of a snapshot, the ones that were needed so far.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<Handle, Option<Arc<Evaluable>>, RandomState>,
}

impl Patterns {
    /// Forgets all: numbers mean something else in another snapshot.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The compiled pattern of an indicator. `None` if it cannot be evaluated.
    pub(super) fn get<E>(
        &mut self,
        handle: Handle,
        and: AndReading,
        text: impl FnOnce() -> Result<String, E>,
    ) -> Result<Option<Arc<Evaluable>>, E> {
        if let Some(known) = self.known.get(&handle) {
            return Ok(known.clone());
        }
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        let compiled = Evaluable::read(&text()?, and).map(Arc::new);
        self.known.insert(handle, compiled.clone());
        Ok(compiled)
    }
}

/// How a pattern fares on an alert. `None` if the alert satisfies nothing of it.
pub(super) fn evaluate(
    pattern: Option<&Evaluable>,
    and: AndReading,
    observation: &Observation<'_>,
    time: Option<Timestamp>,
) -> Option<PatternVerdict> {
    match pattern {
        Some(pattern) => pattern.evaluate(observation, time),
        None => Some(PatternVerdict { decided: Decided::Undecided, reading: and, brackets: Vec::new() }),
    }
}
