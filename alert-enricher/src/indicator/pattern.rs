//! The values of a STIX pattern that asks for nothing but values: comparisons with `=`, `IN` and `ISSUBSET`, joined
//! with `OR`.
//!
//! Everything else is answered with what is not understood. A pattern is never taken apart into values that it does
//! not ask for by themselves: `[A AND B]` is not "A or B".

use super::kind::{Key, Kind, hash_kind};

/// Why the values of a pattern cannot be listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The pattern is not written as patterns are.
    #[error("not a STIX pattern: {0} expected at character {1}")]
    Syntax(&'static str, usize),
    /// The pattern asks for more than single values.
    #[error("`{0}` needs more than the comparison of single values")]
    Operator(String),
    /// Alerts have nothing to compare with this property.
    #[error("`{0}` has no field in alerts")]
    Property(String),
    /// The value is none of its kind.
    #[error("`{1}` is no value of `{0}`")]
    Value(String, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    /// Words and numbers: object paths, operators.
    Word(String),
    Sign(char),
}

/// The values that a pattern asks for, any one of which is enough.
///
/// ```
/// use alert_enricher::indicator::keys_of_pattern;
///
/// let keys = keys_of_pattern("[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']")?;
/// assert_eq!(keys.len(), 2);
/// assert!(keys_of_pattern("[file:name = 'a.exe' AND file:size > 10]").is_err());
/// # Ok::<(), alert_enricher::indicator::PatternError>(())
/// ```
pub fn keys_of_pattern(pattern: &str) -> Result<Vec<Key>, PatternError> {
    let mut parser = Parser { tokens: tokens(pattern)?, place: 0, end: pattern.len(), depth: 0 };
    let mut keys = Vec::new();
    loop {
        parser.observation(&mut keys)?;
        match parser.next() {
            None => return Ok(keys),
            Some(Token::Word(word)) if word == "OR" => {}
            Some(Token::Word(word)) => return Err(PatternError::Operator(word)),
            Some(_) => return parser.fail("`OR` or the end"),
        }
    }
}

/// Nesting beyond this is refused, so that a hostile pattern cannot exhaust the stack.
const MAX_DEPTH: usize = 100;

struct Parser {
    tokens: Vec<(usize, Token)>,
    place: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).map(|(_, token)| token.clone());
        self.place += 1;
        token
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place).map(|(_, token)| token)
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, PatternError> {
        let place = self.tokens.get(self.place.saturating_sub(1)).map_or(self.end, |(place, _)| *place);
        Err(PatternError::Syntax(expected, place))
    }

    fn observation(&mut self, keys: &mut Vec<Key>) -> Result<(), PatternError> {
        let mut open = 0;
        while self.peek() == Some(&Token::Sign('(')) {
            self.place += 1;
            open += 1;
        }
        if self.next() != Some(Token::Sign('[')) {
            return self.fail("`[`");
        }
        self.comparisons(keys)?;
        if self.next() != Some(Token::Sign(']')) {
            return self.fail("`]`");
        }
        for _ in 0..open {
            if self.next() != Some(Token::Sign(')')) {
                return Err(PatternError::Operator("(…)".to_owned()));
            }
        }
        Ok(())
    }

    fn comparisons(&mut self, keys: &mut Vec<Key>) -> Result<(), PatternError> {
        loop {
            if self.peek() == Some(&Token::Sign('(')) {
                if self.depth == MAX_DEPTH {
                    return self.fail("less nesting");
                }
                self.place += 1;
                self.depth += 1;
                self.comparisons(keys)?;
                self.depth -= 1;
                if self.next() != Some(Token::Sign(')')) {
                    return self.fail("`)`");
                }
            } else {
                self.comparison(keys)?;
            }
            match self.peek() {
                Some(Token::Word(word)) if word == "OR" => self.place += 1,
                Some(Token::Word(word)) => return Err(PatternError::Operator(word.clone())),
                _ => return Ok(()),
            }
        }
    }

    fn comparison(&mut self, keys: &mut Vec<Key>) -> Result<(), PatternError> {
        let Some(Token::Word(path)) = self.next() else { return self.fail("an object path") };
        let operator = match self.next() {
            Some(Token::Sign('=')) => "=".to_owned(),
            Some(Token::Word(word)) => word,
            Some(Token::Sign(sign)) => return Err(PatternError::Operator(sign.to_string())),
            _ => return self.fail("an operator"),
        };
        let mut texts = Vec::new();
        match operator.as_str() {
            "=" | "ISSUBSET" => texts.push(self.literal()?),
            "IN" => {
                if self.next() != Some(Token::Sign('(')) {
                    return self.fail("`(`");
                }
                loop {
                    texts.push(self.literal()?);
                    match self.next() {
                        Some(Token::Sign(',')) => {}
                        Some(Token::Sign(')')) => break,
                        _ => return self.fail("`,` or `)`"),
                    }
                }
            }
            _ => return Err(PatternError::Operator(operator)),
        }
        let kind = kind_of_path(&path).ok_or_else(|| PatternError::Property(path.clone()))?;
        if operator == "ISSUBSET" && kind != Kind::Address {
            return Err(PatternError::Operator(operator));
        }
        for text in texts {
            // `dst_ref.value` may be a name as well as an address.
            let key = match kind {
                Kind::Address => Key::new(Kind::Address, &text).or_else(|| Key::new(Kind::Domain, &text)),
                kind => Key::new(kind, &text),
            };
            keys.push(key.ok_or_else(|| PatternError::Value(path.clone(), text))?);
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<String, PatternError> {
        match self.next() {
            Some(Token::Text(text) | Token::Word(text)) => Ok(text),
            _ => self.fail("a value"),
        }
    }
}

fn tokens(pattern: &str) -> Result<Vec<(usize, Token)>, PatternError> {
    let mut tokens = Vec::new();
    let mut chars = pattern.char_indices().peekable();
    while let Some((place, char)) = chars.next() {
        if char.is_whitespace() {
            continue;
        }
        let token = match char {
            '\'' => Token::Text(text(&mut chars, place)?),
            '[' | ']' | '(' | ')' | ',' | '=' | '<' | '>' | '!' => Token::Sign(char),
            _ => {
                let mut word = String::from(char);
                // Keys inside a path may be quoted: `file:hashes.'SHA-256'`.
                while let Some((place, next)) = chars.next_if(|(_, next)| {
                    !next.is_whitespace() && !matches!(next, '[' | ']' | '(' | ')' | ',' | '=' | '<' | '>' | '!')
                }) {
                    if next == '\'' { word.push_str(&text(&mut chars, place)?) } else { word.push(next) }
                }
                Token::Word(word)
            }
        };
        tokens.push((place, token));
    }
    Ok(tokens)
}

/// The rest of a quoted text; a backslash makes a quote or backslash ordinary.
fn text(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>, start: usize) -> Result<String, PatternError> {
    let mut out = String::new();
    while let Some((_, char)) = chars.next() {
        match char {
            '\'' => return Ok(out),
            '\\' => out.extend(chars.next().map(|(_, char)| char)),
            _ => out.push(char),
        }
    }
    Err(PatternError::Syntax("`'` at the end of a text", start))
}

fn kind_of_path(path: &str) -> Option<Kind> {
    let (object, property) = path.split_once(':')?;
    if let Some(algorithm) = property.strip_prefix("hashes.") {
        return match object {
            "file" | "artifact" => hash_kind(algorithm),
            "x509-certificate" => Some(Kind::CertificateFingerprint),
            _ => None,
        };
    }
    Some(match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") | ("network-traffic", "src_ref.value" | "dst_ref.value") => Kind::Address,
        ("domain-name" | "hostname" | "x-opencti-hostname", "value") => Kind::Domain,
        ("url", "value") => Kind::Url,
        ("email-addr", "value") | ("email-message", "from_ref.value" | "sender_ref.value") => Kind::Email,
        ("email-message", "subject") => Kind::EmailSubject,
        ("mac-addr", "value") => Kind::Mac,
        ("file", "name") => Kind::File,
        ("directory", "path") | ("file", "parent_directory_ref.path") => Kind::Directory,
        ("windows-registry-key", "key") => Kind::RegistryKey,
        ("mutex", "name") => Kind::Mutex,
        ("user-agent" | "x-opencti-user-agent", "value")
        | ("network-traffic", "extensions.http-request-ext.request_header.User-Agent") => Kind::UserAgent,
        ("user-account", "account_login" | "user_id") => Kind::UserAccount,
        ("autonomous-system", "number") => Kind::Asn,
        ("x509-certificate", "serial_number") => Kind::CertificateSerial,
        ("text" | "x-opencti-text", "value") => Kind::Text,
        ("vulnerability", "name") => Kind::Vulnerability,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, wanted: &[&str]) {
        let keys: Vec<_> = keys_of_pattern(pattern).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(keys, wanted);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("[{}url:value = 'http://evil.example/'", "(".repeat(1_000_000));
        assert!(matches!(keys_of_pattern(&deep), Err(PatternError::Syntax("less nesting", _))));
    }

    #[test]
    fn values() {
        check("[ipv4-addr:value = '198.51.100.7']", &["198.51.100.7"]);
        check("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", &["198.51.100.0/24"]);
        check(
            "[file:hashes.'SHA-1' = 'AB0E1D3C5F6A7B8C9D0E1F2A3B4C5D6E7F8A9B0C']",
            &["ab0e1d3c5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"],
        );
        check(
            "[file:hashes.MD5 = '0123456789abcdef0123456789abcdef' OR file:name = 'a.exe']",
            &["0123456789abcdef0123456789abcdef", "a.exe"],
        );
        check(
            "[domain-name:value IN ('a.example', 'b.example')] OR [url:value = 'http://c.example/']",
            &["a.example", "b.example", "http://c.example"],
        );
        check(r"[windows-registry-key:key = 'HKLM\\Software\\O\'Neil']", &[r"hkey_local_machine\software\o'neil"]);
        check("([mutex:name='x'])", &["x"]);
    }

    #[test]
    fn what_is_not_a_list_of_values() {
        for pattern in [
            "[a:b = 'x' AND file:name = 'y']",
            "[file:name = 'x'] AND [file:name = 'y']",
            "[file:name = 'x'] FOLLOWEDBY [file:name = 'y']",
            "[file:name LIKE 'x%']",
            "[file:name != 'x']",
            "[NOT file:name = 'x']",
            "[file:size > 10]",
            "[file:name = 'x'] WITHIN 5 SECONDS",
        ] {
            assert!(keys_of_pattern(pattern).is_err(), "{pattern}");
        }
        let error = keys_of_pattern("[process:pid = 5]").unwrap_err();
        assert_eq!(error, PatternError::Property("process:pid".into()));
        let error = keys_of_pattern("[ipv4-addr:value = 'x y']").unwrap_err();
        assert_eq!(error.to_string(), "`x y` is no value of `ipv4-addr:value`");
        assert!(matches!(keys_of_pattern("[file:name = 'x"), Err(PatternError::Syntax(..))));
        assert!(matches!(keys_of_pattern(""), Err(PatternError::Syntax(..))));
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "\\PC{0,60}") {
            let _ = keys_of_pattern(&pattern);
        }
    }
}
