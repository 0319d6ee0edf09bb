//! The defects of the original in start-up and configuration: each by name. `docs/defects.md` lists them.

use std::time::Duration;

use serde_json::{Value, json};
use stix_model::Tlp;
use wazuh_query::profile::Since;

use super::{complete, effective, mistakes, of_variable, source, typed, value, wrong};
use crate::config::{Effective, as_environment, as_json, as_table, as_yaml};

/// B-02: the token was logged.
#[test]
fn b_02_secrets_are_never_shown() {
    let pem = "-----BEGIN PRIVATE KEY-----\\ngeheim\\n-----END PRIVATE KEY-----";
    let environment = [
        ("WAZUH_OPENSEARCH_API_KEY", "geheim"),
        ("MQ_PASS", "geheim"),
        ("OPENCTI_CUSTOM_HEADERS", "X-Key:geheim"),
        ("OPENCTI_CLIENT_CERTIFICATE", pem),
        ("HTTPS_PROXY", "http://user:geheim@proxy:3128"),
        // Unknown and wrong ones.
        ("WAZUH_OPENSEARCH_PASWORD", "geheim"),
        ("OPENCTI_TOKN", "geheim"),
    ];
    let effective = effective("opencti: {url: 'http://u:geheim@h'}\n", &environment);
    let shown = [
        as_table(&effective.rows),
        as_yaml(&effective.rows),
        as_environment(&effective.rows),
        as_json(&effective.rows).to_string(),
        mistakes(&effective).join("\n"),
        effective.warnings.join("\n"),
    ];
    for text in &shown {
        assert!(!text.contains("geheim"), "{text}");
    }
    assert!(shown[0].contains("http://***@proxy:3128"));
    assert!(effective.warnings.contains(&"OPENCTI_TOKN has no effect; did you mean OPENCTI_TOKEN?".to_owned()));
    let config = typed("", &environment[..5]);
    assert!(!format!("{config:?}").contains("geheim"));
}

/// B-04: a configuration in a file alone could not start.
#[test]
fn b_04_a_file_is_enough() {
    let file = r"
opencti: {url: 'https://opencti/base', token: 0123}
connector: {id: 7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77, type: internal_enrichment, scope: [IPv4-Addr, windowsregistrykey]}
max_tlp: amber
app_url: https://wazuh.example/app
opensearch: {url: 'https://indexer:9200', username: reader, password: 007}
";
    let effective = Effective::of(&source(file, &[]), None);
    assert_eq!(mistakes(&effective), [""; 0]);
    let source = source(file, &[]);
    let mut resolver = crate::config::resolver::Resolver::new(&source, crate::config::read::now());
    let config = crate::config::service::read(&mut resolver, None).unwrap();
    assert_eq!(config.connector.scope, ["IPv4-Addr", "Windows-Registry-Key"]);
    assert_eq!(config.opencti.token.expose(), "0123");
    assert!(matches!(
        &config.opensearch.auth,
        wazuh_query::store::opensearch::Auth::Basic { password, .. } if password.expose() == "007"
    ));
}

/// B-05: a single number in a list, numbers in YAML lists, and lists with commas in YAML were refused.
#[test]
fn b_05_lists_have_one_syntax() {
    let key = "rule_exclude_list";
    assert_eq!(of_variable(key, "WAZUH_RULE_EXCLUDE_LIST", "5503"), json!(["5503"]));
    assert_eq!(of_variable(key, "WAZUH_RULE_EXCLUDE_LIST", "[5503, \"5710\"]"), json!(["5503", "5710"]));
    for file in
        ["rule_exclude_list: [5503, '5710']", "rule_exclude_list: 5503, 5710", "rule_exclude_list:\n - 5503\n - 5710"]
    {
        assert_eq!(value(key, file, &[]), json!(["5503", "5710"]), "{file}");
    }
    assert_eq!(value(key, "rule_exclude_list: 5503", &[]), json!(["5503"]));
    assert_eq!(
        value("search.procsearch_options", "search: {procsearch_options: case-insensitive}", &[]),
        json!(["case-insensitive"])
    );
}

/// B-06: `filter` could not be used.
#[test]
fn b_06_filters_are_clauses_of_the_query_language() {
    let clause = json!([{"range": {"rule.level": {"gte": 7}}}]);
    let text = r#"[{"range": {"rule.level": {"gte": 7}}}]"#;
    assert_eq!(of_variable("opensearch.filter", "WAZUH_OPENSEARCH_FILTER", text), clause);
    assert_eq!(value("opensearch.filter", "opensearch:\n  filter:\n  - range: {rule.level: {gte: 7}}\n", &[]), clause);
    let refused = wrong("opensearch: {filter: [{field: rule.level, query: 7}]}", &[]);
    assert!(refused[0].contains("a clause is an object with one member"), "{refused:?}");
    let effective = effective("", &[("WAZUH_OPENSEARCH_FILTER", text), ("WAZUH_OPENSEARCH_SEARCH_AFTER", "1 day")]);
    assert_eq!(effective.warnings, ["WAZUH_OPENSEARCH_SEARCH_AFTER: has no effect because of `opensearch.filter`"]);
}

