//! The arguments of `store`, and those that other commands share with it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use stix_model::marking::Tlp;
use stix_model::pattern::matcher::AndReading;

use crate::input;
use alert_enricher::store::{Filter, MatchOptions, Validity, Worthless, WorthlessReason};

/// Which indicators count, and where they are looked for.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct MatchArguments {
    /// A domain stands for the names below it, too; not so public suffixes such as `co.uk` or `github.io`.
    #[arg(long)]
    pub sub_domains: bool,
    /// Also match the names and addresses of the reporting hosts themselves.
    #[arg(long)]
    pub include_agents: bool,
    /// AND inside of the brackets of a pattern asks for one object that satisfies both sides, as the standard has it, not
    /// for one alert that does.
    #[arg(long)]
    pub same_object: bool,
    /// Only indicators with this score at least.
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_score: Option<u8>,
    /// Only indicators with this confidence at least.
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_confidence: Option<u8>,
    /// Only indicators with this label; several are alternatives.
    #[arg(long, value_name = "LABEL")]
    pub label: Vec<String>,
    /// No indicators with this label.
    #[arg(long, value_name = "LABEL")]
    pub not_label: Vec<String>,
    /// No indicators with a marking above this one.
    #[arg(long, value_name = "TLP", value_parser = tlp)]
    pub max_tlp: Option<Tlp>,
    /// Revoked indicators count, too, for alerts before the last change of the indicator.
    #[arg(long)]
    pub include_revoked: bool,
}

fn tlp(text: &str) -> Result<Tlp, String> {
    text.parse().map_err(|_| "one of CLEAR, GREEN, AMBER, AMBER+STRICT, RED is expected".to_owned())
}

impl MatchArguments {
    /// The same as options of a matcher. `validity` is what the command asks for.
    pub fn options(&self, validity: Validity) -> MatchOptions {
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
pub struct WorthlessArguments {
    /// Take values that say nothing, too: loopback, link-local, multicast and unspecified addresses, localhost, networks
    /// that are too wide.
    #[arg(long)]
    pub keep_worthless: bool,
    /// Refuse these, too: `private` (addresses of internal networks), `resolver` (well-known public resolvers).
    #[arg(long, value_name = "NAME", value_parser = reason)]
    pub refuse: Vec<WorthlessReason>,
    /// Refuse the values of this list, too: one a line; networks stand for all addresses in them.
    #[arg(long, value_name = "FILE")]
    pub refuse_list: Option<PathBuf>,
}

fn reason(text: &str) -> Result<WorthlessReason, String> {
    let names = || WorthlessReason::ALL.map(|(_, name)| name).join(", ");
    WorthlessReason::named(text).ok_or_else(|| format!("one of {} is expected", names()))
}

impl WorthlessArguments {
    /// The same as a list. Fails if the file with values cannot be read.
    pub fn read(&self) -> Result<Worthless> {
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

/// The arguments of `store build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, or CSV; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub indicators: Vec<PathBuf>,
    /// Which values are refused.
    #[command(flatten)]
    pub worthless: WorthlessArguments,
    /// The store to write; one that is there is replaced.
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// The arguments of `store info`.
#[derive(Debug, Args)]
pub struct InfoArguments {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The store.
    pub store: PathBuf,
}

/// The arguments of `store add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, or CSV; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub indicators: Vec<PathBuf>,
    /// Which values are refused.
    #[command(flatten)]
    pub worthless: WorthlessArguments,
    /// The store.
    pub store: PathBuf,
}

/// The arguments of `store remove`.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The store.
    pub store: PathBuf,
    /// Identifiers of indicators and observables; of a list, the values themselves.
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
}

/// The arguments of `store lookup`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("asked").required(true).args(["values", "alert"])))]
pub struct LookupArguments {
    /// Which indicators count.
    #[command(flatten)]
    pub matching: MatchArguments,
    /// Also print what does not count, such as expired indicators, and why.
    #[arg(long)]
    pub all: bool,
    /// Alerts, one per line: a file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub alert: Option<PathBuf>,
    /// The store.
    pub store: PathBuf,
    /// Values.
    #[arg(value_name = "VALUE")]
    pub values: Vec<String>,
}
