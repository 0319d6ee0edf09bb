//! Text values with wildcards (specification, "String Wildcard" and "Escaping").

/// A part of a text value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// These characters.
    Literal(String),
    /// Any number of any characters: `*`.
    Any,
    /// One character: `?`.
    One,
    /// A character that starts an option of a Windows command: modifier `windash`.
    Dash,
}

/// The characters that `windash` exchanges for each other.
pub(super) const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// A text value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    /// No piece follows one of its own kind, except [`Piece::One`] and [`Piece::Dash`]; no literal is empty.
    pub(super) pieces: Vec<Piece>,
    /// Whether case matters.
    pub(super) cased: bool,
}

impl Pattern {
    /// Reads a value: `*` and `?` are wildcards, a backslash before one of them or before another backslash takes its
    /// meaning away, and any other backslash is an ordinary character.
    pub(super) fn read(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '*' => pattern.push(Piece::Any),
                '?' => pattern.push(Piece::One),
                '\\' => {
                    let escaped = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    pattern.push_char(escaped.unwrap_or('\\'));
                }
                _ => pattern.push_char(char),
            }
        }
        pattern
    }

    /// These very characters.
    pub(super) fn literal(text: &str) -> Self {
        let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Literal(text.to_owned())] };
        Self { pieces, cased: false }
    }

    fn push_char(&mut self, char: char) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(char),
            _ => self.pieces.push(Piece::Literal(char.into())),
        }
    }

    pub(super) fn push(&mut self, piece: Piece) {
        if !(piece == Piece::Any && self.pieces.last() == Some(&Piece::Any)) {
            self.pieces.push(piece);
        }
    }

    /// Lets anything stand before the value.
    pub(super) fn open_start(&mut self) {
        if self.pieces.first() != Some(&Piece::Any) {
            self.pieces.insert(0, Piece::Any);
        }
    }

    /// Lets anything stand behind the value.
    pub(super) fn open_end(&mut self) {
        self.push(Piece::Any);
    }

    /// The text, if there are no wildcards in it.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Lets dashes before words stand for each other.
    pub(super) fn exchange_dashes(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        for piece in pieces {
            let Piece::Literal(text) = piece else {
                self.push(piece);
                continue;
            };
            let is_word = |char: char| char.is_alphanumeric() || char == '_';
            let mut before = None;
            let mut chars = text.chars().peekable();
            while let Some(char) = chars.next() {
                let starts_option = DASHES.contains(&char)
                    && !before.is_some_and(is_word)
                    && chars.peek().copied().is_some_and(is_word);
                if starts_option {
                    self.push(Piece::Dash);
                } else {
                    self.push_char(char);
                }
                before = Some(char);
            }
        }
    }
}

/// A character in the case in which texts are compared. ASCII letters are equal to ASCII letters only, as in an index.
fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) if !one.is_ascii() => one,
        _ => char,
    }
}

/// A text in the case in which texts are compared.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold).collect() }
}

/// Whether a character is equal to another one that an index, which knows the case of ASCII letters only, takes for
/// different.
pub(super) fn has_other_case(char: char) -> bool {
    !char.is_ascii() && (char.to_lowercase().ne([char]) || char.to_uppercase().ne([char]))
}

/// A text value, ready to run on texts.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    /// What stands between the `*`, the ends included. Never empty.
    segments: Vec<Segment>,
    cased: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    /// With characters that are not fixed.
    Units(Vec<Unit>),
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Char(char),
    One,
    Dash,
}

impl Matcher {
    pub(super) fn new(pattern: &Pattern) -> Self {
        let mut segments = Vec::new();
        let mut units = Vec::new();
        for piece in &pattern.pieces {
            match piece {
                Piece::Any => segments.push(Segment::new(std::mem::take(&mut units))),
                Piece::One => units.push(Unit::One),
                Piece::Dash => units.push(Unit::Dash),
                Piece::Literal(text) => {
                    units.extend(text.chars().map(|char| Unit::Char(if pattern.cased { char } else { fold(char) })));
                }
            }
        }
        segments.push(Segment::new(units));
        Self { segments, cased: pattern.cased }
    }

    /// Whether case matters.
    pub(super) fn cased(&self) -> bool {
        self.cased
    }

    /// Whether the whole of `text` is such a value.
    #[cfg(test)]
    pub(super) fn matches(&self, text: &str) -> bool {
        if self.cased { self.matches_exactly(text) } else { self.matches_exactly(&folded(text)) }
    }