/// B-07: empty variables were mistakes.
#[test]
fn b_07_empty_variables_are_not_set() {
    let names = [
        "WAZUH_OPENSEARCH_INCLUDE_MATCH",
        "WAZUH_OPENSEARCH_EXCLUDE_MATCH",
        "WAZUH_OPENSEARCH_FILTER",
        "WAZUH_OPENSEARCH_ORDER_BY",
        "WAZUH_OPENSEARCH_SEARCH_AFTER",
        "WAZUH_OPENSEARCH_TIMEOUT",
        "WAZUH_OPENSEARCH_LIMIT",
        "WAZUH_VULNERABILITY_INCIDENT_CVSS3_SCORE_THRESHOLD",
        "WAZUH_INDICATOR_SCORE_THRESHOLD",
        "WAZUH_HITS_ABORT_LIMIT",
        "WAZUH_CREATE_INCIDENT",
        "CONNECTOR_AUTO",
        "WAZUH_SEARCH",
    ];
    let environment = names.map(|name| (name, " "));
    let empty = effective("", &environment);
    assert_eq!(mistakes(&empty), [""; 0]);
    assert_eq!(as_json(&empty.rows), as_json(&effective("", &[]).rows));
}

/// B-08: limits could not be switched off by a variable.
#[test]
fn b_08_none_switches_limits_off() {
    for text in ["none", "null", "None", " NULL "] {
        let config = typed(
            "",
            &[
                ("WAZUH_HITS_ABORT_LIMIT", text),
                ("WAZUH_BUNDLE_ABORT_LIMIT", text),
                ("WAZUH_INDICATOR_SCORE_THRESHOLD", text),
                ("WAZUH_OPENSEARCH_EXCLUDE_MATCH", text),
                ("WAZUH_OPENSEARCH_SEARCH_AFTER", text),
                ("WAZUH_OPENSEARCH_VULNERABILITIES_INDEX", text),
            ],
        );
        assert_eq!((config.enrichment.hits_abort_limit, config.enrichment.bundle_abort_limit), (None, None));
        assert_eq!((config.enrichment.inspect.indicator_score_threshold, config.profile.since), (None, None));
        assert_eq!((config.profile.exclude_match.len(), config.vulnerabilities_index), (0, None));
    }
    assert!(wrong("", &[("WAZUH_MAX_EXTREFS", "none")])[0].contains("is not a whole number"));
}

/// B-09: options that nothing read. See also `no_option_is_without_effect`.
#[test]
fn b_09_options_arrive_where_they_work() {
    let config = typed("search: {lookup_agent_name: true, filesearch_options: [include-reg-values]}", &[]);
    assert!(config.search.lookup_agent_name);
    assert!(config.search.file.contains(&wazuh_query::options::FileOption::IncludeRegValues));
}

/// B-10: the scope was registered as it was written.
#[test]
fn b_10_scope_has_the_platforms_names() {
    let config = typed("", &[("CONNECTOR_SCOPE", " ipv4-addr , WindowsRegistryKey,stixfile")]);
    assert_eq!(config.connector.scope, ["IPv4-Addr", "Windows-Registry-Key", "StixFile"]);
    assert!(typed("", &[("CONNECTOR_SCOPE", "all")]).connector.scope.len() > 20);
}

/// B-11: the platform's certificate was never checked.
#[test]
fn b_11_certificates_are_checked() {
    let config = typed("", &[]);
    assert!(config.opencti.verify_tls && config.opensearch.verify_tls && config.broker.verify_tls);
    let config = typed("opencti: {ssl_verify: false}", &[]);
    assert!(!config.opencti.verify_tls);
    let effective = effective("opencti: {ssl_verify: false}", &[]);
    assert!(effective.warnings[0].starts_with("config.yml:1: opencti.ssl_verify: anybody can pretend to be"));
}

/// B-12: the variable had another name than the documentation said.
#[test]
fn b_12_both_names() {
    let key = "enrich.enrich_urls_without_host";
    for name in ["WAZUH_ENRICH_ENRICH_URLS_WITHOUT_HOST", "WAZUH_ENRICH_URLS_WITHOUT_HOST"] {
        assert_eq!(of_variable(key, name, "true"), true, "{name}");
    }
    assert_eq!(value(key, "enrich: {urls_without_host: true}", &[]), true);
    assert_eq!(
        of_variable("search.lookup_url_ignore_trailing_slash", "WAZUH_SEARCH_LOOKUP_URL_INGORE_TRAILING_SLASH", "1"),
        true
    );
}

/// B-13: dependencies of options were not checked.
#[test]
fn b_13_dependencies_are_checked() {
    let refused = wrong(
        "search:\n  filesearch_options: [case-insensitive]\n  dirsearch_options: [match-subdirs, search-filenames]\n  \
         regkeysearch_options: [ignore-sid]\n",
        &[],
    );
    assert_eq!(
        refused,
        [
            "config.yml:2: search.filesearch_options: `case-insensitive` needs `allow-regexp` beside it",
            "config.yml:3: search.dirsearch_options: `match-subdirs` needs `allow-regexp` beside it",
            "config.yml:3: search.dirsearch_options: `search-filenames` needs `allow-regexp` beside it",
            "config.yml:4: search.regkeysearch_options: `ignore-sid` needs `allow-regexp` beside it",
        ]
    );
}

