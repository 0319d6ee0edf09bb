//! One rule: what it is called, which logs it is about, and what it asks of an event.

use serde::Serialize;

use super::condition::{self, Condition};
use super::detection::{self, Detection};
use super::error::{ErrorKind, SigmaError};
use super::limits;
use super::yaml::{self, Node};

/// Which logs a rule is about (specification, "Log source").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogSource {
    /// What kind of event, whatever wrote it: `process_creation`, `webserver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The product: `windows`, `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// A part of the product's logs: `security`, `sysmon`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// A Sigma rule, read but not yet tied to the fields of alerts.
#[derive(Clone, Debug)]
pub struct SigmaRule {
    /// The title.
    pub title: String,
    /// The identifier, a UUID as a rule.
    pub id: Option<String>,
    /// How severe a hit is: `informational` to `critical`.
    pub level: Option<String>,
    /// Which logs it is about.
    pub logsource: LogSource,
    pub(super) detections: Vec<(String, Detection)>,
    pub(super) condition: Condition,
}

impl SigmaRule {
    /// Reads a text with one rule or several (YAML documents). A document that cannot be used does not keep the others
    /// from being read.
    ///
    /// ```
    /// use wazuh_query::sigma::SigmaRule;
    ///
    /// let rules = SigmaRule::read_all(
    ///     "title: Whoami\nlogsource: {product: windows, category: process_creation}\n\
    ///      detection:\n  selection:\n    Image|endswith: '\\whoami.exe'\n  condition: selection\n\
    ///      ---\ntitle: Broken\n",
    /// );
    /// assert_eq!(rules[0].as_ref().unwrap().title, "Whoami");
    /// assert_eq!(rules[1].as_ref().unwrap_err().to_string(), "line 7: `detection` is missing");
    /// ```
    pub fn read_all(text: &str) -> Vec<Result<Self, SigmaError>> {
        let documents = yaml::documents(text);
        if documents.is_empty() {
            return vec![Err(ErrorKind::NotARule("the text is empty").into())];
        }
        let mut rules: Vec<Result<Self, SigmaError>> = documents
            .iter()
            .take(limits::DOCUMENTS)
            .map(|(line, document)| {
                Self::read(document).map_err(|error| SigmaError {
                    line: Some(line + error.line.map_or(0, |inside| inside.saturating_sub(1))),
                    ..error
                })
            })
            .collect();
        if let Some((line, _)) = documents.get(limits::DOCUMENTS) {
            let kind = ErrorKind::TooLarge { what: "a text", limit: limits::DOCUMENTS, unit: "rules" };
            rules.push(Err(SigmaError { line: Some(*line), kind }));
        }
        rules
    }

    fn read(document: &str) -> Result<Self, SigmaError> {
        let root = yaml::read(document)?;
        if !matches!(root, Node::Map(_)) {
            return Err(ErrorKind::NotARule("a map with `title`, `logsource` and `detection` is expected").into());
        }
        let unsupported = |reason| Err(ErrorKind::Unsupported(reason).into());
        if root.get("correlation").is_some() {
            return unsupported("correlation rules need many events");
        }
        if root.get("filter").is_some() && root.get("detection").is_none() {
            return unsupported("filters change other rules and find nothing themselves");
        }
        if root.get("action").is_some() {
            return unsupported("collections (`action`) belong to Sigma 1; every rule has to be complete");
        }
        let section = root.get("detection").ok_or(ErrorKind::Missing("detection"))?;
        if section.get("timeframe").is_some() {
            return unsupported("`timeframe` needs many events; Sigma replaced it by correlation rules");
        }
        let detections = detection::read(section)?;
        if detections.is_empty() {
            return Err(ErrorKind::NotARule("`detection` has no search identifiers").into());
        }
        let names: Vec<String> = detections.iter().map(|(name, _)| name.clone()).collect();
        let condition = read_condition(section.get("condition"), &names)?;
        bounded(&condition, &detections)?;
        let text = |key: &str| root.get(key).and_then(Node::scalar);
        let source = |key: &str| {
            let value = root.get("logsource").and_then(|source| source.get(key)).and_then(Node::scalar);
            value.map(|value| value.trim().to_ascii_lowercase()).filter(|value| !value.is_empty())
        };
        Ok(Self {
            title: text("title").unwrap_or_else(|| "untitled".to_owned()),
            id: text("id"),
            level: text("level"),
            logsource: LogSource {
                category: source("category"),
                product: source("product"),
                service: source("service"),
            },
            detections,
            condition,
        })
    }
}

