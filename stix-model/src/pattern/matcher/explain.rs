//! Why a bracket matches an observation or not: test by test.

use super::bracket::{Program, Test, shown};
use super::error::MatchError;
use super::observation::{Observation, Place};
use super::path::{Broken, Progress};
use super::predicate::{Outcome, Predicate};
use super::{AndReading, Binding, MatchOptions, Normalisation, Values};
use crate::pattern::Span;

/// How one bracket of a pattern fares on one observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Whether the observation satisfies the bracket.
    pub matched: bool,
    /// Whether it would in the event's reading of `AND`, and does not because no single object does.
    pub only_across_objects: bool,
    /// Every test, in the order in which they were written.
    pub tests: Vec<TestExplanation>,
}

/// How one test fares.
#[derive(Clone, Debug, PartialEq)]
pub struct TestExplanation {
    /// The test in the pattern.
    pub span: Span,
    /// How it fares.
    pub verdict: TestVerdict,
}

/// How a test fares on an observation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TestVerdict {
    /// An object satisfies it.
    Satisfied(Binding),
    /// There is no object of the type.
    NoObject {
        /// The type.
        object_type: String,
    },
    /// There are objects of the type, but they do not have the property.
    Absent {
        /// The object that has most of the path.
        object: String,
        /// How much of the path it has; the type alone if it has nothing of it.
        reached: String,
    },
    /// The property is of another type than the constant.
    TypeDiffers {
        /// What is there, the first few.
        found: Vec<FoundValue>,
        /// What was expected.
        expected: &'static str,
    },
    /// The property has another value.
    ValueDiffers {
        /// What is there, the first few.
        found: Vec<FoundValue>,
        /// How many values there are.
        count: usize,
    },
    /// The property exists, and should not.
    Present {
        /// What is there, the first few.
        found: Vec<FoundValue>,
    },
    /// The test cannot be evaluated on what is there.
    Broken(MatchError),
}

/// A value that did not satisfy a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundValue {
    /// The key of the object.
    pub object: String,
    /// Where it stands.
    pub path: String,
    /// The value as text, shortened.
    pub value: String,
}

/// So many values are told.
const TOLD: usize = 5;
/// So many characters of a value are told.
const TOLD_CHARS: usize = 200;

pub(super) fn explain(
    program: &Program,
    spans: &[Span],
    observation: &Observation<'_>,
    options: &MatchOptions,
) -> Explanation {
    let matches = |and| program.matches(observation, and, options.values).unwrap_or(false);
    let matched = matches(options.and);
    let only_across_objects = !matched && options.and == AndReading::SameObject && matches(AndReading::Event);
    let tests = program.tests().iter().enumerate().map(|(place, test)| {
        let span = spans.get(place).copied().unwrap_or(test.span());
        TestExplanation { span, verdict: verdict(test, span, observation, options.values) }
    });
    Explanation { matched, only_across_objects, tests: tests.collect() }
}

/// What a test met on its way.
#[derive(Default)]
struct Met {
    found: Vec<FoundValue>,
    count: usize,
    /// Whether any value was of the right type.
    comparable: bool,
    /// The object that got furthest, with the number of steps and the path.
    furthest: Option<(usize, String, String)>,
}

fn verdict(test: &Test, span: Span, observation: &Observation<'_>, values: Values) -> TestVerdict {
    let mut met = Met::default();
    let mut any = false;
    for place in test.places(observation) {
        any = true;
        let mut binding = None;
        let mut keep = |path, value, normalisation: Normalisation| {
            let object = observation.key(place).to_owned();
            binding = Some(Binding { span, observation: 0, object, path, value, normalisation });
        };
        let satisfied = test.satisfied_by(observation, place, values, Some(&mut keep));
        match (satisfied, binding) {
            (Ok(true), Some(binding)) => return TestVerdict::Satisfied(binding),
            (Err(error), _) => return TestVerdict::Broken(error),
            _ => {}
        }
        if let Err(error) = meet(test, observation, place, values, &mut met) {
            return TestVerdict::Broken(error);
        }
    }
    if !any {
        return TestVerdict::NoObject { object_type: test.path.object_type().to_owned() };
    }
    if met.count > 0 {
        return if matches!(test.predicate, Predicate::Exists) {
            TestVerdict::Present { found: met.found }
        } else if met.comparable {
            TestVerdict::ValueDiffers { found: met.found, count: met.count }
        } else {
            TestVerdict::TypeDiffers { found: met.found, expected: test.predicate.expects() }
        };
    }
    let (_, object, reached) = met.furthest.unwrap_or_default();
    TestVerdict::Absent { object, reached }
}

/// Walks to all values of an object.
fn meet(
    test: &Test,
    observation: &Observation<'_>,
    place: Place,
    values: Values,
    met: &mut Met,
) -> Result<(), MatchError> {
    let mut progress = Progress { wanted: true, ..Progress::default() };
    let strict = values == Values::Strict;
    let walked = test.path.walk(observation, place, strict, &mut progress, |reached, class, path| {
        met.count += 1;
        let outcome = test.predicate.check(reached, class, !strict);
        met.comparable |= test.predicate.is_about(reached) && !matches!(outcome, Ok(Outcome::Incomparable));
        if met.found.len() < TOLD {
            let value = shown(reached).chars().take(TOLD_CHARS).collect();
            met.found.push(FoundValue { object: observation.key(place).to_owned(), path: path(), value });
        }
        Ok::<bool, Broken>(false)
    });
    walked.map_err(|broken| test.trouble(broken))?;
    if let Some((steps, path)) = progress.stopped
        && met.furthest.as_ref().is_none_or(|(furthest, ..)| *furthest < steps)
    {
        met.furthest = Some((steps, observation.key(place).to_owned(), path));
    }
    Ok(())
}
