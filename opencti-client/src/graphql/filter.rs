//! Filters. All three members of a group are needed, also when they are empty.

use serde_json::{Value, json};

/// A condition: one of the values.
pub(super) fn filter(key: &str, operator: &str, values: &[String]) -> Value {
    json!({ "key": [key], "values": values, "operator": operator, "mode": "or" })
}

/// All conditions, or one of them.
pub(super) fn group(mode: &str, filters: &[Value]) -> Value {
    json!({ "mode": mode, "filters": filters, "filterGroups": [] })
}
