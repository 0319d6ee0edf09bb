"""Alerts of Wazuh's own modules: file integrity, rootcheck, SCA, vulnerabilities, integrations, the manager itself."""

from base import *

dice = Dice("wazuh")
FULL = ["DELETE", "READ_CONTROL", "WRITE_DAC", "WRITE_OWNER", "SYNCHRONIZE", "READ_DATA", "WRITE_DATA", "EXECUTE"]
ACCESS = [{"name": "Administrators", "allowed": FULL}, {"name": "SYSTEM", "allowed": FULL},
          {"name": "Users", "allowed": ["READ_CONTROL", "SYNCHRONIZE", "READ_DATA", "EXECUTE"]}]


def fim(log, when, agent, path, event, of, before=None, mode="realtime", size=1024, user="root", audit=None, tags=None):
    windows = "\\" in path
    time = moment(when).strftime("%Y-%m-%dT%H:%M:%S")
    body = {"path": path, "mode": mode}
    if before:
        body["size_before"] = str(size - 77)
    body["size_after"] = str(size)
    if windows:
        body["win_perm_after"] = ACCESS
        body["uid_after"] = "S-1-5-32-544"
    else:
        body.update(perm_after="rw-r--r--", uid_after="0" if user == "root" else "33", gid_after="0" if user == "root" else "33")
    for name in ("md5", "sha1", "sha256"):
        if before:
            body[name + "_before"] = before[name]
        body[name + "_after"] = of[name]
    if windows:
        body["attrs_after"] = ["ARCHIVE"]
    body["uname_after"] = "Administrators" if windows else user
    if not windows:
        body["gname_after"] = user
    if before:
        body["mtime_before"] = "2026-01-20T10:00:00"
    body["mtime_after"] = time
    if not windows:
        body["inode_after"] = dice.between(100000, 999999)
    text = f"File '{path}' {event}\nMode: {mode}\n"
    if before:
        body["changed_attributes"] = ["size", "mtime", "md5", "sha1", "sha256"]
        text += f"Changed attributes: size,mtime,md5,sha1,sha256\nSize changed from '{size - 77}' to '{size}'\n"
        for name in ("md5", "sha1", "sha256"):
            text += f"Old {name}sum was: '{before[name]}'\nNew {name}sum is : '{of[name]}'\n"
    if tags:
        body["tags"] = tags
    body["event"] = event
    if audit:
        body["audit"] = audit
    rule, decoder = {"added": ("554", "syscheck_new_entry"), "modified": ("550", "syscheck_integrity_changed"),
                     "deleted": ("553", "syscheck_deleted")}[event]
    log.add(when, agent, rule, decoder, "syscheck", syscheck=body, full_log=text)


def registry(log, when, agent, key, value, event, content, before=None):
    of = digests(content)
    body = {"path": key, "mode": "scheduled", "arch": "[x64]", "value_name": value, "value_type": "REG_SZ",
            "size_after": str(len(content))}
    for name in ("md5", "sha1", "sha256"):
        if before:
            body[name + "_before"] = digests(before)[name]
        body[name + "_after"] = of[name]
    if before:
        body["changed_attributes"] = ["md5", "sha1", "sha256"]
    body["event"] = event
    rule = {"added": "752", "modified": "750"}[event]
    log.add(when, agent, rule, f"syscheck_registry_value_{event}", "syscheck", syscheck=body,
            full_log=f"Registry Value '[x64] {key}\\{value}' {event}\nMode: scheduled\n")


def vulnerability(log, when, agent, cve, package, version, severity, rule, base, status="Active"):
    body = {"assigner": "mitre", "cve": cve, "cvss": {"cvss3": {"base_score": base, "vector": {
        "attack_vector": "NETWORK", "availability": "HIGH", "confidentiality_impact": "HIGH", "integrity_impact": "HIGH",
        "privileges_required": "NONE", "scope": "UNCHANGED", "user_interaction": "NONE"}}}, "cwe_reference": "CWE-362",
        "classification": "CVSS", "enumeration": "CVE", "package": {
            "architecture": "amd64", "condition": "Package less than fixed", "name": package, "source": " ", "version": version},
        "published": "2025-07-01T00:00:00Z", "rationale": "See the CVE record.",
        "reference": f"https://cve.example/{cve}", "scanner": {"reference": f"https://cti.example/cves/{cve}"},
        "score": {"base": base, "version": "3.1"}, "severity": severity, "status": status, "title": f"{cve} affects {package}",
        "type": "Packages", "updated": "2026-01-10T00:00:00Z"}
    log.add(when, agent, rule, "json", "vulnerability-detector", {"vulnerability": body}, desc=f"{cve} affects {package}")


