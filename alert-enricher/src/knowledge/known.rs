//! What threat intelligence answers, whatever it is asked through.

use crate::indicator::Indicator;

/// What is known about the values of an alert. It may be more than was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knowledge {
    /// Observables with one of the values.
    pub observables: Vec<KnownObservable>,
    /// Indicators whose pattern holds one of the values.
    pub indicators: Vec<KnownIndicator>,
}

/// An indicator.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KnownIndicator {
    /// Identifier, validity, score, labels and the like.
    pub indicator: Indicator,
    /// The platform's internal identifier, for links.
    pub platform_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its pattern.
    pub pattern: String,
    /// The language of the pattern; `stix` mostly.
    pub pattern_type: String,
    /// Whether it is meant for detection.
    pub detection: bool,
    /// The type of the observables it is about, as the platform calls it.
    pub main_observable_type: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// The names of its markings.
    pub markings: Vec<String>,
    /// Its kill chain phases, as `chain:phase`.
    pub kill_chain_phases: Vec<String>,
    /// What it indicates.
    pub indicates: Vec<Indicated>,
}

/// What an indicator indicates: malware, a threat actor, a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicated {
    /// The platform's name of the type: `Malware`, `Intrusion-Set`, …
    pub entity_type: String,
    /// The name.
    pub name: String,
}

/// An observable.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct KnownObservable {
    /// The standard identifier.
    pub id: String,
    /// The platform's internal identifier, for links.
    pub platform_id: Option<String>,
    /// The platform's name of the type.
    pub entity_type: String,
    /// The value, as the platform shows it.
    pub value: String,
    /// Its digests.
    pub hashes: Vec<String>,
    /// The score, 0 to 100.
    pub score: Option<i64>,
    /// The description.
    pub description: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// The names of its markings.
    pub markings: Vec<String>,
    /// The indicators based on it.
    pub indicators: Vec<KnownIndicator>,
    /// Observables one relation away, with their indicators.
    pub related: Vec<Related>,
}

/// An observable one relation away.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// The type of the relation, such as `resolves-to`.
    pub relationship_type: String,
    /// The other observable.
    pub observable: KnownObservable,
}

impl KnownIndicator {
    /// An indicator of which nothing more is known.
    pub fn new(indicator: Indicator, pattern: impl Into<String>) -> Self {
        Self {
            indicator,
            platform_id: None,
            name: None,
            description: None,
            pattern: pattern.into(),
            pattern_type: "stix".to_owned(),
            detection: false,
            main_observable_type: None,
            author: None,
            markings: Vec::new(),
            kill_chain_phases: Vec::new(),
            indicates: Vec::new(),
        }
    }
}
