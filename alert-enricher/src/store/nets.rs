//! Networks: which of them contain an address, in the time of one search whatever their lengths.
//!
//! Networks are nested or apart, so those that contain an address are the last one that begins at or before it, and
//! those around that one: each knows the next one around it.
//!
//! ```text
//! count, index bits          4 bytes each
//! index                      2^bits + 1 numbers of 4 bytes: the first network by the upper bits of its address
//! first addresses            4 or 16 bytes each, in order
//! networks                   16 bytes each: next around it, first record, records, length of the prefix
//! records                    4 bytes each
//! ```

use super::bytes::{nth_u32, u32_at};
use super::format::{Checked, Damaged};

/// No network around this one.
const NONE: u32 = u32::MAX;
const INFO: usize = 16;

/// An address as a number of `BITS` bits.
pub(super) trait Address: Copy + Ord {
    #[cfg(test)]
    const BITS: u32;
    const BYTES: usize;
    /// How many upper bits the index uses at most. Addresses of IPv6 in use have few different upper bits.
    const INDEX_BITS: u32;
    fn at(bytes: &[u8], index: usize) -> Option<Self>;
    fn push(self, out: &mut Vec<u8>);
    fn upper(self, bits: u32) -> usize;
    /// Whether the first `length` bits are those of `other`.
    fn agrees(self, other: Self, length: u32) -> bool;
}

macro_rules! address {
    ($type:ty, $index_bits:literal) => {
        impl Address for $type {
            #[cfg(test)]
            const BITS: u32 = <$type>::BITS;
            const BYTES: usize = size_of::<$type>();
            const INDEX_BITS: u32 = $index_bits;

            #[inline]
            fn at(bytes: &[u8], index: usize) -> Option<Self> {
                let place = index.checked_mul(Self::BYTES)?;
                Some(<$type>::from_be_bytes(*bytes.get(place..)?.first_chunk()?))
            }

            fn push(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            #[inline]
            fn upper(self, bits: u32) -> usize {
                self.checked_shr(<$type>::BITS - bits).and_then(|upper| usize::try_from(upper).ok()).unwrap_or(0)
            }

            #[inline]
            fn agrees(self, other: Self, length: u32) -> bool {
                (self ^ other).checked_shr(<$type>::BITS - length.min(<$type>::BITS)).is_none_or(|rest| rest == 0)
            }
        }
    };
}

address!(u32, 16);
address!(u128, 0);

/// A network with its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network<A> {
    pub(super) first: A,
    pub(super) length: u8,
    pub(super) records: Vec<u32>,
}

/// Writes networks. The same one may come several times.
pub(super) fn write<A: Address>(mut networks: Vec<(A, u8, u32)>) -> Vec<u8> {
    if networks.is_empty() {
        return Vec::new();
    }
    networks.sort_unstable();
    networks.dedup();
    let mut merged: Vec<Network<A>> = Vec::with_capacity(networks.len());
    for (first, length, record) in networks {
        match merged.last_mut() {
            Some(last) if (last.first, last.length) == (first, length) => last.records.push(record),
            _ => merged.push(Network { first, length, records: vec![record] }),
        }
    }
    let count = merged.len();
    let bits = (usize::BITS - count.leading_zeros()).min(A::INDEX_BITS);
    let mut out = Vec::new();
    for number in [count, bits as usize] {
        push(&mut out, number);
    }
    let mut next = 0;
    for upper in 0..=1_usize << bits {
        while next < count && merged[next].first.upper(bits) < upper {
            next += 1;
        }
        push(&mut out, next);
    }
    for network in &merged {
        network.first.push(&mut out);
    }
    let mut open: Vec<usize> = Vec::new();
    let mut records = Vec::new();
    for (place, network) in merged.iter().enumerate() {
        while let Some(around) = open.last().map(|around| &merged[*around]) {
            if around.first.agrees(network.first, u32::from(around.length)) {
                break;
            }
            open.pop();
        }
        match open.last() {
            Some(around) => push(&mut out, *around),
            None => out.extend_from_slice(&NONE.to_le_bytes()),
        }
        push(&mut out, records.len() / 4);
        push(&mut out, network.records.len());
        push(&mut out, usize::from(network.length));
        for record in &network.records {
            records.extend_from_slice(&record.to_le_bytes());
        }
        open.push(place);
    }
    out.extend_from_slice(&records);
    out
}

fn push(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).unwrap_or(NONE).to_le_bytes());
}

/// The networks of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Networks<'a> {
    section: Checked<'a>,
    count: usize,
    bits: u32,
    index: &'a [u8],
    firsts: &'a [u8],
    /// Where the networks begin, and behind them the records.
    infos: usize,
}

impl<'a> Networks<'a> {
    /// Reads a section. `None` where it has no network, or makes no sense.
    pub(super) fn new<A: Address>(section: Checked<'a>) -> Option<Self> {
        let bytes = section.hot();
        let (count, bits) = (u32_at(bytes, 0)? as usize, u32_at(bytes, 4)?);
        if count == 0 || bits > A::INDEX_BITS {
            return None;
        }
        let firsts = 8 + ((1_usize << bits) + 1) * 4;
        let infos = firsts.checked_add(count.checked_mul(A::BYTES)?)?;
        Some(Self { section, count, bits, index: bytes.get(8..firsts)?, firsts: bytes.get(firsts..infos)?, infos })
    }

