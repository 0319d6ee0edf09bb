//! The STIX 2.1 data model: objects, identifiers, markings and bundles, with OpenCTI's own types and properties.
//!
//! # Read what somebody sent
//!
//! One broken object costs that object; what this crate does not know is kept byte for byte.
//!
//! ```
//! use stix_model::Bundle;
//!
//! let json = br#"{"type": "bundle", "id": "bundle--44af6c39-c09b-49c5-9de2-394224b04982", "objects": [
//!     {"type": "ipv4-addr", "value": "198.51.100.3", "x_opencti_score": 80, "x_ratio": 1.10},
//!     {"type": "ipv4-addr", "value": 5}
//! ]}"#;
//! let (bundle, errors) = Bundle::read(json)?;
//! assert_eq!(bundle.objects[0].opencti().score(), Some(80));
//! assert!(serde_json::to_string(&bundle).is_ok_and(|json| json.contains(r#""x_ratio":1.10"#)));
//! assert_eq!(errors[0].field(), Some("value"));
//! # Ok::<(), stix_model::bundle::ReadError>(())
//! ```
//!
//! # Compute an identifier
//!
//! Identifiers are deterministic, so that what is sent twice is one object; [`id`] has the rules.
//!
//! ```
//! use stix_model::sco::{File, Ipv4Addr};
//!
//! let address = Ipv4Addr::new("198.51.100.3");
//! assert_eq!(address.id().to_string(), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
//!
//! let file = File { name: Some("foo.exe".to_owned()), ..File::default() }.identified();
//! assert_eq!(file.id().to_string(), "file--7af1312c-4402-5d2f-b169-b118d73b85c4");
//! ```
//!
//! # Build a bundle
//!
//! The same input gives the same bytes: no clock is read, the order is that of dependency.
//!
//! ```
//! use stix_model::{BundleBuilder, Timestamp, Tlp, sdo::{Identity, Indicator}, sro::Sighting};
//!
//! let now: Timestamp = "2026-01-02T03:04:05.678Z".parse()?;
//! let here = Identity::new("Example Corp", "organization", now);
//! let mut indicator = Indicator::new("[ipv4-addr:value = '198.51.100.7']", "stix", now, now);
//! indicator.common.object_marking_refs.push(Tlp::Amber.identifier());
//! let mut sighting = Sighting::between(indicator.id().clone(), vec![here.id().clone()], now, now, now);
//! sighting.count = Some(3);
//!
//! let mut builder = BundleBuilder::new();
//! builder.push(sighting).push(here).push(indicator).push(Tlp::Amber.definition());
//! let bundle = builder.build();
//! assert_eq!(bundle.objects.last().map(|object| object.object_type()), Some("sighting"));
//! # Ok::<(), stix_model::TimestampError>(())
//! ```
//!
//! # Modules
//!
//! | module | holds |
//! | --- | --- |
//! | [`sco`] | the 18 observables of STIX and those of OpenCTI |
//! | [`sdo`] | domain objects of both |
//! | [`sro`] | relationships and sightings |
//! | [`marking`] | marking definitions, TLP 1 and 2 |
//! | [`meta`] | language contents and extension definitions |
//! | [`common`] | common properties, external references, kill-chain phases |
//! | [`opencti`] | OpenCTI's view of an object |
//! | [`id`] | deterministic identifiers |
//! | [`pattern`] | what indicators look for: the patterning language |
//! | [`bundle`] | bundles: read, build, write |
//!
//! # Read a pattern
//!
//! ```
//! use stix_model::pattern::Pattern;
//!
//! let pattern = Pattern::parse("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e'] REPEATS 2 TIMES")?;
//! let test = pattern.tests().next().expect("one test");
//! assert_eq!(test.path.to_string(), "file:hashes.MD5");
//! # Ok::<(), stix_model::pattern::PatternError>(())
//! ```
//!
//! # What changes on the way through
//!
//! Reading is lenient, writing is STIX 2.1. `spec_version` becomes `2.1`; properties come in the order of the standard,
//! unknown ones at the end, sorted; timestamps get at least milliseconds and `Z`; nulls and empty lists of known properties
//! go, as do nulls of unknown ones; numbers and Booleans in text become such where a number or Boolean belongs; names of
//! hash algorithms get the spelling of the vocabulary. STIX 2.0 is converted:
//!
//! | read | becomes |
//! | --- | --- |
//! | `labels` of indicators, malware, reports, threat actors, tools | `labels` and `indicator_types` and so on |
//! | observables inside observed data | objects of their own, and `object_refs` ([`sdo::ObservedData::expand`]) |
//! | an indicator without `pattern_type` or `valid_from` | `stix`, `created` |
//! | malware without `is_family` | `false` |
//! | an observable without `id` | its deterministic identifier |
//! | `created` or `modified` without the other | both |
//! | `x-opencti-case-incident`, `x-mitre-data-source` and similar | the known type; type and identifier keep their names |
//!
//! # Limits
//!
//! Values are not validated beyond their JSON type: an `ipv4-addr` may hold any text. Unknown members of predefined
//! extensions are kept, but those extensions have no types of their own. The pattern of an indicator is text, which may
//! be of another language or broken; [`pattern::Pattern::read`] reads it.

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
pub mod pattern;
pub mod related;
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
