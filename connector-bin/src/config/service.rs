//! What the service needs of the configuration, in types.
#![allow(dead_code, reason = "each part of the service reads its own settings")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alert_enricher::extract::ExtractOptions;
use stix_model::{Identifier, Tlp};
use url::Url;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::opensearch::{OpenSearchConfig, Secret};

use super::option::Spec;
use super::resolver::Resolver;
use super::table::{connector, mq, opencti, opensearch, root, service, system};
use super::{read, rules};

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
    /// What is taken from alerts. The names of tools come from the platform.
    pub(crate) extract: ExtractOptions,
    /// What is searched for, and what is made of it.
    pub(crate) enrichment: EnrichmentConfig,
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
    pub(crate) validate_before_import: bool,
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

/// What makes an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncidentMode {
    PerQuery,
    PerSighting,
    PerAlertRule,
    PerAlert,
    Never,
}

/// What the end of an indicator's validity means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// Nothing.
    Ignore,
    /// Later alerts do not count.
    Event,
    /// An expired indicator is not usable.
    Now,
}

/// What the comparisons of a pattern that stand in one pair of brackets must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternReading {
    /// One alert.
    Event,
    /// One observable in an alert.
    SameObject,
}

/// What is searched for, and what is made of it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub(crate) struct EnrichmentConfig {
    pub(crate) max_tlp: Tlp,
    pub(crate) app_url: Url,
    pub(crate) app_alert_page: String,
    pub(crate) app_rule_page: String,
    /// Markings of every object that is made.
    pub(crate) markings: Vec<Identifier>,
    pub(crate) hits_abort_limit: Option<u64>,
    pub(crate) bundle_abort_limit: Option<usize>,
    pub(crate) system_name: String,
    pub(crate) author_name: String,
    pub(crate) agents_as_systems: bool,
    pub(crate) sighters: BTreeSet<String>,
    pub(crate) create_obs_sightings: bool,
    pub(crate) max_extrefs: usize,
    pub(crate) max_extrefs_per_alert_rule: usize,
    pub(crate) max_notes: usize,
    pub(crate) max_notes_per_alert_rule: usize,
    pub(crate) create_sighting_summary: bool,
    pub(crate) create_incident_summary: bool,
    pub(crate) require_indicator_for_incidents: bool,
    pub(crate) create_incident: IncidentMode,
    pub(crate) create_incident_threshold: u8,
    pub(crate) create_incident_response: bool,
    pub(crate) vulnerability_incident_cvss3_score_threshold: Option<f64>,
    pub(crate) vulnerability_incident_active_only: bool,
    pub(crate) rule_exclude_list: BTreeSet<String>,
    pub(crate) incident_rule_exclude_list: BTreeSet<String>,
    pub(crate) create_agent_ip_observable: bool,
    pub(crate) create_agent_hostname_observable: bool,
    pub(crate) ignore_own_entities: bool,
    pub(crate) label_ignore_list: BTreeSet<String>,
    pub(crate) enrich_labels: BTreeSet<String>,
    pub(crate) require_indicator_detection: bool,
    pub(crate) ignore_revoked_indicators: bool,
    pub(crate) indicator_score_threshold: Option<u8>,
    pub(crate) indicator_confidence_threshold: Option<u8>,
    pub(crate) observable_score_threshold: Option<u8>,
    pub(crate) indicator_validity: Validity,
    pub(crate) search_indicator_pattern: bool,
    pub(crate) pattern_reading: PatternReading,
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
    pub(crate) stop_timeout: Duration,
    pub(crate) tools_refresh: Duration,
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

