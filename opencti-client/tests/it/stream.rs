//! The live stream.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opencti_client::graphql::Platform;
use opencti_client::stream::{PlatformStream, StreamConfig};
use opencti_client::testing::{StandIn, StandInBuilder};
use opencti_client::{
    Backoff, Change, ChangeKind, ErrorKind, LiveStream, Notices, Position, Retry, StreamEvent, StreamId, judge,
};
use serde_json::{Value, json};

use crate::support::*;

struct Setup {
    stand_in: StandIn,
    platform: Platform,
    told: Arc<Mutex<Vec<String>>>,
}

impl Setup {
    async fn new(change: impl FnOnce(StandInBuilder) -> StandInBuilder) -> Self {
        let stand_in = change(StandIn::builder().heartbeat(Duration::from_millis(30))).start().await;
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut config = config(&stand_in);
        let listener = told.clone();
        config.notices = Notices::to(move |notice| listener.lock().unwrap().push(notice.to_string()));
        let platform = Platform::connect(config).await.unwrap();
        Self { stand_in, platform, told }
    }

    fn stream(&self, position: Position) -> PlatformStream {
        self.stream_with(position, |_| {})
    }

    fn stream_with(&self, position: Position, change: impl FnOnce(&mut StreamConfig)) -> PlatformStream {
        let mut config = StreamConfig::new("collection-1");
        config.backoff =
            Backoff { retries: u32::MAX, first: Duration::from_millis(5), longest: Duration::from_millis(20) };
        change(&mut config);
        PlatformStream::new(self.platform.clone(), config, position)
    }

