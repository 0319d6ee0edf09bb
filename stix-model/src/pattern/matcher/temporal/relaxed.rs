//! What would be possible if an occurrence could serve several brackets.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::tree::{Choice, Moment, Problem, Set, Tree};
use super::{Budget, Exhausted};

/// The best that a part of the pattern can reach: for each latest first moment F the latest earliest last moment L, as the
/// points at which L rises. Both rise along the list.
type Frontier = Vec<(Moment, Moment)>;

/// The frontiers of a tree.
pub(super) struct Relaxed {
    frontier: Frontier,
    inner: Vec<Relaxed>,
    /// Of a sequence: the frontiers of its beginnings.
    beginnings: Vec<Frontier>,
}

/// L for a given F.
fn best(frontier: &Frontier, first: Moment) -> Option<Moment> {
    let behind = frontier.partition_point(|(point, _)| *point <= first);
    frontier.get(behind.checked_sub(1)?).map(|(_, last)| *last)
}

/// Adds a point, if it is better than those before.
fn raise(frontier: &mut Frontier, first: Moment, last: Moment) {
    if frontier.last().is_none_or(|(_, known)| *known < last) {
        frontier.push((first, last));
    }
}

/// The frontier that a rule gives, evaluated where any of the given frontiers changes.
fn combined(parts: &[&Frontier], rule: impl Fn(Moment) -> Option<Moment>) -> Frontier {
    let mut points: Vec<Moment> = parts.iter().flat_map(|part| part.iter()).map(|(first, _)| *first).collect();
    points.sort_unstable();
    points.dedup();
    let mut frontier = Frontier::new();
    for first in points {
        if let Some(last) = rule(first) {
            raise(&mut frontier, first, last);
        }
    }
    frontier
}

impl Relaxed {
    pub(super) fn new(problem: &Problem, tree: &Tree, budget: &mut Budget) -> Result<Self, Exhausted> {
        let mut inner = Vec::new();
        let mut beginnings: Vec<Frontier> = Vec::new();
        let frontier = match tree {
            Tree::Leaf(leaf) => {
                let set = problem.set(leaf);
                budget.spend(set.members.len())?;
                nth_largest(problem, &set.members, leaf.need)
            }
            Tree::All(operands) | Tree::Any(operands) => {
                let is_all = matches!(tree, Tree::All(_));
                let mut frontier: Option<Frontier> = None;
                for operand in operands {
                    let relaxed = Self::new(problem, operand, budget)?;
                    let joined = match &frontier {
                        None => relaxed.frontier.clone(),
                        Some(known) => {
                            budget.spend(known.len() + relaxed.frontier.len())?;
                            let both = |first| (best(known, first), best(&relaxed.frontier, first));
                            combined(&[known, &relaxed.frontier], |first| match both(first) {
                                (Some(one), Some(other)) => Some(if is_all { one.min(other) } else { one.max(other) }),
                                (one, other) => one.or(other).filter(|_| !is_all),
                            })
                        }
                    };
                    frontier = Some(joined);
                    inner.push(relaxed);
                }
                frontier.unwrap_or_default()
            }
            Tree::Sequence(operands) => {
                for operand in operands {
                    let relaxed = Self::new(problem, operand, budget)?;
                    let joined = match beginnings.last() {
                        None => relaxed.frontier.clone(),
                        Some(beginning) => {
                            budget.spend(beginning.len() + relaxed.frontier.len())?;
                            // The end at its latest leaves most time to what is before it.
                            combined(&[beginning, &relaxed.frontier], |first| {
                                let end = best(&relaxed.frontier, first)?;
                                Some(best(beginning, first.min(end))?.min(end))
                            })
                        }
                    };
                    beginnings.push(joined);
                    inner.push(relaxed);
                }
                beginnings.last().cloned().unwrap_or_default()
            }
            Tree::Repeat(_, operand) => {
                let relaxed = Self::new(problem, operand, budget)?;
                let frontier = relaxed.frontier.clone();
                inner.push(relaxed);
                frontier
            }
            Tree::Within(duration, operand) => {
                let mut relaxed = Self::new(problem, operand, budget)?;
                relaxed.bound_by_counts(problem, operand, budget)?;
                budget.spend(relaxed.frontier.len())?;
                let is_close = |(first, last): &&(Moment, Moment)| *last >= problem.since(*first, *duration);
                let frontier = relaxed.frontier.iter().filter(is_close).copied().collect();
                inner.push(relaxed);
                frontier
            }
        };
        Ok(Self { frontier, inner, beginnings })
    }

