//! Search identifiers: fields, modifiers and values (specification, "Detection").

use super::encode::{base64, base64_offsets, utf16, utf16be, utf16le};
use super::error::{ErrorKind, SigmaError};
use super::expression::{Expression, Flags};
use super::limits;
use super::number::{Comparison, Decimal};
use super::string::Pattern;
use super::yaml::Node;

/// What a search identifier stands for.
#[derive(Clone, Debug)]
pub(super) enum Detection {
    All(Vec<Detection>),
    Any(Vec<Detection>),
    Item(Item),
}

/// A field, or the whole event, and what is asked of it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The name of the field; nothing for keywords.
    pub(super) field: Option<String>,
    /// Whether all tests must hold and not only one.
    pub(super) all: bool,
    /// Whether the answer is turned around: modifier `neq`.
    pub(super) negated: bool,
    /// The tests, or why they cannot be run.
    pub(super) tests: Result<Vec<Test>, String>,
}

/// What is asked of the values of a field.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// There is one.
    Exists,
    /// There is none.
    Missing,
    /// One is such a text.
    Text(Pattern),
    /// One matches a regular expression.
    Expression(Box<Expression>),
    /// One is an address in a network.
    Network(ipnet::IpNet),
    /// One is a number that compares to another.
    Number(Comparison, Decimal),
    /// One is, starts with, ends with or contains a value of another field.
    Field { name: String, starts: bool, ends: bool },
}

/// Reads the search identifiers of a rule in their order, without the condition.
pub(super) fn read(section: &Node) -> Result<Vec<(String, Detection)>, SigmaError> {
    let Node::Map(members) = section else {
        return Err(ErrorKind::NotARule("`detection` has to be a map of search identifiers").into());
    };
    let mut values = 0;
    let mut detections = Vec::new();
    for (name, node) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "condition" | "timeframe")) {
        let detection = detection(node, name)?;
        detection.each_item(&mut |item| values += item.tests.as_ref().map_or(1, Vec::len));
        detections.push((name.clone(), detection));
    }
    if values > limits::VALUES {
        return Err(ErrorKind::TooLarge { what: "a rule", limit: limits::VALUES, unit: "values" }.into());
    }
    Ok(detections)
}

impl Detection {
    pub(super) fn each_item<'d>(&'d self, visit: &mut dyn FnMut(&'d Item)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_item(visit)),
            Self::Item(item) => visit(item),
        }
    }
}

fn problem(place: &str, message: impl Into<String>) -> SigmaError {
    ErrorKind::Detection { place: place.to_owned(), message: message.into() }.into()
}

/// The nesting is bounded by that of the document.
fn detection(node: &Node, place: &str) -> Result<Detection, SigmaError> {
    match node {
        Node::Map(members) if members.is_empty() => Err(problem(place, "has no fields")),
        Node::Map(members) => {
            let items = members.iter().map(|(key, value)| item(key, value, place));
            Ok(Detection::All(items.collect::<Result<_, _>>()?))
        }
        Node::List(members) if members.is_empty() => Err(problem(place, "has no values")),
        Node::List(members) if members.iter().all(|member| !matches!(member, Node::Map(_) | Node::List(_))) => {
            item("", node, place)
        }
        Node::List(members) => {
            let parts = members.iter().map(|member| detection(member, place));
            Ok(Detection::Any(parts.collect::<Result<_, _>>()?))
        }
        _ => item("", node, place),
    }
}

