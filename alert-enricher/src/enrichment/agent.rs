//! Addresses and names of agents.

use std::collections::BTreeMap;
use std::net::IpAddr;

use stix_model::Object;
use stix_model::sco::{Hostname, Ipv4Addr, Ipv6Addr};
use stix_model::sro::Relationship;

use super::hits::{Document, Tally};
use super::incident::Run;
use super::markdown::short_code;
use super::sighter::Sighter;
use super::subject::Recognition;
use super::text::when;

/// The addresses and names that agents had in these alerts, each related to its agent.
///
/// The relationship begins with the first alert in which the agent had the address; when it was last seen there is told in
/// words, because the platform takes a relationship with another end for another one.
pub(crate) fn observables(run: &Run<'_>, documents: &[Document<'_>], recognition: &Recognition) -> Vec<Object> {
    let options = run.options;
    let mut addresses: BTreeMap<(&Sighter, IpAddr), Tally> = BTreeMap::new();
    let mut names: BTreeMap<(&Sighter, &str), Tally> = BTreeMap::new();
    for document in documents {
        if !matches!(document.sighter, Sighter::Agent(_)) {
            continue;
        }
        let agent = &document.alert.agent;
        let tally = Tally { count: 1, first: document.alert.timestamp, last: document.alert.timestamp };
        // `any` and what else is no address says nothing.
        let address = agent.ip.as_deref().and_then(|ip| ip.trim().parse::<IpAddr>().ok());
        let address = address.map(|address| address.to_canonical()).filter(|address| !address.is_unspecified());
        if let Some(address) = address.filter(|_| options.create_agent_ip_observable) {
            addresses.entry((&document.sighter, address)).or_default().add(tally);
        }
        let name = agent.name.as_deref().map(str::trim).filter(|name| is_hostname(name));
        if let Some(name) = name.filter(|_| options.create_agent_hostname_observable) {
            names.entry((&document.sighter, name)).or_default().add(tally);
        }
    }
    let mut out = Vec::new();
    let mut add = |sighter: &Sighter, object: Object, what: &str, value: &str, tally: Tally| {
        let Some(place) = run.identities.get(sighter) else { return };
        let known = recognition.entity(&object).cloned();
        let id = known.clone().unwrap_or_else(|| object.id().clone());
        let created = tally.first.unwrap_or(run.now);
        let mut link = Relationship::new("related-to", place.clone(), id, created);
        link.start_time = tally.first;
        let name = short_code(&sighter.name(options), 200);
        link.description =
            Some(format!("{name} had the {what} {}{}", short_code(value, 200), when(tally.first, tally.last)));
        run.stamp.domain(&mut link.common);
        if known.is_none() {
            let mut object = object;
            run.stamp.extracted(&mut object);
            out.push(object);
        }
        out.push(link.into());
    };
    for ((sighter, address), tally) in addresses {
        let text = address.to_string();
        let object = match address {
            IpAddr::V4(_) => Ipv4Addr::new(text.as_str()).into(),
            IpAddr::V6(_) => Ipv6Addr::new(text.as_str()).into(),
        };
        add(sighter, object, "address", &text, tally);
    }
    for ((sighter, name), tally) in names {
        add(sighter, Hostname::new(name).into(), "name", name, tally);
    }
    out
}

/// Whether a name can be that of a host. The platform refuses others; an agent may be called anything.
fn is_hostname(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        for name in ["web01", "web-01.example.org", "WEB_01"] {
            assert!(is_hostname(name), "{name}");
        }
        for name in ["", "a b", "web01 (north)", "-x", "a..b", "é"] {
            assert!(!is_hostname(name), "{name}");
        }
    }
}