def virustotal(log, when, agent, path, of, positives):
    bad = positives > 0
    log.add(when, agent, "87105" if bad else "87104", "json", "virustotal", {"virustotal": {
        "found": "1", "malicious": "1" if bad else "0", "source": {
            "alert_id": "1773650000.4001", "file": path, "md5": of["md5"], "sha1": of["sha1"]}, "sha1": of["sha1"],
        "scan_date": "2026-03-11 10:11:12", "positives": str(positives), "total": "72",
        "permalink": f"https://virustotal.example/gui/file/{of['sha256']}/detection"}, "integration": "virustotal"},
        desc=f"VirusTotal: Alert - {path} - " + (f"{positives} engines detected this file" if bad else "No positives found"))


def sca(log, when, agent, rule, number, title, result, policy="CIS Ubuntu Linux 22.04 LTS Benchmark v2.0.0."):
    body = {"type": "check", "scan_id": str(dice.between(1000, 99999)), "policy": policy, "check": {
        "id": str(number), "title": title, "description": title, "rationale": "Reduces the attack surface.",
        "remediation": "Run the command of the benchmark.", "compliance": {"cis": "5.2.4", "cis_csc_v8": "3.3"},
        "command": ["sshd -T"], "result": result}}
    log.add(when, agent, rule, "sca", "sca", {"sca": body}, desc=f"{policy}: {title}")


def intrusion(log):
    # the web server
    fim(log, "15 19:29:58.310", "001", WEBSHELL_PATH, "added", WEBSHELL_HASH, mode="whodata", user="www-data", audit={
        "user": {"id": "33", "name": "www-data"}, "process": {"id": "2201", "name": "/usr/sbin/php-fpm8.2", "cwd": "/var/www"}})
    fim(log, "15 19:30:17.090", "001", MINER_PATH, "added", MINER_HASH, size=1048576, user="www-data")
    fim(log, "15 19:36:00.720", "001", "/etc/cron.d/php", "modified", digests("cron after"), digests("cron before"))
    log.add("15 19:30:05.005", "001", "108001", "yara_decoder", "/var/ossec/logs/active-responses.log",
            {"log_type": "INFO", "yara_rule": "Webshell_PHP_Generic", "yara_scanned_file": WEBSHELL_PATH},
            full_log=f"wazuh-yara: INFO - Scan result: Webshell_PHP_Generic {WEBSHELL_PATH}",
            desc=f'File "{WEBSHELL_PATH}" is a positive match. Yara rule: Webshell_PHP_Generic')
    virustotal(log, "15 19:30:20.550", "001", WEBSHELL_PATH, WEBSHELL_HASH, 31)
    log.add("15 19:40:00.200", "001", "521", "rootcheck", "rootcheck", {"title": "Process '4021' hidden from /proc."},
            full_log="Process '4021' hidden from /proc. Possible kernel level rootkit.")
    # the work station and the servers
    fim(log, "16 08:52:16.010", "004", IMPLANT_PATH.lower(), "added", IMPLANT_HASH, mode="realtime", size=20480)
    registry(log, "16 09:00:00.400", "004", f"HKEY_USERS\\{USERS['m.keller']}\\{RUN_KEY}", RUN_VALUE, "added",
             f'"{IMPLANT_PATH}" --sync')
    virustotal(log, "16 08:52:20.900", "004", IMPLANT_PATH.lower(), IMPLANT_HASH, 44)
    for agent, when in (("003", "17 10:01:03.900"), ("009", "17 10:14:03.950")):
        fim(log, when, agent, IMPLANT_SERVER_PATH.lower(), "added", IMPLANT_HASH, mode="whodata", size=20480, audit={
            "user": {"id": USERS["adm.novak"], "name": "adm.novak"}, "process": {"id": "4", "name": "System"}})
    registry(log, "17 21:00:00.070", "003", f"HKEY_LOCAL_MACHINE\\{SERVICE_KEY}", "ImagePath", "added",
             f'"{IMPLANT_SERVER_PATH}" --svc')
    fim(log, "18 05:23:03.180", "004", IMPLANT_PATH.lower(), "deleted", IMPLANT_HASH, size=20480)
    log.add("18 06:00:12.640", "004", "108001", "yara_decoder", "active-response\\active-responses.log",
            {"log_type": "INFO", "yara_rule": "Nimbus_Loader", "yara_scanned_file": IMPLANT_DIR.lower() + "\\nbcore.dll"},
            full_log=f"wazuh-yara: INFO - Scan result: Nimbus_Loader {IMPLANT_DIR.lower()}\\nbcore.dll",
            desc=f'File "{IMPLANT_DIR.lower()}\\nbcore.dll" is a positive match. Yara rule: Nimbus_Loader')
    for when, address in (("14 02:19:04.120", BRUTE_IP), ("17 16:05:00.330", C2_IP)):
        alert = {"version": "1", "origin": {"name": "node01", "module": "wazuh-execd"}, "command": "add", "parameters": {
            "extra_args": [], "alert": {"timestamp": f"2026-03-{when}+0000".replace(" ", "T"), "rule": {
                "level": "10", "description": "block", "id": "5712"}, "data": {"srcip": address}},
            "program": "active-response/bin/firewall-drop"}}
        log.add(when, "001", "651", "ar_log_json", "/var/ossec/logs/active-responses.log", {"srcip": address, **alert},
                full_log=f"{moment(when):%Y/%m/%d %H:%M:%S} active-response/bin/firewall-drop: " + compact(alert),
                parent="ar_log_json")
    log.add("16 08:53:05.900", "004", "100212", "json", "opencti", {"integration": "opencti", "opencti": {
        "event_type": "indicator_pattern_match", "observable_value": C2_IP, "query_key": "data.win.eventdata.destinationIp",
        "entity_type": "IPv4-Addr", "score": "90", "labels": ["nimbus", "c2"], "indicator": {
            "name": C2_IP, "pattern": f"[ipv4-addr:value = '{C2_IP}']", "pattern_type": "stix", "revoked": "false",
            "x_opencti_score": "90"}, "source": {"alert_id": "1773651182.0", "rule_id": "61605"}}},
        desc=f"OpenCTI: IoC found in threat intel: {C2_IP}")


