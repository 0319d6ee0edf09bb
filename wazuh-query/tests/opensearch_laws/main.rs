//! The laws of queries, over a corpus of real alerts: in the evaluator, and in a real OpenSearch.
//!
//! - Round trip: the query for what a searchable field of an alert holds matches that alert.
//! - No false positive: it does not match where the value stands inside a longer token.
//! - The evaluator and OpenSearch agree on every document.
//!
//! The last one needs `OPENSEARCH_URL` (`deploy/dev/opensearch.sh start` prints one). Without it, and without the
//! corpus, the tests say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::single_match_else,
    reason = "a test says what it does and stops where it cannot go on"
)]

#[path = "../store/server.rs"]
#[allow(dead_code, reason = "the fault tests use the rest")]
mod server;

mod agreement;
mod questions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stix_model::Object;
use wazuh_query::builder::{NotSearchable, Note, QueryBuilder};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::evaluate::Evaluator;
use wazuh_query::options::SearchOptions;

use questions::{corpus, parallel, questions, values, wide};

/// What became of one question.
enum Outcome {
    Found,
    Missed(String),
    Refused(NotSearchable),
    Free,
}

#[test]
fn every_observable_finds_the_alert_it_came_from() {
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let catalogue = Catalogue::builtin();
    let documents = values(&lines);
    let questions = questions(&lines, &catalogue);
    let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, wide());
    let path_only = SearchOptions { lookup_url_without_host: true, ..wide() };
    let path_builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, path_only);
    let outcomes = parallel(&questions, |question| {
        let Some(document) = question.document else { return Outcome::Free };
        let builder = if question.path_only { &path_builder } else { &builder };
        match builder.build(&question.object, &*question.references) {
            Err(reason) => Outcome::Refused(reason),
            Ok(built) => {
                let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
                match evaluator.matches(&built.query, &documents[document]) {
                    Ok(true) => Outcome::Found,
                    Ok(false) => {
                        let mut why = format!("notes {:?}", built.notes);
                        if let Query::Bool(any) = &built.query {
                            for query in &any.should {
                                if let Query::AnyFieldAll { fields, clauses } = query {
                                    for clause in clauses {
                                        let one = Query::any_field(fields, clause.clone());
                                        if !evaluator.matches(&one, &documents[document]).unwrap_or(false) {
                                            why += &format!(", not {clause:?}");
                                        }
                                    }
                                }
                            }
                        }
                        Outcome::Missed(why)
                    }
                    Err(error) => Outcome::Missed(error.to_string()),
                }
            }
        }
    });
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut refusals: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut missed: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (question, outcome) in questions.iter().zip(&outcomes) {
        let count = counts.entry(question.kind()).or_default();
        match outcome {
            Outcome::Free => {}
            Outcome::Found => count[0] += 1,
            Outcome::Missed(why) => {
                count[1] += 1;
                let object = serde_json::to_string(&question.object).unwrap();
                missed.entry((question.kind(), &question.field)).or_default().push(format!("({why}) {object}"));
            }
            Outcome::Refused(reason) => {
                count[2] += 1;
                let key = format!("{}: {:?}", question.kind(), std::mem::discriminant(reason));
                let entry = refusals.entry(key).or_insert_with(|| (0, format!("{}: {reason}", question.field)));
                entry.0 += 1;
            }
        }
    }
    for (kind, [found, missed, refused]) in &counts {
        println!("{kind}: {found} found, {missed} missed, {refused} not searchable");
    }
    for (kind, (count, example)) in &refusals {
        println!("not searchable: {kind}: {count}, such as {example}");
    }
    for ((kind, field), objects) in &missed {
        println!(
            "MISSED {kind} of {field}: {} times, such as {}",
            objects.len(),
            objects[0].chars().take(1600).collect::<String>()
        );
    }
    let total: usize = counts.values().map(|[found, ..]| found).sum();
    println!("{total} observables found the alert they came from");
    assert!(missed.is_empty(), "{} kinds of observable and field do not find their alert", missed.len());
}

