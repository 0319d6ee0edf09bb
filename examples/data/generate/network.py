"""Alerts of network sensors: Suricata, Packetbeat, Zeek, firewalls, proxies, name servers."""

from base import *
from linux import stamp

dice = Dice("network")
EVE = "/var/log/suricata/eve.json"


def eve(log, when, kind, source, destination, body, rule, desc, protocol="TCP", app=None, quiet=False):
    time = moment(shift(when, -700)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "+0000"
    record = {"timestamp": time, "flow_id": dice.between(10**14, 2 * 10**15), "in_iface": "ens5", "event_type": kind,
              "src_ip": source[0], "src_port": source[1], "dest_ip": destination[0], "dest_port": destination[1],
              "proto": protocol}
    if kind == "alert":
        record["community_id"] = "1:" + dice.hexa(27) + "="
    record.update(body)
    if app:
        record["app_proto"] = app
    log.add(when, "008", rule, "json", EVE, strings(record), full_log=None if kind == "alert" or quiet else compact(record),
            desc=desc)


def signature(log, when, source, destination, number, text, category, severity=1, protocol="TCP", app=None, **body):
    eve(log, when, "alert", source, destination, {
        "alert": {"action": "allowed", "gid": 1, "signature_id": number, "rev": 2, "signature": text, "category": category,
                  "severity": severity, "metadata": {"created_at": ["2026_01_12"], "signature_severity": ["Major"]}}, **body},
        "86601", f"Suricata: Alert - {text}", protocol, app)


def dns(log, when, client, name, kind="A", answer=None, version2=False):
    question = {"type": "query", "id": dice.below(65536), "rrname": name, "rrtype": kind, "tx_id": 0, "opcode": 0}
    if answer:
        body = {"version": 2, "type": "answer", "id": question["id"], "flags": "8180", "qr": True, "rd": True, "ra": True,
                "rrname": name, "rrtype": kind, "rcode": "NOERROR",
                "answers": [{"rrname": name, "rrtype": kind, "ttl": 60, "rdata": answer}],
                "grouped": {kind: [answer]}}
    else:
        body = {"version": 2, "query": [question]} if version2 else {"version": 2, **question}
    source, destination = (client, dice.between(40000, 60999)), ("10.20.0.10", 53)
    eve(log, when, "dns", source, destination, {"dns": body}, "100201", f"Suricata: DNS query {name}", "UDP")


def http(log, when, client, server, host, url, agent, kind="text/plain", status=200, quiet=False):
    eve(log, when, "http", (client, dice.between(40000, 60999)), (server, 80), {"tx_id": 0, "http": {
        "hostname": host, "url": url, "http_user_agent": agent, "http_content_type": kind, "http_method": "GET",
        "protocol": "HTTP/1.1", "status": status, "length": dice.between(400, 90000)}}, "100203",
        f"Suricata: HTTP GET {url}", quiet=quiet)


def tls(log, when, client, server, sni, ja3, ja3s, fingerprint, serial, subject, issuer):
    colons = ":".join(fingerprint[i:i + 2] for i in range(0, 40, 2))
    eve(log, when, "tls", (client, dice.between(40000, 60999)), (server, 443), {"tls": {
        "subject": subject, "issuerdn": issuer, "serial": serial, "fingerprint": colons, "sni": sni, "version": "TLS 1.2",
        "notbefore": "2026-02-20T00:00:00", "notafter": "2026-05-21T23:59:59", "ja3": {"hash": ja3}, "ja3s": {"hash": ja3s}}},
        "100202", f"Suricata: TLS session to {sni}", quiet=True)


def c2_session(log, when, client, server=C2_IP):
    tls(log, when, client, server, C2_HOST, JA3, JA3S, CERT_SHA1, CERT_SERIAL, f"CN={C2_HOST}", "C=XX, O=Nimbus Sync CA")


def packetbeat(log, when, agent, kind, client, server, **body):
    time = moment(shift(when, -900)).strftime("%Y-%m-%dT%H:%M:%S.") + "100Z"
    name = AGENTS[agent][0]
    record = {"@timestamp": time, "agent": {"type": "packetbeat", "version": "8.11.4", "name": name, "id": "i-" + name},
              "ecs": {"version": "8.0.0"}, "host": {"name": name}, "type": kind, "status": "OK",
              "source": {"ip": client[0], "port": client[1]}, "destination": {"ip": server[0], "port": server[1]},
              "client": {"ip": client[0], "port": client[1]}, "server": {"ip": server[0], "port": server[1]}, **body,
              "event": {"dataset": kind, "category": ["network"]}}
    log.add(when, agent, "100300", "json", "/var/log/packetbeat/packetbeat", strings(record),
            desc=f"Packetbeat: {kind} event")


def zeek(log, when, rule, engine, source, destination, desc=None, **body):
    """The dots of Zeek's names become nesting, so that `id` is an object: the stock index template rejects these."""
    epoch = moment(when).replace(tzinfo=datetime.timezone.utc).timestamp()
    record = {"ts": epoch, "uid": "C" + dice.hexa(17),
              "id": {"orig_h": source[0], "orig_p": source[1], "resp_h": destination[0], "resp_p": destination[1]},
              **body, "bro_engine": engine}
    log.add(when, "008", rule, "json", "/opt/zeek/logs/current/" + engine.lower() + ".log", strings(record), desc=desc)


def fortigate(log, when, rule, fields, desc=None):
    time = moment(when)
    head = {"logid": "0000000013", "level": "notice", "vd": "root"}
    fields = {**head, **fields}
    line = f"date={time:%Y-%m-%d} time={time:%H:%M:%S} devname=\"fw01\" devid=\"FG100X0000000001\" " + " ".join(
        f'{n}={v}' if v.isdigit() else f'{n}="{v}"' for n, v in fields.items())
    first = [n for n in ("action", "srcip", "srcport", "dstip", "dstport") if n in fields]
    data = {n: fields[n] for n in first}
    data.update({"devid": "FG100X0000000001", "devname": "fw01"})
    data.update({n: v for n, v in fields.items() if n not in first})
    log.add(when, "000", rule, "fortigate-firewall-v6", "10.20.0.1", data, full_log=line, desc=desc)


def asa(log, when, number, message, data, rule="64004"):
    log.add(when, "000", rule, "cisco-asa", "10.20.0.2", {**data, "id": number}, full_log=f"%ASA-{number}: {message}",
            parent="cisco-asa")


def squid(log, when, rule, client, action, status, url, desc=None):
    epoch = "%.3f" % moment(when).replace(tzinfo=datetime.timezone.utc).timestamp()
    log.add(when, "011", rule, "squid-accesslog", "/var/log/squid/access.log",
            {"action": action, "srcip": client, "id": str(status), "url": url},
            full_log=f"{epoch}    231 {client} {action}/{status} {dice.between(900, 90000)} GET {url} - HIER_DIRECT/- text/plain",
            predecoder={"timestamp": epoch}, desc=desc)


def intrusion(log):
    victim = ("10.20.4.57", 51234)
    # the mail
    eve(log, "16 08:40:57.880", "smtp", (PHISH_IP, 41022), ("10.20.0.25", 25), {
        "tx_id": 0, "smtp": {"helo": PHISH_HOST, "mail_from": f"<{PHISH_FROM}>", "rcpt_to": [f"<m.keller@{MAIL}>"]},
        "email": {"status": "PARSE_DONE", "from": f"Corvina Billing <{PHISH_FROM}>", "to": [f"m.keller@{MAIL}"],
                  "subject": "Rechnung 2026-0311 – letzte Mahnung", "attachment": [LURE]}}, "100206",
        "Suricata: smtp event")
    eve(log, "16 08:40:58.101", "fileinfo", (PHISH_IP, 41022), ("10.20.0.25", 25), {
        "app_proto": "smtp", "fileinfo": {"filename": LURE, "magic": "Microsoft Word 2007+", "state": "CLOSED",
                                          "md5": LURE_HASH["md5"], "sha1": LURE_HASH["sha1"],
                                          "sha256": LURE_HASH["sha256"], "stored": False, "size": 88213}},
        "100205", f"Suricata: file {LURE}")
    # the download
    dns(log, "16 08:52:12.300", victim[0], DROP_HOST, answer=DROP_IP)
    http(log, "16 08:52:13.100", victim[0], DROP_IP, DROP_HOST, "/assets/upd.ps1", "Mozilla/5.0 (Windows NT; "
         "Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.4894")
    http(log, "16 08:52:14.870", victim[0], DROP_IP, DROP_HOST, "/assets/nimbus.bin", USER_AGENT, "application/octet-stream")
    for when, name, of in (("16 08:52:13.300", "/assets/upd.ps1", SCRIPT_HASH),
                           ("16 08:52:15.120", "/assets/nimbus.bin", IMPLANT_HASH)):
        eve(log, when, "fileinfo", (DROP_IP, 80), victim, {
            "http": {"hostname": DROP_HOST, "url": name, "http_method": "GET", "protocol": "HTTP/1.1", "status": 200},
            "app_proto": "http", "fileinfo": {"filename": name, "state": "CLOSED", "stored": False, "size": 20480,
                                              "sha256": of["sha256"], "md5": of["md5"]}}, "100205",
            f"Suricata: file {name}", quiet=True)
    signature(log, "16 08:52:15.301", victim, (DROP_IP, 80), 2900101, "LOCAL MALWARE executable download with unusual "
              "user agent", "A Network Trojan was detected", app="http",
              http={"hostname": DROP_HOST, "url": "/assets/nimbus.bin", "http_user_agent": USER_AGENT, "http_method": "GET",
                    "protocol": "HTTP/1.1", "status": 200, "length": 20480})
    squid(log, "16 08:52:13.090", "100510", victim[0], "TCP_MISS", 200, DROP_URL, "Squid: download of a script or binary")
    squid(log, "16 08:52:14.900", "100510", victim[0], "TCP_MISS", 200, PAYLOAD_URL, "Squid: download of a script or binary")
    # beacons
    dns(log, "16 08:53:01.950", victim[0], C2_HOST, answer=C2_IP)
    dns(log, "17 20:39:59.910", victim[0], C2_HOST, "AAAA", version2=True)
    for when, client, server in (("16 08:53:02.500", victim[0], C2_IP), ("17 09:31:07.900", victim[0], C2_IP),
                                 ("17 10:01:10.020", "10.20.0.10", C2_IP), ("17 10:14:10.310", "10.20.0.20", C2_IP),
                                 ("17 20:40:00.700", "fd00:20:4::57", C2_IP6)):
        c2_session(log, when, client, server)
    signature(log, "16 08:53:02.700", victim, (C2_IP, 443), 2900102, "LOCAL C2 Nimbus beacon (JA3)",
              "Malware Command and Control Activity Detected", app="tls",
              tls={"sni": C2_HOST, "version": "TLS 1.2", "ja3": {"hash": JA3}, "ja3s": {"hash": JA3S}})
    packetbeat(log, "16 12:10:41.300", "011", "tls", ("10.20.4.57", 51877), (C2_IP, 443), tls={
        "established": True, "version": "1.2", "version_protocol": "tls", "client": {"ja3": JA3, "server_name": C2_HOST},
        "server": {"ja3s": JA3S, "subject": f"CN={C2_HOST}", "issuer": "O=Nimbus Sync CA,C=XX",
                   "hash": {"sha1": CERT_SHA1.upper()}}}, network={"type": "ipv4", "transport": "tcp", "protocol": "tls"})
    fortigate(log, "16 12:10:42.000", "81618", {
        "type": "traffic", "subtype": "forward", "eventtime": "1773663042", "srcip": "10.20.4.57", "srcport": "51877",
        "srcintf": "lan", "srcmac": "52:54:00:4c:57:07", "dstip": C2_IP, "dstport": "443", "dstintf": "wan1", "policyid": "7",
        "sessionid": "90211", "proto": "6", "action": "accept", "service": "HTTPS", "sentbyte": "18322", "rcvdbyte": "5120"},
        "Fortigate: Traffic to be aware of.")
    fortigate(log, "17 16:02:59.000", "81644", {
        "type": "utm", "subtype": "webfilter", "eventtype": "ftgd_blk", "level": "warning", "srcip": "10.20.4.57",
        "srcport": "52010", "srcintf": "lan", "dstip": C2_IP, "dstport": "443", "dstintf": "wan1", "proto": "6",
        "service": "HTTPS", "hostname": C2_HOST, "action": "blocked", "url": BEACON_URL, "catdesc": "Newly Observed Domain",
        "msg": "URL belongs to a denied category in policy"})
    asa(log, "17 20:40:01.000", "6-302013", f"Built outbound TCP connection 7712 for outside:{C2_IP6}/443 to "
        "inside:fd00:20:4::57/50411", {"protocol": "TCP", "action": "Built", "srcip": "fd00:20:4::57", "srcport": "50411",
                                       "dstip": C2_IP6, "dstport": "443"})
    # a device of the attacker in the meeting room
    fortigate(log, "17 07:55:10.000", "81618", {
        "type": "event", "subtype": "system", "logdesc": "Device detected", "srcip": "10.20.9.66", "srcmac": ATTACKER_MAC,
        "srcintf": "guest", "action": "detected", "msg": "New device found"}, "Fortigate: Traffic to be aware of.")
    # exfiltration
    dns(log, "18 01:19:58.610", "10.20.0.20", EXFIL_NS, answer=PHISH_IP)
    for number in range(1, 9):
        name = exfil_name(number)
        dns(log, f"18 01:{20 + number}:{10 + number * 3}.{number}55", "10.20.0.20", name, "TXT")
    for number in (2, 5, 8):
        name = exfil_name(number)
        packetbeat(log, f"18 01:{20 + number}:{10 + number * 3}.990", "011", "dns", ("10.20.0.20", 50133), ("10.20.0.10", 53),
                   method="QUERY", query=f"class IN, type TXT, {name}", resource=name, network={"transport": "udp"},
                   dns={"id": "41221", "op_code": "QUERY", "type": "answer", "response_code": "NOERROR",
                        "question": {"name": name, "type": "TXT", "class": "IN", "etld_plus_one": EXFIL_ZONE,
                                     "registered_domain": EXFIL_ZONE, "subdomain": name[:-len(EXFIL_ZONE) - 1]},
                        "answers": [{"name": name, "type": "TXT", "data": "ok", "ttl": "1"}], "answers_count": 1})
    zeek(log, "18 01:22:16.310", "100310", "DNS", ("10.20.0.20", 50133), ("10.20.0.10", 53),
         f"Zeek: DNS query {exfil_name(2)}", proto="udp", query=exfil_name(2), qtype_name="TXT", answers=["TXT 2 ok"])
    signature(log, "18 01:29:30.118", ("10.20.0.20", 50133), ("10.20.0.10", 53), 2900103, "LOCAL DNS tunnel, long label",
              "Potentially Bad Traffic", 2, "UDP", "dns", dns={"version": 2, "query": [
                  {"type": "query", "id": 41221, "rrname": exfil_name(8), "rrtype": "TXT", "tx_id": 0, "opcode": 0}]})
    # scanning
    for number, address in enumerate(SCAN_IPS):
        signature(log, f"14 11:0{number}:19.100", (address, 51000 + number), ("10.20.0.11", 80), 2900110,
                  "LOCAL SCAN web scanner user agent", "Attempted Information Leak", 3, app="http",
                  http={"hostname": "www.corvina.example", "url": "/.env", "http_user_agent": SCAN_AGENT, "http_method": "GET",
                        "protocol": "HTTP/1.1", "status": 404, "length": 199})
    eve(log, "14 02:12:30.440", "ssh", (BRUTE_IP, 41003), ("10.20.0.11", 22), {"ssh": {
        "client": {"proto_version": "2.0", "software_version": "libssh_0.9.6"},
        "server": {"proto_version": "2.0", "software_version": "OpenSSH_9.2p1"}}}, "100206", "Suricata: ssh event")
    line = (f"kernel: [90211.313745] DROP IN=eth0 OUT= MAC=52:54:00:12:34:56:{ATTACKER_MAC}:08:00 SRC={BRUTE_IP} "
            "DST=10.20.0.11 LEN=44 TOS=0x00 PREC=0x00 TTL=31 ID=8549 PROTO=TCP SPT=40952 DPT=23 WINDOW=64144 SYN")
    for when, rule in (("14 02:30:00.310", "4101"), ("14 02:30:09.870", "4151")):
        full = f"{stamp(when)} web01 {line}"
        log.add(when, "001", rule, "kernel", "/var/log/kern.log",
                {"action": "DROP", "srcip": BRUTE_IP, "dstip": "10.20.0.11", "srcport": "40952", "dstport": "23",
                 "protocol": "TCP"}, full_log=full, parent="kernel",
                predecoder={"program_name": "kernel", "timestamp": stamp(when), "hostname": "web01"},
                previous="\n".join([full] * 3) if rule == "4151" else None, frequency=18 if rule == "4151" else None)


def noise(log, days=("14", "15", "16", "17", "18"), scale=1):
    clients = ["10.20.4.57", "10.20.4.62", "10.20.4.33", "10.20.0.41"]
    sites = [("update.vendor-os.example", "192.0.2.80"), ("www.news-portal.example", "192.0.2.81"),
             ("cdn.office-suite.example", "192.0.2.90"), ("static.corvina.example", "192.0.2.10")]
    for day in days:
        for _ in range(scale):
            at = lambda: f"{day} {dice.time(6, 20)}"
            host, server = dice.pick(sites)
            dns(log, at(), dice.pick(clients), host, answer=server)
            http(log, at(), dice.pick(clients), server, host, dice.pick(["/index.html", "/api/v1/ping", "/logo.svg"]),
                 "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/134.0", "text/html", quiet=True)
            of = digests("certificate of " + host)
            tls(log, at(), dice.pick(clients), server, host, digests("edge")["md5"], digests("nginx")["md5"], of["sha1"],
                "0" + of["md5"][:15].upper(), f"CN={host}", "C=XX, O=Example Trust CA")
            signature(log, at(), (dice.pick(["192.0.2.201", "192.0.2.77", "203.0.113.140"]), dice.between(2000, 60000)),
                      ("10.20.0.11", 443), 2210044, "SURICATA STREAM Packet with invalid timestamp",
                      "Generic Protocol Command Decode", 3)
            asa(log, at(), "4-106023", f"Deny tcp src outside:192.0.2.{dice.between(70, 79)}/2143 dst dmz:10.20.0.11/139 by "
                "access-group \"outside_in\"", {"protocol": "tcp", "action": "Deny", "srcip": f"192.0.2.{dice.between(70, 79)}",
                                                "srcport": "2143", "dstip": "10.20.0.11", "dstport": "139"})
            squid(log, at(), "35005", dice.pick(clients[:3]), "TCP_DENIED", 403, f"http://{host}/ads/banner.js")
            packetbeat(log, at(), "011", "dns", (dice.pick(clients), dice.between(40000, 60000)), ("10.20.0.10", 53),
                       method="QUERY", query=f"class IN, type A, {host}", resource=host, network={"transport": "udp"},
                       dns={"type": "answer", "response_code": "NOERROR", "resolved_ip": [server],
                            "question": {"name": host, "type": "A", "class": "IN",
                                         "registered_domain": host.split(".", 1)[1]},
                            "answers": [{"name": host, "type": "A", "data": server, "ttl": "300"}], "answers_count": 1})


def extras(log):
    squid(log, "15 09:00:12.870", "35003", "10.20.4.62", "TCP_DENIED", 400, "ahoi")
    packetbeat(log, "14 13:14:15.920", "011", "http", ("10.20.4.33", 50100), ("192.0.2.10", 80), method="get",
               query="GET /status", network={"transport": "tcp", "protocol": "http"}, url={
                   "full": "http://static.corvina.example/status", "domain": "static.corvina.example", "path": "/status",
                   "scheme": "http"}, http={"request": {"method": "get", "bytes": 120}, "response": {
                       "status_code": 200, "bytes": 310}}, user_agent={"original": "curl/8.5.0"})
    zeek(log, "15 10:20:30.400", "66001", "SSH", ("10.20.4.33", 45398), ("10.20.0.40", 22), version=2, auth_attempts=1,
         client="SSH-2.0-OpenSSH_9.6")
    zeek(log, "16 12:10:44.210", "66004", "CONN", ("10.20.4.57", 51877), (C2_IP, 443), proto="tcp", duration=8.31,
         orig_bytes=18322, resp_bytes=5120, conn_state="SF")
    for when, client, host, path in (("14 11:00:20.000", SCAN_IPS[1], "www.corvina.example", "/actuator/health"),
                                     ("17 08:10:02.000", "192.0.2.33", "shop.corvina.example", "/cart")):
        record = {"ClientIP": client, "ClientRequestHost": host, "ClientRequestMethod": "GET", "ClientRequestURI": path,
                  "ClientRequestUserAgent": SCAN_AGENT if client == SCAN_IPS[1] else "Mozilla/5.0",
                  "EdgeResponseStatus": 403, "OriginIP": "192.0.2.10", "RayID": dice.hexa(16), "FirewallMatchesActions": []}
        log.add(when, "000", "92502", "json", "/var/log/cloudflare/waf.json", strings(record), full_log=compact(record),
                desc=f"Cloudflare WAF: GET request {path}")
    when = "14 11:08:00.120"
    log.add(when, "001", "30411", "apache-errorlog", "/var/log/apache2/error.log",
            {"srcip": SCAN_IPS[1], "id": "403", "url": "/admin/"},
            full_log=f"[Sat Mar 14 11:08:00.120176 2026] [:error] [pid 17679] [client {SCAN_IPS[1]}] ModSecurity: Access "
            "denied with code 403 (phase 2). [id \"960015\"] [msg \"Request Missing an Accept Header\"] [hostname "
            "\"www.corvina.example\"] [uri \"/admin/\"]")
    for when, address in (("15 23:11:40.300", "192.0.2.177"), ("18 01:19:59.020", PHISH_IP)):
        log.add(when, "011", "12108", "named", "/var/log/syslog", {"srcip": address}, parent="named",
                full_log=f"{stamp(when)} proxy01 named[464]: client {address}#32769: query (cache) denied",
                predecoder={"program_name": "named", "timestamp": stamp(when), "hostname": "proxy01"})
    for when, action, source, destination in (("16 02:00:10.005", "block", "203.0.113.150", "192.0.2.10"),
                                              ("17 11:00:10.600", "block", BRUTE_IP, "192.0.2.10")):
        log.add(when, "000", "4101", "pf", "10.20.0.3",
                {"protocol": "tcp", "action": action, "id": "4", "srcip": source, "srcport": "40222", "dstip": destination,
                 "dstport": "3389"}, parent="pf", full_log=f"{stamp(when)} fw02 filterlog[2011]: 4,,,1000000103,igb0,match,"
                f"{action},in,4,0x0,,48,0,0,DF,6,tcp,60,{source},{destination},40222,3389,0,S",
                predecoder={"program_name": "filterlog", "timestamp": stamp(when), "hostname": "fw02"})
    asa(log, "16 09:30:00.000", "3-710003", "TCP access denied by ACL from 192.0.2.77/51022 to outside:192.0.2.1/22",
        {"protocol": "TCP", "action": "access denied", "srcip": "192.0.2.77", "srcport": "51022", "dstip": "192.0.2.1",
         "dstport": "22"}, "64003")
    fortigate(log, "14 10:00:00.000", "81633", {
        "type": "utm", "subtype": "app-ctrl", "srcip": "10.20.4.33", "srcport": "50001", "dstip": "192.0.2.80", "dstport": "443",
        "proto": "6", "service": "SSL", "hostname": "update.vendor-os.example", "action": "pass", "app": "OS.Update", "url": "/"})
