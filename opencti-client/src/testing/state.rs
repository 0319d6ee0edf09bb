//! What a stand-in knows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};
use stix_model::{Tlp, Uuid, opencti};

use crate::scope::{Nature, entity_type_of_json, is_of_type};

const RELATIONSHIP: &str = "relationship";
const SIGHTING: &str = "sighting";
/// The STIX types of relations.
const RELATIONS: [&str; 2] = [RELATIONSHIP, SIGHTING];

/// A work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredWork {
    /// `wait`, `progress` or `complete`.
    pub status: String,
    /// How many parts were announced.
    pub expected: u64,
    /// How many parts were dealt with.
    pub processed: u64,
    /// The texts of receipt and end.
    pub messages: Vec<String>,
    /// Errors.
    pub errors: Vec<String>,
    /// Whether the end was reported.
    pub ended: bool,
    /// How often it was kept alive.
    pub pings: usize,
    /// What was reported, in order: `received`, `expect 5`, `part`, `failed part`, `processed`, `processed in error`.
    pub steps: Vec<String>,
}

impl StoredWork {
    pub(super) fn settle(&mut self) {
        // The platform completes a work as soon as nothing is outstanding, for good or bad.
        if self.processed >= self.expected && (self.ended || self.expected > 0) {
            "complete".clone_into(&mut self.status);
        } else if self.status == "complete" {
            "progress".clone_into(&mut self.status);
        }
    }
}

/// A registered connector.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) input: Value,
    pub(super) state: Option<String>,
    /// The state was reset, and the next life sign's is ignored.
    pub(super) reset: bool,
    pub(super) pings: usize,
    pub(super) info: Option<Value>,
}

/// The answer to a playbook step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlaybookAnswer {
    /// The run.
    pub execution_id: String,
    /// The step.
    pub step_id: String,
    /// The bundle that was received.
    pub received: Value,
    /// The bundle to go on with.
    pub bundle: Value,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// The name of the operation in its document.
    pub operation: String,
    /// The variables.
    pub variables: Value,
    /// The draft header; `None` when it was not sent.
    pub draft: Option<String>,
    /// The header that names another user.
    pub applicant: Option<String>,
    /// All other headers by name, without the credentials.
    pub headers: BTreeMap<String, String>,
}

/// Everything that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) store: Store,
    pub(super) works: BTreeMap<String, StoredWork>,
    /// How many works were reported as done so far.
    pub(super) ended: usize,
    pub(super) connectors: BTreeMap<String, Connector>,
    pub(super) drafts: BTreeSet<String>,
    pub(super) playbook_answers: Vec<PlaybookAnswer>,
    pub(super) requests: Vec<Recorded>,
    pub(super) refusals: Vec<String>,
    pub(super) imported: usize,
    pub(super) stream: super::stream::Script,
    pub(super) numbers: u64,
}

impl State {
    pub(super) fn new() -> Self {
        let mut store = Store::default();
        for tlp in [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red] {
            store.insert(serde_json::to_value(tlp.definition()).unwrap_or_default(), None);
        }
        Self {
            store,
            works: BTreeMap::new(),
            ended: 0,
            connectors: BTreeMap::new(),
            drafts: BTreeSet::new(),
            playbook_answers: Vec::new(),
            requests: Vec::new(),
            refusals: Vec::new(),
            imported: 0,
            stream: super::stream::Script::default(),
            numbers: 0,
        }
    }

    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refusals.push(why.into());
    }

    /// A number that was not given before.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

/// An object in the platform.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(super) internal_id: String,
    pub(super) standard_id: String,
    pub(super) entity_type: String,
    /// In the layout that the platform writes.
    pub(super) stix: Value,
    /// Its place in the order of creation.
    pub(super) number: usize,
    pub(super) draft: Option<String>,
}

