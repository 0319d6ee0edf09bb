//! Indicators: what they say, and the values by which they are found.

mod anchor;
pub(crate) mod classes;
mod kind;
mod list;
mod metadata;
mod pattern;
mod skipped;

pub(crate) use anchor::{Anchor, SaysNothing, anchors, in_known_terms};
pub(crate) use kind::{Candidate, keys_of_reading, visit_kinds};
pub use kind::{Key, Kind, Normalisation, keys_of_object};
pub(crate) use list::kind_of_name;
pub use list::{ListError, recognise, refang};
pub use metadata::Indicator;
pub use pattern::{PatternError, keys_of_pattern};
pub use skipped::{SkipReason, Skipped};
