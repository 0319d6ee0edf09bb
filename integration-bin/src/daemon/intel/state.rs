//! What is remembered about the store: where it came from, and up to where it is in step.

use std::fs;
use std::io;
use std::path::Path;

use opencti_client::{Position, StreamId};
use serde::{Deserialize, Serialize};

use crate::daemon::place::replace;

/// Grows when what is in the store is chosen in another way.
const FORMAT: u32 = 1;

/// Beside a store in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    /// What the store was made of: another source makes another store.
    pub(super) source: String,
    /// Up to where changes of the live stream are in it.
    pub(super) start_from: Option<String>,
    /// Until when the platform is to send what changed from its database.
    pub(super) recover_until: Option<String>,
    /// When everything was read, in milliseconds since 1970.
    pub(super) loaded: i64,
    /// When it was last in step.
    pub(super) in_step: i64,
}

impl State {
    pub(super) fn new(source: String, now: i64) -> Self {
        Self { format: FORMAT, source, start_from: None, recover_until: None, loaded: now, in_step: now }
    }

    /// The state in this file. `None` if there is none; an error says what is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let state: Self = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if state.format != FORMAT {
            return Err(format!("it is of format {}, not {FORMAT}", state.format));
        }
        Ok(Some(state))
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, serde_json::to_string(self)?.as_bytes())
    }

    /// Where the live stream goes on.
    pub(super) fn position(&self) -> Position {
        let mut position = Position::default();
        position.start_from = self.start_from.as_deref().and_then(|text| text.parse::<StreamId>().ok());
        position.recover_until.clone_from(&self.recover_until);
        position
    }

    pub(super) fn set_position(&mut self, position: &Position, now: i64) {
        self.start_from = position.start_from.map(|id| id.to_string());
        self.recover_until.clone_from(&position.recover_until);
        self.in_step = now;
    }
}
