//! A compact set of values, answering in the time of one look-up whatever its size.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use ipnet::IpNet;
use wazuh_query::alert::Leaf;
use wazuh_query::catalogue::{Catalogue, Holds};
use wazuh_query::value::read;

use super::kind::{Candidate, Key, Kind, keys_of_reading};

/// An indicator, by the number under which it was put into the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndicatorId(pub u32);

/// One value of one indicator. The bytes of the value stand in the set's arena.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    length: u16,
    kind: Kind,
    indicator: u32,
    /// The next entry with the same value, or `NONE`.
    next: u32,
}

const NONE: u32 = u32::MAX;
/// Bits of the filter per value.
const FILTER_BITS: usize = 16;

/// A set of exact values and networks.
///
/// ```
/// use alert_enricher::indicator::{IndicatorId, IndicatorSet, Key, Kind};
/// use wazuh_query::catalogue::Holds;
///
/// let mut set = IndicatorSet::default();
/// set.insert(IndicatorId(7), &Key::new(Kind::Address, "198.51.100.0/24").unwrap());
/// let mut found = Vec::new();
/// set.matches(Holds::Ip, "198.51.100.9", &mut |indicator| found.push(indicator));
/// assert_eq!(found, [IndicatorId(7)]);
/// ```
#[derive(Clone, Debug)]
pub struct IndicatorSet {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    table: HashTable<u32>,
    /// One bit per value, so that most values that are not in the set are told without a look into memory that no
    /// cache holds.
    filter: Vec<u64>,
    /// Lengths of prefixes in use, longest first, for each family.
    prefixes_v4: Vec<u8>,
    prefixes_v6: Vec<u8>,
    kinds: u32,
    // What is looked up was written by attackers.
    hasher: RandomState,
}

