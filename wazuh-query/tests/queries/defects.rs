//! Defects of the original's queries that no snapshot shows well: what a query finds in an alert, and what not.
//! `docs/defects.md` lists all of them.

use std::slice::from_ref;

use serde_json::{Value, json};
use stix_model::Object;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::options::{DirOption, FileOption, SearchOptions};

use crate::with;

const MD5: &str = "0123456789abcdef0123456789abcdef";
const SHA256: &str = "1c7df7dff6c2411fb47f94a52e606f7fd58fe4845752442aa0d62844aa3a35b1";
const ADDRESS: &str = "198.51.100.7";

/// Whether the query for the first of some objects finds an alert.
#[track_caller]
fn finds(options: &SearchOptions, objects: &[Value], alert: &Value) -> bool {
    let objects: Vec<Object> = objects.iter().map(|object| object.to_string().parse().unwrap()).collect();
    let catalogue = Catalogue::builtin();
    let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, options.clone());
    let built = builder.build(&objects[0], objects.as_slice()).unwrap();
    Evaluator::new(&catalogue, Schema::Wazuh4).matches(&built.query, alert).unwrap()
}

/// The same for one object, with the default options.
#[track_caller]
fn found(object: &Value, alert: &Value) -> bool {
    finds(&with(|_| ()), from_ref(object), alert)
}

/// The query or the reason, as a text.
fn answer(options: &SearchOptions, objects: &[Value]) -> String {
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    crate::answer(Schema::Wazuh4, options, &lines.join("\n"))
}

/// Q-01, Q-02: a value that is not there was an error, or a query for every alert.
#[test]
fn q_01_q_02_nothing_is_not_searched() {
    for (mut object, missing) in [
        (json!({"type": "url", "value": " "}), "value"),
        (json!({"type": "email-addr", "value": ""}), "value"),
        (json!({"type": "domain-name", "value": ""}), "value"),
        (json!({"type": "mac-addr", "value": ""}), "value"),
        (json!({"type": "user-agent", "value": ""}), "value"),
        (json!({"type": "directory", "path": ""}), "path"),
        (json!({"type": "windows-registry-key", "key": null}), "key"),
        (json!({"type": "process"}), "command_line"),
    ] {
        object["id"] = json!(format!("{}--00000000-0000-4000-8000-000000000001", object["type"].as_str().unwrap()));
        assert_eq!(answer(&with(|_| ()), from_ref(&object)), format!("not searchable: has no {missing}\n"), "{object}");
    }
}

/// Q-05: the names of a file were one expression, which an index refuses beyond a thousand characters.
#[test]
fn q_05_many_names_are_several_expressions() {
    let names: Vec<String> = (0..40).map(|place| format!("a-rather-long-name-of-a-file-{place}.exe")).collect();
    let file = json!({"type": "file", "name": "first.exe", "x_opencti_additional_names": names});
    // How long expressions are is looked at where the answer is made.
    assert!(!answer(&with(|_| ()), from_ref(&file)).contains("not search"));
    for name in ["first.exe", "a-rather-long-name-of-a-file-39.exe"] {
        assert!(found(&file, &json!({"syscheck": {"path": format!("/srv/{name}")}})), "{name}");
    }
}

/// Q-08, Q-09: digests were found only in the case that they have at the platform, and not in Sysmon's list.
#[test]
fn q_08_q_09_digests_in_any_case_and_in_lists() {
    let file = json!({"type": "file", "hashes": {"MD5": MD5, "SHA-256": SHA256.to_uppercase()}});
    let list = |text: String| json!({"data": {"win": {"eventdata": {"hashes": text}}}});
    for alert in [
        json!({"syscheck": {"sha256_after": SHA256}}),
        json!({"syscheck": {"md5_after": MD5.to_uppercase()}}),
        list(format!("SHA1=00,SHA256={},IMPHASH=00", SHA256.to_uppercase())),
    ] {
        assert!(found(&file, &alert), "{alert}");
    }
    // An import hash of the same digits is something else.
    assert!(!found(&file, &list(format!("IMPHASH={MD5}"))));
}

