//! The fields of Wazuh 5.x findings and events.

mod envelope;
mod host;
mod identity;
mod mapping;
mod network;

use crate::catalogue::field::Table;

/// Every table of Wazuh 5.x.
pub(crate) const TABLES: &[Table] =
    &[envelope::ENVELOPE, network::NETWORK, host::HOST, identity::IDENTITY, mapping::MAPPING];

/// The lists of objects that the index templates map as `nested` and in which fields of the catalogue stand.
pub(crate) const NESTED: &[&str] = &["email.attachments"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TABLES;
    use crate::catalogue::field::Schema;

    #[test]
    fn a_path_stands_in_one_table_only() {
        let mut paths = BTreeSet::new();
        for row in TABLES.iter().flat_map(|table| table.rows) {
            assert!(paths.insert(row.path), "{} stands there twice", row.path);
        }
    }

    #[test]
    fn rows_are_sorted_by_path() {
        for table in TABLES {
            assert_eq!(table.schema, Schema::Wazuh5);
            for pair in table.rows.windows(2) {
                assert!(pair[0].path < pair[1].path, "{} should stand before {}", pair[1].path, pair[0].path);
            }
        }
    }
}
