//! Following `alerts.json` as it grows.
//!
//! The manager begins a new file at midnight and at a size limit: `alerts.json` is then another file (another inode),
//! and the old one stays in a folder of its year and month. The rest of the old file is read first, also when the
//! program was not running at that moment and the old file is not compressed yet. The place is kept as inode and
//! offset, so that a restart goes on where it stopped; a file that became shorter is read from its start.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where in which file the next alert begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The file's inode.
    pub(crate) inode: u64,
    /// Bytes that were read and handed out.
    pub(crate) offset: u64,
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.inode, self.offset)
    }
}

impl std::str::FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (inode, offset) = text.trim().split_once(' ').unwrap_or((text, ""));
        Ok(Self { inode: inode.parse()?, offset: offset.parse()? })
    }
}

/// Where to begin without a position of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With what is there already.
    Beginning,
    /// With what comes from now on.
    End,
}

/// Alerts longer than this are not kept in memory to their end; they are passed over and counted.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// A file that grows.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    /// The folder in which older files may be found.
    archive: PathBuf,
    file: Option<File>,
    position: Position,
    /// Bytes behind the position: a line that is not whole yet.
    pending: Vec<u8>,
    /// Whether the line at the position is too long.
    skipping: bool,
    /// Lines that were passed over because they are too long.
    pub(crate) too_long: u64,
    /// Positions that were lost: the file they belong to is gone or became shorter.
    pub(crate) gaps: u64,
}

impl Follower {
    /// Follows the file at `path` from a position of an earlier run, or from where `start` says.
    pub(crate) fn new(path: &Path, position: Option<Position>, start: Start) -> io::Result<Self> {
        let archive = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let mut follower = Self {
            path: path.to_owned(),
            archive,
            file: None,
            position: Position::default(),
            pending: Vec::new(),
            skipping: false,
            too_long: 0,
            gaps: 0,
        };
        match position {
            Some(position) => follower.resume(position)?,
            None if start == Start::End => {
                if let Some((mut file, metadata)) = open(path)? {
                    file.seek(SeekFrom::Start(metadata.len()))?;
                    follower.position = Position { inode: metadata.ino(), offset: metadata.len() };
                    follower.file = Some(file);
                }
            }
            None => {}
        }
        Ok(follower)
    }

    /// Where the next alert begins: to keep once everything before it is done with.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Hands out what was written since, line by line, until there is no more or `each` answers `false`.
    ///
    /// Answers how many lines there were. A line that is not ended yet waits for the next call.
    pub(crate) fn poll(&mut self, mut each: impl FnMut(&[u8]) -> bool) -> io::Result<usize> {
        let mut lines = 0;
        let mut rotated = false;
        loop {
            let Some(mut file) = self.current()? else { return Ok(lines) };
            let read = self.read(&mut file, &mut lines, &mut each);
            self.file = Some(file);
            match read? {
                Read::Stopped => return Ok(lines),
                // What was written between the last read and the new file is read in one more round.
                Read::End if !rotated => {
                    rotated = self.rotated()?;
                    if !rotated {
                        return Ok(lines);
                    }
                }
                Read::End => {
                    rotated = false;
                    // Nobody writes to the old file any more. What is left there without an end never gets one.
                    self.file = None;
                    self.position = Position::default();
                    self.pending.clear();
                    self.skipping = false;
                }
            }
        }
    }

    fn read(&mut self, file: &mut File, lines: &mut usize, each: &mut impl FnMut(&[u8]) -> bool) -> io::Result<Read> {
        loop {
            let mut start = 0;
            let mut go_on = true;
            while let Some(length) = memchr::memchr(b'\n', &self.pending[start..]).filter(|_| go_on) {
                let line = &self.pending[start..start + length];
                if !std::mem::take(&mut self.skipping) && !line.trim_ascii().is_empty() {
                    *lines += 1;
                    go_on = each(line);
                }
                start += length + 1;
            }
            self.pending.drain(..start);
            self.position.offset += start as u64;
            if !go_on {
                return Ok(Read::Stopped);
            }
            if self.pending.len() > LONGEST_LINE {
                self.too_long += u64::from(!self.skipping);
                self.skipping = true;
                self.position.offset += self.pending.len() as u64;
                self.pending.clear();
            }
            let known = self.pending.len();
            self.pending.resize(known + PIECE, 0);
            let read = file.read(&mut self.pending[known..]);
            self.pending.truncate(known + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                return Ok(Read::End);
            }
        }
    }

    /// The file at hand, or the one at the path; from its start if it became shorter.
    fn current(&mut self) -> io::Result<Option<File>> {
        let Some(mut file) = self.file.take() else {
            let Some((file, metadata)) = open(&self.path)? else { return Ok(None) };
            self.position = Position { inode: metadata.ino(), offset: 0 };
            return Ok(Some(file));
        };
        if file.metadata()?.len() < self.position.offset {
            self.gaps += 1;
            self.position.offset = 0;
            self.pending.clear();
            self.skipping = false;
            file.seek(SeekFrom::Start(0))?;
        }
        Ok(Some(file))
    }

