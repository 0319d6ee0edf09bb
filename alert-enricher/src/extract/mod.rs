//! From an alert to the observables in it, each with the fields it came from.
//!
//! The catalogue says which fields describe the same thing; [`extract`](Extractor::extract) puts them together into
//! files with their hashes, processes with their parents, connections with their ports. A field with an odd value
//! gives nothing and costs nothing else.

mod account;
mod file;
mod group;
mod index;
mod observed;
mod options;
mod process;
pub(crate) use process::decoded;
mod registry;
mod rule;
mod software;
mod traffic;

use serde::Serialize;
use stix_model::sco::{
    AutonomousSystem, Directory, DomainName, EmailAddr, EmailMessage, Hostname, Ipv4Addr, Ipv6Addr, MacAddr, Mutex,
    Text, Url, UserAgent, X509Certificate,
};
use stix_model::sro::Relationship;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::alert::{Alert, timestamp};
use wazuh_query::catalogue::{Catalogue, FieldId, Holds, Role};
use wazuh_query::value::{self, Reading, is_placeholder, read};

use group::{Group, groups};
use index::Index;
pub use observed::AgentFacts;
pub use options::{ExtractOptions, ExtractType, UnknownType};

/// Where an object came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The object.
    pub object: Identifier,
    /// The path of the field.
    pub field: String,
    /// The rule that raised the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The decoder that read the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder: Option<String>,
}

/// What one alert holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    /// Observables, and the domain objects and relationships between them. Every object stands once; what an object
    /// refers to stands before it.
    pub objects: Vec<Object>,
    /// Which field gave which object: the place in `objects`, and the field.
    pub fields: Vec<(usize, FieldId)>,
    /// Whether the alert holds more than is taken of one: [`MOST_OBJECTS`](Self::MOST_OBJECTS) objects,
    /// [`MOST_RESOLUTIONS`](Self::MOST_RESOLUTIONS) of which say which name led to which address.
    pub cut: bool,
}

impl Extraction {
    /// So many objects are made of one alert. Those that would come after them are left out; what an object that is there
    /// refers to is there, too.
    pub const MOST_OBJECTS: usize = 8_192;

    /// So often at most it is told which name led to which address: that relates every name of a question with every
    /// address of its answer.
    pub const MOST_RESOLUTIONS: usize = 1_024;

    /// The fields with their names, for people and for output.
    pub fn provenance(&self, alert: &Alert<'_>, catalogue: &Catalogue) -> Vec<Provenance> {
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let one = |(object, field): &(usize, FieldId)| {
            let object = self.objects.get(*object)?;
            Some(Provenance {
                object: object.id().clone(),
                field: catalogue.field(*field).path.to_string(),
                rule: owned(&alert.rule.id),
                decoder: owned(&alert.decoder),
            })
        };
        self.fields.iter().filter_map(one).collect()
    }
}

/// Makes observables of alerts.
///
/// ```
/// use alert_enricher::extract::{ExtractOptions, Extractor};
/// use wazuh_query::alert::Alert;
/// use wazuh_query::catalogue::Catalogue;
///
/// let catalogue = Catalogue::builtin();
/// let text = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","rule":{"id":"5710"},"data":{"srcip":"203.0.113.7"}}"#;
/// let alert = Alert::read(text, &catalogue)?;
/// let options = ExtractOptions::default();
/// let extraction = Extractor::new(&catalogue, &options).extract(&alert);
/// assert_eq!(extraction.objects[0].object_type(), "ipv4-addr");
/// # Ok::<(), wazuh_query::alert::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extractor<'c> {
    catalogue: &'c Catalogue,
    options: &'c ExtractOptions,
}

impl<'c> Extractor<'c> {
    /// An extractor with these options.
    pub fn new(catalogue: &'c Catalogue, options: &'c ExtractOptions) -> Self {
        Self { catalogue, options }
    }

