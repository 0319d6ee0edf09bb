//! Where values come from: a file, and the environment behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::mistakes::{nearest, suggestion};
use super::node::{Node, Tree};
use super::option::{Spec, group_variable, variable_prefix};
use super::{pem, table};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The option's default, or what follows from another option.
    Default(&'static str),
    /// A line of the file.
    File { line: String, key: String },
    /// A variable.
    Variable(String),
    /// A key or variable that names a file with the value.
    SecretFile { named_by: String, path: String },
    /// A member of a variable that holds a group.
    Group { variable: String, member: String },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default("") => formatter.write_str("default"),
            Self::Default(why) => write!(formatter, "default {why}"),
            Self::File { line, .. } => formatter.write_str(line),
            Self::Variable(name) => formatter.write_str(name),
            Self::SecretFile { named_by, path } => write!(formatter, "{named_by} ({path})"),
            Self::Group { variable, .. } => formatter.write_str(variable),
        }
    }
}

impl Origin {
    /// The place as it stands before what is wrong there.
    pub(super) fn in_message(&self) -> String {
        match self {
            Self::File { line, key } => format!("{line}: {key}"),
            Self::Group { variable, member } => format!("{variable}: {member}"),
            Self::SecretFile { named_by, .. } => named_by.clone(),
            other => other.to_string(),
        }
    }
}

/// A value with the place it comes from.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) node: Node,
    pub(super) origin: Origin,
}

/// A configuration file and the environment.
#[derive(Debug, Default)]
pub(super) struct Source {
    file: Option<(String, Node)>,
    /// Variables by their names in capitals.
    environment: BTreeMap<String, String>,
    /// Groups that are one variable with JSON.
    groups: BTreeMap<&'static str, (String, Node)>,
    /// What is wrong with the sources themselves.
    pub(super) mistakes: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// Warnings that only the service needs: about the platform's groups and variables.
    pub(super) service_warnings: Vec<String>,
}

impl Source {
    /// The text of a file, if there is one, with the name it is shown by; and variables.
    pub(super) fn new(file: Option<(&str, &str)>, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut source = Self::default();
        source.read_environment(environment);
        if let Some((name, text)) = file {
            match Node::read(text) {
                Ok(node @ Node { tree: Tree::Map(_) | Tree::Null, .. }) => source.file = Some((name.to_owned(), node)),
                Ok(_) => source.mistakes.push(format!("{name}: expected keys and values")),
                Err(error) => source.mistakes.push(format!("{name}: {error}")),
            }
        }
        source.read_groups();
        source.check_keys();
        source.check_variables();
        source
    }

    /// The name by which a path is shown.
    pub(super) fn shown(path: &Path) -> String {
        path.display().to_string()
    }

    fn read_environment(&mut self, environment: impl IntoIterator<Item = (OsString, OsString)>) {
        for (name, value) in environment {
            let Ok(name) = name.into_string() else { continue };
            let capitals = name.to_ascii_uppercase();
            let Ok(value) = value.into_string() else {
                if table::variables().contains(&capitals) {
                    self.mistakes.push(format!("{name}: the value is not UTF-8"));
                }
                continue;
            };
            // The name in capitals counts where both are there.
            if name == capitals || !self.environment.contains_key(&capitals) {
                self.environment.insert(capitals, value);
            }
        }
    }

    fn read_groups(&mut self) {
        for group in table::groups() {
            let variable = group_variable(group);
            let Some(text) = self.variable(&variable) else { continue };
            match serde_json::from_str(text) {
                Ok(value @ Value::Object(_)) => {
                    self.groups.insert(group, (variable, Node::from_json(value)));
                }
                // The text may hold secrets.
                Ok(_) => {
                    self.mistakes.push(format!("{variable}: expected a JSON object with the members of `{group}`"));
                }
                Err(error) => self.mistakes.push(format!(
                    "{variable}: expected a JSON object with the members of `{group}`: line {}, column {}",
                    error.line(),
                    error.column()
                )),
            }
        }
    }

    /// A variable that is not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The value of an option. Fails where a secret's file cannot be read.
    pub(super) fn find(&self, spec: &Spec) -> Result<Option<Found>, String> {
        if spec.in_file
            && let Some(found) = self.in_file(spec)?
        {
            return Ok(Some(found));
        }
        if let Some(found) = self.in_variables(spec)? {
            return Ok(Some(found));
        }
        self.in_group(spec)
    }

