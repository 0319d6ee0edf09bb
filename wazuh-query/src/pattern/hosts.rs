//! Addresses and names, alone and inside of longer texts.

use std::net::IpAddr;

use ipnet::IpNet;

use super::equal::{FEW, Found};
use super::lucene::Spelling;
use super::places::{Form, Mapped, Source};
use super::property::Family;
use crate::builder::{network_v4, network_v6, spellings};
use crate::dsl::Clause;
use crate::regexp::escape;
use crate::value;

/// Fields of one form that hold one of some addresses or names.
pub(super) fn equal(source: &Source, texts: &[String], found: &mut Found) {
    let any_case = Spelling { any_case: true, ..Spelling::default() };
    match source.form {
        Form::Address(family) => {
            for text in texts.iter().filter(|text| text.contains('/')) {
                if let Some(network) = network(text, family) {
                    in_network(source, network, found);
                    found.wider = true;
                }
            }
            let addresses = texts.iter().filter_map(|text| address(text, family));
            if source.mapped == Mapped::Address {
                found.terms(source, addresses.map(|address| address.to_string()));
            } else {
                found.terms(
                    source,
                    addresses.flat_map(all_spellings).chain(texts.iter().filter_map(|text| {
                        // As it was written, where that is one more spelling.
                        address(text, family).map(|_| text.clone())
                    })),
                );
            }
        }
        Form::AddressWithPort(family) => {
            // An address that has no port has no brackets either.
            let spellings = texts.iter().filter_map(|text| address(text, family)).flat_map(all_spellings);
            let spellings = spellings.map(|text| escape(&text.trim().to_ascii_lowercase()));
            found.expressions(source, spellings, r"\[?", r"(%[^\]]*)?(\]?:[0-9]+|\])?", true);
        }
        Form::AddressInAnswers(family) => {
            let spellings = texts.iter().filter_map(|text| address(text, family)).flat_map(all_spellings);
            let spellings = spellings.map(|text| escape(&text.trim().to_ascii_lowercase()));
            found.expressions(source, spellings, "(.*; *)?(type: *[0-9]+ +)?", " *(;.*)?", true);
        }
        Form::AddressInUrl(family) => {
            let hosts = texts.iter().filter_map(|text| address(text, family)).map(url_host);
            in_urls(source, hosts.collect(), found);
        }
        Form::Name { domain } => {
            let names = names(texts, domain, found);
            let dotted: Vec<String> = names.iter().map(|name| format!("{name}.")).collect();
            if names.len() <= FEW && names.iter().all(|name| name.is_ascii()) {
                found.folded(source, &names);
                found.folded(source, &dotted);
            } else {
                found.spelled(source, &names, "", r"\.?", any_case);
            }
        }
        Form::NameInAnswers { domain } => {
            let names = names(texts, domain, found);
            found.spelled(source, &names, "(.*; *)?(type: *[0-9]+ +)?", r"\.? *(;.*)?", any_case);
        }
        Form::NameInUrl => {
            // Only URLs are read whose host is in lower case, as clients send it.
            let hosts = names(texts, true, found).into_iter().filter(|name| name.is_ascii());
            in_urls(source, hosts.collect(), found);
        }
        _ => {}
    }
}

/// An address of the family that is asked for.
fn address(text: &str, family: Option<Family>) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok()?.to_canonical();
    is_of(address, family).then_some(address)
}

fn is_of(address: IpAddr, family: Option<Family>) -> bool {
    family.is_none_or(|family| address.is_ipv4() == (family == Family::V4))
}

/// A network in CIDR notation. One address is its own smallest network.
pub(super) fn network(text: &str, family: Option<Family>) -> Option<IpNet> {
    let network =
        if text.contains('/') { text.parse::<IpNet>().ok()?.trunc() } else { text.parse::<IpAddr>().ok()?.into() };
    is_of(network.addr(), family).then_some(network)
}

