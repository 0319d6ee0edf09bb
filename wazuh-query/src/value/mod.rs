//! What stands in a field's text: from the many spellings of producers to one form.
//!
//! [`read`] turns the text of a field into [`Reading`]s according to what the field holds. Observables, look-ups and
//! indicator matching all start from readings, so a spelling is understood everywhere or nowhere. A text that is
//! not what the field should hold gives no reading; it never gives an error, because alerts are full of them.

mod account;
mod command;
mod hash;
mod name;
mod net;
mod outcome;
mod path;
mod registry;
mod spelling;
mod url;

use std::borrow::Cow;
use std::net::IpAddr;

pub use account::Account;
pub use command::{split_command_line, unescape_command_line};
pub use hash::{is_empty_input_digest, normalize_hash};
pub use name::{domain, host_of_url, hostname, is_absolute_url, to_ascii};
pub use net::{PROTOCOLS_OF_RULE_GROUPS, address, is_private, is_private_network, mac, mac_text, protocol_name};
pub use outcome::Outcome;
pub use path::{Separator, basename, is_absolute, normalize_path, parent, separator};
pub use registry::{Hive, canonical_key, hive, is_sid, normalize_key};
pub use spelling::Spelling;
pub use url::{normal_url, url_spellings};

use crate::catalogue::{HashAlgorithm, Holds};

/// What producers write where there is nothing.
pub const PLACEHOLDERS: &[&str] = &[
    "-",
    "--",
    "?",
    "*",
    "(null)",
    "(NULL)",
    "null",
    "none",
    "None",
    "N/A",
    "n/a",
    "NA",
    "unknown",
    "Unknown",
    "<unknown process>",
    "<none>",
    "undefined",
    "%%1793",
];

/// A text without white space at its ends, as [`str::trim`]; faster where there is none, as nearly always.
pub fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Whether a text says that there is nothing.
pub fn is_placeholder(text: &str) -> bool {
    let text = trim(text);
    text.is_empty() || PLACEHOLDERS.contains(&text)
}

