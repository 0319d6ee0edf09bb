//! Reading entities.

use async_trait::async_trait;
use stix_model::{Identifier, Object, Tlp};

use crate::message::is;
use crate::{Context, Error};

/// An entity as the platform knows it: the STIX object, and what the STIX form does not hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entity {
    /// The platform's internal identifier.
    pub id: String,
    /// The standard identifier, computed by the platform. It may differ from one that was sent.
    pub standard_id: Identifier,
    /// The platform's name of the type: `IPv4-Addr`, `StixFile`, `Indicator`, …
    pub entity_type: String,
    /// How the platform shows it: an observable's value, a name.
    pub name: Option<String>,
    /// The object. Scores, labels and the like are behind [`Object::opencti`], whatever the layout.
    pub object: Object,
    /// Its author.
    pub author: Option<Author>,
    /// Its markings, with their texts.
    pub markings: Vec<Marking>,
    /// Its labels.
    pub labels: Vec<String>,
}

/// Who created an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Author {
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The name.
    pub name: String,
}

/// A marking with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Marking {
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The family: `TLP`, `PAP`, …
    pub definition_type: String,
    /// The text: `TLP:AMBER`, `PAP:RED`, …
    pub definition: String,
}

impl Author {
    /// An author.
    pub fn new(standard_id: Identifier, name: impl Into<String>) -> Self {
        Self { standard_id, name: name.into() }
    }
}

impl Marking {
    /// A marking.
    pub fn new(standard_id: Identifier, definition_type: impl Into<String>, definition: impl Into<String>) -> Self {
        Self { standard_id, definition_type: definition_type.into(), definition: definition.into() }
    }

    /// The level, if it belongs to the traffic light protocol: by its identifier or its text.
    pub fn tlp(&self) -> Option<Tlp> {
        Tlp::from_identifier(&self.standard_id).or_else(|| {
            let family = self.definition_type.eq_ignore_ascii_case("tlp");
            family.then(|| self.definition.parse().ok()).flatten()
        })
    }
}

impl Entity {
    /// An entity of an object alone: type, name, labels and markings follow from it as far as they can.
    pub fn of_object(object: Object) -> Self {
        let view = object.opencti();
        let stix = serde_json::to_value(&object).unwrap_or_default();
        let markings = object.object_marking_refs().into_iter();
        let markings = markings.map(|id| match Tlp::from_identifier(&id) {
            Some(tlp) => Marking::new(id, "TLP", tlp.to_string()),
            None => Marking::new(id, "", ""),
        });
        Self {
            id: view.internal_id().unwrap_or_else(|| object.id().to_string()),
            standard_id: object.id().clone(),
            name: shown_name(&stix),
            author: None,
            markings: markings.collect(),
            labels: view.labels(),
            entity_type: crate::scope::entity_type_of_json(&stix),
            object,
        }
    }

    /// The highest level of the traffic light protocol that it is marked with; `None` where it is not marked.
    pub fn tlp(&self) -> Option<Tlp> {
        self.markings.iter().filter_map(Marking::tlp).max()
    }

    /// The score, 0 to 100.
    pub fn score(&self) -> Option<i64> {
        self.object.opencti().score()
    }

    /// Whether it goes by an identifier: its standard one, its internal one or a further one.
    pub fn is(&self, id: &str) -> bool {
        self.id == id || self.standard_id.to_string() == id || is(&self.object, id)
    }

    /// The organizations with which it is shared, to be passed on to what is derived from it.
    pub fn granted_refs(&self) -> Vec<String> {
        self.object.opencti().get_as("granted_refs").unwrap_or_default()
    }
}

