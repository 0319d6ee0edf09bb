//! With the platform's strict stand-in.

use opencti_client::testing::StandIn;
use serde_json::json;
use stix_model::Object;

use crate::{ALERT, KEY, Manager, code, indicator};

fn object(value: serde_json::Value) -> Object {
    serde_json::from_value(value).unwrap()
}

async fn stand_in(version: &str) -> StandIn {
    let stand_in = StandIn::builder().version(version).start().await;
    let address = stix_model::sco::Ipv4Addr::new("203.0.113.7");
    let address_id = address.id().to_string();
    stand_in.insert(address);
    let known = indicator(1, "[ipv4-addr:value = '203.0.113.7']");
    let known_id = known["id"].clone();
    stand_in.insert(object(known));
    stand_in.insert(object(indicator(2, "[ipv4-addr:value = '203.0.113.7' AND user-account:account_login = 'kim']")));
    stand_in.insert(object(indicator(3, "[ipv4-addr:value = '203.0.113.77']")));
    stand_in.insert(object(json!({
        "type": "relationship", "spec_version": "2.1", "id": "relationship--44298a74-ba52-4f0c-87a3-1824e67d7fad",
        "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z",
        "relationship_type": "based-on", "source_ref": known_id, "target_ref": address_id,
    })));
    stand_in
}

#[test]
fn every_version_answers_in_one_round_trip() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for version in ["6.2.18", "6.9.10", "7.260817.0"] {
        let stand_in = runtime.block_on(stand_in(version));
        let manager = Manager::new();
        let file = manager.write("x.alert", ALERT);
        let url = format!("{}/graphql", stand_in.url());
        let arguments = [file.to_str().unwrap(), stand_in.token(), &url, "", "", "5", "3"];
        for run in 0..2 {
            stand_in.clear_requests();
            let output = manager.run_with(&arguments);
            assert_eq!(code(&output), 0, "{version}: {output:?} {}", manager.log());
            let events = manager.events();
            let types: Vec<_> = events.iter().map(|event| event["opencti"]["event_type"].as_str().unwrap()).collect();
            assert_eq!(types, ["observable_with_indicator", "indicator_pattern_match"], "{version}");
            let link = events[0]["opencti"]["indicator_link"].as_str().unwrap();
            assert!(link.starts_with(&format!("{}/dashboard/id/", stand_in.url())), "{link}");
            assert_eq!(events[0]["opencti"]["indicator"]["name"], "indicator 1");
            assert_eq!(events[1]["opencti"]["indicator"]["name"], "indicator 2");
            // The first run asks for the version, too; the second one remembers it.
            assert_eq!(stand_in.requests().len(), 2 - run, "{version}");
        }
        stand_in.assert_nothing_refused();
        assert!(!manager.log().contains(stand_in.token()));
    }
}

#[test]
fn a_refused_token_is_told_once_and_the_alert_waits() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stand_in = runtime.block_on(stand_in("7.260817.0"));
    let manager = Manager::new();
    for _ in 0..3 {
        assert_eq!(code(&manager.run(ALERT, &stand_in.url())), 0, "{}", manager.log());
    }
    let events = manager.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["opencti"]["event_type"], "error");
    assert!(!manager.log().contains(KEY) && !events[0].to_string().contains(KEY));
    // With a token that is taken, what waited is raised, too: two events for each of four alerts.
    let file = manager.write("x.alert", ALERT);
    let output = manager.run_with(&[file.to_str().unwrap(), stand_in.token(), &stand_in.url(), "", "", "9", "3"]);
    assert_eq!(code(&output), 0);
    assert_eq!(manager.events().len(), 8, "{}", manager.log());
}
