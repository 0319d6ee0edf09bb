//! A rule tied to the fields of alerts, and what it says of an alert.

use std::borrow::Cow;
use std::cell::OnceCell;

use ipnet::IpNet;
use serde_json::Value;

use super::condition::Condition;
use super::expression::Expression;
use super::network;
use super::number::{Comparison, Decimal};
use super::places::{Kind, Part, Place};
use super::string::{Matcher, Pattern, folded};
use crate::catalogue::HashAlgorithm;
use crate::catalogue::taxonomy::UrlPart;
use crate::evaluate::Document;

/// What a rule says of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The rule matches.
    Match,
    /// The rule does not match.
    NoMatch,
    /// What the rule asks for has no place in alerts, and the rest does not decide.
    Undecided,
}

/// What is asked of alerts.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Not(Box<Formula>),
    /// A value at one of several places passes one of several checks.
    Leaf(Leaf),
    /// Nobody knows.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) places: Vec<Place>,
    pub(super) checks: Vec<Check>,
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub(super) enum Check {
    Exists,
    Text(Pattern, Matcher),
    Expression(Box<Expression>),
    Network(IpNet),
    Number(Comparison, Decimal),
    /// Another field has such a value, or one that this one starts or ends with.
    Field {
        places: Vec<Place>,
        starts: bool,
        ends: bool,
    },
}

impl Verdict {
    fn of(holds: bool) -> Self {
        if holds { Self::Match } else { Self::NoMatch }
    }

    fn not(self) -> Self {
        match self {
            Self::Match => Self::NoMatch,
            Self::NoMatch => Self::Match,
            Self::Undecided => Self::Undecided,
        }
    }

    /// One that does not match decides; else one that is not decided leaves all undecided.
    fn all(verdicts: impl Iterator<Item = Self>) -> Self {
        let mut result = Self::Match;
        for verdict in verdicts {
            match verdict {
                Self::NoMatch => return Self::NoMatch,
                Self::Undecided => result = Self::Undecided,
                Self::Match => {}
            }
        }
        result
    }

    fn any(verdicts: impl Iterator<Item = Self>) -> Self {
        Self::all(verdicts.map(Self::not)).not()
    }
}

/// What a condition says of an alert, each search identifier being looked at once.
pub(super) fn evaluate(condition: &Condition, identifiers: &[Formula], document: &Document<'_>) -> Verdict {
    let known: Vec<OnceCell<Verdict>> = identifiers.iter().map(|_| OnceCell::new()).collect();
    walk(condition, &|place| match (known.get(place), identifiers.get(place)) {
        (Some(cell), Some(formula)) => *cell.get_or_init(|| formula.verdict(document)),
        _ => Verdict::Undecided,
    })
}

fn walk(condition: &Condition, identifier: &dyn Fn(usize) -> Verdict) -> Verdict {
    match condition {
        Condition::All(parts) => Verdict::all(parts.iter().map(|part| walk(part, identifier))),
        Condition::Any(parts) => Verdict::any(parts.iter().map(|part| walk(part, identifier))),
        Condition::Not(part) => walk(part, identifier).not(),
        Condition::Identifier(place) => identifier(*place),
    }
}

impl Formula {
    pub(super) fn verdict(&self, document: &Document<'_>) -> Verdict {
        match self {
            Self::All(parts) => Verdict::all(parts.iter().map(|part| part.verdict(document))),
            Self::Any(parts) => Verdict::any(parts.iter().map(|part| part.verdict(document))),
            Self::Not(part) => part.verdict(document).not(),
            Self::Leaf(leaf) => Verdict::of(leaf.holds(document)),
            Self::Unknown => Verdict::Undecided,
        }
    }
}

impl Leaf {
    fn holds(&self, document: &Document<'_>) -> bool {
        self.places.iter().any(|place| {
            let mut found = false;
            document.each(&place.field.path, &mut |value| {
                found = found || place.values(value).iter().any(|text| self.passes(place, text, value, document));
            });
            found
        })
    }

    fn passes(&self, place: &Place, text: &Text<'_>, value: &Value, document: &Document<'_>) -> bool {
        self.checks.iter().any(|check| check.passes(place, text, value, document))
    }
}

/// A text of an event, and how it reads where case does not matter.
struct Text<'v> {
    text: Cow<'v, str>,
    folded: OnceCell<String>,
}

impl<'v> Text<'v> {
    fn new(text: Cow<'v, str>) -> Self {
        Self { text, folded: OnceCell::new() }
    }

    fn matches(&self, matcher: &Matcher) -> bool {
        if matcher.cased() {
            return matcher.matches_exactly(&self.text);
        }
        matcher.matches_exactly(self.folded.get_or_init(|| folded(&self.text)))
    }
}

impl Place {
    /// What a value at this place says. Several texts are several ways to read it.
    fn values<'v>(&self, value: &'v Value) -> Vec<Text<'v>> {
        let text: Cow<'v, str> = match value {
            Value::String(text) => self.read(text),
            Value::Number(number) => number.to_string().into(),
            Value::Bool(value) => value.to_string().into(),
            _ => return Vec::new(),
        };
        match self.part {
            Part::Whole => vec![Text::new(text)],
            Part::Digest(algorithm) => digest(&text, algorithm).map(Text::new).into_iter().collect(),
            Part::Url(part) => {
                let piece = Cow::Owned(piece_of_url(&text, part).to_owned());
                // Rules write the path into the query and the other way round.
                let whole = (part != UrlPart::Extension).then_some(text);
                [Some(piece), whole].into_iter().flatten().map(Text::new).collect()
            }
        }
    }

    fn read<'v>(&self, text: &'v str) -> Cow<'v, str> {
        self.spelling.read(text)
    }
}

