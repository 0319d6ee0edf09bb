//! The alert store: its contract on both adapters, and what goes wrong between them and their data.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it does and stops where it cannot go on"
)]

mod contract;
mod faults;
mod files;
mod server;
mod tls;
