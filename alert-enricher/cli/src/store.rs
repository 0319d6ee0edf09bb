//! `store`: indicators in a file that opens at once.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use stix_model::{Identifier, Timestamp};
use wazuh_query::catalogue::Catalogue;
use wazuh_query::store::files::AlertReader;

use crate::{AddArguments, BuildArguments, InfoArguments, LookupArguments, RemoveArguments, Warnings, input};
use alert_enricher::indicator::{Kind, recognise};
use alert_enricher::store::{
    About, Builder, Built, Decided, FileStore, Match, MatchError, Matcher, Seen, Standing, Validity,
};

/// Writes a store. Answers how many indicators and parts of files could not be used.
pub fn build(arguments: &BuildArguments, now: Option<Timestamp>) -> Result<u64> {
    let mut warnings = Warnings::default();
    let mut builder = Builder::new(arguments.worthless.read()?);
    if let Some(now) = now {
        builder.created(now);
    }
    input::sources(&arguments.indicators, &mut builder, &mut warnings)?;
    let built = builder.finish()?;
    name_skipped(&built, &mut warnings);
    FileStore::create(&arguments.out, &built)?;
    let store = FileStore::open(&arguments.out)?;
    eprintln!(
        "{}: {} indicators, {} bytes; {} indicators or parts of files not used",
        arguments.out.display(),
        store.store().snapshot().len(),
        built.bytes().len(),
        warnings.count
    );
    Ok(warnings.count)
}

fn name_skipped(built: &Built, warnings: &mut Warnings) {
    for skipped in built.skipped() {
        warnings.add(&skipped.to_string());
    }
    warnings.finish("indicators or parts of files could not be used");
}

/// Adds indicators. Answers how many could not be used.
pub fn add(arguments: &AddArguments) -> Result<u64> {
    let mut warnings = Warnings::default();
    let store = FileStore::open(&arguments.store)?;
    let mut builder = store.store().builder(arguments.worthless.read()?);
    input::sources(&arguments.indicators, &mut builder, &mut warnings)?;
    let (before, given) = (store.store().snapshot().len(), builder.len());
    let built = store.add(builder)?;
    name_skipped(&built, &mut warnings);
    let after = store.store().snapshot().len();
    eprintln!("{}: {given} indicators given, {before} before, {after} now", arguments.store.display());
    Ok(warnings.count)
}

/// Removes indicators. Answers how many were not there.
pub fn remove(arguments: &RemoveArguments) -> Result<u64> {
    let store = FileStore::open(&arguments.store)?;
    let ids = arguments.ids.iter().map(|text| identifier(text)).collect::<Result<Vec<_>>>()?;
    let count = store.remove(&ids)?;
    let missing = ids.len() - count;
    eprintln!("{}: {count} indicators removed, {missing} were not there", arguments.store.display());
    Ok(missing as u64)
}

/// An identifier, or that of a plain value.
fn identifier(text: &str) -> Result<Identifier> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(error) => recognise(text).map(|key| key.identifier()).map_err(|_| error).context("neither value nor id"),
    }
}

