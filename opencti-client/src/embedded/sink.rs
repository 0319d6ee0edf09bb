//! Bundles in files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde_json::json;
use stix_model::{Bundle, BundleBuilder, Identifier, Object, Timestamp};

use crate::bundle::RawBundle;
use crate::sink::prepared;
use crate::{BundleSink, Error, ErrorKind, Registration, SendOptions, Sent};

/// One bundle in a file: every bundle that is sent goes into it, and an object that was there before is replaced.
///
/// The file is written anew with each one, beside its place and then moved there: it is whole at every moment.
#[derive(Debug)]
pub struct BundleFile {
    path: PathBuf,
    objects: Mutex<BTreeMap<Identifier, Object>>,
}

impl BundleFile {
    /// Makes or continues a file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let mut objects = BTreeMap::new();
        match fs::read(&path) {
            Ok(bytes) => {
                let (bundle, skipped) = Bundle::read(&bytes).map_err(|error| file_error(&path, &error))?;
                if let Some(error) = skipped.first() {
                    // It would be lost when the file is written anew.
                    return Err(file_error(&path, error));
                }
                objects.extend(by_id(bundle));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(&path, &error)),
        }
        Ok(Self { path, objects: Mutex::new(objects) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl BundleSink for BundleFile {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        let (json, _) = prepared(bundle, options)?;
        let (bundle, _) = Bundle::read(json.as_bytes()).map_err(|error| file_error(&self.path, &error))?;
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.extend(by_id(bundle));
        let mut builder = BundleBuilder::new();
        builder.extend(objects.values().cloned());
        let whole = serde_json::to_string(&builder.build()).map_err(|error| file_error(&self.path, &error))?;
        write_whole(&self.path, whole.as_bytes())?;
        Ok(Sent::whole(1))
    }
}

fn by_id(bundle: Bundle) -> impl Iterator<Item = (Identifier, Object)> {
    bundle.objects.into_iter().map(|object| (object.id().clone(), object))
}

/// A file per bundle, in the form in which the platform's own connectors keep copies.
///
/// Files older than the retention are deleted, when they were written by this connector.
#[derive(Debug)]
pub struct BundleDirectory {
    directory: PathBuf,
    registration: Registration,
    user_id: String,
    retention: Duration,
    count: Mutex<u64>,
}

impl BundleDirectory {
    /// Copies into a directory, kept for seven days.
    pub fn new(directory: impl Into<PathBuf>, registration: Registration, user_id: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            registration,
            user_id: user_id.into(),
            retention: Duration::from_hours(7 * 24),
            count: Mutex::new(0),
        }
    }

    /// How long copies are kept; zero keeps them for ever.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// The connector's name as it stands before the time in file names.
    fn prefix(&self) -> String {
        let name = self.registration.name.to_lowercase();
        let allowed = |character: char| {
            if character.is_alphanumeric() || matches!(character, '-' | '_') { character } else { '_' }
        };
        format!("{}-", name.chars().map(allowed).collect::<String>())
    }

    fn delete_old(&self, now: SystemTime) {
        if self.retention.is_zero() {
            return;
        }
        let prefix = self.prefix();
        // A copy that cannot be deleted now is deleted another time.
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let ours =
                name.to_str().and_then(|name| name.strip_suffix(".json")).is_some_and(|name| name.starts_with(&prefix));
            let age =
                entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| now.duration_since(time).ok());
            if ours && age.is_some_and(|age| age > self.retention) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[async_trait]
impl BundleSink for BundleDirectory {
    async fn send(&self, bundle: &Bundle, options: &SendOptions) -> Result<Sent, Error> {
        let (json, _) = prepared(bundle, options)?;
        let now = SystemTime::now();
        self.delete_old(now);
        let bundle = RawBundle::parse(&json).map_err(|error| file_error(&self.directory, &error))?;
        let record = json!({
            "bundle_type": "DIRECTORY_BUNDLE",
            "applicant_id": options.applicant_id.as_ref().unwrap_or(&self.user_id),
            "entities_types": options.entities_types,
            "update": options.update,
            "connector": {
                "id": self.registration.id, "name": self.registration.name,
                "type": self.registration.connector_type.name(), "scope": self.registration.scope.names(),
                "auto": self.registration.auto, "validate_before_import": false,
            },
        });
        // The bundle stays as it was written, so it is not read into the record.
        let mut record = record.to_string();
        record.pop();
        let record = format!("{record},\"bundle\":{}}}", bundle.to_json());
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let count = {
            let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
            *count = (*count + 1) % 1_000;
            *count
        };
        let stamp = Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(0));
        let stamp = stamp.map(|time| time.to_string()).unwrap_or_default();
        let stamp: String = stamp.chars().filter(char::is_ascii_digit).take(14).collect();
        let (day, time) = stamp.split_at_checked(8).unwrap_or((&stamp, ""));
        // Two bundles in the same microsecond keep apart by a number.
        let name =
            format!("{}{day}-{time}-{}.{:06}{count:03}.json", self.prefix(), since.as_secs(), since.subsec_micros());
        fs::create_dir_all(&self.directory).map_err(|error| file_error(&self.directory, &error))?;
        write_whole(&self.directory.join(name), record.as_bytes())?;
        Ok(Sent::whole(1))
    }
}

/// Writes a file beside its place, and moves it there once it is safe on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let beside = path.with_file_name(name);
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        file_error(path, &error)
    })
}

fn file_error(path: &Path, error: &dyn std::error::Error) -> Error {
    ErrorKind::File { path: path.display().to_string(), what: error.to_string() }.into()
}
