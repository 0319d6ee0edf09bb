//! The service as a process.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opencti_client::testing::StandIn;

use super::Result;
use super::index::Index;

/// What the process is told.
#[derive(Debug)]
pub(crate) struct Surroundings {
    program: PathBuf,
    variables: Vec<(&'static str, String)>,
    port: u16,
}

impl Surroundings {
    pub(crate) fn new(stand_in: &StandIn, index: &Index, connector: &str) -> Result<Self> {
        // The programs of a workspace stand side by side.
        let program = std::env::current_exe()?.with_file_name("opencti-wazuh-connector");
        if !program.exists() {
            return Err("the service is not built: cargo build --release -p connector-bin".into());
        }
        // Free a moment ago, and nobody else asks for it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let variables = vec![
            ("OPENCTI_URL", stand_in.url()),
            ("OPENCTI_TOKEN", stand_in.token().to_owned()),
            ("CONNECTOR_ID", connector.to_owned()),
            ("WAZUH_MAX_TLP", "TLP:AMBER".to_owned()),
            ("WAZUH_APP_URL", "https://wazuh.example".to_owned()),
            ("WAZUH_OPENSEARCH_URL", index.url.clone()),
            ("WAZUH_OPENSEARCH_INDEX", index.name.clone()),
            ("WAZUH_OPENSEARCH_USERNAME", "reader".to_owned()),
            ("WAZUH_OPENSEARCH_PASSWORD", "reader".to_owned()),
            ("WAZUH_SERVICE_HEALTH_PORT", port.to_string()),
            ("WAZUH_SERVICE_HEALTH_HOST", "127.0.0.1".to_owned()),
        ];
        Ok(Self { program, variables, port })
    }
}

/// A running service. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    port: u16,
}

impl Service {
    pub(crate) fn start(surroundings: &Surroundings) -> Result<Self> {
        // Nothing else of the surroundings changes what is measured.
        let given = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAZUH_SERVICE_"));
        let log = match std::env::var_os("LOAD_LOG") {
            Some(path) => Stdio::from(std::fs::File::options().append(true).create(true).open(path)?),
            None => Stdio::null(),
        };
        let process = Command::new(&surroundings.program)
            .env_clear()
            .envs(given)
            .envs(surroundings.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self { process, port: surroundings.port })
    }

    /// Waits until it takes messages.
    pub(crate) async fn ready(&self) -> Result<()> {
        let began = Instant::now();
        while !self.health().unwrap_or_default().contains("200 OK") {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("the service does not start".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    fn health(&self) -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Asks it to stop, and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(40) {
            if let Some(status) = self.process.try_wait()? {
                return if status.success() { Ok(()) } else { Err(format!("the service ended with {status}").into()) };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the service does not stop".into())
    }

    /// The most memory that it had so far, in MiB.
    pub(crate) fn peak_memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes / 1_024.0)
    }

    /// The seconds that processors spent on it so far.
    pub(crate) fn processor_time(&self) -> Option<f64> {
        let mut seconds = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.process.id())).ok()?.flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanoseconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
            seconds += nanoseconds / 1e9;
        }
        Some(seconds)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}
