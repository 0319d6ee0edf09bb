//! What options demand of one another, and how values and mistakes are shown.

use serde_json::Value;

use super::{effective, mistakes, source, typed, wrong};
use crate::config::node::Node;
use crate::config::service::Listen;
use crate::config::{Effective, as_environment, as_json, as_table, as_yaml, read, schema, table};

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let mistakes = mistakes(&Effective::of(&source("", &[]), None));
    let missing: Vec<&str> = mistakes.iter().filter_map(|text| text.split(": is missing").next()).collect();
    assert_eq!(
        missing,
        [
            "opencti.url (OPENCTI_URL)",
            "opencti.token (OPENCTI_TOKEN)",
            "connector.id (CONNECTOR_ID)",
            "max_tlp (WAZUH_MAX_TLP)",
            "app_url (WAZUH_APP_URL)",
            "opensearch.url (WAZUH_OPENSEARCH_URL)",
            "opensearch.username (WAZUH_OPENSEARCH_USERNAME)",
        ]
    );
    assert!(mistakes[6].ends_with("write `none` if the indexer wants no user"));
    assert!(mistakes[3].ends_with("one of TLP:CLEAR, TLP:WHITE, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED"));
}

#[test]
fn a_mistake_names_place_problem_and_what_is_allowed() {
    let mut mistakes = wrong(
        "max_tlp: TLP:PURPLE\ncreate_incident: per-sigthing\nsystem_name: [a]\nopensearch:\n  limit: zero\n  order_by: up\n",
        &[("WAZUH_CREATE_INCIDENT_THRESHOLD", "16"), ("CONNECTOR_ID", "my_connector")],
    );
    mistakes.sort();
    assert_eq!(
        mistakes,
        [
            "CONNECTOR_ID: the platform cannot use an identifier with an underscore or a blank; use a UUID",
            "WAZUH_CREATE_INCIDENT_THRESHOLD: `16` is not a whole number from 1 to 15",
            "config.yml:1: max_tlp: `TLP:PURPLE` is not one of TLP:CLEAR, TLP:WHITE, TLP:GREEN, TLP:AMBER, \
             TLP:AMBER+STRICT, TLP:RED",
            "config.yml:2: create_incident: `per-sigthing` is not one of per-query, per-sighting, per-alert-rule, \
             per-alert, never; did you mean `per-sighting`?",
            "config.yml:3: system_name: expected one value, not a list",
            "config.yml:5: opensearch.limit: `zero` is not a whole number from 1 to 10000",
            "config.yml:6: opensearch.order_by: `up`: expected `field:asc` or `field:desc`",
        ]
    );
}

#[test]
fn placeholders_of_samples_are_refused() {
    let mistakes = wrong("", &[("OPENCTI_TOKEN", "ChangeMe"), ("WAZUH_OPENSEARCH_PASSWORD", "CHANGEME")]);
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(mistakes[0].starts_with("OPENCTI_TOKEN: `ChangeMe` stands in the samples"));
}

#[test]
fn credentials_of_the_indexer() {
    use wazuh_query::store::opensearch::Auth;
    let auth = |file: &str| {
        typed(file, &[("WAZUH_OPENSEARCH_USERNAME", ""), ("WAZUH_OPENSEARCH_PASSWORD", "")]).opensearch.auth
    };
    assert_eq!(auth("opensearch: {username: none}"), Auth::None);
    assert_eq!(auth("opensearch: {api_key: abc}"), Auth::ApiKey("abc".into()));
    let pem = "-----BEGIN CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----";
    assert!(matches!(auth(&format!("opensearch: {{client_certificate: '{pem}'}}")), Auth::ClientCertificate(_)));
    let wrong = |file: &str| wrong(file, &[("WAZUH_OPENSEARCH_USERNAME", ""), ("WAZUH_OPENSEARCH_PASSWORD", "")]);
    assert_eq!(
        wrong("opensearch: {username: reader}"),
        ["opensearch.password (WAZUH_OPENSEARCH_PASSWORD): is missing, although `opensearch.username` is given"]
    );
    let certificate = "-----BEGIN CERTIFICATE-----";
    assert_eq!(
        wrong(&format!("opensearch: {{client_certificate: '{certificate}'}}")),
        ["config.yml:1: opensearch.client_certificate: holds no private key; give it in `opensearch.client_key`"]
    );
    let encrypted = "-----BEGIN CERTIFICATE-----\\n-----BEGIN ENCRYPTED PRIVATE KEY-----";
    assert!(wrong(&format!("opensearch: {{client_certificate: '{encrypted}'}}"))[0].contains("has a passphrase"));
    assert!(wrong("opensearch: {username: reader, password: x, client_key: /no/such}")[0].contains("cannot be read"));
}

