//! Patterns to read.

use crate::numbers::Numbers;

/// How many patterns one run reads.
pub const COUNT: usize = 1_000;

/// One address each, as most indicators of feeds are.
pub fn simple() -> Vec<String> {
    let mut numbers = Numbers::new(7);
    (0..COUNT).map(|_| format!("[ipv4-addr:value = '{}']", numbers.address())).collect()
}

/// Everything that the language has, short and long.
pub fn mixed() -> Vec<String> {
    let mut numbers = Numbers::new(8);
    (0..COUNT).map(|place| one(place, &mut numbers)).collect()
}

fn one(place: usize, numbers: &mut Numbers) -> String {
    let n = numbers;
    match place % 16 {
        0 => format!("[domain-name:value = '{}']", n.domain()),
        1 => format!("[url:value LIKE 'http://{}/%' OR url:value = 'https://{}/']", n.domain(), n.domain()),
        2 => format!("[file:hashes.MD5 = '{}' OR file:hashes.'SHA-1' = '{}']", n.hexadecimal(32), n.hexadecimal(40)),
        3 => format!("[file:hashes.'SHA-256' = '{}' AND file:size > {}]", n.hexadecimal(64), n.below(9_999_999)),
        4 => format!(
            "[ipv4-addr:value ISSUBSET '{}/24' OR ipv4-addr:value ISSUPERSET '{}/32']",
            n.address(),
            n.address()
        ),
        5 => {
            let ports: Vec<_> = (0..20).map(|_| n.below(65_536).to_string()).collect();
            format!(
                "[network-traffic:dst_port IN ({}) AND network-traffic:dst_ref.value = '{}']",
                ports.join(","),
                n.address()
            )
        }
        6 => format!(
            r"[file:name MATCHES '^{}.*\\.exe$' AND file:parent_directory_ref.path = 'C:\\Users\\{}\\Temp']",
            n.word(5),
            n.word(7)
        ),
        7 => format!(
            r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\Software\\{}' AND EXISTS windows-registry-key:values]",
            n.word(9)
        ),
        8 => format!(
            "[process:command_line LIKE '%{}%' OR (process:name = '{}.exe' AND process:pid != {})] // seen in the wild",
            n.word(12),
            n.word(6),
            n.below(65_536)
        ),
        9 => format!(
            "([domain-name:value = '{}'] FOLLOWEDBY [file:name = '{}.exe']) WITHIN 300 SECONDS",
            n.domain(),
            n.word(8)
        ),
        10 => format!(
            "[user-account:account_login = '{}'] REPEATS {} TIMES WITHIN 1800.5 SECONDS",
            n.word(6),
            2 + n.below(9)
        ),
        11 => format!(
            "([ipv4-addr:value = '{}'] AND [ipv4-addr:value = '{}'] OR [email-addr:value = '{}@{}']) START t'2026-01-02T03:04:05.678Z' STOP t'2026-02-02T03:04:05Z'",
            n.address(),
            n.address(),
            n.word(5),
            n.domain()
        ),
        12 => format!(
            "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.{} AND file:magic_number_hex = h'4d5a']",
            n.below(99)
        ),
        13 => format!(
            "[artifact:payload_bin = b'{}QUJD' OR artifact:hashes.'SHA-512' = '{}']",
            n.word(8),
            n.hexadecimal(128)
        ),
        14 => format!(
            "[email-message:subject = 'Rechnung \u{fc}ber {} \u{20ac}' AND email-message:from_ref.value LIKE '%@{}']",
            n.below(9_999),
            n.domain()
        ),
        _ => {
            let digests: Vec<_> = (0..50).map(|_| format!("file:hashes.MD5 = '{}'", n.hexadecimal(32))).collect();
            format!("[{}]", digests.join(" OR "))
        }
    }
}

#[cfg(test)]
mod tests {
    use stix_model::pattern::Pattern;

    use super::*;

    #[test]
    fn every_pattern_is_valid() {
        for text in simple().into_iter().chain(mixed()) {
            let pattern = Pattern::parse(&text).unwrap_or_else(|error| panic!("{}", error.render(&text)));
            assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
        }
    }
}
