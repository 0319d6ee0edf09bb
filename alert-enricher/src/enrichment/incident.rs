//! Incidents: for what they are made, how severe they are, and what they are related to.
//!
//! The identifier of an incident depends on the entity and on what the incident is made for (the run, a place, a rule, an
//! alert), not on times and counts: when more is seen, the incident grows. The name says the same, because the platform
//! tells incidents apart by name and time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hash;

use foldhash::fast::RandomState;
use stix_model::sdo::Incident;
use stix_model::sro::Relationship;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::catalogue::{Catalogue, Holds};
use wazuh_query::value::trim;

use super::gather::{Gathered, Told};
use super::hits::{Document, Findings, Group, Hits, Seen, State, Status, Tally};
use super::markdown::{cut, one_line, push_code, short_code};
use super::options::{EnrichmentOptions, IncidentMode};
use super::severity::{Severity, score_of_word};
use super::sighter::{Origin, Sighter};
use super::sighting::{fair, reference};
use super::stamp::{Stamp, not_before, stable_id};
use super::subject::{Entity, Kind, Subject};
use super::text::{push_rule, rule, rule_table, times, when};

/// What all steps of one run need.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    pub options: &'r EnrichmentOptions,
    pub catalogue: &'r Catalogue,
    pub subject: &'r Subject,
    pub kind: Kind,
    /// The usable indicators.
    pub indicators: Vec<&'r Entity>,
    pub identities: BTreeMap<&'r Sighter, Identifier>,
    /// The identity of the SIEM.
    pub siem: Identifier,
    pub stamp: Stamp,
    pub now: Timestamp,
}

/// An incident with what it was made of.
#[derive(Debug)]
pub(crate) struct Made<'h> {
    pub incident: Incident,
    pub severity: Severity,
    /// Its alerts, by their places among those that were returned.
    pub documents: Vec<usize>,
    places: Vec<&'h Sighter>,
    /// The indicators and observables that were seen.
    pub targets: Vec<&'h Entity>,
}

/// Why no incident is made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NoIncident {
    /// Incidents are switched off.
    SwitchedOff,
    /// No usable indicator is based on the observable.
    NoIndicator,
    /// Vulnerabilities make no incidents.
    NoScoreThreshold,
    /// The vulnerability's score is too low.
    Score {
        /// The score, 0 if nothing tells it.
        found: f64,
        /// The lowest one that counts.
        threshold: f64,
    },
    /// The vulnerability was resolved everywhere.
    Resolved,
    /// Everything that was seen is of rules that make no incidents, or of levels below the threshold.
    Rules,
}

impl fmt::Display for NoIncident {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SwitchedOff => formatter.write_str("incidents are switched off (`create_incident`)"),
            Self::NoIndicator => formatter.write_str("no usable indicator is based on the observable"),
            Self::NoScoreThreshold => formatter.write_str("`vulnerability_incident_cvss3_score_threshold` is not set"),
            Self::Score { found, threshold } => write!(formatter, "the score {found} is below {threshold}"),
            Self::Resolved => formatter.write_str("the vulnerability was resolved everywhere"),
            Self::Rules => formatter.write_str("all alerts are of excluded rules or low levels"),
        }
    }
}

/// What an incident is made for.
struct Scope<'h> {
    suffix: String,
    /// What the identifier depends on beside the entity.
    seed: Vec<String>,
    seen: Seen<'h>,
    places: Vec<&'h Sighter>,
    targets: Vec<&'h Entity>,
    documents: Vec<usize>,
    sentence: String,
}

/// The incidents of a run in the order of what they are made for, or why there are none.
pub(crate) fn incidents<'h>(
    run: &Run<'h>,
    findings: &'h Findings<'h>,
    all: &'h Hits<'h>,
    installed: &[(&'h Sighter, &'h State)],
) -> Result<Vec<Made<'h>>, NoIncident> {
    let options = run.options;
    if options.create_incident == IncidentMode::Never {
        return Err(NoIncident::SwitchedOff);
    }
    let score = gate(run, findings, all)?;
    let counts = |rule: &str| !options.incident_rule_exclude_list.contains(rule);
    let groups: Vec<&'h Group> = all.groups.iter().filter(|group| counts(&group.rule)).collect();
    let mut made = Vec::new();
    for scope in scopes(run, findings, all, &groups, installed) {
        // What is known from an inventory has no rule, hence no level.
        let has_level = !scope.seen.rules.is_empty();
        if has_level && scope.seen.level() < options.create_incident_threshold {
            continue;
        }
        let severity = match score {
            Some(score) => options.severities.of_score(score),
            None => options.severities.of_level(scope.seen.level()),
        };
        made.extend(run.incident(scope, severity, all));
    }
    if made.is_empty() { Err(NoIncident::Rules) } else { Ok(made) }
}

