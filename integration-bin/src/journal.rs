//! The log: `logs/integrations.log` of the manager, where Wazuh's own integrations write, too.
//!
//! Lines look like those of the manager's own log, with the time in UTC:
//! `2026/03/14 09:26:53 custom-opencti: ERROR: …`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use stix_model::Timestamp;

/// Writes lines to the manager's log. What cannot be written there goes to standard error, which the integrator reads.
#[derive(Clone)]
pub(crate) struct Journal {
    path: PathBuf,
    debug: bool,
    /// What no line may hold.
    secret: Option<String>,
}

impl Journal {
    pub(crate) fn new(home: &Path, debug: bool) -> Self {
        Self { path: home.join("logs/integrations.log"), debug, secret: None }
    }

    /// The same log, in which this text never stands.
    pub(crate) fn without(mut self, secret: Option<&str>) -> Self {
        self.secret = secret.filter(|secret| secret.len() >= SHORTEST_SECRET).map(str::to_owned);
        self
    }

    /// What an administrator has to know.
    pub(crate) fn error(&self, line: &str) {
        self.write("ERROR", line);
        eprintln!("custom-opencti: {}", self.plain(line));
    }

    /// What an administrator may want to know.
    pub(crate) fn warning(&self, line: &str) {
        self.write("WARNING", line);
    }

    /// What the resident mode does, for whoever reads the log.
    pub(crate) fn info(&self, line: &str) {
        self.write("INFO", line);
    }

    /// What is told only if the integrator's debug level asks for it.
    pub(crate) fn debug(&self, line: &str) {
        if self.debug {
            self.write("DEBUG", line);
        }
    }

    fn write(&self, level: &str, line: &str) {
        let line = format!("{} custom-opencti: {level}: {}\n", time(), self.plain(line));
        let written = OpenOptions::new().append(true).create(true).open(&self.path);
        // One write call keeps lines of several processes apart.
        let written = written.and_then(|mut file| file.write_all(line.as_bytes()));
        if written.is_err() && level != "ERROR" {
            eprint!("{line}");
        }
    }

    /// One line without the secret, whatever a message holds.
    pub(crate) fn plain(&self, line: &str) -> String {
        let line: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        match &self.secret {
            Some(secret) => line.replace(secret.as_str(), "***"),
            None => line,
        }
    }
}

/// Texts shorter than this are no secrets, and stand in many a line.
const SHORTEST_SECRET: usize = 6;

/// The time as the manager's log has it, in UTC.
fn time() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or_default();
    let text = Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    // 2026-03-14T09:26:53.589Z
    text.get(..19).unwrap_or_default().replace('-', "/").replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_dated_and_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let journal = Journal::new(folder.path(), false).without(Some("s3cret-token"));
        journal.debug("not told");
        journal.warning("one\ntwo s3cret-token");
        let log = std::fs::read_to_string(folder.path().join("logs/integrations.log")).unwrap();
        let (time, line) = log.split_at(19);
        assert_eq!(line, " custom-opencti: WARNING: one two ***\n");
        assert!(time.starts_with("20") && time.matches(['/', ':']).count() == 4, "{time}");
    }
}
