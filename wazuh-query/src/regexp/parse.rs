//! The grammar of Lucene's `RegExp`, all operators enabled.

use std::iter::Peekable;
use std::str::Chars;

/// Nesting beyond this is refused, so that a hostile expression cannot exhaust the stack.
const MAX_DEPTH: usize = 100;

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexpError {
    /// The expression does not follow the grammar.
    #[error("not a Lucene regular expression: {0}")]
    Syntax(&'static str),
    /// An operator that the local evaluator does not run.
    #[error("operator `{0}` is not run outside of OpenSearch")]
    Unsupported(char),
    /// The expression needs too many states.
    #[error("regular expression is too complex")]
    TooComplex,
}

/// A set of characters, possibly inverted. Lucene 9 ignores the case of single characters, never that of ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) chars: Vec<char>,
    pub(super) ranges: Vec<(char, char)>,
    pub(super) inverted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Matches nothing at all.
    Nothing,
    Empty,
    Char(char),
    Class(Class),
    Any,
    Concat(Vec<Tree>),
    Union(Vec<Tree>),
    Repeat {
        tree: Box<Tree>,
        min: u32,
        max: Option<u32>,
    },
}

pub(super) fn parse(expression: &str) -> Result<Tree, RegexpError> {
    if expression.is_empty() {
        return Ok(Tree::Empty);
    }
    let mut parser = Parser { chars: expression.chars().peekable(), depth: 0 };
    let tree = parser.union()?;
    match parser.chars.next() {
        None => Ok(tree),
        Some(_) => Err(RegexpError::Syntax("`)` without `(`")),
    }
}

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn eat(&mut self, char: char) -> bool {
        self.chars.next_if_eq(&char).is_some()
    }

    fn union(&mut self) -> Result<Tree, RegexpError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexpError::TooComplex);
        }
        let mut parts = vec![self.concat()?];
        while self.eat('|') {
            parts.push(self.concat()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Tree::Union(parts) })
    }

    fn concat(&mut self) -> Result<Tree, RegexpError> {
        let mut parts = vec![self.repeat()?];
        while self.chars.peek().is_some_and(|char| !matches!(char, ')' | '|' | '&')) {
            parts.push(self.repeat()?);
        }
        if self.chars.peek() == Some(&'&') {
            return Err(RegexpError::Unsupported('&'));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Tree::Concat(parts) })
    }

    fn repeat(&mut self) -> Result<Tree, RegexpError> {
        let mut tree = self.simple()?;
        loop {
            let (min, max) = if self.eat('?') {
                (0, Some(1))
            } else if self.eat('*') {
                (0, None)
            } else if self.eat('+') {
                (1, None)
            } else if self.eat('{') {
                self.bounds()?
            } else {
                return Ok(tree);
            };
            tree = Tree::Repeat { tree: Box::new(tree), min, max };
        }
    }

    fn bounds(&mut self) -> Result<(u32, Option<u32>), RegexpError> {
        let min = self.number()?.ok_or(RegexpError::Syntax("number expected after `{`"))?;
        let max = if self.eat(',') { self.number()? } else { Some(min) };
        if !self.eat('}') {
            return Err(RegexpError::Syntax("`}` expected"));
        }
        if max.is_some_and(|max| max < min) {
            return Err(RegexpError::Syntax("upper bound below the lower one"));
        }
        Ok((min, max))
    }

    fn number(&mut self) -> Result<Option<u32>, RegexpError> {
        let mut digits = String::new();
        while let Some(digit) = self.chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| RegexpError::TooComplex)
    }

    fn simple(&mut self) -> Result<Tree, RegexpError> {
        let Some(char) = self.chars.next() else {
            return Err(RegexpError::Syntax("ends where a value is expected"));
        };
        match char {
            '.' => Ok(Tree::Any),
            '#' => Ok(Tree::Nothing),
            '@' => Ok(Tree::Repeat { tree: Box::new(Tree::Any), min: 0, max: None }),
            '~' => Err(RegexpError::Unsupported('~')),
            '"' => self.quoted(),
            '(' => {
                if self.eat(')') {
                    return Ok(Tree::Empty);
                }
                let tree = self.union()?;
                if self.eat(')') { Ok(tree) } else { Err(RegexpError::Syntax("`)` expected")) }
            }
            '[' => self.class(),
            '<' => self.interval(),
            '\\' => self.escaped(),
            '|' | ')' => Err(RegexpError::Syntax("a value is expected before `|` or `)`")),
            '*' | '+' | '?' | '{' => Err(RegexpError::Syntax("nothing to repeat")),
            _ => Ok(Tree::Char(char)),
        }
    }

    fn escaped(&mut self) -> Result<Tree, RegexpError> {
        let char = self.chars.next().ok_or(RegexpError::Syntax("ends with a backslash"))?;
        let class = |ranges: &[(char, char)], inverted| {
            Ok(Tree::Class(Class { chars: Vec::new(), ranges: ranges.to_vec(), inverted }))
        };
        match char {
            'd' | 'D' => class(&[('0', '9')], char == 'D'),
            's' | 'S' => class(&[(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')], char == 'S'),
            'w' | 'W' => class(&[('A', 'Z'), ('a', 'z'), ('0', '9'), ('_', '_')], char == 'W'),
            'a'..='z' | 'A'..='Z' => Err(RegexpError::Syntax("backslash before a letter")),
            _ => Ok(Tree::Char(char)),
        }
    }

    fn quoted(&mut self) -> Result<Tree, RegexpError> {
        let mut parts = Vec::new();
        loop {
            match self.chars.next() {
                Some('"') => return Ok(if parts.is_empty() { Tree::Empty } else { Tree::Concat(parts) }),
                Some(char) => parts.push(Tree::Char(char)),
                None => return Err(RegexpError::Syntax("quoted text does not end")),
            }
        }
    }

    fn class(&mut self) -> Result<Tree, RegexpError> {
        let mut class = Class { inverted: self.eat('^'), ..Class::default() };
        loop {
            let char = self.chars.next().ok_or(RegexpError::Syntax("`]` expected"))?;
            if char == ']' {
                break;
            }
            let from = if char == '\\' { self.class_escape(&mut class)? } else { Some(char) };
            let Some(from) = from else { continue };
            if self.eat('-') {
                let to = match self.chars.next() {
                    Some('\\') => self.chars.next(),
                    other => other,
                };
                let to = to.ok_or(RegexpError::Syntax("`]` expected"))?;
                if to < from {
                    return Err(RegexpError::Syntax("range out of order"));
                }
                class.ranges.push((from, to));
            } else {
                class.chars.push(from);
            }
        }
        if class.chars.is_empty() && class.ranges.is_empty() {
            return Err(RegexpError::Syntax("empty character class"));
        }
        Ok(Tree::Class(class))
    }

    /// One escaped member of a class: a character that may start a range, or one that goes into `class` at once.
    fn class_escape(&mut self, class: &mut Class) -> Result<Option<char>, RegexpError> {
        match self.escaped()? {
            // A backslash never starts a range.
            Tree::Char('\\') => {
                class.chars.push('\\');
                Ok(None)
            }
            Tree::Char(char) => Ok(Some(char)),
            Tree::Class(Class { ranges: predefined, inverted: false, .. }) => {
                class.ranges.extend(predefined);
                Ok(None)
            }
            _ => Err(RegexpError::Syntax("inverted class inside a class")),
        }
    }

    /// `<7-12>`: a decimal number in a range. Where both bounds are written with the same number of digits, so is the
    /// number; else it may have any number of leading zeros.
    fn interval(&mut self) -> Result<Tree, RegexpError> {
        let (low, low_digits) = self.bound()?;
        if !self.eat('-') {
            return Err(RegexpError::Syntax("`-` expected in a number range"));
        }
        let (high, high_digits) = self.bound()?;
        if !self.eat('>') {
            return Err(RegexpError::Syntax("`>` expected"));
        }
        let (low, high) = (low.min(high), low.max(high));
        if high - low > 1_000 {
            return Err(RegexpError::TooComplex);
        }
        let fixed = low_digits == high_digits;
        let digits = if fixed { low_digits } else { 0 };
        let number = |number: u32| Tree::Concat(format!("{number:0digits$}").chars().map(Tree::Char).collect());
        let numbers = Tree::Union((low..=high).map(number).collect());
        let zeros = Tree::Repeat { tree: Box::new(Tree::Char('0')), min: 0, max: None };
        Ok(if fixed { numbers } else { Tree::Concat(vec![zeros, numbers]) })
    }

    /// A bound of a number range, and its number of digits.
    fn bound(&mut self) -> Result<(u32, usize), RegexpError> {
        let before = self.chars.clone().count();
        let number = self.number()?.ok_or(RegexpError::Syntax("number expected in a number range"))?;
        let digits = before - self.chars.clone().count();
        // No number of 32 bits has more digits than this without leading zeros.
        if digits > 10 { Err(RegexpError::TooComplex) } else { Ok((number, digits)) }
    }
}
