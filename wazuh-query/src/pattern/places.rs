//! Which fields hold a property, and how it is written there.
//!
//! Everything here is decided by what the catalogue says about a field: what it holds, which part that plays, and
//! which thing it describes together with other fields.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::PatternOptions;
use super::property::{Family, Of, Property};
use crate::catalogue::{Catalogue, Envelope, Field, HashAlgorithm, Holds, IndexType, Role, Schema};
use crate::dsl::FieldSet;

/// How a value stands in the text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// An address, in any of its spellings.
    Address(Option<Family>),
    /// An address among the answers that Sysmon lists.
    AddressInAnswers(Option<Family>),
    /// An address as the host of a URL.
    AddressInUrl(Option<Family>),
    /// An address with or without a port.
    AddressWithPort(Option<Family>),
    /// One argument of a command line that is put together from several fields.
    Argument,
    /// A number with or without `AS`.
    AsNumber,
    /// The last component of a path.
    Basename,
    /// A digest with or without colons.
    Colons,
    /// A command line, with or without the escapes of the Windows event channel.
    CommandLine,
    /// A time.
    Date,
    /// A digest in lower or upper case.
    Digest,
    /// A digest in Sysmon's list.
    DigestInList(HashAlgorithm),
    /// A number that may have a fraction.
    Fraction,
    /// A registry key, in any notation.
    Key,
    /// A registry key, perhaps followed by the name of a value.
    KeyOrValue,
    /// A login, perhaps with a number behind it.
    Login,
    /// A login of which the number in parentheses counts, or a security identifier.
    LoginNumber,
    /// A MAC address in any notation.
    Mac,
    /// An e-mail address, perhaps behind a display name.
    Mailbox,
    /// The name of a machine or domain, in any case.
    Name { domain: bool },
    /// A name among the answers that Sysmon lists.
    NameInAnswers { domain: bool },
    /// A domain name as the host of a URL.
    NameInUrl,
    /// A whole number.
    Number,
    /// The directory of a path.
    ParentPath,
    /// A path with single or doubled backslashes.
    Path,
    /// Something from which the value is worked out: only its presence can be asked for.
    Presence,
    /// A process number, decimal or hexadecimal.
    ProcessNumber,
    /// A protocol's name or number.
    Protocol,
    /// A group of the rule from which the protocol is told.
    ProtocolOfRule,
    /// The data of a registry value, as text or as Sysmon shows numbers.
    RegistryData,
    /// A text in any case, of which the upper case counts.
    Upper,
    /// An identifier that may be a number to the index.
    UserId,
    /// Path and query of a URL, or a URL with them.
    UrlTarget,
    /// The last component of a registry key.
    ValueNameInKey,
    /// The text as it is.
    Whole,
}

/// How the index compares the values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mapped {
    Address,
    Date,
    Fraction,
    Keyword,
    Number,
}

/// Fields that hold a property in one form.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub form: Form,
    pub mapped: Mapped,
    pub fields: FieldSet,
}

/// The fields of one schema by property, worked out when a property is asked for first.
#[derive(Debug)]
pub(super) struct Places {
    fields: Vec<Field>,
    options: PatternOptions,
    known: RwLock<BTreeMap<Property, Arc<[Source]>>>,
    pub timestamp: FieldSet,
}

impl Places {
    pub(super) fn new(catalogue: &Catalogue, schema: Schema, options: PatternOptions) -> Self {
        let fields: Vec<Field> = catalogue.select(schema, is_searched).cloned().collect();
        let timestamp = fields.iter().filter(|field| field.holds == Holds::Envelope(Envelope::Timestamp)).collect();
        Self { fields, options, known: RwLock::default(), timestamp }
    }

