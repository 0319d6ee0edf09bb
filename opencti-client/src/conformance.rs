//! The contracts of the traits, as assertions to run against an adapter.
//!
//! Each function panics when a contract is broken. Adapters for reading are filled with [`objects`] first:
//!
//! ```
//! use opencti_client::conformance;
//! use opencti_client::embedded::BundleIntel;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let intel = BundleIntel::new(conformance::objects());
//! conformance::entity_reader(&intel).await;
//! conformance::threat_intelligence(&intel).await;
//! # });
//! ```

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stix_model::{Bundle, Identifier, Object, Timestamp, Tlp, sco};

use crate::{
    BundleSink, ChangeKind, ConnectorApi, ConnectorInfo, ConnectorState, Context, Entity, EntityReader, Error,
    ErrorKind, LiveStream, Lookup, MessageSource, Page, PageRequest, Position, Registration, Scope, Select,
    SendOptions, StreamEvent, StreamId, ThreatIntelligence, WorkApi, WorkError,
};

fn id(object_type: &str, number: u32) -> Identifier {
    format!("{object_type}--00000000-0000-4000-8000-{number:012}").parse().expect("an identifier")
}

fn object(json: &Value) -> Object {
    Object::from_json(&json.to_string()).expect("an object")
}

fn sdo(object_type: &str, number: u32, name: &str, properties: &Value) -> Object {
    let mut json = json!({
        "type": object_type, "id": id(object_type, number), "spec_version": "2.1", "name": name,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
    });
    for (name, value) in properties.as_object().into_iter().flatten() {
        json[name] = value.clone();
    }
    object(&json)
}

fn relation(number: u32, relationship: &str, from: &Identifier, to: &Identifier) -> Object {
    object(&json!({
        "type": "relationship", "id": id("relationship", number), "spec_version": "2.1", "relationship_type": relationship,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "confidence": 50,
        "source_ref": from, "target_ref": to,
    }))
}

fn address() -> Identifier {
    sco::Ipv4Addr::new("198.51.100.3").id().clone()
}

fn domain() -> Identifier {
    sco::DomainName::new("evil.example").id().clone()
}

fn file() -> Identifier {
    "file--02fff920-f614-527c-81d1-6353633a6d21".parse().expect("an identifier")
}

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What adapters for reading are filled with.
pub fn objects() -> Vec<Object> {
    let (author, amber) = (id("identity", 1), Tlp::Amber.identifier());
    let mut observed = sco::Ipv4Addr::new("198.51.100.3")
        .with("x_opencti_score", 60)
        .with("x_opencti_labels", ["lab"])
        .with("x_opencti_description", "Seen in a test")
        .with("x_opencti_created_by_ref", &author);
    observed.common.object_marking_refs = vec![Tlp::Green.identifier(), id("marking-definition", 1)];
    let mut objects = vec![
        sdo("identity", 1, "Example Corp", &json!({ "identity_class": "organization" })),
        object(&json!({
            "type": "marking-definition", "id": id("marking-definition", 1), "spec_version": "2.1",
            "created": "2026-01-01T00:00:00.000Z", "definition_type": "statement", "definition": { "statement": "custom" },
            "x_opencti_definition_type": "PAP", "x_opencti_definition": "PAP:RED",
        })),
        Tlp::Green.definition().into(),
        Tlp::Amber.definition().into(),
        observed.into(),
        sco::DomainName::new("evil.example").into(),
        object(&json!({
            "type": "file", "id": file(), "spec_version": "2.1", "name": "x.exe",
            "hashes": { "SHA-256": SHA256.to_uppercase(), "MD5": "d41d8cd98f00b204e9800998ecf8427e" },
        })),
        relation(1, "resolves-to", &domain(), &address()),
        sdo("malware", 1, "Foul Fox", &json!({ "is_family": true })),
        sdo("vulnerability", 1, "CVE-2024-3094", &json!({ "x_opencti_cvss_base_score": 10.0 })),
    ];
    for number in 1..=7 {
        let properties = json!({
            "pattern": format!("[ipv4-addr:value = '198.51.100.{number}']"), "pattern_type": "stix",
            "valid_from": "2026-01-01T00:00:00.000Z", "valid_until": "2027-01-01T00:00:00.000Z", "confidence": 80,
            "labels": ["apt"], "created_by_ref": author, "object_marking_refs": [amber], "revoked": number == 6,
            "kill_chain_phases": [{ "kill_chain_name": "mitre-attack", "phase_name": "exfiltration" }],
            "x_opencti_score": 75, "x_opencti_detection": true, "x_opencti_main_observable_type": "IPv4-Addr",
        });
        objects.push(sdo("indicator", number, &format!("indicator {number}"), &properties));
        objects.push(relation(10 + number, "based-on", &id("indicator", number), &address()));
    }
    objects.push(relation(30, "based-on", &id("indicator", 7), &domain()));
    objects.push(relation(31, "indicates", &id("indicator", 1), &id("malware", 1)));
    let contents = json!([address(), id("indicator", 1), id("indicator", 2), id("malware", 1), id("relationship", 31)]);
    let report = json!({ "published": "2026-01-01T00:00:00.000Z", "object_refs": contents });
    objects.push(sdo("report", 1, "A report", &report));
    objects
}

