//! What a message is about: the entity, and what hangs on it.

use alert_enricher::enrichment::{Entity, Kind, KnownSighting, Subject, Trigger};
use opencti_client::{Context, EntityReader, Error, ErrorKind, Marking, Message, Page, PageRequest, Select};
use serde_json::json;
use stix_model::{Bundle, Identifier, Object, Tlp};

use super::pause::Patience;
use super::worker::patiently;
use super::{log::Log, metrics::Metrics};

/// So many indicators and observables of one entity are searched.
const RELATED: usize = 5_000;
/// So many earlier sightings of one entity are read.
const SIGHTINGS: usize = 10_000;

/// What is to be enriched.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) entity_id: String,
    /// The entity, if the message brought it.
    pub(crate) object: Option<Object>,
    /// The bundle of a playbook run.
    pub(crate) bundle: Option<Bundle>,
    pub(crate) context: Context,
    pub(crate) trigger: Trigger,
}

impl Job {
    /// What a message asks for.
    pub(crate) fn of(message: &Message) -> Self {
        let bundle = message.playbook_bundle().and_then(|json| Bundle::read(json.as_bytes()).ok());
        let context = message.context();
        // Before 6.8.9 a message does not say whether a person asked, but then it names one.
        let is_manual = match message.internal.mode.as_deref() {
            Some(mode) => mode.eq_ignore_ascii_case("manual"),
            None => context.applicant.is_some(),
        };
        let trigger = match (message.wants_reply(), is_manual) {
            (true, _) => Trigger::Playbook,
            (false, true) => Trigger::Manual,
            (false, false) => Trigger::Automatic,
        };
        Self {
            entity_id: message.event.entity_id.clone(),
            object: message.stix_entity().and_then(Result::ok),
            bundle: bundle.map(|(bundle, _)| bundle),
            context,
            trigger,
        }
    }

    /// What a person asks for on the command line.
    pub(crate) fn by_hand(entity_id: &str) -> Self {
        Self {
            entity_id: entity_id.to_owned(),
            object: None,
            bundle: None,
            context: Context::new(),
            trigger: Trigger::Manual,
        }
    }
}

/// Reads entities, with patience.
pub(crate) struct Reader<'r> {
    pub(crate) entities: &'r dyn EntityReader,
    pub(crate) patience: &'r Patience,
    pub(crate) metrics: &'r Metrics,
    pub(crate) log: Log,
}

