//! Sending bundles.

use std::sync::Arc;

use async_trait::async_trait;
use stix_model::Bundle;

use crate::bundle::{QueueMessage, RawBundle, Refused, SplitOptions, share, split};
use crate::{Error, ErrorKind, WorkApi};

/// Where bundles go: the platform's queue, the platform itself, or a file.
#[async_trait]
pub trait BundleSink: Send + Sync {
    /// Sends a bundle. When this returns without an error, the bundle is safe in the hands of the receiver.
    ///
    /// A bundle may be sent again, in whole or in part, after an error: objects have stable identifiers, so that it
    /// changes nothing to import one twice.
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error>;
}

/// How a bundle is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// The work it belongs to. One bundle per work.
    pub work_id: Option<String>,
    /// The user in whose name it is imported; without one the connector's own.
    pub applicant_id: Option<String>,
    /// The draft to import into.
    pub draft_id: Option<String>,
    /// Organizations with which every object is shared, in addition to its own.
    pub granted_refs: Vec<String>,
    /// Whether existing elements that are the same one are merged.
    pub update: bool,
    /// The types that are imported; all when empty.
    pub entities_types: Vec<String>,
    /// How the bundle is split.
    pub split: SplitOptions,
    /// Set when an earlier attempt may have announced the parts to the work already, after a message was delivered
    /// again: then only those that are missing are announced, or the work would wait for ever.
    pub announced_before: bool,
}

impl SendOptions {
    /// The options that follow from a message.
    pub fn for_message(message: &crate::Message, redelivered: bool) -> Self {
        let context = message.context();
        Self {
            work_id: message.work_id().map(str::to_owned),
            applicant_id: context.applicant,
            draft_id: context.draft,
            announced_before: redelivered,
            ..Self::default()
        }
    }
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// In how many parts.
    pub parts: usize,
    /// What was left out, and why.
    pub refused: Vec<Refused>,
}

impl Sent {
    /// What was sent in a number of parts, with nothing left out.
    pub fn whole(parts: usize) -> Self {
        Self { parts, refused: Vec::new() }
    }
}

/// A queue for messages to the platform's workers.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes messages in their order, and returns once all are confirmed.
    ///
    /// After an error some may have been published; publishing all again does no harm.
    async fn publish(&self, bodies: Vec<Vec<u8>>) -> Result<(), Error>;
}

/// Gives a bundle to the platform, which puts it into the queue by itself.
#[async_trait]
pub trait PushApi: Send + Sync {
    /// Gives a whole bundle.
    async fn push(&self, connector: &str, bundle: &str, work: Option<&str>) -> Result<(), Error>;
}

/// Splits bundles, announces the parts to the work and publishes them.
pub struct QueueSink {
    works: Arc<dyn WorkApi>,
    publisher: Arc<dyn Publisher>,
    user_id: String,
}

impl QueueSink {
    /// A sink for a connector whose user is `user_id`, as the registration says: bundles are imported in its name
    /// unless a message names somebody else.
    pub fn new(works: Arc<dyn WorkApi>, publisher: Arc<dyn Publisher>, user_id: impl Into<String>) -> Self {
        Self { works, publisher, user_id: user_id.into() }
    }

    /// Announces parts, so that in the end they are announced once.
    async fn announce(&self, work: &str, parts: u64, mut before: bool) -> Result<(), Error> {
        let mut tries = 1;
        loop {
            let missing = if before {
                let gone = || Error::new(ErrorKind::WorkGone(work.to_owned()));
                parts.saturating_sub(self.works.state(work).await?.ok_or_else(gone)?.expected)
            } else {
                parts
            };
            if missing == 0 {
                return Ok(());
            }
            match self.works.expect(work, missing).await {
                // The next turn finds out what this one did.
                Err(error) if error.outcome_unknown() && tries < 3 => before = true,
                other => return other,
            }
            tries += 1;
        }
    }
}

