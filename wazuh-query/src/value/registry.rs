//! Registry keys and security identifiers.

use std::borrow::Cow;

use super::path::normalize_path;

/// A root of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hive {
    /// `HKEY_CLASSES_ROOT`, a view of `HKEY_LOCAL_MACHINE\SOFTWARE\Classes` and the user's own classes.
    ClassesRoot,
    /// `HKEY_CURRENT_CONFIG`.
    CurrentConfig,
    /// `HKEY_CURRENT_USER`, a view of one user's key below `HKEY_USERS`.
    CurrentUser,
    /// `HKEY_LOCAL_MACHINE`.
    LocalMachine,
    /// `HKEY_USERS`.
    Users,
}

impl Hive {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::ClassesRoot, "HKEY_CLASSES_ROOT", "HKCR"),
        (Self::CurrentConfig, "HKEY_CURRENT_CONFIG", "HKCC"),
        (Self::CurrentUser, "HKEY_CURRENT_USER", "HKCU"),
        (Self::LocalMachine, "HKEY_LOCAL_MACHINE", "HKLM"),
        (Self::Users, "HKEY_USERS", "HKU"),
    ];

    /// The long name, `HKEY_LOCAL_MACHINE`.
    pub fn long_name(self) -> &'static str {
        Self::ALL.into_iter().find(|(hive, ..)| *hive == self).map_or("", |(_, long, _)| long)
    }

    /// The short name, `HKLM`.
    pub fn short_name(self) -> &'static str {
        Self::ALL.into_iter().find(|(hive, ..)| *hive == self).map_or("", |(.., short)| short)
    }
}

/// The hive at the start of a key, and what follows it without separators at the start.
///
/// Long and short names in any case, the kernel's `\REGISTRY\MACHINE`, and `Computer\HKEY_…` as editors show it.
pub fn hive(key: &str) -> Option<(Hive, &str)> {
    let key = key.trim_start_matches(['\\', '/']);
    let key = strip_component(key, "Computer").unwrap_or(key);
    if let Some(rest) = strip_component(key, "REGISTRY") {
        let kernel = [("MACHINE", Hive::LocalMachine), ("USER", Hive::Users)];
        return kernel.into_iter().find_map(|(name, hive)| Some((hive, strip_component(rest, name)?)));
    }
    Hive::ALL.into_iter().find_map(|(hive, long, short)| {
        let rest = strip_component(key, long).or_else(|| strip_component(key, short))?;
        Some((hive, rest))
    })
}

/// Removes `name` from the start of `key`, if it is a whole component there.
fn strip_component<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    let head = key.get(..name.len())?;
    let rest = key.get(name.len()..)?;
    let ends = rest.is_empty() || rest.starts_with(['\\', '/']);
    (head.eq_ignore_ascii_case(name) && ends).then(|| rest.trim_start_matches(['\\', '/']))
}

/// A key with single backslashes and the long name of its hive. `None` when it starts with no known hive.
///
/// ```
/// use wazuh_query::value::canonical_key;
///
/// assert_eq!(canonical_key(r"HKLM\\SOFTWARE\\Acme").as_deref(), Some(r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme"));
/// assert_eq!(canonical_key(r"C:\Windows"), None);
/// ```
pub fn canonical_key(key: &str) -> Option<Cow<'_, str>> {
    let (hive, rest) = hive(key)?;
    let rest = rest.trim_end_matches('\\');
    let long = hive.long_name();
    if rest.is_empty() {
        return Some(long.into());
    }
    // Already in this form: the usual case for file integrity monitoring.
    let head = key.len().checked_sub(rest.len() + 1)?;
    if !rest.contains("\\\\") && key.get(..head) == Some(long) && key.as_bytes().get(head) == Some(&b'\\') {
        return Some(key.into());
    }
    let rest = normalize_key(rest);
    let mut out = String::with_capacity(long.len() + 1 + rest.len());
    out.push_str(long);
    out.push('\\');
    out.push_str(&rest);
    Some(out.into())
}

/// A key, or part of one, with single backslashes.
pub fn normalize_key(key: &str) -> Cow<'_, str> {
    let single = normalize_path(key);
    if single.starts_with("\\\\") { single.trim_start_matches('\\').to_owned().into() } else { single }
}

/// Whether a text is a Windows security identifier, of any authority and length.
pub fn is_sid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-")) else { return false };
    let mut parts = 0;
    for part in rest.split('-') {
        parts += 1;
        if part.is_empty() || part.len() > 15 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
    }
    parts >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hives() {
        assert_eq!(hive(r"hklm\a"), Some((Hive::LocalMachine, "a")));
        assert_eq!(hive(r"HKUX\a"), None);
        assert_eq!(hive(r"\REGISTRY\MACHINE\SYSTEM\x"), Some((Hive::LocalMachine, r"SYSTEM\x")));
        assert_eq!(hive(r"\\REGISTRY\\USER\\S-1-5-18"), Some((Hive::Users, "S-1-5-18")));
        assert_eq!(hive(r"Computer\HKEY_CURRENT_USER\a"), Some((Hive::CurrentUser, "a")));
        assert_eq!(hive("HKCR"), Some((Hive::ClassesRoot, "")));
    }

    #[test]
    fn canonical_keys() {
        for (written, wanted) in [
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme", r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme"),
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme\", r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme"),
            (r"HKU\\S-1-5-21-1-2-3-1001\\Software", r"HKEY_USERS\S-1-5-21-1-2-3-1001\Software"),
            (r"\REGISTRY\MACHINE\SOFTWARE\X", r"HKEY_LOCAL_MACHINE\SOFTWARE\X"),
            ("hklm", "HKEY_LOCAL_MACHINE"),
        ] {
            assert_eq!(canonical_key(written).as_deref(), Some(wanted), "{written}");
        }
    }

    #[test]
    fn security_identifiers() {
        for sid in ["S-1-5-18", "S-1-5-21-1004336348-1177238915-682003330-512", "S-1-12-1-4050941825-1188473220-1-2"] {
            assert!(is_sid(sid), "{sid}");
        }
        for text in ["S-1-5", "S-1-5-", "S-1-5-x", "root"] {
            assert!(!is_sid(text), "{text}");
        }
    }
}
