//! Identifiers against published vectors.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};
use stix_model::{
    Object,
    id::{self, IdRules},
};

#[derive(Deserialize)]
struct Vector {
    #[serde(rename = "type")]
    object_type: String,
    properties: Map<String, Value>,
    id: Option<String>,
    source: String,
}

fn rules(source: &str) -> IdRules {
    match source {
        "pycti 6.8.17" => IdRules::OpenCti6_8,
        "platform" => IdRules::Platform,
        _ => IdRules::Current,
    }
}

/// The number of vectors, all of which hold.
fn check(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("readable file");
    let mut wrong = Vec::new();
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let id = id::deterministic_with(rules(&vector.source), &vector.object_type, &vector.properties);
        let id = id.map(|id| id.to_string());
        if id != vector.id {
            wrong.push(format!("{line}\n  computed {id:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} vectors differ:\n{}", wrong.len(), wrong.join("\n"));
    text.lines().count()
}

#[test]
fn own_vectors_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ids.ndjson");
    assert!(check(&path) > 0);
}

#[test]
fn all_vectors_of_the_shared_corpus_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/stix-ids.ndjson");
    if !path.exists() {
        println!("skipped: no shared corpus beside this checkout");
        return;
    }
    assert_eq!(check(&path), 292);
}

/// What is computed over loose properties is computed over typed objects, too.
#[test]
fn typed_observables_have_the_identifiers_of_the_corpus() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/stix-ids.ndjson");
    let Ok(text) = fs::read_to_string(path) else {
        println!("skipped: no shared corpus beside this checkout");
        return;
    };
    let mut checked = 0;
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let mut properties = vector.properties;
        properties.insert("type".to_owned(), vector.object_type.as_str().into());
        let json = Value::from(properties).to_string();
        // Only observables can be read without identifier; those of OpenCTI are given no extension here.
        if let Ok(object) = Object::from_json(&json)
            && object.is_observable()
        {
            assert_eq!(Some(object.id().to_string()), vector.id, "{line}");
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}
