//! The store that lives: a list of immutable segments that is replaced as a whole.
//!
//! Readers take the list as it is and keep it as long as they like; writers make a new one and put it in its place. What
//! is added becomes a small segment of its own, small segments are merged by size, and what is removed is marked in a
//! bit per record. So neither side ever waits for the other.

use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use stix_model::Identifier;

use super::build::{About, Builder, Built};
use super::format::{Damaged, OpenError};
use super::hash::Seed;
use super::parts::{Parts, TooLarge};
use super::records::Record;
use super::segment::{Segment, View};
use super::shape::{GRAM, NUMBER, Shape, code};
use super::table::WHOLE;
use crate::indicator::{Indicator, Key, Kind, classes};

/// A segment is merged with the one before it when that has not so many times its records.
const RATIO: usize = 8;
/// Merges of up to so many records are done by whoever adds; larger ones are left to [`Store::compact`].
const SMALL: usize = 8_192;
/// With so many segments they are merged whatever their size.
const MOST: usize = 16;

/// A segment and which of its records are no more.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) segment: Arc<Segment>,
    dead: Option<Arc<[u64]>>,
    live: usize,
}

impl Layer {
    fn new(segment: Arc<Segment>) -> Self {
        let live = segment.view().record_count();
        Self { segment, dead: None, live }
    }

    #[inline]
    pub(super) fn is_dead(&self, record: u32) -> bool {
        let word = self.dead.as_ref().and_then(|dead| dead.get(record as usize / 64));
        word.is_some_and(|word| word & 1 << (record % 64) != 0)
    }

    /// The layer without these indicators, and how many of them it had.
    fn without(&self, ids: &[Identifier]) -> Result<(Self, usize), Damaged> {
        let view = self.segment.view();
        let mut dead: Option<Vec<u64>> = None;
        let mut count = 0;
        for id in ids {
            let Some(record) = view.find(id)? else { continue };
            let dead = dead.get_or_insert_with(|| match &self.dead {
                Some(dead) => dead.to_vec(),
                None => vec![0; view.record_count().div_ceil(64)],
            });
            let Some(word) = dead.get_mut(record as usize / 64) else { continue };
            let bit = 1 << (record % 64);
            count += usize::from(*word & bit == 0);
            *word |= bit;
        }
        let Some(dead) = dead else { return Ok((self.clone(), 0)) };
        Ok((Self { segment: Arc::clone(&self.segment), dead: Some(dead.into()), live: self.live - count }, count))
    }
}

/// The state of a store at a moment. It never changes.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) layers: Vec<Layer>,
    pub(super) seed: Seed,
    /// Of each kind that is looked up part by part, one bit per number of parts in use.
    parts: [u64; 4],
    codes: u64,
    /// Where the texts stand that patterns need, and the fields that they need with whatever value.
    pub(super) texts: u64,
    pub(super) always: u64,
    compound: u64,
    generation: u64,
}

/// The kinds that are looked up part by part, in the order of [`Snapshot::parts`].
const PARTED: [Kind; 4] = [Kind::Domain, Kind::File, Kind::Directory, Kind::RegistryKey];

impl Snapshot {
    fn new(layers: Vec<Layer>, seed: Seed, generation: u64) -> Self {
        let shapes = || layers.iter().map(|layer| layer.segment.shape());
        let codes = shapes().fold(0, |codes, shape| codes | shape.codes);
        let parts = PARTED.map(|kind| shapes().fold(0, |parts, shape| parts | shape.parts(kind)));
        let union = |of: fn(&Shape) -> u64| shapes().fold(0, |all, shape| all | of(shape));
        let (texts, always) = (union(|shape| shape.texts), union(|shape| shape.always));
        let compound = union(|shape| shape.compound);
        Self { layers, seed, parts, codes, texts, always, compound, generation }
    }

    /// Grows with every change of the store.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many indicators there are.
    pub fn len(&self) -> usize {
        self.layers.iter().map(|layer| layer.live).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.layers.len()
    }

