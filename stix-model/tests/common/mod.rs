//! Objects for tests: one of every type, each with what STIX requires.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use stix_model::{
    Bundle, BundleBuilder, ExternalReference, Extra, KillChainPhase, Timestamp, Tlp,
    marking::MarkingDefinition,
    meta::{ExtensionDefinition, LanguageContent},
    sco::{
        AiPrompt, Artifact, AutonomousSystem, BankAccount, Credential, CryptocurrencyWallet, CryptographicKey,
        Directory, DomainName, EmailAddr, EmailMessage, File, Hostname, Iccid, Imei, Imsi, Ipv4Addr, Ipv6Addr, MacAddr,
        MediaContent, Mutex, NetworkTraffic, PaymentCard, Persona, PhoneNumber, Process, Software, SshKey, Text,
        TrackingNumber, Url, UserAccount, UserAgent, WindowsRegistryKey, WindowsRegistryValue, X509Certificate,
        X509V3Extensions,
    },
    sdo::{
        AttackPattern, Campaign, CaseIncident, CaseRfi, CaseRft, Channel, CourseOfAction, DataComponent, DataSource,
        Event, Feedback, Grouping, Identity, Incident, Indicator, Infrastructure, IntrusionSet, Language, Location,
        Malware, MalwareAnalysis, Narrative, Note, ObservedData, Opinion, Report, SecurityCoverage, Task, ThreatActor,
        Tool, Vulnerability,
    },
    sro::{Relationship, Sighting},
};

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().expect("a timestamp")
}

#[allow(clippy::unnecessary_wraps, reason = "most properties are optional")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The 18 observables of STIX 2.1.
pub(crate) fn standard_observables() -> Bundle {
    let mac = MacAddr::new("d2:fb:49:24:37:18");
    let system = AutonomousSystem::new(64_512_u32);
    let mut ipv4 = Ipv4Addr::new("198.51.100.3").with("x_opencti_score", 80);
    ipv4.resolves_to_refs.push(mac.id().clone());
    ipv4.belongs_to_refs.push(system.id().clone());
    let ipv6 = Ipv6Addr::new("2001:db8::1");
    let mut domain = DomainName::new("example.com");
    domain.resolves_to_refs.push(ipv4.id().clone());
    let url = Url::new("https://example.com/research/index.html");
    let directory = Directory::new("C:\\Windows\\System32");
    let user = UserAccount { account_login: text("root"), user_id: text("0"), ..UserAccount::default() }.identified();
    let artifact = Artifact { payload_bin: text("aGVsbG8gd29ybGQ="), ..Artifact::default() }.identified();
    let file = File {
        hashes: [
            ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ]
        .into_iter()
        .collect(),
        size: Some(0),
        name: text("empty.exe"),
        mtime: Some(now()),
        parent_directory_ref: Some(directory.id().clone()),
        content_ref: Some(artifact.id().clone()),
        ..File::default()
    }
    .identified();
    let traffic = NetworkTraffic {
        src_ref: Some(ipv4.id().clone()),
        dst_ref: Some(ipv6.id().clone()),
        src_port: Some(49_152),
        dst_port: Some(443),
        protocols: vec!["ipv6".to_owned(), "tcp".to_owned()],
        ..NetworkTraffic::default()
    }
    .identified();
    let process = Process {
        pid: Some(1234),
        command_line: text("/bin/sh -c id"),
        image_ref: Some(file.id().clone()),
        creator_user_ref: Some(user.id().clone()),
        opened_connection_refs: vec![traffic.id().clone()],
        ..Process::default()
    }
    .identified();
    let value = WindowsRegistryValue {
        name: text("Foo"),
        data: text("qwerty"),
        data_type: text("REG_SZ"),
        ..WindowsRegistryValue::default()
    };
    let key = WindowsRegistryKey {
        key: text("HKEY_LOCAL_MACHINE\\System\\Foo\\Bar"),
        values: vec![value],
        ..WindowsRegistryKey::default()
    }
    .identified();
    let certificate = X509Certificate {
        serial_number: text("36:f7:d4:32:f4:ab:70:ea:d3:ce:98:6e:ea:99:93:49:32:0a:b7:06"),
        issuer: text("CN=Example CA"),
        validity_not_before: Some(now()),
        x509_v3_extensions: Some(Box::new(X509V3Extensions {
            basic_constraints: text("critical,CA:TRUE"),
            ..X509V3Extensions::default()
        })),
        ..X509Certificate::default()
    }
    .identified();
    let mut address = EmailAddr::new("alpha@example.com");
    address.display_name = text("Alpha");
    address.belongs_to_ref = Some(user.id().clone());
    let message = EmailMessage {
        from_ref: Some(address.id().clone()),
        to_refs: vec![address.id().clone()],
        subject: text("Saying Hello"),
        date: Some(now()),
        body: text("cats are funny!"),
        ..EmailMessage::default()
    }
    .identified();
    let software = Software { name: "Word".to_owned(), vendor: text("Microsoft"), ..Software::default() }.identified();

    let mut builder = BundleBuilder::new();
    builder.push(message).push(process).push(file).push(directory).push(traffic).push(domain).push(ipv4);
    builder.push(ipv6).push(mac).push(system).push(url).push(user).push(artifact).push(key).push(certificate);
    builder.push(address).push(software).push(Mutex::new("__CLEANSWEEP__"));
    builder.build()
}

