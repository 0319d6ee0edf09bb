//! Nothing lost, nothing panics: properties that hold for any input.

mod common;

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stix_model::{
    Bundle, BundleBuilder, Identifier, Object, Timestamp, Uuid, bundle::read_objects, id, sco::DomainName, sco::Text,
    sdo::Note,
};

/// JSON text, with the numbers that a parser would change.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?",
        any::<String>().prop_map(|text| Value::from(text).to_string()),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Properties with names that no object declares.
fn unknown_properties() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("x_[a-z_é]{1,12}", any_json(), 0..5).prop_map(|map| map.into_iter().collect())
}

fn all_objects() -> Vec<Object> {
    let bundles = [
        common::standard_observables(),
        common::opencti_observables(),
        common::standard_objects(),
        common::opencti_objects(),
    ];
    bundles.into_iter().flat_map(|bundle| bundle.objects).collect()
}

#[test]
fn every_type_reads_what_it_wrote() {
    for object in all_objects() {
        let json = serde_json::to_string(&object).expect("JSON");
        let read = Object::from_json(&json).expect("readable");
        assert_eq!(read, object);
        assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
        assert!(!matches!(read, Object::Unknown(_)), "{json}");
        assert!(!json.contains("null") && !json.contains("[]"), "{json}");
    }
}

