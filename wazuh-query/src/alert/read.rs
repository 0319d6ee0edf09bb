//! One pass over a document, guided by the catalogue.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::told::is_told;
use super::{Agent, Alert, Leaf, Rule, RuleLevel, timestamp};
use crate::catalogue::{Catalogue, Envelope, FieldId, Holds, NodeId, Schema, Trie};

/// Why a text is no alert.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The text is JSON, but no object.
    #[error("not an alert: a JSON object is expected")]
    NotAnObject,
    /// An object without a rule, an agent, a time or any catalogued field.
    #[error("not an alert: neither `rule`, `agent`, `timestamp` nor any catalogued field is in it")]
    NotAnAlert,
}

/// Receives the catalogued values of a document.
pub trait Sink<'a> {
    /// A value of a field. `element` counts the innermost array element around it.
    fn value(&mut self, field: FieldId, text: Cow<'a, str>, element: u32);
}

impl<'a, F: FnMut(FieldId, Cow<'a, str>, u32)> Sink<'a> for F {
    fn value(&mut self, field: FieldId, text: Cow<'a, str>, element: u32) {
        self(field, text, element);
    }
}

/// Calls `sink` with every catalogued value of a document, envelope included, and returns the document's `_id`.
///
/// This is the fast way to look at many alerts of which few matter; [`Alert::read`] is built on it.
pub fn scan<'a>(
    text: &'a str,
    catalogue: &Catalogue,
    sink: &mut impl Sink<'a>,
) -> Result<Option<Cow<'a, str>>, ReadError> {
    if !text.trim_ascii_start().starts_with('{') {
        // Tell broken JSON from JSON of another shape.
        serde_json::from_str::<IgnoredAny>(text)?;
        return Err(ReadError::NotAnObject);
    }
    let mut pass = Pass { trie: catalogue.trie(), sink, element: 0, elements: 0, document_id: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Place { pass: &mut pass, node: Trie::ROOT }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(pass.document_id)
}

struct Pass<'a, 'p, S> {
    trie: &'p Trie,
    sink: &'p mut S,
    /// The array element that is being read.
    element: u32,
    /// How many array elements were opened so far.
    elements: u32,
    document_id: Option<Cow<'a, str>>,
}

/// A place of the document at which the catalogue has fields, or below it.
struct Place<'a, 'p, 's, S> {
    pass: &'s mut Pass<'a, 'p, S>,
    node: NodeId,
}

impl<'a, S: Sink<'a>> Place<'a, '_, '_, S> {
    fn value(&mut self, text: Cow<'a, str>) {
        let [first, second] = self.pass.trie.ends(self.node);
        if let Some(other) = second {
            self.pass.sink.value(other, text.clone(), self.pass.element);
        }
        if let Some(field) = first {
            self.pass.sink.value(field, text, self.pass.element);
        }
    }
}

