//! Why an indicator is in an alert, or what kept it from being found there.
//!
//! An [`Explainer`] takes one indicator and one alert apart: every comparison that the indicator asks for, what the
//! alert has to compare it with, and how close that comes. It answers with the store's own verdict, so an explanation
//! never says anything else than the hunt does.

mod difference;
mod pattern;
mod text;
mod value;

use serde::Serialize;
use stix_model::pattern::Pattern;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::alert::{Alert, ReadError};
use wazuh_query::catalogue::{Catalogue, Schema};

use crate::indicator::{Normalisation, PatternError, SkipReason, keys_of_pattern};
use crate::store::{Builder, Comparison, MatchError, MatchOptions, Matcher, Standing, Worthless};

use pattern::Extent;

pub use difference::Difference;

/// What an alert says to an indicator.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "reason")]
#[non_exhaustive]
pub enum Verdict {
    /// The indicator is in the alert, and counts.
    Matches,
    /// The indicator is in the alert, but does not count.
    DoesNotCount(Standing),
    /// The alert satisfies a part of the pattern; other alerts have to bring the rest.
    MatchesPart {
        /// So many brackets.
        met: usize,
        /// Of so many.
        of: usize,
    },
    /// The indicator is not in the alert.
    DoesNotMatch,
    /// Alerts cannot be searched for the indicator.
    NotSearchable(String),
}

/// How one comparison of an indicator fares.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
#[non_exhaustive]
pub enum Outcome {
    /// It is met.
    Matched {
        /// The field.
        field: String,
        /// The text in it.
        value: String,
        /// How the text became the value.
        normalisation: Normalisation,
    },
    /// An object of the alert satisfies a test of the pattern.
    Satisfied {
        /// Where in the object.
        path: String,
        /// The value there; absent for `NOT EXISTS`.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// The field that the value comes from, where the alert has it as it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// What had to be done to compare it.
        normalisation: String,
    },
    /// The alert has no object of the type, or none with the property.
    NotThere {
        /// How much of the path is there; empty if nothing is.
        reached: String,
        /// What is missing: the type of object, or `property`.
        missing: String,
    },
    /// The alert has values of another type.
    OtherType {
        /// The values.
        seen: Vec<Different>,
        /// What the pattern compares with.
        expected: String,
    },
    /// The alert has what the pattern wants absent.
    Present {
        /// The values.
        seen: Vec<Different>,
    },
    /// The test cannot be evaluated on this alert.
    Broken {
        /// Why.
        why: String,
    },
    /// The value is in most alerts of the world and says nothing.
    Worthless {
        /// Why.
        why: String,
    },
    /// No field of this schema holds such values: no alert can ever match.
    NoField {
        /// The schema of the alert.
        schema: Schema,
    },
    /// The schema has fields for such values, but the alert has none of them.
    Absent {
        /// How many fields there are.
        fields: usize,
    },
    /// The alert has such values, and they are others.
    Differs {
        /// The values, the closest first; the first few of them.
        seen: Vec<Different>,
        /// How many more there are.
        more: usize,
    },
}

/// A value that is not the one of the indicator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Different {
    /// How it differs.
    pub how: Difference,
    /// The field.
    pub field: String,
    /// The text in it.
    pub value: String,
}

/// One comparison of an indicator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// What is compared: a value in its normal form, or a test of a pattern.
    pub comparison: String,
    /// The name of the kind of the value.
    pub kind: &'static str,
    /// How it fares.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Why an indicator is in an alert, or is not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The indicator or observable.
    pub indicator: Identifier,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The identifier of the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// When the alert was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// From when on the indicator is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when the indicator is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// What the alert says to it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Every comparison.
    pub comparisons: Vec<Compared>,
}

