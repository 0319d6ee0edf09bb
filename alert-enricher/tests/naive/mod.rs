//! Every indicator by itself against every value of an alert, as plainly as it can be written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use alert_enricher::indicator::{Indicator, Key, Kind};
use alert_enricher::store::{MatchOptions, Standing};
use ipnet::IpNet;
use stix_model::Identifier;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Holds, Role};
use wazuh_query::value::{self, Reading, read};

/// Indicators, each with its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    known: BTreeMap<Identifier, (Indicator, Vec<Key>)>,
}

/// Indicator, field, text, value, and whether it counts.
pub(crate) type Answer = (Identifier, String, String, String, Standing);

impl Naive {
    pub(crate) fn add(&mut self, indicator: Indicator, keys: Vec<Key>) {
        self.known.insert(indicator.id.clone(), (indicator, keys));
    }

    pub(crate) fn remove(&mut self, ids: &[Identifier]) -> usize {
        ids.iter().filter(|id| self.known.remove(id).is_some()).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn indicators(&self) -> BTreeMap<Identifier, Indicator> {
        self.known.iter().map(|(id, (indicator, _))| (id.clone(), indicator.clone())).collect()
    }

    pub(crate) fn matches(&self, text: &str, catalogue: &Catalogue, options: &MatchOptions) -> Vec<Answer> {
        let alert = Alert::read(text, catalogue).unwrap();
        // Fields of the other schema are read, too: an alert may have both.
        let mut answers = Vec::new();
        let mut leaves = Vec::new();
        wazuh_query::alert::scan(text, catalogue, &mut |field, text: std::borrow::Cow<'_, str>, _: u32| {
            leaves.push((field, text.into_owned()));
        })
        .unwrap();
        for (field, text) in &leaves {
            let field = catalogue.field(*field);
            if field.role == Role::Agent && !options.include_agents {
                continue;
            }
            for (indicator, keys) in self.known.values() {
                for key in keys {
                    if is_in(key, field.holds, text, options.sub_domains) {
                        let standing = options.validity.at(indicator, alert.timestamp);
                        let id = indicator.id.clone();
                        answers.push((id, field.path.to_string(), text.clone(), key.to_string(), standing));
                    }
                }
            }
        }
        answers.sort();
        answers.dedup();
        answers
    }
}

/// Whether a value stands in the text of a field.
fn is_in(key: &Key, holds: Holds, text: &str, sub_domains: bool) -> bool {
    let lenient = if holds == Holds::Ip { Holds::IpWithPort } else { holds };
    let mut found = false;
    read(lenient, text, &mut |reading| {
        let read = match &reading {
            Reading::Address(address) => return found |= is_address(key, *address),
            reading => texts(holds, reading),
        };
        found |= read.iter().any(|(kind, text)| is_text(key, *kind, text, sub_domains));
    });
    found
}

fn is_address(key: &Key, address: IpAddr) -> bool {
    matches!(key, Key::Network(network) if network.contains(&IpNet::from(address)))
}

fn is_text(key: &Key, kind: Kind, text: &str, sub_domains: bool) -> bool {
    let Key::Text(wanted, value) = key else { return false };
    let value: &str = value;
    let ends = |separators: &[char]| {
        text.strip_suffix(value).is_some_and(|rest| rest.is_empty() || rest.ends_with(separators))
    };
    let starts =
        |text: &str| text.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
    match (wanted, kind) {
        (Kind::File, Kind::File) => ends(&['/', '\\']),
        (Kind::Directory, Kind::File) => text.rfind(['/', '\\']).is_some_and(|cut| starts(&text[..cut])),
        (Kind::Directory, Kind::Directory) | (Kind::RegistryKey, Kind::RegistryKey) => starts(text),
        (Kind::Mutex, Kind::Mutex) => text == value || text.rsplit_once('\\').is_some_and(|(_, name)| name == value),
        (Kind::Domain, Kind::Domain) if sub_domains => {
            let suffix = psl::suffix_str(value).is_none_or(|suffix| suffix == value);
            if suffix { text == value } else { ends(&['.']) }
        }
        (wanted, kind) => *wanted == kind && text == value,
    }
}

/// The values that a reading is compared as.
fn texts(holds: Holds, reading: &Reading<'_>) -> Vec<(Kind, String)> {
    let key = |kind, text: &str| match Key::new(kind, text) {
        Some(Key::Text(_, text)) => vec![(kind, text.into_string())],
        _ => Vec::new(),
    };
    match reading {
        Reading::Asn(number) => vec![(Kind::Asn, number.to_string())],
        Reading::Domain(name) | Reading::Hostname(name) => key(Kind::Domain, name),
        Reading::Email(address) => key(Kind::Email, address),
        Reading::Account(account) => {
            let bare = account.bare_name().to_lowercase();
            vec![(Kind::UserAccount, account.login.to_lowercase()), (Kind::UserAccount, bare)]
        }
        Reading::Sid(sid) => key(Kind::UserAccount, sid),
        Reading::Hash(..) if holds == Holds::CertificateFingerprint => Vec::new(),
        Reading::Hash(wazuh_query::catalogue::HashAlgorithm::Imphash, digest) => key(Kind::Text, digest),
        Reading::Hash(_, digest) => {
            let kinds = [Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512];
            kinds.into_iter().filter(|kind| *kind != Kind::Ssdeep).flat_map(|kind| key(kind, digest)).collect()
        }
        Reading::Mac(octets) => vec![(Kind::Mac, value::mac_text(*octets))],
        Reading::Url(url) => key(Kind::Url, url),
        Reading::RegistryKey(written) => {
            let mut texts = key(Kind::RegistryKey, written);
            let extra: Vec<_> = texts
                .iter()
                .filter_map(|(kind, text)| {
                    let user = text.strip_prefix(r"hkey_users\<sid>").map(|rest| format!("hkey_current_user{rest}"));
                    let class = text.strip_prefix(r"hkey_local_machine\software\classes\");
                    Some((*kind, user.or(class.map(|rest| format!(r"hkey_classes_root\{rest}")))?))
                })
                .collect();
            texts.extend(extra);
            texts
        }
        Reading::Path(path) => {
            let path = path.strip_prefix(r"\??\").or_else(|| path.strip_prefix(r"\\?\")).unwrap_or(path);
            let path = path.to_lowercase();
            match holds {
                Holds::ObjectName => vec![(Kind::Mutex, path.clone()), (Kind::File, path)],
                Holds::PipeName => vec![(Kind::Text, path)],
                Holds::Directory => vec![(Kind::Directory, path.trim_end_matches(['/', '\\']).to_owned())],
                _ => vec![(Kind::File, path)],
            }
        }
        Reading::Text(text) => match holds {
            Holds::UserAgent => vec![(Kind::UserAgent, text.to_string()), (Kind::Text, text.to_string())],
            Holds::Vulnerability => vec![(Kind::Vulnerability, text.to_string())],
            Holds::Name => vec![(Kind::Text, text.to_string())],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
