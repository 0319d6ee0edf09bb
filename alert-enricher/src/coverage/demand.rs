//! What a set of indicators asks for.

use std::collections::{BTreeMap, BTreeSet};

use stix_model::pattern::{ObjectPath, Pattern};

use crate::indicator::{Kind, SkipReason, Skipped};
use crate::store::{Damaged, Handle, Snapshot};

/// What a set of indicators asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Indicators that are found by plain values, by the kind of the value. An indicator with values of several kinds
    /// counts for each.
    pub kinds: BTreeMap<Kind, u64>,
    /// Properties that patterns compare, as they are written (`process:command_line`), with the number of patterns and
    /// the fields that hold such a property.
    pub properties: BTreeMap<String, (u64, Vec<String>)>,
    /// Indicators that cannot be searched at all, by reason.
    pub unsearchable: BTreeMap<String, u64>,
    /// How many indicators there are, searchable or not.
    pub indicators: u64,
}

impl Demand {
    /// What the indicators of a store ask for, and those that did not get into it. `fields` names the fields that hold
    /// a property.
    pub fn of(
        snapshot: &Snapshot,
        skipped: &[Skipped],
        fields: impl Fn(&ObjectPath) -> Vec<String>,
    ) -> Result<Self, Damaged> {
        let mut demand = Self { indicators: snapshot.len() as u64, ..Self::default() };
        let mut asked: BTreeSet<(Handle, Kind)> = BTreeSet::new();
        for key in snapshot.keys() {
            let (handle, key) = key?;
            if asked.insert((handle, key.kind())) {
                *demand.kinds.entry(key.kind()).or_default() += 1;
            }
        }
        for indicator in snapshot.indicators() {
            let Some(pattern) = indicator?.pattern else { continue };
            demand.pattern(&pattern, &fields);
        }
        for skipped in skipped {
            // Several values of one indicator may be left out; only a whole indicator is out of sight.
            if let Some(reason) = reason(&skipped.why) {
                *demand.unsearchable.entry(reason).or_default() += 1;
                demand.indicators += 1;
            }
        }
        Ok(demand)
    }

    fn pattern(&mut self, pattern: &str, fields: &impl Fn(&ObjectPath) -> Vec<String>) {
        let Ok(pattern) = Pattern::read(pattern) else { return };
        let mut paths: BTreeMap<String, &ObjectPath> = BTreeMap::new();
        for test in pattern.tests() {
            paths.insert(test.path.to_string(), &test.path);
        }
        for (written, path) in paths {
            let entry = self.properties.entry(written).or_insert_with(|| (0, fields(path)));
            entry.0 += 1;
        }
    }
}

/// Why an indicator is out of sight, in words that many have in common. `None` if it is in sight all the same.
fn reason(why: &SkipReason) -> Option<String> {
    Some(match why {
        SkipReason::PatternType(_) | SkipReason::NoField => why.to_string(),
        // The newer version is counted.
        SkipReason::Superseded => return None,
        other => other.name().to_owned(),
    })
}
