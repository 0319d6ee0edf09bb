//! From a plan to what was found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use alert_enricher::enrichment::{Dropped, EnrichmentOptions, Entity, HitReader, Plan, Reason, SearchFacts, Subject};
use alert_enricher::pattern::{HuntError, PatternHunt, Verifier};
use stix_model::pattern::Pattern;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::Catalogue;
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Translation};
use wazuh_query::pattern_type::PatternType;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::{AlertStore, Hit, SearchResponse, StoreError};

use crate::config::{PatternReading, ServiceConfig};

/// Alerts of one pattern that are looked at to verify them.
const CANDIDATES: u64 = 50_000;
/// Alerts of one pattern that are kept.
const KEPT: usize = 5_000;
/// Documents of one page.
const PAGE: usize = 500;
/// Targets whose hits are counted together in one query.
const TOGETHER: usize = 32;
/// Targets whose queries are in memory together.
pub(crate) const CHUNK: usize = 64;
/// The text of alerts that one run keeps, in bytes. Counts come from aggregations and stay exact.
const ROOM: usize = 16 << 20;
/// Alerts that every target keeps in any case.
const SPARE: usize = 3;

/// How one target is searched.
#[derive(Debug)]
pub(crate) enum Search {
    /// One query that finds what is meant, and nothing else.
    Exact(Query),
    /// Queries that may find more, which is verified.
    Verified(Box<Translation>),
}

/// Everything that is searched for an entity.
#[derive(Debug, Default)]
pub(crate) struct Searching {
    pub(crate) targets: Vec<(Identifier, Search)>,
    /// What is not searched, and why.
    pub(crate) not_searched: Vec<String>,
}

/// The parts of an entity that are not searched, and why. What is marked above the maximum is counted and not named: this
/// is written.
pub(crate) fn not_searched(plan: &Plan) -> Vec<String> {
    let is_secret = |dropped: &&Dropped| matches!(dropped.reason, Reason::Marking { .. });
    let named = plan.dropped.iter().filter(|dropped| !is_secret(dropped));
    let mut texts: Vec<String> = named.map(|dropped| format!("{}: {}", dropped.label, dropped.reason)).collect();
    match plan.dropped.iter().filter(is_secret).count() {
        0 => {}
        1 => texts.push("1 part, which is marked above the maximum".to_owned()),
        secret => texts.push(format!("{secret} parts, which are marked above the maximum")),
    }
    texts
}

/// Everything that is known with a subject, by identifier.
pub(crate) fn objects(subject: &Subject) -> HashMap<Identifier, Object> {
    let objects = subject.entities().map(|entity| entity.object().clone()).chain(subject.references.iter().cloned());
    objects.map(|object| (object.id().clone(), object)).collect()
}

/// What is left of the room for alerts.
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(ROOM)
    }
}

impl Room {
    /// An answer with as many of its alerts as there is room for.
    pub(crate) fn keep(&mut self, mut response: SearchResponse) -> SearchResponse {
        let mut kept = 0;
        for hit in &response.hits {
            let length = hit.source.get().len();
            if kept >= SPARE && length > self.0 {
                break;
            }
            self.0 = self.0.saturating_sub(length);
            kept += 1;
        }
        response.hits.truncate(kept);
        response.hits.shrink_to_fit();
        response
    }
}

/// Builds searches.
#[derive(Debug)]
pub(crate) struct Searcher {
    all: Queries,
    /// The same for the fields that the indices have, as far as that is known. The catalogue knows ten times as many, and
    /// each costs the indexer time even where it is not there.
    mapped: RwLock<Option<Arc<Queries>>>,
    patterns: bool,
}

/// What queries are made with, for the fields of one catalogue.
#[derive(Debug)]
struct Queries {
    builder: QueryBuilder,
    translator: PatternTranslator,
}

