//! The endpoints for health and metrics.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::metrics::Metrics;
use crate::config::MetricsConfig;

/// Callers at the same time.
const AT_ONCE: usize = 16;
/// How long a caller may take.
const LONGEST: Duration = Duration::from_secs(5);
/// The largest request that is read.
const LARGEST: usize = 8_192;

/// Listens, and answers from then on until the runtime ends. Returns the port.
pub(crate) async fn listen(host: &str, port: u16, metrics: Arc<Metrics>, names: Option<MetricsConfig>) -> Result<u16> {
    let listener = TcpListener::bind((host, port))
        .await
        .with_context(|| format!("the endpoint for health and metrics cannot listen at {host}:{port}"))?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    tokio::spawn(async move {
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Too many open files, for one. It passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (metrics, names) = (metrics.clone(), names.clone());
            tokio::spawn(async move {
                // Who is too slow, or goes away, has no answer.
                let _ = tokio::time::timeout(LONGEST, serve(stream, &metrics, names.as_ref())).await;
                drop(slot);
            });
        }
    });
    Ok(port)
}

async fn serve(mut stream: TcpStream, metrics: &Metrics, names: Option<&MetricsConfig>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LARGEST {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        request.extend_from_slice(&buffer[..read]);
    }
    let (status, kind, body) = answer(&request, metrics, names);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if !request.starts_with(b"HEAD ") {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

fn answer(request: &[u8], metrics: &Metrics, names: Option<&MetricsConfig>) -> (&'static str, &'static str, String) {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let json = "application/json";
    match (method, path, names) {
        (b"GET" | b"HEAD", b"/health", _) => match metrics.trouble() {
            None => ("200 OK", json, r#"{"status":"ok"}"#.to_owned()),
            Some(reason) => ("503 Service Unavailable", json, format!(r#"{{"status":"{reason}"}}"#)),
        },
        (b"GET" | b"HEAD", b"/metrics" | b"/", Some(names)) => {
            let text = metrics.text(names.namespace.as_deref(), names.subsystem.as_deref());
            ("200 OK", "text/plain; version=0.0.4; charset=utf-8", text)
        }
        (b"GET" | b"HEAD", _, _) => ("404 Not Found", json, r#"{"status":"not found"}"#.to_owned()),
        _ => ("405 Method Not Allowed", json, r#"{"status":"only GET is answered"}"#.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &[u8], metrics: &Metrics, names: Option<&MetricsConfig>) -> &'static str {
        &answer(request, metrics, names).0[..3]
    }

    #[tokio::test]
    async fn health_and_metrics() {
        let metrics = Arc::new(Metrics::default());
        let names = MetricsConfig { port: 0, namespace: None, subsystem: None };
        assert_eq!(status(b"GET /health HTTP/1.1\r\n\r\n", &metrics, None), "503");
        metrics.set_registered(true);
        metrics.set_listening(true);
        assert_eq!(status(b"GET /metrics HTTP/1.1\r\n\r\n", &metrics, None), "404");
        for odd in [&b""[..], b"\r\n\r\n", b"POST /health HTTP/1.1\r\n\r\n", b"GET", &[0xff; 32]] {
            assert!(!status(odd, &metrics, Some(&names)).starts_with('2'));
        }
        let port = listen("127.0.0.1", 0, metrics, Some(names)).await.unwrap();
        for (path, wanted) in [("/health?x=1", "{\"status\":\"ok\"}"), ("/metrics", "run_count_total 0")] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains(wanted), "{text}");
        }
    }
}
