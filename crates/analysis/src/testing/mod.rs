//! What the tests of everything around the model share: an alert, an answer, and a server that gives it.

mod server;

use watchbell_common::{
    alert::{Alert, Severity},
    config::Snapshot,
    ids::{EventId, TenantId},
    payload::{AlertPayload, Content, Envelope, IntakeHead},
};

pub use self::server::{Fake, Seen, completion, good, right, status};
use crate::{Analysed, analyse, model::Answer};

/// A mail as the rules understand it.
pub fn alert(subject: &str, text: &str) -> Alert {
    let envelope = Envelope { mail_from: "root@corp.example".to_owned(), ..Envelope::default() };
    let head = IntakeHead {
        event: EventId::derived(&[subject.as_bytes(), text.as_bytes()]),
        tenant: TenantId::DEFAULT,
        received_at: 1_795_168_800_000,
        peer: None,
        channel: None,
        content: Content::Mail(envelope),
    };
    let raw = format!("Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}");
    match analyse(&AlertPayload { head, raw: raw.into() }, &Snapshot::default(), "") {
        Analysed::Understood(alert) => *alert,
        Analysed::Muted { reason, .. } => panic!("nothing is muted here: {reason}"),
    }
}

/// An answer that can be used.
pub fn answer() -> Answer {
    Answer {
        severity: Severity::Critical,
        category: "disk".to_owned(),
        system: "db1".to_owned(),
        summary: "The disk of db1 is full".to_owned(),
        action: "Free some space".to_owned(),
        confidence: 0.8,
    }
}