/// Whether there may be incidents at all; of a vulnerability, the score.
fn gate(run: &Run<'_>, findings: &Findings<'_>, all: &Hits<'_>) -> Result<Option<f64>, NoIncident> {
    let options = run.options;
    match run.kind {
        Kind::Observable if options.require_indicator_for_incidents && run.indicators.is_empty() => {
            Err(NoIncident::NoIndicator)
        }
        Kind::Vulnerability => {
            let threshold = options.vulnerability_incident_score_threshold.ok_or(NoIncident::NoScoreThreshold)?;
            let found = score(run, findings, all);
            if found.unwrap_or(0.0) < threshold {
                return Err(NoIncident::Score { found: found.unwrap_or(0.0), threshold });
            }
            if options.vulnerability_incident_active_only && !is_active(findings, all) {
                return Err(NoIncident::Resolved);
            }
            Ok(found)
        }
        _ => Ok(None),
    }
}

/// The CVSS score of the vulnerability: as the platform says, else as the inventory or the alerts say.
fn score(run: &Run<'_>, findings: &Findings<'_>, all: &Hits<'_>) -> Option<f64> {
    let highest = |scores: &mut dyn Iterator<Item = f64>| {
        scores.filter(|score| (0.0..=10.0).contains(score) && *score > 0.0).max_by(f64::total_cmp)
    };
    let of_platform = run.subject.entity.cvss_score();
    let of_inventory = || highest(&mut findings.states.iter().flatten().filter_map(|state| state.score));
    let of_alerts = || {
        let about_it = all.documents.iter().filter(|document| is_about(document, run));
        let leaves = about_it.flat_map(|document| &document.alert.leaves);
        let scores = leaves.filter_map(|leaf| {
            let field = run.catalogue.field(leaf.field);
            match field.holds {
                Holds::CvssScore if field.uses.extract => leaf.text.trim().parse().ok(),
                Holds::VulnerabilitySeverity => score_of_word(&leaf.text),
                _ => None,
            }
        });
        highest(&mut scores.into_iter())
    };
    of_platform.or_else(of_inventory).or_else(of_alerts)
}

/// Whether an alert is about exactly this vulnerability, not about one whose number begins alike.
fn is_about(document: &Document<'_>, run: &Run<'_>) -> bool {
    let Object::Vulnerability(vulnerability) = run.subject.entity.object() else { return false };
    let name = vulnerability.name.trim();
    document.alert.leaves.iter().any(|leaf| {
        run.catalogue.field(leaf.field).holds == Holds::Vulnerability && leaf.text.trim().eq_ignore_ascii_case(name)
    })
}

/// Whether the vulnerability is still there somewhere: as the inventory says, else as the newest alert of each place does.
fn is_active(findings: &Findings<'_>, all: &Hits<'_>) -> bool {
    if let Some(states) = &findings.states {
        return !states.is_empty();
    }
    let mut places: BTreeMap<(&Sighter, Option<&str>), [Option<Timestamp>; 2]> = BTreeMap::new();
    for group in &all.groups {
        let newest = places.entry((&group.sighter, group.agent_id.as_deref())).or_default();
        // An alert that says nothing about it says that it was there.
        let slot = &mut newest[usize::from(group.status == Some(Status::Solved))];
        let last = group.tally.last.unwrap_or(Timestamp::UNIX_EPOCH);
        *slot = (*slot).max(Some(last));
    }
    places.values().any(|[active, solved]| active > solved)
}