#[test]
fn posted_events() {
    assert!(matches!(typed("", &[]).connector.listen, Listen::Queue));
    let config = typed("connector: {listen_protocol: api, listen_protocol_api_port: 7171}", &[]);
    let Listen::Callback(callback) = config.connector.listen else { panic!() };
    assert_eq!((callback.uri.as_str(), callback.port), ("http://127.0.0.1:7171/api/callback", 7171));
    assert!(callback.tls.is_none());
    let effective = effective("connector: {listen_protocol: api}", &[]);
    assert_eq!(
        effective.warnings,
        [
            "connector.listen_protocol_api_uri (CONNECTOR_LISTEN_PROTOCOL_API_URI): only workers on this machine reach the \
          default"
        ]
    );
    let wrong = wrong(
        "connector: {listen_protocol: api, listen_protocol_api_ssl: true, listen_protocol_api_path: callback}",
        &[],
    );
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert_eq!(wrong[0], "config.yml:1: connector.listen_protocol_api_path: must start with a slash");
    assert!(wrong[1].contains("LISTEN_PROTOCOL_API_SSL_CERT"));
}

#[test]
fn what_goes_to_the_enrichment() {
    let enrichment = |file: &str| typed(file, &[]).enrichment;
    assert_eq!(
        enrichment("account_sighters: [AWS, github]").account_sighters,
        Some(["aws", "github"].map(str::to_owned).into())
    );
    assert_eq!(enrichment("account_sighters: none").account_sighters, Some([].into()));
    assert_eq!(enrichment("").account_sighters, None);
    let bands = enrichment("severities: 9=severe/now, 0=mild/later").severities;
    assert_eq!(bands.to_string(), "0=mild/later,9=severe/now");
    assert_eq!(wrong("severities: low", &[]), ["config.yml:1: severities: `low`: expected `LEVEL=SEVERITY/PRIORITY`"]);
    let thresholds = enrichment("indicator_confidence_threshold: 50\nobservable_score_threshold: 20\n").inspect;
    assert_eq!(
        (thresholds.indicator_confidence_threshold, thresholds.observable_score_threshold),
        (Some(50), Some(20))
    );
    assert_eq!(enrichment("opensearch: {schema: 5}").links.index, "wazuh-findings-v5-*");
    assert!(!typed("search_indicator_pattern: no", &[]).patterns.search);
}

#[test]
fn numbers_that_depend_on_each_other() {
    assert_eq!(typed("service: {concurrency: 100}", &[]).runtime.prefetch, 100);
    assert_eq!(typed("service: {prefetch: 1}", &[]).runtime.concurrency, 1);
    assert_eq!(
        wrong("service: {prefetch: 4, concurrency: 5}", &[]),
        ["config.yml:1: service.concurrency: 5 is more than `service.prefetch` (4)"]
    );
    let effective = effective("max_notes: 0", &[]);
    assert_eq!(as_json(&effective.rows)["max_notes_per_alert_rule"]["from"], "default with max_notes");
}

#[test]
fn wazuh_5_has_its_own_defaults() {
    let config = typed("opensearch: {schema: 5}", &[]);
    assert_eq!(config.profile.index, "wazuh-findings-v5-*");
    assert_eq!(config.opensearch.index, config.profile.index);
    assert_eq!(config.profile.exclude_match[0].field, "wazuh.integration.name");
    let effective = effective("opensearch: {schema: 5}", &[]);
    assert_eq!(as_json(&effective.rows)["opensearch.index"]["from"], "default for Wazuh 5");
    assert_eq!(typed("opensearch: {schema: 5, index: own}", &[]).profile.index, "own");
}

#[test]
fn copies_of_bundles() {
    assert!(wrong("connector: {send_to_directory: true}", &[])[0].starts_with("connector.send_to_directory_path"));
    let config = typed("connector: {send_to_directory: true, send_to_directory_path: /tmp/x}", &[]);
    assert_eq!(config.connector.send.to_directory.unwrap().retention_days, 7);
    assert_eq!(
        effective("connector: {send_to_queue: false}", &[]).warnings,
        ["config.yml:1: connector.send_to_queue: results go nowhere"]
    );
}

#[test]
fn a_catalogue_that_cannot_be_used_is_a_mistake() {
    let mistakes = wrong("catalogue: /no/such/file", &[]);
    assert!(mistakes[0].starts_with("config.yml:1: catalogue: /no/such/file cannot be read"), "{mistakes:?}");
}

