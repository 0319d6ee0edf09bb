//! Where settings come from.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{ConfigErrors, keys};

/// A value with the place it came from.
pub(super) struct Setting {
    origin: String,
    value: Value,
}

impl Setting {
    /// The key or variable, for messages.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The value as text; numbers and Booleans as they are written.
    pub(super) fn as_text(&self) -> Option<String> {
        match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(self.value.to_string()),
            _ => None,
        }
    }

    /// The value as a list of texts: a list, JSON text of one, or text with commas.
    pub(super) fn as_list(&self) -> Option<Vec<String>> {
        let parsed = match &self.value {
            Value::String(text) if text.trim_start().starts_with('[') => serde_json::from_str(text).ok()?,
            Value::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                return Some(parts.map(str::to_owned).collect());
            }
            other => other.clone(),
        };
        let Value::Array(members) = parsed else { return None };
        let text = |member: Value| match member {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(_) | Value::Bool(_) => Some(member.to_string()),
            _ => None,
        };
        members.into_iter().map(text).collect()
    }

    /// The value as text from which a list is read: JSON for lists of a file.
    pub(super) fn as_list_text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

/// A configuration file, and the environment behind it.
pub(super) struct Source {
    file: Value,
    environment: BTreeMap<String, String>,
}

impl Source {
    /// The environment alone.
    pub(super) fn environment() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?.to_ascii_uppercase(), value.into_string().ok()?))
            })
            .filter(|(name, _)| name.starts_with("WAZUH_"))
            .collect();
        Self { file: Value::Null, environment }
    }

    /// A file, and the environment behind it.
    pub(super) fn file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        // YAML holds JSON.
        let read: Result<Value, _> = serde_saphyr::from_str(&text);
        let file = read.map_err(|error| ConfigErrors(vec![format!("{}: {error}", path.display())]))?;
        if !matches!(file, Value::Object(_) | Value::Null) {
            return Err(ConfigErrors(vec![format!("{}: expected keys and values", path.display())]).into());
        }
        Ok(Self { file, ..Self::environment() })
    }

    /// The value of a key such as `search.lookup_agent_ip`. Empty texts and nulls are no values.
    pub(super) fn get(&self, key: &str) -> Option<Setting> {
        self.in_file(key).or_else(|| self.in_environment(key))
    }

    fn in_file(&self, key: &str) -> Option<Setting> {
        let value = key.split('.').try_fold(&self.file, |value, part| value.get(part))?;
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        (!is_empty).then(|| Setting { origin: key.to_owned(), value: value.clone() })
    }

    fn in_environment(&self, key: &str) -> Option<Setting> {
        let names = std::iter::once(keys::variable(key))
            .chain(keys::other_variables(key).iter().map(|name| (*name).to_owned()));
        for name in names {
            if let Some(text) = self.environment.get(&name).filter(|text| !text.trim().is_empty()) {
                return Some(Setting { origin: name, value: text.clone().into() });
            }
            // Secrets are mounted as files.
            let file = format!("{name}_FILE");
            if let Some(path) = self.environment.get(&file)
                && let Ok(text) = std::fs::read_to_string(path)
            {
                return Some(Setting { origin: file, value: text.trim_end().into() });
            }
        }
        // A whole group may be one JSON variable.
        let (group, member) = key.split_once('.')?;
        let name = keys::variable(group);
        let members: Value = serde_json::from_str(self.environment.get(&name)?).ok()?;
        let value = members.get(member).filter(|value| !value.is_null())?;
        Some(Setting { origin: format!("{name}.{member}"), value: value.clone() })
    }

    /// Keys of the file that mean nothing.
    pub(super) fn unknown_keys(&self) -> Vec<String> {
        let Value::Object(root) = &self.file else { return Vec::new() };
        let mut unknown = Vec::new();
        for (key, value) in root {
            let group = match key.as_str() {
                "search" => keys::SEARCH,
                "opensearch" => keys::OPENSEARCH,
                "enrich" => keys::ENRICH,
                _ => {
                    if !keys::ROOT.contains(&key.as_str()) && !keys::OPEN_GROUPS.contains(&key.as_str()) {
                        unknown.push(format!("{key}: unknown key"));
                    }
                    continue;
                }
            };
            for member in value.as_object().into_iter().flatten().map(|(member, _)| member) {
                if !group.contains(&member.as_str()) {
                    unknown.push(format!("{key}.{member}: unknown key; known are {}", group.join(", ")));
                }
            }
        }
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(file: &str, environment: &[(&str, &str)]) -> Source {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Source { file: serde_saphyr::from_str(file).unwrap(), environment }
    }

    #[test]
    fn the_file_comes_first_and_empty_is_unset() {
        let source = source(
            "search:\n  lookup_agent_ip: true\n  lookup_agent_name: ''\n",
            &[("WAZUH_SEARCH_LOOKUP_AGENT_IP", "false"), ("WAZUH_SEARCH_LOOKUP_AGENT_NAME", "yes")],
        );
        assert_eq!(source.get("search.lookup_agent_ip").unwrap().as_text().as_deref(), Some("true"));
        let setting = source.get("search.lookup_agent_name").unwrap();
        assert_eq!((setting.origin(), setting.as_text().as_deref()), ("WAZUH_SEARCH_LOOKUP_AGENT_NAME", Some("yes")));
        assert!(source.get("search.lookup_mac_variants").is_none());
    }

    #[test]
    fn lists_and_groups() {
        let source = source(
            "enrich:\n  types: [url, file]\n",
            &[("WAZUH_RULE_EXCLUDE_LIST", "5710"), ("WAZUH_SEARCH", r#"{"lookup_agent_ip": true}"#)],
        );
        assert_eq!(source.get("enrich.types").unwrap().as_list().unwrap(), ["url", "file"]);
        assert_eq!(source.get("rule_exclude_list").unwrap().as_list().unwrap(), ["5710"]);
        assert_eq!(source.get("search.lookup_agent_ip").unwrap().as_text().as_deref(), Some("true"));
    }

    #[test]
    fn unknown_keys_are_named() {
        let source = source("serach: {}\nsearch: {lookup_agent: true}\nopencti: {anything: 1}\n", &[]);
        let unknown = source.unknown_keys();
        assert_eq!(unknown.len(), 2);
        assert!(unknown[1].starts_with("serach: unknown key") || unknown[0].starts_with("serach: unknown key"));
    }
}
