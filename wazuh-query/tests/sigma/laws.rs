//! - A query finds every alert that its rule matches.
//! - A query that says so finds exactly those.
//! - Where a rule does not match for certain, the rule turned around does, and the other way round.
//! - The same rule becomes the same bytes.

use std::collections::BTreeMap;

use serde_json::Value;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::sigma::{SigmaMatcher, SigmaRule, Verdict};
use wazuh_query::value::Spelling;

use crate::all_rules;
use crate::corpus::alerts;

/// Tries the laws of queries, and returns how many alerts the rule matches.
fn lawful(evaluator: &Evaluator<'_>, matcher: &SigmaMatcher, alerts: &[Value]) -> usize {
    let translation = matcher.translation();
    let Some(query) = &translation.query else {
        return alerts.iter().filter(|alert| matcher.matches(alert)).count();
    };
    let mut matches = 0;
    for alert in alerts {
        let (verdict, found) = (matcher.verdict(alert), evaluator.matches(query, alert).unwrap());
        let context = || format!("{}\n{}\n{alert}", translation.title, query.to_json());
        assert!(found || verdict != Verdict::Match, "the query loses an alert: {}", context());
        assert!(!translation.exact || found == (verdict == Verdict::Match), "the query is not exact: {}", context());
        matches += usize::from(verdict == Verdict::Match);
    }
    matches
}

#[test]
fn of_the_fixtures() {
    let catalogue = Catalogue::builtin();
    let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
    let alerts = alerts();
    let mut counts = BTreeMap::new();
    for rule in all_rules() {
        let matcher = SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4);
        counts.insert(rule.title.clone(), lawful(&evaluator, &matcher, &alerts));
        let again = SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4);
        assert_eq!(matcher.translation(), again.translation());
    }
    eprintln!("{counts:#?}");
    if alerts.len() > 2_000 {
        let silent: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).map(|(title, _)| title.as_str()).collect();
        insta::assert_debug_snapshot!("rules_without_a_match", silent);
    }
}

#[test]
fn a_rule_and_its_opposite() {
    let catalogue = Catalogue::builtin();
    let alerts = alerts();
    for rule in rules_turned_around() {
        let [rule, opposite] = rule.map(|rule| SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4));
        let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
        lawful(&evaluator, &opposite, &alerts);
        for alert in alerts.iter().step_by(7) {
            let wanted = match rule.verdict(alert) {
                Verdict::Match => Verdict::NoMatch,
                Verdict::NoMatch => Verdict::Match,
                Verdict::Undecided => Verdict::Undecided,
            };
            assert_eq!(opposite.verdict(alert), wanted, "{}", rule.translation().title);
        }
    }
}

/// Rules without a log source, each with its opposite.
fn rules_turned_around() -> Vec<[SigmaRule; 2]> {
    let items = [
        "data.win.eventdata.image|endswith: '.exe'",
        "data.win.eventdata.commandLine|contains: [' ', '-', '/']",
        "data.win.eventdata.commandLine|re: '\\s-[a-z]+'",
        "data.srcip|cidr: 10.0.0.0/8",
        "data.srcip: null",
        "data.dstport|gt: 1000",
        "data.nowhere.at.all: x",
        "data.url|contains: é",
        "rule.level|lte: 5",
        "rule.level: 3",
        "rule.mail: true",
        "agent.name|startswith: w",
        "data.office365.ResultCount|gte: 1",
        "full_log|contains: 'error'",
    ];
    let rule = |item: &str, condition: &str| {
        let text = format!(
            "title: \"{}\"\ndetection:\n  s:\n    {item}\n  condition: {condition}\n",
            item.replace(['\\', '"'], " ")
        );
        SigmaRule::read_all(&text).remove(0).unwrap()
    };
    items.map(|item| [rule(item, "s"), rule(item, "not s")]).to_vec()
}

/// For values of real alerts: rules made of them, with every modifier of place, find the alert they came from.
#[test]
fn of_rules_made_of_alerts() {
    let catalogue = Catalogue::builtin();
    let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
    let alerts = alerts();
    let mut tried = 0;
    for alert in alerts.iter().step_by(5) {
        let mut values = Vec::new();
        texts(alert, &mut String::new(), &mut values);
        for (number, (path, text)) in values.iter().enumerate() {
            if number % 4 != tried % 4
                || text.chars().count() > 2_000
                || path == "full_log"
                || path.contains("win.system.message")
            {
                tried += usize::from(number % 4 != tried % 4);
                continue;
            }
            let event = Spelling::of(Schema::Wazuh4, path).read(text).into_owned();
            let chars: Vec<char> = event.chars().collect();
            let middle: String = chars[chars.len() / 4..chars.len() * 3 / 4].iter().collect();
            let (head, tail): (String, String) =
                (chars[..chars.len() / 2].iter().collect(), chars[chars.len() / 2..].iter().collect());
            for (modifier, value) in
                [("", event.clone()), ("|startswith", head), ("|endswith", tail), ("|contains", middle)]
            {
                let escaped = value.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?");
                let item = serde_json::json!({ format!("{path}{modifier}"): [escaped, "something else"] });
                let rule = serde_json::json!({"title": path, "detection": {"s": item, "condition": "s"}});
                let rule =
                    SigmaRule::read_all(&rule.to_string()).remove(0).unwrap_or_else(|error| panic!("{error} {rule}"));
                let matcher = SigmaMatcher::new(&rule, &catalogue, Schema::Wazuh4);
                if !matcher.translation().unmapped.is_empty() {
                    continue;
                }
                assert!(matcher.matches(alert), "{path}{modifier}: {value:?} is not found in {text:?}");
                lawful(&evaluator, &matcher, std::slice::from_ref(alert));
                tried += 1;
            }
        }
    }
    eprintln!("{tried} rules");
    assert!(alerts.is_empty() || tried > 50);
}

