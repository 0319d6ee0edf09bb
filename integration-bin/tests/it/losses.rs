//! What must not be lost: full queues, full disks, processes that are killed, certificates that nobody vouches for.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opencti_client::testing::StandIn;
use opencti_client::tls::TlsIdentity;
use serde_json::json;

use crate::faults::{server, waiting};
use crate::{ALERT, KEY, Manager, code, indicator};

/// Nobody listens at this port.
const NOBODY: &str = "http://127.0.0.1:9";

fn with_intel(manager: &Manager) {
    let intel = manager.write("intel.json", &json!([indicator(1, "[ipv4-addr:value = '203.0.113.7']")]).to_string());
    manager.options(&json!({ "intel": [intel], "timeout": 1 }));
}

#[test]
fn answers_that_are_none_keep_the_alert() {
    let error = concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 87\r\nconnection: close\r\n\r\n",
        r#"{"errors":[{"message":"no","extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":null}"#
    );
    let unknown = concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 80\r\nconnection: close\r\n\r\n",
        r#"{"errors":[{"message":"no","extensions":{"code":"SOMETHING_NEW!"}}],"data":null}"#
    );
    let html =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\nconnection: close\r\n\r\n<html>hi</html>";
    let noise = "SSH-2.0-OpenSSH_9.2\r\n";
    for answer in [error, unknown, html, noise] {
        let manager = Manager::new();
        let url = server(Some(answer));
        let file = manager.write("x.alert", ALERT);
        let output = manager.run_with(&[file.to_str().unwrap(), KEY, &url, "", "", "2", "0"]);
        assert!(matches!(code(&output), 0 | 4), "{answer}: {output:?}");
        assert_eq!(waiting(&manager), 1, "{answer}: {}", manager.log());
        assert!(manager.log().contains("the alert waits"), "{}", manager.log());
        let events = manager.events();
        assert_eq!(events.len(), 1, "{answer}");
        assert_eq!(events[0]["opencti"]["event_type"], "error");
        // A failure of the run is told where the integrator looks for it.
        assert_eq!(code(&output) == 0, output.stderr.is_empty(), "{output:?}");
    }
}

/// Options with a mistake keep the alert until they have none.
#[test]
fn a_mistake_in_the_options_costs_no_alert() {
    let manager = Manager::new();
    manager.write("etc/custom-opencti.json", "{\"intel\":");
    assert_eq!(code(&manager.run(ALERT, "")), 2);
    assert_eq!(waiting(&manager), 1);
    with_intel(&manager);
    assert_eq!(code(&manager.run(ALERT, "")), 0);
    assert_eq!(manager.events().len(), 2, "{}", manager.log());
}

#[test]
fn a_queue_that_is_full_or_nobody_reads_from() {
    let mut manager = Manager::new();
    with_intel(&manager);
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    filler.connect(manager.path("queue/sockets/queue")).unwrap();
    while filler.send(b"1:x:{}").is_ok() {}
    let file = manager.write("x.alert", ALERT);
    let arguments = [file.to_str().unwrap(), "", "", "", "", "1", "0"];
    let started = Instant::now();
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(waiting(&manager), 1);
    assert!(manager.log().contains("stayed full"), "{}", manager.log());
    // The manager ends, and leaves the file of its socket behind.
    manager.received();
    manager.socket = None;
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    std::fs::remove_file(manager.path("queue/sockets/queue")).unwrap();
    manager.socket = Some(manager.bind());
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert_eq!(manager.events().len(), 3, "{}", manager.log());
}

/// A stream socket refuses a datagram, as one refuses that may not be written.
#[test]
fn a_queue_that_refuses_costs_no_alert_that_waits() {
    let mut manager = Manager::without_socket();
    with_intel(&manager);
    let refusing = std::os::unix::net::UnixListener::bind(manager.path("queue/sockets/queue")).unwrap();
    assert_eq!(code(&manager.run(ALERT, "")), 5);
    assert_eq!(waiting(&manager), 1);
    // One about which nothing is known gets through without the queue.
    let other = ALERT.replace("203.0.113.7", "203.0.113.8");
    assert_eq!(code(&manager.run(&other, "")), 0);
    assert_eq!(waiting(&manager), 1, "{}", manager.log());
    drop(refusing);
    std::fs::remove_file(manager.path("queue/sockets/queue")).unwrap();
    manager.socket = Some(manager.bind());
    assert_eq!(code(&manager.run(&other, "")), 0);
    assert_eq!((manager.events().len(), waiting(&manager)), (1, 0), "{}", manager.log());
}

