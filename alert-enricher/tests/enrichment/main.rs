//! The pipeline of the enrichment connector, from what a search found to the bundle that is sent.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking, and say what they did")]

mod checkers;
mod common;
mod corpus;
mod defects;
mod extraction;
mod golden;
mod laws;
mod places;
mod triggers;
