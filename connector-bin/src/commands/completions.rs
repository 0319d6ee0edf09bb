//! `completions`.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::output::{self, Outcome};

pub(crate) fn run(shell: clap_complete::Shell) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "opencti-wazuh-connector", &mut script);
    let mut out = output::writer(None)?;
    out.write_all(&script)?;
    out.flush()?;
    Ok(Outcome::Done)
}
