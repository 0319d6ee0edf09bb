//! Which indicators were seen in which alerts: on which agents, when, how often.
//!
//! A [`Hunter`] is fed one alert after the other and keeps only what it found, so any amount of alerts fits.

mod bundle;
mod compound;
mod html;
mod parts;
mod report;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::quality::RandomState;
use stix_model::Timestamp;
use wazuh_query::alert::{Alert, RuleLevel};
use wazuh_query::catalogue::Catalogue;
use wazuh_query::pattern::Scope;

use crate::store::Validity;
use crate::store::{
    Comparison, Damaged, Decided, Handle, Hit, Look, MatchError, MatchOptions, Matcher, PatternVerdict, SeenField,
    SeenText, Snapshot, Standing,
};

use parts::{Part, Parts};

pub use bundle::{agent_identity, sightings_bundle};
pub use compound::{Compound, CompoundHunt, CompoundReport, NotHunted, Searches};
pub use html::html;
pub use report::{Report, Row, table};

/// What a hunt leaves out.
#[derive(Clone, Debug)]
pub struct HuntOptions {
    /// Alerts before this time do not count.
    pub since: Option<Timestamp>,
    /// Alerts after this time do not count.
    pub until: Option<Timestamp>,
    /// Values of the integration field of alerts that do not count, such as those that this project raises itself.
    pub exclude_integrations: Vec<String>,
    /// How alerts are matched. Unless told otherwise, indicators count for alerts before `valid_from`, too.
    pub matching: MatchOptions,
    /// Between which alerts patterns of several observations are evaluated.
    pub scope: Scope,
}

impl Default for HuntOptions {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            exclude_integrations: Vec::new(),
            matching: MatchOptions { validity: Validity::HUNT, ..MatchOptions::default() },
            scope: Scope::default(),
        }
    }
}

/// One place where an indicator was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    indicator: Handle,
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
    /// What of the indicator it matched.
    comparison: Comparison,
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
    /// Hits of indicators that were not valid yet when the alert was raised.
    pub not_yet_valid: u64,
    /// Hits of indicators that their authors took back.
    pub revoked: u64,
    /// Hits of indicators that do not count for other reasons: score, confidence, labels, marking.
    pub filtered: u64,
    /// How often a pattern could not be decided: it needs too much, or a time that the alert does not have.
    pub undecided: u64,
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
/// use alert_enricher::store::Builder;
/// use wazuh_query::catalogue::Catalogue;
///
/// let mut builder = Builder::default();
/// builder.line("203[.]0[.]113[.]7");
/// let store = builder.finish()?.into_store();
/// let mut hunter = Hunter::new(&Catalogue::builtin(), &store.snapshot(), HuntOptions::default());
/// hunter.alert(r#"{"rule":{"id":"5710"},"agent":{"name":"web01"},"data":{"srcip":"203.0.113.7"}}"#)?;
/// let report = hunter.finish()?;
/// assert_eq!(report.rows[0].agent_name, "web01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Hunter {
    matcher: Matcher,
    found: Found,
}

/// What was found so far.
#[derive(Debug)]
struct Found {
    options: HuntOptions,
    texts: Texts,
    seen: HashMap<Place, Seen, RandomState>,
    parts: Parts,
    counters: Counters,
}

impl Hunter {
    /// A hunter for the indicators of a snapshot.
    pub fn new(catalogue: &Catalogue, snapshot: &Arc<Snapshot>, options: HuntOptions) -> Self {
        let matcher = Matcher::new(snapshot, catalogue, options.matching.clone());
        let found = Found {
            options,
            texts: Texts::default(),
            seen: HashMap::default(),
            parts: Parts::default(),
            counters: Counters::default(),
        };
        Self { matcher, found }
    }

    /// Looks at one alert: the text of a JSON object. Answers whether an indicator was seen in it.
    ///
    /// Fails when the text is no alert; the hunt goes on with the next one. Also fails when the store is damaged, and
    /// then there is no use in going on.
    pub fn alert(&mut self, text: &str) -> Result<bool, MatchError> {
        let Self { matcher, found } = self;
        match matcher.look(text) {
            Ok(None) => {
                found.counters.alerts += 1;
                Ok(false)
            }
            Ok(Some(Look { hits, verdicts, envelope, names, snapshot })) => {
                found.counters.alerts += 1;
                let name = |hit: &Hit| names.of(hit.field);
                found.hits(hits, verdicts, name, snapshot, envelope.as_ref()).map_err(MatchError::from)
            }
            Err(error) => {
                found.counters.unreadable += u64::from(matches!(error, MatchError::Read(_)));
                Err(error)
            }
        }
    }

