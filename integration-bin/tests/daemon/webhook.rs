//! The HTTP endpoint for monitors of Wazuh 5.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::support::*;

const KNOWN: &str = "203.0.113.7";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Endpoint {
    manager: Manager,
    address: String,
    _resident: Resident,
}

fn endpoint() -> Endpoint {
    endpoint_with(Manager::new(), &json!({}))
}

/// One with further settings of the endpoint.
fn endpoint_with(manager: Manager, further: &Value) -> Endpoint {
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    let token = manager.write("hook.token", &format!("{TOKEN}\n"));
    let mut webhook = json!({ "listen": "127.0.0.1:0", "token_file": token, "largest_kilobytes": 64 });
    webhook.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    manager.options(&json!({ "intel": [intel], "daemon": {
        "follow": false, "repeat_minutes": 0, "webhook": webhook,
    }}));
    let resident = manager.resident(&[]);
    manager.wait_for_log("alerts are taken at http");
    let log = manager.log();
    let address =
        log.split("taken at ").nth(1).unwrap().split("://").nth(1).unwrap().lines().next().unwrap().to_owned();
    Endpoint { manager, address, _resident: resident }
}

impl Endpoint {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream
    }

    /// Status and body.
    fn send(&self, request: &str) -> (u16, Value) {
        Self::exchange(self.connect(), request)
    }

    fn exchange(mut stream: impl Read + Write, request: &str) -> (u16, Value) {
        // A server that has heard enough may answer before everything is sent.
        let _cut = stream.write_all(request.as_bytes());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }

    fn post(&self, body: &str) -> (u16, Value) {
        self.send(&posted(body))
    }
}

fn posted(body: &str) -> String {
    format!(
        "POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn what_a_monitor_sends_is_looked_up() {
    let endpoint = endpoint();
    let hit = |id: &str, address: &str| {
        json!({ "_index": ".ds-wazuh-findings-v5-security-000001", "_id": id, "_source": {
            "@timestamp": "2026-03-14T02:10:00Z", "source": { "ip": address },
            "wazuh": { "agent": { "id": "0a08", "name": "web01" }, "rule": { "id": "8014", "title": "x" } },
        }})
    };
    let hits = json!({ "hits": { "hits": [hit("f1", KNOWN), hit("f2", "198.51.100.1"), hit("f3", KNOWN)] } });
    assert_eq!(endpoint.post(&hits.to_string()), (200, json!({ "alerts": 3, "matched": 2, "unreadable": 0 })));
    // They were raised when the answer came.
    let events = endpoint.manager.events();
    assert_eq!(events.iter().map(source).collect::<Vec<_>>(), ["f1", "f3"]);
    // Sent again, they are not raised again.
    assert_eq!(endpoint.post(&hits.to_string()).0, 200);
    assert!(endpoint.manager.events().is_empty());
    let lines = format!("{}\n{}\n{{}}\n", alert(1, "001", KNOWN), alert(2, "001", "198.51.100.2"));
    assert_eq!(endpoint.post(&lines), (200, json!({ "alerts": 3, "matched": 1, "unreadable": 1 })));
    assert_eq!(endpoint.manager.events().len(), 1);
}

#[test]
fn everybody_else_is_refused() {
    let endpoint = endpoint();
    let body = alert(1, "001", KNOWN);
    let length = body.len();
    let bearer = format!("authorization: Bearer {TOKEN}");
    for (request, status) in [
        (format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}"), 401),
        (format!("POST / HTTP/1.1\r\nauthorization: Bearer x\r\ncontent-length: {length}\r\n\r\n{body}"), 401),
        (format!("GET / HTTP/1.1\r\n{bearer}\r\n\r\n"), 405),
        (format!("POST / HTTP/1.1\r\n{bearer}\r\n\r\n"), 411),
        (format!("POST / HTTP/1.1\r\n{bearer}\r\ntransfer-encoding: chunked\r\n\r\n"), 411),
        (format!("POST / HTTP/1.1\r\n{bearer}\r\ncontent-length: 999999999\r\n\r\n"), 413),
        (format!("POST / HTTP/1.1\r\n{bearer}\r\ncontent-length: 3\r\n\r\n[1]"), 400),
        (format!("POST / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(40_000)), 431),
        ("\r\n\r\n".to_owned(), 401),
    ] {
        assert_eq!(endpoint.send(&request).0, status, "{}", &request[..request.len().min(200)]);
    }
    assert!(endpoint.manager.events().is_empty());
    assert_eq!(endpoint.post(&body).0, 200);
    assert_eq!(endpoint.manager.events().len(), 1);
    assert!(!endpoint.manager.log().contains(TOKEN));
}

#[test]
fn with_a_certificate_it_speaks_tls() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let manager = Manager::new();
    let (pem, secret) =
        (manager.write("hook.pem", &certificate.pem()), manager.write("hook.key", &key.serialize_pem()));
    let endpoint = endpoint_with(manager, &json!({ "certificate": pem, "key_file": secret }));
    assert!(endpoint.manager.log().contains("taken at https://"), "{}", endpoint.manager.log());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let connect = || {
        let connection = ClientConnection::new(config.clone(), ServerName::try_from("localhost").unwrap()).unwrap();
        StreamOwned::new(connection, endpoint.connect())
    };
    let body = alert(1, "001", KNOWN);
    let answered = Endpoint::exchange(connect(), &posted(&body));
    assert_eq!(answered, (200, json!({ "alerts": 1, "matched": 1, "unreadable": 0 })));
    assert_eq!(endpoint.manager.events().len(), 1);
    assert_eq!(Endpoint::exchange(connect(), "GET / HTTP/1.1\r\n\r\n").0, 401);
    // What is not encrypted is no request, and costs nobody else anything.
    let mut plain = endpoint.connect();
    plain.write_all(posted(&body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _cut = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(Endpoint::exchange(connect(), &posted(&body)).0, 200);
}

#[test]
fn a_certificate_that_cannot_be_used_is_a_mistake() {
    let manager = Manager::new();
    let token = manager.write("hook.token", TOKEN);
    let file = manager.write("hook.pem", "no certificate");
    let webhook = json!({ "listen": "127.0.0.1:0", "token_file": token });
    for (further, wanted) in [
        (json!({ "certificate": file }), "belong together"),
        (json!({ "certificate": file, "key_file": file }), "`daemon.webhook.certificate`: "),
        (json!({ "certificate": file, "key_file": "/nowhere/key" }), "/nowhere/key: "),
    ] {
        let mut webhook = webhook.clone();
        webhook.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        manager.options(&json!({ "intel": [file], "daemon": { "follow": false, "webhook": webhook } }));
        assert!(!manager.run_daemon().success());
        assert!(manager.log().contains(wanted), "{}", manager.log());
    }
}
