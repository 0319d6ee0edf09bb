//! What is enriched: an entity of the platform, and what hangs on it.

use std::collections::{HashMap, HashSet};

use stix_model::id::{IdRules, Properties as _, deterministic_with};
use stix_model::sdo::Indicator;
use stix_model::{Bundle, Identifier, Object, Tlp};

use super::naming;

/// What kind of thing an entity is to the enrichment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A cyber observable.
    Observable,
    /// An indicator: searched by its pattern, and through the observables that it is based on.
    Indicator,
    /// A vulnerability.
    Vulnerability,
    /// Something that holds indicators and observables: a report, a case, a campaign. All of them are searched.
    Container,
}

impl Kind {
    fn of(object: &Object) -> Option<Self> {
        match object {
            Object::Indicator(_) => Some(Self::Indicator),
            Object::Vulnerability(_) => Some(Self::Vulnerability),
            Object::Report(_)
            | Object::Grouping(_)
            | Object::CaseIncident(_)
            | Object::CaseRfi(_)
            | Object::CaseRft(_)
            | Object::ObservedData(_)
            | Object::Campaign(_)
            | Object::IntrusionSet(_)
            | Object::ThreatActor(_)
            | Object::Malware(_)
            | Object::Tool(_)
            | Object::Infrastructure(_)
            | Object::Incident(_) => Some(Self::Container),
            object if object.is_observable() => Some(Self::Observable),
            // Observables of newer platforms are extensions of theirs, and look like any unknown object.
            Object::Unknown(unknown) => match unknown.id().object_type() {
                "windows-registry-value-type" | "email-mime-part-type" | "simple-observable" => Some(Self::Observable),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An object of the platform with what the platform knows about it.
///
/// Both layouts are read alike: extensions, as the platform writes them, and flat `x_opencti_*` properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    object: Object,
    kind: Option<Kind>,
    platform_type: String,
    ids: Vec<Identifier>,
    labels: Vec<String>,
    author: Option<Identifier>,
    label: String,
}

impl Entity {
    /// An entity.
    pub fn new(object: Object) -> Self {
        Self::with_references(object, &[])
    }

    /// An entity; `references` are objects that it refers to, such as the addresses of a connection.
    pub fn with_references(object: Object, references: &[Object]) -> Self {
        let view = object.opencti();
        let entity_type = view.entity_type().unwrap_or_else(|| naming::entity_type(object.object_type()));
        let mut ids = vec![object.id().clone()];
        ids.extend(view.stix_ids());
        let platform = deterministic_with(IdRules::Platform, object.object_type(), &object);
        ids.extend(platform);
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let labels = view.labels();
        let author = view.created_by_ref();
        let kind = Kind::of(&object);
        let label = naming::label(&entity_type, &object, references);
        Self { object, kind, platform_type: entity_type, ids, labels, author, label }
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The identifier under which the platform speaks of it.
    pub fn id(&self) -> &Identifier {
        self.object.id()
    }

    /// Every identifier that it is known by, [`id`](Self::id) first.
    pub fn ids(&self) -> &[Identifier] {
        &self.ids
    }

    /// What it is, or `None` if it is nothing that can be searched.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// The platform's name of the type, such as `IPv4-Addr` or `StixFile`.
    pub fn entity_type(&self) -> &str {
        &self.platform_type
    }

    /// Type and value in one line, such as `IPv4-Addr 198.51.100.7`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its labels, wherever they stand.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Who created it.
    pub fn author(&self) -> Option<&Identifier> {
        self.author.as_ref()
    }

    /// Its score, 0 to 100.
    pub fn score(&self) -> Option<i64> {
        self.object.opencti().score()
    }

    /// It as an indicator.
    pub fn indicator(&self) -> Option<&Indicator> {
        match &self.object {
            Object::Indicator(indicator) => Some(indicator),
            _ => None,
        }
    }

    /// The organisations that it is shared with.
    pub fn granted_refs(&self) -> Vec<Identifier> {
        self.object.opencti().get_as("granted_refs").unwrap_or_default()
    }

    /// The highest TLP marking; `definitions` tells what markings mean that are no well-known ones.
    pub fn tlp(&self, definitions: &[Object]) -> Option<Tlp> {
        let level = |id: &Identifier| {
            let defined = || {
                definitions.iter().find_map(|object| match object {
                    Object::MarkingDefinition(marking) if marking.id() == id => marking.tlp(),
                    _ => None,
                })
            };
            Tlp::from_identifier(id).or_else(defined)
        };
        self.object.object_marking_refs().iter().filter_map(level).max()
    }

    /// The CVSS base score of a vulnerability, or what stands in for it where only the severity is told.
    pub fn cvss_score(&self) -> Option<f64> {
        let view = self.object.opencti();
        let number = |name: &str| match view.get(name)? {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        let word = |name: &str| super::severity::score_of_word(&view.get_str(name)?);
        let in_range = |score: &f64| (0.0..=10.0).contains(score);
        number("cvss_base_score")
            .or_else(|| number("cvss_v4_base_score"))
            .filter(in_range)
            .or_else(|| word("cvss_base_severity"))
            .or_else(|| word("cvss_v4_base_severity"))
    }

    /// What may stand in an alert where this entity was found, for the table of matches.
    pub fn values(&self) -> Vec<String> {
        naming::values(&self.object)
    }
}

/// The entity that is enriched, with what is needed to search it.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The entity itself.
    pub entity: Entity,
    /// Indicators: of an observable, those that are based on it; of a container, those in it.
    pub indicators: Vec<Entity>,
    /// Observables: of an indicator, those that it is based on; of a container, those in it. Vulnerabilities of a
    /// container stand here, too.
    pub observables: Vec<Entity>,
    /// Other objects that the platform told: markings, ends of connections, directories of files.
    pub references: Vec<Object>,
}

impl Subject {
    /// An entity with nothing on it.
    pub fn new(object: Object) -> Self {
        Self { entity: Entity::new(object), indicators: Vec::new(), observables: Vec::new(), references: Vec::new() }
    }

    /// The entity together with what was read around it, in any order. Indicators and observables are told apart by
    /// their type, everything else is a reference; repetitions and the entity itself are passed over.
    pub fn with_related(object: Object, related: impl IntoIterator<Item = Object>) -> Self {
        let mut others: Vec<Object> = Vec::new();
        let mut known: HashSet<Identifier> = HashSet::from([object.id().clone()]);
        for other in related {
            if known.insert(other.id().clone()) {
                others.push(other);
            }
        }
        let entity = Entity::with_references(object, &others);
        let mut subject = Self { entity, indicators: Vec::new(), observables: Vec::new(), references: Vec::new() };
        let ends: Vec<Identifier> = subject.entity.object.refs();
        for other in &others {
            match Kind::of(other) {
                // What the entity itself refers to belongs to it and is no find of its own.
                _ if subject.entity.kind == Some(Kind::Observable) && ends.contains(other.id()) => {
                    subject.references.push(other.clone());
                }
                Some(Kind::Indicator) => subject.indicators.push(Entity::with_references(other.clone(), &others)),
                Some(Kind::Observable | Kind::Vulnerability) => {
                    subject.observables.push(Entity::with_references(other.clone(), &others));
                }
                _ => subject.references.push(other.clone()),
            }
        }
        subject
    }

    /// The subject of a playbook run: the object with this identifier in the bundle that came with the run, with the
    /// indicators and observables that the bundle relates to it, or that a container in it holds.
    pub fn from_bundle(id: &Identifier, bundle: &Bundle) -> Option<Self> {
        let object = bundle.get(id)?;
        let mut near: Vec<Identifier> = object.refs();
        for other in &bundle.objects {
            if let Object::Relationship(link) = other {
                if link.source_ref == *id {
                    near.push(link.target_ref.clone());
                } else if link.target_ref == *id {
                    near.push(link.source_ref.clone());
                }
            }
        }
        let related = near.iter().filter_map(|id| bundle.get(id)).cloned();
        let markings = bundle.objects.iter().filter(|object| matches!(object, Object::MarkingDefinition(_))).cloned();
        Some(Self::with_related(object.clone(), related.chain(markings)))
    }

    /// The entity, the indicators and the observables.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        std::iter::once(&self.entity).chain(&self.indicators).chain(&self.observables)
    }

    /// The entity, indicator or observable that is known by this identifier.
    pub fn find(&self, id: &Identifier) -> Option<&Entity> {
        self.entities().find(|entity| entity.ids.contains(id))
    }
}

/// Tells entities again among the objects that are made of alerts.
///
/// The identifier is not enough: the platform knows a file by one of its hashes or by its name, where STIX also counts
/// the directory, and a domain name in lower case.
#[derive(Debug)]
pub(crate) struct Recognition {
    places: HashMap<String, Identifier>,
    types: Vec<String>,
}

impl Recognition {
    pub(crate) fn new<'s>(entities: impl IntoIterator<Item = &'s Entity>) -> Self {
        let mut places = HashMap::new();
        let mut types = Vec::new();
        for entity in entities {
            let object_type = entity.id().object_type();
            if !types.iter().any(|known| known == object_type) {
                types.push(object_type.to_owned());
            }
            for id in &entity.ids {
                places.entry(id.to_string()).or_insert_with(|| entity.id().clone());
            }
            for mark in marks(&entity.object) {
                places.entry(mark).or_insert_with(|| entity.id().clone());
            }
        }
        Self { places, types }
    }

    /// The identifier of the entity that this object is.
    pub(crate) fn entity(&self, object: &Object) -> Option<&Identifier> {
        let object_type = object.object_type();
        if !self.types.iter().any(|known| known == object_type) {
            return None;
        }
        let by_platform = || {
            let id = deterministic_with(IdRules::Platform, object_type, object)?;
            self.places.get(&id.to_string())
        };
        let by_mark = || marks(object).iter().find_map(|mark| self.places.get(mark));
        self.places.get(&object.id().to_string()).or_else(by_platform).or_else(by_mark)
    }
}

/// What the platform tells objects apart by beside identifiers: any hash.
fn marks(object: &Object) -> Vec<String> {
    let hashes = match object {
        Object::File(file) => &file.hashes,
        Object::Artifact(artifact) => &artifact.hashes,
        Object::X509Certificate(certificate) => &certificate.hashes,
        Object::AttackPattern(pattern) => {
            let number = pattern.x_mitre_id.as_deref().map(str::trim).unwrap_or_default();
            return if number.is_empty() { Vec::new() } else { vec![format!("mitre:{}", number.to_uppercase())] };
        }
        Object::Vulnerability(_) => {
            let name = object.property("name");
            let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().trim();
            return vec![format!("vulnerability:{}", name.to_lowercase())];
        }
        _ => return Vec::new(),
    };
    let object_type = object.object_type();
    hashes.iter().map(|(algorithm, digest)| format!("{object_type}:{algorithm}:{}", digest.to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &serde_json::Value) -> Object {
        json.to_string().parse().unwrap()
    }

    #[test]
    fn both_layouts_of_the_platform_are_one() {
        let wire = object(&serde_json::json!({
            "type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", "value": "198.51.100.3",
            "extensions": {
                "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba": {"type": "IPv4-Addr"},
                "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82": {"labels": ["lab"], "score": 60},
            },
        }));
        let flat = object(&serde_json::json!({
            "type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", "value": "198.51.100.3",
            "x_opencti_type": "IPv4-Addr", "x_opencti_labels": ["lab"], "x_opencti_score": 60,
        }));
        for object in [wire, flat] {
            let entity = Entity::new(object);
            assert_eq!((entity.label(), entity.score()), ("IPv4-Addr 198.51.100.3", Some(60)));
            assert_eq!(entity.labels(), ["lab"]);
        }
    }

    #[test]
    fn an_entity_is_recognised_however_it_is_written() {
        let md5 = "0123456789abcdef0123456789abcdef";
        let sha = "a".repeat(64);
        let known = [
            object(&serde_json::json!({"type": "file", "hashes": {"SHA-256": sha}, "name": "x"})),
            object(&serde_json::json!({"type": "domain-name", "value": "Example.ORG"})),
        ];
        let entities: Vec<Entity> = known.into_iter().map(Entity::new).collect();
        let recognition = Recognition::new(&entities);
        let both = object(&serde_json::json!({
            "type": "file", "hashes": {"MD5": md5, "SHA-256": sha.to_uppercase()}, "name": "y",
        }));
        assert_eq!(recognition.entity(&both), Some(entities[0].id()));
        let lower = object(&serde_json::json!({"type": "domain-name", "value": "example.org"}));
        assert_eq!(recognition.entity(&lower), Some(entities[1].id()));
        for other in [
            serde_json::json!({"type": "file", "hashes": {"MD5": md5}}),
            serde_json::json!({"type": "file", "name": "z"}),
            serde_json::json!({"type": "url", "value": "http://example.org"}),
        ] {
            assert_eq!(recognition.entity(&object(&other)), None);
        }
    }

    /// B-82 c: the indicator of a playbook run needs no observable in the bundle, and takes those that are there.
    #[test]
    fn b_82_the_subject_of_a_playbook_run() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let indicator = Indicator::new("[ipv4-addr:value = '198.51.100.7']", "stix", now, now);
        let address = stix_model::sco::Ipv4Addr::new("198.51.100.7");
        let id = indicator.id().clone();
        let link = stix_model::sro::Relationship::new("based-on", id.clone(), address.id().clone(), now);
        let alone = Bundle::new(vec![indicator.clone().into()]);
        assert_eq!(Subject::from_bundle(&id, &alone).unwrap().observables, []);
        let bundle =
            Bundle::new(vec![link.into(), address.clone().into(), indicator.into(), Tlp::Green.definition().into()]);
        let subject = Subject::from_bundle(&id, &bundle).unwrap();
        assert_eq!(subject.observables[0].id(), address.id());
        assert_eq!(subject.entity.kind(), Some(Kind::Indicator));
        assert!(Subject::from_bundle(&Tlp::Red.identifier(), &bundle).is_none());
    }
}
