//! What a segment is put together from.

use std::hash::BuildHasher as _;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use ipnet::IpNet;
use stix_model::Identifier;
use stix_model::marking::Tlp;
use twox_hash::XxHash3_64;

use super::bytes::Cursor;
use super::format::{self, Section};
use super::hash::{self, Seed};
use super::literal::{self, Literal};
use super::nets;
use super::records::{self, RECORD, Record};
use super::shape::{GRAM, Shape, code, order_of};
use super::table::{self, Draft, WHOLE};
use crate::indicator::{Indicator, Key, Kind};

/// Longer values are in no field of an index.
const LONGEST: usize = 65_535;

/// A value in the arena.
#[derive(Clone, Copy, Debug)]
struct Value {
    start: u32,
    length: u16,
    code: u8,
    record: u32,
}

/// Texts of any length, each kept once.
#[derive(Debug, Default)]
struct Interned {
    bytes: Vec<u8>,
    places: HashTable<(u32, u32)>,
    hasher: FixedState,
}

impl Interned {
    /// Where these bytes stand.
    fn place(&mut self, bytes: &[u8]) -> Option<u32> {
        let Self { bytes: all, places, hasher } = self;
        let range = |(start, length): (u32, u32)| start as usize..start as usize + length as usize;
        let hash = hasher.hash_one(bytes);
        if let Some((start, _)) = places.find(hash, |known| all.get(range(*known)) == Some(bytes)) {
            return Some(*start);
        }
        let known = (u32::try_from(all.len()).ok()?, u32::try_from(bytes.len()).ok()?);
        all.extend_from_slice(bytes);
        places.insert_unique(hash, known, |known| hasher.hash_one(all.get(range(*known)).unwrap_or_default()));
        Some(known.0)
    }
}

/// The indicators and values of a segment to be.
#[derive(Debug, Default)]
pub(super) struct Parts {
    arena: Vec<u8>,
    values: Vec<Value>,
    v4: Vec<(u32, u8, u32)>,
    v6: Vec<(u128, u8, u32)>,
    records: Vec<[u8; RECORD]>,
    /// Which of several records with one identifier counts: the one with the highest rank, of those the last.
    ranks: Vec<i64>,
    types: Vec<Box<str>>,
    texts: Interned,
    labels: Interned,
    literals: Vec<Literal>,
    always: Vec<(u64, u32)>,
    removed: Vec<Identifier>,
}

/// The segment was not written: it would be larger than its format allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the values need more than 4 GiB: split them over several stores")]
pub struct TooLarge;

impl Parts {
    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds an indicator; its values follow. `None` beyond the limits of the format.
    pub(super) fn record(&mut self, indicator: &Indicator, rank: i64) -> Option<u32> {
        let number = u32::try_from(self.records.len()).ok().filter(|number| *number < u32::MAX)?;
        let object_type = self.object_type(indicator.id.object_type())?;
        let mut scratch = Vec::new();
        let labels = if indicator.labels.is_empty() {
            None
        } else {
            records::push_labels(&mut scratch, &indicator.labels);
            Some(self.labels.place(&scratch)?)
        };
        scratch.clear();
        let texts = if indicator.name.is_none() && indicator.pattern.is_none() {
            None
        } else {
            records::push_texts(&mut scratch, indicator.name.as_deref(), indicator.pattern.as_deref());
            Some(self.texts.place(&scratch)?)
        };
        self.records.push(records::record(indicator, object_type, labels, texts));
        self.ranks.push(rank);
        Some(number)
    }

