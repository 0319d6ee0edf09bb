//! Patterns to read, and one to match.

use stix_model::sco::{DomainName, File, Ipv4Addr, NetworkTraffic, Process, Url, UserAccount};
use stix_model::{Hashes, Object};

use crate::numbers::Numbers;

/// A pattern of several brackets and kinds of tests, as compound indicators have.
pub const COMPOUND: &str = r"[file:hashes.'SHA-256' = '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f' OR (process:command_line MATCHES '(?i)-enc(odedcommand)?\\s+[a-z0-9+/=]{20,}' AND process:image_ref.name LIKE '%.exe')] OR [network-traffic:dst_ref.value ISSUBSET '203.0.113.0/24' AND domain-name:value IN ('cdn.evil.example', 'www.evil.example', 'evil.example')]";

/// The objects of one alert: ten of them. The last test of [`COMPOUND`] decides.
pub fn alert() -> Vec<Object> {
    let mut numbers = Numbers::new(9);
    let hashes: Hashes = [("MD5", numbers.hexadecimal(32)), ("SHA-256", numbers.hexadecimal(64))].into_iter().collect();
    let image = File { name: Some("powershell.exe".to_owned()), hashes, ..File::default() }.identified();
    let parent = File { name: Some("WINWORD.EXE".to_owned()), ..File::default() }.identified();
    let (source, target) = (Ipv4Addr::new("10.20.30.40"), Ipv4Addr::new("203.0.113.77"));
    let process = Process {
        pid: Some(4312),
        command_line: Some("powershell.exe -NoProfile -File C:\\Users\\Public\\update.ps1".to_owned()),
        image_ref: Some(image.id().clone()),
        ..Process::default()
    }
    .identified();
    let traffic = NetworkTraffic {
        src_ref: Some(source.id().clone()),
        dst_ref: Some(target.id().clone()),
        dst_port: Some(8443),
        protocols: vec!["ipv4".to_owned(), "tcp".to_owned()],
        ..NetworkTraffic::default()
    }
    .identified();
    let account = UserAccount { account_login: Some("svc_backup".to_owned()), ..UserAccount::default() }.identified();
    vec![
        source.into(),
        target.into(),
        image.into(),
        parent.into(),
        process.into(),
        traffic.into(),
        account.into(),
        DomainName::new("ws-042.corp.example").into(),
        DomainName::new("cdn.evil.example").into(),
        Url::new("https://cdn.evil.example:8443/gate.php?id=77").into(),
    ]
}

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
