//! The service as a process, with a real broker, the strict stand-in of the platform and a scripted indexer.
//!
//! Without `RABBITMQ_URL` most of these tests are skipped; `deploy/dev/rabbitmq.sh start` gives one.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod checked;
#[path = "../../../alert-enricher/tests/enrichment/checkers.rs"]
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
mod checkers;
mod failures;
mod indexer;
mod pages;
mod real;
mod self_test;
#[path = "../../../wazuh-query/tests/store/server.rs"]
#[allow(dead_code, reason = "tests of the adapter use the rest")]
mod server;

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use opencti_client::testing::{Enrich, Fault, StandIn, StoredWork};
use stix_model::sco::Ipv4Addr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use indexer::{FOUND, Indexer, Trouble};

fn broker() -> Option<String> {
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
    format!("{:08x}-{:04x}-4000-8001-{nanos:012}", std::process::id(), count & 0xffff)
}

struct Setup {
    stand_in: StandIn,
    indexer: Arc<Indexer>,
    id: String,
    /// Where health and metrics are answered.
    port: u16,
    /// URL and index of a real indexer, in place of the scripted one.
    real: Option<(String, String)>,
    /// Further variables of the environment.
    more: Vec<(&'static str, String)>,
}

/// A process that does not outlive its test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Service {
    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to stop; returns the exit code.
    async fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        for _ in 0..600 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the service does not stop");
    }
}

impl Setup {
    async fn new(broker: Option<&str>) -> Self {
        let builder = StandIn::builder();
        let stand_in = match broker {
            Some(url) => builder.broker(url).start().await,
            None => builder.start().await,
        };
        Self::around(stand_in, Indexer::start().await, fresh())
    }

    fn around(stand_in: StandIn, indexer: Arc<Indexer>, id: String) -> Self {
        // Free a moment ago, and nobody else asks for it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { stand_in, indexer, id, port, real: None, more: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_by(Command::new(env!("CARGO_BIN_EXE_opencti-wazuh-connector")), arguments)
    }

