//! Clauses for values: what an index is asked so that it finds all texts that a rule means.

use ipnet::IpNet;

use super::formula::digest_name;
use super::network;
use super::number::{self, Comparison, Decimal};
use super::places::{Kind, Part, Place};
use super::string::{DASHES, Pattern, Piece, has_other_case};
use crate::catalogue::taxonomy::UrlPart;
use crate::dsl::{Clause, limits};
use crate::regexp::{Regexp, escape, escape_wildcard};
use crate::value::Spelling;

/// Characters of a pattern that is looked for at any place. The cluster makes an automaton of it, with a state for each
/// character and, where the pattern repeats itself, work for each pair of them.
const MAX_CHARS: usize = 250;
/// Single characters that may be anything, behind a place that is not fixed. Each doubles the states of the automaton.
const MAX_ONES: usize = 4;
/// What the automaton of an expression may cost, well below what the cluster refuses.
const MAX_EFFORT: usize = 20_000;
/// From this many values on, one expression takes the place of a clause for each.
const JOIN_FROM: usize = 3;

/// A part of a value as a field spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    Text(String),
    Any,
    One,
    Dash,
}

/// A value as a field spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    atoms: Vec<Atom>,
    cased: bool,
}

/// The clauses for values of text, one list of clauses for each alternative: a field has to satisfy all of a list.
/// Nothing where no value of such a field can be one of them.
pub(super) fn clauses(patterns: &[&Pattern], place: &Place, exact: &mut bool) -> Vec<Vec<Clause>> {
    match place.kind {
        Kind::Keyword => {
            let written: Vec<Written> =
                patterns.iter().flat_map(|pattern| spell(pattern, place.spelling, place.part, exact)).collect();
            join(written, exact).into_iter().map(|clause| vec![clause]).collect()
        }
        Kind::Text => {
            *exact = false;
            patterns.iter().map(|pattern| words(pattern)).collect()
        }
        Kind::Long | Kind::Double | Kind::Ip | Kind::Boolean => {
            let literal = |pattern: &&Pattern| typed(place.kind, pattern);
            let mut clauses = Vec::new();
            for found in patterns.iter().map(literal) {
                match found {
                    Typed::Value(value) => clauses.push(vec![Clause::term(value)]),
                    Typed::Nothing => {}
                    Typed::Unclear => {
                        *exact = false;
                        clauses.push(vec![Clause::Exists]);
                    }
                }
            }
            clauses
        }
        Kind::Opaque | Kind::Refused | Kind::Unindexed => {
            *exact = false;
            vec![vec![Clause::Exists]]
        }
    }
}

/// What a text asks of a field that holds no texts.
enum Typed {
    Value(String),
    /// No value of the field reads like that.
    Nothing,
    /// A pattern, which cannot be asked for.
    Unclear,
}

fn typed(kind: Kind, pattern: &Pattern) -> Typed {
    let Some(literal) = pattern.as_literal() else { return Typed::Unclear };
    let value = match kind {
        Kind::Ip => literal.parse::<std::net::IpAddr>().ok().map(|_| literal.to_owned()),
        Kind::Boolean => {
            let lower = literal.to_ascii_lowercase();
            matches!(lower.as_str(), "true" | "false").then_some(lower)
        }
        // An index of whole numbers refuses to be asked for anything else.
        Kind::Long => literal.parse::<i64>().ok().map(|number| number.to_string()),
        _ => literal.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number.to_string()),
    };
    value.map_or(Typed::Nothing, Typed::Value)
}

/// The clauses that a field of words satisfies if a text stands in it: the letters and digits that stand together in the
/// text stand together in one word.
fn words(pattern: &Pattern) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for piece in &pattern.pieces {
        let Piece::Literal(text) = piece else { continue };
        for word in text.split(|char: char| !char.is_ascii_alphanumeric()) {
            // One letter says next to nothing.
            if word.len() > 1 && clauses.len() < 16 {
                let word: String = word.chars().take(MAX_CHARS).collect();
                clauses.push(Clause::Wildcard { value: format!("*{word}*"), case_insensitive: true });
            }
        }
    }
    if clauses.is_empty() { vec![Clause::Exists] } else { clauses }
}

