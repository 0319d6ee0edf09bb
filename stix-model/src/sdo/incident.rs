//! Incidents.

use super::named;
use crate::Timestamp;

stix_object! {
    /// An incident (STIX 2.1, section 4.6, is a stub; the properties are those of OpenCTI).
    SdoCommon Incident = "incident" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// Kind of incident, such as `alert`.
        incident_type: Option<String>,
        /// `low`, `medium`, `high` or `critical`. Validators refuse it; see [`Object::strict`](crate::Object::strict).
        severity: Option<String>,
        /// Where it was noticed.
        source: Option<String>,
        /// Aim of the attacker.
        objective: Option<String>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
    }
}

named!(Incident);
