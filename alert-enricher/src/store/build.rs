//! From STIX objects, lists and tables to a store.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use stix_model::marking::Tlp;
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::AndReading;
use stix_model::sdo::Indicator as StixIndicator;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::pattern_type::PatternType;
use wazuh_query::value;

use super::evaluate::Evaluable;
use super::live::Store;
use super::parts::{Parts, TooLarge};
use super::shape::NUMBER;
use super::worthless::{Worthless, WorthlessReason};
use crate::indicator::{
    Anchor, Indicator, Key, Kind, PatternError, SaysNothing, SkipReason, Skipped, anchors, in_known_terms,
    keys_of_object, keys_of_pattern, kind_of_name, recognise, refang,
};

/// Where the values of a store came from, and what was left out. It is kept in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// When the store was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// From what.
    pub sources: Vec<String>,
    /// How many indicators and values were left out, by the names of the reasons.
    pub skipped: BTreeMap<String, u64>,
    /// How many identifiers came more than once. The newest version of each is in the store.
    pub repeated: u64,
    /// To which store changes belong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<u64>,
}

impl About {
    /// Adds what came later.
    pub(super) fn join(&mut self, later: Self) {
        self.created = later.created.or(self.created);
        for source in later.sources {
            if !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        for (reason, count) in later.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.repeated += later.repeated;
    }
}

/// Collects indicators from any number of sources.
///
/// ```
/// use alert_enricher::store::Builder;
///
/// let mut builder = Builder::default();
/// builder.line("203[.]0[.]113[.]7  # scanner");
/// builder.line("0.0.0.0");
/// let built = builder.finish()?;
/// assert_eq!(built.skipped()[0].to_string(), "0.0.0.0: `0.0.0.0` is worthless: the unspecified address");
/// let store = built.into_store();
/// assert_eq!(store.snapshot().len(), 1);
/// # Ok::<(), alert_enricher::store::TooLarge>(())
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    parts: Parts,
    worthless: Worthless,
    seed: Option<u64>,
    about: About,
    skipped: Vec<Skipped>,
    /// Levels of the markings that the sources define.
    markings: HashMap<Identifier, Tlp>,
    /// Records with markings that are defined later, if at all.
    marked: Vec<(u32, Identifier)>,
    /// How many patterns have nothing to look up.
    unindexed: usize,
}

/// So many patterns with nothing to look up are taken; each is evaluated on every alert that has a field for it.
const UNINDEXED: usize = 256;
/// Longer patterns are not taken.
const LONGEST_PATTERN: usize = 1 << 20;

impl Builder {
    /// A builder that refuses these values.
    pub fn new(worthless: Worthless) -> Self {
        Self { worthless, ..Self::default() }
    }

    /// The hashes of the segment are those of another one.
    pub(super) fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Notes the time of the build.
    pub fn created(&mut self, time: Timestamp) {
        self.about.created = Some(time);
    }

    /// Notes the name of a source.
    pub fn source(&mut self, name: impl Into<String>) {
        self.about.sources.push(name.into());
    }

    /// Takes a STIX object in: an indicator by its pattern, an observable by its values. Other objects are passed
    /// over, but for the definitions of markings.
    pub fn object(&mut self, object: &Object) {
        match object {
            Object::Indicator(indicator) => return self.indicator(object, indicator),
            Object::MarkingDefinition(marking) => {
                if let Some(tlp) = marking.tlp() {
                    self.markings.insert(marking.id().clone(), tlp);
                }
                return;
            }
            _ => {}
        }
        let keys = keys_of_object(object);
        if keys.is_empty() {
            if object.is_observable() {
                let why = empty_input(object).unwrap_or(SkipReason::NoField);
                self.skip(object.id(), why);
            }
            return;
        }
        let indicator = Indicator::of_object(object);
        self.push(&indicator, &keys, object);
    }

