//! The kinds of values that indicators are about, each with its normal form.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use stix_model::Object;
use stix_model::sco::{
    AutonomousSystem, Directory, DomainName, EmailAddr, EmailMessage, File, Hostname, Ipv4Addr, Ipv6Addr, MacAddr,
    Mutex, Text, Url, UserAccount, UserAgent, WindowsRegistryKey, X509Certificate,
};
use stix_model::sdo::Vulnerability;
use stix_model::{Hashes, Identifier, Timestamp};
use wazuh_query::catalogue::{HashAlgorithm, Holds};
use wazuh_query::value::{self, Account, Reading};

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// An IP address or a network.
    Address,
    /// The number of an autonomous system.
    Asn,
    /// A certificate's fingerprint.
    CertificateFingerprint,
    /// A certificate's serial number.
    CertificateSerial,
    /// A directory.
    Directory,
    /// A domain name or the name of a host.
    Domain,
    /// An e-mail address.
    Email,
    /// The subject of an e-mail message.
    EmailSubject,
    /// The name or path of a file.
    File,
    /// An MD5 digest.
    Md5,
    /// A MAC address.
    Mac,
    /// A mutex.
    Mutex,
    /// A registry key.
    RegistryKey,
    /// A SHA-1 digest.
    Sha1,
    /// A SHA-256 digest.
    Sha256,
    /// A SHA-512 digest.
    Sha512,
    /// An ssdeep digest.
    Ssdeep,
    /// A text.
    Text,
    /// A URL.
    Url,
    /// A user account.
    UserAccount,
    /// A user agent.
    UserAgent,
    /// A vulnerability.
    Vulnerability,
}

impl Kind {
    /// Every kind, in the order of the variants.
    pub const ALL: [Self; 22] = [
        Self::Address,
        Self::Asn,
        Self::CertificateFingerprint,
        Self::CertificateSerial,
        Self::Directory,
        Self::Domain,
        Self::Email,
        Self::EmailSubject,
        Self::File,
        Self::Md5,
        Self::Mac,
        Self::Mutex,
        Self::RegistryKey,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Ssdeep,
        Self::Text,
        Self::Url,
        Self::UserAccount,
        Self::UserAgent,
        Self::Vulnerability,
    ];

    /// The name that people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Asn => "autonomous system",
            Self::CertificateFingerprint => "certificate",
            Self::CertificateSerial => "certificate serial",
            Self::Directory => "directory",
            Self::Domain => "domain",
            Self::Email => "e-mail",
            Self::EmailSubject => "subject",
            Self::File => "file name",
            Self::Md5 => "MD5",
            Self::Mac => "MAC",
            Self::Mutex => "mutex",
            Self::RegistryKey => "registry key",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Ssdeep => "ssdeep",
            Self::Text => "text",
            Self::Url => "URL",
            Self::UserAccount => "account",
            Self::UserAgent => "user agent",
            Self::Vulnerability => "vulnerability",
        }
    }

    /// One bit per kind, for sets of kinds.
    pub(crate) fn bit(self) -> u32 {
        1 << (self as u32)
    }

    pub(crate) fn of_hash(algorithm: HashAlgorithm) -> Option<Self> {
        Some(match algorithm {
            HashAlgorithm::Md5 => Self::Md5,
            HashAlgorithm::Sha1 => Self::Sha1,
            HashAlgorithm::Sha256 => Self::Sha256,
            HashAlgorithm::Sha512 => Self::Sha512,
            HashAlgorithm::Ssdeep => Self::Ssdeep,
            _ => return None,
        })
    }

    /// The kinds that a field of this content can give.
    pub(crate) fn of_field(holds: Holds) -> u32 {
        let kinds: &[Self] = match holds {
            Holds::Ip | Holds::IpWithPort => &[Self::Address],
            Holds::HostOrIp | Holds::Domain | Holds::Hostname | Holds::DnsResults => &[Self::Address, Self::Domain],
            Holds::Url => &[Self::Address, Self::Domain, Self::Url],
            Holds::Mac => &[Self::Mac],
            Holds::Asn => &[Self::Asn],
            Holds::Email => &[Self::Email],
            Holds::UserName | Holds::EmailOrUser => &[Self::Email, Self::UserAccount],
            Holds::Sid | Holds::UserId => &[Self::UserAccount],
            Holds::EmailSubject => &[Self::EmailSubject, Self::Text],
            Holds::UserAgent => &[Self::UserAgent, Self::Text],
            Holds::Hash(HashAlgorithm::Imphash) => &[Self::Text],
            Holds::Hash(_) | Holds::AnyHash | Holds::HashList => {
                &[Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512, Self::Ssdeep]
            }
            Holds::FilePath | Holds::FileName | Holds::ProcessImage => &[Self::File, Self::Directory],
            Holds::FileOrRegistryPath => &[Self::File, Self::Directory, Self::RegistryKey],
            Holds::Directory => &[Self::Directory],
            Holds::RegistryKey | Holds::RegistryKeyAndValue => &[Self::RegistryKey],
            Holds::ObjectName => &[Self::Mutex, Self::File, Self::RegistryKey],
            Holds::CertificateFingerprint => &[Self::CertificateFingerprint],
            Holds::CertificateSerial => &[Self::CertificateSerial],
            Holds::Vulnerability => &[Self::Vulnerability],
            Holds::PipeName | Holds::Name | Holds::TlsFingerprint => &[Self::Text],
            _ => &[],
        };
        kinds.iter().fold(0, |bits, kind| bits | kind.bit())
    }
}

