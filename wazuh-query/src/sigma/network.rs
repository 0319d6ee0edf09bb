//! Networks: modifier `cidr`.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::value;

/// Whether a text is an address in a network, with or without a port.
///
/// An IPv4 address written as IPv6 is in an IPv4 network, if it is written as producers do: `::ffff:192.0.2.1`.
pub(super) fn contains(network: &IpNet, text: &str) -> bool {
    let Some(address) = text.parse::<IpAddr>().ok().or_else(|| value::address(text)) else { return false };
    let address = address.to_canonical();
    let is_plain = text.find(['.', ':']).is_some_and(|place| text.as_bytes().get(place) == Some(&b'.'));
    let is_mapped =
        text.contains('.') && text.get(..MAPPED.len()).is_some_and(|start| start.eq_ignore_ascii_case(MAPPED));
    (address.is_ipv6() || is_plain || is_mapped) && network.contains(&address)
}

/// How producers write that an IPv4 address follows.
pub(super) const MAPPED: &str = "::ffff:";

/// Reads a network; an address alone is a network of one.
pub(super) fn read(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(network.trunc())
}

/// A Lucene expression for the start of the texts of all addresses of an IPv4 network, in the usual notation.
pub(super) fn expression(network: Ipv4Net) -> String {
    let (low, high) = (network.network().octets(), network.broadcast().octets());
    let mut out = String::new();
    for (place, (low, high)) in low.into_iter().zip(high).enumerate() {
        if place > 0 {
            out.push_str(r"\.");
        }
        match (low, high) {
            (0, 255) => {
                out.push_str(".*");
                break;
            }
            _ if low == high => out.push_str(&low.to_string()),
            _ => out.push_str(&format!("<{low}-{high}>")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regexp::Regexp;

    #[test]
    fn members() {
        let network = read("192.0.2.128/25").unwrap();
        for (text, wanted) in [
            ("192.0.2.200", true),
            ("192.0.2.5", false),
            ("::ffff:192.0.2.200", true),
            ("::ffff:c000:2c8", false),
            ("192.0.2.200:443", true),
            ("not an address", false),
        ] {
            assert_eq!(contains(&network, text), wanted, "{text}");
        }
        assert!(contains(&read("2001:db8::/32").unwrap(), "2001:0DB8:0:0:0:0:0:7"));
        assert!(contains(&read("10.1.2.3").unwrap(), "10.1.2.3"));
        assert_eq!(read("10.0.0.0/33"), None);
    }

    #[test]
    fn expressions() {
        let expression = |text: &str| expression(text.parse::<Ipv4Net>().unwrap());
        assert_eq!(expression("10.0.0.0/8"), r"10\..*");
        assert_eq!(expression("172.16.0.0/12"), r"172\.<16-31>\..*");
        assert_eq!(expression("192.0.2.128/25"), r"192\.0\.2\.<128-255>");
        assert_eq!(expression("192.0.2.7/32"), r"192\.0\.2\.7");
        assert_eq!(expression("0.0.0.0/0"), ".*");
        let network = Regexp::new(&expression("172.16.0.0/12"), false).unwrap();
        assert!(network.matches("172.31.255.1") && !network.matches("172.32.0.1"));
    }
}
