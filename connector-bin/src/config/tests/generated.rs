//! Documents, schemas and samples are made from the table of options, or are checked against it.
//!
//! `UPDATE_GENERATED=1 cargo test -p connector-bin generated` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{REQUIRED, mistakes, source};
use crate::config::kind::Kind;
use crate::config::node::{Node, Tree};
use crate::config::option::{Since, Spec};
use crate::config::{Effective, as_json, schema, show, table};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a file with what it should be, or writes it.
#[track_caller]
fn check(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let path = root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    assert!(found == expected, "{path} is out of date: UPDATE_GENERATED=1 cargo test -p connector-bin generated");
}

/// What an option takes, where the description does not say it.
fn allowed(spec: &Spec) -> String {
    let names = || spec.kind.names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match spec.kind {
        Kind::Choice([_]) => String::new(),
        Kind::Choice(_) | Kind::Tlp => format!("One of {}.", names()),
        Kind::Set(_) | Kind::Scope => format!("Set of {}.", names()),
        Kind::Integer(_, i64::MAX) | Kind::Boolean | Kind::Text | Kind::Name | Kind::ConnectorId => String::new(),
        Kind::Secret | Kind::Path | Kind::ProxyUrl | Kind::Index | Kind::Url | Kind::Interval | Kind::Pause => {
            String::new()
        }
        Kind::Texts => "A list.".to_owned(),
        kind => {
            let text = kind.allowed();
            let mut chars = text.chars();
            let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            format!("{first}{}.", chars.as_str())
        }
    }
}

fn row(spec: &Spec) -> String {
    let variables: Vec<String> = spec.variables().map(|name| format!("`{name}`")).collect();
    let default = match schema::default(spec) {
        None => String::new(),
        Some(default) if default == spec.kind.empty() => "none".to_owned(),
        Some(_) if spec.default == "all" => "all".to_owned(),
        Some(default) => format!("`{}`", show::text(spec.kind, &default)),
    };
    let mut meaning = spec.description().to_owned();
    for addition in [
        allowed(spec),
        if spec.required { "Required.".to_owned() } else { String::new() },
        if spec.optional && !spec.default.is_empty() { "`none` switches it off.".to_owned() } else { String::new() },
        if spec.secret { "Secret.".to_owned() } else { String::new() },
        if spec.since == Since::New { "*New.*".to_owned() } else { String::new() },
    ] {
        if !addition.is_empty() {
            meaning.push(' ');
            meaning.push_str(&addition);
        }
    }
    let keys: Vec<String> = std::iter::once(&spec.place().1).chain(spec.keys).map(|key| format!("`{key}`")).collect();
    let key = if spec.in_file { keys.join(", ") } else { "–".to_owned() };
    format!("| {key} | {} | {default} | {meaning} |", variables.join(", ")).replace("||", "| |")
}

