//! The built program, run as Wazuh runs it: a real queue socket in the manager's place, threat intelligence from files or
//! from the strict stand-in of the platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../daemon/choosy.rs"]
mod choosy;
mod faults;
mod lookup;
mod losses;
mod offline;
mod platform;
mod rules;
mod store;
mod tools;

use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

const KEY: &str = "0000dead-beef-4000-8000-00000000c0de";

const ALERT: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1773480413.1","rule":{"id":"5710","level":5,
"description":"sshd: attempt to login","groups":["syslog","sshd"]},"agent":{"id":"001","name":"web01","ip":"10.0.0.15"},
"location":"/var/log/auth.log","data":{"srcip":"203.0.113.7","srcuser":"kim"}}"#;

/// A manager's folder with its queue socket.
struct Manager {
    folder: tempfile::TempDir,
    socket: Option<UnixDatagram>,
}

impl Manager {
    fn new() -> Self {
        let manager = Self::without_socket();
        Self { socket: Some(manager.bind()), ..manager }
    }

    fn without_socket() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for place in ["queue/sockets", "logs", "etc", "integrations"] {
            std::fs::create_dir_all(folder.path().join(place)).unwrap();
        }
        Self { folder, socket: None }
    }

    fn bind(&self) -> UnixDatagram {
        let socket = UnixDatagram::bind(self.path("queue/sockets/queue")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        socket
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    }

    fn options(&self, options: &Value) {
        self.write("etc/custom-opencti.json", &options.to_string());
    }

    /// Runs the program as the integrator of Wazuh 4.8 and later does.
    fn run(&self, alert: &str, url: &str) -> Output {
        let file = self.write("x.alert", &format!("{alert}\n"));
        self.run_with(&[file.to_str().unwrap(), KEY, url, "", "", "5", "3", "> /dev/null 2>&1"])
    }

    fn run_with(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
        command.env_clear().env("WAZUH_HOME", self.folder.path()).args(arguments).output().unwrap()
    }

    /// What arrived in the queue, oldest first.
    fn received(&self) -> Vec<String> {
        let mut buffer = vec![0; 70_000];
        let mut received = Vec::new();
        while let Some(length) = self.socket.as_ref().and_then(|socket| socket.recv(&mut buffer).ok()) {
            received.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        received
    }

    /// The events that arrived, without what the queue adds.
    fn events(&self) -> Vec<Value> {
        let event = |message: String| serde_json::from_str(&message[message.find('{').unwrap()..]).unwrap();
        self.received().into_iter().map(event).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("logs/integrations.log")).unwrap_or_default()
    }
}

fn indicator(number: u8, pattern: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--8752eb5f-8b58-419e-8f40-1087{number:08}"),
        "name": format!("indicator {number}"), "pattern": pattern, "pattern_type": "stix",
        "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z", "valid_from": "2026-03-01T00:00:00Z",
    })
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal"))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data")
}
