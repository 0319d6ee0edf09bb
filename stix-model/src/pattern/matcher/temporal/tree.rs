//! The problem: candidates with their times, and what the plan wants of them, simplified.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Bound, Budget, Exhausted, Plan};
use crate::Timestamp;
use crate::pattern::matcher::Seen;

/// A moment: its place among all moments of the observations.
pub(super) type Moment = u32;

/// The observations, by number: their times and how many occurrences each stands for.
pub(super) struct Problem {
    /// All moments in nanoseconds, sorted.
    moments: Vec<i128>,
    pub(super) first: Vec<Moment>,
    pub(super) last: Vec<Moment>,
    pub(super) count: Vec<u64>,
    sets: Vec<Set>,
    known: HashMap<Vec<u32>, usize>,
}

/// The candidates of a leaf.
pub(super) struct Set {
    /// By their last moment.
    pub(super) members: Vec<u32>,
    /// The earliest first moment of a member and all behind it.
    earliest: Vec<Moment>,
    /// The occurrences of all of them.
    pub(super) count: u64,
}

/// What is wanted, without START and STOP. Nothing in it is impossible for a lack of candidates.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Leaf(Rc<Leaf>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Sequence(Vec<Tree>),
    /// Of a sequence, a window or alternatives.
    Repeat(u64, Box<Tree>),
    Within(i128, Box<Tree>),
}

/// So many different occurrences of a set.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) set: usize,
    pub(super) need: u64,
    parts: Vec<Part>,
}

/// The brackets that a leaf stands for.
#[derive(Clone, Debug)]
struct Part {
    need: u64,
    /// Any of these, each with its candidates.
    alternatives: Rc<Vec<(usize, Vec<u32>)>>,
}

/// Occurrences of an observation that serve a leaf.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) leaf: Rc<Leaf>,
    pub(super) observation: u32,
    pub(super) times: u64,
}

fn nanoseconds(time: Timestamp) -> i128 {
    i128::from(time.unix_seconds()) * 1_000_000_000 + i128::from(time.subsec_nanoseconds())
}

impl Problem {
    pub(super) fn new(seen: &[Seen]) -> Self {
        let mut moments: Vec<i128> = seen.iter().flat_map(|seen| [seen.first, seen.last]).map(nanoseconds).collect();
        moments.sort_unstable();
        moments.dedup();
        let place = |time: Timestamp| {
            let place = moments.partition_point(|moment| *moment < nanoseconds(time));
            Moment::try_from(place).unwrap_or(Moment::MAX)
        };
        let first = seen.iter().map(|seen| place(seen.first.min(seen.last))).collect();
        let last = seen.iter().map(|seen| place(seen.last.max(seen.first))).collect();
        let count = seen.iter().map(|seen| seen.number_observed.max(1)).collect();
        Self { moments, first, last, count, sets: Vec::new(), known: HashMap::new() }
    }

    pub(super) fn set_count(&self) -> usize {
        self.sets.len()
    }

    pub(super) fn set(&self, leaf: &Leaf) -> &Set {
        &self.sets[leaf.set]
    }

    pub(super) fn times_of(&self, observation: u32) -> (Moment, Moment) {
        (self.first[observation as usize], self.last[observation as usize])
    }

    /// Whether everything was observed at a moment and not in a time.
    pub(super) fn has_points_only(&self) -> bool {
        self.first == self.last
    }

    /// The last moment that is at most so long after another.
    pub(super) fn until(&self, moment: Moment, duration: i128) -> Moment {
        let end = self.moments[moment as usize] + duration;
        let behind = self.moments.partition_point(|moment| *moment <= end);
        Moment::try_from(behind).unwrap_or(Moment::MAX).saturating_sub(1)
    }

    /// The first moment that is at most so long before another.
    pub(super) fn since(&self, moment: Moment, duration: i128) -> Moment {
        let start = self.moments[moment as usize] - duration;
        Moment::try_from(self.moments.partition_point(|moment| *moment < start)).unwrap_or(Moment::MAX)
    }

