//! Families of senders, after the formats that their programs document or print; those that were recorded are in
//! `recorded.rs`.

use super::{mail, shown, simple};

fn read(subject: &str, body: &str) -> String {
    shown(&simple(subject, body))
}

fn same_alert(one: (&str, &str), other: (&str, &str)) -> bool {
    simple(one.0, one.1).fingerprint == simple(other.0, other.1).fingerprint
}

#[test]
fn nagios_core_and_checkmk() {
    let body = "***** Nagios *****\n\nNotification Type: PROBLEM\n\nService: HTTP\nHost: web01\nAddress: 10.0.0.7\nState: CRITICAL\n\n\
                Date/Time: Sat Nov 21\n\nAdditional Info:\n\nCRITICAL - Socket timeout after 10 seconds\n";
    insta::assert_snapshot!(read("** PROBLEM Service Alert: web01/HTTP is CRITICAL **", body), @"critical firing other | web01 | HTTP on web01 is CRITICAL: CRITICAL - Socket timeout after 10 seconds |");
    insta::assert_snapshot!(read("** RECOVERY Host Alert: web01 is UP **", ""), @"critical resolved availability | web01 | Host web01 is UP |");
    insta::assert_snapshot!(read("** ACKNOWLEDGEMENT Service Alert: web01/HTTP is WARNING **", ""), @"warning acknowledged other | web01 | HTTP on web01 is WARNING |");
    insta::assert_snapshot!(read("Check_MK: web01/CPU load OK -> CRIT", ""), @"critical firing performance | web01 | CPU load on web01 is CRIT |");
    insta::assert_snapshot!(read("Checkmk: web01 DOWN -> UP", ""), @"critical resolved availability | web01 | Host web01 is UP |");
    assert!(same_alert(
        ("** PROBLEM Service Alert: web01/HTTP is CRITICAL **", body),
        ("** RECOVERY Service Alert: web01/HTTP is OK **", "Service: HTTP\nHost: web01\n"),
    ));
    assert!(same_alert(("Check_MK: web01/CPU load OK -> CRIT", ""), ("Check_MK: web01/CPU load CRIT -> OK", "")));
}

#[test]
fn other_subjects_of_nagios_and_checkmk() {
    let read = |subject: &str| read(subject, "");
    insta::assert_snapshot!(read("*** PROBLEM *** ora3 / Tablespace USERS is CRITICAL"), @"critical firing database | ora3 | Tablespace USERS on ora3 is CRITICAL |");
    insta::assert_snapshot!(read("*** RECOVERY *** ora3 is UP"), @"critical resolved availability | ora3 | Host ora3 is UP |");
    insta::assert_snapshot!(read("PROBLEM - web02 - http is WARNING"), @"warning firing other | web02 | http on web02 is WARNING |");
    insta::assert_snapshot!(read("Check_MK: app7 - UP -> DOWN"), @"critical firing availability | app7 | Host app7 is DOWN |");
    insta::assert_snapshot!(read("Check_MK: app7/CPU load Acknowledged (CRIT)"), @"critical acknowledged performance | app7 | CPU load on app7 is CRIT |");
    for (problem, recovery) in [
        ("*** PROBLEM *** ora3 / Tablespace is CRITICAL", "*** RECOVERY *** ora3 / Tablespace is OK"),
        ("PROBLEM - web02 - http is CRITICAL", "RECOVERY - web02 - http is OK"),
        ("Check_MK: app7 - UP -> DOWN", "Check_MK: app7 - DOWN -> UP"),
        ("Check_MK: app7/CPU load OK -> CRIT", "Check_MK: app7/CPU load Acknowledged (CRIT)"),
    ] {
        assert!(same_alert((problem, ""), (recovery, "")), "{problem}");
    }
}

#[test]
fn hosted_checks_and_builds() {
    let read = |subject: &str| read(subject, "");
    insta::assert_snapshot!(read("Monitor is DOWN: Shop ( https://shop.example )"), @"critical firing availability | Shop | Shop is DOWN |");
    insta::assert_snapshot!(read("ALARM: \"api-5xx\" in EU (Frankfurt)"), @"error firing other | api-5xx | api-5xx is ALARM |");
    insta::assert_snapshot!(read("Jenkins build is still unstable: shop #8"), @"warning firing job | shop | shop #8 is still unstable |");
    for (problem, recovery) in [
        ("Monitor is DOWN: Shop", "Monitor is UP: Shop ( https://shop.example ). It was down for 3 minutes."),
        ("ALARM: \"api-5xx\" in EU (Frankfurt)", "OK: \"api-5xx\" in EU (Frankfurt)"),
        ("Build failed in Jenkins: shop #7", "Jenkins build is back to normal : shop #9"),
    ] {
        assert!(same_alert((problem, ""), (recovery, "")), "{problem}");
    }
}