/// A value as a field spells it; several where the part that is meant can stand in several ways.
fn spell(pattern: &Pattern, spelling: Spelling, part: Part, exact: &mut bool) -> Vec<Written> {
    let mut atoms: Vec<Atom> = Vec::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Any => push(&mut atoms, Atom::Any),
            Piece::Dash => push(&mut atoms, Atom::Dash),
            Piece::One if spelling == Spelling::Plain => push(&mut atoms, Atom::One),
            Piece::One => {
                // One character of the event may be several of the field.
                *exact = false;
                push(&mut atoms, Atom::Any);
            }
            Piece::Literal(text) => {
                let is_hidden = matches!(atoms.last(), Some(Atom::Any)) && spelling.hides(&spelling.write(text));
                *exact &= !is_hidden;
                for char in text.chars() {
                    if !pattern.cased && has_other_case(char) {
                        *exact = false;
                        push(&mut atoms, Atom::One);
                    } else {
                        if !matches!(atoms.last(), Some(Atom::Text(_))) {
                            atoms.push(Atom::Text(String::new()));
                        }
                        if let Some(Atom::Text(written)) = atoms.last_mut() {
                            spelling.write_char(written, char);
                        }
                    }
                }
            }
        }
    }
    let whole = |atoms: Vec<Atom>, exact: &mut bool| Written { atoms: shorten(atoms, exact), cased: pattern.cased };
    match part {
        Part::Whole => vec![whole(atoms, exact)],
        Part::Digest(algorithm) => {
            // A wildcard may run into the next hash, and the name of an algorithm may end like another one's.
            *exact = false;
            let mut before = vec![Atom::Any, Atom::Text(format!("{}=", digest_name(algorithm)))];
            append(&mut before, atoms);
            let mut followed = before.clone();
            match followed.last_mut() {
                Some(Atom::Text(text)) => text.push(','),
                _ => followed.push(Atom::Text(",".to_owned())),
            }
            push(&mut followed, Atom::Any);
            if before.last() == Some(&Atom::Any) {
                return vec![whole(before, exact)];
            }
            vec![whole(before, exact), whole(followed, exact)]
        }
        Part::Url(part) => {
            *exact = false;
            let mut around = vec![Atom::Any];
            if part == UrlPart::Extension && !matches!(atoms.first(), Some(Atom::Any) | None) {
                around.push(Atom::Text(".".to_owned()));
            }
            append(&mut around, atoms);
            // An empty part of a URL has nothing before it, either.
            if around.last().is_some_and(|atom| *atom == Atom::Text(".".to_owned())) {
                around.pop();
            }
            push(&mut around, Atom::Any);
            vec![whole(around, exact)]
        }
    }
}

/// Puts parts behind others; two texts that meet become one.
fn append(atoms: &mut Vec<Atom>, more: Vec<Atom>) {
    for atom in more {
        match (atoms.last_mut(), atom) {
            (Some(Atom::Text(text)), Atom::Text(more)) => text.push_str(&more),
            (_, atom) => push(atoms, atom),
        }
    }
}

fn push(atoms: &mut Vec<Atom>, atom: Atom) {
    if !(atom == Atom::Any && atoms.last() == Some(&Atom::Any)) {
        atoms.push(atom);
    }
}

/// Cuts what would make too large an automaton. What is left finds more.
fn shorten(atoms: Vec<Atom>, exact: &mut bool) -> Vec<Atom> {
    if let [Atom::Text(_)] = atoms.as_slice() {
        return atoms;
    }
    let mut out: Vec<Atom> = Vec::with_capacity(atoms.len());
    let (mut chars, mut ones, mut is_fixed) = (0, 0, true);
    for atom in atoms {
        match atom {
            Atom::Text(text) => {
                let room = MAX_CHARS - chars;
                let length = text.chars().count();
                if length > room {
                    *exact = false;
                    let head: String = text.chars().take(room).collect();
                    if !head.is_empty() {
                        out.push(Atom::Text(head));
                    }
                    push(&mut out, Atom::Any);
                    return out;
                }
                chars += length;
                out.push(Atom::Text(text));
            }
            Atom::Any => {
                is_fixed = false;
                push(&mut out, Atom::Any);
            }
            Atom::One | Atom::Dash => {
                ones += 1;
                if chars >= MAX_CHARS || (!is_fixed && ones > MAX_ONES) {
                    *exact = false;
                    is_fixed = false;
                    push(&mut out, Atom::Any);
                } else {
                    chars += 1;
                    out.push(atom);
                }
            }
        }
    }
    out
}