    /// The fields that hold a property; several lists where it stands in several forms.
    pub(super) fn sources(&self, property: Property) -> Arc<[Source]> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&property) {
            return Arc::clone(known);
        }
        let mut lists: BTreeMap<(Form, Mapped), Vec<&Field>> = BTreeMap::new();
        for part in property.parts() {
            for field in &self.fields {
                if let (Some(form), Some(mapped)) = (form(part, field, self.options), mapped(field)) {
                    let list = lists.entry((form, mapped)).or_default();
                    if !list.iter().any(|known| known.path == field.path) {
                        list.push(field);
                    }
                }
            }
        }
        let source = |((form, mapped), fields): ((Form, Mapped), Vec<&Field>)| Source {
            form,
            mapped,
            fields: fields.into_iter().collect(),
        };
        let sources: Arc<[Source]> = lists.into_iter().map(source).collect();
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(property, Arc::clone(&sources));
        sources
    }
}

fn is_searched(field: &Field) -> bool {
    field.uses.search && mapped(field).is_some()
}

fn mapped(field: &Field) -> Option<Mapped> {
    match field.index {
        IndexType::Keyword => Some(Mapped::Keyword),
        IndexType::Ip => Some(Mapped::Address),
        IndexType::Long => Some(Mapped::Number),
        IndexType::Double => Some(Mapped::Fraction),
        IndexType::Date => Some(Mapped::Date),
        _ => None,
    }
}

/// Whether a field describes a process, its image or its user.
fn of_process(field: &Field) -> bool {
    matches!(&*field.group, "process" | "parent-process" | "target-process")
}

/// Whether a field belongs to the things that are asked for.
fn belongs(of: Of, field: &Field) -> bool {
    match of {
        Of::Any => field.role != Role::Agent,
        Of::Process => of_process(field),
        Of::Parent => field.group == "parent-process",
        Of::Source => field.role == Role::Source,
        Of::Destination => field.role == Role::Destination,
        // An end of a connection is also what its name led to.
        Of::Answer => matches!(field.role, Role::Answer | Role::Source | Role::Destination),
        Of::Sender => field.role == Role::Sender,
        Of::Recipient => field.role == Role::Recipient,
    }
}

