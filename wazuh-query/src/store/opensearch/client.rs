//! Sending one request, again where that can help.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use ::opensearch::auth::{ClientCertificate, Credentials};
use ::opensearch::cert::{Certificate, CertificateValidation};
use ::opensearch::http::Method;
use ::opensearch::http::headers::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use ::opensearch::http::response::Response;
use ::opensearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use ::opensearch::{Error, OpenSearch};

use super::config::{Auth, OpenSearchConfig};
use super::retry::{Verdict, judge, pause, retry_after, shown};
use crate::store::{StoreError, StoreErrorKind};

/// The client with its configuration.
pub(super) struct Client {
    inner: OpenSearch,
    config: OpenSearchConfig,
    secrets: Vec<String>,
}

/// The inner client would show credentials.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What is sent, and with which method.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Posts nothing.
    None,
    /// Posts a JSON document.
    Json,
    /// Posts JSON documents, one a line.
    Lines,
    /// Deletes what a JSON document names.
    Delete,
    /// Gets something.
    Get,
}

impl Client {
    pub(super) fn new(config: OpenSearchConfig) -> Result<Self, StoreError> {
        let wrong = |what: String| StoreError::from(StoreErrorKind::Config(what));
        if let Some(problem) = config.problem() {
            return Err(wrong(problem));
        }
        let pool = SingleNodeConnectionPool::new(config.url.clone());
        let mut builder = TransportBuilder::new(pool).timeout(config.timeout);
        if !config.environment_proxy {
            builder = builder.disable_proxy();
        }
        builder = match &config.auth {
            Auth::None => builder,
            Auth::Basic { username, password } => {
                builder.auth(Credentials::Basic(username.clone(), password.expose().to_owned()))
            }
            Auth::ApiKey(key) => {
                let key = key.expose().trim();
                let value = if key.contains(' ') { key.to_owned() } else { format!("ApiKey {key}") };
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| wrong("the API key cannot be sent in a header".to_owned()))?;
                value.set_sensitive(true);
                builder.header(AUTHORIZATION, value)
            }
            Auth::ClientCertificate(pem) => {
                builder.auth(ClientCertificate::Pem(pem.expose().as_bytes().to_vec()).into())
            }
        };
        if !config.verify_tls {
            builder = builder.cert_validation(CertificateValidation::None);
        } else if let Some(pem) = &config.ca {
            let authorities = Certificate::from_pem(pem)
                .map_err(|error| wrong(format!("the CA certificate cannot be read: {}", chain(&error))))?;
            builder = builder.cert_validation(CertificateValidation::Full(authorities));
        }
        let secrets = config.secrets();
        let transport = builder
            .build()
            .map_err(|error| wrong(scrub(&format!("the client cannot be set up: {}", chain(&error)), &secrets)))?;
        Ok(Self { inner: OpenSearch::new(transport), config, secrets })
    }

    pub(super) fn config(&self) -> &OpenSearchConfig {
        &self.config
    }

    /// The text without secrets: a server or a proxy may repeat what it was sent.
    pub(super) fn scrub(&self, text: &str) -> String {
        scrub(text, &self.secrets)
    }

    /// An error of an answer, without secrets.
    pub(super) fn scrubbed(&self, kind: StoreErrorKind) -> StoreError {
        match kind {
            StoreErrorKind::Parse { what, excerpt } => {
                StoreErrorKind::Parse { what: self.scrub(&what), excerpt: self.scrub(&excerpt) }.into()
            }
            other => other.into(),
        }
    }

    /// Sends a request until there is an answer, or none is to be expected.
    pub(super) async fn send(
        &self,
        content: Content,
        path: &str,
        query: &[(&str, &str)],
        body: String,
    ) -> Result<String, StoreError> {
        let mut retries = Retries::start();
        let mut timeouts = 0;
        loop {
            let kind = match self.send_once(content, path, query, body.clone()).await {
                Ok(text) => return Ok(text),
                Err((kind, Again::No)) => return Err(retries.error(kind)),
                Err((kind @ StoreErrorKind::Timeout(_), Again::Yes)) => {
                    timeouts += 1;
                    // A search that takes too long once usually does so again, and the cluster pays for each.
                    if timeouts > 1 {
                        return Err(retries.error(kind));
                    }
                    kind
                }
                Err((kind, Again::Yes)) => kind,
            };
            let error = retries.error(kind);
            if !retries.wait(&self.config, error.retry_after()).await {
                return Err(error);
            }
        }
    }

    async fn send_once(
        &self,
        content: Content,
        path: &str,
        query: &[(&str, &str)],
        body: String,
    ) -> Result<String, (StoreErrorKind, Again)> {
        let method = match content {
            Content::Delete => Method::Delete,
            Content::Get => Method::Get,
            Content::None | Content::Json | Content::Lines => Method::Post,
        };
        let mut headers = HeaderMap::new();
        if content == Content::Lines {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        }
        let body = (!matches!(content, Content::None | Content::Get)).then_some(body);
        let sent = self.inner.send(method, path, headers, Some(query), body, None).await;
        let response = sent.map_err(|error| self.not_sent(&error))?;
        let status = response.status_code().as_u16();
        let wish = wish(&response);
        let length = response.content_length().unwrap_or(0);
        if length > self.config.largest_answer {
            let what = format!("it has {length} bytes and at most {} are read", self.config.largest_answer);
            return Err((StoreErrorKind::Parse { what, excerpt: String::new() }, Again::No));
        }
        let bytes = response.bytes().await.map_err(|error| self.not_sent(&error))?;
        if status < 300
            && let Ok(text) = std::str::from_utf8(&bytes)
        {
            return Ok(text.to_owned());
        }
        let text = self.scrub(&String::from_utf8_lossy(&bytes));
        match judge(status, wish, &text) {
            Verdict::Accept => {
                let what = "it is not valid UTF-8".to_owned();
                Err((StoreErrorKind::Parse { what, excerpt: shown(&text) }, Again::No))
            }
            Verdict::Fail(kind) => Err((kind, Again::No)),
            Verdict::Retry(kind) => Err((kind, Again::Yes)),
        }
    }

    fn not_sent(&self, error: &Error) -> (StoreErrorKind, Again) {
        if error.is_timeout() {
            return (StoreErrorKind::Timeout(self.config.timeout), Again::Yes);
        }
        let text = self.scrub(&chain(error));
        // A certificate does not become trusted, nor a request well-formed, by asking again.
        let hopeless = ["certificate", "builder error"].iter().any(|part| text.contains(part));
        (StoreErrorKind::Transport(text), if hopeless { Again::No } else { Again::Yes })
    }
}

/// Whether asking again can help.
enum Again {
    No,
    Yes,
}

/// Counts tries and waits between them.
pub(super) struct Retries {
    started: Instant,
    tries: u32,
}

impl Retries {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), tries: 1 }
    }

    /// The error of the last try.
    pub(super) fn error(&self, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind).after(self.tries, self.started.elapsed())
    }

    /// Waits for the next try. Returns `false` when there is none left.
    pub(super) async fn wait(&mut self, config: &OpenSearchConfig, wish: Option<Duration>) -> bool {
        if self.tries > config.retries {
            return false;
        }
        // A hasher of the standard library is seeded at random, which is enough to spread clients.
        let chance = RandomState::new().build_hasher().finish();
        tokio::time::sleep(pause(self.tries, config.first_pause, config.longest_pause, wish, chance)).await;
        self.tries += 1;
        true
    }
}

fn wish(response: &Response) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    retry_after(header("retry-after")?, header("date"))
}

/// An error with everything behind it, each part once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let part = cause.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = cause.source();
    }
    text
}

fn scrub(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "***");
    }
    text
}