/// B-14: intervals in the future, bare numbers, and months that were counted once at the start.
#[test]
fn b_14_times_have_a_grammar() {
    let name = "WAZUH_OPENSEARCH_SEARCH_AFTER";
    assert!(wrong("", &[(name, "in two months")])[0].contains("lies in the future"));
    assert_eq!(typed("opensearch: {timeout: 30}", &[]).opensearch.timeout, Duration::from_secs(30));
    assert_eq!(typed("opensearch: {timeout: PT30S}", &[]).opensearch.timeout, Duration::from_secs(30));
    let Some(Since::Ago(months)) = typed("", &[(name, "7 months ago")]).profile.since else { panic!() };
    let before = |text: &str| months.before(text.parse().unwrap()).to_string();
    assert_eq!(before("2026-10-31T00:00:00Z"), "2026-03-31T00:00:00.000Z");
    assert_eq!(before("2026-09-30T00:00:00Z"), "2026-02-28T00:00:00.000Z");
}

/// B-15: the file and the environment had two orders.
#[test]
fn b_15_one_order() {
    let file = "opencti: {url: 'http://file'}\nconnector: {name: File}\nmax_tlp: green\n";
    let environment = [("OPENCTI_URL", "http://variable"), ("CONNECTOR_NAME", "Variable"), ("WAZUH_MAX_TLP", "red")];
    let config = typed(file, &environment);
    assert_eq!((config.opencti.url.as_str(), config.connector.name.as_str()), ("http://file/", "File"));
    assert_eq!(config.enrichment.inspect.max_tlp, Tlp::Green);
    assert_eq!(typed("", &environment).connector.name, "Variable");
}

/// B-16: null for `tlps` ended the program.
#[test]
fn b_16_no_markings() {
    for (file, text) in [("tlps: null", ""), ("tlps: []", ""), ("tlps:", ""), ("", "none"), ("", "null")] {
        assert_eq!(typed(file, &[("WAZUH_TLPS", text)]).enrichment.tlps, [].into(), "{file} {text}");
    }
}

/// B-17: nothing said that the connector would search for what it made.
#[test]
fn b_17_a_loop_is_warned_about() {
    for (labels, ignored) in [("mine", "hygiene"), ("none", "hygiene"), ("mine", "none")] {
        let effective = effective("", &[("WAZUH_ENRICH_LABELS", labels), ("WAZUH_LABEL_IGNORE_LIST", ignored)]);
        assert!(effective.warnings[0].contains("will search for what it makes itself"), "{labels} {ignored}");
    }
    // The platform keeps labels in small letters.
    let fine = effective("", &[("WAZUH_ENRICH_LABELS", "Mine,other"), ("WAZUH_LABEL_IGNORE_LIST", "mine")]);
    assert_eq!(fine.warnings, [""; 0]);
}

/// B-20: the tools were read once. (That all of them are read is the client's part.)
#[test]
fn b_20_tools_are_read_again() {
    assert_eq!(typed("", &[]).runtime.tools_refresh, Duration::from_hours(1));
    assert!(wrong("service: {tools_refresh: 0}", &[])[0].ends_with("must be longer than zero"));
}

/// Q-62, Q-74: the same for the group JSON: empty and numbers.
#[test]
fn groups_as_json_follow_the_same_rules() {
    let config = typed(
        "",
        &[
            ("WAZUH_SEARCH", r#"{"lookup_agent_ip": "yes", "procsearch_options": "none"}"#),
            ("WAZUH_OPENSEARCH", r#"{"limit": "7", "search_after": null, "timeout": 5}"#),
            ("WAZUH_CONNECTOR", r#"{"scope": ["url"], "other": 1}"#),
        ],
    );
    assert!(config.search.lookup_agent_ip && config.search.process.is_empty());
    assert_eq!((config.profile.limit, config.opensearch.timeout), (7, Duration::from_secs(5)));
    assert_eq!(config.connector.scope, ["Url"]);
    let source = complete("", &[("WAZUH_CONNECTOR", r#"{"other": 1}"#)]);
    assert_eq!(source.service_warnings, ["WAZUH_CONNECTOR: connector.other has no effect: there is no such option"]);
    assert_eq!(
        wrong("", &[("WAZUH_OPENSEARCH", r#"{"limit": 0}"#)]),
        ["WAZUH_OPENSEARCH: limit: `0` is not a whole number from 1 to 10000"]
    );
    assert_eq!(
        as_json(&effective("", &[("WAZUH_SEARCH", r#"{"lookup_agent_ip": true}"#)]).rows)["search.lookup_agent_ip"]["from"],
        Value::from("WAZUH_SEARCH")
    );
}
