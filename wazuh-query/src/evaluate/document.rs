//! A JSON document as an index sees it: paths to values, lists flattened.

use serde_json::Value;

/// A document, addressed by field names.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    root: &'a Value,
    /// What stands before every name that is asked for: the list that this document is a member of.
    prefix: &'a str,
}

impl<'a> Document<'a> {
    /// The document itself, or the `_source` of a hit.
    pub fn new(document: &'a Value) -> Self {
        Self { root: document.get("_source").unwrap_or(document), prefix: "" }
    }

    /// Calls `visit` with every value of a field, lists flattened. A key with dots means the same as nested objects.
    pub fn each(&self, field: &str, visit: &mut impl FnMut(&'a Value)) {
        let name = field.strip_prefix(self.prefix).unwrap_or(field);
        walk(self.root, name.strip_prefix('.').unwrap_or(name), false, visit);
    }

    /// Calls `visit` with every member of a list of objects, as a document.
    pub(super) fn each_member(&self, list: &str, visit: &mut impl FnMut(Self)) {
        walk(self.root, list, true, &mut |member| visit(Self { root: member, prefix: "" }));
    }

    /// The same document, asked for by the names of the document that it is a part of.
    pub(super) fn at(self, list: &'a str) -> Self {
        Self { prefix: list, ..self }
    }
}

/// Calls `visit` with the values at a path: the plain ones, or the objects.
fn walk<'a>(value: &'a Value, rest: &str, objects: bool, visit: &mut impl FnMut(&'a Value)) {
    match value {
        Value::Array(members) => members.iter().for_each(|member| walk(member, rest, objects, visit)),
        _ if rest.is_empty() && !value.is_null() && value.is_object() == objects => {
            visit(value);
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
                    walk(value, after.strip_prefix('.').unwrap_or(after), objects, visit);
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
