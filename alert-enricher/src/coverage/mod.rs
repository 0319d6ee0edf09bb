//! What a source of alerts could show at all, so that "no hit" can be told from "blind".
//!
//! A [`Coverage`] is fed alerts and counts, per kind of value, in which fields such values stand and in how many
//! alerts. Beside it goes what a set of indicators asks for; [`Coverage::report`] puts both together.

mod demand;
mod report;

use wazuh_query::alert::{ReadError, scan};
use wazuh_query::catalogue::{Catalogue, Envelope, FieldId, Holds, Role, Schema};
use wazuh_query::value::read;

use crate::indicator::{Kind, visit_kinds};

pub use demand::Demand;
pub use report::{CoverageReport, FieldCoverage, KindCoverage, PropertyCoverage, Sight, Unsearched};

/// One field and one kind of value in it.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    alerts: u64,
    /// The number of the last alert that was counted.
    last: u64,
}

/// Counts which alerts carry which kinds of values, and in which fields.
///
/// ```
/// use alert_enricher::coverage::{Coverage, Demand, Sight};
/// use alert_enricher::indicator::Kind;
/// use wazuh_query::catalogue::Catalogue;
///
/// let mut coverage = Coverage::new(&Catalogue::builtin(), false);
/// coverage.alert(r#"{"rule":{"id":"5710"},"data":{"srcip":"203.0.113.7"}}"#)?;
/// coverage.alert(r#"{"rule":{"id":"5501"},"data":{"srcuser":"kim"}}"#)?;
/// let demand = Demand { kinds: [(Kind::Address, 9), (Kind::Sha256, 7)].into(), ..Demand::default() };
/// let report = coverage.report(&demand);
/// assert_eq!((report.kinds[0].kind, report.kinds[0].alerts, report.kinds[0].sight), (Kind::Address, 1, Sight::Seen));
/// assert_eq!((report.kinds[1].kind, report.kinds[1].alerts, report.kinds[1].sight), (Kind::Sha256, 0, Sight::Blind));
/// # Ok::<(), wazuh_query::alert::ReadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Coverage {
    fields: Catalogue,
    /// For each field its number of alerts whatever the value is, then one place for each kind.
    counts: Vec<Count>,
    /// How many alerts carry a kind in any field.
    kinds: Vec<Count>,
    /// How many alerts follow each schema.
    schemas: [Count; 2],
    alerts: u64,
    unreadable: u64,
    scratch: String,
    /// Places in the table that the alert at hand counts for. Kept for its memory.
    seen: Vec<usize>,
}

/// Places for each field in the table of counts.
const STRIDE: usize = Kind::ALL.len() + 1;

impl Coverage {
    /// Nothing counted yet. Fields that name the reporting host itself count only if `include_agents` says so.
    pub fn new(catalogue: &Catalogue, include_agents: bool) -> Self {
        let fields = catalogue.restricted(|field| match field.holds {
            Holds::Envelope(envelope) => envelope == Envelope::Timestamp,
            Holds::Opaque => false,
            _ => field.role != Role::Agent || include_agents,
        });
        let counts = vec![Count::default(); fields.fields().len() * STRIDE];
        let kinds = vec![Count::default(); Kind::ALL.len()];
        Self {
            fields,
            counts,
            kinds,
            schemas: [Count::default(); 2],
            alerts: 0,
            unreadable: 0,
            scratch: String::new(),
            seen: Vec::new(),
        }
    }

