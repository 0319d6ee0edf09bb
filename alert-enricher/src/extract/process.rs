//! Processes with their images, users and parents.

use stix_model::Identifier;
use stix_model::sco::Process;
use wazuh_query::catalogue::{FieldId, Holds, Role};
use wazuh_query::value::{Reading, read};

use super::file::Digests;
use super::group::{Group, Value};
use super::{ExtractType, Work, is_placeholder};

impl<'a> Work<'_, 'a, '_> {
    /// The processes of an alert, parents first so that children can refer to them.
    pub(super) fn processes(&mut self, groups: &[Group<'a>]) {
        let named = |name: &'static str| groups.iter().filter(move |group| group.name == name);
        let mut parent = None;
        for group in named("parent-process") {
            parent = self.process(group, Digests::default(), None).or(parent);
        }
        for group in named("process") {
            // Sysmon's hashes are those of the image, unless the event is about another file.
            let about_file = named("sysmon-file").any(|group| group.any(|holds| holds == Holds::FilePath));
            let mut digests = Digests::of(group, |_| true);
            if !about_file {
                for other in named("sysmon-file").filter(|other| other.element == group.element) {
                    let Digests { hashes, fields } = Digests::of(other, |_| true);
                    for (algorithm, digest) in hashes.iter() {
                        digests.hashes.insert(algorithm, digest);
                    }
                    digests.fields.extend(fields);
                }
            }
            self.process(group, digests, parent.clone());
        }
        for group in named("target-process") {
            self.process(group, Digests::of(group, |_| true), None);
        }
    }

    fn process(&mut self, group: &Group<'a>, digests: Digests, parent: Option<Identifier>) -> Option<Identifier> {
        let image = image(group);
        // Addresses, directories and names that stand in the group for themselves.
        self.singles(group);
        let user = self.account(group);
        let image_ref = match &image {
            Some((path, field)) => self.file_with(Some((path.as_str(), *field)), digests, None),
            None if !digests.hashes.is_empty() => self.file_with(None, digests, None),
            None => None,
        };
        // Further images: the other end of an access, a program that asked for something.
        self.other_images(group, image.as_ref().map(|(_, field)| *field));
        let (command_line, mut fields) = command_line(group)?;
        if !self.wants(ExtractType::Process) {
            return None;
        }
        let number = group.leaf(Holds::ProcessId).and_then(|leaf| {
            let mut number = None;
            read(leaf.holds, leaf.text, &mut |reading| {
                if let Reading::Number(read) = reading {
                    number = i64::try_from(read).ok();
                }
            });
            fields.extend(number.map(|_| leaf.field));
            number
        });
        let directory = group.leaf(Holds::Directory).filter(|leaf| !is_placeholder(leaf.text));
        let cwd = directory.and_then(|leaf| {
            let mut cwd = None;
            read(leaf.holds, leaf.text, &mut |reading| {
                if let Reading::Path(path) = reading {
                    cwd = Some(path.into_owned());
                }
            });
            cwd
        });
        let process = Process {
            command_line: Some(command_line),
            pid: number,
            cwd,
            creator_user_ref: user,
            image_ref: image_ref.filter(|id| id.object_type() == "file"),
            parent_ref: parent,
            ..Process::default()
        };
        Some(self.add(process.identified(), fields))
    }

    fn other_images(&mut self, group: &Group<'a>, known: Option<FieldId>) {
        let is_image = |leaf: &&Value<'a>| leaf.holds == Holds::ProcessImage && Some(leaf.field) != known;
        for leaf in group.leaves.iter().filter(is_image) {
            read(leaf.holds, leaf.text, &mut |reading| {
                if let Reading::Path(path) = reading
                    && !is_placeholder(&path)
                {
                    self.file_of_path(&path, [leaf.field]);
                }
            });
        }
    }
}

/// The image of a process, with its path where the alert has it.
fn image(group: &Group<'_>) -> Option<(String, FieldId)> {
    let mut found: Option<(String, FieldId)> = None;
    for leaf in group.leaves.iter().filter(|leaf| matches!(leaf.holds, Holds::ProcessImage | Holds::FilePath)) {
        read(leaf.holds, leaf.text, &mut |reading| {
            let Reading::Path(path) = reading else { return };
            // System processes have a name only, and the kernel none.
            if is_placeholder(&path) || matches!(&*path, "System" | "Registry") {
                return;
            }
            let better = match &found {
                None => true,
                Some((known, field)) => {
                    let has_path = |path: &str| path.contains(['/', '\\']);
                    has_path(&path) && (!has_path(known) || leaf.field < *field)
                }
            };
            if better {
                found = Some((path.into_owned(), leaf.field));
            }
        });
    }
    found
}

/// The command line of a process: as it stands in a field, or put together from numbered arguments.
pub(super) fn command_line(group: &Group<'_>) -> Option<(String, Vec<FieldId>)> {
    if let Some(leaf) = group.leaf(Holds::CommandLine)
        && !is_placeholder(leaf.text)
    {
        let mut line = None;
        read(leaf.holds, leaf.text, &mut |reading| {
            if let Reading::CommandLine(text) = reading {
                line = Some(text.into_owned());
            }
        });
        return line.map(|line| (line, vec![leaf.field]));
    }
    let mut arguments: Vec<(u16, &Value<'_>)> = group
        .leaves
        .iter()
        .filter_map(|leaf| match leaf.holds {
            Holds::Argument(place) if leaf.role != Role::Before => Some((place, leaf)),
            _ => None,
        })
        .collect();
    arguments.sort_by_key(|(place, _)| *place);
    if arguments.is_empty() {
        return None;
    }
    let words: Vec<String> = arguments.iter().map(|(_, leaf)| quoted(&decoded(leaf.text))).collect();
    Some((words.join(" "), arguments.iter().map(|(_, leaf)| leaf.field).collect()))
}

/// The audit daemon writes arguments with blanks, quotes or control characters in hexadecimal.
pub(crate) fn decoded(argument: &str) -> String {
    let plain = || argument.to_owned();
    if argument.len() < 4
        || !argument.len().is_multiple_of(2)
        || !argument.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    {
        return plain();
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let bytes: Vec<u8> = argument.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    match String::from_utf8(bytes) {
        // Only what had to be encoded was encoded; anything else is a number that happens to have only such digits.
        Ok(text) if text.chars().any(|char| matches!(char, ' ' | '"' | '\t' | '\n') || !char.is_ascii()) => text,
        _ => plain(),
    }
}

/// An argument as one word of a command line.
fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains(|char: char| char.is_whitespace() || matches!(char, '"' | '\'')) {
        format!("\"{}\"", argument.replace('"', "\\\""))
    } else {
        argument.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_arguments() {
        assert_eq!(decoded("6563686F206869"), "echo hi");
        assert_eq!(decoded("DEADBEEF"), "DEADBEEF");
        assert_eq!(decoded("1234"), "1234");
        assert_eq!(quoted("echo hi"), "\"echo hi\"");
        assert_eq!(quoted("-c"), "-c");
    }
}
