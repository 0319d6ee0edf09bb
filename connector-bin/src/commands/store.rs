//! `store`: indicators in a file that opens at once.

use alert_enricher_cli::store;
use anyhow::Result;
use stix_model::Timestamp;

use crate::cli::StoreCommand;
use crate::config::Config;
use crate::output::{self, Outcome};

pub(crate) fn run(command: &StoreCommand) -> Result<Outcome> {
    let now = || Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond());
    let unused = match command {
        StoreCommand::Build(arguments) => store::build(arguments, now())?,
        StoreCommand::Info(arguments) => {
            store::info(arguments, now(), &mut output::writer(None)?)?;
            0
        }
        StoreCommand::Add(arguments) => store::add(arguments)?,
        StoreCommand::Remove(arguments) => store::remove(arguments)?,
        StoreCommand::Lookup(arguments) => {
            let config = Config::load(&arguments.config)?;
            store::lookup(&arguments.lookup, &config.catalogue, &mut output::writer(None)?)?
        }
    };
    Ok(Outcome::of(unused))
}
