//! Threat intelligence from files.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use stix_model::{Object, Timestamp, bundle};

use super::index::{Index, hashes};
use crate::lookup::in_pattern;
use crate::scope::is_of_type;
use crate::{
    Context, End, Entity, EntityReader, Error, ErrorKind, Indicated, Known, KnownIndicator, KnownObservable, Lookup,
    Page, PageRequest, RelatedObservable, Relation, Select, ThreatIntelligence,
};

/// STIX objects as threat intelligence: what the platform would answer if it knew just these.
///
/// There are no users here: everything can be seen, in every draft. Clones share the objects.
///
/// ```
/// use opencti_client::embedded::BundleIntel;
///
/// let intel = BundleIntel::new(vec![stix_model::sco::Ipv4Addr::new("198.51.100.3").into()]);
/// assert_eq!(intel.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct BundleIntel {
    index: Arc<Index>,
    skipped: Arc<[String]>,
}

impl BundleIntel {
    /// Takes objects.
    pub fn new(objects: Vec<Object>) -> Self {
        Self { index: Arc::new(Index::new(objects)), skipped: Arc::from([]) }
    }

    /// Reads files: bundles, lists of objects, or one object a line. Objects that cannot be read are left out; see
    /// [`BundleIntel::skipped`].
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, Error> {
        let (mut objects, mut skipped) = (Vec::new(), Vec::new());
        for path in paths {
            let path = path.as_ref();
            let wrong = |what: String| Error::from(ErrorKind::File { path: path.display().to_string(), what });
            let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
            let mut found = Vec::new();
            bundle::read_objects(BufReader::new(file), |object| found.push(object))
                .map_err(|error| wrong(error.to_string()))?;
            for object in found {
                match object {
                    Ok(object) => objects.push(object),
                    Err(error) => skipped.push(format!("{}: {error}", path.display())),
                }
            }
        }
        Ok(Self { index: Arc::new(Index::new(objects)), skipped: skipped.into() })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.index.items.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What could not be read, each with the reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn page_of(&self, places: &[usize], page: &PageRequest) -> Page<Entity> {
        paged(places, page, |place| self.index.items[*place].entity.clone())
    }

    fn observable(&self, place: usize, lookup: &Lookup, hop: bool, more: &mut bool) -> KnownObservable {
        let item = &self.index.items[place];
        let (entity, stix) = (&item.entity, item.stix());
        let view = entity.object.opencti();
        let based = self.index.edges_of(place).filter(|edge| edge.to == place && edge.relationship == "based-on");
        let based: Vec<usize> = based.map(|edge| edge.from).filter(|from| self.is(*from, "Indicator")).collect();
        let indicators = cut(&based, lookup.limits.indicators_each, more);
        let mut related = Vec::new();
        if hop {
            let edges: Vec<_> = self
                .index
                .edges_of(place)
                .filter(|edge| {
                    self.index.items[edge.from].nature.observable && self.index.items[edge.to].nature.observable
                })
                .filter(|edge| edge.from != edge.to)
                .collect();
            for edge in cut(&edges, lookup.limits.relations_each, more) {
                let outgoing = edge.from == place;
                let other = if outgoing { edge.to } else { edge.from };
                related.push(RelatedObservable {
                    relationship_type: edge.relationship.clone(),
                    outgoing,
                    observable: self.observable(other, lookup, false, more),
                });
            }
        }
        KnownObservable {
            id: entity.id.clone(),
            standard_id: entity.standard_id.clone(),
            entity_type: entity.entity_type.clone(),
            value: entity.name.clone().unwrap_or_default(),
            hashes: hashes(&stix),
            score: view.score(),
            description: view.description(),
            author: entity.author.clone(),
            markings: entity.markings.clone(),
            labels: entity.labels.clone(),
            created_at: view.get_str("created_at"),
            updated_at: view.get_str("updated_at"),
            indicators: indicators.iter().map(|place| self.indicator(*place, lookup, more)).collect(),
            related,
        }
    }

    fn indicator(&self, place: usize, lookup: &Lookup, more: &mut bool) -> KnownIndicator {
        let item = &self.index.items[place];
        let (entity, stix) = (&item.entity, item.stix());
        let view = entity.object.opencti();
        let text = |name: &str| stix[name].as_str().map(str::to_owned);
        let edges = self.index.edges_of(place).filter(|edge| edge.from == place && edge.relationship == "indicates");
        let edges: Vec<usize> = edges.map(|edge| edge.to).collect();
        let indicated = |place: &usize| {
            let target = &self.index.items[*place].entity;
            Indicated {
                standard_id: target.standard_id.clone(),
                entity_type: target.entity_type.clone(),
                name: target.name.clone().unwrap_or_default(),
            }
        };
        let phase =
            |phase: &Value| Some(format!("{}:{}", phase["kill_chain_name"].as_str()?, phase["phase_name"].as_str()?));
        KnownIndicator {
            id: entity.id.clone(),
            standard_id: entity.standard_id.clone(),
            name: text("name").unwrap_or_default(),
            description: text("description").filter(|text| !text.is_empty()),
            pattern: text("pattern").unwrap_or_default(),
            pattern_type: text("pattern_type").unwrap_or_default(),
            valid_from: text("valid_from"),
            valid_until: text("valid_until"),
            revoked: stix["revoked"].as_bool().unwrap_or(false),
            score: view.score(),
            confidence: stix["confidence"].as_i64(),
            detection: view.detection().unwrap_or(false),
            main_observable_type: view.main_observable_type(),
            author: entity.author.clone(),
            markings: entity.markings.clone(),
            labels: entity.labels.clone(),
            kill_chain_phases: stix["kill_chain_phases"].as_array().into_iter().flatten().filter_map(phase).collect(),
            indicates: cut(&edges, lookup.limits.relations_each, more).iter().map(indicated).collect(),
        }
    }

    fn is(&self, place: usize, entity_type: &str) -> bool {
        let item = &self.index.items[place];
        is_of_type(entity_type, &item.entity.entity_type, item.nature)
    }

    fn is_one_of(&self, place: usize, types: &[String]) -> bool {
        types.is_empty() || types.iter().any(|name| self.is(place, name))
    }

    /// Whether it is an entity, and no relation.
    fn is_entity(&self, place: usize) -> bool {
        !matches!(self.index.items[place].stix_type(), "relationship" | "sighting")
    }

    fn end(&self, place: usize) -> End {
        let entity = &self.index.items[place].entity;
        End {
            id: entity.id.clone(),
            standard_id: entity.standard_id.clone(),
            entity_type: entity.entity_type.clone(),
            name: entity.name.clone(),
        }
    }
}

/// As many as the limit allows; tells whether there would have been more.
fn cut<'a, T>(list: &'a [T], limit: u32, more: &mut bool) -> &'a [T] {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    *more |= list.len() > limit;
    &list[..list.len().min(limit)]
}

