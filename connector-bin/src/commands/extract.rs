//! `extract`: alerts in, observables out.

use std::io::Write;
use std::ops::ControlFlow;

use alert_enricher::extract::{Extractor, Provenance};
use anyhow::Result;
use serde::Serialize;
use stix_model::{BundleBuilder, Object};
use wazuh_query::alert::Alert;
use wazuh_query::store::files::AlertReader;

use crate::cli::ExtractArguments;
use crate::config::Config;
use crate::output::{self, Outcome, Warnings};

#[derive(Serialize)]
struct Line<'a> {
    alert: Option<&'a str>,
    objects: &'a [Object],
    provenance: Vec<Provenance>,
}

pub(crate) fn run(arguments: &ExtractArguments) -> Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let extractor = Extractor::new(&config.catalogue, &config.extract);
    let mut warnings = Warnings::default();
    let mut bundle = BundleBuilder::new();
    let mut out = output::writer(None)?;
    let mut failure: Option<anyhow::Error> = None;
    let mut alerts = 0_u64;
    let report = AlertReader::new().read_path(&arguments.file, |line| {
        let alert = match Alert::read(line.text, &config.catalogue) {
            Ok(alert) => alert,
            Err(error) => {
                warnings.add(&format!("{}:{}: {error}", line.path.display(), line.number));
                return ControlFlow::Continue(());
            }
        };
        alerts += 1;
        let extraction = extractor.extract(&alert);
        if extraction.cut {
            warnings.add(&format!("{}:{}: there is more in it than was extracted", line.path.display(), line.number));
        }
        if !arguments.ndjson {
            for object in extraction.objects {
                bundle.push(object);
            }
            return ControlFlow::Continue(());
        }
        let provenance = extraction.provenance(&alert, &config.catalogue);
        let line = Line { alert: alert.shown_id(), objects: &extraction.objects, provenance };
        let written = serde_json::to_writer(&mut out, &line).map_err(anyhow::Error::from);
        match written.and_then(|()| Ok(out.write_all(b"\n")?)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    for problem in &report.problems {
        warnings.add(&problem.to_string());
    }
    if !arguments.ndjson {
        serde_json::to_writer(&mut out, &bundle.build().strict())?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    warnings.finish("parts of the input could not be read");
    Ok(if alerts == 0 && warnings.count > 0 { Outcome::Failed } else { Outcome::of(warnings.count) })
}
