//! The commands `check`, `install` and `self-test`.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::{Manager, code, indicator};

fn run(home: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
    let output = command.env_clear().env("WAZUH_HOME", home).args(arguments).output().unwrap();
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    (code(&output), String::from_utf8(text).unwrap())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[test]
fn the_program_tests_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = run(folder.path(), &["self-test"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("received an event, indicator_pattern_match"), "{text}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is left behind");
    // A manager that is not there cannot raise anything.
    let (code, text) = run(folder.path(), &["self-test", "--write"]);
    assert_eq!(code, 1);
    assert!(text.contains("FAILED"), "{text}");
}

#[test]
fn a_manager_raises_what_the_self_test_sends() {
    let manager = Manager::new();
    std::fs::create_dir(manager.path("logs/alerts")).unwrap();
    let alerts = manager.write("logs/alerts/alerts.json", "{\"old\":1}\n");
    let home = manager.folder.path().to_owned();
    let tested = std::thread::spawn(move || run(&home, &["self-test", "--write"]));
    let socket = manager.socket.as_ref().unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
    // What the manager would make of it, in two pieces.
    let event: serde_json::Value = serde_json::from_str(&message[message.find('{').unwrap()..]).unwrap();
    let alert = json!({ "rule": { "id": "100212", "level": 12 }, "data": event }).to_string();
    let mut file = std::fs::OpenOptions::new().append(true).open(alerts).unwrap();
    let (head, tail) = alert.split_at(40);
    for part in [head, tail, "\n"] {
        std::io::Write::write_all(&mut file, part.as_bytes()).unwrap();
    }
    let (code, text) = tested.join().unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("the manager raised rule 100212, level 12"), "{text}");
}

#[test]
fn nothing_is_installed_without_a_word() {
    let manager = Manager::new();
    std::fs::create_dir(manager.path("etc/rules")).unwrap();
    let (code, text) = run(manager.folder.path(), &["install"]);
    assert_eq!(code, 0, "{text}");
    for wanted in ["would copy", "<integration>", "id=\"100212\"", "Nothing was changed"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(manager.path("integrations").read_dir().unwrap().count(), 0);
    assert!(!manager.path("etc/rules/opencti_rules.xml").exists());
    let (code, text) = run(&manager.path("logs"), &["install"]);
    assert_eq!(code, 1);
    assert!(text.contains("no manager's folder"), "{text}");
}

#[test]
fn what_is_installed_passes_the_check() {
    if !is_root() {
        eprintln!("skipped: only root may give files to others");
        return;
    }
    let manager = Manager::new();
    std::fs::create_dir(manager.path("etc/rules")).unwrap();
    let script = manager.write("integrations/custom-opencti", "#!/bin/sh\n");
    let home = manager.folder.path();
    let (code, text) = run(home, &["install", "--write"]);
    assert_eq!(code, 0, "{text}");
    let program = std::fs::metadata(&script).unwrap();
    assert_eq!((program.uid(), program.mode() & 0o7777), (0, 0o750));
    assert!(program.len() > 10_000);
    assert_eq!(std::fs::read(manager.path("integrations/custom-opencti.script")).unwrap(), b"#!/bin/sh\n");
    assert!(manager.path("queue/custom-opencti").is_dir());
    // Once more changes nothing, whatever was changed since.
    let rules = manager.path("etc/rules/opencti_rules.xml");
    let changed = std::fs::read_to_string(&rules).unwrap().replace("level=\"14\"", "level=\"15\"");
    std::fs::write(&rules, &changed).unwrap();
    let (code, text) = run(home, &["install", "--write"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("they were changed"), "{text}");
    assert_eq!(std::fs::read_to_string(&rules).unwrap(), changed);

    let (code, text) = run(home, &["check"]);
    assert_eq!(code, 1);
    assert!(text.contains("FAILED integration"), "{text}");
    let block = "<ossec_config><integration><name>custom-opencti</name><alert_format>json</alert_format></integration></ossec_config>";
    manager.write("etc/ossec.conf", block);
    let intel = manager.write("intel.json", &json!([indicator(1, "[ipv4-addr:value = '203.0.113.7']")]).to_string());
    manager.options(&json!({ "intel": [intel] }));
    let (code, text) = run(home, &["check"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    // The installed program finds the manager by itself.
    let mut command = Command::new(&script);
    let output = command.env_clear().arg("check").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_check_names_what_is_wrong() {
    let manager = Manager::without_socket();
    std::fs::create_dir(manager.path("etc/rules")).unwrap();
    manager.write("etc/custom-opencti.json", r#"{"min_scor":1}"#);
    let block = "<integration><name>custom-opencti</name><api_key>a b</api_key></integration>";
    manager.write("etc/ossec.conf", block);
    manager.write("etc/rules/a.xml", "<rule id=\"100210\" level=\"0\"/>");
    manager.write("etc/rules/b.xml", "<rule id=\"100210\" level=\"0\"/>");
    let (code, text) = run(manager.folder.path(), &["check"]);
    assert_eq!(code, 1);
    for wanted in [
        "FAILED program",
        "<alert_format> is not json",
        "a blank in <api_key>",
        "unknown field `min_scor`",
        "hold rules of the same numbers",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("a b\n"), "{text}");
    manager.options(&json!({}));
    let (_, text) = run(manager.folder.path(), &["check"]);
    assert!(text.contains("FAILED queue") && text.contains("FAILED intelligence"), "{text}");
}
