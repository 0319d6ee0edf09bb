//! An HTTP endpoint for alerts: what a monitor of Wazuh 5 calls, whose notification channel is a custom webhook.
//!
//! It takes `POST`, `PUT` and `PATCH` with a bearer token and a length, up to a limit, and answers when what is known was
//! raised, or waits. With a certificate it speaks TLS, and nothing else. The body is an alert or finding, a list of them, the hits of a search, or one a line.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use alert_enricher::store::MatchError;
use opencti_client::tls::TlsIdentity;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::Control;
use super::raise::{Answer, Work};
use super::settings::WebhookSettings;
use super::sieve::{Sieve, damage};
use crate::journal::Journal;

/// So many are served at the same time.
const MOST: usize = 16;
/// How long a request may take to arrive, and an answer to leave.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to raise what is known.
const RAISE: Duration = Duration::from_secs(20);
/// Bytes of request line and headers.
const HEAD: u64 = 16 << 10;
/// Alerts in one request.
const ALERTS: usize = 10_000;

/// The endpoint.
pub(super) struct Webhook {
    listener: TcpListener,
    /// `Bearer ` and the token.
    authorization: String,
    largest: usize,
    /// With a certificate.
    tls: Option<Arc<ServerConfig>>,
    busy: AtomicUsize,
}

/// Status and what is wrong.
type Refusal = (u16, &'static str);
/// Status and body.
type Reply = (u16, Value);

/// A connection that ends when its time is over, however slowly the other side sends or reads.
struct Patient<'s> {
    stream: &'s TcpStream,
    until: Instant,
}

impl<'s> Patient<'s> {
    fn new(stream: &'s TcpStream) -> Self {
        Self { stream, until: Instant::now() + PATIENCE }
    }

    /// Begins the time anew.
    fn again(&mut self) {
        self.until = Instant::now() + PATIENCE;
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Webhook {
    /// Listens, if the settings say where.
    pub(super) fn bind(settings: &WebhookSettings) -> Result<Option<Self>, String> {
        let Some(listen) = &settings.listen else { return Ok(None) };
        let path = settings.token_file.as_deref().ok_or("`daemon.webhook.token_file` is missing")?;
        let token = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let token = token.trim();
        if token.len() < 16 {
            return Err(format!("{}: a token has at least 16 characters", path.display()));
        }
        let tls = match (&settings.certificate, &settings.key_file) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
                let key = String::from_utf8_lossy(&read(key)?).into_owned();
                let identity = TlsIdentity { certificates: read(certificate)?, key: key.into() };
                Some(identity.server().map_err(|error| format!("`daemon.webhook.certificate`: {error}"))?)
            }
            _ => return Err("`daemon.webhook.certificate` and `daemon.webhook.key_file` belong together".to_owned()),
        };
        let listener = TcpListener::bind(listen.as_str()).map_err(|error| format!("{listen}: {error}"))?;
        Ok(Some(Self {
            listener,
            authorization: format!("Bearer {token}"),
            largest: usize::try_from(settings.largest_kilobytes.unwrap_or(4_096)).unwrap_or(4_096) << 10,
            tls,
            busy: AtomicUsize::new(0),
        }))
    }

