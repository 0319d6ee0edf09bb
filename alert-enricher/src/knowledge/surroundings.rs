//! What an alert says around the values that are asked about: what became of a connection, its ports and interfaces, the
//! question behind a DNS answer.
//!
//! The catalogue knows what can be known to threat intelligence. An event also repeats what an analyst wants to see and
//! what rules and dashboards have been reading so far; that is read here, and only for alerts that something is raised for.

use serde_json::Value;

/// What became of a connection or a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went through.
    Allowed,
    /// It was stopped.
    Blocked,
}

impl Outcome {
    /// The word in `opencti.outcome`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
        }
    }
}

/// What stands around the values of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// What became of the connection.
    pub outcome: Option<Outcome>,
    /// Whether source and destination are those of an answer, so that the connection was opened the other way round.
    pub is_answer: bool,
    /// Names below `opencti.source`, with their values.
    pub fields: Vec<(&'static str, String)>,
}

/// Paths below `data` that tell the outcome, the most telling first.
const OUTCOMES: &[&str] = &[
    "alert.action",
    "action",
    "act",
    "aws.action",
    "gcp.jsonPayload.disposition",
    "disposition",
    "verdict",
    "event.action",
    "event.type",
];
const BLOCKED: &[&str] = &[
    "block",
    "blocked",
    "deny",
    "denied",
    "discard",
    "discarded",
    "drop",
    "dropped",
    "prevented",
    "quarantined",
    "refused",
    "reject",
    "rejected",
    "reset",
    "sinkhole",
    "sinkholed",
];
const ALLOWED: &[&str] =
    &["accept", "accepted", "allow", "allowed", "close", "pass", "passed", "passthrough", "permit", "permitted"];
/// The filtering platform of Windows: packets, connections, binding, listening.
const WINDOWS_BLOCKED: &[&str] = &["5152", "5153", "5155", "5157", "5159"];
const WINDOWS_ALLOWED: &[&str] = &["5154", "5156", "5158"];

/// Paths below `data`, and the names below `source` that have been in use for them.
const FIELDS: &[(&str, &str)] = &[
    ("in_iface", "in_iface"),
    ("srcintf", "srcintf"),
    ("src_ip", "src_ip"),
    ("srcip", "srcip"),
    ("src_mac", "src_mac"),
    ("srcmac", "srcmac"),
    ("src_port", "src_port"),
    ("srcport", "srcport"),
    ("dest_ip", "dest_ip"),
    ("dstip", "dstip"),
    ("dest_mac", "dest_mac"),
    ("dstmac", "dstmac"),
    ("dest_port", "dest_port"),
    ("dstport", "dstport"),
    ("dstintf", "dstintf"),
    ("proto", "proto"),
    ("protocol", "protocol"),
    ("app_proto", "app_proto"),
    ("alert.action", "alert.action"),
    ("alert.category", "alert.category"),
    ("alert.signature", "alert.signature"),
    ("alert.signature_id", "alert.signature_id"),
    ("win.eventdata.queryName", "queryName"),
    ("win.eventdata.queryResults", "queryResults"),
    ("win.eventdata.image", "image"),
    ("win.eventdata.sourceIp", "sourceIp"),
    ("win.eventdata.sourcePort", "sourcePort"),
    ("win.eventdata.destinationIp", "destinationIp"),
    ("win.eventdata.destinationPort", "destinationPort"),
    ("win.eventdata.user", "user"),
    ("audit.success", "success"),
    ("audit.key", "key"),
    ("audit.uid", "uid"),
    ("audit.gid", "gid"),
    ("audit.euid", "euid"),
    ("audit.egid", "egid"),
    ("audit.exe", "exe"),
    ("audit.exit", "exit"),
    ("audit.pid", "pid"),
];
const FILE: &[(&str, &str)] =
    &[("path", "file"), ("md5_after", "md5"), ("sha1_after", "sha1"), ("sha256_after", "sha256")];
/// So many arguments of a command, and answers of a question, are put together.
const MEMBERS: usize = 64;

