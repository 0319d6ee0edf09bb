//! Notes: single alerts, and a summary.

use std::fmt::Write as _;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use memchr::memmem::Finder;
use stix_model::sdo::Note;
use stix_model::{Identifier, Timestamp};
use wazuh_query::catalogue::Schema;
use wazuh_query::value::trim;

use super::hits::{Document, Findings, Hits, Seen};
use super::incident::{NoIncident, Run};
use super::json;
use super::markdown::{Table, cell_code, cut, escape, one_line, push_json_block};
use super::sighting::{Sighted, fair, reference};
use super::stamp::stable_id;
use super::text::{alert_table, counted, rule_table};

/// Most rows of matches.
const MATCHES: usize = 40;
/// Longest text in a cell.
const CELL: usize = 400;

/// A note per chosen alert of each sighting. An alert that stands for several sightings has one note.
pub(crate) fn alert_notes(run: &Run<'_>, sighted: &[Sighted<'_>], values: &[String]) -> Vec<Note> {
    let options = run.options;
    let values = Values::new(values);
    let mut chosen: Vec<(&Document<'_>, Vec<Identifier>, String)> = Vec::new();
    let mut known: HashMap<(&str, &str), usize, RandomState> = HashMap::default();
    for sighted in sighted {
        let documents = fair(&sighted.documents, options.max_notes, options.max_notes_per_alert_rule);
        let mut of_rule: HashMap<&str, usize, RandomState> = HashMap::default();
        for document in &documents {
            *of_rule.entry(document.rule()).or_default() += 1;
        }
        let mut places: HashMap<&str, usize, RandomState> = HashMap::default();
        for document in documents {
            let place = places.entry(document.rule()).or_default();
            *place += 1;
            let shown = of_rule.get(document.rule()).copied().unwrap_or(0);
            let total = sighted.seen.rules.get(trim(document.rule())).map_or(0, |rule| rule.tally.count);
            let count =
                if total > shown as u64 { format!("{place} of {total} (limited to {shown})") } else { String::new() };
            let id = sighted.id.clone();
            let place = *known.entry((document.index, document.id)).or_insert(chosen.len());
            match chosen.get_mut(place) {
                Some((_, sightings, _)) => sightings.push(id),
                None => chosen.push((document, vec![id], count)),
            }
        }
    }
    chosen
        .into_iter()
        .filter_map(|(document, sightings, count)| run.alert_note(document, sightings, count, &values))
        .collect()
}

impl Run<'_> {
    fn alert_note(
        &self,
        document: &Document<'_>,
        sightings: Vec<Identifier>,
        count: String,
        values: &Values,
    ) -> Option<Note> {
        let options = self.options;
        let created = document.alert.timestamp.unwrap_or(self.now);
        let entity = self.subject.entity.id();
        let more = if count.is_empty() { Vec::new() } else { vec![("Count", count)] };
        let mut content = String::with_capacity(document.source.len() * 2 + 1_024);
        for part in ["## Summary\n\n", &alert_table(document, &more), "\n## Matches\n\n"] {
            content.push_str(part);
        }
        content.push_str(&matches(document.source, document.alert.schema, values));
        content.push_str("\n## Alert\n\n");
        push_json_block(&mut content, document.source, options.max_note_size);
        let mut object_refs = vec![entity.clone()];
        object_refs.extend(sightings);
        // The content does not count for the identifier, and hashing it takes time.
        let mut note = Note::new("", object_refs, created);
        note.content = content;
        let description = cut(&one_line(document.description()), CELL).into_owned();
        note.abstract_ = Some(format!("Wazuh alert \"{description}\" at {created}"));
        note.extra.set("note_types", ["analysis"]);
        note.common.external_references = vec![reference(document, &options.links)];
        note.common.id = stable_id(Note::TYPE, &["alert", &entity.to_string(), document.id])?;
        self.stamp.domain(&mut note.common);
        Some(note)
    }

    /// The note that sums a run up. There is one per entity; every run writes it anew.
    pub(crate) fn summary(&self, parts: &Summary<'_>) -> Option<Note> {
        let Summary { findings, all, sightings, incidents, no_incident, cut: cut_off } = parts;
        let (options, search) = (self.options, &findings.search);
        let mut table = Table::new(&["Key", "Value"]);
        table.row(&["Time", &self.now.to_string()]);
        table.row(&["Duration", &format!("{} ms", search.took.as_millis())]);
        let bound = if all.at_least { "+" } else { "" };
        table.row(&["Total hits", &format!("{}{bound}", all.total)]);
        table.row(&["Hits returned", &all.returned.to_string()]);
        table.row(&["Max hits", &search.limit.to_string()]);
        table.row(&["**Not returned**", &format!("**{}**", all.beyond())]);
        if all.unreadable > 0 {
            table.row(&["Unreadable", &all.unreadable.to_string()]);
        }
        table.row(&["Search since", &search.since.map_or_else(|| "–".to_owned(), |since| since.to_string())]);
        let list = |texts: &[String]| {
            let cells: Vec<String> = texts.iter().take(20).map(|text| cell_code(&cut(text, CELL))).collect();
            if cells.is_empty() { "–".to_owned() } else { cells.join(", ") }
        };
        table.row(&["Include filter", &list(&search.include)]);
        table.row(&["Exclude filter", &list(&search.exclude)]);
        if !search.failures.is_empty() {
            table.row(&["**No answer from**", &list(&search.failures)]);
        }
        if !search.not_searched.is_empty() {
            table.row(&["Not searched", &list(&search.not_searched)]);
        }
        if *cut_off > 0 {
            table.row(&["**Extracted in part**", &counted(*cut_off, "alert")]);
        }
        if let Some(reason) = no_incident {
            table.row(&["No incident", &escape(&reason.to_string())]);
        }
        table.row(&["Connector v.", &escape(&options.version)]);
        let mut content = format!("## Wazuh enrichment summary\n\n{}\n", table.finish());
        let seen = Seen::of(&all.groups);
        if !seen.rules.is_empty() {
            content.push_str("### Alerts overview\n\n");
            content.push_str(&rule_table(&seen, &options.links, all.at_least));
        }
        if let Some(states) = findings.states.as_ref().filter(|states| !states.is_empty()) {
            let _ = write!(content, "\n### Inventory\n\n{}\n\n", counted(states.len(), "entry"));
            let mut table = Table::new(&["Agent", "Package", "Version", "Since"]);
            for state in states.iter().take(MATCHES) {
                let (package, version) = state.package.clone().unwrap_or_default();
                let since = state.since.map_or_else(|| "–".to_owned(), |since| since.to_string());
                let cells = [state.agent_name.as_str(), &package, version.as_deref().unwrap_or_default()];
                let mut row: Vec<String> = cells.iter().map(|cell| cell_code(&cut(cell, CELL))).collect();
                row.push(since);
                table.row(&row);
            }
            content.push_str(&table.finish());
            if states.len() > MATCHES {
                let _ = writeln!(content, "\n[… {} more]", states.len() - MATCHES);
            }
        }
        let entity = self.subject.entity.id();
        let mut object_refs = vec![entity.clone()];
        if options.create_sighting_summary {
            object_refs.extend(sightings.iter().cloned());
        }
        if options.create_incident_summary {
            object_refs.extend(incidents.iter().cloned());
        }
        let created = seen.tally.first.unwrap_or(self.now).min(self.now);
        let mut note = Note::new("", object_refs, created);
        note.content = content;
        note.common.modified = self.now;
        note.abstract_ = Some("Wazuh enrichment".to_owned());
        note.extra.set("note_types", ["analysis"]);
        note.common.id = stable_id(Note::TYPE, &["summary", &options.system_name, &entity.to_string()])?;
        self.stamp.domain(&mut note.common);
        Some(note)
    }
}

