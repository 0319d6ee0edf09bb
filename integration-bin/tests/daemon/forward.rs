//! Alerts that the per-alert program forwards.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::json;

use crate::support::*;

const KNOWN: &str = "203.0.113.7";
const TOOK: &str = "the resident program took the alert";

fn manager() -> Manager {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    manager.options(&json!({ "intel": [intel], "daemon": { "follow": false, "repeat_minutes": 0 } }));
    manager
}

#[test]
fn with_a_resident_program_and_without() {
    let manager = manager();
    let resident = manager.resident(&[]);
    for number in 1..=3 {
        assert!(manager.per_alert_debug(&alert(number, "001", KNOWN)).success());
    }
    assert_eq!(manager.events().len(), 3);
    assert_eq!(manager.log().matches(TOOK).count(), 3, "{}", manager.log());
    assert!(resident.stop().success());
    assert!(!manager.path("queue/custom-opencti/resident.socket").exists());
    // Nobody is there: the program looks for itself. The same when a socket was left behind.
    assert!(manager.per_alert_debug(&alert(4, "001", KNOWN)).success());
    let resident = manager.resident(&[]);
    resident.kill();
    assert!(manager.path("queue/custom-opencti/resident.socket").exists());
    assert!(manager.per_alert_debug(&alert(5, "001", KNOWN)).success());
    assert_eq!(manager.events().len(), 2);
    assert_eq!(manager.log().matches(TOOK).count(), 3, "{}", manager.log());
    let _resident = manager.resident(&[]);
    assert!(manager.per_alert_debug(&alert(6, "001", KNOWN)).success());
    assert_eq!((manager.events().len(), manager.log().matches(TOOK).count()), (1, 4), "{}", manager.log());
}

#[test]
fn other_settings_give_other_answers() {
    let manager = manager();
    let _resident = manager.resident(&[]);
    let options =
        manager.write("x.options", &json!({ "intel": [manager.path("intel.json")], "groups": ["web"] }).to_string());
    let file = manager.write("y.alert", &alert(1, "001", KNOWN));
    let status = manager.program(&[file.to_str().unwrap(), "", "", "debug", options.to_str().unwrap(), "5", "3"]);
    assert!(status.success());
    assert!(manager.events().is_empty(), "{}", manager.log());
    assert!(!manager.log().contains(TOOK));
}

/// Whoever forwards counts on an event in the manager's queue.
#[test]
fn a_resident_program_without_the_queue_takes_nothing() {
    let manager = manager();
    let resident = manager.resident(&["--output", "ndjson"]);
    assert!(manager.per_alert_debug(&alert(1, "001", KNOWN)).success());
    assert_eq!(manager.events().len(), 1, "{}", manager.log());
    assert!(!manager.log().contains(TOOK));
    assert!(resident.stop().success());
}

#[test]
fn another_platform_has_other_answers() {
    let manager = manager();
    let _resident = manager.resident(&[]);
    let file = manager.write("y.alert", &alert(1, "001", KNOWN));
    let status = manager.program(&[file.to_str().unwrap(), "", "https://two.example/graphql", "debug", "", "5", "3"]);
    assert!(status.success());
    let events = manager.events();
    assert_eq!(events.len(), 1, "{}", manager.log());
    // It is the one that links to the other platform.
    assert!(events[0].to_string().contains("https://two.example"), "{events:#?}");
    assert!(!manager.log().contains(TOOK));
}

#[test]
fn an_alert_from_two_sources_is_raised_once() {
    let manager = manager();
    let intel = manager.path("intel.json");
    manager.options(&json!({ "intel": [intel], "daemon": { "repeat_minutes": 0 } }));
    let _resident = manager.resident(&[]);
    let twice = alert(1, "001", KNOWN);
    manager.alerts(std::slice::from_ref(&twice));
    manager.wait_for_events(1);
    assert!(manager.per_alert_debug(&twice).success());
    assert!(manager.log().contains(TOOK), "{}", manager.log());
    assert!(manager.events().is_empty());
}

/// Whoever writes nonsense to the socket, or nothing, keeps nobody from being served.
#[test]
fn nonsense_on_the_socket() {
    let manager = manager();
    let resident = manager.resident(&[]);
    let path = manager.path("queue/custom-opencti/resident.socket");
    let silent = UnixStream::connect(&path).unwrap();
    let large = [&u32::MAX.to_le_bytes()[..], &[0; 16]].concat();
    let cut = [&100_u32.to_le_bytes()[..], &[0; 16], b"{"].concat();
    for bytes in [&b""[..], b"x", &large, &cut] {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = Vec::new();
        let _cut_off = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer == b"?", "{answer:?}");
    }
    for text in ["", "{", "[]", "null", "{\"rule\":", "\u{0}"] {
        assert_eq!(manager.per_alert_debug(text).code(), Some(7), "{text:?}");
    }
    assert!(manager.per_alert_debug(&alert(1, "001", KNOWN)).success());
    assert_eq!(manager.events().len(), 1);
    drop(silent);
    assert!(resident.stop().success());
}
