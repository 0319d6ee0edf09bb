//! The command `lookup`.

use std::process::Command;

use crate::{code, samples};

fn lookup(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
    let output = command.env_clear().current_dir(samples()).arg("lookup").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (code(&output), text(&output.stdout), text(&output.stderr))
}

#[test]
fn an_alert() {
    let alerts = std::fs::read_to_string(samples().join("alerts.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let alert = folder.path().join("alert.json");
    std::fs::write(&alert, alerts.lines().nth(5).unwrap()).unwrap();
    let (code, out, err) = lookup(&[alert.to_str().unwrap(), "--intel", "indicators.json"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("address 198.51.100.77 (data.srcip)"), "{out}");
    assert!(out.contains("indicator_pattern_match: 198.51.100.77"), "{out}");
    let (_, json, _) = lookup(&[alert.to_str().unwrap(), "--intel", "indicators.json", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["asked"][0]["value"], "198.51.100.77");
    assert!(answer["events"].as_array().is_some_and(|events| !events.is_empty()));
}

#[test]
fn a_value() {
    let (code, out, err) = lookup(&["203.0.113.66", "--intel", "indicators.json"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("observable_with_indicator: 203.0.113.66"), "{out}");
    let (code, out, _) = lookup(&["192.0.2.200", "--intel", "indicators.json"]);
    assert_eq!((code, out.as_str()), (0, "nothing would be raised\n"));
}

#[test]
fn mistakes() {
    assert_eq!(lookup(&["no value", "--intel", "indicators.json"]).0, 2);
    assert_eq!(lookup(&["203.0.113.66", "--intel", "nothing.json"]).0, 1);
    let (code, _, err) = lookup(&["203.0.113.66"]);
    assert_eq!(code, 1);
    assert!(err.contains("no threat intelligence is named"), "{err}");
}

#[test]
fn the_fields_of_a_site_tell_and_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let alert = write(
        "alert.json",
        r#"{"rule":{"id":"100"},"agent":{"id":"007"},"data":{"action":"allowed","acme":{"peer":"203.0.113.66",
            "verdict":"Dropped","way":"to_client","args":["get","all"],"zone":["a","b"]}}}"#,
    );
    let catalogue = serde_json::json!({"fields": [
        {"path": "data.acme.peer", "holds": "ip", "role": "destination", "group": "acme", "shown": "acme.peer"},
        {"path": "data.acme.verdict", "holds": "opaque", "tells": "outcome", "shown": "verdict"},
        {"path": "data.acme.way", "holds": "opaque", "tells": "direction"},
        {"path": "data.acme.args", "holds": "opaque", "shown": "command", "join": "words"},
        {"path": "data.acme.zone", "holds": "name", "shown": "zones", "join": "list"},
    ]});
    let catalogue = write("acme.json", &catalogue.to_string());
    let options = write("x.options", &serde_json::json!({"catalogue": catalogue}).to_string());
    let event = |arguments: &[&str]| {
        let arguments = [&[&*alert, "--intel", "indicators.json", "--json"], arguments].concat();
        let (code, out, err) = lookup(&arguments);
        assert_eq!(code, 0, "{err}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        answer["events"][0]["opencti"].clone()
    };
    let told = event(&["--catalogue", &catalogue]);
    // The source and destination are those of an answer, so that the destination opened the connection.
    assert_eq!((told["direction"].as_str(), told["outcome"].as_str()), (Some("inbound"), Some("blocked")));
    let shown = &told["source"];
    assert_eq!(shown["acme"]["peer"], "203.0.113.66");
    for (name, wanted) in [("verdict", "Dropped"), ("command", "get all"), ("zones", "a;b"), ("zone", "a")] {
        assert_eq!(shown[name], wanted, "{shown}");
    }
    assert_eq!(event(&["--options", &options]), told);
    // Without the fields nothing is known about the alert.
    assert!(event(&[]).is_null());
    let wrong = write("wrong.json", r#"{"fields": [{"path": "data.acme.peer", "holds": "adress"}]}"#);
    let (code, _, err) = lookup(&[&alert, "--intel", "indicators.json", "--catalogue", &wrong]);
    assert_eq!(code, 2);
    assert!(err.contains("wrong.json") && err.contains("adress"), "{err}");
}
