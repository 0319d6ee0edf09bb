//! Markdown that holds text of attackers.
//!
//! Alerts and intelligence are written by others, and the platform shows notes and descriptions as Markdown with
//! tables and links. Their text therefore stands in code spans or code blocks, in which nothing has a meaning: no
//! emphasis, no link, no picture, no HTML. What cannot stand there is replaced where everybody can see it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The longest run of back-ticks.
fn longest_run(text: &str) -> usize {
    let (mut longest, mut run, mut next) = (0, 0, 0);
    for place in memchr::memchr_iter(b'`', text.as_bytes()) {
        run = if place == next { run + 1 } else { 1 };
        next = place + 1;
        longest = longest.max(run);
    }
    longest
}

/// Whether a character would change how its neighbours are read or shown: controls, line ends, marks that reverse the
/// direction of text, invisible spaces.
fn is_deceptive(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line without anything that deceives the eye: line ends and tabs become blanks, the rest replacement characters.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let plain = |char: char| match char {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
        char if is_deceptive(char) => char::REPLACEMENT_CHARACTER,
        char => char,
    };
    text.chars().map(plain).collect::<String>().into()
}

/// At most `limit` characters. What was cut off is told in place of it.
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    // Most texts are short; counting bytes is enough to see that.
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let Some((end, _)) = text.char_indices().nth(limit) else { return Cow::Borrowed(text) };
    let cut_off = text[end..].chars().count();
    Cow::Owned(format!("{}[… {cut_off} more]", &text[..end]))
}

/// A code span.
///
/// ```
/// use alert_enricher::enrichment::markdown::code;
///
/// assert_eq!(code("a|b *c*"), "`a|b *c*`");
/// assert_eq!(code("``"), "``` `` ```");
/// ```
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_code(&mut out, text);
    out
}

/// Appends a code span.
pub(crate) fn push_code(out: &mut String, text: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'`' | b'<');
    // Most texts have nothing in them that needs a look: ASCII, no blank at the ends.
    let ends = [text.bytes().next(), text.bytes().next_back()];
    if text.bytes().all(is_plain) && ends.iter().all(|end| end.is_some_and(|byte| byte != b' ')) {
        out.push('`');
        out.push_str(text);
        out.push('`');
        return;
    }
    let text = one_line(text);
    // The platform turns these tags into back-ticks, which would end the span.
    let text = text.replace("<code>", "< code>").replace("</code>", "< /code>");
    if text.trim().is_empty() {
        out.push('–');
        return;
    }
    let fence = longest_run(&text) + 1;
    // A blank on both sides is not part of the code, and separates it from its fence.
    let padded = text.starts_with('`') || text.ends_with('`') || (text.starts_with(' ') && text.ends_with(' '));
    let pad = if padded { " " } else { "" };
    out.extend(std::iter::repeat_n('`', fence));
    for part in [pad, &text, pad] {
        out.push_str(part);
    }
    out.extend(std::iter::repeat_n('`', fence));
}

/// A code span of at most `limit` characters.
pub fn short_code(text: &str, limit: usize) -> String {
    code(&cut(text, limit))
}

/// Code spans in the cell of a table. Cells are told apart before spans are, so bars stand outside of them.
pub fn cell_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_cell_code(&mut out, text);
    out
}

/// Appends code spans in the cell of a table.
pub(crate) fn push_cell_code(out: &mut String, text: &str) {
    if memchr::memchr(b'|', text.as_bytes()).is_none() {
        return push_code(out, text);
    }
    let parts = text.split('|').map(|part| if part.trim().is_empty() { String::new() } else { code(part) });
    out.push_str(&parts.collect::<Vec<_>>().join("&#124;"));
}

/// A code block. Its fence is longer than any in the text.
pub fn block(language: &str, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + language.len() + 10);
    push_block(&mut out, language, text);
    out
}

/// A code block.
fn push_block(out: &mut String, language: &str, text: &str) {
    let fence = fence(text);
    for part in [&fence, language, "\n", text.trim_end_matches('\n'), "\n", &fence, "\n"] {
        out.push_str(part);
    }
}

