//! Registry keys and values.

use sha2::{Digest, Sha256};
use stix_model::UnknownObject;
use stix_model::sco::WindowsRegistryKey;

use super::name::folded_clauses;
use super::reason::shown;
use super::{Draft, NotSearchable, Note, Query, QueryBuilder, required};
use crate::dsl::{Clause, limits};
use crate::options::RegKeyOption;
use crate::regexp::escape_backslashes;
use crate::value::{self, Hive};

/// A security identifier as an expression, with the suffix of a user's classes.
const ANY_SID: &str = "S-1-[0-9]+(-[0-9]+)+(_Classes)?";

impl QueryBuilder {
    /// A registry key, and what lies below it.
    pub(super) fn registry_key(&self, key: &WindowsRegistryKey, notes: &mut Vec<Note>) -> Draft {
        let has = |option| self.options.registry_key.contains(&option);
        let key = value::normalize_key(required(key.key.as_deref().unwrap_or_default(), "key")?);
        // A slash may be part of a name, unless no backslash is there to separate.
        let key = if key.contains('\\') { key.into_owned() } else { key.replace('/', "\\") };
        let key = if has(RegKeyOption::IgnoreTrailingSlash) { key.trim_end_matches('\\') } else { key.as_str() };
        let hive = value::hive(key);
        if hive.is_none() && has(RegKeyOption::RequireAbsPath) {
            return Err(NotSearchable::Option { what: "the key starts with no hive", option: "require-abs-path" });
        }
        if hive.is_some_and(|(_, rest)| rest.trim_matches('\\').is_empty()) {
            return Err(NotSearchable::TooBroad("everything lies below a hive"));
        }
        if !has(RegKeyOption::AllowRegexp) {
            if hive.is_none() {
                return Err(NotSearchable::Option { what: "the key starts with no hive", option: "allow-regexp" });
            }
            return Ok(vec![Self::exact(&self.fields.registry_key, [key.to_owned(), key.replace('\\', "\\\\")])]);
        }
        let suffix = if has(RegKeyOption::MatchSubdirs) {
            r"(\\+.*)?"
        } else if has(RegKeyOption::IgnoreTrailingSlash) {
            r"\\*"
        } else {
            ""
        };
        let body = |rest: &str| {
            let components = rest.split('\\').filter(|part| !part.is_empty()).map(|part| {
                let is_sid = value::is_sid(part.strip_suffix("_Classes").unwrap_or(part));
                if is_sid && has(RegKeyOption::IgnoreSid) { ANY_SID.to_owned() } else { escape_backslashes(part) }
            });
            components.collect::<Vec<_>>().join(r"\\+")
        };
        let fold = has(RegKeyOption::CaseInsensitive);
        let expressions: Vec<String> = match hive {
            None => vec![format!(r".+\\+{}{suffix}", body(key))],
            Some((hive, rest)) if has(RegKeyOption::SearchHiveAliases) => {
                let body = body(rest);
                aliases(hive).into_iter().map(|root| format!(r"{root}\\+{body}{suffix}")).collect()
            }
            Some((hive, rest)) => {
                let written = key.get(..key.len() - rest.len()).unwrap_or(hive.long_name());
                let root = escape_backslashes(written.trim_end_matches('\\'));
                vec![format!(r"{root}\\+{}{suffix}", body(rest))]
            }
        };
        // One clause per way to write the root: the first is what most producers write.
        let mut queries = Vec::new();
        for expression in expressions {
            queries.extend(Self::regexps(&self.fields.registry_key, [expression], fold, notes));
        }
        let too_long = || NotSearchable::TooLong { value: shown(key), limit: limits::REGEXP_CHARS };
        if queries.is_empty() { Err(too_long()) } else { Ok(queries) }
    }

