//! How long work takes, and how much memory.

use std::time::{Duration, Instant};

/// What was done per second.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// In the fastest run: what the code needs when nothing else runs on the machine.
    pub best: f64,
    /// In the run in the middle.
    pub median: f64,
}

/// Repeats `run` for at least `at_least`, and three times at least. A run does `units` of work.
pub fn rate(units: usize, at_least: Duration, mut run: impl FnMut()) -> Rate {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || begin.elapsed() < at_least {
        let start = Instant::now();
        run();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^52")]
    let units = units as f64;
    Rate { best: units / times[0], median: units / times[times.len() / 2] }
}

/// Like [`rate`], in the time that a processor spent on this thread: what other programs do on the machine meanwhile
/// does not count, but for the caches that they share. Where the system does not tell, it is the time on the clock.
pub fn processor_rate(units: usize, at_least: Duration, mut run: impl FnMut()) -> Rate {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || begin.elapsed() < at_least {
        times.push(processor_time(&mut run));
    }
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^52")]
    let units = units as f64;
    Rate { best: units / times[0], median: units / times[times.len() / 2] }
}

/// The seconds that a processor spends on something.
pub fn processor_time(run: impl FnOnce()) -> f64 {
    let (start, clock) = (on_processor(), Instant::now());
    run();
    let (end, elapsed) = (on_processor(), clock.elapsed().as_secs_f64());
    start.zip(end).map_or(elapsed, |(start, end)| end - start)
}

/// The seconds that this thread was on a processor so far. Known on Linux only.
fn on_processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// The most memory that this process had so far, in MiB. Known on Linux only.
pub fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1_024.0)
}
