//! Adapters without a platform, for offline use and for tests: no network, no runtime.
//!
//! | adapter | stands for |
//! | --- | --- |
//! | [`BundleIntel`] | threat intelligence and entities: STIX objects from files |
//! | [`BundleFile`] | the sink: one bundle in a file, which grows |
//! | [`BundleDirectory`] | the sink: a file per bundle, in the platform's own form of it |
//! | [`LocalWorks`] | works: a ledger in memory |
//! | [`LocalQueue`] | the queue of messages: one in memory |
//! | [`LocalConnector`] | registration, life sign and answers to playbooks: a record in memory |
//! | [`LocalLog`] | the live stream: a log in memory |

mod connector;
mod index;
mod intel;
mod live;
mod queue;
mod sink;
mod works;

pub use connector::LocalConnector;
pub use intel::BundleIntel;
pub use live::{LocalLog, LocalStream};
pub use queue::{LocalQueue, LocalSource};
pub use sink::{BundleDirectory, BundleFile};
pub use works::LocalWorks;
