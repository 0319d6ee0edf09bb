//! The command `store`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{code, samples};

fn store(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
    command.env_clear().current_dir(samples()).arg("store").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without having read.
    let _nobody_reads = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (code(&output), text(&output.stdout), text(&output.stderr))
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn built(folder: &Path) -> String {
    let path = folder.join("indicators.store").to_str().unwrap().to_owned();
    let (code, _, err) = store(&["build", "--indicators", "indicators.json", "indicators.csv", "--out", &path], "");
    assert!(matches!(code, 0 | 3), "{err}");
    path
}

#[test]
fn a_store_is_built_asked_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path());
    let count = || {
        let (code, out, err) = store(&["info", "--json", &path], "");
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["indicators"].as_u64().unwrap()
    };
    let before = count();
    assert!(before > 3, "{before} indicators");
    assert!(store(&["info", &path], "").1.contains("undamaged"));
    let (code, out, err) = store(&["lookup", &path, "203.0.113.66"], "");
    assert_eq!(code, 0, "{err}");
    assert_eq!(rows(&out)[0]["value"], "203.0.113.66", "{out}");
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "added.example\n203.0.113.253\n").unwrap();
    assert_eq!(store(&["add", "--indicators", list.to_str().unwrap(), "--", &path], "").0, 0);
    assert_eq!(count(), before + 2);
    assert_eq!(rows(&store(&["lookup", &path, "added.example"], "").1).len(), 1);
    assert_eq!(store(&["remove", &path, "added.example", "203.0.113.253"], "").0, 0);
    assert_eq!(count(), before);
    let (code, _, err) = store(&["remove", &path, "added.example"], "");
    assert_eq!(code, 3, "{err}");
    assert!(store(&["lookup", &path, "added.example"], "").1.is_empty());
}

#[test]
fn alerts_are_asked_with_the_fields_of_a_site() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path());
    let alert = r#"{"rule":{"id":"5710"},"data":{"acme":{"peer":"203.0.113.66"}}}"#;
    let (code, out, err) = store(&["lookup", &path, "--alert", "-"], alert);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let catalogue = folder.path().join("acme.json");
    std::fs::write(&catalogue, r#"{"fields": [{"path": "data.acme.peer", "holds": "ip"}]}"#).unwrap();
    let with_fields = ["lookup", &path, "--alert", "-", "--catalogue", catalogue.to_str().unwrap()];
    assert_eq!(rows(&store(&with_fields, alert).1)[0]["field"], "data.acme.peer");
    let (code, _, err) = store(&with_fields, "{\"rule\":\n");
    assert_eq!(code, 3, "{err}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.store").to_str().unwrap().to_owned();
    let (code, _, err) = store(&["info", &path], "");
    assert_eq!(code, 1);
    assert!(err.contains("none.store") && err.matches("os error").count() == 1, "{err}");
    let (code, _, err) = store(&["lookup", &path, "x", "--catalogue", "none.yml"], "");
    assert_eq!(code, 2);
    assert!(err.contains("none.yml"), "{err}");
    assert_eq!(store(&["lookup", &path], "").0, 2);
}
