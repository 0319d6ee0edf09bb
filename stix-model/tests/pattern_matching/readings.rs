//! The two readings of `AND` and of values, and what a verdict tells.

use proptest::prelude::*;
use serde_json::{Value, json};
use stix_model::pattern::matcher::{
    AndReading, CompiledPattern, MatchOptions, Normalisation, Observation, TestVerdict, Values,
};
use stix_model::pattern::{Pattern, PatternVersion};
use stix_model::sco::{DomainName, File, Ipv4Addr, Process};
use stix_model::{Hashes, Object, Timestamp};

use crate::matches;

fn alert() -> Vec<Object> {
    let hashes: Hashes =
        [("sha256", "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f")].into_iter().collect();
    let file = File { name: Some("Setup.exe".to_owned()), hashes, ..File::default() }.identified();
    let process = Process { pid: Some(4), image_ref: Some(file.id().clone()), ..Process::default() }.identified();
    vec![file.into(), process.into(), Ipv4Addr::new("203.0.113.77").into(), DomainName::new("cdn.evil.example").into()]
}

fn on_alert(pattern: &str, options: &MatchOptions) -> Result<bool, String> {
    let pattern = Pattern::parse(pattern).map_err(|error| error.to_string())?;
    let compiled = CompiledPattern::new(&pattern, options).map_err(|error| error.to_string())?;
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let observation = Observation::from_objects(now, now, &alert());
    compiled.is_match(&[observation]).map_err(|error| error.to_string())
}

#[test]
fn an_alert_is_one_event() {
    let across = "[file:name = 'Setup.exe' AND process:pid = 4]";
    assert_eq!(on_alert(across, &MatchOptions::alerts()), Ok(true));
    assert_eq!(on_alert(across, &MatchOptions::standard()), Ok(false));
    let through = "[process:image_ref.name = 'Setup.exe' AND process:pid = 4]";
    for options in [MatchOptions::alerts(), MatchOptions::standard()] {
        assert_eq!(on_alert(through, &options), Ok(true));
        assert_eq!(on_alert("[file:name = 'Setup.exe'] AND [process:pid = 4]", &options), Ok(false));
        assert_eq!(on_alert("[file:name = 'Setup.exe'] OR [process:pid = 5]", &options), Ok(true));
    }
}

