"""Values shared by all parts: hosts, people, the intrusion's indicators, and the writer of Wazuh 4.x alerts."""

import datetime
import hashlib
import json

# --- the invented company ---------------------------------------------------------------------------

MANAGER = "wazuh-mgr01"
DOMAIN = "CORVINA"
MAIL = "corvina.example"

# id: (name, address, Windows computer name or None)
AGENTS = {
    "000": (MANAGER, None, None),
    "001": ("web01", "10.20.0.11", None),
    "002": ("db01", "10.20.0.12", None),
    "003": ("dc01", "10.20.0.10", "DC01.corvina.test"),
    "004": ("ws-finance-07", "10.20.4.57", "WS-FINANCE-07.corvina.test"),
    "005": ("ws-sales-12", "10.20.4.62", "WS-SALES-12.corvina.test"),
    "006": ("ws-it-03", "10.20.4.33", "WS-IT-03.corvina.test"),
    "007": ("mail01", "10.20.0.25", None),
    "008": ("ids01", "10.20.0.5", None),
    "009": ("fs01", "10.20.0.20", "FS01.corvina.test"),
    "010": ("build01", "10.20.0.40", None),
    "011": ("proxy01", "10.20.0.8", None),
    "012": ("app02", "fd00:20::41", None),
}
LINUX = ["001", "002", "007", "008", "010", "011", "012"]
WINDOWS = ["003", "004", "005", "006", "009"]
LABELS = {"001": {"site": "dmz"}, "012": {"site": "dmz"}}

SID = "S-1-5-21-1004336348-1177238915-682003330-"
USERS = {"m.keller": SID + "1117", "j.brandt": SID + "1121", "a.novak": SID + "1104", "adm.novak": SID + "1105",
         "Administrator": SID + "500"}