/// What encloses a code block: longer than any run of back-ticks in its text.
fn fence(text: &str) -> String {
    "`".repeat(longest_run(text).max(2) + 1)
}

/// Appends a code block with JSON as [`pretty_json`] shows it, of at most `limit` characters in whole lines. What was cut
/// off is told behind it.
pub(crate) fn push_json_block(out: &mut String, json: &str, limit: usize) {
    // No back-tick comes or goes on the way, so the fence is known before.
    let fence = fence(json);
    for part in [&fence, "json\n"] {
        out.push_str(part);
    }
    let start = out.len();
    push_pretty_json(out, json);
    let mut cut_off = 0;
    // There are at most as many characters as bytes.
    if out.len() - start > limit
        && let Some((end, _)) = out[start..].char_indices().nth(limit)
    {
        let end = out[start..start + end].rfind('\n').unwrap_or(0);
        cut_off = out[start + end..].chars().count();
        out.truncate(start + end);
    }
    for part in ["\n", &fence, "\n"] {
        out.push_str(part);
    }
    if cut_off > 0 {
        // Writing to a text cannot fail.
        let _ = write!(out, "\n[… {cut_off} more characters]\n");
    }
}

/// Text of our own or a name that a user chose: what Markdown would read is escaped.
pub fn escape(text: &str) -> String {
    // Most names have nothing in them that needs a look.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'-' | b':')) {
        return text.to_owned();
    }
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            // Entities, because a backslash is taken off before addresses are turned into links.
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '>' | '#' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out
}

/// A link whose text and target are given as they are to be shown.
pub fn link(text: &str, url: &str) -> String {
    // Most targets have nothing in them that needs a look.
    if url.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'<' | b'>' | b'|')) {
        return ["[", text, "](<", url, ">)"].concat();
    }
    // A target in angle brackets may hold brackets, but neither blanks nor line ends nor angle brackets.
    let url: String = url.chars().filter(|char| !matches!(char, '<' | '>') && !is_deceptive(*char)).collect();
    format!("[{text}](<{}>)", url.replace(' ', "%20").replace('|', "%7C"))
}

/// A table. Cells are Markdown already.
#[derive(Clone, Debug)]
pub struct Table(String);

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self(String::with_capacity(512));
        table.row(headings);
        table.0.extend(headings.iter().map(|_| "| --- "));
        table.0.push_str("|\n");
        table
    }

    /// Adds a row.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> &mut Self {
        for cell in cells {
            self.0.push_str("| ");
            self.0.push_str(cell.as_ref());
            self.0.push(' ');
        }
        self.end_row()
    }

    /// Adds a cell to the row that [`end_row`](Self::end_row) ends.
    pub(crate) fn cell(&mut self, write: impl FnOnce(&mut String)) -> &mut Self {
        self.0.push_str("| ");
        write(&mut self.0);
        self.0.push(' ');
        self
    }

    /// Adds a cell with what a value shows.
    pub(crate) fn shown(&mut self, value: impl fmt::Display) -> &mut Self {
        // Writing to a text cannot fail.
        self.cell(|out| _ = write!(out, "{value}"))
    }

    /// Ends the row of the cells that were added one by one.
    pub(crate) fn end_row(&mut self) -> &mut Self {
        self.0.push_str("|\n");
        self
    }

    /// The text, with a line end behind every row.
    pub fn finish(self) -> String {
        self.0
    }
}

/// JSON on several lines with two blanks per level, and otherwise as it was written: numbers keep their digits, members
/// their order, and nothing is lost that a reader would not keep.
///
/// The text must be JSON; anything else comes out with other line ends.
pub fn pretty_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    push_pretty_json(&mut out, json);
    out
}

