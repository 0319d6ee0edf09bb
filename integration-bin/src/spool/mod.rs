//! Alerts that wait on disk until threat intelligence or the manager is back.
//!
//! The spool is a folder of segments to which any number of processes append at the same time, each record with a
//! checksum. A process that is killed, or a machine that loses power, leaves at most one record that is not whole; it
//! is passed over and counted. One process at a time drains the spool, oldest record first, and keeps its place in a
//! file of its own, so a record is handed out again only if the process died while it worked on it. A record that fails
//! while others get through is put behind them, and counted.
//!
//! The spool is bounded in bytes and in age. What does not fit any more is dropped from the oldest end, and counted.

mod record;
mod tries;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub(crate) use record::Record;
use record::{Next, decode, encode};
use tries::{Tries, key};

use crate::settings::Settings;

/// How much waits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes of all segments together.
    pub(crate) bytes: u64,
    /// Milliseconds after which a record is not worth asking about any more.
    pub(crate) age: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, age: 7 * 24 * 3600 * 1000 }
    }
}

impl Bounds {
    /// As the settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        let usual = Self::default();
        Self {
            bytes: settings.spool_megabytes.map_or(usual.bytes, |megabytes| megabytes.saturating_mul(1 << 20)),
            age: settings.spool_hours.map_or(usual.age, |hours| i64::from(hours) * 3_600_000),
        }
    }
}

/// What was lost, for one line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Records dropped because the spool was full.
    pub(crate) full: u64,
    /// Records dropped because they were too old.
    pub(crate) old: u64,
    /// Places in segments that are no whole record.
    pub(crate) damaged: u64,
    /// Records that failed each time, while others got through.
    pub(crate) failed: u64,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { full, old, damaged, failed } = self;
        write!(formatter, "{full} because too much waited, {old} too old, {damaged} damaged, {failed} failed each time")
    }
}

impl Lost {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// How many alerts that are.
    pub(crate) fn count(self) -> u64 {
        self.full + self.old + self.damaged + self.failed
    }

    fn add(&mut self, other: Self) {
        self.full += other.full;
        self.old += other.old;
        self.damaged += other.damaged;
        self.failed += other.failed;
    }
}

/// A folder of alerts that wait.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    bounds: Bounds,
}

/// The share of the whole that one segment may take: dropping the oldest one loses no more than that.
const SEGMENTS: u64 = 16;

