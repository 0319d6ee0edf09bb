//! Bundles on their way to the platform: sharing, splitting, queue messages.
//!
//! Objects are handled as raw JSON, property by property and in their own order: what is not touched stays as it was,
//! byte for byte.

mod queue;
mod raw;
mod share;
mod split;
mod types;

pub use queue::{QueueMessage, QueueMessageError};
pub use raw::RawBundle;
pub use share::share;
pub use split::{Part, Refused, Split, SplitOptions, split};
pub use types::is_accepted_type;

pub(crate) use raw::RawObject;
