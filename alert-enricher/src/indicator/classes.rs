//! Groups of fields by what they hold, as bits: where what a pattern asks for may stand.
//!
//! The bits are part of the format of stores and never change.

use wazuh_query::catalogue::{HashAlgorithm, Holds};
use wazuh_query::pattern::Property;

/// Addresses and names of hosts.
const HOST: u64 = 1;
/// Ports and protocols.
const PORT: u64 = 1 << 1;
/// URLs, whole or in part.
const URL: u64 = 1 << 2;
/// E-mail addresses, subjects.
const MAIL: u64 = 1 << 3;
/// User agents.
const AGENT: u64 = 1 << 4;
/// Digests.
const DIGEST: u64 = 1 << 5;
/// Names and paths of files, commands among them.
pub(crate) const FILE: u64 = 1 << 6;
/// Sizes and times of files.
const FILE_FACTS: u64 = 1 << 7;
/// Registry keys and values.
const REGISTRY: u64 = 1 << 8;
/// Command lines and their arguments.
const COMMAND: u64 = 1 << 9;
/// Numbers of processes.
const PROCESS: u64 = 1 << 10;
/// Accounts.
const ACCOUNT: u64 = 1 << 11;
/// Certificates.
const CERTIFICATE: u64 = 1 << 12;
/// Software and its vulnerabilities.
const SOFTWARE: u64 = 1 << 13;
/// Free-standing names.
const TEXT: u64 = 1 << 14;
/// Any field, and alerts without any.
pub(crate) const ANY: u64 = u64::MAX;
/// Where numbers stand that are looked up.
pub(crate) const NUMBERS: u64 = PORT | PROCESS | FILE_FACTS;

/// The groups that a field belongs to.
pub(crate) fn of_field(holds: Holds) -> u64 {
    use Holds as H;
    match holds {
        H::Ip | H::IpWithPort | H::HostOrIp | H::DnsResults | H::Domain | H::Hostname | H::Mac | H::Asn => HOST,
        H::Port | H::Protocol => PORT,
        H::Url => HOST | URL,
        H::UrlPath => URL,
        H::Email => MAIL,
        H::UserName | H::EmailOrUser => MAIL | ACCOUNT,
        H::EmailSubject => MAIL | TEXT,
        H::UserAgent => AGENT | TEXT,
        H::Hash(HashAlgorithm::Imphash) | H::HashList => DIGEST | TEXT,
        H::Hash(_) | H::AnyHash => DIGEST,
        H::FilePath | H::FileName | H::Directory | H::ProcessImage | H::Command => FILE,
        H::FileOrRegistryPath | H::ObjectName => FILE | REGISTRY,
        H::FileSize | H::FileModified | H::FileCreated => FILE_FACTS,
        H::RegistryKey
        | H::RegistryKeyAndValue
        | H::RegistryValueName
        | H::RegistryValueType
        | H::RegistryValueData => REGISTRY,
        H::CommandLine | H::Argument(_) => COMMAND,
        H::ProcessId => PROCESS,
        H::UserDomain | H::UserId | H::Sid => ACCOUNT,
        H::CertificateFingerprint
        | H::CertificateSerial
        | H::CertificateSubject
        | H::CertificateIssuer
        | H::CertificateNotBefore
        | H::CertificateNotAfter => CERTIFICATE,
        H::Vulnerability
        | H::CvssScore
        | H::VulnerabilitySeverity
        | H::SoftwareName
        | H::SoftwareVersion
        | H::SoftwareVendor
        | H::Cpe => SOFTWARE,
        H::TlsFingerprint | H::PipeName | H::Name => TEXT,
        _ => 0,
    }
}

/// The groups of fields from which a property is read. [`ANY`] where that is no fixed set.
pub(crate) fn of_property(property: Property) -> u64 {
    use Property as P;
    match property {
        P::Address(..) | P::AsNumber | P::DomainName(_) | P::End(_) | P::HostName(_) | P::MacAddress(_) => HOST,
        P::CertificateDigest(_)
        | P::CertificateIssuer
        | P::CertificateNotAfter
        | P::CertificateNotBefore
        | P::CertificateSerial
        | P::CertificateSubject => CERTIFICATE,
        P::CommandLine(_) => COMMAND,
        P::CvssScore
        | P::CvssSeverity
        | P::SoftwareCpe
        | P::SoftwareName
        | P::SoftwareVendor
        | P::SoftwareVersion
        | P::VulnerabilityName => SOFTWARE,
        P::Digest(..) | P::ImportHash => DIGEST,
        P::DirectoryPath
        | P::FileDirectory(_)
        | P::FileName(_)
        | P::FilePath(_)
        | P::MutexName
        | P::ProcessName(_)
        | P::WorkingDirectory(_) => FILE,
        P::DisplayName(_) | P::Login(_) | P::UserId(_) => ACCOUNT,
        P::EmailAddress(_) | P::Subject => MAIL,
        P::FileCreated | P::FileModified | P::FileSize => FILE_FACTS,
        P::Port(_) => PORT,
        P::ProcessId(_) => PROCESS,
        P::RegistryKey | P::RegistryValueData | P::RegistryValueName | P::RegistryValueType => REGISTRY,
        P::RequestTarget | P::Url => URL,
        P::Text => TEXT,
        P::UserAgent => AGENT,
        _ => ANY,
    }
}

/// Whether every value of a property stands in the text of a field, but for letter case, separators and escapes.
pub(crate) fn is_written(property: Property) -> bool {
    use Property as P;
    !matches!(
        property,
        P::Address(..)
            | P::AsNumber
            // Colons between the digits go.
            | P::CertificateDigest(_)
            | P::CertificateNotAfter
            | P::CertificateNotBefore
            | P::CertificateSerial
            | P::CvssScore
            | P::End(_)
            | P::FileCreated
            | P::FileModified
            | P::FileSize
            | P::MacAddress(_)
            | P::Port(_)
            | P::Presence(_)
            | P::ProcessId(_)
            | P::Protocol
            | P::RegistryValueType
    )
}
