//! How alerts are looked up: the file that `<options>` of the integration block makes, or one in the manager's folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alert_enricher::event::queue::Escaping;
use alert_enricher::indicator::{Kind, recognise};
use alert_enricher::knowledge::{AskOptions, JudgeOptions};
use alert_enricher::store::{Filter, WorthlessReason};
use serde::Deserialize;
use stix_model::marking::Tlp;
use wazuh_query::catalogue::{Catalogue, CatalogueFile};

use crate::daemon::DaemonSettings;
use crate::socket::QueueSocket;

/// Where the settings are when the integrator names no file, below the manager's folder.
const FILE: &str = "etc/custom-opencti.json";
/// Below the manager's folder, the first that can be made.
const STATE: [&str; 2] = ["queue/custom-opencti", "logs/custom-opencti"];

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is not what it should be.
    #[error("{path}: {source}", path = path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// The file with further fields of alerts is not what it should be.
    #[error("{path}: {what}", path = path.display())]
    Catalogue { path: PathBuf, what: String },
    /// A value means nothing.
    #[error("`{key}`: {what}")]
    Value { key: &'static str, what: String },
}

/// The settings as they are written. Everything has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The platform, where `<hook_url>` does not say it.
    pub(crate) url: Option<String>,
    /// A file with the token, where `<api_key>` does not say it.
    pub(crate) token_file: Option<PathBuf>,
    /// Bundles or lists of STIX objects in place of the platform.
    pub(crate) intel: Vec<PathBuf>,
    /// A file with further fields of alerts, in JSON.
    pub(crate) catalogue: Option<PathBuf>,
    /// Certificates of the authority of the platform, a PEM file.
    pub(crate) ca: Option<PathBuf>,
    /// Whether the platform's certificate must be trusted; yes, if nothing is said.
    pub(crate) ssl_verify: Option<bool>,
    /// A proxy; `none` for none, whatever the environment says.
    pub(crate) proxy: Option<String>,
    /// Seconds for the whole run, where the integrator does not say it.
    pub(crate) timeout: Option<u64>,
    /// How often a question is asked again after a failure that may pass, as the integrator says.
    #[serde(skip)]
    pub(crate) retries: Option<u32>,
    /// The kinds of values that are looked up, by the names that `lookup` prints.
    pub(crate) kinds: Option<Vec<String>>,
    /// Only alerts of rules in these groups.
    pub(crate) groups: Vec<String>,
    /// Domains of this site.
    pub(crate) own_domains: Vec<String>,
    /// Values, addresses and networks that are not looked up.
    pub(crate) ignore: Vec<String>,
    /// Whether private addresses are looked up, too.
    pub(crate) private_addresses: bool,
    /// The least score of an indicator.
    pub(crate) min_score: Option<u8>,
    /// The least confidence of an indicator.
    pub(crate) min_confidence: Option<u8>,
    /// The most restrictive marking of an indicator.
    pub(crate) max_tlp: Option<String>,
    /// Indicators with one of these labels do not count.
    pub(crate) ignored_labels: Option<Vec<String>>,
    /// Whether indicators are also searched by values inside of their patterns.
    pub(crate) search_patterns: Option<bool>,
    /// The manager's queue socket.
    pub(crate) socket: Option<PathBuf>,
    /// The folder for what waits and what is remembered.
    pub(crate) state: Option<PathBuf>,
    /// Megabytes that may wait.
    pub(crate) spool_megabytes: Option<u64>,
    /// Hours that an alert may wait.
    pub(crate) spool_hours: Option<u32>,
    /// Whether the manager is older than 4.4, which does not know escapes in the queue.
    pub(crate) old_manager: bool,
    /// What only the resident mode has.
    pub(crate) daemon: DaemonSettings,
}

impl Settings {
    /// Reads the file that the integrator names, else the one in the manager's folder, if it is there.
    pub(crate) fn read(named: Option<&Path>, home: &Path) -> Result<Self, SettingsError> {
        let (path, must_exist) = match named {
            Some(path) => (path.to_owned(), true),
            None => (home.join(FILE), false),
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) if !must_exist && source.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        Self::parse(&text, &path)
    }

