//! The laws of queries, over a corpus of real alerts: in the evaluator, and in a real OpenSearch.
//!
//! - Round trip: the query for what a searchable field of an alert holds matches that alert.
//! - No false positive: it does not match where the value stands inside a longer token.
//! - The evaluator and OpenSearch agree on every document.
//!
//! The last one needs `OPENSEARCH_URL` (`deploy/dev/opensearch.sh start` prints one). Without it, and without the
//! corpus, the tests say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::single_match_else,
    reason = "a test says what it does and stops where it cannot go on"
)]

#[path = "store/server.rs"]
#[allow(dead_code, reason = "the fault tests use the rest")]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use stix_model::sco::{
    Artifact, AutonomousSystem, Directory, DomainName, EmailAddr, EmailMessage, File, Hostname, Ipv4Addr, Ipv6Addr,
    MacAddr, Mutex, NetworkTraffic, Process, Software, Text, Url, UserAccount, UserAgent, WindowsRegistryKey,
    X509Certificate,
};
use stix_model::sdo::{Identity, Vulnerability};
use stix_model::{Hashes, Object, Timestamp};
use wazuh_query::alert::{Alert, Leaf};
use wazuh_query::builder::{NotSearchable, Note, QueryBuilder};
use wazuh_query::catalogue::{Catalogue, Field, HashAlgorithm, Holds, IndexType, Role, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::evaluate::{Document, Evaluator};
use wazuh_query::options::{DirOption, FileOption, RegKeyOption, SearchOptions};
use wazuh_query::value::{self, Reading, read};

// ---- the corpus -----------------------------------------------------------------------------------

/// The lines of all alert files, one alert each.
fn corpus() -> Vec<String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = base.join("../../shared/corpus/alerts");
    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => vec![base.join("../examples/data/alerts.json")],
    };
    files.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson" || ending == "json"));
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    if lines.is_empty() {
        eprintln!("skipped: neither {} nor examples/data/alerts.json is there", folder.display());
    }
    lines
}

// ---- from readings to objects ---------------------------------------------------------------------

fn time() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn address(address: IpAddr) -> Object {
    match address {
        IpAddr::V4(address) => Ipv4Addr::new(address.to_string()).into(),
        IpAddr::V6(address) => Ipv6Addr::new(address.to_string()).into(),
    }
}

fn hash_name(algorithm: HashAlgorithm) -> Option<&'static str> {
    Some(match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha512 => "SHA-512",
        HashAlgorithm::Ssdeep => "SSDEEP",
        HashAlgorithm::Tlsh => "TLSH",
        _ => return None,
    })
}

fn login(text: &str) -> Object {
    UserAccount { account_login: Some(text.to_owned()), ..UserAccount::default() }.identified().into()
}

fn user_id(text: &str) -> Object {
    UserAccount { user_id: Some(text.to_owned()), ..UserAccount::default() }.identified().into()
}

fn software(name: &str, version: Option<&str>, cpe: Option<&str>) -> Object {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Software { name: name.to_owned(), version: owned(version), cpe: owned(cpe), ..Software::default() }
        .identified()
        .into()
}

fn process(line: &str) -> Object {
    Process { command_line: Some(line.to_owned()), ..Process::default() }.identified().into()
}

/// A path as the first word of a command line.
fn quoted(path: &str) -> String {
    if path.contains(' ') { format!("\"{path}\"") } else { path.to_owned() }
}

