"""Counts, with plain text comparison, in which alerts the values of the intrusion occur."""

import ipaddress
import re

from base import *

# prose of an alert: copies of values that also stand in fields, or descriptions
PROSE = {"full_log", "previous_output", "description", "message"}


def values():
    """(type, value, how to find it)"""
    exact_ip = r"(?<![0-9.])%s(?![0-9]|\.[0-9])"
    name = r"(?<![\w.-])%s(?![\w-]|\.\w)"
    below = r"(?<![\w-])%s(?![\w-]|\.\w)"
    word = r"(?<![0-9a-z])%s(?![0-9a-z])"
    part = r"%s(?![\w])"
    for value in (C2_IP, DROP_IP, PHISH_IP, BRUTE_IP, "192.0.2.201", "203.0.113.99"):
        yield "ipv4-addr", value, exact_ip
    yield "ipv4-cidr", SCAN_NET, None
    yield "ipv6-addr", C2_IP6, r"(?<![0-9a-f:])%s(?![0-9a-f:])"
    yield "ipv6-cidr", "2001:db8:bad::/48", None
    for value in (C2_HOST, DROP_HOST, EXFIL_NS, PHISH_HOST, MINER_HOST, "www.news-portal.example", "cdn.office-suite.example"):
        yield "domain-name", value, name
    for value in (EXFIL_ZONE, "invoice-corvina.example"):
        yield "domain-name-or-below", value, below
    for value in (DROP_URL, PAYLOAD_URL, BEACON_URL):
        yield "url", value, part
    for value in (PHISH_FROM, "collector@invoice-corvina.example"):
        yield "email-addr", value, name
    for label, of in (("implant", IMPLANT_HASH), ("lure", LURE_HASH), ("script", SCRIPT_HASH), ("loader", LOADER_DLL_HASH),
                      ("web shell", WEBSHELL_HASH), ("miner", MINER_HASH)):
        for kind in ("md5", "sha1", "sha256"):
            yield f"{label} {kind}", of[kind], word
    yield "mac-addr", ATTACKER_MAC, r"%s"
    yield "user-agent", USER_AGENT, r"%s"
    yield "user-agent", SCAN_AGENT, r"%s"
    yield "mutex", MUTEX.split("\\", 1)[1], word
    yield "file-name", IMPLANT, r"(?<![\w.-])%s(?![\w-]|\.\w)"
    yield "file-name", LURE, r"(?<![\w.-])%s(?![\w-]|\.\w)"
    yield "registry-key", SERVICE_KEY, part
    yield "directory", "C:\\ProgramData\\Nimbus", part
    yield "certificate sha1", CERT_SHA1, word
    yield "cve", CVE, word


def texts(value, prose=False):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, prose or key in PROSE)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, prose)
    elif isinstance(value, str):
        # undo the doubling of Windows events; take fingerprints without their colons as well
        plain = value.replace("\\\\", "\\").lower()
        yield prose, plain
        if re.fullmatch(r"([0-9a-f]{2}:){19}[0-9a-f]{2}", plain):
            yield prose, plain.replace(":", "")


def in_network(text, network):
    found = re.findall(r"(?<![0-9.])\d{1,3}(?:\.\d{1,3}){3}(?![0-9.]*\d)" if network.version == 4
                       else r"(?<![0-9a-f:])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f]*(?![0-9a-f:])", text)
    for word in found:
        try:
            if ipaddress.ip_address(word) in network:
                return True
        except ValueError:
            pass
    return False


def table(documents):
    lines = ["type\tvalue\talerts\talerts_in_fields\tagents\trules\n"]
    prepared = [(document, list(texts(document))) for document in documents]
    for kind, value, pattern in values():
        if pattern is None:
            network = ipaddress.ip_network(value)
            test = lambda text: in_network(text, network)
        else:
            compiled = re.compile(pattern % re.escape(value.lower()))
            test = lambda text: compiled.search(text)
        hits = [(document, any(not prose and test(text) for prose, text in parts)) for document, parts in prepared
                if any(test(text) for _, text in parts)]
        agents = sorted({document["agent"]["id"] if "agent" in document else "-" for document, _ in hits})
        rules = sorted({document["rule"]["id"] for document, _ in hits}, key=int)
        lines.append("\t".join([kind, value, str(len(hits)), str(sum(fields for _, fields in hits)), ",".join(agents),
                                ",".join(rules)]) + "\n")
    return "".join(lines)
