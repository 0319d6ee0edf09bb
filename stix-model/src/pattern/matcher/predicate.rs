//! What a value has to be: constants, sets, texts and networks, prepared for many comparisons.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::OnceLock;

use serde_json::{Number as JsonNumber, Value};

use super::error::MatchError;
use super::expression::Expression;
use super::fold::{Class, Normalisation, nfc};
use super::like::Like;
use super::network::Network;
use super::path::{Path, Reached};
use super::{MatchOptions, Values};
use crate::Timestamp;
use crate::pattern::{ComparisonOperator, Literal, LiteralValue, PropertyTest, Span};

/// What a value has to be.
#[derive(Debug)]
pub(super) enum Predicate {
    Exists,
    Member(Members),
    Order(ComparisonOperator, Constant),
    Like(Like),
    Occurs(Expression),
    /// Inside of this network.
    Inside(Network),
    /// Around this network.
    Around(Network),
}

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It holds, and how.
    Holds(Normalisation),
    /// It does not hold; a `NOT` turns that around.
    Fails,
    /// The two cannot be compared: it does not hold, and a `NOT` does not help.
    Incomparable,
}

/// A text that should be a point in time.
pub(super) struct NotATimestamp;

/// One constant for comparisons of order.
#[derive(Debug)]
pub(super) enum Constant {
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Number(Number),
    Time(Timestamp),
    /// Truth values have no order.
    Boolean,
}

/// The constants that a value may be.
#[derive(Debug)]
pub(super) enum Members {
    Nothing,
    Texts { exact: Set<str>, folded: Option<Box<[OnceLock<Set<str>>; 6]>> },
    Bytes(Set<[u8]>),
    Numbers(Box<[Number]>),
    Booleans { yes: bool, no: bool },
    Times(Box<[Timestamp]>),
}

/// A number as JSON or a pattern has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

/// A set that is a list while it is small.
#[derive(Debug)]
pub(super) enum Set<T: ?Sized> {
    Few(Box<[Box<T>]>),
    Many(HashSet<Box<T>>),
}

/// So many members are compared one after the other.
const FEW: usize = 8;

impl<T: ?Sized + Eq + std::hash::Hash> Set<T> {
    fn contains(&self, value: &T) -> bool {
        match self {
            Self::Few(members) => members.iter().any(|member| **member == *value),
            Self::Many(members) => members.contains(value),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        let (few, many) = match self {
            Self::Few(members) => (Some(members), None),
            Self::Many(members) => (None, Some(members)),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten()).map(|member| &**member)
    }
}

impl<T: ?Sized + Eq + std::hash::Hash> FromIterator<Box<T>> for Set<T> {
    fn from_iter<I: IntoIterator<Item = Box<T>>>(members: I) -> Self {
        let members: Vec<Box<T>> = members.into_iter().collect();
        if members.len() <= FEW { Self::Few(members.into()) } else { Self::Many(members.into_iter().collect()) }
    }
}

impl Number {
    fn of(number: &JsonNumber) -> Self {
        let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        integer.map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Integer)
    }

    /// Exact: an integer is not rounded to be compared with a fraction.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Integer(one), Self::Float(other)) => integer_and_float(one, other),
            (Self::Float(one), Self::Integer(other)) => integer_and_float(other, one).map(Ordering::reverse),
        }
    }
}

fn integer_and_float(integer: i128, float: f64) -> Option<Ordering> {
    // Beyond 64 bits there is no integer of JSON.
    if float.is_nan() {
        None
    } else if float >= 1e30 {
        Some(Ordering::Less)
    } else if float <= -1e30 {
        Some(Ordering::Greater)
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "below 10^30, which has 100 bits")]
        let whole = float.trunc() as i128;
        Some(integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
    }
}