/// How a field holds a property, if it does.
pub(super) fn form(property: Property, field: &Field, options: PatternOptions) -> Option<Form> {
    use Property as P;
    let holds = field.holds;
    let one = |wanted: Holds, form| (holds == wanted && field.role != Role::Agent).then_some(form);
    match property {
        P::Address(family, of) => address(family, of, field, options),
        P::DomainName(of) => name(true, of, field, options),
        P::HostName(of) => name(false, of, field, options),
        P::End(_) | P::Presence(_) => None,
        P::AsNumber => one(Holds::Asn, Form::AsNumber),
        P::EmailAddress(of) => {
            // Producers write addresses where logins belong, but not those of messages.
            let is_address = matches!(holds, Holds::Email | Holds::EmailOrUser);
            let is_address = is_address || (holds == Holds::UserName && of == Of::Any);
            (is_address && belongs(of, field)).then_some(Form::Mailbox)
        }
        P::MacAddress(of) => (holds == Holds::Mac && belongs(of, field)).then_some(Form::Mac),
        P::Url => one(Holds::Url, Form::Whole).or_else(|| one(Holds::UrlPath, Form::Whole)),
        P::RequestTarget => one(Holds::Url, Form::UrlTarget).or_else(|| one(Holds::UrlPath, Form::UrlTarget)),
        P::UserAgent => one(Holds::UserAgent, Form::Whole),
        P::Subject => one(Holds::EmailSubject, Form::Whole),
        P::Text => text(field),

        P::DirectoryPath => match holds {
            Holds::Directory => one(holds, Form::Path),
            _ => file_or_command(Of::Any, field).map(|()| Form::ParentPath),
        },
        P::FileDirectory(of) => file_or_command(of, field).map(|()| Form::ParentPath),
        P::FileName(of) => file_or_command(of, field).map(|()| Form::Basename),
        P::FilePath(of) => file_or_command(of, field).map(|()| Form::Path),
        P::Digest(algorithm, of) => digest(algorithm, of, field),
        P::ImportHash => one(Holds::Hash(HashAlgorithm::Imphash), Form::Digest)
            .or_else(|| one(Holds::HashList, Form::DigestInList(HashAlgorithm::Imphash))),
        P::FileSize => one(Holds::FileSize, Form::Number),
        P::FileModified => one(Holds::FileModified, Form::Date),
        P::FileCreated => one(Holds::FileCreated, Form::Date),

        P::CommandLine(of) => match holds {
            Holds::CommandLine => belongs(of, field).then_some(Form::CommandLine),
            Holds::Argument(_) => (belongs(of, field) && field.role != Role::Before).then_some(Form::Argument),
            _ => None,
        },
        P::ProcessId(of) => (holds == Holds::ProcessId && belongs(of, field)).then_some(Form::ProcessNumber),
        P::ProcessName(of) => {
            let is_image = matches!(holds, Holds::ProcessImage | Holds::FilePath | Holds::FileName | Holds::Command);
            (is_image && belongs(of, field)).then_some(Form::Basename)
        }
        P::WorkingDirectory(of) => (holds == Holds::Directory && belongs(of, field)).then_some(Form::Path),

        P::Login(of) => {
            (matches!(holds, Holds::UserName | Holds::EmailOrUser) && belongs(of, field)).then_some(Form::Login)
        }
        P::UserId(of) => match holds {
            _ if !belongs(of, field) => None,
            Holds::UserId => Some(Form::UserId),
            Holds::Sid => Some(Form::Whole),
            Holds::UserName | Holds::EmailOrUser => Some(Form::LoginNumber),
            _ => None,
        },
        P::DisplayName(of) => (holds == Holds::UserDomain && belongs(of, field)).then_some(Form::Presence),

        P::RegistryKey => match holds {
            Holds::RegistryKey | Holds::FileOrRegistryPath | Holds::ObjectName => one(holds, Form::Key),
            Holds::RegistryKeyAndValue => one(holds, Form::KeyOrValue),
            _ => None,
        },
        P::RegistryValueName => {
            one(Holds::RegistryValueName, Form::Whole).or_else(|| one(Holds::RegistryKeyAndValue, Form::ValueNameInKey))
        }
        P::RegistryValueData => one(Holds::RegistryValueData, Form::RegistryData),
        P::RegistryValueType => {
            // Sysmon shows the type of some data only: `DWORD (0x00000001)`.
            one(Holds::RegistryValueType, Form::Upper).or_else(|| one(Holds::RegistryValueData, Form::Presence))
        }
        P::MutexName => one(Holds::ObjectName, Form::Path),

        P::Port(of) => (holds == Holds::Port && belongs(of, field)).then_some(Form::Number),
        P::Protocol => protocol(field),

        P::SoftwareName => one(Holds::SoftwareName, Form::Whole),
        P::SoftwareVersion => one(Holds::SoftwareVersion, Form::Whole),
        P::SoftwareVendor => one(Holds::SoftwareVendor, Form::Whole),
        P::SoftwareCpe => one(Holds::Cpe, Form::Whole),
        P::VulnerabilityName => one(Holds::Vulnerability, Form::Upper),
        P::CvssScore => one(Holds::CvssScore, Form::Fraction),
        P::CvssSeverity => one(Holds::VulnerabilitySeverity, Form::Upper),

        P::CertificateDigest(_) => one(Holds::CertificateFingerprint, Form::Colons),
        P::CertificateSerial => one(Holds::CertificateSerial, Form::Colons),
        P::CertificateSubject => one(Holds::CertificateSubject, Form::Whole),
        P::CertificateIssuer => one(Holds::CertificateIssuer, Form::Whole),
        P::CertificateNotBefore => one(Holds::CertificateNotBefore, Form::Date),
        P::CertificateNotAfter => one(Holds::CertificateNotAfter, Form::Date),
    }
}

