//! One row of the catalogue: a place in an alert document, and what stands there.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A hash algorithm, in the order in which STIX prefers them for identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// MD5, 32 hexadecimal digits.
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-1, 40 hexadecimal digits.
    #[serde(rename = "SHA-1")]
    Sha1,
    /// SHA-256, 64 hexadecimal digits.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-512, 128 hexadecimal digits.
    #[serde(rename = "SHA-512")]
    Sha512,
    /// ssdeep, compared as exact text.
    #[serde(rename = "SSDEEP")]
    Ssdeep,
    /// TLSH, compared without regard to case.
    #[serde(rename = "TLSH")]
    Tlsh,
    /// The import hash of a Windows executable, 32 hexadecimal digits. Not a hash of the file's content.
    #[serde(rename = "IMPHASH")]
    Imphash,
}

/// What the text of a field is, and so how it is read and searched.
///
/// One variant is one way to read a value. Where producers disagree about the form of the same kind of thing
/// (an address, an address with a port, a list of DNS answers), each form is a variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Holds {
    // Addresses and names
    /// One IPv4 or IPv6 address (`203.0.113.7`, `2001:db8::7`, `::ffff:203.0.113.7`).
    Ip,
    /// An address with or without a port (`203.0.113.7:51000`, `[2001:db8::7]:443`).
    IpWithPort,
    /// An address or a host name, whichever the producer had (`aws.sourceIPAddress`).
    HostOrIp,
    /// Sysmon's DNS answers: `type:  5 name.example;::ffff:203.0.113.5;`.
    DnsResults,
    /// A MAC address in any notation.
    Mac,
    /// A TCP or UDP port number.
    Port,
    /// A protocol name or IANA number (`tcp`, `6`, `http`).
    Protocol,
    /// The number of an autonomous system (`64500`, `AS64500`).
    Asn,
    /// A fully qualified domain name (DNS questions, TLS server names, HTTP hosts).
    Domain,
    /// The name of a machine: a single label or a fully qualified name.
    Hostname,
    /// An absolute URL. Some producers write only path and query; both are recognised.
    Url,
    /// Path and query of a URL, without scheme and host (web access logs).
    UrlPath,
    /// An e-mail address, with or without a display name and angle brackets.
    Email,
    /// A login that is an e-mail address for some producers (`data.office365.UserId`).
    EmailOrUser,
    /// The subject of an e-mail message.
    EmailSubject,
    /// An HTTP user agent.
    UserAgent,

    // Files
    /// A hash of one algorithm.
    Hash(HashAlgorithm),
    /// A hash whose algorithm follows from its length (MD5, SHA-1, SHA-256, SHA-512).
    AnyHash,
    /// Sysmon's list `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`, any subset in any order.
    HashList,
    /// A path of a file, absolute or relative, or a bare file name; Windows or POSIX.
    /// Windows separators may be doubled (`data.win.eventdata.*`).
    FilePath,
    /// A file name without a directory.
    FileName,
    /// A path of a directory.
    Directory,
    /// A path of a file, or a registry key in the same field (`syscheck.path`).
    FileOrRegistryPath,
    /// The size of a file in bytes.
    FileSize,
    /// A time of a file: last modification.
    FileModified,
    /// A time of a file: creation.
    FileCreated,

    // Registry
    /// A registry key, with long (`HKEY_LOCAL_MACHINE`) or short (`HKLM`) hive or in kernel form (`\REGISTRY\MACHINE`).
    RegistryKey,
    /// A registry key followed by the name of a value (Sysmon's `targetObject`, events 13 and 14).
    RegistryKeyAndValue,
    /// The name of a registry value.
    RegistryValueName,
    /// The type of a registry value (`REG_SZ`).
    RegistryValueType,
    /// The data of a registry value as text.
    RegistryValueData,

    // Processes
    /// A command line. In `data.win.eventdata.*` backslashes are doubled and quotes carry a backslash.
    CommandLine,
    /// A command without arguments: a path or a bare name (`data.audit.command`).
    Command,
    /// One argument of a command, the number being its position (`data.audit.execve.a1`).
    Argument(u16),
    /// The path of a process's executable file.
    ProcessImage,
    /// A process number, decimal or hexadecimal (`0x1f4`).
    ProcessId,

    // Accounts
    /// A login, possibly as `DOMAIN\name`, `name@realm` or `name(uid=0)`.
    UserName,
    /// The domain or realm an account belongs to.
    UserDomain,
    /// The number or opaque identifier of an account.
    UserId,
    /// A Windows security identifier (`S-1-5-21-…`).
    Sid,

    // TLS
    /// A certificate's fingerprint: SHA-1 or SHA-256, with or without colons.
    CertificateFingerprint,
    /// A certificate's serial number, with or without colons.
    CertificateSerial,
    /// A certificate's subject.
    CertificateSubject,
    /// A certificate's issuer.
    CertificateIssuer,
    /// The start of a certificate's validity.
    CertificateNotBefore,
    /// The end of a certificate's validity.
    CertificateNotAfter,
    /// A JA3, JA3S or JA4 fingerprint of a TLS handshake.
    TlsFingerprint,

    // Vulnerabilities and software
    /// A vulnerability's identifier (`CVE-2024-3094`).
    Vulnerability,
    /// A CVSS base score.
    CvssScore,
    /// The severity of a vulnerability as text.
    VulnerabilitySeverity,
    /// Whether a vulnerability is still there (`Active`, `Solved`).
    VulnerabilityStatus,
    /// The name of a software package.
    SoftwareName,
    /// The version of a software package.
    SoftwareVersion,
    /// The vendor of a software package.
    SoftwareVendor,
    /// A CPE name.
    Cpe,

    // Others
    /// The name of a named pipe.
    PipeName,
    /// The name of a kernel object; a mutex when the alert says that its type is `Mutant`.
    ObjectName,
    /// The type of the kernel object of `ObjectName`.
    ObjectType,
    /// A free-standing name that people search for as text: a signature, a threat, a service, a scheduled task.
    Name,
    /// An ATT&CK technique (`T1110.001`).
    AttackTechnique,
    /// The name of an ATT&CK technique (`Password Guessing`), in a list beside that of `AttackTechnique`.
    AttackTechniqueName,
    /// A part of the alert's envelope: who raised it, when, by which rule.
    Envelope(Envelope),
    /// Nothing that is read; the row only tells how the index maps the field.
    Opaque,
}