/// A hash out of a list such as `SHA1=…,MD5=…`.
fn digest(list: &str, algorithm: HashAlgorithm) -> Option<Cow<'static, str>> {
    let name = digest_name(algorithm);
    list.split(',').find_map(|member| {
        let (found, digest) = member.split_once('=')?;
        found.eq_ignore_ascii_case(name).then(|| Cow::Owned(digest.to_owned()))
    })
}

/// How a list of hashes calls an algorithm.
pub(super) fn digest_name(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA1",
        HashAlgorithm::Sha256 => "SHA256",
        HashAlgorithm::Sha512 => "SHA512",
        HashAlgorithm::Ssdeep => "SSDEEP",
        HashAlgorithm::Tlsh => "TLSH",
        HashAlgorithm::Imphash => "IMPHASH",
    }
}

fn piece_of_url(url: &str, part: UrlPart) -> &str {
    let (stem, query) = url.split_once('?').unwrap_or((url, ""));
    match part {
        UrlPart::Stem => stem,
        UrlPart::Query => query,
        UrlPart::Extension => {
            let name = stem.rsplit('/').next().unwrap_or(stem);
            name.rsplit_once('.').map_or("", |(_, extension)| extension)
        }
    }
}

impl Check {
    fn passes(&self, place: &Place, text: &Text<'_>, value: &Value, document: &Document<'_>) -> bool {
        match self {
            Self::Exists => true,
            // A number of a field without a mapping becomes a number in the index, too, and is compared as one.
            Self::Text(pattern, matcher) if is_number(place, value) => match pattern.as_literal() {
                Some(literal) => same_number(literal, &text.text),
                None => place.known && text.matches(matcher),
            },
            Self::Text(pattern, matcher) => match pattern.as_literal() {
                Some(literal) if place.kind == Kind::Ip => same_address(literal, &text.text),
                _ => text.matches(matcher),
            },
            Self::Expression(expression) => (place.known || value.is_string()) && expression.matches(&text.text),
            Self::Network(network) => network::contains(network, &text.text),
            Self::Number(comparison, bound) => {
                let number = Decimal::read(&text.text);
                (place.known || value.is_string()) && number.is_some_and(|number| number.compares(*comparison, bound))
            }
            Self::Field { places, starts, ends } => places.iter().any(|other| {
                let mut found = false;
                document.each(&other.field.path, &mut |value| {
                    found = found || other.values(value).iter().any(|other| text.compares(other, *starts, *ends));
                });
                found
            }),
        }
    }
}

fn is_number(place: &Place, value: &Value) -> bool {
    matches!(place.kind, Kind::Long | Kind::Double) || (!place.known && value.is_number())
}

fn same_number(one: &str, other: &str) -> bool {
    #[expect(clippy::float_cmp, reason = "an index compares the very same numbers")]
    let same = |one: f64, other: f64| one == other;
    matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if same(one, other))
}

fn same_address(one: &str, other: &str) -> bool {
    let read = |text: &str| text.parse::<std::net::IpAddr>().ok().map(|address| address.to_canonical());
    read(one).is_some_and(|one| read(other) == Some(one))
}

impl Text<'_> {
    fn compares(&self, other: &Self, starts: bool, ends: bool) -> bool {
        let this = self.folded.get_or_init(|| folded(&self.text));
        let other = other.folded.get_or_init(|| folded(&other.text));
        match (starts, ends) {
            // No modifier of place: both are true of no step at all.
            (true, true) => this == other,
            (true, false) => this.starts_with(other.as_str()),
            (false, true) => this.ends_with(other.as_str()),
            (false, false) => this.contains(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_values() {
        use Verdict::{Match, NoMatch, Undecided};
        assert_eq!(Verdict::all([Match, Undecided].into_iter()), Undecided);
        assert_eq!(Verdict::all([NoMatch, Undecided].into_iter()), NoMatch);
        assert_eq!(Verdict::any([Match, Undecided].into_iter()), Match);
        assert_eq!(Verdict::any([NoMatch, Undecided].into_iter()), Undecided);
        assert_eq!(Verdict::any([].into_iter()), NoMatch);
        assert_eq!(Undecided.not(), Undecided);
    }

    #[test]
    fn parts() {
        assert_eq!(digest("SHA1=AB,md5=CD", HashAlgorithm::Md5).as_deref(), Some("CD"));
        assert_eq!(digest("SHA1=AB", HashAlgorithm::Md5), None);
        assert_eq!(piece_of_url("http://h.example/a/b.php?x=1.y", UrlPart::Extension), "php");
        assert_eq!(piece_of_url("/a/b.php?x=1", UrlPart::Stem), "/a/b.php");
        assert_eq!(piece_of_url("/a/b.php?x=1", UrlPart::Query), "x=1");
        assert_eq!(piece_of_url("/a.b/c", UrlPart::Extension), "");
        assert!(same_address("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(same_number("4688", "4688.0") && !same_number("a", "b"));
    }
}