/// What incidents may be made for.
fn scopes<'h>(
    run: &Run<'h>,
    findings: &'h Findings<'h>,
    all: &'h Hits<'h>,
    groups: &[&'h Group],
    installed: &[(&'h Sighter, &'h State)],
) -> Vec<Scope<'h>> {
    let options = run.options;
    let exclude = &options.incident_rule_exclude_list;
    let documents = || {
        let fits = |(_, document): &(usize, &'h Document<'h>)| !exclude.contains(trim(document.rule()));
        all.documents.iter().enumerate().filter(fits)
    };
    let counts = |group: &&'h Group| !exclude.contains(&group.rule);
    let targets = || findings.targets.iter().filter_map(|(id, hits)| Some((run.subject.find(id)?, hits)));
    let places = |groups: &[&'h Group]| -> Vec<&'h Sighter> {
        let of_alerts = groups.iter().map(|group| &group.sighter);
        let places: BTreeSet<&'h Sighter> = of_alerts.collect();
        places.into_iter().collect()
    };
    let label = run.subject_phrase();
    let bound = |seen: &Seen<'_>| times(seen.tally.count, all.at_least);
    match options.create_incident {
        IncidentMode::Never => Vec::new(),
        IncidentMode::PerQuery => {
            let mut places: BTreeSet<&'h Sighter> = places(groups).into_iter().collect();
            places.extend(installed.iter().map(|(place, _)| *place));
            let mut seen = Seen::of(groups.iter().copied());
            extend(&mut seen, installed.iter().map(|(_, state)| *state), groups.is_empty());
            if seen.tally.count == 0 {
                return Vec::new();
            }
            let systems = super::text::counted(places.len(), "system");
            let found = targets().filter(|(_, hits)| hits.groups.iter().any(|group| counts(&group)));
            let sentence =
                format!("{label} seen {} in {systems}{}.", bound(&seen), when(seen.tally.first, seen.tally.last));
            vec![Scope {
                suffix: String::new(),
                seed: Vec::new(),
                places: places.into_iter().collect(),
                targets: run.or_subject(found.map(|(target, _)| target).collect()),
                documents: documents().map(|(place, _)| place).collect(),
                sentence,
                seen,
            }]
        }
        IncidentMode::PerSighting => {
            let mut by_place: BTreeMap<&'h Sighter, Vec<&'h Group>> = BTreeMap::new();
            for group in groups {
                by_place.entry(&group.sighter).or_default().push(group);
            }
            for (place, _) in installed {
                by_place.entry(place).or_default();
            }
            let mut documents = by(documents().map(|(place, document)| (&document.sighter, place)));
            let groups = |hits: &'h Hits<'h>| hits.groups.iter().filter(counts);
            let found = targets().flat_map(|(target, hits)| groups(hits).map(move |group| (&group.sighter, target)));
            let mut targets = by(found);
            let scope = |(place, groups): (&'h Sighter, Vec<&'h Group>)| {
                let name = place.name(options);
                let mut seen = Seen::of(groups.iter().copied());
                let here = installed.iter().filter(|(other, _)| *other == place).map(|(_, state)| *state);
                extend(&mut seen, here, groups.is_empty());
                let place_id = run.identities.get(place)?;
                Some(Scope {
                    suffix: format!(" in {name}"),
                    seed: vec![place_id.to_string()],
                    places: vec![place],
                    targets: run.or_subject(targets.remove(place).unwrap_or_default()),
                    documents: documents.remove(place).unwrap_or_default(),
                    sentence: format!(
                        "{label} seen {} in {}{}.",
                        bound(&seen),
                        short_code(&name, 200),
                        when(seen.tally.first, seen.tally.last)
                    ),
                    seen,
                })
            };
            by_place.into_iter().filter_map(scope).collect()
        }
        IncidentMode::PerAlertRule => {
            let mut by_rule: BTreeMap<&'h str, Vec<&'h Group>> = BTreeMap::new();
            for group in groups {
                by_rule.entry(&group.rule).or_default().push(group);
            }
            let mut documents = by(documents().map(|(place, document)| (trim(document.rule()), place)));
            let found =
                targets().flat_map(|(target, hits)| hits.groups.iter().map(move |group| (&*group.rule, target)));
            let mut targets = by(found);
            let scope = |(id, groups): (&'h str, Vec<&'h Group>)| {
                let seen = Seen::of(groups.iter().copied());
                let description = seen.rules.values().next().map(|rule| &*rule.description).unwrap_or_default();
                Scope {
                    suffix: format!(" by rule {}", one_line(id)),
                    seed: vec![id.to_owned()],
                    places: places(&groups),
                    targets: targets.remove(id).unwrap_or_default(),
                    documents: documents.remove(id).unwrap_or_default(),
                    sentence: format!(
                        "{label} seen {} by {}{}.",
                        bound(&seen),
                        rule(id, description),
                        when(seen.tally.first, seen.tally.last)
                    ),
                    seen,
                }
            };
            by_rule.into_iter().map(scope).collect()
        }
        IncidentMode::PerAlert => {
            let found = targets().flat_map(|(target, hits)| {
                hits.documents.iter().map(move |document| ((document.index, document.id), target))
            });
            let mut targets = by(found);
            let scope = |(place, document): (usize, &'h Document<'h>)| {
                let time = document.alert.timestamp;
                let seen = super::hits::RuleSeen {
                    level: document.level(),
                    description: document.description().into(),
                    tally: Tally { count: 1, first: time, last: time },
                };
                let name = document.sighter.name(options);
                Scope {
                    suffix: format!(" in {name} (rule {}, alert {})", one_line(document.rule()), one_line(document.id)),
                    seed: vec![document.id.to_owned()],
                    places: vec![&document.sighter],
                    targets: targets.remove(&(document.index, document.id)).unwrap_or_default(),
                    documents: vec![place],
                    sentence: format!(
                        "{label} seen in {} by {} in alert {}{}.",
                        short_code(&name, 200),
                        rule(document.rule(), document.description()),
                        short_code(document.id, 200),
                        when(time, None)
                    ),
                    seen: Seen { tally: seen.tally, rules: [(document.rule(), seen)].into() },
                }
            };
            documents().map(scope).collect()
        }
    }
}

