//! `pattern check`: is it a pattern, and if not, where is it wrong?

use std::io::Write as _;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stix_model::pattern::{Pattern, PatternVersion};

use super::lines::{self, Bad};
use crate::cli::PatternCheckArguments;
use crate::output::{self, Outcome};

pub(super) fn run(arguments: &PatternCheckArguments) -> Result<Outcome> {
    if let Some(file) = &arguments.ndjson {
        return lines::answer(file, |line| {
            let (id, pattern, version) = question(line, arguments.stix_version.into())?;
            let error = Pattern::parse_as(&pattern, version).err().map(|error| error.to_string());
            let answer = Answer { id, valid: error.is_none(), error };
            serde_json::to_string(&answer).map_err(|error| Bad { id, error: error.to_string() })
        });
    }
    let mut out = output::writer(None)?;
    let mut invalid = 0;
    let several = arguments.patterns.len() > 1;
    for (place, text) in arguments.patterns.iter().enumerate() {
        if several {
            write!(out, "{}: ", place + 1)?;
        }
        match Pattern::parse_as(text, arguments.stix_version.into()) {
            Ok(_) => writeln!(out, "valid")?,
            Err(error) => {
                invalid += 1;
                writeln!(out, "invalid: {}", error.render(text))?;
            }
        }
    }
    out.flush()?;
    Ok(match invalid {
        0 => Outcome::Done,
        _ if invalid == arguments.patterns.len() => Outcome::Failed,
        _ => Outcome::Partial,
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    valid: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    pattern: Option<&'a RawValue>,
    #[serde(borrow)]
    stix_version: Option<&'a RawValue>,
}

pub(super) type Asked<'a> = (Option<&'a RawValue>, String, PatternVersion);

/// What a line asks.
pub(super) fn question(line: &str, default: PatternVersion) -> Result<Asked<'_>, Bad<'_>> {
    let question: Question<'_> = serde_json::from_str(line)
        .map_err(|error| Bad { id: None, error: format!("not an object with `id` and `pattern`: {error}") })?;
    let id = question.id;
    let bad = |error: &str| Bad { id, error: error.to_owned() };
    let text = |value: &'_ RawValue| serde_json::from_str::<String>(value.get()).ok();
    let pattern = question.pattern.and_then(text).ok_or_else(|| bad("`pattern` is not a text"))?;
    let version = match question.stix_version {
        None => default,
        Some(version) => text(version)
            .and_then(|version| PatternVersion::named(&version))
            .ok_or_else(|| bad("`stix_version` is neither \"2.0\" nor \"2.1\""))?,
    };
    Ok((id, pattern, version))
}
