//! A real broker. Without `RABBITMQ_URL` these tests are skipped; `deploy/dev/rabbitmq.sh start` gives one.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opencti_client::amqp::{AmqpPublisher, AmqpSource, Broker};
use opencti_client::graphql::Platform;
use opencti_client::testing::{Enrich, Fault, StandIn};
use opencti_client::{
    Backoff, BrokerAddress, BundleSink, ConnectorApi, Delivery, ErrorKind, MessageSource, Notices, Publisher,
    QueueSink, Registered, Registration, Retry, Scope, SendOptions, WorkApi, conformance, judge, make_up,
};
use stix_model::Bundle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::*;

fn url() -> Option<String> {
    let url = std::env::var("RABBITMQ_URL").ok();
    if url.is_none() {
        eprintln!("skipped: no RABBITMQ_URL");
    }
    url
}

/// A connector's identifier that nobody else uses.
fn fresh() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-{:04x}-4000-8000-{nanos:012}", std::process::id(), count & 0xffff)
}

struct Setup {
    stand_in: StandIn,
    platform: Arc<Platform>,
    registered: Registered,
    id: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl Setup {
    async fn new(url: &str) -> Self {
        let stand_in = StandIn::builder().broker(url).start().await;
        let platform = Arc::new(platform(&stand_in).await);
        let id = fresh();
        let registration = Registration::new(&id, "Example", Scope::parse("IPv4-Addr"));
        let registered = platform.register(&registration).await.unwrap();
        Self { stand_in, platform, registered, id, told: Arc::default() }
    }

    fn broker_at(&self, address: BrokerAddress) -> Broker {
        let mut broker = Broker::new(address);
        broker.backoff =
            Backoff { retries: u32::MAX, first: Duration::from_millis(20), longest: Duration::from_millis(500) };
        broker.connect_timeout = Duration::from_secs(5);
        let told = self.told.clone();
        broker.notices = Notices::to(move |notice| told.lock().unwrap().push(notice.to_string()));
        broker
    }

    fn broker(&self) -> Arc<Broker> {
        Arc::new(self.broker_at(self.registered.queues.connection.clone()))
    }

    fn source(&self, broker: &Arc<Broker>, prefetch: u16) -> AmqpSource {
        AmqpSource::new(broker.clone(), &self.registered.queues.listen, prefetch)
    }

    fn publisher(&self, broker: &Arc<Broker>) -> AmqpPublisher {
        let queues = &self.registered.queues;
        AmqpPublisher::new(broker.clone(), &queues.push_exchange, &queues.push_routing)
    }

    fn sink(&self, broker: &Arc<Broker>) -> QueueSink {
        QueueSink::new(self.platform.clone(), Arc::new(self.publisher(broker)), StandIn::USER)
    }

    /// Waits until a work is complete.
    async fn completed(&self, work: &str) -> Vec<String> {
        wait(|| self.stand_in.work(work).is_some_and(|work| work.status == "complete" && work.ended)).await;
        self.stand_in.work(work).unwrap().steps
    }
}

async fn wait(done: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within half a minute");
}

async fn next(source: &mut AmqpSource) -> Delivery {
    let delivery = tokio::time::timeout(Duration::from_mins(1), source.next()).await.expect("a message in time");
    delivery.unwrap().expect("a message")
}

fn addresses(count: u32) -> Bundle {
    let address = |number: u32| {
        stix_model::sco::Ipv4Addr::new(format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255))
    };
    Bundle::new((0..count).map(|number| address(number).into()).collect())
}

fn report_bundle() -> Bundle {
    let author = stix_model::sdo::Identity::new("Wazuh", "organization", now());
    let mut malware = stix_model::sdo::Malware::new("Foul Fox", true, now());
    malware.common.created_by_ref = Some(author.id().clone());
    let address = stix_model::sco::Ipv4Addr::new("198.51.100.9");
    let relation =
        stix_model::sro::Relationship::new("communicates-with", malware.id().clone(), address.id().clone(), now());
    Bundle::new(vec![relation.into(), malware.into(), address.into(), author.into()])
}

