//! Where threat intelligence comes from: the platform, or files in its place.

use std::path::Path;
use std::time::{Duration, Instant};

use opencti_client::embedded::BundleIntel;
use opencti_client::graphql::{Platform, PlatformConfig, ProxyConfig};
use opencti_client::tls::TlsConfig;
use opencti_client::{Backoff, Context, Error, ErrorKind, Known, Lookup, PlatformVersion, Secret, ThreatIntelligence};
use tokio::runtime::Runtime;

use crate::journal::Journal;
use crate::settings::Settings;

/// The platform's version, as it was the last time somebody asked.
const VERSION: &str = "version";

/// Why nothing can be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// Neither a platform nor files are named.
    #[error("no threat intelligence is named: give <hook_url> and <api_key>, or `intel` in the options")]
    Nowhere,
    /// A file that is named cannot be read.
    #[error("{path}: {what}")]
    File { path: String, what: String },
    /// The runtime cannot be made.
    #[error("no runtime for connections: {0}")]
    Runtime(std::io::Error),
    /// The platform says no, or nothing.
    #[error(transparent)]
    Platform(#[from] Error),
    /// The time is over.
    #[error("OpenCTI did not answer within {0:.1?}")]
    Late(Duration),
}

impl LookupError {
    /// Whether asking again later may help.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Platform(error) => opencti_client::judge(error) != opencti_client::Retry::Never,
            Self::Late(_) => true,
            Self::Nowhere | Self::File { .. } | Self::Runtime(_) => false,
        }
    }

    /// Whether what was asked may be the reason: somebody is there and lets this program in, but has no answer.
    pub(crate) fn may_be_of_question(&self) -> bool {
        match self {
            Self::Platform(error) => !matches!(
                error.kind(),
                ErrorKind::Transport { .. }
                    | ErrorKind::Auth { .. }
                    | ErrorKind::Forbidden { .. }
                    | ErrorKind::Certificate { .. }
                    | ErrorKind::Unsupported { .. }
                    | ErrorKind::Config(_)
                    | ErrorKind::Closed
            ),
            Self::Late(_) => true,
            Self::Nowhere | Self::File { .. } | Self::Runtime(_) => false,
        }
    }
}

/// Threat intelligence that is asked and waited for.
pub(crate) struct Intelligence {
    runtime: Runtime,
    source: Source,
    /// The platform's address for links.
    pub(crate) address: Option<String>,
    journal: Option<Journal>,
}

enum Source {
    Files(BundleIntel),
    Platform(Box<PlatformConfig>, Option<PlatformVersion>, std::path::PathBuf),
    Connected(Platform),
}

/// The base address of a platform: the integration of old was given that of GraphQL.
pub(crate) fn base(url: &str) -> &str {
    let url = url.trim().trim_end_matches('/');
    url.strip_suffix("/graphql").unwrap_or(url)
}

impl Intelligence {
    /// From files if the settings name some, else the platform. `state` is where its version is remembered.
    pub(crate) fn new(
        settings: &Settings,
        url: Option<&str>,
        token: Option<&str>,
        state: &Path,
    ) -> Result<Self, LookupError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LookupError::Runtime)?;
        let address = address(settings, url);
        if !settings.intel.is_empty() {
            return Ok(Self {
                runtime,
                source: Source::Files(BundleIntel::open(&settings.intel)?),
                address,
                journal: None,
            });
        }
        let config = platform_config(settings, url, token)?;
        let known = std::fs::read_to_string(state.join(VERSION)).ok();
        let version = known.as_deref().and_then(PlatformVersion::parse).filter(|version| version.is_supported());
        let source = Source::Platform(Box::new(config), version, state.join(VERSION));
        Ok(Self { runtime, source, address, journal: None })
    }

    /// The same, with a log for what an administrator has to know about answers.
    pub(crate) fn telling(self, journal: Option<&Journal>) -> Self {
        Self { journal: journal.cloned(), ..self }
    }

    /// Tells what an administrator has to know about an answer.
    pub(crate) fn warn(&self, line: &str) {
        match &self.journal {
            Some(journal) => journal.warning(line),
            None => eprintln!("custom-opencti: {line}"),
        }
    }

    /// The platform's version, if one was asked.
    pub(crate) fn version(&self) -> Option<PlatformVersion> {
        match &self.source {
            Source::Connected(platform) => Some(platform.platform_version()),
            Source::Files(_) | Source::Platform(..) => None,
        }
    }

    /// Looks everything up, and gives up at the deadline.
    pub(crate) fn look_up(&mut self, lookup: &Lookup, deadline: Instant) -> Result<Known, LookupError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let Self { runtime, source, .. } = self;
        let asked = runtime.block_on(async { tokio::time::timeout(left, source.look_up(lookup)).await });
        asked.unwrap_or(Err(LookupError::Late(left)))
    }
}

