//! What the client answers, in the terms of the core; and what is asked, in the terms of the client.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use alert_enricher::indicator::{Indicator, Key, Kind};
use alert_enricher::knowledge as core;
use alert_enricher::knowledge::Asked;
use ipnet::IpNet;
use opencti_client::{Known, KnownIndicator, KnownObservable, Lookup, LookupLimits, Marking};
use stix_model::{Identifier, Timestamp};
use wazuh_query::value::{canonical_key, hive, url_spellings};

/// So many values are searched inside of patterns: each costs the platform a search through all of them.
const IN_PATTERNS: usize = 30;
/// So many patterns are asked for at most. A search engine refuses questions with more than 1,024 parts.
const PATTERNS: usize = 900;
/// Shorter names stand in too many patterns to be searched there.
const SHORTEST_NAME: usize = 6;
/// The lengths of the networks that are asked for around an address of IPv4: all that are not too wide to say anything.
const LENGTHS_V4: std::ops::RangeInclusive<u8> = 8..=31;
/// The same for IPv6: what registries and providers assign (RFC 6177, RIPE-738), and the smaller ones that are in use.
const LENGTHS_V6: [u8; 19] = [20, 24, 28, 29, 32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 96, 112, 120, 124];

/// Most spellings of a URL that are asked for.
const URL_NAMES: usize = 8;

/// What is asked for the values of an alert. Kinds that patterns are about most come first and are searched there.
pub(crate) fn lookup(asked: &[Asked], search_patterns: bool) -> Lookup {
    let mut lookup = Lookup::new();
    for (place, asked) in asked.iter().enumerate() {
        let value = asked.value.as_str();
        let names = spellings(asked);
        let path = path_of(asked);
        match (asked.kind(), path.strip_prefix("file:hashes.")) {
            (_, Some(algorithm)) => {
                lookup.hash(algorithm.trim_matches('\''), value);
            }
            (kind @ (Kind::File | Kind::Mutex | Kind::RegistryKey), _) => {
                let attribute = if kind == Kind::RegistryKey { "attribute_key" } else { "name" };
                for name in &names {
                    lookup.attribute(attribute, name);
                }
            }
            _ => {
                for name in &names {
                    lookup.value(name);
                }
            }
        }
        if !path.is_empty() {
            for name in &names {
                lookup.pattern(pattern(path, name));
            }
        }
        if search_patterns && place < IN_PATTERNS {
            in_patterns(&mut lookup, asked, &names);
        }
    }
    for asked in asked {
        if let Key::Network(network) = &asked.key
            && !around(&mut lookup, network.addr())
        {
            break;
        }
    }
    lookup
}

