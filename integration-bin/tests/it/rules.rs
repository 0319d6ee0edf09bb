//! The rules for the events: XML that the manager reads, numbers that stand there once, fields that the events have, and
//! for every kind of event the rule that it is raised by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{ALERT, KEY, Manager, code, indicator};

const RULES: &str = include_str!("../../../deploy/wazuh4/opencti_rules.xml");
const BLOCK: &str = include_str!("../../../deploy/wazuh4/ossec.conf");

struct Rule {
    id: u32,
    level: u8,
    parents: Vec<u32>,
    fields: Vec<(String, String)>,
    same_field: Option<String>,
    description: String,
    counts: bool,
}

fn rules() -> Vec<Rule> {
    let document = roxmltree::Document::parse(RULES).unwrap();
    let group = document.root_element();
    assert_eq!(group.tag_name().name(), "group");
    let read = |rule: roxmltree::Node<'_, '_>| {
        let child = |name: &str| rule.children().find(|child| child.has_tag_name(name)).and_then(|child| child.text());
        let fields = rule.children().filter(|child| child.has_tag_name("field"));
        let field = |field: roxmltree::Node<'_, '_>| {
            (field.attribute("name").unwrap().to_owned(), field.text().unwrap().to_owned())
        };
        for child in rule.children().filter(roxmltree::Node::is_element) {
            let known =
                ["decoded_as", "field", "if_sid", "if_matched_group", "same_field", "description", "options", "group"];
            assert!(known.contains(&child.tag_name().name()), "{:?}", child.tag_name());
        }
        Rule {
            id: rule.attribute("id").unwrap().parse().unwrap(),
            level: rule.attribute("level").unwrap().parse().unwrap(),
            parents: child("if_sid")
                .into_iter()
                .flat_map(|ids| ids.split(", "))
                .map(|id| id.parse().unwrap())
                .collect(),
            fields: fields.map(field).collect(),
            same_field: child("same_field").map(str::to_owned),
            description: child("description").unwrap().to_owned(),
            counts: rule.has_attribute("frequency"),
        }
    };
    group.children().filter(|child| child.has_tag_name("rule")).map(read).collect()
}

/// The leaves of an event as the manager's decoder flattens them.
fn leaves(event: &Value) -> BTreeMap<String, String> {
    fn add(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    add(&path, value, leaves);
                }
            }
            Value::String(text) => assert!(leaves.insert(path.to_owned(), text.clone()).is_none()),
            value => assert!(leaves.insert(path.to_owned(), value.to_string()).is_none()),
        }
    }
    let mut all = BTreeMap::new();
    add("", event, &mut all);
    all
}

/// As much of the manager's expressions as the rules use: alternatives, each from beginning to end; `\d` and `\d+`.
fn matches(expression: &str, text: &str) -> bool {
    expression.split('|').any(|one| {
        let one = one.strip_prefix('^').and_then(|one| one.strip_suffix('$')).unwrap();
        if one == r"\d+" {
            return !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        }
        let one = one.replace(r"\d", "\u{1}");
        one.chars().count() == text.chars().count()
            && one.chars().zip(text.chars()).all(|(wanted, char)| {
                assert!(wanted == '\u{1}' || wanted == '_' || wanted.is_ascii_alphanumeric(), "{expression}");
                if wanted == '\u{1}' { char.is_ascii_digit() } else { wanted == char }
            })
    })
}

/// The rule that the manager ends at: from the first one down to children that match, the first of them each time.
fn raised_by(rules: &[Rule], leaves: &BTreeMap<String, String>) -> Option<u32> {
    let holds = |rule: &&Rule| {
        rule.fields.iter().all(|(name, wanted)| leaves.get(name).is_some_and(|text| matches(wanted, text)))
    };
    let mut at = rules.iter().filter(|rule| rule.parents.is_empty() && !rule.counts).find(holds)?.id;
    while let Some(child) = rules.iter().filter(|rule| rule.parents.contains(&at)).find(holds) {
        at = child.id;
    }
    Some(at)
}

fn object(kind: &str, number: u8, more: &Value) -> Value {
    let mut object = json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--8752eb5f-8b58-419e-8f40-2087{number:08}"),
        "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z",
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn relationship(number: u8, kind: &str, from: &Value, to: &Value) -> Value {
    let more = json!({ "relationship_type": kind, "source_ref": from["id"], "target_ref": to["id"] });
    object("relationship", number, &more)
}

/// The events that an alert raises with these objects as threat intelligence.
fn events(alert: &str, objects: &[Value]) -> Vec<Value> {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!(objects).to_string());
    manager.options(&json!({ "intel": [intel], "url": "https://opencti.example" }));
    assert_eq!(code(&manager.run(alert, "")), 0, "{}", manager.log());
    manager.events()
}

