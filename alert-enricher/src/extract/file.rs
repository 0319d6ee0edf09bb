//! Files and their directories.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use stix_model::sco::{Directory, File};
use stix_model::{Hashes, Identifier};
use wazuh_query::catalogue::{FieldId, HashAlgorithm, Holds, Role};
use wazuh_query::value::{self, Reading, read};

use super::group::{Group, Value};
use super::index::Index;
use super::{ExtractType, Work, is_placeholder, time};

/// The name of an algorithm in STIX.
pub(super) fn hash_name(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha512 => "SHA-512",
        HashAlgorithm::Ssdeep => "SSDEEP",
        HashAlgorithm::Tlsh => "TLSH",
        _ => "SHA-256",
    }
}

/// Hashes with the fields they came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests {
    pub hashes: Hashes,
    pub fields: Vec<FieldId>,
}

impl Digests {
    /// The hashes among the values of a group that have one of these roles.
    pub(super) fn of(group: &Group<'_>, wanted: impl Fn(Role) -> bool) -> Self {
        let mut digests = Self::default();
        for leaf in group.leaves.iter().filter(|leaf| wanted(leaf.role)) {
            if !matches!(leaf.holds, Holds::Hash(_) | Holds::AnyHash | Holds::HashList) {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| {
                let Reading::Hash(algorithm, digest) = reading else { return };
                // An import hash is not a hash of the file.
                if algorithm != HashAlgorithm::Imphash && digests.hashes.get(hash_name(algorithm)).is_none() {
                    digests.hashes.insert(hash_name(algorithm), digest);
                    digests.fields.push(leaf.field);
                }
            });
        }
        digests
    }
}

impl<'a> Work<'_, 'a, '_> {
    /// The files of a group: the first path has the hashes, the size and the times; an earlier state is a file of
    /// its own.
    pub(super) fn file(&mut self, group: &Group<'a>, groups: &[Group<'a>]) {
        let describes_file = group.any(|holds| {
            matches!(
                holds,
                Holds::FilePath
                    | Holds::FileName
                    | Holds::FileOrRegistryPath
                    | Holds::ProcessImage
                    | Holds::Hash(_)
                    | Holds::AnyHash
                    | Holds::HashList
            )
        });
        // Hashes beside a registry key are those of a value.
        if !describes_file || Self::is_registry(group) {
            return;
        }
        let paths = paths(group);
        if paths.is_empty() && group.name == "sysmon-file" && groups.iter().any(|group| group.name == "process") {
            // The hashes of a created process; the process has taken them.
            return;
        }
        let now = Digests::of(group, |role| role != Role::Before);
        let before = Digests::of(group, |role| role == Role::Before);
        let first = paths.first().map(|(path, field)| (path.as_str(), *field));
        self.file_with(first, now, Some(group));
        for (path, field) in paths.iter().skip(1) {
            self.file_of_path(path, [*field]);
        }
        if !before.hashes.is_empty() {
            self.file_with(first, before, None);
        }
    }

    /// A file known by its path only.
    pub(super) fn file_of_path(&mut self, path: &str, fields: impl IntoIterator<Item = FieldId>) -> Option<Identifier> {
        let fields: Vec<FieldId> = fields.into_iter().collect();
        let digests = Digests { hashes: Hashes::default(), fields: fields.clone() };
        self.file_with(fields.first().map(|field| (path, *field)), digests, None)
    }

    /// A file with path and hashes, and what else a group tells about it.
    pub(super) fn file_with(
        &mut self,
        path: Option<(&str, FieldId)>,
        digests: Digests,
        described_by: Option<&Group<'a>>,
    ) -> Option<Identifier> {
        let Digests { hashes, mut fields } = digests;
        let mut file = File { hashes, ..File::default() };
        if let Some((path, field)) = path {
            if path.ends_with(['/', '\\']) && file.hashes.is_empty() {
                return self.directory(path, field);
            }
            let name = value::basename(path);
            let name = if self.options.remove_path { name } else { path };
            if !name.is_empty() {
                file.name = Some(name.to_owned());
            }
            if self.options.create_directory && self.wants(ExtractType::Directory) {
                file.parent_directory_ref = value::parent(path).and_then(|parent| {
                    let root = parent.trim_end_matches(['/', '\\']);
                    let is_root = root.is_empty() || root.ends_with(':');
                    // The directory is needed to tell the file apart, so a root counts here.
                    if is_root {
                        Some(self.add(Directory::new(parent), [field]))
                    } else {
                        self.directory(parent, field)
                    }
                });
            }
            if !fields.contains(&field) {
                fields.insert(0, field);
            }
        }
        if file.name.is_none() && file.hashes.is_empty() || !self.wants(ExtractType::File) {
            return None;
        }
        if let Some(group) = described_by {
            file.size = size(group).and_then(|size| i64::try_from(size).ok());
            let time_of = |holds| group.first_text(holds).and_then(time);
            file.mtime = time_of(Holds::FileModified);
            file.ctime = time_of(Holds::FileCreated);
        }
        Some(self.add(file.identified(), fields))
    }
}

/// The distinct paths of a group with their fields, full paths before bare names.
fn paths(group: &Group<'_>) -> Vec<(String, FieldId)> {
    let mut paths: Vec<(String, FieldId)> = Vec::new();
    let mut index = Index::default();
    let is_path = |leaf: &&Value<'_>| {
        matches!(leaf.holds, Holds::FilePath | Holds::FileName | Holds::FileOrRegistryPath | Holds::ProcessImage)
    };
    for leaf in group.leaves.iter().filter(is_path) {
        read(leaf.holds, leaf.text, &mut |reading| {
            let Reading::Path(path) = reading else { return };
            if is_placeholder(&path) || value::hive(&path).is_some() || path.contains(['\n', '\0']) {
                return;
            }
            if index.find(&paths, |(known, _)| known.as_str(), &*path).is_none() {
                paths.push((path.into_owned(), leaf.field));
            }
        });
    }
    let is_whole = |path: &str| path.contains(['/', '\\']);
    paths.sort_by_key(|(path, _)| !is_whole(path));
    let first_name = paths.iter().position(|(path, _)| !is_whole(path));
    if let Some(first_name) = first_name.filter(|first| *first > 0) {
        // A bare name beside a path that ends with it says nothing new.
        let ends = paths.iter().take(first_name).map(|(path, _)| value::basename(path).to_ascii_lowercase());
        let ends: HashSet<String, RandomState> = ends.collect();
        paths.retain(|(path, _)| is_whole(path) || !ends.contains(&path.to_ascii_lowercase()));
    }
    paths
}

/// The size of the file now, or before the change.
fn size(group: &Group<'_>) -> Option<u64> {
    let sizes = || group.leaves.iter().filter(|leaf| leaf.holds == Holds::FileSize);
    let now = sizes().find(|leaf| leaf.role != Role::Before);
    now.or_else(|| sizes().next())?.text.trim().parse().ok()
}
