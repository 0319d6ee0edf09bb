//! Stores in files: mapped into memory, shared by processes, changed while others read.
//!
//! A store in the file `NAME` is written once and never changed; it is replaced as a whole, by a rename. What is added or
//! removed goes into the file `NAME.changes`, which is a segment of its own, is replaced in the same way, and says to
//! which store it belongs. When it has grown, both are written as one new store. Whoever changes a store holds a lock on
//! `NAME.lock`; readers need none.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::Mmap;
use stix_model::Identifier;

use super::build::{Builder, Built};
use super::format::OpenError;
use super::live::{ChangeError, MergeError, Store};

/// Changes beyond this share of the store are written into it.
const SHARE: usize = 4;
/// Changes up to this size, in bytes, stay by themselves.
const SMALL: usize = 1 << 20;
/// How often a store is opened again because it was replaced meanwhile.
const TRIES: usize = 10;

/// Why a store in a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why. The text has it, so that it is no source: whoever prints those, too, would say it twice.
        error: io::Error,
    },
    /// The file is no store that can be read.
    #[error("{}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why. The text has it, so that it is no source: whoever prints those, too, would say it twice.
        error: OpenError,
    },
    /// The store cannot be changed.
    #[error("{}: {error}", path.display())]
    Change {
        /// The file.
        path: PathBuf,
        /// Why. The text has it, so that it is no source: whoever prints those, too, would say it twice.
        error: ChangeError,
    },
}

/// Tells whether a file was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Stamp {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

/// Which files are open: the store, and its changes.
type State = (Stamp, Option<Stamp>);

/// A store in a file.
///
/// ```
/// use alert_enricher::store::{Builder, FileStore};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("indicators.store");
/// let mut builder = Builder::default();
/// builder.line("evil.example");
/// FileStore::create(&path, &builder.finish()?)?;
///
/// let reader = FileStore::open(&path)?;
/// let writer = FileStore::open(&path)?;
/// let mut builder = writer.store().builder(Default::default());
/// builder.line("worse.example");
/// writer.add(builder)?;
/// assert!(reader.refresh()?);
/// assert_eq!(reader.store().snapshot().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    store: Store,
    state: Mutex<State>,
}

impl FileStore {
    /// Whether a file begins as a store does.
    pub fn is_store(head: &[u8]) -> bool {
        super::format::is_store(head)
    }

    /// Writes a new store, in the place of one that is there.
    pub fn create(path: &Path, built: &Built) -> Result<(), FileError> {
        let _lock = lock(path)?;
        replace(path, built.bytes())?;
        remove(&changes_path(path))
    }

