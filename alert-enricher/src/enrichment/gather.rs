//! What is in the alerts: every observable once, and which alert and field it came from.

use foldhash::fast::RandomState;
use hashbrown::hash_map::Entry;

use stix_model::sro::Relationship;
use stix_model::{Identifier, Object};
use wazuh_query::catalogue::{Catalogue, FieldId};

use super::hits::Document;
use super::stamp::Stamp;
use super::subject::Recognition;
use crate::extract::Extractor;

/// What an extracted object turned out to be.
#[derive(Debug)]
enum Made {
    /// A new object: its place in `objects`.
    Object(usize),
    /// An entity that is on the platform already.
    Entity(Identifier),
}

/// One find: an object or a known entity, and the field.
#[derive(Clone, Debug)]
pub(crate) struct Find {
    /// The identifier to relate to.
    pub id: Identifier,
    /// The first field that it came from; `None` if it came from the rule's text.
    pub field: Option<FieldId>,
}

/// A find with the first alert that tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'g, 'd> {
    pub find: &'g Find,
    pub document: &'d Document<'d>,
    /// How many alerts tell it.
    pub alerts: usize,
}

type HashMap<K, V> = hashbrown::HashMap<K, V, RandomState>;

/// What is in a number of alerts.
#[derive(Debug)]
pub(crate) struct Gathered<'d> {
    /// The alerts.
    pub documents: Vec<&'d Document<'d>>,
    /// Every new object once, stamped.
    objects: Vec<Object>,
    /// What each alert is related to.
    finds: Vec<Vec<Find>>,
    /// How many alerts have more in them than was taken.
    pub cut: usize,
}

impl<'d> Gathered<'d> {
    /// Looks into those of the alerts that are wanted.
    pub(crate) fn new(
        documents: Vec<&'d Document<'d>>,
        wanted: &[bool],
        extractor: &Extractor<'_>,
        recognition: &Recognition,
        stamp: &Stamp,
    ) -> Self {
        let mut gathered = Self { documents, objects: Vec::new(), finds: Vec::new(), cut: 0 };
        let mut known: HashMap<Identifier, Made> = HashMap::default();
        let mut other_names: HashMap<Identifier, Identifier> = HashMap::default();
        for (place, document) in gathered.documents.iter().enumerate() {
            if wanted.get(place) != Some(&true) {
                gathered.finds.push(Vec::new());
                continue;
            }
            let extraction = extractor.extract(&document.alert);
            gathered.cut += usize::from(extraction.cut);
            let parents: Vec<Identifier> = extraction.objects.iter().filter_map(parent_directory).collect();
            let mut first_field: Vec<Option<FieldId>> = vec![None; extraction.objects.len()];
            for (place, field) in extraction.fields {
                if let Some(slot) = first_field.get_mut(place) {
                    slot.get_or_insert(field);
                }
            }
            let mut finds = Vec::with_capacity(extraction.objects.len());
            for (object, field) in extraction.objects.into_iter().zip(first_field) {
                let id = object.id().clone();
                // Relationships of objects to each other are no finds, and a file brings its directory.
                let is_find = !matches!(object, Object::Relationship(_)) && !parents.contains(&id);
                if !known.contains_key(&id) {
                    let made = if let Some(entity) = recognition.entity(&object) {
                        if *entity != id {
                            other_names.insert(id.clone(), entity.clone());
                        }
                        Made::Entity(entity.clone())
                    } else {
                        let mut object = object;
                        stamp.extracted(&mut object);
                        gathered.objects.push(object);
                        Made::Object(gathered.objects.len() - 1)
                    };
                    known.insert(id.clone(), made);
                } else if let Some(Made::Object(place)) = known.get(&id)
                    && let Some(known) = gathered.objects.get_mut(*place)
                {
                    complete(known, &object);
                }
                let id = match known.get(&id) {
                    Some(Made::Entity(entity)) => entity.clone(),
                    _ => id,
                };
                if is_find {
                    finds.push(Find { id, field });
                }
            }
            gathered.finds.push(finds);
        }
        if !other_names.is_empty() {
            for object in &mut gathered.objects {
                rename(object, &other_names);
            }
        }
        gathered
    }

