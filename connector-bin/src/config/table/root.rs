//! The root.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! What is searched for, and what is made of it.

    /// The most restricted marking of what is searched for, related to and named. What is made is marked with `tlps`.
    MAX_TLP = Spec::new("max_tlp", Kind::Tlp).required();
    /// URL of the Wazuh dashboard, for links. A path in it is kept.
    APP_URL = Spec::new("app_url", Kind::Url).required();
    /// Page of an alert below `app_url`. `{index}` and `{id}` are replaced.
    APP_ALERT_PAGE = Spec::new("app_alert_page", Kind::Text).default("app/discover#/context/{index}/{id}?_a=(columns:!(_source),filters:!())").ours();
    /// Page of a rule below `app_url`. `{rule}` is replaced. Dashboards before Wazuh 4.8 have it at `app/wazuh#/manager/?tab=rules&redirectRule={rule}`.
    APP_RULE_PAGE = Spec::new("app_rule_page", Kind::Text).default("app/rules#/manager/?tab=rules&redirectRule={rule}").ours();
    /// Markings of every object that is made.
    TLPS = Spec::new("tlps", Kind::Markings).default("TLP:AMBER+STRICT");
    /// A search with more hits than this is given up with an error.
    HITS_ABORT_LIMIT = Spec::new("hits_abort_limit", Kind::Integer(1, i64::MAX)).default("1000").optional();
    /// A bundle with more objects than this is not sent.
    BUNDLE_ABORT_LIMIT = Spec::new("bundle_abort_limit", Kind::Integer(1, i64::MAX)).default("500").optional();
    /// Name of the system that Wazuh is in OpenCTI. It is also the source of incidents.
    SYSTEM_NAME = Spec::new("system_name", Kind::Name).default("Wazuh SIEM");
    /// Name of the author of every object.
    AUTHOR_NAME = Spec::new("author_name", Kind::Name).default("Wazuh");
    /// Each agent is a system of its own; otherwise all is seen by the SIEM.
    AGENTS_AS_SYSTEMS = Spec::new("agents_as_systems", Kind::Boolean).default("true");
    /// Observables without a usable indicator are searched for, too.
    CREATE_OBS_SIGHTINGS = Spec::new("create_obs_sightings", Kind::Boolean).default("true");
    /// References to alerts in a sighting.
    MAX_EXTREFS = Spec::new("max_extrefs", Kind::Integer(0, 1_000)).default("10");
    /// References to alerts of one rule in a sighting; 0 for none.
    MAX_EXTREFS_PER_ALERT_RULE = Spec::new("max_extrefs_per_alert_rule", Kind::Integer(0, 1_000)).default("2");
    /// Notes with alerts per sighting.
    MAX_NOTES = Spec::new("max_notes", Kind::Integer(0, 1_000)).default("10");
    /// Notes with alerts of one rule per sighting; 0 for none.
    MAX_NOTES_PER_ALERT_RULE = Spec::new("max_notes_per_alert_rule", Kind::Integer(0, 1_000)).default("2");
    /// The note that sums up is also attached to the sightings.
    CREATE_SIGHTING_SUMMARY = Spec::new("create_sighting_summary", Kind::Boolean).default("true");
    /// The note that sums up is also attached to the incidents.
    CREATE_INCIDENT_SUMMARY = Spec::new("create_incident_summary", Kind::Boolean).default("true");
    /// Observables without a usable indicator make no incident. Vulnerabilities do nevertheless.
    REQUIRE_INDICATOR_FOR_INCIDENTS = Spec::new("require_indicator_for_incidents", Kind::Boolean).default("true");
    /// What makes an incident.
    CREATE_INCIDENT = Spec::new("create_incident", Kind::Choice(&["per-query", "per-sighting", "per-alert-rule", "per-alert", "never"])).default("per-sighting");
    /// The least rule level that makes an incident.
    CREATE_INCIDENT_THRESHOLD = Spec::new("create_incident_threshold", Kind::Integer(1, 15)).default("1");
    /// Incidents of one search get a case.
    CREATE_INCIDENT_RESPONSE = Spec::new("create_incident_response", Kind::Boolean).default("true");
    /// The least CVSS 3 base score of a vulnerability that makes an incident; without it none does.
    VULNERABILITY_INCIDENT_CVSS3_SCORE_THRESHOLD = Spec::new("vulnerability_incident_cvss3_score_threshold", Kind::Number(0.0, 10.0)).optional();
    /// A vulnerability that was resolved everywhere makes no incident.
    VULNERABILITY_INCIDENT_ACTIVE_ONLY = Spec::new("vulnerability_incident_active_only", Kind::Boolean).default("true");
    /// Alerts of these rules do not count.
    RULE_EXCLUDE_LIST = Spec::new("rule_exclude_list", Kind::Texts);
    /// Alerts of these rules make sightings, but no incidents.
    INCIDENT_RULE_EXCLUDE_LIST = Spec::new("incident_rule_exclude_list", Kind::Texts);
    /// The agents' addresses become observables.
    CREATE_AGENT_IP_OBSERVABLE = Spec::new("create_agent_ip_observable", Kind::Boolean).default("true");
    /// The agents' names become observables.
    CREATE_AGENT_HOSTNAME_OBSERVABLE = Spec::new("create_agent_hostname_observable", Kind::Boolean).default("true");
    /// Entities that the connector made itself are not searched for.
    IGNORE_OWN_ENTITIES = Spec::new("ignore_own_entities", Kind::Boolean).default("false");
    /// Entities with one of these labels are not searched for.
    LABEL_IGNORE_LIST = Spec::new("label_ignore_list", Kind::Texts).default("hygiene,wazuh_ignore");
    /// Labels of the observables that are made. One of them in `label_ignore_list` keeps the connector from searching for what it made.
    ENRICH_LABELS = Spec::new("enrich_labels", Kind::Texts).default("wazuh_ignore");
    /// Indicators that are not marked for detection are not usable.
    REQUIRE_INDICATOR_DETECTION = Spec::new("require_indicator_detection", Kind::Boolean).default("false");
    /// Revoked indicators are not usable.
    IGNORE_REVOKED_INDICATORS = Spec::new("ignore_revoked_indicators", Kind::Boolean).default("true");
    /// Indicators with a lower score are not usable.
    INDICATOR_SCORE_THRESHOLD = Spec::new("indicator_score_threshold", Kind::Integer(0, 100)).optional();
    /// Indicators with a lower confidence are not usable.
    INDICATOR_CONFIDENCE_THRESHOLD = Spec::new("indicator_confidence_threshold", Kind::Integer(0, 100)).optional().ours();
    /// Observables with a lower score are not searched for.
    OBSERVABLE_SCORE_THRESHOLD = Spec::new("observable_score_threshold", Kind::Integer(0, 100)).optional().ours();
    /// Indicators whose validity has ended are not usable.
    IGNORE_EXPIRED_INDICATORS = Spec::new("ignore_expired_indicators", Kind::Boolean).default("false").ours();
    /// Indicators are also searched for by their patterns, not only through their observables.
    SEARCH_INDICATOR_PATTERN = Spec::new("search_indicator_pattern", Kind::Boolean).default("true").ours();
    /// What the comparisons of a pattern that stand in one pair of brackets must meet: one alert (`event`), or one observable in it (`same-object`).
    PATTERN_READING = Spec::new("pattern_reading", Kind::Choice(&["event", "same-object"])).default("event").ours();
    /// Services whose accounts, organizations, projects and tenants are systems that see something: `all`, or names of their decoders (`aws`, `gcp`, `github`, `ms-graph`, `office365`). What an account does not see, the agent or the SIEM does.
    ACCOUNT_SIGHTERS = Spec::new("account_sighters", Kind::Texts).default("all").ours();
    /// Name of the Wazuh cluster. It stands behind the names of agents, where several clusters have agents of the same names.
    CLUSTER_NAME = Spec::new("cluster_name", Kind::Text).ours();
    /// Confidence of what is made. The platform caps it to the maximum of the connector's user.
    CONFIDENCE = Spec::new("confidence", Kind::Integer(0, 100)).default("100").ours();
    /// Characters of an alert in a note.
    MAX_NOTE_SIZE = Spec::new("max_note_size", Kind::Integer(100, 1_000_000)).default("20000").ours();
    /// Incidents also have references to their alerts, as many as sightings.
    CREATE_INCIDENT_LINKS = Spec::new("create_incident_links", Kind::Boolean).default("false").ours();
    /// Severity of incidents and priority of cases by rule level: the least level of each band.
    SEVERITIES = Spec::new("severities", Kind::Severities).default("0=low/P4,7=medium/P3,11=high/P2,14=critical/P1").ours();
    /// File with further fields of alerts (see `catalogue.md`).
    CATALOGUE = Spec::new("catalogue", Kind::Path).ours();
}