/// The parts of an alert's envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Envelope {
    /// When the alert was raised.
    Timestamp,
    /// The alert's own identifier.
    AlertId,
    /// Identifier of the rule.
    RuleId,
    /// Level of the rule: 0 to 16 (Wazuh 4), a word (Wazuh 5).
    RuleLevel,
    /// What the rule says.
    RuleDescription,
    /// Groups (Wazuh 4) or tags (Wazuh 5) of the rule.
    RuleGroup,
    /// Identifier of the agent.
    AgentId,
    /// Name of the agent.
    AgentName,
    /// Address of the agent.
    AgentIp,
    /// Name of the manager.
    ManagerName,
    /// Name of the decoder or integration.
    Decoder,
    /// Where the event came from.
    Location,
    /// Which integration produced the event (`data.integration`).
    Integration,
    /// Number of the event within its provider (`data.win.system.eventID`).
    EventCode,
}

/// The part that the thing in a field plays in the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// No particular part.
    #[default]
    None,
    /// Where traffic comes from; who acts.
    Source,
    /// Where traffic goes to; who is acted upon.
    Destination,
    /// Belongs to the parent process.
    Parent,
    /// The state before a change.
    Before,
    /// The state after a change.
    After,
    /// Belongs to the agent that reported the event, not to its content.
    Agent,
    /// A sender of a message.
    Sender,
    /// A recipient of a message.
    Recipient,
    /// An answer to a question (DNS).
    Answer,
    /// The account, organisation, project or tenant at a cloud service that the event is from: where it was seen, as
    /// an agent is for other events. The decoder of the field tells the service.
    Tenant,
}