    fn info(&self, place: usize) -> Result<&'a [u8], Damaged> {
        let start = self.infos + place * INFO;
        self.section.get(start..start + INFO)
    }

    /// The records of a network: numbers of four bytes.
    fn records(&self, info: &[u8]) -> Result<&'a [u8], Damaged> {
        let number = |place| u32_at(info, place).unwrap_or(NONE) as usize;
        let start = self.infos + self.count * INFO + number(4).saturating_mul(4);
        self.section.get(start..start.saturating_add(number(8).saturating_mul(4)))
    }

    /// Calls `found` with the length of the prefix and the records of every network that has this address in it, the
    /// narrowest first.
    #[inline]
    pub(super) fn around<A: Address>(&self, address: A, found: &mut impl FnMut(u8, &'a [u8])) -> Result<(), Damaged> {
        let upper = address.upper(self.bits);
        let bound = |place| nth_u32(self.index, place).map_or(0, |bound| (bound as usize).min(self.count));
        let (start, end) = (bound(upper), bound(upper + 1));
        // The first network that begins behind the address.
        let (mut low, mut high) = (start, end.max(start));
        while low < high {
            let middle = low.midpoint(high);
            if A::at(self.firsts, middle).is_some_and(|first| first <= address) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(mut place) = low.checked_sub(1) else { return Ok(()) };
        loop {
            let info = self.info(place)?;
            let length = u32_at(info, 12).unwrap_or_default();
            if A::at(self.firsts, place).is_some_and(|first| first.agrees(address, length)) {
                found(u8::try_from(length).unwrap_or_default(), self.records(info)?);
            }
            match u32_at(info, 0) {
                // What is around a network stands before it, so this ends.
                Some(around) if (around as usize) < place => place = around as usize,
                _ => return Ok(()),
            }
        }
    }

    /// Every network.
    pub(super) fn all<A: Address>(self) -> impl Iterator<Item = Result<Network<A>, Damaged>> {
        (0..self.count).map(move |place| {
            let info = self.info(place)?;
            let first = A::at(self.firsts, place).ok_or_else(|| self.section.damaged(place))?;
            let length = u8::try_from(u32_at(info, 12).unwrap_or_default()).unwrap_or_default();
            let records = self.records(info)?;
            Ok(Network { first, length, records: records.chunks_exact(4).filter_map(|one| u32_at(one, 0)).collect() })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::format::{Layout, Section, write as write_file};
    use super::*;

    fn check<A: Address + std::fmt::Debug>(networks: &[(A, u8)], addresses: &[A]) {
        let numbered: Vec<_> =
            networks.iter().zip(0..).map(|((first, length), record)| (*first, *length, record)).collect();
        let mut sections: [Vec<u8>; Section::COUNT] = Default::default();
        sections[Section::NetworksV4 as usize] = write(numbered.clone());
        let file = write_file(0, sections);
        let layout = Layout::read(&file, false).unwrap();
        let section = layout.section(&file, Section::NetworksV4);
        let Some(read) = Networks::new::<A>(section) else { return assert!(networks.is_empty()) };
        for address in addresses {
            let mut found = Vec::new();
            read.around(*address, &mut |_, records| {
                found.extend(records.chunks_exact(4).filter_map(|one| u32_at(one, 0)));
            })
            .unwrap();
            found.sort_unstable();
            let wanted: Vec<u32> = numbered
                .iter()
                .filter(|(first, length, _)| first.agrees(*address, u32::from(*length)))
                .map(|(.., record)| *record)
                .collect();
            assert_eq!(found, wanted, "{address:?} in {networks:?}");
        }
        let all: usize = read.all::<A>().map(|network| network.unwrap().records.len()).sum();
        assert_eq!(all, networks.len());
    }

    /// Addresses and networks close to each other.
    fn addresses() -> impl Strategy<Value = u32> {
        prop_oneof![any::<u32>(), (0..4_u32, 0..8_u32, 0..64_u32).prop_map(|(a, b, c)| a << 30 | b << 16 | c)]
    }

    fn network<A: Address>(address: A, length: u8, mask: impl Fn(A, u32) -> A) -> (A, u8) {
        (mask(address, A::BITS - u32::from(length)), length)
    }

    proptest! {
        #[test]
        fn all_around_an_address(
            networks in prop::collection::vec((addresses(), 0_u8..=32), 0..60),
            others in prop::collection::vec(addresses(), 40),
        ) {
            let cut = |address: u32, rest| address.checked_shr(rest).map_or(0, |upper| upper << rest);
            let networks: Vec<_> =
                networks.into_iter().map(|(address, length)| network(address, length, cut)).collect();
            let mut asked = others;
            asked.extend(networks.iter().map(|(first, _)| *first));
            asked.extend(networks.iter().map(|(first, _)| first.wrapping_sub(1)));
            asked.extend([0, u32::MAX]);
            check(&networks, &asked);

            let wide: Vec<_> = networks.iter().map(|(first, length)| (u128::from(*first) << 96, *length)).collect();
            check(&wide, &asked.iter().map(|one| u128::from(*one) << 96 | 5).collect::<Vec<_>>());
        }
    }
}
