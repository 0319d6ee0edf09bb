//! Which alerts are worth a closer look: those with a value or a pattern of the store in them.

use std::sync::Arc;

use alert_enricher::knowledge::{JudgeOptions, addresses_in_commands};
use alert_enricher::store::{Decided, FileStore, LookUpError, Match, MatchError, MatchOptions, Matcher};
use memchr::memmem;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Holds};

use super::raise::Found;

/// Looks into the text of alerts.
#[derive(Debug)]
pub(crate) struct Sieve {
    matcher: Matcher,
    store: Arc<FileStore>,
    judge: JudgeOptions,
    /// The fields that hold commands.
    commands: Catalogue,
}

impl Sieve {
    pub(crate) fn new(store: &Arc<FileStore>, catalogue: &Catalogue, judge: JudgeOptions) -> Self {
        let options = MatchOptions { validity: judge.validity, ..MatchOptions::default() };
        let matcher = Matcher::new(&store.store().snapshot(), catalogue, options);
        let commands = catalogue.restricted(|field| matches!(field.holds, Holds::CommandLine | Holds::Argument(_)));
        Self { matcher, store: Arc::clone(store), judge, commands }
    }

    /// Takes over what changed in the store. Costs next to nothing when nothing did.
    pub(crate) fn refresh(&mut self) {
        self.matcher.refresh(self.store.store());
    }

    /// What of the store is in an alert and may count, each once and in order. Empty for nearly all alerts.
    pub(crate) fn look(&mut self, text: &str) -> Result<Vec<Found>, MatchError> {
        let mut matches = self.matcher.matches(text)?;
        // The matcher looks for commands as a whole; what is in them is asked about, too.
        if memmem::find(text.as_bytes(), b"://").is_some()
            && let Ok(alert) = Alert::read(text, &self.commands)
        {
            for address in addresses_in_commands(&alert, &self.commands) {
                match self.matcher.look_up(address) {
                    Ok(found) => matches.extend(found),
                    Err(LookUpError::Damaged(damaged)) => return Err(damaged.into()),
                    Err(_) => {}
                }
            }
        }
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let counting = matches.into_iter().filter(|found| may_count(found, &self.judge));
        let is_whole = |found: &Match| found.verdict.as_ref().is_none_or(|verdict| verdict.decided == Decided::Whole);
        let mut ids: Vec<_> = counting.map(|found| Found { whole: is_whole(&found), id: found.indicator.id }).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// What is told of a store that nobody can trust any more.
pub(super) fn damage(damaged: &MatchError) -> String {
    format!("the indicator store: {damaged}; it is made again at the next start")
}

/// Whether something may be raised for it. What is said of an observable itself decides nothing: its indicators do.
fn may_count(found: &Match, judge: &JudgeOptions) -> bool {
    let indicator = &found.indicator;
    if indicator.id.object_type() != "indicator" {
        return true;
    }
    let is_ignored = |label: &str| judge.ignored_labels.iter().any(|one| one.to_lowercase() == label.to_lowercase());
    found.standing.counts()
        && judge.filter.check(indicator).is_none()
        && !indicator.labels.iter().any(|label| is_ignored(label))
}
