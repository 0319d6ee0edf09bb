//! Alert text: the project's own samples, and the shared corpus where it is present.

use std::fs;
use std::path::{Path, PathBuf};

use crate::numbers::Numbers;

/// One alert of each kind at hand, in the order of file names, one a line.
pub fn samples() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = vec![root.join("examples/data/alerts.json")];
    let corpus = fs::read_dir(root.join("../shared/corpus/alerts")).into_iter().flatten().flatten();
    let mut corpus: Vec<PathBuf> = corpus.map(|entry| entry.path()).collect();
    corpus.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    corpus.sort();
    paths.extend(corpus);
    let mut text = String::new();
    for path in paths {
        let Ok(file) = fs::read_to_string(path) else { continue };
        for line in file.lines().filter(|line| !line.trim().is_empty()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The samples over and over, at least `bytes` of them.
///
/// Every copy has other hashes and other addresses, so that neither a processor nor a table of indicators meets the
/// same values again.
pub fn many(bytes: usize) -> String {
    let samples = samples();
    let mut text = String::with_capacity(bytes + samples.len());
    let mut numbers = Numbers::new(7);
    while text.len() < bytes && !samples.is_empty() {
        text.push_str(&changed(&samples, &mut numbers));
    }
    text
}

/// Failed logins from one address on ten hosts: what a search for an address finds as a rule.
pub fn logins(count: usize) -> Vec<String> {
    let login = |place: usize| {
        let (agent, user, port) = (place % 10, place % 37, 40_000 + place);
        let (minute, second) = (place / 60 % 60, place % 60);
        format!(
            concat!(
                r#"{{"timestamp":"2026-03-14T09:{minute:02}:{second:02}.000+0000","rule":{{"level":5,"#,
                r#""description":"sshd: Attempt to login using a non-existent user","id":"5710","#,
                r#""mitre":{{"id":["T1110.001"],"tactic":["Credential Access"],"technique":["Password Guessing"]}},"#,
                r#""groups":["syslog","sshd","authentication_failed"]}},"#,
                r#""agent":{{"id":"{agent:03}","name":"web{agent:02}","ip":"10.0.0.{agent}"}},"manager":{{"name":"m"}},"#,
                r#""id":"1773480413.{place}","full_log":"sshd[1]: Invalid user u{user} from 203.0.113.7 port {port}","#,
                r#""decoder":{{"parent":"sshd","name":"sshd"}},"data":{{"srcip":"203.0.113.7","srcport":"{port}","#,
                r#""srcuser":"u{user}"}},"location":"/var/log/auth.log"}}"#,
            ),
            agent = agent,
            user = user,
            port = port,
            minute = minute,
            second = second,
            place = place,
        )
    };
    (1..=count).map(login).collect()
}

/// So many alerts of about 800 bytes: the samples between 500 and 1,100 bytes over and over, with other hashes and
/// addresses in every copy. In every hundredth one an address is taken from `known`.
pub fn short(count: usize, known: &[String]) -> Vec<String> {
    let samples: Vec<String> =
        samples().lines().filter(|line| (500..1_100).contains(&line.len())).map(str::to_owned).collect();
    let mut numbers = Numbers::new(23);
    let mut alerts = Vec::with_capacity(count);
    while alerts.len() < count && !samples.is_empty() {
        for sample in &samples {
            let alert = changed(sample, &mut numbers);
            let place = alerts.len();
            let known = known.get(place / 100 % known.len().max(1)).filter(|_| place.is_multiple_of(100));
            alerts.push(known.map_or(alert.clone(), |address| with_address(&alert, address)));
        }
    }
    alerts.truncate(count);
    alerts
}

/// The alert with this address in the place of its first one.
fn with_address(alert: &str, address: &str) -> String {
    let found = alert.split('"').find(|text| text.parse::<std::net::Ipv4Addr>().is_ok());
    found.map_or_else(|| alert.to_owned(), |found| alert.replacen(found, address, 1))
}

/// Replaces digests and the last number of IPv4 addresses; no length changes.
fn changed(text: &str, numbers: &mut Numbers) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if run == 0 {
            at += 1;
            continue;
        }
        let alone = !bytes.get(at + run).is_some_and(u8::is_ascii_alphanumeric)
            && !at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
        if alone && matches!(run, 32 | 40 | 64) {
            let digits = numbers.hexadecimal(run);
            bytes[at..at + run].copy_from_slice(digits.as_bytes());
        } else if alone && run == 3 && is_last_of_address(&bytes, at) {
            let last = 100 + numbers.below(100);
            bytes[at..at + run].copy_from_slice(last.to_string().as_bytes());
        }
        at += run;
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Whether three numbers with dots stand before this place, and no further one behind it.
fn is_last_of_address(bytes: &[u8], at: usize) -> bool {
    let mut end = at;
    for _ in 0..3 {
        if end == 0 || bytes[end - 1] != b'.' {
            return false;
        }
        let digits = bytes[..end - 1].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return false;
        }
        end -= 1 + digits;
    }
    bytes.get(at + 3).is_none_or(|after| *after != b'.') && bytes[at..at + 3].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_in_values_only() {
        let digest = "0123456789abcdef0123456789abcdef";
        let text =
            format!(r#"{{"md5":"{digest}","ip":"203.0.113.107","version":"1.2.3.100.5","id":"1710408413.589"}}"#);
        let other = changed(&text, &mut Numbers::new(1));
        assert_eq!(other.len(), text.len());
        assert!(!other.contains(digest) && !other.contains("203.0.113.107"), "{other}");
        assert!(other.contains(r#""version":"1.2.3.100.5","id":"1710408413.589""#), "{other}");
    }
}
