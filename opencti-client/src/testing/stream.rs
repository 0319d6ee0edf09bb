//! The live stream, by script.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::is_authorized;
use super::{Shared, StandIn};
use crate::serve::{Answer, typed};
use crate::{ChangeKind, StreamId};

/// What the stream sends.
#[derive(Debug, Default)]
pub(super) struct Script {
    items: Vec<Item>,
    /// How many events before its position a returning client gets again.
    repeat: usize,
    no_recover: bool,
    silent: bool,
    closed: Option<u16>,
    last: StreamId,
    connections: Vec<StreamConnection>,
}

#[derive(Debug)]
enum Item {
    Event {
        id: StreamId,
        text: String,
    },
    /// Sent as it is, once, to those who are connected then.
    Raw(String),
    /// Cuts the connections, once.
    Cut {
        done: bool,
    },
}

/// A connection that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamConnection {
    /// The collection.
    pub stream: String,
    /// Where it wanted to start.
    pub from: Option<String>,
    /// Until when the database was to be read.
    pub recover: Option<String>,
    /// All headers by name, without the credentials.
    pub headers: BTreeMap<String, String>,
}

impl StandIn {
    /// Sends an event of the live stream, now and to those who come later and were not there yet. Returns its place.
    pub fn stream_event(&self, kind: ChangeKind, object: &Value) -> StreamId {
        let mut state = self.shared.state();
        let id = StreamId { millis: state.stream.last.millis.max(1_700_000_000_000) + 1, sequence: 0 };
        drop(state);
        self.stream_event_at(id, kind, object);
        state = self.shared.state();
        state.stream.last = id;
        id
    }

    /// Sends an event at a place of the test's choice.
    pub fn stream_event_at(&self, id: StreamId, kind: ChangeKind, object: &Value) {
        let name = match kind {
            ChangeKind::Create => "create",
            ChangeKind::Update => "update",
            ChangeKind::Delete => "delete",
        };
        let data = json!({
            "version": "4", "type": name, "scope": "external", "event_id": id.to_string(), "message": "something changed",
            "data": object, "origin": { "referer": "" },
        });
        self.push(Item::Event { id, text: frame(Some(id), name, &data.to_string()) });
    }

    /// Sends a text as it is to those who are connected.
    pub fn stream_raw(&self, text: &str) {
        self.push(Item::Raw(text.to_owned()));
    }

    /// Cuts the connections after what was sent before. Who has not got there yet is cut when it gets there.
    pub fn stream_cut(&self) {
        self.push(Item::Cut { done: false });
    }

    /// Gives returning clients some events again that came before their position.
    pub fn stream_repeats(&self, events: usize) {
        self.shared.state().stream.repeat = events;
    }

    /// Answers a recovery with `no-recover`.
    pub fn stream_without_recovery(&self) {
        self.shared.state().stream.no_recover = true;
    }

    /// Sends nothing more, not even heartbeats, on connections that stand; or goes on.
    pub fn stream_silent(&self, silent: bool) {
        self.shared.state().stream.silent = silent;
        self.shared.stream_changed.notify_waiters();
    }

    /// Answers with a status instead of a stream: 401, 410 (stopped), 500; or with a stream again.
    pub fn stream_status(&self, status: Option<u16>) {
        self.shared.state().stream.closed = status;
    }

    /// The connections that were made.
    pub fn stream_connections(&self) -> Vec<StreamConnection> {
        self.shared.state().stream.connections.clone()
    }

    fn push(&self, item: Item) {
        self.shared.state().stream.items.push(item);
        self.shared.stream_changed.notify_waiters();
    }
}

fn frame(id: Option<StreamId>, event: &str, data: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {event}\ndata: {data}\n\n")
}

pub(super) fn answer(shared: &Arc<Shared>, request: &Request<Incoming>) -> Response<Answer> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query: BTreeMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2B", "+")))
        .collect();
    let from = header("last-event-id").or_else(|| header("from")).or_else(|| query.get("from").cloned());
    let recover = query.get("recover").cloned().or_else(|| header("recover"));
    let stream = request.uri().path().trim_start_matches("/stream/").to_owned();
    {
        let mut state = shared.state();
        if !is_authorized(request) {
            state.refuse(format!("stream {stream}: the credentials are missing"));
            return typed(401, "application/json", r#"{"error":"You are not authenticated"}"#.to_owned());
        }
        if !header("accept").is_some_and(|kind| kind.contains("text/event-stream")) {
            state.refuse(format!("stream {stream}: `Accept` must be text/event-stream"));
        }
        let headers = request.headers().iter().filter(|(name, _)| *name != "authorization");
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let headers = headers.collect();
        state.stream.connections.push(StreamConnection {
            stream,
            from: from.clone(),
            recover: recover.clone(),
            headers,
        });
        if let Some(status) = state.stream.closed {
            return typed(status, "text/plain", "This live stream is stopped".to_owned());
        }
    }
    let (parts, receiver) = mpsc::channel(16);
    tokio::spawn(feed(shared.clone(), parts, from, recover));
    let response = Response::builder().header("content-type", "text/event-stream; charset=utf-8");
    response.body(Answer::Parts(receiver)).unwrap_or_else(|_| Response::new(Answer::Whole(None)))
}

