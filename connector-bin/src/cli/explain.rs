//! The arguments of `explain` and `coverage`.

use std::path::PathBuf;

use clap::Args;

use alert_enricher_cli::MatchArguments;

use super::ConfigArguments;

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// The alert: one, an array, one per line, or hits of OpenSearch; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) alert: PathBuf,
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, CSV, or a store; files or folders.
    #[arg(long, alias = "indicator", required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) indicators: Vec<PathBuf>,
    /// Only the indicator with this identifier or name.
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) id: Vec<String>,
    /// So many indicators that are not in the alert are explained.
    #[arg(long, value_name = "NUMBER", default_value = "20")]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) matching: MatchArguments,
    /// Indicators count only from their `valid_from` on.
    #[arg(long)]
    pub(crate) honour_valid_from: bool,
    /// Print one line of JSON per indicator.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, CSV, or a store; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) indicators: Vec<PathBuf>,
    /// Alerts: files or folders (alerts.json, rotated .json.gz, exports with `_source`); `-` is standard input.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) alerts: Vec<PathBuf>,
    /// Also look at the names and addresses of the reporting hosts themselves.
    #[arg(long)]
    pub(crate) include_agents: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
