//! What is searched, and how: the options of the `search` group of the configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A name that is not one of an option's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not one of {allowed}")]
pub struct UnknownName {
    name: String,
    allowed: String,
}

/// Declares an option whose value is a set of names.
macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $( $(#[$vmeta:meta])* $variant:ident = $name:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type { $( $(#[$vmeta])* $variant, )* }

        impl $type {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in configuration files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            /// Case and hyphens do not matter: `AllowRegexp` is `allow-regexp`.
            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let folded = |text: &str| text.trim().replace('-', "").to_ascii_lowercase();
                let wanted = folded(name);
                let found = Self::ALL.iter().copied().find(|value| folded(value.name()) == wanted);
                found.ok_or_else(|| UnknownName {
                    name: name.to_owned(),
                    allowed: Self::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

names! {
    /// How files are searched (`filesearch_options`).
    FileOption {
        /// A file that has no hash must have the right size, in alerts that carry a size.
        SearchSize = "search-size",
        /// A file that has a hash must have the right name as well.
        SearchNameAndHash = "search-name-and-hash",
        /// A file without a hash is searched by its name.
        SearchFilenameOnly = "search-filename-only",
        /// The additional names that OpenCTI keeps are searched too.
        SearchAdditionalFilenames = "search-additional-filenames",
        /// Directories in names are ignored.
        BasenameOnly = "basename-only",
        /// The directory of `parent_directory_ref` is put before the name.
        IncludeParentDirRef = "include-parent-dir-ref",
        /// Hashes of registry values count too.
        IncludeRegValues = "include-reg-values",
        /// Regular expressions find names in any directory and any notation.
        AllowRegexp = "allow-regexp",
        /// Regular expressions ignore case.
        CaseInsensitive = "case-insensitive",
        /// Only names with an absolute path are searched.
        RequireAbsPath = "require-abs-path",
    }
}

names! {
    /// How directories are searched (`dirsearch_options`).
    DirOption {
        /// What lies below the directory counts.
        MatchSubdirs = "match-subdirs",
        /// Fields of file names are searched too.
        SearchFilenames = "search-filenames",
        /// Regular expressions ignore case.
        CaseInsensitive = "case-insensitive",
        /// Only absolute paths are searched.
        RequireAbsPath = "require-abs-path",
        /// Regular expressions find any notation.
        AllowRegexp = "allow-regexp",
        /// Without regular expressions: both single and doubled backslashes are tried.
        NormaliseBackslashes = "normalise-backslashes",
        /// A separator at the end does not matter.
        IgnoreTrailingSlash = "ignore-trailing-slash",
    }
}

names! {
    /// How processes are searched (`procsearch_options`).
    ProcOption {
        /// Case is ignored.
        CaseInsensitive = "case-insensitive",
    }
}

names! {
    /// How registry keys are searched (`regkeysearch_options`).
    RegKeyOption {
        /// Keys below the key, and its values, count.
        MatchSubdirs = "match-subdirs",
        /// Only keys that start with a hive are searched.
        RequireAbsPath = "require-abs-path",
        /// A separator at the end does not matter.
        IgnoreTrailingSlash = "ignore-trailing-slash",
        /// Any security identifier may stand in the place of one.
        IgnoreSid = "ignore-sid",
        /// Case is ignored.
        CaseInsensitive = "case-insensitive",
        /// Long and short names of hives, and the keys they are views of, are the same.
        SearchHiveAliases = "search-hive-aliases",
        /// Regular expressions find any notation.
        AllowRegexp = "allow-regexp",
    }
}

/// A combination of options that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: `{option}` needs `{needs}`")]
pub struct OptionConflict {
    /// The configuration key.
    pub key: &'static str,
    /// The option.
    pub option: &'static str,
    /// The option that is missing.
    pub needs: &'static str,
}

/// The options of the `search` group, with the defaults of the original connector.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct SearchOptions {
    /// `filesearch_options`.
    pub file: BTreeSet<FileOption>,
    /// `dirsearch_options`.
    pub directory: BTreeSet<DirOption>,
    /// `procsearch_options`.
    pub process: BTreeSet<ProcOption>,
    /// `regkeysearch_options`.
    pub registry_key: BTreeSet<RegKeyOption>,
    /// `lookup_agent_ip`: an alert also matches by the address of its agent.
    pub lookup_agent_ip: bool,
    /// `lookup_agent_name`: an alert also matches by the name of its agent or the host that reported it.
    pub lookup_agent_name: bool,
    /// `ignore_private_addrs`: addresses that are not globally reachable are not searched.
    pub ignore_private_addrs: bool,
    /// `lookup_mac_variants`: MAC addresses are searched in every common notation.
    pub lookup_mac_variants: bool,
    /// `lookup_hostnames_in_cmd_line`: names are also searched inside command lines.
    pub lookup_hostnames_in_cmd_line: bool,
    /// `lookup_url_without_host`: only path and query of a URL count.
    pub lookup_url_without_host: bool,
    /// `lookup_url_ignore_trailing_slash`: a slash at the end of a URL does not matter.
    pub lookup_url_ignore_trailing_slash: bool,
    /// `lookup_hosts_in_urls`: a name or address also matches as the host of a URL. Not an option of the original.
    pub lookup_hosts_in_urls: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        let all_but = |absent: &[FileOption]| FileOption::ALL.iter().copied().filter(|o| !absent.contains(o)).collect();
        Self {
            file: all_but(&[FileOption::SearchNameAndHash, FileOption::BasenameOnly, FileOption::RequireAbsPath]),
            directory: [
                DirOption::MatchSubdirs,
                DirOption::SearchFilenames,
                DirOption::AllowRegexp,
                DirOption::IgnoreTrailingSlash,
                DirOption::CaseInsensitive,
            ]
            .into(),
            process: [ProcOption::CaseInsensitive].into(),
            registry_key: RegKeyOption::ALL.iter().copied().filter(|o| *o != RegKeyOption::RequireAbsPath).collect(),
            lookup_agent_ip: false,
            lookup_agent_name: false,
            ignore_private_addrs: true,
            lookup_mac_variants: true,
            lookup_hostnames_in_cmd_line: false,
            lookup_url_without_host: false,
            lookup_url_ignore_trailing_slash: false,
            lookup_hosts_in_urls: true,
        }
    }
}

impl SearchOptions {
    /// Every combination of options that makes no sense.
    pub fn conflicts(&self) -> Vec<OptionConflict> {
        let mut conflicts = Vec::new();
        let mut needs = |key, option, needs| conflicts.push(OptionConflict { key, option, needs });
        let allow_regexp = FileOption::AllowRegexp.name();
        if !self.file.contains(&FileOption::AllowRegexp) && self.file.contains(&FileOption::CaseInsensitive) {
            needs("filesearch_options", FileOption::CaseInsensitive.name(), allow_regexp);
        }
        if !self.directory.contains(&DirOption::AllowRegexp) {
            use DirOption::{CaseInsensitive, IgnoreTrailingSlash, MatchSubdirs, SearchFilenames};
            for option in [MatchSubdirs, SearchFilenames, CaseInsensitive, IgnoreTrailingSlash] {
                if self.directory.contains(&option) {
                    needs("dirsearch_options", option.name(), allow_regexp);
                }
            }
        }
        if !self.registry_key.contains(&RegKeyOption::AllowRegexp) {
            use RegKeyOption::{CaseInsensitive, IgnoreSid, MatchSubdirs, SearchHiveAliases};
            for option in [MatchSubdirs, IgnoreSid, CaseInsensitive, SearchHiveAliases] {
                if self.registry_key.contains(&option) {
                    needs("regkeysearch_options", option.name(), allow_regexp);
                }
            }
        }
        conflicts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_forgiving_but_not_arbitrary() {
        assert_eq!("AllowRegexp".parse(), Ok(FileOption::AllowRegexp));
        assert_eq!("search-name-and-hash".parse(), Ok(FileOption::SearchNameAndHash));
        let error = "allow_regexp".parse::<ProcOption>().unwrap_err();
        assert_eq!(error.to_string(), "`allow_regexp` is not one of case-insensitive");
    }

    #[test]
    fn defaults_have_no_conflicts() {
        assert_eq!(SearchOptions::default().conflicts(), []);
        let options = SearchOptions {
            directory: [DirOption::MatchSubdirs].into(),
            file: [FileOption::CaseInsensitive].into(),
            ..SearchOptions::default()
        };
        let texts: Vec<_> = options.conflicts().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "`filesearch_options`: `case-insensitive` needs `allow-regexp`",
                "`dirsearch_options`: `match-subdirs` needs `allow-regexp`"
            ]
        );
    }
}