    fn in_file(&self, spec: &Spec) -> Result<Option<Found>, String> {
        let Some((file, root)) = &self.file else { return Ok(None) };
        let (group, name) = spec.place();
        let Some(members) = (if group.is_empty() { Some(root) } else { root.get(group) }) else { return Ok(None) };
        let origin = |name: &str, node: &Node| {
            let key = if group.is_empty() { name.to_owned() } else { format!("{group}.{name}") };
            Origin::File { line: format!("{file}:{}", node.line), key }
        };
        Self::member(spec, members, name, origin)
    }

    fn in_group(&self, spec: &Spec) -> Result<Option<Found>, String> {
        let (group, name) = spec.place();
        let Some((variable, members)) = self.groups.get(group) else { return Ok(None) };
        let origin = |name: &str, _: &Node| Origin::Group { variable: variable.clone(), member: name.to_owned() };
        Self::member(spec, members, name, origin)
    }

    /// A member of a group that has a value. For secrets, `NAME_file` names a file that holds it.
    fn member(
        spec: &Spec,
        members: &Node,
        name: &str,
        origin: impl Fn(&str, &Node) -> Origin,
    ) -> Result<Option<Found>, String> {
        for name in std::iter::once(&name).chain(spec.keys) {
            match members.get(name) {
                Some(node) if node.is_empty_text() => {}
                // `key: null` switches off what can be off, and leaves the rest as if the key were not there.
                Some(node) if node.tree == Tree::Null && !(spec.optional || spec.is_list()) => {}
                Some(node) => return Ok(Some(Found { node: node.clone(), origin: origin(name, node) })),
                None => {}
            }
            let file_key = format!("{name}_file");
            if let Some(node) = members.get(&file_key).filter(|node| spec.secret && !node.is_empty_text())
                && let Some(path) = node.as_text()
            {
                return secret_file(origin(&file_key, node).in_message(), path).map(Some);
            }
        }
        Ok(None)
    }

    fn in_variables(&self, spec: &Spec) -> Result<Option<Found>, String> {
        for name in spec.variables() {
            if let Some(text) = self.variable(&name) {
                return Ok(Some(Found { node: Node::text_of(text), origin: Origin::Variable(name) }));
            }
            let file = format!("{name}_FILE");
            if let Some(path) = self.variable(&file) {
                return secret_file(file.clone(), path).map(Some);
            }
        }
        Ok(None)
    }

    /// Variables of an option that do not count because another one does.
    pub(super) fn shadowed(&self, spec: &Spec, origin: &Origin) -> Vec<String> {
        let Origin::Variable(counting) = origin else { return Vec::new() };
        let value = self.variable(counting);
        let names = spec.variables().flat_map(|name| [format!("{name}_FILE"), name]);
        names.filter(|name| name != counting && self.variable(name).is_some_and(|text| Some(text) != value)).collect()
    }

    /// Whether the environment has the variable of a list, but empty: the original took that for an empty list.
    pub(super) fn is_empty_variable(&self, spec: &Spec) -> Option<String> {
        let name = spec.main_variable();
        self.environment.get(&name).is_some_and(|text| text.trim().is_empty()).then_some(name)
    }

    /// Keys that mean nothing.
    fn check_keys(&mut self) {
        let mut mistakes = Vec::new();
        let mut warnings = Vec::new();
        // Only the open groups have warnings.
        if let Some((file, root)) = &self.file {
            for (key, node) in root.members() {
                let place = format!("{file}:{}: {key}", node.line);
                if table::groups().any(|group| group == key) {
                    match &node.tree {
                        Tree::Map(_) => check_group(key, node, &mut mistakes, &mut warnings, |key, node| {
                            format!("{file}:{}: {key}", node.line)
                        }),
                        Tree::Null => {}
                        _ => mistakes.push(format!("{place}: expected the members of the group")),
                    }
                } else if !table::keys_of("").contains(key) {
                    let keys = table::keys_of("");
                    let mut known: Vec<&str> = keys.iter().map(String::as_str).collect();
                    for group in table::groups() {
                        known.push(group);
                    }
                    mistakes.push(format!("{place}: unknown key{}", suggestion(key, known)));
                }
            }
        }
        for (group, (variable, node)) in &self.groups {
            check_group(group, node, &mut mistakes, &mut warnings, |key, _| format!("{variable}: {key}"));
        }
        self.mistakes.extend(mistakes);
        self.service_warnings.extend(warnings);
    }

