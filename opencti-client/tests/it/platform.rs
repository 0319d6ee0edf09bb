//! The platform over GraphQL, against the stand-in.

use std::sync::{Arc, Mutex};

use opencti_client::graphql::Platform;
use opencti_client::testing::{Enrich, Fault, StandIn};
use opencti_client::{
    Beat, ConnectorApi, ConnectorInfo, ConnectorState, Context, EntityReader, ErrorKind, Heartbeat, Lookup, Message,
    Notices, PageRequest, PlatformVersion, PlaybookApi, PlaybookReply, PushApi, Select, ThreatIntelligence, WorkApi,
    WorkError,
};
use serde_json::json;
use stix_model::{Identifier, Tlp};

use crate::support::*;

const VERSIONS: [&str; 5] = ["6.2.0", "6.2.18", "6.8.10", "6.9.17", "7.260817.0"];

/// Acceptance 1, 2, 3: registration and life sign with every version.
#[tokio::test]
async fn registration_and_life_sign() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        assert_eq!(platform.version(), PlatformVersion::parse(version).unwrap());
        let registered = platform.register(&registration()).await.unwrap();
        assert_eq!(registered.user_id.as_deref(), Some(StandIn::USER));
        assert_eq!(registered.queues.listen, format!("listen_{CONNECTOR}"));
        assert_eq!(registered.state, ConnectorState::default());

        let state = ConnectorState::new(r#"{"a":1}"#);
        let info = ConnectorInfo::default();
        assert_eq!(platform.ping(CONNECTOR, &state, &info).await.unwrap(), state);
        stand_in.reset_state(CONNECTOR);
        assert_eq!(platform.ping(CONNECTOR, &state, &info).await.unwrap(), ConnectorState::default());
        assert!(platform.queue(CONNECTOR).await.unwrap().bytes.abs() < 1e-9);
        let account = platform.account().await.unwrap();
        assert!(account.may("CONNECTORAPI") && account.may("KNOWLEDGE"));
        assert_eq!(account.max_confidence, Some(90));
        stand_in.assert_nothing_refused();
    }
}

/// Acceptance 1: an input that the platform does not know falls back to the smallest one, once, and says so.
#[tokio::test]
async fn registration_falls_back() {
    // Says that it is newer than its schema.
    let schema = include_str!("../../graphql/schema/6.2.18.graphql");
    let stand_in = StandIn::builder().version("6.9.0").schema(schema).start().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut config = config(&stand_in);
    let listener = told.clone();
    config.notices = Notices::to(move |notice| listener.lock().unwrap().push(notice.to_string()));
    let platform = Platform::connect(config).await.unwrap();
    platform.register(&registration()).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 1, "{told:?}");
    assert!(!stand_in.connectors()[CONNECTOR].as_object().unwrap().contains_key("auto_update"));
    assert_eq!(stand_in.take_refusals().len(), 1);

    // What is wrong with the base input as well is told as the platform told it.
    let mut bad = registration();
    bad.id = "a_b".to_owned();
    assert!(matches!(platform.register(&bad).await.unwrap_err().kind(), ErrorKind::Config(_)));
}

