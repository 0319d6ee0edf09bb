//! Which alerts a rule is about, and whose fields it names.
//!
//! What an alert can tell of the log source becomes a condition: the channel and the number of a Windows event, the
//! program in a syslog header. For other sources the fields themselves tell.

use super::rule::LogSource;
use crate::catalogue::Schema;
use crate::catalogue::taxonomy::{ROOTS, Root, SYSLOG_PROGRAM, WINDOWS_CHANNEL, WINDOWS_EVENT_ID};

/// What a log source says about alerts.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Conditions of which one has to hold: fields and the values of which each has to have one. No conditions: any
    /// alert will do.
    pub(super) conditions: Vec<Vec<(&'static str, Vec<String>)>>,
    /// Only alerts that have this field.
    pub(super) present: Option<&'static str>,
    /// Whose rows of the catalogue may be meant; nothing: everybody's.
    pub(super) decoders: Option<&'static [&'static str]>,
    /// Where the decoder writes what no row names.
    pub(super) root: Option<&'static Root>,
    /// What a reader of the result should know.
    pub(super) notes: Vec<String>,
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
const SECURITY: &str = "Security";
const POWERSHELL: &str = "Microsoft-Windows-PowerShell/Operational";
const POWERSHELL_CORE: &str = "PowerShellCore/Operational";
const POWERSHELL_CLASSIC: &str = "Windows PowerShell";

/// Channels and numbers of the events of a category (taxonomy, "Windows Folder", "Category").
const WINDOWS_CATEGORIES: &[(&str, &[(&str, &[u32])])] = &[
    ("clipboard_capture", &[(SYSMON, &[24])]),
    ("create_remote_thread", &[(SYSMON, &[8])]),
    ("create_stream_hash", &[(SYSMON, &[15])]),
    ("dns_query", &[(SYSMON, &[22])]),
    ("driver_load", &[(SYSMON, &[6])]),
    ("file_block_executable", &[(SYSMON, &[27])]),
    ("file_block_shredding", &[(SYSMON, &[28])]),
    ("file_change", &[(SYSMON, &[2])]),
    ("file_delete", &[(SYSMON, &[23, 26])]),
    ("file_delete_detected", &[(SYSMON, &[26])]),
    ("file_event", &[(SYSMON, &[11])]),
    ("file_executable_detected", &[(SYSMON, &[29])]),
    ("image_load", &[(SYSMON, &[7])]),
    ("network_connection", &[(SYSMON, &[3])]),
    ("pipe_created", &[(SYSMON, &[17, 18])]),
    ("process_access", &[(SYSMON, &[10])]),
    ("process_creation", &[(SYSMON, &[1]), (SECURITY, &[4688])]),
    ("process_tampering", &[(SYSMON, &[25])]),
    ("process_termination", &[(SYSMON, &[5])]),
    ("ps_classic_provider_start", &[(POWERSHELL_CLASSIC, &[600])]),
    ("ps_classic_script", &[(POWERSHELL_CLASSIC, &[800])]),
    ("ps_classic_start", &[(POWERSHELL_CLASSIC, &[400])]),
    ("ps_module", &[(POWERSHELL, &[4103]), (POWERSHELL_CORE, &[4103])]),
    ("ps_script", &[(POWERSHELL, &[4104]), (POWERSHELL_CORE, &[4104])]),
    ("raw_access_thread", &[(SYSMON, &[9])]),
    ("registry_add", &[(SYSMON, &[12])]),
    ("registry_delete", &[(SYSMON, &[12])]),
    ("registry_event", &[(SYSMON, &[12, 13, 14])]),
    ("registry_rename", &[(SYSMON, &[14])]),
    ("registry_set", &[(SYSMON, &[13])]),
    ("sysmon_error", &[(SYSMON, &[255])]),
    ("sysmon_status", &[(SYSMON, &[4, 16])]),
    ("wmi_event", &[(SYSMON, &[19, 20, 21])]),
];

