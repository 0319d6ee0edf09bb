//! What the agent's own modules and the audit systems of a host report.

use crate::catalogue::field::{
    HashAlgorithm::{Md5, Sha1, Sha256},
    Holds::{
        AnyHash, Argument, Command, CommandLine, Directory, Email, FileModified, FileName, FileOrRegistryPath,
        FilePath, FileSize, Hash, HostOrIp, Hostname, Ip, Mac, Name, Port, ProcessId, ProcessImage, Protocol,
        RegistryKey, RegistryValueName, RegistryValueType, SoftwareName, SoftwareVendor, SoftwareVersion, Url, UserId,
        UserName,
    },
    IndexType, Join, Role, Schema, Table, field, word,
};

/// File integrity monitoring, of files and of the registry.
pub(super) const SYSCHECK: Table = Table {
    decoder: "syscheck",
    schema: Schema::Wazuh4,
    rows: &[
        field("syscheck.audit.effective_user.id", UserId).of("effective-user").no_lookup(),
        field("syscheck.audit.effective_user.name", UserName).of("effective-user").no_lookup(),
        field("syscheck.audit.login_user.id", UserId).of("login-user").no_lookup(),
        field("syscheck.audit.login_user.name", UserName).of("login-user").no_lookup(),
        field("syscheck.audit.process.cwd", Directory).of("process"),
        field("syscheck.audit.process.id", ProcessId).of("process").no_lookup(),
        field("syscheck.audit.process.name", ProcessImage).of("process"),
        field("syscheck.audit.process.parent_cwd", Directory).parent().of("parent-process"),
        field("syscheck.audit.process.parent_name", ProcessImage).parent().of("parent-process"),
        field("syscheck.audit.process.ppid", ProcessId).parent().of("parent-process").no_lookup(),
        field("syscheck.audit.user.id", UserId).of("process").no_lookup(),
        field("syscheck.audit.user.name", UserName).of("process").no_lookup(),
        field("syscheck.hard_links", FilePath).search_only(),
        field("syscheck.md5_after", Hash(Md5)).role(Role::After).of("syscheck").shown("md5"),
        field("syscheck.md5_before", Hash(Md5)).role(Role::Before).of("syscheck"),
        field("syscheck.mtime_after", FileModified)
            .role(Role::After)
            .of("syscheck")
            .indexed(IndexType::Date)
            .no_lookup()
            .shown("mtime"),
        field("syscheck.mtime_before", FileModified)
            .role(Role::Before)
            .of("syscheck")
            .indexed(IndexType::Date)
            .no_lookup(),
        // File or registry key, lower-cased for Windows files; single backslashes, unlike `data.win.eventdata.*`.
        field("syscheck.path", FileOrRegistryPath).of("syscheck").shown("file"),
        field("syscheck.sha1_after", Hash(Sha1)).role(Role::After).of("syscheck").shown("sha1"),
        field("syscheck.sha1_before", Hash(Sha1)).role(Role::Before).of("syscheck"),
        field("syscheck.sha256_after", Hash(Sha256)).role(Role::After).of("syscheck").shown("sha256"),
        field("syscheck.sha256_before", Hash(Sha256)).role(Role::Before).of("syscheck"),
        field("syscheck.size_after", FileSize)
            .role(Role::After)
            .of("syscheck")
            .indexed(IndexType::Long)
            .no_lookup()
            .shown("size"),
        field("syscheck.size_before", FileSize).role(Role::Before).of("syscheck").indexed(IndexType::Long).no_lookup(),
        field("syscheck.symbolic_path", FilePath),
        // Number on POSIX systems, SID on Windows.
        field("syscheck.uid_after", UserId).role(Role::After).of("syscheck-owner").no_lookup().shown("uid"),
        field("syscheck.uid_before", UserId).role(Role::Before).of("syscheck-owner").no_lookup(),
        field("syscheck.uname_after", UserName).role(Role::After).of("syscheck-owner").no_lookup().shown("uname"),
        field("syscheck.uname_before", UserName).role(Role::Before).of("syscheck-owner").no_lookup(),
        field("syscheck.value_name", RegistryValueName).of("syscheck").no_lookup(),
        field("syscheck.value_type", RegistryValueType).of("syscheck").no_lookup(),
    ],
};

/// Rootcheck.
pub(super) const ROOTCHECK: Table = Table {
    decoder: "rootcheck",
    schema: Schema::Wazuh4,
    rows: &[field("data.file", FilePath), field("data.title", Name).search_only()],
};

/// Security configuration assessment. It names what was inspected, not what happened.
pub(super) const SCA: Table = Table {
    decoder: "sca",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.sca.check.command", CommandLine).search_only(),
        field("data.sca.check.directory", Directory).search_only(),
        field("data.sca.check.file", FilePath).search_only(),
        field("data.sca.check.process", Command).search_only(),
        field("data.sca.check.registry", RegistryKey).search_only(),
        field("data.sca.file", FileName).search_only(),
    ],
};

