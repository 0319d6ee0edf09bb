//! The store against the evaluation of every pattern on every alert.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::pattern::Observer;
use alert_enricher::store::{Builder, Decided, MatchOptions, Matcher, Validity, Worthless};
use stix_model::pattern::matcher::{AndReading, CompiledPattern, Observation, Seen};
use stix_model::pattern::{Pattern, PatternVersion};
use stix_model::sdo::Indicator;
use stix_model::{Identifier, Timestamp, Uuid};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::pattern::{PatternOptions, in_alert_terms, resolve};

use crate::samples;
use crate::samples::{properties, tests};

/// So many values of each path are tried.
const VALUES: usize = 3;
/// So many patterns are in one store.
const BATCH: usize = 200;
/// So many other alerts are asked about each pattern.
const OTHERS: usize = 4;

/// What the evaluation of a pattern on one alert says, without any store.
fn naive(text: &str, and: AndReading, alert: &Alert<'_>, observation: &Observation<'_>) -> Option<Decided> {
    let mut pattern = in_alert_terms(&Pattern::read(text).unwrap());
    if pattern.tests().any(|test| &*test.path.object_type == "vulnerability") {
        pattern.version = PatternVersion::V2_0;
    }
    let options =
        stix_model::pattern::matcher::MatchOptions { and, ..stix_model::pattern::matcher::MatchOptions::alerts() };
    let compiled = CompiledPattern::new(&pattern, &options).unwrap();
    let count = compiled.brackets().len();
    let satisfied: Vec<Vec<usize>> = (0..count)
        .map(|bracket| if compiled.comparison_holds(bracket, observation).unwrap() { vec![0] } else { Vec::new() })
        .collect();
    let time = alert.timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
    let seen = [Seen { first: time, last: time, number_observed: 1 }];
    if compiled.combine(&seen, &satisfied).unwrap().is_some() {
        return Some(Decided::Whole);
    }
    let several = ["] AND [", "] FOLLOWEDBY [", "REPEATS"].iter().any(|word| text.contains(word));
    (several && satisfied.iter().any(|one| !one.is_empty())).then_some(Decided::Part)
}

/// Patterns of single tests that mostly hold for the alert that they are from, and of several of them.
fn patterns(texts: &[String], observer: &Observer<'_>, catalogue: &Catalogue) -> Vec<(usize, String)> {
    let mut tried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut single = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        let objects = observer.objects(&Alert::read(text, catalogue).unwrap());
        for (path, value) in properties(&objects) {
            let values = tried.entry(path.clone()).or_default();
            if values.len() < VALUES && values.insert(value.to_string()) {
                single.extend(tests(&path, &value).into_iter().map(|test| (place, test)));
            }
        }
    }
    let mut all: Vec<(usize, String)> = Vec::new();
    for (number, (place, test)) in single.iter().enumerate() {
        // The same alert satisfies most of its neighbours, another one those further on.
        let near = &single[(number + 7).min(single.len() - 1)].1;
        let far = &single[(number * 13 + 5) % single.len()].1;
        all.push((*place, format!("[{test}]")));
        all.push((
            *place,
            match number % 7 {
                0 => format!("[{test} AND {near}]"),
                1 => format!("[{test} OR {far}]"),
                2 => format!("[{test}] AND [{far}]"),
                3 => format!("[{test}] FOLLOWEDBY [{near}] WITHIN 60 SECONDS"),
                4 => format!("[{far} AND ({test} OR {near})]"),
                5 => format!("[{far} AND {near}] OR [{test}]"),
                _ => format!("[{test}] REPEATS 2 TIMES"),
            },
        ));
    }
    // What alerts say nothing of is left out of alternatives; the naive evaluation knows nothing of that.
    let is_known =
        |text: &str| Pattern::read(text).is_ok_and(|pattern| pattern.tests().all(|test| resolve(&test.path).is_some()));
    all.retain(|(_, text)| is_known(text));
    all
}

fn indicator(number: usize, pattern: &str) -> Indicator {
    let time = Timestamp::UNIX_EPOCH;
    let mut indicator = Indicator::new(pattern, "stix", time, time);
    indicator.common.id = id(number);
    indicator
}

fn id(number: usize) -> Identifier {
    Identifier::new("indicator", Uuid::from_u128(4 << 76 | number as u128)).unwrap()
}

#[test]
fn the_store_says_what_the_evaluation_of_every_pattern_says() {
    let catalogue = Catalogue::builtin();
    let observer = Observer::new(&catalogue, PatternOptions::default());
    let texts: Vec<String> = samples().into_iter().map(|sample| sample.text).collect();
    let alerts: Vec<Alert<'_>> = texts.iter().map(|text| Alert::read(text, &catalogue).unwrap()).collect();
    let patterns = patterns(&texts, &observer, &catalogue);
    let others: Vec<usize> = (0..alerts.len()).step_by((alerts.len() / OTHERS).max(1)).collect();
    let (mut asked, mut whole, mut part) = (0, 0, 0);
    let mut mistakes = BTreeSet::new();
    let mut skipped: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (batch, patterns) in patterns.chunks(BATCH).enumerate() {
        let and = if batch % 4 == 3 { AndReading::SameObject } else { AndReading::Event };
        let mut builder = Builder::new(Worthless::none());
        for (number, (_, pattern)) in patterns.iter().enumerate() {
            builder.object(&indicator(number, pattern).into());
        }
        let built = builder.finish().unwrap();
        for skipped_one in built.skipped() {
            *skipped.entry(skipped_one.why.name()).or_default() += 1;
        }
        let snapshot = built.into_store().snapshot();
        let options = MatchOptions { validity: Validity::ANY, and, ..MatchOptions::default() };
        let mut matcher = Matcher::new(&snapshot, &catalogue, options);
        let mut concerned: Vec<usize> = patterns.iter().map(|(place, _)| *place).chain(others.clone()).collect();
        concerned.sort_unstable();
        concerned.dedup();
        for place in concerned {
            let observation = observer.observe(&alerts[place]);
            let mut found: BTreeMap<Identifier, Option<Decided>> = BTreeMap::new();
            for one in matcher.matches(&texts[place]).unwrap() {
                found.insert(one.indicator.id, one.verdict.map(|verdict| verdict.decided));
            }
            for (number, (source, pattern)) in patterns.iter().enumerate() {
                let id = id(number);
                let Some(known) = snapshot.get(&id).unwrap() else { continue };
                if *source != place && !others.contains(&place) {
                    continue;
                }
                let wanted = naive(pattern, and, &alerts[place], &observation);
                asked += 1;
                whole += usize::from(wanted == Some(Decided::Whole));
                part += usize::from(wanted == Some(Decided::Part));
                let right = match (found.get(&id), known.pattern) {
                    (Some(found), Some(_)) => *found == wanted,
                    (None, _) => wanted.is_none(),
                    // Values by themselves are compared by rules of their own, which find no less.
                    (Some(_), None) => true,
                };
                if !right {
                    let shown = alerts[place].shown_id().unwrap_or_default();
                    mistakes.insert(format!("{pattern}: {:?}, not {wanted:?}, in {shown}", found.get(&id)));
                }
            }
        }
    }
    println!("{} patterns, {asked} questions, {whole} whole and {part} parts, skipped {skipped:?}", patterns.len());
    assert!(whole > 200 && part > 50, "{whole} {part}");
    let shown: Vec<&String> = mistakes.iter().take(60).collect();
    assert!(mistakes.is_empty(), "{} mistakes:\n{shown:#?}", mistakes.len());
}
