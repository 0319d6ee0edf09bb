//! The configuration: the original connector's file and environment variables, what official connectors have in
//! common, and a few options more.
//!
//! Values come from the file, else from the environment, else from the defaults. Every mistake is reported, not only
//! the first one. [`table`] is the list of options, from which everything else is made.

mod kind;
mod mistakes;
mod node;
mod option;
mod pem;
mod read;
mod resolver;
mod rules;
mod schema;
mod service;
mod show;
mod source;
mod table;
mod values;

#[cfg(test)]
mod tests;

use std::path::Path;

use alert_enricher::extract::ExtractOptions;
use anyhow::{Context as _, Result};
use stix_model::Timestamp;
use url::Url;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::opensearch::OpenSearchConfig;

use crate::cli::ConfigArguments;
use crate::output;
use resolver::Resolver;
use source::Source;

pub(crate) use mistakes::ConfigErrors;
pub(crate) use schema::{of_environment as schema_of_environment, of_file as schema_of_file};
pub(crate) use service::{BrokerConfig, Listen, LogLevel, MetricsConfig, PatternReading, ServiceConfig};
pub(crate) use show::{Row, as_environment, as_json, as_table, as_yaml};

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
    /// Reads the file, if one is named, and the environment. Options that only the service has are not looked at.
    pub(crate) fn load(arguments: &ConfigArguments) -> Result<Self> {
        let source = source(arguments)?;
        let mut resolver = Resolver::new(&source, read::now());
        let search = read::search_options(&mut resolver);
        let extract = read::extract_options(&mut resolver);
        let named = resolver.text(&table::root::CATALOGUE);
        for warning in resolver.check()? {
            output::warn(&warning);
        }
        let file = catalogue_file(arguments).or(named);
        let catalogue = read::catalogue(file.as_deref()).map_err(|error| ConfigErrors(vec![error]))?;
        Ok(Self { catalogue, search, extract, source })
    }

    /// What surrounds every search: the neighbours of the query in the `opensearch` group.
    pub(crate) fn profile(&self, schema: Schema, now: Timestamp) -> Result<SearchProfile> {
        let mut resolver = Resolver::new(&self.source, now);
        let profile = read::profile(&mut resolver, &self.catalogue, schema);
        resolver.check()?;
        Ok(profile)
    }

    /// How the indexer is reached. `url` comes from the command line.
    pub(crate) fn opensearch(&self, url: &str, index: &str) -> Result<OpenSearchConfig> {
        // The text is not shown: what cannot be read may hold credentials.
        let url = Url::parse(url).context("the URL of the indexer cannot be read")?;
        let mut resolver = Resolver::new(&self.source, read::now());
        let config = read::opensearch(&mut resolver, url, index);
        resolver.check()?;
        Ok(config)
    }
}

impl ServiceConfig {
    /// The configuration of a file's text alone, for tests.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        let source = Source::new(Some(("config.yml", text)), []);
        let mut resolver = Resolver::of_service(&source, read::now());
        let config = service::read(&mut resolver, None);
        resolver.check().unwrap();
        config.unwrap()
    }

    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(arguments: &ConfigArguments) -> Result<Self> {
        let source = source(arguments)?;
        let mut resolver = Resolver::of_service(&source, read::now());
        let config = service::read(&mut resolver, catalogue_file(arguments).as_deref());
        let warnings = resolver.check()?;
        let mut config = config.ok_or_else(|| ConfigErrors(Vec::new()))?;
        config.warnings = warnings;
        Ok(config)
    }
}

/// The effective configuration of the service, whether it is complete or not.
pub(crate) struct Effective {
    /// All options.
    pub(crate) rows: Vec<Row>,
    /// What is possible, but hardly meant.
    pub(crate) warnings: Vec<String>,
    /// Whether the service would start.
    pub(crate) verdict: Result<(), ConfigErrors>,
}

impl Effective {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(arguments: &ConfigArguments) -> Result<Self> {
        Ok(Self::of(&source(arguments)?, catalogue_file(arguments).as_deref()))
    }

    fn of(source: &Source, catalogue: Option<&str>) -> Self {
        let mut resolver = Resolver::of_service(source, read::now());
        let config = service::read(&mut resolver, catalogue);
        let rows = Row::all(&mut resolver);
        let (mistakes, warnings) = resolver.finish();
        let verdict = if mistakes.is_empty() && config.is_some() { Ok(()) } else { Err(ConfigErrors(mistakes)) };
        Self { rows, warnings, verdict }
    }
}

fn catalogue_file(arguments: &ConfigArguments) -> Option<String> {
    arguments.catalogue.as_deref().map(|path| path.to_string_lossy().into_owned())
}

/// The file that the command line or a variable names, and the environment.
fn source(arguments: &ConfigArguments) -> Result<Source> {
    let environment = std::env::vars_os;
    let named = std::env::var_os(table::FILE_VARIABLE).filter(|name| !name.is_empty());
    let Some(path) = arguments.config.clone().or_else(|| named.map(Into::into)) else {
        return Ok(Source::new(None, environment()));
    };
    let shown = Source::shown(&path);
    match read_file(&path) {
        Ok(text) => Ok(Source::new(Some((&shown, &text)), environment())),
        Err(error) if arguments.ignore && !path.exists() => {
            output::warn(&format!("{shown} is left out: {error:#}"));
            Ok(Source::new(None, environment()))
        }
        Err(error) => Err(error),
    }
}

fn read_file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