/// Two texts that are one value in the tolerant reading only.
#[test]
fn values_that_mean_the_same() {
    let object = |object_type: &str, value: &str| json!({"type": object_type, "id": format!("{object_type}--1"), "value": value});
    let file = |algorithm: &str, digest: &str| json!({"type": "file", "id": "file--1", "hashes": {algorithm: digest}});
    let digest = "44D88612FEA8A8F36DE82E1278ABB02F";
    let folded = "44d88612fea8a8f36de82e1278abb02f";
    for (pattern, object, how) in [
        (format!("[file:hashes.MD5 = '{digest}']"), file("MD5", folded), Normalisation::CaseFolded),
        (
            format!("[file:hashes.MD5 IN ('{digest}', '{}')]", "0".repeat(32)),
            file("MD5", folded),
            Normalisation::CaseFolded,
        ),
        (format!("[file:hashes.md5 = '{folded}']"), file("MD5", folded), Normalisation::AsWritten),
        ("[file:hashes.'SHA256' LIKE '275A%']".into(), file("SHA-256", "275a021b"), Normalisation::CaseFolded),
        (
            "[domain-name:value = 'EVIL.Example.']".into(),
            object("domain-name", "evil.example"),
            Normalisation::CaseFolded,
        ),
        (
            "[domain-name:value LIKE '%.Evil.example']".into(),
            object("domain-name", "CDN.evil.example"),
            Normalisation::CaseFolded,
        ),
        (
            "[domain-name:value MATCHES '^cdn\\\\.']".into(),
            object("domain-name", "CDN.evil.example"),
            Normalisation::CaseFolded,
        ),
        ("[ipv6-addr:value = '2001:DB8:0:0::1']".into(), object("ipv6-addr", "2001:db8::1"), Normalisation::Address),
        ("[ipv6-addr:value LIKE '2001:db8::%']".into(), object("ipv6-addr", "2001:0DB8:0::1"), Normalisation::Address),
        ("[ipv4-addr:value = '198.51.100.7/32']".into(), object("ipv4-addr", "198.51.100.7"), Normalisation::Address),
        (
            "[mac-addr:value = 'D2-FB-49-24-37-18']".into(),
            object("mac-addr", "d2fb.4924.3718"),
            Normalisation::MacNotation,
        ),
        (
            "[email-addr:value = 'a@EVIL.example']".into(),
            object("email-addr", "a@evil.example"),
            Normalisation::CaseFolded,
        ),
        ("[x-note:value = 'd\u{323}']".into(), object("x-note", "\u{1e0d}"), Normalisation::Nfc),
    ] {
        let observed = json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
            "last_observed": "2026-01-02T03:04:05Z", "object_refs": [object["id"]]});
        let values = [observed, object];
        let strict = matches(&pattern, PatternVersion::V2_1, &values, &MatchOptions::standard());
        assert_eq!(strict, Ok(false), "{pattern}");
        let parsed = Pattern::parse(&pattern).unwrap();
        let compiled = CompiledPattern::new(&parsed, &MatchOptions::alerts()).unwrap();
        let verdict = compiled.matches(&Observation::read(&values).unwrap()).unwrap();
        assert!(verdict.matched, "{pattern}");
        assert_eq!(verdict.bindings[0].normalisation, how, "{pattern}");
    }
    for (pattern, object) in [
        ("[x-note:value = 'a']", object("x-note", "A")),
        ("[email-addr:value = 'A@evil.example']", object("email-addr", "a@evil.example")),
        ("[ipv4-addr:value = '10.0.0.0/8']", object("ipv4-addr", "10.0.0.1")),
        ("[file:hashes.SSDEEP = '3:AXGB:a']", file("SSDEEP", "3:axgb:a")),
        ("[file:hashes.MD5 = '00000000000000000000000000000000']", file("SHA-256", "00000000000000000000000000000000")),
    ] {
        let observed = json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
            "last_observed": "2026-01-02T03:04:05Z", "object_refs": [object["id"]]});
        assert_eq!(
            matches(pattern, PatternVersion::V2_1, &[observed, object], &MatchOptions::alerts()),
            Ok(false),
            "{pattern}"
        );
    }
}

#[test]
fn the_class_is_that_of_the_object_a_reference_leads_to() {
    let values = [
        json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
            "last_observed": "2026-01-02T03:04:05Z", "object_refs": ["network-traffic--1", "mac-addr--1", "domain-name--1"]}),
        json!({"type": "network-traffic", "id": "network-traffic--1", "src_ref": "mac-addr--1", "dst_ref": "domain-name--1",
            "x_refs": ["mac-addr--1", "domain-name--1"]}),
        json!({"type": "mac-addr", "id": "mac-addr--1", "value": "d2:fb:49:24:37:18"}),
        json!({"type": "domain-name", "id": "domain-name--1", "value": "evil.example"}),
    ];
    for (pattern, expected) in [
        ("[network-traffic:src_ref.value = 'D2FB49243718']", true),
        ("[network-traffic:dst_ref.value = 'Evil.example']", true),
        ("[network-traffic:x_refs[*].value IN ('Evil.example', 'D2FB49243719')]", true),
        ("[network-traffic:x_refs[0].value = 'Evil.example']", false),
    ] {
        assert_eq!(matches(pattern, PatternVersion::V2_1, &values, &MatchOptions::alerts()), Ok(expected), "{pattern}");
    }
}

