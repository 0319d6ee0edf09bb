//! The commands on good input.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{run, run_with_input, samples, some_alerts};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_hunt_of_the_readme() {
    let arguments = ["hunt", "--indicators", "indicators.json", "--alerts", "alerts.json"];
    let first = run(&arguments);
    // A YARA rule cannot be used.
    assert_eq!(first.code, 3, "{}", first.err);
    assert!(first.out.starts_with("INDICATOR"), "{}", first.out);
    assert!(first.err.contains("revoked") && first.err.contains("yara"));
    assert!(first.out.contains("Nimbus run key"), "{}", first.out);
    let second = run(&arguments);
    assert_eq!(first.out, second.out, "the same input gives the same output");
    insta::assert_snapshot!(first.out.lines().take(12).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!(first.err);
}

/// The hunt against counts made by comparing plain text.
#[test]
fn counts_are_right() {
    let table = std::fs::read_to_string(samples().join("hits.tsv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("values.csv");
    let values = table.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        format!("\"{}\",{}\n", cells[1], cells[0].rsplit(' ').next().unwrap())
    });
    std::fs::write(&list, format!("value,type\n{}", values.collect::<String>())).unwrap();
    let run = run(&["hunt", "--indicators", list.to_str().unwrap(), "--alerts", "alerts.json", "--format", "ndjson"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.err);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for row in lines(&run.out) {
        *found.entry(row["value"].as_str().unwrap().to_lowercase()).or_default() += row["count"].as_u64().unwrap();
    }
    let mut compared = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [kind, value, _, in_fields, ..] = cells.as_slice() else { panic!("{line}") };
        // Values that also stand inside command lines and scripts, which exact search does not read, have more.
        let exact = matches!(*kind, "ipv4-cidr" | "ipv6-addr" | "ipv6-cidr" | "email-addr" | "mutex" | "cve")
            || (kind.ends_with("md5") || kind.ends_with("sha1")) && !kind.starts_with("certificate");
        if !exact {
            continue;
        }
        let count = found.get(&value.to_lowercase()).copied().unwrap_or_default();
        assert_eq!(count.to_string(), *in_fields, "{kind} {value}");
        compared += 1;
    }
    assert!(compared >= 10, "{compared} values compared");
}

