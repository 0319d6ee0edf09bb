//! The envelope of a finding, and what Wazuh's own threat intelligence adds to it.

use crate::catalogue::field::{
    Envelope::{
        AgentId, AgentIp, AgentName, AlertId, Decoder, EventCode, Integration, Location, ManagerName, RuleDescription,
        RuleGroup, RuleId, RuleLevel, Timestamp,
    },
    HashAlgorithm::{Md5, Sha1, Sha256},
    Holds::{
        AttackTechnique, AttackTechniqueName, Email, Envelope, Hash, Hostname, Ip, Mac, Name, Port, Url, UserDomain,
    },
    IndexType, Role, Schema, Table, field, word,
};

/// Who raised the finding, when, and by which rule.
pub(super) const ENVELOPE: Table = Table {
    decoder: "wazuh common schema",
    schema: Schema::Wazuh5,
    rows: &[
        field("@timestamp", Envelope(Timestamp)).indexed(IndexType::Date),
        word("event.action").outcome(8),
        field("event.code", Envelope(EventCode)),
        field("event.doc_id", Name).search_only(),
        word("event.type").outcome(9),
        field("threat.enrichments.indicator.email.address", Email).search_only(),
        field("threat.enrichments.indicator.file.hash.md5", Hash(Md5)).search_only(),
        field("threat.enrichments.indicator.file.hash.sha1", Hash(Sha1)).search_only(),
        field("threat.enrichments.indicator.file.hash.sha256", Hash(Sha256)).search_only(),
        field("threat.enrichments.indicator.ip", Ip).indexed(IndexType::Ip).search_only(),
        field("threat.enrichments.indicator.url.full", Url).search_only(),
        field("threat.enrichments.matched.atomic", Name).search_only(),
        field("threat.technique.id", AttackTechnique).no_lookup(),
        field("threat.technique.name", AttackTechniqueName).read_only(),
        field("threat.technique.subtechnique.id", AttackTechnique).no_lookup(),
        field("threat.technique.subtechnique.name", AttackTechniqueName).read_only(),
        field("wazuh.agent.host.domain", UserDomain).role(Role::Agent).search_only(),
        field("wazuh.agent.host.hostname", Hostname).role(Role::Agent).search_only(),
        field("wazuh.agent.host.ip", Envelope(AgentIp)).indexed(IndexType::Ip),
        field("wazuh.agent.host.mac", Mac).role(Role::Agent).search_only(),
        field("wazuh.agent.host.name", Hostname).role(Role::Agent).search_only(),
        field("wazuh.agent.id", Envelope(AgentId)),
        field("wazuh.agent.name", Envelope(AgentName)),
        field("wazuh.cluster.node", Envelope(ManagerName)),
        // The finding itself is known by `_id`; this is the event that it was made of.
        field("wazuh.event.id", Envelope(AlertId)),
        field("wazuh.integration.decoders", Envelope(Decoder)),
        field("wazuh.integration.name", Envelope(Integration)),
        field("wazuh.protocol.location", Envelope(Location)),
        field("wazuh.rule.id", Envelope(RuleId)),
        field("wazuh.rule.level", Envelope(RuleLevel)),
        field("wazuh.rule.mitre.subtechnique.id", AttackTechnique).no_lookup(),
        field("wazuh.rule.mitre.subtechnique.name", AttackTechniqueName).read_only(),
        field("wazuh.rule.mitre.technique.id", AttackTechnique).no_lookup(),
        field("wazuh.rule.mitre.technique.name", AttackTechniqueName).read_only(),
        field("wazuh.rule.name", Name).search_only(),
        field("wazuh.rule.tags", Envelope(RuleGroup)),
        field("wazuh.rule.title", Envelope(RuleDescription)),
        // What the built-in matching of Wazuh says: it repeats a field of the event.
        field("wazuh.threat.enrichments.indicator.file.hash.md5", Hash(Md5)).search_only(),
        field("wazuh.threat.enrichments.indicator.file.hash.sha1", Hash(Sha1)).search_only(),
        field("wazuh.threat.enrichments.indicator.file.hash.sha256", Hash(Sha256)).search_only(),
        field("wazuh.threat.enrichments.indicator.ip", Ip).indexed(IndexType::Ip).search_only(),
        field("wazuh.threat.enrichments.indicator.name", Name).search_only(),
        field("wazuh.threat.enrichments.indicator.port", Port).indexed(IndexType::Long).search_only(),
        field("wazuh.threat.enrichments.indicator.reference", Url).search_only(),
        field("wazuh.threat.enrichments.matched.atomic", Name).search_only(),
    ],
};
