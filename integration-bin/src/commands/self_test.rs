//! `self-test`: plants an indicator and an alert, and follows the event.
//!
//! The program is started as the integrator starts it, with threat intelligence of its own from a file. The event goes to
//! a socket of the test, or with `--write` to the manager's, where the rules have to raise an alert.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::SelfTestArguments;
use super::alert::home;
use crate::settings::Settings;

/// The value of the indicator and of the alert, from the range for documentation.
const VALUE: &str = "203.0.113.77";
const INDICATOR: &str = "indicator--d4bd1a2c-29a5-4f6c-9a0e-7d5b4f3f1c11";
/// How long the manager may take to raise an alert.
const MANAGER: Duration = Duration::from_secs(15);

type Outcome<T> = Result<T, String>;

pub(super) fn run(arguments: &SelfTestArguments) -> ExitCode {
    match Test::new(arguments).and_then(|test| test.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            say("FAILED", &line);
            ExitCode::FAILURE
        }
    }
}

fn say(word: &str, line: &str) {
    // A reader that has seen enough is no failure of the test.
    let _closed = writeln!(io::stdout(), "{word:<7}{line}");
}

/// A folder of its own that goes away again.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

struct Test {
    folder: Folder,
    /// The manager, if events go there.
    manager: Option<PathBuf>,
    /// Tells the event of this test from others.
    id: String,
}

impl Test {
    fn new(arguments: &SelfTestArguments) -> Outcome<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = format!("self-test.{}.{}", since.as_millis(), std::process::id());
        let folder = std::env::temp_dir().join(format!("custom-opencti-{id}"));
        for name in ["queue/sockets", "logs", "etc"] {
            fs::create_dir_all(folder.join(name)).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let manager = arguments.write.then(|| arguments.home.clone().unwrap_or_else(home));
        Ok(Self { folder: Folder(folder), manager, id })
    }

    fn write(&self, name: &str, content: &Value) -> Outcome<PathBuf> {
        let path = self.folder.0.join(name);
        fs::write(&path, content.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    fn run(&self) -> Outcome<()> {
        let intel = self.write("intel.json", &indicator())?;
        say("ok", &format!("planted an indicator of {VALUE} in threat intelligence of the test"));
        let alert = self.write("self-test.alert", &self.alert())?;
        say("ok", &format!("planted alert {}", self.id));
        let queue = match &self.manager {
            Some(home) => Settings::default().queue(home),
            None => self.folder.0.join("queue/sockets/queue"),
        };
        let received = match &self.manager {
            Some(_) => None,
            None => Some(UnixDatagram::bind(&queue).map_err(|error| format!("{}: {error}", queue.display()))?),
        };
        let state = self.folder.0.join("state");
        let options = self.write("self-test.options", &json!({ "intel": [intel], "socket": queue, "state": state }))?;
        let alerts = self.manager.as_ref().map(|home| Alerts::open(&home.join("logs/alerts/alerts.json")));
        self.program(&alert, &options)?;
        if let Some(received) = received {
            let event = receive(&received)?;
            let event_type = event["opencti"]["event_type"].as_str().unwrap_or_default();
            if event["opencti"]["source"]["alert_id"] != self.id.as_str() {
                return Err(format!("the event is about another alert: {event}"));
            }
            say("ok", &format!("received an event, {event_type}"));
            return Ok(());
        }
        say("ok", &format!("sent an event to {}", queue.display()));
        let Some(alerts) = alerts else { return Ok(()) };
        let alert = alerts?.wait(&self.id)?;
        let (rule, level) = (&alert["rule"]["id"], &alert["rule"]["level"]);
        let rule = rule.as_str().unwrap_or("?");
        say("ok", &format!("the manager raised rule {rule}, level {level}"));
        Ok(())
    }

    fn alert(&self) -> Value {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(millis).ok().and_then(stix_model::Timestamp::from_unix_millis);
        json!({
            "timestamp": now.map(|now| now.to_string()),
            "id": self.id,
            "rule": { "id": "5710", "level": 5, "description": "self-test of custom-opencti", "groups": ["self-test"] },
            "agent": { "id": "000", "name": "self-test" },
            "location": "self-test",
            "data": { "srcip": VALUE },
        })
    }

    /// Runs this program as the integrator does.
    fn program(&self, alert: &Path, options: &Path) -> Outcome<()> {
        let program = std::env::current_exe().map_err(|error| format!("the program cannot find itself: {error}"))?;
        let mut command = Command::new(program);
        command.env_clear().env("WAZUH_HOME", &self.folder.0).stdin(Stdio::null());
        command.arg(alert).args(["", "", ""]).arg(options).args(["10", "0"]);
        let started = Instant::now();
        let output = command.output().map_err(|error| format!("the program cannot be started: {error}"))?;
        let log = fs::read_to_string(self.folder.0.join("logs/integrations.log")).unwrap_or_default();
        if !output.status.success() || !log.is_empty() {
            return Err(format!("the program ended with {}: {}", output.status, log.trim_end()));
        }
        say("ok", &format!("the program ran for {} ms", started.elapsed().as_millis()));
        Ok(())
    }
}

fn indicator() -> Value {
    json!([{
        "type": "indicator", "spec_version": "2.1", "id": INDICATOR, "name": "self-test of custom-opencti",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": format!("[ipv4-addr:value = '{VALUE}']"), "pattern_type": "stix",
    }])
}

fn receive(socket: &UnixDatagram) -> Outcome<Value> {
    let mut buffer = vec![0; 65_536];
    let read = socket.set_read_timeout(Some(Duration::from_secs(1))).and_then(|()| socket.recv(&mut buffer));
    let length = read.map_err(|error| format!("no event arrived: {error}"))?;
    let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
    let event = text.find('{').and_then(|start| text.get(start..));
    event.and_then(|event| serde_json::from_str(event).ok()).ok_or_else(|| format!("this is no event: {text}"))
}

/// The manager's alerts from now on.
struct Alerts {
    path: PathBuf,
    reader: BufReader<File>,
}

impl Alerts {
    fn open(path: &Path) -> Outcome<Self> {
        let opened = File::open(path).and_then(|mut file| file.seek(SeekFrom::End(0)).map(|_| file));
        let file = opened.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file) })
    }

    /// Waits for the alert that the rules raise for the event of an alert with this identifier.
    fn wait(mut self, id: &str) -> Outcome<Value> {
        let deadline = Instant::now() + MANAGER;
        let mut line = Vec::new();
        while Instant::now() < deadline {
            let length = self.reader.read_until(b'\n', &mut line);
            if length.map_err(|error| format!("{}: {error}", self.path.display()))? == 0 || !line.ends_with(b"\n") {
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
            let alert: Option<Value> = serde_json::from_slice(&line).ok();
            if let Some(alert) = alert.filter(|alert| alert["data"]["opencti"]["source"]["alert_id"] == id) {
                return Ok(alert);
            }
            line.clear();
        }
        Err(format!("{}: no alert within {} s; are the rules loaded?", self.path.display(), MANAGER.as_secs()))
    }
}
