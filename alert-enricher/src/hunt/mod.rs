//! Which indicators were seen in which alerts: on which agents, when, how often.
//!
//! A [`Hunter`] is fed one alert after the other and keeps only what it found, so any amount of alerts fits.

mod bundle;
mod html;
mod report;

use std::collections::HashMap;

use foldhash::quality::RandomState;
use stix_model::Timestamp;
use wazuh_query::alert::{Alert, ReadError, RuleLevel, scan};
use wazuh_query::catalogue::{Catalogue, Envelope, FieldId, Holds, Role};

use crate::indicator::{Indicator, IndicatorId, IndicatorSet};

pub use bundle::{agent_identity, sightings_bundle};
pub use html::html;
pub use report::{Report, Row, table};

/// What a hunt leaves out.
#[derive(Clone, Debug, Default)]
pub struct HuntOptions {
    /// Alerts before this time do not count.
    pub since: Option<Timestamp>,
    /// Alerts after this time do not count.
    pub until: Option<Timestamp>,
    /// Values of the integration field of alerts that do not count, such as those that this project raises itself.
    pub exclude_integrations: Vec<String>,
    /// Also look at the fields that name the reporting host itself.
    pub include_agents: bool,
}

/// One place where an indicator was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    indicator: u32,
    /// Numbers into the hunter's table of texts.
    agent_id: u32,
    agent_name: u32,
    rule: u32,
}

/// What was seen there.
#[derive(Clone, Debug)]
struct Seen {
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    level: Option<RuleLevel>,
    description: u32,
    /// Numbers of field names.
    fields: Vec<u32>,
    /// The text that matched first.
    value: Box<str>,
    /// The alert that was seen last.
    alert: Option<Box<str>>,
}

/// How much a hunt looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Alerts that were read.
    pub alerts: u64,
    /// Alerts in which an indicator was seen.
    pub hits: u64,
    /// Texts that are no alerts.
    pub unreadable: u64,
    /// Hits outside of the time asked for, or from excluded integrations.
    pub outside: u64,
    /// Hits of indicators that had expired when the alert was raised.
    pub expired: u64,
}

/// Texts that occur often, kept once.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Box<str>, u32, RandomState>,
    texts: Vec<Box<str>>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }
}

/// Looks for indicators in alerts.
///
/// ```
/// use alert_enricher::hunt::{HuntOptions, Hunter};
/// use alert_enricher::indicator::Reader;
/// use wazuh_query::catalogue::Catalogue;
///
/// let mut reader = Reader::default();
/// reader.line("203[.]0[.]113[.]7");
/// let (set, indicators, _) = reader.finish();
/// let mut hunter = Hunter::new(&Catalogue::builtin(), &set, &indicators, HuntOptions::default());
/// hunter.alert(r#"{"rule":{"id":"5710"},"agent":{"name":"web01"},"data":{"srcip":"203.0.113.7"}}"#)?;
/// let report = hunter.finish();
/// assert_eq!(report.rows[0].agent_name, "web01");
/// # Ok::<(), wazuh_query::alert::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Hunter<'h> {
    /// Only the fields that can hold a value of the set, so that all others are skipped unread.
    fields: Catalogue,
    /// All fields, to read the alerts that matter.
    catalogue: Catalogue,
    set: &'h IndicatorSet,
    indicators: &'h [Indicator],
    options: HuntOptions,
    texts: Texts,
    seen: HashMap<Place, Seen, RandomState>,
    counters: Counters,
    /// Indicators found in the alert at hand, with the field and the text. Kept for its memory.
    found: Vec<(u32, FieldId, String)>,
    scratch: String,
}

impl<'h> Hunter<'h> {
    /// A hunter for `set`; `indicators` tells what the numbers in the set mean.
    pub fn new(
        catalogue: &Catalogue,
        set: &'h IndicatorSet,
        indicators: &'h [Indicator],
        options: HuntOptions,
    ) -> Self {
        let fields = catalogue.restricted(|field| {
            let hunted = field.role != Role::Agent || options.include_agents;
            // The time tells an alert from other JSON.
            field.holds == Holds::Envelope(Envelope::Timestamp) || (hunted && set.concerns(field.holds))
        });
        Self {
            fields,
            catalogue: catalogue.restricted(|field| matches!(field.holds, Holds::Envelope(_))),
            set,
            indicators,
            options,
            texts: Texts::default(),
            seen: HashMap::default(),
            counters: Counters::default(),
            found: Vec::new(),
            scratch: String::new(),
        }
    }