/// Every text of an alert with its path.
fn texts(value: &Value, path: &mut String, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                texts(value, path, out);
                path.truncate(length);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| texts(member, path, out)),
        Value::String(text) => out.push((path.clone(), text.clone())),
        _ => {}
    }
}

mod any_value {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;
    use wazuh_query::catalogue::{Catalogue, Schema};
    use wazuh_query::evaluate::Evaluator;
    use wazuh_query::sigma::{SigmaMatcher, SigmaRule, Verdict};
    use wazuh_query::value::Spelling;

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

    /// Characters that are written in several ways, that mean something, or that have a case.
    const TEXT: &str = "[abntlg;ABN\\\\\"&<>\n\t/.*?,=é5-]{0,7}";
    const VALUE: &str = "[abntlg;ABN\\\\\"&<>\n/.*?,=É5-]{0,5}";

    fn place(path: &str, text: &str) -> serde_json::Value {
        path.rsplit('.').fold(json!(text), |inner, key| json!({key: inner}))
    }

    fn lawful(schema: Schema, path: &str, modifiers: &str, values: &[String], text: &str, negated: bool) {
        let condition = if negated { "not s" } else { "s" };
        let key = format!("{path}{modifiers}");
        let rule = json!({"title": key, "detection": {"s": {key: values}, "condition": condition}});
        // Some combinations make no rule.
        let Ok(rule) = SigmaRule::read_all(&rule.to_string()).remove(0) else { return };
        let matcher = SigmaMatcher::new(&rule, &CATALOGUE, schema);
        // An index refuses alerts with other values.
        let fits = match path {
            "data.aws.srcaddr" => text.parse::<std::net::IpAddr>().is_ok(),
            "rule.level" | "syscheck.size_after" => text.parse::<i64>().is_ok(),
            _ => true,
        };
        if !fits {
            return;
        }
        let alert = place(path, &Spelling::of(schema, path).write(text));
        let is_match = matcher.verdict(&alert) == Verdict::Match;
        let translation = matcher.translation();
        let Some(query) = &translation.query else { return };
        let found = Evaluator::new(&CATALOGUE, schema).matches(query, &alert).unwrap();
        assert!(found || !is_match, "{values:?} {text:?}\n{}", query.to_json());
        assert!(!translation.exact || found == is_match, "not exact: {values:?} {text:?}\n{}", query.to_json());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn in_any_field(
            modifiers in prop::sample::select(vec![
                "", "|contains", "|startswith", "|endswith", "|contains|all", "|cased", "|contains|cased", "|re",
                "|re|i", "|contains|windash", "|base64offset|contains", "|utf16le|base64", "|neq",
            ]),
            path in prop::sample::select(vec![
                "data.win.eventdata.commandLine", "data.win.eventdata.image", "data.url", "data.nobody.knows", "full_log",
                "data.win.system.message", "data.srcip", "syscheck.size_after",
            ]),
            values in prop::collection::vec(VALUE, 1..4),
            text in TEXT,
            negated in any::<bool>(),
        ) {
            lawful(Schema::Wazuh4, path, modifiers, &values, &text, negated);
        }

        #[test]
        fn in_wazuh_5(
            modifiers in prop::sample::select(vec!["", "|contains", "|startswith", "|re"]),
            path in prop::sample::select(vec!["process.command_line", "url.full", "event.code"]),
            values in prop::collection::vec(VALUE, 1..4),
            text in TEXT,
            negated in any::<bool>(),
        ) {
            lawful(Schema::Wazuh5, path, modifiers, &values, &text, negated);
        }

        #[test]
        fn of_addresses_and_numbers(
            comparison in prop::sample::select(vec!["cidr", "lt", "lte", "gt", "gte", "startswith"]),
            network in "(10|192|172)\\.[0-9]\\.(16|0)\\.0/(8|9|12|16|20|24|25|32)",
            number in "[0-9]{1,4}(\\.[0-9])?",
            address in "(::ffff:)?(10|192|172)\\.[0-9]\\.[12]?[0-9]\\.[0-9](:80)?",
            is_address in any::<bool>(),
            negated in any::<bool>(),
        ) {
            let value = if comparison == "cidr" { network } else { number.clone() };
            let text = if is_address { address } else { number };
            for path in ["data.srcip", "data.aws.srcaddr", "rule.level", "data.win.eventdata.destinationIp"] {
                lawful(Schema::Wazuh4, path, &format!("|{comparison}"), std::slice::from_ref(&value), &text, negated);
            }
        }
    }
}
