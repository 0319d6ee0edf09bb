//! Rules beyond the grammar: what digests look like.

use super::ast::{ComparisonOperator, Literal, ObjectPath, PathStep, PropertyTest};
use super::error::{PatternError, PatternErrorKind};

/// How an algorithm writes its digests.
enum Form {
    /// So many hexadecimal digits.
    Digits(usize),
    /// At least so many hexadecimal digits: the length is a parameter of the algorithm.
    AtLeast(usize),
    /// Block size, and two pieces in something like base64.
    Fuzzy,
}

/// The algorithms of the vocabulary of STIX 2.0, which has those of STIX 2.1 whose digests have a known form. Names are
/// compared without hyphens and case.
fn form(name: &str) -> Option<(Form, &'static [&'static str])> {
    let mut folded = [0_u8; 9];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'-' | b'\'')) {
        *folded.get_mut(length)? = byte.to_ascii_uppercase();
        length += 1;
    }
    Some(match folded.get(..length)? {
        b"MD5" => (Form::Digits(32), &["the 32 hexadecimal digits of MD5"]),
        b"MD6" => (Form::AtLeast(32), &["the 32 or more hexadecimal digits of MD6"]),
        b"RIPEMD160" => (Form::Digits(40), &["the 40 hexadecimal digits of RIPEMD-160"]),
        b"SHA1" => (Form::Digits(40), &["the 40 hexadecimal digits of SHA-1"]),
        b"SHA224" => (Form::Digits(56), &["the 56 hexadecimal digits of SHA-224"]),
        b"SHA256" => (Form::Digits(64), &["the 64 hexadecimal digits of SHA-256"]),
        b"SHA384" => (Form::Digits(96), &["the 96 hexadecimal digits of SHA-384"]),
        b"SHA512" => (Form::Digits(128), &["the 128 hexadecimal digits of SHA-512"]),
        b"SHA3224" => (Form::Digits(56), &["the 56 hexadecimal digits of SHA3-224"]),
        b"SHA3256" => (Form::Digits(64), &["the 64 hexadecimal digits of SHA3-256"]),
        b"SHA3384" => (Form::Digits(96), &["the 96 hexadecimal digits of SHA3-384"]),
        b"SHA3512" => (Form::Digits(128), &["the 128 hexadecimal digits of SHA3-512"]),
        b"SSDEEP" => (Form::Fuzzy, &["1 to 128 letters, digits and `/+:.` of ssdeep"]),
        b"WHIRLPOOL" => (Form::Digits(128), &["the 128 hexadecimal digits of WHIRLPOOL"]),
        _ => return None,
    })
}

impl Form {
    fn fits(&self, literal: &str) -> bool {
        let length = literal.bytes().filter(|byte| *byte != b'\'').count();
        let mut bytes = literal.bytes().filter(|byte| *byte != b'\'');
        match self {
            Self::Digits(digits) => length == *digits && bytes.all(|byte| byte.is_ascii_hexdigit()),
            Self::AtLeast(digits) => length >= *digits && bytes.all(|byte| byte.is_ascii_hexdigit()),
            Self::Fuzzy => {
                (1..=128).contains(&length)
                    && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b':' | b'.'))
            }
        }
    }
}

/// Checks values that are compared with a digest: below any `hashes`, where the last name is an algorithm. Parts of
/// digests, as in `LIKE` and `MATCHES`, are not checked.
pub(super) fn hash_values(text: &str, path: &ObjectPath, test: &PropertyTest) -> Result<(), PatternError> {
    let is_hashes = |step: &PathStep| matches!(step, PathStep::Property(name) if &**name == "hashes");
    if !path.steps.iter().any(is_hashes) {
        return Ok(());
    }
    let Some(PathStep::Property(algorithm)) = path.steps.last() else { return Ok(()) };
    let Some((form, expected)) = form(algorithm) else { return Ok(()) };
    let check = |literal: &Literal| {
        if form.fits(literal.span.text(text)) {
            return Ok(());
        }
        Err(PatternError::new(PatternErrorKind::HashValue, text, literal.span, expected))
    };
    match test {
        PropertyTest::Compare(ComparisonOperator::Like | ComparisonOperator::Matches, _) | PropertyTest::Exists => {
            Ok(())
        }
        PropertyTest::Compare(_, literal) => check(literal),
        PropertyTest::In(literals) => literals.iter().try_for_each(check),
    }
}