    /// Bytes of all segments.
    pub fn size(&self) -> usize {
        self.layers.iter().map(|layer| layer.segment.bytes().len()).sum()
    }

    /// How many values of a kind there are, those of removed indicators among them until segments are merged.
    pub fn count(&self, kind: Kind) -> u64 {
        self.layers.iter().map(|layer| u64::from(layer.segment.view().count(kind))).sum()
    }

    #[inline]
    pub(super) fn has(&self, code: u8) -> bool {
        self.codes & 1 << code != 0
    }

    /// Whether compound patterns are found by values of this code.
    #[inline]
    pub(super) fn has_compound(&self, code: u8) -> bool {
        self.compound & 1 << code != 0
    }

    /// The groups of fields in which something is looked for beside the kinds of values.
    pub(super) fn classes(&self) -> u64 {
        let files = self.has_compound(code(Kind::File)) || self.has_compound(code(Kind::Directory));
        let numbers = if self.has(NUMBER) { classes::NUMBERS } else { 0 };
        self.texts | self.always | numbers | if files { classes::FILE } else { 0 }
    }

    /// One bit per kind in use.
    pub(super) fn kinds(&self) -> u32 {
        Kind::ALL.into_iter().filter(|kind| self.has(code(*kind))).fold(0, |bits, kind| bits | kind.bit())
    }

    /// One bit per number of parts of the values of a kind.
    #[inline]
    pub(super) fn parts(&self, kind: Kind) -> u64 {
        PARTED.iter().position(|parted| *parted == kind).map_or(0, |place| self.parts[place])
    }

    pub(super) fn views(&self) -> Vec<View<'_>> {
        self.layers.iter().map(|layer| layer.segment.view()).collect()
    }

    /// What is known about an indicator.
    pub fn get(&self, id: &Identifier) -> Result<Option<Indicator>, Damaged> {
        for layer in &self.layers {
            let view = layer.segment.view();
            if let Some(record) = view.find(id)?.filter(|record| !layer.is_dead(*record)) {
                return view.indicator(record).map(Some);
            }
        }
        Ok(None)
    }

    /// Every indicator.
    pub fn indicators(&self) -> impl Iterator<Item = Result<Indicator, Damaged>> {
        self.records().map(|(handle, view)| view.indicator(handle.record))
    }

    /// Every indicator by its place.
    pub(super) fn records(&self) -> impl Iterator<Item = (Handle, View<'_>)> {
        self.layers.iter().zip(0_u32..).flat_map(|(layer, place)| {
            let view = layer.segment.view();
            let count = u32::try_from(view.record_count()).unwrap_or(u32::MAX);
            let live = (0..count).filter(|record| !layer.is_dead(*record));
            live.map(move |record| (Handle { layer: place, record }, view))
        })
    }

    /// Every value that is an indicator by itself, with that indicator. What patterns are found by is not among them.
    pub fn keys(&self) -> impl Iterator<Item = Result<(Handle, Key), Damaged>> {
        self.layers.iter().zip(0_u32..).flat_map(|(layer, place)| {
            let view = layer.segment.view();
            let keys = view.keys();
            let is_compound = move |record| view.record(record).is_ok_and(Record::is_compound);
            keys.filter(move |key| !matches!(key, Ok((record, _)) if layer.is_dead(*record) || is_compound(*record)))
                .map(move |key| key.map(|(record, key)| (Handle { layer: place, record }, key)))
        })
    }

    /// What is known about the indicator at a place of this snapshot.
    pub fn indicator(&self, handle: Handle) -> Result<Indicator, Damaged> {
        let layer = self.layers.get(handle.layer as usize);
        let view = layer.map(|layer| layer.segment.view()).ok_or(Damaged { what: "number of a segment", place: 0 })?;
        view.indicator(handle.record)
    }

    /// Whether what stands at a place of this snapshot is an indicator, not an observable or a value of a list.
    pub(crate) fn is_indicator(&self, handle: Handle) -> Result<bool, Damaged> {
        let Some(layer) = self.layers.get(handle.layer as usize) else { return Ok(false) };
        let view = layer.segment.view();
        Ok(view.object_type(view.record(handle.record)?) == "indicator")
    }

    /// Where the values came from.
    pub fn about(&self) -> Result<About, Damaged> {
        let mut all = About::default();
        for layer in &self.layers {
            all.join(serde_json::from_str(layer.segment.view().about()?).unwrap_or_default());
        }
        Ok(all)
    }

    /// Verifies every byte.
    pub fn verify(&self) -> Result<(), Damaged> {
        self.layers.iter().try_for_each(|layer| layer.segment.verify())
    }

    /// All of it as one segment: the bytes of a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MergeError> {
        if let [layer] = self.layers.as_slice()
            && layer.dead.is_none()
        {
            layer.segment.verify()?;
            return Ok(layer.segment.bytes().to_vec());
        }
        merge(&self.layers, self.seed, Vec::new(), None)
    }

    /// What came after the oldest segment as a segment of its own: what was added and what was removed.
    #[cfg(feature = "mmap")]
    pub(super) fn changes(&self) -> Result<Vec<u8>, MergeError> {
        let Some((base, rest)) = self.layers.split_first() else { return merge(&[], self.seed, Vec::new(), None) };
        let view = base.segment.view();
        let count = u32::try_from(view.record_count()).unwrap_or(u32::MAX);
        let removed = (0..count).filter(|record| base.is_dead(*record)).map(|record| view.identifier(record));
        merge(rest, self.seed, removed.collect::<Result<_, _>>()?, Some(base.segment.identity()))
    }

    /// Bytes of the oldest segment.
    #[cfg(feature = "mmap")]
    pub(super) fn base_size(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.segment.bytes().len())
    }

    /// Tells the content of the oldest segment from any other.
    #[cfg(feature = "mmap")]
    pub(super) fn base_identity(&self) -> u64 {
        self.layers.first().map_or(0, |layer| layer.segment.identity())
    }
}

