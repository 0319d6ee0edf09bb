//! The command line.

mod explain;
mod store;

use std::path::PathBuf;

use alert_enricher_cli::{MatchArguments, WorthlessArguments};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use explain::{CoverageArguments, ExplainArguments};
pub(crate) use store::StoreCommand;

/// Is what OpenCTI knows in the alerts of Wazuh?
#[derive(Debug, Parser)]
#[command(
    name = "opencti-wazuh-connector",
    version,
    about,
    after_help = "Exit codes:\n  \
        0  done\n  \
        1  failed: nothing could be read, or the output could not be written\n  \
        2  a mistake in the arguments or the configuration\n  \
        3  done, but parts of the input could not be used; each is named on standard error",
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    /// Without a command the service runs.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service: entities from OpenCTI's queue are searched in alerts. This is what happens without a command.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector run --config config.yml\n  \
        opencti-wazuh-connector --once ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\n\n\
        SIGTERM and SIGINT stop it: nothing more is taken, what is under way ends or goes back to the queue.")]
    Run(RunArguments),
    /// Look whether everything is there that the service needs: configuration, OpenCTI, its user and broker, the indexer,
    /// indices and their fields. One line each.
    #[command(after_help = "The connector is registered at OpenCTI for it.\n\n\
        Exit code: 0 if the service works, perhaps with warnings; 1 if it does not.")]
    Check(ConfigArguments),
    /// Ask the service that runs on this machine whether it can work: registered, connected, results go.
    #[command(
        after_help = "It needs `service.health_port` or `connector.expose_metrics`. For images without a shell:\n  \
        healthcheck: { test: [\"CMD\", \"/program\", \"health\"] }\n\n\
        Exit code: 0 if it can work, 1 if not."
    )]
    Health(ConfigArguments),
    /// Make an observable and an alert that nobody else has, follow them through everything, and remove them again.
    #[command(
        after_help = "Without --write this happens in a folder of its own, with alerts in a file: the configuration is what is\n\
        tested. With it OpenCTI, its broker and workers, and the indexer are.\n\n\
        Exit code: 0 if everything was found and removed again, 1 if not."
    )]
    SelfTest(SelfTestArguments),
    /// Print the bundle that would be sent for an entity, and send nothing.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector dry-run ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4 --config config.yml")]
    DryRun(DryRunArguments),
    /// Print the OpenSearch query for STIX objects.
    ///
    /// One line of JSON per object: {"id", "type", "query", "reason", "notes"}. `query` is null where nothing can be
    /// searched, and `reason` says why.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector query observables.ndjson\n  \
        echo '{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--0198f97b-e65d-5025-87e5-58bc39d4bdb4\",\"value\":\"1.2.3.4\"}' | opencti-wazuh-connector query --pretty\n  \
        opencti-wazuh-connector query --schema 5 --request bundle.json")]
    Query(QueryArguments),
    /// Print the observables in alerts, as a STIX bundle.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector extract /var/ossec/logs/alerts/alerts.json > bundle.json\n  \
        tail -n 1 alerts.json | opencti-wazuh-connector extract --ndjson")]
    Extract(ExtractArguments),
    /// Look for indicators in alerts: which were seen, on which agents, when, how often.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector hunt --indicators bundle.json --alerts /var/ossec/logs/alerts\n  \
        opencti-wazuh-connector hunt --indicators iocs.txt --alerts alerts.json --since '7 days' --format html --out report.html\n  \
        opencti-wazuh-connector hunt --indicators bundle.json --from 'Foul Fox' --alerts /var/ossec/logs/alerts\n  \
        opencti-wazuh-connector hunt --indicators iocs.csv --opensearch https://indexer:9200 --config config.yml")]
    Hunt(Box<HuntArguments>),
    /// Keep indicators in a file that opens at once, is shared by processes and changed while they run.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Work with STIX patterns.
    Pattern {
        #[command(subcommand)]
        command: PatternCommand,
    },
    /// Say why indicators are in an alert, or what kept them from being found there.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector explain --alert alert.json --indicators bundle.json\n  \
        opencti-wazuh-connector explain --alert alert.json --indicators bundle.json --id 'C2 of the campaign' --json")]
    Explain(Box<ExplainArguments>),
    /// Say what could be seen of indicators in alerts at all: per kind, in which fields, in which share of the alerts.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector coverage --indicators bundle.json --alerts /var/ossec/logs/alerts")]
    Coverage(CoverageArguments),
    /// Print the effective configuration of the service: each value, and where it comes from. Secrets are hidden.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector config --config config.yml\n  \
        opencti-wazuh-connector config --format yaml > complete.yml\n  \
        opencti-wazuh-connector config schema > config.schema.json")]
    Config(crate::commands::config::ConfigCommandArguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The schema of alerts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaArgument {
    /// Wazuh 4.x.
    #[value(name = "4")]
    Four,
    /// Wazuh 5.x.
    #[value(name = "5")]
    Five,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// Configuration file (YAML or JSON), the same as of the original connector. Also: variable `WAZUH_CONFIG`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Go on with the environment alone if the configuration file does not exist.
    #[arg(long, short)]
    pub(crate) ignore: bool,
    /// File with further alert fields (YAML or JSON); see docs/catalogue.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Enrich one entity, with a work of its own, and end. Exit code 1 if it failed.
    #[arg(long, value_name = "ENTITY_ID")]
    pub(crate) once: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SelfTestArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Plant the observable in OpenCTI and the alert in the indexer, and remove them in the end. The account at the
    /// indexer has to be allowed to write, and the user at OpenCTI to delete.
    #[arg(long)]
    pub(crate) write: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DryRunArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// The identifier of the entity on the platform.
    #[arg(value_name = "ENTITY_ID")]
    pub(crate) entity: String,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Schema of the alerts that are searched.
    #[arg(long, value_enum, default_value = "4")]
    pub(crate) schema: SchemaArgument,
    /// Also print the whole body of the search request, with filters, order and aggregations.
    #[arg(long)]
    pub(crate) request: bool,
    /// Print for people: indented, reasons and notes as sentences.
    #[arg(long)]
    pub(crate) pretty: bool,
    /// STIX objects: one, an array, a bundle or one per line; `-` is standard input.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Print one line per alert: {"alert", "objects", "provenance"}.
    #[arg(long)]
    pub(crate) ndjson: bool,
    /// Alerts: one, an array, one per line, or hits of OpenSearch; `-` is standard input. Compressed files are read.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
}

/// How a hunt's result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    Table,
    /// One line of JSON per indicator, agent and rule.
    Ndjson,
    /// A STIX bundle of sightings.
    Bundle,
    /// One self-contained page with a time line.
    Html,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["alerts", "opensearch"])))]