    fn told(&self, part: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

fn address(number: u32) -> Value {
    serde_json::to_value(stix_model::sco::Ipv4Addr::new(format!("198.51.100.{number}"))).unwrap()
}

async fn event(stream: &mut PlatformStream) -> StreamEvent {
    tokio::time::timeout(Duration::from_secs(20), stream.next()).await.expect("an event in time").unwrap()
}

async fn change(stream: &mut PlatformStream) -> Change {
    loop {
        if let StreamEvent::Change(change) = event(stream).await {
            return *change;
        }
    }
}

fn value_of(change: &Change) -> String {
    serde_json::to_value(change.object.as_ref().unwrap()).unwrap()["value"].as_str().unwrap().to_owned()
}

fn start() -> Position {
    Position::at(StreamId::START)
}

#[tokio::test]
async fn changes_and_positions() {
    let setup = Setup::new(|builder| builder).await;
    let first = setup.stand_in.stream_event(ChangeKind::Create, &address(1));
    let second = setup.stand_in.stream_event(ChangeKind::Update, &address(2));
    let mut stream = setup.stream(start());
    assert!(matches!(event(&mut stream).await, StreamEvent::Connected));
    let create = change(&mut stream).await;
    assert_eq!((create.kind, value_of(&create).as_str()), (ChangeKind::Create, "198.51.100.1"));
    assert_eq!(create.message.as_deref(), Some("something changed"));
    assert_eq!(stream.position().start_from, Some(StreamId::START), "more may come with the same place");
    let update = change(&mut stream).await;
    assert_eq!(update.kind, ChangeKind::Update);
    assert_eq!(stream.position().start_from, Some(first));
    // A heartbeat settles the last one.
    assert!(matches!(event(&mut stream).await, StreamEvent::Progress));
    assert_eq!(stream.position().start_from, Some(second));
    let third = setup.stand_in.stream_event(ChangeKind::Delete, &address(3));
    assert_eq!(change(&mut stream).await.kind, ChangeKind::Delete);
    drop(stream);

    let mut later = setup.stream(Position::at(second));
    assert_eq!(value_of(&change(&mut later).await), "198.51.100.3");
    assert!(third > second);
    let connections = setup.stand_in.stream_connections();
    assert_eq!(connections[0].stream, "collection-1");
    assert_eq!(connections[0].from.as_deref(), Some("0-0"));
    let header = |name: &str| connections[0].headers.get(name).map(String::as_str);
    assert_eq!(header("listen-delete"), Some("true"));
    assert_eq!(header("no-dependencies"), Some("true"));
    assert_eq!(header("with-inferences"), Some("false"));
    setup.stand_in.assert_nothing_refused();
}

/// Acceptance 19: reconnection with the last place; nothing is lost, and what comes twice is left out.
#[tokio::test]
async fn broken_connections() {
    let setup = Setup::new(|builder| builder).await;
    setup.stand_in.stream_repeats(3);
    let mut stream = setup.stream(start());
    for number in 1..=30 {
        setup.stand_in.stream_event(ChangeKind::Create, &address(number));
        if number % 7 == 0 {
            setup.stand_in.stream_cut();
        }
    }
    for number in 1..=30 {
        assert_eq!(value_of(&change(&mut stream).await), format!("198.51.100.{number}"));
    }
    assert_eq!(setup.told("live stream: connected"), 5);
    assert!(setup.told("came twice") >= 8, "{:?}", setup.told);
    let connections = setup.stand_in.stream_connections();
    assert_ne!(connections[1].from, connections[2].from);

    // The platform is away for a while.
    setup.stand_in.stop().await;
    setup.stand_in.stream_event(ChangeKind::Create, &address(31));
    let waiting = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(!matches!(waiting, Ok(Err(_))), "{waiting:?}");
    setup.stand_in.resume().await;
    assert_eq!(value_of(&change(&mut stream).await), "198.51.100.31");
}

/// Acceptance 19: no sign of life.
#[tokio::test]
async fn watchdog() {
    let setup = Setup::new(|builder| builder).await;
    setup.stand_in.stream_event(ChangeKind::Create, &address(1));
    let mut stream = setup.stream_with(start(), |config| config.watchdog = Duration::from_millis(200));
    change(&mut stream).await;
    setup.stand_in.stream_silent(true);
    setup.stand_in.stream_event(ChangeKind::Create, &address(2));
    let (next, ()) = tokio::join!(change(&mut stream), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        setup.stand_in.stream_silent(false);
    });
    assert_eq!(value_of(&next), "198.51.100.2");
    assert!(setup.told("no answer from OpenCTI") >= 1, "{:?}", setup.told);
}

/// Acceptance 19: recovery from the database, and `no-recover`.
#[tokio::test]
async fn recovery() {
    let setup = Setup::new(|builder| builder).await;
    setup.stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.9"));
    setup.stand_in.stream_event(ChangeKind::Create, &address(1));
    let mut stream = setup.stream(Position::everything_until("2026-01-01T00:00:00+00:00"));
    let recovered = change(&mut stream).await;
    assert!(recovered.is_recovery && value_of(&recovered) == "198.51.100.9");
    let live = change(&mut stream).await;
    assert!(!live.is_recovery && value_of(&live) == "198.51.100.1");
    let recover = setup.stand_in.stream_connections()[0].recover.clone();
    assert_eq!(recover.as_deref(), Some("2026-01-01T00:00:00+00:00"));
    assert!(stream.position().recover_until.is_some());

    drop(stream);
    setup.stand_in.stream_without_recovery();
    let mut stream = setup.stream(Position::everything_until("2026-01-01T00:00:00Z"));
    assert_eq!(value_of(&change(&mut stream).await), "198.51.100.1");
    assert_eq!(stream.position().recover_until, None, "dropped for good");
    setup.stand_in.stream_cut();
    setup.stand_in.stream_event(ChangeKind::Create, &address(2));
    change(&mut stream).await;
    assert_eq!(setup.stand_in.stream_connections().last().unwrap().recover, None);

    let mut now = setup.stream(Position::default());
    assert!(matches!(event(&mut now).await, StreamEvent::Connected));
    setup.stand_in.stream_event(ChangeKind::Create, &address(3));
    assert_eq!(value_of(&change(&mut now).await), "198.51.100.3");
}

/// Acceptance 19: U+2028 in data; odd frames cost themselves.
#[tokio::test]
async fn odd_frames() {
    let setup = Setup::new(|builder| builder).await;
    let mut stream = setup.stream_with(start(), |config| config.largest_event = 10_000);
    assert!(matches!(event(&mut stream).await, StreamEvent::Connected));
    let text = json!({ "type": "text", "id": id("text", 1), "spec_version": "2.1", "value": "a\u{2028}b\u{85}c" });
    setup.stand_in.stream_event(ChangeKind::Create, &text);
    assert_eq!(value_of(&change(&mut stream).await), "a\u{2028}b\u{85}c");
    setup.stand_in.stream_raw(
        "event: create\ndata: {\"no\":1}\n\n: comment\n\nevent: new\ndata: x\n\nevent: error\ndata: \"odd\"\n\n",
    );
    setup.stand_in.stream_event(ChangeKind::Create, &json!({ "type": "tool", "id": "nonsense" }));
    let unreadable = change(&mut stream).await;
    assert!(unreadable.object.is_err());
    setup.stand_in.stream_event(ChangeKind::Create, &json!({ "type": "text", "value": "x".repeat(20_000) }));
    setup.stand_in.stream_event(ChangeKind::Create, &address(4));
    assert_eq!(value_of(&change(&mut stream).await), "198.51.100.4");
    assert!(setup.told("dropped: it is too large") == 1 && setup.told("dropped") == 3, "{:?}", setup.told);
}

#[tokio::test]
async fn streams_that_cannot_be_followed() {
    let setup = Setup::new(|builder| builder).await;
    let mut stream = setup.stream(start());
    setup.stand_in.stream_status(Some(410));
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Http { status: 410, .. }), "{error}");
    assert_eq!(judge(&error), Retry::Later);
    setup.stand_in.stream_status(Some(401));
    assert!(stream.next().await.unwrap_err().is_auth());
    // What passes is tried again, without an error.
    setup.stand_in.stream_status(Some(500));
    let waiting = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(waiting.is_err());
    setup.stand_in.stream_status(None);
    assert!(matches!(event(&mut stream).await, StreamEvent::Connected));
}

/// A call that is dropped loses nothing.
#[tokio::test]
async fn dropped_calls() {
    let setup = Setup::new(|builder| builder).await;
    let mut stream = setup.stream(start());
    for number in 1..=20 {
        setup.stand_in.stream_event(ChangeKind::Create, &address(number));
    }
    let mut seen = Vec::new();
    while seen.len() < 20 {
        if let Ok(Ok(StreamEvent::Change(change))) =
            tokio::time::timeout(Duration::from_micros(700), stream.next()).await
        {
            seen.push(value_of(&change));
        }
    }
    assert_eq!(seen, (1..=20).map(|number| format!("198.51.100.{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn from_now_on_there_is_a_place_at_once() {
    let setup = Setup::new(|builder| builder).await;
    let newest = setup.stand_in.stream_event(ChangeKind::Create, &address(1));
    let mut stream = setup.stream(Position::default());
    assert!(matches!(event(&mut stream).await, StreamEvent::Connected));
    assert_eq!(stream.position().start_from, Some(newest));
    // What comes between this connection and the next one is not missed.
    drop(stream);
    setup.stand_in.stream_event(ChangeKind::Create, &address(2));
    let mut stream = setup.stream(Position::at(newest));
    assert_eq!(value_of(&change(&mut stream).await), "198.51.100.2");
}
