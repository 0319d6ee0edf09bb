//! The envelope of an alert.

use crate::catalogue::field::{
    Envelope::{
        AgentId, AgentIp, AgentName, AlertId, Decoder, EventCode, Integration, Location, ManagerName, RuleDescription,
        RuleGroup, RuleId, RuleLevel, Timestamp,
    },
    Holds::{AttackTechnique, AttackTechniqueName, Envelope, Hostname, Ip, UserName, Vulnerability},
    IndexType, Role, Schema, Table, Tells, field,
};

/// Who raised the alert, when, and by which rule.
pub(super) const ENVELOPE: Table = Table {
    decoder: "wazuh",
    schema: Schema::Wazuh4,
    rows: &[
        // The address that the ingest pipeline located; always a copy of another field.
        field("GeoLocation.ip", Ip).search_only(),
        field("agent.id", Envelope(AgentId)),
        field("agent.ip", Envelope(AgentIp)),
        field("agent.name", Envelope(AgentName)),
        field("agentless.host", Hostname).role(Role::Agent).search_only(),
        field("agentless.user", UserName).search_only(),
        field("data.integration", Envelope(Integration)),
        field("data.win.system.eventID", Envelope(EventCode)).tells(Tells::OutcomeByEvent, 20),
        field("decoder.name", Envelope(Decoder)),
        field("id", Envelope(AlertId)),
        field("location", Envelope(Location)),
        field("manager.name", Envelope(ManagerName)),
        // The host name in the syslog header: usually the machine that reports, sometimes a device behind a relay.
        field("predecoder.hostname", Hostname).role(Role::Agent).search_only(),
        // The CVE that a rule is about, from the ruleset and not from the event.
        field("rule.cve", Vulnerability).search_only(),
        field("rule.description", Envelope(RuleDescription)),
        field("rule.groups", Envelope(RuleGroup)).tells(Tells::OutcomeByGroup, 21),
        field("rule.id", Envelope(RuleId)),
        field("rule.level", Envelope(RuleLevel)).indexed(IndexType::Long),
        field("rule.mitre.id", AttackTechnique).no_lookup(),
        field("rule.mitre.technique", AttackTechniqueName).read_only(),
        field("timestamp", Envelope(Timestamp)).indexed(IndexType::Date),
    ],
};
