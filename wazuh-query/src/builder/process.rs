//! Processes, by their command line.

use stix_model::sco::Process;

use super::reason::shown;
use super::{Draft, NotSearchable, Note, Query, QueryBuilder};
use crate::dsl::{Clause, limits};
use crate::options::ProcOption;
use crate::regexp::escape;
use crate::value;

/// Characters between the words of a command line.
const BLANK: &str = "[ \t\n\r]";
/// Quotes around a word or inside it, with the backslashes that producers put before them.
const QUOTES: &str = r#"["'\\]*"#;
/// More words than this are not required: they narrow nothing any more.
const MAX_WORDS: usize = 16;
/// Characters of a word that are required: an encoded script is told by its beginning. The cluster builds an automaton
/// for each word and field and refuses one of more than a thousand states, which quotes and blanks multiply.
const MAX_WORD_CHARS: usize = 250;

impl QueryBuilder {
    /// A process: the command by its base name, and every argument as a whole word.
    pub(super) fn process(&self, process: &Process, notes: &mut Vec<Note>) -> Draft {
        let line = process.command_line.as_deref().map(str::trim).filter(|line| !line.is_empty());
        let line = line.ok_or(NotSearchable::Missing("command_line"))?;
        let fold = self.options.process.contains(&ProcOption::CaseInsensitive);
        let mut words = raw_words(line);
        let texts = value::split_command_line(line);
        if words.is_empty() || texts.is_empty() {
            return Err(NotSearchable::Missing("command_line"));
        }
        let command = value::basename(texts[0].trim_end_matches(['/', '\\']));
        if command.is_empty() {
            return Err(NotSearchable::Invalid { value: shown(line), expected: "a command line" });
        }
        let first = words.remove(0);
        let mut arguments: Vec<(&str, &str)> = words
            .into_iter()
            .zip(texts.iter().skip(1).map(String::as_str))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if arguments.len() > MAX_WORDS {
            notes.push(Note::WordsIgnored(arguments.len() - MAX_WORDS));
            // Long words say more than short ones. The order of words does not matter to the query.
            arguments.sort_by_key(|(raw, _)| std::cmp::Reverse(raw.len()));
            arguments.truncate(MAX_WORDS);
        }
        let regexp = |value| Clause::Regexp { value, case_insensitive: fold };
        let command_line = regexp(command_expression(command, first));
        let mut clauses = vec![command_line.clone()];
        for (raw, _) in &arguments {
            clauses.push(regexp(argument_expression(raw, notes)));
        }
        let mut queries = vec![Query::AnyFieldAll { fields: self.fields.command_line.clone(), clauses }];
        if arguments.is_empty() {
            // Nothing but a command: images and bare commands say the same.
            queries.push(Query::any_field(&self.fields.command, command_line));
            return Ok(queries);
        }
        if !self.fields.argument.is_empty() {
            let mut all = vec![Query::any_field(&self.fields.command, command_line)];
            for (_, text) in arguments {
                let exact = |value: String| if fold { Clause::folded(value) } else { Clause::term(value) };
                let hexadecimal =
                    audit_hex(text).map(|hex| Query::any_field(&self.fields.argument, Clause::folded(hex)));
                let plain = Query::any_field(&self.fields.argument, exact(text.to_owned()));
                all.push(Query::any([Some(plain), hexadecimal].into_iter().flatten()));
            }
            queries.push(Query::all(all));
        }
        Ok(queries)
    }
}

/// The command at the start of a command line: any directory, an optional `.exe`, then the end or an argument. `raw` is
/// the word as written, of which `command` is the end without quotes.
fn command_expression(command: &str, raw: &str) -> String {
    let lower = command.to_ascii_lowercase();
    let (stem, exe) = match lower.strip_suffix(".exe") {
        Some(stem) if !stem.is_empty() => (command.get(..stem.len()).unwrap_or(command), true),
        _ => (command, false),
    };
    let exe = if exe { r"\.exe" } else { r"(\.exe)?" };
    let mut expression = format!("{QUOTES}(.*[/\\\\])?");
    let mut length = 0;
    for part in quotable(command, raw).into_iter().take(stem.chars().count()) {
        length += part.len();
        if length > MAX_WORD_CHARS {
            // No command is that long; what stands there instead is told by its beginning.
            return expression + ".*";
        }
        expression.push_str(&part);
    }
    expression + &format!("{exe}{QUOTES}({BLANK}.*)?")
}

/// The characters of a command as expressions, with quotes allowed behind those that have some behind them in `raw`.
fn quotable(command: &str, raw: &str) -> Vec<String> {
    let mut rest = raw.chars().rev().peekable();
    let mut parts = Vec::new();
    for char in command.chars().rev() {
        let mut quoted = false;
        while rest.next_if(|other| *other != char && matches!(other, '\\' | '"' | '\'')).is_some() {
            quoted = true;
        }
        rest.next();
        let mut buffer = [0; 4];
        let mut part = escape(char.encode_utf8(&mut buffer));
        // Quotes at the end are covered already.
        if quoted && !parts.is_empty() {
            part.push_str(QUOTES);
        }
        parts.push(part);
    }
    parts.reverse();
    parts
}

