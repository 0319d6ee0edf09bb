//! What is sent in the end: to the platform's queue, or back to a playbook.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use stix_model::{Bundle, Object};

use super::Enrichment;
use super::inspect::Reason;

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is something to send.
    Found(Box<Enrichment>),
    /// There is nothing to do, and that is fine.
    Done(Reason),
    /// The entity must not or cannot be enriched.
    Refused(Reason),
    /// Something did not work.
    Failed(String),
}

impl Outcome {
    /// The outcome of [`Enricher::enrich`](super::Enricher::enrich): too much is refused, nothing is fine.
    pub fn of(result: Result<Enrichment, Reason>) -> Self {
        match result {
            Ok(enrichment) => Self::Found(Box::new(enrichment)),
            Err(reason @ (Reason::TooManyHits { .. } | Reason::BundleTooLarge { .. })) => Self::Refused(reason),
            Err(reason) => Self::Done(reason),
        }
    }
}

/// What to send, and what to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The bundle as JSON; `None` if there is nothing to send. A playbook run always has one.
    pub bundle: Option<String>,
    /// The text for the work.
    pub message: String,
    /// Whether the work failed.
    pub failed: bool,
}

/// What to send at the end of a run, `incoming` being the bundle that came with a playbook run, as text.
///
/// A playbook is answered in every case: whatever happened, the objects that came in are in the answer, byte for byte and
/// in their order. Ours follow. Of an object that is in both, ours counts if it is one of our own making (a sighting, an
/// incident, a case, a note, a relationship), since it is newer; else the one that came in.
pub fn answer(outcome: &Outcome, incoming: Option<&str>) -> Answer {
    let (bundle, message, failed) = match outcome {
        Outcome::Found(enrichment) => (Some(&enrichment.bundle), enrichment.message.clone(), false),
        Outcome::Done(reason) => (None, reason.to_string(), false),
        Outcome::Refused(reason) => (None, reason.to_string(), true),
        Outcome::Failed(error) => (None, error.clone(), true),
    };
    let bundle = match (incoming, bundle) {
        (Some(incoming), Some(bundle)) => Some(merge(incoming, bundle)),
        (Some(incoming), None) => Some(incoming.to_owned()),
        (None, Some(bundle)) => Some(bundle.to_json()),
        (None, None) => None,
    };
    Answer { bundle, message, failed }
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<std::borrow::Cow<'a, str>>,
}

fn merge(incoming: &str, bundle: &Bundle) -> String {
    // The members are not read further than needed: what came in must go out, whether we understand it or not.
    let Ok(mut members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(incoming) else {
        return incoming.to_owned();
    };
    let objects = members.remove("objects").map_or("[]", RawValue::get);
    let Ok(objects) = serde_json::from_str::<Vec<&RawValue>>(objects) else { return incoming.to_owned() };
    let ours: Vec<(String, &Object)> = bundle.objects.iter().map(|object| (object.id().to_string(), object)).collect();
    let mut place_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, (id, _)) in ours.iter().enumerate() {
        place_of.insert(id, place);
    }
    let mut written: Vec<bool> = vec![false; ours.len()];
    let mut parts: Vec<String> = Vec::with_capacity(objects.len() + ours.len());
    for object in objects {
        let named = serde_json::from_str::<Named<'_>>(object.get()).ok();
        let place = named.and_then(|named| place_of.get(&*named.id?).copied());
        let mut text = object.get().to_owned();
        if let Some(place) = place
            && let (Some(done), Some((_, object))) = (written.get_mut(place), ours.get(place))
        {
            *done = true;
            if is_own_making(object) {
                text = to_json(object);
            }
        }
        parts.push(text);
    }
    for ((_, object), done) in ours.iter().zip(written) {
        if !done {
            parts.push(to_json(object));
        }
    }
    let mut out = String::from("{");
    for (name, value) in &members {
        let name = serde_json::to_string(name).unwrap_or_default();
        out.push_str(&format!("{name}:{},", value.get()));
    }
    out.push_str(&format!("\"objects\":[{}]}}", parts.join(",")));
    out
}

fn to_json(object: &Object) -> String {
    let mut out = Vec::with_capacity(1_024);
    object.write_json(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn is_own_making(object: &Object) -> bool {
    matches!(
        object,
        Object::Sighting(_) | Object::Incident(_) | Object::CaseIncident(_) | Object::Note(_) | Object::Relationship(_)
    )
}
