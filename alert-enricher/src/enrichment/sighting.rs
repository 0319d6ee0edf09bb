//! Sightings: that an indicator or observable was seen, where, when and how often.
//!
//! There is one sighting per entity and place, and its identifier depends on these two only. A second run therefore
//! updates it; [`KnownSighting`](super::KnownSighting) tells how its count stays right.
//!
//! `sighting_of_ref` names the entity itself, also where it is an observable. The platform takes that in every version,
//! and so does the validator of OASIS, although STIX means a domain object there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use stix_model::sro::Sighting;
use stix_model::{ExternalReference, Identifier, Timestamp};

use super::hits::{Document, Group, Hits, Seen, Tally};
use super::known::Known;
use super::link::Links;
use super::options::EnrichmentOptions;
use super::sighter::Sighter;
use super::stamp::{Stamp, not_before};
use super::subject::Entity;
use super::text::{alert_table, rule_table, times, when};

/// A sighting that is made, with what it was made of.
#[derive(Debug)]
pub(crate) struct Sighted<'h> {
    pub sighter: &'h Sighter,
    pub id: Identifier,
    /// What was sighted.
    pub of: Identifier,
    pub seen: Seen<'h>,
    /// Its alerts, the earliest first.
    pub documents: Vec<&'h Document<'h>>,
}

/// The sightings of one entity, in the order of places.
pub(crate) fn sightings<'h>(
    entity: &Entity,
    hits: &'h Hits<'h>,
    identities: &BTreeMap<&Sighter, Identifier>,
    known: &Known,
    stamp: &Stamp,
    options: &EnrichmentOptions,
    now: Timestamp,
) -> Vec<(Sighting, Sighted<'h>)> {
    let mut groups: BTreeMap<&'h Sighter, Vec<&'h Group>> = BTreeMap::new();
    for group in &hits.groups {
        groups.entry(&group.sighter).or_default().push(group);
    }
    let mut documents: HashMap<&'h Sighter, Vec<&'h Document<'h>>, RandomState> = HashMap::default();
    for document in &hits.documents {
        documents.entry(&document.sighter).or_default().push(document);
    }
    let made = groups.into_iter().filter_map(|(sighter, groups)| {
        let seen = Seen::of(groups);
        let place = identities.get(sighter)?;
        let documents = documents.remove(sighter).unwrap_or_default();
        let mut sighting = sighting(entity, place, seen.tally, known, stamp, now);
        sighting.description = Some(format!(
            "Seen {} in {}{}.\n\n{}",
            times(seen.tally.count, hits.at_least),
            super::markdown::short_code(&sighter.name(options), 200),
            when(seen.tally.first, seen.tally.last),
            rule_table(&seen, &options.links, hits.at_least),
        ));
        let chosen = fair(&documents, options.max_extrefs, options.max_extrefs_per_alert_rule);
        sighting.common.external_references =
            chosen.iter().map(|document| reference(document, &options.links)).collect();
        let (id, of) = (sighting.id().clone(), sighting.sighting_of_ref.clone());
        Some((sighting, Sighted { sighter, id, of, seen, documents }))
    });
    made.collect()
}

/// A sighting with its times and its count.
pub(crate) fn sighting(
    entity: &Entity,
    place: &Identifier,
    tally: Tally,
    known: &Known,
    stamp: &Stamp,
    now: Timestamp,
) -> Sighting {
    let created = tally.first.or(tally.last).unwrap_or(now);
    // Without times in it, the identifier stays when they grow.
    let mut sighting = Sighting::new(entity.id().clone(), vec![place.clone()], created);
    sighting.common.modified = not_before(created, tally.last);
    sighting.first_seen = tally.first;
    // STIX wants the end not before the beginning; alerts without a time give neither.
    sighting.last_seen = tally.last.or(tally.first);
    let known = known.sighting(sighting.id(), entity.ids(), place, stamp.author_id());
    let count = known.map_or(tally.count, |known| known.count_to_send(tally));
    // The largest count that STIX allows (section 5.2).
    sighting.count = i64::try_from(count.min(999_999_999)).ok();
    if let Some(id) = known.and_then(|known| known.ids.first()) {
        sighting.common.id = id.clone();
    }
    stamp.domain(&mut sighting.common);
    sighting
}

