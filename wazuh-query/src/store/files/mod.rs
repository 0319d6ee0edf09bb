//! The alert store on files, and the reader of such files.
//!
//! [`AlertFiles`] searches `alerts.json`, its rotated `.json.gz` and exports without a cluster, with the answers that
//! an index with Wazuh's template gives. It looks at every document for every search, so ask several things at once
//! with [`multi_search`](AlertStore::multi_search). Files are read while the future is polled: on a runtime that
//! does other things, poll it on a thread of its own.
//!
//! [`AlertReader`] is the reader alone, for programs that look at documents themselves.

mod order;
mod reader;
mod split;
mod walk;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use stix_model::Timestamp;

pub use reader::{AlertReader, FileReport, Line, Problem, ProblemKind};
pub use walk::alert_files;

use self::order::{Key, Mapped, Place};
use super::{
    AlertStore, Bucket, Hit, PageVisitor, Paged, SearchResponse, ShardFailure, Shards, Skipped, StoreError,
    StoreErrorKind,
};
use crate::catalogue::{Catalogue, Envelope, Holds, Schema};
use crate::dsl::{Aggregation, Order, Query, SearchRequest};
use crate::evaluate::{Document, Evaluator};

/// The alert store on files. A file counts as one shard; one that is damaged or unreadable has failed.
///
/// ```
/// # use std::sync::Arc;
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::store::files::AlertFiles;
///
/// let store = AlertFiles::new(["/var/ossec/logs/alerts"], Arc::new(Catalogue::builtin()), Schema::Wazuh4);
/// ```
#[derive(Debug)]
pub struct AlertFiles {
    paths: Vec<PathBuf>,
    catalogue: Arc<Catalogue>,
    schema: Schema,
    /// Standard input can be read once; later searches read it from here.
    standard_input: OnceLock<Vec<u8>>,
}

/// How many documents one pass keeps when all are handed out in order.
const WINDOW: usize = 10_000;

