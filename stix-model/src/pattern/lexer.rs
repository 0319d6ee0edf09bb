//! Text to tokens, one at a time.
//!
//! The longest token wins, as in the grammar of the standard. What begins like a literal and is none becomes one bad
//! token, so that the error names the literal and not its second half.

use std::fmt;

use super::ast::Span;
use crate::Timestamp;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    /// A word that is no keyword.
    Word,
    /// A word with a hyphen: only types of objects are written so.
    HyphenWord,
    Keyword(Keyword),
    String,
    Integer,
    Float,
    Timestamp,
    Hex,
    Binary,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Colon,
    Dot,
    Comma,
    Asterisk,
    ParenthesisOpen,
    ParenthesisClose,
    BracketOpen,
    BracketClose,
    Bad(Bad),
}

/// Words with a meaning of their own. They are upper case, but for `true` and `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    FollowedBy,
    Like,
    Matches,
    IsSuperset,
    IsSubset,
    /// A keyword in STIX 2.1 alone.
    Exists,
    /// Reserved, without a meaning.
    Last,
    In,
    Start,
    Stop,
    Seconds,
    True,
    False,
    Within,
    Repeats,
    Times,
}

impl Keyword {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "AND" => Self::And,
            "OR" => Self::Or,
            "NOT" => Self::Not,
            "FOLLOWEDBY" => Self::FollowedBy,
            "LIKE" => Self::Like,
            "MATCHES" => Self::Matches,
            "ISSUPERSET" => Self::IsSuperset,
            "ISSUBSET" => Self::IsSubset,
            "EXISTS" => Self::Exists,
            "LAST" => Self::Last,
            "IN" => Self::In,
            "START" => Self::Start,
            "STOP" => Self::Stop,
            "SECONDS" => Self::Seconds,
            "true" => Self::True,
            "false" => Self::False,
            "WITHIN" => Self::Within,
            "REPEATS" => Self::Repeats,
            "TIMES" => Self::Times,
            _ => return None,
        })
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Character,
    StringEnd,
    Escape,
    CommentEnd,
    LeadingZero,
    Timestamp,
    NoSuchDay,
    Hex,
    Binary,
}

/// Where reading stands.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    position: usize,
    /// Whether `EXISTS` is a keyword.
    exists: bool,
    /// Whether there was a `[`. Comments stand behind it.
    comments: bool,
}

