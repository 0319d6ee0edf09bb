//! Prints every figure that the project promises beside the promise, in about a minute.
//!
//! ```text
//! cargo run --release -p benches --bin figures [MEGABYTES]
//! ```
//!
//! `--store` prints those of the indicator store alone, `--enrichment` those of bundles. `--enrichment-once one|every
//! [COUNT]` builds the bundle of 1,000 alerts so many times and prints it, for tools that count instructions or compare.
//! `MEGABYTES` is the amount of alert text to hunt through, 200 unless told otherwise. The exit code says nothing about
//! the figures: machines differ, and a busy one misses every mark.

use std::hint::black_box;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_enricher::extract::{ExtractOptions, Extractor};
use alert_enricher::hunt::{Counters, HuntOptions, Hunter};
use alert_enricher::store::Snapshot;
use benches::measure::{Rate, peak_memory, rate};
use benches::objects::{COUNT, Effort};
use benches::table::{Table, thousands};
use benches::{alerts, indicators, objects, patterns};
use stix_model::Timestamp;
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::{CompiledPattern, MatchOptions, Observation};
use wazuh_query::alert::Alert;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;
use wazuh_query::store::files::AlertReader;

/// How long one figure is measured.
const SHORT: Duration = Duration::from_millis(400);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("--memory") {
        let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1);
        return memory(count, arguments.next().map(PathBuf::from).as_deref());
    }
    if first.as_deref() == Some("--store") {
        return benches::store::figures(&mut Table::new(io::stdout().lock())?);
    }
    if first.as_deref() == Some("--enrichment-once") {
        return enrichment_once(arguments.next().as_deref() == Some("every"), arguments.next());
    }
    if first.as_deref() == Some("--enrichment") {
        return benches::enrichment::figures(&mut Table::new(io::stdout().lock())?);
    }
    let bytes = first.and_then(|megabytes| megabytes.parse().ok()).unwrap_or(200_usize) * 1_000_000;
    let mut table = Table::new(io::stdout().lock())?;
    identifiers(&mut table)?;
    queries(&mut table)?;
    pattern(&mut table)?;
    matching(&mut table)?;
    extraction(&mut table)?;
    benches::enrichment::figures(&mut table)?;
    hunt(&mut table, bytes)?;
    benches::store::figures(&mut table)?;
    start_up(&mut table)
}

/// One bundle of a thousand alerts, for tools that count instructions; the text is printed.
fn enrichment_once(every: bool, repeat: Option<String>) -> io::Result<()> {
    let documents =
        if every { benches::enrichment::of_every_kind(1_000) } else { benches::enrichment::of_one_kind(1_000) };
    let Some(enrichment) = benches::enrichment::Enrichment::of_address() else { return Ok(()) };
    let mut text = String::new();
    for _ in 0..repeat.and_then(|count| count.parse().ok()).unwrap_or(1) {
        (_, text, _) = black_box(enrichment.run(&documents));
    }
    writeln!(io::stdout(), "{text}")
}

fn identifiers(table: &mut Table<impl Write>) -> io::Result<()> {
    for sample in objects::samples() {
        let rate = rate(COUNT, SHORT, || {
            for object in &sample.objects {
                black_box((sample.identify)(object));
            }
        });
        table.at_least(&format!("identifiers/s, {}", sample.name), rate, None, 0)?;
    }
    Ok(())
}

fn queries(table: &mut Table<impl Write>) -> io::Result<()> {
    let builder = QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, SearchOptions::default());
    for sample in objects::samples() {
        let required = match sample.effort {
            Effort::Value => Some(200_000.0),
            Effort::Expressions => Some(50_000.0),
            Effort::Other => None,
        };
        let references = sample.references.as_slice();
        let built = rate(COUNT, SHORT, || {
            for object in &sample.objects {
                let _query = black_box(builder.build(object, references));
            }
        });
        let rendered = rate(COUNT, SHORT, || {
            for object in &sample.objects {
                let _text = black_box(builder.build(object, references).map(|built| built.query.to_json()));
            }
        });
        table.at_least(&format!("queries/s built, {}", sample.name), built, required, 0)?;
        // The text names every field: some 40 kB for an address. What it costs is shown, but nothing is promised.
        table.at_least(&format!("queries/s built and written, {}", sample.name), rendered, None, 0)?;
    }
    Ok(())
}

