//! Patterns against observations.

use serde_json::Value;
use stix_model::Timestamp;
use stix_model::pattern::matcher::{
    AndReading, CompiledPattern, MatchLimits, MatchOptions, Observation, Seen, Values, Verdict,
};
use stix_model::pattern::{Pattern, PatternVersion};

/// The first line is a pattern. The rest is JSON, then it is observations; or not, then its bytes are the times of
/// observations and the brackets that they satisfy.
pub fn pattern_match(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (text, rest) = data.split_at(end);
    let Ok(text) = str::from_utf8(text) else { return };
    let mut limits = MatchLimits::default();
    (limits.expression_memory, limits.steps, limits.comparisons) = (1 << 18, 100_000, 1_000_000);
    for version in [PatternVersion::V2_0, PatternVersion::V2_1] {
        let Ok(pattern) = Pattern::parse_as(text, version) else { continue };
        match serde_json::from_slice::<Value>(rest) {
            Ok(Value::Array(values)) => observations(&pattern, &values, limits),
            Ok(value) => observations(&pattern, &[value], limits),
            Err(_) => times(&pattern, rest, limits),
        }
    }
}

fn observations(pattern: &Pattern, values: &[Value], limits: MatchLimits) {
    let Ok(observations) = Observation::read(values) else { return };
    let mut verdicts = Vec::new();
    for values in [Values::Strict, Values::Tolerant] {
        for and in [AndReading::SameObject, AndReading::Event] {
            let options = MatchOptions { and, values, limits };
            let Ok(compiled) = CompiledPattern::new(pattern, &options) else { return };
            let Ok(verdict) = compiled.matches(&observations) else { continue };
            check(&compiled, &observations, &verdict);
            verdicts.push((values, and, verdict.matched));
        }
    }
    // What one object satisfies, the event satisfies.
    for (values, and, matched) in &verdicts {
        let event = verdicts.iter().find(|other| other.0 == *values && other.1 == AndReading::Event);
        assert!(*and == AndReading::Event || !matched || event.is_none_or(|event| event.2), "{pattern}");
    }
}

fn check(compiled: &CompiledPattern, observations: &[Observation<'_>], verdict: &Verdict) {
    assert_eq!(verdict.matched, !verdict.bound.is_empty());
    assert_eq!(compiled.is_match(observations), Ok(verdict.matched));
    for bound in &verdict.bound {
        let observation = &observations[bound.observation];
        assert_eq!(compiled.comparison_holds(bound.bracket, observation), Ok(true));
        assert!(verdict.bindings.iter().any(|binding| binding.observation == bound.observation));
    }
    for (bracket, _) in compiled.brackets().enumerate() {
        for observation in observations {
            let Some(explanation) = compiled.explain(bracket, observation) else { continue };
            let holds = compiled.comparison_holds(bracket, observation);
            assert_eq!(explanation.matched, holds == Ok(true));
            if let Ok(bindings) = compiled.comparison_matches(bracket, observation) {
                assert_eq!(bindings.is_some(), explanation.matched);
            }
        }
    }
}

fn times(pattern: &Pattern, bytes: &[u8], limits: MatchLimits) {
    let brackets = pattern.observations().count();
    let mut satisfied = vec![Vec::new(); brackets];
    let mut seen = Vec::new();
    let (quadruples, _) = bytes.as_chunks::<4>();
    for [begin, length, count, wanted] in quadruples {
        let at = |second: u8| Timestamp::from_unix_millis(i64::from(second) * 1000).expect("in the year 1970");
        let long = if length % 3 == 0 { length % 16 } else { 0 };
        for (bracket, satisfied) in satisfied.iter_mut().enumerate() {
            if wanted >> (bracket % 8) & 1 == 1 {
                satisfied.push(seen.len());
            }
        }
        seen.push(Seen {
            first: at(*begin),
            last: at(begin.saturating_add(long)),
            number_observed: u64::from(count % 4),
        });
    }
    let options = MatchOptions { limits, ..MatchOptions::standard() };
    let Ok(compiled) = CompiledPattern::new(pattern, &options) else { return };
    let Ok(Some(bound)) = compiled.combine(&seen, &satisfied) else { return };
    let mut used = vec![0; seen.len()];
    for one in bound {
        assert!(satisfied[one.bracket].contains(&one.observation), "{pattern}");
        used[one.observation] += one.times;
    }
    // Nothing serves twice, and what was never observed counts as observed once.
    assert!(used.iter().zip(&seen).all(|(used, seen)| *used <= seen.number_observed.max(1)), "{pattern}");
    // What is there more often, and more of it, still matches.
    let more: Vec<Seen> = seen.iter().map(|seen| Seen { number_observed: seen.number_observed + 1, ..*seen }).collect();
    if let Ok(found) = compiled.combine(&more, &satisfied) {
        assert!(found.is_some(), "{pattern}");
    }
}