/// One key with its values.
fn item(key: &str, value: &Node, identifier: &str) -> Result<Detection, SigmaError> {
    let shown: String = key.chars().take(80).collect();
    let place = if key.is_empty() { identifier.to_owned() } else { format!("{identifier}, `{shown}`") };
    let problem = |message: String| problem(&place, message);
    let mut parts = key.split('|');
    let name = parts.next().unwrap_or_default().trim();
    let modifiers = Modifiers::read(parts).map_err(problem)?;
    let values = match value {
        Node::List(values) if values.is_empty() => return Err(problem("has no values".to_owned())),
        Node::List(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut tests = Ok(Vec::with_capacity(values.len()));
    for value in values {
        match modifiers.tests(value) {
            Ok(read) => {
                if let Ok(tests) = &mut tests {
                    tests.extend(read);
                }
            }
            Err(Refusal::NotRun(reason)) => tests = Err(reason),
            Err(Refusal::Invalid(message)) => return Err(problem(message)),
        }
    }
    let field = (!name.is_empty()).then(|| name.to_owned());
    let is_text = |test: &Test| matches!(test, Test::Text(_) | Test::Expression(_));
    if field.is_none() && tests.as_ref().is_ok_and(|tests| !tests.iter().all(is_text)) {
        return Err(problem("keywords have to be texts or regular expressions".to_owned()));
    }
    Ok(Detection::Item(Item { field, all: modifiers.all, negated: modifiers.negated, tests }))
}

/// Why a value makes no test.
enum Refusal {
    /// The rule is wrong.
    Invalid(String),
    /// The rule may be right, but this is not run on alerts.
    NotRun(String),
}

/// What the modifiers of a key ask for.
#[derive(Clone, Debug, Default)]
struct Modifiers {
    all: bool,
    negated: bool,
    cased: bool,
    kind: Kind,
    flags: Flags,
    /// What changes the value, in the order in which it stands there.
    steps: Vec<Step>,
    not_run: Option<&'static str>,
}

/// What a value is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Value,
    Exists,
    Expression,
    Field,
    Network,
    Number(Comparison),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Base64,
    Base64Offset,
    Contains,
    Dashes,
    EndsWith,
    StartsWith,
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Modifiers {
    fn read<'k>(names: impl Iterator<Item = &'k str>) -> Result<Self, String> {
        let mut modifiers = Self::default();
        for name in names {
            modifiers.add(name.trim())?;
        }
        let Self { kind, steps, cased, .. } = &modifiers;
        let is_place = |step: &Step| matches!(step, Step::Contains | Step::StartsWith | Step::EndsWith);
        match kind {
            Kind::Value => {}
            // A regular expression is looked for anywhere as it is.
            Kind::Field | Kind::Expression if steps.iter().all(is_place) => {}
            _ if steps.is_empty() && !cased => {}
            _ => return Err("these modifiers cannot stand together".to_owned()),
        }
        Ok(modifiers)
    }

    fn add(&mut self, name: &str) -> Result<(), String> {
        let step = match name {
            "all" => {
                self.all = true;
                return Ok(());
            }
            "neq" => {
                self.negated = true;
                return Ok(());
            }
            "cased" => {
                self.cased = true;
                return Ok(());
            }
            "i" | "ignorecase" | "m" | "multiline" | "s" | "dotall" if self.kind == Kind::Expression => {
                match name {
                    "i" | "ignorecase" => self.flags.ignore_case = true,
                    "m" | "multiline" => self.flags.multi_line = true,
                    _ => self.flags.dot_all = true,
                }
                return Ok(());
            }
            "re" => return self.set(Kind::Expression),
            "cidr" => return self.set(Kind::Network),
            "exists" => return self.set(Kind::Exists),
            "fieldref" => return self.set(Kind::Field),
            "lt" => return self.set(Kind::Number(Comparison::Less)),
            "lte" => return self.set(Kind::Number(Comparison::LessOrEqual)),
            "gt" => return self.set(Kind::Number(Comparison::Greater)),
            "gte" => return self.set(Kind::Number(Comparison::GreaterOrEqual)),
            "expand" => {
                self.not_run = Some("placeholders (`expand`) have no values here");
                return Ok(());
            }
            "minute" | "hour" | "day" | "week" | "month" | "year" => {
                self.not_run = Some("parts of times are not compared");
                return Ok(());
            }
            "contains" => Step::Contains,
            "startswith" => Step::StartsWith,
            "endswith" => Step::EndsWith,
            "base64" => Step::Base64,
            "base64offset" => Step::Base64Offset,
            "wide" | "utf16le" => Step::Utf16Le,
            "utf16be" => Step::Utf16Be,
            "utf16" => Step::Utf16,
            "windash" => Step::Dashes,
            _ => return Err(format!("there is no modifier `{}`", name.chars().take(40).collect::<String>())),
        };
        self.steps.push(step);
        Ok(())
    }

    fn set(&mut self, kind: Kind) -> Result<(), String> {
        if self.kind != Kind::Value {
            return Err("these modifiers cannot stand together".to_owned());
        }
        self.kind = kind;
        Ok(())
    }

    /// The tests for one value.
    fn tests(&self, value: &Node) -> Result<Vec<Test>, Refusal> {
        if let Some(reason) = self.not_run {
            return Err(Refusal::NotRun(reason.to_owned()));
        }
        let invalid = |wanted: &str| Refusal::Invalid(format!("{wanted} is expected, not {}", value.kind()));
        let text = || value.scalar().ok_or_else(|| invalid("a single value"));
        let test = match self.kind {
            Kind::Exists => match value {
                Node::Bool(true) => Test::Exists,
                Node::Bool(false) => Test::Missing,
                _ => return Err(invalid("`true` or `false`")),
            },
            Kind::Value if *value == Node::Null => {
                if !self.steps.is_empty() {
                    return Err(invalid("a text"));
                }
                Test::Missing
            }
            Kind::Value => return self.texts(&text()?),
            Kind::Expression => {
                let expression = Expression::read(&text()?, self.flags);
                let not_run = |reason| Refusal::NotRun(format!("the regular expression cannot be run: {reason}"));
                Test::Expression(Box::new(expression.map_err(not_run)?))
            }
            Kind::Network => {
                let text = text()?;
                let network = super::network::read(&text);
                Test::Network(network.ok_or_else(|| Refusal::Invalid(format!("`{text}` is no network")))?)
            }
            Kind::Number(comparison) => {
                let text = text()?;
                let number = Decimal::read(&text);
                Test::Number(comparison, number.ok_or_else(|| Refusal::Invalid(format!("`{text}` is no number")))?)
            }
            Kind::Field => {
                let (mut starts, mut ends) = (true, true);
                for step in &self.steps {
                    starts &= *step == Step::StartsWith;
                    ends &= *step == Step::EndsWith;
                }
                Test::Field { name: text()?, starts, ends }
            }
        };
        Ok(vec![test])
    }

    /// The tests for a text, one or more.
    fn texts(&self, text: &str) -> Result<Vec<Test>, Refusal> {
        if text.chars().count() > limits::VALUE_CHARS {
            return Err(Refusal::Invalid(format!("a value may have at most {} characters", limits::VALUE_CHARS)));
        }
        let mut patterns = vec![Pattern::read(text)];
        // A text in another encoding: no text any more, until base64 makes it one.
        let mut bytes: Option<Vec<u8>> = None;
        for step in &self.steps {
            match step {
                Step::Contains => patterns.iter_mut().for_each(|pattern| {
                    pattern.open_start();
                    pattern.open_end();
                }),
                Step::StartsWith => patterns.iter_mut().for_each(Pattern::open_end),
                Step::EndsWith => patterns.iter_mut().for_each(Pattern::open_start),
                Step::Dashes => patterns.iter_mut().for_each(Pattern::exchange_dashes),
                Step::Base64 | Step::Base64Offset | Step::Utf16 | Step::Utf16Be | Step::Utf16Le => {
                    let [pattern] = patterns.as_slice() else {
                        return Err(Refusal::Invalid("a value cannot be encoded twice".to_owned()));
                    };
                    let Some(literal) = pattern.as_literal() else {
                        return Err(Refusal::Invalid("a value with wildcards cannot be encoded".to_owned()));
                    };
                    let known = bytes.take();
                    let content = || known.clone().unwrap_or_else(|| literal.as_bytes().to_vec());
                    let encoded = match step {
                        Step::Base64 => vec![Pattern::literal(&base64(&content()))],
                        Step::Base64Offset => {
                            let offsets = base64_offsets(&content());
                            if offsets.iter().any(String::is_empty) {
                                return Err(Refusal::Invalid("the value is too short for `base64offset`".to_owned()));
                            }
                            offsets.iter().map(|text| Pattern::literal(text)).collect()
                        }
                        Step::Utf16 | Step::Utf16Be | Step::Utf16Le if known.is_some() => {
                            return Err(Refusal::Invalid("a value cannot be encoded twice".to_owned()));
                        }
                        _ => {
                            let encoded = match step {
                                Step::Utf16 => utf16(literal),
                                Step::Utf16Be => utf16be(literal),
                                _ => utf16le(literal),
                            };
                            let shown: String = encoded.iter().map(|byte| char::from(*byte)).collect();
                            bytes = Some(encoded);
                            vec![Pattern::literal(&shown)]
                        }
                    };
                    patterns = encoded;
                }
            }
        }
        let test = |mut pattern: Pattern| {
            pattern.cased = self.cased;
            // Wildcards alone ask for nothing but a value.
            if pattern.pieces == [super::string::Piece::Any] { Test::Exists } else { Test::Text(pattern) }
        };
        Ok(patterns.into_iter().map(test).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::string::Matcher;

    fn read_item(yaml: &str) -> Result<Item, String> {
        let section = super::super::yaml::read(&format!("s:\n  {yaml}")).map_err(|error| error.to_string())?;
        let mut detections = read(&section).map_err(|error| error.to_string())?;
        match detections.remove(0).1 {
            Detection::All(mut parts) => match parts.remove(0) {
                Detection::Item(item) => Ok(item),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn matching(yaml: &str, text: &str) -> bool {
        let item = read_item(yaml).unwrap();
        let holds = |test: &Test| match test {
            Test::Text(pattern) => Matcher::new(pattern).matches(text),
            Test::Expression(expression) => expression.matches(text),
            Test::Exists => true,
            other => panic!("{other:?}"),
        };
        let tests = item.tests.unwrap();
        if item.all { tests.iter().all(holds) } else { tests.iter().any(holds) }
    }

    #[test]
    fn modifiers() {
        for (yaml, text, wanted) in [
            ("F: abc", "ABC", true),
            ("F: abc", "abcd", false),
            ("F|contains: b", "abc", true),
            ("F|startswith: b", "abc", false),
            ("F|startswith: A", "abc", true),
            ("F|endswith: C", "abc", true),
            ("F|cased: Abc", "abc", false),
            ("F|contains|cased: bC", "abC", true),
            ("F|contains|all: [a, c]", "abc", true),
            ("F|contains|all: [a, x]", "abc", false),
            ("F|contains: [x, c]", "abc", true),
            ("F: 5", "5", true),
            ("F: true", "True", true),
            ("F: ''", "", true),
            ("F: '*'", "", true),
            ("F|re: ^a.c$", "abc", true),
            ("F|re: B", "abc", false),
            ("F|re|i: B", "abc", true),
            ("F|re|s: a.c", "a\nc", true),
            ("F|re|m: ^c$", "a\nc", true),
            ("F|base64: foo", "Zm9v", true),
            ("F|base64offset|contains: /bin/bash", "xx9iaW4vYmFzaxx", true),
            ("F|utf16le|base64offset|contains: ping", "xxcABpAG4AZwxx", true),
            ("F|wide|base64: ab", "YQBiAA==", true),
            ("F|utf16|base64: a", "//5hAA==", true),
            ("F|utf16be|base64: ab", "AGEAYg==", true),
            ("F|windash|contains: ' -enc '", "x /enc y", true),
            ("F|contains|windash: ' -enc '", "x \u{2013}enc y", true),
            ("F|contains: 'a\\*b'", "xa*bx", true),
            ("F|contains: 'a\\*b'", "xaabx", false),
        ] {
            assert_eq!(matching(yaml, text), wanted, "{yaml}: {text}");
        }
    }

    #[test]
    fn other_values() {
        assert!(matches!(read_item("F: null").unwrap().tests.unwrap()[..], [Test::Missing]));
        assert!(matches!(read_item("F|exists: true").unwrap().tests.unwrap()[..], [Test::Exists]));
        assert!(matches!(read_item("F|exists: no").unwrap().tests.unwrap()[..], [Test::Missing]));
        assert!(matches!(read_item("F|cidr: 10.0.0.0/8").unwrap().tests.unwrap()[..], [Test::Network(_)]));
        assert!(matches!(read_item("F|gte: 5").unwrap().tests.unwrap()[..], [Test::Number(..)]));
        assert!(read_item("F|neq: 5").unwrap().negated);
        let item = read_item("F|fieldref|endswith: G").unwrap();
        assert!(matches!(&item.tests.unwrap()[..], [Test::Field { name, starts: false, ends: true }] if name == "G"));
        assert!(read_item("F|expand: '%servers%'").unwrap().tests.unwrap_err().contains("placeholders"));
        assert!(read_item("F|re: '(?=a)'").unwrap().tests.unwrap_err().contains("look-around"));
        assert!(read_item("F|hour: 5").unwrap().tests.is_err());
    }

    #[test]
    fn mistakes() {
        for (yaml, wanted) in [
            ("F|contain: x", "s, `F|contain`: there is no modifier `contain`"),
            ("F|not: x", "s, `F|not`: there is no modifier `not`"),
            ("F|contains: null", "s, `F|contains`: a text is expected, not null"),
            ("F|contains: [[x]]", "s, `F|contains`: a single value is expected, not a list"),
            ("F: {a: b}", "s, `F`: a single value is expected, not a map"),
            ("F: []", "s, `F`: has no values"),
            ("F|exists: maybe", "s, `F|exists`: `true` or `false` is expected, not a text"),
            ("F|cidr: 10.0.0.0/99", "s, `F|cidr`: `10.0.0.0/99` is no network"),
            ("F|lt: x", "s, `F|lt`: `x` is no number"),
            ("F|re|cidr: x", "s, `F|re|cidr`: these modifiers cannot stand together"),
            ("F|cidr|contains: x", "s, `F|cidr|contains`: these modifiers cannot stand together"),
            ("F|base64: 'a*'", "s, `F|base64`: a value with wildcards cannot be encoded"),
            ("F|base64offset|base64: abc", "s, `F|base64offset|base64`: a value cannot be encoded twice"),
            ("F|i: x", "s, `F|i`: there is no modifier `i`"),
            ("'|cidr': 10.0.0.0/8", "s, `|cidr`: keywords have to be texts or regular expressions"),
        ] {
            assert_eq!(read_item(yaml).unwrap_err(), wanted, "{yaml}");
        }
        for section in ["x", "s: {}", "s: []", "s: [[]]"] {
            assert!(read(&super::super::yaml::read(section).unwrap()).is_err(), "{section}");
        }
    }

    #[test]
    fn lists() {
        let section = super::super::yaml::read(
            "keywords: [a, b]\none: x\nmaps:\n  - A: 1\n    B: 2\n  - C: 3\n  - word\nall:\n  '|all': [a, b]\n",
        );
        let detections = read(&section.unwrap()).unwrap();
        let shapes: Vec<_> = detections
            .iter()
            .map(|(_, detection)| {
                let mut items = Vec::new();
                detection.each_item(&mut |item| items.push((item.field.as_deref(), item.all)));
                (matches!(detection, Detection::Any(_)), items)
            })
            .collect();
        assert_eq!(
            shapes,
            [
                (false, vec![(None, false)]),
                (false, vec![(None, false)]),
                (true, vec![(Some("A"), false), (Some("B"), false), (Some("C"), false), (None, false)]),
                (false, vec![(None, true)]),
            ]
        );
    }

    #[test]
    fn huge_lists_are_refused() {
        let values = "    - v\n".repeat(limits::VALUES + 1);
        assert!(read_item(&format!("F:\n{values}")).unwrap_err().contains("at most"));
    }
}
