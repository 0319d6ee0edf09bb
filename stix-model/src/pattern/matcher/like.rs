//! `LIKE`: `%` for any characters, `_` for one, over the whole text.

use regex::{Regex, RegexBuilder};

use super::expression::DFA_MEMORY;
use super::fold::nfc;

/// A compiled pattern of `LIKE`.
#[derive(Debug)]
pub(super) enum Like {
    /// Pieces between `%`.
    Pieces(Pieces),
    /// A `_` somewhere between two `%`: searching for such a piece needs an automaton.
    Automaton { plain: Regex, folded: Option<Regex> },
}

/// Pieces of text between `%`.
#[derive(Debug)]
pub(super) struct Pieces {
    /// What the text begins with; it may have `_`.
    first: Box<str>,
    /// What follows, in this order, without `_`.
    middle: Box<[Box<str>]>,
    /// What the text ends in; it may have `_`. Absent without any `%`.
    last: Option<Box<str>>,
}

impl Like {
    /// Compiles a pattern. `folding` also makes it usable without regard to case.
    pub(super) fn new(text: &str, folding: bool, memory: usize) -> Result<Self, String> {
        let text = nfc(text);
        let (first, rest) = match text.split_once('%') {
            Some((first, rest)) => (first, Some(rest)),
            None => (&*text, None),
        };
        let (middle, last) = match rest.map(|rest| rest.rsplit_once('%').unwrap_or(("", rest))) {
            Some((middle, last)) => (middle, Some(last)),
            None => ("", None),
        };
        if !middle.contains('_') {
            let middle = middle.split('%').filter(|piece| !piece.is_empty()).map(Into::into).collect();
            return Ok(Self::Pieces(Pieces { first: first.into(), middle, last: last.map(Into::into) }));
        }
        let mut expression = String::from(r"\A");
        let mut letters = [0; 4];
        for char in text.chars() {
            match char {
                '%' => expression.push_str(".*"),
                '_' => expression.push('.'),
                char => expression.push_str(&regex::escape(char.encode_utf8(&mut letters))),
            }
        }
        expression.push_str(r"\z");
        let build = |insensitive| {
            RegexBuilder::new(&expression)
                .dot_matches_new_line(true)
                .case_insensitive(insensitive)
                .size_limit(memory)
                .dfa_size_limit(memory.min(DFA_MEMORY))
                .build()
                .map_err(|_| format!("it needs more than {memory} bytes of memory"))
        };
        Ok(Self::Automaton { plain: build(false)?, folded: folding.then(|| build(true)).transpose()? })
    }

    /// Whether it covers a text of normalisation form C.
    pub(super) fn covers(&self, text: &str, fold: bool) -> bool {
        match self {
            Self::Automaton { plain, folded } => {
                if fold { folded.as_ref().unwrap_or(plain) } else { plain }.is_match(text)
            }
            Self::Pieces(pieces) if fold => pieces.lower_case().cover(&text.to_lowercase()),
            Self::Pieces(pieces) => pieces.cover(text),
        }
    }
}

impl Pieces {
    fn lower_case(&self) -> Self {
        Self {
            first: self.first.to_lowercase().into(),
            middle: self.middle.iter().map(|piece| piece.to_lowercase().into()).collect(),
            last: self.last.as_ref().map(|piece| piece.to_lowercase().into()),
        }
    }

    fn cover(&self, text: &str) -> bool {
        let Some(mut rest) = strip_front(text, &self.first) else { return false };
        let Some(last) = &self.last else { return rest.is_empty() };
        let Some(before) = strip_back(rest, last) else { return false };
        rest = before;
        for piece in &self.middle {
            let Some((_, behind)) = rest.split_once(&**piece) else { return false };
            rest = behind;
        }
        true
    }
}

/// What is left of a text behind a piece.
fn strip_front<'t>(text: &'t str, piece: &str) -> Option<&'t str> {
    let mut chars = text.chars();
    for wanted in piece.chars() {
        let found = chars.next()?;
        if wanted != '_' && wanted != found {
            return None;
        }
    }
    Some(chars.as_str())
}

/// What is left of a text before a piece.
fn strip_back<'t>(text: &'t str, piece: &str) -> Option<&'t str> {
    let mut chars = text.chars();
    for wanted in piece.chars().rev() {
        let found = chars.next_back()?;
        if wanted != '_' && wanted != found {
            return None;
        }
    }
    Some(chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(like: &str, text: &str, expected: bool) {
        let compiled = Like::new(like, true, 1 << 20).expect(like);
        assert_eq!(compiled.covers(text, false), expected, "{like} {text}");
        assert!(!expected || compiled.covers(&text.to_uppercase(), true), "{like} {text} folded");
    }

    #[test]
    fn the_whole_text_is_covered() {
        for (like, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%", "a\nb", true),
            ("hello", "hello", true),
            ("hell", "hello", false),
            ("he%", "hello", true),
            ("%lo", "hello", true),
            ("he__o", "hello", true),
            ("he_o", "hello", false),
            ("h%l%o", "hello", true),
            ("%ll%l%", "hello", false),
            ("he%lo", "helo", true),
            ("hel%lo", "helo", false),
            ("%h_o%", "hello", false),
            ("%e_l%", "hello", true),
            ("_%_", "a", false),
            ("_%_", "ab", true),
            (r"%\CurrentVersion\Run", r"HKLM\CurrentVersion\Run", true),
            (r"\%", r"\a", true),
            ("%é_", "caféx", true),
            ("a.c", "abc", false),
            ("%a_c%e%", "xabcdef", true),
            ("%.%_x%", "a.bx", true),
        ] {
            check(like, text, expected);
        }
    }
}
