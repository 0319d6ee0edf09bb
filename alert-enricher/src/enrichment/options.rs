//! What the enrichment does: the options at the root of the configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use stix_model::sdo::Identity;
use stix_model::{Identifier, Tlp};

use super::link::Links;
use super::severity::Severities;
use super::sighter::identity_time;
use crate::extract::ExtractOptions;

/// Declares an option whose value is one of a few names.
macro_rules! choice {
    ($(#[$meta:meta])* $type:ident { $( $(#[$vmeta:meta])* $variant:ident = $name:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $( $(#[$vmeta])* $variant, )* }

        impl $type {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in configuration files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownChoice;

            /// Case and hyphens do not matter.
            fn from_str(name: &str) -> Result<Self, UnknownChoice> {
                let folded = |text: &str| text.trim().replace('-', "").to_ascii_lowercase();
                let found = Self::ALL.iter().find(|value| folded(value.name()) == folded(name));
                found.copied().ok_or_else(|| UnknownChoice {
                    name: name.to_owned(),
                    allowed: Self::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

/// A name that is none of an option's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not one of {allowed}")]
pub struct UnknownChoice {
    name: String,
    allowed: String,
}

choice! {
    /// For what incidents are made (`create_incident`).
    IncidentMode {
        /// One for everything that an entity was found in.
        PerQuery = "per-query",
        /// One for each place at which it was seen.
        #[default]
        PerSighting = "per-sighting",
        /// One for each rule that raised an alert.
        PerAlertRule = "per-alert-rule",
        /// One for each alert, of those that were returned.
        PerAlert = "per-alert",
        /// None.
        Never = "never",
    }
}

/// Which entities are searched, and by which of their indicators.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct InspectOptions {
    /// `max_tlp`: the highest marking that an entity may carry to be read.
    pub max_tlp: Tlp,
    /// `ignore_own_entities`: what the connector made itself is not searched, unless somebody asks for it.
    pub ignore_own_entities: bool,
    /// `label_ignore_list`: entities with one of these labels are not searched, unless somebody asks for them.
    pub label_ignore_list: BTreeSet<String>,
    /// `create_obs_sightings`: observables count that no usable indicator is based on.
    pub create_obs_sightings: bool,
    /// `require_indicator_detection`: indicators count that are meant for detection.
    pub require_indicator_detection: bool,
    /// `ignore_revoked_indicators`: revoked indicators do not count.
    pub ignore_revoked_indicators: bool,
    /// `ignore_expired_indicators`: indicators do not count whose validity has ended. Not an option of the original.
    pub ignore_expired_indicators: bool,
    /// `indicator_score_threshold`: indicators count that score at least this. One without a score has 50.
    pub indicator_score_threshold: Option<i64>,
    /// `indicator_confidence_threshold`: indicators count whose confidence is at least this. One that tells none counts.
    /// Not an option of the original.
    pub indicator_confidence_threshold: Option<i64>,
    /// `observable_score_threshold`: observables are searched that score at least this, and those without a score; all
    /// are, if somebody asks for them. Not an option of the original.
    pub observable_score_threshold: Option<i64>,
}

impl InspectOptions {
    /// The defaults of the original connector.
    pub fn new(max_tlp: Tlp) -> Self {
        Self {
            max_tlp,
            ignore_own_entities: false,
            label_ignore_list: ["hygiene", "wazuh_ignore"].map(str::to_owned).into(),
            create_obs_sightings: true,
            require_indicator_detection: false,
            ignore_revoked_indicators: true,
            ignore_expired_indicators: false,
            indicator_score_threshold: None,
            indicator_confidence_threshold: None,
            observable_score_threshold: None,
        }
    }
}

/// Everything that decides what is made of hits.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct EnrichmentOptions {
    /// Which entities are searched.
    pub inspect: InspectOptions,
    /// What is extracted from the alerts.
    pub extract: ExtractOptions,
    /// `app_url` and what goes with it.
    pub links: Links,
    /// `author_name`: the organisation that everything is created by.
    pub author_name: String,
    /// `system_name`: the SIEM, which sights what no agent or account sights.
    pub system_name: String,
    /// `cluster_name`: behind the names of agents, where several Wazuh clusters have agents of the same names. Not an
    /// option of the original.
    pub cluster_name: Option<String>,
    /// `tlps`: the markings of everything that is made.
    pub tlps: BTreeSet<Identifier>,
    /// `confidence` of what is made. The platform caps it to the maximum of the connector's user.
    pub confidence: u8,
    /// `enrich_labels`: the labels of observables and vulnerabilities that are made.
    pub enrich_labels: BTreeSet<String>,
    /// `hits_abort_limit`: more alerts than this are an error.
    pub hits_abort_limit: Option<u64>,
    /// `bundle_abort_limit`: more objects than this are an error.
    pub bundle_abort_limit: Option<usize>,
    /// `agents_as_systems`: every agent and account is a system of its own; otherwise the SIEM sights everything.
    pub agents_as_systems: bool,
    /// `account_sighters`: the services whose accounts are such systems, by their names in the catalogue; `None`: all.
    /// Not an option of the original.
    pub account_sighters: Option<BTreeSet<String>>,
    /// `create_agent_ip_observable`.
    pub create_agent_ip_observable: bool,
    /// `create_agent_hostname_observable`.
    pub create_agent_hostname_observable: bool,
    /// `max_extrefs`: links to alerts per sighting.
    pub max_extrefs: usize,
    /// `max_extrefs_per_alert_rule`: of these, per rule.
    pub max_extrefs_per_alert_rule: usize,
    /// `max_notes`: notes with an alert per sighting.
    pub max_notes: usize,
    /// `max_notes_per_alert_rule`: of these, per rule.
    pub max_notes_per_alert_rule: usize,
    /// `max_note_size`: characters of an alert in a note. Not an option of the original.
    pub max_note_size: usize,
    /// `create_sighting_summary`: the summary note is about the sightings, too.
    pub create_sighting_summary: bool,
    /// `create_incident_summary`: the summary note is about the incidents, too.
    pub create_incident_summary: bool,
    /// `create_incident_links`: incidents have links to their alerts, as many as sightings. Not an option of the
    /// original.
    pub create_incident_links: bool,
    /// `require_indicator_for_incidents`: no incident for an observable without a usable indicator.
    pub require_indicator_for_incidents: bool,
    /// `create_incident`.
    pub create_incident: IncidentMode,
    /// `create_incident_threshold`: the lowest rule level of incidents.
    pub create_incident_threshold: u8,
    /// `create_incident_response`: a case when there is an incident.
    pub create_incident_response: bool,
    /// `vulnerability_incident_cvss3_score_threshold`: the lowest score of a vulnerability's incidents; `None`: there
    /// are none.
    pub vulnerability_incident_score_threshold: Option<f64>,
    /// `vulnerability_incident_active_only`: no incident for a vulnerability that was resolved everywhere.
    pub vulnerability_incident_active_only: bool,
    /// `rule_exclude_list`: alerts of these rules do not count.
    pub rule_exclude_list: BTreeSet<String>,
    /// `incident_rule_exclude_list`: alerts of these rules are sighted, but do not make incidents.
    pub incident_rule_exclude_list: BTreeSet<String>,
    /// `severities`: severity and priority by rule level. Not an option of the original.
    pub severities: Severities,
    /// The version of the connector, for the summary note.
    pub version: String,
}

impl EnrichmentOptions {
    /// The defaults of the original connector. `max_tlp` and `app_url` have none.
    pub fn new(max_tlp: Tlp, app_url: impl Into<String>) -> Self {
        Self {
            inspect: InspectOptions::new(max_tlp),
            extract: ExtractOptions::default(),
            links: Links::new(app_url),
            author_name: "Wazuh".to_owned(),
            system_name: "Wazuh SIEM".to_owned(),
            cluster_name: None,
            tlps: [Tlp::AmberStrict.identifier()].into(),
            confidence: 100,
            enrich_labels: ["wazuh_ignore".to_owned()].into(),
            hits_abort_limit: Some(1_000),
            bundle_abort_limit: Some(500),
            agents_as_systems: true,
            account_sighters: None,
            create_agent_ip_observable: true,
            create_agent_hostname_observable: true,
            max_extrefs: 10,
            max_extrefs_per_alert_rule: 2,
            max_notes: 10,
            max_notes_per_alert_rule: 2,
            max_note_size: 20_000,
            create_sighting_summary: true,
            create_incident_summary: true,
            create_incident_links: false,
            require_indicator_for_incidents: true,
            create_incident: IncidentMode::PerSighting,
            create_incident_threshold: 1,
            create_incident_response: true,
            vulnerability_incident_score_threshold: None,
            vulnerability_incident_active_only: true,
            rule_exclude_list: BTreeSet::new(),
            incident_rule_exclude_list: BTreeSet::new(),
            severities: Severities::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The organisation that everything is created by. Its identifier is the one that the platform computes, so it is
    /// found again whoever made it first.
    pub fn author(&self) -> Identity {
        let mut author = Identity::new(self.author_name.trim(), "organization", identity_time());
        author.description = Some("Alerts of Wazuh".to_owned());
        author
    }

    /// What will not work as it was probably meant, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let unguarded: Vec<&str> =
            self.enrich_labels.difference(&self.inspect.label_ignore_list).map(String::as_str).collect();
        if !self.enrich_labels.is_empty() && unguarded.len() == self.enrich_labels.len() {
            warnings.push(format!(
                "`label_ignore_list` has none of `enrich_labels` ({}): what the connector makes is searched in turn",
                unguarded.join(", ")
            ));
        }
        if let Some(own) = Tlp::highest(&self.tlps).filter(|own| *own > self.inspect.max_tlp) {
            warnings.push(format!(
                "`tlps` has {own}, which is above `max_tlp` ({}): the connector does not read what it has made",
                self.inspect.max_tlp
            ));
        }
        for (total, per_rule, name) in [
            (self.max_extrefs, self.max_extrefs_per_alert_rule, "max_extrefs"),
            (self.max_notes, self.max_notes_per_alert_rule, "max_notes"),
        ] {
            if per_rule > total {
                warnings
                    .push(format!("`{name}_per_alert_rule` ({per_rule}) is above `{name}` ({total}), which decides"));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_the_names_of_the_original() {
        for (text, mode) in [
            ("per-sighting", IncidentMode::PerSighting),
            ("PerSighting", IncidentMode::PerSighting),
            ("never", IncidentMode::Never),
        ] {
            assert_eq!(text.parse(), Ok(mode));
        }
        let error = "per_sighting".parse::<IncidentMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`per_sighting` is not one of per-query, per-sighting, per-alert-rule, per-alert, never"
        );
    }

    /// B-18: the author's identifier is that of its own name and class, so a SIEM of the same name is another identity.
    #[test]
    fn b_18_the_author_has_the_identifier_of_the_platform() {
        let options = EnrichmentOptions::new(Tlp::Amber, "https://siem.example.org");
        assert_eq!(options.author().id().to_string(), "identity--a8acf1ac-0322-5d21-931e-d03eaf06e6fb");
        let siem = Identity::new("Wazuh", "system", identity_time());
        assert_ne!(options.author().id(), siem.id());
    }

    /// B-17, and markings that the connector cannot read itself.
    #[test]
    fn b_17_loops_are_warned_of() {
        let mut options = EnrichmentOptions::new(Tlp::AmberStrict, "https://siem.example.org");
        assert_eq!(options.warnings(), [""; 0]);
        options.inspect.label_ignore_list.clear();
        options.inspect.max_tlp = Tlp::Green;
        options.max_notes = 1;
        assert_eq!(options.warnings().len(), 3);
    }
}