    /// Everything in an alert. The same alert gives the same objects in the same order.
    pub fn extract(&self, alert: &Alert<'_>) -> Extraction {
        let mut work = Work {
            catalogue: self.catalogue,
            options: self.options,
            alert,
            created: alert.timestamp.unwrap_or(Timestamp::UNIX_EPOCH),
            done: Extraction { objects: Vec::with_capacity(16), fields: Vec::with_capacity(32), cut: false },
            addresses: Vec::with_capacity(8),
            indices: Indices::default(),
            resolutions: 0,
        };
        let groups = groups(alert, self.catalogue, self.options.searched_fields);
        work.processes(&groups);
        for group in &groups {
            if !group.is_process() {
                work.group(group, &groups);
            }
        }
        work.rule();
        work.done
    }
}

/// One extraction under way.
struct Work<'c, 'a, 't> {
    catalogue: &'c Catalogue,
    options: &'c ExtractOptions,
    alert: &'a Alert<'t>,
    /// When the objects that need a time were made: when the alert was raised.
    created: Timestamp,
    done: Extraction,
    /// Addresses and where they are among the objects: most stand in several fields.
    addresses: Vec<(std::net::IpAddr, usize)>,
    indices: Indices,
    /// How many names and addresses were related.
    resolutions: usize,
}

/// Where things stand in the lists of an extraction.
#[derive(Default)]
struct Indices {
    objects: Index,
    fields: Index,
    addresses: Index,
}

impl<'a> Work<'_, 'a, '_> {
    fn wants(&self, kind: ExtractType) -> bool {
        self.options.types.contains(&kind)
    }

    /// Adds an object, or finds the one with the same identifier, and notes the field. Beyond
    /// [`Extraction::MOST_OBJECTS`] it is left out, and so is everything after it, such as what would refer to it.
    fn add(&mut self, object: impl Into<Object>, fields: impl IntoIterator<Item = FieldId>) -> Identifier {
        let object = object.into();
        let id = object.id().clone();
        let known = self.indices.objects.find(&self.done.objects, Object::id, &id);
        if known.is_none() && self.is_full() {
            self.done.cut = true;
            return id;
        }
        let place = known.unwrap_or_else(|| {
            self.done.objects.push(object);
            self.done.objects.len() - 1
        });
        for field in fields {
            self.came_from(place, field);
        }
        id
    }

    fn is_full(&self) -> bool {
        self.done.objects.len() >= Extraction::MOST_OBJECTS
    }

    fn came_from(&mut self, object: usize, field: FieldId) {
        let both = (object, field);
        if self.indices.fields.find(&self.done.fields, |known| known, &both).is_none() {
            self.done.fields.push(both);
        }
    }

    /// Relates two objects.
    fn relate(&mut self, relationship: &str, source: &Identifier, target: &Identifier) {
        if source != target {
            self.add(Relationship::new(relationship, source.clone(), target.clone(), self.created), []);
        }
    }

