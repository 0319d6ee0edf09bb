//! The configuration: the original connector's file and environment variables, and a few settings more.
//!
//! Values come from the file, else from the environment, else from the defaults. Every mistake is reported, not only
//! the first one.

mod keys;
mod source;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use alert_enricher::extract::{ExtractOptions, ExtractType};
use anyhow::{Context as _, Result};
use stix_model::Timestamp;
use url::Url;
use wazuh_query::catalogue::{Catalogue, CatalogueFile, Schema};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::{Interval, SearchProfile, Since, parse_filter, parse_matches, parse_rules, parse_sort};
use wazuh_query::store::opensearch::{Auth, OpenSearchConfig};

use crate::cli::ConfigArguments;
use source::{Setting, Source};

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub(crate) struct ConfigErrors(Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration has mistakes:")?;
        self.0.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// What the offline commands need of the configuration.
pub(crate) struct Config {
    /// The fields of alerts, with those of the site.
    pub(crate) catalogue: Catalogue,
    /// The `search` group.
    pub(crate) search: SearchOptions,
    /// The `enrich` group.
    pub(crate) extract: ExtractOptions,
    source: Source,
}

impl Config {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(arguments: &ConfigArguments) -> Result<Self> {
        let source = match &arguments.config {
            None => Source::environment(),
            Some(path) => Source::file(path)?,
        };
        let mut mistakes = Mistakes(source.unknown_keys());
        let search = search(&source, &mut mistakes);
        let extract = extract(&source, &mut mistakes);
        let named = source.get("catalogue").and_then(|setting| mistakes.text(&setting));
        let file = arguments.catalogue.clone().or_else(|| named.map(PathBuf::from));
        mistakes.finish()?;
        let mut catalogue = Catalogue::builtin();
        if let Some(file) = file {
            extend(&mut catalogue, &file)?;
        }
        Ok(Self { catalogue, search, extract, source })
    }

    /// What surrounds every search: the neighbours of the query in the `opensearch` group.
    pub(crate) fn profile(&self, schema: Schema, now: Timestamp) -> Result<SearchProfile> {
        let mut profile = SearchProfile::new(&self.catalogue, schema);
        let mut mistakes = Mistakes::default();
        let get = |key| self.source.get(key);
        if let Some(index) = get("opensearch.index").and_then(|setting| mistakes.text(&setting)) {
            profile.index = index;
        }
        if let Some(setting) = get("opensearch.search_after") {
            let since = mistakes.text(&setting).map(|text| Since::parse(&text, now));
            profile.since = since.and_then(|since| mistakes.take(&setting, since)).flatten();
        }
        for (key, list) in [
            ("opensearch.include_match", &mut profile.include_match),
            ("opensearch.exclude_match", &mut profile.exclude_match),
        ] {
            if let Some(setting) = get(key)
                && let Some(matches) = mistakes.take(&setting, parse_matches(&setting.as_list_text()))
            {
                *list = matches;
            }
        }
        if let Some(setting) = get("opensearch.filter")
            && let Some(filter) = mistakes.take(&setting, parse_filter(&setting.as_list_text()))
        {
            profile.filter = filter;
        }
        if let Some(setting) = get("opensearch.order_by")
            && let Some(order) = mistakes.take(&setting, parse_sort(&setting.as_list_text()))
            && !order.is_empty()
        {
            profile.order_by = order;
        }
        if let Some(setting) = get("rule_exclude_list")
            && let Some(rules) = mistakes.take(&setting, parse_rules(&setting.as_list_text()))
        {
            profile.rule_exclude_list = rules;
        }
        if let Some(setting) = get("opensearch.limit")
            && let Some(limit) = mistakes.parse::<usize>(&setting, "a number of at least 1")
        {
            if limit == 0 {
                mistakes.add(&setting, "must be at least 1");
            }
            profile.limit = limit;
        }
        mistakes.finish()?;
        Ok(profile)
    }

    /// How the indexer is reached. `url` comes from the command line.
    pub(crate) fn opensearch(&self, url: &str, index: &str) -> Result<OpenSearchConfig> {
        let mut mistakes = Mistakes::default();
        // The text is not shown: what cannot be read may hold credentials.
        let url = Url::parse(url).context("the URL of the indexer cannot be read")?;
        let mut config = OpenSearchConfig::new(url);
        index.clone_into(&mut config.index);
        let text =
            |key: &str, mistakes: &mut Mistakes| self.source.get(key).and_then(|setting| mistakes.text(&setting));
        let username = text("opensearch.username", &mut mistakes);
        let password = text("opensearch.password", &mut mistakes);
        let api_key = text("opensearch.api_key", &mut mistakes);
        let certificate = text("opensearch.client_certificate", &mut mistakes);
        config.auth = match (username, password, api_key, certificate) {
            (.., Some(key), _) => Auth::ApiKey(key.into()),
            (Some(username), Some(password), ..) => Auth::Basic { username, password: password.into() },
            (.., Some(path)) => {
                let mut pem = read_file(&path, "opensearch.client_certificate")?;
                if let Some(key) = text("opensearch.client_key", &mut mistakes) {
                    pem.push(b'\n');
                    pem.extend(read_file(&key, "opensearch.client_key")?);
                }
                Auth::ClientCertificate(String::from_utf8_lossy(&pem).into_owned().into())
            }
            (Some(_), None, ..) => anyhow::bail!("opensearch.username is given, but opensearch.password is not"),
            _ => Auth::None,
        };
        if let Some(path) = text("opensearch.ca", &mut mistakes) {
            config.ca = Some(read_file(&path, "opensearch.ca")?);
        }
        if let Some(setting) = self.source.get("opensearch.verify_tls") {
            config.verify_tls = mistakes.boolean(&setting).unwrap_or(true);
        }
        if let Some(setting) = self.source.get("opensearch.timeout") {
            let interval = mistakes.text(&setting).map(|text| Interval::from_str(&text));
            if let Some(interval) = interval.and_then(|interval| mistakes.take(&setting, interval)) {
                config.timeout = interval.duration();
            }
        }
        mistakes.finish()?;
        Ok(config)
    }
}

fn read_file(path: &str, key: &str) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{key}: {path} cannot be read"))
}

