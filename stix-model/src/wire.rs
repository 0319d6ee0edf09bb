//! How declared properties are read from and written to JSON.
//!
//! An object is first split into its properties, each a borrowed piece of text; a declared property is then taken out by
//! name and parsed as its Rust type. What is left over becomes the object's [`Extra`], byte for byte.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

use crate::{
    Extra, Hashes, Identifier, Timestamp,
    error::Problem,
    id::{canonical, canonical::write_string},
    timestamp,
};

/// The properties of one JSON object. Properties that are null are treated as absent; of duplicates, the last one counts.
pub(crate) struct Props<'a>(BTreeMap<Cow<'a, str>, Cow<'a, RawValue>>);

impl<'a> Props<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, Problem> {
        serde_json::from_str(json).map_err(Problem::not_an_object)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(|raw| &**raw)
    }

    /// A property that is a string.
    pub(crate) fn get_str(&self, name: &str) -> Option<Cow<'_, str>> {
        as_str(self.get(name)?)
    }

    /// A property as it stands in the text that was parsed.
    pub(crate) fn into_borrowed(mut self, name: &str) -> Option<&'a RawValue> {
        match self.0.remove(name)? {
            Cow::Borrowed(raw) => Some(raw),
            Cow::Owned(_) => None,
        }
    }

    pub(crate) fn set(&mut self, name: &'a str, raw: Box<RawValue>) {
        self.0.insert(Cow::Borrowed(name), Cow::Owned(raw));
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Cow<'a, RawValue>> {
        self.0.remove(name)
    }

    /// Renames a property, unless the new name is taken.
    pub(crate) fn rename(&mut self, old: &str, new: &'a str) {
        if self.get(new).is_none()
            && let Some(raw) = self.0.remove(old)
        {
            self.0.insert(Cow::Borrowed(new), raw);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, raw)| (&**name, &**raw))
    }

    /// Takes a declared property out; the error names it.
    pub(crate) fn take<T: Wire>(&mut self, name: &str) -> Result<T, Problem> {
        let raw = self.0.remove(name);
        T::read(raw.as_deref()).map_err(|problem| problem.in_field(name))
    }

    pub(crate) fn into_extra(self) -> Extra {
        self.0.into_iter().map(|(name, raw)| (name.into_owned(), raw.into_owned())).collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Props<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = BTreeMap<Cow<'de, str>, Cow<'de, RawValue>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut properties = BTreeMap::new();
                while let Some((Text(name), raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if raw.get() == "null" {
                        properties.remove(&name);
                    } else {
                        properties.insert(name, Cow::Borrowed(raw));
                    }
                }
                Ok(properties)
            }
        }
        deserializer.deserialize_map(Visitor).map(Self)
    }
}

/// A string that is borrowed unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text))
            }
        }
        deserializer.deserialize_str(Visitor).map(Self)
    }
}