    /// A group that is no process.
    fn group(&mut self, group: &Group<'a>, groups: &[Group<'a>]) {
        self.singles(group);
        self.file(group, groups);
        self.account(group);
        self.registry(group);
        self.traffic(group);
        self.certificate(group);
        self.email_message(group);
        self.software(group);
        self.names_of_addresses(group);
    }

    /// Observables that a single field tells completely.
    fn singles(&mut self, group: &Group<'a>) {
        let object_type = group.first_text(Holds::ObjectType);
        for leaf in &group.leaves {
            let id = leaf.field;
            read(leaf.holds, leaf.text, &mut |reading| {
                self.single(leaf.holds, id, reading, object_type);
            });
        }
    }

    fn single(&mut self, holds: Holds, field: FieldId, reading: Reading<'_>, object_type: Option<&str>) {
        match reading {
            Reading::Address(address) => {
                self.address(address, field);
            }
            Reading::Asn(number) if self.wants(ExtractType::AutonomousSystem) => {
                self.add(AutonomousSystem::new(number), [field]);
            }
            Reading::Domain(name) => {
                self.host(&name, field);
            }
            Reading::Hostname(name) => {
                self.host(&name, field);
            }
            Reading::Email(address) if self.wants(ExtractType::EmailAddr) => {
                self.add(EmailAddr::new(address.into_owned()), [field]);
            }
            Reading::Mac(octets) if self.wants(ExtractType::MacAddr) => {
                self.add(MacAddr::new(value::mac_text(octets)), [field]);
            }
            Reading::Url(url) if self.wants(ExtractType::Url) => {
                self.add(Url::new(url), [field]);
            }
            Reading::UrlPath(path) if self.options.urls_without_host && self.wants(ExtractType::Url) => {
                self.add(Url::new(path), [field]);
            }
            Reading::Text(text)
                if holds == Holds::UserAgent && !is_placeholder(&text) && self.wants(ExtractType::UserAgent) =>
            {
                self.add(UserAgent::new(text.into_owned()), [field]);
            }
            Reading::Path(path) if holds == Holds::Directory => {
                self.directory(&path, field);
            }
            Reading::Path(path)
                if holds == Holds::PipeName && !is_placeholder(&path) && self.wants(ExtractType::Text) =>
            {
                self.add(Text::new(path.into_owned()), [field]);
            }
            Reading::Path(path) if holds == Holds::ObjectName => self.kernel_object(&path, object_type, field),
            _ => {}
        }
    }

    fn address(&mut self, address: std::net::IpAddr, field: FieldId) -> Option<Identifier> {
        // The addresses that mean "none" or "any".
        if address.is_unspecified() {
            return None;
        }
        let known = self.indices.addresses.find(&self.addresses, |(known, _)| known, &address);
        if let Some((_, place)) = known.and_then(|known| self.addresses.get(known)).copied() {
            self.came_from(place, field);
            return self.done.objects.get(place).map(|object| object.id().clone());
        }
        if !self.wants(if address.is_ipv4() { ExtractType::Ipv4Addr } else { ExtractType::Ipv6Addr }) {
            return None;
        }
        // No other field gives the same object: addresses have one spelling.
        if !self.is_full() {
            self.addresses.push((address, self.done.objects.len()));
        }
        Some(match address {
            std::net::IpAddr::V4(address) => self.add(Ipv4Addr::new(address.to_string()), [field]),
            std::net::IpAddr::V6(address) => self.add(Ipv6Addr::new(address.to_string()), [field]),
        })
    }

    /// A name: a domain name where it has the form of one, else the name of a host.
    fn host(&mut self, name: &str, field: FieldId) -> Option<Identifier> {
        if is_placeholder(name) || name == "localhost" {
            return None;
        }
        if value::domain(name).is_some() {
            return self.wants(ExtractType::DomainName).then(|| self.add(DomainName::new(name), [field]));
        }
        self.wants(ExtractType::Hostname).then(|| self.add(Hostname::new(name), [field]))
    }

    /// A directory, unless it is a root, which every host has.
    fn directory(&mut self, path: &str, field: FieldId) -> Option<Identifier> {
        let path = path.trim_end_matches(['/', '\\']);
        let is_root = path.is_empty() || path.ends_with(':') || matches!(path, "." | "..");
        if is_root || is_placeholder(path) || value::hive(path).is_some() || !self.wants(ExtractType::Directory) {
            return None;
        }
        Some(self.add(Directory::new(path), [field]))
    }

    fn kernel_object(&mut self, name: &str, object_type: Option<&str>, field: FieldId) {
        match object_type {
            Some("Mutant") if self.wants(ExtractType::Mutex) => {
                self.add(Mutex::new(name), [field]);
            }
            Some("File") => {
                self.file_of_path(name, [field]);
            }
            Some("Key") => {
                self.registry_key(name, Vec::new(), [field]);
            }
            _ => {}
        }
    }

    fn certificate(&mut self, group: &Group<'a>) {
        if !self.wants(ExtractType::X509Certificate) || !group.any(is_of_certificate) {
            return;
        }
        let mut certificate = X509Certificate::default();
        let mut fields = Vec::new();
        for leaf in group.leaves.iter().filter(|leaf| is_of_certificate(leaf.holds)) {
            read(leaf.holds, leaf.text, &mut |reading| match (leaf.holds, reading) {
                (Holds::CertificateFingerprint, Reading::Hash(algorithm, digest)) => {
                    certificate.hashes.insert(file::hash_name(algorithm), digest);
                    fields.push(leaf.field);
                }
                (Holds::CertificateSerial, Reading::Text(text)) => {
                    certificate.serial_number.get_or_insert(text.into_owned());
                    fields.push(leaf.field);
                }
                (Holds::CertificateSubject, Reading::Text(text)) => {
                    certificate.subject.get_or_insert(text.into_owned());
                    fields.push(leaf.field);
                }
                (Holds::CertificateIssuer, Reading::Text(text)) => {
                    certificate.issuer.get_or_insert(text.into_owned());
                    fields.push(leaf.field);
                }
                (Holds::CertificateNotBefore, Reading::Text(text)) => {
                    certificate.validity_not_before = time(&text).or(certificate.validity_not_before);
                }
                (Holds::CertificateNotAfter, Reading::Text(text)) => {
                    certificate.validity_not_after = time(&text).or(certificate.validity_not_after);
                }
                _ => {}
            });
        }
        let known =
            !certificate.hashes.is_empty() || certificate.serial_number.is_some() || certificate.subject.is_some();
        if known {
            self.add(certificate.identified(), fields);
        }
    }

    fn email_message(&mut self, group: &Group<'a>) {
        let Some(subject) = group.leaf(Holds::EmailSubject) else { return };
        if !self.wants(ExtractType::EmailMessage) || is_placeholder(subject.text) {
            return;
        }
        let mut recipients = Index::default();
        let mut message = EmailMessage { subject: Some(subject.text.trim().to_owned()), ..EmailMessage::default() };
        let mut fields = vec![subject.field];
        for leaf in &group.leaves {
            if !matches!(leaf.role, Role::Sender | Role::Recipient) {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| {
                let Reading::Email(address) = reading else { return };
                let address = self.add(EmailAddr::new(address.into_owned()), [leaf.field]);
                fields.push(leaf.field);
                if leaf.role == Role::Recipient {
                    if recipients.find(&message.to_refs, |known| known, &address).is_none() {
                        message.to_refs.push(address);
                    }
                } else {
                    message.from_ref.get_or_insert(address);
                }
            });
        }
        self.add(message.identified(), fields);
    }

    /// Which name led to which address: DNS answers, and the names of a connection's ends.
    fn names_of_addresses(&mut self, group: &Group<'a>) {
        // Most groups have addresses but no name for them; then there is nothing to relate.
        let may_be_name =
            |holds| matches!(holds, Holds::Domain | Holds::Hostname | Holds::HostOrIp | Holds::DnsResults);
        let has_question = group.leaves.iter().any(|leaf| may_be_name(leaf.holds) && leaf.role != Role::Answer);
        let is_end = |role| matches!(role, Role::Answer | Role::Source | Role::Destination);
        if !has_question || !group.leaves.iter().any(|leaf| is_end(leaf.role)) {
            return;
        }
        let (mut questions, mut answers) = (Ends::default(), Ends::default());
        for leaf in &group.leaves {
            let wanted =
                matches!(leaf.holds, Holds::Domain | Holds::Hostname | Holds::HostOrIp | Holds::Ip | Holds::DnsResults);
            if !wanted {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| {
                let (name, id) = match reading {
                    Reading::Domain(name) => (true, self.host(&name, leaf.field)),
                    Reading::Address(address) => (false, self.address(address, leaf.field)),
                    _ => return,
                };
                let Some(id) = id else { return };
                if leaf.role == Role::Answer {
                    answers.push((Role::None, id));
                } else if name {
                    questions.push((leaf.role, id));
                } else if matches!(leaf.role, Role::Source | Role::Destination) {
                    answers.push((leaf.role, id));
                }
            });
        }
        for (role, question) in &questions.list {
            for (end, answer) in &answers.list {
                if role != end {
                    continue;
                }
                if self.resolutions >= Extraction::MOST_RESOLUTIONS {
                    self.done.cut = true;
                    return;
                }
                self.resolutions += 1;
                self.relate("resolves-to", question, answer);
            }
        }
    }
}

