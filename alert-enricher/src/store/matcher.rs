//! Alerts against a store.

use std::borrow::Cow;
use std::sync::Arc;

use stix_model::Timestamp;
use stix_model::pattern::matcher::AndReading;
use wazuh_query::alert::{Alert, ReadError, scan};
use wazuh_query::catalogue::{Catalogue, Envelope, FieldId, Holds, Role};
use wazuh_query::pattern::PatternOptions;
use wazuh_query::value::{Reading, read};

use super::evaluate::{PatternVerdict, Patterns, evaluate};
use super::filter::{Filter, Standing, Validity};
use super::format::Damaged;
use super::found::{Comparison, Match, Seen, normalisation};
use super::hits::{Candidate, Hit, Hits, SeenField, SeenText};
use super::live::{Handle, Snapshot, Store};
use super::look_up::{Found, LookUp};
use super::segment::View;
use super::table::numbers;
use crate::extract::decoded;
use crate::indicator::{self, Key, Kind, ListError, Normalisation, classes, keys_of_reading, recognise};
use crate::pattern::{Observer, bound};

/// How alerts are matched.
#[derive(Clone, Debug)]
pub struct MatchOptions {
    /// Which indicators count.
    pub filter: Filter,
    /// When indicators are valid.
    pub validity: Validity,
    /// A domain stands for the names below it, too, unless strangers may register names there: `co.uk`, `github.io` and
    /// the other public suffixes stand for themselves.
    pub sub_domains: bool,
    /// Also look at the fields that name the reporting host itself.
    pub include_agents: bool,
    /// How AND inside of the brackets of a pattern is read.
    pub and: AndReading,
}

impl Default for MatchOptions {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            validity: Validity::default(),
            sub_domains: false,
            include_agents: false,
            and: AndReading::Event,
        }
    }
}

/// Why an alert could not be matched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// The text is no alert. The next one may be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store is damaged: nothing it says is to be trusted.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// What was found in an alert, with its envelope.
pub(crate) struct Look<'m, 'a> {
    pub(crate) hits: &'m mut Vec<Hit>,
    pub(crate) verdicts: &'m mut Vec<PatternVerdict>,
    pub(crate) envelope: Option<Alert<'a>>,
    pub(crate) names: Names<'m>,
    pub(crate) snapshot: &'m Snapshot,
}

/// The names of fields.
#[derive(Clone, Copy)]
pub(crate) struct Names<'m> {
    searched: &'m Catalogue,
    all: &'m Catalogue,
}

impl<'m> Names<'m> {
    /// The path of a field.
    pub(crate) fn of(self, field: SeenField) -> &'m str {
        match field {
            SeenField::Searched(id) => &self.searched.field(id).path,
            SeenField::Any(id) => &self.all.field(id).path,
        }
    }
}

/// Looks for the indicators of a snapshot in alerts.
///
/// ```
/// use alert_enricher::store::{Builder, MatchOptions, Matcher};
/// use wazuh_query::catalogue::Catalogue;
///
/// let mut builder = Builder::default();
/// builder.line("198.51.100.0/24");
/// let store = builder.finish()?.into_store();
/// let mut matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), MatchOptions::default());
/// let matches = matcher.matches(r#"{"rule":{"id":"5710"},"data":{"srcip":"198.51.100.7"}}"#)?;
/// assert_eq!(matches[0].seen.field, "data.srcip");
/// assert_eq!(matches[0].normalisation.to_string(), "in the network");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Matcher {
    snapshot: Arc<Snapshot>,
    catalogue: Catalogue,
    /// Only the fields that can hold a value of the store, so that all others are skipped unread.
    fields: Catalogue,
    /// The fields that tell who, when and by which rule.
    envelope: Catalogue,
    options: MatchOptions,
    found: Hits,
    verdicts: Vec<PatternVerdict>,
    patterns: Patterns,
    scratch: String,
}

impl Matcher {
    /// A matcher for the alerts that the catalogue describes.
    pub fn new(snapshot: &Arc<Snapshot>, catalogue: &Catalogue, options: MatchOptions) -> Self {
        Self {
            fields: concerned(snapshot, catalogue, options.include_agents),
            snapshot: Arc::clone(snapshot),
            envelope: catalogue.restricted(|field| matches!(field.holds, Holds::Envelope(_))),
            catalogue: catalogue.clone(),
            options,
            found: Hits::default(),
            verdicts: Vec::new(),
            patterns: Patterns::default(),
            scratch: String::new(),
        }
    }

