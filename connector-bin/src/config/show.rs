//! The effective configuration, for people and for programs. Secrets are not in it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::option::Spec;
use super::pem::is_inline;
use super::resolver::Resolver;
use super::source::Origin;
use super::table;
use super::values::without_credentials;

/// What stands for a value that is not shown.
const HIDDEN: &str = "***";

/// An option with its effective value.
pub(crate) struct Row {
    spec: &'static Spec,
    /// The value as it may be shown.
    value: Value,
    hidden: bool,
    origin: Origin,
}

impl Row {
    /// All options, in the order of the documentation.
    pub(super) fn all(resolver: &mut Resolver<'_>) -> Vec<Self> {
        table::options()
            .map(|spec| {
                let resolved = resolver.get(spec);
                let (value, hidden) = shown(spec, resolved.value);
                Self { spec, value, hidden, origin: resolved.origin }
            })
            .collect()
    }

    fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// The value as it would stand in a variable.
    fn text(&self) -> String {
        text(self.spec.kind, &self.value)
    }
}

/// The value without secrets, and whether it had any.
fn shown(spec: &Spec, value: Value) -> (Value, bool) {
    match (spec.kind, &value) {
        (_, Value::Null) => (value, false),
        (Kind::Headers, Value::Object(headers)) => {
            let hidden = headers.keys().map(|name| (name.clone(), HIDDEN.into())).collect();
            (Value::Object(hidden), !headers.is_empty())
        }
        (Kind::ProxyUrl, Value::String(url)) => {
            let shown = without_credentials(url);
            let hidden = shown != *url;
            (shown.into(), hidden)
        }
        (Kind::Pem, Value::String(text)) if is_inline(text) => (HIDDEN.into(), true),
        _ if spec.secret => (HIDDEN.into(), true),
        _ => (value, false),
    }
}

/// A value as text: lists with commas where that can be read again.
pub(super) fn text(kind: Kind, value: &Value) -> String {
    let pairs = |members: &[Value], name: &str, sign: char| {
        let pair = |member: &Value| {
            let (field, other) = (member.get("field")?.as_str()?, member.get(name)?.as_str()?);
            let is_plain = |text: &str| !text.contains([',', '=', ':']) && text.trim() == text && !text.is_empty();
            (is_plain(field) && is_plain(other)).then(|| format!("{field}{sign}{other}"))
        };
        members.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
    };
    match (kind, value) {
        (_, Value::Null) => "none".to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(members)) if members.is_empty() => "none".to_owned(),
        (_, Value::Object(members)) if members.is_empty() => "none".to_owned(),
        (Kind::Matches, Value::Array(members)) => pairs(members, "query", '=').unwrap_or_else(|| value.to_string()),
        (Kind::Sorts, Value::Array(members)) => pairs(members, "order", ':').unwrap_or_else(|| value.to_string()),
        (_, Value::Array(members)) => {
            let plain = |member: &Value| member.as_str().filter(|text| !text.contains([',', '['])).map(str::to_owned);
            let texts: Option<Vec<String>> = members.iter().map(plain).collect();
            texts.map_or_else(|| value.to_string(), |texts| texts.join(","))
        }
        (Kind::Headers, Value::Object(headers)) => {
            let pair = |(name, value): (&String, &Value)| format!("{name}:{}", value.as_str().unwrap_or_default());
            headers.iter().map(pair).collect::<Vec<_>>().join(";")
        }
        (_, other) => other.to_string(),
    }
}

/// Key, value and origin, one option a line.
pub(crate) fn as_table(rows: &[Row]) -> String {
    let cells: Vec<[String; 3]> = rows
        .iter()
        .map(|row| {
            let key = if row.spec.in_file { row.spec.key.to_owned() } else { row.spec.main_variable() };
            let value = if row.is_set() { row.text() } else { "-".to_owned() };
            [key, value, row.origin.to_string()]
        })
        .collect();
    let width = |place: usize, least: usize| {
        cells
            .iter()
            .map(|cells| cells[place].chars().count())
            .filter(|width| *width <= 60)
            .max()
            .unwrap_or(0)
            .max(least)
    };
    let (first, second) = (width(0, 3), width(1, 5));
    let mut out = format!("{:first$}  {:second$}  FROM\n", "KEY", "VALUE");
    for [key, value, origin] in &cells {
        let _infallible = writeln!(out, "{key:first$}  {value:second$}  {origin}");
    }
    out
}

/// An object with one member per option.
pub(crate) fn as_json(rows: &[Row]) -> Value {
    let member = |row: &Row| {
        let mut member = json!({
            "value": row.value, "from": row.origin.to_string(), "variable": row.spec.main_variable()
        });
        if row.hidden {
            member["hidden"] = true.into();
        }
        (row.spec.key.to_owned(), member)
    };
    Value::Object(rows.iter().map(member).collect::<Map<_, _>>())
}

/// A configuration file. What is hidden or has no value is a comment in it.
pub(crate) fn as_yaml(rows: &[Row]) -> String {
    let mut out = String::new();
    for (group, ..) in table::GROUPS {
        let rows = || rows.iter().filter(|row| row.spec.place().0 == *group && row.spec.in_file);
        if rows().next().is_none() {
            continue;
        }
        let indent = if group.is_empty() { "" } else { "  " };
        if !group.is_empty() {
            let _infallible = writeln!(out, "{group}:");
        }
        for row in rows() {
            let is_comment = row.hidden || !row.is_set() && !row.spec.optional;
            let sign = if is_comment { "# " } else { "" };
            // JSON is YAML.
            let value = if row.is_set() { row.value.to_string() } else { "null".to_owned() };
            let _infallible = writeln!(out, "{indent}{sign}{}: {value}  # {}", row.spec.place().1, row.origin);
        }
    }
    out
}

/// Variables, as `docker run --env-file` reads them. What is hidden or has no value is a comment.
pub(crate) fn as_environment(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        let is_comment = row.hidden || !row.is_set() && !row.spec.optional;
        let sign = if is_comment { "# " } else { "" };
        let value = if row.is_set() || row.spec.optional { row.text() } else { String::new() };
        let _infallible = writeln!(out, "{sign}{}={value}", row.spec.main_variable());
    }
    out
}
