//! What everything that is made has in common: author, markings, confidence, labels.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use stix_model::common::SdoCommon;
use stix_model::id::named;
use stix_model::{Identifier, Object, Timestamp, Uuid};

use super::options::EnrichmentOptions;

/// The namespace of identifiers that are not the platform's own: those of incidents, cases and notes, which stay the same
/// while names, times and texts change. The `UUIDv5` of `wazuh-enrichment` in the namespace of STIX.
const NAMESPACE: Uuid = Uuid::from_u128(0x8fe3_2efb_33b3_5a2d_bcd5_8ae0_94fd_571e);

/// An identifier that depends on `parts` only.
pub(crate) fn stable_id(object_type: &str, parts: &[&str]) -> Option<Identifier> {
    let name = serde_json::to_vec(parts).unwrap_or_default();
    Identifier::new(object_type, named(&NAMESPACE, &name)).ok()
}

/// Puts on objects what everything has in common.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    author: Identifier,
    markings: Vec<Identifier>,
    confidence: i64,
    labels: Vec<String>,
    /// Author and labels as JSON: they are written on every observable.
    written: Option<(Arc<RawValue>, Option<Arc<RawValue>>)>,
}

/// Confidence in what an alert says about things that others describe better: techniques, tools, vulnerabilities. The
/// platform then keeps what it knows.
const HEARSAY: i64 = 1;

impl Stamp {
    pub(crate) fn new(options: &EnrichmentOptions) -> Self {
        let author = options.author().id().clone();
        let labels: Vec<String> = options.enrich_labels.iter().cloned().collect();
        let written = to_raw_value(&author).ok().map(|author| {
            let labels = to_raw_value(&labels).ok().filter(|_| !labels.is_empty());
            (author.into(), labels.map(Arc::from))
        });
        Self {
            author,
            markings: options.tlps.iter().cloned().collect(),
            confidence: i64::from(options.confidence.min(100)),
            labels,
            written,
        }
    }

    /// Who makes everything.
    pub(crate) fn author_id(&self) -> &Identifier {
        &self.author
    }

    /// A domain object, relationship or sighting of our own.
    pub(crate) fn domain(&self, common: &mut SdoCommon) {
        common.created_by_ref = Some(self.author.clone());
        common.object_marking_refs.clone_from(&self.markings);
        common.confidence = Some(self.confidence);
    }

    /// The author itself: nobody created it.
    pub(crate) fn author(&self, common: &mut SdoCommon) {
        common.object_marking_refs.clone_from(&self.markings);
        common.confidence = Some(self.confidence);
    }

    /// An object that was made of an alert. Labels are put on observables and vulnerabilities only.
    pub(crate) fn extracted(&self, object: &mut Object) {
        match object {
            Object::Relationship(link) => self.domain(&mut link.common),
            Object::AttackPattern(pattern) => self.hearsay(&mut pattern.common),
            Object::Tool(tool) => self.hearsay(&mut tool.common),
            Object::Vulnerability(vulnerability) => {
                self.hearsay(&mut vulnerability.common);
                vulnerability.common.labels.clone_from(&self.labels);
            }
            observable => {
                if let Some(markings) = observable.object_marking_refs_mut() {
                    markings.clone_from(&self.markings);
                }
                if let (Some(extra), Some((author, labels))) = (observable.extra_mut(), &self.written) {
                    extra.set_shared("x_opencti_created_by_ref", author);
                    if let Some(labels) = labels {
                        extra.set_shared("x_opencti_labels", labels);
                    }
                }
            }
        }
    }

    fn hearsay(&self, common: &mut SdoCommon) {
        self.domain(common);
        common.confidence = Some(self.confidence.min(HEARSAY));
    }
}

/// Whether an object describes something that others may have described before: an observable, a technique, a tool, a
/// vulnerability.
pub(crate) fn is_shared(object: &Object) -> bool {
    matches!(object, Object::AttackPattern(_) | Object::Tool(_) | Object::Vulnerability(_)) || object.is_observable()
}