fn extend(catalogue: &mut Catalogue, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mistake = |error: String| ConfigErrors(vec![format!("{}: {error}", path.display())]);
    let file: CatalogueFile = if path.extension().is_some_and(|ending| ending == "json") {
        serde_json::from_str(&text).map_err(|error| mistake(error.to_string()))?
    } else {
        serde_saphyr::from_str(&text).map_err(|error| mistake(error.to_string()))?
    };
    catalogue.extend(file).map_err(|error| mistake(error.to_string()))?;
    Ok(())
}

fn search(source: &Source, mistakes: &mut Mistakes) -> SearchOptions {
    let mut options = SearchOptions::default();
    if let Some(setting) = source.get("search.filesearch_options") {
        options.file = mistakes.names(&setting).unwrap_or(options.file);
    }
    if let Some(setting) = source.get("search.dirsearch_options") {
        options.directory = mistakes.names(&setting).unwrap_or(options.directory);
    }
    if let Some(setting) = source.get("search.procsearch_options") {
        options.process = mistakes.names(&setting).unwrap_or(options.process);
    }
    if let Some(setting) = source.get("search.regkeysearch_options") {
        options.registry_key = mistakes.names(&setting).unwrap_or(options.registry_key);
    }
    for (key, switch) in [
        ("search.lookup_agent_ip", &mut options.lookup_agent_ip),
        ("search.lookup_agent_name", &mut options.lookup_agent_name),
        ("search.ignore_private_addrs", &mut options.ignore_private_addrs),
        ("search.lookup_mac_variants", &mut options.lookup_mac_variants),
        ("search.lookup_hostnames_in_cmd_line", &mut options.lookup_hostnames_in_cmd_line),
        ("search.lookup_url_without_host", &mut options.lookup_url_without_host),
        ("search.lookup_url_ignore_trailing_slash", &mut options.lookup_url_ignore_trailing_slash),
        ("search.lookup_hosts_in_urls", &mut options.lookup_hosts_in_urls),
    ] {
        if let Some(setting) = source.get(key) {
            *switch = mistakes.boolean(&setting).unwrap_or(*switch);
        }
    }
    mistakes.0.extend(
        options.conflicts().iter().map(|conflict| format!("search.{conflict}").replace("search.`", "`search.")),
    );
    options
}

