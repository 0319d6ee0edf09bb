//! The evaluator and a real OpenSearch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, IndexType, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::evaluate::{Document, Evaluator};
use wazuh_query::options::SearchOptions;

use super::questions::{Question, corpus, exact, parallel, questions, values, wide};
use super::server;

/// How many queries are compared.
const QUERIES: usize = 2_060;

#[test]
fn the_evaluator_and_opensearch_agree_on_every_document() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!(
            "skipped: OPENSEARCH_URL is not set, so no query was run in a real OpenSearch (see deploy/dev/opensearch.sh)"
        );
        return;
    };
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let started = Instant::now();
    let index = "wazuh-alerts-4.x-laws";
    let rejected = index_corpus(&url, index, &lines);
    println!(
        "{} alerts indexed, {} rejected by the mapping ({:?})",
        lines.len() - rejected.len(),
        rejected.len(),
        started.elapsed()
    );
    assert!(rejected.len() * 20 < lines.len(), "too many alerts were rejected");

    let catalogue = Catalogue::builtin();
    let queries = sampled(&questions(&lines, &catalogue), &catalogue);
    let documents = values(&lines);
    let found = search_all(&url, index, &queries);
    println!("OpenSearch answered {} queries ({:?})", queries.len(), started.elapsed());
    let holders = holders(&documents);
    let local = parallel(&queries, |(_, query)| {
        let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
        // A document with none of the fields is like any other of that kind.
        let mut named = BTreeSet::new();
        field_names(query, &mut named);
        let with: BTreeSet<usize> = named.iter().filter_map(|name| holders.get(*name)).flatten().copied().collect();
        let without = evaluator.matches(query, &json!({"rule": {}})).unwrap();
        let matches = |place: &usize| {
            if with.contains(place) { evaluator.matches(query, &documents[*place]).unwrap() } else { without }
        };
        (0..documents.len()).filter(|place| !rejected.contains(place)).filter(matches).collect::<BTreeSet<_>>()
    });
    println!("the evaluator answered them ({:?})", started.elapsed());

    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut different = 0;
    for (((kind, query), local), found) in queries.iter().zip(&local).zip(&found) {
        let count = counts.entry(kind).or_default();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                different += 1;
                println!("REJECTED {kind}: {error}\n   {}", shortened(&query.to_json()));
                continue;
            }
        };
        *count = [count[0] + 1, count[1] + local.len(), count[2] + usize::from(local != found)];
        if local != found {
            different += 1;
            if different <= 25 {
                println!("DIFFERENT {kind}: {}", shortened(&query.to_json()));
                for (name, one, other) in [("evaluator", local, found), ("OpenSearch", found, local)] {
                    let only: Vec<_> = one.difference(other).collect();
                    if let Some(first) = only.first() {
                        println!(
                            "   only the {name} finds {} documents, such as {}",
                            only.len(),
                            shortened(&lines[**first])
                        );
                    }
                }
            }
        }
    }
    for (kind, [queries, hits, different]) in &counts {
        println!("{kind}: {queries} queries, {hits} hits, {different} different");
    }
    let all: usize = counts.values().map(|[queries, ..]| queries).sum();
    let pairs = all * (lines.len() - rejected.len());
    println!("{all} queries compared on {pairs} pairs of query and document in {:?}", started.elapsed());
    server::request("DELETE", &format!("{url}/{index}"), "");
    server::request("DELETE", &format!("{url}/_template/laws"), "");
    assert_eq!(different, 0, "the evaluator and OpenSearch disagree");
    assert!(lines.len() < 2_000 || all >= 2_000, "only {all} queries were compared");
}

/// Adds what the catalogue says about fields that are more than keywords, and about nested lists.
fn map_catalogue(mappings: &mut Value) {
    let mut set = |path: &str, mapping: Value| {
        let mut at = &mut *mappings;
        for part in path.split('.') {
            at = &mut at["properties"][part];
        }
        for (name, value) in mapping.as_object().unwrap() {
            at[name] = value.clone();
        }
    };
    let catalogue = Catalogue::builtin();
    for field in catalogue.select(Schema::Wazuh4, |field| field.uses.search) {
        if let Some(list) = &field.nested {
            set(list, json!({"type": "nested"}));
        }
        match field.index {
            IndexType::Ip => set(&field.path, json!({"type": "ip"})),
            IndexType::Long => set(&field.path, json!({"type": "long"})),
            IndexType::Double => set(&field.path, json!({"type": "double"})),
            _ => {}
        }
    }
}

