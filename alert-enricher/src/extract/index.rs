//! Where things stand in a list.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// So many things are compared one by one, which is faster for most alerts.
const FEW: usize = 32;

/// Finds things in a list that only grows: short lists are searched from the beginning, long ones by hash, so that a list
/// of whatever length is made in linear time.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: HashTable<usize>,
    /// Made with the first long list.
    state: Option<RandomState>,
}

impl Index {
    /// The place of the thing with this key. The list is the same every time, but for what was added to its end.
    pub(super) fn find<T, K: Hash + Eq + ?Sized>(
        &mut self,
        list: &[T],
        key: impl Fn(&T) -> &K,
        wanted: &K,
    ) -> Option<usize> {
        if list.len() <= FEW {
            return list.iter().position(|one| key(one) == wanted);
        }
        let Self { places, state } = self;
        let state = &*state.get_or_insert_default();
        let hash_at = |place: &usize| list.get(*place).map_or(0, |one| state.hash_one(key(one)));
        for (place, one) in list.iter().enumerate().skip(places.len()) {
            places.insert_unique(state.hash_one(key(one)), place, hash_at);
        }
        let is_wanted = |place: &usize| list.get(*place).is_some_and(|one| key(one) == wanted);
        places.find(state.hash_one(wanted), is_wanted).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_are_searched() {
        let (mut index, mut list) = (Index::default(), Vec::new());
        for number in 0..1_000_u32 {
            assert_eq!(index.find(&list, |one| one, &number), None);
            list.push(number);
            for known in [0, number / 2, number] {
                assert_eq!(index.find(&list, |one| one, &known), Some(known as usize));
            }
        }
    }
}
