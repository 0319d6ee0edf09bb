//! The kinds of values that options have, and how each is read.
//!
//! What is read comes back as JSON in one canonical form, however it was written: as YAML, as JSON, or as the text of
//! a variable.

use std::str::FromStr as _;

use alert_enricher::enrichment::{Severities, SeverityError};
use serde_json::Value;
use stix_model::Timestamp;
use wazuh_query::profile::{Interval, Since, parse_filter, parse_matches, parse_sort};

use super::node::{Node, Tree};
use super::pem;
use super::values::{
    Problems, TLP_NAMES, base_url, boolean, headers, is_none, items, list_text, markings, one_of, problem, proxy_url,
    scalar, set, tlp,
};

/// What the values of an option are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// True or false.
    Boolean,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// A number within bounds, both included.
    Number(f64, f64),
    /// One of some names.
    Choice(&'static [&'static str]),
    /// A set of names, or `all`.
    Set(fn() -> Vec<&'static str>),
    /// Entity types of the platform, or `all`.
    Scope,
    /// A text.
    Text,
    /// A text that the platform takes for a name.
    Name,
    /// An identifier that has no underscore.
    ConnectorId,
    /// A set of texts.
    Texts,
    /// A text that is never shown.
    Secret,
    /// The base URL of a service.
    Url,
    /// The URL of a proxy, which may hold credentials.
    ProxyUrl,
    /// The path of a file or folder.
    Path,
    /// Certificates or a key in PEM: the text itself, or the path of a file.
    Pem,
    /// An index, a pattern or a comma list of them.
    Index,
    /// A length of time above zero.
    Interval,
    /// A length of time that may be zero.
    Pause,
    /// A time, or an interval that ends now.
    Since,
    /// A level of the Traffic Light Protocol.
    Tlp,
    /// Markings: levels, or identifiers of marking definitions.
    Markings,
    /// Fields and the values they have.
    Matches,
    /// Fields to sort by.
    Sorts,
    /// Clauses of the query language.
    Clauses,
    /// Severity and priority by rule level.
    Severities,
    /// HTTP headers, whose values are never shown.
    Headers,
}

/// Entity types of OpenCTI that are searched one by one.
pub(super) const ENTITY_TYPES: &[&str] = &[
    "Artifact",
    "Autonomous-System",
    "Directory",
    "Domain-Name",
    "Email-Addr",
    "Email-Message",
    "Hostname",
    "Indicator",
    "IPv4-Addr",
    "IPv6-Addr",
    "Mac-Addr",
    "Mutex",
    "Network-Traffic",
    "Process",
    "Software",
    "StixFile",
    "Text",
    "Url",
    "User-Account",
    "User-Agent",
    "Vulnerability",
    "Windows-Registry-Key",
    "Windows-Registry-Value-Type",
    "X509-Certificate",
];

/// Entity types that hold others, all of whose indicators are searched.
pub(super) const CONTAINER_TYPES: &[&str] =
    &["Campaign", "Case-Incident", "Case-Rfi", "Case-Rft", "Grouping", "Report"];

/// Every entity type that may be in scope.
pub(super) fn scope_types() -> Vec<&'static str> {
    ENTITY_TYPES.iter().chain(CONTAINER_TYPES).copied().collect()
}

impl Kind {
    /// Whether values are lists, of which one may be empty.
    pub(super) fn is_list(self) -> bool {
        use Kind::{Clauses, Headers, Markings, Matches, Scope, Set, Sorts, Texts};
        matches!(self, Set(_) | Scope | Texts | Markings | Matches | Sorts | Clauses | Headers)
    }

    /// What is there where nothing is: no members for lists, else null.
    pub(super) fn empty(self) -> Value {
        match self {
            Self::Headers => Value::Object(serde_json::Map::new()),
            kind if kind.is_list() => Value::Array(Vec::new()),
            _ => Value::Null,
        }
    }