impl Default for IndicatorSet {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl IndicatorSet {
    /// An empty set with room for so many values.
    pub fn with_capacity(values: usize) -> Self {
        let mut set = Self {
            arena: Vec::with_capacity(values * 32),
            entries: Vec::with_capacity(values),
            table: HashTable::with_capacity(values),
            filter: Vec::new(),
            prefixes_v4: Vec::new(),
            prefixes_v6: Vec::new(),
            kinds: 0,
            hasher: RandomState::default(),
        };
        set.filter = vec![0; set.filter_words(values)];
        set
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a field of this content can hold a value of the set.
    pub fn concerns(&self, holds: Holds) -> bool {
        Kind::of_field(holds) & self.kinds != 0
    }

    #[expect(clippy::unused_self, reason = "reads as a property of the set")]
    fn filter_words(&self, values: usize) -> usize {
        (values * FILTER_BITS / 64).next_power_of_two().max(64)
    }

    /// Adds a value of an indicator. Adding the same one again changes nothing.
    ///
    /// A value longer than 65,535 bytes, or one beyond four thousand million, is not taken; no field of an index
    /// holds such values. Answers whether the set has it now.
    pub fn insert(&mut self, indicator: IndicatorId, key: &Key) -> bool {
        let mut buffer = [0_u8; 17];
        let (kind, bytes) = match key {
            Key::Network(network) => {
                let network = network.trunc();
                let (prefixes, length) = match network {
                    IpNet::V4(network) => (&mut self.prefixes_v4, network.prefix_len()),
                    IpNet::V6(network) => (&mut self.prefixes_v6, network.prefix_len()),
                };
                if !prefixes.contains(&length) {
                    prefixes.push(length);
                    prefixes.sort_unstable_by(|one, other| other.cmp(one));
                }
                (Kind::Address, network_bytes(network.addr(), length, &mut buffer))
            }
            Key::Text(kind, text) => (*kind, text.as_bytes()),
        };
        self.insert_bytes(indicator, kind, bytes)
    }

    fn insert_bytes(&mut self, indicator: IndicatorId, kind: Kind, bytes: &[u8]) -> bool {
        let mut packed = [0_u8; 64];
        let bytes = pack(kind, bytes, &mut packed);
        let (Ok(start), Ok(length), Ok(place)) =
            (u32::try_from(self.arena.len()), u16::try_from(bytes.len()), u32::try_from(self.entries.len()))
        else {
            return false;
        };
        let hash = self.hash(kind, bytes);
        let found = self.table.find(hash, |entry| self.is(*entry, kind, bytes)).copied();
        if let Some(mut known) = found {
            loop {
                let entry = &mut self.entries[known as usize];
                if entry.indicator == indicator.0 {
                    return true;
                }
                if entry.next == NONE {
                    entry.next = place;
                    break;
                }
                known = entry.next;
            }
            let Entry { start, length, .. } = self.entries[known as usize];
            self.entries.push(Entry { start, length, kind, indicator: indicator.0, next: NONE });
            return true;
        }
        self.arena.extend_from_slice(bytes);
        self.entries.push(Entry { start, length, kind, indicator: indicator.0, next: NONE });
        self.kinds |= kind.bit();
        let Self { table, entries, arena, hasher, .. } = self;
        table.insert_unique(hash, place, |entry| {
            let entry = &entries[*entry as usize];
            hash_of(hasher, entry.kind, bytes_of(arena, entry))
        });
        if self.entries.len() * FILTER_BITS > self.filter.len() * 64 * 2 {
            self.rebuild_filter();
        } else {
            self.mark(hash);
        }
        true
    }

    fn rebuild_filter(&mut self) {
        self.filter = vec![0; self.filter_words(self.entries.len() * 2)];
        for place in 0..self.entries.len() {
            let entry = self.entries[place];
            let hash = self.hash(entry.kind, bytes_of(&self.arena, &entry));
            self.mark(hash);
        }
    }

    fn mark(&mut self, hash: u64) {
        let (word, bit) = self.filter_place(hash);
        self.filter[word] |= bit;
    }

    #[inline]
    fn filter_place(&self, hash: u64) -> (usize, u64) {
        // The table uses the upper bits of the hash for its own tags, so the filter takes the lower ones.
        #[expect(clippy::cast_possible_truncation, reason = "only the lower bits are wanted")]
        let place = hash as usize;
        ((place >> 6) & (self.filter.len() - 1), 1 << (place & 63))
    }

    #[inline]
    fn hash(&self, kind: Kind, bytes: &[u8]) -> u64 {
        hash_of(&self.hasher, kind, bytes)
    }

    fn is(&self, entry: u32, kind: Kind, bytes: &[u8]) -> bool {
        let entry = &self.entries[entry as usize];
        entry.kind == kind && bytes_of(&self.arena, entry) == bytes
    }

    /// Calls `found` with every indicator that has exactly this value.
    #[inline]
    fn look_up(&self, kind: Kind, bytes: &[u8], found: &mut impl FnMut(IndicatorId)) {
        let mut packed = [0_u8; 64];
        let bytes = pack(kind, bytes, &mut packed);
        let hash = self.hash(kind, bytes);
        let (word, bit) = self.filter_place(hash);
        if self.filter[word] & bit == 0 {
            return;
        }
        let mut place = self.table.find(hash, |entry| self.is(*entry, kind, bytes)).copied();
        while let Some(entry) = place {
            let entry = &self.entries[entry as usize];
            found(IndicatorId(entry.indicator));
            place = (entry.next != NONE).then_some(entry.next);
        }
    }

    /// Calls `found` with every indicator that the text of a field matches.
    pub fn matches(&self, holds: Holds, text: &str, found: &mut impl FnMut(IndicatorId)) {
        if self.concerns(holds) {
            self.matches_with(holds, text, &mut String::new(), found);
        }
    }

    /// Like [`IndicatorSet::matches`], with memory that the caller keeps between calls.
    pub fn matches_with(&self, holds: Holds, text: &str, scratch: &mut String, found: &mut impl FnMut(IndicatorId)) {
        // A hunt need not find the value again by an exact search, so a port behind an address does not matter.
        let lenient = if holds == Holds::Ip { Holds::IpWithPort } else { holds };
        read(lenient, text, &mut |reading| {
            keys_of_reading(holds, &reading, scratch, &mut |candidate| self.candidate(candidate, found));
        });
    }

    /// Calls `found` with every indicator that a value of an alert matches.
    pub fn matches_leaf(&self, leaf: &Leaf<'_>, catalogue: &Catalogue, found: &mut impl FnMut(IndicatorId)) {
        self.matches(catalogue.field(leaf.field).holds, &leaf.text, found);
    }

    fn candidate(&self, candidate: Candidate<'_>, found: &mut impl FnMut(IndicatorId)) {
        let (kind, text) = match candidate {
            Candidate::Address(address) => return self.address(address, found),
            Candidate::Text(kind, text) => (kind, text),
        };
        if self.kinds & kind.bit() == 0 && !matches!(kind, Kind::File | Kind::RegistryKey) {
            return;
        }
        match kind {
            // A name stands for the file in any directory, a relative path for any directory above it.
            Kind::File => {
                if self.kinds & Kind::File.bit() != 0 {
                    self.suffixes(text, found);
                }
                if self.kinds & Kind::Directory.bit() != 0
                    && let Some(cut) = text.rfind(['/', '\\'])
                {
                    self.ancestors(Kind::Directory, text.get(..cut).unwrap_or_default(), found);
                }
            }
            Kind::Directory => self.ancestors(Kind::Directory, text, found),
            Kind::RegistryKey => self.ancestors(Kind::RegistryKey, text, found),
            Kind::Mutex => {
                self.look_up(kind, text.as_bytes(), found);
                if let Some((_, name)) = text.rsplit_once('\\') {
                    self.look_up(kind, name.as_bytes(), found);
                }
            }
            _ => self.look_up(kind, text.as_bytes(), found),
        }
    }

    fn suffixes(&self, path: &str, found: &mut impl FnMut(IndicatorId)) {
        self.look_up(Kind::File, path.as_bytes(), found);
        for (place, _) in path.match_indices(['/', '\\']) {
            if let Some(rest) = path.get(place + 1..).filter(|rest| !rest.is_empty()) {
                self.look_up(Kind::File, rest.as_bytes(), found);
            }
        }
    }

    /// A directory or key stands for what lies below it, too.
    fn ancestors(&self, kind: Kind, path: &str, found: &mut impl FnMut(IndicatorId)) {
        self.look_up(kind, path.as_bytes(), found);
        for (place, _) in path.rmatch_indices(['/', '\\']) {
            if let Some(above) = path.get(..place).filter(|above| !above.is_empty()) {
                self.look_up(kind, above.as_bytes(), found);
            }
        }
    }

    fn address(&self, address: IpAddr, found: &mut impl FnMut(IndicatorId)) {
        let prefixes = if address.is_ipv4() { &self.prefixes_v4 } else { &self.prefixes_v6 };
        let mut buffer = [0_u8; 17];
        for length in prefixes {
            if let Ok(network) = IpNet::new(address, *length) {
                let bytes = network_bytes(network.trunc().addr(), *length, &mut buffer);
                self.look_up(Kind::Address, bytes, found);
            }
        }
    }

    /// Every value of an indicator, as it is kept.
    pub fn keys(&self) -> impl Iterator<Item = (IndicatorId, Key)> {
        self.entries.iter().filter_map(|entry| {
            let bytes = bytes_of(&self.arena, entry);
            let key = match entry.kind {
                Kind::Address => network_of(bytes)?,
                kind => Key::Text(kind, unpack(kind, bytes).into()),
            };
            Some((IndicatorId(entry.indicator), key))
        })
    }
}

fn bytes_of<'a>(arena: &'a [u8], entry: &Entry) -> &'a [u8] {
    let start = entry.start as usize;
    &arena[start..start + usize::from(entry.length)]
}