/// A word anywhere behind the start of a command line, with or without quotes.
fn argument_expression(raw: &str, notes: &mut Vec<Note>) -> String {
    let mut out = format!("(.*{BLANK})?{QUOTES}");
    let budget = limits::REGEXP_CHARS / 2;
    let mut chars = raw.chars().peekable();
    let (mut taken, mut length) = (0, 0);
    while let Some(char) = chars.next() {
        let before = out.len();
        if matches!(char, '\\' | '"' | '\'') {
            let mut quoted = char != '\\';
            while let Some(next) = chars.next_if(|next| matches!(next, '\\' | '"' | '\'')) {
                quoted |= next != '\\';
            }
            // Quotes at either end are covered already.
            if taken > 0 && chars.peek().is_some() {
                out.push_str(if quoted { QUOTES } else { r"\\+" });
            }
        } else {
            let mut buffer = [0; 4];
            out.push_str(&escape(char.encode_utf8(&mut buffer)));
        }
        taken += 1;
        length += out.len() - before;
        if chars.peek().is_some() && length >= budget {
            notes.push(Note::Shortened(shown(raw)));
            out.push_str(".*");
            return out;
        }
    }
    out.push_str(&format!("{QUOTES}({BLANK}.*)?"));
    out
}

/// The words of a command line as written, quotes included. The same words as `split_command_line` finds.
fn raw_words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    let mut chars = line.char_indices().peekable();
    while let Some((place, char)) = chars.next() {
        match char {
            '\\' if chars.peek().is_some_and(|(_, next)| *next == '"') && quote != Some('\'') => {
                chars.next();
                start.get_or_insert(place);
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(char);
                start.get_or_insert(place);
            }
            _ if quote == Some(char) => quote = None,
            _ if char.is_whitespace() && quote.is_none() => {
                words.extend(start.take().and_then(|start: usize| line.get(start..place)));
            }
            _ => {
                start.get_or_insert(place);
            }
        }
    }
    words.extend(start.and_then(|start| line.get(start..)));
    words
}

/// The form in which the audit daemon writes an argument that holds blanks, quotes or control characters.
fn audit_hex(argument: &str) -> Option<String> {
    let encoded = argument.bytes().any(|byte| byte <= b' ' || byte == b'"' || byte >= 0x7f);
    encoded.then(|| argument.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regexp::Regexp;

    #[track_caller]
    fn check(expression: &str, text: &str, wanted: bool) {
        assert_eq!(Regexp::new(expression, true).unwrap().matches(text), wanted, "{expression}\n{text}");
    }

    #[test]
    fn commands_end_where_the_word_ends() {
        let expression = command_expression("sh", "/bin/sh");
        for (text, wanted) in [
            ("sh", true),
            ("/bin/sh -c id", true),
            ("shutdown -h", false),
            ("bash", false),
            (r#"\"C:\\Program Files\\Git\\sh.exe\" -l"#, true),
        ] {
            check(&expression, text, wanted);
        }
        check(&command_expression("tool.exe", "tool.exe"), r"c:\tool.exe", true);
        check(&command_expression("tool.exe", "tool.exe"), r"c:\toolxexe", false);
        // Quotes that hide a command from simple searches.
        let hidden = command_expression("powershell.exe", r#"C:\pow"er"sh'e'll.exe"#);
        check(&hidden, r#"C:\\pow\"er\"sh'e'll.exe -enc x"#, true);
        check(&hidden, r"powershell.exe", true);
        check(&hidden, r"powersshell.exe", false);
    }

    #[test]
    fn arguments_are_words() {
        let expression = argument_expression("-c", &mut Vec::new());
        for (text, wanted) in [("sh -c id", true), ("sh -config id", false), ("sh x-c", false), ("sh \"-c\"", true)] {
            check(&expression, text, wanted);
        }
        let expression = argument_expression(r#"--opt="a b""#, &mut Vec::new());
        check(&expression, r#"x --opt=\"a b\" y"#, true);
        check(&expression, "x --opt=a y", false);
    }

    #[test]
    fn raw_words_are_the_same_words() {
        for line in [r#""C:\a b\x.exe" -q 'c d' \"e\" --f="g h" "#, "a", "  ", "it's 'x"] {
            assert_eq!(raw_words(line).len(), value::split_command_line(line).len(), "{line}");
        }
    }

    #[test]
    fn encoded_scripts_are_shortened() {
        let mut notes = Vec::new();
        let expression = argument_expression(&"A".repeat(5_000), &mut notes);
        assert!(expression.chars().count() <= limits::REGEXP_CHARS);
        assert_eq!(notes.len(), 1);
        check(&expression, &format!("powershell -enc {}", "A".repeat(5_000)), true);
    }
}