/// Explains indicators on alerts.
///
/// ```
/// use alert_enricher::explain::{Explainer, Verdict};
/// use alert_enricher::store::MatchOptions;
/// use stix_model::sco::DomainName;
/// use wazuh_query::catalogue::Catalogue;
///
/// let explainer = Explainer::new(&Catalogue::builtin(), MatchOptions::default());
/// let alert = r#"{"rule":{"id":"100"},"data":{"dns":{"question":{"name":"www.evil.example"}}}}"#;
/// let explanation = explainer.explain(&DomainName::new("evil.example").into(), alert)?;
/// assert_eq!(explanation.verdict, Verdict::DoesNotMatch);
/// assert!(explanation.to_string().contains("a name below the domain"));
/// # Ok::<(), alert_enricher::store::MatchError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Explainer {
    catalogue: Catalogue,
    options: MatchOptions,
    worthless: Worthless,
}

impl Explainer {
    /// For the alerts that the catalogue describes, matched in this way.
    pub fn new(catalogue: &Catalogue, options: MatchOptions) -> Self {
        Self { catalogue: catalogue.clone(), options, worthless: Worthless::default() }
    }

    /// With these values as worthless.
    #[must_use]
    pub fn worthless(mut self, worthless: Worthless) -> Self {
        self.worthless = worthless;
        self
    }

    /// Why the indicator or observable is in the alert, or is not.
    ///
    /// Fails when the text is no alert.
    pub fn explain(&self, object: &Object, alert: &str) -> Result<Explanation, MatchError> {
        let read = Alert::read(alert, &self.catalogue)?;
        let (verdict, comparisons) = match whole_pattern(object) {
            Some(pattern) => self.pattern(object, &pattern, alert, &read),
            None => self.values(object, alert, &read)?,
        };
        let written = crate::indicator::Indicator::of_object(object);
        let name = match object {
            Object::Indicator(indicator) => indicator.name.clone(),
            _ => None,
        };
        Ok(Explanation {
            indicator: object.id().clone(),
            name,
            alert: read.shown_id().map(str::to_owned),
            time: read.timestamp,
            valid_from: written.valid_from,
            valid_until: written.valid_until,
            verdict,
            comparisons,
        })
    }

    /// An indicator whose pattern asks for more than single values.
    fn pattern(&self, object: &Object, pattern: &Pattern, text: &str, alert: &Alert<'_>) -> (Verdict, Vec<Compared>) {
        let explained = pattern::explain(pattern, text, alert, &self.catalogue, self.options.include_agents);
        let (extent, comparisons) = match explained {
            Ok(explained) => explained,
            Err(why) => return (Verdict::NotSearchable(why.to_string()), Vec::new()),
        };
        let indicator = crate::indicator::Indicator::of_object(object);
        let standing = match self.options.validity.at(&indicator, alert.timestamp) {
            Standing::Valid => self.options.filter.check(&indicator).map_or(Standing::Valid, Standing::Filtered),
            standing => standing,
        };
        let verdict = match extent {
            Extent::None => Verdict::DoesNotMatch,
            _ if !standing.counts() => Verdict::DoesNotCount(standing),
            Extent::Part { met, of } => Verdict::MatchesPart { met, of },
            Extent::Whole => Verdict::Matches,
        };
        (verdict, comparisons)
    }

