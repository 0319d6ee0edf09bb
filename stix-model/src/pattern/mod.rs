//! The STIX patterning language: what an indicator looks for, as a tree.
//!
//! [`ast`] holds the tree. It follows STIX 2.1, section 9, and has STIX 2.0 as a dialect of the same tree.

pub mod ast;

pub use ast::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, ObjectPath, ObservationExpression,
    ObservationOperator, PathStep, Pattern, PatternVersion, PropertyTest, Qualifier, QualifierKind, Span,
};
