//! Sending one request, again where that can help.

use std::time::Instant;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Proxy, Response, redirect};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::config::{PlatformConfig, ProxyConfig};
use crate::answer;
use crate::documents::Document;
use crate::error::{chain, shown};
use crate::pause::chance;
use crate::secret::scrub;
use crate::{Context, Error, ErrorKind, Notice, Retry, Secret, judge};

/// The HTTP client with its configuration.
pub(crate) struct Http {
    client: Client,
    endpoint: Url,
    peer: String,
    config: PlatformConfig,
    secrets: Vec<Secret>,
}

/// The inner client would show credentials.
impl std::fmt::Debug for Http {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Http").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Http {
    pub(crate) fn new(config: PlatformConfig) -> Result<Self, Error> {
        config.check()?;
        let secrets = config.secrets();
        let mut builder = Client::builder()
            .default_headers(headers(&config)?)
            .user_agent(&config.user_agent)
            .connect_timeout(config.connect_timeout)
            // A redirected POST becomes a GET, and the token goes somewhere else.
            .redirect(redirect::Policy::none())
            .http1_only();
        // Reading the system's certificates takes time that a plain connection need not spend.
        let mut tls = config.tls.clone();
        tls.system_roots &= config.url.scheme() == "https" || matches!(config.proxy, ProxyConfig::Url(_));
        builder = builder.tls_backend_preconfigured(tls.client()?);
        builder = match &config.proxy {
            ProxyConfig::Environment => builder,
            ProxyConfig::None => builder.no_proxy(),
            ProxyConfig::Url(url) => {
                let proxy = Proxy::all(url.expose()).map_err(|_| Error::config("the proxy's URL cannot be read"))?;
                builder.proxy(proxy)
            }
        };
        let client = builder.build().map_err(|error| {
            Error::config(scrub(&format!("the client cannot be set up: {}", chain(&error)), &secrets))
        })?;
        Ok(Self { client, endpoint: config.below("graphql")?, peer: config.peer(), config, secrets })
    }

    pub(crate) fn config(&self) -> &PlatformConfig {
        &self.config
    }

    #[cfg(feature = "stream")]
    pub(crate) fn peer(&self) -> &str {
        &self.peer
    }

    #[cfg(feature = "stream")]
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    #[cfg(feature = "stream")]
    pub(crate) fn below(&self, path: &str) -> Result<Url, Error> {
        self.config.below(path)
    }

    /// An answer that cannot be read.
    pub(crate) fn unexpected(&self, what: String, body: &str) -> Error {
        ErrorKind::Unexpected { peer: self.peer.clone(), what, excerpt: shown(&scrub(body, &self.secrets)) }.into()
    }

    /// Sends a document until there is an answer, or none is to be expected.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        document: &Document,
        variables: &Value,
        context: &Context,
    ) -> Result<T, Error> {
        let body = json!({ "query": document.text, "variables": variables }).to_string();
        let started = Instant::now();
        let mut tries = 1;
        loop {
            let error = match self.call_once(&body, context).await {
                Ok(data) => return Ok(data),
                Err(kind) => Error::new(kind).after(tries, started.elapsed()),
            };
            let wish = match judge(&error) {
                Retry::Soon => None,
                Retry::After(wait) => Some(wait),
                Retry::Later | Retry::Never => return Err(error),
            };
            if tries > self.config.backoff.retries || (error.outcome_unknown() && !document.idempotent) {
                return Err(error);
            }
            let pause = self.config.backoff.pause(tries, wish, chance());
            self.config.notices.give(&Notice::Retrying { operation: document.name, error: &error, again_in: pause });
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn call_once<T: DeserializeOwned>(&self, body: &str, context: &Context) -> Result<T, ErrorKind> {
        let mut request = self
            .client
            .post(self.endpoint.clone())
            .timeout(self.config.timeout)
            .header(CONTENT_TYPE, "application/json")
            // Without the header the platform would use the draft that the user has open.
            .header("opencti-draft-id", header(context.draft.as_deref().unwrap_or_default())?)
            .body(body.to_owned());
        if let Some(applicant) = &context.applicant {
            request = request.header("opencti-applicant-id", header(applicant)?);
        }
        let response = request.send().await.map_err(|error| self.not_sent(&error))?;
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(self.redirected(status, &response));
        }
        let wish = {
            let header = |name: &str| response.headers().get(name)?.to_str().ok();
            header("retry-after").and_then(|value| answer::retry_after(value, header("date")))
        };
        let bytes = self.body_of(response).await?;
        match (std::str::from_utf8(&bytes), status) {
            // The usual case without a copy. Errors hold excerpts, which must be without secrets.
            (Ok(text), 200) if !self.secrets.iter().any(|secret| text.contains(secret.expose())) => {
                answer::read(&self.peer, status, wish, text)
            }
            (text, _) => {
                let text = text.map_or_else(|_| String::from_utf8_lossy(&bytes).into_owned(), str::to_owned);
                match answer::read(&self.peer, status, wish, &text) {
                    Ok(data) => Ok(data),
                    Err(_) => answer::read(&self.peer, status, wish, &scrub(&text, &self.secrets)),
                }
            }
        }
    }

    fn redirected(&self, status: u16, response: &Response) -> ErrorKind {
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or("elsewhere");
        let body = format!("it redirects to {}; the URL of OpenCTI should be the final one", shown(place));
        ErrorKind::Http { peer: self.peer.clone(), status, body: scrub(&body, &self.secrets), retry_after: None }
    }

    async fn body_of(&self, mut response: Response) -> Result<Vec<u8>, ErrorKind> {
        let limit = self.config.largest_answer;
        let too_large = || ErrorKind::TooLarge { what: format!("the answer of {}", self.peer), limit };
        let length = response.content_length().unwrap_or(0);
        if length > limit {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(1 << 20));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.not_sent(&error))? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Why there is no answer.
    pub(crate) fn not_sent(&self, error: &reqwest::Error) -> ErrorKind {
        let peer = self.peer.clone();
        if error.is_timeout() {
            let after = if error.is_connect() { self.config.connect_timeout } else { self.config.timeout };
            return ErrorKind::Timeout { peer, after };
        }
        // The URL stands in the peer already.
        let mut what = error.source_text();
        what = shown(&scrub(&what, &self.secrets));
        if what.contains("certificate") || what.contains("UnknownIssuer") || what.contains("received fatal alert") {
            return ErrorKind::Certificate { peer, what };
        }
        ErrorKind::Transport { peer, what, unsent: error.is_connect() || error.is_builder() }
    }
}

trait SourceText {
    fn source_text(&self) -> String;
}

impl SourceText for reqwest::Error {
    /// What is behind an error; its own text is only that and the URL.
    fn source_text(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => chain(source),
            None => chain(self),
        }
    }
}

fn header(text: &str) -> Result<HeaderValue, ErrorKind> {
    HeaderValue::from_str(text).map_err(|_| ErrorKind::Config("an identifier cannot be sent in a header".to_owned()))
}

fn headers(config: &PlatformConfig) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let name: HeaderName = name.parse().map_err(|_| Error::config(format!("`{name}` is no name of a header")))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| Error::config(format!("the value of the header `{name}` cannot be sent")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let mut token = HeaderValue::from_str(&format!("Bearer {}", config.token.expose().trim()))
        .map_err(|_| Error::config("the token of OpenCTI cannot be sent in a header"))?;
    token.set_sensitive(true);
    headers.insert(AUTHORIZATION, token);
    Ok(headers)
}
