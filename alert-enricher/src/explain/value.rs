//! The values in an alert, by kind.

use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Field, Holds, Role, Schema};
use wazuh_query::value::read;

use super::difference::difference;
use super::{Different, Outcome};
use crate::indicator::{Candidate, Key, Kind, keys_of_reading};

/// So many values are told for each comparison.
const TOLD: usize = 5;

/// What an alert has to compare with.
pub(super) struct Seen<'a> {
    catalogue: &'a Catalogue,
    schema: Schema,
    include_agents: bool,
    values: Vec<(Key, &'a Field, String)>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(alert: &Alert<'_>, catalogue: &'a Catalogue, include_agents: bool) -> Self {
        let mut values = Vec::new();
        let mut scratch = String::new();
        for leaf in &alert.leaves {
            let field = catalogue.field(leaf.field);
            if field.role == Role::Agent && !include_agents {
                continue;
            }
            let lenient = if field.holds == Holds::Ip { Holds::IpWithPort } else { field.holds };
            read(lenient, &leaf.text, &mut |reading| {
                keys_of_reading(field.holds, &reading, &mut scratch, &mut |candidate, _| {
                    let key = match candidate {
                        Candidate::Address(address) => Key::Network(address.into()),
                        Candidate::Text(kind, text) => Key::Text(kind, text.into()),
                    };
                    values.push((key, field, leaf.text.clone().into_owned()));
                });
            });
        }
        Self { catalogue, schema: alert.schema, include_agents, values }
    }

    /// Why a value that the store did not find is not there.
    pub(super) fn outcome(&self, wanted: &Key) -> Outcome {
        let kind = wanted.kind();
        // A directory is compared with the paths of files, too.
        let compared = |seen: &Key| seen.kind() == kind || kind == Kind::Directory && seen.kind() == Kind::File;
        let mut seen: Vec<Different> = self
            .values
            .iter()
            .filter(|(key, ..)| compared(key))
            .map(|(key, field, text)| Different {
                how: difference(wanted, key),
                field: field.path.to_string(),
                value: text.clone(),
            })
            .collect();
        if !seen.is_empty() {
            seen.sort();
            seen.dedup();
            let more = seen.len().saturating_sub(TOLD);
            seen.truncate(TOLD);
            return Outcome::Differs { seen, more };
        }
        let holds = |field: &Field| {
            Kind::of_field(field.holds) & kind.bit() != 0 && (field.role != Role::Agent || self.include_agents)
        };
        match self.catalogue.select(self.schema, holds).count() {
            0 => Outcome::NoField { schema: self.schema },
            fields => Outcome::Absent { fields },
        }
    }
}
