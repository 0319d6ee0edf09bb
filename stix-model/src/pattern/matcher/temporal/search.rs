//! The search over the moments that separate the parts of a sequence, and at which windows begin.
//!
//! `X FOLLOWEDBY Y` holds if there is a moment by which all of X has begun and before which nothing of Y has ended;
//! `X WITHIN d` if there is a moment so that all of X overlaps the time from there on. With all of these moments fixed,
//! every bracket has candidates of its own, and only a matching is left. The moments may be taken from those of the
//! candidates: F of X for a sequence, L of X for a window.

use std::rc::Rc;

use super::flow::{self, Demand, Taken};
use super::tree::{Choice, Leaf, Moment, Problem, Tree};
use super::{Budget, Exhausted};

/// More leaves than this are not searched: every step looks at all of them.
const MOST_LEAVES: u64 = 512;

/// A tree without repetitions.
enum Node {
    Leaf(usize),
    All(Vec<Node>),
    /// The moments between the operands follow each other from this one on.
    Sequence(Vec<Node>, usize),
    Within(i128, Box<Node>, usize),
}

/// Finds a binding in a tree without alternatives; `None` if there is none.
pub(super) fn search(problem: &Problem, tree: &Tree, budget: &mut Budget) -> Result<Option<Vec<Choice>>, Exhausted> {
    // First without time, which decides whether there are enough occurrences.
    let mut demands = Vec::new();
    let mut leaves = 0_u64;
    tree.leaves(1, &mut |leaf, times| {
        let need = leaf.need.saturating_mul(times);
        demands.push(Demand { leaf: Rc::clone(leaf), need, between: (0, problem.end()) });
        leaves = leaves.saturating_add(times);
    });
    if flow::matching(problem, &demands, budget)?.is_none() {
        return Ok(None);
    }
    if leaves > MOST_LEAVES {
        return Err(Exhausted);
    }
    let mut search = Search { problem, budget, leaves: Vec::new(), not_before: Vec::new(), moments: Vec::new() };
    let root = search.node(tree);
    search.moments = vec![None; search.not_before.len()];
    search.step(&root, 0)
}

struct Search<'p> {
    problem: &'p Problem,
    budget: &'p mut Budget,
    leaves: Vec<Rc<Leaf>>,
    /// For each moment another one that it does not precede: repetitions are interchangeable, so they are in order.
    not_before: Vec<Option<usize>>,
    moments: Vec<Option<Moment>>,
}

/// What is known about the leaves and the next moment.
struct Frame {
    demands: Vec<Demand>,
    /// Where the moment that is to be chosen next may be.
    domain: Vec<Moment>,
}

