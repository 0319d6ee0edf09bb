//! Patterns against observations.
#![cfg(feature = "matcher")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking, and say what they did"
)]

#[path = "pattern_matching/corpus.rs"]
mod corpus;
#[path = "pattern_matching/hostile.rs"]
mod hostile;
#[path = "pattern_matching/readings.rs"]
mod readings;
#[path = "pattern_matching/temporal.rs"]
mod temporal;

use serde_json::Value;
use stix_model::pattern::matcher::{CompiledPattern, MatchOptions, Observation};
use stix_model::pattern::{Pattern, PatternVersion};

/// Whether a pattern matches, or what is wrong.
fn matches(
    pattern: &str,
    version: PatternVersion,
    observations: &[Value],
    options: &MatchOptions,
) -> Result<bool, String> {
    let pattern = Pattern::parse_as(pattern, version).map_err(|error| format!("pattern: {error}"))?;
    let compiled = CompiledPattern::new(&pattern, options).map_err(|error| format!("pattern: {error}"))?;
    let observations = Observation::read(observations).map_err(|error| error.to_string())?;
    let verdict = compiled.matches(&observations).map_err(|error| error.to_string())?;
    assert_eq!(verdict.matched, !verdict.bound.is_empty());
    assert_eq!(Ok(verdict.matched), compiled.is_match(&observations));
    for bound in &verdict.bound {
        // Whatever serves a bracket satisfies it.
        let observation = &observations[bound.observation];
        assert!(bound.times <= observation.number_observed());
        assert_eq!(compiled.comparison_holds(bound.bracket, observation), Ok(true));
        assert!(compiled.explain(bound.bracket, observation).is_some_and(|explanation| explanation.matched));
        assert!(verdict.bindings.iter().any(|binding| binding.observation == bound.observation));
    }
    Ok(verdict.matched)
}