/// One condition, or several of which one has to hold.
fn read_condition(node: Option<&Node>, names: &[String]) -> Result<Condition, SigmaError> {
    let text = |node: &Node| match node {
        Node::Text(text) => condition::parse(text, names),
        // A search identifier that looks like a number.
        other => match other.scalar() {
            Some(text) => condition::parse(&text, names),
            None => Err(ErrorKind::NotARule("`condition` has to be a text or a list of texts").into()),
        },
    };
    match node {
        None | Some(Node::Null) => Err(ErrorKind::Missing("condition").into()),
        Some(Node::List(conditions)) if conditions.is_empty() => Err(ErrorKind::Missing("condition").into()),
        Some(Node::List(conditions)) => Ok(Condition::Any(conditions.iter().map(text).collect::<Result<Vec<_>, _>>()?)),
        Some(node) => text(node),
    }
}

/// Refuses a condition that names large search identifiers again and again.
fn bounded(condition: &Condition, detections: &[(String, Detection)]) -> Result<(), SigmaError> {
    let mut sizes = Vec::with_capacity(detections.len());
    for (_, detection) in detections {
        let mut size = 0;
        detection.each_item(&mut |item| size += 1 + item.tests.as_ref().map_or(0, Vec::len));
        sizes.push(size);
    }
    let mut size = 0_usize;
    condition.each_identifier(&mut |place| size += sizes.get(place).copied().unwrap_or(0));
    if size > 4 * limits::VALUES {
        let limit = 4 * limits::VALUES;
        return Err(ErrorKind::TooLarge { what: "a condition written out", limit, unit: "values" }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(yaml: &str, wanted: &str) {
        let rules = SigmaRule::read_all(yaml);
        assert_eq!(rules[0].as_ref().unwrap_err().to_string(), wanted, "{yaml}");
    }

    #[test]
    fn what_is_no_rule_says_why() {
        refused("", "not a Sigma rule: the text is empty");
        refused("text", "line 1: not a Sigma rule: a map with `title`, `logsource` and `detection` is expected");
        refused("title: x", "line 1: `detection` is missing");
        refused("detection: {s: {a: b}}", "line 1: `condition` is missing");
        refused("detection: {condition: s}", "line 1: not a Sigma rule: `detection` has no search identifiers");
        refused("correlation: {type: event_count}", "line 1: not supported: correlation rules need many events");
        refused(
            "title: x\nfilter: {rules: [a], s: {a: b}, condition: s}",
            "line 1: not supported: filters change other rules and find nothing themselves",
        );
        refused(
            "action: global\ntitle: x",
            "line 1: not supported: collections (`action`) belong to Sigma 1; every rule has to be complete",
        );
        refused(
            "detection:\n  s: {a: b}\n  timeframe: 5m\n  condition: s | count() > 5",
            "line 1: not supported: `timeframe` needs many events; Sigma replaced it by correlation rules",
        );
    }

    #[test]
    fn mistakes_in_yaml_have_their_line() {
        let rules = SigmaRule::read_all("title: x\n---\ntitle: [\ndetection: 5\n");
        assert_eq!(rules.len(), 2);
        let line = rules[1].as_ref().unwrap_err().line;
        assert!(line.is_some_and(|line| (2..=5).contains(&line)), "{line:?}");
    }

    #[test]
    fn conditions_may_be_a_list() {
        let rules = SigmaRule::read_all("detection:\n  a: {x: 1}\n  b: {y: 2}\n  condition: [a, not b]\n");
        let rule = rules[0].as_ref().unwrap();
        assert!(matches!(&rule.condition, Condition::Any(parts) if parts.len() == 2));
        assert_eq!(rule.title, "untitled");
    }

    #[test]
    fn a_condition_does_not_multiply_a_rule() {
        let values: Vec<String> = (0..2_000).map(|number| format!("v{number}")).collect();
        let condition = vec!["s"; 20].join(" or ");
        let yaml = format!("detection:\n  s:\n    F: [{}]\n  condition: {condition}\n", values.join(", "));
        assert!(matches!(
            SigmaRule::read_all(&yaml)[0].as_ref().unwrap_err().kind,
            ErrorKind::TooLarge { what: "a condition written out", .. }
        ));
    }

    #[test]
    fn a_text_has_a_bounded_number_of_rules() {
        let rules = SigmaRule::read_all(&"a: 1\n---\n".repeat(limits::DOCUMENTS + 5));
        assert_eq!(rules.len(), limits::DOCUMENTS + 1);
    }
}