    /// Opens a store with the changes that were made to it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (store, state) = open(path)?;
        Ok(Self { path: path.to_owned(), store, state: Mutex::new(state) })
    }

    /// The store. What is changed in it directly is not written.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store without its file.
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Takes over what others have changed. Answers whether there was anything.
    pub fn refresh(&self) -> Result<bool, FileError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps(&self.path)? == *state {
            return Ok(false);
        }
        let (store, new) = open(&self.path)?;
        self.store.restore(&store.snapshot());
        *state = new;
        Ok(true)
    }

    /// Adds indicators, or replaces those with the same identifiers.
    pub fn add(&self, builder: Builder) -> Result<Built, FileError> {
        self.change(|store| store.add(builder))
    }

    /// Removes indicators. Answers how many of them were there.
    pub fn remove(&self, ids: &[Identifier]) -> Result<usize, FileError> {
        self.change(|store| store.remove(ids))
    }

    /// Writes what was changed in the store directly, by [`FileStore::store`]: many changes at once, where writing each
    /// would cost too much. Nobody may change the store meanwhile.
    pub fn save(&self) -> Result<(), FileError> {
        let _lock = lock(&self.path)?;
        let (written, _) = open(&self.path)?;
        self.write(written.snapshot().base_identity())
    }

    fn change<T>(&self, change: impl FnOnce(&Store) -> Result<T, ChangeError>) -> Result<T, FileError> {
        let _lock = lock(&self.path)?;
        self.refresh()?;
        let before = self.store.snapshot();
        let failed = |error| FileError::Change { path: self.path.clone(), error };
        let done = change(&self.store).map_err(failed)?;
        let written = self.write(before.base_identity());
        if written.is_err() {
            // What is not in the file is not in the store.
            self.store.restore(&before);
        }
        written.map(|()| done)
    }

    /// Writes the changes of a store, or all of it.
    fn write(&self, base: u64) -> Result<(), FileError> {
        let failed = |error: MergeError| FileError::Change { path: self.path.clone(), error: error.into() };
        let snapshot = self.store.snapshot();
        let mut changes = None;
        if snapshot.base_identity() == base {
            let bytes = snapshot.changes().map_err(failed)?;
            changes = Some(bytes).filter(|bytes| bytes.len() <= SMALL.max(snapshot.base_size() / SHARE));
        }
        if let Some(changes) = changes {
            replace(&changes_path(&self.path), &changes)?;
        } else {
            // Readers that meet the new store with the old changes see that these belong to another one.
            replace(&self.path, &snapshot.to_bytes().map_err(failed)?)?;
            remove(&changes_path(&self.path))?;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (store, new) = open(&self.path)?;
        self.store.restore(&store.snapshot());
        *state = new;
        Ok(())
    }
}

fn changes_path(path: &Path) -> PathBuf {
    beside(path, ".changes")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |error| FileError::Io { path: path.to_owned(), error }
}

/// Waits until nobody else changes the store. The lock goes with the file that is returned.
fn lock(path: &Path) -> Result<File, FileError> {
    let path = beside(path, ".lock");
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    open.and_then(|file| file.lock().map(|()| file)).map_err(io_error(&path))
}

fn metadata(path: &Path) -> Result<Option<Metadata>, FileError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path)(error)),
    }
}

fn stamps(path: &Path) -> Result<State, FileError> {
    let base = fs::metadata(path).map_err(io_error(path))?;
    let changes = metadata(&changes_path(path))?;
    Ok((Stamp::new(&base), changes.as_ref().map(Stamp::new)))
}

/// Opens both files as they belong together.
fn open(path: &Path) -> Result<(Store, State), FileError> {
    let changes_path = changes_path(path);
    let mut tries = 0;
    loop {
        tries += 1;
        let before = stamps(path)?;
        let base = map(path)?.ok_or_else(|| io_error(path)(io::ErrorKind::NotFound.into()))?;
        let changes = map(&changes_path)?;
        // Neither was replaced while the other was opened.
        if stamps(path)? != before && tries < TRIES {
            continue;
        }
        let failed = |error| FileError::Open { path: path.to_owned(), error };
        let store = Store::open_changed(base, changes).map_err(failed)?;
        return Ok((store, before));
    }
}

/// Maps a file, if it is there.
fn map(path: &Path) -> Result<Option<Arc<dyn AsRef<[u8]> + Send + Sync>>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path)(error)),
    };
    #[expect(unsafe_code, reason = "a file that is mapped must not change; stores are replaced, never written to")]
    // SAFETY: the bytes of a mapping must not change while they are borrowed. Files of stores are made under another
    // name and renamed (`replace`), so nobody who keeps to this module changes one that exists; a rename or removal
    // leaves the mapping as it is. Against others there is no defence in any program that maps files; whatever they
    // write, each block is checked before it is used, and no place that is read from it is used unchecked.
    let map = unsafe { Mmap::map(&file) };
    map.map(|map| Some(Arc::new(map) as Arc<_>)).map_err(io_error(path))
}

/// Puts a file in the place of another one: readers see the old one or the new one, never a part.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = beside(path, &format!(".{}.new", std::process::id()));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = replaced {
        // What cannot be removed stays.
        let _gone = fs::remove_file(&temporary);
        return Err(io_error(path)(error));
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}
