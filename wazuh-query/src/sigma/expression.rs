//! Regular expressions: modifier `re`, and what an index makes of them.
//!
//! Rules write the dialect that most tools share. It is run here in linear time, so without look-around and
//! back-references. An index knows Lucene's dialect, in which an expression means the whole value, and has bounds of
//! its own: an expression that it cannot take becomes one that finds more.

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::limits;
use crate::regexp::escape;
use crate::value::Spelling;

/// What `|re|i`, `|re|m` and `|re|s` switch on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
}

/// A regular expression, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    regex: Regex,
    hir: Hir,
}

/// Repeating something counted more often than this is taken for any number of times: the cluster makes an automaton
/// with a state for each time, and sometimes one for each set of times.
const MAX_REPEAT: u32 = 10;
/// A set of characters that takes more than this to write is taken for any character.
const MAX_CLASS_CHARS: usize = 120;

impl Expression {
    /// Reads an expression. Fails with the reason.
    pub(super) fn read(text: &str, flags: Flags) -> Result<Self, String> {
        if text.chars().count() > limits::EXPRESSION_CHARS {
            return Err(format!("more than {} characters", limits::EXPRESSION_CHARS));
        }
        let Flags { ignore_case, multi_line, dot_all } = flags;
        let regex = RegexBuilder::new(text)
            .case_insensitive(ignore_case)
            .multi_line(multi_line)
            .dot_matches_new_line(dot_all)
            .nest_limit(limits::EXPRESSION_DEPTH)
            .size_limit(limits::EXPRESSION_BYTES)
            .dfa_size_limit(limits::EXPRESSION_BYTES)
            .build()
            .map_err(|error| reason(&error))?;
        let hir = ParserBuilder::new()
            .case_insensitive(ignore_case)
            .multi_line(multi_line)
            .dot_matches_new_line(dot_all)
            .nest_limit(limits::EXPRESSION_DEPTH)
            .build()
            .parse(text)
            .map_err(|error| error.to_string())?;
        Ok(Self { regex, hir })
    }

    /// Whether it matches anywhere in `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression for an index whose fields are written in `spelling`, and whether it finds exactly the same.
    /// Nothing if it would be longer, or make a larger automaton, than an index allows.
    pub(super) fn for_index(&self, spelling: Spelling) -> Option<(String, bool)> {
        let mut writer = Writer { spelling, out: String::new(), exact: true, counted: 0 };
        writer.search(&self.hir);
        // Whatever stands around may hide the start inside an escape; classes and repetitions add to that.
        let exact = writer.exact && spelling == Spelling::Plain;
        super::text::is_affordable(&writer.out, false).then_some((writer.out, exact))
    }
}

/// The last line of an error: the others show the expression.
fn reason(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        "needs too many states".to_owned()
    } else {
        let text = error.to_string();
        text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    }
}

struct Writer {
    spelling: Spelling,
    out: String,
    exact: bool,
    /// How many counted repetitions are open.
    counted: usize,
}

