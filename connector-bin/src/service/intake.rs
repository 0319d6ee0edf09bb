//! Messages in, up to a number at the same time, until the service is asked to stop.

use std::sync::Arc;
use std::time::Duration;

use opencti_client::MessageSource;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::worker::Worker;

/// Works on messages until the source ends or `stop` turns true. Then nothing more is taken, and what is under way has
/// `stop_timeout` to end; what does not goes back to the queue. Returns how many messages went back.
pub(crate) async fn run(
    source: &mut dyn MessageSource,
    worker: &Arc<Worker>,
    concurrency: usize,
    mut stop: watch::Receiver<bool>,
    stop_timeout: Duration,
) -> usize {
    let mut tasks = JoinSet::new();
    loop {
        let is_full = tasks.len() >= concurrency.max(1);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            next = source.next(), if !is_full => match next {
                Ok(Some(delivery)) => {
                    tasks.spawn(worker.clone().handle(delivery));
                }
                Ok(None) => break,
                // The source waits before it tries again.
                Err(error) => {
                    worker.metrics.error_count.one();
                    worker.log.error(&format!("no messages can be taken: {error}"), &[]);
                }
            },
        }
    }
    let until = tokio::time::Instant::now() + stop_timeout;
    // A broker that does not answer does not take the time of what is under way.
    let (_, ended) = tokio::join!(
        tokio::time::timeout_at(until, source.stop()),
        tokio::time::timeout_at(until, async { while tasks.join_next().await.is_some() {} }),
    );
    let left = if ended.is_err() { tasks.len() } else { 0 };
    tasks.shutdown().await;
    left
}
