//! What a hunt found, as sightings.

use std::collections::BTreeMap;

use stix_model::sdo::Identity;
use stix_model::sro::Sighting;
use stix_model::{Bundle, BundleBuilder, Identifier, Object, Timestamp};

use super::{Report, Row};

/// The system that an agent stands for: one identity per agent, known by the agent's number.
///
/// Alerts without an agent are attributed to the SIEM itself.
pub fn agent_identity(agent_id: &str, agent_name: &str, created: Timestamp) -> Identity {
    let shown = match (agent_name, agent_id) {
        ("", "") => "Wazuh SIEM",
        ("", id) => id,
        (name, _) => name,
    };
    // Names change and repeat; the number does neither. Without a number the name has to do.
    let seed = if agent_id.is_empty() { shown } else { agent_id };
    let mut identity = Identity::new(seed, "system", created);
    shown.clone_into(&mut identity.name);
    identity
}

/// One sighting per indicator and agent, with the agents' identities and the sighted objects.
///
/// `object` finds the indicator or observable itself; what it does not find is referred to only. `created` is the
/// time at which identities and sightings say they were made. The same report gives the same bundle.
pub fn sightings_bundle(report: &Report, mut object: impl FnMut(&Row) -> Option<Object>, created: Timestamp) -> Bundle {
    let mut by_place: BTreeMap<(&Identifier, &str, &str), Vec<&Row>> = BTreeMap::new();
    for row in &report.rows {
        by_place.entry((&row.indicator, &row.agent_id, &row.agent_name)).or_default().push(row);
    }
    let mut builder = BundleBuilder::new();
    for ((indicator, agent_id, agent_name), rows) in by_place {
        let identity = agent_identity(agent_id, agent_name, created);
        let place = identity.id().clone();
        builder.push(identity);
        if let Some(object) = rows.first().and_then(|row| object(row)) {
            builder.push(object);
        }
        // The identifier leaves the times out: a later hunt finds more of the same sighting, not another one.
        let mut sighting = Sighting::new(indicator.clone(), vec![place], created);
        sighting.first_seen = rows.iter().filter_map(|row| row.first_seen).min();
        sighting.last_seen = rows.iter().filter_map(|row| row.last_seen).max();
        let count: u64 = rows.iter().map(|row| row.count).sum();
        sighting.count = i64::try_from(count).ok();
        let mut rules: Vec<String> = rows
            .iter()
            .map(|row| {
                format!("{} (level {}): {}", row.rule_id, row.rule_level.unwrap_or_default(), row.rule_description)
            })
            .collect();
        rules.sort_unstable();
        rules.dedup();
        sighting.description = Some(format!("Seen by {}", escape_markdown(&rules.join("; "))));
        builder.push(sighting);
    }
    builder.build()
}

/// Descriptions are shown as Markdown.
fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&') {
            out.push('\\');
        }
        out.push(if char.is_control() { ' ' } else { char });
    }
    out
}