/// Where an indicator stands in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    pub(super) layer: u32,
    pub(super) record: u32,
}

/// Why segments could not be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// One of them is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// Together they are too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Indicators by their values, to be changed and asked at the same time.
///
/// Changes are made one after the other and are visible when the call returns. Whoever asks takes a [`Snapshot`], which
/// costs next to nothing, and is never blocked.
///
/// ```
/// use alert_enricher::indicator::{Key, Kind};
/// use alert_enricher::store::{Builder, Store};
///
/// let store = Store::default();
/// let mut builder = store.builder(Default::default());
/// builder.line("evil.example");
/// store.add(builder)?;
/// let id = Key::new(Kind::Domain, "evil.example").unwrap().identifier();
/// assert!(store.snapshot().get(&id)?.is_some());
/// assert_eq!(store.remove(&[id])?, 1);
/// assert!(store.snapshot().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store {
    current: ArcSwap<Snapshot>,
    /// Held while the list of segments is changed.
    writer: Mutex<()>,
}

impl Default for Store {
    /// An empty store whose hashes nobody can foresee.
    fn default() -> Self {
        let seed = foldhash::quality::RandomState::default().hash_one(0);
        Self::of_layers(Vec::new(), Seed::new(seed))
    }
}

impl Store {
    fn of_layers(layers: Vec<Layer>, seed: Seed) -> Self {
        Self { current: ArcSwap::from_pointee(Snapshot::new(layers, seed, 0)), writer: Mutex::new(()) }
    }

    pub(super) fn of_trusted(bytes: Vec<u8>) -> Self {
        match Segment::trusted(bytes) {
            Ok(segment) => Self::of_segment(segment),
            Err(error) => {
                debug_assert!(false, "{error}");
                Self::default()
            }
        }
    }

    fn of_segment(segment: Segment) -> Self {
        let seed = segment.seed();
        Self::of_layers(vec![Layer::new(Arc::new(segment))], seed)
    }

