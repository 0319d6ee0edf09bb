//! An alert as a pattern sees it: every observable in it, and every value that no observable was made of.
//!
//! Observables are made for people and for a platform: a port without an address, the second hash of a file or a process
//! without a command line are left out of them. A pattern asks for single properties, so here they all are, each value
//! in an object that says no more than the alert does.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use stix_model::Object;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{FieldId, HashAlgorithm, Holds, Role};
use wazuh_query::pattern::FULL_PATH;
use wazuh_query::value::{self, Reading, read};

use super::file::{Digests, hash_name};
use super::group::{Group, Value as Leaf, groups};
use super::index::Index;
use super::{Extraction, Extractor, is_placeholder, registry, time};

/// What counts of the agent that reported an alert, and of the machine that it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentFacts {
    /// Its address is one of the addresses in the alert.
    pub address: bool,
    /// Its name is one of the names in the alert.
    pub name: bool,
}

impl Extractor<'_> {
    /// The objects that patterns are evaluated on, each with its key.
    ///
    /// Those that [`extract`](Self::extract) finds have their identifiers as keys; the others have keys of their own.
    pub fn observe(&self, alert: &Alert<'_>, agent: AgentFacts) -> Vec<(String, Value)> {
        let extraction = self.extract(alert);
        let mut observed =
            Observed { objects: Vec::with_capacity(extraction.objects.len() * 2), ..Observed::default() };
        for object in &extraction.objects {
            observed.object(object);
        }
        observed.resolved(&extraction.objects);
        let groups = groups(alert, self.catalogue, self.options.searched_fields);
        observed.processes(&groups);
        for group in &groups {
            observed.group(group);
        }
        observed.requests(&groups);
        observed.agent(self, alert, agent);
        observed.objects
    }
}

/// So many objects are made of one alert. Patterns are not evaluated on what would come after them.
const MOST_OBJECTS: usize = 4 * Extraction::MOST_OBJECTS;
/// So many objects at most get what stands in the alert once, such as all parents of a command line, since each holds a
/// copy of it.
const MOST_COPIES: usize = 64;
/// So many ends of connections are looked for one by one.
const FEW_ENDS: usize = 16;

#[derive(Default)]
struct Observed {
    objects: Vec<(String, Value)>,
    /// Every property and value that is there already, as the path of the property and the value as text.
    known: HashSet<(&'static str, String)>,
    ends: Ends,
}

/// The objects that have a value, by type and value, as far as they were looked at.
#[derive(Default)]
struct Ends {
    asked: usize,
    looked_at: usize,
    places: HashMap<(String, String), usize>,
}

impl Observed {
    fn is_new(&mut self, path: &'static str, value: &str) -> bool {
        self.known.insert((path, value.to_owned()))
    }

    /// Adds an object and answers its key.
    fn add(&mut self, object: Value) -> String {
        let key = format!("{}--{}", object["type"].as_str().unwrap_or_default(), self.objects.len());
        if !self.is_full() {
            self.objects.push((key.clone(), object));
        }
        key
    }

    fn is_full(&self) -> bool {
        self.objects.len() >= MOST_OBJECTS
    }

    /// The key of the object with this type and value.
    fn with_value(&mut self, object_type: &str, value: &str) -> Option<String> {
        let parts = |object: &Value| Some((object["type"].as_str()?.to_owned(), object["value"].as_str()?.to_owned()));
        self.ends.asked += 1;
        let place = if self.ends.asked <= FEW_ENDS {
            self.objects.iter().position(|(_, object)| object["type"] == object_type && object["value"] == value)
        } else {
            for (place, (_, object)) in self.objects.iter().enumerate().skip(self.ends.looked_at) {
                if let Some(parts) = parts(object) {
                    self.ends.places.entry(parts).or_insert(place);
                }
            }
            self.ends.looked_at = self.objects.len();
            self.ends.places.get(&(object_type.to_owned(), value.to_owned())).copied()
        };
        Some(self.objects.get(place?)?.0.clone())
    }