#[test]
fn every_type_identifies_itself_again() {
    for object in all_objects() {
        let computed = id::deterministic(object.object_type(), &object);
        if let Some(computed) = computed {
            assert_eq!(&computed, object.id());
        } else {
            assert!(matches!(object.object_type(), "language-content" | "extension-definition"), "{object:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unknown_properties_keep_their_bytes(at in 0..60_usize, unknown in unknown_properties()) {
        let objects = all_objects();
        let json = serde_json::to_string(&objects[at % objects.len()]).expect("JSON");
        let mut text = json.strip_suffix('}').expect("an object").to_owned();
        for (name, value) in &unknown {
            text = format!("{text},{}:{value}", json!(name));
        }
        text.push('}');
        let object = Object::from_json(&text).expect("readable");
        let written = serde_json::to_string(&object).expect("JSON");
        prop_assert_eq!(&Object::from_json(&written).expect("readable"), &object);
        for (name, value) in unknown.iter().filter(|(_, value)| value != "null") {
            let member = format!("{}:{value}", json!(name));
            prop_assert!(written.contains(&member), "{member} not in {written}");
        }
    }

    #[test]
    fn unknown_types_keep_their_bytes(unknown in unknown_properties()) {
        let mut text = r#"{"type":"x-acme", "id":"x-acme--00000000-0000-4000-8000-000000000000""#.to_owned();
        for (name, value) in &unknown {
            text = format!("{text} , {}: {value}", json!(name));
        }
        text.push('}');
        let object = Object::from_json(&text).expect("readable");
        prop_assert_eq!(serde_json::to_string(&object).expect("JSON"), text);
    }

    #[test]
    fn identifiers_ignore_the_order_of_properties(
        name in any::<String>(), vendor in any::<String>(), version in any::<String>(), reverse in any::<bool>(),
    ) {
        let mut members = vec![("name", name), ("vendor", vendor), ("version", version), ("cpe", "cpe:/a".to_owned())];
        let before = read_software(&members);
        if reverse { members.reverse() } else { members.rotate_left(1) }
        prop_assert_eq!(before, read_software(&members));
    }

    #[test]
    fn the_fast_path_and_the_rules_agree(value in any::<String>()) {
        let by_rules = id::deterministic("domain-name", &json!({"value": value}));
        prop_assert_eq!(Some(DomainName::new(value).id().clone()), by_rules);
    }

    #[test]
    fn identifiers_round_trip(name in "[a-z0-9][a-z0-9-]{0,20}[a-z0-9]", uuid in any::<u128>()) {
        prop_assume!(!name.contains("--"));
        let id = Identifier::new(&name, Uuid::from_u128(uuid)).expect("well-formed");
        prop_assert_eq!(id.to_string().parse::<Identifier>(), Ok(id));
    }

    #[test]
    fn texts_are_written_as_serde_json_writes_them(
        chars in prop::collection::vec(prop_oneof![prop::char::range('\0', '\u{7f}'), any::<char>()], 0..40),
    ) {
        let text: String = chars.into_iter().collect();
        let bundle = Bundle::new(vec![Text::new(text).into()]);
        prop_assert_eq!(bundle.to_json(), serde_json::to_string(&bundle).expect("JSON"));
    }

    #[test]
    fn timestamps_round_trip(seconds in -62_167_219_200..=253_402_300_799_i64, nanoseconds in 0..1_000_000_000_u32) {
        let time = Timestamp::from_parts(seconds, nanoseconds).expect("in range");
        prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
    }

    #[test]
    fn bundles_list_what_is_referred_to_first(edges in prop::collection::vec((0..20_usize, 0..20_usize), 0..60)) {
        // Edges lead from later to earlier notes only, so there are no circles.
        let created = common::now();
        let mut notes: Vec<Note> = (0..20).map(|index| Note::new(index.to_string(), vec![], created)).collect();
        for (a, b) in edges {
            if a != b {
                let target = notes[a.min(b)].id().clone();
                notes[a.max(b)].object_refs.push(target);
            }
        }
        let mut builder = BundleBuilder::new();
        builder.extend(notes.into_iter().rev());
        let bundle = builder.build();
        let position: HashMap<_, _> = bundle.objects.iter().enumerate().map(|(at, object)| (object.id(), at)).collect();
        prop_assert_eq!(position.len(), 20);
        for (at, object) in bundle.objects.iter().enumerate() {
            prop_assert!(object.refs().iter().all(|target| position[target] < at));
        }
    }

    #[test]
    fn arbitrary_json_does_not_panic(json in any_json()) {
        let _ = Object::from_json(&json);
        let _ = Bundle::read(json.as_bytes());
        let objects = all_objects();
        let types: Vec<&str> = objects.iter().map(Object::object_type).collect();
        for object_type in types {
            let text = format!(
                r#"{{"type":"{object_type}","name":{json},"value":{json},"hashes":{json},"extensions":{json},"objects":{json},"created":{json}}}"#
            );
            if let Ok(object) = Object::from_json(&text) {
                let _ = (object.refs(), object.opencti().labels(), object.opencti().score());
            }
            let _ = Bundle::read(text.as_bytes());
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Bundle::read(&bytes);
        let _ = read_objects(&bytes[..], |_| {});
    }

    #[test]
    fn damaged_bundles_do_not_panic(cut in 0..4000_usize, byte in any::<u8>()) {
        let mut json = serde_json::to_vec(&common::standard_observables()).expect("JSON");
        let at = cut % json.len();
        let _ = Bundle::read(&json[..at]);
        json[at] = byte;
        let _ = Bundle::read(&json);
    }
}

fn read_software(members: &[(&str, String)]) -> Identifier {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value))).collect();
    let json = format!(r#"{{"type":"software",{}}}"#, members.join(","));
    Object::from_json(&json).expect("readable").id().clone()
}

#[test]
fn deep_nesting_is_no_problem() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let json = format!(r#"{{"type":"ipv4-addr","value":"198.51.100.3","x_ref":{deep}}}"#);
    let object = Object::from_json(&json).expect("readable");
    assert!(object.refs().is_empty());
    assert!(serde_json::to_string(&object).expect("JSON").contains(&deep));
    let (bundle, errors) = Bundle::read(json.as_bytes()).expect("an object");
    assert_eq!((bundle.objects.len(), errors.len()), (1, 0));
    assert!(Bundle::read(deep.as_bytes()).is_ok());
    assert!(Bundle::read("{\"a\":".repeat(100_000).as_bytes()).is_err());
}

/// There are two ways to write, of which one is quicker.
#[test]
fn both_ways_of_writing_give_the_same_bytes() {
    for mut bundle in [
        common::standard_observables(),
        common::opencti_observables(),
        common::standard_objects(),
        common::opencti_objects(),
        Bundle::default(),
    ] {
        bundle.extra.set("x_\"odd\"\n", "\u{1}\u{8}\u{c}\t\r\n\\ \u{7f} ü \u{2028} \u{1f600}");
        assert_eq!(bundle.to_json(), serde_json::to_string(&bundle).expect("JSON"));
        for object in &bundle.objects {
            let mut json = Vec::new();
            object.write_json(&mut json);
            assert_eq!(String::from_utf8(json), Ok(serde_json::to_string(object).expect("JSON")));
        }
    }
}

/// Properties that contribute to identifiers are written directly, not by way of their values.
#[test]
fn objects_and_their_json_are_identified_alike() {
    for object in all_objects() {
        let value = serde_json::to_value(&object).expect("JSON");
        for rules in [id::IdRules::Current, id::IdRules::OpenCti6_8, id::IdRules::Platform] {
            let object_type = object.object_type();
            let of_json = id::deterministic_with(rules, object_type, &value);
            assert_eq!(id::deterministic_with(rules, object_type, &object), of_json, "{value}");
        }
    }
}

#[test]
fn the_last_of_repeated_properties_counts() {
    let object: Object = r#"{"type":"url","value":"a","value":"b","x":1,"x":2}"#.parse().expect("readable");
    assert_eq!(serde_json::to_value(&object).expect("JSON")["value"], "b");
    assert_eq!(object.extra().and_then(|extra| extra.get_as::<i64>("x")), Some(2));
}

#[test]
fn loose_maps_and_objects_are_identified_alike() {
    let map = Map::from_iter([("value".to_owned(), json!("198.51.100.3"))]);
    assert_eq!(id::deterministic("ipv4-addr", &map), id::deterministic("ipv4-addr", &Value::from(map.clone())));
}
