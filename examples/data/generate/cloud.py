"""Alerts of cloud services: Office 365, AWS, Google Cloud, Azure, GitHub, Microsoft Graph."""

from base import *

dice = Dice("cloud")
ACCOUNT = "123456789012"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Edg/134.0"


def office(log, when, rule, operation, workload, user, record, desc=None, **fields):
    body = {"CreationTime": moment(when).strftime("%Y-%m-%dT%H:%M:%S"), "Id": dice.guid()[1:-1], "Operation": operation,
            "OrganizationId": "0fea4e03-0000-4000-8000-00000000c0de", "RecordType": record, "UserKey": user, "UserType": "0",
            "Version": "1", "Workload": workload, "UserId": user, **fields}
    log.add(when, "000", rule, "json", "office365", {"integration": "office365", "office365": strings(body)}, desc=desc)


def sign_in(log, when, user, address, agent=DESKTOP, good=True):
    extra = {} if good else {"ErrorNumber": "50126", "LogonError": "InvalidUserNameOrPassword"}
    office(log, when, "91545", "UserLoggedIn" if good else "UserLoginFailed", "AzureActiveDirectory", user, "15",
           ResultStatus="Success" if good else "Failed", ClientIP=address, ActorIpAddress=address,
           ObjectId="00000002-0000-0ff1-ce00-000000000000", AzureActiveDirectoryEventType="1",
           ExtendedProperties=[{"Name": "UserAgent", "Value": agent}, {"Name": "RequestType", "Value": "OAuth2:Authorize"}],
           Subscription="Audit.AzureActiveDirectory", **extra)


def aws(log, when, rule, source, desc, **body):
    day = moment(when).strftime("%Y/%m/%d")
    record = {"log_info": {"log_file": f"AWSLogs/{ACCOUNT}/{source}/eu-central-1/{day}/{ACCOUNT}_{dice.hexa(12)}.json.gz",
                           "s3bucket": "corvina-logs"}, **body, "source": source}
    log.add(when, "000", rule, "json", "Wazuh-AWS", {"integration": "aws", "aws": strings(record)}, desc=desc)


