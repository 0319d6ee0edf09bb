//! The hash of a value: the same on every machine, with a seed of each store's own.
//!
//! A value is hashed part by part, so that the hashes of `c.example` and `b.c.example` come out on the way to that of
//! `a.b.c.example`, and those of a path's ends and of the directories above it on the way to that of the path.

use crate::indicator::Kind;

const MULTIPLIERS: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93, 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// The product of two numbers, folded: every bit of the result depends on every bit of both.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

/// What makes the hashes of one store its own: who writes the values does not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed {
    number: u64,
    one: u64,
    other: u64,
}

impl Seed {
    pub(super) fn new(number: u64) -> Self {
        let derived = |one: usize, other: usize| mix(number ^ MULTIPLIERS[one], MULTIPLIERS[other]);
        Self { number, one: derived(0, 1) | 1, other: derived(2, 3) }
    }

    pub(super) fn number(self) -> u64 {
        self.number
    }
}

/// A value that is hashed part by part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    seed: Seed,
    state: u64,
}

impl Chain {
    /// The beginning of a value of a kind.
    #[inline]
    pub(super) fn new(seed: Seed, code: u8) -> Self {
        Self { seed, state: seed.one ^ (u64::from(code) + 1).wrapping_mul(MULTIPLIERS[0]) }
    }

    /// Adds the next part.
    #[inline]
    pub(super) fn push(&mut self, part: &[u8]) {
        self.state = mix(self.state ^ MULTIPLIERS[1], of_bytes(self.seed, part) ^ MULTIPLIERS[2]);
    }

    /// The hash of all parts so far.
    #[inline]
    pub(super) fn hash(self) -> u64 {
        mix(self.state ^ self.seed.other, self.seed.one ^ MULTIPLIERS[1])
    }
}

#[inline]
fn of_bytes(seed: Seed, bytes: &[u8]) -> u64 {
    let length = (bytes.len() as u64).wrapping_mul(MULTIPLIERS[0]);
    let word = |place: usize| {
        let word = bytes.get(place..).and_then(|rest| rest.first_chunk::<8>());
        word.map_or(0, |word| u64::from_le_bytes(*word))
    };
    let half = |place: usize| {
        let half = bytes.get(place..).and_then(|rest| rest.first_chunk::<4>());
        half.map_or(0, |half| u64::from(u32::from_le_bytes(*half)))
    };
    let (first, last) = match bytes.len() {
        0 => (0, 0),
        1..4 => {
            let byte = |place: usize| u64::from(bytes.get(place).copied().unwrap_or_default());
            (byte(0) << 16 | byte(bytes.len() / 2) << 8 | byte(bytes.len() - 1), 0)
        }
        4..8 => (half(0), half(bytes.len() - 4)),
        8..=16 => (word(0), word(bytes.len() - 8)),
        long => {
            let mut state = seed.one;
            let mut place = 0;
            while place + 16 < long {
                // Both factors depend on the seed: nobody can choose one to be zero.
                state = mix(word(place) ^ seed.other, word(place + 8) ^ state);
                place += 16;
            }
            return mix(word(long - 16) ^ seed.other ^ length, word(long - 8) ^ state ^ seed.one.rotate_left(32));
        }
    };
    mix(first ^ seed.other ^ length, last ^ seed.one)
}

/// In which order the parts of a value are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As one part.
    Whole,
    /// Labels from the last to the first.
    Labels,
    /// Components of a path from the last to the first.
    FromEnd,
    /// Components of a path from the first to the last.
    FromStart,
}

impl Order {
    /// The order for values of a kind.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Domain => Self::Labels,
            Kind::File => Self::FromEnd,
            Kind::Directory | Kind::RegistryKey => Self::FromStart,
            _ => Self::Whole,
        }
    }
}

pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// The hash of a whole value.
pub(super) fn of_value(seed: Seed, code: u8, order: Order, value: &[u8]) -> u64 {
    let mut chain = Chain::new(seed, code);
    match order {
        Order::Whole => chain.push(value),
        Order::Labels => value.rsplit(|byte| *byte == b'.').for_each(|part| chain.push(part)),
        Order::FromEnd => value.rsplit(|byte| is_separator(*byte)).for_each(|part| chain.push(part)),
        Order::FromStart => value.split(|byte| is_separator(*byte)).for_each(|part| chain.push(part)),
    }
    chain.hash()
}

/// How many parts a value has, 63 at most.
pub(super) fn parts(order: Order, value: &[u8]) -> u32 {
    let separators = match order {
        Order::Whole => 0,
        Order::Labels => memchr::memchr_iter(b'.', value).count(),
        Order::FromEnd | Order::FromStart => value.iter().filter(|byte| is_separator(**byte)).count(),
    };
    u32::try_from(separators + 1).unwrap_or(63).min(63)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hashes_of_all_lengths_differ() {
        let text: Vec<u8> = (0..200).collect();
        for seed in [0, 1, u64::MAX] {
            let mut seen = HashSet::new();
            for length in 0..200 {
                for start in 0..200 - length {
                    let part = &text[start..start + length];
                    seen.insert((of_value(Seed::new(seed), 3, Order::Whole, part), part));
                }
            }
            let hashes: HashSet<u64> = seen.iter().map(|(hash, _)| *hash).collect();
            assert_eq!(hashes.len(), seen.len());
        }
    }

    /// Files outlive programs: the function must not change without a new version of the format.
    #[test]
    fn the_function_is_part_of_the_format() {
        let hash = |order, text: &str| of_value(Seed::new(7), 3, order, text.as_bytes());
        let hashes = [
            hash(Order::Whole, ""),
            hash(Order::Whole, "abc"),
            hash(Order::Whole, "abcdefg"),
            hash(Order::Whole, "abcdefghijkl"),
            hash(Order::Whole, "abcdefghijklmnopqrstuvwxyz0123456789"),
            hash(Order::Labels, "www.evil.example"),
            hash(Order::FromEnd, r"c:\tools\nc.exe"),
            hash(Order::FromStart, r"c:\tools\nc.exe"),
        ];
        insta::assert_debug_snapshot!(hashes.map(|hash| format!("{hash:016x}")));
    }

    #[test]
    fn bits_are_spread() {
        // Sixty-four thousand consecutive addresses over 4,096 buckets by the upper bits: no bucket is crowded.
        let mut buckets = vec![0_u32; 4_096];
        for number in 0..65_536_u32 {
            let hash = of_value(Seed::new(1), 1, Order::Whole, &number.to_be_bytes());
            buckets[(hash >> 52) as usize] += 1;
        }
        assert!(buckets.iter().all(|count| (1..60).contains(count)), "{:?}", buckets.iter().max());
    }
}
