//! One immutable part of a store, over bytes from anywhere.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use stix_model::Identifier;

use super::bytes::{Cursor, nth_u32, nth_u64};
use super::format::{Checked, Damaged, Layout, OpenError, Section};
use super::hash::Seed;
use super::literal::Stored;
use super::nets::Networks;
use super::parts::{read_types, unpack};
use super::records::{self, RECORD, Record};
use super::shape::{Shape, code, kind_of};
use super::table::{Entry, Table};
use crate::indicator::{Indicator, Key, Kind};

/// Bytes of a segment: made here, or anybody's, such as a mapped file.
pub(super) enum Bytes {
    Owned(Box<[u8]>),
    Shared(Arc<dyn AsRef<[u8]> + Send + Sync>),
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => (**bytes).as_ref(),
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.get().len())
    }
}

/// An immutable part of a store.
#[derive(Debug)]
pub(super) struct Segment {
    bytes: Bytes,
    layout: Layout,
    shape: Shape,
    types: Vec<Box<str>>,
}

impl Segment {
    /// Bytes that this process has just made.
    pub(super) fn trusted(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Self::read(Bytes::Owned(bytes.into()), true)
    }

    /// Bytes from elsewhere.
    pub(super) fn open(bytes: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Result<Self, OpenError> {
        Self::read(Bytes::Shared(bytes), false)
    }

    fn read(bytes: Bytes, trusted: bool) -> Result<Self, OpenError> {
        let file = bytes.get();
        let layout = Layout::read(file, trusted)?;
        let shape = layout.section(file, Section::Shape);
        let shape = Shape::read(shape.all()?).ok_or_else(|| shape.damaged(0))?;
        let types = layout.section(file, Section::Types);
        let types = read_types(types.all()?).ok_or_else(|| types.damaged(0))?;
        let records = layout.section(file, Section::Records);
        if !records.len().is_multiple_of(RECORD) || types.len() > 256 {
            return Err(records.damaged(0).into());
        }
        Ok(Self { bytes, layout, shape, types })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get()
    }

    #[cfg(any(feature = "mmap", test))]
    pub(super) fn identity(&self) -> u64 {
        self.layout.identity
    }

    pub(super) fn seed(&self) -> Seed {
        Seed::new(self.layout.seed)
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Verifies all bytes.
    pub(super) fn verify(&self) -> Result<(), Damaged> {
        self.layout.verify(self.bytes.get())
    }

    pub(super) fn view(&self) -> View<'_> {
        let file = self.bytes.get();
        let section = |section| self.layout.section(file, section);
        let (filter, buckets) = (section(Section::Filter).hot(), section(Section::Buckets).hot());
        View {
            segment: self,
            file,
            table: Table::new(filter, buckets, section(Section::Entries)),
            v4: Networks::new::<u32>(section(Section::NetworksV4)),
            v6: Networks::new::<u128>(section(Section::NetworksV6)),
            grams: section(Section::Grams).hot(),
        }
    }
}

/// A segment, ready to be looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'s> {
    pub(super) segment: &'s Segment,
    file: &'s [u8],
    pub(super) table: Table<'s>,
    v4: Option<Networks<'s>>,
    v6: Option<Networks<'s>>,
    /// The filter of the texts that patterns need.
    pub(super) grams: &'s [u8],
}

