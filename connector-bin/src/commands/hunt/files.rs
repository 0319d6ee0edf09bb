//! Hunting in alert files.

use std::io::IsTerminal as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alert_enricher::hunt::{Compound, CompoundHunt, HuntOptions, Hunter, Report};
use alert_enricher::store::{MatchError, Snapshot};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use wazuh_query::catalogue::Catalogue;
use wazuh_query::store::files::{AlertReader, alert_files};

use crate::cli::HuntArguments;
use crate::output::Warnings;

pub(super) fn hunt(
    arguments: &HuntArguments,
    catalogue: &Catalogue,
    snapshot: &Arc<Snapshot>,
    compounds: &[Compound<'_>],
    options: &HuntOptions,
    warnings: &mut Warnings,
) -> Result<Report> {
    let (files, problems) = alert_files(&arguments.alerts);
    for problem in &problems {
        warnings.add(&problem.to_string());
    }
    let mut hunter = Hunter::new(catalogue, snapshot, options.clone());
    let mut patterns = (!compounds.is_empty()).then(|| CompoundHunt::new(compounds, catalogue, options));
    let mut reader = AlertReader::new();
    let progress = Progress::new(&files);
    let mut damaged = None;
    for file in &files {
        let file_name = file.display().to_string();
        progress.alerts(&file_name, 0);
        let mut documents = 0_u64;
        let report = reader.read_path(file, |line| {
            match hunter.alert(line.text) {
                Ok(is_hit) => {
                    let found = patterns.as_mut().map(|patterns| patterns.alert(line.text, is_hit));
                    if let Some(Err(error)) = found {
                        warnings.add(&format!("{}:{}: {error}", line.path.display(), line.number));
                    }
                }
                Err(MatchError::Damaged(error)) => {
                    damaged = Some(error);
                    return ControlFlow::Break(());
                }
                Err(error) => warnings.add(&format!("{}:{}: {error}", line.path.display(), line.number)),
            }
            documents += 1;
            if documents.is_multiple_of(4_096) {
                progress.alerts(&file_name, documents);
            }
            ControlFlow::Continue(())
        });
        if let Some(damaged) = damaged {
            return Err(damaged.into());
        }
        for problem in &report.problems {
            // A replaced byte loses nothing worth an exit code.
            if problem.kind.loses_data() {
                warnings.add(&problem.to_string());
            } else {
                crate::output::warn(&problem.to_string());
            }
        }
        progress.done(file);
    }
    progress.finish();
    let mut report = hunter.finish()?;
    if let Some(patterns) = patterns {
        let found = patterns.finish()?;
        if found.truncated {
            warnings.add("more alerts satisfy parts of patterns than are kept: there may be more matches");
        }
        report.join(found);
    }
    Ok(report)
}

/// A bar over the bytes of all files, on a terminal only.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(files: &[PathBuf]) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bytes = files.iter().map(|file| size(file)).sum();
        let bar = ProgressBar::new(bytes);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    fn alerts(&self, file: &str, documents: u64) {
        self.bar.set_message(format!("{file}: {documents} alerts"));
    }

    fn done(&self, file: &std::path::Path) {
        self.bar.inc(size(file));
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn size(file: &std::path::Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