impl Writer {
    /// An expression that may stand anywhere, as one for the whole value.
    fn search(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Capture(capture) => self.search(&capture.sub),
            HirKind::Alternation(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        self.out.push('|');
                    }
                    self.out.push('(');
                    self.search(part);
                    self.out.push(')');
                }
            }
            HirKind::Concat(parts) => self.search_parts(parts),
            _ => self.search_parts(std::slice::from_ref(hir)),
        }
    }

    fn search_parts(&mut self, mut parts: &[Hir]) {
        let at_start = matches!(parts.first().map(Hir::kind), Some(HirKind::Look(Look::Start)));
        if at_start {
            parts = parts.get(1..).unwrap_or_default();
        } else {
            self.out.push_str(".*");
        }
        let at_end = matches!(parts.last().map(Hir::kind), Some(HirKind::Look(Look::End)));
        if at_end {
            parts = parts.split_last().map_or(&[][..], |(_, before)| before);
        }
        for part in parts {
            self.write(part);
        }
        if !at_end {
            self.out.push_str(".*");
        }
    }

    fn write(&mut self, hir: &Hir) {
        // What is too long is not written at all, so there is no need to go on.
        if self.out.len() > 8 * crate::dsl::limits::REGEXP_CHARS {
            return;
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => match str::from_utf8(&literal.0) {
                Ok(text) => self.out.push_str(&escape(&self.spelling.write(text))),
                Err(_) => self.anything(),
            },
            HirKind::Class(class) => self.class(class),
            // Borders of words, and borders in the middle.
            HirKind::Look(_) => self.exact = false,
            HirKind::Repetition(repetition) => self.repetition(&repetition.sub, repetition.min, repetition.max),
            HirKind::Capture(capture) => {
                self.out.push('(');
                self.write_inside(&capture.sub);
                self.out.push(')');
            }
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part)),
            HirKind::Alternation(_) => {
                self.out.push('(');
                self.write_inside(hir);
                self.out.push(')');
            }
        }
    }

    /// Writes what stands inside brackets, which may not be empty.
    fn write_inside(&mut self, hir: &Hir) {
        let start = self.out.len();
        match hir.kind() {
            HirKind::Alternation(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        self.out.push('|');
                    }
                    self.out.push('(');
                    self.write(part);
                    self.out.push(')');
                }
            }
            _ => self.write(hir),
        }
        debug_assert!(self.out.len() >= start, "text is only added");
    }

    fn repetition(&mut self, sub: &Hir, min: u32, max: Option<u32>) {
        if is_any(sub) && max.is_none() {
            // Line ends count as well. Texts with line ends are rare, but they are there.
            self.exact &= matches!(sub.kind(), HirKind::Class(class) if is_everything(class));
            self.out.push_str(if min == 0 { ".*" } else { ".+" });
            self.exact &= min <= 1;
            return;
        }
        let is_counted = min > 1 || max.is_some_and(|max| max > 1);
        self.counted += usize::from(is_counted);
        self.out.push('(');
        self.write_inside(sub);
        self.out.push(')');
        let short = self.counted <= 1;
        match (min, max) {
            (0, Some(1)) => self.out.push('?'),
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (min, Some(max)) if short && max <= MAX_REPEAT => self.out.push_str(&format!("{{{min},{max}}}")),
            (min, None) if short && min <= MAX_REPEAT => self.out.push_str(&format!("{{{min},}}")),
            (0, _) => {
                self.exact = false;
                self.out.push('*');
            }
            _ => {
                self.exact = false;
                self.out.push('+');
            }
        }
        self.counted -= usize::from(is_counted);
    }

    fn class(&mut self, class: &Class) {
        let Class::Unicode(class) = class else { return self.anything() };
        let special = |char: char| self.spelling != Spelling::Plain && self.spelling.write(&char.to_string()).len() > 1;
        // Characters that the field spells with several: each becomes an alternative.
        let mut spelled = Vec::new();
        let mut plain: Vec<(char, char)> = Vec::new();
        for range in class.iter() {
            let mut start = range.start();
            for char in ('\0'..='\u{7f}').filter(|char| (range.start()..=range.end()).contains(char)) {
                if !special(char) || char.len_utf8() != 1 {
                    continue;
                }
                if start < char {
                    plain.push((start, before(char)));
                }
                spelled.push(char);
                start = after(char);
            }
            if start <= range.end() {
                plain.push((start, range.end()));
            }
        }
        if spelled.len() > 8 {
            return self.anything();
        }
        let mut alternatives: Vec<String> =
            spelled.iter().map(|char| escape(&self.spelling.write(&char.to_string()))).collect();
        if !plain.is_empty() {
            let written = write_class(&plain);
            if written.chars().count() > MAX_CLASS_CHARS {
                return self.anything();
            }
            alternatives.push(written);
        }
        match alternatives.as_slice() {
            [] => self.out.push('#'),
            [one] if spelled.is_empty() => self.out.push_str(one),
            _ => self.out.push_str(&format!("({})", alternatives.join("|"))),
        }
    }

    /// One character of the event that may be any, however the field spells it.
    fn anything(&mut self) {
        self.exact = false;
        self.out.push_str(if self.spelling == Spelling::Plain { "." } else { ".{1,6}" });
    }
}

/// Whether this is any character, line ends left out or not.
fn is_any(hir: &Hir) -> bool {
    let HirKind::Class(class @ Class::Unicode(ranges)) = hir.kind() else { return false };
    is_everything(class) || {
        let but_line_end = |pairs: &[(char, char)]| pairs == [('\0', '\t'), ('\u{b}', char::MAX)];
        but_line_end(&ranges.iter().map(|range| (range.start(), range.end())).collect::<Vec<_>>())
    }
}

fn is_everything(class: &Class) -> bool {
    let Class::Unicode(ranges) = class else { return false };
    matches!(ranges.ranges(), [range] if range.start() == '\0' && range.end() == char::MAX)
}

/// A class of Lucene with these ranges, the shorter of the two ways to write it.
fn write_class(ranges: &[(char, char)]) -> String {
    let positive = written(ranges);
    let mut rest = Vec::new();
    let mut start = Some('\0');
    for (from, to) in ranges {
        if let Some(start) = start.filter(|start| start < from) {
            rest.push((start, before(*from)));
        }
        start = (*to != char::MAX).then(|| after(*to));
    }
    if let Some(start) = start {
        rest.push((start, char::MAX));
    }
    if rest.is_empty() {
        return ".".to_owned();
    }
    let negative = written(&rest);
    if negative.len() < positive.len() { format!("[^{negative}]") } else { format!("[{positive}]") }
}