impl AlertFiles {
    /// A store on files and folders; see [`alert_files`] for what counts. Nothing is read yet. Documents are mapped as
    /// `catalogue` says for `schema`.
    pub fn new<P: Into<PathBuf>>(
        paths: impl IntoIterator<Item = P>,
        catalogue: Arc<Catalogue>,
        schema: Schema,
    ) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self { paths, catalogue, schema, standard_input: OnceLock::new() }
    }

    /// The files as they are now.
    ///
    /// Fails when there is none: then nothing could be found, and that is no answer.
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let (paths, problems) = alert_files(&self.paths);
        if paths.is_empty() {
            let first = problems.first();
            return Err(StoreErrorKind::File {
                path: first.map_or_else(|| "(no path)".to_owned(), |problem| problem.path.display().to_string()),
                line: None,
                what: first.map_or_else(|| "no file was named".to_owned(), |problem| problem.kind.to_string()),
            }
            .into());
        }
        let length =
            |path: &PathBuf| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
        let files = paths.into_iter().map(|path| (length(&path), path)).map(|(length, path)| (path, length)).collect();
        Ok(Snapshot { files, problems })
    }

    /// Reads every document once.
    fn scan(&self, snapshot: &Snapshot, mut visit: impl FnMut(Line<'_>)) -> (Shards, Skipped) {
        let mut reader = AlertReader::new();
        let mut shards = Shards { total: snapshot.files.len() as u64, ..Shards::default() };
        let mut skipped = Skipped::default();
        for problem in &snapshot.problems {
            if problem.kind.loses_data() {
                shards.total += 1;
                shards.fail(problem);
            }
        }
        for (path, length) in &snapshot.files {
            let mut take = |line: Line<'_>| {
                visit(line);
                ControlFlow::Continue(())
            };
            let report = if path == Path::new(walk::STANDARD_INPUT) {
                reader.read(path, self.standard_input(), &mut take)
            } else if let Some(length) = length {
                match std::fs::File::open(path) {
                    Ok(file) => reader.read(path, file.take(*length), &mut take),
                    Err(_) => reader.read_path(path, &mut take),
                }
            } else {
                reader.read_path(path, &mut take)
            };
            let mut failed = false;
            for problem in &report.problems {
                match &problem.kind {
                    ProblemKind::TooLong(_) | ProblemKind::NotJson => skipped.add(|| problem.to_string()),
                    kind if kind.loses_data() => {
                        failed = true;
                        shards.failures.push(ShardFailure {
                            index: problem.path.display().to_string(),
                            reason: problem
                                .line
                                .map_or_else(|| kind.to_string(), |line| format!("line {line}: {kind}")),
                        });
                    }
                    _ => {}
                }
            }
            skipped.count += report.problem_count - report.problems.len() as u64;
            shards.failed += u64::from(failed);
        }
        shards.successful = shards.total - shards.failed;
        (shards, skipped)
    }

    fn standard_input(&self) -> &[u8] {
        self.standard_input.get_or_init(|| {
            let mut text = Vec::new();
            // What was read before an error is what there is.
            let _ = std::io::stdin().lock().read_to_end(&mut text);
            text
        })
    }

    /// Runs several searches in one pass.
    fn run(&self, snapshot: &Snapshot, searches: &mut [Search<'_>]) {
        let started = Instant::now();
        let evaluator = Evaluator::new(&self.catalogue, self.schema);
        let id_path = self.id_path();
        let mut unreadable = Skipped::default();
        let mut ordinal = 0;
        let (shards, mut skipped) = self.scan(snapshot, |line| {
            ordinal += 1;
            let document = match serde_json::from_str::<Value>(line.text) {
                Ok(document) if document.is_object() => document,
                Ok(_) => return unreadable.add(|| format!("{}:{}: no JSON object", line.path.display(), line.number)),
                Err(error) => return unreadable.add(|| format!("{}:{}: {error}", line.path.display(), line.number)),
            };
            for search in searches.iter_mut().filter(|search| search.error.is_none()) {
                match evaluator.matches(search.query, &document) {
                    Ok(true) => search.add(ordinal, line, &document, &id_path),
                    Ok(false) => {}
                    Err(error) => search.error = Some(error.into()),
                }
            }
        });
        skipped.merge(unreadable);
        for search in searches {
            search.response.shards = shards.clone();
            search.response.skipped.merge(skipped.clone());
            search.response.took = started.elapsed();
        }
    }

    /// Where a document keeps its own identifier.
    fn id_path(&self) -> String {
        let mut ids = self.catalogue.select(self.schema, |field| field.holds == Holds::Envelope(Envelope::AlertId));
        ids.next().map(|field| field.path.clone().into_owned()).unwrap_or_default()
    }

    fn search_of<'r>(&self, request: &'r SearchRequest, keep: usize) -> Search<'r> {
        let mapped = |path: &str| Mapped::new(path, &self.catalogue, self.schema);
        let sort: Vec<Mapped> = request.sort.iter().map(|sort| mapped(&sort.field)).collect();
        let orders: Vec<Order> = request.sort.iter().map(|sort| sort.order).collect();
        let after = request.search_after.as_deref().map(|after| place_of(&sort, after));
        let counts = request.aggregation.as_ref().map(|Aggregation::Buckets { fields, timestamp, .. }| Counts {
            fields: fields.iter().map(|field| mapped(field)).collect(),
            timestamp: mapped(timestamp),
            found: BTreeMap::new(),
        });
        Search {
            query: &request.query,
            sort,
            orders,
            keep,
            after,
            counts,
            kept: Vec::new(),
            worst: None,
            response: SearchResponse::default(),
            error: None,
        }
    }
}

/// The place that `search_after` names. Values that cannot stand there count as missing.
fn place_of(sort: &[Mapped], after: &[Value]) -> Place {
    let keys = sort.iter().zip(after).map(|(mapped, value)| mapped.key(value)).collect();
    let ordinal = after.get(sort.len()).and_then(Value::as_u64).unwrap_or(u64::MAX);
    Place { keys, ordinal }
}

