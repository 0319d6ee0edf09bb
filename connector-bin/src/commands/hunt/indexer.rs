//! Hunting in an indexer: one search per value, counted by the indexer itself.

use alert_enricher::hunt::{HuntOptions, Hunter, Report, Row};
use alert_enricher::indicator::{Indicator, IndicatorId, IndicatorSet, Key};
use anyhow::{Context as _, Result};
use stix_model::Timestamp;
use wazuh_query::alert::RuleLevel;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::{SearchProfile, Since};
use wazuh_query::store::opensearch::OpenSearchStore;
use wazuh_query::store::{AlertStore, Bucket, SearchResponse};

use crate::cli::HuntArguments;
use crate::config::Config;
use crate::output::Warnings;

/// Searches of one request.
const BATCH: usize = 64;

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
    // The newest hit shows in which field the value stands; the numbers come from the aggregation.
    profile.limit = 1;
    let index = arguments.index.clone().unwrap_or_else(|| profile.index.clone());
    let store = OpenSearchStore::connect(config.opensearch(url, &index)?).context("the indexer")?;
    let search = SearchOptions {
        lookup_agent_ip: config.search.lookup_agent_ip || options.include_agents,
        lookup_agent_name: config.search.lookup_agent_name || options.include_agents,
        ..config.search.clone()
    };
    let builder = QueryBuilder::new(&config.catalogue, schema, search);
    let mut searches = Vec::new();
    for (indicator, key) in set.keys() {
        match builder.build(&key.to_object(), &()) {
            Ok(built) => searches.push((indicator, key, built.query)),
            Err(reason) => warnings.add(&format!("{key}: {reason}")),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut hunt = Hunt { config, set, indicators, profile, now, report: Report::default() };
    for batch in searches.chunks(BATCH) {
        let requests: Vec<_> =
            batch.iter().map(|(.., query)| hunt.profile.counting_request(query.clone(), now)).collect();
        let answers = runtime.block_on(store.multi_search(&requests)).context("the indexer")?;
        for ((indicator, key, _), answer) in batch.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    if answer.is_partial() {
                        warnings.add(&format!("{key}: the indexer answered in part only: {}", answer.shards.reasons()));
                    }
                    hunt.take(*indicator, key, &answer);
                }
                Err(error) => warnings.add(&format!("{key}: {error}")),
            }
        }
    }
    let Hunt { mut report, .. } = hunt;
    report.counters.alerts = runtime
        .block_on(store.count(&hunt_all(&config.profile(schema, now)?, options, now)))
        .unwrap_or(report.counters.hits);
    report.sort();
    Ok(report)
}

/// Every alert that the hunt covers.
fn hunt_all(profile: &SearchProfile, options: &HuntOptions, now: Timestamp) -> wazuh_query::dsl::Query {
    let mut profile = profile.clone();
    if let Some(since) = options.since {
        profile.since = Some(Since::At(since));
    }
    profile.until = options.until;
    profile.covering(wazuh_query::dsl::Query::MatchAll, now)
}

struct Hunt<'h> {
    config: &'h Config,
    set: &'h IndicatorSet,
    indicators: &'h [Indicator],
    profile: SearchProfile,
    now: Timestamp,
    report: Report,
}

impl Hunt<'_> {
    /// Turns the buckets of one answer into rows.
    fn take(&mut self, indicator: IndicatorId, key: &Key, answer: &SearchResponse) {
        let Some(known) = self.indicators.get(indicator.0 as usize) else { return };
        let expired = known.valid_until.is_some_and(|end| end <= self.now);
        let (fields, seen_value) = self.fields(indicator, answer);
        for bucket in &answer.buckets {
            if expired && bucket.first_seen.is_none_or(|first| known.valid_until.is_some_and(|end| first >= end)) {
                self.report.counters.expired += bucket.count;
                continue;
            }
            self.report.counters.hits += bucket.count;
            self.report.rows.push(Row {
                indicator: known.id.clone(),
                name: known.name.as_deref().map(str::to_owned),
                score: known.score,
                kind: key.kind(),
                value: key.to_string(),
                seen_value: seen_value.clone(),
                agent_id: text(bucket, 0),
                agent_name: text(bucket, 1),
                rule_id: text(bucket, 2),
                rule_level: RuleLevel::read(&text(bucket, 3)).map(RuleLevel::number),
                rule_description: text(bucket, 4),
                first_seen: bucket.first_seen,
                last_seen: bucket.last_seen,
                count: bucket.count,
                fields: fields.clone(),
                last_alert: answer.hits.first().map(|hit| hit.id.clone()),
            });
        }
    }

    /// The fields of the newest hit that hold the value, as the local matcher sees them.
    fn fields(&self, indicator: IndicatorId, answer: &SearchResponse) -> (Vec<String>, String) {
        let Some(hit) = answer.hits.first() else { return Default::default() };
        let options = HuntOptions { include_agents: true, ..HuntOptions::default() };
        let forever: Vec<Indicator> =
            self.indicators.iter().map(|known| Indicator { valid_until: None, ..known.clone() }).collect();
        let mut hunter = Hunter::new(&self.config.catalogue, self.set, &forever, options);
        if hunter.alert(hit.source.get()).is_err() {
            return Default::default();
        }
        let wanted = self.indicators.get(indicator.0 as usize).map(|known| &known.id);
        let rows = hunter.finish().rows;
        let row = rows.into_iter().find(|row| Some(&row.indicator) == wanted);
        row.map(|row| (row.fields, row.seen_value)).unwrap_or_default()
    }
}

fn text(bucket: &Bucket, place: usize) -> String {
    bucket.text(place).unwrap_or_default()
}