/// The Linux audit system.
pub(super) const AUDITD: Table = Table {
    decoder: "auditd",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.audit.acct", UserName).of("user").no_lookup(),
        field("data.audit.auid", UserId).of("login-user").no_lookup(),
        field("data.audit.command", Command).of("process").no_lookup(),
        field("data.audit.cwd", Directory).of("process"),
        field("data.audit.directory.name", Directory),
        word("data.audit.egid").shown("egid"),
        field("data.audit.euid", UserId).of("effective-user").no_lookup().shown("euid"),
        field("data.audit.exe", ProcessImage).of("process").shown("exe"),
        field("data.audit.execve.a0", Argument(0)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a1", Argument(1)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a10", Argument(10)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a11", Argument(11)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a12", Argument(12)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a13", Argument(13)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a14", Argument(14)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a15", Argument(15)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a16", Argument(16)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a17", Argument(17)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a18", Argument(18)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a19", Argument(19)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a2", Argument(2)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a3", Argument(3)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a4", Argument(4)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a5", Argument(5)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a6", Argument(6)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a7", Argument(7)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a8", Argument(8)).of("process").no_lookup().joined("execve", Join::Words),
        field("data.audit.execve.a9", Argument(9)).of("process").no_lookup().joined("execve", Join::Words),
        word("data.audit.exit").shown("exit"),
        field("data.audit.file.name", FilePath).of("audit-file"),
        // The saved and the file-system identifiers repeat the others; they are good for a search only.
        field("data.audit.fsuid", UserId).search_only(),
        word("data.audit.gid").shown("gid"),
        field("data.audit.inode_uid", UserId).search_only(),
        word("data.audit.key").shown("key"),
        field("data.audit.oauid", UserId).search_only(),
        field("data.audit.obj_uid", UserId).search_only(),
        field("data.audit.old-auid", UserId).search_only(),
        field("data.audit.ouid", UserId).search_only(),
        field("data.audit.pid", ProcessId).of("process").no_lookup().shown("pid"),
        field("data.audit.ppid", ProcessId).parent().of("parent-process").no_lookup(),
        field("data.audit.sauid", UserId).search_only(),
        field("data.audit.srcip", Ip).source().of("flow"),
        word("data.audit.success").shown("success"),
        field("data.audit.suid", UserId).search_only(),
        field("data.audit.uid", UserId).of("process").no_lookup().shown("uid"),
    ],
};

/// Inventory events of Syscollector.
pub(super) const SYSCOLLECTOR: Table = Table {
    decoder: "syscollector",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.hardware.serial", Name).search_only(),
        field("data.netinfo.iface.ipv4.address", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv4.broadcast", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv4.dhcp", HostOrIp).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv4.gateway", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv6.address", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv6.broadcast", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv6.dhcp", HostOrIp).role(Role::Agent).search_only(),
        field("data.netinfo.iface.ipv6.gateway", Ip).role(Role::Agent).search_only(),
        field("data.netinfo.iface.mac", Mac).role(Role::Agent).search_only(),
        field("data.os.hostname", Hostname).role(Role::Agent).search_only(),
        field("data.port.local_ip", Ip).source().of("flow").indexed(IndexType::Ip),
        field("data.port.local_port", Port).source().of("flow").indexed(IndexType::Long).no_lookup(),
        field("data.port.pid", ProcessId).of("process").indexed(IndexType::Long).no_lookup(),
        field("data.port.process", Command).of("process").no_lookup(),
        field("data.port.protocol", Protocol).of("flow").no_lookup(),
        field("data.port.remote_ip", Ip).destination().of("flow").indexed(IndexType::Ip),
        field("data.port.remote_port", Port).destination().of("flow").indexed(IndexType::Long).no_lookup(),
        field("data.process.args", CommandLine).search_only(),
        field("data.process.cmd", CommandLine).of("process"),
        field("data.process.euser", UserName).of("effective-user").no_lookup(),
        field("data.process.ppid", ProcessId).parent().of("parent-process").indexed(IndexType::Long).no_lookup(),
        field("data.process.ruser", UserName).of("process").no_lookup(),
        field("data.process.suser", UserName).search_only(),
        field("data.program.location", Directory).of("package").search_only(),
        field("data.program.name", SoftwareName).of("package").no_lookup(),
        field("data.program.vendor", SoftwareVendor).of("package").no_lookup(),
        field("data.program.version", SoftwareVersion).of("package").no_lookup(),
    ],
};