/// One thing read out of a field's text, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading<'a> {
    /// A login with what else stood beside it.
    Account(Account<'a>),
    /// An address; an IPv4 address written as IPv6 is an IPv4 address.
    Address(IpAddr),
    /// The number of an autonomous system.
    Asn(u32),
    /// A command line without the escapes of the event channel.
    CommandLine(Cow<'a, str>),
    /// A fully qualified domain name: lower case, no trailing dot.
    Domain(Cow<'a, str>),
    /// An e-mail address in lower case.
    Email(Cow<'a, str>),
    /// A hash: lower case where the algorithm is hexadecimal.
    Hash(HashAlgorithm, Cow<'a, str>),
    /// The name of a machine in lower case.
    Hostname(Cow<'a, str>),
    /// A MAC address.
    Mac([u8; 6]),
    /// A port, a process number, a size.
    Number(u64),
    /// A path with single separators, otherwise as written.
    Path(Cow<'a, str>),
    /// A registry key with its hive's long name, otherwise as written.
    RegistryKey(Cow<'a, str>),
    /// A Windows security identifier.
    Sid(&'a str),
    /// Any other text, without white space at the ends.
    Text(Cow<'a, str>),
    /// An absolute URL as written.
    Url(&'a str),
    /// Path and query of a URL as written.
    UrlPath(&'a str),
}

/// Reads the text of a field.
///
/// ```
/// use wazuh_query::catalogue::Holds;
/// use wazuh_query::value::{Reading, read};
///
/// let mut readings = Vec::new();
/// read(Holds::IpWithPort, "[2001:DB8::7]:443", &mut |reading| readings.push(reading));
/// assert_eq!(readings, [Reading::Address("2001:db8::7".parse().unwrap())]);
/// ```
pub fn read<'a>(holds: Holds, text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    let text = trim(text);
    if text.is_empty() {
        return;
    }
    match holds {
        Holds::Ip => {
            // With a port behind it an exact search would not find it; fields that have ports say so.
            if let Ok(address) = text.parse::<IpAddr>() {
                emit(Reading::Address(address.to_canonical()));
            }
        }
        Holds::IpWithPort => {
            if let Some(address) = address(text) {
                emit(Reading::Address(address));
            }
        }
        Holds::HostOrIp => read_host(text, emit),
        Holds::DnsResults => read_dns_results(text, emit),
        Holds::Mac => {
            if let Some(octets) = mac(text) {
                emit(Reading::Mac(octets));
            }
        }
        Holds::Port | Holds::FileSize => {
            if let Ok(number) = text.parse() {
                emit(Reading::Number(number));
            }
        }
        Holds::ProcessId => {
            if let Some(number) = process_id(text) {
                emit(Reading::Number(number));
            }
        }
        Holds::Asn => {
            let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
            if let Ok(number) = digits.parse() {
                emit(Reading::Asn(number));
            }
        }
        // A field of domain names also holds addresses (a TLS server name, an HTTP host) and names of one label.
        Holds::Domain | Holds::Hostname => read_host(text, emit),
        Holds::Url => read_url(text, emit),
        Holds::UrlPath => emit(Reading::UrlPath(text)),
        Holds::Email => {
            if let Some(address) = name::email(text) {
                emit(Reading::Email(address));
            }
        }
        Holds::EmailOrUser => match name::email(text) {
            Some(address) => emit(Reading::Email(address)),
            None => read_account(text, emit),
        },
        Holds::UserName => read_account(text, emit),
        Holds::Hash(algorithm) => read_hash(algorithm, text, emit),
        Holds::AnyHash => {
            if let Some(algorithm) = hash::by_length(text) {
                read_hash(algorithm, text, emit);
            }
        }
        Holds::HashList => {
            for (algorithm, digest) in hash::list(text) {
                read_hash(algorithm, digest, emit);
            }
        }
        Holds::CertificateFingerprint => {
            let digits: Cow<'_, str> = if text.contains(':') { text.replace(':', "").into() } else { text.into() };
            if let Some(algorithm) = hash::by_length(&digits)
                && let Some(digest) = normalize_hash(algorithm, &digits)
            {
                emit(Reading::Hash(algorithm, Cow::Owned(digest.into_owned())));
            }
        }
        Holds::FilePath
        | Holds::FileName
        | Holds::Directory
        | Holds::ProcessImage
        | Holds::Command
        | Holds::PipeName
        | Holds::ObjectName => emit(Reading::Path(normalize_path(text))),
        Holds::FileOrRegistryPath => match hive(text) {
            Some(_) => read_registry_key(text, emit),
            None => emit(Reading::Path(normalize_path(text))),
        },
        Holds::RegistryKey | Holds::RegistryKeyAndValue => read_registry_key(text, emit),
        Holds::CommandLine | Holds::Argument(_) => emit(Reading::CommandLine(unescape_command_line(text))),
        Holds::Sid => {
            if is_sid(text) {
                emit(Reading::Sid(text));
            }
        }
        Holds::Vulnerability | Holds::AttackTechnique => emit(Reading::Text(upper(text))),
        Holds::CertificateSerial => {
            let serial = if text.contains([':', 'A', 'B', 'C', 'D', 'E', 'F']) {
                text.replace(':', "").to_ascii_lowercase().into()
            } else {
                Cow::Borrowed(text)
            };
            emit(Reading::Text(serial));
        }
        Holds::Opaque => {}
        _ => emit(Reading::Text(text.into())),
    }
}

fn upper(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) { text.to_ascii_uppercase().into() } else { text.into() }
}

fn read_host<'a>(text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    if let Ok(address) = text.parse::<IpAddr>() {
        emit(Reading::Address(address.to_canonical()));
    } else if let Some(domain) = domain(text) {
        emit(Reading::Domain(domain));
    } else if let Some(host) = hostname(text) {
        emit(Reading::Hostname(host));
    }
}

fn read_dns_results<'a>(text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    for answer in text.split(';') {
        let answer = answer.trim();
        // `type:  5 name.example` announces a record that is not an address.
        let answer = match answer.strip_prefix("type:") {
            Some(rest) => rest.trim_start().trim_start_matches(|char: char| char.is_ascii_digit()).trim_start(),
            None => answer,
        };
        if answer.contains(['.', ':']) {
            read_host(answer, emit);
        }
    }
}

fn read_url<'a>(text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    if !is_absolute_url(text) {
        emit(Reading::UrlPath(text));
        return;
    }
    emit(Reading::Url(text));
    // A single label is too little to tell a host by.
    if let Some(host) = host_of_url(text) {
        if let Some(address) = address(host) {
            // In another spelling than the usual one it would not be found.
            if address.to_string() == host {
                emit(Reading::Address(address));
            }
        } else if let Some(domain) = domain(host) {
            emit(Reading::Domain(domain));
        }
    }
}

fn read_account<'a>(text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    if is_sid(text) {
        emit(Reading::Sid(text));
    } else if let Some(account) = Account::read(text) {
        emit(Reading::Account(account));
    }
}

fn read_hash<'a>(algorithm: HashAlgorithm, text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    if let Some(digest) = normalize_hash(algorithm, text)
        && !is_empty_input_digest(&digest)
    {
        emit(Reading::Hash(algorithm, digest));
    }
}

