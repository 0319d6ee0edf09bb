//! A list of field names that many queries share.

use std::sync::Arc;

use super::write_string;

#[derive(Debug, PartialEq, Eq)]
struct Name {
    plain: Box<str>,
    /// The name as a JSON string: a query over a hundred fields is written often, and the names never change.
    json: Box<str>,
}

/// Field names in a fixed order, cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet(Arc<[Name]>);

impl FieldSet {
    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &*name.plain)
    }

    pub(super) fn json(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &*name.json)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: AsRef<str>> FromIterator<S> for FieldSet {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let name = |plain: S| {
            let mut json = String::new();
            write_string(&mut json, plain.as_ref());
            Name { plain: plain.as_ref().into(), json: json.into() }
        };
        Self(names.into_iter().map(name).collect())
    }
}
