//! Which observations serve which brackets: AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START and STOP.
//!
//! # What is looked for
//!
//! An observation that was made *n* times stands for *n* occurrences. A *binding* gives every bracket of the pattern an
//! occurrence, no occurrence twice (brackets on the other side of an OR get none, those under REPEATS several). Of the
//! occurrences of a part of the pattern only two moments matter: the latest `first_observed` among them, F, and the
//! earliest `last_observed`, L:
//!
//! | part | holds if |
//! | --- | --- |
//! | `X FOLLOWEDBY Y` | F of X is not after L of Y: moments can be chosen that are in order |
//! | `X WITHIN d` | F − L is at most *d*: moments can be chosen that are so close |
//! | `X START a STOP b` | every occurrence overlaps the time from *a* on and before *b*, so it is a filter of candidates |
//!
//! # How
//!
//! 1. Candidates of no bracket, too few of them, or impossible spans: no ([`tree`]).
//! 2. Without the rule that no occurrence serves twice, the best L for every F of every part can be computed bottom up in
//!    the number of candidates times the brackets ([`relaxed`]). Nothing found: no. If no observation is a candidate of two
//!    brackets and nothing complex is repeated, what is found is the answer.
//! 3. The earliest choice for one part after the other often succeeds ([`greedy`]). If so: yes.
//! 4. Otherwise a search over the moments that separate parts and begin windows ([`search`]); once they are fixed, what is
//!    left is a matching of brackets with occurrences, which is decided by augmenting paths ([`flow`]). The number of
//!    moments is exponential only in the number of FOLLOWEDBY and WITHIN. The search has a budget of steps.

mod flow;
mod greedy;
mod relaxed;
mod search;
mod tree;

use super::error::MatchError;
use super::observation::Seen;
use crate::Timestamp;
use crate::pattern::{ObservationExpression, ObservationOperator, QualifierKind};

/// What a pattern wants of observations: its observation expressions without what stands in the brackets.
#[derive(Debug)]
pub(super) enum Plan {
    /// The bracket with this number, in the order in which they were written.
    Bracket(usize),
    All(Box<[Plan]>),
    Any(Box<[Plan]>),
    Sequence(Box<[Plan]>),
    Repeat(u64, Box<Plan>),
    /// Nanoseconds.
    Within(i128, Box<Plan>),
    Between(Timestamp, Timestamp, Box<Plan>),
}

/// An observation that serves a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// The bracket, in the order in which they were written, from 0.
    pub bracket: usize,
    /// The observation, from 0.
    pub observation: usize,
    /// How many of its occurrences serve the bracket.
    pub times: u64,
}

/// The work that may still be done.
#[derive(Debug)]
struct Budget(u64);

/// The work was not enough for an answer.
#[derive(Debug)]
struct Exhausted;

impl Budget {
    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.0 = self.0.checked_sub(steps.saturating_add(1)).ok_or(Exhausted)?;
        Ok(())
    }

    /// Does some work with a quarter of the budget; `None` if that is not enough.
    fn quarter<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Exhausted>) -> Option<T> {
        let mut part = Self(self.0 / 4);
        let result = work(&mut part);
        self.0 -= self.0 / 4 - part.0;
        result.ok()
    }
}

/// A duration of the standard in nanoseconds. Beyond all times that can be written it does not matter how long it is.
#[expect(clippy::cast_possible_truncation, reason = "below 10^21 after clamping")]
fn nanoseconds(seconds: f64) -> i128 {
    (seconds.clamp(0.0, 1e12) * 1e9).round() as i128
}

impl Plan {
    /// Reads the operators and qualifiers, and numbers the brackets.
    pub(super) fn new(expression: &ObservationExpression) -> Result<Self, MatchError> {
        let mut brackets = 0;
        Self::read(expression, &mut brackets, 0)
    }

    fn read(expression: &ObservationExpression, brackets: &mut usize, depth: usize) -> Result<Self, MatchError> {
        if depth > super::MAX_DEPTH {
            return Err(MatchError::TooDeep);
        }
        Ok(match expression {
            ObservationExpression::Observation { .. } => {
                *brackets += 1;
                Self::Bracket(*brackets - 1)
            }
            ObservationExpression::Combined { operator, operands, .. } => {
                let operands = operands
                    .iter()
                    .map(|operand| Self::read(operand, brackets, depth + 1))
                    .collect::<Result<_, MatchError>>()?;
                match operator {
                    ObservationOperator::And => Self::All(operands),
                    ObservationOperator::Or => Self::Any(operands),
                    ObservationOperator::FollowedBy => Self::Sequence(operands),
                }
            }
            ObservationExpression::Qualified { expression, qualifier, .. } => {
                let inner = Box::new(Self::read(expression, brackets, depth + 1)?);
                let zero = || MatchError::Zero { span: qualifier.span, keyword: qualifier.kind.keyword() };
                match qualifier.kind {
                    QualifierKind::Within { seconds } if seconds > 0.0 => Self::Within(nanoseconds(seconds), inner),
                    QualifierKind::Repeats { times } if times > 0 => Self::Repeat(times, inner),
                    QualifierKind::Within { .. } | QualifierKind::Repeats { .. } => return Err(zero()),
                    QualifierKind::StartStop { start, stop } => Self::Between(start, stop, inner),
                }
            }
        })
    }

    /// Finds a binding, given for each bracket the observations that satisfy it.
    pub(super) fn decide(
        &self,
        seen: &[Seen],
        candidates: &[Vec<usize>],
        limit: u64,
    ) -> Result<Option<Vec<Bound>>, MatchError> {
        let mut budget = Budget(limit);
        decide(self, seen, candidates, &mut budget).map_err(|Exhausted| MatchError::TooManyCombinations { limit })
    }
}

fn decide(
    plan: &Plan,
    seen: &[Seen],
    candidates: &[Vec<usize>],
    budget: &mut Budget,
) -> Result<Option<Vec<Bound>>, Exhausted> {
    let mut problem = tree::Problem::new(seen);
    budget.spend(candidates.iter().map(Vec::len).sum())?;
    let Some(tree) = problem.tree(plan, candidates) else { return Ok(None) };
    if let Some(relaxed) = budget.quarter(|budget| relaxed::Relaxed::new(&problem, &tree, budget))
        && relaxed.is_impossible()
    {
        return Ok(None);
    }
    if let Some(found) = budget.quarter(|budget| greedy::place(&problem, &tree, budget)) {
        match found {
            Some(choices) => return Ok(Some(tree::Problem::bound(&choices))),
            None if greedy::is_exact(&problem, &tree) => return Ok(None),
            None => {}
        }
    }
    let mut open = Vec::new();
    for world in problem.worlds(&tree, budget)? {
        let relaxed = budget.quarter(|budget| relaxed::Relaxed::new(&problem, &world, budget));
        if let Some(relaxed) = &relaxed {
            if relaxed.is_impossible() {
                continue;
            }
            if let Some(choices) = relaxed.choices(&problem, &world) {
                return Ok(Some(tree::Problem::bound(&choices)));
            }
        }
        open.push(world);
    }
    for world in open {
        if let Some(choices) = search::search(&problem, &world, budget)? {
            return Ok(Some(tree::Problem::bound(&choices)));
        }
    }
    Ok(None)
}
