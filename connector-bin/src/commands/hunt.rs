//! `hunt`: indicators and alerts in, sightings out.

mod files;
mod indexer;
mod patterns;

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};

use alert_enricher::hunt::{HuntOptions, Report, Row, html, sightings_bundle, table};
use alert_enricher::indicator::Key;
use alert_enricher::store::Validity;
use anyhow::{Context as _, Result};
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::pattern::Scope;
use wazuh_query::profile::Since;

use crate::cli::{Format, HuntArguments};
use crate::config::Config;
use crate::output::{self, Outcome, Warnings};
use alert_enricher_cli::input::{self, Indicators};

pub(crate) fn run(arguments: &HuntArguments) -> Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let now = now();
    let options = HuntOptions {
        since: time(arguments.since.as_deref(), "--since", now)?,
        until: time(arguments.until.as_deref(), "--until", now)?,
        exclude_integrations: vec!["opencti".to_owned()],
        matching: arguments.matching.options(Validity {
            from: arguments.honour_valid_from,
            until: !arguments.include_expired,
            ..Validity::HUNT
        }),
        scope: if arguments.across_agents { Scope::AcrossAgents } else { Scope::PerAgent },
    };
    let mut warnings = Warnings::default();
    let from = &arguments.from;
    let scope = if from.is_empty() { None } else { Some(input::scope(&arguments.indicators, from)?) };
    let worthless = arguments.worthless.read()?;
    let Indicators { store, mut skipped } =
        input::indicators_of(&arguments.indicators, worthless, scope.as_ref(), &mut warnings)?;
    let snapshot = store.snapshot();
    let compounds = patterns::read(arguments, &config, &snapshot, &options, &mut skipped)?;
    for skipped in &skipped {
        warnings.add(&skipped.to_string());
    }
    warnings.finish("indicators or parts of files could not be used");
    let mut of_compounds: Vec<&Identifier> = compounds.iter().map(|compound| &compound.indicator.id).collect();
    of_compounds.sort_unstable();
    of_compounds.dedup();
    let mut indicators = snapshot.len();
    for id in of_compounds {
        indicators += usize::from(snapshot.get(id)?.is_none());
    }
    if indicators == 0 {
        anyhow::bail!("no indicator that alerts can be searched for was found");
    }
    let unused = warnings.count;
    let mut trouble = Warnings::default();
    let report = match &arguments.opensearch {
        None => files::hunt(arguments, &config.catalogue, &snapshot, &compounds, &options, &mut trouble)?,
        Some(url) => indexer::hunt(arguments, &config, url, &snapshot, &compounds, &options, now, &mut trouble)?,
    };
    trouble.finish("parts of the alerts could not be used");
    print(arguments, &report, indicators, now)?;
    summary(&report, indicators, unused);
    let nothing = report.counters.alerts == 0 && trouble.count > 0 && arguments.opensearch.is_none();
    Ok(if nothing { Outcome::Failed } else { Outcome::of(unused + trouble.count) })
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn time(text: Option<&str>, option: &str, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    // A bound in the future is of no use, but says what it means.
    let bound = Since::parse(text, Timestamp::MAX).with_context(|| option.to_owned())?;
    Ok(bound.map(|bound| bound.resolve(now)))
}

fn print(arguments: &HuntArguments, report: &Report, indicators: usize, now: Timestamp) -> Result<()> {
    let mut out = output::writer(arguments.out.as_deref())?;
    match arguments.format {
        Format::Table => {
            let text = if report.rows.is_empty() { String::new() } else { table(report, width(arguments)) };
            out.write_all(text.as_bytes())?;
        }
        Format::Ndjson => {
            for row in &report.rows {
                serde_json::to_writer(&mut out, row)?;
                out.write_all(b"\n")?;
            }
        }
        Format::Bundle => {
            let objects = sighted_objects(arguments, report)?;
            // The time of the newest alert: the same alerts give the same bundle.
            let made = report.rows.iter().filter_map(|row| row.last_seen).max().unwrap_or(Timestamp::UNIX_EPOCH);
            let bundle = sightings_bundle(report, |row| object_of(row, &objects), made);
            serde_json::to_writer(&mut out, &bundle.strict())?;
            out.write_all(b"\n")?;
        }
        Format::Html => out.write_all(html(report, indicators, now).as_bytes())?,
    }
    out.flush()?;
    Ok(())
}

/// What was sighted, as it stands in the sources.
fn sighted_objects(arguments: &HuntArguments, report: &Report) -> Result<HashMap<Identifier, Object>> {
    let wanted: std::collections::HashSet<&Identifier> = report.rows.iter().map(|row| &row.indicator).collect();
    let mut objects = HashMap::new();
    input::objects(&arguments.indicators, |object| {
        if wanted.contains(object.id()) {
            objects.insert(object.id().clone(), object);
        }
    })?;
    Ok(objects)
}

fn object_of(row: &Row, objects: &HashMap<Identifier, Object>) -> Option<Object> {
    let listed = || {
        let object = Key::new(row.kind?, &row.value)?.to_object();
        (*object.id() == row.indicator).then_some(object)
    };
    objects.get(&row.indicator).cloned().or_else(listed)
}

fn width(arguments: &HuntArguments) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = arguments.out.is_none() && std::io::stdout().is_terminal();
    // Shells tell the width to programs they export it to only; a wide table wraps, a narrow one loses text.
    columns.unwrap_or(if terminal { 160 } else { 200 })
}

/// One line that says what was done, so that "no hit" can be told from "nothing was looked at".
fn summary(report: &Report, indicators: usize, unused: u64) {
    let counters = report.counters;
    let mut line = format!(
        "{} of {indicators} indicators seen on {} agents: {} hits in {} alerts",
        report.indicators(),
        report.agents(),
        counters.hits,
        counters.alerts,
    );
    for (count, what) in [
        (counters.outside, "hits outside of the time asked for or from excluded integrations"),
        (counters.expired, "hits of indicators that had expired"),
        (counters.not_yet_valid, "hits of indicators that were not valid yet"),
        (counters.revoked, "hits of revoked indicators"),
        (counters.filtered, "hits of indicators that the filters leave out"),
        (counters.undecided, "times a pattern could not be decided"),
        (counters.unreadable, "unreadable documents"),
        (unused, "indicators or parts of files not used"),
    ] {
        if count > 0 {
            line.push_str(&format!("; {count} {what}"));
        }
    }
    eprintln!("{line}");
}
