//! What a hunt found, for people.

use serde::{Serialize, Serializer};
use stix_model::{Identifier, Timestamp};

use super::Counters;
use crate::indicator::Kind;

/// One indicator, seen on one agent by one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The indicator or observable.
    pub indicator: Identifier,
    /// Its name, where it says more than the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its score, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// The kind of its value; a pattern has none.
    #[serde(serialize_with = "kind")]
    pub kind: Option<Kind>,
    /// Its value, or its pattern.
    pub value: String,
    /// The text in the alert that matched; of a long one the first kilobyte.
    pub seen_value: String,
    /// The agent's identifier; empty for agentless alerts.
    pub agent_id: String,
    /// The agent's name.
    pub agent_name: String,
    /// The rule's identifier.
    pub rule_id: String,
    /// The rule's level on the scale of Wazuh 4, 0 to 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_level: Option<u8>,
    /// What the rule says.
    pub rule_description: String,
    /// The first alert's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// The last alert's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// How many alerts.
    pub count: u64,
    /// The fields that held the value.
    pub fields: Vec<String>,
    /// The identifier of the last alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_alert: Option<String>,
}

impl Row {
    /// The name of the kind, for people.
    pub fn kind_name(&self) -> &'static str {
        self.kind.map_or("pattern", Kind::name)
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn kind<S: Serializer>(kind: &Option<Kind>, serializer: S) -> Result<S::Ok, S::Error> {
    match kind {
        Some(kind) => kind.serialize(serializer),
        None => serializer.serialize_str("pattern"),
    }
}

/// What a hunt found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The places, the most severe and most recent first.
    pub rows: Vec<Row>,
    /// How much was looked at.
    pub counters: Counters,
}

impl Report {
    /// Brings the rows into their order: by level, time of the last alert, then by value, agent, rule and indicator.
    pub fn sort(&mut self) {
        self.rows.sort_by(|one, other| {
            let rank = |row: &Row| (row.rule_level, row.last_seen);
            let name =
                |row: &Row| (row.value.clone(), row.agent_id.clone(), row.agent_name.clone(), row.rule_id.clone());
            rank(other)
                .cmp(&rank(one))
                .then_with(|| name(one).cmp(&name(other)))
                .then_with(|| one.indicator.cmp(&other.indicator))
        });
    }

    /// How many different indicators were seen.
    pub fn indicators(&self) -> usize {
        let mut ids: Vec<&Identifier> = self.rows.iter().map(|row| &row.indicator).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    /// On how many different agents.
    pub fn agents(&self) -> usize {
        let mut agents: Vec<(&str, &str)> = self.rows.iter().map(|row| (&*row.agent_id, &*row.agent_name)).collect();
        agents.sort_unstable();
        agents.dedup();
        agents.len()
    }
}

/// A table for a terminal of `width` columns (at least 80). Control characters of alerts do not get through.
pub fn table(report: &Report, width: usize) -> String {
    const HEADER: [&str; 9] =
        ["INDICATOR", "KIND", "AGENT", "LEVEL", "RULE", "FIRST SEEN", "LAST SEEN", "COUNT", "FIELD"];
    const RULE: usize = 4;
    const FIELD: usize = 8;
    let mut lines: Vec<[String; 9]> = vec![HEADER.map(str::to_owned)];
    for row in &report.rows {
        let agent = match (row.agent_name.as_str(), row.agent_id.as_str()) {
            ("", "") => "-".to_owned(),
            (name, "") => name.to_owned(),
            (name, id) => format!("{name} ({id})"),
        };
        lines.push([
            printable(&row.value),
            row.kind_name().to_owned(),
            printable(&agent),
            row.rule_level.map_or_else(|| "-".to_owned(), |level| level.to_string()),
            printable(&rule(row)),
            shown_time(row.first_seen),
            shown_time(row.last_seen),
            row.count.to_string(),
            printable(&row.fields.join(" ")),
        ]);
    }
    let mut widths = [0; 9];
    for (column, width) in widths.iter_mut().enumerate() {
        *width = lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    }
    // Values and names are cut so that what follows stays in its column; rule and field share what is left.
    let width = width.max(80);
    widths[0] = widths[0].min((width / 4).max(20));
    widths[2] = widths[2].min(22);
    let fixed: usize = [0, 1, 2, 3, 5, 6, 7].iter().map(|column| widths[*column] + 2).sum();
    let left = width.saturating_sub(fixed + 2).max(32);
    widths[FIELD] = widths[FIELD].min((left * 2 / 5).max(left.saturating_sub(widths[RULE])));
    widths[RULE] = widths[RULE].min(left - widths[FIELD]);
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            // The end of a path says more than its start.
            let cell = if column == FIELD { cut_start(cell, widths[column]) } else { cut(cell, widths[column]) };
            let padding = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            let (before, after) = if matches!(column, 3 | 7) { (padding.as_str(), "") } else { ("", padding.as_str()) };
            text.extend([before, &cell, after, "  "]);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// What the rule says, behind its number. The UUIDs of Wazuh 5 say nothing to people.
fn rule(row: &Row) -> String {
    let number = if row.rule_id.len() <= 8 { row.rule_id.as_str() } else { "" };
    let text = format!("{number} {}", row.rule_description);
    if text.trim().is_empty() { row.rule_id.clone() } else { text.trim().to_owned() }
}

/// To the minute, in UTC.
fn shown_time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_string().chars().take(16).collect::<String>().replace('T', " "))
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

fn cut_start(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(count + 1 - width.max(1))).collect()
}

/// Without the characters that move the cursor, change colours or the direction of text.
fn printable(text: &str) -> String {
    let harmless = |char: char| {
        !char.is_control()
            && !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().map(|char| if harmless(char) { char } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_in_its_cell() {
        assert_eq!(printable("a\u{1b}[31mb\n\u{202e}c"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut_start("abcdef", 4), "…def");
    }
}
