"""STIX 2.1 as OpenCTI exports it: identifiers, extensions, the bundle of indicators."""

import json
import uuid

from base import *

NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
OPENCTI = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"
OPENCTI_SCO = "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82"
CREATED = "2026-03-10T08:00:00.000Z"
MODIFIED = "2026-03-12T17:30:00.000Z"
CREATOR = "88ec0c6a-13ce-5e39-b486-354fe4a7084f"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
STRICT = "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"
KILL_CHAIN = "mitre-attack"


def identifier(kind, **contributing):
    """Deterministic identifier: UUIDv5 over the canonical JSON of the contributing properties."""
    text = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{kind}--{uuid.uuid5(NAMESPACE, text)}"


def internal(seed):
    """Looks like the random identifier of the platform, but is repeatable."""
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def extension(kind, seed, **more):
    return {OPENCTI: {"extension_type": "property-extension", "id": internal(seed), "type": kind, "created_at": CREATED,
                      "updated_at": MODIFIED, "is_inferred": False, "creator_ids": [CREATOR], **more}}


def domain_object(kind, platform, key, name, confidence=80, labels=(), **more):
    platform_fields = more.pop("platform_fields", {})
    return {"type": kind, "spec_version": "2.1", "id": identifier(kind, **key), "created": CREATED, "modified": MODIFIED,
            "revoked": False, "confidence": confidence, **({"labels": list(labels)} if labels else {}), "lang": "en",
            "created_by_ref": AUTHOR["id"], "object_marking_refs": [GREEN], "extensions": extension(platform, kind + name, **platform_fields), "name": name, **more}


def marking(number, name, order, color, tlp=None):
    """The standard levels are fixed objects; the platform's own have a form of their own."""
    body = {"type": "marking-definition", "spec_version": "2.1", "id": number, "created": "2017-01-20T00:00:00.000Z",
            "definition_type": "tlp" if tlp else "statement", "name": name,
            "definition": {"tlp": tlp} if tlp else {"statement": "custom"}}
    if not tlp:
        body.update(x_opencti_definition_type="TLP", x_opencti_definition=name)
        body["extensions"] = extension("Marking-Definition", name, order=order, color=color)
    return body


MARKINGS = [marking(GREEN, "TLP:GREEN", 2, "#2e7d32", "green"), marking(AMBER, "TLP:AMBER", 3, "#d84315", "amber"),
            marking(STRICT, "TLP:AMBER+STRICT", 4, "#d84315")]
AUTHOR = {"type": "identity", "spec_version": "2.1",
          "id": identifier("identity", name="example threat research", identity_class="organization"), "created": CREATED,
          "modified": MODIFIED, "revoked": False, "confidence": 100, "lang": "en", "object_marking_refs": [GREEN],
          "extensions": extension("Organization", "author", organization_type="vendor"), "name": "Example Threat Research",
          "identity_class": "organization"}


