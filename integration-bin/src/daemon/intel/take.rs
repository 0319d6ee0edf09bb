//! What of threat intelligence is kept in the store, and how it is read.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use alert_enricher::indicator::{Indicator, keys_of_object};
use alert_enricher::store::{Builder, Built, Worthless};
use opencti_client::graphql::Platform;
use opencti_client::{Context, EntityReader as _, PageRequest, Select};
use stix_model::{Object, Timestamp, bundle};

use super::KeepError;

/// Entities in one answer of the platform.
const PAGE: u32 = 500;
/// Observables that alerts can have, as the platform calls them.
const OBSERVABLES: [&str; 13] = [
    "IPv4-Addr",
    "IPv6-Addr",
    "Domain-Name",
    "Hostname",
    "Url",
    "StixFile",
    "Artifact",
    "Email-Addr",
    "Mac-Addr",
    "Mutex",
    "User-Agent",
    "Windows-Registry-Key",
    "Directory",
];

/// What is kept.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// Whether observables are.
    pub(super) observables: bool,
    /// Values that are never asked about: observables with no other are not kept.
    pub(super) worthless: Worthless,
    /// Indicators with one of these labels never count.
    pub(super) ignored_labels: Vec<String>,
}

impl Choice {
    /// The types of entities that are kept, as the platform calls them.
    pub(super) fn types(&self) -> Vec<&'static str> {
        let observables = if self.observables { &OBSERVABLES[..] } else { &[] };
        std::iter::once("Indicator").chain(observables.iter().copied()).collect()
    }

    /// Takes an object in, if it may count. Answers whether it was.
    pub(super) fn take(&self, object: &Object, labels: &[String], builder: &mut Builder) -> bool {
        let before = builder.len();
        if self.wants(object, labels) {
            builder.object(object);
        }
        builder.len() > before
    }

    fn wants(&self, object: &Object, labels: &[String]) -> bool {
        if !matches!(object, Object::Indicator(_)) {
            let keys = if self.observables && object.is_observable() { keys_of_object(object) } else { Vec::new() };
            return keys.iter().any(|key| self.worthless.check(key).is_none());
        }
        let about = Indicator::of_object(object);
        let is_ignored = |label: &str| self.ignored_labels.iter().any(|one| one.to_lowercase() == label.to_lowercase());
        !about.revoked
            && !about.labels.iter().map(|label| &**label).chain(labels.iter().map(String::as_str)).any(is_ignored)
    }
}

fn builder(now: i64, source: &str) -> Builder {
    // What is private or worthless in an alert is not asked about; compound patterns may still have it in them.
    let mut builder = Builder::new(Worthless::default());
    if let Some(time) = Timestamp::from_unix_millis(now) {
        builder.created(time);
    }
    builder.source(source);
    builder
}

/// Reads files. Also answers how many objects could not be read.
pub(super) fn files(paths: &[PathBuf], choice: &Choice, now: i64) -> Result<(Built, u64), KeepError> {
    let mut builder = builder(now, "files");
    let mut unreadable = 0;
    for path in paths {
        let wrong = |what: String| KeepError::File { path: path.clone(), what };
        let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        bundle::read_objects(BufReader::with_capacity(1 << 20, file), |object| match object {
            Ok(object) => {
                // Definitions of markings say how far others may be told.
                if matches!(object, Object::MarkingDefinition(_)) {
                    builder.object(&object);
                } else {
                    choice.take(&object, &[], &mut builder);
                }
            }
            Err(_) => unreadable += 1,
        })
        .map_err(|error| wrong(error.to_string()))?;
    }
    Ok((builder.finish()?, unreadable))
}

/// Reads everything that the platform has. Also answers how many entities could not be read.
pub(super) async fn platform(platform: &Platform, choice: &Choice, now: i64) -> Result<(Built, u64), KeepError> {
    let mut builder = builder(now, "OpenCTI");
    let mut unreadable = 0;
    for entity_type in choice.types() {
        let select = Select::types(&[entity_type]);
        pages(platform, &select, &mut unreadable, |object, labels| {
            choice.take(object, labels, &mut builder);
        })
        .await?;
    }
    let built = tokio::task::spawn_blocking(move || builder.finish()).await;
    Ok((built.map_err(|_| KeepError::Ended)??, unreadable))
}

/// Reads all pages of a list.
pub(super) async fn pages(
    platform: &Platform,
    select: &Select,
    unreadable: &mut u64,
    mut each: impl FnMut(&Object, &[String]),
) -> Result<(), KeepError> {
    let context = Context::new();
    let mut request = PageRequest::of(PAGE);
    loop {
        let page = platform.page(select, &request, &context).await?;
        *unreadable += page.skipped.len() as u64;
        for entity in &page.items {
            each(&entity.object, &entity.labels);
        }
        match page.next {
            Some(next) if request.after.as_ref() != Some(&next) => request = request.after(next),
            _ => return Ok(()),
        }
    }
}