fn reference() -> String {
    let mut out = String::new();
    for (group, about, specs) in table::GROUPS {
        let title = match *group {
            "" => "The root".to_owned(),
            "system" => "The environment".to_owned(),
            group => format!("`{group}`"),
        };
        let _infallible = writeln!(
            out,
            "### {title}\n\n{}\n\n| key | variable | default | meaning |\n|---|---|---|---|",
            about.trim()
        );
        for spec in *specs {
            let _infallible = writeln!(out, "{}", row(spec));
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_reference_is_up_to_date() {
    const BEGIN: &str = "<!-- made from the table of options: begin -->\n";
    const END: &str = "<!-- made from the table of options: end -->\n";
    let document = read("docs/configuration.md");
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    check("docs/configuration.md", &format!("{before}{BEGIN}\n{}{END}{after}", reference()));
}

#[test]
fn the_schemas_are_up_to_date() {
    check("deploy/opencti/__metadata__/connector_config_schema.json", &format!("{:#}\n", schema::of_environment()));
    check("deploy/config.schema.json", &format!("{:#}\n", schema::of_file()));
}

/// A value for an option that has no default.
fn example(spec: &Spec) -> Option<&'static str> {
    let name = spec.main_variable();
    if spec.secret {
        return REQUIRED.iter().any(|(variable, _)| *variable == name).then_some("example");
    }
    REQUIRED.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value)
}

/// A file with every option: those with a default as it is, required ones with `required`, the rest as comments.
fn full_file(head: &str, required: impl Fn(&Spec) -> Option<&'static str>, with_defaults: bool) -> String {
    let mut out = head.to_owned();
    for (group, about, specs) in table::GROUPS {
        if !specs.iter().any(|spec| spec.in_file) {
            continue;
        }
        let indent = if group.is_empty() { "" } else { "  " };
        let _infallible = writeln!(out, "\n# {}", about.trim());
        let is_open = with_defaults || specs.iter().any(|spec| required(spec).is_some());
        if !group.is_empty() {
            let _infallible = writeln!(out, "{}{group}:", if is_open { "" } else { "# " });
        }
        for spec in specs.iter().filter(|spec| spec.in_file) {
            let given = required(spec).map(|text| Value::from(text).to_string());
            let default = schema::default(spec).map(|default| default.to_string());
            let comment = given.is_none() && (default.is_none() || !with_defaults);
            let sign = if comment { "# " } else { "" };
            let value = given.or(default).unwrap_or_default();
            let line = format!("{indent}{sign}{}: {value}", spec.place().1);
            let _infallible = writeln!(out, "{indent}# {}\n{}", spec.description(), line.trim_end());
        }
    }
    out
}

const FULL: &str = "examples/config/full.yml";

#[test]
fn the_samples_are_up_to_date() {
    let head = "# Every option of opencti-wazuh-connector with its default. What has none is a comment.\n\
                # yaml-language-server: $schema=../../deploy/config.schema.json\n";
    check(FULL, &full_file(head, example, true));
    let placeholder = |spec: &Spec| match spec.key {
        "opencti.url" => Some("http://localhost"),
        _ => example(spec).map(|_| "ChangeMe"),
    };
    let head = "# What has no default must be given; what is a comment has the default that it shows.\n";
    check("deploy/opencti/config.yml.sample", &full_file(head, placeholder, false));
    let mut sample =
        "# What has no default must be given; what is a comment has the default that it shows.\n".to_owned();
    for (_, about, specs) in table::GROUPS.iter().filter(|(group, ..)| *group != "system") {
        let _infallible = writeln!(sample, "\n# {}", about.trim());
        for spec in *specs {
            let default = schema::default(spec).map(|default| show::text(spec.kind, &default)).unwrap_or_default();
            let (sign, value) = placeholder(spec).map_or(("# ", default), |value| ("", value.to_owned()));
            let _infallible = writeln!(sample, "{sign}{}={value}", spec.main_variable());
        }
    }
    check("deploy/opencti/.env.sample", &sample);
}

/// B-03: all published samples were refused. The values of ours are those of the defaults.
#[test]
fn b_03_the_full_file_is_the_defaults() {
    let effective = Effective::of(&source(&read(FULL), &[]), None);
    assert_eq!(mistakes(&effective), [""; 0]);
    let plain = Effective::of(&source("", &REQUIRED), None);
    let (Value::Object(full), Value::Object(plain)) = (as_json(&effective.rows), as_json(&plain.rows)) else {
        panic!()
    };
    for (key, member) in &full {
        assert_eq!(member["value"], plain[key]["value"], "{key}");
    }
    assert_eq!(effective.warnings, [""; 0]);
}

/// B-03: every configuration file in the project is accepted by the program and by the schema.
#[test]
fn b_03_every_sample_file_is_accepted() {
    let folder = root().join("examples/config");
    let secrets = tempfile::tempdir().unwrap();
    for name in ["opencti-token", "indexer-password"] {
        std::fs::write(secrets.path().join(name), "geheim\n").unwrap();
    }
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|ending| ending == "yml" || ending == "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("/run/secrets", secrets.path().to_str().unwrap());
        let effective = Effective::of(&source(&text, &[]), None);
        assert_eq!(mistakes(&effective), [""; 0], "{}", path.display());
        assert_eq!(effective.warnings, [""; 0], "{}", path.display());
        validate(&schema::of_file(), &Node::read(&text).unwrap().to_json(), &path.display().to_string());
        count += 1;
    }
    assert!(count >= 2);
}

