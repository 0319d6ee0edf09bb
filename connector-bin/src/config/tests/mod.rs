//! Tests of the configuration as a whole.

mod conformance;
mod defects;
mod generated;
mod rules;

use std::ffi::OsString;

use serde_json::Value;

use super::resolver::Resolver;
use super::source::Source;
use super::{Effective, ServiceConfig, as_json, read, service};

/// What the service does not start without.
const REQUIRED: [(&str, &str); 8] = [
    ("OPENCTI_URL", "http://opencti:8080"),
    ("OPENCTI_TOKEN", "0a1b2c3d-geheim"),
    ("CONNECTOR_ID", "7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77"),
    ("WAZUH_MAX_TLP", "TLP:RED"),
    ("WAZUH_APP_URL", "https://wazuh.example"),
    ("WAZUH_OPENSEARCH_URL", "https://indexer:9200"),
    ("WAZUH_OPENSEARCH_USERNAME", "reader"),
    ("WAZUH_OPENSEARCH_PASSWORD", "hunter2-geheim"),
];

fn source(file: &str, environment: &[(&str, &str)]) -> Source {
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Source::new(Some(("config.yml", file)), environment)
}

/// The file and the variables, with what is required behind them.
fn complete(file: &str, environment: &[(&str, &str)]) -> Source {
    let given = |name: &str| environment.iter().any(|(other, _)| *other == name);
    let all: Vec<_> =
        REQUIRED.into_iter().filter(|(name, _)| !given(name)).chain(environment.iter().copied()).collect();
    source(file, &all)
}

/// All options with values and origins.
fn effective(file: &str, environment: &[(&str, &str)]) -> Effective {
    Effective::of(&complete(file, environment), None)
}

/// The value of one option. There must be no mistake.
#[track_caller]
fn value(key: &str, file: &str, environment: &[(&str, &str)]) -> Value {
    let effective = effective(file, environment);
    assert_eq!(mistakes(&effective), [""; 0]);
    as_json(&effective.rows)[key]["value"].clone()
}

/// The same for one variable.
#[track_caller]
fn of_variable(key: &str, name: &str, text: &str) -> Value {
    value(key, "", &[(name, text)])
}

fn mistakes(effective: &Effective) -> Vec<String> {
    effective.verdict.as_ref().err().map(|errors| errors.0.clone()).unwrap_or_default()
}

/// The mistakes in a file and variables that are complete otherwise.
fn wrong(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    mistakes(&effective(file, environment))
}

/// The configuration in types.
#[track_caller]
fn typed(file: &str, environment: &[(&str, &str)]) -> ServiceConfig {
    let source = complete(file, environment);
    let mut resolver = Resolver::new(&source, read::now());
    let config = service::read(&mut resolver, None);
    assert_eq!(resolver.finish().0, [""; 0]);
    config.unwrap()
}
