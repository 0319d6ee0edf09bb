//! A JSON document that survives the manager's JSON decoder.
//!
//! The decoder keeps what is written as text, turns large numbers into `3000000000.000000`, drops all but the first
//! of two keys that differ in case only, takes at most 256 leaves, and the datagram that carries the document may not
//! be longer than 65,535 bytes. So every scalar is written as text, lists hold texts only, and what does not fit is
//! left out from the end, which is where the least important fields stand.

use std::collections::HashSet;

use serde_json::Value;

/// How much the manager takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document. The manager cuts a datagram at 65,535 bytes, and the alert that it makes holds the
    /// document twice; alerts above 65,536 bytes never reach integrations.
    pub bytes: usize,
    /// Bytes of one text. The index does not take texts above 32,766 bytes.
    pub value_bytes: usize,
    /// Bytes of a text that stands in the description of rules: descriptions end at 1,024 bytes, and one that would be
    /// longer shows the names of its fields in place of their values.
    pub title_bytes: usize,
    /// Leaves of the document; `analysisd.decoder_order_size` of the manager.
    pub leaves: usize,
    /// Entries of one list.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 20 * 1024, value_bytes: 8 * 1024, title_bytes: 450, leaves: 200, entries: 50 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaf {
    Text(String),
    Title(String),
    List(Vec<String>),
}

/// The fields of an event, the most important first.
///
/// ```
/// use alert_enricher::event::{Document, Limits};
///
/// let mut document = Document::new("opencti");
/// document.text("event_type", "indicator_pattern_match").text("indicator.name", "198.51.100.7");
/// document.list("indicator.labels", ["botnet", "tor"]);
/// let rendered = document.render(&Limits::default());
/// assert_eq!(
///     rendered.json,
///     r#"{"integration":"opencti","opencti":{"event_type":"indicator_pattern_match","indicator":{"name":"198.51.100.7","labels":["botnet","tor"]}}}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    integration: String,
    fields: Vec<(String, Leaf)>,
    /// Paths in lower case: the decoder loses keys that differ in case only.
    known: HashSet<String>,
}

/// A document as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// JSON in one line, beginning with a brace and a quote, as the decoder wants it.
    pub json: String,
    /// Fields that were left out, and texts and lists that were cut.
    pub cut: usize,
}

/// What follows a text that was cut.
const MARK: &str = "… [cut]";

impl Document {
    /// A document with this name in its `integration` field; the fields stand in an object of the same name.
    pub fn new(integration: impl Into<String>) -> Self {
        Self { integration: integration.into(), fields: Vec::new(), known: HashSet::new() }
    }

    /// Adds a text at a path below the integration's object, components joined with dots. Empty texts and paths that
    /// are already taken are passed over.
    pub fn text(&mut self, path: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() && self.is_free(path) {
            self.push(path, Leaf::Text(value));
        }
        self
    }

    /// Adds a text that descriptions of rules repeat, and that is kept short for them.
    pub fn title(&mut self, path: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() && self.is_free(path) {
            self.push(path, Leaf::Title(value));
        }
        self
    }

    /// Like [`Document::text`], if there is a value.
    pub fn optional(&mut self, path: &str, value: Option<impl ToString>) -> &mut Self {
        if let Some(value) = value {
            self.text(path, value.to_string());
        }
        self
    }

    /// Adds a list of texts. Empty lists are passed over.
    pub fn list<T: Into<String>>(&mut self, path: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        let values: Vec<String> = values.into_iter().map(Into::into).filter(|value| !value.is_empty()).collect();
        if !values.is_empty() && self.is_free(path) {
            self.push(path, Leaf::List(values));
        }
        self
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn push(&mut self, path: &str, leaf: Leaf) {
        let folded = path.to_ascii_lowercase();
        for (place, _) in folded.match_indices('.') {
            self.known.insert(format!("{}.", folded.get(..place).unwrap_or_default()));
        }
        self.known.insert(folded);
        self.fields.push((path.to_owned(), leaf));
    }

    /// A path is taken by itself, by what lies below it, and by a value above it.
    fn is_free(&self, path: &str) -> bool {
        let folded = path.to_ascii_lowercase();
        let above = folded.match_indices('.').any(|(place, _)| self.known.contains(&folded[..place]));
        let malformed = path.split('.').any(str::is_empty);
        !malformed && !above && !self.known.contains(&folded) && !self.known.contains(&format!("{folded}."))
    }

    /// Writes the document within the limits.
    ///
    /// Long texts and lists are cut first. If the document is still too long, fields are left out from the end, and
    /// `cut` beside the fields says how many were cut or left out.
    pub fn render(&self, limits: &Limits) -> Rendered {
        let mut cut = 0;
        let mut fields: Vec<(&str, Value)> = Vec::with_capacity(self.fields.len());
        for (path, leaf) in &self.fields {
            let value = match leaf {
                Leaf::Text(text) => Value::String(shorten(text, limits.value_bytes, &mut cut)),
                Leaf::Title(text) => Value::String(shorten(text, limits.title_bytes.min(limits.value_bytes), &mut cut)),
                Leaf::List(values) => {
                    cut += usize::from(values.len() > limits.entries);
                    let shown = values.iter().take(limits.entries);
                    shown.map(|text| Value::String(shorten(text, limits.value_bytes, &mut cut))).collect()
                }
            };
            fields.push((path, value));
        }
        // `integration` and the mark are leaves, too.
        let room = limits.leaves.saturating_sub(2);
        cut += fields.len().saturating_sub(room);
        fields.truncate(room);
        loop {
            let json = self.json(&fields, cut);
            let Some(excess) = json.len().checked_sub(limits.bytes).filter(|excess| *excess > 0) else {
                return Rendered { json, cut };
            };
            // The mark may come in addition, so one more round may be needed.
            let mut gone = 0;
            while gone < excess {
                let Some((path, value)) = fields.pop() else { return Rendered { json: self.json(&[], cut), cut } };
                gone += written(path, &value);
                cut += 1;
            }
        }
    }

    fn json(&self, fields: &[(&str, Value)], cut: usize) -> String {
        let mut tree = Tree::default();
        for (path, value) in fields {
            tree.insert(path, value);
        }
        let cut = Value::String(cut.to_string());
        if cut != "0" {
            tree.insert("cut", &cut);
        }
        // The integration comes first: the decoder's first leaves are the ones that rules need.
        let name = Value::String(self.integration.clone());
        let mut json = format!("{{\"integration\":{name},{name}:");
        tree.write(&mut json);
        json.push('}');
        json
    }
}

/// Fields in the order of their importance, which a map of `serde_json` would lose.
#[derive(Debug, Default)]
struct Tree<'a> {
    fields: Vec<(&'a str, Node<'a>)>,
}

