//! Registry keys and values.

use stix_model::Identifier;
use stix_model::sco::{WindowsRegistryKey, WindowsRegistryValue};
use wazuh_query::catalogue::{FieldId, Holds};
use wazuh_query::value::{self, Reading, read};

use super::group::Group;
use super::{ExtractType, Work, is_placeholder};

/// The types of STIX 2.1, section 10.22.
const VALUE_TYPES: &[&str] = &[
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_DWORD_LITTLE_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTION",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
    "REG_INVALID_TYPE",
];

/// So many keys at most get the value that stands beside them: each holds a copy of its data.
const MOST_WITH_VALUE: usize = 64;

/// The Sysmon events whose object is a key followed by the name of a value.
const VALUE_EVENTS: &[&str] = &["13"];

impl<'a> Work<'_, 'a, '_> {
    /// Whether a group describes a registry key.
    pub(super) fn is_registry(group: &Group<'a>) -> bool {
        group.leaves.iter().any(|leaf| match leaf.holds {
            Holds::RegistryKey | Holds::RegistryKeyAndValue => true,
            Holds::FileOrRegistryPath => value::hive(leaf.text).is_some(),
            _ => false,
        })
    }

    /// The registry keys of a group.
    pub(super) fn registry(&mut self, group: &Group<'a>) {
        let value_name = group.leaf(Holds::RegistryValueName).filter(|leaf| !is_placeholder(leaf.text));
        let value_type = group.first_text(Holds::RegistryValueType).and_then(value_type);
        let value_data = group.leaf(Holds::RegistryValueData);
        let mut with_value = 0;
        for leaf in &group.leaves {
            let wanted =
                matches!(leaf.holds, Holds::RegistryKey | Holds::RegistryKeyAndValue | Holds::FileOrRegistryPath);
            if !wanted {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| {
                let Reading::RegistryKey(key) = reading else { return };
                let mut fields = vec![leaf.field];
                let names_value = leaf.holds == Holds::RegistryKeyAndValue
                    && self.alert.event_code.as_deref().is_some_and(|code| VALUE_EVENTS.contains(&code));
                let (key, name) = match key.rsplit_once('\\') {
                    Some((key, name)) if names_value => (key.to_owned(), Some(name.to_owned())),
                    _ => (key.into_owned(), None),
                };
                let name = name.or_else(|| {
                    let leaf = value_name?;
                    fields.push(leaf.field);
                    Some(leaf.text.trim().to_owned())
                });
                let name = name.filter(|_| with_value < MOST_WITH_VALUE);
                with_value += usize::from(name.is_some());
                let values = name.map(|name| {
                    let mut registry_value =
                        WindowsRegistryValue { name: Some(name), ..WindowsRegistryValue::default() };
                    registry_value.data_type.clone_from(&value_type);
                    if let Some(leaf) = value_data {
                        set_data(&mut registry_value, leaf.text);
                        fields.push(leaf.field);
                    }
                    registry_value
                });
                self.registry_key(&key, values.into_iter().collect(), fields);
            });
        }
    }

    /// A registry key with the values that the alert names. What is no key gives nothing.
    pub(super) fn registry_key(
        &mut self,
        key: &str,
        values: Vec<WindowsRegistryValue>,
        fields: impl IntoIterator<Item = FieldId>,
    ) -> Option<Identifier> {
        let key = value::canonical_key(key)?.into_owned();
        if !self.wants(ExtractType::WindowsRegistryKey) {
            return None;
        }
        let key = WindowsRegistryKey { key: Some(key), values, ..WindowsRegistryKey::default() };
        Some(self.add(key.identified(), fields))
    }
}

/// The properties of a registry value that one field tells.
pub(super) fn value_parts(holds: Holds, text: &str) -> Vec<(&'static str, String)> {
    match holds {
        Holds::RegistryValueName => vec![("name", text.trim().to_owned())],
        Holds::RegistryValueType => value_type(text).map(|data_type| ("data_type", data_type)).into_iter().collect(),
        _ => {
            let mut registry_value = WindowsRegistryValue::default();
            set_data(&mut registry_value, text);
            let WindowsRegistryValue { data, data_type, .. } = registry_value;
            let data = data.map(|data| ("data", data));
            data.into_iter().chain(data_type.map(|data_type| ("data_type", data_type))).collect()
        }
    }
}

fn value_type(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    VALUE_TYPES.contains(&text.as_str()).then_some(text)
}

/// What Sysmon shows of a value's data: numbers as `DWORD (0x00000001)`, bytes not at all, texts as they are.
fn set_data(registry_value: &mut WindowsRegistryValue, text: &str) {
    let text = text.trim();
    for (label, data_type) in [("DWORD", "REG_DWORD"), ("QWORD", "REG_QWORD")] {
        let number = text.strip_prefix(label).and_then(|rest| rest.trim().strip_prefix('(')?.strip_suffix(')'));
        if let Some(number) = number {
            registry_value.data = Some(number.to_owned());
            registry_value.data_type.get_or_insert_with(|| data_type.to_owned());
            return;
        }
    }
    if text == "Binary Data" {
        registry_value.data_type.get_or_insert_with(|| "REG_BINARY".to_owned());
    } else if !text.is_empty() && text != "(Empty)" {
        registry_value.data = Some(value::unescape_command_line(text).into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_as_sysmon_shows_it() {
        let read = |text| {
            let mut registry_value = WindowsRegistryValue::default();
            set_data(&mut registry_value, text);
            (registry_value.data, registry_value.data_type)
        };
        assert_eq!(read("DWORD (0x00000001)"), (Some("0x00000001".into()), Some("REG_DWORD".into())));
        assert_eq!(read("Binary Data"), (None, Some("REG_BINARY".into())));
        assert_eq!(read(r"C:\\a.exe"), (Some(r"C:\a.exe".into()), None));
        assert_eq!(value_type("reg_sz").as_deref(), Some("REG_SZ"));
        assert_eq!(value_type("REG_NONSENSE"), None);
    }
}
