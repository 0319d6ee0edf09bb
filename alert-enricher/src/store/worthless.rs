//! Values that say nothing wherever they are seen: the digest of nothing, addresses that every host has.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::indicator::{Key, Kind};

/// Why a value says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WorthlessReason {
    /// The digest of empty input: every empty file has it.
    #[error("the digest of empty input")]
    EmptyInput,
    /// `0.0.0.0` or `::`.
    #[error("the unspecified address")]
    Unspecified,
    /// 127.0.0.0/8 or `::1`.
    #[error("an address of the host itself")]
    Loopback,
    /// `localhost` and what is below it.
    #[error("a name of the host itself")]
    LocalName,
    /// 255.255.255.255, and the MAC addresses of all and of none.
    #[error("a broadcast address")]
    Broadcast,
    /// 169.254.0.0/16 or `fe80::/10`.
    #[error("a link-local address")]
    LinkLocal,
    /// 224.0.0.0/4 or `ff00::/8`.
    #[error("a multicast address")]
    Multicast,
    /// A network in which almost everything is.
    #[error("a network that is too wide")]
    TooWide,
    /// Networks that sites use inside: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, `fc00::/7`.
    #[error("a private address")]
    Private,
    /// A well-known public resolver.
    #[error("a well-known resolver")]
    Resolver,
    /// The site says so.
    #[error("on the list of this site")]
    Listed,
}

impl WorthlessReason {
    /// What is refused unless told otherwise: what no site can be interested in.
    pub const DEFAULT: [Self; 8] = [
        Self::EmptyInput,
        Self::Unspecified,
        Self::Loopback,
        Self::LocalName,
        Self::Broadcast,
        Self::LinkLocal,
        Self::Multicast,
        Self::TooWide,
    ];

    /// Every reason with its name in configuration files and on the command line.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::EmptyInput, "empty-input"),
        (Self::Unspecified, "unspecified"),
        (Self::Loopback, "loopback"),
        (Self::LocalName, "local-name"),
        (Self::Broadcast, "broadcast"),
        (Self::LinkLocal, "link-local"),
        (Self::Multicast, "multicast"),
        (Self::TooWide, "too-wide"),
        (Self::Private, "private"),
        (Self::Resolver, "resolver"),
        (Self::Listed, "listed"),
    ];

    /// The reason with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(reason, _)| reason)
    }
}

/// Which values are refused.
///
/// ```
/// use alert_enricher::indicator::{Key, Kind};
/// use alert_enricher::store::{Worthless, WorthlessReason};
///
/// let worthless = Worthless::default();
/// let check = |kind, text| worthless.check(&Key::new(kind, text).unwrap());
/// assert_eq!(check(Kind::Address, "127.0.0.53"), Some(WorthlessReason::Loopback));
/// assert_eq!(check(Kind::Address, "10.1.2.3"), None);
/// ```
#[derive(Clone, Debug)]
pub struct Worthless {
    reasons: HashSet<WorthlessReason>,
    keys: HashSet<Key>,
    networks: Vec<IpNet>,
}

impl Default for Worthless {
    fn default() -> Self {
        Self::new(WorthlessReason::DEFAULT)
    }
}

/// Resolvers that anybody may ask. Their addresses are in many feeds, because malware asks them, too.
const RESOLVERS: &[&str] = &[
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "149.112.112.112",
    "208.67.222.222",
    "208.67.220.220",
    "94.140.14.14",
    "94.140.15.15",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2620:fe::fe",
    "2620:fe::9",
];

impl Worthless {
    /// Refuses for these reasons.
    pub fn new(reasons: impl IntoIterator<Item = WorthlessReason>) -> Self {
        Self { reasons: reasons.into_iter().collect(), keys: HashSet::new(), networks: Vec::new() }
    }

    /// Refuses nothing.
    pub fn none() -> Self {
        Self::new([])
    }

    /// Refuses for this reason, too.
    #[must_use]
    pub fn with(mut self, reason: WorthlessReason) -> Self {
        self.reasons.insert(reason);
        self
    }

    /// Refuses this value, too; of a network all addresses and networks in it.
    pub fn list(&mut self, key: Key) {
        self.reasons.insert(WorthlessReason::Listed);
        if let Key::Network(network) = key {
            self.networks.push(network);
        } else {
            self.keys.insert(key);
        }
    }

    /// Why this value is refused, if it is.
    pub fn check(&self, key: &Key) -> Option<WorthlessReason> {
        let reason = match key {
            Key::Network(network) => {
                if self.networks.iter().any(|listed| listed.contains(network)) {
                    return Some(WorthlessReason::Listed);
                }
                of_network(*network)
            }
            Key::Text(..) if self.keys.contains(key) => return Some(WorthlessReason::Listed),
            Key::Text(Kind::Domain, name) => {
                let is_local = matches!(&**name, "localhost" | "localhost.localdomain" | "ip6-localhost")
                    || name.ends_with(".localhost");
                is_local.then_some(WorthlessReason::LocalName)
            }
            Key::Text(Kind::Mac, mac) => {
                matches!(&**mac, "ff:ff:ff:ff:ff:ff" | "00:00:00:00:00:00").then_some(WorthlessReason::Broadcast)
            }
            Key::Text(..) => None,
        };
        reason.filter(|reason| self.reasons.contains(reason))
    }

