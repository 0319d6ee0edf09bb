//! Tokens to a tree, within brackets: tests, paths and literals.

use super::ast::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, ObjectPath, PathStep,
    PatternVersion, PropertyTest, Span,
};
use super::error::{NAME, PatternError, STRING, VALUE};
use super::lexer::{Keyword, Token, decode_base64, decode_hexadecimal};
use super::parser::{Parser, float};
use super::validate;

impl Parser<'_> {
    /// Tests joined by `OR`, and with `AND` below. With the height of the tree.
    pub(super) fn any_of(&mut self) -> Result<(ComparisonExpression, usize), PatternError> {
        self.chain(Keyword::Or, Self::all_of, ComparisonExpression::Or)
    }

    fn all_of(&mut self) -> Result<(ComparisonExpression, usize), PatternError> {
        self.chain(Keyword::And, Self::test_or_parentheses, ComparisonExpression::And)
    }

    fn chain(
        &mut self,
        word: Keyword,
        operand: fn(&mut Self) -> Result<(ComparisonExpression, usize), PatternError>,
        node: fn(Vec<ComparisonExpression>, Span) -> ComparisonExpression,
    ) -> Result<(ComparisonExpression, usize), PatternError> {
        let start = self.span.start;
        let (first, mut height) = operand(self)?;
        if self.token != Token::Keyword(word) {
            return Ok((first, height));
        }
        let mut operands = vec![first];
        while self.accept(Token::Keyword(word)) {
            let (next, next_height) = operand(self)?;
            height = height.max(next_height);
            operands.push(next);
        }
        let height = self.above(height, start)?;
        Ok((node(operands, self.since(start)), height))
    }

    fn test_or_parentheses(&mut self) -> Result<(ComparisonExpression, usize), PatternError> {
        if self.token != Token::ParenthesisOpen {
            return Ok((ComparisonExpression::Test(self.test()?), 1));
        }
        self.open()?;
        let inside = self.any_of()?;
        self.close(&["`AND`", "`OR`", "`)`"])?;
        Ok(inside)
    }

    fn test(&mut self) -> Result<ComparisonTest, PatternError> {
        let start = self.span.start;
        let before = self.accept(Token::Keyword(Keyword::Not));
        if self.accept(Token::Keyword(Keyword::Exists)) {
            let path = self.path(&["the type of an object"])?;
            return Ok(ComparisonTest { path, negated: before, test: PropertyTest::Exists, span: self.since(start) });
        }
        if before {
            let error = self.unexpected(&["`EXISTS`"]);
            return Err(error.with_hint("elsewhere `NOT` stands behind the path"));
        }
        let path = self.path(match self.version {
            PatternVersion::V2_0 => &["the type of an object", "`(`"],
            PatternVersion::V2_1 => &["the type of an object", "`EXISTS`", "`(`"],
        })?;
        let negated = self.accept(Token::Keyword(Keyword::Not));
        let operator = match self.token {
            Token::Equal => ComparisonOperator::Equal,
            Token::NotEqual => ComparisonOperator::NotEqual,
            Token::Less => ComparisonOperator::Less,
            Token::LessOrEqual => ComparisonOperator::LessOrEqual,
            Token::Greater => ComparisonOperator::Greater,
            Token::GreaterOrEqual => ComparisonOperator::GreaterOrEqual,
            Token::Keyword(Keyword::Like) => ComparisonOperator::Like,
            Token::Keyword(Keyword::Matches) => ComparisonOperator::Matches,
            Token::Keyword(Keyword::IsSubset) => ComparisonOperator::IsSubset,
            Token::Keyword(Keyword::IsSuperset) => ComparisonOperator::IsSuperset,
            Token::Keyword(Keyword::In) => {
                self.advance();
                let test = PropertyTest::In(self.set()?);
                return self.tested(path, negated, test, start);
            }
            _ => return Err(self.unexpected(&["a comparison operator"])),
        };
        self.advance();
        let value = match operator {
            ComparisonOperator::Equal | ComparisonOperator::NotEqual => self.literal(&[VALUE])?,
            ComparisonOperator::Less
            | ComparisonOperator::LessOrEqual
            | ComparisonOperator::Greater
            | ComparisonOperator::GreaterOrEqual => {
                if matches!(self.token, Token::Keyword(Keyword::True | Keyword::False)) {
                    return Err(self.unexpected(&["a value that has an order"]));
                }
                self.literal(&[VALUE])?
            }
            ComparisonOperator::Like
            | ComparisonOperator::Matches
            | ComparisonOperator::IsSubset
            | ComparisonOperator::IsSuperset => {
                if self.token != Token::String {
                    return Err(self.unexpected(&[STRING]));
                }
                self.literal(&[STRING])?
            }
        };
        self.tested(path, negated, PropertyTest::Compare(operator, value), start)
    }

    fn tested(
        &self,
        path: ObjectPath,
        negated: bool,
        test: PropertyTest,
        start: u32,
    ) -> Result<ComparisonTest, PatternError> {
        validate::hash_values(self.text, &path, &test)?;
        Ok(ComparisonTest { path, negated, test, span: self.since(start) })
    }

    /// The path to a property.
    pub(super) fn path(&mut self, expected: &'static [&'static str]) -> Result<ObjectPath, PatternError> {
        let start = self.span.start;
        if !matches!(self.token, Token::Word | Token::HyphenWord) {
            return Err(self.unexpected(expected));
        }
        let object_type = self.here().into();
        self.advance();
        self.expect(Token::Colon, &["`:`"])?;
        let mut steps = Vec::with_capacity(2);
        steps.push(self.name()?);
        loop {
            match self.token {
                Token::Dot => {
                    self.advance();
                    steps.push(self.name()?);
                }
                Token::BracketOpen => {
                    self.advance();
                    let text = self.here();
                    steps.push(match self.token {
                        Token::Asterisk => PathStep::Any,
                        Token::Integer if !text.starts_with('-') => PathStep::Index(text.parse().unwrap_or(u64::MAX)),
                        _ => return Err(self.unexpected(&["an index from 0", "`*`"])),
                    });
                    self.advance();
                    self.expect(Token::BracketClose, &["`]`"])?;
                }
                _ => return Ok(ObjectPath { object_type, steps, span: self.since(start) }),
            }
        }
    }

    fn name(&mut self) -> Result<PathStep, PatternError> {
        let name = match self.token {
            Token::Word => self.here().into(),
            Token::String => unescape(self.here()),
            _ => return Err(self.unexpected(&[NAME])),
        };
        self.advance();
        Ok(PathStep::Property(name))
    }

    fn set(&mut self) -> Result<Vec<Literal>, PatternError> {
        self.expect(Token::ParenthesisOpen, &["`(`"])?;
        let mut literals = Vec::new();
        if self.accept(Token::ParenthesisClose) {
            return Ok(literals);
        }
        literals.push(self.literal(&[VALUE, "`)`"])?);
        while self.accept(Token::Comma) {
            literals.push(self.literal(&[VALUE])?);
        }
        self.expect(Token::ParenthesisClose, &["`,`", "`)`"])?;
        Ok(literals)
    }

    fn literal(&mut self, expected: &'static [&'static str]) -> Result<Literal, PatternError> {
        let text = self.here();
        let inside = || text.get(2..text.len().saturating_sub(1)).unwrap_or_default();
        let value = match self.token {
            Token::String => LiteralValue::String(unescape(text)),
            Token::Integer => match text.parse() {
                Ok(integer) => LiteralValue::Integer(integer),
                Err(_) => LiteralValue::Float(float(text)),
            },
            Token::Float => LiteralValue::Float(float(text)),
            Token::Keyword(Keyword::True) => LiteralValue::Boolean(true),
            Token::Keyword(Keyword::False) => LiteralValue::Boolean(false),
            Token::Timestamp => LiteralValue::Timestamp(self.timestamp(text)?),
            Token::Hex => LiteralValue::Hex(decode_hexadecimal(inside())),
            Token::Binary => LiteralValue::Binary(decode_base64(inside())),
            _ => return Err(self.unexpected(expected)),
        };
        let span = self.span;
        self.advance();
        Ok(Literal { value, span })
    }
}

/// The text of a string literal, quotes included.
fn unescape(literal: &str) -> Box<str> {
    let inside = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains('\\') {
        return inside.into();
    }
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        text.push(if char == '\\' { chars.next().unwrap_or(char) } else { char });
    }
    text.into()
}