    /// How much was looked at so far.
    pub fn counters(&self) -> Counters {
        self.found.counters
    }

    /// What was found, the most severe and most recent first. Patterns that several alerts have to satisfy together are
    /// decided here.
    pub fn finish(mut self) -> Result<Report, Damaged> {
        self.found.decide(self.matcher.snapshot())?;
        let Found { texts, seen, counters, .. } = self.found;
        let mut rows = Vec::with_capacity(seen.len());
        for (place, seen) in seen {
            let indicator = self.matcher.snapshot().indicator(place.indicator)?;
            let mut fields: Vec<String> = seen.fields.iter().map(|field| texts.text(*field).to_owned()).collect();
            fields.sort_unstable();
            rows.push(Row {
                indicator: indicator.id,
                name: indicator.name.map(Into::into),
                score: indicator.score,
                kind: seen.comparison.kind(),
                value: seen.comparison.to_string(),
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
            });
        }
        let mut report = Report { rows, counters };
        report.sort();
        Ok(report)
    }
}

impl Found {
    /// Takes the hits of one alert in, in the order of their indicators and fields.
    fn hits<'f>(
        &mut self,
        hits: &[Hit],
        verdicts: &[PatternVerdict],
        field_name: impl Fn(&Hit) -> &'f str,
        snapshot: &Snapshot,
        alert: Option<&Alert<'_>>,
    ) -> Result<bool, Damaged> {
        let time = alert.and_then(|alert| alert.timestamp);
        let integration = alert.and_then(|alert| alert.integration.as_deref());
        let excluded =
            integration.is_some_and(|name| self.options.exclude_integrations.iter().any(|other| other == name));
        let too_early = self.options.since.is_some_and(|since| time.is_none_or(|time| time < since));
        let too_late = self.options.until.is_some_and(|until| time.is_none_or(|time| time > until));
        if excluded || too_early || too_late {
            self.counters.outside += 1;
            return Ok(false);
        }
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let agent = alert.map(|alert| &alert.agent);
        let rule = alert.map(|alert| &alert.rule);
        let agent_id = self.texts.number(&text(agent.and_then(|agent| agent.id.as_deref())));
        let agent_name = self.texts.number(&text(agent.and_then(|agent| agent.name.as_deref())));
        let rule_id = self.texts.number(&text(rule.and_then(|rule| rule.id.as_deref())));
        let description = self.texts.number(&text(rule.and_then(|rule| rule.description.as_deref())));
        let shown_id = alert.and_then(Alert::shown_id);
        let repeated = repeated(hits, snapshot)?;
        let mut any = false;
        let mut counted = None;
        let mut of_patterns: Vec<Part> = Vec::new();
        for (hit, repeated) in hits.iter().zip(repeated) {
            if repeated {
                continue;
            }
            let counter = match hit.standing {
                Standing::Valid => None,
                Standing::Expired => Some(&mut self.counters.expired),
                Standing::NotYetValid => Some(&mut self.counters.not_yet_valid),
                Standing::Revoked => Some(&mut self.counters.revoked),
                Standing::Filtered(_) => Some(&mut self.counters.filtered),
            };
            if let Some(counter) = counter {
                *counter += u64::from(counted.replace(hit.handle) != Some(hit.handle));
                continue;
            }
            let place = Place { indicator: hit.handle, agent_id, agent_name, rule: rule_id };
            let field = self.texts.number(field_name(hit));
            let verdict = hit.verdict.and_then(|verdict| verdicts.get(verdict));
            let value = verdict.and_then(PatternVerdict::value).map_or_else(|| shown(&hit.seen), shown);
            if let Some(verdict) = verdict {
                let first = counted != Some(hit.handle);
                match verdict.decided {
                    Decided::Whole => {}
                    Decided::Part => {
                        counted = Some(hit.handle);
                        let part = Part {
                            place,
                            time,
                            level: rule.and_then(|rule| rule.level),
                            description,
                            fields: vec![field],
                            value,
                            comparison: hit.comparison.clone(),
                            alert: shown_id.map(Box::from),
                            number: self.counters.alerts,
                            is_hit: false,
                            brackets: verdict.brackets.iter().map(|(bracket, _)| *bracket).collect(),
                        };
                        match of_patterns.last_mut().filter(|_| !first) {
                            Some(last) => last.fields.extend(part.fields),
                            None => of_patterns.push(part),
                        }
                        continue;
                    }
                    Decided::Undecided => {
                        counted = Some(hit.handle);
                        self.counters.undecided += u64::from(first);
                        continue;
                    }
                }
            }
            any = true;
            let seen = self.seen.entry(place).or_insert_with(|| Seen {
                count: 0,
                first: None,
                last: None,
                level: rule.and_then(|rule| rule.level),
                description,
                fields: Vec::new(),
                value,
                comparison: hit.comparison.clone(),
                alert: None,
            });
            if !seen.fields.contains(&field) {
                seen.fields.push(field);
            }
            // An indicator that is in several fields of one alert was seen once.
            if counted.replace(hit.handle) == Some(hit.handle) {
                continue;
            }
            seen.count += 1;
            seen.first = seen.first.into_iter().chain(time).min();
            if seen.alert.is_none() || time >= seen.last {
                seen.alert = shown_id.map(Box::from);
            }
            seen.last = seen.last.into_iter().chain(time).max();
        }
        self.counters.hits += u64::from(any);
        for part in of_patterns {
            let taken = self.parts.push(Part { is_hit: any, ..part });
            self.counters.undecided += u64::from(!taken);
        }
        Ok(any)
    }
}