#[derive(Debug)]
enum Node<'a> {
    Value(&'a Value),
    Tree(Tree<'a>),
}

impl<'a> Tree<'a> {
    fn insert(&mut self, path: &'a str, value: &'a Value) {
        let Some((first, rest)) = path.split_once('.') else {
            self.fields.push((path, Node::Value(value)));
            return;
        };
        // Names that differ in case only stand for one object.
        let place = self.fields.iter().position(|(name, _)| name.eq_ignore_ascii_case(first)).unwrap_or_else(|| {
            self.fields.push((first, Node::Tree(Tree::default())));
            self.fields.len() - 1
        });
        if let Node::Tree(below) = &mut self.fields[place].1 {
            below.insert(rest, value);
        }
    }

    fn write(&self, json: &mut String) {
        json.push('{');
        for (place, (name, node)) in self.fields.iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            json.push_str(&Value::from(*name).to_string());
            json.push(':');
            match node {
                Node::Value(value) => json.push_str(&value.to_string()),
                Node::Tree(below) => below.write(json),
            }
        }
        json.push('}');
    }
}

/// At least the bytes that leaving a field out frees: its last name, its value, quotes and separators may be shared.
fn written(path: &str, value: &Value) -> usize {
    let name = path.rsplit('.').next().unwrap_or(path);
    // A list or text takes at least its own length, so this never says too much.
    let content = match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(|value| value.as_str().map_or(0, str::len) + 3).sum::<usize>() + 1,
        _ => 0,
    };
    name.len() + 3 + content
}

/// The text without what the manager's string functions trip over, cut at a character's end.
fn shorten(text: &str, limit: usize, cut: &mut usize) -> String {
    // A NUL ends the event, however it is written.
    let text = text.replace('\0', "\u{fffd}");
    if text.len() <= limit {
        return text;
    }
    *cut += 1;
    let mut end = limit.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_that_differ_in_case_or_lie_in_values_are_passed_over() {
        let mut document = Document::new("opencti");
        document.text("a.name", "1").text("A.Name", "2").text("a", "3").text("a.name.x", "4").text("b", "");
        document.text("..", "5").text("c", "6").list("c.d", ["7"]);
        assert_eq!(
            document.render(&Limits::default()).json,
            r#"{"integration":"opencti","opencti":{"a":{"name":"1"},"c":"6"}}"#
        );
    }

    #[test]
    fn the_least_important_goes_first_and_the_cut_is_marked() {
        let mut document = Document::new("opencti");
        document.text("event_type", "x").text("long", "ä".repeat(500)).text("last", "z".repeat(300));
        let limits = Limits { bytes: 300, value_bytes: 200, ..Limits::default() };
        let rendered = document.render(&limits);
        let json: Value = serde_json::from_str(&rendered.json).unwrap();
        assert_eq!(json["opencti"]["event_type"], "x");
        assert!(json["opencti"]["long"].as_str().unwrap().ends_with(MARK));
        assert_eq!((json["opencti"]["last"].as_str(), json["opencti"]["cut"].as_str()), (None, Some("3")));
        assert!(rendered.json.len() <= 300);
    }

    #[test]
    fn a_nul_does_not_end_the_event() {
        let mut document = Document::new("opencti");
        document.text("a", "x\0y");
        assert!(!document.render(&Limits::default()).json.contains("\\u0000"));
    }

    fn leaves(value: &Value) -> usize {
        match value {
            Value::Object(object) => object.values().map(leaves).sum(),
            _ => 1,
        }
    }

    proptest! {
        #[test]
        fn whatever_goes_in_the_limits_hold(
            fields in prop::collection::vec(("[a-cA-Cä]{1,2}(\\.[a-c]{1,2}){0,3}", ".{0,300}"), 0..60),
            bytes in 64_usize..4_000,
            value_bytes in 16_usize..400,
            leaves_limit in 2_usize..40,
        ) {
            let mut document = Document::new("opencti");
            for (path, value) in fields {
                document.text(&path, value);
            }
            let limits = Limits { bytes, value_bytes, title_bytes: 100, leaves: leaves_limit, entries: 5 };
            let rendered = document.render(&limits);
            prop_assert!(rendered.json.len() <= bytes);
            let start = rendered.json.get(..2);
            prop_assert_eq!(start, Some("{\""));
            let json: Value = serde_json::from_str(&rendered.json).unwrap();
            prop_assert!(leaves(&json) <= leaves_limit);
            prop_assert_eq!(json["opencti"].get("cut").is_some(), rendered.cut > 0);
        }
    }
}