    /// Opens the bytes of a file. Nothing is copied: a mapped file is shared with other processes.
    ///
    /// Header, filter and index are verified at once, everything else when it is first read; a store of up to one
    /// mebibyte is verified as a whole.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, OpenError> {
        Segment::open(Arc::new(bytes)).map(Self::of_segment)
    }

    /// Opens the bytes of a file and those of the changes that were made to it.
    #[cfg(feature = "mmap")]
    pub(super) fn open_changed(
        base: Arc<dyn AsRef<[u8]> + Send + Sync>,
        changes: Option<Arc<dyn AsRef<[u8]> + Send + Sync>>,
    ) -> Result<Self, OpenError> {
        let base = Segment::open(base)?;
        let seed = base.seed();
        let mut layers = vec![Layer::new(Arc::new(base))];
        if let Some(changes) = changes {
            let changes = Segment::open(changes)?;
            let view = changes.view();
            let about: About = serde_json::from_str(view.about()?).unwrap_or_default();
            if about.base != layers.first().map(|layer| layer.segment.identity()) {
                // They were made to a store that was replaced since.
                return Ok(Self::of_layers(layers, seed));
            }
            let mut gone = view.removed()?;
            let count = u32::try_from(view.record_count()).unwrap_or(u32::MAX);
            for record in 0..count {
                gone.push(view.identifier(record)?);
            }
            if let Some(base) = layers.first_mut() {
                *base = base.without(&gone)?.0;
            }
            if count > 0 {
                layers.push(Layer::new(Arc::new(changes)));
            }
        }
        Ok(Self::of_layers(layers, seed))
    }

    /// Goes on with another state.
    #[cfg(feature = "mmap")]
    pub(super) fn restore(&self, state: &Snapshot) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.current.load().generation + 1;
        self.current.store(Arc::new(Snapshot::new(state.layers.clone(), state.seed, generation)));
    }

    /// The state at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Whether a snapshot is still the current state.
    pub fn is_current(&self, snapshot: &Snapshot) -> bool {
        self.current.load().generation == snapshot.generation
    }

    /// A builder for what is to be added.
    pub fn builder(&self, worthless: super::Worthless) -> Builder {
        Builder::new(worthless).with_seed(self.current.load().seed.number())
    }

    /// Adds indicators, or replaces those with the same identifiers. The builder has to be one of this store's own.
    ///
    /// What was added is visible before small segments are merged.
    pub fn add(&self, builder: Builder) -> Result<Built, ChangeError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        let built = builder.finish()?;
        let segment = Segment::trusted(built.bytes().to_vec())?;
        if segment.seed() != current.seed {
            return Err(ChangeError::Foreign);
        }
        self.push(&current, segment)?;
        Ok(built)
    }

    /// Adds everything that is in another store, or replaces what has the same identifiers.
    pub fn join(&self, other: &Snapshot) -> Result<(), ChangeError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        let segment = Segment::trusted(merge(&other.layers, current.seed, Vec::new(), None)?)?;
        self.push(&current, segment)
    }

    fn push(&self, current: &Snapshot, segment: Segment) -> Result<(), ChangeError> {
        let view = segment.view();
        let count = u32::try_from(view.record_count()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        let ids = (0..count).map(|record| view.identifier(record)).collect::<Result<Vec<_>, _>>()?;
        let (mut layers, _) = without(&current.layers, &ids)?;
        layers.push(Layer::new(Arc::new(segment)));
        self.publish(layers, current);
        self.tidy(SMALL)
    }

    /// Removes indicators. Answers how many of them were there.
    pub fn remove(&self, ids: &[Identifier]) -> Result<usize, ChangeError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        let (layers, count) = without(&current.layers, ids)?;
        if count > 0 {
            self.publish(layers, &current);
        }
        Ok(count)
    }

    /// Merges all segments into one. Readers go on meanwhile; writers wait.
    pub fn compact(&self) -> Result<(), ChangeError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        if current.layers.len() > 1 || current.layers.iter().any(|layer| layer.dead.is_some()) {
            let merged = Segment::trusted(merge(&current.layers, current.seed, Vec::new(), None)?)?;
            self.publish(vec![Layer::new(Arc::new(merged))], &current);
        }
        Ok(())
    }

    /// Merges neighbours of similar size. The last one is always the smallest then, and there are few.
    fn tidy(&self, limit: usize) -> Result<(), ChangeError> {
        loop {
            let current = self.current.load_full();
            let layers = &current.layers;
            let limit = if layers.len() > MOST { usize::MAX } else { limit };
            let due = layers
                .array_windows::<2>()
                .rposition(|[one, other]| one.live < other.live * RATIO && one.live + other.live <= limit);
            let Some(place) = due else { return Ok(()) };
            let merged = Segment::trusted(merge(&layers[place..place + 2], current.seed, Vec::new(), None)?)?;
            let mut layers = layers.clone();
            layers.splice(place..place + 2, [Layer::new(Arc::new(merged))]);
            self.publish(layers, &current);
        }
    }

    fn publish(&self, layers: Vec<Layer>, before: &Snapshot) {
        // The oldest segment stays: changes of a file are told from it.
        let mut first = true;
        let layers = layers.into_iter().filter(|layer| std::mem::take(&mut first) || layer.live > 0).collect();
        self.current.store(Arc::new(Snapshot::new(layers, before.seed, before.generation + 1)));
    }
}

