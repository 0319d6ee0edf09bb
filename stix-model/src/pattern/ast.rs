//! The tree of a pattern.
//!
//! Chains of one operator are one node with all its operands, as deep as they were written: `[a] AND [b] AND [c]` has
//! three operands, `([a] AND [b]) AND [c]` two. Parentheses that change nothing leave no trace.

use std::fmt;
use std::ops::Range;

use crate::Timestamp;

/// The version of the standard that a pattern is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PatternVersion {
    /// STIX 2.0.
    V2_0,
    /// STIX 2.1.
    #[default]
    V2_1,
}

/// Where something stands in the text of the pattern: bytes, the end excluded.
///
/// All spans are equal, so that trees are compared by what they say and not by how it was written.
#[derive(Clone, Copy, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Span {
    /// A span of bytes.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// From the beginning of one to the end of the other.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// The bytes, to take them from the text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// What stands there in `text`; empty if it is not of this text.
    pub fn text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The version that it was read as.
    pub version: PatternVersion,
    /// What has to be observed.
    pub expression: ObservationExpression,
}

/// What has to be observed, over one or several observations (STIX 2.1, section 9.5).
#[derive(Clone, Debug, PartialEq)]
pub enum ObservationExpression {
    /// `[ … ]`: one observation.
    Observation {
        /// What stands between the brackets.
        comparison: ComparisonExpression,
        /// The brackets and what is between them.
        span: Span,
    },
    /// Two or more expressions and what joins them.
    Combined {
        /// What joins them.
        operator: ObservationOperator,
        /// The expressions, in the order in which they were written.
        operands: Vec<ObservationExpression>,
        /// All of it.
        span: Span,
    },
    /// An expression with a qualifier behind it.
    Qualified {
        /// The expression.
        expression: Box<ObservationExpression>,
        /// The qualifier.
        qualifier: Qualifier,
        /// All of it.
        span: Span,
    },
}

impl ObservationExpression {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Observation { span, .. } | Self::Combined { span, .. } | Self::Qualified { span, .. } => *span,
        }
    }

    /// What joins two expressions at the top of this one, if anything does.
    pub fn operator(&self) -> Option<ObservationOperator> {
        match self {
            Self::Combined { operator, .. } => Some(*operator),
            _ => None,
        }
    }
}

/// What joins observations. `FOLLOWEDBY` binds weakest, `AND` strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObservationOperator {
    /// Both, in different observations, the second not before the first.
    FollowedBy,
    /// One of them.
    Or,
    /// Both, in different observations.
    And,
}

impl ObservationOperator {
    /// The word for it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::FollowedBy => "FOLLOWEDBY",
            Self::Or => "OR",
            Self::And => "AND",
        }
    }
}

/// A condition on the observations of an expression, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Qualifier {
    /// The condition.
    pub kind: QualifierKind,
    /// Where it stands.
    pub span: Span,
}

/// A condition on the observations of an expression (STIX 2.1, section 9.5.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QualifierKind {
    /// `WITHIN n SECONDS`: all of them in so many seconds, both ends included.
    Within {
        /// The seconds.
        seconds: f64,
    },
    /// `REPEATS n TIMES`: so many times, each time in other observations.
    Repeats {
        /// How many times.
        times: u64,
    },
    /// `START t STOP t`: not before the start, and before the stop.
    StartStop {
        /// The first moment that counts.
        start: Timestamp,
        /// The first moment that does not count any more.
        stop: Timestamp,
    },
}

impl QualifierKind {
    /// The word it begins with.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Within { .. } => "WITHIN",
            Self::Repeats { .. } => "REPEATS",
            Self::StartStop { .. } => "START",
        }
    }
}

/// What one observation has to satisfy: tests joined with `AND` and `OR`, of which `AND` binds stronger (STIX 2.1,
/// section 9.6).
#[derive(Clone, Debug, PartialEq)]
pub enum ComparisonExpression {
    /// A single test.
    Test(ComparisonTest),
    /// All of two or more.
    And(Vec<ComparisonExpression>, Span),
    /// Any of two or more.
    Or(Vec<ComparisonExpression>, Span),
}

impl ComparisonExpression {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Test(test) => test.span,
            Self::And(_, span) | Self::Or(_, span) => *span,
        }
    }
}

/// A test of one property of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonTest {
    /// Which property.
    pub path: ObjectPath,
    /// Whether there is a `NOT`: behind the path, or before `EXISTS`.
    pub negated: bool,
    /// What it has to be.
    pub test: PropertyTest,
    /// Path, operator and value.
    pub span: Span,
}

/// What a property has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyTest {
    /// Compared with a value.
    Compare(ComparisonOperator, Literal),
    /// `IN ( … )`: one of the values.
    In(Vec<Literal>),
    /// `EXISTS`: there, with whatever value. STIX 2.1 only.
    Exists,
}

/// How a property is compared with a value (STIX 2.1, section 9.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparisonOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`: `%` for any characters, `_` for one.
    Like,
    /// `MATCHES`: a regular expression that occurs somewhere.
    Matches,
    /// `ISSUBSET`: a network or address inside of this network.
    IsSubset,
    /// `ISSUPERSET`: a network around this network or address.
    IsSuperset,
}

impl ComparisonOperator {
    /// The sign or word for it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "LIKE",
            Self::Matches => "MATCHES",
            Self::IsSubset => "ISSUBSET",
            Self::IsSuperset => "ISSUPERSET",
        }
    }
}

/// Which property of which kind of object: `file:hashes.'SHA-256'` (STIX 2.1, section 9.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectPath {
    /// The type of the object.
    pub object_type: Box<str>,
    /// The steps from the object to the property. The first one is a name.
    pub steps: Vec<PathStep>,
    /// Where it stands.
    pub span: Span,
}

impl std::hash::Hash for Span {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// One step on the way to a property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// A property or the key of a dictionary, without quotes. One that ends in `_ref` goes on in the object referred to,
    /// and a step into a list behind `_refs` likewise.
    Property(Box<str>),
    /// The element of a list, from 0.
    Index(u64),
    /// `[*]`: any element of a list.
    Any,
}

/// A constant with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// The value.
    pub value: LiteralValue,
    /// Where it stands.
    pub span: Span,
}

/// A constant (STIX 2.1, section 9.2).
#[derive(Clone, Debug, PartialEq)]
pub enum LiteralValue {
    /// `'…'`, without quotes and escapes.
    String(Box<str>),
    /// `5`
    Integer(i64),
    /// `5.0`, and integers beyond 64 bits. Finite: numbers beyond the range become the largest there is.
    Float(f64),
    /// `true`
    Boolean(bool),
    /// `t'…'`
    Timestamp(Timestamp),
    /// `h'…'`, as bytes.
    Hex(Box<[u8]>),
    /// `b'…'`, as bytes.
    Binary(Box<[u8]>),
}
