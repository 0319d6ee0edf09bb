//! Which of the indicators that are known count for an alert.

use std::cmp::Reverse;
use std::collections::HashSet;

use stix_model::pattern::Pattern;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::pattern::{PatternOptions, PatternTranslator};

use super::{Asked, Event, EventType, Knowledge, KnownIndicator, KnownObservable};
use crate::indicator::{Key, Kind, PatternError, keys_of_pattern};
use crate::pattern::{PatternHunt, Verifier};
use crate::store::{Filter, Standing, Validity};

/// Which indicators count.
#[derive(Clone, Debug, Default)]
pub struct JudgeOptions {
    /// By what is known about them.
    pub filter: Filter,
    /// By when they are valid.
    pub validity: Validity,
    /// Indicators with one of these labels never count, such as `false-positive`.
    pub ignored_labels: Vec<String>,
}

/// What is raised, and what is not.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// The events, the most telling first.
    pub events: Vec<Event>,
    /// The indicators that do not count, with the reason.
    pub passed_over: Vec<PassedOver>,
}

/// An indicator that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its identifier.
    pub indicator: String,
    /// Its name.
    pub name: Option<String>,
    /// Why.
    pub why: Why,
}

/// Why an indicator does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// It is not valid at the time of the alert, or does not pass the filter.
    #[error("{0}")]
    Standing(Standing),
    /// It has a label that keeps it from counting.
    #[error("it has the label `{0}`")]
    Label(String),
    /// Its pattern does not match the alert.
    #[error("its pattern does not match the alert")]
    NoMatch,
    /// Its pattern cannot be evaluated on alerts.
    #[error("its pattern cannot be evaluated: {0}")]
    Pattern(String),
}

/// How much of a pattern an alert satisfies, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole(Vec<String>),
    Part(Vec<String>),
}

/// Says what is to be raised for an alert.
///
/// An indicator is raised once: with its observable if that is known, else by its pattern. Indicators of observables that
/// were asked for, and those found by pattern, count only if the pattern matches this alert; those of related observables
/// are about another value, and say so.
pub fn judge(
    alert: &Alert<'_>,
    asked: &[Asked],
    known: &Knowledge,
    catalogue: &Catalogue,
    options: &JudgeOptions,
) -> Judged {
    let mut judge = Judge { alert, asked, catalogue, options, judged: Judged::default(), raised: HashSet::new() };
    for observable in &known.observables {
        judge.observable(observable);
    }
    for indicator in sorted(known.indicators.iter()) {
        judge.indicator(indicator);
    }
    for observable in &known.observables {
        judge.related(observable);
    }
    judge.judged.events.sort_by_key(|event| event.event_type);
    judge.judged
}

struct Judge<'a> {
    alert: &'a Alert<'a>,
    asked: &'a [Asked],
    catalogue: &'a Catalogue,
    options: &'a JudgeOptions,
    judged: Judged,
    /// Indicators that are in an event, or were passed over.
    raised: HashSet<String>,
}

/// Indicators, the best first: meant for detection, score, confidence.
fn sorted<'k>(indicators: impl Iterator<Item = &'k KnownIndicator>) -> Vec<&'k KnownIndicator> {
    let mut sorted: Vec<_> = indicators.collect();
    sorted.sort_by_key(|known| {
        let indicator = &known.indicator;
        (indicator.revoked, !known.detection, Reverse(indicator.score), Reverse(indicator.confidence))
    });
    sorted
}

