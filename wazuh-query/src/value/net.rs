//! Addresses and protocols.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Reads an address, with or without a port, brackets or a zone. IPv4 written as IPv6 becomes IPv4.
///
/// ```
/// use wazuh_query::value::address;
///
/// assert_eq!(address("203.0.113.7:51000"), address("::ffff:203.0.113.7"));
/// assert_eq!(address("300.0.0.1"), None);
/// ```
pub fn address(text: &str) -> Option<IpAddr> {
    // Cheap refusal first: most texts that come here are not addresses.
    let first = text.as_bytes().first()?;
    if !(first.is_ascii_hexdigit() || matches!(first, b':' | b'[')) {
        return None;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !after.is_empty() && port(after.strip_prefix(':')?).is_none() {
            return None;
        }
        return ipv6(inside);
    }
    if let Ok(address) = Ipv4Addr::from_str(text) {
        return Some(address.into());
    }
    match text.split_once(':') {
        None => None,
        Some((host, after)) if !after.contains(':') => {
            port(after)?;
            Ipv4Addr::from_str(host).ok().map(IpAddr::from)
        }
        Some(_) => ipv6(text),
    }
}

fn ipv6(text: &str) -> Option<IpAddr> {
    let address = text.split_once('%').map_or(text, |(address, _zone)| address);
    Ipv6Addr::from_str(address).ok().map(|address| IpAddr::from(address).to_canonical())
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok()
}

/// Reads a MAC address in any notation with six octets: `0a:1b:2c:3d:4e:5f`, `0A-1B-…`, `0a1b.2c3d.4e5f`, bare digits.
pub fn mac(text: &str) -> Option<[u8; 6]> {
    let separators = text.bytes().filter(|byte| matches!(byte, b':' | b'-' | b'.' | b' ')).count();
    if text.len() != 12 + separators || !matches!(separators, 0 | 2 | 5) {
        return None;
    }
    let mut octets = [0_u8; 6];
    let mut digits = 0;
    for char in text.chars() {
        let Some(digit) = char.to_digit(16) else {
            // A separator stands between octets only: after every fourth digit (Cisco) or every second one.
            let step = if separators == 2 { 4 } else { 2 };
            if !matches!(char, ':' | '-' | '.' | ' ') || digits == 0 || digits % step != 0 {
                return None;
            }
            continue;
        };
        let octet = octets.get_mut(digits / 2)?;
        *octet = *octet << 4 | u8::try_from(digit).ok()?;
        digits += 1;
    }
    (digits == 12).then_some(octets)
}

/// Protocols that alerts name by a group of their rule only.
pub const PROTOCOLS_OF_RULE_GROUPS: &[(&str, &[&str])] =
    &[("ssh", &["sshd"]), ("smb", &["smbd"]), ("ftp", &["ftpd", "msftp", "proftpd", "vsftpd", "pure-ftpd"])];

/// A MAC address as STIX writes it: lower case, octets joined with colons.
pub fn mac_text(octets: [u8; 6]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(17);
    for (place, octet) in octets.into_iter().enumerate() {
        if place > 0 {
            out.push(':');
        }
        out.push(char::from(DIGITS[usize::from(octet >> 4)]));
        out.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
    out
}

// The IANA special-purpose address registries (RFC 6890 and updates): what is not globally reachable. Shared address
// space (100.64.0.0/10, RFC 6598) belongs to carriers, not to the site, and so is searched.
const PRIVATE_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([240, 0, 0, 0], 4),
];
/// 192.0.0.9 and 192.0.0.10 (port control and relay anycast) are reachable although their network is not.
const REACHABLE_V4: &[Ipv4Net] = &[v4([192, 0, 0, 9], 32), v4([192, 0, 0, 10], 32)];
const PRIVATE_V6: &[Ipv6Net] = &[
    v6([0, 0, 0, 0, 0, 0, 0, 0], 127), // :: and ::1
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
];
const REACHABLE_V6: &[Ipv6Net] = &[
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128),
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28),
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28),
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), prefix)
}

const fn v6(s: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]), prefix)
}

/// Whether an address is not globally reachable, so that every site has it and finding it says nothing.
///
/// An IPv4 address written as IPv6 is judged as IPv4. Shared address space (100.64.0.0/10) counts as reachable.
pub fn is_private(address: IpAddr) -> bool {
    is_private_network(IpNet::from(address.to_canonical()))
}

/// Whether a whole network is not globally reachable.
pub fn is_private_network(network: IpNet) -> bool {
    match network {
        IpNet::V4(network) => {
            let within = |networks: &[Ipv4Net]| networks.iter().any(|other| other.contains(&network));
            within(PRIVATE_V4) && !within(REACHABLE_V4)
        }
        IpNet::V6(network) => {
            let within = |networks: &[Ipv6Net]| networks.iter().any(|other| other.contains(&network));
            within(PRIVATE_V6) && !within(REACHABLE_V6)
        }
    }
}

/// HTTP methods, which web access logs have in the field of the protocol.
const METHODS: &[&str] = &["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE", "PROPFIND"];

/// The lower-case name of a protocol, numbers of the IANA registry translated.
pub fn protocol_name(text: &str) -> Option<String> {
    let name = match text.trim() {
        "" | "-" => return None,
        "1" => "icmp",
        "2" => "igmp",
        "6" => "tcp",
        "17" => "udp",
        "41" => "ipv6",
        "47" => "gre",
        "50" => "esp",
        "51" => "ah",
        "58" => "ipv6-icmp",
        "89" => "ospf",
        "132" => "sctp",
        other => other,
    };
    // STIX protocols are names of the IANA service registry; a sentence or a number without a name is neither.
    let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | '/');
    if METHODS.iter().any(|method| method.eq_ignore_ascii_case(name)) {
        return None;
    }
    let named = name.len() <= 30 && name.chars().all(is_name) && name.chars().any(|char| char.is_ascii_alphabetic());
    named.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_notations() {
        let wanted = Some([0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f]);
        for text in ["0a:1b:2c:3d:4e:5f", "0A-1B-2C-3D-4E-5F", "0a1b.2c3d.4e5f", "0A1B2C3D4E5F"] {
            assert_eq!(mac(text), wanted, "{text}");
        }
        for text in
            ["", "0a:1b:2c:3d:4e", "0a:1b:2c:3d:4e:5g", "0a1:b2:c3:d4:e5:f", "::::::::::::::::::", "0a1b2c3d4e5f6"]
        {
            assert_eq!(mac(text), None, "{text}");
        }
        assert_eq!(mac_text([0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f]), "0a:1b:2c:3d:4e:5f");
    }

    #[test]
    fn private_addresses() {
        let private = ["10.1.2.3", "192.168.1.1", "::1", "fe80::1", "2001:db8::1", "::ffff:10.0.0.1", "203.0.113.9"];
        for text in private {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "100.64.0.1", "192.0.0.9", "::ffff:8.8.8.8", "2a00:1450::1", "224.0.0.1"] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
        assert!(is_private_network("10.0.0.0/9".parse().unwrap()));
        assert!(!is_private_network("0.0.0.0/0".parse().unwrap()));
    }

    #[test]
    fn protocols() {
        assert_eq!(protocol_name("6").as_deref(), Some("tcp"));
        assert_eq!(protocol_name("TCP").as_deref(), Some("tcp"));
        assert_eq!(protocol_name("HTTP/1.1").as_deref(), Some("http/1.1"));
        assert_eq!(protocol_name("250"), None);
    }
}
