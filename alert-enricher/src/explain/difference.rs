//! How a value of an alert differs from that of an indicator.

use std::fmt;

use serde::Serialize;

use crate::indicator::{Key, Kind};

/// How a value of an alert differs from that of an indicator, the closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// A name below the domain, and sub-domains are not matched.
    BelowDomain,
    /// A domain above the name.
    AboveDomain,
    /// A URL of the same host with another path.
    SameHost,
    /// Another mailbox of the same domain.
    SameMailDomain,
    /// A file of the same name somewhere else.
    SameName,
    /// A path or key above that of the indicator.
    Above,
    /// An address of the same /24 or /64 network.
    NearNetwork,
    /// Another value.
    Other,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BelowDomain => "a name below the domain, and sub-domains are not matched",
            Self::AboveDomain => "a domain above the name",
            Self::SameHost => "the same host, but another path",
            Self::SameMailDomain => "the same domain, but another mailbox",
            Self::SameName => "the same name, but another place",
            Self::Above => "lies above it",
            Self::NearNetwork => "a neighbour of it",
            Self::Other => "another value",
        })
    }
}

/// How a value that is not the wanted one differs from it. Both are in their normal form.
pub(super) fn difference(wanted: &Key, seen: &Key) -> Difference {
    let (kind, wanted, seen) = match (wanted, seen) {
        (Key::Network(wanted), Key::Network(seen)) => {
            let around = if wanted.addr().is_ipv4() { 24 } else { 64 };
            let near = ipnet::IpNet::new(wanted.addr(), around.min(wanted.prefix_len()))
                .is_ok_and(|network| network.trunc().contains(&seen.addr()));
            return if near { Difference::NearNetwork } else { Difference::Other };
        }
        (Key::Text(kind, wanted), Key::Text(_, seen)) => (*kind, &**wanted, &**seen),
        _ => return Difference::Other,
    };
    let below = |long: &str, short: &str, separators: &[char]| {
        long.strip_prefix(short).is_some_and(|rest| rest.starts_with(separators))
    };
    let last = |path: &str| path.rsplit(['/', '\\']).next().map(str::to_owned);
    match kind {
        Kind::Domain if seen.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.')) => Difference::BelowDomain,
        Kind::Domain if wanted.strip_suffix(seen).is_some_and(|rest| rest.ends_with('.')) => Difference::AboveDomain,
        Kind::Url if host(wanted).is_some() && host(wanted) == host(seen) => Difference::SameHost,
        Kind::Email => {
            let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
            if domain(wanted) == domain(seen) { Difference::SameMailDomain } else { Difference::Other }
        }
        Kind::File if last(wanted) == last(seen) => Difference::SameName,
        Kind::File | Kind::Directory | Kind::RegistryKey if below(wanted, seen, &['/', '\\']) => Difference::Above,
        Kind::RegistryKey if last(wanted) == last(seen) => Difference::SameName,
        _ => Difference::Other,
    }
}

fn host(url: &str) -> Option<&str> {
    url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#', ':']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, wanted: &str, seen: &str, expected: Difference) {
        let key = |text| Key::new(kind, text).unwrap();
        assert_eq!(difference(&key(wanted), &key(seen)), expected);
    }

    #[test]
    fn what_is_close_is_called_so() {
        check(Kind::Domain, "evil.example", "www.evil.example", Difference::BelowDomain);
        check(Kind::Domain, "www.evil.example", "evil.example", Difference::AboveDomain);
        check(Kind::Domain, "evil.example", "notevil.example", Difference::Other);
        check(Kind::Url, "http://evil.example/a", "https://evil.example:8080/b", Difference::SameHost);
        check(Kind::Email, "kim@evil.example", "lee@evil.example", Difference::SameMailDomain);
        check(Kind::File, r"C:\Temp\a.exe", r"D:\x\A.EXE", Difference::SameName);
        check(Kind::Directory, "/opt/x/y", "/opt/x", Difference::Above);
        check(Kind::Directory, "/opt/xy", "/opt/x", Difference::Other);
        check(Kind::Address, "198.51.100.7", "198.51.100.9", Difference::NearNetwork);
        check(Kind::Address, "198.51.100.7", "198.51.101.7", Difference::Other);
        check(Kind::Address, "198.51.100.7", "2001:db8::1", Difference::Other);
    }
}