    fn indicator(&mut self, object: &Object, stix: &StixIndicator) {
        let id = &stix.common.id;
        let pattern_type = PatternType::read(&stix.pattern_type);
        if let Some(reason) = pattern_type.not_searchable() {
            return self.skip(id, reason);
        }
        if pattern_type != PatternType::Stix {
            return self.skip(id, SkipReason::Rule(pattern_type));
        }
        let keys = match keys_of_pattern(&stix.pattern) {
            Ok(keys) => keys,
            Err(PatternError::Value(_, text)) if value::is_empty_input_digest(text.trim()) => {
                let reason = WorthlessReason::EmptyInput;
                return self.skip(id, SkipReason::Worthless { value: text, reason });
            }
            // What is no list of values may be more than that.
            Err(error @ (PatternError::Operator(_) | PatternError::Property(_))) => {
                return self.compound(object, stix, error);
            }
            Err(error) => return self.skip(id, error),
        };
        let mut indicator = Indicator::of_object(object);
        let says_more = |name: &&str| !name.is_empty() && !keys.iter().any(|key| key.is_written(name));
        indicator.name = stix.name.as_deref().map(str::trim).filter(says_more).map(Box::from);
        self.push(&indicator, &keys, object);
    }

    /// An indicator whose pattern has to be evaluated.
    fn compound(&mut self, object: &Object, stix: &StixIndicator, error: PatternError) {
        let id = &stix.common.id;
        if stix.pattern.len() > LONGEST_PATTERN {
            return self.skip(id, SkipReason::TooLong);
        }
        let Ok(pattern) = Pattern::read(&stix.pattern) else { return self.skip(id, error) };
        let pattern = match in_known_terms(&pattern) {
            Ok(pattern) => pattern,
            Err(error) => return self.skip(id, error),
        };
        let anchors = match anchors(&pattern, &self.worthless) {
            Ok(anchors) => anchors,
            Err(SaysNothing(value, reason)) => return self.skip(id, SkipReason::Worthless { value, reason }),
        };
        let needs_field = anchors.iter().any(|anchor| matches!(anchor, Anchor::Field(_)));
        if needs_field && self.unindexed >= UNINDEXED {
            return self.skip(id, SkipReason::NothingToLookUp { limit: UNINDEXED });
        }
        if let Err(error) = Evaluable::new(pattern, AndReading::Event) {
            return self.skip(id, SkipReason::NotEvaluable(error.to_string()));
        }
        self.unindexed += usize::from(needs_field);
        let mut indicator = Indicator::of_object(object);
        indicator.name = stix.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(Box::from);
        indicator.pattern = Some(stix.pattern.as_str().into());
        let Some(record) = self.record(&indicator, object) else { return };
        for anchor in &anchors {
            match anchor {
                Anchor::Key(key) => {
                    if !self.parts.key(record, key, is_public_suffix(key)) {
                        self.skipped.push(Skipped::object(id, SkipReason::TooLong));
                    }
                }
                Anchor::Number(number) => {
                    self.parts.value(record, NUMBER, &number.to_le_bytes());
                }
                Anchor::Text(fields, text) => self.parts.literal(record, *fields, text.as_bytes()),
                Anchor::Field(fields) => self.parts.always(record, *fields),
            }
        }
    }

