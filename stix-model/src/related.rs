//! What belongs to a report, a threat actor, a piece of malware or a campaign.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{Identifier, Object};

/// Collects how objects hang together, and answers which of them belong to some of them.
///
/// - Of a **container** (report, grouping, case, …): what it refers to, containers in it included, and what the indicators
///   among that are based on.
/// - Of an **actor, malware, campaign, tool or infrastructure**: what indicates it, what is attributed to it, what it uses
///   or consists of, and the same of these. What it shares with others, such as techniques, places and victims, leads no
///   further: an actor does not own the indicators of everybody who sends mails.
/// - Of anything else: itself, and what it is based on.
///
/// ```
/// use stix_model::related::Relations;
/// use stix_model::{Identifier, Object};
///
/// let mut relations = Relations::default();
/// for json in [
///     r#"{"type":"malware","spec_version":"2.1","id":"malware--31b940d4-6f7f-459a-80ea-9c1f17b58abc","is_family":true,"name":"Nimbus","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"}"#,
///     r#"{"type":"relationship","spec_version":"2.1","id":"relationship--44298a74-ba52-4f0c-87a3-1824e67d7fad","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","relationship_type":"indicates","source_ref":"indicator--8752eb5f-8b58-419e-8f40-108705ece2be","target_ref":"malware--31b940d4-6f7f-459a-80ea-9c1f17b58abc"}"#,
/// ] {
///     relations.add(&Object::from_json(json)?);
/// }
/// let indicator: Identifier = "indicator--8752eb5f-8b58-419e-8f40-108705ece2be".parse().unwrap();
/// assert!(relations.of(&["nimbus"]).unwrap().contains(&indicator));
/// assert_eq!(relations.of(&["Cirrus"]).unwrap_err().to_string(), "no object has the identifier or name `Cirrus`");
/// # Ok::<(), stix_model::ObjectError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Relations {
    /// Objects by identifier, name and alias, in lower case.
    names: HashMap<String, HashSet<Identifier>>,
    /// What containers refer to.
    contents: HashMap<Identifier, Vec<Identifier>>,
    outgoing: HashMap<Identifier, Vec<(Lead, Identifier)>>,
    incoming: HashMap<Identifier, Vec<(Lead, Identifier)>>,
}

/// Nothing is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no object has the identifier or name `{0}`")]
pub struct UnknownObject(pub String);

/// Which way a relationship leads to what belongs to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// From the source to the target: what is used belongs to who uses it.
    ToTarget,
    /// From the target to the source: what indicates a thing belongs to it.
    ToSource,
    /// Observables and indicators that are based on them belong together.
    Both,
}

impl Lead {
    /// STIX 2.1, appendix B, and what `OpenCTI` has beside it. What is not here leads nowhere.
    fn of(relationship_type: &str) -> Option<Self> {
        Some(match relationship_type {
            "uses" | "controls" | "owns" | "hosts" | "delivers" | "drops" | "downloads" | "exfiltrates-to"
            | "communicates-with" | "beacons-to" | "consists-of" | "authored-by" | "cooperates-with" => Self::ToTarget,
            "indicates" | "attributed-to" | "variant-of" | "part-of" | "derived-from" | "impersonates"
            | "sample-of" => Self::ToSource,
            "based-on" | "related-to" | "duplicate-of" | "resolves-to" => Self::Both,
            _ => return None,
        })
    }
}

/// Types that many share: what leads to them does not lead on.
fn is_shared(object_type: &str) -> bool {
    matches!(
        object_type,
        "attack-pattern" | "course-of-action" | "identity" | "location" | "marking-definition" | "vulnerability"
    )
}

