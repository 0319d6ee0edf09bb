//! Groups of alerts that satisfy a whole pattern.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use serde::Serialize;
use stix_model::Timestamp;
use stix_model::pattern::matcher::{AndReading, Binding, CompiledPattern, MatchError, Observation, Seen};
use wazuh_query::alert::{Alert, Leaf, ReadError, RuleLevel};
use wazuh_query::catalogue::{Catalogue, Holds};
use wazuh_query::pattern::Scope;

use super::Verifier;

/// So many alerts that satisfy a part of the pattern are kept.
const KEPT: usize = 100_000;
/// So many alerts are looked at to put groups together: each group looks at all that are left.
const WORK: usize = 20_000_000;

/// Why a hunt cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HuntError {
    /// A document that is no alert.
    #[error(transparent)]
    Alert(#[from] ReadError),
    /// The pattern cannot be evaluated within the limits.
    #[error(transparent)]
    Match(#[from] MatchError),
}

/// An alert that is part of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PatternAlert {
    /// Its number among the alerts that the hunt was given, from 0.
    pub number: usize,
    /// Its identifier.
    pub id: Option<String>,
    /// When it was raised.
    pub timestamp: Option<Timestamp>,
    /// The identifier of the rule that raised it.
    pub rule: Option<String>,
    /// The level of that rule on the scale of Wazuh 4, 0 to 16.
    pub rule_level: Option<u8>,
    /// What that rule says.
    pub rule_description: Option<String>,
    /// The identifier of the agent that reported it.
    pub agent_id: Option<String>,
    /// The name of that agent.
    pub agent_name: Option<String>,
    /// The observations of the translation that it serves in the group.
    pub observations: Vec<usize>,
    /// What in it satisfies the tests of them.
    #[serde(skip)]
    pub bindings: Vec<Binding>,
    /// The fields whose text has a value of these, sorted.
    pub fields: Vec<String>,
}

impl PatternAlert {
    /// An alert that serves nothing yet.
    pub(crate) fn new(alert: &Alert<'_>, number: usize) -> Self {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Self {
            number,
            id: alert.shown_id().map(str::to_owned),
            timestamp: alert.timestamp,
            rule: owned(&alert.rule.id),
            rule_level: alert.rule.level.map(RuleLevel::number),
            rule_description: owned(&alert.rule.description),
            agent_id: owned(&alert.agent.id),
            agent_name: owned(&alert.agent.name),
            observations: Vec::new(),
            bindings: Vec::new(),
            fields: Vec::new(),
        }
    }
}

/// Alerts that together satisfy the pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PatternGroup {
    /// The alerts, in the order of their times.
    pub alerts: Vec<PatternAlert>,
}

/// What a hunt for a pattern found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternHunted {
    /// Groups of alerts, each of which satisfies the pattern; no alert is in two of them. Ordered by agent, then time.
    pub groups: Vec<PatternGroup>,
    /// How AND inside of brackets was read.
    pub reading: AndReading,
    /// How many alerts were looked at.
    pub alerts: usize,
    /// How many of them satisfy a part of the pattern.
    pub satisfying: usize,
    /// How many were left out because they have no time, which the pattern asks for.
    pub undated: usize,
    /// Whether something was left out because there was too much of it.
    pub truncated: bool,
}

impl PatternHunted {
    /// Whether the pattern was seen.
    pub fn is_match(&self) -> bool {
        !self.groups.is_empty()
    }
}

/// An alert that satisfies a bracket at least.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) alert: PatternAlert,
    pub(crate) brackets: Vec<Part>,
}

/// A bracket that an alert satisfies, by what, and in which fields that stands.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) bracket: usize,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) fields: Vec<String>,
}

/// What decides over alerts that satisfy brackets of a pattern.
pub(crate) struct Decision<'p> {
    pub(crate) compiled: &'p CompiledPattern,
    /// Between which alerts.
    pub(crate) scope: Scope,
    /// Whether one alert is enough.
    pub(crate) single: bool,
    /// For each bracket the number by which it is told.
    pub(crate) places: &'p dyn Fn(usize) -> usize,
}

