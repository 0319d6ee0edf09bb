//! What must not be lost, and what must not stop the rest.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opencti_client::testing::{Fault, StandIn};
use serde_json::json;

use crate::choosy::{choosy, request};
use crate::support::*;

const KNOWN: &str = "203.0.113.7";

fn manager(daemon: &serde_json::Value) -> Manager {
    let manager = Manager::without_socket();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    let token = manager.write("hook.token", "0123456789abcdef0123456789abcdef");
    let mut daemon = daemon.clone();
    daemon["webhook"] = json!({ "listen": "127.0.0.1:0", "token_file": token });
    manager.options(&json!({ "intel": [intel], "timeout": 1, "daemon": daemon }));
    manager
}

/// As a disk that is full: nothing can be kept until the path that is answered is put back.
fn without_spool(manager: &Manager) -> PathBuf {
    let (spool, other) = (manager.path("queue/custom-opencti/spool"), manager.path("queue/custom-opencti/other"));
    std::fs::rename(&spool, &other).unwrap();
    std::fs::write(&spool, "").unwrap();
    other
}

fn with_spool(manager: &Manager, other: PathBuf) {
    let spool = manager.path("queue/custom-opencti/spool");
    std::fs::remove_file(&spool).unwrap();
    std::fs::rename(other, &spool).unwrap();
}

fn offset(manager: &Manager) -> u64 {
    let text = std::fs::read_to_string(manager.path("queue/custom-opencti/daemon/alerts.position")).unwrap_or_default();
    text.split(' ').nth(1).and_then(|offset| offset.parse().ok()).unwrap_or(0)
}

#[test]
fn the_place_is_kept_only_behind_what_was_kept() {
    let mut manager = manager(&json!({}));
    let resident = manager.resident(&[]);
    manager.alerts(&[alert(1, "001", "198.51.100.1")]);
    let before = wait_for("a position", || Some(offset(&manager)).filter(|offset| *offset > 0));
    let other = without_spool(&manager);
    manager.alerts(&[alert(2, "002", KNOWN), alert(3, "003", KNOWN), alert(4, "004", "198.51.100.1")]);
    manager.wait_for_log("could not be kept");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(offset(&manager), before);
    // Neither does an end in order move it.
    assert!(resident.stop().success());
    assert_eq!(offset(&manager), before, "{}", manager.log());
    let resident = manager.resident(&[]);
    wait_for("the same again", || (manager.log().matches("could not be kept").count() > 2).then_some(()));
    // As soon as there is room, it is kept, and the source goes on.
    with_spool(&manager, other);
    wait_for("a position behind all", || (offset(&manager) > before).then_some(()));
    assert!(manager.waits());
    manager.socket = Some(manager.bind());
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(manager.wait_for_events(1).iter().map(|event| source(event).to_owned()));
        events.retain(|source| source == "1773480413.2" || source == "1773480413.3");
    }
    assert!(resident.stop().success());
}

#[test]
fn nobody_is_told_that_an_alert_was_taken_that_was_not_kept() {
    let manager = manager(&json!({ "follow": false }));
    let resident = manager.resident(&[]);
    manager.wait_for_log("alerts are taken at http");
    let _other = without_spool(&manager);
    // The program looks for itself, and can do no more either.
    assert_eq!(manager.per_alert_debug(&alert(1, "001", KNOWN)).code(), Some(5), "{}", manager.log());
    let (status, answer) = post(&manager, &alert(2, "001", KNOWN));
    assert_eq!(status, 503, "{answer}");
    assert!(resident.stop().success());
}

/// A stream socket refuses a datagram, as one refuses that may not be written: nothing that passes by itself.
#[test]
fn a_queue_that_refuses_costs_nothing() {
    let mut manager = manager(&json!({}));
    let queue = manager.path("queue/sockets/queue");
    let refusing = UnixListener::bind(&queue).unwrap();
    let resident = manager.resident(&[]);
    manager.alerts(&[alert(1, "001", KNOWN), alert(2, "002", KNOWN)]);
    wait_for("alerts that wait", || manager.waits().then_some(()));
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(!manager.log().contains("dropped"), "{}", manager.log());
    drop(refusing);
    manager.socket = Some(manager.bind());
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(manager.wait_for_events(1));
        events.retain(|event| event["opencti"]["event_type"] != "error");
    }
    assert!(resident.stop().success());
}

fn platform(addresses: &[&str]) -> (tokio::runtime::Runtime, StandIn) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stand_in = runtime.block_on(StandIn::builder().start());
    for (number, address) in (1..).zip(addresses) {
        stand_in.insert(serde_json::from_value::<stix_model::Object>(of_address(number, address)).unwrap());
    }
    (runtime, stand_in)
}

