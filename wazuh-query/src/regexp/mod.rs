//! Lucene regular expressions: writing them safely, and running them as Lucene would.
//!
//! `OpenSearch` hands the text of a `regexp` clause to Lucene's `RegExp` with all operators enabled. An expression
//! always means the whole value, `^` and `$` are ordinary characters, and `# @ & < > ~ "` are operators that other
//! dialects do not have. The functions here write expressions in one pass over the value, so that no later step
//! can undo an escape; [`Regexp`] reads and runs them for the local evaluator.

mod nfa;
mod parse;

use std::fmt::Write as _;

pub use parse::RegexpError;

/// Characters that mean something to Lucene outside of a character class.
const RESERVED: &[char] =
    &['.', '?', '+', '*', '|', '{', '}', '[', ']', '(', ')', '"', '\\', '#', '@', '&', '<', '>', '~'];

/// Escapes a text so that the expression matches exactly that text.
///
/// ```
/// assert_eq!(wazuh_query::regexp::escape("c#.dll"), r"c\#\.dll");
/// ```
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        push_escaped(&mut out, char);
    }
    out
}

/// Escapes a text in which any run of backslashes stands for one separator.
///
/// Wazuh writes Windows paths with single backslashes in some fields and with doubled ones in others; the
/// expression matches both.
///
/// ```
/// assert_eq!(wazuh_query::regexp::escape_backslashes(r"C:\Data\[old]\x"), r"C:\\+Data\\+\[old\]\\+x");
/// ```
pub fn escape_backslashes(text: &str) -> String {
    escape_separators(text, |char| char == '\\', r"\\+")
}

/// Escapes a Windows path: any run of `/` and `\` stands for one separator, written either way.
///
/// ```
/// assert_eq!(wazuh_query::regexp::escape_windows_path(r"C:\Temp/x"), r"C:[/\\]+Temp[/\\]+x");
/// ```
pub fn escape_windows_path(text: &str) -> String {
    escape_separators(text, |char| matches!(char, '/' | '\\'), r"[/\\]+")
}

fn escape_separators(text: &str, is_separator: impl Fn(char) -> bool, separator: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut in_separator = false;
    for char in text.chars() {
        if is_separator(char) {
            if !in_separator {
                out.push_str(separator);
            }
            in_separator = true;
        } else {
            in_separator = false;
            push_escaped(&mut out, char);
        }
    }
    out
}

fn push_escaped(out: &mut String, char: char) {
    if RESERVED.contains(&char) {
        out.push('\\');
    }
    out.push(char);
}

