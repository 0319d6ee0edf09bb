//! The table in `docs/integration.md` of what is looked up, event family by event family: our column is what the program
//! asks about an alert of the family. `UPDATE_DOCS=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::PathBuf;

use alert_enricher::knowledge::{AskOptions, ask};
use serde::Deserialize;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;

#[derive(Deserialize)]
struct Family {
    #[serde(rename = "family")]
    name: String,
    /// What the original looked up, in words; empty for nothing.
    original: String,
    alert: serde_json::Value,
}

const BEGIN: &str = "<!-- families: made by a test -->\n";
const END: &str = "<!-- end of families -->\n";

fn families() -> Vec<Family> {
    serde_json::from_str(include_str!("families.json")).unwrap()
}

/// What is asked about an alert: kinds with the last names of the fields.
fn asked(alert: &serde_json::Value) -> String {
    let catalogue = Catalogue::builtin();
    let text = alert.to_string();
    let alert = Alert::read(&text, &catalogue).unwrap();
    let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
    for asked in ask(&alert, &catalogue, &AskOptions::default()).unwrap() {
        let name = format!("`{}`", asked.field.rsplit('.').next().unwrap());
        let kind = asked.kind().name();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => kinds.push((kind, vec![name])),
        }
    }
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, names)| format!("{kind} {}", names.join(" "))).collect();
    kinds.join(", ")
}

fn table() -> String {
    let mut table =
        String::from("| event | looked up, with the fields | the original looked up |\n| --- | --- | --- |\n");
    for family in families() {
        let original = if family.original.is_empty() { "nothing" } else { &family.original };
        table += &format!("| {} | {} | {original} |\n", family.name, asked(&family.alert));
    }
    table
}

#[test]
fn the_documentation_tells_what_is_looked_up() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/integration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "UPDATE_DOCS=1 writes it anew");
    }
}

/// Whatever the original looked up in a family, we do, too.
#[test]
fn nothing_that_the_original_looked_up_is_missing() {
    for family in families().iter().filter(|family| !family.original.is_empty()) {
        let asked = asked(&family.alert);
        for (word, kind) in [("SHA-256", "SHA-256"), ("question", "domain"), ("address", "address"), ("`http`", "URL")]
        {
            assert!(!family.original.contains(word) || asked.contains(kind), "{}: {asked}", family.name);
        }
    }
}
