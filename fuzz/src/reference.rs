//! Lucene's regular expressions once more, written from the grammar in the documentation of `RegExp` and run in
//! another way: by Brzozowski derivatives (Janusz Brzozowski, "Derivatives of Regular Expressions", 1964).
//!
//! Slow and simple on purpose. It shares nothing with the code that it checks, and knows intersection and complement
//! as well.

use std::rc::Rc;

/// Work beyond this is given up.
const LARGEST: usize = 4_000;
const DEEPEST: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// No text.
    Nothing,
    /// The empty text.
    Empty,
    /// One character out of ranges.
    Set(Vec<(u32, u32)>),
    Concat(Rc<Node>, Rc<Node>),
    Union(Vec<Rc<Node>>),
    Intersection(Rc<Node>, Rc<Node>),
    Not(Rc<Node>),
    Repeat(Rc<Node>, u32, Option<u32>),
}

use Node::{Concat, Empty, Intersection, Not, Nothing, Repeat, Set, Union};

const LAST: u32 = char::MAX as u32;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expression(Rc<Node>);

impl Expression {
    /// Reads an expression; `None` where Lucene refuses it, or where it is too large for this way of running it.
    pub fn read(text: &str, case_insensitive: bool) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Rc::new(Empty)));
        }
        let mut reader = Reader { chars: text.chars().collect(), at: 0, case_insensitive, depth: 0 };
        let node = reader.union()?;
        (reader.at == reader.chars.len()).then_some(Self(node))
    }

    /// Whether the whole text matches; `None` if that takes too much work.
    pub fn matches(&self, text: &str) -> Option<bool> {
        let mut node = self.0.clone();
        for char in text.chars() {
            node = derivative(&node, char as u32);
            if size(&node) > LARGEST {
                return None;
            }
        }
        Some(nullable(&node))
    }
}

fn size(node: &Node) -> usize {
    1 + match node {
        Nothing | Empty | Set(_) => 0,
        Concat(one, other) | Intersection(one, other) => size(one) + size(other),
        Union(parts) => parts.iter().map(|part| size(part)).sum(),
        Not(part) | Repeat(part, ..) => size(part),
    }
}

fn nullable(node: &Node) -> bool {
    match node {
        Nothing | Set(_) => false,
        Empty => true,
        Concat(one, other) | Intersection(one, other) => nullable(one) && nullable(other),
        Union(parts) => parts.iter().any(|part| nullable(part)),
        Not(part) => !nullable(part),
        Repeat(part, min, _) => *min == 0 || nullable(part),
    }
}

/// What may follow when `char` was read.
fn derivative(node: &Rc<Node>, char: u32) -> Rc<Node> {
    match &**node {
        Nothing | Empty => Rc::new(Nothing),
        Set(ranges) => {
            let inside = ranges.iter().any(|(from, to)| (*from..=*to).contains(&char));
            Rc::new(if inside { Empty } else { Nothing })
        }
        Concat(one, other) => {
            let first = concat(derivative(one, char), other.clone());
            if nullable(one) { union(vec![first, derivative(other, char)]) } else { first }
        }
        Union(parts) => union(parts.iter().map(|part| derivative(part, char)).collect()),
        Intersection(one, other) => intersection(derivative(one, char), derivative(other, char)),
        Not(part) => not(derivative(part, char)),
        Repeat(part, min, max) => concat(
            derivative(part, char),
            repeat(part.clone(), min.saturating_sub(1), max.map(|max| max.saturating_sub(1))),
        ),
    }
}

fn concat(one: Rc<Node>, other: Rc<Node>) -> Rc<Node> {
    match (&*one, &*other) {
        (Nothing, _) | (_, Nothing) => Rc::new(Nothing),
        (Empty, _) => other,
        (_, Empty) => one,
        _ => Rc::new(Concat(one, other)),
    }
}

fn union(parts: Vec<Rc<Node>>) -> Rc<Node> {
    let mut flat = Vec::new();
    for part in parts {
        match &*part {
            Nothing => {}
            Union(inner) => flat.extend(inner.iter().cloned()),
            _ => flat.push(part),
        }
    }
    flat.sort();
    flat.dedup();
    match flat.len() {
        0 => Rc::new(Nothing),
        1 => flat.remove(0),
        _ => Rc::new(Union(flat)),
    }
}

fn intersection(one: Rc<Node>, other: Rc<Node>) -> Rc<Node> {
    match (&*one, &*other) {
        (Nothing, _) | (_, Nothing) => Rc::new(Nothing),
        _ if one == other => one,
        _ => Rc::new(Intersection(one, other)),
    }
}