def digests(text):
    """Lower-case MD5, SHA-1, SHA-256 of an invented content."""
    data = text.encode()
    return {"md5": hashlib.md5(data).hexdigest(), "sha1": hashlib.sha1(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest()}


# --- the intrusion ----------------------------------------------------------------------------------

C2_IP = "203.0.113.66"
C2_IP6 = "2001:db8:bad::66"
C2_HOST = "telemetry.nimbus-sync.example"
DROP_IP = "203.0.113.24"
DROP_HOST = "cdn-update.example.net"
DROP_URL = "http://cdn-update.example.net/assets/upd.ps1"
PAYLOAD_URL = "http://cdn-update.example.net/assets/nimbus.bin"
BEACON_URL = "https://telemetry.nimbus-sync.example/v2/collect"
PHISH_FROM = "billing@invoice-corvina.example"
PHISH_HOST = "mx1.invoice-corvina.example"
PHISH_IP = "203.0.113.201"
EXFIL_ZONE = "tunnel-cdn.example"
EXFIL_NS = "ns1.tunnel-cdn.example"
BRUTE_IP = "198.51.100.77"
SCAN_IPS = ["198.51.100.90", "198.51.100.99", "198.51.100.121"]
SCAN_NET = "198.51.100.64/26"
SCAN_IP6 = "2001:db8:bad:1::9"
USER_AGENT = "NimbusUpdater/2.4 (Windows NT 10.0; Win64; x64)"
SCAN_AGENT = "zmap-survey/0.7"
MUTEX = "Global\\NimbusSync-4f1c9a"
PIPE = "\\nimbus_svc_9a4f"
RUN_KEY = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
RUN_VALUE = "NimbusSync"
SERVICE_KEY = "SYSTEM\\CurrentControlSet\\Services\\NimbusSvc"
JA3 = hashlib.md5(b"nimbus client hello").hexdigest()
JA3S = hashlib.md5(b"nimbus server hello").hexdigest()
CERT_SHA1 = hashlib.sha1(b"nimbus c2 certificate").hexdigest()
CERT_SERIAL = "4A:1F:66:09:9C:3B:77:21"
ATTACKER_MAC = "02:66:0d:13:37:c2"
LURE = "Rechnung_2026-0311.docm"
LURE_HASH = digests("lure document")
SCRIPT_HASH = digests("first stage script")
IMPLANT = "nimbus.exe"
IMPLANT_DIR = "C:\\Users\\m.keller\\AppData\\Roaming\\Nimbus"
IMPLANT_PATH = IMPLANT_DIR + "\\" + IMPLANT
IMPLANT_SERVER_PATH = "C:\\ProgramData\\Nimbus\\" + IMPLANT
IMPLANT_HASH = digests("nimbus implant")
LOADER_DLL_HASH = digests("nimbus loader library")
WEBSHELL_HASH = digests("web shell")
WEBSHELL_PATH = "/var/www/html/uploads/.cache.php"
MINER_HASH = digests("coin miner")
MINER_PATH = "/dev/shm/.kworkerd"
MINER_HOST = "pool.hashpond.example"
CVE = "CVE-2024-6387"


def exfil_name(number):
    """One query of the DNS tunnel: 40 hexadecimal digits in front of the zone."""
    return hashlib.sha1(b"exfil %d" % number).hexdigest() + ".d" + str(number) + "." + EXFIL_ZONE


# --- chance without a random number generator -------------------------------------------------------


class Dice:
    """Repeatable choices, independent of the version of Python."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def below(self, limit):
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % limit

    def pick(self, items):
        return items[self.below(len(items))]

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def hexa(self, length):
        return "".join("0123456789abcdef"[self.below(16)] for _ in range(length))

    def guid(self):
        text = self.hexa(32)
        return "{" + "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]]) + "}"

    def time(self, first=0, last=24):
        return "%02d:%02d:%02d.%03d" % (self.between(first, last - 1), self.below(60), self.below(60), self.below(1000))


# --- alerts -----------------------------------------------------------------------------------------


def moment(when):
    """'16 08:41:12.345' is a time in March 2026."""
    return datetime.datetime.strptime("2026-03-" + when, "%Y-%m-%d %H:%M:%S.%f")


def shift(when, milliseconds):
    later = moment(when) + datetime.timedelta(milliseconds=milliseconds)
    return later.strftime("%d %H:%M:%S.") + "%03d" % (later.microsecond // 1000)


def millis(value):
    return "%03d" % (value.microsecond // 1000)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Log:
    """Collects alerts in any order and prints them as the manager does."""

    def __init__(self, rules):
        self.rules, self.entries = rules, []

    def add(self, when, agent, rule, decoder, location, data=None, full_log=None, predecoder=None, syscheck=None,
            desc=None, previous=None, frequency=None, agentless=None, parent=None):
        self.entries.append((moment(when), len(self.entries), dict(
            agent=agent, rule=rule, decoder=decoder, location=location, data=data, full_log=full_log,
            predecoder=predecoder, syscheck=syscheck, desc=desc, previous=previous, frequency=frequency,
            agentless=agentless, parent=parent)))

    def documents(self):
        fired, offset, day = {}, 0, None
        for time, _, entry in sorted(self.entries, key=lambda item: item[:2]):
            if time.date() != day:
                day, fired, offset = time.date(), {}, 0
            rule_id = entry["rule"]
            fired[rule_id] = fired.get(rule_id, 0) + 1
            level, text, groups, mitre, compliance = self.rules[rule_id]
            rule = {"level": level, "description": entry["desc"] or text, "id": rule_id}
            if mitre:
                rule["mitre"] = {"id": list(mitre[0]), "tactic": list(mitre[1]), "technique": list(mitre[2])}
            if entry["frequency"]:
                rule["frequency"] = entry["frequency"]
            rule.update(firedtimes=fired[rule_id], mail=level >= 12, groups=list(groups))
            rule.update({name: list(values) for name, values in compliance.items()})
            document = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.") + millis(time) + "+0000", "rule": rule}
            if not entry["agentless"]:
                name, address, _ = AGENTS[entry["agent"]]
                document["agent"] = {"id": entry["agent"], "name": name}
                if address:
                    document["agent"]["ip"] = address
                if entry["agent"] in LABELS:
                    document["agent"]["labels"] = LABELS[entry["agent"]]
            document["manager"] = {"name": MANAGER}
            epoch = int(time.replace(tzinfo=datetime.timezone.utc).timestamp())
            document["id"] = f"{epoch}.{offset}"
            document["cluster"] = {"name": "wazuh", "node": "node01"}
            if entry["previous"]:
                document["previous_output"] = entry["previous"]
            if entry["full_log"] is not None:
                document["full_log"] = entry["full_log"]
            if entry["syscheck"]:
                document["syscheck"] = entry["syscheck"]
            if entry["agentless"]:
                document["agentless"] = entry["agentless"]
            if entry["predecoder"]:
                document["predecoder"] = entry["predecoder"]
            document["decoder"] = {}
            if entry["parent"]:
                document["decoder"]["parent"] = entry["parent"]
            if entry["decoder"]:
                document["decoder"]["name"] = entry["decoder"]
            if entry["data"]:
                document["data"] = entry["data"]
            document["location"] = entry["location"]
            offset += len(compact(document).encode()) + 1
            yield document

    def lines(self):
        return "".join(compact(document) + "\n" for document in self.documents())


def strings(value):
    """What the JSON decoder makes of a value: every scalar outside of an array a string."""
    if isinstance(value, dict):
        return {key: strings(item) for key, item in value.items() if item not in ("", {}, None)}
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) <= 2147483647 else f"{value}.000000"
    if isinstance(value, float):
        return f"{value:f}"
    return value
