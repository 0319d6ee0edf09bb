//! Domain objects (STIX 2.1, section 4) and OpenCTI's own.
//!
//! Constructors take what is required, set `modified` to the creation time, and identify the object by OpenCTI's rules.
//! After changing a property that contributes to the identifier, call `identified` again.

mod actor;
mod case;
mod incident;
mod indicator;
mod malware;
mod observed;
mod opencti;
mod report;
mod technique;

pub use actor::{Campaign, Identity, IntrusionSet, Location, ThreatActor};
pub use case::{CaseIncident, CaseRfi, CaseRft, Feedback, Task};
pub use incident::Incident;
pub use indicator::{Indicator, ObservedData};
pub use malware::{Malware, MalwareAnalysis};
pub use opencti::{Channel, DataComponent, DataSource, Event, Language, Narrative, SecurityCoverage};
pub use report::{Grouping, Note, Opinion, Report};
pub use technique::{AttackPattern, CourseOfAction, Infrastructure, Tool, Vulnerability};

/// A constructor for objects that have nothing required but a name.
macro_rules! named {
    ($($name:ident),+) => {$(
        impl $name {
            /// An object of this name, identified.
            pub fn new(name: impl Into<String>, created: crate::Timestamp) -> Self {
                Self { name: name.into(), ..Self::blank(created) }.identified()
            }
        }
    )+};
}
use named;
