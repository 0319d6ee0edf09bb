//! Where the fields of Sigma's taxonomy stand in alerts.
//!
//! Most of them follow from the rows of the catalogue: by what a row holds and which part it plays ([`CONCEPTS`]), or by
//! its name. Decoders that copy whatever an event has put the rest under a root of their own ([`ROOTS`]). What is left
//! are the few places of [`PLACES`].

use super::field::{Envelope, Field, HashAlgorithm, Holds, Role, Schema};

/// A place below which a decoder writes every name of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    /// The decoder, as the rows of the catalogue call it.
    pub decoder: &'static str,
    /// The place, with its dot.
    pub path: &'static str,
    /// Where this decoder's fields stand that are known by their last names only. Empty: nowhere.
    pub family: &'static str,
    /// Whether the first letter of a name becomes a small one.
    pub lower_first: bool,
}

/// The roots of Wazuh 4.
pub(crate) const ROOTS: &[Root] = &[
    Root { decoder: "windows-eventchannel", path: "data.win.eventdata.", family: "data.win.", lower_first: true },
    Root { decoder: "auditd", path: "data.audit.", family: "data.audit.", lower_first: false },
    Root { decoder: "aws", path: "data.aws.", family: "", lower_first: false },
    Root { decoder: "azure", path: "data.", family: "", lower_first: false },
    Root { decoder: "gcp", path: "data.gcp.", family: "", lower_first: false },
    Root { decoder: "github", path: "data.github.", family: "", lower_first: false },
    Root { decoder: "office365", path: "data.office365.", family: "", lower_first: false },
];

/// Names of the taxonomy for the same kind of thing. Names are compared by their letters and digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Concept {
    pub names: &'static [&'static str],
    pub holds: &'static [Holds],
    pub role: Role,
    /// The groups of such fields; empty: any.
    pub groups: &'static [&'static str],
    /// The field sets of Wazuh 5 in which such fields stand; empty: any.
    pub sets: &'static [&'static str],
}

impl Concept {
    const fn within(mut self, sets: &'static [&'static str]) -> Self {
        self.sets = sets;
        self
    }
}

const fn concept(names: &'static [&'static str], holds: &'static [Holds], role: Role) -> Concept {
    Concept { names, holds, role, groups: &[], sets: &[] }
}

const fn grouped(
    names: &'static [&'static str],
    holds: &'static [Holds],
    role: Role,
    groups: &'static [&'static str],
) -> Concept {
    Concept { names, holds, role, groups, sets: &[] }
}

const IP: &[Holds] = &[Holds::Ip, Holds::IpWithPort, Holds::HostOrIp];
const HOST: &[Holds] = &[Holds::Domain, Holds::Hostname, Holds::HostOrIp];
const URL: &[Holds] = &[Holds::Url, Holds::UrlPath];
/// The groups of a connection; a second one inside a tunnel or behind a translation is another one.
const FLOW: &[&str] = &["", "flow", "session-flow"];
const FILE: &[Holds] = &[Holds::FilePath, Holds::FileOrRegistryPath];
const REGISTRY: &[Holds] = &[Holds::RegistryKey, Holds::RegistryKeyAndValue];

