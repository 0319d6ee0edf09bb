//! Reading what OpenCTI exports and what older senders send.

use stix_model::{
    Bundle, Object, ObjectErrorKind,
    bundle::{ReadErrorKind, read_objects},
    sco::Ipv4Addr,
};

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("readable fixture")
}

fn object<'a>(bundle: &'a Bundle, object_type: &str) -> &'a Object {
    let object = bundle.objects.iter().find(|object| object.object_type() == object_type);
    object.expect("an object of this type")
}

#[test]
fn an_export_is_read_except_for_the_object_that_is_broken() {
    let (bundle, errors) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    assert_eq!(bundle.objects.len(), 6);
    assert_eq!(bundle.id.to_string(), "bundle--6fd60a93-98f1-4c5c-9a2a-2b3f4d1f0c11");
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((error.index(), error.field(), error.object_type()), (Some(5), Some("value"), Some("ipv4-addr")));
    assert!(matches!(error.kind(), ObjectErrorKind::BadValue(_)));
    assert_eq!(
        error.to_string(),
        "object 5: `ipv4-addr--5853f6a4-638f-5b4e-9b0f-ded361ae3812`: property `value`: invalid type: integer `5`, \
         expected a string"
    );
}

#[test]
fn an_export_is_written_as_it_should_be() {
    let (bundle, _) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    insta::assert_snapshot!(serde_json::to_string_pretty(&bundle).expect("JSON"));
}

