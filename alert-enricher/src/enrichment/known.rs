//! What the platform knows already.

use std::collections::BTreeSet;

use stix_model::{Identifier, Timestamp};

use super::hits::Tally;

/// A sighting on the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownSighting {
    /// Every identifier that it is known by, the platform's own first.
    pub ids: Vec<Identifier>,
    /// What was sighted.
    pub of: Identifier,
    /// Where.
    pub at: Identifier,
    /// Who says so.
    pub author: Option<Identifier>,
    /// When first.
    pub first_seen: Option<Timestamp>,
    /// When last.
    pub last_seen: Option<Timestamp>,
    /// How often.
    pub count: u64,
}

/// What was read from the platform before an enrichment. All of it may be empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Sightings of the entity, its indicators and observables.
    pub sightings: Vec<KnownSighting>,
    /// Objects that exist, by any of their identifiers: they get neither our labels nor our markings. What to ask for is
    /// told by [`Enrichment::shared`](super::Enrichment::shared).
    pub existing: BTreeSet<Identifier>,
}

impl Known {
    /// Our sighting with this identifier, or of this entity at this place.
    pub(crate) fn sighting(
        &self,
        id: &Identifier,
        of: &[Identifier],
        at: &Identifier,
        author: &Identifier,
    ) -> Option<&KnownSighting> {
        let by_id = self.sightings.iter().find(|known| known.ids.contains(id));
        let ours = |known: &&KnownSighting| {
            known.at == *at && of.contains(&known.of) && known.author.as_ref() == Some(author) && !known.ids.is_empty()
        };
        // Of several, the one that was seen last goes on.
        by_id.or_else(|| self.sightings.iter().filter(ours).max_by_key(|known| known.last_seen))
    }
}

impl KnownSighting {
    /// The count to send so that the platform arrives at `now`.
    ///
    /// When a sighting comes in that it knows, the platform takes the earlier `first_seen` and the later `last_seen`. If
    /// one of them changes, it adds the count that came in to the one that it has; if none does, newer versions replace
    /// theirs with it and older ones keep it. So where the time grows only the difference is sent, else the whole.
    /// What was counted once stays counted, even if its alerts were deleted since.
    pub(crate) fn count_to_send(&self, now: Tally) -> u64 {
        let earlier = |time: Timestamp| self.first_seen.is_none_or(|known| time < known);
        let later = |time: Timestamp| self.last_seen.is_none_or(|known| time > known);
        if now.first.is_some_and(earlier) || now.last.is_some_and(later) {
            // The time grew, so there is one at least that was not counted.
            now.count.saturating_sub(self.count).max(1)
        } else {
            now.count.max(self.count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: u8) -> Timestamp {
        format!("2026-03-14T09:26:{second:02}.000Z").parse().unwrap()
    }

    fn tally(first: u8, last: u8, count: u64) -> Tally {
        Tally { count, first: Some(time(first)), last: Some(time(last)) }
    }

    /// What the platform does with a sighting that it knows; `replaces` in newer versions.
    fn merge(known: &mut KnownSighting, tally: Tally, sent: u64, replaces: bool) {
        let first = known.first_seen.into_iter().chain(tally.first).min();
        let last = known.last_seen.into_iter().chain(tally.last).max();
        if (first, last) != (known.first_seen, known.last_seen) {
            known.count += sent;
        } else if replaces {
            known.count = sent;
        }
        (known.first_seen, known.last_seen) = (first, last);
    }

    /// B-40b: counts do not inflate, on older and newer platforms, however often the same is reported.
    #[test]
    fn b_40b_counts_do_not_inflate() {
        for replaces in [false, true] {
            let id = stix_model::sco::Ipv4Addr::new("198.51.100.7").id().clone();
            let mut known = KnownSighting {
                ids: vec![id.clone()],
                of: id.clone(),
                at: id,
                author: None,
                first_seen: Some(time(10)),
                last_seen: Some(time(20)),
                count: 5,
            };
            for (first, last, count) in [(10, 20, 5), (10, 30, 8), (10, 30, 8), (5, 30, 9), (5, 40, 20), (5, 40, 20)] {
                let now = tally(first, last, count);
                let sent = known.count_to_send(now);
                merge(&mut known, now, sent, replaces);
                assert_eq!(known.count, count, "{first} {last}");
            }
            // Alerts that came in late, between first and last: newer platforms count them now, older ones later.
            let now = tally(5, 40, 25);
            let sent = known.count_to_send(now);
            merge(&mut known, now, sent, replaces);
            assert_eq!(known.count, if replaces { 25 } else { 20 });
            // Old alerts were deleted and a new one came in.
            let now = tally(41, 50, 3);
            let (before, sent) = (known.count, known.count_to_send(now));
            merge(&mut known, now, sent, replaces);
            assert_eq!(known.count, before + 1);
        }
    }
}
