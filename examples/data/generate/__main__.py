"""Writes the sample data of this folder. Same output on every run:

    python3 examples/data/generate            write the files
    python3 examples/data/generate --check    exit 1 and name the files that are not as they would be written
"""

import gzip
import json
import pathlib
import struct
import sys
import zlib

sys.dont_write_bytecode = True

import cloud
import findings
import hits
import linux
import lists
import network
import observables
import stix
import wazuh
import windows
from base import Log, compact
from rules import RULES

TARGET = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = [windows, linux, network, cloud, wazuh]


CHECK = sys.argv[1:] == ["--check"]
different = []


def write(name, content):
    path = TARGET / name
    content = content if isinstance(content, bytes) else content.encode()
    if CHECK:
        if not path.exists() or plain(path.read_bytes()) != plain(content):
            different.append(name)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{len(content):8} {name}")


def plain(content):
    """Libraries compress differently: compare what is inside."""
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def gzipped(content):
    """Without the time and the system that the standard header would tell."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(content) + packer.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + body + struct.pack("<II", zlib.crc32(content), len(content))


def alerts():
    log = Log(RULES)
    for family in FAMILIES:
        family.intrusion(log)
        family.noise(log)
        family.extras(log)
    return log


def archive():
    """The day before: noise, and the first attempts of the network that guesses passwords."""
    log = Log(RULES)
    for family in FAMILIES:
        family.noise(log, ("13",), 2)
    for number, user in enumerate(["root", "admin", "test"]):
        linux.ssh_unknown(log, f"13 23:5{number}:10.100", "001", user, linux.BRUTE_IP)
    return log


def main():
    log = alerts()
    documents = list(log.documents())
    wanted = stix.bundle()
    write("alerts.json", "".join(compact(document) + "\n" for document in documents))
    write("archive/alerts-2026-03-13.json.gz", gzipped(archive().lines().encode()))
    write("wazuh5-findings.ndjson", "".join(compact(hit) + "\n" for hit in findings.findings()))
    write("indicators.json", json.dumps(wanted, indent=1, ensure_ascii=False) + "\n")
    write("indicators.txt", lists.TEXT)
    write("indicators.csv", lists.table())
    write("observables.ndjson", "".join(compact(item) + "\n" for item in observables.observables()))
    write("hits.tsv", hits.table(documents))
    if different:
        sys.exit("not up to date: " + ", ".join(different))


main()
