//! What is told about a run: counters, and one sentence.

use std::fmt;

use super::incident::NoIncident;
use super::text::{counted, times};

/// How much was found and made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Alerts that were found.
    pub hits: u64,
    /// Whether that is a lower bound.
    pub at_least: bool,
    /// Alerts that were not returned: counted, but not looked into.
    pub beyond: u64,
    /// Alerts that could not be read.
    pub unreadable: u64,
    /// Places at which something was seen.
    pub systems: usize,
    /// Sightings.
    pub sightings: usize,
    /// Incidents.
    pub incidents: usize,
    /// Cases.
    pub cases: usize,
    /// Notes, the summary included.
    pub notes: usize,
    /// Observables, techniques, tools and vulnerabilities that were made of alerts.
    pub extracted: usize,
    /// All objects of the bundle.
    pub objects: usize,
}

/// The sentence for the work on the platform.
pub(crate) fn sentence(label: &str, counters: &Counters, no_incident: Option<&NoIncident>) -> String {
    let Counters { hits, at_least, beyond, unreadable, systems, sightings, incidents, cases, notes, objects, .. } =
        counters;
    let mut parts = vec![counted(*sightings, "sighting")];
    if *incidents > 0 {
        parts.push(counted(*incidents, "incident"));
    }
    if *cases > 0 {
        parts.push(counted(*cases, "case"));
    }
    if *notes > 0 {
        parts.push(counted(*notes, "note"));
    }
    let mut text = format!(
        "{label} was seen {} on {}: {}, {} in all",
        times(*hits, *at_least),
        counted(*systems, "system"),
        parts.join(", "),
        counted(*objects, "object"),
    );
    if let Some(reason) = no_incident {
        text.push_str(&format!("; no incident: {reason}"));
    }
    if *beyond > 0 {
        text.push_str(&format!("; {} were counted only", count_of_alerts(*beyond)));
    }
    if *unreadable > 0 {
        text.push_str(&format!("; {} could not be read", count_of_alerts(*unreadable)));
    }
    text
}

fn count_of_alerts(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "alert")
}

impl fmt::Display for Counters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&sentence("It", self, None))
    }
}