impl Predicate {
    /// Prepares a test. Also says whether `!=` was written, which is `=` with a `NOT`.
    pub(super) fn new(test: &PropertyTest, path: &Path, options: &MatchOptions) -> Result<(Self, bool), MatchError> {
        let memory = options.limits.expression_memory;
        let tolerant = options.values == Values::Tolerant;
        let folding = tolerant && path.can_fold();
        let (operator, literal) = match test {
            PropertyTest::Exists => return Ok((Self::Exists, false)),
            PropertyTest::In(literals) => return Ok((Self::Member(Members::new(literals, tolerant)?), false)),
            PropertyTest::Compare(operator, literal) => (*operator, literal),
        };
        let span = literal.span;
        let text = || match &literal.value {
            LiteralValue::String(text) => Ok(&**text),
            _ => Err(MatchError::NeedsString { span, operator: operator.keyword() }),
        };
        let network = || {
            let text = text()?;
            Network::parse(text).ok_or_else(|| MatchError::NotANetwork { span, text: text.chars().take(80).collect() })
        };
        let predicate = match operator {
            ComparisonOperator::Equal | ComparisonOperator::NotEqual => {
                Self::Member(Members::new(std::slice::from_ref(literal), tolerant)?)
            }
            ComparisonOperator::Less
            | ComparisonOperator::LessOrEqual
            | ComparisonOperator::Greater
            | ComparisonOperator::GreaterOrEqual => Self::Order(operator, Constant::new(&literal.value)),
            ComparisonOperator::Like => {
                let like = Like::new(text()?, folding, memory);
                Self::Like(like.map_err(|reason| MatchError::Like { span, reason })?)
            }
            ComparisonOperator::Matches => {
                let expression = Expression::new(text()?, folding, path.is_binary(), memory);
                Self::Occurs(expression.map_err(|reason| MatchError::Expression { span, reason })?)
            }
            ComparisonOperator::IsSubset => Self::Inside(network()?),
            ComparisonOperator::IsSuperset => Self::Around(network()?),
        };
        Ok((predicate, operator == ComparisonOperator::NotEqual))
    }

    /// Whether a text can be a mistake instead of a value that differs.
    pub(super) fn can_break(&self) -> bool {
        matches!(self, Self::Member(Members::Times(_)) | Self::Order(_, Constant::Time(_)))
    }

    pub(super) fn check(&self, reached: &Reached<'_>, class: Class, tolerant: bool) -> Result<Outcome, NotATimestamp> {
        let class = if tolerant { class } else { Class::Plain };
        let holds = |holds, how| if holds { Outcome::Holds(how) } else { Outcome::Fails };
        Ok(match self {
            Self::Exists => Outcome::Holds(Normalisation::AsWritten),
            Self::Member(members) => match members.find(reached, class, tolerant)? {
                Some(how) => Outcome::Holds(how),
                None => Outcome::Fails,
            },
            Self::Order(operator, constant) => constant.order(*operator, reached, class, tolerant)?,
            Self::Like(like) => texts(reached, class)
                .map_or(Outcome::Fails, |texts| occurs(&texts, class, |text, fold| like.covers(text, fold))),
            Self::Occurs(expression) => match reached {
                Reached::Bytes(bytes) => holds(expression.occurs_in_bytes(bytes), Normalisation::Bytes),
                Reached::Json(_) => texts(reached, class).map_or(Outcome::Fails, |texts| {
                    occurs(&texts, class, |text, fold| expression.occurs_in(text, fold))
                }),
            },
            Self::Inside(network) => holds(
                text_of(reached).and_then(Network::parse).is_some_and(|found| network.contains(found)),
                Normalisation::Network,
            ),
            Self::Around(network) => holds(
                text_of(reached).and_then(Network::parse).is_some_and(|found| found.contains(*network)),
                Normalisation::Network,
            ),
        })
    }