/// osquery, by the module (`data.osquery`) and from its own log (`data.columns`).
pub(super) const OSQUERY: Table = Table {
    decoder: "osquery",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.columns.address", HostOrIp),
        field("data.columns.cmdline", CommandLine).of("process"),
        field("data.columns.cwd", Directory).of("process"),
        field("data.columns.directory", Directory),
        field("data.columns.hostname", Hostname),
        field("data.columns.local_address", Ip).source().of("flow"),
        field("data.columns.local_port", Port).source().of("flow").no_lookup(),
        field("data.columns.mac", Mac),
        field("data.columns.md5", Hash(Md5)).of("osquery-file"),
        field("data.columns.parent", ProcessId).parent().of("parent-process").no_lookup(),
        field("data.columns.path", FilePath).of("osquery-file"),
        field("data.columns.pid", ProcessId).of("process").no_lookup(),
        field("data.columns.remote_address", Ip).destination().of("flow"),
        field("data.columns.remote_port", Port).destination().of("flow").no_lookup(),
        field("data.columns.sha1", Hash(Sha1)).of("osquery-file"),
        field("data.columns.sha256", Hash(Sha256)).of("osquery-file"),
        field("data.columns.uid", UserId).of("process").no_lookup(),
        field("data.columns.username", UserName).of("user").no_lookup(),
        field("data.hostIdentifier", Hostname).role(Role::Agent).search_only(),
        field("data.osquery.columns.address", HostOrIp),
        field("data.osquery.columns.atime", FileModified).search_only(),
        field("data.osquery.columns.cmdline", CommandLine).of("process"),
        field("data.osquery.columns.command", CommandLine),
        field("data.osquery.columns.ctime", FileModified).search_only(),
        field("data.osquery.columns.cwd", Directory).of("process"),
        field("data.osquery.columns.directory", Directory),
        field("data.osquery.columns.dst_ip", Ip).destination().of("flow"),
        field("data.osquery.columns.dst_mac", Mac).destination().of("flow"),
        field("data.osquery.columns.euid", UserId).of("effective-user").no_lookup(),
        field("data.osquery.columns.gateway", Ip),
        field("data.osquery.columns.hostname", Hostname),
        // A name (`eth0`) in most tables; some put the address of the adapter here.
        field("data.osquery.columns.interface", Mac),
        field("data.osquery.columns.local_address", Ip).source().of("flow"),
        field("data.osquery.columns.local_port", Port).source().of("flow").no_lookup(),
        field("data.osquery.columns.mac", Mac),
        field("data.osquery.columns.md5", Hash(Md5)).of("osquery-file"),
        field("data.osquery.columns.mtime", FileModified).of("osquery-file").no_lookup(),
        field("data.osquery.columns.name", Name).search_only(),
        field("data.osquery.columns.parent", ProcessId).parent().of("parent-process").no_lookup(),
        field("data.osquery.columns.path", FilePath).of("osquery-file"),
        field("data.osquery.columns.pid", ProcessId).of("process").no_lookup(),
        field("data.osquery.columns.port", Port).no_lookup(),
        field("data.osquery.columns.program", FilePath),
        field("data.osquery.columns.protocol", Protocol).of("flow").no_lookup(),
        field("data.osquery.columns.remote_address", Ip).destination().of("flow"),
        field("data.osquery.columns.remote_port", Port).destination().of("flow").no_lookup(),
        field("data.osquery.columns.sha1", Hash(Sha1)).of("osquery-file"),
        field("data.osquery.columns.sha256", Hash(Sha256)).of("osquery-file"),
        field("data.osquery.columns.size", FileSize).of("osquery-file").no_lookup(),
        field("data.osquery.columns.src_ip", Ip).source().of("flow"),
        field("data.osquery.columns.src_mac", Mac).source().of("flow"),
        field("data.osquery.columns.uid", UserId).of("process").no_lookup(),
        field("data.osquery.columns.update_url", Url),
        field("data.osquery.columns.user", UserName).of("user").no_lookup(),
        field("data.osquery.columns.user_account", UserName).of("user").no_lookup(),
        field("data.osquery.columns.username", UserName).of("user").no_lookup(),
        field("data.osquery.hostIdentifier", Hostname).role(Role::Agent).search_only(),
    ],
};

/// The Docker listener.
pub(super) const DOCKER: Table = Table {
    decoder: "docker",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.docker.Actor.Attributes.image", SoftwareName).of("container-image").no_lookup(),
        field("data.docker.Actor.Attributes.maintainer", Email).search_only(),
        field("data.docker.Actor.Attributes.name", Name).search_only(),
        field("data.docker.Actor.Attributes.org.label-schema.url", Url).search_only(),
        field("data.docker.Actor.Attributes.org.label-schema.vcs-url", Url).search_only(),
        field("data.docker.Actor.Attributes.org.opencontainers.image.source", Url),
        // A container's or an image's identifier has 64 hexadecimal digits, but is no hash of a file.
        field("data.docker.Actor.ID", AnyHash).search_only(),
        field("data.docker.from", SoftwareName).of("container-image").no_lookup(),
        field("data.docker.id", AnyHash).search_only(),
    ],
};
