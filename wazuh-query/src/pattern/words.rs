//! Properties in words.

use std::fmt;

use super::property::{Family, Of, Property};

/// What the property is, for people: `the names of files`.
impl fmt::Display for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, of) = match *self {
            Self::Address(Some(Family::V4), of) => ("IPv4 addresses", of),
            Self::Address(Some(Family::V6), of) => ("IPv6 addresses", of),
            Self::Address(None, of) => ("addresses", of),
            Self::AsNumber => ("numbers of autonomous systems", Of::Any),
            Self::CertificateDigest(_) => ("fingerprints of certificates", Of::Any),
            Self::CertificateIssuer => ("issuers of certificates", Of::Any),
            Self::CertificateNotAfter | Self::CertificateNotBefore => ("validity of certificates", Of::Any),
            Self::CertificateSerial => ("serial numbers of certificates", Of::Any),
            Self::CertificateSubject => ("subjects of certificates", Of::Any),
            Self::CommandLine(of) => ("command lines", of),
            Self::CvssScore | Self::CvssSeverity => ("severity of vulnerabilities", Of::Any),
            Self::Digest(_, of) => ("hashes of files", of),
            Self::DirectoryPath => ("directories, and those of files", Of::Any),
            Self::DisplayName(of) => ("logins and their domains", of),
            Self::DomainName(of) => ("domain names", of),
            Self::EmailAddress(of) => ("e-mail addresses", of),
            Self::End(of) => ("addresses and names", of),
            Self::FileCreated | Self::FileModified => ("times of files", Of::Any),
            Self::FileDirectory(of) => ("directories of files", of),
            Self::FileName(of) => ("names of files", of),
            Self::FilePath(of) => ("paths of files", of),
            Self::FileSize => ("sizes of files", Of::Any),
            Self::HostName(of) => ("names of machines and domains", of),
            Self::ImportHash => ("import hashes", Of::Any),
            Self::Login(of) => ("logins", of),
            Self::MacAddress(of) => ("MAC addresses", of),
            Self::MutexName => ("names of mutexes", Of::Any),
            Self::Port(of) => ("ports", of),
            Self::Presence(_) => ("whatever tells such an object", Of::Any),
            Self::ProcessId(of) => ("numbers of processes", of),
            Self::ProcessName(Of::Any | Of::Process) => ("names of processes", Of::Any),
            Self::ProcessName(of) => ("names", of),
            Self::Protocol => ("protocols", Of::Any),
            Self::RegistryKey => ("registry keys", Of::Any),
            Self::RegistryValueData => ("data of registry values", Of::Any),
            Self::RegistryValueName => ("names of registry values", Of::Any),
            Self::RegistryValueType => ("types of registry values", Of::Any),
            Self::RequestTarget => ("paths of requests", Of::Any),
            Self::SoftwareCpe => ("CPE names", Of::Any),
            Self::SoftwareName => ("names of packages", Of::Any),
            Self::SoftwareVendor => ("vendors of packages", Of::Any),
            Self::SoftwareVersion => ("versions of packages", Of::Any),
            Self::Subject => ("subjects of messages", Of::Any),
            Self::Text => ("names and texts", Of::Any),
            Self::Url => ("URLs", Of::Any),
            Self::UserAgent => ("user agents", Of::Any),
            Self::UserId(of) => ("identifiers of accounts", of),
            Self::VulnerabilityName => ("vulnerabilities", Of::Any),
            Self::WorkingDirectory(of) => ("working directories", of),
        };
        formatter.write_str(what)?;
        formatter.write_str(match of {
            Of::Any => "",
            Of::Process => " of processes",
            Of::Parent => " of parent processes",
            Of::Source => " of sources",
            Of::Destination => " of destinations",
            Of::Answer => " of answers",
            Of::Sender => " of senders",
            Of::Recipient => " of recipients",
        })
    }
}
