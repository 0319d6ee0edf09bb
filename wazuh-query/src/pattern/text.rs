//! From `LIKE` patterns and regular expressions to expressions of the index.
//!
//! Both kinds become the tree of the crate `regex-syntax`, which is written out as a Lucene expression. What Lucene
//! cannot say, or would need too large an automaton for, is widened: the expression then finds more, never less.

use std::fmt::Write as _;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, HirKind, Look, Repetition};

use crate::dsl::limits;
use crate::regexp::{Regexp, escape};

/// Nesting of a regular expression beyond this is not looked into.
const MAX_NESTING: u32 = 100;
/// Characters of a text that is asked for where the whole expression cannot be.
const MAX_LITERAL: usize = 200;
/// What the automaton of an expression may cost, well below what the cluster refuses.
const MAX_EFFORT: usize = 20_000;
/// Any number of characters beyond ASCII: what the marks of letters may be written as (Unicode normal form D).
const MARKS: &str = "[^ -~]*";

/// A text to look for: a tree, and whether it begins and ends where the value does.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    tree: Hir,
    from_start: bool,
    to_end: bool,
}

/// How the characters of a value may be written in the text of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Letters may be in either case.
    pub any_case: bool,
    /// A backslash may be doubled.
    pub backslashes: bool,
    /// A quote may have backslashes before it.
    pub quotes: bool,
}

/// An expression of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub text: String,
    /// Whether it finds nothing but what was asked for.
    pub exact: bool,
}

impl Wanted {
    /// A pattern of `LIKE`: `%` for any characters, `_` for one, the whole value.
    pub(super) fn like(pattern: &str) -> Self {
        let any = || Hir::dot(Dot::AnyChar);
        let mut parts = Vec::new();
        let mut literal = String::new();
        for char in pattern.chars() {
            if !matches!(char, '%' | '_') {
                literal.push(char);
                continue;
            }
            if !literal.is_empty() {
                parts.push(Hir::literal(std::mem::take(&mut literal).into_bytes()));
            }
            parts.push(if char == '_' {
                any()
            } else {
                Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub: Box::new(any()) })
            });
        }
        if !literal.is_empty() {
            parts.push(Hir::literal(literal.into_bytes()));
        }
        Self { tree: Hir::concat(parts), from_start: true, to_end: true }
    }

    /// A regular expression that occurs somewhere. `None` where it is none that is understood.
    pub(super) fn matches(expression: &str) -> Option<Self> {
        let tree = ParserBuilder::new().nest_limit(MAX_NESTING).build().parse(expression).ok()?;
        let properties = tree.properties();
        let from_start = properties.look_set_prefix().contains(Look::Start);
        let to_end = properties.look_set_suffix().contains(Look::End);
        Some(Self { tree, from_start, to_end })
    }

    /// The expression for a field in which something stands before the value, and something may stand behind it.
    ///
    /// `None` where only the presence of a value can be asked for.
    pub(super) fn expression(&self, before: &str, after: &str, spelling: Spelling) -> Option<Expression> {
        let mut writer = Writer { out: String::new(), exact: true, spelling };
        // What need not be there says nothing where anything may be.
        if self.from_start || !before.ends_with(")?") {
            writer.out.push_str(before);
        }
        if !self.from_start {
            writer.out.push_str(".*");
        }
        writer.write(&self.tree, 0);
        // Nothing has to stand behind a value.
        writer.out.push_str(if self.to_end { after } else { ".*" });
        let Writer { out, exact, .. } = writer;
        if fits(&out, spelling) {
            return Some(Expression { text: out, exact });
        }
        let literal = self.literals().into_iter().max_by_key(String::len)?;
        containing(&literal, spelling)
    }

    /// Texts that every value has, in the order in which they occur.
    pub(super) fn literals(&self) -> Vec<String> {
        let mut found = Literals::default();
        found.add(&self.tree, 0);
        found.end();
        found.all
    }

    /// Whether every value has a separator of paths in it.
    pub(super) fn names_directory(&self) -> bool {
        self.literals().iter().any(|literal| literal.contains(['/', '\\']))
    }

    /// The literal beginning of the value, where it begins with one and anything may follow: `198.51.` of `198.51.%`.
    pub(super) fn prefix(&self) -> Option<String> {
        if !self.from_start {
            return None;
        }
        let first = match self.tree.kind() {
            HirKind::Concat(parts) => parts.first()?,
            _ => &self.tree,
        };
        match first.kind() {
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(str::to_owned),
            _ => None,
        }
    }
}

/// An expression for values that have a text in them.
pub(super) fn containing(literal: &str, spelling: Spelling) -> Option<Expression> {
    if literal.is_empty() {
        return None;
    }
    let mut writer = Writer { out: ".*".to_owned(), exact: false, spelling };
    for char in literal.chars().take(MAX_LITERAL) {
        writer.char(char);
    }
    writer.out.push_str(".*");
    fits(&writer.out, spelling).then_some(Expression { text: writer.out, exact: false })
}

