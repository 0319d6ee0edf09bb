//! OpenCTI's own splitter, of its client library for Python. Without `PYCTI_PYTHON` the test is skipped;
//! `deploy/dev/pycti.sh` gives it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use opencti_client::bundle::{SplitOptions, split};
use opencti_client::conformance;
use serde_json::{Value, json};
use stix_model::Bundle;

const SCRIPT: &str = r#"
import json, sys
from pycti.utils.opencti_stix2_splitter import OpenCTIStix2Splitter
for line in sys.stdin:
    asked = json.loads(line)
    splitter = OpenCTIStix2Splitter()
    count, refused, parts = splitter.split_bundle_with_expectations(
        json.dumps(asked["bundle"]), True, asked["version"], asked["cleanup"])
    assert count == len(parts)
    print(json.dumps({"refused": [item["id"] for item in refused], "parts": [json.loads(part) for part in parts]}))
"#;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn sometimes(&mut self) -> bool {
        self.below(3) == 0
    }
}

const TYPES: [&str; 14] = [
    "identity",
    "malware",
    "indicator",
    "report",
    "note",
    "ipv4-addr",
    "file",
    "relationship",
    "sighting",
    "incident",
    "marking-definition",
    "foo",
    "x-opencti-task",
    "user-account",
];

/// Objects that refer to each other in many ways, in any order, but not in circles, and not by internal identifiers: an
/// object that is reached by both of its identifiers becomes two parts there, and one here.
fn bundle(numbers: &mut Numbers) -> Value {
    let count = 1 + numbers.below(12);
    let types: Vec<&str> = (0..count).map(|_| TYPES[numbers.below(TYPES.len())]).collect();
    let id = |place: usize| format!("{}--00000000-0000-4000-8000-{place:012}", types[place]);
    let mut objects: Vec<Value> = (0..count)
        .map(|place| {
            let mut object = json!({ "type": types[place], "id": id(place), "spec_version": "2.1", "name": "ä\u{2028}\"x" });
            let target = |numbers: &mut Numbers| match numbers.below(8) {
                0 => "identity--ffffffff-0000-4000-8000-000000000000".to_owned(),
                1 => "bar--ffffffff-0000-4000-8000-000000000000".to_owned(),
                2 => "no identifier".to_owned(),
                4 => id(place),
                _ if place == 0 => "tool--ffffffff-0000-4000-8000-000000000000".to_owned(),
                _ => id(numbers.below(place)),
            };
            for name in ["created_by_ref", "x_opencti_created_by_ref", "sample_ref"] {
                if numbers.sometimes() {
                    object[name] = target(numbers).into();
                }
            }
            for name in ["object_refs", "object_marking_refs", "x_opencti_granted_refs"] {
                if numbers.sometimes() {
                    let list: Vec<String> = (0..numbers.below(6)).map(|_| target(numbers)).collect();
                    object[name] = list.into();
                }
            }
            match types[place] {
                "relationship" => {
                    object["source_ref"] = target(numbers).into();
                    object["target_ref"] = if numbers.sometimes() { Value::Null } else { target(numbers).into() };
                }
                "sighting" => {
                    object["sighting_of_ref"] = target(numbers).into();
                    object["where_sighted_refs"] = json!([target(numbers)]);
                }
                _ => {}
            }
            match numbers.below(3) {
                0 => object["x_opencti_id"] = format!("internal-{place}").into(),
                1 => {
                    let extension = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";
                    object["extensions"] = json!({ extension: { "id": format!("internal-{place}") } });
                }
                _ => {}
            }
            if numbers.sometimes() {
                object["external_references"] = json!([
                    { "source_name": "a", "url": "http://a" }, { "source_name": "b", "url": "http://a" }, { "source_name": "c" },
                    { "source_name": "c", "external_id": "1" }, { "source_name": "C ", "external_id": "1" },
                ]);
                object["kill_chain_phases"] = json!([
                    { "kill_chain_name": "k", "phase_name": "p" }, { "kill_chain_name": "k", "phase_name": "p", "n": 1 },
                    { "kill_chain_name": "k", "phase_name": "q" },
                ]);
            }
            object
        })
        .collect();
    // What refers may come before or after what it refers to.
    for place in (1..objects.len()).rev() {
        objects.swap(place, numbers.below(place + 1));
    }
    if numbers.sometimes() {
        let mut twin = objects[0].clone();
        twin["name"] = "the last one counts".into();
        objects.push(twin);
    }
    json!({ "type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects })
}

/// Acceptance 8: the same parts with the same content in the same order, and the same refusals, in both modes.
#[test]
fn the_same_as_the_platforms_own_splitter() {
    let Ok(python) = std::env::var("PYCTI_PYTHON") else {
        eprintln!("skipped: no PYCTI_PYTHON");
        return;
    };
    let mut numbers = Numbers(4_711);
    let mut bundles: Vec<Value> = (0..400).map(|_| bundle(&mut numbers)).collect();
    bundles.push(serde_json::to_value(Bundle::new(conformance::objects())).unwrap());
    let asked: Vec<Value> = bundles
        .iter()
        .enumerate()
        .flat_map(|(place, bundle)| {
            let version = if place % 5 == 0 { json!("7") } else { Value::Null };
            [true, false].map(|cleanup| json!({ "bundle": bundle, "cleanup": cleanup, "version": version }))
        })
        .collect();
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = asked.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), asked.len());
    let (mut parts, mut refused) = (0, 0);
    for (asked, answer) in asked.iter().zip(answers.lines()) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let mut options = SplitOptions::default();
        options.cleanup = asked["cleanup"] == true;
        options.event_version = asked["version"].as_str().map(str::to_owned);
        let ours = split(&asked["bundle"].to_string(), "bundle--0", &options).unwrap();
        let texts: Vec<Value> = ours.parts.iter().map(|part| serde_json::from_str(&part.json).unwrap()).collect();
        assert_eq!(Value::from(texts), answer["parts"], "{}", asked["bundle"]);
        let ids: BTreeSet<&str> = ours.refused.iter().map(|refused| refused.id.as_str()).collect();
        let theirs = answer["refused"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(ids, theirs, "{asked}");
        parts += ours.parts.len();
        refused += ids.len();
    }
    assert!(parts > 3_000 && refused > 300, "{parts} parts, {refused} refused");
}
