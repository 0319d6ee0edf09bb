//! `coverage`: what could be seen of indicators in alerts at all?

use std::io::Write as _;
use std::ops::ControlFlow;

use alert_enricher::coverage::{Coverage, Demand};
use alert_enricher::store::Worthless;
use anyhow::Result;
use wazuh_query::catalogue::Schema;
use wazuh_query::pattern::{PatternOptions, PatternTranslator};
use wazuh_query::store::files::{AlertReader, alert_files};

use crate::cli::CoverageArguments;
use crate::config::Config;
use crate::output::{self, Outcome, Warnings};
use alert_enricher_cli::input;

pub(crate) fn run(arguments: &CoverageArguments) -> Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let mut warnings = Warnings::default();
    let indicators = input::indicators(&arguments.indicators, Worthless::default(), &mut warnings)?;
    let mut coverage = Coverage::new(&config.catalogue, arguments.include_agents);
    let (files, problems) = alert_files(&arguments.alerts);
    for problem in &problems {
        warnings.add(&problem.to_string());
    }
    let mut reader = AlertReader::new();
    for file in &files {
        let report = reader.read_path(file, |line| {
            if let Err(error) = coverage.alert(line.text) {
                warnings.add(&format!("{}:{}: {error}", line.path.display(), line.number));
            }
            ControlFlow::Continue(())
        });
        for problem in report.problems.iter().filter(|problem| problem.kind.loses_data()) {
            warnings.add(&problem.to_string());
        }
    }
    warnings.finish("parts of the input could not be used");

    let translators = [Schema::Wazuh4, Schema::Wazuh5]
        .map(|schema| PatternTranslator::new(&config.catalogue, schema, PatternOptions::default()));
    let snapshot = indicators.store.snapshot();
    let demand = Demand::of(&snapshot, &indicators.skipped, |path| {
        translators.iter().flat_map(|translator| translator.fields(path)).collect()
    })?;
    let report = coverage.report(&demand);
    let mut out = output::writer(None)?;
    if arguments.json {
        serde_json::to_writer(&mut out, &report)?;
        out.write_all(b"\n")?;
    } else {
        write!(out, "{report}")?;
    }
    out.flush()?;
    eprintln!("{} indicators beside {} alerts", report.indicators, report.alerts);
    if report.alerts == 0 && warnings.count > 0 {
        return Ok(Outcome::Failed);
    }
    Ok(Outcome::of(warnings.count))
}