impl Relations {
    /// Takes an object: a relationship, a container, or anything that has a name.
    pub fn add(&mut self, object: &Object) {
        let id = object.id();
        if let Object::Relationship(relationship) = object {
            let Some(lead) = Lead::of(&relationship.relationship_type) else { return };
            let (source, target) = (&relationship.source_ref, &relationship.target_ref);
            self.outgoing.entry(source.clone()).or_default().push((lead, target.clone()));
            self.incoming.entry(target.clone()).or_default().push((lead, source.clone()));
            return;
        }
        let mut name = |name: &str| {
            let ids = self.names.entry(name.trim().to_lowercase()).or_default();
            ids.insert(id.clone());
        };
        name(&id.to_string());
        // Names stand in different places of different types.
        let Ok(Value::Object(json)) = serde_json::to_value(object) else { return };
        if let Some(text) = json.get("name").and_then(Value::as_str) {
            name(text);
        }
        for list in ["aliases", "x_opencti_aliases"] {
            for alias in json.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                name(alias);
            }
        }
        if object.object_type() != "observed-data"
            && let Some(Value::Array(refs)) = json.get("object_refs")
        {
            let refs = refs.iter().filter_map(|id| id.as_str()?.parse().ok());
            self.contents.entry(id.clone()).or_default().extend(refs);
        }
    }

    /// Everything that belongs to the objects with these identifiers, names or aliases, and these themselves. Takes time
    /// proportional to what belongs to them.
    pub fn of<T: AsRef<str>>(&self, wanted: &[T]) -> Result<HashSet<Identifier>, UnknownObject> {
        let mut found: HashMap<Identifier, bool> = HashMap::new();
        // Each with whether it leads on: contents of a container do so no further than to what they are based on.
        let mut open = Vec::new();
        for text in wanted.iter().map(AsRef::as_ref) {
            let ids = self.names.get(&text.trim().to_lowercase());
            let ids = ids.ok_or_else(|| UnknownObject(text.to_owned()))?;
            open.extend(ids.iter().map(|id| (id.clone(), true)));
        }
        while let Some((id, leads_on)) = open.pop() {
            match found.insert(id.clone(), leads_on) {
                // What was found as a mere content may be asked for by itself, too.
                Some(true) => {
                    found.insert(id, true);
                    continue;
                }
                Some(false) if !leads_on => continue,
                _ => {}
            }
            if let Some(contents) = self.contents.get(&id) {
                open.extend(contents.iter().map(|id| (id.clone(), false)));
                continue;
            }
            if is_shared(id.object_type()) && !wanted.iter().any(|text| self.is(text.as_ref(), &id)) {
                continue;
            }
            let is_end = id.object_type() == "indicator" || !leads_on;
            let outgoing = self.outgoing.get(&id).into_iter().flatten();
            let incoming = self.incoming.get(&id).into_iter().flatten();
            let to_target = outgoing.filter(|(lead, _)| *lead == Lead::Both || *lead == Lead::ToTarget && !is_end);
            // An indicator is based on an observable, which other indicators may be based on, too.
            let to_source = incoming.filter(|(lead, _)| *lead != Lead::ToTarget && !is_end);
            open.extend(to_target.chain(to_source).map(|(_, other)| {
                let goes_on = leads_on && !is_end && !is_shared(other.object_type());
                (other.clone(), goes_on)
            }));
        }
        Ok(found.into_keys().collect())
    }

    fn is(&self, text: &str, id: &Identifier) -> bool {
        self.names.get(&text.trim().to_lowercase()).is_some_and(|ids| ids.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(object_type: &str, number: u8) -> String {
        format!("{object_type}--8752eb5f-8b58-419e-8f40-1087{number:08}")
    }

    fn relations() -> Relations {
        let times =
            json!({"spec_version": "2.1", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"});
        let mut relations = Relations::default();
        let mut add = |mut object: Value| {
            object.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
            relations.add(&serde_json::from_value(object).unwrap());
        };
        for (number, name) in [(1, "Foul Fox"), (2, "Mild Mole")] {
            add(
                json!({"type": "intrusion-set", "id": id("intrusion-set", number), "name": name, "aliases": [format!("APT-{number}")]}),
            );
        }
        add(json!({"type": "malware", "id": id("malware", 1), "name": "Nimbus", "is_family": true}));
        add(json!({"type": "attack-pattern", "id": id("attack-pattern", 1), "name": "Phishing"}));
        add(json!({"type": "report", "id": id("report", 1), "name": "Weekly", "published": "2026-01-01T00:00:00Z",
            "object_refs": [id("indicator", 5), id("intrusion-set", 1)]}));
        let ties = [
            (id("intrusion-set", 1), "uses", id("malware", 1)),
            (id("intrusion-set", 2), "uses", id("malware", 1)),
            (id("intrusion-set", 1), "uses", id("attack-pattern", 1)),
            (id("intrusion-set", 2), "uses", id("attack-pattern", 1)),
            (id("indicator", 1), "indicates", id("malware", 1)),
            (id("indicator", 2), "indicates", id("intrusion-set", 1)),
            (id("indicator", 3), "indicates", id("intrusion-set", 2)),
            (id("indicator", 4), "indicates", id("attack-pattern", 1)),
            (id("campaign", 1), "attributed-to", id("intrusion-set", 1)),
            (id("indicator", 6), "indicates", id("campaign", 1)),
            (id("indicator", 5), "based-on", id("ipv4-addr", 1)),
            (id("indicator", 7), "based-on", id("ipv4-addr", 1)),
        ];
        for (number, (source, relationship_type, target)) in (1..).zip(ties) {
            add(
                json!({"type": "relationship", "id": id("relationship", number), "relationship_type": relationship_type,
                "source_ref": source, "target_ref": target}),
            );
        }
        relations
    }

    fn indicators(wanted: &str) -> Vec<String> {
        let found = relations().of(&[wanted]).unwrap();
        let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
        found.retain(|id| id.starts_with("indicator"));
        found.sort();
        found
    }

    #[test]
    fn an_actor_has_its_malware_and_campaigns_but_not_what_others_have() {
        let wanted = [1, 2, 6].map(|number| id("indicator", number));
        assert_eq!(indicators("Foul Fox"), wanted);
        assert_eq!(indicators("apt-1"), wanted);
        assert_eq!(indicators(&id("intrusion-set", 1)), wanted);
        assert_eq!(indicators("mild mole"), [1, 3].map(|number| id("indicator", number)));
        assert_eq!(indicators("Nimbus"), [id("indicator", 1)]);
    }

    #[test]
    fn what_many_share_is_followed_only_if_asked_for() {
        assert_eq!(indicators("Phishing"), [id("indicator", 4)]);
    }

    #[test]
    fn a_report_has_what_it_refers_to() {
        assert_eq!(indicators("weekly"), [id("indicator", 5)]);
        let found = relations().of(&["Weekly"]).unwrap();
        assert!(found.contains(&id("ipv4-addr", 1).parse().unwrap()), "what its indicators are based on");
        let one_way = relations().of(&["Weekly", "Foul Fox"]).unwrap();
        assert_eq!(one_way, relations().of(&["Foul Fox", "Weekly"]).unwrap());
        assert!(one_way.contains(&id("indicator", 1).parse().unwrap()));
    }

    #[test]
    fn a_name_may_belong_to_very_many() {
        let mut relations = Relations::default();
        let indicator = |number: u32| {
            let mut indicator = crate::sdo::Indicator::new(
                "[ipv4-addr:value = '203.0.113.7']",
                "stix",
                crate::Timestamp::UNIX_EPOCH,
                crate::Timestamp::UNIX_EPOCH,
            );
            indicator.common.id = format!("indicator--8752eb5f-8b58-419e-8f40-1087{number:08}").parse().unwrap();
            indicator.name = Some("Scanner".to_owned());
            Object::from(indicator)
        };
        // Each compared with all before it would be thousands of millions of comparisons.
        for number in 0..100_000 {
            relations.add(&indicator(number));
        }
        relations.add(&indicator(1));
        assert_eq!(relations.of(&["scanner"]).unwrap().len(), 100_000);
    }

    #[test]
    fn what_is_unknown_is_named() {
        assert_eq!(relations().of(&["Foul Fox", "Nobody"]), Err(UnknownObject("Nobody".to_owned())));
    }
}