    /// What a value has to be of, for people.
    pub(super) fn expects(&self) -> &'static str {
        match self {
            Self::Exists | Self::Member(Members::Nothing) => "anything",
            Self::Member(Members::Texts { .. }) | Self::Order(_, Constant::Text(_)) => "a string",
            Self::Member(Members::Bytes(_)) | Self::Order(_, Constant::Bytes(_)) => "bytes",
            Self::Member(Members::Numbers(_)) | Self::Order(_, Constant::Number(_)) => "a number",
            Self::Member(Members::Booleans { .. }) => "true or false",
            Self::Member(Members::Times(_)) | Self::Order(_, Constant::Time(_)) => "a timestamp",
            Self::Order(_, Constant::Boolean) => "something with an order",
            Self::Like(_) | Self::Occurs(_) => "a string",
            Self::Inside(_) | Self::Around(_) => "an address or network",
        }
    }

    /// Whether a value is of the type that the comparison is about.
    pub(super) fn is_about(&self, reached: &Reached<'_>) -> bool {
        let text = text_of(reached);
        match self {
            Self::Exists | Self::Member(Members::Nothing) => true,
            Self::Member(Members::Texts { .. } | Members::Bytes(_))
            | Self::Order(_, Constant::Text(_) | Constant::Bytes(_))
            | Self::Like(_)
            | Self::Occurs(_) => text.is_some() || matches!(reached, Reached::Bytes(_)),
            Self::Member(Members::Numbers(_)) | Self::Order(_, Constant::Number(_)) => {
                matches!(reached, Reached::Json(Value::Number(_)))
            }
            Self::Member(Members::Booleans { .. }) => matches!(reached, Reached::Json(Value::Bool(_))),
            Self::Member(Members::Times(_)) | Self::Order(_, Constant::Time(_)) => {
                text.is_some_and(|text| text.parse::<Timestamp>().is_ok())
            }
            Self::Order(_, Constant::Boolean) => false,
            Self::Inside(_) | Self::Around(_) => text.is_some_and(|text| Network::parse(text).is_some()),
        }
    }
}

fn text_of<'r>(reached: &'r Reached<'_>) -> Option<&'r str> {
    match reached {
        Reached::Json(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The texts of which one has to fit, each with what makes it another than the one that was there.
type Texts<'r> = [Option<(std::borrow::Cow<'r, str>, Normalisation)>; 2];

fn texts<'r>(reached: &'r Reached<'_>, class: Class) -> Option<Texts<'r>> {
    let text = match reached {
        Reached::Json(Value::String(text)) => text.as_str(),
        Reached::Bytes(bytes) => str::from_utf8(bytes).ok()?,
        Reached::Json(_) => return None,
    };
    let composed = nfc(text);
    let how = if *composed == *text { Normalisation::AsWritten } else { Normalisation::Nfc };
    // Addresses have several notations, of which an expression knows one.
    let canonical = matches!(class, Class::Address | Class::Mac)
        .then(|| class.fold(text))
        .filter(|canonical| *canonical != composed)
        .map(|canonical| (canonical, class.normalisation()));
    Some([Some((composed, how)), canonical])
}

fn occurs(texts: &Texts<'_>, class: Class, test: impl Fn(&str, bool) -> bool) -> Outcome {
    for (text, how) in texts.iter().flatten() {
        if test(text, false) {
            return Outcome::Holds(*how);
        }
        if class != Class::Plain && test(text, true) {
            return Outcome::Holds(Normalisation::CaseFolded);
        }
    }
    Outcome::Fails
}

/// A text as a point in time. The standard has one notation, in upper case and UTC.
fn time(text: &str, tolerant: bool) -> Result<Option<Timestamp>, NotATimestamp> {
    let is_exact = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    match text.parse() {
        Ok(time) if is_exact || tolerant => Ok(Some(time)),
        _ if tolerant => Ok(None),
        _ => Err(NotATimestamp),
    }
}

/// A text as bytes, one of each character, if all of them are below 256 (STIX 2.1, section 9.6.1).
fn text_as_bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
}

fn bytes_as_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

