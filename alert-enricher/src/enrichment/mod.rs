//! From an entity of the platform and what it was found in to one bundle and one sentence.
//!
//! Everything here is a function from values to values; searching and sending happen between the calls:
//!
//! 1. [`inspect`] decides whether an entity is searched, and by which of its indicators and observables.
//! 2. The caller builds and runs the queries, with [`HitReader::aggregation`] as their aggregation.
//! 3. [`HitReader`] makes [`Hits`] of each answer.
//! 4. [`Enricher::enrich`] makes sightings, incidents, what is in the alerts, a case and notes: an [`Enrichment`].
//! 5. [`answer`] says what to send, to the platform's queue or back to a playbook.
//!
//! The same input gives the same bytes. Identifiers of sightings, incidents, cases and notes depend on what they are
//! about, not on times, counts and texts, so a later run updates what an earlier one made.
//!
//! ```
//! use alert_enricher::enrichment::{
//!     Decision, EnrichmentOptions, Enricher, Findings, HitReader, Known, Subject, Trigger, inspect,
//! };
//! use stix_model::{Tlp, sco::Ipv4Addr};
//! use wazuh_query::catalogue::{Catalogue, Schema};
//!
//! let catalogue = Catalogue::builtin();
//! let options = EnrichmentOptions::new(Tlp::Amber, "https://wazuh.example.org");
//! let now = "2026-03-14T10:00:00Z".parse()?;
//!
//! let subject = Subject::new(Ipv4Addr::new("203.0.113.7").into());
//! let Decision::Search(plan) = inspect(&subject, &options, Trigger::Automatic, now) else { unreachable!() };
//!
//! // What the store answered: one alert.
//! let alert = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1.2","rule":{"id":"5710","level":5,
//!     "description":"sshd: invalid user"},"agent":{"id":"001","name":"web01"},"data":{"srcip":"203.0.113.7"}}"#;
//! let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
//! let hits = reader.read(1, [], [("wazuh-alerts-4.x-2026.03.14", "Yx3", alert)]);
//! let findings = Findings { targets: vec![(plan.targets[0].clone(), hits)], ..Findings::default() };
//!
//! let enricher = Enricher::new(&catalogue, &options, Schema::Wazuh4);
//! let enrichment = enricher.enrich(&subject, &plan, &findings, &Known::default(), now).map_err(|why| why.to_string())?;
//! assert!(enrichment.message.starts_with("IPv4-Addr 203.0.113.7 was seen once on 1 system: 1 sighting"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agent;
mod answer;
mod case;
mod gather;
mod hits;
mod incident;
mod inspect;
mod json;
mod known;
pub mod link;
pub mod markdown;
mod message;
pub mod naming;
mod note;
mod options;
mod places;
mod severity;
mod sighter;
mod sighting;
mod stamp;
mod subject;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::RandomState;
use stix_model::sco::Software;
use stix_model::sro::Relationship;
use stix_model::{Bundle, BundleBuilder, Identifier, Object, Timestamp, Tlp};
use wazuh_query::catalogue::{Catalogue, Schema};

pub use answer::{Answer, Outcome, answer};
pub use hits::{Bucket, Document, Findings, Group, HitReader, Hits, SearchFacts, State, Status, Tally};
pub use incident::NoIncident;
pub use inspect::{Decision, Dropped, Plan, Reason, Trigger, inspect};
pub use known::{Known, KnownSighting};
pub use link::Links;
pub use message::Counters;
pub use options::{EnrichmentOptions, IncidentMode, InspectOptions, UnknownChoice};
pub use severity::{Band, Severities, Severity, SeverityError};
pub use sighter::{Origin, Sighter};
pub use subject::{Entity, Kind, Subject};

use crate::extract::Extractor;
use gather::Gathered;
use incident::{Made, Run, place_of};
use places::{Identities, Places};
use sighting::Sighted;
use stamp::{Stamp, is_shared, share, unstamp};
use subject::Recognition;

/// What is sent for an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrichment {
    /// Everything, each object once, and what is referred to before what refers to it.
    pub bundle: Bundle,
    /// What was found and made, in a sentence.
    pub message: String,
    /// The same in numbers.
    pub counters: Counters,
    /// Why there is no incident, if there is none.
    pub no_incident: Option<NoIncident>,
}