    /// A registry value: by its data, which file integrity monitoring stores as a hash and others as text.
    ///
    /// OpenCTI's type `windows-registry-value-type`, which STIX does not have as an object of its own.
    pub(super) fn registry_value(&self, value: &UnknownObject, notes: &mut Vec<Note>) -> Draft {
        let property = |name: &str| value.get_as::<String>(name);
        let data = property("data");
        let data = data.as_deref().map(str::trim).filter(|data| !data.is_empty());
        let data = data.ok_or(NotSearchable::Missing("data"))?;
        let data_type = property("data_type").unwrap_or_else(|| "REG_SZ".to_owned()).trim().to_ascii_uppercase();
        let Some(hashed) = hashed_form(&data_type, data) else {
            return Err(NotSearchable::Invalid { value: shown(data), expected: "data of its registry type" });
        };
        if hashed.is_empty() {
            return Err(NotSearchable::EmptyInput);
        }
        let digest: String =
            Sha256::digest(&hashed).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let mut by_hash = vec![Query::any_field(&self.fields.registry_value_hash, Clause::folded(digest))];
        // The same content may stand in a file; a value's name tells them apart.
        let name = property("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        match name.as_deref() {
            Some(name) if !self.fields.registry_value_name.is_empty() => {
                let names =
                    folded_clauses(name).map(|clause| Query::any_field(&self.fields.registry_value_name, clause));
                by_hash.push(Query::any(names));
            }
            _ => notes.push(Note::NotRequired("name")),
        }
        let mut queries = vec![Query::all(by_hash)];
        if matches!(data_type.as_str(), "REG_SZ" | "REG_EXPAND_SZ") && data.len() <= limits::TERM_BYTES {
            queries
                .extend(folded_clauses(data).map(|clause| Query::any_field(&self.fields.registry_value_data, clause)));
        }
        Ok(queries)
    }
}

/// The ways to write a hive, as expressions: its names, and the keys that it is a view of.
fn aliases(hive: Hive) -> Vec<String> {
    let names = format!("({}|{})", hive.long_name(), hive.short_name());
    let users = "(HKEY_USERS|HKU)";
    let machine = "(HKEY_LOCAL_MACHINE|HKLM)";
    let mut aliases = vec![names];
    match hive {
        Hive::CurrentUser => {
            aliases.push(format!(r"{users}\\+{ANY_SID}"));
            aliases.push(format!(r"\\+REGISTRY\\+USER\\+{ANY_SID}"));
        }
        Hive::ClassesRoot => {
            aliases.push(format!(r"{machine}\\+SOFTWARE\\+Classes"));
            aliases.push(r"\\+REGISTRY\\+MACHINE\\+SOFTWARE\\+Classes".to_owned());
        }
        Hive::LocalMachine => aliases.push(r"\\+REGISTRY\\+MACHINE".to_owned()),
        Hive::Users => aliases.push(r"\\+REGISTRY\\+USER".to_owned()),
        Hive::CurrentConfig => {}
    }
    aliases
}

/// The bytes that the agent hashes for a registry value.
fn hashed_form(data_type: &str, data: &str) -> Option<Vec<u8>> {
    let hex_of_number = |digits: usize| {
        let number = match data.strip_prefix("0x").or_else(|| data.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok()?,
            None => data.parse::<u64>().ok()?,
        };
        Some((number, digits))
    };
    Some(match data_type {
        "REG_SZ" | "REG_EXPAND_SZ" => data.as_bytes().to_vec(),
        "REG_MULTI_SZ" => data.lines().flat_map(str::bytes).collect(),
        "REG_DWORD" => {
            let (number, _) = hex_of_number(8)?;
            format!("{:08x}", u32::try_from(number).ok()?).into_bytes()
        }
        "REG_QWORD" => {
            let (number, _) = hex_of_number(16)?;
            hex(&number.to_le_bytes())
        }
        // Bytes: the agent hashes their lower-case hexadecimal text.
        _ => {
            let digits = data.strip_prefix("0x").unwrap_or(data);
            let digits: String = digits.chars().filter(|char| !char.is_whitespace() && *char != ',').collect();
            let valid = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            valid.then(|| digits.to_ascii_lowercase().into_bytes())?
        }
    })
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_agent_hashes() {
        let text = |data_type, data| hashed_form(data_type, data).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(text("REG_SZ", "hello").as_deref(), Some("hello"));
        assert_eq!(text("REG_BINARY", "de ad BE ef").as_deref(), Some("deadbeef"));
        assert_eq!(text("REG_BINARY", "0xdead").as_deref(), Some("dead"));
        assert_eq!(text("REG_DWORD", "1").as_deref(), Some("00000001"));
        assert_eq!(text("REG_DWORD", "0x1F").as_deref(), Some("0000001f"));
        assert_eq!(text("REG_QWORD", "1").as_deref(), Some("0100000000000000"));
        assert_eq!(text("REG_BINARY", "xyz"), None);
        assert_eq!(text("REG_DWORD", "5000000000"), None);
    }
}
