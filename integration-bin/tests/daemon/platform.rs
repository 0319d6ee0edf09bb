//! With the platform's strict stand-in: changes arrive while alerts come.

use std::time::Duration;

use opencti_client::ChangeKind;
use opencti_client::testing::{Fault, StandIn};
use serde_json::{Value, json};
use stix_model::{Identifier, Object};

use crate::support::*;

struct Setup {
    runtime: tokio::runtime::Runtime,
    stand_in: StandIn,
    manager: Manager,
}

impl Setup {
    fn new(options: &Value) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let stand_in = runtime.block_on(StandIn::builder().heartbeat(Duration::from_millis(100)).start());
        let manager = Manager::new();
        let token_file = manager.write("token", stand_in.token());
        let mut all = json!({ "url": stand_in.url(), "token_file": token_file, "daemon": options });
        all["timeout"] = 5.into();
        manager.options(&all);
        Self { runtime, stand_in, manager }
    }

    fn with_stream() -> Self {
        Self::new(&json!({ "stream": "collection-1" }))
    }

    fn insert(&self, object: &Value) {
        self.stand_in.insert(object_of(object));
    }

    /// Puts an object into the platform, and into its stream.
    fn change(&self, kind: ChangeKind, object: &Value) {
        let id: Identifier = object["id"].as_str().unwrap().parse().unwrap();
        self.stand_in.remove(&id);
        if kind != ChangeKind::Delete {
            self.insert(object);
        }
        self.stand_in.stream_event(kind, object);
    }

    /// Sends alerts with this address, each of another agent, until something is raised, or nothing any more.
    fn until(&self, number: &mut usize, address: &str, raised: bool) {
        wait_for(&format!("{address} raised: {raised}; {}", self.manager.log()), || {
            *number += 1;
            self.manager.alerts(&[alert(*number, &format!("{number:03}"), address)]);
            std::thread::sleep(Duration::from_millis(400));
            (self.manager.events().is_empty() != raised).then_some(())
        });
    }
}

fn object_of(object: &Value) -> Object {
    serde_json::from_value(object.clone()).unwrap()
}

#[test]
fn changes_of_the_live_stream() {
    let setup = Setup::with_stream();
    for number in 1..=3 {
        setup.insert(&of_address(number, &format!("203.0.113.{number}")));
    }
    let resident = setup.manager.resident(&[]);
    let mut number = 0;
    for last in 1..=3 {
        setup.until(&mut number, &format!("203.0.113.{last}"), true);
    }
    // Added while it runs.
    setup.change(ChangeKind::Create, &of_address(4, "203.0.113.4"));
    setup.until(&mut number, "203.0.113.4", true);
    // Revoked, labelled, deleted.
    let mut revoked = of_address(1, "203.0.113.1");
    revoked["revoked"] = true.into();
    setup.change(ChangeKind::Update, &revoked);
    let mut wrong = of_address(2, "203.0.113.2");
    wrong["labels"] = json!(["false-positive"]);
    setup.change(ChangeKind::Update, &wrong);
    setup.change(ChangeKind::Delete, &of_address(3, "203.0.113.3"));
    for last in 1..=3 {
        setup.until(&mut number, &format!("203.0.113.{last}"), false);
    }
    setup.until(&mut number, "203.0.113.4", true);
    // The connection breaks, and one more comes.
    setup.stand_in.stream_repeats(2);
    setup.stand_in.stream_cut();
    setup.change(ChangeKind::Create, &of_address(5, "203.0.113.5"));
    setup.until(&mut number, "203.0.113.5", true);
    assert!(resident.stop().success());
    setup.stand_in.assert_nothing_refused();
    let log = setup.manager.log();
    assert!(log.contains("resident: 3 indicators") && !log.contains(setup.stand_in.token()), "{log}");
}

#[test]
fn changes_that_cannot_be_read_are_told_and_what_is_gone_is_gone() {
    let setup = Setup::with_stream();
    setup.insert(&of_address(1, "203.0.113.1"));
    let resident = setup.manager.resident(&[]);
    let mut number = 0;
    setup.until(&mut number, "203.0.113.1", true);
    let mut odd = of_address(1, "203.0.113.1");
    odd["valid_from"] = "some day".into();
    setup.stand_in.remove(&odd["id"].as_str().unwrap().parse().unwrap());
    setup.stand_in.stream_event(ChangeKind::Delete, &odd);
    setup.until(&mut number, "203.0.113.1", false);
    setup.manager.wait_for_log("1 changes of the platform cannot be read so far");
    assert!(resident.stop().success());
}

#[test]
fn a_change_that_cannot_be_taken_in_makes_everything_be_read_anew() {
    let setup = Setup::with_stream();
    setup.insert(&of_address(1, "203.0.113.1"));
    let resident = setup.manager.resident(&[]);
    let path = setup.manager.path("queue/custom-opencti/daemon/indicators.store");
    let length = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, &vec![0xff; length]).unwrap();
    setup.change(ChangeKind::Create, &of_address(2, "203.0.113.2"));
    setup.manager.wait_for_log("indicators were read anew");
    let mut number = 0;
    setup.until(&mut number, "203.0.113.1", true);
    setup.until(&mut number, "203.0.113.2", true);
    assert!(resident.stop().success());
}

