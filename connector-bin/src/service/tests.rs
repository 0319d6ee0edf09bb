//! The service against the strict stand-in of the platform and alerts in files, without a broker.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use opencti_client::embedded::LocalQueue;
use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::testing::{Enrich, Fault, StandIn, StoredWork};
use opencti_client::{
    Backoff, BundleSink, ConnectorApi as _, Delivery, Error, ErrorKind, MessageSource, Publisher, QueueSink,
    Registered, SendOptions, Sent, Settle,
};
use serde_json::{Value, json};
use stix_model::{Bundle, Identifier, Object, Tlp};
use tokio::sync::watch;
use wazuh_query::dsl::SearchRequest;
use wazuh_query::store::files::AlertFiles;
use wazuh_query::store::{AlertStore, PageVisitor, Paged, SearchResponse, StoreError, StoreErrorKind};

use super::intake;
use super::log::Log;
use super::metrics::Metrics;
use super::pause::Patience;
use super::sink::Sinks;
use super::states::Inventories;
use super::wire;
use super::worker::{Ports, Worker};
use crate::config::{LogLevel, ServiceConfig};

const CONNECTOR: &str = "7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77";
const ADDRESS: &str = "198.51.100.7";

/// The part of the broker and of the platform's workers: what is published is imported.
struct Importer(Arc<StandIn>);

#[async_trait]
impl Publisher for Importer {
    async fn publish(&self, bodies: Vec<Vec<u8>>) -> Result<(), Error> {
        for body in bodies {
            self.0.import(&body).map_err(Error::config)?;
        }
        Ok(())
    }
}

/// Alerts in a file, and what goes wrong before they answer.
struct Flaky {
    files: AlertFiles,
    faults: Mutex<VecDeque<StoreErrorKind>>,
    asked: AtomicUsize,
    /// How long an answer takes.
    delay: Duration,
}

#[async_trait]
impl AlertStore for Flaky {
    async fn search(&self, request: &SearchRequest) -> Result<SearchResponse, StoreError> {
        self.files.search(request).await
    }

    async fn multi_search(
        &self,
        requests: &[SearchRequest],
    ) -> Result<Vec<Result<SearchResponse, StoreError>>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.delay).await;
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(kind) => Err(kind.into()),
            None => self.files.multi_search(requests).await,
        }
    }

    async fn for_each_page(&self, request: &SearchRequest, visit: PageVisitor<'_>) -> Result<Paged, StoreError> {
        self.files.for_each_page(request, visit).await
    }
}

/// Everything around a worker.
struct Setup {
    stand_in: Arc<StandIn>,
    worker: Arc<Worker>,
    store: Arc<Flaky>,
    metrics: Arc<Metrics>,
    queue: LocalQueue,
    folder: tempfile::TempDir,
}

fn alert(number: u32, agent: u32, data: &Value) -> Value {
    json!({
        "timestamp": format!("2026-03-14T09:26:{:02}.589+0000", number % 60), "id": format!("1773480413.{number}"),
        "rule": {"id": "5710", "level": 5, "description": "sshd: invalid user", "groups": ["sshd"]},
        "agent": {"id": format!("{agent:03}"), "name": format!("web{agent:02}"), "ip": "10.0.0.5"},
        "manager": {"name": "manager"}, "decoder": {"name": "sshd"}, "location": "/var/log/auth.log", "data": data,
    })
}

fn alerts() -> Vec<Value> {
    let login = |number, agent| alert(number, agent, &json!({"srcip": ADDRESS, "srcuser": "kim"}));
    let other = alert(9, 3, &json!({"srcip": "203.0.113.99", "srcuser": "kim"}));
    vec![login(1, 1), login(2, 1), login(3, 2), other]
}

async fn registered(stand_in: &StandIn, config: &ServiceConfig) -> (Arc<Platform>, Registered) {
    let mut settings = PlatformConfig::new(&stand_in.url(), stand_in.token()).unwrap();
    settings.backoff = Backoff::NONE;
    let platform = Arc::new(Platform::connect(settings).await.unwrap());
    let registered = platform.register(&wire::registration(config)).await.unwrap();
    (platform, registered)
}

impl Setup {
    async fn new() -> Self {
        Self::with("all", Duration::ZERO).await
    }

