//! Hash values by algorithm (STIX 2.1, section 2.7).

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hash values in the order they were given, one per algorithm.
///
/// Algorithm names are normalised to the spelling of the STIX vocabulary (`sha256` becomes `SHA-256`); names outside it
/// are kept. Values are kept as given: identifiers are computed over them, so use lower-case digits.
///
/// ```
/// use stix_model::Hashes;
///
/// let hashes: Hashes = [("sha256", "e3b0c442"), ("md5", "d41d8cd9")].into_iter().collect();
/// assert_eq!(hashes.get("SHA-256"), Some("e3b0c442"));
/// assert_eq!(hashes.preferred(), Some(("MD5", "d41d8cd9")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hashes(Vec<(Cow<'static, str>, String)>);

/// The hash that identifies a file is the first of these that is known.
const PREFERRED: [&str; 4] = ["MD5", "SHA-1", "SHA-256", "SHA-512"];

/// Insertion is linear, so input with absurdly many algorithms is refused.
const MAX_ALGORITHMS: usize = 256;

impl Hashes {
    /// No hashes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a hash, replacing the value of the same algorithm.
    pub fn insert(&mut self, algorithm: &str, value: impl Into<String>) {
        let (algorithm, value) = (canonical_name(algorithm), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == algorithm) {
            Some(entry) => entry.1 = value,
            None => self.0.push((algorithm, value)),
        }
    }

    /// The value for an algorithm, in any spelling of its name.
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        let algorithm = canonical_name(algorithm);
        self.0.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_str())
    }

    /// All pairs of algorithm and value, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(algorithm, value)| (&**algorithm, value.as_str()))
    }

    /// True if there are no hashes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of hashes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The hash that identifies the content: MD5, SHA-1, SHA-256 or SHA-512, whichever comes first in this list, else
    /// the first one given.
    pub fn preferred(&self) -> Option<(&str, &str)> {
        let known = PREFERRED.iter().find_map(|name| self.get(name).map(|value| (*name, value)));
        known.or_else(|| self.iter().next())
    }
}

/// The vocabulary's spelling of an algorithm name; unknown names are returned unchanged.
pub(crate) fn canonical_name(algorithm: &str) -> Cow<'static, str> {
    let mut folded = [0; 12];
    let mut length = 0;
    for byte in algorithm.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')) {
        let Some(slot) = folded.get_mut(length) else { return Cow::Owned(algorithm.to_owned()) };
        *slot = byte.to_ascii_uppercase();
        length += 1;
    }
    Cow::Borrowed(match folded.get(..length) {
        Some(b"MD5") => "MD5",
        Some(b"SHA1") => "SHA-1",
        Some(b"SHA224") => "SHA-224",
        Some(b"SHA256") => "SHA-256",
        Some(b"SHA384") => "SHA-384",
        Some(b"SHA512") => "SHA-512",
        Some(b"SHA3224") => "SHA3-224",
        Some(b"SHA3256") => "SHA3-256",
        Some(b"SHA3384") => "SHA3-384",
        Some(b"SHA3512") => "SHA3-512",
        Some(b"SSDEEP") => "SSDEEP",
        Some(b"SDHASH") => "SDHASH",
        Some(b"TLSH") => "TLSH",
        Some(b"LZJD") => "LZJD",
        Some(b"RIPEMD160") => "RIPEMD-160",
        _ => return Cow::Owned(algorithm.to_owned()),
    })
}

impl<A: AsRef<str>, V: Into<String>> FromIterator<(A, V)> for Hashes {
    fn from_iter<I: IntoIterator<Item = (A, V)>>(pairs: I) -> Self {
        let mut hashes = Self::new();
        for (algorithm, value) in pairs {
            hashes.insert(algorithm.as_ref(), value);
        }
        hashes
    }
}

impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Null and empty values are dropped.
impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Hashes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hash values by algorithm")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Hashes, A::Error> {
                let mut hashes = Hashes::new();
                let mut entries = 0;
                while let Some((algorithm, value)) = map.next_entry::<String, Option<String>>()? {
                    entries += 1;
                    if entries > MAX_ALGORITHMS {
                        return Err(de::Error::custom("more than 256 hash algorithms"));
                    }
                    match value {
                        Some(value) if !value.is_empty() => hashes.insert(&algorithm, value),
                        _ => {}
                    }
                }
                Ok(hashes)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