/// Names or addresses, each once with the end that it belongs to.
#[derive(Default)]
struct Ends {
    list: Vec<(Role, Identifier)>,
    index: Index,
}

impl Ends {
    fn push(&mut self, end: (Role, Identifier)) {
        if self.index.find(&self.list, |known| known, &end).is_none() {
            self.list.push(end);
        }
    }
}

fn is_of_certificate(holds: Holds) -> bool {
    matches!(
        holds,
        Holds::CertificateFingerprint
            | Holds::CertificateSerial
            | Holds::CertificateSubject
            | Holds::CertificateIssuer
            | Holds::CertificateNotBefore
            | Holds::CertificateNotAfter
    )
}

/// A time in a field: RFC 3339, without a zone (then UTC), or seconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(time) = timestamp(text) {
        return Some(time);
    }
    if (9..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Timestamp::from_unix_millis(text.parse::<i64>().ok()?.checked_mul(1_000)?);
    }
    // `2024-08-01T05:26:40` and Sysmon's `2024-08-01 05:26:40.123` have no zone.
    let zoned = format!("{}Z", text.replacen(' ', "T", 1));
    timestamp(&zoned)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;

    /// Extracts and observes. Whatever the objects refer to has to be there.
    fn extracted(alert: &serde_json::Value) -> Extraction {
        let (catalogue, options) = (Catalogue::builtin(), ExtractOptions::default());
        let text = alert.to_string();
        let alert = Alert::read(&text, &catalogue).unwrap();
        let extractor = Extractor::new(&catalogue, &options);
        let extraction = extractor.extract(&alert);
        let mut known = HashSet::new();
        for object in &extraction.objects {
            if let Object::Relationship(relationship) = object {
                assert!(known.contains(&relationship.source_ref) && known.contains(&relationship.target_ref));
            }
            assert!(known.insert(object.id().clone()), "{} stands twice", object.id());
        }
        assert!(extraction.fields.iter().all(|(place, _)| *place < extraction.objects.len()));
        assert!(extraction.objects.len() <= Extraction::MOST_OBJECTS);
        assert!(extractor.observe(&alert, AgentFacts::default()).len() <= 4 * Extraction::MOST_OBJECTS);
        extraction
    }

    /// The names and addresses of thousands make millions of pairs.
    #[test]
    fn names_and_addresses_by_the_thousand_are_not_all_related() {
        let names: Vec<String> = (0..3_000).map(|number| format!("n{number}.example")).collect();
        let addresses: Vec<String> =
            (0..3_000).map(|number| format!("10.9.{}.{}", number / 250, number % 250)).collect();
        let dns = json!({"question": {"name": names}, "answers": {"data": addresses}});
        let extraction = extracted(&json!({"rule": {"id": "1"}, "data": {"dns": dns}}));
        let related = extraction.objects.iter().filter(|object| matches!(object, Object::Relationship(_))).count();
        assert_eq!((related, extraction.cut), (Extraction::MOST_RESOLUTIONS, true));
        // The same ones again and again are few.
        let dns =
            json!({"question": {"name": vec!["n.example"; 3_000]}, "answers": {"data": vec!["203.0.113.7"; 3_000]}});
        let extraction = extracted(&json!({"rule": {"id": "1"}, "data": {"dns": dns}}));
        assert_eq!((extraction.objects.len(), extraction.cut), (3, false));
    }

    /// A long text beside a list of thousands is not copied for each of them.
    #[test]
    fn what_is_made_of_an_alert_is_not_much_larger_than_it() {
        let many = |make: &dyn Fn(u32) -> String| (0..2_000).map(make).collect::<Vec<_>>();
        let long = |start: &str| format!("{start}{}", "x".repeat(30_000));
        let eventdata = [
            json!({
                "eventType": "SetValue", "details": long("value "),
                "targetObject": many(&|number| format!("HKLM\\\\SOFTWARE\\\\k{number}\\\\v")),
            }),
            json!({ "commandLine": long("run "), "parentImage": many(&|number| format!("C:\\\\q{number}.exe")) }),
        ];
        let of_windows = |eventdata: &serde_json::Value| json!({"rule": {"id": "1"}, "data": {"win": {"system": {"eventID": "13"}, "eventdata": eventdata}}});
        let request = json!({
            "srcip": many(&|number| format!("10.{}.{}.1", number / 250, number % 250)),
            "url": long("http://203.0.113.7/"), "aws": {"userAgent": long("agent ")},
        });
        let alerts =
            [of_windows(&eventdata[0]), of_windows(&eventdata[1]), json!({"rule": {"id": "1"}, "data": request})];
        for alert in alerts {
            let text = alert.to_string();
            let extraction = extracted(&alert);
            let made: usize =
                extraction.objects.iter().map(|object| serde_json::to_string(object).unwrap().len()).sum();
            let catalogue = Catalogue::builtin();
            let read = Alert::read(&text, &catalogue).unwrap();
            let options = ExtractOptions::default();
            let observed = Extractor::new(&catalogue, &options).observe(&read, AgentFacts::default());
            let observed: usize = observed.iter().map(|(_, object)| object.to_string().len()).sum();
            assert!(made < 8_000_000 && observed < 16_000_000, "{made} and {observed} of {}", text.len());
        }
    }

    #[test]
    fn lists_of_thousands_are_made_in_linear_time_and_cut() {
        let many = |make: &dyn Fn(u32) -> String| (0..9_000).map(make).collect::<Vec<_>>();
        let eventdata = json!({
            "image": many(&|number| format!("C:\\\\p{number}.exe")),
            "parentImage": many(&|number| format!("C:\\\\q{number}.exe")),
            "commandLine": many(&|number| format!("run {number}")),
            "targetFilename": many(&|number| format!("n{number}.dll")),
        });
        let data = json!({
            "srcip": many(&|number| format!("10.{}.{}.1", number / 250, number % 250)),
            "dstip": many(&|number| format!("10.{}.{}.2", number / 250, number % 250)),
            "srcport": many(&|number| number.to_string()),
            "url": many(&|number| format!("http://h{number}.example/{number}")),
            "srcuser": many(&|number| format!("user{number}")),
            "win": {"eventdata": eventdata},
        });
        let extraction = extracted(&json!({"rule": {"id": "1"}, "data": data}));
        assert_eq!((extraction.objects.len(), extraction.cut), (Extraction::MOST_OBJECTS, true));
        let elements: Vec<_> = (0..3_000)
            .map(|number| json!({"image": format!("/p{number}"), "parentImage": format!("/q{number}")}))
            .collect();
        let extraction = extracted(&json!({"rule": {"id": "1"}, "data": {"win": {"eventdata": elements}}}));
        assert!(!extraction.cut && extraction.objects.len() > 6_000, "{}", extraction.objects.len());
    }

    #[test]
    fn times_in_fields() {
        let wanted = timestamp("2024-08-01T05:26:40Z");
        for text in ["2024-08-01T05:26:40", "2024-08-01 05:26:40", "1722490000", "2024-08-01T07:26:40+02:00"] {
            assert_eq!(time(text), wanted, "{text}");
        }
        for text in ["", "08/01/2024", "yesterday", "99999999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
