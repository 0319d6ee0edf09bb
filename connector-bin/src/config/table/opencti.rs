//! `opencti`.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! The platform.

    /// The platform's URL; a path in it is kept.
    URL = Spec::new("opencti.url", Kind::Url).required();
    /// The token of the connector's user.
    TOKEN = Spec::new("opencti.token", Kind::Secret).required();
    /// Whether the platform's certificate must be trusted. The original never checked it.
    SSL_VERIFY = Spec::new("opencti.ssl_verify", Kind::Boolean).default("true");
    /// Logs are JSON, one object a line; otherwise they are for people.
    JSON_LOGGING = Spec::new("opencti.json_logging", Kind::Boolean).default("true").convention();
    /// Headers that are sent with every call, for a proxy before the platform.
    CUSTOM_HEADERS = Spec::new("opencti.custom_headers", Kind::Headers).convention();
    /// Certificates of further authorities.
    CA = Spec::new("opencti.ca", Kind::Pem).ours();
    /// Certificate that the connector shows to the platform, or to a proxy before it.
    CLIENT_CERTIFICATE = Spec::new("opencti.client_certificate", Kind::Pem).ours();
    /// Key of that certificate, if the certificate's file does not hold it.
    CLIENT_KEY = Spec::new("opencti.client_key", Kind::Pem).ours();
    /// How long one try of a call may take.
    TIMEOUT = Spec::new("opencti.timeout", Kind::Interval).default("2 minutes").ours();
}
