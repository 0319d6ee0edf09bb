//! What a translation leaves out, and what it adds.

use std::fmt;

use stix_model::pattern::{ObjectPath, Span};

use crate::catalogue::Schema;

/// A part of a pattern about which alerts say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmappable {
    /// Where its path stands in the pattern.
    pub span: Span,
    /// The path as it is written canonically.
    pub path: String,
    /// Why nothing is known.
    pub reason: Unknown,
}

impl fmt::Display for Unmappable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.path, self.reason)
    }
}

/// Why alerts say nothing about a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknown {
    /// No field of the schema holds the property.
    Field(Schema),
    /// No field of the schema holds objects of this type.
    Type(Schema),
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, schema) = match self {
            Self::Field(schema) => ("no field", schema),
            Self::Type(schema) => ("no such objects", schema),
        };
        let generation = match schema {
            Schema::Wazuh4 => 4,
            Schema::Wazuh5 => 5,
        };
        write!(formatter, "{what} in Wazuh {generation}.x")
    }
}

impl Unmappable {
    pub(super) fn new(path: &ObjectPath, schema: Schema) -> Self {
        let known = super::property::Entity::of_type(&path.object_type).is_some();
        let reason = if known { Unknown::Field(schema) } else { Unknown::Type(schema) };
        Self { span: path.span, path: path.to_string(), reason }
    }
}

/// A part of a pattern for which a query finds more than was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverApproximation {
    /// The part.
    pub span: Span,
    /// What is found beside it.
    pub widening: Widening,
}

/// What a query finds beside what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Widening {
    /// Whether something is absent is not asked: all alerts with an object of the type are found.
    Absence,
    /// The expression cannot be run in the index, or not in all fields.
    Expression,
    /// Every object of the type is found: what is compared is the same for all of them, or is not in alerts.
    Kind,
    /// The list of values is longer than the cluster takes.
    Length,
    /// Too many levels of AND and OR: alerts that satisfy any of the tests are found.
    Nesting,
    /// Alerts with any value are found: the index cannot tell that some value differs.
    Negation,
    /// Other notations of the value, letters of the other case, or what stands for the value only in some alerts.
    Notation,
    /// Tests of one object are satisfied by several objects of one alert.
    Object,
    /// The index does not keep the order of these values.
    Order,
    /// Fields that have a value, though perhaps none that means anything.
    Presence,
    /// A part was left out, because the cluster takes no more clauses.
    Size,
}

impl Widening {
    /// A name for output that programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absence => "absence",
            Self::Expression => "expression",
            Self::Kind => "kind",
            Self::Length => "length",
            Self::Nesting => "nesting",
            Self::Negation => "negation",
            Self::Notation => "notation",
            Self::Object => "object",
            Self::Order => "order",
            Self::Presence => "presence",
            Self::Size => "size",
        }
    }
}

impl fmt::Display for Widening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absence => "the index cannot tell whether something is absent: alerts with any object of the type are found",
            Self::Expression => "the index cannot run this expression everywhere: alerts with a part of it, or with any value, are found",
            Self::Kind => "alerts with any object of the type are found",
            Self::Length => "the list is longer than the cluster takes: alerts with any value are found",
            Self::Nesting => "nested too deeply for the cluster: alerts that satisfy any of the tests are found",
            Self::Negation => "the index cannot tell that some value differs: alerts with any value are found",
            Self::Notation => "other notations of the value are found too",
            Self::Object => "the index does not know which values belong to one object",
            Self::Order => "the index does not keep the order of these values everywhere: alerts with any value are found",
            Self::Presence => "alerts whose value means nothing are found too",
            Self::Size => "left out of the query, because the cluster takes no more clauses: this does not narrow the search",
        })
    }
}