/// Names whose fields follow from what the rows of the catalogue hold.
pub(crate) const CONCEPTS: &[Concept] = &[
    grouped(&["Image"], &[Holds::ProcessImage], Role::None, &["process"]),
    concept(&["ParentImage"], &[Holds::ProcessImage], Role::Parent),
    grouped(&["CommandLine"], &[Holds::CommandLine], Role::None, &["process"]),
    concept(&["ParentCommandLine"], &[Holds::CommandLine], Role::Parent),
    grouped(&["CurrentDirectory"], &[Holds::Directory], Role::None, &["process"]),
    grouped(&["User"], &[Holds::UserName, Holds::EmailOrUser], Role::None, &["process", "user", "effective-user"]),
    grouped(&["ProcessId"], &[Holds::ProcessId], Role::None, &["process"]),
    concept(&["ParentProcessId"], &[Holds::ProcessId], Role::Parent),
    grouped(
        &["TargetFilename"],
        FILE,
        Role::None,
        &["file", "audit-file", "osquery-file", "syscheck", "av-file", "firewall-file"],
    ),
    concept(&["TargetObject"], REGISTRY, Role::None),
    grouped(&["Details"], &[Holds::RegistryValueData], Role::None, &["registry"]),
    grouped(&["ImageLoaded"], FILE, Role::None, &["dll"]),
    grouped(&["SourceIp", "src_ip", "c-ip"], IP, Role::Source, FLOW).within(&["source.", "client."]),
    grouped(&["SourcePort", "src_port", "c-port"], &[Holds::Port], Role::Source, FLOW),
    grouped(&["SourceHostname", "c-dns"], HOST, Role::Source, FLOW),
    grouped(&["DestinationIp", "dst_ip", "s-ip", "r-ip", "cs-ip"], IP, Role::Destination, FLOW),
    grouped(&["DestinationPort", "dst_port", "s-port", "r-port"], &[Holds::Port], Role::Destination, FLOW),
    grouped(&["DestinationHostname"], HOST, Role::Destination, FLOW),
    grouped(&["Protocol"], &[Holds::Protocol], Role::None, &["flow"]),
    grouped(&["QueryName", "query", "dns_query_name"], &[Holds::Domain], Role::None, &["dns"]),
    grouped(
        &["QueryResults", "answer", "answers"],
        &[Holds::Domain, Holds::HostOrIp, Holds::Ip, Holds::DnsResults],
        Role::Answer,
        &["dns"],
    ),
    concept(
        &["c-uri", "c-uri-stem", "c-uri-query", "c-uri-extension", "cs-uri", "cs-uri-stem", "cs-uri-query"],
        URL,
        Role::None,
    )
    .within(&["url."]),
    concept(&["c-useragent", "cs-user-agent"], &[Holds::UserAgent], Role::None).within(&["user_agent."]),
    grouped(&["cs-host", "r-dns"], HOST, Role::None, &["http", "tls"]),
    concept(&["cs-username", "username"], &[Holds::UserName, Holds::EmailOrUser], Role::None),
    grouped(&["Filename"], FILE, Role::None, &["file", "av-file", "av-source-file"]),
    concept(&["md5"], &[Holds::Hash(HashAlgorithm::Md5), Holds::HashList], Role::None),
    concept(&["sha1"], &[Holds::Hash(HashAlgorithm::Sha1), Holds::HashList], Role::None),
    concept(&["sha256"], &[Holds::Hash(HashAlgorithm::Sha256), Holds::HashList], Role::None),
    concept(&["sha512"], &[Holds::Hash(HashAlgorithm::Sha512), Holds::HashList], Role::None),
    concept(&["Imphash"], &[Holds::Hash(HashAlgorithm::Imphash), Holds::HashList], Role::None),
    concept(&["EventID"], &[Holds::Envelope(Envelope::EventCode)], Role::None),
];

/// A part of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UrlPart {
    /// What stands before the `?`.
    Stem,
    /// What stands behind the `?`.
    Query,
    /// What stands behind the last dot of the stem.
    Extension,
}

/// The part of a URL that a name of the taxonomy means, where it does not mean all of it.
pub(crate) fn part_of_url(name: &str) -> Option<UrlPart> {
    match key(name).as_str() {
        "curistem" | "csuristem" => Some(UrlPart::Stem),
        "curiquery" | "csuriquery" => Some(UrlPart::Query),
        "curiextension" => Some(UrlPart::Extension),
        _ => None,
    }
}

/// A place that a name of the taxonomy has beside the fields that follow from rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub schema: Schema,
    /// Whose fields; empty: of any source.
    pub decoder: &'static str,
    pub name: &'static str,
    pub path: &'static str,
}

const fn windows(name: &'static str, path: &'static str) -> Place {
    Place { schema: Schema::Wazuh4, decoder: "windows-eventchannel", name, path }
}

const fn of(decoder: &'static str, name: &'static str, path: &'static str) -> Place {
    Place { schema: Schema::Wazuh4, decoder, name, path }
}

const fn wazuh_5(name: &'static str, path: &'static str) -> Place {
    Place { schema: Schema::Wazuh5, decoder: "", name, path }
}

/// The channel of a Windows event.
pub(crate) const WINDOWS_CHANNEL: &str = "data.win.system.channel";
/// The number of a Windows event.
pub(crate) const WINDOWS_EVENT_ID: &str = "data.win.system.eventID";
/// The program that a syslog header names.
pub(crate) const SYSLOG_PROGRAM: &str = "predecoder.program_name";

