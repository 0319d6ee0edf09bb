//! What goes wrong: nothing is lost, and nothing hangs.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::{ALERT, KEY, Manager, code, indicator};

/// A server that answers every request with this, or never.
pub(crate) fn server(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = vec![0; 65_536];
            let _read = stream.read(&mut buffer);
            if let Some(answer) = answer {
                let _written = stream.write_all(answer.as_bytes());
            } else {
                open.push(stream);
            }
        }
    });
    url
}

pub(crate) fn waiting(manager: &Manager) -> usize {
    let spool = manager.path("queue/custom-opencti/spool");
    // It is made when the first alert waits.
    let Ok(files) = spool.read_dir() else { return 0 };
    let files = files.map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "spool")).count()
}

#[test]
fn a_platform_that_is_away_slow_or_lies() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let html =
        "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\nconnection: close\r\n\r\n{\"data\":";
    for url in [nobody, server(None), server(Some(html)), server(Some(half))] {
        let manager = Manager::new();
        let file = manager.write("x.alert", ALERT);
        let started = Instant::now();
        let output = manager.run_with(&[file.to_str().unwrap(), KEY, &url, "", "", "1", "3"]);
        assert!(started.elapsed() < Duration::from_secs(30), "{url}");
        assert_eq!(code(&output), 0, "{output:?}");
        assert_eq!(waiting(&manager), 1, "{}", manager.log());
        let events = manager.events();
        assert_eq!(events.len(), 1, "{}", manager.log());
        assert_eq!(events[0]["opencti"]["event_type"], "error");
        assert!(!manager.log().contains(KEY));
    }
}

#[test]
fn a_manager_that_is_away_gets_the_event_later() {
    let mut manager = Manager::without_socket();
    let intel = manager.write("intel.json", &json!([indicator(1, "[ipv4-addr:value = '203.0.113.7']")]).to_string());
    manager.options(&json!({ "intel": [intel], "timeout": 1 }));
    let file = manager.write("x.alert", ALERT);
    let arguments = [file.to_str().unwrap(), "", ""];
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert_eq!(waiting(&manager), 1);
    manager.socket = Some(manager.bind());
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert_eq!(manager.events().len(), 2, "{}", manager.log());
    assert_eq!(code(&manager.run_with(&arguments)), 0);
    assert_eq!(manager.events().len(), 1, "what waited is raised once");
}

#[test]
fn alerts_that_cannot_be_kept_are_not_passed_over() {
    let manager = Manager::without_socket();
    let intel = manager.write("intel.json", &json!([indicator(1, "[ipv4-addr:value = '203.0.113.7']")]).to_string());
    let no_folder = manager.write("file", "");
    manager.options(&json!({ "intel": [intel], "timeout": 1, "state": no_folder }));
    let output = manager.run(ALERT, "");
    assert_eq!(code(&output), 5);
    assert!(manager.log().contains("could not be kept"), "{}", manager.log());
}

#[test]
fn many_processes_share_the_spool() {
    let manager = Manager::without_socket();
    let intel = manager.write("intel.json", &json!([indicator(1, "[ipv4-addr:value = '203.0.113.7']")]).to_string());
    manager.options(&json!({ "intel": [intel], "timeout": 1 }));
    let file = manager.write("x.alert", ALERT);
    let path = file.to_str().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(code(&manager.run_with(&[path, "", ""])), 0));
        }
    });
    let mut manager = manager;
    manager.socket = Some(manager.bind());
    // A queue of few messages fills up: what does not fit waits for the next run.
    let mut seen = 0;
    for _ in 0..4 {
        assert_eq!(code(&manager.run_with(&[path, "", ""])), 0);
        seen += manager.events().len();
    }
    assert_eq!(seen, 8 + 4, "{}", manager.log());
}