/// A text as an expression, in all its spellings. `None` when it is too long.
pub(super) fn spelled(text: &str, spelling: Spelling) -> Expression {
    let mut writer = Writer { out: String::with_capacity(text.len() + 8), exact: true, spelling };
    for char in text.chars() {
        writer.char(char);
    }
    Expression { text: writer.out, exact: writer.exact }
}

fn fits(expression: &str, spelling: Spelling) -> bool {
    expression.chars().count() <= limits::REGEXP_CHARS
        && Regexp::new(expression, spelling.any_case).is_ok_and(|regexp| regexp.costs_at_most(MAX_EFFORT))
}

/// Writes a tree as a Lucene expression.
struct Writer {
    out: String,
    exact: bool,
    spelling: Spelling,
}

impl Writer {
    fn write(&mut self, tree: &Hir, depth: u32) {
        if self.out.len() > limits::REGEXP_CHARS * 4 || depth > MAX_NESTING * 2 {
            // Too long in any case; the caller sees it by the length, or the rest is widened here.
            self.any();
            return;
        }
        match tree.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => text.chars().for_each(|char| self.char(char)),
                Err(_) => self.any(),
            },
            HirKind::Class(class) => self.class(class, false),
            // At the ends they are taken into account already; elsewhere they only narrow.
            HirKind::Look(_) => self.exact = false,
            HirKind::Repetition(repetition) => self.repetition(repetition, depth),
            HirKind::Capture(capture) => self.write(&capture.sub, depth + 1),
            HirKind::Concat(parts) => self.concat(parts, depth),
            HirKind::Alternation(parts) => {
                self.out.push('(');
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        self.out.push('|');
                    }
                    let before = self.out.len();
                    self.write(part, depth + 1);
                    if self.out.len() == before {
                        self.out.push_str("()");
                    }
                }
                self.out.push(')');
            }
        }
    }

    fn concat(&mut self, parts: &[Hir], depth: u32) {
        let mut place = 0;
        while let Some(part) = parts.get(place) {
            let run = parts[place..].iter().take_while(|other| *other == part).count();
            // The same class many times in a row is counted by states that multiply with those around it.
            if run > 2 && matches!(part.kind(), HirKind::Class(_)) {
                self.widened(part, 1, depth);
            } else {
                for part in &parts[place..place + run] {
                    self.write(part, depth + 1);
                }
            }
            place += run;
        }
    }

    fn repetition(&mut self, repetition: &Repetition, depth: u32) {
        let Repetition { min, max, sub, .. } = repetition;
        match (min, max) {
            (0, Some(0)) => {}
            (0 | 1, Some(1)) => {
                self.group(sub, depth);
                if *min == 0 {
                    self.out.push('?');
                }
            }
            (0 | 1, None) => {
                self.group(sub, depth);
                self.out.push(if *min == 0 { '*' } else { '+' });
            }
            _ => self.widened(sub, *min, depth),
        }
    }

    /// Any number of times; at least once if `min` is not zero.
    fn widened(&mut self, sub: &Hir, min: u32, depth: u32) {
        self.exact = false;
        self.group(sub, depth);
        self.out.push(if min == 0 { '*' } else { '+' });
    }

    /// A part that something is written behind that applies to all of it.
    fn group(&mut self, sub: &Hir, depth: u32) {
        if let HirKind::Class(class) = sub.kind() {
            self.class(class, true);
            return;
        }
        self.out.push('(');
        let before = self.out.len();
        self.write(sub, depth + 1);
        if self.out.len() == before {
            self.out.push(')');
            return;
        }
        self.out.push(')');
    }

    fn any(&mut self) {
        self.exact = false;
        self.out.push_str(".*");
    }

    fn char(&mut self, char: char) {
        match char {
            '\\' if self.spelling.backslashes || self.spelling.quotes => self.out.push_str(r"\\+"),
            '"' if self.spelling.quotes => self.out.push_str(r#"\\*\""#),
            _ if char.is_ascii() => self.out.push_str(&escape(char.encode_utf8(&mut [0; 4]))),
            // Values are compared in Unicode normal form C; the text of the alert may be in another.
            _ => {
                self.exact = false;
                self.out.push('.');
                self.out.push_str(MARKS);
            }
        }
    }

    /// One character of a class; `repeated` when it is part of a repetition.
    fn class(&mut self, class: &Class, repeated: bool) {
        let Some(mut class) = unicode(class) else {
            self.any();
            return;
        };
        let ascii = ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]);
        let mut beyond = class.clone();
        beyond.difference(&ascii);
        // Two letters beyond ASCII are cases of letters in it.
        beyond.difference(&ClassUnicode::new(['\u{17f}', '\u{212a}'].map(|char| ClassUnicodeRange::new(char, char))));
        let has_beyond = !beyond.ranges().is_empty();
        if has_beyond {
            // All of Unicode or a part of it, it is the same to the index: a letter with a mark may be two characters.
            let all = ClassUnicode::new([ClassUnicodeRange::new('\u{80}', char::MAX)]);
            self.exact &= beyond == all;
            class.union(&all);
            let letters = [('<', '>'), ('A', 'Z'), ('a', 'z')].map(|(from, to)| ClassUnicodeRange::new(from, to));
            let before = class.clone();
            class.union(&ClassUnicode::new(letters));
            self.exact &= before == class;
        }
        if self.spelling.any_case && !has_beyond {
            // One letter in both cases is that letter.
            let members: Vec<char> =
                class.ranges().iter().flat_map(|range| range.start()..=range.end()).take(5).collect();
            if let [upper, lower, ..] = members[..]
                && upper.is_ascii_uppercase()
                && upper.to_ascii_lowercase() == lower
                && members.len() <= 3
                && members.iter().skip(2).all(|char| !char.is_ascii())
            {
                self.out.push(lower);
                return;
            }
        }
        // With other letters than ASCII all of ASCII's are in it already.
        if self.spelling.any_case && !has_beyond {
            let folded = class.clone();
            for (letters, other) in [(('a', 'z'), 'A'), (('A', 'Z'), 'a')] {
                let mut cases = folded.clone();
                cases.intersect(&ClassUnicode::new([ClassUnicodeRange::new(letters.0, letters.1)]));
                let shifted = |char: char| {
                    let place = u32::from(char) - u32::from(letters.0);
                    char::from_u32(u32::from(other) + place).unwrap_or(char)
                };
                let ranges = cases.ranges().iter();
                let ranges = ranges.map(|range| ClassUnicodeRange::new(shifted(range.start()), shifted(range.end())));
                class.union(&ClassUnicode::new(ranges));
            }
            self.exact &= folded == class;
        }
        let holds = |wanted: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&wanted));
        let escaped =
            (self.spelling.backslashes || self.spelling.quotes) && holds('\\') || self.spelling.quotes && holds('"');
        let everything = class.ranges() == [ClassUnicodeRange::new('\0', char::MAX)];
        // Any number of any characters has everything in it already.
        let plain = repeated && everything;
        self.exact &= plain || !escaped;
        let grouped = repeated && escaped && !plain;
        if grouped {
            self.out.push('(');
        }
        if escaped && !plain {
            self.out.push_str(r"\\*");
        }
        write_class(&mut self.out, &class);
        if has_beyond && !repeated {
            self.out.push_str(MARKS);
        }
        if grouped {
            self.out.push(')');
        }
    }
}

