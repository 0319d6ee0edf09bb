//! `service`.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! How the service runs.

    /// Entities that are worked on at the same time.
    CONCURRENCY = Spec::new("service.concurrency", Kind::Integer(1, 1_000)).default("8").ours();
    /// Messages that are taken from the queue before the first of them is done. At least `concurrency`.
    PREFETCH = Spec::new("service.prefetch", Kind::Integer(1, 65_535)).default("32").ours();
    /// Searches that are sent to the indexer in one request.
    BATCH_SIZE = Spec::new("service.batch_size", Kind::Integer(1, 256)).default("16").ours();
    /// How long a search waits for others to be sent with it.
    BATCH_WAIT = Spec::new("service.batch_wait", Kind::Pause).default("5 ms").ours();
    /// How often a message that ended the process is tried again before its work is reported as failed.
    MAX_ATTEMPTS = Spec::new("service.max_attempts", Kind::Integer(1, 100)).default("3").ours();
    /// The longest pause before a platform, broker or indexer that does not answer is tried again.
    LONGEST_PAUSE = Spec::new("service.longest_pause", Kind::Interval).default("60 seconds").ours();
    /// How long a search or an entity that fails is tried while the indexer or platform answers others. Then its work is
    /// reported as failed. While they answer nobody, everything waits as long as it takes.
    GIVE_UP_AFTER = Spec::new("service.give_up_after", Kind::Interval).default("10 minutes").ours();
    /// How long work in progress may go on after the service was asked to stop.
    STOP_TIMEOUT = Spec::new("service.stop_timeout", Kind::Interval).default("25 seconds").ours();
    /// How often the names of tools are read from the platform again.
    TOOLS_REFRESH = Spec::new("service.tools_refresh", Kind::Interval).default("1 hour").ours();
    /// How often the indices are asked which fields they have: only those are searched. An alert with a field that no alert
    /// had before is found that much later at most. `0 s`: they are not asked, and all fields are searched.
    FIELDS_REFRESH = Spec::new("service.fields_refresh", Kind::Pause).default("30 seconds").ours();
    /// Port of the health endpoint (`/health`). The port of the metrics has it, too.
    HEALTH_PORT = Spec::new("service.health_port", Kind::Integer(1, 65_535)).optional().ours();
    /// Address of the endpoints for health and metrics.
    HEALTH_HOST = Spec::new("service.health_host", Kind::Text).default("0.0.0.0").ours();
}