    /// Whether the whole of `text`, in the case in which texts are compared, is such a value.
    pub(super) fn matches_exactly(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.segments.as_slice() else {
            // No `*` at all.
            return self.segments.first().is_some_and(|only| only.at_start(text) == Some(text.len()));
        };
        let Some(mut rest) = first.at_start(text).and_then(|end| text.get(end..)) else { return false };
        for segment in middle {
            match segment.find(rest).and_then(|end| rest.get(end..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.at_end(rest)
    }
}

impl Segment {
    fn new(units: Vec<Unit>) -> Self {
        let literal: Option<String> = units
            .iter()
            .map(|unit| match unit {
                Unit::Char(char) => Some(*char),
                Unit::One | Unit::Dash => None,
            })
            .collect();
        literal.map_or(Self::Units(units), Self::Literal)
    }

    /// Where the segment ends if it stands at the start of `text`.
    fn at_start(&self, text: &str) -> Option<usize> {
        let units = match self {
            Self::Literal(literal) => return text.starts_with(literal.as_str()).then_some(literal.len()),
            Self::Units(units) => units,
        };
        let mut chars = text.chars();
        for unit in units {
            let char = chars.next()?;
            let fits = match unit {
                Unit::Char(wanted) => *wanted == char,
                Unit::One => true,
                Unit::Dash => DASHES.contains(&char),
            };
            if !fits {
                return None;
            }
        }
        Some(text.len() - chars.as_str().len())
    }

    /// Where the first place at which the segment stands in `text` ends.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal(literal) => text.find(literal.as_str()).map(|place| place + literal.len()),
            Self::Units(_) => text.char_indices().find_map(|(place, _)| {
                let end = self.at_start(text.get(place..)?)?;
                Some(place + end)
            }),
        }
    }

    /// Whether the segment stands at the end of `text`.
    fn at_end(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => text.ends_with(literal.as_str()),
            Self::Units(units) => {
                // As many characters as there are units.
                let start = text.char_indices().rev().nth(units.len().saturating_sub(1)).map(|(place, _)| place);
                start.and_then(|start| text.get(start..)).is_some_and(|tail| self.at_start(tail) == Some(tail.len()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(value: &str, matching: &[&str], other: &[&str]) {
        let matcher = Matcher::new(&Pattern::read(value));
        for text in matching {
            assert!(matcher.matches(text), "{value} should match {text}");
        }
        for text in other {
            assert!(!matcher.matches(text), "{value} should not match {text}");
        }
    }

    #[test]
    fn wildcards() {
        check("prog?.exe", &["progA.exe", "PROGb.exe"], &["prog.exe", "progAB.exe"]);
        check(
            "antivirus_V*.exe",
            &["antivirus_V1.exe", "antivirus_v21.2.1.exe", "antivirus_v.exe"],
            &["antivirus.exe"],
        );
        check("*", &["", "x"], &[]);
        check("", &[""], &["x"]);
        check("*a*a*", &["aa", "xaya"], &["a", ""]);
        check("a*ab", &["aab", "aXab"], &["ab"]);
        check("*?", &["x"], &[""]);
        check("*a?c", &["abcadc", "abc"], &["ac", "abcd"]);
        check("é", &["É", "é"], &["e"]);
    }

    /// The five cases of the specification, "Escaping".
    #[test]
    fn escaping() {
        let literal = |value: &str| Pattern::read(value).as_literal().map(str::to_owned);
        assert_eq!(literal(r"C:\Windows\x").as_deref(), Some(r"C:\Windows\x"));
        assert_eq!(literal(r"C:\\Windows\\x").as_deref(), Some(r"C:\Windows\x"));
        assert_eq!(literal(r"a\*b\?").as_deref(), Some("a*b?"));
        check(r"C:\\*", &[r"C:\x", r"C:\"], &["C:x", r"C:\\*".trim_end_matches(r"\\*")]);
        assert_eq!(literal(r"\\\*").as_deref(), Some(r"\*"));
        assert_eq!(literal(r"\\\\").as_deref(), Some(r"\\"));
        assert_eq!(literal(r"\\\").as_deref(), Some(r"\\"));
        assert_eq!(literal(r"end\").as_deref(), Some(r"end\"));
    }

    #[test]
    fn case() {
        let matcher = |cased| Matcher::new(&Pattern { cased, ..Pattern::read("*Cmd*") });
        assert!(matcher(false).matches("xCMDx"));
        assert!(!matcher(true).matches("xCMDx"));
        assert!(matcher(true).matches("xCmdx"));
        // The Kelvin sign is no `k`.
        check("k", &["K"], &["\u{212a}"]);
    }

    #[test]
    fn dashes() {
        let mut pattern = Pattern::read("*-enc a-b /c -*");
        pattern.exchange_dashes();
        let matcher = Matcher::new(&pattern);
        for text in ["x -enc a-b /c -", "x /enc a-b -c -", "\u{2014}ENC a-b \u{2015}c -y"] {
            assert!(matcher.matches(text), "{text}");
        }
        for text in ["x -enc a/b /c -", "x +enc a-b /c -"] {
            assert!(!matcher.matches(text), "{text}");
        }
    }

    /// What `*` and `?` mean, written down once more in the plainest way.
    fn naive(pieces: &[char], text: &[char]) -> bool {
        match (pieces, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                naive(rest, text) || text.split_first().is_some_and(|(_, after)| naive(pieces, after))
            }
            (['?', rest @ ..], [_, after @ ..]) => naive(rest, after),
            ([piece, rest @ ..], [char, after @ ..]) => piece == char && naive(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_matcher_is_right(value in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let wanted = naive(&value.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Matcher::new(&Pattern::read(&value)).matches(&text), wanted);
        }

        #[test]
        fn an_escaped_text_matches_itself(text in "[a-z*?\\\\.]{0,12}") {
            let escaped: String = text.chars().flat_map(|char| {
                let escape = matches!(char, '*' | '?' | '\\').then_some('\\');
                escape.into_iter().chain([char])
            }).collect();
            let pattern = Pattern::read(&escaped);
            prop_assert_eq!(pattern.as_literal(), Some(text.as_str()));
        }
    }
}
