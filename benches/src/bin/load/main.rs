//! Puts the enrichment service under load and prints what it reaches beside what is required.
//!
//! ```text
//! cargo build --release -p connector-bin
//! RABBITMQ_URL=amqp://… OPENSEARCH_URL=http://… cargo run --release -p benches --bin load [ALERTS] [MESSAGES]
//! ```
//!
//! The broker and the indexer are real (`deploy/dev/rabbitmq.sh start` and `deploy/dev/opensearch.sh start` give them);
//! the platform is the strict stand-in of `opencti-client`; the service is the built program, as a process. `ALERTS`
//! (1,000,000) are generated and loaded into an index of their own, which is used again by the next run. `MESSAGES`
//! (20,000) stand in the queue when the service starts, behind a tenth as many that are not measured. All of it shares one machine, and the stand-in checks every
//! document against the platform's schema, so the figures say what the machine as a whole reaches.
//!
//! Variables `WAZUH_SERVICE_*` reach the service; `LOAD_LOG` names a file for its log.

mod index;
mod service;

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::numbers::Numbers;
use benches::table::{Table, thousands};
use opencti_client::amqp::{AmqpPublisher, Broker};
use opencti_client::testing::{Enrich, StandIn};
use opencti_client::{BrokerAddress, Publisher as _};
use serde_json::json;
use stix_model::{Identifier, Object};

use service::{Service, Surroundings};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Entities of the platform that are enriched, half addresses and half files.
const ENTITIES: u64 = 2_000;
/// How long messages come at a quarter of the highest rate.
const QUIET: Duration = Duration::from_mins(1);
/// How long the highest rate is measured at most.
const BUSY: Duration = Duration::from_mins(3);
/// How often the start is measured.
const STARTS: usize = 10;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (alerts, messages) = (number(1_000_000), number(20_000));
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("the variable {name} is needed"));
    let (broker, indexer) = (variable("RABBITMQ_URL")?, variable("OPENSEARCH_URL")?);
    let index = index::Index::prepare(&indexer, alerts)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&broker, index, usize::try_from(messages)?))
}

async fn measure(broker: &str, index: index::Index, messages: usize) -> Result<()> {
    let load = Load::new(broker, index.clone()).await?;
    let mut out = io::stdout();
    writeln!(out, "{} alerts in {} ({})", thousands_of(load.index.alerts), load.index.name, load.index.version)?;
    writeln!(
        out,
        "{ENTITIES} entities, half of them IPv4 addresses and half files with a SHA-256 digest; one message in a hundred \
         is about one that\nstands in {} alerts and has an indicator. Processors: {}.",
        load.index.alerts / 1_000 / index::KNOWN,
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    )?;
    let mut table = Table::new(io::stdout().lock())?;
    load.start(&mut table).await?;
    let rate = load.saturation(&mut table, messages).await?;
    let mut refusals = load.stand_in.refusals();
    // With a queue of its own: the other one may hold messages still.
    let load = Load::new(broker, index).await?;
    load.quiet(&mut table, rate / 4.0).await?;
    refusals.extend(load.stand_in.refusals());
    if let Some(first) = refusals.first() {
        table.note(&format!("the stand-in refused {} requests or objects; the first: {first}", refusals.len()))?;
    }
    Ok(())
}

/// Everything around the service.
struct Load {
    stand_in: StandIn,
    index: index::Index,
    surroundings: Surroundings,
    publisher: Arc<AmqpPublisher>,
    /// What is not found, and what is.
    entities: (Vec<Identifier>, Vec<Identifier>),
    connector: String,
}

impl Load {
    async fn new(broker: &str, index: index::Index) -> Result<Self> {
        let stand_in = StandIn::builder().broker(broker).start().await;
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.subsec_nanos();
        let connector = format!("{:08x}-0000-4000-8001-{nanos:012}", std::process::id());
        let surroundings = Surroundings::new(&stand_in, &index, &connector)?;
        // The first one makes the queue.
        let first = Service::start(&surroundings)?;
        first.ready().await?;
        first.stop().await?;
        let address = Arc::new(Broker::new(BrokerAddress::from_url(broker)?));
        let publisher = AmqpPublisher::new(address, "amqp.connector.exchange", format!("listen_routing_{connector}"));
        let entities = entities(&stand_in)?;
        Ok(Self { stand_in, index, surroundings, publisher: Arc::new(publisher), entities, connector })
    }

