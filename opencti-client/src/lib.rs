//! `OpenCTI`'s interfaces, as traits with real and embedded adapters.
//!
//! This crate is where the project will speak to `OpenCTI`: registration and life sign of a connector, reports of
//! work, reading of entities, sending of bundles, look-ups of threat intelligence and the live stream. Each is a small
//! object-safe trait with an adapter for the platform (GraphQL, AMQP, server-sent events) and an embedded one (a STIX
//! bundle on disk). It knows STIX and nothing of Wazuh.
//!
//! Nothing of that is in it yet: the offline commands of `opencti-wazuh-connector` need no platform.
