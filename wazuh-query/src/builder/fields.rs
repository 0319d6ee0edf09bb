//! The fields that each builder searches, picked from the catalogue once.

use crate::catalogue::{Catalogue, Envelope, Field, HashAlgorithm, Holds, IndexType, Role, Schema};
use crate::dsl::FieldSet;

/// Fields by how a value is found in them.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// Addresses as keywords.
    pub ip: FieldSet,
    /// Addresses that the index knows as such.
    pub ip_typed: FieldSet,
    /// Addresses with a port.
    pub ip_with_port: FieldSet,
    pub source_ip: FieldSet,
    pub source_ip_typed: FieldSet,
    pub destination_ip: FieldSet,
    pub destination_ip_typed: FieldSet,
    pub source_ip_with_port: FieldSet,
    pub destination_ip_with_port: FieldSet,
    pub agent_ip: FieldSet,
    pub agent_ip_typed: FieldSet,
    pub dns_results: FieldSet,
    /// Names of hosts, and of those the ones that may end with a dot.
    pub host: FieldSet,
    pub domain: FieldSet,
    /// Names of the machine that reported the event.
    pub agent_host: FieldSet,
    pub agent_id: FieldSet,
    pub url: FieldSet,
    pub url_path: FieldSet,
    pub mac: FieldSet,
    pub source_mac: FieldSet,
    pub destination_mac: FieldSet,
    pub source_port: Numbers,
    pub destination_port: Numbers,
    pub protocol: FieldSet,
    pub asn_number: FieldSet,
    pub asn_text: FieldSet,
    pub email: FieldSet,
    /// Those of them that may have a display name before the address.
    pub mailbox: FieldSet,
    /// Fields of logins, into which mail and web decoders write addresses.
    pub login: FieldSet,
    pub sender: FieldSet,
    pub email_subject: FieldSet,
    pub user_agent: FieldSet,
    pub hashes: [(HashAlgorithm, FieldSet); 6],
    pub hash_list: FieldSet,
    /// Paths and names of files, images of processes included.
    pub file: FieldSet,
    pub file_size: Numbers,
    pub directory: FieldSet,
    pub registry_key: FieldSet,
    pub registry_value_name: FieldSet,
    pub registry_value_data: FieldSet,
    /// Hashes of registry values.
    pub registry_value_hash: FieldSet,
    pub command_line: FieldSet,
    /// Commands without arguments: bare commands, images, the first argument.
    pub command: FieldSet,
    pub argument: FieldSet,
    pub user_name: FieldSet,
    pub user_id: FieldSet,
    pub sid: FieldSet,
    pub certificate_fingerprint: FieldSet,
    pub certificate_serial: FieldSet,
    pub certificate_subject: FieldSet,
    pub certificate_issuer: FieldSet,
    pub vulnerability: FieldSet,
    pub software_name: FieldSet,
    pub software_version: FieldSet,
    pub cpe: FieldSet,
    pub object_name: FieldSet,
    pub text: FieldSet,
}

/// Fields of numbers; the index may know them as numbers or as keywords, a `term` finds both.
pub(super) type Numbers = FieldSet;

