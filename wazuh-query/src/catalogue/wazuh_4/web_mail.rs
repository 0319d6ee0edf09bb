//! Web servers, web application firewalls and mail servers.

use crate::catalogue::field::{
    Holds::{Domain, Email, HostOrIp, Ip, IpWithPort, Port, Protocol, Url, UrlPath, UserAgent},
    Role, Schema, Table, field,
};

/// Access logs of web servers.
pub(super) const WEB_ACCESSLOG: Table = Table {
    decoder: "web-accesslog",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.browser", UserAgent).of("http"),
        field("data.http_user_agent", UserAgent).of("http"),
        field("data.referer", Url),
        // A second address of the same line, of a proxy or of a client behind one.
        field("data.srcip2", Ip).source(),
    ],
};

/// Cloudflare.
pub(super) const CLOUDFLARE: Table = Table {
    decoder: "cloudflare",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.ClientIP", IpWithPort).source().of("flow"),
        field("data.ClientRequestHost", HostOrIp).of("http"),
        field("data.ClientRequestReferer", Url),
        field("data.ClientRequestURI", UrlPath).of("http"),
        field("data.ClientRequestUserAgent", UserAgent).of("http"),
        field("data.ClientSrcPort", Port).source().of("flow").no_lookup(),
        field("data.OriginIP", Ip).destination().of("flow"),
        field("data.ZoneName", Domain).search_only(),
    ],
};

/// Mail servers.
pub(super) const MAIL: Table = Table {
    decoder: "mail",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.mail_from", Email).role(Role::Sender).of("email"),
        field("data.rcpt", Email).role(Role::Recipient).of("email"),
        field("data.relay", HostOrIp).destination().of("smtp"),
    ],
};

/// Nextcloud.
pub(super) const NEXTCLOUD: Table = Table {
    decoder: "nextcloud",
    schema: Schema::Wazuh4,
    rows: &[field("data.remoteAddr", Ip).source().of("flow"), field("data.userAgent", UserAgent)],
};

/// Web application firewalls.
pub(super) const WAF: Table = Table {
    decoder: "waf",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.akamai.siem.request.headers.User-Agent", UserAgent).of("http"),
        field("data.barracuda.waf.client_ip", Ip).source().of("flow"),
        field("data.barracuda.waf.client_port", Port).source().of("flow").no_lookup(),
        field("data.barracuda.waf.custom_header.user_agent", UserAgent).of("http"),
        field("data.barracuda.waf.protocol", Protocol).search_only(),
        field("data.barracuda.waf.proxy.ip", Ip).search_only(),
        field("data.barracuda.waf.proxy.port", Port).search_only(),
        field("data.barracuda.waf.server_ip", Ip).destination().of("flow"),
        field("data.barracuda.waf.server_port", Port).destination().of("flow").no_lookup(),
    ],
};
