//! Expressions as a non-deterministic automaton, run on all states at once.

use super::RegexpError;
use super::parse::{Class, Tree};

/// More states than this are refused. An expression within the index's limit of 1,000 characters stays far below,
/// unless it repeats repetitions.
const MAX_STATES: usize = 20_000;

#[derive(Clone, Debug)]
enum State {
    /// Goes on at two places without reading.
    Split(u32, u32),
    /// Reads one character.
    Char(char),
    Class(Class),
    Any,
    /// Goes on elsewhere without reading.
    Jump(u32),
    /// No way on.
    Fail,
    Accept,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    states: Vec<State>,
    case_insensitive: bool,
}

impl Program {
    pub(super) fn compile(tree: &Tree, case_insensitive: bool) -> Result<Self, RegexpError> {
        let mut program = Self { states: Vec::new(), case_insensitive };
        program.add(tree)?;
        program.push(State::Accept)?;
        Ok(program)
    }

    fn push(&mut self, state: State) -> Result<u32, RegexpError> {
        if self.states.len() >= MAX_STATES {
            return Err(RegexpError::TooComplex);
        }
        let place = self.here();
        self.states.push(state);
        Ok(place)
    }

    fn here(&self) -> u32 {
        u32::try_from(self.states.len()).unwrap_or(u32::MAX)
    }

    fn set(&mut self, place: u32, state: State) {
        self.states[place as usize] = state;
    }

    fn add(&mut self, tree: &Tree) -> Result<(), RegexpError> {
        match tree {
            Tree::Empty => {}
            Tree::Nothing => drop(self.push(State::Fail)?),
            Tree::Char(char) => drop(self.push(State::Char(*char))?),
            Tree::Class(class) => drop(self.push(State::Class(class.clone()))?),
            Tree::Any => drop(self.push(State::Any)?),
            Tree::Concat(parts) => {
                for part in parts {
                    self.add(part)?;
                }
            }
            Tree::Union(parts) => self.add_union(parts)?,
            Tree::Repeat { tree, min, max } => self.add_repeat(tree, *min, *max)?,
        }
        Ok(())
    }

    fn add_union(&mut self, parts: &[Tree]) -> Result<(), RegexpError> {
        let mut ends = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            if place + 1 == parts.len() {
                self.add(part)?;
            } else {
                let split = self.push(State::Fail)?;
                self.add(part)?;
                ends.push(self.push(State::Fail)?);
                self.set(split, State::Split(split + 1, self.here()));
            }
        }
        for end in ends {
            self.set(end, State::Jump(self.here()));
        }
        Ok(())
    }

    fn add_repeat(&mut self, tree: &Tree, min: u32, max: Option<u32>) -> Result<(), RegexpError> {
        for _ in 0..min {
            self.add(tree)?;
        }
        let Some(max) = max else {
            let split = self.push(State::Fail)?;
            self.add(tree)?;
            self.push(State::Jump(split))?;
            self.set(split, State::Split(split + 1, self.here()));
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(State::Fail)?);
            self.add(tree)?;
        }
        for split in splits {
            self.set(split, State::Split(split + 1, self.here()));
        }
        Ok(())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let mut current = Threads::new(self.states.len());
        let mut next = Threads::new(self.states.len());
        self.follow(0, &mut current);
        for char in text.chars() {
            for thread in 0..current.list.len() {
                let place = current.list[thread];
                if self.reads(&self.states[place as usize], char) {
                    self.follow(place + 1, &mut next);
                }
            }
            if next.list.is_empty() {
                return false;
            }
            std::mem::swap(&mut current, &mut next);
            next.clear();
        }
        current.list.iter().any(|place| matches!(self.states[*place as usize], State::Accept))
    }

    /// Whether the sets of states that texts lead to have no more than so many states together.
    #[cfg(any(feature = "pattern", feature = "sigma"))]
    pub(super) fn costs_at_most(&self, steps: usize) -> bool {
        let letters = self.letters();
        let mut known = std::collections::BTreeSet::new();
        let mut open = Vec::new();
        let mut threads = Threads::new(self.states.len());
        self.follow(0, &mut threads);
        let mut spent = 0;
        let mut reached = vec![std::mem::take(&mut threads.list)];
        loop {
            for mut set in reached.drain(..) {
                set.sort_unstable();
                if !known.contains(&set) {
                    spent += set.len() + 1;
                    if spent > steps {
                        return false;
                    }
                    known.insert(set.clone());
                    open.push(set);
                }
            }
            let Some(set) = open.pop() else { return true };
            for char in &letters {
                threads.clear();
                for place in set.iter().filter(|place| self.reads(&self.states[**place as usize], *char)) {
                    self.follow(place + 1, &mut threads);
                }
                reached.push(std::mem::take(&mut threads.list));
            }
        }
    }

    /// One character of each kind that the expression tells apart.
    #[cfg(any(feature = "pattern", feature = "sigma"))]
    fn letters(&self) -> Vec<char> {
        let mut letters = vec!['\0', char::MAX];
        let mut edge = |char: char| {
            letters.push(char);
            letters.extend(char::from_u32(u32::from(char).wrapping_add(1)));
            letters.extend(u32::from(char).checked_sub(1).and_then(char::from_u32));
        };
        for state in &self.states {
            match state {
                State::Char(char) => edge(*char),
                State::Class(class) => {
                    class.chars.iter().copied().for_each(&mut edge);
                    class.ranges.iter().for_each(|(from, to)| {
                        edge(*from);
                        edge(*to);
                    });
                }
                _ => {}
            }
        }
        letters.sort_unstable();
        letters.dedup();
        // Characters that every state reads alike lead to the same place.
        let mut told_apart: Vec<char> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for char in letters {
            let reading: Vec<bool> = self.states.iter().map(|state| self.reads(state, char)).collect();
            if seen.insert(reading) {
                told_apart.push(char);
            }
        }
        told_apart
    }

    /// Adds a state and all that it reaches without reading.
    fn follow(&self, place: u32, threads: &mut Threads) {
        threads.stack.push(place);
        while let Some(place) = threads.stack.pop() {
            if std::mem::replace(&mut threads.seen[place as usize], true) {
                continue;
            }
            threads.visited.push(place);
            match &self.states[place as usize] {
                State::Split(one, other) => threads.stack.extend([*other, *one]),
                State::Jump(to) => threads.stack.push(*to),
                State::Fail => {}
                State::Accept | State::Any | State::Char(_) | State::Class(_) => threads.list.push(place),
            }
        }
    }

    fn reads(&self, state: &State, char: char) -> bool {
        match state {
            State::Any => true,
            State::Char(wanted) => *wanted == char || (self.case_insensitive && wanted.eq_ignore_ascii_case(&char)),
            State::Class(class) => {
                let is_char = class
                    .chars
                    .iter()
                    .any(|wanted| *wanted == char || (self.case_insensitive && wanted.eq_ignore_ascii_case(&char)));
                let within = is_char || class.ranges.iter().any(|(from, to)| (*from..=*to).contains(&char));
                within != class.inverted
            }
            State::Accept | State::Fail | State::Jump(_) | State::Split(..) => false,
        }
    }
}

/// The states that are alive at one place of the text.
struct Threads {
    list: Vec<u32>,
    seen: Vec<bool>,
    visited: Vec<u32>,
    stack: Vec<u32>,
}

impl Threads {
    fn new(states: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; states], visited: Vec::new(), stack: Vec::new() }
    }

    fn clear(&mut self) {
        self.list.clear();
        for place in self.visited.drain(..) {
            self.seen[place as usize] = false;
        }
    }
}
