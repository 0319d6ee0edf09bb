//! Events for Wazuh's manager, with the fields that rules and dashboards rely on.

use serde::Serialize;
use wazuh_query::alert::{Alert, RuleLevel};
use wazuh_query::catalogue::{Catalogue, Join, Role};
use wazuh_query::value::Outcome;

use super::{Asked, KnownIndicator, KnownObservable, Related};
use crate::event::Document;
use crate::indicator::Kind;

/// What an event says. The order is how telling they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A value of the alert is known, and an indicator is based on it.
    ObservableWithIndicator,
    /// The pattern of an indicator matches the alert.
    IndicatorPatternMatch,
    /// The alert satisfies a part of the pattern of an indicator; other events have to bring the rest.
    IndicatorPartialPatternMatch,
    /// A value of the alert is known, and an indicator is based on something that is related to it.
    ObservableWithRelatedIndicator,
}

impl EventType {
    /// The name in `opencti.event_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObservableWithIndicator => "observable_with_indicator",
            Self::IndicatorPatternMatch => "indicator_pattern_match",
            Self::IndicatorPartialPatternMatch => "indicator_partial_pattern_match",
            Self::ObservableWithRelatedIndicator => "observable_with_related_indicator",
        }
    }
}

/// Something that is to be raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it says.
    pub event_type: EventType,
    /// The indicator; the best of several.
    pub indicator: KnownIndicator,
    /// How many more there are.
    pub more_indicators: usize,
    /// The observable that was asked for.
    pub observable: Option<KnownObservable>,
    /// The observable that the indicator is based on, if it is not the one that was asked for.
    pub related: Option<Related>,
    /// The value of the alert.
    pub asked: Option<Asked>,
    /// What in the alert the pattern matches, or how the observables are related.
    pub why: Vec<String>,
}

/// How events are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventOptions {
    /// The platform's address for links, without a slash at the end. Without one there are none.
    pub platform: Option<String>,
}

/// So many values of the alert are repeated in an event.
const SOURCE_FIELDS: usize = 40;

impl Event {
    /// The event as a document, the most important fields first.
    pub fn document(&self, alert: &Alert<'_>, catalogue: &Catalogue, options: &EventOptions) -> Document {
        let mut document = Document::new("opencti");
        document.text("event_type", self.event_type.name());
        let link = |id: &Option<String>| {
            let (platform, id) = (options.platform.as_ref()?, id.as_ref()?);
            Some(format!("{}/dashboard/id/{id}", platform.trim_end_matches('/')))
        };
        // Rules that people have look for the indicator of a related observable below `related`.
        let prefix = if self.related.is_some() { "related.indicator" } else { "indicator" };
        indicator(&mut document, prefix, &self.indicator);
        if let Some(asked) = &self.asked {
            document.text("query_key", query_key(asked)).text("query_values", asked.value.as_str());
            document.text("match.field", asked.field.as_str()).text("match.value", asked.written.as_str());
        }
        document.optional("direction", self.direction(alert.is_answer(catalogue)));
        document.optional("outcome", alert.outcome(catalogue).map(Outcome::name));
        document.list("match.why", self.why.iter().map(String::as_str));
        source(&mut document, alert, catalogue);
        let below = if self.related.is_some() { "related.indicator_link" } else { "indicator_link" };
        document.optional(below, link(&self.indicator.platform_id));
        let several = (self.more_indicators > 0).to_string();
        if self.more_indicators > 0 {
            document.text("indicator_count", (self.more_indicators + 1).to_string());
        }
        if let Some(known) = &self.observable {
            observable(&mut document, "", known);
            document.optional("observable_link", link(&known.platform_id));
        } else {
            document.optional("id", self.indicator.platform_id.clone());
        }
        if let Some(related) = &self.related {
            document.text("related.relationship", related.relationship_type.as_str());
            document.text("related.multipleIndicators", several);
            document.title("related.value", related.observable.value.as_str());
            observable(&mut document, "related.", &related.observable);
            document.optional("related.observable_link", link(&related.observable.platform_id));
        } else {
            document.text("multipleIndicators", several);
        }
        document
    }

    /// Which way the traffic with the known value goes.
    fn direction(&self, is_answer: bool) -> Option<&'static str> {
        let asked = self.asked.as_ref()?;
        match (asked.kind(), asked.role) {
            (Kind::Address, Role::Source) if is_answer => Some("outbound"),
            (Kind::Address, Role::Destination) if is_answer => Some("inbound"),
            (Kind::Address, Role::Source) => Some("inbound"),
            (Kind::Address | Kind::Domain | Kind::Url, Role::Destination | Role::Answer) => Some("outbound"),
            (Kind::Domain | Kind::Url, Role::None) => Some("outbound"),
            _ => None,
        }
    }
}

