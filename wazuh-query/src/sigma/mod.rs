//! Sigma rules: reading them, translating them to queries, evaluating them on alerts.
//!
//! A [Sigma rule](https://sigmahq.io) says which events are suspicious, in terms of log sources and fields that no product
//! has. [`SigmaRule`] is a rule as it is written (specification 2.0); a [`SigmaMatcher`] is the rule tied to the fields
//! of alerts by the catalogue: by what its rows hold, by their names, and by the places below which a decoder copies
//! every name of an event. It evaluates alerts by itself and has a [`SigmaTranslation`], with the query for an index.
//!
//! - **The query never finds less** than the rule, but may find more; [`SigmaTranslation::exact`] says whether it does.
//!   Alerts that a query found are to be looked at with [`SigmaMatcher::matches`].
//! - **What cannot be asked is named**, and is neither true nor false: [`Verdict::Undecided`] stays where it matters.
//! - **Spelling**: rules are about the texts of events, fields spell them in their own way
//!   ([`Spelling`](crate::value::Spelling)); both the query and the evaluation know.
//! - **Case** does not matter unless the rule says so. An index folds ASCII letters only; other letters are asked for as
//!   any character.
//!
//! ```
//! use wazuh_query::catalogue::{Catalogue, Schema};
//! use wazuh_query::sigma::translate;
//!
//! let rule = "
//! title: A console that talks
//! logsource: {product: windows, category: network_connection}
//! detection:
//!   selection:
//!     Image|endswith: '\\cmd.exe'
//!     DestinationIp|cidr: 203.0.113.0/24
//!   condition: selection
//! ";
//! let translation = translate(rule, &Catalogue::builtin(), Schema::Wazuh4).remove(0)?;
//! assert!(translation.query.unwrap().to_json().contains("data.win.eventdata.destinationIp"));
//! # Ok::<(), wazuh_query::sigma::SigmaError>(())
//! ```
//!
//! Correlation rules, filters and the aggregations of Sigma 1 are refused: they need many events or other rules.

mod condition;
mod detection;
mod encode;
mod error;
mod expression;
mod formula;
mod logsource;
mod matcher;
mod network;
mod number;
mod places;
mod query;
mod rule;
mod string;
mod text;
mod yaml;

pub use error::{ErrorKind, SigmaError};
pub use formula::Verdict;
pub use matcher::{Decides, MappedField, SigmaMatcher, SigmaTranslation, Unmapped};
pub use rule::{LogSource, SigmaRule};

use crate::catalogue::{Catalogue, Schema};

/// Bounds of what is read. A rule that exceeds one is refused, so that a hostile one costs little.
pub mod limits {
    /// Rules of one text.
    pub const DOCUMENTS: usize = 10_000;
    /// Bytes of one rule.
    pub const DOCUMENT_BYTES: usize = 256 * 1024;
    /// Lists and maps inside each other.
    pub const YAML_DEPTH: usize = 32;
    /// Lists, maps and scalars, those that aliases repeat included.
    pub const YAML_NODES: usize = 20_000;
    /// Values of all search identifiers.
    pub const VALUES: usize = 4_096;
    /// Characters of a value.
    pub const VALUE_CHARS: usize = 8_192;
    /// Bytes of a condition.
    pub const CONDITION_BYTES: usize = 8 * 1024;
    /// Brackets inside each other in a condition.
    pub const CONDITION_DEPTH: usize = 64;
    /// Characters of a regular expression.
    pub const EXPRESSION_CHARS: usize = 2_000;
    /// Groups inside each other in a regular expression.
    pub const EXPRESSION_DEPTH: u32 = 50;
    /// Bytes that a regular expression may take when it is ready to run.
    pub const EXPRESSION_BYTES: usize = 1 << 20;
}

/// Translates a text with one rule or several, each by itself, in the order of the text.
pub fn translate(text: &str, catalogue: &Catalogue, schema: Schema) -> Vec<Result<SigmaTranslation, SigmaError>> {
    SigmaRule::read_all(text)
        .into_iter()
        .map(|rule| Ok(SigmaMatcher::new(&rule?, catalogue, schema).translation))
        .collect()
}