impl Search<'_> {
    fn node(&mut self, tree: &Tree) -> Node {
        match tree {
            Tree::Leaf(leaf) => {
                self.leaves.push(Rc::clone(leaf));
                Node::Leaf(self.leaves.len() - 1)
            }
            // There are no alternatives left.
            Tree::All(operands) | Tree::Any(operands) => {
                Node::All(operands.iter().map(|operand| self.node(operand)).collect())
            }
            Tree::Sequence(operands) => {
                let moment = self.not_before.len();
                self.not_before.resize(moment + operands.len().saturating_sub(1), None);
                Node::Sequence(operands.iter().map(|operand| self.node(operand)).collect(), moment)
            }
            Tree::Within(duration, inner) => {
                let moment = self.not_before.len();
                self.not_before.push(None);
                Node::Within(*duration, Box::new(self.node(inner)), moment)
            }
            Tree::Repeat(times, inner) => {
                let mut repetitions = Vec::new();
                let mut before: Option<usize> = None;
                for _ in 0..*times {
                    let moment = self.not_before.len();
                    repetitions.push(self.node(inner));
                    if let Some(own) = self.not_before.get_mut(moment) {
                        *own = before.replace(moment);
                    }
                }
                Node::All(repetitions)
            }
        }
    }

    /// Chooses the moments from this one on.
    fn step(&mut self, root: &Node, next: usize) -> Result<Option<Vec<Choice>>, Exhausted> {
        self.budget.spend(self.leaves.len())?;
        let mut frame = Frame { demands: Vec::with_capacity(self.leaves.len()), domain: Vec::new() };
        self.look(root, (0, self.problem.end()), next, &mut frame)?;
        let Some(matching) = flow::matching(self.problem, &frame.demands, self.budget)? else { return Ok(None) };
        if next == self.moments.len() || self.holds(root, &matching).is_some() {
            return Ok(Some(flow::choices(&frame.demands, matching)));
        }
        let least = self.not_before[next].and_then(|other| self.moments[other]);
        frame.domain.sort_unstable();
        frame.domain.dedup();
        for moment in frame.domain {
            if least.is_some_and(|least| moment < least) {
                continue;
            }
            self.moments[next] = Some(moment);
            let found = self.step(root, next + 1)?;
            self.moments[next] = None;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Narrows what each leaf may take by the moments that are chosen, and collects the values of the next one.
    fn look(
        &mut self,
        node: &Node,
        between: (Moment, Moment),
        next: usize,
        frame: &mut Frame,
    ) -> Result<(), Exhausted> {
        let (from, to) = between;
        match node {
            Node::Leaf(leaf) => {
                let leaf = Rc::clone(&self.leaves[*leaf]);
                frame.demands.push(Demand { need: leaf.need, leaf, between });
            }
            Node::All(operands) => {
                for operand in operands {
                    self.look(operand, between, next, frame)?;
                }
            }
            Node::Sequence(operands, first) => {
                let mut from = from;
                for (place, operand) in operands.iter().enumerate() {
                    let until =
                        self.moments.get(first + place).copied().flatten().filter(|_| place + 1 < operands.len());
                    let own = (from, until.map_or(to, |until| until.min(to)));
                    let begin = frame.demands.len();
                    self.look(operand, own, next, frame)?;
                    if first + place == next && place + 1 < operands.len() {
                        self.domain(begin, frame, |problem, member| problem.first[member as usize])?;
                        // A part may have begun before the one before it: then the moment stays.
                        frame.domain.push(from);
                        frame.domain.retain(|moment| *moment >= from);
                    }
                    from = until.map_or(from, |until| until.max(from));
                }
            }
            Node::Within(duration, inner, moment) => {
                let own = match self.moments[*moment] {
                    Some(start) => (from.max(start), to.min(self.problem.until(start, *duration))),
                    None => between,
                };
                let begin = frame.demands.len();
                self.look(inner, own, next, frame)?;
                if *moment == next {
                    self.domain(begin, frame, |problem, member| problem.last[member as usize])?;
                }
            }
        }
        Ok(())
    }

    /// A moment of each candidate of the demands from a place on.
    fn domain(
        &mut self,
        begin: usize,
        frame: &mut Frame,
        moment: impl Fn(&Problem, u32) -> Moment,
    ) -> Result<(), Exhausted> {
        for demand in frame.demands.get(begin..).unwrap_or_default() {
            let before = frame.domain.len();
            let members = self.problem.set(&demand.leaf).between(self.problem, demand.between);
            frame.domain.extend(members.map(|member| moment(self.problem, member)));
            self.budget.spend(frame.domain.len() - before)?;
        }
        Ok(())
    }

    /// F and L of a part as a matching has it, if it satisfies all conditions.
    fn holds(&self, node: &Node, matching: &[Taken]) -> Option<(Moment, Moment)> {
        let nothing = (0, Moment::MAX);
        let join = |one: (Moment, Moment), other: (Moment, Moment)| (one.0.max(other.0), one.1.min(other.1));
        match node {
            Node::Leaf(leaf) => {
                let taken = matching.get(*leaf)?.iter().map(|(observation, _)| self.problem.times_of(*observation));
                Some(taken.fold(nothing, join))
            }
            Node::All(operands) => {
                operands.iter().try_fold(nothing, |all, operand| Some(join(all, self.holds(operand, matching)?)))
            }
            Node::Sequence(operands, _) => operands.iter().try_fold(nothing, |before, operand| {
                let times = self.holds(operand, matching)?;
                (before.0 <= times.1).then(|| join(before, times))
            }),
            Node::Within(duration, inner, _) => {
                let (first, last) = self.holds(inner, matching)?;
                // A window of nothing cannot be: leaves need something.
                (last >= self.problem.since(first, *duration)).then_some((first, last))
            }
        }
    }
}