    /// Goes on with the current state of a store. Answers whether there is a newer one.
    pub fn refresh(&mut self, store: &Store) -> bool {
        if store.is_current(&self.snapshot) {
            return false;
        }
        let snapshot = store.snapshot();
        self.patterns.clear();
        if snapshot.kinds() != self.snapshot.kinds() || snapshot.classes() != self.snapshot.classes() {
            self.fields = concerned(&snapshot, &self.catalogue, self.options.include_agents);
        }
        self.snapshot = snapshot;
        true
    }

    /// The state that alerts are matched with.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The indicators in an alert: the text of a JSON object. Those that do not count are among them and say why.
    ///
    /// Fails when the text is no alert, and when the store is damaged.
    pub fn matches(&mut self, text: &str) -> Result<Vec<Match>, MatchError> {
        let Some(Look { hits, verdicts, names, snapshot, .. }) = self.look(text)? else { return Ok(Vec::new()) };
        let matches = hits.iter().map(|hit| {
            Ok(Match {
                indicator: snapshot.indicator(hit.handle)?,
                handle: hit.handle,
                comparison: hit.comparison.clone(),
                seen: Seen { field: names.of(hit.field).to_owned(), value: hit.seen.shared() },
                normalisation: hit.normalisation,
                standing: hit.standing,
                verdict: hit.verdict.and_then(|place| verdicts.get(place).cloned()),
            })
        });
        Ok(matches.collect::<Result<_, Damaged>>()?)
    }

