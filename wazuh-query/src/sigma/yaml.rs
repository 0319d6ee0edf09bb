//! YAML as a tree, within bounds.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Budget, Options};

use super::error::{ErrorKind, SigmaError};
use super::limits;

/// A node of a YAML document. Keys are texts, as they were written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A number in its usual spelling: `0x10` is `16`.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a scalar; nothing for a null, a list or a map.
    pub(super) fn scalar(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a Boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// The documents of a YAML stream, each with the line that it starts on, counted from 1.
///
/// A marker at the start of a line ends a document wherever it stands (YAML 1.2, 9.1.1), so one document that cannot be
/// read does not take the others with it.
pub(super) fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut documents = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let mut place = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            documents.push((first_line, text.get(start..place).unwrap_or_default()));
            // What follows `--- ` on the same line belongs to the document.
            start = place + 3;
            first_line = number + 1;
        }
        place += line.len();
    }
    documents.push((first_line, text.get(start..).unwrap_or_default()));
    let is_content = |line: &str| !matches!(line.trim_start().chars().next(), None | Some('#' | '%'));
    documents.retain(|(_, document)| document.lines().any(is_content));
    documents
}

/// Reads one document.
pub(super) fn read(document: &str) -> Result<Node, SigmaError> {
    if document.len() > limits::DOCUMENT_BYTES {
        return Err(ErrorKind::TooLarge { what: "a rule", limit: limits::DOCUMENT_BYTES, unit: "bytes" }.into());
    }
    // `%YAML` and the like stand before the marker that ends the prologue.
    let text: &str = document.trim_start_matches('\u{feff}');
    let options: Options = serde_saphyr::options! {
        budget: Some(budget()),
        alias_limits: alias_limits(),
        duplicate_keys: DuplicateKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let message = error.without_snippet().to_string();
        SigmaError { line: line.and_then(|line| usize::try_from(line).ok()), kind: ErrorKind::Yaml(message) }
    })
}

fn budget() -> Budget {
    let mut budget = Budget::default();
    budget.max_depth = limits::YAML_DEPTH;
    budget.flow_nesting_limit = limits::YAML_DEPTH;
    budget.max_nodes = limits::YAML_NODES;
    budget.max_events = 3 * limits::YAML_NODES;
    budget.max_anchors = 256;
    budget.max_aliases = 1_024;
    budget.max_recorded_anchor_events = limits::YAML_NODES;
    budget.max_recorded_anchor_bytes = limits::DOCUMENT_BYTES;
    budget.max_total_scalar_bytes = 2 * limits::DOCUMENT_BYTES;
    budget.max_merge_keys = 256;
    budget
}

fn alias_limits() -> AliasLimits {
    let mut limits_of_aliases = AliasLimits::default();
    limits_of_aliases.max_total_replayed_events = limits::YAML_NODES;
    limits_of_aliases.max_replay_stack_depth = 16;
    limits_of_aliases
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a part of a Sigma rule")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = seq.next_element()? {
            members.push(member);
        }
        Ok(Node::List(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let value = map.next_value()?;
            members.push((key, value));
        }
        Ok(Node::Map(members))
    }
}

/// A key of a map: any scalar, as text.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)? {
            Node::Null => Ok(Self("null".to_owned())),
            node => {
                let kind = node.kind();
                let text = node.scalar().ok_or_else(|| D::Error::custom(format!("{kind} cannot be a key")))?;
                Ok(Self(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        let read = |text: &str| read(text).unwrap();
        assert_eq!(read("5"), Node::Number("5".into()));
        assert_eq!(read("0x10"), Node::Number("16".into()));
        assert_eq!(read("18446744073709551615"), Node::Number("18446744073709551615".into()));
        assert_eq!(read("'5'"), Node::Text("5".into()));
        assert_eq!(read("null"), Node::Null);
        assert_eq!(read("''"), Node::Text(String::new()));
        assert_eq!(read(r"'C:\a\*'"), Node::Text(r"C:\a\*".into()));
        assert_eq!(read("4688: x"), Node::Map(vec![("4688".into(), Node::Text("x".into()))]));
        assert_eq!(read("'|all': x"), Node::Map(vec![("|all".into(), Node::Text("x".into()))]));
    }

    #[test]
    fn the_order_of_keys_is_kept_and_none_stands_there_twice() {
        let Node::Map(members) = read("b: 1\na: 2\n").unwrap() else { panic!() };
        assert_eq!(members.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert!(read("a: 1\na: 2\n").is_err());
    }

    #[test]
    fn streams_are_cut_at_markers() {
        let text = "# a comment\n---\na: 1\n---  \nb: |\n  ---\n  x\n...\n--- c\n";
        let documents = documents(text);
        assert_eq!(documents.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 9]);
        assert_eq!(read(documents[1].1).unwrap().get("b"), Some(&Node::Text("---\nx\n".into())));
        assert_eq!(read(documents[2].1).unwrap(), Node::Text("c".into()));
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..9 {
            let members = vec![format!("*a{}", level - 1); 9].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{members}]\n"));
        }
        for text in [bomb, "[".repeat(10_000), "a: ".repeat(10_000), "x".repeat(limits::DOCUMENT_BYTES + 1)] {
            assert!(read(&text).is_err());
        }
    }
}
