//! What is searched: everything that the alerts of a corpus hold, as objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use stix_model::sco::{
    Artifact, AutonomousSystem, Directory, DomainName, EmailAddr, EmailMessage, File, Hostname, Ipv4Addr, Ipv6Addr,
    MacAddr, Mutex, NetworkTraffic, Process, Software, Text, Url, UserAccount, UserAgent, WindowsRegistryKey,
    X509Certificate,
};
use stix_model::sdo::{Identity, Vulnerability};
use stix_model::{Hashes, Object, Timestamp};
use wazuh_query::alert::{Alert, Leaf};
use wazuh_query::catalogue::{Catalogue, Field, HashAlgorithm, Holds, Role};
use wazuh_query::options::{DirOption, FileOption, RegKeyOption, SearchOptions};
use wazuh_query::value::{self, Reading, read};

// ---- the corpus -----------------------------------------------------------------------------------

/// The lines of all alert files, one alert each.
pub(crate) fn corpus() -> Vec<String> {
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

pub(crate) fn time() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn address(address: IpAddr) -> Object {
    match address {
        IpAddr::V4(address) => Ipv4Addr::new(address.to_string()).into(),
        IpAddr::V6(address) => Ipv6Addr::new(address.to_string()).into(),
    }
}

pub(crate) fn hash_name(algorithm: HashAlgorithm) -> Option<&'static str> {
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

pub(crate) fn login(text: &str) -> Object {
    UserAccount { account_login: Some(text.to_owned()), ..UserAccount::default() }.identified().into()
}

pub(crate) fn user_id(text: &str) -> Object {
    UserAccount { user_id: Some(text.to_owned()), ..UserAccount::default() }.identified().into()
}

pub(crate) fn software(name: &str, version: Option<&str>, cpe: Option<&str>) -> Object {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Software { name: name.to_owned(), version: owned(version), cpe: owned(cpe), ..Software::default() }
        .identified()
        .into()
}

pub(crate) fn process(line: &str) -> Object {
    Process { command_line: Some(line.to_owned()), ..Process::default() }.identified().into()
}

/// A path as the first word of a command line.
pub(crate) fn quoted(path: &str) -> String {
    if path.contains(' ') { format!("\"{path}\"") } else { path.to_owned() }
}

/// The objects for one reading of a field.
pub(crate) fn objects(field: &Field, reading: &Reading<'_>) -> Vec<Object> {
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

pub(crate) fn registry_value(data: &str) -> Vec<Object> {
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
pub(crate) struct Question {
    pub(crate) object: Object,
    pub(crate) references: Vec<Object>,
    pub(crate) field: String,
    /// Only the path of the URL is known.
    pub(crate) path_only: bool,
    /// The document, if its query must match it.
    pub(crate) document: Option<usize>,
}

impl Question {
    pub(crate) fn kind(&self) -> &str {
        self.object.object_type()
    }
}

/// Everything that the alerts of the corpus hold, as objects.
pub(crate) fn questions(lines: &[String], catalogue: &Catalogue) -> Vec<Question> {
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
pub(crate) fn traffic(alert: &Alert<'_>, catalogue: &Catalogue, document: usize) -> Vec<Question> {
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
pub(crate) fn networks(questions: &[Question]) -> Vec<Question> {
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
pub(crate) fn wide() -> SearchOptions {
    SearchOptions {
        ignore_private_addrs: false,
        lookup_agent_ip: true,
        lookup_agent_name: true,
        ..SearchOptions::default()
    }
}

/// Exact values instead of regular expressions, and other paths through the builders.
pub(crate) fn exact() -> SearchOptions {
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
pub(crate) fn parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
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

pub(crate) fn values(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}