impl Judge<'_> {
    fn observable(&mut self, observable: &KnownObservable) {
        let Some(asked) = self.asked_of(observable).cloned() else { return };
        let mut counting = Vec::new();
        for indicator in sorted(observable.indicators.iter()) {
            match self.check(indicator) {
                Some(Extent::Whole(why)) => counting.push((indicator.clone(), why)),
                Some(Extent::Part(why)) => self.pattern_event(EventType::IndicatorPartialPatternMatch, indicator, why),
                None => {}
            }
        }
        let Some((best, why)) = counting.first().cloned() else { return };
        self.judged.events.push(Event {
            event_type: EventType::ObservableWithIndicator,
            indicator: best,
            more_indicators: counting.len() - 1,
            observable: Some(observable.clone()),
            related: None,
            asked: Some(asked),
            why,
        });
    }

    fn indicator(&mut self, indicator: &KnownIndicator) {
        let id = indicator.indicator.id.to_string();
        if self.raised.contains(&id) {
            return;
        }
        let (event_type, why) = match self.check(indicator) {
            Some(Extent::Whole(why)) => (EventType::IndicatorPatternMatch, why),
            Some(Extent::Part(why)) => (EventType::IndicatorPartialPatternMatch, why),
            None => return,
        };
        self.pattern_event(event_type, indicator, why);
    }

    fn pattern_event(&mut self, event_type: EventType, indicator: &KnownIndicator, why: Vec<String>) {
        let keys = keys_of_pattern(&indicator.pattern).unwrap_or_default();
        let by_key = self.asked.iter().find(|asked| keys.iter().any(|key| holds(key, &asked.key)));
        let asked =
            by_key.or_else(|| self.asked.iter().find(|asked| indicator.pattern.contains(&asked.value))).cloned();
        self.judged.events.push(Event {
            event_type,
            indicator: indicator.clone(),
            more_indicators: 0,
            observable: None,
            related: None,
            asked,
            why,
        });
    }

    fn related(&mut self, observable: &KnownObservable) {
        let Some(asked) = self.asked_of(observable).cloned() else { return };
        // Files of one name have little in common, and what is in a network is not what the network is related to.
        let is_same = Key::new(asked.kind(), &observable.value).is_none_or(|key| key == asked.key);
        if !is_same && asked.kind() != Kind::Mutex {
            return;
        }
        for related in &observable.related {
            let mut counting = Vec::new();
            for indicator in sorted(related.observable.indicators.iter()) {
                if self.counts(indicator) {
                    counting.push(indicator.clone());
                }
            }
            let more_indicators = counting.len().saturating_sub(1);
            let Some(best) = counting.into_iter().next() else { continue };
            let why = vec![format!("{} {} {}", observable.value, related.relationship_type, related.observable.value)];
            self.judged.events.push(Event {
                event_type: EventType::ObservableWithRelatedIndicator,
                indicator: best,
                more_indicators,
                observable: Some(observable.clone()),
                related: Some(related.clone()),
                asked: Some(asked.clone()),
                why,
            });
        }
    }

    /// What of the alert the observable was found by. The platform may answer with more than was asked for.
    fn asked_of(&self, observable: &KnownObservable) -> Option<&Asked> {
        let is = |asked: &Asked, text: &str| {
            asked.value.eq_ignore_ascii_case(text) || asked.written.eq_ignore_ascii_case(text)
        };
        let by_value = self.asked.iter().find(|asked| is(asked, &observable.value));
        let by_key = || {
            let kind = kind_of_type(&observable.entity_type);
            self.asked.iter().find(|asked| {
                let known = Key::new(kind.unwrap_or_else(|| asked.kind()), &observable.value);
                known.is_some_and(|known| if kind.is_some() { holds(&known, &asked.key) } else { known == asked.key })
            })
        };
        let by_hash = || observable.hashes.iter().find_map(|digest| self.asked.iter().find(|asked| is(asked, digest)));
        by_value.or_else(by_key).or_else(by_hash)
    }

    /// Whether an indicator counts at all, whatever it is about. Each is told once.
    fn counts(&mut self, known: &KnownIndicator) -> bool {
        let indicator = &known.indicator;
        let id = indicator.id.to_string();
        if !self.raised.insert(id.clone()) {
            return false;
        }
        let ignored = indicator.labels.iter().find(|label| {
            self.options.ignored_labels.iter().any(|ignored| ignored.to_lowercase() == label.to_lowercase())
        });
        let standing = match self.options.validity.at(indicator, self.alert.timestamp) {
            Standing::Valid => self.options.filter.check(indicator).map_or(Standing::Valid, Standing::Filtered),
            standing => standing,
        };
        let why = match ignored {
            Some(label) => Why::Label(label.to_string()),
            None if standing.counts() => return true,
            None => Why::Standing(standing),
        };
        self.pass_over(known, why);
        false
    }

    /// Whether an indicator counts and its pattern matches.
    fn check(&mut self, known: &KnownIndicator) -> Option<Extent> {
        if !self.counts(known) {
            return None;
        }
        match self.matches(known) {
            Ok(extent) => Some(extent),
            Err(why) => {
                self.pass_over(known, why);
                None
            }
        }
    }

    fn pass_over(&mut self, known: &KnownIndicator, why: Why) {
        let indicator = known.indicator.id.to_string();
        self.judged.passed_over.push(PassedOver { indicator, name: known.name.clone(), why });
    }

    fn matches(&self, known: &KnownIndicator) -> Result<Extent, Why> {
        if !known.pattern_type.eq_ignore_ascii_case("stix") {
            return Err(Why::Pattern(format!("patterns of type `{}` are not evaluated on alerts", known.pattern_type)));
        }
        let told = |asked: &Asked| format!("{} = {}", asked.field, asked.written);
        match keys_of_pattern(&known.pattern) {
            // One value is enough: by far the most patterns.
            Ok(keys) => {
                let why: Vec<String> =
                    self.asked.iter().filter(|asked| keys.iter().any(|key| holds(key, &asked.key))).map(told).collect();
                if why.is_empty() { Err(Why::NoMatch) } else { Ok(Extent::Whole(why)) }
            }
            Err(PatternError::Syntax(error)) => Err(Why::Pattern(error.to_string())),
            Err(_) => self.evaluate(&known.pattern),
        }
    }

    fn evaluate(&self, pattern: &str) -> Result<Extent, Why> {
        let failed = |error: &dyn std::fmt::Display| Why::Pattern(error.to_string());
        let pattern = Pattern::read(pattern).map_err(|error| failed(&error))?;
        let options = PatternOptions::default();
        let translator = PatternTranslator::new(self.catalogue, self.alert.schema, options);
        let translation = translator.translate(&pattern);
        let verifier = Verifier::new(self.catalogue, &translation, options).map_err(|error| failed(&error))?;
        let satisfied = verifier.verify(self.alert).map_err(|error| failed(&error))?;
        if satisfied.is_empty() {
            return Err(Why::NoMatch);
        }
        let why = satisfied.iter().flat_map(|one| &one.bindings).map(ToString::to_string).collect();
        let mut hunt = PatternHunt::new(&verifier);
        hunt.add_alert(self.alert).map_err(|error| failed(&error))?;
        let whole = hunt.finish().map_err(|error| failed(&error))?.is_match();
        Ok(if whole { Extent::Whole(why) } else { Extent::Part(why) })
    }
}

