//! What was found in an alert, each once.
//!
//! The same value may stand in a field thousands of times, and the text of a field may be long: texts are kept once and
//! told apart by their numbers, and what was found in a text before is not taken again.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::RandomState;
use wazuh_query::catalogue::FieldId;

use super::filter::Standing;
use super::found::{Comparison, normalisation};
use super::live::Handle;
use super::look_up::{Found, LookUp};
use super::records::Record;
use super::table::numbers;
use crate::indicator::Normalisation;

/// An indicator in an alert, by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) handle: Handle,
    pub(crate) field: SeenField,
    pub(crate) seen: SeenText,
    pub(crate) comparison: Comparison,
    pub(crate) normalisation: Normalisation,
    pub(crate) standing: Standing,
    /// How its pattern fares: the place in [`Look::verdicts`](super::Look::verdicts).
    pub(crate) verdict: Option<usize>,
}

/// A field, by its number among those that are searched, or among all: patterns are evaluated on all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SeenField {
    Searched(FieldId),
    Any(FieldId),
}

/// The text of a field, kept once for an alert. Texts of one alert are told apart and put in order by their numbers, so
/// that comparing them takes no longer for long ones.
#[derive(Clone, Debug)]
pub(crate) struct SeenText {
    number: usize,
    text: Arc<str>,
}

impl SeenText {
    /// The text, for others to keep.
    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

impl Deref for SeenText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for SeenText {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for SeenText {}

impl PartialOrd for SeenText {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SeenText {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number.cmp(&other.number)
    }
}

impl std::hash::Hash for SeenText {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// Something by which a pattern is found that has to be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) handle: Handle,
    pub(super) field: FieldId,
    pub(super) seen: SeenText,
}

/// What tells an entry of a snapshot that was found in a text: its segment, where its records are, the length of its
/// prefix if it is a network, how it was found; and where.
type Once = (usize, usize, u8, Normalisation, FieldId, usize);

/// Collects what is found in an alert.
#[derive(Debug, Default)]
pub(super) struct Hits {
    pub(super) taken: Vec<Hit>,
    pub(super) candidates: Vec<Candidate>,
    texts: HashMap<Arc<str>, usize, RandomState>,
    once: HashSet<Once, RandomState>,
    /// The text that is looked at, once something was found in it.
    current: Option<SeenText>,
}

impl Hits {
    /// Forgets the alert before.
    pub(super) fn clear(&mut self) {
        self.taken.clear();
        self.candidates.clear();
        if !self.texts.is_empty() {
            self.texts.clear();
            self.once.clear();
        }
        self.current = None;
    }

    /// Goes on with another text.
    #[inline]
    pub(super) fn next_text(&mut self) {
        self.current = None;
    }

    /// A text of the alert.
    pub(super) fn text(&mut self, text: &str) -> SeenText {
        if let Some((text, number)) = self.texts.get_key_value(text) {
            return SeenText { number: *number, text: Arc::clone(text) };
        }
        let (number, text) = (self.texts.len(), Arc::<str>::from(text));
        self.texts.insert(Arc::clone(&text), number);
        SeenText { number, text }
    }

    /// Takes what was found in a text: hits, and patterns to be evaluated.
    #[cold]
    pub(super) fn take(
        &mut self,
        look_up: &LookUp<'_>,
        (field, only_patterns): (FieldId, bool),
        text: &str,
        found: &Found<'_, '_>,
    ) {
        let seen = match &self.current {
            Some(seen) => seen.clone(),
            None => self.text(text),
        };
        self.current = Some(seen.clone());
        let records = found.records.as_ptr().addr();
        if !self.once.insert((found.layer, records, found.value.length(), found.way, field, seen.number)) {
            return;
        }
        let layer = u32::try_from(found.layer).unwrap_or(u32::MAX);
        let is_compound = |record| {
            let view = look_up.views.get(found.layer);
            // A record that cannot be read is told when the hit is judged.
            view.and_then(|view| view.record(record).ok()).is_some_and(Record::is_compound)
        };
        for record in numbers(found.records) {
            if look_up.snapshot.layers[found.layer].is_dead(record) {
                continue;
            }
            let handle = Handle { layer, record };
            if is_compound(record) {
                self.candidates.push(Candidate { handle, field, seen: seen.clone() });
                continue;
            }
            if only_patterns {
                continue;
            }
            self.taken.push(Hit {
                handle,
                field: SeenField::Searched(field),
                seen: seen.clone(),
                comparison: Comparison::of_value(found.value),
                normalisation: normalisation(found.way, &seen, found.value),
                standing: Standing::Valid,
                verdict: None,
            });
        }
    }
}
