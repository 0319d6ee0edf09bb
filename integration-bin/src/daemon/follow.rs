//! Following `alerts.json` as it grows.
//!
//! The manager begins a new file at midnight and at a size limit: `alerts.json` is then another file (another inode),
//! and the old one stays in a folder of its year and month. The rest of the old file is read first, also when the
//! program was not running at that moment and the old file is not compressed yet; and so are those that were begun and
//! ended meanwhile. The place is kept as inode and offset, so that a restart goes on where it stopped, with a checksum of
//! the first line, since an inode may be that of another file later. A file that became shorter is read from its start.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Where in which file the next alert begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The file's inode.
    pub(crate) inode: u64,
    /// Bytes that were read and handed out.
    pub(crate) offset: u64,
    /// Stands for the file's first line; 0 if it is not known.
    pub(crate) first: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} {}", self.inode, self.offset, self.first)
    }
}

impl std::str::FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (inode, rest) = text.trim().split_once(' ').unwrap_or((text, ""));
        // Those of before have no more than two numbers.
        let (offset, first) = rest.split_once(' ').unwrap_or((rest, "0"));
        Ok(Self { inode: inode.parse()?, offset: offset.parse()?, first: first.parse()? })
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
/// So much of the first line tells files apart.
const FIRST: usize = 4 * 1024;
/// What the names of the manager's older files begin with.
const OLDER: &str = "ossec-alerts-";
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
    /// Places at which alerts may be missed: a file is gone, compressed or became shorter before it was read.
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
                    follower.position =
                        Position { inode: metadata.ino(), offset: metadata.len(), first: first_line(&file)? };
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
            if self.position.first == 0 && self.position.offset > 0 {
                self.position.first = first_line(&file)?;
            }
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
                    let old = self.file.take();
                    self.position = Position::default();
                    self.pending.clear();
                    self.skipping = false;
                    if let Some(old) = old {
                        self.begin_next(&old)?;
                    }
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
            self.position = Position { inode: metadata.ino(), ..Position::default() };
            return Ok(Some(file));
        };
        if file.metadata()?.len() < self.position.offset {
            self.gaps += 1;
            self.position = Position { inode: self.position.inode, ..Position::default() };
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

    /// Begins with the file behind this one, if that one was ended in its turn; else the one at the path is next.
    fn begin_next(&mut self, old: &File) -> io::Result<()> {
        let ended = old.metadata()?;
        let at_path = fs::metadata(&self.path).map_or(0, |metadata| metadata.ino());
        let (mut next, mut compressed): (Option<(_, PathBuf)>, u64) = (None, 0);
        for path in older(&self.archive, 3, OLDER) {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let is_other = ![ended.ino(), at_path].contains(&metadata.ino());
            let time = |metadata: &fs::Metadata| (metadata.mtime(), metadata.mtime_nsec());
            if !is_other || time(&metadata) <= time(&ended) {
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "json") {
                compressed += 1;
            } else if next.as_ref().is_none_or(|(best, _)| time(&metadata) < *best) {
                next = Some((time(&metadata), path));
            }
        }
        // One of them may be what the old one was compressed to.
        if compressed > u64::from(ended.nlink() == 0) {
            self.gaps += 1;
        }
        if let Some((_, path)) = next
            && let Some((file, metadata)) = open(&path)?
        {
            self.position = Position { inode: metadata.ino(), ..Position::default() };
            self.file = Some(file);
        }
        Ok(())
    }

    /// Goes on in the file of the position, wherever it is now.
    fn resume(&mut self, position: Position) -> io::Result<()> {
        let found = match open(&self.path)? {
            Some((file, metadata)) if is_of(&file, &metadata, position)? => Some(file),
            _ => find(&self.archive, position)?,
        };
        let Some(mut file) = found else {
            // Compressed or deleted in the meantime. What is there now is read from its start.
            self.gaps += 1;
            return Ok(());
        };
        if file.metadata()?.len() < position.offset {
            self.gaps += 1;
            self.position = Position { inode: position.inode, ..Position::default() };
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

/// Stands for the first line of a file. 0 if it is not ended yet.
fn first_line(file: &File) -> io::Result<u32> {
    let mut bytes = vec![0; FIRST];
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    bytes.truncate(length);
    let end = memchr::memchr(b'\n', &bytes).or((length == FIRST).then_some(FIRST));
    // A checksum that is 0 is one in four thousand millions.
    Ok(end.map_or(0, |end| crc32fast::hash(&bytes[..end])))
}

/// Whether it is the file in which a position is. An inode may be used again.
fn is_of(file: &File, metadata: &fs::Metadata, position: Position) -> io::Result<bool> {
    Ok(metadata.ino() == position.inode && (position.first == 0 || first_line(file)? == position.first))
}

/// The older files in a folder of years and months whose names begin so, compressed or not.
fn older(folder: &Path, depth: usize, begins: &str) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut paths = Vec::new();
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() && depth > 0 {
            paths.extend(older(&path, depth - 1, begins));
        } else if kind.is_file() {
            let is_older = entry.file_name().to_str().is_some_and(|name| name.starts_with(begins));
            let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str()).map(str::to_owned);
            let is_alerts = match ending(&path).as_deref() {
                Some("json") => true,
                Some("gz") => ending(&path.with_extension("")).as_deref() == Some("json"),
                _ => false,
            };
            if is_older && is_alerts {
                paths.push(path);
            }
        }
    }
    paths
}

/// The older file in which a position is.
fn find(archive: &Path, position: Position) -> io::Result<Option<File>> {
    for path in older(archive, 3, "") {
        if fs::metadata(&path).is_ok_and(|metadata| metadata.ino() == position.inode)
            && let Some((file, metadata)) = open(&path)?
            && is_of(&file, &metadata, position)?
        {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