/// The objects for one reading of a field.
fn objects(field: &Field, reading: &Reading<'_>) -> Vec<Object> {
    match reading {
        Reading::Account(account) => match account.user_id {
            Some(number) => {
                let login = Some(account.login.to_string());
                let account =
                    UserAccount { account_login: login, user_id: Some(number.to_owned()), ..UserAccount::default() };
                vec![account.identified().into()]
            }
            None => vec![login(&account.login)],
        },
        Reading::Address(found) => vec![address(*found)],
        Reading::Asn(number) => vec![AutonomousSystem::new(*number).into()],
        Reading::CommandLine(line) if field.holds == Holds::CommandLine => vec![process(line)],
        Reading::Domain(name) => vec![DomainName::new(name.as_ref()).into(), Hostname::new(name.as_ref()).into()],
        Reading::Email(address) => vec![EmailAddr::new(address.as_ref()).into()],
        Reading::Hash(algorithm, digest) => {
            let Some(name) = hash_name(*algorithm) else {
                // An import hash is searched as a text where it stands alone.
                let alone = matches!(field.holds, Holds::Hash(_));
                return alone.then(|| Text::new(digest.as_ref()).into()).into_iter().collect();
            };
            let hashes: Hashes = [(name, digest.as_ref())].into_iter().collect();
            if field.holds == Holds::CertificateFingerprint {
                return vec![X509Certificate { hashes, ..X509Certificate::default() }.identified().into()];
            }
            vec![
                File { hashes: hashes.clone(), ..File::default() }.identified().into(),
                Artifact { hashes, ..Artifact::default() }.identified().into(),
            ]
        }
        Reading::Hostname(name) => vec![Hostname::new(name.as_ref()).into()],
        Reading::Mac(octets) => vec![MacAddr::new(value::mac_text(*octets)).into()],
        Reading::Path(path) => match field.holds {
            Holds::Directory => vec![Directory::new(path.as_ref()).into()],
            Holds::Command => vec![process(&quoted(path))],
            Holds::PipeName => vec![Text::new(path.as_ref()).into()],
            // `\Sessions\1\BaseNamedObjects\name` is a name below a directory of kernel objects, `C:\a b` a file.
            Holds::ObjectName if path.starts_with('\\') => {
                vec![Mutex::new(path.as_ref()).into(), Mutex::new(value::basename(path)).into()]
            }
            Holds::ObjectName => vec![Mutex::new(path.as_ref()).into()],
            _ => {
                let name = |name: &str| File { name: Some(name.to_owned()), ..File::default() }.identified().into();
                let mut all: Vec<Object> = vec![name(path), name(value::basename(path))];
                all.extend(value::parent(path).map(|parent| Object::from(Directory::new(parent))));
                if field.holds == Holds::ProcessImage {
                    all.push(process(&quoted(path)));
                }
                all
            }
        },
        Reading::RegistryKey(key) => {
            let object = |key: &str| {
                Object::from(
                    WindowsRegistryKey { key: Some(key.to_owned()), ..WindowsRegistryKey::default() }.identified(),
                )
            };
            let above = key.rsplit_once('\\').map(|(above, _)| object(above));
            [Some(object(key)), above].into_iter().flatten().collect()
        }
        Reading::Sid(sid) => vec![user_id(sid)],
        Reading::Text(text) => match field.holds {
            Holds::Vulnerability => vec![Vulnerability::new(text.as_ref(), time()).into()],
            Holds::UserAgent => vec![UserAgent::new(text.as_ref()).into(), Text::new(text.as_ref()).into()],
            Holds::SoftwareName => vec![software(text, None, None)],
            Holds::Cpe => vec![software("", None, Some(text))],
            Holds::UserId => vec![user_id(text)],
            Holds::CertificateSerial => {
                let serial_number = Some(text.to_string());
                vec![X509Certificate { serial_number, ..X509Certificate::default() }.identified().into()]
            }
            Holds::CertificateSubject => {
                let subject = Some(text.to_string());
                vec![X509Certificate { subject, ..X509Certificate::default() }.identified().into()]
            }
            Holds::EmailSubject => {
                let message = EmailMessage { subject: Some(text.to_string()), ..EmailMessage::default() };
                vec![message.identified().into(), Text::new(text.as_ref()).into()]
            }
            Holds::Name | Holds::TlsFingerprint => vec![Text::new(text.as_ref()).into()],
            Holds::RegistryValueData => registry_value(text),
            _ => Vec::new(),
        },
        Reading::Url(url) => vec![Url::new(*url).into()],
        // Whatever the host was.
        Reading::UrlPath(path) if path.starts_with('/') && path.len() > 1 => {
            vec![Url::new(format!("https://host.example{path}")).into()]
        }
        _ => Vec::new(),
    }
}

fn registry_value(data: &str) -> Vec<Object> {
    let object = |data_type: &str, data: &str| {
        let id = "windows-registry-value-type--7c4a8d09-ca37-5e3e-8e5d-0a1b2c3d4e5f";
        let value = json!({"type": "windows-registry-value-type", "spec_version": "2.1", "id": id, "name": "x", "data": data, "data_type": data_type});
        Object::from_json(&value.to_string()).ok()
    };
    // A number alone is no sign of anything, so its notations in texts are not searched.
    let object = if data.starts_with("DWORD (") { None } else { object("REG_SZ", data) };
    object.into_iter().collect()
}

// ---- questions ------------------------------------------------------------------------------------

/// An object to search, what it refers to, and where in the corpus it was found.
struct Question {
    object: Object,
    references: Vec<Object>,
    field: String,
    /// Only the path of the URL is known.
    path_only: bool,
    /// The document, if its query must match it.
    document: Option<usize>,
}

impl Question {
    fn kind(&self) -> &str {
        self.object.object_type()
    }
}