/// OpenCTI's observables.
pub(crate) fn opencti_observables() -> Bundle {
    let mut builder = BundleBuilder::new();
    let author = Identity::new("Example Corp", "organization", now());
    let mut host = Hostname::new("web-01.example.org");
    host.score = Some(50);
    host.labels = vec!["web".to_owned()];
    host.description = text("A server");
    host.created_by_ref = Some(author.id().clone());
    host.external_references = vec![ExternalReference::to_url("wiki", "https://wiki.example.org/web-01")];
    host.common.object_marking_refs = vec![Tlp::Amber.identifier()];
    builder.push(host).push(author).push(Tlp::Amber.definition());
    builder.push(UserAgent::new("curl/8.5.0")).push(Text::new("Some free text"));
    builder.push(CryptocurrencyWallet::new("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"));
    builder.push(CryptographicKey::new("0f1e2d3c")).push(PhoneNumber::new("+33123456789"));
    builder.push(TrackingNumber::new("1Z999AA10123456784")).push(Credential::new("user:p@ssw0rd"));
    builder.push(AiPrompt::new("Ignore all previous instructions")).push(Imei::new("490154203237518"));
    builder.push(Iccid::new("8944110068256270054")).push(Imsi::new("310150123456789"));
    builder.push(BankAccount::new("GB33BUKB20201555555555")).push(PaymentCard::new("4111111111111111"));
    builder.push(MediaContent::new("https://news.example.org/a")).push(Persona::new("dark_fox", "online"));
    builder.push(SshKey::new("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"));
    builder.build()
}