/// Reads everything. `None` goes with at least one mistake. The catalogue's file is named by the configuration or on
/// the command line.
pub(super) fn read(resolver: &mut Resolver<'_>, catalogue_file: Option<&str>) -> Option<ServiceConfig> {
    rules::derive(resolver);
    let opencti = opencti_config(resolver);
    let connector = connector_config(resolver);
    let broker = broker_config(resolver);
    let named = resolver.text(&root::CATALOGUE);
    let catalogue = read::catalogue(catalogue_file.or(named.as_deref())).unwrap_or_else(|error| {
        resolver.mistake(&root::CATALOGUE, &error);
        Catalogue::builtin()
    });
    let schema = read::schema(resolver);
    let profile = read::profile(resolver, &catalogue, schema);
    let search = read::search_options(resolver);
    let extract = read::extract_options(resolver);
    let enrichment = enrichment_config(resolver);
    let runtime = runtime_config(resolver);
    let proxies = Proxies {
        http: resolver.secret(&system::HTTP_PROXY),
        https: resolver.secret(&system::HTTPS_PROXY),
        none_for: resolver.text(&system::NO_PROXY),
    };
    let vulnerabilities_index = resolver.text(&opensearch::VULNERABILITIES_INDEX);
    let inventory_index = resolver.text(&opensearch::INVENTORY_INDEX);
    resolver.require(&opensearch::URL);
    // Without a URL the rest of the group is read all the same, for its mistakes.
    let url = resolver.url(&opensearch::URL).or_else(|| Url::parse("http://localhost").ok())?;
    let opensearch = read::opensearch(resolver, url, &profile.index);
    rules::check(resolver);
    Some(ServiceConfig {
        opencti: opencti?,
        connector: connector?,
        broker,
        opensearch,
        schema,
        vulnerabilities_index,
        inventory_index,
        profile,
        search,
        extract,
        enrichment: enrichment?,
        runtime,
        proxies,
        catalogue,
        warnings: Vec::new(),
    })
}

fn opencti_config(resolver: &mut Resolver<'_>) -> Option<OpenCtiConfig> {
    resolver.require(&opencti::URL);
    resolver.require(&opencti::TOKEN);
    let url = resolver.url(&opencti::URL);
    let token = resolver.secret(&opencti::TOKEN);
    let headers: BTreeMap<String, String> = resolver.json(&opencti::CUSTOM_HEADERS);
    let verify_tls = resolver.boolean(&opencti::SSL_VERIFY);
    let ca = read::authorities(resolver, &opencti::CA);
    let client_certificate = read::client_certificate(resolver, &opencti::CLIENT_CERTIFICATE, &opencti::CLIENT_KEY);
    let timeout = resolver.duration(&opencti::TIMEOUT);
    Some(OpenCtiConfig {
        url: url?,
        token: token?,
        verify_tls,
        ca,
        client_certificate: client_certificate.map(Secret::from),
        custom_headers: headers.into_iter().map(|(name, value)| (name, Secret::from(value))).collect(),
        timeout,
    })
}

fn connector_config(resolver: &mut Resolver<'_>) -> Option<ConnectorConfig> {
    resolver.require(&connector::ID);
    let id = resolver.text(&connector::ID);
    // There is one type; what else is given was noted.
    let _fixed = resolver.text(&connector::TYPE);
    let listen = listen(resolver);
    let directory = resolver.text(&connector::SEND_TO_DIRECTORY_PATH);
    let retention_days = resolver.number(&connector::SEND_TO_DIRECTORY_RETENTION);
    let to_directory = match directory {
        Some(path) if resolver.boolean(&connector::SEND_TO_DIRECTORY) => Some(DirectoryConfig { path, retention_days }),
        _ => None,
    };
    let send = SendConfig {
        over_broker: is(resolver, &connector::QUEUE_PROTOCOL, "amqp"),
        validate_before_import: resolver.boolean(&connector::VALIDATE_BEFORE_IMPORT),
        to_queue: resolver.boolean(&connector::SEND_TO_QUEUE),
        to_directory,
    };
    Some(ConnectorConfig {
        name: resolver.text(&connector::NAME)?,
        scope: resolver.texts(&connector::SCOPE),
        auto: resolver.boolean(&connector::AUTO),
        auto_update: resolver.boolean(&connector::AUTO_UPDATE),
        only_contextual: resolver.boolean(&connector::ONLY_CONTEXTUAL),
        enrichment_resolution: resolver.text(&connector::ENRICHMENT_RESOLUTION)?,
        listen,
        send,
        id: id?,
    })
}

fn is(resolver: &mut Resolver<'_>, spec: &Spec, name: &str) -> bool {
    resolver.text(spec).as_deref() == Some(name)
}