/// Everything that the alerts of the corpus hold, as objects.
fn questions(lines: &[String], catalogue: &Catalogue) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut seen = BTreeSet::new();
    for (document, line) in lines.iter().enumerate() {
        let Ok(alert) = Alert::read(line, catalogue) else { continue };
        for leaf in &alert.leaves {
            let field = catalogue.field(leaf.field);
            // A text with white space around it cannot be found by what it means: the index keeps it as it is.
            let spaced = leaf.text.trim().len() < leaf.text.len() && matches!(field.holds, Holds::Name | Holds::Url);
            if !field.uses.search || spaced {
                continue;
            }
            read(field.holds, &leaf.text, &mut |reading| {
                for object in objects(field, &reading) {
                    let path_only = matches!(reading, Reading::UrlPath(_));
                    let text = serde_json::to_string(&object).unwrap();
                    if seen.insert((document, field.path.clone(), text)) {
                        let document = Some(document);
                        questions.push(Question {
                            object,
                            references: Vec::new(),
                            field: field.path.to_string(),
                            path_only,
                            document,
                        });
                    }
                }
            });
        }
        questions.extend(traffic(&alert, catalogue, document));
        if let Some(name) = &alert.agent.name {
            let mut identity = Identity::new(name.as_ref(), "system", time());
            identity.identity_class = Some("system".to_owned());
            let object = Object::from(identity);
            questions.push(Question {
                object,
                references: Vec::new(),
                field: "agent.name".to_owned(),
                path_only: false,
                document: Some(document),
            });
        }
    }
    questions.extend(networks(&questions));
    questions
}

/// Connections: the addresses and ports of one group of fields.
fn traffic(alert: &Alert<'_>, catalogue: &Catalogue, document: usize) -> Vec<Question> {
    let mut groups: BTreeMap<(&str, u32), Vec<&Leaf<'_>>> = BTreeMap::new();
    for leaf in &alert.leaves {
        let field = catalogue.field(leaf.field);
        if field.uses.search && !field.group.is_empty() {
            groups.entry((&field.group, leaf.element)).or_default().push(leaf);
        }
    }
    let mut questions = Vec::new();
    for ((group, _), leaves) in groups {
        let end = |role: Role| {
            let mut found = None;
            for leaf in &leaves {
                let field = catalogue.field(leaf.field);
                if field.role == role && matches!(field.holds, Holds::Ip | Holds::IpWithPort) {
                    read(field.holds, &leaf.text, &mut |reading| {
                        if let Reading::Address(one) = reading {
                            found = found.take().or(Some(address(one)));
                        }
                    });
                }
            }
            found
        };
        let port = |role: Role| {
            leaves.iter().find_map(|leaf| {
                let field = catalogue.field(leaf.field);
                (field.role == role && field.holds == Holds::Port).then(|| leaf.text.trim().parse().ok()).flatten()
            })
        };
        let (source, destination) = (end(Role::Source), end(Role::Destination));
        if source.is_none() && destination.is_none() {
            continue;
        }
        let traffic = NetworkTraffic {
            src_ref: source.as_ref().map(|object| object.id().clone()),
            dst_ref: destination.as_ref().map(|object| object.id().clone()),
            src_port: port(Role::Source),
            dst_port: port(Role::Destination),
            ..NetworkTraffic::default()
        };
        let references = [source, destination].into_iter().flatten().collect();
        let object = traffic.identified().into();
        questions.push(Question {
            object,
            references,
            field: format!("group {group}"),
            path_only: false,
            document: Some(document),
        });
    }
    questions
}

/// The networks around the addresses.
fn networks(questions: &[Question]) -> Vec<Question> {
    let mut found = BTreeSet::new();
    for question in questions {
        match &question.object {
            Object::Ipv4Addr(address) => {
                if let Some((head, _)) = address.value.rsplit_once('.') {
                    found.insert(format!("{head}.0/24"));
                    found.insert(format!("{head}.0/27"));
                }
            }
            Object::Ipv6Addr(address) => {
                let groups: Vec<&str> = address.value.split(':').take(2).collect();
                if groups.iter().all(|group| !group.is_empty()) {
                    found.insert(format!("{}::/32", groups.join(":")));
                }
            }
            _ => {}
        }
    }
    let object = |network: String| -> Object {
        if network.contains(':') { Ipv6Addr::new(network).into() } else { Ipv4Addr::new(network).into() }
    };
    let question = |network| Question {
        object: object(network),
        references: Vec::new(),
        field: "network".into(),
        path_only: false,
        document: None,
    };
    found.into_iter().map(question).collect()
}

