//! `explain`: why is an indicator in an alert, or what kept it from being found there?

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;

use alert_enricher::explain::{Explainer, Explanation, Verdict};
use alert_enricher::store::{Validity, Worthless};
use anyhow::Result;
use stix_model::Object;
use wazuh_query::store::files::AlertReader;

use crate::cli::ExplainArguments;
use crate::config::Config;
use crate::output::{self, Outcome, Warnings};
use alert_enricher_cli::input;

pub(crate) fn run(arguments: &ExplainArguments) -> Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let mut warnings = Warnings::default();
    let objects = objects(arguments, &mut warnings)?;
    let validity = if arguments.honour_valid_from { Validity::RESIDENT } else { Validity::HUNT };
    let options = arguments.matching.options(validity);
    let explainer = Explainer::new(&config.catalogue, options);
    let mut out = output::writer(None)?;
    let (mut told, mut untold, mut failed) = (0, 0, None);
    let report = AlertReader::new().read_path(&arguments.alert, |line| {
        for object in &objects {
            match explainer.explain(object, line.text) {
                Ok(explanation) if told >= arguments.limit && explanation.verdict != Verdict::Matches => untold += 1,
                Ok(explanation) => {
                    told += 1;
                    if let Err(error) = print(&mut out, arguments.json, &explanation) {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                Err(error) => {
                    warnings.add(&format!("{}:{}: {error}", line.path.display(), line.number));
                    break;
                }
            }
        }
        ControlFlow::Continue(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    for problem in report.problems.iter().filter(|problem| problem.kind.loses_data()) {
        warnings.add(&problem.to_string());
    }
    out.flush()?;
    warnings.finish("parts of the input could not be used");
    if untold > 0 {
        eprintln!("{untold} more indicators that are not in the alert; --limit tells more, --id one of them");
    }
    Ok(if told == 0 && warnings.count > 0 { Outcome::Failed } else { Outcome::of(warnings.count) })
}

fn print(out: &mut dyn std::io::Write, json: bool, explanation: &Explanation) -> Result<()> {
    if json {
        serde_json::to_writer(&mut *out, explanation)?;
        out.write_all(b"\n")?;
    } else {
        writeln!(out, "{explanation}")?;
    }
    Ok(())
}

/// Indicators and observables as they stand in the sources; values of lists and of stores as observables.
fn objects(arguments: &ExplainArguments, warnings: &mut Warnings) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    let mut known = HashSet::new();
    let indicators = input::indicators(&arguments.indicators, Worthless::none(), warnings)?;
    input::objects(&arguments.indicators, |object| {
        if matches!(object, Object::Indicator(_)) || object.is_observable() {
            known.insert(object.id().clone());
            objects.push(object);
        }
    })?;
    let snapshot = indicators.store.snapshot();
    for key in snapshot.keys() {
        let (handle, key) = key?;
        if !known.contains(&snapshot.indicator(handle)?.id) {
            objects.push(key.to_object());
        }
    }
    let wanted = |object: &Object| {
        let name = || match object {
            Object::Indicator(indicator) => indicator.name.clone(),
            _ => None,
        };
        arguments.id.iter().any(|id| object.id().to_string() == *id || name().as_ref() == Some(id))
    };
    if !arguments.id.is_empty() {
        objects.retain(wanted);
    }
    if objects.is_empty() {
        anyhow::bail!("none of the indicators asked for is in the files");
    }
    Ok(objects)
}