#[inline]
fn hash_of(hasher: &RandomState, kind: Kind, bytes: &[u8]) -> u64 {
    hasher.hash_one((kind as u8, bytes))
}

/// The bytes under which a network is kept: the length of its prefix, then its address.
fn network_bytes(address: IpAddr, length: u8, buffer: &mut [u8; 17]) -> &[u8] {
    buffer[0] = length;
    match address {
        IpAddr::V4(address) => {
            buffer[1..5].copy_from_slice(&address.octets());
            &buffer[..5]
        }
        IpAddr::V6(address) => {
            buffer[1..17].copy_from_slice(&address.octets());
            &buffer[..17]
        }
    }
}

fn network_of(bytes: &[u8]) -> Option<Key> {
    let (length, address) = bytes.split_first()?;
    let address = match address.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
    };
    IpNet::new(address, *length).ok().map(Key::Network)
}

fn is_hexadecimal(kind: Kind) -> bool {
    matches!(kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512)
}

/// Digests are kept as bytes, in half the room of their digits.
#[inline]
fn pack<'b>(kind: Kind, text: &'b [u8], packed: &'b mut [u8; 64]) -> &'b [u8] {
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

fn unpack(kind: Kind, bytes: &[u8]) -> String {
    if !is_hexadecimal(kind) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(set: &IndicatorSet, holds: Holds, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        set.matches(holds, text, &mut |indicator| found.push(indicator.0));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn set(values: &[(Kind, &str)]) -> IndicatorSet {
        let mut set = IndicatorSet::default();
        for (place, (kind, text)) in (0..).zip(values) {
            assert!(set.insert(IndicatorId(place), &Key::new(*kind, text).unwrap()));
        }
        set
    }

    #[test]
    fn networks_of_any_length() {
        let set = set(&[
            (Kind::Address, "198.51.100.0/24"),
            (Kind::Address, "198.51.100.9"),
            (Kind::Address, "2001:db8::/33"),
            (Kind::Address, "198.51.100.9"),
        ]);
        assert_eq!(found(&set, Holds::Ip, "198.51.100.9"), [0, 1, 3]);
        assert_eq!(found(&set, Holds::IpWithPort, "[2001:db8:7fff::1]:80"), [2]);
        assert!(found(&set, Holds::Ip, "2001:db8:8000::1").is_empty());
        assert!(found(&set, Holds::Ip, "198.51.101.9").is_empty());
    }

    #[test]
    fn files_and_what_contains_them() {
        let set = set(&[
            (Kind::File, "nc.exe"),
            (Kind::File, r"C:\Tools\nc.exe"),
            (Kind::Directory, r"C:\Tools"),
            (Kind::File, r"tools\nc.exe"),
        ]);
        assert_eq!(found(&set, Holds::FilePath, r"C:\\TOOLS\\NC.exe"), [0, 1, 2, 3]);
        assert_eq!(found(&set, Holds::FilePath, r"D:\\x\\nc.exe"), [0]);
        assert!(found(&set, Holds::FilePath, r"D:\\x\\xnc.exe").is_empty());
        assert_eq!(found(&set, Holds::Directory, r"c:\tools\sub"), [2]);
        assert!(found(&set, Holds::Directory, r"c:\tools2").is_empty());
    }

    #[test]
    fn hosts_in_urls() {
        let set = set(&[(Kind::Domain, "evil.example"), (Kind::Url, "http://evil.example/a")]);
        assert_eq!(found(&set, Holds::Url, "http://evil.example/a"), [0, 1]);
        assert_eq!(found(&set, Holds::Url, "HTTP://EVIL.example/a"), [1]);
        assert!(found(&set, Holds::Url, "http://notevil.example/a").is_empty());
        assert!(found(&set, Holds::Domain, "sub.evil.example").is_empty());
    }

    #[test]
    fn registry_keys_of_any_user() {
        let set = set(&[
            (Kind::RegistryKey, r"HKCU\Software\Acme"),
            (Kind::RegistryKey, r"HKU\S-1-5-21-1-2-3-1001\Software\Acme"),
            (Kind::RegistryKey, r"HKCR\CLSID\{1F4D}"),
        ]);
        assert_eq!(found(&set, Holds::RegistryKeyAndValue, r"HKU\\S-1-5-21-9-9-9-500\\Software\\Acme\\Run"), [0, 1]);
        assert_eq!(found(&set, Holds::FileOrRegistryPath, r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\CLSID\{1f4d}"), [2]);
        assert!(found(&set, Holds::RegistryKey, r"HKU\.DEFAULT\Software\Acme").is_empty());
    }

    #[test]
    fn an_import_hash_is_no_md5() {
        let set = set(&[(Kind::Md5, "0123456789abcdef0123456789abcdef")]);
        assert!(found(&set, Holds::HashList, "IMPHASH=0123456789ABCDEF0123456789ABCDEF").is_empty());
        assert_eq!(found(&set, Holds::HashList, "SHA1=x,MD5=0123456789ABCDEF0123456789ABCDEF"), [0]);
    }

    proptest! {
        #[test]
        fn every_value_is_found_and_nothing_else(
            inside in prop::collection::btree_set("[0-9a-f]{64}", 0..400),
            outside in prop::collection::btree_set("[0-9a-f]{64}", 0..50),
        ) {
            let mut set = IndicatorSet::default();
            for (place, digest) in (0..).zip(&inside) {
                set.insert(IndicatorId(place), &Key::new(Kind::Sha256, digest).unwrap());
            }
            for (place, digest) in (0..).zip(&inside) {
                prop_assert_eq!(found(&set, Holds::AnyHash, digest), [place]);
            }
            for digest in outside.difference(&inside) {
                prop_assert!(found(&set, Holds::AnyHash, digest).is_empty());
            }
            let keys: Vec<_> = set.keys().map(|(_, key)| key.to_string()).collect();
            prop_assert_eq!(keys, inside.into_iter().collect::<Vec<_>>());
        }
    }
}
