//! With threat intelligence from files.

use serde_json::json;

use crate::support::*;

const KNOWN: &str = "203.0.113.7";

fn manager() -> Manager {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    manager.options(&json!({ "intel": [intel] }));
    manager
}

#[test]
fn alerts_are_followed_and_events_belong_to_their_agents() {
    let manager = manager();
    manager.alerts(&[alert(1, "001", KNOWN)]);
    let resident = manager.resident(&[]);
    // What was there before is not looked at; what comes is.
    manager.alerts(&[alert(2, "001", "198.51.100.1"), "no alert".to_owned(), alert(3, "002", KNOWN)]);
    let received = wait_for("an event", || Some(manager.received()).filter(|received| !received.is_empty()));
    assert_eq!(received.len(), 1, "{received:?}");
    let wanted = r#"1:[002] (web002) 10.0.0.15->opencti:{"integration":"opencti","opencti":{"event_type":"indicator_pattern_match""#;
    assert!(received[0].starts_with(wanted), "{}", received[0]);
    assert!(resident.stop().success());
    assert!(manager.log().contains("resident: stopped"), "{}", manager.log());
}

#[test]
fn a_restart_goes_on_behind_a_rotation() {
    let manager = manager();
    let resident = manager.resident(&[]);
    manager.alerts(&[alert(1, "001", KNOWN)]);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "1773480413.1");
    assert!(resident.stop().success());
    manager.alerts(&[alert(2, "002", KNOWN)]);
    let folder = manager.path("logs/alerts/2026/Mar");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::rename(manager.path("logs/alerts/alerts.json"), folder.join("ossec-alerts-14.json")).unwrap();
    manager.alerts(&[alert(3, "003", KNOWN)]);
    let resident = manager.resident(&[]);
    let events = manager.wait_for_events(2);
    assert_eq!(events.iter().map(source).collect::<Vec<_>>(), ["1773480413.2", "1773480413.3"]);
    // The same place is read when the file was made anew in place.
    std::fs::write(manager.path("logs/alerts/alerts.json"), "").unwrap();
    manager.wait_for_log("resident: ");
    std::thread::sleep(std::time::Duration::from_millis(300));
    manager.alerts(&[alert(4, "004", KNOWN)]);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "1773480413.4");
    drop(resident);
}

#[test]
fn the_same_on_the_same_agent_is_counted() {
    let manager = manager();
    let alerts: Vec<_> =
        (0..50).map(|number| alert(number, if number % 5 == 0 { "001" } else { "002" }, KNOWN)).collect();
    manager.alerts(&alerts);
    let events = manager.once(&[]);
    assert_eq!(events.len(), 2, "{events:#?}");
    // The options of the file count: without a window each is raised.
    let intel = manager.path("intel.json");
    manager.options(&json!({ "intel": [intel], "daemon": { "repeat_minutes": 0 } }));
    std::fs::remove_file(manager.path("queue/custom-opencti/daemon/alerts.position")).unwrap();
    assert_eq!(manager.once(&[]).len(), 50);
}

#[test]
fn files_are_read_again_when_they_change() {
    let manager = manager();
    let _resident = manager.resident(&[]);
    manager.write("intel.json", &json!([of_address(2, "203.0.113.9")]).to_string());
    manager.wait_for_log("files changed: 1 indicators");
    manager.alerts(&[alert(1, "001", KNOWN), alert(2, "001", "203.0.113.9")]);
    let events = manager.wait_for_events(1);
    assert_eq!(events[0]["opencti"]["indicator"]["name"], "indicator 2");
    // A file that is no JSON changes nothing.
    manager.write("intel.json", "[{");
    manager.wait_for_log("indicators stay as they are");
    manager.alerts(&[alert(3, "003", "203.0.113.9")]);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "1773480413.3");
    manager.write("intel.json", &json!([of_address(2, "203.0.113.9"), of_address(3, "203.0.113.10")]).to_string());
    manager.wait_for_log("files changed: 2 indicators");
    manager.alerts(&[alert(4, "004", "203.0.113.10")]);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "1773480413.4");
}

#[test]
fn what_does_not_count_is_not_raised() {
    let manager = manager();
    let mut revoked = of_address(2, "203.0.113.2");
    revoked["revoked"] = true.into();
    let mut expired = of_address(3, "203.0.113.3");
    expired["valid_until"] = "2026-03-10T00:00:00Z".into();
    let mut wrong = of_address(4, "203.0.113.4");
    wrong["labels"] = json!(["False-Positive"]);
    manager.write("intel.json", &json!([of_address(1, KNOWN), revoked, expired, wrong]).to_string());
    let alerts: Vec<_> = (2..=4).map(|number| alert(number, "001", &format!("203.0.113.{number}"))).collect();
    manager.alerts(&alerts);
    manager.alerts(&[alert(7, "001", KNOWN)]);
    let events = manager.once(&[]);
    assert_eq!(events.iter().map(source).collect::<Vec<_>>(), ["1773480413.7"]);
}

#[test]
fn there_is_one() {
    let manager = manager();
    let _resident = manager.resident(&[]);
    let second = manager.begin(&[]);
    manager.wait_for_log("another one is resident already");
    drop(second);
}