/// What `store info` prints.
#[derive(Debug, Serialize)]
struct Info {
    indicators: usize,
    revoked: u64,
    expired: u64,
    not_yet_valid: u64,
    patterns: u64,
    values: Vec<(&'static str, u64)>,
    bytes: usize,
    segments: usize,
    #[serde(flatten)]
    about: About,
}

/// Prints what is in a store. Fails if it is damaged.
pub fn info(arguments: &InfoArguments, now: Option<Timestamp>, mut out: &mut dyn Write) -> Result<()> {
    let store = FileStore::open(&arguments.store)?;
    let snapshot = store.store().snapshot();
    snapshot.verify()?;
    let mut info = Info {
        indicators: snapshot.len(),
        revoked: 0,
        expired: 0,
        not_yet_valid: 0,
        patterns: 0,
        values: Kind::ALL.map(|kind| (kind.name(), snapshot.count(kind))).into(),
        bytes: snapshot.size(),
        segments: snapshot.segments(),
        about: snapshot.about()?,
    };
    info.values.retain(|(_, count)| *count > 0);
    for indicator in snapshot.indicators() {
        let indicator = indicator?;
        info.patterns += u64::from(indicator.pattern.is_some());
        let counter = match Validity::RESIDENT.at(&indicator, now) {
            Standing::Revoked => &mut info.revoked,
            Standing::Expired => &mut info.expired,
            Standing::NotYetValid => &mut info.not_yet_valid,
            _ => continue,
        };
        *counter += 1;
    }
    if arguments.json {
        serde_json::to_writer(&mut out, &info)?;
        writeln!(out)?;
    } else {
        print_info(out, &info, &arguments.store)?;
    }
    Ok(out.flush()?)
}

fn print_info(out: &mut dyn Write, info: &Info, path: &Path) -> Result<()> {
    writeln!(out, "{}: undamaged, {} bytes in {} segments", path.display(), info.bytes, info.segments)?;
    if let Some(created) = info.about.created {
        writeln!(out, "built      {created}")?;
    }
    for source in &info.about.sources {
        writeln!(out, "from       {source}")?;
    }
    writeln!(out, "indicators {}", info.indicators)?;
    for (count, what) in
        [(info.revoked, "revoked"), (info.expired, "expired now"), (info.not_yet_valid, "not yet valid")]
    {
        if count > 0 {
            writeln!(out, "  {count:>9} {what}")?;
        }
    }
    if info.patterns > 0 {
        writeln!(out, "  {:>9} found by evaluating their patterns", info.patterns)?;
    }
    writeln!(out, "values     {}", info.values.iter().map(|(_, count)| count).sum::<u64>())?;
    for (name, count) in &info.values {
        writeln!(out, "  {count:>9} {name}")?;
    }
    if info.about.repeated > 0 {
        writeln!(out, "repeated   {}", info.about.repeated)?;
    }
    let skipped: u64 = info.about.skipped.values().sum();
    writeln!(out, "not used   {skipped}")?;
    for (reason, count) in &info.about.skipped {
        writeln!(out, "  {count:>9} {reason}")?;
    }
    Ok(())
}

/// One match as `store lookup` prints it.
#[derive(Debug, Serialize)]
struct Row<'m> {
    #[serde(flatten)]
    seen: &'m Seen,
    indicator: &'m Identifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    labels: &'m [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    tlp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    kind: &'static str,
    comparison: String,
    normalisation: String,
    standing: String,
    /// How a pattern that was evaluated fares: `whole`, `part` or `undecided`, and how AND was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<Decided>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<&'static str>,
}

impl<'m> Row<'m> {
    fn new(found: &'m Match) -> Self {
        let indicator = &found.indicator;
        Self {
            seen: &found.seen,
            indicator: &indicator.id,
            name: indicator.name.as_deref(),
            score: indicator.score,
            confidence: indicator.confidence,
            labels: &indicator.labels,
            tlp: indicator.tlp.map(|tlp| tlp.to_string()),
            valid_from: indicator.valid_from,
            valid_until: indicator.valid_until,
            kind: found.comparison.kind_name(),
            comparison: found.comparison.to_string(),
            normalisation: found.normalisation.to_string(),
            standing: found.standing.to_string(),
            pattern: found.verdict.as_ref().map(|verdict| verdict.decided),
            reading: found.verdict.as_ref().map(|verdict| verdict.reading.name()),
        }
    }
}

/// Prints which indicators values and alerts match. Answers how many alerts could not be read.
pub fn lookup(arguments: &LookupArguments, catalogue: &Catalogue, mut out: &mut dyn Write) -> Result<u64> {
    let store = FileStore::open(&arguments.store)?;
    let options = arguments.matching.options(Validity::RESIDENT);
    let mut matcher = Matcher::new(&store.store().snapshot(), catalogue, options);
    let mut warnings = Warnings::default();
    let mut print = |matches: &[Match]| -> Result<()> {
        for found in matches.iter().filter(|found| arguments.all || found.standing.counts()) {
            serde_json::to_writer(&mut out, &Row::new(found))?;
            writeln!(out)?;
        }
        Ok(())
    };
    for value in &arguments.values {
        print(&matcher.look_up(value)?)?;
    }
    if let Some(path) = &arguments.alert {
        let mut failed = Ok(());
        let mut take = |line: wazuh_query::store::files::Line<'_>| {
            match matcher.matches(line.text) {
                Ok(matches) => failed = print(&matches),
                Err(MatchError::Damaged(error)) => failed = Err(error.into()),
                Err(error) => warnings.add(&format!("{}:{}: {error}", path.display(), line.number)),
            }
            if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let report = AlertReader::new().read(path, input::open(path)?, &mut take);
        failed?;
        for problem in &report.problems {
            warnings.add(&problem.to_string());
        }
    }
    out.flush()?;
    Ok(warnings.count)
}