    /// Variables that mean nothing. The original was silent about them, and so were its samples full of them.
    fn check_variables(&mut self) {
        let known = table::variables();
        let mut warnings = Vec::new();
        let mut service_warnings = Vec::new();
        for (name, value) in &self.environment {
            if value.trim().is_empty() {
                continue;
            }
            let plain = name.strip_suffix("_FILE").unwrap_or(name);
            if known.contains(name) || known.contains(plain) {
                let quote = value.trim().chars().next().filter(|char| matches!(char, '"' | '\''));
                if quote.is_some_and(|quote| value.trim().len() > 1 && value.trim().ends_with(quote)) {
                    warnings.push(format!("{name}: the quotation marks are taken as a part of the value"));
                }
                continue;
            }
            if let Some((_, why)) = table::WITHOUT_EFFECT.iter().find(|(variable, _)| variable == name) {
                service_warnings.push(format!("{name} has no effect: {why}"));
                continue;
            }
            let near = || nearest(name, known.iter().map(String::as_str));
            if name.starts_with("WAZUH_") {
                let near = near().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                warnings.push(format!("{name} has no effect: there is no such option{near}"));
            } else if ["OPENCTI_", "CONNECTOR_", "MQ_"].iter().any(|prefix| name.starts_with(prefix)) {
                // These belong to the platform, too, which has more of them.
                service_warnings.extend(near().map(|near| format!("{name} has no effect; did you mean {near}?")));
            } else {
                let whole = format!("{}{name}", variable_prefix(""));
                if name.contains('_') && known.contains(&whole) && self.variable(&whole).is_none() {
                    service_warnings.push(format!("{name} has no effect; did you mean {whole}?"));
                }
            }
        }
        self.warnings.extend(warnings);
        self.service_warnings.extend(service_warnings);
    }
}

/// Unknown members of a group. The groups of the platform's client may hold anything, as they may in the original.
fn check_group(
    group: &str,
    members: &Node,
    mistakes: &mut Vec<String>,
    warnings: &mut Vec<String>,
    place: impl Fn(&str, &Node) -> String,
) {
    let known: BTreeSet<String> = table::keys_of(group);
    for (name, node) in members.members() {
        if known.contains(name) {
            continue;
        }
        let place = place(&format!("{group}.{name}"), node);
        let near = suggestion(name, known.iter().map(String::as_str));
        if table::OPEN_GROUPS.contains(&group) {
            let variable = format!("{}{}", variable_prefix(group), name.to_ascii_uppercase());
            let why = table::WITHOUT_EFFECT.iter().find(|(without, _)| *without == variable).map(|(_, why)| *why);
            warnings.push(match why {
                Some(why) => format!("{place} has no effect: {why}"),
                None => format!("{place} has no effect: there is no such option{near}"),
            });
        } else {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = if near.is_empty() { format!("; known are {}", names.join(", ")) } else { near };
            mistakes.push(format!("{place}: unknown key{near}"));
        }
    }
}