/// A value in its normal form: two values are the same exactly if their keys are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A network; an address is a network of one.
    Network(IpNet),
    /// Anything else.
    Text(Kind, Box<str>),
}

impl Key {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Network(_) => Kind::Address,
            Self::Text(kind, _) => *kind,
        }
    }

    /// Normalizes a value. `None` if it is no value of this kind.
    pub fn new(kind: Kind, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let hash = |algorithm| {
            let digest = value::normalize_hash(algorithm, text)?;
            (!value::is_empty_input_digest(&digest)).then(|| Cow::Owned(digest.to_ascii_lowercase()))
        };
        let normal: Cow<'_, str> = match kind {
            Kind::Address => {
                let network = match text.parse::<IpNet>() {
                    Ok(network) => network.trunc(),
                    Err(_) => IpNet::from(value::address(text)?),
                };
                return Some(Self::Network(canonical(network)));
            }
            Kind::Domain => {
                let name = value::hostname(text)?;
                value::to_ascii(&name).map_or(name, Cow::Owned)
            }
            Kind::Email => text.contains('@').then(|| lower(text))?,
            Kind::Md5 => hash(HashAlgorithm::Md5)?,
            Kind::Sha1 => hash(HashAlgorithm::Sha1)?,
            Kind::Sha256 => hash(HashAlgorithm::Sha256)?,
            Kind::Sha512 => hash(HashAlgorithm::Sha512)?,
            Kind::Ssdeep => value::normalize_hash(HashAlgorithm::Ssdeep, text)?,
            Kind::CertificateFingerprint => {
                let digits = text.replace(':', "").to_ascii_lowercase();
                let is_digest =
                    matches!(digits.len(), 32 | 40 | 64 | 128) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_digest.then_some(digits)?.into()
            }
            Kind::CertificateSerial => text.replace(':', "").to_ascii_lowercase().into(),
            Kind::Mac => value::mac_text(value::mac(text)?).into(),
            Kind::Url => value::is_absolute_url(text).then(|| value::normal_url(text))?,
            Kind::File => {
                let path = path(text);
                if path.ends_with(['/', '\\']) {
                    return None;
                }
                path.into()
            }
            Kind::Directory => path(text).trim_end_matches(['/', '\\']).to_owned().into(),
            Kind::RegistryKey => any_user(&value::canonical_key(text)?.to_lowercase()).into_owned().into(),
            Kind::Mutex => path(text).into(),
            Kind::Asn => text.trim_start_matches(['A', 'S', 'a', 's']).parse::<u32>().ok()?.to_string().into(),
            Kind::UserAccount => {
                if value::is_sid(text) {
                    text.to_ascii_uppercase().into()
                } else {
                    lower(&Account::read(text)?.login).into_owned().into()
                }
            }
            Kind::Vulnerability => text.to_ascii_uppercase().into(),
            Kind::EmailSubject | Kind::Text | Kind::UserAgent => text.into(),
        };
        // Separators that were taken off may leave white space at the end.
        let normal = normal.trim();
        (!normal.is_empty()).then(|| Self::Text(kind, normal.into()))
    }

    /// Whether a text is exactly this normal form.
    pub fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Network(_) => self.to_string() == text,
            Self::Text(_, known) => **known == *text,
        }
    }

    /// The identifier of the observable that the value alone makes.
    pub fn identifier(&self) -> Identifier {
        self.to_object().id().clone()
    }

    /// An object that a query can be built for.
    pub fn to_object(&self) -> Object {
        let hashes = |name: &str, digest: &str| [(name, digest)].into_iter().collect::<Hashes>();
        let (kind, text) = match self {
            Self::Network(IpNet::V4(network)) => {
                let text = if network.prefix_len() == 32 { network.addr().to_string() } else { network.to_string() };
                return Ipv4Addr::new(text).into();
            }
            Self::Network(IpNet::V6(network)) => {
                let text = if network.prefix_len() == 128 { network.addr().to_string() } else { network.to_string() };
                return Ipv6Addr::new(text).into();
            }
            Self::Text(kind, text) => (*kind, text.to_string()),
        };
        let file = |name| Object::from(File { hashes: hashes(name, &text), ..File::default() }.identified());
        match kind {
            Kind::Address => Ipv4Addr::new(text).into(),
            Kind::Asn => AutonomousSystem::new(text.parse::<u32>().unwrap_or_default()).into(),
            Kind::CertificateFingerprint => {
                let name = if text.len() == 40 { "SHA-1" } else { "SHA-256" };
                X509Certificate { hashes: hashes(name, &text), ..X509Certificate::default() }.identified().into()
            }
            Kind::CertificateSerial => {
                X509Certificate { serial_number: Some(text), ..X509Certificate::default() }.identified().into()
            }
            Kind::Directory => Directory::new(text).into(),
            Kind::Domain if value::domain(&text).is_some() => DomainName::new(text).into(),
            Kind::Domain => Hostname::new(text).into(),
            Kind::Email => EmailAddr::new(text).into(),
            Kind::EmailSubject => EmailMessage { subject: Some(text), ..EmailMessage::default() }.identified().into(),
            Kind::File => File { name: Some(text), ..File::default() }.identified().into(),
            Kind::Md5 => file("MD5"),
            Kind::Mac => MacAddr::new(text).into(),
            Kind::Mutex => Mutex::new(text).into(),
            Kind::RegistryKey => {
                // The builder puts any user in the place of this one.
                let text = text.replace(ANY_USER, "S-1-5-21-0-0-0-1000");
                WindowsRegistryKey { key: Some(text), ..WindowsRegistryKey::default() }.identified().into()
            }
            Kind::Sha1 => file("SHA-1"),
            Kind::Sha256 => file("SHA-256"),
            Kind::Sha512 => file("SHA-512"),
            Kind::Ssdeep => file("SSDEEP"),
            Kind::Text => Text::new(text).into(),
            Kind::Url => Url::new(text).into(),
            Kind::UserAccount if value::is_sid(&text) => {
                UserAccount { user_id: Some(text), ..UserAccount::default() }.identified().into()
            }
            Kind::UserAccount => {
                UserAccount { account_login: Some(text), ..UserAccount::default() }.identified().into()
            }
            Kind::UserAgent => UserAgent::new(text).into(),
            Kind::Vulnerability => Vulnerability::new(text, Timestamp::UNIX_EPOCH).into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                write!(formatter, "{}", network.addr())
            }
            Self::Network(network) => write!(formatter, "{network}"),
            Self::Text(_, text) => formatter.write_str(text),
        }
    }
}

