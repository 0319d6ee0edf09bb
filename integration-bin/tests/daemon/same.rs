//! The same alert gives the same events, whoever looks at it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use alert_enricher::indicator::Kind;
use alert_enricher::knowledge::{AskOptions, Asked, ask};
use serde_json::{Value, json};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;

use crate::support::*;

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/alerts");
    if !path.is_dir() {
        eprintln!("skipped: the alerts of the reference data are not there");
    }
    path.is_dir().then_some(path)
}

fn lines(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect()
}

/// The value as intelligence often has it: files and objects of the kernel without their paths, keys without a value and
/// with the short name of their hive.
fn bare(asked: &Asked) -> String {
    let value = asked.value.as_str();
    let name = |text: &str| text.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    match asked.kind() {
        Kind::File | Kind::Mutex => name(value),
        Kind::RegistryKey => {
            let above = value.rsplit_once('\\').map_or(value, |(above, _)| above);
            above.replace("hkey_local_machine\\", "HKLM\\")
        }
        _ => value.to_owned(),
    }
}

/// The pattern that stands for a value, and the observable.
fn stix(asked: &Asked, value: &str) -> Option<(String, Value)> {
    let (object_type, path, name) = match asked.kind() {
        Kind::Address if asked.value.contains(':') => ("ipv6-addr", "value", "value"),
        Kind::Address => ("ipv4-addr", "value", "value"),
        Kind::Domain => ("domain-name", "value", "value"),
        Kind::Url => ("url", "value", "value"),
        Kind::Email => ("email-addr", "value", "value"),
        Kind::Mac => ("mac-addr", "value", "value"),
        Kind::Md5 => ("file", "hashes.MD5", "MD5"),
        Kind::Sha1 => ("file", "hashes.'SHA-1'", "SHA-1"),
        Kind::Sha256 => ("file", "hashes.'SHA-256'", "SHA-256"),
        Kind::File => ("file", "name", ""),
        Kind::RegistryKey => ("windows-registry-key", "key", "key"),
        Kind::Mutex => ("mutex", "name", "name"),
        Kind::UserAgent => ("user-agent", "value", "value"),
        _ => return None,
    };
    let constant = value.replace('\\', r"\\").replace('\'', r"\'");
    let mut observable = json!({ "type": object_type, "spec_version": "2.1" });
    if asked.kind() == Kind::File {
        observable["name"] = value.into();
    } else if object_type == "file" {
        observable["hashes"] = json!({ name: value });
    } else {
        observable[name] = value.into();
    }
    Some((format!("[{object_type}:{path} = '{constant}']"), observable))
}

fn relationship(number: usize, relationship: &str, from: &Value, to: &Value) -> Value {
    json!({
        "type": "relationship", "spec_version": "2.1", "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z",
        "id": format!("relationship--44298a74-ba52-4f0c-87a3-1824{number:08}"),
        "relationship_type": relationship, "source_ref": from["id"], "target_ref": to["id"],
    })
}

/// Knows something about most values of these alerts, in every way in which something can be known.
fn intelligence(alerts: &[String]) -> Vec<Value> {
    let catalogue = Catalogue::builtin();
    let (mut objects, mut seen, mut number) = (Vec::new(), HashSet::new(), 0);
    for text in alerts {
        let Ok(alert) = Alert::read(text, &catalogue) else { continue };
        let Ok(asked) = ask(&alert, &catalogue, &AskOptions::default()) else { continue };
        for asked in asked.iter().filter(|asked| seen.insert(asked.key.clone())).take(6) {
            // Every other one in the form that intelligence has it in.
            let value = if number / 8 % 2 == 0 { bare(asked) } else { asked.value.clone() };
            let Some((pattern, mut observable)) = stix(asked, &value) else { continue };
            number += 1;
            let id = |object: &Value| {
                let object_type = object["type"].as_str().unwrap();
                json!(format!("{object_type}--efb3cb24-5b02-47b0-adb6-6456{number:08}"))
            };
            observable["id"] = id(&observable);
            let mut known = indicator(number, &pattern);
            known["valid_from"] = "2000-01-01T00:00:00Z".into();
            match number % 8 {
                0 => continue,
                1 => known["revoked"] = true.into(),
                2 => known["labels"] = json!(["false-positive"]),
                3 => known["valid_until"] = "2001-01-01T00:00:00Z".into(),
                4 => known["pattern"] = format!("{pattern} FOLLOWEDBY [file:name = 'nothing']").into(),
                5 => {
                    objects.push(relationship(number, "based-on", &known, &observable));
                    objects.push(observable);
                }
                6 => {
                    // Something else is indicated, and this is related to it.
                    let mut other =
                        json!({ "type": "domain-name", "spec_version": "2.1", "value": format!("x{number}.example") });
                    other["id"] = id(&other);
                    known["pattern"] = format!("[domain-name:value = 'x{number}.example']").into();
                    objects.push(relationship(2 * number + 1_000_000, "based-on", &known, &other));
                    objects.push(relationship(2 * number + 1_000_001, "related-to", &observable, &other));
                    objects.extend([other, observable]);
                }
                _ => {}
            }
            objects.push(known);
        }
    }
    objects
}

