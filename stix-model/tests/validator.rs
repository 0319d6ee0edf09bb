//! What is written, judged by the reference validator of OASIS (`stix2-validator` on `PyPI`).
//!
//! Set `STIX2_VALIDATOR` to the program to run this; the package needs the schemas of `cti-stix2-json-schemas` beside it.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod common;

use std::{env, fs, process::Command};

use stix_model::Bundle;

#[track_caller]
fn check(name: &str, bundle: &Bundle) {
    let Some(program) = env::var_os("STIX2_VALIDATOR") else {
        println!("skipped: STIX2_VALIDATOR does not name the validator");
        return;
    };
    let path = env::temp_dir().join(format!("stix-model-{}-{name}.json", std::process::id()));
    fs::write(&path, serde_json::to_vec_pretty(bundle).expect("JSON")).expect("writable file");
    let output = Command::new(program).arg("--version").arg("2.1").arg(&path).output().expect("the validator runs");
    let report = String::from_utf8_lossy(&output.stdout);
    let custom = report.lines().filter(|line| line.contains("Custom object type")).count();
    assert!(output.status.success() && report.contains("STIX JSON: Valid"), "{report}");
    assert_eq!(custom, 0, "{report}");
    let _ = fs::remove_file(path);
}

#[test]
fn standard_observables_are_valid() {
    check("sco", &common::standard_observables());
}

#[test]
fn opencti_observables_are_valid() {
    check("opencti-sco", &common::opencti_observables());
}

#[test]
fn standard_objects_are_valid() {
    check("sdo", &common::standard_objects());
}

#[test]
fn opencti_objects_are_valid() {
    check("opencti-sdo", &common::opencti_objects().strict());
}

#[test]
fn converted_objects_are_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stix-2.0.json");
    let (bundle, errors) = Bundle::read(&fs::read(path).expect("readable fixture")).expect("a bundle");
    assert_eq!(errors, []);
    check("stix-2.0", &bundle);
}