    /// Reads the text of a file. None at all means defaults.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|source| SettingsError::Json { path: path.to_owned(), source })
    }

    /// The manager's queue socket.
    pub(crate) fn queue(&self, home: &Path) -> PathBuf {
        self.socket.clone().unwrap_or_else(|| QueueSocket::of_manager(home))
    }

    /// The fields of alerts: the built-in ones that are given, and those of the file.
    pub(crate) fn catalogue(&self, builtin: Catalogue) -> Result<Catalogue, SettingsError> {
        let mut catalogue = builtin;
        if let Some(path) = &self.catalogue {
            let text =
                std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.clone(), source })?;
            let wrong = |what| SettingsError::Catalogue { path: path.clone(), what };
            // A reader for YAML would be part of what starts for every alert.
            let file: CatalogueFile =
                serde_json::from_str(&text).map_err(|error| wrong(format!("{error} (the file is JSON)")))?;
            catalogue.extend(file).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(catalogue)
    }

    /// What is asked about.
    pub(crate) fn ask(&self) -> Result<AskOptions, SettingsError> {
        let mut options = AskOptions::default();
        if let Some(names) = &self.kinds {
            options.kinds = names.iter().map(|name| kind(name)).collect::<Result<_, _>>()?;
        }
        if self.private_addresses {
            options.worthless = alert_enricher::store::Worthless::new(WorthlessReason::DEFAULT);
        }
        for value in &self.ignore {
            let key =
                recognise(value).map_err(|error| SettingsError::Value { key: "ignore", what: error.to_string() })?;
            options.worthless.list(key);
        }
        options.groups.clone_from(&self.groups);
        options.own_domains.clone_from(&self.own_domains);
        Ok(options)
    }

    /// Which indicators count.
    pub(crate) fn judge(&self) -> Result<JudgeOptions, SettingsError> {
        let max_tlp = self.max_tlp.as_deref().map(|text| {
            let wrong = |_| SettingsError::Value { key: "max_tlp", what: format!("`{text}` is no marking of TLP") };
            text.trim_start_matches("TLP:").parse::<Tlp>().map_err(wrong)
        });
        let false_positive = || vec!["false-positive".to_owned(), "false positive".to_owned()];
        Ok(JudgeOptions {
            filter: Filter {
                min_score: self.min_score,
                min_confidence: self.min_confidence,
                max_tlp: max_tlp.transpose()?,
                ..Filter::default()
            },
            ignored_labels: self.ignored_labels.clone().unwrap_or_else(false_positive),
            ..JudgeOptions::default()
        })
    }

    /// Stands for everything that decides which events an alert gives, and who gets them. Two runs of one program can
    /// compare it; the token cannot be read from it. `url` and `token` are what is given beside the settings.
    pub(crate) fn fingerprint(&self, url: Option<&str>, token: Option<&str>) -> u64 {
        use std::hash::{Hash as _, Hasher as _};
        let mut hasher = std::hash::DefaultHasher::new();
        (&self.kinds, &self.groups, &self.own_domains, &self.ignore, self.private_addresses).hash(&mut hasher);
        (self.min_score, self.min_confidence, &self.max_tlp, &self.ignored_labels).hash(&mut hasher);
        (&self.intel, self.search_patterns, self.old_manager, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
        // A file that was replaced is another one.
        let replaced = self.catalogue.as_ref().and_then(|path| std::fs::metadata(path).ok());
        let replaced = replaced.map(|file| (file.len(), file.modified().ok()));
        (&self.catalogue, replaced).hash(&mut hasher);
        // Another platform, or another account of it, knows other things.
        crate::intelligence::address(self, url).hash(&mut hasher);
        if self.intel.is_empty() {
            self.token(token).hash(&mut hasher);
        }
        (&self.socket, self.daemon.with_observables()).hash(&mut hasher);
        hasher.finish()
    }

    /// The token that is given, else that of the file.
    fn token(&self, token: Option<&str>) -> Option<String> {
        let from_file = || std::fs::read_to_string(self.token_file.as_ref()?).ok();
        token.map(str::to_owned).or_else(|| from_file().map(|text| text.trim().to_owned()))
    }

    /// How the place of an event is written.
    pub(crate) fn escaping(&self) -> Escaping {
        if self.old_manager { Escaping::None } else { Escaping::Bars }
    }

    /// How long the whole run may take.
    pub(crate) fn deadline(&self, of_integrator: Option<Duration>) -> Duration {
        const USUAL: Duration = Duration::from_secs(10);
        of_integrator.or(self.timeout.map(Duration::from_secs)).unwrap_or(USUAL).max(Duration::from_millis(100))
    }

    /// The folder for what waits and what is remembered.
    pub(crate) fn state(&self, home: &Path) -> PathBuf {
        self.state.clone().unwrap_or_else(|| {
            let [usual, other] = STATE.map(|place| home.join(place));
            if usual.is_dir() || std::fs::create_dir_all(&usual).is_ok() { usual } else { other }
        })
    }
}

