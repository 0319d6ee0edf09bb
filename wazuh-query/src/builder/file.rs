//! Files, artifacts and directories.

use stix_model::sco::{Artifact, Directory, File};
use stix_model::{Hashes, Object};

use super::reason::shown;
use super::{Draft, NotSearchable, Note, Query, QueryBuilder, Resolve, required};
use crate::catalogue::HashAlgorithm;
use crate::dsl::{BoolQuery, Clause};
use crate::options::{DirOption, FileOption};
use crate::regexp::{escape, escape_backslashes, escape_windows_path};
use crate::value::{self, Separator};

/// In front of a relative path: any directory.
const ANY_DIRECTORY: &str = r"(.*[/\\])?";
/// Behind a directory: anything below it.
const ANYTHING_BELOW: &str = r"([/\\]+.*)?";

impl QueryBuilder {
    /// A file: by its hashes, else by its names.
    pub(super) fn file(&self, file: &File, references: &dyn Resolve, notes: &mut Vec<Note>) -> Draft {
        let has = |option| self.options.file.contains(&option);
        let (hashes, had_empty) = self.hashes(&file.hashes);
        let mut names: Vec<String> = file.name.iter().cloned().collect();
        if has(FileOption::SearchAdditionalFilenames) {
            names.extend(additional_names(file));
        }
        let wants_names =
            if hashes.is_empty() { has(FileOption::SearchFilenameOnly) } else { has(FileOption::SearchNameAndHash) };
        let by_name = if wants_names { self.names(file, &names, references, notes) } else { Ok(Vec::new()) };
        if hashes.is_empty() {
            if !has(FileOption::SearchFilenameOnly) {
                return Err(NotSearchable::Option {
                    what: "the file has no hash, and names alone are not searched",
                    option: "search-filename-only",
                });
            }
            let by_name = match by_name {
                Err(NotSearchable::Missing(_)) if had_empty => return Err(NotSearchable::EmptyInput),
                by_name => Query::any(by_name?),
            };
            return Ok(vec![Query::all([Some(by_name), self.size(file)].into_iter().flatten())]);
        }
        let by_hash = Query::any(hashes);
        // A hash is enough where the name cannot be searched.
        let by_name = by_name.unwrap_or_default();
        if by_name.is_empty() {
            return Ok(vec![by_hash]);
        }
        Ok(vec![Query::all([by_hash, Query::any(by_name)])])
    }

    /// Contents: by hashes only.
    pub(super) fn artifact(&self, artifact: &Artifact) -> Draft {
        match self.hashes(&artifact.hashes) {
            (queries, _) if !queries.is_empty() => Ok(queries),
            (_, true) => Err(NotSearchable::EmptyInput),
            _ => Err(NotSearchable::Missing("hash that alerts hold")),
        }
    }

    /// One alternative per hash, and whether there was one of empty input.
    pub(super) fn hashes(&self, hashes: &Hashes) -> (Vec<Query>, bool) {
        let mut had_empty = false;
        let mut queries = Vec::new();
        for (name, digest) in hashes.iter() {
            let Some(algorithm) = algorithm(name) else { continue };
            let Some(digest) = value::normalize_hash(algorithm, digest.trim()) else { continue };
            if value::is_empty_input_digest(&digest) {
                had_empty = true;
                continue;
            }
            queries.extend(self.hash(algorithm, &digest));
        }
        if !queries.is_empty() && !self.options.file.contains(&FileOption::IncludeRegValues) {
            let registry_value = Query::any_field(&self.fields.registry_value_name, Clause::Exists);
            let files = BoolQuery { should: queries, must_not: vec![registry_value], ..BoolQuery::default() };
            queries = vec![files.into()];
        }
        (queries, had_empty)
    }

    fn hash(&self, algorithm: HashAlgorithm, digest: &str) -> Vec<Query> {
        let fields = self.fields.hashes.iter().find(|(known, _)| *known == algorithm).map(|(_, fields)| fields);
        let mut queries: Vec<Query> = match algorithm {
            HashAlgorithm::Ssdeep => {
                fields.into_iter().map(|fields| Self::exact(fields, [digest.to_owned()])).collect()
            }
            _ => fields.into_iter().map(|fields| Self::either_case(fields, digest)).collect(),
        };
        let label = match algorithm {
            HashAlgorithm::Md5 => "MD5",
            HashAlgorithm::Sha1 => "SHA1",
            HashAlgorithm::Sha256 => "SHA256",
            HashAlgorithm::Sha512 => "SHA512",
            _ => return queries,
        };
        // Sysmon: `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`; the label keeps an import hash from passing for an MD5. What follows
        // need not be said: a digest of this kind has no further digits. What costs the cluster is making the automaton,
        // for each such pattern and shard, so there is one.
        let clause = Clause::Wildcard { value: format!("*{label}={digest}*"), case_insensitive: true };
        queries.push(Query::any_field(&self.fields.hash_list, clause));
        queries.push(Self::either_case(&self.fields.hash_list, digest));
        queries
    }

    /// The size in alerts that carry one; an alert without a size does not contradict.
    fn size(&self, file: &File) -> Option<Query> {
        let size = file.size.filter(|size| *size >= 0 && self.options.file.contains(&FileOption::SearchSize))?;
        if self.fields.file_size.is_empty() {
            return None;
        }
        let right = Query::any_field(&self.fields.file_size, Clause::term(size.to_string()));
        let some = Query::any_field(&self.fields.file_size, Clause::Exists);
        let none = BoolQuery { must_not: vec![some], ..BoolQuery::default() };
        Some(Query::any([right, none.into()]))
    }

