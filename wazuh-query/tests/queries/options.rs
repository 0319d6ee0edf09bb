//! What each option changes.

use std::collections::BTreeSet;

use wazuh_query::catalogue::Schema;
use wazuh_query::options::{DirOption, FileOption, ProcOption, RegKeyOption, SearchOptions};

use crate::{answer, with};

fn toggled<T: Ord + Copy>(set: &mut BTreeSet<T>, option: T) {
    if !set.remove(&option) {
        set.insert(option);
    }
}

/// The answers with every option of a set turned over, one after the other.
#[track_caller]
fn each<T: Ord + Copy + std::fmt::Display>(
    all: &[T],
    lines: &[&str],
    set: impl Fn(&mut SearchOptions) -> &mut BTreeSet<T>,
) -> String {
    let mut text = String::new();
    for option in all {
        let options = with(|options| toggled(set(options), *option));
        let state = if set(&mut options.clone()).contains(option) { "on" } else { "off" };
        for line in lines {
            text.push_str(&format!("--- {option} {state}\n{}", answer(Schema::Wazuh4, &options, line)));
        }
    }
    text
}

#[test]
fn files() {
    let with_hash = r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000001","hashes":{"SHA-1":"2b2accbbbac854d42332975bfe876d38c8c49cb6"},"name":"a.exe"}"#;
    let by_name = r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000002","name":"C:\\Temp\\a.exe","size":7,"x_opencti_additional_names":["b.exe"],"parent_directory_ref":"directory--00000000-0000-5000-8000-000000000003"}
{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000003","path":"/srv/"}"#;
    insta::assert_snapshot!(each(FileOption::ALL, &[with_hash, by_name], |options| &mut options.file));
}

#[test]
fn directories() {
    let absolute =
        r#"{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000001","path":"C:\\Users\\Public\\"}"#;
    let relative = r#"{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000002","path":"Temp"}"#;
    insta::assert_snapshot!(each(DirOption::ALL, &[absolute, relative], |options| &mut options.directory));
}

#[test]
fn processes() {
    let line = r#"{"type":"process","id":"process--00000000-0000-4000-8000-000000000001","command_line":"tool -x"}"#;
    insta::assert_snapshot!(each(ProcOption::ALL, &[line], |options| &mut options.process));
}

#[test]
fn registry_keys() {
    let absolute = r#"{"type":"windows-registry-key","id":"windows-registry-key--00000000-0000-5000-8000-000000000001","key":"HKU\\S-1-5-21-1-2-3-1001\\Software\\{1F4D}"}"#;
    let relative = r#"{"type":"windows-registry-key","id":"windows-registry-key--00000000-0000-5000-8000-000000000002","key":"Software\\Acme\\"}"#;
    insta::assert_snapshot!(each(RegKeyOption::ALL, &[absolute, relative], |options| &mut options.registry_key));
}

#[test]
fn switches() {
    let address =
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000001","value":"198.51.100.7"}"#;
    let name =
        r#"{"type":"domain-name","id":"domain-name--00000000-0000-5000-8000-000000000002","value":"evil.example"}"#;
    let mac = r#"{"type":"mac-addr","id":"mac-addr--00000000-0000-5000-8000-000000000003","value":"0A1B2C3D4E5F"}"#;
    let url = r#"{"type":"url","id":"url--00000000-0000-5000-8000-000000000004","value":"https://h.example/a+b/?c=d"}"#;
    let bare = r#"{"type":"url","id":"url--00000000-0000-5000-8000-000000000005","value":"https://h.example"}"#;
    let mut text = String::new();
    let mut add = |what: &str, options: SearchOptions, line: &str| {
        text.push_str(&format!("--- {what}\n{}", answer(Schema::Wazuh4, &options, line)));
    };
    add("ignore_private_addrs on", with(|options| options.ignore_private_addrs = true), address);
    add("lookup_agent_ip on", with(|options| options.lookup_agent_ip = true), address);
    add("lookup_hosts_in_urls off", with(|options| options.lookup_hosts_in_urls = false), address);
    add("lookup_agent_name on", with(|options| options.lookup_agent_name = true), name);
    add("lookup_hostnames_in_cmd_line on", with(|options| options.lookup_hostnames_in_cmd_line = true), name);
    add("lookup_mac_variants off", with(|options| options.lookup_mac_variants = false), mac);
    add("lookup_url_without_host on", with(|options| options.lookup_url_without_host = true), url);
    add("lookup_url_without_host on", with(|options| options.lookup_url_without_host = true), bare);
    add("lookup_url_ignore_trailing_slash on", with(|options| options.lookup_url_ignore_trailing_slash = true), url);
    let both = |options: &mut SearchOptions| {
        options.lookup_url_without_host = true;
        options.lookup_url_ignore_trailing_slash = true;
    };
    add("both URL options on", with(both), url);
    insta::assert_snapshot!(text);
}