/// The event that says that something went wrong.
///
/// `code` is a short name of what went wrong, `description` a sentence without secrets.
pub fn error_document(code: &str, description: &str, alert: Option<(&Alert<'_>, &Catalogue)>) -> Document {
    let mut document = Document::new("opencti");
    document.text("event_type", "error").title("error", code).title("description", description);
    if let Some((alert, _)) = alert {
        identity(&mut document, alert);
    }
    document
}

fn query_key(asked: &Asked) -> &'static str {
    match asked.kind() {
        Kind::Md5 => "hashes.MD5",
        Kind::Sha1 => "hashes.SHA-1",
        // The name that rules and dashboards have been reading so far.
        Kind::Sha256 => "hashes.SHA256",
        Kind::Sha512 => "hashes.SHA-512",
        Kind::Ssdeep => "hashes.SSDEEP",
        Kind::File | Kind::Mutex => "name",
        Kind::RegistryKey => "attribute_key",
        _ => "value",
    }
}

fn indicator(document: &mut Document, prefix: &str, known: &KnownIndicator) {
    let KnownIndicator { indicator, .. } = known;
    let path = |name: &str| format!("{prefix}.{name}");
    let id = indicator.id.to_string();
    document.title(&path("name"), known.name.clone().unwrap_or_else(|| known.pattern.clone()));
    document.optional(&path("x_opencti_score"), indicator.score);
    document.optional(&path("confidence"), indicator.confidence);
    document.text(&path("id"), known.platform_id.clone().unwrap_or_else(|| id.clone()));
    document.text(&path("standard_id"), id);
    document.text(&path("pattern"), known.pattern.as_str());
    document.text(&path("pattern_type"), known.pattern_type.as_str());
    document.optional(&path("valid_from"), indicator.valid_from);
    document.optional(&path("valid_until"), indicator.valid_until);
    document.text(&path("x_opencti_detection"), known.detection.to_string());
    document.text(&path("revoked"), indicator.revoked.to_string());
    document.optional(&path("main_observable_type"), known.main_observable_type.clone());
    let of = |wanted: &[&str]| -> Vec<&str> {
        let indicates = known.indicates.iter();
        indicates.filter(|one| wanted.contains(&one.entity_type.as_str())).map(|one| one.name.as_str()).collect()
    };
    document.list(
        &path("threat_actors"),
        of(&["Threat-Actor", "Threat-Actor-Group", "Threat-Actor-Individual", "Intrusion-Set"]),
    );
    document.list(&path("malware"), of(&["Malware", "Tool"]));
    document.list(&path("campaigns"), of(&["Campaign", "Incident"]));
    document.list(&path("kill_chain_phases"), known.kill_chain_phases.iter().map(String::as_str));
    let mut chains: Vec<&str> =
        known.kill_chain_phases.iter().map(|phase| phase.split(':').next().unwrap_or(phase)).collect();
    chains.dedup();
    document.list(&path("killChainPhases"), chains);
    document.list(&path("labels"), indicator.labels.iter().map(ToString::to_string));
    document.list(&path("markings"), known.markings.iter().map(String::as_str));
    // An object, as it has been in indices so far: a text in its place would be refused there.
    document.optional(&path("createdBy.name"), known.author.clone());
    document.optional(&path("description"), known.description.clone());
}

fn observable(document: &mut Document, prefix: &str, known: &KnownObservable) {
    let path = |name: &str| format!("{prefix}{name}");
    document.text(&path("id"), known.platform_id.clone().unwrap_or_else(|| known.id.clone()));
    document.text(&path("standard_id"), known.id.as_str());
    document.text(&path("entity_type"), known.entity_type.as_str());
    document.text(&path("type"), known.entity_type.as_str());
    document.title(&path("observable_value"), known.value.as_str());
    document.optional(&path("x_opencti_score"), known.score);
    document.list(&path("labels"), known.labels.iter().map(String::as_str));
    document.list(&path("markings"), known.markings.iter().map(String::as_str));
    document.optional(&path("createdBy.name"), known.author.clone());
    document.optional(&path("x_opencti_description"), known.description.clone());
}

fn identity(document: &mut Document, alert: &Alert<'_>) {
    document.optional("source.alert_id", alert.shown_id());
    document.optional("source.rule_id", alert.rule.id.as_deref());
    document.optional("source.rule_level", alert.rule.level.map(RuleLevel::number));
    document.optional("source.rule_description", alert.rule.description.as_deref());
    document.optional("source.timestamp", alert.timestamp);
}

/// The alert that it is about. Its values stand under the names that their rows give them; the others, as many as there
/// is room for, under the last parts of their fields' names (`srcip`, `queryName`).
fn source(document: &mut Document, alert: &Alert<'_>, catalogue: &Catalogue) {
    identity(document, alert);
    for shown in alert.shown(catalogue) {
        document.text(&format!("source.{}", shown.name), shown.text);
    }
    let fields = alert.leaves.iter().map(|leaf| (catalogue.field(leaf.field), &leaf.text));
    let others = fields.filter(|(field, _)| {
        let is_shown = field.join == Join::First && !field.shown.is_empty();
        field.role != Role::Agent && !is_shown
    });
    for (field, text) in others.take(SOURCE_FIELDS) {
        let name = field.shown_name();
        // An object of this name stands there for other alerts, and an index takes only one of the two. The other name,
        // with the right value, would hand the event to the decoder of another integration.
        if !matches!(name, "alert" | "integration") {
            document.text(&format!("source.{name}"), text.as_ref());
        }
    }
}
