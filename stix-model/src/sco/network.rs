//! Addresses, names and traffic.

use super::{identified_by, unset};
use crate::{Extra, Identifier, Timestamp};

stix_object! {
    /// An IPv4 address or CIDR range (STIX 2.1, section 6.8).
    ScoCommon Ipv4Addr = "ipv4-addr" {
        /// The address, or a range in CIDR notation.
        value: String,
        /// MAC addresses it resolves to.
        resolves_to_refs: Vec<Identifier>,
        /// Autonomous systems it belongs to.
        belongs_to_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// An IPv6 address or CIDR range (STIX 2.1, section 6.9).
    ScoCommon Ipv6Addr = "ipv6-addr" {
        /// The address, or a range in CIDR notation.
        value: String,
        /// MAC addresses it resolves to.
        resolves_to_refs: Vec<Identifier>,
        /// Autonomous systems it belongs to.
        belongs_to_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A MAC address (STIX 2.1, section 6.10).
    ScoCommon MacAddr = "mac-addr" {
        /// Lower-case, with colons.
        value: String,
    }
}

stix_object! {
    /// A domain name (STIX 2.1, section 6.4).
    ScoCommon DomainName = "domain-name" {
        /// The name.
        value: String,
        /// Addresses and names it resolves to.
        resolves_to_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A URL (STIX 2.1, section 6.15).
    ScoCommon Url = "url" {
        /// The URL.
        value: String,
    }
}

stix_object! {
    /// An autonomous system (STIX 2.1, section 6.2).
    ScoCommon AutonomousSystem = "autonomous-system" {
        /// Its number.
        number: i64,
        /// Its name.
        name: Option<String>,
        /// The regional registry.
        rir: Option<String>,
    }
}

stix_object! {
    /// Network traffic between a source and a destination (STIX 2.1, section 6.12).
    ScoCommon NetworkTraffic = "network-traffic" {
        /// When it began.
        start: Option<Timestamp>,
        /// When it ended.
        end: Option<Timestamp>,
        /// True while it lasts.
        is_active: Option<bool>,
        /// Where it comes from.
        src_ref: Option<Identifier>,
        /// Where it goes to.
        dst_ref: Option<Identifier>,
        /// Source port.
        src_port: Option<i64>,
        /// Destination port.
        dst_port: Option<i64>,
        /// Protocols from the outermost to the innermost.
        protocols: Vec<String>,
        /// Bytes sent by the source.
        src_byte_count: Option<i64>,
        /// Bytes sent by the destination.
        dst_byte_count: Option<i64>,
        /// Packets sent by the source.
        src_packets: Option<i64>,
        /// Packets sent by the destination.
        dst_packets: Option<i64>,
        /// IP flow information.
        ipfix: Extra,
        /// What the source sent.
        src_payload_ref: Option<Identifier>,
        /// What the destination sent.
        dst_payload_ref: Option<Identifier>,
        /// Traffic inside this traffic.
        encapsulates_refs: Vec<Identifier>,
        /// Traffic this traffic is inside of.
        encapsulated_by_ref: Option<Identifier>,
    }
}

identified_by!(Ipv4Addr.value, Ipv6Addr.value, MacAddr.value, DomainName.value, Url.value);
unset!(AutonomousSystem, NetworkTraffic);

impl AutonomousSystem {
    /// The autonomous system with this number, identified.
    pub fn new(number: impl Into<i64>) -> Self {
        Self { number: number.into(), ..Self::default() }.identified()
    }
}
