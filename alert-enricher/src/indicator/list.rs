//! Plain values: what kind is it, and what did it look like before somebody made it harmless?

use super::kind::{Key, Kind};
use wazuh_query::value;

/// A text that is no value of a known kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address, name, URL, hash, path or other value that is known")]
pub struct ListError(String);

/// Endings that tell a file from a domain name. Some are also top-level domains; files with such names are by far
/// more common in lists.
const FILE_ENDINGS: &[&str] = &[
    "exe", "dll", "sys", "ocx", "cpl", "scr", "msi", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse", "wsf",
    "hta", "lnk", "doc", "docx", "docm", "dotm", "xls", "xlsx", "xlsm", "xlsb", "xll", "ppt", "pptx", "pptm", "pdf",
    "rtf", "txt", "log", "jar", "class", "war", "iso", "img", "vhd", "vhdx", "zip", "rar", "7z", "gz", "tar", "cab",
    "bin", "dat", "tmp", "php", "asp", "aspx", "jsp", "elf", "so", "ko", "plist", "dylib", "dmg", "apk", "one", "chm",
];

/// Undoes the spellings that keep people from clicking: `hxxp://evil[.]example`, `user[at]mail(.)example`.
///
/// ```
/// assert_eq!(alert_enricher::indicator::refang("hxxps://evil[.]example/x"), "https://evil.example/x");
/// ```
pub fn refang(text: &str) -> String {
    let mut out = text.trim().to_owned();
    let marks = [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("{dot}", "."),
        ("\\.", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
        ("[@]", "@"),
        ("(@)", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
    ];
    for (mark, plain) in marks {
        // A backslash before a dot is also a hidden directory of a Windows path.
        if out.contains(mark) && !(mark == "\\." && out.matches('\\').count() != out.matches("\\.").count()) {
            out = out.replace(mark, plain);
        }
    }
    for (mark, plain) in [("hxxp", "http"), ("hXXp", "http"), ("meow://", "http://"), ("fxp://", "ftp://")] {
        if let Some(rest) = out.strip_prefix(mark) {
            out = format!("{plain}{rest}");
        }
    }
    out
}

/// Recognises the kind of a plain value. Harmless spellings are understood.
///
/// ```
/// use alert_enricher::indicator::{Kind, recognise};
///
/// assert_eq!(recognise("203[.]0[.]113[.]66")?.kind(), Kind::Address);
/// assert_eq!(recognise("invoice.exe")?.kind(), Kind::File);
/// assert_eq!(recognise("evil.example")?.kind(), Kind::Domain);
/// # Ok::<(), alert_enricher::indicator::ListError>(())
/// ```
pub fn recognise(text: &str) -> Result<Key, ListError> {
    let plain = refang(text);
    let candidates: &[Kind] = if plain.contains("://") {
        &[Kind::Url]
    } else if value::hive(&plain).is_some() {
        &[Kind::RegistryKey]
    } else if plain.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("cve-")) {
        &[Kind::Vulnerability]
    } else if value::is_sid(&plain) {
        &[Kind::UserAccount]
    } else if plain.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("as"))
        && plain.get(2..).is_some_and(|number| number.parse::<u32>().is_ok())
    {
        &[Kind::Asn]
    } else if plain.contains('\\') || plain.starts_with(['/', '~', '%']) {
        if plain.ends_with(['/', '\\']) { &[Kind::Directory] } else { &[Kind::File] }
    } else if is_file_name(&plain) {
        &[Kind::File]
    } else {
        &[Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512, Kind::Address, Kind::Mac, Kind::Email, Kind::Ssdeep]
    };
    let known = candidates.iter().find_map(|kind| Key::new(*kind, &plain));
    let key = known.or_else(|| value::domain(&plain).and_then(|_| Key::new(Kind::Domain, &plain)));
    // `evil.example/path` is a URL without its scheme, which no field can be compared with as a whole.
    key.ok_or_else(|| ListError(text.trim().chars().take(80).collect()))
}

fn is_file_name(text: &str) -> bool {
    let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending.as_str())) && !text.contains(['@', '/', ':'])
}

/// The kind that a column of a table names: STIX types, OpenCTI's types, everyday names.
pub(crate) fn kind_of_name(name: &str) -> Option<Kind> {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match folded.to_ascii_lowercase().as_str() {
        "ipv4addr" | "ipv6addr" | "ipv4" | "ipv6" | "ip" | "ipaddress" | "address" | "cidr" | "ipsrc" | "ipdst" => {
            Kind::Address
        }
        "domainname" | "domain" | "hostname" | "host" | "fqdn" => Kind::Domain,
        "url" | "uri" | "link" => Kind::Url,
        "emailaddr" | "email" | "emailaddress" | "emailsrc" => Kind::Email,
        "md5" | "filehashmd5" => Kind::Md5,
        "sha1" | "filehashsha1" => Kind::Sha1,
        "sha256" | "filehashsha256" => Kind::Sha256,
        "sha512" | "filehashsha512" => Kind::Sha512,
        "ssdeep" => Kind::Ssdeep,
        "macaddr" | "mac" | "macaddress" => Kind::Mac,
        "filename" | "filepath" | "path" => Kind::File,
        "directory" => Kind::Directory,
        "windowsregistrykey" | "registrykey" | "regkey" | "registry" => Kind::RegistryKey,
        "mutex" => Kind::Mutex,
        "useragent" => Kind::UserAgent,
        "useraccount" | "account" | "user" => Kind::UserAccount,
        "autonomoussystem" | "asn" | "as" => Kind::Asn,
        "vulnerability" | "cve" => Kind::Vulnerability,
        "emailsubject" | "subject" => Kind::EmailSubject,
        "x509fingerprint" | "certificate" | "x509certificate" => Kind::CertificateFingerprint,
        "text" => Kind::Text,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (text, kind, normal) in [
            ("203.0.113.66", Kind::Address, "203.0.113.66"),
            ("203[.]0[.]113[.]0/24", Kind::Address, "203.0.113.0/24"),
            ("2001:db8::1", Kind::Address, "2001:db8::1"),
            ("hxxp://evil[.]example/x", Kind::Url, "http://evil.example/x"),
            ("user[at]mail[.]example", Kind::Email, "user@mail.example"),
            ("evil\\.example", Kind::Domain, "evil.example"),
            ("0123456789abcdef0123456789abcdef", Kind::Md5, "0123456789abcdef0123456789abcdef"),
            ("0a:1b:2c:3d:4e:5f", Kind::Mac, "0a:1b:2c:3d:4e:5f"),
            (r"HKCU\Software\X", Kind::RegistryKey, r"hkey_current_user\software\x"),
            (r"C:\Temp\.hidden\a.exe", Kind::File, r"c:\temp\.hidden\a.exe"),
            ("/tmp/x", Kind::File, "/tmp/x"),
            ("CVE-2024-3094", Kind::Vulnerability, "CVE-2024-3094"),
            ("AS64500", Kind::Asn, "64500"),
            ("invoice.docm", Kind::File, "invoice.docm"),
            ("assets.example", Kind::Domain, "assets.example"),
        ] {
            let key = recognise(text).unwrap();
            assert_eq!((key.kind(), key.to_string().as_str()), (kind, normal), "{text}");
        }
        for text in ["", "no value at all", "d41d8cd98f00b204e9800998ecf8427e", "evil.example/path", "word"] {
            assert!(recognise(text).is_err(), "{text}");
        }
    }
}
