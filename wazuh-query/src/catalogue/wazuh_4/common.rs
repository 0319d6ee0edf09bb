//! Names that decoders share, and small families without a file of their own.

use crate::catalogue::field::{
    HashAlgorithm::{Md5, Sha1, Sha256},
    Holds::{
        Command, CommandLine, Directory, Domain, Email, FileOrRegistryPath, FilePath, Hash, HostOrIp, Hostname, Ip,
        IpWithPort, Mac, Name, Port, ProcessId, Protocol, Sid, Url, UserDomain, UserId, UserName,
    },
    Role, Schema, Table, field, word,
};

/// Names that decoders of several families use.
pub(super) const SHARED: Table = Table {
    decoder: "shared-names",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.ActorIpAddress", IpWithPort).source().of("flow"),
        field("data.ChildPath", FilePath),
        field("data.IP", Ip),
        field("data.IPAddress", Ip),
        field("data.LocalIp", Ip).source().of("flow"),
        field("data.LoggedUser", UserName).no_lookup(),
        field("data.ParentPath", FilePath),
        field("data.Path", FilePath),
        field("data.URL", Url),
        word("data.action").outcome(2),
        field("data.address", Ip),
        field("data.auid", UserId).no_lookup(),
        field("data.callerIp", Ip).source().of("flow"),
        field("data.command", CommandLine).of("process"),
        field("data.cwd", Directory).of("process"),
        field("data.destination_address", Ip).destination().of("flow"),
        field("data.destination_user", UserName).destination().of("target-user").no_lookup(),
        field("data.dns_hostname", Domain),
        // A DNS domain for some products, a Windows domain or a category for others.
        field("data.domain", Domain).search_only(),
        field("data.dst_mac", Mac).destination().of("flow"),
        field("data.dst_user", UserName).destination().of("target-user").no_lookup(),
        field("data.dstaddr", Ip).destination().of("flow"),
        field("data.dstip", Ip).destination().of("flow").shown("dstip"),
        field("data.dstmac", Mac).destination().of("flow").shown("dstmac"),
        field("data.dstport", Port).destination().of("flow").no_lookup().shown("dstport"),
        field("data.dstuser", UserName).destination().of("target-user").no_lookup(),
        field("data.email", Email),
        field("data.euid", UserId).of("effective-user").no_lookup(),
        field("data.home", Directory),
        field("data.ip", Ip),
        field("data.local_address", Ip).source().of("flow"),
        field("data.local_ip", Ip).source().of("flow"),
        field("data.local_port", Port).source().of("flow").no_lookup(),
        field("data.mac", Mac),
        field("data.md5", Hash(Md5)).of("file"),
        field("data.name", Name).search_only(),
        field("data.netbios_hostname", Hostname),
        field("data.password_user", UserName).no_lookup(),
        field("data.pid", ProcessId).of("process").no_lookup(),
        field("data.protocol", Protocol).of("flow").no_lookup().shown("protocol"),
        field("data.pwd", Directory).of("process"),
        field("data.remote_address", Ip).destination().of("flow"),
        field("data.remote_ip_address", Ip).source().of("flow"),
        field("data.remote_port", Port).destination().of("flow").no_lookup(),
        field("data.sha1", Hash(Sha1)).of("file"),
        field("data.sha256", Hash(Sha256)).of("file"),
        field("data.source_address", Ip).source().of("flow"),
        field("data.source_ip_address", Ip).source().of("flow"),
        field("data.source_user", UserName).source().of("source-user").no_lookup(),
        field("data.srcaddr", Ip).source().of("flow"),
        // Names that many decoders share; the engine has fixed slots for the first ones.
        field("data.srcip", Ip).source().of("flow").shown("srcip"),
        field("data.srcport", Port).source().of("flow").no_lookup().shown("srcport"),
        field("data.srcuser", UserName).source().of("source-user").no_lookup(),
        field("data.uid", UserId).no_lookup(),
        field("data.uri", Url),
        // Path and query only in web access logs, the whole address in proxy logs.
        field("data.url", Url),
        field("data.user", UserName).of("user").no_lookup(),
        field("data.userId", UserId).of("user").no_lookup(),
        field("data.userName", UserName).of("user").no_lookup(),
        field("data.user_name", UserName).of("user").no_lookup(),
        field("data.username", UserName).of("user").no_lookup(),
    ],
};

/// sshd, PAM, su and sudo.
pub(super) const SSHD_PAM: Table = Table {
    decoder: "sshd-pam",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.logname", UserName).search_only(),
        field("data.rhost", HostOrIp).source().of("flow"),
        field("data.ruser", UserName).source().of("source-user").no_lookup(),
    ],
};

/// The unified log of macOS.
pub(super) const MACOS: Table = Table {
    decoder: "macos",
    schema: Schema::Wazuh4,
    rows: &[field("data.ip_address", Ip).source().of("flow"), field("data.userID", UserId).of("user").no_lookup()],
};

/// Samba.
pub(super) const SAMBA: Table = Table {
    decoder: "samba",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.Authentication.becameSid", Sid).no_lookup(),
        field("data.Authentication.clientAccount", UserName).of("user").no_lookup(),
        field("data.Authentication.clientDomain", UserDomain).of("user").no_lookup(),
        field("data.Authentication.workstation", Hostname).source().of("flow"),
        field("data.Authorization.account", UserName).of("authorized-user").no_lookup(),
        field("data.Authorization.domain", UserDomain).of("authorized-user").no_lookup(),
        field("data.Authorization.sid", Sid).of("authorized-user").no_lookup(),
        field("data.smbd.filename", FilePath).of("file"),
        field("data.smbd.new_filename", FilePath).role(Role::After),
    ],
};

/// Other Linux services.
pub(super) const LINUX_MISC: Table = Table {
    decoder: "linux-misc",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.ldap_data.Username", UserName).of("user").no_lookup(),
        field("data.machinename", Hostname).role(Role::Agent).search_only(),
    ],
};

/// Active responses, which carry parts of the alert that they answer.
pub(super) const ACTIVE_RESPONSE: Table = Table {
    decoder: "active-response",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.parameters.alert.agent.ip", Ip).role(Role::Agent).search_only(),
        field("data.parameters.alert.agent.name", Hostname).role(Role::Agent).search_only(),
        field("data.parameters.alert.data.dstip", Ip).destination().of("flow"),
        field("data.parameters.alert.data.srcip", Ip).source().of("flow"),
        field("data.parameters.alert.data.srcuser", UserName).source().of("source-user").no_lookup(),
        field("data.parameters.alert.syscheck.path", FileOrRegistryPath).of("syscheck"),
        field("data.parameters.program", Command).search_only(),
    ],
};
