//! What the tests share.

use std::time::Duration;

use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::testing::StandIn;
use opencti_client::{Backoff, Registration, Scope};
use serde_json::{Value, json};
use stix_model::{Identifier, Object, Timestamp};

/// The identifier of the connector.
pub(crate) const CONNECTOR: &str = "7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77";

/// A configuration that does not wait long.
pub(crate) fn config(stand_in: &StandIn) -> PlatformConfig {
    let mut config = PlatformConfig::new(&stand_in.url(), stand_in.token()).unwrap();
    config.timeout = Duration::from_secs(10);
    config.backoff = Backoff { retries: 3, first: Duration::from_millis(5), longest: Duration::from_millis(50) };
    config
}

pub(crate) async fn platform(stand_in: &StandIn) -> Platform {
    Platform::connect(config(stand_in)).await.unwrap()
}

pub(crate) fn registration() -> Registration {
    Registration::new(CONNECTOR, "Example enrichment", Scope::parse("IPv4-Addr,StixFile,Indicator"))
}

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00.000Z".parse().unwrap()
}

/// An object with a number in its identifier.
pub(crate) fn id(object_type: &str, number: u32) -> Identifier {
    format!("{object_type}--00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

pub(crate) fn object(json: &Value) -> Object {
    Object::from_json(&json.to_string()).unwrap()
}

pub(crate) fn relation(number: u32, relationship: &str, from: &Identifier, to: &Identifier) -> Object {
    object(&json!({
        "type": "relationship", "id": id("relationship", number), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "relationship_type": relationship, "source_ref": from, "target_ref": to,
    }))
}

pub(crate) fn indicator(number: u32, name: &str, pattern: &str) -> Object {
    object(&json!({
        "type": "indicator", "id": id("indicator", number), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": name, "pattern": pattern, "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00.000Z", "confidence": 80, "labels": ["apt"],
        "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
        "kill_chain_phases": [{ "kill_chain_name": "mitre-attack", "phase_name": "exfiltration" }],
        "x_opencti_score": 75, "x_opencti_detection": true, "x_opencti_main_observable_type": "IPv4-Addr",
    }))
}