    fn command_by(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).env_clear().envs([
            ("OPENCTI_URL", self.stand_in.url().as_str()),
            ("OPENCTI_TOKEN", self.stand_in.token()),
            ("OPENCTI_JSON_LOGGING", "false"),
            ("CONNECTOR_ID", &self.id),
            ("CONNECTOR_LOG_LEVEL", "info"),
            ("CONNECTOR_EXPOSE_METRICS", "true"),
            ("CONNECTOR_METRICS_PORT", &self.port.to_string()),
            ("WAZUH_MAX_TLP", "TLP:AMBER"),
            ("WAZUH_APP_URL", "https://wazuh.example"),
            ("WAZUH_OPENSEARCH_URL", &self.indexer.url()),
            ("WAZUH_OPENSEARCH_USERNAME", "reader"),
            ("WAZUH_OPENSEARCH_PASSWORD", "hunter2-secret"),
            ("WAZUH_SEARCH_IGNORE_PRIVATE_ADDRS", "false"),
            ("WAZUH_SERVICE_HEALTH_HOST", "127.0.0.1"),
            ("WAZUH_SERVICE_LONGEST_PAUSE", "1 second"),
        ]);
        if let Some((url, index)) = &self.real {
            command.env("WAZUH_OPENSEARCH_URL", url).env("WAZUH_OPENSEARCH_INDEX", index);
        }
        command.envs(self.more.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Service {
        Self::spawn(self.command(&[]))
    }

    fn spawn(mut command: Command) -> Service {
        // The tests end it more often than a message is given chances by default.
        command.env("WAZUH_SERVICE_MAX_ATTEMPTS", "20");
        Service(command.stderr(Stdio::inherit()).spawn().unwrap())
    }

    /// Starts it and waits until it takes messages.
    async fn started(&self) -> Service {
        self.healthy(self.start()).await
    }

    /// The same through another program, which becomes the service.
    async fn started_by(&self, wrapped: impl Fn(&str) -> Command) -> Service {
        let mut command = self.command_by(wrapped(env!("CARGO_BIN_EXE_opencti-wazuh-connector")), &["run"]);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        self.healthy(Self::spawn(command)).await
    }

    async fn healthy(&self, service: Service) -> Service {
        self.until("the service is healthy", async || self.get("/health").await.contains("200 OK")).await;
        service
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < Duration::from_mins(2), "never: {what}; works: {:#?}", self.stand_in.works());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn get(&self, path: &str) -> String {
        let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await else {
            return String::new();
        };
        let mut text = String::new();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_ok() {
            let _ = stream.read_to_string(&mut text).await;
        }
        text
    }

    /// Registers the connector, so that its queue is there before the service is.
    async fn register(&self) {
        let service = self.started().await;
        assert_eq!(service.stop().await, Some(0));
    }

    async fn ask(&self, address: &str, enrich: &Enrich) -> Option<String> {
        let id = self.stand_in.insert(Ipv4Addr::new(address));
        self.stand_in.enrich(&self.id, &id.to_string(), enrich).await
    }

    fn work(&self, work: &str) -> StoredWork {
        self.stand_in.work(work).unwrap()
    }

    async fn complete(&self, works: &[String]) {
        self.until("all works are complete", async || {
            works.iter().all(|work| {
                let work = self.work(work);
                work.ended && work.status == "complete"
            })
        })
        .await;
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_queue_and_back() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    let service = setup.started().await;
    setup.indexer.busy.store(3, Ordering::Relaxed);
    let found = setup.ask(&format!("{FOUND}7"), &Enrich::auto()).await.unwrap();
    let nothing = setup.ask("203.0.113.1", &Enrich::auto()).await.unwrap();
    setup.ask(&format!("{FOUND}8"), &Enrich::playbook()).await;
    setup.complete(&[found.clone(), nothing.clone()]).await;
    setup.until("the playbook is answered", async || setup.stand_in.playbook_answers().len() == 1).await;
    let found = setup.work(&found);
    assert!(found.messages[1].contains("was seen 2 times on 2 systems: 2 sightings"), "{found:?}");
    assert_eq!((found.errors.len(), found.expected == found.processed), (0, true), "{found:?}");
    assert!(setup.work(&nothing).messages[1].contains("No hits found"));
    assert_eq!(setup.stand_in.objects("sighting").len(), 2);
    let metrics = setup.get("/metrics").await;
    for line in ["run_count_total 3", "bundle_send_total 1", "playbook_answers_total 1", "state{state=\"idle\"} 1"] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert_eq!(service.stop().await, Some(0));
    setup.stand_in.assert_nothing_refused();
}

/// Killed at twenty random points under load: no message is lost, no object is there twice, nothing hangs.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_random_points() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    setup.register().await;
    setup.indexer.delay.store(15, Ordering::Relaxed);
    let mut works = Vec::new();
    for number in 0..120 {
        let network = if number % 4 == 0 { FOUND } else { "203.0.113." };
        works.extend(setup.ask(&format!("{network}{number}"), &Enrich::auto()).await);
    }
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..20 {
        let mut service = setup.start();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        tokio::time::sleep(Duration::from_millis(40 + random % 200)).await;
        service.0.kill().unwrap();
        service.0.wait().unwrap();
    }
    let service = setup.started().await;
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    let failed: Vec<StoredWork> =
        works.iter().map(|work| setup.work(work)).filter(|work| !work.errors.is_empty()).collect();
    assert_eq!(failed, []);
    // Two systems saw each of the thirty addresses.
    assert_eq!(setup.stand_in.objects("sighting").len(), 60);
    setup.stand_in.assert_nothing_refused();
}

/// What is under way when it is asked to stop ends, or goes back to the queue.
#[tokio::test(flavor = "multi_thread")]
async fn stopped_under_load() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    setup.register().await;
    setup.indexer.delay.store(50, Ordering::Relaxed);
    let mut works = Vec::new();
    for number in 0..60 {
        works.extend(setup.ask(&format!("203.0.113.{number}"), &Enrich::auto()).await);
    }
    let service = setup.started().await;
    assert_eq!(service.stop().await, Some(0));
    // Nothing is left half done: a work was not begun, or it is done.
    for work in &works {
        let work = setup.work(work);
        assert!(work.steps.is_empty() || work.ended, "{work:?}");
    }
    let service = setup.started().await;
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    assert!(works.iter().all(|work| setup.work(work).steps.iter().filter(|step| *step == "processed").count() == 1));
}

