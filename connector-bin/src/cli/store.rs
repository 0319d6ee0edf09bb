//! The arguments of `store`, and those that it shares with `hunt`.

use std::path::PathBuf;

use alert_enricher::store::{Filter, MatchOptions, Validity, Worthless, WorthlessReason};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use stix_model::marking::Tlp;
use stix_model::pattern::matcher::AndReading;

use super::ConfigArguments;
use crate::input;

/// Which indicators count, and where they are looked for.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(crate) struct MatchArguments {
    /// A domain stands for the names below it, too; not so public suffixes such as `co.uk` or `github.io`.
    #[arg(long)]
    pub(crate) sub_domains: bool,
    /// Also match the names and addresses of the reporting hosts themselves.
    #[arg(long)]
    pub(crate) include_agents: bool,
    /// AND inside of the brackets of a pattern asks for one object that satisfies both sides, as the standard has it, not
    /// for one alert that does.
    #[arg(long)]
    pub(crate) same_object: bool,
    /// Only indicators with this score at least.
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_score: Option<u8>,
    /// Only indicators with this confidence at least.
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_confidence: Option<u8>,
    /// Only indicators with this label; several are alternatives.
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Vec<String>,
    /// No indicators with this label.
    #[arg(long, value_name = "LABEL")]
    pub(crate) not_label: Vec<String>,
    /// No indicators with a marking above this one.
    #[arg(long, value_name = "TLP", value_parser = tlp)]
    pub(crate) max_tlp: Option<Tlp>,
    /// Revoked indicators count, too, for alerts before the last change of the indicator.
    #[arg(long)]
    pub(crate) include_revoked: bool,
}

fn tlp(text: &str) -> Result<Tlp, String> {
    text.parse().map_err(|_| "one of CLEAR, GREEN, AMBER, AMBER+STRICT, RED is expected".to_owned())
}

impl MatchArguments {
    pub(crate) fn options(&self, validity: Validity) -> MatchOptions {
        MatchOptions {
            filter: Filter {
                min_score: self.min_score,
                min_confidence: self.min_confidence,
                labels_any: self.label.clone(),
                labels_none: self.not_label.clone(),
                max_tlp: self.max_tlp,
            },
            validity: Validity { revoked: self.include_revoked, ..validity },
            sub_domains: self.sub_domains,
            include_agents: self.include_agents,
            and: if self.same_object { AndReading::SameObject } else { AndReading::Event },
        }
    }
}

/// Which values are refused.
#[derive(Debug, Args)]
pub(crate) struct WorthlessArguments {
    /// Take values that say nothing, too: loopback, link-local, multicast and unspecified addresses, localhost, networks
    /// that are too wide.
    #[arg(long)]
    pub(crate) keep_worthless: bool,
    /// Refuse these, too: `private` (addresses of internal networks), `resolver` (well-known public resolvers).
    #[arg(long, value_name = "NAME", value_parser = reason)]
    pub(crate) refuse: Vec<WorthlessReason>,
    /// Refuse the values of this list, too: one a line; networks stand for all addresses in them.
    #[arg(long, value_name = "FILE")]
    pub(crate) refuse_list: Option<PathBuf>,
}

fn reason(text: &str) -> Result<WorthlessReason, String> {
    let names = || WorthlessReason::ALL.map(|(_, name)| name).join(", ");
    WorthlessReason::named(text).ok_or_else(|| format!("one of {} is expected", names()))
}

impl WorthlessArguments {
    pub(crate) fn read(&self) -> Result<Worthless> {
        let mut worthless = if self.keep_worthless { Worthless::none() } else { Worthless::default() };
        for reason in &self.refuse {
            worthless = worthless.with(*reason);
        }
        if let Some(path) = &self.refuse_list {
            for line in input::lines(path)? {
                let key = alert_enricher::indicator::recognise(&line);
                worthless.list(key.with_context(|| path.display().to_string())?);
            }
        }
        Ok(worthless)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Write a store.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector store build --indicators bundle.json iocs.txt --out indicators.store\n  \
        opencti-wazuh-connector hunt --indicators indicators.store --alerts /var/ossec/logs/alerts")]
    Build(StoreBuildArguments),
    /// Say what is in a store, and whether it is undamaged.
    Info(StoreInfoArguments),
    /// Add indicators, or replace those with the same identifiers. Whoever has the store open sees them.
    Add(StoreAddArguments),
    /// Remove indicators.
    Remove(StoreRemoveArguments),
    /// Say which indicators a value or an alert matches. Prints one line of JSON each.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector store lookup indicators.store 203.0.113.66\n  \
        tail -n 1 alerts.json | opencti-wazuh-connector store lookup indicators.store --alert -")]
    Lookup(Box<StoreLookupArguments>),
}

#[derive(Debug, Args)]
pub(crate) struct StoreBuildArguments {
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, or CSV; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) indicators: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) worthless: WorthlessArguments,
    /// The store to write; one that is there is replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StoreInfoArguments {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The store.
    pub(crate) store: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StoreAddArguments {
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, or CSV; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) indicators: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) worthless: WorthlessArguments,
    /// The store.
    pub(crate) store: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StoreRemoveArguments {
    /// The store.
    pub(crate) store: PathBuf,
    /// Identifiers of indicators and observables; of a list, the values themselves.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("asked").required(true).args(["values", "alert"])))]
pub(crate) struct StoreLookupArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    #[command(flatten)]
    pub(crate) matching: MatchArguments,
    /// Also print what does not count, such as expired indicators, and why.
    #[arg(long)]
    pub(crate) all: bool,
    /// Alerts, one per line: a file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) alert: Option<PathBuf>,
    /// The store.
    pub(crate) store: PathBuf,
    /// Values.
    #[arg(value_name = "VALUE")]
    pub(crate) values: Vec<String>,
}
