"""Single observables, one per line, at least one of each type."""

from base import *
from stix import AUTHOR, domain_object, internal, observable


def observables():
    directory = observable("directory", "Directory", {"path": IMPLANT_DIR}, 60)
    first, second = (observable("ipv4-addr", "IPv4-Addr", {"value": v}, s) for v, s in ((AGENTS["004"][1], 0), (C2_IP, 90)))
    sender = observable("email-addr", "Email-Addr", {"value": PHISH_FROM}, 80, ("phishing",), display_name="Corvina Billing")
    receiver = observable("email-addr", "Email-Addr", {"value": f"m.keller@{MAIL}"}, 0)
    subject = "Rechnung 2026-0311 – letzte Mahnung"
    body = "Bitte öffnen Sie die Anlage."
    command = f'"{IMPLANT_PATH}" --sync'
    # STIX wants a random identifier for a process
    process = observable("process", "Process", {"command_line": command, "pid": 7004}, 80, ("nimbus",),
                         number="process--" + internal(command), cwd=IMPLANT_DIR,
                         created_time="2026-03-16T08:52:18.000Z", is_hidden=False)
    implant = {**observable("file", "StixFile", {"hashes": {"MD5": IMPLANT_HASH["md5"]}}, 95, ("nimbus",)),
               "hashes": {"MD5": IMPLANT_HASH["md5"], "SHA-1": IMPLANT_HASH["sha1"], "SHA-256": IMPLANT_HASH["sha256"]}}
    artifact = {**observable("artifact", "Artifact", {"hashes": {"MD5": SCRIPT_HASH["md5"]}}, 80),
                "hashes": {"MD5": SCRIPT_HASH["md5"], "SHA-256": SCRIPT_HASH["sha256"]}, "mime_type": "text/plain",
                "url": DROP_URL}
    sha256_only = observable("file", "StixFile", {"hashes": {"SHA-256": LURE_HASH["sha256"]}}, 85, ("phishing",))
    certificate = observable("x509-certificate", "X509-Certificate", {
        "hashes": {"SHA-1": CERT_SHA1}, "serial_number": CERT_SERIAL.lower()}, 80, subject=f"CN={C2_HOST}",
        issuer="C=XX, O=Nimbus Sync CA", validity_not_before="2026-02-20T00:00:00.000Z",
        validity_not_after="2026-05-21T23:59:59.000Z")
    traffic = observable("network-traffic", "Network-Traffic", {
        "src_ref": first["id"], "dst_ref": second["id"], "src_port": 51877, "dst_port": 443, "protocols": ["ipv4", "tcp", "https"]},
        60)
    mail = observable("email-message", "Email-Message", {"from_ref": sender["id"], "subject": subject, "body": body}, 70,
                      to_refs=[receiver["id"]], is_multipart=False, date="2026-03-16T08:40:00.000Z")
    run_key = "HKEY_CURRENT_USER\\" + RUN_KEY
    return [
        implant, sha256_only,
        observable("file", "StixFile", {"name": IMPLANT, "parent_directory_ref": directory["id"]}, 60),
        observable("file", "StixFile", {"name": LURE}, 60),
        directory,
        observable("directory", "Directory", {"path": "/var/www/html/uploads"}, 20),
        artifact, first, second,
        observable("ipv4-addr", "IPv4-Addr", {"value": "203.0.113.99"}, 70),
        observable("ipv4-addr", "IPv4-Addr", {"value": SCAN_NET}, 50, ("scanner",)),
        observable("ipv6-addr", "IPv6-Addr", {"value": C2_IP6}, 85, ("nimbus",)),
        observable("mac-addr", "Mac-Addr", {"value": ATTACKER_MAC}, 40),
        traffic, sender, receiver, mail,
        observable("domain-name", "Domain-Name", {"value": C2_HOST}, 95, ("nimbus",), resolves_to_refs=[second["id"]]),
        observable("domain-name", "Domain-Name", {"value": EXFIL_ZONE}, 80),
        observable("hostname", "Hostname", {"value": EXFIL_NS}, 80, custom=True),
        observable("url", "Url", {"value": DROP_URL}, 90, ("nimbus",)),
        observable("windows-registry-key", "Windows-Registry-Key", {"key": run_key, "values": [
            {"name": RUN_VALUE, "data": command, "data_type": "REG_SZ"}]}, 80),
        observable("windows-registry-key", "Windows-Registry-Key", {"key": "HKEY_LOCAL_MACHINE\\" + SERVICE_KEY}, 80),
        process,
        observable("software", "Software", {"name": "openssh-server", "cpe": "cpe:2.3:a:openbsd:openssh:9.6:p1:*:*:*:*:*:*",
                                            "vendor": "OpenBSD", "version": "1:9.6p1-3ubuntu13"}, 10),
        observable("user-account", "User-Account", {"account_type": "windows-domain", "user_id": USERS["adm.novak"],
                                                    "account_login": "adm.novak"}, 30, display_name="Admin Novak"),
        observable("user-account", "User-Account", {"account_type": "windows-domain", "account_login": "svc_backup2"}, 70),
        observable("user-agent", "User-Agent", {"value": USER_AGENT}, 75, custom=True),
        certificate,
        observable("autonomous-system", "Autonomous-System", {"number": 64496}, 20, name="EXAMPLE-AS", rir="RIPE"),
        observable("mutex", "Mutex", {"name": MUTEX}, 80),
        observable("text", "Text", {"value": "NimbusSync-4f1c9a"}, 30, custom=True),
        domain_object("vulnerability", "Vulnerability", {"name": CVE.lower()}, CVE, description="Race in the SSH server",
                      platform_fields={"cvss_base_score": 8.1, "cvss_base_severity": "HIGH"}),
        AUTHOR,
        {**domain_object("identity", "System", {"name": "ws-finance-07", "identity_class": "system"}, "ws-finance-07"),
         "identity_class": "system"},
    ]