    /// An observable, or an indicator that asks for values any one of which is enough.
    fn values(&self, object: &Object, alert: &str, read: &Alert<'_>) -> Result<(Verdict, Vec<Compared>), MatchError> {
        let mut builder = Builder::new(self.worthless.clone());
        builder.object(object);
        let built = builder.finish().map_err(|_| ReadError::NotAnAlert)?;
        let skipped = built.skipped().to_vec();
        let store = built.into_store();
        let snapshot = store.snapshot();
        let known = snapshot.get(object.id())?;
        let mut matcher = Matcher::new(&snapshot, &self.catalogue, self.options.clone());
        let matches = matcher.matches(alert)?;

        let mut comparisons: Vec<Compared> = matches
            .iter()
            .map(|found| Compared {
                comparison: found.comparison.to_string(),
                kind: found.comparison.kind_name(),
                outcome: Outcome::Matched {
                    field: found.seen.field.clone(),
                    value: found.seen.value.to_string(),
                    normalisation: found.normalisation,
                },
            })
            .collect();
        comparisons.extend(skipped.iter().filter_map(|skipped| match &skipped.why {
            SkipReason::Worthless { value, reason } => Some(Compared {
                comparison: value.clone(),
                kind: "value",
                outcome: Outcome::Worthless { why: reason.to_string() },
            }),
            _ => None,
        }));
        let seen = value::Seen::of(read, &self.catalogue, self.options.include_agents);
        for key in snapshot.keys() {
            let (_, key) = key?;
            let is_met = |found: &crate::store::Match| found.comparison == Comparison::Value(key.clone());
            if !matches.iter().any(is_met) {
                let outcome = seen.outcome(&key);
                comparisons.push(Compared { comparison: key.to_string(), kind: key.kind().name(), outcome });
            }
        }

        let verdict = match (matches.iter().map(|found| found.standing).min(), &known) {
            (Some(standing), _) if standing.counts() => Verdict::Matches,
            (Some(standing), _) => Verdict::DoesNotCount(standing),
            (None, Some(_)) => Verdict::DoesNotMatch,
            (None, None) => {
                let why =
                    skipped.first().map_or_else(|| "alerts hold no such object".to_owned(), |why| why.why.to_string());
                Verdict::NotSearchable(why)
            }
        };
        Ok((verdict, comparisons))
    }
}

/// The pattern of an indicator that asks for more than values any one of which is enough.
fn whole_pattern(object: &Object) -> Option<Pattern> {
    let Object::Indicator(indicator) = object else { return None };
    if indicator.pattern_type.as_str() != "stix" {
        return None;
    }
    match keys_of_pattern(&indicator.pattern) {
        Ok(_) | Err(PatternError::Syntax(_)) => None,
        Err(_) => Pattern::read(&indicator.pattern).ok(),
    }
}

#[cfg(test)]
mod tests {
    use stix_model::sdo::Indicator;

    use super::*;
    use crate::store::{Filter, Validity};