    async fn with(scope: &str, delay: Duration) -> Self {
        let stand_in = Arc::new(StandIn::start().await);
        let config = ServiceConfig::of_text(&format!(
            "max_tlp: amber\napp_url: https://wazuh.example\ntlps: green\n\
             opencti: {{url: \"{}\", token: {}}}\nconnector: {{id: {CONNECTOR}, scope: [{scope}]}}\n\
             opensearch: {{url: \"https://indexer:9200\", username: reader, password: secret}}\n\
             search: {{ignore_private_addrs: false}}\n",
            stand_in.url(),
            stand_in.token(),
        ));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        let mut file = std::fs::File::create(&path).unwrap();
        for alert in alerts() {
            writeln!(file, "{alert}").unwrap();
        }
        let files = AlertFiles::new([path], Arc::new(config.catalogue.clone()), config.schema);
        let store = Arc::new(Flaky { files, faults: Mutex::default(), asked: AtomicUsize::new(0), delay });
        let (platform, registered) = registered(&stand_in, &config).await;
        let user = registered.user_id.clone().unwrap();
        let sink = QueueSink::new(platform.clone(), Arc::new(Importer(stand_in.clone())), user);
        let ports = Ports {
            works: platform.clone(),
            entities: platform.clone(),
            playbooks: platform.clone(),
            sink: Arc::new(sink),
            store: store.clone(),
            inventories: Inventories::none(),
        };
        let metrics = Arc::new(Metrics::default());
        let patience = Patience::endless(Duration::from_millis(20), Duration::from_mins(10));
        let log = Log::new(LogLevel::Error, false);
        let worker = Arc::new(Worker::new(config, ports, patience, metrics.clone(), log));
        Self { stand_in, worker, store, metrics, queue: LocalQueue::new(), folder }
    }

    /// Puts a message about an object into the queue; returns its work.
    fn ask(&self, object: &Identifier, enrich: &Enrich) -> Option<String> {
        let (body, work) = self.stand_in.message(CONNECTOR, &object.to_string(), enrich);
        self.queue.push(body);
        work
    }

    /// Works until the queue is empty.
    async fn run(&self) {
        self.queue.close();
        let (_stop, stopped) = watch::channel(false);
        let mut source = self.queue.source();
        intake::run(&mut source, &self.worker, 8, stopped, Duration::from_secs(5)).await;
    }

    /// The work of one message about an object, after it was worked on.
    async fn work(&self, object: impl Into<Object>) -> StoredWork {
        let id = self.stand_in.insert(object);
        let work = self.ask(&id, &Enrich::auto()).unwrap();
        self.run().await;
        self.stand_in.work(&work).unwrap()
    }

    fn sightings(&self) -> Vec<Value> {
        self.stand_in.objects("sighting")
    }
}

fn address(more: &Value) -> Object {
    let mut object = json!({"type": "ipv4-addr", "value": ADDRESS});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Object::from_json(&object.to_string()).unwrap()
}

fn indicator(number: u32, pattern: &str) -> Object {
    let time = "2026-01-01T00:00:00.000Z";
    let object = json!({
        "type": "indicator", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"), "spec_version": "2.1",
        "created": time, "modified": time, "valid_from": time, "name": "bad", "pattern": pattern, "pattern_type": "stix",
    });
    Object::from_json(&object.to_string()).unwrap()
}

fn link(kind: &str, from: &Identifier, to: &Identifier) -> Object {
    let time = "2026-01-01T00:00:00.000Z".parse().unwrap();
    stix_model::sro::Relationship::new(kind, from.clone(), to.clone(), time).into()
}

