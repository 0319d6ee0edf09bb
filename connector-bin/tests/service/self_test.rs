//! `self-test`, in a folder of its own and in the systems.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::server::request;
use crate::{Setup, broker, real};

fn lines(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn steps(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("ok     ")?.split("  ").next()).collect()
}

/// Without write access nothing outside is touched, not even asked.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_folder_of_its_own() {
    let setup = Setup::new(None).await;
    let folder = tempfile::tempdir().unwrap();
    let output = setup.command(&["self-test"]).env("TMPDIR", folder.path()).output().unwrap();
    let text = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let wanted = ["folder", "alert", "observable", "message", "work", "bundle", "sighting", "removed"];
    assert_eq!(steps(&text), wanted, "{text}");
    assert!(text.contains("was seen once on 1 system: 1 sighting"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(setup.stand_in.requests().is_empty());
    assert_eq!(setup.indexer.requests.load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// What the configuration keeps from being found is told, with code 1, and nothing stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_finds_nothing() {
    let setup = Setup::new(None).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, value, said) in [
        ("WAZUH_OPENSEARCH_EXCLUDE_MATCH", "rule.id=100999", "error  bundle"),
        ("CONNECTOR_SCOPE", "Url", "neither Domain-Name nor StixFile is in the scope"),
    ] {
        let output = setup.command(&["self-test"]).env("TMPDIR", folder.path()).env(name, value).output().unwrap();
        let text = lines(&output);
        assert_eq!(output.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(said), "{text}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// A folder that cannot be written: one line, code 1.
#[tokio::test(flavor = "multi_thread")]
async fn no_place_for_the_folder() {
    let setup = Setup::new(None).await;
    let output = setup.command(&["self-test"]).env("TMPDIR", "/nonexistent/folder").output().unwrap();
    assert_eq!((output.status.code(), lines(&output).lines().count()), (Some(1), 1), "{}", lines(&output));
}

/// In real indices, with a real broker: everything is found, and nothing is left.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_systems() {
    let Some(broker) = broker() else { return };
    let mut setup = Setup::new(Some(&broker)).await;
    let Some(index) = real::index(&setup) else { return };
    setup.real = Some((index.url.clone(), index.name.clone()));
    let ids = |setup: &Setup| -> BTreeSet<String> {
        let types = ["domain-name", "file", "sighting", "note", "identity", "hostname", "incident", "case-incident"];
        let objects = types.iter().flat_map(|kind| setup.stand_in.objects(kind));
        objects.filter_map(|object| object["id"].as_str().map(str::to_owned)).collect()
    };
    let count = || {
        let (_, answer) = request("GET", &format!("{}/{}/_count", index.url, index.name), "");
        serde_json::from_str::<Value>(&answer).unwrap()["count"].as_u64().unwrap()
    };
    let (objects, alerts) = (ids(&setup), count());
    // The sample alerts of the index map no field for domain names, so one with such a field is there first.
    let mapping = r#"{"properties":{"data":{"properties":{"query":{"type":"keyword"},"domain":{"type":"keyword"}}}}}"#;
    let (status, answer) = request("PUT", &format!("{}/{}/_mapping", index.url, index.name), mapping);
    assert_eq!(status, 200, "{answer}");
    let output = setup.run(&["self-test", "--write"]);
    let text = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let wanted = ["OpenCTI", "indexer", "alert", "observable", "search", "bundle", "sighting", "read back", "removed"];
    assert_eq!(steps(&text), wanted, "{text}");
    assert_eq!(count(), alerts);
    // What every run makes stays: the author, and the SIEM.
    let left: Vec<String> = ids(&setup).difference(&objects).cloned().collect();
    assert!(left.iter().all(|id| id.starts_with("identity--")) && left.len() <= 2, "{left:?}");
    setup.stand_in.assert_nothing_refused();
}

/// Whatever fails, what was planted is removed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_planted_is_removed_when_it_fails() {
    let setup = Setup::new(None).await;
    let output = setup.run(&["self-test", "--write"]);
    let text = lines(&output);
    // The scripted indexer has an alert, and maps nothing that the observable could stand in.
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error  alert        the indices map no field for it"), "{text}");
    assert!(text.contains("ok     removed      nothing") && setup.stand_in.objects("domain-name").is_empty());
}