fn paged<S, T>(list: &[S], page: &PageRequest, item: impl Fn(&S) -> T) -> Page<T> {
    let start = page.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0_usize).min(list.len());
    let first = usize::try_from(page.first.clamp(1, 500)).unwrap_or(500);
    let end = (start + first).min(list.len());
    Page {
        items: list[start..end].iter().map(item).collect(),
        next: (end < list.len()).then(|| end.to_string()),
        total: Some(list.len() as u64),
        skipped: Vec::new(),
    }
}

#[async_trait]
impl EntityReader for BundleIntel {
    async fn entity(&self, id: &str, _context: &Context) -> Result<Option<Entity>, Error> {
        let place = self.index.place(id).filter(|place| self.is_entity(*place));
        Ok(place.map(|place| self.index.items[place].entity.clone()))
    }

    async fn page(&self, select: &Select, page: &PageRequest, _context: &Context) -> Result<Page<Entity>, Error> {
        let index = &self.index;
        let places: Vec<usize> = match select {
            Select::Ids(ids) => {
                let places: BTreeSet<usize> = ids.iter().filter_map(|id| index.place(id)).collect();
                places.into_iter().filter(|place| self.is_entity(*place)).collect()
            }
            Select::Types { types, changed_since } => {
                let since: Option<Timestamp> = changed_since.as_deref().and_then(|date| date.parse().ok());
                let changed = |place: &usize| {
                    let modified: Option<Timestamp> = index.items[*place].entity.object.modified();
                    since.is_none_or(|since| modified.is_none_or(|modified| modified > since))
                };
                (0..index.items.len())
                    .filter(|place| self.is_entity(*place) && self.is_one_of(*place, types) && changed(place))
                    .collect()
            }
            Select::ContentsOf { container, types } => {
                let container = index.get(container).map(|item| item.stix()["object_refs"].take());
                let refs = container.as_ref().and_then(Value::as_array).into_iter().flatten();
                refs.filter_map(|id| index.place(id.as_str()?))
                    .filter(|place| self.is_entity(*place) && self.is_one_of(*place, types))
                    .collect()
            }
            Select::Towards { id, relationship, types } => match index.place(id) {
                None => Vec::new(),
                Some(place) => index
                    .edges_of(place)
                    .filter(|edge| edge.to == place && edge.relationship == *relationship)
                    .map(|edge| edge.from)
                    .filter(|place| self.is_one_of(*place, types))
                    .collect(),
            },
            Select::From { id, relationship, types } => match index.place(id) {
                None => Vec::new(),
                Some(place) => index
                    .edges_of(place)
                    .filter(|edge| edge.from == place && edge.relationship == *relationship)
                    .map(|edge| edge.to)
                    .filter(|place| self.is_one_of(*place, types))
                    .collect(),
            },
        };
        Ok(self.page_of(&places, page))
    }

