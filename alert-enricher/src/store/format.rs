//! The file format of a segment: header, sections, and the sums that tell damage.
//!
//! ```text
//! header (64 bytes)      magic, version, byte order, normal forms, length, seed, identity, sum of the header
//! section table          24 bytes per section: number, place, length
//! sections               each at a multiple of 8 bytes
//! sums                   one XXH3-64 per block of 16 KiB between the section table and the sums
//! ```
//!
//! All numbers are little-endian. `docs/store.md` describes each section.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use twox_hash::XxHash3_64;

use super::bytes::{u32_at, u64_at};

/// The first bytes of a store. Like those of PNG, they show what a transfer as text does to a file.
const MAGIC: [u8; 8] = *b"\x89IOC\r\n\x1a\n";
/// The version of the format. Every change of what is in the file or of what it means is a new one.
pub(super) const VERSION: u32 = 1;
/// Reads as another number where bytes are in another order.
const BYTE_ORDER: u32 = 0x0102_0304;
/// The version of the normal forms. A value is found by the form it was stored in, so every change of
/// [`Key::new`](crate::indicator::Key::new) or of what is read in alerts is a new one.
pub(super) const NORMAL_FORMS: u32 = 2;
const HEADER: usize = 64;
const ENTRY: usize = 24;
/// Damage is told per block of so many bytes.
const BLOCK: usize = 16 * 1024;
/// Stores up to this size are verified as a whole when they are opened.
const SMALL: usize = 1 << 20;

/// The sections of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Section {
    /// What is in the segment, as numbers.
    Shape,
    /// One word of bits per few values.
    Filter,
    /// Where the entries of each bucket begin.
    Buckets,
    /// The values with the numbers of their records.
    Entries,
    /// Networks of IPv4 addresses.
    NetworksV4,
    /// Networks of IPv6 addresses.
    NetworksV6,
    /// The indicators, in the order of their identifiers.
    Records,
    /// Object types.
    Types,
    /// Names and patterns.
    Texts,
    /// Sets of labels.
    Labels,
    /// One bit per four bytes that patterns need.
    Grams,
    /// Texts that patterns need.
    Literals,
    /// Patterns that need a field, but no particular value.
    Always,
    /// Where the values came from and what was skipped, for people.
    About,
    /// Identifiers that another segment has no more.
    Removed,
}

impl Section {
    pub(super) const COUNT: usize = 15;
    /// What every look-up touches, verified at once.
    const HOT: [Self; 8] = [
        Self::Shape,
        Self::Filter,
        Self::Buckets,
        Self::NetworksV4,
        Self::NetworksV6,
        Self::Types,
        Self::Grams,
        Self::Always,
    ];

    fn name(place: usize) -> &'static str {
        const NAMES: [&str; Section::COUNT] = [
            "shape",
            "filter",
            "buckets",
            "entries",
            "networks of IPv4",
            "networks of IPv6",
            "records",
            "types",
            "texts",
            "labels",
            "grams",
            "literals",
            "unindexed patterns",
            "description",
            "removed",
        ];
        NAMES.get(place).copied().unwrap_or("unknown")
    }
}

