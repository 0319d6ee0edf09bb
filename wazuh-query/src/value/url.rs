//! The spellings of one URL (RFC 3986, section 6.2).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::name::{SCHEMES, lower, to_ascii};

/// Most spellings of one URL, and most bytes of all together: a query names them for each of many fields.
const MOST: usize = 24;
const ROOM: usize = 8 << 10;

/// Scheme, user information, host, port, and everything behind them.
struct Parts<'a> {
    scheme: &'a str,
    /// With the `@`.
    user: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    /// Path and query.
    tail: &'a str,
    /// Without its `#`.
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let may_be_in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(may_be_in_scheme) {
            return None;
        }
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
        let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        // The colons in brackets are those of an address.
        let behind = host.rfind(']').unwrap_or(0);
        let (host, port) = match host.get(behind..).and_then(|end| end.rfind(':')) {
            Some(colon) => (&host[..behind + colon], Some(&host[behind + colon + 1..])),
            None => (host, None),
        };
        Some(Self { scheme, user, host, port, tail, fragment })
    }

    /// The port, unless it is the scheme's own or empty.
    fn special_port(&self) -> Option<&'a str> {
        let is_own = |port: &str| port.parse().is_ok_and(|port| default_port(self.scheme) == Some(port));
        self.port.filter(|port| !port.is_empty() && !is_own(port))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme)).map(|(_, port)| *port)?
}

/// A URL in the form in which all its spellings are one: scheme and host in lower case, the host in ASCII, no port that the
/// scheme has anyway, `%` only where it is needed and with capitals behind it, no fragment, and no slash at the end.
/// Anything that is no URL stays as it is.
///
/// ```
/// use wazuh_query::value::normal_url;
///
/// assert_eq!(normal_url("HTTP://Evil.Example:80/%7euser/%c3%bc/#top"), "http://evil.example/~user/%C3%BC");
/// assert_eq!(normal_url("https://evil.example:8443/a?b=c/d"), "https://evil.example:8443/a?b=c/d");
/// ```
pub fn normal_url(text: &str) -> Cow<'_, str> {
    let Some(parts) = Parts::of(text) else { return text.into() };
    let (scheme, host, tail) = (lower(parts.scheme), normal_host(parts.host), normal_escapes(parts.tail));
    let tail = tail.trim_end_matches('/');
    let port = parts.special_port();
    let is_normal = scheme == parts.scheme && host == parts.host && port == parts.port && tail == parts.tail;
    if is_normal && parts.fragment.is_none() {
        return text.into();
    }
    let colon = if port.is_some() { ":" } else { "" };
    [&*scheme, "://", parts.user, &*host, colon, port.unwrap_or_default(), tail].concat().into()
}

/// How producers may write a URL: as it is, in its [normal form](normal_url), with the scheme's own port, with its host in
/// capitals, with other `%` escapes, without its fragment. A slash at the end counts, but for that of an empty path.
///
/// The first one is the text itself, and of a text of many kilobytes it may be the only one. A host with letters in both cases is among them only where the text has it.
pub fn url_spellings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    let Some(parts) = Parts::of(text) else { return all };
    let scheme = lower(parts.scheme);
    let host = normal_host(parts.host);
    let own_port = default_port(&scheme).map(|port| format!(":{port}")).unwrap_or_default();
    let ports: Vec<String> = match parts.special_port() {
        Some(port) => vec![format!(":{port}")],
        None => vec![String::new(), own_port],
    };
    let normal = normal_escapes(parts.tail);
    let mut tails: Vec<Cow<'_, str>> = vec![normal.clone(), parts.tail.into()];
    tails.push(lower_escapes(&normal));
    tails.extend(readable(&normal).map(Cow::Owned));
    if matches!(parts.tail, "" | "/") {
        tails.extend(["".into(), "/".into()]);
    }
    let mut room = ROOM.saturating_sub(text.len());
    let hosts = [host.to_string(), lower(parts.host).into_owned(), host.to_ascii_uppercase()];
    for tail in &tails {
        for port in &ports {
            for host in &hosts {
                let spelling = [&*scheme, "://", parts.user, host, port, tail].concat();
                if all.len() < MOST && spelling.len() <= room && !all.contains(&spelling) {
                    room -= spelling.len();
                    all.push(spelling);
                }
            }
        }
    }
    all
}

/// The host in lower case and in ASCII.
fn normal_host(host: &str) -> Cow<'_, str> {
    let host = lower(host);
    match to_ascii(&host) {
        Some(ascii) => ascii.into(),
        None => host,
    }
}