impl Stored {
    /// A property: from the platform's extension, the one of observables, or flat.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let extensions = &self.stix["extensions"];
        let flat = format!("x_opencti_{name}");
        [
            &extensions[opencti::EXTENSION][name],
            &extensions[opencti::SCO_EXTENSION][name],
            &self.stix[flat],
            &self.stix[name],
        ]
        .into_iter()
        .find(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    /// How the platform shows it.
    pub(super) fn shown(&self) -> String {
        let name = crate::entity::shown_name(&self.stix);
        name.or_else(|| self.text("definition")).unwrap_or_else(|| self.standard_id.clone())
    }

    /// Whether it is of a type, concrete or abstract.
    pub(super) fn is_a(&self, entity_type: &str) -> bool {
        is_of_type(entity_type, &self.entity_type, Nature::of(&self.stix, self.is_observable()))
    }

    pub(super) fn is_observable(&self) -> bool {
        stix_model::Object::from_json(&self.stix.to_string()).is_ok_and(|object| object.is_observable())
    }

    pub(super) fn is_relation(&self) -> bool {
        RELATIONS.into_iter().any(|kind| self.stix["type"] == kind)
    }

    pub(super) fn time(&self, name: &str) -> String {
        self.text(name)
            .unwrap_or_else(|| format!("2026-01-01T00:00:{:02}.{:03}Z", self.number / 1_000 % 60, self.number % 1_000))
    }
}

/// Objects by all their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: Vec<Option<Stored>>,
    index: HashMap<String, usize>,
    /// The places of relations, by their STIX type: every enrichment asks for them, among many other objects.
    relations: BTreeMap<&'static str, BTreeSet<usize>>,
}

impl Store {
    /// Puts an object in, or over one with the same identifier.
    pub(super) fn insert(&mut self, mut stix: Value, draft: Option<String>) {
        let Some(id) = stix["id"].as_str().map(str::to_owned) else { return };
        let place = *self.index.entry(id.clone()).or_insert_with(|| {
            self.objects.push(None);
            self.objects.len() - 1
        });
        let before = self.objects[place].take();
        if let (Some(before), Value::Object(now)) = (&before, &mut stix) {
            // What is not sent stays.
            for (name, value) in before.stix.as_object().into_iter().flatten() {
                now.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let entity_type = entity_type_of_json(&stix);
        let internal_id = before
            .as_ref()
            .map(|before| before.internal_id.clone())
            .or_else(|| stix["x_opencti_id"].as_str().map(str::to_owned))
            .or_else(|| stix["extensions"][opencti::EXTENSION]["id"].as_str().map(str::to_owned))
            .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()).to_string());
        dress(&mut stix, &internal_id, &entity_type);
        for further in stix["extensions"][opencti::EXTENSION]["stix_ids"].as_array().into_iter().flatten() {
            if let Some(further) = further.as_str() {
                self.index.entry(further.to_owned()).or_insert(place);
            }
        }
        self.index.insert(internal_id.clone(), place);
        if let Some(kind) = RELATIONS.into_iter().find(|kind| stix["type"] == *kind) {
            self.relations.entry(kind).or_default().insert(place);
        }
        self.objects[place] = Some(Stored { internal_id, standard_id: id, entity_type, stix, number: place, draft });
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(place) = self.index.get(id).copied() {
            self.index.retain(|_, known| *known != place);
            for places in self.relations.values_mut() {
                places.remove(&place);
            }
            self.objects[place] = None;
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Stored> {
        self.objects[*self.index.get(id)?].as_ref()
    }

    /// All objects in the order in which they were created.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.objects.iter().flatten()
    }

    /// All relationships.
    pub(super) fn relations(&self) -> impl Iterator<Item = &Stored> {
        self.of_kind(RELATIONSHIP)
    }

    /// All sightings.
    pub(super) fn sightings(&self) -> impl Iterator<Item = &Stored> {
        self.of_kind(SIGHTING)
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Stored> {
        self.relations.get(kind).into_iter().flatten().filter_map(|place| self.objects[*place].as_ref())
    }

    /// The object that a property of another one refers to.
    pub(super) fn referred(&self, stored: &Stored, name: &str) -> Option<&Stored> {
        self.get(&stored.text(name)?)
    }
}

/// Gives an object the platform's extension, as the platform writes it.
fn dress(stix: &mut Value, internal_id: &str, entity_type: &str) {
    let Value::Object(object) = stix else { return };
    object.entry("spec_version").or_insert_with(|| "2.1".into());
    let extensions = object.entry("extensions").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(extensions) = extensions {
        let extension = extensions.entry(opencti::EXTENSION).or_insert_with(|| json!({}));
        extension["extension_type"] = "property-extension".into();
        extension["id"] = internal_id.into();
        extension["type"] = entity_type.into();
    }
}
