//! What the rule says: ATT&CK techniques, tools.

use stix_model::sdo::{AttackPattern, Tool};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, FieldId, Holds};
use wazuh_query::value::{self, Reading, read};

use super::{ExtractType, Work};

/// Names that are too common as words to be taken for tools.
const COMMON_WORDS: &[&str] = &["at", "net", "ping", "route", "find", "more", "type", "reg", "sc", "cmd", "sh", "tor"];

impl Work<'_, '_, '_> {
    /// The techniques that the rule names, and the tools that it or a command line names.
    pub(super) fn rule(&mut self) {
        let mut tools: Vec<(String, Option<FieldId>)> = Vec::new();
        let mut names = TechniqueNames::of(self.alert, self.catalogue);
        for leaf in &self.alert.leaves {
            let holds = self.catalogue.field(leaf.field).holds;
            match holds {
                Holds::AttackTechnique => {
                    let name = names.next(leaf.field);
                    read(holds, &leaf.text, &mut |reading| {
                        let Reading::Text(technique) = reading else { return };
                        if technique == "T1053.005" {
                            tools.push(("schtasks".to_owned(), Some(leaf.field)));
                        }
                        if is_technique(&technique) && self.wants(ExtractType::AttackPattern) {
                            let name = name.map_or_else(|| technique.to_string(), str::to_owned);
                            self.add(AttackPattern::technique(technique, name, self.created), [leaf.field]);
                        }
                    });
                }
                Holds::CommandLine | Holds::Command | Holds::ProcessImage if !self.options.tools.is_empty() => {
                    for name in self.tools_in(holds, &leaf.text) {
                        tools.push((name, Some(leaf.field)));
                    }
                }
                _ => {}
            }
        }
        let description = self.alert.rule.description.as_deref().unwrap_or_default();
        if description.to_ascii_lowercase().contains("psexec") {
            tools.push(("PsExec".to_owned(), None));
        }
        if self.wants(ExtractType::Tool) {
            for (name, field) in tools {
                self.add(Tool::new(name, self.created), field);
            }
        }
    }

    /// The known tools among the programs that a command line names: whole file names, with or without `.exe`.
    fn tools_in(&self, holds: Holds, text: &str) -> Vec<String> {
        let mut names = Vec::new();
        read(holds, text, &mut |reading| {
            let words = match reading {
                Reading::CommandLine(line) => value::split_command_line(&line),
                Reading::Path(path) => vec![path.into_owned()],
                _ => return,
            };
            for word in words {
                let name = value::basename(&word).to_lowercase();
                let name = name.strip_suffix(".exe").unwrap_or(&name);
                if self.options.tools.contains(name) && !COMMON_WORDS.contains(&name) {
                    names.push(name.to_owned());
                }
            }
        });
        names
    }
}

/// The names of the techniques of an alert. They stand in a list beside that of the numbers: `rule.mitre.id` and
/// `rule.mitre.technique`, `….technique.id` and `….technique.name`.
struct TechniqueNames<'a> {
    /// A field of numbers, the names of its numbers, and how many of them were used.
    lists: Vec<(FieldId, Vec<&'a str>, usize)>,
}

impl<'a> TechniqueNames<'a> {
    fn of(alert: &'a Alert<'_>, catalogue: &Catalogue) -> Self {
        let around = |field: FieldId| catalogue.field(field).path.rsplit_once('.').map(|(around, _)| around);
        let of = |wanted: Holds| alert.leaves.iter().filter(move |leaf| catalogue.field(leaf.field).holds == wanted);
        let mut lists: Vec<(FieldId, Vec<&'a str>, usize)> = Vec::new();
        for number in of(Holds::AttackTechnique) {
            if lists.iter().any(|(field, ..)| *field == number.field) {
                continue;
            }
            let beside = of(Holds::AttackTechniqueName).filter(|name| around(name.field) == around(number.field));
            let names: Vec<&str> = beside.map(|name| name.text.trim()).collect();
            let numbers = of(Holds::AttackTechnique).filter(|other| other.field == number.field).count();
            // Lists of different lengths do not tell which name is whose.
            let names = if names.len() == numbers { names } else { Vec::new() };
            lists.push((number.field, names, 0));
        }
        Self { lists }
    }

    /// The name of the next number of a field.
    fn next(&mut self, field: FieldId) -> Option<&'a str> {
        let (_, names, used) = self.lists.iter_mut().find(|(known, ..)| *known == field)?;
        let name = names.get(*used).copied().filter(|name| !name.is_empty());
        *used += 1;
        name
    }
}

/// `T1110`, `T1110.001`.
fn is_technique(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = text.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    }
}
