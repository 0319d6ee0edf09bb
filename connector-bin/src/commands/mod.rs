//! One module per command.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod coverage;
pub(crate) mod explain;
pub(crate) mod extract;
pub(crate) mod hunt;
pub(crate) mod pattern;
pub(crate) mod query;
pub(crate) mod store;
