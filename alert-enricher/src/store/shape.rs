//! What is in a segment, as numbers: which kinds, how many of each, of how many parts.

use super::bytes::{nth_u32, nth_u64};
use super::hash::Order;
use crate::indicator::Kind;

/// The number of a kind in files. These never change; a new kind gets a new one.
pub(super) const fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Address => 1,
        Kind::Asn => 2,
        Kind::CertificateFingerprint => 3,
        Kind::CertificateSerial => 4,
        Kind::Directory => 5,
        Kind::Domain => 6,
        Kind::Email => 7,
        Kind::EmailSubject => 8,
        Kind::File => 9,
        Kind::Md5 => 10,
        Kind::Mac => 11,
        Kind::Mutex => 12,
        Kind::RegistryKey => 13,
        Kind::Sha1 => 14,
        Kind::Sha256 => 15,
        Kind::Sha512 => 16,
        Kind::Ssdeep => 17,
        Kind::Text => 18,
        Kind::Url => 19,
        Kind::UserAccount => 20,
        Kind::UserAgent => 21,
        Kind::Vulnerability => 22,
    }
}

/// Whole numbers that patterns compare: ports, sizes, process numbers.
pub(super) const NUMBER: u8 = 40;
/// Four bytes of a text that a pattern needs.
pub(super) const GRAM: u8 = 41;
/// Codes are below this.
pub(super) const CODES: usize = 64;

/// The kind with this number.
pub(super) fn kind_of(code: u8) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| self::code(*kind) == code)
}

/// In which order the parts of values of this code are hashed.
pub(super) fn order_of(code: u8) -> Order {
    kind_of(code).map_or(Order::Whole, Order::of)
}

/// What is in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// One bit per code in use.
    pub(super) codes: u64,
    /// For the kinds that are looked up part by part, one bit per number of parts in use.
    parts: [u64; 4],
    /// Where the texts stand that patterns need, and the fields that they need with whatever value.
    pub(super) texts: u64,
    pub(super) always: u64,
    /// One bit per code by which compound patterns are found.
    pub(super) compound: u64,
    /// Values of each code, networks among the addresses.
    pub(super) counts: [u32; CODES],
}

impl Default for Shape {
    fn default() -> Self {
        Self { codes: 0, parts: [0; 4], texts: 0, always: 0, compound: 0, counts: [0; CODES] }
    }
}

const LENGTH: usize = 8 * 8 + CODES * 4;

impl Shape {
    pub(super) fn count(&mut self, code: u8, parts: u32) {
        self.codes |= 1 << code;
        if let Some(count) = self.counts.get_mut(usize::from(code)) {
            *count = count.saturating_add(1);
        }
        if let Some(place) = parts_place(code) {
            self.parts[place] |= part_bit(parts);
        }
    }

    #[inline]
    pub(super) fn has(&self, code: u8) -> bool {
        self.codes & 1 << code != 0
    }

    /// One bit per number of parts of the values of a kind: domains, files, directories and registry keys only.
    #[inline]
    pub(super) fn parts(&self, kind: Kind) -> u64 {
        parts_place(code(kind)).map_or(0, |place| self.parts[place])
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH);
        for number in [self.codes].iter().chain(&self.parts).chain(&[self.texts, self.always, self.compound]) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for count in &self.counts {
            out.extend_from_slice(&count.to_le_bytes());
        }
        out
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != LENGTH {
            return None;
        }
        let mut shape = Self { codes: nth_u64(bytes, 0)?, ..Self::default() };
        for (place, parts) in shape.parts.iter_mut().enumerate() {
            *parts = nth_u64(bytes, place + 1)?;
        }
        (shape.texts, shape.always) = (nth_u64(bytes, 5)?, nth_u64(bytes, 6)?);
        shape.compound = nth_u64(bytes, 7)?;
        for (place, count) in shape.counts.iter_mut().enumerate() {
            *count = nth_u32(bytes, 16 + place)?;
        }
        Some(shape)
    }
}

fn parts_place(code: u8) -> Option<usize> {
    [Kind::Domain, Kind::File, Kind::Directory, Kind::RegistryKey].iter().position(|kind| self::code(*kind) == code)
}

/// The bit of a number of parts; the last one stands for all larger numbers.
#[inline]
pub(super) fn part_bit(parts: u32) -> u64 {
    1 << (parts.max(1) - 1).min(62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        for kind in Kind::ALL {
            assert_eq!(kind_of(code(kind)), Some(kind));
        }
    }

    #[test]
    fn numbers_come_back() {
        let mut shape = Shape::default();
        shape.count(code(Kind::Domain), 3);
        shape.count(NUMBER, 1);
        assert_eq!(Shape::read(&shape.write()), Some(shape.clone()));
        assert_eq!(shape.parts(Kind::Domain), 4);
        assert_eq!(Shape::read(&[0; 3]), None);
    }
}
