//! The settings that a configuration may hold, with their environment variables.

/// Keys at the root of the file. Their variables are `WAZUH_` and the key in capitals.
pub(super) const ROOT: &[&str] = &[
    "agents_as_systems",
    "app_url",
    "author_name",
    "bundle_abort_limit",
    "catalogue",
    "create_agent_hostname_observable",
    "create_agent_ip_observable",
    "create_incident",
    "create_incident_response",
    "create_incident_summary",
    "create_incident_threshold",
    "create_obs_sightings",
    "create_sighting_summary",
    "enrich_labels",
    "hits_abort_limit",
    "ignore_own_entities",
    "ignore_revoked_indicators",
    "incident_rule_exclude_list",
    "indicator_score_threshold",
    "label_ignore_list",
    "max_extrefs",
    "max_extrefs_per_alert_rule",
    "max_notes",
    "max_notes_per_alert_rule",
    "max_tlp",
    "require_indicator_detection",
    "require_indicator_for_incidents",
    "rule_exclude_list",
    "system_name",
    "tlps",
    "vulnerability_incident_active_only",
    "vulnerability_incident_cvss3_score_threshold",
];

/// Keys of the group `search`; variables `WAZUH_SEARCH_…`.
pub(super) const SEARCH: &[&str] = &[
    "dirsearch_options",
    "filesearch_options",
    "ignore_private_addrs",
    "lookup_agent_ip",
    "lookup_agent_name",
    "lookup_hostnames_in_cmd_line",
    "lookup_hosts_in_urls",
    "lookup_mac_variants",
    "lookup_url_ignore_trailing_slash",
    "lookup_url_without_host",
    "procsearch_options",
    "regkeysearch_options",
];

/// Keys of the group `opensearch`; variables `WAZUH_OPENSEARCH_…`.
pub(super) const OPENSEARCH: &[&str] = &[
    "api_key",
    "ca",
    "client_certificate",
    "client_key",
    "exclude_match",
    "filter",
    "include_match",
    "index",
    "limit",
    "order_by",
    "password",
    "search_after",
    "timeout",
    "url",
    "username",
    "verify_tls",
];

/// Keys of the group `enrich`; variables `WAZUH_ENRICH_…`.
pub(super) const ENRICH: &[&str] = &["enrich_urls_without_host", "filename_behaviour", "types"];

/// Groups in which every key is allowed: they belong to the platform's client.
pub(super) const OPEN_GROUPS: &[&str] = &["connector", "opencti"];

/// The environment variable of a key such as `search.lookup_agent_ip`.
pub(super) fn variable(key: &str) -> String {
    format!("WAZUH_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Further names of variables: the original's documentation misspells one, and its sample files are copied from it.
pub(super) fn other_variables(key: &str) -> &'static [&'static str] {
    match key {
        "search.lookup_url_ignore_trailing_slash" => &["WAZUH_SEARCH_LOOKUP_URL_INGORE_TRAILING_SLASH"],
        "enrich.enrich_urls_without_host" => &["WAZUH_ENRICH_URLS_WITHOUT_HOST"],
        _ => &[],
    }
}
