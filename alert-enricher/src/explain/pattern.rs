//! How an alert fares with a pattern that asks for more than single values: test by test, bracket by bracket.

use stix_model::pattern::matcher::{FoundValue, TestVerdict};
use stix_model::pattern::{ComparisonTest, Pattern, Span};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::pattern::{PatternOptions, PatternTranslator};

use super::{Compared, Difference, Different, Outcome};
use crate::pattern::{HuntError, NotVerifiable, PatternHunt, Verifier};

/// How much of a pattern one alert satisfies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// So many of so many brackets; other alerts have to bring the rest.
    Part { met: usize, of: usize },
    /// Nothing.
    None,
}

/// Explains a pattern on an alert. Fails, with the reason, for patterns that alerts say nothing of.
pub(super) fn explain(
    pattern: &Pattern,
    text: &str,
    alert: &Alert<'_>,
    catalogue: &Catalogue,
    include_agents: bool,
) -> Result<(Extent, Vec<Compared>), NotVerifiable> {
    let options =
        PatternOptions { agent_addresses: include_agents, agent_names: include_agents, ..PatternOptions::default() };
    let translator = PatternTranslator::new(catalogue, alert.schema, options);
    let translation = translator.translate(pattern);
    let verifier = Verifier::new(catalogue, &translation, options)?;
    // Spans are equal to each other wherever they are.
    let place_of = |span: Span| (span.start, span.end);
    let tests: Vec<&ComparisonTest> = pattern.tests().collect();
    let (mut met, mut comparisons) = (0, Vec::new());
    for place in 0..translation.observations.len() {
        let Some(explanation) = verifier.explain(place, alert) else { continue };
        met += usize::from(explanation.matched);
        for told in explanation.tests {
            let test = tests.iter().find(|test| place_of(test.span) == place_of(told.span));
            let no_field = || test.is_some_and(|test| translator.fields(&test.path).is_empty());
            let outcome = match told.verdict {
                TestVerdict::NoObject { .. } | TestVerdict::Absent { .. } if no_field() => {
                    Outcome::NoField { schema: alert.schema }
                }
                verdict => outcome(verdict, alert, catalogue),
            };
            let comparison = test.map_or_else(String::new, ToString::to_string);
            comparisons.push(Compared { comparison, kind: "test", outcome });
        }
    }
    let mut hunt = PatternHunt::new(&verifier);
    match hunt.add(text) {
        // The caller has read the alert, and a pattern that compiled is evaluated.
        Ok(_) | Err(HuntError::Alert(_)) => {}
        Err(HuntError::Match(error)) => return Err(error.into()),
    }
    let hunted = hunt.finish()?;
    let extent = match (hunted.groups.is_empty(), met) {
        (false, _) => Extent::Whole,
        (true, 0) => Extent::None,
        (true, met) => Extent::Part { met, of: translation.observations.len() },
    };
    Ok((extent, comparisons))
}

fn outcome(verdict: TestVerdict, alert: &Alert<'_>, catalogue: &Catalogue) -> Outcome {
    let field = |value: &str| field_of(value, alert, catalogue);
    let seen = |found: Vec<FoundValue>| {
        let different = |found: FoundValue| Different {
            how: Difference::Other,
            field: field(&found.value).unwrap_or(found.path),
            value: found.value,
        };
        let mut seen: Vec<Different> = found.into_iter().map(different).collect();
        seen.sort();
        seen.dedup();
        seen
    };
    match verdict {
        TestVerdict::Satisfied(binding) => Outcome::Satisfied {
            field: binding.value.as_deref().and_then(field),
            path: binding.path,
            value: binding.value,
            normalisation: binding.normalisation.to_string(),
        },
        TestVerdict::NoObject { object_type } => Outcome::NotThere { reached: String::new(), missing: object_type },
        TestVerdict::Absent { reached, .. } => Outcome::NotThere { reached, missing: "property".to_owned() },
        TestVerdict::TypeDiffers { found, expected } => {
            Outcome::OtherType { seen: seen(found), expected: expected.to_owned() }
        }
        TestVerdict::ValueDiffers { found, count } => {
            let told = found.len();
            Outcome::Differs { seen: seen(found), more: count.saturating_sub(told) }
        }
        TestVerdict::Present { found } => Outcome::Present { seen: seen(found) },
        TestVerdict::Broken(error) => Outcome::Broken { why: error.to_string() },
        other => Outcome::Broken { why: format!("{other:?}") },
    }
}

/// The first field that has the value, or has it inside of its text.
fn field_of(value: &str, alert: &Alert<'_>, catalogue: &Catalogue) -> Option<String> {
    let is = |text: &str| text.eq_ignore_ascii_case(value);
    let has = |text: &str| value.len() > 3 && text.to_ascii_lowercase().contains(&value.to_ascii_lowercase());
    let leaf = |test: &dyn Fn(&str) -> bool| alert.leaves.iter().find(|leaf| test(&leaf.text));
    let leaf = leaf(&is).or_else(|| leaf(&has))?;
    Some(catalogue.field(leaf.field).path.to_string())
}