    /// What is in an alert. `None` if nothing is.
    pub(crate) fn look<'a>(&mut self, text: &'a str) -> Result<Option<Look<'_, 'a>>, MatchError> {
        self.found.clear();
        self.verdicts.clear();
        let snapshot = Arc::clone(&self.snapshot);
        let Self { fields, found: hits, scratch, options, .. } = self;
        let views = snapshot.views();
        let look_up = LookUp { snapshot: &snapshot, views: &views, sub_domains: options.sub_domains };
        let mut is_alert = false;
        let mut damaged = None;
        let (texts, always) = (snapshot.texts, snapshot.always);
        // The first field of each group that patterns need with whatever value.
        let mut there: Vec<(u64, FieldId)> = Vec::new();
        let mut covered = 0;
        let read = scan(text, fields, &mut |id: FieldId, value: Cow<'_, str>, _| {
            is_alert = true;
            let holds = fields.field(id).holds;
            // Programs and the reporter are no place that a value by itself is looked for in.
            let (holds, only_patterns) = match holds {
                Holds::Envelope(Envelope::AgentIp) if options.include_agents => (Holds::Ip, true),
                Holds::Envelope(Envelope::AgentName) if options.include_agents => (Holds::Hostname, true),
                holds => (holds, holds == Holds::Command),
            };
            hits.next_text();
            let mut take = |found: Found<'_, '_>| hits.take(&look_up, (id, only_patterns), &value, &found);
            let mut result = leaf(&look_up, holds, &value, scratch, &mut take);
            if texts | always != 0 {
                // Every field counts as one of some group.
                let class = classes::of_field(holds) | 1 << 63;
                if class & texts != 0 {
                    let looked = look_up.texts(class, &value, &mut take);
                    result = result.and(looked);
                    if matches!(holds, Holds::Argument(_)) {
                        result = result.and(look_up.texts(class, &decoded(&value), &mut take));
                    }
                }
                if class & always & !covered != 0 {
                    covered |= class;
                    there.push((class, id));
                }
            }
            damaged = damaged.or(result.err());
        });
        if let Some(damaged) = damaged {
            return Err(damaged.into());
        }
        read?;
        if !is_alert {
            return Err(ReadError::NotAnAlert.into());
        }
        if !there.is_empty() {
            unconditional(hits, &snapshot, &views, &there);
        }
        if !hits.candidates.is_empty() {
            evaluate_all(self, text, &views)?;
        }
        let Self { snapshot, fields, catalogue, found: Hits { taken: hits, .. }, verdicts, options, .. } = self;
        if hits.is_empty() {
            return Ok(None);
        }
        // The envelope tells who, when and by which rule; without one the hit still counts.
        let envelope = Alert::read(text, &self.envelope).ok();
        let time = envelope.as_ref().and_then(|alert| alert.timestamp);
        hits.sort_unstable();
        hits.dedup_by(|one, other| {
            (one.handle, one.field, &one.seen, &one.comparison)
                == (other.handle, other.field, &other.seen, &other.comparison)
        });
        judge(hits, &views, options, time)?;
        let names = Names { searched: fields, all: catalogue };
        Ok(Some(Look { hits, verdicts, envelope, names, snapshot }))
    }

    /// Calls `found` with every indicator that the text of a field matches, whatever its validity: for values that stand
    /// in no alert. The text is read as that of a field that holds this.
    pub fn field(&self, holds: Holds, text: &str, found: &mut impl FnMut(Handle, Comparison)) -> Result<(), Damaged> {
        let views = self.snapshot.views();
        let look_up = LookUp { snapshot: &self.snapshot, views: &views, sub_domains: self.options.sub_domains };
        leaf(&look_up, holds, text, &mut String::new(), &mut |one: Found<'_, '_>| {
            let layer = u32::try_from(one.layer).unwrap_or(u32::MAX);
            for record in numbers(one.records) {
                if !self.snapshot.layers[one.layer].is_dead(record) {
                    found(Handle { layer, record }, Comparison::of_value(one.value));
                }
            }
        })
    }

    /// The indicators that a value by itself matches, whatever their validity.
    ///
    /// The value is recognised as one of a list would be; see [`recognise`].
    pub fn look_up(&self, text: &str) -> Result<Vec<Match>, LookUpError> {
        let key = recognise(text)?;
        let views = self.snapshot.views();
        let look_up = LookUp { snapshot: &self.snapshot, views: &views, sub_domains: self.options.sub_domains };
        let mut matches = Vec::new();
        let mut failed = None;
        let seen = Seen { field: String::new(), value: text.trim().into() };
        let mut take = |found: Found<'_, '_>| {
            for record in numbers(found.records) {
                let handle = Handle { layer: u32::try_from(found.layer).unwrap_or(u32::MAX), record };
                if self.snapshot.layers[found.layer].is_dead(record) {
                    continue;
                }
                match self.judged(handle, &found, &seen) {
                    Ok(found) => matches.push(found),
                    Err(error) => failed = Some(error),
                }
            }
        };
        match &key {
            Key::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                look_up.candidate(indicator::Candidate::Address(network.addr()), Normalisation::Notation, &mut take)?;
            }
            Key::Network(network) => look_up.network(*network, &mut take)?,
            Key::Text(kind, text) => {
                look_up.candidate(indicator::Candidate::Text(*kind, text), Normalisation::Notation, &mut take)?;
                // The host of a URL may be known where the URL is not.
                if *kind == Kind::Url {
                    let mut result = Ok(());
                    read(Holds::Url, text, &mut |reading| {
                        keys_of_reading(Holds::Url, &reading, &mut String::new(), &mut |candidate, way| {
                            if way == Normalisation::HostOfUrl {
                                result = result.and(look_up.candidate(candidate, way, &mut |found| {
                                    take(found);
                                }));
                            }
                        });
                    });
                    result?;
                }
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(matches),
        }
    }

    fn judged(&self, handle: Handle, found: &Found<'_, '_>, seen: &Seen) -> Result<Match, Damaged> {
        let indicator = self.snapshot.indicator(handle)?;
        let filtered = self.options.filter.check(&indicator);
        let revoked = if indicator.revoked { Standing::Revoked } else { Standing::Valid };
        Ok(Match {
            standing: filtered.map_or(revoked, Standing::Filtered),
            indicator,
            handle,
            comparison: Comparison::of_value(found.value),
            normalisation: normalisation(found.way, &seen.value, found.value),
            seen: seen.clone(),
            verdict: None,
        })
    }
}

