//! The path table: which STIX object path means which kind of thing in an alert.
//!
//! A path is walked step by step: from an object over its references to a property. Which fields of alerts hold a
//! property is said in [`super::places`], by what the fields hold and which part that plays, never by their names.

use stix_model::pattern::{ObjectPath, PathStep};

use crate::catalogue::HashAlgorithm;

/// Which of the things of its kind in an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    /// Any of them.
    Any,
    /// What belongs to a process.
    Process,
    /// What belongs to the process that started another one.
    Parent,
    /// Where traffic comes from.
    Source,
    /// Where traffic goes to.
    Destination,
    /// What a name led to.
    Answer,
    /// Who sent a message.
    Sender,
    /// Who was sent a message.
    Recipient,
}

/// A generation of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A property of an object, as far as alerts can hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Property {
    /// `ipv4-addr:value`, `ipv6-addr:value`.
    Address(Option<Family>, Of),
    /// `autonomous-system:number`.
    AsNumber,
    /// `x509-certificate:hashes.*`.
    CertificateDigest(HashAlgorithm),
    /// `x509-certificate:issuer`.
    CertificateIssuer,
    /// `x509-certificate:validity_not_after`.
    CertificateNotAfter,
    /// `x509-certificate:validity_not_before`.
    CertificateNotBefore,
    /// `x509-certificate:serial_number`.
    CertificateSerial,
    /// `x509-certificate:subject`.
    CertificateSubject,
    /// `process:command_line`.
    CommandLine(Of),
    /// `vulnerability:x_opencti_cvss_base_score`.
    CvssScore,
    /// `vulnerability:x_opencti_cvss_base_severity`.
    CvssSeverity,
    /// `file:hashes.*`, `artifact:hashes.*`.
    Digest(HashAlgorithm, Of),
    /// `directory:path`: of directories, and of those that files are in.
    DirectoryPath,
    /// `user-account:display_name`, made of domain and login.
    DisplayName(Of),
    /// `domain-name:value`: names of two labels or more.
    DomainName(Of),
    /// `email-addr:value`.
    EmailAddress(Of),
    /// `network-traffic:src_ref.value` and `dst_ref.value`: whatever tells the end of a connection.
    End(Of),
    /// `file:parent_directory_ref.path`.
    FileDirectory(Of),
    /// `file:ctime`.
    FileCreated,
    /// `file:mtime`.
    FileModified,
    /// `file:name`.
    FileName(Of),
    /// A file's name with its directory: what a comparison of `file:name` with a path means.
    FilePath(Of),
    /// `file:size`.
    FileSize,
    /// `hostname:value`: names of machines, domain names included.
    HostName(Of),
    /// `file:extensions.'windows-pebinary-ext'.imphash`.
    ImportHash,
    /// `user-account:account_login`.
    Login(Of),
    /// `mac-addr:value`.
    MacAddress(Of),
    /// `mutex:name`.
    MutexName,
    /// `network-traffic:src_port`, `network-traffic:dst_port`.
    Port(Of),
    /// `process:pid`.
    ProcessId(Of),
    /// `process:name` of STIX 2.0.
    ProcessName(Of),
    /// `network-traffic:protocols[*]`.
    Protocol,
    /// `windows-registry-key:key`.
    RegistryKey,
    /// `windows-registry-key:values[*].data`.
    RegistryValueData,
    /// `windows-registry-key:values[*].name`.
    RegistryValueName,
    /// `windows-registry-key:values[*].data_type`.
    RegistryValueType,
    /// `network-traffic:extensions.'http-request-ext'.request_value`: path and query.
    RequestTarget,
    /// `software:cpe`.
    SoftwareCpe,
    /// `software:name`.
    SoftwareName,
    /// `software:vendor`.
    SoftwareVendor,
    /// `software:version`.
    SoftwareVersion,
    /// `email-message:subject`.
    Subject,
    /// `text:value`, OpenCTI's own type.
    Text,
    /// What every object has (`type`, `id`): it is there when the alert holds such an object at all.
    Presence(Entity),
    /// `url:value`.
    Url,
    /// `user-agent:value`, and the header of a request.
    UserAgent,
    /// `user-account:user_id`.
    UserId(Of),
    /// `vulnerability:name`.
    VulnerabilityName,
    /// `process:cwd`.
    WorkingDirectory(Of),
}

/// An object, a dictionary or an extension on the way to a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "named like the types and properties of STIX")]
pub enum Entity {
    Account(Of),
    Address(Option<Family>, Of),
    Artifact,
    AutonomousSystem,
    Certificate,
    CertificateHashes,
    /// The directory of a file.
    Directory(Of),
    /// Any directory.
    Directories,
    Domain(Of),
    EmailAddr(Of),
    /// One end of a connection: an address, or a name.
    End(Of),
    File(Of),
    FileExtensions,
    Hashes(Of),
    Host,
    HttpRequest,
    HttpRequestHeader,
    MacAddr,
    Message,
    Mutex,
    PeBinary,
    Process(Of),
    RegistryKey,
    RegistryValue,
    Software,
    Text,
    Traffic,
    TrafficExtensions,
    Url,
    UserAgent,
    Vulnerability,
}

