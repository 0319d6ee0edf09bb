//! A configuration file as a tree that knows its lines and how its values were written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A value of a file, of a variable, or of a variable that holds a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The line in the file, from 1; 0 where there is none.
    pub(super) line: u64,
    pub(super) tree: Tree,
}

/// What a value is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    /// The text as it was written: `007` and `1.10` stay what they are. `value` is what YAML or JSON takes it for.
    Scalar {
        text: String,
        value: Value,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The text of a variable.
    pub(super) fn text_of(text: &str) -> Self {
        Self { line: 0, tree: Tree::Scalar { text: text.to_owned(), value: Value::from(text) } }
    }

    /// Reads a file. YAML holds JSON.
    ///
    /// Fails with the line and what is wrong there, but never with the text of the file, which may hold secrets.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! {
            with_snippet: false,
            budget: serde_saphyr::budget! { max_depth: 64 },
        };
        let read: Spanned<Written> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| error.without_snippet().to_string())?;
        Ok(located(read, text))
    }

    /// The JSON text of a variable.
    pub(super) fn from_json(value: Value) -> Self {
        let tree = match value {
            Value::Null => Tree::Null,
            Value::Array(members) => Tree::List(members.into_iter().map(Self::from_json).collect()),
            Value::Object(members) => {
                Tree::Map(members.into_iter().map(|(key, value)| (key, Self::from_json(value))).collect())
            }
            Value::String(text) => Tree::Scalar { value: Value::from(text.as_str()), text },
            other => Tree::Scalar { text: other.to_string(), value: other },
        };
        Self { line: 0, tree }
    }

    /// A member of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.members().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The members of a map; nothing else has any.
    pub(super) fn members(&self) -> impl Iterator<Item = &(String, Self)> {
        let members: &[_] = if let Tree::Map(members) = &self.tree { members } else { &[] };
        members.iter()
    }

    /// The text of a scalar.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Tree::Scalar { text, .. } = &self.tree { Some(text) } else { None }
    }

    /// A text of white space only.
    pub(super) fn is_empty_text(&self) -> bool {
        self.as_text().is_some_and(|text| text.trim().is_empty())
    }

    /// The value with the types that YAML or JSON gave it.
    pub(super) fn to_json(&self) -> Value {
        self.json(&|_, value| value.clone())
    }

    /// The value with all scalars as the texts that were written.
    pub(super) fn to_texts(&self) -> Value {
        self.json(&|text, _| Value::from(text))
    }

    fn json(&self, scalar: &impl Fn(&str, &Value) -> Value) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Scalar { text, value } => scalar(text, value),
            Tree::List(members) => members.iter().map(|member| member.json(scalar)).collect(),
            Tree::Map(members) => members.iter().map(|(key, member)| (key.clone(), member.json(scalar))).collect(),
        }
    }
}

/// The text that stands at a place of the file; `None` where the place is not known or holds something else.
fn written<'t>(value: &Value, node: &Spanned<Written>, text: &'t str) -> Option<&'t str> {
    if value.is_string() {
        return None;
    }
    let span = node.defined.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let slice = text.get(start..start.checked_add(length)?)?.trim();
    (!slice.is_empty() && !slice.starts_with(['!', '&', '*', '"', '\'']) && !slice.contains(char::is_whitespace))
        .then_some(slice)
}

fn located(node: Spanned<Written>, text: &str) -> Node {
    let line = node.referenced.line();
    let tree = match &node.value {
        Written::Null => Tree::Null,
        Written::Scalar(value) => {
            let shown = match value {
                Value::String(text) => text.clone(),
                other => written(other, &node, text).map_or_else(|| other.to_string(), str::to_owned),
            };
            Tree::Scalar { text: shown, value: value.clone() }
        }
        Written::List(_) | Written::Map(_) => match node.value {
            Written::List(members) => Tree::List(members.into_iter().map(|member| located(member, text)).collect()),
            Written::Map(members) => {
                Tree::Map(members.into_iter().map(|(key, member)| (key, located(member, text))).collect())
            }
            Written::Null | Written::Scalar(_) => Tree::Null,
        },
    };
    Node { line, tree }
}

/// What the reader hands over.
enum Written {
    Null,
    Scalar(Value),
    List(Vec<Spanned<Written>>),
    Map(Vec<(String, Spanned<Written>)>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Written;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Written, E> {
                Ok(Written::Null)
            }

            fn visit_none<E>(self) -> Result<Written, E> {
                Ok(Written::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Written, E> {
                Ok(Written::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Written, E> {
                Ok(Written::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Written, E> {
                Ok(Written::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Written, E> {
                Ok(Written::Scalar(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Written, E> {
                Ok(Written::Scalar(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Written, A::Error> {
                let mut list = Vec::new();
                while let Some(member) = members.next_element()? {
                    list.push(member);
                }
                Ok(Written::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Written, A::Error> {
                let mut map = Vec::new();
                while let Some(member) = members.next_entry()? {
                    map.push(member);
                }
                Ok(Written::Map(map))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_lines_and_their_spelling() {
        let node =
            Node::read("a: 1\ngroup:\n  list:\n    - 007\n    - 1.10\n  # a comment\n  flag: yes\n  none:\n").unwrap();
        let group = node.get("group").unwrap();
        let texts: Vec<_> = match &group.get("list").unwrap().tree {
            Tree::List(members) => members.iter().map(|member| (member.line, member.as_text().unwrap())).collect(),
            other => panic!("{other:?}"),
        };
        assert_eq!(texts, [(4, "007"), (5, "1.10")]);
        let flag = group.get("flag").unwrap();
        assert_eq!((flag.line, flag.as_text()), (7, Some("yes")));
        assert_eq!(group.get("none").unwrap().tree, Tree::Null);
        assert_eq!(node.get("a").unwrap().to_json(), Value::from(1));
        assert_eq!(node.get("b"), None);
    }

    #[test]
    fn json_is_yaml() {
        let node = Node::read(r#"{"search": {"lookup_agent_ip": true, "list": ["5710", 5711]}}"#).unwrap();
        let search = node.get("search").unwrap();
        assert_eq!(search.get("list").unwrap().to_texts(), serde_json::json!(["5710", "5711"]));
        assert_eq!(search.get("lookup_agent_ip").unwrap().as_text(), Some("true"));
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for text in ["a: [geheim", "a: geheim\na: geheim\n", "token: \"geheim\n", "{token: geheim, x"] {
            let error = Node::read(text).unwrap_err();
            assert!(!error.contains("geheim"), "{error}");
            assert!(error.contains("line"), "{error}");
        }
        assert!(Node::read(&"[".repeat(10_000)).is_err());
    }
}
