//! `health`: asks the service that runs beside it how it is, for images without a shell.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::cli::ConfigArguments;
use crate::config::ServiceConfig;
use crate::output::Outcome;

/// How long each step of the question may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read.
const LONGEST: u64 = 4_096;

/// Succeeds while the service can do its work.
pub(crate) fn health(arguments: &ConfigArguments) -> Result<Outcome> {
    let config = ServiceConfig::load(arguments)?;
    let runtime = &config.runtime;
    let Some(port) = runtime.health_port.or(runtime.metrics.as_ref().map(|metrics| metrics.port)) else {
        bail!("the service has no health endpoint; set `service.health_port` or `connector.expose_metrics`");
    };
    // What listens everywhere is asked here.
    let host = match runtime.endpoint_host.as_str() {
        "0.0.0.0" | "::" | "[::]" | "" => "localhost",
        host => host,
    };
    let answer = ask(host, port).with_context(|| format!("the service does not answer at {host}:{port}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        return Ok(Outcome::Done);
    }
    bail!("the service cannot work: {}", body.trim());
}

fn ask(host: &str, port: u16) -> std::io::Result<String> {
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
                let mut answer = String::new();
                stream.take(LONGEST).read_to_string(&mut answer)?;
                return Ok(answer);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