/// What belongs to each key, in order and without repetitions next to each other.
fn by<K: Eq + Hash, V: PartialEq>(found: impl Iterator<Item = (K, V)>) -> hashbrown::HashMap<K, Vec<V>, RandomState> {
    let mut all: hashbrown::HashMap<K, Vec<V>, RandomState> = hashbrown::HashMap::default();
    for (key, value) in found {
        let values = all.entry(key).or_default();
        if values.last() != Some(&value) {
            values.push(value);
        }
    }
    all
}

/// Adds what an inventory says to what was seen. Alerts have been counted already where there are some.
fn extend<'s>(seen: &mut Seen<'_>, states: impl Iterator<Item = &'s State>, count: bool) {
    for state in states {
        let tally = Tally { count: u64::from(count), first: state.since, last: state.since };
        seen.tally.add(tally);
    }
}

impl<'h> Run<'h> {
    /// The entity, or what it stands for, up to the verb.
    fn subject_phrase(&self) -> String {
        let label = short_code(self.subject.entity.label(), 200);
        match self.kind {
            Kind::Container => format!("Indicators or observables of {label} were"),
            _ => format!("{label} was"),
        }
    }

    /// What incidents are about where no alert tells: the entity itself.
    fn or_subject(&self, targets: Vec<&'h Entity>) -> Vec<&'h Entity> {
        if targets.is_empty() && self.kind != Kind::Container { vec![&self.subject.entity] } else { targets }
    }

    fn incident(&self, scope: Scope<'h>, severity: Severity, all: &Hits<'h>) -> Option<Made<'h>> {
        let options = self.options;
        let Tally { first, last, .. } = scope.seen.tally;
        let created = first.or(last).unwrap_or(self.now);
        let name = format!("Wazuh alert: {} sighted{}", self.subject.entity.label(), scope.suffix);
        let mut incident = Incident::new(name, created);
        // Two SIEMs that sight the same have an incident each.
        let siem = self.siem.to_string();
        let entity = self.subject.entity.id().to_string();
        let mut seed = vec!["incident", options.create_incident.name(), siem.as_str(), entity.as_str()];
        seed.extend(scope.seed.iter().map(String::as_str));
        incident.common.id = stable_id(Incident::TYPE, &seed)?;
        incident.common.modified = not_before(created, last);
        incident.first_seen = first;
        incident.last_seen = last.or(first);
        incident.incident_type = Some("alert".to_owned());
        incident.source = Some(options.system_name.clone());
        incident.severity = Some(options.severities.name(severity).to_owned());
        let table = if options.create_incident == IncidentMode::PerAlert || scope.seen.rules.is_empty() {
            String::new()
        } else {
            format!("\n\n{}", rule_table(&scope.seen, &options.links, all.at_least))
        };
        incident.description = Some(scope.sentence + &table);
        if options.create_incident_links {
            let documents: Vec<&Document<'_>> =
                scope.documents.iter().filter_map(|place| all.documents.get(*place)).collect();
            let chosen = fair(&documents, options.max_extrefs, options.max_extrefs_per_alert_rule);
            incident.common.external_references =
                chosen.iter().map(|document| reference(document, &options.links)).collect();
        }
        self.stamp.domain(&mut incident.common);
        let Scope { documents, places, targets, .. } = scope;
        Some(Made { incident, severity, documents, places, targets })
    }