fn listen(resolver: &mut Resolver<'_>) -> Listen {
    let host = resolver.text(&connector::LISTEN_PROTOCOL_API_HOST).unwrap_or_default();
    let port = resolver.number(&connector::LISTEN_PROTOCOL_API_PORT);
    let path = resolver.text(&connector::LISTEN_PROTOCOL_API_PATH).unwrap_or_default();
    let base = resolver.text(&connector::LISTEN_PROTOCOL_API_URI).unwrap_or_default();
    let with_tls = resolver.boolean(&connector::LISTEN_PROTOCOL_API_SSL);
    let certificate = resolver.pem(&connector::LISTEN_PROTOCOL_API_SSL_CERT);
    let key = resolver.pem(&connector::LISTEN_PROTOCOL_API_SSL_KEY);
    if is(resolver, &connector::LISTEN_PROTOCOL, "amqp") {
        return Listen::Queue;
    }
    let tls = if with_tls { certificate.zip(key.map(Secret::from)) } else { None };
    let uri = format!("{}{path}", base.trim_end_matches('/'));
    Listen::Callback(CallbackConfig { host, port, path, uri, tls })
}

fn broker_config(resolver: &mut Resolver<'_>) -> BrokerConfig {
    let client_certificate = read::client_certificate(resolver, &mq::USE_SSL_CERT, &mq::USE_SSL_KEY);
    BrokerConfig {
        host: resolver.text(&mq::HOST),
        port: resolver.integer(&mq::PORT),
        vhost: resolver.text(&mq::VHOST),
        user: resolver.text(&mq::USER),
        password: resolver.secret(&mq::PASS),
        use_tls: resolver.maybe_boolean(&mq::USE_SSL),
        ca: read::authorities(resolver, &mq::USE_SSL_CA),
        client_certificate: client_certificate.map(Secret::from),
        verify_tls: resolver.boolean(&mq::USE_SSL_REJECT_UNAUTHORIZED),
    }
}

