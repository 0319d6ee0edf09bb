//! `pattern`: STIX patterns, one module per sub-command.

mod check;
mod lines;
mod matching;
mod searched;
mod sigma;
mod translate;

use anyhow::Result;

use crate::cli::PatternCommand;
use crate::output::Outcome;

pub(crate) fn run(command: &PatternCommand) -> Result<Outcome> {
    match command {
        PatternCommand::Check(arguments) => check::run(arguments),
        PatternCommand::Match(arguments) => matching::run(arguments),
        PatternCommand::Translate(arguments) => translate::run(arguments),
        PatternCommand::Explain(arguments) => translate::explain(&arguments.searched),
    }
}
