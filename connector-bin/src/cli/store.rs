//! The arguments of `store`.

use alert_enricher_cli::{AddArguments, BuildArguments, InfoArguments, LookupArguments, RemoveArguments};
use clap::{Args, Subcommand};

use super::ConfigArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Write a store.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector store build --indicators bundle.json iocs.txt --out indicators.store\n  \
        opencti-wazuh-connector hunt --indicators indicators.store --alerts /var/ossec/logs/alerts")]
    Build(BuildArguments),
    /// Say what is in a store, and whether it is undamaged.
    Info(InfoArguments),
    /// Add indicators, or replace those with the same identifiers. Whoever has the store open sees them.
    Add(AddArguments),
    /// Remove indicators.
    Remove(RemoveArguments),
    /// Say which indicators a value or an alert matches. Prints one line of JSON each.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector store lookup indicators.store 203.0.113.66\n  \
        tail -n 1 alerts.json | opencti-wazuh-connector store lookup indicators.store --alert -")]
    Lookup(Box<StoreLookupArguments>),
}

#[derive(Debug, Args)]
pub(crate) struct StoreLookupArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    #[command(flatten)]
    pub(crate) lookup: LookupArguments,
}