/// What does not follow from rows.
pub(crate) const PLACES: &[Place] = &[
    // Attributes of the header of a Windows event; elements of its body of the same names are rarer than these.
    windows("Channel", WINDOWS_CHANNEL),
    windows("EventRecordID", "data.win.system.eventRecordID"),
    windows("Execution_ProcessID", "data.win.system.processID"),
    windows("Execution_ThreadID", "data.win.system.threadID"),
    windows("Keywords", "data.win.system.keywords"),
    windows("Level", "data.win.system.level"),
    windows("Message", "data.win.system.message"),
    windows("Opcode", "data.win.system.opcode"),
    windows("Provider_Guid", "data.win.system.providerGuid"),
    windows("Task", "data.win.system.task"),
    // The decoder renames it.
    of("auditd", "comm", "data.audit.command"),
    of("gcp", "gcp.audit.method_name", "data.gcp.protoPayload.methodName"),
    of("gcp", "gcp.audit.principal_email", "data.gcp.protoPayload.authenticationInfo.principalEmail"),
    of("gcp", "gcp.audit.resource_name", "data.gcp.protoPayload.resourceName"),
    of("gcp", "gcp.audit.service_name", "data.gcp.protoPayload.serviceName"),
    // Decoders of access logs have a slot for the protocol, and put the method there; `id` has the status.
    of("web-accesslog", "cs-method", "data.protocol"),
    of("web-accesslog", "sc-status", "data.id"),
    of("suricata", "cs-method", "data.http.http_method"),
    of("suricata", "sc-status", "data.http.status"),
    of("cloudflare", "cs-method", "data.ClientRequestMethod"),
    of("cloudflare", "sc-status", "data.EdgeResponseStatus"),
    of("waf", "cs-method", "data.barracuda.waf.request_method"),
    of("packetbeat", "cs-method", "data.http.request.method"),
    of("packetbeat", "sc-status", "data.http.response.status_code"),
    of("web-accesslog", "cs-referer", "data.referer"),
    of("suricata", "cs-referer", "data.http.http_refer"),
    of("zeek", "cs-referer", "data.referrer"),
    of("cloudflare", "cs-referer", "data.ClientRequestReferer"),
    of("packetbeat", "cs-referer", "data.http.request.referrer"),
    of("suricata", "record_type", "data.dns.rrtype"),
    of("packetbeat", "record_type", "data.dns.question.type"),
    of("shared-names", "action", "data.action"),
    of("endpoint-av", "Signature", "data.ThreatName"),
    of("endpoint-av", "Signature", "data.MalwareName"),
    of("endpoint-av", "Signature", "data.MWName"),
    of("endpoint-av", "Signature", "data.DetectionName"),
    wazuh_5("action", "event.action"),
    wazuh_5("cs-method", "http.request.method"),
    wazuh_5("cs-referer", "http.request.referrer"),
    wazuh_5("Provider_Name", "event.provider"),
    wazuh_5("record_type", "dns.question.type"),
    wazuh_5("sc-status", "http.response.status_code"),
];

/// Other names of the same fields, by the kind of event: the security log names processes in its own way
/// (specification, "Field Usage").
pub(crate) const OTHER_NAMES: &[(&str, &str, &str)] = &[
    ("process_creation", "Image", "NewProcessName"),
    ("process_creation", "ParentImage", "ParentProcessName"),
    ("process_creation", "User", "SubjectUserName"),
    ("process_creation", "LogonId", "SubjectLogonId"),
    ("process_creation", "ProcessId", "NewProcessId"),
];

/// A name by its letters, digits and dots, which is how names are compared: `Provider_Name` is `providerName`.
pub(crate) fn key(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric() || *char == '.').flat_map(char::to_lowercase).collect()
}

impl Concept {
    /// The concept that has this name.
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        let wanted = key(name);
        CONCEPTS.iter().find(|concept| concept.names.iter().any(|name| key(name) == wanted))
    }

    /// Whether a field is one of these.
    pub(crate) fn covers(&self, field: &Field) -> bool {
        let in_group = self.groups.is_empty() || self.groups.contains(&field.group.as_ref());
        let in_set = self.sets.is_empty()
            || field.schema == Schema::Wazuh4
            || self.sets.iter().any(|set| field.path.starts_with(set));
        // Some have a name of their own.
        let is_other = PLACES.iter().any(|place| place.path == field.path);
        self.holds.contains(&field.holds) && field.role == self.role && in_group && in_set && !is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn a_name_has_one_concept() {
        let mut names: Vec<String> = CONCEPTS.iter().flat_map(|concept| concept.names).map(|name| key(name)).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_concept_has_fields() {
        let catalogue = Catalogue::builtin();
        for concept in CONCEPTS {
            assert!(catalogue.fields().iter().any(|field| concept.covers(field)), "{:?}", concept.names);
        }
    }

    #[test]
    fn decoders_are_those_of_the_rows() {
        let catalogue = Catalogue::builtin();
        let decoders = PLACES.iter().map(|place| place.decoder).chain(ROOTS.iter().map(|root| root.decoder));
        for decoder in decoders.filter(|decoder| !decoder.is_empty()) {
            assert!(catalogue.fields().iter().any(|field| field.decoder == decoder), "{decoder}");
        }
    }
}
