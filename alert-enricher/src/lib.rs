//! Wazuh alerts to STIX observables, and alerts against indicators to sightings.
//!
//! - [`extract`]: the observables in one alert, each with the fields it came from.
//! - [`indicator`]: what indicators say, and the values by which they are found.
//! - [`store`]: indicators from STIX, lists and tables in one place that answers "which of you does this alert match?".
//! - [`coverage`]: what a source of alerts could show at all, so that "no hit" can be told from "blind".
//! - [`explain`]: why an indicator is in an alert, or what kept it from being found there.
//! - [`event`]: events for Wazuh's manager.
//! - [`knowledge`]: what threat intelligence knows about an alert, and the events that come of it.
//! - [`enrichment`]: an entity of OpenCTI and the alerts it was found in, to sightings, incidents, cases and notes.
//! - [`hunt`]: the indicators of a store in any number of alerts: on which agents, by which rules, when, how often.
//!
//! The crate does no I/O, holds no clock and needs no runtime: times come in as arguments, texts as `&str`. The feature `mmap`
//! adds stores that lie in files.
//!
//! ```
//! use alert_enricher::extract::{ExtractOptions, Extractor};
//! use wazuh_query::alert::Alert;
//! use wazuh_query::catalogue::Catalogue;
//!
//! let catalogue = Catalogue::builtin();
//! let options = ExtractOptions::default();
//! let alert = Alert::read(r#"{"rule":{"id":"5710"},"data":{"srcip":"203.0.113.7","srcuser":"kim"}}"#, &catalogue)?;
//! let extraction = Extractor::new(&catalogue, &options).extract(&alert);
//! let types: Vec<_> = extraction.objects.iter().map(|object| object.object_type()).collect();
//! assert_eq!(types, ["ipv4-addr", "user-account"]);
//! # Ok::<(), wazuh_query::alert::ReadError>(())
//! ```

pub mod coverage;
pub mod enrichment;
pub mod event;
pub mod explain;
pub mod extract;
pub mod hunt;
pub mod indicator;
pub mod knowledge;
pub mod pattern;
pub mod store;