impl Shards {
    fn fail(&mut self, problem: &Problem) {
        self.failed += 1;
        self.failures
            .push(ShardFailure { index: problem.path.display().to_string(), reason: problem.kind.to_string() });
    }
}

/// The files of one search, with the length that they had when it began.
struct Snapshot {
    files: Vec<(PathBuf, Option<u64>)>,
    problems: Vec<Problem>,
}

/// One search while documents go by.
struct Search<'r> {
    query: &'r Query,
    sort: Vec<Mapped>,
    orders: Vec<Order>,
    /// How many documents are returned.
    keep: usize,
    after: Option<Place>,
    counts: Option<Counts>,
    kept: Vec<(Place, Hit)>,
    /// The last place that was good enough when the list was cut last.
    worst: Option<Place>,
    response: SearchResponse,
    error: Option<StoreError>,
}

impl Search<'_> {
    fn add(&mut self, ordinal: u64, line: Line<'_>, document: &Value, id_path: &str) {
        self.response.total += 1;
        let fields = Document::new(document);
        if let Some(counts) = &mut self.counts {
            counts.add(&fields);
        }
        if self.keep == 0 {
            return;
        }
        let keys = self.sort.iter().zip(&self.orders).map(|(mapped, order)| mapped.sort_key(&fields, *order)).collect();
        let place = Place { keys, ordinal };
        let before =
            |one: &Option<Place>, place: &Place| one.as_ref().is_some_and(|one| one.cmp(place, &self.orders).is_lt());
        if self.after.as_ref().is_some_and(|after| after.cmp(&place, &self.orders).is_ge())
            || before(&self.worst, &place)
        {
            return;
        }
        let sort = place.keys.iter().map(|key| key.as_ref().map_or(Value::Null, Key::to_value)).collect();
        self.kept.push((place, hit(line, &fields, id_path, sort)));
        if self.kept.len() >= self.keep.saturating_mul(2).max(64) {
            self.cut();
            if self.kept.len() == self.keep {
                self.worst = self.kept.last().map(|(place, _)| place.clone());
            }
        }
    }

    fn cut(&mut self) {
        let Self { kept, orders, keep, .. } = self;
        kept.sort_unstable_by(|(one, _), (other, _)| one.cmp(other, orders));
        kept.truncate(*keep);
    }

    fn finish(mut self) -> Result<(SearchResponse, Vec<Place>), StoreError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.cut();
        let (places, hits) = self.kept.into_iter().unzip();
        self.response.hits = hits;
        self.response.buckets = self.counts.map(Counts::finish).unwrap_or_default();
        Ok((self.response, places))
    }
}

fn hit(line: Line<'_>, document: &Document<'_>, id_path: &str, sort: Vec<Value>) -> Hit {
    #[derive(Deserialize)]
    struct Wrapped {
        #[serde(rename = "_index")]
        index: Option<String>,
        #[serde(rename = "_id")]
        id: Option<String>,
        #[serde(rename = "_source")]
        source: Option<Box<RawValue>>,
    }
    let nothing = Wrapped { index: None, id: None, source: None };
    let Wrapped { index, id, source } = serde_json::from_str(line.text).unwrap_or(nothing);
    let mut own_id = None;
    document.each(id_path, &mut |value| own_id = own_id.take().or_else(|| value.as_str().map(str::to_owned)));
    let whole = || RawValue::from_string(line.text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned());
    Hit {
        index: index.unwrap_or_else(|| line.path.display().to_string()),
        id: id.or(own_id).unwrap_or_else(|| format!("{}:{}", line.path.display(), line.number)),
        source: source.unwrap_or_else(whole),
        sort,
    }
}

