//! Observed data of STIX 2.0, which holds its observables in place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, value::RawValue};

use super::ObservedData;
use crate::{Extra, Identifier, Object, wire::Props};

/// Longer chains of references are cut; real ones have a handful of links.
const MAX_DEPTH: usize = 64;

impl ObservedData {
    /// Replaces the observables in `objects` by `object_refs`, and returns them as objects of their own.
    ///
    /// Local names in references become identifiers. Properties that STIX 2.1 renamed (`created` of files to `ctime`,
    /// `binary_ref` of processes to `image_ref`, and so on) get their new names. If one of the observables cannot be
    /// read, or if there are `object_refs` already, nothing is changed.
    pub fn expand(self) -> (Self, Vec<Object>) {
        if !self.object_refs.is_empty() || self.objects.is_empty() {
            return (self, Vec::new());
        }
        let Some(objects) = Local::of(&self.objects).and_then(Local::into_objects) else { return (self, Vec::new()) };
        let object_refs = objects.iter().map(|object| object.id().clone()).collect();
        (Self { object_refs, objects: Extra::new(), ..self }, objects)
    }
}

/// Observables by their local names.
struct Local<'a> {
    objects: BTreeMap<&'a str, BTreeMap<String, Value>>,
    ids: BTreeMap<&'a str, Identifier>,
}

impl<'a> Local<'a> {
    fn of(objects: &'a Extra) -> Option<Self> {
        let objects = objects.iter().map(|(name, raw)| Some((name, members(raw)?))).collect::<Option<_>>()?;
        let mut local = Self { objects, ids: BTreeMap::new() };
        let names: Vec<&'a str> = local.objects.keys().copied().collect();
        for name in names {
            local.identify(name, &mut BTreeSet::new())?;
        }
        Some(local)
    }

    /// Computes the identifier of an observable after those of the observables it refers to. In a circle, the reference
    /// that would close it does not contribute.
    fn identify(&mut self, name: &'a str, open: &mut BTreeSet<&'a str>) -> Option<()> {
        if self.ids.contains_key(name) || open.len() >= MAX_DEPTH || !open.insert(name) {
            return Some(());
        }
        let mut targets = Vec::new();
        for (property, value) in self.objects.get(name)? {
            local_names(property, value, &mut targets);
        }
        for target in targets {
            if let Some((known, _)) = self.objects.get_key_value(&*target) {
                self.identify(known, open)?;
            }
        }
        open.remove(name);
        let object = self.object(name, true)?;
        self.ids.insert(name, object.id().clone());
        Some(())
    }

    /// The observable with identifiers in place of local names; names without one are left out on demand.
    fn object(&self, name: &str, drop_unknown: bool) -> Option<Object> {
        let mut members = self.objects.get(name)?.clone();
        members.retain(|property, value| self.resolve(property, value, drop_unknown));
        if let Some(id) = self.ids.get(name) {
            members.insert("id".to_owned(), id.to_string().into());
        }
        let object = Object::from_json(&serde_json::to_string(&members).ok()?).ok()?;
        object.is_observable().then_some(object)
    }

    fn into_objects(self) -> Option<Vec<Object>> {
        self.objects.keys().map(|name| self.object(name, false)).collect()
    }

    /// Replaces local names below `property`; false if a reference led nowhere.
    fn resolve(&self, property: &str, value: &mut Value, drop_unknown: bool) -> bool {
        match value {
            Value::String(text) if is_reference(property) => match self.ids.get(text.as_str()) {
                Some(id) => *text = id.to_string(),
                None => return !(drop_unknown && self.objects.contains_key(text.as_str())),
            },
            Value::Array(items) => items.retain_mut(|item| self.resolve(property, item, drop_unknown)),
            Value::Object(members) => members.retain(|property, value| self.resolve(property, value, drop_unknown)),
            _ => {}
        }
        true
    }
}

/// The properties of an observable under their names in STIX 2.1.
fn members(raw: &RawValue) -> Option<BTreeMap<String, Value>> {
    let mut props = Props::parse(raw.get()).ok()?;
    let object_type = props.get_str("type")?.into_owned();
    let renamed: &[(&str, &str)] = match &*object_type {
        "file" | "directory" => &[("created", "ctime"), ("modified", "mtime"), ("accessed", "atime")],
        "process" => &[("created", "created_time"), ("binary_ref", "image_ref")],
        "user-account" => &[("password_last_changed", "credential_last_changed")],
        "windows-registry-key" => &[("modified", "modified_time")],
        _ => &[],
    };
    for (old, new) in renamed {
        props.rename(old, new);
    }
    props.iter().map(|(name, raw)| Some((name.to_owned(), serde_json::from_str(raw.get()).ok()?))).collect()
}

fn is_reference(property: &str) -> bool {
    property.ends_with("_ref") || property.ends_with("_refs")
}

fn local_names(property: &str, value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) if is_reference(property) => names.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| local_names(property, item, names)),
        Value::Object(members) => members.iter().for_each(|(name, value)| local_names(name, value, names)),
        _ => {}
    }
}