    /// The names that may be in a value.
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Choice(names) => names.to_vec(),
            Self::Set(names) => names(),
            Self::Scope => scope_types(),
            Self::Tlp => TLP_NAMES.to_vec(),
            _ => Vec::new(),
        }
    }

    /// What is allowed, in words.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Integer(least, i64::MAX) => format!("a whole number, at least {least}"),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Choice(_) | Self::Tlp => format!("one of {}", self.names().join(", ")),
            Self::Set(_) | Self::Scope => format!("`all`, or a list of {}", self.names().join(", ")),
            Self::Text | Self::Name => "a text".to_owned(),
            Self::ConnectorId => "a UUID".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Secret => "a text, which is never shown".to_owned(),
            Self::Url => "a URL (`http` or `https`) without user, password, query and fragment".to_owned(),
            Self::ProxyUrl => "the URL of a proxy".to_owned(),
            Self::Path => "the path of a file or folder".to_owned(),
            Self::Pem => "the path of a PEM file, or its text".to_owned(),
            Self::Index => "an index, a pattern, or a list of them with commas".to_owned(),
            Self::Interval | Self::Pause => "a length of time: `20 seconds`, `2 h`, `PT20S`, or seconds".to_owned(),
            Self::Since => "a time (`2026-03-14T09:26:53Z`) or an interval (`7 days`, `1 week ago`)".to_owned(),
            Self::Markings => "a list of TLP levels and `marking-definition--…`".to_owned(),
            Self::Matches => "a list of `{field, query}`, or `field=value,…`".to_owned(),
            Self::Sorts => "a list of `{field, order}`, or `field:desc,…`".to_owned(),
            Self::Clauses => "a list of OpenSearch clauses (JSON in a variable)".to_owned(),
            Self::Severities => "`LEVEL=SEVERITY/PRIORITY,…`".to_owned(),
            Self::Headers => "`name:value;name:value`, or names and values".to_owned(),
        }
    }

    /// Reads a value.
    pub(super) fn read(self, node: &Node, now: Timestamp) -> Result<Value, Problems> {
        match self {
            Self::Boolean => boolean(scalar(node)?),
            Self::Integer(least, most) => self.integer(scalar(node)?, least, most),
            Self::Number(least, most) => self.number(scalar(node)?, least, most),
            Self::Choice(names) => one_of(scalar(node)?, names).map(Value::from).map_err(problem),
            Self::Set(names) => set(node, &names(), |_| None),
            Self::Scope => {
                // The platform calls a file so, STIX does not.
                set(node, &scope_types(), |name| name.eq_ignore_ascii_case("file").then_some("StixFile"))
            }
            Self::Text | Self::Path | Self::Secret => Ok(scalar(node)?.trim().into()),
            Self::Name => match scalar(node)?.trim() {
                name if name.chars().count() < 2 => Err(problem("the platform wants at least two characters")),
                name => Ok(name.into()),
            },
            Self::ConnectorId => match scalar(node)?.trim() {
                id if id.contains(|char: char| char == '_' || char.is_whitespace() || char.is_control()) => {
                    Err(problem("the platform cannot use an identifier with an underscore or a blank; use a UUID"))
                }
                id => Ok(id.into()),
            },
            Self::Texts => items(node).map(Value::from),
            Self::Url => base_url(scalar(node)?.trim()),
            Self::ProxyUrl => proxy_url(scalar(node)?.trim()),
            Self::Pem => {
                let text = scalar(node)?.trim();
                pem::read(text).map(|_| text.into()).map_err(problem)
            }
            Self::Index => match scalar(node)?.trim() {
                text if text.split(',').any(|name| matches!(name.trim(), "" | "." | "..")) => {
                    Err(problem(format!("`{text}` is no index, pattern or comma list")))
                }
                text => Ok(text.into()),
            },
            Self::Interval | Self::Pause => {
                let text = scalar(node)?.trim();
                let interval = Interval::from_str(text).map_err(|error| problem(error.to_string()))?;
                if matches!(self, Self::Interval) && interval.duration().is_zero() {
                    return Err(problem("must be longer than zero"));
                }
                Ok(text.into())
            }
            Self::Since => {
                let text = scalar(node)?.trim();
                Since::parse(text, now).map(|_| text.into()).map_err(|error| problem(error.to_string()))
            }
            Self::Tlp => tlp(scalar(node)?),
            Self::Markings => markings(node),
            Self::Matches => {
                let matches = parse_matches(&list_text(node)).map_err(|error| problem(error.to_string()))?;
                Ok(matches.iter().map(|one| serde_json::json!({"field": one.field, "query": one.query})).collect())
            }
            Self::Sorts => {
                let sorts = parse_sort(&list_text(node)).map_err(|error| problem(error.to_string()))?;
                let order = |order| if order == wazuh_query::dsl::Order::Asc { "asc" } else { "desc" };
                Ok(sorts.iter().map(|one| serde_json::json!({"field": one.field, "order": order(one.order)})).collect())
            }
            Self::Clauses => {
                let text = match &node.tree {
                    Tree::Scalar { text, .. } if is_none(text) => String::new(),
                    Tree::Scalar { text, .. } => text.clone(),
                    Tree::Null => String::new(),
                    Tree::List(_) | Tree::Map(_) => node.to_json().to_string(),
                };
                parse_filter(&text).map(Value::from).map_err(|error| problem(error.to_string()))
            }
            Self::Severities => {
                let text = scalar(node)?;
                let bands: Severities = text.parse().map_err(|error: SeverityError| problem(error.to_string()))?;
                Ok(bands.to_string().into())
            }
            Self::Headers => headers(node),
        }
    }

    fn integer(self, text: &str, least: i64, most: i64) -> Result<Value, Problems> {
        let text = text.trim();
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number.into()),
            _ => Err(problem(format!("`{text}` is not {}", self.allowed()))),
        }
    }

    fn number(self, text: &str, least: f64, most: f64) -> Result<Value, Problems> {
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number.into()),
            _ => Err(problem(format!("`{text}` is not {}", self.allowed()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::without_credentials;

    fn read(kind: Kind, text: &str) -> Result<Value, String> {
        let now = "2026-03-14T09:26:53Z".parse().unwrap();
        kind.read(&Node::text_of(text), now).map_err(|problems| problems.join(" | "))
    }

    #[track_caller]
    fn check(kind: Kind, text: &str, expected: serde_json::Value) {
        assert_eq!(read(kind, text), Ok(expected), "{text}");
    }

    #[test]
    fn names_are_forgiving() {
        let kind = Kind::Choice(&["per-sighting", "never"]);
        for text in ["per-sighting", "PerSighting", "per_sighting", " PER-SIGHTING "] {
            check(kind, text, "per-sighting".into());
        }
        assert_eq!(
            read(kind, "per-sigthing").unwrap_err(),
            "`per-sigthing` is not one of per-sighting, never; did you mean `per-sighting`?"
        );
    }

    #[test]
    fn scope_is_canonical() {
        check(
            Kind::Scope,
            "windowsregistrykey, STIXFILE,file,ipv4-addr",
            serde_json::json!(["Windows-Registry-Key", "StixFile", "IPv4-Addr"]),
        );
        check(Kind::Scope, "all", scope_types().into());
        assert!(read(Kind::Scope, "Sofware").unwrap_err().ends_with("did you mean `Software`?"));
    }

    #[test]
    fn bounds() {
        let kind = Kind::Integer(1, 15);
        check(kind, " 15 ", 15.into());
        for text in ["0", "16", "1.5", "", "seven", "9999999999999999999999"] {
            assert!(read(kind, text).unwrap_err().ends_with("is not a whole number from 1 to 15"), "{text}");
        }
        check(Kind::Number(0.0, 10.0), "7.5", 7.5.into());
        assert!(read(Kind::Number(0.0, 10.0), "NaN").is_err());
        assert!(read(Kind::Number(0.0, 10.0), "inf").is_err());
        assert!(read(Kind::Integer(0, i64::MAX), "-1").unwrap_err().ends_with("is not a whole number, at least 0"));
    }

    #[test]
    fn urls_do_not_give_credentials_away() {
        check(Kind::Url, "https://h:9200/os", "https://h:9200/os".into());
        for text in ["https://u:geheim@h/", "geheim@h", "ftp://h/", "https://h/?q", "https://h/#f", "h:9200", ""] {
            assert!(!read(Kind::Url, text).unwrap_err().contains("geheim"), "{text}");
        }
        check(Kind::ProxyUrl, "proxy:3128", "proxy:3128".into());
        assert_eq!(without_credentials("http://u:geheim@proxy:3128"), "http://***@proxy:3128");
        assert_eq!(without_credentials("u:geh@im@proxy"), "***@proxy");
        assert_eq!(without_credentials("proxy:3128"), "proxy:3128");
    }

    #[test]
    fn times() {
        check(Kind::Interval, "20 seconds", "20 seconds".into());
        check(Kind::Interval, "20", "20".into());
        assert!(read(Kind::Interval, "0 s").is_err());
        check(Kind::Pause, "0 s", "0 s".into());
        check(Kind::Since, "1 week ago", "1 week ago".into());
        assert!(read(Kind::Since, "in two months").unwrap_err().contains("lies in the future"));
    }

    #[test]
    fn header_values_are_not_repeated() {
        check(Kind::Headers, "X-A: one ; X-B:two", serde_json::json!({"X-A": "one", "X-B": "two"}));
        for text in ["geheim", "X A:geheim", "X-A:geh\u{7}eim"] {
            assert!(!read(Kind::Headers, text).unwrap_err().contains("geh"), "{text}");
        }
    }

    #[test]
    fn lists_of_pairs() {
        let node = Node::read("- {field: rule.level, query: 12}\n- {field: agent.id, query: 001}\n").unwrap();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            Kind::Matches.read(&node, now),
            Ok(serde_json::json!([
                {"field": "rule.level", "query": "12"}, {"field": "agent.id", "query": "001"}
            ]))
        );
        check(Kind::Matches, "none", serde_json::json!([]));
        check(Kind::Sorts, "a:ASC", serde_json::json!([{"field": "a", "order": "asc"}]));
        let node = Node::read("range: {rule.level: {gte: 7}}\n").unwrap();
        assert_eq!(Kind::Clauses.read(&node, now), Ok(serde_json::json!([{"range": {"rule.level": {"gte": 7}}}])));
    }
}
