//! The fields of Wazuh 4.x alerts, by the family of products that writes them.

mod cloud;
mod common;
mod ecs;
mod endpoint;
mod envelope;
mod host;
mod intel;
mod mapping;
mod network;
mod products;
mod web_mail;
mod windows;

use crate::catalogue::field::Table;

/// Every table of Wazuh 4.x.
pub(crate) const TABLES: &[Table] = &[
    envelope::ENVELOPE,
    windows::EVENT_CHANNEL,
    windows::WINDOWS_OTHER,
    host::SYSCHECK,
    host::ROOTCHECK,
    host::SCA,
    host::AUDITD,
    host::SYSCOLLECTOR,
    host::OSQUERY,
    host::DOCKER,
    common::SHARED,
    common::SSHD_PAM,
    common::MACOS,
    common::SAMBA,
    common::LINUX_MISC,
    common::ACTIVE_RESPONSE,
    network::SURICATA,
    network::ZEEK,
    network::FIREWALL,
    network::NETWORK_DEVICES,
    network::NMAP,
    cloud::AWS,
    cloud::OCSF,
    cloud::GCP,
    cloud::GITHUB,
    cloud::GITLAB,
    cloud::OFFICE365,
    cloud::MS_GRAPH,
    cloud::AZURE,
    ecs::ECS,
    web_mail::WEB_ACCESSLOG,
    web_mail::CLOUDFLARE,
    web_mail::MAIL,
    web_mail::NEXTCLOUD,
    web_mail::WAF,
    endpoint::ENDPOINT_AV,
    intel::VIRUSTOTAL,
    intel::YARA,
    intel::VULNERABILITY_DETECTOR,
    intel::OPENSCAP,
    intel::MALTIVERSE,
    intel::MISP,
    intel::OPENCTI,
    products::PRODUCTS,
    mapping::MAPPING,
];

/// The lists of objects that the index template maps as `nested`.
pub(crate) const NESTED: &[&str] = &[
    "data.ms-graph.configurationManagerClientEnabledFeatures",
    "data.ms-graph.deviceActionResults",
    "data.ms-graph.deviceHealthAttestationState",
    "data.ms-graph.evidence",
    "data.ms-graph.managedDevices",
    "data.ms-graph.resources.modifiedProperties",
    "data.ms-graph.resources",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TABLES;
    use crate::catalogue::field::Schema;

    #[test]
    fn a_path_stands_in_one_table_only() {
        let mut paths = BTreeSet::new();
        for row in TABLES.iter().flat_map(|table| table.rows) {
            assert!(paths.insert(row.path), "{} stands there twice", row.path);
        }
    }

    #[test]
    fn rows_are_sorted_by_path() {
        for table in TABLES {
            assert_eq!(table.schema, Schema::Wazuh4);
            for pair in table.rows.windows(2) {
                assert!(pair[0].path < pair[1].path, "{} should stand before {}", pair[1].path, pair[0].path);
            }
        }
    }
}
