//! The live stream: what changes in the platform, as it changes.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stix_model::{Object, ObjectError};

use crate::{ConnectorState, Error};

/// A place in the stream: milliseconds and a number within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds since 1970.
    pub millis: u64,
    /// The number within the millisecond.
    pub sequence: u64,
}

impl StreamId {
    /// The beginning of what is kept.
    pub const START: Self = Self { millis: 0, sequence: 0 };
}

impl FromStr for StreamId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, sequence) = text.trim().split_once('-').unwrap_or((text.trim(), "0"));
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        Ok(Self { millis: number(millis)?, sequence: number(sequence)? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.millis, self.sequence)
    }
}

/// Where to go on, as it is kept: in the connector's state, or on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// Where to go on; now when there is none.
    pub start_from: Option<StreamId>,
    /// The platform first sends everything from its database that changed between `start_from` and this date, in
    /// RFC 3339, and follows the stream from there.
    pub recover_until: Option<String>,
}

impl Position {
    /// From the beginning, with everything that the database holds until a date.
    pub fn everything_until(date: impl Into<String>) -> Self {
        Self { start_from: Some(StreamId::START), recover_until: Some(date.into()) }
    }

    /// From a place in the stream.
    pub fn at(id: StreamId) -> Self {
        Self { start_from: Some(id), recover_until: None }
    }

    /// Reads a connector's state, in the spelling of older connectors too.
    pub fn from_state(state: &ConnectorState) -> Option<Self> {
        let place = state.get("start_from").or_else(|| state.get("connectorLastEventId"))?;
        let recover_until = state.get("recover_until").or_else(|| state.get("connectorStartTime"));
        Some(Self { start_from: place.parse().ok(), recover_until })
    }

    /// The connector's state.
    pub fn to_state(&self) -> ConnectorState {
        let mut state = json!({});
        if let Some(id) = self.start_from {
            state["start_from"] = id.to_string().into();
        }
        if let Some(date) = &self.recover_until {
            state["recover_until"] = date.clone().into();
        }
        ConnectorState::new(state.to_string())
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new in this stream: created, or changed so that it fits the stream's filter.
    Create,
    /// It changed.
    Update,
    /// It is gone from this stream: deleted, or changed so that it does not fit any more.
    Delete,
}

/// An object changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The object as it is now, or was.
    pub object: Result<Object, ObjectError>,
    /// What happened, in words.
    pub message: Option<String>,
    /// Whether the object is sent because another one refers to it.
    pub is_dependency: bool,
    /// Whether the object is sent from the database, not from the stream.
    pub is_recovery: bool,
    /// The patch of an update, and what the platform adds to it.
    pub context: Option<Value>,
}

/// Something that the stream brings.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The connection stands, for the first time or again.
    Connected,
    /// An object changed.
    Change(Box<Change>),
    /// Nothing but a new place in the stream.
    Progress,
}

/// The live stream.
#[async_trait]
pub trait LiveStream: Send {
    /// Waits for the next event. Broken connections are made again at the place where they broke; an error is one that
    /// needs somebody to act, and the stream can be asked again after it.
    ///
    /// Events may come again after a reconnection, and must be handled so that it does no harm.
    async fn next(&mut self) -> Result<StreamEvent, Error>;

    /// Where to go on after the last event that was returned. To be kept once that event was dealt with.
    fn position(&self) -> Position;
}

impl Change {
    /// Reads the data of an event.
    pub fn read(kind: ChangeKind, data: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow, rename = "data")]
            object: &'a RawValue,
            #[serde(default)]
            message: Option<String>,
            #[serde(default)]
            origin: Option<Origin>,
            #[serde(default)]
            context: Option<Value>,
        }
        #[derive(Deserialize)]
        struct Origin {
            #[serde(default)]
            referer: Option<String>,
        }
        let read: Data<'_> = serde_json::from_str(data)?;
        let referer = read.origin.and_then(|origin| origin.referer);
        Ok(Self {
            kind,
            object: Object::from_json(read.object.get()),
            message: read.message,
            is_dependency: referer.as_deref() == Some("dependencies"),
            is_recovery: referer.as_deref() == Some("init"),
            context: read.context,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered() {
        let id = |text: &str| text.parse::<StreamId>().unwrap();
        assert!(id("1700000000000-2") > id("1700000000000-1") && id("9-0") < id("10-0"));
        assert_eq!(id("0"), StreamId::START);
        for odd in ["", "x", "1-x", "-1", "1-2-3", "99999999999999999999-0"] {
            assert!(odd.parse::<StreamId>().is_err(), "{odd}");
        }
    }

    /// Acceptance 19: the position survives in the connector's state, old spellings included.
    #[test]
    fn position_as_state() {
        let position = Position {
            start_from: Some(StreamId { millis: 5, sequence: 1 }),
            recover_until: Some("2026-01-01T00:00:00Z".into()),
        };
        assert_eq!(Position::from_state(&position.to_state()), Some(position));
        let old = ConnectorState::new(r#"{"connectorLastEventId":"7-0","connectorStartTime":"2024-01-01"}"#);
        let old = Position::from_state(&old).unwrap();
        assert_eq!((old.start_from.unwrap().millis, old.recover_until.as_deref()), (7, Some("2024-01-01")));
        assert_eq!(Position::from_state(&ConnectorState::default()), None);
    }
}
