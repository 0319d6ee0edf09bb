//! `pattern match`: do these observations match, and which of them?

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use stix_model::pattern::matcher::{
    AndReading, CompiledPattern, MatchError, MatchOptions, Observation, TestVerdict, Values, Verdict,
};
use stix_model::pattern::{Pattern, Span};

use super::check::question;
use super::lines::{self, Bad};
use crate::cli::{PatternMatchArguments, ReadingArgument};
use crate::output::{self, Outcome};
use alert_enricher_cli::input;

pub(super) fn run(arguments: &PatternMatchArguments) -> Result<Outcome> {
    let mut options = MatchOptions::standard();
    options.and = match arguments.reading {
        ReadingArgument::SameObject => AndReading::SameObject,
        ReadingArgument::Event => AndReading::Event,
    };
    if arguments.tolerant {
        options.values = Values::Tolerant;
    }
    if let Some(file) = &arguments.ndjson {
        return lines::answer(file, |line| answer(line, arguments, &options));
    }
    let (Some(text), Some(file)) = (&arguments.pattern, &arguments.observations) else {
        anyhow::bail!("a pattern and --observations are needed, or --ndjson");
    };
    let mut out = output::writer(None)?;
    let pattern = match Pattern::parse_as(text, arguments.stix_version.into()) {
        Ok(pattern) => pattern,
        Err(error) => anyhow::bail!("no pattern: {}", error.render(text)),
    };
    let compiled = CompiledPattern::new(&pattern, &options).map_err(|error| anyhow::anyhow!(placed(&error, text)))?;
    let values = values(file)?;
    let observations = Observation::read(&values).with_context(|| file.display().to_string())?;
    let verdict = compiled.matches(&observations).map_err(|error| anyhow::anyhow!(placed(&error, text)))?;
    show(&mut out, text, &compiled, &observations, &verdict)?;
    out.flush()?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#match: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Observed {
    observations: Option<Value>,
}

/// The answer to a line.
fn answer<'a>(line: &'a str, arguments: &PatternMatchArguments, options: &MatchOptions) -> Result<String, Bad<'a>> {
    let (id, text, version) = question(line, arguments.stix_version.into())?;
    let bad = |error: String| Bad { id, error };
    let observed: Observed = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
    let observations = match observed.observations {
        Some(Value::Array(observations)) => observations,
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(bad("`observations` is not a list".to_owned())),
    };
    let matched = Pattern::parse_as(&text, version)
        .map_err(|error| error.to_string())
        .and_then(|pattern| CompiledPattern::new(&pattern, options).map_err(|error| placed(&error, &text)))
        .and_then(|compiled| {
            let observations = Observation::read(&observations).map_err(|error| error.to_string())?;
            compiled.is_match(&observations).map_err(|error| placed(&error, &text))
        });
    let (matched, error) = match matched {
        Ok(matched) => (Some(matched), None),
        Err(error) => (None, Some(error)),
    };
    serde_json::to_string(&Answer { id, r#match: matched, error }).map_err(|error| bad(error.to_string()))
}

/// An error with its place, as errors of the grammar have it.
fn placed(error: &MatchError, text: &str) -> String {
    let Some(span) = error.span() else { return error.to_string() };
    let before = text.get(..span.start as usize).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {error}")
}

/// The JSON values of a file: one, a list, or one after the other.
fn values(path: &Path) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_reader(input::open(path)?).into_iter() {
        match value.with_context(|| format!("{} is not JSON", path.display()))? {
            Value::Array(values) => all.extend(values),
            value => all.push(value),
        }
    }
    Ok(all)
}

/// So many observations are explained where nothing matches.
const EXPLAINED: usize = 3;

