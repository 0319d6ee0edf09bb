//! Detection.

use crate::{Extra, Identifier, KillChainPhase, Timestamp};

stix_object! {
    /// A pattern that detects something (STIX 2.1, section 4.7).
    SdoCommon Indicator = "indicator" {
        /// Its name.
        name: Option<String>,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of indicator.
        indicator_types: Vec<String>,
        /// The pattern.
        pattern: String,
        /// Its language, such as `stix`, `sigma` or `yara`.
        pattern_type: String,
        /// Version of the language.
        pattern_version: Option<String>,
        /// When it becomes valid.
        valid_from: Timestamp,
        /// When it ends to be valid.
        valid_until: Option<Timestamp>,
        /// Phases in which it is used.
        kill_chain_phases: Vec<KillChainPhase>,
    }
}

stix_object! {
    /// What was observed on systems (STIX 2.1, section 4.14).
    SdoCommon ObservedData = "observed-data" {
        /// When the observation began.
        first_observed: Timestamp,
        /// When it ended.
        last_observed: Timestamp,
        /// How often it was observed.
        number_observed: i64,
        /// What it holds.
        object_refs: Vec<Identifier>,
        /// Observables in place, by local name, as STIX 2.0 had them; see [`ObservedData::expand`].
        objects: Extra,
    }
}

impl Indicator {
    /// A pattern in the language `pattern_type` that is valid from `valid_from` on, identified.
    pub fn new(
        pattern: impl Into<String>,
        pattern_type: impl Into<String>,
        valid_from: Timestamp,
        created: Timestamp,
    ) -> Self {
        let blank = Self::blank(created);
        Self { pattern: pattern.into(), pattern_type: pattern_type.into(), valid_from, ..blank }.identified()
    }
}

impl ObservedData {
    /// An observation of objects, identified.
    pub fn new(
        object_refs: Vec<Identifier>,
        first_observed: Timestamp,
        last_observed: Timestamp,
        number_observed: i64,
        created: Timestamp,
    ) -> Self {
        let blank = Self::blank(created);
        Self { first_observed, last_observed, number_observed, object_refs, ..blank }.identified()
    }
}