/// Acceptance 7: received, expectations, parts, processed, in this order; acknowledged in the end.
#[tokio::test]
async fn a7_a_message_from_receipt_to_acknowledgement() {
    let setup = Setup::new().await;
    let work = setup.work(address(&json!({}))).await;
    assert_eq!(work.errors, [""; 0]);
    assert!(work.status == "complete" && work.ended, "{work:?}");
    assert_eq!(work.steps.first().map(String::as_str), Some("received"));
    assert!(work.steps[1].starts_with("expect "), "{:?}", work.steps);
    assert_eq!(work.steps.last().map(String::as_str), Some("processed"));
    assert!(work.messages[1].contains("was seen 3 times on 2 systems: 2 sightings"), "{:?}", work.messages);
    let mut counts: Vec<i64> = setup.sightings().iter().filter_map(|sighting| sighting["count"].as_i64()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
    assert_eq!(setup.queue.accepted(), 1);
    assert_eq!((setup.metrics.bundle_send.get(), setup.metrics.hits.get()), (1, 3));
    setup.stand_in.assert_nothing_refused();
}

#[tokio::test]
async fn nothing_found_is_fine() {
    let setup = Setup::new().await;
    let work = setup.work(stix_model::sco::Ipv4Addr::new("192.0.2.200")).await;
    assert!(work.is_done_with("No hits found"), "{work:?}");
    assert_eq!(setup.metrics.bundle_send.get(), 0);
    setup.stand_in.assert_nothing_refused();
}

/// What may not be seen is not named either: not in notes, and not in the text of the work.
#[tokio::test]
async fn names_above_the_maximum_are_written_nowhere() {
    let setup = Setup::new().await;
    let address = address(&json!({}));
    let mut hushed = serde_json::to_value(indicator(1, &format!("[ipv4-addr:value = '{ADDRESS}']"))).unwrap();
    hushed["name"] = "Operation Hush".into();
    hushed["object_marking_refs"] = json!([Tlp::Red.identifier()]);
    let hushed = Object::from_json(&hushed.to_string()).unwrap();
    setup.stand_in.insert(link("based-on", hushed.id(), address.id()));
    let hushed = setup.stand_in.insert(hushed);
    let work = setup.work(address).await;
    assert!(work.is_done_with("2 sightings"), "{work:?}");
    let notes = setup.stand_in.objects("note");
    let text = serde_json::to_string(&notes).unwrap();
    assert!(text.contains("1 part, which is marked above the maximum"), "{text}");
    let everything = format!("{text}{work:?}{:?}", setup.stand_in.objects("sighting"));
    assert!(!everything.contains("Hush") && !everything.contains(&hushed.to_string()), "{everything}");
}

/// A search that fails although others are answered does not hold up the service.
#[tokio::test]
async fn a_search_that_fails_by_itself_is_given_up() {
    let mut setup = Setup::new().await;
    Arc::get_mut(&mut setup.worker).unwrap().patience =
        Patience::endless(Duration::from_millis(20), Duration::from_millis(100));
    let timeout = || StoreErrorKind::Timeout(Duration::from_secs(30));
    setup.store.faults.lock().unwrap().extend(std::iter::repeat_with(timeout).take(1_000));
    let work = setup.work(address(&json!({}))).await;
    assert!(work.failed_with("answers other searches, but not this one"), "{work:?}");
    assert_eq!(setup.queue.accepted(), 1);
}

/// Nothing found is not the same as not looked at.
#[tokio::test]
async fn what_was_not_searched_is_told_with_no_hits() {
    let setup = Setup::new().await;
    let address = Object::from(stix_model::sco::Ipv4Addr::new("192.0.2.200"));
    let other = json!({"pattern_type": "snort"});
    let mut indicator = serde_json::to_value(indicator(1, "alert tcp any any -> any any")).unwrap();
    indicator.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    let indicator = Object::from_json(&indicator.to_string()).unwrap();
    setup.stand_in.insert(link("based-on", indicator.id(), address.id()));
    setup.stand_in.insert(address);
    let work = setup.work(indicator).await;
    assert!(work.is_done_with("No hits found, but not everything was searched: "), "{work:?}");
}

trait Ended {
    fn is_done_with(&self, text: &str) -> bool;
    fn failed_with(&self, text: &str) -> bool;
}

impl Ended for StoredWork {
    fn is_done_with(&self, text: &str) -> bool {
        self.ended && self.errors.is_empty() && self.messages.iter().any(|message| message.contains(text))
    }

    fn failed_with(&self, text: &str) -> bool {
        self.ended && self.errors.iter().any(|error| error.contains(text))
    }
}

/// Acceptance 12: above the maximum nothing leaves the house, and the work says why.
#[tokio::test]
async fn a12_markings_above_the_maximum() {
    let setup = Setup::new().await;
    let secret = json!({"object_marking_refs": [Tlp::Green.identifier(), Tlp::Red.identifier()]});
    let work = setup.work(address(&secret)).await;
    assert!(work.failed_with("TLP:RED is above the maximum TLP:AMBER"), "{work:?}");
    assert_eq!(setup.store.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_is_out_of_scope_is_refused() {
    let setup = Setup::with("all", Duration::ZERO).await;
    let time = "2026-01-01T00:00:00.000Z";
    let place = json!({"type": "location", "id": "location--b8d0549f-de06-5ebd-a6e9-d31a581dba5d", "name": "France",
        "spec_version": "2.1", "created": time, "modified": time, "country": "FR", "x_opencti_type": "Country"});
    let work = setup.work(Object::from_json(&place.to_string()).unwrap()).await;
    assert!(work.failed_with("entities of type Country are not searched"), "{work:?}");
}

/// Acceptance 11: one answer to each run, with what came in; no work.
#[tokio::test]
async fn a11_playbooks_are_always_answered() {
    let setup = Setup::new().await;
    let found = setup.stand_in.insert(address(&json!({})));
    let secret = setup.stand_in.insert(
        Object::from_json(
            &json!({"type": "ipv4-addr", "value": "192.0.2.1", "object_marking_refs": [Tlp::Red.identifier()]})
                .to_string(),
        )
        .unwrap(),
    );
    let nothing = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("192.0.2.2"));
    let foreign = setup.stand_in.insert(stix_model::sdo::Identity::new(
        "Example",
        "organization",
        "2026-01-01T00:00:00.000Z".parse().unwrap(),
    ));
    for id in [&found, &secret, &nothing, &foreign] {
        assert_eq!(setup.ask(id, &Enrich::playbook()), None);
    }
    setup.run().await;
    let answers = setup.stand_in.playbook_answers();
    assert_eq!(answers.len(), 4);
    for answer in &answers {
        let is_found = answer.received["objects"][0]["id"] == found.to_string();
        assert_eq!(answer.bundle["objects"][0], answer.received["objects"][0]);
        assert_eq!(answer.bundle["objects"].as_array().unwrap().len() > 1, is_found);
    }
    assert_eq!((setup.stand_in.works().len(), setup.metrics.bundle_send.get()), (0, 0));
    setup.stand_in.assert_nothing_refused();
}

/// A broken message is the same the next time: it is reported and taken out of the queue.
#[tokio::test]
async fn broken_messages_are_reported_and_taken_away() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (_, work) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    let work = work.unwrap();
    setup.queue.push("no JSON");
    setup.queue.push(json!({"internal": {"work_id": work}, "event": {"entity_id": 5}}).to_string());
    setup.run().await;
    assert_eq!(setup.queue.accepted(), 2);
    assert!(setup.stand_in.work(&work).unwrap().failed_with("the message cannot be read"));
    assert_eq!(setup.metrics.poisoned.get(), 2);
}

#[tokio::test]
async fn an_indexer_in_trouble_slows_down_and_loses_nothing() {
    let setup = Setup::new().await;
    setup.store.faults.lock().unwrap().extend([
        StoreErrorKind::Overloaded { status: 429, body: String::new(), retry_after: None },
        StoreErrorKind::Overloaded { status: 503, body: String::new(), retry_after: None },
        StoreErrorKind::Timeout(Duration::from_secs(1)),
        StoreErrorKind::Transport("cut".to_owned()),
        StoreErrorKind::Parse { what: "no JSON".to_owned(), excerpt: "<html>".to_owned() },
        StoreErrorKind::Auth { status: 401, body: String::new() },
    ]);
    let work = setup.work(address(&json!({}))).await;
    assert!(work.is_done_with("2 sightings"), "{work:?}");
    assert_eq!(setup.metrics.search_retries.get(), 6);
}

#[tokio::test]
async fn a_search_that_is_refused_fails_its_work_only() {
    let setup = Setup::new().await;
    let rejected = StoreErrorKind::Rejected {
        status: 400,
        reasons: vec!["too many clauses".to_owned()],
        hint: None,
        body: String::new(),
    };
    setup.store.faults.lock().unwrap().push_back(rejected);
    let work = setup.work(address(&json!({}))).await;
    assert!(work.failed_with("too many clauses"), "{work:?}");
    assert_eq!(setup.queue.accepted(), 1);
}

/// HTTP 200 with errors, an expired token, cut connections, a gateway in trouble.
#[tokio::test]
async fn a_platform_in_trouble_slows_down_and_loses_nothing() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let work = setup.ask(&id, &Enrich::auto()).unwrap();
    let faults = setup.stand_in.faults();
    for operation in ["WorkReceived", "Entities", "WorkExpect", "WorkProcessed"] {
        faults.on(operation, Fault::error("DATABASE_ERROR", "no shard"));
        faults.on(operation, Fault::error("AUTH_REQUIRED", "You must be logged in to do this."));
        faults.on(operation, Fault::Status(502, "bad gateway".to_owned()));
        faults.on(operation, Fault::LostAnswer);
    }
    setup.run().await;
    let work = setup.stand_in.work(&work).unwrap();
    assert!(work.is_done_with("2 sightings"), "{work:?}");
    assert_eq!((work.status.as_str(), work.expected == work.processed), ("complete", true), "{work:?}");
    assert_eq!(setup.sightings().len(), 2);
}

