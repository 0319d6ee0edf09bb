//! The defects of section 17.4 of the behaviour reference: what is made of alerts.

use alert_enricher::enrichment::EnrichmentOptions;
use alert_enricher::extract::{ExtractOptions, Extractor};
use serde_json::{Value, json};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::Catalogue;

use crate::common::{Alerts, WEB, alert, enrich, merged, of_type, options, subject};

fn extract_with(data: &Value, options: &ExtractOptions) -> Vec<Value> {
    let text = merged(alert(WEB, "1", 5, "2026-03-14T09:00:00.000+0000", &json!({})), data).to_string();
    let catalogue = Catalogue::builtin();
    let alert = Alert::read(&text, &catalogue).unwrap();
    let extraction = Extractor::new(&catalogue, options).extract(&alert);
    extraction.objects.iter().map(|object| serde_json::to_value(object).unwrap()).collect()
}

fn extract(data: &Value) -> Vec<Value> {
    extract_with(data, &ExtractOptions::default())
}

/// The values of one property of the objects of one type.
fn values(objects: &[Value], object_type: &str, property: &str) -> Vec<String> {
    let of_type = objects.iter().filter(|object| object["type"] == object_type);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    of_type.filter(|object| !object[property].is_null()).map(|object| text(&object[property])).collect()
}

fn only<'a>(objects: &'a [Value], object_type: &str) -> &'a Value {
    let mut of_type = objects.iter().filter(|object| object["type"] == object_type);
    let first = of_type.next().unwrap_or_else(|| panic!("no {object_type} in {objects:#?}"));
    assert_eq!(of_type.next(), None);
    first
}

fn sysmon(members: &Value) -> Value {
    json!({"data": {"win": {"system": {"eventID": "1", "providerName": "Microsoft-Windows-Sysmon"}, "eventdata": members}}})
}

#[test]
fn b_42_tools_are_whole_file_names() {
    let options = ExtractOptions {
        tools: ["psexec64", "net-spy", "at", "mimi.katz"].map(str::to_owned).into(),
        ..ExtractOptions::default()
    };
    let tools = |line: &str| values(&extract_with(&sysmon(&json!({"commandLine": line})), &options), "tool", "name");
    assert_eq!(tools(r"C:\\Tools\\PsExec64.exe \\\\host cmd"), ["psexec64"]);
    assert_eq!(tools("net-spy --all"), ["net-spy"]);
    assert_eq!(tools("mimi.katz"), ["mimi.katz"]);
    assert_eq!(tools("look at psexec64ish things, net spy"), [""; 0]);
    // Named twice, made once.
    assert_eq!(tools("psexec64 psexec64.exe"), ["psexec64"]);
}

#[test]
fn b_43_paths_are_spelled_as_wazuh_does() {
    let objects = extract(&json!({"data": {
        "aws": {"userIdentity": {"userName": "kim", "accountId": "123456789012"}, "sourceIPAddress": "198.51.100.1"},
        "audit": {"exe": "/usr/bin/curl"},
        "mac": "02:42:ac:11:00:02",
    }}));
    let account = only(&objects, "user-account");
    assert_eq!((account["account_login"].as_str(), account["user_id"].as_str()), (Some("kim"), Some("123456789012")));
    assert_eq!(values(&objects, "ipv4-addr", "value"), ["198.51.100.1"]);
    assert_eq!(values(&objects, "file", "name"), ["curl"]);
    assert_eq!(values(&objects, "mac-addr", "value"), ["02:42:ac:11:00:02"]);
    let objects = extract(&json!({"data": {"win": {"eventdata": {"targetFilename": "C:\\\\x\\\\evil.dll"}}}}));
    assert_eq!(values(&objects, "file", "name"), ["evil.dll"]);
}

#[test]
fn b_44_a_single_field_keeps_its_name() {
    let objects = extract(&json!({"data": {"vulnerability": {"package": {"name": "openssl"}}}}));
    assert_eq!(values(&objects, "software", "name"), ["openssl"]);
    let objects = extract(&json!({"data": {"vulnerability": {"cve": "CVE-2024-3094"}}}));
    assert_eq!(values(&objects, "vulnerability", "name"), ["CVE-2024-3094"]);
}