    /// The last moment.
    pub(super) fn end(&self) -> Moment {
        Moment::try_from(self.moments.len()).unwrap_or(Moment::MAX).saturating_sub(1)
    }

    fn intern(&mut self, mut members: Vec<u32>) -> usize {
        if let Some(set) = self.known.get(&members) {
            return *set;
        }
        let count = members.iter().fold(0_u64, |sum, member| sum.saturating_add(self.count[*member as usize]));
        let key = members.clone();
        members.sort_by_key(|member| (self.last[*member as usize], self.first[*member as usize]));
        let mut earliest: Vec<Moment> = members.iter().map(|member| self.first[*member as usize]).collect();
        for place in (1..earliest.len()).rev() {
            earliest[place - 1] = earliest[place - 1].min(earliest[place]);
        }
        self.sets.push(Set { members, earliest, count });
        self.known.insert(key, self.sets.len() - 1);
        self.sets.len() - 1
    }

    /// What the plan wants of these candidates; `None` if there are none for it.
    pub(super) fn tree(&mut self, plan: &Plan, candidates: &[Vec<usize>]) -> Option<Tree> {
        let total = self.count.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let tree = self.build(plan, candidates, &mut Vec::new())?;
        (tree.least(1) <= total).then_some(tree)
    }

    fn build(&mut self, plan: &Plan, candidates: &[Vec<usize>], spans: &mut Vec<(i128, i128)>) -> Option<Tree> {
        match plan {
            Plan::Bracket(bracket) => {
                let mut members: Vec<u32> = candidates
                    .get(*bracket)?
                    .iter()
                    .filter(|member| **member < self.first.len())
                    .filter_map(|member| u32::try_from(*member).ok())
                    .collect();
                members.retain(|member| {
                    let (first, last) = self.times_of(*member);
                    let (first, last) = (self.moments[first as usize], self.moments[last as usize]);
                    spans.iter().all(|(start, stop)| *start <= last && first < *stop)
                });
                members.sort_unstable();
                members.dedup();
                if members.is_empty() {
                    return None;
                }
                let part = Part { need: 1, alternatives: Rc::new(vec![(*bracket, members.clone())]) };
                Some(Tree::Leaf(Rc::new(Leaf { set: self.intern(members), need: 1, parts: vec![part] })))
            }
            Plan::All(operands) => {
                let mut all = Vec::new();
                for operand in operands {
                    match self.build(operand, candidates, spans)? {
                        Tree::All(inner) => all.extend(inner),
                        tree => all.push(tree),
                    }
                }
                self.all(all)
            }
            Plan::Any(operands) => {
                let any = operands.iter().filter_map(|operand| self.build(operand, candidates, spans)).collect();
                self.any(any)
            }
            Plan::Sequence(operands) => {
                let mut sequence = Vec::new();
                for operand in operands {
                    match self.build(operand, candidates, spans)? {
                        Tree::Sequence(inner) => sequence.extend(inner),
                        tree => sequence.push(tree),
                    }
                }
                single(&mut sequence).or(Some(Tree::Sequence(sequence)))
            }
            Plan::Repeat(times, inner) => {
                let tree = self.build(inner, candidates, spans)?;
                self.repeat(*times, tree)
            }
            Plan::Within(duration, inner) => {
                let tree = self.build(inner, candidates, spans)?;
                Some(within(*duration, tree))
            }
            Plan::Between(start, stop, inner) => {
                if start >= stop {
                    return None;
                }
                spans.push((nanoseconds(*start), nanoseconds(*stop)));
                let tree = self.build(inner, candidates, spans);
                spans.pop();
                tree
            }
        }
    }