    /// Everything that is in the alerts, in the order of first appearance.
    pub(crate) fn into_objects(self) -> impl Iterator<Item = Object> {
        // A relationship of an entity to itself says nothing.
        let says_nothing =
            |object: &Object| matches!(object, Object::Relationship(link) if link.source_ref == link.target_ref);
        self.objects.into_iter().filter(move |object| !says_nothing(object))
    }

    /// What these alerts are related to, each once, with the first alert and field that tells it and the number of
    /// alerts that do.
    pub(crate) fn finds(&self, documents: &[usize]) -> Vec<Told<'_, 'd>> {
        let mut places: HashMap<&Identifier, (usize, usize)> = HashMap::default();
        let mut out: Vec<Told<'_, 'd>> = Vec::new();
        for place in documents {
            let (Some(finds), Some(document)) = (self.finds.get(*place), self.documents.get(*place)) else { continue };
            for find in finds {
                match places.entry(&find.id) {
                    Entry::Vacant(entry) => {
                        entry.insert((out.len(), *place));
                        out.push(Told { find, document, alerts: 1 });
                    }
                    Entry::Occupied(mut entry) => {
                        let (known, last) = entry.get_mut();
                        // Several fields of one alert are one alert.
                        if *last != *place
                            && let Some(told) = out.get_mut(*known)
                        {
                            told.alerts += 1;
                            *last = *place;
                        }
                    }
                }
            }
        }
        out
    }

    /// The path of a field.
    pub(crate) fn path(catalogue: &Catalogue, field: Option<FieldId>) -> Option<&str> {
        field.map(|field| &*catalogue.field(field).path)
    }
}

fn parent_directory(object: &Object) -> Option<Identifier> {
    match object {
        Object::File(file) => file.parent_directory_ref.clone(),
        _ => None,
    }
}

/// Takes over what another alert tells about the same thing: the name of a technique, the score of a vulnerability.
fn complete(known: &mut Object, other: &Object) {
    match (known, other) {
        (Object::AttackPattern(known), Object::AttackPattern(other))
            if known.x_mitre_id.as_ref() == Some(&known.name) =>
        {
            known.name.clone_from(&other.name);
        }
        (Object::Vulnerability(known), Object::Vulnerability(other)) => {
            for (name, value) in &other.extra {
                if !known.extra.contains(name) {
                    known.extra.set(name.to_owned(), value);
                }
            }
        }
        _ => {}
    }
}

/// Lets an object refer to entities by the identifiers that the platform knows them by.
fn rename(object: &mut Object, other_names: &HashMap<Identifier, Identifier>) {
    if let Object::Relationship(link) = object {
        let ends = [&link.source_ref, &link.target_ref].map(|end| other_names.get(end).unwrap_or(end).clone());
        let [source, target] = ends;
        if source != link.source_ref || target != link.target_ref {
            let renamed = Relationship::new(link.relationship_type.as_str(), source, target, link.common.created);
            link.common.id = renamed.common.id;
            (link.source_ref, link.target_ref) = (renamed.source_ref, renamed.target_ref);
        }
        return;
    }
    let refers: Vec<Identifier> = object.refs().into_iter().filter(|id| other_names.contains_key(id)).collect();
    if refers.is_empty() {
        return;
    }
    let Ok(mut json) = serde_json::to_string(object) else { return };
    for id in refers {
        if let Some(entity) = other_names.get(&id) {
            json = json.replace(&id.to_string(), &entity.to_string());
        }
    }
    if let Ok(renamed) = Object::from_json(&json) {
        *object = renamed;
    }
}
