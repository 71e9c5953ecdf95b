//! Mails that real monitoring programs sent, with the envelope they sent them in.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Hub, envelope};

#[test]
fn every_recorded_mail_arrives_as_it_was_sent() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mail");
    let hub = Hub::start();
    let mut sent = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let recorded: Value = serde_json::from_slice(&fs::read(path.with_extension("envelope.json")).unwrap()).unwrap();
        send(&hub, &recorded, &content);
        sent.push((recorded, content));
    }
    assert!(sent.len() >= 20, "only {} mails in {}", sent.len(), folder.display());
    for (mail, (recorded, content)) in hub.await_mails(sent.len()).iter().zip(sent) {
        assert_eq!(mail.raw, content, "{recorded}");
        let envelope = envelope(mail);
        assert_eq!(envelope.helo, recorded["helo"].as_str().unwrap());
        assert_eq!(envelope.mail_from, recorded["mail_from"].as_str().unwrap().trim_matches(['<', '>']));
        assert_eq!(envelope.rcpt_to, words(&recorded["rcpt_tos"]));
    }
}

fn send(hub: &Hub, recorded: &Value, content: &[u8]) {
    let verb = if recorded["extended"] == true { "EHLO" } else { "HELO" };
    let from = recorded["mail_from"].as_str().unwrap().trim_matches(['<', '>']);
    let mut client = hub.client();
    client.ask(&format!("{verb} {}", recorded["helo"].as_str().unwrap()), "250");
    client.ask(&format!("MAIL FROM:<{from}> {}", words(&recorded["mail_options"]).join(" ")), "250");
    for to in words(&recorded["rcpt_tos"]) {
        client.ask(&format!("RCPT TO:<{to}>"), "250");
    }
    client.ask("DATA", "354");
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        client.send(if line.starts_with(b".") { [b".", line].concat() } else { line.to_vec() });
    }
    client.ask(if content.ends_with(b"\r\n") { "." } else { "\r\n." }, "250 2.0.0 queued as evt_");
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}