/// Where one step of a path leads.
enum Step {
    To(Entity),
    Is(Property),
}

/// The property at the end of a path. `None` when alerts hold no such thing in any schema.
pub fn resolve(path: &ObjectPath) -> Option<Property> {
    let mut entity = Entity::of_type(&path.object_type)?;
    let mut steps = path.steps.iter().filter_map(|step| match step {
        PathStep::Property(name) => Some(&**name),
        // Alerts do not keep the order of lists, so any member may be the one.
        PathStep::Index(_) | PathStep::Any => None,
    });
    let property = loop {
        match entity.step(steps.next()?)? {
            Step::To(next) => entity = next,
            Step::Is(property) => break property,
        }
    };
    steps.next().is_none().then_some(property)
}

impl Entity {
    /// The objects of a type. `None` for types that alerts do not hold.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        Some(match name {
            "artifact" => Self::Artifact,
            "autonomous-system" => Self::AutonomousSystem,
            "directory" => Self::Directories,
            "domain-name" => Self::Domain(Of::Any),
            "email-addr" => Self::EmailAddr(Of::Any),
            "email-message" => Self::Message,
            "file" => Self::File(Of::Any),
            // OpenCTI's own types, also under the names of its older versions.
            "hostname" | "x-opencti-hostname" => Self::Host,
            "ipv4-addr" => Self::Address(Some(Family::V4), Of::Any),
            "ipv6-addr" => Self::Address(Some(Family::V6), Of::Any),
            "mac-addr" => Self::MacAddr,
            "mutex" => Self::Mutex,
            "network-traffic" => Self::Traffic,
            "process" => Self::Process(Of::Any),
            "software" => Self::Software,
            "text" | "x-opencti-text" => Self::Text,
            "url" => Self::Url,
            "user-account" => Self::Account(Of::Any),
            "user-agent" | "x-opencti-user-agent" => Self::UserAgent,
            "vulnerability" => Self::Vulnerability,
            "windows-registry-key" => Self::RegistryKey,
            "windows-registry-value-type" => Self::RegistryValue,
            "x509-certificate" => Self::Certificate,
            _ => return None,
        })
    }

    fn step(self, name: &str) -> Option<Step> {
        use Entity as E;
        use Property as P;
        use Step::{Is, To};
        if matches!(name, "type" | "id" | "spec_version") && !self.main().is_empty() {
            return Some(Is(P::Presence(self)));
        }
        Some(match (self, name) {
            (E::Account(of), "account_login") => Is(P::Login(of)),
            (E::Account(of), "display_name") => Is(P::DisplayName(of)),
            (E::Account(of), "user_id") => Is(P::UserId(of)),

            (E::Address(family, of), "value") => Is(P::Address(family, of)),

            (E::Artifact, "hashes") => To(E::Hashes(Of::Any)),

            (E::AutonomousSystem, "number") => Is(P::AsNumber),

            (E::Certificate, "hashes") => To(E::CertificateHashes),
            (E::Certificate, "issuer") => Is(P::CertificateIssuer),
            (E::Certificate, "serial_number") => Is(P::CertificateSerial),
            (E::Certificate, "subject") => Is(P::CertificateSubject),
            (E::Certificate, "validity_not_after") => Is(P::CertificateNotAfter),
            (E::Certificate, "validity_not_before") => Is(P::CertificateNotBefore),
            (E::CertificateHashes, name) => Is(P::CertificateDigest(algorithm(name)?)),

            (E::Directories, "path") => Is(P::DirectoryPath),
            (E::Directory(of), "path") => Is(P::FileDirectory(of)),

            (E::Domain(of), "value") => Is(P::DomainName(of)),
            (E::Domain(Of::Any), "resolves_to_refs") => To(E::End(Of::Answer)),

            (E::EmailAddr(of), "value") => Is(P::EmailAddress(of)),

            (E::End(of), "value") => Is(P::End(of)),

            (E::File(of), "hashes") => To(E::Hashes(of)),
            (E::File(of), "name") => Is(P::FileName(of)),
            (E::File(of), "parent_directory_ref") => To(E::Directory(of)),
            (E::File(Of::Any), "extensions") => To(E::FileExtensions),
            (E::File(Of::Any), "size") => Is(P::FileSize),
            // `created` and `modified` are the names of STIX 2.0.
            (E::File(Of::Any), "ctime" | "created") => Is(P::FileCreated),
            (E::File(Of::Any), "mtime" | "modified") => Is(P::FileModified),
            // Not of STIX: what `file:name` becomes where it is compared with a path.
            (E::File(of), FULL_PATH) => Is(P::FilePath(of)),
            (E::FileExtensions, "windows-pebinary-ext") => To(E::PeBinary),
            (E::PeBinary, "imphash") => Is(P::ImportHash),
            (E::Hashes(of), name) => Is(P::Digest(algorithm(name)?, of)),

            (E::Host, "value") => Is(P::HostName(Of::Any)),

            (E::HttpRequest, "request_header") => To(E::HttpRequestHeader),
            (E::HttpRequest, "request_value") => Is(P::RequestTarget),
            (E::HttpRequestHeader, name) if name.eq_ignore_ascii_case("user-agent") => Is(P::UserAgent),

            (E::MacAddr, "value") => Is(P::MacAddress(Of::Any)),

            (E::Message, "from_ref" | "sender_ref") => To(E::EmailAddr(Of::Sender)),
            (E::Message, "subject") => Is(P::Subject),
            (E::Message, "to_refs") => To(E::EmailAddr(Of::Recipient)),

            (E::Mutex, "name") => Is(P::MutexName),

            (E::Process(of), "command_line") => Is(P::CommandLine(of)),
            (E::Process(of), "creator_user_ref") => To(E::Account(of.or_process())),
            (E::Process(of), "cwd") => Is(P::WorkingDirectory(of.or_process())),
            // `binary_ref` is the name of STIX 2.0.
            (E::Process(of), "image_ref" | "binary_ref") => To(E::File(of.or_process())),
            (E::Process(of), "name") => Is(P::ProcessName(of.or_process())),
            (E::Process(Of::Any), "parent_ref") => To(E::Process(Of::Parent)),
            (E::Process(of), "pid") => Is(P::ProcessId(of)),

            (E::RegistryKey, "key") => Is(P::RegistryKey),
            (E::RegistryKey, "values") => To(E::RegistryValue),
            (E::RegistryValue, "data") => Is(P::RegistryValueData),
            (E::RegistryValue, "data_type") => Is(P::RegistryValueType),
            (E::RegistryValue, "name") => Is(P::RegistryValueName),

            (E::Software, "cpe") => Is(P::SoftwareCpe),
            (E::Software, "name") => Is(P::SoftwareName),
            (E::Software, "vendor") => Is(P::SoftwareVendor),
            (E::Software, "version") => Is(P::SoftwareVersion),

            (E::Text, "value") => Is(P::Text),

            (E::Traffic, "dst_port") => Is(P::Port(Of::Destination)),
            (E::Traffic, "dst_ref") => To(E::End(Of::Destination)),
            (E::Traffic, "extensions") => To(E::TrafficExtensions),
            (E::Traffic, "protocols") => Is(P::Protocol),
            (E::Traffic, "src_port") => Is(P::Port(Of::Source)),
            (E::Traffic, "src_ref") => To(E::End(Of::Source)),
            (E::TrafficExtensions, "http-request-ext") => To(E::HttpRequest),

            (E::Url, "value") => Is(P::Url),
            (E::UserAgent, "value") => Is(P::UserAgent),

            (E::Vulnerability, "name") => Is(P::VulnerabilityName),
            (E::Vulnerability, "x_opencti_cvss_base_score") => Is(P::CvssScore),
            (E::Vulnerability, "x_opencti_cvss_base_severity") => Is(P::CvssSeverity),

            _ => return None,
        })
    }

    /// The properties of which an object has at least one. Empty for what is no object.
    pub(super) fn main(self) -> Vec<Property> {
        use Property as P;
        const ALGORITHMS: [HashAlgorithm; 6] = [
            HashAlgorithm::Md5,
            HashAlgorithm::Sha1,
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha512,
            HashAlgorithm::Ssdeep,
            HashAlgorithm::Tlsh,
        ];
        match self {
            Self::Account(of) => vec![P::Login(of), P::UserId(of)],
            Self::Address(family, of) => vec![P::Address(family, of)],
            Self::Artifact => ALGORITHMS.map(|algorithm| P::Digest(algorithm, Of::Any)).into(),
            Self::AutonomousSystem => vec![P::AsNumber],
            Self::Certificate => {
                let mut all = vec![P::CertificateSerial, P::CertificateSubject, P::CertificateIssuer];
                all.extend([P::CertificateNotBefore, P::CertificateNotAfter]);
                all.extend(ALGORITHMS.map(P::CertificateDigest));
                all
            }
            Self::Directories => vec![P::DirectoryPath],
            Self::Directory(of) => vec![P::FileDirectory(of)],
            Self::Domain(of) => vec![P::DomainName(of)],
            Self::EmailAddr(of) => vec![P::EmailAddress(of)],
            Self::End(of) => vec![P::End(of)],
            Self::File(of) => {
                let mut all = vec![P::FileName(of)];
                all.extend(ALGORITHMS.map(|algorithm| P::Digest(algorithm, of)));
                if of == Of::Any {
                    all.extend([P::ImportHash, P::FileSize, P::FileCreated, P::FileModified]);
                }
                all
            }
            Self::Host => vec![P::HostName(Of::Any)],
            Self::MacAddr => vec![P::MacAddress(Of::Any)],
            Self::Message => {
                vec![P::Subject, P::EmailAddress(Of::Sender), P::EmailAddress(Of::Recipient)]
            }
            Self::Mutex => vec![P::MutexName],
            Self::Process(of) => {
                let inside = of.or_process();
                let mut all = vec![P::CommandLine(of), P::ProcessId(of), P::ProcessName(inside), P::FileName(inside)];
                all.extend([P::WorkingDirectory(inside), P::Login(inside), P::UserId(inside)]);
                all.extend(ALGORITHMS.map(|algorithm| P::Digest(algorithm, inside)));
                all
            }
            Self::RegistryKey => {
                vec![P::RegistryKey, P::RegistryValueName, P::RegistryValueData, P::RegistryValueType]
            }
            Self::RegistryValue => vec![P::RegistryValueName, P::RegistryValueData, P::RegistryValueType],
            Self::Software => vec![P::SoftwareName, P::SoftwareCpe, P::SoftwareVendor, P::SoftwareVersion],
            Self::Text => vec![P::Text],
            Self::Traffic => {
                let ends = [Of::Source, Of::Destination];
                let mut all = vec![P::Protocol, P::UserAgent, P::RequestTarget];
                all.extend(ends.map(P::End));
                all.extend(ends.map(P::Port));
                all
            }
            Self::Url => vec![P::Url],
            Self::UserAgent => vec![P::UserAgent],
            Self::Vulnerability => vec![P::VulnerabilityName, P::CvssScore, P::CvssSeverity],
            Self::CertificateHashes
            | Self::FileExtensions
            | Self::Hashes(_)
            | Self::HttpRequest
            | Self::HttpRequestHeader
            | Self::PeBinary
            | Self::TrafficExtensions => Vec::new(),
        }
    }
}

