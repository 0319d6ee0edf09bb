//! Hunting in an indexer: one search per value, counted by the indexer itself.

use std::collections::{BTreeMap, BTreeSet};

use alert_enricher::hunt::{Compound, HuntOptions, Hunter, Report, Row};
use alert_enricher::indicator::{Indicator, Key};
use alert_enricher::store::{Builder, Filter, Handle, MatchOptions, Snapshot, Validity, Worthless};
use anyhow::{Context as _, Result};
use stix_model::Timestamp;
use wazuh_query::alert::RuleLevel;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::Since;
use wazuh_query::store::opensearch::OpenSearchStore;
use wazuh_query::store::{AlertStore, SearchResponse, StoreError, StoreErrorKind};

use super::patterns;
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
    snapshot: &Snapshot,
    compounds: &[Compound<'_>],
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
        lookup_agent_ip: config.search.lookup_agent_ip || options.matching.include_agents,
        lookup_agent_name: config.search.lookup_agent_name || options.matching.include_agents,
        ..config.search.clone()
    };
    let builder = QueryBuilder::new(&config.catalogue, schema, search);
    let searches = searches(snapshot, &options.matching, &builder, warnings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut hunt = Hunt { config, options: &options.matching, report: Report::default() };
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
                    hunt.take(search, &answer)?;
                }
                Err(error) => warnings.add(&format!("{}: {error}", search.shown())),
            }
        }
    }
    let Hunt { mut report, .. } = hunt;
    report.join(patterns::search(compounds, config, &store, &runtime, &profile, options, now, warnings)?);
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
    indicator: Indicator,
    keys: Vec<Key>,
    query: Query,
}

impl Search {
    fn shown(&self) -> String {
        self.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// One search per indicator over all its values. An observable whose values are all those of indicators is left to
/// them, and what does not count in whatever alert is left out.
fn searches(
    snapshot: &Snapshot,
    options: &MatchOptions,
    builder: &QueryBuilder,
    warnings: &mut Warnings,
) -> Result<Vec<Search>> {
    let mut values: BTreeMap<Handle, Vec<Key>> = BTreeMap::new();
    for key in snapshot.keys() {
        let (handle, key) = key?;
        values.entry(handle).or_default().push(key);
    }
    let mut indicators = BTreeMap::new();
    let mut left_out = 0;
    for handle in values.keys() {
        let indicator = snapshot.indicator(*handle)?;
        let counts = options.filter.check(&indicator).is_none() && (!indicator.revoked || options.validity.revoked);
        if counts {
            indicators.insert(*handle, indicator);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        eprintln!("{left_out} indicators were not searched for: revoked, or left out by filters");
    }
    let is_indicator = |handle: &Handle| indicators.get(handle).is_some_and(Indicator::is_indicator);
    let of_indicators: BTreeSet<Key> =
        values.iter().filter(|(handle, _)| is_indicator(handle)).flat_map(|(_, keys)| keys.clone()).collect();
    values.retain(|handle, keys| is_indicator(handle) || !keys.iter().all(|key| of_indicators.contains(key)));
    let mut searches = Vec::new();
    for (handle, keys) in values {
        let Some(indicator) = indicators.remove(&handle) else { continue };
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
    Ok(searches)
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
    options: &'h MatchOptions,
    report: Report,
}

impl Hunt<'_> {
    /// Turns the buckets of one answer into rows, one per agent and rule.
    fn take(&mut self, search: &Search, answer: &SearchResponse) -> Result<()> {
        let known = &search.indicator;
        let shown = self.shown(search, answer)?;
        let mut rows: BTreeMap<[String; 3], Row> = BTreeMap::new();
        for bucket in &answer.buckets {
            // The index counts whole buckets, so a bucket counts as expired when all of it came too late.
            let expired = known.valid_until.zip(bucket.first_seen).is_some_and(|(end, first)| first >= end);
            if expired && (self.options.validity.until || known.revoked) {
                self.report.counters.expired += bucket.count;
                continue;
            }
            let early = known.valid_from.zip(bucket.last_seen).is_some_and(|(start, last)| last < start);
            if early && self.options.validity.from {
                self.report.counters.not_yet_valid += bucket.count;
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
            let Some(key) = key.or(search.keys.first()) else { break };
            let row = Row {
                indicator: known.id.clone(),
                name: known.name.as_deref().map(str::to_owned),
                score: known.score,
                kind: Some(key.kind()),
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
        Ok(())
    }

    /// What the local matcher sees in the hits that were returned: fields and values.
    fn shown(&self, search: &Search, answer: &SearchResponse) -> Result<Vec<Row>> {
        let mut builder = Builder::new(Worthless::none());
        builder.indicator_of(&search.indicator, &search.keys);
        let store = builder.finish()?.into_store();
        let matching = MatchOptions {
            filter: Filter::default(),
            validity: Validity::ANY,
            include_agents: true,
            ..self.options.clone()
        };
        let options = HuntOptions { matching, ..HuntOptions::default() };
        let mut hunter = Hunter::new(&self.config.catalogue, &store.snapshot(), options);
        for hit in &answer.hits {
            // What the local matcher cannot read has been counted by the indexer nevertheless.
            let _unreadable = hunter.alert(hit.source.get());
        }
        Ok(hunter.finish()?.rows)
    }
}
