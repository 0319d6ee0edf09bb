//! Results of scanners and of threat intelligence.

use crate::catalogue::field::{
    HashAlgorithm::{Md5, Sha1},
    Holds::{
        AnyHash, Cpe, CvssScore, Email, FilePath, Hash, HostOrIp, Ip, Name, SoftwareName, SoftwareVersion, Url,
        Vulnerability, VulnerabilitySeverity, VulnerabilityStatus,
    },
    Schema, Table, field,
};

/// `VirusTotal`.
pub(super) const VIRUSTOTAL: Table = Table {
    decoder: "virustotal",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.virustotal.permalink", Url).search_only(),
        // The hash that the service knows; a copy of `source.sha1` as a rule.
        field("data.virustotal.sha1", Hash(Sha1)).of("virustotal"),
        field("data.virustotal.source.file", FilePath).of("virustotal"),
        field("data.virustotal.source.md5", Hash(Md5)).of("virustotal"),
        field("data.virustotal.source.sha1", Hash(Sha1)).of("virustotal"),
        field("data.virustotal_ip.network", Name).search_only(),
        field("data.virustotal_ip.permalink", Url).search_only(),
        field("data.virustotal_ip.source.ip", Ip),
    ],
};

/// YARA.
pub(super) const YARA: Table = Table {
    decoder: "yara",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.YARA.reference", AnyHash).search_only(),
        field("data.YARA.rule_name", Name),
        field("data.YARA.scanned_file", FilePath).of("yara"),
        field("data.yara_rule", Name),
        field("data.yara_scanned_file", FilePath).of("yara"),
    ],
};

/// The vulnerability detector.
pub(super) const VULNERABILITY_DETECTOR: Table = Table {
    decoder: "vulnerability-detector",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.vulnerability.assigner", Email).search_only(),
        field("data.vulnerability.bugzilla_references", Url).search_only(),
        field("data.vulnerability.cve", Vulnerability).of("package"),
        // The older score; where both stand the newer one counts.
        field("data.vulnerability.cvss.cvss2.base_score", CvssScore).search_only(),
        field("data.vulnerability.cvss.cvss3.base_score", CvssScore).of("package").no_lookup(),
        field("data.vulnerability.id", Vulnerability).of("package"),
        field("data.vulnerability.package.generated_cpe", Cpe).of("package").no_lookup(),
        field("data.vulnerability.package.name", SoftwareName).of("package").no_lookup(),
        field("data.vulnerability.package.version", SoftwareVersion).of("package").no_lookup(),
        field("data.vulnerability.reference", Url).search_only(),
        field("data.vulnerability.references", Url).search_only(),
        field("data.vulnerability.scanner.reference", Url).search_only(),
        field("data.vulnerability.score.base", CvssScore).of("package").no_lookup(),
        field("data.vulnerability.severity", VulnerabilitySeverity).of("package").no_lookup(),
        field("data.vulnerability.status", VulnerabilityStatus).read_only(),
    ],
};

/// `OpenSCAP`.
pub(super) const OPENSCAP: Table = Table {
    decoder: "openscap",
    schema: Schema::Wazuh4,
    rows: &[field("data.oscap.check.oval.id", Name).search_only(), field("data.oscap.check.title", Name).search_only()],
};

/// Maltiverse.
pub(super) const MALTIVERSE: Table = Table {
    decoder: "maltiverse",
    schema: Schema::Wazuh4,
    rows: &[
        // What threat intelligence said about an alert: it repeats the first alert and is not asked about again.
        field("data.maltiverse.source.as_name", Name).search_only(),
        field("data.maltiverse.source.hostname", HostOrIp).search_only(),
        field("data.maltiverse.source.ip_addr", Ip).search_only(),
        field("data.threat.indicator.ip", Ip).search_only(),
        field("data.threat.indicator.name", HostOrIp).search_only(),
        field("data.threat.indicator.reference", Url).search_only(),
    ],
};

/// MISP.
pub(super) const MISP: Table = Table {
    decoder: "misp",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.misp.source.description", Name).search_only(),
        field("data.misp.value", HostOrIp).search_only(),
    ],
};

/// OpenCTI.
pub(super) const OPENCTI: Table = Table {
    decoder: "opencti",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.opencti.indicator.name", Name).search_only(),
        field("data.opencti.indicator_link", Url).search_only(),
        field("data.opencti.observable_value", Name).search_only(),
        field("data.opencti.query_values", Name).search_only(),
        field("data.opencti.value", Name).search_only(),
    ],
};