/// The property under which verified alerts carry a file's name with its directory.
pub const FULL_PATH: &str = "x_wazuh_path";

impl Of {
    /// The things of any process, unless they are those of a parent.
    fn or_process(self) -> Self {
        if self == Self::Any { Self::Process } else { self }
    }
}

impl Property {
    /// The properties that are searched for this one: itself, or those it is put together from.
    pub(super) fn parts(self) -> Vec<Self> {
        match self {
            Self::End(of) => vec![Self::Address(None, of), Self::HostName(of), Self::MacAddress(of)],
            Self::Presence(entity) => entity.main().into_iter().flat_map(Self::parts).collect(),
            one => vec![one],
        }
    }
}

/// The algorithm of a STIX hash key, in any spelling.
pub(super) fn algorithm(name: &str) -> Option<HashAlgorithm> {
    crate::builder::hash_algorithm(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, wanted: Option<Property>) {
        let pattern = stix_model::pattern::Pattern::parse(&format!("[EXISTS {path}]")).unwrap();
        let path = pattern.tests().next().map(|test| test.path.clone()).unwrap();
        assert_eq!(resolve(&path), wanted, "{path}");
    }

    #[test]
    fn paths() {
        use Property as P;
        check("ipv4-addr:value", Some(P::Address(Some(Family::V4), Of::Any)));
        check("file:hashes.'SHA-256'", Some(P::Digest(HashAlgorithm::Sha256, Of::Any)));
        check("file:hashes.sha256", Some(P::Digest(HashAlgorithm::Sha256, Of::Any)));
        check("file:hashes.'SHA3-256'", None);
        check("process:binary_ref.hashes.MD5", Some(P::Digest(HashAlgorithm::Md5, Of::Process)));
        check("process:parent_ref.image_ref.parent_directory_ref.path", Some(P::FileDirectory(Of::Parent)));
        check("process:parent_ref.creator_user_ref.user_id", Some(P::UserId(Of::Parent)));
        check("network-traffic:dst_ref.value", Some(P::End(Of::Destination)));
        check("network-traffic:dst_ref.type", Some(P::Presence(Entity::End(Of::Destination))));
        check("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'", Some(P::UserAgent));
        check("email-message:to_refs[*].value", Some(P::EmailAddress(Of::Recipient)));
        check("email-message:to_refs[0].value", Some(P::EmailAddress(Of::Recipient)));
        check("windows-registry-key:values[*].data", Some(P::RegistryValueData));
        check("email-message:body", None);
        check("email-message:from_ref", None);
        check("email-message:from_ref.value.more", None);
        check("cryptocurrency-wallet:value", None);
    }
}
