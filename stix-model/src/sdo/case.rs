//! OpenCTI's cases.

use super::named;
use crate::{Identifier, Timestamp};

stix_object! {
    /// A case of incident response. A type of OpenCTI.
    SdoCommon CaseIncident = "case-incident" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// `low`, `medium`, `high` or `critical`. Validators refuse it; see [`Object::strict`](crate::Object::strict).
        severity: Option<String>,
        /// `P1` to `P4`.
        priority: Option<String>,
        /// Kinds of response, such as `ransomware`.
        response_types: Vec<String>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A request for information. A type of OpenCTI.
    SdoCommon CaseRfi = "case-rfi" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// `low`, `medium`, `high` or `critical`. Validators refuse it; see [`Object::strict`](crate::Object::strict).
        severity: Option<String>,
        /// `P1` to `P4`.
        priority: Option<String>,
        /// Kinds of information.
        information_types: Vec<String>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A request for takedown. A type of OpenCTI.
    SdoCommon CaseRft = "case-rft" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// `low`, `medium`, `high` or `critical`. Validators refuse it; see [`Object::strict`](crate::Object::strict).
        severity: Option<String>,
        /// `P1` to `P4`.
        priority: Option<String>,
        /// Kinds of takedown.
        takedown_types: Vec<String>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// Something to do in a case. A type of OpenCTI.
    SdoCommon Task = "task" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// When it must be done.
        due_date: Option<Timestamp>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// What analysts think of other objects. A type of OpenCTI.
    SdoCommon Feedback = "feedback" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// From 1 to 5.
        rating: Option<i64>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

named!(CaseIncident, CaseRfi, CaseRft, Task, Feedback);
