//! The pure crates stay light, and the example runs.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// With default features, nothing that talks to a network or needs a runtime comes along.
#[test]
fn pure_crates_bring_no_runtime() {
    for name in ["stix-model", "wazuh-query", "alert-enricher"] {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "-e", "normal", "-p", name, "--prefix", "none", "--format", "{p}", "--offline", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8_lossy(&output.stdout);
        let crates: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(crates.contains(&name) && crates.contains(&"serde_json"), "{tree}");
        for heavy in ["async-trait", "flate2", "hyper", "opensearch", "reqwest", "rustls", "tokio"] {
            assert!(!crates.contains(&heavy), "{name} brings {heavy} along:\n{tree}");
        }
    }
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_embed"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    program.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the program reads its input");
    program.wait_with_output().expect("the program ends")
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[test]
fn an_alert_from_standard_input() {
    let alert = r#"{"rule":{"id":"5710"},"agent":{"name":"web01"},"data":{"srcip":"203.0.113.7","dstuser":"kim"}}"#;
    let lines = lines(&run(&["-"], alert));
    assert_eq!(lines[0]["object"]["type"], "ipv4-addr");
    assert_eq!(lines[0]["object"]["value"], "203.0.113.7");
    assert_eq!(lines[0]["fields"][0], "data.srcip");
    assert!(lines[0]["query"]["bool"]["should"].to_string().contains("203.0.113.7"));
    assert!(lines.iter().any(|line| line["object"]["type"] == "user-account"));
}

#[test]
fn the_sample_data() {
    let lines = lines(&run(&[], ""));
    assert!(lines.iter().any(|line| line["query"].is_object()), "{lines:?}");
}

#[test]
fn text_that_is_no_alert() {
    let output = run(&["-"], "{\"rule\":");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not JSON"));
}