/// Acceptance 7, 9 and 16: a message comes, its bundle goes in parts, persistent, mandatory and confirmed, in the name of
/// the applicant and into the draft, and the work is told in the right order.
#[tokio::test]
async fn a_message_from_queue_to_queue() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let broker = setup.broker();
    broker.check(Some(&setup.registered.queues.listen)).await.unwrap();
    let mut source = setup.source(&broker, 1);
    let sink = setup.sink(&broker);
    let entity = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    setup.stand_in.insert_draft("draft-1");
    for enrich in [Enrich::auto(), Enrich::in_draft("draft-1").by("user-7")] {
        let work = setup.stand_in.enrich(&setup.id, &entity, &enrich).await.unwrap();
        let delivery = next(&mut source).await;
        assert!(!delivery.redelivered);
        let message = delivery.message.clone().unwrap();
        assert_eq!(message.work_id(), Some(work.as_str()));
        setup.platform.received(&work, "on it").await.unwrap();
        let options = SendOptions::for_message(&message, delivery.redelivered);
        assert_eq!(options.draft_id, enrich.draft);
        assert_eq!(options.applicant_id, enrich.applicant);
        let sent = sink.send(&report_bundle(), &options).await.unwrap();
        assert_eq!(sent.parts, 4);
        setup.platform.processed(&work, "sent 1 bundle", false).await.unwrap();
        delivery.accept().await.unwrap();
        let steps = setup.completed(&work).await;
        assert_eq!(steps[..2], ["received", "expect 4"]);
        assert_eq!(steps.iter().filter(|step| *step == "part").count(), 4);
        assert!(steps.contains(&"processed".to_owned()));
    }
    assert_eq!(setup.stand_in.objects("malware").len(), 1);
    setup.stand_in.assert_nothing_refused();
}

/// Sources and sinks over the broker keep the same contracts as the embedded ones.
#[tokio::test]
async fn contracts() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let broker = setup.broker();
    let mut source = setup.source(&broker, 1);
    let push = async |body: String| setup.stand_in.publish(&setup.id, body.as_bytes()).await;
    conformance::message_source(&mut source, true, push).await;
    let arrived = async |count: usize| {
        let there = || [setup.stand_in.objects("tool"), setup.stand_in.objects("identity")].concat();
        wait(|| there().len() >= count).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        there()
    };
    conformance::bundle_sink(&setup.sink(&broker), arrived).await;
    setup.stand_in.assert_nothing_refused();
}

/// Parts that an earlier attempt announced, and that are not needed any more, do not keep the work open.
#[tokio::test]
async fn fewer_parts_than_announced() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let sink = setup.sink(&setup.broker());
    let work = setup.platform.open(&setup.id, "w").await.unwrap();
    setup.platform.expect(&work, 7).await.unwrap();
    let options = SendOptions { work_id: Some(work.clone()), announced_before: true, ..SendOptions::default() };
    sink.send(&report_bundle(), &options).await.unwrap();
    setup.platform.processed(&work, "done", false).await.unwrap();
    let _ = setup.completed(&work).await;

    let work = setup.platform.open(&setup.id, "w").await.unwrap();
    setup.platform.expect(&work, 7).await.unwrap();
    make_up(&*setup.platform, &work, 0).await.unwrap();
    setup.platform.processed(&work, "nothing found any more", false).await.unwrap();
    let _ = setup.completed(&work).await;
    make_up(&*setup.platform, "work_none", 0).await.unwrap();
}

/// Acceptance 4: what cannot be read does not stop the consumer.
#[tokio::test]
async fn malformed_messages() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let mut source = setup.source(&setup.broker(), 5);
    for body in [&b"{"[..], b"", b"\xff\xfe", br#"{"internal":{"work_id":"w"}}"#] {
        setup.stand_in.publish(&setup.id, body).await;
    }
    let mut works = Vec::new();
    for _ in 0..4 {
        let delivery = next(&mut source).await;
        works.push(delivery.message.as_ref().unwrap_err().work_id.clone());
        delivery.accept().await.unwrap();
    }
    assert_eq!(works, [None, None, None, Some("w".to_owned())]);
}

/// A message that is not settled comes again, and says so.
#[tokio::test]
async fn unsettled_messages_come_again() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let entity = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let work = setup.stand_in.enrich(&setup.id, &entity, &Enrich::auto()).await.unwrap();
    let broker = setup.broker();
    let mut source = setup.source(&broker, 1);
    drop(next(&mut source).await);
    drop(source);
    let mut source = setup.source(&broker, 1);
    let delivery = next(&mut source).await;
    assert!(delivery.redelivered);
    assert_eq!(delivery.message.as_ref().unwrap().work_id(), Some(work.as_str()));
    delivery.give_back().await.unwrap();
    assert!(next(&mut source).await.redelivered);
}

