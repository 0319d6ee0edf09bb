//! The values of an alert, put together by what they describe.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, FieldId, Holds, Role};

/// So many groups are compared one by one.
const FEW: usize = 32;

/// One value with what its field says about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub field: FieldId,
    pub holds: Holds,
    pub role: Role,
    pub text: &'a str,
}

/// Values that describe the same thing.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub name: &'a str,
    pub element: u32,
    pub leaves: Vec<Value<'a>>,
}

impl<'a> Group<'a> {
    /// Whether the group describes a process.
    pub(super) fn is_process(&self) -> bool {
        matches!(self.name, "process" | "parent-process" | "target-process")
    }

    /// The value of the first field of the catalogue that holds this. Where several fields of a group hold the same
    /// kind of thing, the catalogue lists the more telling one first.
    pub(super) fn leaf(&self, holds: Holds) -> Option<Value<'a>> {
        self.leaves.iter().filter(|leaf| leaf.holds == holds).min_by_key(|leaf| leaf.field).copied()
    }

    /// The text of [`Group::leaf`].
    pub(super) fn first_text(&self, holds: Holds) -> Option<&'a str> {
        self.leaf(holds).map(|leaf| leaf.text)
    }

    /// Whether any field holds one of these.
    pub(super) fn any(&self, wanted: impl Fn(Holds) -> bool) -> bool {
        self.leaves.iter().any(|leaf| wanted(leaf.holds))
    }
}

/// The values of an alert that observables are made of, in groups in the order of their first values. A value that
/// belongs to no group makes one of its own. With `searched`, fields that are only searched count too.
pub(super) fn groups<'a>(alert: &'a Alert<'_>, catalogue: &'a Catalogue, searched: bool) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::with_capacity(8);
    let (mut places, mut indexed) = (HashMap::<_, _, RandomState>::default(), 0);
    for leaf in &alert.leaves {
        let field = catalogue.field(leaf.field);
        let counts = field.uses.extract || (searched && field.uses.search && field.role != Role::Agent);
        if !counts || leaf.text.is_empty() {
            continue;
        }
        let value = Value { field: leaf.field, holds: field.holds, role: field.role, text: &leaf.text };
        let name: &'a str = &field.group;
        // Groups have few names, but there may be one of each in every element of a list.
        let known = if name.is_empty() {
            None
        } else if groups.len() <= FEW {
            groups.iter().position(|group| group.element == leaf.element && group.name == name)
        } else {
            for (place, group) in groups.iter().enumerate().skip(indexed).filter(|(_, group)| !group.name.is_empty()) {
                places.insert((group.element, group.name), place);
            }
            indexed = groups.len();
            places.get(&(leaf.element, name)).copied()
        };
        match known.and_then(|place| groups.get_mut(place)) {
            Some(group) => group.leaves.push(value),
            None => groups.push(Group { name, element: leaf.element, leaves: vec![value] }),
        }
    }
    groups
}
