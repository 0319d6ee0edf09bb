//! Relationships and sightings (STIX 2.1, section 5).

use crate::{Identifier, Timestamp};

stix_object! {
    /// A link between two objects (STIX 2.1, section 5.1).
    SdoCommon Relationship = "relationship" {
        /// What it says, such as `indicates` or `related-to`.
        relationship_type: String,
        /// What is known about it.
        description: Option<String>,
        /// Where it starts.
        source_ref: Identifier,
        /// Where it leads.
        target_ref: Identifier,
        /// When it began to hold.
        start_time: Option<Timestamp>,
        /// When it ended to hold.
        stop_time: Option<Timestamp>,
    }
}

impl Relationship {
    /// A link between two objects, identified.
    pub fn new(
        relationship_type: impl Into<String>,
        source_ref: Identifier,
        target_ref: Identifier,
        created: Timestamp,
    ) -> Self {
        let relationship_type = relationship_type.into();
        // What `identified` computes, without a detour: bundles have more relationships than anything else.
        let mut canonical = Vec::with_capacity(256);
        canonical.extend_from_slice(b"{\"relationship_type\":");
        crate::id::canonical::write_string(&relationship_type, &mut canonical);
        canonical.extend_from_slice(b",\"source_ref\":");
        source_ref.write_json(&mut canonical);
        canonical.extend_from_slice(b",\"target_ref\":");
        target_ref.write_json(&mut canonical);
        canonical.push(b'}');
        let id = Identifier::from_static(Self::TYPE, crate::id::of_canonical(&canonical));
        let mut link = Self { relationship_type, source_ref, target_ref, ..Self::blank(created) };
        link.common.id = id;
        link
    }
}

stix_object! {
    /// The belief that something was seen (STIX 2.1, section 5.2).
    SdoCommon Sighting = "sighting" {
        /// What is known about it.
        description: Option<String>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
        /// How often it was seen.
        count: Option<i64>,
        /// What was seen. STIX wants a domain object here; OpenCTI takes observables, too.
        sighting_of_ref: Identifier,
        /// The raw data.
        observed_data_refs: Vec<Identifier>,
        /// Who saw it, or where.
        where_sighted_refs: Vec<Identifier>,
        /// True for a summary of several sightings.
        summary: Option<bool>,
    }
}

impl Sighting {
    /// The sighting of an object at identities or locations, identified. The times contribute to the identifier: set
    /// them and call `identified` again, or use [`Sighting::between`].
    pub fn new(sighting_of_ref: Identifier, where_sighted_refs: Vec<Identifier>, created: Timestamp) -> Self {
        Self { sighting_of_ref, where_sighted_refs, ..Self::blank(created) }.identified()
    }

    /// A sighting with its first and last time, identified.
    pub fn between(
        sighting_of_ref: Identifier,
        where_sighted_refs: Vec<Identifier>,
        first_seen: Timestamp,
        last_seen: Timestamp,
        created: Timestamp,
    ) -> Self {
        let sighting = Self { sighting_of_ref, where_sighted_refs, ..Self::blank(created) };
        Self { first_seen: Some(first_seen), last_seen: Some(last_seen), ..sighting }.identified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sco::Ipv4Addr;

    #[test]
    fn new_relationships_are_identified() {
        let [source, target] = ["198.51.100.3", "198.51.100.4"].map(|text| Ipv4Addr::new(text).id().clone());
        let link = Relationship::new("related \"to\"", source, target, Timestamp::UNIX_EPOCH);
        assert_eq!(link.clone().identified(), link);
    }
}
