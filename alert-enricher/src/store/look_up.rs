//! From a value of an alert to the entries of a snapshot.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use super::format::Damaged;
use super::hash::{Chain, Seed, is_separator};
use super::literal;
use super::live::Snapshot;
use super::parts::{address_bytes, pack};
use super::segment::View;
use super::shape::{GRAM, NUMBER, code, part_bit};
use crate::indicator::{Candidate, Kind, Normalisation};

/// What was found: the place of the segment, the numbers of the records (4 bytes each), the value, and how the value of
/// the alert became that one.
pub(super) struct Found<'s, 'v> {
    pub(super) layer: usize,
    pub(super) records: &'s [u8],
    pub(super) value: Value<'v>,
    pub(super) way: Normalisation,
}

/// The value of an indicator that was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'v> {
    /// The network of the address with a prefix of this length.
    Network(IpAddr, u8),
    /// The text of a kind, or the digits of a digest.
    Text(Kind, &'v str),
    /// A number, or a text that a pattern needs: no value that stands for itself.
    Part,
}

impl Value<'_> {
    /// The length of the prefix if it is a network, else 0.
    pub(super) fn length(self) -> u8 {
        match self {
            Self::Network(_, length) => length,
            _ => 0,
        }
    }
}

/// Looks values up in all segments of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookUp<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) views: &'s [View<'s>],
    /// Domains stand for what is below them, too.
    pub(super) sub_domains: bool,
}

impl<'s> LookUp<'s> {
    #[inline]
    fn seed(&self) -> Seed {
        self.snapshot.seed
    }

