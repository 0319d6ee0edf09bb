//! The laws in a real `OpenSearch`: it takes every query, loses no true match, and an exact query finds no other alert.
//!
//! Needs `OPENSEARCH_URL` (`deploy/dev/opensearch.sh start` prints one); without it the test says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use alert_enricher::pattern::Observer;
use serde_json::{Value, json};
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::Observation;
use wazuh_query::catalogue::{Catalogue, IndexType, Schema};
use wazuh_query::pattern::{PatternOptions, PatternTranslator};

use crate::laws::holds;
use crate::samples::{properties, tests};
use crate::{Sample, indexed, read, samples, server};

const INDEX: &str = "wazuh-alerts-4.x-pattern-laws";
/// So many values of each path are tried.
const VALUES: usize = 3;
/// So many true matches are asked for, evenly from all; `PATTERN_LAWS_ASKED` says otherwise. Four thousand take eight
/// minutes on two cores.
const ASKED: usize = 800;
/// So many exact queries are run over all alerts of the index.
const EXACT: usize = 300;
/// Of the other alerts every so-manieth is in the index, too.
const OTHERS: usize = 10;
/// Searches of one request.
const BATCH: usize = 20;

/// A true match.
struct Question {
    pattern: String,
    sample: usize,
    queries: Vec<String>,
}

#[test]
fn a_real_opensearch_loses_no_true_match() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!("skipped: OPENSEARCH_URL is not set (see deploy/dev/opensearch.sh)");
        return;
    };
    let started = Instant::now();
    let mut samples = samples();
    samples.retain(|sample| sample.schema == Schema::Wazuh4);
    let catalogue = Catalogue::builtin();
    let indexed = indexed();
    let options = PatternOptions::default();
    let observer = Observer::new(&indexed, options);
    let translator = PatternTranslator::new(&catalogue, Schema::Wazuh4, options);
    let mut tried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut questions, mut exact) = (Vec::new(), BTreeMap::new());
    for (place, sample) in samples.iter().enumerate() {
        let alert = read(&sample.text, &indexed);
        let observation = observer.observe(&alert);
        for (path, value) in properties(&observer.objects(&alert)) {
            let values = tried.entry(path.clone()).or_default();
            if values.len() >= VALUES || !values.insert(value.to_string()) {
                continue;
            }
            for test in tests(&path, &value) {
                let text = format!("[{test}]");
                let Ok(pattern) = Pattern::parse(&text) else { continue };
                let translation = translator.translate(&pattern);
                let Some(verified) = &translation.pattern else { continue };
                if holds(verified, &observation) != Some(true) {
                    continue;
                }
                let one = &translation.observations[0];
                let queries: Vec<String> = one.queries.iter().map(wazuh_query::dsl::Query::to_json).collect();
                if one.is_exact() && queries.len() == 1 {
                    exact.insert(queries[0].clone(), verified.clone());
                }
                questions.push(Question { pattern: text, sample: place, queries });
            }
        }
    }
    let wanted = std::env::var("PATTERN_LAWS_ASKED").ok().and_then(|count| count.parse().ok()).unwrap_or(ASKED);
    let all = questions.len();
    let step = (all / wanted).max(1);
    let mut asked: Vec<Question> = questions.into_iter().step_by(step).collect();
    let others = (0..samples.len()).step_by(if wanted > ASKED { 1 } else { OTHERS });
    let places: BTreeSet<usize> = asked.iter().map(|question| question.sample).chain(others).collect();
    let rejected = fill(&url, &samples, &places);
    let taken = places.len() - rejected.len();
    println!("{taken} alerts indexed, {} rejected ({:?})", rejected.len(), started.elapsed());
    assert!(rejected.len() * 10 < places.len(), "too many alerts were rejected");
    asked.retain(|question| !rejected.contains(&question.sample));
    let mut problems = lost(&url, &asked);
    println!("{} of {all} true matches asked for ({:?})", asked.len(), started.elapsed());

    let step = (exact.len() / EXACT).max(1);
    let exact: Vec<(&String, &Pattern)> = exact.iter().step_by(step).collect();
    let observe = |place: &usize| (*place, observer.observe(&read(&samples[*place].text, &indexed)));
    let observations: BTreeMap<usize, Observation<'static>> = places.iter().map(observe).collect();
    let hits = not_exact(&url, &exact, &observations, &mut problems);
    println!("{} exact queries with {hits} hits ({:?})", exact.len(), started.elapsed());
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    server::request("DELETE", &format!("{url}/_template/pattern-laws"), "");
    assert!(asked.len() > 200 && hits > 50);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems[..problems.len().min(20)].join("\n"));
}

/// True matches that the index loses, and queries that it refuses.
fn lost(url: &str, asked: &[Question]) -> Vec<String> {
    let mut problems = Vec::new();
    for chunk in asked.chunks(BATCH) {
        let mut bodies = Vec::new();
        for question in chunk {
            let any: Vec<Value> = question.queries.iter().map(|query| serde_json::from_str(query).unwrap()).collect();
            let ids = json!({"ids": {"values": [question.sample.to_string()]}});
            let query = json!({"bool": {"filter": [{"bool": {"should": any}}, ids]}});
            bodies.push(json!({"query": query, "size": 0}));
        }
        for (question, answer) in chunk.iter().zip(search(url, &bodies)) {
            match answer {
                Err(error) => problems.push(format!("refused: {}: {error}", question.pattern)),
                Ok(answer) if answer["hits"]["total"]["value"] != 1 => {
                    problems.push(format!("lost: {} in alert {}", question.pattern, question.sample));
                }
                Ok(_) => {}
            }
        }
    }
    problems
}

