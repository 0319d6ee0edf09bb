//! From the paths that a user names to the files that are read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Problem, ProblemKind};

/// The name that stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// How deep folders are followed.
const DEPTH: usize = 32;

/// The files that `paths` name, and what is wrong with the rest.
///
/// A file counts whatever its name; in a folder, and in the folders below it, names that end in `.json`, `.ndjson` or
/// `.jsonl`, or in these with `.gz`, in the order of their names. A file that stands there twice (the manager keeps
/// `alerts.json` and today's `ossec-alerts-NN.json` as one file with two names) is read once. `-` is standard input.
pub fn alert_files<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> (Vec<PathBuf>, Vec<Problem>) {
    let mut walk = Walk::default();
    for path in paths {
        let path = path.as_ref();
        if path == Path::new(STANDARD_INPUT) {
            walk.files.push(path.to_owned());
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let before = (walk.files.len(), walk.problems.len());
                // So that a link below does not lead here again.
                walk.is_new(&metadata);
                walk.folder(path, 0);
                if before == (walk.files.len(), walk.problems.len()) {
                    walk.problem(path, ProblemKind::NoAlerts);
                }
            }
            Ok(metadata) => walk.file(path, &metadata),
            Err(error) => walk.problem(path, ProblemKind::Unreadable(error.to_string())),
        }
    }
    (walk.files, walk.problems)
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
    seen: BTreeSet<(u64, u64)>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, ProblemKind::Unreadable(error.to_string())),
        };
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.problem(folder, ProblemKind::Unreadable(error.to_string())),
            }
        }
        paths.sort();
        for path in paths {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    if depth >= DEPTH {
                        self.problem(&path, ProblemKind::Unreadable("folders lie too deep".to_owned()));
                    } else if self.is_new(&metadata) {
                        self.folder(&path, depth + 1);
                    }
                }
                Ok(metadata) if is_alert_file(&path) => self.file(&path, &metadata),
                Ok(_) => {}
                Err(error) if is_alert_file(&path) => self.problem(&path, ProblemKind::Unreadable(error.to_string())),
                // A broken link with another name is nobody's alert file.
                Err(_) => {}
            }
        }
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata) {
        if self.is_new(metadata) {
            self.files.push(path.to_owned());
        } else {
            self.problem(path, ProblemKind::SameFile);
        }
    }

    fn problem(&mut self, path: &Path, kind: ProblemKind) {
        self.problems.push(Problem { path: path.to_owned(), line: None, kind });
    }

    #[cfg(unix)]
    fn is_new(&mut self, metadata: &fs::Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;

        // A pipe or a terminal has no identity that matters.
        (!metadata.is_file() && !metadata.is_dir()) || self.seen.insert((metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "files have no identity here")]
    fn is_new(&mut self, _: &fs::Metadata) -> bool {
        true
    }
}

fn is_alert_file(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()) else { return false };
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending))
}