impl Enrichment {
    /// The identifiers of what others may have described before: observables, techniques, tools, vulnerabilities. Each
    /// with the identifier under which the platform knows it, which may be another one.
    ///
    /// Ask the platform which of them exist, and hand the answer to [`without_stamps_on`](Self::without_stamps_on).
    pub fn shared(&self) -> Vec<Identifier> {
        let shared = self.bundle.objects.iter().filter(|object| is_shared(object));
        let mut ids: Vec<Identifier> = shared.flat_map(known_as).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The same without our author, markings and labels on objects that the platform has already: they would be added to
    /// what others made, and a label on the ignore list would keep it from being searched.
    #[must_use]
    pub fn without_stamps_on(mut self, existing: &BTreeSet<Identifier>) -> Self {
        take_stamps_off(&mut self.bundle.objects, existing);
        self
    }
}

/// That nothing was found, and what was not looked at: no hit is one answer, blindness another.
fn nothing_found(findings: &Findings<'_>, all: &Hits<'_>) -> Reason {
    let search = &findings.search;
    let mut open: Vec<String> = search.failures.iter().chain(&search.not_searched).cloned().collect();
    let is_cut = all.at_least || findings.targets.iter().any(|(_, hits)| hits.at_least);
    if is_cut && search.failures.is_empty() {
        open.push("the search was cut short before it had seen all alerts".to_owned());
    }
    if open.is_empty() { Reason::NoHits } else { Reason::NoHitsSoFar(open) }
}

/// The identifiers under which an object may be known.
fn known_as(object: &Object) -> impl Iterator<Item = Identifier> {
    use stix_model::id::{IdRules, deterministic_with};
    let platform = deterministic_with(IdRules::Platform, object.object_type(), object);
    std::iter::once(object.id().clone()).chain(platform)
}

fn take_stamps_off(objects: &mut [Object], existing: &BTreeSet<Identifier>) {
    if existing.is_empty() {
        return;
    }
    for object in objects {
        if is_shared(object) && known_as(object).any(|id| existing.contains(&id)) {
            unstamp(object);
        }
    }
}

/// Makes bundles of findings.
#[derive(Clone, Copy, Debug)]
pub struct Enricher<'c> {
    catalogue: &'c Catalogue,
    options: &'c EnrichmentOptions,
    schema: Schema,
}

impl<'c> Enricher<'c> {
    /// An enricher for alerts of `schema`.
    pub fn new(catalogue: &'c Catalogue, options: &'c EnrichmentOptions, schema: Schema) -> Self {
        Self { catalogue, options, schema }
    }