/// A link to an alert.
pub(crate) fn reference(document: &Document<'_>, links: &Links) -> ExternalReference {
    let mut reference = ExternalReference::to_url("Wazuh alert", links.alert(document.id));
    reference.external_id = Some(super::markdown::one_line(document.id).into_owned());
    reference.description = Some(alert_table(document, &[]));
    reference
}

/// Some alerts: the latest of each rule, rules in turn, so that none takes the place of another. Severe rules come first,
/// which decides where there are more rules than places. The earliest of the chosen ones comes first.
pub(crate) fn fair<'d>(documents: &[&'d Document<'d>], limit: usize, per_rule: usize) -> Vec<&'d Document<'d>> {
    let mut rules: HashMap<&str, Vec<&'d Document<'d>>, RandomState> = HashMap::default();
    for document in documents {
        rules.entry(document.rule()).or_default().push(document);
    }
    let mut rules: Vec<(&str, Vec<&Document<'_>>)> = rules.into_iter().collect();
    let level = |documents: &[&Document<'_>]| documents.iter().map(|document| document.level()).max();
    rules.sort_by_key(|(rule, documents)| (Reverse(level(documents)), *rule));
    let mut chosen: Vec<&'d Document<'d>> = Vec::new();
    for turn in 0..per_rule {
        let mut any = false;
        for (_, documents) in &rules {
            let Some(document) = documents.len().checked_sub(turn + 1).and_then(|place| documents.get(place)) else {
                continue;
            };
            any = true;
            if chosen.len() < limit {
                chosen.push(document);
            }
        }
        if !any || chosen.len() >= limit {
            break;
        }
    }
    chosen.sort_by(|one, other| one.time().cmp(&other.time()).then_with(|| one.id.cmp(other.id)));
    chosen
}

#[cfg(test)]
mod tests {
    use stix_model::Tlp;
    use wazuh_query::catalogue::{Catalogue, Schema};

    use super::super::hits::HitReader;
    use super::*;

    fn alerts(rules: &[(&str, u8, usize)]) -> Vec<(String, String)> {
        let mut alerts = Vec::new();
        for (rule, level, count) in rules {
            for number in 0..*count {
                let text = serde_json::json!({
                    "timestamp": format!("2026-03-14T09:{number:02}:00.000Z"),
                    "rule": {"id": rule, "level": level}, "agent": {"id": "001", "name": "web01"},
                });
                alerts.push((format!("{rule}-{number}"), text.to_string()));
            }
        }
        alerts
    }

    fn chosen(rules: &[(&str, u8, usize)], limit: usize, per_rule: usize) -> Vec<String> {
        let alerts = alerts(rules);
        let options = EnrichmentOptions::new(Tlp::Amber, "https://h");
        let catalogue = Catalogue::builtin();
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let documents = alerts.iter().map(|(id, text)| ("i", id.as_str(), text.as_str()));
        let hits = reader.read(alerts.len() as u64, [], documents);
        let documents: Vec<&Document<'_>> = hits.documents.iter().collect();
        let mut ids: Vec<String> = fair(&documents, limit, per_rule).iter().map(|one| one.id.to_owned()).collect();
        ids.sort();
        ids
    }

    /// B-31: none per rule is none.
    #[test]
    fn b_31_none_per_rule_is_none() {
        assert_eq!(chosen(&[("1", 5, 9)], 10, 0), [""; 0]);
        assert_eq!(chosen(&[("1", 5, 9)], 0, 10), [""; 0]);
    }

    /// B-32: a rule with many alerts leaves room for others.
    #[test]
    fn b_32_every_rule_has_its_turn() {
        let rules = [("1", 5, 9), ("2", 3, 9), ("3", 12, 1)];
        assert_eq!(chosen(&rules, 4, 2), ["1-7", "1-8", "2-8", "3-0"]);
        assert_eq!(chosen(&rules, 2, 2), ["1-8", "3-0"]);
        assert_eq!(chosen(&rules, 100, 1), ["1-8", "2-8", "3-0"]);
    }
}