/// Acceptance 3: the life sign keeps the state in step, and registers a forgotten connector again.
#[tokio::test]
async fn heartbeat() {
    let stand_in = StandIn::start().await;
    let platform = Arc::new(platform(&stand_in).await);
    let registered = platform.register(&registration()).await.unwrap();
    let heartbeat = Heartbeat::new(platform, registration(), &registered, Notices::default());
    assert_eq!(Heartbeat::INTERVAL.as_secs(), 40);
    assert!(matches!(heartbeat.beat().await.unwrap(), Beat::Steady));
    assert_eq!(stand_in.connector_state(CONNECTOR).as_deref(), Some("null"));

    heartbeat.set_state(ConnectorState::new(r#"{"start_from":"5-0"}"#));
    heartbeat.update_info(|info| info.buffering = true);
    assert!(matches!(heartbeat.beat().await.unwrap(), Beat::Steady));
    assert_eq!(stand_in.connector_state(CONNECTOR).as_deref(), Some(r#"{"start_from":"5-0"}"#));

    stand_in.reset_state(CONNECTOR);
    assert!(matches!(heartbeat.beat().await.unwrap(), Beat::StateChanged(_)));
    assert_eq!(heartbeat.state(), ConnectorState::default());

    stand_in.forget_connector(CONNECTOR);
    assert!(matches!(heartbeat.beat().await.unwrap(), Beat::RegisteredAgain(_)));
    assert_eq!(stand_in.connectors().len(), 1);
    stand_in.faults().next(Fault::error("FORBIDDEN_ACCESS", "no"));
    assert!(heartbeat.beat().await.is_err());
    assert!(matches!(heartbeat.beat().await.unwrap(), Beat::Steady));
    stand_in.assert_nothing_refused();
}

/// Acceptance 7: the order of reports.
#[tokio::test]
async fn works() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        platform.register(&registration()).await.unwrap();
        let work = platform.open(CONNECTOR, "a work").await.unwrap();
        platform.received(&work, "on it").await.unwrap();
        platform.expect(&work, 2).await.unwrap();
        platform.keep_alive(&work).await.unwrap();
        platform.report(&work, None).await.unwrap();
        let error = WorkError { error: "odd".to_owned(), source: "malware--1".to_owned() };
        platform.report(&work, Some(&error)).await.unwrap();
        platform.processed(&work, "done", false).await.unwrap();
        let state = WorkApi::state(&platform, &work).await.unwrap().unwrap();
        assert!(state.is_complete());
        assert_eq!((state.expected, state.processed, state.errors), (2, 2, vec!["odd".to_owned()]));
        assert_eq!(state.messages, ["on it", "done"]);
        assert!(platform.is_alive(&work).await.unwrap());
        stand_in.cancel_work(&work);
        assert!(!platform.is_alive(&work).await.unwrap());
        assert_eq!(WorkApi::state(&platform, &work).await.unwrap(), None);
        stand_in.assert_nothing_refused();
    }
}

/// Acceptance 7: the path of a failure.
#[tokio::test]
async fn failed_works() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    platform.register(&registration()).await.unwrap();
    let address = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3"));
    let (body, work) = stand_in.message(CONNECTOR, &address.to_string(), &Enrich::auto());
    let message = Message::parse(&body).unwrap();
    assert_eq!(message.work_id(), work.as_deref());
    platform.received(&work.clone().unwrap(), "on it").await.unwrap();
    platform.processed(&work.clone().unwrap(), "entity not readable", true).await.unwrap();
    let work = stand_in.work(&work.unwrap()).unwrap();
    assert_eq!(work.steps, ["received", "processed in error"]);
    assert_eq!(work.errors, ["entity not readable"]);
    assert_eq!(work.status, "complete");
}

fn author() -> Identifier {
    id("identity", 1)
}

/// Things that are related.
fn fill(stand_in: &StandIn) -> Identifier {
    stand_in.insert(object(&json!({
        "type": "identity", "id": author(), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": "Example Corp", "identity_class": "organization",
    })));
    let mut address = stix_model::sco::Ipv4Addr::new("198.51.100.3")
        .with("x_opencti_score", 60)
        .with("x_opencti_labels", ["lab"])
        .with("x_opencti_created_by_ref", author());
    address.common.object_marking_refs = vec![Tlp::Green.identifier()];
    let address_id = address.id().clone();
    stand_in.insert(address);
    let domain = stix_model::sco::DomainName::new("evil.example");
    let domain_id = domain.id().clone();
    stand_in.insert(domain);
    stand_in.insert(relation(1, "resolves-to", &domain_id, &address_id));
    for number in 1..=7 {
        let pattern = format!("[ipv4-addr:value = '198.51.100.{number}']");
        stand_in.insert(indicator(number, &format!("indicator {number}"), &pattern));
        stand_in.insert(relation(10 + number, "based-on", &id("indicator", number), &address_id));
    }
    stand_in.insert(relation(30, "based-on", &id("indicator", 7), &domain_id));
    stand_in.insert(object(&json!({
        "type": "malware", "id": id("malware", 1), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": "Foul Fox", "is_family": true,
    })));
    stand_in.insert(relation(31, "indicates", &id("indicator", 1), &id("malware", 1)));
    stand_in.insert(object(&json!({
        "type": "report", "id": id("report", 1), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": "A report", "published": "2026-01-01T00:00:00.000Z",
        "object_refs": [address_id, id("indicator", 1), id("indicator", 2), id("malware", 1), id("relationship", 31)],
    })));
    address_id
}

#[tokio::test]
async fn one_entity() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        let address = fill(&stand_in);
        let internal = stand_in.internal_id(&address).unwrap();
        for id in [address.to_string(), internal.clone()] {
            let entity = platform.entity(&id, &Context::new()).await.unwrap().unwrap();
            assert_eq!(entity.id, internal);
            assert_eq!(entity.standard_id, address);
            assert_eq!((entity.entity_type.as_str(), entity.name.as_deref()), ("IPv4-Addr", Some("198.51.100.3")));
            assert_eq!(entity.score(), Some(60));
            assert_eq!(entity.labels, ["lab"]);
            assert_eq!(entity.tlp(), Some(Tlp::Green));
            assert_eq!(entity.markings[0].definition, "TLP:GREEN");
            assert_eq!(entity.author.clone().unwrap().name, "Example Corp");
            assert!(entity.is(&address.to_string()));
        }
        assert_eq!(platform.entity("ipv4-addr--none", &Context::new()).await.unwrap(), None);
        stand_in.assert_nothing_refused();
    }
}

