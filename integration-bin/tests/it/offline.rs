//! With threat intelligence from files.

use serde_json::json;

use crate::{ALERT, KEY, Manager, code, indicator};

fn manager(patterns: &[&str]) -> Manager {
    let manager = Manager::new();
    let indicators: Vec<_> = (1..).zip(patterns).map(|(number, pattern)| indicator(number, pattern)).collect();
    let intel = manager.write("intel.json", &json!(indicators).to_string());
    manager.options(&json!({ "intel": [intel] }));
    manager
}

#[test]
fn what_is_known_is_raised_for_the_agent() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.7']"]);
    let output = manager.run(ALERT, "");
    assert_eq!(code(&output), 0, "{output:?} {}", manager.log());
    let received = manager.received();
    assert_eq!(received.len(), 1);
    let wanted = r#"1:[001] (web01) 10.0.0.15->opencti:{"integration":"opencti","opencti":{"event_type":"indicator_pattern_match""#;
    assert!(received[0].starts_with(wanted), "{}", received[0]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_is_not_known_or_not_worth_asking_raises_nothing() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.8']"]);
    let private = r#"{"rule":{"id":"1"},"data":{"srcip":"10.1.2.3"}}"#;
    let own = r#"{"rule":{"id":"1"},"data":{"integration":"opencti","srcip":"203.0.113.8"}}"#;
    for alert in [ALERT, private, own] {
        assert_eq!(code(&manager.run(alert, "")), 0);
    }
    assert!(manager.received().is_empty());
    assert!(
        !manager
            .path("queue/custom-opencti/spool")
            .read_dir()
            .unwrap()
            .any(|file| { file.unwrap().path().extension().is_some_and(|ending| ending == "spool") })
    );
}

#[test]
fn a_network_is_found_by_an_address_in_it() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.0/24']", "[ipv4-addr:value ISSUBSET '203.0.112.0/20']"]);
    manager.run(ALERT, "");
    assert_eq!(manager.events().len(), 2);
}

#[test]
fn arguments_of_every_version() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.7']"]);
    let file = manager.write("x.alert", ALERT);
    let file = file.to_str().unwrap();
    let redirection = "> /dev/null 2>&1";
    for arguments in [
        &[file, KEY, "", " > /dev/null 2>&1"][..],
        &[file, KEY, "", "debug"],
        &[file, KEY, "", "", "", redirection],
        &[file, KEY, "", "", "", "10", "3", redirection],
        &[file, KEY, "", "debug", "", "10", "3"],
    ] {
        assert_eq!(code(&manager.run_with(arguments)), 0, "{arguments:?}");
        assert_eq!(manager.events().len(), 1, "{arguments:?}");
    }
    // Two of them asked for more in the log.
    let log = manager.log();
    assert_eq!(log.matches("DEBUG").count(), 2, "{log}");
    assert!(!log.contains(KEY));
}

#[test]
fn options_come_from_the_integration_block() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.7']"]);
    let options = json!({ "intel": [manager.path("intel.json")], "groups": ["web"] });
    let options = manager.write("x.options", &options.to_string());
    let file = manager.write("x.alert", ALERT);
    let (file, options) = (file.to_str().unwrap(), options.to_str().unwrap());
    assert_eq!(code(&manager.run_with(&[file, "", "", "", options, "10", "3"])), 0);
    assert!(manager.received().is_empty(), "the alert's rule is in another group");
    manager.write("x.options", r#"{"group":"web"}"#);
    let output = manager.run_with(&[file, "", "", "", options, "10", "3"]);
    assert_eq!(code(&output), 2);
    assert!(manager.log().contains("unknown field `group`"), "{}", manager.log());
}

#[test]
fn what_is_no_alert_has_a_code_and_a_line() {
    let manager = manager(&["[ipv4-addr:value = '203.0.113.7']"]);
    let missing = manager.path("none.alert");
    for (arguments, wanted, line) in [
        (vec![missing.to_str().unwrap(), "", ""], 6, "none.alert"),
        (vec!["", "", ""], 6, "no file with an alert"),
        (vec!["only-one"], 2, "three arguments"),
    ] {
        let output = manager.run_with(&arguments);
        assert_eq!(code(&output), wanted, "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(line), "{output:?}");
        assert!(manager.log().contains(line));
    }
    for text in ["", "{", "[]", "null", "{\"rule\":", "\u{0}\u{1}", &ALERT[..100]] {
        assert_eq!(code(&manager.run(text, "")), 7, "{text:?}");
    }
    // Bytes that are no text cost no more than themselves.
    let file = manager.path("x.alert");
    let mut bytes = ALERT.replace("kim", "k?m").into_bytes();
    let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xff;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(code(&manager.run_with(&[file.to_str().unwrap(), "", ""])), 0);
    assert_eq!(manager.events().len(), 1);
}