/// How intelligence may name a value, the most general name last: a file and an object of the kernel without its path; a
/// key of the registry by the long and the short name of its hive, and without the value that alerts have behind it; a URL
/// as the alert has it, with and without a slash at its end and what else makes no difference. The platform folds case.
fn spellings(asked: &Asked) -> Vec<String> {
    let value = asked.value.as_str();
    let mut names = Vec::new();
    match asked.kind() {
        Kind::File | Kind::Mutex => {
            names.push(value.to_owned());
            names.extend(value.rsplit_once(['/', '\\']).map(|(_, name)| name.to_owned()));
        }
        Kind::RegistryKey => {
            // The normal form has a mark in the place of a user.
            let written = canonical_key(&asked.written);
            let written = written.filter(|key| Key::new(Kind::RegistryKey, key).as_ref() == Some(&asked.key));
            let key = written.unwrap_or_else(|| value.into());
            let above = key.rsplit_once('\\').map(|(above, _)| above).filter(|above| above.contains('\\'));
            for key in [Some(&*key), above].into_iter().flatten() {
                names.push(key.to_owned());
                if let Some((hive, below)) = hive(key).filter(|(_, below)| !below.is_empty()) {
                    names.push(format!("{}\\{below}", hive.short_name()));
                }
            }
        }
        Kind::Url => {
            let written = asked.written.trim();
            let is_it = Key::new(Kind::Url, written).as_ref() == Some(&asked.key);
            let mut add = |name: String| {
                if !names.iter().any(|known: &String| known.eq_ignore_ascii_case(&name)) {
                    names.push(name);
                }
            };
            for spelling in is_it.then(|| written.to_owned()).into_iter().chain(url_spellings(value)) {
                let bare = spelling.trim_end_matches('/');
                if !bare.contains('?') {
                    add(format!("{bare}/"));
                }
                add(bare.to_owned());
            }
            // Other values want room in the question, too.
            names.truncate(URL_NAMES);
        }
        _ => names.push(value.to_owned()),
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What is searched inside of patterns.
fn in_patterns(lookup: &mut Lookup, asked: &Asked, names: &[String]) {
    let value = asked.value.as_str();
    match asked.kind() {
        // A name of a file alone is in too many patterns to be worth the search.
        Kind::File | Kind::UserAgent => {}
        Kind::Mutex => {
            let bare = names.last().filter(|name| name.len() >= SHORTEST_NAME);
            lookup.pattern_with(bare.map_or(value, String::as_str));
        }
        Kind::RegistryKey => {
            // Whatever the name of the hive.
            let key = names.first().map_or(value, String::as_str);
            let below = hive(key).map(|(_, below)| below).filter(|below| below.contains('\\'));
            lookup.pattern_with(below.unwrap_or(key));
        }
        _ => {
            lookup.pattern_with(value);
        }
    }
}

/// The networks that an address is in, as observables and as patterns: what an index of texts cannot search for. Answers
/// whether there was room for them.
fn around(lookup: &mut Lookup, address: IpAddr) -> bool {
    let (lengths, path): (Vec<u8>, _) = match address {
        IpAddr::V4(_) => (LENGTHS_V4.collect(), "ipv4-addr:value"),
        IpAddr::V6(_) => (LENGTHS_V6.to_vec(), "ipv6-addr:value"),
    };
    if lookup.patterns.len() + 2 * lengths.len() > PATTERNS {
        return false;
    }
    for network in lengths.into_iter().filter_map(|length| IpNet::new(address, length).ok()) {
        let network = network.trunc();
        lookup.value(network.to_string());
        lookup.pattern(format!("[{path} = '{network}']"));
        lookup.pattern(format!("[{path} ISSUBSET '{network}']"));
    }
    true
}

/// The property of the pattern that the platform makes for a value; empty if there is none.
fn path_of(asked: &Asked) -> &'static str {
    match (asked.kind(), &asked.key) {
        (Kind::Address, Key::Network(network)) if network.addr().is_ipv4() => "ipv4-addr:value",
        (Kind::Address, _) => "ipv6-addr:value",
        (Kind::Domain, _) => "domain-name:value",
        (Kind::Url, _) => "url:value",
        (Kind::Email, _) => "email-addr:value",
        (Kind::Mac, _) => "mac-addr:value",
        (Kind::Md5, _) => "file:hashes.MD5",
        (Kind::Sha1, _) => "file:hashes.'SHA-1'",
        (Kind::Sha256, _) => "file:hashes.'SHA-256'",
        (Kind::Sha512, _) => "file:hashes.'SHA-512'",
        (Kind::Ssdeep, _) => "file:hashes.SSDEEP",
        (Kind::File, _) => "file:name",
        (Kind::Mutex, _) => "mutex:name",
        (Kind::RegistryKey, _) => "windows-registry-key:key",
        (Kind::UserAgent, _) => "user-agent:value",
        _ => "",
    }
}

/// The pattern that the platform makes for a value.
fn pattern(path: &str, value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('\'', r"\'");
    format!("[{path} = '{value}']")
}

/// So much is asked for again when the first answer was cut.
const MORE_OF_ALL: u32 = 500;
const MORE_OF_EACH: u32 = 100;
/// So many questions are asked again at most.
const MORE_QUESTIONS: usize = 6;

/// What was found, and what an administrator has to know about it.
pub(crate) struct Found {
    pub(crate) knowledge: core::Knowledge,
    pub(crate) warnings: Vec<String>,
}

/// Which lists of an answer are as long as they may be, with more behind them. What merely is related to something does not
/// count: well-known values have more relations than anybody reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cut {
    observables: bool,
    indicators: bool,
    /// The indicators of a single observable.
    each: bool,
}

impl Cut {
    fn of(known: &Known, limits: &LookupLimits) -> Self {
        let is_full = |count: usize, limit: u32| known.more && count + known.skipped.len() >= limit as usize;
        Self {
            observables: is_full(known.observables.len(), limits.observables),
            indicators: is_full(known.indicators.len(), limits.indicators),
            each: known.observables.iter().any(|known| is_full(known.indicators.len(), limits.indicators_each)),
        }
    }
}