/// Q-10, Q-18: an empty text among the hashes spoiled the query, and one digest of empty input the whole search.
#[test]
fn q_10_q_18_digests_that_say_nothing() {
    let nothing = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let file = json!({"type": "file", "hashes": {"SHA-256": "", "SHA-1": nothing.to_uppercase(), "MD5": MD5}});
    assert!(found(&file, &json!({"syscheck": {"md5_after": MD5}})));
    assert!(!found(&file, &json!({"syscheck": {"sha1_after": nothing}})));
    let named = json!({"type": "file", "name": "a.exe", "hashes": {"SHA-1": nothing}});
    assert!(found(&named, &json!({"syscheck": {"path": "/srv/a.exe"}})));
}

/// Q-13, Q-14, Q-15: names that cannot be searched took the hash, or the other names, with them.
#[test]
fn q_13_q_14_q_15_what_can_be_searched_is() {
    let options = |regexp: bool| {
        with(|options| {
            options.file.extend([FileOption::SearchNameAndHash, FileOption::RequireAbsPath]);
            if !regexp {
                options.file.remove(&FileOption::AllowRegexp);
            }
        })
    };
    for options in [options(true), options(false)] {
        for name in [Value::Null, json!("a.exe")] {
            let file = json!({"type": "file", "name": name, "hashes": {"MD5": MD5}});
            assert!(finds(&options, from_ref(&file), &json!({"syscheck": {"md5_after": MD5}})), "{file}");
        }
        let file = json!({"type": "file", "name": "a.exe", "x_opencti_additional_names": [r"C:\Temp\b.exe"]});
        assert!(finds(&options, from_ref(&file), &json!({"syscheck": {"path": r"C:\Temp\b.exe"}})));
        assert!(!finds(&options, from_ref(&file), &json!({"syscheck": {"path": r"C:\Temp\a.exe"}})));
        assert!(answer(&options, from_ref(&file)).contains("`a.exe` is not searched: its path is not absolute"));
    }
}

