//! Addresses and networks of both families.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network, or an address as the network of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network {
    /// The bits of the first address, in the low 32 bits for IPv4.
    bits: u128,
    prefix: u8,
    is_v6: bool,
}

impl Network {
    /// Reads `198.51.100.7`, `198.51.100.0/24` and the same of IPv6. Host bits are cut off.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, is_v6) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), false),
            IpAddr::V6(address) => (u128::from(address), true),
        };
        let width = if is_v6 { 128 } else { 32 };
        let prefix = match prefix {
            None => width,
            Some(digits) if (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= width)?
            }
            Some(_) => return None,
        };
        Some(Self { bits: bits & mask(width, prefix), prefix, is_v6 })
    }

    fn width(self) -> u8 {
        if self.is_v6 { 128 } else { 32 }
    }

    /// Whether every address of `other` is one of these.
    pub(super) fn contains(self, other: Self) -> bool {
        self.is_v6 == other.is_v6
            && self.prefix <= other.prefix
            && other.bits & mask(self.width(), self.prefix) == self.bits
    }
}

/// Ones where the network is, in the low bits of a number.
fn mask(width: u8, prefix: u8) -> u128 {
    let all = u128::MAX >> (128 - width);
    let hosts = u128::MAX.checked_shr(u32::from(128 - width) + u32::from(prefix)).unwrap_or(0);
    all & !hosts
}

impl fmt::Display for Network {
    /// The canonical text: lower case, IPv6 as short as it gets, the prefix only where it says something.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_v6 {
            write!(formatter, "{}", Ipv6Addr::from(self.bits))?;
        } else {
            // The upper bits are zero.
            write!(formatter, "{}", Ipv4Addr::from(u32::try_from(self.bits).unwrap_or_default()))?;
        }
        if self.prefix < self.width() {
            write!(formatter, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(outer: &str, inner: &str, expected: bool) {
        let [outer, inner] = [outer, inner].map(|text| Network::parse(text).expect(text));
        assert_eq!(outer.contains(inner), expected, "{outer} {inner}");
    }

    #[test]
    fn containment() {
        check("11.22.41.123/20", "11.22.33.44", true);
        check("11.22.123.41/20", "11.22.33.44", false);
        check("0.0.0.0/0", "255.255.255.255", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "2001:db8::/32", true);
        check("::/0", "10.0.0.1", false);
        check("2001:db8:dead:beef::/64", "2001:db8:dead:beef::1", true);
        check("2001:db8:dead:bee0::/64", "2001:db8:dead:beef::1", false);
        check("10.0.0.0/8", "10.0.0.0/8", true);
        check("10.0.0.0/9", "10.0.0.0/8", false);
        check("10.0.0.1/32", "10.0.0.1", true);
    }

    #[test]
    fn canonical_text() {
        for (text, canonical) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("2001:DB8:0:0::0001", "2001:db8::1"),
            ("2001:DB8::1/128", "2001:db8::1"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(Network::parse(text).map(|network| network.to_string()).as_deref(), Some(canonical));
        }
        for text in
            ["", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/+8", "::/129", "010.0.0.1", "a/8", "10.0.0.1/8/8"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
