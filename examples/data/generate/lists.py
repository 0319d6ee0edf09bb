"""The same indicators as plain lists, partly in the unclickable spelling of reports."""

import csv
import io

from base import *

TEXT = f"""# Indicators of the invented "Nimbus" intrusion, one value a line.
# Values may be written so that nobody clicks on them by accident.

# addresses
203[.]0[.]113[.]66
203.0.113[.]24
{BRUTE_IP}
{SCAN_NET}
2001:db8:bad::66
2001:DB8:BAD:1:0:0:0:9
203.0.113.99   # not in the sample alerts

# names
telemetry[.]nimbus-sync[.]example
cdn-update.example[.]net
{EXFIL_ZONE}
NS1.Tunnel-CDN.example

# addresses of pages
hxxp://cdn-update[.]example[.]net/assets/upd.ps1
hxxps[:]//telemetry.nimbus-sync.example/v2/collect
https://never-seen.example/login

# mail
billing[at]invoice-corvina[.]example
collector@invoice-corvina.example

# files
{IMPLANT_HASH['sha256']}
{LURE_HASH['md5'].upper()}
{WEBSHELL_HASH['sha1']}
{MINER_HASH['md5']}

# the rest
{ATTACKER_MAC.upper().replace(":", "-")}
{CVE}
"""


def table():
    rows = [("value", "type", "description", "score"),
            (C2_IP, "IPv4-Addr", "C2 of Nimbus", "90"), (C2_IP6, "IPv6-Addr", "C2 of Nimbus, IPv6", "85"),
            (SCAN_NET, "IPv4-Addr", "Scanning network", "50"), (C2_HOST, "Domain-Name", "C2 of Nimbus", "95"),
            ("cdn-update[.]example[.]net", "Domain-Name", "Delivery, defanged", "85"),
            (EXFIL_NS, "Hostname", "Name server of the DNS tunnel", "80"),
            ("hxxp://cdn-update.example.net/assets/nimbus.bin", "Url", "Payload, defanged", "90"),
            (PHISH_FROM, "Email-Addr", 'Sender of the "invoice"', "80"),
            (IMPLANT_HASH["sha256"], "StixFile", "Implant, SHA-256", "95"),
            (IMPLANT_HASH["sha1"], "StixFile", "Implant, SHA-1", "95"),
            (LURE, "StixFile", "Name of the lure, a document with macros", "60"),
            (USER_AGENT, "User-Agent", "Updater; used for downloads, sign-ins and beacons", "75"),
            (MUTEX, "Mutex", "Mutex of the implant", "80"),
            ("HKEY_LOCAL_MACHINE\\" + SERVICE_KEY, "Windows-Registry-Key", "Service of the implant", "80"),
            (ATTACKER_MAC, "Mac-Addr", "Device in the meeting room", "40"), (CVE, "Vulnerability", "OpenSSH server", ""),
            ("never-seen.example", "Domain-Name", "Not in the sample alerts", "60")]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