/// How a value with one piece of text is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    start: bool,
    end: bool,
    cased: bool,
}

/// One clause for each value, or for many values of one shape.
fn join(written: Vec<Written>, exact: &mut bool) -> Vec<Clause> {
    let mut shapes: Vec<(Shape, Vec<String>)> = Vec::new();
    let mut clauses = Vec::new();
    for value in written {
        let shape = |start, end| Shape { start, end, cased: value.cased };
        let (shape, text) = match value.atoms.as_slice() {
            [Atom::Text(text)] => (shape(false, false), text),
            [Atom::Any, Atom::Text(text)] => (shape(true, false), text),
            [Atom::Text(text), Atom::Any] => (shape(false, true), text),
            [Atom::Any, Atom::Text(text), Atom::Any] => (shape(true, true), text),
            _ => {
                clauses.push(clause(&value, exact));
                continue;
            }
        };
        match shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, texts)) if texts.contains(text) => {}
            Some((_, texts)) => texts.push(text.clone()),
            None => shapes.push((shape, vec![text.clone()])),
        }
    }
    for (shape, texts) in shapes {
        clauses.extend(of_shape(shape, texts, exact));
    }
    clauses
}

fn of_shape(shape: Shape, texts: Vec<String>, exact: &mut bool) -> Vec<Clause> {
    let Shape { start, end, cased } = shape;
    let one = |text: String| {
        let ends = [start.then_some(Atom::Any), Some(Atom::Text(text)), end.then_some(Atom::Any)];
        Written { atoms: ends.into_iter().flatten().collect(), cased }
    };
    let has_letters = |text: &String| text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !start && !end {
        let (folded, plain): (Vec<String>, Vec<String>) =
            texts.into_iter().partition(|text| !cased && has_letters(text));
        let mut clauses = if plain.is_empty() { Vec::new() } else { vec![Clause::any(plain)] };
        clauses.extend(joined(shape, folded, &one, exact));
        return clauses;
    }
    joined(shape, texts, &one, exact)
}

fn joined(shape: Shape, texts: Vec<String>, one: &dyn Fn(String) -> Written, exact: &mut bool) -> Vec<Clause> {
    let (short, long): (Vec<String>, Vec<String>) =
        texts.into_iter().partition(|text| text.chars().count() <= MAX_CHARS);
    let mut clauses: Vec<Clause> = long.into_iter().map(|text| clause(&one(text), exact)).collect();
    if short.len() < JOIN_FROM {
        clauses.extend(short.into_iter().map(|text| clause(&one(text), exact)));
        return clauses;
    }
    // Room for what stands around: `.*(` and `).*`.
    let room = limits::REGEXP_CHARS - 6;
    let mut open: Vec<&[String]> = Vec::new();
    let (mut start, mut length) = (0, 0);
    for (place, text) in short.iter().enumerate() {
        let size = 1 + escape(text).chars().count();
        if length + size > room {
            open.extend(short.get(start..place));
            (start, length) = (place, 0);
        }
        length += size;
    }
    open.extend(short.get(start..));
    open.reverse();
    while let Some(texts) = open.pop() {
        let any = |open| if open { ".*" } else { "" };
        let alternatives: Vec<String> = texts.iter().map(|text| escape(text)).collect();
        let value = format!("{}({}){}", any(shape.start), alternatives.join("|"), any(shape.end));
        if texts.len() > 1 && is_affordable(&value, !shape.cased) {
            clauses.push(Clause::Regexp { value, case_insensitive: !shape.cased });
        } else if let [only] = texts {
            clauses.push(clause(&one(only.clone()), exact));
        } else {
            let (first, second) = texts.split_at(texts.len() / 2);
            open.extend([second, first]);
        }
    }
    clauses
}

/// Whether an index takes an expression.
pub(super) fn is_affordable(expression: &str, case_insensitive: bool) -> bool {
    expression.chars().count() <= limits::REGEXP_CHARS
        && Regexp::new(expression, case_insensitive).is_ok_and(|regexp| regexp.costs_at_most(MAX_EFFORT))
}

