//! Looking many values up in one round trip.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Platform;
use super::entity::{Common, CommonNode, Connection, Representative, identifier};
use super::filter::{filter, group};
use crate::documents::LOOK_UP;
use crate::lookup::in_pattern;
use crate::{
    Context, Error, Indicated, Known, KnownIndicator, KnownObservable, Lookup, RelatedObservable, ThreatIntelligence,
};

#[derive(Deserialize)]
struct ObservableNode {
    id: String,
    standard_id: String,
    entity_type: String,
    #[serde(default)]
    observable_value: Option<String>,
    #[serde(default)]
    x_opencti_score: Option<i64>,
    #[serde(default)]
    x_opencti_description: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    hashes: Option<Vec<Option<HashNode>>>,
    #[serde(default)]
    indicators: Option<Connection>,
    #[serde(rename = "stixCoreRelationships", default)]
    relations: Option<Connection>,
    #[serde(flatten)]
    common: CommonNode,
}

#[derive(Deserialize)]
struct HashNode {
    algorithm: String,
    #[serde(default)]
    hash: Option<String>,
}

#[derive(Deserialize)]
struct RelationNode {
    relationship_type: String,
    #[serde(default)]
    from: Option<Box<RawValue>>,
    #[serde(default)]
    to: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct IndicatorNode {
    id: String,
    standard_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    pattern_type: Option<String>,
    #[serde(default)]
    valid_from: Option<String>,
    #[serde(default)]
    valid_until: Option<String>,
    #[serde(default)]
    revoked: Option<bool>,
    #[serde(default)]
    confidence: Option<i64>,
    #[serde(default)]
    x_opencti_score: Option<i64>,
    #[serde(default)]
    x_opencti_detection: Option<bool>,
    #[serde(default)]
    x_opencti_main_observable_type: Option<String>,
    #[serde(rename = "killChainPhases", default)]
    phases: Option<Vec<PhaseNode>>,
    #[serde(rename = "stixCoreRelationships", default)]
    relations: Option<Connection>,
    #[serde(flatten)]
    common: CommonNode,
}

#[derive(Deserialize)]
struct PhaseNode {
    #[serde(default)]
    kill_chain_name: String,
    #[serde(default)]
    phase_name: String,
}

/// Reads an answer, and keeps what was left out.
#[derive(Default)]
struct Reader {
    more: bool,
    skipped: Vec<String>,
}

impl Reader {
    fn list<T>(
        &mut self,
        list: Option<Connection>,
        mut read: impl FnMut(&mut Self, &RawValue) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(list) = list else { return Vec::new() };
        self.more |= list.page_info.has_next_page;
        let mut items = Vec::new();
        for node in list.edges.into_iter().flatten().flatten().filter_map(|edge| edge.node) {
            match read(self, &node) {
                Ok(item) => items.push(item),
                Err(why) => self.skipped.push(why),
            }
        }
        items
    }

    fn observable(&mut self, raw: &RawValue) -> Result<KnownObservable, String> {
        let node: ObservableNode = parse(raw, "an observable")?;
        let Common { author, markings, labels } = node.common.read()?;
        let indicators = self.list(node.indicators, Self::indicator);
        let own = node.id.clone();
        let related = self.list(node.relations, |reader, raw| reader.related(raw, &own));
        Ok(KnownObservable {
            standard_id: identifier(&node.standard_id)?,
            id: node.id,
            entity_type: node.entity_type,
            value: node.observable_value.unwrap_or_default(),
            hashes: hashes(node.hashes),
            score: node.x_opencti_score,
            description: node.x_opencti_description,
            author,
            markings,
            labels,
            created_at: node.created_at,
            updated_at: node.updated_at,
            indicators,
            related: related.into_iter().flatten().collect(),
        })
    }

    /// The other end of a relation; `None` when the user may not see it.
    fn related(&mut self, raw: &RawValue, own: &str) -> Result<Option<RelatedObservable>, String> {
        let node: RelationNode = parse(raw, "a relation")?;
        let mut ends = Vec::new();
        for (end, outgoing) in [(node.to, true), (node.from, false)] {
            let seen = end.filter(|end| !matches!(end.get().trim(), "null" | "{}"));
            if let Some(end) = seen {
                ends.push((self.observable(&end)?, outgoing));
            }
        }
        let other = ends.into_iter().find(|(observable, _)| observable.id != own);
        Ok(other.map(|(observable, outgoing)| RelatedObservable {
            relationship_type: node.relationship_type,
            outgoing,
            observable,
        }))
    }