impl Members {
    fn new(literals: &[Literal], tolerant: bool) -> Result<Self, MatchError> {
        let Some(first) = literals.first() else { return Ok(Self::Nothing) };
        let mixed = |span: Span| MatchError::MixedSet { span };
        macro_rules! all {
            ($($pattern:pat => $value:expr),+) => {
                literals.iter().map(|literal| match &literal.value {
                    $($pattern => Ok($value),)+
                    _ => Err(mixed(literal.span)),
                })
            };
        }
        Ok(match &first.value {
            LiteralValue::String(_) => Self::Texts {
                exact: all!(LiteralValue::String(text) => text.clone()).collect::<Result<_, _>>()?,
                folded: tolerant.then(Box::default),
            },
            LiteralValue::Hex(_) | LiteralValue::Binary(_) => {
                let bytes = all!(LiteralValue::Hex(bytes) | LiteralValue::Binary(bytes) => bytes.clone());
                Self::Bytes(bytes.collect::<Result<_, _>>()?)
            }
            LiteralValue::Integer(_) | LiteralValue::Float(_) => {
                let numbers = all!(
                    LiteralValue::Integer(number) => Number::Integer(i128::from(*number)),
                    LiteralValue::Float(number) => Number::Float(*number)
                );
                let mut numbers: Vec<Number> = numbers.collect::<Result<_, _>>()?;
                numbers.sort_by(|one, other| one.compare(*other).unwrap_or(Ordering::Equal));
                Self::Numbers(numbers.into())
            }
            LiteralValue::Boolean(_) => {
                let (mut yes, mut no) = (false, false);
                for value in all!(LiteralValue::Boolean(value) => *value) {
                    if value? { yes = true } else { no = true }
                }
                Self::Booleans { yes, no }
            }
            LiteralValue::Timestamp(_) => {
                let times = all!(LiteralValue::Timestamp(time) => *time);
                let mut times: Vec<Timestamp> = times.collect::<Result<_, _>>()?;
                times.sort();
                Self::Times(times.into())
            }
        })
    }

    fn find(
        &self,
        reached: &Reached<'_>,
        class: Class,
        tolerant: bool,
    ) -> Result<Option<Normalisation>, NotATimestamp> {
        let as_written = |found: bool| found.then_some(Normalisation::AsWritten);
        Ok(match (self, reached) {
            (Self::Texts { exact, folded }, Reached::Json(Value::String(text))) => as_written(exact.contains(text))
                .or_else(|| {
                    let folded = folded.as_ref()?.get(class as usize)?;
                    let folded = folded.get_or_init(|| exact.iter().map(|text| class.fold(text).into()).collect());
                    folded.contains(&class.fold(text)).then(|| class.normalisation())
                }),
            (Self::Texts { exact, .. }, Reached::Bytes(bytes)) => {
                exact.contains(&bytes_as_text(bytes)).then_some(Normalisation::Bytes)
            }
            (Self::Bytes(members), Reached::Bytes(bytes)) => members.contains(bytes).then_some(Normalisation::Bytes),
            (Self::Bytes(members), Reached::Json(Value::String(text))) => {
                text_as_bytes(text).filter(|bytes| members.contains(bytes)).map(|_| Normalisation::Bytes)
            }
            (Self::Numbers(numbers), Reached::Json(Value::Number(number))) => {
                let number = Number::of(number);
                let found = numbers.binary_search_by(|member| member.compare(number).unwrap_or(Ordering::Less));
                as_written(found.is_ok())
            }
            (Self::Booleans { yes, no }, Reached::Json(Value::Bool(value))) => {
                as_written(if *value { *yes } else { *no })
            }
            (Self::Times(times), Reached::Json(Value::String(text))) => {
                time(text, tolerant)?.filter(|time| times.binary_search(time).is_ok()).map(|_| Normalisation::Timestamp)
            }
            _ => None,
        })
    }
}

