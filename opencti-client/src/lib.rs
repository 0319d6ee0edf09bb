//! `OpenCTI`'s interfaces, as traits with real and embedded adapters.
//!
//! The traits are object-safe and say nothing of how they are fulfilled. Without features there are only they and their
//! types: no network, no runtime, no clock. The crate knows STIX and nothing of Wazuh.
//!
//! | trait | what it does | real adapter (feature) | embedded adapter (`embedded`) |
//! | --- | --- | --- | --- |
//! | [`ConnectorApi`] | registration, life sign, account | `graphql::Platform` (`graphql`) | `embedded::LocalConnector` |
//! | [`WorkApi`] | reports of work | `graphql::Platform` (`graphql`) | `embedded::LocalWorks` |
//! | [`EntityReader`] | entities, lists, relations | `graphql::Platform` (`graphql`) | `embedded::BundleIntel` |
//! | [`ThreatIntelligence`] | looks many values up at once | `graphql::Platform` (`graphql`) | `embedded::BundleIntel` |
//! | [`PlaybookApi`] | answers to playbook steps | `graphql::Platform` (`graphql`) | `embedded::LocalConnector` |
//! | [`MessageSource`] | messages to work on | `amqp::AmqpSource` (`amqp`), `callback::CallbackSource` (`callback`) | `embedded::LocalQueue` |
//! | [`BundleSink`] | sends bundles | [`QueueSink`] over `amqp::AmqpPublisher` (`amqp`), [`PushSink`] over `graphql::Platform` | `embedded::BundleFile`, `embedded::BundleDirectory` |
//! | [`LiveStream`] | follows what changes | `stream::PlatformStream` (`stream`) | `embedded::LocalLog` |
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`bundle`] | splitting, sharing, queue messages: what a bundle goes through on its way |
//! | [`documents`] | the GraphQL documents, and which versions understand them |
//! | `graphql`, `amqp`, `callback`, `stream` | the real adapters, each behind the feature of its name |
//! | `embedded` | the embedded ones |
//! | `tls` | trust and identity on encrypted connections |
//! | `conformance` | the contracts of the traits, as assertions (feature `testing`) |
//! | `testing` | a strict stand-in of the platform (feature `testing`) |
//!
//! # One message
//!
//! The path of an enrichment, whatever stands behind the traits:
//!
//! ```
//! use opencti_client::{BundleSink, Context, EntityReader, Error, MessageSource, SendOptions, WorkApi};
//! use stix_model::Bundle;
//!
//! async fn enrich(
//!     source: &mut dyn MessageSource,
//!     works: &dyn WorkApi,
//!     reader: &dyn EntityReader,
//!     sink: &dyn BundleSink,
//! ) -> Result<(), Error> {
//!     while let Some(delivery) = source.next().await? {
//!         let Ok(message) = delivery.message.clone() else {
//!             // It would be the same the next time.
//!             delivery.accept().await?;
//!             continue;
//!         };
//!         let work = message.work_id().unwrap_or_default();
//!         works.received(work, "on it").await?;
//!         let entity = reader.entity(&message.event.entity_id, &message.context()).await?;
//!         let found = entity.map(|entity| vec![entity.object]).unwrap_or_default();
//!         if !found.is_empty() {
//!             let options = SendOptions::for_message(&message, delivery.redelivered);
//!             sink.send(&Bundle::new(found), &options).await?;
//!         }
//!         works.processed(work, "sent 1 bundle", false).await?;
//!         delivery.accept().await?;
//!     }
//!     Ok(())
//! }
//!
//! # #[cfg(feature = "embedded")] {
//! use opencti_client::embedded::{BundleFile, BundleIntel, LocalQueue, LocalWorks};
//!
//! let address = stix_model::sco::Ipv4Addr::new("198.51.100.3");
//! let (queue, works) = (LocalQueue::new(), LocalWorks::new());
//! works.add("work-1");
//! queue.push(format!(r#"{{"internal":{{"work_id":"work-1"}},"event":{{"entity_id":"{}"}}}}"#, address.id()));
//! queue.close();
//! let intel = BundleIntel::new(vec![address.into()]);
//! let folder = std::env::temp_dir().join(format!("opencti-client-{}", std::process::id()));
//! let sink = BundleFile::open(&folder)?;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! runtime.block_on(enrich(&mut queue.source(), &works, &intel, &sink))?;
//! assert_eq!(queue.accepted(), 1);
//! assert!(works.all()["work-1"].is_complete());
//! # std::fs::remove_file(&folder).unwrap();
//! # }
//! # Ok::<(), Error>(())
//! ```
//!
//! # Errors
//!
//! [`Error`] gives one line for an operator, without secrets, and [`judge`] says what to do about it: never again, later
//! (somebody has to act), soon, or when the server said. Adapters with a connection of their own make it again by
//! themselves and tell that by a [`Notice`]; this crate writes no log.
//!
//! # Delivery
//!
//! A [`Delivery`] is settled once its work is done. What is not settled comes again and says so; bundles have stable
//! identifiers, so that sending one twice changes nothing, and [`SendOptions::announced_before`] keeps the count of parts
//! right. A message whose fate is not known is sent again.

// What adapters share is not used by each of them; a build with all of them shows what nobody uses.
#![cfg_attr(
    not(all(feature = "amqp", feature = "callback", feature = "embedded", feature = "graphql", feature = "testing")),
    allow(dead_code)
)]

#[cfg(feature = "amqp")]
pub mod amqp;
#[cfg(any(feature = "graphql", feature = "fuzzing"))]
mod answer;
pub mod bundle;
#[cfg(feature = "callback")]
pub mod callback;
#[cfg(feature = "testing")]
pub mod conformance;
mod connector;
mod context;
pub mod documents;
#[cfg(feature = "embedded")]
pub mod embedded;
mod entity;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "graphql")]
pub mod graphql;
mod heartbeat;
mod intake;
mod live;
mod lookup;
mod message;
mod notice;
mod pause;
mod playbook;
mod scope;
mod secret;
#[cfg(feature = "callback")]
mod serve;
mod sink;
#[cfg(any(feature = "stream", feature = "fuzzing"))]
mod sse;
#[cfg(feature = "stream")]
pub mod stream;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
mod version;
mod work;

pub use connector::{
    Account, BrokerAddress, BrokerOverrides, ConnectorApi, ConnectorInfo, ConnectorState, ConnectorType, QueueConfig,
    QueueDetails, Registered, Registration,
};
pub use context::Context;
pub use entity::{Author, End, Entity, EntityReader, Marking, Page, PageRequest, Relation, Select, Sighted};
pub use error::{Error, ErrorKind, Retry, judge};
pub use heartbeat::{Beat, Heartbeat};
pub use intake::{Delivery, MessageSource, Settle};
pub use live::{Change, ChangeKind, LiveStream, Position, StreamEvent, StreamId};
pub use lookup::{
    Indicated, Known, KnownIndicator, KnownObservable, Lookup, LookupLimits, RelatedObservable, ThreatIntelligence,
};
pub use message::{Event, Internal, Message, MessageError};
pub use notice::{Notice, Notices};
pub use pause::Backoff;
pub use playbook::{PlaybookApi, PlaybookReply, PlaybookStep};
pub use scope::{Scope, entity_type_of};
pub use secret::Secret;
pub use sink::{BundleSink, Publisher, PushApi, PushSink, QueueSink, SendOptions, Sent, make_up};
pub use version::{Feature, PlatformVersion};
pub use work::{WorkApi, WorkError, WorkState};
