//! The STIX patterning language: what an indicator looks for, as a tree.
//!
//! [`ast`] holds the tree. It follows STIX 2.1, section 9, and has STIX 2.0 as a dialect of the same tree.
//!
//! [`Pattern::parse`] reads, with errors that point at the place; `Display` writes the canonical form. Both are linear in
//! the length of the text, which is bounded by [`MAX_LENGTH`], as nesting is by [`MAX_DEPTH`].
//!
//! ```
//! use stix_model::pattern::Pattern;
//!
//! let pattern: Pattern = "[ipv4-addr:value == '198.51.100.7']".parse()?;
//! assert_eq!(pattern.to_string(), "[ipv4-addr:value = '198.51.100.7']");
//!
//! let error = Pattern::parse("[ipv4-addr:value = '198.51.100.7'").unwrap_err();
//! assert_eq!(error.to_string(), "line 1, column 34: expected `AND`, `OR` or `]`, found the end of the pattern");
//! # Ok::<(), stix_model::pattern::PatternError>(())
//! ```
//!
//! `matcher`, behind the feature of this name, tells which observations match a pattern.

pub mod ast;
mod comparison;
mod display;
mod error;
mod lexer;
#[cfg(feature = "matcher")]
pub mod matcher;
mod parser;
mod validate;
mod visit;

pub use ast::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, ObjectPath, ObservationExpression,
    ObservationOperator, PathStep, Pattern, PatternVersion, PropertyTest, Qualifier, QualifierKind, Span,
};
pub use error::{PatternError, PatternErrorKind};
pub use parser::{MAX_DEPTH, MAX_LENGTH};
pub use visit::Observation;
