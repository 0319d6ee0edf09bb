//! Bundles (STIX 2.1, section 8): reading them leniently, building them, writing them.

mod builder;
mod reader;
mod scanner;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::value::RawValue;

pub use builder::BundleBuilder;
pub use reader::{ReadError, ReadErrorKind, read_objects};

use crate::{
    Extra, Identifier, Object, ObjectError, Uuid,
    wire::{Props, write_extra, write_member},
};

/// A collection of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The identifier.
    pub id: Identifier,
    /// The objects.
    pub objects: Vec<Object>,
    /// Properties this model does not declare, kept byte for byte.
    pub extra: Extra,
}

impl Bundle {
    /// A bundle of these objects, in this order; its identifier depends on those of the objects.
    pub fn new(objects: Vec<Object>) -> Self {
        Self { id: builder::bundle_id(&objects), objects, extra: Extra::new() }
    }

    /// Reads a bundle; what else is accepted is listed at [`read_objects`]. An object that cannot be read costs that
    /// object only and is named in the list. Fails where the text as a whole is not JSON, or is cut off.
    pub fn read(json: &[u8]) -> Result<(Self, Vec<ObjectError>), ReadError> {
        reader::read_bundle(json)
    }

    /// The same bundle with nothing in it that STIX 2.1 reserves; see [`Object::strict`].
    #[must_use]
    pub fn strict(self) -> Self {
        Self { objects: self.objects.into_iter().map(Object::strict).collect(), ..self }
    }

    /// The bundle as JSON: the text that `serde_json` writes, sooner.
    ///
    /// ```
    /// use stix_model::{Bundle, sco::Ipv4Addr};
    ///
    /// let bundle = Bundle::new(vec![Ipv4Addr::new("198.51.100.3").into()]);
    /// assert_eq!(bundle.to_json(), serde_json::to_string(&bundle).unwrap());
    /// ```
    pub fn to_json(&self) -> String {
        // Relationships, of which bundles mostly consist, have about this length.
        let mut out = Vec::with_capacity(256 + self.objects.len() * 768);
        out.extend_from_slice(b"{\"type\":\"bundle\"");
        write_member(&mut out, "id", &self.id);
        for (place, object) in self.objects.iter().enumerate() {
            out.extend_from_slice(if place > 0 { b"," } else { b",\"objects\":[" });
            object.write_json(&mut out);
        }
        if !self.objects.is_empty() {
            out.push(b']');
        }
        write_extra(&mut out, &self.extra, |name| matches!(name, "type" | "id" | "objects" | "spec_version"));
        out.push(b'}');
        // Only texts were written.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The object of this identifier, by linear search.
    pub fn get(&self, id: &Identifier) -> Option<&Object> {
        self.objects.iter().find(|object| object.id() == id)
    }
}

/// No objects and a nil identifier.
impl Default for Bundle {
    fn default() -> Self {
        Self { id: Identifier::from_static("bundle", Uuid::nil()), objects: Vec::new(), extra: Extra::new() }
    }
}

impl Serialize for Bundle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "bundle")?;
        map.serialize_entry("id", &self.id)?;
        if !self.objects.is_empty() {
            map.serialize_entry("objects", &self.objects)?;
        }
        for (name, raw) in &self.extra {
            if !matches!(name, "type" | "id" | "objects" | "spec_version") {
                map.serialize_entry(name, raw)?;
            }
        }
        map.end()
    }
}

/// Strict: one object that cannot be read is an error. [`Bundle::read`] is lenient.
impl<'de> Deserialize<'de> for Bundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let props = Props::parse(raw.get()).map_err(crate::object::custom_error)?;
        if props.get_str("type").as_deref() != Some("bundle") {
            return Err(de::Error::custom("expected an object of type `bundle`"));
        }
        let (bundle, errors) = Self::read(raw.get().as_bytes()).map_err(de::Error::custom)?;
        errors.into_iter().next().map_or(Ok(bundle), |error| Err(de::Error::custom(error)))
    }
}