impl<'a, S: Sink<'a>> DeserializeSeed<'a> for Place<'a, '_, '_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, S: Sink<'a>> Visitor<'a> for Place<'a, '_, '_, S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a part of an alert")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let trie = self.pass.trie;
        let at_root = self.node == Trie::ROOT;
        while let Some(key) = map.next_key_seed(Key { trie, node: self.node, at_root })? {
            match key {
                Found::Node(node) => map.next_value_seed(Place { pass: &mut *self.pass, node })?,
                Found::Source => map.next_value_seed(Place { pass: &mut *self.pass, node: Trie::ROOT })?,
                Found::DocumentId => {
                    let id: IdText<'a> = map.next_value()?;
                    self.pass.document_id = id.0;
                }
                Found::Nothing => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        let around = self.pass.element;
        loop {
            self.pass.elements += 1;
            self.pass.element = self.pass.elements;
            let place = Element { pass: &mut *self.pass, node: self.node, around };
            if seq.next_element_seed(place)?.is_none() {
                break;
            }
        }
        self.pass.element = around;
        Ok(())
    }

    fn visit_borrowed_str<E>(mut self, text: &'a str) -> Result<(), E> {
        self.value(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.value(Cow::Owned(text.to_owned()));
        Ok(())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.value(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.value(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        self.value(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.value(Cow::Borrowed(if value { "true" } else { "false" }));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A member of an array. Only objects count as elements of their own: the texts of a list stand side by side.
struct Element<'a, 'p, 's, S> {
    pass: &'s mut Pass<'a, 'p, S>,
    node: NodeId,
    around: u32,
}

impl<'a, S: Sink<'a>> DeserializeSeed<'a> for Element<'a, '_, '_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, 'p, 's, S: Sink<'a>> Element<'a, 'p, 's, S> {
    fn inside(self) -> Place<'a, 'p, 's, S> {
        Place { pass: self.pass, node: self.node }
    }

    fn beside(self) -> Place<'a, 'p, 's, S> {
        self.pass.element = self.around;
        Place { pass: self.pass, node: self.node }
    }
}

impl<'a, S: Sink<'a>> Visitor<'a> for Element<'a, '_, '_, S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member of a list in an alert")
    }

    fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<(), A::Error> {
        self.inside().visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<(), A::Error> {
        self.inside().visit_seq(seq)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'a str) -> Result<(), E> {
        self.beside().visit_borrowed_str(text)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.beside().visit_str(text)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.beside().visit_i64(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.beside().visit_u64(number)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.beside().visit_f64(number)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.beside().visit_bool(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Where a key leads.
enum Found {
    Node(NodeId),
    /// `_source` of a hit: the document itself.
    Source,
    /// `_id` of a hit.
    DocumentId,
    Nothing,
}

struct Key<'p> {
    trie: &'p Trie,
    node: NodeId,
    at_root: bool,
}

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Found, E> {
        Ok(match self.trie.walk(self.node, key) {
            Some(node) => Found::Node(node),
            None if self.at_root && key == "_source" => Found::Source,
            None if self.at_root && key == "_id" => Found::DocumentId,
            None => Found::Nothing,
        })
    }
}

/// The text of `_id`; whatever else stands there is no identifier.
struct IdText<'a>(Option<Cow<'a, str>>);

impl<'a> serde::Deserialize<'a> for IdText<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let value: &'a serde_json::value::RawValue = serde::Deserialize::deserialize(deserializer)?;
        let text = serde_json::from_str::<String>(value.get()).ok().filter(|text| !text.is_empty());
        Ok(Self(text.map(Cow::Owned)))
    }
}

pub(super) fn alert<'a>(text: &'a str, catalogue: &Catalogue) -> Result<Alert<'a>, ReadError> {
    let mut alert = Alert {
        document_id: None,
        id: None,
        schema: Schema::Wazuh4,
        timestamp: None,
        rule: Rule::default(),
        agent: Agent::default(),
        manager: None,
        decoder: None,
        location: None,
        integration: None,
        event_code: None,
        leaves: Vec::with_capacity(32),
        told: Vec::new(),
    };
    let mut known = false;
    let document_id = scan(text, catalogue, &mut |id: FieldId, text: Cow<'a, str>, element: u32| {
        known = true;
        let field = catalogue.field(id);
        if is_told(field, &text) {
            alert.told.push(Leaf { field: id, text: text.clone(), element });
        }
        match field.holds {
            Holds::Envelope(part) => {
                // Only the envelope tells the schemas apart: `source.ip` could be any JSON log's.
                if field.schema == Schema::Wazuh5 && field.path.starts_with("wazuh.") {
                    alert.schema = Schema::Wazuh5;
                }
                alert.envelope(part, text);
            }
            Holds::Opaque => {}
            _ => alert.leaves.push(Leaf { field: id, text, element }),
        }
    })?;
    if !known {
        return Err(ReadError::NotAnAlert);
    }
    alert.document_id = document_id;
    let schema = alert.schema;
    alert.leaves.retain(|leaf| catalogue.field(leaf.field).schema == schema);
    alert.told.retain(|leaf| catalogue.field(leaf.field).schema == schema);
    Ok(alert)
}

impl<'a> Alert<'a> {
    fn envelope(&mut self, part: Envelope, text: Cow<'a, str>) {
        if text.is_empty() {
            return;
        }
        let slot = match part {
            Envelope::Timestamp => {
                // `@timestamp` follows `timestamp` in indexed documents and says the same with more precision.
                self.timestamp = timestamp(&text).or(self.timestamp);
                return;
            }
            Envelope::RuleLevel => {
                self.rule.level = RuleLevel::read(&text);
                return;
            }
            Envelope::RuleGroup => {
                self.rule.groups.push(text);
                return;
            }
            Envelope::AlertId => &mut self.id,
            Envelope::RuleId => &mut self.rule.id,
            Envelope::RuleDescription => &mut self.rule.description,
            Envelope::AgentId => &mut self.agent.id,
            Envelope::AgentName => &mut self.agent.name,
            Envelope::AgentIp => &mut self.agent.ip,
            Envelope::ManagerName => &mut self.manager,
            Envelope::Decoder => &mut self.decoder,
            Envelope::Location => &mut self.location,
            Envelope::Integration => &mut self.integration,
            Envelope::EventCode => &mut self.event_code,
        };
        slot.get_or_insert(text);
    }
}