/// The options with which the round trip must hold: nothing is left out on purpose.
fn wide() -> SearchOptions {
    SearchOptions {
        ignore_private_addrs: false,
        lookup_agent_ip: true,
        lookup_agent_name: true,
        ..SearchOptions::default()
    }
}

/// Exact values instead of regular expressions, and other paths through the builders.
fn exact() -> SearchOptions {
    SearchOptions {
        file: [FileOption::SearchFilenameOnly, FileOption::SearchNameAndHash, FileOption::SearchAdditionalFilenames]
            .into(),
        directory: [DirOption::NormaliseBackslashes].into(),
        process: [].into(),
        registry_key: [RegKeyOption::RequireAbsPath].into(),
        ignore_private_addrs: false,
        lookup_mac_variants: false,
        lookup_url_without_host: true,
        lookup_hostnames_in_cmd_line: true,
        lookup_url_ignore_trailing_slash: true,
        ..SearchOptions::default()
    }
}

// ---- parallel work --------------------------------------------------------------------------------

/// Applies `work` to every item on all processors, in order.
fn parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(place) else { return done };
                done.push((place, work(item)));
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

fn values(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

// ---- laws in the evaluator ------------------------------------------------------------------------

/// What became of one question.
enum Outcome {
    Found,
    Missed(String),
    Refused(NotSearchable),
    Free,
}

#[test]
fn every_observable_finds_the_alert_it_came_from() {
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let catalogue = Catalogue::builtin();
    let documents = values(&lines);
    let questions = questions(&lines, &catalogue);
    let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, wide());
    let path_only = SearchOptions { lookup_url_without_host: true, ..wide() };
    let path_builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, path_only);
    let outcomes = parallel(&questions, |question| {
        let Some(document) = question.document else { return Outcome::Free };
        let builder = if question.path_only { &path_builder } else { &builder };
        match builder.build(&question.object, &*question.references) {
            Err(reason) => Outcome::Refused(reason),
            Ok(built) => {
                let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
                match evaluator.matches(&built.query, &documents[document]) {
                    Ok(true) => Outcome::Found,
                    Ok(false) => {
                        let mut why = format!("notes {:?}", built.notes);
                        if let Query::Bool(any) = &built.query {
                            for query in &any.should {
                                if let Query::AnyFieldAll { fields, clauses } = query {
                                    for clause in clauses {
                                        let one = Query::any_field(fields, clause.clone());
                                        if !evaluator.matches(&one, &documents[document]).unwrap_or(false) {
                                            why += &format!(", not {clause:?}");
                                        }
                                    }
                                }
                            }
                        }
                        Outcome::Missed(why)
                    }
                    Err(error) => Outcome::Missed(error.to_string()),
                }
            }
        }
    });
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut refusals: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut missed: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (question, outcome) in questions.iter().zip(&outcomes) {
        let count = counts.entry(question.kind()).or_default();
        match outcome {
            Outcome::Free => {}
            Outcome::Found => count[0] += 1,
            Outcome::Missed(why) => {
                count[1] += 1;
                let object = serde_json::to_string(&question.object).unwrap();
                missed.entry((question.kind(), &question.field)).or_default().push(format!("({why}) {object}"));
            }
            Outcome::Refused(reason) => {
                count[2] += 1;
                let key = format!("{}: {:?}", question.kind(), std::mem::discriminant(reason));
                let entry = refusals.entry(key).or_insert_with(|| (0, format!("{}: {reason}", question.field)));
                entry.0 += 1;
            }
        }
    }
    for (kind, [found, missed, refused]) in &counts {
        println!("{kind}: {found} found, {missed} missed, {refused} not searchable");
    }
    for (kind, (count, example)) in &refusals {
        println!("not searchable: {kind}: {count}, such as {example}");
    }
    for ((kind, field), objects) in &missed {
        println!(
            "MISSED {kind} of {field}: {} times, such as {}",
            objects.len(),
            objects[0].chars().take(1600).collect::<String>()
        );
    }
    let total: usize = counts.values().map(|[found, ..]| found).sum();
    println!("{total} observables found the alert they came from");
    assert!(missed.is_empty(), "{} kinds of observable and field do not find their alert", missed.len());
}

