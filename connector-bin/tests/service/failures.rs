//! What breaks under way: the broker, its connections, the indexer, the platform's token, certificates, the disk. No
//! message is lost, no object is there twice, nothing hangs.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opencti_client::testing::{Enrich, Fault, StandIn};
use stix_model::sco::Ipv4Addr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::indexer::{FOUND, Indexer, Trouble};
use crate::{Setup, broker, fresh};

impl Setup {
    /// Asks for so many addresses, of which every fourth is found.
    async fn ask_for(&self, count: usize) -> Vec<String> {
        let mut works = Vec::new();
        for number in 0..count {
            let network = if number % 4 == 0 { FOUND } else { "203.0.113." };
            works.extend(self.ask(&format!("{network}{number}"), &Enrich::auto()).await);
        }
        works
    }

    /// Every work ended well, once, and every address that is found has its two sightings.
    fn nothing_lost_and_nothing_twice(&self, works: &[String]) {
        for work in works {
            let work = self.work(work);
            let ends = work.steps.iter().filter(|step| step.starts_with("processed")).count();
            assert!(work.errors.is_empty() && ends == 1, "{work:?}");
        }
        let sightings = self.stand_in.objects("sighting");
        assert_eq!(sightings.len(), works.len().div_ceil(4) * 2);
        assert!(sightings.iter().all(|sighting| sighting["count"] == 1), "{sightings:#?}");
        self.stand_in.assert_nothing_refused();
    }
}

/// A wire to the broker that can be cut.
async fn wire(to: u16, cuts: watch::Receiver<u64>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut cuts = cuts.clone();
            tokio::spawn(async move {
                let Ok(mut broker) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                cuts.borrow_and_update();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut broker) => {}
                    _ = cuts.changed() => {}
                }
            });
        }
    });
    port
}

fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|rest| rest.split('/').next()).and_then(|port| port.parse().ok()).unwrap()
}

/// The connections to the broker are cut again and again while messages are worked on and bundles are sent.
#[tokio::test(flavor = "multi_thread")]
async fn connections_to_the_broker_are_cut() {
    let Some(broker) = broker() else { return };
    let mut setup = Setup::new(Some(&broker)).await;
    let (cut, cuts) = watch::channel(0);
    let port = wire(port_of(&broker), cuts).await;
    setup.more.push(("MQ_PORT", port.to_string()));
    setup.register().await;
    setup.indexer.delay.store(40, Ordering::Relaxed);
    let works = setup.ask_for(80).await;
    let service = setup.started().await;
    for number in 0..8 {
        tokio::time::sleep(Duration::from_millis(60 + number * 23 % 90)).await;
        cut.send_modify(|cuts| *cuts += 1);
    }
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    setup.nothing_lost_and_nothing_twice(&works);
}

/// A broker of the test's own.
struct OwnBroker {
    script: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl OwnBroker {
    fn run(&self, command: &str) -> Option<i32> {
        let mut script = Command::new(&self.script);
        script.arg(command).env("RABBITMQ_RUN_DIR", self.folder.path()).env("RABBITMQ_PORT", self.port.to_string());
        script.env("RABBITMQ_KEEP_DATA", "1").stdout(Stdio::null()).status().unwrap().code()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.run("stop");
    }
}

/// The broker ends without a word while messages are worked on, and comes again.
#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_restarted() {
    if broker().is_none() {
        return;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/dev/rabbitmq.sh");
    let folder =
        tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    // The node's own port stands beside the broker's.
    let port = (26_000..30_000).find(|port| is_free(*port) && is_free(port + 5_000)).unwrap();
    let own = Arc::new(OwnBroker { script, folder, port });
    let run = async |command: &'static str| {
        let own = own.clone();
        tokio::task::spawn_blocking(move || own.run(command)).await.unwrap()
    };
    let started = run("start").await;
    if started == Some(3) {
        eprintln!("skipped: there is no RabbitMQ on this machine");
        return;
    }
    assert_eq!(started, Some(0));
    let setup = Setup::new(Some(&format!("amqp://opencti:opencti@127.0.0.1:{port}"))).await;
    setup.register().await;
    setup.indexer.delay.store(100, Ordering::Relaxed);
    let works = setup.ask_for(60).await;
    let service = setup.started().await;
    setup.until("some works are done", async || works.iter().filter(|work| setup.work(work).ended).count() > 8).await;
    assert_eq!(run("kill").await, Some(0));
    setup.until("it is told", async || setup.get("/health").await.contains("503")).await;
    assert_eq!(run("start").await, Some(0));
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    setup.nothing_lost_and_nothing_twice(&works);
}