type Parts = mpsc::Sender<io::Result<Bytes>>;

async fn send(parts: &Parts, text: String) -> bool {
    parts.send(Ok(text.into())).await.is_ok()
}

async fn feed(shared: Arc<Shared>, parts: Parts, from: Option<String>, recover: Option<String>) {
    let start: Option<StreamId> = from.as_deref().and_then(|from| from.parse().ok());
    let newest = {
        let state = shared.state();
        let ids = state
            .stream
            .items
            .iter()
            .filter_map(|item| if let Item::Event { id, .. } = item { Some(*id) } else { None });
        ids.max().unwrap_or(StreamId::START)
    };
    let connected = json!({
        "connectionId": "1", "firstEventId": "0-0", "lastEventId": newest.to_string(), "streamSize": 0,
        "firstEventDate": "2026-01-01T00:00:00Z", "lastEventDate": "2026-01-01T00:00:00Z",
    });
    if !send(&parts, frame(None, "connected", &connected.to_string())).await {
        return;
    }
    let (mut place, mut position, opening) = open(&shared, start, recover.as_deref());
    if !send(&parts, opening).await {
        return;
    }
    let mut heartbeat = tokio::time::Instant::now() + shared.heartbeat;
    loop {
        let changed = shared.stream_changed.notified();
        let (texts, cut, silent) = next(&shared, &mut place, &mut position);
        for text in texts {
            if !send(&parts, text).await {
                return;
            }
        }
        if cut {
            let _ = parts.send(Err(io::ErrorKind::ConnectionReset.into())).await;
            return;
        }
        tokio::select! {
            () = changed => {}
            () = parts.closed() => return,
            () = tokio::time::sleep_until(heartbeat) => {
                heartbeat = tokio::time::Instant::now() + shared.heartbeat;
                let text = frame(position, "heartbeat", "\"2026-01-01T00:00:00.000Z\"");
                if !silent && !send(&parts, text).await {
                    return;
                }
            }
            // Something may have come between looking and waiting.
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

/// Where in the script a connection starts, and what it gets first.
fn open(shared: &Shared, start: Option<StreamId>, recover: Option<&str>) -> (usize, Option<StreamId>, String) {
    let state = shared.state();
    let script = &state.stream;
    let mut text = String::new();
    if recover.is_some() {
        if start.is_none() {
            text += &frame(None, "error", "\"recover needs a start\"");
        } else if script.no_recover {
            text += &frame(start, "no-recover", "\"no\"");
        } else if start == Some(StreamId::START) {
            for stored in state.store.iter().filter(|stored| !stored.is_a("marking-definition")) {
                let data = json!({
                    "version": "4", "type": "create", "scope": "external", "message": "recovered", "data": stored.stix,
                    "origin": { "referer": "init" },
                });
                text += &frame(Some(StreamId { millis: 1, sequence: 0 }), "create", &data.to_string());
            }
        }
    }
    let Some(start) = start else { return (script.items.len(), None, text) };
    let after = |item: &Item| matches!(item, Item::Event { id, .. } if *id > start);
    let place = script.items.iter().position(after).unwrap_or(script.items.len());
    // What was cut before is not cut again, but cuts ahead count.
    let mut begin = place;
    let mut left = script.repeat;
    while left > 0 && begin > 0 && start != StreamId::START {
        begin -= 1;
        left -= usize::from(matches!(script.items[begin], Item::Event { .. }));
    }
    (begin, Some(start), text)
}

/// What a connection gets next.
fn next(shared: &Shared, place: &mut usize, position: &mut Option<StreamId>) -> (Vec<String>, bool, bool) {
    let mut state = shared.state();
    let script = &mut state.stream;
    let mut texts = Vec::new();
    if script.silent {
        return (texts, false, true);
    }
    while let Some(item) = script.items.get_mut(*place) {
        *place += 1;
        match item {
            Item::Event { id, text } => {
                *position = Some(*id);
                texts.push(text.clone());
            }
            Item::Raw(text) => texts.push(std::mem::take(text)),
            Item::Cut { done } if !*done => {
                *done = true;
                return (texts, true, false);
            }
            Item::Cut { .. } => {}
        }
    }
    (texts, false, false)
}