/// So many bytes of what was seen are kept: each indicator that is in a long text would keep all of it.
const SHOWN: usize = 1_024;

/// The beginning of a text, with a mark if there is more of it.
fn shown(text: &str) -> Box<str> {
    if text.len() <= SHOWN {
        return text.into();
    }
    format!("{}…", text.get(..text.floor_char_boundary(SHOWN)).unwrap_or_default()).into()
}

/// Which hits only say what others say better: an indicator says more than the observable that it is based on, so of two
/// that found the same value in the same place only the indicator is reported. An observable with several values, such as
/// the hashes of a file, is the same thing whichever of them the indicator is about.
fn repeated(hits: &[Hit], snapshot: &Snapshot) -> Result<Vec<bool>, Damaged> {
    let mut is_indicator = Vec::with_capacity(hits.len());
    for hit in hits {
        is_indicator.push(snapshot.is_indicator(hit.handle)?);
    }
    let both = || hits.iter().zip(&is_indicator);
    let of_indicators = both().filter(|(hit, is)| **is && hit.verdict.is_none() && hit.standing.counts());
    let said: HashSet<(SeenField, &SeenText, &Comparison), RandomState> =
        of_indicators.map(|(hit, _)| (hit.field, &hit.seen, &hit.comparison)).collect();
    if said.is_empty() {
        return Ok(vec![false; hits.len()]);
    }
    let again = both().filter(|(hit, is)| !**is && said.contains(&(hit.field, &hit.seen, &hit.comparison)));
    let observables: HashSet<(Handle, SeenField, &SeenText), RandomState> =
        again.map(|(hit, _)| (hit.handle, hit.field, &hit.seen)).collect();
    Ok(both().map(|(hit, is)| !is && observables.contains(&(hit.handle, hit.field, &hit.seen))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Builder, Store};

    fn alert(time: &str, agent: &str, level: u8, address: &str) -> String {
        serde_json::json!({
            "timestamp": time,
            "rule": {"id": "5710", "level": level, "description": "sshd: invalid user"},
            "agent": {"id": "001", "name": agent},
            "data": {"srcip": address, "dstip": address},
        })
        .to_string()
    }

    fn store(until: Option<&str>) -> Store {
        let mut indicator = stix_model::sdo::Indicator::new(
            "[ipv4-addr:value = '203.0.113.7']",
            "stix",
            "2026-03-14T00:00:00Z".parse().unwrap(),
            Timestamp::UNIX_EPOCH,
        );
        indicator.valid_until = until.map(|until| until.parse().unwrap());
        let mut builder = Builder::default();
        builder.object(&indicator.into());
        builder.finish().unwrap().into_store()
    }

    #[test]
    fn an_alert_counts_once_however_many_fields_match() {
        let mut hunter = Hunter::new(&Catalogue::builtin(), &store(None).snapshot(), HuntOptions::default());
        assert!(hunter.alert(&alert("2026-03-14T09:26:53.589+0000", "web01", 5, "203.0.113.7")).unwrap());
        assert!(hunter.alert(&alert("2026-03-14T08:00:00.000+0000", "web01", 5, "::ffff:203.0.113.7")).unwrap());
        assert!(!hunter.alert(&alert("2026-03-14T08:00:00.000+0000", "web01", 5, "203.0.113.70")).unwrap());
        assert!(hunter.alert("{").is_err());
        let report = hunter.finish().unwrap();
        assert_eq!(report.counters, Counters { alerts: 3, hits: 2, unreadable: 1, ..Counters::default() });
        let row = &report.rows[0];
        assert_eq!((row.count, row.fields.len(), report.rows.len()), (2, 2, 1));
        assert_eq!(row.first_seen.unwrap().to_string(), "2026-03-14T08:00:00.000Z");
        assert_eq!(row.last_seen.unwrap().to_string(), "2026-03-14T09:26:53.589Z");
    }

    #[test]
    fn patterns_of_several_alerts() {
        let pattern =
            "[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.8'] WITHIN 60 SECONDS";
        let created = "2026-03-14T00:00:00Z".parse().unwrap();
        let mut builder = Builder::default();
        builder.object(&stix_model::sdo::Indicator::new(pattern, "stix", created, created).into());
        builder.line("203.0.113.8");
        let store = builder.finish().unwrap().into_store();
        let mut hunter = Hunter::new(&Catalogue::builtin(), &store.snapshot(), HuntOptions::default());
        let mut look = |time: &str, address| hunter.alert(&alert(time, "web01", 5, address)).unwrap();
        // The second one is a hit by its value, too, and counts once.
        assert!(!look("2026-03-14T08:00:00Z", "203.0.113.7"));
        assert!(look("2026-03-14T08:00:30Z", "203.0.113.8"));
        // Too late, and the wrong way round.
        assert!(look("2026-03-14T09:00:00Z", "203.0.113.8"));
        assert!(!look("2026-03-14T09:00:10Z", "203.0.113.7"));
        let report = hunter.finish().unwrap();
        assert_eq!(report.counters, Counters { alerts: 4, hits: 3, ..Counters::default() });
        let found = report.rows.iter().find(|row| row.kind.is_none()).unwrap();
        assert_eq!((found.count, found.value.as_str()), (2, pattern));
        assert_eq!(found.last_seen.unwrap().to_string(), "2026-03-14T08:00:30.000Z");
        assert_eq!(found.fields, ["data.dstip", "data.srcip"]);
    }

    #[test]
    fn of_long_texts_the_beginning_is_kept() {
        assert_eq!(&*shown("short"), "short");
        assert_eq!(shown(&"é".repeat(SHOWN)).len(), SHOWN + '…'.len_utf8());
        let mut builder = Builder::default();
        (0..200).for_each(|number| builder.line(&format!("203.0.113.{number}")));
        let snapshot = builder.finish().unwrap().into_store().snapshot();
        let mut hunter = Hunter::new(&Catalogue::builtin(), &snapshot, HuntOptions::default());
        let addresses: Vec<String> = (0..200).map(|number| format!("203.0.113.{number}")).collect();
        let fields = serde_json::json!({"queryResults": addresses.join(";")});
        let text = serde_json::json!({"rule": {"id": "1"}, "data": {"win": {"eventdata": fields}}}).to_string();
        assert!(hunter.alert(&text).unwrap());
        let rows = hunter.finish().unwrap().rows;
        assert_eq!(rows.len(), 200);
        assert!(rows.iter().all(|row| row.seen_value.starts_with("203.0.113.0;") && row.seen_value.len() < 1_100));
    }

    #[test]
    fn an_observable_is_hidden_only_by_an_indicator_of_its_own_value() {
        let address = |number: u8| stix_model::sco::Ipv4Addr::new(format!("203.0.113.{number}"));
        let mut builder = Builder::default();
        let created = "2026-03-14T00:00:00Z".parse().unwrap();
        let indicator = stix_model::sdo::Indicator::new("[ipv4-addr:value = '203.0.113.7']", "stix", created, created);
        builder.object(&indicator.into());
        builder.object(&address(7).into());
        builder.object(&address(9).into());
        let store = builder.finish().unwrap().into_store();
        let mut hunter = Hunter::new(&Catalogue::builtin(), &store.snapshot(), HuntOptions::default());
        let text = r#"{"rule":{"id":"1"},"data":{"win":{"eventdata":{"queryResults":"203.0.113.7;203.0.113.9;"}}}}"#;
        assert!(hunter.alert(text).unwrap());
        let rows = hunter.finish().unwrap().rows;
        let mut found: Vec<_> = rows.iter().map(|row| (row.indicator.object_type(), row.value.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, [("indicator", "203.0.113.7"), ("ipv4-addr", "203.0.113.9")]);
    }

    #[test]
    fn time_and_validity() {
        let store = store(Some("2026-03-14T09:00:00.000Z"));
        let options =
            HuntOptions { since: Some("2026-03-14T07:30:00.000Z".parse().unwrap()), ..HuntOptions::default() };
        let mut hunter = Hunter::new(&Catalogue::builtin(), &store.snapshot(), options);
        for time in ["2026-03-14T07:00:00.000Z", "2026-03-14T08:00:00.000Z", "2026-03-14T10:00:00.000Z"] {
            hunter.alert(&alert(time, "web01", 5, "203.0.113.7")).unwrap();
        }
        let Counters { hits, outside, expired, .. } = hunter.counters();
        assert_eq!((hits, outside, expired), (1, 1, 1));
    }
}