/// A network of IPv4 addresses written as IPv6 is one of IPv4 addresses.
fn canonical(network: IpNet) -> IpNet {
    match (network.addr().to_canonical(), network.prefix_len()) {
        (IpAddr::V4(address), length @ 96..=128) if network.addr().is_ipv6() => {
            IpNet::new(address.into(), length - 96).unwrap_or(network)
        }
        _ => network,
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        text.to_lowercase().into()
    } else {
        text.into()
    }
}

/// A path in lower case with single separators; prefixes of the kernel's name space go.
fn path(text: &str) -> String {
    let path = value::normalize_path(text);
    let path = path.strip_prefix("\\??\\").or_else(|| path.strip_prefix("\\\\?\\")).unwrap_or(&path);
    path.to_lowercase()
}

const USERS: &str = "hkey_users\\";
/// What stands for any user's security identifier in a key.
const ANY_USER: &str = "<sid>";

/// A key in lower case, with a mark in the place of a user's security identifier.
fn any_user(key: &str) -> Cow<'_, str> {
    let Some(rest) = key.strip_prefix(USERS) else { return key.into() };
    let (user, below) = rest.split_once('\\').map_or((rest, None), |(user, below)| (user, Some(below)));
    if !value::is_sid(user.strip_suffix("_classes").unwrap_or(user)) {
        return key.into();
    }
    let below = below.map(|below| format!("\\{below}")).unwrap_or_default();
    format!("{USERS}{ANY_USER}{below}").into()
}

