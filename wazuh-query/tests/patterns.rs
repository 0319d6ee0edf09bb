//! What patterns become: queries, plans, and what alerts say nothing of.
#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "tests fail by panicking, and say what they did")]

#[path = "queries/shape.rs"]
mod shape;

use stix_model::pattern::Pattern;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Scope, Translation};

fn translate(schema: Schema, text: &str) -> Translation {
    let translator = PatternTranslator::new(&Catalogue::builtin(), schema, PatternOptions::default());
    let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
    let translation = translator.translate(&pattern);
    assert_eq!(translation, translator.translate(&pattern), "the same pattern gives the same translation");
    for query in translation.observations.iter().flat_map(|one| &one.queries) {
        assert!(query.clause_count() <= 1_024 && query.longest_regexp() <= 1_000, "{text}");
        assert!(levels(&serde_json::from_str(&query.to_json()).unwrap()) <= 16, "{text}");
    }
    translation
}

/// Levels of `bool` and `nested`.
fn levels(query: &serde_json::Value) -> usize {
    match query {
        serde_json::Value::Object(members) => {
            let is_level = |name: &String| name == "bool" || name == "nested";
            members.iter().map(|(name, inside)| usize::from(is_level(name)) + levels(inside)).max().unwrap_or(0)
        }
        serde_json::Value::Array(list) => list.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// A translation in a form for snapshots.
fn answer(schema: Schema, text: &str) -> String {
    let translation = translate(schema, text);
    let mut out = format!("{text}\n");
    for (place, observation) in translation.observations.iter().enumerate() {
        out.push_str(&format!("\n{place}: {}, {}\n", observation.span.text(text), observation.decides.name()));
        for query in &observation.queries {
            if *query == Query::MatchAll {
                out.push_str("{\"match_all\":{}}\n");
            } else {
                out.push_str(&shape::shape(query));
            }
        }
        for widened in &observation.widened {
            out.push_str(&format!("wider: {}: {}\n", widened.span.text(text), widened.widening.name()));
        }
    }
    for unmappable in &translation.unmappable {
        out.push_str(&format!("\nunmappable: {unmappable}\n"));
    }
    let unknown: Vec<_> = translation.decides.unknown().iter().map(|span| span.text(text)).collect();
    out.push_str(&format!(
        "\ndecides: {} {unknown:?}\nplan: {}\n",
        translation.decides.name(),
        translation.plan.to_value()
    ));
    if let Some(pattern) = &translation.pattern {
        out.push_str(&format!("verified: {pattern}\n"));
    }
    out
}

const SAMPLES: &[(&str, &str)] = &[
    ("address", "[ipv4-addr:value = '198.51.100.7']"),
    (
        "address_in_network",
        "[ipv4-addr:value ISSUBSET '198.51.100.0/26' OR ipv6-addr:value ISSUBSET '2001:db8:bad::/47']",
    ),
    ("address_like", "[ipv4-addr:value LIKE '198.51.10%']"),
    ("and_across", "[ipv4-addr:value = '198.51.100.7'] AND [file:name = 'a.exe'] WITHIN 300 SECONDS"),
    ("certificate", "[x509-certificate:serial_number = '0A:1B' OR x509-certificate:subject LIKE 'CN=evil%']"),
    ("command_line", r#"[process:command_line = '"C:\\Program Files\\x.exe" -q']"#),
    ("command_line_like", "[process:command_line LIKE '%powershell%-enc %']"),
    ("command_line_matches", r"[process:command_line MATCHES '(?i)\\bcertutil(\\.exe)?\\s+.*-urlcache']"),
    ("directory", r"[directory:path = 'C:\\Users\\Public\\' AND file:parent_directory_ref.path LIKE '%\\Temp']"),
    ("domains", "[domain-name:value IN ('a.example', 'b.example', 'c.example')]"),
    ("e_mail", "[email-message:from_ref.value = 'kim@example.net' AND email-message:subject LIKE '%invoice%']"),
    (
        "file_and_hash",
        "[file:name = 'nc.exe' AND file:hashes.'SHA-256' = '1c7df7dff6c2411fb47f94a52e606f7fd58fe4845752442aa0d62844aa3a35b1']",
    ),
    ("file_size", "[file:size > 4096 AND file:size <= 5000.5]"),
    (
        "followed_by",
        "([network-traffic:dst_port = 4444] REPEATS 3 TIMES FOLLOWEDBY [process:name = 'nc']) WITHIN 60 SECONDS",
    ),
    (
        "hashes",
        "[file:hashes.MD5 = '0123456789abcdef0123456789abcdef' OR file:hashes.'SHA-1' = '2b2accbbbac854d42332975bfe876d38c8c49cb6']",
    ),
    ("mutex", r"[mutex:name MATCHES '^Global\\\\[A-F0-9]{8}$']"),
    (
        "network_traffic",
        "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']",
    ),
    (
        "not_equal",
        "[process:image_ref.name != 'explorer.exe' AND process:parent_ref.command_line NOT LIKE '%svchost%']",
    ),
    ("not_exists", "[NOT EXISTS file:hashes.MD5 AND file:name = 'a.exe']"),
    ("path_as_name", r"[file:name = 'C:\\Temp\\a.exe']"),
    ("process_20", "[process:binary_ref.hashes.MD5 = '0123456789abcdef0123456789abcdef' AND process:pid = 500]"),
    (
        "registry",
        r"[windows-registry-key:key = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run' AND windows-registry-key:values[*].data LIKE '%\\Temp\\%']",
    ),
    ("registry_like", r"[windows-registry-key:key LIKE 'HKEY_LOCAL_MACHINE\\%\\CurrentVersion\\Run%']"),
    ("software", "[software:name = 'openssl' AND software:version = '3.0.13']"),
    (
        "start_stop",
        "[url:value = 'http://shop.example.net/cart'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.0005Z'",
    ),
    ("text", "[text:value = 'ET MALWARE x' OR user-agent:value = 'curl/8.5.0']"),
    ("unmappable", "[email-message:body LIKE '%x%' AND file:name = 'a.exe']"),
    ("unmappable_or", "[email-message:body LIKE '%x%' OR file:size = 5] OR [cryptocurrency-wallet:value = 'bc1q']"),
    ("user", r"[user-account:account_login = 'CORP\\kim' OR user-account:user_id = 'S-1-5-21-1-2-3-1001']"),
    (
        "user_agent_header",
        "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' MATCHES '^python-requests/[0-9.]+$']",
    ),
    (
        "vulnerability",
        "[vulnerability:name = 'cve-2024-3094' OR autonomous-system:number = 64500 OR mac-addr:value = '0A-1B-2C-3D-4E-5F']",
    ),
];

#[test]
fn wazuh_4() {
    for (name, text) in SAMPLES {
        insta::assert_snapshot!(format!("wazuh_4__{name}"), answer(Schema::Wazuh4, text));
    }
}

#[test]
fn wazuh_5() {
    for (name, text) in SAMPLES {
        insta::assert_snapshot!(format!("wazuh_5__{name}"), answer(Schema::Wazuh5, text));
    }
}

#[test]
fn explanations() {
    let catalogue = Catalogue::builtin();
    let options = PatternOptions { scope: Scope::AcrossAgents, ..PatternOptions::default() };
    let translator = PatternTranslator::new(&catalogue, Schema::Wazuh4, options);
    for name in ["followed_by", "not_equal", "path_as_name", "unmappable", "unmappable_or", "user_agent_header"] {
        let text = SAMPLES.iter().find(|(known, _)| *known == name).unwrap().1;
        let explanation = translator.explain(&Pattern::parse(text).unwrap(), text);
        insta::assert_snapshot!(format!("explanation__{name}"), explanation);
    }
}

#[test]
fn a_long_list_is_divided() {
    let names: Vec<String> = (0..3_000).map(|number| format!("'host-{number:05}.example'")).collect();
    let text = format!("[domain-name:value IN ({}) AND network-traffic:dst_port = 443]", names.join(", "));
    let translation = translate(Schema::Wazuh4, &text);
    let queries = &translation.observations[0].queries;
    assert!(queries.len() > 3, "{}", queries.len());
    // Every part asks for the port, so none finds more than it has to.
    assert!(queries.iter().all(|query| query.to_json().contains("443")));
}

#[test]
fn a_list_of_hashes_stays_one_query() {
    let hashes: Vec<String> = (0..20_000).map(|number| format!("'{number:032x}'")).collect();
    let text = format!("[file:hashes.MD5 IN ({})]", hashes[1..].join(", "));
    let translation = translate(Schema::Wazuh5, &text);
    assert_eq!(translation.observations[0].queries.len(), 1);
}

#[test]
fn hostile_patterns_stay_within_limits() {
    let hostile = [
        format!("[file:name MATCHES '{}']", "(a|aa)+".repeat(200)),
        format!("[file:name MATCHES '.*a{}b']", ".".repeat(60)),
        format!("[file:name MATCHES '{}']", "a.".repeat(40)),
        "[file:name MATCHES '((((a{100}){100}){100}){100}){100}']".to_owned(),
        format!("[file:name LIKE '{}']", "%a_".repeat(300)),
        format!("[process:command_line = '{}']", "x\\\\\"".repeat(5_000)),
        format!("[{}file:name = 'a'{}]", "(file:size = 1 AND (file:size = 2 OR ".repeat(40), "))".repeat(40)),
        format!("[file:name != 'a'{}]", " AND file:name != 'b' AND domain-name:value != 'c'".repeat(200)),
        format!("[file:name = 'a'{}]", " OR process:pid > 5 OR url:value LIKE '%x%'".repeat(500)),
    ];
    for text in hostile {
        translate(Schema::Wazuh4, &text);
        translate(Schema::Wazuh5, &text);
    }
}

/// Any text may be an address, and is one to `ISSUBSET`.
#[test]
fn networks_of_texts_lose_nothing() {
    let catalogue = Catalogue::builtin();
    let evaluator = wazuh_query::evaluate::Evaluator::new(&catalogue, Schema::Wazuh4);
    for (test, value, wanted) in [
        ("text:value ISSUBSET '203.0.113.66/8'", "203.0.113.66", true),
        ("text:value ISSUBSET '203.0.113.66/8'", "203.0.113.0/24", true),
        ("text:value ISSUBSET '203.0.113.66/8'", "204.0.113.66", false),
        ("text:value ISSUPERSET '203.0.113.66'", "203.0.113.0/24", true),
        ("text:value ISSUPERSET '203.0.113.66'", "elsewhere", false),
    ] {
        let translation = translate(Schema::Wazuh4, &format!("[{test}]"));
        let alert = serde_json::json!({"data": {"opencti": {"indicator": {"name": value}}, "MWName": value}});
        let mut queries = translation.observations[0].queries.iter();
        assert_eq!(queries.any(|query| evaluator.matches(query, &alert).unwrap()), wanted, "{test} on {value}");
        assert!(!translation.observations[0].widened.is_empty());
    }
}