    /// Looks one value up as it is.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "what a look-up needs, put together on the way")]
    fn exactly<'v>(
        &self,
        hash: u64,
        code: u8,
        bytes: &[u8],
        below: bool,
        value: Value<'v>,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        for (layer, view) in self.views.iter().enumerate() {
            if !view.table.may_have(hash) || !view.shape().has(code) {
                continue;
            }
            if let Some(entry) = view.table.find(hash, code, bytes)?
                && !(below && entry.is_whole())
            {
                found(Found { layer, records: entry.records(), value, way });
            }
        }
        Ok(())
    }

    /// Looks a value of an alert up, with everything that stands for it.
    #[inline]
    pub(super) fn candidate<'v>(
        &self,
        candidate: Candidate<'v>,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        let (kind, text) = match candidate {
            Candidate::Address(address) => return self.address(address, way, found),
            Candidate::Text(kind, text) => (kind, text),
        };
        match kind {
            // A name stands for the file in any directory, a relative path for any directory above it.
            Kind::File => {
                if self.snapshot.has(code(Kind::File)) {
                    self.by_ends(kind, b'/', text, way, found)?;
                }
                match text.rfind(['/', '\\']) {
                    Some(cut) if self.snapshot.has(code(Kind::Directory)) => {
                        let directory = text.get(..cut).unwrap_or_default();
                        self.by_starts(Kind::Directory, directory, Normalisation::Below, found)
                    }
                    _ => Ok(()),
                }
            }
            Kind::Domain if self.sub_domains => self.by_ends(kind, b'.', text, way, found),
            _ if !self.snapshot.has(code(kind)) => Ok(()),
            Kind::Domain => {
                let mut chain = Chain::new(self.seed(), code(kind));
                text.as_bytes().rsplit(|byte| *byte == b'.').for_each(|label| chain.push(label));
                let value = Value::Text(kind, text);
                self.exactly(chain.hash(), code(kind), text.as_bytes(), false, value, way, found)
            }
            Kind::Directory | Kind::RegistryKey => self.by_starts(kind, text, way, found),
            Kind::Mutex => {
                self.whole(kind, text, way, found)?;
                match text.rsplit_once('\\') {
                    Some((_, name)) => self.whole(kind, name, Normalisation::BareName, found),
                    None => Ok(()),
                }
            }
            _ => self.whole(kind, text, way, found),
        }
    }

    /// Looks a text up as it is.
    #[inline]
    fn whole<'v>(
        &self,
        kind: Kind,
        text: &'v str,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        let mut packed = [0; 64];
        let bytes = pack(kind, text.as_bytes(), &mut packed);
        let mut chain = Chain::new(self.seed(), code(kind));
        chain.push(bytes);
        self.exactly(chain.hash(), code(kind), bytes, false, Value::Text(kind, text), way, found)
    }

    /// Looks a text and its ends up: names in any directory, domains above a name. One hash serves all of them.
    fn by_ends<'v>(
        &self,
        kind: Kind,
        separator: u8,
        text: &'v str,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        let (code, wanted) = (code(kind), self.snapshot.parts(kind));
        let ends = |byte: u8| if separator == b'.' { byte == b'.' } else { is_separator(byte) };
        let bytes = text.as_bytes();
        let mut chain = Chain::new(self.seed(), code);
        let mut end = bytes.len();
        // Longer names than any that is wanted need not be hashed to the end.
        let most = if wanted >> 62 != 0 { u32::MAX } else { u64::BITS - wanted.leading_zeros() };
        for count in 1..=most {
            let start = bytes.get(..end).and_then(|rest| rest.iter().rposition(|byte| ends(*byte)));
            let from = start.map_or(0, |start| start + 1);
            chain.push(bytes.get(from..end).unwrap_or_default());
            if wanted & part_bit(count) != 0
                && let Some(part) = text.get(from..).filter(|part| !part.is_empty())
            {
                let (below, way) = match start {
                    None => (false, way),
                    Some(_) if separator == b'.' => (true, Normalisation::SubDomain),
                    Some(_) => (false, Normalisation::PathEnd),
                };
                self.exactly(chain.hash(), code, part.as_bytes(), below, Value::Text(kind, part), way, found)?;
            }
            match start {
                Some(start) => end = start,
                None => break,
            }
        }
        Ok(())
    }

    /// Looks a path and everything above it up.
    fn by_starts<'v>(
        &self,
        kind: Kind,
        text: &'v str,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        let (code, wanted) = (code(kind), self.snapshot.parts(kind));
        let bytes = text.as_bytes();
        let mut chain = Chain::new(self.seed(), code);
        let mut start = 0;
        let most = if wanted >> 62 != 0 { u32::MAX } else { u64::BITS - wanted.leading_zeros() };
        for count in 1..=most {
            let length = bytes.get(start..).and_then(|rest| rest.iter().position(|byte| is_separator(*byte)));
            let end = length.map_or(bytes.len(), |length| start + length);
            chain.push(bytes.get(start..end).unwrap_or_default());
            if wanted & part_bit(count) != 0
                && let Some(part) = text.get(..end).filter(|part| !part.is_empty())
            {
                let way = if length.is_none() { way } else { Normalisation::Below };
                self.exactly(chain.hash(), code, part.as_bytes(), false, Value::Text(kind, part), way, found)?;
            }
            if length.is_none() {
                break;
            }
            start = end + 1;
        }
        Ok(())
    }

    /// Looks a number up.
    pub(super) fn number(&self, number: u64, found: &mut impl FnMut(Found<'s, '_>)) -> Result<(), Damaged> {
        if !self.snapshot.has(NUMBER) {
            return Ok(());
        }
        let bytes = number.to_le_bytes();
        let mut chain = Chain::new(self.seed(), NUMBER);
        chain.push(&bytes);
        self.exactly(chain.hash(), NUMBER, &bytes, false, Value::Part, Normalisation::Evaluated, found)
    }

    /// Looks for the texts that patterns need in the text of a field of these groups.
    pub(super) fn texts(&self, fields: u64, text: &str, found: &mut impl FnMut(Found<'s, '_>)) -> Result<(), Damaged> {
        let mut result = Ok(());
        for (layer, view) in self.views.iter().enumerate() {
            literal::scan(view.grams, text.as_bytes(), &mut |place, gram| {
                let looked = self.text(layer, view, fields, (text.as_bytes(), place, gram), found);
                if result.is_ok() {
                    result = looked;
                }
            });
        }
        result
    }

    fn text(
        &self,
        layer: usize,
        view: &View<'s>,
        fields: u64,
        (text, place, gram): (&[u8], usize, [u8; literal::LENGTH]),
        found: &mut impl FnMut(Found<'s, '_>),
    ) -> Result<(), Damaged> {
        let mut chain = Chain::new(self.seed(), GRAM);
        chain.push(&gram);
        let hash = chain.hash();
        if !view.table.may_have(hash) {
            return Ok(());
        }
        let Some(entry) = view.table.find(hash, GRAM, &gram)? else { return Ok(()) };
        for number in entry.numbers() {
            let wanted = view.literal(number)?;
            if wanted.fields & fields == 0 {
                continue;
            }
            let start = place.checked_sub(wanted.place);
            let there = start.and_then(|start| text.get(start..)?.get(..wanted.text.len()));
            if there.is_some_and(|there| there.eq_ignore_ascii_case(wanted.text)) {
                let (records, way) = (wanted.record_bytes(), Normalisation::Evaluated);
                found(Found { layer, records, value: Value::Part, way });
            }
        }
        Ok(())
    }

    /// Looks a network up, and those around it.
    pub(super) fn network<'v>(&self, network: IpNet, found: &mut impl FnMut(Found<'s, 'v>)) -> Result<(), Damaged> {
        let first = network.network();
        for (layer, view) in self.views.iter().enumerate() {
            view.networks(first, &mut |length, records| {
                let way = match length.cmp(&network.prefix_len()) {
                    Ordering::Less => Normalisation::InNetwork,
                    Ordering::Equal => Normalisation::Notation,
                    Ordering::Greater => return,
                };
                found(Found { layer, records, value: Value::Network(first, length), way });
            })?;
        }
        Ok(())
    }

    fn address<'v>(
        &self,
        address: IpAddr,
        way: Normalisation,
        found: &mut impl FnMut(Found<'s, 'v>),
    ) -> Result<(), Damaged> {
        let code = code(Kind::Address);
        if !self.snapshot.has(code) {
            return Ok(());
        }
        let mut buffer = [0; 16];
        let bytes = address_bytes(address, &mut buffer);
        let mut chain = Chain::new(self.seed(), code);
        chain.push(bytes);
        let length = if address.is_ipv4() { 32 } else { 128 };
        self.exactly(chain.hash(), code, bytes, false, Value::Network(address, length), way, found)?;
        for (layer, view) in self.views.iter().enumerate() {
            view.networks(address, &mut |length, records| {
                let value = Value::Network(address, length);
                found(Found { layer, records, value, way: Normalisation::InNetwork });
            })?;
        }
        Ok(())
    }
}
