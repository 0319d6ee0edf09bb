//! Indicators: what they say, and a set of them that answers "which of you are in this alert?".

mod kind;
mod list;
mod pattern;
mod read;
mod set;

pub(crate) use kind::visit_kinds;
pub use kind::{Key, Kind, keys_of_object};
pub use list::{ListError, recognise, refang};
pub use pattern::{PatternError, keys_of_pattern};
pub use read::{Indicator, Reader, Skipped};
pub use set::{IndicatorId, IndicatorSet};