fn address(family: Option<Family>, of: Of, field: &Field, options: PatternOptions) -> Option<Form> {
    let of_agent = field.holds == Holds::Envelope(Envelope::AgentIp) || field.role == Role::Agent;
    if of_agent {
        let may_be = matches!(
            field.holds,
            Holds::Ip | Holds::IpWithPort | Holds::HostOrIp | Holds::Hostname | Holds::Envelope(_)
        );
        return (of == Of::Any && options.agent_addresses && may_be).then_some(Form::Address(family));
    }
    if !belongs(of, field) {
        return None;
    }
    match field.holds {
        // A field of names also holds addresses: TLS server names, HTTP hosts.
        Holds::Ip | Holds::HostOrIp | Holds::Domain | Holds::Hostname => Some(Form::Address(family)),
        Holds::IpWithPort => Some(Form::AddressWithPort(family)),
        Holds::DnsResults => Some(Form::AddressInAnswers(family)),
        Holds::Url if of == Of::Any => Some(Form::AddressInUrl(family)),
        _ => None,
    }
}

fn name(domain: bool, of: Of, field: &Field, options: PatternOptions) -> Option<Form> {
    let of_agent = field.holds == Holds::Envelope(Envelope::AgentName) || field.role == Role::Agent;
    if of_agent {
        let is_name = matches!(field.holds, Holds::Domain | Holds::Hostname | Holds::HostOrIp | Holds::Envelope(_));
        return (of == Of::Any && options.agent_names && is_name).then_some(Form::Name { domain });
    }
    if !belongs(of, field) {
        return None;
    }
    match field.holds {
        Holds::Domain | Holds::Hostname | Holds::HostOrIp => Some(Form::Name { domain }),
        Holds::DnsResults => Some(Form::NameInAnswers { domain }),
        Holds::Url if of == Of::Any => Some(Form::NameInUrl),
        _ => None,
    }
}

fn text(field: &Field) -> Option<Form> {
    if field.role == Role::Agent {
        return None;
    }
    match field.holds {
        Holds::Name | Holds::TlsFingerprint | Holds::EmailSubject | Holds::UserAgent => Some(Form::Whole),
        Holds::Hash(HashAlgorithm::Imphash) => Some(Form::Digest),
        Holds::PipeName => Some(Form::Path),
        _ => None,
    }
}

/// Whether a field holds the path or the name of a file.
fn file_path(of: Of, field: &Field) -> Option<()> {
    let is_file = matches!(
        field.holds,
        Holds::FilePath | Holds::FileName | Holds::FileOrRegistryPath | Holds::ProcessImage | Holds::ObjectName
    );
    (is_file && belongs(of, field)).then_some(())
}

/// The same, or the command of a process, which is the name of its image.
fn file_or_command(of: Of, field: &Field) -> Option<()> {
    let is_command = field.holds == Holds::Command && of_process(field) && belongs(of, field);
    if is_command { Some(()) } else { file_path(of, field) }
}

fn digest(algorithm: HashAlgorithm, of: Of, field: &Field) -> Option<Form> {
    // Sysmon lists the hashes of a process's image in a field of its own group.
    let belongs = belongs(of, field) || (of == Of::Process && field.group == "sysmon-file");
    if !belongs {
        return None;
    }
    let by_length =
        matches!(algorithm, HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha256 | HashAlgorithm::Sha512);
    match field.holds {
        Holds::Hash(known) if known == algorithm => Some(Form::Digest),
        Holds::AnyHash if by_length => Some(Form::Digest),
        Holds::HashList if by_length => Some(Form::DigestInList(algorithm)),
        _ => None,
    }
}

/// The protocols of a connection are also told from its addresses, from a request, and from the rule.
fn protocol(field: &Field) -> Option<Form> {
    let is_end = matches!(field.role, Role::Source | Role::Destination);
    match field.holds {
        Holds::Protocol if field.role != Role::Agent => Some(Form::Protocol),
        Holds::Ip | Holds::IpWithPort | Holds::HostOrIp | Holds::Domain | Holds::Hostname if is_end => {
            Some(Form::Presence)
        }
        Holds::UserAgent | Holds::Url | Holds::UrlPath => Some(Form::Presence),
        Holds::Envelope(Envelope::RuleGroup) => Some(Form::ProtocolOfRule),
        _ => None,
    }
}