def noise(log, days=("14", "15", "16", "17", "18"), scale=1):
    for day in days:
        for number in range(scale):
            at = lambda: f"{day} {dice.time(0, 24)}"
            name = dice.pick(["/etc/resolv.conf", "/etc/nginx/nginx.conf", "/etc/hosts", "/etc/passwd"])
            fim(log, at(), dice.pick(LINUX), name, "modified", digests(f"{name} {day} {number}"), digests(f"{name} before"),
                "scheduled")
            fim(log, at(), dice.pick(WINDOWS), "c:\\windows\\system32\\tasks\\backup" + dice.hexa(3), "added",
                digests(f"task {day} {number}"), mode="scheduled")
            agent = dice.pick(LINUX + WINDOWS)
            log.add(at(), agent, "503", "ossec", "wazuh-monitord", {"extra_data": f"{AGENTS[agent][0]}->{AGENTS[agent][1]}"},
                    full_log=f"ossec: Agent started: '{AGENTS[agent][0]}->{AGENTS[agent][1]}'.")
            sca(log, at(), dice.pick(LINUX), dice.pick(["19007", "19008"]), dice.between(28500, 28700),
                dice.pick(["Ensure SSH root login is disabled.", "Ensure nodev option set on /var partition.",
                           "Ensure ufw default deny firewall policy."]), dice.pick(["failed", "passed"]))