/// Reading patterns, every tree dropped again.
fn pattern(table: &mut Table<impl Write>) -> io::Result<()> {
    for (name, texts, required) in [("simple", patterns::simple(), 500_000.0), ("mixed", patterns::mixed(), 50_000.0)] {
        let read = rate(patterns::COUNT, SHORT, || {
            for text in &texts {
                let _pattern = black_box(Pattern::parse(text));
            }
        });
        table.at_least(&format!("patterns/s read, {name}"), read, Some(required), 0)?;
    }
    Ok(())
}

/// One compound pattern against the ten objects of an alert.
fn matching(table: &mut Table<impl Write>) -> io::Result<()> {
    let compiled = Pattern::parse(patterns::COMPOUND).ok().and_then(|pattern| {
        let compiled = CompiledPattern::new(&pattern, &MatchOptions::alerts());
        compiled.ok()
    });
    let Some(compiled) = compiled else { return table.note("the compound pattern cannot be compiled") };
    let objects = patterns::alert();
    let observation = Observation::from_objects(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &objects);
    let observations = [observation];
    if compiled.is_match(&observations) != Ok(true) {
        return table.note("the compound pattern does not match");
    }
    let tested = rate(patterns::COUNT, SHORT, || {
        for _ in 0..patterns::COUNT {
            black_box(compiled.is_match(&observations).is_ok());
        }
    });
    let bound = rate(patterns::COUNT, SHORT, || {
        for _ in 0..patterns::COUNT {
            black_box(compiled.matches(&observations).is_ok());
        }
    });
    let made = rate(patterns::COUNT, SHORT, || {
        for _ in 0..patterns::COUNT {
            let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
            black_box(Observation::from_objects(first, last, &objects));
        }
    });
    table.at_least("compound patterns/s tested on ten objects", tested, None, 0)?;
    table.at_least("compound patterns/s with what they bind", bound, None, 0)?;
    table.at_least("observations/s made of ten objects", made, None, 0)
}

fn extraction(table: &mut Table<impl Write>) -> io::Result<()> {
    let catalogue = Catalogue::builtin();
    let options = ExtractOptions::default();
    let extractor = Extractor::new(&catalogue, &options);
    let text = alerts::samples();
    let count = text.lines().count();
    let reading = rate(count, SHORT, || {
        for line in text.lines() {
            black_box(Alert::read(line, &catalogue).is_ok());
        }
    });
    let both = rate(count, SHORT * 3, || {
        for line in text.lines() {
            if let Ok(alert) = Alert::read(line, &catalogue) {
                black_box(extractor.extract(&alert));
            }
        }
    });
    table.at_least("alerts/s read", reading, None, 0)?;
    table.at_least("alerts/s read and extracted", both, Some(60_000.0), 0)
}

fn hunt(table: &mut Table<impl Write>, bytes: usize) -> io::Result<()> {
    let catalogue = Catalogue::builtin();
    let text = alerts::many(bytes);
    let file = TemporaryFile::new(&text)?;
    let mut marks = None;
    for count in [1, 1_000, 100_000, 1_000_000] {
        let snapshot = indicators::listed(count).snapshot();
        let mut counters = Counters::default();
        let memory = rate(text.len(), Duration::ZERO, || counters = hunted(&catalogue, &snapshot, text.as_bytes()));
        // The mark for a million is a share of what a hundred thousand reach on the same machine.
        let required = match count {
            100_000 => Some(400.0),
            1_000_000 => marks.map(|mark: f64| 0.8 * mark),
            _ => None,
        };
        if count == 100_000 {
            marks = Some(memory.best / 1e6);
        }
        let alerts = |rate: Rate| scaled(rate, counters.alerts, text.len());
        let shown = thousands(f64::from(u32::try_from(count).unwrap_or(u32::MAX)), 0);
        table.at_least(&format!("hunt MB/s, {shown} indicators"), megabytes(memory), required, 0)?;
        table.at_least(&format!("hunt alerts/s, {shown} indicators"), alerts(memory), None, 0)?;
        if count == 100_000 {
            let disk = rate(text.len(), Duration::ZERO, || {
                if let Ok(file) = std::fs::File::open(&file.path) {
                    counters = hunted(&catalogue, &snapshot, file);
                }
            });
            table.at_least(&format!("hunt MB/s out of a file, {shown} indicators"), megabytes(disk), required, 0)?;
        }
        if counters.unreadable > 0 || counters.alerts == 0 {
            table.note(&format!("unexpected: {counters:?}"))?;
        }
    }
    for count in [100_000_u32, 1_000_000] {
        let name = format!("hunt MiB at most, {} indicators", thousands(f64::from(count), 0));
        // Memory that was used once is not given back, so every figure needs a process of its own.
        let output = Command::new(std::env::current_exe()?)
            .args(["--memory", &count.to_string()])
            .arg(&file.path)
            .stdout(Stdio::piped())
            .output()?;
        match String::from_utf8_lossy(&output.stdout).trim().parse() {
            Ok(mebibytes) => table.below(&name, mebibytes, "", 150.0, "MiB")?,
            Err(_) => table.row(&name, "unknown", "", "< 150 MiB", "")?,
        }
    }
    Ok(())
}

