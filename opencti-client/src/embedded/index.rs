//! Objects by everything by which they are asked for.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use stix_model::{Identifier, Object};

use crate::scope::Nature;
use crate::{Author, Entity, Marking};

/// An object with what is looked at often. There may be a million of them, so nothing is kept twice.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) entity: Entity,
    pub(super) nature: Nature,
    /// The pattern of an indicator in lower case.
    pub(super) pattern: Option<Box<str>>,
}

impl Item {
    fn new(object: Object) -> Self {
        let stix = serde_json::to_value(&object).unwrap_or_default();
        let nature = Nature::of(&stix, object.is_observable());
        let entity = Entity::of_object(object);
        let pattern = stix["pattern"].as_str().filter(|_| entity.entity_type == "Indicator");
        Self { nature, pattern: pattern.map(|pattern| pattern.to_lowercase().into()), entity }
    }

    /// The object as JSON.
    pub(super) fn stix(&self) -> Value {
        serde_json::to_value(&self.entity.object).unwrap_or_default()
    }

    /// Its type of STIX.
    pub(super) fn stix_type(&self) -> &str {
        self.entity.object.object_type()
    }
}

/// A relation, by the places of its ends.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) item: usize,
    pub(super) relationship: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Objects by everything by which they are asked for.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) items: Vec<Item>,
    ids: HashMap<String, usize>,
    /// By attribute and value in lower case.
    values: HashMap<(String, String), Vec<usize>>,
    pub(super) edges: Vec<Edge>,
    /// The relations of an item.
    touching: HashMap<usize, Vec<usize>>,
    pub(super) indicators: Vec<usize>,
}

/// The platform's attributes by which observables are found, and the properties of STIX behind them.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("value", "value"),
    ("name", "name"),
    ("path", "path"),
    ("attribute_key", "key"),
    ("command_line", "command_line"),
    ("account_login", "account_login"),
    ("user_id", "user_id"),
    ("subject", "subject"),
];

impl Index {
    pub(super) fn new(objects: Vec<Object>) -> Self {
        let mut index = Self::default();
        for object in objects {
            index.add(object);
        }
        index.connect();
        index
    }

    /// Adds an object; a later one with the same identifier takes the place of an earlier one.
    fn add(&mut self, object: Object) {
        let item = Item::new(object);
        let id = item.entity.standard_id.to_string();
        let place = if let Some(place) = self.ids.get(&id) {
            self.items[*place] = item;
            *place
        } else {
            self.items.push(item);
            self.items.len() - 1
        };
        let entity = &self.items[place].entity;
        let mut ids = vec![id, entity.id.clone()];
        ids.extend(entity.object.opencti().stix_ids().iter().map(ToString::to_string));
        for id in ids {
            self.ids.entry(id).or_insert(place);
        }
    }

    /// Fills in what follows from other objects.
    fn connect(&mut self) {
        for place in 0..self.items.len() {
            let item = &self.items[place];
            if item.nature.observable {
                let stix = item.stix();
                let mut keys: Vec<(String, String)> = Vec::new();
                for (attribute, property) in ATTRIBUTES {
                    if let Some(value) = stix[property].as_str() {
                        keys.push((attribute.to_owned(), value.to_lowercase()));
                    }
                }
                for (algorithm, digest) in hashes(&stix) {
                    keys.push((format!("hashes.{algorithm}"), digest.to_lowercase()));
                }
                for key in keys {
                    self.values.entry(key).or_default().push(place);
                }
            }
            if item.entity.entity_type == "Indicator" {
                self.indicators.push(place);
            }
            let relation = (item.stix_type() == "relationship").then(|| {
                let stix = item.stix();
                let end = |name: &str| self.ids.get(stix[name].as_str()?).copied();
                let relationship = stix["relationship_type"].as_str()?.to_owned();
                Some(Edge { item: place, relationship, from: end("source_ref")?, to: end("target_ref")? })
            });
            if let Some(edge) = relation.flatten() {
                let number = self.edges.len();
                for end in HashSet::from([edge.from, edge.to]) {
                    self.touching.entry(end).or_default().push(number);
                }
                self.edges.push(edge);
            }
            let item = &self.items[place];
            let author = self.author(&item.entity.object);
            let markings = item.entity.markings.iter().map(|marking| self.marking(marking)).collect();
            let entity = &mut self.items[place].entity;
            entity.author = author;
            entity.markings = markings;
        }
    }

    fn author(&self, object: &Object) -> Option<Author> {
        let id: Identifier = object.opencti().created_by_ref()?;
        let known = self.get(&id.to_string());
        let name = known.and_then(|item| item.entity.name.clone()).unwrap_or_default();
        Some(Author::new(id, name))
    }

    /// The marking with the texts of its definition, if that is here.
    fn marking(&self, marking: &Marking) -> Marking {
        let Some(item) = self.get(&marking.standard_id.to_string()) else { return marking.clone() };
        let stix = item.stix();
        let text = |name: &str, or: &str| stix[name].as_str().or(stix[or].as_str()).map(str::to_owned);
        let family = text("x_opencti_definition_type", "definition_type").map(|family| family.to_uppercase());
        let definition = text("x_opencti_definition", "name");
        Marking::new(
            marking.standard_id.clone(),
            family.unwrap_or_else(|| marking.definition_type.clone()),
            definition.unwrap_or_else(|| marking.definition.clone()),
        )
    }

    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        Some(&self.items[self.place(id)?])
    }

    /// Observables with a value of an attribute; `None` when there is no such attribute.
    pub(super) fn with(&self, attribute: &str, value: &str) -> Option<&[usize]> {
        let known = ATTRIBUTES.iter().any(|(name, _)| *name == attribute) || attribute.starts_with("hashes.");
        let found = self.values.get(&(attribute.to_owned(), value.to_lowercase()));
        known.then(|| found.map_or(&[][..], Vec::as_slice))
    }

    /// The relations of an item.
    pub(super) fn edges_of(&self, place: usize) -> impl Iterator<Item = &Edge> {
        self.touching.get(&place).into_iter().flatten().map(|number| &self.edges[*number])
    }
}

/// Digests by algorithm.
pub(super) fn hashes(stix: &Value) -> BTreeMap<String, String> {
    let list = stix["hashes"].as_object().into_iter().flatten();
    list.filter_map(|(algorithm, digest)| Some((algorithm.clone(), digest.as_str()?.to_owned()))).collect()
}