/// Why a store cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is something else.
    #[error("not an indicator store")]
    NotAStore,
    /// The file is of another version of the format.
    #[error("the store has format {found}, and this program reads format {VERSION}: build it again")]
    Version {
        /// The version of the file.
        found: u32,
    },
    /// The file was written with the bytes of numbers in another order.
    #[error("the store was written on a machine with another byte order: build it again")]
    ByteOrder,
    /// The values are in other normal forms than those that alerts are read into.
    #[error(
        "the store has its values in the normal forms {found}, and this program reads alerts into {expected}: build it again"
    )]
    NormalForms {
        /// Those of the file.
        found: String,
        /// Those of this program.
        expected: String,
    },
    /// There is less or more than the header says.
    #[error("the store is incomplete: {expected} bytes are expected, and {found} are there")]
    Length {
        /// What the header says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The content is not what was written.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// The content of a store is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is damaged ({what}, at byte {place}): build it again")]
pub struct Damaged {
    /// What is damaged.
    pub what: &'static str,
    /// Where, in bytes from the beginning of the file.
    pub place: u64,
}

impl Damaged {
    pub(super) fn new(section: Section, place: usize) -> Self {
        Self { what: Section::name(section as usize), place: place as u64 }
    }
}

/// Whether bytes begin as a store does.
#[cfg(feature = "mmap")]
pub(super) fn is_store(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// The version of Rust's Unicode tables, which fold the case of names and paths.
fn unicode() -> u32 {
    let (major, minor, update) = char::UNICODE_VERSION;
    u32::from(major) << 16 | u32::from(minor) << 8 | u32::from(update)
}

fn normal_forms(forms: u32, unicode: u32) -> String {
    let [update, minor, major, _] = unicode.to_le_bytes();
    format!("{forms} (Unicode {major}.{minor}.{update})")
}

fn sum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

fn align(length: usize) -> usize {
    length.next_multiple_of(8)
}

/// The bytes of a segment with these sections, in the order of [`Section`]. Each section goes when it is written.
pub(super) fn write(seed: u64, sections: [Vec<u8>; Section::COUNT]) -> Vec<u8> {
    let body = HEADER + Section::COUNT * ENTRY;
    let content: usize = sections.iter().map(|section| align(section.len())).sum();
    let sums = body + content;
    let length = sums + content.div_ceil(BLOCK) * 8;
    let mut out = Vec::with_capacity(length);
    out.resize(body, 0);
    let mut table = Vec::with_capacity(Section::COUNT * ENTRY);
    for (number, section) in (0_u64..).zip(sections) {
        for value in [number, out.len() as u64, section.len() as u64] {
            table.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&section);
        out.resize(align(out.len()), 0);
    }
    let blocks: Vec<u64> = out[body..].chunks(BLOCK).map(sum).collect();
    for block in blocks {
        out.extend_from_slice(&block.to_le_bytes());
    }
    let identity = sum(&out[sums..]);
    let mut header = Vec::with_capacity(body);
    header.extend_from_slice(&MAGIC);
    for number in [VERSION, BYTE_ORDER, NORMAL_FORMS, unicode()] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    for number in [out.len() as u64, seed, Section::COUNT as u64, identity] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    // The sum of the header covers the table, too.
    let mut summed = header.clone();
    summed.extend_from_slice(&table);
    header.extend_from_slice(&sum(&summed).to_le_bytes());
    header.extend_from_slice(&table);
    out[..body].copy_from_slice(&header);
    out
}

/// Makes the length and all sums of a store fit its bytes, so that a test reaches what is behind them. Bytes that have
/// no place for the sums stay as they are.
#[cfg(feature = "testing")]
pub fn reseal(file: &mut [u8]) {
    let body = HEADER + Section::COUNT * ENTRY;
    let last = HEADER + (Section::COUNT - 1) * ENTRY;
    let (Some(start), Some(length)) = (u64_at(file, last + 8), u64_at(file, last + 16)) else { return };
    let end = usize::try_from(start.saturating_add(length)).ok().and_then(|end| end.checked_next_multiple_of(8));
    let Some(end) = end.filter(|end| (body..=file.len()).contains(end)) else { return };
    let sums: Vec<u64> = file[body..end].chunks(BLOCK).map(sum).collect();
    let whole = file.len() as u64;
    let Some(place) = file.get_mut(end..end + sums.len() * 8) else { return };
    for (place, sum) in place.chunks_exact_mut(8).zip(sums) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    let identity = sum(&file[end..]);
    file[..8].copy_from_slice(&MAGIC);
    for (place, number) in [(8, VERSION), (12, BYTE_ORDER), (16, NORMAL_FORMS), (20, unicode())] {
        file[place..place + 4].copy_from_slice(&number.to_le_bytes());
    }
    for (place, number) in [(24, whole), (40, Section::COUNT as u64), (48, identity)] {
        file[place..place + 8].copy_from_slice(&number.to_le_bytes());
    }
    let mut summed = file[..56].to_vec();
    summed.extend_from_slice(&file[HEADER..body]);
    let header = sum(&summed);
    file[56..64].copy_from_slice(&header.to_le_bytes());
}

/// Where everything is in the bytes of a segment, and which blocks were verified.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) seed: u64,
    /// Tells this content from any other.
    #[cfg_attr(not(feature = "mmap"), expect(dead_code, reason = "told from others in files only"))]
    pub(super) identity: u64,
    sections: [Range<usize>; Section::COUNT],
    body: usize,
    sums: usize,
    /// One bit per block that was verified. Absent where the bytes were made by this process.
    verified: Option<Box<[AtomicU64]>>,
}

impl Layout {
    /// Reads header and tables. Bytes that were made by this process are `trusted` to be undamaged.
    pub(super) fn read(file: &[u8], trusted: bool) -> Result<Self, OpenError> {
        let header = |place: usize| u64_at(file, place).ok_or(OpenError::NotAStore);
        let number = |place: usize| u32_at(file, place).ok_or(OpenError::NotAStore);
        if !file.starts_with(&MAGIC) {
            return Err(OpenError::NotAStore);
        }
        let (version, order) = (number(8)?, number(12)?);
        if order == BYTE_ORDER.swap_bytes() {
            return Err(OpenError::ByteOrder);
        }
        if version != VERSION || order != BYTE_ORDER {
            return Err(OpenError::Version { found: version });
        }
        let (forms, tables) = (number(16)?, number(20)?);
        if (forms, tables) != (NORMAL_FORMS, unicode()) {
            let (found, expected) = (normal_forms(forms, tables), normal_forms(NORMAL_FORMS, unicode()));
            return Err(OpenError::NormalForms { found, expected });
        }
        let (length, seed, count, identity) = (header(24)?, header(32)?, header(40)?, header(48)?);
        if length != file.len() as u64 {
            return Err(OpenError::Length { expected: length, found: file.len() as u64 });
        }
        let damaged = |what, place: usize| Damaged { what, place: place as u64 };
        let body = HEADER + Section::COUNT * ENTRY;
        let table = file.get(HEADER..body).ok_or(damaged("header", HEADER))?;
        if !trusted {
            let mut summed = file.get(..56).unwrap_or_default().to_vec();
            summed.extend_from_slice(table);
            if count != Section::COUNT as u64 || header(56)? != sum(&summed) {
                return Err(damaged("header", 0).into());
            }
        }
        let mut sections: [Range<usize>; Section::COUNT] = Default::default();
        let mut end = body;
        for (place, section) in sections.iter_mut().enumerate() {
            let at = HEADER + place * ENTRY;
            let (start, length) = (header(at + 8)?, header(at + 16)?);
            let range = usize::try_from(start).ok().zip(usize::try_from(length).ok());
            let range = range.and_then(|(start, length)| Some(start..start.checked_add(length)?));
            let range = range.filter(|range| range.start == end && range.end <= file.len());
            *section = range.ok_or(damaged("section table", at))?;
            end = align(section.end);
        }
        let blocks = end.checked_sub(body).ok_or(damaged("section table", HEADER))?.div_ceil(BLOCK);
        let sums = file.get(end..).filter(|sums| sums.len() == blocks * 8).ok_or(damaged("sums", end))?;
        let verified = if trusted {
            None
        } else {
            if sum(sums) != identity {
                return Err(damaged("sums", end).into());
            }
            Some((0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
        };
        let layout = Self { seed, identity, sections, body, sums: end, verified };
        if file.len() <= SMALL {
            layout.verify(file)?;
        } else {
            for section in Section::HOT {
                layout.section(file, section).all()?;
            }
        }
        Ok(layout)
    }

    /// Verifies every block.
    pub(super) fn verify(&self, file: &[u8]) -> Result<(), Damaged> {
        self.ensure(file, self.body..self.sums, "content")
    }

    #[inline]
    pub(super) fn section<'a>(&'a self, file: &'a [u8], section: Section) -> Checked<'a> {
        let range = self.sections[section as usize].clone();
        Checked { layout: self, file, section, start: range.start, bytes: file.get(range).unwrap_or_default() }
    }

    /// Verifies the blocks of a range that were not yet.
    #[inline]
    fn ensure(&self, file: &[u8], range: Range<usize>, what: &'static str) -> Result<(), Damaged> {
        let Some(verified) = &self.verified else { return Ok(()) };
        if range.is_empty() {
            return Ok(());
        }
        for block in (range.start - self.body) / BLOCK..=(range.end - 1 - self.body) / BLOCK {
            let bit = 1 << (block % 64);
            let word = verified.get(block / 64).ok_or(Damaged { what, place: range.start as u64 })?;
            if word.load(Ordering::Relaxed) & bit == 0 {
                self.ensure_block(file, block, what)?;
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    #[cold]
    fn ensure_block(&self, file: &[u8], block: usize, what: &'static str) -> Result<(), Damaged> {
        let start = self.body + block * BLOCK;
        let end = (start + BLOCK).min(self.sums);
        let bytes = file.get(start..end);
        let wanted = u64_at(file, self.sums + block * 8);
        let right = bytes.zip(wanted).is_some_and(|(bytes, wanted)| sum(bytes) == wanted);
        if right { Ok(()) } else { Err(Damaged { what, place: start as u64 }) }
    }
}

/// A section that is verified where it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked<'a> {
    layout: &'a Layout,
    file: &'a [u8],
    section: Section,
    start: usize,
    bytes: &'a [u8],
}

impl<'a> Checked<'a> {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of a range.
    #[inline]
    pub(super) fn get(&self, range: Range<usize>) -> Result<&'a [u8], Damaged> {
        let bytes = self.bytes.get(range.clone()).ok_or_else(|| self.damaged(range.start))?;
        let place = self.start + range.start;
        self.layout.ensure(self.file, place..place + bytes.len(), Section::name(self.section as usize))?;
        Ok(bytes)
    }

    /// All bytes.
    pub(super) fn all(&self) -> Result<&'a [u8], Damaged> {
        self.get(0..self.bytes.len())
    }

    /// All bytes of a section that was verified when the file was opened.
    #[inline]
    pub(super) fn hot(&self) -> &'a [u8] {
        self.bytes
    }

    /// What to say where the bytes make no sense.
    #[cold]
    pub(super) fn damaged(&self, place: usize) -> Damaged {
        Damaged::new(self.section, self.start.saturating_add(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let sections = std::array::from_fn(|place| vec![u8::try_from(place).unwrap() + 1; place * 7]);
        write(5, sections)
    }

    #[test]
    fn sections_come_back() {
        let bytes = sample();
        let layout = Layout::read(&bytes, false).unwrap();
        assert_eq!(layout.seed, 5);
        assert_eq!(layout.section(&bytes, Section::Buckets).all().unwrap(), [3; 14]);
        assert_eq!(layout.section(&bytes, Section::Removed).all().unwrap(), [15; 98]);
        assert!(layout.section(&bytes, Section::Removed).get(90..99).is_err());
    }

    #[test]
    fn every_damage_is_told() {
        let bytes = sample();
        for place in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut damaged = bytes.clone();
                damaged[place] ^= bit;
                assert!(Layout::read(&damaged, false).is_err(), "byte {place}");
            }
        }
        for length in 0..bytes.len() {
            assert!(Layout::read(&bytes[..length], false).is_err(), "{length} bytes");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(matches!(Layout::read(&longer, false), Err(OpenError::Length { .. })));
    }

    #[test]
    fn other_versions_are_named() {
        let mut other = sample();
        other[8] = 2;
        assert_eq!(Layout::read(&other, false).unwrap_err(), OpenError::Version { found: 2 });
        let mut other = sample();
        other[12..16].reverse();
        assert_eq!(Layout::read(&other, false).unwrap_err(), OpenError::ByteOrder);
        let mut other = sample();
        other[16] = 9;
        assert!(Layout::read(&other, false).unwrap_err().to_string().contains("normal forms 9 (Unicode"));
        assert_eq!(Layout::read(b"{}", false).unwrap_err(), OpenError::NotAStore);
    }

    #[test]
    fn large_files_are_verified_where_they_are_read() {
        let mut sections: [Vec<u8>; Section::COUNT] = Default::default();
        sections[Section::Entries as usize] = vec![7; 2 * SMALL];
        let mut bytes = write(0, sections);
        let place = SMALL + 100;
        bytes[place] ^= 1;
        let layout = Layout::read(&bytes, false).unwrap();
        let entries = layout.section(&bytes, Section::Entries);
        assert!(entries.get(0..1_000).is_ok());
        assert!(entries.get(place - 500..place + 500).is_err());
        assert!(entries.get(place - 500..place + 500).is_err(), "damage stays damage");
        assert!(layout.verify(&bytes).is_err());
    }
}