    /// Counts one alert: the text of a JSON object.
    ///
    /// Fails when the text is no alert; it is counted as unreadable, and nothing in it counts.
    pub fn alert(&mut self, text: &str) -> Result<(), ReadError> {
        let Self { fields, scratch, seen, .. } = self;
        seen.clear();
        let mut is_alert = false;
        let scanned = scan(text, fields, &mut |id: FieldId, value: std::borrow::Cow<'_, str>, _| {
            is_alert = true;
            let field = fields.field(id);
            let row = id.index() * STRIDE;
            seen.push(row);
            // A port behind an address does not matter to a hunt.
            let lenient = if field.holds == Holds::Ip { Holds::IpWithPort } else { field.holds };
            read(lenient, &value, &mut |reading| {
                visit_kinds(field.holds, &reading, scratch, &mut |kind| seen.push(row + 1 + kind as usize));
            });
        });
        if let Err(error) = scanned.and(if is_alert { Ok(()) } else { Err(ReadError::NotAnAlert) }) {
            self.unreadable += 1;
            return Err(error);
        }
        self.alerts += 1;
        let count = |count: &mut Count| {
            if count.last != self.alerts {
                *count = Count { alerts: count.alerts + 1, last: self.alerts };
            }
        };
        for place in &self.seen {
            count(&mut self.counts[*place]);
            if let Some(kind) = (place % STRIDE).checked_sub(1) {
                count(&mut self.kinds[kind]);
            }
            let field = &self.fields.fields()[place / STRIDE];
            count(&mut self.schemas[usize::from(field.schema == Schema::Wazuh5)]);
        }
        Ok(())
    }

    /// How many alerts were counted.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    /// What was counted, beside what is asked for. The order is fixed: kinds with most indicators first.
    pub fn report(&self, demand: &Demand) -> CoverageReport {
        report::report(self, demand)
    }

    /// In how many alerts this field stands, with a value of this kind if one is given.
    fn field(&self, place: usize, kind: Option<Kind>) -> u64 {
        self.counts[place * STRIDE + kind.map_or(0, |kind| kind as usize + 1)].alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(alerts: &[&str]) -> Coverage {
        let mut coverage = Coverage::new(&Catalogue::builtin(), false);
        for alert in alerts {
            let _ = coverage.alert(alert);
        }
        coverage
    }

    fn asking(kinds: &[Kind]) -> Demand {
        Demand { kinds: kinds.iter().map(|kind| (*kind, 1)).collect(), indicators: 1, ..Demand::default() }
    }

    #[test]
    fn an_alert_counts_once_for_each_field_and_kind() {
        let coverage = coverage(&[
            r#"{"rule":{"id":"1"},"data":{"srcip":["203.0.113.7","203.0.113.8"],"dstip":"203.0.113.7"}}"#,
            r#"{"rule":{"id":"1"},"data":{"srcip":"unknown"}}"#,
            r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7"}"#,
        ]);
        let report = coverage.report(&asking(&[Kind::Address]));
        assert_eq!((report.alerts, report.unreadable), (2, 1));
        let address = &report.kinds[0];
        assert_eq!((address.alerts, address.sight), (1, Sight::Seen));
        let fields: Vec<_> = address.fields.iter().map(|field| (field.field.as_str(), field.alerts)).collect();
        assert_eq!(fields, [("data.dstip", 1), ("data.srcip", 1)]);
    }

    #[test]
    fn blind_is_not_the_same_as_no_hit() {
        let coverage =
            coverage(&[r#"{"rule":{"id":"1"},"agent":{"ip":"203.0.113.7"},"data":{"url":"http://a.example/b"}}"#]);
        let report = coverage.report(&asking(&[Kind::Address, Kind::Domain, Kind::Url, Kind::Mac, Kind::Ssdeep]));
        let sights: Vec<_> = report.kinds.iter().map(|entry| (entry.kind, entry.sight)).collect();
        let wanted = [
            (Kind::Address, Sight::Blind),
            (Kind::Domain, Sight::Seen),
            (Kind::Mac, Sight::Blind),
            (Kind::Ssdeep, Sight::Blind),
            (Kind::Url, Sight::Seen),
        ];
        assert_eq!(sights, wanted);
        assert!(report.to_string().contains("fields that no alert carries"));
    }

    #[test]
    fn paths_and_what_they_lie_in() {
        let coverage = coverage(&[r#"{"rule":{"id":"1"},"syscheck":{"path":"/etc/passwd"}}"#]);
        let report = coverage.report(&asking(&[Kind::Directory, Kind::File, Kind::RegistryKey]));
        let sights: Vec<_> = report.kinds.iter().map(|entry| entry.sight).collect();
        assert_eq!(sights, [Sight::Seen, Sight::Seen, Sight::Blind]);
    }
}
