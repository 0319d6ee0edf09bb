//! `lookup`: what would be raised, and why.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use alert_enricher::indicator::{Key, recognise};
use alert_enricher::knowledge::Asked;
use serde_json::{Value, json};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Role;

use super::LookupArguments;
use crate::process::{Lazy, Processed, Processor};
use crate::settings::Settings;

/// A value by itself is looked up as if an alert without anything else had it.
const BARE: &str = r#"{"rule":{"id":"lookup"}}"#;

pub(super) fn run(arguments: &LookupArguments) -> ExitCode {
    match looked_up(arguments) {
        Ok((processed, value)) => match print(arguments, &processed, value) {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string(), 1),
        },
        Err((line, code)) => failed(&line, code),
    }
}

fn failed(line: &str, code: u8) -> ExitCode {
    eprintln!("error: {line}");
    ExitCode::from(code)
}

fn looked_up(arguments: &LookupArguments) -> Result<(Processed, bool), (String, u8)> {
    let mistake = |error: &dyn std::fmt::Display| (error.to_string(), 2);
    let folder = std::env::temp_dir();
    let mut settings = match &arguments.options {
        Some(path) => Settings::read(Some(path), &folder).map_err(|error| mistake(&error))?,
        None => Settings::default(),
    };
    if !arguments.intel.is_empty() {
        settings.intel.clone_from(&arguments.intel);
    }
    if arguments.catalogue.is_some() {
        settings.catalogue.clone_from(&arguments.catalogue);
    }
    if arguments.token_file.is_some() {
        settings.token_file.clone_from(&arguments.token_file);
    }
    let token = std::env::var("OPENCTI_TOKEN").ok().filter(|token| !token.is_empty());
    let processor = Processor::new(&settings).map_err(|error| mistake(&error))?;
    // A version that was remembered here would be one of another user.
    let nowhere = PathBuf::from("/nonexistent");
    let mut intelligence = Lazy::new(&settings, arguments.url.as_deref(), token.as_deref(), &nowhere);
    let deadline = Instant::now() + settings.deadline(None);
    let name = &arguments.alert_or_value;
    if let Some(text) = read(name).map_err(|error| (format!("{name}: {error}"), 6))? {
        let processed = processor.process(&text, &mut intelligence, deadline);
        return processed.map(|processed| (processed, false)).map_err(|error| (format!("{name}: {error}"), 1));
    }
    let key = recognise(name).map_err(|error| (format!("`{name}` is neither a file nor a value: {error}"), 2))?;
    let asked = vec![asked(key, name)];
    let alert = Alert::read(BARE, &processor.catalogue).map_err(|error| (error.to_string(), 1))?;
    let processed = intelligence
        .get()
        .map_err(Into::into)
        .and_then(|intelligence| processor.judged(&alert, asked, intelligence, deadline));
    processed.map(|processed| (processed, true)).map_err(|error| (error.to_string(), 1))
}

fn asked(key: Key, written: &str) -> Asked {
    Asked { value: key.to_string(), key, written: written.to_owned(), field: "value".to_owned(), role: Role::None }
}

/// The text of a file; `None` if there is no such file.
fn read(name: &str) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if name == "-" {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else if Path::new(name).is_file() {
        bytes = std::fs::read(name)?;
    } else {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn print(arguments: &LookupArguments, processed: &Processed, is_value: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let events: Vec<Value> = processed.events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
        let asked: Vec<Value> = processed.asked.iter().flatten().map(of_asked).collect();
        let passed_over: Vec<Value> = processed
            .judged
            .passed_over
            .iter()
            .map(|over| json!({"indicator": over.indicator, "name": over.name, "why": over.why.to_string()}))
            .collect();
        let why_not = processed.asked.as_ref().err().map(ToString::to_string);
        let all = json!({"asked": asked, "not_asked": why_not, "events": events, "passed_over": passed_over});
        return writeln!(out, "{all}");
    }
    let asked = match &processed.asked {
        Ok(asked) => asked,
        Err(why) => return writeln!(out, "nothing is looked up: {why}"),
    };
    if !is_value {
        writeln!(out, "looked up:")?;
        for asked in asked {
            writeln!(out, "  {} {} ({})", asked.kind().name(), plain(&asked.value), asked.field)?;
        }
    }
    if processed.judged.events.is_empty() {
        writeln!(out, "nothing would be raised")?;
    }
    for event in &processed.judged.events {
        let indicator = &event.indicator;
        let name = indicator.name.as_deref().unwrap_or(&indicator.pattern);
        writeln!(out, "{}: {}", event.event_type.name(), plain(name))?;
        writeln!(out, "  indicator {}", indicator.indicator.id)?;
        writeln!(out, "  pattern {}", plain(&indicator.pattern))?;
        for why in &event.why {
            writeln!(out, "  because {}", plain(why))?;
        }
        if event.more_indicators > 0 {
            writeln!(out, "  and {} more indicators", event.more_indicators)?;
        }
    }
    for over in &processed.judged.passed_over {
        let name = over.name.as_deref().unwrap_or_default();
        writeln!(out, "not raised: {} {}: {}", over.indicator, plain(name), plain(&over.why.to_string()))?;
    }
    out.flush()
}

fn of_asked(asked: &Asked) -> Value {
    json!({"kind": asked.kind().name(), "value": asked.value, "field": asked.field, "written": asked.written})
}

/// Without what a terminal would act on.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}