/// The clause for one value.
fn clause(value: &Written, exact: &mut bool) -> Clause {
    let Written { atoms, cased } = value;
    let folds = |text: &str| !cased && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    match atoms.as_slice() {
        [] => Clause::term(""),
        [Atom::Any] => Clause::Exists,
        [Atom::Text(text)] if !folds(text) => Clause::term(text.clone()),
        [Atom::Text(text)] if text.len() <= limits::FOLDED_BYTES => Clause::folded(text.clone()),
        [Atom::Text(text)] => {
            // Too long to fold: its beginning is found.
            *exact = false;
            let mut end = limits::FOLDED_BYTES;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let value = text.get(..end).unwrap_or_default().to_owned();
            Clause::Prefix { value, case_insensitive: true }
        }
        [Atom::Text(text), Atom::Any] => Clause::Prefix { value: text.clone(), case_insensitive: folds(text) },
        _ if atoms.contains(&Atom::Dash) => {
            let mut value = String::new();
            for atom in atoms {
                match atom {
                    Atom::Text(text) => value.push_str(&escape(text)),
                    Atom::Any => value.push_str(".*"),
                    Atom::One => value.push('.'),
                    Atom::Dash => {
                        value.push_str("[\\");
                        value.extend(DASHES);
                        value.push(']');
                    }
                }
            }
            if !is_affordable(&value, !cased) {
                *exact = false;
                return Clause::Exists;
            }
            Clause::Regexp { value, case_insensitive: !cased }
        }
        _ => {
            let mut value = String::new();
            for atom in atoms {
                match atom {
                    Atom::Text(text) => value.push_str(&escape_wildcard(text)),
                    Atom::Any => value.push('*'),
                    Atom::One | Atom::Dash => value.push('?'),
                }
            }
            let case_insensitive = folds(&value);
            Clause::Wildcard { value, case_insensitive }
        }
    }
}

/// The clauses for addresses in a network, in fields that keep them as text. They find some that are not in it.
pub(super) fn network(network: &IpNet) -> Vec<Clause> {
    let IpNet::V4(network) = network else {
        // An address has many spellings: any of them.
        return vec![Clause::Wildcard { value: "*:*".to_owned(), case_insensitive: false }];
    };
    let expression = network::expression(*network);
    let mapped = network::MAPPED;
    match expression.strip_suffix(".*") {
        Some("") => vec![Clause::Exists],
        // Whole parts of the address.
        Some(start) if !start.contains('<') => {
            let start = start.replace('\\', "");
            vec![
                Clause::Prefix { value: format!("{mapped}{start}"), case_insensitive: true },
                Clause::Prefix { value: start, case_insensitive: false },
            ]
        }
        // A port may follow.
        rest => {
            let end = if rest.is_none() { "(:.*)?" } else { "" };
            vec![Clause::Regexp { value: format!("({mapped})?{expression}{end}"), case_insensitive: true }]
        }
    }
}