fn enrichment_config(resolver: &mut Resolver<'_>) -> Option<EnrichmentConfig> {
    resolver.require(&root::MAX_TLP);
    resolver.require(&root::APP_URL);
    let max_tlp = resolver.tlp(&root::MAX_TLP);
    let app_url = resolver.url(&root::APP_URL);
    let markings: Vec<String> = resolver.texts(&root::TLPS);
    let marking = |text: &String| match text.parse::<Tlp>() {
        Ok(level) => Some(level.identifier()),
        Err(_) => text.parse().ok(),
    };
    let create_incident = match resolver.text(&root::CREATE_INCIDENT).as_deref() {
        Some("per-query") => IncidentMode::PerQuery,
        Some("per-alert-rule") => IncidentMode::PerAlertRule,
        Some("per-alert") => IncidentMode::PerAlert,
        Some("never") => IncidentMode::Never,
        _ => IncidentMode::PerSighting,
    };
    let indicator_validity = match resolver.text(&root::INDICATOR_VALIDITY).as_deref() {
        Some("ignore") => Validity::Ignore,
        Some("now") => Validity::Now,
        _ => Validity::Event,
    };
    let same_object = is(resolver, &root::PATTERN_READING, "same-object");
    let score = &root::VULNERABILITY_INCIDENT_CVSS3_SCORE_THRESHOLD;
    let config = EnrichmentConfig {
        max_tlp: max_tlp.unwrap_or(Tlp::Clear),
        app_alert_page: resolver.text(&root::APP_ALERT_PAGE).unwrap_or_default(),
        app_rule_page: resolver.text(&root::APP_RULE_PAGE).unwrap_or_default(),
        markings: markings.iter().filter_map(marking).collect(),
        hits_abort_limit: resolver.integer(&root::HITS_ABORT_LIMIT),
        bundle_abort_limit: resolver.integer(&root::BUNDLE_ABORT_LIMIT),
        system_name: resolver.text(&root::SYSTEM_NAME).unwrap_or_default(),
        author_name: resolver.text(&root::AUTHOR_NAME).unwrap_or_default(),
        agents_as_systems: resolver.boolean(&root::AGENTS_AS_SYSTEMS),
        sighters: resolver.texts(&root::SIGHTERS),
        create_obs_sightings: resolver.boolean(&root::CREATE_OBS_SIGHTINGS),
        max_extrefs: resolver.number(&root::MAX_EXTREFS),
        max_extrefs_per_alert_rule: resolver.number(&root::MAX_EXTREFS_PER_ALERT_RULE),
        max_notes: resolver.number(&root::MAX_NOTES),
        max_notes_per_alert_rule: resolver.number(&root::MAX_NOTES_PER_ALERT_RULE),
        create_sighting_summary: resolver.boolean(&root::CREATE_SIGHTING_SUMMARY),
        create_incident_summary: resolver.boolean(&root::CREATE_INCIDENT_SUMMARY),
        require_indicator_for_incidents: resolver.boolean(&root::REQUIRE_INDICATOR_FOR_INCIDENTS),
        create_incident,
        create_incident_threshold: resolver.number(&root::CREATE_INCIDENT_THRESHOLD),
        create_incident_response: resolver.boolean(&root::CREATE_INCIDENT_RESPONSE),
        vulnerability_incident_cvss3_score_threshold: resolver.float(score),
        vulnerability_incident_active_only: resolver.boolean(&root::VULNERABILITY_INCIDENT_ACTIVE_ONLY),
        rule_exclude_list: resolver.texts(&root::RULE_EXCLUDE_LIST),
        incident_rule_exclude_list: resolver.texts(&root::INCIDENT_RULE_EXCLUDE_LIST),
        create_agent_ip_observable: resolver.boolean(&root::CREATE_AGENT_IP_OBSERVABLE),
        create_agent_hostname_observable: resolver.boolean(&root::CREATE_AGENT_HOSTNAME_OBSERVABLE),
        ignore_own_entities: resolver.boolean(&root::IGNORE_OWN_ENTITIES),
        label_ignore_list: resolver.texts(&root::LABEL_IGNORE_LIST),
        enrich_labels: resolver.texts(&root::ENRICH_LABELS),
        require_indicator_detection: resolver.boolean(&root::REQUIRE_INDICATOR_DETECTION),
        ignore_revoked_indicators: resolver.boolean(&root::IGNORE_REVOKED_INDICATORS),
        indicator_score_threshold: resolver.integer(&root::INDICATOR_SCORE_THRESHOLD),
        indicator_confidence_threshold: resolver.integer(&root::INDICATOR_CONFIDENCE_THRESHOLD),
        observable_score_threshold: resolver.integer(&root::OBSERVABLE_SCORE_THRESHOLD),
        indicator_validity,
        search_indicator_pattern: resolver.boolean(&root::SEARCH_INDICATOR_PATTERN),
        pattern_reading: if same_object { PatternReading::SameObject } else { PatternReading::Event },
        app_url: app_url?,
    };
    max_tlp.map(|_| config)
}

fn runtime_config(resolver: &mut Resolver<'_>) -> RuntimeConfig {
    let log_level = match resolver.text(&connector::LOG_LEVEL).as_deref() {
        Some("debug") => LogLevel::Debug,
        Some("info") => LogLevel::Info,
        Some("error") => LogLevel::Error,
        _ => LogLevel::Warning,
    };
    let metrics = MetricsConfig {
        port: resolver.number(&connector::METRICS_PORT),
        namespace: resolver.text(&connector::METRICS_NAMESPACE),
        subsystem: resolver.text(&connector::METRICS_SUBSYSTEM),
    };
    RuntimeConfig {
        log_level,
        json_logging: resolver.boolean(&opencti::JSON_LOGGING),
        concurrency: resolver.number(&service::CONCURRENCY),
        prefetch: resolver.number(&service::PREFETCH),
        batch_size: resolver.number(&service::BATCH_SIZE),
        batch_wait: resolver.duration(&service::BATCH_WAIT),
        max_attempts: resolver.number(&service::MAX_ATTEMPTS),
        longest_pause: resolver.duration(&service::LONGEST_PAUSE),
        stop_timeout: resolver.duration(&service::STOP_TIMEOUT),
        tools_refresh: resolver.duration(&service::TOOLS_REFRESH),
        endpoint_host: resolver.text(&service::HEALTH_HOST).unwrap_or_default(),
        health_port: resolver.integer(&service::HEALTH_PORT),
        metrics: resolver.boolean(&connector::EXPOSE_METRICS).then_some(metrics),
    }
}
