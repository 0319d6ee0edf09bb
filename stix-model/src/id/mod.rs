//! Deterministic identifiers: `type--UUIDv5(namespace, canonical JSON of the contributing properties)`.
//!
//! Observables follow STIX 2.1 (section 2.9); other types follow OpenCTI, so that what is sent twice is one object there.
//! The type is not part of what is hashed: an incident and a case of the same name and time share their UUID.
//!
//! ```
//! use serde_json::json;
//! use stix_model::id;
//!
//! let identity = json!({"name": "Example Corp", "identity_class": "organization"});
//! let id = id::deterministic("identity", &identity).map(|id| id.to_string());
//! assert_eq!(id.as_deref(), Some("identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e"));
//! ```

pub(crate) mod canonical;
mod rules;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use uuid::Uuid;

pub use canonical::write as write_canonical;
pub use rules::{deterministic, deterministic_with};

use crate::{Hashes, Identifier, identifier::type_name};

/// The namespace of all identifiers here (STIX 2.1, section 2.9).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// Whose rules identifiers follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdRules {
    /// The newest rules: those of OpenCTI 7.x clients, and of STIX for observables.
    #[default]
    Current,
    /// OpenCTI 6.8 clients: `x_mitre_id` keeps its case and counts even when blank, the abstract of a note does not count.
    OpenCti6_8,
    /// What the OpenCTI platform (7.x) computes itself where it differs from what its clients send: the identifier under
    /// which it stores an object whatever the sender chose.
    Platform,
}

/// Anything that properties can be looked up in.
pub trait Properties {
    /// The value of a property; `None` if it is absent.
    fn property(&self, name: &str) -> Option<Value>;

    /// Appends the value of a property in canonical form; false if it is absent or null.
    fn write_property(&self, name: &str, out: &mut Vec<u8>) -> bool {
        let value = self.property(name).filter(|value| !value.is_null());
        value.is_some_and(|value| {
            canonical::write(&value, out);
            true
        })
    }

    /// The property `hashes`.
    fn hashes(&self) -> Option<Cow<'_, Hashes>> {
        serde_json::from_value(self.property("hashes")?).ok().map(Cow::Owned)
    }
}

impl Properties for Map<String, Value> {
    fn property(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

impl Properties for Value {
    fn property(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

/// The identifier of an object that one string property identifies, such as `value` of most observables.
///
/// This is the fast path: the canonical form is written straight into a small buffer.
pub fn of_string(object_type: &'static str, property: &str, value: &str) -> Identifier {
    of_strings(object_type, &[(property, value)])
}

/// The same for several string properties, which must be sorted by name.
pub(crate) fn of_strings(object_type: &'static str, members: &[(&str, &str)]) -> Identifier {
    let length: usize = members.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    let mut out = Vec::with_capacity(length + 16);
    out.push(b'{');
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        canonical::write_string(name, &mut out);
        out.push(b':');
        canonical::write_string(value, &mut out);
    }
    out.push(b'}');
    Identifier::from_static(object_type, hash(&out))
}

/// An identifier over every property but `id`, for objects that no rule covers: the same object, the same identifier.
pub(crate) fn of_all_properties(object_type: &'static str, object: &impl Serialize) -> Identifier {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.remove("id");
    }
    let uuid = of_value(&value);
    Identifier::from_static(object_type, if object_type == "process" { as_random(uuid) } else { uuid })
}

/// The UUID over any JSON value.
pub(crate) fn of_value(value: &Value) -> Uuid {
    let mut out = Vec::new();
    canonical::write(value, &mut out);
    hash(&out)
}

/// The UUID over JSON that is canonical already.
pub(crate) fn of_canonical(json: &[u8]) -> Uuid {
    hash(json)
}

/// Marks a computed UUID as a random one.
///
/// Processes have no contributing properties in STIX (section 6.13), so their identifiers must be of version 4; all
/// validators refuse others. Only the version differs from what the platform computes.
fn as_random(uuid: Uuid) -> Uuid {
    uuid::Builder::from_bytes(uuid.into_bytes()).with_version(uuid::Version::Random).into_uuid()
}

/// The identifier over the properties that contribute to it, which are in canonical form.
fn of_members(object_type: &str, canonical: &[u8]) -> Option<Identifier> {
    let uuid = hash(canonical);
    match type_name(object_type)? {
        Cow::Borrowed(object_type) => Some(Identifier::from_static(object_type, uuid)),
        Cow::Owned(object_type) => Identifier::new(&object_type, uuid).ok(),
    }
}

fn hash(canonical: &[u8]) -> Uuid {
    named(&NAMESPACE, canonical)
}

/// The UUID of a name in a namespace: version 5 (RFC 9562, section 5.5), with the processor's own SHA-1 where it has one.
pub fn named(namespace: &Uuid, name: &[u8]) -> Uuid {
    let digest: [u8; 20] = Sha1::new().chain_update(namespace.as_bytes()).chain_update(name).finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}