/// Calls `found` with the normal form of what was read in an alert's field: the kind and the text, or an address; and
/// with what was done to get there.
///
/// `scratch` holds texts that have to be put together.
pub(crate) fn keys_of_reading(
    holds: Holds,
    reading: &Reading<'_>,
    scratch: &mut String,
    found: &mut impl FnMut(Candidate<'_>, Normalisation),
) {
    let way = match (holds, reading) {
        (Holds::Url, Reading::Address(_) | Reading::Domain(_)) => Normalisation::HostOfUrl,
        (Holds::HashList, Reading::Hash(..)) => Normalisation::Member,
        (Holds::DnsResults, _) => Normalisation::Member,
        _ => Normalisation::Notation,
    };
    let mut text = |kind, text: &str| found(Candidate::Text(kind, text), way);
    match reading {
        Reading::Address(address) => found(Candidate::Address(*address), way),
        Reading::Asn(number) => text(Kind::Asn, &number.to_string()),
        Reading::Domain(name) | Reading::Hostname(name) => match value::to_ascii(name) {
            Some(ascii) => text(Kind::Domain, &ascii),
            None => text(Kind::Domain, name),
        },
        Reading::Email(address) => text(Kind::Email, address),
        Reading::Account(account) => {
            let login = lower(&account.login);
            text(Kind::UserAccount, &login);
            let bare = lower(account.bare_name());
            if bare != login {
                found(Candidate::Text(Kind::UserAccount, &bare), Normalisation::BareLogin);
            }
        }
        Reading::Sid(sid) => text(Kind::UserAccount, &sid.to_ascii_uppercase()),
        Reading::Hash(HashAlgorithm::Imphash, digest) => text(Kind::Text, digest),
        Reading::Hash(_, digest) if holds == Holds::CertificateFingerprint => {
            text(Kind::CertificateFingerprint, digest);
        }
        Reading::Hash(algorithm, digest) => {
            if let Some(kind) = Kind::of_hash(*algorithm) {
                text(kind, digest);
            }
        }
        Reading::Mac(octets) => text(Kind::Mac, &value::mac_text(*octets)),
        Reading::Url(address) => text(Kind::Url, &value::normal_url(address)),
        Reading::RegistryKey(key) => {
            scratch.clear();
            scratch.extend(key.chars().flat_map(char::to_lowercase));
            let key = any_user(scratch);
            let way = if matches!(key, Cow::Borrowed(_)) { way } else { Normalisation::AnyUser };
            found(Candidate::Text(Kind::RegistryKey, &key), way);
            // Two hives are views of keys in others, and producers write either.
            if let Some(rest) = key.strip_prefix(USERS).and_then(|rest| rest.strip_prefix(ANY_USER)) {
                let key = format!("hkey_current_user{rest}");
                found(Candidate::Text(Kind::RegistryKey, &key), Normalisation::HiveAlias);
            } else if let Some(rest) = key.strip_prefix("hkey_local_machine\\software\\classes\\") {
                let key = format!("hkey_classes_root\\{rest}");
                found(Candidate::Text(Kind::RegistryKey, &key), Normalisation::HiveAlias);
            }
        }
        Reading::Path(written) => {
            fold_path(written, scratch);
            match holds {
                Holds::ObjectName => text(Kind::Mutex, scratch),
                Holds::PipeName => return text(Kind::Text, written),
                Holds::Directory => return text(Kind::Directory, scratch.trim_end_matches(['/', '\\'])),
                _ => {}
            }
            text(Kind::File, scratch);
        }
        Reading::Text(written) => match holds {
            Holds::UserAgent => {
                text(Kind::UserAgent, written);
                text(Kind::Text, written);
            }
            Holds::EmailSubject => {
                text(Kind::EmailSubject, written);
                text(Kind::Text, written);
            }
            Holds::CertificateSerial => text(Kind::CertificateSerial, written),
            Holds::Vulnerability => text(Kind::Vulnerability, written),
            // As a value of this kind is written.
            Holds::UserId if value::is_sid(written) => text(Kind::UserAccount, &written.to_ascii_uppercase()),
            Holds::UserId => {
                let account = Account::read(written);
                text(Kind::UserAccount, &lower(account.as_ref().map_or(written, |account| &account.login)));
            }
            Holds::Name | Holds::TlsFingerprint => text(Kind::Text, written),
            _ => {}
        },
        _ => {}
    }
}

/// Calls `found` with the kinds of values that a reading can be compared with.
pub(crate) fn visit_kinds(holds: Holds, reading: &Reading<'_>, scratch: &mut String, found: &mut impl FnMut(Kind)) {
    keys_of_reading(holds, reading, scratch, &mut |candidate, _| match candidate {
        Candidate::Address(_) => found(Kind::Address),
        Candidate::Text(kind, text) => {
            found(kind);
            // A directory stands for what lies in it.
            if kind == Kind::File && text.contains(['/', '\\']) {
                found(Kind::Directory);
            }
        }
    });
}

/// What was done to a value of an alert until it was that of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Normalisation {
    /// Nothing: the texts are the same.
    AsWritten,
    /// Another notation of the same value: letter case, separators, escapes, a port, IPv4 written as IPv6.
    Notation,
    /// The host was taken out of a URL.
    HostOfUrl,
    /// One member was taken out of a list, such as Sysmon's hashes or DNS answers.
    Member,
    /// The name is below the domain of the indicator.
    SubDomain,
    /// The address is in the network of the indicator.
    InNetwork,
    /// The indicator names the file or the last components of its path.
    PathEnd,
    /// The path or key is below that of the indicator.
    Below,
    /// The registry key is that of another user.
    AnyUser,
    /// The registry key was written with a hive that is a view of another one.
    HiveAlias,
    /// The login without its domain or realm.
    BareLogin,
    /// The name of a kernel object without its name space.
    BareName,
    /// A pattern was evaluated on the observables in the alert.
    Evaluated,
}

