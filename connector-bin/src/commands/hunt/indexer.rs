//! Hunting in an indexer: one search per value, counted by the indexer itself.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::hunt::{HuntOptions, Hunter, Report, Row};
use alert_enricher::indicator::{Indicator, IndicatorId, IndicatorSet, Key};
use anyhow::{Context as _, Result};
use stix_model::Timestamp;
use wazuh_query::alert::RuleLevel;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::Since;
use wazuh_query::store::opensearch::OpenSearchStore;
use wazuh_query::store::{AlertStore, SearchResponse, StoreError, StoreErrorKind};

use crate::cli::HuntArguments;
use crate::config::Config;
use crate::output::Warnings;

/// Documents per indicator in which the fields are looked for.
const SHOWN_HITS: usize = 100;
/// Searches of one request. Few enough for a small indexer to answer in time.
const BATCH: usize = 16;

#[expect(clippy::too_many_arguments, reason = "the pieces of one run, put together in one place")]
pub(super) fn hunt(
    arguments: &HuntArguments,
    config: &Config,
    url: &str,
    set: &IndicatorSet,
    indicators: &[Indicator],
    options: &HuntOptions,
    now: Timestamp,
    warnings: &mut Warnings,
) -> Result<Report> {
    let schema = arguments.schema.into();
    let mut profile = config.profile(schema, now)?;
    if let Some(since) = options.since {
        profile.since = Some(Since::At(since));
    }
    profile.until = options.until;
    // The newest hits show in which fields the value stands; the numbers come from the aggregation.
    profile.limit = SHOWN_HITS;
    let index = arguments.index.clone().unwrap_or_else(|| profile.index.clone());
    let store = OpenSearchStore::connect(config.opensearch(url, &index)?).context("the indexer")?;
    let search = SearchOptions {
        lookup_agent_ip: config.search.lookup_agent_ip || options.include_agents,
        lookup_agent_name: config.search.lookup_agent_name || options.include_agents,
        ..config.search.clone()
    };
    let builder = QueryBuilder::new(&config.catalogue, schema, search);
    let searches = searches(set, indicators, &builder, warnings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut hunt = Hunt { config, indicators, report: Report::default() };
    for batch in searches.chunks(BATCH) {
        let requests: Vec<_> = batch.iter().map(|search| profile.counting_request(search.query.clone(), now)).collect();
        let answers = runtime.block_on(ask(&store, &requests)).context("the indexer")?;
        for (search, answer) in batch.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    if answer.is_partial() {
                        let reasons = answer.shards.reasons();
                        warnings.add(&format!("{}: the indexer answered in part only: {reasons}", search.shown()));
                    }
                    hunt.take(search, &answer);
                }
                Err(error) => warnings.add(&format!("{}: {error}", search.shown())),
            }
        }
    }
    let Hunt { mut report, .. } = hunt;
    let covered = profile.covering(Query::MatchAll, now);
    match runtime.block_on(store.count(&covered)) {
        Ok(alerts) => report.counters.alerts = alerts,
        Err(error) => warnings.add(&format!("the alerts could not be counted: {error}")),
    }
    report.sort();
    Ok(report)
}

/// The search for one indicator.
struct Search {
    indicator: IndicatorId,
    keys: Vec<Key>,
    query: Query,
}

