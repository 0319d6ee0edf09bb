//! Which texts of a JSON document are of interest, and where they stand.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Where a text stands. Paths are sorted by the names of members, and by the places of list items.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path<'a>(Vec<Step<'a>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Item(usize),
    Member(Cow<'a, str>),
}

/// The names of members with dots between them.
impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for step in &self.0 {
            if let Step::Member(name) = step {
                let dot = if is_first { "" } else { "." };
                write!(formatter, "{dot}{name}")?;
                is_first = false;
            }
        }
        Ok(())
    }
}

/// The texts of a document for which `wanted` holds, sorted by their paths; `None` if the document is not JSON. Texts are
/// looked at as they come, and only those that are wanted are kept.
pub(crate) fn texts(document: &str, wanted: impl FnMut(&str) -> bool) -> Option<Vec<(Path<'_>, Cow<'_, str>)>> {
    let mut search = Search { wanted, path: Path::default(), found: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_str(document);
    At(&mut search).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    let mut found = search.found;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Some(found)
}

struct Search<'a, W> {
    wanted: W,
    /// Where the reader is.
    path: Path<'a>,
    found: Vec<(Path<'a>, Cow<'a, str>)>,
}

/// A value at the path of the search.
struct At<'s, 'a, W>(&'s mut Search<'a, W>);

impl<'a, W: FnMut(&str) -> bool> DeserializeSeed<'a> for At<'_, 'a, W> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, W: FnMut(&str) -> bool> Visitor<'a> for At<'_, 'a, W> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            self.0.path.0.push(Step::Member(name));
            map.next_value_seed(At(self.0))?;
            self.0.path.0.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        for place in 0.. {
            self.0.path.0.push(Step::Item(place));
            let item = list.next_element_seed(At(self.0))?;
            self.0.path.0.pop();
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        if (self.0.wanted)(text) {
            self.0.found.push((self.0.path.clone(), Cow::Borrowed(text)));
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if (self.0.wanted)(text) {
            self.0.found.push((self.0.path.clone(), Cow::Owned(text.to_owned())));
        }
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Cow<'a, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_by_their_paths() {
        let document = r#"{"b":"1","a":[{"y":"2","x":"3"},{"x":"4"},5,null],"a.b":{"c\n":"6"},"d":"no"}"#;
        let found = texts(document, |text| text != "no").unwrap();
        let found: Vec<String> = found.iter().map(|(path, text)| format!("{path}={text}")).collect();
        assert_eq!(found, ["a.x=3", "a.y=2", "a.x=4", "a.b.c\n=6", "b=1"]);
        for broken in ["", "{", "{\"a\":}", "[1", "{} {}"] {
            assert_eq!(texts(broken, |_| true), None, "{broken}");
        }
    }
}
