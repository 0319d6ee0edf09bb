//! A list of field names that many queries share.

use std::sync::Arc;

use super::write_string;
use crate::catalogue::Field;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    plain: Box<str>,
    /// The name as a JSON string: a query over a hundred fields is written often, and the names never change.
    json: Box<str>,
    /// The list of nested objects around the field.
    nested: Option<Box<str>>,
}

impl Name {
    fn new(plain: &str, nested: Option<&str>) -> Self {
        let mut json = String::new();
        write_string(&mut json, plain);
        Self { plain: plain.into(), json: json.into(), nested: nested.map(Box::from) }
    }
}

/// Fields in a fixed order, cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet(Arc<[Name]>);

impl FieldSet {
    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &*name.plain)
    }

    /// The names, each with the list of nested objects around it.
    pub(crate) fn with_nested(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|name| (&*name.plain, name.nested.as_deref()))
    }

    /// The names as JSON strings, each with the list of nested objects around it.
    pub(super) fn json(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|name| (&*name.json, name.nested.as_deref()))
    }

    /// The fields that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let is_in = |name: &&Name| other.0.iter().any(|other| other.plain == name.plain);
        Self(self.0.iter().filter(|name| !is_in(name)).cloned().collect())
    }

    /// The fields in lists of at most `size`, in order.
    #[cfg(feature = "pattern")]
    pub(crate) fn chunks(&self, size: usize) -> impl Iterator<Item = Self> {
        self.0.chunks(size).map(|names| Self(names.into()))
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

/// Plain names, none of them in a nested object.
impl<'n> FromIterator<&'n str> for FieldSet {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        Self(names.into_iter().map(|name| Name::new(name, None)).collect())
    }
}

impl<'f> FromIterator<&'f Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = &'f Field>>(fields: I) -> Self {
        Self(fields.into_iter().map(|field| Name::new(&field.path, field.nested.as_deref())).collect())
    }
}