    fn object_type(&mut self, name: &str) -> Option<u8> {
        let place = self.types.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.types.push(name.into());
            self.types.len() - 1
        });
        u8::try_from(place).ok()
    }

    /// Adds a value of a record. A value that is too long is not taken. `whole`: it stands for itself only.
    pub(super) fn key(&mut self, record: u32, key: &Key, whole: bool) -> bool {
        match key {
            Key::Network(network) => self.network(record, *network),
            Key::Text(kind, text) => {
                let mut packed = [0; 64];
                let flag = if whole { WHOLE } else { 0 };
                self.value(record, code(*kind) | flag, pack(*kind, text.as_bytes(), &mut packed))
            }
        }
    }

    fn network(&mut self, record: u32, network: IpNet) -> bool {
        let network = network.trunc();
        if network.prefix_len() == network.max_prefix_len() {
            let mut buffer = [0; 16];
            return self.value(record, code(Kind::Address), address_bytes(network.addr(), &mut buffer));
        }
        match network.addr() {
            IpAddr::V4(first) => self.v4.push((first.to_bits(), network.prefix_len(), record)),
            IpAddr::V6(first) => self.v6.push((first.to_bits(), network.prefix_len(), record)),
        }
        true
    }

    /// Adds the bytes of a value.
    pub(super) fn value(&mut self, record: u32, code: u8, bytes: &[u8]) -> bool {
        let length = u16::try_from(bytes.len()).ok().filter(|length| usize::from(*length) <= LONGEST);
        let (Ok(start), Some(length)) = (u32::try_from(self.arena.len()), length) else { return false };
        self.arena.extend_from_slice(bytes);
        self.values.push(Value { start, length, code, record });
        true
    }

    /// Marks a record at least as restrictive as this.
    pub(super) fn restrict(&mut self, record: u32, tlp: Tlp) {
        if let Some(bytes) = self.records.get_mut(record as usize) {
            records::restrict(bytes, tlp);
        }
    }

    /// Adds a text that a record's pattern needs in one of these fields.
    pub(super) fn literal(&mut self, record: u32, fields: u64, text: &[u8]) {
        self.literals.push(Literal { fields, text: text.to_ascii_lowercase().into(), record });
    }

    /// Adds a record's pattern that needs one of these fields, with whatever value.
    pub(super) fn always(&mut self, record: u32, fields: u64) {
        self.always.push((fields, record));
    }

    /// Notes that an indicator of an older segment is no more.
    pub(super) fn removed(&mut self, id: Identifier) {
        self.removed.push(id);
    }

    /// The identifiers that came more than once: how many, and of which of them an older version was left out.
    pub(super) fn repeated(&self) -> (u64, Vec<Identifier>) {
        let rank = |place: &(u128, u8, u32)| self.ranks.get(place.2 as usize).copied().unwrap_or_default();
        let (mut repeated, mut older) = (0, Vec::new());
        for same in self.places().chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let newest = same.iter().map(rank).max();
            repeated += same.len() as u64 - 1;
            for place in same.iter().filter(|place| Some(rank(place)) != newest) {
                let record = self.records.get(place.2 as usize);
                older.extend(record.and_then(|record| records::identifier(Record(record), &self.types)));
            }
        }
        (repeated, older)
    }

    /// The segment. Without a seed it gets one that depends on every value.
    pub(super) fn finish(mut self, seed: Option<u64>, about: &str) -> Result<Vec<u8>, TooLarge> {
        // A million indicators are some 40 MB of records and as much of values: each part goes as soon as the next one
        // stands in its place.
        let seed = Seed::new(seed.unwrap_or_else(|| self.seed()));
        let mut shape = Shape::default();
        for value in &self.values {
            let record = self.records.get(value.record as usize);
            if record.is_some_and(|record| Record(record).is_compound()) {
                shape.compound |= 1 << (value.code & !WHOLE);
            }
        }
        let (numbers, ordered) = self.ordered();
        let number = |record: u32| numbers.get(record as usize).copied().filter(|number| *number != u32::MAX);
        let literals = literal::write(
            self.literals
                .iter()
                .filter_map(|literal| Some(Literal { record: number(literal.record)?, ..literal.clone() }))
                .collect(),
        )
        .ok_or(TooLarge)?;
        let mut drafts = Vec::with_capacity(self.values.len() + literals.grams.len());
        let mut draft = |code: u8, value, record| {
            let plain = code & !WHOLE;
            let hash = hash::of_value(seed, plain, order_of(plain), value);
            drafts.push(Draft { hash, code, value, record });
        };
        for value in std::mem::take(&mut self.values) {
            let Some(record) = number(value.record) else { continue };
            let start = value.start as usize;
            let bytes = self.arena.get(start..start + usize::from(value.length)).unwrap_or_default();
            draft(value.code, bytes, record);
        }
        for (gram, place) in &literals.grams {
            draft(GRAM, gram, *place);
        }
        shape.texts = self.literals.iter().fold(0, |fields, literal| fields | literal.fields);
        shape.always = self.always.iter().fold(0, |all, (fields, _)| all | fields);
        let table = table::write(drafts, |code, value| {
            let code = code & !WHOLE;
            shape.count(code, hash::parts(order_of(code), value));
        })
        .ok_or(TooLarge)?;
        self.arena = Vec::new();
        let renumbered = |networks: &mut Vec<(_, u8, u32)>| {
            networks.retain_mut(|(.., record)| number(*record).map(|number| *record = number).is_some());
        };
        renumbered(&mut self.v4);
        let mut wide = std::mem::take(&mut self.v6);
        wide.retain_mut(|(.., record)| number(*record).map(|number| *record = number).is_some());
        for _ in 0..self.v4.len() + wide.len() {
            shape.count(code(Kind::Address), 1);
        }
        let mut always: Vec<(u64, u32)> =
            self.always.iter().filter_map(|(fields, record)| Some((*fields, number(*record)?))).collect();
        always.sort_unstable();
        always.dedup();
        let mut sections: [Vec<u8>; Section::COUNT] = Default::default();
        let mut set = |section: Section, bytes: Vec<u8>| sections[section as usize] = bytes;
        set(Section::Shape, shape.write());
        set(Section::Filter, table.filter);
        set(Section::Buckets, table.buckets);
        set(Section::Entries, table.entries);
        set(Section::NetworksV4, nets::write(self.v4));
        set(Section::NetworksV6, nets::write(wide));
        set(Section::Records, ordered);
        set(Section::Types, types(&self.types));
        set(Section::Texts, self.texts.bytes);
        set(Section::Labels, self.labels.bytes);
        set(Section::Grams, literals.filter);
        set(Section::Literals, literals.bytes);
        set(Section::Always, always.iter().flat_map(always_bytes).collect());
        set(Section::About, about.as_bytes().to_vec());
        set(Section::Removed, removed(&self.removed));
        Ok(format::write(seed.number(), sections))
    }

    fn seed(&self) -> u64 {
        let records = XxHash3_64::oneshot(self.records.as_flattened());
        XxHash3_64::oneshot_with_seed(records, &self.arena)
    }

    /// The records in the order of their identifiers: identifier, and number.
    fn places(&self) -> Vec<(u128, u8, u32)> {
        let mut places: Vec<(u128, u8, u32)> = Vec::with_capacity(self.records.len());
        for (record, place) in self.records.iter().zip(0..) {
            let (uuid, object_type) = Record(record).order();
            places.push((uuid, object_type, place));
        }
        places.sort_unstable();
        places
    }

    /// The records in the order of their identifiers, and the new number of each old one (`MAX`: left out, because
    /// another version of it counts). They are put in order where they stand; afterwards there are none here.
    fn ordered(&mut self) -> (Vec<u32>, Vec<u8>) {
        let places = self.places();
        let ranks = std::mem::take(&mut self.ranks);
        let mut numbers = vec![u32::MAX; self.records.len()];
        // The old number of each record, in the new order.
        let mut chosen: Vec<u32> = Vec::with_capacity(places.len());
        for same in places.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let rank = |place: &&(u128, u8, u32)| (ranks[place.2 as usize], place.2);
            let Some((.., place)) = same.iter().max_by_key(rank) else { continue };
            numbers[*place as usize] = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
            chosen.push(*place);
        }
        drop(places);
        let count = chosen.len();
        chosen.extend((0..).zip(&numbers).filter(|(_, number)| **number == u32::MAX).map(|(old, _)| old));
        let mut records = std::mem::take(&mut self.records);
        // Every cycle of the permutation is gone through once.
        for first in 0..chosen.len() {
            let moved = records[first];
            let mut here = first;
            loop {
                let next = std::mem::replace(&mut chosen[here], u32::MAX);
                if next == u32::MAX {
                    break;
                }
                let next = next as usize;
                records[here] = if next == first { moved } else { records[next] };
                here = next;
            }
        }
        records.truncate(count);
        (numbers, records.into_flattened())
    }
}

