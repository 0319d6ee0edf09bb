//! How a field spells the text of an event.

use std::borrow::Cow;

use crate::catalogue::Schema;

/// How a field spells the text of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Spelling {
    /// As it is.
    #[default]
    Plain,
    /// As the decoder of the Windows event channel does (`data.win.*` of Wazuh 4): the XML of the event as a JSON string.
    /// Backslashes are doubled, quotes carry a backslash, line ends and tabs are `\n`, `\r` and `\t`, and `&`, `<`
    /// and `>` are `&amp;`, `&lt;` and `&gt;`.
    EventChannel,
}

/// What XML writes in another way, and how.
const ENTITIES: [(char, &str); 3] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")];
/// The control characters for which JSON has a letter.
const LETTERS: [(char, char); 5] = [('\n', 'n'), ('\r', 'r'), ('\t', 't'), ('\u{8}', 'b'), ('\u{c}', 'f')];

impl Spelling {
    /// The spelling of the field at `path`.
    ///
    /// `data.win.system.message` is the one field of the event channel that is written as it is.
    pub fn of(schema: Schema, path: &str) -> Self {
        let of_channel = path.starts_with("data.win.") && path != "data.win.system.message";
        if schema == Schema::Wazuh4 && of_channel { Self::EventChannel } else { Self::Plain }
    }

    /// Appends a character of the event as the field has it.
    pub fn write_char(self, out: &mut String, char: char) {
        if self == Self::Plain {
            return out.push(char);
        }
        if let Some((_, entity)) = ENTITIES.iter().find(|(plain, _)| *plain == char) {
            out.push_str(entity);
        } else if let Some((_, letter)) = LETTERS.iter().find(|(plain, _)| *plain == char) {
            out.push('\\');
            out.push(*letter);
        } else if matches!(char, '\\' | '"') {
            out.push('\\');
            out.push(char);
        } else if char < ' ' {
            out.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            out.push(char);
        }
    }

    /// A text of the event as the field has it.
    pub fn write(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 8);
        text.chars().for_each(|char| self.write_char(&mut out, char));
        out
    }

    /// The text of the event out of what the field has. What was not written in this spelling is left as it is.
    ///
    /// ```
    /// use wazuh_query::value::Spelling;
    ///
    /// let field = r#"cmd /c \"C:\\a b.exe\" 2&gt;&amp;1"#;
    /// assert_eq!(Spelling::EventChannel.read(field), r#"cmd /c "C:\a b.exe" 2>&1"#);
    /// ```
    pub fn read(self, text: &str) -> Cow<'_, str> {
        if self == Self::Plain || !text.contains(['\\', '&']) {
            return text.into();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(place) = rest.find(['\\', '&']) {
            let (before, from) = rest.split_at(place);
            out.push_str(before);
            let (char, length) = unit(from);
            out.push(char);
            rest = from.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
        out.into()
    }

    /// Whether something else than the start of a text, written in this spelling, could be found inside the spelling of
    /// one character: `lt` inside `&lt;`, `net` in the middle of `\net`.
    #[cfg(feature = "sigma")]
    pub(crate) fn hides(self, written: &str) -> bool {
        if self == Self::Plain {
            return false;
        }
        let lower = written.to_ascii_lowercase();
        let within = |rest: &str| lower.starts_with(rest) || rest.starts_with(lower.as_str());
        let in_entity = ENTITIES
            .iter()
            .any(|(_, entity)| entity.char_indices().skip(1).any(|(place, _)| within(entity.split_at(place).1)));
        // `\u0001`, as a whole or from the middle.
        let in_number = matches!(lower.as_bytes().first(), Some(b'u' | b'0'..=b'9' | b'a'..=b'f'));
        let after_backslash = lower.strip_prefix("\\\\").unwrap_or(&lower);
        let is_letter = |char: char| char == 'u' || LETTERS.iter().any(|(_, letter)| *letter == char);
        in_entity || in_number || after_backslash.starts_with(is_letter)
    }
}

/// The first character of a text that starts with `\` or `&`, and how many bytes spell it.
fn unit(text: &str) -> (char, usize) {
    if let Some((char, entity)) = ENTITIES.iter().find(|(_, entity)| text.starts_with(entity)) {
        return (*char, entity.len());
    }
    let mut chars = text.chars();
    let first = chars.next().unwrap_or('\\');
    match chars.next() {
        Some(second @ ('\\' | '"')) if first == '\\' => (second, 2),
        Some('u') if first == '\\' => {
            let number = text.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            match number.filter(|number| *number < 0x20).and_then(char::from_u32) {
                Some(char) => (char, 6),
                None => (first, 1),
            }
        }
        Some(second) if first == '\\' => {
            let letter = LETTERS.iter().find(|(_, letter)| *letter == second);
            letter.map_or((first, 1), |(char, _)| (*char, 2))
        }
        _ => (first, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_of_the_channel() {
        assert_eq!(Spelling::of(Schema::Wazuh4, "data.win.eventdata.image"), Spelling::EventChannel);
        assert_eq!(Spelling::of(Schema::Wazuh4, "data.win.system.message"), Spelling::Plain);
        assert_eq!(Spelling::of(Schema::Wazuh4, "syscheck.path"), Spelling::Plain);
        assert_eq!(Spelling::of(Schema::Wazuh5, "process.executable"), Spelling::Plain);
    }

    #[test]
    fn what_was_not_spelled_stays() {
        for text in [r"DOM\user", "a&b", r"end\", "&", r"\u12", r"\q"] {
            assert_eq!(Spelling::EventChannel.read(text), text);
        }
        assert_eq!(Spelling::EventChannel.read("&amp;lt;"), "&lt;");
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "[a-z\\\\\"&<>;\n\r\t\u{1}é]{0,20}") {
            let written = Spelling::EventChannel.write(&text);
            let read = Spelling::EventChannel.read(&written);
            prop_assert_eq!(read, text);
        }
    }
}