/// Takes alerts in any order and answers with the groups of them that satisfy a pattern.
#[derive(Debug)]
pub struct PatternHunt<'v, 'c> {
    verifier: &'v Verifier<'c>,
    kept: Vec<Kept>,
    /// Alerts that were found by several queries are given several times.
    known: HashSet<u64>,
    hasher: RandomState,
    alerts: usize,
    undated: usize,
    truncated: bool,
}

impl<'v, 'c> PatternHunt<'v, 'c> {
    /// A hunt for the pattern of a verifier.
    pub fn new(verifier: &'v Verifier<'c>) -> Self {
        Self {
            verifier,
            kept: Vec::new(),
            known: HashSet::new(),
            hasher: RandomState::new(),
            alerts: 0,
            undated: 0,
            truncated: false,
        }
    }

    /// Takes an alert as JSON, and says whether it satisfies any part of the pattern. An alert that is given again does
    /// not count again.
    pub fn add(&mut self, text: &str) -> Result<bool, HuntError> {
        let alert = Alert::read(text, self.verifier.observer().catalogue())?;
        let place = match alert.shown_id() {
            Some(id) => self.hasher.hash_one((id, alert.agent.id.as_deref(), alert.timestamp)),
            None => self.hasher.hash_one(text),
        };
        Ok(self.take(&alert, &self.verifier.observer().observe(&alert), place)?)
    }

    /// Takes an alert that was read. Alerts without an identifier have to be given once only.
    pub fn add_alert(&mut self, alert: &Alert<'_>) -> Result<bool, MatchError> {
        self.add_observed(alert, &self.verifier.observer().observe(alert))
    }

    /// Takes an alert that was read and observed with an observer of the same options, for a hunt for many patterns.
    pub fn add_observed(&mut self, alert: &Alert<'_>, observation: &Observation<'_>) -> Result<bool, MatchError> {
        let place = match alert.shown_id() {
            Some(id) => self.hasher.hash_one((id, alert.agent.id.as_deref(), alert.timestamp)),
            None => self.hasher.hash_one(self.alerts),
        };
        self.take(alert, observation, place)
    }

    /// Whether an observation satisfies any part of the pattern. It is not taken.
    pub fn satisfies(&self, observation: &Observation<'_>) -> Result<bool, MatchError> {
        Ok(!self.verifier.brackets(observation)?.is_empty())
    }

    fn take(&mut self, alert: &Alert<'_>, observation: &Observation<'_>, place: u64) -> Result<bool, MatchError> {
        let number = self.alerts;
        self.alerts += 1;
        if !self.known.insert(place) {
            return Ok(false);
        }
        let brackets = self.verifier.brackets(observation)?;
        if brackets.is_empty() {
            return Ok(false);
        }
        if alert.timestamp.is_none() && self.verifier.timed {
            self.undated += 1;
            return Ok(false);
        }
        if self.kept.len() >= KEPT {
            self.truncated = true;
            return Ok(true);
        }
        let catalogue = self.verifier.observer().catalogue();
        let part = |(bracket, bindings): (usize, Vec<Binding>)| {
            let fields = fields(&bindings, alert, catalogue);
            Part { bracket, bindings, fields }
        };
        let brackets = brackets.into_iter().map(part).collect();
        let kept = PatternAlert::new(alert, number);
        self.kept.push(Kept { alert: kept, brackets });
        Ok(true)
    }

    /// The groups of alerts that satisfy the pattern.
    pub fn finish(self) -> Result<PatternHunted, MatchError> {
        let Self { verifier, kept, alerts, undated, truncated, .. } = self;
        let satisfying = kept.len();
        let places = |bracket| verifier.place(bracket);
        let (scope, single) = (verifier.scope, verifier.single);
        let decision = Decision { compiled: &verifier.compiled, scope, single, places: &places };
        let (groups, cut) = decision.groups(kept)?;
        let reading = verifier.reading();
        Ok(PatternHunted { groups, reading, alerts, satisfying, undated, truncated: truncated | cut })
    }
}