#[test]
fn zabbix_updates() {
    let body = "Admin acknowledged problem at 21:10:00.\nCurrent problem status is PROBLEM, acknowledged: Yes.\n\
                Problem name: High CPU\nHost: db01\nSeverity: High\nOriginal problem ID: 22\n";
    insta::assert_snapshot!(read("Updated problem in 5m: High CPU", body), @"error acknowledged performance | db01 | db01: High CPU |");
}

#[test]
fn alertmanager_without_a_group() {
    let body = |since: &str| {
        format!(
            "<p>1 alert for </p><a href='http://am'>View in Alertmanager</a><p>[1] Firing</p>Labels<br>alertname = NodeDown<br>\
             instance = db01<br>severity = critical<br>Annotations<br>summary = gone for {since}<br>"
        )
    };
    let read =
        |since: &str| mail(format!("Subject: [FIRING:1]  (NodeDown db01)\nContent-Type: text/html\n\n{}", body(since)));
    insta::assert_snapshot!(shown(&read("2m")), @"critical firing availability | db01 | NodeDown: gone for 2m (db01) |");
    assert_eq!(read("2m").fingerprint, read("9m").fingerprint);
}

#[test]
fn grafana() {
    let body = "Firing\n\nValue: A=97\nLabels:\n - alertname = DiskFull\n - instance = db01\n - severity = warning\nAnnotations:\n\
                 - summary = /var is full\nSent by Grafana v10.1.0\n";
    insta::assert_snapshot!(read("[FIRING:1] DiskFull (db01 warning)", body), @"warning firing disk | db01 | DiskFull: /var is full |");
    insta::assert_snapshot!(read("[OK] Panel Title alert", "Grafana v8"), @"error resolved other |  | Panel Title alert |");
    assert!(same_alert(("[FIRING:1] DiskFull (db01 warning)", body), ("[RESOLVED] DiskFull (db01 warning)", body)));
}

#[test]
fn netdata() {
    let raw = |severity: &str| {
        format!(
            "From: root@web01\nSubject: web01 needs attention - disk_space_usage\nX-Netdata-Severity: {severity}\n\
             X-Netdata-Alert-Name: disk_space_usage\nX-Netdata-Chart: disk_space./\nX-Netdata-Host: web01\n\nx"
        )
    };
    insta::assert_snapshot!(shown(&mail(raw("warning"))), @"warning firing disk | web01 | web01 needs attention - disk_space_usage |");
    insta::assert_snapshot!(shown(&mail(raw("clear"))), @"critical resolved disk | web01 | web01 needs attention - disk_space_usage |");
    assert_eq!(mail(raw("critical")).fingerprint, mail(raw("clear")).fingerprint);
}

#[test]
fn monit_goes_and_comes_back() {
    let body = |event: &str| {
        format!("{event} Service nginx\n\n\tDate: x\n\tAction: alert\n\tHost: web01\n\tDescription: port 80\n")
    };
    insta::assert_snapshot!(read("monit alert --  Connection failed nginx", &body("Connection failed")), @"error firing network | web01 | nginx on web01: port 80 |");
    insta::assert_snapshot!(read("monit alert --  Connection succeeded nginx", &body("Connection succeeded")), @"error resolved network | web01 | nginx on web01: port 80 |");
    assert!(same_alert(
        ("monit alert --  a", &body("Connection failed")),
        ("monit alert --  b", &body("Connection succeeded"))
    ));
    assert!(same_alert(("monit alert --  a", &body("Does not exist")), ("monit alert --  b", &body("Exists"))));
    assert!(!same_alert(
        ("monit alert --  a", &body("Does not exist")),
        ("monit alert --  b", &body("Connection failed"))
    ));
}

