//! Real programs as clients: Python's smtplib, swaks, smtp-source.

use std::{net::SocketAddr, process::Command};

use crate::support::{Hub, envelope};

fn run(command: &mut Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let ran = command.output().unwrap_or_else(|error| panic!("{program} must be installed for this test: {error}"));
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{program}: {}\n{said}", ran.status);
    said
}

fn python(case: &str, address: SocketAddr) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients.py");
    run(Command::new("python3").args([script, case, &address.port().to_string()]));
}

fn swaks(address: SocketAddr, arguments: &[&str]) -> String {
    let server = address.to_string();
    let basics =
        ["--server", &server, "--from", "ops@example.org", "--to", "alerts@example.org", "--ehlo", "c.example"];
    run(Command::new("swaks").args(basics).args(arguments))
}

#[test]
fn smtplib_sends_with_helo_and_ehlo() {
    let hub = Hub::start();
    python("helo", hub.address);
    python("ehlo", hub.address);
    let mails = hub.await_mails(3);
    let body = String::from_utf8(mails[0].raw.to_vec()).unwrap();
    assert_eq!(envelope(&mails[0]).helo, "zabbix");
    assert!(body.contains("\r\nline\r\n.\r\n..dots\r\n"), "{body}");
}

#[test]
fn smtplib_sends_over_tls_and_logs_in() {
    let hub = Hub::with_tls_and_users(|_| {});
    for case in ["starttls", "PLAIN", "LOGIN", "refused"] {
        python(case, hub.address);
    }
    python("implicit", hub.tls_address.unwrap());
    let users: Vec<_> = hub.await_mails(4).iter().map(|mail| envelope(mail).user).collect();
    let ops = Some("ops".to_owned());
    assert_eq!(users, [None, ops.clone(), ops.clone(), ops]);
}

#[test]
fn smtplib_sends_to_addresses_beyond_ascii_and_from_the_null_sender() {
    let hub = Hub::start();
    python("smtputf8", hub.address);
    python("null", hub.address);
    let mails = hub.await_mails(2);
    let unicode = envelope(&mails[0]);
    assert_eq!((unicode.mail_from.as_str(), unicode.rcpt_to[0].as_str()), ("wächter@example.org", "жук@пример.рф"));
    assert_eq!(envelope(&mails[1]).mail_from, "");
}

#[test]
fn swaks_sends_in_its_many_ways() {
    let hub = Hub::with_tls_and_users(|_| {});
    swaks(hub.address, &[]);
    swaks(hub.address, &["--pipeline"]);
    swaks(hub.address, &["--protocol", "SMTP"]);
    swaks(hub.address, &["--tls", "--pipeline"]);
    swaks(hub.address, &["--from", "<>"]);
    swaks(hub.tls_address.unwrap(), &["--tls-on-connect"]);
    let login = ["--auth-user", "ops", "--auth-password", "hunter2", "--tls"];
    swaks(hub.address, &[&login[..], &["--auth", "PLAIN"]].concat());
    swaks(hub.address, &[&login[..], &["--auth", "LOGIN"]].concat());
    let mails = hub.await_mails(8);
    assert_eq!(envelope(&mails[4]).mail_from, "");
    assert_eq!(envelope(&mails[7]).user.as_deref(), Some("ops"));
}

#[test]
fn smtp_source_sends_on_many_connections_and_every_mail_arrives_once() {
    let hub = Hub::start();
    let target = hub.address.to_string();
    let said = run(Command::new("/usr/sbin/smtp-source")
        .args(["-d", "-s", "16", "-m", "500", "-l", "2048", "-f", "a@x", "-t", "b@x", &target]));
    assert_eq!(said, "");
    let mails = hub.await_mails(500);
    let mut events: Vec<_> = mails.iter().map(|mail| mail.head.event).collect();
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 500);
}