impl Decision<'_> {
    /// The groups of alerts that satisfy the pattern, and whether some are missing because there was too much to do.
    pub(crate) fn groups(&self, kept: Vec<Kept>) -> Result<(Vec<PatternGroup>, bool), MatchError> {
        let mut scopes: BTreeMap<Option<String>, Vec<Kept>> = BTreeMap::new();
        for one in kept {
            let scope = match self.scope {
                Scope::PerAgent => one.alert.agent_id.clone(),
                Scope::AcrossAgents => None,
            };
            scopes.entry(scope).or_default().push(one);
        }
        let (mut groups, mut work, mut truncated) = (Vec::new(), 0, false);
        for mut kept in scopes.into_values() {
            kept.sort_by(|one, other| {
                let key = |kept: &Kept| (kept.alert.timestamp, kept.alert.number);
                key(one).cmp(&key(other))
            });
            if self.single {
                for one in kept {
                    groups.extend(self.group(&mut vec![one])?);
                }
                continue;
            }
            while let Some(found) = self.group(&mut kept)? {
                groups.push(found);
                work += kept.len();
                if work > WORK {
                    truncated |= !kept.is_empty();
                    break;
                }
            }
        }
        Ok((groups, truncated))
    }

    /// Takes alerts that together satisfy the pattern out of those at hand, if there are any.
    fn group(&self, kept: &mut Vec<Kept>) -> Result<Option<PatternGroup>, MatchError> {
        let seen: Vec<Seen> = kept
            .iter()
            .map(|one| {
                let time = one.alert.timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
                Seen { first: time, last: time, number_observed: 1 }
            })
            .collect();
        let mut satisfied = vec![Vec::new(); self.compiled.brackets().len()];
        for (place, one) in kept.iter().enumerate() {
            for part in &one.brackets {
                if let Some(satisfied) = satisfied.get_mut(part.bracket) {
                    satisfied.push(place);
                }
            }
        }
        let Some(bound) = self.compiled.combine(&seen, &satisfied)? else { return Ok(None) };
        let mut alerts: BTreeMap<usize, PatternAlert> = BTreeMap::new();
        for one in &bound {
            let Some(kept) = kept.get(one.observation) else { continue };
            let alert = alerts.entry(one.observation).or_insert_with(|| kept.alert.clone());
            let observation = (self.places)(one.bracket);
            if !alert.observations.contains(&observation) {
                alert.observations.push(observation);
                if let Some(part) = kept.brackets.iter().find(|part| part.bracket == one.bracket) {
                    alert.bindings.extend(part.bindings.iter().cloned());
                    alert.fields.extend(part.fields.iter().cloned());
                    alert.fields.sort_unstable();
                    alert.fields.dedup();
                }
            }
        }
        let mut place = 0;
        kept.retain(|_| {
            place += 1;
            !alerts.contains_key(&(place - 1))
        });
        Ok((!alerts.is_empty()).then(|| PatternGroup { alerts: alerts.into_values().collect() }))
    }
}

/// Shorter values are only found as the whole text of a field.
const TELLING: usize = 4;

/// The fields whose text has a value that satisfies a test.
fn fields(bindings: &[Binding], alert: &Alert<'_>, catalogue: &Catalogue) -> Vec<String> {
    let leaves = bound(bindings, alert, catalogue).into_iter();
    let mut fields: Vec<String> = leaves.map(|leaf| catalogue.field(leaf.field).path.to_string()).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The leaves of an alert whose text has a value that satisfies a test. Observations do not know where their values came
/// from, so the values are looked for. Command lines, which name files and hosts beside much else, tell only where nothing
/// else does, or where they are the value.
pub(crate) fn bound<'l, 'a, 'b>(
    bindings: impl IntoIterator<Item = &'b Binding>,
    alert: &'l Alert<'a>,
    catalogue: &Catalogue,
) -> Vec<&'l Leaf<'a>> {
    let mut values = Vec::new();
    for value in bindings.into_iter().filter_map(|binding| binding.value.as_deref()) {
        let value = value.to_lowercase();
        // Decoders of Windows events leave escapes in.
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        if escaped != value {
            values.push(escaped);
        }
        values.push(value);
    }
    let (mut told, mut mentioned) = (Vec::new(), Vec::new());
    for leaf in &alert.leaves {
        let text = leaf.text.to_lowercase();
        let holds = catalogue.field(leaf.field).holds;
        let is_command = matches!(holds, Holds::CommandLine | Holds::Command | Holds::Argument(_));
        if values.contains(&text) {
            told.push(leaf);
        } else if values.iter().any(|value| value.len() >= TELLING && text.contains(value.as_str())) {
            (if is_command { &mut mentioned } else { &mut told }).push(leaf);
        }
    }
    if told.is_empty() { mentioned } else { told }
}