/// The text of a JSON string, or `None` for any other value.
pub(crate) fn as_str(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// A type that a declared property can have, with its rules for absence.
pub(crate) trait Wire: Sized + Serialize {
    /// Reads the property; `None` stands for absent.
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem>;

    /// The value of a property nobody has set. `now` is the creation time of the object.
    fn blank(now: Timestamp) -> Self;

    /// True if the property is left out when writing.
    fn is_absent(&self) -> bool {
        false
    }

    /// Calls `found` with the identifiers that the property refers to.
    fn refs(&self, _found: &mut dyn FnMut(&Identifier)) {}

    /// Appends the property as JSON: the same bytes as `serde_json` writes.
    fn write_json(&self, out: &mut Vec<u8>);

    /// Appends the property as canonical JSON.
    fn write_canonical(&self, out: &mut Vec<u8>);

    /// The property as hashes, if it is that.
    fn as_hashes(&self) -> Option<&Hashes> {
        None
    }
}

/// Appends a member of an object that has members before it, unless it is absent.
#[inline]
pub(crate) fn write_member(out: &mut Vec<u8>, name: &'static str, value: &impl Wire) {
    if !value.is_absent() {
        // Names of properties have nothing in them that JSON escapes.
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        value.write_json(out);
    }
}

/// Appends undeclared members of an object that has members before them.
pub(crate) fn write_extra(out: &mut Vec<u8>, extra: &Extra, is_declared: impl Fn(&str) -> bool) {
    for (name, raw) in extra {
        if !is_declared(name) {
            out.push(b',');
            write_string(name, out);
            out.push(b':');
            out.extend_from_slice(raw.get().as_bytes());
        }
    }
}

/// Appends a property in canonical form; false if it is absent.
pub(crate) fn put_canonical(value: &impl Wire, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if !value.is_absent() {
        value.write_canonical(out);
    }
    // A number that is none is written as null, which counts as absent.
    if out.get(start..) == Some(b"null") {
        out.truncate(start);
    }
    out.len() > start
}

/// Appends anything as JSON. Writing into memory does not fail.
fn write_any(value: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Appends members of a list, commas between them.
fn write_list<T>(items: &[T], out: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Writes a property unless it is absent.
pub(crate) fn put<M: SerializeMap>(map: &mut M, name: &'static str, value: &impl Wire) -> Result<(), M::Error> {
    if value.is_absent() { Ok(()) } else { map.serialize_entry(name, value) }
}

/// A property as a JSON value, unless it is absent.
pub(crate) fn to_value(value: &impl Wire) -> Option<serde_json::Value> {
    if value.is_absent() { None } else { serde_json::to_value(value).ok() }
}

/// Rust keywords carry a trailing underscore that is not part of the name on the wire.
pub(crate) const fn wire_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [.., b'_'] => field.split_at(field.len() - 1).0,
        _ => field,
    }
}

/// A single value, as opposed to an optional or repeated one.
pub(crate) trait Scalar: Sized + Serialize {
    fn parse(raw: &RawValue) -> Result<Self, Problem>;

    fn blank(now: Timestamp) -> Self;

    /// True for values that count as absent where the property is optional.
    fn is_empty(raw: &RawValue) -> bool {
        raw.get() == r#""""#
    }

    fn refs(&self, _found: &mut dyn FnMut(&Identifier)) {}

    fn write_json(&self, out: &mut Vec<u8>) {
        write_any(self, out);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        canonical::write(&serde_json::to_value(self).unwrap_or_default(), out);
    }
}

/// Parses with serde; the message loses the position, which is relative to the property and would mislead.
pub(crate) fn parse_json<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let message = error.to_string();
        Problem::bad(message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text))
    })
}

impl Scalar for String {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        parse_json(raw)
    }

    fn blank(_: Timestamp) -> Self {
        Self::new()
    }

    fn is_empty(_: &RawValue) -> bool {
        false
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        write_string(self, out);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        write_string(self, out);
    }
}

impl Scalar for Identifier {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        parse_json(raw)
    }

    fn blank(_: Timestamp) -> Self {
        Self::from_static("x-blank", uuid::Uuid::nil())
    }

    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        found(self);
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        Self::write_json(self, out);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        Self::write_json(self, out);
    }
}

impl Scalar for Timestamp {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        parse_json(raw)
    }

    fn blank(now: Timestamp) -> Self {
        now
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.write(&mut [0; timestamp::LONGEST]).as_bytes());
        out.push(b'"');
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        Scalar::write_json(self, out);
    }
}

/// The text of a number, which may stand in a string.
fn number_text(raw: &RawValue) -> Cow<'_, str> {
    as_str(raw).map_or(Cow::Borrowed(raw.get()), |text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    })
}

impl Scalar for i64 {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        let text = number_text(raw);
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        // `5.0` is an integer to JavaScript. Beyond 2^53 the fraction is gone, and with it any certainty.
        match text.parse::<f64>() {
            #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
            Ok(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => Ok(number as i64),
            _ => Err(Problem::bad(format_args!("expected an integer, found `{text}`"))),
        }
    }

    fn blank(_: Timestamp) -> Self {
        0
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        canonical::write(&(*self).into(), out);
    }
}

impl Scalar for f64 {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        let text = number_text(raw);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| Problem::bad(format_args!("expected a number, found `{text}`")))
    }

    fn blank(_: Timestamp) -> Self {
        0.0
    }
}

impl Scalar for bool {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        match &*number_text(raw) {
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            other => Err(Problem::bad(format_args!("expected true or false, found `{other}`"))),
        }
    }

    fn blank(_: Timestamp) -> Self {
        false
    }
}

/// Large structures that are rarely there are boxed.
impl<T: Scalar> Scalar for Box<T> {
    fn parse(raw: &RawValue) -> Result<Self, Problem> {
        T::parse(raw).map(Self::new)
    }