def quoted(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def equal(path, value):
    return f"[{path} = {quoted(value)}]"


def hash_of(name, value):
    return f"file:hashes.{name} = {quoted(value)}"


def indicator(pattern, name, observable, score, labels=("nimbus",), phase="command-and-control", tlp=GREEN, detection=True,
              valid_from="2026-03-10T08:00:00.000Z", valid_until="2027-03-10T08:00:00.000Z", revoked=False, kind="stix",
              confidence=75, description=""):
    return {"type": "indicator", "spec_version": "2.1", "id": identifier("indicator", pattern=pattern.strip()),
            "created": CREATED, "modified": MODIFIED, "revoked": revoked, "confidence": confidence, "labels": list(labels),
            "lang": "en", "created_by_ref": AUTHOR["id"], "object_marking_refs": [tlp],
            "extensions": extension("Indicator", pattern, detection=detection, score=score, main_observable_type=observable),
            "name": name, "description": description or f"{name} ({', '.join(labels)})",
            "indicator_types": ["malicious-activity" if score >= 50 else "anomalous-activity"], "pattern": pattern,
            "pattern_type": kind, "valid_from": valid_from, "valid_until": valid_until,
            "kill_chain_phases": [{"kill_chain_name": KILL_CHAIN, "phase_name": phase}]}


YARA = """rule Nimbus_Loader
{
    meta:
        author = "Example Threat Research"
    strings:
        $a = "NimbusSync-4f1c9a" ascii wide
        $b = { 4E 42 43 4F 52 45 00 }
    condition:
        uint16(0) == 0x5A4D and all of them
}"""
SIGMA = """title: Nimbus run key
id: 5f0c2f55-2f5b-4b5e-9a36-0d5b6a1f9c11
status: experimental
logsource:
    product: windows
    category: registry_set
detection:
    selection:
        TargetObject|endswith: '\\\\CurrentVersion\\\\Run\\\\NimbusSync'
    condition: selection
level: high
"""


def indicators():
    """Every sample indicator: (what a reader has to know about it, object)."""
    ip, ip6, domain, host, url = "IPv4-Addr", "IPv6-Addr", "Domain-Name", "Hostname", "Url"
    c2, delivery, initial = "command-and-control", "resource-development", "initial-access"
    lure_name = f"{hash_of(quoted('SHA-256'), LURE_HASH['sha256'])} OR {hash_of('MD5', LURE_HASH['md5'])}"
    loader = f"{hash_of('MD5', LOADER_DLL_HASH['md5'])} OR {hash_of(quoted('SHA-1'), LOADER_DLL_HASH['sha1'])}"
    return [
        indicator(equal("ipv4-addr:value", C2_IP), C2_IP, ip, 90, ("nimbus", "c2")),
        indicator(equal("ipv6-addr:value", C2_IP6), C2_IP6, ip6, 85, ("nimbus", "c2")),
        indicator(equal("ipv4-addr:value", DROP_IP), DROP_IP, ip, 80, ("nimbus", "delivery"), delivery),
        indicator(equal("ipv4-addr:value", PHISH_IP), PHISH_IP, ip, 70, ("nimbus", "phishing"), initial, AMBER),
        indicator(equal("ipv4-addr:value", BRUTE_IP), BRUTE_IP, ip, 60, ("ssh-bruteforce",), "credential-access"),
        indicator(f"[ipv4-addr:value ISSUBSET '{SCAN_NET}']", SCAN_NET, ip, 50, ("scanner",), "reconnaissance"),
        indicator("[ipv6-addr:value ISSUBSET '2001:db8:bad::/48']", "2001:db8:bad::/48", ip6, 55, ("nimbus",)),
        indicator(equal("domain-name:value", C2_HOST), C2_HOST, domain, 95, ("nimbus", "c2"), tlp=STRICT),
        indicator(equal("domain-name:value", DROP_HOST), DROP_HOST, domain, 85, ("nimbus", "delivery"), delivery),
        indicator(equal("domain-name:value", EXFIL_ZONE), EXFIL_ZONE, domain, 80, ("nimbus", "dns-tunnel"), "exfiltration"),
        indicator(equal("domain-name:value", "invoice-corvina.example"), "invoice-corvina.example", domain, 75,
                  ("phishing",), initial),
        indicator(equal("domain-name:value", MINER_HOST), MINER_HOST, domain, 65, ("coin-miner",), "impact"),
        indicator(equal("hostname:value", EXFIL_NS), EXFIL_NS, host, 80, ("nimbus", "dns-tunnel"), "exfiltration"),
        indicator(equal("hostname:value", PHISH_HOST), PHISH_HOST, host, 70, ("phishing",), initial, AMBER),
        indicator(equal("url:value", DROP_URL), DROP_URL, url, 90, ("nimbus", "delivery"), delivery),
        indicator(equal("url:value", PAYLOAD_URL), PAYLOAD_URL, url, 90, ("nimbus", "delivery"), delivery),
        indicator(equal("url:value", BEACON_URL), BEACON_URL, url, 90, ("nimbus", "c2")),
        indicator(f"[{hash_of(quoted('SHA-256'), IMPLANT_HASH['sha256'])}]", IMPLANT_HASH["sha256"], "StixFile", 95),
        indicator(f"[{lure_name}]", LURE_HASH["sha256"], "StixFile", 85, ("nimbus", "phishing"), initial),
        indicator(f"[{hash_of(quoted('SHA-256'), SCRIPT_HASH['sha256'])}]", SCRIPT_HASH["sha256"], "StixFile", 80),
        indicator(f"[{loader}]", LOADER_DLL_HASH["md5"], "StixFile", 80),
        indicator(f"[{hash_of(quoted('SHA-1'), WEBSHELL_HASH['sha1'])}]", WEBSHELL_HASH["sha1"], "StixFile", 75,
                  ("web-shell",), "persistence"),
        indicator(f"[{hash_of('MD5', MINER_HASH['md5'].upper())}]", MINER_HASH["md5"].upper(), "StixFile", 70,
                  ("coin-miner",), "impact", description="The digest is written in upper case, as some sources do"),
        indicator(equal("email-addr:value", PHISH_FROM), PHISH_FROM, "Email-Addr", 80, ("phishing",), initial, AMBER),
        indicator(equal("email-addr:value", "collector@invoice-corvina.example"), "collector@invoice-corvina.example",
                  "Email-Addr", 75, ("phishing",), "collection", AMBER),
        indicator(equal("mac-addr:value", ATTACKER_MAC), ATTACKER_MAC, "Mac-Addr", 40, ("rogue-device",), initial),
        indicator(equal("user-agent:value", USER_AGENT), USER_AGENT, "User-Agent", 75),
        indicator(equal("user-agent:value", SCAN_AGENT), SCAN_AGENT, "User-Agent", 30, ("scanner",), "reconnaissance"),
        indicator(equal("windows-registry-key:key", "HKEY_LOCAL_MACHINE\\" + SERVICE_KEY), "HKEY_LOCAL_MACHINE\\" + SERVICE_KEY,
                  "Windows-Registry-Key", 80, phase="persistence"),
        indicator(equal("windows-registry-key:key", "HKEY_CURRENT_USER\\SOFTWARE\\Nimbus"),
                  "HKEY_CURRENT_USER\\SOFTWARE\\Nimbus", "Windows-Registry-Key", 70, phase="persistence"),
        indicator(equal("mutex:name", MUTEX), MUTEX, "Mutex", 80, phase="execution"),
        indicator(equal("file:name", IMPLANT), IMPLANT, "StixFile", 60, phase="execution"),
        indicator(equal("file:name", LURE), LURE, "StixFile", 60, ("phishing",), initial),
        indicator(equal("directory:path", "C:\\ProgramData\\Nimbus"), "C:\\ProgramData\\Nimbus", "Directory", 60,
                  phase="persistence"),
        indicator(f"[x509-certificate:hashes.'SHA-1' = '{CERT_SHA1}']", CERT_SHA1, "X509-Certificate", 80),
        # not in the alerts
        indicator(equal("ipv4-addr:value", "203.0.113.99"), "203.0.113.99", ip, 70),
        indicator(equal("domain-name:value", "never-seen.example"), "never-seen.example", domain, 60),
        indicator(equal("url:value", "https://never-seen.example/login"), "https://never-seen.example/login", url, 60,
                  ("phishing",), initial),
        indicator(f"[{hash_of(quoted('SHA-256'), digests('absent')['sha256'])}]", digests("absent")["sha256"], "StixFile", 70),
        # expired, withdrawn, harmless
        indicator(equal("ipv4-addr:value", "192.0.2.201"), "192.0.2.201", ip, 20, ("ssh-bruteforce",), "credential-access",
                  valid_from="2025-01-01T00:00:00.000Z", valid_until="2025-06-30T00:00:00.000Z",
                  description="Expired: its validity ended in 2025"),
        indicator(equal("domain-name:value", "www.news-portal.example"), "www.news-portal.example", domain, 50, ("phishing",),
                  initial, revoked=True, description="Withdrawn: a false positive"),
        indicator(equal("domain-name:value", "cdn.office-suite.example"), "cdn.office-suite.example", domain, 5, ("benign",),
                  detection=False, confidence=15, description="Low score, not for detection"),
        # more than single comparisons
        indicator(f"[file:name = '{IMPLANT}' AND file:size = 20480]", "Nimbus implant by name and size", "StixFile", 70,
                  phase="execution"),
        indicator(f"[domain-name:value = '{DROP_HOST}'] FOLLOWEDBY [ipv4-addr:value = '{C2_IP}'] WITHIN 600 SECONDS",
                  "Nimbus download, then beacon", domain, 80),
        # other languages
        indicator(YARA, "Nimbus_Loader", "StixFile", 80, kind="yara", phase="execution"),
        indicator(SIGMA, "Nimbus run key", "Windows-Registry-Key", 70, kind="sigma", phase="persistence"),
    ]


def relation(kind, source, target):
    ids = {"relationship_type": kind, "source_ref": source["id"], "target_ref": target["id"]}
    return {"type": "relationship", "spec_version": "2.1", "id": identifier("relationship", **ids), "created": CREATED,
            "modified": MODIFIED, "revoked": False, "confidence": 75, "lang": "en", "created_by_ref": AUTHOR["id"],
            "object_marking_refs": [GREEN], "extensions": extension(
                kind, source["id"] + target["id"], source_value=source.get("name", ""), target_value=target.get("name", "")), **ids}


def observable(kind, platform, contributing, score=None, labels=(), custom=False, number=None, **more):
    """An observable with both extensions, or for types of the platform's own with the values at top level."""
    body = {"id": number or identifier(kind, **contributing), "spec_version": "2.1", "type": kind}
    body["extensions"] = extension(platform, json.dumps(contributing, sort_keys=True))
    shared = {"labels": list(labels)} if labels else {}
    if score is not None:
        shared["score"] = score
    shared["created_by_ref"] = AUTHOR["id"]
    if custom:
        body["extensions"][OPENCTI_SCO] = {"extension_type": "new-sco"}
        body.update(shared)
    else:
        body["extensions"][OPENCTI_SCO] = {"extension_type": "property-extension", **shared}
    body["object_marking_refs"] = [GREEN]
    body.update({name: value for name, value in {**contributing, **more}.items()})
    return body


def bundle():
    wanted = indicators()
    malware = domain_object("malware", "Malware", {"name": "nimbus"}, "Nimbus", labels=("nimbus",), is_family=True,
                            malware_types=["remote-access-trojan"], description="Loader and remote access tool")
    actors = domain_object("intrusion-set", "Intrusion-Set", {"name": "grey cirrus"}, "Grey Cirrus", labels=("nimbus",),
                           description="Invented group of the sample data", first_seen="2026-01-05T00:00:00.000Z")
    relations = [relation("uses", actors, malware)]
    for item in wanted:
        if "nimbus" in item["labels"] and not item["revoked"]:
            relations.append(relation("indicates", item, malware))
        if item["name"] in (C2_HOST, EXFIL_ZONE, PHISH_FROM):
            relations.append(relation("indicates", item, actors))
    observables = [
        observable("ipv4-addr", "IPv4-Addr", {"value": C2_IP}, 90, ("nimbus", "c2")),
        observable("domain-name", "Domain-Name", {"value": C2_HOST}, 95, ("nimbus", "c2")),
        observable("ipv4-addr", "IPv4-Addr", {"value": "203.0.113.210"}, 40),
        {**observable("file", "StixFile", {"hashes": {"MD5": IMPLANT_HASH["md5"]}, "name": IMPLANT}, 95, ("nimbus",)),
         "hashes": {"MD5": IMPLANT_HASH["md5"], "SHA-1": IMPLANT_HASH["sha1"], "SHA-256": IMPLANT_HASH["sha256"]}, "size": 20480},
        observable("user-agent", "User-Agent", {"value": USER_AGENT}, 75, ("nimbus",), custom=True),
    ]
    relations.append(relation("based-on", wanted[0], observables[0]))
    objects = [*MARKINGS, AUTHOR, malware, actors, *wanted, *observables, *relations]
    return {"type": "bundle", "id": "bundle--" + internal("bundle"), "objects": objects}