/// B-03: the samples with placeholders lack nothing but what they ask for.
#[test]
fn b_03_placeholders_are_all_that_is_missing() {
    let file = read("deploy/opencti/config.yml.sample");
    let only_placeholders = |mistakes: Vec<String>, name: &str| {
        let expected = REQUIRED.iter().filter(|(variable, _)| *variable != "OPENCTI_URL").count();
        assert_eq!(mistakes.len(), expected, "{name}: {mistakes:#?}");
        assert!(mistakes.iter().all(|mistake| mistake.contains("`ChangeMe` stands in the samples")), "{mistakes:#?}");
    };
    only_placeholders(mistakes(&Effective::of(&source(&file, &[]), None)), "config.yml.sample");
    let text = read("deploy/opencti/.env.sample");
    let variables: Vec<(&str, &str)> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let effective = Effective::of(&source("", &variables), None);
    only_placeholders(mistakes(&effective), ".env.sample");
    assert_eq!(effective.warnings, [""; 0]);
    // What is a comment in the sample is the default.
    let commented = text.lines().filter_map(|line| line.strip_prefix("# ")?.split_once('='));
    let variables: Vec<(&str, &str)> = commented.chain(REQUIRED).collect();
    let effective = Effective::of(&source("", &variables), None);
    assert_eq!(mistakes(&effective), [""; 0]);
    let plain = Effective::of(&source("", &REQUIRED), None);
    for ((key, member), (_, plain)) in
        as_json(&effective.rows).as_object().unwrap().iter().zip(as_json(&plain.rows).as_object().unwrap())
    {
        assert_eq!(member["value"], plain["value"], "{key}");
    }
}

/// The variables of the connector in a compose file.
fn compose_environment(text: &str) -> Vec<(String, String)> {
    let compose = Node::read(text).unwrap();
    let mut variables = Vec::new();
    for (name, service) in compose.get("services").unwrap().members().filter(|(name, _)| name.contains("wazuh")) {
        let Tree::List(list) = &service.get("environment").unwrap_or_else(|| panic!("{name}")).tree else {
            panic!("{name}")
        };
        for entry in list {
            let (name, value) = entry.as_text().unwrap().split_once('=').unwrap();
            // `${NAME:-default}` as compose reads it, in an environment that has nothing.
            let value = match value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                Some(inner) => inner.split_once(":-").map_or("given", |(_, default)| default),
                None => value,
            };
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
    variables
}

/// B-03: compose files.
#[test]
fn b_03_compose_files() {
    for path in ["deploy/opencti/docker-compose.yml", "examples/config/docker-compose.env.yml"] {
        let Ok(text) = std::fs::read_to_string(root().join(path)) else {
            assert!(path.starts_with("examples"), "{path} is missing");
            continue;
        };
        let variables = compose_environment(&text);
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| {
                let real = REQUIRED.iter().find(|(known, _)| known == name && value == "ChangeMe");
                (name.as_str(), real.map_or(value.as_str(), |(_, real)| *real))
            })
            .collect();
        assert!(variables.len() > 8, "{path}");
        let effective = Effective::of(&source("", &variables), None);
        assert_eq!(mistakes(&effective), [""; 0], "{path}");
        assert_eq!(effective.warnings, [""; 0], "{path}");
    }
}

#[track_caller]
fn validate(schema: &Value, instance: &Value, what: &str) {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("https://example.com/schema.json", schema.clone()).unwrap();
    // Compiling also validates the schema itself by that of its draft.
    let index = compiler.compile("https://example.com/schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(instance, index) {
        panic!("{what}: {error:#}");
    }
}

/// The catalogue's schema holds for what a person would give, and refuses what is wrong.
#[test]
fn the_schema_of_the_environment() {
    let schema = schema::of_environment();
    validate(
        &schema,
        &json!({
            "OPENCTI_URL": "http://opencti:8080", "OPENCTI_TOKEN": "x", "WAZUH_MAX_TLP": "TLP:RED",
            "WAZUH_APP_URL": "https://wazuh", "WAZUH_OPENSEARCH_URL": "https://indexer:9200",
            "WAZUH_HITS_ABORT_LIMIT": 10, "CONNECTOR_SCOPE": ["IPv4-Addr"], "WAZUH_ENRICH_LABELS": ["a"],
        }),
        "environment",
    );
    let properties = schema["properties"].as_object().unwrap();
    assert!(!properties.contains_key("CONNECTOR_ID"));
    assert_eq!(properties["CONNECTOR_TYPE"]["const"], "INTERNAL_ENRICHMENT");
    assert_eq!(properties["OPENCTI_TOKEN"]["format"], "password");
    for (name, property) in properties {
        assert!(["OPENCTI_", "CONNECTOR_", "WAZUH_", "MQ_", "LISTEN_"].iter().any(|prefix| name.starts_with(prefix)));
        assert!(property["type"].is_string() && property["description"].is_string(), "{name}");
        if let Some(default) = property.get("default") {
            validate(property, default, name);
        }
    }
    let required = ["OPENCTI_URL", "OPENCTI_TOKEN", "WAZUH_MAX_TLP", "WAZUH_APP_URL", "WAZUH_OPENSEARCH_URL"];
    assert_eq!(schema["required"], json!(required));
}

