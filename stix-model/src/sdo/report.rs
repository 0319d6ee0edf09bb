//! Containers and texts.

use crate::{Identifier, Timestamp};

stix_object! {
    /// Objects with a common context (STIX 2.1, section 4.4).
    SdoCommon Grouping = "grouping" {
        /// Its name.
        name: Option<String>,
        /// What is known about it.
        description: Option<String>,
        /// What they have in common, such as `suspicious-activity`.
        context: String,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A publication (STIX 2.1, section 4.16).
    SdoCommon Report = "report" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of report.
        report_types: Vec<String>,
        /// When it was published.
        published: Timestamp,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A text about other objects (STIX 2.1, section 4.13).
    SdoCommon Note = "note" {
        /// Summary.
        abstract_: Option<String>,
        /// The text.
        content: String,
        /// Who wrote it.
        authors: Vec<String>,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// Whether others are thought to be right (STIX 2.1, section 4.15).
    SdoCommon Opinion = "opinion" {
        /// Why.
        explanation: Option<String>,
        /// Whose opinion it is.
        authors: Vec<String>,
        /// From `strongly-disagree` to `strongly-agree`.
        opinion: String,
        /// What it holds.
        object_refs: Vec<Identifier>,
    }
}

impl Grouping {
    /// Objects with a common context, identified.
    pub fn new(
        name: impl Into<String>,
        context: impl Into<String>,
        object_refs: Vec<Identifier>,
        created: Timestamp,
    ) -> Self {
        let blank = Self::blank(created);
        Self { name: Some(name.into()), context: context.into(), object_refs, ..blank }.identified()
    }
}

impl Report {
    /// A publication, identified.
    pub fn new(
        name: impl Into<String>,
        published: Timestamp,
        object_refs: Vec<Identifier>,
        created: Timestamp,
    ) -> Self {
        Self { name: name.into(), published, object_refs, ..Self::blank(created) }.identified()
    }
}

impl Note {
    /// A text about objects, identified. Set `abstract_` before and call `identified` again if it is to count.
    pub fn new(content: impl Into<String>, object_refs: Vec<Identifier>, created: Timestamp) -> Self {
        Self { content: content.into(), object_refs, ..Self::blank(created) }.identified()
    }
}

impl Opinion {
    /// An opinion about objects, identified.
    pub fn new(opinion: impl Into<String>, object_refs: Vec<Identifier>, created: Timestamp) -> Self {
        Self { opinion: opinion.into(), object_refs, ..Self::blank(created) }.identified()
    }
}