#[test]
fn a_restart_needs_no_platform_and_catches_up() {
    let setup = Setup::with_stream();
    setup.insert(&of_address(1, "203.0.113.1"));
    let resident = setup.manager.resident(&[]);
    let mut number = 0;
    setup.change(ChangeKind::Create, &of_address(2, "203.0.113.2"));
    setup.until(&mut number, "203.0.113.2", true);
    assert!(resident.stop().success());
    // While nobody is resident, one goes and one comes; and the platform is away when the next one begins.
    setup.change(ChangeKind::Delete, &of_address(1, "203.0.113.1"));
    setup.change(ChangeKind::Create, &of_address(3, "203.0.113.3"));
    setup.runtime.block_on(setup.stand_in.stop());
    let resident = setup.manager.resident(&[]);
    assert!(setup.manager.log().contains("resident: 2 indicators"), "{}", setup.manager.log());
    setup.manager.wait_for_log("indicators stay as they are");
    // What matches waits for what else is known about it.
    setup.manager.alerts(&[alert(900, "900", "203.0.113.2")]);
    wait_for("an alert that waits", || setup.manager.waits().then_some(()));
    setup.runtime.block_on(setup.stand_in.resume());
    let events = setup.manager.wait_for_events(2);
    assert_eq!(events[0]["opencti"]["event_type"], "error", "{events:#?}");
    assert_eq!(source(&events[1]), "1773480413.900", "{events:#?}");
    setup.until(&mut number, "203.0.113.3", true);
    setup.until(&mut number, "203.0.113.1", false);
    assert!(!setup.manager.log().contains("read anew"), "{}", setup.manager.log());
    assert!(resident.stop().success());
}

#[test]
fn without_a_stream_the_platform_is_asked() {
    let setup = Setup::new(&json!({ "poll_seconds": 1 }));
    setup.insert(&of_address(1, "203.0.113.1"));
    let resident = setup.manager.resident(&[]);
    let mut number = 0;
    setup.until(&mut number, "203.0.113.1", true);
    let mut later = of_address(2, "203.0.113.2");
    later["modified"] = "2099-01-01T00:00:00Z".into();
    setup.insert(&later);
    setup.until(&mut number, "203.0.113.2", true);
    assert!(resident.stop().success());
    setup.stand_in.assert_nothing_refused();
}

#[test]
fn the_first_start_waits_for_the_platform() {
    let setup = Setup::with_stream();
    setup.insert(&of_address(1, "203.0.113.1"));
    setup.stand_in.faults().always(Fault::Html);
    let resident = setup.manager.begin(&[]);
    setup.manager.wait_for_log("it is tried again");
    // What comes meanwhile is not missed.
    setup.manager.alerts(&[alert(1, "001", "203.0.113.1")]);
    setup.stand_in.faults().clear();
    assert_eq!(source(&setup.manager.wait_for_events(1)[0]), "1773480413.1");
    assert!(resident.stop().success());
}

#[test]
fn sightings_go_back() {
    let setup = Setup::new(&json!({
        "poll_seconds": 1,
        "sightings": { "connector_id": "c5c2a1c7-1a76-4f5b-9b0e-5f2f0f3f7a10", "period_seconds": 1 },
    }));
    setup.insert(&of_address(1, "203.0.113.1"));
    let resident = setup.manager.resident(&[]);
    let alerts: Vec<_> =
        (1..=5).map(|number| alert(number, if number == 5 { "002" } else { "001" }, "203.0.113.1")).collect();
    setup.manager.alerts(&alerts);
    assert_eq!(setup.manager.wait_for_events(2).len(), 2);
    let mut sightings = wait_for(&format!("sightings: {}", setup.manager.log()), || {
        Some(setup.stand_in.objects("sighting")).filter(|sightings| sightings.len() >= 2)
    });
    sightings.sort_by_key(|sighting| sighting["count"].as_i64());
    let counts: Vec<_> = sightings.iter().map(|sighting| sighting["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [1, 4]);
    assert_eq!(sightings[1]["sighting_of_ref"], of_address(1, "")["id"]);
    assert_eq!(sightings[1]["first_seen"].as_str().unwrap()[..19], *"2026-03-14T09:26:53");
    let places: Vec<_> = setup.stand_in.objects("identity").iter().map(|place| place["name"].clone()).collect();
    assert!(places.contains(&json!("web001")) && places.contains(&json!("web002")), "{places:?}");
    let connectors = setup.stand_in.connectors();
    assert_eq!(connectors["c5c2a1c7-1a76-4f5b-9b0e-5f2f0f3f7a10"]["type"], "STREAM");
    assert!(resident.stop().success());
    setup.stand_in.assert_nothing_refused();
    // What was sent is not sent again.
    setup.manager.resident(&[]).stop();
    let text = std::fs::read_to_string(setup.manager.path("queue/custom-opencti/daemon/sightings.json")).unwrap();
    assert_eq!(text, "[]");
}
