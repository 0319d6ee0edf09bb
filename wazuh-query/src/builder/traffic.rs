//! Network traffic.

use stix_model::sco::NetworkTraffic;
use stix_model::{Identifier, Object};

use super::{Draft, NotSearchable, Note, Query, QueryBuilder, Resolve};
use crate::dsl::{Clause, FieldSet};
use crate::value;

/// The fields of one end of a connection.
struct End<'f> {
    property: &'static str,
    ip: &'f FieldSet,
    ip_typed: &'f FieldSet,
    ip_with_port: &'f FieldSet,
    mac: &'f FieldSet,
}

impl QueryBuilder {
    /// A connection: every property that is given narrows the search, and at least one address must be.
    pub(super) fn network_traffic(
        &self,
        traffic: &NetworkTraffic,
        references: &dyn Resolve,
        notes: &mut Vec<Note>,
    ) -> Draft {
        let fields = &self.fields;
        let source = End {
            property: "src_ref",
            ip: &fields.source_ip,
            ip_typed: &fields.source_ip_typed,
            ip_with_port: &fields.source_ip_with_port,
            mac: &fields.source_mac,
        };
        let destination = End {
            property: "dst_ref",
            ip: &fields.destination_ip,
            ip_typed: &fields.destination_ip_typed,
            ip_with_port: &fields.destination_ip_with_port,
            mac: &fields.destination_mac,
        };
        let mut all = Vec::new();
        all.extend(self.end(&source, traffic.src_ref.as_ref(), references)?);
        all.extend(self.end(&destination, traffic.dst_ref.as_ref(), references)?);
        if all.is_empty() {
            return Err(NotSearchable::TooBroad("traffic without an address would match every alert with its ports"));
        }
        let ports = [(&fields.source_port, traffic.src_port), (&fields.destination_port, traffic.dst_port)];
        for (fields, port) in ports {
            if let Some(port) = port.filter(|port| (0..=65_535).contains(port)) {
                all.push(Query::any_field(fields, Clause::term(port.to_string())));
            }
        }
        // Protocols are listed from the outermost to the innermost layer; the last one that alerts name says most.
        let specific = traffic
            .protocols
            .iter()
            .rev()
            .find_map(|name| value::protocol_name(name).filter(|name| name != "ipv4" && name != "ipv6"));
        if let Some(name) = specific {
            match transport_number(&name) {
                // Firewalls name the transport, and so do most event sources; a number means the same.
                Some(number) => {
                    let mut any = Self::folded(&fields.protocol, [name]);
                    any.push(Query::any_field(&fields.protocol, Clause::term(number)));
                    all.push(Query::any(any));
                }
                // Application protocols are often inferred, so an alert of the same connection need not name them.
                None => notes.push(Note::NotRequired("protocols")),
            }
        }
        Ok(vec![Query::all(all)])
    }

    fn end(
        &self,
        end: &End<'_>,
        reference: Option<&Identifier>,
        references: &dyn Resolve,
    ) -> Result<Option<Query>, NotSearchable> {
        let Some(id) = reference else { return Ok(None) };
        let object = references
            .resolve(id)
            .ok_or_else(|| NotSearchable::Unresolved { property: end.property, id: id.clone() })?;
        let address = match object {
            Object::Ipv4Addr(address) => &address.value,
            Object::Ipv6Addr(address) => &address.value,
            Object::MacAddr(address) => return self.mac_in(end.mac, &address.value).map(Some),
            other => {
                let object_type = other.object_type().to_owned();
                return Err(NotSearchable::ReferenceType { property: end.property, object_type });
            }
        };
        let Some(parsed) = value::address(address) else {
            return Err(NotSearchable::Invalid { value: super::reason::shown(address), expected: "an address" });
        };
        let mut any = Self::address_in(end.ip, end.ip_typed, parsed, Some(address));
        any.push(Self::address_with_port(end.ip_with_port, parsed));
        Ok(Some(Query::any(any)))
    }
}

/// The number of a transport protocol, as firewalls log it.
fn transport_number(name: &str) -> Option<&'static str> {
    Some(match name {
        "icmp" => "1",
        "tcp" => "6",
        "udp" => "17",
        "gre" => "47",
        "esp" => "50",
        "ipv6-icmp" => "58",
        "sctp" => "132",
        _ => return None,
    })
}
