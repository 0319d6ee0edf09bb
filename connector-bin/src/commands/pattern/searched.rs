//! A pattern that alerts are searched for: reading it, whatever its language.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use stix_model::pattern::Pattern;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Scope};
use wazuh_query::pattern_type::{NotSearchablePattern, PatternType};
use wazuh_query::sigma::{SigmaError, SigmaMatcher, SigmaRule};

use crate::cli::{ReadingArgument, SearchedPatternArguments};
use crate::config::Config;
use alert_enricher_cli::input;

/// The longest text that is read: Sigma rules come in collections.
const LONGEST: u64 = 64 << 20;

/// What alerts are searched for.
pub(super) enum Searched {
    Stix { translator: PatternTranslator, pattern: Box<Pattern> },
    Sigma(Vec<Result<SigmaMatcher, SigmaError>>),
    Not(NotSearchablePattern),
}

/// The text, and what it says.
pub(super) fn read(arguments: &SearchedPatternArguments) -> Result<(String, Searched)> {
    let config = Config::load(&arguments.config)?;
    let text = text(arguments)?;
    let schema = arguments.schema.into();
    let pattern_type = PatternType::read(&arguments.pattern_type);
    if let Some(reason) = pattern_type.not_searchable() {
        return Ok((text, Searched::Not(reason)));
    }
    if pattern_type == PatternType::Sigma {
        let rules = SigmaRule::read_all(&text).into_iter();
        let rules = rules.map(|rule| Ok(SigmaMatcher::new(&rule?, &config.catalogue, schema)));
        let rules = rules.collect();
        return Ok((text, Searched::Sigma(rules)));
    }
    let pattern = match arguments.stix_version {
        Some(version) => Pattern::parse_as(&text, version.into()),
        None => Pattern::read(&text),
    };
    let pattern = match pattern {
        Ok(pattern) => Box::new(pattern),
        Err(error) => anyhow::bail!("no pattern: {}", error.render(&text)),
    };
    let options = PatternOptions {
        scope: if arguments.across_agents { Scope::AcrossAgents } else { Scope::PerAgent },
        same_object: matches!(arguments.reading, ReadingArgument::SameObject),
        ..PatternOptions::from(&config.search)
    };
    let translator = PatternTranslator::new(&config.catalogue, schema, options);
    Ok((text, Searched::Stix { translator, pattern }))
}

fn text(arguments: &SearchedPatternArguments) -> Result<String> {
    let Some(file) = &arguments.file else { return Ok(arguments.pattern.clone().unwrap_or_default()) };
    let mut text = String::new();
    input::open(file)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    anyhow::ensure!(text.len() as u64 <= LONGEST, "{} is longer than 64 MiB", file.display());
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}
