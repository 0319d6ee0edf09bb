//! `config`: what the service would run with, and the schema of it.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::ConfigArguments;
use crate::config::{self, Effective};
use crate::output::{self, Outcome};

/// How the effective configuration is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigFormat {
    /// Key, value and origin, one option a line.
    Table,
    /// A configuration file, with the origins as comments.
    Yaml,
    /// An object with one member per option.
    Json,
    /// Environment variables.
    Env,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ConfigCommandArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// How to print it.
    #[arg(long, short, value_enum, default_value = "table")]
    pub(crate) format: ConfigFormat,
    #[command(subcommand)]
    pub(crate) what: Option<ConfigCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the JSON Schema of the configuration file.
    Schema {
        /// That of the environment instead, in the form of OpenCTI's catalogue of connectors.
        #[arg(long)]
        environment: bool,
    },
}

pub(crate) fn run(arguments: &ConfigCommandArguments) -> Result<Outcome> {
    let mut out = output::writer(None)?;
    if let Some(ConfigCommand::Schema { environment }) = arguments.what {
        let schema = if environment { config::schema_of_environment() } else { config::schema_of_file() };
        writeln!(out, "{schema:#}")?;
        out.flush()?;
        return Ok(Outcome::Done);
    }
    let Effective { rows, warnings, verdict } = Effective::load(&arguments.config)?;
    match arguments.format {
        ConfigFormat::Table => out.write_all(config::as_table(&rows).as_bytes())?,
        ConfigFormat::Yaml => out.write_all(config::as_yaml(&rows).as_bytes())?,
        ConfigFormat::Json => writeln!(out, "{:#}", config::as_json(&rows))?,
        ConfigFormat::Env => out.write_all(config::as_environment(&rows).as_bytes())?,
    }
    out.flush()?;
    for warning in warnings {
        output::warn(&warning);
    }
    // What is there is shown even where something is missing.
    verdict?;
    Ok(Outcome::Done)
}