#[test]
fn one_alert_without_an_answer_does_not_stop_the_others() {
    let (_runtime, stand_in) = platform(&["203.0.113.66", KNOWN]);
    let manager = Manager::new();
    let token_file = manager.write("token", stand_in.token());
    manager.options(&json!({ "url": choosy(&stand_in.url(), "203.0.113.66"), "token_file": token_file, "timeout": 5 }));
    let resident = manager.resident(&[]);
    manager.alerts(&[alert(1, "001", "203.0.113.66"), alert(2, "002", KNOWN), alert(3, "003", KNOWN)]);
    let mut raised = Vec::new();
    while raised.len() < 2 {
        raised.extend(manager.wait_for_events(1).iter().map(|event| source(event).to_owned()));
        // The error is about the first one.
        raised.retain(|source| source != "1773480413.1");
    }
    assert_eq!(raised, ["1773480413.2", "1773480413.3"]);
    // It still waits, and those that come are looked at as they come.
    assert!(manager.waits());
    manager.alerts(&[alert(4, "004", KNOWN)]);
    assert_eq!(source(&manager.wait_for_events(1)[0]), "1773480413.4");
    assert!(manager.waits());
    assert!(resident.stop().success());
}

/// The look-up takes longer than anybody waits for a beginning.
#[test]
fn what_is_looked_up_slowly_is_looked_up_by_one() {
    let (_runtime, stand_in) = platform(&[KNOWN]);
    let manager = Manager::new();
    let token_file = manager.write("token", stand_in.token());
    manager.options(&json!({ "url": stand_in.url(), "token_file": token_file, "daemon": { "follow": false } }));
    let resident = manager.resident(&[]);
    stand_in.faults().always(Fault::Slow(Duration::from_secs(3)));
    assert!(manager.per_alert_debug(&alert(1, "001", KNOWN)).success());
    assert!(manager.log().contains("the resident program took the alert"), "{}", manager.log());
    assert_eq!(manager.events().len(), 1, "{}", manager.log());
    // It is given up in time to say that it waits.
    stand_in.faults().clear().always(Fault::Hang);
    let file = manager.write("y.alert", &alert(2, "002", KNOWN));
    assert!(manager.program(&[file.to_str().unwrap(), "", "", "debug", "", "5", "3"]).success());
    assert_eq!(manager.log().matches("the resident program took the alert").count(), 2, "{}", manager.log());
    assert!(manager.waits());
    stand_in.faults().clear();
    let mut events = Vec::new();
    while events.is_empty() {
        events.extend(manager.wait_for_events(1));
        events.retain(|event| event["opencti"]["event_type"] != "error");
    }
    assert!(resident.stop().success());
    assert!(manager.events().is_empty());
}

#[test]
fn a_stop_does_not_wait_for_all_that_waits() {
    let (_runtime, stand_in) = platform(&[KNOWN]);
    let mut manager = Manager::without_socket();
    let token_file = manager.write("token", stand_in.token());
    manager.options(&json!({ "url": stand_in.url(), "token_file": token_file, "timeout": 5 }));
    let resident = manager.resident(&[]);
    let alerts: Vec<_> = (1..=100).map(|number| alert(number, "001", KNOWN)).collect();
    manager.alerts(&alerts);
    let length = std::fs::metadata(manager.path("logs/alerts/alerts.json")).unwrap().len();
    wait_for("all of them wait", || (offset(&manager) == length).then_some(()));
    stand_in.faults().always(Fault::Slow(Duration::from_millis(300)));
    manager.socket = Some(manager.bind());
    // All are of the same agent, so there is one event; and a look-up each.
    while manager.wait_for_events(1)[0]["opencti"]["event_type"] == "error" {}
    assert!(resident.stop().success());
    assert!(manager.waits(), "{}", manager.log());
    assert!(!manager.log().contains("what waited was dealt with"), "{}", manager.log());
}

/// An indexer that refuses everything, until it does not.
fn indexer() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(_bulk) = request(&mut stream) else { continue };
            let (status, body) = if opened.load(Ordering::Relaxed) {
                let item = json!({ "index": { "_index": "x", "_id": "y", "status": 201 } });
                ("200 OK", json!({ "took": 1, "errors": false, "items": [item] }))
            } else {
                ("403 Forbidden", json!({ "error": { "type": "security_exception", "reason": "no" }, "status": 403 }))
            };
            let body = body.to_string();
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
            let _gone = write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len());
        }
    });
    (url, is_open)
}

#[test]
fn an_indexer_that_refuses_does_not_stop_the_events_of_the_manager() {
    let (url, is_open) = indexer();
    let mut manager = manager(&json!({ "outputs": ["queue", "indexer"], "indexer": { "url": url } }));
    manager.socket = Some(manager.bind());
    let resident = manager.resident(&[]);
    manager.alerts(&[alert(1, "001", KNOWN), alert(2, "002", KNOWN)]);
    let events = manager.wait_for_events(2);
    assert_eq!(events.iter().map(source).collect::<Vec<_>>(), ["1773480413.1", "1773480413.2"]);
    assert!(!manager.waits());
    let waits = || {
        let folder = manager.path("queue/custom-opencti/daemon/documents").read_dir().unwrap();
        folder.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "spool")).count()
    };
    assert!(waits() > 0);
    is_open.store(true, Ordering::Relaxed);
    manager.wait_for_log("documents that waited were written");
    assert_eq!(waits(), 0);
    assert!(resident.stop().success());
    assert!(manager.received().is_empty());
}

