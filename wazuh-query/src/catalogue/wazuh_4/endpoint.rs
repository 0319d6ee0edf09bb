//! Anti-virus and endpoint protection.

use crate::catalogue::field::{
    Holds::{
        AnyHash, AttackTechnique, FileModified, FileName, FileOrRegistryPath, FilePath, FileSize, Hostname, Ip, Mac,
        Name, Port, ProcessImage, Url, UserName,
    },
    Role, Schema, Table, field,
};

/// Anti-virus and endpoint protection products.
pub(super) const ENDPOINT_AV: Table = Table {
    decoder: "endpoint-av",
    schema: Schema::Wazuh4,
    rows: &[
        field("data.AnalyzerHostName", Hostname).role(Role::Agent).search_only(),
        field("data.BitdefenderGZAttCkId", AttackTechnique).no_lookup(),
        field("data.ComputerFQDN", Hostname).role(Role::Agent).search_only(),
        field("data.DetectionName", Name),
        field("data.DeviceHostName", Hostname).role(Role::Agent).search_only(),
        field("data.DeviceIP", Ip).role(Role::Agent).search_only(),
        // Dashes in place of the dots in the dialect of one product.
        field("data.FilePath", FilePath).of("file"),
        field("data.Hash", AnyHash).of("av-file"),
        field("data.HostName", Hostname).role(Role::Agent).search_only(),
        field("data.MWName", Name),
        field("data.MalwareHash", AnyHash).of("file"),
        field("data.MalwareName", Name),
        field("data.Request", Url),
        field("data.SourceFilePath", FilePath).of("av-source-file"),
        field("data.SourceFileSize", FileSize).of("av-source-file").no_lookup(),
        field("data.SourceHostName", Hostname).source().of("flow"),
        field("data.SourceIPV4", Ip).source().of("flow"),
        field("data.SourceMAC", Mac).source().of("flow"),
        field("data.SourceModifyTime", FileModified).of("av-source-file").no_lookup(),
        field("data.SourceProcessHash", AnyHash).of("process"),
        field("data.SourceProcessName", ProcessImage).of("process"),
        field("data.SourceUserName", UserName).of("process").no_lookup(),
        field("data.SrcPort", Port).source().of("flow").no_lookup(),
        // The name of a file, or a registry key when the product guards one.
        field("data.TargetFileName", FileOrRegistryPath).of("av-file"),
        field("data.TargetFilename", FilePath).of("av-file"),
        field("data.TargetHash", AnyHash).of("av-file"),
        field("data.TargetHostName", Hostname).role(Role::Agent).search_only(),
        field("data.TargetIPV4", Ip).destination().of("flow"),
        field("data.TargetMAC", Mac).destination().of("flow"),
        field("data.TargetName", FileName).search_only(),
        field("data.TargetPath", FileOrRegistryPath).of("av-file"),
        field("data.TargetUserName", UserName).of("target-user").no_lookup(),
        field("data.ThreatName", Name),
        field("data.dmac", Mac).destination().of("flow"),
        field("data.identHostName", Hostname).role(Role::Agent).search_only(),
        field("data.identSrc", Ip).role(Role::Agent).search_only(),
        field("data.infected_file_path", FilePath).of("file"),
        field("data.ip.address", Ip).role(Role::Agent).search_only(),
        field("data.ipv4", Ip).role(Role::Agent).search_only(),
        field("data.mac_address", Mac).role(Role::Agent).search_only(),
        field("data.machine_name", Hostname).role(Role::Agent).search_only(),
        field("data.object_uri", Url),
        field("data.sproc", ProcessImage).of("process"),
        field("data.usrName", UserName).of("user").no_lookup(),
    ],
};
