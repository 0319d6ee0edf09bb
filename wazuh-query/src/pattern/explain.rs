//! A translation for people.

use std::fmt::Write as _;

use stix_model::pattern::{
    ComparisonExpression, ComparisonTest, ObservationExpression, ObservationOperator, Pattern, QualifierKind,
};

use super::property::resolve;
use super::{Decides, ObservationQuery, PatternTranslator, Scope, Translation, in_alert_terms, shown};

/// So many fields are named.
const SHOWN_FIELDS: usize = 4;

impl PatternTranslator {
    /// What a pattern means, what of it can be searched and where, what is verified afterwards, and whether it can be
    /// decided. `text` is the pattern as it was written.
    pub fn explain(&self, pattern: &Pattern, text: &str) -> String {
        let translation = self.translate(pattern);
        let mut out = String::new();
        let mut writer = Writer { translator: self, translation: &translation, text, out: &mut out, next: 0 };
        writer.line(0, "What is looked for:");
        writer.observation(&pattern.expression, &in_alert_terms(pattern).expression, 1);
        writer.verdict();
        out
    }
}

struct Writer<'w> {
    translator: &'w PatternTranslator,
    translation: &'w Translation,
    text: &'w str,
    out: &'w mut String,
    /// The number of the next observation.
    next: usize,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _infallible = writeln!(self.out, "{:depth$}{text}", "", depth = depth * 2);
    }

    /// `expression` as it was written, `read` in the notation of alerts.
    fn observation(&mut self, expression: &ObservationExpression, read: &ObservationExpression, depth: usize) {
        match (expression, read) {
            (
                ObservationExpression::Observation { comparison, .. },
                ObservationExpression::Observation { comparison: read, .. },
            ) => {
                let translation = self.translation;
                let number = self.next;
                self.next += 1;
                let Some(query) = translation.observations.get(number) else { return };
                self.line(depth, &format!("{}. an alert in which", number + 1));
                self.comparison(comparison, depth + 1);
                let (before, after) = (comparison.to_string(), read.to_string());
                if before != after {
                    self.line(depth + 1, &format!("read as: {after}"));
                }
                self.query(query, depth + 1);
            }
            (
                ObservationExpression::Combined { operator, operands, .. },
                ObservationExpression::Combined { operands: read, .. },
            ) => {
                self.line(
                    depth,
                    match operator {
                        ObservationOperator::And => "all of these, in different alerts:",
                        ObservationOperator::Or => "any of these:",
                        ObservationOperator::FollowedBy => "all of these, in different alerts, one after the other:",
                    },
                );
                for (operand, read) in operands.iter().zip(read) {
                    self.observation(operand, read, depth + 1);
                }
            }
            (
                ObservationExpression::Qualified { expression, qualifier, .. },
                ObservationExpression::Qualified { expression: read, .. },
            ) => {
                let text = match &qualifier.kind {
                    QualifierKind::Within { seconds } => format!("within {seconds} seconds:"),
                    QualifierKind::Repeats { times } => format!("{times} times, each time in other alerts:"),
                    QualifierKind::StartStop { start, stop } => format!("from {start} on and before {stop}:"),
                };
                self.line(depth, &text);
                self.observation(expression, read, depth + 1);
            }
            _ => {}
        }
    }

    fn comparison(&mut self, expression: &ComparisonExpression, depth: usize) {
        match expression {
            ComparisonExpression::Test(test) => self.test(test, depth),
            ComparisonExpression::And(operands, _) => {
                let whole = if self.translation.same_object { "one object satisfies all of:" } else { "all of:" };
                self.line(depth, whole);
                for operand in operands {
                    self.comparison(operand, depth + 1);
                }
            }
            ComparisonExpression::Or(operands, _) => {
                self.line(depth, "any of:");
                for operand in operands {
                    self.comparison(operand, depth + 1);
                }
            }
        }
    }

    fn test(&mut self, test: &ComparisonTest, depth: usize) {
        let text = shown(self.text, test.span);
        self.line(depth, if text.is_empty() { "a test" } else { &text });
        let read = in_alert_terms(&Pattern {
            version: stix_model::pattern::PatternVersion::default(),
            expression: ObservationExpression::Observation {
                comparison: ComparisonExpression::Test(test.clone()),
                span: test.span,
            },
        });
        let Some(path) = read.tests().next().map(|test| test.path.clone()) else { return };
        let fields = self.translator.fields(&path);
        match resolve(&path) {
            Some(property) if !fields.is_empty() => {
                let mut named = fields[..fields.len().min(SHOWN_FIELDS)].join(", ");
                if fields.len() > SHOWN_FIELDS {
                    let _infallible = write!(named, ", and {} more", fields.len() - SHOWN_FIELDS);
                }
                self.line(depth + 1, &format!("searched in {property}: {named}"));
            }
            _ => {
                let unmappable = super::Unmappable::new(&test.path, self.translation.schema);
                self.line(depth + 1, &format!("unmappable: {unmappable}"));
            }
        }
    }

    fn query(&mut self, query: &ObservationQuery, depth: usize) {
        for widened in &query.widened {
            let part = shown(self.text, widened.span);
            self.line(depth, &format!("verified afterwards: {part}: {}", widened.widening));
        }
        if query.queries.len() > 1 {
            self.line(depth, &format!("{} queries, because one would have too many clauses", query.queries.len()));
        }
        if query.is_exact() {
            self.line(depth, "the index answers this exactly");
        }
    }

    fn verdict(&mut self) {
        let translation = self.translation;
        if !translation.plan.is_single() {
            self.line(
                0,
                match translation.scope {
                    Scope::PerAgent => "Alerts of different agents are not put together.",
                    Scope::AcrossAgents => "Alerts of different agents are put together.",
                },
            );
        }
        let parts = |decides: &Decides| {
            decides.unknown().iter().map(|span| shown(self.text, *span)).collect::<Vec<_>>().join(", ")
        };
        let text = match &translation.decides {
            Decides::Exactly => "It can be decided: what the queries find is what was seen.".to_owned(),
            Decides::AfterVerification => {
                "It can be decided: what the queries find is verified against the pattern.".to_owned()
            }
            decides @ Decides::PositivesOnly(_) => format!(
                "It can be decided where something is found. Where nothing is, it may still have been seen: alerts say \
                 nothing of {}.",
                parts(decides)
            ),
            decides @ Decides::NotWithout(_) => {
                format!("It cannot be decided: it needs what alerts say nothing of, {}.", parts(decides))
            }
        };
        self.line(0, &text);
    }
}