impl Constant {
    fn new(value: &LiteralValue) -> Self {
        match value {
            LiteralValue::String(text) => Self::Text(text.clone()),
            LiteralValue::Integer(number) => Self::Number(Number::Integer(i128::from(*number))),
            LiteralValue::Float(number) => Self::Number(Number::Float(*number)),
            LiteralValue::Boolean(_) => Self::Boolean,
            LiteralValue::Timestamp(time) => Self::Time(*time),
            LiteralValue::Hex(bytes) | LiteralValue::Binary(bytes) => Self::Bytes(bytes.clone()),
        }
    }

    fn order(
        &self,
        operator: ComparisonOperator,
        reached: &Reached<'_>,
        class: Class,
        tolerant: bool,
    ) -> Result<Outcome, NotATimestamp> {
        let (order, how) = match (self, reached) {
            (Self::Text(constant), Reached::Json(Value::String(text))) => {
                if tolerant {
                    (Some(class.fold(text).cmp(&class.fold(constant))), Normalisation::AsWritten)
                } else {
                    (Some((**text).cmp(constant)), Normalisation::AsWritten)
                }
            }
            // A text with a character that is no byte differs from all bytes, but has no place among them.
            (Self::Text(constant), Reached::Bytes(bytes)) => {
                (text_as_bytes(constant).map(|constant| bytes.cmp(&constant)), Normalisation::Bytes)
            }
            (Self::Bytes(constant), Reached::Json(Value::String(text))) => {
                (text_as_bytes(text).map(|text| (*text).cmp(constant)), Normalisation::Bytes)
            }
            (Self::Bytes(constant), Reached::Bytes(bytes)) => (Some((**bytes).cmp(constant)), Normalisation::Bytes),
            (Self::Number(constant), Reached::Json(Value::Number(number))) => {
                (Number::of(number).compare(*constant), Normalisation::AsWritten)
            }
            (Self::Time(constant), Reached::Json(Value::String(text))) => match time(text, tolerant)? {
                Some(time) => (Some(time.cmp(constant)), Normalisation::Timestamp),
                None => return Ok(Outcome::Incomparable),
            },
            _ => return Ok(Outcome::Incomparable),
        };
        let holds = order.is_some_and(|order| match operator {
            ComparisonOperator::Less => order.is_lt(),
            ComparisonOperator::LessOrEqual => order.is_le(),
            ComparisonOperator::Greater => order.is_gt(),
            ComparisonOperator::GreaterOrEqual => order.is_ge(),
            _ => false,
        });
        Ok(if holds { Outcome::Holds(how) } else { Outcome::Fails })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let integer = Number::Integer;
        let float = Number::Float;
        for (one, other, order) in [
            (integer(5), integer(5), Ordering::Equal),
            (integer(5), float(5.0), Ordering::Equal),
            (integer(5), float(5.1), Ordering::Less),
            (integer(-5), float(-5.1), Ordering::Greater),
            (float(4.9), integer(5), Ordering::Less),
            (integer(9_007_199_254_740_993), float(9_007_199_254_740_992.0), Ordering::Greater),
            (integer(i128::from(u64::MAX)), float(1e300), Ordering::Less),
            (integer(i128::from(i64::MIN)), float(-1e300), Ordering::Greater),
            (float(0.1), float(0.2), Ordering::Less),
        ] {
            assert_eq!(one.compare(other), Some(order), "{one:?} {other:?}");
            assert_eq!(other.compare(one), Some(order.reverse()), "{other:?} {one:?}");
        }
        assert_eq!(integer(1).compare(float(f64::NAN)), None);
    }

    #[test]
    fn timestamps_have_one_notation() {
        assert!(matches!(time("2010-05-21T13:21:43.1234Z", false), Ok(Some(_))));
        for text in [
            "2010-05-21T13:21:43",
            "2010-05-21T13:21:43z",
            "2010-05-21t13:21:43Z",
            "2010/05/21T13:21:43Z",
            "hello",
            " 2010-05-21T13:21:43Z",
        ] {
            assert!(time(text, false).is_err(), "{text}");
        }
        assert!(matches!(time("2010-05-21T13:21:43+02:00", true), Ok(Some(_))));
        assert!(matches!(time("hello", true), Ok(None)));
    }
}