/// Acceptance 17: consumption stops, what was fetched goes back, what is being worked on can be settled.
#[tokio::test]
async fn graceful_stop() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let entity = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    for _ in 0..3 {
        setup.stand_in.enrich(&setup.id, &entity, &Enrich::auto()).await;
    }
    let broker = setup.broker();
    let mut source = setup.source(&broker, 10);
    let first = next(&mut source).await;
    source.stop().await;
    assert!(source.next().await.unwrap().is_none());
    let mut other = setup.source(&broker, 10);
    for _ in 0..2 {
        next(&mut other).await.accept().await.unwrap();
    }
    first.accept().await.unwrap();
    let more = tokio::time::timeout(Duration::from_millis(300), other.next()).await;
    assert!(more.is_err(), "nothing is left");
}

/// Acceptance 4: credentials that change.
#[tokio::test]
async fn credentials_change() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let right = setup.registered.queues.connection.clone();
    let mut wrong = right.clone();
    wrong.pass = "geheim-4711".into();
    let broker = Arc::new(setup.broker_at(wrong));
    let mut source = setup.source(&broker, 1);
    let error = source.next().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Broker { code: 403, .. }), "{error}");
    assert!(error.is_auth() && judge(&error) == Retry::Later);
    assert!(!error.to_string().contains("geheim") && !format!("{broker:?}").contains("geheim"));
    broker.set_address(right);
    setup.stand_in.publish(&setup.id, b"{}").await;
    next(&mut source).await.accept().await.unwrap();

    let mut source = AmqpSource::new(broker.clone(), "no_such_queue", 1);
    let error = source.next().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Broker { code: 404, .. }), "{error}");
    assert!(broker.check(Some("no_such_queue")).await.is_err());
}

/// Trap 34: what no queue takes is not lost in silence.
#[tokio::test]
async fn unroutable_messages() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let broker = setup.broker();
    let exchange = &setup.registered.queues.push_exchange;
    let publisher = AmqpPublisher::new(broker.clone(), exchange, "nowhere").patience(Duration::from_millis(200));
    let error = publisher.publish(vec![b"x".to_vec()]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unroutable { .. }), "{error}");
    assert!(error.tries() > 1);
    let small = setup.publisher(&broker).largest(10);
    let error = small.publish(vec![vec![0; 11]]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TooLarge { limit: 10, .. }), "{error}");
}

/// The parts of a bundle are announced once, whatever happens to the announcement or to the first attempt.
#[tokio::test]
async fn announced_once() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let sink = setup.sink(&setup.broker());
    let work = setup.platform.open(&setup.id, "w").await.unwrap();
    let options = SendOptions { work_id: Some(work.clone()), ..SendOptions::default() };
    setup.stand_in.faults().on("WorkExpect", Fault::LostAnswer);
    sink.send(&report_bundle(), &options).await.unwrap();
    assert_eq!(setup.stand_in.work(&work).unwrap().expected, 4);
    let again = SendOptions { announced_before: true, ..options };
    sink.send(&report_bundle(), &again).await.unwrap();
    setup.platform.processed(&work, "done", false).await.unwrap();
    let _ = setup.completed(&work).await;
    assert_eq!(setup.stand_in.work(&work).unwrap().expected, 4);
    setup.stand_in.assert_nothing_refused();
}

// --- connections that break --------------------------------------------------------------------------