    /// What addresses begin with.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the program is to end.
    pub(super) fn run(&self, sieve: Sieve, work: &SyncSender<Work>, control: &Control, journal: &Journal) {
        let sieve = Mutex::new(sieve);
        std::thread::scope(|scope| {
            loop {
                let accepted = self.listener.accept();
                if control.is_stopping() {
                    return;
                }
                let Ok((stream, _)) = accepted else {
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if self.busy.fetch_add(1, Ordering::Relaxed) >= MOST {
                    self.busy.fetch_sub(1, Ordering::Relaxed);
                    // Over TLS, whoever is too much has to find out without a word. Nobody waits here for them: what they
                    // sent stays unread, and the answer is short enough for the system to take it at once.
                    if self.tls.is_none() && stream.set_nonblocking(true).is_ok() {
                        let refusal = (503, json!({ "error": "too many requests at once" }));
                        let _gone = answer(&mut &stream, &refusal);
                    }
                    continue;
                }
                let (sieve, work) = (&sieve, work.clone());
                scope.spawn(move || {
                    if let Err(error) = self.serve(&stream, sieve, &work, control) {
                        journal.debug(&format!("the webhook: {error}"));
                    }
                    self.busy.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
    }

    fn serve(
        &self,
        stream: &TcpStream,
        sieve: &Mutex<Sieve>,
        work: &SyncSender<Work>,
        control: &Control,
    ) -> io::Result<()> {
        let mut patient = Patient::new(stream);
        match &self.tls {
            None => {
                let reply = self.reply(&mut patient, sieve, work, control)?;
                patient.again();
                answer(&mut patient, &reply)?;
            }
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                let mut secure = StreamOwned::new(connection, patient);
                let reply = self.reply(&mut secure, sieve, work, control)?;
                secure.sock.again();
                answer(&mut secure, &reply)?;
                secure.conn.send_close_notify();
                secure.flush()?;
            }
        }
        close(stream)
    }

    /// Reads a request, looks its alerts up, and says what is to be answered.
    fn reply(
        &self,
        stream: &mut (impl Read + Write),
        sieve: &Mutex<Sieve>,
        work: &SyncSender<Work>,
        control: &Control,
    ) -> io::Result<Reply> {
        let body = match self.body(stream)? {
            Ok(body) => body,
            Err((status, what)) => return Ok((status, json!({ "error": what }))),
        };
        let Some(alerts) = alerts(&body) else {
            return Ok((400, json!({ "error": "the body holds no alerts" })));
        };
        let (sender, raised) = mpsc::channel();
        let (mut matched, mut unreadable) = (0, 0);
        for text in &alerts {
            let looked = {
                let mut sieve = sieve.lock().unwrap_or_else(PoisonError::into_inner);
                sieve.refresh();
                sieve.look(text)
            };
            match looked {
                Ok(ids) if ids.is_empty() => {}
                Ok(ids) => {
                    let answer = Some(Answer::Told { to: sender.clone(), until: Instant::now() + RAISE });
                    let work = work.send(Work::Alert { text: text.clone(), ids, answer });
                    work.map_err(|_| io::Error::other("the program ends"))?;
                    matched += 1;
                }
                Err(MatchError::Read(_)) => unreadable += 1,
                Err(error) => {
                    control.damaged(damage(&error));
                    return Ok((503, json!({ "error": "the indicators are being read anew; send it again" })));
                }
            }
        }
        drop(sender);
        for _ in 0..matched {
            if raised.recv_timeout(RAISE).is_err() {
                return Ok((503, json!({ "error": "it takes too long; send it again" })));
            }
        }
        Ok((200, json!({ "alerts": alerts.len(), "matched": matched, "unreadable": unreadable })))
    }

    /// Reads a request.
    fn body(&self, stream: &mut (impl Read + Write)) -> io::Result<Result<Vec<u8>, Refusal>> {
        let mut reader = BufReader::new(stream);
        let mut head = (&mut reader).take(HEAD);
        let mut line = String::new();
        let mut read = |line: &mut String| {
            line.clear();
            head.read_line(line).map(|length| length > 0 && line.ends_with('\n'))
        };
        if !read(&mut line)? {
            return Ok(Err((400, "no request")));
        }
        let method = line.split(' ').next().unwrap_or_default().to_owned();
        let (mut authorized, mut length, mut expects) = (false, None, false);
        loop {
            if !read(&mut line)? {
                return Ok(Err((431, "the headers are too long, or not whole")));
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => authorized = same(value.as_bytes(), self.authorization.as_bytes()),
                "content-length" => length = value.parse::<usize>().ok(),
                "transfer-encoding" => return Ok(Err((411, "a length is needed"))),
                "expect" => expects = value.eq_ignore_ascii_case("100-continue"),
                _ => {}
            }
        }
        if !authorized {
            return Ok(Err((401, "the token is missing or wrong")));
        }
        if !matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
            return Ok(Err((405, "alerts are sent with POST")));
        }
        let Some(length) = length else { return Ok(Err((411, "a length is needed"))) };
        if length > self.largest {
            return Ok(Err((413, "the body is too long")));
        }
        if expects {
            reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            reader.get_mut().flush()?;
        }
        let mut body = Vec::new();
        reader.take(length as u64).read_to_end(&mut body)?;
        Ok(if body.len() == length { Ok(body) } else { Err((400, "the body is not whole")) })
    }
}

/// Compares in a time that does not depend on what is the same.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

/// Wakes the one who waits for requests, so that they see that the program ends.
pub(super) fn wake(address: SocketAddr) {
    let _nobody_there = TcpStream::connect_timeout(&address, Duration::from_secs(1));
}

fn answer(stream: &mut impl Write, (status, body): &Reply) -> io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    stream.flush()
}

/// Ends a connection. What was not read would make the system cut it before the answer is there.
fn close(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = Vec::new();
    Patient::new(stream).take(64 << 10).read_to_end(&mut rest).map(drop)
}

/// The alerts of a body. `None` if it is something else.
fn alerts(body: &[u8]) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(body);
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>().collect::<Result<Vec<_>, _>>().ok()?;
    let mut alerts = Vec::new();
    for value in values {
        collect(value, &mut alerts)?;
    }
    (!alerts.is_empty()).then_some(alerts)
}

fn collect(value: Value, alerts: &mut Vec<String>) -> Option<()> {
    match value {
        Value::Array(list) => list.into_iter().try_for_each(|value| collect(value, alerts)),
        Value::Object(mut members) => {
            // The answer of a search, or what a monitor's template makes of it.
            for name in ["hits", "alerts", "results"] {
                match members.get(name) {
                    Some(Value::Array(_)) => return collect(members.remove(name)?, alerts),
                    Some(Value::Object(below)) if below.contains_key("hits") => {
                        return collect(members.remove(name)?, alerts);
                    }
                    _ => {}
                }
            }
            alerts.push(Value::Object(members).to_string());
            (alerts.len() <= ALERTS).then_some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let count = |body: &str| alerts(body.as_bytes()).map(|alerts| alerts.len());
        assert_eq!(count(r#"{"rule":{"id":"1"}}"#), Some(1));
        assert_eq!(count(r#"[{"a":1},{"a":2}]"#), Some(2));
        assert_eq!(count("{\"a\":1}\n{\"a\":2}\n"), Some(2));
        assert_eq!(count(r#"{"hits":{"total":{"value":2},"hits":[{"_id":"1"},{"_id":"2"}]}}"#), Some(2));
        assert_eq!(count(r#"{"hits":[{"_id":"1"}]}"#), Some(1));
        for body in ["", "x", "1", "[1]", r#"{"a":"#, "[]"] {
            assert_eq!(count(body), None, "{body}");
        }
    }

    #[test]
    fn tokens() {
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"abc", b"ab"));
    }
}
