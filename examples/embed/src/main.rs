//! What is in an alert, and how is each of it found in all others?
//!
//! ```text
//! embed [FILE]
//! ```
//!
//! Reads the first alert of a file (`-`: of standard input; nothing: one of the project's samples) and prints one JSON
//! object a line: an observable, the fields it stands in, and the `OpenSearch` query that finds it, or why there is
//! none.
//!
//! This is all that a program needs to embed the pure crates: no runtime, no configuration, no network. What it does
//! with a query is its own business.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::{env, fs};

use alert_enricher::extract::{ExtractOptions, Extractor};
use serde_json::json;
use wazuh_query::alert::Alert;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::options::SearchOptions;

/// For when there is no sample data, such as in an installed program.
const BUILT_IN: &str = r#"{
    "timestamp": "2026-03-14T09:26:53.589+0000",
    "rule": {"level": 12, "id": "92000", "description": "Suspicious download"},
    "agent": {"id": "001", "name": "web01"},
    "data": {"srcip": "203.0.113.7", "url": "http://malware.example/a.bin"}
}"#;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let text = alert(env::args().nth(1).as_deref())?;

    // The catalogue says which place in an alert holds what; everything else starts from it.
    let catalogue = Catalogue::builtin();
    let alert = Alert::read(&text, &catalogue)?;

    // Addresses, names, files, processes … with what they have to do with each other.
    let extract = ExtractOptions::default();
    let extraction = Extractor::new(&catalogue, &extract).extract(&alert);

    // Private addresses are searched, too: this is an example.
    let search = SearchOptions { ignore_private_addrs: false, ..SearchOptions::default() };
    let builder = QueryBuilder::new(&catalogue, alert.schema, search);

    let mut out = io::stdout().lock();
    for (place, object) in extraction.objects.iter().enumerate().filter(|(_, object)| object.is_observable()) {
        let fields = extraction.fields.iter().filter(|(object, _)| *object == place);
        let fields: Vec<&str> = fields.map(|(_, field)| &*catalogue.field(*field).path).collect();
        // References between observables, such as from a file to its directory, are looked up among the others.
        let line = match builder.build(object, extraction.objects.as_slice()) {
            Ok(built) => {
                let notes: Vec<String> = built.notes.iter().map(ToString::to_string).collect();
                json!({"object": object, "fields": fields, "query": built.query, "notes": notes})
            }
            Err(reason) => json!({"object": object, "fields": fields, "not_searched": reason.to_string()}),
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The text of the alert to look at.
fn alert(argument: Option<&str>) -> io::Result<String> {
    const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/alerts.json");
    match argument {
        Some("-") => {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            Ok(line)
        }
        Some(path) => Ok(fs::read_to_string(path)?.lines().next().unwrap_or_default().to_owned()),
        None => {
            let samples = fs::read_to_string(SAMPLES).unwrap_or_default();
            // The first samples are the manager's own messages, which name nothing to look for.
            Ok(samples.lines().find(|line| line.contains("\"srcip\"")).unwrap_or(BUILT_IN).to_owned())
        }
    }
}