fn always_bytes((fields, record): &(u64, u32)) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&fields.to_le_bytes());
    bytes[8..].copy_from_slice(&record.to_le_bytes());
    bytes
}

fn types(names: &[Box<str>]) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        super::bytes::push_counted(&mut out, name.as_bytes());
    }
    out
}

/// The names that [`types`] wrote.
pub(super) fn read_types(bytes: &[u8]) -> Option<Vec<Box<str>>> {
    let mut cursor = Cursor::new(bytes, 0);
    let mut names = Vec::new();
    while !cursor.at_end() {
        names.push(cursor.text()?.into());
    }
    Some(names)
}

fn removed(ids: &[Identifier]) -> Vec<u8> {
    let mut out = Vec::new();
    for id in ids {
        super::bytes::push_counted(&mut out, id.to_string().as_bytes());
    }
    out
}

/// The bytes of an address.
#[inline]
pub(super) fn address_bytes(address: IpAddr, buffer: &mut [u8; 16]) -> &[u8] {
    match address {
        IpAddr::V4(address) => {
            buffer[..4].copy_from_slice(&address.octets());
            &buffer[..4]
        }
        IpAddr::V6(address) => {
            buffer.copy_from_slice(&address.octets());
            buffer
        }
    }
}

/// Digests and MAC addresses are kept as bytes, in half the room of their digits.
#[inline]
pub(super) fn pack<'b>(kind: Kind, text: &'b [u8], packed: &'b mut [u8; 64]) -> &'b [u8] {
    if !is_hexadecimal(kind) || text.len() > 128 {
        return text;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20).wrapping_sub(b'a' - 10) & 15,
    };
    let length = text.len() / 2;
    for (octet, pair) in packed.iter_mut().zip(text.chunks_exact(2)) {
        *octet = digit(pair[0]) << 4 | digit(pair[1]);
    }
    &packed[..length]
}

fn is_hexadecimal(kind: Kind) -> bool {
    matches!(kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512)
}

/// The value that was kept as these bytes.
pub(super) fn unpack(kind: Kind, bytes: &[u8]) -> Option<Key> {
    if kind == Kind::Address {
        let address = match bytes.len() {
            4 => IpAddr::from(*bytes.first_chunk::<4>()?),
            16 => IpAddr::from(*bytes.first_chunk::<16>()?),
            _ => return None,
        };
        return Some(Key::Network(address.into()));
    }
    if !is_hexadecimal(kind) {
        return Some(Key::Text(kind, str::from_utf8(bytes).ok()?.into()));
    }
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    let digits: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    Some(Key::Text(kind, digits.into()))
}
