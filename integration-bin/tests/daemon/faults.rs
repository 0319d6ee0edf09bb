//! What goes wrong: nothing is lost, nothing is raised twice, and what happened is in the log.

use serde_json::json;

use crate::support::*;

const KNOWN: &str = "203.0.113.7";

fn manager() -> Manager {
    let manager = Manager::without_socket();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    manager.options(&json!({ "intel": [intel], "timeout": 1 }));
    manager
}

#[test]
fn a_manager_that_is_away_gets_everything_later_in_order() {
    let mut manager = manager();
    let resident = manager.resident(&[]);
    let alerts: Vec<_> = (1..=6).map(|number| alert(number, &format!("{number:03}"), KNOWN)).collect();
    manager.alerts(&alerts[..3]);
    wait_for("an alert that waits", || manager.waits().then_some(()));
    manager.alerts(&alerts[3..]);
    manager.socket = Some(manager.bind());
    let mut events = manager.wait_for_events(6);
    events.retain(|event| event["opencti"]["event_type"] != "error");
    while events.len() < 6 {
        events.extend(manager.wait_for_events(1));
        events.retain(|event| event["opencti"]["event_type"] != "error");
    }
    let order: Vec<_> = events.iter().map(|event| source(event).to_owned()).collect();
    let wanted: Vec<_> = (1..=6).map(|number| format!("1773480413.{number}")).collect();
    assert_eq!(order, wanted);
    manager.wait_for_log("what waited was dealt with");
    assert!(resident.stop().success());
    assert!(manager.received().is_empty());
}

#[test]
fn killed_at_any_time_nothing_is_missed() {
    let mut manager = manager();
    manager.socket = Some(manager.bind());
    let mut seen = std::collections::BTreeSet::new();
    let mut number = 0;
    manager.resident(&[]).stop();
    for round in 0..6_u64 {
        let resident = manager.begin(&[]);
        for _ in 0..4 {
            number += 1;
            manager.alerts(&[alert(number, &format!("{number:03}"), KNOWN)]);
            std::thread::sleep(std::time::Duration::from_millis(13 * (round + 1)));
        }
        resident.kill();
        seen.extend(manager.events().iter().map(|event| source(event).to_owned()));
    }
    let resident = manager.resident(&[]);
    wait_for(&format!("all of {number}"), || {
        seen.extend(manager.events().iter().map(|event| source(event).to_owned()));
        (seen.len() == number).then_some(())
    });
    assert!(resident.stop().success());
}

#[test]
fn damaged_files_are_made_anew_and_told() {
    let mut manager = manager();
    manager.socket = Some(manager.bind());
    manager.resident(&[]).stop();
    let folder = "queue/custom-opencti/daemon";
    for (number, (name, line)) in (1..).zip([
        ("indicators.json", "indicators are read anew"),
        ("indicators.store", "indicators are read anew"),
        ("alerts.position", "the alerts that are there are read again"),
    ]) {
        let path = manager.path(&format!("{folder}/{name}"));
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes.truncate(middle);
        bytes[middle / 2] = b'!';
        std::fs::write(&path, bytes).unwrap();
        let before = manager.log().matches(line).count();
        let resident = manager.resident(&[]);
        assert_eq!(manager.log().matches(line).count(), before + 1, "{name}: {}", manager.log());
        manager.alerts(&[alert(number, &format!("{number:03}"), KNOWN)]);
        let events = manager.wait_for_events(1);
        assert!(events.iter().all(|event| !source(event).is_empty()), "{events:#?}");
        assert!(resident.stop().success());
        let _what_was_read_again = manager.events();
    }
}

#[test]
fn mistakes_are_told_at_once() {
    let manager = Manager::new();
    for (options, code, line) in [
        (json!({}), 2, "no threat intelligence is named"),
        (json!({ "daemon": { "outputs": ["syslog"] } }), 2, "unknown variant"),
        (json!({ "intel": ["/nonexistent/intel.json"] }), 1, "/nonexistent/intel.json"),
    ] {
        manager.options(&options);
        let status = manager.run_daemon();
        assert_eq!(status.code(), Some(code), "{options}: {}", manager.log());
        assert!(manager.log().contains(line), "{}", manager.log());
    }
}