impl Queries {
    fn new(catalogue: &Catalogue, config: &ServiceConfig) -> Self {
        let options = PatternOptions {
            same_object: config.patterns.reading == PatternReading::SameObject,
            ..PatternOptions::from(&config.search)
        };
        Self {
            builder: QueryBuilder::new(catalogue, config.schema, config.search.clone()),
            translator: PatternTranslator::new(catalogue, config.schema, options),
        }
    }
}

impl Searcher {
    pub(crate) fn new(config: &ServiceConfig) -> Self {
        Self {
            all: Queries::new(&config.catalogue, config),
            mapped: RwLock::default(),
            patterns: config.patterns.search,
        }
    }

    /// Searches from now on only what the indices have, by the types of their fields; everything where they have nothing
    /// that is known, and where nobody knows.
    pub(crate) fn learn(&self, config: &ServiceConfig, types: Option<&BTreeMap<String, BTreeSet<String>>>) {
        let queries = types.and_then(|types| {
            let mapped = config.catalogue.restricted(|field| is_mapped(&field.path, types));
            let any = !mapped.fields().is_empty();
            any.then(|| Arc::new(Queries::new(&mapped, config)))
        });
        *self.mapped.write().unwrap_or_else(PoisonError::into_inner) = queries;
    }

    fn mapped(&self) -> Option<Arc<Queries>> {
        self.mapped.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How each of these targets is searched.
    pub(crate) fn searching(
        &self,
        subject: &Subject,
        targets: &[Identifier],
        objects: &HashMap<Identifier, Object>,
    ) -> Searching {
        let mut searching = Searching::default();
        for entity in targets.iter().filter_map(|id| subject.find(id)) {
            match self.search(entity, objects, &mut searching.not_searched) {
                Ok(search) => searching.targets.push((entity.id().clone(), search)),
                Err(reason) => searching.not_searched.push(format!("{}: {reason}", entity.label())),
            }
        }
        searching
    }

    fn search(
        &self,
        entity: &Entity,
        objects: &HashMap<Identifier, Object>,
        notes: &mut Vec<String>,
    ) -> Result<Search, String> {
        let Some(indicator) = entity.indicator() else {
            // Where the indices have no field for it, the reasons and notes are those of all fields.
            let mapped = self.mapped().and_then(|mapped| mapped.builder.build(entity.object(), objects).ok());
            let built = match mapped {
                Some(built) => built,
                None => self.all.builder.build(entity.object(), objects).map_err(|reason| reason.to_string())?,
            };
            notes.extend(built.notes.iter().map(|note| format!("{}: {note}", entity.label())));
            return Ok(Search::Exact(built.query));
        };
        if !self.patterns {
            return Err("patterns are not searched (`search_indicator_pattern`)".to_owned());
        }
        let language = PatternType::read(&indicator.pattern_type);
        if let Some(reason) = language.not_searchable() {
            return Err(reason.to_string());
        }
        if language != PatternType::Stix {
            return Err(format!("patterns of the type {language} are not searched by the service"));
        }
        let pattern = Pattern::parse(&indicator.pattern).map_err(|error| error.to_string())?;
        let mapped = self.mapped().map(|mapped| mapped.translator.translate(&pattern));
        let mapped = mapped.filter(|translation| translation.is_decidable() && translation.unmappable.is_empty());
        let translation = mapped.unwrap_or_else(|| self.all.translator.translate(&pattern));
        notes.extend(translation.unmappable.iter().map(|part| format!("{}: {part}", entity.label())));
        if !translation.is_decidable() {
            return Err("alerts say nothing of what the pattern asks for".to_owned());
        }
        let is_exact = translation.plan.is_single()
            && translation.observations.len() <= TOGETHER
            && translation.observations.iter().all(|one| one.is_exact() && one.queries.len() <= 1);
        if is_exact {
            return Ok(Search::Exact(Query::any(
                translation.observations.iter().flat_map(|one| one.queries.iter().cloned()),
            )));
        }
        Ok(Search::Verified(Box::new(translation)))
    }

    /// The options of patterns, for those who verify.
    pub(crate) fn pattern_options(&self) -> PatternOptions {
        self.all.translator.options()
    }
}

/// Whether an index has this field. What lies below a field that keeps whole objects is not listed.
fn is_mapped(path: &str, types: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let whole = |types: &BTreeSet<String>| types.iter().any(|name| name == "flat_object" || name == "flattened");
    types.contains_key(path) || path.match_indices('.').any(|(dot, _)| types.get(&path[..dot]).is_some_and(whole))
}

/// The request for one query: counts of everything, and some of the alerts.
pub(crate) fn request(query: Query, profile: &SearchProfile, reader: &HitReader<'_>, now: Timestamp) -> SearchRequest {
    let mut request = profile.request(query, now);
    request.aggregation = Some(reader.aggregation(profile.aggregation()));
    request
}

/// The query for all targets together, where that says more than they do one by one.
pub(crate) fn union(targets: &[(Identifier, Search)]) -> Option<Query> {
    if !(2..=TOGETHER).contains(&targets.len()) {
        return None;
    }
    let queries = targets.iter().map(|(_, search)| match search {
        Search::Exact(query) => Some(query.clone()),
        Search::Verified(_) => None,
    });
    Some(Query::any(queries.collect::<Option<Vec<_>>>()?))
}

/// What surrounds the searches, for the summary.
pub(crate) fn facts(profile: &SearchProfile, now: Timestamp) -> SearchFacts {
    let texts = |list: &[wazuh_query::profile::Match]| {
        list.iter().map(|wanted| format!("{}={}", wanted.field, wanted.query)).collect()
    };
    SearchFacts {
        limit: profile.limit as u64,
        since: profile.since.map(|since| since.resolve(now)),
        include: texts(&profile.include_match),
        exclude: texts(&profile.exclude_match),
        ..SearchFacts::default()
    }
}

/// Why a pattern could not be searched.
pub(crate) enum Unverified {
    /// The indexer did not answer.
    Store(StoreError),
    /// The pattern cannot be verified.
    Pattern(String),
}

impl From<StoreError> for Unverified {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Fetches what the queries of a pattern find, and keeps what satisfies it.
pub(crate) async fn verified(
    translation: &Translation,
    options: PatternOptions,
    store: &dyn AlertStore,
    config: &ServiceConfig,
    settings: &EnrichmentOptions,
    now: Timestamp,
) -> Result<SearchResponse, Unverified> {
    let unverified = |error: &dyn std::fmt::Display| Unverified::Pattern(error.to_string());
    let verifier = Verifier::new(&config.catalogue, translation, options).map_err(|error| unverified(&error))?;
    let mut hunt = PatternHunt::new(&verifier);
    let mut kept: HashMap<usize, Hit> = HashMap::new();
    let most = settings.hits_abort_limit.map_or(KEPT, |limit| usize::try_from(limit).unwrap_or(KEPT).min(KEPT));
    let (mut looked_at, mut all) = (0_usize, true);
    let mut broken: Option<String> = None;
    for observation in &translation.observations {
        for mut request in translation.requests(observation, PAGE) {
            request.query = config.profile.covering(request.query, now);
            let mut visit = |page: SearchResponse| {
                all &= !page.is_partial();
                for hit in page.hits {
                    let number = looked_at;
                    match hunt.add(hit.source.get()) {
                        // An alert that cannot be read costs itself.
                        Err(HuntError::Alert(_)) => {}
                        Err(error) => {
                            broken = Some(error.to_string());
                            return ControlFlow::Break(());
                        }
                        Ok(satisfies) => {
                            looked_at += 1;
                            if satisfies {
                                kept.insert(number, hit);
                            }
                        }
                    }
                }
                if looked_at as u64 >= CANDIDATES || kept.len() > most {
                    all = false;
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            };
            store.for_each_page(&request, &mut visit).await?;
        }
    }
    if let Some(error) = broken {
        return Err(Unverified::Pattern(error));
    }
    let found = hunt.finish().map_err(|error| unverified(&error))?;
    let mut response = SearchResponse::default();
    let numbers = found.groups.iter().flat_map(|group| group.alerts.iter().map(|alert| alert.number));
    response.hits = numbers.filter_map(|number| kept.remove(&number)).collect();
    response.total = response.hits.len() as u64;
    // What was not looked at may be more of the same.
    response.timed_out = !all || found.truncated;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_kept_while_there_is_room() {
        let source =
            serde_json::value::RawValue::from_string(format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20))).unwrap();
        let hit = |id: u32| Hit { index: "i".into(), id: id.to_string(), source: source.clone(), sort: Vec::new() };
        let mut room = Room::default();
        let mut answer = || {
            let mut response = SearchResponse::default();
            (response.total, response.hits) = (12, (0..12).map(hit).collect());
            room.keep(response)
        };
        let kept: Vec<usize> = [(); 4].iter().map(|()| answer().hits.len()).collect();
        assert_eq!(kept, [12, 3, 3, 3]);
    }

