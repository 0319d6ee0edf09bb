//! Looking many values up at once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use stix_model::{Identifier, Tlp};

use crate::{Author, Context, Error, Marking};

/// What is looked up, in one go. Values match without regard to case, as the platform's index does.
///
/// ```
/// use opencti_client::Lookup;
///
/// let mut lookup = Lookup::new();
/// lookup.value("198.51.100.3").hash("SHA-256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// lookup.pattern_with("198.51.100.3");
/// assert!(!lookup.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lookup {
    /// Values of observables: addresses, names, URLs, …
    pub values: Vec<String>,
    /// Digests, by algorithm (`SHA-256`).
    pub hashes: BTreeMap<String, Vec<String>>,
    /// Other attributes of observables by the platform's name: `name` of files, `path`, `attribute_key`, …
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Patterns of indicators, whole, in the platform's spelling.
    pub patterns: Vec<String>,
    /// Values that occur in the pattern of an indicator. Each costs the platform a search through all patterns.
    pub in_patterns: Vec<String>,
    /// How much is returned at most.
    pub limits: LookupLimits,
}

/// How much a look-up returns at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookupLimits {
    /// Observables.
    pub observables: u32,
    /// Indicators found by their pattern.
    pub indicators: u32,
    /// Indicators per observable.
    pub indicators_each: u32,
    /// Relations per observable and per indicator. Zero looks at none.
    pub relations_each: u32,
}

impl Default for LookupLimits {
    fn default() -> Self {
        Self { observables: 100, indicators: 100, indicators_each: 20, relations_each: 20 }
    }
}

impl Lookup {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of an observable.
    pub fn value(&mut self, value: impl Into<String>) -> &mut Self {
        add(&mut self.values, value.into());
        self
    }

    /// Adds a digest.
    pub fn hash(&mut self, algorithm: impl Into<String>, digest: impl Into<String>) -> &mut Self {
        add(self.hashes.entry(algorithm.into()).or_default(), digest.into().to_lowercase());
        self
    }

    /// Adds another attribute of observables.
    pub fn attribute(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        add(self.attributes.entry(name.into()).or_default(), value.into());
        self
    }

    /// Adds a whole pattern.
    pub fn pattern(&mut self, pattern: impl Into<String>) -> &mut Self {
        add(&mut self.patterns, pattern.into());
        self
    }

    /// Adds a value that occurs in a pattern as a text constant.
    pub fn pattern_with(&mut self, value: impl Into<String>) -> &mut Self {
        add(&mut self.in_patterns, value.into());
        self
    }

    /// Whether nothing is looked up.
    pub fn is_empty(&self) -> bool {
        !self.wants_observables() && !self.wants_indicators()
    }

    /// Whether observables are looked up.
    pub fn wants_observables(&self) -> bool {
        !self.values.is_empty()
            || self.hashes.values().any(|digests| !digests.is_empty())
            || self.attributes.values().any(|values| !values.is_empty())
    }

    /// Whether indicators are looked up by pattern.
    pub fn wants_indicators(&self) -> bool {
        !self.patterns.is_empty() || !self.in_patterns.is_empty()
    }
}

fn add(list: &mut Vec<String>, value: String) {
    if !value.is_empty() && !list.contains(&value) {
        list.push(value);
    }
}

/// A value as it stands in a text constant of the patterning language, without the quotes around it.
pub(crate) fn in_pattern(value: &str) -> String {
    value.replace('\\', r"\\").replace('\'', r"\'")
}

/// What is known about the values.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// Observables found by value, digest or attribute.
    pub observables: Vec<KnownObservable>,
    /// Indicators found by pattern.
    pub indicators: Vec<KnownIndicator>,
    /// Whether there would have been more than the limits allow.
    pub more: bool,
    /// What could not be read, each with the reason.
    pub skipped: Vec<String>,
}

/// An observable that is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KnownObservable {
    /// The platform's internal identifier.
    pub id: String,
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The platform's name of the type.
    pub entity_type: String,
    /// The value, as the platform shows it.
    pub value: String,
    /// Digests by algorithm.
    pub hashes: BTreeMap<String, String>,
    /// The score, 0 to 100.
    pub score: Option<i64>,
    /// The description.
    pub description: Option<String>,
    /// The author.
    pub author: Option<Author>,
    /// The markings.
    pub markings: Vec<Marking>,
    /// The labels.
    pub labels: Vec<String>,
    /// When it was created in the platform, in RFC 3339.
    pub created_at: Option<String>,
    /// When it was changed in the platform, in RFC 3339.
    pub updated_at: Option<String>,
    /// The indicators that are based on it.
    pub indicators: Vec<KnownIndicator>,
    /// Observables one relation away (a domain and its address), with their indicators. Empty for those themselves.
    pub related: Vec<RelatedObservable>,
}

/// An observable one relation away.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RelatedObservable {
    /// The type of the relation: `resolves-to`, `belongs-to`, `related-to`, …
    pub relationship_type: String,
    /// Whether the relation leads from the observable that was looked up to this one.
    pub outgoing: bool,
    /// The other observable.
    pub observable: KnownObservable,
}

/// An indicator that is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KnownIndicator {
    /// The platform's internal identifier.
    pub id: String,
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The pattern.
    pub pattern: String,
    /// The pattern's language, `stix` mostly.
    pub pattern_type: String,
    /// Since when it counts, in RFC 3339.
    pub valid_from: Option<String>,
    /// Until when it counts, in RFC 3339.
    pub valid_until: Option<String>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The score, 0 to 100.
    pub score: Option<i64>,
    /// How sure its author is, 0 to 100.
    pub confidence: Option<i64>,
    /// Whether it is meant for detection.
    pub detection: bool,
    /// The platform's name of the main observable type.
    pub main_observable_type: Option<String>,
    /// The author.
    pub author: Option<Author>,
    /// The markings.
    pub markings: Vec<Marking>,
    /// The labels.
    pub labels: Vec<String>,
    /// Its kill chain phases, as `chain:phase`.
    pub kill_chain_phases: Vec<String>,
    /// What it indicates: malware, threat actors, campaigns.
    pub indicates: Vec<Indicated>,
}

/// What an indicator indicates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Indicated {
    /// The standard identifier.
    pub standard_id: Identifier,
    /// The platform's name of the type.
    pub entity_type: String,
    /// The name.
    pub name: String,
}

impl KnownObservable {
    /// The highest level of the traffic light protocol.
    pub fn tlp(&self) -> Option<Tlp> {
        self.markings.iter().filter_map(Marking::tlp).max()
    }
}

impl KnownIndicator {
    /// The highest level of the traffic light protocol.
    pub fn tlp(&self) -> Option<Tlp> {
        self.markings.iter().filter_map(Marking::tlp).max()
    }
}

/// Threat intelligence that knows observables and indicators.
#[async_trait]
pub trait ThreatIntelligence: Send + Sync {
    /// Looks everything up at once.
    ///
    /// What is returned may be wider than what was asked for (a pattern that holds a value need not match it), never
    /// narrower within the limits: the caller decides what counts.
    async fn look_up(&self, lookup: &Lookup, context: &Context) -> Result<Known, Error>;
}