#[test]
fn broken_values_are_errors_of_the_strict_reading_only() {
    let observed = |object: Value| {
        [json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
            "last_observed": "2026-01-02T03:04:05Z", "objects": {"0": object}})]
    };
    for (pattern, object) in [
        ("[a:t != t'2026-01-02T03:04:05Z']", json!({"type": "a", "t": "soon"})),
        ("[a:t_hex != h'00']", json!({"type": "a", "t_hex": "xyz"})),
        ("[a:t_bin != b'AA==']", json!({"type": "a", "t_bin": "!"})),
        ("[a:t_ref.b != 1]", json!({"type": "a", "t_ref": 5})),
        ("[a:t_refs[*].b != 1]", json!({"type": "a", "t_refs": "0"})),
        ("[a:t_refs[*].b != 1]", json!({"type": "a", "t_refs": [7]})),
    ] {
        let values = observed(object);
        let strict = matches(pattern, PatternVersion::V2_0, &values, &MatchOptions::standard());
        assert!(strict.is_err(), "{pattern}: {strict:?}");
        let tolerant = matches(pattern, PatternVersion::V2_0, &values, &MatchOptions::alerts());
        assert_eq!(tolerant, Ok(pattern.contains("a:t !=")), "{pattern}");
        // Even where another side decides.
        let either = pattern.replace(']', " OR a:type = 'a']").replacen("[*] OR a:type = 'a']", "[*]", 1);
        assert!(matches(&either, PatternVersion::V2_0, &values, &MatchOptions::standard()).is_err(), "{either}");
    }
}

/// What the standard says where its reference implementation does something else; see docs/patterns.md.
#[test]
fn where_the_reference_differs() {
    let object = json!({"type": "x", "yes": true, "no": false, "name_hex": "68656c6c6f", "raw_bin": "/w==",
        "text": "line\nfeed", "five": 5, "ip": "2001:db8::1", "list": [[1, 2], ["a"]], "nothing": null});
    let observed = [
        json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
        "last_observed": "2026-01-02T03:04:05Z", "object_refs": ["x--1"]}),
        {
            let mut object = object;
            object["id"] = "x--1".into();
            object
        },
    ];
    for (test, expected) in [
        ("NOT EXISTS x:absent", true),
        ("NOT EXISTS x:text", false),
        ("NOT EXISTS y:text", false),
        ("NOT EXISTS x:absent AND x:five = 5", true),
        ("EXISTS x:list[*][1]", true),
        ("x:text ISSUBSET '10.0.0.0/8'", false),
        ("x:text NOT ISSUBSET '10.0.0.0/8'", true),
        ("x:ip ISSUBSET '::/0'", true),
        ("x:ip ISSUBSET '0.0.0.0/0'", false),
        ("x:ip ISSUPERSET '2001:db8::1/128'", true),
        ("x:yes IN (1)", false),
        ("x:no IN (0, 1)", false),
        ("x:five IN (1, 5.0)", true),
        ("x:name_hex IN ('bye', 'hello')", true),
        ("x:name_hex IN (h'68656c6c6f')", true),
        ("x:name_hex = b'aGVsbG8='", true),
        ("x:raw_bin LIKE '%o'", false),
        ("x:raw_bin = h'ff'", true),
        ("x:text LIKE 'line%feed'", true),
        ("x:text LIKE 'line_feed'", true),
        ("x:text LIKE 'line'", false),
        ("x:text MATCHES 'e.f'", true),
        ("x:text MATCHES '^feed'", false),
        ("x:text MATCHES '\\\\x{6c}\\\\h*in'", true),
        ("x:list[*][*] = 'a'", true),
        ("x:list[*] = 1", false),
        ("x:list[1][0] = 'a'", true),
        ("x:list[2][0] != 'a'", false),
        ("x:absent != 1", false),
        ("x:five != 'a'", true),
        ("x:five NOT = 'a'", true),
        ("x:five < 'a'", false),
        ("x:five IN ()", false),
    ] {
        let pattern = format!("[{test}]");
        let found = matches(&pattern, PatternVersion::V2_1, &observed, &MatchOptions::standard());
        assert_eq!(found, Ok(expected), "{pattern}");
    }
    for test in ["x:absent ISSUBSET 'x'", "x:five IN (1, 'a')", "x:text MATCHES '(?=a)'", "x:text MATCHES '(a)\\\\1'"] {
        let found = matches(&format!("[{test}]"), PatternVersion::V2_1, &observed, &MatchOptions::standard());
        assert!(found.is_err(), "{test}: {found:?}");
    }
}

