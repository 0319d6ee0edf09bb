//! Digests.

use std::borrow::Cow;

use crate::catalogue::HashAlgorithm;

/// The digests of empty input. They identify nothing: every empty file has them.
const EMPTY_INPUT: &[&str] = &[
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
];

/// Whether a normalized digest is that of empty input.
pub fn is_empty_input_digest(digest: &str) -> bool {
    EMPTY_INPUT.iter().any(|empty| empty.eq_ignore_ascii_case(digest))
}

/// Brings a digest to its normal form. `None` when the text is no digest of this algorithm, or consists of zeros
/// only, as producers write where they have none.
pub fn normalize_hash(algorithm: HashAlgorithm, text: &str) -> Option<Cow<'_, str>> {
    let length = match algorithm {
        HashAlgorithm::Md5 | HashAlgorithm::Imphash => 32,
        HashAlgorithm::Sha1 => 40,
        HashAlgorithm::Sha256 => 64,
        HashAlgorithm::Sha512 => 128,
        HashAlgorithm::Ssdeep => return (text.matches(':').count() == 2).then_some(Cow::Borrowed(text)),
        HashAlgorithm::Tlsh => {
            let digits = text.strip_prefix("T1").or_else(|| text.strip_prefix("t1")).unwrap_or(text);
            return (digits.len() == 70 && is_hexadecimal(digits)).then(|| text.to_ascii_uppercase().into());
        }
    };
    if text.len() != length || !is_hexadecimal(text) || text.bytes().all(|byte| byte == b'0') {
        return None;
    }
    // Digests are written in one case throughout. One that is not can be found only as it was written.
    let has = |wanted: fn(&u8) -> bool| text.as_bytes().iter().any(&wanted);
    let upper = has(u8::is_ascii_uppercase) && !has(u8::is_ascii_lowercase);
    Some(if upper { text.to_ascii_lowercase().into() } else { text.into() })
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The algorithm of a hexadecimal digest, by its length.
pub(super) fn by_length(text: &str) -> Option<HashAlgorithm> {
    match text.len() {
        32 => Some(HashAlgorithm::Md5),
        40 => Some(HashAlgorithm::Sha1),
        64 => Some(HashAlgorithm::Sha256),
        128 => Some(HashAlgorithm::Sha512),
        _ => None,
    }
}

/// The members of Sysmon's list `SHA1=…,MD5=…`. A bare digest, as event 15 has it, is a list of one.
pub(super) fn list(text: &str) -> impl Iterator<Item = (HashAlgorithm, &str)> {
    text.split([',', ';']).filter_map(|member| match member.split_once('=') {
        Some((name, digest)) => {
            let name = name.trim();
            let algorithm = [
                ("SHA256", HashAlgorithm::Sha256),
                ("SHA1", HashAlgorithm::Sha1),
                ("MD5", HashAlgorithm::Md5),
                ("IMPHASH", HashAlgorithm::Imphash),
                ("SHA512", HashAlgorithm::Sha512),
            ]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some((algorithm.1, digest.trim()))
        }
        None => by_length(member.trim()).map(|algorithm| (algorithm, member.trim())),
    })
}
