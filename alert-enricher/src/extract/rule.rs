//! What the rule says: ATT&CK techniques, tools.

use stix_model::sdo::{AttackPattern, Tool};
use wazuh_query::catalogue::{FieldId, Holds};
use wazuh_query::value::{self, Reading, read};

use super::{ExtractType, Work};

/// Names that are too common as words to be taken for tools.
const COMMON_WORDS: &[&str] = &["at", "net", "ping", "route", "find", "more", "type", "reg", "sc", "cmd", "sh", "tor"];

impl Work<'_, '_, '_> {
    /// The techniques that the rule names, and the tools that it or a command line names.
    pub(super) fn rule(&mut self) {
        let mut tools: Vec<(String, Option<FieldId>)> = Vec::new();
        for leaf in &self.alert.leaves {
            let holds = self.catalogue.field(leaf.field).holds;
            match holds {
                Holds::AttackTechnique => read(holds, &leaf.text, &mut |reading| {
                    let Reading::Text(technique) = reading else { return };
                    if technique == "T1053.005" {
                        tools.push(("schtasks".to_owned(), Some(leaf.field)));
                    }
                    if is_technique(&technique) && self.wants(ExtractType::AttackPattern) {
                        let mut pattern = AttackPattern::new(technique.to_string(), self.created);
                        pattern.x_mitre_id = Some(technique.into_owned());
                        self.add(pattern.identified(), [leaf.field]);
                    }
                }),
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

/// `T1110`, `T1110.001`.
fn is_technique(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = text.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    }
}
