//! `mq`.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! The broker, where the platform's own words for it do not fit. What is not set comes from the platform.

    /// Host name.
    HOST = Spec::new("mq.host", Kind::Text).convention();
    /// Port.
    PORT = Spec::new("mq.port", Kind::Integer(1, 65_535)).convention();
    /// Virtual host.
    VHOST = Spec::new("mq.vhost", Kind::Text).convention();
    /// User.
    USER = Spec::new("mq.user", Kind::Text).convention();
    /// Password.
    PASS = Spec::new("mq.pass", Kind::Secret).convention();
    /// Whether the connection uses TLS.
    USE_SSL = Spec::new("mq.use_ssl", Kind::Boolean).convention();
    /// Certificates of further authorities.
    USE_SSL_CA = Spec::new("mq.use_ssl_ca", Kind::Pem).convention();
    /// Client certificate.
    USE_SSL_CERT = Spec::new("mq.use_ssl_cert", Kind::Pem).convention();
    /// Key of the client certificate.
    USE_SSL_KEY = Spec::new("mq.use_ssl_key", Kind::Pem).convention();
    /// Passphrase of that key (PKCS #8 only).
    USE_SSL_PASSPHRASE = Spec::new("mq.use_ssl_passphrase", Kind::Secret).convention();
    /// Whether the broker's certificate must be trusted. Official connectors do not check it unless told to.
    USE_SSL_REJECT_UNAUTHORIZED = Spec::new("mq.use_ssl_reject_unauthorized", Kind::Boolean).default("true").convention();
}
