//! What the client answers, in the terms of the core; and what is asked, in the terms of the client.

use std::net::IpAddr;

use alert_enricher::indicator::{Indicator, Key, Kind};
use alert_enricher::knowledge as core;
use alert_enricher::knowledge::Asked;
use ipnet::IpNet;
use opencti_client::{Known, KnownIndicator, KnownObservable, Lookup, Marking};
use stix_model::Timestamp;

/// So many values are searched inside of patterns: each costs the platform a search through all of them.
const IN_PATTERNS: usize = 30;

/// What is asked for the values of an alert. Kinds that patterns are about most come first and are searched there.
pub(crate) fn lookup(asked: &[Asked], search_patterns: bool) -> Lookup {
    let mut lookup = Lookup::new();
    for (place, asked) in asked.iter().enumerate() {
        let value = asked.value.as_str();
        let hash = match asked.kind() {
            Kind::Md5 => Some("MD5"),
            Kind::Sha1 => Some("SHA-1"),
            Kind::Sha256 => Some("SHA-256"),
            Kind::Sha512 => Some("SHA-512"),
            Kind::Ssdeep => Some("SSDEEP"),
            _ => None,
        };
        match (hash, asked.kind()) {
            (Some(algorithm), _) => {
                lookup.hash(algorithm, value);
            }
            (None, Kind::File | Kind::Mutex) => {
                let name = asked.written.rsplit(['/', '\\']).next().unwrap_or_default();
                lookup.attribute("name", name);
            }
            (None, Kind::RegistryKey) => {
                lookup.attribute("attribute_key", asked.written.as_str());
            }
            _ => {
                lookup.value(value);
            }
        }
        if let Some(pattern) = pattern_of(asked) {
            lookup.pattern(pattern);
        }
        if let Key::Network(network) = &asked.key
            && place < IN_PATTERNS
        {
            around(&mut lookup, network.addr());
        }
        // A name of a file alone is in too many patterns to be worth the search.
        if search_patterns && place < IN_PATTERNS && !matches!(asked.kind(), Kind::File | Kind::UserAgent) {
            lookup.pattern_with(value);
        }
    }
    lookup
}

/// The networks that an address is in, as observables and as patterns: what an index of texts cannot search for.
fn around(lookup: &mut Lookup, address: IpAddr) {
    let (lengths, path): (&[u8], _) = match address {
        IpAddr::V4(_) => (&[8, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31], "ipv4-addr:value"),
        IpAddr::V6(_) => (&[32, 40, 44, 48, 56, 64], "ipv6-addr:value"),
    };
    for network in lengths.iter().filter_map(|length| IpNet::new(address, *length).ok()) {
        let network = network.trunc();
        lookup.value(network.to_string());
        lookup.pattern(format!("[{path} = '{network}']"));
        lookup.pattern(format!("[{path} ISSUBSET '{network}']"));
    }
}

/// The pattern that the platform makes for a value.
fn pattern_of(asked: &Asked) -> Option<String> {
    let path = match (asked.kind(), &asked.key) {
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
        _ => return None,
    };
    let value = asked.value.replace('\\', r"\\").replace('\'', r"\'");
    Some(format!("[{path} = '{value}']"))
}

pub(crate) fn knowledge(known: Known) -> core::Knowledge {
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
    use wazuh_query::alert::Alert;
    use wazuh_query::catalogue::Catalogue;

    use super::*;

    #[test]
    fn everything_is_asked_at_once() {
        let catalogue = Catalogue::builtin();
        let text = r#"{"rule":{"id":"1"},"data":{"srcip":"203.0.113.7","url":"http://www.evil.example/it's"},
            "syscheck":{"path":"/tmp/nc","md5_after":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}}"#;
        let alert = Alert::read(text, &catalogue).unwrap();
        let asked = ask(&alert, &catalogue, &AskOptions::default()).unwrap();
        let wanted = lookup(&asked, true);
        assert_eq!(wanted.values[..3], ["http://www.evil.example/it's", "www.evil.example", "203.0.113.7"]);
        // An index of texts knows nothing of networks, so they are asked for one by one.
        assert!(wanted.values.contains(&"203.0.113.0/24".to_owned()));
        assert!(wanted.patterns.contains(&"[ipv4-addr:value ISSUBSET '203.0.112.0/20']".to_owned()));
        assert_eq!(wanted.hashes["MD5"], ["0f1e2d3c4b5a69788796a5b4c3d2e1f0"]);
        assert_eq!(wanted.attributes["name"], ["nc"]);
        assert!(wanted.patterns.contains(&r"[url:value = 'http://www.evil.example/it\'s']".to_owned()));
        assert_eq!(wanted.in_patterns.len(), 4);
        assert!(lookup(&asked, false).in_patterns.is_empty());
    }
}
