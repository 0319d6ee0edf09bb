//! Sigma rules: what becomes of each modifier, condition and log source, and the laws that hold on real alerts.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod corpus;
mod laws;
mod opensearch;
#[path = "../store/server.rs"]
#[allow(dead_code, reason = "the fault tests use the rest")]
mod server;
mod snapshots;

use std::fs;
use std::path::Path;

use wazuh_query::sigma::SigmaRule;

/// The rules of a file.
fn rules(name: &str) -> Vec<SigmaRule> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sigma/rules").join(name);
    let text = fs::read_to_string(&path).unwrap();
    SigmaRule::read_all(&text).into_iter().map(|rule| rule.unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
}

/// All rules of all files.
fn all_rules() -> Vec<SigmaRule> {
    ["modifiers.yml", "conditions.yml", "sources.yml"].into_iter().flat_map(rules).collect()
}
