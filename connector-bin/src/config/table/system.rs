//! Variables that programs on a system share.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! Variables that programs on a system share. The file does not have them.

    /// Proxy for `http` URLs, of the platform and of the indexer. The broker is never reached through a proxy.
    HTTP_PROXY = Spec::new("system.http_proxy", Kind::ProxyUrl).variable("HTTP_PROXY").environment_only().convention();
    /// Proxy for `https` URLs.
    HTTPS_PROXY = Spec::new("system.https_proxy", Kind::ProxyUrl).variable("HTTPS_PROXY").also(&["ALL_PROXY"]).environment_only().convention();
    /// Hosts and networks that are reached without a proxy.
    NO_PROXY = Spec::new("system.no_proxy", Kind::Text).variable("NO_PROXY").environment_only().convention();
    /// Certificates of further authorities, for platform, indexer and proxy.
    CA_CERTIFICATES = Spec::new("system.ca_certificates", Kind::Pem).variable("HTTPS_CA_CERTIFICATES").also(&["REQUESTS_CA_BUNDLE"]).environment_only().convention();
}