/// An indicator is searched by its own pattern, with or without observables (B-26).
#[tokio::test]
async fn indicators_are_searched_by_their_pattern() {
    let setup = Setup::new().await;
    let work = setup.work(indicator(1, &format!("[ipv4-addr:value = '{ADDRESS}']"))).await;
    assert!(work.is_done_with("was seen 3 times on 2 systems"), "{work:?}");
    setup.stand_in.assert_nothing_refused();
}

/// What a query cannot say exactly is verified, alert by alert.
#[tokio::test]
async fn compound_patterns_are_verified() {
    let setup = Setup::new().await;
    let pattern =
        format!("[user-account:account_login = 'kim'] FOLLOWEDBY [ipv4-addr:value = '{ADDRESS}'] WITHIN 60 SECONDS");
    let work = setup.work(indicator(1, &pattern)).await;
    assert!(work.is_done_with("was seen 2 times on 1 system"), "{work:?}");
    setup.stand_in.assert_nothing_refused();
}

#[tokio::test]
async fn patterns_of_other_languages_say_why() {
    let setup = Setup::new().await;
    let mut yara = serde_json::to_value(indicator(1, "rule x {}")).unwrap();
    yara["pattern_type"] = "yara".into();
    let work = setup.work(Object::from_json(&yara.to_string()).unwrap()).await;
    assert!(work.is_done_with("YARA rules look into files"), "{work:?}");
}