/// Looks the values of an alert up. One question is enough unless the answer is cut: then what is exactly asked for is
/// asked for by itself, so that patterns which merely hold a value do not take its place, and in halves if need be.
pub(crate) fn look_up<E: std::fmt::Display>(
    asked: &[Asked],
    search_patterns: bool,
    mut ask: impl FnMut(&Lookup) -> Result<Known, E>,
) -> Result<Found, E> {
    let wanted = lookup(asked, search_patterns);
    let mut known = ask(&wanted)?;
    let mut warnings = Vec::new();
    let cut = Cut::of(&known, &wanted.limits);
    if cut != Cut::default() {
        let (mut exact, mut inside) = (wanted.clone(), Lookup::new());
        inside.in_patterns = std::mem::take(&mut exact.in_patterns);
        let parts = [Some(exact), Some(inside).filter(|_| cut.indicators)];
        let mut open: VecDeque<Lookup> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let mut is_cut = false;
        for left in (0..MORE_QUESTIONS).rev() {
            let Some(mut part) = open.pop_front() else { break };
            part.limits.observables = MORE_OF_ALL;
            part.limits.indicators = MORE_OF_ALL;
            part.limits.indicators_each = MORE_OF_EACH;
            match ask(&part) {
                Ok(more) => {
                    let cut = Cut::of(&more, &part.limits);
                    let is_long = cut.observables || cut.indicators;
                    // The halves need not bring again what stands here already.
                    match halves(&part).filter(|_| is_long && left >= open.len() + 2) {
                        Some(halves) => open.extend(halves),
                        None => is_cut |= cut != Cut::default(),
                    }
                    merge(&mut known, more);
                }
                // What the first answer says is better than nothing.
                Err(error) => {
                    warnings
                        .push(format!("OpenCTI knows more about an alert than one answer holds, and then: {error}"));
                    open.clear();
                    break;
                }
            }
        }
        if is_cut || !open.is_empty() {
            warnings
                .push("OpenCTI knows more about an alert than is asked for; some of that was not looked at".to_owned());
        }
    }
    if let Some(first) = known.skipped.first() {
        let count = known.skipped.len();
        warnings.push(format!("{count} objects of OpenCTI's answer could not be read, the first: {first}"));
    }
    Ok(Found { knowledge: knowledge(known), warnings })
}

/// The two halves of a question. `None` if it is about a single value.
fn halves(lookup: &Lookup) -> Option<[Lookup; 2]> {
    let (mut one, mut other) = (lookup.clone(), lookup.clone());
    let mut is_divided = false;
    let mut divide = |one: &mut Vec<String>, other: &mut Vec<String>| {
        let middle = one.len().div_ceil(2);
        is_divided |= one.len() > 1;
        one.truncate(middle);
        other.drain(..middle);
    };
    divide(&mut one.values, &mut other.values);
    divide(&mut one.patterns, &mut other.patterns);
    divide(&mut one.in_patterns, &mut other.in_patterns);
    for (one, other) in one.hashes.values_mut().zip(other.hashes.values_mut()) {
        divide(one, other);
    }
    for (one, other) in one.attributes.values_mut().zip(other.attributes.values_mut()) {
        divide(one, other);
    }
    is_divided.then_some([one, other])
}

/// Adds what a later answer has: everything once, and of an observable what was said last, which is more.
fn merge(known: &mut Known, more: Known) {
    let mut observables: HashMap<Identifier, usize> = HashMap::new();
    for (place, observable) in known.observables.iter().enumerate() {
        observables.insert(observable.standard_id.clone(), place);
    }
    for observable in more.observables {
        match observables.get(&observable.standard_id).and_then(|place| known.observables.get_mut(*place)) {
            Some(there) => *there = observable,
            None => known.observables.push(observable),
        }
    }
    let indicators: HashSet<Identifier> =
        known.indicators.iter().map(|indicator| indicator.standard_id.clone()).collect();
    known.indicators.extend(more.indicators.into_iter().filter(|one| !indicators.contains(&one.standard_id)));
    known.skipped.extend(more.skipped);
}

fn knowledge(known: Known) -> core::Knowledge {
    core::Knowledge {
        observables: known.observables.into_iter().map(observable).collect(),
        indicators: known.indicators.into_iter().map(indicator).collect(),
    }
}