#[tokio::test]
async fn lists() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    let address = fill(&stand_in);
    let none = Context::new();
    let select = Select::indicators_of(address.to_string());

    let mut request = PageRequest::of(3);
    let mut names = Vec::new();
    loop {
        let page = platform.page(&select, &request, &none).await.unwrap();
        assert_eq!(page.total, Some(7));
        assert!(page.skipped.is_empty() && page.items.len() <= 3);
        names.extend(page.items.into_iter().filter_map(|entity| entity.name));
        match page.next {
            Some(next) => request = request.after(next),
            None => break,
        }
    }
    assert_eq!(names.len(), 7);
    assert_eq!(names[6], "indicator 7");

    let all = platform.list(&select, 1_000, &none).await.unwrap();
    assert_eq!((all.items.len(), all.next), (7, None));
    let some = platform.list(&select, 2, &none).await.unwrap();
    assert_eq!(some.items.len(), 2);
    assert!(some.next.is_some());

    let of = |select: Select| {
        let platform = platform.clone();
        async move {
            let page = platform.list(&select, 100, &Context::new()).await.unwrap();
            page.items.iter().map(|entity| entity.standard_id.to_string()).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(Select::observables_of(id("indicator", 7).to_string())).await.len(), 2);
    assert_eq!(of(Select::indicators_of_threat(id("malware", 1).to_string())).await, [id("indicator", 1).to_string()]);
    let report = id("report", 1).to_string();
    assert_eq!(of(Select::contents_of(&report, &[])).await.len(), 4, "the relation is no entity");
    assert_eq!(of(Select::contents_of(&report, &["Indicator"])).await.len(), 2);
    assert_eq!(of(Select::contents_of("report--none", &[])).await.len(), 0);
    assert_eq!(of(Select::types(&["Indicator"])).await.len(), 7);
    assert_eq!(of(Select::types(&["Stix-Cyber-Observable"])).await.len(), 2);
    let ids = vec![address.to_string(), id("malware", 1).to_string(), "tool--none".to_owned()];
    assert_eq!(of(Select::Ids(ids)).await.len(), 2);
    assert!(of(Select::Ids(Vec::new())).await.is_empty());

    let relations =
        platform.relations(&id("indicator", 1).to_string(), &[], &PageRequest::default(), &none).await.unwrap();
    assert_eq!(relations.items.len(), 2);
    let only = platform
        .relations(&id("indicator", 1).to_string(), &["indicates".to_owned()], &PageRequest::default(), &none)
        .await
        .unwrap();
    let to = only.items[0].to.clone().unwrap();
    assert_eq!((to.entity_type.as_str(), to.name.as_deref()), ("Malware", Some("Foul Fox")));
    stand_in.assert_nothing_refused();
}

