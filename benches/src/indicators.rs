//! Indicators in the mix of a usual threat-intelligence platform.

use alert_enricher::store::{Builder, Store};
use stix_model::sdo::Indicator;
use stix_model::{Identifier, Object, Timestamp, Uuid};

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

/// So many of them as a store.
pub fn listed(count: usize) -> Store {
    let mut builder = Builder::default();
    for value in values(count) {
        builder.line(&value);
    }
    builder.finish().map_or_else(|_| Store::default(), alert_enricher::store::Built::into_store)
}

/// Patterns: per hundred 36 IPv4 addresses and 4 networks, 22 SHA-256, 10 MD5 and 8 SHA-1 digests, 10 domain names, 5
/// URLs, and 5 that compare several things.
pub fn patterns(count: usize) -> impl Iterator<Item = String> {
    let mut numbers = Numbers::new(13);
    (0..count).map(move |place| match place * 37 % 100 {
        0..36 => format!("[ipv4-addr:value = '{}']", numbers.address()),
        36..40 => format!("[ipv4-addr:value ISSUBSET '{}/{}']", numbers.address(), 17 + numbers.below(13)),
        40..62 => format!("[file:hashes.'SHA-256' = '{}']", numbers.hexadecimal(64)),
        62..72 => format!("[file:hashes.MD5 = '{}']", numbers.hexadecimal(32)),
        72..80 => format!("[file:hashes.'SHA-1' = '{}']", numbers.hexadecimal(40)),
        80..90 => format!("[domain-name:value = '{}']", numbers.domain()),
        90..95 => {
            let (domain, path, name) = (numbers.domain(), numbers.word(6), numbers.hexadecimal(8));
            format!("[url:value = 'http://{domain}/{path}/{name}.bin']")
        }
        _ => compound(&mut numbers),
    })
}

/// A pattern that compares several things, as analysts write them.
fn compound(numbers: &mut Numbers) -> String {
    match numbers.below(5) {
        0 => format!(
            "[network-traffic:dst_ref.value = '{}' AND network-traffic:dst_port = {}]",
            numbers.address(),
            1 + numbers.below(65_535)
        ),
        1 => format!("[file:name = '{}.exe' AND file:size > {}]", numbers.word(9), numbers.below(1_000_000)),
        2 => format!("[process:command_line LIKE '%{} -enc {}%']", numbers.word(8), numbers.hexadecimal(12)),
        3 => format!("[domain-name:value = '{}'] FOLLOWEDBY [file:name = '{}.dll']", numbers.domain(), numbers.word(9)),
        _ => format!(
            "[file:name = '{}.exe' AND file:hashes.'SHA-256' = '{}'] WITHIN 600 SECONDS",
            numbers.word(9),
            numbers.hexadecimal(64)
        ),
    }
}

/// The same as indicators with names, scores, labels and markings.
pub fn objects(count: usize) -> impl Iterator<Item = Object> {
    let mut numbers = Numbers::new(17);
    patterns(count).map(move |pattern| {
        let day = numbers.below(365);
        let time = Timestamp::UNIX_EPOCH.saturating_add(std::time::Duration::from_secs(1_700_000_000 + day * 86_400));
        let mut indicator = Indicator::new(pattern, "stix", time, time);
        // As a platform that exchanges with others has them: random.
        let uuid = u128::from(numbers.number()) << 64 | u128::from(numbers.number());
        let uuid = Uuid::from_u128(uuid & !(0xf << 76) | 4 << 76);
        if let Ok(id) = Identifier::new("indicator", uuid) {
            indicator.common.id = id;
        }
        indicator.name = Some(indicator.pattern.split('\'').nth(1).unwrap_or_default().to_owned());
        indicator.valid_until = Some(time.saturating_add(std::time::Duration::from_hours(8760)));
        indicator.common.confidence = Some(75);
        indicator.common.labels =
            vec![["phishing", "c2", "ransomware", "apt"][usize::from(day.is_multiple_of(4))].to_owned()];
        indicator.with("x_opencti_score", 10 + numbers.below(91)).into()
    })
}

/// So many of them as a store.
pub fn mixed(count: usize) -> Store {
    let mut builder = Builder::default();
    for object in objects(count) {
        builder.object(&object);
    }
    builder.finish().map_or_else(|_| Store::default(), alert_enricher::store::Built::into_store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_taken() {
        assert_eq!(listed(10_000).snapshot().len(), 10_000);
        assert_eq!(mixed(10_000).snapshot().len(), 10_000);
    }
}