fn observable(known: KnownObservable) -> core::KnownObservable {
    let mut observable = core::KnownObservable::default();
    observable.markings = names(&known.markings);
    observable.id = known.standard_id.to_string();
    observable.platform_id = Some(known.id).filter(|id| !id.is_empty());
    observable.entity_type = known.entity_type;
    observable.value = known.value;
    observable.hashes = known.hashes.into_values().collect();
    observable.score = known.score;
    observable.description = known.description;
    observable.author = known.author.map(|author| author.name);
    observable.labels = known.labels;
    observable.indicators = known.indicators.into_iter().map(indicator).collect();
    observable.related = known
        .related
        .into_iter()
        .map(|related| core::Related {
            relationship_type: related.relationship_type,
            observable: self::observable(related.observable),
        })
        .collect();
    observable
}

fn indicator(known: KnownIndicator) -> core::KnownIndicator {
    let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let percent = |number: Option<i64>| number.and_then(|number| u8::try_from(number.clamp(0, 100)).ok());
    let mut about = Indicator::new(known.standard_id.clone());
    about.tlp = known.tlp();
    about.valid_from = time(&known.valid_from);
    about.valid_until = time(&known.valid_until);
    about.revoked = known.revoked;
    about.score = percent(known.score);
    about.confidence = percent(known.confidence);
    about.labels = known.labels.iter().map(|label| label.as_str().into()).collect();
    let mut indicator = core::KnownIndicator::new(about, known.pattern);
    indicator.markings = names(&known.markings);
    indicator.platform_id = Some(known.id).filter(|id| !id.is_empty());
    indicator.name = Some(known.name).filter(|name| !name.is_empty());
    indicator.description = known.description;
    indicator.pattern_type = known.pattern_type;
    indicator.detection = known.detection;
    indicator.main_observable_type = known.main_observable_type;
    indicator.author = known.author.map(|author| author.name);
    indicator.kill_chain_phases = known.kill_chain_phases;
    indicator.indicates = known
        .indicates
        .into_iter()
        .map(|one| core::Indicated { entity_type: one.entity_type, name: one.name })
        .collect();
    indicator
}

fn names(markings: &[Marking]) -> Vec<String> {
    markings.iter().map(|marking| marking.definition.clone()).collect()
}

#[cfg(test)]
mod tests {
    use alert_enricher::knowledge::{AskOptions, ask};
    use opencti_client::embedded::BundleIntel;
    use opencti_client::{Context, ThreatIntelligence as _};
    use wazuh_query::alert::Alert;
    use wazuh_query::catalogue::Catalogue;

    use super::*;

    fn asked(text: &str) -> Vec<Asked> {
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(text, &catalogue).unwrap();
        ask(&alert, &catalogue, &AskOptions::default()).unwrap()
    }

