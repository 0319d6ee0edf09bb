//! The work that is measured, shared by the table of figures and the curves of criterion.
//!
//! - `cargo run --release -p benches --bin figures` prints every figure beside the required value, in about a minute.
//! - `cargo bench -p benches` draws the same work as curves.
//!
//! Nothing here depends on a clock or on chance: the same call gives the same input everywhere.

pub mod alerts;
pub mod enrichment;
pub mod indicators;
pub mod measure;
pub mod numbers;
pub mod objects;
pub mod patterns;
pub mod store;
pub mod table;