    /// Looks at one alert: the text of a JSON object. Answers whether an indicator was seen in it.
    ///
    /// Fails when the text is no JSON object; the hunt goes on with the next one.
    pub fn alert(&mut self, text: &str) -> Result<bool, ReadError> {
        self.found.clear();
        let Self { fields, set, found, scratch, .. } = self;
        let mut is_alert = false;
        let read = scan(text, fields, &mut |id: FieldId, value: std::borrow::Cow<'_, str>, _| {
            is_alert = true;
            let holds = fields.field(id).holds;
            set.matches_with(holds, &value, scratch, &mut |indicator| {
                found.push((indicator.0, id, value.clone().into_owned()));
            });
        });
        let read = read.and(if is_alert { Ok(()) } else { Err(ReadError::NotAnAlert) });
        if let Err(error) = read {
            self.counters.unreadable += 1;
            return Err(error);
        }
        self.counters.alerts += 1;
        if self.found.is_empty() {
            return Ok(false);
        }
        // The envelope tells who, when and by which rule; without one the hit still counts.
        let envelope = Alert::read(text, &self.catalogue).ok();
        Ok(self.hit(envelope.as_ref()))
    }

    fn hit(&mut self, alert: Option<&Alert<'_>>) -> bool {
        let time = alert.and_then(|alert| alert.timestamp);
        let integration = alert.and_then(|alert| alert.integration.as_deref());
        let excluded =
            integration.is_some_and(|name| self.options.exclude_integrations.iter().any(|other| other == name));
        let too_early = self.options.since.is_some_and(|since| time.is_none_or(|time| time < since));
        let too_late = self.options.until.is_some_and(|until| time.is_none_or(|time| time > until));
        if excluded || too_early || too_late {
            self.counters.outside += 1;
            return false;
        }
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let agent = alert.map(|alert| &alert.agent);
        let rule = alert.map(|alert| &alert.rule);
        let agent_id = self.texts.number(&text(agent.and_then(|agent| agent.id.as_deref())));
        let agent_name = self.texts.number(&text(agent.and_then(|agent| agent.name.as_deref())));
        let rule_id = self.texts.number(&text(rule.and_then(|rule| rule.id.as_deref())));
        let description = self.texts.number(&text(rule.and_then(|rule| rule.description.as_deref())));
        let shown_id = alert.and_then(Alert::shown_id);
        let mut found = std::mem::take(&mut self.found);
        // An indicator that is in several fields of one alert was seen once.
        found.sort_by_key(|one| (one.0, one.1));
        let indicators = self.indicators;
        let expired = |indicator: u32| {
            let end = indicators.get(indicator as usize).and_then(|known| known.valid_until);
            end.zip(time).is_some_and(|(end, time)| time >= end)
        };
        let is_indicator = |indicator: u32| {
            indicators.get(indicator as usize).is_some_and(|known| known.id.object_type() == "indicator")
        };
        // An indicator says more than the observable that it is based on; only one of them is reported.
        let said_by_indicator = |(observable, field, value): &(u32, FieldId, String)| {
            let same = |(other, other_field, other_value): &&(u32, FieldId, String)| {
                other_field == field && other_value == value && is_indicator(*other) && !expired(*other)
            };
            !is_indicator(*observable) && found.iter().find(same).is_some()
        };
        let repeated: Vec<bool> = found.iter().map(said_by_indicator).collect();
        let mut any = false;
        let mut counted = None;
        for ((indicator, field, value), repeated) in found.iter().zip(repeated) {
            if repeated {
                continue;
            }
            if expired(*indicator) {
                self.counters.expired += u64::from(counted != Some(*indicator));
                counted = Some(*indicator);
                continue;
            }
            any = true;
            let field = self.texts.number(&self.fields.field(*field).path);
            let place = Place { indicator: *indicator, agent_id, agent_name, rule: rule_id };
            let seen = self.seen.entry(place).or_insert_with(|| Seen {
                count: 0,
                first: None,
                last: None,
                level: rule.and_then(|rule| rule.level),
                description,
                fields: Vec::new(),
                value: value.as_str().into(),
                alert: None,
            });
            if !seen.fields.contains(&field) {
                seen.fields.push(field);
            }
            if counted == Some(*indicator) {
                continue;
            }
            counted = Some(*indicator);
            seen.count += 1;
            seen.first = seen.first.into_iter().chain(time).min();
            if seen.alert.is_none() || time >= seen.last {
                seen.alert = shown_id.map(Box::from);
            }
            seen.last = seen.last.into_iter().chain(time).max();
        }
        self.found = found;
        self.counters.hits += u64::from(any);
        any
    }

    /// How much was looked at so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What was found, the most severe and most recent first.
    pub fn finish(self) -> Report {
        let Self { set, indicators, texts, seen, counters, .. } = self;
        let mut values: HashMap<u32, Vec<crate::indicator::Key>, RandomState> = HashMap::default();
        for place in seen.keys() {
            values.entry(place.indicator).or_default();
        }
        if !values.is_empty() {
            for (IndicatorId(indicator), key) in set.keys() {
                if let Some(keys) = values.get_mut(&indicator) {
                    keys.push(key);
                }
            }
        }
        let rows = seen.into_iter().filter_map(|(place, seen)| {
            let indicator = indicators.get(place.indicator as usize)?;
            let shown = shown_key(values.get(&place.indicator)?, &seen.value)?;
            let mut fields: Vec<String> = seen.fields.iter().map(|field| texts.text(*field).to_owned()).collect();
            fields.sort_unstable();
            Some(Row {
                indicator: indicator.id.clone(),
                name: indicator.name.as_deref().map(str::to_owned),
                score: indicator.score,
                kind: shown.kind(),
                value: shown.to_string(),
                seen_value: seen.value.into(),
                agent_id: texts.text(place.agent_id).to_owned(),
                agent_name: texts.text(place.agent_name).to_owned(),
                rule_id: texts.text(place.rule).to_owned(),
                rule_level: seen.level.map(RuleLevel::number),
                rule_description: texts.text(seen.description).to_owned(),
                first_seen: seen.first,
                last_seen: seen.last,
                count: seen.count,
                fields,
                last_alert: seen.alert.map(Into::into),
            })
        });
        let mut report = Report { rows: rows.collect(), counters };
        report.sort();
        report
    }
}