impl<'t> Lexer<'t> {
    /// `text` has to be shorter than 4 GiB.
    pub(super) fn new(text: &'t str, exists: bool) -> Self {
        Self { text, position: 0, exists, comments: false }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// The next token with its place.
    pub(super) fn next(&mut self) -> (Token, Span) {
        if let Some(span) = self.skip() {
            return (Token::Bad(Bad::CommentEnd), span);
        }
        let start = self.position;
        let (token, length) = match self.byte(0) {
            None => (Token::End, 0),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word(),
            Some(b'\'') => match self.quoted(1) {
                Ok(length) => (Token::String, length),
                Err((bad, span)) => return self.stop(bad, span),
            },
            Some(b'0'..=b'9') => self.number(0),
            Some(b'+' | b'-') => self.number(1),
            Some(b'.') if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(0),
            Some(byte) => self.sign(byte),
        };
        self.position = start + length;
        self.comments |= token == Token::BracketOpen;
        (token, span(start, self.position))
    }

    /// A bad token inside of another one. Reading ends there.
    fn stop(&mut self, bad: Bad, span: Span) -> (Token, Span) {
        self.position = self.text.len();
        (Token::Bad(bad), span)
    }

    /// White space and comments. `Some` is a comment without an end.
    fn skip(&mut self) -> Option<Span> {
        loop {
            match self.byte(0) {
                Some(b' ' | b'\t'..=b'\r') => self.position += 1,
                Some(b'/') if self.comments => match self.byte(1) {
                    Some(b'/') => {
                        let rest = self.rest();
                        self.position += rest.find(['\r', '\n']).unwrap_or(rest.len());
                    }
                    Some(b'*') => {
                        let start = self.position;
                        let Some(length) = self.text.get(start + 2..).and_then(|rest| rest.find("*/")) else {
                            self.position = self.text.len();
                            return Some(span(start, self.position));
                        };
                        self.position += length + 4;
                    }
                    _ => return None,
                },
                Some(0x80..) => match self.rest().chars().next() {
                    Some(char) if char.is_whitespace() => self.position += char.len_utf8(),
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    fn word(&self) -> (Token, usize) {
        let bytes = self.rest().as_bytes();
        let mut hyphen = false;
        let length = bytes
            .iter()
            .take_while(|byte| {
                hyphen |= **byte == b'-';
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
            })
            .count();
        if hyphen {
            return (Token::HyphenWord, length);
        }
        if length == 1 && bytes.get(1) == Some(&b'\'') {
            match bytes.first() {
                Some(b't') => return self.literal(timestamp),
                Some(b'h') => return self.literal(hexadecimal),
                Some(b'b') => return self.literal(base64),
                _ => {}
            }
        }
        let word = self.rest().get(..length).unwrap_or_default();
        match Keyword::of(word) {
            Some(Keyword::Exists) if !self.exists => (Token::Word, length),
            Some(keyword) => (Token::Keyword(keyword), length),
            None => (Token::Word, length),
        }
    }

    /// A letter and something in quotes, in which nothing is escaped.
    fn literal(&self, check: fn(&str) -> Result<Token, Bad>) -> (Token, usize) {
        let inside = self.rest().get(2..).unwrap_or_default();
        let Some(length) = inside.find('\'') else { return (Token::Bad(Bad::StringEnd), inside.len() + 2) };
        let token = check(inside.get(..length).unwrap_or_default()).unwrap_or_else(Token::Bad);
        (token, length + 3)
    }

    /// The length of a string, both quotes included, of which `from` bytes were read.
    fn quoted(&self, from: usize) -> Result<usize, (Bad, Span)> {
        let bytes = self.rest().as_bytes();
        let mut place = from;
        loop {
            match bytes.get(place) {
                None => return Err((Bad::StringEnd, span(self.position, self.text.len()))),
                Some(b'\'') => return Ok(place + 1),
                Some(b'\\') => match bytes.get(place + 1) {
                    Some(b'\'' | b'\\') => place += 2,
                    None => return Err((Bad::StringEnd, span(self.position, self.text.len()))),
                    Some(_) => {
                        let start = self.position + place;
                        let escaped = self.text.get(start + 1..).and_then(|rest| rest.chars().next());
                        let length = escaped.map_or(1, |char| 1 + char.len_utf8());
                        return Err((Bad::Escape, span(start, start + length)));
                    }
                },
                Some(_) => place += 1,
            }
        }
    }

    /// A number, of which `from` bytes are its sign.
    fn number(&self, from: usize) -> (Token, usize) {
        let bytes = self.rest().as_bytes();
        let digits =
            |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(from);
        if bytes.get(from + whole) == Some(&b'.') {
            let fraction = digits(from + whole + 1);
            if fraction > 0 {
                return (Token::Float, from + whole + 1 + fraction);
            }
        }
        match whole {
            0 => (Token::Bad(Bad::Character), 1),
            1 => (Token::Integer, from + 1),
            _ if bytes.get(from) == Some(&b'0') => (Token::Bad(Bad::LeadingZero), from + whole),
            _ => (Token::Integer, from + whole),
        }
    }

    fn sign(&self, byte: u8) -> (Token, usize) {
        let next = self.byte(1);
        match (byte, next) {
            (b'=', Some(b'=')) => (Token::Equal, 2),
            (b'=', _) => (Token::Equal, 1),
            (b'!', Some(b'=')) | (b'<', Some(b'>')) => (Token::NotEqual, 2),
            (b'<', Some(b'=')) => (Token::LessOrEqual, 2),
            (b'<', _) => (Token::Less, 1),
            (b'>', Some(b'=')) => (Token::GreaterOrEqual, 2),
            (b'>', _) => (Token::Greater, 1),
            (b':', _) => (Token::Colon, 1),
            (b'.', _) => (Token::Dot, 1),
            (b',', _) => (Token::Comma, 1),
            (b'*', _) => (Token::Asterisk, 1),
            (b'(', _) => (Token::ParenthesisOpen, 1),
            (b')', _) => (Token::ParenthesisClose, 1),
            (b'[', _) => (Token::BracketOpen, 1),
            (b']', _) => (Token::BracketClose, 1),
            _ => (Token::Bad(Bad::Character), self.rest().chars().next().map_or(1, char::len_utf8)),
        }
    }
}

/// The text is short enough: the parser refuses longer ones.
fn span(start: usize, end: usize) -> Span {
    let place = |place| u32::try_from(place).unwrap_or(u32::MAX);
    Span::new(place(start), place(end))
}

/// Whether something has the form of a timestamp: UTC, any number of digits behind the dot.
fn timestamp(text: &str) -> Result<Token, Bad> {
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19).ok_or(Bad::Timestamp)?;
    let form = head.iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    let fraction = match tail {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !form || !fraction {
        return Err(Bad::Timestamp);
    }
    if text.parse::<Timestamp>().is_ok() {
        return Ok(Token::Timestamp);
    }
    // Fields out of range are a matter of form; the length of the month is the calendar's.
    let in_range = |from: usize, low: &str, high: &str| {
        text.get(from..from + 2).is_some_and(|field| field >= low && field <= high)
    };
    let fields = [(5, "01", "12"), (8, "01", "31"), (11, "00", "23"), (14, "00", "59"), (17, "00", "60")];
    let all = fields.iter().all(|(from, low, high)| in_range(*from, low, high));
    Err(if all { Bad::NoSuchDay } else { Bad::Timestamp })
}

fn hexadecimal(text: &str) -> Result<Token, Bad> {
    let good = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if good { Ok(Token::Hex) } else { Err(Bad::Hex) }
}

/// Base64 with its padding, at least one byte. Line feeds between the digits are ignored.
fn base64(text: &str) -> Result<Token, Bad> {
    let length = text.bytes().filter(|byte| !is_line_feed(*byte)).count();
    let padding = text.bytes().rev().filter(|byte| !is_line_feed(*byte)).take_while(|byte| *byte == b'=').count();
    let digits = text.bytes().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
    let good = length > 0 && length.is_multiple_of(4) && padding <= 2 && digits + padding == length;
    if good { Ok(Token::Binary) } else { Err(Bad::Binary) }
}

fn is_line_feed(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The bytes of pairs of hexadecimal digits.
pub(super) fn decode_hexadecimal(text: &str) -> Box<[u8]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
    let byte =
        |pair: &[u8]| u8::try_from(pair.iter().fold(0, |byte, next| byte << 4 | digit(*next))).unwrap_or_default();
    text.as_bytes().chunks(2).map(byte).collect()
}

/// The bytes of base64 that was checked. Bits that belong to no byte are ignored.
pub(super) fn decode_base64(text: &str) -> Box<[u8]> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=' && !is_line_feed(*byte)) {
        (bits, count) = (bits << 6 | digit(byte), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    bytes.into()
}

/// Writes bytes as base64.
pub(super) fn write_base64(bytes: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or_default();
            out.write_char(if place > group.len() { '=' } else { char::from(digit) })?;
        }
    }
    Ok(())
}

/// The name of a property can be written without quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && Keyword::of(name).is_none()
}