/// Takes author, markings and labels off an object that the platform knows already: they would be added to it.
pub(crate) fn unstamp(object: &mut Object) {
    let plain = |common: &mut SdoCommon| {
        common.created_by_ref = None;
        common.labels.clear();
        common.object_marking_refs.clear();
        common.confidence = Some(0);
    };
    match object {
        Object::AttackPattern(pattern) => plain(&mut pattern.common),
        Object::Tool(tool) => plain(&mut tool.common),
        Object::Vulnerability(vulnerability) => plain(&mut vulnerability.common),
        observable => {
            if let Some(markings) = observable.object_marking_refs_mut() {
                markings.clear();
            }
            if let Some(extra) = observable.extra_mut() {
                for name in ["x_opencti_created_by_ref", "x_opencti_labels"] {
                    extra.remove(name);
                }
            }
        }
    }
}

/// Shares an object with organisations, beside those that it is shared with already.
pub(crate) fn share(object: &mut Object, organisations: &BTreeSet<Identifier>) {
    if organisations.is_empty() || matches!(object, Object::MarkingDefinition(_)) {
        return;
    }
    if let Some(extra) = object.extra_mut() {
        let known: BTreeSet<Identifier> = extra.get_as("x_opencti_granted_refs").unwrap_or_default();
        let all: BTreeSet<&Identifier> = known.union(organisations).collect();
        extra.set("x_opencti_granted_refs", all);
    }
}

/// The later of two times, for `modified`.
pub(crate) fn not_before(created: Timestamp, modified: Option<Timestamp>) -> Timestamp {
    modified.map_or(created, |modified| modified.max(created))
}

#[cfg(test)]
mod tests {
    use stix_model::Tlp;
    use stix_model::sco::{Hostname, Ipv4Addr};
    use stix_model::sdo::AttackPattern;

    use super::*;

    #[test]
    fn stable_identifiers_depend_on_all_parts_and_their_borders() {
        let id = |parts: &[&str]| stable_id("incident", parts).unwrap();
        assert_eq!(id(&["a", "b"]), id(&["a", "b"]));
        assert_ne!(id(&["a", "b"]), id(&["ab"]));
        assert_ne!(id(&["a", "b"]), id(&["a,b"]));
        assert_eq!(id(&["a"]).uuid().get_version_num(), 5);
    }

    #[test]
    fn a_stamp_can_be_taken_off_again() {
        let stamp = Stamp::new(&EnrichmentOptions::new(Tlp::Amber, "https://h"));
        let objects: [Object; 3] = [
            Ipv4Addr::new("198.51.100.7").into(),
            Hostname::new("web01").into(),
            AttackPattern::new("Brute Force", Timestamp::UNIX_EPOCH).into(),
        ];
        for object in objects {
            let mut stamped = object.clone();
            stamp.extracted(&mut stamped);
            assert_eq!(stamped.object_marking_refs(), [Tlp::AmberStrict.identifier()]);
            assert!(stamped.opencti().created_by_ref().is_some());
            assert_eq!(stamped.opencti().labels().is_empty(), matches!(stamped, Object::AttackPattern(_)));
            unstamp(&mut stamped);
            assert!(stamped.object_marking_refs().is_empty() && stamped.opencti().created_by_ref().is_none());
            assert_eq!(stamped.id(), object.id());
        }
    }

    #[test]
    fn sharing_adds_up() {
        let organisation =
            |name| stix_model::sdo::Identity::new(name, "organization", Timestamp::UNIX_EPOCH).id().clone();
        let mut object: Object = Ipv4Addr::new("198.51.100.7").into();
        share(&mut object, &[organisation("a")].into());
        share(&mut object, &[organisation("b"), organisation("a")].into());
        let granted: Vec<Identifier> = object.opencti().get_as("granted_refs").unwrap();
        assert_eq!(granted.len(), 2);
    }
}