#[test]
fn b_45_b_46_parents_are_optional_and_linked() {
    let alone = extract(&sysmon(&json!({"commandLine": "id", "image": "C:\\\\id.exe", "processId": "4"})));
    assert_eq!(values(&alone, "process", "parent_ref"), [""; 0]);
    let objects = extract(&sysmon(
        &json!({"commandLine": "id", "processId": "4", "parentCommandLine": "sh", "parentProcessId": "3"}),
    ));
    let child = objects.iter().find(|object| object["command_line"] == "id").unwrap();
    let parent = objects.iter().find(|object| object["command_line"] == "sh").unwrap();
    assert_eq!(child["parent_ref"], parent["id"]);
}

#[test]
fn b_47_process_numbers_in_any_form() {
    let number =
        |text: &str| values(&extract(&sysmon(&json!({"commandLine": "id", "processId": text}))), "process", "pid");
    assert_eq!(number("500"), ["500"]);
    assert_eq!(number("0x1f4"), ["500"]);
    assert_eq!(number("many"), [""; 0]);
}

#[test]
fn b_48_hashes_without_an_image() {
    let md5 = "0123456789abcdef0123456789abcdef";
    let sha = "a".repeat(64);
    let list = format!("MD5={},SHA256={},IMPHASH={md5}", md5.to_uppercase(), sha.to_uppercase());
    let objects = extract(&sysmon(&json!({"commandLine": "id", "hashes": list})));
    let hashes = &only(&objects, "file")["hashes"];
    assert_eq!(*hashes, json!({"MD5": md5, "SHA-256": sha}));
}

#[test]
fn b_49_arguments_in_order_and_readable() {
    let mut arguments = json!({});
    for place in 0..12 {
        arguments[format!("a{place}")] = json!(format!("w{place}"));
    }
    arguments["a3"] = json!("6563686F206869");
    let objects = extract(&json!({"data": {"audit": {"execve": arguments, "pid": "77"}}}));
    assert_eq!(values(&objects, "process", "command_line"), ["w0 w1 w2 \"echo hi\" w4 w5 w6 w7 w8 w9 w10 w11"]);
}

#[test]
fn b_50_people_are_not_mixed() {
    let objects = extract(&json!({"data": {"srcuser": "alice(uid=1000)", "dstuser": "root(uid=0)"}}));
    let pair = |object: &Value| {
        (object["account_login"].as_str().unwrap().to_owned(), object["user_id"].as_str().unwrap().to_owned())
    };
    let mut accounts: Vec<_> = objects.iter().filter(|object| object["type"] == "user-account").map(pair).collect();
    accounts.sort();
    assert_eq!(accounts, [("alice".to_owned(), "1000".to_owned()), ("root".to_owned(), "0".to_owned())]);
    let objects = extract(&json!({"syscheck": {"path": "/etc/passwd", "uname_before": "old", "uname_after": "new"}}));
    let mut logins = values(&objects, "user-account", "account_login");
    logins.sort();
    assert_eq!(logins, ["new", "old"]);
}

#[test]
fn b_51_numbers_and_lists_where_texts_are_expected() {
    let objects = extract(
        &json!({"data": {"uid": 1000, "srcuser": ["kim", "kai"], "dstuser": 5, "srcip": ["198.51.100.1", 7], "url": {"x": 1}}}),
    );
    assert!(values(&objects, "user-account", "user_id").contains(&"1000".to_owned()), "{objects:#?}");
    assert_eq!(values(&objects, "ipv4-addr", "value"), ["198.51.100.1"]);
}

#[test]
fn b_52_every_security_identifier() {
    let key = r"HKU\\S-1-5-21-1111111111-2222222222-3333333333-1001\\Software";
    let objects = extract(
        &json!({"data": {"win": {"eventdata": {"targetObject": key, "subjectUserSid": "S-1-5-18", "targetUserSid": "S-1-5-21-1-2-3-500"}}}}),
    );
    let mut ids = values(&objects, "user-account", "user_id");
    ids.sort();
    ids.dedup();
    assert!(ids.contains(&"S-1-5-18".to_owned()) && ids.contains(&"S-1-5-21-1-2-3-500".to_owned()), "{ids:?}");
}