    /// Whether another file stands at the path.
    fn rotated(&self) -> io::Result<bool> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(metadata.ino() != self.position.inode),
            // Between two files there may be none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Goes on in the file of the position, wherever it is now.
    fn resume(&mut self, position: Position) -> io::Result<()> {
        let found = match open(&self.path)? {
            Some((file, metadata)) if metadata.ino() == position.inode => Some(file),
            _ => find(&self.archive, position.inode, 3)?,
        };
        let Some(mut file) = found else {
            // Compressed or deleted in the meantime. What is there now is read from its start.
            self.gaps += 1;
            return Ok(());
        };
        if file.metadata()?.len() < position.offset {
            self.gaps += 1;
            self.position = Position { offset: 0, ..position };
        } else {
            file.seek(SeekFrom::Start(position.offset))?;
            self.position = position;
        }
        self.file = Some(file);
        Ok(())
    }
}

enum Read {
    /// Nothing more at the moment.
    End,
    /// The caller has enough.
    Stopped,
}

fn open(path: &Path) -> io::Result<Option<(File, fs::Metadata)>> {
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            Ok(Some((file, metadata)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The JSON file with this inode in a folder of years and months.
fn find(folder: &Path, inode: u64, depth: usize) -> io::Result<Option<File>> {
    let Ok(entries) = folder.read_dir() else { return Ok(None) };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folders.push(entry.path());
        } else if kind.is_file()
            && entry.metadata()?.ino() == inode
            && entry.path().extension().is_some_and(|ending| ending == "json")
        {
            return Ok(open(&entry.path())?.map(|(file, _)| file));
        }
    }
    if depth > 0 {
        for below in folders {
            if let Some(file) = find(&below, inode, depth - 1)? {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    struct Manager {
        folder: tempfile::TempDir,
    }

    impl Manager {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("alerts.json")
        }

        fn write(&self, text: &str) {
            let mut file = File::options().create(true).append(true).open(self.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        /// As the manager does at midnight: the day's file keeps its inode, `alerts.json` gets a new one.
        fn rotate(&self) {
            let month = self.folder.path().join("2026/Mar");
            fs::create_dir_all(&month).unwrap();
            fs::rename(self.path(), month.join("ossec-alerts-14.json")).unwrap();
        }
    }

    fn lines(follower: &mut Follower) -> Vec<String> {
        let mut lines = Vec::new();
        follower
            .poll(|line| {
                lines.push(String::from_utf8_lossy(line).into_owned());
                true
            })
            .unwrap();
        lines
    }

    #[test]
    fn only_whole_lines_and_all_of_them() {
        let manager = Manager::new();
        manager.write("zero\n");
        let mut follower = Follower::new(&manager.path(), None, Start::End).unwrap();
        assert!(lines(&mut follower).is_empty());
        manager.write("one\ntw");
        assert_eq!(lines(&mut follower), ["one"]);
        manager.write("o\n\nthree\n");
        assert_eq!(lines(&mut follower), ["two", "three"]);
        assert!(lines(&mut follower).is_empty());
    }

    #[test]
    fn a_new_file_after_the_rest_of_the_old_one() {
        let manager = Manager::new();
        manager.write("one\n");
        let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
        assert_eq!(lines(&mut follower), ["one"]);
        manager.write("two\n");
        manager.rotate();
        manager.write("three\n");
        assert_eq!(lines(&mut follower), ["two", "three"]);
        assert_eq!(follower.gaps, 0);
    }

    #[test]
    fn a_restart_goes_on_where_it_stopped_also_behind_a_rotation() {
        let manager = Manager::new();
        manager.write("one\ntwo\nthree\n");
        let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
        let mut first = Vec::new();
        follower
            .poll(|line| {
                first.push(line.to_vec());
                first.len() < 2
            })
            .unwrap();
        assert_eq!(first, [b"one".to_vec(), b"two".to_vec()]);
        let kept: Position = follower.position().to_string().parse().unwrap();
        assert_eq!(kept, follower.position());

        let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
        assert_eq!(lines(&mut follower), ["three"]);
        let kept = follower.position();
        manager.write("four\n");
        manager.rotate();
        manager.write("five\n");
        let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
        assert_eq!(lines(&mut follower), ["four", "five"]);
        assert_eq!(follower.gaps, 0);
    }

    #[test]
    fn a_file_that_became_shorter_or_is_gone_is_a_gap() {
        let manager = Manager::new();
        manager.write("one\ntwo\n");
        let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
        assert_eq!(lines(&mut follower).len(), 2);
        fs::write(manager.path(), "x\n").unwrap();
        assert_eq!(lines(&mut follower), ["x"]);
        assert_eq!(follower.gaps, 1);
        let gone = Position { inode: u64::MAX, offset: 7 };
        let mut follower = Follower::new(&manager.path(), Some(gone), Start::End).unwrap();
        assert_eq!((lines(&mut follower), follower.gaps), (vec!["x".to_owned()], 1));
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let manager = Manager::new();
        manager.write(&"x".repeat(LONGEST_LINE + PIECE + 5));
        let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
        assert!(lines(&mut follower).is_empty());
        assert!(follower.pending.len() <= LONGEST_LINE);
        manager.write("\nnext\n");
        assert_eq!((lines(&mut follower), follower.too_long), (vec!["next".to_owned()], 1));
    }
}