/// The addresses of a network.
pub(super) fn in_network(source: &Source, network: IpNet, found: &mut Found) {
    if source.mapped == Mapped::Address {
        found.push(source, Clause::term(network.to_string()));
        return;
    }
    let text = expression(network, found);
    let (before, after) = match source.form {
        Form::AddressWithPort(_) => (r"\[?", r"(%[^\]]*)?(\]?:[0-9]+|\])?"),
        Form::AddressInAnswers(_) => ("(.*; *)?(type: *[0-9]+ +)?", " *(;.*)?"),
        Form::AddressInUrl(_) => {
            found.wider = true;
            (r"https?://\[?", r"\]?([:/?#].*)?")
        }
        _ => (" ?", ""),
    };
    let value = format!("{before}({text}){after}");
    found.push(source, Clause::Regexp { value, case_insensitive: true });
}

/// An expression for the addresses of a network.
pub(super) fn expression(network: IpNet, found: &mut Found) -> String {
    match network {
        IpNet::V4(network) => {
            // Written as IPv6 in hexadecimal, which nobody does, an address is not told apart.
            format!("({}|::ffff:[0-9a-f]+:[0-9a-f]+)", network_v4(network))
        }
        IpNet::V6(network) => {
            if let Some(text) = network_v6(network) {
                text
            } else {
                found.wider = true;
                groups_of(network.network().segments(), network.prefix_len())
            }
        }
    }
}

/// An expression for all addresses that begin with the groups of a prefix that can be told: those before the first
/// one that is zero, and so perhaps abbreviated, or that the prefix cuts.
fn groups_of(segments: [u16; 8], prefix: u8) -> String {
    let told = segments.iter().take(usize::from(prefix / 16)).take_while(|group| **group != 0);
    let told = told.fold(String::new(), |text, group| text + &format!("0*{group:x}:"));
    if told.is_empty() { "[0-9a-f:.]*:[0-9a-f:.]*".to_owned() } else { format!("{told}[0-9a-f:.]*") }
}

/// The spellings of an address, and an IPv4 address written as IPv6 in hexadecimal.
fn all_spellings(address: IpAddr) -> Vec<String> {
    let mut all = spellings(address);
    if let IpAddr::V4(address) = address {
        all.push(
            address.to_ipv6_mapped().segments()[6..]
                .iter()
                .fold("::ffff".to_owned(), |text, group| text + &format!(":{group:x}")),
        );
    }
    all
}

/// An address as the host of a URL. Only those are read that are written as usual.
fn url_host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// URLs on one of some hosts.
fn in_urls(source: &Source, hosts: Vec<String>, found: &mut Found) {
    if hosts.is_empty() {
        return;
    }
    // What stands before a colon may be a user's name.
    found.wider = true;
    if hosts.len() > FEW {
        let hosts: Vec<String> = hosts.iter().map(|host| escape(host)).collect();
        found.expressions(source, hosts, "https?://", "([:/].*)?", false);
        return;
    }
    // Beginnings of texts are looked up like terms; there are many fields of URLs.
    for host in hosts {
        let starts = ["http", "https"].map(|scheme| format!("{scheme}://{host}"));
        for start in &starts {
            for end in ['/', ':'] {
                found.push(source, Clause::Prefix { value: format!("{start}{end}"), case_insensitive: false });
            }
        }
        found.terms(source, starts);
    }
}

/// The names among some texts as they are compared, and the spelling of the DNS where they have letters beyond ASCII.
fn names(texts: &[String], domain: bool, found: &mut Found) -> Vec<String> {
    let mut names = Vec::new();
    for text in texts {
        let name = if domain { value::domain(text) } else { value::hostname(text) };
        let Some(name) = name else { continue };
        found.wider |= name == "localhost" || !name.is_ascii();
        names.extend(value::to_ascii(&name));
        names.push(name.into_owned());
    }
    names
}