#[test]
fn b_53_lists_of_urls() {
    let objects = extract(
        &json!({"data": {"office365": {"MessageURLs": ["https://evil.example/a", "not a url", "javascript:alert(1)"]}}}),
    );
    assert_eq!(values(&objects, "url", "value"), ["https://evil.example/a"]);
}

#[test]
fn b_54_sizes_are_numbers_or_texts() {
    for size in [json!("123"), json!(123)] {
        let objects = extract(&json!({"syscheck": {"path": "/etc/passwd", "size_after": size}}));
        assert_eq!(values(&objects, "file", "size"), ["123"]);
    }
}

#[test]
fn b_55_odd_values_cost_nothing_else() {
    let objects = extract(&json!({
        "syscheck": {"path": "/var/log/", "md5_after": "", "sha1_after": "xyz", "value_type": "REG_UNHEARD_OF", "mtime_after": "yesterday"},
        "data": {"srcip": "198.51.100.1"},
    }));
    assert_eq!(values(&objects, "directory", "path"), ["/var/log"]);
    assert_eq!(values(&objects, "ipv4-addr", "value"), ["198.51.100.1"]);
    let objects = extract(
        &json!({"syscheck": {"path": "HKEY_LOCAL_MACHINE\\Software\\X", "value_name": "v", "value_type": "REG_UNHEARD_OF"}}),
    );
    let key = only(&objects, "windows-registry-key");
    assert_eq!(key["values"][0]["name"], "v");
    assert!(key["values"][0]["data_type"].is_null());
}

#[test]
fn b_56_hashes_stay_with_their_file() {
    let sha = "c".repeat(64);
    let objects = extract(&json!({
        "syscheck": {"path": "/tmp/evil", "sha256_after": sha},
        "data": {"file": "/etc/other"},
    }));
    let other = objects.iter().find(|object| object["name"] == "other").unwrap();
    let evil = objects.iter().find(|object| object["name"] == "evil").unwrap();
    assert!(other["hashes"].is_null());
    assert_eq!(evil["hashes"]["SHA-256"], sha);
}

#[test]
fn b_57_ambiguous_dates_are_no_dates() {
    let time =
        |text: &str| values(&extract(&json!({"syscheck": {"path": "/tmp/x", "mtime_after": text}})), "file", "mtime");
    assert_eq!(time("2024-08-01T05:26:40"), ["2024-08-01T05:26:40.000Z"]);
    assert_eq!(time("03/04/2024"), [""; 0]);
    assert_eq!(time("yesterday"), [""; 0]);
}

#[test]
fn b_58_one_notation_of_a_path() {
    let objects =
        extract(&json!({"data": {"win": {"eventdata": {"image": "C:\\\\Windows\\\\cmd.exe", "commandLine": "cmd"}}}}));
    assert_eq!(values(&objects, "directory", "path"), ["C:\\Windows"]);
}

#[test]
fn b_59_hives_and_values() {
    let key = |member: &str, text: &str| {
        let objects = extract(
            &json!({"data": {"win": {"system": {"eventID": "13", "providerName": "Microsoft-Windows-Sysmon"}, "eventdata": {member: text}}}}),
        );
        only(&objects, "windows-registry-key").clone()
    };
    let found = key("targetObject", r"hklm\\Software\\Run\\Evil");
    assert_eq!(found["key"], r"HKEY_LOCAL_MACHINE\Software\Run");
    assert_eq!(found["values"][0]["name"], "Evil");
}

#[test]
fn b_60_traffic_tolerates_everything() {
    for data in [
        json!({"srcip": "", "dstip": "198.51.100.1", "dstport": "22"}),
        json!({"srcip": "not an address", "srcport": "many", "dstip": "198.51.100.1"}),
        json!({"srcport": "1", "dstport": "2", "protocol": "tcp"}),
        json!({"dstip": "198.51.100.1", "protocol": "tcp"}),
        json!({"srcport": {}, "dstport": [], "srcip": 5}),
    ] {
        let mut alert = json!({"data": data});
        alert["rule"] = json!({"id": "1"});
        extract(&alert);
    }
    let objects = extract(&json!({"data": {"srcip": "", "dstip": "198.51.100.1", "dstport": "22", "protocol": "tcp"}}));
    let traffic = only(&objects, "network-traffic");
    assert_eq!((traffic["dst_port"].as_i64(), traffic["src_ref"].is_null()), (Some(22), true));
}

