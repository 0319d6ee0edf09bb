//! Reading the service's options into types.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::enrichment::{EnrichmentOptions, InspectOptions};
use stix_model::{Identifier, Tlp};
use url::Url;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::store::opensearch::Secret;

use super::{
    BrokerConfig, CallbackConfig, ConnectorConfig, DirectoryConfig, Listen, LogLevel, MetricsConfig, OpenCtiConfig,
    PatternConfig, PatternReading, Proxies, RuntimeConfig, SendConfig, ServiceConfig,
};
use crate::config::option::Spec;
use crate::config::resolver::Resolver;
use crate::config::table::{connector, mq, opencti, opensearch, root, service, system};
use crate::config::{read, rules};

/// Reads everything. `None` goes with at least one mistake. The catalogue's file is named by the configuration or on
/// the command line.
pub(in crate::config) fn read(resolver: &mut Resolver<'_>, catalogue_file: Option<&str>) -> Option<ServiceConfig> {
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
    let enrichment = enrichment_options(resolver);
    let patterns = pattern_config(resolver);
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
        enrichment: enrichment?,
        patterns,
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
    let client_certificate =
        read::client_certificate(resolver, &opencti::CLIENT_CERTIFICATE, &opencti::CLIENT_KEY, None);
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
    let secret = resolver.secret(&connector::LISTEN_PROTOCOL_API_SSL_PASSPHRASE);
    let passphrase = Some((&connector::LISTEN_PROTOCOL_API_SSL_PASSPHRASE, secret.as_ref()));
    let key = key.map(|key| read::plain_key(resolver, &connector::LISTEN_PROTOCOL_API_SSL_KEY, passphrase, key));
    if is(resolver, &connector::LISTEN_PROTOCOL, "amqp") {
        return Listen::Queue;
    }
    let tls = if with_tls { certificate.zip(key.map(Secret::from)) } else { None };
    let uri = format!("{}{path}", base.trim_end_matches('/'));
    Listen::Callback(CallbackConfig { host, port, path, uri, tls })
}