/// What the summary is about.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub findings: &'a Findings<'a>,
    pub all: &'a Hits<'a>,
    pub sightings: Vec<Identifier>,
    pub incidents: Vec<Identifier>,
    pub no_incident: Option<&'a NoIncident>,
    /// How many alerts have more in them than was taken.
    pub cut: usize,
}

/// What matches are looked for: values in lower case.
struct Values {
    finders: Vec<Finder<'static>>,
    /// Whether JSON has to escape something in one of them.
    is_escaped: bool,
}

impl Values {
    /// Most values that are looked for.
    const MOST: usize = 64;

    fn new(values: &[String]) -> Self {
        let values = &values[..values.len().min(Self::MOST)];
        let folded = values.iter().map(|value| value.to_lowercase());
        let may_be_escaped = |char: char| matches!(char, '"' | '\\' | '/') || char.is_control();
        Self {
            finders: folded.map(|value| Finder::new(value.as_bytes()).into_owned()).collect(),
            is_escaped: values.iter().any(|value| value.contains(may_be_escaped)),
        }
    }

    /// Whether any of them may stand in a text of this document. Most alerts need no further look.
    fn may_be_in(&self, document: &str, folded: &mut String) -> bool {
        self.is_escaped || document.contains("\\u") || self.are_in(document, folded)
    }

