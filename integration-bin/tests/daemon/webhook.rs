//! The HTTP endpoint for monitors of Wazuh 5.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

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
    let manager = Manager::new();
    let intel = manager.write("intel.json", &json!([of_address(1, KNOWN)]).to_string());
    let token = manager.write("hook.token", &format!("{TOKEN}\n"));
    manager.options(&json!({ "intel": [intel], "daemon": {
        "follow": false, "repeat_minutes": 0,
        "webhook": { "listen": "127.0.0.1:0", "token_file": token, "largest_kilobytes": 64 },
    }}));
    let resident = manager.resident(&[]);
    manager.wait_for_log("alerts are taken at http://");
    let log = manager.log();
    let address = log.split("http://").nth(1).unwrap().lines().next().unwrap().to_owned();
    Endpoint { manager, address, _resident: resident }
}

impl Endpoint {
    /// Status and body.
    fn send(&self, request: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        // A server that has heard enough may answer before everything is sent.
        let _cut = stream.write_all(request.as_bytes());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }

    fn post(&self, body: &str) -> (u16, Value) {
        self.send(&format!(
            "POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
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