    /// Leaves of the same candidates cannot share them after all: what all of them need of a set bounds what they reach.
    fn bound_by_counts(&mut self, problem: &Problem, tree: &Tree, budget: &mut Budget) -> Result<(), Exhausted> {
        let mut needs: HashMap<usize, (u64, u32, &Set)> = HashMap::new();
        if tree.has_alternatives() {
            return Ok(());
        }
        tree.leaves(1, &mut |leaf, times| {
            let (need, leaves, _) = needs.entry(leaf.set).or_insert((0, 0, problem.set(leaf)));
            *need = need.saturating_add(leaf.need.saturating_mul(times));
            *leaves += 1;
        });
        for (need, _, set) in needs.into_values().filter(|(need, leaves, _)| *leaves > 1 || *need > 1) {
            budget.spend(set.members.len() + self.frontier.len())?;
            let bound = nth_largest(problem, &set.members, need);
            self.frontier = combined(&[&self.frontier, &bound], |first| {
                Some(best(&self.frontier, first)?.min(best(&bound, first)?))
            });
        }
        Ok(())
    }

    /// Whether there is no binding, not even if occurrences could serve several brackets.
    pub(super) fn is_impossible(&self) -> bool {
        self.frontier.is_empty()
    }

    /// A binding in which no occurrence serves twice, if the first one that comes to mind is such a one. It is if no
    /// observation is a candidate of two leaves.
    pub(super) fn choices(&self, problem: &Problem, tree: &Tree) -> Option<Vec<Choice>> {
        let (first, last) = *self.frontier.first()?;
        let mut extraction = Extraction { problem, choices: Vec::new(), taken: HashMap::new() };
        extraction.take(self, tree, first, last)?;
        Some(extraction.choices)
    }
}

/// For each F the L of so many occurrences: the n-th largest last moment among those that begin by then.
fn nth_largest(problem: &Problem, members: &[u32], need: u64) -> Frontier {
    let mut by_first = members.to_vec();
    by_first.sort_by_key(|member| problem.first[*member as usize]);
    let mut frontier = Frontier::new();
    let mut latest: BinaryHeap<Reverse<(Moment, u128)>> = BinaryHeap::new();
    let mut held = 0_u128;
    let need = u128::from(need);
    let mut members = by_first.into_iter().peekable();
    while let Some(member) = members.next() {
        let (first, last) = problem.times_of(member);
        let count = u128::from(problem.count[member as usize]).min(need);
        held += count;
        latest.push(Reverse((last, count)));
        while let Some(Reverse((_, count))) = latest.peek()
            && held - *count >= need
        {
            held -= count;
            latest.pop();
        }
        let is_same = members.peek().is_some_and(|next| problem.first[*next as usize] == first);
        if held >= need
            && !is_same
            && let Some(Reverse((last, _))) = latest.peek()
        {
            raise(&mut frontier, first, *last);
        }
    }
    frontier
}

struct Extraction<'p> {
    problem: &'p Problem,
    choices: Vec<Choice>,
    taken: HashMap<u32, u64>,
}

impl Extraction<'_> {
    /// Chooses occurrences that begin by `first` and do not end before `last`. Precondition: the frontier allows it.
    fn take(&mut self, relaxed: &Relaxed, tree: &Tree, first: Moment, last: Moment) -> Option<()> {
        match tree {
            Tree::Leaf(leaf) => {
                let mut need = leaf.need;
                for member in self.problem.set(leaf).between(self.problem, (last, first)) {
                    let taken = self.taken.entry(member).or_default();
                    let times = need.min(self.problem.count[member as usize].saturating_sub(*taken));
                    if times > 0 {
                        *taken += times;
                        need -= times;
                        self.choices.push(Choice { leaf: leaf.clone(), observation: member, times });
                    }
                    if need == 0 {
                        return Some(());
                    }
                }
                None
            }
            Tree::All(operands) => operands
                .iter()
                .zip(&relaxed.inner)
                .try_for_each(|(tree, relaxed)| self.take(relaxed, tree, first, last)),
            Tree::Sequence(operands) => {
                let mut until = first;
                let parts = operands.iter().zip(&relaxed.inner).zip(&relaxed.beginnings).rev();
                for ((tree, relaxed), beginning) in parts {
                    let from = best(&relaxed.frontier, until)?;
                    // What a beginning reaches by the smallest F is reached by all of its parts.
                    best(beginning, until)?;
                    self.take(relaxed, tree, until, from.max(last))?;
                    until = until.min(from);
                }
                Some(())
            }
            Tree::Within(duration, operand) => {
                let relaxed = relaxed.inner.first()?;
                let mut points = relaxed.frontier.iter().take_while(|(point, _)| *point <= first);
                let is_close = |(point, found): &&(Moment, Moment)| {
                    *found >= last && *found >= self.problem.since(*point, *duration)
                };
                let (first, last) = *points.find(is_close)?;
                self.take(relaxed, operand, first, last)
            }
            // Alternatives and repetitions are for others.
            Tree::Any(_) | Tree::Repeat(..) => None,
        }
    }
}
