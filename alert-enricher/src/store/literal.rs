//! Texts that patterns need: `[process:command_line LIKE '%mimikatz%']` can match only where `mimikatz` stands.
//!
//! Four bytes of each text, those that the fewest other texts have, are looked up like any other value. A scan of a
//! field asks a small filter about every four bytes in it, so that its time does not depend on the number of texts.
//!
//! ```text
//! grams      one bit per hash of four bytes; a power of two of them
//! literals   fields (8 bytes), place of the gram, text, number of records, records (4 bytes each)
//! ```

use std::collections::{BTreeMap, HashMap};

use super::bytes::{Cursor, push_counted, push_varint};
use super::table::numbers;

/// Bytes that are looked up at once.
pub(super) const LENGTH: usize = 4;
/// Bits of the filter per text.
const FILTER_BITS: usize = 16;
const MIN_BITS: usize = 1 << 12;

/// A text that a record's pattern needs, in lower case.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// In which fields.
    pub(super) fields: u64,
    pub(super) text: Box<[u8]>,
    pub(super) record: u32,
}

pub(super) struct Written {
    pub(super) filter: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    /// The four bytes of each text, and where it stands in `bytes`.
    pub(super) grams: Vec<([u8; LENGTH], u32)>,
}

/// Four bytes as a number, without regard to letter case. Other bytes may become the same, which does no harm.
#[inline]
fn folded(gram: [u8; LENGTH]) -> u32 {
    u32::from_le_bytes(gram) | 0x2020_2020
}

#[inline]
fn hash(gram: [u8; LENGTH]) -> usize {
    (folded(gram).wrapping_mul(0x9e37_79b1) >> 7) as usize
}

/// Writes texts of [`LENGTH`] bytes at least. `None` beyond four thousand million bytes.
pub(super) fn write(literals: Vec<Literal>) -> Option<Written> {
    let mut merged: BTreeMap<(Box<[u8]>, u64), Vec<u32>> = BTreeMap::new();
    for literal in literals {
        merged.entry((literal.text, literal.fields)).or_default().push(literal.record);
    }
    let mut counts: HashMap<[u8; LENGTH], u32> = HashMap::new();
    for (text, _) in merged.keys() {
        for gram in text.array_windows::<LENGTH>() {
            *counts.entry(*gram).or_default() += 1;
        }
    }
    let mut written = Written { filter: Vec::new(), bytes: Vec::new(), grams: Vec::with_capacity(merged.len()) };
    if merged.is_empty() {
        return Some(written);
    }
    let size = (merged.len() * FILTER_BITS).max(MIN_BITS).next_power_of_two();
    written.filter = vec![0; size / 8];
    for ((text, fields), mut records) in merged {
        let grams = text.array_windows::<LENGTH>().enumerate();
        let rarest = grams.min_by_key(|(_, gram)| (counts.get(*gram), std::cmp::Reverse(rarity(**gram))));
        let Some((place, gram)) = rarest else { continue };
        let bit = hash(*gram) & (size - 1);
        written.filter[bit / 8] |= 1 << (bit % 8);
        written.grams.push((folded(*gram).to_le_bytes(), u32::try_from(written.bytes.len()).ok()?));
        written.bytes.extend_from_slice(&fields.to_le_bytes());
        push_varint(&mut written.bytes, u32::try_from(place).ok()?);
        push_counted(&mut written.bytes, &text);
        records.sort_unstable();
        records.dedup();
        push_varint(&mut written.bytes, u32::try_from(records.len()).ok()?);
        for record in records {
            written.bytes.extend_from_slice(&record.to_le_bytes());
        }
    }
    Some(written)
}

/// Letters that are rare in names and commands say more than common ones.
fn rarity(gram: [u8; LENGTH]) -> u32 {
    gram.into_iter()
        .map(|byte| match byte {
            b'e' | b'a' | b'o' | b'i' | b't' | b'n' | b's' | b'r' | b'.' | b' ' => 0,
            b'q' | b'x' | b'z' | b'j' | b'k' | b'v' | b'0'..=b'9' => 2,
            _ => 1,
        })
        .sum()
}

/// A text as it stands in a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub(super) fields: u64,
    /// Where the gram stands in the text.
    pub(super) place: usize,
    pub(super) text: &'a [u8],
    records: &'a [u8],
}

impl<'a> Stored<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let fields = u64::from_le_bytes(*cursor.take(8)?.first_chunk()?);
        let place = cursor.varint()? as usize;
        let text = cursor.counted()?;
        let count = cursor.varint()? as usize;
        Some(Self { fields, place, text, records: cursor.take(count.checked_mul(4)?)? })
    }

    /// The numbers of the records, four bytes each.
    pub(super) fn record_bytes(&self) -> &'a [u8] {
        self.records
    }

    pub(super) fn records(&self) -> impl Iterator<Item = u32> + use<'a> {
        numbers(self.records)
    }
}

/// Calls `found` with each place in `text` at which a gram may stand, and with the gram as it is looked up.
#[inline]
pub(super) fn scan(filter: &[u8], text: &[u8], found: &mut impl FnMut(usize, [u8; LENGTH])) {
    if !filter.len().is_power_of_two() {
        return;
    }
    let mask = filter.len() * 8 - 1;
    for (place, gram) in text.array_windows::<LENGTH>().enumerate() {
        let bit = hash(*gram) & mask;
        if filter.get(bit / 8).is_some_and(|byte| byte & 1 << (bit % 8) != 0) {
            found(place, folded(*gram).to_le_bytes());
        }
    }
}
