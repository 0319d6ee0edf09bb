//! How often records failed while others got through, so that one that never does keeps the others no longer than needed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::{fmt::Write as _, fs, io};

use super::Record;

const FILE: &str = "tries";
/// So many are remembered. More are hardly ever there; then counting begins anew.
const MOST: usize = 1_000;

/// What tells one record from all others.
pub(super) fn key(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.time, &record.alert).hash(&mut hasher);
    hasher.finish()
}

/// Numbers of failures by record, in a file of the spool. Whoever drains it is the only one to touch them.
#[derive(Debug, Default)]
pub(super) struct Tries(HashMap<u64, u32>);

impl Tries {
    /// What is remembered. A file that cannot be read only costs further tries.
    pub(super) fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(FILE)).unwrap_or_default();
        let one = |line: &str| {
            let (key, tries) = line.split_once(' ')?;
            Some((u64::from_str_radix(key, 16).ok()?, tries.parse().ok()?))
        };
        Self(text.lines().take(MOST).filter_map(one).collect())
    }

    /// Counts one more, and answers how many there were.
    pub(super) fn add(&mut self, key: u64, folder: &Path) -> io::Result<u32> {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        let tries = self.0.entry(key).or_default();
        *tries = tries.saturating_add(1);
        let tries = *tries;
        self.write(folder).map(|()| tries)
    }

    /// The record is done with.
    pub(super) fn remove(&mut self, key: u64, folder: &Path) -> io::Result<()> {
        if self.0.remove(&key).is_some() { self.write(folder) } else { Ok(()) }
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(FILE);
        if self.0.is_empty() {
            return fs::remove_file(path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            });
        }
        let mut text = String::new();
        for (key, tries) in &self.0 {
            let _infallible = writeln!(text, "{key:x} {tries}");
        }
        let new = folder.join("tries.new");
        fs::write(&new, text)?;
        fs::rename(new, path)
    }
}
