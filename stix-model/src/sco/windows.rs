//! The Windows registry.

use super::unset;
use crate::{Identifier, Timestamp};

stix_object! {
    /// A registry key (STIX 2.1, section 6.17). Identified by key and values.
    ScoCommon WindowsRegistryKey = "windows-registry-key" {
        /// The whole key, with the hive spelled out.
        key: Option<String>,
        /// Its values.
        values: Vec<WindowsRegistryValue>,
        /// When it was last changed.
        modified_time: Option<Timestamp>,
        /// Who created it.
        creator_user_ref: Option<Identifier>,
        /// The number of keys below it.
        number_of_subkeys: Option<i64>,
    }
}

stix_part! {
    /// A value in a registry key (STIX 2.1, section 6.17.2).
    WindowsRegistryValue {
        /// Its name; empty for the default value.
        name: Option<String>,
        /// Its content.
        data: Option<String>,
        /// Such as `REG_SZ`.
        data_type: Option<String>,
    }
}

unset!(WindowsRegistryKey);
