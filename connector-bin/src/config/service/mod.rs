//! What the service needs of the configuration, in types.
#![allow(dead_code, reason = "each part of the service reads its own settings")]

mod read;

use std::time::Duration;

use alert_enricher::enrichment::EnrichmentOptions;
use url::Url;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::opensearch::{OpenSearchConfig, Secret};

pub(super) use read::read;

/// The configuration of the service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceConfig {
    /// The platform.
    pub(crate) opencti: OpenCtiConfig,
    /// The connector as the platform knows it.
    pub(crate) connector: ConnectorConfig,
    /// What overrides the platform's own words for the broker.
    pub(crate) broker: BrokerConfig,
    /// The indexer.
    pub(crate) opensearch: OpenSearchConfig,
    /// The schema of the alerts.
    pub(crate) schema: Schema,
    /// The index of present vulnerabilities, if they are looked up.
    pub(crate) vulnerabilities_index: Option<String>,
    /// The indices of the inventory, if they are looked up.
    pub(crate) inventory_index: Option<String>,
    /// What surrounds every search.
    pub(crate) profile: SearchProfile,
    /// How observables are looked for.
    pub(crate) search: SearchOptions,
    /// What is searched for, what is taken from alerts, and what is made of it. The names of tools come from the
    /// platform.
    pub(crate) enrichment: EnrichmentOptions,
    /// How the patterns of indicators are searched for.
    pub(crate) patterns: PatternConfig,
    /// How the service runs.
    pub(crate) runtime: RuntimeConfig,
    /// Proxies of the environment. HTTP clients read them by themselves.
    pub(crate) proxies: Proxies,
    /// The fields of alerts, with those of the site.
    pub(crate) catalogue: Catalogue,
    /// What is possible, but hardly meant; for the log.
    pub(crate) warnings: Vec<String>,
}

/// How the platform is reached.
#[derive(Clone, Debug)]
pub(crate) struct OpenCtiConfig {
    pub(crate) url: Url,
    pub(crate) token: Secret,
    pub(crate) verify_tls: bool,
    /// Certificates of further authorities, in PEM.
    pub(crate) ca: Option<Vec<u8>>,
    /// Certificate and key, in one PEM text.
    pub(crate) client_certificate: Option<Secret>,
    pub(crate) custom_headers: Vec<(String, Secret)>,
    /// How long one call may take.
    pub(crate) timeout: Duration,
}

/// What is told to the platform, and how messages come and go.
#[derive(Clone, Debug)]
pub(crate) struct ConnectorConfig {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Entity types by the platform's names.
    pub(crate) scope: Vec<String>,
    pub(crate) auto: bool,
    pub(crate) auto_update: bool,
    pub(crate) only_contextual: bool,
    /// `none` or `stix_bundle`.
    pub(crate) enrichment_resolution: String,
    pub(crate) listen: Listen,
    pub(crate) send: SendConfig,
}

/// How events come.
#[derive(Clone, Debug)]
pub(crate) enum Listen {
    /// From the broker.
    Queue,
    /// Posted to the connector.
    Callback(CallbackConfig),
}

/// Where posted events are taken.
#[derive(Clone, Debug)]
pub(crate) struct CallbackConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Starts with a slash.
    pub(crate) path: String,
    /// The URL that is registered, with the path.
    pub(crate) uri: String,
    /// Certificate and key, in PEM.
    pub(crate) tls: Option<(String, Secret)>,
}

/// How bundles go.
#[derive(Clone, Debug)]
pub(crate) struct SendConfig {
    /// Through the broker; otherwise through the platform's interface.
    pub(crate) over_broker: bool,
    /// Bundles go to the platform at all.
    pub(crate) to_queue: bool,
    /// Where copies are written, if they are.
    pub(crate) to_directory: Option<DirectoryConfig>,
}

/// Where copies of bundles are written.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryConfig {
    pub(crate) path: String,
    /// Days after which they are deleted; 0 keeps them.
    pub(crate) retention_days: u32,
}

/// What overrides the platform's own words for the broker.
#[derive(Clone, Debug)]
pub(crate) struct BrokerConfig {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) vhost: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) use_tls: Option<bool>,
    /// Certificates of further authorities, in PEM.
    pub(crate) ca: Option<Vec<u8>>,
    /// Certificate and key, in one PEM text.
    pub(crate) client_certificate: Option<Secret>,
    pub(crate) verify_tls: bool,
}

/// What the comparisons of a pattern that stand in one pair of brackets must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternReading {
    /// One alert.
    Event,
    /// One observable in an alert.
    SameObject,
}

/// How the patterns of indicators are searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PatternConfig {
    /// Patterns are searched for at all, beside the observables.
    pub(crate) search: bool,
    pub(crate) reading: PatternReading,
}

/// How severe a message is at least that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

/// How the service runs.
#[derive(Clone, Debug)]
pub(crate) struct RuntimeConfig {
    pub(crate) log_level: LogLevel,
    pub(crate) json_logging: bool,
    pub(crate) concurrency: usize,
    pub(crate) prefetch: u16,
    pub(crate) batch_size: usize,
    pub(crate) batch_wait: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) longest_pause: Duration,
    /// How long one request is tried while others are answered.
    pub(crate) give_up_after: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) tools_refresh: Duration,
    pub(crate) fields_refresh: Duration,
    /// Address of the endpoints for health and metrics.
    pub(crate) endpoint_host: String,
    pub(crate) health_port: Option<u16>,
    pub(crate) metrics: Option<MetricsConfig>,
}

/// How metrics are offered.
#[derive(Clone, Debug)]
pub(crate) struct MetricsConfig {
    pub(crate) port: u16,
    pub(crate) namespace: Option<String>,
    pub(crate) subsystem: Option<String>,
}

/// Proxies of the environment.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    pub(crate) http: Option<Secret>,
    pub(crate) https: Option<Secret>,
    pub(crate) none_for: Option<String>,
}
