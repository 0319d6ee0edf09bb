//! Fields that a site adds in a file of its own.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Field, Holds, IndexType, Join, Role, Schema, Tells, Uses};

/// The file with which a site adds the fields of its own decoders.
///
/// The types implement `Deserialize`, so any format does; the programs read YAML and JSON.
///
/// ```
/// use wazuh_query::catalogue::{Catalogue, CatalogueFile, Schema};
///
/// let file: CatalogueFile = serde_json::from_str(
///     r#"{"fields": [{"path": "data.acme.peer", "holds": "ip", "role": "destination", "group": "acme"}]}"#,
/// )?;
/// let mut catalogue = Catalogue::builtin();
/// catalogue.extend(file)?;
/// assert!(catalogue.find(Schema::Wazuh4, "data.acme.peer").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// The fields to add, or to replace where the catalogue knows the path already.
    pub fields: Vec<UserField>,
}

/// One field of a [`CatalogueFile`]; the members mean what those of [`Field`] mean.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserField {
    /// The path in the document, components joined with dots.
    pub path: String,
    /// What the text is: `ip`, `domain`, `file-path`, `{hash: SHA-256}` and so on.
    pub holds: Holds,
    /// The part that the thing plays in the event.
    #[serde(default)]
    pub role: Role,
    /// The thing that this field describes together with others.
    #[serde(default)]
    pub group: String,
    /// Who writes the field.
    #[serde(default = "local_decoder")]
    pub decoder: String,
    /// The alert schema, `"4"` unless told otherwise.
    #[serde(default = "wazuh_4")]
    pub schema: Schema,
    /// How the index maps the field.
    #[serde(default)]
    pub index: IndexType,
    /// What the field is good for; everything unless told otherwise.
    #[serde(default)]
    pub uses: Uses,
    /// The list of objects around the field that the index maps as `nested`, where Wazuh's own template does not.
    #[serde(default)]
    pub nested: Option<String>,
    /// What the field tells about the event as a whole.
    #[serde(default)]
    pub tells: Tells,
    /// Which of several fields counts that tell the same: the one of the smallest rank. A site knows its decoders, so its
    /// fields come before the built-in ones unless told otherwise.
    #[serde(default)]
    pub rank: u8,
    /// The name under which events that are raised repeat the field, components joined with dots; the last part of the
    /// path unless told otherwise.
    #[serde(default)]
    pub shown: String,
    /// How several values stand under that name.
    #[serde(default)]
    pub join: Join,
}

fn local_decoder() -> String {
    "local".to_owned()
}

fn wazuh_4() -> Schema {
    Schema::Wazuh4
}

/// Why a field of a catalogue file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The path is empty, has an empty component, or holds a wildcard.
    #[error("field path `{0}` cannot be used: write the components joined with single dots, without `*`")]
    Path(String),
    /// The name under which a field is to be shown has an empty component.
    #[error("field path `{path}`: the name `{shown}` cannot be shown: write the components joined with single dots")]
    Shown {
        /// The path of the field.
        path: String,
        /// The name.
        shown: String,
    },
}

impl TryFrom<UserField> for Field {
    type Error = CatalogueError;

    fn try_from(user: UserField) -> Result<Self, CatalogueError> {
        let UserField { path, holds, role, group, decoder, schema, index, mut uses, nested, tells, rank, shown, join } =
            user;
        if path.contains('*') || path.split('.').any(str::is_empty) {
            return Err(CatalogueError::Path(path));
        }
        if !shown.is_empty() && shown.split('.').any(str::is_empty) {
            return Err(CatalogueError::Shown { path, shown });
        }
        // Exact search needs a field that is indexed as it was written.
        if !matches!(index, IndexType::Keyword | IndexType::Ip | IndexType::Long) {
            uses.search = false;
        }
        if holds == Holds::Opaque {
            uses = Uses { search: false, extract: false, lookup: false };
        }
        Ok(Self {
            path: Cow::Owned(path),
            holds,
            role,
            group: Cow::Owned(group),
            decoder: Cow::Owned(decoder),
            schema,
            index,
            uses,
            nested: nested.map(Cow::Owned),
            tells,
            rank,
            shown: Cow::Owned(shown),
            join,
        })
    }
}
