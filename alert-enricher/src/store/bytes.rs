//! Numbers in bytes: little-endian, and in a variable length where most are small.
//!
//! Nothing here panics on any input: what does not fit is `None`.

/// The number at `place`.
#[inline]
pub(super) fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    let number = bytes.get(place..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*number))
}

/// The number at `place`.
#[inline]
pub(super) fn u64_at(bytes: &[u8], place: usize) -> Option<u64> {
    let number = bytes.get(place..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*number))
}

/// The `index`-th of a list of numbers.
#[inline]
pub(super) fn nth_u32(bytes: &[u8], index: usize) -> Option<u32> {
    u32_at(bytes, index.checked_mul(4)?)
}

/// The `index`-th of a list of numbers.
#[inline]
pub(super) fn nth_u64(bytes: &[u8], index: usize) -> Option<u64> {
    u64_at(bytes, index.checked_mul(8)?)
}

/// Writes a number in as few groups of seven bits as it needs.
pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// A place in bytes that moves on while they are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], place: usize) -> Self {
        Self { bytes, place }
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    pub(super) fn at_end(&self) -> bool {
        self.place >= self.bytes.len()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.place)?;
        self.place += 1;
        Some(byte)
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.place.checked_add(count)?;
        let bytes = self.bytes.get(self.place..end)?;
        self.place = end;
        Some(bytes)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Option<u32> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u32::from(first));
        }
        let mut number = u32::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // The last group has room for four bits.
                return (shift < 28 || byte < 0x10).then_some(number);
            }
        }
        None
    }

    /// A length, and so many bytes.
    #[inline]
    pub(super) fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.varint()?;
        self.take(count as usize)
    }

    /// A length, and a text of so many bytes.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.counted()?).ok()
    }
}

/// Writes a length and the bytes.
pub(super) fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length() {
        let mut bytes = Vec::new();
        let numbers = [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 28, u32::MAX];
        for number in numbers {
            push_varint(&mut bytes, number);
        }
        let mut cursor = Cursor::new(&bytes, 0);
        for number in numbers {
            assert_eq!(cursor.varint(), Some(number));
        }
        assert!(cursor.at_end());
        assert_eq!(cursor.varint(), None);
        assert_eq!(Cursor::new(&[0xff; 9], 0).varint(), None);
        assert_eq!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x10], 0).varint(), None);
    }
}
