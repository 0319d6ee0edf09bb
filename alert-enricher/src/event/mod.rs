//! Events for Wazuh's manager: what threat intelligence knows of an alert, written so that the manager's decoder,
//! rules and index take all of it.
//!
//! - [`Document`]: a JSON document within the manager's limits, cut where it has to be and marked so.
//! - [`queue`]: the message around it, as the manager's queue socket reads it.

mod document;
pub mod queue;

pub use document::{Document, Limits, Rendered};
