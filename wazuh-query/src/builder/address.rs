//! IP and MAC addresses.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Draft, NotSearchable, Note, Query, QueryBuilder, required};
use crate::dsl::{Clause, FieldSet};
use crate::value;

impl QueryBuilder {
    /// An address or a network.
    pub(super) fn address(&self, value: &str, notes: &mut Vec<Note>) -> Draft {
        let value = required(value, "value")?;
        if value.contains('/') {
            return self.network(value, notes);
        }
        let Some(address) = value::address(value) else {
            return Err(NotSearchable::Invalid { value: super::reason::shown(value), expected: "an address" });
        };
        if self.options.ignore_private_addrs && value::is_private(address) {
            return Err(NotSearchable::PrivateAddress(address.to_string()));
        }
        let mut queries = Self::address_in(&self.fields.ip, &self.fields.ip_typed, address, Some(value));
        if self.options.lookup_agent_ip {
            queries.extend(Self::address_in(&self.fields.agent_ip, &self.fields.agent_ip_typed, address, None));
        }
        queries.push(Self::address_with_port(&self.fields.ip_with_port, address));
        queries.push(Self::dns_answer(&self.fields.dns_results, address));
        if self.options.lookup_hosts_in_urls {
            queries.extend(self.url_host(&url_host(address)));
        }
        Ok(queries)
    }

    /// An address in fields that hold nothing else.
    pub(super) fn address_in(
        keyword: &FieldSet,
        typed: &FieldSet,
        address: IpAddr,
        as_stored: Option<&str>,
    ) -> Vec<Query> {
        let spellings = spellings(address).into_iter().chain(as_stored.map(str::to_owned));
        vec![Self::exact(keyword, spellings), Query::any_field(typed, Clause::term(address.to_string()))]
    }

    /// An address before a port.
    pub(super) fn address_with_port(fields: &FieldSet, address: IpAddr) -> Query {
        let value = match address {
            IpAddr::V4(address) => format!("{address}:"),
            IpAddr::V6(address) => format!("[{address}]:"),
        };
        Query::any_field(fields, Clause::Prefix { value, case_insensitive: true })
    }

    /// An address among the answers that Sysmon lists: `::ffff:203.0.113.5;2001:db8::1;`.
    fn dns_answer(fields: &FieldSet, address: IpAddr) -> Query {
        let text = crate::regexp::escape(&address.to_string());
        let mapped = if address.is_ipv4() { "(::ffff:)?" } else { "" };
        Self::regexp(fields, format!("(.*; *)?{mapped}{text} *(;.*)?"), true)
    }

    fn network(&self, value: &str, notes: &mut Vec<Note>) -> Draft {
        let Ok(network) = value.parse::<IpNet>() else {
            return Err(NotSearchable::Invalid { value: super::reason::shown(value), expected: "a network" });
        };
        let network = network.trunc();
        if network.prefix_len() == 0 {
            return Err(NotSearchable::TooBroad("every address is in this network"));
        }
        if self.options.ignore_private_addrs && value::is_private_network(network) {
            return Err(NotSearchable::PrivateAddress(network.to_string()));
        }
        let mut keyword = vec![&self.fields.ip];
        let mut typed = vec![&self.fields.ip_typed];
        if self.options.lookup_agent_ip {
            keyword.push(&self.fields.agent_ip);
            typed.push(&self.fields.agent_ip_typed);
        }
        let mut queries: Vec<Query> =
            typed.into_iter().map(|fields| Query::any_field(fields, Clause::term(network.to_string()))).collect();
        let expression = match network {
            IpNet::V4(network) => Some(network_v4(network)),
            IpNet::V6(network) => network_v6(network),
        };
        match expression {
            Some(expression) => {
                let answer = format!("(.*; *)?({expression}) *(;.*)?");
                queries.push(Self::regexp(&self.fields.dns_results, answer, true));
                let with_port =
                    Self::regexp(&self.fields.ip_with_port, format!(r"\[?({expression})(\]?:[0-9]+)?"), true);
                let fields = keyword.into_iter();
                queries.extend(fields.map(|fields| Self::regexp(fields, expression.clone(), true)));
                queries.push(with_port);
            }
            None => notes.push(Note::OnlyAddressFields(network.to_string())),
        }
        Ok(queries)
    }

    /// A MAC address.
    pub(super) fn mac_addr(&self, value: &str) -> Draft {
        Ok(vec![self.mac_in(&self.fields.mac, value)?])
    }

