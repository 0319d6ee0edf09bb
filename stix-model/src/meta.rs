//! Language contents and extension definitions (STIX 2.1, section 7).

use crate::{Extra, Identifier, Timestamp};

stix_object! {
    /// Translations of another object (STIX 2.1, section 7.1).
    SdoCommon LanguageContent = "language-content" {
        /// The object that is translated.
        object_ref: Identifier,
        /// The version of it that is translated.
        object_modified: Option<Timestamp>,
        /// Translated properties by language.
        contents: Extra,
    }
}

stix_object! {
    /// What an extension is (STIX 2.1, section 7.3).
    SdoCommon ExtensionDefinition = "extension-definition" {
        /// Its name.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// Where the schema is found, or the schema.
        schema: String,
        /// Its version.
        version: String,
        /// What it adds: `new-sdo`, `new-sco`, `new-sro`, `property-extension` or `toplevel-property-extension`.
        extension_types: Vec<String>,
        /// Properties it adds at the top level.
        extension_properties: Vec<String>,
    }
}

impl LanguageContent {
    /// Translations of an object, by language tag and property. The identifier is computed over all of it.
    pub fn new(object_ref: Identifier, contents: Extra, created: Timestamp) -> Self {
        Self { object_ref, contents, ..Self::blank(created) }.identified()
    }
}

impl ExtensionDefinition {
    /// The definition of an extension by its author, who is required here. The identifier is computed over all of it.
    pub fn new(
        name: impl Into<String>,
        schema: impl Into<String>,
        version: impl Into<String>,
        extension_types: Vec<String>,
        created_by_ref: Identifier,
        created: Timestamp,
    ) -> Self {
        let blank = Self::blank(created);
        let mut definition =
            Self { name: name.into(), schema: schema.into(), version: version.into(), extension_types, ..blank };
        definition.common.created_by_ref = Some(created_by_ref);
        definition.identified()
    }
}