    /// Bodies of messages from a number on, and their works.
    fn messages(&self, from: usize, count: usize) -> Vec<(Vec<u8>, String)> {
        let (absent, known) = &self.entities;
        (from..from + count)
            .filter_map(|number| {
                let entity = if number % 100 == 50 {
                    &known[number / 100 % known.len()]
                } else {
                    &absent[number % absent.len()]
                };
                let (body, work) = self.stand_in.message(&self.connector, &entity.to_string(), &Enrich::auto());
                Some((body, work?))
            })
            .collect()
    }

    async fn publish(&self, messages: Vec<(Vec<u8>, String)>) -> Result<Vec<String>> {
        let (bodies, works): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        self.publisher.publish(bodies).await?;
        Ok(works)
    }

    fn has_ended(&self, work: &str) -> bool {
        self.stand_in.work(work).is_none_or(|work| work.ended)
    }

    /// From the start of the process to the report that a message was received.
    async fn start(&self, table: &mut Table<impl Write>) -> Result<()> {
        let mut times = Vec::new();
        for number in 0..STARTS {
            let works = self.publish(self.messages(number, 1)).await?;
            let began = Instant::now();
            let service = Service::start(&self.surroundings)?;
            let received = |work: &String| self.stand_in.work(work).is_some_and(|work| !work.steps.is_empty());
            while !works.iter().all(received) {
                patience(began)?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times.push(began.elapsed().as_secs_f64() * 1e3);
            while !works.iter().all(|work| self.has_ended(work)) {
                patience(began)?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            service.stop().await?;
        }
        times.sort_by(f64::total_cmp);
        table.below("ms from start to first message", times[0], &shown(middle(&times)), 300.0, "ms")?;
        table.note(&format!(
            "{STARTS} starts, one message in the queue, until the platform has the report that it was received; longest {} ms",
            shown(times[times.len() - 1])
        ))?;
        Ok(())
    }

    /// Enrichments per second while the queue is full, and the memory that takes.
    async fn saturation(&self, table: &mut Table<impl Write>, messages: usize) -> Result<f64> {
        // An indexer that was started a moment ago compiles its code while it answers.
        let warm = messages / 10;
        for from in (0..warm + messages).step_by(1_000) {
            self.publish(self.messages(from, 1_000.min(warm + messages - from))).await?;
            self.stand_in.clear_requests();
        }
        let before = self.stand_in.ended_works() + warm;
        let service = Service::start(&self.surroundings)?;
        let began = Instant::now();
        while self.stand_in.ended_works() < before {
            patience(began)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.stand_in.clear_requests();
        }
        let began = Instant::now();
        let mut ended = 0;
        let mut course: Vec<(usize, f64, Option<f64>)> = Vec::new();
        while ended < messages && began.elapsed() < BUSY {
            tokio::time::sleep(Duration::from_millis(20)).await;
            ended = self.stand_in.ended_works() - before;
            course.push((ended, began.elapsed().as_secs_f64(), service.processor_time()));
            self.stand_in.clear_requests();
        }
        let all = began.elapsed().as_secs_f64();
        let memory = service.peak_memory();
        service.stop().await?;
        // Neither the start nor the last ones.
        let first = course.iter().find(|(_, now, _)| *now >= all / 20.0);
        let last = course.iter().rev().find(|(_, now, _)| *now <= all * 0.95);
        let (Some(first), Some(last)) = (first, last) else { return Err("too few messages".into()) };
        let count = amount(last.0 - first.0);
        let rate = count / (last.1 - first.1);
        let best = benches::measure::Rate { best: rate, median: amount(ended) / all };
        table.at_least("enrichments/s at saturation", best, Some(150.0), 0)?;
        table.note(&format!(
            "{} messages in the queue at the start; when {} of them were done, {} more in {all:.0} s; best: without the \
             first and the last twentieth of that time, median: all of it",
            thousands(amount(warm + messages), 0),
            thousands(amount(warm), 0),
            thousands(amount(ended), 0)
        ))?;
        if let (Some(from), Some(to)) = (first.2, last.2) {
            table.note(&format!(
                "the service itself needs {:.2} ms of a processor for each",
                (to - from) * 1e3 / count
            ))?;
        }
        match memory {
            Some(mebibytes) => table.below("MiB at most, with that backlog", mebibytes, "", 80.0, "MiB")?,
            None => table.row("MiB at most, with that backlog", "unknown", "", "< 80 MiB", "")?,
        }
        table.note("VmHWM of the process at its end")?;
        Ok(rate)
    }

    /// How long an enrichment takes from the queue to the report of its end, at this rate.
    async fn quiet(&self, table: &mut Table<impl Write>, rate: f64) -> Result<()> {
        let service = Service::start(&self.surroundings)?;
        service.ready().await?;
        let every = Duration::from_secs_f64(1.0 / rate);
        let began = Instant::now();
        let mut next = began;
        let mut number = 0;
        let mut open: Vec<(Instant, String)> = Vec::new();
        let mut times: Vec<f64> = Vec::new();
        let (sender, mut published) = tokio::sync::mpsc::unbounded_channel();
        while began.elapsed() < QUIET || !open.is_empty() || amount(number) > amount(times.len()) {
            if began.elapsed() < QUIET && Instant::now() >= next {
                let message = self.messages(number, 1);
                let (publisher, sender, at) = (self.publisher.clone(), sender.clone(), next);
                // Messages come when it is their time, however long the one before takes.
                tokio::spawn(async move {
                    for (body, work) in message {
                        if publisher.publish(vec![body]).await.is_ok() {
                            let _ = sender.send((at, work));
                        }
                    }
                });
                number += 1;
                next += every;
            }
            while let Ok(one) = published.try_recv() {
                open.push(one);
            }
            open.retain(|(at, work)| {
                let done = self.has_ended(work);
                if done {
                    times.push(at.elapsed().as_secs_f64() * 1e3);
                }
                !done
            });
            patience(began)?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        service.stop().await?;
        times.sort_by(f64::total_cmp);
        let place = (times.len() * 99).div_ceil(100).saturating_sub(1);
        let name = format!("ms, 99th percentile at {}/s", shown(rate));
        let worst = times.get(place).copied().ok_or("no message was enriched")?;
        table.below(&name, worst, &shown(middle(&times)), 300.0, "ms")?;
        table.note(&format!(
            "{} messages in {} s, one after the other at their time, from the moment each was due until the platform has the \
             report of its end;\n  in the middle {} ms, longest {} ms",
            thousands(amount(times.len()), 0),
            QUIET.as_secs(),
            shown(middle(&times)),
            shown(times[times.len() - 1])
        ))?;
        Ok(())
    }
}

/// Puts the entities into the platform: those that are not found, and those that are.
fn entities(stand_in: &StandIn) -> Result<(Vec<Identifier>, Vec<Identifier>)> {
    let mut numbers = Numbers::new(101);
    let address = |value: String| Object::from_json(&json!({"type": "ipv4-addr", "value": value}).to_string());
    let file = |digest: String| Object::from_json(&json!({"type": "file", "hashes": {"SHA-256": digest}}).to_string());
    let mut absent = Vec::new();
    for number in 0..ENTITIES {
        let object = if number % 2 == 0 {
            address(format!("140.{}.{}.{}", number % 7, number / 250, number % 250))?
        } else {
            file(numbers.hexadecimal(64))?
        };
        absent.push(stand_in.insert(object));
    }
    let mut known = Vec::new();
    for number in 0..index::KNOWN {
        let (object, pattern) = if number % 2 == 0 {
            let value = index::known_address(number);
            let pattern = format!("[ipv4-addr:value = '{value}']");
            (address(value)?, pattern)
        } else {
            let digest = index::known_digest(number);
            let pattern = format!("[file:hashes.'SHA-256' = '{digest}']");
            (file(digest)?, pattern)
        };
        let time = "2026-01-01T00:00:00.000Z";
        let indicator = json!({
            "type": "indicator", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"), "spec_version": "2.1",
            "created": time, "modified": time, "valid_from": time, "name": format!("Known {number}"),
            "pattern": pattern, "pattern_type": "stix",
        });
        let indicator = stand_in.insert(Object::from_json(&indicator.to_string())?);
        let observable = stand_in.insert(object);
        stand_in.insert(stix_model::sro::Relationship::new("based-on", indicator, observable.clone(), time.parse()?));
        known.push(observable);
    }
    Ok((absent, known))
}

fn patience(began: Instant) -> Result<()> {
    if began.elapsed() > Duration::from_mins(30) { Err("it takes longer than half an hour".into()) } else { Ok(()) }
}

fn middle(times: &[f64]) -> f64 {
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn shown(value: f64) -> String {
    format!("{value:.1}")
}

#[expect(clippy::cast_precision_loss, reason = "amounts of messages are far below 2^52")]
fn amount(count: usize) -> f64 {
    count as f64
}

fn thousands_of(count: u64) -> String {
    thousands(amount(usize::try_from(count).unwrap_or(usize::MAX)), 0)
}
