//! Paths of files and directories, Windows and POSIX.
//!
//! The rules are written down here and do not depend on the platform that runs them.

use std::borrow::Cow;

/// What separates the components of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// `\`, Windows.
    Backslash,
    /// `/`, everything else.
    Slash,
}

impl Separator {
    /// The character.
    pub fn char(self) -> char {
        match self {
            Self::Backslash => '\\',
            Self::Slash => '/',
        }
    }
}

/// The separator of a path: a backslash if the path has any or starts with a drive letter.
pub fn separator(path: &str) -> Separator {
    if path.contains('\\') || has_drive(path) { Separator::Backslash } else { Separator::Slash }
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Whether a path starts at a root: `/x`, `\x`, `C:\x`, `C:/x`, `\\server\share`. `C:x` does not.
pub fn is_absolute(path: &str) -> bool {
    match path.as_bytes() {
        [b'/' | b'\\', ..] => true,
        [letter, b':', b'/' | b'\\', ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

/// The last component. A trailing separator gives an empty name.
pub fn basename(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The path without its last component and the separator before it. A root keeps its separator.
pub fn parent(path: &str) -> Option<&str> {
    let cut = path.rfind(['/', '\\'])?;
    let head = path.get(..cut)?;
    let trimmed = head.trim_end_matches(['/', '\\']);
    if trimmed.is_empty() || (trimmed.len() == 2 && has_drive(trimmed)) {
        path.get(..=trimmed.len())
    } else {
        Some(trimmed)
    }
}

/// Brings a Windows path to single separators, however its producer escaped it.
/// A path without backslashes is returned as it is.
///
/// ```
/// use wazuh_query::value::normalize_path;
///
/// assert_eq!(normalize_path(r"C:\\Windows\\cmd.exe"), r"C:\Windows\cmd.exe");
/// assert_eq!(normalize_path(r"\\\\fs01\\pub\\a.txt"), r"\\fs01\pub\a.txt");
/// assert_eq!(normalize_path("/etc/passwd"), "/etc/passwd");
/// ```
pub fn normalize_path(path: &str) -> Cow<'_, str> {
    if !path.contains('\\') {
        return path.into();
    }
    let doubled = is_doubled(path);
    let already = !doubled && !path.trim_start_matches('\\').contains("\\\\") && !path.starts_with("\\\\\\");
    if already { path.into() } else { collapse(path, doubled).into() }
}

/// Whether every run of backslashes is even and one stands inside: the notation of the Windows event channel.
fn is_doubled(path: &str) -> bool {
    let (mut run, mut inside, mut start) = (0, false, true);
    for byte in path.bytes().chain([b'.']) {
        if byte == b'\\' {
            run += 1;
            continue;
        }
        if run % 2 == 1 {
            return false;
        }
        inside |= run > 0 && !start;
        (run, start) = (0, false);
    }
    inside
}

fn collapse(path: &str, doubled: bool) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(place) = rest.find('\\') {
        let (before, from) = rest.split_at(place);
        out.push_str(before);
        let after = from.trim_start_matches('\\');
        let run = from.len() - after.len();
        // Two separators at the start mean a server; anywhere else a run means one separator.
        let at_start = out.is_empty();
        let length = if doubled { run / 2 } else { run };
        out.push_str(if at_start && length >= 2 { "\\\\" } else { "\\" });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        for (written, wanted) in [
            (r"c:\windows\a.exe", r"c:\windows\a.exe"),
            (r"C:\\a\\\\b", r"C:\a\b"),
            (r"C:\a\\b", r"C:\a\b"),
            (r"\\fs01\pub", r"\\fs01\pub"),
            (r"\\Device\\HarddiskVolume1\\x", r"\Device\HarddiskVolume1\x"),
            (r"\\??\\C:\\x", r"\??\C:\x"),
            ("a/b", "a/b"),
        ] {
            assert_eq!(normalize_path(written), wanted, "{written}");
        }
    }

    #[test]
    fn parts() {
        assert_eq!(basename(r"C:\a\b.exe"), "b.exe");
        assert_eq!(basename("/srv/"), "");
        assert_eq!(parent(r"C:\a\b.exe"), Some(r"C:\a"));
        assert_eq!(parent(r"C:\b.exe"), Some(r"C:\"));
        assert_eq!(parent("/b"), Some("/"));
        assert_eq!(parent("b"), None);
    }

    #[test]
    fn absolute() {
        for path in ["/x", r"\x", r"C:\x", "C:/x", r"\\srv\share"] {
            assert!(is_absolute(path), "{path}");
        }
        for path in ["C:x", "C:", "~/x", r"%VAR%\x", "file:///x", ""] {
            assert!(!is_absolute(path), "{path}");
        }
    }
}
