//! The laws of patterns over real alerts: a query never loses an alert that satisfies its bracket, an exact one finds no
//! other, and every property that alerts have can be asked for or is known not to be.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they did"
)]

mod compound;
mod laws;
mod opensearch;
mod samples;
#[path = "../../../wazuh-query/tests/store/server.rs"]
#[allow(dead_code, reason = "tests of the adapter use the rest")]
mod server;
mod store;

use std::fs;
use std::path::Path;

use serde_json::Value;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Schema};

/// Keywords of Wazuh 5 that are longer are not indexed.
const IGNORE_ABOVE: usize = 1_024;

/// An alert of the corpus.
pub(crate) struct Sample {
    pub schema: Schema,
    pub text: String,
    pub document: Value,
}

/// Every alert at hand: the project's own samples, and the shared corpus where it is present.
pub(crate) fn samples() -> Vec<Sample> {
    let catalogue = Catalogue::builtin();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut samples = Vec::new();
    for folder in [root.join("examples/data"), root.join("../shared/corpus/alerts")] {
        let Ok(entries) = fs::read_dir(&folder) else {
            println!("{} is not there", folder.display());
            continue;
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !(name.ends_with(".ndjson") || name == "alerts.json") || name == "observables.ndjson" {
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                let schema = Alert::read(line, &catalogue).unwrap().schema;
                let document = serde_json::from_str(line).unwrap();
                samples.push(Sample { schema, text: line.to_owned(), document });
            }
        }
    }
    samples
}

/// The part of the catalogue that the index knows.
pub(crate) fn indexed() -> Catalogue {
    Catalogue::builtin().restricted(|field| field.uses.search)
}

/// An alert as far as the index knows it.
pub(crate) fn read<'a>(text: &'a str, catalogue: &Catalogue) -> Alert<'a> {
    let mut alert = Alert::read(text, catalogue).unwrap();
    if alert.schema == Schema::Wazuh5 {
        alert.leaves.retain(|leaf| leaf.text.encode_utf16().count() <= IGNORE_ABOVE);
    }
    alert
}
