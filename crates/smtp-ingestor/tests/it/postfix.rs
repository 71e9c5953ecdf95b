//! Postfix as the relay in front of us, as most alert mail comes: a private instance with its own folders.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use crate::support::{Hub, envelope};

/// A running Postfix that relays everything to one address. Stops when dropped.
struct Postfix {
    dir: tempfile::TempDir,
}

impl Postfix {
    fn relaying_to(address: SocketAddr) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Its daemons run as the user `postfix` and must be able to enter.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["etc", "queue", "data"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let root = dir.path().display();
        let main = format!(
            "compatibility_level = 3.6\n\
             queue_directory = {root}/queue\n\
             data_directory = {root}/data\n\
             daemon_directory = /usr/lib/postfix/sbin\n\
             command_directory = /usr/sbin\n\
             mail_owner = postfix\n\
             setgid_group = postdrop\n\
             myhostname = relay.example\n\
             mydestination =\n\
             inet_interfaces = loopback-only\n\
             relayhost = [127.0.0.1]:{port}\n\
             smtp_tls_security_level = may\n\
             smtp_tls_loglevel = 1\n\
             smtputf8_enable = yes\n\
             maillog_file_prefixes = {root}\n\
             maillog_file = {root}/log\n",
            port = address.port()
        );
        fs::write(dir.path().join("etc/main.cf"), main).unwrap();
        fs::write(dir.path().join("etc/master.cf"), MASTER).unwrap();
        let data = dir.path().join("data");
        assert!(Command::new("chown").arg("postfix").arg(&data).status().unwrap().success());
        let postfix = Self { dir };
        postfix.control("start");
        postfix
    }

    fn config(&self) -> std::path::PathBuf {
        self.dir.path().join("etc")
    }

    fn control(&self, verb: &str) {
        let ran = Command::new("/usr/sbin/postfix").arg("-c").arg(self.config()).arg(verb).output();
        let ran = ran.unwrap_or_else(|error| panic!("postfix must be installed for this test: {error}"));
        assert!(ran.status.success(), "postfix {verb}: {}\n{}", String::from_utf8_lossy(&ran.stderr), self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn submit(&self, from: &str, to: &[&str], content: &[u8]) {
        let mut sendmail = Command::new("/usr/sbin/sendmail")
            .arg("-C")
            .arg(self.config())
            .args(["-i", "-f", from])
            .args(to)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        sendmail.stdin.take().unwrap().write_all(content).unwrap();
        assert!(sendmail.wait().unwrap().success(), "{}", self.log());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
            let _ = Command::new("/usr/sbin/postfix").arg("-c").arg(self.config()).arg("stop").output();
        } else {
            self.control("stop");
        }
    }
}

/// Only what taking local mail and relaying it needs; no port is opened.
const MASTER: &str = "\
postlog   unix-dgram n  -       n       -       1       postlogd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
smtp      unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
scache    unix  -       -       n       -       1       scache
anvil     unix  -       -       n       -       1       anvil
";

fn contains(raw: &[u8], text: &str) -> bool {
    raw.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn postfix_relays_alerts_over_starttls_as_they_were_submitted() {
    let hub = Hub::with_tls_and_users(|_| {});
    let postfix = Postfix::relaying_to(hub.address);
    postfix.submit("root@db01.example", &["alerts@hub.example"], b"Subject: plain\n\nline\n.\n..dots\n");
    hub.await_mails(1);
    let eight_bit = "Subject: Störung an Gerät 7\n\nÜberhitzt\n";
    postfix.submit("root@db01.example", &["alerts@hub.example", "oncall@hub.example"], eight_bit.as_bytes());
    hub.await_mails(2);
    postfix.submit("", &["alerts@hub.example"], b"Subject: null sender\n\nx\n");
    let mails = hub.await_mails(3);
    assert!(contains(&mails[0].raw, "\r\n\r\nline\r\n.\r\n..dots\r\n"));
    assert!(contains(&mails[1].raw, "Subject: Störung an Gerät 7\r\n"));
    let second = envelope(&mails[1]);
    assert_eq!((second.helo.as_str(), second.mail_from.as_str()), ("relay.example", "root@db01.example"));
    assert_eq!(second.rcpt_to, ["alerts@hub.example", "oncall@hub.example"]);
    assert_eq!(envelope(&mails[2]).mail_from, "");
    let log = postfix.log();
    assert!(log.contains("dsn=2.0.0, status=sent (250 2.0.0 queued as evt_"), "{log}");
    assert!(log.contains("TLS connection established"), "{log}");
}

#[test]
fn postfix_keeps_what_the_queue_could_not_take_and_brings_it_again() {
    let hub = Hub::start();
    hub.queue_fails(true);
    let postfix = Postfix::relaying_to(hub.address);
    postfix.submit("root@db01.example", &["alerts@hub.example"], b"Subject: later\n\nx\n");
    crate::support::eventually("the refusal", || postfix.log().contains("451 4.3.0"));
    hub.queue_fails(false);
    postfix.control("flush");
    let mails = hub.await_mails(1);
    assert!(contains(&mails[0].raw, "Subject: later"));
}