/// Why a value could not be looked up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookUpError {
    /// The text is no value of a known kind.
    #[error(transparent)]
    Value(#[from] ListError),
    /// The store is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// The fields that can hold a value of a snapshot.
fn concerned(snapshot: &Snapshot, catalogue: &Catalogue, include_agents: bool) -> Catalogue {
    let (kinds, classes) = (snapshot.kinds(), snapshot.classes());
    catalogue.restricted(|field| {
        let looked_at = field.role != Role::Agent || include_agents;
        // Time and rule tell an alert from other JSON.
        matches!(field.holds, Holds::Envelope(Envelope::Timestamp | Envelope::RuleId))
            || include_agents && matches!(field.holds, Holds::Envelope(Envelope::AgentIp | Envelope::AgentName))
            || looked_at && (Kind::of_field(field.holds) & kinds != 0 || classes::of_field(field.holds) & classes != 0)
    })
}

/// Looks the values in the text of a field up.
fn leaf<'s>(
    look_up: &LookUp<'s>,
    holds: Holds,
    text: &str,
    scratch: &mut String,
    found: &mut impl FnMut(Found<'s, '_>),
) -> Result<(), Damaged> {
    // A look-up need not find the value again by an exact search, so a port behind an address does not matter.
    let lenient = if holds == Holds::Ip { Holds::IpWithPort } else { holds };
    let mut result = Ok(());
    read(lenient, text, &mut |reading| {
        if let Reading::Number(number) = reading {
            let looked = look_up.number(number, found);
            if result.is_ok() {
                result = looked;
            }
        }
        keys_of_reading(holds, &reading, scratch, &mut |candidate, way| {
            let looked = look_up.candidate(candidate, way, found);
            if result.is_ok() {
                result = looked;
            }
        });
    });
    result
}