fn written(ranges: &[(char, char)]) -> String {
    let mut out = String::new();
    let push = |out: &mut String, char: char| {
        if char.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(char);
    };
    for (from, to) in ranges {
        let mut from = *from;
        // A backslash does not start a range.
        if from == '\\' && from < *to {
            push(&mut out, from);
            from = after(from);
        }
        push(&mut out, from);
        if from < *to {
            out.push('-');
            push(&mut out, *to);
        }
    }
    out
}

fn after(char: char) -> char {
    match char {
        '\u{d7ff}' => '\u{e000}',
        char::MAX => char::MAX,
        _ => char::from_u32(u32::from(char) + 1).unwrap_or(char::MAX),
    }
}

fn before(char: char) -> char {
    match char {
        '\u{e000}' => '\u{d7ff}',
        '\0' => '\0',
        _ => char::from_u32(u32::from(char) - 1).unwrap_or('\0'),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::regexp::Regexp;

    fn read(text: &str) -> Expression {
        Expression::read(text, Flags::default()).unwrap()
    }

    #[track_caller]
    fn check(text: &str, wanted: &str, exact: bool) {
        assert_eq!(read(text).for_index(Spelling::Plain), Some((wanted.to_owned(), exact)), "{text}");
    }

    #[test]
    fn expressions_of_an_index() {
        check("abc", ".*abc.*", true);
        check("^abc$", "abc", true);
        check("^a.c", "a[^\n]c.*", true);
        check("a.*c", ".*a.*c.*", false);
        check("(?s)^a.*c$", "a.*c", true);
        check(r"^\d{3}$", "(.){3,3}", false);
        check(r"^[0-9]{3}$", "([0-9]){3,3}", true);
        check("^[a-f0-9]{32}$", "([0-9a-f])+", false);
        check("^(cmd|powershell)[.]exe$", r"((cmd)|(powershell))\.exe", true);
        check("^a|b$", "(a.*)|(.*b)", true);
        check("(?i)^k$", "[Kk\u{212a}]", true);
        check(r"^\\\\[^\\]+\\$", r"\\\\([^\\])+\\", true);
        check(r"\bx\b", ".*x.*", false);
        check("^[+-/]$", r"[\+-\/]", true);
    }

    #[test]
    fn what_cannot_run_says_why() {
        for (text, wanted) in [
            ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("(", "unclosed group"),
            ("((a{1000}){1000}){1000}", "needs too many states"),
        ] {
            assert_eq!(Expression::read(text, Flags::default()).unwrap_err(), wanted, "{text}");
        }
        assert!(Expression::read(&"(".repeat(1_000), Flags::default()).is_err());
        assert!(Expression::read(&"a".repeat(limits::EXPRESSION_CHARS + 1), Flags::default()).is_err());
        // Linear time: this takes ages elsewhere.
        assert!(!read("(a*)*b").matches(&"a".repeat(20_000)));
    }

    #[track_caller]
    fn agree(expression: &str, text: &str, spelling: Spelling) {
        let Ok(read) = Expression::read(expression, Flags::default()) else { return };
        let Some((written, exact)) = read.for_index(spelling) else { return };
        let of_index = Regexp::new(&written, false).unwrap_or_else(|error| panic!("{expression} {written}: {error}"));
        let (found, wanted) = (of_index.matches(&spelling.write(text)), read.matches(text));
        assert!(found || !wanted, "{expression} matches {text}, {written} does not");
        assert!(!exact || found == wanted, "{expression} is not exactly {written}: {text}");
    }

    #[test]
    fn spelled_fields() {
        for expression in
            [r"^C:\\[a-z]+\\", "\"[^\"]*\"$", "a&b", r"[<>|&]", r"\s+x", "^.{2}$", r"\\[^\\]{3}$", r"[\\/]x", "."]
        {
            for text in [r"C:\temp\x", "say \"hi\"", "a&b", "1>2", "a \n x", "\\\"", r"a\b", r"\\abc", "/x", ""] {
                agree(expression, text, Spelling::EventChannel);
                agree(expression, text, Spelling::Plain);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            expression in "(\\^)?([ab.]|\\[\\^?[ab\\-]\\]|\\(a\\|b?\\)|[ab][*+?]|a\\{2\\}|\\\\\\\\|&){0,5}(\\$)?",
            text in "[ab\\\\&\n]{0,6}",
        ) {
            agree(&expression, &text, Spelling::Plain);
            agree(&expression, &text, Spelling::EventChannel);
        }

        #[test]
        fn never_panics(expression in "\\PC{0,30}", text in "\\PC{0,20}") {
            agree(&expression, &text, Spelling::Plain);
            agree(&expression, &text, Spelling::EventChannel);
        }
    }
}