impl Surroundings {
    /// Reads the text of an alert. What is no JSON says nothing.
    pub fn read(text: &str) -> Self {
        let Ok(whole) = serde_json::from_str::<Value>(text) else { return Self::default() };
        let document = whole.get("_source").unwrap_or(&whole);
        // Wazuh 5 has at the top what Wazuh 4 has below `data`.
        let data = document.get("data").unwrap_or(document);
        let mut read = Self { outcome: outcome(document, data), ..Self::default() };
        read.is_answer = at(data, "direction").and_then(Value::as_str) == Some("to_client");
        read.all(data, FIELDS);
        if let Some(file) = document.get("syscheck") {
            read.all(file, FILE);
        }
        if let Some(execve) = at(data, "audit.execve") {
            // As a map sorts them, `a10` would stand before `a2`.
            let arguments = (0..MEMBERS).map_while(|place| text_of(execve.get(format!("a{place}"))?));
            read.add("execve", arguments.collect::<Vec<_>>().join(" "));
        }
        if at(data, "method").and_then(Value::as_str) == Some("QUERY") {
            read.add("queryName", at(data, "dns.question.name").and_then(text_of).unwrap_or_default());
            let answers = at(data, "dns.answers").and_then(Value::as_array).into_iter().flatten();
            let answers = answers.take(MEMBERS).filter_map(|answer| text_of(answer.get("data")?));
            read.add("queryResults", answers.collect::<Vec<_>>().join(";"));
        }
        read
    }

    fn all(&mut self, value: &Value, fields: &[(&str, &'static str)]) {
        for (path, name) in fields {
            if let Some(text) = at(value, path).and_then(text_of) {
                self.add(name, text);
            }
        }
    }

    fn add(&mut self, name: &'static str, text: String) {
        if !text.is_empty() {
            self.fields.push((name, text));
        }
    }
}

fn outcome(document: &Value, data: &Value) -> Option<Outcome> {
    let told = OUTCOMES.iter().filter_map(|path| at(data, path)).find_map(|value| match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).find_map(of_words),
        value => value.as_str().and_then(of_words),
    });
    let by_event = || {
        let code = at(data, "win.system.eventID")?.as_str()?;
        if WINDOWS_BLOCKED.contains(&code) {
            Some(Outcome::Blocked)
        } else {
            WINDOWS_ALLOWED.contains(&code).then_some(Outcome::Allowed)
        }
    };
    let by_group = || {
        let groups = at(document, "rule.groups")?.as_array()?;
        groups.iter().any(|group| group == "firewall_drop" || group == "firewall_block").then_some(Outcome::Blocked)
    };
    told.or_else(by_event).or_else(by_group)
}

/// Reads the word of a product: `Blocked`, `reset-both`, `not allowed`.
fn of_words(text: &str) -> Option<Outcome> {
    let text = text.to_ascii_lowercase();
    let words = || text.split(|char: char| !char.is_ascii_alphanumeric());
    let has = |known: &[&str]| words().any(|word| known.contains(&word));
    if has(BLOCKED) || has(ALLOWED) && has(&["not"]) {
        return Some(Outcome::Blocked);
    }
    has(ALLOWED).then_some(Outcome::Allowed)
}

/// What stands at a path, components joined with dots.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_connection() {
        for (text, wanted) in [
            (r#"{"data":{"alert":{"action":"allowed"}}}"#, Some(Outcome::Allowed)),
            (r#"{"data":{"alert":{"action":"blocked"},"action":"pass"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":"reset-both"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":"client-rst"}}"#, None),
            (r#"{"data":{"action":"Not allowed"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"aws":{"action":"ACCEPT"}}}"#, Some(Outcome::Allowed)),
            (r#"{"data":{"win":{"system":{"eventID":"5157"}}}}"#, Some(Outcome::Blocked)),
            (
                r#"{"rule":{"groups":["firewall","firewall_drop"]},"data":{"srcip":"203.0.113.7"}}"#,
                Some(Outcome::Blocked),
            ),
            (r#"{"event":{"type":["connection","denied"]}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":{"a":1}}}"#, None),
            ("[", None),
        ] {
            assert_eq!(Surroundings::read(text).outcome, wanted, "{text}");
        }
    }

    #[test]
    fn commands_and_questions_are_put_together() {
        let text = r#"{"data":{"audit":{"execve":{"a0":"curl","a1":"-s","a10":"no","a2":"http://evil.example"},"pid":7},
            "method":"QUERY","dns":{"question":{"name":"evil.example"},"answers":[{"data":"203.0.113.7"},{"data":8},{}]}}}"#;
        let fields = Surroundings::read(text).fields;
        let of = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str());
        assert_eq!(of("execve"), Some("curl -s http://evil.example"));
        assert_eq!(of("queryName"), Some("evil.example"));
        assert_eq!(of("queryResults"), Some("203.0.113.7;8"));
        assert_eq!(of("pid"), Some("7"));
    }
}