fn hunted(catalogue: &Catalogue, snapshot: &Arc<Snapshot>, text: impl io::Read) -> Counters {
    let mut hunter = Hunter::new(catalogue, snapshot, HuntOptions::default());
    AlertReader::new().read(Path::new("alerts.json"), text, |line| {
        let _counted = hunter.alert(line.text);
        ControlFlow::Continue(())
    });
    let counters = hunter.counters();
    drop(black_box(hunter.finish()));
    counters
}

fn megabytes(rate: Rate) -> Rate {
    Rate { best: rate.best / 1e6, median: rate.median / 1e6 }
}

#[expect(clippy::cast_precision_loss, reason = "amounts of alerts are far below 2^52")]
fn scaled(rate: Rate, units: u64, of: usize) -> Rate {
    let factor = units as f64 / of as f64;
    Rate { best: rate.best * factor, median: rate.median * factor }
}

/// Hunts with so many indicators through a file and prints the most memory that took, in MiB.
fn memory(count: usize, path: Option<&Path>) -> io::Result<()> {
    let snapshot = indicators::listed(count).snapshot();
    if let Some(path) = path {
        black_box(hunted(&Catalogue::builtin(), &snapshot, std::fs::File::open(path)?));
    }
    let peak = peak_memory().map_or_else(|| "unknown".to_owned(), |mebibytes| format!("{mebibytes:.1}"));
    writeln!(io::stdout(), "{peak}")
}

/// The whole life of a process that builds one query.
fn start_up(table: &mut Table<impl Write>) -> io::Result<()> {
    const NAME: &str = "ms of `opencti-wazuh-connector query`";
    const OBJECT: &str = r#"{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--cbd67181-b9f8-595b-8bc3-3971e34fa1cc","value":"1.1.1.1"}"#;
    // The programs of a workspace stand side by side.
    let program = std::env::current_exe()?.with_file_name("opencti-wazuh-connector");
    if !program.exists() {
        table.row(NAME, "not built", "", "< 5 ms", "")?;
        return table.note("build it: cargo build --release -p connector-bin");
    }
    let mut times = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let mut process = Command::new(&program)
            .arg("query")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = process.stdin.take() {
            // A program that does not read its input has closed it.
            let _closed = input.write_all(OBJECT.as_bytes());
        }
        let output = process.wait_with_output()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if !output.status.success() || output.stdout.is_empty() {
            table.row(NAME, "failed", "", "< 5 ms", "")?;
            return table.note(&format!("{}, {} bytes of output", output.status, output.stdout.len()));
        }
    }
    times.sort_by(f64::total_cmp);
    table.below(NAME, times[0], &format!("{:.1}", times[times.len() / 2]), 5.0, "ms")
}

/// A file that goes away again.
struct TemporaryFile {
    path: PathBuf,
}

impl TemporaryFile {
    fn new(text: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("figures-{}.json", std::process::id()));
        let file = Self { path };
        std::fs::write(&file.path, text)?;
        Ok(file)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // What cannot be removed stays.
        let _gone = std::fs::remove_file(&self.path);
    }
}
