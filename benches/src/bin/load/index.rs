//! The index with generated alerts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use benches::numbers::Numbers;
use serde_json::{Map, Value, json};
use wazuh_query::catalogue::{Catalogue, IndexType, Schema};

use super::Result;

/// So many values are known to the platform and stand in alerts.
pub(crate) const KNOWN: u64 = 20;
/// One alert in so many holds one of them.
const EVERY: u64 = 1_000;
/// So many programs are started on all agents together.
const PROGRAMS: u64 = 5_000;
/// Alerts of one request.
const AT_ONCE: u64 = 5_000;

/// An index with alerts.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) alerts: u64,
    pub(crate) version: String,
}

impl Index {
    /// The index with so many alerts; it is made if it is not there.
    pub(crate) fn prepare(url: &str, alerts: u64) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let about: Value = serde_json::from_str(&request("GET", &format!("{url}/"), "")?.1)?;
        let version = format!("OpenSearch {}", about["version"]["number"].as_str().unwrap_or("of an unknown version"));
        let index = Self { name: format!("wazuh-alerts-4.x-load2-{alerts}"), url, alerts, version };
        let there = request("GET", &format!("{}/{}/_count", index.url, index.name), "")?.1;
        let there: Value = serde_json::from_str(&there).unwrap_or_default();
        if there["count"].as_u64() != Some(alerts) {
            index.fill()?;
        }
        Ok(index)
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let (status, answer) = request(method, &format!("{}/{}{path}", self.url, self.name), body)?;
        if status == 200 { Ok(answer) } else { Err(format!("{method} {path}: {status} {answer:.500}").into()) }
    }

    fn fill(&self) -> Result<()> {
        let began = Instant::now();
        eprintln!("loading {} alerts into {}", self.alerts, self.name);
        // There may be one of a run that was cut off.
        request("DELETE", &format!("{}/{}", self.url, self.name), "")?;
        let settings = json!({
            "number_of_shards": 3, "number_of_replicas": 0, "refresh_interval": "-1",
            "mapping.total_fields.limit": 10_000,
        });
        self.call("PUT", "", &json!({"settings": settings, "mappings": mappings()}).to_string())?;
        let mut numbers = Numbers::new(31);
        for from in (0..self.alerts).step_by(usize::try_from(AT_ONCE)?) {
            let mut bulk = String::new();
            for number in from..self.alerts.min(from + AT_ONCE) {
                writeln!(bulk, "{{\"index\":{{\"_id\":\"{number}\"}}}}\n{}", alert(number, &mut numbers))?;
            }
            let answer = self.call("POST", "/_bulk?filter_path=errors,items.*.error.reason", &bulk)?;
            if !answer.contains("\"errors\":false") {
                return Err(format!("the indexer does not take all alerts: {answer:.500}").into());
            }
        }
        self.call("POST", "/_refresh", "")?;
        // As one day's index is after its day.
        self.call("POST", "/_forcemerge?max_num_segments=1", "")?;
        self.call("PUT", "/_settings", &json!({"index": {"refresh_interval": "5s"}}).to_string())?;
        eprintln!("loaded in {:.0} s", began.elapsed().as_secs_f64());
        Ok(())
    }
}

/// Those fields of the catalogue that the template of Wazuh 4.14 maps. The others are mapped once an alert has them.
const TEMPLATE: &str = include_str!("template.txt");

/// What Wazuh's template says of the fields in the catalogue; other text is a keyword, as there.
fn mappings() -> Value {
    let mut root = Map::new();
    let template: BTreeSet<&str> = TEMPLATE.lines().collect();
    for field in Catalogue::builtin().select(Schema::Wazuh4, |field| template.contains(&*field.path)) {
        let kind = match field.index {
            IndexType::Ip => json!({"type": "ip"}),
            IndexType::Long => json!({"type": "long"}),
            IndexType::Double => json!({"type": "double"}),
            IndexType::Date => json!({"type": "date", "format": "date_optional_time||epoch_millis"}),
            IndexType::Text => json!({"type": "text"}),
            IndexType::Boolean => json!({"type": "boolean"}),
            IndexType::GeoPoint => json!({"type": "geo_point"}),
            IndexType::Unindexed => continue,
            _ => json!({"type": "keyword", "ignore_above": 1_024}),
        };
        if field.nested.is_none() {
            put(&mut root, &field.path, kind);
        }
    }
    root.insert("timestamp".into(), json!({"type": "date", "format": "date_optional_time||epoch_millis"}));
    json!({
        "date_detection": false,
        "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
        "properties": root,
    })
}

fn put(properties: &mut Map<String, Value>, path: &str, kind: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        properties.entry(path).or_insert(kind);
        return;
    };
    let object = properties.entry(first).or_insert_with(|| json!({"properties": {}}));
    // A value with members of its own is no field of the index.
    if let Some(inner) = object.get_mut("properties").and_then(Value::as_object_mut) {
        put(inner, rest, kind);
    }
}

