//! The table of options. The program, its reference, its schemas and its samples are all made from it.

use std::collections::BTreeSet;

use super::option::{Spec, group_variable};

/// Declares the options of a group. The comment of each is its description in the reference.
macro_rules! options {
    ($(#![doc = $group:literal])+ $($(#[doc = $doc:literal])+ $name:ident = $spec:expr;)+) => {
        $(
            $(#[doc = $doc])+
            pub(in crate::config) const $name: Spec = $spec.doc(concat!($($doc),+));
        )+

        /// The options in the order of the documentation.
        pub(super) const ALL: &[Spec] = &[$($name),+];
        /// What the group is about.
        pub(super) const ABOUT: &str = concat!($($group),+);
    };
}

pub(super) mod connector;
pub(super) mod enrich;
pub(super) mod mq;
pub(super) mod opencti;
pub(super) mod opensearch;
pub(super) mod root;
pub(super) mod search;
pub(super) mod service;
pub(super) mod system;

/// Groups in which unknown keys are no mistakes: they belong to the platform's client, too.
pub(super) const OPEN_GROUPS: &[&str] = &["connector", "opencti"];

/// The variable that names the configuration file.
pub(super) const FILE_VARIABLE: &str = "WAZUH_CONFIG";

/// Every group: its name (empty for the root), what it is about, and its options.
pub(super) const GROUPS: &[(&str, &str, &[Spec])] = &[
    ("opencti", opencti::ABOUT, opencti::ALL),
    ("connector", connector::ABOUT, connector::ALL),
    ("", root::ABOUT, root::ALL),
    ("opensearch", opensearch::ABOUT, opensearch::ALL),
    ("search", search::ABOUT, search::ALL),
    ("enrich", enrich::ABOUT, enrich::ALL),
    ("service", service::ABOUT, service::ALL),
    ("mq", mq::ABOUT, mq::ALL),
    ("system", system::ABOUT, system::ALL),
];

/// Variables of official connectors that this one has no use for, with the reason.
pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("CONNECTOR_AUTO_CREATE_SERVICE_ACCOUNT", "create a user for the connector and give its token"),
    ("CONNECTOR_AUTO_CREATE_SERVICE_ACCOUNT_CONFIDENCE_LEVEL", "create a user for the connector and give its token"),
    ("CONNECTOR_CONFIDENCE_LEVEL", "OpenCTI 6 takes the limits of the user and its groups"),
    ("CONNECTOR_DURATION_PERIOD", "it is for connectors that import"),
    ("CONNECTOR_LIVE_STREAM_ID", "it is for stream connectors"),
    ("CONNECTOR_LIVE_STREAM_LISTEN_DELETE", "it is for stream connectors"),
    ("CONNECTOR_LIVE_STREAM_NO_DEPENDENCIES", "it is for stream connectors"),
    ("CONNECTOR_LIVE_STREAM_RECOVER_ISO_DATE", "it is for stream connectors"),
    ("CONNECTOR_LIVE_STREAM_START_TIMESTAMP", "it is for stream connectors"),
    ("CONNECTOR_LIVE_STREAM_WITH_INFERENCES", "it is for stream connectors"),
    ("CONNECTOR_QUEUE_THRESHOLD", "it is for connectors that import"),
    ("CONNECTOR_RUN_AND_TERMINATE", "it is for connectors that import; see `run --once`"),
    ("CONNECTOR_SEND_TO_S3", "copies of bundles can be written to a folder (`CONNECTOR_SEND_TO_DIRECTORY`)"),
    ("CONNECTOR_UPDATE_EXISTING_DATA", "objects are always updated"),
];

/// Every option.
pub(super) fn options() -> impl Iterator<Item = &'static Spec> {
    GROUPS.iter().flat_map(|(.., options)| options.iter())
}

/// The names of the groups that the file has.
pub(super) fn groups() -> impl Iterator<Item = &'static str> {
    GROUPS
        .iter()
        .filter(|(name, _, options)| !name.is_empty() && options.iter().any(|spec| spec.in_file))
        .map(|(name, ..)| *name)
}

/// The keys that a group of the file may have. The root is the group without a name.
pub(super) fn keys_of(group: &str) -> BTreeSet<String> {
    let specs = options().filter(|spec| spec.in_file && spec.place().0 == group);
    specs
        .flat_map(|spec| {
            let names = std::iter::once(spec.place().1).chain(spec.keys.iter().copied());
            names.flat_map(|name| {
                let file = spec.secret.then(|| format!("{name}_file"));
                std::iter::once(name.to_owned()).chain(file)
            })
        })
        .collect()
}

/// Every variable that is read.
pub(super) fn variables() -> BTreeSet<String> {
    let groups = groups().map(group_variable);
    options().flat_map(Spec::variables).chain(groups).chain([FILE_VARIABLE.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::option::Since;

    #[test]
    fn every_name_is_taken_once() {
        let mut keys = BTreeSet::new();
        let mut variables = BTreeSet::new();
        for (group, about, specs) in GROUPS {
            assert!(!about.trim().is_empty());
            for spec in *specs {
                assert_eq!(spec.place().0, *group, "{}", spec.key);
                assert!(spec.description().ends_with('.'), "{}: {}", spec.key, spec.description());
                assert!(!spec.required || spec.default.is_empty(), "{}", spec.key);
                for key in std::iter::once(spec.place().1).chain(spec.keys.iter().copied()) {
                    assert!(keys.insert((*group, key)), "{key}");
                }
                for variable in spec.variables() {
                    assert!(variables.insert(variable.clone()), "{variable}");
                }
            }
        }
        for (variable, why) in WITHOUT_EFFECT {
            assert!(!variables.contains(*variable) && !why.is_empty(), "{variable}");
        }
    }

    /// Section 3.2 of the original's description: 31 options at the root, 3 + 6 + 12 + 11 + 3 in groups.
    #[test]
    fn all_66_options_of_the_original_are_there() {
        let count =
            |group: &str| options().filter(|spec| spec.place().0 == group && spec.since == Since::Original).count();
        let counts = ["", "opencti", "connector", "opensearch", "search", "enrich"].map(count);
        assert_eq!(counts, [31, 3, 6, 12, 11, 3]);
        assert_eq!(options().filter(|spec| spec.since == Since::Original).count(), 66);
    }
}
