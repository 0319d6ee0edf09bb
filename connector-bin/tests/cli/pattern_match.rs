//! `pattern match`.

use serde_json::{Value, json};

use crate::{run, run_with_input};

fn observed(time: &str, object: &Value) -> Value {
    json!({"type": "bundle", "objects": [
        {"type": "observed-data", "id": "observed-data--1", "number_observed": 1, "first_observed": time, "last_observed": time,
            "object_refs": [object["id"]]},
        object,
    ]})
}

fn file(name: &str) -> Value {
    json!({"type": "file", "id": format!("file--{name}"), "name": name, "hashes": {"MD5": "44d88612fea8a8f36de82e1278abb02f"}})
}

fn answers(arguments: &[&str], lines: &[Value], code: i32) -> Vec<Value> {
    let input = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let run = run_with_input(&[&["pattern", "match", "--ndjson"], arguments].concat(), input.as_bytes());
    assert_eq!(run.code, code, "{}{}", run.out, run.err);
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_are_answered_in_order() {
    let bundle = observed("2026-01-02T03:04:05Z", &file("a"));
    let old = json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-02T03:04:05Z",
        "last_observed": "2026-01-02T03:04:05Z", "objects": {"0": {"type": "file", "name": "a"}}});
    let bare = bundle["objects"].clone();
    let lines = [
        json!({"id": "yes", "pattern": "[file:name = 'a']", "stix_version": "2.1", "observations": [bundle]}),
        json!({"id": "no", "pattern": "[file:name = 'b']", "stix_version": "2.1", "observations": [bundle]}),
        json!({"id": "old", "pattern": "[file:name = 'a'] START '2026-01-01T00:00:00Z' STOP '2026-02-01T00:00:00Z'", "stix_version": "2.0", "observations": [old]}),
        json!({"id": "bare", "pattern": "[file:name = 'a']", "observations": bare}),
        json!({"id": "none", "pattern": "[file:name = 'a']", "observations": []}),
        json!({"id": 7, "pattern": "[file:name = 'a'", "observations": [bundle]}),
        json!({"id": "expression", "pattern": "[file:name MATCHES 'a(?=b)']", "observations": [bundle]}),
        json!({"id": "broken", "pattern": "[file:name = t'2026-01-02T03:04:05Z']", "observations": [bundle]}),
        json!({"id": "observed", "pattern": "[file:name = 'a']", "observations": [{"type": "bundle"}]}),
    ];
    let answers = answers(&[], &lines, 0);
    let short: Vec<(String, String)> = answers
        .iter()
        .map(|answer| {
            (
                answer["id"].to_string(),
                answer["match"].as_bool().map_or("error".to_owned(), |matched| matched.to_string()),
            )
        })
        .collect();
    let expected = ["true", "false", "true", "true", "false", "error", "error", "error", "error"];
    assert_eq!(
        short,
        lines.iter().map(|line| line["id"].to_string()).zip(expected.map(str::to_owned)).collect::<Vec<_>>()
    );
    let errors: Vec<&str> = answers.iter().filter_map(|answer| answer["error"].as_str()).collect();
    assert!(errors[0].contains("line 1, column 17") && errors[1].contains("linear time"), "{errors:?}");
    assert!(errors[1].starts_with("line 1, column 20: "), "{errors:?}");
    assert!(
        errors[2].contains("is compared with a timestamp") && errors[3].contains("`objects` is missing"),
        "{errors:?}"
    );
    assert!(answers.iter().all(|answer| answer.get("match").is_some() != answer.get("error").is_some()));
}

#[test]
fn a_bad_line_stops_nothing() {
    let good = json!({"id": "good", "pattern": "[file:name = 'a']", "observations": [observed("2026-01-02T03:04:05Z", &file("a"))]});
    let input = format!(
        "{{\n{good}\n{}\n{}\n{good}\n",
        json!({"id": 1, "observations": []}),
        json!({"id": 2, "pattern": "[a:b = 1]"})
    );
    let run = run_with_input(&["pattern", "match", "--ndjson"], input.as_bytes());
    assert_eq!(run.code, 3, "{}", run.err);
    let answers: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| answer["match"] == true).count(), 2);
    assert_eq!(answers.iter().filter(|answer| answer["error"].is_string()).count(), 3);
    assert_eq!(answers[2]["id"], 1);
}