impl fmt::Display for Normalisation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AsWritten => "as written",
            Self::Notation => "in another notation",
            Self::HostOfUrl => "the host of the URL",
            Self::Member => "a member of the list",
            Self::SubDomain => "below the domain",
            Self::InNetwork => "in the network",
            Self::PathEnd => "the end of the path",
            Self::Below => "below the path",
            Self::AnyUser => "the key of any user",
            Self::HiveAlias => "the key in another hive",
            Self::BareLogin => "the login without its domain",
            Self::BareName => "the name without its name space",
            Self::Evaluated => "evaluated",
        })
    }
}

/// A value of an alert that may be in a set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Candidate<'a> {
    Address(IpAddr),
    Text(Kind, &'a str),
}

fn fold_path(written: &str, scratch: &mut String) {
    let path = written.strip_prefix("\\??\\").or_else(|| written.strip_prefix("\\\\?\\")).unwrap_or(written);
    scratch.clear();
    if path.is_ascii() {
        scratch.push_str(path);
        scratch.make_ascii_lowercase();
    } else {
        scratch.extend(path.chars().flat_map(char::to_lowercase));
    }
}

/// The values that tell an observable: one per hash, address, name.
pub fn keys_of_object(object: &Object) -> Vec<Key> {
    let one = |kind, text: &str| Key::new(kind, text).into_iter().collect::<Vec<_>>();
    let optional = |kind, text: &Option<String>| text.as_deref().and_then(|text| Key::new(kind, text));
    match object {
        Object::Artifact(artifact) => keys_of_hashes(&artifact.hashes),
        Object::AutonomousSystem(system) => one(Kind::Asn, &system.number.to_string()),
        Object::Directory(directory) => one(Kind::Directory, &directory.path),
        Object::DomainName(name) => one(Kind::Domain, &name.value),
        Object::EmailAddr(address) => one(Kind::Email, &address.value),
        Object::EmailMessage(message) => optional(Kind::EmailSubject, &message.subject).into_iter().collect(),
        Object::File(file) => {
            let keys = keys_of_hashes(&file.hashes);
            if keys.is_empty() { optional(Kind::File, &file.name).into_iter().collect() } else { keys }
        }
        Object::Hostname(name) => one(Kind::Domain, &name.value),
        Object::Ipv4Addr(address) => one(Kind::Address, &address.value),
        Object::Ipv6Addr(address) => one(Kind::Address, &address.value),
        Object::MacAddr(address) => one(Kind::Mac, &address.value),
        Object::Mutex(mutex) => one(Kind::Mutex, &mutex.name),
        Object::Text(text) => one(Kind::Text, &text.value),
        Object::Url(url) => one(Kind::Url, &url.value),
        Object::UserAccount(account) => {
            let login = optional(Kind::UserAccount, &account.account_login);
            login.or_else(|| optional(Kind::UserAccount, &account.user_id)).into_iter().collect()
        }
        Object::UserAgent(agent) => one(Kind::UserAgent, &agent.value),
        Object::Vulnerability(vulnerability) => one(Kind::Vulnerability, &vulnerability.name),
        Object::WindowsRegistryKey(key) => optional(Kind::RegistryKey, &key.key).into_iter().collect(),
        Object::X509Certificate(certificate) => {
            let digests = certificate.hashes.iter();
            let mut keys: Vec<Key> =
                digests.filter_map(|(_, digest)| Key::new(Kind::CertificateFingerprint, digest)).collect();
            keys.extend(optional(Kind::CertificateSerial, &certificate.serial_number));
            keys
        }
        _ => Vec::new(),
    }
}