    /// Leaves of the same candidates are one leaf that needs more of them; the ones with the fewest come first.
    fn all(&self, operands: Vec<Tree>) -> Option<Tree> {
        let mut merged: Vec<Tree> = Vec::new();
        let mut by_set: HashMap<usize, usize> = HashMap::new();
        for operand in operands {
            let Tree::Leaf(leaf) = &operand else {
                merged.push(operand);
                continue;
            };
            if let Some(Tree::Leaf(known)) = by_set.get(&leaf.set).and_then(|place| merged.get_mut(*place)) {
                let need = known.need.saturating_add(leaf.need);
                let parts = known.parts.iter().chain(&leaf.parts).cloned().collect();
                *known = Rc::new(Leaf { set: leaf.set, need, parts });
            } else {
                by_set.insert(leaf.set, merged.len());
                merged.push(operand);
            }
        }
        let fits = |tree: &Tree| match tree {
            Tree::Leaf(leaf) => leaf.need <= self.set(leaf).count,
            _ => true,
        };
        if !merged.iter().all(fits) {
            return None;
        }
        merged.sort_by_key(|tree| match tree {
            Tree::Leaf(leaf) => self.set(leaf).members.len(),
            _ => usize::MAX,
        });
        single(&mut merged).or(Some(Tree::All(merged)))
    }

    /// Alternatives that are single brackets are one leaf with the candidates of all of them.
    fn any(&mut self, alternatives: Vec<Tree>) -> Option<Tree> {
        let mut any = Vec::new();
        let mut leaves = Vec::new();
        for alternative in alternatives {
            match alternative {
                Tree::Any(inner) => any.extend(inner),
                tree => any.push(tree),
            }
        }
        any.retain(|tree| match tree {
            Tree::Leaf(leaf) if leaf.need == 1 => {
                leaves.push(Rc::clone(leaf));
                false
            }
            _ => true,
        });
        if let [leaf] = leaves.as_slice() {
            any.insert(0, Tree::Leaf(Rc::clone(leaf)));
        } else if !leaves.is_empty() {
            let uses = leaves.iter().flat_map(|leaf| &leaf.parts).flat_map(|part| part.alternatives.iter().cloned());
            let alternatives: Vec<(usize, Vec<u32>)> = uses.collect();
            let mut members: Vec<u32> = alternatives.iter().flat_map(|(_, members)| members).copied().collect();
            members.sort_unstable();
            members.dedup();
            let part = Part { need: 1, alternatives: Rc::new(alternatives) };
            let leaf = Leaf { set: self.intern(members), need: 1, parts: vec![part] };
            any.insert(0, Tree::Leaf(Rc::new(leaf)));
        }
        match any.len() {
            0 => None,
            1 => any.pop(),
            _ => Some(Tree::Any(any)),
        }
    }

    fn repeat(&self, times: u64, tree: Tree) -> Option<Tree> {
        if times == 1 {
            return Some(tree);
        }
        match tree {
            Tree::Leaf(leaf) => {
                let multiplied = |need: u64| need.saturating_mul(times);
                let parts = leaf.parts.iter().map(|part| Part { need: multiplied(part.need), ..part.clone() });
                let leaf = Leaf { set: leaf.set, need: multiplied(leaf.need), parts: parts.collect() };
                (leaf.need <= self.set(&leaf).count).then(|| Tree::Leaf(Rc::new(leaf)))
            }
            // So many of all is all of so many: nothing else joins them.
            Tree::All(operands) => {
                let operands =
                    operands.into_iter().map(|operand| self.repeat(times, operand)).collect::<Option<_>>()?;
                Some(Tree::All(operands))
            }
            Tree::Repeat(inner, tree) => Some(Tree::Repeat(inner.saturating_mul(times), tree)),
            tree => Some(Tree::Repeat(times, Box::new(tree))),
        }
    }

