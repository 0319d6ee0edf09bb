//! The live stream of the platform, as server-sent events.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Response;
use tokio::time::Instant;

use crate::error::shown;
use crate::graphql::Platform;
use crate::pause::chance;
use crate::sse::{Frame, Parser};
use crate::{
    Backoff, Change, ChangeKind, Error, ErrorKind, LiveStream, Notice, Position, Retry, StreamEvent, StreamId, judge,
};

/// What of the stream is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamConfig {
    /// The stream collection.
    pub stream: String,
    /// Whether deletions are sent.
    pub listen_delete: bool,
    /// Whether referenced elements are left out; otherwise they come first, as created ones.
    pub no_dependencies: bool,
    /// Whether inferred elements are sent.
    pub with_inferences: bool,
    /// After which time without a sign of life the connection is taken for dead. The platform gives one every five
    /// seconds.
    pub watchdog: Duration,
    /// Pauses between attempts to connect. They are not counted: the stream goes on.
    pub backoff: Backoff,
    /// The largest event that is read, in bytes. Larger ones are left out, and that is told.
    pub largest_event: usize,
}

impl StreamConfig {
    /// The defaults for a collection: with deletions, without dependencies and inferences.
    pub fn new(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            listen_delete: true,
            no_dependencies: true,
            with_inferences: false,
            watchdog: Duration::from_secs(45),
            backoff: Backoff { retries: u32::MAX, first: Duration::from_secs(3), longest: Duration::from_mins(1) },
            largest_event: 64 << 20,
        }
    }
}

/// How many events are remembered, to leave out those that come twice.
const REMEMBERED: usize = 8_192;

/// The live stream of the platform.
///
/// A connection that breaks, or gives no sign of life, is made again at the place where it broke. What needs somebody to
/// act (a token that is refused, a stream that is stopped) is returned as an error after each attempt.
pub struct PlatformStream {
    platform: Platform,
    config: StreamConfig,
    connection: Option<Connection>,
    /// All events up to here were returned.
    settled: Option<StreamId>,
    /// The last event that was returned. More may come with the same place.
    last: Option<StreamId>,
    recover_until: Option<String>,
    seen: HashSet<(StreamId, ChangeKind, String)>,
    seen_order: VecDeque<(StreamId, ChangeKind, String)>,
    attempts: u32,
}

struct Connection {
    response: Response,
    parser: Parser,
    /// When the last sign of life came.
    alive: Instant,
}

impl std::fmt::Debug for PlatformStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PlatformStream")
            .field("config", &self.config)
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

