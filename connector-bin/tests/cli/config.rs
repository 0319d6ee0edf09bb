//! The configuration of the original connector goes on working, and mistakes are named.

use crate::{program, run, samples};

const ADDRESS: &str = r#"{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--0198f97b-e65d-5025-87e5-58bc39d4bdb4","value":"10.1.2.3"}"#;

fn query(config: &str, environment: &[(&str, &str)]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let config_path = folder.path().join("config.yml");
    let object_path = folder.path().join("object.json");
    std::fs::write(&config_path, config).unwrap();
    std::fs::write(&object_path, ADDRESS).unwrap();
    let mut command = program();
    command.args(["query", "--request", "--config"]).arg(&config_path).arg(&object_path).current_dir(samples());
    command.envs(environment.iter().copied());
    let run = crate::finish(command.output().unwrap());
    (run.code, run.out, run.err.replace(&config_path.display().to_string(), "config.yml"))
}

#[test]
fn an_existing_file_is_taken_over() {
    let config = r"
max_tlp: TLP:RED
app_url: https://wazuh.example
tlps: [TLP:AMBER]
rule_exclude_list: ['5710', '5711']
opencti: {url: http://opencti:8080, token: secret, anything_else: 1}
connector: {id: 0d6b6d4b-2c6f-4d4f-9d1c-111111111111, scope: [IPv4-Addr]}
opensearch:
  url: https://indexer:9200
  username: reader
  password: secret
  search_after: 7 days ago
  include_match: [{field: agent.name, query: web01}]
  limit: 5
  order_by: [{field: rule.level, order: desc}]
search:
  ignore_private_addrs: false
  filesearch_options: [allow-regexp, case-insensitive]
enrich:
  types: [url, file]
";
    let (code, out, err) = query(config, &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let request = answer["request"].to_string();
    for part in ["\"5710\"", "\"size\":5", "rule.level", "agent.name", "data.integration", "\"gte\""] {
        assert!(request.contains(part), "{part}: {request}");
    }
    assert!(!out.contains("secret"));
}

#[test]
fn the_environment_stands_behind_the_file() {
    let (_, out, _) = query("", &[("WAZUH_SEARCH_IGNORE_PRIVATE_ADDRS", "off"), ("WAZUH_RULE_EXCLUDE_LIST", "5710")]);
    assert!(out.contains("\"reason\":null") && out.contains("5710"), "{out}");
    let (_, out, _) = query("search: {ignore_private_addrs: true}", &[("WAZUH_SEARCH_IGNORE_PRIVATE_ADDRS", "off")]);
    assert!(out.contains("not globally reachable"), "{out}");
}

#[test]
fn all_mistakes_at_once() {
    let config = r"
serach: {}
search: {lookup_agent_ip: perhaps, filesearch_options: [case-insensitive, everything]}
enrich: {types: [nonsense]}
";
    let (code, out, err) = query(config, &[("WAZUH_SEARCH_LOOKUP_MAC_VARIANTS", "2")]);
    assert_eq!((code, out.as_str()), (2, ""));
    insta::assert_snapshot!(err);
}

#[test]
fn broken_files() {
    let (code, _, err) = query("search: [", &[]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.starts_with("error: the configuration has mistakes:\n  config.yml: ") && err.contains("line 1"),
        "{err}"
    );
    let missing = run(&["query", "--config", "no-such.yml", "observables.ndjson"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("no-such.yml cannot be read"), "{}", missing.err);
}

#[test]
fn a_site_adds_fields() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = folder.path().join("fields.yml");
    std::fs::write(&catalogue, "fields:\n  - {path: data.acme.peer, holds: ip, role: destination, group: acme}\n")
        .unwrap();
    let alert = folder.path().join("alert.json");
    std::fs::write(&alert, r#"{"timestamp":"2026-03-14T09:26:53.589+0000","data":{"acme":{"peer":"203.0.113.66"}}}"#)
        .unwrap();
    let hunt = |extra: &[&str]| {
        let mut arguments =
            vec!["hunt", "--indicators", "indicators.txt", "--format", "ndjson", "--alerts", alert.to_str().unwrap()];
        arguments.extend(extra);
        run(&arguments).out
    };
    assert_eq!(hunt(&[]), "");
    assert!(hunt(&["--catalogue", catalogue.to_str().unwrap()]).contains("data.acme.peer"));
    std::fs::write(&catalogue, "fields:\n  - {path: 'data.*', holds: ip}\n").unwrap();
    let wrong = run(&["query", "--catalogue", catalogue.to_str().unwrap(), "observables.ndjson"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("field path `data.*` cannot be used"), "{}", wrong.err);
}

/// The service's configuration with what it does not start without.
const COMPLETE: [(&str, &str); 8] = [
    ("OPENCTI_URL", "http://opencti:8080"),
    ("OPENCTI_TOKEN", "geheim"),
    ("CONNECTOR_ID", "7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77"),
    ("WAZUH_MAX_TLP", "TLP:RED"),
    ("WAZUH_APP_URL", "https://wazuh.example"),
    ("WAZUH_OPENSEARCH_URL", "https://indexer:9200"),
    ("WAZUH_OPENSEARCH_USERNAME", "reader"),
    ("WAZUH_OPENSEARCH_PASSWORD", "geheim"),
];

fn config(arguments: &[&str], environment: &[(&str, &str)]) -> crate::Run {
    crate::finish(program().arg("config").args(arguments).envs(environment.iter().copied()).output().unwrap())
}

#[test]
fn the_effective_configuration_in_every_form() {
    let mut environment = COMPLETE.to_vec();
    environment.push(("WAZUH_OPENSEARCH_LIMIT", "7"));
    for (format, expected) in [
        ("table", "opensearch.limit "),
        ("yaml", "  limit: 7  # WAZUH_OPENSEARCH_LIMIT\n"),
        ("env", "WAZUH_OPENSEARCH_LIMIT=7\n"),
        ("json", "\"opensearch.limit\": {"),
    ] {
        let run = config(&["--format", format], &environment);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{format}");
        assert!(run.out.contains(expected), "{}", run.out);
        assert!(!run.out.contains("geheim"), "{format}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "opensearch:\n  limit: 8\n").unwrap();
    environment.push(("WAZUH_CONFIG", name));
    let run = config(&[], &environment);
    let line = run.out.lines().find(|line| line.starts_with("opensearch.limit ")).unwrap();
    assert!(line.contains(" 8 ") && line.ends_with(&format!("{name}:2")), "{line}");
}

/// B-01: mistakes in the configuration ended the program with code 0.
#[test]
fn b_01_mistakes_end_with_code_2() {
    let run = config(&[], &COMPLETE[1..]);
    assert_eq!(run.code, 2);
    assert!(run.out.contains("opencti.token"), "what is there is shown");
    assert_eq!(
        run.err,
        "error: the configuration has mistakes:\n  opencti.url (OPENCTI_URL): is missing: a URL (`http` or `https`) without \
         user, password, query and fragment\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    std::fs::write(&file, "opencti: {token: geheim\n").unwrap();
    let run = config(&["--config", file.to_str().unwrap()], &[]);
    assert_eq!(run.code, 2);
    assert!(!run.err.contains("geheim"), "{}", run.err);
}

#[test]
fn a_file_that_is_not_there() {
    let missing = config(&["--config", "/no/such.yml"], &COMPLETE);
    assert_eq!(missing.code, 1, "{}", missing.err);
    let left_out = config(&["--ignore", "--config", "/no/such.yml"], &COMPLETE);
    assert_eq!(left_out.code, 0);
    assert!(left_out.err.starts_with("warning: /no/such.yml is left out"), "{}", left_out.err);
}

#[test]
fn variables_that_mean_nothing_are_named() {
    let (code, _, err) =
        query("", &[("WAZUH_SERACH_LOOKUP_AGENT_IP", "true"), ("WAZUH_MAX_TLP", "not looked at here")]);
    assert_eq!(code, 0);
    assert_eq!(
        err,
        "warning: WAZUH_SERACH_LOOKUP_AGENT_IP has no effect: there is no such option; did you mean \
         WAZUH_SEARCH_LOOKUP_AGENT_IP?\n"
    );
}

#[test]
fn schemas() {
    for arguments in [&["schema"][..], &["schema", "--environment"]] {
        let run = config(arguments, &[]);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        let schema: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
