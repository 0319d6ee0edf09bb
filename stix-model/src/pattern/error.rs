//! What is wrong with a pattern, and where.

use std::fmt;

use super::ast::Span;
use super::lexer::{Bad, Keyword, Token};

/// Why a text is no pattern: the place, what stands there and what should.
///
/// ```
/// use stix_model::pattern::Pattern;
///
/// let text = "[file:name = foo]";
/// let error = Pattern::parse(text).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 14: expected a value, found `foo` (text is written in single quotes)");
/// assert_eq!(error.span().text(text), "foo");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {}, column {}: {}", .0.line, .0.column, .0)]
pub struct PatternError(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    kind: PatternErrorKind,
    span: Span,
    line: u32,
    column: u32,
    found: Box<str>,
    expected: &'static [&'static str],
    hint: Option<&'static str>,
}

/// The sort of thing that is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// Not what the grammar has at this place.
    Syntax,
    /// A string, number, timestamp, hexadecimal or base64 literal, or a comment, that is none.
    Literal,
    /// A digest of the wrong length or with other characters than its algorithm gives.
    HashValue,
    /// A qualifier twice on one observation.
    DuplicateQualifier,
    /// More nesting than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// More text than [`MAX_LENGTH`](super::MAX_LENGTH).
    TooLong,
}

/// How much of a token is shown.
const SHOWN_CHARACTERS: usize = 40;
/// How much of a line is shown on either side of the place.
const SHOWN_BEFORE: usize = 60;
const SHOWN_BEHIND: usize = 40;

impl PatternError {
    pub(super) fn new(kind: PatternErrorKind, text: &str, span: Span, expected: &'static [&'static str]) -> Self {
        let (line, column) = position(text, span);
        let found = found(text, span);
        Self(Box::new(Inner { kind, span, line, column, found, expected, hint: None }))
    }

    /// A token that cannot stand where it does.
    pub(super) fn unexpected(text: &str, token: Token, span: Span, expected: &'static [&'static str]) -> Self {
        let Token::Bad(bad) = token else {
            let mut error = Self::new(PatternErrorKind::Syntax, text, span, expected);
            let before = text.get(..span.start as usize).unwrap_or_default();
            error.0.hint = match token {
                Token::Word if before.ends_with('\'') => Some(r"an apostrophe inside of a string is written `\'`"),
                Token::Word | Token::Integer | Token::Float if before.ends_with(|char: char| char.is_ascii_digit()) => {
                    Some("text, as of addresses and digests, is written in single quotes")
                }
                _ => hint(token, span.text(text), expected),
            };
            return error;
        };
        let (kind, expected, hint): (_, &'static [&'static str], _) = match bad {
            Bad::Character => (PatternErrorKind::Syntax, expected, hint_of_character(span.text(text))),
            Bad::StringEnd => (PatternErrorKind::Literal, &["a closing quote for what begins here"], None),
            Bad::Escape => {
                (PatternErrorKind::Literal, &[r"`\'`", r"`\\`"], Some("a backslash in a string is written twice"))
            }
            Bad::CommentEnd => (PatternErrorKind::Literal, &["`*/` behind this comment"], None),
            Bad::LeadingZero => (PatternErrorKind::Literal, &["a number without leading zeros"], None),
            Bad::Timestamp => (PatternErrorKind::Literal, &["a timestamp such as t'2026-01-02T03:04:05.678Z'"], None),
            Bad::NoSuchDay => (PatternErrorKind::Literal, &["a day of the calendar"], None),
            Bad::Hex => (PatternErrorKind::Literal, &["pairs of hexadecimal digits"], None),
            Bad::Binary => (PatternErrorKind::Literal, &["base64 with its padding"], None),
        };
        let mut error = Self::new(kind, text, span, expected);
        error.0.hint = hint;
        if matches!(bad, Bad::StringEnd | Bad::CommentEnd) {
            error.0.found = END.into();
        }
        error
    }

    #[must_use]
    pub(super) fn with_found(mut self, found: impl Into<Box<str>>) -> Self {
        self.0.found = found.into();
        self
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: &'static str) -> Self {
        self.0.hint = Some(hint);
        self
    }

    /// The sort of thing that is wrong.
    pub fn kind(&self) -> PatternErrorKind {
        self.0.kind
    }

    /// Where: bytes of the text. Empty at its end.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.0.line
    }

    /// The character in the line, from 1.
    pub fn column(&self) -> u32 {
        self.0.column
    }

    /// What stands there, shortened and without control characters.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// What could stand there.
    pub fn expected(&self) -> &'static [&'static str] {
        self.0.expected
    }

    /// The error, the line of the pattern, and a caret below the place. `text` is the pattern that was read.
    ///
    /// Long lines are cut, and characters that a terminal would act on are escaped.
    ///
    /// ```
    /// let text = "[file:size > ]";
    /// let error = stix_model::pattern::Pattern::parse(text).unwrap_err();
    /// assert_eq!(error.render(text), "\
    /// line 1, column 14: expected a value, found `]`
    ///   [file:size > ]
    ///                ^");
    /// ```
    pub fn render(&self, text: &str) -> String {
        let at = floor(text, self.0.span.start as usize);
        let end = floor(text, self.0.span.end as usize).max(at);
        let before = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        let line = text.get(at..).unwrap_or_default().split('\n').next().unwrap_or_default();
        let skipped = before.chars().count().saturating_sub(SHOWN_BEFORE);
        let mut shown = String::from("  ");
        if skipped > 0 {
            shown.push('…');
        }
        before.chars().skip(skipped).for_each(|char| push_escaped(&mut shown, char));
        let indent = shown.chars().count();
        let mut width = 0;
        for (place, char) in line.char_indices().take(SHOWN_BEHIND) {
            push_escaped(&mut shown, char);
            if at + place < end {
                width = shown.chars().count() - indent;
            }
        }
        if line.chars().nth(SHOWN_BEHIND).is_some() {
            shown.push('…');
        }
        format!("{self}\n{}\n{:indent$}{}", shown.trim_end(), "", "^".repeat(width.max(1)))
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected ")?;
        for (place, expected) in self.expected.iter().enumerate() {
            match place {
                0 => {}
                _ if place + 1 == self.expected.len() => f.write_str(" or ")?,
                _ => f.write_str(", ")?,
            }
            f.write_str(expected)?;
        }
        write!(f, ", found {}", self.found)?;
        self.hint.map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

const END: &str = "the end of the pattern";

/// Line and column, from 1.
fn position(text: &str, span: Span) -> (u32, u32) {
    let before = text.get(..floor(text, span.start as usize)).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let count = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
    (count(line), count(column))
}

/// The next place before `place` where a character begins.
fn floor(text: &str, place: usize) -> usize {
    text.floor_char_boundary(place)
}

fn found(text: &str, span: Span) -> Box<str> {
    let text = span.text(text);
    if text.is_empty() {
        return END.into();
    }
    let mut found = String::from("`");
    text.chars().take(SHOWN_CHARACTERS).for_each(|char| push_escaped(&mut found, char));
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        found.push('…');
    }
    found.push('`');
    found.into()
}

