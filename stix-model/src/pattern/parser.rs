//! Tokens to a tree: one pass, one token ahead. Here the whole and the observations; what stands in brackets is in
//! `comparison`.

use std::str::FromStr;

use super::ast::{
    ObjectPath, ObservationExpression, ObservationOperator, Pattern, PatternVersion, Qualifier, QualifierKind, Span,
};
use super::error::{PatternError, PatternErrorKind};
use super::lexer::{Keyword, Lexer, Token};
use crate::Timestamp;

/// How deep a pattern may be nested: parentheses, and nodes of the tree above one another.
pub const MAX_DEPTH: usize = 100;
/// How long a pattern may be, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

impl Pattern {
    /// Reads a pattern of STIX 2.1.
    ///
    /// ```
    /// use stix_model::pattern::{ObservationExpression, Pattern};
    ///
    /// let pattern = Pattern::parse("[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']")?;
    /// assert_eq!(pattern.tests().count(), 2);
    /// assert!(matches!(pattern.expression, ObservationExpression::Observation { .. }));
    /// # Ok::<(), stix_model::pattern::PatternError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_as(text, PatternVersion::V2_1)
    }

    /// Reads a pattern of a version of the standard.
    ///
    /// STIX 2.0 has no `EXISTS`, allows a qualifier twice, and takes strings behind `START` and `STOP` as well.
    pub fn parse_as(text: &str, version: PatternVersion) -> Result<Self, PatternError> {
        let mut parser = Parser::new(text, version)?;
        let (expression, _) = parser.combined(ObservationOperator::FollowedBy)?;
        match parser.token {
            Token::End => Ok(Self { version, expression }),
            _ => Err(parser.unexpected(&["an operator", "a qualifier", "the end of the pattern"])),
        }
    }

    /// Reads a pattern whose version is not known: as STIX 2.1, else as STIX 2.0. The error is that of STIX 2.1.
    pub fn read(text: &str) -> Result<Self, PatternError> {
        Self::parse(text).or_else(|error| Self::parse_as(text, PatternVersion::V2_0).map_err(|_| error))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl FromStr for ObjectPath {
    type Err = PatternError;

    /// Reads a path as it stands in patterns of any version: `file:hashes.'SHA-256'`.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        // `EXISTS` is a name in the older one.
        let mut parser = Parser::new(text, PatternVersion::V2_0)?;
        let path = parser.path(&["the type of an object"])?;
        match parser.token {
            Token::End => Ok(path),
            _ => Err(parser.unexpected(&["`.`", "`[`", "the end of the path"])),
        }
    }
}

impl PatternVersion {
    /// The version with this name: `2.0` or `2.1`, as in `pattern_version` of an indicator.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "2.0" => Some(Self::V2_0),
            "2.1" => Some(Self::V2_1),
            _ => None,
        }
    }
}

