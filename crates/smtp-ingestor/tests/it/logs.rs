//! What the log tells the operator, and what it must never hold.

use crate::support::Hub;

#[test]
fn no_password_and_no_content_is_ever_logged() {
    let hub = Hub::with_tls_and_users(|smtp| smtp.auth_without_tls = true);
    let mut client = hub.greeted();
    client.ask("AUTH PLAIN AG9wcwBodW50ZXIz", "535");
    client.ask("AUTH PLAIN AG9wcwBodW50ZXIy", "235");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("Subject: classified\r\n\r\nsecret body\r\n.", "250");
    client.ask("PASSWORD hunter2", "500");
    client.ask("QUIT", "221");
    let log = hub.log();
    for secret in ["hunter", "AG9wcwBodW50ZXI", "classified", "secret body", "argon2id"] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
    assert!(log.contains("a mail was queued") && log.contains("a login as \"ops\" failed"), "{log}");
}

#[test]
fn a_refusal_says_who_and_why() {
    let hub = Hub::with(|smtp| {
        smtp.message_max_bytes = 100;
        smtp.recipients = vec!["alerts@*".into()];
    });
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<big@example.org> SIZE=101", "552");
    client.ask("MAIL FROM:<sender@example.org>", "250");
    client.ask("RCPT TO:<stranger@example.org>", "550");
    client.ask("RCPT TO:<alerts@example.org>", "250");
    hub.queue_fails(true);
    client.ask("DATA", "354");
    client.ask(".", "451");
    let log = hub.log();
    let line = |what: &str| log.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {log}"));
    let size = line("larger than the limit");
    assert!(size.contains("big@example.org") && size.contains("127.0.0.1") && size.contains("WARN"), "{size}");
    let recipient = line("not in smtp.recipients");
    assert!(recipient.contains("stranger@example.org") && recipient.contains("sender@example.org"), "{recipient}");
    let queue = line("could not be queued");
    assert!(queue.contains("sender@example.org") && queue.contains("on purpose"), "{queue}");
}

#[test]
fn a_name_with_control_characters_cannot_forge_a_log_line() {
    let hub = Hub::with_tls_and_users(|smtp| {
        smtp.auth_without_tls = true;
        smtp.recipients = vec!["alerts@*".into()];
    });
    let mut client = hub.client();
    client.ask("EHLO \x1b[31mred", "250-");
    client.ask("AUTH PLAIN AGEKZm9yZ2VkIGxpbmUAeA==", "535"); // NUL a LF `forged line` NUL x
    client.ask("MAIL FROM:<\"\x1b[31m\"@b>", "501 5.1.7");
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask("RCPT TO:<stranger@b>", "550");
    let log = hub.log();
    assert!(log.contains("forged line"), "the login is logged: {log}");
    assert!(log.lines().all(|line| !line.starts_with("forged")), "{log}");
    assert!(!log.contains('\x1b'), "{log}");
}