fn read_registry_key<'a>(text: &'a str, emit: &mut impl FnMut(Reading<'a>)) {
    if let Some(key) = canonical_key(text) {
        emit(Reading::RegistryKey(key));
    }
}

/// A process number: decimal, or hexadecimal with `0x` as the Windows security log writes it.
fn process_id(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(holds: Holds, text: &str, wanted: &[Reading<'_>]) {
        let mut readings = Vec::new();
        read(holds, text, &mut |reading| readings.push(reading));
        assert_eq!(readings, wanted);
    }

    fn address(text: &str) -> Reading<'static> {
        Reading::Address(text.parse().unwrap())
    }

    #[test]
    fn dns_results() {
        check(
            Holds::DnsResults,
            "type:  5 cdn.example.net;::ffff:203.0.113.5;2001:db8::1;",
            &[Reading::Domain("cdn.example.net".into()), address("203.0.113.5"), address("2001:db8::1")],
        );
        check(Holds::DnsResults, "-", &[]);
    }

    #[test]
    fn urls_name_their_host() {
        check(
            Holds::Url,
            "http://evil.example:8080/a?b",
            &[Reading::Url("http://evil.example:8080/a?b"), Reading::Domain("evil.example".into())],
        );
        check(Holds::Url, "/a/b?c", &[Reading::UrlPath("/a/b?c")]);
        check(
            Holds::Url,
            "https://[2001:db8::1]/x",
            &[Reading::Url("https://[2001:db8::1]/x"), address("2001:db8::1")],
        );
    }

    #[test]
    fn hash_lists_drop_the_hash_of_nothing() {
        check(
            Holds::HashList,
            "MD5=D41D8CD98F00B204E9800998ECF8427E,SHA1=AB0E1D3C5F6A7B8C9D0E1F2A3B4C5D6E7F8A9B0C",
            &[Reading::Hash(HashAlgorithm::Sha1, "ab0e1d3c5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c".into())],
        );
    }

    #[test]
    fn odd_texts_give_nothing() {
        check(Holds::Ip, "999.1.1.1", &[]);
        check(Holds::ProcessId, "0xzz", &[]);
        check(Holds::ProcessId, "0x1f4", &[Reading::Number(500)]);
        check(Holds::Email, "not an address", &[]);
        check(Holds::AnyHash, "abc", &[]);
        check(Holds::Port, " ", &[]);
    }
}
