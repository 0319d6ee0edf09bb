//! Regular expressions of `MATCHES`: read as PCRE writes them, run in linear time.
//!
//! The standard asks for PCRE, searched anywhere, with a dot for any character (STIX 2.1, section 9.6.1). What PCRE has and
//! an engine of linear time has too is translated here; what needs backtracking is refused with the reason.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::{RegexBuilder, bytes};

use super::fold::nfc;

/// What is remembered of an expression while it runs, in bytes and for each thread.
pub(super) const DFA_MEMORY: usize = 1 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    text: regex::Regex,
    /// The same without regard to case.
    folded: Option<regex::Regex>,
    /// The same for bytes, one character each; absent if a character is no byte.
    bytes: Option<bytes::Regex>,
    /// `$` also stands before a line feed that ends the text.
    has_dollar: bool,
}

impl Expression {
    /// Compiles an expression. `folding` also makes it usable without regard to case, `binary` for bytes.
    pub(super) fn new(text: &str, folding: bool, binary: bool, memory: usize) -> Result<Self, String> {
        let text = nfc(text);
        let Translated { expression, has_dollar } = translate(&text, false)?;
        let build = |insensitive| {
            RegexBuilder::new(&expression)
                .dot_matches_new_line(true)
                .case_insensitive(insensitive)
                .size_limit(memory)
                .dfa_size_limit(memory.min(DFA_MEMORY))
                .build()
                .map_err(|error| reason(&error))
        };
        let bytes = if binary && text.chars().all(|char| u32::from(char) < 256) {
            let Translated { expression, .. } = translate(&text, true)?;
            let built = bytes::RegexBuilder::new(&expression)
                .unicode(false)
                .dot_matches_new_line(true)
                .size_limit(memory)
                .dfa_size_limit(memory.min(DFA_MEMORY))
                .build();
            Some(built.map_err(|error| reason(&error))?)
        } else {
            None
        };
        Ok(Self { text: build(false)?, folded: folding.then(|| build(true)).transpose()?, bytes, has_dollar })
    }

    /// Whether it occurs in a text of normalisation form C.
    pub(super) fn occurs_in(&self, text: &str, fold: bool) -> bool {
        let regex = if fold { self.folded.as_ref().unwrap_or(&self.text) } else { &self.text };
        regex.is_match(text) || self.has_dollar && text.strip_suffix('\n').is_some_and(|before| regex.is_match(before))
    }

    /// Whether it occurs in bytes.
    pub(super) fn occurs_in_bytes(&self, bytes: &[u8]) -> bool {
        self.bytes.as_ref().is_some_and(|regex| {
            regex.is_match(bytes)
                || self.has_dollar && bytes.strip_suffix(b"\n").is_some_and(|before| regex.is_match(before))
        })
    }
}

/// The last line of an error: the others draw a picture of an expression that nobody wrote.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes of memory"),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

/// An expression in the syntax of the crate `regex`, in which a dot stands for any character.
pub(super) fn engine_expression(text: &str) -> Result<String, String> {
    translate(&nfc(text), false).map(|translated| translated.expression)
}

struct Translated {
    expression: String,
    has_dollar: bool,
}

const LINEAR: &str = "linear time rules out";

const HORIZONTAL: &str = r"\t\x20\xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\n\x0B\x0C\r\x85\x{2028}\x{2029}";

/// Rewrites an expression of PCRE for the engine.
fn translate(text: &str, binary: bool) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: text.chars().peekable(),
        out: String::with_capacity(text.len() + 8),
        binary,
        has_dollar: false,
    };
    translator.run()?;
    Ok(Translated { expression: translator.out, has_dollar: translator.has_dollar })
}

struct Translator<'t> {
    rest: Peekable<Chars<'t>>,
    out: String,
    binary: bool,
    has_dollar: bool,
}

/// A member of a class, or what an escape stands for.
enum Atom {
    /// One character.
    Char(char),
    /// A set in the syntax of the engine, without the brackets around it; negated or not.
    Set(String, bool),
    /// Something of the engine's own that stands for no character.
    Raw(&'static str),
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(char) = self.rest.next() {
            match char {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.repetition()?,
                '*' | '+' | '?' => {
                    self.out.push(char);
                    self.quantified()?;
                }
                '$' => {
                    self.has_dollar = true;
                    self.out.push('$');
                }
                '^' | '.' | '|' | ')' => self.out.push(char),
                // White space and `#` mean something else behind `(?x)`: they stay as they are.
                char if char.is_whitespace() || char == '#' => self.out.push(char),
                char => self.literal(char),
            }
        }
        Ok(())
    }

