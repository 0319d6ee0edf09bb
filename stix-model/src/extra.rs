//! Properties the model does not declare, kept as the bytes they were.

use std::{borrow::Cow, collections::BTreeMap, ops::Deref, slice, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Named JSON values, each kept byte for byte: a 23-digit integer or `1.10` comes out as it went in.
///
/// Holds the properties an object type does not declare, and the members of `extensions`.
#[derive(Clone, Debug, Default)]
pub struct Extra(
    /// Sorted by name. There are few as a rule, and objects without any are many.
    Vec<(Cow<'static, str>, Text)>,
);

/// The JSON text of a value: that of one property, or one that many objects have in common.
#[derive(Clone, Debug)]
enum Text {
    Own(Box<RawValue>),
    Shared(Arc<RawValue>),
}

impl Deref for Text {
    type Target = RawValue;

    fn deref(&self) -> &RawValue {
        match self {
            Self::Own(raw) => raw,
            Self::Shared(raw) => raw,
        }
    }
}

impl Extra {
    /// No properties.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// True if there are no properties.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is a property of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// The JSON text of a property.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(self.place(name).ok()?).map(|(_, raw)| &**raw)
    }

    /// Where a property is, or where it would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    fn insert(&mut self, name: Cow<'static, str>, raw: Text) {
        match self.place(&name) {
            Ok(place) => self.0[place].1 = raw,
            Err(place) => self.0.insert(place, (name, raw)),
        }
    }

    /// A property as any type that can be read from JSON. `None` if it is absent or of another shape.
    pub fn get_as<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// A property that is a string. `None` if it is absent or not a string.
    pub fn get_str(&self, name: &str) -> Option<String> {
        self.get_as(name)
    }

    /// Sets a property. A value that serialises to `null` removes it, since STIX knows no null; so does one that cannot
    /// be written as JSON, such as a map with keys that are not strings.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Serialize) {
        let name = name.into();
        match serde_json::value::to_raw_value(&value) {
            Ok(raw) if raw.get() != "null" => self.insert(name, Text::Own(raw)),
            _ => drop(self.remove(&name)),
        }
    }

    /// Sets a property to a text that many objects have in common; it is kept once for all of them.
    pub fn set_shared(&mut self, name: &'static str, raw: &Arc<RawValue>) {
        self.insert(Cow::Borrowed(name), Text::Shared(Arc::clone(raw)));
    }

    /// Removes a property and returns its JSON text.
    pub fn remove(&mut self, name: &str) -> Option<Box<RawValue>> {
        let place = self.place(name).ok()?;
        match self.0.remove(place).1 {
            Text::Own(raw) => Some(raw),
            Text::Shared(raw) => Some((*raw).to_owned()),
        }
    }

    /// All properties, sorted by name.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }
}

/// Iterator over the properties of an [`Extra`].
#[derive(Debug)]
pub struct Iter<'a>(slice::Iter<'a, (Cow<'static, str>, Text)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a RawValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, raw)| (&**name, &**raw))
    }
}

impl<'a> IntoIterator for &'a Extra {
    type Item = (&'a str, &'a RawValue);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<(String, Box<RawValue>)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Box<RawValue>)>>(properties: I) -> Self {
        let own = |(name, raw)| (Cow::Owned(name), Text::Own(raw));
        let all: Vec<(Cow<'static, str>, Text)> = properties.into_iter().map(own).collect();
        if all.is_sorted_by(|(one, _), (other, _)| one < other) {
            return Self(all);
        }
        // Of properties of the same name, the last one counts.
        Self(all.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
}

/// Two values are equal when they are written with the same bytes.
impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.0 == b.0 && a.1.get() == b.1.get())
    }
}

impl Eq for Extra {}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, Box<RawValue>>::deserialize(deserializer).map(Self::from_iter)
    }
}
