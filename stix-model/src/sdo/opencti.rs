//! Further types of OpenCTI.

use super::named;
use crate::{Identifier, KillChainPhase, Timestamp};

stix_object! {
    /// A way to spread information. A type of OpenCTI.
    SdoCommon Channel = "channel" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of channel.
        channel_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
    }
}

stix_object! {
    /// Something that happened in the world. A type of OpenCTI.
    SdoCommon Event = "event" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of event.
        event_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
        /// When it began.
        start_time: Option<Timestamp>,
        /// When it ended.
        stop_time: Option<Timestamp>,
        /// Phases in which it is used.
        kill_chain_phases: Vec<KillChainPhase>,
    }
}

stix_object! {
    /// A story that is spread. A type of OpenCTI.
    SdoCommon Narrative = "narrative" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of narrative.
        narrative_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
    }
}

stix_object! {
    /// A language that people speak. A type of OpenCTI.
    SdoCommon Language = "language" {
        /// Its name.
        name: String,
        /// Other names.
        aliases: Vec<String>,
    }
}

stix_object! {
    /// Where data for detection comes from. A type of OpenCTI.
    SdoCommon DataSource = "data-source" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// Platforms.
        x_mitre_platforms: Vec<String>,
        /// Layers at which it is collected.
        collection_layers: Vec<String>,
    }
}

stix_object! {
    /// A part of a data source. A type of OpenCTI.
    SdoCommon DataComponent = "data-component" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// The data source it is part of.
        data_source_ref: Option<Identifier>,
    }
}

stix_object! {
    /// How well something is covered by the defences. A type of OpenCTI.
    SdoCommon SecurityCoverage = "security-coverage" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// What is covered.
        covered_ref: Option<Identifier>,
    }
}

named!(Channel, Event, Narrative, Language, DataSource, DataComponent);

impl SecurityCoverage {
    /// The coverage of an object, identified.
    pub fn new(name: impl Into<String>, covered_ref: Identifier, created: Timestamp) -> Self {
        Self { name: name.into(), covered_ref: Some(covered_ref), ..Self::blank(created) }.identified()
    }
}