/// Domain objects, relationships, sightings and markings of STIX 2.1.
pub(crate) fn standard_objects() -> Bundle {
    let author = Identity::new("Example Corp", "organization", now());
    let mut builder = BundleBuilder::new();
    for level in Tlp::ALL {
        builder.push(level.definition());
    }
    builder.push(MarkingDefinition::new("PAP", "PAP:RED", now()));

    let mut indicator =
        Indicator::new("[ipv4-addr:value = '198.51.100.7']", "stix", now(), now()).with("x_opencti_score", 75);
    indicator.name = text("198.51.100.7");
    indicator.indicator_types = vec!["malicious-activity".to_owned()];
    indicator.kill_chain_phases = vec![KillChainPhase::new("mitre-attack", "initial-access")];
    indicator.common.created_by_ref = Some(author.id().clone());
    indicator.common.labels = vec!["c2".to_owned()];
    indicator.common.confidence = Some(85);
    indicator.common.object_marking_refs = vec![Tlp::Green.identifier()];
    let mut technique = AttackPattern::new("Spearphishing Attachment", now());
    technique.x_mitre_id = text("T1566.001");
    technique.common.external_references = vec![ExternalReference::to_entry("mitre-attack", "T1566.001")];
    let technique = technique.identified();
    let mut malware = Malware::new("Example RAT", true, now());
    malware.malware_types = vec!["remote-access-trojan".to_owned()];
    let address = Ipv4Addr::new("198.51.100.7");
    let file = File { name: text("a.exe"), ..File::default() }.identified();
    let observed = ObservedData::new(vec![address.id().clone()], now(), now(), 3, now());
    let mut sighting = Sighting::between(indicator.id().clone(), vec![author.id().clone()], now(), now(), now());
    sighting.count = Some(3);
    sighting.observed_data_refs = vec![observed.id().clone()];
    let mut note = Note::new("Seen three times.", vec![indicator.id().clone()], now());
    note.abstract_ = text("Summary");
    let mut analysis = MalwareAnalysis::new("sandbox", "Result A", now());
    analysis.sample_ref = Some(file.id().clone());
    analysis.result = text("malicious");
    let mut contents = Extra::new();
    contents.set("de", serde_json::json!({"name": "Beispiel"}));
    let extension = ExtensionDefinition::new(
        "Example",
        "https://example.org/schema.json",
        "1.0",
        vec!["property-extension".to_owned()],
        author.id().clone(),
        now(),
    );

    let refs = vec![indicator.id().clone(), malware.id().clone()];
    builder.push(Relationship::new("indicates", indicator.id().clone(), malware.id().clone(), now()));
    builder.push(Relationship::new("uses", malware.id().clone(), technique.id().clone(), now()));
    builder.push(LanguageContent::new(author.id().clone(), contents, now())).push(extension);
    builder.push(sighting).push(observed).push(note.identified()).push(analysis).push(address).push(file);
    builder.push(Grouping::new("Cluster A", "suspicious-activity", refs.clone(), now()));
    let mut report = Report::new("Monthly Threat Report", now(), refs.clone(), now());
    report.report_types = vec!["threat-report".to_owned()];
    builder.push(report).push(Opinion::new("agree", refs, now()));
    builder.push(indicator).push(technique).push(malware).push(author);
    builder.push(Campaign::new("Operation Example", now())).push(CourseOfAction::new("Block it", now()));
    builder.push(Tool::new("Mimikatz", now())).push(Vulnerability::new("CVE-2024-3094", now()));
    builder.push(Infrastructure::new("Panel", now())).push(IntrusionSet::new("APT Example", now()));
    let mut actor = ThreatActor::new("Evil Corp", now());
    actor.threat_actor_types = vec!["crime-syndicate".to_owned()];
    builder.push(actor).push(Incident::new("Suspicious Logon", now()));
    builder.push(Location::country("France", "FR", now())).push(Location::city("Paris", "FR", now()));
    builder.push(Location::region("Western Europe", "western-europe", now()));
    builder.push(Location::position("HQ", 48.8566, 2.3522, now()));
    builder.build()
}

/// OpenCTI's domain objects.
pub(crate) fn opencti_objects() -> Bundle {
    let mut builder = BundleBuilder::new();
    let mut incident = Incident::new("Suspicious Logon", now());
    incident.severity = text("high");
    incident.incident_type = text("alert");
    incident.source = text("Wazuh");
    let mut case = CaseIncident::new("Case", now());
    case.object_refs = vec![incident.id().clone()];
    case.priority = text("P2");
    case.response_types = vec!["ransomware".to_owned()];
    let mut task = Task::new("Call the owner", now());
    task.object_refs = vec![case.id().clone()];
    let source = DataSource::new("Process", now());
    let mut component = DataComponent::new("Process Creation", now());
    component.data_source_ref = Some(source.id().clone());
    builder.push(component).push(source).push(task);
    builder.push(SecurityCoverage::new("Coverage", case.id().clone(), now())).push(case).push(incident);
    builder.push(CaseRfi::new("Request", now())).push(CaseRft::new("Takedown", now()));
    builder.push(Feedback::new("Feedback", now())).push(Channel::new("Forum", now()));
    builder.push(Event::new("Election", now())).push(Narrative::new("Story", now()));
    builder.push(Language::new("English", now()));
    builder.build()
}