    /// What an incident is related to: the entities that were seen, the places, the indicators, and what else is in its
    /// alerts.
    pub(crate) fn relationships(&self, made: &Made<'_>, gathered: &Gathered<'_>) -> Vec<Relationship> {
        let incident = made.incident.id();
        let created = made.incident.common.created;
        let finds = gathered.finds(&made.documents);
        let mut links = Vec::new();
        let told = |id: &Identifier| {
            let told = finds.iter().find(|told| told.find.id == *id)?;
            Some(self.found_in(told))
        };
        let mut indicators: Vec<&Identifier> = Vec::new();
        if self.kind != Kind::Container {
            indicators.extend(self.indicators.iter().map(|indicator| indicator.id()));
        }
        let mut related: BTreeSet<&Identifier> = BTreeSet::new();
        for target in &made.targets {
            let verb = match target.kind() {
                Some(Kind::Indicator) => {
                    indicators.push(target.id());
                    continue;
                }
                Some(Kind::Vulnerability) => "targets",
                _ => "related-to",
            };
            if related.insert(target.id()) {
                let mut link = Relationship::new(verb, incident.clone(), target.id().clone(), created);
                link.description = told(target.id());
                links.push(link);
            }
        }
        for place in made.places.iter().filter_map(|place| self.identities.get(place)) {
            links.push(Relationship::new("targets", incident.clone(), place.clone(), created));
        }
        let usable: BTreeSet<&Identifier> = self.indicators.iter().map(|indicator| indicator.id()).collect();
        for indicator in indicators {
            if usable.contains(indicator) && related.insert(indicator) {
                links.push(Relationship::new("indicates", indicator.clone(), incident.clone(), created));
            }
        }
        for told in &finds {
            let id = &told.find.id;
            if !related.insert(id) {
                continue;
            }
            let verb = match id.object_type() {
                "attack-pattern" | "tool" => "uses",
                "vulnerability" => "targets",
                _ => "related-to",
            };
            let mut link = Relationship::new(verb, incident.clone(), id.clone(), told.document.time());
            link.description = Some(self.found_in(told));
            links.push(link);
        }
        for link in &mut links {
            self.stamp.domain(&mut link.common);
        }
        links
    }

    /// The alert and the field that something came from.
    fn found_in(&self, told: &Told<'_, '_>) -> String {
        let Told { find, document, alerts } = told;
        // There is one such sentence for everything that is found, so it is written in one go.
        let mut text = String::with_capacity(256);
        text.push_str("Found ");
        if let Some(path) = Gathered::path(self.catalogue, find.field) {
            text.push_str("in ");
            push_code(&mut text, &cut(path, 200));
            text.push(' ');
        }
        text.push_str("of alert ");
        push_code(&mut text, &cut(document.id, 200));
        text.push_str(" (");
        push_rule(&mut text, document.rule(), document.description());
        text.push(')');
        if *alerts > 1 {
            text.push_str("; and in ");
            text.push_str(&super::text::counted(alerts - 1, "alert"));
            text.push_str(" more");
        }
        text
    }
}

/// The place that a state of an inventory was seen at.
pub(crate) fn place_of(state: &State, options: &EnrichmentOptions) -> Sighter {
    let origin = Origin { agent_id: Some(&state.agent_id), agent_name: Some(&state.agent_name), account: None };
    Sighter::new(origin, options)
}
