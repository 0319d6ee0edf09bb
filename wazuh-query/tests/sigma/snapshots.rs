//! What becomes of each rule.

use std::fmt::Write as _;

use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::sigma::{SigmaMatcher, SigmaTranslation};

use crate::rules;

/// The translation as people read it.
fn shown(translation: &SigmaTranslation) -> String {
    let mut out = format!("# {}\n", translation.title);
    let exact = if translation.exact { ", exact" } else { "" };
    let _infallible = writeln!(out, "decides: {:?}{exact}", translation.decides);
    for mapped in &translation.fields {
        let _infallible = writeln!(out, "{} = {}", mapped.field, mapped.paths.join(", "));
    }
    for unmapped in &translation.unmapped {
        let _infallible = writeln!(out, "unmapped: {}: {}", unmapped.field, unmapped.reason);
    }
    for note in &translation.notes {
        let _infallible = writeln!(out, "note: {note}");
    }
    let query = translation.query.as_ref().map_or_else(|| "no query".to_owned(), wazuh_query::dsl::Query::to_json);
    out + &query + "\n"
}

fn translations(name: &str, schema: Schema) -> String {
    let catalogue = Catalogue::builtin();
    let one = |rule| shown(SigmaMatcher::new(&rule, &catalogue, schema).translation());
    rules(name).into_iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn modifiers() {
    insta::assert_snapshot!(translations("modifiers.yml", Schema::Wazuh4));
}

#[test]
fn conditions() {
    insta::assert_snapshot!(translations("conditions.yml", Schema::Wazuh4));
}

#[test]
fn sources() {
    insta::assert_snapshot!(translations("sources.yml", Schema::Wazuh4));
}

#[test]
fn wazuh_5() {
    insta::assert_snapshot!(translations("sources.yml", Schema::Wazuh5));
}

#[test]
fn as_json() {
    let catalogue = Catalogue::builtin();
    let rule = rules("conditions.yml").remove(5);
    let matcher = SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4);
    insta::assert_snapshot!(serde_json::to_string_pretty(matcher.translation()).unwrap());
}
