//! Filters, as far as the documents of this crate use them. An unknown key is an error, as in the platform.

use serde_json::Value;

use super::state::Stored;

/// Whether an object passes a filter group.
pub(super) fn passes(group: &Value, stored: &Stored) -> Result<bool, String> {
    if group.is_null() {
        return Ok(true);
    }
    let all = match group["mode"].as_str() {
        Some("and") => true,
        Some("or") => false,
        other => return Err(format!("the mode of the filter group is {other:?}")),
    };
    let mut results = Vec::new();
    for filter in group["filters"].as_array().into_iter().flatten() {
        results.push(condition(filter, stored)?);
    }
    for inner in group["filterGroups"].as_array().into_iter().flatten() {
        results.push(passes(inner, stored)?);
    }
    Ok(results.is_empty() || if all { results.iter().all(|pass| *pass) } else { results.iter().any(|pass| *pass) })
}

fn condition(filter: &Value, stored: &Stored) -> Result<bool, String> {
    let texts = |name: &str| -> Vec<String> {
        let list = filter[name].as_array().into_iter().flatten();
        list.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let operator = filter["operator"].as_str().unwrap_or("eq");
    let every = filter["mode"].as_str() == Some("and");
    let mut found = Vec::new();
    for key in texts("key") {
        found.extend(values(&key, stored)?);
    }
    // The platform's index folds case.
    let found: Vec<String> = found.iter().map(|value| value.to_lowercase()).collect();
    let wanted = texts("values");
    let meets = |wanted: &String| {
        let wanted = wanted.to_lowercase();
        let test = |value: &String| match operator {
            "eq" => *value == wanted,
            "contains" => value.contains(&wanted),
            "starts_with" => value.starts_with(&wanted),
            "gt" => *value > wanted,
            _ => false,
        };
        found.iter().any(test)
    };
    match operator {
        "eq" | "contains" | "starts_with" | "gt" => {}
        other => return Err(format!("the stand-in does not know the operator {other}")),
    }
    if wanted.is_empty() {
        return Ok(false);
    }
    Ok(if every { wanted.iter().all(meets) } else { wanted.iter().any(meets) })
}

/// What an object holds under a key.
fn values(key: &str, stored: &Stored) -> Result<Vec<String>, String> {
    let one = |name: &str| stored.stix[name].as_str().map(str::to_owned).into_iter().collect::<Vec<_>>();
    Ok(match key {
        "ids" => {
            let mut ids = vec![stored.internal_id.clone(), stored.standard_id.clone()];
            let further = stored.get("stix_ids").and_then(Value::as_array).into_iter().flatten();
            ids.extend(further.filter_map(|id| id.as_str().map(str::to_owned)));
            ids
        }
        "value" | "name" | "pattern" | "pattern_type" | "path" | "command_line" | "account_login" | "user_id" => {
            one(key)
        }
        "attribute_key" => one("key"),
        "entity_type" => vec![stored.entity_type.clone()],
        "created_at" | "updated_at" => vec![stored.time(if key == "updated_at" { "modified" } else { "created" })],
        _ => match key.strip_prefix("hashes.") {
            Some(
                algorithm @ ("MD5" | "SHA-1" | "SHA-256" | "SHA-512" | "SHA3-256" | "SHA3-512" | "SSDEEP" | "TLSH"),
            ) => stored.stix["hashes"][algorithm].as_str().map(str::to_owned).into_iter().collect(),
            _ => return Err(format!("incorrect filter keys not existing in any schema definition: {key}")),
        },
    })
}
