//! Lists in settings: matches, sort keys, rules, clauses.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dsl::{Order, Sort};

/// A field and the value that it must, or must not, have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The field.
    pub field: String,
    /// The value.
    pub query: String,
}

/// Why a list cannot be used: the part that is wrong, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{part}`: {expected}")]
pub struct ListError {
    part: String,
    expected: String,
}

impl ListError {
    fn new(part: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { part: part.into(), expected: expected.into() }
    }
}

/// Reads a match list: a JSON list of `{"field", "query"}`, or `field=value,field:value`. Empty text is an empty list.
///
/// The first `=` or `:` ends the field's name. A value with a comma needs the JSON form.
pub fn parse_matches(text: &str) -> Result<Vec<Match>, ListError> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|error| {
            ListError::new(text, format!("expected a JSON list of `{{\"field\", \"query\"}}`: {error}"))
        });
    }
    parts(text)
        .map(|part| {
            let expected = || ListError::new(part, "expected `field=value` or `field:value`");
            let (field, query) = part.split_once(['=', ':']).ok_or_else(expected)?;
            let (field, query) = (field.trim(), query.trim());
            if field.is_empty() || query.is_empty() {
                return Err(expected());
            }
            Ok(Match { field: field.to_owned(), query: query.to_owned() })
        })
        .collect()
}

/// Reads a sort list: a JSON list of `{"field", "order"}`, or `field:asc,field:desc`. Empty text is an empty list.
pub fn parse_sort(text: &str) -> Result<Vec<Sort>, ListError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        field: String,
        order: String,
    }
    let text = text.trim();
    let sort = |field: &str, order: &str, part: &str| {
        let order = match order.trim() {
            order if order.eq_ignore_ascii_case("asc") => Order::Asc,
            order if order.eq_ignore_ascii_case("desc") => Order::Desc,
            _ => return Err(ListError::new(part, "the order is `asc` or `desc`")),
        };
        match field.trim() {
            "" => Err(ListError::new(part, "the field is missing")),
            field => Ok(Sort { field: field.to_owned(), order }),
        }
    };
    if text.starts_with('[') {
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| {
            ListError::new(text, format!("expected a JSON list of `{{\"field\", \"order\"}}`: {error}"))
        })?;
        return entries.iter().map(|entry| sort(&entry.field, &entry.order, &entry.field)).collect();
    }
    parts(text)
        .map(|part| {
            let (field, order) =
                part.rsplit_once(':').ok_or_else(|| ListError::new(part, "expected `field:asc` or `field:desc`"))?;
            sort(field, order, part)
        })
        .collect()
}

/// Reads a list of rule identifiers: `5710,5711`, or a JSON list of texts and numbers. They stay texts.
pub fn parse_rules(text: &str) -> Result<BTreeSet<String>, ListError> {
    let text = text.trim();
    if !text.starts_with('[') {
        return Ok(parts(text).map(str::to_owned).collect());
    }
    let rules: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| ListError::new(text, format!("expected a JSON list of rule identifiers: {error}")))?;
    let rule = |value: Value| match value {
        Value::String(rule) if !rule.trim().is_empty() => Ok(rule.trim().to_owned()),
        Value::Number(rule) => Ok(rule.to_string()),
        other => Err(ListError::new(other.to_string(), "expected the identifier of a rule")),
    };
    rules.into_iter().map(rule).collect()
}

/// Reads a filter: a JSON list of clauses of the query language, or a single one. Empty text is an empty list.
pub fn parse_filter(text: &str) -> Result<Vec<Value>, ListError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let read: Value = serde_json::from_str(text)
        .map_err(|error| ListError::new(text, format!("expected a JSON list of OpenSearch clauses: {error}")))?;
    let clauses = match read {
        Value::Array(clauses) => clauses,
        one => vec![one],
    };
    for clause in &clauses {
        if clause.as_object().is_none_or(|members| members.len() != 1) {
            let expected =
                "a clause is an object with one member, such as `{\"range\": {\"rule.level\": {\"gte\": 7}}}`";
            return Err(ListError::new(clause.to_string(), expected));
        }
    }
    Ok(clauses)
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches() {
        let found = |text| {
            let list = parse_matches(text).unwrap();
            list.into_iter().map(|one| format!("{} -> {}", one.field, one.query)).collect::<Vec<_>>()
        };
        assert_eq!(found("a.b=c, d:e,f=x:y=z"), ["a.b -> c", "d -> e", "f -> x:y=z"]);
        assert_eq!(found(r#"[{"field":"a","query":"b,c"}]"#), ["a -> b,c"]);
        assert_eq!(found("  "), [""; 0]);
        assert_eq!(parse_matches("a=b,c").unwrap_err().to_string(), "`c`: expected `field=value` or `field:value`");
        assert!(parse_matches("=b").is_err());
        assert!(parse_matches(r#"[{"field":"a"}]"#).is_err());
        assert!(parse_matches(r#"[{"field":"a","query":"b","x":1}]"#).is_err());
    }

    #[test]
    fn sorts() {
        let found = |text| {
            let list = parse_sort(text).unwrap();
            list.into_iter().map(|one| format!("{} {:?}", one.field, one.order)).collect::<Vec<_>>()
        };
        assert_eq!(found("timestamp:desc, rule.level:ASC"), ["timestamp Desc", "rule.level Asc"]);
        assert_eq!(found(r#"[{"field":"a","order":"asc"}]"#), ["a Asc"]);
        assert_eq!(parse_sort("a:up").unwrap_err().to_string(), "`a:up`: the order is `asc` or `desc`");
        assert!(parse_sort("a").is_err());
        assert!(parse_sort(":asc").is_err());
    }

    #[test]
    fn rules_stay_texts() {
        for text in ["5710", "5710,", r#"["5710"]"#, "[5710]"] {
            assert_eq!(parse_rules(text).unwrap(), BTreeSet::from(["5710".to_owned()]), "{text}");
        }
        assert_eq!(parse_rules("").unwrap(), BTreeSet::new());
        assert!(parse_rules("[null]").is_err());
    }

    #[test]
    fn filters() {
        assert_eq!(parse_filter("").unwrap(), Vec::<Value>::new());
        assert_eq!(parse_filter(r#"{"exists":{"field":"a"}}"#).unwrap().len(), 1);
        assert!(parse_filter(r#"[{"field":"rule.level","gte":7}]"#).is_err());
        assert!(parse_filter("rule.level > 7").is_err());
    }
}
