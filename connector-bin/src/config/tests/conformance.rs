//! What the original's own tests pin down: each row of its conformance checklist by name.

use serde_json::{Value, json};
use stix_model::Tlp;

use super::{effective, of_variable, source, typed, value, wrong};
use crate::config::resolver::Resolver;
use crate::config::show::text;
use crate::config::{as_json, read, table};

/// Checklist: `max_tlp`.
#[test]
fn max_tlp() {
    for (name, level) in [
        ("CLEAR", Tlp::Clear),
        ("WHITE", Tlp::Clear),
        ("GREEN", Tlp::Green),
        ("AMBER", Tlp::Amber),
        ("AMBER+STRICT", Tlp::AmberStrict),
        ("RED", Tlp::Red),
    ] {
        for text in
            [name.to_owned(), name.to_lowercase(), format!("TLP:{name}"), format!("tlp:{}", name.to_lowercase())]
        {
            let config = typed("", &[("WAZUH_MAX_TLP", &text)]);
            assert_eq!(config.enrichment.inspect.max_tlp, level, "{text}");
        }
    }
    for text in ["PURPLE", "TLP:", "TLP:AMBER+", "AMBER/STRICT"] {
        let wrong = wrong("", &[("WAZUH_MAX_TLP", text)]);
        assert!(wrong[0].starts_with(&format!("WAZUH_MAX_TLP: `{text}` is not one of TLP:CLEAR, ")), "{wrong:?}");
        assert_eq!(wrong.len(), 1);
    }
}

