//! One alert against the brackets of a pattern.

use std::borrow::Cow;

use serde_json::Value;
use stix_model::Timestamp;
use stix_model::pattern::matcher::{
    AndReading, Binding, CompiledPattern, Explanation, MatchError, MatchOptions, Observation,
};
use stix_model::pattern::{PatternVersion, Span};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::pattern::{Decides, PatternOptions, Plan, Scope, Translation, Unmappable};

use crate::extract::{AgentFacts, ExtractOptions, Extractor};

/// Makes observations of alerts: everything that an alert holds, at the time of the alert.
#[derive(Clone, Debug)]
pub struct Observer<'c> {
    catalogue: &'c Catalogue,
    options: ExtractOptions,
    agent: AgentFacts,
}

impl<'c> Observer<'c> {
    /// An observer that reads alerts with this catalogue.
    pub fn new(catalogue: &'c Catalogue, options: PatternOptions) -> Self {
        let agent = AgentFacts { address: options.agent_addresses, name: options.agent_names };
        Self { catalogue, options: ExtractOptions::everything(), agent }
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &'c Catalogue {
        self.catalogue
    }

    /// The objects in an alert, each with its key. References name keys.
    pub fn objects(&self, alert: &Alert<'_>) -> Vec<(String, Value)> {
        Extractor::new(self.catalogue, &self.options).observe(alert, self.agent)
    }

    /// An alert as an observation. One without a time counts as raised in 1970.
    pub fn observe(&self, alert: &Alert<'_>) -> Observation<'static> {
        let time = alert.timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
        let objects = self.objects(alert).into_iter().map(|(key, object)| (Cow::Owned(key), Cow::Owned(object)));
        Observation::new(time, time, objects)
    }
}

/// Why no hit of a pattern can be verified.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotVerifiable {
    /// The pattern needs what alerts say nothing of.
    #[error("alerts say nothing of {}", shown(.0))]
    Unknown(Vec<Unmappable>),
    /// The pattern cannot be evaluated.
    #[error(transparent)]
    Pattern(#[from] MatchError),
}

fn shown(unmappable: &[Unmappable]) -> String {
    unmappable.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A bracket that an alert satisfies.
#[derive(Clone, Debug, PartialEq)]
pub struct Satisfied {
    /// Its place in [`Translation::observations`].
    pub observation: usize,
    /// What in the alert satisfies its tests.
    pub bindings: Vec<Binding>,
}

/// Verifies the hits of a translated pattern.
#[derive(Debug)]
pub struct Verifier<'c> {
    observer: Observer<'c>,
    pub(super) compiled: CompiledPattern,
    pub(super) scope: Scope,
    /// Whether one alert is enough.
    pub(super) single: bool,
    /// Whether it matters when an alert was raised.
    pub(super) timed: bool,
    /// For each bracket of the compiled pattern its place among the observations of the translation.
    places: Vec<usize>,
    decides: Decides,
}

impl<'c> Verifier<'c> {
    /// A verifier for what a translation finds. `options` are those of the translator.
    ///
    /// Fails when nothing could be verified, with the reason.
    pub fn new(
        catalogue: &'c Catalogue,
        translation: &Translation,
        options: PatternOptions,
    ) -> Result<Self, NotVerifiable> {
        let unknown = || NotVerifiable::Unknown(translation.unmappable.clone());
        let mut pattern =
            translation.pattern.clone().filter(|_| translation.decides.is_decidable()).ok_or_else(unknown)?;
        // OpenCTI has patterns about vulnerabilities, which STIX 2.1 does not count as observed. STIX 2.0 says nothing
        // about it.
        if pattern.tests().any(|test| &*test.path.object_type == "vulnerability") {
            pattern.version = PatternVersion::V2_0;
        }
        let and = if options.same_object { AndReading::SameObject } else { AndReading::Event };
        let compiled = CompiledPattern::new(&pattern, &MatchOptions { and, ..MatchOptions::alerts() })?;
        let place = |span: Span| translation.observations.iter().position(|one| one.span.start == span.start);
        let places = compiled.brackets().map(|span| place(span).unwrap_or_default()).collect();
        let single = translation.plan.is_single();
        Ok(Self {
            observer: Observer::new(catalogue, options),
            compiled,
            scope: options.scope,
            single,
            timed: !single || has_time(&translation.plan),
            places,
            decides: translation.decides.clone(),
        })
    }

    /// The observer that alerts are read with.
    pub fn observer(&self) -> &Observer<'c> {
        &self.observer
    }

    /// How AND between brackets is read.
    pub fn reading(&self) -> AndReading {
        self.compiled.options().and
    }

    /// What can be said where nothing is found.
    pub fn decides(&self) -> &Decides {
        &self.decides
    }

    /// The brackets that an alert satisfies. The time of the alert does not matter here.
    pub fn verify(&self, alert: &Alert<'_>) -> Result<Vec<Satisfied>, MatchError> {
        let brackets = self.brackets(&self.observer.observe(alert))?;
        Ok(brackets
            .into_iter()
            .map(|(bracket, bindings)| Satisfied { observation: self.place(bracket), bindings })
            .collect())
    }

    /// How an alert fares with an observation of the translation, test by test. `None` for an observation that cannot be
    /// verified.
    pub fn explain(&self, observation: usize, alert: &Alert<'_>) -> Option<Explanation> {
        let bracket = self.places.iter().position(|place| *place == observation)?;
        self.compiled.explain(bracket, &self.observer.observe(alert))
    }

    /// The place of a bracket of the compiled pattern among the observations of the translation.
    pub(super) fn place(&self, bracket: usize) -> usize {
        self.places.get(bracket).copied().unwrap_or_default()
    }

    /// The brackets of the compiled pattern that an observation satisfies.
    pub(super) fn brackets(&self, observation: &Observation<'_>) -> Result<Vec<(usize, Vec<Binding>)>, MatchError> {
        let mut satisfied = Vec::new();
        for bracket in 0..self.places.len() {
            if let Some(bindings) = self.compiled.comparison_matches(bracket, observation)? {
                satisfied.push((bracket, bindings));
            }
        }
        Ok(satisfied)
    }
}

fn has_time(plan: &Plan) -> bool {
    match plan {
        Plan::During { .. } | Plan::Within { .. } => true,
        Plan::All(parts) | Plan::Any(parts) | Plan::InOrder(parts) => parts.iter().any(has_time),
        Plan::Repeats { of, .. } => has_time(of),
        _ => false,
    }
}
