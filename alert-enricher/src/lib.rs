//! Wazuh alerts to STIX observables, and hits to sightings.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod extract;
pub mod hunt;
pub mod indicator;