fn push_pretty_json(out: &mut String, json: &str) {
    /// Deeper levels are not indented further: documents are written by others.
    const DEEPEST: usize = 32;
    const BLANKS: &str = match std::str::from_utf8(&[b' '; DEEPEST * 2]) {
        Ok(blanks) => blanks,
        Err(_) => "",
    };
    let json = json.trim_ascii();
    let mut depth = 0_usize;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&BLANKS[..depth.min(DEEPEST) * 2]);
    };
    // Everything that counts is ASCII, so places are always between characters.
    let bytes = json.as_bytes();
    let mut place = 0;
    while let Some(byte) = bytes.get(place).copied() {
        let start = place;
        place += 1;
        match byte {
            b'"' => {
                place = start + string_length(&bytes[start..]);
                out.push_str(&json[start..place]);
            }
            b'{' | b'[' => {
                out.push(char::from(byte));
                let blanks = bytes[place..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let close = if byte == b'{' { b'}' } else { b']' };
                if bytes.get(place + blanks) == Some(&close) {
                    out.push(char::from(close));
                    place += blanks + 1;
                } else {
                    depth += 1;
                    line(out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(out, depth);
                out.push(char::from(byte));
            }
            b',' => {
                out.push(',');
                line(out, depth);
            }
            b':' => out.push_str(": "),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                // Numbers and words, up to what ends them.
                let ends = |byte: &u8| {
                    matches!(byte, b',' | b':' | b']' | b'}' | b'[' | b'{' | b'"') || byte.is_ascii_whitespace()
                };
                place = bytes[place..].iter().position(ends).map_or(bytes.len(), |length| place + length);
                out.push_str(&json[start..place]);
            }
        }
    }
}

/// The length of the string that a text starts with, quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut place = 1;
    while let Some(found) = text.get(place..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        place += found;
        if text[place] == b'"' {
            return place + 1;
        }
        place += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_be_left() {
        for (text, wanted) in [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("x``", "``` x`` ```"),
            ("line\n# heading", "`line # heading`"),
            ("evil\u{202e}gnp.exe", "`evil\u{fffd}gnp.exe`"),
            ("<code>![](http://evil)</code>", "`< code>![](http://evil)< /code>`"),
            ("", "–"),
            (" ", "–"),
        ] {
            assert_eq!(code(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn cells_stay_cells() {
        assert_eq!(cell_code("a|b"), "`a`&#124;`b`");
        assert_eq!(cell_code(r"a\|b"), r"`a\`&#124;`b`");
        assert_eq!(cell_code("||"), "&#124;&#124;");
        let mut table = Table::new(&["Key", "Value"]);
        table.row(&["x", &cell_code("1 | 2\n| 3 |")]);
        let text = table.finish();
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.matches('|').count() == 3), "{text}");
    }

    #[test]
    fn blocks_cannot_be_left() {
        assert_eq!(block("json", "{}\n"), "```json\n{}\n```\n");
        assert_eq!(block("", "```\n````\n"), "`````\n```\n````\n`````\n");
    }

    #[test]
    fn cut_is_visible() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äbcd", 2), "äb[… 2 more]");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    #[test]
    fn escaped_text_is_text() {
        assert_eq!(escape("[a](b) <i> *x* | y"), r"\[a\](b) &lt;i\> \*x\* &#124; y");
        assert_eq!(link("5710", "https://h/(a) b|<c>"), "[5710](<https://h/(a)%20b%7Cc>)");
    }

    #[test]
    fn json_on_lines() {
        let json = r#"{"a":[1,2.10,{"b":"x, {\"y\"}"}],"e":{},"f":[ ],"n":12345678901234567890123}"#;
        let wanted = concat!(
            "{\n  \"a\": [\n    1,\n    2.10,\n    {\n      \"b\": \"x, {\\\"y\\\"}\"\n    }\n  ],\n",
            "  \"e\": {},\n  \"f\": [],\n  \"n\": 12345678901234567890123\n}"
        );
        assert_eq!(pretty_json(json), wanted);
        for broken in ["", "\"", "}}]", "{\"a", "[\\"] {
            pretty_json(broken);
        }
        assert!(pretty_json(&"[".repeat(100_000)).len() < 10_000_000);
    }
}