/// The kind of the observables of a type of the platform that may stand for more than one value.
fn kind_of_type(entity_type: &str) -> Option<Kind> {
    Some(match entity_type {
        "StixFile" => Kind::File,
        "Directory" => Kind::Directory,
        "Mutex" => Kind::Mutex,
        "Windows-Registry-Key" => Kind::RegistryKey,
        "IPv4-Addr" | "IPv6-Addr" => Kind::Address,
        _ => return None,
    })
}

/// Whether a value of a pattern stands for a value of an alert: by the rules by which a store finds it.
fn holds(wanted: &Key, seen: &Key) -> bool {
    let is_separator = |char: char| matches!(char, '/' | '\\');
    let is_below =
        |above: &str, text: &str| text.strip_prefix(above).is_some_and(|rest| rest.starts_with(is_separator));
    match (wanted, seen) {
        (Key::Network(network), Key::Network(address)) => network.contains(address),
        // A name stands for the file in any directory, a relative path for any directory above it.
        (Key::Text(Kind::File, name), Key::Text(Kind::File, path)) => {
            name == path || path.strip_suffix(&**name).is_some_and(|above| above.ends_with(is_separator))
        }
        (Key::Text(Kind::Directory, above), Key::Text(Kind::File, path)) => is_below(above, path),
        (Key::Text(Kind::RegistryKey, above), Key::Text(Kind::RegistryKey, key)) => {
            above == key || is_below(above, key)
        }
        (Key::Text(Kind::Mutex, name), Key::Text(Kind::Mutex, path)) => {
            // A name stands for the object in any name space.
            name == path || path.rsplit_once('\\').is_some_and(|(_, bare)| *bare == **name)
        }
        _ => wanted == seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Limits;
    use crate::indicator::Indicator;
    use crate::knowledge::{AskOptions, EventOptions, Indicated, Related, ask};

    const ALERT: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1773480413.1",
        "rule":{"id":"5710","level":5,"description":"sshd: attempt to login"},"agent":{"id":"001","name":"web01"},
        "data":{"srcip":"203.0.113.7","srcuser":"kim","url":"http://www.evil.example/x"}}"#;

    fn indicator(number: u8, pattern: &str) -> KnownIndicator {
        let id = format!("indicator--8752eb5f-8b58-519e-8f40-1087{number:08}").parse().unwrap();
        let mut known = KnownIndicator::new(Indicator::new(id), pattern);
        known.name = Some(format!("indicator {number}"));
        known.platform_id = Some(format!("00000000-0000-4000-8000-{number:012}"));
        known
    }

    fn observable(value: &str, indicators: Vec<KnownIndicator>) -> KnownObservable {
        KnownObservable {
            id: "ipv4-addr--efb3cb24-5b02-57b0-adb6-64563650dafa".to_owned(),
            platform_id: Some("11111111-0000-4000-8000-000000000000".to_owned()),
            entity_type: "IPv4-Addr".to_owned(),
            value: value.to_owned(),
            score: Some(80),
            indicators,
            ..KnownObservable::default()
        }
    }

    fn judged(known: &Knowledge, options: &JudgeOptions) -> Judged {
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(ALERT, &catalogue).unwrap();
        let asked = ask(&alert, &catalogue, &AskOptions::default()).unwrap();
        judge(&alert, &asked, known, &catalogue, options)
    }

    fn of_patterns(patterns: &[&str]) -> Knowledge {
        let indicators = (1..).zip(patterns).map(|(number, pattern)| indicator(number, pattern)).collect();
        Knowledge { indicators, ..Knowledge::default() }
    }

    fn types(judged: &Judged) -> Vec<&'static str> {
        judged.events.iter().map(|event| event.event_type.name()).collect()
    }

    #[test]
    fn only_a_pattern_that_matches_counts() {
        let known = of_patterns(&[
            "[ipv4-addr:value = '203.0.113.7']",
            "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
            "[ipv4-addr:value = '203.0.113.7' AND user-account:account_login = 'kim']",
            "[ipv4-addr:value = '203.0.113.7' AND user-account:account_login = 'lee']",
            "[ipv4-addr:value = '203.0.113.77']",
            "[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [file:name = 'nc']",
            "[ipv4-addr:value = '203.0.113.7'",
        ]);
        let judged = judged(&known, &JudgeOptions::default());
        let whole = "indicator_pattern_match";
        assert_eq!(types(&judged), [whole, whole, whole, "indicator_partial_pattern_match"]);
        let why: Vec<_> = judged.passed_over.iter().map(|over| over.why.to_string()).collect();
        let no = "its pattern does not match the alert";
        assert_eq!(why.iter().filter(|why| *why == no).count(), 2, "{why:?}");
        assert!(why.iter().any(|why| why.starts_with("its pattern cannot be evaluated")), "{why:?}");
    }

    /// Sysmon has a path, a key with a value below it and an object of the kernel, where intelligence has bare names.
    const HOST: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1773480413.2",
        "rule":{"id":"92000","level":5},"agent":{"id":"001"},"data":{"srcip":"203.0.113.7",
        "win":{"eventdata":{"image":"C:\\\\Tools\\\\nc.exe",
        "targetObject":"HKLM\\\\SOFTWARE\\\\Acme\\\\Run\\\\Updater",
        "objectType":"Mutant","objectName":"\\\\Sessions\\\\1\\\\BaseNamedObjects\\\\NimbusSync"}}}}"#;

    fn judged_of_host(known: &Knowledge) -> Judged {
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(HOST, &catalogue).unwrap();
        let asked = ask(&alert, &catalogue, &AskOptions::default()).unwrap();
        judge(&alert, &asked, known, &catalogue, &JudgeOptions::default())
    }

    #[test]
    fn names_ends_and_keys_above_count_as_a_store_finds_them() {
        let wanted = [
            r"[file:name = 'nc.exe']",
            r"[file:name = 'Tools\\nc.exe']",
            r"[file:name = 'c.exe']",
            r"[directory:path = 'C:\\Tools']",
            r"[directory:path = 'C:\\Too']",
            r"[mutex:name = 'NimbusSync']",
            r"[mutex:name = 'Sync']",
            r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Run']",
            r"[windows-registry-key:key = 'HKLM\\Software\\Acme\\Run\\Updater']",
            r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Ru']",
        ];
        let judged = judged_of_host(&of_patterns(&wanted));
        let raised: Vec<_> = judged.events.iter().map(|event| event.indicator.pattern.as_str()).collect();
        assert_eq!(raised, [0, 1, 3, 5, 7, 8].map(|place| wanted[place]));
        assert!(judged.events.iter().all(|event| event.asked.is_some()));
        // The same as a store says.
        let mut builder = crate::store::Builder::default();
        for (number, pattern) in (1..).zip(wanted) {
            let id = format!("indicator--8752eb5f-8b58-519e-8f40-1087{number:08}").parse().unwrap();
            let time = stix_model::Timestamp::UNIX_EPOCH;
            let mut indicator = stix_model::sdo::Indicator::new(pattern, "stix", time, time);
            indicator.common.id = id;
            builder.object(&indicator.into());
        }
        let store = builder.finish().unwrap().into_store();
        let mut matcher =
            crate::store::Matcher::new(&store.snapshot(), &Catalogue::builtin(), crate::store::MatchOptions::default());
        let mut found: Vec<_> =
            matcher.matches(HOST).unwrap().into_iter().map(|found| found.indicator.id.to_string()).collect();
        let mut ids: Vec<_> = judged.events.iter().map(|event| event.indicator.indicator.id.to_string()).collect();
        found.sort();
        found.dedup();
        ids.sort();
        assert_eq!(ids, found);
    }

    #[test]
    fn observables_with_bare_names_have_their_indicators_but_not_what_they_are_related_to() {
        let of = |entity_type: &str, value: &str, indicators| KnownObservable {
            entity_type: entity_type.to_owned(),
            ..observable(value, indicators)
        };
        let mut file = of("StixFile", "nc.exe", vec![indicator(1, "[file:name = 'nc.exe']")]);
        let other = observable("evil.example", vec![indicator(2, "[domain-name:value = 'evil.example']")]);
        file.related = vec![Related { relationship_type: "related-to".to_owned(), observable: other }];
        let key = r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Run']";
        let observables = vec![
            file,
            of("Mutex", "NimbusSync", vec![indicator(3, "[mutex:name = 'NimbusSync']")]),
            of("Windows-Registry-Key", r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme\Run", vec![indicator(4, key)]),
            of("IPv4-Addr", "203.0.113.0/24", vec![indicator(5, "[ipv4-addr:value = '203.0.113.0/24']")]),
            // The name of another thing.
            of("Software", "nc.exe", vec![indicator(6, "[file:name = 'nc.exe']")]),
        ];
        let judged = judged_of_host(&Knowledge { observables, indicators: Vec::new() });
        assert_eq!(types(&judged), ["observable_with_indicator"; 4]);
        let names: Vec<_> = judged.events.iter().filter_map(|event| event.indicator.name.as_deref()).collect();
        assert_eq!(names, ["indicator 1", "indicator 3", "indicator 4", "indicator 5"]);
    }

    #[test]
    fn validity_filter_and_labels_decide() {
        let mut known = of_patterns(&["[ipv4-addr:value = '203.0.113.7']"; 4]);
        known.indicators[0].indicator.valid_until = Some("2026-03-01T00:00:00Z".parse().unwrap());
        known.indicators[1].indicator.revoked = true;
        known.indicators[2].indicator.labels = vec!["False-Positive".into()];
        known.indicators[3].indicator.score = Some(10);
        let options = JudgeOptions {
            filter: Filter { min_score: Some(50), ..Filter::default() },
            ignored_labels: vec!["false-positive".to_owned()],
            ..JudgeOptions::default()
        };
        let judged = judged(&known, &options);
        assert!(judged.events.is_empty());
        assert_eq!(judged.passed_over.len(), 4);
    }

    #[test]
    fn an_indicator_is_raised_once_with_its_observable() {
        let one = indicator(1, "[ipv4-addr:value = '203.0.113.7']");
        let mut better = indicator(2, "[ipv4-addr:value = '203.0.113.7']");
        better.indicator.score = Some(90);
        better.indicates = vec![Indicated { entity_type: "Intrusion-Set".to_owned(), name: "FIN-X".to_owned() }];
        let known = Knowledge {
            observables: vec![
                observable("203.0.113.7", vec![one.clone(), better.clone()]),
                // The platform answers with what was not asked for, too.
                observable("203.0.113.70", vec![indicator(3, "[ipv4-addr:value = '203.0.113.70']")]),
            ],
            indicators: vec![one, better],
        };
        let judged = judged(&known, &JudgeOptions::default());
        assert_eq!(types(&judged), ["observable_with_indicator"]);
        let event = &judged.events[0];
        assert_eq!((event.indicator.name.as_deref(), event.more_indicators), (Some("indicator 2"), 1));
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(ALERT, &catalogue).unwrap();
        let options = EventOptions { platform: Some("https://opencti.example/".to_owned()) };
        let document = event.document(&alert, &catalogue, &options).render(&Limits::default());
        let pretty: serde_json::Value = serde_json::from_str(&document.json).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&pretty).unwrap());
    }

    #[test]
    fn what_is_related_is_told_as_that() {
        let other = observable("evil.example", vec![indicator(1, "[domain-name:value = 'evil.example']")]);
        let mut known = observable("203.0.113.7", Vec::new());
        known.related = vec![Related { relationship_type: "resolves-to".to_owned(), observable: other }];
        let known = Knowledge { observables: vec![known], indicators: Vec::new() };
        let judged = judged(&known, &JudgeOptions::default());
        assert_eq!(types(&judged), ["observable_with_related_indicator"]);
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(ALERT, &catalogue).unwrap();
        let json =
            judged.events[0].document(&alert, &catalogue, &EventOptions::default()).render(&Limits::default()).json;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["opencti"]["related"]["indicator"]["name"], "indicator 1");
        assert_eq!(value["opencti"]["direction"], "inbound");
        assert!(value["opencti"]["indicator"].is_null());
    }
}