    fn indicator(&mut self, raw: &RawValue) -> Result<KnownIndicator, String> {
        let node: IndicatorNode = parse(raw, "an indicator")?;
        let Common { author, markings, labels } = node.common.read()?;
        let indicates = self.list(node.relations, |_, raw| indicated(raw));
        let phase = |phase: PhaseNode| format!("{}:{}", phase.kill_chain_name, phase.phase_name);
        Ok(KnownIndicator {
            standard_id: identifier(&node.standard_id)?,
            id: node.id,
            name: node.name.unwrap_or_default(),
            description: node.description.filter(|text| !text.is_empty()),
            pattern: node.pattern.unwrap_or_default(),
            pattern_type: node.pattern_type.unwrap_or_default(),
            valid_from: node.valid_from,
            valid_until: node.valid_until,
            revoked: node.revoked.unwrap_or(false),
            score: node.x_opencti_score,
            confidence: node.confidence,
            detection: node.x_opencti_detection.unwrap_or(false),
            main_observable_type: node.x_opencti_main_observable_type,
            author,
            markings,
            labels,
            kill_chain_phases: node.phases.into_iter().flatten().map(phase).collect(),
            indicates: indicates.into_iter().flatten().collect(),
        })
    }
}

fn indicated(raw: &RawValue) -> Result<Option<Indicated>, String> {
    #[derive(Deserialize)]
    struct Node {
        #[serde(default)]
        to: Option<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        #[serde(default)]
        standard_id: Option<String>,
        #[serde(default)]
        entity_type: Option<String>,
        #[serde(default)]
        representative: Option<Representative>,
    }
    let node: Node = parse(raw, "a relation")?;
    let indicated = |target: Target| {
        Some(Indicated {
            standard_id: target.standard_id?.parse().ok()?,
            entity_type: target.entity_type?,
            name: target.representative.and_then(|representative| representative.main).unwrap_or_default(),
        })
    };
    Ok(node.to.and_then(indicated))
}

fn hashes(list: Option<Vec<Option<HashNode>>>) -> BTreeMap<String, String> {
    let list = list.into_iter().flatten().flatten();
    list.filter_map(|hash| Some((hash.algorithm, hash.hash.filter(|digest| !digest.is_empty())?))).collect()
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue, what: &str) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| format!("{what}: {error}"))
}

#[async_trait]
impl ThreatIntelligence for Platform {
    async fn look_up(&self, lookup: &Lookup, context: &Context) -> Result<Known, Error> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "stixCyberObservables", default)]
            observables: Option<Connection>,
            #[serde(default)]
            indicators: Option<Connection>,
        }
        if lookup.is_empty() {
            return Ok(Known::default());
        }
        let mut observables = Vec::new();
        if !lookup.values.is_empty() {
            observables.push(filter("value", "eq", &lookup.values));
        }
        for (algorithm, digests) in lookup.hashes.iter().filter(|(_, digests)| !digests.is_empty()) {
            observables.push(filter(&format!("hashes.{algorithm}"), "eq", digests));
        }
        for (name, values) in lookup.attributes.iter().filter(|(_, values)| !values.is_empty()) {
            observables.push(filter(name, "eq", values));
        }
        let mut indicators = Vec::new();
        if !lookup.patterns.is_empty() {
            indicators.push(filter("pattern", "eq", &lookup.patterns));
        }
        if !lookup.in_patterns.is_empty() {
            let parts: Vec<String> = lookup.in_patterns.iter().map(|value| in_pattern(value)).collect();
            indicators.push(filter("pattern", "contains", &parts));
        }
        let limits = &lookup.limits;
        let variables = json!({
            "want_observables": lookup.wants_observables(),
            "want_indicators": lookup.wants_indicators(),
            "want_relations": limits.relations_each > 0,
            "observable_filters": group("or", &observables),
            "indicator_filters": group("or", &indicators),
            "observables": limits.observables,
            "indicators": limits.indicators,
            "indicators_each": limits.indicators_each,
            "relations_each": limits.relations_each,
        });
        let data: Data = self.call(&LOOK_UP, variables, context).await?;
        let mut reader = Reader::default();
        let observables = reader.list(data.observables, Reader::observable);
        let indicators = reader.list(data.indicators, Reader::indicator);
        Ok(Known { observables, indicators, more: reader.more, skipped: reader.skipped })
    }
}
