//! A JSON document as an index sees it: paths to values, lists flattened.

use serde_json::Value;

/// A document, addressed by field names.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    root: &'a Value,
}

impl<'a> Document<'a> {
    /// The document itself, or the `_source` of a hit.
    pub fn new(document: &'a Value) -> Self {
        Self { root: document.get("_source").unwrap_or(document) }
    }

    /// Calls `visit` with every value of a field, lists flattened. A key with dots means the same as nested objects.
    pub fn each(&self, field: &str, visit: &mut impl FnMut(&'a Value)) {
        walk(self.root, field, visit);
    }
}

fn walk<'a>(value: &'a Value, rest: &str, visit: &mut impl FnMut(&'a Value)) {
    match value {
        Value::Array(members) => members.iter().for_each(|member| walk(member, rest, visit)),
        _ if rest.is_empty() => {
            if !matches!(value, Value::Null | Value::Object(_)) {
                visit(value);
            }
        }
        Value::Object(members) => {
            let mut end = 0;
            // `a.b.c` may be written as `a` → `b.c`, `a.b` → `c`, and so on.
            loop {
                end = match rest.get(end..).and_then(|tail| tail.find('.')) {
                    Some(dot) => end + dot,
                    None => rest.len(),
                };
                let (key, after) = rest.split_at(end);
                if let Some(value) = members.get(key) {
                    walk(value, after.strip_prefix('.').unwrap_or(after), visit);
                }
                if after.is_empty() {
                    return;
                }
                end += 1;
            }
        }
        _ => {}
    }
}
