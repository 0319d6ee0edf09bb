//! `enrich`.

use alert_enricher::extract::ExtractType;

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! What is taken from alerts.

    /// Types of the objects that are made.
    TYPES = Spec::new("enrich.types", Kind::Set(types)).default("all");
    /// How files with a path are shown: with a directory object (`create-dir`), with the last part of the path as name (`remove-path`).
    FILENAME_BEHAVIOUR = Spec::new("enrich.filename_behaviour", Kind::Set(filename_behaviour)).default("all");
    /// URLs without scheme and host count.
    ENRICH_URLS_WITHOUT_HOST = Spec::new("enrich.enrich_urls_without_host", Kind::Boolean).default("false")
        .also(&["WAZUH_ENRICH_URLS_WITHOUT_HOST"]).also_keys(&["urls_without_host"]);
}

fn types() -> Vec<&'static str> {
    ExtractType::ALL.iter().map(|(_, name)| *name).collect()
}

fn filename_behaviour() -> Vec<&'static str> {
    vec!["create-dir", "remove-path"]
}