    fn names(&self, file: &File, names: &[String], references: &dyn Resolve, notes: &mut Vec<Note>) -> Draft {
        let has = |option| self.options.file.contains(&option);
        let directory = has(FileOption::IncludeParentDirRef)
            .then(|| file.parent_directory_ref.as_ref().and_then(|id| references.resolve(id)))
            .flatten()
            .and_then(|object| match object {
                Object::Directory(directory) => Some(directory.path.trim()).filter(|path| !path.is_empty()),
                _ => None,
            });
        let mut paths: Vec<String> = Vec::new();
        for name in names {
            let name = name.trim();
            let name = if has(FileOption::BasenameOnly) || directory.is_some() { value::basename(name) } else { name };
            if name.is_empty() || name.ends_with(['/', '\\']) {
                continue;
            }
            let path = directory.map_or_else(|| value::normalize_path(name).into_owned(), |path| join(path, name));
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(NotSearchable::Missing("hash that alerts hold, and no name"));
        }
        let exact = !has(FileOption::AllowRegexp);
        if exact || has(FileOption::RequireAbsPath) {
            paths.retain(|path| {
                let absolute = value::is_absolute(path);
                if !absolute {
                    notes.push(Note::Skipped { value: shown(path), why: "its path is not absolute" });
                }
                absolute
            });
            if paths.is_empty() {
                let option = if exact { "allow-regexp" } else { "require-abs-path" };
                return Err(NotSearchable::Option { what: "no name has an absolute path", option });
            }
        }
        if exact {
            let values = paths.iter().flat_map(|path| [path.clone(), path.replace('\\', "\\\\")]);
            return Ok(vec![Self::exact(&self.fields.file, values)]);
        }
        let expressions = paths.iter().map(|path| {
            let any_directory = if value::is_absolute(path) { "" } else { ANY_DIRECTORY };
            format!("{any_directory}{}", escape_path(path))
        });
        let fold = has(FileOption::CaseInsensitive);
        let queries = Self::regexps(&self.fields.file, expressions, fold, notes);
        let too_long = || NotSearchable::TooLong { value: shown(&paths[0]), limit: crate::dsl::limits::REGEXP_CHARS };
        if queries.is_empty() { Err(too_long()) } else { Ok(queries) }
    }

    /// A directory, and what lies below it.
    pub(super) fn directory(&self, directory: &Directory) -> Draft {
        let has = |option| self.options.directory.contains(&option);
        let path = value::normalize_path(required(&directory.path, "path")?);
        let stem = path.trim_end_matches(['/', '\\']);
        if stem.is_empty() || stem.ends_with(':') {
            return Err(NotSearchable::TooBroad("everything lies below a root directory"));
        }
        if has(DirOption::RequireAbsPath) && !value::is_absolute(stem) {
            return Err(NotSearchable::Option { what: "the path is not absolute", option: "require-abs-path" });
        }
        if !has(DirOption::AllowRegexp) {
            let mut values = vec![path.to_string()];
            if has(DirOption::NormaliseBackslashes) {
                values.push(path.replace('\\', "\\\\"));
            }
            let directories = Self::exact(&self.fields.directory, values);
            return Ok(vec![directories]);
        }
        let stem = escape_path(stem);
        let any_directory = if value::is_absolute(&path) { "" } else { ANY_DIRECTORY };
        let below = format!("{any_directory}{stem}{ANYTHING_BELOW}");
        let itself = if has(DirOption::MatchSubdirs) {
            below.clone()
        } else if has(DirOption::IgnoreTrailingSlash) {
            format!(r"{any_directory}{stem}(/|\\)*")
        } else {
            format!("{any_directory}{}", escape_path(&path))
        };
        let limit = crate::dsl::limits::REGEXP_CHARS;
        if below.chars().count() > limit {
            return Err(NotSearchable::TooLong { value: shown(&path), limit });
        }
        let fold = has(DirOption::CaseInsensitive);
        let mut queries = vec![Self::regexp(&self.fields.directory, itself, fold)];
        if has(DirOption::SearchFilenames) {
            let files = self.fields.file.without(&self.fields.directory);
            queries.push(Self::regexp(&files, below, fold));
        }
        Ok(queries)
    }
}

/// The algorithm of a STIX hash key, in any spelling.
pub(crate) fn algorithm(name: &str) -> Option<HashAlgorithm> {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match folded.to_ascii_uppercase().as_str() {
        "MD5" => HashAlgorithm::Md5,
        "SHA1" => HashAlgorithm::Sha1,
        "SHA256" => HashAlgorithm::Sha256,
        "SHA512" => HashAlgorithm::Sha512,
        "SSDEEP" => HashAlgorithm::Ssdeep,
        "TLSH" => HashAlgorithm::Tlsh,
        _ => return None,
    })
}

/// The further names that OpenCTI keeps for a file.
fn additional_names(file: &File) -> Vec<String> {
    Object::from(file.clone()).opencti().additional_names()
}

/// A directory and a name, joined with the directory's separator.
fn join(directory: &str, name: &str) -> String {
    let directory = value::normalize_path(directory);
    let separator = value::separator(&directory);
    let stem = directory.trim_end_matches(['/', '\\']);
    // A root keeps its separator, a drive letter gets one; either way there is exactly one.
    match separator {
        Separator::Backslash => format!("{stem}\\{name}"),
        Separator::Slash => format!("{stem}/{name}"),
    }
}

/// A path as an expression: runs of backslashes in any length, slashes literal unless the path is a Windows one.
fn escape_path(path: &str) -> String {
    if path.contains('\\') {
        escape_backslashes(path)
    } else if value::separator(path) == Separator::Backslash {
        escape_windows_path(path)
    } else {
        escape(path)
    }
}
