//! Command lines.

use std::borrow::Cow;

/// Removes the escapes that the Windows event channel puts into command lines: `\\` becomes `\`, `\"` becomes `"`.
///
/// A command line in which a lone backslash stands before anything but a quote was not escaped and is returned as
/// it is.
///
/// ```
/// use wazuh_query::value::unescape_command_line;
///
/// assert_eq!(unescape_command_line(r#"\"C:\\a\\b.exe\" /c"#), r#""C:\a\b.exe" /c"#);
/// assert_eq!(unescape_command_line(r"dir C:\Temp"), r"dir C:\Temp");
/// ```
pub fn unescape_command_line(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some(escaped @ ('\\' | '"')) => out.push(escaped),
            _ => return text.into(),
        }
    }
    out.into()
}

/// Splits a command line into its words. Quotes group and are removed, wherever they stand: `--opt="a b"` is the one
/// word `--opt=a b`. A backslash before a quote makes it an ordinary character.
///
/// ```
/// use wazuh_query::value::split_command_line;
///
/// assert_eq!(split_command_line(r#""C:\Program Files\x.exe" -q 'a b'"#), [r"C:\Program Files\x.exe", "-q", "a b"]);
/// ```
pub fn split_command_line(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.peek() == Some(&'"') && quote != Some('\'') => {
                chars.next();
                word.get_or_insert_default().push('"');
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            _ if quote == Some(char) => quote = None,
            _ if char.is_whitespace() && quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(split_command_line("'a b' x"), ["a b", "x"]);
        assert_eq!(split_command_line(r#"--opt="a b"  c"#), ["--opt=a b", "c"]);
        assert_eq!(split_command_line(r#"echo \"hi\" """#), ["echo", "\"hi\"", ""]);
        assert_eq!(split_command_line("it's unclosed"), ["its unclosed"]);
        assert!(split_command_line("  \t").is_empty());
    }
}