    pub(super) fn mac_in(&self, fields: &FieldSet, value: &str) -> Result<Query, NotSearchable> {
        let value = required(value, "value")?;
        let Some(octets) = value::mac(value) else {
            return Err(NotSearchable::Invalid { value: super::reason::shown(value), expected: "a MAC address" });
        };
        let colons = value::mac_text(octets);
        if !self.options.lookup_mac_variants {
            return Ok(Self::exact(fields, [colons]));
        }
        let bare = colons.replace(':', "");
        let dotted = format!("{}.{}.{}", &bare[..4], &bare[4..8], &bare[8..]);
        let variants = [colons.clone(), bare, dotted, colons.replace(':', "-")];
        let both_cases = variants.into_iter().flat_map(|variant| [variant.to_ascii_uppercase(), variant]);
        let mut values: Vec<String> = both_cases.collect();
        values.sort_unstable_by(|one, other| other.cmp(one));
        Ok(Self::exact(fields, values))
    }
}

/// The host part of a URL for an address.
fn url_host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// The spellings in which producers write an address into a text field.
///
/// IPv6: the recommended form (RFC 5952), all groups without leading zeros (Java), all groups in full (Suricata),
/// each in both cases. IPv4: also written as IPv6, as dual-stack sockets do.
pub(crate) fn spellings(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => {
            let plain = address.to_string();
            // Some decoders leave a blank before the value.
            let padded = format!(" {plain}");
            vec![plain.clone(), format!("::ffff:{plain}"), format!("::FFFF:{plain}"), padded]
        }
        IpAddr::V6(address) => {
            let groups = address.segments();
            let joined = |write: &dyn Fn(u16) -> String| groups.map(write).join(":");
            let forms =
                [address.to_string(), joined(&|group| format!("{group:x}")), joined(&|group| format!("{group:04x}"))];
            let short = forms[0].clone();
            let mut forms: Vec<String> =
                forms.into_iter().flat_map(|form| [form.clone(), form.to_ascii_uppercase()]).collect();
            if short.ends_with("::") {
                forms.push(format!("{short}0"));
            }
            forms
        }
    }
}

/// An expression for the addresses of a network, each written as four decimal numbers.
pub(crate) fn network_v4(network: Ipv4Net) -> String {
    let low = network.network().octets();
    let high = network.broadcast().octets();
    let groups = low.into_iter().zip(high).map(|(low, high)| match (low, high) {
        (low, high) if low == high => low.to_string(),
        (0, 255) => "[0-9]+".to_owned(),
        (low, high) => format!("<{low}-{high}>"),
    });
    format!(r"(::ffff:)?{}", groups.collect::<Vec<_>>().join(r"\."))
}

/// An expression for the addresses of a network, if the text can tell them: the prefix ends between two groups, and
/// none of its groups is zero and so perhaps abbreviated.
pub(crate) fn network_v6(network: Ipv6Net) -> Option<String> {
    let groups = network.network().segments();
    let whole = usize::from(network.prefix_len() / 16);
    let fixed = groups.get(..whole)?;
    if !network.prefix_len().is_multiple_of(16) || fixed.contains(&0) {
        return None;
    }
    let prefix = fixed.iter().fold(String::new(), |prefix, group| prefix + &format!("0*{group:x}:"));
    let prefix =
        if whole == groups.len() { prefix.trim_end_matches(':').to_owned() } else { format!("{prefix}[0-9a-f:.]*") };
    Some(prefix)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::regexp::Regexp;

    #[test]
    fn networks_as_text() {
        for (network, inside, outside) in [
            ("198.51.100.0/24", &["198.51.100.0", "::ffff:198.51.100.255"][..], &["198.51.101.1", "1198.51.100.1"][..]),
            ("198.51.100.128/25", &["198.51.100.128", "198.51.100.255"], &["198.51.100.127", "198.51.100.1"]),
            ("8.0.0.0/6", &["8.1.2.3", "11.0.0.1"], &["12.0.0.1", "80.1.2.3"]),
            ("8.8.8.8/32", &["8.8.8.8"], &["8.8.8.80"]),
        ] {
            let regexp = Regexp::new(&network_v4(network.parse().unwrap()), true).unwrap();
            for address in inside {
                assert!(regexp.matches(address), "{network} {address}");
            }
            for address in outside {
                assert!(!regexp.matches(address), "{network} {address}");
            }
        }
        let expression = network_v6("2001:db8::/32".parse().unwrap()).unwrap();
        let regexp = Regexp::new(&expression, true).unwrap();
        assert!(
            regexp.matches("2001:DB8::1") && regexp.matches("2001:0db8:0000::1") && !regexp.matches("2001:db80::1")
        );
        assert_eq!(network_v6("2001:db8::/33".parse().unwrap()), None);
    }

    #[test]
    fn spellings_of_producers() {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
        let forms = spellings(address);
        for form in ["2001:db8::1", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", "2001:0DB8:0000:0000:0000:0000:0000:0001"] {
            assert!(forms.iter().any(|known| known == form), "{form}");
        }
        assert_eq!(
            spellings(Ipv4Addr::new(8, 8, 8, 8).into()),
            ["8.8.8.8", "::ffff:8.8.8.8", "::FFFF:8.8.8.8", " 8.8.8.8"]
        );
    }
}