impl Search {
    fn shown(&self) -> String {
        self.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// One search per indicator over all its values. An observable whose values are all those of indicators is left to
/// them.
fn searches(
    set: &IndicatorSet,
    indicators: &[Indicator],
    builder: &QueryBuilder,
    warnings: &mut Warnings,
) -> Vec<Search> {
    let is_indicator =
        |id: IndicatorId| indicators.get(id.0 as usize).is_some_and(|known| known.id.object_type() == "indicator");
    let mut values: BTreeMap<IndicatorId, Vec<Key>> = BTreeMap::new();
    let mut of_indicators: BTreeSet<Key> = BTreeSet::new();
    for (id, key) in set.keys() {
        if is_indicator(id) {
            of_indicators.insert(key.clone());
        }
        values.entry(id).or_default().push(key);
    }
    values.retain(|id, keys| is_indicator(*id) || !keys.iter().all(|key| of_indicators.contains(key)));
    let mut searches = Vec::new();
    for (indicator, keys) in values {
        let mut queries = Vec::new();
        for key in &keys {
            match builder.build(&key.to_object(), &()) {
                Ok(built) => queries.push(built.query),
                Err(reason) => warnings.add(&format!("{key}: {reason}")),
            }
        }
        if !queries.is_empty() {
            searches.push(Search { indicator, keys, query: Query::any(queries) });
        }
    }
    searches
}

/// Runs searches together; where that takes too long, one after the other.
async fn ask(
    store: &OpenSearchStore,
    requests: &[SearchRequest],
) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
    match store.multi_search(requests).await {
        Err(error) if requests.len() > 1 && matches!(error.kind(), StoreErrorKind::Timeout { .. }) => {
            let mut answers = Vec::with_capacity(requests.len());
            for request in requests {
                answers.push(store.search(request).await);
            }
            Ok(answers)
        }
        answers => answers,
    }
}

struct Hunt<'h> {
    config: &'h Config,
    indicators: &'h [Indicator],
    report: Report,
}

impl Hunt<'_> {
    /// Turns the buckets of one answer into rows, one per agent and rule.
    fn take(&mut self, search: &Search, answer: &SearchResponse) {
        let Some(known) = self.indicators.get(search.indicator.0 as usize) else { return };
        let shown = self.shown(search, answer);
        let mut rows: BTreeMap<[String; 3], Row> = BTreeMap::new();
        for bucket in &answer.buckets {
            // The index counts whole buckets, so a bucket counts as expired when all of it came too late.
            if known.valid_until.zip(bucket.first_seen).is_some_and(|(end, first)| first >= end) {
                self.report.counters.expired += bucket.count;
                continue;
            }
            self.report.counters.hits += bucket.count;
            let text = |place| bucket.text(place).unwrap_or_default();
            let place = [text(0), text(1), text(2)];
            if let Some(row) = rows.get_mut(&place) {
                // The same rule with another description.
                row.count += bucket.count;
                row.first_seen = row.first_seen.into_iter().chain(bucket.first_seen).min();
                row.last_seen = row.last_seen.into_iter().chain(bucket.last_seen).max();
                continue;
            }
            let [agent_id, agent_name, rule_id] = place.clone();
            let local = shown.iter().find(|row| row.agent_id == agent_id && row.rule_id == rule_id);
            let key = local.and_then(|row| search.keys.iter().find(|key| key.to_string() == row.value));
            let Some(key) = key.or(search.keys.first()) else { return };
            let row = Row {
                indicator: known.id.clone(),
                name: known.name.as_deref().map(str::to_owned),
                score: known.score,
                kind: key.kind(),
                value: key.to_string(),
                seen_value: local.map(|row| row.seen_value.clone()).unwrap_or_default(),
                agent_id,
                agent_name,
                rule_id,
                rule_level: RuleLevel::read(&text(3)).map(RuleLevel::number),
                rule_description: text(4),
                first_seen: bucket.first_seen,
                last_seen: bucket.last_seen,
                count: bucket.count,
                fields: local.map(|row| row.fields.clone()).unwrap_or_default(),
                last_alert: local.and_then(|row| row.last_alert.clone()),
            };
            rows.insert(place, row);
        }
        self.report.rows.extend(rows.into_values());
    }

    /// What the local matcher sees in the hits that were returned: fields and values.
    fn shown(&self, search: &Search, answer: &SearchResponse) -> Vec<Row> {
        let Some(known) = self.indicators.get(search.indicator.0 as usize) else { return Vec::new() };
        let mut set = IndicatorSet::default();
        for key in &search.keys {
            set.insert(IndicatorId(0), key);
        }
        let indicator = [Indicator { valid_until: None, ..known.clone() }];
        let options = HuntOptions { include_agents: true, ..HuntOptions::default() };
        let mut hunter = Hunter::new(&self.config.catalogue, &set, &indicator, options);
        for hit in &answer.hits {
            // What the local matcher cannot read has been counted by the indexer nevertheless.
            let _unreadable = hunter.alert(hit.source.get());
        }
        hunter.finish().rows
    }
}
