//! What stands between a pair of brackets, against the objects of one observation.

use serde_json::Value;

use super::error::MatchError;
use super::fold::Normalisation;
use super::observation::{Observation, Place, type_of};
use super::path::{Broken, Path, Progress, Reached};
use super::predicate::{NotATimestamp, Outcome, Predicate};
use super::{AndReading, MatchOptions, Values};
use crate::pattern::{ComparisonExpression, ComparisonTest, PatternVersion, Span};

/// The tests of a bracket and how they are joined. Brackets that say the same share one.
#[derive(Debug)]
pub(super) struct Program {
    tests: Box<[Test]>,
    root: Join,
    /// The types that the tests are about.
    types: Box<[Box<str>]>,
}

#[derive(Debug)]
enum Join {
    Test(usize),
    All(Box<[Join]>),
    Any(Box<[Join]>),
}

/// One comparison.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) path: Path,
    pub(super) predicate: Predicate,
    pub(super) negated: bool,
    span: Span,
    /// Whether a value can be broken, which the letter of the standard does not pass over.
    can_break: bool,
}

/// A test that an object satisfies.
#[derive(Debug)]
pub(super) struct Satisfied {
    pub(super) test: usize,
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) value: Option<String>,
    pub(super) normalisation: Normalisation,
}

/// What went wrong inside of a test.
enum Trouble {
    Broken(Broken),
    Time { path: String, value: String },
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Test {
    fn new(test: &ComparisonTest, version: PatternVersion, options: &MatchOptions) -> Result<Self, MatchError> {
        let limit = options.limits.path_steps;
        if test.path.steps.len() > limit {
            return Err(MatchError::LongPath { span: test.path.span, limit });
        }
        let path = Path::new(&test.path, version, options.values == Values::Tolerant);
        let (predicate, unequal) = Predicate::new(&test.test, &path, options)?;
        let can_break = options.values == Values::Strict && (path.can_break() || predicate.can_break());
        Ok(Self { path, predicate, negated: test.negated != unequal, span: test.span, can_break })
    }

    fn error(&self, trouble: Trouble) -> MatchError {
        let span = self.span;
        match trouble {
            Trouble::Broken(Broken::Reference { path }) => MatchError::NotAReference { span, path },
            Trouble::Broken(Broken::Binary { path, value, encoding }) => {
                MatchError::NotBinary { span, path, value, encoding }
            }
            Trouble::Time { path, value } => MatchError::NotATimestamp { span, path, value },
        }
    }

    /// Whether an object of the right type satisfies it, and with which value.
    pub(super) fn satisfied_by(
        &self,
        observation: &Observation<'_>,
        place: Place,
        values: Values,
        mut satisfied: Option<&mut dyn FnMut(String, Option<String>, Normalisation)>,
    ) -> Result<bool, MatchError> {
        let tolerant = values == Values::Tolerant;
        let is_absence = matches!(self.predicate, Predicate::Exists) && self.negated;
        let mut progress = Progress::default();
        let mut found = None;
        let is_wanted = satisfied.is_some();
        let path = self.path.walk(observation, place, !tolerant, &mut progress, |reached, class, path| {
            let outcome = self.predicate.check(reached, class, tolerant).map_err(|NotATimestamp| Trouble::Time {
                path: path(),
                value: shown(reached).chars().take(80).collect(),
            })?;
            let how = match outcome {
                Outcome::Holds(how) if !self.negated || is_absence => how,
                Outcome::Fails if self.negated && !is_absence => Normalisation::AsWritten,
                _ => return Ok(false),
            };
            if is_wanted && !is_absence {
                found = Some((shown(reached), how));
            }
            Ok(true)
        });
        let path = path.map_err(|trouble| self.error(trouble))?;
        let holds = path.is_some() != is_absence;
        if holds && let Some(satisfied) = satisfied.as_mut() {
            let path = path.unwrap_or_else(|| self.path.source().to_string());
            let (value, how) = found.map_or((None, Normalisation::AsWritten), |(value, how)| (Some(value), how));
            satisfied(path, value, how);
        }
        Ok(holds)
    }

    /// The objects that it is about.
    pub(super) fn places(&self, observation: &Observation<'_>) -> impl Iterator<Item = Place> {
        let is_void = self.path.is_void();
        observation.of_type(self.path.object_type()).filter(move |_| !is_void)
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    pub(super) fn trouble(&self, broken: Broken) -> MatchError {
        self.error(Trouble::Broken(broken))
    }
}

impl Program {
    pub(super) fn new(
        comparison: &ComparisonExpression,
        version: PatternVersion,
        options: &MatchOptions,
    ) -> Result<Self, MatchError> {
        let mut tests = Vec::new();
        let root = join(comparison, version, options, &mut tests, 0)?;
        let mut types: Vec<Box<str>> = tests
            .iter()
            .filter(|test: &&Test| !test.path.is_void())
            .map(|test| test.path.object_type().into())
            .collect();
        types.sort();
        types.dedup();
        Ok(Self { tests: tests.into(), root, types: types.into() })
    }

    pub(super) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Whether one observation satisfies it.
    pub(super) fn matches(
        &self,
        observation: &Observation<'_>,
        and: AndReading,
        values: Values,
    ) -> Result<bool, MatchError> {
        self.check(observation, values)?;
        let evaluation = Evaluation { program: self, observation, values };
        match and {
            AndReading::Event => evaluation.holds(&self.root, None, &mut None),
            AndReading::SameObject => {
                for place in evaluation.places() {
                    if evaluation.holds(&self.root, Some(place), &mut None)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Every test that is satisfied where the observation satisfies it all; empty if it does not.
    pub(super) fn satisfied(
        &self,
        observation: &Observation<'_>,
        and: AndReading,
        values: Values,
    ) -> Result<Vec<Satisfied>, MatchError> {
        self.check(observation, values)?;
        let evaluation = Evaluation { program: self, observation, values };
        let mut all = Vec::new();
        match and {
            AndReading::Event => {
                evaluation.holds(&self.root, None, &mut Some(&mut all))?;
            }
            AndReading::SameObject => {
                for place in evaluation.places() {
                    evaluation.holds(&self.root, Some(place), &mut Some(&mut all))?;
                }
            }
        }
        Ok(all)
    }

    /// Values that are broken are mistakes even where they would not matter.
    fn check(&self, observation: &Observation<'_>, values: Values) -> Result<(), MatchError> {
        for test in self.tests.iter().filter(|test| test.can_break) {
            for place in test.places(observation) {
                test.satisfied_by(observation, place, values, None)?;
            }
        }
        Ok(())
    }
}

fn join(
    comparison: &ComparisonExpression,
    version: PatternVersion,
    options: &MatchOptions,
    tests: &mut Vec<Test>,
    depth: usize,
) -> Result<Join, MatchError> {
    if depth > super::MAX_DEPTH {
        return Err(MatchError::TooDeep);
    }
    let mut all = |operands: &[ComparisonExpression]| {
        operands.iter().map(|operand| join(operand, version, options, tests, depth + 1)).collect::<Result<_, _>>()
    };
    Ok(match comparison {
        ComparisonExpression::And(operands, _) => Join::All(all(operands)?),
        ComparisonExpression::Or(operands, _) => Join::Any(all(operands)?),
        ComparisonExpression::Test(test) => {
            tests.push(Test::new(test, version, options)?);
            Join::Test(tests.len() - 1)
        }
    })
}

struct Evaluation<'e, 'v> {
    program: &'e Program,
    observation: &'e Observation<'v>,
    values: Values,
}

impl Evaluation<'_, '_> {
    /// The objects that any test is about.
    fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.observation.len()).map(Place).filter(|place| {
            let object_type = self.observation.object(*place).and_then(type_of);
            object_type.is_some_and(|object_type| {
                self.program.types.binary_search_by(|known| (**known).cmp(object_type)).is_ok()
            })
        })
    }

    /// Whether an object satisfies a part of the expression, or for each test of it any object. Collects what satisfies it
    /// where that is wanted, and stops as soon as possible where it is not.
    fn holds(
        &self,
        part: &Join,
        scope: Option<Place>,
        found: &mut Option<&mut Vec<Satisfied>>,
    ) -> Result<bool, MatchError> {
        match part {
            Join::Test(index) => self.test(*index, scope, found),
            Join::Any(parts) => {
                let mut any = false;
                for part in parts {
                    any |= self.holds(part, scope, found)?;
                    if any && found.is_none() {
                        break;
                    }
                }
                Ok(any)
            }
            Join::All(parts) => {
                let before = found.as_ref().map_or(0, |found| found.len());
                for part in parts {
                    if !self.holds(part, scope, found)? {
                        if let Some(found) = found {
                            found.truncate(before);
                        }
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn test(
        &self,
        index: usize,
        scope: Option<Place>,
        found: &mut Option<&mut Vec<Satisfied>>,
    ) -> Result<bool, MatchError> {
        let Some(test) = self.program.tests.get(index) else { return Ok(false) };
        let mut on = |place| match found {
            None => test.satisfied_by(self.observation, place, self.values, None),
            Some(found) => {
                let mut keep = |path, value, normalisation| {
                    found.push(Satisfied { test: index, place, path, value, normalisation });
                };
                test.satisfied_by(self.observation, place, self.values, Some(&mut keep))
            }
        };
        if let Some(place) = scope {
            let object_type = self.observation.object(place).and_then(type_of);
            return Ok(!test.path.is_void() && object_type == Some(test.path.object_type()) && on(place)?);
        }
        for place in test.places(self.observation) {
            if on(place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A value as text, for people.
pub(super) fn shown(reached: &Reached<'_>) -> String {
    match reached {
        Reached::Json(Value::String(text)) => text.clone(),
        Reached::Json(value) => value.to_string(),
        Reached::Bytes(bytes) => {
            let mut text = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                for half in [byte >> 4, byte & 15] {
                    text.extend(char::from_digit(u32::from(half), 16));
                }
            }
            text
        }
    }
}