/// A secret from the file that a key or variable names. Line ends after it do not belong to it.
fn secret_file(named_by: String, path: &str) -> Result<Found, String> {
    let path = path.trim();
    let text = pem::read_file(path).map_err(|error| format!("{named_by}: {error}"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(format!("{named_by}: {path} is empty"));
    }
    Ok(Found { node: Node::text_of(text), origin: Origin::SecretFile { named_by, path: path.to_owned() } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::{connector, opencti, root, search};

    fn source(file: &str, environment: &[(&str, &str)]) -> Source {
        let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Source::new(Some(("config.yml", file)), environment)
    }

    #[track_caller]
    fn check(source: &Source, spec: &Spec, origin: &str, text: &str) {
        let found = source.find(spec).unwrap().unwrap();
        assert_eq!((found.origin.to_string().as_str(), found.node.as_text()), (origin, Some(text)));
    }

    #[test]
    fn the_file_comes_first_and_empty_is_unset() {
        let source = source(
            "search:\n  lookup_agent_ip: true\n  lookup_agent_name: ''\n",
            &[
                ("WAZUH_SEARCH_LOOKUP_AGENT_IP", "false"),
                ("wazuh_search_lookup_agent_name", "yes"),
                ("WAZUH_SEARCH", r#"{"lookup_agent_name": false, "lookup_mac_variants": false}"#),
                ("WAZUH_MAX_TLP", " "),
            ],
        );
        check(&source, &search::LOOKUP_AGENT_IP, "config.yml:2", "true");
        check(&source, &search::LOOKUP_AGENT_NAME, "WAZUH_SEARCH_LOOKUP_AGENT_NAME", "yes");
        check(&source, &search::LOOKUP_MAC_VARIANTS, "WAZUH_SEARCH", "false");
        assert!(source.find(&root::MAX_TLP).unwrap().is_none());
        assert_eq!((source.mistakes.len(), source.warnings.len()), (0, 0));
    }

    #[test]
    fn null_is_off_where_there_is_an_off() {
        let source = source("hits_abort_limit:\nsystem_name: ~\ntlps: null\n", &[]);
        assert_eq!(source.find(&root::HITS_ABORT_LIMIT).unwrap().unwrap().node.tree, Tree::Null);
        assert_eq!(source.find(&root::TLPS).unwrap().unwrap().node.tree, Tree::Null);
        assert!(source.find(&root::SYSTEM_NAME).unwrap().is_none());
    }

    #[test]
    fn secrets_from_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "geheim\r\n").unwrap();
        let in_variable = source("", &[("OPENCTI_TOKEN_FILE", path)]);
        check(&in_variable, &opencti::TOKEN, &format!("OPENCTI_TOKEN_FILE ({path})"), "geheim");
        let in_file = source(&format!("opencti: {{token_file: '{path}'}}"), &[("OPENCTI_TOKEN", "other")]);
        check(&in_file, &opencti::TOKEN, &format!("config.yml:1: opencti.token_file ({path})"), "geheim");
        assert_eq!((in_file.mistakes.len(), in_file.warnings.len()), (0, 0));
        std::fs::write(path, "\n").unwrap();
        assert_eq!(in_variable.find(&opencti::TOKEN).unwrap_err(), format!("OPENCTI_TOKEN_FILE: {path} is empty"));
        let missing = source("", &[("OPENCTI_TOKEN_FILE", "/no/such/file")]);
        assert!(missing.find(&opencti::TOKEN).unwrap_err().starts_with("OPENCTI_TOKEN_FILE: /no/such/file cannot be"));
    }

    #[test]
    fn unknown_keys_are_named() {
        let source = source(
            "serach: {}\nsearch: {lookup_agent: true}\nopencti: {anything: 1}\nenrich: [url]\n",
            &[("WAZUH_ENRICH", r#"{"type": []}"#), ("WAZUH_SEARCH", "[geheim"), ("WAZUH_OPENCTI", "1")],
        );
        let mut mistakes = source.mistakes.clone();
        mistakes.sort();
        assert_eq!(mistakes.len(), 6, "{mistakes:#?}");
        assert!(mistakes[0].starts_with("WAZUH_ENRICH: enrich.type: unknown key; did you mean `types`?"));
        assert_eq!(mistakes[1], "WAZUH_OPENCTI: expected a JSON object with the members of `opencti`");
        assert!(mistakes[2].starts_with("WAZUH_SEARCH: expected a JSON object") && !mistakes[2].contains("geheim"));
        assert_eq!(mistakes[3], "config.yml:1: serach: unknown key; did you mean `search`?");
        assert_eq!(mistakes[4], "config.yml:2: search.lookup_agent: unknown key; did you mean `lookup_agent_ip`?");
        assert_eq!(mistakes[5], "config.yml:4: enrich: expected the members of the group");
        assert_eq!(source.service_warnings, ["config.yml:3: opencti.anything has no effect: there is no such option"]);
    }

    #[test]
    fn variables_that_mean_nothing() {
        let source = source(
            "",
            &[
                ("WAZUH_ENRICH_AGENT", "true"),
                ("WAZUH_MAX_TPL", "red"),
                ("AGENTS_AS_SYSTEMS", "true"),
                ("CONNECTOR_LOGLEVEL", "info"),
                ("CONNECTOR_SOMETHING_ELSE", "1"),
                ("CONNECTOR_CONFIDENCE_LEVEL", "80"),
                ("WAZUH_SYSTEM_NAME", "\"SIEM\""),
                ("WAZUH_NOTHING", ""),
                ("PATH", "/bin"),
            ],
        );
        assert_eq!(
            source.service_warnings,
            [
                "AGENTS_AS_SYSTEMS has no effect; did you mean WAZUH_AGENTS_AS_SYSTEMS?",
                "CONNECTOR_CONFIDENCE_LEVEL has no effect: OpenCTI 6 takes the limits of the user and its groups",
                "CONNECTOR_LOGLEVEL has no effect; did you mean CONNECTOR_LOG_LEVEL?",
            ]
        );
        assert_eq!(
            source.warnings,
            [
                "WAZUH_ENRICH_AGENT has no effect: there is no such option",
                "WAZUH_MAX_TPL has no effect: there is no such option; did you mean WAZUH_MAX_TLP?",
                "WAZUH_SYSTEM_NAME: the quotation marks are taken as a part of the value",
            ]
        );
    }

    #[test]
    fn the_documented_name_counts() {
        let source = source("", &[("CONNECTOR_QUEUE_PROTOCOL", "api"), ("QUEUE_PROTOCOL", "amqp")]);
        let found = source.find(&connector::QUEUE_PROTOCOL).unwrap().unwrap();
        assert_eq!(found.node.as_text(), Some("api"));
        assert_eq!(source.shadowed(&connector::QUEUE_PROTOCOL, &found.origin), ["QUEUE_PROTOCOL"]);
    }
}
