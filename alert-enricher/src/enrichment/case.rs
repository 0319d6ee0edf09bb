//! The case of incident response.

use stix_model::Identifier;
use stix_model::sdo::{CaseIncident, Incident};

use super::hits::{Hits, Seen};
use super::incident::{Made, Run};
use super::markdown::short_code;
use super::note::earliest;
use super::severity::Severity;
use super::stamp::stable_id;
use super::subject::{Entity, Kind};
use super::text::{counted, times, when};

/// Most entities that a description names.
const NAMED: usize = 10;

impl Run<'_> {
    /// The case with all incidents of the entity. There is one per entity, which grows.
    pub(crate) fn case(&self, made: &[Made<'_>], all: &Hits<'_>, object_refs: Vec<Identifier>) -> Option<CaseIncident> {
        let options = self.options;
        let severity: Severity = made.iter().map(|made| made.severity).max()?;
        let incidents = || made.iter().map(|made| &made.incident);
        let created = earliest(incidents().map(|incident: &Incident| incident.common.created))?;
        let entity = &self.subject.entity;
        let mut case = CaseIncident::new(format!("{} sighted", entity.label()), created);
        let siem = self.siem.to_string();
        case.common.id = stable_id(CaseIncident::TYPE, &["case", &siem, &entity.id().to_string()])?;
        case.common.modified = incidents().map(|incident| incident.common.modified).max()?.max(created);
        case.severity = Some(options.severities.name(severity).to_owned());
        case.priority = Some(options.severities.priority(severity).to_owned());
        let named = |entities: &[&Entity], what: &str| {
            let names: Vec<String> = entities.iter().take(NAMED).map(|one| short_code(one.label(), 200)).collect();
            let more = match entities.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(" ({what} {}{more})", names.join(", "))
        };
        let context = match self.kind {
            Kind::Observable if self.indicators.is_empty() => " (no indicator)".to_owned(),
            Kind::Observable => named(&self.indicators, "part of"),
            Kind::Container => {
                let mut found: Vec<&Entity> = made.iter().flat_map(|made| made.targets.iter().copied()).collect();
                found.sort_by_key(|entity| entity.id());
                found.dedup_by_key(|entity| entity.id());
                named(&found, "of it")
            }
            Kind::Indicator | Kind::Vulnerability => String::new(),
        };
        let seen = Seen::of(&all.groups);
        case.description = Some(format!(
            "{}{context} was sighted {}{}. The case holds {}.",
            short_code(entity.label(), 200),
            times(seen.tally.count, all.at_least),
            when(seen.tally.first, seen.tally.last),
            counted(made.len(), "incident"),
        ));
        case.object_refs = object_refs;
        self.stamp.domain(&mut case.common);
        Some(case)
    }
}