    /// Whether any of them stands in a text. `folded` is room for the text in lower case.
    fn are_in(&self, text: &str, folded: &mut String) -> bool {
        folded.clear();
        if text.is_ascii() {
            folded.push_str(text);
            folded.make_ascii_lowercase();
        } else {
            *folded = text.to_lowercase();
        }
        self.finders.iter().any(|value| value.find(folded.as_bytes()).is_some())
    }
}

/// The texts of an alert in which a value stands. This is not how the search found the alert, which also knows other
/// notations; it shows where to look. The text of the whole event repeats what its fields say.
fn matches(source: &str, schema: Schema, values: &Values) -> String {
    let mut folded = String::new();
    let none = || "–\n".to_owned();
    if !values.may_be_in(source, &mut folded) {
        return none();
    }
    let Some(found) = json::texts(source, |text| values.are_in(text, &mut folded)) else { return none() };
    let found = found.iter().map(|(path, text)| (path.to_string(), text));
    let found: Vec<_> = found.filter(|(path, _)| !schema.whole_event().contains(&path.as_str())).collect();
    if found.is_empty() {
        return none();
    }
    let mut table = Table::new(&["Field", "Match"]);
    for (path, text) in found.iter().take(MATCHES) {
        table.row(&[cell_code(&cut(path, CELL)), cell_code(&cut(text, CELL))]);
    }
    let mut text = table.finish();
    if found.len() > MATCHES {
        let _ = writeln!(text, "\n[… {} more]", found.len() - MATCHES);
    }
    text
}

/// When the earliest of these times was.
pub(crate) fn earliest(times: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    times.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_found_in_lists_and_in_any_case() {
        let source =
            r#"{"full_log":"EVIL.example","data":{"dns":{"answers":[{"rdata":"x.Evil.Example."},{"rdata":"y"}]}}}"#;
        let values = |text: &str| Values::new(&[text.to_owned()]);
        let text = matches(source, Schema::Wazuh4, &values("evil.example"));
        assert_eq!(text, "| Field | Match |\n| --- | --- |\n| `data.dns.answers.rdata` | `x.Evil.Example.` |\n");
        assert_eq!(matches("{", Schema::Wazuh4, &Values::new(&[])), "–\n");
        assert_eq!(matches("{}", Schema::Wazuh4, &values("x")), "–\n");
        // However JSON writes it.
        let escaped = r#"{"a":"\u0065vil.example","b":"C:\\evil.exe"}"#;
        assert!(matches(escaped, Schema::Wazuh4, &values("evil.example")).contains("| `a` |"));
        assert!(matches(escaped, Schema::Wazuh4, &values(r"c:\evil.exe")).contains("| `b` |"));
        let other_letters = r#"{"b":"ÄÖÜ","a":["x äöü"],"a.c":{"d":1}}"#;
        let text = matches(other_letters, Schema::Wazuh4, &values("Äöü"));
        assert_eq!(text, "| Field | Match |\n| --- | --- |\n| `a` | `x äöü` |\n| `b` | `ÄÖÜ` |\n");
    }
}