fn hexadecimal(bytes: &[u8], place: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(place..place + 3)? else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

/// Characters that mean the same with and without an escape (section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Characters that cannot stand in a URL but escaped, and that people write nevertheless (RFC 3987, section 3.1).
fn wants_escape(byte: u8) -> bool {
    !byte.is_ascii_graphic() || matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Escapes only where they are needed, with capitals.
fn normal_escapes(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || wants_escape(byte)) {
        return text.into();
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    let mut place = 0;
    while let Some(byte) = bytes.get(place).copied() {
        let escaped = hexadecimal(bytes, place);
        place += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(byte) if is_unreserved(byte) => out.push(char::from(byte)),
            None if byte.is_ascii() && !wants_escape(byte) => out.push(char::from(byte)),
            // Writing to a text cannot fail.
            _ => _ = write!(out, "%{:02X}", escaped.unwrap_or(byte)),
        }
    }
    out.into()
}

/// The same escapes with small letters.
fn lower_escapes(text: &str) -> Cow<'_, str> {
    let is_upper = |(place, _): (usize, &str)| {
        text.as_bytes().get(place + 1..place + 3).is_some_and(|digits| digits.iter().any(u8::is_ascii_uppercase))
    };
    if !text.match_indices('%').any(is_upper) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        let (digits, after) = behind.split_at_checked(2).unwrap_or((behind, ""));
        out.push_str(before);
        out.push('%');
        out.push_str(&digits.to_ascii_lowercase());
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

/// With the letters beyond ASCII that escapes stand for, where that makes a difference.
fn readable(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut place = 0;
    let mut any = false;
    while let Some(byte) = bytes.get(place).copied() {
        let letter = hexadecimal(bytes, place).filter(|byte| !byte.is_ascii());
        out.push(letter.unwrap_or(byte));
        place += if letter.is_some() { 3 } else { 1 };
        any |= letter.is_some();
    }
    any.then(|| String::from_utf8(out).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normal_forms() {
        for (text, wanted) in [
            ("http://evil.example/a", "http://evil.example/a"),
            ("HTTPS://u:P@Evil.Example:443/A/", "https://u:P@evil.example/A"),
            ("http://evil.example:/", "http://evil.example"),
            ("http://evil.example:443", "http://evil.example:443"),
            ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
            ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
            ("http://b\u{fc}cher.example/\u{fc} x", "http://xn--bcher-kva.example/%C3%BC%20x"),
            ("http://evil.example/%2f%41%zz%", "http://evil.example/%2FA%zz%"),
            ("http://evil.example?q=%e4#f", "http://evil.example?q=%E4"),
            ("Other://X:80/%41", "other://x:80/A"),
            ("other://x:a", "other://x:a"),
            ("tcp://x:99999", "tcp://x:99999"),
            ("a b://X", "a b://X"),
            ("/a%41", "/a%41"),
            ("", ""),
        ] {
            assert_eq!(normal_url(text), wanted, "{text}");
        }
    }

    /// Q-45.
    #[test]
    fn q_45_spellings() {
        let all = url_spellings("http://evil.example/a");
        assert_eq!(
            all,
            ["http://evil.example/a", "http://EVIL.EXAMPLE/a", "http://evil.example:80/a", "http://EVIL.EXAMPLE:80/a"]
        );
        let has = |text: &str, wanted: &str| assert!(url_spellings(text).iter().any(|one| one == wanted), "{text}");
        has("http://Evil.Example:80/a", "http://evil.example/a");
        has("https://evil.example:8443/%7Eu", "https://EVIL.EXAMPLE:8443/~u");
        has("http://evil.example/%c3%bc", "http://evil.example/\u{fc}");
        has("http://evil.example/\u{fc} x", "http://evil.example/%c3%bc%20x");
        has("http://evil.example", "http://evil.example/");
        has("http://evil.example/#login", "http://evil.example:80/");
        has("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example");
        assert_eq!(url_spellings("no url"), ["no url"]);
        let long = format!("http://evil.example/{}", "%c3%bc".repeat(5_000));
        assert_eq!(url_spellings(&long), [long]);
    }

    proptest! {
        #[test]
        fn all_spellings_have_one_normal_form(
            host in "[A-Za-z]{1,5}\\.[a-z]{2}", port in "(:80|:8080|:)?",
            path in "(/([a-zA-Z~]|%[0-9a-fA-F]{2}|[ü\" ]){0,6}){0,2}", rest in "(\\?[a-z=/]{0,4})?(#x)?",
        ) {
            let text = format!("http://{host}{port}{path}{rest}");
            let normal = normal_url(&text);
            prop_assert_eq!(normal_url(&normal), normal.clone());
            let all = url_spellings(&text);
            prop_assert_eq!(&all[0], &text);
            for spelling in &all {
                prop_assert_eq!(normal_url(spelling), normal.clone(), "{}", spelling);
            }
        }

        #[test]
        fn nothing_panics(text in "(http://)?\\PC{0,30}") {
            let normal = normal_url(&text).into_owned();
            prop_assert!(url_spellings(&text).len() <= MOST);
            prop_assert!(!normal.is_empty() || text.is_empty());
        }
    }
}
