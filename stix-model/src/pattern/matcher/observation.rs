//! What was observed: objects seen together, when, and how often.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::{Object, Timestamp};

/// Objects that were seen together, when, and how often (STIX 2.1, section 4.14).
///
/// The objects are JSON, keyed as references name them: by the keys of the dictionary in STIX 2.0 (`"0"`), by identifiers
/// in STIX 2.1. References are resolved within one observation.
///
/// ```
/// use serde_json::json;
/// use stix_model::pattern::matcher::Observation;
///
/// let observed = json!({
///     "type": "observed-data", "number_observed": 2,
///     "first_observed": "2026-01-02T03:04:05Z", "last_observed": "2026-01-02T03:05:00Z",
///     "objects": {"0": {"type": "ipv4-addr", "value": "198.51.100.7"}}
/// });
/// let observation = Observation::from_observed_data(&observed)?;
/// assert_eq!(observation.number_observed(), 2);
/// # Ok::<(), stix_model::pattern::matcher::ObservationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    seen: Seen,
    objects: Vec<Entry<'a>>,
    /// Places in `objects`, sorted by key; empty while a linear search is as fast.
    by_key: Vec<u32>,
}

/// When something was observed, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The beginning of the time in which it was observed.
    pub first: Timestamp,
    /// The end of that time, itself included.
    pub last: Timestamp,
    /// How often: an observation stands for so many, of which each may serve another part of a pattern.
    pub number_observed: u64,
}

#[derive(Clone, Debug)]
struct Entry<'a> {
    key: Cow<'a, str>,
    object: Cow<'a, Value>,
}

/// From so many objects on they are looked up in an index.
const INDEX_FROM: usize = 17;

/// A place in the objects of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(pub(super) usize);

impl<'a> Observation<'a> {
    /// Objects seen together at one moment or in the time between two, once; see [`Observation::times`].
    pub fn new(
        first: Timestamp,
        last: Timestamp,
        objects: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, Value>)>,
    ) -> Self {
        let mut unique: Vec<Entry<'a>> = Vec::new();
        let mut known: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (key, object) in objects {
            // The last one counts, as in a dictionary.
            if let Some(entry) = known.get(&key).and_then(|place| unique.get_mut(*place)) {
                entry.object = object;
                continue;
            }
            known.insert(key.clone(), unique.len());
            unique.push(Entry { key, object });
        }
        let mut by_key = Vec::new();
        if unique.len() >= INDEX_FROM {
            by_key = (0..u32::try_from(unique.len()).unwrap_or(u32::MAX)).collect();
            by_key.sort_by(|one, other| {
                let key = |place: &u32| unique.get(*place as usize).map(|entry| &*entry.key);
                key(one).cmp(&key(other))
            });
        }
        let seen = Seen { first: first.min(last), last: last.max(first), number_observed: 1 };
        Self { seen, objects: unique, by_key }
    }

    /// The same, observed so many times. Zero counts as once.
    #[must_use]
    pub fn times(mut self, number_observed: u64) -> Self {
        self.seen.number_observed = number_observed.max(1);
        self
    }

    /// Objects of this crate, such as those extracted from one alert.
    pub fn from_objects<'o>(first: Timestamp, last: Timestamp, objects: impl IntoIterator<Item = &'o Object>) -> Self {
        let json = objects.into_iter().filter_map(|object| {
            // Objects are JSON objects: they can be written.
            let value = serde_json::to_value(object).ok()?;
            Some((Cow::Owned(object.id().to_string()), Cow::Owned(value)))
        });
        Self::new(first, last, json)
    }

    /// Observed data that holds its objects: STIX 2.0, and the deprecated form of STIX 2.1.
    pub fn from_observed_data(observed_data: &'a Value) -> Result<Self, ObservationError> {
        let objects = match observed_data.get("objects") {
            Some(Value::Object(objects)) => Some(objects),
            _ => None,
        };
        Self::observed(observed_data, objects.into_iter().flatten().map(|(key, object)| (&**key, object)))
    }

    /// The observations in a list of STIX objects: bundles, observed data with its objects, or observed data and the
    /// objects that it refers to, in any order and mixture.
    ///
    /// Objects of all bundles may be referred to. Those that no observed data refers to are not observed.
    pub fn read(values: &'a [Value]) -> Result<Vec<Self>, ObservationError> {
        let mut reader = Reader::default();
        for value in values {
            reader.add(value, 0)?;
        }
        reader.observed.iter().map(|observed_data| reader.observation(observed_data)).collect()
    }

    fn observed(
        observed_data: &'a Value,
        objects: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> Result<Self, ObservationError> {
        let error = |kind| ObservationError { id: id_of(observed_data).unwrap_or_default().into(), kind };
        let time = |name: &'static str| match observed_data.get(name) {
            None => Err(error(ObservationErrorKind::Missing(name))),
            Some(value) => value
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| error(ObservationErrorKind::NotATime(name))),
        };
        let count = observed_data
            .get("number_observed")
            .ok_or_else(|| error(ObservationErrorKind::Missing("number_observed")))?;
        let count = count.as_u64().filter(|count| *count > 0).ok_or_else(|| error(ObservationErrorKind::NotACount))?;
        let objects = objects.map(|(key, object)| (Cow::Borrowed(key), Cow::Borrowed(object)));
        Ok(Self::new(time("first_observed")?, time("last_observed")?, objects).times(count))
    }

    /// When, and how often.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// The beginning of the time in which it was observed.
    pub fn first(&self) -> Timestamp {
        self.seen.first
    }

    /// The end of that time, itself included.
    pub fn last(&self) -> Timestamp {
        self.seen.last
    }

    /// How often it was observed.
    pub fn number_observed(&self) -> u64 {
        self.seen.number_observed
    }

    /// The objects with their keys.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.objects.iter().map(|entry| (&*entry.key, &*entry.object))
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn key(&self, place: Place) -> &str {
        self.objects.get(place.0).map(|entry| &*entry.key).unwrap_or_default()
    }

    pub(super) fn object(&self, place: Place) -> Option<&Value> {
        self.objects.get(place.0).map(|entry| &*entry.object)
    }

    /// The object that a reference names.
    pub(super) fn find(&self, key: &str) -> Option<&Value> {
        if self.by_key.is_empty() {
            return self.objects.iter().find(|entry| entry.key == key).map(|entry| &*entry.object);
        }
        let entry = |place: &u32| self.objects.get(*place as usize);
        let found = self.by_key.binary_search_by(|place| entry(place).map(|entry| &*entry.key).cmp(&Some(key))).ok()?;
        entry(self.by_key.get(found)?).map(|entry| &*entry.object)
    }

    /// The objects of a type.
    pub(super) fn of_type(&self, object_type: &str) -> impl Iterator<Item = Place> {
        self.objects
            .iter()
            .enumerate()
            .filter(move |(_, entry)| type_of(&entry.object) == Some(object_type))
            .map(|(place, _)| Place(place))
    }
}

