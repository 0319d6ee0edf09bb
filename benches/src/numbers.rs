//! Numbers that look random and are the same in every run.

/// A stream of numbers (`SplitMix64`, by Sebastiano Vigna).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The stream with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// So many hexadecimal digits.
    pub fn hexadecimal(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[usize::from(self.number().to_le_bytes()[0] & 15)])).collect()
    }

    /// A globally reachable IPv4 address.
    pub fn address(&mut self) -> String {
        // 11.0.0.0 to 99.255.255.255 holds no special-purpose network.
        let [second, third, fourth, ..] = self.number().to_le_bytes();
        format!("{}.{second}.{third}.{fourth}", 11 + self.below(89))
    }

    /// A word of small letters.
    pub fn word(&mut self, letters: usize) -> String {
        (0..letters).map(|_| char::from(b'a' + (self.number() % 26).to_le_bytes()[0])).collect()
    }

    /// A domain name of three labels.
    pub fn domain(&mut self) -> String {
        let lengths = [3 + self.below(5), 6 + self.below(8)].map(|length| usize::try_from(length).unwrap_or(6));
        format!("{}.{}.example", self.word(lengths[0]), self.word(lengths[1]))
    }
}
