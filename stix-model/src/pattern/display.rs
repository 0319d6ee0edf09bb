//! Trees to text: the canonical form of a pattern.
//!
//! One space between words, quotes around names only where they are needed, parentheses only where the tree would be
//! another one without them. What is printed parses back to the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use serde::{Serialize, Serializer};

use super::ast::{
    ComparisonExpression, ComparisonTest, Literal, LiteralValue, ObjectPath, ObservationExpression, PathStep, Pattern,
    PatternVersion, PropertyTest, Qualifier, QualifierKind,
};
use super::lexer::{is_plain_name, write_base64};

impl Display for PatternVersion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
        })
    }
}

impl Display for Pattern {
    /// The canonical form.
    ///
    /// ```
    /// use stix_model::pattern::Pattern;
    ///
    /// let pattern: Pattern = "( [file:'name'=='a'  OR (file:size>5)] ) // twice\n REPEATS 2 TIMES".parse()?;
    /// assert_eq!(pattern.to_string(), "[file:name = 'a' OR file:size > 5] REPEATS 2 TIMES");
    /// # Ok::<(), stix_model::pattern::PatternError>(())
    /// ```
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Display for ObservationExpression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observation { comparison, .. } => write!(f, "[{comparison}]"),
            Self::Combined { operator, operands, .. } => {
                for (place, operand) in operands.iter().enumerate() {
                    if place > 0 {
                        write!(f, " {} ", operator.keyword())?;
                    }
                    let needs_parentheses = operand.operator().is_some_and(|inner| inner <= *operator);
                    parenthesised(f, operand, needs_parentheses)?;
                }
                Ok(())
            }
            Self::Qualified { expression, qualifier, .. } => {
                let needs_parentheses = matches!(**expression, Self::Combined { .. }) || repeats(expression, qualifier);
                parenthesised(f, expression, needs_parentheses)?;
                write!(f, " {qualifier}")
            }
        }
    }
}

/// Whether a qualifier stands on the same observation already. Only parentheses allow that, one pair for all.
fn repeats(mut expression: &ObservationExpression, qualifier: &Qualifier) -> bool {
    let mut seen = Vec::new();
    while let ObservationExpression::Qualified { expression: inner, qualifier, .. } = expression {
        let keyword = qualifier.kind.keyword();
        if seen.contains(&keyword) {
            return false;
        }
        seen.push(keyword);
        expression = inner;
    }
    matches!(expression, ObservationExpression::Observation { .. }) && seen.contains(&qualifier.kind.keyword())
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Display for QualifierKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { seconds } => write!(f, "WITHIN {} SECONDS", finite(*seconds)),
            Self::Repeats { times } => write!(f, "REPEATS {times} TIMES"),
            Self::StartStop { start, stop } => write!(f, "START t'{start}' STOP t'{stop}'"),
        }
    }
}

impl Display for ComparisonExpression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (operands, word) = match self {
            Self::Test(test) => return test.fmt(f),
            Self::And(operands, _) => (operands, " AND "),
            Self::Or(operands, _) => (operands, " OR "),
        };
        for (place, operand) in operands.iter().enumerate() {
            if place > 0 {
                f.write_str(word)?;
            }
            let needs_parentheses = match operand {
                Self::Test(_) => false,
                Self::And(..) => matches!(self, Self::And(..)),
                Self::Or(..) => true,
            };
            parenthesised(f, operand, needs_parentheses)?;
        }
        Ok(())
    }
}

fn parenthesised(f: &mut Formatter<'_>, inside: &impl Display, needs_parentheses: bool) -> fmt::Result {
    if needs_parentheses { write!(f, "({inside})") } else { inside.fmt(f) }
}

impl Display for ComparisonTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        let path = &self.path;
        match &self.test {
            PropertyTest::Exists => write!(f, "{not}EXISTS {path}"),
            PropertyTest::Compare(operator, literal) => write!(f, "{path} {not}{} {literal}", operator.keyword()),
            PropertyTest::In(literals) => {
                write!(f, "{path} {not}IN (")?;
                for (place, literal) in literals.iter().enumerate() {
                    f.write_str(if place > 0 { ", " } else { "" })?;
                    literal.fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for ObjectPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.object_type)?;
        for (place, step) in self.steps.iter().enumerate() {
            if place > 0 && matches!(step, PathStep::Property(_)) {
                f.write_str(".")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for PathStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(name) if is_plain_name(name) => f.write_str(name),
            Self::Property(name) => quote(name, f),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Any => f.write_str("[*]"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Display for LiteralValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => quote(text, f),
            Self::Integer(integer) => integer.fmt(f),
            Self::Float(float) => {
                let float = finite(*float);
                // Without a dot it would be an integer.
                if float.fract() == 0.0 { write!(f, "{float:.1}") } else { write!(f, "{float}") }
            }
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Timestamp(timestamp) => write!(f, "t'{timestamp}'"),
            Self::Hex(bytes) => {
                f.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
            Self::Binary(bytes) => {
                f.write_str("b'")?;
                write_base64(bytes, f)?;
                f.write_str("'")
            }
        }
    }
}

/// The language has no infinities; trees that were read have none either.
fn finite(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(f64::MIN, f64::MAX) }
}

fn quote(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('\'')?;
    let mut rest = text;
    while let Some(place) = rest.find(['\'', '\\']) {
        let (before, special) = rest.split_at(place);
        let (special, behind) = special.split_at(1);
        write!(f, "{before}\\{special}")?;
        rest = behind;
    }
    f.write_str(rest)?;
    f.write_char('\'')
}
