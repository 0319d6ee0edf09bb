//! Parsers that read what a peer sends, for the fuzz targets.

use serde_json::Value;

use crate::sse::Parser;
use crate::{Error, StreamId, answer};

/// An event of the live stream as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub id: Option<StreamId>,
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: String,
    /// Whether the data was too large, and left out.
    pub oversize: bool,
}

/// Reads events from bytes that come in portions; data of more than `largest` bytes is left out.
pub fn events<'a>(portions: impl Iterator<Item = &'a [u8]>, largest: usize) -> Vec<Event> {
    let mut parser = Parser::new(largest);
    let mut events = Vec::new();
    for portion in portions {
        parser.push(portion);
        while let Some(frame) = parser.next() {
            let (id, oversize) = (frame.id, frame.oversize);
            events.push(Event { id, name: frame.event, data: frame.data, oversize });
        }
    }
    events
}

/// Reads the answer to a request.
pub fn answer(status: u16, body: &str) -> Result<Value, Error> {
    answer::read("OpenCTI", status, None, body).map_err(Error::new)
}