impl Source {
    async fn look_up(&mut self, lookup: &Lookup) -> Result<Known, LookupError> {
        let context = Context::new();
        if let Self::Platform(config, version, remembered) = self {
            let config = (**config).clone();
            let platform = match *version {
                // One round trip: a version that is wrong shows itself and is read again.
                Some(version) => Platform::with_version(config, version)?,
                None => Platform::connect(config).await?,
            };
            let remembered = (*version, remembered.clone());
            let known = platform.look_up(lookup, &context).await?;
            let (before, path) = remembered;
            let now = platform.platform_version();
            if before != Some(now) {
                // Without it the next run asks again, which costs a round trip.
                let _unwritable = std::fs::write(path, now.to_string());
            }
            *self = Self::Connected(platform);
            return Ok(known);
        }
        match self {
            Self::Files(files) => Ok(files.look_up(lookup, &context).await?),
            Self::Connected(platform) => Ok(platform.look_up(lookup, &context).await?),
            Self::Platform(..) => Err(LookupError::Nowhere),
        }
    }
}

/// The platform's address, for links.
pub(crate) fn address(settings: &Settings, url: Option<&str>) -> Option<String> {
    url.or(settings.url.as_deref()).map(base).filter(|url| !url.is_empty()).map(str::to_owned)
}

/// How the platform is reached.
pub(crate) fn platform_config(
    settings: &Settings,
    url: Option<&str>,
    token: Option<&str>,
) -> Result<PlatformConfig, LookupError> {
    let read = |path: &Path| {
        let wrong =
            |error: std::io::Error| LookupError::File { path: path.display().to_string(), what: error.to_string() };
        std::fs::read(path).map_err(wrong)
    };
    let from_file = match (token, &settings.token_file) {
        (None, Some(path)) => Some(String::from_utf8_lossy(&read(path)?).trim().to_owned()),
        _ => None,
    };
    let token = token.map(str::to_owned).or(from_file);
    let (Some(url), Some(token)) = (address(settings, url), token) else { return Err(LookupError::Nowhere) };
    let mut config = PlatformConfig::new(&url, Secret::from(token.as_str()))?;
    config.tls = tls(settings, &url, &read)?;
    config.proxy = match settings.proxy.as_deref() {
        None => ProxyConfig::Environment,
        Some("none") => ProxyConfig::None,
        Some(proxy) => ProxyConfig::Url(Secret::from(proxy)),
    };
    // The whole run has a deadline of its own; a second try helps against a connection that was cut.
    config.backoff = Backoff {
        retries: settings.retries.unwrap_or(1),
        first: Duration::from_millis(100),
        longest: Duration::from_secs(2),
    };
    config.user_agent = String::from(concat!("custom-opencti/", env!("CARGO_PKG_VERSION")));
    config.largest_answer = 16 << 20;
    Ok(config)
}

fn tls(
    settings: &Settings,
    url: &str,
    read: &dyn Fn(&Path) -> Result<Vec<u8>, LookupError>,
) -> Result<TlsConfig, LookupError> {
    let mut tls = TlsConfig::default();
    // One connection, and the program ends.
    tls.quick = true;
    tls.verify = settings.ssl_verify.unwrap_or(true);
    tls.ca = settings.ca.as_deref().map(read).transpose()?;
    // Reading what the system trusts takes longer than the look-up: only where it is needed.
    let plain = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    tls.system_roots = !plain && tls.ca.is_none();
    Ok(tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_old() {
        for (given, wanted) in [
            ("https://opencti.example/graphql", "https://opencti.example"),
            ("https://opencti.example/cti/graphql/", "https://opencti.example/cti"),
            (" http://opencti:8080/ ", "http://opencti:8080"),
        ] {
            assert_eq!(base(given), wanted);
        }
    }

    #[test]
    fn nothing_named_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let made = Intelligence::new(&Settings::default(), Some("http://x"), None, folder.path());
        assert!(matches!(made, Err(LookupError::Nowhere)));
    }
}
