//! The values of fields as an index orders and counts them.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::{Number, Value};

use crate::alert::timestamp;
use crate::catalogue::{Catalogue, IndexType, Schema};
use crate::dsl::{Order, limits};
use crate::evaluate::{Document, WAZUH_5_IGNORE_ABOVE};

/// One value of a field, in the form in which the index keeps it.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Whole(i64),
    Fraction(f64),
    Address(IpAddr),
    Text(String),
}

impl Key {
    /// The value as the search API shows it.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Whole(number) => (*number).into(),
            Self::Fraction(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Address(address) => address.to_string().into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "only compared with a number that has a fraction")]
            Self::Whole(number) => Some(*number as f64),
            Self::Fraction(number) => Some(*number),
            Self::Address(_) | Self::Text(_) => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Whole(_) | Self::Fraction(_) => 0,
            Self::Address(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Address(one), Self::Address(other)) => octets(*one).cmp(&octets(*other)),
            _ => match (self.number(), other.number()) {
                (Some(one), Some(other)) => one.total_cmp(&other),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// The index keeps every address as one of version 6.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// A field with its mapping.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) path: String,
    index: Option<IndexType>,
    schema: Schema,
}

impl Mapped {
    pub(super) fn new(path: &str, catalogue: &Catalogue, schema: Schema) -> Self {
        let known = catalogue.find(schema, path).map(|id| catalogue.field(id).index);
        // The pipeline before the index adds `@timestamp` to alerts of Wazuh 4; the template maps it as a date.
        let index = known.or_else(|| (path == "@timestamp").then_some(IndexType::Date));
        Self { path: path.to_owned(), index, schema }
    }

    /// One value as the index keeps it; nothing if it is not indexed.
    pub(super) fn key(&self, value: &Value) -> Option<Key> {
        let index = self.index.unwrap_or(match value {
            Value::Number(number) if number.is_f64() => IndexType::Double,
            Value::Number(_) => IndexType::Long,
            _ => IndexType::Keyword,
        });
        match index {
            IndexType::Date => match value {
                Value::Number(_) => value.as_i64().map(Key::Whole),
                _ => Some(Key::Whole(timestamp(value.as_str()?)?.unix_millis())),
            },
            IndexType::Long => {
                let text = text(value)?;
                #[expect(clippy::cast_possible_truncation, reason = "the index cuts fractions off")]
                let whole = || text.parse::<f64>().ok().map(|number| number as i64);
                text.parse().ok().or_else(whole).map(Key::Whole)
            }
            IndexType::Double => text(value)?.parse().ok().map(Key::Fraction),
            IndexType::Ip => value.as_str()?.parse::<IpAddr>().ok().map(|address| Key::Address(address.to_canonical())),
            IndexType::Keyword | IndexType::Boolean => text(value).filter(|text| self.is_indexed(text)).map(Key::Text),
            IndexType::GeoPoint | IndexType::Text | IndexType::Unindexed => None,
        }
    }

    fn is_indexed(&self, text: &str) -> bool {
        text.len() <= limits::TERM_BYTES
            && (self.schema == Schema::Wazuh4 || text.encode_utf16().count() <= WAZUH_5_IGNORE_ABOVE)
    }

    /// Every value in a document, each once, smallest first.
    pub(super) fn keys(&self, document: &Document<'_>) -> Vec<Key> {
        let mut keys = Vec::new();
        document.each(&self.path, &mut |value| keys.extend(self.key(value)));
        keys.sort();
        keys.dedup();
        keys
    }

    /// The value that a sort uses: the smallest one going up, the largest one going down.
    pub(super) fn sort_key(&self, document: &Document<'_>, order: Order) -> Option<Key> {
        let mut keys = self.keys(document);
        match order {
            Order::Asc => keys.into_iter().next(),
            Order::Desc => keys.pop(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The place of a document in an order: its sort values, and its number among all documents.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) keys: Vec<Option<Key>>,
    pub(super) ordinal: u64,
}

impl Place {
    /// Compares in the order of a request. A missing value comes last in either direction.
    pub(super) fn cmp(&self, other: &Self, orders: &[Order]) -> Ordering {
        for ((one, other), order) in self.keys.iter().zip(&other.keys).zip(orders) {
            let ordering = match (one, other) {
                (Some(one), Some(other)) => match order {
                    Order::Asc => one.cmp(other),
                    Order::Desc => other.cmp(one),
                },
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        self.ordinal.cmp(&other.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_come_last() {
        let place = |key: Option<i64>, ordinal| Place { keys: vec![key.map(Key::Whole)], ordinal };
        for order in [Order::Asc, Order::Desc] {
            let mut places = [place(None, 0), place(Some(1), 1), place(Some(2), 2), place(Some(1), 3)];
            places.sort_by(|one, other| one.cmp(other, &[order]));
            let ordinals: Vec<_> = places.iter().map(|place| place.ordinal).collect();
            let wanted = if order == Order::Asc { [1, 3, 2, 0] } else { [2, 1, 3, 0] };
            assert_eq!(ordinals, wanted);
        }
    }
}
