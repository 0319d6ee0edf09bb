//! Every query that the builders write: per type, per option, per schema.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they did"
)]

mod defects;
mod options;
mod shape;
mod types;
mod vectors;

use stix_model::Object;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;

/// Reads objects from JSON, one per line; the first is the one to search, the others are what it refers to.
fn objects(lines: &str) -> Vec<Object> {
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect()
}

/// The query for the first of some objects, or the reason, in a form for snapshots.
fn answer(schema: Schema, options: &SearchOptions, lines: &str) -> String {
    let objects = objects(lines);
    let builder = QueryBuilder::new(&Catalogue::builtin(), schema, options.clone());
    match builder.build(&objects[0], objects.as_slice()) {
        Ok(built) => {
            let again = builder.build(&objects[0], objects.as_slice()).unwrap();
            assert_eq!(built.query.to_json(), again.query.to_json(), "the same object gives the same query");
            assert!(built.query.clause_count() <= 1_024 && built.query.longest_regexp() <= 1_000);
            let mut text = shape::shape(&built.query);
            for note in built.notes {
                text.push_str(&format!("note: {note}\n"));
            }
            text
        }
        Err(reason) => format!("not searchable: {reason}\n"),
    }
}

/// Options other than the defaults.
fn with(change: impl FnOnce(&mut SearchOptions)) -> SearchOptions {
    // The samples are documentation addresses, which count as private.
    let mut options = SearchOptions { ignore_private_addrs: false, ..SearchOptions::default() };
    change(&mut options);
    options
}