    /// Adds an object of one property, unless the value is there already.
    fn single(
        &mut self,
        path: &'static str,
        object_type: &str,
        property: &str,
        value: impl Into<Value>,
    ) -> Option<String> {
        let value = value.into();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.is_new(path, &text).then(|| {
            let mut object = Map::new();
            object.insert("type".to_owned(), object_type.into());
            object.insert(property.to_owned(), value);
            self.add(object.into())
        })
    }

    /// An observable that was extracted.
    fn object(&mut self, object: &Object) {
        // What only OpenCTI knows, and what relates others, is no observable.
        let counts = object.is_observable() || matches!(object, Object::Vulnerability(_));
        let Ok(value) = serde_json::to_value(object) else { return };
        if !counts {
            return;
        }
        let mut note = |path: &'static str, text: Option<&str>| {
            if let Some(text) = text {
                self.known.insert((path, text.to_owned()));
            }
        };
        match object {
            Object::File(file) => {
                note("file:name", file.name.as_deref());
                for (name, digest) in file.hashes.iter() {
                    note(hash_path(name), Some(digest));
                }
                let size = file.size.map(|size| size.to_string());
                note("file:size", size.as_deref());
                let times = [("file:mtime", file.mtime), ("file:ctime", file.ctime)];
                for (path, time) in times {
                    note(path, time.map(|time| time.to_string()).as_deref());
                }
            }
            Object::Directory(directory) => note("directory:path", Some(&directory.path)),
            Object::DomainName(name) => note("domain-name:value", Some(&name.value)),
            Object::Hostname(name) => note("hostname:value", Some(&name.value)),
            Object::EmailAddr(address) => note("email-addr:value", Some(&address.value)),
            Object::EmailMessage(message) => note("email-message:subject", message.subject.as_deref()),
            Object::Process(process) => note("process:command_line", process.command_line.as_deref()),
            Object::UserAccount(account) => {
                note("user-account:account_login", account.account_login.as_deref());
                note("user-account:user_id", account.user_id.as_deref());
            }
            Object::Software(software) => {
                note("software:name", Some(&software.name));
                note("software:version", software.version.as_deref());
                note("software:vendor", software.vendor.as_deref());
                note("software:cpe", software.cpe.as_deref());
            }
            Object::WindowsRegistryKey(key) => {
                for value in &key.values {
                    note("registry:name", value.name.as_deref());
                    note("registry:data", value.data.as_deref());
                    note("registry:data_type", value.data_type.as_deref());
                }
            }
            Object::X509Certificate(certificate) => {
                note("x509:serial", certificate.serial_number.as_deref());
                note("x509:subject", certificate.subject.as_deref());
                note("x509:issuer", certificate.issuer.as_deref());
                for (name, digest) in certificate.hashes.iter() {
                    note(certificate_path(name), Some(digest));
                }
            }
            Object::NetworkTraffic(traffic) => {
                let text = |port: Option<i64>| port.map(|port| port.to_string());
                note("traffic:src_port", text(traffic.src_port).as_deref());
                note("traffic:dst_port", text(traffic.dst_port).as_deref());
                for protocol in &traffic.protocols {
                    note("traffic:protocols", Some(protocol));
                }
                for (path, end) in [("traffic:src_ref", &traffic.src_ref), ("traffic:dst_ref", &traffic.dst_ref)] {
                    note(path, end.as_ref().map(ToString::to_string).as_deref());
                }
            }
            Object::Text(text) => note("text:value", Some(&text.value)),
            _ => {}
        }
        let hashes = match object {
            Object::File(file) if !file.hashes.is_empty() => value.get("hashes").cloned(),
            _ => None,
        };
        let values = match object {
            Object::WindowsRegistryKey(_) => value.get("values").cloned(),
            _ => None,
        };
        self.objects.push((object.id().to_string(), value));
        // The contents of a file are an artifact, and OpenCTI has registry values as objects of their own.
        if let Some(hashes) = hashes {
            self.add(json!({"type": "artifact", "hashes": hashes}));
        }
        for value in values.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let mut value = value.clone();
            value["type"] = "windows-registry-value-type".into();
            self.add(value);
        }
    }

    /// What names led to.
    fn resolved(&mut self, objects: &[Object]) {
        let mut index = Index::default();
        for object in objects {
            let Object::Relationship(relationship) = object else { continue };
            if relationship.relationship_type != "resolves-to" {
                continue;
            }
            let place = index.find(&self.objects, |(key, _)| key, &relationship.source_ref.to_string());
            let name = place.and_then(|place| self.objects.get_mut(place));
            let Some(name) = name.and_then(|(_, object)| object.as_object_mut()) else { continue };
            let references = name.entry("resolves_to_refs").or_insert_with(|| json!([]));
            if let Some(references) = references.as_array_mut() {
                references.push(relationship.target_ref.to_string().into());
            }
        }
    }

    /// Every process with its image, its user and its parent, whether or not it has a command line.
    fn processes(&mut self, groups: &[Group<'_>]) {
        let named = |name: &'static str| groups.iter().filter(move |group| group.name == name);
        let mut parents = Vec::new();
        for group in named("parent-process") {
            parents.extend(self.process(group, Digests::of(group, |_| true), &[]));
        }
        let mut children = 0;
        for group in named("process") {
            let about_file = named("sysmon-file").any(|group| group.any(|holds| holds == Holds::FilePath));
            let mut digests = Digests::of(group, |_| true);
            for other in named("sysmon-file").filter(|other| !about_file && other.element == group.element) {
                for (algorithm, digest) in Digests::of(other, |_| true).hashes.iter() {
                    digests.hashes.insert(algorithm, digest);
                }
            }
            children += self.process(group, digests, &parents).len();
        }
        for group in named("target-process") {
            self.process(group, Digests::of(group, |_| true), &[]);
        }
        if children == 0 {
            for parent in &parents {
                self.add(json!({"type": "process", "parent_ref": parent}));
            }
        }
    }

    /// The processes of a group: one that has the first value of everything, and one for each further value.
    fn process(&mut self, group: &Group<'_>, digests: Digests, parents: &[String]) -> Vec<String> {
        let mut lists: [(&str, Vec<Value>, Index); 6] =
            ["image_ref", "command_line", "pid", "cwd", "name", "creator_user_ref"]
                .map(|name| (name, Vec::new(), Index::default()));
        let mut push = |name: &str, value: Value| {
            let Some((_, list, index)) = lists.iter_mut().find(|(known, ..)| *known == name) else { return };
            if index.find(list, |known| known, &value).is_none() {
                list.push(value);
            }
        };
        let mut hashes = (!digests.hashes.is_empty()).then_some(digests.hashes);
        for leaf in &group.leaves {
            if is_placeholder(leaf.text) {
                continue;
            }
            let mut found: Vec<(&'static str, Value)> = Vec::new();
            read(leaf.holds, leaf.text, &mut |reading| match (leaf.holds, reading) {
                (Holds::ProcessImage | Holds::FilePath | Holds::FileName | Holds::Command, Reading::Path(path))
                    if value::hive(&path).is_none() =>
                {
                    if let Some(mut file) = file(&path) {
                        if let Some(hashes) = hashes.take().filter(|_| leaf.holds != Holds::Command) {
                            file["hashes"] = serde_json::to_value(hashes).unwrap_or_default();
                        }
                        found.push(("image_ref", file));
                        found.push(("name", value::basename(&path).into()));
                    }
                }
                (Holds::CommandLine, Reading::CommandLine(line)) => found.push(("command_line", line.into())),
                (Holds::ProcessId, Reading::Number(number)) => found.push(("pid", number.into())),
                (Holds::Directory, Reading::Path(path)) => found.push(("cwd", path.into())),
                (_, Reading::Account(account)) => {
                    let mut user = json!({"type": "user-account", "account_login": account.login});
                    if let Some(number) = account.user_id {
                        user["user_id"] = number.into();
                    }
                    found.push(("creator_user_ref", user));
                }
                (_, Reading::Sid(sid)) => {
                    found.push(("creator_user_ref", json!({"type": "user-account", "user_id": sid})));
                }
                (Holds::UserId, Reading::Text(id)) => {
                    found.push(("creator_user_ref", json!({"type": "user-account", "user_id": id})));
                }
                _ => {}
            });
            for (name, value) in found {
                push(name, value);
            }
        }
        if let Some((line, _)) = super::process::command_line(group) {
            push("command_line", line.into());
        }
        if let Some(hashes) = hashes {
            push("image_ref", json!({"type": "file", "hashes": hashes}));
        }
        let mut keys = Vec::new();
        let most = lists.iter().map(|(_, list, _)| list.len()).max().unwrap_or(0);
        for place in 0..most {
            let mut process = json!({"type": "process"});
            for (name, list, _) in &mut lists {
                let Some(value) = list.get_mut(place).map(Value::take) else { continue };
                if let Value::String(line) = &value
                    && *name == "command_line"
                {
                    self.is_new("process:command_line", line);
                }
                let is_object = value.is_object();
                process[*name] = if is_object { self.part(value).into() } else { value };
            }
            match parents {
                [] => keys.push(self.add(process)),
                parents => {
                    for parent in parents.iter().skip(place).take(if place + 1 == most { MOST_COPIES } else { 1 }) {
                        process["parent_ref"] = parent.as_str().into();
                        keys.push(self.add(process.clone()));
                    }
                    if parents.len() <= place {
                        keys.push(self.add(process));
                    }
                }
            }
        }
        keys
    }

    /// Adds an object that another one refers to. The directory of a file becomes an object of its own.
    fn part(&mut self, mut object: Value) -> String {
        if let Some(directory) = object.get_mut("parent_directory_ref").map(Value::take) {
            object["parent_directory_ref"] = self.add(directory).into();
        }
        self.add(object)
    }

    /// The values of a group that no observable has.
    fn group(&mut self, group: &Group<'_>) {
        for leaf in &group.leaves {
            if is_placeholder(leaf.text) {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| self.reading(leaf, reading));
        }
        if let Some((line, _)) = super::process::command_line(group)
            && !group.is_process()
        {
            self.single("process:command_line", "process", "command_line", line);
        }
        self.names_of_ends(group);
    }

    fn reading(&mut self, leaf: &Leaf<'_>, reading: Reading<'_>) {
        use Holds as H;
        match (leaf.holds, reading) {
            (_, Reading::Domain(name)) if name != "localhost" => {
                self.single("hostname:value", "hostname", "value", &*name);
            }
            (_, Reading::Hash(algorithm, digest)) => self.digest(leaf.holds, algorithm, &digest),
            (H::FilePath | H::FileName | H::FileOrRegistryPath | H::ProcessImage, Reading::Path(path))
                if value::hive(&path).is_none() =>
            {
                self.path(&path);
            }
            (H::CommandLine, Reading::CommandLine(line)) => {
                self.single("process:command_line", "process", "command_line", &*line);
            }
            (H::FileSize, Reading::Number(size)) => {
                self.single("file:size", "file", "size", size);
            }
            (H::ProcessId, Reading::Number(number)) => {
                self.single("process:pid", "process", "pid", number);
            }
            (H::Port, Reading::Number(port)) if port <= 65_535 => match leaf.role {
                Role::Source => drop(self.single("traffic:src_port", "network-traffic", "src_port", port)),
                Role::Destination => drop(self.single("traffic:dst_port", "network-traffic", "dst_port", port)),
                _ => {}
            },
            (_, Reading::Account(account)) => {
                let login = &*account.login;
                self.single("user-account:account_login", "user-account", "account_login", login);
                if let Some(number) = account.user_id {
                    self.single("user-account:user_id", "user-account", "user_id", number);
                }
                if leaf.holds == H::UserName {
                    read(H::Email, leaf.text, &mut |reading| {
                        if let Reading::Email(address) = reading {
                            self.single("email-addr:value", "email-addr", "value", &*address);
                        }
                    });
                }
            }
            (_, Reading::Sid(sid)) => drop(self.single("user-account:user_id", "user-account", "user_id", sid)),
            (_, Reading::Email(address)) => self.correspondent(leaf.role, &address),
            (_, Reading::Text(text)) => self.text(leaf, &text),
            _ => {}
        }
    }

    fn text(&mut self, leaf: &Leaf<'_>, text: &str) {
        use Holds as H;
        let (path, object_type, property) = match leaf.holds {
            H::UserId => ("user-account:user_id", "user-account", "user_id"),
            H::SoftwareName => ("software:name", "software", "name"),
            H::SoftwareVersion => ("software:version", "software", "version"),
            H::SoftwareVendor => ("software:vendor", "software", "vendor"),
            H::Cpe => ("software:cpe", "software", "cpe"),
            H::CertificateSerial => ("x509:serial", "x509-certificate", "serial_number"),
            H::CertificateSubject => ("x509:subject", "x509-certificate", "subject"),
            H::CertificateIssuer => ("x509:issuer", "x509-certificate", "issuer"),
            H::Name | H::TlsFingerprint => ("text:value", "text", "value"),
            H::EmailSubject => {
                self.single("email-message:subject", "email-message", "subject", text);
                ("text:value", "text", "value")
            }
            H::UserAgent => ("text:value", "text", "value"),
            H::VulnerabilitySeverity => {
                let severity = text.to_uppercase();
                self.single("cvss:severity", "vulnerability", "x_opencti_cvss_base_severity", severity);
                return;
            }
            H::CvssScore => {
                if let Ok(score) = text.parse::<f64>() {
                    self.single("cvss:score", "vulnerability", "x_opencti_cvss_base_score", score);
                }
                return;
            }
            H::FileModified | H::FileCreated | H::CertificateNotBefore | H::CertificateNotAfter => {
                let (path, object_type, property) = match leaf.holds {
                    H::FileModified => ("file:mtime", "file", "mtime"),
                    H::FileCreated => ("file:ctime", "file", "ctime"),
                    H::CertificateNotBefore => ("x509:not_before", "x509-certificate", "validity_not_before"),
                    _ => ("x509:not_after", "x509-certificate", "validity_not_after"),
                };
                if let Some(time) = time(text) {
                    self.single(path, object_type, property, time.to_string());
                }
                return;
            }
            H::Protocol => {
                if let Some(name) = value::protocol_name(text)
                    && self.is_new("traffic:protocols", &name)
                {
                    self.add(json!({"type": "network-traffic", "protocols": [name]}));
                }
                return;
            }
            H::RegistryValueName | H::RegistryValueType | H::RegistryValueData => return self.registry_value(leaf),
            _ => return,
        };
        self.single(path, object_type, property, text);
    }

    fn registry_value(&mut self, leaf: &Leaf<'_>) {
        for (property, value) in registry::value_parts(leaf.holds, leaf.text) {
            let path = match property {
                "name" => "registry:name",
                "data" => "registry:data",
                _ => "registry:data_type",
            };
            if self.is_new(path, &value) {
                self.add(json!({"type": "windows-registry-key", "values": [{property: value}]}));
                self.add(json!({"type": "windows-registry-value-type", property: value}));
            }
        }
    }

    fn digest(&mut self, holds: Holds, algorithm: HashAlgorithm, digest: &str) {
        if algorithm == HashAlgorithm::Imphash {
            if self.is_new("file:imphash", digest) {
                self.add(json!({"type": "file", "extensions": {"windows-pebinary-ext": {"imphash": digest}}}));
            }
            if matches!(holds, Holds::Hash(_)) {
                self.single("text:value", "text", "value", digest);
            }
            return;
        }
        let name = hash_name(algorithm);
        if holds == Holds::CertificateFingerprint {
            if self.is_new(certificate_path(name), digest) {
                self.add(json!({"type": "x509-certificate", "hashes": {name: digest}}));
            }
        } else if self.is_new(hash_path(name), digest) {
            self.add(json!({"type": "file", "hashes": {name: digest}}));
            self.add(json!({"type": "artifact", "hashes": {name: digest}}));
        }
    }

    /// A file with its whole path, and its directory.
    fn path(&mut self, path: &str) {
        let Some(file) = file(path) else {
            let directory = path.trim_end_matches(['/', '\\']);
            if !directory.is_empty() {
                self.single("directory:path", "directory", "path", directory);
            }
            return;
        };
        self.is_new("file:name", value::basename(path));
        if self.is_new("file:path", path) {
            if let Some(parent) = value::parent(path) {
                self.single("directory:path", "directory", "path", parent);
            }
            self.part(file);
        }
    }

    fn correspondent(&mut self, role: Role, address: &str) {
        let property = match role {
            Role::Sender => "from_ref",
            Role::Recipient => "to_refs",
            _ => return,
        };
        let path = if role == Role::Sender { "message:from_ref" } else { "message:to_refs" };
        if self.is_new(path, address) {
            let key = self.add(json!({"type": "email-addr", "value": address}));
            let reference = if role == Role::Sender { json!(key) } else { json!([key]) };
            self.add(json!({"type": "email-message", property: reference}));
        }
    }

    /// The ends of a connection that are named, told by a MAC address, or have no other end or port beside them.
    fn names_of_ends(&mut self, group: &Group<'_>) {
        let port = |role| {
            let leaf = group.leaves.iter().find(|leaf| leaf.holds == Holds::Port && leaf.role == role)?;
            leaf.text.trim().parse::<u16>().ok()
        };
        let (src_port, dst_port) = (port(Role::Source), port(Role::Destination));
        for leaf in &group.leaves {
            let (path, end, port_name, port) = match leaf.role {
                Role::Source => ("traffic:src_ref", "src_ref", "src_port", src_port),
                Role::Destination => ("traffic:dst_ref", "dst_ref", "dst_port", dst_port),
                _ => continue,
            };
            let may_be_end = matches!(
                leaf.holds,
                Holds::Ip
                    | Holds::IpWithPort
                    | Holds::HostOrIp
                    | Holds::Domain
                    | Holds::Hostname
                    | Holds::Mac
                    | Holds::DnsResults
            );
            if !may_be_end || is_placeholder(leaf.text) {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| {
                let (object_type, value) = match reading {
                    Reading::Address(address) if !address.is_unspecified() => {
                        (if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" }, address.to_string())
                    }
                    Reading::Domain(name) => ("domain-name", name.into_owned()),
                    Reading::Hostname(name) => ("hostname", name.into_owned()),
                    Reading::Mac(octets) => ("mac-addr", value::mac_text(octets)),
                    _ => return,
                };
                let key = self.with_value(object_type, &value);
                let key = key.unwrap_or_else(|| self.add(json!({"type": object_type, "value": value})));
                if self.is_new(path, &key) {
                    let mut traffic = json!({"type": "network-traffic", end: key});
                    if let Some(port) = port {
                        traffic[port_name] = port.into();
                    }
                    self.add(traffic);
                }
            });
        }
    }

    /// What an HTTP request says, beside the addresses of its connection where there is one.
    fn requests(&mut self, groups: &[Group<'_>]) {
        let leaves = || groups.iter().flat_map(|group| &group.leaves).filter(|leaf| !is_placeholder(leaf.text));
        let agents = leaves().filter(|leaf| leaf.holds == Holds::UserAgent).map(|leaf| leaf.text.trim());
        let mut agents: Vec<&str> = agents.collect();
        agents.dedup();
        let mut targets: Vec<&str> = Vec::new();
        for leaf in leaves() {
            read(leaf.holds, leaf.text, &mut |reading| match reading {
                Reading::UrlPath(path) => targets.push(path),
                Reading::Url(url) => targets.extend(target(url)),
                _ => {}
            });
        }
        targets.dedup();
        if agents.is_empty() && targets.is_empty() {
            return;
        }
        for place in 0..agents.len().max(targets.len()) {
            let mut request = json!({});
            if let Some(agent) = agents.get(place) {
                request["request_header"] = json!({"User-Agent": agent});
            }
            if let Some(target) = targets.get(place) {
                request["request_value"] = (*target).into();
            }
            // The first request is that of the connections.
            if place == 0 {
                let connections = self.objects.iter_mut().filter(|(_, object)| {
                    object["type"] == "network-traffic"
                        && object.get("src_ref").is_some()
                        && object.get("extensions").is_none()
                });
                for (_, connection) in connections.take(MOST_COPIES) {
                    connection["extensions"] = json!({"http-request-ext": request});
                }
            }
            let extensions = json!({"http-request-ext": request});
            self.add(json!({"type": "network-traffic", "protocols": ["http"], "extensions": extensions}));
        }
    }

    fn agent(&mut self, extractor: &Extractor<'_>, alert: &Alert<'_>, agent: AgentFacts) {
        let of_agent = |field: FieldId| extractor.catalogue.field(field).role == Role::Agent;
        let leaves = alert.leaves.iter().filter(|leaf| of_agent(leaf.field));
        let mut texts: Vec<(Holds, &str)> =
            leaves.map(|leaf| (extractor.catalogue.field(leaf.field).holds, &*leaf.text)).collect();
        if agent.address {
            texts.extend(alert.agent.ip.as_deref().map(|text| (Holds::Ip, text)));
        }
        if agent.name {
            texts.extend(alert.agent.name.as_deref().map(|text| (Holds::Hostname, text)));
        }
        for (holds, text) in texts {
            let may_be =
                matches!(holds, Holds::Ip | Holds::IpWithPort | Holds::HostOrIp | Holds::Hostname | Holds::Domain);
            if !may_be || is_placeholder(text) {
                continue;
            }
            read(holds, text, &mut |reading| match reading {
                Reading::Address(address) if agent.address && !address.is_unspecified() => {
                    let object_type = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
                    self.add(json!({"type": object_type, "value": address.to_string()}));
                }
                Reading::Domain(name) if agent.name => {
                    self.single("domain-name:value", "domain-name", "value", &*name);
                    self.single("hostname:value", "hostname", "value", &*name);
                }
                Reading::Hostname(name) if agent.name && name != "localhost" => {
                    self.single("hostname:value", "hostname", "value", &*name);
                }
                _ => {}
            });
        }
    }
}

/// A file with its name, its directory in place of the reference, and its whole path. `None` when the path names none.
fn file(path: &str) -> Option<Value> {
    let name = value::basename(path);
    if name.is_empty() || path.contains(['\n', '\0']) {
        return None;
    }
    let mut file = json!({"type": "file", "name": name});
    if let Some(parent) = value::parent(path) {
        file[FULL_PATH] = path.into();
        file["parent_directory_ref"] = json!({"type": "directory", "path": parent});
    }
    Some(file)
}

/// Path and query of an absolute URL.
fn target(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let start = rest.find(['/', '?', '#'])?;
    rest.get(start..)
}

fn hash_path(algorithm: &str) -> &'static str {
    match algorithm {
        "MD5" => "file:hashes.MD5",
        "SHA-1" => "file:hashes.SHA-1",
        "SHA-512" => "file:hashes.SHA-512",
        "SSDEEP" => "file:hashes.SSDEEP",
        "TLSH" => "file:hashes.TLSH",
        _ => "file:hashes.SHA-256",
    }
}

fn certificate_path(algorithm: &str) -> &'static str {
    match algorithm {
        "MD5" => "x509:hashes.MD5",
        "SHA-1" => "x509:hashes.SHA-1",
        "SHA-512" => "x509:hashes.SHA-512",
        _ => "x509:hashes.SHA-256",
    }
}
