//! Alerts that wait on disk until threat intelligence or the manager is back.
//!
//! The spool is a folder of segments to which any number of processes append at the same time, each record with a
//! checksum. A process that is killed, or a machine that loses power, leaves at most one record that is not whole; it
//! is passed over and counted. One process at a time drains the spool, oldest record first, and keeps its place in a
//! file of its own, so a record is handed out again only if the process died while it worked on it.
//!
//! The spool is bounded in bytes and in age. What does not fit any more is dropped from the oldest end, and counted.

mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub(crate) use record::Record;
use record::{Next, decode, encode};

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
}

impl Lost {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn add(&mut self, other: Self) {
        self.full += other.full;
        self.old += other.old;
        self.damaged += other.damaged;
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
        Ok(Some(Drain { spool: self, _lock: lock, place, segment: Vec::new(), loaded: None, lost: Lost::default() }))
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
}

impl Drain<'_> {
    /// The oldest record that is not done with, and not too old.
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
        let at = usize::try_from(self.place.offset).unwrap_or(usize::MAX);
        if let Next::Record(_, next) = decode(&self.segment, at) {
            self.place.offset = next as u64;
        }
        self.spool.keep(self.place)
    }

    /// Reads the segment at the place, or the first one behind it.
    fn load(&mut self) -> io::Result<bool> {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drained(spool: &Spool, now: i64) -> (Vec<Vec<u8>>, Lost) {
        let mut drain = spool.drain().unwrap().unwrap();
        let mut alerts = Vec::new();
        while let Some(record) = drain.next(now).unwrap() {
            alerts.push(record.alert);
            drain.done().unwrap();
        }
        (alerts, drain.lost)
    }

    fn spool(bytes: u64) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool"), Bounds { bytes, age: 1_000 }).unwrap();
        (folder, spool)
    }

    #[test]
    fn in_order_and_once() {
        let (_folder, spool) = spool(1 << 20);
        assert!(spool.is_empty().unwrap());
        for alert in ["a", "b", "c"] {
            assert!(spool.append(alert.as_bytes(), 5).unwrap().is_empty());
        }
        assert_eq!(drained(&spool, 6).0, [b"a", b"b", b"c"]);
        assert!(spool.is_empty().unwrap());
        spool.append(b"d", 7).unwrap();
        assert_eq!(drained(&spool, 8).0, [b"d"]);
    }

    #[test]
    fn what_was_not_done_comes_again() {
        let (_folder, spool) = spool(1 << 20);
        spool.append(b"a", 5).unwrap();
        spool.append(b"b", 5).unwrap();
        {
            let mut drain = spool.drain().unwrap().unwrap();
            assert_eq!(drain.next(6).unwrap().unwrap().alert, b"a");
            drain.done().unwrap();
            assert_eq!(drain.next(6).unwrap().unwrap().alert, b"b");
            // One drains at a time.
            assert!(spool.drain().unwrap().is_none());
        }
        assert_eq!(drained(&spool, 6).0, [b"b"]);
    }

    #[test]
    fn what_comes_while_the_spool_is_drained_is_handed_out() {
        let (_folder, spool) = spool(1 << 20);
        spool.append(b"a", 5).unwrap();
        let mut drain = spool.drain().unwrap().unwrap();
        assert_eq!(drain.next(6).unwrap().unwrap().alert, b"a");
        spool.append(b"b", 5).unwrap();
        drain.done().unwrap();
        assert_eq!(drain.next(6).unwrap().unwrap().alert, b"b");
        drain.done().unwrap();
        assert_eq!(drain.next(6).unwrap(), None);
        spool.append(b"c", 5).unwrap();
        assert_eq!(drain.next(6).unwrap().unwrap().alert, b"c");
    }

    #[test]
    fn the_oldest_goes_when_it_is_full_or_old() {
        let (_folder, spool) = spool(4_000);
        let mut lost = Lost::default();
        for number in 0..100_u8 {
            lost.add(spool.append(&[number; 100], i64::from(number)).unwrap());
        }
        let (alerts, _) = drained(&spool, 100);
        assert_eq!(u64::try_from(alerts.len()).unwrap() + lost.full, 100);
        assert_eq!(alerts.last().unwrap(), &[99; 100]);
        assert!(alerts.is_sorted() && alerts.len() > 20);

        spool.append(b"old", 0).unwrap();
        spool.append(b"new", 5_000).unwrap();
        let (alerts, lost) = drained(&spool, 5_500);
        assert_eq!((alerts, lost.old), (vec![b"new".to_vec()], 1));
    }

    #[test]
    fn many_processes_may_append() {
        let (_folder, spool) = spool(1 << 20);
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let spool = &spool;
                scope.spawn(move || {
                    for number in 0..25_u8 {
                        spool.append(&[thread, number], 5).unwrap();
                    }
                });
            }
        });
        let (mut alerts, lost) = drained(&spool, 6);
        alerts.sort();
        alerts.dedup();
        assert_eq!((alerts.len(), lost), (100, Lost::default()));
    }

    proptest! {
        // Each case waits for the disk.
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// A file that was cut or damaged anywhere costs the records it hits, and no other.
        #[test]
        fn damage_costs_what_it_hits(
            alerts in prop::collection::vec("[a-z]{0,40}", 1..12),
            at in any::<prop::sample::Index>(),
            flip in prop::option::of(1_u8..=255),
        ) {
            let (_folder, spool) = spool(1 << 20);
            let mut ends = Vec::new();
            for alert in &alerts {
                spool.append(alert.as_bytes(), 5).unwrap();
                ends.push(fs::metadata(spool.path(1)).unwrap().len());
            }
            let mut bytes = fs::read(spool.path(1)).unwrap();
            let at = at.index(bytes.len());
            match flip {
                Some(flip) => bytes[at] ^= flip,
                None => bytes.truncate(at),
            }
            fs::write(spool.path(1), &bytes).unwrap();
            let hit = ends.iter().position(|end| at < usize::try_from(*end).unwrap()).unwrap();
            let mut wanted: Vec<Vec<u8>> = alerts.iter().map(|alert| alert.clone().into_bytes()).collect();
            if flip.is_some() { wanted.remove(hit); } else { wanted.truncate(hit); }
            let cut_between = flip.is_none() && (at == 0 || ends.contains(&(at as u64)));
            let (found, lost) = drained(&spool, 6);
            prop_assert_eq!(found, wanted);
            prop_assert_eq!(lost.damaged > 0, !cut_between);
        }
    }
}