/// Names what exact queries find beside what was asked for; answers how many hits there were.
fn not_exact(
    url: &str,
    exact: &[(&String, &Pattern)],
    observations: &BTreeMap<usize, Observation<'static>>,
    problems: &mut Vec<String>,
) -> usize {
    let mut hits = 0;
    for chunk in exact.chunks(BATCH) {
        let body = |query: &str| {
            let query: Value = serde_json::from_str(query).unwrap();
            json!({"query": query, "size": 10_000, "_source": false})
        };
        let bodies: Vec<Value> = chunk.iter().map(|(query, _)| body(query)).collect();
        for ((_, pattern), answer) in chunk.iter().zip(search(url, &bodies)) {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    problems.push(format!("refused: {pattern}: {error}"));
                    continue;
                }
            };
            for hit in answer["hits"]["hits"].as_array().unwrap() {
                let place: usize = hit["_id"].as_str().unwrap().parse().unwrap();
                hits += 1;
                if holds(pattern, &observations[&place]) != Some(true) {
                    problems.push(format!("not exact: {pattern} finds alert {place}"));
                }
            }
        }
    }
    hits
}

fn search(url: &str, bodies: &[Value]) -> Vec<Result<Value, String>> {
    let body = bodies.iter().fold(String::new(), |all, body| all + &format!("{{}}\n{body}\n"));
    let (status, answer) = server::request("POST", &format!("{url}/{INDEX}/_msearch?max_concurrent_searches=2"), &body);
    let short = |answer: &str| answer.chars().take(600).collect::<String>();
    assert_eq!(status, 200, "{}", short(&answer));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let one = |answer: &Value| {
        let is_whole = answer["hits"]["total"]["value"].is_u64() && answer["_shards"]["failed"] == 0;
        if is_whole { Ok(answer.clone()) } else { Err(short(&answer.to_string())) }
    };
    answer["responses"].as_array().unwrap().iter().map(one).collect()
}

/// Fills an index with the real template, or what the catalogue says of it. Returns the alerts that it refuses.
fn fill(url: &str, samples: &[Sample], places: &BTreeSet<usize>) -> BTreeSet<usize> {
    server::request("DELETE", &format!("{url}/{INDEX}"), "");
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let mut template: Value = match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => json!({
            "mappings": {
                "dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
                "date_detection": false,
                "properties": {"full_log": {"type": "text"}},
            },
        }),
    };
    template["index_patterns"] = json!([INDEX]);
    template["order"] = json!(10);
    template["settings"]["index.mapping.total_fields.limit"] = json!(20_000);
    // Every field of the catalogue at once: one by one takes a minute.
    let catalogue = Catalogue::builtin();
    let fields: Vec<_> = catalogue.select(Schema::Wazuh4, |field| field.uses.search).collect();
    let is_above =
        |path: &str| fields.iter().any(|other| other.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
    for field in fields.iter().filter(|field| !is_above(&field.path)) {
        let kind = match field.index {
            IndexType::Keyword => "keyword",
            IndexType::Ip => "ip",
            IndexType::Long => "long",
            IndexType::Double => "double",
            _ => continue,
        };
        map(&mut template["mappings"], &field.path, field.nested.as_deref(), kind);
    }
    let (status, answer) = server::request("PUT", &format!("{url}/_template/pattern-laws"), &template.to_string());
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = server::request("PUT", &format!("{url}/{INDEX}"), r#"{"settings":{"number_of_shards":1}}"#);
    assert_eq!(status, 200, "{answer}");
    let mut rejected = BTreeSet::new();
    let places: Vec<usize> = places.iter().copied().collect();
    for chunk in places.chunks(500) {
        let mut bulk = String::new();
        for place in chunk {
            let document = &samples[*place].document;
            let source = document.get("_source").unwrap_or(document);
            bulk += &format!("{{\"index\":{{\"_id\":\"{place}\"}}}}\n{source}\n");
        }
        let (status, answer) = server::request("POST", &format!("{url}/{INDEX}/_bulk"), &bulk);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let items = answer["items"].as_array().unwrap().iter().map(|item| &item["index"]);
        for item in items.filter(|item| item["error"].is_object()) {
            if rejected.len() < 5 {
                println!("rejected: {}", item["error"]);
            }
            rejected.insert(item["_id"].as_str().unwrap().parse().unwrap());
        }
    }
    server::request("POST", &format!("{url}/{INDEX}/_forcemerge?max_num_segments=1"), "");
    server::request("POST", &format!("{url}/{INDEX}/_refresh"), "");
    rejected
}

/// Maps a field that the template leaves open.
fn map(mappings: &mut Value, path: &str, nested: Option<&str>, kind: &str) {
    let mut at = mappings;
    let mut above = String::new();
    for part in path.split('.') {
        above = if above.is_empty() { part.to_owned() } else { format!("{above}.{part}") };
        at = &mut at["properties"][part];
        if nested == Some(above.as_str()) && at["type"].is_null() {
            at["type"] = json!("nested");
        } else if above != path && at["type"].is_string() && at["type"] != "nested" && at["type"] != "object" {
            // A text to the template: nothing is below it.
            return;
        }
    }
    if at["type"].is_null() && at["properties"].is_null() {
        at["type"] = json!(kind);
    }
}
