//! `opencti-wazuh-connector`: is what OpenCTI knows in the alerts of Wazuh?

mod cli;
mod commands;
mod config;
mod output;
mod service;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use output::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(arguments) => match &arguments.once {
            None => service::run(&arguments.config),
            Some(entity) => service::once(&arguments.config, entity),
        },
        Command::Check(arguments) => service::check(&arguments),
        Command::Health(arguments) => service::health(&arguments),
        Command::SelfTest(arguments) => service::self_test(&arguments),
        Command::DryRun(arguments) => service::dry_run(&arguments.config, &arguments.entity),
        Command::Query(arguments) => commands::query::run(&arguments),
        Command::Extract(arguments) => commands::extract::run(&arguments),
        Command::Hunt(arguments) => commands::hunt::run(&arguments),
        Command::Store { command } => commands::store::run(&command),
        Command::Pattern { command } => commands::pattern::run(&command),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Coverage(arguments) => commands::coverage::run(&arguments),
        Command::Config(arguments) => commands::config::run(&arguments),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match result {
        Ok(outcome) => outcome.exit_code(),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let outcome = error.downcast_ref::<config::ConfigErrors>().map_or(Outcome::Failed, |_| Outcome::Usage);
            eprintln!("error: {error:#}");
            outcome.exit_code()
        }
    }
}
