//! The earliest choice for one part after the other, without ever taking one back.

use std::collections::HashMap;
use std::rc::Rc;

use super::tree::{Choice, Moment, Problem, Tree};
use super::{Budget, Exhausted};

/// A binding, if the earliest choices make one.
pub(super) fn place(problem: &Problem, tree: &Tree, budget: &mut Budget) -> Result<Option<Vec<Choice>>, Exhausted> {
    let (free, heads) = (problem.count.clone(), vec![0; problem.set_count()]);
    let mut greedy = Greedy { problem, budget, free, heads, choices: Vec::new(), starts: HashMap::new() };
    let placed = greedy.place(tree, (0, problem.end()), &mut 0)?;
    Ok(placed.map(|_| greedy.choices))
}

/// Whether the earliest choices find a binding whenever there is one: repetitions of a window of one bracket, or of brackets
/// one after the other that share no observation, all of them observed at moments. An exchange of any other choice for the
/// earliest leaves as much to the rest.
pub(super) fn is_exact(problem: &Problem, tree: &Tree) -> bool {
    let Tree::Repeat(_, inner) = tree else { return false };
    if !problem.has_points_only() {
        return false;
    }
    match &**inner {
        Tree::Within(_, inner) => matches!(**inner, Tree::Leaf(_)),
        Tree::Sequence(operands) => {
            let mut taken = vec![false; problem.count.len()];
            operands.iter().all(|operand| match operand {
                Tree::Leaf(leaf) if leaf.need == 1 => {
                    let mut members = problem.set(leaf).members.iter();
                    members.all(|member| !std::mem::replace(&mut taken[*member as usize], true))
                }
                _ => false,
            })
        }
        _ => false,
    }
}

struct Greedy<'p> {
    problem: &'p Problem,
    budget: &'p mut Budget,
    /// Occurrences that serve nothing yet.
    free: Vec<u64>,
    /// For each set a place before which nothing is free.
    heads: Vec<usize>,
    choices: Vec<Choice>,
    /// The moments at which a window may begin.
    starts: HashMap<*const Tree, Rc<Vec<Moment>>>,
}

impl Greedy<'_> {
    /// Places a part between two moments; the latest first moment that it took. `from` is the place of the first start of
    /// a window that may still succeed.
    fn place(&mut self, tree: &Tree, between: (Moment, Moment), from: &mut usize) -> Result<Option<Moment>, Exhausted> {
        let before = self.choices.len();
        let placed = self.part(tree, between, from)?;
        if placed.is_none() && self.choices.len() > before {
            self.heads.fill(0);
            for choice in self.choices.drain(before..) {
                self.free[choice.observation as usize] += choice.times;
            }
        }
        Ok(placed)
    }

    fn part(&mut self, tree: &Tree, between: (Moment, Moment), from: &mut usize) -> Result<Option<Moment>, Exhausted> {
        let mut latest = 0;
        match tree {
            Tree::Leaf(leaf) => {
                let (mut need, mut passed) = (leaf.need, 0);
                let head = &mut self.heads[leaf.set];
                for (place, member) in self.problem.set(leaf).between_from(self.problem, between, *head) {
                    passed += 1;
                    let times = need.min(self.free[member as usize]);
                    if times == 0 {
                        *head += usize::from(*head == place);
                        continue;
                    }
                    self.free[member as usize] -= times;
                    self.choices.push(Choice { leaf: Rc::clone(leaf), observation: member, times });
                    latest = latest.max(self.problem.first[member as usize]);
                    need -= times;
                    if need == 0 {
                        break;
                    }
                }
                self.budget.spend(passed)?;
                return Ok((need == 0).then_some(latest));
            }
            Tree::All(operands) => {
                for operand in operands {
                    let Some(first) = self.place(operand, between, &mut 0)? else { return Ok(None) };
                    latest = latest.max(first);
                }
            }
            Tree::Sequence(operands) => {
                let (mut start, end) = between;
                for operand in operands {
                    let Some(first) = self.place(operand, (start, end), &mut 0)? else { return Ok(None) };
                    latest = latest.max(first);
                    start = start.max(first);
                }
            }
            Tree::Any(alternatives) => {
                for alternative in alternatives {
                    if let Some(first) = self.place(alternative, between, &mut 0)? {
                        return Ok(Some(first));
                    }
                }
                return Ok(None);
            }
            Tree::Within(duration, operand) => {
                let starts = self.starts(tree, operand)?;
                let mut place = (*from).max(starts.partition_point(|start| *start < between.0));
                while let Some(start) = starts.get(place).copied().filter(|start| *start <= between.1) {
                    let window = (start, self.problem.until(start, *duration).min(between.1));
                    if let Some(first) = self.place(operand, window, &mut 0)? {
                        *from = place;
                        return Ok(Some(first));
                    }
                    place += 1;
                }
                return Ok(None);
            }
            Tree::Repeat(times, operand) => {
                let mut left = *times;
                // What failed fails again: there is only less from one repetition to the next.
                let mut from = 0;
                while left > 0 {
                    let before = self.choices.len();
                    let Some(first) = self.place(operand, between, &mut from)? else { return Ok(None) };
                    latest = latest.max(first);
                    left -= 1;
                    left -= self.again(before, left)?;
                }
            }
        }
        Ok(Some(latest))
    }

    /// Makes the last choices once more, as often as possible, for observations that were made often.
    fn again(&mut self, before: usize, most: u64) -> Result<u64, Exhausted> {
        let Some(choices) = self.choices.get_mut(before..) else { return Ok(0) };
        self.budget.spend(choices.len())?;
        let mut used: HashMap<u32, u64> = HashMap::new();
        for choice in choices.iter() {
            let used = used.entry(choice.observation).or_default();
            *used = used.saturating_add(choice.times);
        }
        let possible = used.iter().map(|(observation, used)| self.free[*observation as usize] / used).min();
        let more = possible.unwrap_or(0).min(most);
        for choice in choices {
            self.free[choice.observation as usize] -= choice.times * more;
            choice.times += choice.times * more;
        }
        Ok(more)
    }

    /// The last moments of all candidates: a window begins with one of them.
    fn starts(&mut self, window: &Tree, inner: &Tree) -> Result<Rc<Vec<Moment>>, Exhausted> {
        if let Some(starts) = self.starts.get(&std::ptr::from_ref(window)) {
            return Ok(Rc::clone(starts));
        }
        let mut starts = Vec::new();
        inner.leaves(1, &mut |leaf, _| {
            starts.extend(self.problem.set(leaf).members.iter().map(|member| self.problem.last[*member as usize]));
        });
        self.budget.spend(starts.len())?;
        starts.sort_unstable();
        starts.dedup();
        let starts = Rc::new(starts);
        self.starts.insert(std::ptr::from_ref(window), Rc::clone(&starts));
        Ok(starts)
    }
}
