//! The alert store on an `OpenSearch` cluster, over the `opensearch` crate.
//!
//! Bodies are written and read by this crate; the client sends them. Only what can help is repeated: HTTP 429, 502,
//! 503 and 504 and broken connections, with growing pauses of which a random part is taken off, or as long as the
//! server asks for. A search that ran out of time is repeated once.
//!
//! Runs inside a tokio runtime. A future that is dropped while it pages leaves its point in time to expire.

mod answer;
mod bulk;
mod client;
mod config;
mod facts;
mod retry;
mod write;

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};

pub use bulk::{NewDocument, Refused};
pub use config::{Auth, OpenSearchConfig, Secret};
pub use retry::{Verdict, judge};

use self::answer::Answer;
use self::client::{Client, Content, Retries};
use super::{AlertStore, PageVisitor, Paged, SearchResponse, StoreError, StoreErrorKind};
use crate::dsl::{Aggregation, SearchRequest, limits};

/// The alert store on an `OpenSearch` cluster.
///
/// ```no_run
/// use wazuh_query::dsl::{Clause, Query};
/// use wazuh_query::store::AlertStore;
/// use wazuh_query::store::opensearch::{Auth, OpenSearchConfig, OpenSearchStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = OpenSearchConfig::new("https://indexer.example:9200".parse()?);
/// config.auth = Auth::Basic { username: "reader".into(), password: "…".into() };
/// config.ca = Some(std::fs::read("root-ca.pem")?);
/// let store = OpenSearchStore::connect(config)?;
/// let alerts = store.count(&Query::field("data.srcip", Clause::term("203.0.113.7"))).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct OpenSearchStore {
    client: Client,
    /// The index expression as it stands in a path.
    index: String,
    /// Which of [`TIE_BREAKERS`] the cluster understands.
    tie_breaker: AtomicUsize,
}

/// What puts documents with equal sort values in order, best first. Versions before 3.3 know no `_shard_doc`; an
/// administrator can forbid `_id`, and what is left is as good as unique.
const TIE_BREAKERS: [&[&str]; 3] = [&["_shard_doc"], &["_id", "_index"], &["_seq_no", "_index"]];

/// Searches in one batch.
const BATCH: usize = 64;

/// Indices that are closed or gone cost themselves. A point in time is made with these, too.
const INDEX_OPTIONS: [(&str, &str); 2] = [("ignore_unavailable", "true"), ("allow_no_indices", "true")];

impl OpenSearchStore {
    /// A store on the cluster of `config`. Nothing is sent yet.
    ///
    /// Fails when the configuration cannot be used.
    pub fn connect(config: OpenSearchConfig) -> Result<Self, StoreError> {
        let index = path_segment(&config.index);
        Ok(Self { client: Client::new(config)?, index, tie_breaker: AtomicUsize::new(0) })
    }

    /// The configuration.
    pub fn config(&self) -> &OpenSearchConfig {
        self.client.config()
    }

    async fn ask(&self, request: &SearchRequest) -> Result<Answer, StoreError> {
        let body = request.to_value().to_string();
        let path = format!("{}/_search", self.index);
        let text = self.client.send(Content::Json, &path, &INDEX_OPTIONS, body).await?;
        let answer = answer::search(&text, aggregated_fields(request)).map_err(|kind| self.client.scrubbed(kind))?;
        self.require_index(answer)
    }

    /// No index is no answer.
    fn require_index(&self, answer: Answer) -> Result<Answer, StoreError> {
        if answer.response.shards.total == 0 {
            let what = format!("no index matches `{}`", self.config().index);
            return Err(StoreErrorKind::NotFound(what).into());
        }
        Ok(answer)
    }