    async fn relations(
        &self,
        id: &str,
        types: &[String],
        page: &PageRequest,
        _context: &Context,
    ) -> Result<Page<Relation>, Error> {
        let Some(place) = self.index.place(id) else { return Ok(Page::default()) };
        let edges: Vec<_> =
            self.index.edges_of(place).filter(|edge| types.is_empty() || types.contains(&edge.relationship)).collect();
        Ok(paged(&edges, page, |edge| {
            let item = &self.index.items[edge.item];
            let stix = item.stix();
            let text = |name: &str| stix[name].as_str().map(str::to_owned);
            Relation {
                standard_id: item.entity.standard_id.clone(),
                relationship_type: edge.relationship.clone(),
                from: Some(self.end(edge.from)),
                to: Some(self.end(edge.to)),
                start_time: text("start_time"),
                stop_time: text("stop_time"),
                confidence: stix["confidence"].as_i64(),
            }
        }))
    }
}

#[async_trait]
impl ThreatIntelligence for BundleIntel {
    async fn look_up(&self, lookup: &Lookup, _context: &Context) -> Result<Known, Error> {
        let mut found = BTreeSet::new();
        let mut find = |attribute: &str, value: &str| match self.index.with(attribute, value) {
            Some(places) => {
                found.extend(places);
                Ok(())
            }
            None => Err(Error::from(ErrorKind::Rejected {
                code: "UNSUPPORTED_ERROR".to_owned(),
                message: format!("there is no attribute `{attribute}`"),
                doc_code: None,
            })),
        };
        for value in &lookup.values {
            find("value", value)?;
        }
        for (algorithm, digests) in &lookup.hashes {
            for digest in digests {
                find(&format!("hashes.{algorithm}"), digest)?;
            }
        }
        for (attribute, values) in &lookup.attributes {
            for value in values {
                find(attribute, value)?;
            }
        }
        let mut known = Known::default();
        let places: Vec<usize> = found.into_iter().collect();
        for place in cut(&places, lookup.limits.observables, &mut known.more) {
            let hop = lookup.limits.relations_each > 0;
            let observable = self.observable(*place, lookup, hop, &mut known.more);
            known.observables.push(observable);
        }
        if lookup.wants_indicators() {
            let whole: HashSet<String> = lookup.patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
            let parts: Vec<String> = lookup.in_patterns.iter().map(|value| in_pattern(value).to_lowercase()).collect();
            let matches = |place: &&usize| {
                let pattern = self.index.items[**place].pattern.as_deref().unwrap_or_default();
                whole.contains(pattern) || parts.iter().any(|part| pattern.contains(part.as_str()))
            };
            let places: Vec<usize> = self.index.indicators.iter().filter(matches).copied().collect();
            for place in cut(&places, lookup.limits.indicators, &mut known.more) {
                let indicator = self.indicator(*place, lookup, &mut known.more);
                known.indicators.push(indicator);
            }
        }
        Ok(known)
    }
}