#[test]
fn b_61_b_62_protocols_and_ends_are_those_of_the_connection() {
    let connection = |more: &Value| {
        let data = merged(json!({"srcip": "198.51.100.1", "srcport": "1024", "protocol": "TCP"}), more);
        let mut document = json!({"data": data});
        document["agent"] = json!({"id": "001", "name": "web01", "ip": "10.0.0.5"});
        extract(&document)
    };
    let objects = connection(&json!({}));
    let traffic = only(&objects, "network-traffic");
    assert_eq!(traffic["protocols"], json!(["ipv4", "tcp", "ssh"]));
    // The agent may be the destination, or only the one that reported it.
    assert!(traffic["dst_ref"].is_null());
    let other = connection(&json!({"aws": {"remote_ip": "2001:db8::1"}}));
    let same = other.iter().find(|object| object["type"] == "network-traffic" && object["src_port"] == 1024).unwrap();
    assert_eq!(same["protocols"], traffic["protocols"]);
}

#[test]
fn b_64_b_65_vulnerabilities_of_any_layout() {
    for vulnerability in [
        json!({"cve": "CVE-2024-3094", "package": {"name": "xz"}}),
        json!({"cve": "CVE-2024-3094", "cvss": {"cvss3": {"base_score": ""}}, "package": {"name": "xz"}}),
        json!({"cve": "CVE-2024-3094", "score": {"base": "many"}, "package": {"name": "xz"}}),
    ] {
        let objects = extract(&json!({"data": {"vulnerability": vulnerability}}));
        assert_eq!(values(&objects, "vulnerability", "name"), ["CVE-2024-3094"]);
        assert_eq!(values(&objects, "relationship", "relationship_type"), ["has"]);
    }
    let objects = extract(
        &json!({"data": {"vulnerability": {"cve": "CVE-2024-3094", "score": {"base": 9.8, "version": "3.1"}}}}),
    );
    assert_eq!(values(&objects, "vulnerability", "x_opencti_cvss_base_score"), ["9.8"]);
}

#[test]
fn b_67_addresses_with_ports_and_mapped_ones() {
    let address = |text: &str| {
        let objects = extract(&json!({"data": {"office365": {"ClientIP": text}}}));
        [values(&objects, "ipv4-addr", "value"), values(&objects, "ipv6-addr", "value")].concat()
    };
    assert_eq!(address("203.0.113.7:51000"), ["203.0.113.7"]);
    assert_eq!(address("[2001:db8::7]:443"), ["2001:db8::7"]);
    assert_eq!(address("::ffff:203.0.113.7"), ["203.0.113.7"]);
}

#[test]
fn b_68_names_are_what_they_look_like() {
    let objects = extract(
        &json!({"data": {"win": {"system": {"computer": "WEB01"}, "eventdata": {"queryName": "evil.example"}}, "dns": {"question": {"name": "198.51.100.1"}}}}),
    );
    assert_eq!(values(&objects, "domain-name", "value"), ["evil.example"]);
    assert!(!values(&objects, "hostname", "value").contains(&"198.51.100.1".to_owned()));
    let objects = extract(&json!({"data": {"dns": {"question": {"name": ""}}}}));
    assert_eq!(values(&objects, "domain-name", "value"), [""; 0]);
}

/// What is left out of an alert is told in the summary.
#[test]
fn alerts_with_more_than_is_taken_are_told() {
    let many: Vec<String> = (0..10_000).map(|number| format!("https://198.51.100.7/{number}")).collect();
    let summary = |urls: &[String]| {
        let time = "2026-03-14T09:00:00.000Z";
        let alert = alert(WEB, "5710", 5, time, &json!({"data": {"srcip": "203.0.113.7", "url": urls}}));
        let options = EnrichmentOptions { bundle_abort_limit: None, ..options() };
        let enrichment = enrich(&subject(), &Alerts::new([alert]), &options).unwrap();
        let notes = of_type(&enrichment.bundle, "note");
        notes.iter().any(|note| note["content"].as_str().unwrap().contains("| **Extracted in part** | 1 alert |"))
    };
    assert!(summary(&many) && !summary(&many[..5]));
}