/// The alert schema a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Schema {
    /// Wazuh 4.x, `wazuh-alerts-4.x-*`.
    #[serde(rename = "4")]
    Wazuh4,
    /// Wazuh 5.x, `wazuh-findings-v5-*` and `wazuh-events-v5-*`.
    #[serde(rename = "5")]
    Wazuh5,
}

impl Schema {
    /// Where an alert keeps the text of the whole event, which repeats what its fields say.
    pub fn whole_event(self) -> &'static [&'static str] {
        match self {
            Self::Wazuh4 => &["full_log", "data.win.system.message"],
            Self::Wazuh5 => &["message", "event.original"],
        }
    }
}

/// How the index maps a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IndexType {
    /// Exact text. Values longer than `ignore_above` of the schema are stored but not indexed.
    #[default]
    Keyword,
    /// An IP address.
    Ip,
    /// A whole number (`long`, `integer`, `short`).
    Long,
    /// A number with a fraction.
    Double,
    /// A date.
    Date,
    /// Analysed text.
    Text,
    /// A Boolean.
    Boolean,
    /// A geographical point.
    GeoPoint,
    /// An object that is not indexed field by field (`flattened`, `enabled: false`), or a field with `index: false`.
    Unindexed,
}

/// What a field is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uses {
    /// The query builders search it.
    pub search: bool,
    /// The extractor makes observables of it.
    pub extract: bool,
    /// Threat intelligence is asked about it.
    pub lookup: bool,
}

impl Default for Uses {
    fn default() -> Self {
        Self { search: true, extract: true, lookup: true }
    }
}

/// What a field tells about the event as a whole, whatever else it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Tells {
    /// Nothing.
    #[default]
    Nothing,
    /// What became of a connection or a request, in the words of a product: `blocked`, `reset-both`, `Not allowed`.
    Outcome,
    /// The same by the number of an event of Windows' filtering platform (`5157`).
    OutcomeByEvent,
    /// The same by a group of the rule (`firewall_drop`).
    OutcomeByGroup,
    /// Whether source and destination are those of an answer (`to_client`), so that the connection was opened the other
    /// way round.
    Direction,
}

/// How the values of a field stand under the name that [`Field::shown`] gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Join {
    /// The first value, and nowhere else.
    #[default]
    First,
    /// All values of all fields with the same name, with semicolons between them. Each also stands by itself.
    List,
    /// All arguments of a command in their order, with blanks between them. Each also stands by itself.
    Words,
}

/// A place in an alert document: the one description that queries, extraction and look-ups share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Field {
    /// The path in the document, components joined with dots. Arrays on the way do not show in it.
    pub path: Cow<'static, str>,
    /// What the text is.
    pub holds: Holds,
    /// The part that the thing plays in the event.
    pub role: Role,
    /// The thing this field describes. Fields of one group in one alert describe the same thing: the path, the
    /// hashes and the size of one file; the addresses and ports of one connection. Empty: the field stands alone.
    pub group: Cow<'static, str>,
    /// Who writes the field: a decoder, a module or a family of products.
    pub decoder: Cow<'static, str>,
    /// The alert schema.
    pub schema: Schema,
    /// How the index maps it.
    pub index: IndexType,
    /// What it is good for.
    pub uses: Uses,
    /// The list of objects around the field that the index maps as `nested`, if there is one. Such objects are
    /// documents of their own to the index, and only a `nested` query looks into them.
    pub nested: Option<Cow<'static, str>>,
    /// What the field tells about the event as a whole.
    pub tells: Tells,
    /// Where several fields of an alert tell the same, or have the same name to be shown under, those of the smallest rank
    /// come first.
    pub rank: u8,
    /// The name under which events that are raised for an alert repeat the field (`opencti.source.NAME`). Empty: the last
    /// part of the path.
    pub shown: Cow<'static, str>,
    /// How several values stand under that name.
    pub join: Join,
}