impl Spool {
    /// The spool in this folder, which is made if it is not there.
    pub(crate) fn open(folder: &Path, bounds: Bounds) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), bounds })
    }

    /// Puts an alert behind the others and answers what had to go for it.
    ///
    /// When this returns, the alert survives the loss of power.
    pub(crate) fn append(&self, alert: &[u8], now: i64) -> io::Result<Lost> {
        let bytes = encode(now, alert)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the alert is too long to be kept"))?;
        let _lock = self.lock("append.lock")?;
        let mut lost = Lost::default();
        let mut segments = self.segments()?;
        let mut total: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let wanted = bytes.len() as u64;
        while total + wanted > self.bounds.bytes && !segments.is_empty() {
            let oldest = segments.remove(0);
            // A record that the drain has handed out already is not lost.
            lost.add(self.count(&oldest)?);
            fs::remove_file(self.path(oldest.number))?;
            total -= oldest.bytes;
        }
        let limit = (self.bounds.bytes / SEGMENTS).max(1);
        let number = match segments.last() {
            Some(last) if last.bytes + wanted <= limit => last.number,
            Some(last) => last.number + 1,
            // Numbers go on from where the drain is, so that it does not pass over what comes now.
            None => self.place()?.segment + 1,
        };
        let path = self.path(number);
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            // A part of a record would be taken for damage. The error is that of the write.
            let _as_before = file.set_len(before);
            return Err(error);
        }
        if is_new {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(lost)
    }

    /// Takes over what waits elsewhere, as old as it is. Nothing, while another process drains that.
    pub(crate) fn take_over(&self, other: &Path) -> io::Result<Lost> {
        let other = Self { folder: other.to_owned(), bounds: self.bounds };
        let mut lost = Lost::default();
        if other.is_empty()? {
            return Ok(lost);
        }
        let Some(mut drain) = other.drain()? else { return Ok(lost) };
        // Whether one is too old is found out when it is handed out here.
        while let Some(record) = drain.next(i64::MIN)? {
            lost.add(self.append(&record.alert, record.time)?);
            drain.done()?;
        }
        lost.add(drain.lost);
        Ok(lost)
    }

    /// Whether nothing waits. Cheap: no file is read.
    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.segments()?.is_empty())
    }

    /// How much waits, in bytes. What was handed out since the last segment was begun counts, too.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        Ok(self.segments()?.iter().map(|segment| segment.bytes).sum())
    }

    /// The records from the oldest on, for one process at a time: `None` while another one drains the spool.
    pub(crate) fn drain(&self) -> io::Result<Option<Drain<'_>>> {
        let Some(lock) = self.try_lock("drain.lock")? else { return Ok(None) };
        let place = self.place()?;
        let tries = Tries::read(&self.folder);
        Ok(Some(Drain {
            spool: self,
            _lock: lock,
            place,
            segment: Vec::new(),
            loaded: None,
            lost: Lost::default(),
            tries,
            aside: HashSet::new(),
        }))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016}.spool"))
    }

    fn segments(&self) -> io::Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for entry in self.folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".spool")).and_then(|name| name.parse().ok());
            if let Some(number) = number {
                segments.push(Segment { number, bytes: entry.metadata()?.len() });
            }
        }
        segments.sort_unstable_by_key(|segment| segment.number);
        Ok(segments)
    }

    /// What is lost with a segment.
    fn count(&self, segment: &Segment) -> io::Result<Lost> {
        let place = self.place()?;
        let bytes = fs::read(self.path(segment.number))?;
        let mut lost = Lost::default();
        let mut at = if place.segment == segment.number { usize::try_from(place.offset).unwrap_or(0) } else { 0 };
        loop {
            match decode(&bytes, at) {
                Next::Record(_, next) => {
                    lost.full += 1;
                    at = next;
                }
                Next::Damage(next) => {
                    lost.damaged += 1;
                    at = next;
                }
                Next::End => return Ok(lost),
            }
        }
    }

    fn place(&self) -> io::Result<Place> {
        match fs::read_to_string(self.folder.join("place")) {
            // A place that cannot be read starts over: records are handed out twice rather than not at all.
            Ok(text) => Ok(text.split_once(' ').and_then(Place::read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::default()),
            Err(error) => Err(error),
        }
    }

    fn keep(&self, place: Place) -> io::Result<()> {
        let temporary = self.folder.join("place.new");
        let mut file = File::create(&temporary)?;
        writeln!(file, "{} {}", place.segment, place.offset)?;
        file.sync_data()?;
        fs::rename(temporary, self.folder.join("place"))
    }

    fn lock(&self, name: &str) -> io::Result<File> {
        let file = self.lock_file(name)?;
        file.lock()?;
        Ok(file)
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
        let file = self.lock_file(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn lock_file(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join(name))
    }
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    number: u64,
    bytes: u64,
}

/// Up to where records were handed out and done with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    segment: u64,
    offset: u64,
}

impl Place {
    fn read((segment, offset): (&str, &str)) -> Option<Self> {
        Some(Self { segment: segment.trim().parse().ok()?, offset: offset.trim().parse().ok()? })
    }
}

/// The right to take records out. [`Drain::next`] hands one out, [`Drain::done`] says that it is done with.
#[derive(Debug)]
pub(crate) struct Drain<'s> {
    spool: &'s Spool,
    _lock: File,
    place: Place,
    segment: Vec<u8>,
    /// The segment that was read into memory.
    loaded: Option<u64>,
    /// What was passed over so far.
    pub(crate) lost: Lost,
    tries: Tries,
    /// What was put behind all others.
    aside: HashSet<u64>,
}