/// Reading entities.
///
/// # Panics
///
/// When the contract is broken.
pub async fn entity_reader(reader: &dyn EntityReader) {
    let none = Context::new();
    let entity = reader.entity(&address().to_string(), &none).await.expect("an answer").expect("the address");
    let same = reader.entity(&entity.id, &none).await.expect("an answer").expect("by its internal identifier");
    assert_eq!(same, entity);
    assert_eq!(entity.standard_id, address());
    assert_eq!((entity.entity_type.as_str(), entity.name.as_deref()), ("IPv4-Addr", Some("198.51.100.3")));
    assert_eq!((entity.score(), entity.labels.clone()), (Some(60), vec!["lab".to_owned()]));
    assert_eq!(entity.tlp(), Some(Tlp::Green));
    let texts: BTreeSet<_> = entity.markings.iter().map(|marking| marking.definition.as_str()).collect();
    assert_eq!(texts, BTreeSet::from(["PAP:RED", "TLP:GREEN"]));
    let author = entity.author.clone().expect("the author");
    assert_eq!((author.standard_id, author.name.as_str()), (id("identity", 1), "Example Corp"));
    assert!(entity.is(&address().to_string()) && entity.is(&entity.id));
    let vulnerability = reader.entity(&id("vulnerability", 1).to_string(), &none).await.expect("an answer");
    let score = vulnerability.expect("the vulnerability").object.opencti().get("cvss_base_score");
    assert_eq!(score, Some(json!(10.0)));
    for unknown in ["ipv4-addr--00000000-0000-4000-8000-000000000999", "nonsense", ""] {
        assert_eq!(reader.entity(unknown, &none).await.expect("an answer"), None, "{unknown}");
    }

    let select = Select::indicators_of(address().to_string());
    let (mut request, mut names) = (PageRequest::of(3), Vec::new());
    loop {
        let page = reader.page(&select, &request, &none).await.expect("a page");
        assert_eq!(page.total, Some(7));
        assert!(page.skipped.is_empty() && page.items.len() <= 3);
        names.extend(page.items.into_iter().filter_map(|entity| entity.name));
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    assert_eq!(names, (1..=7).map(|number| format!("indicator {number}")).collect::<Vec<_>>());
    let some = reader.list(&select, 2, &none).await.expect("a list");
    assert_eq!((some.items.len(), some.next.is_some()), (2, true));

    let report = id("report", 1).to_string();
    let cases = [
        (Select::observables_of(id("indicator", 7).to_string()), vec![address(), domain()]),
        (Select::indicators_of_threat(id("malware", 1).to_string()), vec![id("indicator", 1)]),
        (Select::contents_of(&report, &[]), vec![address(), id("indicator", 1), id("indicator", 2), id("malware", 1)]),
        (Select::contents_of(&report, &["Indicator"]), vec![id("indicator", 1), id("indicator", 2)]),
        (Select::contents_of("report--00000000-0000-4000-8000-000000000999", &[]), vec![]),
        (Select::types(&["Stix-Cyber-Observable"]), vec![address(), domain(), file()]),
        (Select::types(&["Malware", "Report"]), vec![id("malware", 1), id("report", 1)]),
        (Select::Ids(vec![id("malware", 1).to_string(), "nonsense".to_owned()]), vec![id("malware", 1)]),
        (Select::Ids(Vec::new()), vec![]),
        (Select::indicators_of("nonsense"), vec![]),
    ];
    for (select, expect) in cases {
        let list: Page<Entity> = reader.list(&select, 1_000, &none).await.expect("a list");
        assert_eq!(list.next, None, "{select:?}");
        let found: BTreeSet<_> = list.items.iter().map(|entity| entity.standard_id.clone()).collect();
        assert_eq!(found, expect.into_iter().collect(), "{select:?}");
    }

    let of = id("indicator", 1).to_string();
    let all = reader.relations(&of, &[], &PageRequest::default(), &none).await.expect("relations");
    assert_eq!(all.items.len(), 2);
    let only = reader.relations(&of, &["indicates".to_owned()], &PageRequest::default(), &none).await;
    let only = only.expect("relations").items.remove(0);
    assert_eq!((only.standard_id, only.confidence), (id("relationship", 31), Some(50)));
    assert_eq!(only.from.expect("an end").standard_id, id("indicator", 1));
    let to = only.to.expect("an end");
    assert_eq!((to.entity_type.as_str(), to.name.as_deref()), ("Malware", Some("Foul Fox")));
}

/// Looking values up.
///
/// # Panics
///
/// When the contract is broken.
pub async fn threat_intelligence(intel: &dyn ThreatIntelligence) {
    let none = Context::new();
    let mut lookup = Lookup::new();
    lookup
        .value("198.51.100.3")
        .value("nothing.example")
        .hash("SHA-256", SHA256)
        .hash("MD5", "00000000000000000000000000000000")
        .attribute("name", "X.exe")
        .pattern("[ipv4-addr:value = '198.51.100.5']")
        .pattern_with("198.51.100.6");
    let known = intel.look_up(&lookup, &none).await.expect("an answer");
    assert!(known.skipped.is_empty() && !known.more, "{:?}", known.skipped);
    let found: Vec<_> = known.observables.iter().map(|observable| observable.standard_id.clone()).collect();
    assert_eq!(found, [address(), file()], "values match without regard to case, and each object comes once");
    let observable = &known.observables[0];
    assert_eq!((observable.value.as_str(), observable.entity_type.as_str()), ("198.51.100.3", "IPv4-Addr"));
    assert_eq!((observable.score, observable.tlp()), (Some(60), Some(Tlp::Green)));
    assert_eq!(observable.description.as_deref(), Some("Seen in a test"));
    assert_eq!(observable.author.as_ref().map(|author| author.name.as_str()), Some("Example Corp"));
    assert_eq!(observable.labels, ["lab"]);
    assert_eq!(observable.indicators.len(), 7);
    let [related] = observable.related.as_slice() else { panic!("one relation: {:?}", observable.related) };
    assert_eq!((related.relationship_type.as_str(), related.outgoing), ("resolves-to", false));
    assert_eq!(related.observable.value, "evil.example");
    assert_eq!(related.observable.indicators[0].name, "indicator 7");
    assert!(related.observable.related.is_empty());
    assert_eq!(known.observables[1].hashes["MD5"], "d41d8cd98f00b204e9800998ecf8427e");

    let indicator = &observable.indicators[0];
    assert_eq!(indicator.pattern, "[ipv4-addr:value = '198.51.100.1']");
    assert_eq!((indicator.pattern_type.as_str(), indicator.revoked), ("stix", false));
    assert_eq!((indicator.score, indicator.confidence, indicator.detection), (Some(75), Some(80), true));
    assert_eq!(indicator.main_observable_type.as_deref(), Some("IPv4-Addr"));
    let until: Option<Timestamp> = indicator.valid_until.as_deref().and_then(|date| date.parse().ok());
    assert_eq!(until.map(|date| date.to_string()).as_deref(), Some("2027-01-01T00:00:00.000Z"));
    assert_eq!(indicator.kill_chain_phases, ["mitre-attack:exfiltration"]);
    assert_eq!((indicator.labels.as_slice(), indicator.tlp()), (&["apt".to_owned()][..], Some(Tlp::Amber)));
    let [indicated] = indicator.indicates.as_slice() else { panic!("one target: {:?}", indicator.indicates) };
    assert_eq!((indicated.entity_type.as_str(), indicated.name.as_str()), ("Malware", "Foul Fox"));

    let by_pattern: Vec<_> =
        known.indicators.iter().map(|indicator| (indicator.name.as_str(), indicator.revoked)).collect();
    assert_eq!(by_pattern, [("indicator 5", false), ("indicator 6", true)], "the caller decides what counts");

    lookup.limits.indicators_each = 3;
    lookup.limits.relations_each = 0;
    let known = intel.look_up(&lookup, &none).await.expect("an answer");
    assert!(known.more, "what the limits cut is told");
    assert_eq!((known.observables[0].indicators.len(), known.observables[0].related.len()), (3, 0));
    assert!(known.observables[0].indicators[0].indicates.is_empty());

    let nothing = intel.look_up(&Lookup::new(), &none).await.expect("an answer");
    assert_eq!((nothing.observables.len(), nothing.indicators.len()), (0, 0));
    let mut odd = Lookup::new();
    odd.value("x\"} ) { __schema } \\ ' \u{2028} \u{0}").pattern_with(r"a\b'c");
    assert!(intel.look_up(&odd, &none).await.expect("an answer").observables.is_empty());
    let mut wrong = Lookup::new();
    wrong.attribute("no_such_attribute", "x");
    let error = intel.look_up(&wrong, &none).await.expect_err("an unknown attribute");
    assert!(matches!(error.kind(), ErrorKind::Rejected { .. }), "{error}");
}

/// Sending bundles. `arrived` returns what the receiver has, as soon as it has `count` objects of the bundle's types.
///
/// # Panics
///
/// When the contract is broken.
pub async fn bundle_sink<F: Future<Output = Vec<Value>>>(sink: &dyn BundleSink, arrived: impl Fn(usize) -> F) {
    let author = sdo("identity", 9, "Author", &json!({ "identity_class": "organization" }));
    let tool = sdo("tool", 9, "PsExec", &json!({ "created_by_ref": author.id(), "x_number": 1.5 }));
    let options = SendOptions::default();
    let sent = sink.send(&Bundle::new(vec![tool, author.clone()]), &options).await.expect("it is sent");
    assert!(sent.parts >= 1 && sent.refused.is_empty());
    let there = arrived(2).await;
    let found =
        |object_type: &str| there.iter().find(|object| object["type"] == object_type).cloned().expect("it arrived");
    assert_eq!(found("tool")["created_by_ref"], json!(author.id()));
    assert_eq!(found("tool")["x_number"], 1.5, "unknown properties stay");
    assert!(found("tool").get("x_opencti_granted_refs").is_none());

    let changed = sdo("tool", 9, "PsExec 2", &json!({ "created_by_ref": author.id() }));
    let options = SendOptions { granted_refs: vec![author.id().to_string()], ..SendOptions::default() };
    sink.send(&Bundle::new(vec![author.clone(), changed]), &options).await.expect("it is sent again");
    let mut there = Vec::new();
    for _ in 0..500 {
        there = arrived(2).await;
        if there.iter().any(|object| object["name"] == "PsExec 2") {
            break;
        }
        tokio::task::yield_now().await;
    }
    let tools: Vec<_> = there.iter().filter(|object| object["type"] == "tool").collect();
    assert_eq!(tools.len(), 1, "sending twice updates");
    assert_eq!(tools[0]["name"], "PsExec 2");
    assert_eq!(tools[0]["x_opencti_granted_refs"], json!([author.id()]));
}

/// Messages. `push` puts one into the source's queue, which repeats it until it is accepted; `knows_repetitions` tells
/// whether the source knows what it delivered before.
///
/// # Panics
///
/// When the contract is broken.
pub async fn message_source<F: Future<Output = ()>>(
    source: &mut dyn MessageSource,
    knows_repetitions: bool,
    push: impl Fn(String) -> F,
) {
    let body = |work: &str| json!({ "internal": { "work_id": work }, "event": { "entity_id": "x" } }).to_string();
    push(body("work-1")).await;
    let first = source.next().await.expect("a message").expect("a message");
    assert_eq!(first.message.as_ref().expect("readable").work_id(), Some("work-1"));
    assert_eq!(first.redelivered, !knows_repetitions);
    first.give_back().await.expect("it goes back");
    push("{}".to_owned()).await;
    let (mut again, mut odd) = (false, false);
    while !again || !odd {
        let delivery = source.next().await.expect("a message").expect("a message");
        match &delivery.message {
            Ok(message) => {
                assert_eq!(message.work_id(), Some("work-1"));
                assert!(delivery.redelivered, "it says that it comes again");
                again = true;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                odd = true;
            }
        }
        delivery.accept().await.expect("it is accepted");
    }
    source.stop().await;
    assert!(source.next().await.expect("an end").is_none());
}

/// Works of a connector that is registered.
///
/// # Panics
///
/// When the contract is broken.
pub async fn works(works: &dyn WorkApi, connector: &str) {
    let work = works.open(connector, "a work").await.expect("a work");
    assert!(works.is_alive(&work).await.expect("an answer"));
    works.received(&work, "on it").await.expect("receipt");
    works.expect(&work, 0).await.expect("nothing to announce");
    works.expect(&work, 2).await.expect("two parts");
    works.keep_alive(&work).await.expect("a sign of life");
    works.report(&work, None).await.expect("a part");
    let state = works.state(&work).await.expect("an answer").expect("a state");
    assert_eq!((state.expected, state.processed, state.is_complete()), (2, 1, false));
    let error = WorkError { error: "odd".to_owned(), source: "malware--1".to_owned() };
    works.report(&work, Some(&error)).await.expect("a failed part");
    works.processed(&work, "done", false).await.expect("the end");
    let state = works.state(&work).await.expect("an answer").expect("a state");
    assert!(state.is_complete());
    assert_eq!((state.errors, state.messages), (vec!["odd".to_owned()], vec!["on it".to_owned(), "done".to_owned()]));

    let empty = works.open(connector, "nothing found").await.expect("a work");
    works.processed(&empty, "nothing found", true).await.expect("the end");
    let state = works.state(&empty).await.expect("an answer").expect("a state");
    assert!(state.is_complete(), "without parts it completes at once");
    assert_eq!(state.errors, ["nothing found"]);

    assert!(!works.is_alive("work_none").await.expect("an answer"));
    assert_eq!(works.state("work_none").await.expect("an answer"), None);
    works.received("work_none", "x").await.expect("silence about works that are gone");
    works.processed("work_none", "x", false).await.expect("silence about works that are gone");
}

/// Registration and life sign of a connector that is not registered yet. `reset` empties its state in the platform,
/// `forget` deletes its record there.
///
/// # Panics
///
/// When the contract is broken.
pub async fn connector(api: &dyn ConnectorApi, reset: impl Fn(&str), forget: impl Fn(&str)) {
    let id = "5b1fd3a4-3c61-4f0e-8a44-9d2b6c1e7f00";
    let registration = Registration::new(id, "Contract", Scope::parse("IPv4-Addr"));
    let info = ConnectorInfo::default();
    let none = ConnectorState::default();
    assert!(api.version().is_supported());
    let account = api.account().await.expect("an account");
    assert!(account.may("CONNECTORAPI"));
    let unknown = |error: &Error| matches!(error.kind(), ErrorKind::UnknownConnector(_));
    assert!(unknown(&api.ping(id, &none, &info).await.expect_err("not registered")));

    let registered = api.register(&registration).await.expect("a registration");
    assert_eq!((registered.id.as_str(), &registered.state), (id, &none));
    assert!(!registered.queues.listen.is_empty() && !registered.queues.push_exchange.is_empty());
    assert!(registered.user_id.is_some(), "in somebody's name bundles are imported");

    assert_eq!(api.ping(id, &none, &info).await.expect("a life sign"), none);
    let state = ConnectorState::new(r#"{"start_from":"5-0"}"#);
    assert_eq!(api.ping(id, &state, &info).await.expect("a life sign"), state, "the state is kept");
    let again = api.register(&registration).await.expect("a registration");
    assert_eq!(again.state, state, "a registration keeps the state");
    reset(id);
    assert_eq!(api.ping(id, &state, &info).await.expect("a life sign"), none, "somebody reset it");
    assert_eq!(api.ping(id, &state, &info).await.expect("a life sign"), state, "once");
    assert!(api.queue(id).await.expect("a queue").messages.abs() < 0.5);

    forget(id);
    assert!(unknown(&api.ping(id, &state, &info).await.expect_err("the record is gone")));
    api.register(&registration).await.expect("a registration");
    assert_eq!(api.ping(id, &state, &info).await.expect("a life sign"), state);

    let mut odd = Registration::new("a_b", "Contract", Scope::parse("IPv4-Addr"));
    assert!(matches!(api.register(&odd).await.expect_err("an underscore").kind(), ErrorKind::Config(_)));
    odd = Registration::new(id, " x ", Scope::parse("IPv4-Addr"));
    assert!(matches!(api.register(&odd).await.expect_err("a short name").kind(), ErrorKind::Config(_)));
}

/// A live stream on which nothing happened yet. `push` lets something happen to an object.
///
/// # Panics
///
/// When the contract is broken.
pub async fn live_stream<S: LiveStream>(open: impl Fn(Position) -> S, push: impl Fn(ChangeKind, &Value) -> StreamId) {
    async fn change(stream: &mut dyn LiveStream) -> (ChangeKind, String) {
        loop {
            if let StreamEvent::Change(change) = stream.next().await.expect("an event") {
                let object = change.object.expect("a readable object");
                return (change.kind, object.id().to_string());
            }
        }
    }
    let json = |number: u32| {
        let address = Object::from(sco::Ipv4Addr::new(format!("198.51.100.{number}")));
        (serde_json::to_value(&address).unwrap_or_default(), address.id().to_string())
    };
    let (one, first) = json(1);
    let (two, second) = json(2);
    let (three, third) = json(3);
    let place = push(ChangeKind::Create, &one);
    let later = push(ChangeKind::Update, &two);
    assert!(later > place && place > StreamId::START);

    let mut stream = open(Position::at(StreamId::START));
    assert!(matches!(stream.next().await.expect("an event"), StreamEvent::Connected));
    assert_eq!(change(&mut stream).await, (ChangeKind::Create, first.clone()));
    let kept = stream.position();
    assert!(kept.start_from.is_some_and(|kept| kept <= place), "nothing is skipped");
    assert_eq!(change(&mut stream).await, (ChangeKind::Update, second.clone()));
    drop(stream);

    // From a kept position nothing is lost; what comes twice is older.
    let mut stream = open(kept);
    let next = change(&mut stream).await.1;
    let next = if next == first { change(&mut stream).await.1 } else { next };
    assert_eq!(next, second);
    let mut exact = open(Position::at(place));
    assert_eq!(change(&mut exact).await.1, second);

    // Without a position it starts now.
    let mut now = open(Position::default());
    assert!(matches!(now.next().await.expect("an event"), StreamEvent::Connected));
    push(ChangeKind::Delete, &three);
    assert_eq!(change(&mut now).await, (ChangeKind::Delete, third.clone()));
    assert_eq!(change(&mut stream).await.1, third);
    assert!(
        Position::from_state(&stream.position().to_state()) == Some(stream.position()),
        "it can be kept as a state"
    );
}
