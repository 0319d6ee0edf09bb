//! `pattern check`.

use serde_json::Value;

use crate::{run, run_with_input};

#[test]
fn patterns_as_arguments() {
    let one = run(&["pattern", "check", "[ipv4-addr:value = '198.51.100.7']"]);
    assert_eq!((one.code, one.out.as_str()), (0, "valid\n"), "{}", one.err);
    let wrong = run(&["pattern", "check", "[ipv4-addr:value = 198.51.100.7]"]);
    assert_eq!(wrong.code, 1);
    insta::assert_snapshot!(wrong.out, @r"
    invalid: line 1, column 26: expected `AND`, `OR` or `]`, found `.100` (text, as of addresses and digests, is written in single quotes)
      [ipv4-addr:value = 198.51.100.7]
                               ^^^^
    ");
    let some = run(&["pattern", "check", "[a:b = 1]", "[a:b = 1", "[a:b = 2]"]);
    assert_eq!(some.code, 3);
    let verdicts: Vec<_> = some.out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(matches!(verdicts.as_slice(), ["1: valid", _, "3: valid"]), "{}", some.out);
    let old = "[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-02-01T00:00:00Z'";
    assert_eq!(run(&["pattern", "check", old]).code, 1);
    assert_eq!(run(&["pattern", "check", "--stix-version", "2.0", old]).code, 0);
    for arguments in [&["pattern", "check"][..], &["pattern", "check", "x", "--ndjson"], &["pattern"]] {
        assert_eq!(run(arguments).code, 2);
    }
}

fn answers(input: &str, code: i32) -> Vec<Value> {
    let run = run_with_input(&["pattern", "check", "--ndjson"], input.as_bytes());
    assert_eq!(run.code, code, "{}{}", run.out, run.err);
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_are_answered_in_order() {
    let input = r#"{"id":"a","pattern":"[a:b = 1]","stix_version":"2.1"}
{"stix_version":"2.0","pattern":"[EXISTS a:b]","id":7,"more":[1]}

{"id":{"x": [1.50, null]},"pattern":"[a:b = '\u00e4\ud83d\ude00']"}
{"id":null,"pattern":""}"#;
    let answers = answers(input, 0);
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].to_string()).collect();
    assert_eq!(ids, ["\"a\"", "7", r#"{"x":[1.5,null]}"#, "null"]);
    let valid: Vec<_> = answers.iter().map(|answer| answer["valid"].as_bool().unwrap()).collect();
    assert_eq!(valid, [true, false, true, false]);
    assert!(answers.iter().all(|answer| answer["error"].is_null() == (answer["valid"] == true)), "{answers:?}");
    assert!(answers[1]["error"].as_str().unwrap().contains("line 1, column 9"), "{answers:?}");
}

#[test]
fn an_identifier_is_copied_as_it_is() {
    let run =
        run_with_input(&["pattern", "check", "--ndjson", "-"], br#"{"id": {"x" : 1.50e0}, "pattern": "[a:b=1]"}"#);
    assert_eq!(run.out, "{\"id\":{\"x\" : 1.50e0},\"valid\":true,\"error\":null}\n");
}

#[test]
fn lines_that_ask_nothing() {
    let good = r#"{"id":1,"pattern":"[a:b = 1]"}"#;
    let input = format!(
        "nonsense\n[]\n{{\"id\":2}}\n{{\"id\":3,\"pattern\":5}}\n{good}\n{{\"id\":4,\"pattern\":\"\",\"stix_version\":\"1.0\"}}\n{{\"id\":5,\"pattern\":\"\\ud800\"}}"
    );
    let answers = answers(&input, 3);
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(ids, [None, None, Some(2), Some(3), Some(1), Some(4), Some(5)]);
    for answer in &answers {
        assert_eq!(answer["error"].is_string(), answer.get("valid").is_none(), "{answer}");
    }
    assert_eq!(answers.iter().filter(|answer| answer["valid"] == true).count(), 1);

    let bytes = run_with_input(&["pattern", "check", "--ndjson"], b"{\"id\":1,\"pattern\":\"\xff\"}\n");
    assert_eq!(bytes.code, 1, "{}", bytes.out);
    assert!(bytes.out.contains("not valid UTF-8"), "{}", bytes.out);

    let mut long = vec![b' '; 17 << 20];
    long.extend_from_slice(b"\n{\"id\":1,\"pattern\":\"[a:b=1]\"}\n");
    let long = run_with_input(&["pattern", "check", "--ndjson"], &long);
    assert_eq!(long.code, 3, "{}", long.out);
    assert!(long.out.starts_with("{\"id\":null,\"error\":\"the line is longer"), "{}", long.out);
    assert!(long.out.ends_with("{\"id\":1,\"valid\":true,\"error\":null}\n"), "{}", long.out);

    assert_eq!(run(&["pattern", "check", "--ndjson", "no-such-file"]).code, 1);
}

#[test]
fn a_file_of_questions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patterns.ndjson");
    std::fs::write(&file, "\u{feff}{\"id\":1,\"pattern\":\"[a:b = 1]\"}\r\n").unwrap();
    let run = run(&["pattern", "check", "--ndjson", file.to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str()), (0, "{\"id\":1,\"valid\":true,\"error\":null}\n"), "{}", run.err);
}