/// Longer texts around a value, in which it is no longer the value. Nothing where none is meant to be excluded.
fn longer(object: &Object) -> Vec<(String, &'static [&'static str])> {
    const IPS: &[&str] = &["data.srcip", "data.dstip", "data.win.eventdata.destinationIp", "data.aws.sourceIPAddress"];
    const NAMES: &[&str] =
        &["data.hostname", "data.win.eventdata.queryName", "data.dns.rrname", "data.win.eventdata.queryResults"];
    const FILES: &[&str] =
        &["syscheck.path", "data.win.eventdata.targetFilename", "data.audit.file.name", "data.win.eventdata.image"];
    const LINES: &[&str] = &["data.win.eventdata.commandLine", "data.command", "data.win.eventdata.parentCommandLine"];
    let around = |value: &str, fields, before: &[&str], after: &[&str]| {
        let before = before.iter().map(|text| format!("{text}{value}"));
        let after = after.iter().map(|text| format!("{value}{text}"));
        before.chain(after).map(|text| (text, fields)).collect()
    };
    match object {
        Object::Ipv4Addr(one) if !one.value.contains('/') => {
            around(&one.value, IPS, &["1", "1.", "x"], &["0", ".1", "x"])
        }
        Object::Ipv6Addr(one) if !one.value.contains('/') => around(&one.value, IPS, &["1"], &["f", ":1"]),
        Object::DomainName(one) => around(&one.value, NAMES, &["not", "sub.", "x-"], &["x", ".example", "-x"]),
        Object::Hostname(one) => around(&one.value, NAMES, &["not", "sub.", "x-"], &["x", ".example", "-x"]),
        Object::EmailAddr(one) => {
            around(&one.value, &["data.srcuser", "data.office365.UserId"], &["x", "x."], &["x", ".example"])
        }
        Object::MacAddr(one) => {
            around(&one.value, &["data.mac", "data.win.eventdata.mac"], &["0", "00:"], &["0", ":00"])
        }
        Object::Url(one) => {
            around(&one.value, &["data.url", "data.http.url"], &["x", "https://other.example/?u="], &["x", "/x"])
        }
        Object::File(one) => match &one.name {
            Some(name) => around(name, FILES, &["x"], &["x", ".bak", "/x"]),
            None => {
                let fields: &[&str] = &[
                    "syscheck.md5_after",
                    "syscheck.sha1_after",
                    "syscheck.sha256_after",
                    "data.win.eventdata.hashes",
                ];
                one.hashes
                    .iter()
                    .flat_map(|(_, digest)| around(digest, fields, &["0", "IMPHASH="], &["0"]))
                    .collect::<Vec<_>>()
            }
        },
        Object::Directory(one) => {
            let path = one.path.trim_end_matches(['/', '\\']);
            around(path, FILES, &["x"], &["x", "-old/a"])
        }
        Object::WindowsRegistryKey(one) => {
            let key = one.key.as_deref().unwrap_or_default();
            around(key, &["syscheck.path", "data.win.eventdata.targetObject"], &["X"], &["x", "-old\\\\a"])
        }
        Object::Process(one) => {
            let line = one.command_line.as_deref().unwrap_or_default();
            // A quote at either end takes the letter into its word; then nothing is longer.
            let quoted = line.starts_with(['"', '\'']) || line.ends_with(['"', '\'', '\\']) || line.len() > 600;
            if quoted { Vec::new() } else { around(line, LINES, &[], &["x"]) }
        }
        Object::UserAccount(one) => match &one.account_login {
            Some(login) => around(
                login,
                &["data.srcuser", "data.dstuser", "data.win.eventdata.targetUserName"],
                &["x", "x-"],
                &["x", "-x"],
            ),
            None => Vec::new(),
        },
        Object::UserAgent(one) => {
            around(&one.value, &["data.http.http_user_agent", "data.aws.userAgent"], &["x"], &["x"])
        }
        Object::Vulnerability(one) => around(&one.name, &["data.vulnerability.cve"], &["x"], &["0"]),
        Object::Text(one) => around(&one.value, &["data.tls.ja3.hash", "data.virustotal.source.file"], &["x"], &["x"]),
        _ => Vec::new(),
    }
}

