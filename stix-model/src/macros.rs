//! One declaration per object: the struct, how it is read and written, what it refers to.

/// A group of properties that stand in the object itself: those before the object's own, and those after.
macro_rules! stix_common {
    (
        $(#[$meta:meta])*
        $name:ident {
            head { $( $(#[$hmeta:meta])* $head:ident: $hty:ty, )* }
            tail { $( $(#[$tmeta:meta])* $tail:ident: $tty:ty, )* }
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// The identifier (nil until the object is identified).
            pub id: crate::Identifier,
            $( $(#[$hmeta])* pub $head: $hty, )*
            $( $(#[$tmeta])* pub $tail: $tty, )*
        }

        impl $name {
            pub(crate) const NAMES: &[&str] = &["id", $(stringify!($head),)* $(stringify!($tail),)*];

            pub(crate) fn blank(object_type: &'static str, now: crate::Timestamp) -> Self {
                let _ = now;
                Self {
                    id: crate::Identifier::from_static(object_type, uuid::Uuid::nil()),
                    $( $head: crate::wire::Wire::blank(now), )*
                    $( $tail: crate::wire::Wire::blank(now), )*
                }
            }

            pub(crate) fn take(
                id: crate::Identifier,
                props: &mut crate::wire::Props<'_>,
            ) -> Result<Self, crate::error::Problem> {
                Ok(Self {
                    id,
                    $( $head: props.take(stringify!($head))?, )*
                    $( $tail: props.take(stringify!($tail))?, )*
                })
            }

            pub(crate) fn write_head<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                map.serialize_entry("id", &self.id)?;
                $( crate::wire::put(map, stringify!($head), &self.$head)?; )*
                Ok(())
            }

            pub(crate) fn write_tail<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $( crate::wire::put(map, stringify!($tail), &self.$tail)?; )*
                Ok(())
            }

            pub(crate) fn write_json_head(&self, out: &mut Vec<u8>) {
                crate::wire::write_member(out, "id", &self.id);
                $( crate::wire::write_member(out, stringify!($head), &self.$head); )*
            }

            pub(crate) fn write_json_tail(&self, out: &mut Vec<u8>) {
                $( crate::wire::write_member(out, stringify!($tail), &self.$tail); )*
            }

            pub(crate) fn refs(&self, found: &mut dyn FnMut(&crate::Identifier)) {
                $( crate::wire::Wire::refs(&self.$head, found); )*
                $( crate::wire::Wire::refs(&self.$tail, found); )*
            }

            pub(crate) fn write_property(&self, name: &str, out: &mut Vec<u8>) -> Option<bool> {
                match name {
                    "id" => Some(crate::wire::put_canonical(&self.id, out)),
                    $( stringify!($head) => Some(crate::wire::put_canonical(&self.$head, out)), )*
                    $( stringify!($tail) => Some(crate::wire::put_canonical(&self.$tail, out)), )*
                    _ => None,
                }
            }

            pub(crate) fn property(&self, name: &str) -> Option<serde_json::Value> {
                match name {
                    "id" => serde_json::to_value(&self.id).ok(),
                    $( stringify!($head) => crate::wire::to_value(&self.$head), )*
                    $( stringify!($tail) => crate::wire::to_value(&self.$tail), )*
                    _ => None,
                }
            }
        }
    };
}

/// A STIX object.
macro_rules! stix_object {
    (
        $(#[$meta:meta])*
        $common:ident $name:ident = $type:literal {
            $( $(#[$fmeta:meta])* $field:ident: $ty:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// The common properties; on the wire they stand beside the others.
            pub common: crate::common::$common,
            $( $(#[$fmeta])* pub $field: $ty, )*
            /// Properties this model does not declare, kept byte for byte.
            pub extra: crate::Extra,
        }

        impl $name {
            /// The value of `type`.
            pub const TYPE: &'static str = $type;

            const NAMES: &[&str] = &["type", "spec_version", $(crate::wire::wire_name(stringify!($field)),)*];

            /// All properties unset; required ones empty, required times `now`.
            pub(crate) fn blank(now: crate::Timestamp) -> Self {
                let mut object = Self {
                    common: crate::common::$common::blank($type, now),
                    $( $field: crate::wire::Wire::blank(now), )*
                    extra: crate::Extra::new(),
                };
                crate::opencti::declare_type($type, &mut object.common.extensions);
                object
            }

            /// Takes the declared properties out of `props` and keeps the rest.
            pub(crate) fn take(mut props: crate::wire::Props<'_>) -> Result<Self, crate::error::Problem> {
                let id = crate::object::take_id(&mut props)?;
                let missing_id = id.is_none();
                let id = id.unwrap_or_else(|| crate::Identifier::from_static($type, uuid::Uuid::nil()));
                let object = Self {
                    common: crate::common::$common::take(id, &mut props)?,
                    $( $field: props.take(crate::wire::wire_name(stringify!($field)))?, )*
                    extra: crate::Extra::new(),
                };
                let object = Self { extra: props.into_extra(), ..object };
                Ok(if missing_id { object.identified() } else { object })
            }

            /// The identifier.
            pub fn id(&self) -> &crate::Identifier {
                &self.common.id
            }

            /// Every identifier this object refers to, in the order of the properties, repetitions included.
            pub fn refs(&self) -> Vec<crate::Identifier> {
                let mut refs = Vec::new();
                self.each_ref(&mut |id| refs.push(id.clone()));
                refs
            }

            /// Calls `found` with every identifier this object refers to, as [`refs`](Self::refs) lists them.
            pub(crate) fn each_ref(&self, found: &mut dyn FnMut(&crate::Identifier)) {
                self.common.refs(found);
                $( crate::wire::Wire::refs(&self.$field, found); )*
                crate::wire::Wire::refs(&self.extra, found);
            }

            /// Appends the object as JSON: the bytes that `serde_json` writes, without its generality.
            pub fn write_json(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(b"{\"type\":\"");
                out.extend_from_slice(self.common.id.object_type().as_bytes());
                out.extend_from_slice(b"\",\"spec_version\":\"2.1\"");
                self.common.write_json_head(out);
                $( crate::wire::write_member(out, crate::wire::wire_name(stringify!($field)), &self.$field); )*
                self.common.write_json_tail(out);
                crate::wire::write_extra(out, &self.extra, |name| {
                    Self::NAMES.contains(&name) || crate::common::$common::NAMES.contains(&name)
                });
                out.push(b'}');
            }

            /// Sets the deterministic identifier, after all properties have been set.
            ///
            /// Where the rules give none (see [`crate::id`]), it is computed over all properties but the identifier:
            /// the same object still has the same identifier twice.
            #[must_use]
            pub fn identified(mut self) -> Self {
                self.common.id = crate::id::deterministic($type, &self)
                    .unwrap_or_else(|| crate::id::of_all_properties($type, &self));
                self
            }

            /// Sets an undeclared property, such as `x_opencti_score`.
            #[must_use]
            pub fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
                self.extra.set(name.to_owned(), value);
                self
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("type", self.common.id.object_type())?;
                map.serialize_entry("spec_version", "2.1")?;
                self.common.write_head(&mut map)?;
                $( crate::wire::put(&mut map, crate::wire::wire_name(stringify!($field)), &self.$field)?; )*
                self.common.write_tail(&mut map)?;
                for (name, raw) in &self.extra {
                    if !Self::NAMES.contains(&name) && !crate::common::$common::NAMES.contains(&name) {
                        map.serialize_entry(name, raw)?;
                    }
                }
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match crate::Object::deserialize(deserializer)? {
                    crate::Object::$name(object) => Ok(*object),
                    other => Err(crate::object::wrong_type($type, &other)),
                }
            }
        }

        impl crate::id::Properties for $name {
            fn property(&self, name: &str) -> Option<serde_json::Value> {
                match name {
                    "type" => Some(self.common.id.object_type().into()),
                    $( _ if name == crate::wire::wire_name(stringify!($field)) => {
                        crate::wire::to_value(&self.$field)
                    } )*
                    _ => self.common.property(name).or_else(|| self.extra.get_as(name)),
                }
            }

            fn write_property(&self, name: &str, out: &mut Vec<u8>) -> bool {
                match name {
                    "type" => {
                        crate::id::canonical::write_string(self.common.id.object_type(), out);
                        true
                    }
                    $( _ if name == crate::wire::wire_name(stringify!($field)) => {
                        crate::wire::put_canonical(&self.$field, out)
                    } )*
                    _ => self.common.write_property(name, out).unwrap_or_else(|| {
                        let value = self.extra.get_as::<serde_json::Value>(name).filter(|value| !value.is_null());
                        value.is_some_and(|value| {
                            crate::id::canonical::write(&value, out);
                            true
                        })
                    }),
                }
            }

            fn hashes(&self) -> Option<std::borrow::Cow<'_, crate::Hashes>> {
                $( if crate::wire::wire_name(stringify!($field)) == "hashes" {
                    return crate::wire::Wire::as_hashes(&self.$field).map(std::borrow::Cow::Borrowed);
                } )*
                self.extra.get_as("hashes").map(std::borrow::Cow::Owned)
            }
        }
    };
}

/// A structure inside an object, such as an external reference.
macro_rules! stix_part {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$fmeta:meta])* $field:ident: $ty:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $( $(#[$fmeta])* pub $field: $ty, )*
            /// Members this model does not declare, kept byte for byte.
            pub extra: crate::Extra,
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                const NAMES: &[&str] = &[$(crate::wire::wire_name(stringify!($field)),)*];
                let mut map = serializer.serialize_map(None)?;
                $( crate::wire::put(&mut map, crate::wire::wire_name(stringify!($field)), &self.$field)?; )*
                for (name, raw) in &self.extra {
                    if !NAMES.contains(&name) {
                        map.serialize_entry(name, raw)?;
                    }
                }
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                crate::wire::Scalar::parse(&raw).map_err(crate::object::custom_error)
            }
        }

        impl crate::wire::Scalar for $name {
            fn parse(raw: &serde_json::value::RawValue) -> Result<Self, crate::error::Problem> {
                let mut props: crate::wire::Props<'_> = crate::wire::parse_json(raw)?;
                let part = Self {
                    $( $field: props.take(crate::wire::wire_name(stringify!($field)))?, )*
                    extra: crate::Extra::new(),
                };
                Ok(Self { extra: props.into_extra(), ..part })
            }

            fn blank(_: crate::Timestamp) -> Self {
                Self::default()
            }

            fn refs(&self, found: &mut dyn FnMut(&crate::Identifier)) {
                $( crate::wire::Wire::refs(&self.$field, found); )*
                crate::wire::Wire::refs(&self.extra, found);
            }

            fn write_json(&self, out: &mut Vec<u8>) {
                const NAMES: &[&str] = &[$(crate::wire::wire_name(stringify!($field)),)*];
                let start = out.len();
                $( crate::wire::write_member(out, crate::wire::wire_name(stringify!($field)), &self.$field); )*
                crate::wire::write_extra(out, &self.extra, |name| NAMES.contains(&name));
                // The first member has no comma before it.
                match out.get_mut(start) {
                    Some(comma) => *comma = b'{',
                    None => out.push(b'{'),
                }
                out.push(b'}');
            }
        }
    };
}
