//! The alerts that laws are tried on.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The alerts of the corpus, else those of the repository's examples.
pub(crate) fn alerts() -> Vec<Value> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = base.join("../../shared/corpus/alerts");
    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => vec![base.join("../examples/data/alerts.json")],
    };
    files.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson" || ending == "json"));
    files.sort();
    let mut alerts = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        alerts.extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
    }
    // Wazuh's index refuses them: `data.id` is a text there.
    alerts.retain(|alert| !alert["data"]["id"].is_object());
    if alerts.is_empty() {
        eprintln!("skipped: neither {} nor examples/data/alerts.json is there", folder.display());
    }
    alerts
}