#[test]
fn a_value_inside_a_longer_token_is_not_found() {
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let catalogue = Catalogue::builtin();
    let mut questions = questions(&lines, &catalogue);
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    questions.retain(|question| {
        let count = kinds.entry(question.kind().to_owned()).or_default();
        let new = *count < 600 && seen.insert(serde_json::to_string(&question.object).unwrap());
        *count += usize::from(new);
        new
    });
    let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, wide());
    let outcomes = parallel(&questions, |question| {
        let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
        let Ok(built) = builder.build(&question.object, &*question.references) else { return (0, Vec::new()) };
        if built.notes.iter().any(|note| matches!(note, Note::WordsIgnored(_) | Note::Shortened(_))) {
            return (0, Vec::new());
        }
        let mut wrong = Vec::new();
        let mut count = 0;
        for (text, fields) in longer(&question.object) {
            for field in fields {
                // As the event channel writes it, too.
                let doubled = text.contains('\\').then(|| text.replace('\\', "\\\\"));
                for text in std::iter::once(text.clone()).chain(doubled) {
                    count += 1;
                    let mut document = json!({"rule": {"id": "1"}});
                    place(&mut document, field, &text);
                    if evaluator.matches(&built.query, &document).unwrap() {
                        wrong.push(format!("{field}: {text}"));
                    }
                }
            }
        }
        (count, wrong)
    });
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (question, (count, found)) in questions.iter().zip(outcomes) {
        *asked.entry(question.kind()).or_default() += count;
        if let Some(found) = found.into_iter().next() {
            let object = serde_json::to_string(&question.object).unwrap();
            wrong.entry(question.kind()).or_default().push(format!("{found} for {object}"));
        }
    }
    for (kind, count) in &asked {
        println!("{kind}: {count} longer tokens");
    }
    for (kind, found) in &wrong {
        println!(
            "WRONG {kind}: {} times, such as {}",
            found.len(),
            found.iter().take(6).cloned().collect::<Vec<_>>().join("\n   ")
        );
    }
    assert!(wrong.is_empty(), "values are found inside longer tokens");
}

/// Puts a text at a path.
fn place(document: &mut Value, path: &str, text: &str) {
    let mut at = document;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = text.into();
}

// ---- OpenSearch -----------------------------------------------------------------------------------

/// How many queries are compared.
const QUERIES: usize = 2_060;

#[test]
fn the_evaluator_and_opensearch_agree_on_every_document() {
    let Ok(url) = std::env::var("OPENSEARCH_URL") else {
        eprintln!(
            "skipped: OPENSEARCH_URL is not set, so no query was run in a real OpenSearch (see deploy/dev/opensearch.sh)"
        );
        return;
    };
    let lines = corpus();
    if lines.is_empty() {
        return;
    }
    let started = Instant::now();
    let index = "wazuh-alerts-4.x-laws";
    let rejected = index_corpus(&url, index, &lines);
    println!(
        "{} alerts indexed, {} rejected by the mapping ({:?})",
        lines.len() - rejected.len(),
        rejected.len(),
        started.elapsed()
    );
    assert!(rejected.len() * 20 < lines.len(), "too many alerts were rejected");

    let catalogue = Catalogue::builtin();
    let queries = sampled(&questions(&lines, &catalogue), &catalogue);
    let documents = values(&lines);
    let found = search_all(&url, index, &queries);
    println!("OpenSearch answered {} queries ({:?})", queries.len(), started.elapsed());
    let holders = holders(&documents);
    let local = parallel(&queries, |(_, query)| {
        let evaluator = Evaluator::new(&catalogue, Schema::Wazuh4);
        // A document with none of the fields is like any other of that kind.
        let mut named = BTreeSet::new();
        field_names(query, &mut named);
        let with: BTreeSet<usize> = named.iter().filter_map(|name| holders.get(*name)).flatten().copied().collect();
        let without = evaluator.matches(query, &json!({"rule": {}})).unwrap();
        let matches = |place: &usize| {
            if with.contains(place) { evaluator.matches(query, &documents[*place]).unwrap() } else { without }
        };
        (0..documents.len()).filter(|place| !rejected.contains(place)).filter(matches).collect::<BTreeSet<_>>()
    });
    println!("the evaluator answered them ({:?})", started.elapsed());

    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut different = 0;
    for (((kind, query), local), found) in queries.iter().zip(&local).zip(&found) {
        let count = counts.entry(kind).or_default();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                different += 1;
                println!("REJECTED {kind}: {error}\n   {}", shortened(&query.to_json()));
                continue;
            }
        };
        *count = [count[0] + 1, count[1] + local.len(), count[2] + usize::from(local != found)];
        if local != found {
            different += 1;
            if different <= 25 {
                println!("DIFFERENT {kind}: {}", shortened(&query.to_json()));
                for (name, one, other) in [("evaluator", local, found), ("OpenSearch", found, local)] {
                    let only: Vec<_> = one.difference(other).collect();
                    if let Some(first) = only.first() {
                        println!(
                            "   only the {name} finds {} documents, such as {}",
                            only.len(),
                            shortened(&lines[**first])
                        );
                    }
                }
            }
        }
    }
    for (kind, [queries, hits, different]) in &counts {
        println!("{kind}: {queries} queries, {hits} hits, {different} different");
    }
    let all: usize = counts.values().map(|[queries, ..]| queries).sum();
    let pairs = all * (lines.len() - rejected.len());
    println!("{all} queries compared on {pairs} pairs of query and document in {:?}", started.elapsed());
    server::request("DELETE", &format!("{url}/{index}"), "");
    server::request("DELETE", &format!("{url}/_template/laws"), "");
    assert_eq!(different, 0, "the evaluator and OpenSearch disagree");
    assert!(lines.len() < 2_000 || all >= 2_000, "only {all} queries were compared");
}

