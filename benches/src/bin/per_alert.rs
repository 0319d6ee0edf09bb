//! What one alert costs: the built `custom-opencti`, from its start to its end, as the manager's integrator runs it.
//!
//! ```text
//! cargo build --release -p integration-bin
//! cargo run --release -p benches --bin per_alert [RUNS]
//! ```
//!
//! By itself: built together with the connector it gets parts that only that one needs.
//!
//! The platform is a stand-in on the loopback interface that answers every question at once with one indicator; the
//! manager is a datagram socket. Times on the clock are those of the quickest run and of the one in the middle, times on a
//! processor are means over all runs. Both hold what the system needs to start a process; the last row says how much that is.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::table::Table;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the platform answers, whatever it is asked.
const ANSWER: &str = r#"{"data":{"about":{"version":"7.260817.0"},"stixCyberObservables":{"edges":[],"pageInfo":{"hasNextPage":false}},"indicators":{"edges":[{"node":{"id":"00000000-0000-4000-8000-000000000001","standard_id":"indicator--8752eb5f-8b58-519e-8f40-108700000001","name":"known","pattern":"[ipv4-addr:value = '203.0.113.7']","pattern_type":"stix","revoked":false,"valid_from":"2026-01-01T00:00:00Z","x_opencti_score":80,"confidence":90}}],"pageInfo":{"hasNextPage":false}}}}"#;

const ALERT: &str = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","id":"1773480413.1","rule":{"id":"5710","level":5,"description":"sshd: attempt to login","groups":["syslog","sshd"]},"agent":{"id":"001","name":"web01","ip":"10.0.0.15"},"location":"/var/log/auth.log","data":{"srcip":"203.0.113.7","srcuser":"kim"}}"#;