/// The platform has no answer to the question about one alert, which goes behind the others and is given up in the end.
#[test]
fn one_alert_without_an_answer_does_not_stop_the_others() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stand_in = runtime.block_on(StandIn::builder().start());
    stand_in.insert(
        serde_json::from_value::<stix_model::Object>(indicator(1, "[ipv4-addr:value = '203.0.113.7']")).unwrap(),
    );
    let url = crate::choosy::choosy(&stand_in.url(), "203.0.113.66");
    let manager = Manager::new();
    let run = |id: &str, address: &str, url: &str| {
        let alert = ALERT.replace("1773480413.1", id).replace("203.0.113.7", address);
        let file = manager.write("x.alert", &alert);
        code(&manager.run_with(&[file.to_str().unwrap(), stand_in.token(), url, "", "", "5", "0"]))
    };
    assert_eq!(run("bad", "203.0.113.66", &url), 0);
    assert_eq!(run("waits", "203.0.113.7", NOBODY), 0);
    manager.received();
    // The one that waits behind it comes along with the next one that gets through.
    assert_eq!(run("1", "203.0.113.7", &url), 0);
    let raised: Vec<_> = manager.events().iter().map(|event| event["opencti"]["source"]["alert_id"].clone()).collect();
    assert_eq!(raised, ["1", "waits"], "{}", manager.log());
    for number in 2..=9 {
        assert_eq!(waiting(&manager), 1, "{number}: {}", manager.log());
        assert_eq!(run(&number.to_string(), "203.0.113.7", &url), 0);
        assert_eq!(manager.events().len(), 1);
    }
    assert_eq!(run("10", "203.0.113.7", &url), 0);
    assert_eq!(waiting(&manager), 0, "{}", manager.log());
    let events = manager.events();
    assert_eq!(events.last().unwrap()["opencti"]["lost"], "1", "{events:#?}");
    assert!(manager.log().contains("1 failed each time"), "{}", manager.log());
}

#[test]
fn the_oldest_goes_first_and_somebody_hears_of_it() {
    let manager = Manager::new();
    manager.options(&json!({ "spool_megabytes": 1, "spool_hours": 1 }));
    let file = manager.path("x.alert");
    let padding = "x".repeat(400_000);
    for number in 0..4 {
        let alert = ALERT.replace("\"kim\"", &format!("\"{number}{padding}\""));
        std::fs::write(&file, alert).unwrap();
        assert_eq!(code(&manager.run_with(&[file.to_str().unwrap(), KEY, NOBODY, "", "", "2", "0"])), 0);
    }
    let lines = manager.log().matches("alerts that waited are lost: 1 because too much waited").count();
    let events = manager.events();
    let lost = events.iter().filter(|event| event["opencti"]["lost"] == "1").count();
    assert_eq!((lines, lost), (2, 2), "{}", manager.log());
}

/// The program with a limit of this many blocks for every file that it writes, which is what a full disk looks like.
fn limited(manager: &Manager, blocks: u32, arguments: &[&str]) -> std::process::Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("WAZUH_HOME", manager.folder.path());
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_custom-opencti")]).args(arguments).output().unwrap()
}