#[test]
fn arrays_and_pools() {
    let mdadm = "This is an automatically generated mail message from mdadm\nrunning on nas\n";
    insta::assert_snapshot!(read("Fail event on /dev/md0:nas", mdadm), @"critical firing disk | nas | nas: /dev/md0: a disk failed | Look at the array (mdadm --detail /dev/md0) and replace what failed before another disk does");
    insta::assert_snapshot!(read("DegradedArray event on /dev/md0:nas", mdadm), @"critical firing disk | nas | nas: /dev/md0: the array is degraded | Look at the array (mdadm --detail /dev/md0) and replace what failed before another disk does");
    insta::assert_snapshot!(read("RebuildFinished event on /dev/md0:nas", mdadm), @"info firing disk | nas | nas: /dev/md0: a rebuild ended |");
    assert!(same_alert(("Fail event on /dev/md0:nas", mdadm), ("SpareActive event on /dev/md0:nas", mdadm)));
    let removed = "ZFS has detected that a device was removed.\n\n impact: Fault tolerance of the pool may be compromised.\n    \
                   eid: 10\n  class: statechange\n  state: UNAVAIL\n   host: nas\n   time: 2026-11-21 21:12:04+0000\n  \
                   vpath: /dev/sda1\n   pool: tank (0x1234)\n";
    insta::assert_snapshot!(read("ZFS device fault for pool tank on nas", removed), @"critical firing disk | nas | nas: pool tank /dev/sda1: detected that a device was removed (UNAVAIL) | Look at the pool (zpool status tank) and replace what failed");
    let scrub = "ZFS has finished a scrub:\n\n   eid: 33\n class: scrub_finish\n  host: nas\n  time: x\n  pool: tank\n state: ONLINE\n\
                 \n  scan: scrub repaired 0B in 01:00:00 with 0 errors\n\nerrors: No known data errors\n";
    insta::assert_snapshot!(read("ZFS scrub_finish event for tank on nas", scrub), @"info firing disk | nas | nas: pool tank: finished a scrub (ONLINE) |");
}

#[test]
fn backups() {
    insta::assert_snapshot!(read("Bacula: Backup OK of db01-fd Incremental", "JobId 7"), @"info firing backup | db01-fd | Backup OK of db01-fd Incremental |");
    insta::assert_snapshot!(read("vzdump backup status (pve1): backup failed", "VM 100: ERROR: unable to open file"), @"error firing backup | pve1 | pve1: vzdump backup failed (VM 100: ERROR: unable to open file) | Run the backup again once the cause is gone; until then there is no fresh copy");
    insta::assert_snapshot!(read("vzdump backup status (pve1): backup successful", "all fine"), @"info firing backup | pve1 | pve1: vzdump backup successful |");
    insta::assert_snapshot!(read("[Warning] Nightly (3 VMs) 1 warning", "Veeam Backup & Replication 12"), @"warning firing backup | Nightly | Nightly (3 VMs) 1 warning |");
    insta::assert_snapshot!(read("borg backup on web01 failed", "Repository locked"), @"error firing backup | web01 | borg backup on web01 failed | Run the backup again once the cause is gone; until then there is no fresh copy");
    insta::assert_snapshot!(read("restic backup of db02 completed successfully", "snapshot 3f2a9c01 saved"), @"info firing backup | web01 | web01: restic backup of db02 completed successfully |");
    let ok = "Bacula: Backup OK of db01-fd Full";
    assert!(
        !same_alert((ok, ""), ("Bacula: Backup Fatal Error of db01-fd Full", "")),
        "success must not hide a failure"
    );
}

#[test]
fn packages() {
    insta::assert_snapshot!(read("[reboot required] unattended-upgrades result for web01: SUCCESS", "Packages that were upgraded:\n a b\n"), @"warning firing update | web01 | web01: automatic upgrade succeeded, reboot required | Plan a reboot");
    insta::assert_snapshot!(read("unattended-upgrades result for web01: FAILURE", "dpkg error"), @"error firing update | web01 | web01: automatic upgrade failed | Read /var/log/unattended-upgrades/ and run the upgrade by hand");
    insta::assert_snapshot!(read("unattended-upgrades result for 'web05': 'True'", "Packages that were upgraded:\n libgpg-error0\n\nLog:\n"), @"info firing update | web05 | web05: 1 packages upgraded |");
    insta::assert_snapshot!(read("unattended-upgrades result for 'web05'", "Unattended upgrade returned: False\n"), @"error firing update | web05 | web05: automatic upgrade failed | Read /var/log/unattended-upgrades/ and run the upgrade by hand");
    insta::assert_snapshot!(read("12 Debian package update(s) for web01", "apticron report"), @"info firing update | web01 | web01: 12 package updates are waiting | Install the updates in the next window");
}

#[test]
fn power() {
    insta::assert_snapshot!(read("web01 UPS ups Power Failure !!!", ""), @"critical firing power | web01 | web01: UPS ups Power Failure | Find out how long the power stays away; shut down what the battery cannot carry");
    insta::assert_snapshot!(read("UPS alert", "UPS ups@localhost on battery\n"), @"critical firing power | ups@localhost | UPS ups@localhost on battery | Find out how long the power stays away; shut down what the battery cannot carry");
    insta::assert_snapshot!(read("UPS alert", "UPS ups@localhost on line power\n"), @"critical resolved power | ups@localhost | UPS ups@localhost on line power |");
    assert!(same_alert(("web01 UPS ups Power Failure !!!", ""), ("web01 UPS ups Power is back...", "")));
    assert!(same_alert(
        ("UPS alert", "UPS ups@localhost on battery\n"),
        ("UPS alert", "UPS ups@localhost on line power\n")
    ));
}