/// Q-16: a directory that ends in a separator, and one that is a drive.
#[test]
fn q_16_the_directory_of_a_file() {
    let id = "directory--00000000-0000-5000-8000-000000000001";
    let exact = with(|options| options.file = [FileOption::SearchFilenameOnly, FileOption::IncludeParentDirRef].into());
    for (directory, wanted) in
        [("/", "/x.bin"), ("/srv/", "/srv/x.bin"), ("C:", r"C:\x.bin"), (r"C:\Temp\", r"C:\Temp\x.bin")]
    {
        let objects = [
            json!({"type": "file", "name": "sub/x.bin", "parent_directory_ref": id}),
            json!({"type": "directory", "id": id, "path": directory}),
        ];
        for options in [&with(|_| ()), &exact] {
            assert!(finds(options, &objects, &json!({"syscheck": {"path": wanted}})), "{directory}");
        }
    }
}

/// Q-17, Q-46: without expressions, paths were searched in one notation only, or in both at once.
#[test]
fn q_17_q_46_each_notation_is_enough() {
    let exact = with(|options| {
        options.file.remove(&FileOption::AllowRegexp);
        options.directory = [DirOption::NormaliseBackslashes].into();
    });
    let file = json!({"type": "file", "name": r"C:\Temp\a"});
    let directory = json!({"type": "directory", "path": r"C:\Temp\a"});
    for path in [r"C:\Temp\a", r"C:\\Temp\\a"] {
        assert!(finds(&exact, from_ref(&file), &json!({"syscheck": {"path": path}})), "{path}");
        let alert = json!({"data": {"win": {"eventdata": {"currentDirectory": path}}}});
        assert!(finds(&exact, from_ref(&directory), &alert), "{path}");
    }
}

/// Q-19: a file with a size was searched only where alerts have sizes.
#[test]
fn q_19_sizes_count_where_there_are_some() {
    let file = json!({"type": "file", "name": "a.exe", "size": 7});
    for (size, wanted) in [(Value::Null, true), (json!(7), true), (json!(8), false)] {
        let alert = json!({"syscheck": {"path": "/srv/a.exe", "size_after": size}});
        assert_eq!(found(&file, &alert), wanted, "{alert}");
    }
}

/// Q-21: an empty name matched every directory, and null in place of the further names was an error.
#[test]
fn q_21_names_that_are_none() {
    for name in [json!(""), json!(r"C:\Temp\"), Value::Null] {
        let id = "file--00000000-0000-5000-8000-000000000001";
        let file = json!({"type": "file", "id": id, "name": name, "x_opencti_additional_names": null});
        let reason = "not searchable: has no hash that alerts hold, and no name\n";
        assert_eq!(answer(&with(|_| ()), from_ref(&file)), reason, "{file}");
    }
}

/// Q-22, Q-26: addresses were not looked for where Sysmon and the cloud have them.
#[test]
fn q_22_q_26_fields_of_addresses() {
    let address = json!({"type": "ipv4-addr", "value": ADDRESS});
    for path in [
        "data.win.eventdata.sourceIp",
        "data.win.eventdata.destinationIp",
        "data.dst_ip",
        "data.local_ip",
        "data.srcaddr",
        "data.dstaddr",
        "data.aws.requestParameters.publicIp",
        "data.aws.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4",
    ] {
        assert!(found(&address, &json!({path: ADDRESS})), "{path}");
    }
    let answers = format!("type:  5 cdn.example;::ffff:{ADDRESS};");
    assert!(found(&address, &json!({"data": {"win": {"eventdata": {"queryResults": answers}}}})));
}

/// Q-23, Q-37, Q-38: alerts of the agent that has the address or the name were hidden, whatever else was in them.
#[test]
fn q_23_q_37_q_38_the_agent_and_what_it_reports() {
    let wide = with(|options| {
        options.lookup_agent_ip = true;
        options.lookup_agent_name = true;
    });
    let address = json!({"type": "ipv4-addr", "value": ADDRESS});
    let host = json!({"type": "hostname", "value": "web01"});
    let called = json!({"win": {"eventdata": {"destinationHostname": "WEB01"}}});
    for (object, agent, data) in [
        (&address, json!({"agent": {"ip": ADDRESS}}), json!({"srcip": ADDRESS})),
        (&host, json!({"agent": {"name": "web01"}}), called.clone()),
        (&host, json!({"predecoder": {"hostname": "web01"}}), called),
    ] {
        assert!(!found(object, &agent), "{agent}");
        assert!(finds(&wide, from_ref(object), &agent), "{agent}");
        let mut both = agent;
        both["data"] = data;
        assert!(found(object, &both), "{both}");
    }
}

/// Q-25: addresses were found only as the platform writes them.
#[test]
fn q_25_spellings_of_addresses() {
    for (object_type, value, written) in [
        ("ipv6-addr", "2001:DB8:0::1", "2001:db8::1"),
        ("ipv6-addr", "2001:db8::1", "2001:0DB8:0000:0000:0000:0000:0000:0001"),
        ("ipv6-addr", "fe80::1%eth0", "fe80::1"),
        ("ipv6-addr", "::ffff:198.51.100.7", ADDRESS),
        ("ipv4-addr", ADDRESS, "::ffff:198.51.100.7"),
    ] {
        let address = json!({"type": object_type, "value": value});
        assert!(found(&address, &json!({"data": {"srcip": written}})), "{value} {written}");
    }
}

/// Q-30: fields of hardware addresses whose names have capital letters.
#[test]
fn q_30_fields_of_hardware_addresses() {
    let address = json!({"type": "mac-addr", "value": "0a:1b:2c:3d:4e:5f"});
    for path in ["data.srcMac", "data.dstMac", "data.mastersrcmac"] {
        assert!(found(&address, &json!({path: "0A-1B-2C-3D-4E-5F"})), "{path}");
    }
}

/// A connection from the address, and the address.
fn connection(more: &Value) -> [Value; 2] {
    let id = "ipv4-addr--00000000-0000-5000-8000-000000000002";
    let mut traffic = json!({
        "type": "network-traffic", "id": "network-traffic--00000000-0000-5000-8000-000000000001", "src_ref": id,
        "protocols": [],
    });
    for (name, value) in more.as_object().unwrap() {
        traffic[name] = value.clone();
    }
    [traffic, json!({"type": "ipv4-addr", "id": id, "value": ADDRESS})]
}

/// Q-33: any of the protocols was enough, in one case, and an empty list was an error.
#[test]
fn q_33_the_most_specific_protocol() {
    let alert = |protocol: &str| json!({"data": {"win": {"eventdata": {"sourceIp": ADDRESS, "protocol": protocol}}}});
    let tcp = connection(&json!({"protocols": ["ipv4", "tcp"]}));
    for (protocol, wanted) in [("TCP", true), ("tcp", true), ("6", true), ("udp", false), ("ipv4", false)] {
        assert_eq!(finds(&with(|_| ()), &tcp, &alert(protocol)), wanted, "{protocol}");
    }
    assert!(finds(&with(|_| ()), &connection(&json!({})), &alert("udp")));
}

/// Q-34: a field of addresses counted as one of ports, and others were missing.
#[test]
fn q_34_fields_of_connections() {
    let traffic = connection(&json!({"src_port": 50_123}));
    let log_on = json!({"data": {"win": {"eventdata": {"ipAddress": ADDRESS, "ipPort": "50123"}}}});
    assert!(finds(&with(|_| ()), &traffic, &log_on));
    assert!(!finds(&with(|_| ()), &traffic, &json!({"data": {"srcip": ADDRESS, "IP": "50123"}})));
}

/// Q-35: the warning about the destination named the source.
#[test]
fn q_35_the_end_that_cannot_be_searched_is_named() {
    let id = "domain-name--00000000-0000-5000-8000-000000000003";
    let [traffic, address] = connection(&json!({"dst_ref": id}));
    let objects = [traffic, address, json!({"type": "domain-name", "id": id, "value": "evil.example"})];
    let reason = answer(&with(|_| ()), &objects);
    assert!(reason.starts_with("not searchable: `dst_ref` refers to an object of type domain-name"), "{reason}");
}

/// Q-36: addresses of people were found in one case only, and not where mail and logins have them.
#[test]
fn q_36_addresses_of_people() {
    let address = json!({"type": "email-addr", "value": "Kim@Example.NET"});
    for path in ["data.office365.UserId", "data.email.from", "data.srcuser"] {
        assert!(found(&address, &json!({path: "kim@example.net"})), "{path}");
    }
}

/// Q-40: names in command lines were found inside other names, and wildcards in them were wildcards.
#[test]
fn q_40_names_in_command_lines_are_whole() {
    let options = with(|options| options.lookup_hostnames_in_cmd_line = true);
    let name = json!({"type": "domain-name", "value": "example.net"});
    for (line, wanted) in [
        ("curl https://Example.net/x", true),
        ("ping example.net", true),
        ("curl notexample.net", false),
        ("ping example.net.evil.example", false),
        ("ping examplexnet", false),
    ] {
        let alert = json!({"data": {"win": {"eventdata": {"commandLine": line}}}});
        assert_eq!(finds(&options, from_ref(&name), &alert), wanted, "{line}");
    }
    let reason = answer(&options, &[json!({"type": "domain-name", "value": "*"})]);
    assert_eq!(reason, "not searchable: `*` is not the name of a host\n");
}

/// Q-42, Q-44, Q-45: a URL with a slash at its end could not find itself, options took fields away, and only one spelling was
/// known.
#[test]
fn q_42_q_44_q_45_urls() {
    let without_host = with(|options| options.lookup_url_without_host = true);
    let ignore_slash = with(|options| options.lookup_url_ignore_trailing_slash = true);
    let both = with(|options| {
        options.lookup_url_without_host = true;
        options.lookup_url_ignore_trailing_slash = true;
    });
    let url = json!({"type": "url", "value": "https://h.example/a/"});
    for options in [&with(|_| ()), &without_host, &ignore_slash, &both] {
        for path in ["data.url", "data.office365.MeetingURL"] {
            assert!(finds(options, from_ref(&url), &json!({path: "https://h.example/a/"})), "{path}");
        }
    }
    // Hosts have no case, and clients write them in lower case.
    let loud = json!({"type": "url", "value": "HTTPS://H.Example/a"});
    for options in [&with(|_| ()), &ignore_slash] {
        assert!(finds(options, from_ref(&loud), &json!({"data": {"url": "https://h.example/a"}})));
    }
    // Q-45: what makes no difference.
    let escaped = json!({"type": "url", "value": "http://h.example/%7Ea/\u{fc}"});
    for written in ["http://h.example:80/~a/%c3%bc", "http://H.EXAMPLE/~a/%C3%BC", "http://h.example/~a/\u{fc}"] {
        for options in [&with(|_| ()), &ignore_slash] {
            assert!(finds(options, from_ref(&escaped), &json!({"data": {"url": written}})), "{written}");
        }
    }
    for written in ["http://h.example:8080/~a/%c3%bc", "http://h.example/~A/%C3%BC", "https://h.example/~a/\u{fc}"] {
        assert!(!finds(&ignore_slash, from_ref(&escaped), &json!({"data": {"url": written}})), "{written}");
    }
    for (written, wanted) in [("/a/", true), ("https://other.example/a/", true), ("https://h.example/a", false)] {
        assert_eq!(finds(&without_host, from_ref(&url), &json!({"data": {"url": written}})), wanted, "{written}");
    }
}

/// Q-57: a registry value without data was an error; one with data was not found before a change, but in every file with
/// the same content.
#[test]
fn q_57_registry_values() {
    let value = |data: Value| {
        let id = "windows-registry-value-type--00000000-0000-4000-8000-000000000001";
        let object_type = "windows-registry-value-type";
        json!({"type": object_type, "spec_version": "2.1", "id": id, "name": "v", "data_type": "REG_SZ", "data": data})
    };
    // SHA-256 of the text.
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let hello = value(json!("hello"));
    assert!(found(&hello, &json!({"syscheck": {"sha256_before": digest, "value_name": "v"}})));
    assert!(!found(&hello, &json!({"syscheck": {"sha256_before": digest}})));
    for data in [Value::Null, json!(""), json!(" ")] {
        assert_eq!(answer(&with(|_| ()), &[value(data)]), "not searchable: has no data\n");
    }
}

/// Q-58 to Q-61: quotes of the command, borders of words, and arguments in fields that hold none.
#[test]
fn q_58_q_59_q_60_q_61_command_lines() {
    let process = |line: &str| json!({"type": "process", "id": "process--00000000-0000-4000-8000-000000000001", "command_line": line});
    let quoted = process(r#""C:\Program Files\x.exe" -q"#);
    for (line, wanted) in [
        (r#""C:\Program Files\x.exe" -q"#, true),
        ("x.exe -q", true),
        ("x.exe -quiet", false),
        ("x.exe", false),
        ("xy.exe -q", false),
    ] {
        let alert = json!({"data": {"win": {"eventdata": {"commandLine": line}}}});
        assert_eq!(found(&quoted, &alert), wanted, "{line}");
    }
    let image = |path: &str| json!({"data": {"win": {"eventdata": {"image": path}}}});
    assert!(!found(&quoted, &image(r"C:\Program Files\x.exe")));
    let bare = process("/usr/bin/nc");
    assert!(found(&bare, &image("/usr/bin/nc")));
    for (line, wanted) in [("nc", true), ("/bin/nc -l", true), ("ncat", false)] {
        assert_eq!(found(&bare, &json!({"data": {"command": line}})), wanted, "{line}");
    }
}

/// Q-64, Q-65, Q-66, Q-68: fields of accounts that were not searched, domains before and behind names, and alerts that
/// have the name or the identifier only.
#[test]
fn q_64_q_65_q_66_q_68_accounts() {
    let sid = "S-1-5-21-1-2-3-1001";
    let identifier = |text: &str| json!({"type": "user-account", "user_id": text});
    let login = |text: &str| json!({"type": "user-account", "account_login": text});
    let both = json!({"type": "user-account", "account_login": "kim", "user_id": sid});
    for (account, path, written) in [
        (identifier(sid), "data.Authorization.sid", sid),
        (identifier("501"), "data.userID", "501"),
        (identifier(sid), "data.win.eventdata.targetUserSid", sid),
        (login("kim"), "data.win.eventdata.targetUserName", "KIM"),
        (login("kim"), "data.win.eventdata.subjectUserName", "kim"),
        (login("kim"), "data.win.eventdata.samAccountName", "kim"),
        (login(r"CORP\kim"), "data.win.eventdata.targetUserName", "kim"),
        (login(r"CORP\kim"), "data.win.eventdata.user", r"corp\\kim"),
        (login("kim@corp.example"), "data.win.eventdata.targetUserName", "kim"),
        (both.clone(), "data.win.eventdata.targetUserName", "kim"),
        (both, "data.win.eventdata.targetUserSid", sid),
    ] {
        assert!(found(&account, &json!({path: written})), "{account} {path}");
    }
}

/// Q-69: user agents were looked for in two fields.
#[test]
fn q_69_fields_of_user_agents() {
    let agent = json!({"type": "user-agent", "value": "curl/8.5.0"});
    for path in [
        "data.aws.userAgent",
        "data.office365.UserAgent",
        "data.http.http_user_agent",
        "data.http_user_agent",
        "data.user_agent",
        "data.userAgent",
    ] {
        assert!(found(&agent, &json!({path: "curl/8.5.0"})), "{path}");
    }
}
