//! The STIX 2.1 data model: objects, identifiers, bundles.
#![doc = ""]

#[macro_use]
mod macros;

pub mod bundle;
pub mod common;
mod convert;
mod error;
mod extra;
mod hashes;
pub mod id;
mod identifier;
pub mod marking;
pub mod meta;
mod object;
pub mod opencti;
pub mod sco;
pub mod sdo;
pub mod sro;
mod timestamp;
mod wire;

pub use bundle::{Bundle, BundleBuilder};
pub use common::{ExternalReference, GranularMarking, KillChainPhase};
pub use error::{ObjectError, ObjectErrorKind};
pub use extra::Extra;
pub use hashes::Hashes;
pub use identifier::{Identifier, IdentifierError, IdentifierErrorKind};
pub use marking::Tlp;
pub use object::{Object, UnknownObject};
pub use timestamp::{Timestamp, TimestampError, TimestampErrorKind};
pub use uuid::Uuid;