/// Indicators of an observable are read from the platform, and indicate what was found.
#[tokio::test]
async fn indicators_of_observables_are_read() {
    let setup = Setup::new().await;
    let address = address(&json!({}));
    let indicator = indicator(1, &format!("[ipv4-addr:value = '{ADDRESS}']"));
    setup.stand_in.insert(link("based-on", indicator.id(), address.id()));
    setup.stand_in.insert(indicator);
    let work = setup.work(address).await;
    assert!(work.is_done_with("2 incidents"), "{work:?}");
    let links = setup.stand_in.objects("relationship");
    assert!(links.iter().any(|link| link["relationship_type"] == "indicates"));
    assert_eq!(setup.stand_in.objects("case-incident").len(), 1);
    setup.stand_in.assert_nothing_refused();
}

/// A report hunts everything in it in one job.
#[tokio::test]
async fn reports_hunt_everything_in_them() {
    let setup = Setup::with("Report", Duration::ZERO).await;
    let first = setup.stand_in.insert(address(&json!({})));
    let second = setup.stand_in.insert(indicator(1, "[ipv4-addr:value = '203.0.113.99']"));
    let time = "2026-01-01T00:00:00.000Z";
    let report = json!({"type": "report", "id": "report--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Monthly",
        "spec_version": "2.1", "created": time, "modified": time, "published": time, "object_refs": [first, second]});
    let work = setup.work(Object::from_json(&report.to_string()).unwrap()).await;
    assert!(work.is_done_with("was seen 4 times on 3 systems: 3 sightings"), "{work:?}");
    setup.stand_in.assert_nothing_refused();
}

