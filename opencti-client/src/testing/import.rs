//! The part of the platform's workers: importing what arrives, strictly.

use serde_json::Value;
use stix_model::Object;

use super::state::State;
use crate::bundle::{QueueMessage, SplitOptions, is_accepted_type, split};

impl State {
    /// Imports a message of the push queue.
    pub(super) fn import_message(&mut self, body: &[u8]) -> Result<(), String> {
        let result = self.import_checked(body);
        if let Err(why) = &result {
            self.refuse(format!("import: {why}"));
        }
        result
    }

    fn import_checked(&mut self, body: &[u8]) -> Result<(), String> {
        let message = QueueMessage::parse(body).map_err(|error| error.to_string())?;
        if message.applicant_id.is_empty() {
            return Err("the message names nobody in whose name it is imported".to_owned());
        }
        if let Some(draft) = &message.draft_id
            && !self.drafts.contains(draft)
        {
            return Err(format!("there is no draft {draft}"));
        }
        let json = message.bundle().map_err(|error| error.to_string())?;
        let bundle: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        if let Some(work) = &message.work_id {
            // A work that was cancelled takes nothing more, which is no mistake of the sender.
            let Some(work) = self.works.get(work) else { return Ok(()) };
            if work.expected == 0 {
                return Err("a part arrived that was not announced".to_owned());
            }
        }
        let result = part(&bundle).and_then(|object| self.import_object(object, message.draft_id.as_deref()));
        if let Some(work) = message.work_id.as_ref().and_then(|work| self.works.get_mut(work)) {
            work.part(result.as_ref().err().cloned());
        }
        result
    }

    /// Imports a bundle that was pushed: the platform splits and counts.
    pub(super) fn import_whole(&mut self, bundle: &str, work: Option<&str>) -> Result<(), String> {
        let options = SplitOptions { cleanup: false, ..SplitOptions::default() };
        let split = split(bundle, "bundle--0", &options).map_err(|error| error.to_string())?;
        if let Some(refused) = split.refused.first() {
            return Err(format!("{}: {}", refused.id, refused.why));
        }
        if let Some(work) = work.and_then(|work| self.works.get_mut(work)) {
            work.expected += split.parts.len() as u64;
        }
        for part in &split.parts {
            let part: Value = serde_json::from_str(&part.json).map_err(|error| error.to_string())?;
            let result = self.import_object(&part["objects"][0], None);
            if let Some(work) = work.and_then(|work| self.works.get_mut(work)) {
                work.part(result.as_ref().err().cloned());
            }
            result?;
        }
        Ok(())
    }

    fn import_object(&mut self, object: &Value, draft: Option<&str>) -> Result<(), String> {
        let id = object["id"].as_str().ok_or("an object has no identifier")?.to_owned();
        let object_type = object["type"].as_str().unwrap_or_default();
        if !is_accepted_type(object_type) {
            return Err(format!("{id}: objects of the type `{object_type}` are not imported"));
        }
        if !id.starts_with(&format!("{object_type}--")) {
            return Err(format!("{id}: the identifier does not belong to the type `{object_type}`"));
        }
        Object::from_json(&object.to_string()).map_err(|error| format!("{id}: {error}"))?;
        for operation in ["opencti_operation", "opencti_upsert_operations"] {
            if object.get(operation).is_some() {
                return Err(format!("{id}: it holds a command for the platform"));
            }
        }
        for (name, value) in object.as_object().into_iter().flatten() {
            let references: Vec<&Value> = match value {
                Value::Array(list) if name.ends_with("_refs") => list.iter().collect(),
                Value::String(_) if name.ends_with("_ref") => vec![value],
                _ => continue,
            };
            for reference in references.into_iter().filter_map(Value::as_str) {
                if self.store.get(reference).is_none() {
                    return Err(format!("{id}: `{name}` refers to {reference}, which does not exist"));
                }
            }
        }
        if object_type == "relationship" && (object["source_ref"].is_null() || object["target_ref"].is_null()) {
            return Err(format!("{id}: an end is missing"));
        }
        let mut object = object.clone();
        if let Value::Object(members) = &mut object {
            members.remove("nb_deps");
        }
        if let Some(known) = self.store.get(&id).filter(|_| object_type == "sighting") {
            merge_sighting(&known.stix, &mut object);
        }
        self.store.insert(object, draft.map(str::to_owned));
        self.imported += 1;
        Ok(())
    }
}

/// A sighting that is known: the earlier first and the later last time count. If one of them changes, the platform adds
/// the counts, else the newer one stays.
fn merge_sighting(known: &Value, object: &mut Value) {
    let text = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let times = [("first_seen", false), ("last_seen", true)].map(|(name, is_later)| {
        let (old, new) = (text(known, name), text(object, name));
        // Times of one form are in order as texts.
        let counts = if is_later { old.clone().max(new) } else { old.clone().min(new) };
        (name, counts != old, counts)
    });
    if times.iter().any(|(_, changed, _)| *changed) {
        let count = |object: &Value| object["count"].as_u64().unwrap_or(1);
        object["count"] = (count(known) + count(object)).into();
    }
    for (name, _, time) in times {
        object[name] = time.into();
    }
}

/// The one object of a part.
fn part(bundle: &Value) -> Result<&Value, String> {
    if bundle["type"] != "bundle" || bundle["spec_version"] != "2.1" {
        return Err("the part is no bundle of STIX 2.1".to_owned());
    }
    if !bundle["id"].as_str().is_some_and(|id| id.starts_with("bundle--")) {
        return Err("the part has no identifier".to_owned());
    }
    let objects = bundle["objects"].as_array().ok_or("the part has no objects")?;
    let [object] = objects.as_slice() else {
        return Err(format!("the bundle was not split: a part has {} objects", objects.len()));
    };
    if bundle["x_opencti_seq"].as_u64().is_none() || bundle["x_opencti_seq"] != object["nb_deps"] {
        return Err("the part's place in the order is missing".to_owned());
    }
    Ok(object)
}
