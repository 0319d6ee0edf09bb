//! The resident mode, run as a service runs it: a manager's folder with a real queue socket, a file of alerts that grows,
//! threat intelligence from files or from the strict stand-in of the platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod choosy;
mod faults;
mod files;
mod forward;
mod indexer;
mod losses;
mod platform;
mod same;
mod support;
mod webhook;