/// So many alerts are compared with what is known about them alone: every program reads all of that.
const PART: usize = 40;

/// Compares the modes over these alerts. Answers how many events there were.
fn compare(alerts: &[String]) -> usize {
    compare_with(alerts, &intelligence(alerts))
}

/// The same with what is known.
fn compare_with(alerts: &[String], objects: &[Value]) -> usize {
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!(objects).to_string());
    manager.options(&json!({ "intel": [intel], "daemon": { "repeat_minutes": 0 } }));
    let mut wanted = Vec::new();
    for alert in alerts {
        wanted.extend(manager.events_of(alert, ""));
    }
    manager.alerts(alerts);
    let found = manager.once(&[]);
    for (wanted, found) in wanted.iter().zip(&found) {
        assert_eq!(wanted, found, "{}", manager.log());
    }
    assert_eq!(wanted.len(), found.len(), "{}", manager.log());
    // And forwarded to the one that is resident.
    let resident = manager.resident(&[]);
    let _of_the_follower = manager.events();
    let mut forwarded = Vec::new();
    for alert in alerts {
        forwarded.extend(manager.events_of(alert, "debug"));
    }
    assert_eq!(wanted, forwarded, "{}", manager.log());
    let taken = manager.log().matches("the resident program took the alert").count();
    // What is no alert the program has to tell itself.
    assert!(taken * 10 > alerts.len() * 9, "{taken} of {}", alerts.len());
    assert!(resident.stop().success());
    wanted.len()
}

#[test]
fn the_sample_alerts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/alerts.json");
    let events = compare(&lines(&path).into_iter().take(60).collect::<Vec<_>>());
    assert!(events > 10, "{events} events");
}

/// Paths where intelligence has names, keys with values where it has keys, addresses where it has networks.
#[test]
fn bare_names_keys_above_and_networks() {
    let sysmon = |id: usize, eventdata: Value| {
        json!({
            "timestamp": "2026-03-14T09:26:53.589+0000", "id": format!("1773480413.{id}"), "rule": { "id": "92000", "level": 5 },
            "agent": { "id": "001", "name": "web01" }, "location": "EventChannel", "data": { "win": { "eventdata": eventdata } },
        })
        .to_string()
    };
    let alerts = [
        sysmon(1, json!({ "image": r"C:\\x\\nc.exe" })),
        sysmon(2, json!({ "objectType": "Mutant", "objectName": r"\\Sessions\\1\\BaseNamedObjects\\NimbusSync" })),
        sysmon(3, json!({ "targetObject": r"HKLM\\SOFTWARE\\Acme\\Run\\Updater", "eventType": "SetValue" })),
        alert(4, "001", "203.0.113.7"),
        json!({ "timestamp": "2026-03-14T09:26:53.589+0000", "id": "1773480413.5", "rule": { "id": "80202", "level": 5 },
            "agent": { "id": "001", "name": "web01" }, "data": { "aws": { "userAgent": "NimbusLoader/1.0" } } })
        .to_string(),
    ];
    let patterns = [
        r"[file:name = 'nc.exe']",
        r"[mutex:name = 'NimbusSync']",
        r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Run']",
        r"[ipv4-addr:value = '203.0.64.0/18']",
        r"[user-agent:value = 'NimbusLoader/1.0']",
    ];
    let indicators: Vec<Value> = (1..).zip(patterns).map(|(number, pattern)| indicator(number, pattern)).collect();
    let events = compare_with(&alerts, &indicators);
    assert_eq!(events, alerts.len());
}

#[test]
fn the_reference_alerts() {
    let Some(folder) = corpus() else { return };
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson"));
    paths.sort();
    let all: Vec<String> = paths.iter().flat_map(|path| lines(path)).collect();
    assert!(all.len() > 2_000, "{} alerts", all.len());
    // The programs share nothing but the processors.
    let parts: Vec<&[String]> = all.chunks(PART).collect();
    let (next, events) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8)) {
            scope.spawn(|| {
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    events.fetch_add(compare(part), Ordering::Relaxed);
                }
            });
        }
    });
    let events = events.into_inner();
    assert!(events > 500, "{events} events");
}