fn main() -> io::Result<()> {
    let runs = std::env::args().nth(1).and_then(|runs| runs.parse().ok()).unwrap_or(200);
    let mut table = Table::new(io::stdout().lock())?;
    // The programs of a workspace stand side by side.
    let program = std::env::current_exe()?.with_file_name("custom-opencti");
    if !program.exists() {
        return table.note("build it first: cargo build --release -p integration-bin");
    }
    let manager = Manager::new(program)?;
    let plain = stand_in(None)?;
    let (certificate, tls) = identity().map_err(io::Error::other)?;
    let secure = stand_in(Some(Arc::new(tls)))?;
    let ca = manager.write("ca.pem", &certificate)?;
    let private = manager.write("private.alert", &ALERT.replace("203.0.113.7", "10.1.2.3"))?;
    let known = manager.write("known.alert", ALERT)?;
    let options = manager.write("tls.options", &format!(r#"{{"ca":"{}"}}"#, ca.display()))?;
    let plain = format!("http://127.0.0.1:{plain}/graphql");
    let secure = format!("https://localhost:{secure}/graphql");
    let asks: [(&str, &Path, &str, &str, f64, Option<f64>); 3] = [
        ("nothing worth asking", &private, &plain, "", 2.0, None),
        ("a look-up over HTTP", &known, &plain, "", 4.0, Some(2.5)),
        ("a look-up over TLS", &known, &secure, options.to_str().unwrap_or_default(), 8.0, None),
    ];
    for (name, alert, url, options, wall, processor) in asks {
        let arguments = [alert.to_str().unwrap_or_default(), "key", url, "", options, "10", "3"];
        // The first run reads the platform's version, the others remember it.
        manager.run(&arguments)?;
        let before = processor_of_children()?;
        let mut times = Vec::new();
        for _ in 0..runs {
            let start = Instant::now();
            manager.run(&arguments)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let mean = (processor_of_children()? - before) * 1e3 / f64::from(runs);
        times.sort_by(f64::total_cmp);
        table.below(&format!("ms, {name}"), times[0], &format!("{:.1}", times[times.len() / 2]), wall, "ms")?;
        let row = format!("ms on a processor, {name}");
        match processor {
            Some(mark) => table.below(&row, mean, "", mark, "ms")?,
            None => table.row(&row, &format!("{mean:.1}"), "", "", "")?,
        }
        if alert == known {
            let memory = manager.memory(&arguments)?;
            table.below(&format!("MiB, {name}"), memory, "", 12.0, "MiB")?;
        }
    }
    let (start, before) = (Instant::now(), processor_of_children()?);
    for _ in 0..runs {
        Command::new("/bin/true").status()?;
    }
    let wall = start.elapsed().as_secs_f64() * 1e3 / f64::from(runs);
    let mean = (processor_of_children()? - before) * 1e3 / f64::from(runs);
    table.note(&format!("a process that does nothing: {wall:.1} ms, {mean:.1} ms on a processor"))
}

/// Seconds that processors spent on processes that were started here and have ended.
fn processor_of_children() -> io::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, which may hold anything, stands in parentheses. Behind it the third field is the first.
    let fields = text.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = |place: usize| fields.split_ascii_whitespace().nth(place - 3).and_then(|text| text.parse::<f64>().ok());
    let ticks = ticks(16).zip(ticks(17)).map(|(user, system)| user + system);
    // A hundred ticks a second on every system that Wazuh's manager runs on.
    ticks.map(|ticks| ticks / 100.0).ok_or_else(|| io::Error::other("/proc/self/stat cannot be read"))
}

/// The manager's folder, its queue socket, and the program.
struct Manager {
    folder: tempfile::TempDir,
    queue: UnixDatagram,
    program: PathBuf,
}

impl Manager {
    fn new(program: PathBuf) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["queue/sockets", "queue/custom-opencti", "logs", "etc"] {
            std::fs::create_dir_all(folder.path().join(name))?;
        }
        let queue = UnixDatagram::bind(folder.path().join("queue/sockets/queue"))?;
        queue.set_nonblocking(true)?;
        Ok(Self { folder, queue, program })
    }

    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("WAZUH_HOME", self.folder.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs it once. It is expected to succeed without a word.
    fn run(&self, arguments: &[&str]) -> io::Result<()> {
        let output = self.command(arguments).output()?;
        self.drain();
        if output.status.success() && output.stderr.is_empty() {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.folder.path().join("logs/integrations.log")).unwrap_or_default();
        Err(io::Error::other(format!("{}: {}", output.status, log.lines().last().unwrap_or_default())))
    }

    fn drain(&self) -> usize {
        let mut buffer = vec![0; 65_536];
        std::iter::from_fn(|| self.queue.recv(&mut buffer).ok()).count()
    }

    /// The most memory of a run, in MiB: read while it waits for room in the full queue, which is the last that it does.
    fn memory(&self, arguments: &[&str]) -> io::Result<f64> {
        let filler = UnixDatagram::unbound()?;
        filler.set_nonblocking(true)?;
        filler.connect(self.folder.path().join("queue/sockets/queue"))?;
        while filler.send(b"x").is_ok() {}
        let mut process = self.command(arguments).spawn()?;
        std::thread::sleep(Duration::from_millis(500));
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
        while process.try_wait()?.is_none() {
            self.drain();
            std::thread::sleep(Duration::from_millis(1));
        }
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        kibibytes.map(|kibibytes| kibibytes / 1_024.0).ok_or_else(|| io::Error::other("the process did not wait"))
    }
}

/// A server that answers every request at once, on a port of the loopback interface.
fn stand_in(tls: Option<Arc<ServerConfig>>) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            // A connection that ends early is the client's affair.
            std::thread::spawn(move || stream.set_nodelay(true).and_then(|()| answer(stream, tls)));
        }
    });
    Ok(port)
}

fn answer(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    match tls {
        None => answer_all(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            answer_all(StreamOwned::new(connection, stream))
        }
    }
}

fn answer_all(stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        io::copy(&mut stream.by_ref().take(length), &mut io::sink())?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        let out = stream.get_mut();
        out.write_all(format!("{head}{}\r\n\r\n{ANSWER}", ANSWER.len()).as_bytes())?;
        out.flush()?;
    }
}

/// An authority in PEM, and a server that it vouches for.
fn identity() -> Result<(String, ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate()?;
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate()?;
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], key)?;
    Ok((certificate.pem(), config))
}
