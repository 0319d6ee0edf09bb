//! Bundles without repetitions, in the order of dependency.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
};

use foldhash::fast::RandomState;
use uuid::Uuid;

use super::Bundle;
use crate::{Identifier, Object, id, identifier};

/// Collects objects for a bundle.
///
/// Of objects with the same identifier one is kept, and nothing is merged: the one with the latest `modified`, and the
/// first of those that have no versions or the same one. The bundle lists what is referred to before what refers to it,
/// and otherwise keeps the order of arrival; where objects refer to each other in a circle, the one that arrived first
/// comes last. References to objects that are not in the bundle are no concern of it.
///
/// ```
/// use stix_model::{BundleBuilder, Timestamp, sco::Ipv4Addr, sdo::Identity, sro::Relationship};
///
/// let now: Timestamp = "2026-01-02T03:04:05Z".parse()?;
/// let address = Ipv4Addr::new("198.51.100.3");
/// let owner = Identity::new("Example Corp", "organization", now);
/// let link = Relationship::new("related-to", address.id().clone(), owner.id().clone(), now);
///
/// let mut builder = BundleBuilder::new();
/// builder.push(link).push(address.clone()).push(owner).push(address);
/// let types: Vec<_> = builder.build().objects.iter().map(|object| object.object_type().to_owned()).collect();
/// assert_eq!(types, ["ipv4-addr", "identity", "relationship"]);
/// # Ok::<(), stix_model::TimestampError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BundleBuilder {
    objects: Vec<Object>,
    positions: HashMap<Identifier, usize, RandomState>,
}

impl BundleBuilder {
    /// An empty bundle.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an object, unless a newer or equal one of the same identifier is there.
    pub fn push(&mut self, object: impl Into<Object>) -> &mut Self {
        let object = object.into();
        match self.positions.entry(object.id().clone()) {
            Entry::Vacant(entry) => {
                entry.insert(self.objects.len());
                self.objects.push(object);
            }
            Entry::Occupied(entry) => {
                if let Some(known) = self.objects.get_mut(*entry.get())
                    && object.modified() > known.modified()
                {
                    *known = object;
                }
            }
        }
        self
    }

    /// Whether there is an object of this identifier.
    pub fn contains(&self, id: &Identifier) -> bool {
        self.positions.contains_key(id)
    }

    /// The object of this identifier.
    pub fn get(&self, id: &Identifier) -> Option<&Object> {
        self.objects.get(*self.positions.get(id)?)
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// True if there are no objects.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Makes the bundle and empties the builder. The identifier of the bundle depends on those of its objects only.
    pub fn build(&mut self) -> Bundle {
        let Self { objects, positions } = mem::take(self);
        let id = bundle_id(&objects);
        let order = dependency_order(&objects, &positions);
        if order.is_sorted() {
            return Bundle { id, objects, ..Bundle::default() };
        }
        let mut objects: Vec<Option<Object>> = objects.into_iter().map(Some).collect();
        let ordered = order.into_iter().filter_map(|index| objects.get_mut(index)?.take()).collect();
        Bundle { id, objects: ordered, ..Bundle::default() }
    }
}

impl<T: Into<Object>> Extend<T> for BundleBuilder {
    fn extend<I: IntoIterator<Item = T>>(&mut self, objects: I) {
        for object in objects {
            self.push(object);
        }
    }
}

/// The identifier of a bundle of these objects, in any order.
pub(super) fn bundle_id(objects: &[Object]) -> Identifier {
    // Sorted by type and UUID. There are few types, and numbers are compared faster than texts.
    let mut members: HashMap<&str, Vec<u128>, RandomState> = HashMap::default();
    for id in objects.iter().map(Object::id) {
        members.entry(id.object_type()).or_default().push(id.uuid().as_u128());
    }
    let mut members: Vec<(&str, Vec<u128>)> = members.into_iter().collect();
    members.sort_unstable();
    // The canonical form of a list of identifiers, which have nothing in them to escape.
    let mut list = Vec::with_capacity(objects.len() * 64 + 2);
    for (object_type, mut numbers) in members {
        numbers.sort_unstable();
        for number in numbers {
            list.push(if list.is_empty() { b'[' } else { b',' });
            identifier::write_json(object_type, Uuid::from_u128(number), &mut list);
        }
    }
    list.extend_from_slice(if list.is_empty() { b"[]" } else { b"]" });
    Identifier::from_static("bundle", id::of_canonical(&list))
}

/// Depth-first, with a stack of its own: a chain of references may be as long as the bundle.
fn dependency_order(objects: &[Object], positions: &HashMap<Identifier, usize, RandomState>) -> Vec<usize> {
    // The places of what each object refers to, one list behind the other, and where the list of each object ends.
    let mut targets: Vec<usize> = Vec::with_capacity(objects.len() * 4);
    let mut ends: Vec<usize> = Vec::with_capacity(objects.len());
    for object in objects {
        object.each_ref(&mut |id| targets.extend(positions.get(id)));
        ends.push(targets.len());
    }
    let pending = |index: usize| {
        let start = index.checked_sub(1).map_or(0, |before| ends[before]);
        targets[start..ends[index]].iter()
    };
    let mut order = Vec::with_capacity(objects.len());
    let mut entered = vec![false; objects.len()];
    let mut stack = Vec::new();
    for start in 0..objects.len() {
        if mem::replace(&mut entered[start], true) {
            continue;
        }
        stack.push((start, pending(start)));
        while let Some((index, pending_here)) = stack.last_mut() {
            if let Some(next) = pending_here.next() {
                if !mem::replace(&mut entered[*next], true) {
                    stack.push((*next, pending(*next)));
                }
            } else {
                order.push(*index);
                stack.pop();
            }
        }
    }
    order
}
