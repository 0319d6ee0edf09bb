//! One line of JSON in, one line out, in the same order.

use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::{self, Outcome};
use alert_enricher_cli::input;

/// The longest line that is read: a pattern of the greatest length, all of it escaped, fits twice.
const LONGEST: u64 = 16 << 20;

/// The answer to a line that is not what it should be.
#[derive(Serialize)]
struct Refused<'a> {
    id: Option<&'a RawValue>,
    error: &'a str,
}

/// Why a line cannot be used, and its identifier as far as it has one.
pub(super) struct Bad<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) error: String,
}

/// Answers every line of a file with a line of JSON. Empty lines have no answer.
pub(super) fn answer(
    path: &Path,
    mut answer: impl for<'a> FnMut(&'a str) -> Result<String, Bad<'a>>,
) -> Result<Outcome> {
    let mut reader = input::open(path)?;
    let mut out = output::writer(None)?;
    let mut buffer = Vec::new();
    let (mut good, mut bad) = (0_u64, 0_u64);
    loop {
        buffer.clear();
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut buffer);
        if read.with_context(|| format!("{} cannot be read", path.display()))? == 0 {
            break;
        }
        let is_whole = buffer.len() < usize::try_from(LONGEST).unwrap_or(usize::MAX) || buffer.ends_with(b"\n");
        if !is_whole {
            skip_line(&mut reader)?;
        }
        let refused = match str::from_utf8(&buffer) {
            _ if !is_whole => Bad { id: None, error: "the line is longer than 16 MiB".to_owned() },
            Err(_) => Bad { id: None, error: "not valid UTF-8".to_owned() },
            Ok(text) => {
                let text = text.trim_start_matches('\u{feff}').trim();
                if text.is_empty() {
                    continue;
                }
                match answer(text) {
                    Ok(line) => {
                        good += 1;
                        writeln!(out, "{line}")?;
                        continue;
                    }
                    Err(refused) => refused,
                }
            }
        };
        bad += 1;
        serde_json::to_writer(&mut out, &Refused { id: refused.id, error: &refused.error })?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(if good == 0 && bad > 0 { Outcome::Failed } else { Outcome::of(bad) })
}

fn skip_line(reader: &mut dyn std::io::BufRead) -> Result<()> {
    loop {
        let part = reader.fill_buf()?;
        let end = part.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(part.len(), |place| place + 1);
        let is_end = end.is_some() || part.is_empty();
        reader.consume(length);
        if is_end {
            return Ok(());
        }
    }
}
