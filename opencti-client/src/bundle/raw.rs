//! Bundles and objects whose parts are not interpreted.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::{RawValue, to_raw_value};

/// A bundle whose objects are not interpreted.
#[derive(Clone, Debug)]
pub struct RawBundle {
    /// The identifier, where there is one.
    pub id: Option<String>,
    /// The objects.
    pub objects: Vec<Box<RawValue>>,
    rest: RawObject,
}

impl RawBundle {
    /// Reads a bundle: an object with a list of objects in it.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Objects {
            #[serde(default)]
            objects: Option<Vec<Box<RawValue>>>,
        }
        let mut rest: RawObject = serde_json::from_str(json)?;
        let Objects { objects } = serde_json::from_str(json)?;
        rest.remove("objects");
        let id = rest.text("id");
        Ok(Self { id, objects: objects.unwrap_or_default(), rest })
    }

    /// Writes the bundle: its own properties as they were, then the objects.
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (name, value) in &self.rest.0 {
            push_property(&mut json, name, value.get());
        }
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str("\"objects\":[");
        for (place, object) in self.objects.iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            json.push_str(object.get());
        }
        json.push_str("]}");
        json
    }
}

fn push_property(json: &mut String, name: &str, value: &str) {
    if json.len() > 1 {
        json.push(',');
    }
    // A JSON string of a Rust string cannot fail.
    json.push_str(&serde_json::Value::from(name).to_string());
    json.push(':');
    json.push_str(value);
}

/// An object's properties in their own order. Of repeated names the last one counts, in the place of the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawObject(pub(crate) Vec<(String, Box<RawValue>)>);

impl RawObject {
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn get_as<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get_as(name)
    }

    /// Sets a property. What cannot be written as JSON is left out.
    pub(crate) fn set(&mut self, name: &str, value: &impl serde::Serialize) {
        let Ok(value) = to_raw_value(value) else { return };
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub(crate) fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (name, value) in &self.0 {
            push_property(&mut json, name, value.get());
        }
        json.push('}');
        json
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;
        impl<'de> Visitor<'de> for Properties {
            type Value = RawObject;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut properties: Vec<(String, Box<RawValue>)> = Vec::new();
                let mut places = std::collections::HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if let Some(place) = places.get(&name) {
                        let property: &mut (String, Box<RawValue>) = &mut properties[*place];
                        property.1 = value;
                    } else {
                        places.insert(name.clone(), properties.len());
                        properties.push((name, value));
                    }
                }
                Ok(RawObject(properties))
            }
        }
        deserializer.deserialize_map(Properties)
    }
}

impl serde::Serialize for RawObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untouched_parts_stay_as_they_were() {
        let json = r#"{"z":1.10,"a":[1, 2],"\u0041":12345678901234567890123}"#;
        let mut object: RawObject = serde_json::from_str(json).unwrap();
        object.set("z", &2);
        object.set("new", &"\"");
        assert_eq!(object.to_json(), r#"{"z":2,"a":[1, 2],"A":12345678901234567890123,"new":"\""}"#);
        assert_eq!(object.get("A").unwrap().get(), "12345678901234567890123");
        let repeated: RawObject = serde_json::from_str(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(repeated.to_json(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn bundles() {
        let bundle = RawBundle::parse(r#"{"objects":[{"a":1.0}],"id":"bundle--1","x":null}"#).unwrap();
        assert_eq!(bundle.to_json(), r#"{"id":"bundle--1","x":null,"objects":[{"a":1.0}]}"#);
        assert_eq!(RawBundle::parse("{}").unwrap().to_json(), r#"{"objects":[]}"#);
        assert!(RawBundle::parse("[]").is_err());
        assert!(RawBundle::parse(r#"{"objects":7}"#).is_err());
    }
}
