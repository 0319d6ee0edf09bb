//! The condition of a rule (specification, "Condition").

use super::error::{ErrorKind, SigmaError};
use super::limits;

/// A condition over search identifiers, selectors written out. Numbers are places in the list of identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Identifier(usize),
}

/// Reads a condition over the search identifiers `names`.
pub(super) fn parse(text: &str, names: &[String]) -> Result<Condition, SigmaError> {
    if text.len() > limits::CONDITION_BYTES {
        let limit = limits::CONDITION_BYTES;
        return Err(ErrorKind::TooLarge { what: "a condition", limit, unit: "bytes" }.into());
    }
    let mut parser = Parser { text, place: 0, names, depth: 0 };
    let condition = parser.any()?;
    match parser.peek() {
        Token::End => Ok(condition),
        Token::Pipe => Err(ErrorKind::Unsupported(
            "aggregations (`| count()` and the like) need many events; Sigma replaced them by correlation rules",
        )
        .into()),
        Token::Close => Err(parser.error("`)` without `(`")),
        _ => Err(parser.error("`and`, `or` or the end is expected")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Pipe,
    Word(&'t str),
    Other(char),
    End,
}

struct Parser<'t> {
    text: &'t str,
    place: usize,
    names: &'t [String],
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.place..).unwrap_or_default()
    }

    /// The next token and its length.
    fn token(&mut self) -> (Token<'t>, usize) {
        let rest = self.rest();
        let trimmed = rest.trim_start();
        self.place += rest.len() - trimmed.len();
        let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '*' | '.' | '?');
        let length = trimmed.find(|char| !is_word(char)).unwrap_or(trimmed.len());
        match trimmed.chars().next() {
            None => (Token::End, 0),
            Some('(') => (Token::Open, 1),
            Some(')') => (Token::Close, 1),
            Some('|') => (Token::Pipe, 1),
            Some(_) if length > 0 => (Token::Word(trimmed.get(..length).unwrap_or_default()), length),
            Some(char) => (Token::Other(char), char.len_utf8()),
        }
    }

    fn peek(&mut self) -> Token<'t> {
        self.token().0
    }

    fn next(&mut self) -> Token<'t> {
        let (token, length) = self.token();
        self.place += length;
        token
    }

    /// Takes a keyword. A search identifier of that very name is no keyword.
    fn eat(&mut self, keyword: &str) -> bool {
        let (token, length) = self.token();
        let Token::Word(word) = token else { return false };
        let taken = word.eq_ignore_ascii_case(keyword) && !self.names.iter().any(|name| name == word);
        if taken {
            self.place += length;
        }
        taken
    }

    fn error(&self, message: impl Into<String>) -> SigmaError {
        let column = 1 + self.text.get(..self.place).unwrap_or_default().chars().count();
        ErrorKind::Condition { column, message: message.into() }.into()
    }

    fn any(&mut self) -> Result<Condition, SigmaError> {
        self.depth += 1;
        if self.depth > limits::CONDITION_DEPTH {
            return Err(self.error(format!("more than {} brackets inside each other", limits::CONDITION_DEPTH)));
        }
        let mut parts = vec![self.all()?];
        while self.eat("or") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(Condition::of(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, SigmaError> {
        let mut parts = vec![self.not()?];
        while self.eat("and") {
            parts.push(self.not()?);
        }
        Ok(Condition::of(parts, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, SigmaError> {
        let mut negated = false;
        while self.eat("not") {
            negated = !negated;
        }
        let operand = self.operand()?;
        Ok(if negated { Condition::Not(Box::new(operand)) } else { operand })
    }

    fn operand(&mut self) -> Result<Condition, SigmaError> {
        self.peek();
        let start = self.place;
        match self.next() {
            Token::Open => {
                let inner = self.any()?;
                if self.next() == Token::Close { Ok(inner) } else { Err(self.error("`)` is expected")) }
            }
            Token::Word(word) => {
                if let Some(quantifier) = Quantifier::read(word)
                    && !self.names.iter().any(|name| name == word)
                    && self.eat("of")
                {
                    return self.selector(quantifier);
                }
                let found = self.names.iter().position(|name| name == word);
                found.map(Condition::Identifier).ok_or_else(|| {
                    self.place = start;
                    self.error(format!("there is no search identifier `{word}`"))
                })
            }
            Token::End => Err(self.error("ends where a search identifier is expected")),
            _ => {
                self.place = start;
                Err(self.error("a search identifier is expected"))
            }
        }
    }

    fn selector(&mut self, quantifier: Quantifier) -> Result<Condition, SigmaError> {
        self.peek();
        let start = self.place;
        let Token::Word(pattern) = self.next() else {
            return Err(self.error("`them` or a pattern of search identifiers is expected"));
        };
        let them = pattern.eq_ignore_ascii_case("them");
        let selected = |name: &str| if them { !name.starts_with('_') } else { matches(pattern, name) };
        let parts: Vec<Condition> =
            (0..self.names.len()).filter(|place| selected(&self.names[*place])).map(Condition::Identifier).collect();
        if parts.is_empty() {
            self.place = start;
            return Err(self.error(format!("no search identifier matches `{pattern}`")));
        }
        match quantifier {
            Quantifier::One => Ok(Condition::of(parts, Condition::Any)),
            Quantifier::All => Ok(Condition::of(parts, Condition::All)),
            Quantifier::Count => {
                self.place = start;
                Err(self.error("only `1 of`, `any of` and `all of` are defined"))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Quantifier {
    One,
    All,
    /// Another number, which the specification does not define.
    Count,
}

impl Quantifier {
    fn read(word: &str) -> Option<Self> {
        match word {
            "1" => Some(Self::One),
            _ if word.eq_ignore_ascii_case("any") => Some(Self::One),
            _ if word.eq_ignore_ascii_case("all") => Some(Self::All),
            _ if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(Self::Count),
            _ => None,
        }
    }
}

impl Condition {
    fn of(mut parts: Vec<Self>, combine: fn(Vec<Self>) -> Self) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { combine(parts) }
    }

    /// Calls `visit` with every search identifier it names, as often as it names it.
    pub(super) fn each_identifier(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_identifier(visit)),
            Self::Not(part) => part.each_identifier(visit),
            Self::Identifier(place) => visit(*place),
        }
    }
}

/// Whether a name matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = rest.get(place + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["sel_a", "sel_b", "filter", "_hidden"].map(str::to_owned).to_vec()
    }

    fn shown(condition: &Condition) -> String {
        let join = |parts: &[Condition], with: &str| {
            let parts: Vec<_> = parts.iter().map(shown).collect();
            format!("({})", parts.join(with))
        };
        match condition {
            Condition::All(parts) => join(parts, " & "),
            Condition::Any(parts) => join(parts, " | "),
            Condition::Not(part) => format!("!{}", shown(part)),
            Condition::Identifier(place) => names()[*place].clone(),
        }
    }

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        let shown = match parse(text, &names()) {
            Ok(condition) => shown(&condition),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, wanted, "{text}");
    }

    #[test]
    fn grammar() {
        check("sel_a", "sel_a");
        check("sel_a or sel_b and not filter", "(sel_a | (sel_b & !filter))");
        check("(sel_a or sel_b) AND NOT filter", "((sel_a | sel_b) & !filter)");
        check("not not not filter", "!filter");
        check("1 of sel_*", "(sel_a | sel_b)");
        check("any of sel_* and not 1 of filter*", "((sel_a | sel_b) & !filter)");
        check("all of them", "(sel_a & sel_b & filter)");
        check("1 of _*", "_hidden");
        check("all of *_?", "condition, column 8: no search identifier matches `*_?`");
    }

    #[test]
    fn mistakes_are_pointed_at() {
        check("", "condition, column 1: ends where a search identifier is expected");
        check("sel_a and", "condition, column 10: ends where a search identifier is expected");
        check("sel_a sel_b", "condition, column 7: `and`, `or` or the end is expected");
        check("sel_a and (sel_b", "condition, column 17: `)` is expected");
        check("sel_a)", "condition, column 6: `)` without `(`");
        check("sel_c", "condition, column 1: there is no search identifier `sel_c`");
        check("1 of none*", "condition, column 6: no search identifier matches `none*`");
        check("2 of sel_*", "condition, column 6: only `1 of`, `any of` and `all of` are defined");
        check("sel_a & sel_b", "condition, column 7: `and`, `or` or the end is expected");
        check(
            "sel_a | count() by User > 5",
            "not supported: aggregations (`| count()` and the like) need many events; Sigma replaced them by \
             correlation rules",
        );
    }

    #[test]
    fn an_identifier_may_be_called_like_a_keyword() {
        let names = vec!["all".to_owned(), "not".to_owned()];
        assert_eq!(
            parse("all and not", &names).unwrap(),
            Condition::All(vec![Condition::Identifier(0), Condition::Identifier(1)])
        );
    }

    #[test]
    fn hostile_conditions_end() {
        assert!(parse(&"(".repeat(5_000), &names()).is_err());
        assert!(parse(&format!("{}filter", "not ".repeat(1_500)), &names()).is_ok());
        assert!(parse(&"a".repeat(limits::CONDITION_BYTES + 1), &names()).is_err());
    }

    #[test]
    fn patterns_of_names() {
        for (pattern, name, wanted) in [
            ("sel*", "sel", true),
            ("*", "", true),
            ("s*l*x", "sel_x", true),
            ("s*l*x", "sel_y", false),
            ("a*a", "a", false),
            ("a**a", "aa", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