    const ALERT: &str = r#"{"_id":"a1","_source":{"timestamp":"2026-03-14T09:26:53.589+0000","rule":{"id":"5710"},
        "agent":{"id":"001","name":"web01","ip":"198.51.100.99"},
        "data":{"srcip":"203.0.113.7","url":"http://www.evil.example/x"},
        "syscheck":{"path":"/tmp/nc","sha256_after":"0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"}}}"#;

    fn explain(pattern: &str, options: MatchOptions) -> Explanation {
        let time = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut indicator = Indicator::new(pattern, "stix", time, time);
        indicator.valid_until = Some("2026-03-10T00:00:00Z".parse().unwrap());
        Explainer::new(&Catalogue::builtin(), options).explain(&indicator.into(), ALERT).unwrap()
    }

    fn any() -> MatchOptions {
        MatchOptions { validity: Validity::ANY, ..MatchOptions::default() }
    }

    #[test]
    fn a_match_says_where_and_how() {
        let explanation = explain("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", any());
        assert_eq!(explanation.verdict, Verdict::Matches);
        let text = explanation.to_string();
        assert!(
            text.contains("address `203.0.113.0/24`: met by data.srcip = `203.0.113.7` (in the network)"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_count_says_why() {
        let pattern = "[ipv4-addr:value = '203.0.113.7']";
        let expired = explain(pattern, MatchOptions::default());
        assert_eq!(expired.verdict, Verdict::DoesNotCount(Standing::Expired));
        let filter = Filter { min_score: Some(50), ..Filter::default() };
        let filtered = explain(pattern, MatchOptions { filter, ..any() });
        assert!(filtered.to_string().contains("does not count: filtered: score too low or unknown"));
    }

    #[test]
    fn what_is_not_there_is_absent_or_another_or_without_a_field() {
        let outcome = |pattern: &str| {
            let explanation = explain(pattern, any());
            assert_eq!(explanation.verdict, Verdict::DoesNotMatch, "{pattern}");
            explanation.comparisons[0].outcome.clone()
        };
        assert!(matches!(outcome("[mac-addr:value = '0a:1b:2c:3d:4e:5f']"), Outcome::Absent { fields } if fields > 3));
        // The agent's own address is not looked at unless that is asked for.
        let Outcome::Differs { seen, more } = outcome("[ipv4-addr:value = '198.51.100.99']") else { panic!() };
        assert_eq!((seen.len(), more, seen[0].how), (1, 0, Difference::Other));
        let Outcome::Differs { seen, .. } = outcome("[domain-name:value = 'evil.example']") else { panic!() };
        assert_eq!((seen[0].how, seen[0].field.as_str()), (Difference::BelowDomain, "data.url"));
        let Outcome::Differs { seen, .. } = outcome("[file:name = '/usr/bin/nc']") else { panic!() };
        assert_eq!(seen[0].how, Difference::SameName);
    }

    #[test]
    fn what_cannot_be_searched_says_so() {
        let explanation = explain("[file:name = 'x", any());
        assert!(matches!(explanation.verdict, Verdict::NotSearchable(_)), "{explanation}");
        let time = "2026-03-01T00:00:00Z".parse().unwrap();
        let yara = Indicator::new("rule x { condition: true }", "yara", time, time);
        let explanation = Explainer::new(&Catalogue::builtin(), any()).explain(&yara.into(), ALERT).unwrap();
        assert!(explanation.to_string().contains("alerts cannot be searched for it"), "{explanation}");
    }

    #[test]
    fn every_value_is_explained() {
        let explanation = explain("[ipv4-addr:value IN ('203.0.113.7', '192.0.2.1', '0.0.0.0')]", any());
        assert_eq!(explanation.verdict, Verdict::Matches);
        let outcomes: Vec<_> = explanation.comparisons.iter().map(|compared| compared.comparison.as_str()).collect();
        assert_eq!(outcomes, ["203.0.113.7", "0.0.0.0", "192.0.2.1"]);
        assert!(matches!(explanation.comparisons[1].outcome, Outcome::Worthless { .. }));
    }

    #[test]
    fn a_pattern_is_explained_test_by_test() {
        let both = explain("[ipv4-addr:value = '203.0.113.7' AND file:name = 'nc']", any());
        assert_eq!(both.verdict, Verdict::Matches, "{both}");
        assert!(both.to_string().contains("met by data.srcip = `203.0.113.7`"), "{both}");
        let one = explain("[ipv4-addr:value = '203.0.113.7' AND file:name = 'ncat']", any());
        assert_eq!(one.verdict, Verdict::DoesNotMatch, "{one}");
        assert!(matches!(one.comparisons[1].outcome, Outcome::Differs { .. }), "{one}");
        let absent = explain("[ipv4-addr:value = '203.0.113.7' AND mac-addr:value LIKE '0a:%']", any());
        assert!(matches!(absent.comparisons[1].outcome, Outcome::NotThere { .. }), "{absent}");
    }

    #[test]
    fn a_part_of_a_pattern_is_no_match() {
        let part = explain("[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [file:name = 'x.exe']", any());
        assert_eq!(part.verdict, Verdict::MatchesPart { met: 1, of: 2 }, "{part}");
        let repeated = explain("[ipv4-addr:value = '203.0.113.7'] REPEATS 3 TIMES", any());
        assert_eq!(repeated.verdict, Verdict::MatchesPart { met: 1, of: 1 }, "{repeated}");
    }

    #[test]
    fn a_pattern_counts_as_its_indicator_does() {
        let expired = explain("[ipv4-addr:value = '203.0.113.7' AND file:name = 'nc']", MatchOptions::default());
        assert_eq!(expired.verdict, Verdict::DoesNotCount(Standing::Expired), "{expired}");
        let nothing = explain("[email-message:body LIKE '%x%' AND email-message:is_multipart = true]", any());
        assert!(matches!(nothing.verdict, Verdict::NotSearchable(_)), "{nothing}");
    }
}