/// An object that the model cannot read costs itself.
#[tokio::test]
async fn odd_objects_cost_themselves() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    stand_in.insert_json(json!({ "type": "tool", "id": id("tool", 1), "name": 7 }));
    stand_in.insert(stix_model::sdo::Tool::new("PsExec", now()));
    let page = platform.list(&Select::types(&["Tool"]), 10, &Context::new()).await.unwrap();
    assert_eq!((page.items.len(), page.skipped.len()), (1, 1));
    assert!(page.skipped[0].contains("tool--"), "{:?}", page.skipped);
    let error = platform.entity(&id("tool", 1).to_string(), &Context::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unexpected { .. }), "{error}");
}

/// Acceptance 16: the draft stands in the header, and an empty header otherwise.
#[tokio::test]
async fn drafts_and_applicants() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    let address = fill(&stand_in).to_string();
    stand_in.insert_draft("draft-1");
    platform.entity(&address, &Context::new()).await.unwrap();
    platform.entity(&address, &Context::new().in_draft("draft-1").on_behalf_of("user-1")).await.unwrap();
    let requests = stand_in.requests();
    let headers: Vec<_> =
        requests.iter().map(|request| (request.draft.as_deref(), request.applicant.as_deref())).collect();
    assert_eq!(headers, [(Some(""), None), (Some(""), None), (Some("draft-1"), Some("user-1"))]);
    let lost = platform.entity(&address, &Context::new().in_draft("draft-2")).await;
    assert!(lost.unwrap().is_none());
    let odd = platform.entity(&address, &Context::new().in_draft("a\nb")).await.unwrap_err();
    assert!(matches!(odd.kind(), ErrorKind::Config(_)));
}

/// Issue 5: everything about an alert in one round trip.
#[tokio::test]
async fn look_up_in_one_round_trip() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        fill(&stand_in);
        let file = json!({
            "type": "file", "id": "file--02fff920-f614-527c-81d1-6353633a6d21", "spec_version": "2.1", "name": "x.exe",
            "hashes": { "SHA-256": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "MD5": "d41d8cd98f00b204e9800998ecf8427e" },
        });
        stand_in.insert(object(&file));
        stand_in.clear_requests();
        let mut lookup = Lookup::new();
        lookup
            .value("198.51.100.3")
            .value("nothing.example")
            .hash("SHA-256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            .hash("MD5", "00000000000000000000000000000000")
            .attribute("name", "x.exe")
            .pattern("[ipv4-addr:value = '198.51.100.5']")
            .pattern_with("198.51.100.6");
        let known = platform.look_up(&lookup, &Context::new()).await.unwrap();
        assert_eq!(stand_in.requests().len(), 1);
        assert_eq!(known.observables.len(), 2);
        assert!(known.skipped.is_empty() && !known.more, "{:?}", known.skipped);
        let address = &known.observables[0];
        assert_eq!(
            (address.value.as_str(), address.score, address.tlp()),
            ("198.51.100.3", Some(60), Some(Tlp::Green))
        );
        assert_eq!(address.author.clone().unwrap().name, "Example Corp");
        assert_eq!(address.indicators.len(), 7);
        assert_eq!(address.related.len(), 1);
        let related = &address.related[0];
        assert_eq!((related.relationship_type.as_str(), related.outgoing), ("resolves-to", false));
        assert_eq!(related.observable.value, "evil.example");
        assert_eq!(related.observable.indicators[0].name, "indicator 7");
        let indicator = &address.indicators[0];
        assert_eq!((indicator.score, indicator.confidence, indicator.detection), (Some(75), Some(80), true));
        assert_eq!(indicator.pattern, "[ipv4-addr:value = '198.51.100.1']");
        assert_eq!(indicator.kill_chain_phases, ["mitre-attack:exfiltration"]);
        assert_eq!(indicator.tlp(), Some(Tlp::Amber));
        assert_eq!(indicator.indicates[0].name, "Foul Fox");
        let names: Vec<_> = known.indicators.iter().map(|indicator| indicator.name.as_str()).collect();
        assert_eq!(names, ["indicator 5", "indicator 6"]);
        let file = &known.observables[1];
        assert_eq!(file.hashes["MD5"], "d41d8cd98f00b204e9800998ecf8427e");

        // Values travel as variables only, and limits are told.
        let request = &stand_in.requests()[0];
        assert!(request.variables.to_string().contains("198.51.100.3"));
        lookup.limits.indicators_each = 3;
        lookup.limits.relations_each = 0;
        let known = platform.look_up(&lookup, &Context::new()).await.unwrap();
        assert!(known.more);
        assert_eq!((known.observables[0].indicators.len(), known.observables[0].related.len()), (3, 0));
        assert_eq!(platform.look_up(&Lookup::new(), &Context::new()).await.unwrap().observables.len(), 0);
        stand_in.assert_nothing_refused();
    }
}