/// Every kind of event, with as many fields as there may be.
fn every_event(name: &str) -> Vec<(u32, Value)> {
    const PATTERN: &str = "[ipv4-addr:value = '203.0.113.7']";
    let rich = |number: u8, pattern: &str, score: u8| {
        let mut indicator = indicator(number, pattern);
        let more = json!({ "name": name, "x_opencti_score": score, "confidence": 80, "labels": ["botnet"],
            "kill_chain_phases": [{ "kill_chain_name": "mitre-attack", "phase_name": "exfiltration" }] });
        indicator.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        indicator
    };
    let one = |number: u8, mut events: Vec<Value>| {
        assert_eq!(events.len(), 1, "{number}: {events:?}");
        events.remove(0)
    };
    let address = object("ipv4-addr", 1, &json!({ "value": "203.0.113.7" }));
    let domain = object("domain-name", 2, &json!({ "value": format!("{}evil.example", "a.".repeat(60)) }));
    let known = rich(1, PATTERN, 80);
    let based = relationship(3, "based-on", &known, &address);
    let resolves = relationship(4, "resolves-to", &domain, &address);
    let asking = ALERT.replace("203.0.113.7", "10.0.0.7").replace(
        r#""srcuser":"kim""#,
        &format!(r#""dns":{{"question":{{"name":"{}"}}}}"#, domain["value"].as_str().unwrap()),
    );
    let outbound = |action: &str| ALERT.replace("\"srcip\"", &format!("\"action\":\"{action}\",\"dstip\""));
    let partial = format!("{PATTERN} FOLLOWEDBY [file:name = 'nc']");
    let mut all = vec![
        (100_212, one(1, events(ALERT, std::slice::from_ref(&known)))),
        (100_213, one(2, events(ALERT, &[known.clone(), address.clone(), based.clone()]))),
        (100_214, one(3, events(&asking, &[known.clone(), address, based, domain, resolves]))),
        (100_215, one(4, events(ALERT, &[rich(2, &partial, 80)]))),
        (100_220, one(5, events(&outbound("accept"), std::slice::from_ref(&known)))),
        (100_221, one(6, events(&outbound("deny"), std::slice::from_ref(&known)))),
        (100_222, one(7, events(ALERT, &[rich(3, PATTERN, 20)]))),
    ];
    let manager = Manager::new();
    let file = manager.write("x.alert", ALERT);
    // Nobody listens at this port.
    let arguments = [file.to_str().unwrap(), KEY, "http://127.0.0.1:9", "", "", "2", "0"];
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    let error = one(8, manager.events());
    // Alerts that are too old by the time that somebody answers.
    manager.options(&json!({ "intel": [manager.write("intel.json", "[]")], "spool_hours": 0 }));
    assert_eq!(code(&manager.run(ALERT, "")), 0);
    all.extend([(100_211, error), (100_216, one(9, manager.events()))]);
    all
}

#[test]
fn every_event_has_its_rule() {
    let rules = rules();
    let ids: BTreeSet<u32> = rules.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules.len(), "a number stands there twice");
    assert!(ids.iter().all(|id| (100_000..120_000).contains(id)));
    for rule in &rules {
        assert!(rule.parents.iter().all(|parent| ids.contains(parent)), "{}", rule.id);
        assert!(rule.level <= 15);
    }
    let mut known = BTreeSet::new();
    for (wanted, event) in every_event("indicator 1") {
        let leaves = leaves(&event);
        assert_eq!(raised_by(&rules, &leaves), Some(wanted), "{event}");
        known.extend(leaves.into_keys());
    }
    for rule in &rules {
        let names = rule.fields.iter().map(|(name, _)| name).chain(&rule.same_field);
        for name in names {
            assert!(known.contains(name), "no event has {name}");
        }
    }
}

/// A description that would be longer than 1,024 bytes shows the names of its fields instead.
#[test]
fn descriptions_show_values() {
    let rules = rules();
    for (id, event) in every_event(&"🦀 long ".repeat(1_000)) {
        let leaves = leaves(&event);
        let mut text = rules.iter().find(|rule| rule.id == id).unwrap().description.clone();
        for (name, value) in &leaves {
            text = text.replace(&format!("$({name})"), value);
        }
        assert!(!text.contains("$(") && text.len() <= 1_024, "{} bytes: {text}", text.len());
    }
}

#[test]
fn the_block_is_one_that_the_program_takes() {
    let document = roxmltree::Document::parse(BLOCK).unwrap();
    let block = document.root_element();
    let of = |name: &str| block.children().find(|child| child.has_tag_name(name)).and_then(|child| child.text());
    assert_eq!(block.tag_name().name(), "integration");
    assert_eq!(of("name"), Some("custom-opencti"));
    assert_eq!(of("alert_format"), Some("json"));
    for name in ["hook_url", "api_key"] {
        assert!(of(name).is_some_and(|text| !text.contains(' ')));
    }
    // Anything else would keep managers before 4.8 from starting.
    let known = ["name", "hook_url", "api_key", "level", "alert_format"];
    let elements = block.children().filter(roxmltree::Node::is_element);
    assert!(elements.into_iter().all(|child| known.contains(&child.tag_name().name())));
}