/// Folders in which alerts may wait that another run put there, because it could not read these settings or not make the
/// folder.
pub(crate) fn other_spools(state: &Path, home: &Path) -> Vec<PathBuf> {
    let others = STATE.map(|place| home.join(place)).into_iter().filter(|other| other != state);
    others.map(|other| other.join("spool")).filter(|spool| spool.is_dir()).collect()
}

fn kind(name: &str) -> Result<Kind, SettingsError> {
    let same = |kind: &Kind| kind.name().eq_ignore_ascii_case(name);
    Kind::ALL.into_iter().find(same).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        SettingsError::Value { key: "kinds", what: format!("`{name}` is none of {}", known.join(", ")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_a_mistake_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.options");
        std::fs::write(&path, r#"{"kinds":["address","sha-256"],"max_tlp":"TLP:AMBER","ignore":["198.51.100.0/24"]}"#)
            .unwrap();
        let settings = Settings::read(Some(&path), folder.path()).unwrap();
        assert_eq!(settings.ask().unwrap().kinds, [Kind::Address, Kind::Sha256]);
        assert!(settings.judge().is_ok());
        for (text, wanted) in [
            (r#"{"min_scor":1}"#, "unknown field `min_scor`"),
            (r#"{"kinds":["adress"]}"#, "`adress` is none of address"),
            (r#"{"max_tlp":"TLP:PINK"}"#, "`TLP:PINK` is no marking of TLP"),
        ] {
            std::fs::write(&path, text).unwrap();
            let outcome = Settings::read(Some(&path), folder.path())
                .and_then(|settings| settings.ask().and_then(|_| settings.judge().map(drop)));
            assert!(outcome.unwrap_err().to_string().contains(wanted), "{text}");
        }
    }

    #[test]
    fn what_decides_answers_is_told_apart() {
        let settings = |text: &str| Settings::parse(text, Path::new("x")).unwrap();
        let plain = settings("{}");
        let one = plain.fingerprint(Some("https://one.example/graphql"), Some("token-1"));
        assert_eq!(one, settings(r#"{"url":"https://one.example/"}"#).fingerprint(None, Some("token-1")));
        for other in [
            plain.fingerprint(Some("https://two.example"), Some("token-1")),
            plain.fingerprint(Some("https://one.example"), Some("token-2")),
            settings(r#"{"socket":"/x"}"#).fingerprint(Some("https://one.example"), Some("token-1")),
            settings(r#"{"daemon":{"observables":false}}"#).fingerprint(Some("https://one.example"), Some("token-1")),
        ] {
            assert_ne!(one, other);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "token-1\n").unwrap();
        let from_file = Settings { token_file: Some(path), url: Some("https://one.example".into()), ..plain.clone() };
        assert_eq!(one, from_file.fingerprint(None, None));
        // Where files stand in the place of the platform nobody is asked with a token.
        let files = Settings { intel: vec!["x".into()], ..plain };
        assert_eq!(files.fingerprint(None, Some("token-1")), files.fingerprint(None, None));
    }

    #[test]
    fn without_a_file_there_are_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None, folder.path()).unwrap();
        assert_eq!(settings.deadline(None), Duration::from_secs(10));
        assert_eq!(settings.deadline(Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert!(matches!(
            Settings::read(Some(&folder.path().join("none")), folder.path()),
            Err(SettingsError::Read { .. })
        ));
    }
}
