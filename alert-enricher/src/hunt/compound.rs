//! Indicators that ask for more than single values: STIX patterns and Sigma rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stix_model::Timestamp;
use stix_model::pattern::Pattern;
use wazuh_query::alert::{Alert, ReadError};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Translation};
use wazuh_query::pattern_type::{NotSearchablePattern, PatternType};
use wazuh_query::sigma::{self, SigmaError, SigmaMatcher, SigmaRule};

use super::{Counters, HuntOptions, Report, Row};
use crate::indicator::Indicator;
use crate::pattern::{HuntError, NotVerifiable, Observer, PatternAlert, PatternHunt, Verifier};
use crate::store::Standing;

/// Why alerts cannot be searched for an indicator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotHunted {
    /// Its pattern is written in a language that alerts say nothing of.
    #[error(transparent)]
    Type(#[from] NotSearchablePattern),
    /// Its pattern is none.
    #[error("not a STIX pattern: {0}")]
    Syntax(#[from] stix_model::pattern::PatternError),
    /// Its pattern cannot be verified on alerts.
    #[error(transparent)]
    Pattern(#[from] NotVerifiable),
    /// Its Sigma rule cannot be read.
    #[error("not a Sigma rule: {0}")]
    Sigma(#[from] SigmaError),
    /// No alert matches its Sigma rule for certain.
    #[error("no alert can match the Sigma rule for certain: {0}")]
    Undecided(String),
    /// Its pattern is several Sigma rules.
    #[error("{0} Sigma rules in one indicator")]
    Several(usize),
}

/// An indicator that is decided by its pattern or its Sigma rule, for alerts of one schema.
#[derive(Debug)]
pub struct Compound<'c> {
    /// What is known about the indicator.
    pub indicator: Indicator,
    /// What it is shown as: the pattern, or the title of the rule.
    pub shown: String,
    schema: Schema,
    rule: Rule<'c>,
}

#[derive(Debug)]
enum Rule<'c> {
    Stix(Box<(Translation, Verifier<'c>)>),
    Sigma(Box<SigmaMatcher>),
}

/// What an index is asked for an indicator.
#[derive(Clone, Debug, PartialEq)]
pub struct Searches {
    /// For each observation of the pattern the queries that find every alert that satisfies it; one for a Sigma rule.
    pub observations: Vec<Vec<Query>>,
    /// The observations without which nothing matches.
    pub required: Vec<usize>,
}

impl<'c> Compound<'c> {
    /// Ties the pattern of an indicator to alerts of a schema.
    pub fn new(
        indicator: Indicator,
        pattern: &str,
        pattern_type: &PatternType,
        catalogue: &'c Catalogue,
        translator: &PatternTranslator,
    ) -> Result<Self, NotHunted> {
        if let Some(reason) = pattern_type.not_searchable() {
            return Err(reason.into());
        }
        let schema = translator.schema();
        if *pattern_type == PatternType::Sigma {
            let mut rules = SigmaRule::read_all(pattern);
            let count = rules.len();
            let rule = rules.pop().filter(|_| count == 1).ok_or(NotHunted::Several(count))??;
            let matcher = SigmaMatcher::new(&rule, catalogue, schema);
            let translation = matcher.translation();
            if matches!(translation.decides, sigma::Decides::NonMatches | sigma::Decides::Nothing) {
                let fields: Vec<&str> = translation.unmapped.iter().map(|one| one.field.as_str()).collect();
                return Err(NotHunted::Undecided(format!("alerts say nothing of {}", fields.join(", "))));
            }
            return Ok(Self { indicator, shown: rule.title, schema, rule: Rule::Sigma(Box::new(matcher)) });
        }
        let parsed = Pattern::read(pattern)?;
        let translation = translator.translate(&parsed);
        let verifier = Verifier::new(catalogue, &translation, translator.options())?;
        let shown = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { indicator, shown, schema, rule: Rule::Stix(Box::new((translation, verifier))) })
    }

    /// What an index is asked. `None` when it cannot be asked for less than everything.
    pub fn searches(&self) -> Option<Searches> {
        match &self.rule {
            Rule::Stix(pattern) => Some(Searches {
                observations: pattern.0.observations.iter().map(|one| one.queries.clone()).collect(),
                required: pattern.0.plan.required(),
            }),
            Rule::Sigma(matcher) => {
                let query = matcher.translation().query.clone()?;
                Some(Searches { observations: vec![vec![query]], required: vec![0] })
            }
        }
    }
}

/// What was found for an indicator so far.
#[derive(Debug)]
enum State<'h, 'c> {
    Stix(Box<PatternHunt<'h, 'c>>),
    Sigma { matcher: &'h SigmaMatcher, seen: Vec<PatternAlert> },
}

/// Looks for indicators with patterns in alerts.
///
/// ```
/// use alert_enricher::hunt::{Compound, CompoundHunt, HuntOptions};
/// use alert_enricher::indicator::Indicator;
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::pattern::{PatternOptions, PatternTranslator};
/// use wazuh_query::pattern_type::PatternType;
///
/// let catalogue = Catalogue::builtin();
/// let translator = PatternTranslator::new(&catalogue, Schema::Wazuh4, PatternOptions::default());
/// let indicator = Indicator::new("indicator--0198f97b-e65d-5025-87e5-58bc39d4bdb4".parse()?);
/// let pattern = "[user-account:account_login = 'kim'] FOLLOWEDBY [file:name = 'nc']";
/// let compound = [Compound::new(indicator, pattern, &PatternType::Stix, &catalogue, &translator)?];
/// let options = HuntOptions::default();
/// let mut hunt = CompoundHunt::new(&compound, &catalogue, &options);
/// let login = r#"{"timestamp":"2026-03-14T09:26:53Z","id":"1","agent":{"id":"001"},"data":{"srcuser":"kim"}}"#;
/// let file = r#"{"timestamp":"2026-03-14T09:27:11Z","id":"2","agent":{"id":"001"},"syscheck":{"path":"/tmp/nc"}}"#;
/// hunt.alert(login, false)?;
/// hunt.alert(file, false)?;
/// assert_eq!(hunt.finish()?.rows[0].count, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CompoundHunt<'h, 'c> {
    compounds: &'h [Compound<'c>],
    states: Vec<State<'h, 'c>>,
    catalogue: &'c Catalogue,
    options: &'h HuntOptions,
    counters: Counters,
    truncated: bool,
    /// Alerts that count as hits already.
    counted: BTreeSet<AlertKey>,
}

/// What tells alerts apart.
type AlertKey = (Option<Timestamp>, Option<String>, Option<String>);

fn key(alert: &PatternAlert) -> AlertKey {
    (alert.timestamp, alert.agent_id.clone(), alert.id.clone())
}

/// So many alerts are kept for a Sigma rule.
const KEPT: usize = 100_000;

impl<'h, 'c> CompoundHunt<'h, 'c> {
    /// A hunt for some indicators. Only alerts of their schema are looked at.
    pub fn new(compounds: &'h [Compound<'c>], catalogue: &'c Catalogue, options: &'h HuntOptions) -> Self {
        let state = |compound: &'h Compound<'c>| match &compound.rule {
            Rule::Stix(pattern) => State::Stix(Box::new(PatternHunt::new(&pattern.1))),
            Rule::Sigma(matcher) => State::Sigma { matcher, seen: Vec::new() },
        };
        let states = compounds.iter().map(state).collect();
        Self {
            compounds,
            states,
            catalogue,
            options,
            counters: Counters::default(),
            truncated: false,
            counted: BTreeSet::new(),
        }
    }

    /// Looks for all indicators in an alert: the text of a JSON object. Answers whether it satisfies a part of one.
    ///
    /// `is_hit`: the alert is a hit of another indicator, and does not count again.
    pub fn alert(&mut self, text: &str, is_hit: bool) -> Result<bool, HuntError> {
        self.look(text, None, is_hit)
    }

    /// Looks for one of the indicators, by its place, in an alert that was found for it.
    pub fn alert_of(&mut self, compound: usize, text: &str) -> Result<bool, HuntError> {
        self.look(text, Some(compound), false)
    }

    fn look(&mut self, text: &str, only: Option<usize>, is_hit: bool) -> Result<bool, HuntError> {
        let alert = Alert::read(text, self.catalogue)?;
        let time = alert.timestamp;
        let excluded = alert.integration.as_deref().is_some_and(|name| self.is_excluded(name));
        let too_early = self.options.since.is_some_and(|since| time.is_none_or(|time| time < since));
        let too_late = self.options.until.is_some_and(|until| time.is_none_or(|time| time > until));
        if excluded || too_early || too_late {
            return Ok(false);
        }
        let matching = &self.options.matching;
        let agents = PatternOptions {
            agent_addresses: matching.include_agents,
            agent_names: matching.include_agents,
            ..PatternOptions::default()
        };
        let mut observation = None;
        let mut document: Option<Value> = None;
        let mut any = false;
        for (place, (compound, state)) in self.compounds.iter().zip(&mut self.states).enumerate() {
            if only.is_some_and(|only| only != place) || compound.schema != alert.schema {
                continue;
            }
            let indicator = &compound.indicator;
            let standing = match matching.filter.check(indicator) {
                Some(why) => Standing::Filtered(why),
                None => matching.validity.at(indicator, time),
            };
            let found = match state {
                State::Stix(hunt) => {
                    let observation =
                        observation.get_or_insert_with(|| Observer::new(self.catalogue, agents).observe(&alert));
                    if standing.counts() {
                        hunt.add_observed(&alert, observation)?
                    } else {
                        hunt.satisfies(observation)?
                    }
                }
                State::Sigma { matcher, seen } => {
                    if document.is_none() {
                        document = Some(serde_json::from_str(text).map_err(ReadError::Json)?);
                    }
                    let found = document.as_ref().is_some_and(|document| matcher.matches(document));
                    if found && standing.counts() {
                        if seen.len() < KEPT {
                            seen.push(PatternAlert::new(&alert, seen.len()));
                        } else {
                            self.truncated = true;
                        }
                    }
                    found
                }
            };
            if !found {
                continue;
            }
            match standing {
                Standing::Expired => self.counters.expired += 1,
                Standing::NotYetValid => self.counters.not_yet_valid += 1,
                Standing::Revoked => self.counters.revoked += 1,
                Standing::Filtered(_) => self.counters.filtered += 1,
                _ => any = true,
            }
        }
        if any && is_hit {
            self.counted.insert(key(&PatternAlert::new(&alert, 0)));
        }
        Ok(any)
    }

    fn is_excluded(&self, integration: &str) -> bool {
        self.options.exclude_integrations.iter().any(|name| name == integration)
    }

    fn rows(compound: &Compound<'_>, alerts: impl IntoIterator<Item = PatternAlert>) -> Vec<Row> {
        let indicator = &compound.indicator;
        let mut rows: BTreeMap<[String; 3], (Row, BTreeSet<String>)> = BTreeMap::new();
        for alert in alerts {
            let place = [&alert.agent_id, &alert.agent_name, &alert.rule].map(|text| text.clone().unwrap_or_default());
            let (row, fields) = rows.entry(place.clone()).or_insert_with(|| {
                let [agent_id, agent_name, rule_id] = place;
                let value = alert.bindings.iter().find_map(|binding| binding.value.clone());
                let row = Row {
                    indicator: indicator.id.clone(),
                    name: indicator.name.as_deref().map(str::to_owned),
                    score: indicator.score,
                    kind: None,
                    value: compound.shown.clone(),
                    seen_value: value.unwrap_or_default(),
                    agent_id,
                    agent_name,
                    rule_id,
                    rule_level: alert.rule_level,
                    rule_description: alert.rule_description.clone().unwrap_or_default(),
                    first_seen: None,
                    last_seen: None,
                    count: 0,
                    fields: Vec::new(),
                    last_alert: None,
                };
                (row, BTreeSet::new())
            });
            row.count += 1;
            row.first_seen = earlier(row.first_seen, alert.timestamp);
            if row.last_alert.is_none() || alert.timestamp >= row.last_seen {
                row.last_alert = alert.id;
            }
            row.last_seen = row.last_seen.max(alert.timestamp);
            fields.extend(alert.fields);
        }
        let finished = rows.into_values().map(|(row, fields)| Row { fields: fields.into_iter().collect(), ..row });
        finished.collect()
    }

    /// What was found: a row for each agent and rule whose alerts are part of a match. The alerts that were looked at
    /// are not counted.
    pub fn finish(self) -> Result<CompoundReport, HuntError> {
        let Self { compounds, states, mut counters, mut truncated, counted, .. } = self;
        let mut report = Report::default();
        let mut seen: BTreeSet<AlertKey> = BTreeSet::new();
        for (compound, state) in compounds.iter().zip(states) {
            let alerts = match state {
                State::Sigma { seen, .. } => seen,
                State::Stix(hunt) => {
                    let found = hunt.finish()?;
                    truncated |= found.truncated;
                    found.groups.into_iter().flat_map(|group| group.alerts).collect()
                }
            };
            seen.extend(alerts.iter().map(key));
            report.rows.extend(Self::rows(compound, alerts));
        }
        counters.hits = seen.difference(&counted).count() as u64;
        report.counters = counters;
        report.sort();
        Ok(CompoundReport { rows: report.rows, counters, truncated })
    }
}

/// What was found for indicators with patterns.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CompoundReport {
    /// The places, the most severe and most recent first.
    pub rows: Vec<Row>,
    /// How many alerts are part of a match, and how many would be if their indicators counted.
    pub counters: Counters,
    /// Whether something was left out because there was too much of it.
    pub truncated: bool,
}

impl Report {
    /// Adds what was found for indicators with patterns.
    pub fn join(&mut self, compounds: CompoundReport) {
        let CompoundReport { rows, counters, .. } = compounds;
        self.rows.extend(rows);
        let own = &mut self.counters;
        own.hits += counters.hits;
        own.expired += counters.expired;
        own.not_yet_valid += counters.not_yet_valid;
        own.revoked += counters.revoked;
        own.filtered += counters.filtered;
        self.sort();
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