#[test]
fn formats() {
    let hunt = |format: &str| {
        let run =
            run(&["hunt", "--indicators", "indicators.txt", "--alerts", "alerts.json", "archive", "--format", format]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    let rows = lines(&hunt("ndjson"));
    assert!(rows.len() > 50);
    let bundle: Value = serde_json::from_str(&hunt("bundle")).unwrap();
    assert_eq!(hunt("bundle"), hunt("bundle"));
    let objects = bundle["objects"].as_array().unwrap();
    let of_type = |wanted: &str| objects.iter().filter(|object| object["type"] == wanted).count();
    let pairs: BTreeSet<_> = rows
        .iter()
        .map(|row| (row["indicator"].to_string(), row["agent_id"].to_string(), row["agent_name"].to_string()))
        .collect();
    assert_eq!(of_type("sighting"), pairs.len());
    let total = |objects: &[Value], name: &str| objects.iter().filter_map(|object| object[name].as_u64()).sum::<u64>();
    let sightings: Vec<Value> = objects.iter().filter(|object| object["type"] == "sighting").cloned().collect();
    assert_eq!(total(&sightings, "count"), total(&rows, "count"));
    let ids: BTreeSet<&str> = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    for sighting in &sightings {
        assert!(ids.contains(sighting["sighting_of_ref"].as_str().unwrap()), "{sighting}");
        assert!(ids.contains(sighting["where_sighted_refs"][0].as_str().unwrap()), "{sighting}");
    }
    let page = hunt("html");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(!page.contains("http-equiv") && !page.contains("<script") && !page.contains("src="));
}

#[test]
fn a_compressed_file_counts_like_the_plain_one() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let alerts = some_alerts(60).join("\n");
    let plain = folder.path().join("plain.json");
    let packed = folder.path().join("packed.json.gz");
    std::fs::write(&plain, &alerts).unwrap();
    let mut encoder =
        flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    encoder.write_all(alerts.as_bytes()).unwrap();
    encoder.finish().unwrap();
    let hunt = |path: &std::path::Path| {
        run(&["hunt", "--indicators", "indicators.txt", "--alerts", path.to_str().unwrap(), "--format", "ndjson"]).out
    };
    assert!(!hunt(&plain).is_empty());
    assert_eq!(hunt(&plain), hunt(&packed));
}

#[test]
fn time_bounds() {
    let hunt = |bounds: &[&str]| {
        let mut arguments =
            vec!["hunt", "--indicators", "indicators.txt", "--alerts", "alerts.json", "--format", "ndjson"];
        arguments.extend(bounds);
        let run = run(&arguments);
        assert_eq!(run.code, 0, "{}", run.err);
        lines(&run.out).iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>()
    };
    let all = hunt(&[]);
    let before = hunt(&["--until", "2026-03-15T23:59:59.999Z"]);
    let after = hunt(&["--since", "2026-03-16"]);
    assert!(before > 0 && after > 0);
    assert_eq!(before + after, all);
    assert_eq!(hunt(&["--since", "2030-01-01"]), 0);
}

#[test]
fn queries() {
    let run = run(&["query", "observables.ndjson"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let answers = lines(&run.out);
    assert!(answers.len() >= 30);
    for answer in &answers {
        assert_ne!(answer["query"].is_null(), answer["reason"].is_null(), "{answer}");
    }
    let with_request = crate::run(&["query", "--request", "observables.ndjson"]);
    let request = lines(&with_request.out).into_iter().find(|answer| !answer["request"].is_null()).unwrap();
    assert_eq!(request["request"]["track_total_hits"], true);
    assert!(request["request"]["aggs"].is_object() && request["request"]["sort"].is_array());
    let pretty = crate::run(&["query", "--pretty", "observables.ndjson"]);
    assert!(pretty.out.contains("  cannot be searched: "));
}

#[test]
fn indicators_have_queries_too() {
    let run = run(&["query", "indicators.json"]);
    let answers = lines(&run.out);
    let of = |wanted: &str| {
        answers
            .iter()
            .filter(|answer| answer["type"] == "indicator" && (wanted == "query") != answer["query"].is_null())
            .count()
    };
    assert!(of("query") >= 15 && of("reason") >= 4, "{} {}", of("query"), of("reason"));
}

#[test]
fn extraction() {
    let alert = &some_alerts(1)[0];
    let line = run_with_input(&["extract", "--ndjson"], alert.as_bytes());
    assert_eq!(line.code, 0, "{}", line.err);
    let line: Value = serde_json::from_str(&line.out).unwrap();
    assert!(line["objects"].is_array() && line["provenance"].is_array());
    let bundle = run(&["extract", "alerts.json"]);
    assert_eq!(bundle.code, 0, "{}", bundle.err);
    assert_eq!(bundle.out, run(&["extract", "alerts.json"]).out);
    let bundle: Value = serde_json::from_str(&bundle.out).unwrap();
    let types: BTreeSet<&str> =
        bundle["objects"].as_array().unwrap().iter().filter_map(|object| object["type"].as_str()).collect();
    insta::assert_snapshot!(types.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_array_and_hits_are_read_like_lines() {
    let alerts = some_alerts(5);
    let array = format!("[{}]", alerts.join(","));
    let hits: Vec<String> = alerts.iter().map(|alert| format!("{{\"_id\":\"x\",\"_source\":{alert}}}")).collect();
    let response = format!("{{\"took\":1,\"hits\":{{\"total\":{{\"value\":5}},\"hits\":[{}]}}}}", hits.join(","));
    let objects = |input: &str| {
        let run = run_with_input(&["extract"], input.as_bytes());
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    let wanted = objects(&alerts.join("\n"));
    assert_eq!(objects(&array), wanted);
    assert_eq!(objects(&hits.join("\n")), wanted);
    assert_eq!(objects(&response), wanted);
}

/// The reference validator has nothing against what the program writes.
#[test]
fn bundles_are_strict_stix() {
    let Some(validator) = std::env::var_os("STIX2_VALIDATOR") else {
        eprintln!("skipped: STIX2_VALIDATOR does not name the validator");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let hunt =
        ["hunt", "--indicators", "indicators.json", "indicators.csv", "--alerts", "alerts.json", "--format", "bundle"];
    let outputs =
        [run(&["extract", "alerts.json"]).out, run(&hunt).out, run(&["extract", "wazuh5-findings.ndjson"]).out];
    for (place, out) in outputs.iter().enumerate() {
        let path = folder.path().join(format!("{place}.json"));
        std::fs::write(&path, out).unwrap();
        let output = std::process::Command::new(&validator).arg(&path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors: Vec<&str> = text.lines().filter(|line| line.contains("[X]") || line.contains("[!] {")).collect();
        assert!(output.status.success() && text.contains("Valid"), "{}\n{text}", errors.join("\n"));
    }
}

#[test]
fn completions_and_version() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).out.contains("opencti-wazuh-connector"), "{shell}");
    }
    assert_eq!(run(&["--version"]).out, format!("opencti-wazuh-connector {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]);
    assert!(help.out.contains("Exit codes:"));
    assert_eq!(run(&["hunt", "--indicators", "x"]).code, 2);
}

#[test]
fn a_hunt_for_what_belongs_to_somebody() {
    let folder = tempfile::tempdir().unwrap();
    let indicator = |number: u8, value: &str| {
        serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "id": format!("indicator--8752eb5f-8b58-419e-8f40-1087{number:08}"),
            "name": value, "pattern": format!("[ipv4-addr:value = '{value}']"), "pattern_type": "stix",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        })
    };
    let mine = indicator(1, "198.51.100.77");
    let bundle = serde_json::json!([
        mine, indicator(2, "203.0.113.66"),
        {"type": "intrusion-set", "spec_version": "2.1", "id": "intrusion-set--8752eb5f-8b58-419e-8f40-108700000001",
         "name": "Foul Fox", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
        {"type": "relationship", "spec_version": "2.1", "id": "relationship--8752eb5f-8b58-419e-8f40-108700000001",
         "relationship_type": "indicates", "source_ref": mine["id"],
         "target_ref": "intrusion-set--8752eb5f-8b58-419e-8f40-108700000001",
         "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
    ]);
    let path = folder.path().join("bundle.json");
    std::fs::write(&path, bundle.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let hunt = |from: &[&str]| {
        let mut arguments = vec!["hunt", "--indicators", path, "--alerts", "alerts.json", "--format", "ndjson"];
        arguments.extend(from);
        run(&arguments)
    };
    assert!(hunt(&[]).err.contains("2 of 2 indicators seen"));
    let of_fox = hunt(&["--from", "foul fox"]);
    assert_eq!(of_fox.code, 0, "{}", of_fox.err);
    assert!(of_fox.err.contains("1 of 1 indicators seen"), "{}", of_fox.err);
    assert!(of_fox.out.lines().all(|line| line.contains("198.51.100.77")));
    let unknown = hunt(&["--from", "Mild Mole"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("no object has the identifier or name `Mild Mole`"), "{}", unknown.err);
}