/// Where reading stands, with one token ahead.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    lexer: Lexer<'t>,
    pub(super) version: PatternVersion,
    /// The token that comes next.
    pub(super) token: Token,
    pub(super) span: Span,
    /// Where the token before it ended.
    end: u32,
    /// Open parentheses.
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, version: PatternVersion) -> Result<Self, PatternError> {
        if text.len() > MAX_LENGTH {
            let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
            let error = PatternError::new(PatternErrorKind::TooLong, "", Span::default(), &["at most 1048576 bytes"]);
            return Err(error.with_found(format!("{end}")));
        }
        let mut lexer = Lexer::new(text, version == PatternVersion::V2_1);
        let (token, span) = lexer.next();
        Ok(Self { text, lexer, version, token, span, end: 0, depth: 0 })
    }

    pub(super) fn advance(&mut self) {
        self.end = self.span.end;
        (self.token, self.span) = self.lexer.next();
    }

    pub(super) fn unexpected(&self, expected: &'static [&'static str]) -> PatternError {
        PatternError::unexpected(self.text, self.token, self.span, expected)
    }

    /// Goes on if this is the next token.
    pub(super) fn accept(&mut self, token: Token) -> bool {
        let is_next = self.token == token;
        if is_next {
            self.advance();
        }
        is_next
    }

    pub(super) fn expect(&mut self, token: Token, expected: &'static [&'static str]) -> Result<(), PatternError> {
        if self.accept(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// What the next token says.
    pub(super) fn here(&self) -> &'t str {
        self.span.text(self.text)
    }

    /// From a place to the end of the last token.
    pub(super) fn since(&self, start: u32) -> Span {
        Span::new(start, self.end)
    }

    /// One more node above something of this height.
    pub(super) fn above(&self, height: usize, start: u32) -> Result<usize, PatternError> {
        if height < MAX_DEPTH { Ok(height + 1) } else { Err(self.too_deep(self.since(start))) }
    }

    fn too_deep(&self, span: Span) -> PatternError {
        let error = PatternError::new(PatternErrorKind::TooDeep, self.text, span, &["at most 100 levels of nesting"]);
        error.with_found("more")
    }

    pub(super) fn open(&mut self) -> Result<(), PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(self.span));
        }
        self.advance();
        Ok(())
    }

    pub(super) fn close(&mut self, expected: &'static [&'static str]) -> Result<(), PatternError> {
        self.expect(Token::ParenthesisClose, expected)?;
        self.depth -= 1;
        Ok(())
    }

    /// A chain of an operator, and everything that binds stronger. With the height of the tree, as all of these.
    fn combined(&mut self, operator: ObservationOperator) -> Result<(ObservationExpression, usize), PatternError> {
        let (word, stronger) = match operator {
            ObservationOperator::FollowedBy => (Keyword::FollowedBy, Some(ObservationOperator::Or)),
            ObservationOperator::Or => (Keyword::Or, Some(ObservationOperator::And)),
            ObservationOperator::And => (Keyword::And, None),
        };
        let operand = |parser: &mut Self| match stronger {
            Some(stronger) => parser.combined(stronger),
            None => parser.qualified(),
        };
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
        Ok((ObservationExpression::Combined { operator, operands, span: self.since(start) }, height))
    }

    /// An observation or parentheses, with the qualifiers behind it.
    fn qualified(&mut self) -> Result<(ObservationExpression, usize), PatternError> {
        let start = self.span.start;
        let is_simple = self.token == Token::BracketOpen;
        let (mut expression, mut height) = match self.token {
            Token::BracketOpen => {
                self.advance();
                let (comparison, height) = self.any_of()?;
                self.expect(Token::BracketClose, &["`AND`", "`OR`", "`]`"])?;
                let height = self.above(height, start)?;
                (ObservationExpression::Observation { comparison, span: self.since(start) }, height)
            }
            Token::ParenthesisOpen => {
                self.open()?;
                let inside = self.combined(ObservationOperator::FollowedBy)?;
                self.close(&["an operator", "a qualifier", "`)`"])?;
                inside
            }
            _ => return Err(self.unexpected(&["`[`", "`(`"])),
        };
        let mut seen = Vec::new();
        while let Some(qualifier) = self.qualifier()? {
            let keyword = qualifier.kind.keyword();
            if is_simple && self.version != PatternVersion::V2_0 {
                if seen.contains(&keyword) {
                    return Err(self.duplicate(&qualifier));
                }
                seen.push(keyword);
            }
            height = self.above(height, start)?;
            let span = self.since(start);
            expression = ObservationExpression::Qualified { expression: Box::new(expression), qualifier, span };
        }
        Ok((expression, height))
    }

    fn duplicate(&self, qualifier: &Qualifier) -> PatternError {
        let expected: &[&str] = match qualifier.kind {
            QualifierKind::Within { .. } => &["one `WITHIN` for an observation"],
            QualifierKind::Repeats { .. } => &["one `REPEATS` for an observation"],
            QualifierKind::StartStop { .. } => &["one `START` for an observation"],
        };
        PatternError::new(PatternErrorKind::DuplicateQualifier, self.text, qualifier.span, expected)
            .with_found("another")
    }

    fn qualifier(&mut self) -> Result<Option<Qualifier>, PatternError> {
        let start = self.span.start;
        let kind = match self.token {
            Token::Keyword(Keyword::Within) => {
                self.advance();
                let seconds = self.positive(&[Token::Integer, Token::Float], &["a positive number"])?;
                self.expect(Token::Keyword(Keyword::Seconds), &["`SECONDS`"])?;
                QualifierKind::Within { seconds: float(seconds) }
            }
            Token::Keyword(Keyword::Repeats) => {
                self.advance();
                let times = self.positive(&[Token::Integer], &["a positive whole number"])?;
                self.expect(Token::Keyword(Keyword::Times), &["`TIMES`"])?;
                QualifierKind::Repeats { times: times.parse().unwrap_or(u64::MAX) }
            }
            Token::Keyword(Keyword::Start) => {
                self.advance();
                let start = self.moment()?;
                self.expect(Token::Keyword(Keyword::Stop), &["`STOP`"])?;
                let stop = self.moment()?;
                QualifierKind::StartStop { start, stop }
            }
            _ => return Ok(None),
        };
        Ok(Some(Qualifier { kind, span: self.since(start) }))
    }

    /// The text of a number without a minus.
    fn positive(&mut self, tokens: &[Token], expected: &'static [&'static str]) -> Result<&'t str, PatternError> {
        let text = self.here();
        if !tokens.contains(&self.token) || text.starts_with('-') {
            return Err(self.unexpected(expected));
        }
        self.advance();
        Ok(text)
    }

    /// A timestamp behind `START` or `STOP`. The text of STIX 2.0 has it in plain quotes, too.
    fn moment(&mut self) -> Result<Timestamp, PatternError> {
        let text = self.here();
        let is_string = self.token == Token::String && self.version == PatternVersion::V2_0;
        if !is_string && self.token != Token::Timestamp {
            let error = self.unexpected(&["a timestamp such as t'2026-01-02T03:04:05.678Z'"]);
            let hint = "timestamps have a `t` before the quote";
            return Err(if self.token == Token::String { error.with_hint(hint) } else { error });
        }
        if is_string {
            let literal = format!("t{text}");
            if let (Token::Bad(bad), _) = Lexer::new(&literal, true).next() {
                return Err(PatternError::unexpected(self.text, Token::Bad(bad), self.span, &[]));
            }
        }
        let moment = self.timestamp(text)?;
        self.advance();
        Ok(moment)
    }

    /// What the lexer found to be a timestamp.
    pub(super) fn timestamp(&self, text: &str) -> Result<Timestamp, PatternError> {
        let inside = text.trim_start_matches('t').trim_matches('\'');
        inside.parse().map_err(|_| self.unexpected(&["a timestamp"]))
    }
}

/// What the lexer found to be a number. Numbers that are too large become the largest.
pub(super) fn float(text: &str) -> f64 {
    text.parse().unwrap_or(0.0_f64).clamp(f64::MIN, f64::MAX)
}
