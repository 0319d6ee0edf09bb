//! Why a pattern cannot be evaluated.

use crate::pattern::Span;

/// Why a pattern cannot be evaluated: either at all, or on these observations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// A regular expression that cannot be run.
    #[error("the regular expression of MATCHES cannot be run: {reason}")]
    Expression {
        /// The literal.
        span: Span,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern of `LIKE` that cannot be run.
    #[error("the pattern of LIKE cannot be run: {reason}")]
    Like {
        /// The literal.
        span: Span,
        /// What is wrong with it.
        reason: String,
    },
    /// An operator with a constant of a type that it cannot be compared with.
    #[error("{operator} needs a string")]
    NeedsString {
        /// The literal.
        span: Span,
        /// The operator.
        operator: &'static str,
    },
    /// The set behind `IN` has values of several types (STIX 2.1, section 9.6.1).
    #[error("the values behind IN are of several types")]
    MixedSet {
        /// The first value of another type.
        span: Span,
    },
    /// Something behind `ISSUBSET` or `ISSUPERSET` that is neither an address nor a network.
    #[error("`{text}` is neither an address nor a network")]
    NotANetwork {
        /// The literal.
        span: Span,
        /// Its text.
        text: String,
    },
    /// `WITHIN 0 SECONDS` or `REPEATS 0 TIMES`.
    #[error("{keyword} needs a number above zero")]
    Zero {
        /// The qualifier.
        span: Span,
        /// Its first word.
        keyword: &'static str,
    },
    /// A path of more steps than [`MatchLimits::path_steps`](super::MatchLimits::path_steps).
    #[error("the path has more than {limit} steps")]
    LongPath {
        /// The path.
        span: Span,
        /// The limit.
        limit: usize,
    },
    /// More nesting than a text can have.
    #[error("the pattern is nested too deep")]
    TooDeep,
    /// A text that is compared with a point in time and is none. Not an error in the tolerant reading of values.
    #[error("`{value}` in {path} is compared with a timestamp and is none")]
    NotATimestamp {
        /// The test.
        span: Span,
        /// Where the text stands.
        path: String,
        /// The text.
        value: String,
    },
    /// A property that ends in `_hex` or `_bin` and has something else in it. Not an error in the tolerant reading.
    #[error("`{value}` in {path} is no {encoding}")]
    NotBinary {
        /// The test.
        span: Span,
        /// Where the text stands.
        path: String,
        /// The text.
        value: String,
        /// What it should be.
        encoding: &'static str,
    },
    /// A property that ends in `_ref` or `_refs` and refers to nothing. Not an error in the tolerant reading.
    #[error("{path} is no reference")]
    NotAReference {
        /// The test.
        span: Span,
        /// Which property.
        path: String,
    },
    /// The tests of the pattern and the objects of the observations are too many together.
    #[error("{tests} tests on {objects} objects are more than the limit of {limit} comparisons")]
    TooManyTests {
        /// The tests of the pattern.
        tests: u64,
        /// The objects of all observations.
        objects: u64,
        /// [`MatchLimits::comparisons`](super::MatchLimits::comparisons).
        limit: u64,
    },
    /// Whether there are observations for all parts of the pattern could not be decided in
    /// [`MatchLimits::steps`](super::MatchLimits::steps).
    #[error("too many combinations of observations: undecided after {limit} steps")]
    TooManyCombinations {
        /// The limit.
        limit: u64,
    },
}

impl MatchError {
    /// The place in the pattern; absent if it is all of it.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Expression { span, .. }
            | Self::Like { span, .. }
            | Self::NeedsString { span, .. }
            | Self::MixedSet { span }
            | Self::NotANetwork { span, .. }
            | Self::Zero { span, .. }
            | Self::LongPath { span, .. }
            | Self::NotATimestamp { span, .. }
            | Self::NotBinary { span, .. }
            | Self::NotAReference { span, .. } => Some(*span),
            Self::TooDeep | Self::TooManyTests { .. } | Self::TooManyCombinations { .. } => None,
        }
    }
}
