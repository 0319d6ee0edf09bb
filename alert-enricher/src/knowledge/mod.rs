//! What threat intelligence knows about an alert, and the events that come of it.
//!
//! Three steps, with the look-up between the first and the second:
//!
//! 1. [`ask`]: the values of an alert that are worth asking about.
//! 2. [`judge`]: which of the indicators that came back count: those that really match this alert, are valid at its time,
//!    and pass the filter.
//! 3. [`Event::document`]: an event for Wazuh's manager, with the fields that rules and dashboards rely on.
//!
//! ```
//! use alert_enricher::indicator::Indicator;
//! use alert_enricher::knowledge::{AskOptions, EventType, JudgeOptions, KnownIndicator, Knowledge, ask, judge};
//! use wazuh_query::alert::Alert;
//! use wazuh_query::catalogue::Catalogue;
//!
//! let catalogue = Catalogue::builtin();
//! let text = r#"{"id":"1.2","rule":{"id":"5710"},"agent":{"id":"001"},"data":{"srcip":"203.0.113.7"}}"#;
//! let alert = Alert::read(text, &catalogue)?;
//! let asked = ask(&alert, &catalogue, &AskOptions::default()).unwrap();
//! assert_eq!(asked[0].value, "203.0.113.7");
//!
//! let id = "indicator--8752eb5f-8b58-519e-8f40-108705ece2be".parse().unwrap();
//! let found = KnownIndicator::new(Indicator::new(id), "[ipv4-addr:value = '203.0.113.7']");
//! let known = Knowledge { indicators: vec![found], ..Knowledge::default() };
//! let judged = judge(&alert, &asked, &known, &catalogue, &JudgeOptions::default());
//! assert_eq!(judged.events[0].event_type, EventType::IndicatorPatternMatch);
//! # Ok::<(), wazuh_query::alert::ReadError>(())
//! ```

mod ask;
mod event;
mod judge;
mod known;
mod threat;

pub use ask::{AskOptions, Asked, NotAsked, addresses_in_commands, ask};
pub use event::{Event, EventOptions, EventType, error_document};
pub use judge::{JudgeOptions, Judged, PassedOver, Why, judge};
pub use known::{Indicated, Knowledge, KnownIndicator, KnownObservable, Related};
pub use threat::{THREAT_VERSION, ThreatDocument};
