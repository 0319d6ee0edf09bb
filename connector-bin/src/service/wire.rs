//! From the configuration to the clients.

use std::sync::Arc;
use std::time::Duration;

use opencti_client::amqp::{AmqpPublisher, AmqpSource, Broker};
use opencti_client::callback::{CallbackConfig, CallbackKeys, CallbackSource};
use opencti_client::embedded::BundleDirectory;
use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::tls::{TlsConfig, TlsIdentity};
use opencti_client::{
    BrokerOverrides, BundleSink, Error, MessageSource, Notice, Notices, PushSink, QueueSink, Registered, Registration,
    Scope, Secret,
};

use wazuh_query::store::opensearch::Secret as Pem;

use super::log::Log;
use super::metrics::Metrics;
use super::sink::Sinks;
use crate::config::{BrokerConfig, Listen, ServiceConfig};

/// What the clients do by themselves goes to the log and to the counters.
pub(crate) fn notices(log: Log, metrics: Arc<Metrics>) -> Notices {
    Notices::to(move |notice| match notice {
        Notice::Connected { to } => {
            log.info(&notice.to_string(), &[]);
            if to.contains("consumer") {
                metrics.set_listening(true);
            } else if to.contains("publisher") {
                metrics.set_stuck(false);
            }
        }
        Notice::Disconnected { from, .. } => {
            log.warning(&notice.to_string(), &[]);
            if from.contains("consumer") {
                metrics.set_listening(false);
            } else if from.contains("publisher") {
                metrics.set_stuck(true);
            }
        }
        Notice::HeartbeatFailed { .. } => {
            metrics.ping_api_error.one();
            log.warning(&notice.to_string(), &[]);
        }
        Notice::Retrying { .. } | Notice::SendingAgain { .. } => {
            metrics.platform_retries.one();
            log.info(&notice.to_string(), &[]);
        }
        _ => log.warning(&notice.to_string(), &[]),
    })
}

/// How the platform is reached.
pub(crate) fn platform(config: &ServiceConfig, notices: Notices) -> Result<PlatformConfig, Error> {
    let opencti = &config.opencti;
    let mut platform = PlatformConfig::new(opencti.url.as_str(), opencti.token.expose())?;
    platform.tls = tls(opencti.verify_tls, opencti.ca.clone(), opencti.client_certificate.as_ref().map(Pem::expose));
    platform.timeout = opencti.timeout;
    platform.headers =
        opencti.custom_headers.iter().map(|(name, value)| (name.clone(), Secret::from(value.expose()))).collect();
    concat!("opencti-wazuh-connector/", env!("CARGO_PKG_VERSION")).clone_into(&mut platform.user_agent);
    platform.notices = notices;
    Ok(platform)
}

fn tls(verify: bool, ca: Option<Vec<u8>>, identity: Option<&str>) -> TlsConfig {
    let mut tls = TlsConfig::default();
    tls.verify = verify;
    tls.ca = ca;
    // One text holds both.
    tls.identity = identity.map(|pem| TlsIdentity { certificates: pem.as_bytes().to_vec(), key: Secret::from(pem) });
    tls
}

/// What the platform is told about the connector.
pub(crate) fn registration(config: &ServiceConfig) -> Registration {
    let connector = &config.connector;
    let scope: Scope = connector.scope.iter().collect();
    let mut registration = Registration::new(&connector.id, &connector.name, scope);
    registration.auto = connector.auto;
    registration.auto_update = connector.auto_update;
    registration.only_contextual = connector.only_contextual;
    registration.enrichment_resolution = Some(connector.enrichment_resolution.clone());
    if let Listen::Callback(callback) = &connector.listen {
        registration.listen_callback_uri = Some(callback.uri.clone());
    }
    registration
}

/// What the operator says about the broker, in place of what the platform says.
pub(crate) fn overrides(config: &BrokerConfig) -> BrokerOverrides {
    BrokerOverrides {
        host: config.host.clone(),
        port: config.port,
        vhost: config.vhost.clone(),
        use_ssl: config.use_tls,
        user: config.user.clone(),
        pass: config.password.as_ref().map(|password| Secret::from(password.expose())),
    }
}

/// How the broker is reached.
pub(crate) fn broker(config: &ServiceConfig, registered: &Registered, notices: Notices) -> Broker {
    let address = registered.queues.connection.clone().overridden(&overrides(&config.broker));
    let mut broker = Broker::new(address);
    let settings = &config.broker;
    broker.tls = tls(settings.verify_tls, settings.ca.clone(), settings.client_certificate.as_ref().map(Pem::expose));
    broker.name = format!("opencti-wazuh-connector {}", config.connector.id);
    broker.backoff.longest = config.runtime.longest_pause.min(Duration::from_secs(15));
    broker.notices = notices;
    broker
}

/// Where messages come from, and the keys of a listener, which change with the registration.
pub(crate) async fn source(
    config: &ServiceConfig,
    registered: &Registered,
    broker: &Arc<Broker>,
    metrics: &Metrics,
) -> Result<(Box<dyn MessageSource>, Option<Arc<CallbackKeys>>), Error> {
    match &config.connector.listen {
        Listen::Queue => {
            let concurrency = u16::try_from(config.runtime.concurrency).unwrap_or(u16::MAX);
            let prefetch = config.runtime.prefetch.max(concurrency);
            Ok((Box::new(AmqpSource::new(broker.clone(), &registered.queues.listen, prefetch)), None))
        }
        Listen::Callback(callback) => {
            let wrong = |what: String| Error::config(format!("the listener for messages: {what}"));
            let mut found = tokio::net::lookup_host((callback.host.as_str(), callback.port))
                .await
                .map_err(|error| wrong(error.to_string()))?;
            let address = found.next().ok_or_else(|| wrong("the host has no address".to_owned()))?;
            let mut settings = CallbackConfig::new(config.opencti.token.expose());
            settings.address = address;
            settings.path.clone_from(&callback.path);
            settings.tls = callback.tls.as_ref().map(|(certificate, key)| TlsIdentity {
                certificates: certificate.as_bytes().to_vec(),
                key: Secret::from(key.expose()),
            });
            let keys = Arc::new(CallbackKeys::new(registered.jwks.as_deref()));
            let source = CallbackSource::bind(settings, keys.clone()).await?;
            metrics.set_listening(true);
            Ok((Box::new(source), Some(keys)))
        }
    }
}

/// Where bundles go.
pub(crate) fn sink(
    config: &ServiceConfig,
    registration: &Registration,
    registered: &Registered,
    platform: &Arc<Platform>,
    broker: &Arc<Broker>,
) -> Sinks {
    let user = registered.user_id.clone().unwrap_or_default();
    let send = &config.connector.send;
    let queues = &registered.queues;
    let to_platform = || -> Arc<dyn BundleSink> {
        if send.over_broker {
            let publisher = AmqpPublisher::new(broker.clone(), &queues.push_exchange, &queues.push_routing);
            Arc::new(QueueSink::new(platform.clone(), Arc::new(publisher), user.clone()))
        } else {
            Arc::new(PushSink::new(platform.clone(), &config.connector.id))
        }
    };
    let copies = send.to_directory.as_ref().map(|directory| -> Arc<dyn BundleSink> {
        let days = Duration::from_hours(24 * u64::from(directory.retention_days));
        Arc::new(BundleDirectory::new(&directory.path, registration.clone(), user.clone()).retention(days))
    });
    Sinks { platform: send.to_queue.then(to_platform), copies, ..Sinks::default() }
}
