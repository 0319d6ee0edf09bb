//! How values of the various kinds are read.

use std::collections::BTreeSet;

use serde_json::Value;
use stix_model::{Identifier, Tlp};
use url::Url;

use super::mistakes::suggestion;
use super::node::{Node, Tree};

/// What is wrong with a value; more than one thing in a list.
pub(super) type Problems = Vec<String>;

pub(super) fn problem(text: impl Into<String>) -> Problems {
    vec![text.into()]
}

/// The levels of the Traffic Light Protocol as they are written.
pub(super) const TLP_NAMES: [&str; 6] =
    ["TLP:CLEAR", "TLP:WHITE", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"];

/// `none` and `null`: what switches an option off.
pub(super) fn is_none(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("null")
}

pub(super) fn scalar(node: &Node) -> Result<&str, Problems> {
    node.as_text().ok_or_else(|| {
        problem(match node.tree {
            Tree::List(_) => "expected one value, not a list",
            _ => "expected one value, not keys and values",
        })
    })
}

pub(super) fn boolean(text: &str) -> Result<Value, Problems> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true.into()),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false.into()),
        _ => Err(problem(format!("`{}` is neither true nor false", text.trim()))),
    }
}

/// The name that is meant: case, hyphens and underscores do not matter.
pub(super) fn one_of(text: &str, names: &[&'static str]) -> Result<&'static str, String> {
    let fold = |text: &str| text.trim().replace(['-', '_'], "").to_ascii_lowercase();
    let wanted = fold(text);
    names.iter().copied().find(|name| fold(name) == wanted).ok_or_else(|| {
        let near = suggestion(text, names.iter().copied());
        format!("`{}` is not one of {}{near}", text.trim(), names.join(", "))
    })
}

pub(super) fn set(
    node: &Node,
    names: &[&'static str],
    other_name: impl Fn(&str) -> Option<&'static str>,
) -> Result<Value, Problems> {
    let items = items(node)?;
    if items.iter().any(|item| item.eq_ignore_ascii_case("all")) {
        return Ok(names.to_vec().into());
    }
    let mut found: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for item in &items {
        match other_name(item).map_or_else(|| one_of(item, names), Ok) {
            Ok(name) if !found.contains(&name) => found.push(name),
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(found.into()) } else { Err(problems) }
}

/// The members of a list: one of YAML or JSON, JSON text, or text with commas. Each occurs once.
pub(super) fn items(node: &Node) -> Result<Vec<String>, Problems> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut push = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && seen.insert(text.to_owned()) {
            found.push(text.to_owned());
        }
    };
    match &node.tree {
        Tree::Null => {}
        Tree::Scalar { text, .. } if is_none(text) => {}
        Tree::Scalar { text, .. } if text.trim_start().starts_with('[') => {
            let read: Value = serde_json::from_str(text)
                .map_err(|error| problem(format!("`{}` is no JSON list: {error}", text.trim())))?;
            return items(&Node::from_json(read));
        }
        Tree::Scalar { text, .. } => text.split(',').for_each(push),
        Tree::List(members) => {
            for member in members {
                push(member.as_text().ok_or_else(|| problem("expected a list of texts"))?);
            }
        }
        Tree::Map(_) => return Err(problem("expected a list, not keys and values")),
    }
    Ok(found)
}

/// The text from which a list of pairs is read.
pub(super) fn list_text(node: &Node) -> String {
    match &node.tree {
        Tree::Null => String::new(),
        Tree::Scalar { text, .. } if is_none(text) => String::new(),
        Tree::Scalar { text, .. } => text.clone(),
        Tree::List(_) => node.to_texts().to_string(),
        // One entry without the list around it.
        Tree::Map(_) => Value::from(vec![node.to_texts()]).to_string(),
    }
}

pub(super) fn tlp(text: &str) -> Result<Value, Problems> {
    text.parse::<Tlp>().map(|level| level.to_string().into()).map_err(|_| {
        let near = suggestion(text, TLP_NAMES);
        problem(format!("`{}` is not one of {}{near}", text.trim(), TLP_NAMES.join(", ")))
    })
}

pub(super) fn markings(node: &Node) -> Result<Value, Problems> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for item in items(node)? {
        let marking = match item.parse::<Tlp>() {
            Ok(level) => level.to_string(),
            Err(_) => match item.parse::<Identifier>() {
                Ok(id) if id.object_type() == "marking-definition" => id.to_string(),
                _ => {
                    problems.push(format!(
                        "`{item}` is neither `marking-definition--…` nor one of {}{}",
                        TLP_NAMES.join(", "),
                        suggestion(&item, TLP_NAMES)
                    ));
                    continue;
                }
            },
        };
        if seen.insert(marking.clone()) {
            found.push(marking);
        }
    }
    if problems.is_empty() { Ok(found.into()) } else { Err(problems) }
}

/// A URL with credentials is not repeated.
pub(super) fn base_url(text: &str) -> Result<Value, Problems> {
    let Ok(url) = Url::parse(text) else {
        return Err(problem(if text.contains('@') {
            "is no URL".to_owned()
        } else {
            format!("`{text}` is no URL; it starts with `http://` or `https://`")
        }));
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(problem("the URL must start with `http://` or `https://` and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("the URL must not hold credentials; they have options of their own"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("the URL must have neither a query nor a fragment"));
    }
    Ok(text.into())
}

pub(super) fn proxy_url(text: &str) -> Result<Value, Problems> {
    // `proxy:3128` without a scheme is usual.
    let complete = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&complete) {
        Ok(url) if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(text.into()),
        _ => Err(problem("is no URL of a proxy")),
    }
}

/// The text of a proxy's URL without credentials.
pub(super) fn without_credentials(text: &str) -> String {
    match (text.rsplit_once('@'), text.split_once("://")) {
        (Some((_, host)), Some((scheme, _))) => format!("{scheme}://***@{host}"),
        (Some((_, host)), None) => format!("***@{host}"),
        (None, _) => text.to_owned(),
    }
}

/// Values are not repeated: they are credentials as a rule.
pub(super) fn headers(node: &Node) -> Result<Value, Problems> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    match &node.tree {
        Tree::Null => {}
        Tree::Scalar { text, .. } if is_none(text) => {}
        Tree::Scalar { text, .. } => {
            for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
                let (name, value) = part.split_once(':').ok_or_else(|| problem("expected `name:value;name:value`"))?;
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Tree::Map(members) => {
            for (name, value) in members {
                let value = value.as_text().ok_or_else(|| problem(format!("`{name}`: expected one value")))?;
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Tree::List(_) => return Err(problem("expected names and values, not a list")),
    }
    let is_token = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    let mut problems = Vec::new();
    for (name, value) in &pairs {
        if name.is_empty() || !name.chars().all(is_token) {
            problems.push("a name of a header has letters, digits and hyphens only".to_owned());
        } else if !value.chars().all(|char| char == ' ' || char.is_ascii_graphic()) {
            problems.push(format!("the value of the header `{name}` cannot be sent"));
        }
    }
    if problems.is_empty() {
        Ok(Value::Object(pairs.into_iter().map(|(name, value)| (name, value.into())).collect()))
    } else {
        Err(problems)
    }
}
