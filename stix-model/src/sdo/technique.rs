//! How attacks are made, and prevented.

use super::named;
use crate::{KillChainPhase, Timestamp};

stix_object! {
    /// A way to attack (STIX 2.1, section 4.1).
    SdoCommon AttackPattern = "attack-pattern" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// Phases in which it is used.
        kill_chain_phases: Vec<KillChainPhase>,
        /// Its number in MITRE ATT&CK, such as `T1566.001`; what OpenCTI identifies it by.
        x_mitre_id: Option<String>,
    }
}

stix_object! {
    /// A way to prevent or respond (STIX 2.1, section 4.3).
    SdoCommon CourseOfAction = "course-of-action" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Its number in MITRE ATT&CK, such as `M1037`; what OpenCTI identifies it by.
        x_mitre_id: Option<String>,
    }
}

stix_object! {
    /// Legitimate software that attackers use (STIX 2.1, section 4.18).
    SdoCommon Tool = "tool" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of tool.
        tool_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
        /// Phases in which it is used.
        kill_chain_phases: Vec<KillChainPhase>,
        /// Its version.
        tool_version: Option<String>,
    }
}

stix_object! {
    /// A weakness (STIX 2.1, section 4.19).
    SdoCommon Vulnerability = "vulnerability" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
    }
}

stix_object! {
    /// Systems used by attackers or defenders (STIX 2.1, section 4.8).
    SdoCommon Infrastructure = "infrastructure" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of infrastructure.
        infrastructure_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
        /// Phases in which it is used.
        kill_chain_phases: Vec<KillChainPhase>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
    }
}

named!(AttackPattern, CourseOfAction, Tool, Vulnerability, Infrastructure);