/// Values of attackers stay values.
#[tokio::test]
async fn hostile_values() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    let value = "x\"} ) { __schema } \\ ' \u{2028} \u{0} { \u{1f600}";
    stand_in.insert(stix_model::sco::Text::new(value));
    stand_in.insert(indicator(1, "odd", r"[file:name = 'a\\b\'c']"));
    let mut lookup = Lookup::new();
    lookup.value(value).pattern_with(r"a\b'c");
    let known = platform.look_up(&lookup, &Context::new()).await.unwrap();
    assert_eq!((known.observables.len(), known.indicators.len()), (1, 1));
    stand_in.assert_nothing_refused();
}

/// Acceptance 11: one mutation, received objects kept.
#[tokio::test]
async fn playbook_answers() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        platform.register(&registration()).await.unwrap();
        let address = fill(&stand_in).to_string();
        let (body, work) = stand_in.message(CONNECTOR, &address, &Enrich::playbook());
        assert_eq!(work, None);
        let message = Message::parse(&body).unwrap();
        let (step, received) = (message.playbook().unwrap().clone(), message.playbook_bundle().unwrap());
        assert_eq!(message.entity_type(), "IPv4-Addr");
        assert_eq!(message.stix_entity().unwrap().unwrap().id().to_string(), address);
        stand_in.clear_requests();
        let addition = stix_model::sco::DomainName::new("example.com").into();
        let reply = PlaybookReply::with(step.clone(), "2026-01-01T00:00:00+00:00", received, &[addition]).unwrap();
        platform.answer(&reply).await.unwrap();
        let answers = stand_in.playbook_answers();
        assert_eq!(answers[0].bundle["objects"].as_array().unwrap().len(), 2);
        assert_eq!(answers[0].execution_id, step.execution_id);
        let unchanged = PlaybookReply::unchanged(step, "2026-01-01T00:00:00+00:00", received);
        platform.answer(&unchanged).await.unwrap();
        assert_eq!(stand_in.playbook_answers()[1].bundle, stand_in.playbook_answers()[1].received);
        assert_eq!(stand_in.requests().len(), 2);
        stand_in.assert_nothing_refused();
    }
}

#[tokio::test]
async fn pushed_bundles() {
    for version in VERSIONS {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        platform.register(&registration()).await.unwrap();
        let bundle =
            json!({"type": "bundle", "id": id("bundle", 1), "objects": [stix_model::sco::Url::new("http://x/")]});
        let work = platform.open(CONNECTOR, "push").await.unwrap();
        platform.push(CONNECTOR, &bundle.to_string(), Some(&work)).await.unwrap();
        assert_eq!(stand_in.objects("url").len(), 1);
        let counted = stand_in.work(&work).unwrap().expected;
        assert_eq!(counted, u64::from(PlatformVersion::parse(version).unwrap() >= PlatformVersion::new(6, 5, 7)));
        stand_in.assert_nothing_refused();
    }
}

/// The stand-in refuses what the platform would.
#[tokio::test]
async fn the_stand_in_is_strict() {
    let stand_in = StandIn::start().await;
    let mut wrong = config(&stand_in);
    wrong.token = "other".into();
    assert!(Platform::connect(wrong).await.unwrap_err().is_auth());
    let platform = platform(&stand_in).await;
    let mut lookup = Lookup::new();
    lookup.attribute("no_such_key", "x");
    let error = platform.look_up(&lookup, &Context::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Rejected { .. }), "{error}");
    assert_eq!(stand_in.take_refusals().len(), 2);
    let error = platform.push("unknown", "{}", None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnknownConnector(_)), "{error}");
}