/// A wire to the broker that can be cut and held.
struct Wire {
    address: BrokerAddress,
    cuts: watch::Sender<u64>,
    held: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Wire {
    async fn new(to: &BrokerAddress, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut address = to.clone();
        address.port = listener.local_addr().unwrap().port();
        address.use_ssl = tls.is_some();
        let (cuts, _) = watch::channel(0);
        let (held, _) = watch::channel(false);
        let target = (to.host.clone(), to.port);
        let task = tokio::spawn(carry(listener, target, tls, cuts.subscribe(), held.subscribe()));
        Self { address, cuts, held, task }
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    listener: TcpListener,
    target: (String, u16),
    tls: Option<Arc<rustls::ServerConfig>>,
    cuts: watch::Receiver<u64>,
    held: watch::Receiver<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (target, tls, mut cuts, held) = (target.clone(), tls.clone(), cuts.clone(), held.clone());
        connections.spawn(async move {
            let Ok(broker) = TcpStream::connect((target.0.as_str(), target.1)).await else { return };
            cuts.borrow_and_update();
            let carried = async {
                match tls {
                    None => pump(client, broker, held).await,
                    Some(tls) => {
                        let Ok(client) = tokio_rustls::TlsAcceptor::from(tls).accept(client).await else { return };
                        pump(client, broker, held).await;
                    }
                }
            };
            tokio::select! { () = carried => {}, _ = cuts.changed() => {} }
        });
    }
}

async fn pump<S: tokio::io::AsyncRead + tokio::io::AsyncWrite>(
    client: S,
    broker: TcpStream,
    held: watch::Receiver<bool>,
) {
    let (client_in, client_out) = tokio::io::split(client);
    let (broker_in, broker_out) = tokio::io::split(broker);
    tokio::join!(one_way(client_in, broker_out, held.clone()), one_way(broker_in, client_out, held));
}

async fn one_way(from: impl tokio::io::AsyncRead, to: impl tokio::io::AsyncWrite, mut held: watch::Receiver<bool>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut from, mut to) = (std::pin::pin!(from), std::pin::pin!(to));
    let mut bytes = vec![0; 16 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else { return };
        let _ = held.wait_for(|held| !held).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Connections are cut again and again while bundles go out and messages come in: nothing is lost, nothing hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let wire = Wire::new(&setup.registered.queues.connection, None).await;
    let broker = Arc::new(setup.broker_at(wire.address.clone()));
    let sink = setup.sink(&broker);
    let mut source = setup.source(&broker, 4);
    let entity = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let mut works = std::collections::BTreeSet::new();
    for _ in 0..20 {
        works.insert(setup.stand_in.enrich(&setup.id, &entity, &Enrich::auto()).await.unwrap());
    }
    let cutter = async {
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            wire.cut();
        }
    };
    let sender = async {
        for _ in 0..3 {
            sink.send(&addresses(2_000), &SendOptions::default()).await.unwrap();
        }
    };
    let receiver = async {
        while !works.is_empty() {
            let delivery = next(&mut source).await;
            let work = delivery.message.as_ref().unwrap().work_id().unwrap().to_owned();
            tokio::time::sleep(Duration::from_millis(10)).await;
            match delivery.accept().await {
                Ok(()) => drop(works.remove(&work)),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::Stale), "{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), async { tokio::join!(cutter, sender, receiver) })
        .await
        .expect("no hang");
    wait(|| setup.stand_in.objects("ipv4-addr").len() >= 2_000).await;
    wait(|| setup.stand_in.imported() >= 6_000).await;
    setup.stand_in.assert_nothing_refused();
    assert!(setup.told.lock().unwrap().iter().any(|line| line.contains("next try in")));
}

/// A broker that does not answer any more: deadlines, then a new connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_connections() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let wire = Wire::new(&setup.registered.queues.connection, None).await;
    let mut broker = setup.broker_at(wire.address.clone());
    broker.confirm_timeout = Duration::from_millis(400);
    broker.connect_timeout = Duration::from_secs(1);
    let broker = Arc::new(broker);
    let publisher = Arc::new(setup.publisher(&broker));
    let part = opencti_client::bundle::QueueMessage::new("{}", "u", 1).to_json().into_bytes();
    publisher.publish(vec![part.clone()]).await.unwrap();
    wire.hold(true);
    let held = tokio::spawn({
        let (publisher, part) = (publisher.clone(), part.clone());
        async move { publisher.publish(vec![part; 10]).await }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!held.is_finished());
    wire.hold(false);
    tokio::time::timeout(Duration::from_secs(20), held).await.expect("no hang").unwrap().unwrap();
    assert!(setup.told.lock().unwrap().iter().any(|line| line.contains("no answer from")));

    wire.hold(true);
    let impatient = setup.publisher(&broker).patience(Duration::from_millis(600));
    let error = tokio::time::timeout(Duration::from_secs(20), impatient.publish(vec![part])).await.expect("no hang");
    assert!(error.is_err());
}

/// TLS to the broker: a custom authority, an untrusted certificate, and no verification.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_connections() {
    let Some(url) = url() else { return };
    let setup = Setup::new(&url).await;
    let authority = Authority::new();
    let wire = Wire::new(&setup.registered.queues.connection, Some(authority.server(false))).await;

    let error = setup.broker_at(wire.address.clone()).check(None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate { .. }), "{error}");
    assert_eq!(judge(&error), Retry::Later);
    let mut blind = setup.broker_at(wire.address.clone());
    blind.tls.verify = false;
    blind.check(None).await.unwrap();