    /// Whether values are refused for this reason.
    pub fn has(&self, reason: WorthlessReason) -> bool {
        self.reasons.contains(&reason)
    }
}

fn of_network(network: IpNet) -> Option<WorthlessReason> {
    // A network is worthless if all of it is.
    let (first, last) = (network.network(), network.broadcast());
    let all = |is: fn(&IpAddr) -> bool| is(&first) && is(&last);
    let widest = if first.is_ipv4() { 7 } else { 15 };
    if network.prefix_len() == network.max_prefix_len() && first.is_unspecified() {
        return Some(WorthlessReason::Unspecified);
    }
    if network.prefix_len() <= widest && !all(IpAddr::is_multicast) {
        return Some(WorthlessReason::TooWide);
    }
    Some(if all(IpAddr::is_loopback) {
        WorthlessReason::Loopback
    } else if all(IpAddr::is_multicast) {
        WorthlessReason::Multicast
    } else if all(|address| matches!(address, IpAddr::V4(address) if *address == Ipv4Addr::BROADCAST)) {
        WorthlessReason::Broadcast
    } else if all(|address| match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }) {
        WorthlessReason::LinkLocal
    } else if all(|address| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }) {
        WorthlessReason::Private
    } else if RESOLVERS.iter().any(|resolver| resolver.parse() == Ok(first)) && first == last {
        WorthlessReason::Resolver
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &str, reason: Option<WorthlessReason>) {
        let all = Worthless::new(WorthlessReason::ALL.map(|(reason, _)| reason));
        assert_eq!(all.check(&Key::new(kind, text).unwrap()), reason, "{text}");
        let default = reason.filter(|reason| WorthlessReason::DEFAULT.contains(reason));
        assert_eq!(Worthless::default().check(&Key::new(kind, text).unwrap()), default, "{text}");
        assert_eq!(Worthless::none().check(&Key::new(kind, text).unwrap()), None, "{text}");
    }

    #[test]
    fn reasons() {
        use WorthlessReason as Reason;
        check(Kind::Address, "0.0.0.0", Some(Reason::Unspecified));
        check(Kind::Address, "::", Some(Reason::Unspecified));
        check(Kind::Address, "127.1.2.3", Some(Reason::Loopback));
        check(Kind::Address, "::1", Some(Reason::Loopback));
        check(Kind::Address, "127.0.0.0/8", Some(Reason::Loopback));
        check(Kind::Address, "169.254.169.254", Some(Reason::LinkLocal));
        check(Kind::Address, "fe80::1", Some(Reason::LinkLocal));
        check(Kind::Address, "239.255.255.250", Some(Reason::Multicast));
        check(Kind::Address, "224.0.0.0/4", Some(Reason::Multicast));
        check(Kind::Address, "ff02::1", Some(Reason::Multicast));
        check(Kind::Address, "255.255.255.255", Some(Reason::Broadcast));
        check(Kind::Address, "0.0.0.0/0", Some(Reason::TooWide));
        check(Kind::Address, "198.0.0.0/7", Some(Reason::TooWide));
        check(Kind::Address, "2000::/3", Some(Reason::TooWide));
        check(Kind::Address, "192.168.7.0/24", Some(Reason::Private));
        check(Kind::Address, "8.8.8.8", Some(Reason::Resolver));
        check(Kind::Address, "198.51.100.0/24", None);
        check(Kind::Address, "11.0.0.0/8", None);
        check(Kind::Domain, "localhost", Some(Reason::LocalName));
        check(Kind::Domain, "x.localhost", Some(Reason::LocalName));
        check(Kind::Domain, "localhost.example", None);
        check(Kind::Mac, "ff-ff-ff-ff-ff-ff", Some(Reason::Broadcast));
    }

    #[test]
    fn lists_of_the_site() {
        let mut worthless = Worthless::none();
        worthless.list(Key::new(Kind::Address, "203.0.113.0/24").unwrap());
        worthless.list(Key::new(Kind::Domain, "Intranet.Example").unwrap());
        let check = |kind, text| worthless.check(&Key::new(kind, text).unwrap());
        assert_eq!(check(Kind::Address, "203.0.113.9"), Some(WorthlessReason::Listed));
        assert_eq!(check(Kind::Address, "203.0.112.0/23"), None);
        assert_eq!(check(Kind::Domain, "intranet.example"), Some(WorthlessReason::Listed));
        assert_eq!(check(Kind::Address, "127.0.0.1"), None);
    }
}