/// The buckets of one search.
struct Counts {
    fields: Vec<Mapped>,
    timestamp: Mapped,
    found: BTreeMap<Vec<Option<Key>>, (u64, Option<i64>, Option<i64>)>,
}

impl Counts {
    fn add(&mut self, document: &Document<'_>) {
        let times = self.timestamp.keys(document);
        let millis = |key: Option<&Key>| match key {
            Some(Key::Whole(millis)) => Some(*millis),
            _ => None,
        };
        let (first, last) = (millis(times.first()), millis(times.last()));
        // A document with several values of a field counts once for each.
        let mut keys: Vec<Vec<Option<Key>>> = vec![Vec::with_capacity(self.fields.len())];
        for field in &self.fields {
            let values = field.keys(document);
            let values: Vec<Option<Key>> =
                if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() };
            keys = keys
                .into_iter()
                .flat_map(|key| {
                    values.iter().map(move |value| {
                        let mut key = key.clone();
                        key.push(value.clone());
                        key
                    })
                })
                .collect();
        }
        for key in keys {
            let (count, earliest, latest) = self.found.entry(key).or_default();
            *count += 1;
            *earliest = [*earliest, first].into_iter().flatten().min();
            *latest = (*latest).max(last);
        }
    }

    fn finish(self) -> Vec<Bucket> {
        let bucket = |(key, (count, first, last)): (Vec<Option<Key>>, (u64, Option<i64>, Option<i64>))| Bucket {
            key: key.iter().map(|key| key.as_ref().map(Key::to_value)).collect(),
            count,
            first_seen: first.and_then(Timestamp::from_unix_millis),
            last_seen: last.and_then(Timestamp::from_unix_millis),
        };
        self.found.into_iter().map(bucket).collect()
    }
}

#[async_trait]
impl AlertStore for AlertFiles {
    async fn search(&self, request: &SearchRequest) -> Result<SearchResponse, StoreError> {
        let mut searches = [self.search_of(request, request.size)];
        self.run(&self.snapshot()?, &mut searches);
        let [search] = searches;
        search.finish()?.0.require_usable()
    }

    async fn multi_search(
        &self,
        requests: &[SearchRequest],
    ) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
        let mut searches: Vec<_> = requests.iter().map(|request| self.search_of(request, request.size)).collect();
        self.run(&self.snapshot()?, &mut searches);
        Ok(searches.into_iter().map(|search| search.finish()?.0.require_usable()).collect())
    }

    async fn for_each_page(&self, request: &SearchRequest, visit: PageVisitor<'_>) -> Result<Paged, StoreError> {
        let size = request.size.max(1);
        let window = WINDOW.max(size);
        let snapshot = self.snapshot()?;
        let request = SearchRequest { search_after: None, aggregation: None, ..request.clone() };
        let mut paged = Paged::default();
        let mut after: Option<Place> = None;
        loop {
            let mut search = self.search_of(&request, window);
            search.after = after.take();
            let mut searches = [search];
            self.run(&snapshot, &mut searches);
            let [search] = searches;
            let (mut response, places) = search.finish()?;
            if paged.pages == 0 {
                response = response.require_usable()?;
                paged.skipped = response.skipped.clone();
            }
            // Every pass meets the same odd documents.
            response.skipped = Skipped::default();
            let mut hits = std::mem::take(&mut response.hits).into_iter().zip(&places);
            paged.merge(&response);
            loop {
                let numbered = hits.by_ref().take(size).map(|(mut hit, place)| {
                    hit.sort.push(place.ordinal.into());
                    hit
                });
                let page = SearchResponse { hits: numbered.collect(), ..response.clone() };
                if page.hits.is_empty() {
                    break;
                }
                paged.add(&page);
                if visit(page).is_break() {
                    return Ok(paged);
                }
            }
            if places.len() < window {
                break;
            }
            after = places.into_iter().next_back();
        }
        paged.missing = paged.total.saturating_sub(paged.hits);
        Ok(paged)
    }
}