    /// The trees without alternatives of which one has to hold.
    pub(super) fn worlds(&self, tree: &Tree, budget: &mut Budget) -> Result<Vec<Tree>, Exhausted> {
        let product = |operands: &[Tree], budget: &mut Budget| {
            let mut lists: Vec<Vec<Tree>> = vec![Vec::new()];
            for operand in operands {
                let worlds = self.worlds(operand, budget)?;
                let mut longer = Vec::new();
                for list in &lists {
                    for world in &worlds {
                        budget.spend(list.len() * 8)?;
                        let mut list = list.clone();
                        list.push(world.clone());
                        longer.push(list);
                    }
                }
                lists = longer;
            }
            Ok(lists)
        };
        Ok(match tree {
            Tree::Leaf(_) => vec![tree.clone()],
            Tree::All(operands) => {
                let lists = product(operands, budget)?;
                // Operands may have become leaves, or conjunctions themselves.
                let flat = |list: Vec<Tree>| {
                    list.into_iter().flat_map(|tree| match tree {
                        Tree::All(inner) => inner,
                        tree => vec![tree],
                    })
                };
                lists.into_iter().filter_map(|list| self.all(flat(list).collect())).collect()
            }
            Tree::Sequence(operands) => product(operands, budget)?.into_iter().map(Tree::Sequence).collect(),
            Tree::Within(duration, inner) => {
                self.worlds(inner, budget)?.into_iter().map(|world| within(*duration, world)).collect()
            }
            Tree::Any(alternatives) => {
                let mut worlds = Vec::new();
                for alternative in alternatives {
                    worlds.extend(self.worlds(alternative, budget)?);
                }
                worlds
            }
            Tree::Repeat(times, inner) => {
                let worlds = self.worlds(inner, budget)?;
                let mut mixtures = Vec::new();
                self.mixtures(*times, &worlds, &mut Vec::new(), &mut mixtures, budget)?;
                mixtures
            }
        })
    }

    /// All ways to make up a number of repetitions out of alternatives.
    fn mixtures(
        &self,
        times: u64,
        worlds: &[Tree],
        chosen: &mut Vec<Tree>,
        mixtures: &mut Vec<Tree>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let Some((world, rest)) = worlds.split_first() else {
            if times == 0 {
                mixtures.extend(self.all(chosen.clone()));
            }
            return Ok(());
        };
        let least = if rest.is_empty() { times } else { 0 };
        for share in least..=times {
            budget.spend(8 * worlds.len())?;
            let before = chosen.len();
            if share > 0 {
                match self.repeat(share, world.clone()) {
                    Some(Tree::All(operands)) => chosen.extend(operands),
                    Some(tree) => chosen.push(tree),
                    // Too few candidates for so many, and for more.
                    None => break,
                }
            }
            self.mixtures(times - share, rest, chosen, mixtures, budget)?;
            chosen.truncate(before);
        }
        Ok(())
    }

    /// The observations with the brackets that they serve.
    pub(super) fn bound(choices: &[Choice]) -> Vec<Bound> {
        let mut taken: HashMap<*const Leaf, (Rc<Leaf>, Vec<(u32, u64)>)> = HashMap::new();
        for choice in choices {
            let entry = taken.entry(Rc::as_ptr(&choice.leaf)).or_insert_with(|| (Rc::clone(&choice.leaf), Vec::new()));
            entry.1.push((choice.observation, choice.times));
        }
        let mut bound: HashMap<(usize, usize), u64> = HashMap::new();
        for (leaf, mut taken) in taken.into_values() {
            // A leaf may have been filled several times, under REPEATS. Any part of it takes any of its candidates.
            let filled = taken.iter().fold(0_u64, |sum, (_, times)| sum.saturating_add(*times));
            let rounds = (filled / leaf.need.max(1)).max(1);
            for part in &leaf.parts {
                let mut need = part.need.saturating_mul(rounds);
                while need > 0
                    && let Some((observation, left)) = taken.last_mut()
                {
                    let times = need.min(*left);
                    let serves = |(_, members): &&(usize, Vec<u32>)| members.binary_search(observation).is_ok();
                    if let Some((bracket, _)) = part.alternatives.iter().find(serves) {
                        let entry = bound.entry((*bracket, *observation as usize)).or_default();
                        *entry = entry.saturating_add(times);
                    }
                    need -= times;
                    *left -= times;
                    if *left == 0 {
                        taken.pop();
                    }
                }
            }
        }
        let mut bound: Vec<Bound> =
            bound.into_iter().map(|((bracket, observation), times)| Bound { bracket, observation, times }).collect();
        bound.sort_unstable();
        bound
    }
}

