//! `search`.

use wazuh_query::options::{DirOption, FileOption, ProcOption, RegKeyOption};

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! How observables are looked for in alerts. Options that work with regular expressions only need `allow-regexp` beside them.

    /// How files are searched.
    FILESEARCH_OPTIONS = Spec::new("search.filesearch_options", Kind::Set(file))
        .default("search-size,search-filename-only,search-additional-filenames,include-parent-dir-ref,include-reg-values,allow-regexp,case-insensitive");
    /// How directories are searched.
    DIRSEARCH_OPTIONS = Spec::new("search.dirsearch_options", Kind::Set(directory))
        .default("match-subdirs,search-filenames,case-insensitive,allow-regexp,ignore-trailing-slash");
    /// How processes are searched.
    PROCSEARCH_OPTIONS = Spec::new("search.procsearch_options", Kind::Set(process)).default("case-insensitive");
    /// How registry keys are searched.
    REGKEYSEARCH_OPTIONS = Spec::new("search.regkeysearch_options", Kind::Set(registry_key))
        .default("match-subdirs,ignore-trailing-slash,ignore-sid,case-insensitive,search-hive-aliases,allow-regexp");
    /// An alert also matches by the address of its agent.
    LOOKUP_AGENT_IP = Spec::new("search.lookup_agent_ip", Kind::Boolean).default("false");
    /// An alert also matches by the name of its agent or of the host that reported it.
    LOOKUP_AGENT_NAME = Spec::new("search.lookup_agent_name", Kind::Boolean).default("false");
    /// Addresses that are not globally reachable are not searched. The shared address space (100.64.0.0/10) is.
    IGNORE_PRIVATE_ADDRS = Spec::new("search.ignore_private_addrs", Kind::Boolean).default("true");
    /// MAC addresses are searched in every common notation.
    LOOKUP_MAC_VARIANTS = Spec::new("search.lookup_mac_variants", Kind::Boolean).default("true");
    /// Names are also searched in command lines.
    LOOKUP_HOSTNAMES_IN_CMD_LINE = Spec::new("search.lookup_hostnames_in_cmd_line", Kind::Boolean).default("false");
    /// Only path and query of a URL count.
    LOOKUP_URL_WITHOUT_HOST = Spec::new("search.lookup_url_without_host", Kind::Boolean).default("false");
    /// A slash at the end of a URL does not matter.
    LOOKUP_URL_IGNORE_TRAILING_SLASH = Spec::new("search.lookup_url_ignore_trailing_slash", Kind::Boolean).default("false")
        .also(&["WAZUH_SEARCH_LOOKUP_URL_INGORE_TRAILING_SLASH"]);
    /// Names and addresses also match as hosts of URLs.
    LOOKUP_HOSTS_IN_URLS = Spec::new("search.lookup_hosts_in_urls", Kind::Boolean).default("true").ours();
}

fn file() -> Vec<&'static str> {
    FileOption::ALL.iter().map(|option| option.name()).collect()
}

fn directory() -> Vec<&'static str> {
    DirOption::ALL.iter().map(|option| option.name()).collect()
}

fn process() -> Vec<&'static str> {
    ProcOption::ALL.iter().map(|option| option.name()).collect()
}

fn registry_key() -> Vec<&'static str> {
    RegKeyOption::ALL.iter().map(|option| option.name()).collect()
}
