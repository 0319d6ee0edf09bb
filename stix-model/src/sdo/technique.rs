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

impl AttackPattern {
    /// A technique by its number in MITRE ATT&CK, identified.
    pub fn technique(x_mitre_id: impl Into<String>, name: impl Into<String>, created: Timestamp) -> Self {
        let x_mitre_id = x_mitre_id.into();
        let number = x_mitre_id.trim();
        if number.is_empty() {
            return Self { x_mitre_id: Some(x_mitre_id), ..Self::new(name, created) }.identified();
        }
        // What `identified` computes, on a shorter way.
        let id = crate::id::of_string(Self::TYPE, "x_mitre_id", &number.to_lowercase());
        let mut pattern = Self { name: name.into(), x_mitre_id: Some(x_mitre_id), ..Self::blank(created) };
        pattern.common.id = id;
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_identified() {
        for number in ["T1566.001", " t1566 ", "", "  "] {
            let pattern = AttackPattern::technique(number, "Spearphishing Attachment", Timestamp::UNIX_EPOCH);
            assert_eq!(pattern.clone().identified(), pattern, "{number:?}");
        }
    }
}