pub(crate) fn known_address(number: u64) -> String {
    format!("150.0.0.{}", number + 1)
}

pub(crate) fn known_digest(number: u64) -> String {
    Numbers::new(9_000 + number).hexadecimal(64)
}

/// One alert of 500 to 1,000 bytes: logins, requests to web servers, changed files, started processes.
fn alert(number: u64, numbers: &mut Numbers) -> Value {
    let known = number.is_multiple_of(EVERY).then_some(number / EVERY % KNOWN);
    let address = match known {
        Some(known) if known % 2 == 0 => known_address(known),
        _ => numbers.address(),
    };
    let digest = match known {
        Some(known) if known % 2 == 1 => known_digest(known),
        _ => numbers.hexadecimal(64),
    };
    // Thirty days.
    let second = number * 2_592_000 / 1_000_000 % 2_592_000;
    let (day, hour, minute) = (1 + second / 86_400, second / 3_600 % 24, second / 60 % 60);
    let timestamp = format!("2026-06-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}+0000", second % 60, number % 1_000);
    let agent = numbers.below(500);
    // Known values are where such values are.
    let kind = match known {
        Some(known) if known % 2 == 0 => numbers.below(6),
        Some(_) => 6 + numbers.below(2),
        None => numbers.below(8),
    };
    let word = numbers.word(7);
    let rule = |id: &str, level: u64, description: &str, groups: &[&str], technique: &[&str]| {
        json!({"id": id, "level": level, "description": description, "groups": groups, "firedtimes": number % 90,
               "mail": false, "mitre": {"id": technique}})
    };
    let (rule, decoder, location, more) = match kind {
        0..4 => (
            rule("5710", 5, "sshd: Attempt to login using a non-existent user", &["syslog", "sshd"], &["T1110.001"]),
            "sshd",
            "/var/log/auth.log",
            json!({"data": {"srcip": address, "srcport": (1_024 + number % 60_000).to_string(), "srcuser": word}}),
        ),
        4..6 => (
            rule("31101", 5, "Web server 400 error code.", &["web", "accesslog"], &["T1190"]),
            "web-accesslog",
            "/var/log/nginx/access.log",
            json!({"data": {"srcip": address, "protocol": "GET", "url": format!("/{word}/index.php")}}),
        ),
        6 => (
            rule("550", 7, "Integrity checksum changed.", &["ossec", "syscheck"], &["T1565.001"]),
            "syscheck_integrity_changed",
            "syscheck",
            json!({"syscheck": {
                "path": format!("/usr/local/bin/{word}"), "event": "modified", "mode": "realtime", "size_after": "4096",
                "md5_after": numbers.hexadecimal(32), "sha1_after": numbers.hexadecimal(40), "sha256_after": digest,
            }}),
        ),
        _ => {
            // The same programs start again and again.
            let mut program = Numbers::new(70_000 + number % PROGRAMS);
            let (image, sha1, md5) = (program.word(7), program.hexadecimal(40), program.hexadecimal(32));
            let sha256 = if known.is_some() { digest } else { program.hexadecimal(64) };
            (
                rule("92052", 4, "Windows command prompt started by an abnormal process", &["sysmon"], &["T1059.003"]),
                "windows_eventchannel",
                "EventChannel",
                json!({"data": {"win": {
                    "system": {"eventID": "1", "computer": format!("ws{agent:03}.corp.example"),
                               "providerName": "Microsoft-Windows-Sysmon"},
                    "eventdata": {
                        "image": format!("C:\\Users\\{word}\\{image}.exe"), "processId": (number % 30_000).to_string(),
                        "user": format!("CORP\\{word}"), "commandLine": format!("{image}.exe /c whoami"),
                        "hashes": format!("SHA1={sha1},MD5={md5},SHA256={sha256}").to_uppercase(),
                    },
                }}}),
            )
        }
    };
    let mut alert = json!({
        "timestamp": timestamp, "id": format!("17{:08}.{number}", second), "rule": rule,
        "agent": {"id": format!("{agent:03}"), "name": format!("host{agent:03}"),
                  "ip": format!("10.0.{}.{}", agent / 250, agent % 250)},
        "manager": {"name": "wazuh-manager"}, "decoder": {"name": decoder}, "location": location,
        "full_log": format!("host{agent:03} {decoder}: {word} {address}"),
    });
    if let (Some(alert), Value::Object(more)) = (alert.as_object_mut(), more) {
        alert.extend(more);
    }
    alert
}

/// One plain HTTP request: the status and the body.
fn request(method: &str, url: &str, body: &str) -> Result<(u16, String)> {
    let rest = url.strip_prefix("http://").ok_or("the indexer has to speak plain HTTP")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_mins(10)))?;
    let kind = if path.contains("_bulk") { "application/x-ndjson" } else { "application/json" };
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    Ok((status, body))
}
