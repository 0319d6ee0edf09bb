"""Writes the sample data of this folder. Same output on every run:

    python3 examples/data/generate
"""

import pathlib
import sys

sys.dont_write_bytecode = True

import cloud
import linux
import network
import windows
import wazuh
from base import Log, compact
from rules import RULES

TARGET = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = [windows, linux, network, cloud, wazuh]


def write(name, content):
    path = TARGET / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    print(f"{len(path.read_bytes()):8} {name}")


def alerts():
    log = Log(RULES)
    for family in FAMILIES:
        family.intrusion(log)
        family.noise(log)
        family.extras(log)
    return log


def main():
    write("alerts.json", alerts().lines())


main()