pub(crate) struct HuntArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Indicators: STIX (bundle, array, one per line), plain lists of values, CSV, or a store; files or folders.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) indicators: Vec<PathBuf>,
    /// Only what belongs to these objects of the files: reports and other containers, threat actors, malware, campaigns,
    /// or indicators; by identifier, name or alias.
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) from: Vec<String>,
    #[command(flatten)]
    pub(crate) matching: MatchArguments,
    /// Indicators count only from their `valid_from` on. Otherwise also before: what was seen before somebody wrote an
    /// indicator down is what one hunts for.
    #[arg(long)]
    pub(crate) honour_valid_from: bool,
    /// Indicators count after their `valid_until`, too.
    #[arg(long)]
    pub(crate) include_expired: bool,
    #[command(flatten)]
    pub(crate) worthless: WorthlessArguments,
    /// Alerts: files or folders (alerts.json, rotated .json.gz, exports with `_source`); `-` is standard input.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) alerts: Vec<PathBuf>,
    /// Search in an indexer instead; user, password and certificates come from the configuration.
    #[arg(long, value_name = "URL")]
    pub(crate) opensearch: Option<String>,
    /// Index pattern, with --opensearch.
    #[arg(long, value_name = "PATTERN", requires = "opensearch")]
    pub(crate) index: Option<String>,
    /// Schema of the alerts in the indexer.
    #[arg(long, value_enum, default_value = "4", requires = "opensearch")]
    pub(crate) schema: SchemaArgument,
    /// Only alerts since then: a time (RFC 3339) or an interval such as `7 days`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only alerts until then.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Patterns with several observations: put alerts of different agents together.
    #[arg(long)]
    pub(crate) across_agents: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// Write the result to a file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatternCommand {
    /// Say whether patterns are valid, and where they are not.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector pattern check \"[ipv4-addr:value = '198.51.100.7']\"\n  \
        opencti-wazuh-connector pattern check --ndjson patterns.ndjson\n\n\
        Exit code with patterns as arguments: 0 if all are valid, 3 if some are not, 1 if none is.\n\
        With --ndjson a verdict is a result: 3 and 1 are for lines that ask nothing.")]
    Check(PatternCheckArguments),
    /// Say whether observations match a pattern, and which of them do.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector pattern match \"[file:name LIKE '%.exe'] REPEATS 2 TIMES\" --observations bundle.json\n  \
        opencti-wazuh-connector pattern match --ndjson questions.ndjson\n\n\
        Exit code 0 for both answers. With --ndjson an error of a pattern or of its observations is an answer, too; 3 and 1\n\
        are for lines that ask nothing.")]
    Match(PatternMatchArguments),
    /// Print the queries that search alerts for a pattern, and the plan that decides the pattern from what they find.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector pattern translate \"[ipv4-addr:value = '198.51.100.7']\"\n  \
        opencti-wazuh-connector pattern translate --schema 5 --json \"[process:name = 'nc'] REPEATS 3 TIMES\"\n  \
        opencti-wazuh-connector pattern translate --type sigma --file rule.yml\n\n\
        Exit code: 0 if alerts can decide the pattern, 3 if they say nothing of a part of it, 1 if they cannot decide it.")]
    Translate(PatternTranslateArguments),
    /// Say what a pattern means, where each of its tests is searched, and what of it cannot be.
    #[command(after_help = "Examples:\n  \
        opencti-wazuh-connector pattern explain \"[file:name = 'a.exe'] FOLLOWEDBY [process:name = 'nc'] WITHIN 60 SECONDS\"\n  \
        opencti-wazuh-connector pattern explain --type yara --file rule.yar\n\n\
        Exit code: 0 if alerts can decide the pattern, 3 if they say nothing of a part of it, 1 if they cannot decide it.")]
    Explain(PatternExplainArguments),
}

