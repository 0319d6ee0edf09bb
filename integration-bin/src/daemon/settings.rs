//! What the resident mode can be told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::settings::{Settings, SettingsError};

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Output {
    /// The manager's queue socket.
    Queue,
    /// Standard output, one object a line.
    Ndjson,
    /// Documents in an index of their own.
    Indexer,
}

/// The part `daemon` of the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DaemonSettings {
    /// The file that is followed.
    pub(crate) alerts: Option<PathBuf>,
    /// Whether it is followed; not, where the integrator or the indexer brings all alerts.
    pub(crate) follow: Option<bool>,
    /// The live stream of the platform, by its identifier. Without one the platform is asked for changes.
    pub(crate) stream: Option<String>,
    /// Seconds between questions for changes, without a live stream.
    pub(crate) poll_seconds: Option<u64>,
    /// Whether observables are kept, too: those that an indicator is related to.
    pub(crate) observables: Option<bool>,
    /// For so many minutes the same indicator on the same agent is counted and not raised again.
    pub(crate) repeat_minutes: Option<u64>,
    /// Where events go; the manager's queue, if nothing is said.
    pub(crate) outputs: Vec<Output>,
    /// The indexer, as a source and for documents.
    pub(crate) indexer: IndexerSettings,
    /// The HTTP endpoint for alerts.
    pub(crate) webhook: WebhookSettings,
    /// Sightings back into the platform.
    pub(crate) sightings: SightingSettings,
}

/// The part `webhook` of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookSettings {
    /// Address and port. There is no endpoint, if nothing is said.
    pub(crate) listen: Option<String>,
    /// A file with the token that requests have to have.
    pub(crate) token_file: Option<PathBuf>,
    /// The certificate and those between it and the authority, a PEM file. Without one the endpoint speaks plain HTTP.
    pub(crate) certificate: Option<PathBuf>,
    /// The private key of the certificate, a PEM file.
    pub(crate) key_file: Option<PathBuf>,
    /// The longest body.
    pub(crate) largest_kilobytes: Option<u64>,
}

/// The part `sightings` of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SightingSettings {
    /// A UUID of your choice, under which the platform knows who sends. No sightings are sent, if nothing is said.
    pub(crate) connector_id: Option<String>,
    /// Seconds that make one sighting.
    pub(crate) period_seconds: Option<u64>,
}

/// The part `indexer` of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IndexerSettings {
    /// Where it is.
    pub(crate) url: Option<String>,
    pub(crate) username: Option<String>,
    /// A file with the password.
    pub(crate) password_file: Option<PathBuf>,
    /// Certificates of further authorities, a PEM file.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) ssl_verify: Option<bool>,
    /// The indices that are followed: `wazuh-alerts-*`, `wazuh-findings-v5-*`. None are, if nothing is said.
    pub(crate) follow: Option<String>,
    /// Seconds between searches.
    pub(crate) every_seconds: Option<u64>,
    /// For so many seconds a document may come late.
    pub(crate) overlap_seconds: Option<u64>,
    /// What the names of the indices for documents begin with; the day follows.
    pub(crate) matches: Option<String>,
}

impl DaemonSettings {
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(60 * self.repeat_minutes.unwrap_or(60))
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds.unwrap_or(30).max(1))
    }

    pub(crate) fn with_observables(&self) -> bool {
        self.observables.unwrap_or(true)
    }

    pub(crate) fn goes_to(&self, output: Output) -> bool {
        if self.outputs.is_empty() { output == Output::Queue } else { self.outputs.contains(&output) }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DaemonArguments {
    /// STIX objects in place of the platform: bundles, arrays, or one a line. They are read again when they change.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    intel: Vec<PathBuf>,
    /// The platform.
    #[arg(long, value_name = "URL", env = "OPENCTI_URL")]
    url: Option<String>,
    /// A file with the platform's token. Also: variable `OPENCTI_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The live stream of the platform that brings changes, by its identifier.
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// The file that is followed; by default `logs/alerts/alerts.json` of the manager.
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// Without a position of an earlier run: begin with the alerts that are there, not with those that come.
    #[arg(long)]
    pub(crate) from_beginning: bool,
    /// End when everything that is there was read.
    #[arg(long)]
    pub(crate) once: bool,
    /// Where events go.
    #[arg(long, value_enum, value_name = "OUTPUT")]
    output: Vec<Output>,
    /// Options, as `etc/custom-opencti.json` has them.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// The folder for what is remembered.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// The manager's folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
    /// Say more in the log.
    #[arg(long)]
    pub(crate) debug: bool,
}

impl DaemonArguments {
    /// The settings of the file with what the arguments say in their place.
    pub(crate) fn settings(&self, home: &Path) -> Result<Settings, SettingsError> {
        let mut settings = Settings::read(self.options.as_deref(), home)?;
        let set = |to: &mut Option<PathBuf>, from: &Option<PathBuf>| {
            if from.is_some() {
                to.clone_from(from);
            }
        };
        set(&mut settings.token_file, &self.token_file);
        set(&mut settings.state, &self.state);
        set(&mut settings.daemon.alerts, &self.alerts);
        if !self.intel.is_empty() {
            settings.intel.clone_from(&self.intel);
        }
        if self.url.is_some() {
            settings.url.clone_from(&self.url);
        }
        if self.stream.is_some() {
            settings.daemon.stream.clone_from(&self.stream);
        }
        if !self.output.is_empty() {
            settings.daemon.outputs.clone_from(&self.output);
        }
        Ok(settings)
    }
}
