//! The log: `logs/integrations.log` of the manager, where Wazuh's own integrations write, too.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes lines to the manager's log. What cannot be written there goes to standard error, which the integrator reads.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    debug: bool,
}

impl Journal {
    pub(crate) fn new(home: &Path, debug: bool) -> Self {
        Self { path: home.join("logs/integrations.log"), debug }
    }

    /// What an administrator has to know.
    pub(crate) fn error(&self, line: &str) {
        self.write("ERROR", line);
        eprintln!("custom-opencti: {}", plain(line));
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
        let line = format!("# custom-opencti: {level}: {}\n", plain(line));
        let written = OpenOptions::new().append(true).create(true).open(&self.path);
        // One write call keeps lines of several processes apart.
        let written = written.and_then(|mut file| file.write_all(line.as_bytes()));
        if written.is_err() && level != "ERROR" {
            eprint!("{line}");
        }
    }
}

/// One line, whatever a message holds.
fn plain(line: &str) -> String {
    line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}
