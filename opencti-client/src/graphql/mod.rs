//! The platform over GraphQL.

mod config;
mod connector;
mod entity;
mod filter;
mod http;
mod lookup;
mod remove;
mod work;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use config::{PlatformConfig, ProxyConfig};
pub(crate) use http::Http;

use crate::documents::{self, Document};
use crate::{Context, Error, ErrorKind, PlatformVersion};

/// The platform over GraphQL: every trait of this crate that asks or tells the platform something.
///
/// Clones share connections. Requests are repeated where that can help and does no harm; see [`PlatformConfig`].
#[derive(Clone, Debug)]
pub struct Platform {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    version: RwLock<PlatformVersion>,
}

impl Platform {
    /// Reads the platform's version and refuses one that is not supported.
    ///
    /// Fails with one line for an operator; [`judge`](crate::judge) tells whether and when to try again.
    pub async fn connect(config: PlatformConfig) -> Result<Self, Error> {
        let http = Http::new(config)?;
        let version = version(&http).await?;
        Ok(Self { inner: Arc::new(Inner { http, version: RwLock::new(version) }) })
    }

    /// Takes a version that was read before, without asking. When it turns out that the platform does not understand
    /// a request, the version is read again.
    pub fn with_version(config: PlatformConfig, version: PlatformVersion) -> Result<Self, Error> {
        check(version, &version.to_string())?;
        Ok(Self { inner: Arc::new(Inner { http: Http::new(config)?, version: RwLock::new(version) }) })
    }

    /// The version that decides what is sent.
    pub fn platform_version(&self) -> PlatformVersion {
        *self.inner.version.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the version again; returns whether it is another one.
    pub async fn refresh_version(&self) -> Result<bool, Error> {
        let version = version(&self.inner.http).await?;
        let mut known = self.inner.version.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *known != version;
        *known = version;
        Ok(changed)
    }

    #[cfg(feature = "stream")]
    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    async fn call<T: DeserializeOwned>(
        &self,
        document: &Document,
        variables: Value,
        context: &Context,
    ) -> Result<T, Error> {
        self.inner.http.call(document, &variables, context).await
    }

    /// Sends what suits the version. When the platform does not understand it, and is of another version than it was,
    /// what suits that one.
    async fn call_by_version<T: DeserializeOwned>(
        &self,
        request: impl Fn(PlatformVersion) -> (&'static Document, Value) + Send,
    ) -> Result<T, Error> {
        let (document, variables) = request(self.platform_version());
        match self.call(document, variables, &Context::new()).await {
            Err(error) if matches!(error.kind(), ErrorKind::Schema { .. }) => {
                if !self.refresh_version().await? {
                    return Err(error);
                }
                let (document, variables) = request(self.platform_version());
                self.call(document, variables, &Context::new()).await
            }
            other => other,
        }
    }
}

async fn version(http: &Http) -> Result<PlatformVersion, Error> {
    #[derive(Deserialize)]
    struct Data {
        about: Option<About>,
    }
    #[derive(Deserialize)]
    struct About {
        version: String,
    }
    let data: Data = http.call(&documents::ABOUT, &Value::Object(serde_json::Map::new()), &Context::new()).await?;
    let text = data.about.map(|about| about.version).unwrap_or_default();
    let version = PlatformVersion::parse(&text).ok_or_else(|| {
        let what = "the version is missing".to_owned();
        http.unexpected(what, &text)
    })?;
    check(version, &text)?;
    Ok(version)
}

fn check(version: PlatformVersion, text: &str) -> Result<(), Error> {
    if version.is_supported() {
        return Ok(());
    }
    let minimum = PlatformVersion::MINIMUM.to_string();
    Err(ErrorKind::Unsupported { found: crate::error::shown(text), minimum }.into())
}
