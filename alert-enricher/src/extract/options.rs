//! What the extractor makes: the options of the `enrich` group of the configuration.

use std::collections::BTreeSet;
use std::str::FromStr;

/// A kind of object that the extractor makes. The names are those of `enrich.types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExtractType {
    /// ATT&CK techniques of the rule.
    AttackPattern,
    /// Autonomous systems.
    AutonomousSystem,
    /// Directories.
    Directory,
    /// Domain names.
    DomainName,
    /// E-mail addresses.
    EmailAddr,
    /// E-mail messages.
    EmailMessage,
    /// Files.
    File,
    /// Names of machines that are no domain names.
    Hostname,
    /// IPv4 addresses.
    Ipv4Addr,
    /// IPv6 addresses.
    Ipv6Addr,
    /// MAC addresses.
    MacAddr,
    /// Mutexes.
    Mutex,
    /// Connections.
    NetworkTraffic,
    /// Processes.
    Process,
    /// Software packages.
    Software,
    /// Texts: names of pipes.
    Text,
    /// Tools.
    Tool,
    /// URLs.
    Url,
    /// User accounts.
    UserAccount,
    /// User agents.
    UserAgent,
    /// Vulnerabilities.
    Vulnerability,
    /// Registry keys, with the values that the alert names.
    WindowsRegistryKey,
    /// X.509 certificates.
    X509Certificate,
}

impl ExtractType {
    /// Every kind, with its name in configuration files.
    pub const ALL: &[(Self, &'static str)] = &[
        (Self::AttackPattern, "attack-pattern"),
        (Self::AutonomousSystem, "autonomous-system"),
        (Self::Directory, "directory"),
        (Self::DomainName, "domain-name"),
        (Self::EmailAddr, "email-addr"),
        (Self::EmailMessage, "email-message"),
        (Self::File, "file"),
        (Self::Hostname, "hostname"),
        (Self::Ipv4Addr, "ipv4-addr"),
        (Self::Ipv6Addr, "ipv6-addr"),
        (Self::MacAddr, "mac-addr"),
        (Self::Mutex, "mutex"),
        (Self::NetworkTraffic, "network-traffic"),
        (Self::Process, "process"),
        (Self::Software, "software"),
        (Self::Text, "text"),
        (Self::Tool, "tool"),
        (Self::Url, "url"),
        (Self::UserAccount, "user-account"),
        (Self::UserAgent, "user-agent"),
        (Self::Vulnerability, "vulnerability"),
        (Self::WindowsRegistryKey, "windows-registry-key"),
        (Self::X509Certificate, "x509-certificate"),
    ];
}

/// A name that is no kind of object that the extractor makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type that is extracted from alerts")]
pub struct UnknownType(String);

impl FromStr for ExtractType {
    type Err = UnknownType;

    /// Case and hyphens do not matter.
    fn from_str(name: &str) -> Result<Self, UnknownType> {
        let folded = |text: &str| text.trim().replace('-', "").to_ascii_lowercase();
        let found = Self::ALL.iter().find(|(_, known)| folded(known) == folded(name));
        found.map(|(kind, _)| *kind).ok_or_else(|| UnknownType(name.to_owned()))
    }
}

/// Options of the extractor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct ExtractOptions {
    /// What is made (`types`).
    pub types: BTreeSet<ExtractType>,
    /// A file with a path gets a directory object (`filename_behaviour`: `create-dir`).
    pub create_directory: bool,
    /// A file's name is the last component of its path only (`filename_behaviour`: `remove-path`).
    pub remove_path: bool,
    /// URLs without scheme and host count (`enrich_urls_without_host`).
    pub urls_without_host: bool,
    /// Fields count too that are only searched as a rule: they are too noisy for observables, but a pattern is exact.
    pub searched_fields: bool,
    /// Lower-case names of tools that are recognised in command lines. The platform knows them.
    pub tools: BTreeSet<String>,
}

impl ExtractOptions {
    /// Everything that an alert holds, as patterns are evaluated on it.
    pub fn everything() -> Self {
        Self { urls_without_host: true, searched_fields: true, ..Self::default() }
    }
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self {
            types: ExtractType::ALL.iter().map(|(kind, _)| *kind).collect(),
            create_directory: true,
            remove_path: true,
            urls_without_host: false,
            searched_fields: false,
            tools: BTreeSet::new(),
        }
    }
}