#[test]
fn the_whole_is_no_repeat_of_a_part() {
    let manager = Manager::new();
    let pattern = "([ipv4-addr:value = '203.0.113.7'] AND [domain-name:value = 'evil.example']) OR \
                   [ipv4-addr:value = '203.0.113.8']";
    let intel = manager.write("intel.json", &json!([indicator(1, pattern)]).to_string());
    manager.options(&json!({ "intel": [intel] }));
    manager.alerts(&[alert(1, "001", KNOWN), alert(2, "001", "203.0.113.8"), alert(3, "001", KNOWN)]);
    let events = manager.once(&[]);
    let types: Vec<_> = events.iter().map(|event| event["opencti"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["indicator_partial_pattern_match", "indicator_pattern_match"], "{events:#?}");
}

#[test]
fn what_waits_in_the_usual_folder_is_taken_along() {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    // Nobody can read these settings, so nobody knows that alerts wait elsewhere.
    manager.write("etc/custom-opencti.json", "{\"intel\":");
    assert_eq!(manager.per_alert_debug(&alert(1, "001", KNOWN)).code(), Some(2));
    assert!(manager.waits());
    let elsewhere = manager.path("elsewhere");
    manager.options(&json!({ "intel": [intel], "state": elsewhere, "catalogue": "/nowhere/fields.json" }));
    // These can be read in part: the alert waits where they say.
    assert_eq!(manager.per_alert_debug(&alert(2, "002", KNOWN)).code(), Some(2));
    assert_eq!(elsewhere.join("spool").read_dir().unwrap().filter(is_segment).count(), 1, "{}", manager.log());
    manager.options(&json!({ "intel": [intel], "state": elsewhere }));
    let resident = manager.resident(&[]);
    let events = manager.wait_for_events(2);
    let mut raised: Vec<_> = events.iter().map(source).collect();
    raised.sort_unstable();
    assert_eq!(raised, ["1773480413.1", "1773480413.2"]);
    assert!(resident.stop().success());
    assert!(!manager.waits());
}

fn is_segment(file: &std::io::Result<std::fs::DirEntry>) -> bool {
    file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "spool")
}

/// Makes the store that a program has open useless, as a disk that fails does.
fn damage(manager: &Manager) {
    let path = manager.path("queue/custom-opencti/daemon/indicators.store");
    let length = std::fs::metadata(&path).unwrap().len();
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all(&vec![0xff; usize::try_from(length).unwrap()]).unwrap();
}

#[test]
fn a_store_that_is_damaged_while_it_is_open_is_no_answer() {
    let manager = manager(&json!({ "follow": false }));
    let mut manager = manager;
    manager.socket = Some(manager.bind());
    let resident = manager.resident(&[]);
    manager.wait_for_log("alerts are taken at http");
    damage(&manager);
    let (status, _) = post(&manager, &alert(1, "001", KNOWN));
    assert_eq!(status, 503, "{}", manager.log());
    assert_eq!(resident.ended().code(), Some(1));
    assert!(manager.log().contains("the indicator store: "), "{}", manager.log());
    // The next one reads everything anew.
    let resident = manager.resident(&[]);
    wait_for("another endpoint", || (manager.log().matches("alerts are taken at http").count() > 1).then_some(()));
    assert_eq!(post(&manager, &alert(1, "001", KNOWN)).0, 200);
    assert_eq!(manager.events().len(), 1);
    assert!(resident.stop().success());
}

/// Sends an alert to the endpoint that was opened last. Answers status and text.
fn post(manager: &Manager, body: &str) -> (u16, String) {
    let log = manager.log();
    let address = log.rsplit("taken at http://").next().unwrap().lines().next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST / HTTP/1.1\r\nauthorization: Bearer 0123456789abcdef0123456789abcdef\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn sightings_are_on_disk_without_any_position() {
    let mut manager =
        manager(&json!({ "follow": false, "sightings": { "connector_id": "c5c2a1c7-1a76-4f5b-9b0e-5f2f0f3f7a10" } }));
    manager.socket = Some(manager.bind());
    let resident = manager.resident(&[]);
    assert!(manager.per_alert_debug(&alert(1, "001", KNOWN)).success());
    let path = manager.path("queue/custom-opencti/daemon/sightings.json");
    wait_for("a sighting on disk", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.contains("indicator--")).then_some(())
    });
    resident.kill();
}

#[test]
fn what_is_not_asked_about_decides_what_the_store_holds() {
    let manager = Manager::new();
    let observable = json!({
        "type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--9ddd739e-87b1-587d-83f2-62ef1130af2f",
        "value": "10.0.0.7",
    });
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN), observable]).to_string());
    for (private, count) in [(false, 1), (true, 2), (false, 1)] {
        manager.options(&json!({ "intel": [intel], "private_addresses": private }));
        assert!(manager.resident(&[]).stop().success());
        let log = manager.log();
        let last = log.lines().rfind(|line| line.contains("indicators and observables")).unwrap();
        assert!(last.contains(&format!("resident: {count} indicators")), "{log}");
    }
}
