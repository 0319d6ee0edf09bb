//! The field catalogue: which place in an alert holds which kind of thing.
//!
//! This is the one table of the project. The query builders, the extractor, the look-up planner and the events that are
//! raised read it, and none of them keeps a list of its own; a new decoder is one new row. Wazuh 4.x and Wazuh 5.x stand side by side:
//! their paths do not overlap, so one catalogue reads alerts of both.
//!
//! A site adds the fields of its own decoders with [`Catalogue::extend`], and all readers know them at once.
//!
//! ```
//! use wazuh_query::catalogue::{Catalogue, Holds, Schema};
//!
//! let catalogue = Catalogue::builtin();
//! let id = catalogue.find(Schema::Wazuh4, "data.srcip").expect("a built-in field");
//! assert_eq!(catalogue.field(id).holds, Holds::Ip);
//! ```

mod field;
#[cfg(feature = "sigma")]
pub(crate) mod taxonomy;
mod trie;
mod user;
mod wazuh_4;
mod wazuh_5;

use std::borrow::Cow;

pub use field::{Envelope, Field, HashAlgorithm, Holds, IndexType, Join, Role, Schema, Tells, Uses};
pub(crate) use trie::{NodeId, Trie};
pub use user::{CatalogueError, CatalogueFile, UserField};

/// Longer texts between quotes are no names of fields.
const LONGEST_NAME: usize = 64;

/// Wazuh's alerts have at most 64 KiB.
const LONGEST_TEXT: usize = 256 << 10;

/// A field of one catalogue, by its place in [`Catalogue::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(u32);

impl FieldId {
    /// The place in [`Catalogue::fields`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// All fields that queries, extraction and look-ups know.
#[derive(Clone, Debug)]
pub struct Catalogue {
    fields: Vec<Field>,
    trie: Trie,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Catalogue {
    /// The fields of Wazuh 4.x and Wazuh 5.x.
    pub fn builtin() -> Self {
        let tables = || wazuh_4::TABLES.iter().chain(wazuh_5::TABLES);
        let count = tables().map(|table| table.rows.len()).sum();
        let mut catalogue = Self { fields: Vec::with_capacity(count), trie: Trie::with_capacity(count) };
        for table in tables() {
            for row in table.rows {
                catalogue.insert(row.to_field(table));
            }
        }
        catalogue
    }

    /// Those of the [built-in](Self::builtin) fields that one document can have, going by the names in its text. An alert
    /// reads the same with it, and making it costs a tenth: for programs that read one document and end.
    ///
    /// ```
    /// use wazuh_query::catalogue::{Catalogue, Schema};
    ///
    /// let catalogue = Catalogue::builtin_for(r#"{"data": {"srcip": "203.0.113.7"}}"#);
    /// assert!(catalogue.find(Schema::Wazuh4, "data.srcip").is_some());
    /// assert!(catalogue.find(Schema::Wazuh4, "data.dstip").is_none());
    /// ```
    pub fn builtin_for(text: &str) -> Self {
        // A name may be written with such characters, and then it does not stand there as it is. What is far longer than
        // an alert would cost more than it saves.
        if text.len() > LONGEST_TEXT || text.contains("\\u") {
            return Self::builtin();
        }
        // Whoever writes the alert chooses the names, so where they fall must not be known to them.
        let names: hashbrown::HashSet<&str, foldhash::fast::RandomState> =
            text.split(['"', '.']).filter(|name| name.len() < LONGEST_NAME).collect();
        let mut catalogue = Self { fields: Vec::new(), trie: Trie::with_capacity(0) };
        for table in wazuh_4::TABLES.iter().chain(wazuh_5::TABLES) {
            for row in table.rows {
                if names.contains(row.path.rsplit('.').next().unwrap_or_default()) {
                    catalogue.insert(row.to_field(table));
                }
            }
        }
        catalogue
    }

    /// Adds the fields of a catalogue file. A field that is already known is replaced: the site knows its own
    /// decoders and index template better.
    ///
    /// Fails on the first field that cannot be used, and then leaves the catalogue as it was.
    pub fn extend(&mut self, file: CatalogueFile) -> Result<(), CatalogueError> {
        let fields = file.fields.into_iter().map(Field::try_from).collect::<Result<Vec<_>, _>>()?;
        for field in fields {
            self.insert(field);
        }
        Ok(())
    }

    /// A catalogue of the fields for which `wanted` holds. Reading with it skips all others, which is faster.
    ///
    /// Identifiers of fields belong to one catalogue: those of the new one are its own.
    #[must_use]
    pub fn restricted(&self, wanted: impl Fn(&Field) -> bool) -> Self {
        let fields: Vec<&Field> = self.fields.iter().filter(|field| wanted(field)).collect();
        let mut catalogue = Self { fields: Vec::with_capacity(fields.len()), trie: Trie::with_capacity(fields.len()) };
        for field in fields {
            catalogue.insert(field.clone());
        }
        catalogue
    }

    /// Every field, in the order of the tables.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field with this identifier. Identifiers come from this catalogue or from an alert read with it.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// The field at this path.
    pub fn find(&self, schema: Schema, path: &str) -> Option<FieldId> {
        let node = self.trie.walk(Trie::ROOT, path)?;
        self.trie.fields(node).find(|id| self.field(*id).schema == schema)
    }

    /// The fields of one schema for which `wanted` holds.
    pub fn select(&self, schema: Schema, wanted: impl Fn(&Field) -> bool) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.schema == schema && wanted(field))
    }

    pub(crate) fn trie(&self) -> &Trie {
        &self.trie
    }

    fn insert(&mut self, mut field: Field) {
        if field.nested.is_none() {
            let lists = match field.schema {
                Schema::Wazuh4 => wazuh_4::NESTED,
                Schema::Wazuh5 => wazuh_5::NESTED,
            };
            let around = |list: &&&str| field.path.strip_prefix(**list).is_some_and(|rest| rest.starts_with('.'));
            field.nested = lists.iter().find(around).map(|list| Cow::Borrowed(*list));
        }
        // A site whose template has no nested objects there says so with an empty name.
        field.nested = field.nested.filter(|list| !list.is_empty());
        let node = self.trie.node(field.path.clone());
        let known = self.trie.fields(node).find(|id| self.field(*id).schema == field.schema);
        if let Some(known) = known {
            self.fields[known.index()] = field;
            return;
        }
        // A catalogue has some thousand fields; the file that would overflow this could not be read into memory.
        let id = FieldId(u32::try_from(self.fields.len()).unwrap_or(u32::MAX));
        self.trie.insert(node, id);
        self.fields.push(field);
    }
}