fn extract(source: &Source, mistakes: &mut Mistakes) -> ExtractOptions {
    let mut options = ExtractOptions::default();
    if let Some(setting) = source.get("enrich.types") {
        options.types = mistakes.names::<ExtractType>(&setting).unwrap_or(options.types);
    }
    if let Some(setting) = source.get("enrich.filename_behaviour")
        && let Some(names) = mistakes.list(&setting)
    {
        let folded: Vec<String> = names.iter().map(|name| name.replace('-', "").to_ascii_lowercase()).collect();
        let has = |name: &str| folded.iter().any(|known| known == name || known == "all");
        options.create_directory = has("createdir");
        options.remove_path = has("removepath");
        for name in names
            .iter()
            .zip(&folded)
            .filter(|(_, folded)| !matches!(folded.as_str(), "createdir" | "removepath" | "all"))
        {
            mistakes.add(&setting, &format!("`{}` is not one of create-dir, remove-path", name.0));
        }
    }
    if let Some(setting) = source.get("enrich.enrich_urls_without_host") {
        options.urls_without_host = mistakes.boolean(&setting).unwrap_or(false);
    }
    options
}

/// A set of names that may also be given as `all`.
trait Names: FromStr + Copy + Ord {
    fn all() -> Vec<Self>;
}

macro_rules! names {
    ($($type:ty),*) => { $(impl Names for $type { fn all() -> Vec<Self> { Self::ALL.to_vec() } })* };
}

names!(
    wazuh_query::options::FileOption,
    wazuh_query::options::DirOption,
    wazuh_query::options::ProcOption,
    wazuh_query::options::RegKeyOption
);

impl Names for ExtractType {
    fn all() -> Vec<Self> {
        Self::ALL.iter().map(|(kind, _)| *kind).collect()
    }
}

/// Collects what is wrong.
#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, setting: &Setting, what: &str) {
        self.0.push(format!("{}: {what}", setting.origin()));
    }

    fn finish(self) -> Result<(), ConfigErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigErrors(self.0)) }
    }

    fn take<T, E: fmt::Display>(&mut self, setting: &Setting, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(setting, &error.to_string())).ok()
    }

    fn text(&mut self, setting: &Setting) -> Option<String> {
        let text = setting.as_text();
        if text.is_none() {
            self.add(setting, "expected a text");
        }
        text
    }

    fn parse<T: FromStr>(&mut self, setting: &Setting, expected: &str) -> Option<T> {
        let text = self.text(setting)?;
        let parsed = text.trim().parse().ok();
        if parsed.is_none() {
            self.add(setting, &format!("`{text}` is not {expected}"));
        }
        parsed
    }

    fn boolean(&mut self, setting: &Setting) -> Option<bool> {
        let text = self.text(setting)?;
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => {
                self.add(setting, &format!("`{text}` is neither true nor false"));
                None
            }
        }
    }

    fn list(&mut self, setting: &Setting) -> Option<Vec<String>> {
        let list = setting.as_list();
        if list.is_none() {
            self.add(setting, "expected a list of names");
        }
        list
    }

    fn names<T: Names>(&mut self, setting: &Setting) -> Option<BTreeSet<T>>
    where
        T::Err: fmt::Display,
    {
        let list = self.list(setting)?;
        if list.iter().any(|name| name == "all") {
            return Some(T::all().into_iter().collect());
        }
        let mut names = BTreeSet::new();
        for name in list {
            match name.parse() {
                Ok(name) => drop(names.insert(name)),
                Err(error) => self.add(setting, &format!("{error}")),
            }
        }
        Some(names)
    }
}
