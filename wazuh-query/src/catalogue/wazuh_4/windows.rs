//! The Windows event channel, Sysmon included: both write into `data.win.eventdata`.

use crate::catalogue::field::{
    Holds::{
        AnyHash, CommandLine, Directory, DnsResults, Domain, FileCreated, FileName, FilePath, HashList, Hostname, Ip,
        Name, ObjectName, ObjectType, PipeName, Port, ProcessId, ProcessImage, Protocol, RegistryKeyAndValue,
        RegistryValueData, RegistryValueName, RegistryValueType, Sid, UserDomain, UserName,
    },
    Role, Schema, Table, field,
};

/// Events of the Windows event channel.
pub(super) const EVENT_CHANNEL: Table = Table {
    decoder: "windows-eventchannel",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.sysmon.hash", AnyHash).of("sysmon-file"),
        field("data.sysmon.image", ProcessImage).of("process"),
        field("data.sysmon.parentImage", ProcessImage).parent().of("parent-process"),
        field("data.win.eventInfo.ipAddress", Ip).source().of("flow"),
        field("data.win.eventInfo.username", UserName).of("user").no_lookup(),
        field("data.win.eventdata.accountDomain", UserDomain).of("user").no_lookup(),
        field("data.win.eventdata.accountName", UserName).of("user").no_lookup(),
        field("data.win.eventdata.application", ProcessImage).of("process"),
        // Events 4798 and 4799: the process that asked for the members of a group.
        field("data.win.eventdata.callerProcessId", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.callerProcessName", ProcessImage).of("process"),
        field("data.win.eventdata.clientAddress", Ip).source().of("flow"),
        field("data.win.eventdata.clientName", Hostname).source().of("flow"),
        field("data.win.eventdata.clientProcessId", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.commandLine", CommandLine).of("process"),
        field("data.win.eventdata.configuration", FilePath).of("sysmon-config").search_only(),
        field("data.win.eventdata.configurationFileHash", HashList).of("sysmon-config").search_only(),
        field("data.win.eventdata.creationUtcTime", FileCreated).role(Role::After).of("sysmon-file").no_lookup(),
        // Network drives make it UNC; it ends with a separator.
        field("data.win.eventdata.currentDirectory", Directory).of("process"),
        field("data.win.eventdata.dSName", Domain).search_only(),
        field("data.win.eventdata.destAddress", Ip).destination().of("flow"),
        field("data.win.eventdata.destPort", Port).destination().of("flow").no_lookup(),
        // Sysmon 20: what a WMI consumer runs.
        field("data.win.eventdata.destination", CommandLine),
        field("data.win.eventdata.destinationHostname", Hostname).destination().of("flow"),
        field("data.win.eventdata.destinationIp", Ip).destination().of("flow").shown("destinationIp"),
        field("data.win.eventdata.destinationPort", Port).destination().of("flow").no_lookup().shown("destinationPort"),
        // Sysmon 13: what was written to the registry value, often a command line.
        field("data.win.eventdata.details", RegistryValueData).of("registry"),
        field("data.win.eventdata.detection User", UserName).of("user").no_lookup(),
        field("data.win.eventdata.dnsHostName", Hostname),
        field("data.win.eventdata.domainName", UserDomain).of("domain").no_lookup(),
        field("data.win.eventdata.domainSid", Sid).of("domain").no_lookup(),
        // Name of the machine on which the event arose.
        field("data.win.eventdata.fQDN", Hostname).role(Role::Agent).search_only(),
        field("data.win.eventdata.file", FilePath).of("file"),
        field("data.win.eventdata.fileHash", AnyHash).of("file"),
        field("data.win.eventdata.fileName", FileName).of("file"),
        field("data.win.eventdata.filePath", FilePath).of("file"),
        // Sysmon 15: in spite of the singular the same list as `hashes`.
        field("data.win.eventdata.hash", HashList).of("sysmon-file"),
        field("data.win.eventdata.hashes", HashList).of("sysmon-file"),
        field("data.win.eventdata.image", ProcessImage).of("process").shown("image"),
        field("data.win.eventdata.imageLoaded", FilePath).of("sysmon-file"),
        // Event 7045: path and arguments of the service.
        field("data.win.eventdata.imagePath", CommandLine).of("service"),
        field("data.win.eventdata.ipAddress", Ip).source().of("flow"),
        field("data.win.eventdata.ipPort", Port).source().of("flow").no_lookup(),
        field("data.win.eventdata.keyFilePath", FilePath),
        field("data.win.eventdata.memberName", UserName).of("member-user").no_lookup(),
        field("data.win.eventdata.memberSid", Sid).of("member-user").no_lookup(),
        field("data.win.eventdata.modifyingApplication", ProcessImage).of("process"),
        field("data.win.eventdata.modifyingUser", Sid).of("user").no_lookup(),
        field("data.win.eventdata.name", Name).search_only(),
        // Sysmon 14: the key after it was renamed.
        field("data.win.eventdata.newName", RegistryKeyAndValue).role(Role::After).of("registry"),
        // Event 4688: stands before `processId`, which is the creator's number there.
        field("data.win.eventdata.newProcessId", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.newProcessName", ProcessImage).of("process"),
        field("data.win.eventdata.newValue", RegistryValueData).role(Role::After).of("object").no_lookup(),
        field("data.win.eventdata.newValueType", RegistryValueType).role(Role::After).of("object").no_lookup(),
        // A file, a registry key in kernel form, or a kernel object: `objectType` tells.
        field("data.win.eventdata.objectName", ObjectName).of("object"),
        field("data.win.eventdata.objectType", ObjectType).of("object").no_lookup(),
        field("data.win.eventdata.objectValueName", RegistryValueName).of("object").no_lookup(),
        field("data.win.eventdata.oldValue", RegistryValueData).role(Role::Before).of("object").no_lookup(),
        field("data.win.eventdata.oldValueType", RegistryValueType).role(Role::Before).of("object").no_lookup(),
        // From the version resource of the image, so not necessarily the name of the file.
        field("data.win.eventdata.originalFileName", FileName),
        field("data.win.eventdata.parentCommandLine", CommandLine).parent().of("parent-process"),
        field("data.win.eventdata.parentImage", ProcessImage).parent().of("parent-process"),
        field("data.win.eventdata.parentProcessId", ProcessId).parent().of("parent-process").no_lookup(),
        field("data.win.eventdata.parentProcessName", ProcessImage).parent().of("parent-process"),
        field("data.win.eventdata.parentUser", UserName).parent().of("parent-process").no_lookup(),
        field("data.win.eventdata.path", FilePath),
        field("data.win.eventdata.pipeName", PipeName),
        field("data.win.eventdata.previousCreationUtcTime", FileCreated)
            .role(Role::Before)
            .of("sysmon-file")
            .no_lookup(),
        field("data.win.eventdata.process Name", ProcessImage).of("process"),
        field("data.win.eventdata.processID", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.processId", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.processName", ProcessImage).of("process"),
        field("data.win.eventdata.protocol", Protocol).of("flow").no_lookup(),
        field("data.win.eventdata.queryName", Domain).of("dns").shown("queryName"),
        field("data.win.eventdata.queryResults", DnsResults).role(Role::Answer).of("dns").shown("queryResults"),
        field("data.win.eventdata.relativeTargetName", FilePath).of("share"),
        field("data.win.eventdata.remediation User", UserName).no_lookup(),
        field("data.win.eventdata.remoteIpAddress", Ip).source().of("flow"),
        field("data.win.eventdata.samAccountName", UserName).of("target-user").no_lookup(),
        // Whole scripts: searched, but a script is not a command line.
        field("data.win.eventdata.scriptBlockText", CommandLine).search_only(),
        field("data.win.eventdata.serviceAccount", UserName).of("service-account").no_lookup(),
        field("data.win.eventdata.serviceFileName", CommandLine).of("service"),
        field("data.win.eventdata.serviceName", Name).of("service"),
        field("data.win.eventdata.serviceSid", Sid).of("service").no_lookup(),
        field("data.win.eventdata.shareLocalPath", Directory).of("share"),
        // `\\*\IPC$` and the like: the host is not in it.
        field("data.win.eventdata.shareName", Directory).of("share").search_only(),
        field("data.win.eventdata.sourceAddress", Ip).source().of("flow"),
        field("data.win.eventdata.sourceHostname", Hostname).source().of("flow"),
        field("data.win.eventdata.sourceImage", ProcessImage).of("process"),
        field("data.win.eventdata.sourceIp", Ip).source().of("flow").shown("sourceIp"),
        field("data.win.eventdata.sourcePort", Port).source().of("flow").no_lookup().shown("sourcePort"),
        field("data.win.eventdata.sourceProcessId", ProcessId).of("process").no_lookup(),
        field("data.win.eventdata.sourceSid", Sid).of("source-user").no_lookup(),
        field("data.win.eventdata.sourceUser", UserName).of("process").no_lookup(),
        field("data.win.eventdata.sourceUserName", UserName).of("source-user").no_lookup(),
        field("data.win.eventdata.startModule", FilePath),
        field("data.win.eventdata.subjectDomainName", UserDomain).of("subject-user").no_lookup(),
        field("data.win.eventdata.subjectUserName", UserName).of("subject-user").no_lookup(),
        field("data.win.eventdata.subjectUserSid", Sid).of("subject-user").no_lookup(),
        field("data.win.eventdata.targetDomainName", UserDomain).of("target-user").no_lookup(),
        field("data.win.eventdata.targetFilename", FilePath).of("sysmon-file"),
        field("data.win.eventdata.targetImage", ProcessImage).destination().of("target-process"),
        // Sysmon appends the name of the value in events 13 and 14, but not in event 12.
        field("data.win.eventdata.targetObject", RegistryKeyAndValue).of("registry"),
        field("data.win.eventdata.targetOutboundDomainName", UserDomain).of("outbound-user").no_lookup(),
        field("data.win.eventdata.targetOutboundUserName", UserName).of("outbound-user").no_lookup(),
        field("data.win.eventdata.targetProcessId", ProcessId).destination().of("target-process").no_lookup(),
        field("data.win.eventdata.targetServerName", Hostname).destination().of("flow"),
        field("data.win.eventdata.targetSid", Sid).of("target-user").no_lookup(),
        field("data.win.eventdata.targetUser", UserName).destination().of("target-process").no_lookup(),
        field("data.win.eventdata.targetUserName", UserName).of("target-user").no_lookup(),
        field("data.win.eventdata.targetUserSid", Sid).of("target-user").no_lookup(),
        field("data.win.eventdata.taskName", Name).of("task"),
        field("data.win.eventdata.threat Name", Name),
        field("data.win.eventdata.user", UserName).of("process").no_lookup().shown("user"),
        // A name in some events, a SID in others.
        field("data.win.eventdata.userContext", UserName).of("user").no_lookup(),
        field("data.win.eventdata.userName", UserName).of("user").no_lookup(),
        field("data.win.eventdata.userPrincipalName", UserName).of("target-user").no_lookup(),
        field("data.win.eventdata.userSid", Sid).of("user").no_lookup(),
        field("data.win.eventdata.workstation", Hostname).source().of("flow"),
        field("data.win.eventdata.workstationName", Hostname).source().of("flow"),
        field("data.win.logFileCleared.subjectDomainName", UserDomain).of("subject-user").no_lookup(),
        field("data.win.logFileCleared.subjectUserName", UserName).of("subject-user").no_lookup(),
        field("data.win.logFileCleared.subjectUserSid", Sid).of("subject-user").no_lookup(),
        field("data.win.ruleAndFileData.fileHash", AnyHash).of("applocker-file"),
        field("data.win.ruleAndFileData.filePath", FilePath).of("applocker-file"),
        field("data.win.ruleAndFileData.package", FilePath).of("applocker-file"),
        field("data.win.ruleAndFileData.targetProcessId", ProcessId).no_lookup(),
        field("data.win.ruleAndFileData.targetUser", Sid).of("target-user").no_lookup(),
        // The machine on which the event arose.
        field("data.win.system.computer", Hostname).role(Role::Agent).search_only(),
        // The process that wrote the event; the event is about another one.
        field("data.win.system.processID", ProcessId).role(Role::Agent).search_only(),
        field("data.win.system.providerName", Name).search_only(),
    ],
};

/// Windows events that came another way.
pub(super) const WINDOWS_OTHER: Table = Table {
    decoder: "windows-other",
    schema: Schema::Wazuh4,
    rows: &[
        // The engine fills it from the top-level key `systemname` of JSON events.
        field("data.system_name", Hostname).role(Role::Agent).search_only(),
    ],
};
