//! Documents about what was found, on their way into the indexer. They wait in a spool of their own while it is away or
//! does not take them, so that the manager's events need not wait for it.

use std::path::Path;
use std::time::{Duration, Instant};

use alert_enricher::knowledge::ThreatDocument;
use wazuh_query::store::StoreErrorKind;

use super::indexer::{Matches, Stored};
use super::raise::Away;
use crate::commands::alert::{MOST_TRIES, now};
use crate::journal::Journal;
use crate::spool::{Bounds, Spool};

/// For so long those that wait are written, before what came meanwhile is looked at.
const SLICE: Duration = Duration::from_secs(1);

pub(crate) struct Documents {
    matches: Matches,
    spool: Spool,
    journal: Journal,
    away: Option<Away>,
}

impl Documents {
    /// Those that wait are in a folder of their own in this one.
    pub(super) fn open(matches: Matches, state: &Path, bounds: Bounds, journal: &Journal) -> std::io::Result<Self> {
        let spool = Spool::open(&state.join("documents"), bounds)?;
        let waits = !spool.is_empty()?;
        Ok(Self { matches, spool, journal: journal.clone(), away: waits.then(Away::at_once) })
    }

    /// Writes a document, or keeps it for later. Only if neither is possible that is an error.
    pub(super) fn take(&mut self, document: &ThreatDocument) -> Result<(), String> {
        let Some(stored) = self.matches.stored(document) else { return Ok(()) };
        if self.away.is_none() {
            match self.matches.write(&stored, &self.journal) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.journal.warning(&format!("{error}; documents wait until it is back"));
                    self.away = Some(Away::new());
                }
            }
        }
        let kept = serde_json::to_vec(&stored).map_err(std::io::Error::other);
        let kept = kept.and_then(|bytes| self.spool.append(&bytes, now()));
        let lost = kept.map_err(|error| format!("a document for the indexer could not be kept: {error}"))?;
        if !lost.is_empty() {
            self.journal.error(&format!("documents that waited are lost: {lost}"));
        }
        Ok(())
    }

    /// How long it may take until those that wait are tried again.
    pub(super) fn left(&self) -> Option<Duration> {
        self.away.as_ref().map(Away::left)
    }

    /// Writes those that wait, oldest first, if it is time for that.
    pub(super) fn retry(&mut self) {
        if self.away.as_ref().is_some_and(Away::is_due) {
            self.retry_at_end();
        }
    }

    /// Writes those that wait, whether it is time or not.
    pub(super) fn retry_at_end(&mut self) {
        if self.away.is_none() {
            return;
        }
        match self.drain(Instant::now() + SLICE) {
            Ok(true) => {
                self.away = None;
                self.journal.info("documents that waited were written");
            }
            Ok(false) => self.away = Some(Away::at_once()),
            Err(line) => {
                self.journal.debug(&line);
                self.away = Some(Away::longer(self.away.take()));
            }
        }
    }

    /// Answers whether none waits any more.
    fn drain(&mut self, until: Instant) -> Result<bool, String> {
        let unread = |error: std::io::Error| format!("documents that wait cannot be read: {error}");
        let Some(mut drain) = self.spool.drain().map_err(unread)? else { return Ok(false) };
        while let Some(record) = drain.next(now()).map_err(unread)? {
            match serde_json::from_slice::<Stored>(&record.alert) {
                Ok(stored) => {
                    if let Err(error) = self.matches.write(&stored, &self.journal) {
                        // The indexer is there, and does not take this request.
                        let is_of_document = matches!(error.kind(), StoreErrorKind::Rejected { .. });
                        if !is_of_document || drain.failed().map_err(unread)? < MOST_TRIES {
                            return Err(error.to_string());
                        }
                        self.journal.error(&format!("{error}; the document is dropped"));
                    }
                }
                Err(error) => self.journal.error(&format!("a document that waited is none: {error}")),
            }
            drain.done().map_err(unread)?;
            let lost = std::mem::take(&mut drain.lost);
            if !lost.is_empty() {
                self.journal.error(&format!("documents that waited are lost: {lost}"));
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
