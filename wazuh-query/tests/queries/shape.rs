//! Queries in a form that people can read in a snapshot: the same clause on many fields is shown once.

use serde_json::Value;
use wazuh_query::dsl::Query;

/// A query, one clause a line. Fields are counted and told by a checksum over their names; the names themselves are
/// in the snapshots of the catalogue.
pub(crate) fn shape(query: &Query) -> String {
    let json: Value = serde_json::from_str(&query.to_json()).unwrap();
    let mut out = String::new();
    write(&json, 0, &mut out);
    out
}

fn write(query: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let (kind, body) = query.as_object().unwrap().iter().next().unwrap();
    if kind != "bool" {
        out.push_str(&format!("{indent}{query}\n"));
        return;
    }
    out.push_str(&format!("{indent}bool\n"));
    for part in ["filter", "should", "must_not"] {
        let Some(members) = body.get(part).and_then(Value::as_array) else { continue };
        out.push_str(&format!("{indent}  {part}\n"));
        let mut place = 0;
        while place < members.len() {
            let (field, clause) = without_field(&members[place]);
            let mut fields = vec![field];
            while let Some(next) = members.get(place + fields.len()) {
                let (field, other) = without_field(next);
                if other != clause || field.is_none() || fields[0].is_none() {
                    break;
                }
                fields.push(field);
            }
            place += fields.len();
            match fields.into_iter().collect::<Option<Vec<String>>>() {
                Some(fields) => out.push_str(&format!("{indent}    {} {clause}\n", named(&fields))),
                None => write(&clause, depth + 2, out),
            }
        }
    }
    if body.get("should").is_some() {
        assert_eq!(body.get("minimum_should_match"), Some(&Value::from(1)));
    }
}

/// The one field of a leaf and the leaf without it; a query that is no leaf of one field stays as it is. A `bool` of
/// several clauses on one field counts as a leaf.
fn without_field(query: &Value) -> (Option<String>, Value) {
    let (kind, body) = query.as_object().unwrap().iter().next().unwrap();
    if matches!(kind.as_str(), "match_none" | "match_all") {
        return (None, query.clone());
    }
    if kind == "nested" {
        let (field, clause) = without_field(&body["query"]);
        return (field.map(|field| format!("nested {field}")), clause);
    }
    if kind == "exists" {
        let field = body["field"].as_str().unwrap().to_owned();
        return (Some(field), serde_json::json!({"exists": "<field>"}));
    }
    if kind == "bool" {
        let is_only = body.as_object().unwrap().len() == 1;
        let members = body.get("filter").and_then(Value::as_array).filter(|_| is_only);
        let leaves: Option<Vec<(String, Value)>> = members.and_then(|members| {
            members
                .iter()
                .map(|member| match without_field(member) {
                    (Some(field), clause) => Some((field, clause)),
                    _ => None,
                })
                .collect()
        });
        if let Some(leaves) = leaves
            && leaves.iter().all(|(field, _)| *field == leaves[0].0)
        {
            let clauses: Vec<Value> = leaves.iter().map(|(_, clause)| clause.clone()).collect();
            return (Some(leaves[0].0.clone()), serde_json::json!({"all of": clauses}));
        }
        return (None, query.clone());
    }
    let (field, clause) = body.as_object().unwrap().iter().next().unwrap();
    let mut out = serde_json::Map::new();
    out.insert(kind.clone(), clause.clone());
    (Some(field.clone()), Value::Object(out))
}

fn named(fields: &[String]) -> String {
    // FNV-1a: only to show in a snapshot that a name changed.
    let digest = fields
        .join("\n")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    match fields {
        [one] => format!("[{one}]"),
        [one, other] => format!("[{one}, {other}]"),
        [first, .., last] => format!("[{first} … {last}: {} fields, {:08x}]", fields.len(), digest >> 32),
        [] => "[]".to_owned(),
    }
}