/// What `config` prints is a configuration with the same values, once the secrets are given.
#[test]
fn what_is_shown_can_be_read_again() {
    let environment = [
        ("WAZUH_HITS_ABORT_LIMIT", "none"),
        ("WAZUH_TLPS", "none"),
        ("WAZUH_OPENSEARCH_INCLUDE_MATCH", r#"[{"field":"a","query":"x,y=z"}]"#),
        ("WAZUH_OPENSEARCH_FILTER", r#"[{"range":{"rule.level":{"gte":7}}}]"#),
        ("WAZUH_SYSTEM_NAME", "SIEM: \"the one\" # 1"),
        ("WAZUH_ENRICH_LABELS", "wazuh_ignore,two words"),
        ("WAZUH_MAX_EXTREFS", "1"),
        ("CONNECTOR_METRICS_NAMESPACE", "007"),
    ];
    let first = effective("", &environment);
    let values = |effective: &Effective| -> Vec<(String, Value)> {
        let Value::Object(members) = as_json(&effective.rows) else { panic!() };
        members.into_iter().map(|(key, member)| (key, member["value"].clone())).collect()
    };
    let secrets = [("OPENCTI_TOKEN", "0a1b2c3d-geheim"), ("WAZUH_OPENSEARCH_PASSWORD", "hunter2-geheim")];
    let yaml = as_yaml(&first.rows);
    let from_yaml = Effective::of(&source(&yaml, &secrets), None);
    assert_eq!(mistakes(&from_yaml), [""; 0], "{yaml}");
    assert_eq!(values(&from_yaml), values(&first));
    let text = as_environment(&first.rows);
    let variables = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let variables: Vec<_> = variables.chain(secrets).collect();
    let from_variables = Effective::of(&source("", &variables), None);
    assert_eq!(mistakes(&from_variables), [""; 0], "{text}");
    assert_eq!(values(&from_variables), values(&first));
    let table = as_table(&first.rows);
    assert!(
        table.lines().any(|line| line.starts_with("max_extrefs ") && line.ends_with("  WAZUH_MAX_EXTREFS")),
        "{table}"
    );
    assert_eq!(table.lines().count(), table::options().count() + 1);
}

/// What the schema of the file accepts, the program accepts. Checked for the defaults and examples of all options.
#[test]
fn the_schema_is_not_wider_than_the_program() {
    let schema = schema::of_file();
    for spec in table::options().filter(|spec| spec.in_file) {
        let (group, name) = spec.place();
        let place = if group.is_empty() {
            &schema["properties"][name]
        } else {
            &schema["properties"][group]["properties"][name]
        };
        assert!(place.is_object(), "{}", spec.key);
        for text in spec.kind.names().into_iter().chain([spec.default]).filter(|text| !text.is_empty()) {
            assert!(spec.kind.read(&Node::text_of(text), read::now()).is_ok(), "{}: {text}", spec.key);
        }
    }
}

/// A key of nobody, with the passphrase `geheim`.
const ENCRYPTED_KEY: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhjeS+azzFdSQICCAAw\n\
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJrMs6mf/cd/EDH/o3gRv4kEgZBi\n\
yWcP9+8TzO9KwnUtqTm8tCdgNKzFW9wlr3w8rpyQ1e/28EjfisKI8eIkbKHUlJdI\n\
Hn8Nr42teFeG6Hv2m67a4hHZchp9t0cd692s9LXMAWV9cskpWp1i0Eob/DFqwX4R\n\
IIsb1DVQKX6M/Fps9YgvrrY66aJzhzvfHa9BIAkyZpYGJRyEJ1YIz4l7ybm4LUM=\n\
-----END ENCRYPTED PRIVATE KEY-----\n\
";

#[test]
fn keys_may_have_passphrases() {
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let both = format!("{certificate}{ENCRYPTED_KEY}");
    for given in [
        [("MQ_USE_SSL_CERT", certificate), ("MQ_USE_SSL_KEY", ENCRYPTED_KEY)],
        [("MQ_USE_SSL_CERT", both.as_str()), ("MQ_HOST", "broker")],
    ] {
        let given: Vec<_> = given.into_iter().chain([("MQ_USE_SSL_PASSPHRASE", "geheim")]).collect();
        let config = typed("", &given);
        let pem = config.broker.client_certificate.unwrap();
        let pem = pem.expose();
        assert!(pem.contains("CERTIFICATE-----\nAAAA\n") && pem.contains("-----BEGIN PRIVATE KEY-----"), "{pem}");
        assert!(!pem.contains("ENCRYPTED"), "{pem}");
    }
    let given = [
        ("CONNECTOR_LISTEN_PROTOCOL", "api"),
        ("CONNECTOR_LISTEN_PROTOCOL_API_SSL", "true"),
        ("LISTEN_PROTOCOL_API_SSL_CERT", certificate),
        ("LISTEN_PROTOCOL_API_SSL_KEY", ENCRYPTED_KEY),
        ("LISTEN_PROTOCOL_API_SSL_PASSPHRASE", "geheim"),
    ];
    let Listen::Callback(callback) = typed("", &given).connector.listen else { panic!() };
    assert!(callback.tls.unwrap().1.expose().contains("-----BEGIN PRIVATE KEY-----"));
    // Without it, or with another one, it is said which.
    let wrong = |passphrase: &[(&str, &str)]| {
        let given = [("MQ_USE_SSL_CERT", certificate), ("MQ_USE_SSL_KEY", ENCRYPTED_KEY)];
        let given: Vec<_> = given.into_iter().chain(passphrase.iter().copied()).collect();
        mistakes(&effective("", &given)).join("\n")
    };
    assert!(wrong(&[]).contains("or give it in `mq.use_ssl_passphrase`"), "{}", wrong(&[]));
    let other = wrong(&[("MQ_USE_SSL_PASSPHRASE", "hunter2")]);
    assert!(
        other.contains("MQ_USE_SSL_PASSPHRASE") && other.contains("wrong") && !other.contains("hunter2"),
        "{other}"
    );
}
