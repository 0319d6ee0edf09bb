//! What a look into an alert gives.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::evaluate::{Decided, PatternVerdict};
use super::filter::Standing;
use super::live::Handle;
use super::look_up::Value;
use crate::indicator::{Indicator, Key, Kind, Normalisation};

/// What of an indicator was compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Comparison {
    /// One of its values.
    Value(Key),
    /// Its pattern.
    Pattern(Arc<str>),
}

impl Comparison {
    pub(super) fn of_value(value: Value<'_>) -> Self {
        Self::Value(match value {
            Value::Network(address, length) => {
                let network = IpNet::new(address, length).unwrap_or_else(|_| IpNet::from(address));
                Key::Network(network.trunc())
            }
            Value::Text(kind, text) => Key::Text(kind, text.into()),
            Value::Part => return Self::Pattern(Arc::default()),
        })
    }

    /// The kind of the value, if it is one.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Value(key) => Some(key.kind()),
            Self::Pattern(_) => None,
        }
    }

    /// The name of the kind, for people.
    pub fn kind_name(&self) -> &'static str {
        self.kind().map_or("pattern", Kind::name)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(key) => key.fmt(formatter),
            Self::Pattern(pattern) => formatter.write_str(pattern),
        }
    }
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An indicator in an alert.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The indicator or observable.
    pub indicator: Indicator,
    /// Where it stands in the snapshot that was asked.
    pub handle: Handle,
    /// What of the indicator was compared.
    pub comparison: Comparison,
    /// The field of the alert, and the text in it.
    pub seen: Seen,
    /// How the text became the value of the indicator.
    pub normalisation: Normalisation,
    /// Whether the indicator counts at the time of the alert.
    pub standing: Standing,
    /// How its pattern fares, where that asks for more than single values.
    pub verdict: Option<PatternVerdict>,
}

impl Match {
    /// Whether the alert by itself is a hit: the indicator counts, and all of its pattern is satisfied.
    pub fn is_hit(&self) -> bool {
        self.standing.counts() && self.verdict.as_ref().is_none_or(|verdict| verdict.decided == Decided::Whole)
    }
}

/// A text in an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Seen {
    /// The path of the field.
    pub field: String,
    /// The text as written. Matches of one alert share it.
    #[serde(serialize_with = "as_text")]
    pub value: Arc<str>,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// How a text became a value: not at all, if it is the same.
pub(super) fn normalisation(way: Normalisation, seen: &str, value: Value<'_>) -> Normalisation {
    if way != Normalisation::Notation {
        return way;
    }
    let same = match value {
        Value::Network(address, _) => seen.parse::<IpAddr>() == Ok(address),
        Value::Text(_, text) => seen == text,
        Value::Part => false,
    };
    if same { Normalisation::AsWritten } else { way }
}