/// Adds the patterns that only need a field that is there.
fn unconditional(hits: &mut Hits, snapshot: &Snapshot, views: &[View<'_>], there: &[(u64, FieldId)]) {
    let nothing = hits.text("");
    for ((layer, view), place) in snapshot.layers.iter().zip(views).zip(0..) {
        for (fields, record) in view.always() {
            let Some((_, field)) = there.iter().find(|(class, _)| class & fields != 0) else { continue };
            if !layer.is_dead(record) {
                let handle = Handle { layer: place, record };
                hits.candidates.push(Candidate { handle, field: *field, seen: nothing.clone() });
            }
        }
    }
}

/// Evaluates the patterns of all candidates. Those that the alert satisfies, as a whole or in part, become hits.
#[cold]
fn evaluate_all(matcher: &mut Matcher, text: &str, views: &[View<'_>]) -> Result<(), MatchError> {
    let Matcher { found, verdicts, patterns, catalogue, options, .. } = matcher;
    let mut candidates = std::mem::take(&mut found.candidates);
    candidates.sort_unstable();
    candidates.dedup();
    let alert = Alert::read(text, catalogue)?;
    let agents = options.include_agents;
    let pattern_options = PatternOptions { agent_addresses: agents, agent_names: agents, ..PatternOptions::default() };
    let observation = Observer::new(catalogue, pattern_options).observe(&alert);
    for same in candidates.chunk_by(|one, other| one.handle == other.handle) {
        let Some(Candidate { handle, .. }) = same.first() else { continue };
        let Some(view) = views.get(handle.layer as usize) else { continue };
        let pattern = || Ok::<_, Damaged>(view.texts(view.record(handle.record)?)?.1);
        let compiled = patterns.get(*handle, options.and, || pattern().map(str::to_owned))?;
        let Some(verdict) = evaluate(compiled.as_deref(), options.and, &observation, alert.timestamp) else { continue };
        let bindings = verdict.brackets.iter().flat_map(|(_, bindings)| bindings);
        let mut seen: Vec<(SeenField, SeenText)> = Vec::new();
        let leaves = bound(bindings, &alert, catalogue);
        seen.extend(leaves.iter().map(|leaf| (SeenField::Any(leaf.field), found.text(&leaf.text))));
        if seen.is_empty() {
            // Of what is not there no field tells, only why it was asked for.
            seen.extend(same.iter().map(|candidate| (SeenField::Searched(candidate.field), candidate.seen.clone())));
        }
        seen.sort_unstable();
        seen.dedup();
        let place = verdicts.len();
        verdicts.push(verdict);
        let pattern: Arc<str> = pattern()?.into();
        for (field, seen) in seen {
            found.taken.push(Hit {
                handle: *handle,
                field,
                seen,
                comparison: Comparison::Pattern(Arc::clone(&pattern)),
                normalisation: Normalisation::Evaluated,
                standing: Standing::Valid,
                verdict: Some(place),
            });
        }
    }
    found.candidates = candidates;
    Ok(())
}

/// Decides which hits count at the time of the alert.
fn judge(hits: &mut [Hit], views: &[View<'_>], options: &MatchOptions, time: Option<Timestamp>) -> Result<(), Damaged> {
    let mut before: Option<(Handle, Standing)> = None;
    for hit in hits {
        let standing = match before {
            Some((handle, standing)) if handle == hit.handle => standing,
            _ => {
                let Some(view) = views.get(hit.handle.layer as usize) else { continue };
                let record = view.record(hit.handle.record)?;
                let labels = || view.labels(record);
                let filter = &options.filter;
                match filter.check_parts(record.score(), record.confidence(), record.tlp(), labels)? {
                    Some(filtered) => Standing::Filtered(filtered),
                    None => {
                        options.validity.standing(record.valid_from(), record.valid_until(), record.is_revoked(), time)
                    }
                }
            }
        };
        hit.standing = standing;
        before = Some((hit.handle, standing));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;

    fn matcher(patterns: &[&str]) -> Matcher {
        let mut builder = Builder::default();
        for pattern in patterns {
            let created = Timestamp::UNIX_EPOCH;
            builder.object(&stix_model::sdo::Indicator::new(*pattern, "stix", created, created).into());
        }
        Matcher::new(&builder.finish().unwrap().into_store().snapshot(), &Catalogue::builtin(), MatchOptions::default())
    }

    fn alert(field: &str, text: &str) -> String {
        let fields = serde_json::json!({ field: text });
        serde_json::json!({ "rule": { "id": "1" }, "data": { "win": { "eventdata": fields } } }).to_string()
    }

    #[test]
    fn what_stands_in_a_field_very_often_is_taken_once_and_its_text_kept_once() {
        let mut matcher = matcher(&["[process:command_line LIKE '%mimikatz%']", "[ipv4-addr:value = '203.0.113.7']"]);
        let text = alert("commandLine", &"mimikatz ".repeat(7_000));
        assert_eq!(matcher.look(&text).unwrap().unwrap().hits.len(), 1);
        assert!(matcher.found.candidates.capacity() < 16, "{}", matcher.found.candidates.capacity());
        let text = alert("queryResults", &"203.0.113.7;".repeat(5_000));
        assert_eq!(matcher.look(&text).unwrap().unwrap().hits.len(), 1);
        assert!(matcher.found.taken.capacity() < 16, "{}", matcher.found.taken.capacity());
    }

    #[test]
    fn many_values_of_one_field_share_its_text() {
        let addresses = (0..500).map(|number| format!("203.0.{}.{}", number / 250, number % 250));
        let addresses: Vec<String> = addresses.collect();
        let mut builder = Builder::default();
        for address in &addresses {
            builder.line(address);
        }
        let snapshot = builder.finish().unwrap().into_store().snapshot();
        let mut matcher = Matcher::new(&snapshot, &Catalogue::builtin(), MatchOptions::default());
        let matches = matcher.matches(&alert("queryResults", &addresses.join(";"))).unwrap();
        assert_eq!(matches.len(), 500);
        assert!(matches.iter().all(|found| Arc::ptr_eq(&found.seen.value, &matches[0].seen.value)));
    }

    #[test]
    fn texts_of_different_fields_are_shared() {
        let mut matcher =
            matcher(&["[ipv4-addr:value = '203.0.113.7']", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"]);
        let text = r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7","dstip":"203.0.113.7"}}"#;
        let look = matcher.look(text).unwrap().unwrap();
        assert_eq!(look.hits.len(), 4);
        assert!(look.hits.iter().all(|hit| hit.seen.as_ptr() == look.hits[0].seen.as_ptr()));
    }
}