impl Drain<'_> {
    /// The oldest record that is not done with, and not too old. `None` behind the last one, and before those that were put
    /// aside.
    pub(crate) fn next(&mut self, now: i64) -> io::Result<Option<Record>> {
        loop {
            if self.loaded != Some(self.place.segment) && !self.load()? {
                return Ok(None);
            }
            let at = usize::try_from(self.place.offset).unwrap_or(usize::MAX);
            match decode(&self.segment, at) {
                Next::Record(record, next) if now.saturating_sub(record.time) > self.spool.bounds.age => {
                    self.lost.old += 1;
                    self.place.offset = next as u64;
                }
                Next::Record(record, _) if self.aside.contains(&key(&record)) => return Ok(None),
                Next::Record(record, _) => return Ok(Some(record)),
                Next::Damage(next) => {
                    self.lost.damaged += 1;
                    self.place.offset = next as u64;
                }
                Next::End => {
                    if !self.advance()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The record handed out last is done with.
    pub(crate) fn done(&mut self) -> io::Result<()> {
        self.pass(true)
    }

    fn pass(&mut self, is_done: bool) -> io::Result<()> {
        let at = usize::try_from(self.place.offset).unwrap_or(usize::MAX);
        if let Next::Record(record, next) = decode(&self.segment, at) {
            if is_done {
                self.tries.remove(key(&record), &self.spool.folder)?;
            }
            self.place.offset = next as u64;
        }
        self.spool.keep(self.place)
    }

    /// The record handed out last, once more.
    fn record(&self) -> Option<Record> {
        match decode(&self.segment, usize::try_from(self.place.offset).unwrap_or(usize::MAX)) {
            Next::Record(record, _) => Some(record),
            _ => None,
        }
    }

    /// The record handed out last failed while others get through. Answers how often it did by now, whoever tried.
    pub(crate) fn failed(&mut self) -> io::Result<u32> {
        self.record().map_or(Ok(0), |record| self.tries.add(key(&record), &self.spool.folder))
    }

    /// Puts the record handed out last behind all others, as old as it is. This drain does not hand it out again.
    pub(crate) fn put_aside(&mut self) -> io::Result<()> {
        let Some(record) = self.record() else { return Ok(()) };
        // Should the process die in between, it is there twice rather than not at all.
        let lost = self.spool.append(&record.alert, record.time)?;
        self.lost.add(lost);
        self.aside.insert(key(&record));
        self.pass(false)
    }

    /// Reads the segment at the place, or the first one behind it.
    fn load(&mut self) -> io::Result<bool> {
        // A record that is being appended would be half of one.
        let _lock = self.spool.lock("append.lock")?;
        let segments = self.spool.segments()?;
        let Some(segment) = segments.iter().find(|segment| segment.number >= self.place.segment) else {
            return Ok(false);
        };
        if segment.number != self.place.segment {
            self.place = Place { segment: segment.number, offset: 0 };
        }
        self.segment.clear();
        match File::open(self.spool.path(segment.number)) {
            Ok(mut file) => file.read_to_end(&mut self.segment)?,
            // It was dropped because the spool was full.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        self.loaded = Some(segment.number);
        Ok(true)
    }

    /// Goes on behind the end of what was read: with what was appended since, or with the next segment. Answers
    /// whether there may be more.
    fn advance(&mut self) -> io::Result<bool> {
        // While no one appends, what is read to the end can go.
        let _lock = self.spool.lock("append.lock")?;
        let path = self.spool.path(self.place.segment);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > self.segment.len() as u64 => {
                self.loaded = None;
                return Ok(true);
            }
            Ok(_) => {
                self.place = Place { segment: self.place.segment + 1, offset: 0 };
                self.spool.keep(self.place)?;
                fs::remove_file(path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.place = Place { segment: self.place.segment + 1, offset: 0 };
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