#[test]
fn numbers_keep_their_digits() {
    let (bundle, _) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    let json = serde_json::to_string(object(&bundle, "indicator")).expect("JSON");
    assert!(json.contains(r#""x_serial":12345678901234567890123"#) && json.contains(r#""x_ratio":1.10"#), "{json}");
}

#[test]
fn the_view_finds_values_in_every_place() {
    let (bundle, _) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    let address = object(&bundle, "ipv4-addr").opencti();
    assert_eq!(address.score(), Some(80));
    assert_eq!(address.labels(), ["botnet", "c2"]);
    assert_eq!(address.entity_type().as_deref(), Some("IPv4-Addr"));
    assert_eq!(address.internal_id().as_deref(), Some("4d1c0f9e-7c2b-4f7e-9c47-0a5f0f9d2a21"));
    assert_eq!(address.external_references().len(), 1);
    assert!(address.external_references()[0].extra.contains("x_opencti_files"));
    let author = address.created_by_ref().expect("an author");
    assert_eq!(bundle.get(&author).map(Object::object_type), Some("identity"));

    let indicator = object(&bundle, "indicator").opencti();
    assert_eq!((indicator.score(), indicator.detection()), (Some(75), Some(true)));
    assert_eq!(indicator.main_observable_type().as_deref(), Some("IPv4-Addr"));
    assert_eq!(indicator.stix_ids().len(), 1);
    assert_eq!(indicator.get_mitre("platforms"), Some(serde_json::json!(["windows"])));

    let host = object(&bundle, "hostname");
    assert_eq!((host.opencti().score(), host.opencti().labels()), (Some(40), vec!["web".to_owned()]));
    assert!(host.refs().contains(&author) && host.is_observable());
    assert!(object(&bundle, "threat-thing").refs().contains(&author));
}

#[test]
fn the_view_works_on_unknown_types() {
    let json = r#"{"type":"x-new","id":"x-new--44af6c39-c09b-49c5-9de2-394224b04982","x_opencti_score":7,"name":"n",
        "extensions":{"extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba":{"type":"New","score":9}}}"#;
    let object: Object = json.parse().expect("readable");
    let view = object.opencti();
    assert_eq!((view.score(), view.entity_type().as_deref()), (Some(9), Some("New")));
    assert_eq!(view.get_str("name").as_deref(), Some("n"));
}

#[test]
fn renamed_types_are_read_and_keep_their_names() {
    let (bundle, _) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    let case = object(&bundle, "x-opencti-case-incident");
    let Object::CaseIncident(case) = case else { panic!("{case:?}") };
    assert_eq!(case.severity.as_deref(), Some("high"));
    assert_eq!(case.common.modified, case.common.created);
}

#[test]
fn reserved_properties_move_into_the_extension() {
    let (bundle, _) = Bundle::read(fixture("opencti-export.json").as_bytes()).expect("a bundle");
    let bundle = bundle.strict();
    let case = object(&bundle, "x-opencti-case-incident");
    assert_eq!(case.opencti().get_str("severity").as_deref(), Some("high"));
    assert_eq!(serde_json::to_value(case).expect("JSON").get("severity"), None);
}

#[test]
fn stix_2_0_becomes_2_1() {
    let (bundle, errors) = Bundle::read(fixture("stix-2.0.json").as_bytes()).expect("a bundle");
    assert_eq!(errors, []);
    insta::assert_snapshot!(serde_json::to_string_pretty(&bundle).expect("JSON"));
}

#[track_caller]
fn outcome(json: &str, expected: &str) {
    let mut seen = Vec::new();
    let result = read_objects(json.as_bytes(), |object| {
        seen.push(match object {
            Ok(object) => object.object_type().to_owned(),
            Err(error) => error.to_string(),
        });
    });
    if let Err(error) = result {
        seen.push(format!("failed {error}"));
    }
    assert_eq!(seen.join("; "), expected);
}

#[test]
fn all_shapes_of_input_are_accepted() {
    let url = r#"{"type":"url","value":"http://a/"}"#;
    outcome("", "");
    outcome(" \n", "");
    outcome(url, "url");
    outcome(&format!("\u{feff}{url}"), "url");
    outcome(&format!("[{url},{url}]"), "url; url");
    outcome("[]", "");
    outcome(&format!("{url}\n{url}\r\n\n{url}"), "url; url; url");
    outcome(&format!("{url}{url}"), "url; url");
    outcome(&format!(r#"{{"objects":[{url}],"id":"x","type":"bundle"}}{url}"#), "url; url");
    outcome(
        &format!("{{\"type\":\"bundle\",\"objects\":[{url}]}}\n{{\"type\":\"bundle\",\"objects\":[{url}]}}"),
        "url; url",
    );
    outcome(&format!(r#"[{{"type":"bundle","objects":[{url}]}},{url}]"#), "url; url");
    outcome(r#"{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982"}"#, "");
}

#[test]
fn damage_costs_as_little_as_possible() {
    let url = r#"{"type":"url","value":"http://a/"}"#;
    outcome(
        &format!(r#"[{url},{{"type":"url","value":NaN}},7,{url}]"#),
        "url; object 1: not a JSON object: expected value at line 1 column 23; object 2: not a JSON object: invalid type: \
         integer `7`, expected an object at line 1 column 1; url",
    );
    outcome(
        &format!("{url}\nnonsense\n{url}"),
        "url; object 1: not a JSON object: at byte 35: expected `{` or `[`; url",
    );
    outcome(
        &format!("{url}\n{{\"type\":\"url\",\"value\":\"cut\n{url}"),
        "url; object 1: not a JSON object: at byte 61: line break in a string; url",
    );
    outcome(
        &format!("{url}\n{{\"type\":\"url\",\"x\":{{\"y\":1\n{url}"),
        "url; object 1: not a JSON object: at byte 60: expected `,` between values; url",
    );
    outcome(
        &format!("[{url},{{\"type\":\"u"),
        "url; object 1: not a JSON object: at byte 46: unexpected end of input; failed at byte 46: unexpected end of input",
    );
}

#[test]
fn a_bundle_must_be_there() {
    for text in ["", "  ", "nonsense", "{", "[{]", "\"text\"", r#"{"type":"bundle","objects":[{"type":"url""#] {
        assert!(Bundle::read(text.as_bytes()).is_err(), "{text}");
    }
    let error = Bundle::read(b"").expect_err("nothing there");
    assert!(matches!(error.kind(), ReadErrorKind::UnexpectedEnd));
}

#[test]
fn one_type_can_be_asked_for() {
    let address: Ipv4Addr = serde_json::from_str(r#"{"type":"ipv4-addr","value":"198.51.100.3"}"#).expect("readable");
    assert_eq!(address, Ipv4Addr::new("198.51.100.3"));
    let error = serde_json::from_str::<Ipv4Addr>(r#"{"type":"url","value":"x"}"#).expect_err("another type");
    assert!(error.to_string().starts_with("expected an object of type `ipv4-addr`, found `url`"));
    let value = serde_json::to_value(&address).expect("JSON");
    assert_eq!(serde_json::from_value::<Ipv4Addr>(value).ok(), Some(address));
}

#[track_caller]
fn error(json: &str) -> String {
    Object::from_json(json).expect_err("must not be readable").to_string()
}

#[test]
fn errors_name_the_object_and_the_property() {
    assert_eq!(error(r#"{"value":"x"}"#), "property `type`: required property is missing");
    assert_eq!(error(r#"{"type":"url"}"#), "url: property `value`: required property is missing");
    assert_eq!(
        error(r#"{"type":"url","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"x"}"#),
        "`ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4`: property `id`: identifier does not start with the object's type"
    );
    assert_eq!(
        error(r#"{"type":"tool","id":"tool--28bb3599-77cd-5a82-a950-b5bc3caf07c4","name":"x","created":"today"}"#),
        "`tool--28bb3599-77cd-5a82-a950-b5bc3caf07c4`: property `created`: invalid timestamp `today`: expected RFC 3339, \
         such as 2026-01-02T03:04:05.678Z"
    );
    assert_eq!(
        error(r#"{"type":"x509-certificate","x509_v3_extensions":{"private_key_usage_period_not_before":"x"}}"#),
        "x509-certificate: property `x509_v3_extensions.private_key_usage_period_not_before`: invalid timestamp `x`: \
         expected RFC 3339, such as 2026-01-02T03:04:05.678Z"
    );
}

/// Q-67: an account whose identifier is a number made the object unreadable. Text and number are the same account.
#[test]
fn q_67_numbers_as_identifiers_of_accounts() {
    let read = |user_id: &str| {
        Object::from_json(&format!(r#"{{"type":"user-account","account_login":"kim","user_id":{user_id}}}"#)).unwrap()
    };
    let Object::UserAccount(account) = read("1001") else { panic!() };
    assert_eq!(account.user_id.as_deref(), Some("1001"));
    assert_eq!(read("1001").id(), read(r#""1001""#).id());
    assert!(Object::from_json(r#"{"type":"user-account","user_id":[1]}"#).is_err());
}