/// How the platform shows an object: its name or value, else the first digest.
pub(crate) fn shown_name(stix: &serde_json::Value) -> Option<String> {
    let names =
        ["name", "value", "abstract", "path", "key", "account_login", "user_id", "command_line", "subject", "number"];
    let shown = names.iter().find_map(|name| match &stix[*name] {
        serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    shown.or_else(|| Some(stix["hashes"].as_object()?.values().next()?.as_str()?.to_owned()))
}

/// A relation between two entities.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relation {
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The type: `based-on`, `indicates`, `resolves-to`, …
    pub relationship_type: String,
    /// Where it starts; `None` when the user may not see that end.
    pub from: Option<End>,
    /// Where it leads.
    pub to: Option<End>,
    /// Since when it holds, in RFC 3339.
    pub start_time: Option<String>,
    /// Until when it held.
    pub stop_time: Option<String>,
    /// How sure that is, 0 to 100.
    pub confidence: Option<i64>,
}

/// One end of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// The platform's internal identifier.
    pub id: String,
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The platform's name of the type.
    pub entity_type: String,
    /// How the platform shows it.
    pub name: Option<String>,
}

/// An entity was sighted somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighted {
    /// The standard identifier, then the further ones.
    pub ids: Vec<Identifier>,
    /// What was sighted, by its standard identifier.
    pub of: Identifier,
    /// Where, by its standard identifier.
    pub at: Identifier,
    /// Who says so, by the standard identifier.
    pub author: Option<Identifier>,
    /// Since when, in RFC 3339.
    pub first_seen: Option<String>,
    /// Until when.
    pub last_seen: Option<String>,
    /// How often.
    pub count: u64,
}

/// Which entities to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Select {
    /// Those with one of these identifiers, of any kind. At most a hundred.
    Ids(Vec<String>),
    /// Those of some types, in the order in which they were created. Abstract types (`Stix-Cyber-Observable`) hold
    /// others.
    Types {
        /// The platform's names.
        types: Vec<String>,
        /// Only what was changed since, in RFC 3339.
        changed_since: Option<String>,
    },
    /// Those in a container: a report, a grouping, a case.
    ContentsOf {
        /// The container.
        container: String,
        /// The platform's names of the types; all when empty.
        types: Vec<String>,
    },
    /// Those from which a relation leads to an entity.
    Towards {
        /// The entity.
        id: String,
        /// The type of the relation.
        relationship: String,
        /// The platform's names of the types; all when empty.
        types: Vec<String>,
    },
    /// Those to which a relation leads from an entity.
    From {
        /// The entity.
        id: String,
        /// The type of the relation.
        relationship: String,
        /// The platform's names of the types; all when empty.
        types: Vec<String>,
    },
}

impl Select {
    /// The indicators that are based on an observable.
    pub fn indicators_of(observable: impl Into<String>) -> Self {
        Self::Towards { id: observable.into(), relationship: "based-on".into(), types: vec!["Indicator".into()] }
    }

    /// The observables on which an indicator is based.
    pub fn observables_of(indicator: impl Into<String>) -> Self {
        Self::From {
            id: indicator.into(),
            relationship: "based-on".into(),
            types: vec!["Stix-Cyber-Observable".into()],
        }
    }

    /// The indicators of a threat: of a campaign, a malware, an intrusion set.
    pub fn indicators_of_threat(threat: impl Into<String>) -> Self {
        Self::Towards { id: threat.into(), relationship: "indicates".into(), types: vec!["Indicator".into()] }
    }

    /// What a container holds.
    pub fn contents_of(container: impl Into<String>, types: &[&str]) -> Self {
        Self::ContentsOf { container: container.into(), types: types.iter().map(|&name| name.to_owned()).collect() }
    }

    /// Everything of some types.
    pub fn types(types: &[&str]) -> Self {
        Self::Types { types: types.iter().map(|&name| name.to_owned()).collect(), changed_since: None }
    }
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest {
    /// How many at most, 1 to 500.
    pub first: u32,
    /// The end of the page before.
    pub after: Option<String>,
}

impl Default for PageRequest {
    /// A hundred, from the beginning.
    fn default() -> Self {
        Self { first: 100, after: None }
    }
}

impl PageRequest {
    /// The first page, with a number of entries.
    pub fn of(first: u32) -> Self {
        Self { first: first.clamp(1, 500), after: None }
    }

    /// The page of the same size that follows.
    #[must_use]
    pub fn after(&self, end: impl Into<String>) -> Self {
        Self { first: self.first, after: Some(end.into()) }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<String>,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// Entries that could not be read, each with the reason. They cost themselves, not the page.
    pub skipped: Vec<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None, total: None, skipped: Vec::new() }
    }
}

