//! Texts that mean the same although they are written differently.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::network::Network;

/// What a text of a pattern and a text of an object have in common besides being the same characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Normalisation {
    /// Nothing was needed.
    AsWritten,
    /// Compared without regard to case.
    CaseFolded,
    /// Addresses and networks in their canonical text.
    Address,
    /// MAC addresses without regard to their notation.
    MacNotation,
    /// Unicode normalisation form C.
    Nfc,
    /// One network inside the other.
    Network,
    /// Compared as bytes.
    Bytes,
    /// A text as a point in time.
    Timestamp,
}

impl fmt::Display for Normalisation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AsWritten => "as written",
            Self::CaseFolded => "case folded",
            Self::Address => "canonical address",
            Self::MacNotation => "MAC notation",
            Self::Nfc => "NFC",
            Self::Network => "network contains",
            Self::Bytes => "as bytes",
            Self::Timestamp => "as a point in time",
        })
    }
}

/// What is known about the texts of a property, as far as it matters for comparing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Nothing.
    Plain,
    /// A digest in hexadecimal digits.
    Hash,
    /// A host or domain name.
    Domain,
    /// An address or network.
    Address,
    /// A MAC address.
    Mac,
    /// An e-mail address: the part behind the `@` is a domain.
    Email,
}

impl Class {
    /// Of the property `value` of a type.
    pub(super) fn of_value(object_type: &str) -> Self {
        match object_type {
            "ipv4-addr" | "ipv6-addr" => Self::Address,
            "domain-name" | "hostname" => Self::Domain,
            "mac-addr" => Self::Mac,
            "email-addr" => Self::Email,
            _ => Self::Plain,
        }
    }

    /// One text for all that are the same value.
    pub(super) fn fold(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => nfc(text),
            Self::Hash => ascii_lower(text),
            Self::Domain => {
                let text = text.strip_suffix('.').unwrap_or(text);
                if text.is_ascii() { ascii_lower(text) } else { Cow::Owned(text.to_lowercase().nfc().collect()) }
            }
            Self::Address => match Network::parse(text) {
                Some(network) => {
                    let canonical = network.to_string();
                    if canonical == text { Cow::Borrowed(text) } else { Cow::Owned(canonical) }
                }
                None => ascii_lower(text),
            },
            Self::Mac => mac(text),
            Self::Email => match text.rsplit_once('@') {
                Some((local, domain)) => match Self::Domain.fold(domain) {
                    Cow::Borrowed(folded) if folded.len() == domain.len() => nfc(text),
                    folded => Cow::Owned(format!("{}@{folded}", nfc(local))),
                },
                None => nfc(text),
            },
        }
    }

    /// How two texts that are not the same became the same.
    pub(super) fn normalisation(self) -> Normalisation {
        match self {
            Self::Plain => Normalisation::Nfc,
            Self::Hash | Self::Domain | Self::Email => Normalisation::CaseFolded,
            Self::Address => Normalisation::Address,
            Self::Mac => Normalisation::MacNotation,
        }
    }
}

/// Unicode normalisation form C.
pub(super) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn ascii_lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Six or eight pairs of digits with colons, whatever separates them in the text.
fn mac(text: &str) -> Cow<'_, str> {
    let is_canonical = text.len() == 17
        && text.bytes().enumerate().all(|(place, byte)| match place % 3 {
            2 => byte == b':',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    if is_canonical {
        return Cow::Borrowed(text);
    }
    let digits: String = text.chars().filter(|char| !matches!(char, ':' | '-' | '.' | ' ')).collect();
    if !matches!(digits.len(), 12 | 16) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return ascii_lower(text);
    }
    let mut folded = String::with_capacity(digits.len() / 2 * 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            folded.push(':');
        }
        folded.push(digit.to_ascii_lowercase());
    }
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        for (class, text, folded) in [
            (Class::Hash, "44D88612FEA8", "44d88612fea8"),
            (Class::Domain, "WWW.Evil.Example.", "www.evil.example"),
            (Class::Domain, "BÜCHER.example", "bücher.example"),
            (Class::Address, "2001:DB8:0:0::1", "2001:db8::1"),
            (Class::Address, "198.51.100.7/32", "198.51.100.7"),
            (Class::Address, "Not-An-Address", "not-an-address"),
            (Class::Mac, "D2-FB-49-24-37-18", "d2:fb:49:24:37:18"),
            (Class::Mac, "d2fb.4924.3718", "d2:fb:49:24:37:18"),
            (Class::Mac, "D2FB49243718", "d2:fb:49:24:37:18"),
            (Class::Mac, "D2FB", "d2fb"),
            (Class::Email, "Billing@Evil.Example", "Billing@evil.example"),
            (Class::Email, "No Address", "No Address"),
            (Class::Plain, "d\u{323}\u{307}", "\u{1e0d}\u{307}"),
            (Class::Plain, "As Written", "As Written"),
        ] {
            assert_eq!(class.fold(text), folded, "{class:?}");
            assert_eq!(class.fold(&class.fold(text)), folded, "{class:?} twice");
        }
    }
}