impl PlatformStream {
    /// Follows a stream from a position. Nothing is sent before the first call of [`LiveStream::next`].
    pub fn new(platform: Platform, config: StreamConfig, position: Position) -> Self {
        Self {
            platform,
            config,
            connection: None,
            settled: position.start_from,
            last: None,
            // Without a start the platform answers a recovery with an error.
            recover_until: position.recover_until.filter(|_| position.start_from.is_some()),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
            attempts: 0,
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let http = self.platform.http();
        let mut url = http.below("stream/")?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&self.config.stream);
        }
        if let Some(date) = &self.recover_until {
            url.query_pairs_mut().append_pair("recover", date);
        }
        let flag = |value: bool| if value { "true" } else { "false" };
        let mut request = http
            .client()
            .get(url)
            .header("accept", "text/event-stream")
            .header("cache-control", "no-cache")
            // A compressed stream would wait for its buffers to fill.
            .header("accept-encoding", "identity")
            .header("listen-delete", flag(self.config.listen_delete))
            .header("no-dependencies", flag(self.config.no_dependencies))
            .header("with-inferences", flag(self.config.with_inferences));
        if let Some(place) = self.settled {
            request = request.header("last-event-id", place.to_string());
        }
        let sent = tokio::time::timeout(self.config.watchdog, request.send()).await;
        let peer = http.peer().to_owned();
        let response = match sent {
            Err(_) => return Err(ErrorKind::Timeout { peer, after: self.config.watchdog }.into()),
            Ok(response) => response.map_err(|error| Error::new(http.not_sent(&error)))?,
        };
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if status == 200 && kind.starts_with("text/event-stream") {
            let parser = Parser::new(self.config.largest_event);
            return Ok(Connection { response, parser, alive: Instant::now() });
        }
        let kind = kind.to_owned();
        let body = beginning(response, self.config.watchdog).await;
        Err(match status {
            401 | 403 => ErrorKind::Auth { code: format!("HTTP {status}"), message: body },
            200 => {
                ErrorKind::Unexpected { peer, what: format!("it is `{}`, not a stream", shown(&kind)), excerpt: body }
            }
            _ => ErrorKind::Http { peer, status, body, retry_after: None },
        }
        .into())
    }

    /// Waits for the next frame of the standing connection.
    async fn frame(&mut self) -> Result<Frame, Error> {
        let peer = || self.platform.http().peer().to_owned();
        let watchdog = self.config.watchdog;
        let Some(connection) = &mut self.connection else { return Err(ErrorKind::Closed.into()) };
        loop {
            if let Some(frame) = connection.parser.next() {
                if frame.id.is_some() || self.last.or(self.settled).is_none() {
                    connection.alive = Instant::now();
                }
                return Ok(frame);
            }
            let chunk = tokio::time::timeout_at(connection.alive + watchdog, connection.response.chunk()).await;
            match chunk {
                Err(_) => return Err(ErrorKind::Timeout { peer: peer(), after: watchdog }.into()),
                Ok(Err(error)) => return Err(self.platform.http().not_sent(&error).into()),
                Ok(Ok(None)) => {
                    let what = "the stream ended".to_owned();
                    return Err(ErrorKind::Transport { peer: peer(), what, unsent: false }.into());
                }
                Ok(Ok(Some(bytes))) => connection.parser.push(&bytes),
            }
        }
    }

    /// What a frame means; `None` when it is of no interest.
    fn event(&mut self, frame: &Frame) -> Option<StreamEvent> {
        let kind = match frame.event.as_str() {
            "create" => ChangeKind::Create,
            "update" => ChangeKind::Update,
            "delete" => ChangeKind::Delete,
            "connected" => {
                // Whoever follows from now on has a place from the first moment, so that nothing is missed when this
                // connection breaks before something came.
                if self.last.or(self.settled).is_none() {
                    self.settled = newest(&frame.data);
                }
                return Some(StreamEvent::Connected);
            }
            "no-recover" => {
                self.recover_until = None;
                return self.progress(frame.id);
            }
            "error" => {
                self.drop_frame("an error of the live stream", shown(&frame.data));
                return None;
            }
            _ => return self.progress(frame.id),
        };
        self.reached(frame.id);
        if frame.oversize {
            self.drop_frame("an event of the live stream", "it is too large".to_owned());
            return Some(StreamEvent::Progress);
        }
        let change = match Change::read(kind, &frame.data) {
            Ok(change) => change,
            Err(error) => {
                self.drop_frame("an event of the live stream", error.to_string());
                return Some(StreamEvent::Progress);
            }
        };
        if let (Some(id), Ok(object)) = (frame.id, &change.object) {
            let key = (id, kind, object.id().to_string());
            if !self.seen.insert(key.clone()) {
                self.platform.http().config().notices.give(&Notice::Repeated);
                return None;
            }
            self.seen_order.push_back(key);
            if self.seen_order.len() > REMEMBERED
                && let Some(oldest) = self.seen_order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
        Some(StreamEvent::Change(Box::new(change)))
    }

    /// An event came: everything before its place is settled, its own place is not, since more may come with it.
    fn reached(&mut self, id: Option<StreamId>) {
        let Some(id) = id else { return };
        if let Some(last) = self.last.filter(|last| id > *last) {
            self.settled = self.settled.max(Some(last));
        }
        self.last = self.last.max(Some(id));
    }

    /// A sign of life came: everything up to its place is settled.
    fn progress(&mut self, id: Option<StreamId>) -> Option<StreamEvent> {
        let before = self.settled;
        if let Some(id) = id {
            self.settled = self.settled.max(Some(id));
        }
        (self.settled != before).then_some(StreamEvent::Progress)
    }

    fn drop_frame(&self, what: &'static str, why: String) {
        self.platform.http().config().notices.give(&Notice::Dropped { what, why });
    }

    async fn pause(&mut self, error: &Error) {
        self.attempts = self.attempts.saturating_add(1);
        let again_in = self.config.backoff.pause(self.attempts, None, chance());
        let notice = Notice::Disconnected { from: "live stream", error, again_in };
        self.platform.http().config().notices.give(&notice);
        tokio::time::sleep(again_in).await;
    }
}

/// The newest place of the stream, as the greeting names it.
fn newest(greeting: &str) -> Option<StreamId> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Greeting {
        last_event_id: Option<String>,
    }
    serde_json::from_str::<Greeting>(greeting).ok()?.last_event_id?.parse().ok()
}

/// The beginning of an answer that is no stream.
async fn beginning(mut response: Response, patience: Duration) -> String {
    let mut body = Vec::new();
    let read = async {
        while body.len() < 4_096
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
    };
    let _ = tokio::time::timeout(patience, read).await;
    shown(&String::from_utf8_lossy(&body))
}

#[async_trait]
impl LiveStream for PlatformStream {
    async fn next(&mut self) -> Result<StreamEvent, Error> {
        loop {
            let failed = if self.connection.is_none() {
                match self.connect().await {
                    Ok(connection) => {
                        self.connection = Some(connection);
                        self.platform.http().config().notices.give(&Notice::Connected { to: "live stream" });
                        continue;
                    }
                    Err(error) => error,
                }
            } else {
                match self.frame().await {
                    Ok(frame) => {
                        self.attempts = 0;
                        match self.event(&frame) {
                            Some(event) => return Ok(event),
                            None => continue,
                        }
                    }
                    Err(error) => error,
                }
            };
            self.connection = None;
            self.pause(&failed).await;
            if judge(&failed) != Retry::Soon {
                return Err(failed);
            }
        }
    }

    fn position(&self) -> Position {
        Position { start_from: self.settled, recover_until: self.recover_until.clone() }
    }
}