/// Reads entities.
///
/// Every identifier may be the internal one, the standard one or any other that the platform knows. What the user may
/// not see does not exist.
#[async_trait]
pub trait EntityReader: Send + Sync {
    /// One entity; `None` when it does not exist, or the user may not see it.
    async fn entity(&self, id: &str, context: &Context) -> Result<Option<Entity>, Error>;

    /// A page of a list.
    async fn page(&self, select: &Select, page: &PageRequest, context: &Context) -> Result<Page<Entity>, Error>;

    /// A page of the relations of an entity, in both directions. All types when `types` is empty.
    async fn relations(
        &self,
        id: &str,
        types: &[String],
        page: &PageRequest,
        context: &Context,
    ) -> Result<Page<Relation>, Error>;

    /// A page of the places at which an entity was sighted. A source that knows no sightings has none.
    async fn sightings(&self, id: &str, page: &PageRequest, context: &Context) -> Result<Page<Sighted>, Error> {
        let _ = (id, page, context);
        Ok(Page::default())
    }

    /// A whole list, up to `limit` entries. [`Page::next`] tells whether there would be more.
    async fn list(&self, select: &Select, limit: usize, context: &Context) -> Result<Page<Entity>, Error> {
        let mut all = Page::default();
        let mut request = PageRequest::of(u32::try_from(limit).unwrap_or(500).min(100));
        loop {
            let page = self.page(select, &request, context).await?;
            all.total = page.total;
            all.skipped.extend(page.skipped);
            all.items.extend(page.items);
            all.next = page.next.filter(|next| request.after.as_ref() != Some(next));
            match &all.next {
                Some(next) if all.items.len() < limit => request = request.after(next.clone()),
                _ => return Ok(all),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 6: one view of both layouts.
    #[test]
    fn both_layouts_give_one_view() {
        let wire = r#"{"id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","spec_version":"2.1","type":"ipv4-addr",
            "extensions":{"extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba":{"extension_type":"property-extension",
            "id":"5f0c7f0e-3a39-4c8e-9d54-1f5d0f6b7a10","type":"IPv4-Addr","granted_refs":["identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e"],
            "stix_ids":["ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf0000"]},
            "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82":{"extension_type":"property-extension","labels":["lab"],
            "description":"Seen","score":60}},
            "object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],"value":"198.51.100.3"}"#;
        let flat = r#"{"id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","spec_version":"2.1","type":"ipv4-addr",
            "x_opencti_id":"5f0c7f0e-3a39-4c8e-9d54-1f5d0f6b7a10","x_opencti_type":"IPv4-Addr",
            "x_opencti_granted_refs":["identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e"],"x_opencti_labels":["lab"],
            "x_opencti_stix_ids":["ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf0000"],
            "x_opencti_description":"Seen","x_opencti_score":60,
            "object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],"value":"198.51.100.3"}"#;
        let view = |json: &str| {
            let entity = Entity::of_object(Object::from_json(json).unwrap());
            assert!(entity.is("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf0000"));
            assert!(entity.is("5f0c7f0e-3a39-4c8e-9d54-1f5d0f6b7a10"));
            (
                entity.id.clone(),
                entity.entity_type.clone(),
                entity.name.clone(),
                entity.tlp(),
                entity.score(),
                entity.labels.clone(),
                entity.granted_refs(),
                entity.object.opencti().description(),
            )
        };
        assert_eq!(view(wire), view(flat));
        assert_eq!(view(wire).3, Some(Tlp::Green));
    }

    #[test]
    fn levels_are_known_by_text_too() {
        let id: Identifier = "marking-definition--00000000-0000-4000-8000-000000000001".parse().unwrap();
        assert_eq!(Marking::new(id.clone(), "TLP", "tlp:amber+strict").tlp(), Some(Tlp::AmberStrict));
        assert_eq!(Marking::new(id, "PAP", "PAP:RED").tlp(), None);
    }
}
