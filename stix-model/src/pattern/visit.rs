//! Walking over a tree.

use super::ast::{ComparisonExpression, ComparisonTest, ObservationExpression, Pattern, Span};

/// One observation of a pattern: what stands in a pair of brackets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation<'p> {
    /// What the observation has to satisfy.
    pub comparison: &'p ComparisonExpression,
    /// The brackets and what is between them.
    pub span: Span,
}

impl Pattern {
    /// Every `[ … ]`, in the order in which they were written.
    ///
    /// ```
    /// use stix_model::pattern::Pattern;
    ///
    /// let pattern = Pattern::parse("[file:size = 1] FOLLOWEDBY ([file:size = 2] REPEATS 2 TIMES OR [file:size = 3])")?;
    /// let observations: Vec<_> = pattern.observations().map(|one| one.comparison.to_string()).collect();
    /// assert_eq!(observations, ["file:size = 1", "file:size = 2", "file:size = 3"]);
    /// # Ok::<(), stix_model::pattern::PatternError>(())
    /// ```
    pub fn observations(&self) -> impl Iterator<Item = Observation<'_>> {
        self.expression.observations()
    }

    /// Every test of a property, in the order in which they were written.
    pub fn tests(&self) -> impl Iterator<Item = &ComparisonTest> {
        self.expression.tests()
    }
}

impl ObservationExpression {
    /// Every `[ … ]`, in the order in which they were written.
    pub fn observations(&self) -> impl Iterator<Item = Observation<'_>> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Self::Observation { comparison, span } => return Some(Observation { comparison, span: *span }),
                    Self::Combined { operands, .. } => open.extend(operands.iter().rev()),
                    Self::Qualified { expression, .. } => open.push(expression),
                }
            }
        })
    }

    /// Every test of a property, in the order in which they were written.
    pub fn tests(&self) -> impl Iterator<Item = &ComparisonTest> {
        self.observations().flat_map(|observation| observation.comparison.tests())
    }
}

impl ComparisonExpression {
    /// Every test of a property, in the order in which they were written.
    pub fn tests(&self) -> impl Iterator<Item = &ComparisonTest> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Self::Test(test) => return Some(test),
                    Self::And(operands, _) | Self::Or(operands, _) => open.extend(operands.iter().rev()),
                }
            }
        })
    }
}