/// Adds what the catalogue says about fields that are more than keywords, and about nested lists.
fn map_catalogue(mappings: &mut Value) {
    let mut set = |path: &str, mapping: Value| {
        let mut at = &mut *mappings;
        for part in path.split('.') {
            at = &mut at["properties"][part];
        }
        for (name, value) in mapping.as_object().unwrap() {
            at[name] = value.clone();
        }
    };
    let catalogue = Catalogue::builtin();
    for field in catalogue.select(Schema::Wazuh4, |field| field.uses.search) {
        if let Some(list) = &field.nested {
            set(list, json!({"type": "nested"}));
        }
        match field.index {
            IndexType::Ip => set(&field.path, json!({"type": "ip"})),
            IndexType::Long => set(&field.path, json!({"type": "long"})),
            IndexType::Double => set(&field.path, json!({"type": "double"})),
            _ => {}
        }
    }
}

/// The documents that have a value at each path.
fn holders(documents: &[Value]) -> BTreeMap<String, Vec<usize>> {
    fn visit(value: &Value, path: &str, place: usize, found: &mut BTreeMap<String, Vec<usize>>) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| visit(member, path, place, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    visit(member, &path, place, found);
                }
            }
            _ => {
                let places = found.entry(path.to_owned()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    for (place, document) in documents.iter().enumerate() {
        visit(document, "", place, &mut found);
    }
    found
}

/// Every field that a query names.
fn field_names<'q>(query: &'q Query, names: &mut BTreeSet<&'q str>) {
    match query {
        Query::AnyField { fields, .. } | Query::AnyFieldAll { fields, .. } => names.extend(fields.iter()),
        Query::Field { field, .. } => {
            names.insert(field);
        }
        Query::Bool(query) => {
            let parts = [&query.filter, &query.should, &query.must_not];
            parts.into_iter().flatten().for_each(|query| field_names(query, names));
        }
        Query::Raw(query) => {
            let field = query["match"].as_object().and_then(|fields| fields.keys().next());
            names.insert(field.expect("builders write no other query of their own"));
        }
        _ => panic!("builders write no such query: {query:?}"),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(900).collect()
}

/// Creates the index from the real template and fills it, one document per alert with its number as identifier.
/// Returns the numbers of those that the mapping refuses.
fn index_corpus(url: &str, index: &str, lines: &[String]) -> BTreeSet<usize> {
    server::request("DELETE", &format!("{url}/{index}"), "");
    let template =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/wazuh-templates/4.14.7/wazuh-template.json");
    let template = match fs::read_to_string(&template) {
        Ok(template) => template,
        Err(_) => {
            eprintln!("the real template is not there: a small one stands in for it");
            let mut mappings: Value = serde_json::from_str(include_str!("store/mapping.json")).unwrap();
            map_catalogue(&mut mappings);
            json!({"index_patterns": ["wazuh-alerts-4.x-*"], "mappings": mappings}).to_string()
        }
    };
    let (status, answer) = server::request("PUT", &format!("{url}/_template/laws"), &template);
    assert_eq!(status, 200, "{answer}");
    // One shard and one segment answer many small questions fastest; the mapping is the template's.
    let (status, answer) = server::request("PUT", &format!("{url}/{index}"), r#"{"settings":{"number_of_shards":1}}"#);
    assert_eq!(status, 200, "{answer}");
    map_texts(url, index, &template, lines);
    let mut rejected = BTreeSet::new();
    for (part, chunk) in lines.chunks(500).enumerate() {
        let mut bulk = String::new();
        for (place, line) in chunk.iter().enumerate() {
            bulk += &format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{line}\n", part * 500 + place);
        }
        let (status, answer) = server::request("POST", &format!("{url}/{index}/_bulk"), &bulk);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        for item in answer["items"].as_array().unwrap() {
            let item = &item["index"];
            if item["error"].is_object() {
                if rejected.len() < 5 {
                    println!("rejected: {}", shortened(&item["error"].to_string()));
                }
                rejected.insert(item["_id"].as_str().unwrap().parse().unwrap());
            }
        }
    }
    server::request("POST", &format!("{url}/{index}/_forcemerge?max_num_segments=1"), "");
    server::request("POST", &format!("{url}/{index}/_refresh"), "");
    rejected
}

/// Maps the fields of texts at once, as the template's dynamic rule would one by one, which takes a minute.
fn map_texts(url: &str, index: &str, template: &str, lines: &[String]) {
    /// Everything that the template names, and whether it gives a type: values, and lists of nested objects.
    fn mapped(properties: &Value, path: &str, found: &mut BTreeMap<String, bool>) {
        for (name, mapping) in properties.as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            mapped(&mapping["properties"], &path, found);
            found.insert(path, mapping["type"].is_string());
        }
    }
    let template: Value = serde_json::from_str(template).unwrap();
    let mut known = BTreeMap::new();
    mapped(&template["mappings"]["properties"], "", &mut known);
    let documents = values(lines);
    let holders = holders(&documents);
    let is_text = |path: &str, place: usize| {
        let mut texts = true;
        Document::new(&documents[place]).each(path, &mut |value| texts &= value.is_string());
        texts
    };
    let mut properties = serde_json::Map::new();
    let paths: Vec<&String> = holders.keys().collect();
    for (path, places) in &holders {
        // Where one alert has a text and another an object, the first one indexed decides.
        let parents = path.match_indices('.').map(|(end, _)| &path[..end]);
        let clear = parents.clone().all(|parent| !holders.contains_key(parent) && known.get(parent) != Some(&true))
            && !paths.iter().any(|other| other.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.')));
        let free = !known.contains_key(path) && path.split('.').all(|part| !part.trim().is_empty());
        if clear && free && places.iter().all(|place| is_text(path, *place)) {
            properties.insert(path.clone(), json!({"type": "keyword"}));
        }
    }
    let count = properties.len();
    let (status, answer) =
        server::request("PUT", &format!("{url}/{index}/_mapping"), &json!({"properties": properties}).to_string());
    println!("{count} fields of texts mapped at once");
    assert_eq!(status, 200, "{answer}");
}

/// Distinct queries, evenly from all types and ways to build them.
fn sampled(questions: &[Question], catalogue: &Catalogue) -> Vec<(String, Query)> {
    let options = [("default", SearchOptions::default()), ("wide", wide()), ("exact", exact())];
    let builders: Vec<(&str, QueryBuilder)> = options
        .into_iter()
        .map(|(name, options)| (name, QueryBuilder::new(catalogue, Schema::Wazuh4, options)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, Vec<Query>> = BTreeMap::new();
    for question in questions {
        for (name, builder) in &builders {
            let Ok(built) = builder.build(&question.object, &*question.references) else { continue };
            if seen.insert(built.query.to_json()) {
                kinds.entry(format!("{} ({name})", question.kind())).or_default().push(built.query);
            }
        }
    }
    println!("{} distinct queries", seen.len());
    // Every n-th of the frequent kinds, all of the rare ones.
    let mut quota = QUERIES;
    let mut left = kinds.len();
    let mut sizes: Vec<(usize, String)> = kinds.iter().map(|(kind, queries)| (queries.len(), kind.clone())).collect();
    sizes.sort();
    let mut taken = Vec::new();
    for (size, kind) in sizes {
        let share = (quota / left).min(size);
        quota -= share;
        left -= 1;
        let queries = kinds.remove(&kind).unwrap();
        let mut places: Vec<usize> = (0..share).map(|number| number * size / share).collect();
        places.dedup();
        let mut wanted = places.into_iter().peekable();
        for (place, query) in queries.into_iter().enumerate() {
            if wanted.next_if_eq(&place).is_some() {
                taken.push((kind.clone(), query));
            }
        }
    }
    taken
}

/// The documents that OpenSearch finds for each query.
fn search_all(url: &str, index: &str, queries: &[(String, Query)]) -> Vec<Result<BTreeSet<usize>, String>> {
    let mut found = Vec::new();
    for queries in queries.chunks(25) {
        let mut body = String::new();
        for (_, query) in queries {
            let query = query.to_json();
            body +=
                &format!("{{}}\n{{\"query\":{query},\"size\":10000,\"_source\":false,\"track_total_hits\":true}}\n");
        }
        let filter = "responses.hits.hits._id,responses.hits.total,responses.error.root_cause,responses._shards.failed";
        let (status, answer) = server::request(
            "POST",
            &format!("{url}/{index}/_msearch?max_concurrent_searches=2&filter_path={filter}"),
            &body,
        );
        assert_eq!(status, 200, "{} {}", shortened(&answer), shortened(&body));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        for one in answer["responses"].as_array().unwrap() {
            found.push(if one["hits"]["total"]["value"].is_u64() && one["_shards"]["failed"] == 0 {
                let hits = one["hits"]["hits"].as_array().into_iter().flatten();
                Ok(hits.map(|hit| hit["_id"].as_str().unwrap().parse().unwrap()).collect())
            } else {
                Err(one.to_string())
            });
        }
    }
    found
}
