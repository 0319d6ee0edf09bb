//! Files, directories and contents.

use super::{identified_by, unset};
use crate::{Hashes, Identifier, Timestamp};

stix_object! {
    /// A file (STIX 2.1, section 6.7). Identified by one hash, name, parent directory and extensions.
    ScoCommon File = "file" {
        /// Hashes of the content.
        hashes: Hashes,
        /// Size in bytes.
        size: Option<i64>,
        /// Its name, without a path.
        name: Option<String>,
        /// Character set of the name as observed.
        name_enc: Option<String>,
        /// The first bytes in hexadecimal.
        magic_number_hex: Option<String>,
        /// Media type.
        mime_type: Option<String>,
        /// Creation time.
        ctime: Option<Timestamp>,
        /// Modification time.
        mtime: Option<Timestamp>,
        /// Access time.
        atime: Option<Timestamp>,
        /// The directory it is in.
        parent_directory_ref: Option<Identifier>,
        /// Observables inside it.
        contains_refs: Vec<Identifier>,
        /// Its content.
        content_ref: Option<Identifier>,
    }
}

stix_object! {
    /// A directory (STIX 2.1, section 6.3).
    ScoCommon Directory = "directory" {
        /// The path.
        path: String,
        /// Character set of the path as observed.
        path_enc: Option<String>,
        /// Creation time.
        ctime: Option<Timestamp>,
        /// Modification time.
        mtime: Option<Timestamp>,
        /// Access time.
        atime: Option<Timestamp>,
        /// Files and directories in it.
        contains_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// Content: bytes, or where to find them (STIX 2.1, section 6.1). Identified by one hash and `payload_bin`.
    ScoCommon Artifact = "artifact" {
        /// Media type.
        mime_type: Option<String>,
        /// The bytes in base64.
        payload_bin: Option<String>,
        /// Where the bytes can be found.
        url: Option<String>,
        /// Hashes of the bytes.
        hashes: Hashes,
        /// How they are encrypted.
        encryption_algorithm: Option<String>,
        /// The key to decrypt them.
        decryption_key: Option<String>,
    }
}

identified_by!(Directory.path);
unset!(File, Artifact);