/// Acceptance 2: a refused token ends it with code 1 and a line that does not hold the token.
#[tokio::test(flavor = "multi_thread")]
async fn a2_a_refused_token() {
    let setup = Setup::new(None).await;
    setup.stand_in.faults().always(Fault::error("AUTH_REQUIRED", "You must be logged in to do this."));
    for arguments in [&["run"][..], &["--once", "x"], &["dry-run", "x"]] {
        let output = setup.run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("OpenCTI refused the token (AUTH_REQUIRED)"), "{text}");
        assert!(!text.contains(setup.stand_in.token()) && !text.contains("hunter2"), "{text}");
    }
}

/// A platform that is not there yet is waited for, with one line per try and never in a crash loop.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_comes_later() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    setup.stand_in.stop().await;
    let health = || {
        let output = setup.run(&["health"]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = health();
    assert!(code == Some(1) && text.contains("does not answer"), "{text}");
    let service = setup.start();
    setup.until("the endpoint answers", async || setup.get("/health").await.contains("not registered")).await;
    let (code, text) = health();
    assert!(code == Some(1) && text.contains("not registered at OpenCTI"), "{text}");
    setup.stand_in.resume().await;
    setup.until("the service is healthy", async || setup.get("/health").await.contains("200 OK")).await;
    assert_eq!(health().0, Some(0));
    assert_eq!(service.stop().await, Some(0));
}

/// One line for each part, and code 0 or 1.
#[tokio::test(flavor = "multi_thread")]
async fn check_looks_at_every_part() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    let check = |setup: &Setup| {
        let output = setup.run(&["check"]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = check(&setup);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "ok       configuration    complete",
        "ok       OpenCTI          version 7.260817.0",
        "ok       registration",
        "ok       broker           127.0.0.1:",
        "ok       indexer          version 2.19.1",
        "ok       alerts           2 in wazuh-alerts-*",
        "ok       fields           7 of ",
        "ok       searches         several in one request, and page by page",
        "ok       vulnerabilities  2 in",
    ] {
        assert!(text.lines().any(|other| other.starts_with(line)), "{line}\n{text}");
    }
    assert!(!text.contains(setup.stand_in.token()) && !text.contains("hunter2"));
    setup.stand_in.assert_nothing_refused();
    // A role that may count, and not search as the service does.
    let refused = Trouble::Status("403 Forbidden", "application/json", r#"{"error":{"reason":"no permissions"}}"#);
    setup.indexer.trouble.lock().unwrap().push_back(refused);
    let (code, text) = check(&setup);
    assert!(code == Some(1) && text.contains("error    searches"), "{text}");
    // Parts that fail cost themselves only.
    setup.indexer.busy.store(1, Ordering::Relaxed);
    let (code, text) = check(&setup);
    assert!(code == Some(1) && text.contains("error    indexer") && text.contains("ok       broker"), "{text}");
    setup.stand_in.faults().always(Fault::error("AUTH_REQUIRED", "You must be logged in to do this."));
    let (code, text) = check(&setup);
    assert!(code == Some(1) && text.contains("error    OpenCTI") && text.contains("ok       alerts"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_sends_nothing() {
    let setup = Setup::new(None).await;
    let id = setup.stand_in.insert(Ipv4Addr::new(format!("{FOUND}7"))).to_string();
    let output = setup.run(&["dry-run", &id]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let bundle: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bundle["type"], "bundle");
    assert!(text.contains("was seen 2 times on 2 systems"), "{text}");
    assert_eq!((setup.stand_in.imported(), setup.stand_in.connectors().len()), (0, 0));
    let output = setup.run(&["dry-run", "ipv4-addr--0198f97b-e65d-5025-87e5-58bc39d4bdb4"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the entity was not found"));
    setup.stand_in.assert_nothing_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn once_for_one_entity() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    let id = setup.stand_in.insert(Ipv4Addr::new(format!("{FOUND}7"))).to_string();
    let output = setup.run(&["--once", &id]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    setup.until("the result is imported", async || setup.stand_in.objects("sighting").len() == 2).await;
    let works = setup.stand_in.works();
    assert_eq!(works.len(), 1);
    setup.complete(&works.into_keys().collect::<Vec<_>>()).await;
    setup.stand_in.assert_nothing_refused();
}
