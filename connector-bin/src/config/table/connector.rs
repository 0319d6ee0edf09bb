//! `connector`.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! The connector as the platform knows it.

    /// Identifier that the operator chooses, a UUID. All instances that share the work have the same.
    ID = Spec::new("connector.id", Kind::ConnectorId).required();
    /// Type of the connector, which is fixed.
    TYPE = Spec::new("connector.type", Kind::Choice(&["INTERNAL_ENRICHMENT"])).default("INTERNAL_ENRICHMENT");
    /// Name that the platform shows.
    NAME = Spec::new("connector.name", Kind::Name).default("Wazuh");
    /// Entity types that are searched. `all` also has those that hold others, of which all indicators are searched.
    SCOPE = Spec::new("connector.scope", Kind::Scope).default("Artifact,Autonomous-System,Directory,Domain-Name,Email-Addr,Email-Message,Hostname,Indicator,IPv4-Addr,IPv6-Addr,Mac-Addr,Mutex,Network-Traffic,Process,Software,StixFile,Text,Url,User-Account,User-Agent,Vulnerability,Windows-Registry-Key,Windows-Registry-Value-Type,X509-Certificate");
    /// Entities are searched when they are created.
    AUTO = Spec::new("connector.auto", Kind::Boolean).default("true");
    /// Entities are searched again when they change (OpenCTI 6.8.9 and later).
    AUTO_UPDATE = Spec::new("connector.auto_update", Kind::Boolean).default("false").convention();
    /// What the platform sends with an event: nothing, or the entity as a bundle (OpenCTI 6.8.9 and later).
    ENRICHMENT_RESOLUTION = Spec::new("connector.enrichment_resolution", Kind::Choice(&["none", "stix_bundle"])).default("none").convention();
    /// Told to the platform when the connector registers; it means something for imports only.
    ONLY_CONTEXTUAL = Spec::new("connector.only_contextual", Kind::Boolean).default("false").convention();
    /// The least severe messages that are logged.
    LOG_LEVEL = Spec::new("connector.log_level", Kind::Choice(&["debug", "info", "warning", "error", "warn"])).default("warning");
    /// How events come: from the broker, or posted to the connector, which then needs no broker.
    LISTEN_PROTOCOL = Spec::new("connector.listen_protocol", Kind::Choice(&["amqp", "api"])).default("amqp").convention();
    /// Address that is listened at for posted events.
    LISTEN_PROTOCOL_API_HOST = Spec::new("connector.listen_protocol_api_host", Kind::Text).default("0.0.0.0").ours();
    /// Port for posted events.
    LISTEN_PROTOCOL_API_PORT = Spec::new("connector.listen_protocol_api_port", Kind::Integer(1, 65_535)).default("7070").convention();
    /// Path that events are posted to.
    LISTEN_PROTOCOL_API_PATH = Spec::new("connector.listen_protocol_api_path", Kind::Text).default("/api/callback").convention();
    /// URL by which the platform's workers reach the connector, without the path.
    LISTEN_PROTOCOL_API_URI = Spec::new("connector.listen_protocol_api_uri", Kind::Url).default("http://127.0.0.1:7070").convention();
    /// Posted events come over TLS.
    LISTEN_PROTOCOL_API_SSL = Spec::new("connector.listen_protocol_api_ssl", Kind::Boolean).default("false").convention();
    /// Certificate for posted events.
    LISTEN_PROTOCOL_API_SSL_CERT = Spec::new("connector.listen_protocol_api_ssl_cert", Kind::Pem)
        .variable("LISTEN_PROTOCOL_API_SSL_CERT").also(&["CONNECTOR_LISTEN_PROTOCOL_API_SSL_CERT"]).convention();
    /// Key of that certificate.
    LISTEN_PROTOCOL_API_SSL_KEY = Spec::new("connector.listen_protocol_api_ssl_key", Kind::Pem)
        .variable("LISTEN_PROTOCOL_API_SSL_KEY").also(&["CONNECTOR_LISTEN_PROTOCOL_API_SSL_KEY"]).convention();
    /// Passphrase of that key (PKCS #8 only).
    LISTEN_PROTOCOL_API_SSL_PASSPHRASE = Spec::new("connector.listen_protocol_api_ssl_passphrase", Kind::Secret)
        .variable("LISTEN_PROTOCOL_API_SSL_PASSPHRASE").also(&["CONNECTOR_LISTEN_PROTOCOL_API_SSL_PASSPHRASE"]).convention();
    /// How bundles go: through the broker, or to the platform's interface (no drafts then).
    QUEUE_PROTOCOL = Spec::new("connector.queue_protocol", Kind::Choice(&["amqp", "api"])).default("amqp").also(&["QUEUE_PROTOCOL"]).convention();
    /// Only false: every bundle is imported at once. The official client library holds the bundles of a work back until somebody approves them, so true is refused.
    VALIDATE_BEFORE_IMPORT = Spec::new("connector.validate_before_import", Kind::Boolean).default("false").convention();
    /// Bundles go to the platform. Without it only copies are written.
    SEND_TO_QUEUE = Spec::new("connector.send_to_queue", Kind::Boolean).default("true").convention();
    /// Copies of the bundles are written to a folder.
    SEND_TO_DIRECTORY = Spec::new("connector.send_to_directory", Kind::Boolean).default("false").convention();
    /// That folder.
    SEND_TO_DIRECTORY_PATH = Spec::new("connector.send_to_directory_path", Kind::Path).convention();
    /// Days after which copies are deleted; 0 keeps them.
    SEND_TO_DIRECTORY_RETENTION = Spec::new("connector.send_to_directory_retention", Kind::Integer(0, 36_500)).default("7").convention();
    /// Metrics for Prometheus are offered, at `/metrics`.
    EXPOSE_METRICS = Spec::new("connector.expose_metrics", Kind::Boolean).default("false").convention();
    /// Port of the metrics.
    METRICS_PORT = Spec::new("connector.metrics_port", Kind::Integer(1, 65_535)).default("9095").convention();
    /// First part of the metrics' names.
    METRICS_NAMESPACE = Spec::new("connector.metrics_namespace", Kind::Text).convention();
    /// Second part of the metrics' names.
    METRICS_SUBSYSTEM = Spec::new("connector.metrics_subsystem", Kind::Text).convention();
}
