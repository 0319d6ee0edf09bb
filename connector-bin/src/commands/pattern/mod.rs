//! `pattern`: STIX patterns, one module per sub-command.

mod check;
mod lines;
mod matching;

use anyhow::Result;

use crate::cli::PatternCommand;
use crate::output::Outcome;

pub(crate) fn run(command: &PatternCommand) -> Result<Outcome> {
    match command {
        PatternCommand::Check(arguments) => check::run(arguments),
        PatternCommand::Match(arguments) => matching::run(arguments),
    }
}