    /// Takes one line of a plain list in. Empty lines and what follows a `#` are passed over.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_start_matches('\u{feff}').trim();
        // A `#` inside a URL belongs to it.
        let value = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line).trim() };
        if !value.is_empty() {
            self.value(value, None, None, None);
        }
    }

    /// Takes a plain value in, with the kind, description and score that a table gives.
    pub fn value(&mut self, value: &str, kind: Option<&str>, name: Option<&str>, score: Option<u8>) {
        let named = kind.and_then(kind_of_name).and_then(|kind| Key::new(kind, &refang(value)));
        let what = || value.trim().chars().take(80).collect::<String>();
        let key = match named.map_or_else(|| recognise(value), Ok) {
            Ok(key) => key,
            Err(error) => {
                let empty = value::is_empty_input_digest(value.trim());
                let worthless = SkipReason::Worthless { value: what(), reason: WorthlessReason::EmptyInput };
                let why = if empty { worthless } else { error.into() };
                self.skipped.push(Skipped { what: what(), why });
                return;
            }
        };
        if let Some(reason) = self.worthless.check(&key) {
            let why = SkipReason::Worthless { value: key.to_string(), reason };
            self.skipped.push(Skipped { what: what(), why });
            return;
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty()).map(Box::from);
        let indicator = Indicator { name, score, ..Indicator::new(key.identifier()) };
        if let Some(record) = self.parts.record(&indicator, 0) {
            self.keys(record, &indicator.id, &[key]);
        }
    }

    fn push(&mut self, indicator: &Indicator, keys: &[Key], object: &Object) {
        let id = &indicator.id;
        let mut kept = Vec::with_capacity(keys.len());
        for key in keys {
            match self.worthless.check(key) {
                None => kept.push(key.clone()),
                Some(reason) => self.skip(id, SkipReason::Worthless { value: key.to_string(), reason }),
            }
        }
        if kept.is_empty() {
            return;
        }
        let Some(record) = self.record(indicator, object) else { return };
        self.keys(record, id, &kept);
    }

    /// The record of an indicator with what its object says about versions and markings.
    fn record(&mut self, indicator: &Indicator, object: &Object) -> Option<u32> {
        let rank = object.modified().map_or(0, |time| time.unix_millis());
        let record = self.parts.record(indicator, rank)?;
        for marking in object.object_marking_refs() {
            if Tlp::from_identifier(&marking).is_none() {
                self.marked.push((record, marking));
            }
        }
        Some(record)
    }

    /// Takes an indicator in that is found by any one of these values.
    pub fn indicator_of(&mut self, indicator: &Indicator, keys: &[Key]) {
        if let Some(record) = self.parts.record(indicator, 0) {
            self.keys(record, &indicator.id, keys);
        }
    }

    fn keys(&mut self, record: u32, id: &Identifier, keys: &[Key]) {
        let mut taken = false;
        for key in keys {
            taken |= self.parts.key(record, key, is_public_suffix(key));
        }
        if !taken {
            self.skip(id, SkipReason::TooLong);
        }
    }

    fn skip(&mut self, id: &Identifier, why: impl Into<SkipReason>) {
        self.skipped.push(Skipped::object(id, why));
    }

    /// Notes something of a source that could not be read.
    pub fn skip_source(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.skipped.push(Skipped { what: what.into(), why: SkipReason::Source(why.into()) });
    }

    /// How many indicators there are, versions of one counted each.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The store. Fails only beyond 4 GiB of values.
    pub fn finish(self) -> Result<Built, TooLarge> {
        self.finish_removing(Vec::new())
    }

    /// The same, of a segment that says which indicators of older ones are no more.
    pub(super) fn finish_removing(mut self, removed: Vec<Identifier>) -> Result<Built, TooLarge> {
        for (record, marking) in &self.marked {
            if let Some(tlp) = self.markings.get(marking) {
                self.parts.restrict(*record, *tlp);
            }
        }
        for id in removed {
            self.parts.removed(id);
        }
        let (repeated, older) = self.parts.repeated();
        self.about.repeated = repeated;
        self.skipped.extend(older.iter().map(|id| Skipped::object(id, SkipReason::Superseded)));
        for skipped in &self.skipped {
            *self.about.skipped.entry(skipped.why.name().to_owned()).or_default() += 1;
        }
        let about = serde_json::to_string(&self.about).unwrap_or_default();
        let bytes = self.parts.finish(self.seed, &about)?;
        Ok(Built { bytes, skipped: self.skipped, about: self.about })
    }
}

/// A store as bytes, and what was left out of it.
#[derive(Clone, Debug)]
pub struct Built {
    bytes: Vec<u8>,
    skipped: Vec<Skipped>,
    about: About,
}

impl Built {
    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of the file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What could not be used, and why, in the order of the sources.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Where the values came from.
    pub fn about(&self) -> &About {
        &self.about
    }
}

impl Built {
    /// The store itself.
    pub fn into_store(self) -> Store {
        Store::of_trusted(self.bytes)
    }
}

/// Why an observable with a digest only has nothing to be found by.
fn empty_input(object: &Object) -> Option<SkipReason> {
    let hashes = match object {
        Object::File(file) => &file.hashes,
        Object::Artifact(artifact) => &artifact.hashes,
        _ => return None,
    };
    let (_, digest) = hashes.iter().find(|(_, digest)| value::is_empty_input_digest(digest))?;
    Some(SkipReason::Worthless { value: digest.to_owned(), reason: WorthlessReason::EmptyInput })
}

/// Whether anybody may register names below this one: a domain with sub-domains of strangers.
fn is_public_suffix(key: &Key) -> bool {
    match key {
        Key::Text(Kind::Domain, name) => psl::suffix_str(name).is_none_or(|suffix| suffix.len() == name.len()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_suffixes() {
        for (name, wanted) in [
            ("com", true),
            ("co.uk", true),
            ("github.io", true),
            ("example.co.uk", false),
            ("evil.github.io", false),
            ("evil.example", false),
            ("example", true),
            ("corp.local", false),
        ] {
            let key = Key::new(Kind::Domain, name).unwrap();
            assert_eq!(is_public_suffix(&key), wanted, "{name}");
        }
    }
}
