//! STARTTLS and implicit TLS.

use std::path::PathBuf;

use crate::support::{Client, Hub};

#[test]
fn starttls_forgets_what_was_said_before() {
    let hub = Hub::with_tls_and_users(|_| {});
    let mut client = hub.greeted();
    client.envelope();
    let mut client = client.into_tls(&hub);
    client.ask("MAIL FROM:<a@b>", "503 5.5.1 say HELO");
    client.ask("STARTTLS", "503 5.5.1");
    client.ask("EHLO c", "250-");
    client.ask("RCPT TO:<c@d>", "503 5.5.1");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("over TLS\r\n.", "250");
    assert_eq!(hub.only_mail().1, b"over TLS\r\n");
}

#[test]
fn commands_sent_in_clear_text_behind_starttls_are_forgotten() {
    let hub = Hub::with_tls_and_users(|_| {});
    let mut client = hub.greeted();
    client.send("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<victim@x>\r\n");
    client.expect("220 2.0.0");
    let mut client = client.secure(&hub);
    client.ask("NOOP", "250 2.0.0 ok");
    client.ask("DATA", "503 5.5.1");
}

#[test]
fn implicit_tls_greets_inside_tls() {
    let hub = Hub::with_tls_and_users(|_| {});
    let mut client = Client::connect(hub.tls_address.unwrap()).secure(&hub);
    client.expect("220 hub.example");
    client.ask("EHLO c", "250-");
    client.envelope();
    client.ask("DATA", "354");
    let content = "x".repeat(200_000);
    client.ask(&format!("{content}\r\n."), "250");
    client.ask("QUIT", "221");
    assert_eq!(hub.only_mail().1.len(), 200_002);
}

#[test]
fn a_client_that_speaks_clear_text_to_the_tls_port_is_closed() {
    let hub = Hub::with_tls_and_users(|_| {});
    let mut client = Client::connect(hub.tls_address.unwrap());
    client.send("EHLO c\r\nMAIL FROM:<a@b>\r\n");
    client.expect_end();
    hub.greeted().expect_alive();
}

#[test]
fn broken_files_are_named_with_their_setting() {
    let error = |change: &dyn Fn(&mut watchbell_common::settings::Smtp, PathBuf)| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("broken");
        std::fs::write(&file, "nonsense\n").unwrap();
        let mut smtp = watchbell_common::settings::Settings::load_with(None, &[], &[]).unwrap().smtp;
        smtp.listen = "127.0.0.1:0".parse().unwrap();
        change(&mut smtp, file);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        match runtime.block_on(watchbell_smtp_ingestor::bind(&smtp)) {
            Ok(_) => panic!("it was taken"),
            Err(error) => format!("{error:#}"),
        }
    };
    let text = error(&|smtp, file| smtp.users_file = Some(file));
    assert!(text.contains("smtp.users_file") && text.contains("broken: line 1"), "{text}");
    let text = error(&|smtp, file| (smtp.tls_cert, smtp.tls_key) = (Some(file.clone()), Some(file)));
    assert!(text.contains("smtp.tls_cert") && text.contains("holds no certificate"), "{text}");
    let text = error(&|smtp, file| smtp.users_file = Some(file.join("absent")));
    assert!(text.contains("smtp.users_file") && text.contains("absent"), "{text}");
    let text = error(&|smtp, _| smtp.listen = "192.0.2.1:1".parse().unwrap());
    assert!(text.contains("smtp.listen") && text.contains("192.0.2.1:1"), "{text}");
}
