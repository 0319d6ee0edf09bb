//! Single tests: for the values of all alerts, every path with every operator.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::pattern::Observer;
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::{CompiledPattern, MatchOptions, Observation};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Translation};

use crate::samples::{properties, tests};
use crate::{Sample, indexed, read, samples};

/// So many values of each path are tried in each schema.
const VALUES: usize = 12;
/// So many alerts are asked whether an exact query finds them rightly.
const OTHERS: usize = 40;

struct Side {
    translator: PatternTranslator,
    /// Some alerts, with what the index knows of them.
    others: Vec<(usize, Observation<'static>)>,
}

/// Whether a pattern holds; `None` when it cannot be evaluated.
pub(crate) fn holds(pattern: &Pattern, observation: &Observation<'_>) -> Option<bool> {
    let mut pattern = pattern.clone();
    // See `Verifier::new`.
    pattern.version = stix_model::pattern::PatternVersion::V2_0;
    let compiled = CompiledPattern::new(&pattern, &MatchOptions::alerts()).ok()?;
    Some(compiled.comparison_holds(0, observation).unwrap())
}

fn found(evaluator: &Evaluator<'_>, translation: &Translation, sample: &Sample) -> bool {
    let queries = &translation.observations[0].queries;
    queries.iter().any(|query| evaluator.matches(query, &sample.document).unwrap())
}

#[test]
fn no_true_match_is_lost_and_exact_queries_find_no_other() {
    let catalogue = Catalogue::builtin();
    let indexed = indexed();
    let options = PatternOptions::default();
    let observer = Observer::new(&indexed, options);
    let samples = samples();
    let evaluators = [Schema::Wazuh4, Schema::Wazuh5].map(|schema| Evaluator::new(&catalogue, schema));
    let sides = [Schema::Wazuh4, Schema::Wazuh5].map(|schema| {
        let of_schema = samples.iter().enumerate().filter(|(_, sample)| sample.schema == schema);
        let of_schema: Vec<usize> = of_schema.map(|(place, _)| place).collect();
        let step = (of_schema.len() / OTHERS).max(1);
        let others = of_schema.into_iter().step_by(step);
        Side {
            translator: PatternTranslator::new(&catalogue, schema, options),
            others: others.map(|place| (place, observer.observe(&read(&samples[place].text, &indexed)))).collect(),
        }
    });
    let mut tried: BTreeMap<(bool, String), BTreeSet<String>> = BTreeMap::new();
    let (mut patterns, mut true_matches, mut exact) = (0, 0, 0);
    let mut mistakes = BTreeSet::new();
    for sample in &samples {
        let is_5 = sample.schema == Schema::Wazuh5;
        let side = &sides[usize::from(is_5)];
        let evaluator = &evaluators[usize::from(is_5)];
        let alert = read(&sample.text, &indexed);
        let objects = observer.objects(&alert);
        let observation = observer.observe(&alert);
        for (path, value) in properties(&objects) {
            let values = tried.entry((is_5, path.clone())).or_default();
            if values.len() >= VALUES || !values.insert(value.to_string()) {
                continue;
            }
            for test in tests(&path, &value) {
                let text = format!("[{test}]");
                let Ok(pattern) = Pattern::parse(&text) else { continue };
                patterns += 1;
                let translation = side.translator.translate(&pattern);
                let Some(verified) = &translation.pattern else { continue };
                // As it is written, and as it is read on alerts.
                let meant = [holds(&pattern, &observation), holds(verified, &observation)];
                let is_found = found(evaluator, &translation, sample);
                if meant.contains(&Some(true)) {
                    true_matches += 1;
                    if !is_found {
                        mistakes.insert(format!("lost {meant:?}: {text} {:?}", alert.shown_id()));
                    }
                }
                if translation.observations[0].is_exact() {
                    exact += 1;
                    for (place, other) in &side.others {
                        let is_found = found(evaluator, &translation, &samples[*place]);
                        if is_found && holds(verified, other) == Some(false) {
                            mistakes.insert(format!("not exact: {text} finds {:?}", samples[*place].document["_id"]));
                        }
                    }
                    if is_found && meant[1] == Some(false) {
                        mistakes.insert(format!("not exact: {text} {:?}", alert.shown_id()));
                    }
                }
            }
        }
    }
    println!("{patterns} patterns, {true_matches} true matches, {exact} exact");
    assert!(true_matches > 500);
    let shown: Vec<&String> = mistakes.iter().take(60).collect();
    assert!(mistakes.is_empty(), "{} mistakes:\n{shown:#?}", mistakes.len());
}

/// Every property of every object in every alert: equality with its value finds the alert, or the property is known
/// not to be searched.
#[test]
fn every_property_is_searched_or_known_not_to_be() {
    let catalogue = Catalogue::builtin();
    let indexed = indexed();
    let options = PatternOptions::default();
    let observer = Observer::new(&indexed, options);
    let samples = samples();
    let has_corpus = samples.len() > 1_000;
    let sides = [Schema::Wazuh4, Schema::Wazuh5]
        .map(|schema| (PatternTranslator::new(&catalogue, schema, options), Evaluator::new(&catalogue, schema)));
    let mut searched: BTreeSet<String> = BTreeSet::new();
    let mut unmappable: BTreeSet<String> = BTreeSet::new();
    let mut known: BTreeMap<(bool, String), usize> = BTreeMap::new();
    for sample in &samples {
        let is_5 = sample.schema == Schema::Wazuh5;
        let (translator, evaluator) = &sides[usize::from(is_5)];
        let objects = observer.objects(&read(&sample.text, &indexed));
        for (path, value) in properties(&objects) {
            let count = known.entry((is_5, path.clone())).or_default();
            *count += 1;
            // The other law looks at the values; this one at the paths.
            if *count > 30 {
                continue;
            }
            let literal = match &value {
                serde_json::Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
                other => other.to_string(),
            };
            let text = format!("[{path} = {literal}]");
            let Ok(pattern) = Pattern::parse(&text) else { continue };
            let translation = translator.translate(&pattern);
            if let Some(one) = translation.unmappable.first() {
                unmappable.insert(one.to_string());
            } else {
                assert!(found(evaluator, &translation, sample), "{text} does not find its alert");
                searched.insert(path);
            }
        }
    }
    if !has_corpus {
        println!("the list of properties is that of the corpus, which is not there");
        return;
    }
    let list = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("searched", list(&searched));
    insta::assert_snapshot!("unmappable", list(&unmappable));
}
