//! Sentences and tables that several objects share. All of it is Markdown, with alert text in code.

use std::borrow::Cow;
use std::fmt::Write as _;

use stix_model::Timestamp;

use super::hits::{Document, Seen};
use super::link::Links;
use super::markdown::{Table, cut, escape, link, push_cell_code, push_code};

/// Longest text of a rule or field.
const LONGEST: usize = 300;
/// Most rules in a table.
const ROWS: usize = 50;

/// `once`, `3 times`, `at least 3 times`.
pub(crate) fn times(count: u64, at_least: bool) -> String {
    let bound = if at_least { "at least " } else { "" };
    match count {
        1 => format!("{bound}once"),
        count => format!("{bound}{count} times"),
    }
}

/// `1 sighting`, `2 sightings`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    match (count, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        _ => format!("{count} {one}s"),
    }
}

/// `between … and …`, `at …`, or nothing.
pub(crate) fn when(first: Option<Timestamp>, last: Option<Timestamp>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first != last => format!(" between {first} and {last}"),
        (Some(time), _) | (None, Some(time)) => format!(" at {time}"),
        (None, None) => String::new(),
    }
}

/// A rule with what it says.
pub(crate) fn rule(id: &str, description: &str) -> String {
    let mut text = String::new();
    push_rule(&mut text, id, description);
    text
}

/// Appends a rule with what it says.
pub(crate) fn push_rule(text: &mut String, id: &str, description: &str) {
    text.push_str("rule ");
    push_code(text, &cut(id, LONGEST));
    if !description.chars().all(char::is_whitespace) {
        text.push_str(": ");
        push_code(text, &cut(description, LONGEST));
    }
}

/// The rows that say which alert it is, with further ones.
pub(crate) fn alert_table(document: &Document<'_>, more: &[(&str, String)]) -> String {
    let mut table = Table::new(&["Key", "Value"]);
    let mut row = |key: &str, value: &str| {
        table.shown(key).cell(|out| push_cell_code(out, &cut(value, LONGEST))).end_row();
    };
    row("Rule ID", document.rule());
    row("Rule desc.", document.description());
    table.shown("Rule level").shown(document.level()).end_row();
    let alert = match document.alert.id.as_deref() {
        Some(own) if own != document.id => Cow::Owned([document.id, own].join("/")),
        _ => Cow::Borrowed(document.id),
    };
    table.shown("Alert ID").cell(|out| push_cell_code(out, &cut(&alert, LONGEST))).end_row();
    for (key, value) in more {
        table.row(&[*key, value.as_str()]);
    }
    table.finish()
}

/// The rules of what was seen, the most severe first.
pub(crate) fn rule_table(seen: &Seen<'_>, links: &Links, at_least: bool) -> String {
    let mut rules: Vec<_> = seen.rules.iter().collect();
    rules.sort_by(|(one_id, one), (other_id, other)| {
        (other.level, other.tally.count).cmp(&(one.level, one.tally.count)).then_with(|| one_id.cmp(other_id))
    });
    let bound = if at_least { "+" } else { "" };
    let mut table = Table::new(&["Rule", "Level", "Count", "Earliest", "Latest", "Description"]);
    for (id, rule) in rules.iter().take(ROWS) {
        let name = if id.is_empty() { "–".to_owned() } else { link(&escape(&cut(id, LONGEST)), &links.rule(id)) };
        table.shown(name);
        table.shown(rule.level).shown(format_args!("{}{bound}", rule.tally.count));
        for time in [rule.tally.first, rule.tally.last] {
            match time {
                Some(time) => table.shown(time),
                None => table.shown('–'),
            };
        }
        table.cell(|out| push_cell_code(out, &cut(&rule.description, LONGEST)));
        table.end_row();
    }
    let mut text = table.finish();
    if rules.len() > ROWS {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "\n[… {} more rules]", rules.len() - ROWS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-76: numbers and their words.
    #[test]
    fn b_76_numbers() {
        assert_eq!([times(0, false), times(1, false), times(2, true)], ["0 times", "once", "at least 2 times"]);
        assert_eq!(
            [counted(1, "case"), counted(2, "case"), counted(3, "identity")],
            ["1 case", "2 cases", "3 identities"]
        );
        let at = |second: &str| Some(format!("2026-03-14T09:26:{second}Z").parse().unwrap());
        assert_eq!(when(at("01"), at("01")), " at 2026-03-14T09:26:01.000Z");
        assert_eq!(when(at("01"), at("02")), " between 2026-03-14T09:26:01.000Z and 2026-03-14T09:26:02.000Z");
        assert_eq!(when(None, None), "");
    }
}
