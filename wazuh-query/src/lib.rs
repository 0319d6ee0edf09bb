//! From observables to `OpenSearch` queries over Wazuh alerts.

pub mod alert;
pub mod builder;
pub mod catalogue;
pub mod dsl;
pub mod evaluate;
pub mod options;
pub mod profile;
pub mod regexp;
#[cfg(feature = "store")]
pub mod store;
pub mod value;
