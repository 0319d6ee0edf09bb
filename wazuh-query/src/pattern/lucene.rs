//! Trees of regular expressions as Lucene writes them.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use super::text::MAX_NESTING;
use crate::dsl::limits;
use crate::regexp::escape;

/// Any number of characters beyond ASCII: what the marks of letters may be written as (Unicode normal form D).
const MARKS: &str = "[^ -~]*";

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

/// Writes a tree as a Lucene expression.
pub(super) struct Writer {
    pub out: String,
    pub exact: bool,
    pub spelling: Spelling,
}

impl Writer {
    pub(super) fn write(&mut self, tree: &Hir, depth: u32) {
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

    pub(super) fn char(&mut self, char: char) {
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