/// Why a store could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// A part of it is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// It would be too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The builder is not one of this store's.
    #[error("the values were put together for another store")]
    Foreign,
    /// A segment that was just made cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<MergeError> for ChangeError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Damaged(error) => Self::Damaged(error),
            MergeError::TooLarge(error) => Self::TooLarge(error),
        }
    }
}

fn without(layers: &[Layer], ids: &[Identifier]) -> Result<(Vec<Layer>, usize), Damaged> {
    let mut count = 0;
    let layers = layers.iter().map(|layer| {
        let (layer, gone) = layer.without(ids)?;
        count += gone;
        Ok(layer)
    });
    let layers = layers.collect::<Result<_, _>>()?;
    Ok((layers, count))
}

/// One segment with everything that is in these.
fn merge(layers: &[Layer], seed: Seed, removed: Vec<Identifier>, base: Option<u64>) -> Result<Vec<u8>, MergeError> {
    let mut parts = Parts::default();
    let mut about: Option<About> = None;
    for layer in layers {
        let view = layer.segment.view();
        let other: About = serde_json::from_str(view.about()?).unwrap_or_default();
        match &mut about {
            Some(about) => about.join(other),
            None => about = Some(other),
        }
        let count = u32::try_from(view.record_count()).unwrap_or(u32::MAX);
        let mut numbers = vec![u32::MAX; count as usize];
        for (record, number) in (0..count).zip(&mut numbers) {
            if !layer.is_dead(record) {
                *number = parts.record(&view.indicator(record)?, 0).ok_or(TooLarge)?;
            }
        }
        let number = |record: u32| numbers.get(record as usize).copied().filter(|number| *number != u32::MAX);
        for entry in view.entries() {
            let entry = entry?;
            if entry.code() == GRAM {
                for place in entry.numbers() {
                    let literal = view.literal(place)?;
                    for record in literal.records().filter_map(number) {
                        parts.literal(record, literal.fields, literal.text);
                    }
                }
                continue;
            }
            let code = entry.code() | if entry.is_whole() { WHOLE } else { 0 };
            for record in entry.numbers().filter_map(number) {
                parts.value(record, code, entry.value);
            }
        }
        for network in view.network_keys() {
            let (record, key) = network?;
            if let Some(record) = number(record) {
                parts.key(record, &key, false);
            }
        }
        for (fields, record) in view.always() {
            if let Some(record) = number(record) {
                parts.always(record, fields);
            }
        }
    }
    for id in removed {
        parts.removed(id);
    }
    let about = About { base, ..about.unwrap_or_default() };
    let about = serde_json::to_string(&about).unwrap_or_default();
    Ok(parts.finish(Some(seed.number()), &about)?)
}