    #[test]
    fn everything_is_asked_at_once() {
        let text = r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7","url":"http://www.evil.example/it's"},
            "syscheck":{"path":"/tmp/nc","md5_after":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}}"#;
        let asked = asked(text);
        let wanted = lookup(&asked, true);
        for value in ["http://www.evil.example/it's", "www.evil.example", "203.0.113.7"] {
            assert!(wanted.values.iter().any(|known| known == value), "{value}: {:?}", wanted.values);
        }
        assert_eq!(wanted.hashes["MD5"], ["0f1e2d3c4b5a69788796a5b4c3d2e1f0"]);
        assert_eq!(wanted.attributes["name"], ["/tmp/nc", "nc"]);
        assert!(wanted.patterns.contains(&r"[url:value = 'http://www.evil.example/it\'s']".to_owned()));
        assert_eq!(wanted.in_patterns.len(), 4);
        assert!(lookup(&asked, false).in_patterns.is_empty());
    }

    #[test]
    fn urls_are_asked_for_as_intelligence_may_write_them() {
        let wanted = lookup(&asked(r#"{"rule":{"id":"1"},"data":{"url":"http://Evil.example:80/"}}"#), true);
        for url in ["http://evil.example", "http://evil.example/", "http://evil.example:80/"] {
            assert!(wanted.values.iter().any(|value| value.eq_ignore_ascii_case(url)), "{url}: {:?}", wanted.values);
            let pattern = format!("[url:value = '{url}']");
            assert!(wanted.patterns.iter().any(|known| known.eq_ignore_ascii_case(&pattern)), "{url}");
        }
        let wanted = lookup(&asked(r#"{"rule":{"id":"1"},"data":{"url":"http://evil.example/a?b=c"}}"#), true);
        assert_eq!(wanted.values[..2], ["http://evil.example/a?b=c", "http://evil.example:80/a?b=c"]);
    }

    #[test]
    fn networks_of_every_length_are_asked_for() {
        // An index of texts knows nothing of networks, so they are asked for one by one.
        let wanted = lookup(&asked(r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7"}}"#), true);
        for length in 8..=31 {
            let network = IpNet::new("203.0.113.7".parse().unwrap(), length).unwrap().trunc().to_string();
            assert!(wanted.values.contains(&network), "{network}");
            assert!(wanted.patterns.contains(&format!("[ipv4-addr:value = '{network}']")));
            assert!(wanted.patterns.contains(&format!("[ipv4-addr:value ISSUBSET '{network}']")));
        }
        let wanted = lookup(&asked(r#"{"rule":{"id":"1"},"data":{"srcip":"2001:470:1f2b:aaaa::7"}}"#), true);
        for network in ["2001:470::/29", "2001:470:1000::/36", "2001:470:1f2b:aaaa::/64", "2001:470:1f2b:aaaa::/124"] {
            assert!(wanted.patterns.contains(&format!("[ipv6-addr:value ISSUBSET '{network}']")), "{network}");
        }
        // However many there are, the platform's index takes the question.
        let many: Vec<String> = (0..200).map(|number| format!("203.{number}.113.7")).collect();
        let text = serde_json::json!({"rule": {"id": "1"}, "data": {"srcip": many}}).to_string();
        let wanted = lookup(&asked(&text), true);
        assert!(wanted.patterns.len() <= PATTERNS && wanted.values.len() <= PATTERNS, "{}", wanted.patterns.len());
        assert!(wanted.patterns.contains(&"[ipv4-addr:value ISSUBSET '203.15.64.0/18']".to_owned()));
    }

    #[test]
    fn names_are_asked_for_as_intelligence_has_them() {
        let text = r#"{"rule":{"id":"1"},"data":{"win":{"eventdata":{"image":"C:\\\\Tools\\\\nc.exe",
            "targetObject":"HKLM\\\\SOFTWARE\\\\Acme\\\\Run\\\\Updater",
            "objectType":"Mutant","objectName":"\\\\Sessions\\\\1\\\\BaseNamedObjects\\\\NimbusSync"}},
            "aws":{"userAgent":"NimbusLoader/1.0"}}}"#;
        let wanted = lookup(&asked(text), true);
        let keys = [
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme\Run\Updater",
            r"HKLM\SOFTWARE\Acme\Run\Updater",
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme\Run",
            r"HKLM\SOFTWARE\Acme\Run",
        ];
        assert_eq!(wanted.attributes["attribute_key"], keys);
        for name in ["nc.exe", "nimbussync"] {
            assert!(wanted.attributes["name"].iter().any(|known| known == name), "{:?}", wanted.attributes);
        }
        for pattern in [
            r"[file:name = 'nc.exe']",
            r"[mutex:name = 'nimbussync']",
            r"[user-agent:value = 'NimbusLoader/1.0']",
            r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Run']",
            r"[windows-registry-key:key = 'HKLM\\SOFTWARE\\Acme\\Run\\Updater']",
        ] {
            assert!(wanted.patterns.iter().any(|known| known == pattern), "{pattern} in {:?}", wanted.patterns);
        }
        assert!(wanted.in_patterns.iter().any(|part| part == "nimbussync"));
        assert!(wanted.in_patterns.iter().any(|part| part == r"SOFTWARE\Acme\Run\Updater"));
    }

    fn of_pattern(number: usize, pattern: &str) -> KnownIndicator {
        let json = serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "created": "2026-03-01T00:00:00Z", "modified": "2026-03-01T00:00:00Z",
            "id": format!("indicator--8752eb5f-8b58-519e-8f40-1087{number:08}"), "name": format!("indicator {number}"),
            "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-03-01T00:00:00Z",
        });
        let intel = BundleIntel::new(vec![serde_json::from_value(json).unwrap()]);
        let mut all = Lookup::new();
        all.pattern(pattern);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(intel.look_up(&all, &Context::new())).unwrap().indicators.remove(0)
    }

    /// Answers like the platform: those of all patterns that are asked for, up to the limit.
    fn answer(lookup: &Lookup, indicators: &[KnownIndicator]) -> Known {
        let is_wanted = |known: &&KnownIndicator| {
            lookup.patterns.contains(&known.pattern)
                || lookup.in_patterns.iter().any(|part| known.pattern.contains(part))
        };
        let mut found: Vec<_> = indicators.iter().filter(is_wanted).cloned().collect();
        let mut known = Known::default();
        known.more = found.len() > lookup.limits.indicators as usize;
        found.truncate(lookup.limits.indicators as usize);
        known.indicators = found;
        known
    }

    #[test]
    fn patterns_that_hold_a_value_do_not_hide_the_one_that_is_about_it() {
        let asked = asked(r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7"}}"#);
        let many = |count| {
            let mut indicators: Vec<_> = (0..count)
                .map(|number| of_pattern(number, &format!("[url:value = 'http://203.0.113.7/{number}']")))
                .collect();
            indicators.push(of_pattern(count, "[ipv4-addr:value = '203.0.113.7']"));
            indicators
        };
        // One question if its answer is whole.
        let (indicators, mut questions) = (many(50), 0);
        let mut look = |lookup: &Lookup| {
            questions += 1;
            Ok::<_, String>(answer(lookup, &indicators))
        };
        let found = look_up(&asked, true, &mut look).unwrap();
        assert_eq!((found.knowledge.indicators.len(), found.warnings.len(), questions), (51, 0, 1));
        // All of it if asking again brings it.
        let indicators = many(150);
        let found = look_up(&asked, true, |lookup| Ok::<_, String>(answer(lookup, &indicators))).unwrap();
        assert_eq!((found.knowledge.indicators.len(), found.warnings), (151, vec![]));
        // The exact one in any case, and a warning.
        let (indicators, mut questions) = (many(600), 0);
        let mut look = |lookup: &Lookup| {
            questions += 1;
            Ok::<_, String>(answer(lookup, &indicators))
        };
        let found = look_up(&asked, true, &mut look).unwrap();
        assert!(found.knowledge.indicators.iter().any(|known| known.pattern == "[ipv4-addr:value = '203.0.113.7']"));
        assert_eq!((found.warnings.len(), questions), (1, 3), "{:?}", found.warnings);
        // An error of the second question leaves the first answer.
        let mut first = true;
        let found = look_up(&asked, true, |lookup| {
            if std::mem::take(&mut first) { Ok(answer(lookup, &indicators)) } else { Err("no answer".to_owned()) }
        });
        let found = found.unwrap();
        assert_eq!((found.knowledge.indicators.len(), found.warnings.len()), (100, 1));
    }

    /// Every well-known address has more relations than are looked at.
    #[test]
    fn relations_that_were_cut_are_not_asked_for_again() {
        let asked = asked(r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7"}}"#);
        let mut known = Known::default();
        known.indicators = vec![of_pattern(1, "[ipv4-addr:value = '203.0.113.7']")];
        known.more = true;
        let mut questions = 0;
        let look = |_: &Lookup| {
            questions += 1;
            Ok::<_, String>(known.clone())
        };
        let found = look_up(&asked, true, look).unwrap();
        assert_eq!((found.knowledge.indicators.len(), found.warnings.len(), questions), (1, 0, 1));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let asked = asked(r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7"}}"#);
        let mut known = Known::default();
        known.skipped = vec!["an indicator: no identifier".to_owned()];
        let found = look_up(&asked, true, |_| Ok::<_, String>(known.clone())).unwrap();
        assert!(found.warnings[0].contains("an indicator: no identifier"), "{:?}", found.warnings);
    }

    #[test]
    fn questions_are_halved() {
        let mut whole = Lookup::new();
        whole.value("a").value("b").value("c").pattern("p").hash("MD5", "1").hash("MD5", "2");
        let [one, other] = halves(&whole).unwrap();
        assert_eq!((one.values.len(), other.values.len()), (2, 1));
        assert_eq!((one.patterns.len(), other.patterns.len()), (1, 0));
        assert_eq!((&one.hashes["MD5"][..], &other.hashes["MD5"][..]), (&["1".to_owned()][..], &["2".to_owned()][..]));
        let mut single = Lookup::new();
        single.value("a");
        assert!(halves(&single).is_none());
    }
}
