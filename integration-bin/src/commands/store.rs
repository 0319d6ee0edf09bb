//! `store`: indicators in a file that opens at once, as the connector has it.

use std::io::{BufWriter, stdout};
use std::process::ExitCode;

use alert_enricher_cli::{is_closed_pipe, store};
use stix_model::Timestamp;
use wazuh_query::catalogue::Catalogue;

use super::{StoreCommand, StoreLookupArguments};
use crate::commands::alert::now;
use crate::settings::Settings;

/// A mistake of the options costs nothing else.
const MISTAKE: u8 = 2;
/// Parts of the input could not be used.
const PARTIAL: u8 = 3;

pub(super) fn run(command: &StoreCommand) -> ExitCode {
    let now = || Timestamp::from_unix_millis(now());
    let mut out = BufWriter::new(stdout().lock());
    let done = match command {
        StoreCommand::Build(arguments) => store::build(arguments, now()),
        StoreCommand::Info(arguments) => store::info(arguments, now(), &mut out).map(|()| 0),
        StoreCommand::Add(arguments) => store::add(arguments),
        StoreCommand::Remove(arguments) => store::remove(arguments),
        StoreCommand::Lookup(arguments) => {
            match settings(arguments).and_then(|settings| settings.catalogue(Catalogue::builtin())) {
                Ok(catalogue) => store::lookup(&arguments.lookup, &catalogue, &mut out),
                Err(error) => {
                    eprintln!("error: {error}");
                    return ExitCode::from(MISTAKE);
                }
            }
        }
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(PARTIAL),
        // Whoever reads has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn settings(arguments: &StoreLookupArguments) -> Result<Settings, crate::settings::SettingsError> {
    let mut settings = match &arguments.options {
        Some(path) => Settings::read(Some(path), &std::env::temp_dir())?,
        None => Settings::default(),
    };
    if arguments.catalogue.is_some() {
        settings.catalogue.clone_from(&arguments.catalogue);
    }
    Ok(settings)
}