fn broker_config(resolver: &mut Resolver<'_>) -> BrokerConfig {
    let client_certificate =
        read::client_certificate(resolver, &mq::USE_SSL_CERT, &mq::USE_SSL_KEY, Some(&mq::USE_SSL_PASSPHRASE));
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

fn enrichment_options(resolver: &mut Resolver<'_>) -> Option<EnrichmentOptions> {
    resolver.require(&root::MAX_TLP);
    resolver.require(&root::APP_URL);
    let max_tlp = resolver.tlp(&root::MAX_TLP);
    let app_url = resolver.text(&root::APP_URL);
    // What is required and missing was noted; the rest is read all the same, for its mistakes.
    let mut options = EnrichmentOptions::new(max_tlp.unwrap_or(Tlp::Clear), app_url.as_deref().unwrap_or_default());
    options.inspect = inspect_options(resolver, options.inspect.max_tlp);
    options.extract = read::extract_options(resolver);
    options.links.index = resolver.text(&opensearch::INDEX).unwrap_or_default();
    options.links.alert = resolver.text(&root::APP_ALERT_PAGE).unwrap_or_default();
    options.links.rule = resolver.text(&root::APP_RULE_PAGE).unwrap_or_default();
    options.author_name = resolver.text(&root::AUTHOR_NAME).unwrap_or_default();
    options.system_name = resolver.text(&root::SYSTEM_NAME).unwrap_or_default();
    options.cluster_name = resolver.text(&root::CLUSTER_NAME);
    options.tlps = markings(resolver);
    options.confidence = resolver.number(&root::CONFIDENCE);
    options.enrich_labels = resolver.texts(&root::ENRICH_LABELS);
    options.hits_abort_limit = resolver.integer(&root::HITS_ABORT_LIMIT);
    options.bundle_abort_limit = resolver.integer(&root::BUNDLE_ABORT_LIMIT);
    options.agents_as_systems = resolver.boolean(&root::AGENTS_AS_SYSTEMS);
    options.account_sighters = account_sighters(resolver);
    options.create_agent_ip_observable = resolver.boolean(&root::CREATE_AGENT_IP_OBSERVABLE);
    options.create_agent_hostname_observable = resolver.boolean(&root::CREATE_AGENT_HOSTNAME_OBSERVABLE);
    options.max_extrefs = resolver.number(&root::MAX_EXTREFS);
    options.max_extrefs_per_alert_rule = resolver.number(&root::MAX_EXTREFS_PER_ALERT_RULE);
    options.max_notes = resolver.number(&root::MAX_NOTES);
    options.max_notes_per_alert_rule = resolver.number(&root::MAX_NOTES_PER_ALERT_RULE);
    options.max_note_size = resolver.number(&root::MAX_NOTE_SIZE);
    options.create_sighting_summary = resolver.boolean(&root::CREATE_SIGHTING_SUMMARY);
    options.create_incident_summary = resolver.boolean(&root::CREATE_INCIDENT_SUMMARY);
    options.create_incident_links = resolver.boolean(&root::CREATE_INCIDENT_LINKS);
    options.require_indicator_for_incidents = resolver.boolean(&root::REQUIRE_INDICATOR_FOR_INCIDENTS);
    options.create_incident = resolver.parsed(&root::CREATE_INCIDENT).unwrap_or_default();
    options.create_incident_threshold = resolver.number(&root::CREATE_INCIDENT_THRESHOLD);
    options.create_incident_response = resolver.boolean(&root::CREATE_INCIDENT_RESPONSE);
    options.vulnerability_incident_score_threshold =
        resolver.float(&root::VULNERABILITY_INCIDENT_CVSS3_SCORE_THRESHOLD);
    options.vulnerability_incident_active_only = resolver.boolean(&root::VULNERABILITY_INCIDENT_ACTIVE_ONLY);
    options.rule_exclude_list = resolver.texts(&root::RULE_EXCLUDE_LIST);
    options.incident_rule_exclude_list = resolver.texts(&root::INCIDENT_RULE_EXCLUDE_LIST);
    options.severities = resolver.parsed(&root::SEVERITIES).unwrap_or_default();
    max_tlp.and(app_url).map(|_| options)
}

fn inspect_options(resolver: &mut Resolver<'_>, max_tlp: Tlp) -> InspectOptions {
    InspectOptions {
        max_tlp,
        ignore_own_entities: resolver.boolean(&root::IGNORE_OWN_ENTITIES),
        label_ignore_list: resolver.texts(&root::LABEL_IGNORE_LIST),
        create_obs_sightings: resolver.boolean(&root::CREATE_OBS_SIGHTINGS),
        require_indicator_detection: resolver.boolean(&root::REQUIRE_INDICATOR_DETECTION),
        ignore_revoked_indicators: resolver.boolean(&root::IGNORE_REVOKED_INDICATORS),
        ignore_expired_indicators: resolver.boolean(&root::IGNORE_EXPIRED_INDICATORS),
        indicator_score_threshold: resolver.integer(&root::INDICATOR_SCORE_THRESHOLD),
        indicator_confidence_threshold: resolver.integer(&root::INDICATOR_CONFIDENCE_THRESHOLD),
        observable_score_threshold: resolver.integer(&root::OBSERVABLE_SCORE_THRESHOLD),
    }
}

/// The identifiers of `tlps`.
fn markings(resolver: &mut Resolver<'_>) -> BTreeSet<Identifier> {
    let names: Vec<String> = resolver.texts(&root::TLPS);
    let marking = |text: &String| match text.parse::<Tlp>() {
        Ok(level) => Some(level.identifier()),
        Err(_) => text.parse().ok(),
    };
    names.iter().filter_map(marking).collect()
}

/// `None` for all.
fn account_sighters(resolver: &mut Resolver<'_>) -> Option<BTreeSet<String>> {
    let names: BTreeSet<String> = resolver.texts(&root::ACCOUNT_SIGHTERS);
    let is_all = names.iter().any(|name| name.eq_ignore_ascii_case("all"));
    (!is_all).then(|| names.iter().map(|name| name.to_ascii_lowercase()).collect())
}

fn pattern_config(resolver: &mut Resolver<'_>) -> PatternConfig {
    let same_object = is(resolver, &root::PATTERN_READING, "same-object");
    PatternConfig {
        search: resolver.boolean(&root::SEARCH_INDICATOR_PATTERN),
        reading: if same_object { PatternReading::SameObject } else { PatternReading::Event },
    }
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
        give_up_after: resolver.duration(&service::GIVE_UP_AFTER),
        stop_timeout: resolver.duration(&service::STOP_TIMEOUT),
        tools_refresh: resolver.duration(&service::TOOLS_REFRESH),
        fields_refresh: resolver.duration(&service::FIELDS_REFRESH),
        endpoint_host: resolver.text(&service::HEALTH_HOST).unwrap_or_default(),
        health_port: resolver.integer(&service::HEALTH_PORT),
        metrics: resolver.boolean(&connector::EXPOSE_METRICS).then_some(metrics),
    }
}
