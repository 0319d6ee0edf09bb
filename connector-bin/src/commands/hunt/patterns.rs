//! Indicators that are decided by a pattern or a Sigma rule.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use alert_enricher::hunt::{Compound, CompoundHunt, CompoundReport, HuntOptions};
use alert_enricher::indicator::{Indicator, PatternError, SkipReason, Skipped};
use alert_enricher::store::Snapshot;
use anyhow::{Context as _, Result};
use stix_model::sdo::Indicator as StixIndicator;
use stix_model::{Object, Timestamp};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Scope};
use wazuh_query::pattern_type::PatternType;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::opensearch::OpenSearchStore;
use wazuh_query::store::{AlertStore, StoreError};

use crate::cli::HuntArguments;
use crate::config::Config;
use crate::output::Warnings;
use alert_enricher_cli::input;

/// Documents of one page.
const PAGE: usize = 1_000;
/// So many documents are looked at for one query.
const FETCHED: u64 = 1_000_000;

/// The indicators with patterns among the sources and in the store. What can be hunted is taken out of `skipped`, and
/// what cannot says why.
pub(super) fn read<'c>(
    arguments: &HuntArguments,
    config: &'c Config,
    snapshot: &Snapshot,
    options: &HuntOptions,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Compound<'c>>> {
    let schemas: &[Schema] = match arguments.opensearch {
        Some(_) => &[arguments.schema.into()],
        None => &[Schema::Wazuh4, Schema::Wazuh5],
    };
    let agents = options.matching.include_agents;
    let pattern_options = PatternOptions {
        scope: if arguments.across_agents { Scope::AcrossAgents } else { Scope::PerAgent },
        agent_addresses: agents,
        agent_names: agents,
        ..PatternOptions::default()
    };
    let catalogue: &'c Catalogue = &config.catalogue;
    let translators: Vec<PatternTranslator> =
        schemas.iter().map(|schema| PatternTranslator::new(catalogue, *schema, pattern_options)).collect();
    let mut compounds = Vec::new();

    // In files the store decides its patterns itself.
    if arguments.opensearch.is_some() {
        for indicator in snapshot.indicators() {
            let indicator = indicator?;
            let Some(pattern) = indicator.pattern.clone() else { continue };
            let id = indicator.id.clone();
            match compound(&indicator, &pattern, &PatternType::Stix, catalogue, &translators) {
                Ok(found) => compounds.extend(found),
                Err(why) => skipped.push(Skipped { what: id.to_string(), why: SkipReason::Source(why) }),
            }
        }
    }
    let wanted: HashSet<&str> =
        skipped.iter().filter(|one| may_be_hunted(&one.why)).map(|one| one.what.as_str()).collect();
    if wanted.is_empty() {
        return Ok(compounds);
    }
    let mut found: HashMap<String, StixIndicator> = HashMap::new();
    input::objects(&arguments.indicators, |object| {
        let Object::Indicator(indicator) = object else { return };
        let id = indicator.common.id.to_string();
        let is_newest = found.get(&id).is_none_or(|known| known.common.modified <= indicator.common.modified);
        if wanted.contains(id.as_str()) && is_newest {
            found.insert(id, *indicator);
        }
    })?;
    let mut left = Vec::with_capacity(skipped.len());
    for one in skipped.drain(..) {
        if !may_be_hunted(&one.why) {
            left.push(one);
            continue;
        }
        // What comes twice is hunted once, and named once if it cannot be.
        let Some(stix) = found.remove(&one.what) else {
            if left.iter().all(|known: &Skipped| known.what != one.what)
                && compounds.iter().all(|known: &Compound<'_>| known.indicator.id.to_string() != one.what)
            {
                left.push(one);
            }
            continue;
        };
        let (pattern, pattern_type) = (stix.pattern.clone(), PatternType::read(&stix.pattern_type));
        let name = stix.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(Box::from);
        let mut indicator = Indicator::of_object(&Object::from(stix));
        indicator.name = name;
        match compound(&indicator, &pattern, &pattern_type, catalogue, &translators) {
            Ok(found) => compounds.extend(found),
            Err(why) => left.push(Skipped { what: one.what, why: SkipReason::Source(why) }),
        }
    }
    *skipped = left;
    Ok(compounds)
}

/// Whether the store left an indicator out that its pattern can decide.
fn may_be_hunted(why: &SkipReason) -> bool {
    match why {
        SkipReason::Pattern(PatternError::Operator(_) | PatternError::Property(_)) => true,
        SkipReason::Rule(pattern_type) => *pattern_type == PatternType::Sigma,
        _ => false,
    }
}

