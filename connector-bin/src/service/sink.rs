//! Where bundles go: to the platform, to a directory, or to both.

use std::sync::Arc;

use async_trait::async_trait;
use opencti_client::{BundleSink, Error, SendOptions, Sent};
use stix_model::Bundle;

/// The platform and copies. A copy is written first: what arrived has one.
pub(crate) struct Sinks {
    pub(crate) platform: Option<Arc<dyn BundleSink>>,
    pub(crate) copies: Option<Arc<dyn BundleSink>>,
}

#[async_trait]
impl BundleSink for Sinks {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        let mut sent = Sent::default();
        if let Some(copies) = &self.copies {
            sent = copies.send(bundle, options).await?;
        }
        if let Some(platform) = &self.platform {
            sent = platform.send(bundle, options).await?;
        }
        Ok(sent)
    }
}