/// Letters of any script are shown as they are; what a terminal acts on, or what cannot be seen, is not.
fn push_escaped(out: &mut String, char: char) {
    match char {
        '\t' => out.push(' '),
        ' ' => out.push(' '),
        _ if char.is_ascii_graphic() || char.is_alphanumeric() => out.push(char),
        _ if char.is_control() || char.is_whitespace() || !is_punctuation(char) => out.extend(char.escape_unicode()),
        _ => out.push(char),
    }
}

/// Marks that people type and that change nothing around them.
fn is_punctuation(char: char) -> bool {
    matches!(char, '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{bf}' | '×' | '÷' | '‐'..='‧' | '‰'..='⁞' | '₠'..='⃀' | '、'..='〟')
}

/// What people write by mistake at such a place.
fn hint(token: Token, text: &str, expected: &[&str]) -> Option<&'static str> {
    let expects = |what: &str| expected.contains(&what);
    match token {
        Token::Word if Keyword::of(&text.to_ascii_uppercase()).is_some() && !expects(NAME) => {
            Some("keywords are written in upper case")
        }
        Token::Word if matches!(text, "True" | "TRUE" | "False" | "FALSE") => Some("write `true` or `false`"),
        Token::Word | Token::HyphenWord if expects(VALUE) || expects(STRING) => {
            Some("text is written in single quotes")
        }
        Token::HyphenWord if expects(NAME) => Some("a name with a hyphen is written in single quotes"),
        Token::Word | Token::HyphenWord if expects("`[`") => Some("comparisons stand in square brackets"),
        Token::Keyword(_) if expects(NAME) => Some("a name that is a keyword is written in single quotes"),
        Token::Dot if expects("`:`") => Some("a colon stands behind the type of the object"),
        _ => None,
    }
}

fn hint_of_character(text: &str) -> Option<&'static str> {
    match text.chars().next()? {
        '"' | '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' | '`' => Some("strings stand in single quotes: '…'"),
        '/' => Some("comments stand behind the first bracket"),
        '&' | '|' => Some("write `AND` or `OR`"),
        _ => None,
    }
}

/// Names of what is expected that hints look for.
pub(super) const VALUE: &str = "a value";
pub(super) const STRING: &str = "a string";
pub(super) const NAME: &str = "the name of a property";
