//! `pattern translate` and `pattern explain`.

use serde_json::Value;

use crate::{Run, run, run_with_input};

const SIGMA: &str = "\
title: Certutil downloads
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|endswith: '\\certutil.exe'
    CommandLine|contains: 'urlcache'
  condition: selection
---
title: Of another world
detection:
  selection:
    NoFieldOfAnyone|contains: 'x'
  condition: selection
---
title: Broken
";

/// Queries name hundreds of fields: only how they begin is of interest here.
fn shortened(out: &str) -> String {
    let line = |line: &str| {
        let query = line.trim_start().starts_with("{\"");
        let end = line.char_indices().nth(60).filter(|_| query);
        end.map_or_else(|| line.to_owned(), |(end, _)| format!("{}…", &line[..end]))
    };
    out.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn shown(run: &Run) -> String {
    format!("exit code {}\n{}{}", run.code, shortened(&run.out), run.err)
}

#[test]
fn translations() {
    for (name, arguments) in [
        ("single", &["[file:size = 4711]"][..]),
        (
            "sequence",
            &[
                "([user-account:account_login = 'kim'] FOLLOWEDBY [file:name = 'C:\\\\Temp\\\\nc.exe']) WITHIN 60 SECONDS \
              START t'2026-03-01T00:00:00Z' STOP t'2026-04-01T00:00:00Z'",
            ],
        ),
        (
            "partly",
            &[
                "[file:size = 5 OR email-message:body LIKE '%x%']\n AND [cryptocurrency-wallet:value = 'b' OR file:size = 6]",
            ],
        ),
        ("not_at_all", &["--schema", "5", "[file:name = 'a' AND email-message:body LIKE '%x%']"]),
        (
            "across_agents",
            &[
                "--across-agents",
                "--reading",
                "same-object",
                "[process:pid = 4 AND process:name = 'a'] REPEATS 2 TIMES",
            ],
        ),
        ("yara", &["--type", "YARA", "rule x {}"]),
        ("unknown", &["--type", "kql\u{1b}[2J", "a"]),
    ] {
        let arguments: Vec<&str> = ["pattern", "translate"].into_iter().chain(arguments.iter().copied()).collect();
        insta::assert_snapshot!(format!("translate__{name}"), shown(&run(&arguments)));
    }
}

#[test]
fn explanations() {
    for (name, arguments) in [
        (
            "sequence",
            &[
                "([user-account:account_login = 'kim'] FOLLOWEDBY [file:name = 'C:\\\\Temp\\\\nc.exe']) WITHIN 60 SECONDS",
            ][..],
        ),
        ("partly", &["[file:size = 5 OR email-message:body LIKE '%x%']"]),
        ("snort", &["--type", "snort", "alert tcp any any -> any any"]),
    ] {
        let arguments: Vec<&str> = ["pattern", "explain"].into_iter().chain(arguments.iter().copied()).collect();
        insta::assert_snapshot!(format!("explain__{name}"), shown(&run(&arguments)));
    }
}

#[test]
fn sigma_rules() {
    let translated = run_with_input(&["pattern", "translate", "--type", "sigma", "--file", "-"], SIGMA.as_bytes());
    insta::assert_snapshot!("translate__sigma", shown(&translated));
    let explained = run_with_input(&["pattern", "explain", "--type", "sigma", "--file", "-"], SIGMA.as_bytes());
    insta::assert_snapshot!("explain__sigma", shown(&explained));
    let json = run_with_input(&["pattern", "translate", "--json", "--type", "sigma", "--file", "-"], SIGMA.as_bytes());
    let json: Vec<Value> = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json.len(), 3);
    assert_eq!(json[0]["decides"], "everything");
    assert!(json[0]["query"].is_object() && json[2]["error"].is_string());
}

#[test]
fn as_json() {
    let text = "[file:name = 'a' OR\n email-message:body = 'ä'] AND [file:size = 5]";
    let run = run(&["pattern", "translate", "--json", text]);
    assert_eq!(run.code, 3, "{}", run.err);
    let value: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(value["plan"], serde_json::json!({"all": [0, 1]}));
    assert_eq!(value["observations"].as_array().unwrap().len(), 2);
    assert_eq!(value["observations"][1]["exact"], true);
    let place = |at: usize| usize::try_from(value["unmappable"][0]["span"][at].as_u64().unwrap()).unwrap();
    assert_eq!(&text[place(0)..place(1)], "email-message:body");
    let yara = crate::run(&["pattern", "translate", "--json", "--type", "yara", "rule x {}"]);
    let value: Value = serde_json::from_str(&yara.out).unwrap();
    assert_eq!((yara.code, &value["searchable"]), (1, &Value::Bool(false)));
    assert!(value["reason"].as_str().unwrap().contains("content"));
}

#[test]
fn what_is_no_pattern() {
    let wrong = run(&["pattern", "explain", "[file:name = ]"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("line 1, column 14"), "{}", wrong.err);
    for arguments in [&["pattern", "translate"][..], &["pattern", "explain", "x", "--file", "y"]] {
        assert_eq!(run(arguments).code, 2);
    }
    assert_eq!(run(&["pattern", "explain", "--file", "/nowhere/at/all"]).code, 1);
}