    /// Adds the buckets that did not fit on the first page.
    async fn all_buckets(&self, request: &SearchRequest, first: Answer) -> Result<SearchResponse, StoreError> {
        let Answer { mut response, after: mut next, .. } = first;
        let Some(aggregation @ Aggregation::Buckets { size, .. }) = &request.aggregation else { return Ok(response) };
        let mut last_page = response.buckets.len();
        while let Some(start) = next.take() {
            if last_page < *size {
                break;
            }
            let mut aggregation = aggregation.clone();
            let Aggregation::Buckets { after, .. } = &mut aggregation;
            *after = Some(start.clone());
            let page = self.ask(&SearchRequest::counting(request.query.clone(), Some(aggregation))).await?;
            if page.after.as_ref() == Some(&start) {
                let what = "the pages of buckets do not end".to_owned();
                return Err(StoreErrorKind::Parse { what, excerpt: start.to_string() }.into());
            }
            next = page.after;
            last_page = page.response.buckets.len();
            response.buckets.extend(page.response.buckets);
            response.shards.merge(page.response.shards);
            response.timed_out |= page.response.timed_out;
        }
        Ok(response)
    }

    async fn batch(&self, requests: &[SearchRequest]) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
        let mut outcomes: Vec<Option<Result<Answer, StoreError>>> = requests.iter().map(|_| None).collect();
        let mut open: Vec<usize> = (0..requests.len()).collect();
        let mut retries = Retries::start();
        let path = format!("{}/_msearch", self.index);
        while !open.is_empty() {
            let mut body = String::new();
            for place in &open {
                body.push_str("{\"ignore_unavailable\":true,\"allow_no_indices\":true}\n");
                body.push_str(&requests[*place].to_value().to_string());
                body.push('\n');
            }
            let text = self.client.send(Content::Lines, &path, &[], body).await?;
            let members = answer::batch(&text, open.len()).map_err(|kind| self.client.scrubbed(kind))?;
            let mut again = Vec::new();
            for (place, member) in open.iter().zip(members) {
                outcomes[*place] = Some(match judge(member.status, None, &self.client.scrub(&member.body)) {
                    Verdict::Accept => {
                        let answer = answer::search(&member.body, aggregated_fields(&requests[*place]));
                        answer.map_err(|kind| self.client.scrubbed(kind)).and_then(|answer| self.require_index(answer))
                    }
                    Verdict::Fail(kind) => Err(kind.into()),
                    Verdict::Retry(kind) => {
                        again.push(*place);
                        Err(retries.error(kind))
                    }
                });
            }
            if !again.is_empty() && !retries.wait(self.config(), None).await {
                break;
            }
            open = again;
        }
        let mut answers = Vec::with_capacity(requests.len());
        for (request, outcome) in requests.iter().zip(outcomes) {
            answers.push(match outcome {
                Some(Ok(answer)) => self.all_buckets(request, answer).await.and_then(SearchResponse::require_usable),
                Some(Err(error)) => Err(error),
                // Every place is open until it has an outcome.
                None => Err(StoreErrorKind::Transport("the search was not sent".to_owned()).into()),
            });
        }
        Ok(answers)
    }

    async fn open_point_in_time(&self) -> Result<String, StoreError> {
        let path = format!("{}/_search/point_in_time", self.index);
        let keep_alive = self.keep_alive();
        let mut query = INDEX_OPTIONS.to_vec();
        query.push(("keep_alive", &keep_alive));
        let text = self.client.send(Content::None, &path, &query, String::new()).await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let id = body["pit_id"].as_str().map(str::to_owned);
        id.ok_or_else(|| {
            let what = "`pit_id` is missing".to_owned();
            self.client.scrubbed(StoreErrorKind::Parse { what, excerpt: retry::shown(&text) })
        })
    }

    fn keep_alive(&self) -> String {
        format!("{}s", self.config().keep_alive.as_secs().max(1))
    }

    /// Asks for one page, with the best tie-breaker that the cluster understands.
    async fn page(&self, request: &SearchRequest, pit: &str, after: Option<&[Value]>) -> Result<Answer, StoreError> {
        loop {
            let choice = self.tie_breaker.load(Ordering::Relaxed).min(TIE_BREAKERS.len() - 1);
            let mut body = request.to_value();
            body["pit"] = json!({"id": pit, "keep_alive": self.keep_alive()});
            let mut sort = body["sort"].as_array().cloned().unwrap_or_default();
            sort.extend(TIE_BREAKERS[choice].iter().map(|field| json!({*field: "asc"})));
            body["sort"] = sort.into();
            if let Some(after) = after {
                body["search_after"] = after.into();
            }
            match self.client.send(Content::Json, "_search", &[], body.to_string()).await {
                Ok(text) => return answer::search(&text, None).map_err(|kind| self.client.scrubbed(kind)),
                Err(error) if after.is_none() && refuses_tie_breaker(&error) && choice + 1 < TIE_BREAKERS.len() => {
                    self.tie_breaker.store(choice + 1, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn pages(
        &self,
        request: &SearchRequest,
        pit: &mut String,
        visit: PageVisitor<'_>,
    ) -> Result<Paged, StoreError> {
        let mut paged = Paged::default();
        let mut after: Option<Vec<Value>> = None;
        loop {
            let answer = self.page(request, pit, after.as_deref()).await?;
            let answer = self.require_index(answer)?;
            if let Some(id) = answer.pit {
                *pit = id;
            }
            let response = if paged.pages == 0 { answer.response.require_usable()? } else { answer.response };
            if response.hits.is_empty() && answer.returned == 0 {
                paged.merge(&response);
                break;
            }
            paged.add(&response);
            if visit(response).is_break() {
                return Ok(paged);
            }
            if answer.returned < request.size {
                break;
            }
            after = answer.last_sort;
            if after.is_none() {
                let what = "a page has no sort values to go on from".to_owned();
                return Err(StoreErrorKind::Parse { what, excerpt: String::new() }.into());
            }
        }
        paged.missing = paged.total.saturating_sub(paged.hits + paged.skipped.count);
        Ok(paged)
    }
}

#[async_trait]
impl AlertStore for OpenSearchStore {
    async fn search(&self, request: &SearchRequest) -> Result<SearchResponse, StoreError> {
        let answer = self.ask(request).await?;
        self.all_buckets(request, answer).await?.require_usable()
    }

    async fn multi_search(
        &self,
        requests: &[SearchRequest],
    ) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
        let mut answers = Vec::with_capacity(requests.len());
        for requests in requests.chunks(BATCH) {
            answers.extend(self.batch(requests).await?);
        }
        Ok(answers)
    }

    async fn for_each_page(&self, request: &SearchRequest, visit: PageVisitor<'_>) -> Result<Paged, StoreError> {
        let size = request.size.clamp(1, limits::RESULT_WINDOW);
        let request = SearchRequest { size, search_after: None, aggregation: None, ..request.clone() };
        let mut pit = self.open_point_in_time().await?;
        let paged = self.pages(&request, &mut pit, visit).await;
        // It expires by itself when this fails; what was found counts more.
        let body = json!({"pit_id": [pit]}).to_string();
        let _ = self.client.send(Content::Delete, "_search/point_in_time", &[], body).await;
        paged
    }
}

fn aggregated_fields(request: &SearchRequest) -> Option<&[String]> {
    match &request.aggregation {
        Some(Aggregation::Buckets { fields, .. }) => Some(fields),
        None => None,
    }
}

fn refuses_tie_breaker(error: &StoreError) -> bool {
    let StoreErrorKind::Rejected { reasons, .. } = error.kind() else { return false };
    reasons.iter().any(|reason| reason.contains("_shard_doc") || reason.contains("_id field"))
}

/// An index expression as one segment of a path: `:` of a remote cluster or `<`, `>` and `/` of date mathematics
/// would mean something else there.
fn path_segment(index: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(index.len());
    for name in index.split(',') {
        if !out.is_empty() {
            out.push(',');
        }
        for byte in name.trim().bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*') {
                out.push(char::from(byte));
            } else {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_expressions_are_one_segment() {
        assert_eq!(path_segment("wazuh-alerts-*, other"), "wazuh-alerts-*,other");
        assert_eq!(path_segment("remote:wazuh-*"), "remote%3Awazuh-*");
        assert_eq!(path_segment("<wazuh-{now/d}>"), "%3Cwazuh-%7Bnow%2Fd%7D%3E");
        assert_eq!(path_segment("a/../b?c#d"), "a%2F..%2Fb%3Fc%23d");
    }
}