/// An indicator for each schema that can decide it; the reason of the first if none can.
fn compound<'c>(
    indicator: &Indicator,
    pattern: &str,
    pattern_type: &PatternType,
    catalogue: &'c Catalogue,
    translators: &[PatternTranslator],
) -> Result<Vec<Compound<'c>>, String> {
    let mut compounds = Vec::new();
    let mut reason = None;
    for translator in translators {
        match Compound::new(indicator.clone(), pattern, pattern_type, catalogue, translator) {
            Ok(compound) => compounds.push(compound),
            Err(error) => reason = reason.or(Some(error.to_string())),
        }
    }
    match reason {
        Some(reason) if compounds.is_empty() => Err(reason),
        _ => Ok(compounds),
    }
}

#[expect(clippy::too_many_arguments, reason = "the pieces of one run, put together in one place")]
/// Hunts in an indexer: what the queries find is fetched and verified here.
pub(super) fn search(
    compounds: &[Compound<'_>],
    config: &Config,
    store: &OpenSearchStore,
    runtime: &tokio::runtime::Runtime,
    profile: &SearchProfile,
    options: &HuntOptions,
    now: Timestamp,
    warnings: &mut Warnings,
) -> Result<CompoundReport> {
    let mut hunt = CompoundHunt::new(compounds, &config.catalogue, options);
    for (place, compound) in compounds.iter().enumerate() {
        let id = &compound.indicator.id;
        let Some(searches) = compound.searches() else {
            warnings.add(&format!("{id}: no query narrows the search; hunt in files of alerts for this one"));
            continue;
        };
        let mut fetch = Fetch { store, runtime, profile, now, hunt: &mut hunt, place };
        match fetch.all(&searches.observations, &searches.required) {
            Ok(problems) => problems.iter().for_each(|problem| warnings.add(&format!("{id}: {problem}"))),
            Err(error) => warnings.add(&format!("{id}: {error}")),
        }
    }
    let report = hunt.finish().context("a pattern")?;
    if report.truncated {
        warnings.add("more alerts satisfy parts of patterns than are kept: there may be more matches");
    }
    Ok(report)
}

struct Fetch<'f, 'h, 'c> {
    store: &'f OpenSearchStore,
    runtime: &'f tokio::runtime::Runtime,
    profile: &'f SearchProfile,
    now: Timestamp,
    hunt: &'f mut CompoundHunt<'h, 'c>,
    place: usize,
}

impl Fetch<'_, '_, '_> {
    /// Fetches what satisfies any observation, unless a required one is satisfied by nothing. Answers what was wrong.
    fn all(&mut self, observations: &[Vec<Query>], required: &[usize]) -> Result<Vec<String>, StoreError> {
        if observations.len() > 1 {
            for queries in required.iter().filter_map(|place| observations.get(*place)) {
                let mut count = 0;
                for query in queries {
                    count +=
                        self.runtime.block_on(self.store.count(&self.profile.covering(query.clone(), self.now)))?;
                }
                if count == 0 {
                    return Ok(Vec::new());
                }
            }
        }
        let mut problems = Vec::new();
        let mut asked: Vec<&Query> = Vec::new();
        for query in observations.iter().flatten() {
            // Two observations may ask for the same.
            if !asked.contains(&query) {
                asked.push(query);
                self.pages(query, &mut problems)?;
            }
        }
        Ok(problems)
    }

    fn pages(&mut self, query: &Query, problems: &mut Vec<String>) -> Result<(), StoreError> {
        let Self { hunt, place, .. } = self;
        let mut request = self.profile.request(query.clone(), self.now);
        request.size = PAGE;
        let (mut fetched, mut unreadable, mut failed) = (0, 0, None);
        let mut visit = |response: wazuh_query::store::SearchResponse| {
            for hit in &response.hits {
                fetched += 1;
                let source = hit.source.get();
                let (index, id) = (serde_json::Value::from(hit.index.as_str()), serde_json::Value::from(&*hit.id));
                let text = format!("{{\"_index\":{index},\"_id\":{id},\"_source\":{source}}}");
                match hunt.alert_of(*place, &text) {
                    Ok(_) => {}
                    Err(alert_enricher::pattern::HuntError::Alert(_)) => unreadable += 1,
                    Err(error) => {
                        failed = Some(error.to_string());
                        return ControlFlow::Break(());
                    }
                }
            }
            if fetched >= FETCHED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let paged = self.runtime.block_on(self.store.for_each_page(&request, &mut visit))?;
        problems.extend(failed);
        if unreadable > 0 {
            problems.push(format!("{unreadable} documents that the indexer found are no alerts"));
        }
        if paged.hits < paged.total {
            problems.push(format!("{} of {} alerts that may match were looked at", paged.hits, paged.total));
        } else if paged.timed_out || paged.shards.failed > 0 {
            problems.push("the indexer answered in part only".to_owned());
        }
        Ok(())
    }
}