#[test]
fn a_verdict_names_values() {
    let pattern = "[file:name LIKE '%.exe' AND process:pid = 4] FOLLOWEDBY [NOT EXISTS file:size]";
    let parsed = Pattern::parse(pattern).unwrap();
    let compiled = CompiledPattern::new(&parsed, &MatchOptions::alerts()).unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let objects = alert();
    let observations = ["2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z"]
        .map(|time| Observation::from_objects(at(time), at(time), &objects));
    let verdict = compiled.matches(&observations).unwrap();
    assert!(verdict.matched);
    assert_eq!(verdict.reading, AndReading::Event);
    let bound: Vec<_> = verdict.bound.iter().map(|bound| (bound.bracket, bound.observation, bound.times)).collect();
    assert_eq!(bound, [(0, 1, 1), (1, 0, 1)]);
    let told: Vec<_> = verdict
        .bindings
        .iter()
        .map(|binding| (binding.span.text(pattern), binding.path.as_str(), binding.value.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("file:name LIKE '%.exe'", "file:name", Some("Setup.exe")),
            ("process:pid = 4", "process:pid", Some("4")),
            ("NOT EXISTS file:size", "file:size", None),
        ]
    );
}

#[test]
fn an_explanation_names_what_is_missing() {
    let pattern = "[file:name = 'other.exe' AND file:size = 3 AND file:name > 5 AND process:image_ref.hashes.MD5 = '44d88612fea8a8f36de82e1278abb02f' \
        AND mutex:name = 'm' AND process:pid = 4 AND NOT EXISTS file:name AND ipv4-addr:value ISSUBSET '10.0.0.0/8']";
    let parsed = Pattern::parse(pattern).unwrap();
    let compiled = CompiledPattern::new(&parsed, &MatchOptions::alerts()).unwrap();
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let observation = Observation::from_objects(now, now, &alert());
    assert_eq!(compiled.comparison_matches(0, &observation), Ok(None));
    assert!(compiled.explain(1, &observation).is_none());
    let explanation = compiled.explain(0, &observation).unwrap();
    assert!(!explanation.matched && !explanation.only_across_objects);
    let verdicts: Vec<&TestVerdict> = explanation.tests.iter().map(|test| &test.verdict).collect();
    assert_eq!(verdicts.len(), 8);
    assert!(matches!(verdicts[0], TestVerdict::ValueDiffers { found, count: 1 } if found[0].value == "Setup.exe"));
    assert!(matches!(verdicts[1], TestVerdict::Absent { reached, .. } if reached == "file"), "{:?}", verdicts[1]);
    assert!(matches!(verdicts[2], TestVerdict::TypeDiffers { expected: "a number", .. }));
    assert!(
        matches!(verdicts[3], TestVerdict::Absent { reached, .. } if reached == "process:image_ref.hashes"),
        "{:?}",
        verdicts[3]
    );
    assert!(matches!(verdicts[4], TestVerdict::NoObject { object_type } if object_type == "mutex"));
    assert!(matches!(verdicts[5], TestVerdict::Satisfied(binding) if binding.path == "process:pid"));
    assert!(matches!(verdicts[6], TestVerdict::Present { .. }));
    assert!(matches!(verdicts[7], TestVerdict::ValueDiffers { .. }));
    let across = Pattern::parse("[file:name = 'Setup.exe' AND process:pid = 4]").unwrap();
    let compiled = CompiledPattern::new(&across, &MatchOptions::standard()).unwrap();
    assert!(compiled.explain(0, &observation).unwrap().only_across_objects);
}