impl Fields {
    pub(super) fn new(catalogue: &Catalogue, schema: Schema) -> Self {
        let searched: Vec<&Field> = catalogue.select(schema, |field| field.uses.search).collect();
        let pick = |wanted: &dyn Fn(&Field) -> bool| -> FieldSet {
            searched.iter().copied().filter(|field| wanted(field)).collect()
        };
        let keyword = |field: &Field| field.index == IndexType::Keyword;
        let number = |field: &Field| matches!(field.index, IndexType::Keyword | IndexType::Long);
        let holds = |wanted: &dyn Fn(Holds) -> bool| pick(&|field| keyword(field) && wanted(field.holds));
        let one = |wanted: Holds| holds(&|holds| holds == wanted);
        let is_ip = |holds| matches!(holds, Holds::Ip | Holds::IpWithPort | Holds::HostOrIp);
        // A field of names also holds addresses: TLS server names, HTTP hosts.
        let is_host = |field: &Field| {
            matches!(field.holds, Holds::Domain | Holds::Hostname | Holds::HostOrIp) && field.role != Role::Agent
        };
        let envelope = |part| pick(&|field| field.holds == Holds::Envelope(part));
        let with_role = |role, wanted: &dyn Fn(Holds) -> bool, index| {
            pick(&|field| field.role == role && wanted(field.holds) && field.index == index)
        };
        let hash = |algorithm: HashAlgorithm| {
            let by_length = matches!(
                algorithm,
                HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha256 | HashAlgorithm::Sha512
            );
            let fields = holds(&|holds| holds == Holds::Hash(algorithm) || (by_length && holds == Holds::AnyHash));
            (algorithm, fields)
        };
        let port = |role| pick(&|field| field.role == role && field.holds == Holds::Port && number(field));
        Self {
            ip: pick(&|field| keyword(field) && field.role != Role::Agent && (is_ip(field.holds) || is_host(field))),
            ip_typed: pick(&|field| field.index == IndexType::Ip && field.role != Role::Agent && is_ip(field.holds)),
            ip_with_port: one(Holds::IpWithPort),
            source_ip: with_role(Role::Source, &is_ip, IndexType::Keyword),
            source_ip_typed: with_role(Role::Source, &is_ip, IndexType::Ip),
            destination_ip: with_role(Role::Destination, &is_ip, IndexType::Keyword),
            destination_ip_typed: with_role(Role::Destination, &is_ip, IndexType::Ip),
            source_ip_with_port: with_role(Role::Source, &|holds| holds == Holds::IpWithPort, IndexType::Keyword),
            destination_ip_with_port: with_role(
                Role::Destination,
                &|holds| holds == Holds::IpWithPort,
                IndexType::Keyword,
            ),
            agent_ip: pick(&|field| is_agent_ip(field) && field.index == IndexType::Keyword),
            agent_ip_typed: pick(&|field| is_agent_ip(field) && field.index == IndexType::Ip),
            dns_results: one(Holds::DnsResults),
            host: pick(&|field| keyword(field) && is_host(field)),
            domain: pick(&|field| keyword(field) && field.holds == Holds::Domain && is_host(field)),
            agent_host: pick(&|field| {
                let is_name = matches!(field.holds, Holds::Domain | Holds::Hostname | Holds::HostOrIp);
                let reporting = field.role == Role::Agent && is_name;
                keyword(field) && (reporting || field.holds == Holds::Envelope(Envelope::AgentName))
            }),
            agent_id: envelope(Envelope::AgentId),
            url: one(Holds::Url),
            url_path: one(Holds::UrlPath),
            mac: one(Holds::Mac),
            source_mac: with_role(Role::Source, &|holds| holds == Holds::Mac, IndexType::Keyword),
            destination_mac: with_role(Role::Destination, &|holds| holds == Holds::Mac, IndexType::Keyword),
            source_port: port(Role::Source),
            destination_port: port(Role::Destination),
            protocol: one(Holds::Protocol),
            asn_number: pick(&|field| field.holds == Holds::Asn && field.index == IndexType::Long),
            asn_text: one(Holds::Asn),
            email: holds(&|holds| matches!(holds, Holds::Email | Holds::EmailOrUser)),
            mailbox: one(Holds::Email),
            login: one(Holds::UserName),
            sender: with_role(
                Role::Sender,
                &|holds| matches!(holds, Holds::Email | Holds::EmailOrUser),
                IndexType::Keyword,
            ),
            email_subject: one(Holds::EmailSubject),
            user_agent: one(Holds::UserAgent),
            hashes: [
                hash(HashAlgorithm::Md5),
                hash(HashAlgorithm::Sha1),
                hash(HashAlgorithm::Sha256),
                hash(HashAlgorithm::Sha512),
                hash(HashAlgorithm::Ssdeep),
                hash(HashAlgorithm::Tlsh),
            ],
            hash_list: one(Holds::HashList),
            file: holds(&|holds| {
                matches!(
                    holds,
                    Holds::FilePath
                        | Holds::FileName
                        | Holds::FileOrRegistryPath
                        | Holds::ProcessImage
                        | Holds::ObjectName
                )
            }),
            file_size: pick(&|field| field.holds == Holds::FileSize && number(field)),
            directory: holds(&|holds| matches!(holds, Holds::Directory | Holds::FileOrRegistryPath)),
            registry_key: holds(&|holds| {
                matches!(
                    holds,
                    Holds::RegistryKey | Holds::RegistryKeyAndValue | Holds::FileOrRegistryPath | Holds::ObjectName
                )
            }),
            registry_value_name: one(Holds::RegistryValueName),
            registry_value_data: one(Holds::RegistryValueData),
            registry_value_hash: pick(&|field| {
                let has_value_name = |other: &&&Field| {
                    other.holds == Holds::RegistryValueName && !other.group.is_empty() && other.group == field.group
                };
                field.holds == Holds::Hash(HashAlgorithm::Sha256)
                    && keyword(field)
                    && searched.iter().any(|other| has_value_name(&other))
            }),
            command_line: one(Holds::CommandLine),
            command: holds(&|holds| matches!(holds, Holds::Command | Holds::ProcessImage | Holds::Argument(0))),
            argument: holds(&|holds| matches!(holds, Holds::Argument(place) if place > 0)),
            user_name: holds(&|holds| matches!(holds, Holds::UserName | Holds::EmailOrUser)),
            user_id: pick(&|field| field.holds == Holds::UserId && number(field)),
            sid: holds(&|holds| matches!(holds, Holds::Sid | Holds::UserName | Holds::UserId | Holds::EmailOrUser)),
            certificate_fingerprint: one(Holds::CertificateFingerprint),
            certificate_serial: one(Holds::CertificateSerial),
            certificate_subject: one(Holds::CertificateSubject),
            certificate_issuer: one(Holds::CertificateIssuer),
            vulnerability: one(Holds::Vulnerability),
            software_name: one(Holds::SoftwareName),
            software_version: one(Holds::SoftwareVersion),
            cpe: one(Holds::Cpe),
            object_name: one(Holds::ObjectName),
            text: holds(&|holds| {
                matches!(
                    holds,
                    Holds::Name
                        | Holds::PipeName
                        | Holds::TlsFingerprint
                        | Holds::EmailSubject
                        | Holds::UserAgent
                        | Holds::Hash(HashAlgorithm::Imphash)
                )
            }),
        }
    }
}

fn is_agent_ip(field: &Field) -> bool {
    // A syslog header names the machine that reports by its address where it has no name.
    let may_be_address = |holds| matches!(holds, Holds::Ip | Holds::IpWithPort | Holds::HostOrIp | Holds::Hostname);
    let reporting = field.role == Role::Agent && may_be_address(field.holds);
    reporting || field.holds == Holds::Envelope(Envelope::AgentIp)
}