/// Checklist: `tlps`.
#[test]
fn tlps() {
    let both = json!(["TLP:AMBER", "TLP:RED"]);
    for file in ["tlps: [amber, 'TLP:RED']", "tlps: amber, tlp:red", "tlps:\n- AMBER\n- red\n- amber\n"] {
        assert_eq!(value("tlps", file, &[]), both, "{file}");
    }
    assert_eq!(of_variable("tlps", "WAZUH_TLPS", "amber,red"), both);
    assert_eq!(of_variable("tlps", "WAZUH_TLPS", r#"["amber", "red"]"#), both);
    let id = "marking-definition--c9819001-c80c-45e1-8edb-e543e350f195";
    let config = typed("", &[("WAZUH_TLPS", &format!("green, {id}"))]);
    assert_eq!(config.enrichment.tlps, [Tlp::Green.identifier(), id.parse().unwrap()].into());
    let wrong = wrong("tlps: [amber, purple, 'indicator--c9819001-c80c-45e1-8edb-e543e350f195']", &[]);
    assert_eq!(wrong.len(), 2);
    assert!(wrong[0].starts_with("config.yml:1: tlps: `purple` is neither"), "{wrong:?}");
}

/// Checklist: booleans.
#[test]
fn booleans() {
    for (expected, texts) in [
        (true, ["true", "True", "yes", "YES", "on", "1", "t", "y"]),
        (false, ["false", "False", "no", "NO", "off", "0", "f", "n"]),
    ] {
        for text in texts {
            assert_eq!(of_variable("connector.auto", "CONNECTOR_AUTO", text), Value::from(expected), "{text}");
            assert_eq!(value("connector.auto", &format!("connector: {{auto: {text}}}"), &[]), Value::from(expected));
        }
    }
    assert_eq!(wrong("", &[("CONNECTOR_AUTO", "perhaps")]), ["CONNECTOR_AUTO: `perhaps` is neither true nor false"]);
}

/// Checklist: limits.
#[test]
fn limits() {
    assert_eq!(value("hits_abort_limit", "hits_abort_limit: null", &[]), Value::Null);
    assert_eq!(value("hits_abort_limit", "", &[]), Value::from(1_000));
    assert_eq!(
        wrong("max_extrefs: 3\nmax_extrefs_per_alert_rule: 4\nmax_notes_per_alert_rule: 11\n", &[]),
        [
            "config.yml:2: max_extrefs_per_alert_rule: 4 is more than `max_extrefs` (3)",
            "config.yml:3: max_notes_per_alert_rule: 11 is more than `max_notes` (10)",
        ]
    );
    // The original refused this, because its other default is 2.
    assert_eq!(value("max_extrefs_per_alert_rule", "max_extrefs: 1", &[]), Value::from(1));
}

/// Checklist: `enrich.types`.
#[test]
fn enrich_types() {
    let all = table::enrich::TYPES.kind.names();
    assert_eq!(of_variable("enrich.types", "WAZUH_ENRICH_TYPES", "all"), Value::from(all.clone()));
    for file in ["enrich: {types: all}", "enrich: {types: [all]}"] {
        assert_eq!(value("enrich.types", file, &[]), Value::from(all.clone()));
    }
    assert!(all.len() >= 17);
    assert_eq!(value("enrich.types", "enrich: {types: [Url, useraccount]}", &[]), json!(["url", "user-account"]));
}

/// Checklist: `label_ignore_list`.
#[test]
fn label_ignore_list() {
    let name = "WAZUH_LABEL_IGNORE_LIST";
    for text in ["a, wazuh_ignore", "a,wazuh_ignore,a", r#"["a","wazuh_ignore"]"#] {
        assert_eq!(of_variable("label_ignore_list", name, text), json!(["a", "wazuh_ignore"]), "{text}");
    }
    // An empty variable means "not set" for every option; the original took it for an empty list here. We say so.
    let effective = effective("", &[(name, "")]);
    assert_eq!(as_json(&effective.rows)["label_ignore_list"]["value"], json!(["hygiene", "wazuh_ignore"]));
    assert_eq!(
        effective.warnings,
        [format!("{name} is empty, which means `hygiene,wazuh_ignore`; write `none` for an empty list")]
    );
    for text in ["none", "[]"] {
        assert_eq!(of_variable("label_ignore_list", name, text), json!([]), "{text}");
    }
}

/// Checklist: environment. A full environment of defaults is the same as none, and so is what `config` prints.
#[test]
fn environment() {
    let plain = effective("", &[]);
    let mut given = Vec::new();
    for spec in table::options().filter(|spec| !spec.default.is_empty()) {
        given.push((spec.main_variable(), spec.default.to_owned()));
    }
    assert!(given.len() > 60);
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let full = effective("", &given);
    assert!(full.verdict.is_ok());
    let values = |json: Value| -> Vec<(String, Value)> {
        let Value::Object(members) = json else { panic!() };
        members.into_iter().map(|(key, member)| (key, member["value"].clone())).collect()
    };
    assert_eq!(values(as_json(&full.rows)), values(as_json(&plain.rows)));
    let lower: Vec<(String, &str)> = given.iter().map(|(name, value)| (name.to_lowercase(), *value)).collect();
    let lower: Vec<(&str, &str)> = lower.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(values(as_json(&effective("", &lower).rows)), values(as_json(&plain.rows)));
}

/// Checklist: environment. The defaults are those of the original.
#[test]
fn defaults() {
    let effective = effective("", &[]);
    let json = as_json(&effective.rows);
    for (key, expected) in [
        ("tlps", json!(["TLP:AMBER+STRICT"])),
        ("hits_abort_limit", json!(1000)),
        ("bundle_abort_limit", json!(500)),
        ("system_name", json!("Wazuh SIEM")),
        ("author_name", json!("Wazuh")),
        ("agents_as_systems", json!(true)),
        ("create_obs_sightings", json!(true)),
        ("max_extrefs", json!(10)),
        ("max_extrefs_per_alert_rule", json!(2)),
        ("max_notes", json!(10)),
        ("max_notes_per_alert_rule", json!(2)),
        ("create_sighting_summary", json!(true)),
        ("create_incident_summary", json!(true)),
        ("require_indicator_for_incidents", json!(true)),
        ("create_incident", json!("per-sighting")),
        ("create_incident_threshold", json!(1)),
        ("create_incident_response", json!(true)),
        ("vulnerability_incident_cvss3_score_threshold", Value::Null),
        ("vulnerability_incident_active_only", json!(true)),
        ("rule_exclude_list", json!([])),
        ("incident_rule_exclude_list", json!([])),
        ("create_agent_ip_observable", json!(true)),
        ("create_agent_hostname_observable", json!(true)),
        ("ignore_own_entities", json!(false)),
        ("label_ignore_list", json!(["hygiene", "wazuh_ignore"])),
        ("enrich_labels", json!(["wazuh_ignore"])),
        ("require_indicator_detection", json!(false)),
        ("ignore_revoked_indicators", json!(true)),
        ("indicator_score_threshold", Value::Null),
        ("connector.type", json!("INTERNAL_ENRICHMENT")),
        ("connector.name", json!("Wazuh")),
        ("connector.auto", json!(true)),
        ("connector.log_level", json!("warning")),
        ("opensearch.verify_tls", json!(true)),
        ("opensearch.index", json!("wazuh-alerts-*")),
        ("opensearch.search_after", Value::Null),
        ("opensearch.include_match", json!([])),
        ("opensearch.exclude_match", json!([{"field": "data.integration", "query": "opencti"}])),
        ("opensearch.limit", json!(50)),
        ("opensearch.order_by", json!([{"field": "timestamp", "order": "desc"}])),
        ("opensearch.filter", json!([])),
        ("opensearch.timeout", json!("20 seconds")),
        ("enrich.filename_behaviour", json!(["create-dir", "remove-path"])),
        ("enrich.enrich_urls_without_host", json!(false)),
    ] {
        assert_eq!(json[key]["value"], expected, "{key}");
        assert_eq!(json[key]["from"], "default", "{key}");
    }
    let config = typed("", &[]);
    assert_eq!(config.search, wazuh_query::options::SearchOptions::default());
    let enrichment = alert_enricher::enrichment::EnrichmentOptions::new(Tlp::Red, "https://wazuh.example");
    assert_eq!(config.enrichment, enrichment);
    let profile = wazuh_query::profile::SearchProfile::new(&config.catalogue, config.schema);
    assert_eq!(config.profile, profile);
    // What the original could search for is still in the scope.
    let scope = [
        "Artifact",
        "Directory",
        "Domain-Name",
        "Email-Addr",
        "Hostname",
        "IPv4-Addr",
        "IPv6-Addr",
        "Mac-Addr",
        "Network-Traffic",
        "Process",
        "StixFile",
        "Url",
        "User-Account",
        "User-Agent",
        "Windows-Registry-Key",
        "Windows-Registry-Value-Type",
        "Vulnerability",
        "Indicator",
    ];
    assert!(scope.iter().all(|name| config.connector.scope.iter().any(|known| known == name)));
}

/// Checklist: sets.
#[test]
fn sets() {
    let key = "search.dirsearch_options";
    let expected = json!(["allow-regexp", "match-subdirs"]);
    for text in [
        "allow-regexp,match-subdirs",
        " AllowRegexp , MATCH-SUBDIRS,allow-regexp",
        r#"["allow-regexp", "match-subdirs"]"#,
    ] {
        assert_eq!(of_variable(key, "WAZUH_SEARCH_DIRSEARCH_OPTIONS", text), expected, "{text}");
        assert_eq!(value(key, &format!("search: {{dirsearch_options: '{text}'}}"), &[]), expected, "{text}");
    }
    // `all` is a name like any other where the members are free texts.
    assert_eq!(of_variable("rule_exclude_list", "WAZUH_RULE_EXCLUDE_LIST", "all"), json!(["all"]));
}

/// Checklist: order and match lists.
#[test]
fn order_and_match_lists() {
    let matches = json!([{"field": "agent.name", "query": "web01"}, {"field": "rule.level", "query": "12"}]);
    for text in [
        "agent.name=web01,rule.level=12",
        "agent.name:web01, rule.level:12",
        r#"[{"field":"agent.name","query":"web01"},{"field":"rule.level","query":"12"}]"#,
    ] {
        assert_eq!(of_variable("opensearch.include_match", "WAZUH_OPENSEARCH_INCLUDE_MATCH", text), matches, "{text}");
    }
    let file =
        "opensearch:\n  include_match:\n  - {field: agent.name, query: web01}\n  - {field: rule.level, query: 12}\n";
    assert_eq!(value("opensearch.include_match", file, &[]), matches);
    let order = json!([{"field": "timestamp", "order": "desc"}, {"field": "rule.level", "order": "asc"}]);
    for text in [
        "timestamp:desc, rule.level:ASC",
        r#"[{"field":"timestamp","order":"desc"},{"field":"rule.level","order":"asc"}]"#,
    ] {
        assert_eq!(of_variable("opensearch.order_by", "WAZUH_OPENSEARCH_ORDER_BY", text), order, "{text}");
    }
    assert!(wrong("", &[("WAZUH_OPENSEARCH_ORDER_BY", "timestamp:down")])[0].contains("the order is `asc` or `desc`"));
}

/// Checklist: enums.
#[test]
fn enums() {
    for text in ["per-alert-rule", "PerAlertRule", "PER-ALERT-RULE", "per_alert_rule"] {
        assert_eq!(of_variable("create_incident", "WAZUH_CREATE_INCIDENT", text), "per-alert-rule", "{text}");
    }
    assert_eq!(of_variable("connector.type", "CONNECTOR_TYPE", "internal_enrichment"), "INTERNAL_ENRICHMENT");
    assert!(wrong("", &[("CONNECTOR_TYPE", "STREAM")])[0].contains("is not one of INTERNAL_ENRICHMENT"));
}

/// Checklist: scope.
#[test]
fn scope() {
    assert_eq!(
        of_variable(
            "connector.scope",
            "CONNECTOR_SCOPE",
            "ipv4addr, WINDOWS-REGISTRY-KEY,windowsregistryvaluetype, Software"
        ),
        json!(["IPv4-Addr", "Windows-Registry-Key", "Windows-Registry-Value-Type", "Software"])
    );
    let all = of_variable("connector.scope", "CONNECTOR_SCOPE", "all");
    assert!(all.as_array().unwrap().contains(&json!("Report")));
    assert!(wrong("", &[("CONNECTOR_SCOPE", "none")])[0].contains("an empty scope"));
}

/// Checklist: time.
#[test]
fn time() {
    for text in [
        "1 week ago",
        "2021-02-03",
        "2024-04-05T19:22:03",
        "2024-04-05T19:22:03Z",
        "2024-04-05T19:22:03.348450",
        "four months ago",
    ] {
        assert!(typed("", &[("WAZUH_OPENSEARCH_SEARCH_AFTER", text)]).profile.since.is_some(), "{text}");
    }
    let wrong = wrong("", &[("WAZUH_OPENSEARCH_SEARCH_AFTER", "foo"), ("WAZUH_OPENSEARCH_TIMEOUT", "bar")]);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].starts_with("WAZUH_OPENSEARCH_SEARCH_AFTER: `foo` is neither a date"), "{wrong:?}");
}