/// Escapes a text for a `wildcard` clause, where `*`, `?` and `\` are special.
pub fn escape_wildcard(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for char in text.chars() {
        if matches!(char, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// Joins alternatives into expressions of at most `limit` characters each: `a|b`, `c`.
///
/// An alternative that is too long by itself is left out and returned in the second list.
pub fn join_alternatives(alternatives: impl IntoIterator<Item = String>, limit: usize) -> (Vec<String>, Vec<String>) {
    let (mut joined, mut too_long): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut length = 0;
    for alternative in alternatives {
        let chars = alternative.chars().count();
        if chars > limit {
            too_long.push(alternative);
            continue;
        }
        match joined.last_mut() {
            Some(last) if length + 1 + chars <= limit => {
                let _infallible = write!(last, "|{alternative}");
                length += 1 + chars;
            }
            _ => {
                joined.push(alternative);
                length = chars;
            }
        }
    }
    (joined, too_long)
}

/// A Lucene regular expression, ready to run on values.
///
/// ```
/// use wazuh_query::regexp::Regexp;
///
/// let expression = Regexp::new(r"(.*[/\\])?nc\.exe", true)?;
/// assert!(expression.matches(r"C:\Tools\NC.EXE"));
/// assert!(!expression.matches(r"C:\Tools\xnc.exe"));
/// # Ok::<(), wazuh_query::regexp::RegexpError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Regexp {
    program: nfa::Program,
}

impl Regexp {
    /// Reads an expression. Fails where Lucene fails, and on intersection (`&`) and complement (`~`), which the
    /// project never writes and the local evaluator does not run.
    pub fn new(expression: &str, case_insensitive: bool) -> Result<Self, RegexpError> {
        let tree = parse::parse(expression)?;
        Ok(Self { program: nfa::Program::compile(&tree, case_insensitive)? })
    }

    /// Whether the cluster can make a deterministic automaton of the expression for so many steps, counted as Lucene
    /// counts them: the states of every set of states. It refuses the whole search where it cannot.
    #[cfg(any(feature = "pattern", feature = "sigma"))]
    pub(crate) fn costs_at_most(&self, steps: usize) -> bool {
        self.program.costs_at_most(steps)
    }

    /// Whether the whole of `text` matches. Takes time proportional to the product of both lengths, never more.
    pub fn matches(&self, text: &str) -> bool {
        self.program.matches(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(expression: &str, matching: &[&str], other: &[&str]) {
        let regexp = Regexp::new(expression, false).unwrap();
        for text in matching {
            assert!(regexp.matches(text), "{expression} should match {text}");
        }
        for text in other {
            assert!(!regexp.matches(text), "{expression} should not match {text}");
        }
    }

    #[test]
    fn operators() {
        check("a|b", &["a", "b"], &["", "ab", "c"]);
        check("(ab)+c?", &["ab", "abab", "ababc"], &["", "c", "abcc"]);
        check("a{2,3}", &["aa", "aaa"], &["a", "aaaa"]);
        check("a{2}", &["aa"], &["a", "aaa"]);
        check("a{1,}", &["a", "aaaa"], &[""]);
        check("[a-c0]x[^a-c]", &["ax-", "0xd"], &["dx-", "axa"]);
        check(".", &["a", "\n", "é"], &["", "ab"]);
        check("x@", &["x", "xyz"], &["", "y"]);
        check("#|a", &["a"], &["", "#"]);
        check("\"a.b\"c", &["a.bc"], &["axbc"]);
        check("()", &[""], &["a"]);
        check("<7-12>", &["7", "9", "12", "009"], &["6", "13"]);
        check("<07-12>", &["07", "12"], &["7", "012"]);
        check(r"[\\-a]", &["\\", "-", "a"], &["]"]);
        check(r"\d+\s\w", &["12 a"], &["x a"]);
        check("^a$", &["^a$"], &["a"]);
    }

    #[test]
    fn what_lucene_refuses() {
        for expression in ["(", "a)", "[", "[]", "a{", "*", "\\", "\"a", "<", "a||", r"\q"] {
            assert!(Regexp::new(expression, false).is_err(), "{expression}");
        }
    }

    #[test]
    fn only_ascii_letters_fold() {
        let regexp = Regexp::new("Éq[x]", true).unwrap();
        assert!(regexp.matches("ÉQX"));
        assert!(!regexp.matches("éQX"));
        // Lucene 9 folds characters, not ranges.
        assert!(!Regexp::new("[a-z]", true).unwrap().matches("Q"));
        assert!(!Regexp::new("[^q]", true).unwrap().matches("Q"));
    }

    #[test]
    fn repetition_does_not_explode() {
        assert!(Regexp::new("((((a{1000}){1000}){1000}){1000})", false).is_err());
        let regexp = Regexp::new("(a*)*b", false).unwrap();
        assert!(!regexp.matches(&"a".repeat(10_000)));
    }

    #[test]
    fn long_alternatives_are_split_and_reported() {
        let (joined, too_long) = join_alternatives(["aaa".into(), "bb".into(), "c".into(), "dddddddd".into()], 6);
        assert_eq!(joined, ["aaa|bb", "c"]);
        assert_eq!(too_long, ["dddddddd"]);
    }

    proptest! {
        #[test]
        fn an_escaped_text_matches_itself_and_nothing_longer(text in "\\PC{0,30}") {
            let regexp = Regexp::new(&escape(&text), false).unwrap();
            prop_assert!(regexp.matches(&text));
            let longer = format!("{text}x");
            prop_assert!(!regexp.matches(&longer));
        }

        #[test]
        fn separators_match_single_and_doubled(parts in prop::collection::vec("[^\\\\/]{1,8}", 1..5)) {
            let regexp = Regexp::new(&escape_backslashes(&parts.join("\\")), false).unwrap();
            prop_assert!(regexp.matches(&parts.join("\\")));
            prop_assert!(regexp.matches(&parts.join("\\\\")));
        }

        #[test]
        fn never_panics(expression in "\\PC{0,40}", text in "\\PC{0,20}") {
            if let Ok(regexp) = Regexp::new(&expression, true) {
                regexp.matches(&text);
            }
        }
    }
}
