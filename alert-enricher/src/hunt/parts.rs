//! Patterns that several alerts satisfy together: alerts that satisfy a part are kept until all were seen.

use std::collections::{BTreeMap, BTreeSet};

use stix_model::Timestamp;
use wazuh_query::alert::RuleLevel;

use super::{Found, Place, Seen};
use crate::pattern::{Decision, Kept, Part as Bracket, PatternAlert};
use crate::store::{Comparison, Damaged, Evaluable, Handle, Snapshot};

/// So many alerts that satisfy a part of a pattern are kept, of all patterns together.
const KEPT: usize = 500_000;

/// An alert that satisfies a part of a pattern.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) place: Place,
    pub(super) time: Option<Timestamp>,
    pub(super) level: Option<RuleLevel>,
    pub(super) description: u32,
    pub(super) fields: Vec<u32>,
    pub(super) value: Box<str>,
    pub(super) comparison: Comparison,
    pub(super) alert: Option<Box<str>>,
    /// Which alert it is, and whether it is a hit of another indicator.
    pub(super) number: u64,
    pub(super) is_hit: bool,
    /// The brackets that it satisfies.
    pub(super) brackets: Vec<usize>,
}

/// The alerts that satisfy parts of patterns.
#[derive(Debug, Default)]
pub(super) struct Parts {
    known: BTreeMap<Handle, Vec<Part>>,
    count: usize,
}

impl Parts {
    /// Takes a part. Answers whether there was room.
    pub(super) fn push(&mut self, part: Part) -> bool {
        let room = self.count < KEPT;
        if room {
            self.count += 1;
            self.known.entry(part.place.indicator).or_default().push(part);
        }
        room
    }
}

impl Found {
    /// Puts the parts of patterns together. Alerts of groups that satisfy the whole of one are seen as any other.
    pub(super) fn decide(&mut self, snapshot: &Snapshot) -> Result<(), Damaged> {
        let mut counted = BTreeSet::new();
        for (handle, parts) in std::mem::take(&mut self.parts.known) {
            let text = snapshot.indicator(handle)?.pattern.unwrap_or_default();
            let Some(pattern) = Evaluable::read(&text, self.options.matching.and) else {
                self.counters.undecided += parts.len() as u64;
                continue;
            };
            let mut kept = Vec::with_capacity(parts.len());
            for (number, part) in parts.iter().enumerate() {
                if pattern.timed && part.time.is_none() {
                    self.counters.undecided += 1;
                    continue;
                }
                kept.push(self.kept(number, part));
            }
            let (scope, single, places) = (self.options.scope, pattern.single, &|bracket| bracket);
            let decision = Decision { compiled: &pattern.compiled, scope, single, places };
            let Ok((groups, truncated)) = decision.groups(kept) else {
                self.counters.undecided += parts.len() as u64;
                continue;
            };
            self.counters.undecided += u64::from(truncated);
            for alert in groups.iter().flat_map(|group| &group.alerts) {
                if let Some(part) = parts.get(alert.number) {
                    self.counters.hits += u64::from(!part.is_hit && counted.insert(part.number));
                    self.see(part);
                }
            }
        }
        Ok(())
    }

    fn kept(&self, number: usize, part: &Part) -> Kept {
        let alert = PatternAlert {
            number,
            id: None,
            timestamp: part.time,
            rule: None,
            rule_level: None,
            rule_description: None,
            agent_id: Some(self.texts.text(part.place.agent_id).to_owned()),
            agent_name: None,
            observations: Vec::new(),
            bindings: Vec::new(),
            fields: Vec::new(),
        };
        let bracket = |bracket: &usize| Bracket { bracket: *bracket, bindings: Vec::new(), fields: Vec::new() };
        Kept { alert, brackets: part.brackets.iter().map(bracket).collect() }
    }

    /// Counts an alert as seen.
    fn see(&mut self, part: &Part) {
        let seen = self.seen.entry(part.place.clone()).or_insert_with(|| Seen {
            count: 0,
            first: None,
            last: None,
            level: part.level,
            description: part.description,
            fields: Vec::new(),
            value: part.value.clone(),
            comparison: part.comparison.clone(),
            alert: None,
        });
        for field in &part.fields {
            if !seen.fields.contains(field) {
                seen.fields.push(*field);
            }
        }
        seen.count += 1;
        seen.first = seen.first.into_iter().chain(part.time).min();
        if seen.alert.is_none() || part.time >= seen.last {
            seen.alert.clone_from(&part.alert);
        }
        seen.last = seen.last.into_iter().chain(part.time).max();
    }
}