#[test]
fn readings() {
    let mut bundle = observed("2026-01-02T03:04:05Z", &file("a"));
    bundle["objects"][0]["object_refs"] = json!(["file--a", "process--1"]);
    bundle["objects"].as_array_mut().unwrap().push(json!({"type": "process", "id": "process--1", "pid": 4}));
    let line = |pattern: &str| json!({"id": 1, "pattern": pattern, "observations": [bundle]});
    let across = line("[file:name = 'a' AND process:pid = 4]");
    let folded = line("[file:hashes.MD5 = '44D88612FEA8A8F36DE82E1278ABB02F']");
    for (arguments, question, expected) in [
        (&[][..], &across, false),
        (&["--reading", "same-object"], &across, false),
        (&["--reading", "event"], &across, true),
        (&[], &folded, false),
        (&["--tolerant"], &folded, true),
    ] {
        assert_eq!(answers(arguments, std::slice::from_ref(question), 0)[0]["match"], expected, "{arguments:?}");
    }
}

#[test]
fn for_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("observations.json");
    let bundles = [
        observed("2026-01-02T03:04:05Z", &file("setup.exe")),
        observed("2026-01-02T03:04:45Z", &file("run.exe")),
        observed(
            "2026-01-02T03:09:00Z",
            &json!({"type": "domain-name", "id": "domain-name--1", "value": "cdn.evil.example"}),
        ),
    ];
    std::fs::write(&path, serde_json::to_vec(&bundles).unwrap()).unwrap();
    let path = path.to_str().unwrap();
    let yes = run(&[
        "pattern",
        "match",
        "--observations",
        path,
        "[file:name LIKE '%.exe'] REPEATS 2 TIMES WITHIN 40 SECONDS FOLLOWEDBY [domain-name:value MATCHES '\\\\.evil\\\\.']",
    ]);
    assert_eq!(yes.code, 0, "{}", yes.err);
    insta::assert_snapshot!(yes.out, @r"
    match: yes
    reading: same-object, values as they are written

    [file:name LIKE '%.exe']
      observation 1 (2026-01-02T03:04:05.000Z)
        file:name is setup.exe in file--setup.exe
      observation 2 (2026-01-02T03:04:45.000Z)
        file:name is run.exe in file--run.exe

    [domain-name:value MATCHES '\\.evil\\.']
      observation 3 (2026-01-02T03:09:00.000Z)
        domain-name:value is cdn.evil.example in domain-name--1
    ");
    let no = run(&[
        "pattern",
        "match",
        "--observations",
        path,
        "[file:name = 'Setup.exe' AND file:size > 5] AND [file:name = 'run.exe']",
    ]);
    assert_eq!(no.code, 0, "{}", no.err);
    insta::assert_snapshot!(no.out, @r"
    match: no
    reading: same-object, values as they are written

    [file:name = 'Setup.exe' AND file:size > 5]
      satisfied by 0 of 3 observations
      observation 1 (2026-01-02T03:04:05.000Z)
        file:name = 'Setup.exe': it is `setup.exe`
        file:size > 5: absent: file--setup.exe has the path up to file
      observation 2 (2026-01-02T03:04:45.000Z)
        file:name = 'Setup.exe': it is `run.exe`
        file:size > 5: absent: file--run.exe has the path up to file
      observation 3 (2026-01-02T03:09:00.000Z)
        file:name = 'Setup.exe': there is no file
        file:size > 5: there is no file

    [file:name = 'run.exe']
      satisfied by 1 of 3 observations
    ");
    let late =
        run(&["pattern", "match", "--observations", path, "[domain-name:value != ''] FOLLOWEDBY [file:name != '']"]);
    assert!(
        late.out.ends_with("not by as many different observations, in this order and time, as the pattern wants\n"),
        "{}",
        late.out
    );
    let wrong = run(&["pattern", "match", "--observations", path, "[file:name MATCHES '(a)\\\\1']"]);
    assert_eq!(wrong.code, 1);
    insta::assert_snapshot!(wrong.err, @r"error: line 1, column 20: the regular expression of MATCHES cannot be run: linear time rules out back-references such as `\1`");
    for arguments in
        [&["pattern", "match"][..], &["pattern", "match", "[a:b = 1]"], &["pattern", "match", "[a:b = 1]", "--ndjson"]]
    {
        assert_eq!(run(arguments).code, 2);
    }
}
