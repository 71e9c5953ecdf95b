//! The analyzer against recorded and written mails.

#![cfg(test)]

mod bad_input;
mod families;
mod hostile;
mod identity;
mod item;
mod mail;
mod recorded;

use std::path::PathBuf;

use watchbell_analysis::{Analysed, analyse, labelled};
use watchbell_common::{
    alert::Alert,
    config::Snapshot,
    ids::{EventId, TenantId},
    payload::{AlertPayload, Content, Envelope, IntakeHead, Item},
};

/// The recorded mails, in the repository's root.
fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mail")
}

fn payload(content: Content, raw: impl Into<Vec<u8>>) -> AlertPayload {
    let head = IntakeHead {
        event: EventId::derived(&[b"a test"]),
        tenant: TenantId::DEFAULT,
        received_at: 1_795_295_524_584,
        peer: None,
        channel: None,
        content,
    };
    AlertPayload { head, raw: raw.into().into() }
}

fn envelope(mail_from: &str) -> Envelope {
    Envelope { mail_from: mail_from.to_owned(), rcpt_to: vec!["ops@corp.example".to_owned()], ..Envelope::default() }
}

fn understood(payload: &AlertPayload) -> Alert {
    match analyse(payload, &Snapshot::default(), "") {
        Analysed::Understood(alert) => *alert,
        Analysed::Muted { reason, .. } => panic!("nothing is muted here: {reason}"),
    }
}

/// Analyses a mail from `root@web01.corp.example`.
fn mail(raw: impl Into<Vec<u8>>) -> Alert {
    understood(&payload(Content::Mail(envelope("root@web01.corp.example")), raw))
}

/// A mail of a subject and a body.
fn simple(subject: &str, body: &str) -> Alert {
    mail(format!("Subject: {subject}\r\nFrom: root@web01.corp.example\r\n\r\n{body}"))
}

fn item(item: Item) -> Alert {
    understood(&payload(Content::Item(item), "{}"))
}

/// A recorded mail with its envelope.
fn recorded(name: &str) -> AlertPayload {
    let all = labelled::read(&fixtures()).unwrap();
    all.into_iter().find(|mail| mail.file == name).unwrap().payload
}

/// An analysis in the form in which tests compare it.
fn shown(alert: &Alert) -> String {
    let analysis = &alert.analysis;
    let shown = format!(
        "{} {} {} | {} | {} | {}",
        analysis.severity,
        analysis.status.as_str(),
        analysis.category,
        analysis.system,
        analysis.summary,
        analysis.action,
    );
    shown.trim_end().to_owned()
}