/// 429, 503, a page in HTML, half an answer, no answer in time, a cut connection.
#[tokio::test(flavor = "multi_thread")]
async fn the_indexer_is_in_trouble() {
    let Some(broker) = broker() else { return };
    let mut setup = Setup::new(Some(&broker)).await;
    setup.more.push(("WAZUH_OPENSEARCH_TIMEOUT", "1 second".to_owned()));
    setup.register().await;
    let works = setup.ask_for(16).await;
    setup.indexer.trouble.lock().unwrap().extend([
        Trouble::Status("429 Too Many Requests", "application/json", r#"{"error":{"type":"rejected_execution"}}"#),
        Trouble::Status("503 Service Unavailable", "text/plain", "OpenSearch Security not initialized."),
        Trouble::Status("200 OK", "text/html", "<!DOCTYPE html><html><title>Sign in</title></html>"),
        Trouble::Status("502 Bad Gateway", "text/html", "<html>bad gateway</html>"),
        Trouble::Late(Duration::from_millis(1_500)),
        Trouble::Half,
        Trouble::Cut,
        Trouble::Status("401 Unauthorized", "text/plain", "Unauthorized"),
        Trouble::EachBusy,
    ]);
    let service = setup.started().await;
    setup.complete(&works).await;
    assert!(setup.indexer.trouble.lock().unwrap().is_empty());
    assert_eq!(service.stop().await, Some(0));
    setup.nothing_lost_and_nothing_twice(&works);
}

/// What some shards do not tell is no reason to stop: counts are said to be at least what they are.
#[tokio::test(flavor = "multi_thread")]
async fn some_shards_fail() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    setup.register().await;
    let work = setup.ask(&format!("{FOUND}7"), &Enrich::auto()).await.unwrap();
    setup.indexer.trouble.lock().unwrap().push_back(Trouble::Shards);
    let service = setup.started().await;
    setup.complete(std::slice::from_ref(&work)).await;
    assert_eq!(service.stop().await, Some(0));
    let work = setup.work(&work);
    assert!(work.errors.is_empty() && work.messages.iter().any(|text| text.contains("at least 2 times")), "{work:?}");
    let notes = setup.stand_in.objects("note");
    let told = |note: &serde_json::Value| note["content"].as_str().is_some_and(|text| text.contains("too busy"));
    assert!(notes.iter().any(told), "{notes:#?}");
}

/// The platform answers 200 with errors, and refuses the token for a while: nothing ends, nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_refused_for_a_while() {
    let Some(broker) = broker() else { return };
    let setup = Setup::new(Some(&broker)).await;
    setup.register().await;
    setup.indexer.delay.store(30, Ordering::Relaxed);
    let works = setup.ask_for(40).await;
    let mut service = setup.started().await;
    for fault in [
        Fault::error("AUTH_REQUIRED", "You must be logged in to do this."),
        Fault::error("DATABASE_ERROR", "no shard"),
        Fault::Status(503, "starting".to_owned()),
    ] {
        setup.stand_in.faults().always(fault);
        tokio::time::sleep(Duration::from_millis(700)).await;
        setup.stand_in.faults().clear();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(service.0.try_wait().unwrap().is_none());
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    setup.nothing_lost_and_nothing_twice(&works);
}

/// A platform that refuses connections is told in one line by whoever does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_not_there() {
    let setup = Setup::new(None).await;
    setup.stand_in.stop().await;
    for arguments in [&["check"][..], &["dry-run", "x"], &["--once", "x"], &["self-test", "--write"]] {
        let output = setup.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let line = text.lines().find(|line| line.contains("127.0.0.1") && line.contains("refused"));
        assert!(line.is_some() && !text.contains(setup.stand_in.token()), "{arguments:?}: {text}");
    }
}

/// A certificate that nobody vouches for: one clear line, nothing is sent there, and with the authority it works.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_not_trusted() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let identity = opencti_client::tls::TlsIdentity {
        certificates: certificate.clone().into_bytes(),
        key: made.signing_key.serialize_pem().into(),
    };
    let stand_in = StandIn::builder().tls(identity).start().await;
    let mut setup = Setup::around(stand_in, Indexer::start().await, fresh());
    let id = setup.stand_in.insert(Ipv4Addr::new(format!("{FOUND}7"))).to_string();
    let output = setup.run(&["dry-run", &id]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && text.contains("certificate"), "{text}");
    let output = setup.run(&["check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1), "{text}");
    let line = text.lines().find(|line| line.starts_with("error    OpenCTI")).unwrap();
    assert!(line.contains("certificate") && !text.contains(setup.stand_in.token()), "{text}");
    assert!(setup.stand_in.requests().is_empty());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, certificate).unwrap();
    setup.more.push(("HTTPS_CA_CERTIFICATES", path.display().to_string()));
    let output = setup.run(&["dry-run", &id]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The disk with the copies of bundles is full: nothing is sent without its copy, and once there is room all of it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    let Some(broker) = broker() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    // A disk of its own for the process, in a name space of its own, filled and after a while emptied.
    let script = format!(
        "mount -t tmpfs -o size=64k none '{0}' || exit 99; head -c 65536 /dev/zero >'{0}/full' 2>/dev/null; \
         (sleep 3; rm -f '{0}/full') & exec \"$0\" \"$@\"",
        disk.display()
    );
    let wrapped = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, program]);
        command
    };
    let possible = wrapped("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no name spaces");
        return;
    }
    let mut setup = Setup::new(Some(&broker)).await;
    setup.register().await;
    setup.more.push(("CONNECTOR_SEND_TO_DIRECTORY", "true".to_owned()));
    setup.more.push(("CONNECTOR_SEND_TO_DIRECTORY_PATH", disk.display().to_string()));
    let works = setup.ask_for(4).await;
    let began = std::time::Instant::now();
    let service = setup.started_by(wrapped).await;
    setup
        .until("works that found nothing are done", async || {
            works.iter().filter(|work| setup.work(work).ended).count() == 3
        })
        .await;
    if began.elapsed() < Duration::from_millis(2_500) {
        assert!(setup.stand_in.objects("sighting").is_empty());
    }
    setup.complete(&works).await;
    assert_eq!(service.stop().await, Some(0));
    setup.nothing_lost_and_nothing_twice(&works);
}