#[test]
fn a_compiled_pattern_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let pattern = Pattern::parse("[a:b MATCHES 'x']").unwrap();
    shared(&CompiledPattern::new(&pattern, &MatchOptions::alerts()).unwrap());
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        prop::sample::select(vec!["a", "A", "b", "", "10.0.0.1", "d\u{323}", "\u{1e0d}"]).prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    prop_oneof![3 => scalar.clone(), 1 => prop::collection::vec(scalar, 0..3).prop_map(Value::from)]
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    let object =
        (prop::sample::select(vec!["x", "y"]), prop::option::of(values()), prop::option::of(values()), 0..3_u8);
    let object = object.prop_map(|(object_type, s, n, other)| {
        let mut object = json!({"type": object_type, "o_ref": other.to_string()});
        for (name, value) in [("s", s), ("n", n)] {
            if let Some(value) = value {
                object[name] = value;
            }
        }
        object
    });
    prop::collection::vec(object, 0..4)
}

fn comparisons() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec!["x:s", "x:n", "y:s", "x:s[*]", "x:o_ref.s", "y:o_ref.n"]);
    let not = prop::sample::select(vec!["", "NOT "]);
    let operator = prop::sample::select(vec![
        "= 'a'",
        "!= 'a'",
        "= 1",
        "> 0",
        "IN ('a', 'b')",
        "LIKE '_'",
        "MATCHES 'A'",
        "ISSUBSET '10.0.0.0/8'",
        "= 'd\u{323}'",
    ]);
    let exists = prop::sample::select(vec!["EXISTS x:s", "NOT EXISTS y:n", "EXISTS x:o_ref.n"]).prop_map(str::to_owned);
    let test = prop_oneof![6 => (path, not, operator).prop_map(|(path, not, operator)| format!("{path} {not}{operator}")), 1 => exists];
    test.prop_recursive(3, 6, 3, |inner| {
        (prop::collection::vec(inner, 2..=3), any::<bool>())
            .prop_map(|(operands, and)| format!("({})", operands.join(if and { " AND " } else { " OR " })))
    })
}

proptest! {
    /// What one object satisfies, the event satisfies: tests can be negated, but not what joins them.
    #[test]
    fn the_same_object_implies_the_event(comparison in comparisons(), objects in objects(), tolerant in any::<bool>()) {
        let objects: serde_json::Map<String, Value> = objects.into_iter().enumerate().map(|(key, object)| (key.to_string(), object)).collect();
        let observed = [json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
            "last_observed": "2026-01-02T03:04:05Z", "objects": objects})];
        let on = |pattern: &str, and| {
            let values = if tolerant { Values::Tolerant } else { Values::Strict };
            let options = MatchOptions { and, values, ..MatchOptions::standard() };
            matches(pattern, PatternVersion::V2_1, &observed, &options).unwrap_or_else(|error| panic!("{pattern}: {error}"))
        };
        let pattern = format!("[{comparison}]");
        let (same, event) = (on(&pattern, AndReading::SameObject), on(&pattern, AndReading::Event));
        prop_assert!(!same || event, "{}", pattern);
        // In the event's reading the brackets distribute over OR; over AND they do not, two brackets need two observations.
        let alternative = format!("{pattern} OR [y:s = 'b']");
        prop_assert_eq!(on(&alternative, AndReading::Event), event || on("[y:s = 'b']", AndReading::Event));
        for and in [AndReading::SameObject, AndReading::Event] {
            let either = format!("[y:s = 'b' OR ({comparison})]");
            prop_assert_eq!(on(&either, and), on(&format!("[({comparison}) OR y:s = 'b']"), and));
            let both = format!("[x:n != 7 AND ({comparison})]");
            prop_assert_eq!(on(&both, and), on(&format!("[({comparison}) AND x:n != 7]"), and));
        }
    }
}
