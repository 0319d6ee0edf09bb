//! From observables to `OpenSearch` queries over Wazuh alerts, and from alert documents to values.
//!
//! The crate rests on one table, the [field catalogue](catalogue): which place in an alert of Wazuh 4.x or 5.x holds
//! which kind of thing. The [query builders](builder), the [reader of alerts](alert) and everything built on them read
//! that table and keep no list of their own.
//!
//! **Build the query for an observable:**
//!
//! ```
//! use stix_model::{Object, sco::DomainName};
//! use wazuh_query::builder::QueryBuilder;
//! use wazuh_query::catalogue::{Catalogue, Schema};
//! use wazuh_query::options::SearchOptions;
//!
//! let builder = QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, SearchOptions::default());
//! let built = builder.build(&Object::from(DomainName::new("evil.example")), &())?;
//! assert!(built.query.to_json().contains("data.win.eventdata.queryName"));
//! # Ok::<(), wazuh_query::builder::NotSearchable>(())
//! ```
//!
//! **Read an alert:** see [`alert::Alert`]. **Try a query on a document, without a cluster:** see
//! [`evaluate::Evaluator`].
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `store` | [`store::AlertStore`], the trait of places in which alerts are searched, and its types |
//! | `files` | the embedded adapter on alert files, and the reader of such files |
//! | `opensearch` | the adapter on an `OpenSearch` cluster; needs a tokio runtime |
//! | `pattern` | [`pattern`], the translation of STIX patterns |
//! | `sigma` | [`sigma`], Sigma rules: as queries, and evaluated on alerts |
//! | `testing` | the contract that every alert store keeps, to run against one |
//!
//! Without features the crate does no I/O, holds no clock and needs no runtime.
#![cfg_attr(
    not(feature = "store"),
    expect(rustdoc::broken_intra_doc_links, reason = "the table of features links to what they add")
)]

pub mod alert;
pub mod builder;
pub mod catalogue;
pub mod dsl;
pub mod evaluate;
pub mod options;
#[cfg(feature = "pattern")]
pub mod pattern;
pub mod pattern_type;
pub mod profile;
pub mod regexp;
#[cfg(feature = "sigma")]
pub mod sigma;
#[cfg(feature = "store")]
pub mod store;
pub mod value;