impl<'s> View<'s> {
    fn section(&self, section: Section) -> Checked<'s> {
        self.segment.layout.section(self.file, section)
    }

    #[inline]
    pub(super) fn shape(&self) -> &'s Shape {
        &self.segment.shape
    }

    /// Calls `found` with every network around an address: the length of its prefix and its records.
    #[inline]
    pub(super) fn networks(&self, address: IpAddr, found: &mut impl FnMut(u8, &'s [u8])) -> Result<(), Damaged> {
        match (address, &self.v4, &self.v6) {
            (IpAddr::V4(address), Some(networks), _) => networks.around(address.to_bits(), found),
            (IpAddr::V6(address), _, Some(networks)) => networks.around(address.to_bits(), found),
            _ => Ok(()),
        }
    }

    pub(super) fn record_count(&self) -> usize {
        self.section(Section::Records).len() / RECORD
    }

    #[inline]
    pub(super) fn record(&self, number: u32) -> Result<Record<'s>, Damaged> {
        let section = self.section(Section::Records);
        let start = number as usize * RECORD;
        let bytes = section.get(start..start + RECORD)?;
        bytes.first_chunk().map(Record).ok_or_else(|| section.damaged(start))
    }

    /// The number of the record of an identifier.
    pub(super) fn find(&self, id: &Identifier) -> Result<Option<u32>, Damaged> {
        let types = &self.segment.types;
        let Some(object_type) = types.iter().position(|known| **known == *id.object_type()) else { return Ok(None) };
        let wanted = (id.uuid().as_u128(), u8::try_from(object_type).unwrap_or(u8::MAX));
        let (mut low, mut high) = (0, u32::try_from(self.record_count()).unwrap_or(u32::MAX));
        // UUIDs are spread evenly, so where one stands can be guessed; should they not be, halving ends it.
        let (mut below, mut above) = (0_u128, u128::MAX);
        let mut guesses = 16;
        while low < high {
            let middle = if guesses > 0 && wanted.0 >= below && above > below {
                guesses -= 1;
                let share = (wanted.0 - below) >> 64;
                let whole = ((above - below) >> 64).max(1);
                let guess = u128::from(high - low) * share / whole;
                low + u32::try_from(guess).unwrap_or(u32::MAX).min(high - low - 1)
            } else {
                low.midpoint(high)
            };
            let order = self.record(middle)?.order();
            match order.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Less => (low, below) = (middle + 1, order.0),
                std::cmp::Ordering::Greater => (high, above) = (middle, order.0),
            }
        }
        Ok(None)
    }

    /// The identifier of a record.
    pub(super) fn identifier(&self, number: u32) -> Result<Identifier, Damaged> {
        let record = self.record(number)?;
        records::identifier(record, &self.segment.types)
            .ok_or_else(|| self.section(Section::Types).damaged(usize::from(record.object_type())))
    }

    /// The type of the object of a record.
    pub(super) fn object_type(&self, record: Record<'_>) -> &'s str {
        self.segment.types.get(usize::from(record.object_type())).map_or("", |name| name)
    }

    /// Name and pattern of a record, empty where there is none.
    pub(super) fn texts(&self, record: Record<'_>) -> Result<(&'s str, &'s str), Damaged> {
        let Some(place) = record.texts() else { return Ok(("", "")) };
        self.read(Section::Texts, place, records::texts)
    }

    /// The labels of a record.
    pub(super) fn labels(&self, record: Record<'_>) -> Result<Vec<&'s str>, Damaged> {
        let Some(place) = record.labels() else { return Ok(Vec::new()) };
        self.read(Section::Labels, place, records::labels)
    }

    /// A text that patterns need.
    pub(super) fn literal(&self, place: u32) -> Result<Stored<'s>, Damaged> {
        self.read(Section::Literals, place as usize, Stored::read)
    }

    /// Reads something of unknown length: first its beginning, then as much as there is.
    fn read<T>(
        &self,
        section: Section,
        place: usize,
        read: impl Fn(&mut Cursor<'s>) -> Option<T>,
    ) -> Result<T, Damaged> {
        let section = self.section(section);
        for length in [512, 1 << 21] {
            let end = place.saturating_add(length).min(section.len());
            if place > end {
                break;
            }
            let bytes = section.get(place..end)?;
            if let Some(value) = read(&mut Cursor::new(bytes, 0)) {
                return Ok(value);
            }
        }
        Err(section.damaged(place))
    }

    /// What is known about an indicator.
    pub(super) fn indicator(&self, number: u32) -> Result<Indicator, Damaged> {
        let record = self.record(number)?;
        let (name, pattern) = self.texts(record)?;
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        Ok(Indicator {
            id: self.identifier(number)?,
            name: text(name),
            pattern: text(pattern),
            valid_from: record.valid_from(),
            valid_until: record.valid_until(),
            revoked: record.is_revoked(),
            score: record.score(),
            confidence: record.confidence(),
            labels: self.labels(record)?.into_iter().map(Box::from).collect(),
            tlp: record.tlp(),
        })
    }

    /// Every value with the number of its record; networks last. Only values by which indicators are found, not what
    /// patterns need beside them.
    pub(super) fn keys(self) -> impl Iterator<Item = Result<(u32, Key), Damaged>> + use<'s> {
        let values = self.table.all().flat_map(move |entry| {
            let (key, records) = match entry {
                Ok(entry) => match kind_of(entry.code()).map(|kind| unpack(kind, entry.value)) {
                    Some(Some(key)) => (Ok(key), Some(entry)),
                    Some(None) => (Err(self.section(Section::Entries).damaged(0)), None),
                    None => return Vec::new(),
                },
                Err(damaged) => (Err(damaged), None),
            };
            match (key, records) {
                (Ok(key), Some(entry)) => entry.numbers().map(|number| Ok((number, key.clone()))).collect(),
                (Err(damaged), _) => vec![Err(damaged)],
                (Ok(_), None) => Vec::new(),
            }
        });
        values.chain(self.network_keys())
    }

    /// Every network with the number of its record.
    pub(super) fn network_keys(self) -> impl Iterator<Item = Result<(u32, Key), Damaged>> + use<'s> {
        let v4 = self.v4.into_iter().flat_map(super::nets::Networks::all::<u32>).map(|network| {
            network.map(|network| {
                let net = Ipv4Net::new(network.first.into(), network.length).map(IpNet::from).ok();
                (net, network.records)
            })
        });
        let v6 = self.v6.into_iter().flat_map(super::nets::Networks::all::<u128>).map(|network| {
            network.map(|network| {
                let net = Ipv6Net::new(network.first.into(), network.length).map(IpNet::from).ok();
                (net, network.records)
            })
        });
        v4.chain(v6).flat_map(|network| match network {
            Ok((Some(net), records)) => {
                records.into_iter().map(|number| Ok((number, Key::Network(net)))).collect::<Vec<_>>()
            }
            Ok((None, _)) => Vec::new(),
            Err(damaged) => vec![Err(damaged)],
        })
    }

    /// Every entry of the table, whatever it is.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<Entry<'s>, Damaged>> + use<'s> {
        self.table.all()
    }

    /// The patterns that need a field, but no particular value: the fields, and the record.
    pub(super) fn always(&self) -> impl Iterator<Item = (u64, u32)> + use<'s> {
        let bytes = self.section(Section::Always).hot();
        bytes.chunks_exact(12).filter_map(|one| Some((nth_u64(one, 0)?, nth_u32(one, 2)?)))
    }

    /// Where the values came from, for people.
    pub(super) fn about(&self) -> Result<&'s str, Damaged> {
        let section = self.section(Section::About);
        str::from_utf8(section.all()?).map_err(|_| section.damaged(0))
    }

    /// Identifiers that an older segment has no more.
    #[cfg(any(feature = "mmap", test))]
    pub(super) fn removed(&self) -> Result<Vec<Identifier>, Damaged> {
        let section = self.section(Section::Removed);
        let mut cursor = Cursor::new(section.all()?, 0);
        let mut ids = Vec::new();
        while !cursor.at_end() {
            let id = cursor.text().and_then(|id| id.parse().ok());
            ids.push(id.ok_or_else(|| section.damaged(cursor.place()))?);
        }
        Ok(ids)
    }

    /// How many values of a kind there are, networks among the addresses.
    pub(super) fn count(&self, kind: Kind) -> u32 {
        self.shape().counts[usize::from(code(kind))]
    }
}
