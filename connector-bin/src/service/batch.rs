//! Searches of many runs in one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use wazuh_query::dsl::SearchRequest;
use wazuh_query::store::{AlertStore, SearchResponse, StoreError, StoreErrorKind};

use super::metrics::Metrics;

/// Requests to the indexer at the same time.
const AT_ONCE: usize = 4;

/// What one search came to. A request that failed as a whole is the failure of each of its searches.
pub(crate) type Searched = Result<SearchResponse, Arc<StoreError>>;

struct Job {
    request: SearchRequest,
    answer: oneshot::Sender<Searched>,
}

/// Collects searches that come at about the same time.
#[derive(Clone, Debug)]
pub(crate) struct Searches {
    sender: mpsc::Sender<Job>,
}

impl Searches {
    /// Up to `size` searches in one request; the first of them waits for the others as long as `wait`. Needs a runtime,
    /// and ends when it is dropped.
    pub(crate) fn new(store: Arc<dyn AlertStore>, size: usize, wait: Duration, metrics: Arc<Metrics>) -> Self {
        let size = size.max(1);
        let (sender, receiver) = mpsc::channel(size * AT_ONCE);
        tokio::spawn(collect(receiver, store, size, wait, metrics));
        Self { sender }
    }

    /// Runs searches; the answers stand in the order of the requests.
    pub(crate) async fn run(&self, requests: &[SearchRequest]) -> Vec<Searched> {
        let gone = || Arc::new(StoreErrorKind::Transport("the search was given up".to_owned()).into());
        let mut waiting = Vec::with_capacity(requests.len());
        for request in requests {
            let (answer, receiver) = oneshot::channel();
            let sent = self.sender.send(Job { request: request.clone(), answer }).await;
            waiting.push(sent.map(|()| receiver));
        }
        let mut answers = Vec::with_capacity(requests.len());
        for receiver in waiting {
            answers.push(match receiver {
                Ok(receiver) => receiver.await.unwrap_or_else(|_| Err(gone())),
                Err(_) => Err(gone()),
            });
        }
        answers
    }
}

/// Runs searches without others beside them.
pub(crate) async fn by_itself(store: &dyn AlertStore, requests: &[SearchRequest], metrics: &Metrics) -> Vec<Searched> {
    metrics.searches.add(requests.len() as u64);
    metrics.search_requests.one();
    match store.multi_search(requests).await {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(Arc::new)).collect(),
        Err(error) => {
            let error = Arc::new(error);
            requests.iter().map(|_| Err(error.clone())).collect()
        }
    }
}

async fn collect(
    mut jobs: mpsc::Receiver<Job>,
    store: Arc<dyn AlertStore>,
    size: usize,
    wait: Duration,
    metrics: Arc<Metrics>,
) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(first) = jobs.recv().await {
        let mut batch = vec![first];
        let until = tokio::time::Instant::now() + wait;
        // While all slots are taken more can come together without costing anybody time.
        let slot = slots.clone().acquire_owned().await;
        while batch.len() < size {
            match tokio::time::timeout_at(until, jobs.recv()).await {
                Ok(Some(job)) => batch.push(job),
                Ok(None) | Err(_) => break,
            }
        }
        let (store, metrics) = (store.clone(), metrics.clone());
        tokio::spawn(async move {
            search(batch, &*store, &metrics).await;
            drop(slot);
        });
    }
}

async fn search(batch: Vec<Job>, store: &dyn AlertStore, metrics: &Metrics) {
    let (requests, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.request, job.answer)).unzip();
    for (answer, outcome) in answers.into_iter().zip(by_itself(store, &requests, metrics).await) {
        // A run that was given up does not wait for its answer.
        let _ = answer.send(outcome);
    }
}