fn unicode(class: &Class) -> Option<ClassUnicode> {
    match class {
        Class::Unicode(class) => Some(class.clone()),
        Class::Bytes(class) => class.to_unicode_class(),
    }
}

/// Writes a class, by what is in it or by what is not.
fn write_class(out: &mut String, class: &ClassUnicode) {
    let inverted = class.ranges().last().is_some_and(|range| range.end() == char::MAX);
    let mut class = class.clone();
    if inverted {
        class.negate();
    }
    if class.ranges().is_empty() {
        // Nothing at all, or everything.
        out.push(if inverted { '.' } else { '#' });
        return;
    }
    out.push('[');
    if inverted {
        out.push('^');
    }
    for range in class.ranges() {
        push_member(out, range.start());
        if range.end() != range.start() {
            // A backslash never starts a range, so one that would is written as two.
            if range.start() == '\\' {
                let Some(next) = char::from_u32(u32::from(range.start()) + 1) else { continue };
                push_member(out, next);
                if next == range.end() {
                    continue;
                }
            }
            out.push('-');
            push_member(out, range.end());
        }
    }
    out.push(']');
}

fn push_member(out: &mut String, char: char) {
    if char.is_ascii_punctuation() {
        let _infallible = write!(out, "\\{char}");
    } else {
        out.push(char);
    }
}

/// Collects the texts that stand in every match.
#[derive(Default)]
struct Literals {
    all: Vec<String>,
    current: String,
}

impl Literals {
    fn end(&mut self) {
        if !self.current.is_empty() {
            self.all.push(std::mem::take(&mut self.current));
        }
    }

    fn add(&mut self, tree: &Hir, depth: u32) {
        if depth > MAX_NESTING * 2 {
            self.end();
            return;
        }
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                // Characters beyond ASCII may be written in several ways.
                Ok(text) => {
                    for char in text.chars() {
                        if char.is_ascii() { self.current.push(char) } else { self.end() }
                    }
                }
                Err(_) => self.end(),
            },
            HirKind::Capture(capture) => self.add(&capture.sub, depth + 1),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.add(part, depth + 1)),
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                self.end();
                self.add(&repetition.sub, depth + 1);
                self.end();
            }
            HirKind::Repetition(_) | HirKind::Alternation(_) | HirKind::Class(_) => self.end(),
        }
    }
}
