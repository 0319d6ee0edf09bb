//! A small HTTP server, for the listener and for tests.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How long a caller may take for the handshake, and for the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of an answer: whole, or in parts as they come. A part that is an error cuts the connection.
#[derive(Debug)]
pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Parts(mpsc::Receiver<io::Result<Bytes>>),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Whole(Some(text.into()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Parts(parts) => parts.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                hyper::body::SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Parts(_) => hyper::body::SizeHint::default(),
        }
    }
}

/// An answer of JSON.
pub(crate) fn json(status: u16, text: String) -> Response<Answer> {
    typed(status, "application/json", text)
}

pub(crate) fn typed(status: u16, content_type: &str, text: String) -> Response<Answer> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(text.into()).unwrap_or_else(|_| Response::new(Answer::Whole(None)))
}

/// Serves connections until the future is dropped, and those that stand then are cut.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    largest: usize,
    handler: H,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Answer>> + Send + 'static,
{
    let tls = tls.map(TlsAcceptor::from);
    let permits = Arc::new(tokio::sync::Semaphore::new(largest));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let stream = tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Too many open files, mostly: it passes.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                stream
            }
            Some(_) = connections.join_next() => continue,
        };
        let (tls, handler) = (tls.clone(), handler.clone());
        connections.spawn(async move {
            let _permit = permit;
            match tls {
                None => connection(stream, handler).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                        connection(stream, handler).await;
                    }
                }
            }
        });
    }
}

async fn connection<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<Answer>> + Send,
{
    let service = service_fn(|request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // An error is the caller's: it went away, or does not speak HTTP.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
