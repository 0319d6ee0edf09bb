//! JSON Schemas (draft 2020-12): of the file, and of the environment as OpenCTI's catalogue wants it.

use serde_json::{Map, Value, json};
use stix_model::Timestamp;

use super::kind::Kind;
use super::node::Node;
use super::option::Spec;
use super::{show, table};

/// The schema of the configuration file. What it accepts, the program accepts; the program also takes other spellings.
pub(crate) fn of_file() -> Value {
    let mut properties = Map::new();
    for (group, about, specs) in table::GROUPS {
        let members: Map<String, Value> = specs.iter().filter(|spec| spec.in_file).flat_map(members).collect();
        if group.is_empty() {
            properties.extend(members);
        } else if !members.is_empty() {
            let mut object = json!({"description": about.trim(), "type": ["object", "null"], "properties": members});
            if !table::OPEN_GROUPS.contains(group) {
                object["additionalProperties"] = false.into();
            }
            properties.insert((*group).to_owned(), object);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of opencti-wazuh-connector",
        "description": "Values that the file does not have come from the environment, else they have their defaults.",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The members of a group for an option: all its keys, and for secrets those that name a file.
fn members(spec: &Spec) -> Vec<(String, Value)> {
    let mut schema = of_value(spec);
    schema
        .insert("description".to_owned(), format!("{} Variable: {}.", spec.description(), spec.main_variable()).into());
    if let Some(default) = default(spec) {
        schema.insert("default".to_owned(), default);
    }
    if spec.secret {
        schema.insert("writeOnly".to_owned(), true.into());
    }
    let (_, name) = spec.place();
    let mut members = vec![(name.to_owned(), Value::Object(schema.clone()))];
    for other in spec.keys {
        let mut other_schema = schema.clone();
        other_schema.insert("description".to_owned(), format!("Another name of `{name}`.").into());
        members.push(((*other).to_owned(), Value::Object(other_schema)));
    }
    if spec.secret {
        let description = format!("Path of a file that holds `{name}`.");
        members.push((format!("{name}_file"), json!({"type": "string", "description": description})));
    }
    members
}

/// The default in canonical form.
pub(super) fn default(spec: &Spec) -> Option<Value> {
    if spec.default.is_empty() {
        return Some(spec.kind.empty()).filter(|empty| !empty.is_null());
    }
    spec.kind.read(&Node::text_of(spec.default), Timestamp::UNIX_EPOCH).ok()
}

fn of_value(spec: &Spec) -> Map<String, Value> {
    let names = if matches!(spec.kind, Kind::Markings) { Kind::Tlp.names() } else { spec.kind.names() };
    let comma_list = |names: &[&str]| {
        let names = names.iter().map(|name| name.replace('+', r"\+")).collect::<Vec<_>>().join("|");
        format!("^({names})( *, *({names}))*$")
    };
    let any_of = |alternatives: Value| json!({"anyOf": alternatives});
    let schema = match spec.kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer(least, i64::MAX) => json!({"type": "integer", "minimum": least}),
        Kind::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Number(least, most) => json!({"type": "number", "minimum": least, "maximum": most}),
        Kind::Choice(_) | Kind::Tlp => json!({"enum": names}),
        Kind::Set(_) | Kind::Scope => any_of(json!([
            {"type": "array", "items": {"enum": names}, "uniqueItems": true},
            {"const": "all"},
            {"type": "string", "pattern": comma_list(&names)},
            {"type": "null"},
        ])),
        Kind::Text | Kind::Path | Kind::Secret | Kind::Pem | Kind::Index | Kind::ProxyUrl | Kind::Severities => {
            json!({"type": "string", "minLength": 1})
        }
        Kind::Name => json!({"type": "string", "minLength": 2}),
        Kind::ConnectorId => json!({"type": "string", "pattern": r"^[^\s_]+$"}),
        Kind::Texts => any_of(json!([
            {"type": "array", "items": {"type": ["string", "integer"]}},
            {"type": "string"},
            {"type": "integer"},
            {"type": "null"},
        ])),
        Kind::Url => json!({"type": "string", "format": "uri", "pattern": "^https?://[^@?#]+$"}),
        Kind::Interval | Kind::Pause => json!({"type": ["string", "integer"], "examples": ["20 seconds", "PT20S"]}),
        Kind::Since => json!({"type": "string", "examples": ["2026-03-14T09:26:53Z", "7 days"]}),
        Kind::Markings => any_of(json!([
            {
                "type": "array",
                "items": {"anyOf": [
                    {"enum": names},
                    {"type": "string", "pattern": "^marking-definition--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                ]},
            },
            {"type": "string", "pattern": comma_list(&names)},
            {"type": "null"},
        ])),
        Kind::Matches => any_of(json!([
            {"type": "array", "items": pair_schema("query", &json!({"type": ["string", "number", "boolean"]}))},
            {"type": "string"},
            {"type": "null"},
        ])),
        Kind::Sorts => any_of(json!([
            {"type": "array", "items": pair_schema("order", &json!({"enum": ["asc", "desc"]}))},
            {"type": "string"},
            {"type": "null"},
        ])),
        Kind::Clauses => any_of(json!([
            {"type": "array", "items": {"type": "object", "minProperties": 1, "maxProperties": 1}},
            {"type": "null"},
        ])),
        Kind::Headers => any_of(json!([
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "string"},
            {"type": "null"},
        ])),
    };
    let Value::Object(mut schema) = schema else { return Map::new() };
    if spec.optional {
        if let Some(kind) = schema.get_mut("type") {
            let mut types = kind.as_array().cloned().unwrap_or_else(|| vec![kind.clone()]);
            types.push("null".into());
            *kind = types.into();
        } else {
            schema = Map::from_iter([("anyOf".to_owned(), json!([schema, {"type": "null"}]))]);
        }
    }
    schema
}

fn pair_schema(name: &str, value: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {"field": {"type": "string", "minLength": 1}, name: value},
        "required": ["field", name],
        "additionalProperties": false,
    })
}

/// The schema of the environment in the form of OpenCTI's catalogue: one flat property per variable.
pub(crate) fn of_environment() -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for spec in table::options().filter(|spec| spec.in_file && spec.key != "connector.id") {
        let variable = spec.main_variable();
        let mut schema = of_variable(spec);
        schema.insert("description".to_owned(), spec.description().into());
        if let Some(default) = default(spec).filter(|default| *default != spec.kind.empty()) {
            let is_text = schema.get("type").is_some_and(|kind| kind == "string");
            let default = if is_text { show::text(spec.kind, &default).into() } else { default };
            schema.insert("default".to_owned(), default);
        }
        if spec.secret {
            schema.insert("format".to_owned(), "password".into());
            schema.insert("writeOnly".to_owned(), true.into());
        }
        if spec.required {
            required.push(variable.clone());
        }
        properties.insert(variable, Value::Object(schema));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://www.filigran.io/connectors/wazuh_config.schema.json",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

fn of_variable(spec: &Spec) -> Map<String, Value> {
    let schema = match spec.kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer(least, i64::MAX) => json!({"type": "integer", "minimum": least}),
        Kind::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Number(least, most) => json!({"type": "number", "minimum": least, "maximum": most}),
        Kind::Choice([one]) => json!({"const": one, "type": "string"}),
        Kind::Choice(_) | Kind::Tlp => json!({"enum": spec.kind.names(), "type": "string"}),
        Kind::Set(_) | Kind::Scope => json!({"type": "array", "items": {"enum": spec.kind.names(), "type": "string"}}),
        Kind::Texts | Kind::Markings => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Url => json!({"type": "string", "format": "uri", "minLength": 1, "maxLength": 2083}),
        // The form of a variable, not that of the file.
        Kind::Matches | Kind::Sorts | Kind::Clauses | Kind::Headers => json!({"type": "string"}),
        _ => json!({"type": "string"}),
    };
    if let Value::Object(schema) = schema { schema } else { Map::new() }
}
