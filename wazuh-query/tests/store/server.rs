//! A server that says what a test tells it to, and a client for what the adapter itself does not do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// One request as the server saw it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Method, path and query.
    pub(crate) line: String,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a connection.
#[derive(Clone)]
pub(crate) enum Act {
    /// Answers with a status, further header lines and a body.
    Answer(u16, &'static str, String),
    /// Announces more bytes than it sends.
    Cut(String),
    /// Closes the connection without an answer.
    Hang,
    /// Reads and stays silent for that long.
    Sleep(Duration),
}

pub(crate) fn ok(body: &str) -> Act {
    Act::Answer(200, "", body.to_owned())
}

/// Starts a server that acts as the script says, one entry for each connection. Returns its URL and what it sees.
pub(crate) fn serve(script: Vec<Act>) -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for act in script {
            let Ok((mut stream, _)) = listener.accept() else { return };
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let Some(seen) = read_request(&mut stream) else { continue };
            let _ = sender.send(seen);
            perform(&mut stream, &act);
        }
    });
    (url, receiver)
}

pub(crate) fn perform(stream: &mut impl Write, act: &Act) {
    match act {
        Act::Answer(status, headers, body) => {
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
            );
        }
        Act::Cut(body) => {
            let length = body.len() + 100;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
        }
        Act::Hang => {}
        Act::Sleep(time) => thread::sleep(*time),
    }
    let _ = stream.flush();
}

pub(crate) fn read_request(stream: &mut impl Read) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut seen = Seen { line: line.trim_end().to_owned(), headers, body: String::new() };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Some(seen)
}

/// One plain HTTP request. Returns the status and the body.
pub(crate) fn request(method: &str, url: &str, body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").expect("the test cluster speaks plain HTTP");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(5))).unwrap();
    let kind =
        if path.contains("_bulk") || path.contains("_msearch") { "application/x-ndjson" } else { "application/json" };
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    (status, body)
}