#[test]
fn a_disk_that_is_full_is_told_and_damages_nothing() {
    let manager = Manager::new();
    let file = manager.write("x.alert", ALERT);
    let arguments = [file.to_str().unwrap(), KEY, NOBODY, "", "", "2", "0"];
    let output = limited(&manager, 0, &arguments);
    assert_eq!(code(&output), 4, "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("could not be kept") && !told.contains(KEY), "{told}");
    let events = manager.events();
    assert_eq!(events.len(), 1, "the manager hears of it");
    // There is room for some alerts and a part of another one, which must not stay.
    let codes: Vec<i32> = (0..5).map(|_| code(&limited(&manager, 2, &arguments))).collect();
    assert!(codes.contains(&0) && codes.ends_with(&[4]), "{codes:?}");
    let kept = codes.iter().filter(|code| **code == 0).count();
    manager.received();
    with_intel(&manager);
    assert_eq!(code(&manager.run(ALERT, "")), 0);
    assert_eq!(manager.events().len(), kept + 1, "{}", manager.log());
    assert!(!manager.log().contains("are lost"), "{}", manager.log());
}

/// What a process said it had kept is there, whatever became of others.
#[test]
fn processes_killed_while_they_keep_alerts() {
    let mut manager = Manager::without_socket();
    let mut kept = BTreeSet::new();
    let mut random = 0x2545_f491_u64;
    for number in 0..60 {
        let id = format!("1773480413.{number}");
        let file = manager.write(&format!("{number}.alert"), &ALERT.replace("1773480413.1", &id));
        let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
        command.env_clear().env("WAZUH_HOME", manager.folder.path()).stderr(Stdio::null());
        let mut process = command.args([file.to_str().unwrap(), KEY, NOBODY, "", "", "1", "0"]).spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((random >> 33) % 300_000));
        // One that has ended already cannot be killed.
        let _ended = process.kill();
        if process.wait().unwrap().success() {
            kept.insert(id);
        }
    }
    with_intel(&manager);
    manager.socket = Some(manager.bind());
    let mut raised = Vec::new();
    for _ in 0..60 {
        assert_eq!(code(&manager.run(&ALERT.replace("1773480413.1", "last"), "")), 0);
        for event in manager.events() {
            raised.push(event["opencti"]["source"]["alert_id"].as_str().unwrap_or_default().to_owned());
        }
        if waiting(&manager) == 0 {
            break;
        }
    }
    assert_eq!(waiting(&manager), 0, "{}", manager.log());
    let all: BTreeSet<String> = raised.iter().cloned().collect();
    assert!(kept.is_subset(&all), "{:?}", kept.difference(&all).collect::<Vec<_>>());
    assert!(raised.iter().filter(|id| *id != "last").count() <= 60, "some were raised twice: {raised:?}");
}

#[test]
fn files_that_are_too_much() {
    let manager = Manager::new();
    with_intel(&manager);
    let huge = manager.path("huge.alert");
    std::fs::File::create(&huge).unwrap().set_len(20 << 20).unwrap();
    let deep = manager.write("deep.alert", &format!("{{\"rule\":{}", "[".repeat(500_000)));
    for (path, wanted) in [(&huge, 7), (&deep, 7), (&manager.path("queue"), 6)] {
        let output = manager.run_with(&[path.to_str().unwrap(), "", ""]);
        assert_eq!(code(&output), wanted, "{}: {output:?}", path.display());
        assert!(!output.stderr.is_empty() && !manager.log().is_empty());
    }
    assert_eq!(waiting(&manager), 0);
    let large = ALERT.replace("kim", &"k".repeat(5 << 20));
    assert_eq!(code(&manager.run(&large, "")), 0);
    let received = manager.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].len() < 32_768, "{} bytes", received[0].len());
}

#[test]
fn a_private_authority() {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let identity = TlsIdentity { certificates: certificate.pem().into_bytes(), key: key.serialize_pem().into() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stand_in = runtime.block_on(async {
        let stand_in = StandIn::builder().tls(identity).start().await;
        let known: stix_model::Object =
            serde_json::from_value(indicator(1, "[ipv4-addr:value = '203.0.113.7']")).unwrap();
        stand_in.insert(known);
        stand_in
    });
    let manager = Manager::new();
    let file = manager.write("x.alert", ALERT);
    let arguments = [file.to_str().unwrap(), stand_in.token(), &stand_in.url(), "", "", "5", "0"];
    let output = manager.run_with(&arguments);
    assert!(matches!(code(&output), 0 | 4), "{output:?}");
    assert!(manager.log().contains("certificate"), "{}", manager.log());
    assert_eq!((waiting(&manager), manager.events().len()), (1, 1));
    let ca = manager.write("ca.pem", &authority.pem());
    manager.options(&json!({ "ca": ca }));
    let output = manager.run_with(&arguments);
    assert_eq!(code(&output), 0, "{}", manager.log());
    assert_eq!(manager.events().len(), 2, "the one that waited, too");
    manager.options(&json!({ "ssl_verify": false }));
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert_eq!(manager.events().len(), 1);
    assert!(!manager.log().contains(stand_in.token()));
}