pub(super) fn type_of(object: &Value) -> Option<&str> {
    object.get("type").and_then(Value::as_str)
}

fn id_of(object: &Value) -> Option<&str> {
    object.get("id").and_then(Value::as_str)
}

/// Collects objects until all of them are known.
#[derive(Default)]
struct Reader<'a> {
    observed: Vec<&'a Value>,
    objects: HashMap<&'a str, &'a Value>,
}

impl<'a> Reader<'a> {
    fn add(&mut self, value: &'a Value, depth: usize) -> Result<(), ObservationError> {
        let error = |kind| ObservationError { id: id_of(value).unwrap_or_default().into(), kind };
        let Value::Object(properties) = value else { return Err(error(ObservationErrorKind::NotAnObject)) };
        let is_observed = |properties: &Map<String, Value>| properties.contains_key("number_observed");
        match (type_of(value), properties.get("objects")) {
            (Some("observed-data"), _) => self.observed.push(value),
            (Some("bundle"), objects) | (_, objects @ Some(Value::Array(_))) => match objects {
                // A bundle in a bundle is no STIX.
                Some(Value::Array(objects)) if depth == 0 => {
                    for object in objects {
                        self.add(object, depth + 1)?;
                    }
                }
                _ => return Err(error(ObservationErrorKind::Missing("objects"))),
            },
            // By another name, which happens to data that never was STIX.
            (_, Some(Value::Object(_))) if is_observed(properties) => self.observed.push(value),
            (None, _) => return Err(error(ObservationErrorKind::Missing("type"))),
            (Some(_), _) => {
                // What has no identifier cannot be referred to.
                if let Some(id) = id_of(value) {
                    self.objects.insert(id, value);
                }
            }
        }
        Ok(())
    }

