//! What programs that work on files share: indicators from files, and the command `store`.
//!
//! What it decides lies in `alert-enricher`; here is what reads and writes for people at a command line. Problems with
//! parts of the input go to standard error, results where the caller wants them.

mod arguments;
pub mod input;
pub mod store;

use std::io;

pub use arguments::{
    AddArguments, BuildArguments, InfoArguments, LookupArguments, MatchArguments, RemoveArguments, WorthlessArguments,
};

/// Whether the reader of our output went away, as `head` does. That is no failure.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// A problem with a part of the input, on standard error. Text of the input loses its control characters.
pub fn warn(text: &str) {
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    eprintln!("warning: {text}");
}

/// Names the first few problems and counts the rest.
#[derive(Debug, Default)]
pub struct Warnings {
    shown: usize,
    /// How many there were.
    pub count: u64,
}

impl Warnings {
    const SHOWN: usize = 10;

    /// Adds one.
    pub fn add(&mut self, text: &str) {
        self.count += 1;
        if self.shown < Self::SHOWN {
            self.shown += 1;
            warn(text);
        }
    }

    /// Says how many were not named.
    pub fn finish(&self, what: &str) {
        let more = self.count.saturating_sub(self.shown as u64);
        if more > 0 {
            warn(&format!("{more} more {what}"));
        }
    }
}