impl Reader<'_> {
    /// The subject of a job, and what of it is left out. `None` if the entity does not exist, or must not be seen.
    pub(crate) async fn subject(&self, job: &Job) -> Result<Option<(Subject, Vec<String>)>, Error> {
        let mut references: Vec<Object> = Vec::new();
        let mut object = job.object.clone();
        if object.is_none() {
            let Some(entity) = self.entity(&job.entity_id, &job.context).await? else { return Ok(None) };
            references.extend(entity.markings.iter().filter_map(definition));
            object = Some(entity.object);
        }
        let Some(object) = object else { return Ok(None) };
        let mut near: Vec<Object> = Vec::new();
        if let Some(bundle) = &job.bundle
            && let Some(subject) = Subject::from_bundle(object.id(), bundle)
        {
            let parts = subject.indicators.iter().chain(&subject.observables).map(|entity| entity.object().clone());
            near.extend(parts.chain(subject.references.iter().cloned()));
        }
        // A marking that is none of the well-known ones may still be one of the traffic light protocol.
        let is_known = |id: &Identifier| {
            Tlp::from_identifier(id).is_some() || references.iter().chain(&near).any(|object| object.id() == id)
        };
        if !object.object_marking_refs().iter().all(is_known) {
            let entity = self.entity(&job.entity_id, &job.context).await?;
            references.extend(entity.iter().flat_map(|entity| &entity.markings).filter_map(definition));
        }
        let mut left_out = Vec::new();
        for select in around(&object) {
            let page = self.list(&select, &job.context).await?;
            if page.next.is_some() {
                let total = page.total.map_or_else(|| "more".to_owned(), |total| total.to_string());
                left_out.push(format!("only {RELATED} of {total} parts of the entity are searched"));
            }
            left_out.extend(page.skipped);
            for entity in page.items {
                references.extend(entity.markings.iter().filter_map(definition));
                near.push(entity.object);
            }
        }
        near.extend(references);
        Ok(Some((Subject::with_related(object, near), left_out)))
    }

    /// Those of the objects that exist, by any of their identifiers.
    pub(crate) async fn existing(&self, ids: &[Identifier], context: &Context) -> Result<Vec<Entity>, Error> {
        let mut found = Vec::new();
        for some in ids.chunks(100) {
            let select = Select::Ids(some.iter().map(ToString::to_string).collect());
            let page = self.list(&select, context).await?;
            found.extend(page.items.into_iter().map(|entity| Entity::new(entity.object)));
        }
        Ok(found)
    }

    /// Where an entity was sighted before.
    pub(crate) async fn sightings(&self, of: &Identifier, context: &Context) -> Result<Vec<KnownSighting>, Error> {
        let id = of.to_string();
        let mut found = Vec::new();
        let mut request = PageRequest::of(500);
        loop {
            let read = patiently(self.patience, self.metrics, self.log, "reading sightings", |_| {
                self.entities.sightings(&id, &request, context)
            });
            let page = match read.await {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => return Ok(found),
                other => other?,
            };
            let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
            found.extend(page.items.iter().map(|sighted| KnownSighting {
                ids: sighted.ids.clone(),
                of: sighted.of.clone(),
                at: sighted.at.clone(),
                author: sighted.author.clone(),
                first_seen: time(&sighted.first_seen),
                last_seen: time(&sighted.last_seen),
                count: sighted.count,
            }));
            match page.next {
                Some(next) if found.len() < SIGHTINGS && request.after.as_ref() != Some(&next) => {
                    request = request.after(next);
                }
                _ => return Ok(found),
            }
        }
    }

    async fn entity(&self, id: &str, context: &Context) -> Result<Option<opencti_client::Entity>, Error> {
        let read = patiently(self.patience, self.metrics, self.log, "reading the entity", |_| {
            self.entities.entity(id, context)
        });
        match read.await {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => Ok(None),
            other => other,
        }
    }

    async fn list(&self, select: &Select, context: &Context) -> Result<Page<opencti_client::Entity>, Error> {
        let read = patiently(self.patience, self.metrics, self.log, "reading what belongs to the entity", |_| {
            self.entities.list(select, RELATED, context)
        });
        match read.await {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => Ok(Page::default()),
            other => other,
        }
    }
}

/// What has to be read around an entity.
fn around(object: &Object) -> Vec<Select> {
    const SEARCHED: [&str; 3] = ["Indicator", "Stix-Cyber-Observable", "Vulnerability"];
    let id = object.id().to_string();
    match Entity::new(object.clone()).kind() {
        Some(Kind::Observable) => {
            let mut selects = vec![Select::indicators_of(id)];
            let marks = object.object_marking_refs();
            let ends = object.refs().into_iter().filter(|end| !marks.contains(end) && is_observable(end));
            let ends: Vec<String> = ends.map(|end| end.to_string()).take(100).collect();
            if !ends.is_empty() {
                selects.push(Select::Ids(ends));
            }
            selects
        }
        Some(Kind::Indicator) => vec![Select::observables_of(id)],
        Some(Kind::Container) => match object {
            Object::Report(_)
            | Object::Grouping(_)
            | Object::CaseIncident(_)
            | Object::CaseRfi(_)
            | Object::CaseRft(_)
            | Object::ObservedData(_) => vec![Select::contents_of(id, &SEARCHED)],
            _ => vec![Select::indicators_of_threat(id)],
        },
        Some(Kind::Vulnerability) | None => Vec::new(),
    }
}

fn is_observable(id: &Identifier) -> bool {
    !matches!(id.object_type(), "identity" | "marking-definition" | "relationship")
}

/// A marking as an object.
fn definition(marking: &Marking) -> Option<Object> {
    let family = marking.definition_type.to_lowercase();
    let object = json!({
        "type": "marking-definition", "spec_version": "2.1", "id": marking.standard_id,
        "created": "2017-01-20T00:00:00.000Z", "definition_type": family, "name": marking.definition,
        "definition": { family.clone(): marking.definition }, "x_opencti_definition": marking.definition,
    });
    Object::from_json(&object.to_string()).ok()
}
