//! The indicator store: one fast place to ask "which indicators does this alert match?".
//!
//! - A [`Builder`] takes STIX objects, lists and tables and says what it could not use.
//! - A [`Store`] is changed by one side and asked by others at the same time; a [`Snapshot`] is its state at a moment.
//! - A [`Matcher`] looks for the indicators of a snapshot in alerts and answers with a [`Match`] for each.
//!
//! A store is bytes: what [`Built::bytes`] and [`Snapshot::to_bytes`] give is a file, and [`Store::open`] takes the bytes
//! of one from anywhere, such as a mapping that processes share. All places in it are checked, damage is told before it
//! can give a wrong answer, and a store of another version is refused. `docs/store.md` describes the format.

mod build;
mod bytes;
mod evaluate;
#[cfg(feature = "mmap")]
mod file;
mod filter;
mod format;
mod found;
mod hash;
mod hits;
mod literal;
mod live;
mod look_up;
mod matcher;
mod nets;
mod parts;
mod records;
mod segment;
mod shape;
mod table;
mod worthless;

pub use build::{About, Builder, Built};
pub(crate) use evaluate::Evaluable;
pub use evaluate::{Decided, PatternVerdict};
#[cfg(feature = "mmap")]
pub use file::{FileError, FileStore};
pub use filter::{Filter, Filtered, Standing, Validity};
#[cfg(feature = "testing")]
pub use format::reseal;
pub use format::{Damaged, OpenError};
pub use found::{Comparison, Match, Seen};
pub(crate) use hits::{Hit, SeenField, SeenText};
pub use live::{ChangeError, Handle, MergeError, Snapshot, Store};
pub(crate) use matcher::Look;
pub use matcher::{LookUpError, MatchError, MatchOptions, Matcher};
pub use parts::TooLarge;
pub use worthless::{Worthless, WorthlessReason};
