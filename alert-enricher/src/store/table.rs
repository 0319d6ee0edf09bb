//! The table of values: a filter that tells most values that are not there with one look into memory, and buckets of
//! about two entries each that lie behind each other without any pointer.
//!
//! ```text
//! filter     8 bytes per word; a value sets four bits of the word that its hash chooses
//! buckets    where the entries of each bucket begin, 4 bytes each, one more than there are buckets
//! entries    code (1 byte, the top bit: only as a whole), length, number of records, value, records (4 bytes each)
//! ```

use super::bytes::{Cursor, nth_u32, nth_u64, push_varint, u32_at};
use super::format::{Checked, Damaged};

/// Bits of the filter per value.
const FILTER_BITS: usize = 16;
const MIN_WORDS: usize = 32;
/// Marks values that stand for themselves only, not for what lies below them.
pub(super) const WHOLE: u8 = 0x80;

/// A value with its records, to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub(super) hash: u64,
    /// The code, possibly with [`WHOLE`].
    pub(super) code: u8,
    pub(super) value: &'a [u8],
    pub(super) record: u32,
}

/// Filter, buckets and entries.
pub(super) struct Written {
    pub(super) filter: Vec<u8>,
    pub(super) buckets: Vec<u8>,
    pub(super) entries: Vec<u8>,
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "less than `count`")]
fn place(hash: u64, count: usize) -> usize {
    let product = u128::from(hash) * count as u128;
    (product >> 64) as usize
}

/// The four bits of a value in its word: the lower bits of the hash, of which the upper ones choose the word.
#[inline]
fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

/// Writes a table. `counted` is told each different value once. `None` beyond four thousand million bytes.
pub(super) fn write<'a>(mut drafts: Vec<Draft<'a>>, mut counted: impl FnMut(u8, &'a [u8])) -> Option<Written> {
    let count = drafts.len();
    let buckets = (count / 2).max(1);
    drafts.sort_unstable_by_key(|draft| place(draft.hash, buckets));
    let mut rest = drafts.as_mut_slice();
    let words = (count * FILTER_BITS).div_ceil(64).max(MIN_WORDS);
    let mut filter = vec![0_u64; words];
    let mut entries = Vec::with_capacity(count * 32);
    let mut offsets = Vec::with_capacity((buckets + 1) * 4);
    for bucket in 0..buckets {
        offsets.extend_from_slice(&u32::try_from(entries.len()).ok()?.to_le_bytes());
        let here = rest.iter().take_while(|draft| place(draft.hash, buckets) == bucket).count();
        let drafts;
        (drafts, rest) = rest.split_at_mut(here);
        drafts.sort_unstable_by(|one, other| {
            (one.code, one.value, one.record).cmp(&(other.code, other.value, other.record))
        });
        for same in drafts.chunk_by(|one, other| (one.code, one.value) == (other.code, other.value)) {
            let [first, rest @ ..] = same else { continue };
            filter[place(first.hash, words)] |= bits(first.hash);
            counted(first.code, first.value);
            let repeated = rest.iter().zip(same).filter(|(next, before)| next.record == before.record).count();
            entries.push(first.code);
            push_varint(&mut entries, u32::try_from(first.value.len()).ok()?);
            push_varint(&mut entries, u32::try_from(same.len() - repeated).ok()?);
            entries.extend_from_slice(first.value);
            let mut before = None;
            for draft in same.iter().filter(|draft| before.replace(draft.record) != Some(draft.record)) {
                entries.extend_from_slice(&draft.record.to_le_bytes());
            }
        }
    }
    offsets.extend_from_slice(&u32::try_from(entries.len()).ok()?.to_le_bytes());
    let filter = filter.iter().flat_map(|word| word.to_le_bytes()).collect();
    Some(Written { filter, buckets: offsets, entries })
}

/// A value of a table with its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    code: u8,
    pub(super) value: &'a [u8],
    records: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn code(&self) -> u8 {
        self.code & !WHOLE
    }

    /// Whether the value stands for itself only.
    pub(super) fn is_whole(&self) -> bool {
        self.code & WHOLE != 0
    }

    /// The numbers of the records, 4 bytes each.
    pub(super) fn records(&self) -> &'a [u8] {
        self.records
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        numbers(self.records)
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let code = cursor.byte()?;
        let (length, count) = (cursor.varint()?, cursor.varint()?);
        let value = cursor.take(length as usize)?;
        let records = cursor.take((count as usize).checked_mul(4)?)?;
        Some(Self { code, value, records })
    }
}

/// Numbers of 4 bytes.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + use<'_> {
    bytes.chunks_exact(4).filter_map(|number| u32_at(number, 0))
}

/// A table to look values up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    filter: &'a [u8],
    words: usize,
    buckets: &'a [u8],
    count: usize,
    entries: Checked<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn new(filter: &'a [u8], buckets: &'a [u8], entries: Checked<'a>) -> Self {
        Self { filter, words: filter.len() / 8, buckets, count: (buckets.len() / 4).saturating_sub(1), entries }
    }

    /// Whether a value with this hash may be there.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let bits = bits(hash);
        nth_u64(self.filter, place(hash, self.words)).is_some_and(|word| word & bits == bits)
    }

    /// The entry of a value that may be there.
    #[cold]
    pub(super) fn find(&self, hash: u64, code: u8, value: &[u8]) -> Result<Option<Entry<'a>>, Damaged> {
        let bucket = place(hash, self.count);
        let bound = |bucket| nth_u32(self.buckets, bucket).map_or(0, |bound| bound as usize);
        let (start, end) = (bound(bucket), bound(bucket + 1));
        let mut cursor = Cursor::new(self.entries.get(start..end)?, 0);
        while !cursor.at_end() {
            let entry = Entry::read(&mut cursor).ok_or_else(|| self.entries.damaged(start))?;
            if entry.code() == code && entry.value == value {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Every entry.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<Entry<'a>, Damaged>> + use<'a> {
        let section = self.entries;
        let mut bytes = Some(section.all());
        let mut cursor = Cursor::new(&[], 0);
        std::iter::from_fn(move || {
            match bytes.take() {
                Some(Ok(bytes)) => cursor = Cursor::new(bytes, 0),
                Some(Err(damaged)) => return Some(Err(damaged)),
                None => {}
            }
            if cursor.at_end() {
                return None;
            }
            let place = cursor.place();
            let entry = Entry::read(&mut cursor);
            if entry.is_none() {
                cursor = Cursor::new(&[], 0);
            }
            Some(entry.ok_or_else(|| section.damaged(place)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_that_are_not_there_pass_the_filter() {
        use super::super::hash::{Order, Seed, of_value};
        let hash = |number: u32| of_value(Seed::new(3), 1, Order::Whole, &number.to_le_bytes());
        let count = 20_000_u32;
        let values: Vec<[u8; 4]> = (0..count).map(u32::to_le_bytes).collect();
        let draft = |(number, value)| Draft { hash: hash(number), code: 1, value, record: 0 };
        let drafts: Vec<Draft<'_>> = (0..count).zip(values.iter().map(<[u8; 4]>::as_slice)).map(draft).collect();
        let written = write(drafts, |_, _| {}).unwrap();
        let passed = |range: std::ops::Range<u32>| {
            let words = written.filter.len() / 8;
            range
                .filter(|number| {
                    let hash = hash(*number);
                    nth_u64(&written.filter, place(hash, words)).is_some_and(|word| word & bits(hash) == bits(hash))
                })
                .count()
        };
        assert_eq!(passed(0..count), count as usize);
        assert!(passed(count..2 * count) < 300, "{}", passed(count..2 * count));
    }
}