/// Reports the parts that an earlier attempt announced and that never come, so that the work does not wait for them.
///
/// `parts` is how many were sent now: zero, when there was nothing to send this time. [`QueueSink`] calls it by itself
/// after a bundle with [`SendOptions::announced_before`].
pub async fn make_up(works: &dyn WorkApi, work: &str, parts: u64) -> Result<(), Error> {
    let Some(state) = works.state(work).await? else { return Ok(()) };
    // Those that the earlier attempt did send are counted by the platform, perhaps twice: more than enough is enough.
    let missing = state.expected.saturating_sub(parts.max(state.processed));
    for _ in 0..missing {
        works.report(work, None).await?;
    }
    Ok(())
}

#[async_trait]
impl BundleSink for QueueSink {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        let applicant = options.applicant_id.as_deref().unwrap_or(&self.user_id);
        if applicant.is_empty() {
            return Err(Error::config("in whose name the bundle is to be imported is not known"));
        }
        let (json, id) = prepared(bundle, options)?;
        let split = split(&json, &id, &options.split).map_err(|error| unreadable(&error))?;
        if split.parts.is_empty() {
            return Err(Error::config("the bundle holds nothing that could be imported"));
        }
        let bodies: Vec<Vec<u8>> = (1..)
            .zip(&split.parts)
            .map(|(position, part)| {
                let mut message = QueueMessage::new(&part.json, applicant, position);
                message.entities_types.clone_from(&options.entities_types);
                message.update = options.update;
                message.draft_id.clone_from(&options.draft_id);
                message.work_id.clone_from(&options.work_id);
                message.to_json().into_bytes()
            })
            .collect();
        let parts = bodies.len();
        if let Some(work) = &options.work_id {
            self.announce(work, parts as u64, options.announced_before).await?;
        }
        self.publisher.publish(bodies).await?;
        if let Some(work) = options.work_id.as_ref().filter(|_| options.announced_before) {
            make_up(&*self.works, work, parts as u64).await?;
        }
        Ok(Sent { parts, refused: split.refused })
    }
}

impl std::fmt::Debug for QueueSink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("QueueSink").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Gives whole bundles to the platform instead of the broker.
///
/// The platform splits and counts by itself. A draft cannot be named, so that bundles for one are refused here; the
/// bundle is imported in the name of the token's user, whoever asked.
pub struct PushSink {
    api: Arc<dyn PushApi>,
    connector: String,
    largest: u64,
}

impl PushSink {
    /// The largest body that the platform takes by default is 50 MB; some of it is not the bundle.
    pub const LARGEST: u64 = 45 << 20;

    /// A sink for a connector.
    pub fn new(api: Arc<dyn PushApi>, connector: impl Into<String>) -> Self {
        Self { api, connector: connector.into(), largest: Self::LARGEST }
    }
}

#[async_trait]
impl BundleSink for PushSink {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        if options.draft_id.is_some() {
            return Err(Error::config("a bundle cannot be pushed into a draft; use the message broker"));
        }
        let (json, _) = prepared(bundle, options)?;
        if json.len() as u64 > self.largest {
            return Err(ErrorKind::TooLarge { what: "the bundle".to_owned(), limit: self.largest }.into());
        }
        self.api.push(&self.connector, &json, options.work_id.as_deref()).await?;
        Ok(Sent::whole(1))
    }
}

impl std::fmt::Debug for PushSink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PushSink").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// The bundle as JSON with what the options add, and its identifier.
pub(crate) fn prepared(bundle: &Bundle, options: &SendOptions) -> Result<(String, String), Error> {
    let json = serde_json::to_string(bundle).map_err(|error| unreadable(&error))?;
    let id = bundle.id.to_string();
    if options.granted_refs.is_empty() {
        return Ok((json, id));
    }
    let mut raw = RawBundle::parse(&json).map_err(|error| unreadable(&error))?;
    share(&mut raw, &options.granted_refs);
    Ok((raw.to_json(), id))
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::config(format!("the bundle cannot be written: {error}"))
}
