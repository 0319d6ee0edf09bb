//! What the resident mode of `custom-opencti` costs: the built program, on a file of a million alerts, with a store of a million
//! indicators.
//!
//! `cargo build --release -p integration-bin && cargo run --release -p benches --bin resident [PROGRAM]`
//!
//! - *alerts/s*: alerts of about 800 bytes in a file in the page cache to events on standard output, in the time that the
//!   processor spent on the whole process, start included. Every hundredth alert has an address of an indicator in it, of
//!   500 different ones.
//! - *memory*: the largest resident set of that run. The store is mapped: what was touched of it counts.
//! - *start*: with a stored state, on the clock, from the start of the process to the moment when it follows.
//!
//! The store in the state holds the million. What is known about the 500 is read from a file with these, which stands in the
//! place of a platform that answers at once.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use alert_enricher::store::{Builder, FileStore};
use benches::{alerts, indicators};
use stix_model::Object;

const MILLION: usize = 1_000_000;
const KNOWN: usize = 500;

fn main() -> io::Result<()> {
    let program = match std::env::args_os().nth(1) {
        Some(program) => PathBuf::from(program),
        // The programs of a workspace stand side by side.
        None => std::env::current_exe()?.with_file_name("custom-opencti"),
    };
    if !program.exists() {
        return Err(io::Error::other("build it first: cargo build --release -p integration-bin"));
    }
    let folder = tempfile::tempdir()?;
    let home = folder.path();
    let state = home.join("queue/custom-opencti/daemon");
    for place in [&state, &home.join("logs/alerts")] {
        fs::create_dir_all(place)?;
    }
    let intel = home.join("intel.json");
    let run = |once: bool| {
        let mut command = Command::new(&program);
        command.arg("daemon").arg("--intel").arg(&intel).args(["--from-beginning", "--output", "ndjson"]);
        if once {
            command.arg("--once");
        }
        command.env_clear().env("WAZUH_HOME", home).stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    prepare(home, &state, || run(true).status().map(|status| status.success()))?;
    let mut best = (f64::INFINITY, 0.0, 0);
    for _ in 0..3 {
        let _first_run = fs::remove_file(state.join("alerts.position"));
        let _first_run = fs::remove_file(home.join("logs/integrations.log"));
        let begun = Instant::now();
        let mut child = run(true).spawn()?;
        let (mut processor, mut memory) = (0.0_f64, 0);
        while child.try_wait()?.is_none() {
            if let Some((seconds, kilobytes)) = used(child.id()) {
                (processor, memory) = (processor.max(seconds), memory.max(kilobytes));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if processor < best.0 {
            best = (processor, begun.elapsed().as_secs_f64(), memory);
        }
        let log = fs::read_to_string(home.join("logs/integrations.log"))?;
        if log.contains("read anew") || !log.contains("resident: ") {
            return Err(io::Error::other(log));
        }
    }
    let (processor, clock, memory) = best;
    #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
    let alerts = MILLION as f64;
    let mut out = io::stdout().lock();
    writeln!(out, "resident: alerts/s of processor time   {:>10.0}   (150,000 wanted)", alerts / processor)?;
    writeln!(out, "resident: alerts/s on the clock        {:>10.0}", alerts / clock)?;
    writeln!(out, "resident: MiB at most                  {:>10}   (200 wanted)", memory / 1_024)?;
    fs::write(home.join("logs/alerts/alerts.json"), "")?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        let _first_run = fs::remove_file(home.join("logs/integrations.log"));
        let begun = Instant::now();
        let mut child = run(false).spawn()?;
        while !fs::read_to_string(home.join("logs/integrations.log")).is_ok_and(|log| log.contains("resident: ")) {
            std::thread::sleep(Duration::from_micros(500));
        }
        starts.push(begun.elapsed().as_secs_f64() * 1e3);
        child.kill()?;
        child.wait()?;
    }
    starts.sort_by(f64::total_cmp);
    writeln!(out, "resident: ms to start, stored state    {:>10.1}   (1,000 wanted)", starts[starts.len() / 2])
}

/// The store with its state, the file of what is known, and the alerts. `run` lets the program work through the alerts that
/// are there.
fn prepare(home: &Path, state: &Path, run: impl FnOnce() -> io::Result<bool>) -> io::Result<()> {
    let mut builder = Builder::default();
    let mut known = Vec::new();
    let mut addresses = Vec::new();
    for mut object in indicators::objects(MILLION) {
        if known.len() < KNOWN
            && let Object::Indicator(indicator) = &mut object
            && let Some(address) = indicator.pattern.strip_prefix("[ipv4-addr:value = '")
            && let Some(address) = address.strip_suffix("']").filter(|address| !address.contains('/'))
        {
            addresses.push(address.to_owned());
            // The alerts are younger than what the others are valid for.
            indicator.valid_until = None;
            known.push(object.clone());
        }
        builder.object(&object);
    }
    let built = builder.finish().map_err(io::Error::other)?;
    fs::write(home.join("intel.json"), serde_json::to_string(&known)?)?;
    // The program notes beside its store what it made it of. Then the million takes the place of what it made.
    fs::write(home.join("logs/alerts/alerts.json"), "")?;
    if !run()? {
        return Err(io::Error::other("the program does not make its store"));
    }
    FileStore::create(&state.join("indicators.store"), &built).map_err(io::Error::other)?;
    drop(built);
    let mut file = BufWriter::new(File::create(home.join("logs/alerts/alerts.json"))?);
    let alerts = alerts::short(100_000, &addresses);
    for _ in 0..MILLION / alerts.len().max(1) {
        for alert in &alerts {
            writeln!(file, "{alert}")?;
        }
    }
    file.flush()
}

/// Seconds of processor time of a process so far, and the most kilobytes of memory that it had.
fn used(process: u32) -> Option<(f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    // The kernel counts in hundredths of a second for whoever asks.
    Some((f64::from(ticks) / 100.0, line.split_whitespace().nth(1)?.parse().ok()?))
}
