//! Names of machines and domains, URLs, e-mail addresses.

use std::borrow::Cow;

pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        text.to_lowercase().into()
    } else {
        text.into()
    }
}

/// Whether a text can be a label of a name. Underscores occur in service names (`_ldap._tcp`).
fn is_label(label: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_') || !char.is_ascii();
    let dash = |char: Option<char>| char == Some('-');
    !label.is_empty()
        && label.len() <= 63
        && label.chars().all(|char| allowed(char) && !char.is_control() && !char.is_whitespace())
        && !dash(label.chars().next())
        && !dash(label.chars().next_back())
}

/// Reads a fully qualified domain name: at least two labels, lower case, trailing dot removed.
///
/// ```
/// use wazuh_query::value::domain;
///
/// assert_eq!(domain("WWW.Example.COM.").as_deref(), Some("www.example.com"));
/// assert_eq!(domain("web01"), None);
/// assert_eq!(domain("10.0.0.1"), None);
/// ```
pub fn domain(text: &str) -> Option<Cow<'_, str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 || !text.contains('.') || !text.split('.').all(is_label) {
        return None;
    }
    // The last label of a domain is never a number; that is what tells a name from an address.
    let top = text.rsplit('.').next()?;
    (!top.bytes().all(|byte| byte.is_ascii_digit())).then(|| lower(text))
}

/// Reads the name of a machine: one label or more, lower case.
pub fn hostname(text: &str) -> Option<Cow<'_, str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_name = text.len() <= 253
        && text.split('.').all(is_label)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    is_name.then(|| lower(text))
}

/// Reads an e-mail address: bare, in angle brackets, or behind a display name.
pub(super) fn email(text: &str) -> Option<Cow<'_, str>> {
    let text = match (text.rfind('<'), text.strip_suffix('>')) {
        (Some(open), Some(_)) => text.get(open + 1..text.len() - 1)?,
        _ => text,
    };
    let text = text.trim();
    let (local, host) = text.rsplit_once('@')?;
    let fits = !local.is_empty()
        && local.len() <= 64
        && !local
            .contains(|char: char| char.is_whitespace() || matches!(char, '<' | '>' | ',' | ';' | '"' | '\\' | '@'));
    (fits && domain(host).is_some()).then(|| lower(text))
}

/// Schemes whose URLs name a host on the network, with the port that they have without saying so.
pub(super) const SCHEMES: &[(&str, Option<u16>)] = &[
    ("http", Some(80)),
    ("https", Some(443)),
    ("ftp", Some(21)),
    ("ftps", Some(990)),
    ("ws", Some(80)),
    ("wss", Some(443)),
    ("tcp", None),
    ("udp", None),
    ("ldap", Some(389)),
    ("ldaps", Some(636)),
    ("rtsp", Some(554)),
    ("smb", Some(445)),
    ("ssh", Some(22)),
    ("sftp", Some(22)),
];

/// Whether a text is a URL with a scheme and a host.
pub fn is_absolute_url(text: &str) -> bool {
    parts(text).is_some()
}

/// Scheme and host of an absolute URL, the host as written.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !SCHEMES.iter().any(|(known, _)| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some((scheme, host))
}

/// The host of an absolute URL as written, without port and brackets.
///
/// Only of URLs that the query for a host finds: `http` or `https` in lower case, as clients send them, no user
/// information, and a path, a port or nothing after the host.
pub fn host_of_url(text: &str) -> Option<&str> {
    let (scheme, host) = parts(text)?;
    let authority = text.split_once("://")?.1.split(['/', '?', '#', '\\']).next()?;
    let after = text.get(scheme.len() + 3 + authority.len()..)?;
    let found = matches!(scheme, "http" | "https")
        && !host.bytes().any(|byte| byte.is_ascii_uppercase())
        && !authority.contains('@')
        && (after.is_empty() || after.starts_with('/') || authority.len() > host.len());
    found.then_some(host)
}

/// The ASCII form (punycode, RFC 3492) of a lower-case name, where it has letters beyond ASCII.
///
/// ```
/// use wazuh_query::value::to_ascii;
///
/// assert_eq!(to_ascii("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
/// assert_eq!(to_ascii("example.com"), None);
/// ```
pub fn to_ascii(name: &str) -> Option<String> {
    if name.is_ascii() {
        return None;
    }
    let labels = name.split('.').map(|label| {
        if label.is_ascii() { Some(label.to_owned()) } else { punycode(label).map(|encoded| format!("xn--{encoded}")) }
    });
    labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
}

/// RFC 3492, section 6.3.
fn punycode(label: &str) -> Option<String> {
    const BASE: u32 = 36;
    let input: Vec<u32> = label.chars().map(u32::from).collect();
    let mut output: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(output.len()).ok()?;
    let (mut n, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    if basic > 0 {
        output.push('-');
    }
    while handled < u32::try_from(input.len()).ok()? {
        let next = input.iter().copied().filter(|char| *char >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for char in &input {
            if *char < n {
                delta = delta.checked_add(1)?;
            }
            if *char == n {
                let (mut q, mut k) = (delta, BASE);
                loop {
                    let threshold = k.saturating_sub(bias).clamp(1, 26);
                    if q < threshold {
                        break;
                    }
                    output.push(digit(threshold + (q - threshold) % (BASE - threshold))?);
                    q = (q - threshold) / (BASE - threshold);
                    k += BASE;
                }
                output.push(digit(q)?);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n = n.checked_add(1)?;
    }
    Some(output)
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(value, 36).map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[value as usize]))
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (36 - 1) * 26 / 2 {
        delta /= 36 - 1;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        for text in ["-bad.example", "a..b", "", ".", "a b.example", "1.2.3.4", "x.123", "evil.com/path"] {
            assert_eq!(domain(text), None, "{text}");
        }
        assert_eq!(domain("_ldap._tcp.corp.local").as_deref(), Some("_ldap._tcp.corp.local"));
    }

    #[test]
    fn e_mail_addresses() {
        assert_eq!(email("Kim <Kim@Example.NET>").as_deref(), Some("kim@example.net"));
        assert_eq!(email("<a+b@example.org>").as_deref(), Some("a+b@example.org"));
        for text in ["a@b", "@example.org", "a b@example.org", "example.org", "a@", "a@1.2.3.4"] {
            assert_eq!(email(text), None, "{text}");
        }
    }

    #[test]
    fn url_hosts() {
        assert_eq!(host_of_url("https://shop.example.net:8443/cart"), Some("shop.example.net"));
        assert_eq!(host_of_url("http://evil.example"), Some("evil.example"));
        assert_eq!(host_of_url("HTTPS://Shop.Example.net/"), None);
        assert_eq!(host_of_url("http://h?u=http://x/y"), None);
        assert_eq!(host_of_url("https://user@evil.example/"), None);
        assert!(!is_absolute_url("/index.php?u=http://x/y"));
        assert!(!is_absolute_url("c://x"));
    }

    #[test]
    fn punycode_vectors() {
        assert_eq!(to_ascii("münchen.de").as_deref(), Some("xn--mnchen-3ya.de"));
        assert_eq!(to_ascii("例え.テスト").as_deref(), Some("xn--r8jz45g.xn--zckzah"));
        assert_eq!(to_ascii("президент.рф").as_deref(), Some("xn--d1abbgf6aiiy.xn--p1ai"));
    }
}