/// The same message again, and the same entity again, make nothing new.
#[tokio::test]
async fn a_second_run_makes_nothing_new() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (body, _) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    setup.queue.push(body.clone());
    setup.queue.push(body);
    setup.ask(&id, &Enrich::auto());
    setup.run().await;
    assert_eq!(setup.queue.accepted(), 3);
    assert_eq!(setup.sightings().len(), 2);
    assert_eq!(setup.stand_in.objects("note").len(), 4);
    // A message that comes again after it was done is not worked on once more.
    assert_eq!(setup.metrics.bundle_send.get(), 2);
    setup.stand_in.assert_nothing_refused();
}

/// B-40b: what came in since the run before is added, and nothing twice.
#[tokio::test]
async fn b_40b_counts_grow_and_never_inflate() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let counts = || {
        let mut counts: Vec<i64> = setup.sightings().iter().filter_map(|sighting| sighting["count"].as_i64()).collect();
        counts.sort_unstable();
        counts
    };
    let again = async || {
        setup.ask(&id, &Enrich::auto());
        let (_stop, stopped) = watch::channel(false);
        let done = setup.queue.accepted() + 1;
        let mut source = setup.queue.source();
        let mut running = Box::pin(intake::run(&mut source, &setup.worker, 8, stopped, Duration::ZERO));
        while setup.queue.accepted() < done {
            let _ = tokio::time::timeout(Duration::from_millis(10), &mut running).await;
        }
    };
    again().await;
    assert_eq!(counts(), [1, 2]);
    again().await;
    assert_eq!(counts(), [1, 2]);
    let path = setup.folder.path().join("alerts.json");
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    for number in [20, 21, 22] {
        writeln!(file, "{}", alert(number, 1, &json!({"srcip": ADDRESS}))).unwrap();
    }
    again().await;
    assert_eq!(counts(), [1, 5]);
    again().await;
    assert_eq!(counts(), [1, 5]);
    setup.stand_in.assert_nothing_refused();
}

/// Acceptance 13: markings and author of everything that is sent are sent with it; references lead to what is known.
#[tokio::test]
async fn a13_markings_and_author_are_in_the_bundle() {
    let setup = Setup::new().await;
    let before: Vec<String> = ["identity", "marking-definition", "ipv4-addr", "indicator"]
        .iter()
        .flat_map(|kind| setup.stand_in.objects(kind))
        .filter_map(|object| object["id"].as_str().map(str::to_owned))
        .collect();
    let address = address(&json!({}));
    let entity = address.id().to_string();
    let outcome = {
        setup.stand_in.insert(address);
        setup.worker.outcome(&super::subject::Job::by_hand(&entity)).await
    };
    let alert_enricher::enrichment::Outcome::Found(enrichment) = outcome else { panic!("{outcome:?}") };
    let objects = &enrichment.bundle.objects;
    let sent: Vec<String> = objects.iter().map(|object| object.id().to_string()).collect();
    let (mut authors, mut markings) = (0, 0);
    for object in objects {
        for marking in object.object_marking_refs() {
            assert!(sent.contains(&marking.to_string()), "{marking} is not in the bundle");
            markings += 1;
        }
        let json = serde_json::to_value(object).unwrap();
        for name in ["created_by_ref", "x_opencti_created_by_ref"] {
            if let Some(author) = json[name].as_str() {
                assert!(sent.iter().any(|id| id == author), "{author} is not in the bundle");
                authors += 1;
            }
        }
        for reference in object.refs() {
            let id = reference.to_string();
            assert!(sent.contains(&id) || before.contains(&id) || id == entity, "{id} is nowhere");
        }
    }
    assert!(authors > 5 && markings > 5);
}

/// Acceptance 16, and in whose name.
#[tokio::test]
async fn a16_drafts_and_applicants() {
    let setup = Setup::new().await;
    setup.stand_in.insert_draft("draft-1");
    let id = setup.stand_in.insert(address(&json!({})));
    setup.stand_in.clear_requests();
    setup.ask(&id, &Enrich::in_draft("draft-1").by("c49fe040-2dad-412d-af07-ce639204ad55"));
    setup.run().await;
    let read = setup.stand_in.requests().into_iter().filter(|request| request.operation == "Entities");
    for request in read {
        assert_eq!(request.draft.as_deref(), Some("draft-1"));
        assert_eq!(request.applicant.as_deref(), Some("c49fe040-2dad-412d-af07-ce639204ad55"));
    }
    setup.stand_in.assert_nothing_refused();
}

