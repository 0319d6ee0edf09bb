//! Indicators in the mix of a usual threat-intelligence platform.

use alert_enricher::indicator::{Indicator, IndicatorSet, Reader};

use crate::numbers::Numbers;

/// The values of a list: per hundred 40 SHA-256 and 15 MD5 digests, 20 IPv4 addresses, 15 domain names, 10 URLs.
pub fn values(count: usize) -> impl Iterator<Item = String> {
    let mut numbers = Numbers::new(11);
    (0..count).map(move |place| match place * 37 % 100 {
        0..40 => numbers.hexadecimal(64),
        40..55 => numbers.hexadecimal(32),
        55..75 => numbers.address(),
        75..90 => numbers.domain(),
        _ => format!("http://{}/{}/{}.bin", numbers.domain(), numbers.word(6), numbers.hexadecimal(8)),
    })
}

/// So many of them as a set.
pub fn set(count: usize) -> (IndicatorSet, Vec<Indicator>) {
    let mut reader = Reader::default();
    for value in values(count) {
        reader.line(&value);
    }
    let (set, indicators, _) = reader.finish();
    (set, indicators)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_taken() {
        let (set, indicators) = self::set(10_000);
        assert_eq!((set.len(), indicators.len()), (10_000, 10_000));
    }
}