    #[test]
    fn what_is_mapped() {
        let types = |name: &str| BTreeSet::from([name.to_owned()]);
        let types = BTreeMap::from([
            ("data.srcip".to_owned(), types("keyword")),
            ("data.aws".to_owned(), types("flat_object")),
            ("data.win".to_owned(), types("object")),
        ]);
        for (path, wanted) in
            [("data.srcip", true), ("data.dstip", false), ("data.aws.sourceIPAddress", true), ("data.win.x", false)]
        {
            assert_eq!(is_mapped(path, &types), wanted, "{path}");
        }
    }

    fn query(searcher: &Searcher, object: &serde_json::Value) -> String {
        let entity = Entity::new(Object::from_json(&object.to_string()).unwrap());
        match searcher.search(&entity, &HashMap::new(), &mut Vec::new()).unwrap() {
            Search::Exact(query) => serde_json::to_string(&query).unwrap(),
            Search::Verified(translation) => {
                let queries = translation.observations.iter().flat_map(|one| &one.queries);
                queries.map(|query| serde_json::to_string(query).unwrap()).collect()
            }
        }
    }

    #[test]
    fn only_what_is_mapped_is_searched() {
        let config = ServiceConfig::of_text(
            "max_tlp: amber\napp_url: https://wazuh.example\nopencti: {url: \"https://platform\", token: token}\n\
             connector: {id: 7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77}\n\
             opensearch: {url: \"https://indexer:9200\", username: reader, password: secret}\n\
             search: {ignore_private_addrs: false}\n",
        );
        let searcher = Searcher::new(&config);
        let address = || serde_json::json!({"type": "ipv4-addr", "value": "198.51.100.7"});
        let indicator = || {
            serde_json::json!({
                "type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000001", "spec_version": "2.1",
                "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
                "pattern": "[ipv4-addr:value = '198.51.100.7']", "pattern_type": "stix",
            })
        };
        let all = [query(&searcher, &address()), query(&searcher, &indicator())];
        let types = BTreeMap::from([("data.srcip".to_owned(), BTreeSet::from(["keyword".to_owned()]))]);
        searcher.learn(&config, Some(&types));
        for (object, all) in [address(), indicator()].into_iter().zip(&all) {
            let mapped = query(&searcher, &object);
            assert!(all.contains("data.dstip") && mapped.contains("data.srcip"), "{all} {mapped}");
            assert!(!mapped.contains("data.dstip") && mapped.len() < 1_000, "{mapped}");
        }
        // Nothing that is mapped holds digests.
        let digest = serde_json::json!({"type": "file", "hashes": {"MD5": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}});
        assert!(query(&searcher, &digest).contains("syscheck.md5_after"));
        for types in [None, Some(&BTreeMap::new())] {
            searcher.learn(&config, types);
            assert_eq!([query(&searcher, &address()), query(&searcher, &indicator())], all);
        }
    }
}
