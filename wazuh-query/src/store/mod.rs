//! The alert store: where alerts are searched.
//!
//! [`AlertStore`] is the edge between the pure half of this project and the place where alerts are kept. It is
//! object-safe; programs hold a `Box<dyn AlertStore>` and do not know which adapter stands behind it:
//!
//! | adapter | feature | keeps alerts in |
//! | --- | --- | --- |
//! | `opensearch::OpenSearchStore` | `opensearch` | the indexer of Wazuh |
//! | `files::AlertFiles` | `files` | `alerts.json`, its rotated `.json.gz`, exports |
//!
//! Both keep the same contract, which feature `testing` offers as `conformance::alert_store`:
//!
//! - Totals and buckets are exact, however few documents are returned.
//! - A result that does not cover everything says so: see [`SearchResponse::is_partial`].
//! - A document that cannot be used costs itself and is counted in [`SearchResponse::skipped`], never the rest.

#[cfg(feature = "testing")]
pub mod conformance;
mod error;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "opensearch")]
pub mod opensearch;
mod response;

use std::ops::ControlFlow;

use async_trait::async_trait;

pub use error::{StoreError, StoreErrorKind};
pub use response::{Bucket, Hit, Paged, SearchResponse, ShardFailure, Shards, Skipped};

use crate::dsl::{Aggregation, Query, SearchRequest};

/// Called with every page of a result; it stops the paging by returning [`ControlFlow::Break`].
pub type PageVisitor<'v> = &'v mut (dyn FnMut(SearchResponse) -> ControlFlow<()> + Send);

/// A place in which alerts are searched.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Runs one search.
    ///
    /// When the request has an aggregation, the answer holds *all* its buckets: an adapter asks for further pages of
    /// them until there are none.
    ///
    /// Fails when the search could not be run, and when nothing was found in a part of the data only: "no hit" and
    /// "blind" are different answers.
    async fn search(&self, request: &SearchRequest) -> Result<SearchResponse, StoreError>;

    /// Runs several searches in as few round trips as possible. The answers stand in the order of the requests.
    ///
    /// Fails as a whole when nothing could be asked; otherwise each search has its own outcome.
    async fn multi_search(
        &self,
        requests: &[SearchRequest],
    ) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError>;

    /// Hands out all matching documents in pages of `request.size` (at least one), in the order of `request.sort` and,
    /// among equals, in one that does not change between pages. What is written meanwhile does not show.
    /// `request.aggregation` and `request.search_after` are not used.
    async fn for_each_page(&self, request: &SearchRequest, visit: PageVisitor<'_>) -> Result<Paged, StoreError>;

    /// How many documents match, exactly.
    ///
    /// Fails when a part of the data did not answer; [`search`](Self::search) tells the rest.
    async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        let response = self.search(&SearchRequest::counting(query.clone(), None)).await?;
        Ok(response.require_complete()?.total)
    }

    /// All buckets of an aggregation over the documents that match.
    ///
    /// Fails when a part of the data did not answer, because the counts would be wrong;
    /// [`search`](Self::search) tells the rest.
    async fn buckets(&self, query: &Query, aggregation: &Aggregation) -> Result<Vec<Bucket>, StoreError> {
        let response = self.search(&SearchRequest::counting(query.clone(), Some(aggregation.clone()))).await?;
        Ok(response.require_complete()?.buckets)
    }
}

impl SearchRequest {
    /// A request that counts and returns no document.
    pub fn counting(query: Query, aggregation: Option<Aggregation>) -> Self {
        Self { query, sort: Vec::new(), size: 0, search_after: None, aggregation }
    }
}
