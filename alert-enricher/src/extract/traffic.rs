//! Connections.

use std::net::IpAddr;

use stix_model::Identifier;
use stix_model::sco::NetworkTraffic;
use wazuh_query::catalogue::{Catalogue, FieldId, Holds, Role};
use wazuh_query::value::{self, Reading, read};

use super::group::Group;
use super::{ExtractType, Work};

/// One end of a connection.
#[derive(Default)]
struct End {
    address: Option<(IpAddr, FieldId)>,
    port: Option<(i64, FieldId)>,
}

/// What the fields of one end say. Several products may speak in one alert, each of a connection of its own.
#[derive(Default)]
struct Candidates {
    addresses: Vec<(IpAddr, FieldId)>,
    ports: Vec<(i64, FieldId)>,
}

impl Candidates {
    /// The first port, and the first address of the product that tells it; else the first address of all.
    fn choose(&self, catalogue: &Catalogue) -> End {
        let port = self.ports.first().copied();
        let decoder = |field: FieldId| &catalogue.field(field).decoder;
        let beside = port.and_then(|(_, port)| {
            self.addresses.iter().find(|(_, address)| decoder(*address) == decoder(port)).copied()
        });
        End { address: beside.or_else(|| self.addresses.first().copied()), port }
    }
}

impl<'a> Work<'_, 'a, '_> {
    /// The connection of a group: at least one address, and a second address or a port.
    pub(super) fn traffic(&mut self, group: &Group<'a>) {
        if !self.wants(ExtractType::NetworkTraffic) {
            return;
        }
        let (mut source, mut destination) = (Candidates::default(), Candidates::default());
        let mut named = None;
        for leaf in &group.leaves {
            if leaf.holds == Holds::Protocol {
                named = named.or_else(|| value::protocol_name(leaf.text).map(|name| (name, leaf.field)));
            }
            let end = match leaf.role {
                Role::Source => &mut source,
                Role::Destination => &mut destination,
                _ => continue,
            };
            let of_end = matches!(leaf.holds, Holds::Ip | Holds::IpWithPort | Holds::HostOrIp | Holds::Port);
            if !of_end {
                continue;
            }
            read(leaf.holds, leaf.text, &mut |reading| match reading {
                Reading::Address(address) if !address.is_unspecified() => {
                    end.addresses.push((address, leaf.field));
                }
                Reading::Number(port) if port <= 65_535 => {
                    end.ports.push((i64::try_from(port).unwrap_or_default(), leaf.field));
                }
                _ => {}
            });
        }
        let (source, destination) = (source.choose(self.catalogue), destination.choose(self.catalogue));
        let ends = [&source, &destination];
        let addresses = ends.iter().filter(|end| end.address.is_some()).count();
        let ports = ends.iter().filter(|end| end.port.is_some()).count();
        if addresses == 0 || addresses + ports < 2 {
            return;
        }
        let mut fields = Vec::new();
        let mut protocols: Vec<String> = Vec::new();
        for (address, _) in ends.iter().filter_map(|end| end.address) {
            let layer = if address.is_ipv4() { "ipv4" } else { "ipv6" };
            if !protocols.iter().any(|known| known == layer) {
                protocols.push(layer.to_owned());
            }
        }
        protocols.sort_unstable();
        if let Some((name, field)) = named {
            if !protocols.contains(&name) {
                protocols.push(name);
            }
            fields.push(field);
        }
        // What decoders do not say but the rule's groups do.
        for (protocol, groups) in value::PROTOCOLS_OF_RULE_GROUPS {
            let inferred = self.alert.rule.groups.iter().any(|group| groups.contains(&&**group));
            if inferred && !protocols.iter().any(|known| known == protocol) {
                protocols.push((*protocol).to_owned());
            }
        }
        let src_ref = self.end(&source, &mut fields);
        let dst_ref = self.end(&destination, &mut fields);
        if src_ref.is_none() && dst_ref.is_none() {
            return;
        }
        let traffic = NetworkTraffic {
            src_ref,
            dst_ref,
            src_port: source.port.map(|(port, _)| port),
            dst_port: destination.port.map(|(port, _)| port),
            protocols,
            ..NetworkTraffic::default()
        };
        self.add(traffic.identified(), fields);
    }

    fn end(&mut self, end: &End, fields: &mut Vec<FieldId>) -> Option<Identifier> {
        fields.extend(end.port.map(|(_, field)| field));
        let (address, field) = end.address?;
        fields.push(field);
        self.address(address, field)
    }
}