fn not(part: Rc<Node>) -> Rc<Node> {
    match &*part {
        Not(inner) => inner.clone(),
        _ => Rc::new(Not(part)),
    }
}

fn repeat(part: Rc<Node>, min: u32, max: Option<u32>) -> Rc<Node> {
    match (&*part, min, max) {
        (_, _, Some(0)) | (Empty, ..) => Rc::new(Empty),
        (_, 1, Some(1)) => part,
        _ => Rc::new(Repeat(part, min, max)),
    }
}

/// Ranges with all others in their place.
fn inverted(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut out = Vec::new();
    let mut next = 0;
    for (from, to) in ranges {
        if from > next {
            out.push((next, from - 1));
        }
        next = next.max(to + 1);
    }
    if next <= LAST {
        out.push((next, LAST));
    }
    out
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    case_insensitive: bool,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += 1;
        Some(char)
    }

    fn eat(&mut self, char: char) -> bool {
        let there = self.peek() == Some(char);
        self.at += usize::from(there);
        there
    }

    fn union(&mut self) -> Option<Rc<Node>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut parts = vec![self.intersection()?];
        while self.eat('|') {
            parts.push(self.intersection()?);
        }
        self.depth -= 1;
        Some(union(parts))
    }

    fn intersection(&mut self) -> Option<Rc<Node>> {
        let mut node = self.concat()?;
        while self.eat('&') {
            node = intersection(node, self.concat()?);
        }
        Some(node)
    }

    fn concat(&mut self) -> Option<Rc<Node>> {
        let mut parts = vec![self.repeat()?];
        while self.peek().is_some_and(|char| !matches!(char, ')' | '|' | '&')) {
            parts.push(self.repeat()?);
        }
        Some(parts.into_iter().rev().fold(Rc::new(Empty), |rest, part| concat(part, rest)))
    }

    fn repeat(&mut self) -> Option<Rc<Node>> {
        let mut node = self.complement()?;
        loop {
            let (min, max) = if self.eat('?') {
                (0, Some(1))
            } else if self.eat('*') {
                (0, None)
            } else if self.eat('+') {
                (1, None)
            } else if self.eat('{') {
                let min = self.number()?;
                let max = match self.eat(',') {
                    false => Some(min),
                    true if self.peek().is_some_and(|char| char.is_ascii_digit()) => Some(self.number()?),
                    true => None,
                };
                if !self.eat('}') || max.is_some_and(|max| max < min) {
                    return None;
                }
                (min, max)
            } else {
                return Some(node);
            };
            node = repeat(node, min, max);
        }
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.at;
        while self.peek().is_some_and(|char| char.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars.get(start..self.at)?.iter().collect::<String>().parse().ok()
    }

    fn complement(&mut self) -> Option<Rc<Node>> {
        let mut odd = false;
        while self.eat('~') {
            odd = !odd;
        }
        let node = self.class()?;
        Some(if odd { not(node) } else { node })
    }

    fn class(&mut self) -> Option<Rc<Node>> {
        if !self.eat('[') {
            return self.simple();
        }
        let invert = self.eat('^');
        let mut ranges = Vec::new();
        // The first member may be a bracket.
        loop {
            if self.peek() == Some('\\')
                && let Some(predefined) = self.chars.get(self.at + 1).and_then(|char| predefined(*char))
            {
                self.at += 2;
                ranges.extend(predefined);
            } else if self.chars[self.at..].starts_with(&['\\', '\\']) {
                // An escaped backslash never starts a range.
                self.at += 2;
                ranges.push(('\\' as u32, '\\' as u32));
            } else {
                let from = self.character()?;
                if self.eat('-') {
                    self.eat('\\');
                    let to = self.next()?;
                    if to < from {
                        return None;
                    }
                    // The case of ranges is never ignored.
                    ranges.push((from as u32, to as u32));
                } else {
                    ranges.extend(self.folded(from));
                }
            }
            if self.eat(']') {
                break;
            }
        }
        Some(Rc::new(Set(if invert { inverted(ranges) } else { ranges })))
    }

    /// A character, perhaps behind a backslash, which must not stand before other letters.
    fn character(&mut self) -> Option<char> {
        if self.eat('\\') && self.peek().is_some_and(|char| char.is_ascii_alphabetic()) {
            return None;
        }
        self.next()
    }

    fn folded(&self, char: char) -> Vec<(u32, u32)> {
        let mut both = vec![(char as u32, char as u32)];
        if self.case_insensitive && char.is_ascii_alphabetic() {
            let other = char as u32 ^ 0x20;
            both.push((other, other));
            both.sort_unstable();
        }
        both
    }

    fn simple(&mut self) -> Option<Rc<Node>> {
        let any = || Rc::new(Set(vec![(0, LAST)]));
        match self.peek()? {
            '.' => {
                self.at += 1;
                Some(any())
            }
            '#' => {
                self.at += 1;
                Some(Rc::new(Nothing))
            }
            '@' => {
                self.at += 1;
                Some(repeat(any(), 0, None))
            }
            '"' => {
                self.at += 1;
                let mut parts = Vec::new();
                loop {
                    match self.next()? {
                        '"' => break,
                        char => parts.push(Rc::new(Set(self.folded(char)))),
                    }
                }
                Some(parts.into_iter().rev().fold(Rc::new(Empty), |rest, part| concat(part, rest)))
            }
            '(' => {
                self.at += 1;
                if self.eat(')') {
                    return Some(Rc::new(Empty));
                }
                let node = self.union()?;
                self.eat(')').then_some(node)
            }
            '<' => self.interval(),
            '\\' if self.chars.get(self.at + 1).is_some_and(|char| predefined(*char).is_some()) => {
                self.at += 1;
                self.next().and_then(predefined).map(|ranges| Rc::new(Set(ranges)))
            }
            _ => {
                let char = self.character()?;
                Some(Rc::new(Set(self.folded(char))))
            }
        }
    }

    /// A number between two bounds: with leading zeros to their length if both have the same, else with any number of
    /// leading zeros.
    fn interval(&mut self) -> Option<Rc<Node>> {
        self.at += 1;
        let (low, low_digits) = self.bound()?;
        if !self.eat('-') {
            return None;
        }
        let (high, high_digits) = self.bound()?;
        if !self.eat('>') {
            return None;
        }
        let (low, high) = (low.min(high), low.max(high));
        if high - low > 1_000 {
            return None;
        }
        let digit = |char: char| Rc::new(Set(vec![(char as u32, char as u32)]));
        let text = |text: String| text.chars().rev().fold(Rc::new(Empty), |rest, char| concat(digit(char), rest));
        if low_digits == high_digits {
            return Some(union((low..=high).map(|number| text(format!("{number:0low_digits$}"))).collect()));
        }
        let zeros = repeat(digit('0'), 0, None);
        Some(union((low..=high).map(|number| concat(zeros.clone(), text(number.to_string()))).collect()))
    }

    fn bound(&mut self) -> Option<(u32, usize)> {
        let start = self.at;
        let number = self.number()?;
        Some((number, self.at - start))
    }
}

