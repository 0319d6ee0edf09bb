//! How a cluster is reached.

use std::fmt;
use std::time::Duration;

use url::Url;

/// A text that is never shown: neither `Debug` nor `Display` nor an error holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<S: Into<Box<str>>> From<S> for Secret {
    fn from(text: S) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// How the cluster knows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// HTTP basic authentication against the indexer's users.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// The value of the `Authorization` header. A value without a scheme gets `ApiKey` before it.
    ApiKey(Secret),
    /// A client certificate with its private key, both in PEM.
    ClientCertificate(Secret),
}

/// How a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSearchConfig {
    /// The base URL. A path in it stands before every path of the API.
    pub url: Url,
    /// The index, pattern or comma list that is searched.
    pub index: String,
    /// How the cluster knows who asks.
    pub auth: Auth,
    /// Certificates of further authorities, in PEM, beside those that the system trusts.
    pub ca: Option<Vec<u8>>,
    /// Whether the cluster's certificate must be trusted.
    pub verify_tls: bool,
    /// How long one try may take, from connecting to the last byte.
    pub timeout: Duration,
    /// How often a request is repeated that met an overloaded cluster or a broken connection.
    pub retries: u32,
    /// The pause before the first repetition. It doubles with each one, and a random part is taken off.
    pub first_pause: Duration,
    /// The longest pause, also when the cluster asks for a longer one.
    pub longest_pause: Duration,
    /// Whether the usual environment variables (`HTTPS_PROXY`, `NO_PROXY`, …) name a proxy.
    pub environment_proxy: bool,
    /// The largest answer that is read, in bytes. It is told by the length that the answer announces; one without a length is
    /// read to its end.
    pub largest_answer: u64,
    /// How long a point in time is kept between two pages.
    pub keep_alive: Duration,
}

impl OpenSearchConfig {
    /// The pattern of the alert indices of Wazuh 4.
    pub const DEFAULT_INDEX: &str = "wazuh-alerts-*";

    /// The defaults for a URL.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            index: Self::DEFAULT_INDEX.to_owned(),
            auth: Auth::None,
            ca: None,
            verify_tls: true,
            timeout: Duration::from_secs(20),
            retries: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            environment_proxy: true,
            largest_answer: 512 << 20,
            keep_alive: Duration::from_mins(5),
        }
    }

    /// What is wrong with the configuration, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let url = &self.url;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Some("the URL must start with `http://` or `https://` and name a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Some("the URL must not hold credentials; use the user name and password settings".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Some("the URL must have neither a query nor a fragment".to_owned());
        }
        if self.index.split(',').any(|name| matches!(name.trim(), "" | "." | "..")) {
            return Some(format!("`{}` is no index, pattern or comma list", self.index));
        }
        if self.timeout.is_zero() {
            return Some("the timeout must be longer than zero".to_owned());
        }
        None
    }

    /// Every text that must not be shown.
    pub(super) fn secrets(&self) -> Vec<String> {
        match &self.auth {
            Auth::None => Vec::new(),
            Auth::Basic { username, password } => {
                let password = password.expose();
                vec![password.to_owned(), base64(format!("{username}:{password}").as_bytes())]
            }
            Auth::ApiKey(key) | Auth::ClientCertificate(key) => {
                let key = key.expose().trim();
                let bare = key.rsplit(' ').next().unwrap_or(key);
                vec![key.to_owned(), bare.to_owned()]
            }
        }
    }
}

/// Only to recognise in an answer what was sent.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut config = OpenSearchConfig::new("https://indexer:9200/os".parse().unwrap());
        config.auth = Auth::Basic { username: "reader".into(), password: "hunter2".into() };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.secrets(), ["hunter2", "cmVhZGVyOmh1bnRlcjI="]);
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn odd_urls_are_refused_without_repeating_them() {
        for url in ["ftp://h/", "https://u:geheim@h/", "https://h/?q", "https://h/#f"] {
            let problem = OpenSearchConfig::new(url.parse().unwrap()).problem().unwrap();
            assert!(!problem.contains("geheim"), "{problem}");
        }
        let mut config = OpenSearchConfig::new("https://h".parse().unwrap());
        assert_eq!(config.problem(), None);
        config.index = "a,..".into();
        assert!(config.problem().is_some());
    }
}