/// Longer texts around a value, in which it is no longer the value. Nothing where none is meant to be excluded.
fn longer(object: &Object) -> Vec<(String, &'static [&'static str])> {
    const IPS: &[&str] = &["data.srcip", "data.dstip", "data.win.eventdata.destinationIp", "data.aws.sourceIPAddress"];
    const NAMES: &[&str] =
        &["data.hostname", "data.win.eventdata.queryName", "data.dns.rrname", "data.win.eventdata.queryResults"];
    const FILES: &[&str] =
        &["syscheck.path", "data.win.eventdata.targetFilename", "data.audit.file.name", "data.win.eventdata.image"];
    const LINES: &[&str] = &["data.win.eventdata.commandLine", "data.command", "data.win.eventdata.parentCommandLine"];
    let around = |value: &str, fields, before: &[&str], after: &[&str]| {
        let before = before.iter().map(|text| format!("{text}{value}"));
        let after = after.iter().map(|text| format!("{value}{text}"));
        before.chain(after).map(|text| (text, fields)).collect()
    };
    match object {
        Object::Ipv4Addr(one) if !one.value.contains('/') => {
            around(&one.value, IPS, &["1", "1.", "x"], &["0", ".1", "x"])
        }
        Object::Ipv6Addr(one) if !one.value.contains('/') => around(&one.value, IPS, &["1"], &["f", ":1"]),
        Object::DomainName(one) => around(&one.value, NAMES, &["not", "sub.", "x-"], &["x", ".example", "-x"]),
        Object::Hostname(one) => around(&one.value, NAMES, &["not", "sub.", "x-"], &["x", ".example", "-x"]),
        Object::EmailAddr(one) => {
            around(&one.value, &["data.srcuser", "data.office365.UserId"], &["x", "x."], &["x", ".example"])
        }
        Object::MacAddr(one) => {
            around(&one.value, &["data.mac", "data.win.eventdata.mac"], &["0", "00:"], &["0", ":00"])
        }
        Object::Url(one) => {
            around(&one.value, &["data.url", "data.http.url"], &["x", "https://other.example/?u="], &["x", "/x"])
        }
        Object::File(one) => match &one.name {
            Some(name) => around(name, FILES, &["x"], &["x", ".bak", "/x"]),
            None => {
                let fields: &[&str] = &[
                    "syscheck.md5_after",
                    "syscheck.sha1_after",
                    "syscheck.sha256_after",
                    "data.win.eventdata.hashes",
                ];
                one.hashes
                    .iter()
                    .flat_map(|(_, digest)| around(digest, fields, &["0", "IMPHASH="], &["0"]))
                    .collect::<Vec<_>>()
            }
        },
        Object::Directory(one) => {
            let path = one.path.trim_end_matches(['/', '\\']);
            around(path, FILES, &["x"], &["x", "-old/a"])
        }
        Object::WindowsRegistryKey(one) => {
            let key = one.key.as_deref().unwrap_or_default();
            around(key, &["syscheck.path", "data.win.eventdata.targetObject"], &["X"], &["x", "-old\\\\a"])
        }
        Object::Process(one) => {
            let line = one.command_line.as_deref().unwrap_or_default();
            // A quote at either end takes the letter into its word; then nothing is longer.
            let quoted = line.starts_with(['"', '\'']) || line.ends_with(['"', '\'', '\\']) || line.len() > 600;
            if quoted { Vec::new() } else { around(line, LINES, &[], &["x"]) }
        }
        Object::UserAccount(one) => match &one.account_login {
            Some(login) => around(
                login,
                &["data.srcuser", "data.dstuser", "data.win.eventdata.targetUserName"],
                &["x", "x-"],
                &["x", "-x"],
            ),
            None => Vec::new(),
        },
        Object::UserAgent(one) => {
            around(&one.value, &["data.http.http_user_agent", "data.aws.userAgent"], &["x"], &["x"])
        }
        Object::Vulnerability(one) => around(&one.name, &["data.vulnerability.cve"], &["x"], &["0"]),
        Object::Text(one) => around(&one.value, &["data.tls.ja3.hash", "data.virustotal.source.file"], &["x"], &["x"]),
        _ => Vec::new(),
    }
}

#[test]
fn a_value_inside_a_longer_token_is_not_found() {
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let catalogue = Catalogue::builtin();
    let mut questions = questions(&lines, &catalogue);
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    questions.retain(|question| {
        let count = kinds.entry(question.kind().to_owned()).or_default();
        let new = *count < 600 && seen.insert(serde_json::to_string(&question.object).unwrap());
        *count += usize::from(new);
        new
    });
    let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, wide());
    let outcomes = parallel(&questions, |question| {
        let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
        let Ok(built) = builder.build(&question.object, &*question.references) else { return (0, Vec::new()) };
        if built.notes.iter().any(|note| matches!(note, Note::WordsIgnored(_) | Note::Shortened(_))) {
            return (0, Vec::new());
        }
        let mut wrong = Vec::new();
        let mut count = 0;
        for (text, fields) in longer(&question.object) {
            for field in fields {
                // As the event channel writes it, too.
                let doubled = text.contains('\\').then(|| text.replace('\\', "\\\\"));
                for text in std::iter::once(text.clone()).chain(doubled) {
                    count += 1;
                    let mut document = json!({"rule": {"id": "1"}});
                    place(&mut document, field, &text);
                    if evaluator.matches(&built.query, &document).unwrap() {
                        wrong.push(format!("{field}: {text}"));
                    }
                }
            }
        }
        (count, wrong)
    });
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (question, (count, found)) in questions.iter().zip(outcomes) {
        *asked.entry(question.kind()).or_default() += count;
        if let Some(found) = found.into_iter().next() {
            let object = serde_json::to_string(&question.object).unwrap();
            wrong.entry(question.kind()).or_default().push(format!("{found} for {object}"));
        }
    }
    for (kind, count) in &asked {
        println!("{kind}: {count} longer tokens");
    }
    for (kind, found) in &wrong {
        println!(
            "WRONG {kind}: {} times, such as {}",
            found.len(),
            found.iter().take(6).cloned().collect::<Vec<_>>().join("\n   ")
        );
    }
    assert!(wrong.is_empty(), "values are found inside longer tokens");
}

/// Puts a text at a path.
fn place(document: &mut Value, path: &str, text: &str) {
    let mut at = document;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = text.into();
}