fn predefined(char: char) -> Option<Vec<(u32, u32)>> {
    let range = |from: char, to: char| (from as u32, to as u32);
    let ranges = match char.to_ascii_lowercase() {
        'd' => vec![range('0', '9')],
        's' => vec![range(' ', ' '), range('\t', '\t'), range('\n', '\n'), range('\r', '\r')],
        'w' => vec![range('a', 'z'), range('A', 'Z'), range('_', '_'), range('0', '9')],
        _ => return None,
    };
    Some(if char.is_ascii_uppercase() { inverted(ranges) } else { ranges })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, matching: &[&str], other: &[&str]) {
        let expression = Expression::read(expression, true).expect("an expression");
        for text in matching {
            assert_eq!(expression.matches(text), Some(true), "{text}");
        }
        for text in other {
            assert_eq!(expression.matches(text), Some(false), "{text}");
        }
    }

    #[test]
    fn operators() {
        check("(ab)+c?|x{2,3}", &["ab", "ABab", "abc", "xx", "xxx"], &["", "x", "xxxx", "abcc"]);
        check("[a-c0][^a-c]", &["ad", "0D", "aA"], &["aa", "d0"]);
        check(r"\d\S@", &["1x", "1xyz"], &["x", "1 "]);
        check("<08-11>", &["08", "11"], &["8", "12"]);
        check("<8-11>", &["8", "08", "011"], &["7", "12"]);
        check(r"[\\-a]", &["\\", "-", "A"], &["]"]);
        check("[a-c][^q]", &["aa"], &["Aa", "aQ"]);
        check("~(.*b.*)&.+", &["a", "cc"], &["", "abc"]);
        check("\"a.b\"#|()", &[""], &["a.b"]);
    }
}
