//! What others say of bundles: the reference validator and the platform's own splitter, where they are at hand;
//! `deploy/dev/stix-validator.sh` and `deploy/dev/pycti.sh` give them.

use stix_model::Bundle;

/// Whether the reference validator of OASIS takes bundles, if it is at hand. Starting it takes longer than its work.
#[track_caller]
pub(crate) fn validate_all(bundles: &[(String, Bundle)]) {
    let Some(program) = std::env::var_os("STIX2_VALIDATOR") else {
        println!("skipped: STIX2_VALIDATOR does not name the validator");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &String| folder.path().join(format!("{name}.json"));
    let paths: Vec<_> = bundles.iter().map(|(name, _)| path(name)).collect();
    for ((_, bundle), path) in bundles.iter().zip(&paths) {
        std::fs::write(path, serde_json::to_vec(&bundle.clone().strict()).unwrap()).unwrap();
    }
    let output = std::process::Command::new(program).arg("--version").arg("2.1").args(&paths).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let valid = report.matches("STIX JSON: Valid").count();
    let faults: Vec<&str> = report.lines().filter(|line| line.contains("[X]") || line.contains("Error")).collect();
    assert!(output.status.success() && valid == bundles.len(), "{faults:#?}\n{valid} of {}", bundles.len());
}

/// What pycti, the platform's library for Python, makes of bundles: for each what was refused or lost, and the properties
/// that were changed. It adds the number of objects that an object depends on.
const SPLITTER: &str = r#"
import json, sys
from pycti.utils.opencti_stix2_splitter import OpenCTIStix2Splitter
for line in sys.stdin:
    sent = {item["id"]: item for item in json.loads(line)["objects"]}
    _, refused, parts = OpenCTIStix2Splitter().split_bundle_with_expectations(line, True, None, False)
    faults = ["refused " + item["id"] for item in refused]
    for part in parts:
        for item in json.loads(part)["objects"]:
            item.pop("nb_deps", None)
            if sent.pop(item["id"], None) != item:
                faults.append("changed " + item["id"])
    print(json.dumps(faults + ["lost " + name for name in sent]))
"#;

/// Whether the platform's own splitter takes bundles as they are, if it is at hand.
#[track_caller]
pub(crate) fn split_all(bundles: &[(String, Bundle)]) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let Some(python) = std::env::var_os("PYCTI_PYTHON") else {
        println!("skipped: PYCTI_PYTHON does not name an interpreter with pycti");
        return;
    };
    let mut splitter =
        Command::new(python).args(["-c", SPLITTER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = splitter.stdin.take().unwrap();
    let lines: Vec<String> = bundles.iter().map(|(_, bundle)| bundle.to_json() + "\n").collect();
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| input.write_all(line.as_bytes())));
    let output = splitter.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<Vec<String>> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(output.status.success() && answers.len() == bundles.len(), "{} of {}", answers.len(), bundles.len());
    for ((name, _), faults) in bundles.iter().zip(answers) {
        assert_eq!(faults, [""; 0], "{name}");
    }
}