    /// Makes everything that follows from what an entity was found in. `plan` comes from [`inspect`], `known` from the
    /// platform; `now` is the time in the summary, and stands in where alerts have none.
    ///
    /// Fails where nothing was found, and where a limit is exceeded.
    pub fn enrich(
        &self,
        subject: &Subject,
        plan: &Plan,
        findings: &Findings<'_>,
        known: &Known,
        now: Timestamp,
    ) -> Result<Enrichment, Reason> {
        let options = self.options;
        let reader = HitReader::new(self.catalogue, options, self.schema);
        let states = findings.states.as_deref().unwrap_or_default();
        let mut installed_at: Vec<Sighter> = states.iter().map(|state| place_of(state, options)).collect();
        let identities = Identities::of(findings, &installed_at, options);
        let findings = &*identities.together(findings, &mut installed_at);
        let union;
        let all = match (&findings.all, findings.targets.as_slice()) {
            (Some(all), _) => all,
            (None, [(_, only)]) => only,
            (None, targets) => {
                union = hits::union(targets, &reader);
                &union
            }
        };
        if let Some(limit) = options.hits_abort_limit.filter(|limit| all.total > *limit) {
            return Err(Reason::TooManyHits { found: all.total, limit });
        }
        if all.is_empty() && states.is_empty() {
            return Err(match all.total {
                0 => nothing_found(findings, all),
                alerts => Reason::AllExcluded { alerts },
            });
        }
        let Some(kind) = subject.entity.kind() else {
            return Err(Reason::UnsupportedType(subject.entity.entity_type().to_owned()));
        };
        let installed: Vec<(&Sighter, &State)> = installed_at.iter().zip(states).collect();
        let stamp = Stamp::new(options);
        let mut places = Places::new(&identities);
        places.add(&Sighter::Siem, None, None);
        for group in findings.targets.iter().flat_map(|(_, hits)| &hits.groups).chain(&all.groups) {
            places.add(&group.sighter, group.agent_id.as_deref(), group.tally.first);
        }
        for (place, state) in &installed {
            places.add(place, Some(&state.agent_id), state.since);
        }
        let run = Run {
            options,
            catalogue: self.catalogue,
            subject,
            kind,
            indicators: plan.indicators.iter().filter_map(|id| subject.find(id)).collect(),
            identities: places.identities(),
            siem: Sighter::Siem.identity(options, &[]).id().clone(),
            stamp,
            now,
        };
        let targets: Vec<&Entity> =
            findings.targets.iter().filter_map(|(id, _)| subject.find(id)).chain([&subject.entity]).collect();
        let recognition = Recognition::new(subject.entities());

        let mut out = Output::default();
        out.frame(&run, &places);
        let sighted = self.sight(&run, findings, &installed, known, &mut out);
        let made = incident::incidents(&run, findings, all, &installed);
        let (made, no_incident) = match made {
            Ok(made) => (made, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let mut wanted = vec![false; all.documents.len()];
        for place in made.iter().flat_map(|made| &made.documents) {
            wanted[*place] = true;
        }
        // Places of alerts in incidents are those among all alerts.
        let documents: Vec<&Document<'_>> = all.documents.iter().collect();
        let extractor = Extractor::new(self.catalogue, &options.extract);
        let gathered = Gathered::new(documents, &wanted, &extractor, &recognition, &run.stamp);
        for made in &made {
            if !out.builder.contains(made.incident.id()) {
                out.incidents.push(made.incident.id().clone());
            }
            out.push(made.incident.clone());
        }
        let links: Vec<Relationship> = made.iter().flat_map(|made| run.relationships(made, &gathered)).collect();
        let cut = gathered.cut;
        for object in gathered.into_objects() {
            out.push(object);
        }
        for link in links {
            out.push(link);
        }
        for object in agent::observables(&run, &all.documents, &recognition) {
            out.push(object);
        }
        let values: Vec<String> = targets.iter().flat_map(|target| target.values()).collect();
        for note in note::alert_notes(&run, &sighted, &values) {
            out.push(note);
        }
        let summary = note::Summary {
            findings,
            all,
            sightings: out.sightings.clone(),
            incidents: out.incidents.clone(),
            no_incident: no_incident.as_ref(),
            cut,
        };
        if let Some(note) = run.summary(&summary) {
            out.push(note);
        }
        if options.create_incident_response && !made.is_empty() {
            let refs = out.case_refs(&run, &made);
            if let Some(case) = run.case(&made, all, refs) {
                out.push(case);
            }
        }
        let places_seen = all.groups.iter().map(|group| &group.sighter).chain(&installed_at);
        let systems = places_seen.collect::<hashbrown::HashSet<_, RandomState>>().len();
        let mut bundle = out.builder.build();
        take_stamps_off(&mut bundle.objects, &known.existing);
        let organisations: BTreeSet<Identifier> = subject.entity.granted_refs().into_iter().collect();
        if !organisations.is_empty() {
            bundle.objects.iter_mut().for_each(|object| share(object, &organisations));
        }
        if let Some(limit) = options.bundle_abort_limit.filter(|limit| bundle.objects.len() > *limit) {
            return Err(Reason::BundleTooLarge { found: bundle.objects.len(), limit });
        }
        let mut counters = count(&bundle);
        counters.hits = if all.is_empty() { states.len() as u64 } else { all.count() };
        counters.at_least = all.at_least;
        counters.beyond = all.beyond();
        counters.unreadable = all.unreadable;
        counters.systems = systems;
        let message = message::sentence(subject.entity.label(), &counters, no_incident.as_ref());
        Ok(Enrichment { bundle, message, counters, no_incident })
    }

    /// Sightings of every target, and of what inventories say.
    fn sight<'h>(
        &self,
        run: &Run<'h>,
        findings: &'h Findings<'h>,
        installed: &[(&'h Sighter, &'h State)],
        known: &Known,
        out: &mut Output,
    ) -> Vec<Sighted<'h>> {
        let mut all: Vec<Sighted<'h>> = Vec::new();
        for (id, hits) in &findings.targets {
            let Some(target) = run.subject.find(id) else { continue };
            let made = sighting::sightings(target, hits, &run.identities, known, &run.stamp, self.options, run.now);
            for (sighting, sighted) in made {
                // The platform may know sightings of two targets as one.
                if !out.builder.contains(&sighted.id) {
                    out.sightings.push(sighted.id.clone());
                }
                out.push(sighting);
                all.push(sighted);
            }
        }
        let entity = &run.subject.entity;
        let mut by_place: BTreeMap<&Sighter, Tally> = BTreeMap::new();
        for (place, state) in installed {
            let tally = Tally { count: 1, first: state.since, last: state.since };
            by_place.entry(place).or_default().add(tally);
        }
        for (place, tally) in by_place {
            let Some(place_id) = run.identities.get(place) else { continue };
            let is_sighted = |sighted: &Sighted<'_>| sighted.sighter == place && sighted.of == *entity.id();
            // Alerts count better than what is left of them.
            if !all.iter().any(is_sighted) {
                let mut sighting = sighting::sighting(entity, place_id, tally, known, &run.stamp, run.now);
                let name = markdown::short_code(&place.name(self.options), 200);
                sighting.description = Some(format!("In the inventory of {name}"));
                out.sightings.push(sighting.id().clone());
                out.push(sighting);
            }
        }
        out.inventory(run, installed);
        all
    }
}

