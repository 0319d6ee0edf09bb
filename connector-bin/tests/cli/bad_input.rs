//! Input that is damaged, hostile or missing: one clear line each, everything else processed.

use crate::{Run, run, run_with_input, some_alerts};

const SEEN: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","rule":{"id":"5710","level":5},"agent":{"id":"001","name":"web01"},"data":{"srcip":"203.0.113.66"}}"#;

fn hunt(input: &[u8]) -> Run {
    run_with_input(
        &["hunt", "--indicators", crate::samples().join("indicators.txt").to_str().unwrap(), "--alerts", "-"],
        input,
    )
}

#[track_caller]
fn check(input: &[u8], code: i32, message: &str, hits: usize) {
    let run = hunt(input);
    assert_eq!(run.code, code, "{}", run.err);
    assert!(run.err.contains(message), "{}", run.err);
    assert!(run.err.contains(&format!(": {hits} hits in ")), "{}", run.err);
    assert!(run.err.lines().count() <= 4, "one line per problem: {}", run.err);
}

#[test]
fn truncated_json() {
    check(format!("{SEEN}\n{{\"timestamp\":\"20\n{SEEN}\n").as_bytes(), 3, "-:2: not JSON", 2);
}

#[test]
fn not_utf8() {
    let mut input = SEEN.replace("web01", "w\u{1}b01").into_bytes();
    let place = input.iter().position(|byte| *byte == 1).unwrap();
    input[place] = 0xf6;
    check(&input, 0, "not valid UTF-8", 1);
}

#[test]
fn deep_nesting() {
    let deep = format!("{{\"data\":{}1{}}}", "{\"srcip\":".repeat(5_000), "}".repeat(5_000));
    // What no field of the catalogue is named in is skipped at any depth.
    check(format!("{deep}\n{SEEN}\n").as_bytes(), 3, "-:1: not an alert", 1);
    check(format!("{SEEN}\n{}\n", "[".repeat(100_000)).as_bytes(), 3, "-:2: ", 1);
}

#[test]
fn huge_values() {
    let huge = SEEN.replace("\"srcip\"", &format!("\"url\":\"http://x.example/{}\",\"srcip\"", "a".repeat(10_000_000)));
    check(format!("{huge}\n{SEEN}\n").as_bytes(), 0, "2 hits", 2);
}

#[test]
fn wrong_types_everywhere() {
    let odd = r#"{"timestamp":5,"rule":"x","agent":[1],"id":{},"data":{"srcip":[1,null,{"x":1}],"dstip":{"a":1},"url":true,"win":{"eventdata":{"processId":{},"hashes":5,"image":[[]]}}},"syscheck":7,"decoder":null}"#;
    check(format!("{odd}\n{SEEN}\n").as_bytes(), 0, "1 hits in 2 alerts", 1);
    let extracted = run_with_input(&["extract", "--ndjson"], odd.as_bytes());
    assert_eq!(extracted.code, 0, "{}", extracted.err);
}

#[test]
fn other_json() {
    check(format!("5\n\"x\"\nnull\n{SEEN}\n").as_bytes(), 3, "", 1);
}

#[test]
fn a_cut_archive() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(some_alerts(200).join("\n").as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let run = hunt(&packed[..packed.len() / 2]);
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("damaged from here on"), "{}", run.err);
    assert!(!run.err.contains(" 0 hits"), "{}", run.err);
}

#[test]
fn missing_and_empty() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, "").unwrap();
    let hunt = |path: &str| run(&["hunt", "--indicators", "indicators.txt", "--alerts", path]);
    let missing = hunt("no-such-file.json");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("no-such-file.json: cannot be read"), "{}", missing.err);
    let nothing = hunt(folder.path().join("none").to_str().unwrap());
    assert_eq!(nothing.code, 1);
    let empty_file = hunt(empty.to_str().unwrap());
    assert!(empty_file.err.contains("empty.json: empty"), "{}", empty_file.err);
    std::fs::remove_file(&empty).unwrap();
    let folder = hunt(folder.path().to_str().unwrap());
    assert!(folder.err.contains("no file of alerts in this folder"), "{}", folder.err);
    assert_eq!(folder.code, 1);
}

#[test]
fn bad_indicators() {
    let missing = run(&["hunt", "--indicators", "no-such-list.txt", "--alerts", "alerts.json"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("no-such-list.txt cannot be opened"), "{}", missing.err);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "what is this\n203.0.113.66\n").unwrap();
    let odd = run(&["hunt", "--indicators", list.to_str().unwrap(), "--alerts", "alerts.json"]);
    assert_eq!(odd.code, 3);
    assert!(odd.err.contains("`what is this` is no address"), "{}", odd.err);
    std::fs::write(
        &list,
        "{\"type\":\"bundle\",\"objects\":[{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--x\",\"value\":5},",
    )
    .unwrap();
    let broken = run(&["hunt", "--indicators", list.to_str().unwrap(), "--alerts", "alerts.json"]);
    assert_eq!(broken.code, 1, "{}", broken.err);
}

#[test]
fn bad_objects() {
    let input = "{\"type\":\"ipv4-addr\"}\nnonsense\n{\"type\":\"domain-name\",\"spec_version\":\"2.1\",\"id\":\"domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7\",\"value\":\"evil.example\"}\n";
    let run = run_with_input(&["query"], input.as_bytes());
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.out.contains("domain-name--bedb4899"), "{}", run.out);
    assert!(run.err.contains("ipv4-addr") && run.err.lines().count() == 2, "{}", run.err);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    use std::io::Read as _;
    let mut command = crate::program();
    let mut child = command
        .args(["extract", "--ndjson", "alerts.json"])
        .current_dir(crate::samples())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 10];
    out.read_exact(&mut first).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