impl Field {
    /// The name under which one value of the field is repeated.
    pub fn shown_name(&self) -> &str {
        if self.join == Join::First && !self.shown.is_empty() {
            return &self.shown;
        }
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// The rows of one decoder or family of products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Who writes these fields.
    pub decoder: &'static str,
    /// The alert schema of all rows.
    pub schema: Schema,
    /// The rows.
    pub rows: &'static [Row],
}

/// A built-in row: what [`Field`] says, in a form that a constant can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub path: &'static str,
    pub holds: Holds,
    pub role: Role,
    pub group: &'static str,
    pub index: IndexType,
    pub uses: Uses,
    pub tells: Tells,
    pub rank: u8,
    pub shown: &'static str,
    pub join: Join,
}

/// A keyword field without a role or a group, good for everything.
pub(crate) const fn field(path: &'static str, holds: Holds) -> Row {
    Row {
        path,
        holds,
        role: Role::None,
        group: "",
        index: IndexType::Keyword,
        uses: Uses { search: true, extract: true, lookup: true },
        tells: Tells::Nothing,
        rank: 0,
        shown: "",
        join: Join::First,
    }
}

/// A row that only tells how the index maps the field.
pub(crate) const fn opaque(path: &'static str, index: IndexType) -> Row {
    field(path, Holds::Opaque).read_only().indexed(index)
}

/// A keyword that is nothing by itself: it tells about the event, or is shown.
pub(crate) const fn word(path: &'static str) -> Row {
    opaque(path, IndexType::Keyword)
}

impl Row {
    /// Sets the role.
    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The thing is where the traffic comes from, or who acts.
    pub(crate) const fn source(self) -> Self {
        self.role(Role::Source)
    }

    /// The thing is where the traffic goes to, or who is acted upon.
    pub(crate) const fn destination(self) -> Self {
        self.role(Role::Destination)
    }

    /// The thing belongs to the parent process.
    pub(crate) const fn parent(self) -> Self {
        self.role(Role::Parent)
    }

    /// Sets the group.
    pub(crate) const fn of(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Sets how the index maps the field.
    pub(crate) const fn indexed(mut self, index: IndexType) -> Self {
        self.index = index;
        self
    }

    /// The field is searched, but no observables are made of it: too noisy, or about the sensor itself.
    pub(crate) const fn search_only(mut self) -> Self {
        self.uses = Uses { search: true, extract: false, lookup: false };
        self
    }

    /// The field is searched and extracted, but threat intelligence is not asked about it.
    pub(crate) const fn no_lookup(mut self) -> Self {
        self.uses.lookup = false;
        self
    }

    /// The field says something about the alert, and nothing in it is searched, extracted or looked up.
    pub(crate) const fn read_only(mut self) -> Self {
        self.uses = Uses { search: false, extract: false, lookup: false };
        self
    }

    /// The field is read but never searched: it is not indexed, or not as exact text.
    pub(crate) const fn not_searched(mut self) -> Self {
        self.uses.search = false;
        self
    }

    /// Sets what the field tells about the event as a whole.
    pub(crate) const fn tells(mut self, tells: Tells, rank: u8) -> Self {
        self.tells = tells;
        self.rank = rank;
        self
    }

    /// The field has a word for what became of a connection or a request.
    pub(crate) const fn outcome(self, rank: u8) -> Self {
        self.tells(Tells::Outcome, rank)
    }

    /// Sets the name under which events repeat the field.
    pub(crate) const fn shown(mut self, name: &'static str) -> Self {
        self.shown = name;
        self
    }

    /// Events repeat all values together under this name.
    pub(crate) const fn joined(mut self, name: &'static str, join: Join) -> Self {
        self.shown = name;
        self.join = join;
        self
    }

    /// The same row as a [`Field`].
    pub(crate) const fn to_field(self, table: &Table) -> Field {
        let Self { path, holds, role, group, index, uses, tells, rank, shown, join } = self;
        Field {
            path: Cow::Borrowed(path),
            holds,
            role,
            group: Cow::Borrowed(group),
            decoder: Cow::Borrowed(table.decoder),
            schema: table.schema,
            index,
            uses,
            nested: None,
            tells,
            rank,
            shown: Cow::Borrowed(shown),
            join,
        }
    }
}
