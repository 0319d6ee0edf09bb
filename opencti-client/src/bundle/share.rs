//! Passing on with whom an entity is shared.

use std::collections::HashSet;

use serde_json::value::RawValue;
use stix_model::opencti;

use super::{RawBundle, RawObject};

/// Adds organizations to every object of a bundle: what is derived from a shared entity is shared with the same ones.
///
/// They go into OpenCTI's extension where an object has it, else into `x_opencti_granted_refs`, in addition to those
/// that are there.
pub fn share(bundle: &mut RawBundle, organizations: &[String]) {
    if organizations.is_empty() {
        return;
    }
    for raw in &mut bundle.objects {
        let Ok(mut object) = serde_json::from_str::<RawObject>(raw.get()) else { continue };
        let mut extensions: RawObject = object.get_as("extensions").unwrap_or_default();
        match extensions.get_as::<RawObject>(opencti::EXTENSION) {
            Some(mut extension) => {
                grant(&mut extension, "granted_refs", organizations);
                extensions.set(opencti::EXTENSION, &extension);
                object.set("extensions", &extensions);
            }
            None => grant(&mut object, "x_opencti_granted_refs", organizations),
        }
        if let Ok(shared) = RawValue::from_string(object.to_json()) {
            *raw = shared;
        }
    }
}

fn grant(object: &mut RawObject, name: &str, organizations: &[String]) {
    let mut granted: Vec<String> = object.get_as(name).unwrap_or_default();
    let mut known: HashSet<String> = granted.iter().cloned().collect();
    for organization in organizations {
        if known.insert(organization.clone()) {
            granted.push(organization.clone());
        }
    }
    object.set(name, &granted);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 14.
    #[test]
    fn organizations_are_added_to_every_object() {
        let mut bundle = RawBundle::parse(
            r#"{"objects":[{"id":"tool--1","n":1.10},{"id":"tool--2","x_opencti_granted_refs":["b"]},
            {"id":"tool--3","extensions":{"extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba":{"granted_refs":["c"],"x":1.0}}},
            7]}"#,
        )
        .unwrap();
        share(&mut bundle, &["a".to_owned(), "b".to_owned()]);
        let objects: Vec<&str> = bundle.objects.iter().map(|object| object.get()).collect();
        assert_eq!(objects[0], r#"{"id":"tool--1","n":1.10,"x_opencti_granted_refs":["a","b"]}"#);
        assert_eq!(objects[1], r#"{"id":"tool--2","x_opencti_granted_refs":["b","a"]}"#);
        assert!(objects[2].contains(r#"{"granted_refs":["c","a","b"],"x":1.0}"#));
        assert!(!objects[2].contains("x_opencti"));
    }
}