/// Many small enrichments that come together share requests.
#[tokio::test]
async fn searches_share_requests() {
    let setup = Setup::with("all", Duration::from_millis(20)).await;
    for number in 0..32 {
        let id = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new(format!("192.0.2.{number}")));
        setup.ask(&id, &Enrich::auto());
    }
    setup.run().await;
    assert_eq!((setup.queue.accepted(), setup.metrics.searches.get()), (32, 32));
    assert!(setup.metrics.search_requests.get() <= 16, "{}", setup.metrics.search_requests.get());
    setup.stand_in.assert_nothing_refused();
}

struct NoSettle(Arc<AtomicUsize>);

#[async_trait]
impl Settle for NoSettle {
    async fn accept(self: Box<Self>) -> Result<(), Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn give_back(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

/// A message that ends the process again and again is tried alone, and then given up.
#[tokio::test]
async fn poison_ends_in_a_failed_work() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (body, work) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    let work = work.unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    // Each try is a process of its own, which ends before anything but the receipt is told.
    for _ in 0..6 {
        let process = Setup::process(&setup).await;
        let delivery = Delivery::new(&body, Box::new(NoSettle(accepted.clone()))).redelivered(true, None);
        process
            .store
            .faults
            .lock()
            .unwrap()
            .extend(std::iter::repeat_with(|| StoreErrorKind::Transport("cut".to_owned())).take(1_000));
        let run = tokio::time::timeout(Duration::from_millis(300), process.worker.clone().handle(delivery));
        assert!(run.await.is_err());
    }
    let begun = setup.stand_in.work(&work).unwrap().messages;
    assert_eq!(begun.iter().filter(|text| text.contains("once more")).count(), 3, "{begun:?}");
    let delivery = Delivery::new(&body, Box::new(NoSettle(accepted.clone()))).redelivered(true, None);
    setup.worker.clone().handle(delivery).await;
    assert!(setup.stand_in.work(&work).unwrap().failed_with("is given up"));
    assert_eq!((accepted.load(Ordering::Relaxed), setup.metrics.poisoned.get()), (1, 1));
}

impl Setup {
    /// Another process of the same connector.
    async fn process(first: &Self) -> Self {
        let mut other = Self::new().await;
        let config = ServiceConfig::of_text(&format!(
            "max_tlp: amber\napp_url: https://wazuh.example\nopencti: {{url: \"{}\", token: {}}}\n\
             connector: {{id: {CONNECTOR}}}\nopensearch: {{url: \"https://indexer:9200\", username: a, password: b}}\n\
             search: {{ignore_private_addrs: false}}\n",
            first.stand_in.url(),
            first.stand_in.token(),
        ));
        let (platform, registered) = registered(&first.stand_in, &config).await;
        let sink =
            QueueSink::new(platform.clone(), Arc::new(Importer(first.stand_in.clone())), registered.user_id.unwrap());
        let ports = Ports {
            works: platform.clone(),
            entities: platform.clone(),
            playbooks: platform,
            sink: Arc::new(sink),
            store: other.store.clone(),
            inventories: Inventories::none(),
        };
        let patience = Patience::endless(Duration::from_millis(20), Duration::from_mins(10));
        let log = Log::new(LogLevel::Error, false);
        other.worker = Arc::new(Worker::new(config, ports, patience, other.metrics.clone(), log));
        other
    }
}

/// Acceptance 17: nothing more is taken, what is under way ends, what does not goes back.
#[tokio::test]
async fn a17_stopping() {
    for (timeout, accepted) in [(Duration::from_secs(10), 2), (Duration::ZERO, 0)] {
        let setup = Setup::with("all", Duration::from_millis(300)).await;
        for number in 0..5 {
            let id = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new(format!("192.0.2.{number}")));
            setup.ask(&id, &Enrich::auto());
        }
        let (stop, stopped) = watch::channel(false);
        let mut source: Box<dyn MessageSource> = Box::new(setup.queue.source());
        let running = tokio::spawn({
            let worker = setup.worker.clone();
            async move { intake::run(&mut *source, &worker, 2, stopped, timeout).await }
        });
        while setup.store.asked.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send(true).unwrap();
        let left = running.await.unwrap();
        assert_eq!((left, setup.queue.accepted()), (2 - accepted, accepted));
        assert_eq!(setup.queue.waiting(), 5 - accepted);
    }
}

