//! Where results go, and how a run ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

/// How a run ended. The numbers are documented in the help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// Nothing could be read, or the output could not be written.
    Failed,
    /// A mistake in the arguments or the configuration.
    Usage,
    /// Done, but parts of the input could not be used.
    Partial,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
        })
    }

    /// Done, or done in part.
    pub(crate) fn of(skipped: u64) -> Self {
        if skipped == 0 { Self::Done } else { Self::Partial }
    }
}

/// Standard output, or a file.
pub(crate) fn writer(path: Option<&Path>) -> Result<Box<dyn Write>> {
    Ok(match path {
        None => Box::new(BufWriter::new(io::stdout().lock())),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
            Box::new(BufWriter::new(file))
        }
    })
}

/// Whether the reader of our output went away, as `head` does. That is no failure.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// A problem with a part of the input, on standard error. Text of the input loses its control characters.
pub(crate) fn warn(text: &str) {
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    eprintln!("warning: {text}");
}

/// Names the first few problems and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    shown: usize,
    pub(crate) count: u64,
}

impl Warnings {
    const SHOWN: usize = 10;

    pub(crate) fn add(&mut self, text: &str) {
        self.count += 1;
        if self.shown < Self::SHOWN {
            self.shown += 1;
            warn(text);
        }
    }

    pub(crate) fn finish(&self, what: &str) {
        let more = self.count.saturating_sub(self.shown as u64);
        if more > 0 {
            warn(&format!("{more} more {what}"));
        }
    }
}
