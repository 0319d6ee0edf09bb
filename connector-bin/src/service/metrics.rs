//! Counters, in the text format of Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long something takes.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// One for each of [`BOUNDS`], not added up.
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

/// Upper bounds in seconds.
const BOUNDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

impl Durations {
    pub(crate) fn add(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = BOUNDS.iter().zip(&self.buckets).find(|(bound, _)| seconds <= **bound) {
            bucket.1.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// What is counted. The first few have the names that the original has.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) run_count: Counter,
    pub(crate) client_error_count: Counter,
    pub(crate) error_count: Counter,
    pub(crate) bundle_send: Counter,
    pub(crate) record_send: Counter,
    pub(crate) ping_api_count: Counter,
    pub(crate) ping_api_error: Counter,
    pub(crate) searches: Counter,
    pub(crate) search_requests: Counter,
    pub(crate) search_retries: Counter,
    pub(crate) platform_retries: Counter,
    pub(crate) hits: Counter,
    pub(crate) redelivered: Counter,
    pub(crate) poisoned: Counter,
    pub(crate) playbook_answers: Counter,
    pub(crate) run_seconds: Durations,
    running: AtomicI64,
    /// Whether the connector is registered.
    registered: AtomicBool,
    /// Whether messages can come.
    listening: AtomicBool,
    /// Whether results cannot go.
    stuck: AtomicBool,
}

/// Counts a run that goes on, until it is dropped.
pub(crate) struct Running<'m>(&'m Metrics);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn begin(&self) -> Running<'_> {
        self.run_count.one();
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    pub(crate) fn set_registered(&self, registered: bool) {
        self.registered.store(registered, Ordering::Relaxed);
    }

    pub(crate) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// Whether results wait for a connection. Who waits for it does not look whether messages come.
    pub(crate) fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Ordering::Relaxed);
    }

    /// What is in the way of doing work, if anything is.
    pub(crate) fn trouble(&self) -> Option<&'static str> {
        if !self.registered.load(Ordering::Relaxed) {
            return Some("not registered at OpenCTI");
        }
        if self.stuck.load(Ordering::Relaxed) {
            return Some("no connection on which results go");
        }
        (!self.listening.load(Ordering::Relaxed)).then_some("no connection on which messages come")
    }

    /// Everything, for Prometheus. Names stand behind `namespace` and `subsystem`.
    pub(crate) fn text(&self, namespace: Option<&str>, subsystem: Option<&str>) -> String {
        let prefix: String = [namespace, subsystem]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .fold(String::new(), |all, part| all + part + "_");
        let mut out = String::new();
        for (name, help, counter) in [
            ("run_count", "Runs that began.", &self.run_count),
            ("client_error_count", "Runs that ended with an error.", &self.client_error_count),
            ("error_count", "Errors of the connector itself.", &self.error_count),
            ("bundle_send", "Bundles that were sent and confirmed.", &self.bundle_send),
            ("record_send", "Parts of bundles that were sent and confirmed.", &self.record_send),
            ("ping_api_count", "Life signs.", &self.ping_api_count),
            ("ping_api_error", "Life signs that failed.", &self.ping_api_error),
            ("searches", "Searches in the indexer.", &self.searches),
            ("search_requests", "Requests to the indexer that carry searches.", &self.search_requests),
            ("search_retries", "Searches that were asked again.", &self.search_retries),
            ("platform_retries", "Requests to OpenCTI or the broker that were made again.", &self.platform_retries),
            ("hits", "Alerts that were found.", &self.hits),
            ("redelivered", "Messages that came again.", &self.redelivered),
            ("poisoned", "Messages that were given up.", &self.poisoned),
            ("playbook_answers", "Answers to playbooks.", &self.playbook_answers),
        ] {
            // Writing to a text cannot fail.
            let _ = write!(
                out,
                "# HELP {prefix}{name}_total {help}\n# TYPE {prefix}{name}_total counter\n{prefix}{name}_total {}\n",
                counter.get()
            );
        }
        let running = self.running.load(Ordering::Relaxed).max(0);
        let _ = write!(
            out,
            "# HELP {prefix}running Runs that go on.\n# TYPE {prefix}running gauge\n{prefix}running {running}\n\
             # HELP {prefix}state State of the connector.\n# TYPE {prefix}state gauge\n"
        );
        let state = if self.trouble().is_some() {
            "stopped"
        } else if running > 0 {
            "running"
        } else {
            "idle"
        };
        for name in ["idle", "running", "stopped"] {
            let _ = writeln!(out, "{prefix}state{{state=\"{name}\"}} {}", u8::from(name == state));
        }
        let name = format!("{prefix}run_seconds");
        let _ = write!(out, "# HELP {name} How long runs take.\n# TYPE {name} histogram\n");
        let mut sum = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.run_seconds.buckets) {
            sum += bucket.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {sum}");
        }
        let count = self.run_seconds.count.load(Ordering::Relaxed);
        let seconds = Duration::from_micros(self.run_seconds.micros.load(Ordering::Relaxed)).as_secs_f64();
        let _ = write!(out, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {seconds}\n{name}_count {count}\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_prometheus() {
        let metrics = Metrics::default();
        metrics.set_registered(true);
        metrics.set_listening(true);
        let running = metrics.begin();
        metrics.run_seconds.add(Duration::from_millis(20));
        metrics.run_seconds.add(Duration::from_secs(90));
        let text = metrics.text(Some("octi"), None);
        for line in [
            "octi_run_count_total 1",
            "octi_running 1",
            "octi_state{state=\"running\"} 1",
            "octi_run_seconds_bucket{le=\"0.01\"} 0",
            "octi_run_seconds_bucket{le=\"60\"} 1",
            "octi_run_seconds_bucket{le=\"+Inf\"} 2",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        drop(running);
        metrics.set_listening(false);
        assert!(metrics.text(None, None).contains("\nstate{state=\"stopped\"} 1\n"));
        assert!(metrics.text(None, None).contains("\nrunning 0\n"));
        metrics.set_listening(true);
        metrics.set_stuck(true);
        assert_eq!(metrics.trouble(), Some("no connection on which results go"));
    }
}
