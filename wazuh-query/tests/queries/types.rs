//! One query per type and schema, with the default options.

use wazuh_query::catalogue::Schema;

use crate::{answer, with};

const FILE_HASH: &str = r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000001","hashes":{"MD5":"0123456789ABCDEF0123456789ABCDEF","SHA-256":"1c7df7dff6c2411fb47f94a52e606f7fd58fe4845752442aa0d62844aa3a35b1"},"name":"invoice.exe"}"#;
const FILE_NAME: &str = r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000002","name":"invoice.exe","size":4096,"x_opencti_additional_names":["C:\\Temp\\inv.exe"]}"#;
const FILE_PARENT: &str = r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000003","name":"sub/x.bin","parent_directory_ref":"directory--00000000-0000-5000-8000-000000000004"}
{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000004","path":"C:\\Temp\\"}"#;
const TRAFFIC: &str = r#"{"type":"network-traffic","id":"network-traffic--00000000-0000-5000-8000-000000000005","src_ref":"ipv4-addr--00000000-0000-5000-8000-000000000006","dst_ref":"mac-addr--00000000-0000-5000-8000-000000000007","dst_port":443,"protocols":["ipv4","tcp"]}
{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000006","value":"198.51.100.7"}
{"type":"mac-addr","id":"mac-addr--00000000-0000-5000-8000-000000000007","value":"0a:1b:2c:3d:4e:5f"}"#;
const MESSAGE: &str = r#"{"type":"email-message","id":"email-message--00000000-0000-5000-8000-000000000008","is_multipart":false,"subject":"Rechnung","from_ref":"email-addr--00000000-0000-5000-8000-000000000009"}
{"type":"email-addr","id":"email-addr--00000000-0000-5000-8000-000000000009","value":"billing@example.net"}"#;

/// A name for the snapshot, and the objects.
const SAMPLES: &[(&str, &str)] = &[
    (
        "artifact",
        r#"{"type":"artifact","id":"artifact--00000000-0000-5000-8000-000000000010","hashes":{"SHA-1":"2b2accbbbac854d42332975bfe876d38c8c49cb6"},"mime_type":"x/y"}"#,
    ),
    (
        "autonomous_system",
        r#"{"type":"autonomous-system","id":"autonomous-system--00000000-0000-5000-8000-000000000011","number":64500}"#,
    ),
    (
        "directory",
        r#"{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000012","path":"C:\\Users\\Public\\"}"#,
    ),
    (
        "domain_name",
        r#"{"type":"domain-name","id":"domain-name--00000000-0000-5000-8000-000000000013","value":"CDN.Example.net."}"#,
    ),
    (
        "domain_name_idn",
        r#"{"type":"domain-name","id":"domain-name--00000000-0000-5000-8000-000000000014","value":"bücher.example"}"#,
    ),
    (
        "email_addr",
        r#"{"type":"email-addr","id":"email-addr--00000000-0000-5000-8000-000000000015","value":"kim@example.net"}"#,
    ),
    ("email_message", MESSAGE),
    ("file_hash", FILE_HASH),
    ("file_name", FILE_NAME),
    ("file_parent", FILE_PARENT),
    ("hostname", r#"{"type":"hostname","id":"hostname--00000000-0000-5000-8000-000000000016","value":"WEB01"}"#),
    (
        "identity",
        r#"{"type":"identity","id":"identity--00000000-0000-5000-8000-000000000017","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"web01","identity_class":"system"}"#,
    ),
    (
        "ipv4_addr",
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000018","value":"198.51.100.7"}"#,
    ),
    (
        "ipv4_network",
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000019","value":"198.51.100.64/26"}"#,
    ),
    (
        "ipv6_addr",
        r#"{"type":"ipv6-addr","id":"ipv6-addr--00000000-0000-5000-8000-000000000020","value":"2001:DB8:0::1"}"#,
    ),
    (
        "ipv6_network",
        r#"{"type":"ipv6-addr","id":"ipv6-addr--00000000-0000-5000-8000-000000000021","value":"2001:db8:bad::/47"}"#,
    ),
    (
        "mac_addr",
        r#"{"type":"mac-addr","id":"mac-addr--00000000-0000-5000-8000-000000000022","value":"0A-1B-2C-3D-4E-5F"}"#,
    ),
    ("mutex", r#"{"type":"mutex","id":"mutex--00000000-0000-5000-8000-000000000023","name":"Global\\x.1"}"#),
    ("network_traffic", TRAFFIC),
    (
        "process",
        r#"{"type":"process","id":"process--00000000-0000-4000-8000-000000000024","command_line":"\"C:\\Program Files\\tool.exe\" -q --opt=\"a b\""}"#,
    ),
    (
        "process_command_only",
        r#"{"type":"process","id":"process--00000000-0000-4000-8000-000000000025","command_line":"/usr/bin/nc"}"#,
    ),
    (
        "registry_value",
        r#"{"type":"windows-registry-value-type","id":"windows-registry-value-type--00000000-0000-4000-8000-000000000026","spec_version":"2.1","name":"v","data":"hello","data_type":"REG_SZ"}"#,
    ),
    (
        "software",
        r#"{"type":"software","id":"software--00000000-0000-5000-8000-000000000027","name":"openssl","version":"3.0.13"}"#,
    ),
    ("text", r#"{"type":"text","id":"text--00000000-0000-5000-8000-000000000028","value":"ET MALWARE \"x\""}"#),
    (
        "url",
        r#"{"type":"url","id":"url--00000000-0000-5000-8000-000000000029","value":"HTTPS://Shop.Example.net:8443/cart/?id=7"}"#,
    ),
    (
        "user_account",
        r#"{"type":"user-account","id":"user-account--00000000-0000-5000-8000-000000000030","account_login":"CORP\\kim","user_id":"S-1-5-21-1-2-3-1001"}"#,
    ),
    (
        "user_agent",
        r#"{"type":"user-agent","id":"user-agent--00000000-0000-5000-8000-000000000031","value":"curl/8.5.0"}"#,
    ),
    (
        "vulnerability",
        r#"{"type":"vulnerability","id":"vulnerability--00000000-0000-5000-8000-000000000032","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":" cve-2024-3094 "}"#,
    ),
    (
        "windows_registry_key",
        r#"{"type":"windows-registry-key","id":"windows-registry-key--00000000-0000-5000-8000-000000000033","key":"HKCU\\Software\\Acme"}"#,
    ),
    (
        "x509_certificate",
        r#"{"type":"x509-certificate","id":"x509-certificate--00000000-0000-5000-8000-000000000034","hashes":{"SHA-1":"6E:2C:A5:9F:EA:B4:53:20:F5:BE:73:98:18:E4:A0:C3:F1:06:33:72"},"serial_number":"0a:1b"}"#,
    ),
];

#[test]
fn wazuh_4() {
    for (name, lines) in SAMPLES {
        insta::assert_snapshot!(format!("wazuh_4__{name}"), answer(Schema::Wazuh4, &with(|_| ()), lines));
    }
}

#[test]
fn wazuh_5() {
    for (name, lines) in SAMPLES {
        insta::assert_snapshot!(format!("wazuh_5__{name}"), answer(Schema::Wazuh5, &with(|_| ()), lines));
    }
}

#[test]
fn the_whole_text_of_a_small_query() {
    let objects = crate::objects(SAMPLES.iter().find(|(name, _)| *name == "vulnerability").unwrap().1);
    let builder = wazuh_query::builder::QueryBuilder::new(
        &wazuh_query::catalogue::Catalogue::builtin(),
        Schema::Wazuh5,
        with(|_| ()),
    );
    let query = builder.build(&objects[0], &()).unwrap().query;
    insta::assert_snapshot!(query.to_json(), @r#"{"bool":{"should":[{"terms":{"vulnerability.id":["cve-2024-3094","CVE-2024-3094"]}}],"minimum_should_match":1}}"#);
}

#[test]
fn reasons() {
    let mut text = String::new();
    for line in [
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000001","value":""}"#,
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000001","value":"10.0.0.300"}"#,
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000001","value":"0.0.0.0/0"}"#,
        r#"{"type":"vulnerability","id":"vulnerability--00000000-0000-5000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":" "}"#,
        r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000001","size":5}"#,
        r#"{"type":"file","id":"file--00000000-0000-5000-8000-000000000001","hashes":{"SHA-256":"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"}}"#,
        r#"{"type":"artifact","id":"artifact--00000000-0000-5000-8000-000000000001","hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e"}}"#,
        r#"{"type":"artifact","id":"artifact--00000000-0000-5000-8000-000000000001","url":"http://x.example/"}"#,
        r#"{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000001","path":"/"}"#,
        r#"{"type":"directory","id":"directory--00000000-0000-5000-8000-000000000001","path":"C:\\"}"#,
        r#"{"type":"mac-addr","id":"mac-addr--00000000-0000-5000-8000-000000000001","value":"zz"}"#,
        r#"{"type":"network-traffic","id":"network-traffic--00000000-0000-5000-8000-000000000001","protocols":["tcp"],"dst_port":443}"#,
        r#"{"type":"network-traffic","id":"network-traffic--00000000-0000-5000-8000-000000000001","protocols":["tcp"],"src_ref":"ipv4-addr--00000000-0000-5000-8000-000000000002"}"#,
        r#"{"type":"process","id":"process--00000000-0000-4000-8000-000000000001","command_line":"  "}"#,
        r#"{"type":"user-account","id":"user-account--00000000-0000-5000-8000-000000000001","user_id":"0"}"#,
        r#"{"type":"user-account","id":"user-account--00000000-0000-5000-8000-000000000001","display_name":"Kim"}"#,
        r#"{"type":"windows-registry-key","id":"windows-registry-key--00000000-0000-5000-8000-000000000001","key":"HKLM\\"}"#,
        r#"{"type":"cryptocurrency-wallet","id":"cryptocurrency-wallet--00000000-0000-5000-8000-000000000001","value":"bc1q"}"#,
        r#"{"type":"x-unheard-of","spec_version":"2.1","id":"x-unheard-of--00000000-0000-4000-8000-000000000001"}"#,
    ] {
        text.push_str(&answer(Schema::Wazuh4, &wazuh_query::options::SearchOptions::default(), line));
    }
    insta::assert_snapshot!(text);
}