/// How AND between two tests in one pair of brackets is read.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReadingArgument {
    /// One object satisfies both: the standard.
    SameObject,
    /// One observation satisfies both, whichever of its objects do.
    Event,
}

#[derive(Debug, Args)]
pub(crate) struct PatternMatchArguments {
    /// The pattern.
    #[arg(required_unless_present = "ndjson", requires = "observations")]
    pub(crate) pattern: Option<String>,
    /// Observations: bundles, observed data that holds its objects, or observed data and the objects it refers to.
    #[arg(long, value_name = "FILE", requires = "pattern")]
    pub(crate) observations: Option<PathBuf>,
    /// Read lines `{"id", "pattern", "stix_version", "observations"}` and write lines `{"id", "match"}` or
    /// `{"id", "error"}`; `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with_all = ["pattern", "observations"])]
    pub(crate) ndjson: Option<PathBuf>,
    /// How AND in brackets is read.
    #[arg(long, value_enum, default_value = "same-object")]
    pub(crate) reading: ReadingArgument,
    /// Compare digests, domain names, addresses and MAC addresses without regard to case and notation.
    #[arg(long)]
    pub(crate) tolerant: bool,
    /// Version of STIX where a line names none.
    #[arg(long, value_enum, default_value = "2.1")]
    pub(crate) stix_version: VersionArgument,
}

/// A pattern that alerts are searched for, and how it is read.
#[derive(Debug, Args)]
pub(crate) struct SearchedPatternArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// The pattern.
    #[arg(required_unless_present = "file")]
    pub(crate) pattern: Option<String>,
    /// Read the pattern from a file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "pattern")]
    pub(crate) file: Option<PathBuf>,
    /// Language of the pattern, as in `pattern_type` of indicators: stix, sigma, yara, snort, ...
    #[arg(long = "type", value_name = "TYPE", default_value = "stix")]
    pub(crate) pattern_type: String,
    /// Version of STIX; without it, 2.1, and 2.0 for what is no pattern of 2.1.
    #[arg(long, value_enum)]
    pub(crate) stix_version: Option<VersionArgument>,
    /// Schema of the alerts that are searched.
    #[arg(long, value_enum, default_value = "4")]
    pub(crate) schema: SchemaArgument,
    /// How AND in brackets is read.
    #[arg(long, value_enum, default_value = "event")]
    pub(crate) reading: ReadingArgument,
    /// Put alerts of different agents together.
    #[arg(long)]
    pub(crate) across_agents: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PatternTranslateArguments {
    #[command(flatten)]
    pub(crate) searched: SearchedPatternArguments,
    /// Print JSON: queries, plan, and what alerts say nothing of, with its place in the pattern.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PatternExplainArguments {
    #[command(flatten)]
    pub(crate) searched: SearchedPatternArguments,
}

/// A version of STIX.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VersionArgument {
    /// STIX 2.0.
    #[value(name = "2.0")]
    V2_0,
    /// STIX 2.1.
    #[value(name = "2.1")]
    V2_1,
}

#[derive(Debug, Args)]
pub(crate) struct PatternCheckArguments {
    /// Patterns.
    #[arg(required_unless_present = "ndjson", value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// Read lines `{"id", "pattern", "stix_version"}` and write lines `{"id", "valid", "error"}`; `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with = "patterns")]
    pub(crate) ndjson: Option<PathBuf>,
    /// Version of STIX where a line names none.
    #[arg(long, value_enum, default_value = "2.1")]
    pub(crate) stix_version: VersionArgument,
}

impl From<VersionArgument> for stix_model::pattern::PatternVersion {
    fn from(version: VersionArgument) -> Self {
        match version {
            VersionArgument::V2_0 => Self::V2_0,
            VersionArgument::V2_1 => Self::V2_1,
        }
    }
}

impl From<SchemaArgument> for wazuh_query::catalogue::Schema {
    fn from(schema: SchemaArgument) -> Self {
        match schema {
            SchemaArgument::Four => Self::Wazuh4,
            SchemaArgument::Five => Self::Wazuh5,
        }
    }
}
