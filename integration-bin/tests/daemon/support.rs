//! A manager's folder, and a resident program.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What does not happen within this time does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) struct Manager {
    folder: tempfile::TempDir,
    pub(crate) socket: Option<UnixDatagram>,
}

impl Manager {
    pub(crate) fn new() -> Self {
        let manager = Self::without_socket();
        Self { socket: Some(manager.bind()), ..manager }
    }

    pub(crate) fn without_socket() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for place in ["queue/sockets", "logs/alerts", "etc", "integrations"] {
            std::fs::create_dir_all(folder.path().join(place)).unwrap();
        }
        Self { folder, socket: None }
    }

    pub(crate) fn bind(&self) -> UnixDatagram {
        let path = self.path("queue/sockets/queue");
        let _not_there = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        socket
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        // As a whole: a file that is watched is never half of one.
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, &path).unwrap();
        path
    }

    pub(crate) fn options(&self, options: &Value) {
        self.write("etc/custom-opencti.json", &options.to_string());
    }

    /// Adds lines to `alerts.json`.
    pub(crate) fn alerts(&self, alerts: &[String]) {
        let path = self.path("logs/alerts/alerts.json");
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        let lines: String = alerts.iter().flat_map(|alert| [alert.replace('\n', " "), "\n".to_owned()]).collect();
        file.write_all(lines.as_bytes()).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_custom-opencti"));
        command.env_clear().env("WAZUH_HOME", self.folder.path()).args(arguments);
        command
    }

    /// Begins to be resident, and waits until indicators are there.
    pub(crate) fn resident(&self, arguments: &[&str]) -> Resident {
        let before = self.log().matches("resident: ").count();
        let resident = self.begin(arguments);
        wait_for(&format!("a start: {}", self.log()), || {
            (self.log().matches("resident: ").count() > before).then_some(())
        });
        resident
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Resident {
        let out = File::create(self.path("out")).unwrap();
        let mut command = self.command(&["daemon"]);
        let child = command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).spawn().unwrap();
        Resident { child }
    }

    /// Runs to the end of what is there and answers the events on standard output.
    pub(crate) fn once(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments = [&["daemon", "--once", "--from-beginning", "--output", "ndjson"], arguments].concat();
        let output = self.command(&arguments).output().unwrap();
        assert!(output.status.success(), "{output:?} {}", self.log());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs the program for one alert, as the integrator does, with its debug level.
    pub(crate) fn per_alert_debug(&self, alert: &str) -> ExitStatus {
        let file = self.path("x.alert");
        std::fs::write(&file, format!("{alert}\n")).unwrap();
        self.command(&[file.to_str().unwrap(), "", "", "debug", "", "20", "3"]).stderr(Stdio::null()).status().unwrap()
    }

    /// The same, at one of the integrator's levels, and the events that came of it. They are read while
    /// the program runs: a queue holds ten.
    pub(crate) fn events_of(&self, alert: &str, level: &str) -> Vec<Value> {
        let file = self.path("x.alert");
        std::fs::write(&file, format!("{alert}\n")).unwrap();
        let mut command = self.command(&[file.to_str().unwrap(), "", "", level, "", "20", "3"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let socket = self.socket.as_ref().unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut events = Vec::new();
        loop {
            let has_ended = child.try_wait().unwrap().is_some();
            events.extend(self.events());
            if has_ended {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        socket.set_nonblocking(false).unwrap();
        events
    }

    /// What arrived in the queue, oldest first.
    pub(crate) fn received(&self) -> Vec<String> {
        let mut buffer = vec![0; 70_000];
        let mut received = Vec::new();
        while let Some(length) = self.socket.as_ref().and_then(|socket| socket.recv(&mut buffer).ok()) {
            received.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        received
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let event = |message: String| serde_json::from_str(&message[message.find('{').unwrap()..]).unwrap();
        self.received().into_iter().map(event).collect()
    }

    /// Waits for so many events.
    pub(crate) fn wait_for_events(&self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let started = Instant::now();
        while events.len() < count {
            events.extend(self.events());
            assert!(started.elapsed() < PATIENCE, "{count} events did not come, but {events:#?}: {}", self.log());
        }
        events
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("logs/integrations.log")).unwrap_or_default()
    }

    pub(crate) fn wait_for_log(&self, part: &str) {
        let started = Instant::now();
        while !self.log().contains(part) {
            assert!(started.elapsed() < PATIENCE, "`{part}` is not in the log: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether alerts wait.
    pub(crate) fn waits(&self) -> bool {
        let spool = self.path("queue/custom-opencti/spool");
        let ends = |path: &Path| path.extension().is_some_and(|ending| ending == "spool");
        spool.read_dir().is_ok_and(|files| files.into_iter().any(|file| ends(&file.unwrap().path())))
    }
}

/// A program that stays.
pub(crate) struct Resident {
    child: Child,
}

impl Resident {
    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// An alert with an address, of an agent.
pub(crate) fn alert(number: usize, agent: &str, address: &str) -> String {
    json!({
        "timestamp": "2026-03-14T09:26:53.589+0000", "id": format!("1773480413.{number}"),
        "rule": { "id": "5710", "level": 5, "description": "sshd: attempt to login", "groups": ["syslog", "sshd"] },
        "agent": { "id": agent, "name": format!("web{agent}"), "ip": "10.0.0.15" }, "location": "/var/log/auth.log",
        "data": { "srcip": address, "srcuser": "kim" },
    })
    .to_string()
}

pub(crate) fn indicator(number: usize, pattern: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--8752eb5f-8b58-419e-8f40-1087{number:08}"),
        "name": format!("indicator {number}"), "pattern": pattern, "pattern_type": "stix",
        "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z", "valid_from": "2026-03-01T00:00:00Z",
    })
}

pub(crate) fn of_address(number: usize, address: &str) -> Value {
    indicator(number, &format!("[ipv4-addr:value = '{address}']"))
}

/// The alert that an event is about.
pub(crate) fn source(event: &Value) -> &str {
    event["opencti"]["source"]["alert_id"].as_str().or_else(|| event["opencti"]["source"]["id"].as_str()).unwrap_or("")
}

impl Manager {
    /// Runs the program with these arguments.
    pub(crate) fn program(&self, arguments: &[&str]) -> ExitStatus {
        self.command(arguments).stderr(Stdio::null()).status().unwrap()
    }

    /// Runs until it ends by itself.
    pub(crate) fn run_daemon(&self) -> ExitStatus {
        self.command(&["daemon"]).stderr(Stdio::null()).status().unwrap()
    }
}