impl Set {
    /// The members that overlap the time between two moments, both included, by their last moment.
    pub(super) fn between(&self, problem: &Problem, between: (Moment, Moment)) -> impl Iterator<Item = u32> {
        self.between_from(problem, between, 0).map(|(_, member)| member)
    }

    /// The same from a place on, with their places.
    pub(super) fn between_from(
        &self,
        problem: &Problem,
        (from, to): (Moment, Moment),
        place: usize,
    ) -> impl Iterator<Item = (usize, u32)> {
        let start = self.members.partition_point(|member| problem.last[*member as usize] < from).max(place);
        let members = self.members.iter().zip(&self.earliest).enumerate().skip(start);
        members
            .take_while(move |(_, (_, earliest))| **earliest <= to)
            .map(|(place, (member, _))| (place, *member))
            .filter(move |(_, member)| problem.first[*member as usize] <= to)
    }
}

impl Tree {
    /// The occurrences that it takes at least, so many times.
    fn least(&self, times: u64) -> u64 {
        let sum =
            |operands: &[Self]| operands.iter().fold(0_u64, |sum, operand| sum.saturating_add(operand.least(times)));
        match self {
            Self::Leaf(leaf) => leaf.need.saturating_mul(times),
            Self::All(operands) | Self::Sequence(operands) => sum(operands),
            Self::Any(alternatives) => {
                alternatives.iter().map(|alternative| alternative.least(times)).min().unwrap_or(0)
            }
            Self::Repeat(more, inner) => inner.least(times.saturating_mul(*more)),
            Self::Within(_, inner) => inner.least(times),
        }
    }

    /// Whether not all of it is needed.
    pub(super) fn has_alternatives(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::All(operands) | Self::Sequence(operands) => operands.iter().any(Self::has_alternatives),
            Self::Any(_) => true,
            Self::Repeat(_, inner) | Self::Within(_, inner) => inner.has_alternatives(),
        }
    }

    /// Calls `visit` for every leaf, with how often it is repeated.
    pub(super) fn leaves(&self, times: u64, visit: &mut dyn FnMut(&Rc<Leaf>, u64)) {
        match self {
            Self::Leaf(leaf) => visit(leaf, times),
            Self::All(operands) | Self::Sequence(operands) | Self::Any(operands) => {
                for operand in operands {
                    operand.leaves(times, visit);
                }
            }
            Self::Repeat(more, inner) => inner.leaves(times.saturating_mul(*more), visit),
            Self::Within(_, inner) => inner.leaves(times, visit),
        }
    }
}

/// The only one of a list.
fn single(list: &mut Vec<Tree>) -> Option<Tree> {
    if list.len() == 1 { list.pop() } else { None }
}

fn within(duration: i128, tree: Tree) -> Tree {
    match tree {
        // One occurrence is within any time.
        Tree::Leaf(leaf) if leaf.need == 1 => Tree::Leaf(leaf),
        Tree::Within(inner, tree) => Tree::Within(inner.min(duration), tree),
        // Alternatives have the condition each, so that they can be told apart further up.
        Tree::Any(alternatives) => Tree::Any(alternatives.into_iter().map(|tree| within(duration, tree)).collect()),
        tree => Tree::Within(duration, Box::new(tree)),
    }
}
