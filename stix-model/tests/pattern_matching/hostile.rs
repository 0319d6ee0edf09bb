//! Patterns and data made to hurt: bounded effort, and the right answer or a clear error.

use std::fmt::Write as _;

use serde_json::{Value, json};
use stix_model::pattern::matcher::{CompiledPattern, MatchError, MatchOptions, Observation};
use stix_model::pattern::{Pattern, PatternVersion};

use crate::matches;

fn observed(objects: &Value) -> Vec<Value> {
    vec![json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
        "last_observed": "2026-01-02T03:04:05Z", "objects": objects})]
}

fn check(pattern: &str, objects: &Value, expected: bool) {
    for options in [MatchOptions::standard(), MatchOptions::alerts()] {
        let found = matches(pattern, PatternVersion::V2_1, &observed(objects), &options);
        assert_eq!(found, Ok(expected), "{pattern:.100}");
    }
}

fn compile(pattern: &str) -> Result<CompiledPattern, MatchError> {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern:.100}: {error}"));
    CompiledPattern::new(&pattern, &MatchOptions::alerts())
}

#[test]
fn long_lists_and_alternatives() {
    let mut list = String::from("[a:b IN (''");
    while list.len() < 1_000_000 {
        let _written = write!(list, ", 'value {}'", list.len());
    }
    let last = list.rsplit('\'').nth(1).unwrap().to_owned();
    list.push_str(")]");
    check(&list, &json!({"0": {"type": "a", "b": last}}), true);
    check(&list, &json!({"0": {"type": "a", "b": "another"}}), false);
    let any = format!("[{}]", (0..20_000).map(|number| format!("a:b = '{number}'")).collect::<Vec<_>>().join(" OR "));
    check(&any, &json!({"0": {"type": "a", "b": "19999"}}), true);
    check(&any, &json!({"0": {"type": "a", "b": "20000"}}), false);
    let brackets = (0..5_000).map(|number| format!("[a:b = {number}]")).collect::<Vec<_>>().join(" OR ");
    check(&brackets, &json!({"0": {"type": "a", "b": 4_999}}), true);
    let same = vec!["[a:b = 1]"; 5_000].join(" AND ");
    check(&same, &json!({"0": {"type": "a", "b": 1}}), false);
}

#[test]
fn expressions_that_backtrack() {
    let text = "a".repeat(20_000);
    let objects = json!({"0": {"type": "a", "b": text}});
    check("[a:b MATCHES '^(a+)+$']", &objects, true);
    check("[a:b MATCHES '^(a+)+b$']", &objects, false);
    check("[a:b MATCHES '(a|a)*(a|a)*(a|a)*b']", &objects, false);
    check(&format!("[a:b LIKE '{}b']", "%a".repeat(200)), &objects, false);
    check(&format!("[a:b LIKE '{}b']", "%a_a".repeat(200)), &objects, false);
    check(&format!("[a:b LIKE '{}']", "_".repeat(20_000)), &objects, true);
    for (pattern, reason) in [
        ("[a:b MATCHES '(a{1000}){1000}']", "memory"),
        ("[a:b MATCHES '((((((a{10}){10}){10}){10}){10}){10})']", "memory"),
        ("[a:b MATCHES '(a)\\\\1']", "linear time"),
        ("[a:b MATCHES 'a(?=b)']", "linear time"),
        ("[a:b MATCHES '[']", "not closed"),
    ] {
        let error = compile(pattern).expect_err(pattern);
        assert!(matches!(error, MatchError::Expression { .. }) && error.to_string().contains(reason), "{error}");
        assert!(error.span().unwrap().text(pattern).starts_with('\''));
    }
    // Many expressions share the memory.
    let many =
        (0..2_000).map(|number| format!("a:b MATCHES '(x{{500}}){{9}}{number}'")).collect::<Vec<_>>().join(" OR ");
    assert!(matches!(compile(&format!("[{many}]")), Err(MatchError::Expression { .. })));
    let deep = format!("[a:b MATCHES '{}{}']", "(".repeat(10_000), ")".repeat(10_000));
    assert!(matches!(compile(&deep), Err(MatchError::Expression { .. })));
}

