//! What the program does: for an alert of the integrator, and for people.

pub(crate) mod alert;
mod check;
mod install;
mod lookup;
mod manager;
mod self_test;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use alert_enricher_cli::{AddArguments, BuildArguments, InfoArguments, RemoveArguments};
use clap::{Parser, Subcommand};

/// Is anything in this Wazuh alert known to `OpenCTI`?
#[derive(Debug, Parser)]
#[command(
    name = "custom-opencti",
    version,
    about,
    after_help = "Wazuh runs it as `custom-opencti ALERT_FILE API_KEY HOOK_URL [debug] [OPTIONS_FILE] [TIMEOUT] [RETRIES]`.\n\n\
        Exit codes:\n  \
        0  done, or the alert waits until OpenCTI or the manager is back\n  \
        1  failed\n  \
        2  a mistake in the arguments or the options\n  \
        3  done, but parts of the input could not be used\n  \
        4  no answer from OpenCTI and the alert could not be kept, or OpenCTI refuses the request\n  \
        5  the manager does not take events and the alert could not be kept, or the queue may not be written\n  \
        6  the file with the alert cannot be read\n  \
        7  the file holds no alert",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what would be raised for an alert or a value, and why. Nothing is sent to the manager.
    #[command(after_help = "Examples:\n  \
        custom-opencti lookup alert.json --intel bundle.json\n  \
        custom-opencti lookup 203.0.113.66 --url https://opencti.example --token-file token\n  \
        tail -n 1 /var/ossec/logs/alerts/alerts.json | custom-opencti lookup - --intel bundle.json --json")]
    Lookup(LookupArguments),
    /// Stay resident: keep indicators in memory, follow `alerts.json`, and raise what matches.
    #[command(after_help = "Examples:\n  \
        custom-opencti daemon --url https://opencti.example --token-file token --stream STREAM_ID\n  \
        custom-opencti daemon --intel bundle.json --alerts alerts.json --from-beginning --once --output ndjson\n\n\
        SIGTERM ends it; it goes on where it stopped when it is started again.")]
    Daemon(crate::daemon::DaemonArguments),
    /// Say whether settings, platform, manager and rules are as they should be, a line each. Exit code 1 if not.
    Check(CheckArguments),
    /// Plant an indicator and an alert, and follow the event: to a socket of the test, or to the manager.
    SelfTest(SelfTestArguments),
    /// Keep indicators in a file that opens at once.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Put the program and its rules into the manager's folder. Without --write, only say what would be done.
    Install(InstallArguments),
}

#[derive(Debug, clap::Args)]
struct LookupArguments {
    /// A file with an alert, `-` for standard input, or a value.
    alert_or_value: String,
    /// STIX objects in place of the platform: bundles, arrays, or one a line.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    intel: Vec<PathBuf>,
    /// The platform.
    #[arg(long, value_name = "URL", env = "OPENCTI_URL")]
    url: Option<String>,
    /// A file with the platform's token. Also: variable `OPENCTI_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Options, as `<options>` of the integration block has them.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// Further fields of alerts, in JSON.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Print one object of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Write a store.
    #[command(after_help = "Example:\n  \
        custom-opencti store build --indicators bundle.json iocs.txt --out indicators.store")]
    Build(BuildArguments),
    /// Say what is in a store, and whether it is undamaged.
    Info(InfoArguments),
    /// Add indicators, or replace those with the same identifiers. Whoever has the store open sees them.
    Add(AddArguments),
    /// Remove indicators.
    Remove(RemoveArguments),
    /// Say which indicators a value or an alert matches. Prints one line of JSON each.
    #[command(after_help = "Examples:\n  \
        custom-opencti store lookup indicators.store 203.0.113.66\n  \
        tail -n 1 alerts.json | custom-opencti store lookup indicators.store --alert -")]
    Lookup(Box<StoreLookupArguments>),
}

#[derive(Debug, clap::Args)]
struct StoreLookupArguments {
    /// Options, as `<options>` of the integration block has them: for the fields of alerts.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// Further fields of alerts, in JSON.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    #[command(flatten)]
    lookup: alert_enricher_cli::LookupArguments,
}

#[derive(Debug, clap::Args)]
struct CheckArguments {
    /// The manager's folder; else `WAZUH_HOME`, the one above the program, or /var/ossec.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// STIX objects in place of the platform.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    intel: Vec<PathBuf>,
    /// The platform; else that of the <integration> block.
    #[arg(long, value_name = "URL", env = "OPENCTI_URL")]
    url: Option<String>,
    /// A file with the platform's token; else variable `OPENCTI_TOKEN`, or the <integration> block.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Options, as `<options>` of the integration block has them.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct SelfTestArguments {
    /// Send the event to the manager, and wait for the alert that its rules raise.
    #[arg(long)]
    write: bool,
    /// The manager's folder.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct InstallArguments {
    /// Do it.
    #[arg(long)]
    write: bool,
    /// The manager's folder.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

/// Whether somebody typed a command: the integrator gives the path of a file, or nothing, as the first argument.
pub(crate) fn is_for_people(arguments: &[String]) -> bool {
    match arguments.first().map(String::as_str) {
        None => true,
        Some(first) => {
            let commands = ["lookup", "check", "self-test", "install", "daemon", "store", "help"];
            commands.contains(&first) || first.starts_with('-')
        }
    }
}

pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Lookup(arguments) => lookup::run(&arguments),
        Command::Daemon(arguments) => crate::daemon::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::SelfTest(arguments) => self_test::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Store { command } => store::run(&command),
    }
}