/// Every default holds by the schema of the file, and the schema finds what is wrong.
#[test]
fn the_schema_of_the_file() {
    let schema = schema::of_file();
    for spec in table::options().filter(|spec| spec.in_file) {
        let (group, name) = spec.place();
        for value in schema::default(spec).into_iter().chain(spec.optional.then_some(Value::Null)) {
            let member = json!({name: value});
            let instance = if group.is_empty() { member } else { json!({group: member}) };
            validate(&schema, &instance, spec.key);
        }
    }
    let refuses = |instance: Value| {
        let text = instance.to_string();
        std::panic::catch_unwind(|| validate(&schema::of_file(), &instance, "")).is_err() || panic!("{text}")
    };
    assert!(refuses(json!({"serach": {}})));
    assert!(refuses(json!({"max_tlp": "PURPLE"})));
    assert!(refuses(json!({"opensearch": {"limit": 0}})));
    assert!(refuses(json!({"enrich": {"types": ["nonsense"]}})));
    assert!(refuses(json!({"app_url": "https://user:password@wazuh"})));
}

/// The manifest has what OpenCTI's catalogue asks for.
#[test]
fn the_manifest() {
    let manifest: Value = serde_json::from_str(&read("deploy/opencti/__metadata__/connector_manifest.json")).unwrap();
    let names: Vec<&str> = manifest.as_object().unwrap().keys().map(String::as_str).collect();
    for name in [
        "title",
        "slug",
        "description",
        "short_description",
        "logo",
        "use_cases",
        "solution_categories",
        "license_type",
        "contact",
        "verified",
        "last_verified_date",
        "playbook_supported",
        "max_confidence_level",
        "support_version",
        "subscription_link",
        "source_code",
        "manager_supported",
        "container_version",
        "container_image",
        "container_type",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.len(), 20);
    assert!(manifest["short_description"].as_str().unwrap().chars().count() <= 250);
    assert_eq!(manifest["container_type"].as_str(), Some(table::connector::TYPE.default));
    assert_eq!(manifest["container_version"], "rolling");
    assert_eq!(manifest["playbook_supported"], true);
    let slug = manifest["slug"].as_str().unwrap();
    assert_eq!(manifest["container_image"], format!("opencti/connector-{slug}"));
    for list in ["use_cases", "solution_categories"] {
        assert!((1..=3).contains(&manifest[list].as_array().unwrap().len()));
    }
    let logo = manifest["logo"].as_str().unwrap().rsplit('/').next().unwrap();
    let logo = std::fs::read(root().join("deploy/opencti/__metadata__").join(logo)).unwrap();
    let size = |at: usize| u32::from_be_bytes(logo[at..at + 4].try_into().unwrap());
    assert!(logo.starts_with(b"\x89PNG") && size(16) == size(20) && size(16) >= 96);
}

/// The user of the unit has no number that files could belong to, so it reads only what systemd hands over.
#[test]
fn the_unit_reads_what_it_is_given() {
    let unit = read("deploy/systemd/opencti-wazuh-connector.service");
    let lines = unit.lines().filter(|line| !line.starts_with('#'));
    let settings: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    assert!(settings.contains(&("DynamicUser", "yes")));
    let values =
        |wanted: &'static str| settings.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| *value);
    let given: Vec<&str> = values("LoadCredential").filter_map(|value| value.split(':').next()).collect();
    assert_eq!(given, ["config.yml", "opencti-token", "opensearch-password"]);
    for value in values("ExecStart").chain(values("Environment")) {
        assert!(!value.contains("/etc/"), "{value}");
        for name in value.split("%d/").skip(1) {
            assert!(given.contains(&name), "{name}");
        }
    }
}