def extras(log):
    vulnerability(log, "14 04:00:10.600", "012", CVE, "openssh-server", "1:9.6p1-3ubuntu13", "High", "23505", "8.1")
    vulnerability(log, "14 04:00:11.100", "001", CVE, "openssh-server", "1:9.2p1-2+deb12u2", "High", "23505", "8.1")
    vulnerability(log, "15 04:00:10.130", "010", "CVE-2025-0001", "libexample1", "2.1-4", "Critical", "23506", "9.8")
    log.add("16 04:00:12.240", "002", "23504", "json", "vulnerability-detector", {"vulnerability": {
        "cve": "CVE-2024-12345", "title": "Example flaw in the database client", "severity": "Medium",
        "published": "2024-12-01T00:00:00Z", "updated": "2025-02-01T00:00:00Z", "state": "Fixed", "cvss": {"cvss3": {
            "base_score": "5.9", "vector": {"attack_vector": "network", "access_complexity": "high"}}},
        "package": {"name": "dbclient", "version": "14.2-1", "architecture": "amd64", "condition": "less than 14.9-1",
                    "source": "dbclient"}, "status": "Active", "type": "PACKAGE", "cwe_reference": "CWE-120",
        "references": ["https://cve.example/CVE-2024-12345"], "rationale": "Memory is not checked."}},
        desc="CVE-2024-12345 affects dbclient")
    log.add("17 04:00:09.880", "012", "23502", "json", "vulnerability-detector", {"vulnerability": {
        "package": {"name": "openssh-server", "version": "1:9.6p1-3ubuntu13", "architecture": "amd64"}, "cve": CVE,
        "status": "Solved", "reference": digests("solved")["sha1"]}},
        desc=f"The {CVE} that affected openssh-server was solved due to an update in the agent or feed.")
    fim(log, "14 20:20:20.202", "010", "/srv/build/empty.lock", "added", digests(""), size=0, user="root")
    fim(log, "17 19:00:10.010", "009", "c:\\windows\\system32\\drivers\\etc\\hosts", "modified", digests("hosts after"),
        digests("hosts before"), size=901)
    fim(log, "16 23:05:44.940", "002", "/tmp/dump.sql", "deleted", digests("dump"), size=553217, tags=["database"])
    registry(log, "15 21:00:00.610", "005", "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Control\\Lsa", "RunAsPPL",
             "modified", "0", "1")
    log.add("16 21:00:00.950", "006", "597", "syscheck_registry_key_deleted", "syscheck", syscheck={
        "path": "HKEY_LOCAL_MACHINE\\Software\\Policies\\Example\\Updater", "mode": "scheduled", "arch": "[x64]",
        "win_perm_after": ACCESS, "uid_after": "S-1-5-32-544", "gid_after": "S-1-5-18", "uname_after": "Administrators",
        "gname_after": "SYSTEM", "mtime_after": "2026-02-01T04:26:40", "event": "deleted"},
        full_log="Registry Key '[x64] HKEY_LOCAL_MACHINE\\Software\\Policies\\Example\\Updater' deleted\nMode: scheduled\n")
    virustotal(log, "17 19:00:14.400", "009", "c:\\windows\\system32\\drivers\\etc\\hosts", digests("hosts after"), 0)
    log.add("14 05:30:00.030", "002", "510", "rootcheck", "rootcheck", {"title": "File is owned by root and has written "
            "permissions to anyone.", "file": "/var/lib/app/spool"}, full_log="File '/var/lib/app/spool' is owned by root "
            "and has written permissions to anyone.")
    log.add("14 06:10:10.810", "010", "19004", "sca", "sca", {"sca": {
        "type": "summary", "scan_id": "1004", "policy": "CIS Ubuntu Linux 22.04 LTS Benchmark v2.0.0.",
        "policy_id": "cis_ubuntu22-04", "passed": "91", "failed": "99", "invalid": "1", "total_checks": "191", "score": "47",
        "file": "cis_ubuntu22-04.yml"}}, desc="SCA summary: CIS Ubuntu Linux 22.04 LTS Benchmark v2.0.0.: Score less than 50% (47)")
    log.add("14 00:00:05.000", "000", "502", "ossec", "wazuh-monitord", {}, full_log="ossec: Manager started.")
    log.add("16 19:40:00.490", "005", "504", "ossec", "wazuh-monitord", {"extra_data": "ws-sales-12->10.20.4.62"},
            full_log="ossec: Agent disconnected: 'ws-sales-12->10.20.4.62'.")
    ports = "ossec: output: 'netstat listening ports':\ntcp 0.0.0.0:22 0.0.0.0:* 801/sshd\ntcp 0.0.0.0:3333 0.0.0.0:* 4021/.kworkerd"
    log.add("15 20:00:30.180", "001", "533", "ossec", "netstat listening ports", {}, full_log=ports,
            previous=ports.rsplit("\n", 1)[0])
    log.add("18 02:00:00.700", "000", "411", "wazuh-api", "/var/ossec/logs/api.log", {
        "srcip": "10.20.4.57", "dstuser": "unknown_user", "event-time": "2026/03/18 02:00:00", "type": "INFO", "method": "POST",
        "uri": "/security/user/authenticate", "endpoint": "POST /security/user/authenticate", "http_status_code": "401"},
        full_log="2026/03/18 02:00:00 INFO: unknown_user 10.20.4.57 \"POST /security/user/authenticate\" with parameters {} "
        "and body {} done in 0.101s: 401", desc="Wazuh API: POST /security/user/authenticate Unauthorized.")
    log.add("17 12:12:12.120", None, "555", "agentless", "(ssh_generic_diff) backup@10.20.0.1->agentless", {},
            full_log="ossec: agentless: Change detected:\n35a36\n> ip route 0.0.0.0 0.0.0.0 203.0.113.201",
            agentless={"script": "ssh_generic_diff", "user": "backup", "host": "10.20.0.1"})