/// Channels of a service (taxonomy, "Windows Folder", "Service").
const WINDOWS_SERVICES: &[(&str, &[&str])] = &[
    ("application", &["Application"]),
    (
        "application-experience",
        &[
            "Microsoft-Windows-Application-Experience/Program-Telemetry",
            "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
        ],
    ),
    (
        "applocker",
        &[
            "Microsoft-Windows-AppLocker/MSI and Script",
            "Microsoft-Windows-AppLocker/EXE and DLL",
            "Microsoft-Windows-AppLocker/Packaged app-Deployment",
            "Microsoft-Windows-AppLocker/Packaged app-Execution",
        ],
    ),
    ("appmodel-runtime", &["Microsoft-Windows-AppModel-Runtime/Admin"]),
    ("appxdeployment-server", &["Microsoft-Windows-AppXDeploymentServer/Operational"]),
    ("appxpackaging-om", &["Microsoft-Windows-AppxPackaging/Operational"]),
    ("bitlocker", &["Microsoft-Windows-BitLocker/BitLocker Management"]),
    ("bits-client", &["Microsoft-Windows-Bits-Client/Operational"]),
    ("capi2", &["Microsoft-Windows-CAPI2/Operational"]),
    (
        "certificateservicesclient-lifecycle-system",
        &["Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"],
    ),
    ("codeintegrity-operational", &["Microsoft-Windows-CodeIntegrity/Operational"]),
    ("dhcp", &["Microsoft-Windows-DHCP-Server/Operational"]),
    ("diagnosis-scripted", &["Microsoft-Windows-Diagnosis-Scripted/Operational"]),
    ("dns-client", &["Microsoft-Windows-DNS Client Events/Operational"]),
    ("dns-server", &["DNS Server"]),
    ("dns-server-analytic", &["Microsoft-Windows-DNS-Server/Analytical"]),
    ("dns-server-audit", &["Microsoft-Windows-DNS-Server/Audit"]),
    ("driver-framework", &["Microsoft-Windows-DriverFrameworks-UserMode/Operational"]),
    ("firewall-as", &["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"]),
    ("hyper-v-worker", &["Microsoft-Windows-Hyper-V-Worker"]),
    ("kernel-event-tracing", &["Microsoft-Windows-Kernel-EventTracing"]),
    (
        "kernel-shimengine",
        &["Microsoft-Windows-Kernel-ShimEngine/Operational", "Microsoft-Windows-Kernel-ShimEngine/Diagnostic"],
    ),
    ("ldap", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("lsa-server", &["Microsoft-Windows-LSA/Operational"]),
    ("msexchange-management", &["MSExchange Management"]),
    ("ntfs", &["Microsoft-Windows-Ntfs/Operational"]),
    ("ntlm", &["Microsoft-Windows-NTLM/Operational"]),
    ("openssh", &["OpenSSH/Operational"]),
    ("powershell", &[POWERSHELL, POWERSHELL_CORE]),
    ("powershell-classic", &[POWERSHELL_CLASSIC]),
    ("printservice-admin", &["Microsoft-Windows-PrintService/Admin"]),
    ("printservice-operational", &["Microsoft-Windows-PrintService/Operational"]),
    ("security", &[SECURITY]),
    (
        "security-mitigations",
        &["Microsoft-Windows-Security-Mitigations/Kernel Mode", "Microsoft-Windows-Security-Mitigations/User Mode"],
    ),
    ("sense", &["Microsoft-Windows-SENSE/Operational"]),
    ("servicebus-client", &["Microsoft-ServiceBus-Client/Operational", "Microsoft-ServiceBus-Client/Admin"]),
    ("shell-core", &["Microsoft-Windows-Shell-Core/Operational"]),
    ("smbclient-security", &["Microsoft-Windows-SmbClient/Security"]),
    ("sysmon", &[SYSMON]),
    ("system", &["System"]),
    ("taskscheduler", &["Microsoft-Windows-TaskScheduler/Operational"]),
    ("terminalservices-localsessionmanager", &["Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"]),
    ("vhdmp", &["Microsoft-Windows-VHDMP/Operational"]),
    ("windefend", &["Microsoft-Windows-Windows Defender/Operational"]),
    ("wmi", &["Microsoft-Windows-WMI-Activity/Operational"]),
];

/// Services of Linux whose lines begin with the name of a program.
const SYSLOG_SERVICES: &[(&str, &[&str])] = &[
    ("clamav", &["clamd", "clamav", "freshclam"]),
    ("cron", &["cron", "crond", "CRON"]),
    ("guacamole", &["guacd"]),
    ("sshd", &["sshd", "sshd-session"]),
    ("sudo", &["sudo"]),
    ("vsftpd", &["vsftpd"]),
];

const WINDOWS: &[&str] = &["windows-eventchannel"];
const LINUX_HOST: &[&str] = &["auditd", "osquery", "syscollector", "packetbeat", "shared-names", "linux-misc"];
const LINUX_FILE: &[&str] = &["auditd", "osquery", "syscheck"];
const LINUX_LOGIN: &[&str] = &["sshd-pam", "shared-names", "linux-misc"];
const MACOS: &[&str] = &["macos", "osquery", "syscheck", "shared-names"];
const WEB: &[&str] = &["web-accesslog", "shared-names", "suricata", "cloudflare", "waf", "packetbeat", "nextcloud"];
const PROXY: &[&str] = &["web-accesslog", "shared-names", "suricata", "packetbeat", "zeek", "firewall"];
const FIREWALL: &[&str] = &["shared-names", "firewall", "network-devices", "suricata", "packetbeat", "zeek"];
const DNS: &[&str] = &["suricata", "packetbeat", "zeek", "gcp"];
const ANTIVIRUS: &[&str] = &["endpoint-av", "virustotal", "yara"];

impl Scope {
    /// What `source` says about alerts of `schema`.
    pub(super) fn new(source: &LogSource, schema: Schema) -> Self {
        let category = source.category.as_deref().unwrap_or_default();
        let product = source.product.as_deref().unwrap_or_default();
        let service = source.service.as_deref().unwrap_or_default();
        let mut scope = Self::default();
        if schema == Schema::Wazuh5 {
            if !(category.is_empty() && product.is_empty() && service.is_empty()) {
                scope
                    .notes
                    .push("the log source does not narrow the search: Wazuh 5 has one schema for all".to_owned());
            }
            return scope;
        }
        let root = |decoder: &str| ROOTS.iter().find(|root| root.decoder == decoder);
        let rows: Option<&'static [&'static str]> = match (product, category, service) {
            ("windows", ..) => {
                scope.windows(category, service);
                scope.root = root("windows-eventchannel");
                Some(WINDOWS)
            }
            ("aws", ..) => {
                scope.root = root("aws");
                Some(&["aws"])
            }
            ("azure", ..) => {
                scope.root = root("azure");
                Some(&["azure"])
            }
            ("gcp", ..) => {
                scope.root = root("gcp");
                Some(&["gcp"])
            }
            ("github", ..) => {
                scope.root = root("github");
                Some(&["github"])
            }
            ("m365", ..) => {
                scope.root = root("office365");
                Some(&["office365"])
            }
            ("zeek", ..) => Some(&["zeek"]),
            ("linux", _, "auditd") => {
                scope.root = root("auditd");
                Some(&["auditd"])
            }
            ("linux", "file_event", _) => Some(LINUX_FILE),
            ("linux", "", "auth" | "sshd" | "sudo") => Some(LINUX_LOGIN),
            ("linux", ..) => Some(LINUX_HOST),
            ("macos", ..) => Some(MACOS),
            ("antivirus", ..) | (_, "antivirus", _) => Some(ANTIVIRUS),
            (_, "webserver", _) | ("apache" | "nginx" | "iis", ..) => Some(WEB),
            (_, "proxy", _) => Some(PROXY),
            (_, "firewall", _) | ("cisco" | "fortios" | "fortigate" | "paloalto" | "juniper" | "huawei", ..) => {
                Some(FIREWALL)
            }
            (_, "dns", _) => Some(DNS),
            _ => None,
        };
        scope.decoders = rows;
        if let Some((_, programs)) = SYSLOG_SERVICES.iter().find(|(name, _)| product == "linux" && *name == service) {
            let programs = programs.iter().map(|program| (*program).to_owned()).collect();
            scope.conditions.push(vec![(SYSLOG_PROGRAM, programs)]);
        }
        if rows.is_none() && !(category.is_empty() && product.is_empty() && service.is_empty()) {
            scope.notes.push("alerts do not tell this log source: alerts of any source are looked at".to_owned());
        }
        scope
    }

    fn windows(&mut self, category: &str, service: &str) {
        self.present = Some(WINDOWS_CHANNEL);
        let channels = WINDOWS_SERVICES.iter().find(|(name, _)| *name == service).map(|(_, channels)| *channels);
        if channels.is_none() && !service.is_empty() {
            self.notes.push(format!("service `{service}` is not known: events of any channel are looked at"));
        }
        let events = WINDOWS_CATEGORIES.iter().find(|(name, _)| *name == category).map(|(_, events)| *events);
        if events.is_none() && !category.is_empty() {
            self.notes.push(format!("category `{category}` is not known: events of any number are looked at"));
        }
        match (events, channels) {
            (Some(events), channels) => {
                for (channel, numbers) in events {
                    if channels.is_none_or(|channels| channels.contains(channel)) {
                        let numbers = numbers.iter().map(ToString::to_string).collect();
                        self.conditions
                            .push(vec![(WINDOWS_CHANNEL, vec![(*channel).to_owned()]), (WINDOWS_EVENT_ID, numbers)]);
                    }
                }
                if self.conditions.is_empty() {
                    self.notes.push("category and service exclude each other: the service is not asked for".to_owned());
                    self.windows(category, "");
                }
            }
            (None, Some(channels)) => {
                let channels = channels.iter().map(|channel| (*channel).to_owned()).collect();
                self.conditions.push(vec![(WINDOWS_CHANNEL, channels)]);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(category: &str, product: &str, service: &str) -> Scope {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let source = LogSource { category: text(category), product: text(product), service: text(service) };
        Scope::new(&source, Schema::Wazuh4)
    }

    #[test]
    fn windows_events_are_told_by_channel_and_number() {
        let shown = |scope: Scope| format!("{:?}", scope.conditions);
        assert_eq!(
            shown(scope("process_creation", "windows", "")),
            r#"[[("data.win.system.channel", ["Microsoft-Windows-Sysmon/Operational"]), ("data.win.system.eventID", ["1"])], [("data.win.system.channel", ["Security"]), ("data.win.system.eventID", ["4688"])]]"#
        );
        assert_eq!(
            shown(scope("process_creation", "windows", "sysmon")),
            r#"[[("data.win.system.channel", ["Microsoft-Windows-Sysmon/Operational"]), ("data.win.system.eventID", ["1"])]]"#
        );
        assert_eq!(shown(scope("", "windows", "security")), r#"[[("data.win.system.channel", ["Security"])]]"#);
        assert!(scope("", "windows", "").conditions.is_empty());
        assert_eq!(scope("file_access", "windows", "").notes.len(), 1);
        assert_eq!(scope("dns_query", "windows", "system").conditions.len(), 1);
    }

    #[test]
    fn other_sources() {
        assert_eq!(scope("", "linux", "sshd").conditions.len(), 1);
        assert_eq!(scope("", "aws", "cloudtrail").root.map(|root| root.path), Some("data.aws."));
        assert_eq!(scope("", "okta", "okta").notes.len(), 1);
        assert!(scope("", "", "").notes.is_empty());
    }

    #[test]
    fn tables_are_sorted() {
        assert!(WINDOWS_CATEGORIES.is_sorted_by_key(|(name, _)| *name));
        assert!(WINDOWS_SERVICES.is_sorted_by_key(|(name, _)| *name));
        assert!(SYSLOG_SERVICES.is_sorted_by_key(|(name, _)| *name));
    }
}