/// Checklist: OpenSearch URL.
#[test]
fn opensearch_url() {
    for url in
        ["https://user:geheim@indexer:9200", "https://user@indexer:9200", "https://indexer:9200/?a=b", "indexer:9200"]
    {
        let wrong = wrong("", &[("WAZUH_OPENSEARCH_URL", url)]);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("WAZUH_OPENSEARCH_URL: ") && !wrong[0].contains("geheim"), "{wrong:?}");
    }
    assert_eq!(
        typed("", &[("WAZUH_OPENSEARCH_URL", "https://indexer:9200/path")]).opensearch.url.as_str(),
        "https://indexer:9200/path"
    );
}

/// Checklist: summary dump. The lists are shown as they are written, and an empty one is no text.
#[test]
fn summary_dump() {
    let matches = of_variable("opensearch.include_match", "WAZUH_OPENSEARCH_INCLUDE_MATCH", "foo=bar,baz=qux");
    assert_eq!(matches, json!([{"field": "foo", "query": "bar"}, {"field": "baz", "query": "qux"}]));
    let kind = table::opensearch::INCLUDE_MATCH.kind;
    assert_eq!(text(kind, &matches), "foo=bar,baz=qux");
    assert_eq!(typed("opensearch: {exclude_match: null}", &[]).profile.exclude_match, []);
}

/// Every option of the table is read by the service.
#[test]
fn no_option_is_without_effect() {
    let source = source("", &[]);
    let mut resolver = Resolver::new(&source, read::now());
    let _incomplete = crate::config::service::read(&mut resolver, None);
    let unread: Vec<_> = table::options().map(|spec| spec.key).filter(|key| !resolver.was_read(key)).collect();
    assert_eq!(unread, [""; 0]);
}