    // A broker that wants a certificate of ours.
    let wire = Wire::new(&setup.registered.queues.connection, Some(authority.server(true))).await;
    let mut trusting = setup.broker_at(wire.address.clone());
    trusting.tls.ca = Some(authority.pem());
    let error = trusting.check(None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate { .. }), "{error}");
    trusting.tls.identity = Some(authority.client());
    let trusting = Arc::new(trusting);
    setup.sink(&trusting).send(&report_bundle(), &SendOptions::default()).await.unwrap();
    wait(|| setup.stand_in.objects("malware").len() == 1).await;
    setup.stand_in.publish(&setup.id, b"{}").await;
    next(&mut setup.source(&trusting, 1)).await.accept().await.unwrap();
}

/// A broker of our own, to be killed.
struct OwnBroker {
    script: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl OwnBroker {
    /// The exit code of the script.
    fn run(&self, command: &str) -> Option<i32> {
        let status = Command::new(&self.script)
            .arg(command)
            .env("RABBITMQ_RUN_DIR", self.folder.path())
            .env("RABBITMQ_PORT", self.port.to_string())
            .env("RABBITMQ_KEEP_DATA", "1")
            .stdout(std::process::Stdio::null())
            .status();
        status.ok()?.code()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.run("stop");
    }
}

/// The broker is killed and started again in mid-message, with confirms outstanding: nothing is lost, nothing hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_is_killed() {
    if url().is_none() {
        return;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/dev/rabbitmq.sh");
    let folder =
        tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    // The node's own port stands beside the broker's.
    let port = (20_000..25_000).find(|port| is_free(*port) && is_free(port + 5_000)).unwrap();
    let own = Arc::new(OwnBroker { script, folder, port });
    let started = own.run("start");
    if started == Some(3) {
        eprintln!("skipped: there is no RabbitMQ on this machine");
        return;
    }
    assert_eq!(started, Some(0));
    let setup = Setup::new(&format!("amqp://opencti:opencti@127.0.0.1:{port}")).await;
    let broker = setup.broker();
    let sink = setup.sink(&broker);
    let mut source = setup.source(&broker, 1);
    let entity = setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let first = setup.stand_in.enrich(&setup.id, &entity, &Enrich::auto()).await.unwrap();
    let second = setup.stand_in.enrich(&setup.id, &entity, &Enrich::auto()).await.unwrap();
    let in_hand = next(&mut source).await;
    let killed = tokio::task::spawn_blocking({
        let own = own.clone();
        move || {
            std::thread::sleep(Duration::from_millis(300));
            own.run("kill") == Some(0) && own.run("start") == Some(0)
        }
    });
    let big = addresses(20_000);
    let options = SendOptions { work_id: Some(first.clone()), ..SendOptions::default() };
    let sent = tokio::time::timeout(Duration::from_mins(3), sink.send(&big, &options)).await.expect("no hang").unwrap();
    assert_eq!(sent.parts, 20_000);
    assert!(killed.await.unwrap());
    assert!(matches!(in_hand.accept().await.unwrap_err().kind(), ErrorKind::Stale));
    // It comes again and says so; the other one was not touched.
    let mut works = Vec::new();
    for _ in 0..2 {
        let delivery = next(&mut source).await;
        let work = delivery.message.as_ref().unwrap().work_id().unwrap().to_owned();
        assert!(delivery.redelivered || work != first, "it says so");
        works.push(work);
        delivery.accept().await.unwrap();
    }
    works.sort();
    assert_eq!(works, [first, second]);
    wait(|| setup.stand_in.objects("ipv4-addr").len() >= 20_000).await;
    setup.stand_in.assert_nothing_refused();
}