def trail(log, when, event, service, user, address, agent="aws-cli/2.15.30 Python/3.11", rule="80202", **body):
    text = f"AWS Cloudtrail: {service} - {event}." + (f" Error: {body['errorCode']}." if "errorCode" in body else "")
    aws(log, when, rule, "cloudtrail", text if rule != "80254" else None, eventVersion="1.08", userIdentity={
        "type": "IAMUser", "principalId": "AIDAEXAMPLE" + user[:2].upper(), "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
        "accountId": ACCOUNT, "userName": user}, eventTime=moment(shift(when, -300000)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        eventSource=service, eventName=event, awsRegion="eu-central-1", sourceIPAddress=address, userAgent=agent, **body,
        eventID=dice.guid()[1:-1], readOnly=not event.startswith("Create"), eventType="AwsApiCall",
        recipientAccountId=ACCOUNT, aws_account_id=ACCOUNT)


def flow(log, when, source, destination, port, action="ACCEPT"):
    start = moment(shift(when, -90000))
    aws(log, when, "80401" if action == "ACCEPT" else "80402", "vpc",
        f"AWS VPC Flow: [{action}] - Interface: eni-0c0ffee123456789a - Protocol: 6.", version="2", account_id=ACCOUNT,
        interface_id="eni-0c0ffee123456789a", srcaddr=source, dstaddr=destination, srcport=str(dice.between(30000, 60000)),
        dstport=str(port), protocol="6", packets="20", bytes="4249", start=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        end=(start + datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ"), action=action, log_status="OK")


def guardduty(log, when, kind, title, action, severity, rule="80303"):
    name = action["actionType"]
    aws(log, when, rule, "guardduty", f"AWS GuardDuty: {name} - {title}.", schemaVersion="2.0", accountId=ACCOUNT,
        region="eu-central-1", partition="aws", id=dice.hexa(32),
        arn=f"arn:aws:guardduty:eu-central-1:{ACCOUNT}:detector/d1/finding/{dice.hexa(8)}", type=kind, resource={
            "resourceType": "Instance", "instanceDetails": {"instanceId": "i-0abc123def4567890", "instanceType": "m5.large",
                "networkInterfaces": [{"networkInterfaceId": "eni-0c0ffee123456789a", "privateIpAddress": "10.30.1.12",
                                       "publicIp": "192.0.2.44", "vpcId": "vpc-1"}]}},
        service={"serviceName": "guardduty", "detectorId": "d1", "action": action, "count": "4", "archived": "false",
                 "eventFirstSeen": "2026-03-17T03:00:00Z", "eventLastSeen": "2026-03-17T03:40:00Z"}, severity=severity,
        title=title, description=title, createdAt="2026-03-17T03:05:00Z", updatedAt="2026-03-17T03:45:00Z")


def gcp(log, when, rule, desc, kind, **body):
    time = moment(shift(when, -4000)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    record = {"insertId": dice.hexa(14), **body, "logName": f"projects/corvina-prod/logs/{kind}", "receiveTimestamp": time,
              "resource": {"type": kind, "labels": {"project_id": "corvina-prod", "location": "europe-west3"}}, "timestamp": time}
    log.add(when, "000", rule, "json", "Wazuh-GCloud", {"integration": "gcp", "gcp": strings(record)}, desc=desc)


def github(log, when, rule, desc, action, actor, **body):
    epoch = int(moment(when).replace(tzinfo=datetime.timezone.utc).timestamp()) * 1000
    record = {"actor": actor, "org": "corvina", "created_at": epoch, "@timestamp": epoch, "action": action,
              "actor_location": {"country_code": "DE"}, **body}
    log.add(when, "000", rule, "json", "github", {"integration": "github", "github": strings(record)}, desc=desc)


def graph(log, when, rule, title, severity, status, techniques, evidence):
    number = "da" + dice.hexa(18)
    time = moment(shift(when, -600000))
    record = {"id": number, "providerAlertId": number, "incidentId": "28282", "status": status, "severity": severity,
              "determination": "unknown", "serviceSource": "microsoftDefenderForEndpoint", "detectionSource": "antivirus",
              "tenantId": "0fea4e03-0000-4000-8000-00000000c0de", "title": title, "description": title + ".",
              "category": "Execution", "mitreTechniques": techniques,
              "createdDateTime": time.strftime("%Y-%m-%dT%H:%M:%S.7Z"), "evidence": evidence, "resource": "security",
              "relationship": "alerts_v2"}
    log.add(when, "000", rule, "json-msgraph", "ms-graph", {"integration": "ms-graph", "ms-graph": strings(record)})


def intrusion(log):
    keller = f"m.keller@{MAIL}"
    office(log, "16 08:41:30.500", "91575", "TIMailData", "ThreatIntelligence", "ThreatIntel", "28",
           "Office 365: Phishing and malware events.", P1Sender=PHISH_FROM, P2Sender=PHISH_FROM, SenderIp=PHISH_IP,
           Subject="Rechnung 2026-0311 – letzte Mahnung", Recipients=[keller], Verdict="Phish", DeliveryAction="Delivered",
           AttachmentData=[{"FileName": LURE, "FileType": "docm", "SHA256": LURE_HASH["sha256"], "FileVerdict": 1}])
    sign_in(log, "17 03:11:20.010", keller, C2_IP + ":51000", USER_AGENT)
    sign_in(log, "17 03:14:02.770", keller, f"[{C2_IP6}]:44310", USER_AGENT)
    office(log, "17 03:20:45.660", "91702", "FileDownloaded", "OneDrive", keller, "6", ClientIP=C2_IP, UserAgent=USER_AGENT,
           ObjectId=f"https://corvina-my.sharepoint.example/personal/m_keller/Documents/budget.xlsx",
           SiteUrl="https://corvina-my.sharepoint.example/personal/m_keller/", SourceFileName="budget.xlsx",
           SourceFileExtension="xlsx", SourceRelativeUrl="Documents", Subscription="Audit.SharePoint")
    office(log, "17 03:25:01.200", "91533", "New-InboxRule", "Exchange", keller, "1", ClientIP=C2_IP + ":51022",
           ObjectId="EURPR01\\m.keller\\nb", ResultStatus="True",
           Parameters=[{"Name": "ForwardTo", "Value": "collector@invoice-corvina.example"}, {"Name": "Name", "Value": "nb"}])
    trail(log, "17 03:30:10.001", "ConsoleLogin", "signin.amazonaws.com", "m.keller", C2_IP, USER_AGENT, "80254",
          responseElements={"ConsoleLogin": "Success"}, additionalEventData={"MFAUsed": "No"})
    trail(log, "17 03:33:47.340", "ListUsers", "iam.amazonaws.com", "m.keller", C2_IP, USER_AGENT)
    trail(log, "17 03:35:15.818", "CreateAccessKey", "iam.amazonaws.com", "m.keller", C2_IP, USER_AGENT, "80203",
          errorCode="AccessDenied", errorMessage="not authorized to perform: iam:CreateAccessKey")
    guardduty(log, "17 03:45:30.100", "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
              f"EC2 instance i-0abc123def4567890 is communicating with {C2_IP}", {
                  "actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
                      "connectionDirection": "OUTBOUND", "protocol": "TCP", "blocked": "false",
                      "remoteIpDetails": {"ipAddressV4": C2_IP, "country": {"countryName": "Nowhere"}},
                      "remotePortDetails": {"port": "443", "portName": "HTTPS"}, "localPortDetails": {"port": "50444"}}}, "8")
    guardduty(log, "18 01:50:02.200", "Backdoor:EC2/C&CActivity.B!DNS",
              f"EC2 instance i-0abc123def4567890 is querying {EXFIL_NS}", {
                  "actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": EXFIL_NS, "protocol": "UDP", "blocked": "false"}},
              "8")
    guardduty(log, "15 05:10:40.010", "UnauthorizedAccess:EC2/SSHBruteForce",
              f"{BRUTE_IP} is performing SSH brute force attacks against i-0abc123def4567890", {
                  "actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
                      "connectionDirection": "INBOUND", "protocol": "TCP", "blocked": "false",
                      "remoteIpDetails": {"ipAddressV4": BRUTE_IP}, "localPortDetails": {"port": "22", "portName": "SSH"}}},
              "5", "80302")
    flow(log, "15 05:12:00.300", BRUTE_IP, "10.30.1.12", 22, "REJECT")
    flow(log, "15 05:14:00.700", SCAN_IPS[1], "10.30.1.12", 22, "REJECT")
    flow(log, "17 03:47:12.090", "10.30.1.12", C2_IP, 443)
    flow(log, "17 04:47:12.090", "10.30.1.12", C2_IP, 443)
    gcp(log, "18 01:55:31.400", "65005", f"GCP: DNS query {EXFIL_NS}.", "dns_query", jsonPayload={
        "queryName": EXFIL_NS + ".", "queryType": "A", "responseCode": "NOERROR", "sourceIP": "10.40.0.9",
        "rdata": f"{EXFIL_NS}.\t60\tIN\tA\t{PHISH_IP}", "protocol": "UDP", "vmInstanceName": "etl-1"}, severity="INFO")
    github(log, "17 03:52:20.000", "91116", "GitHub Hook created.", "hook.create", "mkeller-corvina", repo="corvina/reports",
           actor_ip=C2_IP, config={"url": BEACON_URL, "content_type": "json"})
    graph(log, "16 13:20:09.550", "99588", "Suspicious PowerShell command line", "high", "new", ["T1059.001", "T1105"], [
        {"@odata.type": "#microsoft.graph.security.deviceEvidence", "deviceDnsName": "ws-finance-07.corvina.test",
         "mdeDeviceId": dice.hexa(8), "ipInterfaces": ["10.20.4.57", "fd00:20:4::57"]},
        {"@odata.type": "#microsoft.graph.security.processEvidence", "processId": 7004,
         "processCommandLine": f'"{IMPLANT_PATH}" --sync', "imageFile": {
             "fileName": IMPLANT, "filePath": IMPLANT_DIR, "sha1": IMPLANT_HASH["sha1"], "sha256": IMPLANT_HASH["sha256"],
             "fileSize": 20480}},
        {"@odata.type": "#microsoft.graph.security.urlEvidence", "url": DROP_URL}])


def noise(log, days=("14", "15", "16", "17", "18"), scale=1):
    for day in days:
        for _ in range(scale):
            at = lambda: f"{day} {dice.time(6, 20)}"
            user = dice.pick(["m.keller", "j.brandt", "a.novak"]) + "@" + MAIL
            sign_in(log, at(), user, dice.pick(["192.0.2.140", "192.0.2.141", "2001:db8:10::140"]), good=dice.below(4) > 0)
            trail(log, at(), dice.pick(["DescribeInstances", "ListBuckets", "GetObject"]), "ec2.amazonaws.com", "a.novak",
                  dice.pick(["192.0.2.140", "config.amazonaws.com", "AWS Internal"]))
            flow(log, at(), f"10.30.1.{dice.between(10, 19)}", "192.0.2.90", 443)


def extras(log):
    waf = {"timestamp": "1773486000000", "formatVersion": "1", "webaclId": "corvina-web", "terminatingRuleId": "scanners",
           "action": "BLOCK", "httpRequest": {"clientIp": SCAN_IPS[1], "country": "XX", "uri": "/.git/config", "args": "",
                                              "httpVersion": "HTTP/2.0", "httpMethod": "GET", "requestId": dice.hexa(12),
                                              "headers": [{"name": "Host", "value": "shop.corvina.example"},
                                                          {"name": "User-Agent", "value": SCAN_AGENT}]}}
    aws(log, "14 11:09:10.600", "80441", "waf", "AWS WAF: BLOCK", **waf)
    waf = {**waf, "timestamp": "1773659000000", "action": "ALLOW", "httpRequest": {
        **waf["httpRequest"], "clientIp": "192.0.2.33", "uri": "/", "headers": [{"name": "User-Agent", "value": DESKTOP}]}}
    aws(log, "16 11:03:20.750", "80441", "waf", "AWS WAF: ALLOW", **waf)
    aws(log, "18 08:00:30.125", "80202", "cloudtrail", "AWS Cloudtrail: s3.amazonaws.com - PutObject.", eventName="PutObject",
        eventSource="s3.amazonaws.com", sourceIPAddress="2001:db8:10::140", userAgent="[backup/3.1]", awsRegion="eu-central-1",
        requestParameters={"bucketName": "corvina-backup", "key": "2026/03/18.tar.zst"}, aws_account_id=ACCOUNT)
    gcp(log, "14 09:15:00.300", "65048", None, "gce_subnetwork", jsonPayload={
        "connection": {"src_ip": SCAN_IPS[2], "src_port": 43710, "dest_ip": "10.40.0.9", "dest_port": 22, "protocol": 6},
        "disposition": "DENIED", "rule_details": {"action": "DENY", "direction": "INGRESS", "priority": 65534,
                                                  "source_range": ["0.0.0.0/0"]}})
    gcp(log, "16 10:10:10.400", "65041", "GCP warning event on project corvina-prod, monitored resource type: "
        "http_load_balancer.", "http_load_balancer", httpRequest={
            "remoteIp": "192.0.2.33", "requestMethod": "GET", "requestUrl": "http://192.0.2.45/favicon.ico", "status": 502,
            "userAgent": DESKTOP}, severity="WARNING")
    gcp(log, "17 12:00:00.900", "65041", "GCP warning event on project corvina-prod, monitored resource type: audited_resource.",
        "audited_resource", protoPayload={"methodName": "storage.objects.get", "serviceName": "storage.googleapis.com",
                                          "authenticationInfo": {"principalEmail": f"a.novak@{MAIL}"},
                                          "requestMetadata": {"callerIp": "192.0.2.140",
                                                              "callerSuppliedUserAgent": "gcloud/468.0"}}, severity="WARNING")
    for when, operation, user, address in (("15 07:30:00.480", "Sign-in activity", "a.novak", "192.0.2.140"),
                                           ("17 03:12:09.913", "Sign-in activity", "m.keller", C2_IP)):
        log.add(when, "000", "87802", "json", "azure-logs", strings({
            "TimeGenerated": moment(shift(when, -60000)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "OperationName": operation,
            "Category": "SignInLogs", "ResultType": "0", "UserPrincipalName": f"{user}@{MAIL}", "IPAddress": address,
            "AppDisplayName": "Azure Portal", "Location": "XX", "azure_tag": "azure-log-analytics",
            "log_analytics_tag": "corvina-signins"}), desc="Azure: Log analytics: " + operation)
    github(log, "16 15:00:00.000", "91262", None, "project.rename", "anovak", project_name="roadmap")
    graph(log, "16 16:31:00.250", "99633", "Email messages containing malicious URL removed after delivery", "low", "resolved",
          ["T1566.002"], [{"@odata.type": "#microsoft.graph.security.urlEvidence", "url": DROP_URL},
                          {"@odata.type": "#microsoft.graph.security.mailboxEvidence", "primaryAddress": f"j.brandt@{MAIL}"},
                          {"@odata.type": "#microsoft.graph.security.ipEvidence", "ipAddress": PHISH_IP}])
