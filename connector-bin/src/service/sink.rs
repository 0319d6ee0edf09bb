//! Where bundles go: to the platform, to a directory, or to both.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use opencti_client::{BundleSink, Error, Retry, SendOptions, Sent, judge};
use stix_model::{Bundle, Identifier};

/// The platform and copies. A copy is written first: what arrived has one.
#[derive(Default)]
pub(crate) struct Sinks {
    pub(crate) platform: Option<Arc<dyn BundleSink>>,
    pub(crate) copies: Option<Arc<dyn BundleSink>>,
    /// Bundles that have a copy and did not arrive yet: they are sent again, and copied once.
    pub(crate) copied: Mutex<HashSet<(Option<String>, Identifier)>>,
}

impl Sinks {
    fn copied(&self) -> MutexGuard<'_, HashSet<(Option<String>, Identifier)>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BundleSink for Sinks {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        let mut sent = Sent::default();
        let key = (options.work_id.clone(), bundle.id.clone());
        if let Some(copies) = &self.copies
            && !self.copied().contains(&key)
        {
            sent = copies.send(bundle, options).await?;
            if self.platform.is_some() {
                self.copied().insert(key.clone());
            }
        }
        if let Some(platform) = &self.platform {
            let outcome = platform.send(bundle, options).await;
            // What will not be tried again needs no memory.
            if outcome.as_ref().err().is_none_or(|error| judge(error) == Retry::Never) {
                self.copied().remove(&key);
            }
            sent = outcome?;
        }
        Ok(sent)
    }
}
