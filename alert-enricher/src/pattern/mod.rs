//! STIX patterns on alerts: what is found for a pattern is verified, and put together as its plan says.
//!
//! [`wazuh_query::pattern`] translates a pattern into queries that may find too much. Here an alert becomes an
//! observation ([`Observer`]), which satisfies the brackets of the pattern or not ([`Verifier`]); and the alerts that do
//! are put together into groups that satisfy the whole ([`PatternHunt`]). What comes out of a hunt satisfies the pattern,
//! always.
//!
//! ```
//! use alert_enricher::pattern::{PatternHunt, Verifier};
//! use stix_model::pattern::Pattern;
//! use wazuh_query::catalogue::{Catalogue, Schema};
//! use wazuh_query::pattern::{PatternOptions, PatternTranslator};
//!
//! let catalogue = Catalogue::builtin();
//! let translator = PatternTranslator::new(&catalogue, Schema::Wazuh4, PatternOptions::default());
//! let pattern = Pattern::parse("[user-account:account_login = 'kim'] FOLLOWEDBY [file:name = 'nc'] WITHIN 60 SECONDS")?;
//! let verifier = Verifier::new(&catalogue, &translator.translate(&pattern), translator.options())?;
//!
//! let mut hunt = PatternHunt::new(&verifier);
//! hunt.add(r#"{"timestamp":"2026-03-14T09:26:53Z","id":"1","agent":{"id":"001"},"data":{"srcuser":"kim"}}"#)?;
//! hunt.add(r#"{"timestamp":"2026-03-14T09:27:11Z","id":"2","agent":{"id":"001"},"syscheck":{"path":"/tmp/nc"}}"#)?;
//! hunt.add(r#"{"timestamp":"2026-03-14T09:27:12Z","id":"3","agent":{"id":"002"},"syscheck":{"path":"/tmp/nc"}}"#)?;
//! let found = hunt.finish()?;
//! let ids: Vec<_> = found.groups[0].alerts.iter().map(|alert| alert.id.as_deref()).collect();
//! assert_eq!(ids, [Some("1"), Some("2")]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod hunt;
mod verify;

pub(crate) use hunt::{Decision, Kept, Part, bound};
pub use hunt::{HuntError, PatternAlert, PatternGroup, PatternHunt, PatternHunted};
pub use verify::{NotVerifiable, Observer, Satisfied, Verifier};
