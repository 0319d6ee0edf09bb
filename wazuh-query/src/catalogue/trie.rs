//! The catalogue's paths as a tree, so that one pass over a document finds every catalogued field.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::FieldId;

/// A place on the way to catalogued fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

#[derive(Clone, Debug)]
struct Edge {
    parent: u32,
    child: u32,
    name: Box<str>,
}

/// The fields that end at a node. Two, because a path may exist in both schemas.
type Ends = [Option<FieldId>; 2];

#[derive(Clone, Debug)]
pub(crate) struct Trie {
    edges: HashTable<Edge>,
    ends: Vec<Ends>,
    // The names in the tree are ours and the table never grows while documents are read, so a fixed seed is safe.
    hasher: FixedState,
}

impl Trie {
    pub(crate) const ROOT: NodeId = NodeId(0);

    pub(crate) fn with_capacity(fields: usize) -> Self {
        let mut ends = Vec::with_capacity(fields * 2);
        ends.push(Ends::default());
        Self { edges: HashTable::with_capacity(fields * 2), ends, hasher: FixedState::default() }
    }

    fn hash(hasher: &FixedState, parent: u32, name: &str) -> u64 {
        hasher.hash_one((parent, name))
    }

    /// The child with exactly this name.
    #[inline]
    fn step(&self, parent: NodeId, name: &str) -> Option<NodeId> {
        let hash = Self::hash(&self.hasher, parent.0, name);
        let edge = self.edges.find(hash, |edge| edge.parent == parent.0 && *edge.name == *name)?;
        Some(NodeId(edge.child))
    }

    /// The node below `from` for a key of a document. A key with dots means the same as nested objects.
    #[inline]
    pub(crate) fn walk(&self, from: NodeId, key: &str) -> Option<NodeId> {
        if let Some(node) = self.step(from, key) {
            return Some(node);
        }
        if !key.contains('.') {
            return None;
        }
        key.split('.').try_fold(from, |node, part| self.step(node, part))
    }

    /// The fields that end at a node.
    #[inline]
    pub(crate) fn fields(&self, node: NodeId) -> impl Iterator<Item = FieldId> + use<> {
        self.ends[node.0 as usize].into_iter().flatten()
    }

    /// The fields that end at a node, if any.
    #[inline]
    pub(crate) fn ends(&self, node: NodeId) -> [Option<FieldId>; 2] {
        self.ends[node.0 as usize]
    }

    pub(crate) fn insert(&mut self, path: &str, field: FieldId) {
        let mut node = Self::ROOT;
        for part in path.split('.') {
            node = self.step(node, part).unwrap_or_else(|| self.add(node, part));
        }
        let ends = &mut self.ends[node.0 as usize];
        let free = ends.iter().position(Option::is_none).unwrap_or(ends.len() - 1);
        ends[free] = Some(field);
    }

    fn add(&mut self, parent: NodeId, name: &str) -> NodeId {
        let child = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ends.push(Ends::default());
        let hasher = &self.hasher;
        let hash = Self::hash(hasher, parent.0, name);
        let edge = Edge { parent: parent.0, child, name: name.into() };
        self.edges.insert_unique(hash, edge, |edge| Self::hash(hasher, edge.parent, &edge.name));
        NodeId(child)
    }
}