fn keys_of_hashes(hashes: &Hashes) -> Vec<Key> {
    hashes.iter().filter_map(|(name, digest)| Key::new(hash_kind(name)?, digest)).collect()
}

/// The kind of a STIX hash key, in any spelling.
pub(super) fn hash_kind(name: &str) -> Option<Kind> {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match folded.to_ascii_uppercase().as_str() {
        "MD5" => Kind::Md5,
        "SHA1" => Kind::Sha1,
        "SHA256" => Kind::Sha256,
        "SHA512" => Kind::Sha512,
        "SSDEEP" => Kind::Ssdeep,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, written: &str, normal: &str) {
        assert_eq!(Key::new(kind, written).map(|key| key.to_string()).as_deref(), Some(normal), "{written}");
    }

    #[test]
    fn normal_forms() {
        check(Kind::Address, "::ffff:203.0.113.7", "203.0.113.7");
        check(Kind::Address, "203.0.113.7/24", "203.0.113.0/24");
        check(Kind::Address, "2001:DB8:0::1", "2001:db8::1");
        check(Kind::Domain, "Bücher.Example.", "xn--bcher-kva.example");
        check(Kind::Url, "HTTP://Evil.Example:8080/A/#x", "http://evil.example:8080/A");
        check(Kind::Url, "https://evil.example/", "https://evil.example");
        check(Kind::File, r"C:\\Tools\\NC.exe", r"c:\tools\nc.exe");
        check(Kind::RegistryKey, r"HKLM\Software\X\", r"hkey_local_machine\software\x");
        check(Kind::Mac, "0A-1B-2C-3D-4E-5F", "0a:1b:2c:3d:4e:5f");
        check(Kind::Asn, "AS64500", "64500");
        check(Kind::UserAccount, r"CORP\Kim", r"corp\kim");
        check(Kind::Vulnerability, "cve-2024-3094", "CVE-2024-3094");
    }

    #[test]
    fn every_kind_has_its_place() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }

    #[test]
    fn no_values() {
        for (kind, text) in [
            (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (Kind::Sha256, "abc"),
            (Kind::Address, "evil.example"),
            (Kind::File, "C:\\Temp\\"),
            (Kind::RegistryKey, "C:\\x"),
        ] {
            assert_eq!(Key::new(kind, text), None, "{text}");
        }
    }
}