    fn blank(now: Timestamp) -> Self {
        Self::new(T::blank(now))
    }

    fn is_empty(raw: &RawValue) -> bool {
        T::is_empty(raw)
    }

    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        T::refs(self, found);
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        T::write_json(self, out);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        T::write_canonical(self, out);
    }
}

/// A required property.
impl<T: Scalar> Wire for T {
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem> {
        raw.ok_or_else(Problem::missing).and_then(T::parse)
    }

    fn blank(now: Timestamp) -> Self {
        <T as Scalar>::blank(now)
    }

    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        Scalar::refs(self, found);
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        Scalar::write_json(self, out);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        Scalar::write_canonical(self, out);
    }
}

impl<T: Scalar> Wire for Option<T> {
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem> {
        raw.filter(|raw| !T::is_empty(raw)).map(T::parse).transpose()
    }

    fn blank(_: Timestamp) -> Self {
        None
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        if let Some(value) = self {
            Scalar::refs(value, found);
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => Scalar::write_json(value, out),
            None => out.extend_from_slice(b"null"),
        }
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => Scalar::write_canonical(value, out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

/// A single value in place of a list is read as a list of one. Null elements are skipped.
impl<T: Scalar> Wire for Vec<T> {
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem> {
        let Some(raw) = raw.filter(|raw| !T::is_empty(raw)) else { return Ok(Self::new()) };
        if !raw.get().starts_with('[') {
            return T::parse(raw).map(|value| vec![value]);
        }
        let items: Vec<&RawValue> = parse_json(raw)?;
        items.into_iter().filter(|item| item.get() != "null" && !T::is_empty(item)).map(T::parse).collect()
    }

    fn blank(_: Timestamp) -> Self {
        Self::new()
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        for value in self {
            Scalar::refs(value, found);
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        write_list(self, out, Scalar::write_json);
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        write_list(self, out, Scalar::write_canonical);
    }
}

impl Wire for Hashes {
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem> {
        raw.map_or(Ok(Self::new()), parse_json)
    }

    fn blank(_: Timestamp) -> Self {
        Self::new()
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (place, (algorithm, value)) in self.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_string(algorithm, out);
            out.push(b':');
            write_string(value, out);
        }
        out.push(b'}');
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        canonical::write(&serde_json::to_value(self).unwrap_or_default(), out);
    }

    fn as_hashes(&self) -> Option<&Hashes> {
        Some(self)
    }
}

impl Wire for Extra {
    fn read(raw: Option<&RawValue>) -> Result<Self, Problem> {
        raw.map_or(Ok(Self::new()), |raw| {
            let properties: Props<'_> = parse_json(raw)?;
            Ok(properties.into_extra())
        })
    }

    fn blank(_: Timestamp) -> Self {
        Self::new()
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    /// Identifiers below members whose names end in `_ref` or `_refs`.
    fn refs(&self, found: &mut dyn FnMut(&Identifier)) {
        for (name, raw) in self {
            collect_refs(name, raw, found);
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let start = out.len();
        write_extra(out, self, |_| false);
        // The first member has no comma before it.
        match out.get_mut(start) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        canonical::write(&serde_json::to_value(self).unwrap_or_default(), out);
    }
}

/// Adds the identifiers in an undeclared property. Text that is no identifier (OpenCTI's internal IDs) is passed over.
pub(crate) fn collect_refs(name: &str, raw: &RawValue, found: &mut dyn FnMut(&Identifier)) {
    let named = is_reference(name);
    if !named && !raw.get().contains("_ref") {
        return;
    }
    // Most are a single identifier.
    if raw.get().starts_with('"') {
        if let Some(id) = as_str(raw).and_then(|text| text.parse().ok()).filter(|_| named) {
            found(&id);
        }
    } else if let Ok(value) = serde_json::from_str(raw.get()) {
        collect_value_refs(named, &value, found);
    }
}

fn is_reference(name: &str) -> bool {
    name.ends_with("_ref") || name.ends_with("_refs")
}

/// The depth is bounded by the parser's own limit.
fn collect_value_refs(named: bool, value: &serde_json::Value, found: &mut dyn FnMut(&Identifier)) {
    match value {
        serde_json::Value::String(text) if named => {
            if let Ok(id) = text.parse() {
                found(&id);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_value_refs(named, item, found)),
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(name, value)| collect_value_refs(is_reference(name), value, found));
        }
        _ => {}
    }
}