#[test]
fn references_in_circles() {
    let keys: Vec<String> = (0..20).map(|key| key.to_string()).collect();
    let objects: serde_json::Map<String, Value> =
        keys.iter().map(|key| (key.clone(), json!({"type": "a", "o_refs": keys, "o_ref": key, "b": 1}))).collect();
    let objects = Value::Object(objects);
    check(&format!("[a:{}.b = 1]", vec!["o_refs[*]"; 30].join(".")), &objects, true);
    check(&format!("[a:{}.b = 2]", vec!["o_refs[*]"; 30].join(".")), &objects, false);
    check(&format!("[a:{}.b = 2]", vec!["o_ref"; 60].join(".")), &objects, false);
    let long = format!("[a:{}.b = 2]", vec!["o_ref"; 1_000].join("."));
    assert!(matches!(compile(&long), Err(MatchError::LongPath { .. })));
}

#[test]
fn deep_values_and_trees() {
    let mut value = json!(1);
    for _ in 0..100 {
        value = json!([value]);
    }
    check(&format!("[a:b{} = 1]", "[*]".repeat(60)), &json!({"0": {"type": "a", "b": value}}), false);
    let deep = format!("{}[a:b = 1]{}", "(".repeat(90), " REPEATS 2 TIMES)".repeat(90));
    check(&deep, &json!({"0": {"type": "a", "b": 1}}), false);
    let deep = format!("{}[a:b = 1]{}", "(".repeat(40), " WITHIN 2 SECONDS OR [a:b = 2])".repeat(40));
    check(&deep, &json!({"0": {"type": "a", "b": 1}}), true);
}

#[test]
fn alternatives_of_alternatives() {
    // Two to the fortieth ways to read it.
    let one = "(([a:b = 1] FOLLOWEDBY [a:b = 1]) OR ([a:b = 1] AND [a:c = 1]))";
    let pattern = Pattern::parse(&vec![one; 40].join(" AND ")).unwrap();
    let compiled = CompiledPattern::new(&pattern, &MatchOptions::standard()).unwrap();
    let mut values = observed(&json!({"0": {"type": "a", "b": 1, "c": 1}}));
    for (times, expected) in [(79, Some(false)), (80, Some(true))] {
        values[0]["number_observed"] = times.into();
        let found = compiled.is_match(&Observation::read(&values).unwrap());
        assert_eq!(found.ok(), expected);
    }
}

#[test]
fn more_comparisons_than_can_be_made() {
    let tests = (0..30_000).map(|number| format!("a:b = {number}")).collect::<Vec<_>>().join(" OR ");
    let compiled = compile(&format!("[{tests}]")).unwrap();
    let values: Vec<Value> = (0..10_000).flat_map(|_| observed(&json!({"0": {"type": "a"}}))).collect();
    let found = compiled.is_match(&Observation::read(&values).unwrap());
    assert!(matches!(found, Err(MatchError::TooManyTests { tests: 30_000, objects: 10_000, .. })));
}

#[test]
fn numbers_at_the_edge() {
    let objects = json!({"0": {"type": "a", "b": u64::MAX, "c": i64::MIN, "d": 1e308, "e": -0.0}});
    for (pattern, expected) in [
        ("[a:b > 9223372036854775807]", true),
        ("[a:b = 18446744073709551615]", false),
        ("[a:c < -9223372036854775807]", true),
        ("[a:d > 9223372036854775807]", true),
        ("[a:e = 0]", true),
        ("[a:b IN (1, 2.5)]", false),
        ("[a:b != 1] WITHIN 99999999999999999999999999999999999999 SECONDS", true),
        ("[a:b != 1] REPEATS 99999999999999999999999999999999999999 TIMES", false),
    ] {
        check(pattern, &objects, expected);
    }
}
