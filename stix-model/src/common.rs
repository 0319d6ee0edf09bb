//! Common properties and the structures that objects share (STIX 2.1, sections 2 and 3).

use crate::{Extra, Hashes, Identifier, Timestamp};

stix_common! {
    /// Properties of every observable (STIX 2.1, section 3.2). `spec_version` is always written as `2.1`.
    ScoCommon {
        head {}
        tail {
            /// Markings that apply to the whole object.
            object_marking_refs: Vec<Identifier>,
            /// Markings that apply to parts of it.
            granular_markings: Vec<GranularMarking>,
            /// True if the values were made harmless, such as `hxxp://`.
            defanged: Option<bool>,
            /// Extensions by name or by the identifier of their definition.
            extensions: Extra,
        }
    }
}

stix_common! {
    /// Properties of domain objects, relationships and sightings (STIX 2.1, section 3.2). `spec_version` is always
    /// written as `2.1`.
    SdoCommon {
        head {
            /// The identity that created the object.
            created_by_ref: Option<Identifier>,
            /// When it was created.
            created: Timestamp,
            /// When this version was made.
            modified: Timestamp,
        }
        tail {
            /// True if its creator withdrew it.
            revoked: Option<bool>,
            /// Free terms.
            labels: Vec<String>,
            /// Confidence of the creator, 0 to 100.
            confidence: Option<i64>,
            /// Language of the text, as an RFC 5646 tag.
            lang: Option<String>,
            /// Where else it is described.
            external_references: Vec<ExternalReference>,
            /// Markings that apply to the whole object.
            object_marking_refs: Vec<Identifier>,
            /// Markings that apply to parts of it.
            granular_markings: Vec<GranularMarking>,
            /// Extensions by the identifier of their definition.
            extensions: Extra,
        }
    }
}

stix_common! {
    /// Properties of marking definitions (STIX 2.1, section 3.2), which have no versions.
    MarkingCommon {
        head {
            /// The identity that created the object.
            created_by_ref: Option<Identifier>,
            /// When it was created.
            created: Timestamp,
        }
        tail {
            /// Where else it is described.
            external_references: Vec<ExternalReference>,
            /// Markings of the marking.
            object_marking_refs: Vec<Identifier>,
            /// Markings that apply to parts of it.
            granular_markings: Vec<GranularMarking>,
            /// Extensions by the identifier of their definition.
            extensions: Extra,
        }
    }
}

stix_part! {
    /// A description outside STIX (STIX 2.1, section 2.5). OpenCTI adds `x_opencti_files`, which lands in `extra`.
    ExternalReference {
        /// Who describes it, such as `cve` or a vendor.
        source_name: String,
        /// What can be found there.
        description: Option<String>,
        /// Where it can be found.
        url: Option<String>,
        /// Hashes of what the URL leads to.
        hashes: Hashes,
        /// Its name there, such as `CVE-2024-3094`.
        external_id: Option<String>,
    }
}

impl ExternalReference {
    /// A reference to a page.
    pub fn to_url(source_name: impl Into<String>, url: impl Into<String>) -> Self {
        Self { source_name: source_name.into(), url: Some(url.into()), ..Self::default() }
    }

    /// A reference to an entry of a catalogue.
    pub fn to_entry(source_name: impl Into<String>, external_id: impl Into<String>) -> Self {
        Self { source_name: source_name.into(), external_id: Some(external_id.into()), ..Self::default() }
    }
}

stix_part! {
    /// A step of an attack (STIX 2.1, section 2.11).
    KillChainPhase {
        /// The kill chain, such as `mitre-attack`.
        kill_chain_name: String,
        /// The step in it.
        phase_name: String,
    }
}

impl KillChainPhase {
    /// A phase of a kill chain.
    pub fn new(kill_chain_name: impl Into<String>, phase_name: impl Into<String>) -> Self {
        Self { kill_chain_name: kill_chain_name.into(), phase_name: phase_name.into(), ..Self::default() }
    }
}

stix_part! {
    /// A marking of parts of an object (STIX 2.1, section 7.2.3).
    GranularMarking {
        /// Language of the parts.
        lang: Option<String>,
        /// The marking.
        marking_ref: Option<Identifier>,
        /// The parts it applies to.
        selectors: Vec<String>,
    }
}
