//! How the platform is reached.

use std::time::Duration;

use url::Url;

use crate::tls::TlsConfig;
use crate::{Backoff, Error, Notices, Secret};

/// How the platform is reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlatformConfig {
    /// The base URL. A path in it is kept.
    pub url: Url,
    /// The token of the connector's user. It is opaque: its form depends on the platform's version.
    pub token: Secret,
    /// Trust and identity.
    pub tls: TlsConfig,
    /// The proxy.
    pub proxy: ProxyConfig,
    /// How long one try may take, from connecting to the last byte.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How often, and after which pauses, a request is repeated.
    pub backoff: Backoff,
    /// The largest answer that is read, in bytes, after decompression.
    pub largest_answer: u64,
    /// Further headers for every request, as an operator set them.
    pub headers: Vec<(String, Secret)>,
    /// What the client calls itself.
    pub user_agent: String,
    /// Where repetitions are told.
    pub notices: Notices,
}

/// Through which proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyConfig {
    /// As the usual environment variables say (`HTTPS_PROXY`, `NO_PROXY`, …).
    #[default]
    Environment,
    /// None.
    None,
    /// This one, for everything. The URL may hold credentials.
    Url(Secret),
}

impl PlatformConfig {
    /// The defaults for a URL and a token. The error does not repeat the URL, since it may hold credentials.
    pub fn new(url: &str, token: impl Into<Secret>) -> Result<Self, Error> {
        let url = Url::parse(url.trim()).map_err(|error| Error::config(format!("the URL of OpenCTI: {error}")))?;
        Ok(Self {
            url,
            token: token.into(),
            tls: TlsConfig::default(),
            proxy: ProxyConfig::Environment,
            timeout: Duration::from_mins(2),
            connect_timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            largest_answer: 256 << 20,
            headers: Vec::new(),
            user_agent: concat!("opencti-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            notices: Notices::default(),
        })
    }

    /// Reads the form in which operators give further headers: `name1:value1;name2:value2`.
    pub fn set_headers(&mut self, text: &str) -> Result<(), Error> {
        let mut headers = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once(':')
                .ok_or_else(|| Error::config("further headers must look like `name1:value1;name2:value2`"))?;
            headers.push((name.trim().to_owned(), Secret::from(value.trim())));
        }
        self.headers = headers;
        Ok(())
    }

    /// The platform as it is named in messages.
    pub(super) fn peer(&self) -> String {
        format!("OpenCTI at {}", self.url.as_str().trim_end_matches('/'))
    }

    /// The URL of something below the base URL.
    pub(super) fn below(&self, path: &str) -> Result<Url, Error> {
        let base = self.url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}")).map_err(|error| Error::config(format!("the URL of OpenCTI: {error}")))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let url = &self.url;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(Error::config("the URL of OpenCTI must start with `http://` or `https://` and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config("the URL of OpenCTI must not hold credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::config("the URL of OpenCTI must have neither a query nor a fragment"));
        }
        let token = self.token.expose().trim();
        if token.is_empty() || token.eq_ignore_ascii_case("changeme") {
            return Err(Error::config("the token of OpenCTI is not set"));
        }
        Ok(())
    }

    /// Every text that must not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![Secret::from(self.token.expose().trim())];
        secrets.extend(self.headers.iter().map(|(_, value)| value.clone()).filter(|value| value.expose().len() > 3));
        if let ProxyConfig::Url(url) = &self.proxy {
            secrets.push(url.clone());
            if let Some(password) = Url::parse(url.expose()).ok().and_then(|url| url.password().map(str::to_owned)) {
                secrets.push(password.into());
            }
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acceptance 2: no token in what is shown.
    #[test]
    fn secrets_are_not_shown() {
        let mut config = PlatformConfig::new("http://localhost/base/", "d434ce02").unwrap();
        config.set_headers("x-one: geheim ; x-two:b:c").unwrap();
        config.proxy = ProxyConfig::Url("http://me:geheim@proxy".into());
        let shown = format!("{config:?}");
        assert!(!shown.contains("d434ce02") && !shown.contains("geheim"), "{shown}");
        assert_eq!(config.headers[1].1.expose(), "b:c");
        assert_eq!(config.below("graphql").unwrap().as_str(), "http://localhost/base/graphql");
    }

    #[test]
    fn unusable_configurations() {
        let problem = |url: &str, token: &str| {
            PlatformConfig::new(url, token).and_then(|config| config.check()).unwrap_err().to_string()
        };
        for url in ["", "localhost", "ftp://h", "http://me:geheim@h", "http://h/?a=b", "http://h/#x", "http://[::1"] {
            assert!(!problem(url, "token").contains("geheim"));
        }
        for token in ["", " ", "ChangeMe"] {
            assert!(problem("http://h", token).contains("token"));
        }
    }
}
