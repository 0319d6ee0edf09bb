//! Tests of the client against the platform's schemas, a stand-in of the platform and a real broker.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[cfg(feature = "amqp")]
mod broker;
mod callback;
mod checklist;
mod contracts;
mod documents;
mod faults;
mod platform;
mod pycti;
#[cfg(feature = "stream")]
mod stream;
mod support;
