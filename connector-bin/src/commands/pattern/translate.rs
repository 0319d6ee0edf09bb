//! `pattern translate` and `pattern explain`: what alerts are searched for, and what can be decided.

use std::io::Write;

use anyhow::Result;
use serde_json::json;
use stix_model::pattern::Span;
use wazuh_query::pattern::{Decides, ObservationQuery, Translation};

use super::searched::{self, Searched};
use super::sigma;
use crate::cli::{PatternTranslateArguments, SearchedPatternArguments};
use crate::output::{self, Outcome};

pub(super) fn run(arguments: &PatternTranslateArguments) -> Result<Outcome> {
    let (text, searched) = searched::read(&arguments.searched)?;
    let mut out = output::writer(None)?;
    let outcome = match searched {
        Searched::Stix { translator, pattern } => {
            let translation = translator.translate(&pattern);
            if arguments.json {
                serde_json::to_writer_pretty(&mut out, &translation.to_value(&text))?;
                out.write_all(b"\n")?;
            } else {
                show(&mut out, &text, &translation)?;
            }
            outcome(&translation.decides)
        }
        Searched::Sigma(rules) => sigma::translate(&mut out, &rules, arguments.json)?,
        Searched::Not(reason) => {
            if arguments.json {
                let value = json!({"type": reason.pattern_type, "searchable": false, "reason": reason.reason});
                writeln!(out, "{value:#}")?;
            } else {
                writeln!(out, "{}", printable(&reason.to_string()))?;
            }
            Outcome::Failed
        }
    };
    out.flush()?;
    Ok(outcome)
}

pub(super) fn explain(arguments: &SearchedPatternArguments) -> Result<Outcome> {
    let (text, searched) = searched::read(arguments)?;
    let mut out = output::writer(None)?;
    let outcome = match searched {
        Searched::Stix { translator, pattern } => {
            out.write_all(printable(&translator.explain(&pattern, &text)).as_bytes())?;
            outcome(&translator.translate(&pattern).decides)
        }
        Searched::Sigma(rules) => sigma::explain(&mut out, &rules)?,
        Searched::Not(reason) => {
            writeln!(out, "{}", printable(&reason.to_string()))?;
            Outcome::Failed
        }
    };
    out.flush()?;
    Ok(outcome)
}

fn outcome(decides: &Decides) -> Outcome {
    match decides {
        Decides::Exactly | Decides::AfterVerification => Outcome::Done,
        Decides::PositivesOnly(_) => Outcome::Partial,
        Decides::NotWithout(_) => Outcome::Failed,
    }
}

/// Text of the input without what could move the cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() && char != '\n' { ' ' } else { char }).collect()
}

fn line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// Where a part begins, and the part.
fn placed(text: &str, span: Span) -> String {
    let before = text.get(..span.start as usize).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {number}, column {column}: {}", line(span.text(text)))
}

fn show(out: &mut dyn Write, text: &str, translation: &Translation) -> Result<()> {
    for (number, observation) in translation.observations.iter().enumerate() {
        show_observation(out, text, number, observation)?;
        writeln!(out)?;
    }
    let scope = if translation.plan.is_single() { String::new() } else { format!(", {}", translation.scope.name()) };
    writeln!(out, "plan: {}{scope}", translation.plan.to_value())?;
    if let Some(verified) = &translation.pattern {
        writeln!(out, "verified against: {}", line(&verified.to_string()))?;
    }
    for one in &translation.unmappable {
        writeln!(out, "unmappable: {} ({})", line(&one.to_string()), placed(text, one.span))?;
    }
    writeln!(out, "decides: {}", translation.decides.name())?;
    for span in translation.decides.unknown() {
        writeln!(out, "  without: {}", placed(text, *span))?;
    }
    Ok(())
}

fn show_observation(out: &mut dyn Write, text: &str, number: usize, observation: &ObservationQuery) -> Result<()> {
    writeln!(out, "{number}: {}", line(observation.span.text(text)))?;
    let (start, stop) = (observation.time.start, observation.time.stop);
    if let Some(start) = start {
        writeln!(out, "  from: {start}")?;
    }
    if let Some(stop) = stop {
        writeln!(out, "  before: {stop}")?;
    }
    let exact =
        if observation.is_exact() { "exactly what is asked for" } else { "what is asked for, and perhaps more" };
    match observation.queries.len() {
        0 => writeln!(out, "  nothing to search for")?,
        1 => writeln!(out, "  one query finds {exact}")?,
        several => writeln!(out, "  {several} queries find {exact}, one would have too many clauses")?,
    }
    for widened in &observation.widened {
        writeln!(out, "  over-approximated: {}: {}", line(widened.span.text(text)), widened.widening)?;
    }
    for query in &observation.queries {
        writeln!(out, "  {}", query.to_json())?;
    }
    Ok(())
}
