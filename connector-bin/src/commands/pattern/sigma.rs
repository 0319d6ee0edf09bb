//! Sigma rules as queries, and what they mean on alerts.

use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};
use wazuh_query::sigma::{Decides, SigmaError, SigmaMatcher, SigmaTranslation};

use super::translate::printable;
use crate::output::Outcome;

/// So many fields are named for a name of a rule.
const SHOWN_FIELDS: usize = 4;

type Rules = [Result<SigmaMatcher, SigmaError>];

pub(super) fn translate(out: &mut dyn Write, rules: &Rules, as_json: bool) -> Result<Outcome> {
    if as_json {
        let value = |rule: &Result<SigmaMatcher, SigmaError>| match rule {
            Ok(rule) => serde_json::to_value(rule.translation()),
            Err(error) => Ok(json!({"error": error.to_string()})),
        };
        let values: Vec<Value> = rules.iter().map(value).collect::<Result<_, _>>()?;
        serde_json::to_writer_pretty(&mut *out, &values)?;
        out.write_all(b"\n")?;
        return Ok(outcome(rules));
    }
    each(out, rules, |out, translation| {
        match &translation.query {
            Some(query) => {
                let finds = if translation.exact {
                    "exactly what the rule matches"
                } else {
                    "what the rule matches, and perhaps more"
                };
                writeln!(out, "  one query finds {finds}")?;
                writeln!(out, "  {}", query.to_json())?;
            }
            None => writeln!(out, "  no query: the index cannot be asked for less than everything")?,
        }
        Ok(())
    })?;
    Ok(outcome(rules))
}

pub(super) fn explain(out: &mut dyn Write, rules: &Rules) -> Result<Outcome> {
    each(out, rules, |out, translation| {
        for mapped in &translation.fields {
            let mut named = mapped.paths[..mapped.paths.len().min(SHOWN_FIELDS)].join(", ");
            if mapped.paths.len() > SHOWN_FIELDS {
                named.push_str(&format!(", and {} more", mapped.paths.len() - SHOWN_FIELDS));
            }
            writeln!(out, "  {} is searched in {named}", printable(&mapped.field))?;
        }
        let found = match (&translation.query, translation.exact) {
            (None, _) => "the index cannot be asked for less than everything",
            (_, true) => "the index answers this exactly",
            (_, false) => "verified afterwards: the index finds more than the rule matches",
        };
        writeln!(out, "  {found}")?;
        Ok(())
    })?;
    Ok(outcome(rules))
}

fn each(
    out: &mut dyn Write,
    rules: &Rules,
    mut show: impl FnMut(&mut dyn Write, &SigmaTranslation) -> Result<()>,
) -> Result<()> {
    for (place, rule) in rules.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        let translation = match rule {
            Ok(rule) => rule.translation(),
            Err(error) => {
                writeln!(out, "no rule: {}", printable(&error.to_string()))?;
                continue;
            }
        };
        writeln!(out, "{}", printable(&translation.title))?;
        let source = &translation.logsource;
        let parts = [("category", &source.category), ("product", &source.product), ("service", &source.service)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?))).collect();
        if !parts.is_empty() {
            writeln!(out, "  about: {}", printable(&parts.join(", ")))?;
        }
        show(out, translation)?;
        for one in &translation.unmapped {
            writeln!(out, "  unmappable: {}, {}", printable(&one.field), printable(&one.reason))?;
        }
        for note in &translation.notes {
            writeln!(out, "  note: {}", printable(note))?;
        }
        let decides = match translation.decides {
            Decides::Everything => "every alert",
            Decides::Some => "some alerts; others stay undecided",
            Decides::Matches => "only that alerts match, never that they do not",
            Decides::NonMatches => "never that an alert matches: a condition that has to hold cannot be asked",
            Decides::Nothing => "nothing",
        };
        writeln!(out, "  decides: {decides}")?;
    }
    Ok(())
}

/// Whether alerts can decide all of the rules, some, or none.
fn outcome(rules: &Rules) -> Outcome {
    let decides = |rule: &Result<SigmaMatcher, SigmaError>| rule.as_ref().ok().map(|rule| rule.translation().decides);
    let hits = |rule| !matches!(decides(rule), None | Some(Decides::NonMatches | Decides::Nothing));
    if rules.iter().all(|rule| decides(rule) == Some(Decides::Everything)) {
        Outcome::Done
    } else if rules.iter().any(hits) {
        Outcome::Partial
    } else {
        Outcome::Failed
    }
}