/// The clause for numbers that compare to another one, and whether it finds exactly those.
pub(super) fn number(kind: Kind, comparison: Comparison, bound: &Decimal) -> (Clause, bool) {
    match kind {
        Kind::Keyword => match bound.as_u64() {
            Some(number) => {
                let value = number::expression(comparison, number);
                (Clause::Regexp { value, case_insensitive: false }, true)
            }
            None => (Clause::Exists, false),
        },
        Kind::Long | Kind::Double => {
            let is_strict = matches!(comparison, Comparison::Less | Comparison::Greater);
            let text = Some(bound.to_string());
            let range = match comparison {
                Comparison::Less | Comparison::LessOrEqual => Clause::Range { gte: None, lte: text },
                Comparison::Greater | Comparison::GreaterOrEqual => Clause::Range { gte: text, lte: None },
            };
            (range, !is_strict)
        }
        _ => (Clause::Exists, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyword(spelling: Spelling, values: &[&str]) -> (Vec<Clause>, bool) {
        let patterns: Vec<Pattern> = values.iter().map(|value| Pattern::read(value)).collect();
        let mut exact = true;
        let written = patterns.iter().flat_map(|pattern| spell(pattern, spelling, Part::Whole, &mut exact)).collect();
        (join(written, &mut exact), exact)
    }

    fn wildcard(value: &str) -> Clause {
        Clause::Wildcard { value: value.to_owned(), case_insensitive: true }
    }

    #[test]
    fn the_cheapest_clause_is_chosen() {
        let one = |value: &str| keyword(Spelling::Plain, &[value]);
        assert_eq!(one("4688"), (vec![Clause::term("4688")], true));
        assert_eq!(one("Security"), (vec![Clause::folded("Security")], true));
        assert_eq!(one("abc*"), (vec![Clause::Prefix { value: "abc".into(), case_insensitive: true }], true));
        assert_eq!(one("10.*"), (vec![Clause::Prefix { value: "10.".into(), case_insensitive: false }], true));
        assert_eq!(one(r"*\cmd.exe"), (vec![wildcard(r"*\\cmd.exe")], true));
        assert_eq!(one(r"a\*b*c"), (vec![wildcard(r"a\*b*c")], true));
        assert_eq!(one(""), (vec![Clause::term("")], true));
        assert_eq!(one("a?c"), (vec![wildcard("a?c")], true));
        // The other case of a letter that the index does not fold.
        let any = Clause::Wildcard { value: "5?".to_owned(), case_insensitive: false };
        assert_eq!(one("5é"), (vec![any], false));
        assert_eq!(
            keyword(Spelling::Plain, &["4688", "4689", "1"]),
            (vec![Clause::Terms(vec!["4688".into(), "4689".into(), "1".into()])], true)
        );
    }

    #[test]
    fn many_values_become_one_expression() {
        let regexp = |value: &str| Clause::Regexp { value: value.to_owned(), case_insensitive: true };
        assert_eq!(keyword(Spelling::Plain, &["*a.b", "*c", "*d", "*c"]).0, [regexp(r".*(a\.b|c|d)")]);
        assert_eq!(keyword(Spelling::Plain, &["*a*", "*b*", "*c*"]).0, [regexp(".*(a|b|c).*")]);
        assert_eq!(keyword(Spelling::Plain, &["a", "b", "c", "5"]).0, [Clause::term("5"), regexp("(a|b|c)")]);
    }

    #[test]
    fn the_event_channel_spells_differently() {
        assert_eq!(keyword(Spelling::EventChannel, &[r"*\cmd.exe"]), (vec![wildcard(r"*\\\\cmd.exe")], true));
        assert_eq!(keyword(Spelling::EventChannel, &["* > *"]), (vec![wildcard("* &gt; *")], true));
        assert_eq!(keyword(Spelling::EventChannel, &["*\"x*"]), (vec![wildcard(r#"*\\"x*"#)], true));
        // `\n` in the middle of `\net` after a backslash; `lt` in `&lt;`.
        assert!(!keyword(Spelling::EventChannel, &[r"*\net.exe"]).1);
        assert!(!keyword(Spelling::EventChannel, &["*lt*"]).1);
        assert!(keyword(Spelling::EventChannel, &[r"C:\net.exe"]).1);
    }

    #[test]
    fn large_automata_are_avoided() {
        let long = "a".repeat(2_000);
        let (clauses, exact) = keyword(Spelling::Plain, &[&format!("*{long}*")]);
        assert!(!exact);
        assert_eq!(clauses, [wildcard(&format!("*{}*", "a".repeat(MAX_CHARS)))]);
        let (clauses, exact) = keyword(Spelling::Plain, &["*a????????????b"]);
        assert!(!exact);
        assert_eq!(clauses, [wildcard("*a????*b")]);
        let (clauses, exact) = keyword(Spelling::Plain, &[&long]);
        assert!(!exact);
        assert!(matches!(&clauses[..], [Clause::Prefix { value, .. }] if value.len() == limits::FOLDED_BYTES));
    }

    #[test]
    fn words_of_analysed_text() {
        assert_eq!(words(&Pattern::read("*event::clear x*")), [wildcard("*event*"), wildcard("*clear*")]);
        assert_eq!(words(&Pattern::read("*::*")), [Clause::Exists]);
    }

    #[test]
    fn networks() {
        let clauses = |text: &str| network(&text.parse().unwrap());
        assert_eq!(
            clauses("10.0.0.0/8"),
            [
                Clause::Prefix { value: "::ffff:10.".into(), case_insensitive: true },
                Clause::Prefix { value: "10.".into(), case_insensitive: false },
            ]
        );
        let regexp = |value: &str| Clause::Regexp { value: value.into(), case_insensitive: true };
        assert_eq!(clauses("172.16.0.0/12"), [regexp(r"(::ffff:)?172\.<16-31>\..*")]);
        assert_eq!(clauses("192.0.2.7/32"), [regexp(r"(::ffff:)?192\.0\.2\.7(:.*)?")]);
        assert_eq!(clauses("0.0.0.0/0"), [Clause::Exists]);
        assert_eq!(clauses("2001:db8::/32").len(), 1);
    }
}