/// The value of an indicator that was seen; the only one, or the one that the seen text shows.
fn shown_key<'k>(keys: &'k [crate::indicator::Key], seen: &str) -> Option<&'k crate::indicator::Key> {
    let seen = seen.to_lowercase();
    let shown = keys.iter().find(|key| seen.contains(&key.to_string().to_lowercase()));
    shown.or_else(|| keys.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::{Key, Kind};

    fn alert(time: &str, agent: &str, level: u8, address: &str) -> String {
        serde_json::json!({
            "timestamp": time,
            "rule": {"id": "5710", "level": level, "description": "sshd: invalid user"},
            "agent": {"id": "001", "name": agent},
            "data": {"srcip": address, "dstip": address},
        })
        .to_string()
    }

    fn indicators(until: Option<&str>) -> (IndicatorSet, Vec<Indicator>) {
        let key = Key::new(Kind::Address, "203.0.113.7").unwrap();
        let mut set = IndicatorSet::default();
        set.insert(IndicatorId(0), &key);
        let valid_until = until.map(|until| until.parse().unwrap());
        let id = key.to_object().id().clone();
        (set, vec![Indicator { id, name: None, valid_until, score: Some(80) }])
    }

    #[test]
    fn an_alert_counts_once_however_many_fields_match() {
        let (set, known) = indicators(None);
        let mut hunter = Hunter::new(&Catalogue::builtin(), &set, &known, HuntOptions::default());
        assert!(hunter.alert(&alert("2026-03-14T09:26:53.589+0000", "web01", 5, "203.0.113.7")).unwrap());
        assert!(hunter.alert(&alert("2026-03-14T08:00:00.000+0000", "web01", 5, "::ffff:203.0.113.7")).unwrap());
        assert!(!hunter.alert(&alert("2026-03-14T08:00:00.000+0000", "web01", 5, "203.0.113.70")).unwrap());
        assert!(hunter.alert("{").is_err());
        let report = hunter.finish();
        assert_eq!(report.counters, Counters { alerts: 3, hits: 2, unreadable: 1, ..Counters::default() });
        let row = &report.rows[0];
        assert_eq!((row.count, row.fields.len(), report.rows.len()), (2, 2, 1));
        assert_eq!(row.first_seen.unwrap().to_string(), "2026-03-14T08:00:00.000Z");
        assert_eq!(row.last_seen.unwrap().to_string(), "2026-03-14T09:26:53.589Z");
    }

    #[test]
    fn time_and_validity() {
        let (set, known) = indicators(Some("2026-03-14T09:00:00.000Z"));
        let options =
            HuntOptions { since: Some("2026-03-14T07:30:00.000Z".parse().unwrap()), ..HuntOptions::default() };
        let mut hunter = Hunter::new(&Catalogue::builtin(), &set, &known, options);
        for time in ["2026-03-14T07:00:00.000Z", "2026-03-14T08:00:00.000Z", "2026-03-14T10:00:00.000Z"] {
            hunter.alert(&alert(time, "web01", 5, "203.0.113.7")).unwrap();
        }
        let Counters { hits, outside, expired, .. } = hunter.counters();
        assert_eq!((hits, outside, expired), (1, 1, 1));
    }
}