/// The documents that have a value at each path.
fn holders(documents: &[Value]) -> BTreeMap<String, Vec<usize>> {
    fn visit(value: &Value, path: &str, place: usize, found: &mut BTreeMap<String, Vec<usize>>) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| visit(member, path, place, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    visit(member, &path, place, found);
                }
            }
            _ => {
                let places = found.entry(path.to_owned()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    for (place, document) in documents.iter().enumerate() {
        visit(document, "", place, &mut found);
    }
    found
}

/// Every field that a query names.
fn field_names<'q>(query: &'q Query, names: &mut BTreeSet<&'q str>) {
    match query {
        Query::AnyField { fields, .. } | Query::AnyFieldAll { fields, .. } => names.extend(fields.iter()),
        Query::Field { field, .. } => {
            names.insert(field);
        }
        Query::Bool(query) => {
            let parts = [&query.filter, &query.should, &query.must_not];
            parts.into_iter().flatten().for_each(|query| field_names(query, names));
        }
        Query::Raw(query) => {
            let field = query["match"].as_object().and_then(|fields| fields.keys().next());
            names.insert(field.expect("builders write no other query of their own"));
        }
        _ => panic!("builders write no such query: {query:?}"),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(900).collect()
}

/// Creates the index from the real template and fills it, one document per alert with its number as identifier.
/// Returns the numbers of those that the mapping refuses.
fn index_corpus(url: &str, index: &str, lines: &[String]) -> BTreeSet<usize> {
    server::request("DELETE", &format!("{url}/{index}"), "");
    let template =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let template = match fs::read_to_string(&template) {
        Ok(template) => template,
        Err(_) => {
            eprintln!("the real template is not there: a small one stands in for it");
            let mut mappings: Value = serde_json::from_str(include_str!("../store/mapping.json")).unwrap();
            map_catalogue(&mut mappings);
            json!({"index_patterns": ["wazuh-alerts-4.x-*"], "mappings": mappings}).to_string()
        }
    };
    let (status, answer) = server::request("PUT", &format!("{url}/_template/laws"), &template);
    assert_eq!(status, 200, "{answer}");
    // One shard and one segment answer many small questions fastest; the mapping is the template's.
    let (status, answer) = server::request("PUT", &format!("{url}/{index}"), r#"{"settings":{"number_of_shards":1}}"#);
    assert_eq!(status, 200, "{answer}");
    map_texts(url, index, &template, lines);
    let mut rejected = BTreeSet::new();
    for (part, chunk) in lines.chunks(500).enumerate() {
        let mut bulk = String::new();
        for (place, line) in chunk.iter().enumerate() {
            bulk += &format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{line}\n", part * 500 + place);
        }
        let (status, answer) = server::request("POST", &format!("{url}/{index}/_bulk"), &bulk);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        for item in answer["items"].as_array().unwrap() {
            let item = &item["index"];
            if item["error"].is_object() {
                if rejected.len() < 5 {
                    println!("rejected: {}", shortened(&item["error"].to_string()));
                }
                rejected.insert(item["_id"].as_str().unwrap().parse().unwrap());
            }
        }
    }
    server::request("POST", &format!("{url}/{index}/_forcemerge?max_num_segments=1"), "");
    server::request("POST", &format!("{url}/{index}/_refresh"), "");
    rejected
}

/// Maps the fields of texts at once, as the template's dynamic rule would one by one, which takes a minute.
fn map_texts(url: &str, index: &str, template: &str, lines: &[String]) {
    /// Everything that the template names, and whether it gives a type: values, and lists of nested objects.
    fn mapped(properties: &Value, path: &str, found: &mut BTreeMap<String, bool>) {
        for (name, mapping) in properties.as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            mapped(&mapping["properties"], &path, found);
            found.insert(path, mapping["type"].is_string());
        }
    }
    let template: Value = serde_json::from_str(template).unwrap();
    let mut known = BTreeMap::new();
    mapped(&template["mappings"]["properties"], "", &mut known);
    let documents = values(lines);
    let holders = holders(&documents);
    let is_text = |path: &str, place: usize| {
        let mut texts = true;
        Document::new(&documents[place]).each(path, &mut |value| texts &= value.is_string());
        texts
    };
    let mut properties = serde_json::Map::new();
    let paths: Vec<&String> = holders.keys().collect();
    for (path, places) in &holders {
        // Where one alert has a text and another an object, the first one indexed decides.
        let parents = path.match_indices('.').map(|(end, _)| &path[..end]);
        let clear = parents.clone().all(|parent| !holders.contains_key(parent) && known.get(parent) != Some(&true))
            && !paths.iter().any(|other| other.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.')));
        let free = !known.contains_key(path) && path.split('.').all(|part| !part.trim().is_empty());
        if clear && free && places.iter().all(|place| is_text(path, *place)) {
            properties.insert(path.clone(), json!({"type": "keyword"}));
        }
    }
    let count = properties.len();
    let (status, answer) =
        server::request("PUT", &format!("{url}/{index}/_mapping"), &json!({"properties": properties}).to_string());
    println!("{count} fields of texts mapped at once");
    assert_eq!(status, 200, "{answer}");
}

/// Distinct queries, evenly from all types and ways to build them.
fn sampled(questions: &[Question], catalogue: &Catalogue) -> Vec<(String, Query)> {
    let options = [("default", SearchOptions::default()), ("wide", wide()), ("exact", exact())];
    let builders: Vec<(&str, QueryBuilder)> = options
        .into_iter()
        .map(|(name, options)| (name, QueryBuilder::new(catalogue, Schema::Wazuh4, options)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, Vec<Query>> = BTreeMap::new();
    for question in questions {
        for (name, builder) in &builders {
            let Ok(built) = builder.build(&question.object, &*question.references) else { continue };
            if seen.insert(built.query.to_json()) {
                kinds.entry(format!("{} ({name})", question.kind())).or_default().push(built.query);
            }
        }
    }
    println!("{} distinct queries", seen.len());
    // Every n-th of the frequent kinds, all of the rare ones.
    let mut quota = QUERIES;
    let mut left = kinds.len();
    let mut sizes: Vec<(usize, String)> = kinds.iter().map(|(kind, queries)| (queries.len(), kind.clone())).collect();
    sizes.sort();
    let mut taken = Vec::new();
    for (size, kind) in sizes {
        let share = (quota / left).min(size);
        quota -= share;
        left -= 1;
        let queries = kinds.remove(&kind).unwrap();
        let mut places: Vec<usize> = (0..share).map(|number| number * size / share).collect();
        places.dedup();
        let mut wanted = places.into_iter().peekable();
        for (place, query) in queries.into_iter().enumerate() {
            if wanted.next_if_eq(&place).is_some() {
                taken.push((kind.clone(), query));
            }
        }
    }
    taken
}

/// The documents that OpenSearch finds for each query.
fn search_all(url: &str, index: &str, queries: &[(String, Query)]) -> Vec<Result<BTreeSet<usize>, String>> {
    let mut found = Vec::new();
    for queries in queries.chunks(25) {
        let mut body = String::new();
        for (_, query) in queries {
            let query = query.to_json();
            body +=
                &format!("{{}}\n{{\"query\":{query},\"size\":10000,\"_source\":false,\"track_total_hits\":true}}\n");
        }
        let filter = "responses.hits.hits._id,responses.hits.total,responses.error.root_cause,responses._shards.failed";
        let (status, answer) = server::request(
            "POST",
            &format!("{url}/{index}/_msearch?max_concurrent_searches=2&filter_path={filter}"),
            &body,
        );
        assert_eq!(status, 200, "{} {}", shortened(&answer), shortened(&body));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        for one in answer["responses"].as_array().unwrap() {
            found.push(if one["hits"]["total"]["value"].is_u64() && one["_shards"]["failed"] == 0 {
                let hits = one["hits"]["hits"].as_array().into_iter().flatten();
                Ok(hits.map(|hit| hit["_id"].as_str().unwrap().parse().unwrap()).collect())
            } else {
                Err(one.to_string())
            });
        }
    }
    found
}