    fn observation(&self, observed_data: &'a Value) -> Result<Observation<'a>, ObservationError> {
        let error = |kind| ObservationError { id: id_of(observed_data).unwrap_or_default().into(), kind };
        match (observed_data.get("object_refs"), observed_data.get("objects")) {
            (Some(Value::Array(references)), _) => {
                let keys = references.iter().filter_map(Value::as_str);
                let found = keys.filter_map(|key| Some((key, *self.objects.get(key)?)));
                Observation::observed(observed_data, found)
            }
            (Some(_), _) => Err(error(ObservationErrorKind::NotAList("object_refs"))),
            // STIX 2.0, and the deprecated form of STIX 2.1.
            (None, Some(Value::Object(_))) => Observation::from_observed_data(observed_data),
            (None, _) => Err(error(ObservationErrorKind::Missing("object_refs"))),
        }
    }
}

/// Why something is no observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservationError {
    id: Box<str>,
    kind: ObservationErrorKind,
}

/// What is wrong with something that should be an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationErrorKind {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A property is absent.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A property is no timestamp.
    #[error("`{0}` is no timestamp such as 2026-01-02T03:04:05.678Z")]
    NotATime(&'static str),
    /// A property is no list.
    #[error("`{0}` is no list")]
    NotAList(&'static str),
    /// `number_observed` is no whole number from 1 on.
    #[error("`number_observed` is no whole number from 1 on")]
    NotACount,
}

impl ObservationError {
    /// The identifier of the object; empty if it has none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is wrong.
    pub fn kind(&self) -> ObservationErrorKind {
        self.kind
    }
}

impl fmt::Display for ObservationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.id {
            "" => write!(formatter, "no observation: {}", self.kind),
            id => write!(formatter, "no observation, {id}: {}", self.kind),
        }
    }
}

impl std::error::Error for ObservationError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn observed(extra: &Value) -> Value {
        let mut observed = json!({"type": "observed-data", "id": "observed-data--1", "number_observed": 1,
            "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:01Z"});
        for (name, value) in extra.as_object().expect("an object") {
            observed[name] = value.clone();
        }
        observed
    }

    #[test]
    fn objects_come_in_bundles_dictionaries_and_beside_what_refers_to_them() {
        let file = json!({"type": "file", "id": "file--1", "name": "a"});
        let other = json!({"type": "file", "id": "file--2", "name": "b"});
        let refers = observed(&json!({"object_refs": ["file--1", "file--9"]}));
        let holds = observed(&json!({"objects": {"0": {"type": "file", "name": "c"}}}));
        let values = [refers.clone(), file.clone(), other, holds.clone()];
        let read = Observation::read(&values).expect("readable");
        let keys =
            |observation: &Observation<'_>| observation.objects().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
        assert_eq!(read.iter().map(keys).collect::<Vec<_>>(), [vec!["file--1"], vec!["0"]]);
        let bundles =
            [json!({"type": "bundle", "objects": [refers]}), json!({"type": "bundle", "objects": [file, holds]})];
        let read = Observation::read(&bundles).expect("readable");
        assert_eq!(read.iter().map(keys).collect::<Vec<_>>(), [vec!["file--1"], vec!["0"]]);
    }

    #[test]
    fn what_is_no_observation_is_refused() {
        for (value, kind) in [
            (json!(5), ObservationErrorKind::NotAnObject),
            (json!({"id": "x--1"}), ObservationErrorKind::Missing("type")),
            (json!({"type": "bundle"}), ObservationErrorKind::Missing("objects")),
            (observed(&json!({})), ObservationErrorKind::Missing("object_refs")),
            (observed(&json!({"object_refs": "x"})), ObservationErrorKind::NotAList("object_refs")),
            (observed(&json!({"objects": {}, "number_observed": 0})), ObservationErrorKind::NotACount),
            (observed(&json!({"objects": {}, "number_observed": 1.5})), ObservationErrorKind::NotACount),
            (
                observed(&json!({"objects": {}, "last_observed": "now"})),
                ObservationErrorKind::NotATime("last_observed"),
            ),
        ] {
            let error = Observation::read(std::slice::from_ref(&value)).expect_err("no observation");
            assert_eq!(error.kind(), kind, "{value}");
        }
    }

    #[test]
    fn many_objects_are_found_by_key() {
        let value = json!({"type": "file"});
        let objects = (0..100).map(|number| (Cow::Owned(format!("{}", number * 7 % 100)), Cow::Borrowed(&value)));
        let observation = Observation::new(Timestamp::MIN, Timestamp::MIN, objects);
        assert_eq!(observation.len(), 100);
        assert!((0..100).all(|number| observation.find(&number.to_string()).is_some()));
        assert!(observation.find("100").is_none());
    }
}