fn show(
    out: &mut dyn Write,
    text: &str,
    compiled: &CompiledPattern,
    observations: &[Observation<'_>],
    verdict: &Verdict,
) -> Result<()> {
    let options = compiled.options();
    let values = match options.values {
        Values::Strict => "as they are written",
        Values::Tolerant => "without regard to case and notation",
    };
    writeln!(out, "match: {}", if verdict.matched { "yes" } else { "no" })?;
    writeln!(out, "reading: {}, values {values}", verdict.reading.name())?;
    if !verdict.matched {
        return show_absence(out, text, compiled, observations);
    }
    let mut shown = None;
    for bound in &verdict.bound {
        let span = compiled.brackets().nth(bound.bracket).unwrap_or_default();
        if shown.replace(bound.bracket) != Some(bound.bracket) {
            writeln!(out, "\n{}", one_line(span.text(text)))?;
        }
        let Some(observation) = observations.get(bound.observation) else { continue };
        let times = if bound.times > 1 { format!(", {} times", bound.times) } else { String::new() };
        writeln!(out, "  {}{times}", named(bound.observation, observation))?;
        let of_bracket = |binding: &Span| binding.start >= span.start && binding.end <= span.end;
        let bindings = verdict.bindings.iter().filter(|binding| binding.observation == bound.observation);
        for binding in bindings.filter(|binding| of_bracket(&binding.span)) {
            writeln!(out, "    {}", one_line(&binding.to_string()))?;
        }
    }
    Ok(())
}

/// What every bracket lacks.
fn show_absence(
    out: &mut dyn Write,
    text: &str,
    compiled: &CompiledPattern,
    observations: &[Observation<'_>],
) -> Result<()> {
    let mut are_all_satisfied = true;
    for (bracket, span) in compiled.brackets().enumerate() {
        let mut satisfied = 0;
        for observation in observations {
            satisfied += usize::from(compiled.comparison_holds(bracket, observation).unwrap_or(false));
        }
        writeln!(out, "\n{}", one_line(span.text(text)))?;
        writeln!(out, "  satisfied by {satisfied} of {} observations", observations.len())?;
        are_all_satisfied &= satisfied > 0;
        if satisfied > 0 {
            continue;
        }
        for (place, observation) in observations.iter().enumerate().take(EXPLAINED) {
            let Some(explanation) = compiled.explain(bracket, observation) else { continue };
            writeln!(out, "  {}", named(place, observation))?;
            for test in explanation.tests {
                writeln!(out, "    {}: {}", one_line(test.span.text(text)), one_line(&told(&test.verdict)))?;
            }
            if explanation.only_across_objects {
                writeln!(out, "    no single object satisfies all of it; with --reading event it matches")?;
            }
        }
    }
    if are_all_satisfied {
        writeln!(out, "\nnot by as many different observations, in this order and time, as the pattern wants")?;
    }
    Ok(())
}

fn named(place: usize, observation: &Observation<'_>) -> String {
    let (first, last) = (observation.first(), observation.last());
    let until = if first == last { String::new() } else { format!(" to {last}") };
    format!("observation {} ({first}{until})", place + 1)
}

fn told(verdict: &TestVerdict) -> String {
    let list = |found: &[stix_model::pattern::matcher::FoundValue]| {
        let values: Vec<String> = found.iter().map(|found| format!("`{}`", found.value)).collect();
        values.join(", ")
    };
    match verdict {
        TestVerdict::Satisfied(binding) => binding.to_string(),
        TestVerdict::NoObject { object_type } => format!("there is no {object_type}"),
        TestVerdict::Absent { object, reached } => format!("absent: {object} has the path up to {reached}"),
        TestVerdict::TypeDiffers { found, expected } => format!("it is {}, and not {expected}", list(found)),
        TestVerdict::ValueDiffers { found, count } if *count > found.len() => {
            format!("it is {} and {} more", list(found), count - found.len())
        }
        TestVerdict::ValueDiffers { found, .. } => format!("it is {}", list(found)),
        TestVerdict::Present { found } => format!("it is there: {}", list(found)),
        TestVerdict::Broken(error) => error.to_string(),
        _ => "not satisfied".to_owned(),
    }
}

/// Text of the input on one line, without what could move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}
