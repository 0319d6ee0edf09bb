//! The catalogue's paths as a tree, so that one pass over a document finds every catalogued field.

use std::borrow::Cow;
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
    name: Cow<'static, str>,
}

/// The fields that end at a node. Two, because a path may exist in both schemas.
type Ends = [Option<FieldId>; 2];

#[derive(Clone, Debug)]
pub(crate) struct Trie {
    edges: HashTable<Edge>,
    ends: Vec<Ends>,
    /// The path inserted last, and where each of its components ends. Tables are sorted, so the next path mostly shares
    /// its beginning.
    last: (Cow<'static, str>, Vec<(usize, NodeId)>),
    // The names in the tree are ours and the table never grows while documents are read, so a fixed seed is safe.
    hasher: FixedState,
}

impl Trie {
    pub(crate) const ROOT: NodeId = NodeId(0);

    pub(crate) fn with_capacity(fields: usize) -> Self {
        let mut ends = Vec::with_capacity(fields * 2);
        ends.push(Ends::default());
        Self {
            edges: HashTable::with_capacity(fields * 2),
            ends,
            last: (Cow::Borrowed(""), Vec::new()),
            hasher: FixedState::default(),
        }
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

    /// The node at the end of a path, made if it is not there.
    pub(crate) fn node(&mut self, path: Cow<'static, str>) -> NodeId {
        let (last, mut trail) = std::mem::take(&mut self.last);
        let bytes = path.as_bytes();
        let common = bytes.iter().zip(last.as_bytes()).take_while(|(one, other)| one == other).count();
        let is_shared = |end: usize| end <= common && bytes.get(end).is_none_or(|byte| *byte == b'.');
        while trail.last().is_some_and(|(end, _)| !is_shared(*end)) {
            trail.pop();
        }
        let (mut start, mut node) = trail.last().map_or((0, Self::ROOT), |(end, node)| (end + 1, *node));
        while let Some(rest) = bytes.get(start..) {
            let end = start + rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len());
            let name = match &path {
                Cow::Borrowed(path) => Cow::Borrowed(path.get(start..end).unwrap_or_default()),
                Cow::Owned(path) => Cow::Owned(path.get(start..end).unwrap_or_default().to_owned()),
            };
            node = match self.step(node, &name) {
                Some(known) => known,
                None => self.add(node, name),
            };
            trail.push((end, node));
            start = end + 1;
        }
        self.last = (path, trail);
        node
    }

    /// Lets a field end at a node.
    pub(crate) fn insert(&mut self, node: NodeId, field: FieldId) {
        let ends = &mut self.ends[node.0 as usize];
        let free = ends.iter().position(Option::is_none).unwrap_or(ends.len() - 1);
        ends[free] = Some(field);
    }

    fn add(&mut self, parent: NodeId, name: Cow<'static, str>) -> NodeId {
        let child = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ends.push(Ends::default());
        let hasher = &self.hasher;
        let hash = Self::hash(hasher, parent.0, &name);
        let edge = Edge { parent: parent.0, child, name };
        self.edges.insert_unique(hash, edge, |edge| Self::hash(hasher, edge.parent, &edge.name));
        NodeId(child)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_share_what_they_have_in_common() {
        let mut trie = Trie::with_capacity(4);
        let paths = ["data.a.b", "data.a", "data.a.bc", "data", "data.a.b.c", "date", "data.a.b", "", "data.a."];
        for path in paths {
            let node = trie.node(Cow::Borrowed(path));
            assert_eq!(trie.walk(Trie::ROOT, path), Some(node), "{path}");
            assert_eq!(trie.node(Cow::Owned(path.to_owned())), node, "{path}");
        }
        assert_eq!(trie.walk(Trie::ROOT, "data.b"), None);
        // The root, five components below it, two names at the top and two empty ones.
        assert_eq!(trie.ends.len(), 9);
    }
}