    fn literal(&mut self, char: char) {
        match u32::from(char) {
            _ if char.is_ascii_alphanumeric() => self.out.push(char),
            code @ 0..=0xff if char.is_ascii() || self.binary => self.write(format_args!("\\x{code:02X}")),
            _ => self.out.push(char),
        }
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _written = self.out.write_fmt(arguments);
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// Behind a quantifier.
    fn quantified(&mut self) -> Result<(), String> {
        if self.next_if('+') {
            return Err(format!("{LINEAR} possessive quantifiers such as `a++`"));
        }
        if self.next_if('?') {
            self.out.push('?');
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,5}`, `{,5}`, or just a brace.
    fn repetition(&mut self) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        let mut inside = String::new();
        let closed = loop {
            match ahead.next() {
                Some('}') => break true,
                Some(char) if (char.is_ascii_digit() || char == ',') && inside.len() < 24 => inside.push(char),
                _ => break false,
            }
        };
        let (least, most) = inside.split_once(',').unwrap_or((&inside, ""));
        if !closed || (least.is_empty() && most.is_empty()) || most.contains(',') {
            self.literal('{');
            return Ok(());
        }
        self.rest = ahead;
        let least = if least.is_empty() { "0" } else { least };
        if inside.contains(',') {
            self.write(format_args!("{{{least},{most}}}"));
        } else {
            self.write(format_args!("{{{least}}}"));
        }
        self.quantified()
    }

    fn group(&mut self) -> Result<(), String> {
        if self.rest.peek() == Some(&'*') {
            return Err("verbs such as `(*UTF8)` are not supported".to_owned());
        }
        if !self.next_if('?') {
            self.out.push_str("(?:");
            return Ok(());
        }
        let Some(char) = self.rest.next() else { return Err("a group is not closed".to_owned()) };
        match char {
            ':' | '|' => self.out.push_str("(?:"),
            '=' | '!' => return Err(format!("{LINEAR} look-around such as `(?{char}…)`")),
            '<' if matches!(self.rest.peek(), Some('=' | '!')) => {
                return Err(format!("{LINEAR} look-around such as `(?<=…)`"));
            }
            '<' => self.name('>')?,
            '\'' => self.name('\'')?,
            'P' if self.next_if('<') => self.name('>')?,
            'P' if self.next_if('=') => return Err(format!("{LINEAR} back-references such as `(?P=name)`")),
            'P' | 'R' | '&' | '0'..='9' | '+' => {
                return Err(format!("{LINEAR} groups that call groups, such as `(?R)`"));
            }
            '>' => return Err(format!("{LINEAR} atomic groups such as `(?>…)`")),
            '(' => return Err(format!("{LINEAR} conditions such as `(?(1)…)`")),
            '#' => {
                if !self.rest.by_ref().any(|char| char == ')') {
                    return Err("a comment is not closed".to_owned());
                }
            }
            char => self.flags(char)?,
        }
        Ok(())
    }

    /// The name of a group, which nothing can refer to.
    fn name(&mut self, end: char) -> Result<(), String> {
        if !self.rest.by_ref().any(|char| char == end) {
            return Err("the name of a group is not closed".to_owned());
        }
        self.out.push_str("(?:");
        Ok(())
    }

    /// `(?i)`, `(?i-s:`.
    fn flags(&mut self, first: char) -> Result<(), String> {
        let mut char = first;
        let (mut on, mut off) = (String::new(), String::new());
        let mut negated = false;
        loop {
            match char {
                'i' | 'm' | 's' | 'x' => {
                    let list = if negated { &mut off } else { &mut on };
                    if !list.contains(char) {
                        list.push(char);
                    }
                }
                '-' if !negated => negated = true,
                // How much is taken, names, numbering, and what is the case anyway.
                'U' | 'J' | 'n' | 'u' | 'a' | '^' => {}
                ')' | ':' => break,
                '0'..='9' if negated => return Err(format!("{LINEAR} groups that call groups, such as `(?-1)`")),
                char => return Err(format!("`(?{char}` is not supported")),
            }
            match self.rest.next() {
                Some(next) => char = next,
                None => return Err("a group is not closed".to_owned()),
            }
        }
        let dash = if off.is_empty() { "" } else { "-" };
        let is_empty = on.is_empty() && off.is_empty();
        match (char, is_empty) {
            (':', true) => self.out.push_str("(?:"),
            (':', false) => self.write(format_args!("(?{on}{dash}{off}:")),
            (_, true) => {}
            (_, false) => self.write(format_args!("(?{on}{dash}{off})")),
        }
        Ok(())
    }

    /// An escape outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        if self.next_if('Q') {
            self.quoted();
            return Ok(());
        }
        match self.escaped(false)? {
            Atom::Char(char) => self.code(char),
            Atom::Set(set, negated) => {
                let caret = if negated { "^" } else { "" };
                self.write(format_args!("[{caret}{set}]"));
            }
            Atom::Raw(raw) => {
                self.has_dollar |= raw == "$";
                // In brackets, so that `(?m)` does not reach it.
                self.out.push_str(if raw == "$" { "(?-m:$)" } else { raw });
            }
        }
        Ok(())
    }

    /// `\Q … \E`.
    fn quoted(&mut self) {
        while let Some(char) = self.rest.next() {
            if char == '\\' && self.next_if('E') {
                return;
            }
            self.code(char);
        }
    }

    /// A character that means itself everywhere.
    fn code(&mut self, char: char) {
        match u32::from(char) {
            _ if char.is_ascii_alphanumeric() => self.out.push(char),
            code @ 0..=0xff => self.write(format_args!("\\x{code:02X}")),
            code => self.write(format_args!("\\x{{{code:X}}}")),
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self, in_class: bool) -> Result<Atom, String> {
        let Some(char) = self.rest.next() else { return Err("it ends in a backslash".to_owned()) };
        let set = |text: &str, negated| Ok(Atom::Set(text.to_owned(), negated));
        let (horizontal, vertical) =
            if self.binary { (r"\t\x20\xA0", r"\n\x0B\x0C\r\x85") } else { (HORIZONTAL, VERTICAL) };
        match char {
            'd' | 'w' | 's' | 'D' | 'W' | 'S' => set(&format!("\\{char}"), false),
            'h' => set(horizontal, false),
            'H' => set(horizontal, true),
            'v' => set(vertical, false),
            'V' => set(vertical, true),
            'p' | 'P' => self.property(char),
            'a' => Ok(Atom::Char('\x07')),
            'e' => Ok(Atom::Char('\x1b')),
            'f' => Ok(Atom::Char('\x0c')),
            'n' => Ok(Atom::Char('\n')),
            'r' => Ok(Atom::Char('\r')),
            't' => Ok(Atom::Char('\t')),
            'c' => match self.rest.next() {
                Some(char) if char.is_ascii() => {
                    Ok(Atom::Char(char::from(u8::try_from(char.to_ascii_uppercase()).unwrap_or_default() ^ 0x40)))
                }
                _ => Err("`\\c` needs an ASCII character behind it".to_owned()),
            },
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            'o' => self.braced(8),
            '0'..='9' => self.number(char, in_class),
            'b' if in_class => Ok(Atom::Char('\x08')),
            'b' => Ok(Atom::Raw(r"\b")),
            'B' if !in_class => Ok(Atom::Raw(r"\B")),
            'A' if !in_class => Ok(Atom::Raw(r"\A")),
            'z' if !in_class => Ok(Atom::Raw(r"\z")),
            'Z' if !in_class => Ok(Atom::Raw("$")),
            // Where the match begins does not matter.
            'K' if !in_class => Ok(Atom::Raw("")),
            'E' => Ok(Atom::Raw("")),
            'N' if !in_class => Ok(Atom::Raw(r"[^\n]")),
            'R' if !in_class && self.binary => Ok(Atom::Raw(r"(?:\r\n|[\n\x0B\x0C\r\x85])")),
            'R' if !in_class => Ok(Atom::Raw(r"(?:\r\n|[\n\x0B\x0C\r\x85\x{2028}\x{2029}])")),
            'k' | 'g' => Err(format!("{LINEAR} back-references such as `\\{char}`")),
            char if char.is_ascii_alphabetic() => Err(format!("`\\{char}` is not supported")),
            char => Ok(Atom::Char(char)),
        }
    }

    /// `\pL`, `\p{Lu}`, `\p{^Lu}`.
    fn property(&mut self, sign: char) -> Result<Atom, String> {
        let mut negated = sign == 'P';
        let name: String = if self.next_if('{') {
            negated ^= self.next_if('^');
            let mut name = String::new();
            loop {
                match self.rest.next() {
                    Some('}') => break name,
                    Some(char) if name.len() < 64 && (char.is_ascii_alphanumeric() || "_ =-".contains(char)) => {
                        name.push(char);
                    }
                    _ => return Err(format!("`\\{sign}{{` is not closed")),
                }
            }
        } else {
            self.rest.next().filter(char::is_ascii_alphabetic).into_iter().collect()
        };
        let sign = if negated { 'P' } else { 'p' };
        Ok(Atom::Set(format!("\\{sign}{{{name}}}"), false))
    }

    /// `\x41`, `\x{41}`, `\u0041`.
    fn hexadecimal(&mut self, most: usize) -> Result<Atom, String> {
        if self.rest.peek() == Some(&'{') {
            return self.braced(16);
        }
        let mut code = 0;
        for _ in 0..most {
            let Some(digit) = self.rest.peek().and_then(|char| char.to_digit(16)) else { break };
            code = code * 16 + digit;
            self.rest.next();
        }
        character(code)
    }

    fn braced(&mut self, radix: u32) -> Result<Atom, String> {
        if !self.next_if('{') {
            return Err("an opening brace is missing behind a backslash".to_owned());
        }
        let mut code = 0_u32;
        loop {
            match self.rest.next() {
                Some('}') => return character(code),
                Some(char) => match char.to_digit(radix) {
                    Some(digit) if code < 0x10_0000 => code = code * radix + digit,
                    _ => return Err("a code point in braces is no number of Unicode".to_owned()),
                },
                None => return Err("a brace is not closed".to_owned()),
            }
        }
    }

    /// `\0`, `\012`, `\101`: a code point in octal; anything else refers to a group.
    fn number(&mut self, first: char, in_class: bool) -> Result<Atom, String> {
        let mut digits = String::from(first);
        while digits.len() < 3
            && let Some(digit) = self.rest.next_if(|char| matches!(char, '0'..='7'))
        {
            digits.push(digit);
        }
        if first == '0' || in_class || (digits.len() == 3 && first < '8') {
            return u32::from_str_radix(&digits, 8)
                .map_err(|_| format!("`\\{digits}` is no character"))
                .and_then(character);
        }
        Err(format!("{LINEAR} back-references such as `\\{first}`"))
    }

    /// `[ … ]`: the engine's own classes nest and have operators, so nearly everything is escaped.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.next_if('^') {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let Some(char) = self.rest.next() else { return Err("a class is not closed".to_owned()) };
            if char == ']' && !is_first {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            match self.member(char)? {
                Atom::Char(from) => self.range(from)?,
                other => self.set(&other),
            }
        }
    }

    fn member(&mut self, char: char) -> Result<Atom, String> {
        match char {
            '\\' => self.escaped(true),
            '[' if self.rest.peek() == Some(&':') => Ok(self.posix()),
            char => Ok(Atom::Char(char)),
        }
    }

    /// `[:alpha:]`; without its end it is a bracket like any other.
    fn posix(&mut self) -> Atom {
        let mut ahead = self.rest.clone();
        ahead.next();
        let mut name = String::new();
        loop {
            match ahead.next() {
                Some(':') if ahead.next() == Some(']') => break,
                Some(char) if (char.is_ascii_lowercase() || (char == '^' && name.is_empty())) && name.len() < 12 => {
                    name.push(char);
                }
                _ => return Atom::Char('['),
            }
        }
        self.rest = ahead;
        Atom::Set(format!("[:{name}:]"), false)
    }

    /// A character of a class, and the end of the range that begins with it.
    fn range(&mut self, from: char) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && !matches!(ahead.next(), None | Some(']'));
        self.code(from);
        if !is_range {
            return Ok(());
        }
        self.rest.next();
        let Some(char) = self.rest.next() else { return Err("a class is not closed".to_owned()) };
        match self.member(char)? {
            Atom::Char(to) => {
                self.out.push('-');
                self.code(to);
            }
            other => {
                self.code('-');
                self.set(&other);
            }
        }
        Ok(())
    }

    fn set(&mut self, atom: &Atom) {
        match atom {
            Atom::Set(set, false) => self.out.push_str(set),
            Atom::Set(set, true) => self.write(format_args!("[^{set}]")),
            Atom::Char(_) | Atom::Raw(_) => {}
        }
    }
}

fn character(code: u32) -> Result<Atom, String> {
    char::from_u32(code).map(Atom::Char).ok_or_else(|| format!("U+{code:04X} is no character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> Expression {
        Expression::new(text, true, !text.contains(r"\p"), 1 << 20).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn check(expression: &str, text: &str, expected: bool) {
        assert_eq!(compile(expression).occurs_in(text, false), expected, "{expression} {text:?}");
    }

    #[test]
    fn what_pcre_and_the_engine_write_differently() {
        check(r"^\<a\>$", "<a>", true);
        check(r"a\Z", "a\n", true);
        check(r"a$", "a\n", true);
        check(r"a\z", "a\n", false);
        check(r"a$", "a\nb", false);
        check(r"(?m)a$", "a\nb", true);
        check(r"(?m)a\Z", "a\nb", false);
        check("a.b", "a\nb", true);
        check("(?-s)a.b", "a\nb", false);
        check(r"[[]a]", "[a]", true);
        check(r"^[a&&b]+$", "a&b", true);
        check(r"^[]a]+$", "]a", true);
        check(r"^[^]a]+$", "bc", true);
        check(r"^[a-c~~\-d]+$", "b~-d", true);
        check(r"^[\w-]+$", "a-b", true);
        check(r"^[a-\d]+$", "a-5", true);
        check(r"^[[:alpha:][:digit:]_]+$", "a5_", true);
        check(r"^[[:]+$", "[:", true);
        check(r"^x{2}y{,2}z{1,}$", "xxyyz", true);
        check(r"^{a}$", "{a}", true);
        check(r"^a{x$", "a{x", true);
        check(r"\101\x41\x{41}\u0041", "AAAA", true);
        check(r"^[\101\b]+$", "A\x08", true);
        check(r"\Qa.b\E.", "a.bc", true);
        check(r"\Qa.b\E", "axb", false);
        check(r"(?<name>a)(?P<other>b)(?'third'c)(?#comment)", "abc", true);
        check("(?i)ABC", "abc", true);
        check("(?i:A)B", "aB", true);
        check("(?U)a+(?-i)", "a", true);
        check(r"a\hb\Rc\Nd\e", "a b\r\ncxd\x1b", true);
        check(r"^[\h\V]$", "\u{a0}", true);
        check(r"^\p{Lu}\pL\p{^Lu}$", "Aéé", true);
        check(r"a/b\/c\-d", "a/b/c-d", true);
        check("", "", true);
        check("(?x) a b # words", "ab", true);
        check("ä+", "xää", true);
        check(r"^\d$", "\u{663}", true);
    }

    #[test]
    fn bytes_are_characters_below_256() {
        let expression = compile(r"\x61li[c\x01]e");
        assert!(expression.occurs_in_bytes(b"xalice"));
        assert!(!expression.occurs_in_bytes(b"bob"));
        assert!(compile(r"^.*\x03").occurs_in_bytes(&[1, 0xff, 3]));
        assert!(compile("^ä$").occurs_in_bytes(&[0xe4]));
        assert!(compile(r"^[\xe0-\xe9]$").occurs_in_bytes(&[0xe4]));
        assert!(!compile("ă").occurs_in_bytes("ă".as_bytes()));
    }

    #[test]
    fn case_is_folded_on_request() {
        assert!(compile("EVIL").occurs_in("evil", true));
        assert!(!compile("EVIL").occurs_in("evil", false));
    }

    #[test]
    fn backtracking_is_refused_with_the_reason() {
        for text in [
            "a(?=b)",
            "a(?!b)",
            "(?<=a)b",
            "(?<!a)b",
            r"(a)\1",
            r"(?P<n>a)(?P=n)",
            r"\k<n>",
            "(?>a)",
            "a++",
            "(?R)",
            "(?(1)a|b)",
            "(?-1)",
            "a{2}+",
        ] {
            let error = Expression::new(text, false, false, 1 << 20).expect_err(text);
            assert!(error.contains("linear time"), "{text}: {error}");
        }
        for text in [
            "[a",
            "(a",
            "a)",
            r"a\",
            r"\y",
            "(?<n",
            "(?#a",
            r"\x{110000}",
            "(*UTF8)a",
            r"\o",
            "[b-a]",
            "*",
            "(?",
            r"\p{",
            r"\p{Nothing}",
        ] {
            let error = Expression::new(text, false, false, 1 << 20).expect_err(text);
            assert!(!error.is_empty() && !error.contains('\n'), "{text}: {error}");
        }
        let error = Expression::new("(a{1000}){1000}", false, false, 1 << 20).expect_err("too large");
        assert!(error.contains("memory"), "{error}");
    }
}