/// A message that is under way whenever the service is stopped did not end it.
#[tokio::test]
async fn stops_are_no_crashes() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (body, work) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    let work = work.unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    // The broker counts every time.
    for count in 0..10 {
        let process = Setup::process(&setup).await;
        let busy = || StoreErrorKind::Transport("cut".to_owned());
        process.store.faults.lock().unwrap().extend(std::iter::repeat_with(busy).take(1_000));
        let delivery = Delivery::new(&body, Box::new(NoSettle(accepted.clone()))).redelivered(count > 0, Some(count));
        let run = tokio::time::timeout(Duration::from_millis(200), process.worker.clone().handle(delivery));
        assert!(run.await.is_err());
        process.worker.farewell(true).await;
    }
    let process = Setup::process(&setup).await;
    let delivery = Delivery::new(&body, Box::new(NoSettle(accepted.clone()))).redelivered(true, Some(10));
    process.worker.clone().handle(delivery).await;
    assert!(setup.stand_in.work(&work).unwrap().is_done_with("2 sightings"));
    assert_eq!((accepted.load(Ordering::Relaxed), process.metrics.poisoned.get()), (1, 0));
}

/// A message that came as a request does not come again, so its work is told.
#[tokio::test]
async fn works_without_a_queue_are_told_when_the_service_ends() {
    let setup = Setup::with("all", Duration::from_secs(5)).await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (body, work) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    let delivery = Delivery::new(&body, Box::new(NoSettle(Arc::default())));
    let run = tokio::time::timeout(Duration::from_millis(200), setup.worker.clone().handle(delivery));
    assert!(run.await.is_err());
    setup.worker.farewell(false).await;
    assert!(setup.stand_in.work(&work.unwrap()).unwrap().failed_with("please ask again"));
}

/// The result of a work that was deleted meanwhile is not sent.
#[tokio::test]
async fn cancelled_works_are_left() {
    let setup = Setup::new().await;
    let id = setup.stand_in.insert(address(&json!({})));
    let (body, work) = setup.stand_in.message(CONNECTOR, &id.to_string(), &Enrich::auto());
    setup.stand_in.cancel_work(&work.unwrap());
    setup.queue.push(body);
    setup.run().await;
    assert_eq!((setup.queue.accepted(), setup.metrics.bundle_send.get()), (1, 0));
    assert_eq!(setup.metrics.hits.get(), 3);
}

/// Copies are made once, however often the platform is asked.
#[tokio::test]
async fn a_copy_is_written_once() {
    struct Count(AtomicUsize, usize);
    #[async_trait]
    impl BundleSink for Count {
        async fn send(&self, _: &Bundle, _: &SendOptions) -> Result<Sent, Error> {
            if self.0.fetch_add(1, Ordering::Relaxed) < self.1 {
                return Err(ErrorKind::Busy { code: String::new(), message: "later".to_owned() }.into());
            }
            Ok(Sent::default())
        }
    }
    let (platform, copies) = (Arc::new(Count(AtomicUsize::new(0), 3)), Arc::new(Count(AtomicUsize::new(0), 0)));
    let sinks = Sinks { platform: Some(platform.clone()), copies: Some(copies.clone()), ..Sinks::default() };
    let (bundle, options) = (Bundle::default(), SendOptions::default());
    for _ in 0..3 {
        sinks.send(&bundle, &options).await.unwrap_err();
    }
    sinks.send(&bundle, &options).await.unwrap();
    let counts = || (platform.0.load(Ordering::Relaxed), copies.0.load(Ordering::Relaxed));
    assert_eq!(counts(), (4, 1));
    // The next run has a copy of its own.
    sinks.send(&bundle, &options).await.unwrap();
    assert_eq!(counts(), (5, 2));
}