/// The bundle in the making.
#[derive(Default)]
struct Output {
    builder: BundleBuilder,
    sightings: Vec<Identifier>,
    incidents: Vec<Identifier>,
    /// Everything for the case, in order.
    ids: Vec<Identifier>,
    frame: BTreeSet<Identifier>,
}

impl Output {
    fn push(&mut self, object: impl Into<Object>) {
        let object = object.into();
        let (id, before) = (object.id().clone(), self.builder.len());
        self.builder.push(object);
        if self.builder.len() > before {
            self.ids.push(id);
        }
    }

    /// Author, markings, the SIEM and the other places.
    fn frame(&mut self, run: &Run<'_>, places: &Places<'_>) {
        for marking in &run.options.tlps {
            if let Some(level) = Tlp::from_identifier(marking) {
                self.push(level.definition());
            }
        }
        let mut author = run.options.author();
        run.stamp.author(&mut author.common);
        self.push(author);
        self.frame.extend(self.ids.iter().cloned());
        let siem = run.identities.get(&Sighter::Siem).cloned();
        for (sighter, place) in &places.seen {
            let agents: Vec<&str> = place.agents.iter().copied().collect();
            let mut identity = sighter.identity(run.options, &agents);
            run.stamp.domain(&mut identity.common);
            let id = identity.id().clone();
            self.push(identity);
            if matches!(sighter, Sighter::Agent(_) | Sighter::Account(..))
                && let Some(siem) = siem.as_ref().filter(|siem| **siem != id)
            {
                let mut link = Relationship::new("related-to", id, siem.clone(), place.first.unwrap_or(run.now));
                run.stamp.domain(&mut link.common);
                self.push(link);
            }
        }
    }

    /// What inventories say: packages, which have the vulnerability, and the agents that have them.
    fn inventory(&mut self, run: &Run<'_>, installed: &[(&Sighter, &State)]) {
        let entity = &run.subject.entity;
        for (place, state) in installed {
            let created = state.since.unwrap_or(run.now);
            let package = state.package.as_ref().filter(|(name, _)| !name.trim().is_empty());
            let software = package.map(|(name, version)| {
                Software { name: name.clone(), version: version.clone(), ..Software::default() }.identified()
            });
            let software = match software {
                Some(_) if run.kind == Kind::Observable => entity.id().clone(),
                Some(software) => {
                    let mut object: Object = software.into();
                    run.stamp.extracted(&mut object);
                    let id = object.id().clone();
                    self.push(object);
                    if run.kind == Kind::Vulnerability {
                        let mut link = Relationship::new("has", id.clone(), entity.id().clone(), created);
                        run.stamp.domain(&mut link.common);
                        self.push(link);
                    }
                    id
                }
                None => continue,
            };
            if let Some(place) = run.identities.get(*place) {
                let mut link = Relationship::new("related-to", place.clone(), software, created);
                link.description = Some("Installed, as the inventory says".to_owned());
                run.stamp.domain(&mut link.common);
                self.push(link);
            }
        }
    }

    /// What belongs into the case: everything but the author, markings and notes; and the entity with its indicators. Of
    /// a container, only what was found of it.
    fn case_refs(&self, run: &Run<'_>, made: &[Made<'_>]) -> Vec<Identifier> {
        let is_part = |id: &&Identifier| id.object_type() != "note" && !self.frame.contains(*id);
        let mut refs: Vec<Identifier> = self.ids.iter().filter(is_part).cloned().collect();
        let mut further: BTreeSet<&Identifier> = BTreeSet::new();
        let indicators: &[&Entity] = if run.kind == Kind::Container { &[] } else { &run.indicators };
        let found = made.iter().flat_map(|made| made.targets.iter().copied());
        for entity in std::iter::once(&run.subject.entity).chain(indicators.iter().copied()).chain(found) {
            if may_be_held(entity) && !self.builder.contains(entity.id()) && further.insert(entity.id()) {
                refs.push(entity.id().clone());
            }
        }
        refs
    }
}

/// Whether a case may hold an entity: containers do not hold containers.
fn may_be_held(entity: &Entity) -> bool {
    !matches!(
        entity.object(),
        Object::Report(_)
            | Object::Grouping(_)
            | Object::CaseIncident(_)
            | Object::CaseRfi(_)
            | Object::CaseRft(_)
            | Object::ObservedData(_)
    )
}

fn count(bundle: &Bundle) -> Counters {
    let mut counters = Counters { objects: bundle.objects.len(), ..Counters::default() };
    for object in &bundle.objects {
        let counter = match object {
            Object::Sighting(_) => &mut counters.sightings,
            Object::Incident(_) => &mut counters.incidents,
            Object::CaseIncident(_) => &mut counters.cases,
            Object::Note(_) => &mut counters.notes,
            object if is_shared(object) => &mut counters.extracted,
            _ => continue,
        };
        *counter += 1;
    }
    counters
}
