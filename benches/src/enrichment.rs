//! From what a search answered to the text of the bundle.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use alert_enricher::enrichment::{
    Decision, Enricher, EnrichmentOptions, Findings, HitReader, Known, Outcome, Plan, Subject, Trigger, answer, inspect,
};
use stix_model::sco::Ipv4Addr;
use stix_model::{Timestamp, Tlp};
use wazuh_query::catalogue::{Catalogue, Schema};

use crate::alerts;
use crate::table::{Table, thousands};

/// The amounts of hits of the curve. What is promised is promised for the one in the middle.
const COUNTS: [u32; 3] = [100, 1_000, 10_000];
/// The most milliseconds for the one in the middle.
const REQUIRED: f64 = 10.0;

/// Hits as an indexer returns them: an identifier each, and the alert.
type Documents = Vec<(String, String)>;

/// One entity that was searched, with everything that stays the same from run to run.
#[derive(Debug)]
pub struct Enrichment {
    catalogue: Catalogue,
    options: EnrichmentOptions,
    subject: Subject,
    plan: Plan,
    now: Timestamp,
}

impl Enrichment {
    /// An address, with the options that the service has by default but for the limits, and with
    /// an incident although no indicator is based on the address. `None` if it would not be searched.
    pub fn of_address() -> Option<Self> {
        let subject = Subject::new(Ipv4Addr::new("203.0.113.7").into());
        let mut options = EnrichmentOptions::new(Tlp::Amber, "https://wazuh.example.org");
        (options.hits_abort_limit, options.bundle_abort_limit) = (None, None);
        options.require_indicator_for_incidents = false;
        let now = Timestamp::from_unix_millis(1_773_480_413_589).unwrap_or(Timestamp::UNIX_EPOCH);
        let Decision::Search(plan) = inspect(&subject, &options, Trigger::Automatic, now) else { return None };
        Some(Self { catalogue: Catalogue::builtin(), options, subject, plan, now })
    }

    /// All that is done with the answer of a search: alerts are read, the bundle is built and written. Answers the
    /// number of objects, the text, and how long the building took.
    pub fn run(&self, documents: &[(String, String)]) -> (usize, String, Duration) {
        let reader = HitReader::new(&self.catalogue, &self.options, Schema::Wazuh4);
        let found = documents.iter().map(|(id, text)| ("wazuh-alerts-4.x-2026.03.14", id.as_str(), text.as_str()));
        let hits = reader.read(documents.len() as u64, [], found);
        let findings = Findings { targets: vec![(self.subject.entity.id().clone(), hits)], ..Findings::default() };
        let start = Instant::now();
        let enricher = Enricher::new(&self.catalogue, &self.options, Schema::Wazuh4);
        let enriched = enricher.enrich(&self.subject, &self.plan, &findings, &Known::default(), self.now);
        let building = start.elapsed();
        let objects = enriched.as_ref().map_or(0, |enrichment| enrichment.bundle.objects.len());
        let answer = answer(&Outcome::of(enriched), None);
        (objects, answer.bundle.unwrap_or_default(), building)
    }
}

/// Alerts of one rule, as a search for an address finds them as a rule.
pub fn of_one_kind(count: usize) -> Documents {
    with_identifiers(alerts::logins(count))
}

/// Alerts of every kind at hand, each of them once, and then copies with other values.
pub fn of_every_kind(count: usize) -> Documents {
    let samples = alerts::samples();
    let known = samples.lines().count().max(1);
    let further = alerts::many(count.saturating_sub(known) * samples.len() / known);
    with_identifiers(samples.lines().chain(further.lines()).take(count).map(str::to_owned).collect())
}

fn with_identifiers(alerts: Vec<String>) -> Documents {
    alerts.into_iter().enumerate().map(|(place, text)| (format!("document-{place}"), text)).collect()
}

/// In milliseconds.
fn best_and_median(mut times: Vec<Duration>) -> (f64, String) {
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    (milliseconds(times[0]), format!("{:.1}", milliseconds(times[times.len() / 2])))
}

/// Prints how long bundles take.
pub fn figures(table: &mut Table<impl Write>) -> io::Result<()> {
    let Some(enrichment) = Enrichment::of_address() else { return table.note("the address would not be searched") };
    for (name, documents) in [("one kind", of_one_kind as fn(usize) -> Documents), ("every kind", of_every_kind)] {
        for count in COUNTS {
            let documents = documents(count as usize);
            let (mut times, mut of_building) = (Vec::new(), Vec::new());
            let (mut objects, mut length) = (0, 0);
            for _ in 0..(60_000 / count).clamp(10, 200) {
                let start = Instant::now();
                let (bundle, building);
                (objects, bundle, building) = enrichment.run(&documents);
                length = black_box(&bundle).len();
                times.push(start.elapsed());
                of_building.push(building);
            }
            let title = format!("ms from {} alerts of {name} to the text", thousands(f64::from(count), 0));
            let (best, median) = best_and_median(times);
            table.row(&title, &format!("{best:.1}"), &median, "", "")?;
            let (best, median) = best_and_median(of_building);
            if count == COUNTS[1] {
                table.below("  of which to build the bundle", best, &median, REQUIRED, "ms")?;
            } else {
                table.row("  of which to build the bundle", &format!("{best:.1}"), &median, "", "")?;
            }
            table.note(&format!("{objects} objects, {} kB", length / 1_000))?;
        }
    }
    Ok(())
}