#[test]
fn security() {
    let sudo =
        "web01 : Nov 21 21:12:10 : joe : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh\n";
    insta::assert_snapshot!(read("*** SECURITY information for web01 ***", sudo), @"warning firing security | web01 | web01: sudo: joe : user NOT in sudoers | Ask whether that was them; if not, treat the account as taken over");
    insta::assert_snapshot!(read("[rkhunter] Warnings found for web01", "Please inspect"), @"warning firing security | web01 | web01: rkhunter found warnings | Read /var/log/rkhunter.log; after an update, rkhunter --propupd");
    insta::assert_snapshot!(read("[Fail2Ban] sshd: stopped on web01", ""), @"warning firing security | web01 | web01: fail2ban stopped sshd |");
}

#[test]
fn bounces() {
    let dsn = "From: MAILER-DAEMON@mx (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
               Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nI'm sorry.\n--b\n\
               Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; oncall@corp.example\n\
               Action: failed\nStatus: 5.6.7\nDiagnostic-Code: X-Postfix; SMTPUTF8 is required, but was not offered\n--b\n\
               Content-Type: text/rfc822-headers\n\nSubject: the alert\n--b--\n";
    insta::assert_snapshot!(shown(&mail(dsn)), @"warning firing mail | oncall@corp.example | Mail to oncall@corp.example was not delivered: SMTPUTF8 is required, but was not offered | Correct the address where the alert is configured");
    let exim = "From: Mailer-Daemon@mx\nSubject: Mail delivery failed: returning message to sender\n\n\
                This message was created automatically.\n\n  oncall@corp.example\n    host mx: 550 no such user\n";
    insta::assert_snapshot!(shown(&mail(exim)), @"warning firing mail | oncall@corp.example | Mail to oncall@corp.example was not delivered | Correct the address where the alert is configured");
}

#[test]
fn jobs() {
    insta::assert_snapshot!(read("Cron <root@web01> test -x /usr/sbin/anacron", "hello\n"), @"info firing job | web01 | cron job of root@web01: hello |");
    insta::assert_snapshot!(read("Anacron job 'cron.daily' on web01", "/etc/cron.daily/logrotate:\nerror: stat failed\n"), @"error firing job | web01 | web01: anacron job cron.daily: error: stat failed | Run the job by hand and read its output");
}

#[test]
fn a_state_before_a_host_finds_its_alert() {
    assert!(same_alert(("CRITICAL: web01 load 25.3", "a"), ("OK: web01 load 2.1", "b")));
    assert!(same_alert(("[web] [🔴 Down] refused", ""), ("[web] [✅ Up] 200 - OK", "")));
    assert!(!same_alert(("CRITICAL: check failed", "disk"), ("CRITICAL: check failed", "memory")));
}

#[test]
fn what_no_family_knows() {
    insta::assert_snapshot!(read("CRITICAL: db03 replication stopped", ""), @"critical firing database | db03 | db03 replication stopped |");
    insta::assert_snapshot!(read("db02 is down", ""), @"critical firing availability | db02 | db02 is down |");
    insta::assert_snapshot!(read("Something odd", "Severity: critical\nprobably nothing\n"), @"critical firing other | web01 | web01: Something odd: Severity: critical |");
    insta::assert_snapshot!(read("web03: disk failed", "Severity: info\n"), @"error firing disk | web03 | web03: disk failed |");
    insta::assert_snapshot!(read("OK: db03 replication", ""), @"info resolved database | db03 | OK: db03 replication |");
    insta::assert_snapshot!(read("Alert: temperature in rack 4", "Sensor reads 41 C"), @"info firing hardware | web01 | web01: temperature in rack 4 |");
    insta::assert_snapshot!(read("[web] [🔴 Down] connect ECONNREFUSED", ""), @"critical firing availability | web | web: 🔴 Down: connect ECONNREFUSED |");
    insta::assert_snapshot!(read("[web] [✅ Up] 200 - OK", ""), @"critical resolved availability | web | web: ✅ Up: 200 - OK |");
    insta::assert_snapshot!(read("Nightly report", "3 jobs ran\n0 errors, 0 warnings\n"), @"info firing other | web01 | web01: Nightly report |");
    insta::assert_snapshot!(read("Сервер на db04: ошибка диска", ""), @"error firing disk | db04 | Сервер на db04: ошибка диска |");
    insta::assert_snapshot!(read("服务器磁盘故障", ""), @"error firing disk | web01 | web01: 服务器磁盘故障 |");
    insta::assert_snapshot!(read("Festplatte auf web05 voll", "belegt: 96%"), @"error firing disk | web05 | Festplatte auf web05 voll: belegt: 96% |");
}
