//! Where results go, and how a run ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use alert_enricher_cli::{Warnings, is_closed_pipe, warn};
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
